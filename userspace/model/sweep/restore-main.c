// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * restoresweep: every sharing topology of a size, dumped and restored.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "class.h"
#include "each.h"
#include "sys.h"

static const char usage[] =
"usage: restoresweep [options] [TOPOLOGY...]\n"
"\n"
"Builds sharing topologies, dumps them, restores them from the live ones with\n"
"both backends and compares what comes out with the reference model, by\n"
"structure and by events: with the whole filesystem in reach, and with nothing\n"
"but the topology's own mounts.  A refusal must be one that the topology calls\n"
"for.  Prints KTAP: a test for each class and backend; then what each restored.\n"
"A topology given as an argument is restored in every way, with the plans.\n"
"\n"
"  -s N      one namespace, one root: up to N mounts (6)\n"
"  -n N      up to three namespaces: up to N mounts (4)\n"
"  -r N      roots on the binary tree of directories: up to N mounts (3)\n"
"  -o N      with a copy of the namespace that another owner has: up to N (2)\n"
"  -p N      of those with the most mounts only every N-th (8)\n"
"  -x N      so many random ones, of up to 24 mounts in 6 namespaces (40)\n"
"  -b API    only \"extended\" or \"upstream\"\n"
"\n"
"Environment, or as arguments: SHARD=i/n (only every n-th, from the i-th on,\n"
"counted from 0), SEED=N (of the random ones).\n";

enum { KSFT_PASS, KSFT_FAIL, KSFT_SKIP = 4 };

static struct {
	int max[4], random, part;
	const char *skip[NR_BACKENDS];	/* why it is not used, or NULL */
	struct each each;
} opt;

static struct world world;
static int home, tests, failures;
static bool locks;

#define MAX_CLASSES	64
static struct class classes[MAX_CLASSES];
static int nr_classes;

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

/* Where it went wrong, and the least topology where one still does. */
static void explain(struct run *r)
{
	struct restoration *x = r->data;
	struct layout least_layout;
	struct topo least;
	bool each = x->wrong[EXTENDED] != x->wrong[UPSTREAM];

	print_topology(r, "topology");
	printf("# %s with %s in reach: after %s: %s\n",
	       !each ? "both" : backend_names[x->wrong[UPSTREAM]],
	       class_reach(&x->scene), r->step, r->what);
	if (each)
		memcpy(x->use, x->wrong, sizeof(x->use));
	if (shrink(r, &least, &least_layout))
		print_topology(r, "the least that goes wrong");
	r->show = stdout;
	x->plan = true;
	if (r->test(r))
		printf("# now it is restored\n");
	else
		printf("# after %s: %s\n", r->step, r->what);
}

static struct run new_run(const struct topo *t, struct layout *l, uint64_t hash,
			  struct restoration *x)
{
	bool siblings = true;

	for (int i = 0; i < t->nr; i++)
		siblings &= l->on[i] < 0;
	return (struct run) {
		.w = &world, .t = t, .l = l, .hash = hash, .locks = locks,
		.test = restore_topology, .data = x,
		/* other places are out of reach of mount(2): shared parents */
		.way = world_has_api() && !(siblings && hash >> 7 & 1) ?
			WAY_API : WAY_CLASSIC,
	};
}

static void use_backends(struct restoration *x)
{
	for (int b = 0; b < NR_BACKENDS; b++)
		x->use[b] = !opt.skip[b];
}

static void one_topology(void *data, const struct topo *t, uint64_t hash)
{
	struct class *c = data;
	struct restoration x = { .scene = c->scene, .home = home };
	struct layout l;
	struct run r;
	bool ok;

	layout_siblings(&l);
	if (hash >> 60 & 1 && world_has_api() && !c->scene.other_owner)
		layout_random(t, &l, hash);
	use_backends(&x);
	r = new_run(t, &l, hash, &x);
	ok = restore_topology(&r);
	class_add(c, &x);
	if (!ok && c->wrong[EXTENDED] + c->wrong[UPSTREAM] < 4)
		explain(&r);
}

/* @nr_ns 0: the known ones; -1: random ones.  Of others every @part-th. */
static void sweep(const char *name, int n, int nr_ns, bool roots,
		  bool other_owner, int part)
{
	struct each some = opt.each;

	some.shards *= part;
	for (int own_only = 0; own_only < 2; own_only++) {
		struct class *c = &classes[nr_classes++];
		double start = now();
		int64_t exist;

		*c = (struct class) {
			.name = name, .n = n,
			.scene = { own_only, other_owner },
			.none_is_wrong = opt.each.shards == 1,
		};
		if (nr_ns > 0) {
			exist = each_structure(&some, n, nr_ns, roots,
					       one_topology, c);
			c->exist = exist < 0 ? 0 : exist;
			c->none_is_wrong |= exist < 0;
		} else if (nr_ns < 0) {
			each_random(&opt.each, opt.random, one_topology, c);
			c->exist = opt.random;
		} else {
			c->exist = each_known(&opt.each, one_topology, c);
		}
		c->seconds = now() - start;
		failures += class_report(c, tests + 1, opt.skip);
		tests += NR_BACKENDS;
	}
}

static const struct {
	const char *name;
	int nr_ns, least;
	bool roots, other_owner;
} space[] = {
	{ "one namespace", 1, 1, false, false },
	{ "three namespaces", 3, 2, false, false },
	{ "roots", 1, 1, true, false },
	{ "roots, another owner's copy", 1, 1, true, true },
};

static bool in_space(int k, int n)
{
	return n >= space[k].least && n <= opt.max[k] &&
	       (locks || !space[k].other_owner);
}

/* In every way, with the plans and, where it goes wrong, the states. */
static bool replay(const char *line)
{
	struct layout l;
	struct topo t;
	bool ok = true, siblings = !strchr(line, ':');

	if (each_parse(line, &t, &l)) {
		printf("# not a topology: %s\n", line);
		return false;
	}
	if (!world_has_api() && !siblings) {
		printf("# not with mount(2) alone\n");
		return false;
	}
	for (int k = 0; k < 4 * 16; k++) {
		uint64_t seed = k / 4;
		struct restoration x = {
			.scene = { k & 1, k >> 1 & 1 }, .home = home,
			.plan = k < 4,
		};
		struct run r;

		if (x.scene.other_owner &&
		    (!locks || !siblings || build_nr_ns(&t) > 1))
			continue;
		use_backends(&x);
		r = new_run(&t, &l, topo_next_random(&seed), &x);
		r.show = stdout;
		if (x.plan)
			printf("# %s in reach%s\n", class_reach(&x.scene),
			       x.scene.other_owner ?
			       ", with another owner's copy" : "");
		if (restore_topology(&r))
			continue;
		printf("# %s in reach%s: after %s: %s\n", class_reach(&x.scene),
		       x.scene.other_owner ? ", with another owner's copy" : "",
		       r.step, r.what);
		ok = false;
	}
	return ok;
}

static int parse(int argc, char **argv)
{
	int max[] = { 6, 4, 3, 2 }, c;

	memcpy(opt.max, max, sizeof(max));
	opt.random = 40;
	opt.part = 8;
	if (each_init(&opt.each, argc, argv))
		return -1;
	while ((c = getopt(argc, argv, "s:n:r:o:p:x:b:h")) != -1) {
		switch (c) {
		case 's':
		case 'n':
		case 'r':
		case 'o':
			opt.max[strchr("snro", c) - "snro"] = atoi(optarg);
			break;
		case 'x':
			opt.random = atoi(optarg);
			break;
		case 'p':
			opt.part = atoi(optarg) > 0 ? atoi(optarg) : 1;
			break;
		case 'b':
			for (int b = 0; b < NR_BACKENDS; b++)
				opt.skip[b] = strcmp(optarg, backend_names[b]) ?
					"not asked for" : NULL;
			if (opt.skip[EXTENDED] && opt.skip[UPSTREAM]) {
				fprintf(stderr, "%s: no such backend\n", optarg);
				return -1;
			}
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

/* The library wants /proc, and somewhere to write; its mounts are watched. */
static int make_home(void)
{
	if (mc_unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("restoresweep", "/tmp", "tmpfs", 0, NULL))
		return -1;
	home = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	return home < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
	double start = now();
	int plan = 1;

	if (parse(argc, argv))
		return KSFT_FAIL;
	setvbuf(stdout, NULL, _IOLBF, 0);
	build_init();
	if (make_home() || world_init(&world)) {
		printf("Bail out! %s: %s\n", strerror(errno), world.error);
		return KSFT_FAIL;
	}
	locks = world_has_locks();
	if (!world_has_api())
		opt.skip[EXTENDED] = "no mount_setgroup(2)";
	if (optind < argc) {
		printf("KTAP version 1\n1..%d\n", argc - optind);
		for (int k = optind; k < argc; k++) {
			bool ok = replay(argv[k]);

			printf("%sok %d %s\n", ok ? "" : "not ", ++tests, argv[k]);
			failures += !ok;
		}
		return failures ? KSFT_FAIL : KSFT_PASS;
	}
	for (int k = 0; k < 4; k++)
		for (int n = 1; n <= opt.max[k]; n++)
			plan += in_space(k, n);
	plan += opt.random > 0;
	if (2 * plan > MAX_CLASSES) {
		fprintf(stderr, "too many classes\n");
		return KSFT_FAIL;
	}
	printf("KTAP version 1\n1..%d\n", 2 * NR_BACKENDS * plan);
	if (!locks)
		puts("# other owners are left out: this kernel reports no locks");
	sweep("known ones", 0, 0, false, false, 1);
	for (int k = 0; k < 4; k++)
		for (int n = 1; n <= opt.max[k]; n++)
			if (in_space(k, n))
				sweep(space[k].name, n, space[k].nr_ns,
				      space[k].roots, space[k].other_owner,
				      n == opt.max[k] && n > 2 ? opt.part : 1);
	if (opt.random > 0) {
		printf("# SEED=%" PRIu64 "\n", opt.each.seed);
		sweep("random", 0, -1, false, false, 1);
	}
	world_drop(&world);
	class_matrix(classes, nr_classes, opt.skip);
	printf("# %.1f s\n", now() - start);
	return failures ? KSFT_FAIL : KSFT_PASS;
}
