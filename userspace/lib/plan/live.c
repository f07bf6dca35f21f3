// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mounts in live source namespaces: for those of a root the best one there is; where it
 * does not fit, or no path leads to it, a copy of its namespace.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <string.h>

#include "plan/priv.h"

bool mc_plan_any_live(const struct mc_plan *p, const uint32_t *sorted,
		      uint32_t from, uint32_t end)
{
	const struct mc_plan_options *o = p->priv->opts;
	uint32_t i;

	for (i = from; o->ns_live && i < end; i++)
		if (o->ns_live[p->topo->mounts[sorted[i]].ns])
			return true;
	return false;
}

/* The live mount that a source is, or is below. */
uint32_t mc_plan_live_mount(const struct mc_plan *p, uint32_t src)
{
	return p->srcs[mc_src_base(p, src)].index;
}

/*
 * Where the source chosen for the others does not fit: the mount's own live
 * original.
 */
int mc_plan_own_src(struct mc_plan *p, uint32_t m, struct mntcr_error *e)
{
	bool copied = mc_plan_rank(p, m) < 0;

	if (copied && !mc_plan_can_be_copied(p, m))
		return mc_plan_no_source(p, &m, 1, e);
	p->src_of[m] = mc_plan_new_src(p, MC_SRC_LIVE, p->topo->mounts[m].sb, m);
	if (p->src_of[m] == MC_NONE)
		return mc_nomem(e);
	p->srcs[p->src_of[m]].copied = copied;
	return 0;
}

/* The last resort, since all of a namespace is copied for it. */
int mc_plan_copied_src(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		       uint32_t to, uint32_t *src, struct mntcr_error *e)
{
	uint32_t i = from;

	while (i < to && !mc_plan_can_be_copied(p, sorted[i]))
		i++;
	if (i == to)
		return 0;
	*src = mc_plan_new_src(p, MC_SRC_LIVE, p->topo->mounts[sorted[i]].sb,
			       sorted[i]);
	if (*src == MC_NONE)
		return mc_nomem(e);
	p->srcs[*src].copied = true;
	return 0;
}

/* One live source for all of a run; MC_NONE: there is none. */
int mc_plan_find_live_src(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
			  uint32_t to, uint32_t *found, struct mntcr_error *e)
{
	const struct mc_mount *mnt = &p->topo->mounts[sorted[from]];
	bool path = mc_plan_is_path(mnt->root);
	bool plain = mnt->idmap == MC_NONE && path;
	uint32_t src = MC_NONE, best;

	/*
	 * Stock kernels enter a namespace for each source: so few, wide ones
	 * are taken.
	 */
	if (plain && p->api == MNTCR_API_UPSTREAM &&
	    mc_plan_wide_src(p, mnt->sb, mnt->root, &src, e))
		return -1;
	if (src == MC_NONE) {
		best = mc_plan_best(p, sorted, from, to);
		if (best != MC_NONE) {
			src = mc_plan_new_src(p, MC_SRC_LIVE, mnt->sb, best);
			if (src == MC_NONE)
				return mc_nomem(e);
		} else if (path && mc_plan_wide_src(p, mnt->sb, mnt->root,
						     &src, e)) {
			return -1;
		}
	}
	*found = src;
	return 0;
}

static int unlinked_run(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
			uint32_t to, struct mntcr_error *e)
{
	const struct mc_mount *m = p->topo->mounts;
	uint32_t i, src;

	for (i = from; i < to; i++) {
		if (!mc_plan_can_come_along(p, sorted[i]) ||
		    !mc_plan_is_live(p, m[m[sorted[i]].parent].sb)) {
			if (mc_plan_deleted_root(p, sorted + i, 1, e))
				return -1;
			continue;
		}
		src = mc_plan_new_src(p, MC_SRC_LIVE, m[sorted[i]].sb, sorted[i]);
		if (src == MC_NONE)
			return mc_nomem(e);
		p->srcs[src].along = true;
		p->src_of[sorted[i]] = src;
	}
	return 0;
}

/* Files of namespaces and processes that are none of the image's. */
static int given_run(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		     uint32_t to, struct mntcr_error *e)
{
	for (; from < to; from++)
		if (p->src_of[sorted[from]] == MC_NONE &&
		    mc_plan_mount_need(p, sorted[from], false, e))
			return -1;
	return 0;
}

int mc_plan_live_run(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		     uint32_t to, struct mntcr_error *e)
{
	uint32_t src = MC_NONE, i;

	while (from < to && p->src_of[sorted[from]] != MC_NONE)
		from++;
	if (from == to)
		return 0;
	if (p->topo->mounts[sorted[from]].root_deleted)
		return unlinked_run(p, sorted, from, to, e);
	if (mc_plan_find_live_src(p, sorted, from, to, &src, e) ||
	    (src == MC_NONE && mc_plan_copied_src(p, sorted, from, to, &src, e)))
		return -1;
	if (src == MC_NONE && p->waits &&
	    mc_type_of(p->topo->sbs[p->topo->mounts[sorted[from]].sb].type)->kind ==
	    MC_TYPE_FILES)
		return given_run(p, sorted, from, to, e);
	if (src == MC_NONE && p->topo->mounts[sorted[from]].nsfs_type &&
	    !mc_plan_any_live(p, sorted, from, to))
		return mc_plan_no_namespace(p, sorted + from, to - from, e);
	if (src == MC_NONE)
		return mc_plan_no_source(p, sorted + from, to - from, e);
	for (i = from; i < to; i++) {
		if (p->src_of[sorted[i]] != MC_NONE)
			continue;
		p->src_of[sorted[i]] = src;
		if (!mc_plan_fits(p, mc_plan_live_mount(p, src), sorted[i]) &&
		    mc_plan_own_src(p, sorted[i], e))
			return -1;
	}
	return 0;
}
