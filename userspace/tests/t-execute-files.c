// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What mounts are on, in fresh filesystems: of the type, mode, owner and device
 * that it was, and where it is not, verify says so.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sys/sysmacros.h>

#include "shot.h"

static void node(const char *path, mode_t mode, dev_t dev, uid_t uid, gid_t gid)
{
	if (S_ISDIR(mode) ? mkdir(path, 0700) : mknod(path, mode & S_IFMT, dev))
		err(1, "%s", path);
	if (chown(path, uid, gid) || chmod(path, mode & 07777))
		err(1, "%s", path);
}

static void bind_itself(const char *from, const char *to)
{
	int fd = mc_open_tree(AT_FDCWD, from, OPEN_TREE_CLONE |
			      OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);

	if (fd < 0 || mc_move_mount(fd, "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH))
		err(1, "%s on %s", from, to);
	close(fd);
}

/* What systemd makes to hide things, and what containers have in /dev. */
static void inaccessible(void)
{
	world_new_root();
	w_tmpfs("run", "/run");
	w_tmpfs("dev", "/dev");
	if (chmod("/run", 01770) || chown("/run", 11, 12))
		err(1, "/run");
	node("/run/reg", S_IFREG | 0, 0, 0, 0);
	node("/run/dir", S_IFDIR | 0, 0, 0, 0);
	node("/run/chr", S_IFCHR | 0, makedev(0, 0), 0, 0);
	node("/run/blk", S_IFBLK | 0, makedev(0, 0), 0, 0);
	node("/run/fifo", S_IFIFO | 0, 0, 0, 0);
	node("/run/sock", S_IFSOCK | 0, 0, 0, 0);
	node("/run/user", S_IFDIR | 02751, 0, 1000, 1001);
	node("/run/suid", S_IFREG | 06755, 0, 1002, 1003);
	node("/dev/null", S_IFCHR | 0666, makedev(1, 3), 0, 0);
	w_touch("/file");
	w_touch("/file2");
	w_touch("/file3");
	w_mkdir("/dir");
	w_bind("/dev/null", "/file");
	w_bind("/run/reg", "/file2");
	w_bind("/run/dir", "/dir");
	w_bind("/run/chr", "/file3");
	w_bind("/run/blk", "/run/fifo");
	w_bind("/run/fifo", "/run/sock");
	w_bind("/run/suid", "/run/blk");
	w_tmpfs("user", "/run/user");
}

struct want {
	const char *path;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	dev_t dev;
};

/* Without what lies over them. */
static int do_look(void *arg)
{
	const struct want *w = arg;
	struct stat st;
	int i;

	for (i = 0; w[i].path; i++)
		if (lstat(w[i].path, &st) || st.st_mode != w[i].mode ||
		    st.st_uid != w[i].uid || st.st_gid != w[i].gid ||
		    st.st_rdev != w[i].dev)
			return 1 + i;
	return 0;
}

static int do_look_below(void *arg)
{
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    umount2("/run/user", MNT_DETACH) || umount2("/run/fifo", MNT_DETACH) ||
	    umount2("/run/sock", MNT_DETACH) || umount2("/run/blk", MNT_DETACH))
		return 100;
	return do_look(arg);
}

static void types_modes_and_owners(void)
{
	static struct want seen[] = {
		{ "/file", S_IFCHR | 0666, 0, 0, 0x103 },
		{ "/dev/null", S_IFCHR | 0666, 0, 0, 0x103 },
		{ "/file2", S_IFREG, 0, 0, 0 },
		{ "/dir", S_IFDIR, 0, 0, 0 },
		{ "/file3", S_IFCHR, 0, 0, 0 },
		{ "/run", S_IFDIR | 01770, 11, 12, 0 },
		{ NULL, 0, 0, 0, 0 },
	}, below[] = {
		{ "/run/user", S_IFDIR | 02751, 1000, 1001, 0 },
		{ "/run/fifo", S_IFIFO, 0, 0, 0 },
		{ "/run/sock", S_IFSOCK, 0, 0, 0 },
		{ "/run/blk", S_IFBLK, 0, 0, 0 },
		{ "/run/suid", S_IFREG | 06755, 1002, 1003, 0 },
		{ NULL, 0, 0, 0, 0 },
	};
	struct shot s = shoot(inaccessible);
	struct mntcr_restored *r;
	int ns;

	s.o.prefer_fresh = true;
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_ORDER);
	ns = mntcr_restored_ns_fd(r, 0);
	CHECK_EQ(world_in(ns, do_look, seen), 0);
	CHECK_EQ(world_in(ns, do_look_below, below), 0);
	end(&s, r);
}

/* Nobody knows: as it was before anybody asked. */
static void without_knowing(void)
{
	static struct want seen[] = {
		{ "/file", S_IFREG | 0644, 0, 0, 0 },
		{ "/file2", S_IFREG | 0644, 0, 0, 0 },
		{ "/dir", S_IFDIR | 0755, 0, 0, 0 },
		{ NULL, 0, 0, 0, 0 },
	};
	struct shot s = shoot(inaccessible);
	struct mntcr_restored *r;
	uint32_t i;

	for (i = 0; i < s.t->nr_mounts; i++)
		s.t->mounts[i].root_file.mode = s.t->mounts[i].mp_file.mode = 0;
	s.o.prefer_fresh = true;
	r = restored(&s);
	/* and what is not known is not compared */
	same(&s, r, MNTCR_VERIFY_ORDER);
	CHECK_EQ(world_in(mntcr_restored_ns_fd(r, 0), do_look, seen), 0);
	end(&s, r);
}

static char lines[4096];

static void collect(void *data, const char *line)
{
	size_t n = strlen(lines);

	snprintf(lines + n, sizeof(lines) - n, "%s\n", line);
}

static int do_change(void *arg)
{
	return chmod("/file", 0600) || chmod("/dir", 0755) ||
	       lchown("/file2", 7, 8);
}

static void a_difference_is_reported(void)
{
	struct mntcr_verify_options vo = {
		.size = sizeof(vo), .report = collect,
	};
	struct shot s = shoot(inaccessible);
	struct world made = { .nr = 1 };
	struct mntcr_source src[1] = { 0 };
	struct mntcr_topology *got;
	struct mntcr_restored *r;
	size_t nr = 0;

	s.o.prefer_fresh = true;
	r = restored(&s);
	made.ns[0] = mntcr_restored_ns_fd(r, 0);
	REQUIRE(!world_in(made.ns[0], do_change, NULL));
	capture_fds(&made, src, &got);
	lines[0] = '\0';
	REQUIRE(!mntcr_verify(s.t, got, &vo, &nr, &s.e));
	CHECK_EQ(nr, 3);
	CHECK(strstr(lines, " /file: file of its root: 'char-device 0666 0:0 1:3' against 'char-device 0600 0:0 1:3'\n"));
	CHECK(strstr(lines, " /dir: file of its root: 'directory 0000 0:0' against 'directory 0755 0:0'\n"));
	CHECK(strstr(lines, " /file2: file of its root: 'file 0000 0:0' against 'file 0000 7:8'\n"));
	if (tap.bad)
		TAP_SAY("%s", lines);
	vo.flags = MNTCR_VERIFY_IGNORE_FILES;
	REQUIRE(!mntcr_verify(s.t, got, &vo, &nr, &s.e));
	CHECK_EQ(nr, 0);
	mntcr_topology_free(got);
	end(&s, r);
}

static void links(void)
{
	world_new_root();
	w_tmpfs("t", "/t");
	w_touch("/file");
	w_touch("/t/file");
	if (symlink("../not/there", "/t/root") || symlink("file", "/t/on") ||
	    lchown("/t/on", 3, 4))
		err(1, "symlink");
	bind_itself("/t/root", "/file");
	bind_itself("/t/file", "/t/on");
}

static int do_links(void *arg)
{
	char to[64] = "";
	struct stat st;

	if (readlink("/file", to, sizeof(to) - 1) < 0 ||
	    strcmp(to, "../not/there"))
		return 1;
	memset(to, 0, sizeof(to));
	if (readlink("/t/root", to, sizeof(to) - 1) < 0 ||
	    strcmp(to, "../not/there"))
		return 2;
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    umount2("/t/on", MNT_DETACH | UMOUNT_NOFOLLOW))
		return 3;
	memset(to, 0, sizeof(to));
	if (readlink("/t/on", to, sizeof(to) - 1) < 0 || strcmp(to, "file") ||
	    lstat("/t/on", &st) || st.st_uid != 3 || st.st_gid != 4)
		return 4;
	return 0;
}

static void symlinks(void)
{
	struct shot s = shoot(links);
	struct mntcr_restored *r;

	s.o.prefer_fresh = true;
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_ORDER);
	CHECK_EQ(world_in(mntcr_restored_ns_fd(r, 0), do_links, NULL), 0);
	end(&s, r);
}

static const struct shot_test tests[] = {
	{ "types-modes-and-owners", types_modes_and_owners },
	{ "without-knowing", without_knowing },
	{ "a-difference-is-reported", a_difference_is_reported },
	{ "symlinks", symlinks },
};

int main(int argc, char **argv)
{
	return shot_run(tests, sizeof(tests) / sizeof(tests[0]), argv);
}
