// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Two mount namespaces, made from outside with system calls alone: a volume on /mnt
 * of the first, and a slave of it on /mnt of the second.  No setns(2), no process in
 * either, no helper mount; foreign_mounts(7) and mount_setgroup(2) say more.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What headers lack so far: of <linux/mount.h> and <linux/nsfs.h>. */
#ifndef __NR_mount_setgroup
#define __NR_mount_setgroup	474
#endif
#ifndef OPEN_TREE_NAMESPACE
#define OPEN_TREE_NAMESPACE	(1 << 1)
#endif
#ifndef MOVE_MOUNT_T_FOREIGN
#define MOVE_MOUNT_T_FOREIGN	0x00000400
#endif
#ifndef MOUNT_SETGROUP_SHARED
#define MOUNT_SETGROUP_SHARED	0x00000001
#define MOUNT_SETGROUP_MASTER	0x00000004
#endif
struct group_args {
	uint64_t mnt_fds;
	uint32_t nr_fds;
	int32_t target_fd;
};
struct mnt_open {
	uint64_t mnt_id;
	uint32_t flags, spare;
};
#define MNT_OPEN	_IOW(0xb7, 14, struct mnt_open)
#define MNT_OPEN_ROOT	0xfffffffffffffffdULL

static int must(long ret, const char *what)
{
	if (ret < 0)
		err(1, "%s", what);
	return (int)ret;
}

static int new_tmpfs(void)
{
	int fs = must(fsopen("tmpfs", FSOPEN_CLOEXEC), "fsopen");

	must(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), "fsconfig");
	return must(fsmount(fs, FSMOUNT_CLOEXEC, 0), "fsmount");
}

/* A private mount, on a place in whatever namespace. */
static void attach(int mount, int dir, const char *name)
{
	int place = must(openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC),
			 name);

	must(move_mount(mount, "", place, "", MOVE_MOUNT_T_FOREIGN |
			MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH), "move_mount");
}

static void set_group(int member, int target, unsigned int how)
{
	struct group_args args = {
		.mnt_fds = (uintptr_t)&member,
		.nr_fds = 1,
		.target_fd = target,
	};

	must(syscall(__NR_mount_setgroup, &args, sizeof(args), how),
	     "mount_setgroup");
}

int main(void)
{
	struct mnt_open its_root = { .mnt_id = MNT_OPEN_ROOT };
	int volume[2], ns, root, i;
	struct stat first, second;

	volume[0] = new_tmpfs();
	must(mkdirat(volume[0], "usb", 0755), "mkdirat");
	volume[1] = must(open_tree(volume[0], "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
				   AT_EMPTY_PATH), "open_tree");
	for (i = 0; i < 2; i++) {
		ns = must(open_tree(AT_FDCWD, "/", OPEN_TREE_NAMESPACE | OPEN_TREE_CLOEXEC),
			  "open_tree");
		root = must(ioctl(ns, MNT_OPEN, &its_root), "NS_MNT_OPEN");
		attach(volume[i], root, "mnt");
	}
	/* everything is in place: now who receives from whom, masters first */
	set_group(volume[0], 0, MOUNT_SETGROUP_SHARED);
	set_group(volume[1], volume[0], MOUNT_SETGROUP_MASTER);

	/* what is mounted in the first appears in the second */
	attach(new_tmpfs(), volume[0], "usb");
	must(fstatat(volume[0], "usb", &first, 0), "usb");
	must(fstatat(volume[1], "usb", &second, 0), "usb");
	puts(first.st_dev == second.st_dev ? "received" : "not received");
	return first.st_dev != second.st_dev;
}
