// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Tests of the sweep: what its shards go through adds up to the whole.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * propsweep itself says what it would do: of each class how many topologies of
 * how many, and a sum over all of them in which the order does not count.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tests.h"

#define MAX_CLASSES	64

struct counted {
	int nr;
	struct count {
		uint64_t done, exist, sum;
		char name[96];
	} class[MAX_CLASSES];
};

const char *test_propsweep;

static const char *count(const char *args, struct counted *n)
{
	char command[512], line[512], sep;
	const char *bad = NULL;
	struct count c = { 0 };
	FILE *f = NULL;
	char *sum;

	n->nr = 0;
	snprintf(command, sizeof(command), "'%s' -c -r 3 -n 3 %s",
		 test_propsweep, args);
	f = popen(command, "r");
	EXPECT(f);
	while (fgets(line, sizeof(line), f)) {
		sum = strstr(line, "sum ");
		if (sum && sscanf(line, "# %" SCNu64 " of %" SCNu64, &c.done,
				  &c.exist) == 2)
			c.sum = strtoull(sum + 4, NULL, 16);
		/* "ok 3 name, SEED=7, way" */
		if (sscanf(line, "ok %*d%c%95[^\n]", &sep, c.name) != 2)
			continue;
		EXPECT(n->nr < MAX_CLASSES);
		n->class[n->nr++] = c;
		memset(&c, 0, sizeof(c));
	}
	EXPECT(n->nr);
out:
	if (f && pclose(f) && !bad)
		bad = "propsweep -c fails";
	return bad;
}

/* @args: more of them; the random ones are the same with and without. */
static const char *add_up(int shards, const char *args, const char *whole_args)
{
	struct counted *whole = malloc(sizeof(*whole));
	struct counted *part = malloc(sizeof(*part));
	struct counted *all = calloc(1, sizeof(*all));
	const char *bad = NULL;

	EXPECT(whole && part && all);
	bad = count(whole_args, whole);
	for (int i = 0; i < shards && !bad; i++) {
		char shard[128];

		snprintf(shard, sizeof(shard), "%s SHARD=%d/%d", args, i, shards);
		bad = count(shard, part);
		if (bad)
			break;
		EXPECT(part->nr == whole->nr);
		for (int k = 0; k < part->nr; k++) {
			EXPECT(!strcmp(part->class[k].name, whole->class[k].name));
			EXPECT(part->class[k].exist == whole->class[k].exist);
			all->class[k].done += part->class[k].done;
			all->class[k].sum += part->class[k].sum;
		}
	}
	for (int k = 0; !bad && k < whole->nr; k++) {
		EXPECT(whole->class[k].done);
		EXPECT(all->class[k].done == whole->class[k].done);
		EXPECT(all->class[k].sum == whole->class[k].sum);
	}
out:
	free(whole);
	free(part);
	free(all);
	return bad;
}

static const char *two(void)
{
	return add_up(2, "SEED=77", "SEED=77");
}

/* They are not told a seed and have the same one even so. */
static const char *five(void)
{
	return add_up(5, "", "SEED=1");
}

static const char *more_than_there_are(void)
{
	return add_up(1000, "-s 2 -n 0 -r 0 -b 0 -x 3 -g 3",
		      "-s 2 -n 0 -r 0 -b 0 -x 3 -g 3 SEED=1");
}

const struct named_test shard_tests[] = {
	{ "two, with a seed", two },
	{ "five, without", five },
	{ "more than there are topologies", more_than_there_are },
	{ NULL, NULL }
};
