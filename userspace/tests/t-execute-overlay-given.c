// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Overlays that wait for the superblock of their lower layer, and what their upper one is
 * on: it gets what would have kept overlayfs from writing there when no overlay on it
 * waits any more.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sys/statvfs.h>

#include "staged.h"

#define TMPFS	0x01021994
#define OVERLAY	0x794c7630

static void layer_of(struct mntcr_topology *t, uint32_t sb, uint32_t i, uint32_t of,
		     const char *path)
{
	REQUIRE(i < t->sbs[sb].nr_layers);
	t->sbs[sb].layers[i].sb = of;
	t->sbs[sb].layers[i].path = path;
}

static void overlay(struct mntcr_topology *t, uint64_t id, uint32_t lower, uint32_t upper,
		    const char *up, const char *work, const char *at)
{
	uint32_t sb = staged_sb(t, "overlay", OVERLAY, 0);

	t->sbs[sb].options = mc_topology_str(t, "lowerdir=/l,upperdir=/up,workdir=/work");
	REQUIRE(!mc_layers_of(t, &t->sbs[sb], &t->sbs[sb].layers, &t->sbs[sb].nr_layers));
	layer_of(t, sb, 0, lower, "/");
	layer_of(t, sb, 1, upper, up);
	layer_of(t, sb, 2, upper, work);
	staged_mount(t, id, 0, sb, at);
}

static struct mntcr_given superblock(uint32_t sb)
{
	return (struct mntcr_given){ MNTCR_GIVEN_SUPERBLOCK, MNTCR_DEVICE(0, 200 + sb) };
}

/* A tmpfs with a directory in it that is found in overlays. */
static int a_lower_one(void)
{
	int fs = mc_fsopen("tmpfs", FSOPEN_CLOEXEC), fd;

	REQUIRE(!mc_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	fd = mc_fsmount(fs, FSMOUNT_CLOEXEC, 0);
	close(fs);
	REQUIRE(fd >= 0 && !mkdirat(fd, "mine", 0755));
	return fd;
}

static void a_layer(void)
{
	struct mntcr_given lower = superblock(1);
	struct mntcr_topology *t;
	struct mntcr_restored *r;
	struct staged x;
	struct statx st;
	int fd;

	need_stages();
	t = staged_topology();
	staged_sb(t, "tmpfs", TMPFS, 0);
	staged_mount(t, 101, 0, 1, "/l");
	overlay(t, 102, 1, 0, "/d/up", "/d/work", "/m");
	x = staged_new(staged_finish(t));
	x.so.give = &lower;
	x.so.nr_give = 1;
	x.o.keep_fds = true;
	staged_placed(&x);
	CHECK_EQ(staged_mounts(&x), 1);
	fd = a_lower_one();
	staged_given(&x, lower.kind, lower.id, fd);
	r = staged_finished(&x);
	CHECK(!faccessat(mntcr_restored_mount_fd(r, 0, 102), "mine", F_OK, 0));
	CHECK(!mkdirat(mntcr_restored_mount_fd(r, 0, 102), "new", 0755));
	CHECK(!faccessat(mntcr_restored_mount_fd(r, 0, 100), "d/up/new", F_OK, 0));
	CHECK(!statx(mntcr_restored_mount_fd(r, 0, 102), "", AT_EMPTY_PATH, STATX_BASIC_STATS,
		     &st) && S_ISDIR(st.stx_mode));
	close(fd);
	mntcr_restored_free(r);
	staged_over(&x);
}

/* --- upper ones that are read-only --------------------------------------------- */

static struct mntcr_topology *three_upper_ones(void)
{
	struct mntcr_topology *t = staged_topology();
	uint32_t i;

	/* two lower ones, and what is at once, after one of them, after both */
	for (i = 1; i < 6; i++) {
		staged_sb(t, "tmpfs", TMPFS, 0);
		t->sbs[i].flags = i < 3 ? 0 : MS_RDONLY;
	}
	staged_mount(t, 101, 0, 1, "/l1");
	staged_mount(t, 102, 0, 2, "/l2");
	staged_mount(t, 103, 0, 3, "/at-once");
	staged_mount(t, 104, 0, 4, "/after-one");
	staged_mount(t, 105, 0, 5, "/after-both");
	overlay(t, 110, 0, 3, "/u", "/w", "/m");
	overlay(t, 111, 1, 4, "/u", "/w", "/m1");
	/* this one waits for nothing */
	overlay(t, 112, 0, 4, "/u2", "/w2", "/m2");
	overlay(t, 113, 1, 5, "/u", "/w", "/m3");
	overlay(t, 114, 2, 5, "/u2", "/w2", "/m4");
	return staged_finish(t);
}

/* Which of them are read-only by then, as bits. */
static int read_only_ones(void *unused)
{
	static const char *const at[] = { "/at-once", "/after-one", "/after-both" };
	struct statvfs st;
	int i, bits = 0;

	(void)unused;
	for (i = 0; i < 3; i++) {
		if (statvfs(at[i], &st))
			return 100 + errno;
		bits |= st.f_flag & ST_RDONLY ? 1 << i : 0;
	}
	return bits;
}

static int overlays_are_writable(void *unused)
{
	static const char *const at[] = { "/m", "/m1", "/m2", "/m3", "/m4" };
	struct statvfs st;
	size_t i;

	(void)unused;
	for (i = 0; i < MC_ARRAY_SIZE(at); i++)
		if (statvfs(at[i], &st) || st.f_flag & ST_RDONLY)
			return 1 + (int)i;
	return access("/m1/mine", F_OK) || access("/m3/mine", F_OK) ||
	       access("/m4/mine", F_OK) ? 100 : 0;
}

static void attach_with(struct staged *x, const struct mntcr_given *lower, int fd)
{
	staged_given(x, lower->kind, lower->id, fd);
	REQUIRE(!staged_fails(x, mntcr_stages_delayed(x->s, &x->e)));
}

static void read_only_when_nothing_waits(void)
{
	struct mntcr_given lower[] = { superblock(1), superblock(2) };
	struct mntcr_restored *r;
	struct staged x;
	int fd[2], first, ns;

	need_stages();
	fd[0] = a_lower_one();
	fd[1] = a_lower_one();
	for (first = 0; first < 2; first++) {
		x = staged_new(three_upper_ones());
		x.so.give = lower;
		x.so.nr_give = 2;
		staged_placed(&x);
		ns = mntcr_stages_ns_fd(x.s, 0);
		CHECK_EQ(world_in(ns, read_only_ones, NULL), 1);
		attach_with(&x, &lower[first], fd[first]);
		CHECK_EQ(world_in(ns, read_only_ones, NULL), first ? 1 : 3);
		attach_with(&x, &lower[!first], fd[!first]);
		CHECK_EQ(world_in(ns, read_only_ones, NULL), 3);
		r = staged_finished(&x);
		ns = mntcr_restored_ns_fd(r, 0);
		CHECK_EQ(world_in(ns, read_only_ones, NULL), 7);
		CHECK_EQ(world_in(ns, overlays_are_writable, NULL), 0);
		mntcr_restored_free(r);
		staged_over(&x);
	}
	close(fd[0]);
	close(fd[1]);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	world_start();
	alarm(100);
	TAP_RUN(a_layer);
	TAP_RUN(read_only_when_nothing_waits);
	return tap_done();
}
