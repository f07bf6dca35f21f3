// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How many topologies of a kind were restored, and why the others were not.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sweep/class.h"

const char *class_reach(const struct scene *s)
{
	return s->own_only ? "only its own mounts" : "the whole filesystem";
}

const char *class_other(const struct scene *s)
{
	static const char *const other[NR_OTHERS] = {
		[NO_OTHER] = "", [OTHER_COPY] = ", another owner's copy",
		[OTHER_PEERS] = ", another owner's peers",
	};

	return other[s->other];
}

void class_add(struct class *c, const struct restoration *x)
{
	c->tried++;
	for (int b = 0; b < NR_BACKENDS; b++) {
		const struct refusal *f = x->refused[b];

		if (x->wrong[b]) {
			c->wrong[b]++;
		} else if (f) {
			c->refused[b][f - refusals]++;
			c->seen[f - refusals] += x->seen[b];
		} else if (x->restored[b]) {
			c->restored[b]++;
		}
	}
}

static void print_name(const struct class *c, char *name, size_t size)
{
	if (c->kind == TREES)
		snprintf(name, size, "trees on %d mounts, %s%s", c->n, c->name,
			 class_other(&c->scene));
	else if (c->kind == STRUCTURES)
		snprintf(name, size, "%s%s%s, %d mount%s", c->name,
			 c->locked ? ", locked in one another" : "",
			 class_other(&c->scene), c->n, c->n > 1 ? "s" : "");
	else
		snprintf(name, size, "%s", c->name);
}

/* "N of TOTAL" */
static const char *print_counts(const struct class *c, char *buf, size_t size)
{
	if (c->exist >= 0 && (uint64_t)c->exist == c->tried)
		snprintf(buf, size, "%" PRIu64, c->tried);
	else
		snprintf(buf, size, "%" PRIu64 " of %" PRId64, c->tried,
			 c->exist);
	return buf;
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

static const char *why_skipped(const struct class *c, int b,
			       const struct report *r)
{
	return r->skip[b] ? r->skip[b] :
	       !c->tried && c->left_out ? "this kernel has no way to them" : NULL;
}

/* Whatever was tried was restored, or refused by a rule, or is wrong. */
static uint64_t unaccounted(const struct class *c, int b)
{
	uint64_t n = c->restored[b] + c->wrong[b];

	for (int k = 0; k < NR_REFUSALS; k++)
		n += c->refused[b][k];
	return c->tried - n;
}

static bool failed(const struct class *c, int b, const struct report *r)
{
	bool none = !c->tried && !r->none_is_fine;

	if (c->exist <= 0)
		printf("# there are none: %" PRId64 "\n", c->exist);
	else if (none)
		puts("# no topology tried");
	if (unaccounted(c, b))
		printf("# %s: %" PRIu64 " neither restored nor refused\n",
		       backend_names[b], unaccounted(c, b));
	return none || c->exist <= 0 || c->wrong[b] || unaccounted(c, b);
}

int class_report(const struct class *c, int first, const struct report *r)
{
	char name[96], counts[64];
	int bad = 0;

	print_name(c, name, sizeof(name));
	printf("# %s topologies, %.1f s\n",
	       print_counts(c, counts, sizeof(counts)), c->seconds);
	for (int b = 0; b < NR_BACKENDS; b++) {
		const char *skip = why_skipped(c, b, r);
		bool fail = false;

		if (!skip) {
			printf("# %s: %" PRIu64 " restored, %" PRIu64 " wrong",
			       backend_names[b], c->restored[b], c->wrong[b]);
			print_refusals(c, b, "; refused: ");
			puts("");
			fail = failed(c, b, r);
		}
		printf("%sok %d %s, %s, %s%s%s\n", fail ? "not " : "",
		       first + b, name, class_reach(&c->scene),
		       backend_names[b], skip ? " # SKIP " : "",
		       skip ? skip : "");
		bad += fail;
	}
	fflush(stdout);
	return bad;
}

static void print_row(const struct class *c, const struct report *r)
{
	char name[96], before[64], counts[64];
	const char *sep = "  ";

	print_name(c, name, sizeof(name));
	printf("# %-54s %-20s %12s", name, class_reach(&c->scene),
	       print_counts(c, counts, sizeof(counts)));
	for (int b = 0; b < NR_BACKENDS; b++) {
		if (why_skipped(c, b, r))
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
	if (c->left_out)
		printf("%snot built: %" PRIu64, sep, c->left_out);
	puts("");
}

/* What it says, and how often the kernel has been seen to refuse that. */
static void print_rule(const struct class *c, int n, int k,
		       const struct report *r)
{
	uint64_t sum[NR_BACKENDS] = { 0 };
	uint64_t seen = refusals[k].reason == LOCKED && r->lock_refused;

	for (int i = 0; i < n; i++) {
		for (int b = 0; b < NR_BACKENDS; b++)
			sum[b] += c[i].refused[b][k];
		seen += c[i].seen[k];
	}
	printf("# %s, extended %" PRIu64 ", upstream %" PRIu64 ": %s%s%s, ",
	       refusals[k].rule, sum[EXTENDED], sum[UPSTREAM], refusals[k].why,
	       refusals[k].err ? ": " : "",
	       refusals[k].err ? strerrorname_np(refusals[k].err) : "");
	if (seen)
		printf("seen %" PRIu64 " time%s\n", seen, seen > 1 ? "s" : "");
	else
		puts(sum[EXTENDED] || sum[UPSTREAM] ?
		     "not asked of this kernel" : "not met");
}

void class_matrix(const struct class *c, int n, const struct report *r)
{
	bool left_out = false;

	printf("# %-54s %-20s %12s %8s %8s  refused\n", "class", "in reach",
	       "tried", backend_names[EXTENDED], backend_names[UPSTREAM]);
	for (int i = 0; i < n; i++) {
		print_row(&c[i], r);
		left_out |= c[i].left_out;
	}
	for (int k = 0; k < NR_REFUSALS; k++)
		print_rule(c, n, k, r);
	if (left_out)
		puts("# not built: those with locks, without the series' calls");
}
