// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a key names: a device, a source, a path; which of them when it says not.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "plan-checker.h"

static struct mntcr_external ext[2], master[2];

/* 8:0 in both namespaces; 8:1 on /a, covered by 8:3; 8:2 shows a second source. */
static void image(void)
{
	uint32_t r, a;

	start(2);
	t->sbs[sbs[1]].source = "/a";
	t->sbs[sbs[2]].type = "ceph";
	t->sbs[sbs[2]].source = "user@fsid.name=/";
	t->sbs[sbs[3]].source = "8:1";
	r = add(0, 10, MC_NONE, 0, "/", "/");
	a = add(0, 11, r, 1, "/", "/a");
	add(0, 12, a, 3, "/", "/");
	share(add(0, 13, r, 2, "/", "/ceph"), 0, 77);
	t->mounts[add(0, 14, r, 2, "/", "/again")].source = "another";
	share(add(0, 15, r, 0, "/", "/peer"), 5, 0);
	r = add(1, 20, MC_NONE, 0, "/c", "/");
	add(1, 21, r, 1, "/", "/b");
	finish();
}

/* The superblock that a source of this option is of. */
static void names(const char *key, uint32_t minor)
{
	struct mc_plan_options o = { .externals = ext, .nr_externals = 1 };
	uint32_t i, n = 0;

	ext[0] = (struct mntcr_external){ .key = key, .path = "/x" };
	if (make(MNTCR_API_EXTENDED, &o)) {
		TAP_SAY("%s: %s", key, e.text);
		CHECK(!"named");
		return;
	}
	for (i = 0; i < p->nr_srcs; i++) {
		if (p->srcs[i].kind != MC_SRC_EXTERNAL)
			continue;
		n++;
		CHECK_EQ(p->srcs[i].index, 0);
		CHECK_EQ(t->sbs[p->srcs[i].sb].minor, minor);
	}
	CHECK_EQ(n, 1);
}

static void wrong(uint32_t nr, uint32_t nr_masters, const char *text)
{
	struct mc_plan_options o = {
		.externals = ext, .nr_externals = nr,
		.masters = master, .nr_masters = nr_masters,
	};

	CHECK_EQ(make(MNTCR_API_EXTENDED, &o), -1);
	CHECK_EQ(e.code, MNTCR_USAGE);
	if (!strstr(e.text, text))
		CHECK_STR(e.text, text);
}

static void not_named(const char *key, const char *text)
{
	ext[0] = (struct mntcr_external){ .key = key, .path = "/x" };
	wrong(1, 0, text);
}

static void devices_sources_and_paths(void)
{
	image();
	names("8:0", 0);
	/* the form tells, whatever sources there are */
	names("8:1", 1);
	names("source:8:1", 3);
	names("user@fsid.name=/", 2);
	names("source:user@fsid.name=/", 2);
	/* of a mount */
	names("another", 2);
	/* a source before a path */
	names("/a", 1);
	names("source:/a", 1);
	/* to the topmost */
	names("path:/a", 3);
	names("/ceph", 2);
	names("path:0:/ceph", 2);
	names("path:1:/b", 1);
	names("path:/", 0);
	not_named("path:1:/a", "no mount of the image's namespace is at this path");
	not_named("path:2:/a", "no mount of the image's namespace is at this path");
	not_named("path:/a/b", "no mount of the image's namespace is at this path");
	not_named("path:a", "no superblock of the image");
	not_named("path:", "no superblock of the image");
	not_named("path:-1:/a", "no superblock of the image");
	not_named("path:4294967296:/", "no mount of the image's namespace");
	not_named("path:99999999999999999999:/", "no superblock of the image");
	not_named("/b", "no mount of the image's namespace is at this path");
	not_named("b", "b: no superblock of the image is this device or source");
	not_named("8:", "8:: no superblock of the image is this device or source");
	not_named("4294967304:0", "no superblock of the image");
	not_named("source:", "no superblock of the image");
	done();
}

/* Key and root: the last ":/" before which something is named. */
static void with_a_root(void)
{
	image();
	names("8:2:/", 2);
	names("path:/a:/", 3);
	names("path:1:/b:/", 1);
	t->sbs[sbs[2]].source = "server:/export";
	names("server:/export", 2);
	names("source:server:/export:/", 2);
	not_named("8:2:/a//b", "8:2:/a//b: the root has an empty component");
	not_named("8:2:/..", "8:2:/..: the root has a . or .. component");
	not_named("8:2:", "8:2:: no superblock of the image");
	not_named("8:2:a", "8:2:a: no superblock of the image");
	not_named(":/a", ":/a: no superblock of the image");
	not_named("server:/other", "server:/other: no superblock of the image");
	ext[0] = (struct mntcr_external){ .key = "8:2:/a", .path = "/x" };
	ext[1] = (struct mntcr_external){ .key = "path:/ceph:/a", .path = "/y" };
	wrong(2, 0, "--external path:/ceph:/a: the superblock 8:2 is named twice");
	done();
}

static void named_twice(void)
{
	image();
	ext[0] = (struct mntcr_external){ .key = "8:2", .path = "/x" };
	ext[1] = (struct mntcr_external){ .key = "another", .path = "/y" };
	wrong(2, 0, "--external another: the superblock 8:2 is named twice");
	ext[1].key = "path:/ceph";
	wrong(2, 0, "--external path:/ceph: the superblock 8:2 is named twice");
	ext[1].key = "8:2";
	wrong(2, 0, "--external 8:2: the superblock 8:2 is named twice");
	t->mounts[4].source = "/a";
	ext[0].key = "/a";
	wrong(1, 0, "--external /a: 2 superblocks of the image have this source");
	done();
}

static void peer_groups(void)
{
	static const char *const keys[] = { "77", "path:/ceph", "path:0:/ceph", "/ceph" };
	struct mc_plan_options o = { .masters = master, .nr_masters = 1 };
	uint32_t i, k, n;

	image();
	for (k = 0; k < MC_ARRAY_SIZE(keys); k++) {
		master[0] = (struct mntcr_external){ .key = keys[k], .path = "/x" };
		REQUIRE(!make(MNTCR_API_EXTENDED, &o));
		for (i = n = 0; i < p->nr_srcs; i++)
			n += p->srcs[i].kind == MC_SRC_MASTER;
		CHECK_EQ(n, 1);
	}
	master[1] = (struct mntcr_external){ .key = "77", .path = "/y" };
	wrong(0, 2, "--external-master 77: given twice");
	master[0].key = "path:/";
	wrong(0, 1, "receives from no peer group");
	master[0].key = "path:/none";
	wrong(0, 1, "no mount of the image is at this path");
	master[0].key = "5";
	wrong(0, 1, "this one has members in it");
	master[0].key = "8";
	wrong(0, 1, "no peer group outside of the image has this id");
	master[0].key = "ceph";
	wrong(0, 1, "no peer group outside of the image has this id");
	done();
}

int main(void)
{
	TAP_RUN(devices_sources_and_paths);
	TAP_RUN(with_a_root);
	TAP_RUN(named_twice);
	TAP_RUN(peer_groups);
	return tap_done();
}
