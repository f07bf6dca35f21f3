// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which block device has a superblock?
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

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

char *mc_device_here(const struct mc_sb *sb)
{
	/* whoever mounted it chose the name: no server is asked, nor an automounter */
	const struct mc_open_how how = {
		.flags = O_PATH | O_CLOEXEC, .resolve = MC_RESOLVE_CACHED,
	};
	int fd, tries = 20;
	struct stat st;
	bool is;

	if (mc_type_of(sb->type)->kind != MC_TYPE_DEVICE || !sb->source ||
	    sb->source[0] != '/')
		return NULL;
	do {
		fd = mc_openat2(AT_FDCWD, sb->source, &how);
	} while (fd < 0 && errno == EAGAIN && --tries);
	is = fd >= 0 && !fstat(fd, &st) && S_ISBLK(st.st_mode) &&
	     st.st_rdev == makedev(sb->major, sb->minor);
	mc_close(fd);
	return is ? strdup(sb->source) : NULL;
}
