/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One event: something is mounted on a mount and unmounted again, by a helper
 * that stands in the mount's namespace for as long as it is there.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_VERIFY_EVENT_H
#define MC_VERIFY_EVENT_H

#include <sys/types.h>

#include "topology/topology.h"

struct mc_event {
	pid_t pid;		/* 0: none */
	int sock;
};

/* Answers, besides 0 and an errno. */
enum {
	/* the path leads to something else; at the end: something lies over it */
	MC_EVENT_OTHER = -1,
	/* the kernel has nothing to cover it with */
	MC_EVENT_CANNOT = -2,
};

/*
 * Open the mount m of t, which path should lead to, and all that will be needed;
 * proc is the caller's /proc, O_PATH.  Nothing is mounted yet.  No server is asked
 * on the way: EAGAIN where that would be necessary.
 */
int mc_event_open(struct mc_event *ev, int ns, int proc, const char *path,
		  const struct mc_topology *t, uint32_t m);
/* Mount it, if the path still leads there. */
int mc_event_fire(struct mc_event *ev);
/*
 * Unmount what mc_event_fire() mounted. By descriptor: copies that propagated
 * may lie over it, so that no path leads to it. It stays if somebody has
 * mounted something on it meanwhile. Does nothing if nothing was mounted. If
 * the caller dies before this, the helper does it.
 */
int mc_event_end(struct mc_event *ev);

#endif /* MC_VERIFY_EVENT_H */
