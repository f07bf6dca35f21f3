// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What has been unlinked in an overlay and is mounted, restored when nothing of that is
 * left: made again in the overlay that is made of its layers, mounted, and unlinked again.
 * What is in the upper directory then, and in its work directory, is what was there before.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <glob.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

#include "dumped.h"
#include "idmap-userns.h"
#include "unlinked.h"

static const char *image = "/tmp/image";

static bool has_overlay(void)
{
	int fd = mc_fsopen("overlay", FSOPEN_CLOEXEC);

	mc_close(fd);
	return fd >= 0;
}

/* --- what is dumped ------------------------------------------------------------- */

#define TRY(x)	do { if ((x) == -1) err(1, "%s", #x); } while (0)

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	TRY(fd);
	TRY(write(fd, text, strlen(text)));
	close(fd);
}

static void lower(const char *l)
{
	char path[64];
	int i;

	w_mkdir(l);
	TRY(chdir(l));
	/* so that the upper directory's filesystem gets to the same numbers of inodes later */
	for (i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "%d", i);
		put(path, "");
		TRY(unlink(path));
	}
	w_mkdir("d");
	put("d/low", "of the lower layer");
	put("d/low2", "of it as well");
	put("d/twin", "one");
	put("d/hidden", "");
	w_mkdir("ld");
	put("ld/f", "below");
	w_mkdir("merged");
	put("merged/f", "of a directory of both");
	put("lowlink", "two names");
	TRY(link("lowlink", "d/lowlink"));
	TRY(link("lowlink", "d/lowlink2"));
	TRY(chdir("/"));
}

/* In a child, while it makes an overlay of layers of two filesystems. */
static bool two_filesystems;

/* Another file of the same name and, where the layers are of two filesystems, number. */
static void twins(void)
{
	struct stat one, two;
	int i;

	TRY(stat("/m/d/twin", &one));
	bind_on("/m/d/twin", "/on-twin");
	TRY(unlink("/m/d/twin"));
	for (i = 0; i < 300; i++) {
		put("/m/d/twin", "two");
		TRY(stat("/m/d/twin", &two));
		if (one.st_ino == two.st_ino)
			break;
		TRY(unlink("/m/d/twin"));
	}
	if (i == 300 && two_filesystems)
		errx(1, "no file of the upper layer has the number of one of the lower one");
	if (i == 300)
		put("/m/d/twin", "two");
	bind_on("/m/d/twin", "/on-twin2");
	TRY(unlink("/m/d/twin"));
}

static const char *const places[] = {
	"/on", "/on2", "/on3", "/on5", "/on6", "/on7", "/on8", "/on11",
	"/on-twin", "/on-twin2",
};

static void without_other_names(void)
{
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(places); i++)
		put(places[i], "");
	w_mkdir("/ondir");
	w_mkdir("/ondir2");
	w_mkdir("/ondir3");
	w_mkdir("/ondir4");
	w_mkdir("/onalso");
	/* two binds of one */
	put("/m/d/f", "what was in it");
	TRY(chmod("/m/d/f", 04751));
	mtime("/m/d/f", 1000);
	bind_on("/m/d/f", "/on");
	bind_on("/m/d/f", "/on2");
	TRY(unlink("/m/d/f"));
	/* whose name has been taken since */
	put("/m/d/taken", "first");
	bind_on("/m/d/taken", "/on3");
	TRY(unlink("/m/d/taken"));
	put("/m/d/taken", "second");
	/* a directory, and what was in it */
	w_mkdir("/m/dir");
	put("/m/dir/f", "in it");
	bind_on("/m/dir", "/ondir");
	bind_on("/m/dir/f", "/on5");
	TRY(unlink("/m/dir/f"));
	TRY(rmdir("/m/dir"));
	/* an empty one, whose name another has by now */
	w_mkdir("/m/again");
	TRY(chmod("/m/again", 0711));
	bind_on("/m/again", "/ondir3");
	TRY(rmdir("/m/again"));
	w_mkdir("/m/again");
	TRY(chmod("/m/again", 0750));
	/* and one that is mounted, and not empty, has it; of a directory, and of a file */
	w_mkdir("/m/d/also");
	bind_on("/m/d/also", "/ondir4");
	TRY(rmdir("/m/d/also"));
	w_mkdir("/m/d/also");
	put("/m/d/also/in", "in the other one");
	bind_on("/m/d/also", "/onalso");
	put("/m/d/file", "a file");
	bind_on("/m/d/file", "/on11");
	TRY(unlink("/m/d/file"));
	w_mkdir("/m/d/file");
	/* of the lower layer, where each still has its name */
	bind_on("/m/d/low", "/on6");
	TRY(unlink("/m/d/low"));
	bind_on("/m/d/low2", "/on7");
	TRY(unlink("/m/d/low2"));
	w_mkdir("/m/d/low2");
	TRY(unlink("/m/ld/f"));
	bind_on("/m/ld", "/ondir2");
	TRY(rmdir("/m/ld"));
	TRY(mkfifo("/m/fifo", 0600));
	TRY(chmod("/m/fifo", 0620));
	bind_on("/m/fifo", "/on8");
	TRY(unlink("/m/fifo"));
	twins();
}

/*
 * All of it, with a name that is left; and one that is in the lower layer, where two links
 * are to one file, but two files in the overlay.
 */
static void unlink_all(void)
{
	without_other_names();
	put("/on4", "");
	put("/on9", "");
	put("/on10", "");
	put("/m/kept", "kept");
	TRY(link("/m/kept", "/m/d/gone"));
	bind_on("/m/d/gone", "/on4");
	TRY(unlink("/m/d/gone"));
	bind_on("/m/d/lowlink", "/on9");
	TRY(unlink("/m/d/lowlink"));
	bind_on("/m/d/lowlink2", "/on10");
	TRY(unlink("/m/d/lowlink2"));
	TRY(unlink("/m/d/hidden"));
	mtime("/m/d", 2000);
	mtime("/m", 3000);
}

static void overlay(const char *options)
{
	w_mkdir("/m");
	if (mount("ov", "/m", "overlay", 0, options))
		err(1, "overlay with %s", options);
}

/* The upper directory is in memory, and in the archive. */
static void on_two(void)
{
	world_new_root();
	w_tmpfs("low", "/low");
	lower("/low/l");
	w_tmpfs("rw", "/rw");
	w_mkdir("/rw/u");
	w_mkdir("/rw/w");
	overlay("lowerdir=/low/l,upperdir=/rw/u,workdir=/rw/w");
	two_filesystems = true;
	unlink_all();
}

static int users = -1;

/* What is written there is by the ids that the upper layer's mount maps. */
static void on_idmapped(void)
{
	world_new_root();
	w_tmpfs("low", "/low");
	lower("/low/l");
	w_tmpfs("rw", "/rw");
	w_mkdir("/rw/u");
	w_mkdir("/rw/w");
	w_mkdir("/mapped");
	TRY(idmap_onto(users, "/rw", "/mapped"));
	overlay("lowerdir=/low/l,upperdir=/mapped/u,workdir=/mapped/w");
	unlink_all();
}

static void on_one(void)
{
	world_new_root();
	lower("/l");
	w_mkdir("/u");
	w_mkdir("/w");
	overlay("lowerdir=/l,upperdir=/u,workdir=/w");
	unlink_all();
}

static void of_a_user(void)
{
	world_new_root();
	w_tmpfs("low", "/low");
	lower("/low/l");
	w_tmpfs("rw", "/rw");
	w_mkdir("/rw/u");
	w_mkdir("/rw/w");
	overlay("lowerdir=/low/l,upperdir=/rw/u,workdir=/rw/w,userxattr");
	unlink_all();
}

/* An overlay at to; its upper layer, and nothing else, is in the tmpfs at rw. */
static void overlay_on(const char *rw, const char *tmpfs, const char *to)
{
	char path[64], options[100];

	w_mkdir(rw);
	TRY(mount("rw", rw, "tmpfs", 0, tmpfs));
	snprintf(path, sizeof(path), "%s/u", rw);
	w_mkdir(path);
	snprintf(path, sizeof(path), "%s/w", rw);
	w_mkdir(path);
	w_mkdir(to);
	snprintf(options, sizeof(options), "lowerdir=/low/l,upperdir=%s/u,workdir=%s/w", rw, rw);
	TRY(mount("ov", to, "overlay", 0, options));
}

/* Nothing can be written to what the upper directory is in, each time for another reason. */
static void on_what_is_closed(void)
{
	char path[20];
	int i;

	world_new_root();
	w_tmpfs("low", "/low");
	lower("/low/l");
	for (i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "/on-%d", i);
		put(path, "");
	}
	overlay_on("/full", "nr_inodes=16", "/m-full");
	put("/m-full/d/f", "full");
	bind_on("/m-full/d/f", "/on-0");
	TRY(unlink("/m-full/d/f"));
	for (i = 0; i < 16; i++) {
		snprintf(path, sizeof(path), "/full/%d", i);
		if (mknod(path, S_IFREG | 0600, 0))
			break;
	}
	TRY(i > 3 && i < 16 && errno == ENOSPC ? 0 : -1);
	overlay_on("/flags", "", "/m-flags");
	put("/m-flags/d/f", "flags");
	bind_on("/m-flags/d/f", "/on-1");
	TRY(unlink("/m-flags/d/f"));
	mtime("/m-flags/d", 4000);
	TRY(flags_of("/flags/u/d", FS_IMMUTABLE_FL));
	TRY(flags_of("/flags/u", FS_APPEND_FL));
	/* it has another name: what has none keeps its superblock writable */
	overlay_on("/ro", "", "/m-ro");
	put("/m-ro/kept", "ro");
	TRY(link("/m-ro/kept", "/m-ro/d/f"));
	bind_on("/m-ro/d/f", "/on-2");
	TRY(unlink("/m-ro/d/f"));
	TRY(mount(NULL, "/ro", NULL, MS_REMOUNT | MS_RDONLY, NULL));
}

/* The layers are in what the host has. */
static void host_layers(void)
{
	TRY(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	w_mkdir("/tmp/root");
	w_tmpfs("root", "/tmp/root");
	w_mkdir("/tmp/root/host");
	w_bind("/tmp/host", "/tmp/root/host");
	TRY(chdir("/tmp/root"));
	TRY(syscall(SYS_pivot_root, ".", "."));
	TRY(umount2(".", MNT_DETACH));
	TRY(chdir("/"));
	lower("/host/l");
	w_mkdir("/host/u");
	w_mkdir("/host/w");
}

static void on_the_host(void)
{
	host_layers();
	overlay("lowerdir=/host/l,upperdir=/host/u,workdir=/host/w");
}

static void relative_on_the_host(void)
{
	host_layers();
	TRY(chdir("/host"));
	overlay("lowerdir=l,upperdir=u,workdir=w");
	TRY(chdir("/"));
	unlink_all();
}

/* A directory of both layers has the name of an unlinked one by now. */
static void redirected_on_the_host(void)
{
	host_layers();
	overlay("lowerdir=/host/l,upperdir=/host/u,workdir=/host/w,redirect_dir=on");
	w_mkdir("/m/redirected");
	w_mkdir("/onredirected");
	bind_on("/m/redirected", "/onredirected");
	TRY(rmdir("/m/redirected"));
	TRY(rename("/m/merged", "/m/redirected"));
	unlink_all();
}

/* With enough to do that it can be given up in between. */
static void many_on_the_host(void)
{
	char path[20];
	int i;

	on_the_host();
	unlink_all();
	put("/plain", "");
	for (i = 0; i < 70; i++) {
		snprintf(path, sizeof(path), "/many%d", i);
		put(path, "");
		bind_on("/plain", path);
	}
}

static void few_on_the_host(void)
{
	on_the_host();
	without_other_names();
}

/* --- and made again ----------------------------------------------------------------- */

struct back {
	struct mntcr_topology *t;
	struct mntcr_contents *c;
	struct mntcr_restored *r;
	struct mntcr_restore_options o;
	struct mntcr_external host;
	struct mntcr_error e;
	char key[32];
	int turns;
};

static void dump(struct back *b, void (*fn)(void), int flags)
{
	struct world w = { .nr = 0 };

	memset(b, 0, sizeof(*b));
	world_add_flags(&w, -1, fn, flags);
	dump_to(&w, image, &b->t, &b->c);
	world_close(&w);
	b->o.size = sizeof(b->o);
	b->o.contents = b->c;
	b->o.api = api;
}

static struct mc_sb *sb_at(struct back *b, const char *path)
{
	uint32_t m = mc_mount_at(b->t, 0, path);

	REQUIRE(m != MC_NONE);
	return &b->t->sbs[b->t->mounts[m].sb];
}

static void dump_on_the_host(struct back *b, void (*fn)(void))
{
	const struct mc_sb *sb;

	w_tmpfs("host", "/tmp/host");
	dump(b, fn, 0);
	sb = sb_at(b, "/host");
	snprintf(b->key, sizeof(b->key), "%u:%u", sb->major, sb->minor);
	b->host = (struct mntcr_external){ .key = b->key, .path = "/tmp/host" };
	b->o.externals = &b->host;
	b->o.nr_externals = 1;
}

static void done(struct back *b)
{
	mntcr_restored_free(b->r);
	mntcr_contents_free(b->c);
	mntcr_topology_free(b->t);
	umount("/tmp/host");
}

static int all_is_there(void *other_names)
{
	struct stat st, two;

	EXPECT(!stat("/on", &st) && !stat("/on2", &two));
	EXPECT(st.st_ino == two.st_ino && !st.st_nlink && st.st_mode == (S_IFREG | 04751));
	EXPECT(st.st_mtim.tv_sec == 1000 && st.st_mtim.tv_nsec == 7);
	EXPECT(reads("/on", "what was in it") && reads("/on3", "first"));
	EXPECT(reads("/m/d/taken", "second"));
	EXPECT(!stat("/ondir", &st) && S_ISDIR(st.st_mode) && access("/m/dir", F_OK));
	EXPECT(reads("/on5", "in it"));
	EXPECT(!stat("/ondir3", &st) && st.st_mode == (S_IFDIR | 0711));
	EXPECT(!stat("/m/again", &st) && st.st_mode == (S_IFDIR | 0750));
	EXPECT(!stat("/ondir4", &st) && access("/ondir4/in", F_OK));
	EXPECT(reads("/m/d/also/in", "in the other one"));
	EXPECT(!stat("/m/d/also", &st) && !stat("/onalso", &two) && st.st_ino == two.st_ino);
	EXPECT(reads("/on11", "a file") && !stat("/m/d/file", &st) && S_ISDIR(st.st_mode));
	EXPECT(reads("/on6", "of the lower layer") && access("/m/d/low", F_OK));
	EXPECT(reads("/on7", "of it as well") && !stat("/m/d/low2", &st) && S_ISDIR(st.st_mode));
	EXPECT(!stat("/ondir2", &st) && S_ISDIR(st.st_mode) && access("/m/ld", F_OK));
	EXPECT(!stat("/on8", &st) && st.st_mode == (S_IFIFO | 0620));
	EXPECT(reads("/on-twin", "one") && reads("/on-twin2", "two"));
	EXPECT(access("/m/d/twin", F_OK) && access("/m/fifo", F_OK));
	if (!other_names)
		return 0;
	EXPECT(!stat("/on4", &st) && !stat("/m/kept", &two));
	EXPECT(st.st_ino == two.st_ino && two.st_nlink == 1 && reads("/on4", "kept"));
	EXPECT(reads("/on9", "two names") && reads("/m/lowlink", "two names"));
	EXPECT(!stat("/on9", &st) && !stat("/m/lowlink", &two) && st.st_ino != two.st_ino);
	EXPECT(!stat("/on10", &two) && st.st_ino != two.st_ino && reads("/on10", "two names"));
	EXPECT(!stat("/m/d", &st) && st.st_mtim.tv_sec == 2000 && st.st_mtim.tv_nsec == 7);
	EXPECT(!stat("/m", &st) && st.st_mtim.tv_sec == 3000 && st.st_mtim.tv_nsec == 7);
	return 0;
}

/* strings: those of the overlay are what they were */
static void good(struct back *b, bool other_names, bool strings)
{
	size_t mounts = world_own_mounts(), fds = world_own_fds();
	FILE *null = fopen("/dev/null", "we");

	REQUIRE_DONE(mntcr_check_restore(b->t, &b->o, false, null, &b->e), b->e);
	fclose(null);
	REQUIRE_DONE(mntcr_restore(b->t, &b->o, &b->r, &b->e), b->e);
	CHECK_EQ(world_in(mntcr_restored_ns_fd(b->r, 0), all_is_there,
			  other_names ? b : NULL), 0);
	if (strings)
		same_dump(b->t, b->c, b->r);
	mntcr_restored_free(b->r);
	b->r = NULL;
	CHECK_EQ(world_own_fds(), fds);
	CHECK_EQ(world_own_mounts(), mounts);
}

/* listed: it is known beforehand */
static void bad(struct back *b, bool listed, const char *says)
{
	char *list = NULL;
	size_t size;
	FILE *out = open_memstream(&list, &size);

	CHECK_EQ(mntcr_restore(b->t, &b->o, &b->r, &b->e), -1);
	CHECK_EQ(b->e.code, MNTCR_REFUSED);
	CHECK_STR(b->e.rule, "deleted-root");
	if (!strstr(b->e.text, says))
		CHECK_STR(b->e.text, says);
	CHECK_EQ(mntcr_check_restore(b->t, &b->o, false, out, &b->e), listed ? -1 : 0);
	fclose(out);
	CHECK(!listed || strstr(list, says));
	free(list);
}

/* Any names but those that begin with a dot and are no others. */
static int left_in(const char *path)
{
	DIR *d = opendir(path);
	const struct dirent *x;
	int n = 0;

	while (d && (x = readdir(d)))
		n += *x->d_name == '.' && strcmp(x->d_name, ".") && strcmp(x->d_name, "..");
	if (d)
		closedir(d);
	return n;
}

static void built(void (*fn)(void), int flags)
{
	struct back b;

	need_api();
	if (!has_overlay())
		SKIP("this kernel has no overlay");
	dump(&b, fn, flags);
	CHECK(sb_at(&b, "/m")->contents);
	good(&b, true, true);
	done(&b);
}

static void layers_of_two_filesystems(void)
{
	built(on_two, 0);
}

static int is_closed(void *unused)
{
	struct stat st, two;

	(void)unused;
	EXPECT(reads("/on-0", "full") && !stat("/on-0", &st) && !st.st_nlink);
	EXPECT(mknod("/full/x", S_IFREG | 0600, 0) && errno == ENOSPC);
	EXPECT(access("/m-full/d/f", F_OK) && errno == ENOENT);
	EXPECT(reads("/on-1", "flags") && !stat("/on-1", &st) && !st.st_nlink);
	EXPECT(flags_of("/flags/u/d", 0) == FS_IMMUTABLE_FL);
	EXPECT(flags_of("/flags/u", 0) == FS_APPEND_FL);
	EXPECT(!stat("/flags/u/d", &st) && st.st_mtim.tv_sec == 4000);
	EXPECT(access("/m-flags/d/f", F_OK) && errno == ENOENT);
	EXPECT(reads("/on-2", "ro") && !stat("/on-2", &st) && !stat("/m-ro/kept", &two));
	EXPECT(st.st_ino == two.st_ino && st.st_nlink == 1);
	EXPECT(mknod("/ro/x", S_IFREG | 0600, 0) && errno == EROFS);
	EXPECT(access("/m-ro/d/f", F_OK) && errno == ENOENT);
	return 0;
}

/* It gets like that when they are unlinked. */
static void layers_that_are_closed(void)
{
	struct back b;

	need_api();
	if (!has_overlay())
		SKIP("this kernel has no overlay");
	dump(&b, on_what_is_closed, 0);
	REQUIRE_DONE(mntcr_restore(b.t, &b.o, &b.r, &b.e), b.e);
	CHECK_EQ(world_in(mntcr_restored_ns_fd(b.r, 0), is_closed, NULL), 0);
	same_dump(b.t, b.c, b.r);
	done(&b);
}

static void layers_of_one(void)
{
	built(on_one, 0);
}

/* Which idmap a mount has, only the kernel with the series says. */
static void an_idmapped_layer(void)
{
	need_api();
	users = idmap_userns("0 1000 1\n1000 0 1\n5 1005 5\n");
	REQUIRE(users >= 0);
	built(on_idmapped, 0);
	close(users);
}

/* Whose an overlay is, only the kernel with the series says. */
static void owned_by_another(void)
{
	built(of_a_user, CLONE_NEWUSER);
}

static void layers_of_the_host(void)
{
	struct back b;

	need_api();
	if (!has_overlay())
		SKIP("this kernel has no overlay");
	dump_on_the_host(&b, many_on_the_host);
	good(&b, true, true);
	CHECK_EQ(left_in("/tmp/host/u"), 0);
	done(&b);
}

static void relative_layers(void)
{
	struct mntcr_external from;
	struct back b;
	char key[32];

	need_api();
	if (!has_overlay())
		SKIP("this kernel has no overlay");
	dump_on_the_host(&b, relative_on_the_host);
	snprintf(key, sizeof(key), "%u:%u", sb_at(&b, "/m")->major, sb_at(&b, "/m")->minor);
	from = (struct mntcr_external){ .key = key, .path = "/tmp/host" };
	b.o.layers = &from;
	b.o.nr_layers = 1;
	/* which are no layers to the image: that their whiteouts are others is told */
	good(&b, true, false);
	CHECK(getxattr("/tmp/host/u/again", "trusted.overlay.opaque", NULL, 0) < 0);
	CHECK_EQ(left_in("/tmp/host/u"), 0);
	done(&b);
}

static int both_layers(void *unused)
{
	struct stat st, two;

	(void)unused;
	EXPECT(reads("/m/redirected/f", "of a directory of both"));
	EXPECT(!stat("/onredirected", &st) && !stat("/m/redirected", &two));
	EXPECT(access("/onredirected/f", F_OK) && st.st_ino != two.st_ino);
	EXPECT(access("/m/merged", F_OK));
	return 0;
}

/*
 * The kernel says of it where it is in the lower layer, from the root of that as soon as it
 * has been in another directory; that is not changed behind its back.
 */
static void redirected(void)
{
	char is[32] = "";
	struct back b;

	need_api();
	if (!has_overlay())
		SKIP("this kernel has no overlay");
	dump_on_the_host(&b, redirected_on_the_host);
	REQUIRE_DONE(mntcr_restore(b.t, &b.o, &b.r, &b.e), b.e);
	CHECK_EQ(world_in(mntcr_restored_ns_fd(b.r, 0), both_layers, NULL), 0);
	CHECK_EQ(world_in(mntcr_restored_ns_fd(b.r, 0), all_is_there, &b), 0);
	TRY(getxattr("/tmp/host/u/redirected", "trusted.overlay.redirect", is, sizeof(is) - 1));
	CHECK_STR(is, "/merged");
	CHECK(getxattr("/tmp/host/u/redirected", "trusted.overlay.opaque", NULL, 0) < 0);
	mntcr_restored_free(b.r);
	b.r = NULL;
	done(&b);
}

static int rename_it(void *unused)
{
	(void)unused;
	EXPECT(!rename("/m/again", "/m/ld"));
	return 0;
}

/*
 * The kernel knows of what had an unlinked one's name what is true of it in the upper
 * directory: so it becomes opaque where a directory of the lower layer is.
 */
static void renamed_afterwards(void)
{
	struct stat st;
	struct back b;

	need_api();
	if (!has_overlay())
		SKIP("this kernel has no overlay");
	dump_on_the_host(&b, many_on_the_host);
	REQUIRE_DONE(mntcr_restore(b.t, &b.o, &b.r, &b.e), b.e);
	CHECK_EQ(world_in(mntcr_restored_ns_fd(b.r, 0), rename_it, NULL), 0);
	mntcr_restored_free(b.r);
	b.r = NULL;
	w_mkdir("/tmp/m");
	TRY(mount("ov", "/tmp/m", "overlay", 0,
		  "lowerdir=/tmp/host/l,upperdir=/tmp/host/u,workdir=/tmp/host/w"));
	CHECK(getxattr("/tmp/host/u/ld", "trusted.overlay.opaque", NULL, 0) == 1);
	CHECK(!stat("/tmp/m/ld", &st) && st.st_mode == (S_IFDIR | 0750));
	CHECK(access("/tmp/m/ld/f", F_OK) && errno == ENOENT);
	CHECK(access("/tmp/m/again", F_OK) && errno == ENOENT);
	TRY(umount("/tmp/m"));
	done(&b);
}

static bool cancelled(void *data)
{
	struct back *b = data;

	return --b->turns < 0;
}

/* Whenever that is asked, nothing is left in the upper directory. */
static void given_up_half_way(void)
{
	int turns, ret = -1;
	struct back b;

	need_api();
	if (!has_overlay())
		SKIP("this kernel has no overlay");
	dump_on_the_host(&b, many_on_the_host);
	b.o.cancelled = cancelled;
	b.o.data = &b;
	for (turns = 0; turns < 100; turns++) {
		b.turns = turns;
		ret = mntcr_restore(b.t, &b.o, &b.r, &b.e);
		if (!ret)
			break;
		CHECK_EQ(b.e.err, EINTR);
		REQUIRE(!left_in("/tmp/host/u"));
	}
	REQUIRE(!ret);
	CHECK(turns > 1);
	same_dump(b.t, b.c, b.r);
	done(&b);
}

static void what_cannot_be_made(void)
{
	struct back b;

	need_api();
	if (!has_overlay())
		SKIP("this kernel has no overlay");
	dump_on_the_host(&b, many_on_the_host);
	/* the image has it read-only: nobody writes there */
	sb_at(&b, "/m")->flags |= MS_RDONLY;
	bad(&b, true, "the root of this mount has been unlinked");
	sb_at(&b, "/m")->flags &= ~(uint32_t)MS_RDONLY;
	/* not in the archive */
	sb_at(&b, "/m")->contents = false;
	bad(&b, true, "the root of this mount has been unlinked");
	sb_at(&b, "/m")->contents = true;
	/* gone meanwhile */
	TRY(rename("/tmp/host/u/kept", "/tmp/host/moved"));
	bad(&b, false, "it had another name, and is not there any more");
	TRY(mkdir("/tmp/host/u/kept", 0755));
	bad(&b, false, "it had another name, and a directory is there by now");
	CHECK_EQ(left_in("/tmp/host/u"), 0);
	TRY(rmdir("/tmp/host/u/kept"));
	TRY(mkfifo("/tmp/host/u/kept", 0600));
	bad(&b, false, "it had another name, and another file is there by now");
	TRY(unlink("/tmp/host/u/kept"));
	TRY(symlink("taken", "/tmp/host/u/kept"));
	bad(&b, false, "it had another name, and another file is there by now");
	CHECK_EQ(left_in("/tmp/host/u"), 0);
	TRY(unlink("/tmp/host/u/kept"));
	/* of a lower layer: it is not even copied up */
	TRY(mkfifo("/tmp/host/l/kept", 0600));
	bad(&b, false, "it had another name, and another file is there by now");
	CHECK(access("/tmp/host/u/kept", F_OK) && errno == ENOENT);
	TRY(unlink("/tmp/host/l/kept"));
	TRY(rename("/tmp/host/moved", "/tmp/host/u/kept"));
	CHECK_EQ(left_in("/tmp/host/u"), 0);
	done(&b);
}

/* What is renamed to this name where nothing has it is not. */
static const char *never;
/* What got this name by changing places is not removed, and changes no places again. */
static const char *stuck;
/* Somebody else gets that name when it has been given, or when it is to be removed. */
static const char *given, *removed;

static bool is_name(const char *name, const char *which)
{
	return which && !strcmp(name, which);
}

static void take_away(const char *name)
{
	char path[32];

	snprintf(path, sizeof(path), "/tmp/m/%s", name);
	TRY(rename(path, "/tmp/m/moved"));
	TRY(mkdir(path, 0755));
}

int __real_renameat2(int from, const char *what, int to, const char *as, unsigned int flags);
int __wrap_renameat2(int from, const char *what, int to, const char *as, unsigned int flags);

int __wrap_renameat2(int from, const char *what, int to, const char *as, unsigned int flags)
{
	int ret;

	if ((flags == RENAME_NOREPLACE && is_name(as, never)) ||
	    (flags == RENAME_EXCHANGE && is_name(what, stuck))) {
		errno = EIO;
		return -1;
	}
	ret = __real_renameat2(from, what, to, as, flags);
	if (!ret && flags == RENAME_EXCHANGE && is_name(as, given)) {
		given = NULL;
		take_away(as);
	}
	return ret;
}

int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags);

int __wrap_unlinkat(int dir, const char *name, int flags)
{
	if (is_name(name, stuck)) {
		errno = EIO;
		return -1;
	}
	if (is_name(name, removed)) {
		removed = NULL;
		take_away(name);
	}
	return __real_unlinkat(dir, name, flags);
}

/* What was not put back is kept where it is, though it has the name that the other had. */
static void not_put_back(void)
{
	struct stat st;
	struct back b;
	glob_t g;

	need_api();
	if (!has_overlay())
		SKIP("this kernel has no overlay");
	dump_on_the_host(&b, many_on_the_host);
	never = "again";
	CHECK_EQ(mntcr_restore(b.t, &b.o, &b.r, &b.e), -1);
	never = NULL;
	CHECK_EQ(b.e.err, EIO);
	CHECK(strstr(b.e.text,
		     "unlinking /again again: renaming what has its name by now back"));
	REQUIRE(!glob("/tmp/host/u/.mntcr-unlinked-*/*", 0, NULL, &g));
	CHECK_EQ(g.gl_pathc, 1);
	CHECK(!stat(g.gl_pathv[0], &st) && st.st_mode == (S_IFDIR | 0750));
	globfree(&g);
	done(&b);
}

/* The same of a file, which no directory is taken for. */
static void a_file_that_is_not_put_back(void)
{
	struct back b;
	glob_t g;

	need_api();
	if (!has_overlay())
		SKIP("this kernel has no overlay");
	dump_on_the_host(&b, few_on_the_host);
	TRY(rmdir("/tmp/host/u/again"));
	put("/tmp/host/u/again", "of somebody else");
	stuck = "again";
	CHECK_EQ(mntcr_restore(b.t, &b.o, &b.r, &b.e), -1);
	stuck = NULL;
	CHECK_EQ(b.e.err, EIO);
	CHECK(strstr(b.e.text, "unlinking /again again: unlinking it again"));
	REQUIRE(!glob("/tmp/host/u/.mntcr-unlinked-*/*", 0, NULL, &g));
	CHECK_EQ(g.gl_pathc, 1);
	CHECK(reads(g.gl_pathv[0], "of somebody else"));
	globfree(&g);
	done(&b);
}

/* Mounted by somebody else, too: a path stands for it. */
static void dump_mounted(struct back *b, struct mntcr_external both[2], char key[32],
			 void (*fn)(void))
{
	dump_on_the_host(b, fn);
	w_mkdir("/tmp/m");
	TRY(mount("ov", "/tmp/m", "overlay", 0,
		  "lowerdir=/tmp/host/l,upperdir=/tmp/host/u,workdir=/tmp/host/w"));
	snprintf(key, 32, "%u:%u", sb_at(b, "/m")->major, sb_at(b, "/m")->minor);
	both[0] = b->host;
	both[1] = (struct mntcr_external){ .key = key, .path = "/tmp/m" };
	b->o.externals = both;
	b->o.nr_externals = 2;
}

/* Its other name becomes another file's after that has been looked at. */
static const char *other;

int __real_linkat(int from, const char *what, int to, const char *as, int flags);
int __wrap_linkat(int from, const char *what, int to, const char *as, int flags);

int __wrap_linkat(int from, const char *what, int to, const char *as, int flags)
{
	if (is_name(what, other)) {
		other = NULL;
		TRY(renameat(from, what, from, "moved"));
		TRY(mknodat(from, what, S_IFIFO | 0600, 0));
	}
	return __real_linkat(from, what, to, as, flags);
}

static void another_file_meanwhile(void)
{
	struct back b;

	need_api();
	if (!has_overlay())
		SKIP("this kernel has no overlay");
	dump_on_the_host(&b, many_on_the_host);
	other = "kept";
	bad(&b, false, "it had another name, and another file is there by now");
	CHECK(!other);
	CHECK_EQ(left_in("/tmp/host/u"), 0);
	done(&b);
}

/* Who has it mounted takes the name of an unlinked one for a directory of their own. */
static void a_name_taken_meanwhile(void)
{
	struct mntcr_external both[2];
	struct stat st;
	struct back b;
	char key[32];
	glob_t g;

	need_api();
	if (!has_overlay())
		SKIP("this kernel has no overlay");
	dump_mounted(&b, both, key, few_on_the_host);
	given = "again";
	CHECK_EQ(mntcr_restore(b.t, &b.o, &b.r, &b.e), -1);
	CHECK(!given);
	CHECK_EQ(b.e.err, ESTALE);
	CHECK(strstr(b.e.text, "unlinking /again again: unlinking it again"));
	CHECK(!stat("/tmp/m/again", &st) && st.st_mode == (S_IFDIR | 0755));
	CHECK(!stat("/tmp/m/moved", &st) && st.st_mode == (S_IFDIR | 0711));
	REQUIRE(!glob("/tmp/m/.mntcr-unlinked-*/*", 0, NULL, &g));
	CHECK_EQ(g.gl_pathc, 1);
	CHECK(!stat(g.gl_pathv[0], &st) && st.st_mode == (S_IFDIR | 0750));
	globfree(&g);
	TRY(umount("/tmp/m"));
	done(&b);
}

/* Too late to see that before: then the one that was made, and has a name, is left alone. */
static void a_name_taken_at_last(void)
{
	struct mntcr_external both[2];
	struct stat st;
	struct back b;
	char key[32];

	need_api();
	if (!has_overlay())
		SKIP("this kernel has no overlay");
	dump_mounted(&b, both, key, few_on_the_host);
	removed = "again";
	CHECK_EQ(mntcr_restore(b.t, &b.o, &b.r, &b.e), -1);
	CHECK(!removed);
	CHECK_EQ(b.e.err, EMLINK);
	CHECK(strstr(b.e.text, "unlinking /again again: its permissions"));
	CHECK(!stat("/tmp/m/again", &st) && st.st_mode == (S_IFDIR | 0750));
	CHECK(!stat("/tmp/m/moved", &st) && st.st_mode == S_IFDIR);
	CHECK_EQ(left_in("/tmp/m"), 0);
	TRY(umount("/tmp/m"));
	done(&b);
}

static void where_it_is_mounted(void)
{
	struct mntcr_external both[2];
	struct back b;
	char key[32];
	int with;

	need_api();
	if (!has_overlay())
		SKIP("this kernel has no overlay");
	for (with = 0; with < 2; with++) {
		dump_mounted(&b, both, key, with ? many_on_the_host : few_on_the_host);
		if (with)
			bad(&b, true, "it had another name, and is found only where it is made anew of its layers");
		else
			good(&b, false, false);
		CHECK_EQ(left_in("/tmp/m"), 0);
		TRY(umount("/tmp/m"));
		done(&b);
	}
}

static const struct shot_test tests[] = {
	{ "layers-of-two-filesystems", layers_of_two_filesystems },
	{ "layers-of-one", layers_of_one },
	{ "layers-that-are-closed", layers_that_are_closed },
	{ "layers-of-the-host", layers_of_the_host },
	{ "relative-layers", relative_layers },
	{ "redirected", redirected },
	{ "renamed-afterwards", renamed_afterwards },
	{ "given-up-half-way", given_up_half_way },
	{ "not-put-back", not_put_back },
	{ "a-file-that-is-not-put-back", a_file_that_is_not_put_back },
	{ "a-name-taken-meanwhile", a_name_taken_meanwhile },
	{ "a-name-taken-at-last", a_name_taken_at_last },
	{ "what-cannot-be-made", what_cannot_be_made },
	{ "another-file-meanwhile", another_file_meanwhile },
	{ "where-it-is-mounted", where_it_is_mounted },
};

static const struct shot_test extended[] = {
	{ "owned-by-another", owned_by_another },
	{ "an-idmapped-layer", an_idmapped_layer },
};

int main(int argc, char **argv)
{
	return shot_run_with(tests, sizeof(tests) / sizeof(tests[0]),
			     extended, sizeof(extended) / sizeof(extended[0]), argv);
}
