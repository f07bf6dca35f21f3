// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * history: operations on mounts at random, in the kernel and in the model.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "history/run.h"

static const char usage[] =
"usage: history [options] [SEED=N] [SHARD=i/n]\n"
"       history --replay FILE\n"
"\n"
"Makes up operations on mounts in several namespaces, does each in the kernel and\n"
"in the reference model, and compares: what was refused with what errno, all\n"
"mounts of all namespaces, their groups and masters, what the kernel's log says.\n"
"Every other step is an event: something is mounted, and unmounted again.  A\n"
"history that fails is cut down to the shortest that does, and printed; saved to a\n"
"file, it is replayed by the second form.  As root; leaves nothing behind.\n"
"\n"
"  --steps N    so many steps in all (20000)\n"
"  --length N   so many to a history, then all starts anew (200)\n"
"  --limit N    no more than so many mounts at a time (32)\n"
"  --never W    no operation W, or propagation type W; may be given again\n"
"  --replay F   that history, step by step\n"
"  --verbose    say each step\n"
#ifdef MODEL_MUTANTS
"  --broken R   with the model's rule R broken: has to fail\n"
"  --rules N    each rule of propagation in turn: has to fail, and to be cut down to\n"
"               N operations\n"
#endif
"  --help       this\n";

enum { KSFT_PASS, KSFT_FAIL, KSFT_SKIP = 4 };

struct options {
	long steps;
	int length;
	struct chance chance;
	uint64_t seed;
	int shard, shards;
	const char *replay;
	bool verbose;
	int rules;	/* to so many operations; 0: the model as it is */
};

static struct world world;
static struct run run;

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static bool broken(const char *name)
{
#ifdef MODEL_MUTANTS
	for (int i = 1; i < MUT_PRIV_MAX; i++)
		if (model_mutant_names[i] && !strcmp(model_mutant_names[i], name)) {
			model_mutant = i;
			return true;
		}
#endif
	fprintf(stderr, "%s: no such rule\n", name);
	return false;
}

static bool setting(struct options *o, const char *s)
{
	char end;

	if (sscanf(s, "SEED=%" SCNu64 "%c", &o->seed, &end) == 1)
		return true;
	return sscanf(s, "SHARD=%d/%d%c", &o->shard, &o->shards, &end) == 2 &&
	       o->shards > 0 && o->shard >= 0 && o->shard < o->shards;
}

static int parse(struct options *o, int argc, char **argv)
{
	static const struct option list[] = {
		{ "steps", 1, NULL, 's' }, { "length", 1, NULL, 'l' },
		{ "limit", 1, NULL, 'm' }, { "never", 1, NULL, 'n' }, { "replay", 1, NULL, 'r' },
		{ "verbose", 0, NULL, 'v' }, { "broken", 1, NULL, 'b' },
		{ "rules", 1, NULL, 'u' }, { "help", 0, NULL, 'h' }, { 0 },
	};
	int c;

	*o = (struct options) {
		.steps = 20000, .length = 200, .chance.limit = 32, .seed = 1, .shards = 1,
	};
	while ((c = getopt_long(argc, argv, "", list, NULL)) != -1) {
		if (c == 's')
			o->steps = atol(optarg);
		else if (c == 'l')
			o->length = atoi(optarg);
		else if (c == 'm')
			o->chance.limit = atoi(optarg);
		else if (c == 'r')
			o->replay = optarg;
		else if (c == 'v')
			o->verbose = true;
		else if (c == 'n' && !chance_never(&o->chance, optarg))
			return fprintf(stderr, "%s: no such operation\n", optarg), -1;
		else if (c == 'b' && !broken(optarg))
			return -1;
		else if (c == 'u')
			o->rules = atoi(optarg);
		else if (c == 'h')
			return fputs(usage, stdout), 1;
		else if (c == '?')
			return fputs(usage, stderr), -1;
	}
	for (; optind < argc; optind++)
		if (!setting(o, argv[optind]))
			return fputs(usage, stderr), -1;
	return o->length > 0 && o->chance.limit > 4 ? 0 : -1;
}

static int replay(const char *name)
{
	struct history y = { 0 };
	FILE *f = fopen(name, "r");
	bool ok = false;

	if (!f)
		perror(name);
	else if (!history_read(&y, f))
		ok = run_all(&run, &y);
	if (f)
		fclose(f);
	if (!ok && *run.what) {
		printf("# %s\n# the model has:\n", run.what);
		world_print(&run.h, stdout);
	}
	printf("# %" PRIu64 " skipped\n", run.skipped);
	free(y.op);
	printf("%sok 1 %s\n", ok ? "" : "not ", name);
	return ok ? KSFT_PASS : KSFT_FAIL;
}

static void report(struct history *y, uint64_t seed)
{
	int nr = y->nr, tries;

	printf("# seed %" PRIu64 ": %s\n", seed, run.what);
	run.careful = true;
	tries = shrink(&run, y);
	printf("# cut down from %d to %d in %d tries: %s\n", nr, y->nr, tries,
	       *run.what ? run.what : "does not fail again");
	printf("# the model has:\n");
	world_print(&run.h, stdout);
	printf("# the history, for --replay:\n");
	history_print(y, stdout);
	run.careful = false;
}

static void totals(long histories, double start)
{
	printf("# %ld histories, %" PRIu64 " steps, %" PRIu64 " refused, up to %d mounts,"
	       " %.1f s\n", histories, run.done, run.refused, run.most,
	       seconds() - start);
	for (int i = 0; i < NR_OPS; i++)
		printf("# %s: %" PRIu64 ", %" PRIu64 " of them refused\n",
		       op_verb(i), run.of[i], run.refused_of[i]);
}

/* How many of them; the last one, if it failed, is in @y. */
static long histories(const struct options *o, struct history *y, bool *ok)
{
	long nr = 0;

	*ok = true;
	for (long n = o->shard; *ok && n * o->length < o->steps; n += o->shards) {
		uint64_t seed = (o->seed << 32) + n + 1;
		struct chance c = o->chance;

		c.seed = seed * 0x9e3779b97f4a7c15ULL;
		nr++;
		*ok = run_random(&run, &c, o->length, y);
		if (!*ok)
			report(y, seed);
	}
	return nr;
}

/* Every rule is missed if it is broken. */
static int all_rules(const struct options *o)
{
	int status = KSFT_PASS;

#ifdef MODEL_MUTANTS
	struct history y = { 0 };

	printf("KTAP version 1\n1..%d\n", MUT_MAX - 1);
	for (int i = 1; i < MUT_MAX; i++) {
		bool ok;

		model_mutant = i;
		histories(o, &y, &ok);
		ok = !ok && y.nr <= o->rules;
		if (!ok)
			status = KSFT_FAIL;
		printf("%sok %d %s is missed, %d operations show it\n",
		       ok ? "" : "not ", i, model_mutant_names[i], y.nr);
	}
	free(y.op);
#else
	(void)o;
#endif
	return status;
}

int main(int argc, char **argv)
{
	double start = seconds();
	struct history y = { 0 };
	struct options o;
	long nr;
	bool ok;
	int err;

	err = parse(&o, argc, argv);
	if (err)
		return err < 0 ? KSFT_FAIL : KSFT_PASS;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (world_init(&world) || run_init(&run, &world)) {
		printf("KTAP version 1\nBail out! %s\n", world.error);
		return KSFT_FAIL;
	}
	if (o.rules)
		return all_rules(&o);
	puts("KTAP version 1\n1..1");
	if (o.verbose || o.replay)
		run.say = stdout;
	if (o.replay)
		return replay(o.replay);
	nr = histories(&o, &y, &ok);
	totals(nr, start);
	world_drop(&world);
	run_free(&run);
	free(y.op);
	printf("%sok 1 random histories, SEED=%" PRIu64 "\n", ok ? "" : "not ", o.seed);
	return ok ? KSFT_PASS : KSFT_FAIL;
}
