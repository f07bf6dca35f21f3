// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The mounts that we see, by id: of as many paths as there are mounts, each is looked
 * for.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <libmount/libmount.h>
#include <stdlib.h>

#include "execute/execute.h"

struct by_id {
	size_t nr;
	struct entry {
		uint64_t id;
		struct libmnt_fs *fs;
	} at[];
};

static int cmp_entry(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* NULL: without memory, one after the other is looked at. */
static struct by_id *sorted(struct libmnt_table *tb)
{
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_FORWARD);
	int all = mnt_table_get_nents(tb);
	size_t most = all > 0 ? (size_t)all : 0;
	struct by_id *ids = it ? malloc(sizeof(*ids) + most * sizeof(*ids->at)) : NULL;
	struct libmnt_fs *fs;

	if (ids) {
		ids->nr = 0;
		while (ids->nr < most && !mnt_table_next_fs(tb, it, &fs))
			if (mnt_fs_get_id(fs) >= 0)
				ids->at[ids->nr++] = (struct entry){
					(uint64_t)mnt_fs_get_id(fs), fs };
		qsort(ids->at, ids->nr, sizeof(*ids->at), cmp_entry);
	}
	mnt_free_iter(it);
	return ids;
}

struct libmnt_table *mc_mounted_read(void)
{
	struct libmnt_table *tb = mnt_new_table_from_file("/proc/thread-self/mountinfo");

	if (tb)
		mnt_table_set_userdata(tb, sorted(tb));
	return tb;
}

static struct libmnt_fs *look_through(struct libmnt_table *tb, uint64_t id)
{
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs, *found = NULL;

	while (it && !found && !mnt_table_next_fs(tb, it, &fs))
		if (mnt_fs_get_id(fs) >= 0 && (uint64_t)mnt_fs_get_id(fs) == id)
			found = fs;
	mnt_free_iter(it);
	return found;
}

struct libmnt_fs *mc_mounted_at(struct libmnt_table *tb, int fd, bool *is_root)
{
	const struct by_id *ids = mnt_table_get_userdata(tb);
	const struct entry *found;
	struct statx st;

	*is_root = true;
	if (mc_look(fd, 0, &st) || !(st.stx_mask & STATX_MNT_ID))
		return NULL;
	if (st.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT)
		*is_root = st.stx_attributes & STATX_ATTR_MOUNT_ROOT;
	if (!ids)
		return look_through(tb, st.stx_mnt_id);
	found = bsearch(&(struct entry){ .id = st.stx_mnt_id }, ids->at, ids->nr,
			sizeof(*ids->at), cmp_entry);
	return found ? found->fs : NULL;
}

void mc_mounted_free(struct libmnt_table *tb)
{
	if (!tb)
		return;
	free(mnt_table_get_userdata(tb));
	mnt_unref_table(tb);
}
