// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A topology as mounts of the running kernel: binds with mount(2), by path and
 * by descriptor.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#define _GNU_SOURCE
#include <stdio.h>

#include "base/base.h"
#include "sweep/world.h"

int world_mount_fd(struct world *w, int from, int to, const char *path,
		   unsigned long how)
{
	char source[32], target[64];

	snprintf(source, sizeof(source), "self/fd/%d", from);
	snprintf(target, sizeof(target), "self/fd/%d/%s", to, path);
	if (fchdir(w->proc) || mount(source, target, NULL, how, NULL))
		return world_fail(w, how == MS_MOVE ? "move to" : "bind on", path);
	return 0;
}

int world_bind_path(struct world *w, const char *from, const char *to,
		    unsigned long type, unsigned long then)
{
	if (mount(from, to, NULL, MS_BIND, NULL))
		return world_fail(w, "bind", to);
	if ((type && mount(NULL, to, NULL, type, NULL)) ||
	    (then && mount(NULL, to, NULL, then, NULL)))
		return world_fail(w, "change the type of", to);
	return 0;
}
