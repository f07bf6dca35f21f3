// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Tests of the enumerator: the counts, derived three ways.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * 1. topo.c numbers all coloured topologies and keeps the first one of each
 *    class under the permutations of colours.
 * 2. Burnside's lemma with Polya's formula: the average over the permutations
 *    of how many topologies each one leaves alone.
 * 3. For few mounts, all labelled topologies, the smallest of each orbit under
 *    all renumberings of mounts and permutations of colours.
 *
 * The second and third share nothing with the first, not even the symmetries.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tests.h"

#define MAX_N		8
#define MAX_COLOURS	(3 * TOPO_ROOTS)
#define MAX_PERMS	48

struct symmetry {
	int colours, n;
	int perm[MAX_PERMS][MAX_COLOURS];
};

static bool preserves_tree(const int *p)
{
	for (int d = 1; d < TOPO_ROOTS; d++)
		if (p[(d - 1) / 2] != (p[d] - 1) / 2 || !p[d])
			return false;
	return true;
}

static void add_perm(struct symmetry *y, const int *ns, int nr_ns,
		     const int *root, int nr_roots)
{
	int *p = y->perm[y->n++];

	for (int c = 0; c < nr_ns * nr_roots; c++)
		p[c] = ns[c / nr_roots] * nr_roots + root[c % nr_roots];
}

/* All permutations by recursion; those of roots must keep the tree. */
static void all_perms(struct symmetry *y, int *ns, int nr_ns, int k,
		      int *root, int nr_roots, int j)
{
	int swap;

	if (k == nr_ns && j == nr_roots) {
		if (nr_roots == 1 || preserves_tree(root))
			add_perm(y, ns, nr_ns, root, nr_roots);
		return;
	}
	for (int i = k < nr_ns ? k : j; i < (k < nr_ns ? nr_ns : nr_roots); i++) {
		int *v = k < nr_ns ? ns : root, at = k < nr_ns ? k : j;

		swap = v[i];
		v[i] = v[at];
		v[at] = swap;
		if (k < nr_ns)
			all_perms(y, ns, nr_ns, k + 1, root, nr_roots, j);
		else
			all_perms(y, ns, nr_ns, k, root, nr_roots, j + 1);
		swap = v[i];
		v[i] = v[at];
		v[at] = swap;
	}
}

static void symmetry_init(struct symmetry *y, int nr_ns, int nr_roots)
{
	int ns[3] = { 0, 1, 2 }, root[TOPO_ROOTS] = { 0, 1, 2, 3, 4, 5, 6 };

	y->n = 0;
	y->colours = nr_ns * nr_roots;
	all_perms(y, ns, nr_ns, 0, root, nr_roots, 0);
}

/* The k-th power of a permutation, by its number. */
static int power(const struct symmetry *y, int p, int k)
{
	int c[MAX_COLOURS], q;

	for (int i = 0; i < y->colours; i++) {
		c[i] = i;
		for (int n = 0; n < k; n++)
			c[i] = y->perm[p][c[i]];
	}
	for (q = 0; q < y->n; q++)
		if (!memcmp(c, y->perm[q], y->colours * sizeof(*c)))
			break;
	return q;
}

static int fixed_colours(const struct symmetry *y, int p)
{
	int n = 0;

	for (int c = 0; c < y->colours; c++)
		n += y->perm[p][c] == c;
	return n;
}

/*
 * Multisets that permutation p leaves alone: exp(sum of A[p^k](x^k) / k), by
 * its logarithmic derivative.  @a: by permutation, what each leaves alone.
 */
static void polya(const struct symmetry *y, long long (*a)[MAX_N + 1], int p,
		  int max, long long *out)
{
	out[0] = 1;
	for (int n = 1; n <= max; n++) {
		long long sum = 0;

		for (int j = 1; j <= n; j++)
			for (int k = 1; k <= j; k++)
				if (j % k == 0)
					sum += j / k * a[power(y, p, k)][j / k] *
					       out[n - j];
		out[n] = sum / n;
	}
}

static const char *burnside(int nr_ns, bool roots, int max, long long *count)
{
	static const char failed[] = "out of memory";
	struct symmetry *y = malloc(sizeof(*y));
	long long (*g)[MAX_N + 1], (*low)[MAX_N + 1], (*atom)[MAX_N + 1];
	long long members[MAX_N + 1], below[MAX_N + 1];

	g = calloc(MAX_PERMS, sizeof(*g));
	low = calloc(MAX_PERMS, sizeof(*low));
	atom = calloc(MAX_PERMS, sizeof(*atom));
	if (!y || !g || !low || !atom) {
		free(y);
		free(g);
		free(low);
		free(atom);
		return failed;
	}
	symmetry_init(y, nr_ns, roots ? TOPO_ROOTS : 1);
	for (int p = 0; p < y->n; p++)
		low[p][1] = atom[p][1] = fixed_colours(y, p);
	for (int n = 1; n <= max; n++) {
		for (int p = 0; p < y->n; p++) {
			polya(y, atom, p, n, members);
			polya(y, low, p, n - 1, below);
			g[p][n] = 0;
			for (int k = 1; k <= n; k++)
				g[p][n] += members[k] * below[n - k];
		}
		for (int p = 0; p < y->n; p++)
			low[p][n] = g[p][n] + (n == 1 ? atom[p][1] : 0);
	}
	for (int p = 0; p < y->n; p++)
		low[p][1] += atom[p][1];	/* private, unbindable */
	memset(count, 0, (max + 1) * sizeof(*count));
	for (int p = 0; p < y->n; p++) {
		polya(y, low, p, max, members);
		for (int n = 1; n <= max; n++)
			count[n] += members[n];
	}
	for (int n = 1; n <= max; n++)
		count[n] /= y->n;
	free(y);
	free(g);
	free(low);
	free(atom);
	return NULL;
}

/*
 * Labelled: the first member of a group links to the first member of its
 * master group, the others (kind PEER) to the first, a slave to the first
 * member of its master group.
 */
#define PEER	(TOPO_SLAVE + 1)

struct label {
	signed char kind, link, colour;
};

struct brute {
	struct symmetry y;
	struct label m[MAX_N];
	int n;
	long long orbits;
};

static bool well_formed(const struct brute *b)
{
	for (int i = 0; i < b->n; i++) {
		int k = i, steps = 0;

		if (b->m[i].kind < TOPO_MEMBER)
			continue;
		if (b->m[i].link < 0) {
			if (b->m[i].kind == TOPO_SLAVE)
				return false;
			continue;
		}
		/* a link must lead to the first member of a group */
		k = b->m[i].link;
		if (b->m[k].kind != TOPO_MEMBER || k == i)
			return false;
		while (b->m[k].link >= 0 && steps++ <= b->n)
			k = b->m[k].link;
		if (steps > b->n)
			return false;
	}
	return true;
}

static bool peers_right(const struct brute *b)
{
	for (int i = 0; i < b->n; i++) {
		const struct label *p = &b->m[i];

		if (p->kind == PEER && (p->link < 0 || p->link >= i ||
					b->m[p->link].kind != TOPO_MEMBER))
			return false;
	}
	return well_formed(b);
}

static int compare_renamed(const struct brute *b, const int *order,
			   const int *colour)
{
	struct label m[MAX_N];
	int first[MAX_N];

	/* the first member of each group after the renumbering */
	for (int i = 0; i < b->n; i++)
		first[i] = -1;
	for (int i = 0; i < b->n; i++) {
		const struct label *p = &b->m[order[i]];
		int rep = p->kind == PEER ? p->link :
			  p->kind == TOPO_MEMBER ? order[i] : -1;

		if (rep >= 0 && first[rep] < 0)
			first[rep] = i;
	}
	for (int i = 0; i < b->n; i++) {
		const struct label *p = &b->m[order[i]], *q = p;
		int rep = p->kind == PEER ? p->link : order[i];

		m[i] = *p;
		m[i].colour = colour[p->colour];
		if (p->kind == PEER || p->kind == TOPO_MEMBER) {
			q = &b->m[rep];
			if (first[rep] == i) {
				m[i].kind = TOPO_MEMBER;
				m[i].link = q->link < 0 ? -1 : first[q->link];
			} else {
				m[i].kind = PEER;
				m[i].link = first[rep];
			}
		} else if (p->kind == TOPO_SLAVE) {
			m[i].link = first[p->link];
		}
	}
	return memcmp(m, b->m, b->n * sizeof(*m));
}

static bool smallest(const struct brute *b, int *order, int k)
{
	if (k == b->n) {
		for (int p = 0; p < b->y.n; p++)
			if (compare_renamed(b, order, b->y.perm[p]) < 0)
				return false;
		return true;
	}
	for (int i = k; i < b->n; i++) {
		int swap = order[i];
		bool ok;

		order[i] = order[k];
		order[k] = swap;
		ok = smallest(b, order, k + 1);
		order[k] = order[i];
		order[i] = swap;
		if (!ok)
			return false;
	}
	return true;
}

static void brute_force(struct brute *b, int i)
{
	int order[MAX_N] = { 0, 1, 2, 3, 4, 5, 6, 7 };

	if (i == b->n) {
		if (peers_right(b) && smallest(b, order, 0))
			b->orbits++;
		return;
	}
	for (int kind = 0; kind <= PEER; kind++)
		for (int link = -1; link < (kind < TOPO_MEMBER ? 0 : b->n); link++)
			for (int c = 0; c < b->y.colours; c++) {
				b->m[i] = (struct label) { kind, link, c };
				brute_force(b, i + 1);
			}
}

static const char *check_counts(int nr_ns, bool roots, int max, int brute_max,
				const long long *want)
{
	struct topo_space *s = malloc(sizeof(*s));
	struct brute *b = malloc(sizeof(*b));
	const char *bad = NULL;
	long long polyas[MAX_N + 1];
	struct topo t, again;

	EXPECT(s && b);
	EXPECT(!topo_space_init(s, max, nr_ns, roots));
	bad = burnside(nr_ns, roots, max, polyas);
	for (int n = 1; n <= max && !bad; n++) {
		long long seen = 0;

		for (uint64_t r = 0; r < topo_total(s, n); r++) {
			char line[TOPO_LINE];

			topo_unrank(s, n, r, &t);
			EXPECT(t.nr == n && topo_rank(s, &t) == r);
			if (!topo_first(s, &t, r))
				continue;
			seen++;
			topo_print(&t, line, sizeof(line));
			EXPECT(!topo_parse(&again, line));
			EXPECT(topo_rank(s, &again) == r);
			/* numbered as it is printed: layouts go by numbers */
			EXPECT(!memcmp(&again, &t, offsetof(struct topo, m) +
				       n * sizeof(t.m[0])));
			EXPECT(!memcmp(again.master, t.master,
				       t.nr_groups * sizeof(t.master[0])));
		}
		EXPECT(seen == want[n]);
		EXPECT(polyas[n] == want[n]);
		if (n > brute_max)
			continue;
		symmetry_init(&b->y, nr_ns, roots ? TOPO_ROOTS : 1);
		b->n = n;
		b->orbits = 0;
		brute_force(b, 0);
		EXPECT(b->orbits == want[n]);
	}
out:
	free(s);
	free(b);
	return bad;
}

static const char *one_ns(void)
{
	static const long long want[] = {
		0, 3, 9, 28, 94, 328, 1197, 4486, 17235
	};

	return check_counts(1, false, 8, 5, want);
}

static const char *three_ns(void)
{
	static const long long want[] = { 0, 3, 18, 118, 930, 8263, 79524 };

	return check_counts(3, false, 6, 3, want);
}

static const char *with_roots(void)
{
	static const long long want[] = { 0, 9, 110, 1562, 26537 };

	return check_counts(1, true, 4, 2, want);
}

static const char *text(void)
{
	static const char *const wrong[] = {
		"", "m", "[p]", "[s]", "[m", "m]", "[]", "p/c", "p/a/a/a",
		"p@6", "[m[]]", "q", "pp", "p@", "p/",
	};
	const char *bad = NULL, *line = "p/a u@2 [m m/b/a@1 s/a/b [m@5]] [m]";
	char back[TOPO_LINE];
	struct topo t;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		EXPECT(topo_parse(&t, wrong[i]));
	EXPECT(!topo_parse(&t, line));
	EXPECT(t.nr == 7 && t.nr_groups == 3 && t.m[3].root == 5);
	topo_print(&t, back, sizeof(back));
	EXPECT(!strcmp(line, back));
out:
	return bad;
}

static const char *layouts(void)
{
	static const char *const wrong[] = {
		"0>0", "1>2 2>1", "4>0", "1>-1", "3>0", "1=0", "1>", ">0", "1>0 2",
		"1^0 2^0", "2^0 1^0", "2>0 2>1", "4294967297>0", "1>4294967296",
	};
	const char *bad = NULL;
	struct layout l;
	struct topo t;

	EXPECT(!topo_parse(&t, "p p p p@1"));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		EXPECT(layout_parse(&t, &l, wrong[i]));
	EXPECT(!layout_parse(&t, &l, " 2^0 1>0 "));
	EXPECT(l.over[2] && !l.on[2] && !l.over[1] && !l.on[1]);
out:
	return bad;
}

/* Only paths lead to what covers something. */
static const char *orders(void)
{
	const char *bad = NULL;
	int order[TOPO_MAX];
	struct layout l;
	struct topo t;

	EXPECT(!topo_parse(&t, "p p p p"));
	EXPECT(!layout_parse(&t, &l, "1>0/b 2^3 3>0/b/a"));
	layout_order(&t, &l, order);
	EXPECT(order[0] == 0 && order[1] == 3 && order[2] == 2 && order[3] == 1);
	EXPECT(!layout_parse(&t, &l, "1^0 2^3 3>0/b"));
	layout_order(&t, &l, order);
	EXPECT(order[0] == 0 && order[1] == 3 && order[2] == 2 && order[3] == 1);
out:
	return bad;
}

static const char *random_ones(void)
{
	const char *bad = NULL;
	uint64_t seed = 1;
	struct layout l, again;
	struct topo t, u;

	for (int i = 0; i < 1000; i++) {
		char line[2 * TOPO_LINE];

		topo_random(&t, 1 + i % TOPO_MAX, TOPO_MAX_NS, true, &seed);
		topo_print(&t, line, sizeof(line));
		EXPECT(!topo_parse(&u, line) && u.nr == t.nr);
		layout_random(&u, &l, seed);
		layout_print(&u, &l, line, sizeof(line));
		EXPECT(!layout_parse(&u, &again, *line ? line + 2 : line));
		EXPECT(!memcmp(&l, &again, sizeof(l)));
	}
out:
	return bad;
}

static const char *names(void)
{
	const char *bad = NULL;
	char buf[DIR_PATH];

	for (int d = 0; d < NR_DIRS; d++)
		for (int r = d; ; r = dir_parents[r]) {
			EXPECT(dir_walk(r, dir_path(d, r, buf)) == d);
			if (!r)
				break;
		}
	EXPECT(!strcmp(dir_path(dir_event(5, 23), 0, buf), "b/a/e23"));
	EXPECT(dir_walk(0, "c") < 0 && dir_walk(0, "a/e24") < 0);
	EXPECT(dir_walk(0, "e1/e1") < 0 && dir_walk(0, "x2") < 0);
out:
	return bad;
}

const struct named_test count_tests[] = {
	{ "one namespace, to 8 mounts: 3 .. 17235", one_ns },
	{ "three namespaces, to 6 mounts: 3 .. 79524", three_ns },
	{ "roots, to 4 mounts: 9 .. 26537", with_roots },
	{ "text form", text },
	{ "what is not a layout", layouts },
	{ "what is hidden is there before", orders },
	{ "random topologies and layouts", random_ones },
	{ "names of directories", names },
	{ NULL, NULL }
};
