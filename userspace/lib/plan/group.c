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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/priv.h"

static void widen(struct mc_area *a, const char *path, size_t len, bool deleted)
{
	size_t i, cut = 0, up, up_a;

	if (!a->path) {
		a->path = path;
		a->len = len;
		a->deleted = deleted;
		return;
	}
	if (a->len == len && a->deleted == deleted && !memcmp(a->path, path, len))
		return;
	if (a->path[0] != '/' || path[0] != '/') {
		a->none = true;
		return;
	}
	/* What is further up contains whatever is below the other. */
	up = mc_path_dots(path);
	up_a = mc_path_dots(a->path);
	if (up != up_a) {
		a->path = up > up_a ? path : a->path;
		a->len = up > up_a ? up : up_a;
		a->deleted = false;
		return;
	}
	for (i = 0; ; i++) {
		bool end_a = i == a->len, end_b = i == len;

		if ((end_a || a->path[i] == '/') && (end_b || path[i] == '/'))
			cut = i;
		if (end_a || end_b || a->path[i] != path[i])
			break;
	}
	if (a->deleted == deleted) {
		a->deleted = deleted && (cut == a->len || cut == len);
	} else {
		/* What is deleted contains only what is deleted too. */
		if (cut == (a->deleted ? a->len : len))
			while (cut && a->path[--cut] != '/')
				;
		a->deleted = false;
	}
	a->len = cut;
}

static bool is_area(const struct mc_mount *m, const struct mc_area *a)
{
	return mc_root_len(m->root) == a->len && m->root_deleted == a->deleted &&
	       !memcmp(m->root, a->path, a->len);
}

char *mc_plan_area_path(struct mc_plan *p, const struct mc_area *a)
{
	char *s = mc_plan_alloc(p, a->len + 2);

	if (!s)
		return NULL;
	memcpy(s, a->path, a->len);
	strcpy(s + a->len, a->len ? "" : "/");
	return s;
}

bool mc_plan_internal(const struct mc_topology *t, uint32_t g)
{
	return g != MC_NONE && t->groups[g].nr_members;
}

uint32_t *mc_plan_by_depth(const struct mc_topology *t)
{
	uint32_t *order = calloc(t->nr_groups + 1, sizeof(*order));
	uint32_t *at = calloc(t->nr_groups + 2, sizeof(*at));
	uint32_t g;

	if (!order || !at) {
		free(order);
		free(at);
		return NULL;
	}
	for (g = 0; g < t->nr_groups; g++)
		at[t->groups[g].depth + 1]++;
	for (g = 1; g <= t->nr_groups; g++)
		at[g] += at[g - 1];
	for (g = 0; g < t->nr_groups; g++)
		order[at[t->groups[g].depth]++] = g;
	free(at);
	return order;
}

static void slaves_area(const struct mc_topology *t, uint32_t g, struct mc_area *a)
{
	uint32_t m;

	for (m = t->groups[g].first_slave_mount; m != MC_NONE;
	     m = t->mounts[m].next_slave)
		widen(a, t->mounts[m].root, mc_root_len(t->mounts[m].root),
		      t->mounts[m].root_deleted);
}

int mc_plan_refuse_group(const struct mc_topology *t, uint32_t g,
			 const char *rule, const char *what,
			 struct mntcr_error *e)
{
	uint32_t m = t->groups[g].first_member;
	char name[256];

	if (m == MC_NONE)
		m = t->groups[g].first_slave_mount;
	if (m == MC_NONE && t->groups[g].first_slave_group != MC_NONE)
		m = t->groups[t->groups[g].first_slave_group].first_member;
	return mc_refuse(e, rule, "peer group %llu (with %s): %s",
			 (unsigned long long)t->groups[g].id,
			 m == MC_NONE ? "no mount" :
			 mc_mount_name(t, m, name, sizeof(name)), what);
}

uint32_t mc_plan_new_temp(struct mc_plan *p, uint32_t src, uint32_t sb,
			  const char *root, bool keep_sharing)
{
	struct mc_temp *tmp;

	if (!mc_grow(&p->temps, p->nr_temps, &p->max_temps, sizeof(*p->temps)))
		return MC_NONE;
	tmp = &p->temps[p->nr_temps];
	tmp->src = src;
	tmp->sb = sb;
	tmp->root = root;
	tmp->keep_sharing = keep_sharing;
	p->srcs[src].uses++;
	return p->nr_temps++;
}

/* The group's stand-in on stock kernels: a member wide enough, or a temporary. */
static int wide_leader(struct mc_plan *p, uint32_t g, const struct mc_area *a,
		       struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	uint32_t m, src, tmp;
	char *root;

	mc_for_each_member(t, m, g) {
		p->steps++;
		if (!a->none && is_area(&t->mounts[m], a)) {
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
	if (src == MC_NONE)
		goto refuse;
	tmp = mc_plan_new_temp(p, src, t->groups[g].sb, root, false);
	if (tmp == MC_NONE)
		return mc_nomem(e);
	p->priv->leader[g] = MC_REF(MC_REF_TEMP, tmp);
	return 0;
refuse:
	return mc_plan_refuse_group(t, g, "no-wide-mount",
			    "MOVE_MOUNT_SET_GROUP needs a mount whose root contains those of all members and receivers, and none can be had",
			    e);
}

/* What the slaves of a group receive from: the one that stands for it. */
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

/* From the lowest groups up: a master is as wide as what is below. */
static void find_areas(const struct mc_topology *t, const uint32_t *order,
		       struct mc_area *areas)
{
	uint32_t i, g, m, up;

	for (i = t->nr_groups; i-- > 0; ) {
		g = order[i];
		mc_for_each_member(t, m, g)
			widen(&areas[g], t->mounts[m].root,
			      mc_root_len(t->mounts[m].root),
			      t->mounts[m].root_deleted);
		slaves_area(t, g, &areas[g]);
		up = t->groups[g].master;
		if (up == MC_NONE || !areas[g].path)
			continue;
		if (areas[g].none)
			areas[up].none = true;
		widen(&areas[up], areas[g].path, areas[g].len, areas[g].deleted);
	}
}

int mc_plan_temps(struct mc_plan *p, struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	struct mc_area *areas = calloc(t->nr_groups + 1, sizeof(*areas));
	uint32_t *order = mc_plan_by_depth(t), i, g;
	int ret = 0;

	if (areas && order)
		find_areas(t, order, areas);
	else
		ret = mc_nomem(e);
	for (i = 0; i < t->nr_groups && !ret; i++) {
		g = order[i];
		p->priv->leader[g] = MC_REF(MC_REF_MOUNT, t->groups[g].first_member);
		if (!mc_plan_internal(t, g))
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
