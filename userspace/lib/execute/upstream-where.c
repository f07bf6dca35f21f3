// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * With stock kernels' calls: where the thread is that does all of it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "execute/execute.h"
#include "execute/upstream.h"

static int ns_file(const struct mc_exec *x, uint32_t where)
{
	if (where == MC_IN_CALLERS)
		return x->caller_ns_fd;
	if (where == MC_IN_SCRATCH)
		return x->scratch_ns_fd;
	if (where == MC_IN_COPY)
		return x->copy_ns_fd;
	if (where & MC_IN_LIVE)
		return x->live_fd[where & ~MC_IN_LIVE];
	return x->ns_fd[where];
}

int mc_up_enter(struct mc_exec *x, uint32_t where)
{
	if (x->in == where)
		return 0;
	mc_count(x, SETNS);
	if (setns(ns_file(x, where), CLONE_NEWNS))
		return -1;
	x->in = where;
	x->in_fd_dir = false;
	return 0;
}

/* The mount at fd, already on the root, becomes the root; the old one goes. */
int mc_up_become_root(struct mc_exec *x, int fd)
{
	mc_count(x, FCHDIR);
	if (fchdir(fd))
		return -1;
	mc_count(x, PIVOT_ROOT);
	if (syscall(SYS_pivot_root, ".", "."))
		return -1;
	mc_count(x, UMOUNT);
	return umount2(".", MNT_DETACH);
}

/* A descriptor of what is restored or in the scratch tree. */
int mc_up_fd(struct mc_exec *x, mc_ref r, const struct mc_op *op)
{
	int fd = mc_exec_fd(x, r);

	return fd < 0 ? mc_exec_fail(x, op, errno, "opening a mount by its path") : fd;
}
