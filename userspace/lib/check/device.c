// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which block device has a superblock?
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "check/check.h"

/* What is remembered may be of a device that is another one by now, or gone. */
static bool has_uuid(blkid_cache cache, blkid_dev *dev, const char *uuid)
{
	*dev = blkid_verify(cache, *dev);
	return *dev && blkid_dev_has_tag(*dev, "UUID", uuid);
}

char *mc_device_of(blkid_cache *cache, const struct mc_sb *sb, char **others)
{
	struct mc_buf more = { 0 };
	blkid_dev_iterate it;
	char *path = NULL, esc[256];
	blkid_dev dev;

	*others = NULL;
	if (mc_type_of(sb->type)->kind != MC_TYPE_DEVICE || !sb->uuid)
		return NULL;
	/* no file: what it would remember is not ours to write */
	if (!*cache && (blkid_get_cache(cache, "/dev/null") || blkid_probe_all(*cache)))
		return NULL;
	it = blkid_dev_iterate_begin(*cache);
	if (!it)
		return NULL;
	blkid_dev_set_search(it, "UUID", sb->uuid);
	while (!blkid_dev_next(it, &dev)) {
		if (!has_uuid(*cache, &dev, sb->uuid))
			continue;
		if (!path)
			path = strdup(blkid_dev_devname(dev));
		else
			mc_buf_printf(&more, "%s%s", more.len ? ", " : "",
				      mc_escape(blkid_dev_devname(dev), esc, sizeof(esc)));
	}
	blkid_dev_iterate_end(it);
	*others = more.data;
	return path;
}

/*
 * Whoever mounted it chose the name: no server is asked, nor an automounter.  A walk in
 * the dentry cache ends at a link that is to get another access time, so that one is read:
 * where there is no server, as in /dev.
 */
static int open_name(const char *name)
{
	char path[PATH_MAX], target[PATH_MAX];
	int fd, links = 8, at;
	struct statfs fs;
	struct stat st;
	ssize_t n;

	if (snprintf(path, sizeof(path), "%s", name) >= (int)sizeof(path))
		return -1;
	for (;;) {
		fd = mc_open_cached(AT_FDCWD, path, 0);
		if (fd < 0 || fstat(fd, &st) || !S_ISLNK(st.st_mode))
			return fd;
		n = -1;
		if (links-- && !fstatfs(fd, &fs) &&
		    (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC))
			n = readlinkat(fd, "", target, sizeof(target) - 1);
		mc_close(fd);
		if (n <= 0)
			return -1;
		target[n] = '\0';
		at = target[0] == '/' ? 0 : (int)(strrchr(path, '/') - path) + 1;
		if (snprintf(path + at, sizeof(path) - (size_t)at, "%s", target) >=
		    (int)sizeof(path) - at)
			return -1;
	}
}

static bool is_on(const struct mc_sb *sb, const char *path)
{
	int fd = open_name(path);
	struct stat st;
	bool is = fd >= 0 && !fstat(fd, &st) && S_ISBLK(st.st_mode) &&
		  st.st_rdev == makedev(sb->major, sb->minor);

	mc_close(fd);
	return is;
}

/* What the kernel calls it, in /dev; to be freed, or NULL. */
static char *kernels_name(const struct mc_sb *sb)
{
	static const char before[] = "DEVNAME=";
	char path[64], line[200], *name = NULL;
	FILE *in;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/uevent", sb->major, sb->minor);
	in = fopen(path, "re");
	while (in && !name && fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, before, strlen(before)) &&
		    asprintf(&name, "/dev/%s", line + strlen(before)) < 0)
			name = NULL;
	}
	if (in)
		fclose(in);
	return name;
}

char *mc_device_here(const struct mc_sb *sb)
{
	char *name;

	if (mc_type_of(sb->type)->kind != MC_TYPE_DEVICE)
		return NULL;
	if (sb->source && sb->source[0] == '/' && is_on(sb, sb->source))
		return strdup(sb->source);
	/* it was mounted by a name that leads there no more, or never did out here */
	name = kernels_name(sb);
	if (name && is_on(sb, name))
		return name;
	free(name);
	return NULL;
}
