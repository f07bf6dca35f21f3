// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * propsweep: every sharing topology of a size, in the kernel and in the model.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "each.h"
#include "run.h"
#include "topo-tree.h"

static const char usage[] =
"usage: propsweep [options] [TOPOLOGY...]\n"
"\n"
"Builds sharing topologies with the new calls and with mount(2) alone, and\n"
"compares their structure and where events appear with the reference model.\n"
"Prints KTAP: a test for each class.  A topology given as an argument, as it is\n"
"printed where something differs, is gone through step by step.\n"
"\n"
"  -s N      one namespace, one root: up to N mounts (6)\n"
"  -n N      up to three namespaces: up to N mounts (4)\n"
"  -r N      roots on the binary tree of directories: up to N mounts (3)\n"
"  -b N      trees that are not uniform: on N base mounts in up to three\n"
"            namespaces (2; 0: none)\n"
"  -t N      one in N of those, which ones SEED says (32)\n"
"  -x N      so many random ones, of up to 24 mounts in 6 namespaces (100)\n"
"  -g N      so many scenes with locked mounts and random groups (400)\n"
"  -w WAY    only \"api\" or \"classic\"\n"
"\n"
"Environment, or as arguments: SHARD=i/n (only every n-th, from the i-th on,\n"
"counted from 0), SEED=N (of the random ones, of the trees).\n";

enum { KSFT_PASS, KSFT_FAIL, KSFT_SKIP = 4 };

struct options {
	int max[3];
	int random, groups;
	bool way[NR_WAYS];
	struct each each;
	int base;
	uint64_t one_in;
};

#define TREE_NS	3

static bool locks;

static struct world world;
static int tests, failures;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void print_topology(const struct run *r, const char *what)
{
	char line[2 * TOPO_LINE];

	each_print(r->t, r->l, line, sizeof(line));
	printf("# %s: %s\n", what, line);
}

/* Locked mounts need both: a call that makes them, and one that shows them. */
static bool possible(enum way way, const struct topo *t, const struct layout *l)
{
	for (int i = 0; i < t->nr; i++)
		if (l->locked[i] && !locks)
			return false;
	return way == WAY_API || has_history(t, l);
}

/* All that the three have to say on one topology. */
static void explain(struct run *r, const bool *ways, bool least_too)
{
	struct layout least_layout;
	struct topo least;

	print_topology(r, "topology");
	printf("# after %s, %s: %s\n", r->step, way_names[r->way], r->what);
	if (least_too && shrink(r, &least, &least_layout))
		print_topology(r, "the least that differs");
	for (int way = 0; way < NR_WAYS; way++) {
		struct run one = *r;

		if (!ways[way] || !possible(way, r->t, r->l))
			continue;
		one.way = way;
		one.each = true;
		one.show = stdout;
		if (run_topology(&one))
			printf("# %s, step by step: no difference\n",
			       way_names[way]);
		else
			printf("# %s, step by step: after %s: %s\n",
			       way_names[way], one.step, one.what);
	}
}

struct class {
	enum way way;
	const bool *ways;
	uint64_t done, differ, left_out;
	double start;
};

static void one_tree(struct class *c, const struct topo *t,
		     const struct layout *l, uint64_t hash)
{
	struct run r = {
		.w = &world, .t = t, .l = l, .way = c->way, .hash = hash,
		.locks = locks, .test = run_topology,
	};

	if (!run_topology(&r)) {
		if (c->differ < 3)
			explain(&r, c->ways, !c->differ);
		c->differ++;
	}
	c->done++;
}

static void one_topology(void *data, const struct topo *t, uint64_t hash)
{
	struct class *c = data;
	struct layout l;

	layout_siblings(&l);
	if (hash >> 60 & 1)
		layout_random(t, &l, hash);
	if (!possible(c->way, t, &l))
		layout_siblings(&l);
	one_tree(c, t, &l, hash);
}

static struct class class_start(const struct options *o, enum way way)
{
	return (struct class) { .way = way, .ways = o->way, .start = now() };
}

static void class_done(const struct class *c, const char *name)
{
	printf("# %" PRIu64 " topologies, %" PRIu64 " differ, %.1f s\n",
	       c->done, c->differ, now() - c->start);
	printf("%sok %d %s, %s\n", c->differ ? "not " : "", ++tests, name,
	       way_names[c->way]);
	fflush(stdout);
	failures += c->differ != 0;
}

static void sweep(const struct options *o, int n, int nr_ns, bool roots,
		  const char *name, enum way way)
{
	struct class c = class_start(o, way);

	if (each_structure(&o->each, n, nr_ns, roots, one_topology, &c) >= 0)
		class_done(&c, name);
}

/* Trees that are not uniform: of each class every so many. */
static void trees(const struct options *o, int class, enum way way)
{
	const struct tree_class *tc = &tree_classes[class];
	struct tree_walk *w = malloc(sizeof(*w));
	struct class c = class_start(o, way);
	uint64_t number = 0, chosen = 0;
	struct layout l;
	struct topo t;
	char name[64];

	if (!w || tree_start(w, tc, o->base, TREE_NS)) {
		free(w);
		return;
	}
	for (; tree_next(w, &t, &l); number++) {
		uint64_t seed = number;

		if (number % o->one_in != o->each.seed % o->one_in ||
		    chosen++ % o->each.shards != o->each.shard)
			continue;
		if (possible(way, &t, &l))
			one_tree(&c, &t, &l, topo_next_random(&seed));
		else
			c.left_out++;
	}
	printf("# %" PRIu64 " trees and %" PRIu64 " uniform ones", number,
	       w->all - number);
	if (o->one_in > 1)
		printf(", one in %" PRIu64 " gone through, SEED=%" PRIu64,
		       o->one_in, o->each.seed);
	puts("");
	if (c.left_out)
		printf("# %" PRIu64 " left out: %s\n", c.left_out,
		       way == WAY_API ? "this kernel cannot lock mounts" :
		       "no history, locks come with copies of namespaces");
	tree_end(w);
	free(w);
	snprintf(name, sizeof(name), "trees on %d mounts, %s", o->base, tc->name);
	class_done(&c, name);
}

static void random_ones(const struct options *o, enum way way)
{
	struct class c = class_start(o, way);
	char name[64];

	each_random(&o->each, o->random, one_topology, &c);
	snprintf(name, sizeof(name), "random, SEED=%" PRIu64, o->each.seed);
	class_done(&c, name);
}

static void known_ones(const struct options *o, enum way way)
{
	struct class c = class_start(o, way);

	each_known(&o->each, one_topology, &c);
	class_done(&c, "known ones");
}

static void random_groups(const struct options *o)
{
	struct class c = class_start(o, WAY_API);
	uint64_t seed = o->each.seed;
	char what[512];

	for (int i = 0; i < o->groups; i++) {
		uint64_t one = topo_next_random(&seed);

		if (i % o->each.shards != o->each.shard)
			continue;
		c.done++;
		if (run_groups(&world, one, NULL, what, sizeof(what)) ||
		    c.differ++ > 2)
			continue;
		run_groups(&world, one, stdout, what, sizeof(what));
		printf("# number %d of SEED=%" PRIu64 ": %s\n", i, o->each.seed,
		       what);
	}
	class_done(&c, "random groups among locked mounts");
}

static int step_by_step(const struct options *o, char **lines, int n)
{
	printf("KTAP version 1\n1..%d\n", n);
	for (int k = 0; k < n; k++) {
		bool bad = false;
		struct layout l;
		struct topo t;

		if (each_parse(lines[k], &t, &l)) {
			printf("not ok %d %s\n# not a topology\n", k + 1,
			       lines[k]);
			failures++;
			continue;
		}
		for (int way = 0; way < NR_WAYS; way++)
			for (uint64_t hash = 0; hash < 64; hash++) {
				uint64_t seed = hash;
				struct run r = {
					.w = &world, .t = &t, .l = &l,
					.way = way, .each = true,
					.locks = locks,
					.show = stdout,
					.hash = topo_next_random(&seed),
				};

				if (!o->way[way] || !possible(way, &t, &l))
					continue;
				if (run_topology(&r))
					continue;
				printf("# %s: after %s: %s\n", way_names[way],
				       r.step, r.what);
				bad = true;
				break;
			}
		printf("%sok %d %s\n", bad ? "not " : "", k + 1, lines[k]);
		failures += bad;
	}
	return failures ? KSFT_FAIL : KSFT_PASS;
}

static int parse(struct options *o, int argc, char **argv)
{
	int c;

	*o = (struct options) {
		.max = { 6, 4, 3 }, .base = 2, .one_in = 32,
		.random = 100, .groups = 400, .way = { true, true },
	};
	if (each_init(&o->each, argc, argv))
		return -1;
	while ((c = getopt(argc, argv, "s:n:r:b:t:x:g:w:h")) != -1) {
		switch (c) {
		case 's':
		case 'n':
		case 'r':
			o->max[strchr("snr", c) - "snr"] = atoi(optarg);
			break;
		case 'b':
			o->base = atoi(optarg);
			break;
		case 't':
			o->one_in = atoi(optarg) > 1 ? atoi(optarg) : 1;
			break;
		case 'x':
			o->random = atoi(optarg);
			break;
		case 'g':
			o->groups = atoi(optarg);
			break;
		case 'w':
			o->way[WAY_API] = !strcmp(optarg, "api");
			o->way[WAY_CLASSIC] = !strcmp(optarg, "classic");
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			return -1;
		}
	}
	while (optind < argc && strchr(argv[optind], '='))
		optind++;
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int nr_ns, least;
		bool roots;
	} space[] = {
		{ "one namespace", 1, 1, false },
		{ "three namespaces", 3, 2, false },
		{ "roots", 1, 1, true },
	};
	struct options o;
	char name[64];
	int plan = 0;
	bool groups;

	if (parse(&o, argc, argv))
		return KSFT_FAIL;
	setvbuf(stdout, NULL, _IOLBF, 0);
	build_init();
	if (world_init(&world)) {
		printf("Bail out! %s\n", world.error);
		return KSFT_FAIL;
	}
	locks = world_has_locks();
	if (optind < argc) {
		o.way[WAY_API] &= world_has_api();
		return step_by_step(&o, argv + optind, argc - optind);
	}
	for (int k = 0; k < 3; k++)
		for (int n = space[k].least; n <= o.max[k]; n++)
			plan++;
	plan += 1 + (o.base > 0 ? NR_TREE_CLASSES : 0) + (o.random > 0);
	plan *= o.way[WAY_API] + o.way[WAY_CLASSIC];
	groups = o.way[WAY_API] && locks && world_has_api() && o.groups > 0;
	plan += groups;
	printf("KTAP version 1\n1..%d\n", plan);
	if (!locks)
		puts("# locked mounts are left out: not reported by this kernel");
	if (o.way[WAY_API] && !world_has_api()) {
		o.way[WAY_API] = false;
		for (plan /= 1 + o.way[WAY_CLASSIC]; tests < plan; )
			printf("ok %d %s # SKIP no mount_setgroup(2)\n",
			       ++tests, way_names[WAY_API]);
	}
	for (int way = 0; way < NR_WAYS; way++) {
		if (!o.way[way])
			continue;
		known_ones(&o, way);
		for (int k = 0; k < 3; k++)
			for (int n = space[k].least; n <= o.max[k]; n++) {
				snprintf(name, sizeof(name), "%s, %d mounts",
					 space[k].name, n);
				sweep(&o, n, space[k].nr_ns, space[k].roots,
				      name, way);
			}
		for (int k = 0; k < NR_TREE_CLASSES && o.base > 0; k++)
			trees(&o, k, way);
		if (o.random > 0)
			random_ones(&o, way);
	}
	if (groups)
		random_groups(&o);
	world_drop(&world);
	if (!o.way[WAY_CLASSIC] && !o.way[WAY_API])
		return KSFT_SKIP;
	return failures ? KSFT_FAIL : KSFT_PASS;
}
