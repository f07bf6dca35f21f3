// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Overlays made anew whose upper and work directories lie where nothing can be written to
 * any more: overlayfs has to write there when it is mounted.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>

#include "dumped.h"
#include "unlinked.h"

#define TRY(x)	do { if ((x) == -1) err(1, "%s", #x); } while (0)

static bool has_overlay(void)
{
	int fd = mc_fsopen("overlay", FSOPEN_CLOEXEC);

	mc_close(fd);
	return fd >= 0;
}

/* --- what is dumped ------------------------------------------------------------- */

static void lower(void)
{
	world_new_root();
	w_tmpfs("low", "/low");
	w_mkdir("/low/l/d");
	w_touch("/low/l/file");
}

static void upper_in(const char *rw, const char *options)
{
	char path[64];

	w_mkdir(rw);
	TRY(mount("rw", rw, "tmpfs", 0, options));
	snprintf(path, sizeof(path), "%s/u", rw);
	w_mkdir(path);
	snprintf(path, sizeof(path), "%s/w", rw);
	w_mkdir(path);
}

static void overlay_on(const char *rw, const char *to)
{
	char options[100];

	w_mkdir(to);
	snprintf(options, sizeof(options), "lowerdir=/low/l,upperdir=%s/u,workdir=%s/w", rw, rw);
	TRY(mount("ov", to, "overlay", 0, options));
}

static void superblock_read_only(const char *path)
{
	TRY(mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY, NULL));
}

static void no_inode_left(const char *rw)
{
	char path[64];
	int i;

	for (i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "%s/%d", rw, i);
		if (mknod(path, S_IFREG | 0600, 0))
			break;
	}
	TRY(i && i < 100 && errno == ENOSPC ? 0 : -1);
}

static void no_block_left(const char *rw)
{
	char path[64], page[4096] = "x";
	int fd, i;

	snprintf(path, sizeof(path), "%s/big", rw);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	TRY(fd);
	for (i = 0; i < 100; i++)
		if (write(fd, page, sizeof(page)) < 0)
			break;
	TRY(i && i < 100 && errno == ENOSPC ? 0 : -1);
	close(fd);
}

static void read_only(void)
{
	lower();
	upper_in("/rw", NULL);
	overlay_on("/rw", "/m");
	w_touch("/m/new");
	superblock_read_only("/rw");
}

/* The overlay, too; another one of that tmpfs is not, and lies on the first one. */
static void read_only_both(void)
{
	lower();
	upper_in("/rw", "nr_inodes=100");
	w_mkdir("/rw/u2");
	w_mkdir("/rw/w2");
	overlay_on("/rw", "/m");
	w_touch("/m/new");
	w_mkdir("/m2");
	TRY(mount("ov2", "/m2", "overlay", 0,
		  "lowerdir=/m:/low/l/d,upperdir=/rw/u2,workdir=/rw/w2"));
	w_touch("/m2/new2");
	superblock_read_only("/m");
	superblock_read_only("/rw");
}

/* From Linux 6.4 on, and there is no way back: to leave it out may be to ask for one. */
static bool has_noswap(void)
{
	int fd = mc_fsopen("tmpfs", FSOPEN_CLOEXEC);
	bool has = fd >= 0 && !mc_fsconfig(fd, MC_FSCONFIG_SET_FLAG, "noswap", NULL, 0);

	mc_close(fd);
	return has;
}

static void full(void)
{
	lower();
	upper_in("/rw", has_noswap() ? "nr_inodes=16,noswap" : "nr_inodes=16");
	overlay_on("/rw", "/m");
	w_touch("/m/new");
	no_inode_left("/rw");
	upper_in("/rw2", "size=16k");
	overlay_on("/rw2", "/m2");
	no_block_left("/rw2");
}

/* Nothing but whoever is in there is told that, and nothing is read-only. */
static void flagged(void)
{
	lower();
	upper_in("/rw", NULL);
	overlay_on("/rw", "/m");
	w_touch("/m/new");
	TRY(flags_of("/rw/w", FS_IMMUTABLE_FL));
	TRY(flags_of("/rw/u", FS_APPEND_FL));
}

/* Without room for its work directory the kernel makes it read-only. */
static void full_before(void)
{
	lower();
	upper_in("/rw", "nr_inodes=16");
	no_inode_left("/rw");
	overlay_on("/rw", "/m");
	TRY(access("/rw/w/work", F_OK) && errno == ENOENT ? 0 : -1);
}

/* --- and made again -------------------------------------------------------------- */

static bool is_read_only(const char *path)
{
	struct statvfs st;

	return statvfs(path, &st) || st.f_flag & ST_RDONLY;
}

static int creat_in(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	mc_close(fd);
	return fd < 0 ? -1 : 0;
}

static int is_writable_below(void *unused)
{
	(void)unused;
	EXPECT(is_read_only("/rw") && !is_read_only("/m"));
	EXPECT(creat_in("/rw/x") && errno == EROFS);
	EXPECT(creat_in("/m/x") && errno == EROFS);
	EXPECT(!mount(NULL, "/rw", NULL, MS_REMOUNT, NULL));
	EXPECT(!creat_in("/m/x") && !access("/rw/u/x", F_OK));
	return 0;
}

/* And it has what the layers had. */
static int is_there_and_writable(void *unused)
{
	if (is_writable_below(unused))
		return 1;
	EXPECT(!access("/m/new", F_OK) && !access("/m/d", F_OK));
	EXPECT(!unlink("/m/file") && access("/m/file", F_OK) && errno == ENOENT);
	return 0;
}

static int is_writable_in_turn(void *unused)
{
	(void)unused;
	EXPECT(is_read_only("/rw") && is_read_only("/m") && !is_read_only("/m2"));
	EXPECT(creat_in("/m2/x") && errno == EROFS);
	EXPECT(!mount(NULL, "/rw", NULL, MS_REMOUNT, NULL));
	EXPECT(creat_in("/m/x") && errno == EROFS);
	EXPECT(!creat_in("/m2/x") && !access("/rw/u2/x", F_OK));
	EXPECT(!mount(NULL, "/m", NULL, MS_REMOUNT, NULL));
	EXPECT(!creat_in("/m/y") && !access("/rw/u/y", F_OK));
	return 0;
}

static int is_full(void *unused)
{
	int fd;

	(void)unused;
	EXPECT(!is_read_only("/m") && !is_read_only("/m2"));
	EXPECT(creat_in("/rw/x") && errno == ENOSPC);
	EXPECT(creat_in("/m/x") && errno == ENOSPC);
	EXPECT(!unlink("/rw/0"));
	EXPECT(!creat_in("/m/x") && !access("/rw/u/x", F_OK));
	EXPECT(creat_in("/rw/0") && errno == ENOSPC);
	EXPECT(!creat_in("/m2/x") && !access("/rw2/u/x", F_OK));
	fd = open("/m2/x", O_WRONLY | O_CLOEXEC);
	EXPECT(fd >= 0 && write(fd, "x", 1) == -1 && errno == ENOSPC);
	close(fd);
	return 0;
}

static int is_flagged(void *unused)
{
	(void)unused;
	EXPECT(!is_read_only("/m"));
	EXPECT(flags_of("/rw/w", 0) == FS_IMMUTABLE_FL);
	EXPECT(flags_of("/rw/u", 0) == FS_APPEND_FL);
	EXPECT(!creat_in("/m/x") && !access("/rw/u/x", F_OK));
	return 0;
}

static int is_read_only_for_good(void *unused)
{
	(void)unused;
	EXPECT(is_read_only("/m") && !is_read_only("/rw"));
	EXPECT(access("/rw/w/work", F_OK) && errno == ENOENT);
	EXPECT(mount(NULL, "/m", NULL, MS_REMOUNT, NULL) && errno == EROFS);
	EXPECT(creat_in("/rw/x") && errno == ENOSPC);
	return 0;
}

/* With what was in it, and where nothing of that is in the image. */
static void closed(void (*build)(void), int (*is_there)(void *), bool contents)
{
	struct mntcr_restore_options o = { .size = sizeof(o), .api = api };
	size_t mounts = world_own_mounts(), fds = world_own_fds();
	struct world w = { .nr = 0 };
	struct mntcr_topology *t;
	struct mntcr_contents *c;
	struct mntcr_restored *r;
	struct mntcr_error e = { 0 };
	struct shot s;

	need_api();
	if (!has_overlay())
		SKIP("this kernel has no overlay");
	if (!contents) {
		s = shoot(build);
		s.o.prefer_fresh = true;
		r = restored(&s);
		same(&s, r, MNTCR_VERIFY_ORDER);
		CHECK_EQ(world_in(mntcr_restored_ns_fd(r, 0), is_there, NULL), 0);
		end(&s, r);
		return;
	}
	world_add(&w, -1, build);
	dump_to(&w, "/tmp/image", &t, &c);
	world_close(&w);
	o.contents = c;
	REQUIRE_DONE(mntcr_restore(t, &o, &r, &e), e);
	same_dump(t, c, r);
	CHECK_EQ(world_in(mntcr_restored_ns_fd(r, 0), is_there, NULL), 0);
	mntcr_restored_free(r);
	mntcr_contents_free(c);
	mntcr_topology_free(t);
	CHECK_EQ(world_own_fds(), fds);
	CHECK_EQ(world_own_mounts(), mounts);
}

static void on_what_is_read_only(void)
{
	closed(read_only, is_there_and_writable, true);
}

static void on_an_empty_one(void)
{
	closed(read_only, is_writable_below, false);
}

static void read_only_itself(void)
{
	closed(read_only_both, is_writable_in_turn, true);
}

static void on_what_is_full(void)
{
	closed(full, is_full, true);
}

static void on_what_has_flags(void)
{
	closed(flagged, is_flagged, true);
}

static void where_there_was_no_room(void)
{
	closed(full_before, is_read_only_for_good, true);
}

static const struct shot_test tests[] = {
	{ "on-what-is-read-only", on_what_is_read_only },
	{ "on-an-empty-one", on_an_empty_one },
	{ "read-only-itself", read_only_itself },
	{ "on-what-is-full", on_what_is_full },
	{ "on-what-has-flags", on_what_has_flags },
	{ "where-there-was-no-room", where_there_was_no_room },
};

int main(int argc, char **argv)
{
	return shot_run(tests, sizeof(tests) / sizeof(tests[0]), argv);
}
