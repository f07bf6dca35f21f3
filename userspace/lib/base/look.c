// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the VFS knows of a descriptor.  A filesystem's server may hang, be dead,
 * or let nobody but its owner ask anything, root included.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
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

struct asking {
	int pipe;
	char path[40];
};

/*
 * It is opened, which somebody may have a say in: a task that is frozen answers no
 * permission event, and breaks no lease.
 */
static int ask_uuid(const struct asking *a)
{
	struct mc_fsuuid u = { 0 };
	int file = open(a->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (file < 0 || ioctl(file, MC_FS_IOC_GETFSUUID, &u) || u.len != 16)
		return 1;
	return write(a->pipe, u.uuid, 16) != 16;
}

/* Ends by itself when it can; none is waited for any longer than this. */
#define UUID_WAIT_MS	1000

static bool in_child(int fd, unsigned char uuid[16])
{
	struct asking a;
	struct pollfd p = { .events = POLLIN };
	bool has = false;
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return false;
	snprintf(a.path, sizeof(a.path), "/proc/self/fd/%d", fd);
	a.pipe = ends[1];
	p.fd = ends[0];
	pid = mc_child(0);
	if (!pid)
		_exit(ask_uuid(&a));
	mc_close(ends[1]);
	if (pid > 0) {
		has = poll(&p, 1, UUID_WAIT_MS) > 0 && read(ends[0], uuid, 16) == 16;
		kill(pid, SIGKILL);
		mc_child_wait(pid);
	}
	mc_close(ends[0]);
	return has;
}

/* The descriptor may be of a path alone: what else could not be opened is not asked for. */
bool mc_fs_uuid(int fd, char text[MC_UUID_LEN + 1])
{
	static const unsigned char nil[16];
	unsigned char uuid[16];
	char *at = text;
	struct stat st;
	int i;

	if (fstat(fd, &st) || !(S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)) ||
	    !in_child(fd, uuid) || !memcmp(uuid, nil, sizeof(nil)))
		return false;
	for (i = 0; i < 16; i++)
		at += sprintf(at, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
			      uuid[i]);
	return true;
}
