// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How many topologies of a kind were restored, and why the others were not.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <inttypes.h>
#include <stdio.h>

#include "class.h"

const char *class_reach(const struct scene *s)
{
	return s->own_only ? "only its own mounts" : "the whole filesystem";
}

void class_add(struct class *c, const struct restoration *x)
{
	c->tried++;
	for (int b = 0; b < NR_BACKENDS; b++) {
		if (x->wrong[b])
			c->wrong[b]++;
		else if (x->refused[b])
			c->refused[b][x->refused[b] - refusals]++;
		else if (x->restored[b])
			c->restored[b]++;
	}
}

static void print_name(const struct class *c, char *name, size_t size)
{
	int n = snprintf(name, size, "%s", c->name);

	if (c->n)
		snprintf(name + n, size - n, ", %d mount%s", c->n,
			 c->n > 1 ? "s" : "");
}

/* "RULE N, RULE N", after @before. */
static bool print_refusals(const struct class *c, int b, const char *before)
{
	bool any = false;

	for (int k = 0; k < NR_REFUSALS; k++) {
		if (!c->refused[b][k])
			continue;
		printf("%s%s %" PRIu64, any ? ", " : before, refusals[k].rule,
		       c->refused[b][k]);
		any = true;
	}
	return any;
}

int class_report(const struct class *c, int first,
		 const char *const skip[NR_BACKENDS])
{
	char name[64];
	int bad = 0;

	print_name(c, name, sizeof(name));
	printf("# %" PRIu64 " topologies, %.1f s\n", c->tried, c->seconds);
	for (int b = 0; b < NR_BACKENDS; b++) {
		bool fail = !skip[b] && (c->wrong[b] ||
					 (c->none_is_wrong && !c->tried));

		if (!skip[b]) {
			printf("# %s: %" PRIu64 " restored, %" PRIu64 " wrong",
			       backend_names[b], c->restored[b], c->wrong[b]);
			print_refusals(c, b, "; refused: ");
			puts("");
		}
		printf("%sok %d %s, %s, %s%s%s\n", fail ? "not " : "",
		       first + b, name, class_reach(&c->scene),
		       backend_names[b], skip[b] ? " # SKIP " : "",
		       skip[b] ? skip[b] : "");
		bad += fail;
	}
	fflush(stdout);
	return bad;
}

static void print_row(const struct class *c, const char *const *skip)
{
	const char *sep = "  ";
	char name[64], before[64];

	print_name(c, name, sizeof(name));
	printf("# %-38s %-20s %5" PRIu64 " %5" PRIu64, name,
	       class_reach(&c->scene), c->exist, c->tried);
	for (int b = 0; b < NR_BACKENDS; b++) {
		if (skip[b])
			printf(" %8s", "-");
		else
			printf(" %8" PRIu64, c->restored[b]);
	}
	for (int b = 0; b < NR_BACKENDS; b++) {
		snprintf(before, sizeof(before), "%s%s: ", sep,
			 backend_names[b]);
		if (print_refusals(c, b, before))
			sep = "; ";
		if (!c->wrong[b])
			continue;
		printf("%s%s: wrong %" PRIu64, sep, backend_names[b],
		       c->wrong[b]);
		sep = "; ";
	}
	puts("");
}

void class_matrix(const struct class *c, int n,
		  const char *const skip[NR_BACKENDS])
{
	printf("# %-38s %-20s %5s %5s %8s %8s  refused\n", "class", "in reach",
	       "exist", "tried", backend_names[EXTENDED],
	       backend_names[UPSTREAM]);
	for (int i = 0; i < n; i++)
		print_row(&c[i], skip);
	for (int k = 0; k < NR_REFUSALS; k++) {
		uint64_t sum[NR_BACKENDS] = { 0 };

		for (int i = 0; i < n; i++)
			for (int b = 0; b < NR_BACKENDS; b++)
				sum[b] += c[i].refused[b][k];
		printf("# %s, extended %" PRIu64 ", upstream %" PRIu64 ": %s\n",
		       refusals[k].rule, sum[EXTENDED], sum[UPSTREAM],
		       refusals[k].why);
	}
}
