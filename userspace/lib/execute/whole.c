// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a path of the caller's is on, and whether that is all of a filesystem.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <libmount/libmount.h>
#include <string.h>

#include "execute/execute.h"

struct libmnt_fs *mc_exec_mount_of(struct libmnt_table *tb, struct libmnt_iter *it,
				   int fd, bool *is_root)
{
	struct libmnt_fs *fs;
	struct statx st;

	*is_root = true;
	if (mc_look(fd, 0, &st) || !(st.stx_mask & STATX_MNT_ID))
		return NULL;
	if (st.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT)
		*is_root = st.stx_attributes & STATX_ATTR_MOUNT_ROOT;
	mnt_reset_iter(it, MNT_ITER_FORWARD);
	while (!mnt_table_next_fs(tb, it, &fs))
		if (mnt_fs_get_id(fs) >= 0 &&
		    (uint64_t)mnt_fs_get_id(fs) == st.stx_mnt_id)
			return fs;
	return NULL;
}

bool mc_exec_is_whole(const struct mc_sb *sb, const struct mc_src *s, int fd)
{
	char uuid[MC_UUID_LEN + 1];
	struct libmnt_table *tb;
	struct libmnt_iter *it;
	struct libmnt_fs *fs;
	bool is_root, whole;

	if (s->kind != MC_SRC_EXTERNAL)
		return s->kind == MC_SRC_FRESH;
	if (fd < 0 || mc_root_len(s->path) || !sb->uuid || mc_uuid_is_nil(sb->uuid) ||
	    !mc_fs_uuid(fd, uuid) || strcmp(uuid, sb->uuid))
		return false;
	tb = mnt_new_table_from_file("/proc/thread-self/mountinfo");
	it = mnt_new_iter(MNT_ITER_FORWARD);
	fs = tb && it ? mc_exec_mount_of(tb, it, fd, &is_root) : NULL;
	whole = fs && is_root && mnt_fs_get_root(fs) && !strcmp(mnt_fs_get_root(fs), "/");
	mnt_unref_table(tb);
	mnt_free_iter(it);
	return whole;
}
