// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The frame of planning: the order of the stages, and what they share.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "plan/priv.h"

static int plan_mounts(struct mc_plan *p, struct mc_plan_priv *v,
		       struct mntcr_error *e)
{
	uint32_t i, m;

	for (i = 0; i < v->nr_order; i++) {
		m = v->order[i] >> 1;
		if (p->part_of && p->part_of[m] != MC_NONE) {
			/* before what may hide it */
			if (v->order[i] & 1 && mc_plan_is_top(p, m) &&
			    p->parts[p->part_of[m]].above == MC_NONE &&
			    mc_plan_late_ns(p, m) == MC_NONE &&
			    mc_plan_place(p, m, e))
				return -1;
			continue;
		}
		if (p->roots_last && v->order[i] & 1 &&
		    p->topo->mounts[m].parent == MC_NONE)
			continue;
		if (v->order[i] & 1 ? mc_plan_attach(p, m, 0, e) :
		    mc_plan_clone(p, m, e))
			return -1;
	}
	return 0;
}

/*
 * Trees are built and grouped while they are detached, and then attached whole:
 * who polls the namespace is woken once, and not for each mount.  Each counts
 * against max_mnt_namespaces until then, beside its namespace: so only a few.
 */
static int plan_roots(struct mc_plan *p, struct mc_plan_priv *v,
		      struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	uint32_t i, root;

	for (i = 0; p->roots_last && i < t->nr_ns; i++) {
		root = t->ns[v->ns_order[i]].root;
		if (root == MC_NONE || (p->part_of && p->part_of[root] != MC_NONE))
			continue;
		if (mc_plan_attach(p, root, 0, e))
			return -1;
	}
	return 0;
}

/*
 * In the order of attaching, so that a mount is locked before what covers it.
 */
static int plan_locks(struct mc_plan *p, const struct mc_plan_options *o,
		      struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	uint32_t m, i;

	for (i = 0; i < p->priv->nr_order; i++) {
		m = p->priv->order[i] >> 1;
		if (!(p->priv->order[i] & 1) || !t->mounts[m].locks_known ||
		    !t->mounts[m].locks || o->ignore_locks)
			continue;
		if (!mc_plan_op(p, MC_OP_LOCK, MC_REF(MC_REF_MOUNT, m)))
			return mc_nomem(e);
	}
	return 0;
}

/* Of what has got all that it will have. */
static int plan_detached(struct mc_plan *p, uint32_t *nr, struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	struct mc_op *op;
	uint32_t i;

	for (i = 0; i < t->nr_ns; i++) {
		if (!t->ns[i].detached)
			continue;
		op = mc_plan_op(p, MC_OP_DETACH, MC_REF(MC_REF_MOUNT, t->ns[i].root));
		if (!op)
			return mc_nomem(e);
		op->flags = p->whole[i] ? MC_WHOLE : 0;
		++*nr;
	}
	return 0;
}

/* The directory that unlinked roots are made in, and of an overlay its upper one. */
static uint32_t nr_asides(const struct mc_plan *p)
{
	uint32_t i, nr = 0;

	for (i = 0; i < p->nr_srcs; i++)
		nr += p->srcs[i].nr_unlinked ? 2 : 0;
	return nr;
}

int mc_plan_make(const struct mc_topology *t, const struct mc_plan_options *o,
		 struct mc_plan **plan, struct mntcr_error *e)
{
	struct mc_plan *p = mc_plan_new(t);
	uint32_t nr_trees = 0;
	int ret;

	*plan = NULL;
	if (!p)
		return mc_nomem(e);
	p->api = o->api;
	p->external_sources = o->external_sources;
	p->external_read_only = o->external_read_only;
	p->externals = o->externals;
	/*
	 * A mount whose descriptor was closed is opened again by its id, in its
	 * namespace: so it must be attached to one by then.
	 */
	p->roots_last = (o->api == MNTCR_API_EXTENDED || o->whole_trees) &&
			!o->fd_budget && t->nr_ns <= MC_MOST_TREES &&
			(o->api == MNTCR_API_EXTENDED || !o->staged);
	p->priv->opts = o;
	if (mc_plan_choose_needs(p, o, e) || mc_plan_check(p, o, e) || mc_plan_ns_order(p, e) ||
	    mc_plan_late_files(p, e) ||
	    mc_plan_order(p, e) || mc_plan_sources(p, o, e) ||
	    mc_plan_layers(p, e) || mc_plan_temps(p, e) || mc_plan_nodes(p, e))
		goto fail;
	ret = mc_plan_refused(p, e);
	if (o->decided)
		o->decided(o->data, p);
	if (ret)
		goto fail;
	if (mc_plan_check_needs(p, e))
		goto fail;
	mc_plan_settle_srcs(p);
	mc_plan_mark_finish(p);
	if (mc_plan_parts(p, e) || mc_plan_namespaces(p, e) ||
	    mc_plan_bases(p, e) || plan_mounts(p, p->priv, e))
		goto fail;
	/* in stages, processes are to find what is placed in its namespace */
	if (p->staged && (plan_roots(p, p->priv, e) || mc_plan_delays(p, e)))
		goto fail;
	if (!p->staged)
		p->place_end = p->nr_ops;
	p->share_first = p->nr_ops;
	if (mc_plan_groups(p, o, e) || (!p->staged && plan_roots(p, p->priv, e)) ||
	    mc_plan_ns_types(p, e) || mc_plan_unlink(p, e) ||
	    (!p->staged && mc_plan_finish(p, MC_NONE, e)) ||
	    mc_plan_finish(p, p->nr_needs, e) || plan_locks(p, o, e) || plan_detached(p, &nr_trees, e) ||
	    mc_plan_release(p, o, e))
		goto fail;
	p->peak_fds += p->nr_owners + nr_trees + nr_asides(p);
	mc_plan_forget(p);
	*plan = p;
	return 0;
fail:
	mc_plan_free(p);
	return -1;
}
