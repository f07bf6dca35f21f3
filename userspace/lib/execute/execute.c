// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The walk over a plan's operations.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "execute/execute.h"

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Which stage of the statistics an operation belongs to. */
static uint64_t *stage(struct mntcr_stats *s, enum mc_op_type type)
{
	switch (type) {
	case MC_OP_NS:
		return &s->namespaces_ns;
	case MC_OP_OPEN:
	case MC_OP_BASE:
	case MC_OP_FRESH:
	case MC_OP_SUBROOT:
		return &s->sources_ns;
	case MC_OP_CLONE:
	case MC_OP_ATTACH:
	case MC_OP_PLACE:
		return &s->mounts_ns;
	case MC_OP_GROUP:
		return &s->groups_ns;
	default:
		return NULL;	/* goes with what is around it */
	}
}

static int fresh(struct mc_exec *x, const struct mc_op *op)
{
	uint32_t s = MC_REF_INDEX(op->obj);
	const char *type = x->t->sbs[x->p->srcs[s].sb].type;

	/*
	 * In a user namespace the kernel allows it only where another mount of
	 * that type is fully visible: so in the caller's mount namespace.
	 */
	if ((!strcmp(type, "proc") || !strcmp(type, "sysfs")) &&
	    x->be->go_home(x, op))
		return -1;
	if (x->p->srcs[s].kind == MC_SRC_AGAIN ?
	    mc_exec_again(x, op, &x->src_fd[s]) :
	    mc_exec_fresh(x, op, &x->src_fd[s]))
		return -1;
	/* what could not be looked at before */
	if (x->p->srcs[s].device != MC_NONE && mc_device_fits(x, s, x->src_fd[s], x->e))
		return -1;
	return x->p->srcs[s].scratch ? x->be->base_src(x, s) : 0;
}

static int subroot(struct mc_exec *x, const struct mc_op *op)
{
	uint32_t s = MC_REF_INDEX(op->obj);
	const struct mc_src *src = &x->p->srcs[s];

	x->src_fd[s] = mc_exec_below(x, x->src_fd[src->base], src->path, false);
	if (x->src_fd[s] < 0 || mc_exec_is_made(x, s, x->src_fd[s]))
		return mc_exec_fail(x, op, errno, "opening the root of its mount");
	return 0;
}

static int place(struct mc_exec *x, const struct mc_op *op)
{
	int *fd = &x->place_fd[x->p->part_of[MC_REF_INDEX(op->obj)]];

	*fd = mc_exec_below(x, mc_exec_fd(x, op->arg), op->path, false);
	return *fd < 0 ? mc_exec_fail(x, op, errno, "opening the mountpoint") : 0;
}

static int run_op(struct mc_exec *x, const struct mc_op *op)
{
	switch ((enum mc_op_type)op->type) {
	case MC_OP_NS:
		return x->be->make_ns(x, op);
	case MC_OP_OPEN:
		return x->be->open_src(x, MC_REF_INDEX(op->obj));
	case MC_OP_BASE:
		return x->be->base_src(x, MC_REF_INDEX(op->obj));
	case MC_OP_FRESH:
		return fresh(x, op);
	case MC_OP_SUBROOT:
		return subroot(x, op);
	case MC_OP_CLONE:
		return x->be->clone(x, op);
	case MC_OP_ATTACH:
		return x->be->attach(x, op);
	case MC_OP_PLACE:
		return place(x, op);
	case MC_OP_GROUP:
		return x->be->flush(x) ? -1 : x->be->group(x, op);
	case MC_OP_UNLINK:
		return x->be->flush(x) || x->be->go_home(x, op) ? -1 :
		       mc_exec_unlink(x, op);
	case MC_OP_FINISH:
		return x->be->flush(x) || x->be->go_home(x, op) ? -1 :
		       mc_exec_close(x, op);
	case MC_OP_LOCK:
		return x->be->flush(x) ? -1 : x->be->lock(x, op);
	case MC_OP_DETACH:
		return mc_exec_detach(x, op);
	case MC_OP_RELEASE:
		if (x->be->flush(x))
			return -1;
		mc_exec_release(x, op);
		return 0;
	case MC_NR_OPS:
		break;
	}
	return mc_fail(x->e, MNTCR_SYS, EINVAL, "unknown operation");
}

int mc_exec_ops(struct mc_exec *x, uint32_t first, uint32_t end,
		struct mntcr_stats *stats)
{
	const struct mc_plan *p = x->p;
	uint64_t *in = &stats->rest_ns, *next, then = now(), t;
	uint32_t i;

	x->ops_end = end;
	x->ns_made = first;
	for (i = first; i < end; i++) {
		next = stage(stats, p->ops[i].type);
		if (next && next != in) {
			t = now();
			*in += t - then;
			then = t;
			in = next;
		}
		x->op_at = i;
		if (!(i & 63) && x->o->cancelled && x->o->cancelled(x->o->data))
			return mc_fail(x->e, MNTCR_SYS, EINTR, "stopped");
		if (!x->told_ns && p->ops[i].type != MC_OP_NS) {
			x->told_ns = true;
			mc_ns_leave_cpu(x);
			if (x->o->namespaces_made)
				x->o->namespaces_made(x->o->data, x->ns_fd,
						      x->t->nr_ns);
		}
		if (run_op(x, &p->ops[i]))
			return -1;
		if (x->o->progress && i && !(i & 1023))
			x->o->progress(x->o->data, i, p->nr_ops);
	}
	if (x->be->flush(x))
		return -1;
	if (end == p->nr_ops || p->staged)
		mc_exec_release(x, NULL);
	t = now();
	*in += t - then;
	if (x->o->progress && end == p->nr_ops && p->nr_ops > 1024)
		x->o->progress(x->o->data, p->nr_ops, p->nr_ops);
	return 0;
}

int mc_exec_start(struct mc_exec *x, struct mntcr_stats *stats)
{
	uint64_t then = now();
	int ret;

	x->op_at = 0;
	ret = mc_owners_make(x, NULL);
	if (!ret)
		ret = mc_made_files(x, NULL);
	if (!ret)
		ret = x->be->start(x);
	stats->namespaces_ns += now() - then;
	return ret;
}

int mc_exec_finish(struct mc_exec *x, struct mntcr_stats *stats)
{
	uint64_t then = now();
	uint32_t c;
	int ret = x->be->finish(x);

	stats->rest_ns += now() - then;
	stats->nr_ops = x->p->nr_ops;
	stats->nr_mounts = x->t->nr_mounts;
	stats->nr_namespaces = x->t->nr_ns;
	stats->nr_groups = x->t->nr_groups;
	for (c = 0; c < MC_NR_CALLS; c++) {
		if (!x->calls[c])
			continue;
		stats->calls[stats->nr_call_names].name = mc_call_name(c);
		stats->calls[stats->nr_call_names++].nr = x->calls[c];
		stats->nr_calls += x->calls[c];
	}
	return ret;
}
