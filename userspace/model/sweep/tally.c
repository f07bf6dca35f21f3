// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What came of one class of topologies, built one way.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sweep/tally.h"

#define HASH	" HASH="

double tally_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

struct tally tally_start(struct sweep *s, enum way way)
{
	return (struct tally) { .s = s, .way = way, .start = tally_seconds() };
}

/* As it can be given back: with what was left to choice. */
static void print_topology(const struct run *r, const char *what)
{
	char line[2 * TOPO_LINE];

	each_print(r->t, r->l, line, sizeof(line));
	printf("# %s: %s" HASH "0x%" PRIx64 "\n", what, line, r->hash);
}

/* Mounts can be locked on any kernel, but not all say which ones are. */
const char *tally_not(const struct sweep *s, const struct topo *t,
		      const struct layout *l)
{
	for (int i = 0; i < t->nr; i++)
		if (l->locked[i] && !s->locks)
			return "this kernel does not say which mounts are locked";
	return NULL;
}

/* All that the three have to say on one topology. */
static void explain(struct sweep *s, struct run *r, bool least_too)
{
	struct layout least_layout;
	struct topo least;

	print_topology(r, "topology");
	printf("# after %s, %s: %s\n", r->step, way_names[r->way], r->what);
	if (least_too && shrink(r, &least, &least_layout))
		print_topology(r, "the least that differs");
	for (int way = 0; way < NR_WAYS; way++) {
		struct run one = *r;

		if (!s->way[way] || tally_not(s, r->t, r->l))
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

static void add_to_sum(struct tally *c, const struct topo *t,
		       const struct layout *l, uint64_t hash)
{
	char line[2 * TOPO_LINE];

	each_print(t, l, line, sizeof(line));
	for (const char *p = line; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 0x100000001b3;
	c->sum += hash;
}

static void look_at(struct tally *c, const struct topo *t,
		    const struct layout *l)
{
	bool nested = false, below = false;

	for (int i = 0; i < t->nr; i++) {
		nested |= l->on[i] >= 0;
		below |= l->on[i] >= 0 && topo_hears(t, i, l->on[i]);
	}
	c->nested += nested;
	c->below += below;
}

void tally_one(struct tally *c, const struct topo *t, const struct layout *l,
	       uint64_t hash)
{
	struct sweep *s = c->s;
	struct run r = {
		.w = s->w, .t = t, .l = l, .way = c->way, .hash = hash,
		.locks = s->locks, .test = run_topology,
		.all_types = t->nr <= c->all_types,
	};
	const char *why = tally_not(s, t, l);

	if (why) {
		c->why = why;
		c->left_out++;
		return;
	}
	c->done++;
	look_at(c, t, l);
	if (s->count) {
		add_to_sum(c, t, l, hash);
	} else if (!run_topology(&r)) {
		if (c->differ < 3)
			explain(s, &r, !c->differ);
		c->differ++;
	}
}

void tally_done(struct tally *c, const char *name)
{
	struct sweep *s = c->s;
	bool none = !c->done && s->each.shards == 1;
	bool bad = c->differ || c->error || none;

	printf("# %" PRIu64 " of %" PRIu64, c->done, c->exist);
	if (!s->count)
		printf(" compared, %" PRIu64 " differ", c->differ);
	if (c->nested)
		printf("; %" PRIu64 " nested, %" PRIu64
		       " on what they receive from", c->nested, c->below);
	if (s->count)
		printf("; sum %016" PRIx64, c->sum);
	printf("; %.1f s\n", tally_seconds() - c->start);
	if (c->left_out)
		printf("# %" PRIu64 " left out: %s\n", c->left_out, c->why);
	if (c->error)
		printf("# %s\n", strerror(-c->error));
	if (none)
		puts("# nothing was compared");
	printf("%sok %d %s, %s\n", bad ? "not " : "", ++s->tests, name,
	       way_names[c->way]);
	fflush(stdout);
	s->failures += bad;
}

/* The hashes to try: those of the line, or some. */
static bool same_again(struct run *r, const char *hash)
{
	int n = hash ? 1 : 64;

	for (int k = 0; k < n; k++) {
		uint64_t seed = k;

		r->hash = hash ? strtoull(hash, NULL, 0) :
			  topo_next_random(&seed);
		if (run_topology(r))
			continue;
		print_topology(r, "topology");
		printf("# %s: after %s: %s\n", way_names[r->way], r->step,
		       r->what);
		return false;
	}
	return true;
}

static bool one_line(struct sweep *s, char *line)
{
	char *hash = strstr(line, HASH), text[2 * TOPO_LINE];
	bool bad = false, any = false;
	struct layout l;
	struct topo t;

	snprintf(text, sizeof(text), "%.*s",
		 hash ? (int)(hash - line) : (int)strlen(line), line);
	if (each_parse(text, &t, &l)) {
		puts("# not a topology");
		return false;
	}
	for (int way = 0; way < NR_WAYS; way++) {
		const char *why = tally_not(s, &t, &l);
		struct run r = {
			.w = s->w, .t = &t, .l = &l, .way = way, .each = true,
			.locks = s->locks, .show = stdout, .all_types = true,
		};

		if (!s->way[way])
			continue;
		if (why) {
			printf("# %s: left out: %s\n", way_names[way], why);
			continue;
		}
		any = true;
		bad |= !same_again(&r, hash ? hash + strlen(HASH) : NULL);
	}
	if (!any)
		puts("# it cannot be built here");
	return any && !bad;
}

void tally_lines(struct sweep *s, char **lines, int n)
{
	printf("KTAP version 1\n1..%d\n", n);
	for (int k = 0; k < n; k++) {
		bool ok = one_line(s, lines[k]);

		printf("%sok %d %s\n", ok ? "" : "not ", k + 1, lines[k]);
		s->failures += !ok;
	}
}
