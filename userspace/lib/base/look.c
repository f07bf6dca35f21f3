// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the VFS knows of a descriptor.  A filesystem's server may hang, be dead,
 * or let nobody but its owner ask anything, root included.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "base/base.h"

#define LOOK	(AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC)

/* A walk that starts at anything else ends before any permission is asked for. */
static bool is_dir(int fd)
{
	int below = mc_open_cached(fd, ".", 0);
	bool dir = below >= 0 || errno != ENOTDIR;

	mc_close(below);
	return dir;
}

int mc_look(int fd, unsigned int mask, struct statx *st)
{
	if (!statx(fd, "", LOOK, mask, st))
		goto type;
	/* FUSE without allow_other gives the device to who asks for nothing */
	if (errno != EACCES || statx(fd, "", LOOK, 0, st))
		return -1;
type:
	if (!(st->stx_mask & STATX_TYPE))
		st->stx_mode = is_dir(fd) ? S_IFDIR : 0;
	return 0;
}

bool mc_look_is(const struct statx *st, bool unique, uint64_t id, uint32_t id_old)
{
	struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER0,
		.mnt_id = id,
		.param = MC_STATMOUNT_MNT_BASIC,
	};
	struct mc_statmount sm;

	if (unique && st->stx_mask & STATX_MNT_ID_UNIQUE)
		return st->stx_mnt_id == id;
	if (!(st->stx_mask & STATX_MNT_ID) || st->stx_mnt_id != id_old)
		return false;
	/* it was that one's when id was seen: is it still? */
	return !unique || (!mc_statmount(&req, &sm, sizeof(sm), 0) &&
			   sm.mnt_id_old == id_old);
}
