// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sharing groups, masters first.  With mount_setgroup(2) one operation says
 * one group.  Stock kernels join mounts one by one to one whose root contains
 * theirs, so each group needs a member as wide as everything that will ever
 * join it or receive from it: where it has none, a temporary mount in the
 * scratch tree stands in, and leaves when the scratch tree goes.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <string.h>

#include "plan/priv.h"

/*
 * The leader on stock kernels: a member whose root contains all others, or a
 * temporary mount.
 */
static int wide_leader(struct mc_plan *p, uint32_t g, const struct mc_area *a,
		       struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	uint32_t m, src, tmp;
	char *root;

	mc_for_each_member(t, m, g) {
		p->steps++;
		if (!a->none && mc_plan_is_area(&t->mounts[m], a)) {
			p->priv->leader[g] = MC_REF(MC_REF_MOUNT, m);
			return 0;
		}
	}
	if (a->none || a->deleted)
		goto refuse;
	root = mc_plan_area_path(p, a);
	if (!root)
		return mc_nomem(e);
	if (!mc_plan_is_path(root))
		goto refuse;
	if (mc_plan_wide_src(p, t->groups[g].sb, root, &src, e))
		return -1;
	/* With a source for the superblock there might be one. */
	if (src == MC_NONE && p->priv->sb[t->groups[g].sb].refused) {
		p->priv->leader[g] = MC_NONE;
		return 0;
	}
	if (src == MC_NONE)
		goto refuse;
	tmp = mc_plan_new_temp(p, src, t->groups[g].sb, root, false);
	if (tmp == MC_NONE)
		return mc_nomem(e);
	p->priv->leader[g] = MC_REF(MC_REF_TEMP, tmp);
	return 0;
refuse:
	p->priv->leader[g] = MC_NONE;
	return mc_plan_refuse_group(p, g, "no-wide-mount",
			    "a kernel with mount_setgroup(2); --external for the superblock",
			    "MOVE_MOUNT_SET_GROUP needs a mount whose root contains those of all members and receivers, and none can be had",
			    e);
}

/* Slaves of a group name their master by its leader. */
static void receive(struct mc_plan *p, uint32_t g)
{
	const struct mc_topology *t = p->topo;
	uint32_t i;

	for (i = t->groups[g].first_slave_mount; i != MC_NONE;
	     i = t->mounts[i].next_slave)
		p->priv->from_mount[i] = p->priv->leader[g];
	for (i = t->groups[g].first_slave_group; i != MC_NONE;
	     i = t->groups[i].next_slave_group)
		p->priv->from_group[i] = p->priv->leader[g];
}

int mc_plan_temps(struct mc_plan *p, struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	struct mc_area *areas = calloc(t->nr_groups + 1, sizeof(*areas));
	uint32_t *order = mc_plan_by_depth(t), i, g;
	int ret = 0;

	if (areas && order)
		mc_plan_find_areas(t, order, areas);
	else
		ret = mc_nomem(e);
	for (i = 0; i < t->nr_groups && !ret; i++) {
		g = order[i];
		p->priv->leader[g] = MC_REF(MC_REF_MOUNT, t->groups[g].first_member);
		if (!mc_plan_internal(t, g) &&
		    t->groups[g].first_slave_mount == MC_NONE &&
		    t->groups[g].first_slave_group == MC_NONE)
			p->priv->leader[g] = MC_NONE;	/* of what is stood in for */
		else if (!mc_plan_internal(t, g))
			ret = mc_plan_outside(p, g, areas, e);
		else if (p->api == MNTCR_API_UPSTREAM)
			ret = wide_leader(p, g, &areas[g], e);
		if (p->priv->leader[g] != MC_NONE)
			receive(p, g);
	}
	free(areas);
	free(order);
	return ret;
}
