// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How many operations and descriptors a plan takes; random topologies.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sys/mount.h>

#include "plan-checker.h"

/* One superblock on n mountpoints, all in one group or none. */
static void many(uint32_t n, uint64_t group)
{
	uint32_t r, m, i;
	char mp[16];

	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	for (i = 0; i < n; i++) {
		snprintf(mp, sizeof(mp), "/m%u", i);
		m = add(0, 11 + i, r, 1, "/", mp);
		if (group)
			share(m, group, 0);
	}
	finish();
}

static void chain(uint32_t n)
{
	uint32_t up = MC_NONE, m, i;

	start(1);
	for (i = 0; i < n; i++) {
		m = add(0, 10 + i, up, 1, "/", i ? "/d" : "/");
		share(m, 1000 + i, i ? 999 + i : 0);
		up = m;
	}
	finish();
}

static void operations_grow_linearly(void)
{
	static const enum mntcr_api apis[] = {
		MNTCR_API_EXTENDED, MNTCR_API_UPSTREAM,
	};
	uint64_t steps[2];
	uint32_t ops[2], shape, a, i;

	for (a = 0; a < 2; a++) {
		for (shape = 0; shape < 3; shape++) {
			for (i = 0; i < 2; i++) {
				uint32_t n = i ? 16000 : 4000;

				if (shape < 2)
					many(n, shape * 5);
				else
					chain(n);
				REQUIRE(!make(apis[a], NULL));
				steps[i] = p->steps;
				ops[i] = p->nr_ops;
				/* clone, attach; group by group in the chain */
				CHECK(ops[i] < (shape == 2 ? 3 : 2) * n + n / 50 + 30);
				done();
			}
			CHECK(ops[1] < 4.1 * ops[0]);
			/* n log n: 4.7 */
			CHECK(steps[1] < 4.8 * steps[0]);
		}
	}
}

/* Every mount of a chain below a cover is fetched from a copy of its tree. */
static void covered_chains_grow_linearly(void)
{
	uint64_t steps[2];
	uint32_t i, k, n, m, up, sb;

	for (i = 0; i < 2; i++) {
		n = i ? 8000 : 2000;
		start(1);
		up = add(0, 10, MC_NONE, 0, "/", "/");
		for (k = 0; k < n; k++) {
			sb = mc_topology_add_sb(t);
			REQUIRE(sb != MC_NONE);
			t->sbs[sb].minor = 100 + k;
			t->sbs[sb].type = "ext4";
			m = add(0, 11 + k, up, 0, "/", "/d");
			t->mounts[m].sb = sb;
			up = m;
		}
		add(0, 11 + n, 1, 0, "/", "/");
		finish();
		REQUIRE(!make(MNTCR_API_UPSTREAM, NULL));
		steps[i] = p->steps;
		done();
	}
	CHECK(steps[1] < 4.8 * steps[0]);
}

static void few_descriptors(void)
{
	struct mc_plan_options o = { .fd_budget = 100, .batch = 10 };
	struct checker c;

	many(2000, 5);
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	CHECK(p->peak_fds < 200);
	CHECK(count(MC_OP_RELEASE, MC_SPILL) > 10);
	CHECK_EQ(count(MC_OP_GROUP, MOUNT_SETGROUP_SHARED), 1);
	CHECK(count(MC_OP_GROUP, MOUNT_SETGROUP_PEER) >= 2000 / 51);
	c = check();
	CHECK(c.most < 200);
	CHECK(c.most_detached <= 2);
	/* without a limit: one call says the group */
	REQUIRE(!make(MNTCR_API_EXTENDED, NULL));
	CHECK_EQ(count(MC_OP_GROUP, 0), 1);
	CHECK(p->peak_fds > 2000);
	check();
	done();
}

/* Whatever the shape: a restore with a limit is not refused for lack of them. */
static void the_limit_is_kept(void)
{
	static const uint32_t budgets[] = { 64, 100, 192, 500 };
	uint32_t shape, i, k, r;
	char mp[32];

	for (shape = 0; shape < 6; shape++) {
		if (shape < 2) {
			many(2000, shape * 5);
		} else if (shape == 2) {
			chain(2000);
		} else {
			/* all of one level before the next; three components */
			start(1);
			r = add(0, 10, MC_NONE, 0, "/", "/");
			for (i = 0; i < 1000; i++) {
				snprintf(mp, sizeof(mp), "/a/b/m%u", i);
				share(add(0, 11 + i, r, 1, "/", mp), 5, 0);
			}
			for (i = 0; i < 1000; i++) {
				k = add(0, 2000 + i, r + 1 + i, shape == 4, "/",
					shape == 5 ? "/" : "/x/y");
				share(k, shape == 4 ? 5 : 1000 + i, 0);
			}
			if (shape == 5)
				for (i = 0; i < 3; i++)
					share(add(0, 5000 + i, r + 1 + i, 1,
						  "/", "/z/z"), 0, 5);
			finish();
		}
		for (k = 0; k < 8; k++) {
			struct mc_plan_options o = {
				.fd_budget = budgets[k / 2],
				.batch = budgets[k / 2] / 8 + 1,
				.prefer_fresh = k & 1,
			};
			uint32_t nr;

			REQUIRE(!make(MNTCR_API_EXTENDED, &o));
			nr = check().most;
			if (nr > o.fd_budget || p->peak_fds > o.fd_budget)
				TAP_SAY("shape %u, %u of %u", shape, p->peak_fds,
					o.fd_budget);
			CHECK(p->peak_fds <= o.fd_budget);
		}
		done();
	}
}

static uint32_t seed;

static uint32_t any(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static void random_topology(uint32_t n)
{
	static const char *const roots[] = { "/", "/a", "/a/b", "/b", "/c/d/e" };
	static const char *const dirs[] = {
		"/p", "/p/q", "/p/q/r", "/s", "/t/u", "/", "/v", "/w", "/x/y/z",
	};
	uint32_t ns, i, m, up, tries, c, first, nr_ns = 1 + any(3), g;
	uint64_t id = 10;

	start(nr_ns);
	for (ns = 0; ns < nr_ns; ns++) {
		first = add(ns, id++, MC_NONE, any(3), "/", "/");
		for (i = 1; i < n; i++) {
			const char *mp = "/";
			bool taken = true;

			for (tries = 0; taken && tries < 20; tries++) {
				up = first + any(i);
				mp = dirs[any(9)];
				taken = false;
				for (c = first; c < t->nr_mounts; c++)
					if (t->mounts[c].parent == up &&
					    !strcmp(t->mounts[c].mountpoint, mp))
						taken = true;
			}
			if (taken)
				break;
			m = add(ns, id, up, any(3), roots[any(5)], mp);
			id += 1 + any(3);
			/* every superblock has groups of its own */
			g = t->mounts[m].sb * 100;
			switch (any(6)) {
			case 0:
				share(m, g + 1 + any(2), 0);
				break;
			case 1:
				share(m, 0, g + 1 + any(2));
				break;
			case 2:
				share(m, g + 10, g + 1);
				break;
			case 3:
				t->mounts[m].unbindable = !any(3);
				break;
			}
		}
	}
	finish();
}

/* Roots that are detached at a time, each of which counts. */
static uint32_t most_trees(uint32_t nr_ns, enum mntcr_api api)
{
	struct mc_plan_options o = { .whole_trees = true };
	uint32_t i, now = 0, most = 0;
	const struct mc_op *op;

	start(nr_ns);
	for (i = 0; i < nr_ns; i++)
		add(i, i + 1, MC_NONE, 0, "/", "/");
	finish();
	REQUIRE(!make(api, &o));
	for (i = 0; i < p->nr_ops; i++) {
		op = &p->ops[i];
		if (op->type == MC_OP_CLONE && ++now > most)
			most = now;
		if (op->type == MC_OP_ATTACH)
			now--;
	}
	CHECK_EQ(now, 0);
	done();
	return most;
}

static void few_trees_at_a_time(void)
{
	static const enum mntcr_api apis[] = {
		MNTCR_API_EXTENDED, MNTCR_API_UPSTREAM,
	};
	size_t a;

	for (a = 0; a < 2; a++) {
		CHECK_EQ(most_trees(MC_MOST_TREES, apis[a]), MC_MOST_TREES);
		CHECK(most_trees(MC_MOST_TREES + 1, apis[a]) < 4);
	}
}

static void any_topology_is_planned_soundly(void)
{
	struct mc_plan_options o = { 0 };
	uint32_t i, planned = 0;
	char *a, *b;

	for (i = 0; i < 2000; i++) {
		seed = i;
		random_topology(2 + any(40));
		memset(&o, 0, sizeof(o));
		o.fd_budget = any(2) ? 40 + any(40) : 0;
		o.batch = any(3) ? 1 + any(20) : 0;
		o.prefer_fresh = any(2);
		o.whole_trees = any(2);
		if (!make(any(2) ? MNTCR_API_EXTENDED : MNTCR_API_UPSTREAM, &o)) {
			planned++;
			check();
			a = text();
			REQUIRE(!make(o.api, &o));
			b = text();
			CHECK(!strcmp(a, b));
			free(a);
			free(b);
		} else {
			REQUIRE(e.code == MNTCR_REFUSED);
		}
		done();
		if (tap.bad) {
			TAP_SAY("seed %u", i);
			return;
		}
	}
	CHECK(planned > 500);
}

int main(void)
{
	TAP_RUN(operations_grow_linearly);
	TAP_RUN(covered_chains_grow_linearly);
	TAP_RUN(few_descriptors);
	TAP_RUN(the_limit_is_kept);
	TAP_RUN(few_trees_at_a_time);
	TAP_RUN(any_topology_is_planned_soundly);
	return tap_done();
}
