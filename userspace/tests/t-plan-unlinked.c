// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mounts whose root has been unlinked: what brings them, where they are made anew, and
 * what is refused of them.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <sys/mount.h>

#include "plan-checker.h"

/* No call attaches such a mount: its parent brings it, and nothing else. */
static void unlinked_roots(void)
{
	uint32_t r, m, c;

	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	m = add(0, 11, r, 1, "/", "/a");
	t->mounts[add(0, 12, m, 0, "/gone", "/f")].root_deleted = true;
	c = add(0, 13, m, 2, "/", "/c");
	add(0, 14, c, 2, "/", "/");
	add(0, 15, m, 2, "/", "/c/d");
	finish();
	golden(MNTCR_API_EXTENDED, NULL,
	       "namespace ns0 (A)\n"
	       "base      src4 = live mount /a with what is unlinked on it, in a copy of its namespace without mnt0:14 mnt0:13 mnt0:15\n"
	       "open      src0 = live mount /\n"
	       "clone     mnt0:10 from src0\n"
	       "clone     mnt0:11 from src4\n"
	       "attach    mnt0:11 on mnt0:10 at /a\n"
	       "attach    mnt0:12 on mnt0:11 at /f, with which it came\n"
	       "open      src3 = live mount /a/c\n"
	       "clone     mnt0:13 from src3\n"
	       "clone     mnt0:14 from src3\n"
	       "clone     mnt0:15 from src3\n"
	       "attach    mnt0:15 on mnt0:11 at /c/d\n"
	       "attach    mnt0:13 on mnt0:11 at /c\n"
	       "attach    mnt0:14 on mnt0:13 at /\n"
	       "attach    mnt0:10 on ns0 at /\n"
	       "release   9 descriptors\n");
	REQUIRE(!make(MNTCR_API_UPSTREAM, NULL));
	/* its parent comes from elsewhere, or cannot be found, or leaves it out */
	refused(MNTCR_API_EXTENDED, &(struct mc_plan_options){
		.externals = (struct mntcr_external[]){ { .key = "8:1", .path = "/x" } },
		.nr_externals = 1, .ns_live = live }, "deleted-root");
	t->mounts[2].unbindable = true;
	refused(MNTCR_API_EXTENDED, NULL, "deleted-root");
	done();
	/* what is locked beside it stays, in a copy as well */
	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	m = add(0, 11, r, 1, "/", "/a");
	t->mounts[add(0, 12, m, 0, "/gone", "/f")].root_deleted = true;
	c = add(0, 13, m, 0, "/", "/c");
	add(0, 14, r, 1, "/", "/b");
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, NULL));
	t->mounts[c].locks_known = true;
	t->mounts[c].locks = MOUNT_LOCK_MOUNT;
	refused(MNTCR_API_EXTENDED, NULL, "deleted-root");
	done();
	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	m = add(0, 11, r, 1, "/", "/a/b");
	t->mounts[add(0, 12, m, 0, "/gone", "/f")].root_deleted = true;
	add(0, 13, r, 2, "/", "/a");
	finish();
	refused(MNTCR_API_EXTENDED, NULL, "deleted-root");
	done();
	/* what is mounted below its mountpoint would be attached through it */
	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	add(0, 11, r, 1, "/", "/d/e");
	t->mounts[add(0, 12, r, 0, "/gone", "/d")].root_deleted = true;
	finish();
	refused(MNTCR_API_EXTENDED, NULL, "deleted-root");
	done();
}

static uint32_t gone(uint64_t id, const char *root, const char *at, uint32_t nr)
{
	uint32_t m = add(0, id, 0, 1, root, at);

	t->mounts[m].root_deleted = true;
	t->mounts[m].unlinked = nr;
	return m;
}

/* Once for all that show it, and unlinked when all are attached. */
static void unlinked_roots_anew(void)
{
	struct mc_plan_options o = { .ns_live = (bool[]){ false } };
	uint32_t m;

	start(1);
	add(0, 10, MC_NONE, 1, "/", "/");
	gone(11, "/d/f", "/a", 1);
	m = gone(12, "/d/f", "/b", 2);
	gone(13, "/d/f", "/c", 1);
	gone(14, "/g", "/e", 3);
	t->sbs[sbs[1]].contents = true;
	finish();
	golden(MNTCR_API_EXTENDED, &o,
	       "namespace ns0 (A)\n"
	       "fresh     src0 = new tmpfs for 8:1 with a/ b/ c/ e/\n"
	       "clone     mnt0:10 from src0\n"
	       "subroot   src1 = .mntcr-unlinked-RANDOM/1 below src0\n"
	       "clone     mnt0:11 from src1\n"
	       "attach    mnt0:11 on mnt0:10 at /a\n"
	       "subroot   src2 = .mntcr-unlinked-RANDOM/2 below src0\n"
	       "clone     mnt0:12 from src2\n"
	       "attach    mnt0:12 on mnt0:10 at /b\n"
	       "clone     mnt0:13 from src1\n"
	       "attach    mnt0:13 on mnt0:10 at /c\n"
	       "subroot   src3 = .mntcr-unlinked-RANDOM/3 below src0\n"
	       "clone     mnt0:14 from src3\n"
	       "attach    mnt0:14 on mnt0:10 at /e\n"
	       "attach    mnt0:10 on ns0 at /\n"
	       "unlink    in src0: d/f d/f g\n"
	       "finish    src0\n"
	       "release   9 descriptors\n");
	REQUIRE(!make(MNTCR_API_UPSTREAM, &o));
	/* which one it is, or what was in it, is not known */
	t->mounts[m].unlinked = 0;
	refused(MNTCR_API_EXTENDED, &o, "deleted-root");
	t->mounts[m].unlinked = 2;
	t->sbs[sbs[1]].contents = false;
	refused(MNTCR_API_EXTENDED, &o, "deleted-root");
	t->sbs[sbs[1]].contents = true;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	CHECK_EQ(p->nr_unlinked, 3);
	/* with an idmap, or with two, it is made once */
	t->mounts[m].unlinked = 1;
	t->mounts[m].idmap = mc_topology_add_idmap(t);
	REQUIRE(t->mounts[m].idmap != MC_NONE);
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	CHECK_EQ(p->nr_unlinked, 2);
	REQUIRE(!make(MNTCR_API_UPSTREAM, &o));
	CHECK_EQ(p->nr_unlinked, 2);
	done();
}

static void count_externals(void *data, const struct mc_plan *of)
{
	uint32_t i;

	for (i = 0; i < of->nr_srcs; i++)
		if (of->srcs[i].kind == MC_SRC_EXTERNAL)
			++*(unsigned int *)data;
}

/* On a device, whose other files are there already. */
static void unlinked_roots_of_a_device(void)
{
	struct mntcr_external x[] = {
		{ .key = "8:1", .path = "/srv" }, { .key = "8:1:/d", .path = "/d" },
	};
	struct mc_plan_options o = { .ns_live = (bool[]){ false } };

	start(1);
	add(0, 10, MC_NONE, 1, "/", "/");
	t->sbs[sbs[1]].type = "ext4";
	t->sbs[sbs[1]].options = "";
	gone(11, "/d/f", "/a", 1);
	gone(12, "/d/f", "/b", 1);
	t->sbs[sbs[1]].contents = true;
	finish();
	o.devices = x;
	o.nr_devices = 1;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	CHECK_EQ(p->nr_unlinked, 1);
	CHECK_STR(p->unlinked[0].made_as, ".mntcr-unlinked-RANDOM/1");
	check();
	o.nr_devices = 0;
	o.externals = x;
	o.nr_externals = 1;
	golden(MNTCR_API_EXTENDED, &o,
	       "namespace ns0 (A)\n"
	       "base      src0 = external #0\n"
	       "clone     mnt0:10 from src0\n"
	       "subroot   src1 = .mntcr-unlinked-RANDOM/1 below src0\n"
	       "clone     mnt0:11 from src1\n"
	       "attach    mnt0:11 on mnt0:10 at /a\n"
	       "clone     mnt0:12 from src1\n"
	       "attach    mnt0:12 on mnt0:10 at /b\n"
	       "attach    mnt0:10 on ns0 at /\n"
	       "unlink    in src0: d/f\n"
	       "release   5 descriptors\n");
	REQUIRE(!make(MNTCR_API_UPSTREAM, &o));
	check();
	/* below the root that a path stands for: from there on */
	x[0].key = "8:1:/d";
	refused(MNTCR_API_EXTENDED, &o, "no-source");
	x[0].key = "8:1";
	/* two paths may lead to two filesystems */
	o.nr_externals = 2;
	refused(MNTCR_API_EXTENDED, &o, "deleted-root");
	CHECK(strstr(e.text, "; --device for its superblock"));
	o.nr_externals = 1;
	/* what was given already is no help */
	o.nr_externals = 0;
	o.nr_devices = 1;
	t->mounts[1].unlinked = 0;
	refused(MNTCR_API_EXTENDED, &o, "deleted-root");
	CHECK(strstr(e.text, "; --source with its namespace, and no --device"));
	t->mounts[1].unlinked = 1;
	o.nr_devices = 0;
	o.nr_externals = 1;
	/* nobody writes to what the image has read-only */
	t->sbs[sbs[1]].flags = MS_RDONLY;
	refused(MNTCR_API_EXTENDED, &o, "deleted-root");
	t->sbs[sbs[1]].flags = 0;
	t->sbs[sbs[1]].contents = false;
	refused(MNTCR_API_EXTENDED, &o, "deleted-root");
	done();
}

/* Nothing is said of a path that nothing is had from. */
static void what_is_refused_takes_no_source(void)
{
	struct mntcr_external x[] = {
		{ .key = "8:1", .path = "/srv" }, { .key = "8:1:/d", .path = "/d" },
		{ .key = "8:0", .path = "/" },
	};
	unsigned int nr = 0;
	struct mc_plan_options o = {
		.ns_live = (bool[]){ false }, .externals = x, .nr_externals = 3,
		.decided = count_externals, .data = &nr,
	};

	start(1);
	add(0, 10, MC_NONE, 0, "/", "/");
	gone(11, "/d/f", "/a", 1);
	t->sbs[sbs[1]].type = "ext4";
	t->sbs[sbs[1]].contents = true;
	finish();
	CHECK_EQ(make(MNTCR_API_EXTENDED, &o), -1);
	CHECK_STR(e.rule, "deleted-root");
	CHECK_EQ(nr, 1);
	done();
}

/* A group of one at /a, of that root, and on it one whose root /x/gone is unlinked. */
static void group_with_unlinked(const char *root, bool wide)
{
	uint32_t r, m;

	start(1);
	r = add(0, 10, MC_NONE, 1, "/", "/");
	if (wide)
		add(0, 13, r, 0, "/x", "/w");
	m = add(0, 11, r, 0, root, "/a");
	share(m, 5, 0);
	m = add(0, 12, m, 0, "/x/gone", "/f");
	t->mounts[m].root_deleted = true;
	share(m, 5, 0);
	finish();
	REQUIRE(!make(MNTCR_API_UPSTREAM, NULL));
}

static void unlinked_in_a_group(void)
{
	char *s;

	/* the one that is there contains it */
	group_with_unlinked("/x", false);
	CHECK_EQ(p->nr_temps, 0);
	done();
	/* of what has its name by now, only what is above contains both: /x */
	group_with_unlinked("/x/gone/y", true);
	REQUIRE(p->nr_temps == 1);
	s = text();
	CHECK(strstr(s, "\nbase      src0 = live mount /w\n"));
	CHECK(strstr(s, "\nclone     temp0 from src0\n"));
	CHECK(strstr(s, "\ngroup     shared: temp0 mnt0:11 mnt0:12\n"));
	free(s);
	done();
}

int main(void)
{
	TAP_RUN(unlinked_in_a_group);
	TAP_RUN(what_is_refused_takes_no_source);
	TAP_RUN(unlinked_roots_anew);
	TAP_RUN(unlinked_roots_of_a_device);
	TAP_RUN(unlinked_roots);
	return tap_done();
}
