// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the VFS knows of a descriptor.  A filesystem's server may hang, be dead,
 * or let nobody but its owner ask anything, root included.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <sys/stat.h>

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

/* The descriptor may be of a path alone; such files are opened without any doing. */
bool mc_fs_uuid(int fd, char text[MC_UUID_LEN + 1])
{
	struct mc_fsuuid u = { 0 };
	char path[40], *at = text;
	struct stat st;
	int file, i;
	bool has;

	if (fstat(fd, &st) || !(S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)))
		return false;
	snprintf(path, sizeof(path), "/proc/thread-self/fd/%d", fd);
	file = open(path, O_RDONLY | O_CLOEXEC);
	has = file >= 0 && !ioctl(file, MC_FS_IOC_GETFSUUID, &u) && u.len == 16;
	for (i = 0; has && i < 16; i++)
		at += sprintf(at, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
			      u.uuid[i]);
	mc_close(file);
	return has;
}
