// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What mountinfo does not show: refused where it is part of what tasks see, and
 * left alone where a new root was moved over it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "mntcr.h"
#include "topology/topology.h"
#include "scene.h"

static bool lists_mounts(int ns)
{
	uint64_t id;

	return !ioctl(ns, MC_NS_GET_MNTNS_ID, &id) &&
	       (mc_listmount(NULL, NULL, 0, 0), errno != ENOSYS);
}

static int capture(struct mntcr_source *src, enum mntcr_method method,
		   struct mntcr_topology **t, struct mntcr_error *e)
{
	struct mntcr_capture_options opts = {
		.size = sizeof(opts), .method = method,
	};
	int ret = mntcr_capture(src, 1, &opts, t, e);

	if (ret)
		TAP_SAY("%s [%s]", e->text, e->rule);
	return ret;
}

static int escape(void *data)
{
	DO(chdir(SCENE_DIR));
	DO(mkdir("top", 0755));
	DO(mkdir("top/a", 0755));
	DO(mkdir("top/a/m", 0755));
	DO(mkdir("b", 0755));
	DO(mount("top/a", "b", "none", MS_BIND, NULL));
	DO(mount("escapes", "b/m", "tmpfs", 0, NULL));
	return 0;
}

static int rename_away(void *data)
{
	return rename(SCENE_DIR "/top/a/m", SCENE_DIR "/top/m") ? errno : 0;
}

/* All that escape() has made. */
static int gone(void *data)
{
	DO(chdir(SCENE_DIR));
	DO(rmdir("top/m"));
	DO(rmdir("top/a"));
	DO(rmdir("top"));
	return rmdir("b") ? errno : 0;
}

/* Of a bind, a directory in which something is mounted was moved elsewhere. */
static void a_mountpoint_that_escaped(void)
{
	static const enum mntcr_method methods[] = {
		MNTCR_METHOD_AUTO, MNTCR_METHOD_MOUNTINFO,
	};
	struct mntcr_topology *t;
	struct mntcr_source src;
	struct mntcr_error e;
	struct holder h, other;
	size_t i;

	scene_enter();
	/* without its mounts, so that it may rename */
	other = scene_hold(CLONE_NEWNS, NULL, NULL);
	h = scene_hold(CLONE_NEWNS, escape, NULL);
	if (!lists_mounts(h.ns))
		SKIP("this kernel has no listmount(2)");
	CHECK_EQ(scene_in(other.ns, rename_away, NULL), 0);
	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		src = (struct mntcr_source){ .type = MNTCR_SOURCE_PID,
					     .pid = h.pid };
		REQUIRE(capture(&src, methods[i], &t, &e) == -1);
		CHECK_EQ(e.code, MNTCR_REFUSED);
		CHECK_STR(e.rule, "escaped-mountpoint");
		CHECK(strstr(e.text, SCENE_DIR "/b"));
		src = (struct mntcr_source){ .type = MNTCR_SOURCE_FD, .fd = h.ns };
		REQUIRE(capture(&src, methods[i], &t, &e) == -1);
		CHECK_STR(e.rule, "escaped-mountpoint");
	}
	scene_release(&h);
	scene_release(&other);
}

/* That one is added to the others, however many these are: arrays grow. */
static void an_escaped_one_among_many(void)
{
	struct mntcr_source src = { .type = MNTCR_SOURCE_FD };
	struct mntcr_topology *t;
	struct mntcr_error e;
	struct holder h, other;
	int i;

	scene_enter();
	other = scene_hold(CLONE_NEWNS, NULL, NULL);
	for (i = 0; i < 17; i++) {
		h = scene_hold(CLONE_NEWNS, escape, NULL);
		if (!lists_mounts(h.ns))
			SKIP("this kernel has no listmount(2)");
		CHECK_EQ(scene_in(other.ns, rename_away, NULL), 0);
		src.fd = h.ns;
		REQUIRE(capture(&src, MNTCR_METHOD_MOUNTINFO, &t, &e) == -1);
		CHECK_STR(e.rule, "escaped-mountpoint");
		scene_release(&h);
		CHECK_EQ(scene_in(other.ns, gone, NULL), 0);
		/* one more, in the next one */
		scene_bind(".", ".");
		REQUIRE(!chdir(SCENE_DIR));
	}
	scene_release(&other);
}

/* As container managers do where pivot_root(2) is not to be had. */
static int move_over(void *data)
{
	DO(chdir(SCENE_DIR));
	DO(mkdir("old", 0755));
	DO(mount("old", "old", "tmpfs", 0, NULL));
	DO(mkdir("new", 0755));
	DO(mount("new", "new", "tmpfs", 0, NULL));
	DO(mkdir("new/in", 0755));
	DO(mount("in", "new/in", "tmpfs", 0, NULL));
	DO(chdir("new"));
	DO(mount(".", "/", "none", MS_MOVE, NULL));
	DO(chroot("."));
	return chdir("/") ? errno : 0;
}

static void a_new_root_over_the_old(void)
{
	struct mntcr_source src = { .type = MNTCR_SOURCE_PID };
	struct mntcr_topology *t;
	struct mntcr_error e;
	struct holder h;
	uint32_t m;

	scene_enter();
	h = scene_hold(CLONE_NEWNS, move_over, NULL);
	if (!lists_mounts(h.ns))
		SKIP("this kernel has no listmount(2)");
	src.pid = h.pid;
	REQUIRE(!capture(&src, MNTCR_METHOD_MOUNTINFO, &t, &e));
	CHECK_EQ(t->nr_mounts, 2);
	CHECK_STR(mc_mount_source(t, &t->mounts[t->ns[0].root]), "new");
	m = mc_mount_at(t, 0, "/in");
	REQUIRE(m != MC_NONE);
	CHECK_STR(mc_mount_source(t, &t->mounts[m]), "in");
	/* the old one, and the kernel's below that */
	CHECK(t->ns[0].hidden >= 2 && t->ns[0].hidden <= 4);
	mntcr_topology_free(t);
	scene_release(&h);
}

/* Nobody was named who stands on it: tasks may be beneath. */
static int cover(void *data)
{
	return mount("cover", "/", "tmpfs", 0, NULL) ? errno : 0;
}

static void a_root_that_is_covered(void)
{
	struct mntcr_source src = { .type = MNTCR_SOURCE_PID };
	struct mntcr_topology *t, *plain;
	struct mntcr_error e;
	struct holder h, h2;

	scene_enter();
	h2 = scene_hold(CLONE_NEWNS, NULL, NULL);
	h = scene_hold(CLONE_NEWNS, cover, NULL);
	if (!lists_mounts(h.ns))
		SKIP("this kernel has no listmount(2)");
	src.pid = h2.pid;
	REQUIRE(!capture(&src, MNTCR_METHOD_MOUNTINFO, &plain, &e));
	/* the task stands beneath: what it sees is all there is */
	src.pid = h.pid;
	REQUIRE(!capture(&src, MNTCR_METHOD_MOUNTINFO, &t, &e));
	CHECK_EQ(t->nr_mounts, plain->nr_mounts + 1);
	mntcr_topology_free(t);
	mntcr_topology_free(plain);
	src = (struct mntcr_source){ .type = MNTCR_SOURCE_FD, .fd = h.ns };
	REQUIRE(capture(&src, MNTCR_METHOD_MOUNTINFO, &t, &e) == -1);
	CHECK_EQ(e.code, MNTCR_REFUSED);
	CHECK_STR(e.rule, "hidden-mounts");
	scene_release(&h);
	scene_release(&h2);
}

/* A tmpfs is the root, and nothing else is there; that is covered. */
static int cover_little(void *data)
{
	DO(chdir(SCENE_DIR));
	DO(mount("new", ".", "tmpfs", 0, NULL));
	DO(chdir(SCENE_DIR));
	DO(mkdir("in", 0755));
	DO(syscall(SYS_pivot_root, ".", "."));
	DO(umount2(".", MNT_DETACH));
	if (data)
		DO(mount("in", "/in", "tmpfs", 0, NULL));
	return cover(NULL);
}

/*
 * What is below an ordinary root is the kernel's, two at most: with a tmpfs that is
 * covered there may be as many, and with another mount there are more.
 */
static void little_that_is_covered(void)
{
	struct mntcr_source src = { .type = MNTCR_SOURCE_FD };
	struct mc_mnt_ns_info info = { .size = sizeof(info) };
	struct mntcr_topology *t;
	struct mntcr_error e;
	bool exactly = false;
	struct holder h;
	char says[64];
	int i;

	scene_enter();
	for (i = 0; i < 2; i++) {
		h = scene_hold(CLONE_NEWNS, cover_little, i ? "more" : NULL);
		if (!lists_mounts(h.ns))
			SKIP("this kernel has no listmount(2)");
		REQUIRE(!ioctl(h.ns, MC_NS_MNT_GET_INFO, &info));
		src.fd = h.ns;
		/* of all but what covers them */
		exactly |= info.nr_mounts == 3;
		if (info.nr_mounts > 2) {
			REQUIRE(capture(&src, MNTCR_METHOD_MOUNTINFO, &t, &e) == -1);
			CHECK_STR(e.rule, "hidden-mounts");
			snprintf(says, sizeof(says), "hides %u of its mounts",
				 info.nr_mounts);
			CHECK(strstr(e.text, says));
		}
		scene_release(&h);
	}
	CHECK(exactly);
}

static void count_note(void *data, const char *line)
{
	CHECK(strstr(line, "does not count"));
	++*(unsigned int *)data;
}

/* It says so once, and only where nothing counts what mountinfo leaves out. */
static void what_cannot_be_counted(void)
{
	struct mc_mnt_ns_info info = { .size = sizeof(info) };
	unsigned int notes = 0;
	struct mntcr_capture_options opts = {
		.size = sizeof(opts), .method = MNTCR_METHOD_MOUNTINFO,
		.note = count_note, .data = &notes,
	};
	struct mntcr_source src[2];
	struct mntcr_topology *t;
	struct holder h[2];
	struct mntcr_error e;
	bool counts;
	int i;

	scene_enter();
	for (i = 0; i < 2; i++) {
		h[i] = scene_hold(CLONE_NEWNS, NULL, NULL);
		src[i] = (struct mntcr_source){ .type = MNTCR_SOURCE_FD, .fd = h[i].ns };
	}
	counts = !ioctl(h[0].ns, MC_NS_MNT_GET_INFO, &info);
	REQUIRE(counts || errno == ENOTTY);
	REQUIRE(!mntcr_capture(src, 2, &opts, &t, &e));
	CHECK_EQ(notes, counts || lists_mounts(h[0].ns) ? 0 : 1);
	mntcr_topology_free(t);
	for (i = 0; i < 2; i++)
		scene_release(&h[i]);
}

int main(void)
{
	TAP_RUN(a_mountpoint_that_escaped);
	TAP_RUN(an_escaped_one_among_many);
	TAP_RUN(a_new_root_over_the_old);
	TAP_RUN(a_root_that_is_covered);
	TAP_RUN(little_that_is_covered);
	TAP_RUN(what_cannot_be_counted);
	return tap_done();
}
