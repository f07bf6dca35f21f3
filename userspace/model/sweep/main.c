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

#include "sweep/tally.h"

static const char usage[] =
"usage: propsweep [options] [TOPOLOGY...]\n"
"\n"
"Builds sharing topologies with the new calls and with mount(2) alone, and\n"
"compares their structure and where events appear with the reference model.\n"
"Prints KTAP: a test for each class.  A topology given as an argument, as it is\n"
"printed where something differs, is gone through step by step: in the same way\n"
"again if its HASH= goes with it, else in 64 ways.\n"
"\n"
"  -s N      one namespace, one root: up to N mounts (6)\n"
"  -n N      up to three namespaces: up to N mounts (4)\n"
"  -r N      roots on the binary tree of directories: up to N mounts (3)\n"
"  -b N      trees that are not uniform: on N base mounts in up to three\n"
"            namespaces (2; 0: none), some classes on one more\n"
"  -t N      one in N of those that can be built, of those on one more one in\n"
"            16 N, which ones SEED says (32)\n"
"  -y N      every change of type of every mount: up to N mounts in one\n"
"            namespace, one less in three, two less with roots (4)\n"
"  -x N      so many random ones, of up to 24 mounts in 6 namespaces (100)\n"
"  -g N      so many scenes with locked mounts and random groups (400)\n"
"  -w WAY    only \"api\" or \"classic\"\n"
"  -c        only count what would be gone through\n"
"\n"
"Environment, or as arguments: SHARD=i/n (only every n-th, from the i-th on,\n"
"counted from 0), SEED=N (of the random ones, of the trees; 1 for shards).\n";

enum { KSFT_PASS, KSFT_FAIL, KSFT_SKIP = 4 };

struct options {
	int max[3];
	int random, groups, types;
	int base;
	uint64_t one_in;
};

#define TREE_NS	3

static struct world world;

static void one_topology(void *data, const struct topo *t, uint64_t hash)
{
	struct layout l;

	layout_of_hash(t, &l, hash);
	tally_one(data, t, &l, hash);
}

static void random_topology(void *data, const struct topo *t, uint64_t hash)
{
	struct layout l;

	layout_of_hash(t, &l, hash);
	if (hash >> 61 & 1)
		layout_places(t, &l, hash);
	tally_one(data, t, &l, hash);
}

static void structures(struct sweep *s, int n, int nr_ns, bool roots,
		       int types, const char *name, enum way way)
{
	struct tally c = tally_start(s, way);
	int64_t exist;

	c.all_types = types;
	exist = each_structure(&s->each, n, nr_ns, roots, one_topology, &c);
	c.exist = exist < 0 ? 0 : exist;
	c.error = exist < 0 ? exist : 0;
	tally_done(&c, name);
}

static bool fits(void *data, const struct topo *t, const struct layout *l)
{
	struct tally *c = data;
	const char *why = tally_not(c->s, t, l);

	if (why)
		c->why = why;
	return !why;
}

static void one_tree(void *data, const struct topo *t, const struct layout *l,
		     uint64_t hash)
{
	tally_one(data, t, l, hash);
}

/* Trees that are not uniform: of each class every so many. */
static void trees(struct sweep *s, const struct options *o, int class, int base,
		  uint64_t one_in, enum way way)
{
	struct tally c = tally_start(s, way);
	struct tree_counts n = { 0 };
	char name[64];

	c.all_types = o->types;
	c.error = each_fitting_tree(&s->each, class, base, TREE_NS, one_in, fits,
				    one_tree, &c, &n);
	printf("# %" PRIu64 " trees and %" PRIu64 " uniform ones", n.all,
	       n.uniform);
	if (n.fit < n.all)
		printf("; %" PRIu64 " left out: %s", n.all - n.fit, c.why);
	if (n.one_in > 1)
		printf("; one in %" PRIu64 " gone through, SEED=%" PRIu64,
		       n.one_in, s->each.seed);
	puts("");
	c.exist = n.all;
	snprintf(name, sizeof(name), "trees on %d mounts, %s", base,
		 tree_classes[class].name);
	tally_done(&c, name);
}

static void random_ones(struct sweep *s, const struct options *o, enum way way)
{
	struct tally c = tally_start(s, way);
	char name[64];

	c.exist = o->random;
	each_random(&s->each, o->random, random_topology, &c);
	snprintf(name, sizeof(name), "random, SEED=%" PRIu64, s->each.seed);
	tally_done(&c, name);
}

static void known_ones(struct sweep *s, enum way way)
{
	struct tally c = tally_start(s, way);

	c.exist = each_known(&s->each, one_topology, &c);
	tally_done(&c, "known ones");
}

static void random_groups(struct sweep *s, const struct options *o)
{
	struct tally c = tally_start(s, WAY_API);
	uint64_t seed = s->each.seed;
	char what[512];

	c.exist = o->groups;
	for (int i = 0; i < o->groups; i++) {
		uint64_t one = topo_next_random(&seed);

		if (i % s->each.shards != s->each.shard)
			continue;
		c.done++;
		c.sum += one;
		if (s->count ||
		    run_groups(&world, one, NULL, what, sizeof(what)) ||
		    c.differ++ > 2)
			continue;
		run_groups(&world, one, stdout, what, sizeof(what));
		printf("# number %d of SEED=%" PRIu64 ": %s\n", i, s->each.seed,
		       what);
	}
	tally_done(&c, "random groups among locked mounts");
}

static int parse(struct options *o, struct sweep *s, int argc, char **argv)
{
	int c;

	*o = (struct options) {
		.max = { 6, 4, 3 }, .base = 2, .one_in = 32,
		.random = 100, .groups = 400, .types = 4,
	};
	*s = (struct sweep) { .w = &world, .way = { true, true } };
	if (each_init(&s->each, argc, argv))
		return -1;
	while ((c = getopt(argc, argv, "s:n:r:b:t:y:x:g:w:ch")) != -1) {
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
		case 'y':
			o->types = atoi(optarg);
			break;
		case 'x':
			o->random = atoi(optarg);
			break;
		case 'g':
			o->groups = atoi(optarg);
			break;
		case 'w':
			s->way[WAY_API] = !strcmp(optarg, "api");
			s->way[WAY_CLASSIC] = !strcmp(optarg, "classic");
			break;
		case 'c':
			s->count = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			return -1;
		}
	}
	/* SHARD= and the like; a topology may have a HASH= inside */
	while (optind < argc && strcspn(argv[optind], "= ") <
	       strlen(argv[optind]) &&
	       argv[optind][strcspn(argv[optind], "= ")] == '=')
		optind++;
	return 0;
}

static const struct {
	const char *name;
	int nr_ns, least;
	bool roots;
} space[] = {
	{ "one namespace", 1, 1, false },
	{ "three namespaces", 3, 2, false },
	{ "roots", 1, 1, true },
};

/*
 * Of trees with one place on each mount a few are on one more mount: copies in
 * three namespaces that differ.
 */
static bool has_more(int class)
{
	return tree_classes[class].nr_places == 1;
}

/* What is built either way: how many tests, and those tests. */
static int nr_tests(const struct options *o)
{
	int n = 1 + (o->random > 0);

	for (int k = 0; k < NR_TREE_CLASSES && o->base > 0; k++)
		n += 1 + has_more(k);
	for (int k = 0; k < 3; k++)
		if (o->max[k] >= space[k].least)
			n += o->max[k] - space[k].least + 1;
	return n;
}

static void all_tests(struct sweep *s, const struct options *o, enum way way)
{
	char name[64];

	known_ones(s, way);
	for (int k = 0; k < 3; k++)
		for (int n = space[k].least; n <= o->max[k]; n++) {
			snprintf(name, sizeof(name), "%s, %d mounts",
				 space[k].name, n);
			structures(s, n, space[k].nr_ns, space[k].roots,
				   o->types - k, name, way);
		}
	for (int k = 0; k < NR_TREE_CLASSES && o->base > 0; k++) {
		trees(s, o, k, o->base, o->one_in, way);
		if (has_more(k))
			trees(s, o, k, o->base + 1, 16 * o->one_in, way);
	}
	if (o->random > 0)
		random_ones(s, o, way);
}

int main(int argc, char **argv)
{
	double start = tally_seconds();
	struct options o;
	bool groups, api;
	struct sweep s;
	int one_way;

	if (parse(&o, &s, argc, argv))
		return KSFT_FAIL;
	setvbuf(stdout, NULL, _IOLBF, 0);
	dirs_init();
	if (!s.count && world_init(&world)) {
		printf("Bail out! %s\n", world.error);
		return KSFT_FAIL;
	}
	s.locks = s.count || world_has_locks();
	api = s.count || world_has_api();
	if (optind < argc) {
		s.way[WAY_API] &= api;
		tally_lines(&s, argv + optind, argc - optind);
		return s.failures ? KSFT_FAIL : KSFT_PASS;
	}
	one_way = nr_tests(&o);
	groups = s.way[WAY_API] && s.locks && api && o.groups > 0;
	printf("KTAP version 1\n1..%d\n", groups +
	       one_way * (s.way[WAY_API] + s.way[WAY_CLASSIC]));
	if (!s.locks)
		puts("# locked mounts are left out: not reported by this kernel");
	if (s.way[WAY_API] && !api) {
		s.way[WAY_API] = false;
		while (s.tests < one_way)
			printf("ok %d %s # SKIP no mount_setgroup(2)\n",
			       ++s.tests, way_names[WAY_API]);
	}
	for (int way = 0; way < NR_WAYS; way++)
		if (s.way[way])
			all_tests(&s, &o, way);
	if (groups)
		random_groups(&s, &o);
	printf("# %.1f s in all\n", tally_seconds() - start);
	if (!s.count)
		world_drop(&world);
	if (!s.way[WAY_CLASSIC] && !s.way[WAY_API])
		return KSFT_SKIP;
	return s.failures ? KSFT_FAIL : KSFT_PASS;
}
