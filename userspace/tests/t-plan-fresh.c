// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a fresh filesystem holds: what its mounts need, and no more than that.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "plan-checker.h"

/* nr mounts on one that has a long root: the root is said for each. */
static void many_on(size_t len, const char *part, uint32_t nr)
{
	char root[MC_MAX_PATH], at[32];
	uint32_t m, i;
	size_t n;

	start(1);
	m = add(0, 1, MC_NONE, 1, "/", "/");
	for (n = 0; n + strlen(part) <= len; n += strlen(part))
		memcpy(root + n, part, strlen(part));
	root[n] = '\0';
	m = add(0, 2, m, 1, root, "/on");
	for (i = 0; i < nr; i++) {
		snprintf(at, sizeof(at), "/%u", i);
		add(0, 3 + i, m, 1, "/", at);
	}
	finish();
}

#define LONG_NAME "/0123456789012345678901234567890123456789012345678"

static struct mc_file file_of(uint32_t mode, uint32_t uid)
{
	return (struct mc_file){ .mode = mode, .uid = uid, .gid = MC_NO_ID };
}

/* Of one that several mounts show or are on, what any of them knows. */
static void what_fresh_ones_hold_is_what_it_was(void)
{
	struct mc_plan_options o = {
		.ns_live = (bool[]){ false }, .prefer_fresh = true,
	};
	uint32_t m[5], i;
	char *got;

	start(1);
	m[0] = add(0, 10, MC_NONE, 1, "/", "/");
	m[1] = add(0, 11, m[0], 1, "/d", "/d");
	m[2] = add(0, 12, m[0], 1, "/d", "/e");
	m[3] = add(0, 13, m[2], 1, "/", "/x");
	m[4] = add(0, 14, m[0], 1, "/d/x", "/y");
	t->mounts[m[0]].root_file = file_of(S_IFDIR | 0700, 3);
	t->mounts[m[2]].root_file = file_of(S_IFDIR | 0111, 4);
	t->mounts[m[3]].root_file = file_of(S_IFDIR | 0700, 3);
	t->mounts[m[3]].mp_file = file_of(S_IFDIR | 0222, 5);
	t->mounts[m[4]].mp_file = file_of(S_IFDIR | 0333, 6);
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	got = text();
	CHECK(strstr(got, "= new tmpfs for 8:1 with / d/ d/x/ e/ y/\n"));
	free(got);
	REQUIRE(p->nr_nodes == 5);
	for (i = 0; i < p->nr_nodes; i++) {
		static const uint32_t uid[] = { 3, 4, 5, 0, 6 };

		CHECK(!p->nodes[i].file == (i == 3));
		if (p->nodes[i].file)
			CHECK_EQ(p->nodes[i].file->uid, uid[i]);
	}
	check();
	done();
}

static void what_fresh_ones_hold_is_bounded(void)
{
	struct mc_plan_options o = { .prefer_fresh = true };

	/* 120 MB, of an image of 100 kB */
	many_on(60000, LONG_NAME, 2000);
	refused(MNTCR_API_EXTENDED, &o, "too-many-mountpoints");
	TAP_SAY("%s", e.text);
	CHECK(strstr(e.text, "/on: "));
	refused(MNTCR_API_UPSTREAM, &o, "too-many-mountpoints");
	/* nothing is made on a live one */
	o.prefer_fresh = false;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	done();
	/* 3 million names; no more than are allowed */
	o.prefer_fresh = true;
	many_on(60000, "/a", 100);
	refused(MNTCR_API_EXTENDED, &o, "too-many-mountpoints");
	done();
	many_on(60000, "/a", 68);
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	done();
	many_on(60000, LONG_NAME, 1100);
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	done();
}

int main(void)
{
	TAP_RUN(what_fresh_ones_hold_is_what_it_was);
	TAP_RUN(what_fresh_ones_hold_is_bounded);
	return tap_done();
}
