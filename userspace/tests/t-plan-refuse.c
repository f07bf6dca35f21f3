// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * All that cannot be restored is told at once: rule, mounts, what would help.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>

#include "plan-rows.h"

static struct {
	uint32_t nr;
	char rule[8][48], text[8][960], help[8][256];
	size_t nr_mounts[8];
	struct mntcr_mount_id first[8], last[8];
} told;

static void note(void *data, const struct mntcr_refusal *r)
{
	uint32_t i = told.nr++;

	CHECK(data == &told);
	if (i >= 8)
		return;
	snprintf(told.rule[i], sizeof(told.rule[i]), "%s", r->rule);
	snprintf(told.text[i], sizeof(told.text[i]), "%s", r->text);
	snprintf(told.help[i], sizeof(told.help[i]), "%s", r->help);
	told.nr_mounts[i] = r->nr_mounts;
	if (r->nr_mounts) {
		told.first[i] = r->mounts[0];
		told.last[i] = r->mounts[r->nr_mounts - 1];
	}
}

static void make_refused(enum mntcr_api api, struct mc_plan_options *o)
{
	memset(&told, 0, sizeof(told));
	o->refused = note;
	o->data = &told;
	CHECK_EQ(make(api, o), -1);
	CHECK_EQ(e.code, MNTCR_REFUSED);
}

static void is(uint32_t i, const char *rule, uint64_t first, uint64_t last,
	       size_t nr, const char *text, const char *help)
{
	CHECK_STR(told.rule[i], rule);
	CHECK_EQ(told.nr_mounts[i], nr);
	CHECK_EQ(told.first[i].id, first);
	CHECK_EQ(told.last[i].id, last);
	if (!strstr(told.text[i], text))
		CHECK_STR(told.text[i], text);
	if (!strstr(told.help[i], help) || !*told.help[i])
		CHECK_STR(told.help[i], help);
}

/* Each superblock with all its mounts, an orphan, a cycle of locks: one run. */
static void every_refusal_at_once(void)
{
	struct mc_plan_options o = { .ns_live = (bool[]){ false, false } };
	uint32_t r, m, i;
	char at[8];

	start(2);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	for (i = 1; i < 5; i++) {
		snprintf(at, sizeof(at), "/%u", i);
		add(0, 10 + i, r, 0, at, at);
	}
	add(0, 20, r, 2, "/", "/proc");
	m = add(0, 21, r, 1, "/gone", "/gone");
	t->mounts[m].root_deleted = true;
	r = add(1, 30, MC_NONE, 1, "/", "/");
	share(add(1, 31, r, 3, "/", "/slave"), 0, 77);
	finish();
	make_refused(MNTCR_API_EXTENDED, &o);
	CHECK_EQ(told.nr, 5);
	is(0, "no-source", 10, 14, 5, "A:/, A:/1, A:/2 and 2 more: its superblock (ext4, 8:0)",
	   "--external 8:0=PATH");
	is(1, "deleted-root", 21, 21, 1, "A:/gone: ",
	   "--source with its namespace");
	is(2, "callers-namespace", 20, 20, 1, "A:/proc: ", "--caller-namespaces");
	is(3, "no-source", 31, 31, 1, "B:/slave: its superblock (ext4, 8:3)",
	   "--external 8:3=PATH");
	is(4, "orphan-slave", 31, 31, 1, "B:/slave: peer group 77: ",
	   "--external-master 77=PATH");
	CHECK_EQ(told.first[3].ns, 1);
	/* who is told nothing has the first, and how many there are */
	CHECK_STR(e.rule, "no-source");
	CHECK(strstr(e.text, told.text[0]));
	CHECK(strstr(e.text, told.help[0]));
	CHECK(strstr(e.text, " (and 4 more refusals)"));
	/* what remains when some is helped */
	o.caller_namespaces = true;
	o.externals = (struct mntcr_external[]){ { .key = "8:0", .path = "/a" }, { .key = "8:3", .path = "/b" } };
	o.nr_externals = 2;
	o.masters = (struct mntcr_external[]){ { .key = "77", .path = "/b" } };
	o.nr_masters = 1;
	make_refused(MNTCR_API_EXTENDED, &o);
	CHECK_EQ(told.nr, 1);
	CHECK_STR(told.rule[0], "deleted-root");
	CHECK(!strstr(e.text, "more"));
	/* with its namespace given, what it is on is another's all the same */
	o.ns_live = (bool[]){ true, true };
	make_refused(MNTCR_API_EXTENDED, &o);
	CHECK_EQ(told.nr, 1);
	is(0, "deleted-root", 21, 21, 1, "A:/gone: ", "without --external");
	done();
}

/* Locked and owned: by namespace, and each mount where it is the mounts. */
static void locks_and_owners(void)
{
	struct mc_plan_options o = { .ns_live = (bool[]){ true, false } };
	uint32_t r, i;

	start(2);
	REQUIRE(mc_topology_add_userns(t) == 0);
	t->ns[1].userns = 0;
	r = add(0, 10, MC_NONE, 0, "/", "/");
	add(0, 11, r, 1, "/", "/a");
	add(0, 12, r, 1, "/", "/b");
	for (i = 1; i < 3; i++) {
		t->mounts[i].locks_known = true;
		t->mounts[i].locks = MOUNT_LOCK_RDONLY;
	}
	add(1, 20, MC_NONE, 1, "/", "/");
	finish();
	make_refused(MNTCR_API_UPSTREAM, &o);
	CHECK_EQ(told.nr, 4);
	is(0, "owner", 20, 20, 1, "B:/: namespace 1 (B) is owned", "--source");
	is(1, "locks", 20, 20, 1, "B:/: namespace 1 (B) is owned", "--ignore-locks");
	is(2, "owner", 20, 20, 1, "B:/: namespace 1 (B) is owned", "a kernel that");
	is(3, "locks", 11, 12, 2, "A:/a, A:/b: locked", "--ignore-locks");
	done();
}

/* A live source was given: what keeps it from being cloned is what is said. */
static void why_a_live_one_does_not_do(void)
{
	struct mc_plan_options o = { .ns_live = live };
	uint32_t r, m, u, v, map;

	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	m = add(0, 11, r, 1, "/", "/a");
	add(0, 12, m, 0, "/", "/x");
	t->mounts[2].locks_known = true;
	t->mounts[2].locks = MOUNT_LOCK_MOUNT;
	map = mc_topology_add_idmap(t);
	REQUIRE(map != MC_NONE);
	t->idmaps[map].nr_uid = t->idmaps[map].nr_gid = 1;
	t->idmaps[map].uid = t->idmaps[map].gid =
		&(struct mc_idmap_extent){ 0, 1000, 1 };
	t->mounts[m].idmap = map;
	t->mounts[m].attr |= MOUNT_ATTR_IDMAP;
	t->mounts[u = add(0, 13, r, 3, "/", "/u")].unbindable = true;
	t->mounts[v = add(0, 14, r, 3, "/d", "/v")].unbindable = true;
	/* what covers them can be had in a copy of the namespace */
	t->mounts[add(0, 15, u, 3, "/e", "/")].unbindable = true;
	t->mounts[add(0, 16, v, 3, "/e", "/")].unbindable = true;
	finish();
	make_refused(MNTCR_API_EXTENDED, &o);
	CHECK_EQ(told.nr, 2);
	is(0, "idmapped-source", 11, 11, 1, "what there is is with locked mounts on it",
	   "--external 8:1=PATH, or another mount of it, not idmapped");
	is(1, "uncloneable-source", 13, 14, 2, "what has the same root is unbindable and covered",
	   "--external 8:3=PATH");
	/* not given: another reason, another help */
	o.ns_live = (bool[]){ false };
	o.externals = &(struct mntcr_external){ .key = "8:3", .path = "/a" };
	o.nr_externals = 1;
	make_refused(MNTCR_API_EXTENDED, &o);
	/* a tmpfs is made, and its mount idmapped */
	CHECK_EQ(told.nr, 1);
	is(0, "no-source", 10, 12, 2, "/, /a/x: its superblock", "--external 8:0=PATH");
	done();
}

/* The files of two namespaces in one another. */
static void a_cycle_names_the_files(void)
{
	struct mc_plan_options o = { .ns_live = live };
	uint32_t i, r, m;
	char root[16];

	start(2);
	t->sbs[sbs[2]].type = "nsfs";
	for (i = 0; i < 2; i++) {
		t->ns[i].id = 0;	/* an old kernel: the file alone tells */
		t->ns[i].ino = 7 + i;
		r = add(i, 10 * (i + 1), MC_NONE, 0, "/", "/");
		snprintf(root, sizeof(root), "mnt:[%u]", 8 - i);
		m = add(i, 10 * (i + 1) + 1, r, 2, root, "/ns");
		t->mounts[m].nsfs_type = CLONE_NEWNS;
		t->mounts[m].nsfs_ino = 8 - i;
		t->mounts[m].mp_type = MC_MP_OTHER;
	}
	finish();
	make_refused(MNTCR_API_EXTENDED, &o);
	CHECK_EQ(told.nr, 1);
	is(0, "namespace-cycle", 11, 21, 2, "/ns", "without one");
	done();
}

/* Only where the kernel can make one; the new calls come with kernels that do. */
static void nothing_is_mounted_in_it(void)
{
	struct mc_plan_options o = { .ns_live = (bool[]){ true, false } };

	start(2);
	add(0, 10, MC_NONE, 0, "/", "/");
	finish();
	make_refused(MNTCR_API_UPSTREAM, &o);
	CHECK_EQ(told.nr, 1);
	is(0, "empty-namespace", 0, 0, 0, "namespace 1 (B) has no mounts", "a kernel that");
	o.whole_trees = true;
	CHECK_EQ(make(MNTCR_API_UPSTREAM, &o), 0);
	o.whole_trees = false;
	CHECK_EQ(make(MNTCR_API_EXTENDED, &o), 0);
	done();
}

int main(void)
{
	TAP_RUN(every_refusal_at_once);
	TAP_RUN(locks_and_owners);
	TAP_RUN(why_a_live_one_does_not_do);
	TAP_RUN(a_cycle_names_the_files);
	TAP_RUN(nothing_is_mounted_in_it);
	return tap_done();
}
