// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Namespaces as the caller names them: by process, file or descriptor.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "execute/place.h"

static int open_named(const struct mntcr_source *s, char *name, size_t size)
{
	char path[64];

	switch (s->type) {
	case MNTCR_SOURCE_PID:
		snprintf(name, size, "process %" PRId64, s->pid);
		snprintf(path, sizeof(path), "/proc/%" PRId64 "/ns/mnt", s->pid);
		return open(path, O_RDONLY | O_CLOEXEC);
	case MNTCR_SOURCE_PATH:
		mc_escape(s->path, name, size);
		return open(s->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	default:
		snprintf(name, size, "descriptor %d", s->fd);
		return fcntl(s->fd, F_DUPFD_CLOEXEC, 3);
	}
}

int mc_place_ns(const struct mntcr_source *s, struct mntcr_error *e)
{
	char name[256];
	int fd, type;

	fd = open_named(s, name, sizeof(name));
	if (fd < 0 && errno == ENOENT && s->type == MNTCR_SOURCE_PID)
		errno = ESRCH;
	if (fd < 0)
		return mc_fail(e, MNTCR_SYS, errno, "%s", name);
	type = ioctl(fd, MC_NS_GET_NSTYPE);
	if (type == CLONE_NEWNS)
		return fd;
	if (type < 0 && errno != ENOTTY)
		mc_fail(e, MNTCR_SYS, errno, "%s: asking for its type", name);
	else
		mc_fail(e, MNTCR_USAGE, 0, "%s is no mount namespace", name);
	mc_close(fd);
	return -1;
}
