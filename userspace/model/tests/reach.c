// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Tests of the model: what must hold for every topology.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * Who hears whom is derived here from the topology alone and kept as a matrix;
 * the operations must do to it what the documentation says and nothing else,
 * and events must appear where the matrix and the roots say.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tests.h"

struct scene {
	const struct topo *t;
	struct model m;
	int n;
	int mnt[2 * TOPO_MAX];
	bool hears[2 * TOPO_MAX][2 * TOPO_MAX];
};

static int alive(const struct model *m)
{
	int n = 0;

	for (int i = 0; i < m->nr; i++)
		n += m->mnt[i].ns != MODEL_GONE;
	return n;
}

static bool is_shared(const struct scene *s, int i)
{
	return s->m.mnt[s->mnt[i]].group != 0;
}

static const char *check_matrix(const struct scene *s, const struct model *m)
{
	const char *bad = model_check(m);

	for (int r = 0; r < s->n && !bad; r++)
		for (int q = 0; q < s->n && !bad; q++)
			if (model_hears(m, s->mnt[r], s->mnt[q]) != s->hears[r][q])
				bad = "a mount hears another that it should not, or the reverse";
	return bad;
}

/* The umount of the copy at @i: gone there and at all that hear @i. */
static const char *check_umount_at(const struct scene *s,
				   const struct model *before, int i,
				   const int *copy)
{
	struct model m = { 0 };
	const char *bad = NULL;

	EXPECT(!model_copy(&m, before));
	EXPECT(!model_umount(&m, copy[i], false));
	for (int r = 0; r < s->n; r++)
		if (copy[r] >= 0)
			EXPECT(model_alive(&m, copy[r]) ==
			       !(r == i || s->hears[r][i]));
	bad = check_matrix(s, &m);
out:
	model_free(&m);
	return bad;
}

/* A second event on the copy at @i reaches the copies that hear it. */
static const char *check_second(const struct scene *s,
				const struct model *before, int i,
				const int *copy)
{
	struct model m = { 0 };
	const char *bad = NULL;
	int at = dir_event(2, 0), n = 0, new;

	EXPECT(!model_copy(&m, before));
	new = model_mount(&m, SB_EVENT + 1, 0, copy[i], at);
	EXPECT(new >= 0);
	for (int r = 0; r < s->n; r++) {
		bool there;

		if (copy[r] < 0)
			continue;
		there = model_lookup(&m, copy[r], at) >= 0;
		n += there;
		EXPECT(there == (r == i || s->hears[r][i]));
	}
	EXPECT(alive(&m) == alive(before) + n);
	EXPECT(!model_check(&m));
	EXPECT(!model_umount(&m, new, false));
	EXPECT(!model_differ(before, &m));
out:
	model_free(&m);
	return bad;
}

/* SS 5e, 5f: a mount on @i in directory @d appears where it should. */
static const char *check_event(const struct scene *s, int i, int d, bool deep)
{
	int copy[2 * TOPO_MAX], at = dir_event(d, i % TOPO_MAX), n = 0;
	struct model m = { 0 }, peer = { 0 };
	const char *bad = NULL;

	EXPECT(!model_copy(&m, &s->m));
	EXPECT(model_mount(&m, SB_EVENT, 0, s->mnt[i], at) >= 0);
	for (int r = 0; r < s->n; r++) {
		int root = m.mnt[s->mnt[r]].root;

		copy[r] = model_lookup(&m, s->mnt[r], at);
		n += copy[r] >= 0;
		EXPECT((copy[r] >= 0) == (r == i || (s->hears[r][i] &&
						     model_under(&m, d, root))));
		if (copy[r] < 0)
			continue;
		EXPECT(m.mnt[copy[r]].sb == SB_EVENT);
		EXPECT(!m.mnt[copy[r]].group == !is_shared(s, r));
	}
	EXPECT(alive(&m) == alive(&s->m) + n);
	/* SS 5b.1: the copies' propagation tree is that of the receivers */
	for (int r = 0; r < s->n; r++)
		for (int q = 0; q < s->n; q++)
			if (copy[r] >= 0 && copy[q] >= 0)
				EXPECT(model_hears(&m, copy[r], copy[q]) ==
				       s->hears[r][q]);
	bad = check_matrix(s, &m);
	/* SS 2a: peers are exactly the same: the event may come from any */
	for (int q = 0; q < s->n && !bad; q++) {
		if (copy[q] < 0 || !s->hears[q][i] || !s->hears[i][q])
			continue;
		EXPECT(!model_copy(&peer, &s->m));
		EXPECT(model_mount(&peer, SB_EVENT, 0, s->mnt[q], at) >= 0);
		EXPECT(!model_differ(&m, &peer));
	}
	for (int r = 0; r < s->n && deep && !bad; r++) {
		if (copy[r] >= 0)
			bad = check_umount_at(s, &m, r, copy);
		if (copy[r] >= 0 && !bad)
			bad = check_second(s, &m, r, copy);
	}
	if (bad)
		goto out;
	/* SS 5d, note: not from below a shared mount */
	if (is_shared(s, i))
		EXPECT(model_move(&m, copy[i], model_ns_root(&m, 0),
				  dir_hang(1, 0)) == -EINVAL);
	/* umount undoes mount */
	EXPECT(!model_umount(&m, copy[i], false));
	EXPECT(!model_differ(&s->m, &m));
out:
	model_free(&m);
	model_free(&peer);
	return bad;
}

static const char *check_events(const struct scene *s, bool deep)
{
	const char *bad = NULL;

	for (int i = 0; i < s->n && !bad; i++)
		for (int d = 0; d < TOPO_ROOTS && !bad; d++) {
			int root = s->m.mnt[s->mnt[i]].root;

			if (model_under(&s->m, d, root))
				bad = check_event(s, i, d, deep && d == root);
		}
	return bad;
}

/* Events at one place, one after the other, then all gone again. */
static const char *check_stack(const struct scene *s)
{
	int new[2 * TOPO_MAX], at;
	struct model m = { 0 };
	const char *bad = NULL;

	EXPECT(!model_copy(&m, &s->m));
	for (int i = 0; i < s->n; i++) {
		at = dir_extra(m.mnt[s->mnt[i]].root, 0);
		new[i] = model_mount(&m, SB_EVENT + i, 0, s->mnt[i], at);
		EXPECT(new[i] >= 0);
		bad = check_matrix(s, &m);
		if (bad)
			goto out;
		/* what was mounted last is what is seen where it was mounted */
		for (int k = model_lookup(&m, s->mnt[i], at); k != new[i];
		     k = model_lookup(&m, k, m.mnt[k].root))
			EXPECT(k >= 0);
	}
	for (int i = s->n - 1; i >= 0; i--)
		EXPECT(!model_umount(&m, new[i], false));
	EXPECT(!model_differ(&s->m, &m));
out:
	model_free(&m);
	return bad;
}

/* SS 5a, state diagram, as a table: from (row) by (column) to. */
enum state { SHARED, SLAVE, BOTH, PRIVATE, UNBINDABLE };

static enum state state_of(const struct model *m, int i)
{
	if (m->mnt[i].group)
		return model_master(m, i) ? BOTH : SHARED;
	if (model_master(m, i))
		return SLAVE;
	return m->mnt[i].unbindable ? UNBINDABLE : PRIVATE;
}

static const enum state diagram[5][4] = {
	/* make:	private	 shared  slave	     unbindable */
	[SHARED] =     { PRIVATE, SHARED, SLAVE,      UNBINDABLE },
	[SLAVE] =      { PRIVATE, BOTH,   SLAVE,      UNBINDABLE },
	[BOTH] =       { PRIVATE, BOTH,   SLAVE,      UNBINDABLE },
	[PRIVATE] =    { PRIVATE, SHARED, PRIVATE,    UNBINDABLE },
	[UNBINDABLE] = { PRIVATE, SHARED, UNBINDABLE, UNBINDABLE },
};

static const char *check_type(const struct scene *old, int i,
			      enum model_type type)
{
	int x = old->mnt[i];
	enum state from = state_of(&old->m, x), to = diagram[from][type];
	const char *bad = NULL;
	struct scene *s = malloc(sizeof(*s));
	bool alone = true;

	if (!s)
		return "out of memory";
	*s = *old;
	memset(&s->m, 0, sizeof(s->m));
	EXPECT(!model_copy(&s->m, &old->m));
	EXPECT(!model_set_type(&s->m, x, type, false));
	for (int k = 0; k < s->n; k++)
		alone &= !(s->hears[k][i] && s->hears[i][k]);
	/* "*": a slave of nobody is private */
	if (from == SHARED && to == SLAVE && alone)
		to = PRIVATE;
	EXPECT(state_of(&s->m, x) == to);
	/* the others hear each other as before */
	for (int k = 0; k < s->n; k++) {
		if (type != MODEL_SHARED)
			s->hears[k][i] = false;
		if (type == MODEL_PRIVATE || type == MODEL_UNBINDABLE)
			s->hears[i][k] = false;
	}
	bad = check_matrix(s, &s->m);
	if (!bad)
		bad = check_events(s, false);
out:
	model_free(&s->m);
	free(s);
	return bad;
}

/* @new is a copy of @i as SS 5b says, added to the scene. */
static void add_copy(struct scene *s, int i, int new, bool shared)
{
	int k = s->n++;

	s->mnt[k] = new;
	for (int j = 0; j <= k; j++) {
		s->hears[k][j] = j != k && s->hears[i][j];
		s->hears[j][k] = j != k && shared && s->hears[j][i];
	}
	s->hears[i][k] = s->hears[k][i] = shared;
}

/* SS 5b.5-8: bind of a subtree below something that is not shared. */
static const char *check_bind(const struct scene *old, int i, int d)
{
	struct scene *s = malloc(sizeof(*s));
	const char *bad = NULL;
	int to, new;

	if (!s)
		return "out of memory";
	*s = *old;
	memset(&s->m, 0, sizeof(s->m));
	EXPECT(!model_copy(&s->m, &old->m));
	to = model_ns_root(&s->m, s->m.mnt[s->mnt[i]].ns);
	new = model_bind(&s->m, s->mnt[i], d, to, dir_extra(0, 1), false);
	if (s->m.mnt[s->mnt[i]].unbindable || model_lock_hides(&s->m, s->mnt[i], d)) {
		EXPECT(new == -EINVAL);
		goto out;
	}
	EXPECT(new >= 0 && s->m.mnt[new].root == d);
	EXPECT(state_of(&s->m, new) == state_of(&old->m, s->mnt[i]));
	add_copy(s, i, new, is_shared(s, i));
	bad = check_matrix(s, &s->m);
	for (int k = 0; k < s->n && !bad; k++)
		if (model_under(&s->m, d, s->m.mnt[s->mnt[k]].root))
			bad = check_event(s, k, d, k == s->n - 1);
	if (bad)
		goto out;
	EXPECT(!model_umount(&s->m, new, false));
	EXPECT(!model_differ(&old->m, &s->m));
out:
	model_free(&s->m);
	free(s);
	return bad;
}

/*
 * SS 5b.1-4, 5d: @i bound or moved below @j.  The copies hear one another as
 * the mounts they are on do; the one at a slave hears the source, too.
 */
static const char *check_below(const struct scene *s, int i, int j, bool move)
{
	int x = s->mnt[i], y = s->mnt[j], at = dir_extra(s->m.mnt[y].root, 1);
	bool to_shared = is_shared(s, j);
	struct model m = { 0 };
	const char *bad = NULL;
	int new, copies = 0;
	enum state was = state_of(&s->m, x), is;

	EXPECT(!model_copy(&m, &s->m));
	if (move)
		new = model_move(&m, x, y, at);
	else
		new = model_bind(&m, x, m.mnt[x].root, y, at, false);
	if ((was == UNBINDABLE && (to_shared || !move)) ||
	    (!move && model_lock_hides(&s->m, x, s->m.mnt[x].root))) {
		EXPECT(new == -EINVAL);
		EXPECT(!model_differ(&s->m, &m));
		goto out;
	}
	EXPECT(new >= 0);
	new = move ? x : new;
	is = state_of(&m, new);
	if (!to_shared)
		EXPECT(is == was);
	else
		EXPECT(is == (was == SLAVE || was == BOTH ? BOTH : SHARED));
	for (int r = 0; r < s->n; r++) {
		bool there = s->hears[r][j] &&
			model_under(&m, at, m.mnt[s->mnt[r]].root);
		int c = model_lookup(&m, s->mnt[r], at);

		if (r == j)
			continue;
		EXPECT((c >= 0) == there);
		if (!there)
			continue;
		copies++;
		EXPECT(m.mnt[c].sb == m.mnt[x].sb &&
		       m.mnt[c].root == m.mnt[x].root);
		EXPECT(model_hears(&m, c, new));
		EXPECT(model_hears(&m, new, c) == s->hears[j][r]);
	}
	if (!move)
		EXPECT(alive(&m) == alive(&s->m) + 1 + copies);
	bad = check_matrix(s, &m);
	if (bad || move)
		goto out;
	EXPECT(!model_umount(&m, new, false));
	EXPECT(!model_differ(&s->m, &m));
out:
	model_free(&m);
	return bad;
}

static const char *check_all_below(const struct scene *s, bool siblings)
{
	const char *bad = NULL;

	for (int i = 0; i < s->n && !bad; i++)
		for (int j = 0; j < s->n && !bad; j++) {
			if (s->t->m[i].ns != s->t->m[j].ns)
				continue;
			bad = check_below(s, i, j, false);
			if (siblings && i != j && !bad)
				bad = check_below(s, i, j, true);
		}
	return bad;
}

/* The copy of mount @i in a copy of all its namespace. */
static int twin(const struct model *m, int i, int top, int copy)
{
	int up = m->mnt[i].parent;

	if (i == top)
		return copy;
	up = twin(m, up, top, copy);
	return up < 0 ? -1 : model_lookup(m, up, m->mnt[i].at);
}

/* SS 5g; MN, "Restrictions", when the owner is another one. */
static const char *check_clone(const struct scene *old, int ns, int owner)
{
	struct scene *s = malloc(sizeof(*s));
	const char *bad = NULL;
	int new;

	if (!s)
		return "out of memory";
	*s = *old;
	memset(&s->m, 0, sizeof(s->m));
	EXPECT(!model_copy(&s->m, &old->m));
	new = model_clone_ns(&s->m, ns, owner);
	EXPECT(new >= 0);
	for (int i = 0; i < old->n; i++) {
		int c, k = s->n;

		if (old->t->m[i].ns != ns)
			continue;
		c = twin(&s->m, s->mnt[i], model_ns_root(&s->m, ns),
			 model_ns_root(&s->m, new));
		EXPECT(c >= 0);
		EXPECT(s->m.mnt[c].unbindable ==
		       s->m.mnt[s->mnt[i]].unbindable);
		EXPECT(s->m.mnt[c].locked ==
		       (owner || s->m.mnt[s->mnt[i]].locked));
		add_copy(s, i, c, is_shared(s, i));
		for (int j = 0; owner && j < s->n; j++)
			s->hears[j][k] = false;
		if (owner)
			EXPECT(model_umount(&s->m, c, false) < 0);
	}
	bad = check_matrix(s, &s->m);
	for (int i = old->n; i < s->n && !bad; i++)
		bad = check_event(s, i, s->m.mnt[s->mnt[i]].root, false);
out:
	model_free(&s->m);
	free(s);
	return bad;
}

/* SS 5c: a recursive bind of all of a namespace into itself. */
static const char *check_rbind(const struct scene *old, int ns, bool siblings)
{
	struct scene *s = malloc(sizeof(*s));
	const char *bad = NULL;
	int new, root;

	if (!s)
		return "out of memory";
	*s = *old;
	memset(&s->m, 0, sizeof(s->m));
	EXPECT(!model_copy(&s->m, &old->m));
	root = model_ns_root(&s->m, ns);
	new = model_bind(&s->m, root, 0, root, dir_extra(0, 1), true);
	EXPECT(new >= 0);
	for (int i = 0; i < old->n; i++) {
		bool pruned = false;
		int c;

		if (old->t->m[i].ns != ns)
			continue;
		for (int k = s->mnt[i]; k >= 0; k = s->m.mnt[k].parent)
			pruned |= s->m.mnt[k].unbindable;
		c = twin(&s->m, s->mnt[i], root, new);
		EXPECT((c < 0) == pruned);
		if (c >= 0)
			add_copy(s, i, c, is_shared(s, i));
	}
	bad = check_matrix(s, &s->m);
	/* umount of a copy takes what is below its peers, the originals */
	if (bad || !siblings)
		goto out;
	EXPECT(model_umount(&s->m, new, false) == -EBUSY ||
	       s->n == old->n);
	if (s->n != old->n)
		EXPECT(!model_umount(&s->m, new, true));
	EXPECT(!model_differ(&old->m, &s->m));
out:
	model_free(&s->m);
	free(s);
	return bad;
}

const char *check_topology(const struct topo *t, const struct layout *l,
			   bool join)
{
	struct scene *s = calloc(1, sizeof(*s));
	bool siblings = true;
	const char *bad = NULL;

	if (!s)
		return "out of memory";
	s->t = t;
	s->n = t->nr;
	EXPECT(!build_model(t, l, join, &s->m, s->mnt));
	for (int r = 0; r < t->nr; r++) {
		siblings &= l->on[r] < 0;
		for (int q = 0; q < t->nr; q++)
			s->hears[r][q] = topo_hears(t, r, q);
		EXPECT(is_shared(s, r) == (t->m[r].kind == TOPO_MEMBER));
		EXPECT(s->m.mnt[s->mnt[r]].unbindable ==
		       (t->m[r].kind == TOPO_UNBINDABLE));
		EXPECT(!model_master(&s->m, s->mnt[r]) ==
		       !(t->m[r].kind == TOPO_SLAVE ||
			 (is_shared(s, r) && t->master[t->m[r].group] >= 0)));
	}
	bad = check_matrix(s, &s->m);
	if (!bad)
		bad = check_events(s, true);
	if (!bad)
		bad = check_stack(s);
	for (int i = 0; i < s->n && !bad; i++) {
		for (int y = 0; y < 4 && !bad; y++)
			bad = check_type(s, i, y);
		for (int d = 0; d < TOPO_ROOTS && !bad; d++)
			if (model_under(&s->m, d, t->m[i].root))
				bad = check_bind(s, i, d);
	}
	if (!bad)
		bad = check_all_below(s, siblings);
	for (int ns = 0; ns < topo_nr_ns(t) && !bad; ns++) {
		bad = check_clone(s, ns, 0);
		if (!bad)
			bad = check_clone(s, ns, 1);
		if (!bad)
			bad = check_rbind(s, ns, siblings);
	}
out:
	model_free(&s->m);
	free(s);
	return bad;
}

struct space_check {
	uint64_t layouts;
	bool join;
	char *line;
	size_t size;
};

static const char *check_layout(void *data, const struct topo *t,
				const struct layout *l)
{
	struct space_check *c = data;
	const char *bad = check_topology(t, l, c->join);

	c->layouts++;
	c->join = !c->join;
	if (bad) {
		topo_print(t, c->line, c->size);
		layout_print(t, l, c->line + strlen(c->line),
			     c->size - strlen(c->line));
	}
	return bad;
}

static const char *check_two(struct space_check *c, const struct topo *t,
			     uint64_t rank)
{
	const char *bad;
	struct layout l;

	layout_siblings(&l);
	bad = check_layout(c, t, &l);
	layout_random(t, &l, rank);
	return bad ? bad : check_layout(c, t, &l);
}

const char *check_space(int n, int nr_ns, bool roots, bool all_layouts,
			uint64_t *done, uint64_t *layouts, char *line,
			size_t size)
{
	struct topo_space *sp = malloc(sizeof(*sp));
	struct space_check c = { .line = line, .size = size };
	const char *bad = "out of memory";
	struct topo t;

	*done = 0;
	if (!sp || topo_space_init(sp, n, nr_ns, roots))
		goto out;
	bad = NULL;
	for (uint64_t r = 0; r < topo_total(sp, n) && !bad; r++) {
		topo_unrank(sp, n, r, &t);
		if (!topo_first(sp, &t, r))
			continue;
		++*done;
		c.join = r & 1;
		bad = all_layouts ? each_layout(&t, check_layout, &c) :
		      check_two(&c, &t, r);
	}
out:
	*layouts = c.layouts;
	free(sp);
	return bad;
}
