// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How groups are made: masters first, and what stands for a master outside.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sys/mount.h>

#include "plan-checker.h"

static void masters_come_first(void)
{
	uint32_t r, m[4], i, g, seen = 0;

	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	for (i = 0; i < 4; i++) {
		char mp[8];

		snprintf(mp, sizeof(mp), "/m%u", i);
		m[i] = add(0, 11 + i, r, 1, "/", mp);
	}
	share(m[0], 9, 8);
	share(m[1], 8, 7);
	share(m[2], 7, 0);
	share(m[3], 0, 9);
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, NULL));
	for (i = 0; i < p->nr_ops; i++) {
		if (p->ops[i].type != MC_OP_GROUP)
			continue;
		g = MC_REF_INDEX(p->list[p->ops[i].first]);
		CHECK_EQ(g, seen < 3 ? m[2 - seen] : m[3]);
		CHECK_EQ(p->ops[i].flags,
			 seen == 0 ? MOUNT_SETGROUP_SHARED :
			 seen < 3 ? MOUNT_SETGROUP_SHARED | MOUNT_SETGROUP_MASTER :
			 MOUNT_SETGROUP_MASTER);
		seen++;
	}
	CHECK_EQ(seen, 4);
	check();
	done();
}

static void orphans(void)
{
	struct mntcr_external master = { .key = "77", .path = "/srv" };
	struct mntcr_external ext = { .key = "8:0", .path = "/srv" };
	struct mc_plan_options o = {
		.ns_live = (bool[]){ false }, .externals = &ext, .nr_externals = 1,
	};
	struct mc_plan_options with = o;
	uint32_t r, m;

	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	m = add(0, 11, r, 0, "/", "/a");
	share(m, 0, 77);
	m = add(0, 12, r, 0, "/", "/b");
	share(m, 5, 77);
	finish();
	with.masters = &master;
	with.nr_masters = 1;
	refused(MNTCR_API_EXTENDED, &o, "orphan-slave");
	REQUIRE(!make(MNTCR_API_EXTENDED, &with));
	CHECK_EQ(count(MC_OP_GROUP, MOUNT_SETGROUP_MASTER), 1);
	CHECK_EQ(count(MC_OP_GROUP, MOUNT_SETGROUP_SHARED | MOUNT_SETGROUP_MASTER), 1);
	check();
	/* A live slave names it as well. */
	REQUIRE(!make(MNTCR_API_EXTENDED, NULL));
	CHECK_EQ(count(MC_OP_GROUP, MOUNT_SETGROUP_SIBLING), 1);
	CHECK_EQ(count(MC_OP_GROUP, MOUNT_SETGROUP_SHARED | MOUNT_SETGROUP_SIBLING), 1);
	check();
	/* Stock calls can follow the one that is no peer of anything. */
	REQUIRE(!make(MNTCR_API_UPSTREAM, NULL));
	CHECK_EQ(p->nr_temps, 1);
	CHECK(p->temps[0].keep_sharing);
	check();
	done();
}

/* Nothing outside can be of a superblock that is made here. */
static void no_orphans_on_fresh_superblocks(void)
{
	struct mntcr_external master = { .key = "77", .path = "/srv" };
	struct mc_plan_options o = {
		.prefer_fresh = true, .masters = &master, .nr_masters = 1,
	};

	start(1);
	share(add(0, 10, MC_NONE, 1, "/", "/"), 0, 77);
	finish();
	refused(MNTCR_API_EXTENDED, &o, "orphan-slave");
	o.nr_masters = 0;
	refused(MNTCR_API_EXTENDED, &o, "orphan-slave");
	refused(MNTCR_API_UPSTREAM, &o, "orphan-slave");
	done();
}

/* Each follows a live slave of its own; as few as contain them all. */
static void disjoint_orphans(void)
{
	uint32_t r, m, i;

	start(1);
	r = add(0, 10, MC_NONE, 1, "/", "/");
	share(add(0, 11, r, 0, "/a", "/a"), 0, 77);
	share(add(0, 12, r, 0, "/b", "/b"), 0, 77);
	share(add(0, 13, r, 0, "/b/c", "/c"), 0, 77);
	share(add(0, 14, r, 0, "/a/d", "/d"), 5, 77);
	finish();
	REQUIRE(!make(MNTCR_API_UPSTREAM, NULL));
	CHECK_EQ(p->nr_temps, 2);
	for (i = 0, m = 0; i < p->nr_ops; i++) {
		if (p->ops[i].type != MC_OP_GROUP)
			continue;
		CHECK(p->ops[i].flags & MOUNT_SETGROUP_SIBLING);
		m += p->ops[i].nr;
	}
	CHECK_EQ(m, 4);
	check();
	/* A peer of what is live would take part in what it does. */
	done();
	start(1);
	r = add(0, 10, MC_NONE, 1, "/", "/");
	share(add(0, 11, r, 0, "/a", "/a"), 0, 77);
	share(add(0, 12, r, 0, "/b", "/b"), 5, 77);
	finish();
	refused(MNTCR_API_UPSTREAM, NULL, "orphan-slave");
	done();
}

static void disjoint_groups(void)
{
	struct mc_plan_options o = { .ns_live = (bool[]){ false } };
	uint32_t r, m;

	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	m = add(0, 11, r, 1, "/a/1", "/x");
	share(m, 5, 0);
	m = add(0, 12, r, 1, "/a/2", "/y");
	share(m, 5, 0);
	m = add(0, 13, r, 1, "/b", "/z");
	share(m, 0, 5);
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, NULL));
	CHECK_EQ(count(MC_OP_GROUP, 0), 2);
	CHECK_EQ(p->nr_temps, 0);
	check();
	refused(MNTCR_API_UPSTREAM, NULL, "no-wide-mount");
	/* A fresh superblock has a root to stand in. */
	t->sbs[sbs[0]].type = "tmpfs";
	REQUIRE(!make(MNTCR_API_UPSTREAM, &o));
	CHECK_EQ(p->nr_temps, 1);
	CHECK_STR(p->temps[0].root, "/");
	check();
	done();
}

/* A peer that is as wide as its slaves stands for the group. */
static void the_widest_leads(void)
{
	uint32_t r, wide, m;

	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	m = add(0, 11, r, 1, "/a/1", "/x");
	share(m, 5, 0);
	wide = add(0, 12, r, 1, "/a", "/y");
	share(wide, 5, 0);
	m = add(0, 13, r, 1, "/a/2", "/z");
	share(m, 0, 5);
	finish();
	REQUIRE(!make(MNTCR_API_UPSTREAM, NULL));
	CHECK_EQ(p->nr_temps, 0);
	CHECK_EQ(p->list[p->ops[p->nr_ops - 3].first], MC_REF(MC_REF_MOUNT, wide));
	check();
	done();
}

int main(void)
{
	TAP_RUN(masters_come_first);
	TAP_RUN(orphans);
	TAP_RUN(no_orphans_on_fresh_superblocks);
	TAP_RUN(disjoint_orphans);
	TAP_RUN(disjoint_groups);
	TAP_RUN(the_widest_leads);
	return tap_done();
}
