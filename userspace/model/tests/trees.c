// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Tests of the enumerator of trees that are not uniform: the counts, derived
 * three ways.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * 1. topologies/tree.c walks through them.
 * 2. Burnside's lemma by species (species.c), the uniform ones as well.
 * 3. Burnside's lemma the other way round: over all labelled trees, how many
 *    renumberings leave each one alone.  Labels are colours of topo.c.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/tests.h"

/* Labelled topologies: the colour of a mount is the base mount it goes with. */
struct labelled {
	struct topo t;
	uint64_t rank;
	unsigned int has, locked;
};

struct labelling {
	struct topo_space s;
	int n, nr_perms, perm[24][TREE_BASE];
	struct labelled *v;
	int nr, *image;	/* [perm * nr + number] */
};

static uint64_t fact(int n)
{
	return n < 2 ? 1 : n * fact(n - 1);
}

static void nth_perm(int *p, int n, int k)
{
	bool used[TREE_BASE] = { false };

	for (int i = 0; i < n; i++) {
		int j = k / fact(n - 1 - i), x = -1;

		k %= fact(n - 1 - i);
		for (j++; j; j -= !used[x])
			x++;
		used[x] = true;
		p[i] = x;
	}
}

static unsigned int permute_mask(unsigned int m, const int *p, int n)
{
	unsigned int to = 0;

	for (int i = 0; i < n; i++)
		to |= (m >> i & 1) << p[i];
	return to;
}

static bool add_labelled(struct labelling *y, const struct topo *t,
			 unsigned int has, unsigned int locked)
{
	struct labelled *v = realloc(y->v, (y->nr + 1) * sizeof(*v));

	if (!v)
		return false;
	y->v = v;
	v[y->nr++] = (struct labelled) {
		.t = *t, .has = has, .locked = locked,
		.rank = t->nr ? topo_rank(&y->s, t) : 0,
	};
	return true;
}

/* @all: of all labels, as of the base; else of some, as of children. */
static bool label(struct labelling *y, int n, bool all, bool locks)
{
	struct topo t = { 0 };

	memset(y, 0, sizeof(*y));
	y->n = n;
	y->nr_perms = fact(n);
	for (int s = 0; s < y->nr_perms; s++)
		nth_perm(y->perm[s], n, s);
	if (topo_space_init(&y->s, n, n, false) ||
	    (!all && !add_labelled(y, &t, 0, 0)))
		return false;
	for (int k = all ? n : 1; k <= n; k++)
		for (uint64_t r = 0; r < topo_total(&y->s, k); r++) {
			unsigned int has = 0;
			bool ok = true;

			topo_unrank(&y->s, k, r, &t);
			for (int i = 0; i < k; i++) {
				ok &= !(has >> t.m[i].ns & 1) &&
					(all || t.m[i].kind != TOPO_UNBINDABLE);
				has |= 1u << t.m[i].ns;
			}
			for (unsigned int l = 0; ok && l <= (locks ? has : 0); l++)
				if (!(l & ~has) && !add_labelled(y, &t, has, l))
					return false;
		}
	y->image = calloc(y->nr * y->nr_perms, sizeof(int));
	for (int s = 0; s < y->nr_perms && y->image; s++)
		for (int k = 0; k < y->nr; k++) {
			const struct labelled *v = &y->v[k];
			const int *p = y->perm[s];
			uint64_t rank = 0;
			int to = 0;

			t = v->t;
			for (int i = 0; i < t.nr; i++)
				t.m[i].ns = p[t.m[i].ns];
			if (t.nr)
				rank = topo_rank(&y->s, &t);
			while (y->v[to].rank != rank || y->v[to].t.nr != t.nr ||
			       y->v[to].locked != permute_mask(v->locked, p, n))
				to++;
			y->image[s * y->nr + k] = to;
		}
	return y->image;
}

static bool label_hears(const struct topo *t, int r, int s)
{
	int x = -1, y = -1;

	for (int i = 0; i < t->nr; i++) {
		if (t->m[i].ns == r)
			x = i;
		if (t->m[i].ns == s)
			y = i;
	}
	return x >= 0 && y >= 0 && topo_hears(t, x, y);
}

/* Is what hangs at one place what propagation would have put there? */
static bool propagated(const struct topo *base, const struct labelled *kid,
		       int n)
{
	for (int r = 0; r < n; r++)
		for (int s = 0; s < n; s++)
			if (label_hears(base, r, s) &&
			    ((kid->has >> r & 1) != (kid->has >> s & 1) ||
			     ((kid->has >> r & 1) &&
			      !label_hears(&kid->t, r, s))))
				return false;
	return true;
}

/* The renumberings that leave a labelled tree alone. */
static long long stabilizer(const struct labelling *b, int base,
			    const struct labelling *y, int one, int two,
			    bool swap, const int *ns, int nr_ns)
{
	long long sum = 0;

	for (int s = 0; s < y->nr_perms; s++) {
		const int *p = y->perm[s], *image = y->image + s * y->nr;
		int both = (image[one] == one && image[two] == two) +
			   (swap && image[one] == two && image[two] == one);
		int ns_perm[TREE_BASE];

		if (b->image[s * b->nr + base] != base || !both)
			continue;
		for (unsigned int q = 0; q < fact(nr_ns); q++) {
			bool same = true;

			nth_perm(ns_perm, nr_ns, q);
			for (int i = 0; i < y->n; i++)
				same &= ns[p[i]] == ns_perm[ns[i]];
			sum += same * both;
		}
	}
	return sum;
}

static const char *by_labels(const struct tree_class *class, int n, int nr_ns,
			     long long *all, long long *different)
{
	struct labelling *b = calloc(1, sizeof(*b)), *y = calloc(1, sizeof(*y));
	bool swap = class->nr_places == 2 && class->place[1] == TREE_B;
	long long of = fact(n) * fact(nr_ns) * (swap ? 2 : 1);
	int ns[TREE_BASE], places = 1;
	const char *bad = NULL;

	*all = *different = 0;
	EXPECT(b && y && label(b, n, true, false) &&
	       label(y, n, false, class->locks));
	for (int i = 0; i < n; i++)
		places *= nr_ns;
	for (int base = 0; base < b->nr; base++)
		for (int one = 0; one < y->nr; one++)
			for (int two = 0; two < y->nr; two++) {
				bool same = propagated(&b->v[base].t, &y->v[one], n);

				if (class->nr_places == 1 && two)
					break;
				if (class->nr_places == 2 &&
				    class->place[1] >= TREE_OVER &&
				    (y->v[two].has & ~y->v[one].has))
					continue;
				if (class->nr_places == 2)
					same &= propagated(&b->v[base].t,
							   &y->v[two], n);
				for (int k = 0; k < places; k++) {
					long long fixed;

					for (int i = 0, x = k; i < n; i++, x /= nr_ns)
						ns[i] = x % nr_ns;
					fixed = stabilizer(b, base, y, one, two,
							   swap, ns, nr_ns);
					*all += fixed;
					*different += same ? 0 : fixed;
				}
			}
	*all /= of;
	*different /= of;
out:
	for (int k = 0; k < 2; k++) {
		struct labelling *z = k ? b : y;

		if (!z)
			continue;
		free(z->v);
		free(z->image);
		free(z);
	}
	return bad;
}

static const char *count_trees(int class, int n, int nr_ns, bool labels,
			       long long want)
{
	const struct tree_class *c = &tree_classes[class];
	struct tree_walk *w = malloc(sizeof(*w));
	long long seen = 0, all, different;
	const char *bad = NULL;
	struct layout l, again;
	struct topo t, back;

	EXPECT(w && !tree_start(w, c, n, nr_ns));
	while (tree_next(w, &t, &l)) {
		char line[2 * TOPO_LINE], *colon;

		seen++;
		topo_print(&t, line, sizeof(line));
		colon = line + strlen(line);
		layout_print(&t, &l, colon, sizeof(line) - (colon - line));
		EXPECT(*colon && !layout_parse(&t, &again, colon + 2));
		*colon = 0;
		EXPECT(!topo_parse(&back, line));
		EXPECT(back.nr == t.nr && back.nr_groups == t.nr_groups);
		EXPECT(!memcmp(back.m, t.m, t.nr * sizeof(t.m[0])));
		EXPECT(!memcmp(back.master, t.master,
			       t.nr_groups * sizeof(t.master[0])));
		EXPECT(!memcmp(&l, &again, sizeof(l)));
	}
	EXPECT((long long)w->all == trees_by_species(c, n, nr_ns));
	EXPECT(seen == want);
	if (labels) {
		bad = by_labels(c, n, nr_ns, &all, &different);
		EXPECT(bad || (all == (long long)w->all && different == want));
	}
out:
	if (w)
		tree_end(w);
	free(w);
	return bad;
}

static const char *trees_one_ns(void)
{
	static const int want[NR_TREE_CLASSES][2] = {
		{ 27, 1212 }, { 247, 0 }, { 462, 0 }, { 462, 0 }, { 325, 0 },
		{ 325, 0 }, { 86, 7710 },
	};
	const char *bad = NULL;

	for (int c = 0; c < NR_TREE_CLASSES && !bad; c++) {
		bad = count_trees(c, 2, 1, true, want[c][0]);
		if (!bad && want[c][1])
			bad = count_trees(c, 3, 1, true, want[c][1]);
	}
	return bad;
}

static const char *trees_three_ns(void)
{
	static const int want[NR_TREE_CLASSES] = {
		54, 494, 924, 924, 650, 650, 172
	};
	const char *bad = NULL;

	for (int c = 0; c < NR_TREE_CLASSES && !bad; c++)
		bad = count_trees(c, 2, 3, true, want[c]);
	return bad;
}

/* Too many to go through all labelled ones, each with its renumberings. */
static const char *trees_of_three(void)
{
	static const int want[NR_TREE_CLASSES] = {
		5949, 72519, 143440, 143440, 101889, 101889, 38182
	};
	const char *bad = NULL;

	for (int c = 0; c < NR_TREE_CLASSES && !bad; c++)
		bad = count_trees(c, 3, tree_classes[c].nr_places == 1 ? 3 : 1,
				  false, want[c]);
	return bad;
}

const struct named_test tree_tests[] = {
	{ "trees, one namespace: 27 + 247 + 462 + 462 + 325 + 325 + 86",
	  trees_one_ns },
	{ "trees, three namespaces: 54 + 494 + 924 + 924 + 650 + 650 + 172",
	  trees_three_ns },
	{ "trees on three mounts: 5949 + 72519 + .. + 38182", trees_of_three },
	{ NULL, NULL }
};
