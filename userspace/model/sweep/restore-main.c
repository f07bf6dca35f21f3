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

#include "sweep/class.h"
#include "base/base.h"

static const char usage[] =
"usage: restoresweep [options] [TOPOLOGY...]\n"
"\n"
"Builds sharing topologies, dumps them, restores them from the live ones with\n"
"both backends and compares what comes out with the reference model, by\n"
"structure and by events: with the whole filesystem in reach, and with nothing\n"
"but the topology's own mounts.  A refusal must be one that the topology calls\n"
"for, and the kernel must refuse what its rule says.  Prints KTAP: a test for\n"
"each class and backend; then what each restored.\n"
"A topology given as an argument is restored in every way, with the plans.\n"
"\n"
"  -s N      one namespace, one root: up to N mounts (6)\n"
"  -n N      up to three namespaces: up to N mounts (4)\n"
"  -r N      roots on the binary tree of directories: up to N mounts (3)\n"
"  -o N      with a copy of the namespace that another owner has, which receives\n"
"            or is a peer; locked in one another: up to N mounts (2)\n"
"  -b N      trees that are not uniform: on N base mounts in up to three\n"
"            namespaces (2; 0: none)\n"
"  -x N      so many random ones, of up to 24 mounts in 6 namespaces (100)\n"
"  -p N      of those with the most mounts one in N only (1)\n"
"  -t N      of the trees one in N only, which ones SEED says (4)\n"
"  -a API    only \"extended\" or \"upstream\"\n"
"  -c        only counts what would be tried on a kernel that has all calls\n"
"\n"
"Environment, or as arguments: SHARD=i/n (only every n-th, from the i-th on,\n"
"counted from 0), SEED=N (of the random ones, of some trees; with SHARD: 1).\n";

enum { KSFT_PASS, KSFT_FAIL, KSFT_SKIP = 4 };

static struct {
	int max[4], random, base;
	uint64_t part, one_in;
	bool count;
	struct each each;
	struct report report;
} opt;

static struct world world;
static int home, tests, failures;
static struct means means;

#define TREE_NS		3
#define MAX_CLASSES	96
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

static void print_failure(const struct run *r, const char *who)
{
	const struct restoration *x = r->data;

	printf("# %s with %s in reach%s: after %s: %s\n", who,
	       class_reach(&x->scene), class_other(&x->scene), r->step, r->what);
}

/* The least topology where it still goes wrong, and how. */
static void explain(struct run *r)
{
	struct restoration *x = r->data;
	struct layout least_layout;
	struct topo least;

	if (x->wrong[EXTENDED] != x->wrong[UPSTREAM])
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

static void use_backends(struct restoration *x)
{
	for (int b = 0; b < NR_BACKENDS; b++)
		x->use[b] = !opt.report.skip[b];
}

#define EXPLAINED	2

static void restore_one(void *data, struct class *c, const struct pick *p)
{
	struct restoration x = { .scene = c->scene, .home = home };
	struct run r = {
		.w = &world, .t = p->t, .l = &p->l, .way = p->way,
		.hash = p->hash, .locks = means.locks,
		.test = restore_topology, .data = &x,
	};
	int *wrong = data;

	use_backends(&x);
	if (restore_topology(&r)) {
		class_add(c, &x);
		return;
	}
	class_add(c, &x);
	print_topology(&r, "topology");
	print_failure(&r, x.wrong[EXTENDED] == x.wrong[UPSTREAM] ? "both" :
		      backend_names[x.wrong[UPSTREAM]]);
	if (++*wrong <= EXPLAINED)
		explain(&r);
}

static void sweep(struct class *c)
{
	double start = now();
	int wrong = 0;

	if (c->one_in > 1)
		printf("# of these one in %" PRIu64 " gone through, SEED=%" PRIu64 "\n",
		       c->one_in, opt.each.seed);
	else if (c->kind == RANDOM)
		printf("# SEED=%" PRIu64 "\n", opt.each.seed);
	class_walk(c, &opt.each, &means, restore_one, &wrong);
	c->seconds = now() - start;
	failures += class_report(c, tests + 1, &opt.report);
	tests += NR_BACKENDS;
}

/* --- the classes ----------------------------------------------------------- */

static int add_class(struct class c)
{
	if (!c.one_in)
		c.one_in = 1;
	for (int own_only = 0; own_only < 2; own_only++) {
		if (nr_classes == MAX_CLASSES) {
			fprintf(stderr, "too many classes\n");
			return -1;
		}
		c.scene.own_only = own_only;
		classes[nr_classes++] = c;
	}
	return 0;
}

static int add_structures(void)
{
	static const struct {
		const char *name;
		int nr_ns, least, max;
		bool roots;
		enum other other;
		bool locked;
	} space[] = {
		{ "one namespace", 1, 1, 0, false, NO_OTHER, false },
		{ "three namespaces", 3, 2, 1, false, NO_OTHER, false },
		{ "roots", 1, 1, 2, true, NO_OTHER, false },
		{ "roots", 1, 2, 3, true, NO_OTHER, true },
		{ "roots", 1, 1, 3, true, OTHER_COPY, false },
		{ "roots", 1, 1, 3, true, OTHER_PEERS, false },
	};
	int err = 0;

	for (int k = 0; k < 6; k++) {
		int max = opt.max[space[k].max];

		if ((space[k].other || space[k].locked) && !means.locks)
			continue;
		for (int n = space[k].least; n <= max && !err; n++)
			err = add_class((struct class) {
				.kind = STRUCTURES, .name = space[k].name,
				.n = n, .nr_ns = space[k].nr_ns,
				.roots = space[k].roots,
				.locked = space[k].locked,
				.scene.other = space[k].other,
				.one_in = n == max && n > 2 ? opt.part : 1,
			});
	}
	return err;
}

static int add_trees(enum other other, int nr)
{
	int err = 0;

	for (int k = 0; k < nr && opt.base > 0 && !err; k++)
		err = add_class((struct class) {
			.kind = TREES, .name = tree_classes[k].name,
			.tree = &tree_classes[k], .n = opt.base,
			.nr_ns = TREE_NS, .scene.other = other,
			.one_in = opt.one_in,
		});
	return err;
}

static int add_classes(void)
{
	int err;

	err = add_class((struct class) { .kind = KNOWN, .name = "known ones" });
	if (!err)
		err = add_structures();
	if (!err)
		err = add_trees(NO_OTHER, NR_TREE_CLASSES);
	if (!err && means.locks)
		err = add_trees(OTHER_COPY, 1);
	if (!err && opt.random > 0)
		err = add_class((struct class) {
			.kind = RANDOM, .name = "random", .n = opt.random,
		});
	return err;
}

static void check_shards(void)
{
	const struct class *wrong;
	bool ok = class_shards_add_up(classes, nr_classes, &opt.each, &means,
				      &wrong);

	if (!ok)
		printf("# not those of \"%s\", %d\n", wrong->name, wrong->n);
	printf("%sok %d shards add up\n", ok ? "" : "not ", ++tests);
	failures += !ok;
}

/* Where no call locks mounts, no topology has locks either: asked once. */
static void check_locks(void)
{
	struct run r = { .w = &world };
	bool ok = lock_is_refused(&r);

	if (!ok)
		printf("# %s\n", r.what);
	printf("%sok %d locks are refused\n", ok ? "" : "not ", ++tests);
	opt.report.lock_refused = ok;
	failures += !ok;
}

static void count_one(void *data, struct class *c, const struct pick *p)
{
	(void)data;
	(void)p;
	c->tried++;
}

/* --- topologies given as arguments ------------------------------------------ */

/* In every way, with the plans and, where it goes wrong, the states. */
static bool replay(const char *line)
{
	struct pick p = { 0 };
	struct topo t;
	bool ok = true;

	if (each_parse(line, &t, &p.l)) {
		printf("# not a topology: %s\n", line);
		return false;
	}
	for (int k = 0; k < 2 * NR_OTHERS * 16; k++) {
		uint64_t seed = k / (2 * NR_OTHERS);
		struct restoration x = {
			.scene = { k & 1, k / 2 % NR_OTHERS }, .home = home,
			.plan = k < 2 * NR_OTHERS,
		};
		struct run r = {
			.w = &world, .t = &t, .l = &p.l, .locks = means.locks,
			.test = restore_topology, .data = &x, .show = stdout,
			.hash = topo_next_random(&seed),
		};

		if (x.scene.other && !means.locks)
			continue;
		p.t = &t;
		p.hash = r.hash;
		if (!choose_way(&means, &p)) {
			printf("# this kernel has no way to it\n");
			return false;
		}
		r.way = p.way;
		use_backends(&x);
		if (x.plan)
			printf("# %s in reach%s\n", class_reach(&x.scene),
			       class_other(&x.scene));
		if (restore_topology(&r))
			continue;
		print_failure(&r, way_names[r.way]);
		ok = false;
	}
	return ok;
}

static int choose_backend(const char *name)
{
	const char **skip = opt.report.skip;

	for (int b = 0; b < NR_BACKENDS; b++)
		skip[b] = strcmp(name, backend_names[b]) ? "not asked for" : NULL;
	if (!skip[EXTENDED] || !skip[UPSTREAM])
		return 0;
	fprintf(stderr, "%s: no such backend\n", name);
	return -1;
}

static int parse(int argc, char **argv)
{
	int max[] = { 6, 4, 3, 2 }, c;

	memcpy(opt.max, max, sizeof(max));
	opt.random = 100;
	opt.part = 1;
	opt.one_in = 4;
	opt.base = 2;
	if (each_init(&opt.each, argc, argv))
		return -1;
	/* all shards have to draw the same */
	if (getenv("SHARD") && !getenv("SEED"))
		opt.each.seed = 1;
	opt.report.none_is_fine = opt.each.shards > 1;
	while ((c = getopt(argc, argv, "s:n:r:o:b:x:p:t:a:ch")) != -1) {
		switch (c) {
		case 's':
		case 'n':
		case 'r':
		case 'o':
			opt.max[strchr("snro", c) - "snro"] = atoi(optarg);
			break;
		case 'b':
			opt.base = atoi(optarg);
			break;
		case 'x':
			opt.random = atoi(optarg);
			break;
		case 'p':
			opt.part = atoi(optarg) > 1 ? atoi(optarg) : 1;
			break;
		case 't':
			opt.one_in = atoi(optarg) > 1 ? atoi(optarg) : 1;
			break;
		case 'a':
			if (choose_backend(optarg))
				return -1;
			break;
		case 'c':
			opt.count = true;
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

static int replay_all(int argc, char **argv)
{
	printf("KTAP version 1\n1..%d\n", argc - optind);
	for (int k = optind; k < argc; k++) {
		bool ok = replay(argv[k]);

		printf("%sok %d %s\n", ok ? "" : "not ", ++tests, argv[k]);
		failures += !ok;
	}
	return failures ? KSFT_FAIL : KSFT_PASS;
}

static int count_all(void)
{
	opt.report.skip[EXTENDED] = opt.report.skip[UPSTREAM] = "not built";
	means = (struct means) { true, true };
	if (add_classes())
		return KSFT_FAIL;
	printf("KTAP version 1\n1..1\n");
	check_shards();
	for (int i = 0; i < nr_classes; i++)
		class_walk(&classes[i], &opt.each, &means, count_one, NULL);
	class_matrix(classes, nr_classes, &opt.report);
	return failures ? KSFT_FAIL : KSFT_PASS;
}

int main(int argc, char **argv)
{
	double start = now();

	if (parse(argc, argv))
		return KSFT_FAIL;
	setvbuf(stdout, NULL, _IOLBF, 0);
	dirs_init();
	if (opt.count)
		return count_all();
	if (make_home() || world_init(&world)) {
		printf("Bail out! %s: %s\n", strerror(errno), world.error);
		return KSFT_FAIL;
	}
	means.locks = world_has_locks();
	means.api = world_has_api();
	if (!means.api)
		opt.report.skip[EXTENDED] = "no mount_setgroup(2)";
	if (optind < argc)
		return replay_all(argc, argv);
	if (add_classes())
		return KSFT_FAIL;
	printf("KTAP version 1\n1..%d\n",
	       NR_BACKENDS * nr_classes + 1 + !means.api);
	if (!means.locks)
		puts("# other owners are left out: this kernel reports no locks");
	check_shards();
	if (!means.api)
		check_locks();
	for (int i = 0; i < nr_classes; i++)
		sweep(&classes[i]);
	world_drop(&world);
	class_matrix(classes, nr_classes, &opt.report);
	printf("# %.1f s\n", now() - start);
	return failures ? KSFT_FAIL : KSFT_PASS;
}
