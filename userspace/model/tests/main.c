// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Tests of the model, as TAP.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * Without arguments all of it; with a topology as the only argument, that one.
 */
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/priv.h"
#include "tests/tests.h"

/*
 * What is exhausted: to @all_max mounts in every layout, beyond that as
 * siblings and in a random one; and by mutants only as far as they need.
 */
static const struct space {
	const char *name;
	int max, nr_ns, all_max, mutant_max;
	bool roots;
} spaces[] = {
	{ "one namespace", 7, 1, 4, 3, false },
	{ "three namespaces", 5, 3, 3, 3, false },
	{ "roots", 4, 1, 3, 2, true },
};

/* Trees that are not uniform, of so many base mounts. */
static const struct {
	int n, nr_ns;
	bool two_places;
} forests[] = { { 2, 3, true }, { 3, 1, false } };

#define NR_FORESTS	(sizeof(forests) / sizeof(*forests))
#define NR_SPACES	(sizeof(spaces) / sizeof(*spaces))

static int tests, failed;

/* Seconds of the processor since the last test. */
static double took(void)
{
	static double last;
	struct timespec t;
	double now, since;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	now = t.tv_sec + t.tv_nsec / 1e9;
	since = now - last;
	last = now;
	return since;
}

static void report(const char *what, const char *bad, const char *where)
{
	double seconds = took();

	printf("%sok %d %s\n", bad ? "not " : "", ++tests, what);
	if (bad) {
		failed++;
		printf("# %s\n", bad);
		if (*where)
			printf("# topology: %s\n", where);
	}
	if (seconds >= 0.5)
		printf("# %.1f s\n", seconds);
	fflush(stdout);
}

static const char *reach_space(size_t s, int n, uint64_t *done,
			       uint64_t *layouts, char *line, size_t size)
{
	return check_space(n, spaces[s].nr_ns, spaces[s].roots,
			   n <= spaces[s].all_max, done, layouts, line, size);
}

/* It must be found by going through topologies, not by any one of the tests. */
static const char *check_mutant(char *line, size_t size)
{
	uint64_t done, layouts;

	for (int n = 1; n <= spaces[0].max; n++)
		for (size_t s = 0; s < NR_SPACES; s++)
			if (n <= spaces[s].mutant_max &&
			    reach_space(s, n, &done, &layouts, line, size))
				return NULL;
	for (int c = 0; c < NR_TREE_CLASSES; c++)
		if (check_trees(c, forests[0].n, forests[0].nr_ns, &done, line,
				size))
			return NULL;
	return "no topology shows it";
}

static bool in_forest(size_t f, int class)
{
	return forests[f].two_places || tree_classes[class].nr_places == 1;
}

static int nr_tests(void)
{
	int n = MUT_MAX - 1 + MUT_HELD_MAX - MUT_FOREIGN + priv_nr_tests();

	for (const struct named_test *t = doc_tests; t->name; t++)
		n++;
	for (const struct named_test *t = places_tests; t->name; t++)
		n++;
	for (const struct named_test *t = foreign_tests; t->name; t++)
		n++;
	for (const struct named_test *t = count_tests; t->name; t++)
		n++;
	for (const struct named_test *t = tree_tests; t->name; t++)
		n++;
	for (const struct named_test *t = shard_tests; t->name; t++)
		n++;
	for (size_t s = 0; s < NR_SPACES; s++)
		n += spaces[s].max;
	for (size_t f = 0; f < NR_FORESTS; f++)
		for (int c = 0; c < NR_TREE_CLASSES; c++)
			n += in_forest(f, c);
	return n;
}

static void foreign(void)
{
	char name[128];

	for (const struct named_test *t = foreign_tests; t->name; t++) {
		snprintf(name, sizeof(name), "foreign: %s", t->name);
		report(name, t->fn(), "");
	}
	for (int i = MUT_FOREIGN; i < MUT_HELD_MAX; i++) {
		const char *bad = "no test shows it", *by = NULL;

		model_mutant = i;
		for (const struct named_test *t = foreign_tests; t->name && !by; t++)
			by = t->fn();
		model_mutant = MUT_NONE;
		snprintf(name, sizeof(name), "foreign: without %s it shows",
			 model_mutant_names[i]);
		report(name, by ? NULL : bad, "");
		if (by)
			printf("# by %s\n", by);
	}
}

static void reach_trees(void)
{
	char name[128], line[2 * TOPO_LINE];

	for (size_t f = 0; f < NR_FORESTS; f++)
		for (int c = 0; c < NR_TREE_CLASSES; c++) {
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
			printf("# %llu trees\n", (unsigned long long)done);
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
	char name[128], line[2 * TOPO_LINE], sweep[256];

	dirs_init();
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
	snprintf(sweep, sizeof(sweep), "%s/propsweep", dirname(argv[0]));
	test_propsweep = sweep;
	for (const struct named_test *t = shard_tests; t->name; t++) {
		snprintf(name, sizeof(name), "shards: %s", t->name);
		report(name, t->fn(), "");
	}
	for (const struct named_test *t = doc_tests; t->name; t++) {
		snprintf(name, sizeof(name), "documentation: %s", t->name);
		report(name, t->fn(), "");
	}
	for (const struct named_test *t = places_tests; t->name; t++) {
		snprintf(name, sizeof(name), "places: %s", t->name);
		report(name, t->fn(), "");
	}
	foreign();
	for (size_t s = 0; s < NR_SPACES; s++)
		for (int n = 1; n <= spaces[s].max; n++) {
			const char *bad;
			uint64_t done, layouts;

			*line = 0;
			bad = reach_space(s, n, &done, &layouts, line,
					  sizeof(line));
			snprintf(name, sizeof(name), "reach: %s, %d mounts",
				 spaces[s].name, n);
			report(name, bad, line);
			printf("# %llu topologies, in %llu layouts%s\n",
			       (unsigned long long)done,
			       (unsigned long long)layouts,
			       n <= spaces[s].all_max ? " (all)" : "");
		}
	reach_trees();
	priv_tests(report);
	for (int i = MUT_NONE + 1; i < MUT_MAX; i++) {
		const char *bad;

		model_mutant = i;
		snprintf(name, sizeof(name), "mutant: %s is caught",
			 model_mutant_names[i]);
		*line = 0;
		bad = check_mutant(line, sizeof(line));
		report(name, bad, "");
		if (!bad)
			printf("# by %s\n", line);
	}
	return failed != 0;
}
