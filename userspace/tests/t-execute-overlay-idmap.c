// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Overlays whose layers lie on idmapped mounts, made anew: who owns what in them is as it
 * was, since each layer is idmapped again.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "idmap-userns.h"
#include "shot.h"

#define RAW	5
#define SHOWN	1005

static int users = -1;		/* what the idmap is; a new root has no /proc */

static bool map(const char *what, const char *on)
{
	struct mc_mount_attr attr = {
		.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)users,
	};
	int tree;
	bool ok;

	tree = mc_open_tree(AT_FDCWD, what, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		err(1, "%s", what);
	ok = !mc_mount_setattr(tree, "", AT_EMPTY_PATH, &attr, MC_MOUNT_ATTR_SIZE_VER0);
	if (!ok && errno != EINVAL)
		err(1, "idmap of %s", what);
	if (ok && mc_move_mount(tree, "", AT_FDCWD, on, MOVE_MOUNT_F_EMPTY_PATH))
		err(1, "%s", on);
	close(tree);
	return ok;
}

static void raw(const char *path)
{
	w_mkdir(path);
	if (chown(path, RAW, RAW))
		err(1, "%s", path);
}

static void places(void)
{
	static const char *const dirs[] = { "/one", "/mapped", "/rw", "/mapped-rw", "/m" };
	size_t i;

	world_new_root();
	for (i = 0; i < MC_ARRAY_SIZE(dirs); i++)
		w_mkdir(dirs[i]);
	w_tmpfs("one", "/one");
	w_tmpfs("rw", "/rw");
	raw("/one/l1");
	raw("/one/l2");
	raw("/rw/up");
	w_mkdir("/rw/work");
}

static void overlay(const char *options)
{
	if (mount("ov", "/m", "overlay", 0, options))
		err(1, "%s", options);
}

static void lower(void)
{
	places();
	if (map("/one", "/mapped"))
		overlay("lowerdir=/mapped/l1:/one/l2");
}

static void upper(void)
{
	places();
	if (map("/rw", "/mapped-rw"))
		overlay("lowerdir=/one/l1,upperdir=/mapped-rw/up,workdir=/mapped-rw/work");
}

/* Layers of the second one are parts of the first one, whose own are idmapped. */
static void in_another(void)
{
	places();
	w_mkdir("/in");
	raw("/one/l1/part");
	raw("/one/l2/other");
	if (!map("/one", "/mapped") || !map("/rw", "/mapped-rw"))
		return;
	if (mount("in", "/in", "overlay", 0, "lowerdir=/mapped/l1:/one/l2"))
		err(1, "the first one");
	overlay("lowerdir=/in/part:/in/other,upperdir=/mapped-rw/up,workdir=/mapped-rw/work");
}

/* Or its upper one is, which may be written to. */
static void in_another_upper(void)
{
	places();
	w_mkdir("/in");
	raw("/rw/up/part");
	if (!map("/rw", "/mapped-rw"))
		return;
	if (mount("in", "/in", "overlay", 0,
		  "lowerdir=/one/l1,upperdir=/mapped-rw/up,workdir=/mapped-rw/work"))
		err(1, "the first one");
	overlay("lowerdir=/in/part:/one/l2");
	w_mkdir("/on");
	w_bind("/in/part", "/on");
}

static struct shot shoot_mapped(void (*fn)(void), uint32_t nr)
{
	struct shot s = { .o = { .size = sizeof(s.o), .prefer_fresh = true } };
	uint32_t m;
	int fd;

	need_api();
	fd = mc_fsopen("overlay", FSOPEN_CLOEXEC);
	if (fd < 0)
		SKIP("this kernel has no overlay");
	close(fd);
	if (users < 0)
		users = idmap_userns("0 0 1\n5 1005 5\n");
	REQUIRE(users >= 0);
	world_add(&s.w, -1, fn);
	s.o.api = api;
	s.src[0] = (struct mntcr_source){ .type = MNTCR_SOURCE_FD, .fd = s.w.ns[0] };
	if (mntcr_capture(s.src, 1, NULL, &s.t, &s.e)) {
		CHECK_STR(s.e.rule, "idmap-unknown");
		world_close(&s.w);
		SKIP("this kernel does not say idmaps");
	}
	s.mounts = world_own_mounts();
	s.fds = world_own_fds();
	m = mc_mount_at(s.t, 0, "/m");
	if (m == MC_NONE || strcmp(s.t->sbs[s.t->mounts[m].sb].type, "overlay")) {
		end(&s, NULL);
		SKIP("no idmapped mounts of this kernel's tmpfs");
	}
	CHECK_EQ(s.t->sbs[s.t->mounts[m].sb].nr_layers, nr);
	return s;
}

static const struct mc_layer *layers(const struct shot *s)
{
	return s->t->sbs[s->t->mounts[mc_mount_at(s->t, 0, "/m")].sb].layers;
}

static bool is_mapped(const struct shot *s, const struct mc_layer *l, const char *path)
{
	const struct mc_mount *m = &s->t->mounts[mc_mount_at(s->t, 0, path)];

	CHECK_EQ(l->sb, m->sb);
	return m->idmap != MC_NONE && l->idmap == m->idmap;
}

/* What is made in it is in the layer as that has it. */
static int do_write(void *arg)
{
	struct stat st;

	if (stat("/m", &st) || st.st_uid != SHOWN || st.st_gid != SHOWN)
		return 1;
	if (!arg)
		return 0;
	if (mkdir("/m/new", 0755) || chown("/m/new", SHOWN + 1, SHOWN + 2) ||
	    stat("/rw/up/new", &st))
		return 2;
	return st.st_uid == RAW + 1 && st.st_gid == RAW + 2 ? 0 : 3;
}

static void lower_layers(void)
{
	struct shot s = shoot_mapped(lower, 2);
	struct mntcr_restored *r;

	CHECK(is_mapped(&s, &layers(&s)[0], "/mapped"));
	CHECK(!is_mapped(&s, &layers(&s)[1], "/one"));
	CHECK_EQ(layers(&s)[1].idmap, MC_NONE);
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_ORDER);
	CHECK_EQ(world_in(mntcr_restored_ns_fd(r, 0), do_write, NULL), 0);
	end(&s, r);
}

/* The kernel takes these as well. */
static void the_upper_one(void)
{
	struct shot s = shoot_mapped(upper, 3);
	struct mntcr_restored *r;

	CHECK_EQ(layers(&s)[0].idmap, MC_NONE);
	CHECK(is_mapped(&s, &layers(&s)[1], "/mapped-rw"));
	CHECK(is_mapped(&s, &layers(&s)[2], "/mapped-rw"));
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_ORDER);
	CHECK_EQ(world_in(mntcr_restored_ns_fd(r, 0), do_write, "upper"), 0);
	end(&s, r);
}

/* What is in its layers in memory is in the image from here on. */
static struct mntcr_contents *take_contents(struct shot *s)
{
	static const char *const path = "/tmp/mntcr-layers-image";
	const struct mntcr_contents_options o = {
		.size = sizeof(o), .sources = s->src, .nr_sources = s->w.nr,
	};
	struct mntcr_contents *c = NULL;

	if (mntcr_image_write_contents(s->t, &o, path, &s->e))
		TAP_SAY("dump: %s", s->e.text);
	mntcr_topology_free(s->t);
	s->t = NULL;
	REQUIRE(!mntcr_image_read_contents(path, &s->t, &c, &s->e));
	unlink(path);
	s->fds++;
	s->o.contents = c;
	return c;
}

static void ended(struct shot *s, struct mntcr_restored *r, struct mntcr_contents *c)
{
	mntcr_contents_free(c);
	s->fds--;
	end(s, r);
}

static void one_in_the_other(void)
{
	struct shot s = shoot_mapped(in_another, 4);
	const struct mc_layer *l = layers(&s);
	struct mntcr_contents *c;
	struct mntcr_restored *r;

	CHECK(!is_mapped(&s, &l[0], "/in"));
	CHECK_STR(l[0].path, "/part");
	CHECK_EQ(l[0].idmap, MC_NONE);
	CHECK(!is_mapped(&s, &l[1], "/in"));
	CHECK(is_mapped(&s, &l[2], "/mapped-rw"));
	/* without them these are no more than directories, and that not in the first one */
	failed(&s, 0, ": its lowerdir /in/part was a directory, but overlay ");
	CHECK_STR(s.e.rule, "overlay-layer");
	c = take_contents(&s);
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_ORDER);
	CHECK_EQ(world_in(mntcr_restored_ns_fd(r, 0), do_write, "upper"), 0);
	ended(&s, r, c);
}

static int do_look(void *arg)
{
	struct stat st;

	return stat("/on", &st) || st.st_uid != SHOWN || do_write(NULL);
}

static void one_in_a_writable_one(void)
{
	struct shot s = shoot_mapped(in_another_upper, 2);
	struct mntcr_contents *c;
	struct mntcr_restored *r;

	CHECK(!is_mapped(&s, &layers(&s)[0], "/in"));
	c = take_contents(&s);
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_ORDER);
	CHECK_EQ(world_in(mntcr_restored_ns_fd(r, 0), do_look, NULL), 0);
	ended(&s, r, c);
}

static const struct shot_test tests[] = {
	{ "one-in-the-other", one_in_the_other },
	{ "one-in-a-writable-one", one_in_a_writable_one },
	{ "lower-layers", lower_layers },
	{ "the-upper-one", the_upper_one },
};

int main(int argc, char **argv)
{
	return shot_run(tests, sizeof(tests) / sizeof(tests[0]), argv);
}
