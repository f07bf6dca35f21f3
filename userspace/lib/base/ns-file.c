// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mount namespaces as the caller names them: by process, file or descriptor.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/base.h"

/* O_NONBLOCK: a fifo or a device must not hang the caller. */
static int open_named(const struct mntcr_source *s, char *name, size_t size)
{
	char path[64];
	int fd;

	switch (s->type) {
	case MNTCR_SOURCE_PID:
		snprintf(name, size, "%" PRId64, s->pid);
		snprintf(path, sizeof(path), "/proc/%" PRId64 "/ns/mnt", s->pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			errno = ESRCH;
		return fd;
	case MNTCR_SOURCE_PATH:
		mc_escape(s->path, name, size);
		return open(s->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	case MNTCR_SOURCE_DETACHED:
		mc_escape(s->path, name, size);
		return fcntl(s->fd, F_DUPFD_CLOEXEC, 3);
	default:
		if (s->path)
			mc_escape(s->path, name, size);
		else
			snprintf(name, size, "fd:%d", s->fd);
		return fcntl(s->fd, F_DUPFD_CLOEXEC, 3);
	}
}

int mc_open_ns(const struct mntcr_source *s, char *name, size_t size,
	       struct mntcr_error *e)
{
	const char *what = s->type == MNTCR_SOURCE_PID ? "process " : "";
	char unasked[256];
	int fd, type;

	if (!name) {
		name = unasked;
		size = sizeof(unasked);
	}
	if (!mc_is_zero(s->reserved, sizeof(s->reserved)))
		return mc_fail(e, MNTCR_USAGE, 0,
			       "source: something reserved is not 0");
	fd = open_named(s, name, size);
	if (fd < 0)
		return mc_fail(e, MNTCR_SYS, errno, "%s%s", what, name);
	type = ioctl(fd, MC_NS_GET_NSTYPE);
	if (type == CLONE_NEWNS)
		return fd;
	if (type < 0 && errno != ENOTTY)
		mc_fail(e, MNTCR_SYS, errno, "%s%s: asking for its type", what, name);
	else
		mc_fail(e, MNTCR_USAGE, 0, "%s: not a mount namespace", name);
	mc_close(fd);
	return -1;
}
