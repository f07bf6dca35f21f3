// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Overlays that are made anew: what their layers are cloned from, and which cannot be.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "plan-checker.h"

static struct mc_plan_options cold(void)
{
	static const bool nothing[1];

	return (struct mc_plan_options){ .ns_live = nothing };
}

/* What lies behind its layers is none of them: whoever took it for one would not know it. */
static void overlay(uint32_t sb, const char *options)
{
	struct mc_layer *l;
	uint32_t nr;

	t->sbs[sb].type = "overlay";
	t->sbs[sb].source = "ov";
	t->sbs[sb].options = options;
	REQUIRE(!mc_layers_of(t, &t->sbs[sb], &t->sbs[sb].layers, &t->sbs[sb].nr_layers));
	nr = t->sbs[sb].nr_layers;
	l = mc_topology_alloc(t, (nr + 1) * sizeof(*l));
	REQUIRE(l);
	memcpy(l, t->sbs[sb].layers, nr * sizeof(*l));
	l[nr] = (struct mc_layer){ .text = "/behind", .sb = MC_NONE };
	t->sbs[sb].layers = l;
}

static void layer(uint32_t sb, uint32_t i, uint32_t of, const char *path)
{
	REQUIRE(i < t->sbs[sb].nr_layers);
	t->sbs[sb].layers[i].sb = of;
	t->sbs[sb].layers[i].path = path;
}

/* tmpfs 8:1 at /, ext4 8:0 at /l, an overlay of both, 8:2, at /m. */
static void start_overlay(const char *options)
{
	uint32_t r;

	start(1);
	overlay(2, options);
	r = add(0, 10, MC_NONE, 1, "/", "/");
	add(0, 11, r, 0, "/", "/l");
	add(0, 12, r, 2, "/", "/m");
}

static void from_where_its_layers_are(void)
{
	struct mntcr_external ext = { .key = "8:0", .path = "/srv" };
	struct mc_plan_options o = cold();

	start_overlay("rw,lowerdir=/l/a,upperdir=/rw/up,workdir=/rw/work");
	layer(2, 0, 0, "/a");
	layer(2, 1, 1, "/x/up");
	layer(2, 2, 1, "/x/work");
	finish();
	o.externals = &ext;
	o.nr_externals = 1;
	/* what it is made of comes before it, and is there as long as it is not made */
	golden(MNTCR_API_EXTENDED, &o,
	       "namespace ns0 (A)\n"
	       "fresh     src1 = new tmpfs for 8:1 with l/ m/ x/up/ x/work/\n"
	       "clone     mnt0:10 from src1\n"
	       "base      src0 = external #0\n"
	       "clone     mnt0:11 from src0\n"
	       "attach    mnt0:11 on mnt0:10 at /l\n"
	       "fresh     src2 = new overlay for 8:2 with lowerdir /l/a = /a of 8:0, upperdir /rw/up = /x/up of 8:1, workdir /rw/work = /x/work of 8:1\n"
	       "clone     mnt0:12 from src2\n"
	       "attach    mnt0:12 on mnt0:10 at /m\n"
	       "attach    mnt0:10 on ns0 at /\n"
	       "release   5 descriptors\n");
	check();
	CHECK_EQ(p->from[2].kind, MC_FROM_FRESH);
	CHECK(!p->srcs[2].other_layers);
	/* its own live original, never a second one beside that */
	o.prefer_fresh = true;
	o.ns_live = (bool[]){ true };
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	CHECK_EQ(p->from[1].kind, MC_FROM_FRESH);
	CHECK_EQ(p->from[2].kind, MC_FROM_LIVE);
	/* nothing stands for what a layer was of */
	o = cold();
	o.nr_externals = 0;
	CHECK_EQ(make(MNTCR_API_UPSTREAM, &o), -1);
	CHECK_STR(e.rule, "no-source");
	done();
}

/* The layer is idmapped where it is cloned; its owner is looked for behind both idmaps. */
static void on_an_idmapped_mount(void)
{
	static const struct mc_idmap_extent of_layer[] = { { 0, 1000, 10 } };
	static const struct mc_idmap_extent of_mount[] = { { 1000, 5000, 10 } };
	struct mc_plan_options o = cold();
	uint32_t i, root = MC_NONE;

	start_overlay("rw,lowerdir=/l/a:/l/b");
	t->sbs[0].type = "tmpfs";
	layer(2, 0, 0, "/a");
	layer(2, 1, 0, "/b");
	REQUIRE(mc_topology_add_idmap(t) == 0 && mc_topology_add_idmap(t) == 1);
	t->idmaps[0] = (struct mc_idmap){ 1, 1, of_layer, of_layer };
	t->idmaps[1] = (struct mc_idmap){ 1, 1, of_mount, of_mount };
	t->sbs[2].layers[0].idmap = 0;
	t->mounts[2].attr |= MOUNT_ATTR_IDMAP;
	t->mounts[2].idmap = 1;
	t->mounts[2].root_file = (struct mc_file){
		.mode = S_IFDIR | 0755, .uid = 5003, .gid = 5004,
	};
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	for (i = 0; i < p->nr_nodes; i++)
		if (!strcmp(p->nodes[i].path, "a"))
			root = i;
	REQUIRE(root != MC_NONE && p->nodes[root].file);
	CHECK_EQ(p->nodes[root].file->uid, 3);
	CHECK_EQ(p->nodes[root].file->gid, 4);
	done();
}

/* One string, and two that lead to the same place with and without an idmap. */
static void one_place_idmapped_and_not(void)
{
	struct mc_plan_options o = cold();
	uint32_t i, src = MC_NONE;

	start_overlay("rw,lowerdir=/l/a:/l//a");
	t->sbs[0].type = "tmpfs";
	layer(2, 0, 0, "/a");
	layer(2, 1, 0, "/a");
	REQUIRE(mc_topology_add_idmap(t) == 0);
	t->sbs[2].layers[0].idmap = 0;
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	for (i = 0; i < p->nr_srcs; i++)
		if (p->srcs[i].layers)
			src = i;
	REQUIRE(src != MC_NONE);
	/* no name can lead to both */
	CHECK(p->srcs[src].other_layers);
	done();
}

static void beside_what_stands_for_it(void)
{
	struct mntcr_external ext = { .key = "8:0:/b", .path = "/srv" };
	struct mc_plan_options o = cold();

	start_overlay("rw,lowerdir=/l/a:/l/b");
	t->mounts[1].root = "/b";
	layer(2, 0, 0, "/a");
	layer(2, 1, 0, "/b");
	finish();
	o.externals = &ext;
	o.nr_externals = 1;
	refused(MNTCR_API_EXTENDED, &o, "layer-source");
	CHECK(strstr(e.text, "its lowerdir /l/a was /a of 8:0, which nothing stands for"));
	CHECK(strstr(e.text, "--external 8:0=PATH"));
	done();
}

static void two_mounts(void)
{
	struct mntcr_external ext = { .key = "8:0", .path = "/srv" };
	struct mc_plan_options o = cold();

	start_overlay("rw,lowerdir=/l,upperdir=/up,workdir=/work");
	layer(2, 0, 0, "/");
	layer(2, 1, 1, "/up");
	layer(2, 2, 0, "/work");
	finish();
	o.externals = &ext;
	o.nr_externals = 1;
	refused(MNTCR_API_EXTENDED, &o, "layer-mounts");
	done();
}

static void relative(void)
{
	struct mntcr_external dir[] = {
		{ .key = "8:2", .path = "/store" }, { .key = "/m", .path = "/store" },
	};
	struct mntcr_external ext = { .key = "8:0", .path = "/srv" };
	struct mc_plan_options o = cold();

	start_overlay("rw,lowerdir=a:b,upperdir=up,workdir=work");
	finish();
	o.externals = &ext;
	o.nr_externals = 1;
	refused(MNTCR_API_EXTENDED, &o, "relative-layer");
	CHECK(strstr(e.text, "--layer 8:2=DIRECTORY"));
	o.layers = dir;
	o.nr_layers = 1;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	CHECK(!p->srcs[2].other_layers);
	CHECK_STR(p->srcs[2].layers[2].below, "/up");
	CHECK_EQ(p->srcs[2].layers[3].with, 2);
	check();
	o.nr_layers = 2;
	CHECK_EQ(make(MNTCR_API_EXTENDED, &o), -1);
	CHECK_EQ(e.code, MNTCR_USAGE);
	CHECK(strstr(e.text, "--layer /m: given twice"));
	dir[0].key = "8:1";
	CHECK_EQ(make(MNTCR_API_EXTENDED, &o), -1);
	CHECK_EQ(e.code, MNTCR_USAGE);
	done();
}

static void other_strings(void)
{
	static const struct {
		const char *options, *a, *b;
		bool other;
	} cases[] = {
		{ "lowerdir=/l/a:/l/b", "/a", "/b", false },
		{ "lowerdir=/l/ab:/l/a", "/ab", "/a", false },
		{ "lowerdir=/l//a/:/l/./a", "/a", "/a", false },
		{ "lowerdir=/l/a:/l/a", "/a", "/b", true },
		{ "lowerdir=/l/a:/l/a/b", "/a", "/b", true },
		{ "lowerdir=/:/l", "/a", "/b", true },
		{ "lowerdir=/l/../a:/l", "/a", "/b", true },
		{ "lowerdir=/.mntcr/0:/l", "/a", "/b", true },
	};
	struct mntcr_external ext = { .key = "8:0", .path = "/srv" };
	struct mc_plan_options o = cold();
	size_t i;

	o.externals = &ext;
	o.nr_externals = 1;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start_overlay(cases[i].options);
		layer(2, 0, 0, cases[i].a);
		layer(2, 1, 0, cases[i].b);
		finish();
		REQUIRE(!make(MNTCR_API_UPSTREAM, &o));
		if (p->srcs[2].other_layers != cases[i].other) {
			TAP_SAY("%s", cases[i].options);
			tap.bad = 1;
		}
		check();
		done();
	}
}

/* Longer than fsconfig(2) takes: all at once by mount(2), or each by itself. */
static void long_strings(void)
{
	static const struct {
		size_t len;	/* of the path that both are below */
		const char *more;
		bool other, by_mount;
	} cases[] = {
		{ 100, "", false, false }, { 126, "", false, true }, { 2000, "", false, true },
		{ 2030, "", false, true }, { 2043, "", true, false },
		{ 126, ",x=\\054", true, false }, { 100, ",x=\\054", false, false },
	};
	struct mntcr_external ext = { .key = "8:0", .path = "/srv" };
	struct mc_plan_options o = cold();
	char options[2 * MC_MOUNT_DATA_MAX + 100], dir[MC_MOUNT_DATA_MAX];
	size_t i;

	o.externals = &ext;
	o.nr_externals = 1;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(dir, 'x', cases[i].len);
		dir[cases[i].len] = '\0';
		snprintf(options, sizeof(options), "lowerdir=/%s/a:/%s/b%s", dir, dir,
			 cases[i].more);
		start_overlay(options);
		layer(2, 0, 0, "/a");
		layer(2, 1, 0, "/b");
		finish();
		REQUIRE(!make(MNTCR_API_UPSTREAM, &o));
		CHECK_EQ(p->srcs[2].other_layers, cases[i].other);
		CHECK_EQ(p->srcs[2].one_by_one, cases[i].other);
		CHECK_EQ(p->srcs[2].by_mount, cases[i].by_mount);
		check();
		done();
	}
}

/* By the handles of files, which stay on a disk, and in memory that is live. */
static void with_an_index(void)
{
	struct mntcr_external ext[] = {
		{ .key = "8:0", .path = "/srv" }, { .key = "8:1", .path = "/var" },
	};
	struct mc_plan_options o = cold();
	uint32_t in;

	for (in = 0; in < 2; in++) {
		start_overlay(in ? "rw,lowerdir=/a,upperdir=/rw/up,workdir=/rw/work,index=on" :
			      "rw,lowerdir=/a,upperdir=/rw/up,workdir=/rw/work,index=off");
		layer(2, 0, 1, "/a");
		layer(2, 1, 0, "/x/up");
		layer(2, 2, 0, "/x/work");
		finish();
		o.externals = ext;
		o.nr_externals = 1;
		if (in)
			refused(MNTCR_API_EXTENDED, &o, "overlay-index");
		else
			REQUIRE(!make(MNTCR_API_EXTENDED, &o));
		o.nr_externals = 2;
		REQUIRE(!make(MNTCR_API_EXTENDED, &o));
		done();
	}
}

/* What would keep overlayfs from writing there comes when it is mounted, if there is any. */
static void on_what_is_closed(void)
{
	static const struct {
		uint32_t flags, of_overlay;
		uint64_t inodes;
		bool contents, finish;
	} turns[] = {
		{ 0, 0, 0, false, false },
		{ MS_RDONLY, 0, 0, false, true },
		{ MS_RDONLY, MS_RDONLY, 0, false, true },
		{ 0, 0, 16, false, true },
		{ 0, 0, 0, true, true },
		/* there may have been no room for its work directory */
		{ 0, MS_RDONLY, 16, true, false },
	};
	struct mntcr_external ext = { .key = "8:0", .path = "/srv" };
	struct mc_plan_options o = cold();
	uint32_t i;
	char *s;

	for (i = 0; i < MC_ARRAY_SIZE(turns); i++) {
		start_overlay("rw,lowerdir=/l/a,upperdir=/rw/up,workdir=/rw/work");
		layer(2, 0, 0, "/a");
		layer(2, 1, 1, "/x/up");
		layer(2, 2, 1, "/x/work");
		t->sbs[1].flags = turns[i].flags;
		t->sbs[1].sized = true;
		t->sbs[1].inodes = turns[i].inodes;
		t->sbs[1].contents = turns[i].contents;
		t->sbs[2].flags = turns[i].of_overlay;
		finish();
		o.externals = &ext;
		o.nr_externals = 1;
		REQUIRE(!make(MNTCR_API_EXTENDED, &o));
		check();
		s = text();
		CHECK_EQ(strstr(s, "\nfinish    src1\n") != NULL, turns[i].finish);
		free(s);
		REQUIRE(!make(MNTCR_API_UPSTREAM, &o));
		check();
		done();
	}
}

/* What the image has read-only on a device is not written to: a path may lead elsewhere. */
static void on_a_read_only_device(void)
{
	struct mntcr_external at = { .key = "8:0", .path = "/dev/sda" };
	struct mc_plan_options o = cold();

	start_overlay("rw,lowerdir=/l/a,upperdir=/rw/up,workdir=/rw/work");
	t->sbs[0].type = "ext4";
	t->sbs[0].options = "";
	layer(2, 0, 1, "/a");
	layer(2, 1, 0, "/x/up");
	layer(2, 2, 0, "/x/work");
	finish();
	o.devices = &at;
	o.nr_devices = 1;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	t->sbs[0].flags = MS_RDONLY;
	refused(MNTCR_API_EXTENDED, &o, "layer-read-only");
	CHECK(strstr(e.text, "--external 8:0=PATH, where it is writable, or --external 8:2=PATH"));
	o.nr_devices = 0;
	o.externals = &at;
	o.nr_externals = 1;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	/* lower ones are read alone */
	o.nr_devices = 1;
	o.nr_externals = 0;
	layer(2, 0, 0, "/a");
	layer(2, 1, 1, "/x/up");
	layer(2, 2, 1, "/x/work");
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	done();
}

/*
 * What has been unlinked in an overlay is made in its upper layer: what that is in is only
 * then what the image has, whether or not something is unlinked in there, too.
 */
static void unlinked_in_it(void)
{
	struct mntcr_external ext = { .key = "8:0", .path = "/srv" };
	struct mc_plan_options o = cold();
	uint32_t m;
	char *s;
	int own;

	for (own = 0; own < 2; own++) {
		start_overlay("rw,lowerdir=/l/a,upperdir=/rw/up,workdir=/rw/work");
		layer(2, 0, 0, "/a");
		layer(2, 1, 1, "/x/up");
		layer(2, 2, 1, "/x/work");
		m = add(0, 13, 0, 2, "/d/f", "/f");
		t->mounts[m].root_deleted = true;
		t->mounts[m].unlinked = 1;
		if (own) {
			m = add(0, 14, 0, 1, "/g", "/g");
			t->mounts[m].root_deleted = true;
			t->mounts[m].unlinked = 1;
		}
		t->sbs[1].contents = true;
		t->sbs[2].contents = true;
		finish();
		o.externals = &ext;
		o.nr_externals = 1;
		REQUIRE(!make(MNTCR_API_EXTENDED, &o));
		check();
		s = text();
		CHECK(strstr(s, own ? "\nunlink    in src3: d/f\n"
				      "unlink    in src1: g\n"
				      "finish    src1\n" :
				      "\nunlink    in src2: d/f\n"
				      "finish    src1\n"));
		free(s);
		REQUIRE(!make(MNTCR_API_UPSTREAM, &o));
		check();
		done();
	}
}

/* Three are more than the kernel stacks, and so is a ring of them. */
static void stacked(void)
{
	struct mc_plan_options o = cold();
	uint32_t r, i;

	start(1);
	for (i = 0; i < 4; i++)
		if (i != 1)
			overlay(i, "lowerdir=/x:/y");
	r = add(0, 10, MC_NONE, 1, "/", "/");
	add(0, 11, r, 0, "/", "/a");
	add(0, 12, r, 2, "/", "/b");
	add(0, 13, r, 3, "/", "/c");
	layer(0, 0, 1, "/x");
	layer(0, 1, 1, "/y");
	layer(2, 0, 0, "/");
	layer(2, 1, 1, "/y");
	layer(3, 0, 1, "/x");
	layer(3, 1, 0, "/");
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	check();
	t->sbs[3].layers[0].sb = 2;
	refused(MNTCR_API_EXTENDED, &o, "layer-depth");
	t->sbs[3].layers[0].sb = 1;
	t->sbs[0].layers[0].sb = 3;
	refused(MNTCR_API_EXTENDED, &o, "layer-depth");
	done();
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	TAP_RUN(from_where_its_layers_are);
	TAP_RUN(on_an_idmapped_mount);
	TAP_RUN(one_place_idmapped_and_not);
	TAP_RUN(beside_what_stands_for_it);
	TAP_RUN(two_mounts);
	TAP_RUN(relative);
	TAP_RUN(other_strings);
	TAP_RUN(long_strings);
	TAP_RUN(with_an_index);
	TAP_RUN(on_what_is_closed);
	TAP_RUN(on_a_read_only_device);
	TAP_RUN(unlinked_in_it);
	TAP_RUN(stacked);
	return tap_done();
}
