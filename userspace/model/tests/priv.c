// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Tests of privilege: what the new calls allow is what was allowed before, but
 * for what is named, and harms nobody.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <string.h>

#include "tests/priv.h"

struct run {
	struct priv_counts *counts;
	int depth;
	unsigned int look, found;
	struct model b;
	bool fresh;	/* @b is as before the call: the last was refused */
	struct new_move move;
};

static const char *try_move(struct run *r, const struct model *a,
			    const struct new_move *v, unsigned int caps)
{
	enum reach how;

	r->counts->tried++;
	if (!r->fresh && model_copy(&r->b, a))
		return "out of memory";
	r->fresh = new_move(&r->b, v, caps) < 0;
	if (r->fresh)
		return NULL;
	r->counts->made++;
	r->found = priv_invariants(a, &r->b, v, caps, r->depth);
	if (!(r->found & 1u << BAD_STATE)) {
		how = how_reached(a, &r->b, v, caps);
		r->counts->reached[how]++;
		if (how == REACH_UNNAMED)
			r->found |= 1u << BAD_UNNAMED;
	}
	r->found &= r->look;
	r->move = *v;
	return r->found ? bad_names[__builtin_ctz(r->found)] : NULL;
}

static const char *each_group(const struct start *s, struct model *a,
			      unsigned int caps, void *arg)
{
	const char *bad = NULL;
	struct run *r = arg;
	struct new_move v;
	int number = 0;

	r->counts->starts++;
	r->fresh = false;
	while (!bad && next_group_move(s->nr, &number, &v))
		bad = try_move(r, a, &v, caps);
	return bad;
}

static const char *each_bind(const struct start *s, struct model *a,
			     unsigned int caps, void *arg)
{
	const char *bad = NULL;
	struct run *r = arg;
	struct new_move v;

	r->counts->starts++;
	for (int turned = 0; turned < 2 && !bad; turned++) {
		int number = 0;

		a->above = priv_above(caps, turned);
		r->fresh = false;
		while (!bad && next_bind_move(s->nr, caps, &number, &v))
			/* what is behind a lock can't be named */
			if (priv_window(a, v.src) >> v.dir & 1)
				bad = try_move(r, a, &v, caps);
	}
	return bad;
}

static void print_move(const struct new_move *v, char *line, size_t size)
{
	size_t n = strlen(line);

	if (v->what == MOVE_BIND) {
		snprintf(line + n, size - n, " then bind %d dir %d on %d at %d%s%s from ns %d",
			 v->src, v->dir, v->dst, v->at, v->rec ? " rec" : "",
			 v->unlocked ? " unlocked" : "", v->from);
		return;
	}
	n += snprintf(line + n, size - n, " then setgroup flags %u named %d:",
		      v->flags, v->named);
	for (int k = 0; k < v->nr && n < size; k++)
		n += snprintf(line + n, size - n, " %d", v->member[k]);
}

int priv_space(const struct priv_space *p, unsigned int bad,
	       struct priv_counts *counts, char *line, size_t size)
{
	struct run r = { .counts = counts, .depth = p->depth, .look = bad };
	const char *what;

	what = each_start(&p->scope, p->binds ? each_bind : each_group, &r, line);
	if (what)
		print_move(&r.move, line, size);
	model_free(&r.b);
	return !what ? -1 : r.found ? __builtin_ctz(r.found) : BAD_STATE;
}

/*
 * caps 6: one owner is out of the caller's power; 4: two are; 7: none.  One
 * root for all, where more would be too much.  First those that the rules are
 * tried on, by their number.
 */
static const struct priv_space spaces[] = {
	{ "two mounts", { 2, 0, 3, 6, false, true, true }, false, 3 },
	{ "two and a child", { 2, 1, 3, 6, false, true, false }, false, 2 },
	{ "two and two children", { 2, 2, 3, 6, false, true, false }, false, 2 },
	{ "three mounts", { 3, 0, 3, 6, false, true, false }, false, 2 },
	{ "three and a child", { 3, 1, 3, 6, false, true, false }, false, 2 },
	{ "three and two children", { 3, 2, 1, 6, false, false, false }, false, 2 },
	{ "power over all", { 3, 1, 3, 7, true, true, false }, false, 2 },
	{ "power over one", { 3, 1, 3, 4, true, true, false }, false, 2 },
	{ "four mounts", { 4, 0, 3, 6, false, false, true }, false, 2 },
	{ "four, power over all", { 4, 0, 3, 7, false, false, false }, false, 2 },
	{ "four, power over one", { 4, 0, 3, 4, false, false, false }, false, 2 },
	{ "four, on one another, one root", { 4, 0, 1, 6, false, true, false }, false, 2 },
	{ "four and a child, one root", { 4, 1, 1, 6, false, false, false }, false, 2 },
	{ "binds, two mounts", { 2, 0, 3, 6, false, true, true }, true, 0 },
	{ "binds, two and a child", { 2, 1, 3, 6, false, true, false }, true, 0 },
	{ "binds, three mounts, one root", { 3, 0, 1, 6, false, true, false }, true, 0 },
	{ "binds, three mounts", { 3, 0, 3, 6, false, false, false }, true, 0 },
	{ "binds, four mounts, one root", { 4, 0, 1, 6, false, false, false }, true, 0 },
};

#define NR_SPACES	((int)(sizeof(spaces) / sizeof(*spaces)))

/* Minutes each, most of them. */
static const struct priv_space further[] = {
	{ "four, on one another", { 4, 0, 3, 6, false, true, false }, false, 2 },
	{ "four, on one another, power over all", { 4, 0, 3, 7, false, true, false }, false, 2 },
	{ "four, on one another, power over one", { 4, 0, 3, 4, false, true, false }, false, 2 },
	{ "three and a child, power over all", { 3, 1, 3, 7, false, true, false }, false, 2 },
	{ "three and a child, power over one", { 3, 1, 3, 4, false, true, false }, false, 2 },
	{ "three and two children, three roots", { 3, 2, 3, 6, false, false, false }, false, 2 },
	{ "four and a child, three roots", { 4, 1, 3, 6, false, false, false }, false, 2 },
	{ "binds, three mounts, on one another", { 3, 0, 3, 6, false, true, false }, true, 0 },
	{ "binds, three and a child", { 3, 1, 3, 6, false, false, false }, true, 0 },
	{ "binds, power over all", { 2, 1, 3, 7, false, true, false }, true, 0 },
	{ "binds, power over one", { 2, 1, 3, 4, false, true, false }, true, 0 },
	{ "binds, four mounts", { 4, 0, 3, 6, false, false, false }, true, 0 },
};

#define NR_FURTHER	((int)(sizeof(further) / sizeof(*further)))

/* What each rule is there for: without it this happens, in a space of those. */
static const struct {
	enum model_mutant mutant;
	enum priv_bad bad;
	int space;
} without[] = {
	{ MUT_CAPABLE_MEMBER,	BAD_CHANGED,		0 },
	{ MUT_CAPABLE_NAMED,	BAD_SENDS,		0 },
	{ MUT_CAPABLE_NAMED,	BAD_HEARS,		0 },
	{ MUT_PRIVATE_ONLY,	BAD_STATE,		0 },
	{ MUT_SUPERBLOCK,	BAD_SUPERBLOCKS,	1 },
	{ MUT_UNBINDABLE,	BAD_STATE,		0 },
	{ MUT_ROOTS,		BAD_SENDS,		3 },
	{ MUT_ROOTS,		BAD_HEARS,		3 },
	{ MUT_OBSTRUCTED,	BAD_SENDS,		3 },
	{ MUT_OBSTRUCTED,	BAD_HEARS,		3 },
	{ MUT_OBSTRUCTED,	BAD_BENEATH,		0 },
	{ MUT_UNBOUNDED,	BAD_SENDS,		3 },
	{ MUT_UNBOUNDED,	BAD_HEARS,		3 },
	{ MUT_UNBOUNDED_ABOVE,	BAD_HEARS,		3 },
	{ MUT_UNBOUNDED_BELOW,	BAD_SENDS,		3 },
	{ MUT_PAIR_LOCK,	BAD_BENEATH,		0 },
	{ MUT_PAIR_LOCK,	BAD_TAKEN_LOCKED,	2 },
	{ MUT_PAIR_OWNER,	BAD_TAKEN,		5 },
	{ MUT_PAIR_UNCONTAINED,	BAD_BENEATH,		0 },
	{ MUT_FOREIGN_SOURCE,	BAD_HEARS,		13 },
	{ MUT_FOREIGN_SOURCE,	BAD_UNNAMED,		13 },
	{ MUT_FOREIGN_DEST,	BAD_UNNAMED,		13 },
	{ MUT_BIND_UNBINDABLE,	BAD_COPY_UNBINDABLE,	13 },
	{ MUT_CLONE_LOCKED,	BAD_COPY_UNLOCKED,	14 },
	{ MUT_ATTACH_FREE,	BAD_SHED,		13 },
	{ MUT_ATTACH_COPIES,	BAD_SHED,		14 },
	{ MUT_ATTACH_ALWAYS,	BAD_KEPT,		13 },
	{ MUT_ATTACH_SAME_OWNER, BAD_KEPT,		13 },
	{ MUT_ATTACH_UNLOCKED,	BAD_UNNAMED,		13 },
};

#define NR_WITHOUT	((int)(sizeof(without) / sizeof(*without)))

static bool happens(int i, char *line, size_t size)
{
	struct priv_counts counts = { 0 };

	return priv_space(&spaces[without[i].space], 1u << without[i].bad,
			  &counts, line, size) >= 0;
}

int priv_nr_tests(void)
{
	return NR_SPACES + 1 + NR_WITHOUT;
}

void priv_print_counts(const struct priv_counts *c)
{
	printf("# %llu starts, %llu calls, %llu succeed",
	       (unsigned long long)c->starts, (unsigned long long)c->tried,
	       (unsigned long long)c->made);
	for (int i = 0; i < REACH_MAX; i++)
		if (c->reached[i])
			printf("; %llu %s", (unsigned long long)c->reached[i],
			       reach_names[i]);
	putchar('\n');
}

static void test_space(const struct priv_space *p, report_fn *report,
		       struct priv_counts *sum)
{
	struct priv_counts counts = { 0 };
	char name[128], line[2 * PRIV_LINE] = "";
	int bad = priv_space(p, ~0u, &counts, line, sizeof(line));

	snprintf(name, sizeof(name), "privilege: %s", p->name);
	report(name, bad < 0 ? NULL : bad_names[bad], line);
	priv_print_counts(&counts);
	for (int k = 0; k < REACH_MAX; k++)
		sum->reached[k] += counts.reached[k];
}

int priv_further(report_fn *report)
{
	struct priv_counts sum = { 0 };

	for (int i = 0; report && i < NR_FURTHER; i++)
		test_space(&further[i], report, &sum);
	return NR_FURTHER;
}

void priv_tests(report_fn *report)
{
	struct priv_counts sum = { 0 };
	const char *none = NULL;
	char name[128];

	for (int i = 0; i < NR_SPACES; i++)
		test_space(&spaces[i], report, &sum);
	for (int k = 0; k < REACH_UNNAMED; k++)
		if (!sum.reached[k])
			none = reach_names[k];
	report("privilege: each way and each exception occurs", none, "");
	for (int i = 0; i < NR_WITHOUT; i++) {
		char line[2 * PRIV_LINE] = "";
		bool bad;

		model_mutant = without[i].mutant;
		snprintf(name, sizeof(name), "privilege: without %s %s",
			 model_mutant_names[model_mutant],
			 bad_names[without[i].bad]);
		bad = happens(i, line, sizeof(line));
		report(name, bad ? NULL : "it does not", "");
		if (bad)
			printf("# by %s\n", line);
	}
	model_mutant = MUT_NONE;
}
