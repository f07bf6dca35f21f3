// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Plans for which memory lacks once, wherever that is: they say so, and nothing else.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "nomem.h"
#include "plan-rows.h"

WRAP(void *, mc_plan_alloc, (struct mc_plan *of, size_t n), (of, n), NULL, true)

static struct mc_plan_options opts;

static unsigned int refusals;

static void count_refusal(void *data, const struct mntcr_refusal *r)
{
	refusals++;
}

/* What it prints, or by which rule it is refused, of how many. */
static char *outcome(struct mntcr_error *err)
{
	char *said = NULL;
	int ret;

	refusals = 0;
	opts.refused = count_refusal;
	ret = make(opts.api, &opts);
	left = -1;
	if (!ret)
		return text();
	*err = e;
	REQUIRE(asprintf(&said, "%u, [%s]", refusals, e.rule) > 0);
	return said;
}

static void each(enum mntcr_api api)
{
	opts.api = api;
	each_allocation(outcome, 20);
}

static void shared_by_two(void)
{
	opts = (struct mc_plan_options){ 0 };
	small();
	each(MNTCR_API_EXTENDED);
	each(MNTCR_API_UPSTREAM);
	done();
}

static void unlinked(uint64_t id, const char *root, const char *at, uint32_t nr)
{
	uint32_t m = add(0, id, 0, 1, root, at);

	t->mounts[m].root_deleted = true;
	t->mounts[m].unlinked = nr;
}

/* Roots that are unlinked again, in a fresh tmpfs and where a path leads. */
static void unlinked_roots(void)
{
	const struct mntcr_external x = { .key = "8:1", .path = "/srv" };

	opts = (struct mc_plan_options){ .ns_live = (bool[]){ false } };
	start(1);
	add(0, 10, MC_NONE, 1, "/", "/");
	unlinked(11, "/d/f", "/a", 1);
	unlinked(12, "/d/g", "/b", 2);
	t->sbs[sbs[1]].contents = true;
	finish();
	each(MNTCR_API_EXTENDED);
	each(MNTCR_API_UPSTREAM);
	opts.externals = &x;
	opts.nr_externals = 1;
	t->sbs[sbs[1]].type = "ext4";
	t->sbs[sbs[1]].options = "";
	each(MNTCR_API_EXTENDED);
	each(MNTCR_API_UPSTREAM);
	done();
}

/* What is refused names its mounts, by where they are. */
static void no_source(void)
{
	uint32_t r;

	opts = (struct mc_plan_options){ .ns_live = (bool[]){ false } };
	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	add(0, 11, r, 3, "/", "/a");
	finish();
	each(MNTCR_API_EXTENDED);
	done();
}

/* Slaves of what is outside of the image, alone, and a group of them. */
static void masters_outside(void)
{
	uint32_t r, i;

	opts = (struct mc_plan_options){ 0 };
	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	share(add(0, 11, r, 1, "/", "/a"), 0, 9);
	share(add(0, 12, r, 1, "/x", "/b"), 0, 9);
	for (i = 0; i < 2; i++)
		share(add(0, 13 + i, r, 1, "/y", i ? "/c" : "/d"), 7, 9);
	finish();
	each(MNTCR_API_EXTENDED);
	each(MNTCR_API_UPSTREAM);
	done();
	/* of which none is live that could be had from */
	opts.ns_live = (bool[]){ true, false };
	start(2);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	add(0, 11, r, 1, "/", "/a");
	r = add(1, 20, MC_NONE, 0, "/", "/");
	share(add(1, 21, r, 1, "/", "/a"), 0, 9);
	share(add(1, 22, r, 1, "/x", "/b"), 0, 9);
	finish();
	REQUIRE(make(MNTCR_API_EXTENDED, &opts));
	CHECK_STR(e.rule, "orphan-slave");
	each(MNTCR_API_EXTENDED);
	done();
}

/* So few descriptors that some are released and had again. */
static void in_pieces(void)
{
	char path[16];
	uint32_t r, i;

	opts = (struct mc_plan_options){ .fd_budget = 40 };
	start(1);
	r = add(0, 10, MC_NONE, 1, "/", "/");
	for (i = 0; i < 60; i++) {
		snprintf(path, sizeof(path), "/m%u", i);
		share(add(0, 11 + i, r, 1, "/", path), 5, 0);
	}
	finish();
	each(MNTCR_API_EXTENDED);
	each(MNTCR_API_UPSTREAM);
	done();
}

int main(void)
{
	TAP_RUN(shared_by_two);
	TAP_RUN(unlinked_roots);
	TAP_RUN(no_source);
	TAP_RUN(masters_outside);
	TAP_RUN(in_pieces);
	return tap_done();
}
