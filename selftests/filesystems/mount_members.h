/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private mounts of one superblock, to be made members of groups.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef __SELFTEST_MOUNT_MEMBERS_H
#define __SELFTEST_MOUNT_MEMBERS_H

#include <stdio.h>
#include <sys/stat.h>

#include "mount_actors.h"

#define NR_MEMBERS	12

/* A new test directory with "fs", the superblock, and "0" to "11" to mount on. */
static inline int members_setup(char *base, size_t size)
{
	static const char * const dirs[] = { "fs/a", "fs/a/x", "fs/a/x/y", "fs/b" };
	int err;

	err = scratch_setup(base, size);
	if (err)
		return err;
	if (chdir(base) || mkdir("fs", 0755))
		return -errno;
	err = k_mount("tmpfs", "fs", "tmpfs", 0);
	if (err)
		return err;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (mkdir(dirs[i], 0755))
			return -errno;
	for (int i = 0; i < NR_MEMBERS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		if (mkdir(name, 0755))
			return -errno;
	}
	return 0;
}

static inline void members_teardown(const char *base)
{
	if (!chdir("/"))
		scratch_teardown(base);
}

static inline int bind_and_open(const char *src, const char *dst)
{
	int err = k_mount(src, dst, NULL, MS_BIND);

	return err ? err : k_open(dst, O_PATH);
}

/* Bind @root, a path below the test's "fs", on @dst. A descriptor of it. */
static inline int member_of(const struct actor *actor, const char *base,
			    const char *root, const char *dst)
{
	char src[128], path[128];

	snprintf(src, sizeof(src), "%s/fs/%s", base, root);
	snprintf(path, sizeof(path), "%s/%s", base, dst);
	return AS(actor, bind_and_open(src, path));
}

/* 1 if the kernel has mount_setgroup(), 0 if not. */
static inline int setgroup_supported(void)
{
	/* too small, which is found before anything is looked at */
	return k_mount_setgroup(NULL, 0, MOUNT_SETGROUP_SHARED) == -EINVAL;
}

#endif /* __SELFTEST_MOUNT_MEMBERS_H */
