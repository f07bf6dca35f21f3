// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * history: operations on mounts at random, in the kernel and in the model.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#define _GNU_SOURCE
#include <errno.h>
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
"history that fails is printed, cut down to the shortest that fails so, and printed\n"
"again; either, saved to a file, is replayed by the second form.  Nothing done is a\n"
"failure, and so is, in 10000 steps, an operation that was never done.  As root;\n"
"leaves nothing behind.  Without SEED= it is the time, or 1 for shards.\n"
"\n"
"  --steps N    so many steps in all (60000)\n"
"  --length N   so many to a history, then all starts anew (200)\n"
"  --limit N    no more than so many mounts at a time (32)\n"
"  --never W    no operation W, or propagation type W; may be given again\n"
"  --replay F   that history, step by step\n"
"  --extended   this kernel has to have the series' calls\n"
"  --no-log     nobody looks at the kernel's log\n"
"  --uncut      a history that fails is not cut down\n"
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
	bool verbose, extended, no_log, uncut;
	int rules;	/* to so many operations; 0: the model as it is */
	char again[256];	/* what has to be given for the same histories */
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
	for (int i = 1; i < MUT_HELD_MAX; i++)
		if (model_mutant_names[i] && !strcmp(model_mutant_names[i], name)) {
			model_mutant = i;
			return true;
		}
#endif
	fprintf(stderr, "%s: no such rule\n", name);
	return false;
}

/* And nothing else. */
static bool number(const char *s, long min, long max, long *n)
{
	char *end;

	errno = 0;
	*n = strtol(s, &end, 10);
	if (*s && !*end && !errno && *n >= min && *n <= max)
		return true;
	fprintf(stderr, "%s: no number from %ld to %ld\n", s, min, max);
	return false;
}

static bool setting(struct options *o, const char *s)
{
	char end;

	/* half of the number that a history begins with */
	if (sscanf(s, "SEED=%" SCNu64 "%c", &o->seed, &end) == 1)
		return o->seed && !(o->seed >> 32);
	return sscanf(s, "SHARD=%d/%d%c", &o->shard, &o->shards, &end) == 2 &&
	       o->shards > 0 && o->shard >= 0 && o->shard < o->shards;
}

static void remember(struct options *o, const char *option, const char *value)
{
	size_t n = strlen(o->again);

	snprintf(o->again + n, sizeof(o->again) - n, " --%s %s", option, value);
}

static int parse(struct options *o, int argc, char **argv)
{
	static const struct option list[] = {
		{ "steps", 1, NULL, 's' }, { "length", 1, NULL, 'l' },
		{ "limit", 1, NULL, 'm' }, { "never", 1, NULL, 'n' },
		{ "replay", 1, NULL, 'r' }, { "verbose", 0, NULL, 'v' },
		{ "extended", 0, NULL, 'x' }, { "no-log", 0, NULL, 'g' },
		{ "uncut", 0, NULL, 'c' },
#ifdef MODEL_MUTANTS
		{ "broken", 1, NULL, 'b' }, { "rules", 1, NULL, 'u' },
#endif
		{ "help", 0, NULL, 'h' }, { 0 },
	};
	long n = 0;
	int c, i;

	*o = (struct options) {
		.steps = 60000, .length = 200, .chance.limit = 32, .shards = 1,
	};
	while ((c = getopt_long(argc, argv, "", list, &i)) != -1) {
		if ((strchr("slu", c) && !number(optarg, 1, 1 << 30, &n)) ||
		    (c == 'm' && !number(optarg, 5, 200, &n)))
			return -1;
		if (strchr("slmnb", c))
			remember(o, list[i].name, optarg);
		if (c == 's')
			o->steps = n;
		else if (c == 'l')
			o->length = n;
		else if (c == 'm')
			o->chance.limit = n;
		else if (c == 'u')
			o->rules = n;
		else if (c == 'r')
			o->replay = optarg;
		else if (c == 'v')
			o->verbose = true;
		else if (c == 'x')
			o->extended = true;
		else if (c == 'g')
			o->no_log = true;
		else if (c == 'c')
			o->uncut = true;
		else if (c == 'n' && !chance_never(&o->chance, optarg))
			return fprintf(stderr, "%s: no such operation\n", optarg), -1;
		else if (c == 'b' && !broken(optarg))
			return -1;
		else if (c == 'h')
			return fputs(usage, stdout), 1;
		else if (c == '?')
			return fputs(usage, stderr), -1;
	}
	for (; optind < argc; optind++)
		if (!setting(o, argv[optind]))
			return fputs(usage, stderr), -1;
	/* shards have to be those of one whole */
	if (!o->seed)
		o->seed = o->shards > 1 ? 1 : (uint32_t)time(NULL);
	return 0;
}

/* A history of at least one operation. */
static bool read_file(const char *name, struct history *y)
{
	FILE *f = fopen(name, "r");
	int err;

	if (!f)
		return perror(name), false;
	err = history_read(y, f);
	fclose(f);
	if (!err && !y->nr)
		fprintf(stderr, "%s: no operation\n", name);
	return !err && y->nr;
}

static int replay(const char *name, const struct history *y)
{
	bool ok;

	/* as when it was cut down */
	run.careful = true;
	ok = run_all(&run, y);
	if (!ok) {
		printf("# %s\n# the model has:\n", run.what);
		world_print(&run.h, stdout);
	}
	printf("# %d operations, %" PRIu64 " skipped\n", y->nr, run.skipped);
	if (ok && run.skipped) {
		puts(run.done ? "# some of them could not be done" :
		     "# none of them could be done");
		ok = false;
	}
	printf("%sok 1 %s\n", ok ? "" : "not ", name);
	return ok ? KSFT_PASS : KSFT_FAIL;
}

/* What was counted is left as it is. */
static int cut_down(struct history *y)
{
	const struct run was = run;
	int tries;

	run.careful = true;
	tries = shrink(&run, y);
	run.careful = false;
	run.done = was.done;
	run.refused = was.refused;
	run.skipped = was.skipped;
	run.most = was.most;
	run.from_held = was.from_held;
	run.to_held = was.to_held;
	run.elsewhere = was.elsewhere;
	memcpy(run.of, was.of, sizeof(run.of));
	return tries;
}

static void report(const struct options *o, struct history *y, long n)
{
	int nr = y->nr, tries;

	printf("# SEED=%" PRIu64 ", history %ld: %s\n", o->seed, n, run.what);
	printf("# again: history%s SEED=%" PRIu64 " SHARD=%ld/%ld\n", o->again, o->seed,
	       n, (o->steps + o->length - 1) / o->length);
	puts("# as it was made up, for --replay:");
	history_print(y, stdout);
	if (run.failure.kind == CANNOT) {
		puts("# it could not be done, which says nothing of the kernel");
		return;
	}
	if (o->uncut)
		return;
	tries = cut_down(y);
	printf("# cut down from %d to %d in %d tries: %s\n", nr, y->nr, tries,
	       *run.what ? run.what : "does not fail again");
	puts("# the model has:");
	world_print(&run.h, stdout);
	puts("# the history, for --replay:");
	history_print(y, stdout);
}

static void totals(long histories, double start)
{
	printf("# %ld histories, %" PRIu64 " steps, %" PRIu64 " refused, %" PRIu64
	       " that nothing was made up for, up to %d mounts, %.1f s\n", histories,
	       run.done, run.refused, run.unmade, run.most, seconds() - start);
	for (int i = 0; i < NR_OPS; i++)
		printf("# %s: %" PRIu64 " done, %" PRIu64 " refused, %" PRIu64
		       " made up and not tried\n", op_verb(i), run.of[i].done,
		       run.of[i].refused, run.of[i].left);
}

/* So with what no verb of its own has. */
static bool enough_held(const struct options *o)
{
	const unsigned int takes = 1u << OP_OPEN | 1u << OP_ATTACH | 1u << OP_FOREIGN;
	const struct {
		const char *what;
		const struct count *of;
	} held[] = {
		{ "from a detached tree", &run.from_held },
		{ "to a detached tree", &run.to_held },
	};
	bool ok = true;

	for (int i = 0; i < 2; i++) {
		printf("# %s: %" PRIu64 " done, %" PRIu64 " refused\n", held[i].what,
		       held[i].of->done, held[i].of->refused);
		if (run.done < 10000 || !world.by_id || o->chance.never & takes ||
		    held[i].of->done >= run.done / 2000)
			continue;
		printf("# too few: %s\n", held[i].what);
		ok = false;
	}
	printf("# elsewhere than they can be used: %" PRIu64 " done, %" PRIu64 " refused\n",
	       run.elsewhere.done, run.elsewhere.refused);
	return ok;
}

/* Operations that this kernel has. */
static unsigned int possible(void)
{
	const unsigned int series = 1u << OP_FOREIGN | 1u << OP_SETGROUP |
				    1u << OP_SET_GROUP | 1u << OP_LOCK |
				    1u << OP_RENAME | 1u << OP_RMDIR |
				    1u << OP_OPEN | 1u << OP_ATTACH;

	if (!world.by_id)
		return ~series;
	return world.locks ? ~0u : ~(1u << OP_LOCK);
}

/*
 * Enough of each operation has to be done, and be refused where it can be: else a
 * generator that went astray would pass.
 */
static bool enough(const struct options *o)
{
	const unsigned int refusable = 1u << OP_BIND | 1u << OP_UMOUNT | 1u << OP_MOVE |
				       1u << OP_PIVOT | 1u << OP_FOREIGN |
				       1u << OP_SETGROUP | 1u << OP_SET_GROUP |
				       1u << OP_ATTACH;
	unsigned int here = possible() & ~o->chance.never;
	const bool all_bindable = o->chance.never_type >> MODEL_UNBINDABLE & 1;
	uint64_t done = run.done / 1000, refused = run.done / 10000;
	bool ok = enough_held(o) && run.done;

	/* the only namespace is not dropped */
	if (o->chance.never >> OP_CLONE & 1)
		here &= ~(1u << OP_DROP);
	/* nor what has not been opened attached */
	if (o->chance.never >> OP_OPEN & 1)
		here &= ~(1u << OP_ATTACH);

	if (!run.done)
		puts("# nothing was done");
	for (int i = 0; i < NR_OPS && run.done >= 10000; i++) {
		bool few = run.of[i].done < done;

		if (refusable >> i & 1 && !(i == OP_BIND && all_bindable))
			few |= run.of[i].refused < refused;
		if (!few || !(here >> i & 1))
			continue;
		printf("# too few: %s\n", op_verb(i));
		ok = false;
	}
	return ok;
}

/* How many of them; the last one, if it failed, is in @y, and its number in @at. */
static long histories(const struct options *o, struct history *y, bool *ok, long *at)
{
	long nr = 0;

	*ok = true;
	for (long n = o->shard; *ok && n * o->length < o->steps; n += o->shards) {
		struct chance c = o->chance;

		c.seed = ((o->seed << 32) + n + 1) * 0x9e3779b97f4a7c15ULL;
		/* without the series' calls most of these would be skipped */
		c.begins = world.by_id ? c.seed >> 62 : ANYHOW;
		c.first = c.begins == ANYHOW ? 0 : o->length * 3 / 5;
		nr++;
		*at = n;
		*ok = run_random(&run, &c, o->length, y);
	}
	return nr;
}

#ifdef MODEL_MUTANTS
/* What is printed is the history: read again, it fails in the same way. */
static bool read_back(const struct history *y, const struct failure *so)
{
	struct history again = { 0 };
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	bool same;

	if (f) {
		history_print(y, f);
		fclose(f);
	}
	f = size ? fmemopen(text, size, "r") : NULL;
	run.careful = true;
	same = f && !history_read(&again, f) && again.nr == y->nr &&
	       !run_all(&run, &again) && same_failure(&run.failure, so);
	run.careful = false;
	if (f)
		fclose(f);
	free(text);
	free(again.op);
	return same;
}

/* NULL, or why this does not show that the rule is missed. */
static const char *missed(const struct options *o, struct history *y, int rule)
{
	struct failure so;
	bool ok;
	long n;

	model_mutant = rule;
	y->nr = 0;
	if (!histories(o, y, &ok, &n))
		return "no history";
	if (ok)
		return "nothing differs";
	if (run.failure.kind != ERRNO && run.failure.kind != STATE)
		return run.what;
	so = run.failure;
	printf("# SEED=%" PRIu64 ", history %ld: %s\n", o->seed, n, run.what);
	cut_down(y);
	if (!same_failure(&run.failure, &so))
		return "it does not differ again";
	history_print(y, stdout);
	if (!y->nr || y->nr > o->rules)
		return "that many operations";
	if (!read_back(y, &so))
		return "what is printed does not differ";
	model_mutant = MUT_NONE;
	return run_all(&run, y) ? NULL : "it fails with the rule as well";
}

/* Every rule is missed if it is broken. */
static int all_rules(const struct options *o)
{
	struct history y = { 0 };
	int status = KSFT_PASS;

	printf("KTAP version 1\n1..%d\n", MUT_MAX - 1 + MUT_HELD_MAX - MUT_HELD);
	for (int i = 1, n = 1; i < MUT_HELD_MAX; i++, n++) {
		const char *why = missed(o, &y, i);

		if (why) {
			status = KSFT_FAIL;
			printf("# %s\n", why);
		}
		if (why && run.failure.kind == CANNOT) {
			printf("Bail out! %s\n", run.what);
			break;
		}
		printf("%sok %d %s is missed, %d operations show it\n",
		       why ? "not " : "", n, model_mutant_names[i], y.nr);
		if (i == MUT_MAX - 1)
			i = MUT_HELD - 1;
	}
	free(y.op);
	return status;
}
#endif

static int random_ones(const struct options *o)
{
	double start = seconds();
	struct history y = { 0 };
	long nr, n = 0;
	bool ok;

	puts("KTAP version 1\n1..1");
	nr = histories(o, &y, &ok, &n);
	if (!ok)
		report(o, &y, n);
	totals(nr, start);
	ok = ok && enough(o);
	free(y.op);
	printf("%sok 1 random histories, SEED=%" PRIu64 "\n", ok ? "" : "not ", o->seed);
	return ok ? KSFT_PASS : KSFT_FAIL;
}

static int bail_out(const char *what, const char *why)
{
	printf("KTAP version 1\nBail out! %s%s\n", what, why);
	return KSFT_FAIL;
}

int main(int argc, char **argv)
{
	struct history y = { 0 };
	struct options o;
	int status = parse(&o, argc, argv);

	if (status)
		return status < 0 ? KSFT_FAIL : KSFT_PASS;
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* what it takes from outside, before the world is another one */
	if (o.replay && !read_file(o.replay, &y))
		return KSFT_FAIL;
	if (run_init(&run, &world, !o.no_log))
		return bail_out("/dev/kmsg: ", strerror(errno));
	if (world_init(&world))
		return bail_out("", world.error);
	if (o.extended && !(world.by_id && world.locks))
		return bail_out("this kernel does not have all of the series' calls", "");
	if (o.verbose || o.replay)
		run.say = stdout;
	if (o.replay) {
		puts("KTAP version 1\n1..1");
		status = replay(o.replay, &y);
	} else if (o.rules) {
#ifdef MODEL_MUTANTS
		status = all_rules(&o);
#endif
	} else {
		status = random_ones(&o);
	}
	world_drop(&world);
	run_free(&run);
	free(y.op);
	return status;
}
