// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Tests of the model, as TAP.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * Without arguments all of it; with a topology as the only argument, that one.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "test-priv.h"
#include "tests.h"

/* What is exhausted, and by mutants only as far as they need. */
static const struct space {
	const char *name;
	int max, nr_ns, mutant_max;
	bool roots;
} spaces[] = {
	{ "one namespace", 7, 1, 4, false },
	{ "three namespaces", 5, 3, 3, false },
	{ "roots", 4, 1, 2, true },
};

/* Trees that are not uniform, of so many base mounts. */
static const struct {
	int n, nr_ns;
	bool two_places;
} forests[] = { { 2, 3, true }, { 3, 1, false } };

#define NR_FORESTS	(sizeof(forests) / sizeof(*forests))
#define NR_SPACES	(sizeof(spaces) / sizeof(*spaces))

static int tests, failed;

static void report(const char *what, const char *bad, const char *where)
{
	printf("%sok %d %s\n", bad ? "not " : "", ++tests, what);
	if (bad) {
		failed++;
		printf("# %s\n", bad);
		if (*where)
			printf("# topology: %s\n", where);
	}
	fflush(stdout);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Some test must fail. */
static const char *check_mutant(void)
{
	char line[2 * TOPO_LINE];
	uint64_t done;

	for (const struct named_test *t = doc_tests; t->name; t++)
		if (t->fn())
			return NULL;
	for (size_t s = 0; s < NR_SPACES; s++)
		for (int n = 1; n <= spaces[s].mutant_max; n++)
			if (check_space(n, spaces[s].nr_ns, spaces[s].roots,
					&done, line, sizeof(line)))
				return NULL;
	return "no test fails";
}

static bool in_forest(size_t f, int class)
{
	return forests[f].two_places || tree_classes[class].nr_places == 1;
}

static int nr_tests(void)
{
	int n = MUT_MAX - 1 + priv_nr_tests();

	for (const struct named_test *t = doc_tests; t->name; t++)
		n++;
	for (const struct named_test *t = count_tests; t->name; t++)
		n++;
	for (const struct named_test *t = tree_tests; t->name; t++)
		n++;
	for (size_t s = 0; s < NR_SPACES; s++)
		n += spaces[s].max;
	for (size_t f = 0; f < NR_FORESTS; f++)
		for (int c = 0; c < NR_TREE_CLASSES; c++)
			n += in_forest(f, c);
	return n;
}

static void reach_trees(void)
{
	char name[128], line[2 * TOPO_LINE];

	for (size_t f = 0; f < NR_FORESTS; f++)
		for (int c = 0; c < NR_TREE_CLASSES; c++) {
			double start = now();
			const char *bad;
			uint64_t done;

			if (!in_forest(f, c))
				continue;
			*line = 0;
			bad = check_trees(c, forests[f].n, forests[f].nr_ns,
					  &done, line, sizeof(line));
			snprintf(name, sizeof(name),
				 "reach: trees on %d mounts, %s", forests[f].n,
				 tree_classes[c].name);
			report(name, bad, line);
			printf("# %llu trees, %.1f s\n",
			       (unsigned long long)done, now() - start);
		}
}

static int one(const char *text)
{
	const char *colon = strchr(text, ':'), *bad;
	char line[2 * TOPO_LINE];
	struct layout l;
	struct topo t;

	snprintf(line, sizeof(line), "%.*s",
		 colon ? (int)(colon - text) : (int)strlen(text), text);
	if (topo_parse(&t, line) ||
	    layout_parse(&t, &l, colon ? colon + 1 : "")) {
		fprintf(stderr, "%s: not a topology\n", text);
		return 2;
	}
	puts("1..1");
	bad = check_topology(&t, &l, false);
	if (!bad)
		bad = check_topology(&t, &l, true);
	report(text, bad, "");
	return failed;
}

int main(int argc, char **argv)
{
	char name[128], line[2 * TOPO_LINE];

	build_init();
	if (argc > 1)
		return one(argv[1]);
	printf("1..%d\n", nr_tests());
	for (const struct named_test *t = count_tests; t->name; t++) {
		snprintf(name, sizeof(name), "counts: %s", t->name);
		report(name, t->fn(), "");
	}
	for (const struct named_test *t = tree_tests; t->name; t++) {
		snprintf(name, sizeof(name), "counts: %s", t->name);
		report(name, t->fn(), "");
	}
	for (const struct named_test *t = doc_tests; t->name; t++) {
		snprintf(name, sizeof(name), "documentation: %s", t->name);
		report(name, t->fn(), "");
	}
	for (size_t s = 0; s < NR_SPACES; s++)
		for (int n = 1; n <= spaces[s].max; n++) {
			double start = now();
			const char *bad;
			uint64_t done;

			*line = 0;
			bad = check_space(n, spaces[s].nr_ns, spaces[s].roots,
					  &done, line, sizeof(line));
			snprintf(name, sizeof(name), "reach: %s, %d mounts",
				 spaces[s].name, n);
			report(name, bad, line);
			printf("# %llu topologies, %.1f s\n",
			       (unsigned long long)done, now() - start);
		}
	reach_trees();
	priv_tests(report);
	for (int i = MUT_NONE + 1; i < MUT_MAX; i++) {
		model_mutant = i;
		snprintf(name, sizeof(name), "mutant: %s is caught",
			 model_mutant_names[i]);
		report(name, check_mutant(), "");
	}
	return failed != 0;
}
