// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where the mounts of a topology may hang: every way.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * Each mount is below the root of its namespace, inside of another one or on
 * the root of another one, which one mount covers at most. Of those that differ
 * by names only, the first.
 */
#include <string.h>

#include "tests/tests.h"

struct layouts {
	const struct topo *t;
	layout_fn *fn;
	void *data;
	struct layout l;
	int nr_perms, perm[24][LAYOUT_MAX];	/* that leave the topology alone */
};

static bool keeps(const struct topo *t, const int *p)
{
	for (int i = 0; i < t->nr; i++) {
		const struct topo_mount *a = &t->m[i], *b = &t->m[p[i]];

		if (a->kind != b->kind || a->ns != b->ns || a->root != b->root)
			return false;
		for (int k = 0; k < t->nr; k++)
			if (topo_hears(t, i, k) != topo_hears(t, p[i], p[k]))
				return false;
	}
	return true;
}

static void add_perms(struct layouts *w, int *p, int k)
{
	if (k == w->t->nr) {
		if (keeps(w->t, p))
			memcpy(w->perm[w->nr_perms++], p, k * sizeof(*p));
		return;
	}
	for (int i = 0; i < w->t->nr; i++) {
		bool used = false;

		for (int j = 0; j < k; j++)
			used |= p[j] == i;
		p[k] = i;
		if (!used)
			add_perms(w, p, k + 1);
	}
}

static int place(const struct layout *l, int i)
{
	return l->on[i] < 0 ? 0 : 2 * l->on[i] + 1 + l->over[i];
}

static bool is_first(const struct layouts *w)
{
	int n = w->t->nr;

	for (int s = 0; s < w->nr_perms; s++) {
		const int *p = w->perm[s];
		int to[LAYOUT_MAX], k;

		for (int i = 0; i < n; i++) {
			int on = w->l.on[i];

			to[p[i]] = on < 0 ? 0 : 2 * p[on] + 1 + w->l.over[i];
		}
		for (k = 0; k < n && to[k] == place(&w->l, k); k++)
			;
		if (k < n && to[k] < place(&w->l, k))
			return false;
	}
	return true;
}

static bool in_a_cycle(const struct layout *l, int i)
{
	int k = l->on[i];

	while (k >= 0 && k != i)
		k = l->on[k];
	return k == i;
}

static const char *hang(struct layouts *w, int i)
{
	struct layout *l = &w->l;
	const char *bad = NULL;

	if (i == w->t->nr)
		return is_first(w) ? w->fn(w->data, w->t, l) : NULL;
	for (int k = 0; k <= 2 * w->t->nr && !bad; k++) {
		bool covered = false;

		l->on[i] = k ? (k - 1) / 2 : -1;
		l->over[i] = k && (k - 1) % 2;
		if (k && (w->t->m[i].ns != w->t->m[(int)l->on[i]].ns ||
			  in_a_cycle(l, i)))
			continue;
		for (int j = 0; j < i; j++)
			covered |= l->over[i] && l->over[j] &&
				   l->on[j] == l->on[i];
		if (!covered)
			bad = hang(w, i + 1);
	}
	l->on[i] = -1;
	l->over[i] = false;
	return bad;
}

const char *each_layout(const struct topo *t, layout_fn *fn, void *data)
{
	struct layouts w = { .t = t, .fn = fn, .data = data };
	int p[LAYOUT_MAX];

	if (t->nr > LAYOUT_MAX)
		return "too many mounts";
	layout_siblings(&w.l);
	add_perms(&w, p, 0);
	return hang(&w, 0);
}
