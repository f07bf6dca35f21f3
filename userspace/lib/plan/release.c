// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * When descriptors are closed: in batches, after the last operation that uses
 * them.  With a limit on descriptors, attached mounts that wait for children or
 * for their group are closed as well ("spilled"): whoever runs the plan finds
 * them again by id, or with stock kernels' calls by path, if one leads there.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <string.h>

#include "plan/priv.h"

#define DEFAULT_BATCH	256

struct release {
	struct mc_plan *p;
	struct mc_op *ops;		/* the old ones */
	uint32_t nr_ops;
	uint32_t *last[4];		/* per kind: last operation that uses it */
	uint32_t *attached;		/* per mount: by which operation */
	uint8_t *open;			/* per mount: has a descriptor now */
	mc_ref *pending, *waiting;
	uint32_t nr_pending, nr_waiting, max_pending, max_waiting;
	uint32_t nr_open, nr_junk;
};

static void use(struct release *r, mc_ref ref, uint32_t i)
{
	const struct mc_src *s;

	if (ref == MC_NONE)
		return;
	r->last[MC_REF_KIND(ref)][MC_REF_INDEX(ref)] = i;
	if (MC_REF_KIND(ref) != MC_REF_SRC)
		return;
	/* A path below another source: that one's descriptor is used. */
	s = &r->p->srcs[MC_REF_INDEX(ref)];
	if (s->kind == MC_SRC_SUB)
		r->last[MC_REF_SRC][s->base] = i;
}

/* An overlay's are cloned when it is made. */
static uint32_t nr_layers(const struct release *r, const struct mc_op *op,
			  const struct mc_src **s)
{
	if (op->type != MC_OP_FRESH)
		return 0;
	*s = &r->p->srcs[MC_REF_INDEX(op->obj)];
	return (*s)->layers ? r->p->topo->sbs[(*s)->sb].nr_layers : 0;
}

static void find_last(struct release *r)
{
	const struct mc_src *s = NULL;
	uint32_t i, k, nr;

	for (i = 0; i < r->nr_ops; i++) {
		const struct mc_op *op = &r->ops[i];

		use(r, op->obj, i);
		nr = nr_layers(r, op, &s);
		for (k = 0; k < nr; k++)
			if (s->layers[k].src != MC_NONE)
				use(r, MC_REF(MC_REF_SRC, s->layers[k].src), i);
		if (op->type != MC_OP_BASE)	/* that is a live mount */
			use(r, op->arg, i);
		if (op->type == MC_OP_ATTACH)
			r->attached[MC_REF_INDEX(op->obj)] = i;
		if (op->type == MC_OP_GROUP)
			for (k = 0; k < op->nr; k++)
				use(r, r->p->list[op->first + k], i);
	}
}

/* Does this reference own a descriptor that a release closes? */
static bool owns(const struct mc_plan *p, mc_ref ref)
{
	const struct mc_src *s;

	switch (MC_REF_KIND(ref)) {
	case MC_REF_MOUNT:
	case MC_REF_TEMP:
		return true;
	case MC_REF_SRC:
		s = &p->srcs[MC_REF_INDEX(ref)];
		return s->opened && !s->direct;
	}
	return false;
}

static bool push(mc_ref **arr, uint32_t *nr, uint32_t *max, mc_ref ref)
{
	if (!mc_grow(arr, *nr, max, sizeof(**arr)))
		return false;
	(*arr)[(*nr)++] = ref;
	return true;
}

static bool opened(struct release *r, mc_ref ref)
{
	uint32_t i = MC_REF_INDEX(ref);

	if (MC_REF_KIND(ref) == MC_REF_MOUNT) {
		if (r->open[i])
			return true;
		r->open[i] = 1;
	}
	r->nr_open++;
	if (r->nr_open + r->nr_junk > r->p->peak_fds)
		r->p->peak_fds = r->nr_open + r->nr_junk;
	return true;
}

/* After operation i: is it over with ref, or for now? */
static bool settle(struct release *r, mc_ref ref, uint32_t i, bool spill)
{
	uint32_t k = MC_REF_INDEX(ref);

	if (ref == MC_NONE || !owns(r->p, ref))
		return true;
	if (r->last[MC_REF_KIND(ref)][k] == i) {
		/* A list may name it twice: counted once. */
		r->last[MC_REF_KIND(ref)][k] = MC_NONE;
		return push(&r->pending, &r->nr_pending, &r->max_pending, ref);
	}
	if (spill && MC_REF_KIND(ref) == MC_REF_MOUNT && r->open[k] &&
	    r->attached[k] <= i && !mc_plan_is_whole(r->p, k) &&
	    (r->p->api == MNTCR_API_EXTENDED || r->p->priv->hidden[k] == MC_SEEN))
		return push(&r->waiting, &r->nr_waiting, &r->max_waiting, ref);
	return true;
}

/* And what it is below. */
static bool settle_src(struct release *r, uint32_t src, uint32_t i)
{
	const struct mc_src *s = &r->p->srcs[src];

	return settle(r, MC_REF(MC_REF_SRC, src), i, false) &&
	       (s->kind != MC_SRC_SUB ||
		settle(r, MC_REF(MC_REF_SRC, s->base), i, false));
}

static bool flush(struct release *r, mc_ref *refs, uint32_t *nr, uint8_t flags)
{
	struct mc_op *op;
	uint32_t i, k, n = 0;

	if (!*nr)
		return true;
	op = mc_plan_op(r->p, MC_OP_RELEASE, MC_NONE);
	if (!op)
		return false;
	for (i = 0; i < *nr; i++) {
		k = MC_REF_INDEX(refs[i]);
		if (MC_REF_KIND(refs[i]) == MC_REF_MOUNT) {
			/* Released meanwhile, or in the list twice. */
			if (!r->open[k] || (flags && r->last[MC_REF_MOUNT][k] == MC_NONE))
				continue;
			r->open[k] = 0;
		}
		if (!mc_plan_list(r->p, refs[i]))
			return false;
		n++;
	}
	op->nr = n;
	op->flags = flags;
	r->nr_open -= n;
	r->nr_junk = 0;
	*nr = 0;
	if (!n)
		r->p->nr_ops--;
	return true;
}

/* Mostly it goes with what is pending, and then with fewer calls. */
static bool flush_junk(struct release *r, const struct mc_plan_options *o)
{
	if (r->nr_junk < 2 * (o->batch ? o->batch : DEFAULT_BATCH))
		return true;
	r->nr_junk = 0;
	return mc_plan_op(r->p, MC_OP_RELEASE, MC_NONE);
}

/*
 * Count what an operation opens besides, which stays open until the next
 * RELEASE.
 */
static void count_junk(struct release *r, const struct mc_op *op)
{
	bool upstream = r->p->api == MNTCR_API_UPSTREAM;
	const struct mc_src *s;

	switch (op->type) {
	case MC_OP_BASE:
		s = &r->p->srcs[MC_REF_INDEX(op->obj)];
		r->nr_junk += 1 + s->copied + op->nr + (op->flags & MC_NEW_COPY ? 2 : 0);
		break;
	case MC_OP_FRESH:
		r->nr_junk += 1 + nr_layers(r, op, &s);
		break;
	case MC_OP_CLONE:
		s = &r->p->srcs[MC_REF_INDEX(op->arg)];
		if (upstream && s->kind == MC_SRC_LIVE && !s->scratch)
			r->nr_junk++;
		break;
	case MC_OP_ATTACH:
		if (op->path[1] && strchr(op->path + 1, '/'))
			r->nr_junk++;
		break;
	}
}

static bool walk_op(struct release *r, uint32_t i,
		    const struct mc_plan_options *o)
{
	struct mc_op op = r->ops[i], *copy;
	bool spill = o->fd_budget;
	const struct mc_src *s = NULL;
	uint32_t k, nr;

	copy = mc_plan_op(r->p, op.type, op.obj);
	if (!copy)
		return false;
	*copy = op;

	count_junk(r, &op);
	switch (op.type) {
	case MC_OP_NS:
		r->nr_open += 2;
		break;
	case MC_OP_OPEN:
	case MC_OP_BASE:
	case MC_OP_FRESH:
	case MC_OP_SUBROOT:
	case MC_OP_CLONE:
		opened(r, op.obj);
		if (op.type == MC_OP_CLONE &&
		    MC_REF_KIND(op.arg) == MC_REF_SRC &&
		    r->p->srcs[MC_REF_INDEX(op.arg)].direct)
			r->nr_open--;
		break;
	case MC_OP_ATTACH:
		if (MC_REF_KIND(op.arg) == MC_REF_MOUNT)
			opened(r, op.arg);
		if (op.flags & MC_ALONG)
			opened(r, op.obj);
		break;
	case MC_OP_GROUP:
		for (k = 0; k < op.nr; k++)
			if (MC_REF_KIND(r->p->list[op.first + k]) == MC_REF_MOUNT)
				opened(r, r->p->list[op.first + k]);
		if (op.arg != MC_NONE && MC_REF_KIND(op.arg) == MC_REF_MOUNT)
			opened(r, op.arg);
		break;
	case MC_OP_LOCK:
	case MC_OP_DETACH:
		opened(r, op.obj);
		break;
	}
	if (o->keep_fds)
		return flush_junk(r, o);
	if (!settle(r, op.obj, i, spill) ||
	    (op.type != MC_OP_BASE && !settle(r, op.arg, i, spill)))
		return false;
	if (op.arg != MC_NONE && MC_REF_KIND(op.arg) == MC_REF_SRC &&
	    r->p->srcs[MC_REF_INDEX(op.arg)].kind == MC_SRC_SUB &&
	    !settle(r, MC_REF(MC_REF_SRC, r->p->srcs[MC_REF_INDEX(op.arg)].base),
		    i, false))
		return false;
	nr = nr_layers(r, &op, &s);
	for (k = 0; k < nr; k++)
		if (s->layers[k].src != MC_NONE && !settle_src(r, s->layers[k].src, i))
			return false;
	for (k = 0; op.type == MC_OP_GROUP && k < op.nr; k++)
		if (!settle(r, r->p->list[op.first + k], i, spill))
			return false;
	/*
	 * A detached mount has no id to be found by: no release between CLONE
	 * and ATTACH.
	 */
	if (op.type == MC_OP_CLONE && MC_REF_KIND(op.obj) == MC_REF_MOUNT)
		return true;
	if (r->nr_pending >= (o->batch ? o->batch : DEFAULT_BATCH) &&
	    !flush(r, r->pending, &r->nr_pending, 0))
		return false;
	if (spill && r->nr_open + r->nr_junk >= o->fd_budget / 2 &&
	    (!flush(r, r->pending, &r->nr_pending, 0) ||
	     !flush(r, r->waiting, &r->nr_waiting, MC_SPILL)))
		return false;
	return flush_junk(r, o);
}

/*
 * In stages nothing is closed before the end: what uses a descriptor last depends on
 * what is given first.
 */
static void keep_all(struct mc_plan *p)
{
	uint32_t i;

	p->peak_fds = 2 * p->topo->nr_ns + p->topo->nr_mounts + p->nr_temps +
		      2 * p->nr_srcs + p->nr_parts + p->nr_needs;
	for (i = 0; i < p->nr_ops; i++)
		if (p->ops[i].type == MC_OP_ATTACH && strchr(p->ops[i].path + 1, '/'))
			p->peak_fds++;
}

int mc_plan_release(struct mc_plan *p, const struct mc_plan_options *o,
		    struct mntcr_error *e)
{
	struct release r = { .p = p, .ops = p->ops, .nr_ops = p->nr_ops };
	uint32_t size[4] = {
		p->topo->nr_mounts, p->nr_temps, p->nr_srcs, p->topo->nr_ns,
	};
	uint32_t i, share_first = p->share_first;
	bool ok = true;

	if (p->staged) {
		keep_all(p);
		return 0;
	}
	p->ops = NULL;
	p->nr_ops = p->max_ops = 0;
	for (i = 0; i < 4; i++) {
		r.last[i] = calloc(size[i] + 1, sizeof(*r.last[i]));
		ok = ok && r.last[i];
	}
	r.attached = calloc(size[0] + 1, sizeof(*r.attached));
	r.open = calloc(size[0] + 1, sizeof(*r.open));
	ok = ok && r.attached && r.open;
	if (ok)
		find_last(&r);
	for (i = 0; ok && i < r.nr_ops; i++) {
		if (i == share_first)
			p->share_first = p->nr_ops;
		ok = walk_op(&r, i, o);
	}
	if (share_first == r.nr_ops)
		p->share_first = p->nr_ops;
	p->place_end = p->share_first;
	ok = ok && flush(&r, r.pending, &r.nr_pending, 0);
	free(r.ops);
	for (i = 0; i < 4; i++)
		free(r.last[i]);
	free(r.attached);
	free(r.open);
	free(r.pending);
	free(r.waiting);
	return ok ? 0 : mc_nomem(e);
}
