// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mounts whose root has been unlinked, restored when nothing of them is left: with what
 * was in them, unlinked again.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "checked.h"
#include "base/base.h"
#include "idmap-userns.h"
#include "topology/topology.h"
#include "unlinked.h"

static const char *image = "/tmp/image", *again = "/tmp/again";

static void say(void *data, const char *line)
{
	TAP_SAY("%s", line);
}

/* Of the container's mount namespace, or of what was restored. */
static void dump(const struct mntcr_source *src, const char *path)
{
	const struct mntcr_contents_options o = {
		.size = sizeof(o), .sources = src, .nr_sources = 1, .left_out = say,
	};
	struct mntcr_topology *t = NULL;
	struct mntcr_error e = { 0 };

	REQUIRE_DONE(mntcr_capture(src, 1, NULL, &t, &e), e);
	REQUIRE_DONE(mntcr_image_write_contents(t, &o, path, &e), e);
	mntcr_topology_free(t);
}

struct back {
	struct mntcr_topology *t;
	struct mntcr_contents *c;
	struct mntcr_restored *r;
	struct mntcr_error e;
};

static void read_image(const char *path, struct mntcr_topology **t,
		       struct mntcr_contents **c)
{
	struct mntcr_error e = { 0 };

	REQUIRE_DONE(mntcr_image_read_contents(path, t, c, &e), e);
}

/* Dumped, gone, restored.  What the list says of it, it does. */
static int restore(struct back *b, void (*build)(void), enum mntcr_api api)
{
	struct mntcr_restore_options o = { .size = sizeof(o), .api = api };
	struct mntcr_source src = { .type = MNTCR_SOURCE_PID };
	FILE *null = fopen("/dev/null", "we");
	pid_t pid = make_container(build);
	int ret;

	memset(b, 0, sizeof(*b));
	src.pid = pid;
	dump(&src, image);
	end(pid);
	read_image(image, &b->t, &b->c);
	o.contents = b->c;
	ret = mntcr_check_restore(b->t, &o, false, null, &b->e);
	if (ret)
		TAP_SAY("check: %s", b->e.text);
	fclose(null);
	CHECK_EQ(mntcr_restore(b->t, &o, &b->r, &b->e), ret);
	return ret;
}

static void restored(struct back *b, void (*build)(void), enum mntcr_api api)
{
	struct mntcr_verify_options o = {
		.size = sizeof(o), .report = say, .flags = MNTCR_VERIFY_ORDER,
	};
	struct mntcr_source src = { .type = MNTCR_SOURCE_FD };
	struct mntcr_topology *t;
	struct mntcr_contents *c;
	struct mntcr_error e = { 0 };
	size_t nr = 1;

	REQUIRE_DONE(restore(b, build, api), b->e);
	REQUIRE(b->r);
	src.fd = mntcr_restored_ns_fd(b->r, 0);
	dump(&src, again);
	read_image(again, &t, &c);
	o.contents_a = b->c;
	o.contents_b = c;
	REQUIRE_DONE(mntcr_verify(b->t, t, &o, &nr, &e), e);
	CHECK_EQ(nr, 0);
	mntcr_topology_free(t);
	mntcr_contents_free(c);
}

static void done(struct back *b)
{
	mntcr_restored_free(b->r);
	mntcr_contents_free(b->c);
	mntcr_topology_free(b->t);
}

/* With what this kernel has, and with stock calls alone. */
static void both_ways(void (*build)(void), int (*is_there)(void))
{
	static const enum mntcr_api apis[] = { MNTCR_API_AUTO, MNTCR_API_UPSTREAM };
	struct back b;
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(apis); i++) {
		restored(&b, build, apis[i]);
		inside(mntcr_restored_ns_fd(b.r, 0), is_there);
		done(&b);
	}
}

/* --- one file, two binds of it ------------------------------------------------------ */

static void one_file(void)
{
	TRY(mkdir("d", 0750));
	put("d/f", "what was in it");
	TRY(chown("d/f", 7, 8));
	TRY(chmod("d/f", 04751));
	TRY(setxattr("d/f", "trusted.a", "b", 1, 0));
	mtime("d/f", 1000);
	put("on", "");
	put("on2", "");
	bind_on("d/f", "on");
	bind_on("d/f", "on2");
	TRY(unlink("d/f"));
	mtime("d", 2000);
}

static int one_file_is_there(void)
{
	struct stat st, two, dir;
	char value;

	EXPECT(!stat("/on", &st) && !stat("/on2", &two) && !stat("/d", &dir));
	EXPECT(st.st_ino == two.st_ino && !st.st_nlink);
	EXPECT(st.st_uid == 7 && st.st_gid == 8 && st.st_mode == (S_IFREG | 04751));
	EXPECT(st.st_mtim.tv_sec == 1000 && st.st_mtim.tv_nsec == 7);
	EXPECT(getxattr("/on", "trusted.a", &value, 1) == 1 && value == 'b');
	EXPECT(reads("/on", "what was in it"));
	EXPECT(dir.st_mtim.tv_sec == 2000 && dir.st_mtim.tv_nsec == 7);
	EXPECT(access("/d/f", F_OK) && errno == ENOENT);
	/* nothing of how it was made is left */
	EXPECT(!rmdir("/d"));
	return 0;
}

static void a_file_with_two_binds(void)
{
	both_ways(one_file, one_file_is_there);
}

/* --- names that others have by now ---------------------------------------------------- */

static void names_taken(void)
{
	TRY(mkdir("d", 0755));
	put("d/f", "first");
	put("on", "");
	put("on2", "");
	put("on3", "");
	bind_on("d/f", "on");
	TRY(unlink("d/f"));
	put("d/f", "second");
	bind_on("d/f", "on2");
	TRY(unlink("d/f"));
	put("d/f", "third");
	/* on which something is mounted */
	bind_on("on3", "d/f");
	mtime("d", 3000);
}

static int names_are_right(void)
{
	struct stat dir;

	EXPECT(reads("/on", "first") && reads("/on2", "second"));
	EXPECT(reads("/d/f", "") && !umount2("/d/f", 0) && reads("/d/f", "third"));
	EXPECT(!stat("/d", &dir) && dir.st_mtim.tv_sec == 3000);
	EXPECT(!unlink("/d/f") && !rmdir("/d"));
	return 0;
}

static void a_name_that_is_taken(void)
{
	both_ways(names_taken, names_are_right);
}

/* --- what has another name ----------------------------------------------------------- */

static void another_name(void)
{
	put("kept", "both");
	put("on", "");
	put("on2", "");
	put("on3", "");
	TRY(link("kept", "gone"));
	bind_on("gone", "on");
	TRY(unlink("gone"));
	/* two names of one, both gone */
	put("a", "twice");
	TRY(link("a", "b"));
	bind_on("a", "on2");
	bind_on("b", "on3");
	TRY(unlink("a"));
	TRY(unlink("b"));
}

static int links_are_there(void)
{
	struct stat on, kept, on2, on3;

	EXPECT(!stat("/on", &on) && !stat("/kept", &kept));
	EXPECT(on.st_ino == kept.st_ino && kept.st_nlink == 1);
	EXPECT(reads("/on", "both"));
	EXPECT(!stat("/on2", &on2) && !stat("/on3", &on3));
	EXPECT(on2.st_ino == on3.st_ino && !on2.st_nlink && reads("/on3", "twice"));
	return 0;
}

/* Its old name is that of the same file once more, and something is mounted on that. */
static void named_again(void)
{
	TRY(mkdir("d", 0755));
	put("d/f", "the same");
	TRY(link("d/f", "other"));
	put("on", "");
	bind_on("d/f", "on");
	TRY(unlink("d/f"));
	TRY(rename("other", "d/f"));
	put("over", "over it");
	bind_on("over", "d/f");
	mtime("d", 3000);
}

static int it_is_named_again(void)
{
	struct stat on, f, dir;

	EXPECT(reads("/d/f", "over it") && !umount2("/d/f", 0) && reads("/d/f", "the same"));
	EXPECT(!stat("/on", &on) && !stat("/d/f", &f) && !stat("/d", &dir));
	EXPECT(on.st_ino == f.st_ino && f.st_nlink == 1 && dir.st_mtim.tv_sec == 3000);
	EXPECT(!unlink("/d/f") && !rmdir("/d") && reads("/on", "the same"));
	return 0;
}

static void links(void)
{
	struct back b;

	restored(&b, another_name, MNTCR_API_AUTO);
	inside(mntcr_restored_ns_fd(b.r, 0), links_are_there);
	done(&b);
	both_ways(named_again, it_is_named_again);
}

/* --- seen through an idmap ------------------------------------------------------------- */

static int map = -1;

static void idmapped(void)
{
	TRY(mkdir("d", 0755));
	put("d/f", "mapped");
	TRY(chown("d/f", 5, 6));
	TRY(mkdir("on", 0755));
	put("onf", "");
	put("onplain", "");
	TRY(idmap_onto(map, "d", "on"));
	TRY(idmap_onto(map, "d/f", "onf"));
	bind_on("d/f", "onplain");
	TRY(unlink("d/f"));
	TRY(rmdir("d"));
	/* nothing shows it without, either, and it has not been unlinked */
	TRY(mkdir("t", 0755));
	TRY(mkdir("t2", 0755));
	TRY(mount("t", "t", "tmpfs", 0, NULL));
	put("t/f", "there");
	TRY(chown("t/f", 7, 8));
	TRY(idmap_onto(map, "t", "t2"));
	TRY(umount2("t", 0));
}

static int they_are_mapped(void)
{
	struct stat st, plain;

	EXPECT(!stat("/on", &st) && st.st_uid == 1000 && !st.st_nlink && S_ISDIR(st.st_mode));
	EXPECT(!stat("/onf", &st) && st.st_uid == 1005 && st.st_gid == 1006);
	EXPECT(!stat("/onplain", &plain) && plain.st_uid == 5 && plain.st_gid == 6);
	EXPECT(st.st_ino == plain.st_ino && !st.st_nlink && reads("/onf", "mapped"));
	EXPECT(!stat("/t2/f", &st) && st.st_uid == 1007 && st.st_gid == 1008);
	EXPECT(access("/d", F_OK) && errno == ENOENT);
	return 0;
}

static bool are_idmaps_said(void)
{
	struct mntcr_source src = { .type = MNTCR_SOURCE_PID };
	struct mntcr_topology *t = NULL;
	struct mntcr_error e = { 0 };
	pid_t pid = make_container(idmapped);
	int ret;

	src.pid = pid;
	ret = mntcr_capture(&src, 1, NULL, &t, &e);
	if (ret)
		CHECK_STR(e.rule, "idmap-unknown");
	mntcr_topology_free(t);
	end(pid);
	return !ret;
}

static void through_an_idmap(void)
{
	if (!idmap_tmpfs_takes())
		SKIP("no idmapped mounts of this kernel's tmpfs");
	map = idmap_userns("0 1000 10");
	REQUIRE(map >= 0);
	if (!are_idmaps_said()) {
		close(map);
		SKIP("this kernel does not say idmaps");
	}
	both_ways(idmapped, they_are_mapped);
	close(map);
}

/* It is not in an image, and the others are. */
static void not_to_be_cloned(void)
{
	one_file();
	put("f", "unbindable");
	put("onf", "");
	TRY(mount("f", "onf", NULL, MS_BIND, NULL));
	TRY(mount("none", "onf", NULL, MS_UNBINDABLE, NULL));
	TRY(unlink("f"));
}

static void what_cannot_be_read(void)
{
	uint32_t i, nr = 0;
	struct back b;

	CHECK_EQ(restore(&b, not_to_be_cloned, MNTCR_API_AUTO), -1);
	CHECK_STR(b.e.rule, "deleted-root");
	CHECK(strstr(b.e.text, "/onf"));
	REQUIRE(b.t);
	for (i = 0; i < b.t->nr_mounts; i++) {
		const struct mc_mount *m = &b.t->mounts[i];

		if (!m->root_deleted)
			continue;
		CHECK_EQ(!m->unlinked, !strcmp(m->mountpoint, "/onf"));
		CHECK(b.t->sbs[m->sb].contents);
		nr += !!m->unlinked;
	}
	CHECK_EQ(nr, 2);
	done(&b);
}

/* --- in directories that nobody changes any more ----------------------------------------- */

static void set_flag(const char *path, int flag)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	TRY(fd);
	TRY(ioctl(fd, FS_IOC_SETFLAGS, &flag));
	close(fd);
}

static void unchanging(void)
{
	TRY(mkdir("d", 0755));
	TRY(mkdir("d/e", 0755));
	TRY(mkdir("d/e/f", 0755));
	put("d/f", "one");
	put("d/e/f/g", "two");
	put("on", "");
	put("on2", "");
	bind_on("d/f", "on");
	bind_on("d/e/f/g", "on2");
	TRY(unlink("d/f"));
	TRY(unlink("d/e/f/g"));
	TRY(rmdir("d/e/f"));
	mtime("d", 6000);
	set_flag("d", FS_IMMUTABLE_FL);
	set_flag("d/e", FS_APPEND_FL);
	TRY(mkdir("a", 0755));
	TRY(mount("a", "a", "tmpfs", 0, "mode=711"));
	TRY(chown("a", 5, 6));
	set_flag("a", FS_APPEND_FL);
	TRY(mount(NULL, "a", NULL, MS_REMOUNT | MS_RDONLY, "mode=711"));
	TRY(mkdir("i", 0755));
	TRY(mount("i", "i", "tmpfs", 0, NULL));
	put("i/f", "three");
	put("on3", "");
	bind_on("i/f", "on3");
	TRY(unlink("i/f"));
	set_flag("i", FS_IMMUTABLE_FL);
}

static int they_do_not_change(void)
{
	struct stat st;

	EXPECT(reads("/on", "one") && reads("/on2", "two") && reads("/on3", "three"));
	EXPECT(flags_of("/d", 0) == FS_IMMUTABLE_FL && flags_of("/d/e", 0) == FS_APPEND_FL);
	EXPECT(!stat("/d", &st) && st.st_mtim.tv_sec == 6000);
	EXPECT(flags_of("/a", 0) == FS_APPEND_FL && flags_of("/i", 0) == FS_IMMUTABLE_FL);
	EXPECT(!stat("/a", &st) && st.st_uid == 5 && st.st_gid == 6);
	EXPECT(st.st_mode == (S_IFDIR | 0711));
	EXPECT(!stat("/on3", &st) && !st.st_nlink);
	return 0;
}

static void directories_that_do_not_change(void)
{
	both_ways(unchanging, they_do_not_change);
}

/* --- where there is no room for more -------------------------------------------------------- */

static void full(void)
{
	char path[8];
	int i;

	TRY(mkdir("t", 0755));
	put("on", "");
	TRY(mount("t", "t", "tmpfs", 0, "nr_inodes=8"));
	TRY(mkdir("t/d", 0755));
	put("t/d/f", "inside");
	bind_on("t/d/f", "on");
	TRY(unlink("t/d/f"));
	TRY(rmdir("t/d"));
	for (i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "t/%d", i);
		if (mknod(path, S_IFREG | 0600, 0))
			break;
	}
	TRY(i > 3 && i < 8 && errno == ENOSPC ? 0 : -1);
}

static int it_is_full(void)
{
	EXPECT(reads("/on", "inside") && access("/t/d", F_OK));
	EXPECT(mknod("/t/x", S_IFREG | 0600, 0) && errno == ENOSPC);
	return 0;
}

static void a_filesystem_that_is_full(void)
{
	struct back b;

	restored(&b, full, MNTCR_API_AUTO);
	inside(mntcr_restored_ns_fd(b.r, 0), it_is_full);
	done(&b);
}

/* --- directories, and what is no file --------------------------------------------------- */

static void kinds(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "sock" };
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	TRY(mkdir("on", 0755));
	put("onfile", "");
	put("onfifo", "");
	put("onsock", "");
	put("onnull", "");
	TRY(mkdir("gone", 01770));
	TRY(chown("gone", 3, 4));
	TRY(chmod("gone", 01770));
	put("gone/f", "in it");
	bind_on("gone", "on");
	bind_on("gone/f", "onfile");
	TRY(unlink("gone/f"));
	mtime("gone", 4000);
	TRY(rmdir("gone"));
	TRY(mkfifo("fifo", 0600));
	TRY(chmod("fifo", 0624));
	bind_on("fifo", "onfifo");
	TRY(unlink("fifo"));
	TRY(s);
	TRY(bind(s, (struct sockaddr *)&un, sizeof(un)));
	bind_on("sock", "onsock");
	TRY(unlink("sock"));
	TRY(mknod("null", S_IFCHR | 0640, makedev(1, 3)));
	bind_on("null", "onnull");
	TRY(unlink("null"));
	mtime(".", 5000);
}

static int kinds_are_there(void)
{
	struct stat st;

	EXPECT(!stat("/on", &st) && st.st_mode == (S_IFDIR | 01770) && !st.st_nlink);
	EXPECT(st.st_uid == 3 && st.st_gid == 4 && st.st_mtim.tv_sec == 4000);
	EXPECT(mkdir("/on/x", 0700) && errno == ENOENT);
	EXPECT(reads("/onfile", "in it"));
	EXPECT(!stat("/onfifo", &st) && st.st_mode == (S_IFIFO | 0624));
	EXPECT(!stat("/onsock", &st) && S_ISSOCK(st.st_mode));
	EXPECT(!stat("/onnull", &st) && st.st_mode == (S_IFCHR | 0640) &&
	       st.st_rdev == makedev(1, 3));
	EXPECT(!stat("/", &st) && st.st_mtim.tv_sec == 5000);
	EXPECT(access("/gone", F_OK) && errno == ENOENT);
	return 0;
}

static void all_kinds(void)
{
	both_ways(kinds, kinds_are_there);
}

/* --- where it was ------------------------------------------------------------------------ */

/* In directories that are gone, too, one of them mounted; one has been made again. */
static void gone_with_its_directory(void)
{
	put("on", "");
	put("on2", "");
	TRY(mkdir("ondir", 0755));
	TRY(mkdir("a", 0755));
	TRY(mkdir("a/b", 0755));
	put("a/b/f", "far below");
	bind_on("a/b/f", "on");
	TRY(unlink("a/b/f"));
	bind_on("a/b", "ondir");
	TRY(rmdir("a/b"));
	TRY(rmdir("a"));
	TRY(mkdir("c", 0755));
	put("c/f", "in the one before");
	bind_on("c/f", "on2");
	TRY(unlink("c/f"));
	TRY(rmdir("c"));
	TRY(mkdir("c", 0700));
	mtime("c", 6000);
	mtime(".", 7000);
}

static int directories_are_right(void)
{
	struct stat st;

	EXPECT(reads("/on", "far below") && reads("/on2", "in the one before"));
	EXPECT(access("/a", F_OK) && errno == ENOENT);
	EXPECT(!stat("/c", &st) && st.st_mode == (S_IFDIR | 0700) &&
	       st.st_mtim.tv_sec == 6000);
	EXPECT(!stat("/", &st) && st.st_mtim.tv_sec == 7000);
	EXPECT(!rmdir("/c"));
	return 0;
}

static void directories_that_are_gone(void)
{
	struct back b;

	restored(&b, gone_with_its_directory, MNTCR_API_AUTO);
	inside(mntcr_restored_ns_fd(b.r, 0), directories_are_right);
	done(&b);
}

static void in_what_is_a_file_now(void)
{
	put("on", "");
	put("too", "");
	TRY(mkdir("d", 0755));
	put("d/f", "x");
	put("d/g", "x");
	bind_on("d/f", "on");
	bind_on("d/g", "too");
	TRY(unlink("d/f"));
	TRY(unlink("d/g"));
	TRY(rmdir("d"));
	put("d", "");
}

static void a_directory_that_is_none(void)
{
	struct back b;

	CHECK_EQ(restore(&b, in_what_is_a_file_now, MNTCR_API_AUTO), -1);
	CHECK_EQ(b.e.code, MNTCR_REFUSED);
	CHECK_STR(b.e.rule, "deleted-root");
	CHECK(strstr(b.e.text, "unlinked root 1: what it was in is no directory any more"));
	/* each is told */
	CHECK(strstr(b.e.text, " (and 1 more refusals)"));
	done(&b);
}

/* --- of a superblock that nobody may write to ------------------------------------------- */

/* The kernel makes none such with a file that has no name any more. */
static void read_only(void)
{
	TRY(mkdir("t", 0755));
	TRY(mount("t", "t", "tmpfs", 0, "size=1m"));
	put("t/f", "read only");
	TRY(link("t/f", "t/kept"));
	put("on", "");
	bind_on("t/f", "on");
	TRY(unlink("t/f"));
	TRY(mount("none", "t", NULL, MS_REMOUNT | MS_RDONLY, "size=1m"));
}

static int it_is_read_only(void)
{
	EXPECT(reads("/on", "read only"));
	EXPECT(mkdir("/t/x", 0700) && errno == EROFS);
	EXPECT(open("/on", O_WRONLY | O_CLOEXEC) < 0 && errno == EROFS);
	return 0;
}

static void a_superblock_that_is_read_only(void)
{
	struct back b;

	restored(&b, read_only, MNTCR_API_AUTO);
	inside(mntcr_restored_ns_fd(b.r, 0), it_is_read_only);
	done(&b);
}

/* Nothing but unlinked ones is seen of it. */
static void no_tree(void)
{
	TRY(mkdir("t", 0755));
	TRY(mount("t", "t", "ramfs", 0, NULL));
	TRY(mkdir("t/d", 0755));
	put("t/d/f", "alone");
	put("on", "");
	bind_on("t/d/f", "on");
	TRY(unlink("t/d/f"));
	TRY(umount2("t", 0));
}

static int it_is_alone(void)
{
	EXPECT(reads("/on", "alone"));
	return 0;
}

static void a_superblock_without_a_tree(void)
{
	struct back b;

	restored(&b, no_tree, MNTCR_API_AUTO);
	inside(mntcr_restored_ns_fd(b.r, 0), it_is_alone);
	done(&b);
}

/* --- what cannot be had -------------------------------------------------------------------- */

static void immutable(void)
{
	int fd, flags = FS_IMMUTABLE_FL;

	put("f", "");
	put("on", "");
	bind_on("f", "on");
	TRY(unlink("f"));
	fd = open("on", O_RDONLY | O_CLOEXEC);
	if (ioctl(fd, FS_IOC_SETFLAGS, &flags))
		TRY(errno == ENOTTY ? 0 : -1);
	close(fd);
}

static void told(void *data, unsigned int maj, unsigned int min,
		 const struct mntcr_error *e)
{
	++*(int *)data;
}

static void what_could_not_be_unlinked_again(void)
{
	struct mntcr_source src = { .type = MNTCR_SOURCE_PID };
	int nr = 0;
	struct mntcr_contents_options o = {
		.size = sizeof(o), .sources = &src, .nr_sources = 1,
		.refused = told, .data = &nr,
	};
	struct mntcr_topology *t = NULL;
	struct mntcr_error e = { 0 };
	int flags = 0, fd, had;
	pid_t pid = make_container(immutable);
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/root/on", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	had = ioctl(fd, FS_IOC_GETFLAGS, &flags);
	close(fd);
	src.pid = pid;
	REQUIRE(!mntcr_capture(&src, 1, NULL, &t, &e));
	if (!had && flags & FS_IMMUTABLE_FL) {
		CHECK_EQ(mntcr_image_write_contents(t, &o, image, &e), -1);
		CHECK_STR(e.rule, "deleted-root");
		CHECK(strstr(e.text, "immutable"));
		CHECK_EQ(nr, 1);
	}
	mntcr_topology_free(t);
	end(pid);
	if (had || !(flags & FS_IMMUTABLE_FL))
		SKIP("a tmpfs has no inode flags here");
}

int main(void)
{
	make_host();
	TAP_RUN(a_file_with_two_binds);
	TAP_RUN(a_name_that_is_taken);
	TAP_RUN(links);
	TAP_RUN(through_an_idmap);
	TAP_RUN(a_filesystem_that_is_full);
	TAP_RUN(directories_that_do_not_change);
	TAP_RUN(what_cannot_be_read);
	TAP_RUN(all_kinds);
	TAP_RUN(directories_that_are_gone);
	TAP_RUN(a_directory_that_is_none);
	TAP_RUN(a_superblock_that_is_read_only);
	TAP_RUN(a_superblock_without_a_tree);
	TAP_RUN(what_could_not_be_unlinked_again);
	return tap_done();
}
