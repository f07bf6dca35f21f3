// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reference model of mount propagation: is a state sound, are two the same?
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>

#include "rules/model.h"

static bool has_members(const struct model *m, int group)
{
	for (int i = 0; i < m->nr; i++)
		if (m->mnt[i].ns != MODEL_GONE && m->mnt[i].group == group)
			return true;
	return false;
}

static const char *check_mount(const struct model *m, int i, bool renamed)
{
	const struct model_mount *p = &m->mnt[i], *up = &m->mnt[p->parent];
	int depth = 0;

	if (p->unbindable && (p->group || p->master))
		return "an unbindable mount is shared or a slave";
	if (p->group && p->master)
		return "a shared mount has a master besides its group's";
	if (p->master && !has_members(m, p->master))
		return "the master of a slave has no members";
	if (p->parent < 0)
		return p->ns == MODEL_DETACHED || model_ns_root(m, p->ns) == i ?
			NULL : "a namespace has two roots";
	if (!model_alive(m, p->parent))
		return "the parent of a mount is gone";
	if (up->ns != p->ns)
		return "a mount and its parent are in different namespaces";
	if (!renamed && !model_under(m, p->at, up->root))
		return "a mountpoint is not below its parent's root";
	if (model_lookup(m, p->parent, p->at) != i)
		return "two mounts on one mountpoint";
	while (i >= 0 && depth++ <= m->nr)
		i = m->mnt[i].parent;
	return i < 0 ? NULL : "a cycle of parents";
}

static const char *check(const struct model *m, bool renamed)
{
	const char *bad = NULL;

	for (int i = 0; i < m->nr && !bad; i++)
		if (m->mnt[i].ns != MODEL_GONE)
			bad = check_mount(m, i, renamed);
	for (int g = 1; g < m->nr_groups && !bad; g++) {
		int up = m->group_master[g], depth = 0;

		if (!has_members(m, g))
			continue;
		if (up && !has_members(m, up))
			bad = "the master of a peer group has no members";
		while (up && depth++ <= m->nr_groups)
			up = m->group_master[up];
		if (up)
			bad = "a cycle of masters";
	}
	return bad;
}

const char *model_check(const struct model *m)
{
	return check(m, false);
}

const char *model_check_renamed(const struct model *m)
{
	return check(m, true);
}

/* The mount of @b at the place of @i in @a, or -1. */
static int twin(const struct model *a, const struct model *b, int i, int *map)
{
	const struct model_mount *p = &a->mnt[i];

	if (map[i] == -2) {
		int up = p->parent;

		if (up < 0)
			map[i] = model_ns_root(b, p->ns);
		else if (twin(a, b, up, map) < 0)
			map[i] = -1;
		else
			map[i] = model_lookup(b, map[up], p->at);
	}
	return map[i];
}

/* Does group @x of one go with group @y of the other, and only with it? */
static bool same_group(int *a_to_b, int *b_to_a, int x, int y)
{
	if (!x || !y)
		return x == y;
	if (!a_to_b[x] && !b_to_a[y]) {
		a_to_b[x] = y;
		b_to_a[y] = x;
	}
	return a_to_b[x] == y && b_to_a[y] == x;
}

static const char *differ(const struct model *a, const struct model *b,
			  int *map, int *a_to_b, int *b_to_a)
{
	int n = 0;

	for (int i = 0; i < a->nr; i++) {
		const struct model_mount *p = &a->mnt[i], *q;
		int t;

		if (p->ns < 0)
			continue;
		t = twin(a, b, i, map);
		if (t < 0)
			return "a mount is missing in the second state";
		n++;
		q = &b->mnt[t];
		if (p->sb != q->sb || p->root != q->root)
			return "something else is mounted there";
		if (p->unbindable != q->unbindable)
			return "one is unbindable";
		if (p->locked != q->locked)
			return "one is locked";
		if (!same_group(a_to_b, b_to_a, p->group, q->group))
			return "the peers are not the same";
		if (!same_group(a_to_b, b_to_a, model_master(a, i),
				model_master(b, t)))
			return "the master is not the same";
	}
	for (int i = 0; i < b->nr; i++)
		n -= b->mnt[i].ns >= 0;
	return n ? "the second state has more mounts" : NULL;
}

const char *model_differ(const struct model *a, const struct model *b)
{
	int *map = calloc(a->nr, sizeof(*map));
	int *to = calloc(a->nr_groups, sizeof(*to));
	int *back = calloc(b->nr_groups, sizeof(*back));
	const char *what = "out of memory";

	if (map && to && back) {
		for (int i = 0; i < a->nr; i++)
			map[i] = -2;
		what = differ(a, b, map, to, back);
	}
	free(map);
	free(to);
	free(back);
	return what;
}
