// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The operations that make sharing groups, masters first.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>

#include "plan/priv.h"

struct emit {
	struct mc_plan *p;
	uint32_t chunk;
	struct mc_op *op;	/* the one being filled */
	uint8_t flags, next_flags;
	mc_ref arg, next_arg;
};

static int emit_start(struct emit *x)
{
	x->op = mc_plan_op(x->p, MC_OP_GROUP, MC_NONE);
	if (!x->op)
		return -1;
	x->op->flags = x->flags;
	x->op->arg = x->arg;
	return 0;
}

/*
 * Members beyond what one call takes join the group that the first call made.
 */
static int emit_member(struct emit *x, mc_ref r)
{
	if (x->chunk && x->op && x->op->nr == x->chunk) {
		x->flags = x->next_flags;
		x->arg = x->next_arg;
		x->op = NULL;
	}
	if (!x->op && emit_start(x))
		return -1;
	if (!mc_plan_list(x->p, r))
		return -1;
	x->op->nr++;
	return 0;
}

/*
 * MASTER where a member of the group is named, SIBLING where a slave of it is.
 */
static uint8_t receive_flags(const struct mc_plan *p, uint32_t master, mc_ref from)
{
	if (mc_plan_internal(p->topo, master) ||
	    (MC_REF_KIND(from) == MC_REF_SRC &&
	     p->srcs[MC_REF_INDEX(from)].kind == MC_SRC_MASTER))
		return MOUNT_SETGROUP_MASTER;
	return MOUNT_SETGROUP_SIBLING;
}

static int emit_peers(struct mc_plan *p, uint32_t g, uint32_t chunk)
{
	const struct mc_topology *t = p->topo;
	uint32_t master = t->groups[g].master, m;
	struct emit x = {
		.p = p, .chunk = chunk, .flags = MOUNT_SETGROUP_SHARED,
		.arg = MC_NONE, .next_flags = MOUNT_SETGROUP_PEER,
		.next_arg = p->priv->leader[g],
	};

	if (master != MC_NONE) {
		x.arg = p->priv->from_group[g];
		x.flags |= receive_flags(p, master, x.arg);
	}
	if (emit_member(&x, p->priv->leader[g]))
		return -1;
	mc_for_each_member(t, m, g)
		if (MC_REF(MC_REF_MOUNT, m) != p->priv->leader[g] &&
		    emit_member(&x, MC_REF(MC_REF_MOUNT, m)))
			return -1;
	return 0;
}

static int cmp_slave(const void *a, const void *b, void *data)
{
	const mc_ref *from = data;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (from[x] != from[y])
		return from[x] < from[y] ? -1 : 1;
	return (x > y) - (x < y);
}

/* Emit slaves whose master is named by the same mount or source. */
static int emit_slaves_from(struct mc_plan *p, uint32_t g, uint32_t *slaves,
			    uint32_t nr, uint32_t chunk)
{
	const struct mc_mount *m = p->topo->mounts;
	mc_ref from = p->priv->from_mount[slaves[0]];
	uint8_t flags = receive_flags(p, g, from);
	struct emit x = {
		.p = p, .chunk = chunk, .flags = flags, .arg = from,
		.next_flags = flags, .next_arg = from,
	};
	uint32_t i, wide = 0;

	/*
	 * The widest first: on stock kernels the others copy its master by
	 * MOVE_MOUNT_SET_GROUP, which wants a root that contains theirs.
	 */
	for (i = 1; i < nr; i++)
		if (mc_root_len(m[slaves[i]].root) < mc_root_len(m[slaves[wide]].root))
			wide = i;
	if (emit_member(&x, MC_REF(MC_REF_MOUNT, slaves[wide])))
		return -1;
	for (i = 0; i < nr; i++)
		if (i != wide && emit_member(&x, MC_REF(MC_REF_MOUNT, slaves[i])))
			return -1;
	return 0;
}

/* slaves: room for all of them */
static int emit_slaves(struct mc_plan *p, uint32_t g, uint32_t *slaves,
		       uint32_t chunk)
{
	const struct mc_topology *t = p->topo;
	const mc_ref *from = p->priv->from_mount;
	uint32_t m, n = 0, i, end;

	for (m = t->groups[g].first_slave_mount; m != MC_NONE;
	     m = t->mounts[m].next_slave)
		slaves[n++] = m;
	qsort_r(slaves, n, sizeof(*slaves), cmp_slave, p->priv->from_mount);
	for (i = 0; i < n; i = end) {
		for (end = i + 1; end < n && from[slaves[end]] == from[slaves[i]]; )
			end++;
		if (emit_slaves_from(p, g, slaves + i, end - i, chunk))
			return -1;
	}
	return 0;
}

static int emit_temps(struct mc_plan *p, struct mntcr_error *e)
{
	struct mc_op *op;
	uint32_t i;

	for (i = 0; i < p->nr_temps; i++) {
		if (mc_plan_prepare_src(p, p->temps[i].src, e))
			return -1;
		op = mc_plan_op(p, MC_OP_CLONE, MC_REF(MC_REF_TEMP, i));
		if (!op)
			return mc_nomem(e);
		op->arg = MC_REF(MC_REF_SRC, p->temps[i].src);
	}
	return 0;
}

int mc_plan_ns_types(struct mc_plan *p, struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	struct mc_op *op;
	uint32_t i;

	for (i = 0; i < t->nr_ns; i++) {
		if (!(t->ns[i].base_propagation & MS_SHARED))
			continue;
		op = mc_plan_op(p, MC_OP_GROUP, MC_NONE);
		if (!op || !mc_plan_list(p, MC_REF(MC_REF_NS, i)))
			return mc_nomem(e);
		op->flags = MOUNT_SETGROUP_SHARED;
		op->nr = 1;
	}
	return 0;
}

int mc_plan_groups(struct mc_plan *p, const struct mc_plan_options *o,
		   struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	uint32_t chunk = o->fd_budget ? o->fd_budget / 2 + 1 : 0;
	uint32_t *order = mc_plan_by_depth(t), i, g;
	uint32_t *slaves = calloc(t->nr_mounts + 1, sizeof(*slaves));
	mc_ref leader;
	int ret = -1;

	if (!order || !slaves)
		goto nomem;
	if (emit_temps(p, e))
		goto out;
	for (i = 0; i < t->nr_groups; i++) {
		g = order[i];
		leader = p->priv->leader[g];
		if (mc_plan_internal(t, g)) {
			if (emit_peers(p, g, chunk))
				goto nomem;
		} else if (leader != MC_NONE &&
			   MC_REF_KIND(leader) == MC_REF_SRC &&
			   mc_plan_prepare_src(p, MC_REF_INDEX(leader), e)) {
			goto out;
		}
		if (emit_slaves(p, g, slaves, chunk))
			goto nomem;
	}
	ret = 0;
	goto out;
nomem:
	mc_nomem(e);
out:
	free(order);
	free(slaves);
	return ret;
}
