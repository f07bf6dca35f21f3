// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Tests of the model: trees that are not uniform.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * What is mounted at a place where receivers have something is tucked beneath
 * it; an umount takes what receivers have at that place, whatever it is,
 * unless something is mounted inside.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tests.h"

struct scene {
	const struct topo *t;
	struct model m;
	int mnt[TOPO_MAX];
};

static int alive(const struct model *m)
{
	int n = 0;

	for (int i = 0; i < m->nr; i++)
		n += m->mnt[i].ns != MODEL_GONE;
	return n;
}

/* Who of the tree is mounted there? */
static int at(const struct scene *s, const struct model *m, int i, int dir)
{
	int x = model_lookup(m, s->mnt[i], dir);

	for (int k = 0; k < s->t->nr && x >= 0; k++)
		if (s->mnt[k] == x)
			return k;
	return -1;
}

/* SS 5e, 5f: at (@i, @dir), or on top of what is there already. */
static const char *check_mount(const struct scene *s, int i, int dir)
{
	int over = at(s, &s->m, i, dir), receivers = 0, new;
	struct model m = { 0 };
	const char *bad = NULL;

	while (over >= 0) {
		i = over;
		dir = 0;
		over = at(s, &s->m, i, 0);
	}
	EXPECT(!model_copy(&m, &s->m));
	new = model_mount(&m, SB_EVENT, 0, s->mnt[i], dir);
	EXPECT(new >= 0 && m.mnt[new].parent == s->mnt[i]);
	for (int r = 0; r < s->t->nr; r++) {
		int c = model_lookup(&m, s->mnt[r], dir);
		int was = model_lookup(&s->m, s->mnt[r], dir);

		if (r == i)
			continue;
		if (!topo_hears(s->t, r, i)) {
			EXPECT(c == was);
			continue;
		}
		receivers++;
		EXPECT(c >= 0 && m.mnt[c].sb == SB_EVENT);
		EXPECT(model_hears(&m, c, new));
		EXPECT(model_lookup(&m, c, 0) == was);
	}
	EXPECT(alive(&m) == alive(&s->m) + 1 + receivers);
	bad = model_check(&m);
	if (bad)
		goto out;
	EXPECT(!model_umount(&m, new, false));
	EXPECT(!model_differ(&s->m, &m));
out:
	model_free(&m);
	return bad;
}

static bool has_child(const struct model *m, int i, bool inside)
{
	for (int c = 0; c < m->nr; c++)
		if (m->mnt[c].ns != MODEL_GONE && m->mnt[c].parent == i &&
		    !(inside && m->mnt[c].at == m->mnt[i].root))
			return true;
	return false;
}

/* PU: what an umount of @u must look at: is @d at its place of a receiver? */
static bool candidate(const struct scene *s, int d, int u)
{
	int up = s->m.mnt[s->mnt[u]].parent, on = s->m.mnt[s->mnt[d]].parent;

	return up >= 0 && on >= 0 && model_hears(&s->m, on, up) &&
	       s->m.mnt[s->mnt[u]].at == s->m.mnt[s->mnt[d]].at;
}

/* What is left of the tree: each is where it was or has slid down. */
static const char *check_left(const struct scene *s, const struct model *m)
{
	const char *bad = model_check(m);

	for (int i = 0; i < s->t->nr && !bad; i++) {
		int up, dir;

		if (!model_alive(m, s->mnt[i]))
			continue;
		up = s->m.mnt[s->mnt[i]].parent;
		dir = s->m.mnt[s->mnt[i]].at;
		while (!model_alive(m, up)) {
			EXPECT(dir == s->m.mnt[up].root);
			dir = s->m.mnt[up].at;
			up = s->m.mnt[up].parent;
		}
		EXPECT(m->mnt[s->mnt[i]].parent == up &&
		       m->mnt[s->mnt[i]].at == dir);
		for (int k = 0; k < s->t->nr; k++)
			if (model_alive(m, s->mnt[k]))
				EXPECT(model_hears(m, s->mnt[i], s->mnt[k]) ==
				       topo_hears(s->t, i, k));
	}
out:
	return bad;
}

static const char *check_umount(const struct scene *s, int i)
{
	const struct model_mount *p = &s->m.mnt[s->mnt[i]];
	struct model m = { 0 };
	const char *bad = NULL;
	int err;

	EXPECT(!model_copy(&m, &s->m));
	err = model_umount(&m, s->mnt[i], false);
	if (p->locked || has_child(&s->m, s->mnt[i], false)) {
		EXPECT(err == (p->locked ? -EINVAL : -EBUSY));
		EXPECT(!model_differ(&s->m, &m));
		goto out;
	}
	EXPECT(!err);
	for (int d = 0; d < s->t->nr; d++)
		EXPECT(model_alive(&m, s->mnt[d]) ==
		       !(d == i || (candidate(s, d, i) &&
				    !has_child(&s->m, s->mnt[d], true))));
	bad = check_left(s, &m);
out:
	model_free(&m);
	return bad;
}

static const char *check_lazy(const struct scene *s, int i)
{
	struct model m = { 0 };
	const char *bad = NULL;
	int err;

	EXPECT(!model_copy(&m, &s->m));
	err = model_umount(&m, s->mnt[i], true);
	EXPECT(err == (s->m.mnt[s->mnt[i]].locked ? -EINVAL : 0));
	for (int d = 0; d < s->t->nr && !err; d++) {
		bool goes = model_in_tree(&s->m, s->mnt[d], s->mnt[i]);
		bool may = goes;

		for (int u = 0; u < s->t->nr; u++)
			may |= model_in_tree(&s->m, s->mnt[u], s->mnt[i]) &&
			       candidate(s, d, u);
		goes |= candidate(s, d, i) && !has_child(&s->m, s->mnt[d], true);
		EXPECT(model_alive(&m, s->mnt[d]) ? !goes : may);
	}
	bad = check_left(s, &m);
out:
	model_free(&m);
	return bad;
}

static const char *check_diverged(const struct topo *t, const struct layout *l,
				  bool join)
{
	struct scene s = { .t = t };
	const char *bad = NULL;

	EXPECT(!build_model(t, l, join, &s.m, s.mnt));
	for (int i = 0; i < t->nr && !bad; i++) {
		for (int d = 0; d < 4 && !bad; d++)
			bad = check_mount(&s, i, d);
		if (!bad)
			bad = check_umount(&s, i);
		if (!bad)
			bad = check_lazy(&s, i);
	}
out:
	model_free(&s.m);
	return bad;
}

const char *check_trees(int class, int n, int nr_ns, uint64_t *done, char *line,
			size_t size)
{
	struct tree_walk *w = malloc(sizeof(*w));
	const char *bad = "out of memory";
	struct layout l;
	struct topo t;

	*done = 0;
	if (!w || tree_start(w, &tree_classes[class], n, nr_ns))
		goto out;
	bad = NULL;
	while (!bad && tree_next(w, &t, &l)) {
		bad = check_topology(&t, &l, ++*done & 1);
		if (!bad)
			bad = check_diverged(&t, &l, *done & 1);
	}
	if (bad) {
		topo_print(&t, line, size);
		layout_print(&t, &l, line + strlen(line), size - strlen(line));
	}
	tree_end(w);
out:
	free(w);
	return bad;
}
