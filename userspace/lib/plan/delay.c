// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mounts that wait: for what is given late, and for the mounts that they are on.  They
 * fall into parts, each of which is built detached and attached when it is complete, to
 * a place that was opened before anything hid it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>

#include "plan/priv.h"

uint32_t mc_plan_late_ns(const struct mc_plan *p, uint32_t m)
{
	const struct mc_mount *mnt = &p->topo->mounts[m];

	return mnt->parent != MC_NONE ? MC_NONE :
	       mc_plan_owner_need(p, p->topo->ns[mnt->ns].userns);
}

static int new_part(struct mc_plan *p, uint32_t need, uint32_t top, uint32_t above,
		    struct mntcr_error *e)
{
	if (!mc_grow(&p->parts, p->nr_parts, &p->max_parts, sizeof(*p->parts)))
		return mc_nomem(e);
	p->parts[p->nr_parts] = (struct mc_part){
		.need = need, .top = top, .above = above,
		.owner_need = above == MC_NONE ? mc_plan_late_ns(p, top) : MC_NONE,
	};
	p->part_of[top] = p->nr_parts++;
	return 0;
}

int mc_plan_parts(struct mc_plan *p, struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	uint32_t i, m, need, above;

	if (!p->nr_needs)
		return 0;
	p->part_of = malloc((t->nr_mounts + 1UL) * sizeof(*p->part_of));
	if (!p->part_of)
		return mc_nomem(e);
	/* what a mount is on is attached before it */
	for (i = 0; i < p->priv->nr_order; i++) {
		if (!(p->priv->order[i] & 1))
			continue;
		m = p->priv->order[i] >> 1;
		need = mc_plan_need_of(p, m);
		above = t->mounts[m].parent == MC_NONE ? MC_NONE :
			p->part_of[t->mounts[m].parent];
		if (need == MC_NONE ||
		    (above != MC_NONE && p->parts[above].need == need))
			p->part_of[m] = above;
		else if (new_part(p, need, m, above, e))
			return -1;
	}
	return 0;
}

bool mc_plan_is_top(const struct mc_plan *p, uint32_t m)
{
	return p->parts[p->part_of[m]].top == m;
}

static uint32_t need_of_src(const struct mc_plan *p, uint32_t src)
{
	return p->srcs[mc_src_base(p, src)].need;
}

/* Of what waits, the sources that need not: nothing but mounts is made later. */
static int prepare_rest(struct mc_plan *p, struct mntcr_error *e)
{
	uint32_t m, i, k;

	for (m = 0; m < p->topo->nr_mounts; m++)
		if (p->part_of[m] != MC_NONE && mc_plan_need_of(p, m) == MC_NONE &&
		    mc_plan_prepare_src(p, p->src_of[m], e))
			return -1;
	/* and layers of overlays that wait for other ones */
	for (i = 0; i < p->nr_srcs; i++) {
		const struct mc_src *s = &p->srcs[i];

		for (k = 0; s->layers && k < p->topo->sbs[s->sb].nr_layers; k++)
			if (s->layers[k].src != MC_NONE &&
			    need_of_src(p, s->layers[k].src) == MC_NONE &&
			    mc_plan_prepare_src(p, s->layers[k].src, e))
				return -1;
	}
	return 0;
}

/* What waits for something, by that. */
struct needing {
	uint32_t need, what;
};

static int cmp_needing(const void *a, const void *b)
{
	const struct needing *x = a, *y = b;

	if (x->need != y->need)
		return x->need < y->need ? -1 : 1;
	return (x->what > y->what) - (x->what < y->what);
}

/* Namespaces, as the nth that is made. */
static uint32_t namespaces_by_need(const struct mc_plan *p, struct needing *by)
{
	const struct mc_topology *t = p->topo;
	uint32_t i, n = 0, need;

	for (i = 0; i < t->nr_ns; i++) {
		need = mc_plan_owner_need(p, t->ns[p->priv->ns_order[i]].userns);
		if (need != MC_NONE)
			by[n++] = (struct needing){ need, i };
	}
	qsort(by, n, sizeof(*by), cmp_needing);
	return n;
}

/* In the order of sources: paths below another come after it. */
static uint32_t sources_by_need(const struct mc_plan *p, struct needing *by)
{
	uint32_t i, n = 0, need;

	for (i = 0; i < p->nr_srcs; i++) {
		need = need_of_src(p, i);
		if (need != MC_NONE && (p->srcs[i].uses || p->srcs[i].scratch))
			by[n++] = (struct needing){ need, i };
	}
	qsort(by, n, sizeof(*by), cmp_needing);
	return n;
}

static uint32_t finished_by_need(const struct mc_plan *p, struct needing *by)
{
	uint32_t i, n = 0;

	for (i = 0; i < p->nr_srcs; i++)
		if (p->srcs[i].finish && p->srcs[i].finish_need < p->nr_needs)
			by[n++] = (struct needing){ p->srcs[i].finish_need, i };
	qsort(by, n, sizeof(*by), cmp_needing);
	return n;
}

static int plan_needs(struct mc_plan *p, struct mntcr_error *e)
{
	struct needing *src = calloc(p->nr_srcs + 1UL, sizeof(*src));
	struct needing *ns = calloc(p->topo->nr_ns + 1UL, sizeof(*ns));
	struct needing *done = calloc(p->nr_srcs + 1UL, sizeof(*done));
	uint32_t nr_srcs, nr_ns, nr_done, need, i = 0, j = 0, k = 0;
	int ret = 0;

	if (!src || !ns || !done) {
		ret = mc_nomem(e);
		goto out;
	}
	nr_srcs = sources_by_need(p, src);
	nr_ns = namespaces_by_need(p, ns);
	nr_done = finished_by_need(p, done);
	for (need = 0; need < p->nr_needs && !ret; need++) {
		p->needs[need].first_op = p->nr_ops;
		for (; k < nr_ns && ns[k].need == need && !ret; k++)
			ret = mc_plan_namespace(p, p->priv->ns_order[ns[k].what], e);
		for (; i < nr_srcs && src[i].need == need && !ret; i++)
			ret = mc_plan_prepare_src(p, src[i].what, e);
		for (; j < nr_done && done[j].need == need && !ret; j++)
			ret = mc_plan_finish_src(p, done[j].what, e);
		p->needs[need].nr_ops = p->nr_ops - p->needs[need].first_op;
	}
out:
	free(src);
	free(ns);
	free(done);
	return ret;
}

/* The steps of each part, in their order; a top's attach is of the part it is on. */
static uint32_t part_of_step(const struct mc_plan *p, uint32_t step)
{
	uint32_t part = p->part_of[step >> 1];

	if (part != MC_NONE && step & 1 && p->parts[part].top == step >> 1)
		return p->parts[part].above;
	return part;
}

static int plan_part(struct mc_plan *p, uint32_t part, const uint32_t *steps, uint32_t nr,
		     struct mntcr_error *e)
{
	struct mc_part *x = &p->parts[part];
	uint32_t i, m;
	int ret = 0;

	x->first_op = p->nr_ops;
	for (i = 0; i < nr && !ret; i++) {
		m = steps[i] >> 1;
		if (!(steps[i] & 1))
			ret = mc_plan_clone(p, m, e);
		else if (p->part_of[m] == part)
			ret = mc_plan_attach(p, m, 0, e);
		else
			ret = mc_plan_place(p, m, e);
	}
	/* complete before anybody sees it */
	if (!ret)
		ret = mc_plan_attach(p, x->top, mc_plan_late_ns(p, x->top) == MC_NONE ?
				     MC_PLACED : 0, e);
	x->nr_ops = p->nr_ops - x->first_op;
	return ret;
}

static int plan_parts(struct mc_plan *p, struct mntcr_error *e)
{
	const uint32_t *order = p->priv->order;
	uint32_t nr = p->priv->nr_order, i, part;
	uint32_t *from = calloc(p->nr_parts + 2UL, sizeof(*from));
	uint32_t *steps = malloc((nr + 1UL) * sizeof(*steps));
	int ret = 0;

	if (!from || !steps) {
		ret = mc_nomem(e);
		goto out;
	}
	/* sorted by counting: from[part + 1] goes from where it begins to its end */
	for (i = 0; i < nr; i++) {
		part = part_of_step(p, order[i]);
		if (part != MC_NONE)
			from[part + 2]++;
	}
	for (i = 2; i <= p->nr_parts + 1; i++)
		from[i] += from[i - 1];
	for (i = 0; i < nr; i++) {
		part = part_of_step(p, order[i]);
		if (part != MC_NONE)
			steps[from[part + 1]++] = order[i];
	}
	for (part = 0; part < p->nr_parts && !ret; part++)
		ret = plan_part(p, part, steps + from[part],
				from[part + 1] - from[part], e);
out:
	free(from);
	free(steps);
	return ret;
}

int mc_plan_delays(struct mc_plan *p, struct mntcr_error *e)
{
	if ((p->nr_needs && prepare_rest(p, e)) || mc_plan_finish(p, MC_NONE, e))
		return -1;
	p->place_end = p->nr_ops;
	if (!p->nr_needs)
		return 0;
	return plan_needs(p, e) || plan_parts(p, e) ? -1 : 0;
}
