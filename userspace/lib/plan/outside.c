// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Groups that no restored mount is a member of: what names them for those that
 * are to receive from them.  An external mount that is a member; with the new
 * calls, a live slave, of which the restored ones become siblings; with stock
 * calls, clones of live slaves in the scratch tree, which are joined and so must
 * contain those that join.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/priv.h"

struct outside {
	struct mc_plan *p;
	uint32_t g;
	uint32_t *names, nr;	/* live mounts that name it, none below another */
	mc_ref *temp;		/* of each, once it is used */
};

static int leader(struct mc_plan *p, uint32_t g, enum mc_src_kind kind,
		  uint32_t index, struct mntcr_error *e)
{
	uint32_t src = mc_plan_new_src(p, kind, p->topo->groups[g].sb, index);

	if (src == MC_NONE)
		return mc_nomem(e);
	p->priv->leader[g] = MC_REF(MC_REF_SRC, src);
	p->orphan[g] = false;
	return 0;
}

/*
 * With the extended calls any live slave names its master (SIBLING), shared or
 * not.
 */
static uint32_t live_slave(const struct mc_plan *p, uint32_t g)
{
	const struct mc_topology *t = p->topo;
	const bool *live = p->priv->opts->ns_live;
	uint32_t m, c;

	if (!live)
		return MC_NONE;
	for (m = t->groups[g].first_slave_mount; m != MC_NONE;
	     m = t->mounts[m].next_slave)
		if (live[t->mounts[m].ns])
			return m;
	for (c = t->groups[g].first_slave_group; c != MC_NONE;
	     c = t->groups[c].next_slave_group)
		mc_for_each_member(t, m, c)
			if (live[t->mounts[m].ns])
				return m;
	return MC_NONE;
}

/* --- stock calls ---------------------------------------------------------- */

/* Roots with leading ".." (cgroups above the reader's) are not below "/". */
static int cmp_path(const char *a, const char *b)
{
	size_t x = mc_path_dots(a), y = mc_path_dots(b);

	return x != y ? (x < y ? -1 : 1) : mc_path_cmp(a, b);
}

static int cmp_root(const void *a, const void *b, void *data)
{
	const struct mc_mount *m = data;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int c = cmp_path(m[x].root, m[y].root);

	return c ? c : (x > y) - (x < y);
}

/* Live slaves that are not shared and can be cloned: the widest of them. */
static int find_names(struct outside *o, struct mntcr_error *e)
{
	const struct mc_topology *t = o->p->topo;
	uint32_t m, i, n = 0;
	int rank;

	for (m = t->groups[o->g].first_slave_mount; m != MC_NONE;
	     m = t->mounts[m].next_slave)
		n++;
	o->names = calloc(n + 1, sizeof(*o->names));
	o->temp = calloc(n + 1, sizeof(*o->temp));
	if (!o->names || !o->temp)
		return mc_nomem(e);
	n = 0;
	for (m = t->groups[o->g].first_slave_mount; m != MC_NONE;
	     m = t->mounts[m].next_slave) {
		rank = mc_plan_rank(o->p, m);
		if (rank >= 0 && rank < MC_RANK_COVERED &&
		    !t->mounts[m].root_deleted)
			o->names[n++] = m;
	}
	qsort_r(o->names, n, sizeof(*o->names), cmp_root, t->mounts);
	for (i = 0; i < n; i++) {
		m = o->nr ? o->names[o->nr - 1] : MC_NONE;
		if (m != MC_NONE && mc_path_below(t->mounts[m].root,
						  t->mounts[o->names[i]].root))
			continue;
		o->temp[o->nr] = MC_NONE;
		o->names[o->nr++] = o->names[i];
	}
	return 0;
}

/* A temporary clone of one that contains root, still a slave; MC_NONE: none. */
static int name_for(struct outside *o, const char *root, mc_ref *from,
		    struct mntcr_error *e)
{
	const struct mc_topology *t = o->p->topo;
	uint32_t lo = 0, hi = o->nr, mid, m, src, temp;

	*from = MC_NONE;
	/* The last one that does not sort after root. */
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (cmp_path(t->mounts[o->names[mid]].root, root) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo-- || !mc_path_below(t->mounts[o->names[lo]].root, root))
		return 0;
	if (o->temp[lo] == MC_NONE) {
		m = o->names[lo];
		src = mc_plan_new_src(o->p, MC_SRC_LIVE, t->mounts[m].sb, m);
		temp = src == MC_NONE ? MC_NONE :
		       mc_plan_new_temp(o->p, src, t->mounts[m].sb,
					t->mounts[m].root, true);
		if (temp == MC_NONE)
			return mc_nomem(e);
		o->temp[lo] = MC_REF(MC_REF_TEMP, temp);
	}
	*from = o->temp[lo];
	return 0;
}

static int refuse_orphan(struct outside *o, uint32_t m, struct mntcr_error *e)
{
	unsigned long long id = o->p->topo->groups[o->g].id;
	char help[128];

	o->p->orphan[o->g] = true;
	snprintf(help, sizeof(help),
		 "--external-master %llu=PATH, or --source with such a slave", id);
	return mc_plan_refuse(o->p, e, "orphan-slave", &m, 1, help,
			      "its master, peer group %llu, is outside of the image, and no live, uncovered slave of it that is not shared contains this one",
			      id);
}

static int name_all(struct outside *o, const struct mc_area *areas,
		    struct mntcr_error *e)
{
	const struct mc_topology *t = o->p->topo;
	mc_ref *from_mount = o->p->priv->from_mount;
	mc_ref *from_group = o->p->priv->from_group;
	uint32_t i, m;
	char *root;

	for (i = t->groups[o->g].first_slave_mount; i != MC_NONE;
	     i = t->mounts[i].next_slave)
		if (name_for(o, t->mounts[i].root, &from_mount[i], e) ||
		    (from_mount[i] == MC_NONE && refuse_orphan(o, i, e)))
			return -1;
	for (i = t->groups[o->g].first_slave_group; i != MC_NONE;
	     i = t->groups[i].next_slave_group) {
		root = mc_plan_area_path(o->p, &areas[i]);
		if (!root)
			return mc_nomem(e);
		/*
		 * Where no directory contains all of a group, it is refused
		 * when that group is planned.
		 */
		if (areas[i].none)
			continue;
		if (name_for(o, root, &from_group[i], e))
			return -1;
		mc_for_each_member(t, m, i)
			if (from_group[i] == MC_NONE && refuse_orphan(o, m, e))
				return -1;
	}
	return 0;
}

int mc_plan_outside(struct mc_plan *p, uint32_t g, const struct mc_area *areas,
		    struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	struct outside o = { .p = p, .g = g };
	uint32_t m, index;
	char help[128];
	int ret;

	p->priv->leader[g] = MC_NONE;
	p->orphan[g] = true;
	if (p->priv->sb[t->groups[g].sb].mode == MC_SB_FRESH)
		return mc_plan_refuse_group(p, g, "orphan-slave",
					    "the live superblock: --source, or --external and --external-master",
					    "this master is outside of the image, and a fresh superblock has no mount outside",
					    e);
	index = p->priv->master_of[g];
	if (index != MC_NONE)
		return leader(p, g, MC_SRC_MASTER, index, e);
	if (p->api == MNTCR_API_EXTENDED) {
		m = live_slave(p, g);
		if (m != MC_NONE)
			return leader(p, g, MC_SRC_LIVE, m, e);
		snprintf(help, sizeof(help),
			 "--external-master %llu=PATH, or --source with a slave of it",
			 (unsigned long long)t->groups[g].id);
		return mc_plan_refuse_group(p, g, "orphan-slave", help,
					    "this master is outside of the image, and no slave of it is live",
					    e);
	}
	p->orphan[g] = false;	/* refuse_orphan() */
	ret = find_names(&o, e);
	if (!ret)
		ret = name_all(&o, areas, e);
	free(o.names);
	free(o.temp);
	return ret;
}
