// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is asked of a group: how deep it lies below its masters, and which
 * directory contains the roots of all that are in it or receive from it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
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
	/*
	 * More leading "..": further up, so it contains all that is below the
	 * other.
	 */
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
		/*
		 * Below an unlinked directory is only what is unlinked as well.
		 */
		if (cut == (a->deleted ? a->len : len))
			while (cut && a->path[--cut] != '/')
				;
		a->deleted = false;
	}
	a->len = cut;
}

bool mc_plan_is_area(const struct mc_mount *m, const struct mc_area *a)
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

int mc_plan_refuse_group(struct mc_plan *p, uint32_t g, const char *rule,
			 const char *help, const char *what,
			 struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	unsigned long long id = t->groups[g].id;
	uint32_t m, c;

	mc_for_each_member(t, m, g)
		if (mc_plan_refuse(p, e, rule, &m, 1, help, "peer group %llu: %s",
				   id, what))
			return -1;
	if (mc_plan_internal(t, g))
		return 0;
	for (m = t->groups[g].first_slave_mount; m != MC_NONE;
	     m = t->mounts[m].next_slave)
		if (mc_plan_refuse(p, e, rule, &m, 1, help, "peer group %llu: %s",
				   id, what))
			return -1;
	for (c = t->groups[g].first_slave_group; c != MC_NONE;
	     c = t->groups[c].next_slave_group)
		mc_for_each_member(t, m, c)
			if (mc_plan_refuse(p, e, rule, &m, 1, help,
					   "peer group %llu: %s", id, what))
				return -1;
	return 0;
}

/* From the lowest groups up: a master's area contains those of its slaves. */
void mc_plan_find_areas(const struct mc_topology *t, const uint32_t *order,
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
