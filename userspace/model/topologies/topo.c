// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sharing topologies: counted and numbered.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * A topology is a multiset of components.  A component is a private or an
 * unbindable mount, or a peer group: a multiset of colours (its members, at
 * least one) and a multiset of what hangs below it (slaves, peer groups).
 * With C colours, G the groups by size and MSET the multisets:
 *
 *	G = (MSET(C x) - 1) * MSET(G + C x)
 *	S = MSET(G + 2 C x)
 *
 * Each component of a size has a number, so each multiset has one, so a
 * topology is made from its number alone and nothing already seen is kept.
 */
#include <errno.h>
#include <string.h>

#include "topologies/topo.h"

/* Multisets of @q out of @n kinds: (n + q - 1 choose q). */
static uint64_t multisets(uint64_t n, int q)
{
	unsigned __int128 r = 1;

	if (!n)
		return q == 0;
	for (int i = 1; i <= q; i++)
		r = r * (n + i - 1) / i;
	return r;
}

/* kind[s] components of each size s: the multisets of each total size. */
static void count_multisets(uint64_t sets[][TOPO_SIZES], const uint64_t *kind,
			    int max)
{
	for (int t = 0; t <= max; t++)
		sets[0][t] = t == 0;
	for (int j = 1; j <= max; j++)
		for (int t = 0; t <= max; t++) {
			sets[j][t] = 0;
			for (int q = 0; q * j <= t; q++)
				sets[j][t] += multisets(kind[j], q) *
					      sets[j - 1][t - q * j];
		}
}

/* The symmetries of the binary tree: any node may swap its two children. */
static int mirror(int dir, int swaps)
{
	int path[2], depth = 0, at = 0;

	for (int d = dir; d; d = (d - 1) / 2)
		path[depth++] = (d - 1) % 2;
	for (int old = 0; depth--; ) {
		int bit = path[depth];

		at = 2 * at + 1 + (bit ^ (swaps >> old & 1));
		old = 2 * old + 1 + bit;
	}
	return at;
}

static void next_permutation(int *p, int n)
{
	int i = n - 1, j = n - 1, swap;

	while (i > 0 && p[i - 1] > p[i])
		i--;
	if (i > 0) {
		while (p[j] < p[i - 1])
			j--;
		swap = p[i - 1];
		p[i - 1] = p[j];
		p[j] = swap;
	}
	for (j = n - 1; i < j; i++, j--) {
		swap = p[i];
		p[i] = p[j];
		p[j] = swap;
	}
}

int topo_space_init(struct topo_space *s, int max, int nr_ns, bool roots)
{
	int ns[4] = { 0, 1, 2, 3 }, orders = 1, swaps = roots ? 8 : 1;

	if (max >= TOPO_SIZES || nr_ns < 1 || nr_ns > 4)
		return -EINVAL;
	memset(s, 0, sizeof(*s));
	s->max = max;
	s->nr_ns = nr_ns;
	s->nr_roots = roots ? TOPO_ROOTS : 1;
	s->colours = s->nr_ns * s->nr_roots;
	for (int i = 2; i <= nr_ns; i++)
		orders *= i;
	for (int o = 0; o < orders; o++, next_permutation(ns, nr_ns))
		for (int w = 0; w < swaps; w++, s->nr_perms++)
			for (int c = 0; c < s->colours; c++)
				s->perm[s->nr_perms][c] =
					ns[c / s->nr_roots] * s->nr_roots +
					mirror(c % s->nr_roots, w);
	s->lows[0][0] = 1;
	for (int n = 1; n <= max; n++) {
		/* multisets of total size below n are known already */
		for (int k = 1; k <= n; k++)
			s->group[n] += multisets(s->colours, k) *
				       s->lows[n - k][n - k];
		s->low[n] = s->group[n] + (n == 1 ? s->colours : 0);
		s->top[n] = s->group[n] + (n == 1 ? 2 * s->colours : 0);
		count_multisets(s->lows, s->low, n);
	}
	count_multisets(s->tops, s->top, max);
	return 0;
}

uint64_t topo_total(const struct topo_space *s, int n)
{
	return s->tops[n][n];
}

/* The elements of the multiset with a number, largest first. */
static void unrank_elements(uint64_t n, int q, uint64_t rank, uint64_t *v)
{
	for (; q > 0; q--, v++) {
		uint64_t lo = 0, hi = n - 1;

		/* those whose largest element is below x are the first ones */
		while (lo < hi) {
			uint64_t mid = lo + (hi - lo + 1) / 2;

			if (multisets(mid, q) <= rank)
				lo = mid;
			else
				hi = mid - 1;
		}
		*v = lo;
		rank -= multisets(lo, q);
		n = lo + 1;
	}
}

/* @v is sorted, largest first. */
static uint64_t rank_elements(const uint64_t *v, int q)
{
	uint64_t rank = 0;

	for (; q > 0; q--, v++)
		rank += multisets(*v, q);
	return rank;
}

/* From number to topology. */

static int add_mount(struct topo *t, enum topo_kind kind, int group, int colour,
		     const struct topo_space *s)
{
	t->m[t->nr] = (struct topo_mount) {
		.kind = kind, .group = group,
		.ns = colour / s->nr_roots, .root = colour % s->nr_roots,
	};
	return t->nr++;
}

static void unrank_all(const struct topo_space *s, int size, uint64_t rank,
		       int master, struct topo *t);

static void unrank_group(const struct topo_space *s, int size, uint64_t rank,
			 int master, struct topo *t)
{
	uint64_t block, v[TOPO_SIZES];
	int g = t->nr_groups++, k = 1;

	t->master[g] = master;
	for (;; k++, rank -= block) {
		block = multisets(s->colours, k) * s->lows[size - k][size - k];
		if (rank < block)
			break;
	}
	block = s->lows[size - k][size - k];
	unrank_elements(s->colours, k, rank / block, v);
	for (int i = k - 1; i >= 0; i--)
		add_mount(t, TOPO_MEMBER, g, v[i], s);
	unrank_all(s, size - k, rank % block, g, t);
}

static void unrank_component(const struct topo_space *s, int size,
			     uint64_t rank, int master, struct topo *t)
{
	unsigned int c = s->colours;

	if (size == 1 && rank < (master < 0 ? 2 * c : c)) {
		enum topo_kind kind = master >= 0 ? TOPO_SLAVE :
			rank < c ? TOPO_PRIVATE : TOPO_UNBINDABLE;

		add_mount(t, kind, master, rank % c, s);
		return;
	}
	if (size == 1)
		rank -= master < 0 ? 2 * c : c;
	unrank_group(s, size, rank, master, t);
}

/* Everything with one master; -1: everything without. */
static void unrank_all(const struct topo_space *s, int size, uint64_t rank,
		       int master, struct topo *t)
{
	const uint64_t *kind = master < 0 ? s->top : s->low;
	const uint64_t (*sets)[TOPO_SIZES] = master < 0 ? s->tops : s->lows;
	uint64_t part[TOPO_SIZES] = { 0 }, v[TOPO_SIZES];
	int count[TOPO_SIZES] = { 0 };

	for (int j = size; j > 0 && size; j--) {
		uint64_t block = 0, rest = 0;
		int q = 0;

		for (;; q++, rank -= block) {
			rest = sets[j - 1][size - q * j];
			block = multisets(kind[j], q) * rest;
			if (rank < block)
				break;
		}
		count[j] = q;
		part[j] = rank / rest;
		rank %= rest;
		size -= q * j;
	}
	for (int j = 1; j < TOPO_SIZES; j++) {
		if (!count[j])
			continue;
		unrank_elements(kind[j], count[j], part[j], v);
		for (int i = count[j] - 1; i >= 0; i--)
			unrank_component(s, j, v[i], master, t);
	}
}

void topo_unrank(const struct topo_space *s, int n, uint64_t rank,
		 struct topo *t)
{
	t->nr = t->nr_groups = 0;
	unrank_all(s, n, rank, -1, t);
}

/* From topology to number. */

struct ranking {
	const struct topo_space *s;
	const struct topo *t;
	const unsigned char *perm;
};

static int colour(const struct ranking *r, int i)
{
	const struct topo_mount *m = &r->t->m[i];

	return r->perm[m->ns * r->s->nr_roots + m->root];
}

static void insert(uint64_t *v, int n, uint64_t x)
{
	while (n > 0 && v[n - 1] < x) {
		v[n] = v[n - 1];
		n--;
	}
	v[n] = x;
}

static uint64_t rank_all(const struct ranking *r, int master, int *total);

static uint64_t rank_group(const struct ranking *r, int g, int *total)
{
	const struct topo_space *s = r->s;
	uint64_t v[TOPO_SIZES], rank = 0, below;
	int n = 0, k, size;

	for (int i = 0; i < r->t->nr; i++)
		if (r->t->m[i].kind == TOPO_MEMBER && r->t->m[i].group == g)
			insert(v, n++, colour(r, i));
	below = rank_all(r, g, &size);
	*total = size + n;
	for (k = 1; k < n; k++)
		rank += multisets(s->colours, k) *
			s->lows[*total - k][*total - k];
	return rank + rank_elements(v, n) * s->lows[size][size] + below;
}

static uint64_t rank_all(const struct ranking *r, int master, int *total)
{
	const struct topo_space *s = r->s;
	const uint64_t *kind = master < 0 ? s->top : s->low;
	const uint64_t (*sets)[TOPO_SIZES] = master < 0 ? s->tops : s->lows;
	const int c = s->colours;
	uint64_t v[TOPO_SIZES][TOPO_SIZES], rank = 0;
	int count[TOPO_SIZES] = { 0 }, left;

	for (int i = 0; i < r->t->nr; i++) {
		const struct topo_mount *m = &r->t->m[i];

		if (m->kind == TOPO_MEMBER ||
		    (m->kind == TOPO_SLAVE ? m->group : -1) != master)
			continue;
		insert(v[1], count[1]++, colour(r, i) +
		       (m->kind == TOPO_UNBINDABLE ? c : 0));
	}
	for (int g = 0; g < r->t->nr_groups; g++) {
		uint64_t x;
		int size;

		if (r->t->master[g] != master)
			continue;
		x = rank_group(r, g, &size);
		if (size == 1)
			x += master < 0 ? 2 * c : c;
		insert(v[size], count[size]++, x);
	}
	*total = 0;
	for (int j = 1; j < TOPO_SIZES; j++)
		*total += j * count[j];
	left = *total;
	for (int j = left; j > 0; j--) {
		for (int q = 0; q < count[j]; q++)
			rank += multisets(kind[j], q) * sets[j - 1][left - q * j];
		left -= count[j] * j;
		rank += rank_elements(v[j], count[j]) * sets[j - 1][left];
	}
	return rank;
}

uint64_t topo_rank(const struct topo_space *s, const struct topo *t)
{
	int size;

	return rank_all(&(struct ranking) { s, t, s->perm[0] }, -1, &size);
}

bool topo_first(const struct topo_space *s, const struct topo *t,
		uint64_t rank)
{
	int size;

	for (int p = 1; p < s->nr_perms; p++)
		if (rank_all(&(struct ranking) { s, t, s->perm[p] }, -1,
			     &size) < rank)
			return false;
	return true;
}

void topo_canonical(const struct topo_space *s, struct topo *t)
{
	uint64_t best = topo_rank(s, t);
	int n = t->nr, size;

	for (int p = 1; p < s->nr_perms; p++) {
		uint64_t x = rank_all(&(struct ranking) { s, t, s->perm[p] },
				      -1, &size);

		if (x < best)
			best = x;
	}
	topo_unrank(s, n, best, t);
}

bool topo_hears(const struct topo *t, int r, int s)
{
	int g = t->m[r].group;

	if (r == s || t->m[s].kind != TOPO_MEMBER)
		return false;
	while (g >= 0 && g != t->m[s].group)
		g = t->master[g];
	return g >= 0;
}

int topo_nr_ns(const struct topo *t)
{
	int n = 1;

	for (int i = 0; i < t->nr; i++)
		if (t->m[i].ns >= n)
			n = t->m[i].ns + 1;
	return n;
}

uint64_t topo_next_random(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

void topo_random(struct topo *t, int nr, int nr_ns, bool roots,
		 uint64_t *seed)
{
	t->nr = nr;
	t->nr_groups = 0;
	for (int i = 0; i < nr; i++) {
		struct topo_mount *m = &t->m[i];
		int what = topo_next_random(seed) % 16;
		int g = -1;

		if (t->nr_groups)
			g = topo_next_random(seed) % t->nr_groups;
		m->ns = topo_next_random(seed) % nr_ns;
		m->root = roots ? topo_next_random(seed) % TOPO_ROOTS : 0;
		m->group = g;
		if (what == 0) {
			m->kind = TOPO_PRIVATE;
		} else if (what == 1) {
			m->kind = TOPO_UNBINDABLE;
		} else if (what < 5 && g >= 0) {
			m->kind = TOPO_SLAVE;
		} else {
			m->kind = TOPO_MEMBER;
			if (what < 10 || g < 0) {
				m->group = t->nr_groups++;
				t->master[m->group] = what < 9 ? g : -1;
			}
		}
		if (m->kind < TOPO_MEMBER)
			m->group = -1;
	}
}
