// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * User namespaces that a plan makes, and those that it cannot.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>

#include "plan-rows.h"

#define OWNED	2	/* user namespace 2 is in 1, and 1 in the dumper's, 0 */

static const struct mc_idmap_extent wide[] = { { 0, 100000, 65536 } };
static const struct mc_idmap_extent inner[] = { { 0, 1000, 10 }, { 10, 65535, 1 } };
static const struct mc_idmap_extent beyond[] = { { 0, 65535, 2 } };
static bool none[MC_ARRAY_SIZE(live)];

static void map(uint32_t u, uint32_t parent, uint32_t owner,
		const struct mc_idmap_extent *x, uint32_t nr)
{
	t->userns[u].parent = parent;
	t->userns[u].mapped = true;
	t->userns[u].owner = owner;
	t->userns[u].setgroups = true;
	t->userns[u].map = (struct mc_idmap){ nr, nr, x, x };
}

/* Two namespaces of one owner, on a tmpfs of its; nothing is locked. */
static void owned(void)
{
	uint32_t i;

	start(2);
	for (i = 0; i < 4; i++)
		REQUIRE(mc_topology_add_userns(t) == i);
	t->userns[0].dumper = true;
	map(1, 0, 7, wide, 1);
	map(OWNED, 1, 8, inner, 2);
	map(3, MC_NONE, 0, wide, 1);
	add(0, 10, MC_NONE, 1, "/", "/");
	add(1, 20, MC_NONE, 1, "/", "/");
	for (i = 0; i < 2; i++) {
		t->ns[i].userns = OWNED;
		t->mounts[i].locks_known = true;
	}
	t->sbs[sbs[1]].userns = OWNED;
}

static void parents_first_and_each_once(void)
{
	struct mc_plan_options o = { .ns_live = none };
	char *s;

	owned();
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	REQUIRE(p->nr_owners == 2);
	CHECK_EQ(p->owners[0], 1);
	CHECK_EQ(p->owners[1], OWNED);
	CHECK_EQ(p->srcs[p->src_of[0]].owner, OWNED);
	s = text();
	CHECK(strstr(s, "owner     user1 in user0 of uid 7, uids 0:100000:65536, gids 0:100000:65536\n"
		     "owner     user2 in user1 of uid 8, uids 0:1000:10,10:65535:1, gids 0:1000:10,10:65535:1\n"));
	CHECK(strstr(s, "new tmpfs for 8:1 in user2"));
	free(s);
	s = printed(true);
	CHECK(strstr(s, "{\"user_namespace\": 1, \"parent\": 0, \"owner\": 7},\n"
		     "{\"user_namespace\": 2, \"parent\": 1, \"owner\": 8}]"));
	free(s);
	/* only what owns a superblock of the restored ones */
	t->ns[0].userns = t->ns[1].userns = 0;
	t->sbs[sbs[1]].userns = 1;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	REQUIRE(p->nr_owners == 1);
	CHECK_EQ(p->owners[0], 1);
	/* whose maps are not known it is not made for, as before */
	t->userns[1].mapped = false;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	CHECK_EQ(p->nr_owners, 0);
	CHECK_EQ(p->srcs[p->src_of[0]].owner, MC_NONE);
	done();
}

static void a_live_one_is_taken(void)
{
	bool second[] = { false, true };
	struct mc_plan_options o = { .ns_live = second };

	owned();
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	CHECK_EQ(p->nr_owners, 0);
	done();
}

static void no_owner(const char *rule, const char *says)
{
	struct mc_plan_options o = { .ns_live = none };

	finish();
	CHECK_EQ(make(MNTCR_API_EXTENDED, &o), -1);
	CHECK_EQ(e.code, MNTCR_REFUSED);
	CHECK_STR(e.rule, rule);
	if (!strstr(e.text, says))
		CHECK_STR(e.text, says);
	CHECK(strstr(e.text, "--source"));
	done();
}

static void what_cannot_be_made_is_refused(void)
{
	owned();
	t->userns[OWNED].mapped = false;
	no_owner("owner", "the image does not say how its ids are mapped");
	/* nor can what it is in */
	owned();
	t->userns[1].mapped = false;
	no_owner("owner", "the image does not say how its ids are mapped");
	owned();
	t->userns[OWNED].parent = MC_NONE;
	no_owner("owner-parent", "out of the dumper's reach");
	owned();
	t->userns[OWNED].parent = 3;
	no_owner("owner-parent", "out of the dumper's reach");
	owned();
	map(OWNED, 1, 8, beyond, 1);
	no_owner("owner-maps", "not among the ids of its parent");
	owned();
	t->userns[OWNED].owner = 65536;
	no_owner("owner-maps", "not among the ids of its parent");
}

/* Namespace 0 has an owner that is the nr-th of a chain below the dumper's. */
static void chain(uint32_t nr)
{
	static const struct mc_idmap_extent one[] = { { 0, 0, 1 } };
	uint32_t i;

	start(1);
	for (i = 0; i <= nr; i++)
		REQUIRE(mc_topology_add_userns(t) == i);
	t->userns[0].dumper = true;
	for (i = 1; i <= nr; i++)
		map(i, i - 1, 0, one, 1);
	add(0, 10, MC_NONE, 1, "/", "/");
	t->ns[0].userns = t->sbs[sbs[1]].userns = nr;
	t->mounts[0].locks_known = true;
}

static void as_deep_as_the_kernel_nests_them(void)
{
	struct mc_plan_options o = { .ns_live = none };

	chain(33);
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	CHECK_EQ(p->nr_owners, 33);
	/* from one level down, one less */
	o.userns_level = 1;
	CHECK_EQ(make(MNTCR_API_EXTENDED, &o), -1);
	CHECK_STR(e.rule, "owner-depth");
	done();
	chain(34);
	no_owner("owner-depth", "more levels below the initial one than the kernel nests them");
	/* a live one is there, however deep */
	chain(34);
	finish();
	o = (struct mc_plan_options){ .ns_live = live };
	CHECK(!make(MNTCR_API_EXTENDED, &o));
	done();
}

static void what_is_denied_above_cannot_be_allowed(void)
{
	struct mc_plan_options o = { .ns_live = none, .no_setgroups = true };

	owned();
	t->userns[1].setgroups = false;
	no_owner("owner-setgroups", "allows setgroups(2), and its parent denies it");
	owned();
	t->userns[1].setgroups = t->userns[OWNED].setgroups = false;
	finish();
	CHECK(!make(MNTCR_API_EXTENDED, &o));
	t->userns[1].setgroups = true;
	CHECK_EQ(make(MNTCR_API_EXTENDED, &o), -1);
	CHECK_STR(e.rule, "owner-setgroups");
	done();
}

/* Not the caller's without a word. */
static void files_of_nobody(void)
{
	struct mc_plan_options o = { .ns_live = none };
	int gids;

	for (gids = 0; gids < 2; gids++) {
		owned();
		t->ns[0].userns = t->ns[1].userns = 0;
		*(gids ? &t->userns[OWNED].map.nr_gid : &t->userns[OWNED].map.nr_uid) = 0;
		finish();
		CHECK_EQ(make(MNTCR_API_EXTENDED, &o), -1);
		CHECK_STR(e.rule, "owner-maps");
		CHECK(strstr(e.text, "8:1 is to be made anew and belongs to user namespace 2, which maps no uid or no gid"));
		done();
	}
	/* nor where it cannot be made at all */
	owned();
	t->ns[0].userns = t->ns[1].userns = 0;
	map(OWNED, 1, 8, beyond, 1);
	finish();
	CHECK_EQ(make(MNTCR_API_EXTENDED, &o), -1);
	CHECK_STR(e.rule, "owner-maps");
	CHECK(strstr(e.text, "not among the ids of its parent"));
	done();
}

/* --- given late ------------------------------------------------------------------ */

static const struct mntcr_given late[] = {
	{ MNTCR_GIVEN_USER, 5001 }, { MNTCR_GIVEN_USER, 5002 },
};

static int make_late(const struct mntcr_given *give)
{
	struct mc_plan_options o = {
		.ns_live = none, .staged = true, .give = give, .nr_give = 1,
	};

	return make(MNTCR_API_EXTENDED, &o);
}

static void numbered(void)
{
	owned();
	t->userns[1].ino = 5001;
	t->userns[OWNED].ino = 5002;
}

static void all_that_is_its_waits(void)
{
	uint32_t i;

	numbered();
	finish();
	REQUIRE(!make_late(&late[1]));
	/* it is there by then, and so is what it is in */
	CHECK_EQ(p->nr_owners, 0);
	CHECK_EQ(p->place_end, 0);
	CHECK_EQ(p->nr_parts, 2);
	REQUIRE(p->nr_needs == 1 && p->needs[0].nr_ops >= 3);
	for (i = 0; i < 2; i++)
		CHECK_EQ(p->ops[p->needs[0].first_op + i].type, MC_OP_NS);
	CHECK_EQ(p->needs[0].nr_mounts, 2);
	/* in what is given it is made, late as well */
	REQUIRE(!make_late(&late[0]));
	REQUIRE(p->nr_owners == 1);
	CHECK_EQ(p->owners[0], OWNED);
	CHECK_EQ(mc_plan_owner_need(p, OWNED), 0);
	CHECK_EQ(mc_plan_owner_need(p, 0), MC_NONE);
	CHECK_EQ(p->place_end, 0);
	done();
	/* but not what is another's */
	numbered();
	t->ns[0].userns = 0;
	t->mounts[0].sb = sbs[3];
	t->sbs[sbs[3]].type = "tmpfs";
	finish();
	REQUIRE(!make_late(&late[1]));
	CHECK_EQ(p->nr_parts, 1);
	CHECK_EQ(p->ops[0].type, MC_OP_NS);
	CHECK(p->place_end > 1);
	done();
	/* nor is one waited for that nothing belongs to */
	numbered();
	t->ns[0].userns = t->ns[1].userns = t->sbs[sbs[1]].userns = 0;
	finish();
	CHECK_EQ(make_late(&late[1]), -1);
	CHECK_EQ(e.code, MNTCR_USAGE);
	CHECK(strstr(e.text, "give user:5002: no mount of the image waits"));
	done();
}

/* Not even where its file is mounted, and could be given as such. */
static void the_dumpers_own(void)
{
	static const struct mntcr_given own = { MNTCR_GIVEN_USER, 5000 };
	uint32_t m;

	numbered();
	t->userns[0].ino = 5000;
	t->sbs[sbs[2]].type = "nsfs";
	m = add(0, 30, 0, 2, "user:[5000]", "/f");
	t->mounts[m].locks_known = true;
	t->mounts[m].mp_type = MC_MP_OTHER;
	t->mounts[m].nsfs_type = CLONE_NEWUSER;
	t->mounts[m].nsfs_ino = 5000;
	finish();
	CHECK_EQ(make_late(&own), -1);
	CHECK_EQ(e.code, MNTCR_USAGE);
	CHECK(strstr(e.text, "give user:5000: that is the dumper's own"));
	done();
}

/* The image's, made or given, or the caller's; nobody names another for it. */
static void files_of_owners(void)
{
	struct mntcr_external x = { .key = "user:[5002]", .path = "/x" };
	struct mc_plan_options o = { .ns_live = none, .externals = &x };
	const struct mc_given_userns given = { .fd = -1 };
	uint32_t m[2], i;
	char *s;

	numbered();
	t->userns[0].ino = 5000;
	t->sbs[sbs[2]].type = "nsfs";
	for (i = 0; i < 2; i++) {
		m[i] = add(0, 30 + i, 0, 2, i ? "user:[5000]" : "user:[5002]", i ? "/g" : "/f");
		t->mounts[m[i]].locks_known = true;
		t->mounts[m[i]].mp_type = MC_MP_OTHER;
		t->mounts[m[i]].nsfs_type = CLONE_NEWUSER;
		t->mounts[m[i]].nsfs_ino = i ? 5000 : 5002;
	}
	finish();
	/* before the root of the second namespace */
	m[0] = 1;
	m[1] = 2;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	for (i = 0; i < 2; i++) {
		CHECK_EQ(p->srcs[p->src_of[m[i]]].kind, MC_SRC_NSMADE);
		CHECK_EQ(p->srcs[p->src_of[m[i]]].owner, i ? MC_NONE : OWNED);
	}
	s = text();
	CHECK(strstr(s, "file of user2") && strstr(s, "file of user0"));
	free(s);
	o.nr_externals = 1;
	CHECK_EQ(make(MNTCR_API_EXTENDED, &o), -1);
	CHECK_EQ(e.code, MNTCR_USAGE);
	CHECK(strstr(e.text, "--external user:[5002]: the image knows what that owns"));
	t->userns[OWNED].given = &given;
	CHECK_EQ(make(MNTCR_API_EXTENDED, &o), -1);
	CHECK_EQ(e.code, MNTCR_USAGE);
	/* live or not, of the one that is given */
	o.nr_externals = 0;
	o.ns_live = live;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	CHECK_EQ(p->srcs[p->src_of[m[0]]].kind, MC_SRC_NSMADE);
	CHECK_EQ(p->srcs[p->src_of[m[1]]].kind, MC_SRC_LIVE);
	t->userns[OWNED].given = NULL;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	CHECK_EQ(p->srcs[p->src_of[m[0]]].kind, MC_SRC_LIVE);
	/* nor of a live one, if what it owns is made anew */
	t->ns[0].userns = 0;
	o.ns_live = (bool[]){ true, false };
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	CHECK_EQ(p->srcs[p->src_of[m[0]]].kind, MC_SRC_NSMADE);
	/* be it a superblock alone, and numbered after that of files */
	t->ns[1].userns = t->sbs[sbs[1]].userns = 0;
	t->mounts[3].sb = sbs[3];
	t->sbs[sbs[3]].type = "tmpfs";
	t->sbs[sbs[3]].userns = OWNED;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	CHECK_EQ(p->srcs[p->src_of[3]].owner, OWNED);
	CHECK_EQ(p->srcs[p->src_of[m[0]]].kind, MC_SRC_NSMADE);
	o.ns_live = none;
	o.nr_externals = 1;
	x.key = "user:[5000]";
	CHECK_EQ(make(MNTCR_API_EXTENDED, &o), -1);
	CHECK(strstr(e.text, "that is the dumper's own, for which the caller's stands"));
	done();
}

static void file_of_namespace(uint32_t not_late, const char *rule)
{
	const uint32_t in = 0, of = 1;
	uint32_t m;

	numbered();
	t->ns[in].ino = 7000 + in;
	t->ns[of].ino = 7000 + of;
	t->sbs[sbs[2]].type = "nsfs";
	m = add(in, 30, in, 2, "mnt:[x]", "/f");
	t->mounts[m].locks_known = true;
	t->mounts[m].mp_type = MC_MP_OTHER;
	t->mounts[m].nsfs_type = CLONE_NEWNS;
	t->mounts[m].nsfs_ino = t->ns[of].ino;
	if (not_late != MC_NONE)
		t->ns[not_late].userns = 0;
	finish();
	if (*rule) {
		CHECK_EQ(make_late(&late[1]), -1);
		CHECK_EQ(e.code, MNTCR_REFUSED);
		CHECK_STR(e.rule, rule);
		CHECK(strstr(e.text, "--owner"));
	} else {
		CHECK(!make_late(&late[1]));
	}
	done();
}

static void which_is_older(void)
{
	file_of_namespace(1, "late-namespace-file");
	file_of_namespace(0, "");
	/* both wait for the same */
	file_of_namespace(MC_NONE, "");
}

int main(void)
{
	TAP_RUN(all_that_is_its_waits);
	TAP_RUN(the_dumpers_own);
	TAP_RUN(files_of_owners);
	TAP_RUN(which_is_older);
	TAP_RUN(as_deep_as_the_kernel_nests_them);
	TAP_RUN(what_is_denied_above_cannot_be_allowed);
	TAP_RUN(files_of_nobody);
	TAP_RUN(parents_first_and_each_once);
	TAP_RUN(a_live_one_is_taken);
	TAP_RUN(what_cannot_be_made_is_refused);
	return tap_done();
}
