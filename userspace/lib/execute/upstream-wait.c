// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * With stock kernels' calls: what waits to be attached, until the thread goes where it is
 * to be.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>

#include "execute/execute.h"
#include "execute/upstream.h"

/*
 * Detached trees that wait at the same time.  They count as namespaces: where
 * fewer are allowed (ENOSPC), those that wait go first.
 */
#define MOST_PUT_OFF	256

static int pivot(struct mc_exec *x, uint32_t ns, int fd, const struct mc_op *op)
{
	if (mc_up_become_root(x, fd))
		return mc_exec_fail(x, op, errno, "pivot_root");
	x->placeholder[ns] = false;
	/* Root and cwd are not what setns would give. */
	x->in = MC_NONE;
	if (mc_up_enter(x, ns))
		return mc_exec_fail(x, op, errno, "entering its namespace");
	return 0;
}

static int do_attach(struct mc_exec *x, const struct mc_put_off *w)
{
	const struct mc_op *op = w->op;
	int fd = mc_exec_fd(x, w->obj), to;
	char name[16];
	uint32_t ns;

	if (x->put_off_to == MC_IN_SCRATCH) {
		snprintf(name, sizeof(name), "%u", w->slot);
		mc_count(x, MOVE_MOUNT);
		if (mc_move_mount(fd, "", x->scratch_fd, name,
				  MOVE_MOUNT_F_EMPTY_PATH))
			return mc_exec_fail(x, op, errno,
					    "putting it into the scratch tree");
		return 0;
	}
	to = mc_up_fd(x, op->arg, op);
	if (to >= 0 && op->flags & MC_ALONG)
		return mc_exec_along(x, to, op);
	if (to < 0 || mc_exec_move(x, fd, to, op->path, 0, op))
		return -1;
	ns = MC_REF_INDEX(op->arg);
	if (MC_REF_KIND(op->arg) == MC_REF_NS && x->placeholder[ns])
		return pivot(x, ns, fd, op);
	return 0;
}

int mc_up_flush(struct mc_exec *x)
{
	uint32_t i, n = x->nr_put_off;

	x->nr_put_off = 0;
	if (!n)
		return 0;
	if (mc_up_enter(x, x->put_off_to == MC_IN_TREE ? MC_IN_SCRATCH : x->put_off_to))
		return mc_exec_fail(x, x->put_off[0].op, errno,
				    "entering its namespace");
	for (i = 0; i < n; i++)
		if (do_attach(x, &x->put_off[i]))
			return -1;
	return 0;
}

int mc_up_put_off(struct mc_exec *x, mc_ref obj, const struct mc_op *op,
		  uint32_t where, uint32_t slot)
{
	struct mc_put_off *w;

	if ((x->put_off_to != where || x->nr_put_off >= MOST_PUT_OFF) &&
	    mc_up_flush(x))
		return -1;
	if (!mc_grow(&x->put_off, x->nr_put_off, &x->max_put_off,
		     sizeof(*x->put_off)))
		return mc_nomem(x->e);
	x->put_off_to = where;
	w = &x->put_off[x->nr_put_off++];
	w->obj = obj;
	w->op = op;
	w->slot = slot;
	return 0;
}

/* A clone failed: may it succeed once nothing waits any more? */
bool mc_up_lacks_room(const struct mc_exec *x, int fd)
{
	return fd < 0 && errno == ENOSPC && x->nr_put_off;
}

int mc_up_to_scratch(struct mc_exec *x, mc_ref obj, bool dir,
		     const struct mc_op *op)
{
	uint32_t slot = x->nr_scratch;
	char name[16];

	if (mc_exec_slot(x, dir, name, sizeof(name)))
		return mc_exec_fail(x, op, errno, "making a place in the scratch tree");
	return mc_up_put_off(x, obj, op, MC_IN_SCRATCH, slot);
}
