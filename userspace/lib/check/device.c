// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which block device has a superblock?
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <blkid/blkid.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "check/check.h"

char *mc_device_of(const struct mc_sb *sb)
{
	blkid_cache cache = NULL;
	char *path;

	/* no file: what it would remember is not ours to write */
	if (mc_type_of(sb->type)->kind != MC_TYPE_DEVICE || !sb->uuid ||
	    blkid_get_cache(&cache, "/dev/null"))
		return NULL;
	path = blkid_evaluate_tag("UUID", sb->uuid, &cache);
	blkid_put_cache(cache);
	return path;
}

char *mc_device_here(const struct mc_sb *sb)
{
	struct stat st;

	if (mc_type_of(sb->type)->kind != MC_TYPE_DEVICE || !sb->source ||
	    sb->source[0] != '/' || stat(sb->source, &st) || !S_ISBLK(st.st_mode) ||
	    st.st_rdev != makedev(sb->major, sb->minor))
		return NULL;
	return strdup(sb->source);
}
