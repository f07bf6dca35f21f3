// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What mounts are made from: live ones, fresh ones, external ones, and what is
 * refused.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <sys/mount.h>

#include "plan-checker.h"

/* That the machine's own one has the device that the image says is a coincidence. */
static void one_that_nobody_named_is_not_opened(void)
{
	bool again[2] = { false, true };
	struct mc_plan_options o = {
		.ns_live = (bool[]){ false }, .again = again,
	};

	start(1);
	add(0, 10, MC_NONE, 0, "/", "/");
	t->sbs[0].type = "tmpfs";
	t->mounts[add(0, 11, 0, 1, "/", "/one")].source = "cgroup2";
	t->mounts[add(0, 12, 0, 1, "/", "/two")].source = "cgroup";
	t->sbs[1].type = t->sbs[1].source = "cgroup2";
	finish();
	refused(MNTCR_API_EXTENDED, &o, "no-source");
	refused(MNTCR_API_UPSTREAM, &o, "no-source");
	o.ns_live = (bool[]){ true };
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	done();
}

static void fresh_and_external(void)
{
	struct mntcr_external ext = { .key = "/dev/sda", .path = "/srv" };
	struct mc_plan_options o = {
		.ns_live = (bool[]){ false, false },
		.externals = &ext, .nr_externals = 1,
		.caller_namespaces = true,
	};
	char *got;

	small();
	golden(MNTCR_API_EXTENDED, &o,
	       "namespace ns0 (A)\n"
	       "namespace ns1 (B)\n"
	       "base      src0 = external #0\n"
	       "clone     mnt0:10 from src0\n"
	       "fresh     src2 = new tmpfs for 8:1 with proc/ x/\n"
	       "clone     mnt0:11 from src2\n"
	       "attach    mnt0:11 on mnt0:10 at /a\n"
	       "fresh     src4 = new proc for 8:2\n"
	       "clone     mnt0:12 from src4\n"
	       "attach    mnt0:12 on mnt0:11 at /proc\n"
	       "subroot   src1 = c/d below src0\n"
	       "clone     mnt1:20 from src1\n"
	       "clone     mnt1:21 from src3 = x below src2\n"
	       "attach    mnt1:21 on mnt1:20 at /a/b\n"
	       "group     shared: mnt0:11\n"
	       "group     master mnt0:11: mnt1:21\n"
	       "attach    mnt0:10 on ns0 at /\n"
	       "attach    mnt1:20 on ns1 at /\n"
	       "release   8 descriptors\n");
	check();
	o.nr_externals = 0;
	refused(MNTCR_API_EXTENDED, &o, "no-source");
	/* proc would show what is the caller's: not unless that is wanted */
	o.nr_externals = 1;
	o.caller_namespaces = false;
	refused(MNTCR_API_EXTENDED, &o, "callers-namespace");
	refused(MNTCR_API_UPSTREAM, &o, "callers-namespace");
	o.ns_live = (bool[]){ true, false };
	o.prefer_fresh = true;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	got = text();
	CHECK(strstr(got, "new tmpfs"));
	CHECK(!strstr(got, "new proc"));
	free(got);
	check();
	done();
}

/* Like a fresh one: of a device there is one superblock, with all of its roots. */
static void of_a_device(void)
{
	struct mntcr_external dev = { .key = "/dev/sda", .path = "/dev/vdb" };
	struct mntcr_external host = {
		.key = "/dev/sda", .path = "/srv", .reserved = { MC_BY_HOST },
	};
	struct mc_plan_options o = {
		.ns_live = (bool[]){ false, false },
		.devices = &dev, .nr_devices = 1, .caller_namespaces = true,
	};
	char *text;

	small();
	golden(MNTCR_API_EXTENDED, &o,
	       "differs   mnt0:10: source /dev/vdb instead of /dev/sda\n"
	       "differs   mnt1:20: source /dev/vdb instead of /dev/sda\n"
	       "namespace ns0 (A)\n"
	       "namespace ns1 (B)\n"
	       "fresh     src0 = new ext4 for 8:0 from /dev/vdb\n"
	       "clone     mnt0:10 from src0\n"
	       "fresh     src2 = new tmpfs for 8:1 with proc/ x/\n"
	       "clone     mnt0:11 from src2\n"
	       "attach    mnt0:11 on mnt0:10 at /a\n"
	       "fresh     src4 = new proc for 8:2\n"
	       "clone     mnt0:12 from src4\n"
	       "attach    mnt0:12 on mnt0:11 at /proc\n"
	       "subroot   src1 = c/d below src0\n"
	       "clone     mnt1:20 from src1\n"
	       "clone     mnt1:21 from src3 = x below src2\n"
	       "attach    mnt1:21 on mnt1:20 at /a/b\n"
	       "group     shared: mnt0:11\n"
	       "group     master mnt0:11: mnt1:21\n"
	       "attach    mnt0:10 on ns0 at /\n"
	       "attach    mnt1:20 on ns1 at /\n"
	       "release   8 descriptors\n");
	check();
	/* the superblock is, and its mounts are not */
	t->sbs[0].flags |= MS_RDONLY;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	text = printed(false);
	CHECK(strstr(text, "= new ext4 for 8:0 from /dev/vdb, read-only\n"));
	free(text);
	t->sbs[0].flags = 0;
	/* what was said outright comes before what a host has */
	o.externals = &host;
	o.nr_externals = 1;
	REQUIRE(!make(MNTCR_API_UPSTREAM, &o));
	check();
	CHECK_EQ(p->from[0].kind, MC_FROM_FRESH);
	done();
}

/* One that is live is not made anew, since it would be empty; tmpfs comes with its files. */
static void what_would_be_empty_is_not_made_fresh(void)
{
	struct mc_plan_options o = { .ns_live = (bool[]){ true }, .prefer_fresh = true };

	start(1);
	add(0, 10, MC_NONE, 1, "/", "/");
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	CHECK_EQ(p->from[sbs[1]].kind, MC_FROM_FRESH);
	t->sbs[sbs[1]].type = "hugetlbfs";
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	CHECK_EQ(p->from[sbs[1]].kind, MC_FROM_LIVE);
	o.ns_live = (bool[]){ false };
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	CHECK_EQ(p->from[sbs[1]].kind, MC_FROM_FRESH);
	done();
}

/* Whose image it is has no say about other devices, nor about the kernel. */
static void options_that_no_device_is_given(void)
{
	static const char *const bad[][2] = {
		{ "erofs", "user_xattr,device=/dev/loop1" }, { "erofs", "fsoffset=4096" },
		{ "erofs", "domain_id=x" }, { "xfs", "attr2,logdev=/dev/sdb" },
		{ "xfs", "rtdev=/dev/sdb" }, { "ext4", "journal_path=/dev/sdb" },
		{ "ext4", "journal_dev=0x801" }, { "ext4", "errors=panic" },
		{ "ext2", "errors=panic" }, { "ext3", "usrjquota=etc/passwd" },
		{ "ext4", "sb=32768" }, { "ext4", "abort" }, { "ext4", "commit=/x" },
		{ "ext4", "commit" }, { "ext4", "acl=" }, { "ext4", "err" },
		{ "ext4", "errors\\075panic" }, { "ext4", "ro=/dev/sdb" }, { "ext4", "=" },
		{ "squashfs", "errors=panic" }, { "squashfs", "threads=/x" },
	};
	static const char *const good[][2] = {
		{ "ext4", "errors=remount-ro,commit=5,data=ordered,stripe=32" },
		{ "ext4", "seclabel,usrquota" }, { "ext2", "" },
		{ "xfs", "attr2,inode64,logbufs=8,logbsize=32k,noquota" },
		{ "squashfs", "errors=continue,threads=single" },
		{ "erofs", "user_xattr,acl,cache_strategy=readaround" },
	};
	struct mntcr_external dev = { .key = "8:1", .path = "/dev/vdb" };
	struct mc_plan_options o = {
		.ns_live = (bool[]){ false }, .devices = &dev, .nr_devices = 1,
	};
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(bad) + MC_ARRAY_SIZE(good); i++) {
		const char *const *x = i < MC_ARRAY_SIZE(bad) ? bad[i] :
				       good[i - MC_ARRAY_SIZE(bad)];

		start(1);
		add(0, 10, MC_NONE, 1, "/", "/");
		t->sbs[sbs[1]].type = x[0];
		t->sbs[sbs[1]].options = x[1];
		finish();
		if (i < MC_ARRAY_SIZE(bad)) {
			refused(MNTCR_API_EXTENDED, &o, "device-option");
			CHECK(strstr(e.text, "--external 8:1=PATH"));
		} else {
			REQUIRE(!make(MNTCR_API_EXTENDED, &o));
		}
		done();
	}
}

/*
 * Two sysfs and a mqueue of namespaces that are not the dumper's are made in new
 * ones, whosever the owner; of no namespace that is known, or with the caller's, in
 * the caller's.
 */
static void of_namespaces_that_are_made(void)
{
	struct mc_plan_options o = { .ns_live = (bool[]){ false } };
	static const char *const types[] = { "tmpfs", "sysfs", "sysfs", "mqueue" };
	static const char *const at[] = { "/", "/one", "/two", "/q" };
	uint32_t i;

	start(1);
	mc_topology_add_userns(t);
	t->userns[0].dumper = true;
	for (i = 0; i < 4; i++) {
		add(0, 10 + i, i ? 0 : MC_NONE, i, "/", at[i]);
		t->sbs[i].type = types[i];
		if (!i)
			continue;
		t->sbs[i].userns = 0;
		t->sbs[i].shown_type = i < 3 ? CLONE_NEWNET : CLONE_NEWIPC;
		t->sbs[i].shown_id = 70 + i;
		t->sbs[i].shown_owner = i < 3 ? 0 : MC_NONE;
	}
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	check();
	for (i = 0; i < 4; i++)
		CHECK_EQ(p->from[i].kind, MC_FROM_FRESH);
	/* the caller has one network */
	o.caller_namespaces = true;
	refused(MNTCR_API_EXTENDED, &o, "no-source");
	o.caller_namespaces = false;
	t->sbs[2].shown_owner = MC_NONE;
	refused(MNTCR_API_EXTENDED, &o, "callers-namespace");
	t->sbs[2].shown_owner = 0;
	t->sbs[3].shown_own = true;
	refused(MNTCR_API_EXTENDED, &o, "callers-namespace");
	t->sbs[3].shown_own = false;
	/* what it shows is not what such a one shows */
	t->sbs[3].shown_type = CLONE_NEWNET;
	t->sbs[3].shown_owner = 0;
	refused(MNTCR_API_EXTENDED, &o, "callers-namespace");
	done();
}

/* A proc of one, where the kernel opens none before a process is in it. */
static void a_pid_namespace_that_is_not_made(void)
{
	struct mc_plan_options o = { .ns_live = (bool[]){ false }, .no_empty_pidns = true };

	start(1);
	add(0, 11, add(0, 10, MC_NONE, 0, "/", "/"), 1, "/", "/proc");
	t->sbs[0].type = "tmpfs";
	t->sbs[1].type = "proc";
	t->sbs[1].pidns_ino = 70;
	t->sbs[1].pidns_depth = 1;
	finish();
	refused(MNTCR_API_UPSTREAM, &o, "callers-namespace");
	CHECK(strstr(e.text, "since this kernel opens none"));
	CHECK(strstr(e.text, "--caller-namespaces"));
	o.caller_namespaces = true;
	REQUIRE(!make(MNTCR_API_UPSTREAM, &o));
	check();
	o.caller_namespaces = o.no_empty_pidns = false;
	REQUIRE(!make(MNTCR_API_UPSTREAM, &o));
	CHECK_EQ(p->from[1].kind, MC_FROM_FRESH);
	check();
	/* one further down is made nowhere, whatever the kernel can do */
	t->sbs[1].pidns_depth = 2;
	refused(MNTCR_API_UPSTREAM, &o, "callers-namespace");
	CHECK(!strstr(e.text, "since this kernel"));
	done();
}

static void from(uint32_t m, uint32_t option, const char *below)
{
	const struct mc_src *src = &p->srcs[p->src_of[m]];

	if (*below) {
		REQUIRE(src->kind == MC_SRC_SUB);
		CHECK_STR(src->path, below);
		src = &p->srcs[src->base];
	}
	CHECK_EQ(src->kind, MC_SRC_EXTERNAL);
	CHECK_EQ(src->index, option);
}

static void the_longest_root_counts(void)
{
	struct mntcr_external ext[] = {
		{ .key = "8:0:/a/b", .path = "/y" }, { .key = "8:0:/a", .path = "/x" },
		{ .key = "8:0:/a/b/c/d/e", .path = "/w" },
		{ .key = "8:0:/a/bb", .path = "/v" }, { .key = "8:0", .path = "/z" },
		/* one of --host's, which has been said */
		{ .key = "8:0:/a", .path = "/h", .reserved = { MC_BY_HOST } },
	};
	struct mc_plan_options o = { .externals = ext, .nr_externals = 4 };
	uint32_t m[7], r;

	start(1);
	r = add(0, 10, MC_NONE, 1, "/", "/");
	m[0] = add(0, 11, r, 0, "/a", "/0");
	m[1] = add(0, 12, r, 0, "/a/x", "/1");
	m[2] = add(0, 13, r, 0, "/a/b", "/2");
	m[3] = add(0, 14, r, 0, "/a/b/c", "/3");
	m[4] = add(0, 15, r, 0, "/a/c", "/4");
	m[5] = add(0, 16, r, 0, "/a/b/d", "/5");
	m[6] = add(0, 17, r, 0, "/q", "/6");
	finish();
	refused(MNTCR_API_EXTENDED, &o, "no-source");
	CHECK(strstr(e.text, "/6: its root, /q of 8:0, is below no root that an --external stands for"));
	CHECK(strstr(e.text, "--external 8:0:/q=PATH"));
	CHECK(!strstr(e.text, "more refusal"));
	for (o.nr_externals = 5; o.nr_externals <= 6; o.nr_externals++) {
		REQUIRE(!make(MNTCR_API_EXTENDED, &o));
		from(m[0], 1, "");
		from(m[1], 1, "x");
		from(m[2], 0, "");
		from(m[3], 0, "c");
		from(m[4], 1, "c");
		from(m[5], 0, "d");
		from(m[6], 4, "q");
		check();
	}
	done();
}

/* What has a locked child cannot be cloned; another mount of it can, and be idmapped. */
static void an_idmap_for_a_live_one_without(void)
{
	static const struct mc_idmap_extent ids = { 0, 1000, 1 };
	enum mntcr_api api;
	uint32_t r, m, map, i;

	for (api = MNTCR_API_EXTENDED; api <= MNTCR_API_UPSTREAM; api++) {
		struct mc_plan_options o = { .ignore_locks = true };

		start(1);
		r = add(0, 10, MC_NONE, 0, "/", "/");
		m = add(0, 11, r, 1, "/c", "/a");
		add(0, 12, m, 0, "/", "/x");
		add(0, 13, r, 1, "/", "/b");
		t->mounts[2].locks_known = true;
		t->mounts[2].locks = MOUNT_LOCK_MOUNT;
		map = mc_topology_add_idmap(t);
		REQUIRE(map != MC_NONE);
		t->idmaps[map] = (struct mc_idmap){ 1, 1, &ids, &ids };
		t->mounts[m].idmap = map;
		t->mounts[m].attr |= MOUNT_ATTR_IDMAP;
		finish();
		REQUIRE(!make(api, &o));
		for (i = 0; i < p->nr_ops; i++)
			if (p->ops[i].type == MC_OP_CLONE &&
			    p->ops[i].obj == MC_REF(MC_REF_MOUNT, m))
				CHECK_EQ(p->ops[i].flags, MC_IDMAP);
		CHECK_EQ(p->srcs[p->src_of[m]].kind, MC_SRC_SUB);
		check();
		done();
	}
}

static void misused(struct mc_plan_options *o, const char *text)
{
	CHECK_EQ(make(MNTCR_API_EXTENDED, o), -1);
	CHECK_EQ(e.code, MNTCR_USAGE);
	if (!strstr(e.text, text))
		CHECK_STR(e.text, text);
}

/* An option that is wrong would else be left out in silence. */
static void options_that_name_nothing_or_too_much(void)
{
	struct mntcr_external ext[2] = {
		{ .key = "8:0", .path = "/a" }, { .key = "/dev/sda", .path = "/b" },
	}, masters[2] = { { .key = "77", .path = "/a" }, { .key = "77", .path = "/b" } };
	struct mc_plan_options o = { .externals = ext, .nr_externals = 2 };
	uint32_t r;

	start(1);
	t->sbs[sbs[3]].source = "tmp";
	r = add(0, 10, MC_NONE, 0, "/", "/");
	share(add(0, 11, r, 0, "/", "/a"), 0, 77);
	share(add(0, 12, r, 0, "/", "/b"), 5, 0);
	finish();
	misused(&o, "8:0 is named twice");
	ext[1].key = "8:9";
	misused(&o, "8:9: no superblock");
	ext[1].key = "tmp";
	misused(&o, "tmp: 2 superblocks");
	o.nr_externals = 1;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	o.masters = masters;
	o.nr_masters = 2;
	misused(&o, "77: given twice");
	masters[1].key = "5";
	misused(&o, "5: no peer group outside");
	o.nr_masters = 1;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	check();
	done();
}

/* Another owner: it is named by a live source only, and locks mounts. */
static void owners(void)
{
	struct mc_plan_options o = { .ns_live = (bool[]){ false } };
	uint32_t r, m;

	start(1);
	REQUIRE(mc_topology_add_userns(t) == 0);
	t->ns[0].userns = 0;
	r = add(0, 10, MC_NONE, 1, "/", "/");
	m = add(0, 11, r, 1, "/", "/a");
	add(0, 12, m, 1, "/", "/");
	finish();
	refused(MNTCR_API_EXTENDED, &o, "owner");
	o.ns_live = live;
	refused(MNTCR_API_UPSTREAM, &o, "locks");
	/* dumped where locks are not reported */
	refused(MNTCR_API_EXTENDED, &o, "locks");
	o.ignore_locks = true;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	o.ignore_locks = false;
	for (m = 0; m < 3; m++)
		t->mounts[m].locks_known = true;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	check();
	done();
}

static void sources_that_cannot_be_cloned(void)
{
	uint32_t r, m;

	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	m = add(0, 11, r, 1, "/", "/a");
	t->mounts[m].unbindable = true;
	finish();
	/* alone: from a copy of its namespace, which stock kernels need, too */
	golden(MNTCR_API_EXTENDED, NULL,
	       "namespace ns0 (A)\n"
	       "base      src1 = live mount /a in a copy of its namespace\n"
	       "open      src0 = live mount /\n"
	       "clone     mnt0:10 from src0\n"
	       "clone     mnt0:11 from src1\n"
	       "attach    mnt0:11 on mnt0:10 at /a\n"
	       "attach    mnt0:10 on ns0 at /\n"
	       "release   4 descriptors\n");
	check();
	REQUIRE(!make(MNTCR_API_UPSTREAM, NULL));
	check();
	done();
	/* which does not help where it is covered, or hides something */
	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	m = add(0, 11, r, 1, "/", "/a");
	add(0, 12, m, 0, "/", "/");
	t->mounts[m].unbindable = true;
	finish();
	refused(MNTCR_API_EXTENDED, NULL, "uncloneable-source");
	done();
	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	m = add(0, 11, r, 1, "/", "/a");
	t->mounts[m].unbindable = true;
	m = add(0, 12, m, 0, "/", "/b");
	t->mounts[m].locks_known = true;
	t->mounts[m].locks = MOUNT_LOCK_MOUNT;
	finish();
	refused(MNTCR_API_EXTENDED, NULL, "uncloneable-source");
	done();
	/* another mount of it will do, a wider one as well */
	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	m = add(0, 11, r, 1, "/x", "/a");
	t->mounts[m].unbindable = true;
	add(0, 12, r, 1, "/", "/b");
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, NULL));
	check();
	REQUIRE(!make(MNTCR_API_UPSTREAM, NULL));
	check();
	done();
	/* covered: by id, but not by path */
	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	m = add(0, 11, r, 1, "/", "/a");
	add(0, 12, m, 0, "/", "/");
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, NULL));
	golden(MNTCR_API_UPSTREAM, NULL,
	       "namespace ns0 (A)\n"
	       "base      src0 = live mount /\n"
	       "base      src1 = live mount /a in a new copy of mnt0:10 without mnt0:12\n"
	       "clone     mnt0:10 from src0\n"
	       "attach    mnt0:10 on ns0 at /\n"
	       "clone     mnt0:11 from src1\n"
	       "attach    mnt0:11 on mnt0:10 at /a\n"
	       "clone     mnt0:12 from src0\n"
	       "attach    mnt0:12 on mnt0:11 at /\n"
	       "release   5 descriptors\n");
	check();
	/* a cover that is locked stays */
	t->mounts[2].locks_known = true;
	t->mounts[2].locks = MOUNT_LOCK_MOUNT;
	refused(MNTCR_API_UPSTREAM, &(struct mc_plan_options){
		.ignore_locks = true }, "overmounted-source");
	/* what covers the root is above everything that a path leads to */
	done();
	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	add(0, 11, r, 1, "/", "/");
	finish();
	refused(MNTCR_API_UPSTREAM, NULL, "overmounted-source");
	done();
}

int main(void)
{
	TAP_RUN(of_namespaces_that_are_made);
	TAP_RUN(a_pid_namespace_that_is_not_made);
	TAP_RUN(one_that_nobody_named_is_not_opened);
	TAP_RUN(fresh_and_external);
	TAP_RUN(of_a_device);
	TAP_RUN(what_would_be_empty_is_not_made_fresh);
	TAP_RUN(options_that_no_device_is_given);
	TAP_RUN(the_longest_root_counts);
	TAP_RUN(an_idmap_for_a_live_one_without);
	TAP_RUN(options_that_name_nothing_or_too_much);
	TAP_RUN(owners);
	TAP_RUN(sources_that_cannot_be_cloned);
	return tap_done();
}
