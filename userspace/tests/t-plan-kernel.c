// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the kernel would refuse with an errno is known beforehand, by a rule.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <sys/stat.h>

#include "plan-checker.h"

static uint32_t nr_told;
static size_t nr_mounts;
static uint64_t first;
static char help[256], said[960];

static void note(void *data, const struct mntcr_refusal *r)
{
	nr_told++;
	nr_mounts = r->nr_mounts;
	first = r->nr_mounts ? r->mounts[0].id : 0;
	snprintf(help, sizeof(help), "%s", r->help);
	snprintf(said, sizeof(said), "%s", r->text);
}

/* By this rule and no other, for these mounts. */
static void only(enum mntcr_api api, struct mc_plan_options *o, const char *rule,
		 uint64_t id, size_t nr, const char *advice)
{
	o->refused = note;
	nr_told = 0;
	refused(api, o, rule);
	CHECK_EQ(nr_told, 1);
	CHECK_EQ(nr_mounts, nr);
	CHECK_EQ(first, id);
	if (!strstr(help, advice))
		CHECK_STR(help, advice);
}

static uint32_t file_of(uint64_t id, uint32_t parent, uint64_t ino, const char *at)
{
	char root[32];
	uint32_t m;

	snprintf(root, sizeof(root), "mnt:[%llu]", (unsigned long long)ino);
	m = add(0, id, parent, 2, root, at);
	t->mounts[m].nsfs_type = CLONE_NEWNS;
	t->mounts[m].nsfs_ino = ino;
	t->mounts[m].mp_type = MC_MP_OTHER;
	return m;
}

static void files_of_namespaces_that_are_not_restored(void)
{
	struct mc_plan_options o = { .ns_live = live };
	uint32_t r, m;

	start(2);
	t->sbs[sbs[2]].type = "nsfs";
	t->ns[1].ino = 8;
	r = add(0, 10, MC_NONE, 0, "/", "/");
	file_of(11, r, 9, "/f");
	file_of(12, r, 9, "/g");
	file_of(13, r, 8, "/in-the-image");
	m = add(0, 14, r, 2, "net:[7]", "/net");
	t->mounts[m].nsfs_type = CLONE_NEWNET;
	t->mounts[m].nsfs_ino = 7;
	t->mounts[m].mp_type = MC_MP_OTHER;
	add(1, 20, MC_NONE, 0, "/", "/");
	finish();
	only(MNTCR_API_EXTENDED, &o, "foreign-namespace-file", 11, 2,
	     "a dump of that namespace too");
	CHECK(strstr(said, "/f, A:/g: the file of mount namespace 9,"));
	only(MNTCR_API_UPSTREAM, &o, "foreign-namespace-file", 11, 2,
	     "a dump of that namespace too");
	/* dumped too */
	t->mounts[1].nsfs_ns = t->mounts[2].nsfs_ns = 1;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	check();
	REQUIRE(!make(MNTCR_API_UPSTREAM, &o));
	check();
	done();
}

/* Of a network that is not the dumper's, where it is known whose. */
static void files_of_networks_that_are_made(void)
{
	struct mc_plan_options o = { .ns_live = (bool[]){ false } };
	uint32_t r, m;

	start(1);
	mc_topology_add_userns(t);
	t->userns[0].dumper = true;
	t->sbs[sbs[2]].type = "nsfs";
	r = add(0, 10, MC_NONE, 1, "/", "/");
	m = add(0, 11, r, 2, "net:[7]", "/net");
	t->mounts[m].nsfs_type = CLONE_NEWNET;
	t->mounts[m].nsfs_ino = 7;
	t->mounts[m].nsfs_id = 70;
	t->mounts[m].nsfs_owner = 0;
	t->mounts[m].mp_type = MC_MP_OTHER;
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	check();
	CHECK_EQ(p->srcs[p->src_of[m]].kind, MC_SRC_NSMADE);
	CHECK_EQ(p->from[2].kind, MC_FROM_FILES);
	REQUIRE(!make(MNTCR_API_UPSTREAM, &o));
	check();
	/* a live one is that very one */
	o.ns_live = live;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	CHECK_EQ(p->srcs[p->src_of[m]].kind, MC_SRC_LIVE);
	o.ns_live = (bool[]){ false };
	t->mounts[m].nsfs_owner = MC_NONE;
	only(MNTCR_API_EXTENDED, &o, "namespace-not-given", 11, 1, "--source");
	done();
}

static const struct {
	const char *type, *key;
	uint32_t flag;
	enum mntcr_given_kind kind;
	uint64_t id;
} shows[] = {
	{ "sysfs", "net:[7]", CLONE_NEWNET, MNTCR_GIVEN_NET, 70 },
	{ "mqueue", "ipc:[7]", CLONE_NEWIPC, MNTCR_GIVEN_IPC, 70 },
	{ "proc", "pid:[7]", CLONE_NEWPID, MNTCR_GIVEN_PID, 7 },
};

static void shown_by(uint32_t sb, uint32_t i)
{
	t->sbs[sb].type = shows[i].type;
	t->sbs[sb].userns = 0;
	if (shows[i].flag == CLONE_NEWPID) {
		t->sbs[sb].pidns_ino = 7;
		t->sbs[sb].pidns_depth = 1;
		return;
	}
	t->sbs[sb].shown_type = shows[i].flag;
	t->sbs[sb].shown_id = 70;
	t->sbs[sb].shown_owner = 0;
}

/* In A the file, 11, and in B what shows its namespace, 21, of 8:3. */
static uint32_t file_and_what_shows(uint32_t i)
{
	uint32_t r, m;

	start(2);
	mc_topology_add_userns(t);
	t->userns[0].dumper = true;
	t->sbs[sbs[2]].type = "nsfs";
	shown_by(sbs[3], i);
	r = add(0, 10, MC_NONE, 1, "/", "/");
	m = add(0, 11, r, 2, shows[i].key, "/file");
	t->mounts[m].nsfs_type = shows[i].flag;
	t->mounts[m].nsfs_ino = 7;
	t->mounts[m].nsfs_id = shows[i].flag == CLONE_NEWPID ? 0 : 70;
	t->mounts[m].nsfs_owner = shows[i].flag == CLONE_NEWPID ? MC_NONE : 0;
	t->mounts[m].mp_type = MC_MP_OTHER;
	r = add(1, 20, MC_NONE, 1, "/", "/");
	add(1, 21, r, 3, "/", "/shows");
	return m;
}

/* One namespace would become two: what is there of it, and what is made anew. */
static void files_of_namespaces_that_are_shown(void)
{
	struct mntcr_external x[2] = { { .path = "/x" }, { .key = "8:3", .path = "/y" } };
	struct mc_plan_options o = { .ns_live = (bool[]){ false, false } };
	uint32_t m, i;

	for (i = 0; i < MC_ARRAY_SIZE(shows); i++) {
		m = file_and_what_shows(i);
		finish();
		x[0].key = shows[i].key;
		o.externals = x;
		o.nr_externals = 1;
		only(MNTCR_API_EXTENDED, &o, "namespace-made", 11, 1, "--external");
		/* given for both */
		o.nr_externals = 2;
		REQUIRE(!make(MNTCR_API_EXTENDED, &o));
		check();
		/* and for what shows it alone */
		o.externals = x + 1;
		o.nr_externals = 1;
		only(MNTCR_API_EXTENDED, &o, shows[i].flag == CLONE_NEWPID ?
		     "namespace-not-given" : "namespace-made", 11, 1, "--external ");
		CHECK(strstr(help, shows[i].key));
		only(MNTCR_API_UPSTREAM, &o, shows[i].flag == CLONE_NEWPID ?
		     "namespace-not-given" : "namespace-made", 11, 1, "--external ");
		/* made for both, which takes what shows it first, whatever is numbered first */
		o.nr_externals = 0;
		REQUIRE(!make(MNTCR_API_EXTENDED, &o));
		check();
		CHECK_EQ(p->srcs[p->src_of[m]].kind, MC_SRC_NSMADE);
		CHECK_EQ(p->srcs[p->src_of[m]].shown_by, 3);
		CHECK_EQ(p->from[3].kind, MC_FROM_FRESH);
		REQUIRE(!make(MNTCR_API_UPSTREAM, &o));
		check();
		/* live files are of another than what is made */
		o.ns_live = (bool[]){ true, false };
		REQUIRE(!make(MNTCR_API_EXTENDED, &o));
		CHECK_EQ(p->srcs[p->src_of[m]].kind, MC_SRC_NSMADE);
		o.ns_live = (bool[]){ true, true };
		o.prefer_fresh = true;
		REQUIRE(!make(MNTCR_API_EXTENDED, &o));
		CHECK_EQ(p->srcs[p->src_of[m]].kind, MC_SRC_NSMADE);
		o.prefer_fresh = false;
		REQUIRE(!make(MNTCR_API_EXTENDED, &o));
		CHECK_EQ(p->srcs[p->src_of[m]].kind, MC_SRC_LIVE);
		/* and what is live of another than what files are made for */
		o.ns_live = (bool[]){ false, true };
		only(MNTCR_API_EXTENDED, &o, shows[i].flag == CLONE_NEWPID ?
		     "namespace-not-given" : "namespace-made", 11, 1, "--source");
		o.ns_live = (bool[]){ false, false };
		done();
	}
}

/* It shows the caller's then, which is there. */
static void files_beside_the_callers(void)
{
	struct mc_plan_options o = {
		.ns_live = (bool[]){ false, false }, .caller_namespaces = true,
	};
	struct mntcr_external x = { .key = "net:[7]", .path = "/proc/self/ns/net" };

	file_and_what_shows(0);
	finish();
	only(MNTCR_API_EXTENDED, &o, "namespace-made", 11, 1, "--external net:[7]=PATH");
	o.externals = &x;
	o.nr_externals = 1;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	done();
}

/* Of a pid namespace there may be more than one. */
static void two_that_show_one(void)
{
	struct mntcr_external x = { .key = "8:3", .path = "/x" };
	struct mc_plan_options o = { .ns_live = (bool[]){ false, false } };
	uint32_t m = file_and_what_shows(2);

	shown_by(sbs[0], 2);
	add(1, 22, 2, 0, "/", "/too");
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	check();
	CHECK_EQ(p->srcs[p->src_of[m]].kind, MC_SRC_NSMADE);
	o.externals = &x;
	o.nr_externals = 1;
	only(MNTCR_API_EXTENDED, &o, "namespace-made", 22, 1, "--external");
	CHECK(strstr(said, "proc 8:0 is made with a new pid namespace, and proc 8:3,"));
	o.nr_externals = 0;
	o.ns_live = (bool[]){ false, true };
	t->mounts[4].ns = 0;
	t->mounts[4].parent = 0;
	only(MNTCR_API_EXTENDED, &o, "namespace-made", 22, 1, "--source");
	done();
}

/* As what shows it, which waits for that. */
static void files_of_what_is_given(void)
{
	struct mntcr_given give = { 0 };
	struct mc_plan_options o = {
		.ns_live = (bool[]){ false, false }, .staged = true, .give = &give,
		.nr_give = 1,
	};
	struct mntcr_external x = { .key = "8:3", .path = "/x" };
	uint32_t m, i;

	for (i = 0; i < MC_ARRAY_SIZE(shows); i++) {
		m = file_and_what_shows(i);
		finish();
		give.kind = shows[i].kind;
		give.id = shows[i].id;
		REQUIRE(!make(MNTCR_API_EXTENDED, &o));
		CHECK_EQ(p->nr_needs, 1);
		CHECK_EQ(p->needs[0].nr_mounts, 2);
		CHECK_EQ(p->needs[0].mount, 3);
		CHECK_EQ(p->srcs[p->src_of[m]].kind, MC_SRC_NSMADE);
		CHECK_EQ(mc_plan_need_of(p, m), 0);
		/* what shows it is there: the file is given by itself */
		o.externals = &x;
		o.nr_externals = 1;
		o.nr_give = 0;
		REQUIRE(!make(MNTCR_API_EXTENDED, &o));
		CHECK_EQ(p->srcs[p->src_of[m]].kind, MC_SRC_GIVEN);
		CHECK_EQ(p->needs[0].kind, MNTCR_GIVEN_MOUNT);
		/* but for the file alone, it is of use, too */
		o.nr_give = 1;
		REQUIRE(!make(MNTCR_API_EXTENDED, &o));
		CHECK_EQ(p->srcs[p->src_of[m]].kind, MC_SRC_NSMADE);
		o.nr_externals = 0;
		done();
	}
}

/* What is covered is found in a copy; the file is in it too. */
static void covered_beside_a_file(void)
{
	struct mc_plan_options o = { .ns_live = live };
	uint32_t r, a, b, m;

	start(2);
	t->sbs[sbs[2]].type = "nsfs";
	t->ns[1].ino = 8;
	r = add(0, 10, MC_NONE, 0, "/", "/");
	a = add(0, 11, r, 0, "/", "/a");
	m = add(0, 12, a, 1, "/", "/covered");
	add(0, 13, m, 0, "/", "/");
	b = add(0, 14, r, 0, "/", "/b");
	file_of(15, b, 8, "/f");
	add(1, 20, MC_NONE, 0, "/", "/");
	finish();
	/* it is elsewhere: the copy is of /a and what is below */
	REQUIRE(!make(MNTCR_API_UPSTREAM, &o));
	check();
	done();

	start(2);
	t->sbs[sbs[2]].type = "nsfs";
	t->ns[1].ino = 8;
	r = add(0, 10, MC_NONE, 0, "/", "/");
	a = add(0, 11, r, 0, "/", "/a");
	m = add(0, 12, a, 1, "/", "/covered");
	add(0, 13, m, 0, "/", "/");
	b = add(0, 14, a, 0, "/", "/b");
	file_of(15, b, 8, "/f");
	add(1, 20, MC_NONE, 0, "/", "/");
	finish();
	only(MNTCR_API_UPSTREAM, &o, "covered-beside-file", 12, 1, "--external 8:1=PATH");
	CHECK(strstr(said, "the file of a mount namespace"));
	/* by id it is found where it is */
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	check();
	/* what is unbindable is not in a recursive clone, nor what is below */
	t->mounts[b].unbindable = true;
	REQUIRE(!make(MNTCR_API_UPSTREAM, &o));
	check();
	t->mounts[b].unbindable = false;
	/* had from elsewhere, it need not be found */
	o.externals = &(struct mntcr_external){ .key = "8:1", .path = "/x" };
	o.nr_externals = 1;
	REQUIRE(!make(MNTCR_API_UPSTREAM, &o));
	done();
}

static void terminals_of_a_new_devpts(void)
{
	struct mc_plan_options o = { .ns_live = (bool[]){ false } };
	uint32_t r, m;

	start(1);
	t->sbs[sbs[2]].type = "devpts";
	t->sbs[sbs[2]].options = "rw,mode=620,ptmxmode=666";
	r = add(0, 10, MC_NONE, 1, "/", "/");
	m = add(0, 11, r, 2, "/", "/pts");
	t->mounts[add(0, 12, r, 2, "/ptmx", "/ptmx")].mp_type = MC_MP_OTHER;
	finish();
	/* these there are */
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	done();

	start(1);
	t->sbs[sbs[2]].type = "devpts";
	t->sbs[sbs[2]].options = "rw,mode=620,ptmxmode=666";
	r = add(0, 10, MC_NONE, 1, "/", "/");
	m = add(0, 11, r, 2, "/", "/pts");
	t->mounts[add(0, 12, r, 2, "/3", "/console")].mp_type = MC_MP_OTHER;
	t->mounts[add(0, 13, m, 1, "/file", "/ptmx")].mp_type = MC_MP_OTHER;
	finish();
	only(MNTCR_API_EXTENDED, &o, "no-such-terminal", 12, 1, "--external 8:2=PATH");
	only(MNTCR_API_UPSTREAM, &o, "no-such-terminal", 12, 1, "--external 8:2=PATH");
	/* on one */
	t->mounts[2].root = "/";
	t->mounts[3].mountpoint = "/4";
	only(MNTCR_API_EXTENDED, &o, "no-such-terminal", 13, 1, "--external 8:2=PATH");
	/* a live one has it */
	o.ns_live = live;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	o.prefer_fresh = true;
	only(MNTCR_API_EXTENDED, &o, "no-such-terminal", 13, 1, "without --fresh");
	done();
}

/* What is in one that is left out is not there to be mounted, or mounted on. */
static void files_of_a_new_hugetlbfs(void)
{
	struct mc_plan_options o = { .ns_live = (bool[]){ false } };
	uint32_t r, m;

	start(1);
	t->sbs[sbs[2]].type = "hugetlbfs";
	t->sbs[sbs[2]].options = "rw";
	r = add(0, 10, MC_NONE, 1, "/", "/");
	m = add(0, 11, r, 2, "/", "/pages");
	add(0, 12, m, 1, "/", "/");
	add(0, 13, r, 2, "/", "/again");
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	t->mounts[2].mountpoint = "/in";
	only(MNTCR_API_EXTENDED, &o, "no-such-file", 12, 1, "--external 8:2=PATH");
	only(MNTCR_API_UPSTREAM, &o, "no-such-file", 12, 1, "--external 8:2=PATH");
	t->mounts[2].mountpoint = "/";
	t->mounts[3].root = "/in";
	only(MNTCR_API_EXTENDED, &o, "no-such-file", 13, 1, "--external 8:2=PATH");
	/* what stands for it may have that */
	o.externals = &(struct mntcr_external){ .key = "8:2", .path = "/x" };
	o.nr_externals = 1;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	o.nr_externals = 0;
	o.ns_live = live;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	done();
}

/* fsconfig(2) takes 255 bytes. */
static void strings_that_are_too_long(void)
{
	struct mc_plan_options o = { .ns_live = (bool[]){ false } };
	char is_long[257], options[300];

	memset(is_long, 'x', 256);
	is_long[256] = '\0';
	start(1);
	t->sbs[sbs[1]].source = is_long + 1;
	add(0, 10, MC_NONE, 1, "/", "/");
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	t->sbs[t->mounts[0].sb].source = is_long;
	only(MNTCR_API_EXTENDED, &o, "long-option", 10, 1, "--external 8:1=PATH");
	CHECK(strstr(said, "its source has 256 bytes"));
	only(MNTCR_API_UPSTREAM, &o, "long-option", 10, 1, "--external 8:1=PATH");
	t->sbs[t->mounts[0].sb].source = "tmp";
	snprintf(options, sizeof(options), "rw,mpol=%s,size=4k", is_long + 1);
	t->sbs[t->mounts[0].sb].options = options;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	snprintf(options, sizeof(options), "rw,mpol=%s,size=4k", is_long);
	only(MNTCR_API_EXTENDED, &o, "long-option", 10, 1, "--external 8:1=PATH");
	CHECK(strstr(said, "option mpol "));
	/* a live one is cloned */
	o.ns_live = live;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	done();
}

/* Fresh files are made from what several mounts say of them. */
static void files_of_two_types(void)
{
	struct mc_plan_options o = { .ns_live = (bool[]){ false } };
	uint32_t r, d, f;

	start(1);
	r = add(0, 10, MC_NONE, 1, "/", "/");
	d = add(0, 11, r, 1, "/a", "/b");
	f = add(0, 12, r, 1, "/c", "/a");
	t->mounts[d].root_file.mode = S_IFDIR | 0755;
	t->mounts[d].mp_type = MC_MP_DIR;
	t->mounts[f].mp_file.mode = S_IFDIR | 0755;
	t->mounts[f].mp_type = MC_MP_DIR;
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	t->mounts[d].root_file.mode = S_IFREG | 0644;
	only(MNTCR_API_EXTENDED, &o, "file-of-two-types", 11, 2, "dump it again");
	CHECK(strstr(said, "/a of a superblock that is to be made fresh is a file for one and a directory for the other"));
	t->mounts[d].root_file.mode = S_IFCHR | 0644;
	only(MNTCR_API_UPSTREAM, &o, "file-of-two-types", 11, 2, "dump it again");
	/* known from one mount, and no directory for the other */
	t->mounts[d].root_file.mode = 0;
	t->mounts[d].mp_type = MC_MP_OTHER;
	only(MNTCR_API_EXTENDED, &o, "file-of-two-types", 12, 2, "dump it again");
	/* below what is no directory */
	t->mounts[f].mp_file.mode = 0;
	t->mounts[f].mp_type = MC_MP_OTHER;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	t->mounts[f].root = "/a/c";
	only(MNTCR_API_EXTENDED, &o, "file-of-two-types", 11, 2, "dump it again");
	/* what is unlinked was another file at the same path */
	t->mounts[f].root = "/c";
	t->mounts[f].mp_file.mode = S_IFDIR | 0755;
	t->mounts[d].root_deleted = true;
	only(MNTCR_API_EXTENDED, &o, "deleted-root", 11, 1, "");
	t->mounts[d].root_deleted = false;
	/* a live one is as it is */
	o.ns_live = live;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	done();
}

int main(void)
{
	TAP_RUN(files_of_namespaces_that_are_not_restored);
	TAP_RUN(files_of_networks_that_are_made);
	TAP_RUN(files_of_namespaces_that_are_shown);
	TAP_RUN(files_beside_the_callers);
	TAP_RUN(two_that_show_one);
	TAP_RUN(files_of_what_is_given);
	TAP_RUN(covered_beside_a_file);
	TAP_RUN(terminals_of_a_new_devpts);
	TAP_RUN(files_of_a_new_hugetlbfs);
	TAP_RUN(strings_that_are_too_long);
	TAP_RUN(files_of_two_types);
	return tap_done();
}
