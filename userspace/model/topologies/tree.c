// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Trees that are not uniform: every small one.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * Base topologies come by their number.  The renumberings that leave the base
 * as it is act on the topologies of the children; of those that they make of
 * one another, the one whose numbers are the smallest is taken.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "topologies/tree.h"

const struct tree_class tree_classes[NR_TREE_CLASSES] = {
	{ "one directory", 1, { TREE_A }, false },
	{ "two directories", 2, { TREE_A, TREE_B }, false },
	{ "a trap", 2, { TREE_A, TREE_BELOW }, false },
	{ "covered", 2, { TREE_A, TREE_COVER }, false },
	{ "tucked", 2, { TREE_A, TREE_OVER }, false },
	{ "children of children", 2, { TREE_A, TREE_INSIDE }, false },
	{ "locked", 1, { TREE_A }, true },
};

/*
 * The children of one place, one byte for each base mount.  The first member
 * of a group, its head, is linked to the head of the master group, the other
 * members and the slaves to the head.
 */
enum { NONE, PRIVATE, HEAD, MEMBER, SLAVE, NR_KINDS };

#define KID(kind, link)	((kind) | ((link) + 1) << 3)
#define KIND(kid)	((kid) & 7)
#define LINK(kid)	(((kid) >> 3 & 7) - 1)
#define LOCKED		0x40

static bool well_formed(const unsigned char *kid, int n)
{
	for (int i = 0; i < n; i++) {
		int k = LINK(kid[i]), steps = 0;

		if (k >= 0 && (k == i || KIND(kid[k]) != HEAD))
			return false;
		if (KIND(kid[i]) == MEMBER && k > i)
			return false;
		while (k >= 0 && steps++ <= n)
			k = LINK(kid[k]);
		if (k >= 0)
			return false;
	}
	return true;
}

static int add_kids(struct tree_walk *w, unsigned char *kid, int i)
{
	int err = 0;

	if (i == w->n) {
		void *p;

		if (!well_formed(kid, w->n))
			return 0;
		p = realloc(w->kid, (w->nr_kids + 1) * sizeof(*w->kid));
		if (!p)
			return -ENOMEM;
		w->kid = p;
		memcpy(w->kid[w->nr_kids++], kid, TREE_BASE);
		return 0;
	}
	for (int kind = NONE; kind < NR_KINDS; kind++)
		for (int lock = 0; lock <= (kind && w->class->locks); lock++)
			for (int k = kind > HEAD ? 0 : -1;
			     k < (kind >= HEAD ? w->n : 0) && !err; k++) {
				kid[i] = KID(kind, k) | (lock ? LOCKED : 0);
				err = add_kids(w, kid, i + 1);
			}
	return err;
}

static int compare_kids(const void *a, const void *b)
{
	return memcmp(a, b, TREE_BASE);
}

/* What renumbering makes of it: who was i is then perm[i]. */
static void renumber(const unsigned char *kid, const unsigned char *perm, int n,
		     unsigned char *out)
{
	int head[TREE_BASE];

	memset(out, 0, TREE_BASE);
	for (int h = 0; h < n; h++) {
		head[h] = n;
		for (int i = 0; i < n && KIND(kid[h]) == HEAD; i++)
			if ((i == h || (KIND(kid[i]) == MEMBER &&
					LINK(kid[i]) == h)) && perm[i] < head[h])
				head[h] = perm[i];
	}
	for (int i = 0; i < n; i++) {
		int kind = KIND(kid[i]), k = LINK(kid[i]), own = i;

		if (kind == MEMBER)
			own = k;
		if (kind == HEAD || kind == MEMBER) {
			kind = perm[i] == head[own] ? HEAD : MEMBER;
			k = LINK(kid[own]);
		}
		if (k >= 0)
			k = head[k];
		if (kind == MEMBER)
			k = head[own];
		out[perm[i]] = KID(kind, k) | (kid[i] & LOCKED);
	}
}

static int add_perms(struct tree_walk *w, unsigned char *perm, int i)
{
	int err = 0;

	if (i == w->n) {
		int *image = calloc(w->nr_kids, sizeof(*image));

		if (!image)
			return -ENOMEM;
		memcpy(w->perm[w->nr_perms], perm, TREE_BASE);
		w->image[w->nr_perms++] = image;
		for (int k = 0; k < w->nr_kids; k++) {
			unsigned char kid[TREE_BASE], (*to)[TREE_BASE];

			renumber(w->kid[k], perm, w->n, kid);
			to = bsearch(kid, w->kid, w->nr_kids, TREE_BASE,
				     compare_kids);
			image[k] = to - w->kid;
		}
		return 0;
	}
	for (int k = 0; k < w->n && !err; k++) {
		if (memchr(perm, k, i))
			continue;
		perm[i] = k;
		err = add_perms(w, perm, i + 1);
	}
	return err;
}

int tree_start(struct tree_walk *w, const struct tree_class *class, int n,
	       int nr_ns)
{
	unsigned char kid[TREE_BASE] = { 0 }, perm[TREE_BASE] = { 0 };
	int err;

	memset(w, 0, sizeof(*w));
	w->class = class;
	w->n = n;
	if (n < 1 || n > TREE_BASE)
		return -EINVAL;
	err = topo_space_init(&w->space, n, nr_ns, false);
	if (!err)
		err = add_kids(w, kid, 0);
	if (!err) {
		qsort(w->kid, w->nr_kids, TREE_BASE, compare_kids);
		err = add_perms(w, perm, 0);
	}
	/* as if the last tree of a base had been reached */
	for (int p = 0; p < class->nr_places; p++)
		w->at[p] = w->nr_kids - 1;
	if (err)
		tree_end(w);
	return err;
}

void tree_end(struct tree_walk *w)
{
	for (int s = 0; s < w->nr_perms; s++)
		free(w->image[s]);
	free(w->kid);
	w->kid = NULL;
	w->nr_perms = 0;
}

static bool next_base(struct tree_walk *w)
{
	uint64_t rank;

	do {
		rank = w->rank++;
		if (rank == topo_total(&w->space, w->n))
			return false;
		topo_unrank(&w->space, w->n, rank, &w->base);
	} while (!topo_first(&w->space, &w->base, rank));
	for (int r = 0; r < w->n; r++)
		for (int s = 0; s < w->n; s++)
			w->hears[r][s] = topo_hears(&w->base, r, s);
	for (int s = 0; s < w->nr_perms; s++) {
		const unsigned char *p = w->perm[s];
		const struct topo_mount *m = w->base.m;

		w->keeps[s] = true;
		for (int i = 0; i < w->n; i++) {
			w->keeps[s] &= m[i].kind == m[p[i]].kind;
			for (int k = 0; k < w->n; k++)
				w->keeps[s] &=
					w->hears[i][k] == w->hears[p[i]][p[k]] &&
					(m[i].ns == m[k].ns) ==
					(m[p[i]].ns == m[p[k]].ns);
		}
	}
	return true;
}

/* What hangs on a child needs that child. */
static bool possible(const struct tree_walk *w)
{
	const struct tree_class *c = w->class;

	if (c->nr_places < 2 || (c->place[1] != TREE_OVER &&
				 c->place[1] != TREE_INSIDE))
		return true;
	for (int i = 0; i < w->n; i++)
		if (w->kid[w->at[1]][i] && !w->kid[w->at[0]][i])
			return false;
	return true;
}

static bool is_first(const struct tree_walk *w)
{
	const int *at = w->at;

	for (int s = 0; s < w->nr_perms; s++) {
		int x, y;

		if (!w->keeps[s])
			continue;
		x = w->image[s][at[0]];
		if (w->class->nr_places == 1) {
			if (x < at[0])
				return false;
			continue;
		}
		y = w->image[s][at[1]];
		if (x < at[0] || (x == at[0] && y < at[1]))
			return false;
		if (w->class->place[1] == TREE_B &&
		    (y < at[0] || (y == at[0] && x < at[1])))
			return false;
	}
	return true;
}

static int head_of(const unsigned char *kid, int i)
{
	return KIND(kid[i]) == MEMBER ? LINK(kid[i]) : i;
}

static bool kid_hears(const unsigned char *kid, int r, int s)
{
	int from = head_of(kid, s), g = head_of(kid, r);

	if (KIND(kid[from]) != HEAD)
		return false;
	while (g >= 0 && g != from)
		g = LINK(kid[g]);
	return g == from;
}

static bool uniform(const struct tree_walk *w)
{
	for (int p = 0; p < w->class->nr_places; p++) {
		const unsigned char *kid = w->kid[w->at[p]];

		for (int r = 0; r < w->n; r++)
			for (int s = 0; s < w->n; s++)
				if (w->hears[r][s] && (kid[r] || kid[s]) &&
				    !(kid[r] && kid[s] && kid_hears(kid, r, s)))
					return false;
	}
	return true;
}

/* The children of one place; @child: the mount that is there, or -1. */
static void add_place(const struct tree_walk *w, int p, struct topo *t,
		      struct layout *l, int child[][TREE_BASE])
{
	const unsigned char *kid = w->kid[w->at[p]];
	enum tree_place place = w->class->place[p];
	static const int dir[] = {
		[TREE_A] = 1, [TREE_B] = 2, [TREE_BELOW] = 3, [TREE_COVER] = 0,
		[TREE_OVER] = 0, [TREE_INSIDE] = 1,
	};
	int group[TREE_BASE];

	for (int h = 0; h < w->n; h++)
		group[h] = KIND(kid[h]) == HEAD ? t->nr_groups++ : -1;
	for (int i = 0; i < w->n; i++) {
		int k = t->nr, link = LINK(kid[i]);
		struct topo_mount *m = &t->m[k];

		if (!kid[i])
			continue;
		t->nr++;
		child[p][i] = k;
		*m = (struct topo_mount) {
			.kind = KIND(kid[i]) == PRIVATE ? TOPO_PRIVATE :
				KIND(kid[i]) == SLAVE ? TOPO_SLAVE : TOPO_MEMBER,
			.group = KIND(kid[i]) == HEAD ? group[i] :
				link >= 0 ? group[link] : -1,
			.ns = w->base.m[i].ns,
		};
		if (KIND(kid[i]) == HEAD)
			t->master[group[i]] = link >= 0 ? group[link] : -1;
		l->on[k] = place >= TREE_OVER ? child[0][i] : i;
		l->dir[k] = dir[place];
		l->over[k] = !dir[place];
		l->locked[k] = kid[i] & LOCKED;
	}
}

bool tree_next(struct tree_walk *w, struct topo *t, struct layout *l)
{
	int child[TREE_PLACES][TREE_BASE], p;

	do {
		for (p = w->class->nr_places - 1; p >= 0; p--) {
			if (++w->at[p] < w->nr_kids)
				break;
			w->at[p] = 0;
		}
		if (p < 0 && !next_base(w))
			return false;
		if (!possible(w) || !is_first(w))
			continue;
		w->all++;
		if (!uniform(w))
			break;
	} while (true);
	*t = w->base;
	layout_siblings(l);
	for (p = 0; p < w->class->nr_places; p++)
		add_place(w, p, t, l, child);
	layout_renumber(t, l);
	return true;
}
