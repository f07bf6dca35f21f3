// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Every small situation in which a new call could be made.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <string.h>

#include "rules/internal.h"
#include "privilege/priv.h"

static const int dirs[PRIV_ROOTS + PRIV_MAX];

struct walk {
	const struct scope *scope;
	start_fn *fn;
	void *arg;
	struct start s;
	struct model m;
	char *line;
};

void start_print(const struct start *s, unsigned int caps, char *line)
{
	int n = snprintf(line, PRIV_LINE, "caps %u%u%u:", caps >> 2 & 1,
			 caps >> 1 & 1, caps & 1);

	for (int i = 0; i < s->nr && n < PRIV_LINE; i++) {
		const struct start_mount *p = &s->m[i];

		n += snprintf(line + n, PRIV_LINE - n, " %d%s%s ns %d",
			      PRIV_NS + i, p->leaf ? " leaf" : "",
			      p->locked ? " locked" : "", p->ns);
		if (p->parent >= 0 && n < PRIV_LINE)
			n += snprintf(line + n, PRIV_LINE - n, " on %d at %d",
				      PRIV_NS + p->parent, p->at);
		if (!p->leaf && n < PRIV_LINE)
			n += snprintf(line + n, PRIV_LINE - n,
				      " root %d group %d master %d%s", p->root,
				      p->group, p->group ?
				      s->group_master[p->group] : p->master,
				      p->unbindable ? " unbindable" : "");
		if (n < PRIV_LINE)
			n += snprintf(line + n, PRIV_LINE - n, ";");
	}
}

static void start_build(const struct start *s, unsigned int caps, struct model *m)
{
	m->above = priv_above(caps, false);
	m->dirs = dirs;
	m->nr_dirs = PRIV_ROOTS + PRIV_MAX;
	m->nr = m->nr_ns = 0;
	m->nr_groups = 1;
	for (int ns = 0; ns < PRIV_NS; ns++)
		model_new_ns(m, ns, 0);
	if (model__reserve(m, s->nr, s->nr_groups))
		return;
	for (int g = 1; g <= s->nr_groups; g++)
		model__new_group(m, s->group_master[g]);
	for (int i = 0; i < s->nr; i++) {
		const struct start_mount *p = &s->m[i];

		m->mnt[m->nr++] = (struct model_mount) {
			.ns = p->ns,
			.sb = p->leaf ? 2 + i : 1,
			.root = p->root,
			.parent = p->parent < 0 ? p->ns : PRIV_NS + p->parent,
			.at = p->parent < 0 ? PRIV_ROOTS + i : p->at,
			.group = p->group,
			.master = p->group ? 0 : p->master,
			.unbindable = p->unbindable,
			.locked = p->locked,
		};
	}
}

/* Renaming: the mains by @perm, the namespaces by @ns, groups as they come. */
static void encode(const struct start *s, const int *perm, const int *ns,
		   unsigned char *key)
{
	unsigned char leaf[PRIV_MAX][2];
	int to[PRIV_MAX], group[PRIV_MAX + 1] = { 0 }, nr_groups = 0, nr = 0;
	int n = 0;

	for (int k = 0; k < s->nr_mains; k++) {
		int g = s->m[perm[k]].group;

		to[perm[k]] = k;
		if (g && !group[g])
			group[g] = ++nr_groups;
	}
	for (int k = 0; k < s->nr_mains; k++) {
		const struct start_mount *p = &s->m[perm[k]];

		key[n++] = ns[(int)p->ns];
		key[n++] = p->parent < 0 ? 0 : to[(int)p->parent] + 1;
		key[n++] = p->parent < 0 ? 0 : p->at;
		key[n++] = p->root;
		key[n++] = p->locked | p->unbindable << 1;
		key[n++] = group[(int)p->group];
		key[n++] = group[(int)(p->group ? s->group_master[(int)p->group] :
				       p->master)];
	}
	for (int i = s->nr_mains; i < s->nr; i++) {
		const struct start_mount *p = &s->m[i];
		unsigned char a = to[(int)p->parent] * PRIV_ROOTS + p->at;
		int k = nr++;

		for (; k > 0 && leaf[k - 1][0] > a; k--)
			memcpy(leaf[k], leaf[k - 1], 2);
		leaf[k][0] = a;
		leaf[k][1] = p->locked;
	}
	memcpy(key + n, leaf, 2 * nr);
}

#define KEY	(7 * PRIV_MAX + 2 * PRIV_MAX)

/* Does @perm put a mount before the one that it is on? */
static bool misplaces(const struct start *s, const int *perm)
{
	int to[PRIV_MAX];

	for (int k = 0; k < s->nr_mains; k++)
		to[perm[k]] = k;
	for (int i = 0; i < s->nr_mains; i++)
		if (s->m[i].parent >= 0 && to[(int)s->m[i].parent] > to[i])
			return true;
	return false;
}

static bool next_perm(int *p, int n)
{
	int i = n - 2, j = n - 1, t;

	while (i >= 0 && p[i] > p[i + 1])
		i--;
	if (i < 0)
		return false;
	while (p[j] < p[i])
		j--;
	t = p[i], p[i] = p[j], p[j] = t;
	for (i++, j = n - 1; i < j; i++, j--)
		t = p[i], p[i] = p[j], p[j] = t;
	return true;
}

/* Is it the least of all that differ from it in names only? */
static bool is_least(const struct start *s, unsigned int caps)
{
	unsigned char own[KEY] = { 0 }, key[KEY] = { 0 };
	int ns[PRIV_NS] = { 0, 1, 2 };
	int perm[PRIV_MAX] = { 0, 1, 2, 3, 4 };

	encode(s, perm, ns, own);
	do {
		/* namespaces that the caller is not told apart by */
		if ((caps >> ns[0] & 1) != (caps & 1) ||
		    (caps >> ns[1] & 1) != (caps >> 1 & 1))
			continue;
		for (int k = 0; k < s->nr_mains; k++)
			perm[k] = k;
		do {
			if (misplaces(s, perm))
				continue;
			encode(s, perm, ns, key);
			if (memcmp(key, own, KEY) < 0)
				return false;
		} while (next_perm(perm, s->nr_mains));
	} while (next_perm(ns, PRIV_NS));
	return true;
}

static const char *visit(struct walk *w)
{
	const char *bad;

	if (!is_least(&w->s, w->scope->caps))
		return NULL;
	start_build(&w->s, w->scope->caps, &w->m);
	bad = model_check(&w->m);
	if (!bad)
		bad = w->fn(&w->s, &w->m, w->scope->caps, w->arg);
	if (bad)
		start_print(&w->s, w->scope->caps, w->line);
	return bad;
}

/* Leaves, in the order of their places. */
static const char *leaves(struct walk *w, int left, int place)
{
	struct start *s = &w->s;
	const char *bad = NULL;

	if (!left)
		return visit(w);
	for (; place < s->nr_mains * PRIV_ROOTS && !bad; place++) {
		struct start_mount *p = &s->m[s->nr], *on;
		bool taken = false;

		on = &s->m[place / PRIV_ROOTS];
		*p = (struct start_mount) {
			.leaf = true, .ns = on->ns,
			.parent = place / PRIV_ROOTS, .at = place % PRIV_ROOTS,
		};
		for (int i = 0; i < s->nr_mains; i++)
			taken |= s->m[i].parent == p->parent && s->m[i].at == p->at;
		if (taken || (on->root && on->root != p->at))
			continue;
		s->nr++;
		bad = leaves(w, left - 1, place + 1);
		p->locked = true;
		if (!bad)
			bad = leaves(w, left - 1, place + 1);
		s->nr--;
	}
	return bad;
}

/* Masters: of groups, then of mains that are slaves and not shared. */
static const char *masters(struct walk *w, int i)
{
	struct start *s = &w->s;
	const char *bad = NULL;
	signed char *master;
	int g;

	if (i > s->nr_groups + s->nr_mains)
		return leaves(w, w->scope->leaves, 0);
	if (i <= s->nr_groups) {
		master = &s->group_master[i];
	} else {
		struct start_mount *p = &s->m[i - s->nr_groups - 1];

		if (p->group || p->unbindable)
			return masters(w, i + 1);
		master = &p->master;
	}
	for (int to = 0; to <= s->nr_groups && !bad; to++) {
		/* groups above that have not had theirs have none yet */
		for (g = to; g && g != i; g = s->group_master[g])
			;
		if (g && i <= s->nr_groups)
			continue;
		*master = to;
		bad = masters(w, i + 1);
	}
	*master = 0;
	return bad;
}

static const char *groups(struct walk *w, int i)
{
	struct start *s = &w->s;
	const char *bad = NULL;

	if (i == s->nr_mains) {
		memset(s->group_master, 0, sizeof(s->group_master));
		return masters(w, 1);
	}
	for (int g = 0; g <= s->nr_groups && !bad; g++) {
		s->m[i].group = g;
		bad = groups(w, i + 1);
	}
	if (!bad) {
		s->m[i].group = ++s->nr_groups;
		bad = groups(w, i + 1);
		s->nr_groups--;
	}
	s->m[i].group = 0;
	if (!bad && w->scope->unbindable) {
		s->m[i].unbindable = true;
		bad = groups(w, i + 1);
		s->m[i].unbindable = false;
	}
	return bad;
}

static const char *mains(struct walk *w)
{
	struct start *s = &w->s;
	int i = s->nr, seen = 0, on_max = w->scope->nested ? i : 0;
	const char *bad = NULL;

	if (i == w->scope->mains) {
		for (int k = 0; k < i; k++)
			seen |= 1 << s->m[k].ns;
		if (w->scope->all_owners && seen != (1 << PRIV_NS) - 1)
			return NULL;
		s->nr_mains = i;
		return groups(w, 0);
	}
	s->nr++;
	for (int root = 0; root < w->scope->roots && !bad; root++) {
		for (int ns = 0; ns < PRIV_NS && !bad; ns++) {
			s->m[i] = (struct start_mount) {
				.ns = ns, .parent = -1, .root = root,
			};
			bad = mains(w);
		}
		for (int on = 0; on < on_max * PRIV_ROOTS * 2 && !bad; on++) {
			int up = on / 2 / PRIV_ROOTS, at = on / 2 % PRIV_ROOTS;
			bool taken = false;

			for (int k = 0; k < i; k++)
				taken |= s->m[k].parent == up && s->m[k].at == at;
			if (taken || (s->m[up].root && s->m[up].root != at))
				continue;
			s->m[i] = (struct start_mount) {
				.ns = s->m[up].ns, .parent = up, .at = at,
				.root = root, .locked = on & 1,
			};
			bad = mains(w);
		}
	}
	s->nr--;
	return bad;
}

const char *each_start(const struct scope *scope, start_fn *fn, void *arg,
		       char *line)
{
	struct walk w = { scope, fn, arg, .line = line };
	const char *bad;

	model_init(&w.m, dirs, PRIV_ROOTS + PRIV_MAX);
	bad = mains(&w);
	model_free(&w.m);
	return bad;
}
