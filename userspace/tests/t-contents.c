// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Files into an archive and back: nothing is lost, a comparison sees each change,
 * and an archive that lies gets an error that names the member.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <archive.h>
#include <archive_entry.h>
#include <endian.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "contents/contents.h"
#include "in-child.h"
#include "packed.h"
#include "saved.h"
#include "tap.h"

static void make_tree(const char *dir)
{
	static const struct timespec ts[2] = { { 1, 2 }, { 981173047, 789000123 } };
	char block[5000], name[300];
	size_t i;

	fresh(dir);
	REQUIRE(!chdir(dir));
	for (i = 0; i < sizeof(block); i++)
		block[i] = (char)(i * 31 + 1);
	REQUIRE(!mkdir("d", 0750) && !mkdir("d/e", 0700));
	put("d/f", block, sizeof(block), 0);
	put("d.x", "x", 1, 0);
	put("d/empty", "", 0, 0);
	put("d/holes", block, sizeof(block), 1 << 16);
	REQUIRE(!truncate("d/holes", 1 << 20));
	put("d/e/all-hole", "", 0, 0);
	REQUIRE(!truncate("d/e/all-hole", 1LL << 40));
	REQUIRE(!link("d/f", "d/e/same") && !link("d/f", "z"));
	REQUIRE(!symlink("../../..", "d/up") && !mkfifo("fifo", 0600));
	REQUIRE(!symlink("fifo", "pipe") && !link("pipe", "d/pipe"));
	REQUIRE(!mknod("null", S_IFCHR | 0666, makedev(1, 3)));
	REQUIRE(!mknod("gone", S_IFCHR, 0));
	REQUIRE(!mknod("socket", S_IFSOCK | 0755, 0));
	/* not every kernel lets one have it */
	REQUIRE(!setxattr("socket", "user.of", "it", 2, 0) || errno == EPERM);
	memset(name, 'n', 255);
	name[255] = '\0';
	put(name, "n", 1, 0);
	put("\377 \n\001\303", "n", 1, 0);
	REQUIRE(!chown("d/e", 100000, 65534) && !chown("z", 5, 6));
	REQUIRE(!chmod("z", 06755) && !chmod("d", 01777));
	REQUIRE(!setxattr("z", "security.capability",
			  "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20, 0));
	REQUIRE(!setxattr("d", "trusted.a=%b\xff", "\0\xff", 2, 0));
	REQUIRE(!lsetxattr("d/up", "trusted.on-a-link", "", 0, 0));
	REQUIRE(!utimensat(AT_FDCWD, "d/up", ts, AT_SYMLINK_NOFOLLOW));
	REQUIRE(!utimensat(AT_FDCWD, "d", ts, 0));
	REQUIRE(!chdir(top));
}

static void everything_comes_back(void)
{
	struct mntcr_contents *a, *b;
	struct stat x, y;
	struct seen s;

	make_tree("a");
	a = save("a");
	fill(a, "b");
	b = save("b");
	if (compare(a, b, &s))
		TAP_SAY("%s", s.all);
	CHECK_EQ(s.nr, 0);
	/* what does not depend on our own reading */
	REQUIRE(!stat("b/z", &x) && !stat("b/d/e/same", &y));
	CHECK_EQ(x.st_ino, y.st_ino);
	CHECK_EQ(x.st_nlink, 3);
	CHECK_EQ(x.st_mode, S_IFREG | 06755);
	CHECK_EQ(x.st_uid, 5);
	REQUIRE(!stat("b/d/e/all-hole", &x));
	CHECK_EQ(x.st_size, 1LL << 40);
	CHECK_EQ(x.st_blocks, 0);
	REQUIRE(!stat("a/d/holes", &x) && !stat("b/d/holes", &y));
	CHECK_EQ(x.st_blocks, y.st_blocks);
	REQUIRE(!stat("b/d", &x));
	CHECK_EQ(x.st_mtim.tv_sec, 981173047);
	CHECK_EQ(x.st_mtim.tv_nsec, 789000123);
	REQUIRE(!stat("b/socket", &x));
	CHECK(S_ISSOCK(x.st_mode));
	CHECK_EQ(getxattr("b/socket", "user.of", NULL, 0), getxattr("a/socket", "user.of", NULL, 0));
	REQUIRE(!stat("b/null", &x));
	CHECK_EQ(x.st_rdev, makedev(1, 3));
	mntcr_contents_free(a);
	mntcr_contents_free(b);
}

/* What the kernel has in there goes with the mount of the overlay. */
static void work_of_an_overlay(void)
{
	static const char *work[] = { "d", "d/z" };
	struct mntcr_contents *a, *b, *all;
	struct stat st;
	struct seen s;

	CHECK_EQ(mc_scratch_at(&sb, "d/work/x"), MC_SCRATCH_NONE);
	make_tree("a");
	REQUIRE(!mkdir("a/d/work", 0) && !mkdir("a/d/worker", 0700));
	REQUIRE(!link("a/gone", "a/aa") && !link("a/gone", "a/d/work/#3"));
	REQUIRE(!link("a/gone", "a/d/worker/work"));
	all = save("a");
	sb.work = work;
	sb.nr_work = 2;
	CHECK_EQ(mc_scratch_at(&sb, "d"), MC_SCRATCH_DIR);
	CHECK_EQ(mc_scratch_at(&sb, "d/work"), MC_SCRATCH_DIR);
	CHECK_EQ(mc_scratch_at(&sb, "d/work/work/x"), MC_SCRATCH_BELOW);
	CHECK_EQ(mc_scratch_at(&sb, "d/z/work"), MC_SCRATCH_DIR);
	CHECK_EQ(mc_scratch_at(&sb, "d/z/work/#1"), MC_SCRATCH_BELOW);
	CHECK_EQ(mc_scratch_at(&sb, "d/y/work/#1"), MC_SCRATCH_NONE);
	CHECK_EQ(mc_scratch_at(&sb, "work/x"), MC_SCRATCH_NONE);
	CHECK_EQ(mc_scratch_at(&sb, "d/worker"), MC_SCRATCH_NONE);
	CHECK_EQ(mc_scratch_at(&sb, ""), MC_SCRATCH_NONE);
	a = save("a");
	fill(a, "b");
	CHECK_EQ(access("b/d/work", F_OK), 0);
	CHECK_EQ(access("b/d/work/#3", F_OK), -1);
	REQUIRE(!stat("b/d/worker/work", &st));
	CHECK_EQ(st.st_nlink, 3);
	/* as an overlay that is made of it leaves it */
	REQUIRE(!rmdir("b/d/work") && !mkdir("b/d/work", 0));
	REQUIRE(!mknod("b/d/work/#4", S_IFCHR, 0));
	b = save("b");
	if (compare(a, b, &s) || compare(all, b, &s) || compare(b, all, &s))
		TAP_SAY("%s", s.all);
	CHECK_EQ(s.nr, 0);
	/* its mode is nobody's but the container's */
	REQUIRE(!chmod("b/d", 0700));
	mntcr_contents_free(b);
	b = save("b");
	CHECK_EQ(compare(a, b, &s), 1);
	sb.work = NULL;
	sb.nr_work = 0;
	CHECK(compare(all, b, &s) > 2);
	mntcr_contents_free(a);
	mntcr_contents_free(b);
	mntcr_contents_free(all);
}

static int break_mode(void) { return chmod("b/fifo", 0624); }
static int break_owner(void) { return lchown("b/d/up", 1, 0); }
static int break_data(void)
{
	const struct timespec ts[2] = { { 0, UTIME_OMIT }, { 7, 8 } };

	put("b/d.x", "y", 1, 0);
	return utimensat(AT_FDCWD, "b/d.x", ts, 0);
}
static int break_xattr(void)
{
	return setxattr("b/d", "trusted.a=%b\xff", "\0\xfe", 2, 0);
}
static int break_attributes(void) { return setxattr("b/d/e", "trusted.new", "", 0, 0); }
static int break_extra(void) { return mknod("b/d/f2", S_IFREG, 0); }
static int break_device(void)
{
	return unlink("b/null") || mknod("b/null", S_IFCHR | 0666, makedev(1, 5));
}

static int break_name(void)
{
	return removexattr("b/d", "trusted.a=%b\xff") ||
	       setxattr("b/d", "trusted.b", "\0\xff", 2, 0);
}
static int break_hole(void)
{
	put("b/d/holes", "x", 1, 0);
	return 0;
}
static int break_link(void) { return unlink("b/z") || link("b/d/empty", "b/z"); }
static int break_target(void) { return unlink("b/d/up") || symlink("down", "b/d/up"); }

static void each_change_is_seen(void)
{
	static const struct {
		int (*change)(void);
		const char *sign;
	} changes[] = {
		{ break_mode, "/fifo: mode: '600' against '624'" },
		{ break_owner, "/d/up: uid: '0' against '1'" },
		{ break_data, "/d.x: data: " },
		{ break_xattr, "/d: extended attribute: " },
		{ break_attributes, "/d/e: number of extended attributes: '0' against '1'" },
		{ break_extra, "/d/f2: it is: 'not there' against 'there'" },
		{ break_device, "/null: device: " },
		{ break_name, "against 'none'" },
		{ break_hole, "/d/holes: holes: next data at: '65536' against '0'" },
		{ break_link, "/z: hard link to: '/d/e/same' against '/d/empty'" },
		{ break_target, "/d/up: target: '../../..' against 'down'" },
	};
	struct mntcr_contents *a, *b;
	struct seen s;
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(changes); i++) {
		make_tree("a");
		/* what happens to be different for the time that passed */
		REQUIRE(!utimensat(AT_FDCWD, "a/d.x",
				   (struct timespec[2]){ { 0, UTIME_OMIT }, { 7, 8 } }, 0));
		a = save("a");
		fill(a, "b");
		REQUIRE(!changes[i].change());
		b = save("b");
		CHECK(compare(a, b, &s) >= 1);
		if (!strstr(s.all, changes[i].sign))
			TAP_SAY("%s, not %s", s.all, changes[i].sign);
		CHECK(strstr(s.all, changes[i].sign));
		mntcr_contents_free(a);
		mntcr_contents_free(b);
	}
}

/* --- what no archive can have -------------------------------------------------------- */

/* n directories in one another. */
static void make_deep(const char *dir, const char *name, int n)
{
	int fd, next;

	fresh(dir);
	fd = root_of(dir);
	while (n--) {
		REQUIRE(!mkdirat(fd, name, 0755));
		next = openat(fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		REQUIRE(next >= 0);
		close(fd);
		fd = next;
	}
	close(fd);
}

static void as_others_do(void)
{
	world_proc_fd = open("/proc", O_PATH | O_CLOEXEC);
	REQUIRE(world_proc_fd >= 0);
	in_child_own_user_ns();
	is_not_saved("a", "unmapped-owner");
}

static void what_no_archive_can_have_is_refused(void)
{
	char name[256];

	make_deep("a", "d", MC_MAX_DIR_DEPTH);
	is_not_saved("a", "too-deep");
	memset(name, 'n', 255);
	name[255] = '\0';
	make_deep("a", name, MC_MAX_MEMBER_NAME / 256 + 1);
	is_not_saved("a", "too-deep");
	/* as nobody's it would come back as another one's */
	fresh("a");
	put("a/f", "x", 1, 0);
	REQUIRE(!chown("a/f", 5, 0) && !chmod("a/f", 0644));
	in_child(as_others_do);
}

/* --- archives that lie --------------------------------------------------------------- */

/* As one is called that nobody can know. */
#define ASIDE	".mntcr-unlinked-0123456789abcdef"

/* Unlinked roots that it wants. */
static struct mc_put wanted[] = {
	{ .nr = 1, .path = "u1" }, { .nr = 2, .path = "d/u2" },
};
static uint32_t nr_wanted;

/* What the attempt ends with; nothing outside of b has changed. */
static int attempt(int fd, struct mntcr_error *e)
{
	struct mntcr_contents *c = NULL;
	struct mc_flags later = { 0 };
	struct mc_buf json = { 0 };
	struct mntcr_error before;
	struct stat st;
	int root, aside, ret, tried = 0;

	fresh("b");
	put("outside", "outside", 7, 0);
	root = root_of("b");
	REQUIRE(!mkdir("b/" ASIDE, 0700));
	aside = root_of("b/" ASIDE);
	memset(e, 0, sizeof(*e));
	ret = mc_contents_open(fd, 100, &json, &c, e);
	if (ret) {
		close(fd);
	} else {
		/* what is said beforehand is what comes of it, but for want of room */
		tried = mc_contents_try(c, &sb, true, wanted, nr_wanted, NULL, &before);
		REQUIRE(access("b/x", F_OK));
		ret = mc_contents_fill(c, &sb, root, aside, true, wanted, nr_wanted, &later, e);
		mc_flags_free(&later);
		CHECK_EQ(tried, ret && e->code != MNTCR_SYS ? ret : 0);
		if (tried)
			CHECK_STR(before.text, e->text);
	}
	mc_buf_free(&json);
	mntcr_contents_free(c);
	close(aside);
	close(root);
	REQUIRE(!stat("outside", &st));
	CHECK_EQ(st.st_nlink, 1);
	CHECK_EQ(st.st_size, 7);
	CHECK(access("escaped", F_OK));
	return ret;
}

static void hostile_archives_are_refused(void)
{
	static const struct {
		const char *sign;
		struct member m[4];
	} lies[] = {
		{ "contents/0:7/../escaped", { DIRECTORY(C), REGULAR(C "/../escaped", "x") } },
		{ "contents/0:7/a/../../escaped", { REGULAR(C "/a/../../escaped", "x") } },
		{ "/escaped", { REGULAR("/escaped", "x") } },
		{ "contents/0:7//tmp", { REGULAR(C "//tmp", "x") } },
		{ "contents/0:7/./x", { REGULAR(C "/./x", "x") } },
		{ "contents/00:7", { DIRECTORY("contents/00:7") } },
		{ "contents/0:7x", { DIRECTORY("contents/0:7x") } },
		{ "contents/0:4294967296", { DIRECTORY("contents/0:4294967296") } },
		/* through a symbolic link that leads out */
		{ "/up/escaped: lies behind what is no directory", { DIRECTORY(C), SYMLINK(C "/up", ".."),
				     REGULAR(C "/up/escaped", "x") } },
		{ "/z: is a link to what lies behind no directory", {
			DIRECTORY(C), SYMLINK(C "/up", ".."),
			LINK(C "/z", C "/up/outside") } },
		{ "/l: is a link to what is no file of its superblock", {
			DIRECTORY(C), LINK(C "/l", "contents/0:7/../outside") } },
		{ "/l: is a link to what is no file of its superblock", {
			DIRECTORY(C), LINK(C "/l", "/etc/passwd") } },
		{ "/l: is a link to what is not there", { DIRECTORY(C), LINK(C "/l", C "/none") } },
		{ "/x: is there already", {
			DIRECTORY(C), REGULAR(C "/x", "x"), REGULAR(C "/x", "y") } },
		{ "/x: is there already", {
			DIRECTORY(C), REGULAR(C "/x", "x"), DIRECTORY(C "/x") } },
		{ "/x: is there already", {
			DIRECTORY(C), DIRECTORY(C "/x"), SYMLINK(C "/x", "y") } },
		{ "/x/y: lies behind what is no directory", {
			DIRECTORY(C), REGULAR(C "/x", "x"), REGULAR(C "/x/y", "y") } },
		{ "/l: is there already", {
			DIRECTORY(C), REGULAR(C "/l", "x"), LINK(C "/l", C "/l") } },
		{ "/l: is a link to a directory", {
			DIRECTORY(C), DIRECTORY(C "/d"), LINK(C "/l", C "/d") } },
		{ "/: the root is a directory", { REGULAR(C, "x") } },
		{ "/: the root is a directory", { DIRECTORY(C), DIRECTORY(C "/d"), DIRECTORY(C) } },
		/* its directory is made by the way, or has been left */
		{ "/a: is there already", { REGULAR(C "/a/b", "x"), DIRECTORY(C "/a") } },
		{ "/x: comes after what it has to be before", {
			DIRECTORY(C), REGULAR(C "/x", "x"), REGULAR(C "/y", "y"),
			REGULAR(C "/x", "z") } },
		{ "/a/b: comes after what it has to be before", {
			REGULAR(C "/a/a", "x"), REGULAR(C "/b", "y"),
			REGULAR(C "/a/b", "z") } },
		{ "/l: is a link to what is not there", {
			DIRECTORY(C), LINK(C "/l", C "/l") } },
		{ "/l: is a link to what is not there", {
			DIRECTORY(C), LINK(C "/l", C "/m"), REGULAR(C "/m", "x") } },
		{ "/l: is a link to what lies behind no directory", {
			DIRECTORY(C), REGULAR(C "/a", "x"), LINK(C "/l", C "/a/b") } },
		{ "/l: is a link to what lies behind no directory", {
			DIRECTORY(C), LINK(C "/l", C "/none/b") } },
		{ "/l: is a link to a directory", {
			REGULAR(C "/d/e/f", "x"), LINK(C "/l", C "/d/e") } },
		{ "/l: is a symbolic link to nothing", { DIRECTORY(C), SYMLINK(C "/l", "") } },
		{ "contents/0:7/x: is not beside", {
			DIRECTORY(C), DIRECTORY("contents/0:8"), REGULAR(C "/x", "x") } },
		{ "member mntcr-image.end: is not the last", {
			REGULAR(MC_CONTENTS_END, ""), DIRECTORY(C) } },
		{ "/big: writing: No space left", { DIRECTORY(C), REGULAR(C "/big", NULL) } },
	};
	static char big[2 << 20];
	struct mntcr_error e;
	struct member m[4];
	size_t i, nr;

	memset(big, 'b', sizeof(big) - 1);
	for (i = 0; i < MC_ARRAY_SIZE(lies); i++) {
		memcpy(m, lies[i].m, sizeof(m));
		for (nr = 0; nr < 4 && m[nr].name; nr++)
			if (strstr(m[nr].name, "big"))
				m[nr].to = big;
		CHECK_EQ(attempt(pack(m, nr, MC_CONTENTS_JSON), &e), -1);
		if (!strstr(e.text, lies[i].sign))
			TAP_SAY("%zu: %s, not %s", i, e.text, lies[i].sign);
		CHECK(strstr(e.text, lies[i].sign));
		CHECK_EQ(e.code, strstr(lies[i].sign, "No space") ? MNTCR_SYS :
			 MNTCR_BAD_IMAGE);
	}
	CHECK_EQ(attempt(pack(m, 0, "first"), &e), -1);
	CHECK(strstr(e.text, "member first: the first has to be"));
}

#define U "unlinked/0:7/"

struct lie {
	const char *sign;
	struct member m[4];
};

/* Each is noticed, before and while files are made. */
static void tell(const struct lie *lies, size_t nr_lies)
{
	struct mntcr_error e;
	size_t i, nr;

	for (i = 0; i < nr_lies; i++) {
		for (nr = 0; nr < 4 && lies[i].m[nr].name; nr++)
			;
		CHECK_EQ(attempt(pack(lies[i].m, nr, MC_CONTENTS_JSON), &e), -1);
		if (!strstr(e.text, lies[i].sign))
			TAP_SAY("%zu: %s, not %s", i, e.text, lies[i].sign);
		CHECK(strstr(e.text, lies[i].sign));
		CHECK_EQ(e.code, strstr(e.text, "no directory any more") ?
			 MNTCR_REFUSED : MNTCR_BAD_IMAGE);
	}
}

static void unlinked_roots_that_lie_are_refused(void)
{
	static const struct lie lies[] = {
		{ "member unlinked/0:7/0: is no name", { REGULAR(U "0", "x") } },
		{ "member unlinked/0:7/01: is no name", { REGULAR(U "01", "x") } },
		{ "member unlinked/0:7/1/x: is no name", { REGULAR(U "1/x", "x") } },
		{ "member unlinked/0:7/262145: is no name", { REGULAR(U "262145", "x") } },
		{ "member unlinked/0:7/: is no name", { DIRECTORY("unlinked/0:7") } },
		{ "not all unlinked roots of mounts are in it", { DIRECTORY(C), REGULAR(U "1", "x") } },
		{ "unlinked root 1: comes after what it has to be before", {
			REGULAR(U "2", "x"), REGULAR(U "1", "x") } },
		{ "unlinked root 2: comes after what it has to be before", {
			REGULAR(U "2", "x"), REGULAR(U "2", "x") } },
		{ "/x: comes after what it has to be before", {
			REGULAR(U "1", "x"), REGULAR(U "2", "x"), REGULAR(C "/x", "x") } },
		{ "unlinked root 2: what it was in is no directory any more", {
			SYMLINK(C "/d", ".."), REGULAR(U "1", "x"),
			REGULAR(U "2", "x") } },
		{ "unlinked root 1: is a link to what is not there", {
			REGULAR(C "/x", "x"), LINK(U "1", C "/y"), REGULAR(U "2", "x") } },
		{ "unlinked root 1: is a link to what is not there", {
			LINK(U "1", U "1"), REGULAR(U "2", "x") } },
		{ "unlinked root 1: is a link to what is not there", {
			LINK(U "1", U "2"), REGULAR(U "2", "x") } },
		{ "unlinked root 2: is a link to a directory", {
			DIRECTORY(U "1"), LINK(U "2", U "1") } },
		{ "unlinked root 1: is a link to what is no file of its superblock", {
			LINK(U "1", "/etc/passwd") } },
		{ "unlinked root 2: is a link to what is no file of its superblock", {
			REGULAR(U "1", "x"), LINK(U "2", "unlinked/0:8/1") } },
		{ "/y: is a link to what is no file of its superblock", {
			LINK(C "/y", U "1"), REGULAR(U "1", "x"), REGULAR(U "2", "x") } },
	};

	nr_wanted = 2;
	tell(lies, MC_ARRAY_SIZE(lies));
	nr_wanted = 0;
}

/* Of a superblock that has its files on a device. */
static void what_is_on_a_device_is_not_in_an_archive(void)
{
	static const struct lie lies[] = {
		{ "/: is on its device, which has it", { DIRECTORY(C) } },
		{ "/x: is on its device, which has it", {
			REGULAR(C "/x", "x"), REGULAR(U "1", "x"), REGULAR(U "2", "x") } },
		{ "unlinked root 1: is a link to what is on its device", {
			LINK(U "1", C "/x"), REGULAR(U "2", "x") } },
		/* too short for a handle */
		{ "unlinked root 1: its attribute mntcr.handle is a mark that is not known", {
			MARKED(U "1", MC_CONTENTS_HANDLE), REGULAR(U "2", "x") } },
		{ "unlinked root 2: its attribute mntcr.other is a mark that is not known", {
			REGULAR(U "1", "x"), MARKED(U "2", "mntcr.other") } },
	};

	nr_wanted = 2;
	sb.type = "ext4";
	tell(lies, MC_ARRAY_SIZE(lies));
	sb.type = "tmpfs";
	nr_wanted = 0;
}

/* Nor of an overlay, which has them in its layers. */
static void what_is_in_layers_is_not_in_an_archive(void)
{
	static const struct lie lies[] = {
		{ "/: is in its layers, which have it", { DIRECTORY(C) } },
		{ "/x: is in its layers, which have it", {
			REGULAR(C "/x", "x"), REGULAR(U "1", "x"), REGULAR(U "2", "x") } },
		{ "unlinked root 2: is a whiteout, which an overlay shows to nobody", {
			REGULAR(U "1", "x"), { U "2", S_IFCHR, NULL, 0, NULL } } },
		{ "unlinked root 1: is a link to what is no file of its superblock", {
			LINK(U "1", "/etc/passwd"), REGULAR(U "2", "x") } },
		{ "unlinked root 1: its attribute mntcr.handle is a mark that is not known", {
			MARKED(U "1", MC_CONTENTS_HANDLE), REGULAR(U "2", "x") } },
	};

	nr_wanted = 2;
	sb.type = "overlay";
	tell(lies, MC_ARRAY_SIZE(lies));
	sb.type = "tmpfs";
	nr_wanted = 0;
}

#define X50		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LONG_NAME	"trusted." X50 X50 X50 X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define ENTRY(tag, perm, id)	tag, 0, perm, 0, id, id, id, id
#define ACL_OF(...)		{ 2, 0, 0, 0, __VA_ARGS__ }

/* What the kernel would not take is said by the attribute's name, before it is asked. */
static void attributes_that_are_none(void)
{
	static const struct {
		const char *key, *sign;
		mode_t type;
		size_t size;
		unsigned char value[32];
	} bad[] = {
		{ "system.posix_acl_access", "is no ACL", S_IFREG, 3, { 2 } },
		{ "system.posix_acl_access", "is no ACL", S_IFREG, 4, { 1 } },
		{ "system.posix_acl_access", "is no ACL", S_IFREG, 11, ACL_OF(ENTRY(1, 7, 255)) },
		{ "system.posix_acl_default", "is no ACL", S_IFDIR, 0, { 0 } },
		{ "system.posix_acl_default", "is an ACL for what is made in a directory", S_IFREG, 28,
		  ACL_OF(ENTRY(1, 7, 255), ENTRY(4, 5, 255), ENTRY(32, 5, 255)) },
		{ "system.posix_acl_access", "is an ACL with an entry that is none", S_IFREG, 12,
		  ACL_OF(ENTRY(64, 7, 255)) },
		{ "system.posix_acl_access", "is an ACL with an entry that is none", S_IFREG, 12,
		  ACL_OF(ENTRY(1, 8, 255)) },
		{ "system.posix_acl_access", "is an ACL whose entries are not in their order", S_IFREG, 20,
		  ACL_OF(ENTRY(1, 7, 255), ENTRY(32, 7, 255)) },
		{ "system.posix_acl_access", "is an ACL with an entry for nobody", S_IFREG, 20,
		  ACL_OF(ENTRY(1, 7, 255), ENTRY(2, 7, 255)) },
		{ "system.posix_acl_access", "is an ACL that lacks entries", S_IFREG, 20,
		  ACL_OF(ENTRY(1, 7, 255), ENTRY(4, 5, 255)) },
		{ "security.capability", "is no file's capabilities", S_IFREG, 4, { 0, 0, 0, 2 } },
		{ "security.capability", "is no file's capabilities", S_IFREG, 20, { 0, 0, 0, 3 } },
		{ "system.posix_acl_access", "is an ACL, which symbolic links have not", S_IFLNK, 28,
		  ACL_OF(ENTRY(1, 7, 255), ENTRY(4, 5, 255), ENTRY(32, 5, 255)) },
		{ "foo.bar", "is in no namespace that there is", S_IFREG, 1, { 1 } },
		{ "system.nonsense", "is in no namespace that there is", S_IFREG, 1, { 1 } },
		{ "trusted.", "is in no namespace that there is", S_IFREG, 1, { 1 } },
		{ "user.x", "is one that only regular files, directories and sockets have", S_IFIFO, 1, { 1 } },
		{ "user.x", "is one that only regular files, directories and sockets have", S_IFLNK, 1, { 1 } },
		{ LONG_NAME, "has too long a name", S_IFREG, 1, { 1 } },
	};
	struct member m = { .name = C "/f", .to = "x" };
	struct mntcr_error e;
	char sign[400];
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(bad); i++) {
		m.type = bad[i].type;
		m.mark = bad[i].key;
		handle_size = bad[i].size;
		memcpy(handle, bad[i].value, sizeof(bad[i].value));
		CHECK_EQ(attempt(pack(&m, 1, MC_CONTENTS_JSON), &e), -1);
		CHECK_EQ(e.code, MNTCR_BAD_IMAGE);
		snprintf(sign, sizeof(sign), "/f: its attribute %s %s", bad[i].key, bad[i].sign);
		if (!strstr(e.text, sign))
			TAP_SAY("%zu: %s, not %s", i, e.text, sign);
		CHECK(strstr(e.text, sign));
	}
	/* of what only the kernel knows, its error has the name */
	m = (struct member){ C "/f", S_IFREG, NULL, 0, "trusted.x" };
	fresh_type = "ramfs";
	CHECK_EQ(attempt(pack(&m, 1, MC_CONTENTS_JSON), &e), -1);
	fresh_type = "tmpfs";
	CHECK_EQ(e.code, MNTCR_SYS);
	CHECK(strstr(e.text, "/f: its attribute trusted.x can't be set: "));
	handle_size = 0;
}

/* Those that it does take come through. */
static void an_acl_that_is_one(void)
{
	static const unsigned char good[] = ACL_OF(ENTRY(1, 7, 255), ENTRY(2, 6, 0),
		ENTRY(4, 5, 255), ENTRY(8, 5, 0), ENTRY(16, 7, 255), ENTRY(32, 0, 255));
	struct member m = { C "/f", S_IFREG, NULL, 0, "system.posix_acl_access" };
	unsigned char got[sizeof(good)];
	struct mntcr_error e;
	ssize_t n;

	CHECK(!mc_attr_fault(m.mark, good, sizeof(good), S_IFREG));
	handle_size = sizeof(good);
	memcpy(handle, good, sizeof(good));
	if (attempt(pack(&m, 1, MC_CONTENTS_JSON), &e)) {
		/* no ACLs here */
		CHECK(strstr(e.text, "can't be set: Operation not supported"));
	} else {
		n = getxattr("b/f", m.mark, got, sizeof(got));
		CHECK(n == sizeof(good) && !memcmp(got, good, sizeof(good)));
	}
	handle_size = 0;
}

/* The same bytes, but for those; of a member's map, which is text. */
static void change(int fd, const char *from, const char *to)
{
	static char all[1 << 16];
	ssize_t size = pread(fd, all, sizeof(all), 0);
	char *at = memmem(all, (size_t)size, from, strlen(from));

	REQUIRE(size > 0 && at && strlen(from) == strlen(to));
	REQUIRE(pwrite(fd, to, strlen(to), at - all) == (ssize_t)strlen(to));
}

/* More data, or less, than there is; and some of it twice. */
static void a_map_that_lies(void)
{
	static const struct member m[] = {
		DIRECTORY(C), { C "/f", S_IFREG, "0123456789", 100, NULL },
	};
	static const struct {
		const char *map, *says;
	} x[] = {
		{ "\n90\n10\n", NULL },
		{ "\n05\n95\n", "/f: has more or less data than its map says" },
		{ "\n05\n02\n", "the member after contents/0:7/f: " },
	};
	struct mntcr_error e;
	size_t i;
	int fd;

	for (i = 0; i < MC_ARRAY_SIZE(x); i++) {
		fd = pack(m, MC_ARRAY_SIZE(m), MC_CONTENTS_JSON);
		change(fd, x[0].map, x[i].map);
		CHECK_EQ(attempt(fd, &e), x[i].says ? -1 : 0);
		if (x[i].says && !strstr(e.text, x[i].says))
			CHECK_STR(e.text, x[i].says);
	}
}

/* Its handle leads to a file of another type. */
static void a_handle_of_another_file(void)
{
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + MC_MAX_HANDLE];
	} u = { .h = { .handle_bytes = MC_MAX_HANDLE } };
	const struct member m = MARKED(U "1", MC_CONTENTS_HANDLE);
	struct mntcr_contents *c = NULL;
	struct mc_flags later = { 0 };
	struct mc_buf json = { 0 };
	struct mntcr_error e;
	struct stat st;
	int root, aside, id;
	uint32_t type;

	fresh("b");
	REQUIRE(!mkfifo("b/f", 0600) && !mkdir("b/" ASIDE, 0700));
	if (name_to_handle_at(AT_FDCWD, "b/f", &u.h, &id, 0)) {
		TAP_SAY("this kernel has no handles of it");
		return;
	}
	type = htole32((uint32_t)u.h.handle_type);
	memcpy(handle, &type, 4);
	memcpy(handle + 4, u.h.f_handle, u.h.handle_bytes);
	handle_size = 4 + u.h.handle_bytes;
	sb.type = "ext4";
	root = root_of("b");
	aside = root_of("b/" ASIDE);
	REQUIRE(!mc_contents_open(pack(&m, 1, MC_CONTENTS_JSON), 100, &json, &c, &e));
	CHECK_EQ(mc_contents_fill(c, &sb, root, aside, true, wanted, 1, &later, &e), -1);
	CHECK(!later.nr);
	CHECK_EQ(e.code, MNTCR_REFUSED);
	CHECK(strstr(e.text, "another file is there by now"));
	CHECK(!stat("b/f", &st) && st.st_nlink == 1);
	sb.type = "tmpfs";
	handle_size = 0;
	mc_buf_free(&json);
	mntcr_contents_free(c);
	close(aside);
	close(root);
}

/* It takes no room, and no time. */
static void giant_holes_cost_nothing(void)
{
	struct mntcr_error e;
	struct member m[2] = { { C, S_IFDIR, NULL, 0, NULL },
			       { C "/huge", S_IFREG, "", 1LL << 40, NULL } };
	struct stat st;

	if (attempt(pack(m, 2, MC_CONTENTS_JSON), &e)) {
		TAP_SAY("%s", e.text);
		tap.bad = 1;
	}
	REQUIRE(!stat("b/huge", &st));
	CHECK_EQ(st.st_size, 1LL << 40);
	CHECK_EQ(st.st_blocks, 0);
}

/* N directories, one in the other, with names so long: what refuses them says so. */
static void refused_as_deep(int n, size_t len, const char *says)
{
	struct mntcr_error e = { 0 };
	char name[256] = { 0 };
	FILE *f = tmpfile();
	struct mc_save *s;
	int i, at, root;

	memset(name, 'd', len);
	fresh("a");
	root = root_of("a");
	REQUIRE(f && (at = dup(root)) >= 0);
	for (i = 0; i < n; i++) {
		int in;

		REQUIRE(!mkdirat(at, name, 0700));
		in = openat(at, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		REQUIRE(in >= 0);
		close(at);
		at = in;
	}
	close(at);
	REQUIRE(!mc_save_new(&s, f, "{}", 2, &e));
	CHECK_EQ(mc_save_tree(s, &sb, root, "/", NULL, &e), -1);
	CHECK_EQ(e.code, MNTCR_REFUSED);
	CHECK_STR(e.rule, "too-deep");
	if (!strstr(e.text, says))
		CHECK_STR(e.text, says);
	CHECK_EQ(mc_save_end(s, true, &e), -1);
	fclose(f);
	close(root);
}

static void what_is_too_deep_is_refused(void)
{
	struct rlimit limit, more;

	REQUIRE(!getrlimit(RLIMIT_NOFILE, &limit));
	more = limit;
	more.rlim_cur = more.rlim_max;
	REQUIRE(!setrlimit(RLIMIT_NOFILE, &more));
	refused_as_deep(MC_MAX_DIR_DEPTH, 1, "it is in too many directories");
	refused_as_deep(MC_MAX_MEMBER_NAME / 256 + 1, 255, "its path is too long");
	REQUIRE(!setrlimit(RLIMIT_NOFILE, &limit));
}

/* Nothing more is written: less than a block, so nothing at all. */
static void what_is_broken_off_has_no_end(void)
{
	struct mntcr_error e = { 0 };
	FILE *f = tmpfile();
	struct mc_save *s;

	REQUIRE(f && !mc_save_new(&s, f, "{}", 2, &e));
	CHECK_EQ(mc_save_end(s, true, &e), -1);
	REQUIRE(!fflush(f) && !fseek(f, 0, SEEK_END));
	CHECK_EQ(ftell(f), 0);
	fclose(f);
}

/* Of these members; what they say is as good as what is made of it. */
static size_t compare_packed(const struct member *x, const struct member *y, size_t nr,
			     struct seen *s)
{
	struct mntcr_contents *c[2] = { NULL, NULL };
	struct mc_buf json = { 0 };
	struct mntcr_error e;

	REQUIRE(!mc_contents_open(pack(x, nr, MC_CONTENTS_JSON), 100, &json, &c[0], &e));
	REQUIRE(!mc_contents_open(pack(y, nr, MC_CONTENTS_JSON), 100, &json, &c[1], &e));
	compare(c[0], c[1], s);
	mntcr_contents_free(c[0]);
	mntcr_contents_free(c[1]);
	mc_buf_free(&json);
	return s->nr;
}

/* Which files are one counts, and not by which of its names a link says so. */
static void links_are_compared_by_what_is_one(void)
{
	static const struct member ours[] = {
		REGULAR(C "/a", "x"), LINK(C "/b", C "/a"), LINK(C "/c", C "/a"),
		LINK(C "/d", C "/a"), REGULAR(C "/e", "x"), LINK(C "/f", C "/e"),
		LINK("unlinked/0:7/1", C "/a"), LINK("unlinked/0:7/2", C "/a"),
	}, theirs[] = {
		REGULAR(C "/a", "x"), LINK(C "/b", C "/a"), LINK(C "/c", C "/b"),
		LINK(C "/d", C "/c"), REGULAR(C "/e", "x"), LINK(C "/f", C "/e"),
		LINK("unlinked/0:7/1", C "/d"), LINK("unlinked/0:7/2", "unlinked/0:7/1"),
	};
	const size_t nr = MC_ARRAY_SIZE(ours);
	struct member other[MC_ARRAY_SIZE(ours)];
	struct seen s;

	if (compare_packed(ours, theirs, nr, &s))
		TAP_SAY("%s", s.all);
	CHECK_EQ(s.nr, 0);
	memcpy(other, theirs, sizeof(theirs));
	other[5].to = C "/d";
	CHECK_EQ(compare_packed(ours, other, nr, &s), 1);
	CHECK(strstr(s.all, "/f: hard link to: '/e' against '/a'"));
	memcpy(other, theirs, sizeof(theirs));
	other[3].to = C "/c";
	other[2] = (struct member)REGULAR(C "/c", "x");
	/* what was to one that is another file now is another, too */
	CHECK_EQ(compare_packed(ours, other, nr, &s), 4);
	CHECK(strstr(s.all, "/c: hard link to: '/a' against ''"));
	CHECK(strstr(s.all, "/d: hard link to: '/a' against '/c'"));
}

/* An archive that breaks off anywhere before its last member is an error. */
static void cut_archives_are_noticed(void)
{
	struct member m[3] = { DIRECTORY(C), REGULAR(C "/a", "some data"),
			       REGULAR(C "/b", "more data") };
	int whole = pack(m, 3, MC_CONTENTS_JSON), fd;
	off_t len, first = 0;
	struct mntcr_error e;
	char buf[10240];
	bool named = false;

	REQUIRE(pread(whole, buf, sizeof(buf), 0) == sizeof(buf));
	for (len = 0; len <= (off_t)sizeof(buf); len += 64) {
		FILE *f = tmpfile();

		REQUIRE(f && fwrite(buf, 1, (size_t)len, f) == (size_t)len &&
			!fflush(f));
		fd = dup(fileno(f));
		REQUIRE(fd >= 0 && !fclose(f));
		if (attempt(fd, &e)) {
			CHECK_EQ(e.code, MNTCR_BAD_IMAGE);
			/* which of them: itself, or the one before it */
			CHECK(!strstr(e.text, "member: ") || len < 1536);
			named = named || strstr(e.text, "the member after " C "/a: ");
			/* the zeroes at the end come in blocks */
			CHECK(!first || len % 512);
			continue;
		}
		if (!first)
			first = len;
		CHECK(!access("b/a", F_OK) && !access("b/b", F_OK));
	}
	CHECK(named);
	/* the header of the last one is there then */
	CHECK(first > 0 && !memcmp(buf + first - 512, MC_CONTENTS_END, 15));
	close(whole);
}

static int clone_of(const char *source, struct mntcr_error *e)
{
	struct mntcr_source self = { .type = MNTCR_SOURCE_PID, .pid = getpid() };
	int ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC), fd;
	struct mntcr_topology *t;
	uint32_t i;

	REQUIRE(ns >= 0);
	REQUIRE(!mntcr_capture(&self, 1, NULL, &t, e));
	for (i = 0; i < t->nr_mounts; i++)
		if (mc_mount_source(t, &t->mounts[i]) &&
		    !strcmp(mc_mount_source(t, &t->mounts[i]), source))
			break;
	REQUIRE(i < t->nr_mounts);
	fd = mc_contents_clone(t, i, ns, e);
	if (fd < 0)
		TAP_SAY("%s", e->text);
	close(ns);
	mntcr_topology_free(t);
	return fd;
}

/* sysfs allows no walk in the dentry cache: where no mount is opened by its id. */
static void what_lies_below_sysfs_is_reached(void)
{
	struct stat clone, file;
	struct mntcr_error e;
	int fd;

	REQUIRE(!mkdir("sys", 0755));
	REQUIRE(!mount("s", "sys", "sysfs", 0, NULL));
	REQUIRE(!mount("below sysfs", "sys/kernel", "tmpfs", 0, NULL));
	REQUIRE(!stat("sys/kernel", &file));
	fd = clone_of("below sysfs", &e);
	REQUIRE(fd >= 0);
	CHECK(!fstat(fd, &clone) && clone.st_dev == file.st_dev);
	close(fd);
	REQUIRE(!umount2("sys", MNT_DETACH) && !rmdir("sys"));
}

static void read_locked(void)
{
	struct stat before, after;
	struct mntcr_error e;
	int fd, file;
	char byte;

	REQUIRE(!stat("locked/file", &before));
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		_exit(4);	/* no user namespaces here */
	fd = clone_of("locked", &e);
	REQUIRE(fd >= 0);
	file = openat(fd, "file", O_RDONLY | O_CLOEXEC);
	CHECK(file >= 0 && read(file, &byte, 1) == 1);
	close(file);
	close(fd);
	REQUIRE(!stat("locked/file", &after));
	CHECK(!memcmp(&before.st_atim, &after.st_atim, sizeof(before.st_atim)));
}

/* Access times are locked of what has come from a more privileged namespace. */
static void what_is_locked_is_read(void)
{
	REQUIRE(!mkdir("locked", 0755));
	REQUIRE(!mount("locked", "locked", "tmpfs", MS_STRICTATIME, NULL));
	put("locked/file", "x", 1, 0);
	in_child(read_locked);
	REQUIRE(!umount2("locked", MNT_DETACH) && !rmdir("locked"));
}

/* Where no mount is opened by its id, none is reached below a cover, either. */
static void what_an_ancestor_hides(void)
{
	struct stat clone, file;
	struct mntcr_error e;
	int fd;

	REQUIRE(!mkdir("above", 0755));
	REQUIRE(!mount("a", "above", "tmpfs", 0, NULL));
	REQUIRE(!mkdir("above/x", 0755));
	REQUIRE(!mount("hidden", "above/x", "tmpfs", 0, NULL));
	REQUIRE(!stat("above/x", &file));
	REQUIRE(!mount("cover", "above", "tmpfs", 0, NULL));
	fd = clone_of("hidden", &e);
	if (fd >= 0) {
		CHECK(!fstat(fd, &clone) && clone.st_dev == file.st_dev);
		close(fd);
	} else {
		CHECK_EQ(e.code, MNTCR_REFUSED);
		CHECK_STR(e.rule, "contents-out-of-reach");
	}
	REQUIRE(!umount2("above", MNT_DETACH) && !umount2("above", MNT_DETACH));
	REQUIRE(!rmdir("above"));
}

int main(void)
{
	start();
	TAP_RUN(what_lies_below_sysfs_is_reached);
	TAP_RUN(what_an_ancestor_hides);
	TAP_RUN(what_is_locked_is_read);
	TAP_RUN(everything_comes_back);
	TAP_RUN(work_of_an_overlay);
	TAP_RUN(each_change_is_seen);
	TAP_RUN(what_no_archive_can_have_is_refused);
	TAP_RUN(hostile_archives_are_refused);
	TAP_RUN(unlinked_roots_that_lie_are_refused);
	TAP_RUN(what_is_on_a_device_is_not_in_an_archive);
	TAP_RUN(what_is_in_layers_is_not_in_an_archive);
	TAP_RUN(attributes_that_are_none);
	TAP_RUN(an_acl_that_is_one);
	TAP_RUN(a_map_that_lies);
	TAP_RUN(a_handle_of_another_file);
	TAP_RUN(giant_holes_cost_nothing);
	TAP_RUN(what_is_too_deep_is_refused);
	TAP_RUN(what_is_broken_off_has_no_end);
	TAP_RUN(links_are_compared_by_what_is_one);
	TAP_RUN(cut_archives_are_noticed);
	end();
	return tap_done();
}
