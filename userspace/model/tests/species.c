// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How many trees there are, by species.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * Burnside's lemma: how many base topologies and how many topologies of
 * children a permutation of base mounts leaves alone depends on the lengths of
 * its cycles only.  Uniform trees are counted as well.
 */
#include "tests/tests.h"

/* How many cycles of each length. */
struct cycles {
	int n[TREE_BASE + 1];
};

static int nr_cycles(const struct cycles *c)
{
	int n = 0;

	for (int l = 1; l <= TREE_BASE; l++)
		n += c->n[l];
	return n;
}

static long long permutations_with(const struct cycles *c)
{
	long long all = 1, each = 1;
	int n = 0;

	for (int l = 1; l <= TREE_BASE; l++)
		for (int k = 1; k <= c->n[l]; k++) {
			n += l;
			each *= l * k;
		}
	for (int i = 2; i <= n; i++)
		all *= i;
	return all / each;
}

/* All parts of @c, the empty one first; @ways: how often each can be taken. */
static bool next_part(const struct cycles *c, struct cycles *part,
		      struct cycles *rest, long long *ways)
{
	int l = 1;

	while (l <= TREE_BASE && part->n[l] == c->n[l])
		part->n[l++] = 0;
	if (l > TREE_BASE)
		return false;
	part->n[l]++;
	*ways = 1;
	for (l = 1; l <= TREE_BASE; l++) {
		rest->n[l] = c->n[l] - part->n[l];
		for (int k = 1; k <= part->n[l]; k++)
			*ways = *ways * (rest->n[l] + k) / k;
	}
	return true;
}

/*
 * @colours[k]: how many colours the k-th power of the permutation of colours
 * that goes with it leaves alone.  @power: which power of both this is.
 */
struct species {
	int colours[TREE_BASE + 1];
	int atoms;	/* kinds of mounts on their own: 1 private, 2 unbindable */
};

typedef long long fix_fn(const struct species *s, const struct cycles *c,
			 int power);

/*
 * Sets of @fn: the set that the longest cycle is in has k images, each cycle
 * in them runs through all k, and is in the first one with any of its k parts.
 */
static long long sets_of(fix_fn *fn, const struct species *s,
			 const struct cycles *c, int power)
{
	struct cycles others = *c, part = { { 0 } }, rest = *c;
	long long ways = 1, sum = 0;
	int l = TREE_BASE;

	while (l && !c->n[l])
		l--;
	if (!l)
		return 1;
	others.n[l]--;
	rest = others;
	do {
		for (int k = 1; k <= l; k++) {
			struct cycles one = { { 0 } };
			long long fixed = ways;
			bool fits = l % k == 0;

			for (int j = 1; j <= TREE_BASE; j++) {
				fits &= !part.n[j] || j % k == 0;
				for (int q = 0; q < part.n[j] && fits; q++)
					fixed *= k;
				if (fits && part.n[j])
					one.n[j / k] = part.n[j];
			}
			if (!fits)
				continue;
			one.n[l / k]++;
			sum += fixed * fn(s, &one, power * k) *
			       sets_of(fn, s, &rest, power);
		}
	} while (next_part(&others, &part, &rest, &ways));
	return sum;
}

static long long fix_atom(const struct species *s, const struct cycles *c,
			  int power)
{
	return c->n[1] == 1 && nr_cycles(c) == 1 ? s->colours[power] : 0;
}

static long long fix_low(const struct species *s, const struct cycles *c,
			 int power);

static long long fix_group(const struct species *s, const struct cycles *c,
			   int power)
{
	struct cycles part = { { 0 } }, rest;
	long long ways, sum = 0;

	while (next_part(c, &part, &rest, &ways)) {
		for (int l = 1; l <= TREE_BASE; l++)
			for (int k = 0; k < part.n[l]; k++)
				ways *= s->colours[l * power];
		sum += ways * sets_of(fix_low, s, &rest, power);
	}
	return sum;
}

static long long fix_low(const struct species *s, const struct cycles *c,
			 int power)
{
	return fix_group(s, c, power) + fix_atom(s, c, power);
}

static long long fix_top(const struct species *s, const struct cycles *c,
			 int power)
{
	return fix_group(s, c, power) + s->atoms * fix_atom(s, c, power);
}

/* On all of the base mounts; and on some, the others have no child. */
static long long fix_all(const struct species *s, const struct cycles *c)
{
	return sets_of(fix_top, s, c, 1);
}

static long long fix_some(const struct species *s, const struct cycles *c)
{
	struct cycles part = { { 0 } }, rest;
	long long ways, sum = fix_all(s, c);

	while (next_part(c, &part, &rest, &ways))
		sum += ways * fix_all(s, &rest);
	return sum;
}

static long long fix_children(const struct tree_class *class,
			      const struct species *s, const struct cycles *c)
{
	struct cycles part = { { 0 } }, rest;
	long long ways, sum, some = fix_some(s, c);

	if (class->nr_places == 1)
		return some;
	if (class->place[1] < TREE_OVER)
		return some * some;
	/* the second topology is of children of some that have one already */
	sum = fix_all(s, c) * some;
	while (next_part(c, &part, &rest, &ways))
		sum += ways * fix_all(s, &rest) * fix_some(s, &rest);
	return sum;
}

/* Both topologies exchanged as well: the second is then the first's image. */
static long long fix_swapped(const struct species *s, const struct cycles *c)
{
	struct cycles twice = { { 0 } };

	for (int l = 1; l <= TREE_BASE; l++)
		if (l % 2)
			twice.n[l] += c->n[l];
		else
			twice.n[l / 2] += 2 * c->n[l];
	return fix_some(s, &twice);
}

static bool next_cycles(struct cycles *c, int n)
{
	struct cycles most = { { 0 } }, rest;
	long long ways;
	int sum;

	for (int l = 1; l <= n; l++)
		most.n[l] = n / l;
	do {
		if (!next_part(&most, c, &rest, &ways))
			return false;
		sum = 0;
		for (int l = 1; l <= n; l++)
			sum += l * c->n[l];
	} while (sum != n);
	return true;
}

long long trees_by_species(const struct tree_class *class, int n, int nr_ns)
{
	struct species kids = { .atoms = 1 }, base = { .atoms = 2 };
	bool swap = class->nr_places == 2 && class->place[1] == TREE_B;
	long long sum = 0, all = 1;
	struct cycles ns = { { 0 } };

	for (int k = 1; k <= TREE_BASE; k++)
		kids.colours[k] = class->locks ? 2 : 1;
	while (next_cycles(&ns, nr_ns)) {
		struct cycles c = { { 0 } };

		for (int k = 1; k <= TREE_BASE; k++) {
			base.colours[k] = 0;
			for (int l = 1; l <= k; l++)
				if (k % l == 0)
					base.colours[k] += l * ns.n[l];
		}
		while (next_cycles(&c, n))
			sum += permutations_with(&ns) * permutations_with(&c) *
			       fix_all(&base, &c) *
			       (fix_children(class, &kids, &c) +
				(swap ? fix_swapped(&kids, &c) : 0));
	}
	for (int i = 2; i <= n; i++)
		all *= i;
	for (int i = 2; i <= nr_ns; i++)
		all *= i;
	return sum / all / (swap ? 2 : 1);
}
