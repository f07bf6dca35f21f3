// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Files that mounts show or are on, as statx(2) sees them.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <string.h>

#include "capture/capture.h"

#define OVERFLOW_ID	65534	/* what the kernel says of an id that is not mapped */

/* Does the caller's user namespace have all ids? */
static bool all_mapped(const char *map)
{
	unsigned int id, parent, count;
	FILE *in = fopen(map, "re");
	bool all = true;

	if (!in)
		return true;
	if (fscanf(in, "%u %u %u", &id, &parent, &count) == 3)
		all = !id && count == UINT32_MAX;
	fclose(in);
	return all;
}

void cap_ids_init(struct cap_ids *ids)
{
	ids->all_uids = all_mapped("/proc/self/uid_map");
	ids->all_gids = all_mapped("/proc/self/gid_map");
}

static uint32_t id_of(uint32_t id, bool known)
{
	return id == OVERFLOW_ID && !known ? MC_NO_ID : id;
}

void cap_file(const struct cap_ids *ids, const struct mc_mount *through,
	      const struct statx *stx, struct mc_file *f)
{
	bool plain = through->idmap == MC_NONE;

	/* anonymous inodes have been without a type */
	if ((stx->stx_mask & CAP_FILE_MASK) != CAP_FILE_MASK ||
	    !(stx->stx_mode & S_IFMT))
		return;
	f->mode = stx->stx_mode;
	f->uid = id_of(stx->stx_uid, ids->all_uids && plain);
	f->gid = id_of(stx->stx_gid, ids->all_gids && plain);
	if (!mc_mode_is_device(f->mode))
		return;
	f->major = stx->stx_rdev_major;
	f->minor = stx->stx_rdev_minor;
}

bool cap_target(const struct mc_topology *t, const struct mc_mount *through,
		int fd, char buf[MC_MAX_TARGET + 1])
{
	ssize_t n;

	if (!mc_type_in_memory(t->sbs[through->sb].type))
		return false;
	n = readlinkat(fd, "", buf, MC_MAX_TARGET + 1);
	if (n <= 0 || n > MC_MAX_TARGET)
		return false;
	buf[n] = '\0';
	return true;
}

bool cap_path(const struct mc_topology *t, uint32_t m, char buf[CAP_PATH_MAX],
	      const char **path)
{
	char *at = buf + CAP_PATH_MAX - 1;
	const char *mp;
	size_t n;

	*at = '\0';
	for (; t->mounts[m].parent != MC_NONE; m = t->mounts[m].parent) {
		mp = t->mounts[m].mountpoint;
		n = mp[1] ? strlen(mp) : 0;
		if (n >= (size_t)(at - buf))
			return false;
		at -= n;
		memcpy(at, mp, n);
	}
	*path = *at ? at : "/";
	return true;
}

bool cap_is_covered(const struct mc_topology *t, uint32_t m)
{
	uint32_t c;

	mc_for_each_child(t, c, m)
		if (!t->mounts[c].mountpoint[1])
			return true;
	return false;
}
