// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Is a path of the caller's all of a filesystem?
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <libmount/libmount.h>
#include <string.h>

#include "execute/execute.h"

bool mc_exec_is_whole(const struct mc_sb *sb, const struct mc_src *s, int fd)
{
	char uuid[MC_UUID_LEN + 1];
	struct libmnt_table *mounted;
	struct libmnt_fs *fs;
	bool is_root, whole;

	if (s->kind != MC_SRC_EXTERNAL)
		return s->kind == MC_SRC_FRESH;
	if (fd < 0 || mc_root_len(s->path) || !sb->uuid || mc_uuid_is_nil(sb->uuid) ||
	    !mc_fs_uuid(fd, uuid) || strcmp(uuid, sb->uuid))
		return false;
	mounted = mc_mounted_read();
	fs = mounted ? mc_mounted_at(mounted, fd, &is_root) : NULL;
	whole = fs && is_root && mnt_fs_get_root(fs) && !strcmp(mnt_fs_get_root(fs), "/");
	mc_mounted_free(mounted);
	return whole;
}
