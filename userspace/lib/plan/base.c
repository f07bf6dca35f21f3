// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sources that are fetched before anything else, and what is unmounted in a copy to reach
 * a covered one.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <string.h>

#include "plan/priv.h"

/*
 * What is covered last, copy by copy, from above downwards: what has been
 * removed for one is not needed any more for those below.
 */
struct base_order {
	const struct mc_plan *p;
	uint32_t *rank;		/* per mount: parents come first */
};

static int cmp_base(const void *a, const void *b, void *data)
{
	const struct base_order *o = data;
	const struct mc_plan *p = o->p;
	const struct mc_src *x = &p->srcs[*(const uint32_t *)a];
	const struct mc_src *y = &p->srcs[*(const uint32_t *)b];
	const struct mc_mount *m = p->topo->mounts;
	uint32_t up_x, up_y;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->covered != y->covered)
		return x->covered ? 1 : -1;
	/* In one copy, for as long as nothing has been unmounted there; below first. */
	if (x->copied != y->copied)
		return x->copied ? 1 : -1;
	if (x->copied && m[x->index].ns != m[y->index].ns)
		return m[x->index].ns < m[y->index].ns ? -1 : 1;
	if (x->with_unlinked != y->with_unlinked)
		return x->with_unlinked ? 1 : -1;
	if (x->with_unlinked)
		return (o->rank[x->index] < o->rank[y->index]) -
		       (o->rank[x->index] > o->rank[y->index]);
	if (!x->covered)
		return (x->index > y->index) - (x->index < y->index);
	up_x = p->priv->seen_above[x->index];
	up_y = p->priv->seen_above[y->index];
	if (up_x != up_y)
		return up_x < up_y ? -1 : 1;
	return (x->index < y->index) - (x->index > y->index);
}

struct uncover {
	struct mc_plan *p;
	struct mc_op *op;
	uint32_t from;		/* the mount that is copied */
	uint32_t *removed;	/* from which copy, the last time */
	uint32_t copy;		/* this one; the first is 1 */
	uint32_t *cleared;	/* per mount: the way to it, when that many */
	uint32_t changes;	/* had been removed */
	uint32_t *stack, max_stack, *nest, max_nest;
	bool nomem;
};

/*
 * Unmounts c and what covers it, from the top.  What is unbindable is not in a
 * recursive clone.
 */
static void remove_stack(struct uncover *u, uint32_t c)
{
	uint32_t n = 0;

	for (; c != MC_NONE && !u->p->topo->mounts[c].unbindable;
	     c = u->p->priv->cover[c]) {
		if (!mc_grow(&u->stack, n, &u->max_stack, sizeof(*u->stack))) {
			u->nomem = true;
			return;
		}
		u->stack[n++] = c;
	}
	while (n--) {
		if (u->removed[u->stack[n]] == u->copy)
			continue;
		u->removed[u->stack[n]] = u->copy;
		u->changes++;
		if (!mc_plan_list(u->p, MC_REF(MC_REF_MOUNT, u->stack[n])))
			u->nomem = true;
		u->op->nr++;
	}
}

/* Siblings mounted above, the outermost first, since it hides the others. */
static void remove_above(struct uncover *u, uint32_t m)
{
	uint32_t c, n = 0;

	for (c = u->p->priv->above[m]; c != MC_NONE; c = u->p->priv->above[c]) {
		if (!mc_grow(&u->nest, n, &u->max_nest, sizeof(*u->nest))) {
			u->nomem = true;
			return;
		}
		u->nest[n++] = c;
	}
	while (n--)
		remove_stack(u, u->nest[n]);
}

static int uncover(struct uncover *u, uint32_t m, struct mntcr_error *e)
{
	const struct mc_mount *mounts = u->p->topo->mounts;
	uint32_t from = u->p->priv->seen_above[m], *way = NULL, n = 0;
	uint32_t max = 0, c, i;
	bool again = from != u->from;

	/*
	 * The way that was cleared for another mount is still clear unless more
	 * has been unmounted since.
	 */
	u->changes += again;
	for (c = m; c != from; c = mounts[c].parent) {
		if (!mc_grow(&way, n, &max, sizeof(*way))) {
			free(way);
			return mc_nomem(e);
		}
		way[n++] = c;
		u->p->steps++;
		if (!again && u->cleared[c] == u->changes)
			break;
		if (u->removed[c] != u->copy || again)
			continue;
		/*
		 * Something on the way was unmounted in this copy: start over
		 * in a new one.
		 */
		again = true;
		u->changes++;
	}
	u->op->arg = MC_REF(MC_REF_MOUNT, from);
	if (again) {
		u->copy++;
		u->op->flags = MC_NEW_COPY;
		u->from = from;
	}
	for (i = n; i-- > 0; ) {
		if (strcmp(mounts[way[i]].mountpoint, "/"))
			remove_above(u, way[i]);
		if (!i || strcmp(mounts[way[i - 1]].mountpoint, "/"))
			remove_stack(u, u->p->priv->cover[way[i]]);
	}
	for (i = 0; i < n; i++)
		u->cleared[way[i]] = u->changes;
	free(way);
	return u->nomem ? mc_nomem(e) : 0;
}

int mc_plan_bases(struct mc_plan *p, struct mntcr_error *e)
{
	struct uncover u = { .p = p, .from = MC_NONE, .copy = 1 };
	struct base_order order = { .p = p };
	uint32_t *which, i, n = 0;
	int ret = 0;

	order.rank = calloc(p->topo->nr_mounts + 1, sizeof(*order.rank));
	which = calloc(p->nr_srcs + 1, sizeof(*which));
	u.removed = calloc(p->topo->nr_mounts + 1, sizeof(*u.removed));
	u.cleared = calloc(p->topo->nr_mounts + 1, sizeof(*u.cleared));
	if (!which || !u.removed || !u.cleared || !order.rank) {
		ret = mc_nomem(e);
		goto out;
	}
	for (i = 0; i < p->priv->nr_order; i++)
		if (p->priv->order[i] & 1)
			order.rank[p->priv->order[i] >> 1] = i;
	for (i = 0; i < p->nr_srcs; i++)
		if (p->srcs[i].scratch && !mc_src_is_opened(&p->srcs[i]) &&
		    (p->api == MNTCR_API_UPSTREAM || p->srcs[i].copied))
			which[n++] = i;
	/* Sorted by mount, hence by namespace: each is entered once. */
	qsort_r(which, n, sizeof(*which), cmp_base, &order);
	for (i = 0; i < n && !ret; i++) {
		ret = mc_plan_prepare_src(p, which[i], e);
		if (ret)
			break;
		u.op = &p->ops[p->nr_ops - 1];
		if (p->srcs[which[i]].with_unlinked)
			ret = mc_plan_leave_behind(p, p->srcs[which[i]].index,
						   u.op, e);
		else if (p->srcs[which[i]].covered)
			ret = uncover(&u, p->srcs[which[i]].index, e);
	}
out:
	free(order.rank);
	free(which);
	free(u.removed);
	free(u.cleared);
	free(u.stack);
	free(u.nest);
	return ret;
}
