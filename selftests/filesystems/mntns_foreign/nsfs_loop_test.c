// SPDX-License-Identifier: GPL-2.0
/*
 * Mount namespace files in what comes from another mount namespace: a file may be
 * only where all namespaces are older than the one it refers to, or two of them
 * could keep one another. A copy of a tree must not get around that, be it attached
 * or used as a layer of an overlay, which keeps a private clone of it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../mount_actors.h"
#include "../../kselftest_harness.h"

#define FOREIGN	(OPEN_TREE_CLONE | OPEN_TREE_FOREIGN)

/*
 * From the oldest to the youngest; the test's own is older than all. There "t" is a
 * tmpfs with another on t/sub, and on a file of that the namespace file of "file".
 */
FIXTURE(nsfs_loop) {
	char base[64];
	struct actor older;
	struct actor file;
	struct actor younger;
};

FIXTURE_SETUP(nsfs_loop)
{
	int fd;

	if (geteuid())
		SKIP(return, "test requires root");
	ASSERT_EQ(0, scratch_setup(self->base, sizeof(self->base)));
	ASSERT_EQ(0, chdir(self->base));
	fd = k_open_tree(AT_FDCWD, ".", FOREIGN);
	if (fd == -EINVAL) {
		ASSERT_EQ(0, chdir("/"));
		scratch_teardown(self->base);
		SKIP(return, "open_tree(OPEN_TREE_FOREIGN) not supported");
	}
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, close(fd));
	ASSERT_EQ(0, mkdir("dst", 0755));
	ASSERT_EQ(0, mkdir("t", 0755));
	ASSERT_EQ(0, k_mount("tmpfs", "t", "tmpfs", 0));
	ASSERT_EQ(0, mkdir("t/sub", 0755));
	ASSERT_EQ(0, k_mount("tmpfs", "t/sub", "tmpfs", 0));
	ASSERT_EQ(0, mknod("t/sub/file", S_IFREG | 0644, 0));
	ASSERT_EQ(0, actor_new(&self->older, &this_test, ACTOR_MNTNS));
	ASSERT_EQ(0, actor_new(&self->file, &this_test, ACTOR_MNTNS));
	ASSERT_EQ(0, actor_new(&self->younger, &this_test, ACTOR_MNTNS));
	fd = k_open_tree(self->file.mntns, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, k_move_mount(fd, "", AT_FDCWD, "t/sub/file", 0));
	ASSERT_EQ(0, close(fd));
}

FIXTURE_TEARDOWN(nsfs_loop)
{
	ASSERT_EQ(0, chdir("/"));
	scratch_teardown(self->base);
}

/* A clone of the test's "t", or of what of it is named. */
static int clone_as(struct _test_data_nsfs_loop *self, const struct actor *who,
		    const char *what, unsigned int flags)
{
	int fd = k_open(what, O_PATH), ret;

	if (fd < 0)
		return fd;
	ret = AS(who, k_open_tree(fd, "", FOREIGN | AT_EMPTY_PATH | flags));
	close(fd);
	return ret;
}

static int attach_as(struct _test_data_nsfs_loop *self, const struct actor *who,
		     int tree)
{
	return IN(who, k_move_mount(tree, "", AT_FDCWD, "dst", 0));
}

/*
 * All of the tree may be copied by anybody, as the copy is in no namespace. In the
 * namespace that the file refers to, and in a younger one, it can't be attached,
 * neither from within nor from outside.
 */
TEST_F(nsfs_loop, eloop_recursive_copy)
{
	struct actor *bad[] = { &self->file, &self->younger };
	int tree, dst;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		tree = clone_as(self, bad[i], "t", AT_RECURSIVE);
		ASSERT_GE(tree, 0);
		EXPECT_EQ(-ELOOP, attach_as(self, bad[i], tree));
		ASSERT_EQ(0, close(tree));

		tree = clone_as(self, &this_test, "t", AT_RECURSIVE);
		dst = OPEN_IN(bad[i], "dst");
		ASSERT_TRUE(tree >= 0 && dst >= 0);
		EXPECT_EQ(-ELOOP, k_move_mount(tree, "", dst, "", MOVE_MOUNT_T_FOREIGN));
		EXPECT_EQ(0, MOUNTED_IN(bad[i], "dst"));
		/* the tree has not suffered */
		EXPECT_EQ(0, k_move_mount(tree, "", AT_FDCWD, "dst", 0));
		EXPECT_EQ(1, is_mounted_at(&this_test, "dst/sub/file"));
		ASSERT_EQ(0, k_umount("dst", MNT_DETACH));
		ASSERT_EQ(0, close(tree));
		ASSERT_EQ(0, close(dst));

		/* without the mount that has the file it may */
		tree = clone_as(self, bad[i], "t", 0);
		ASSERT_GE(tree, 0);
		EXPECT_EQ(0, attach_as(self, bad[i], tree));
		ASSERT_EQ(0, close(tree));
	}

	tree = clone_as(self, &self->older, "t", AT_RECURSIVE);
	ASSERT_GE(tree, 0);
	EXPECT_EQ(0, attach_as(self, &self->older, tree));
	EXPECT_EQ(1, MOUNTED_IN(&self->older, "dst/sub/file"));
}

/* Nor by mount(2), which copies a tree that is detached, or the file itself. */
TEST_F(nsfs_loop, einval_bind)
{
	struct actor *bad[] = { &self->file, &self->younger };
	char tree_path[32], file_path[32];
	int tree;

	snprintf(file_path, sizeof(file_path), "/proc/self/fd/%d", self->file.mntns);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, IN(bad[i], k_mount(file_path, "t/sub/file", NULL,
						      MS_BIND)));
		tree = clone_as(self, bad[i], "t", AT_RECURSIVE);
		ASSERT_GE(tree, 0);
		snprintf(tree_path, sizeof(tree_path), "/proc/self/fd/%d", tree);
		EXPECT_EQ(-EINVAL, IN(bad[i], k_mount(tree_path, "dst", NULL,
						      MS_BIND | MS_REC)));
		EXPECT_EQ(0, MOUNTED_IN(bad[i], "dst"));
		EXPECT_EQ(0, IN(bad[i], k_mount(tree_path, "dst", NULL, MS_BIND)));
		ASSERT_EQ(0, close(tree));
	}
	EXPECT_EQ(0, IN(&self->older, k_mount(file_path, "t/sub/file", NULL, MS_BIND)));
	tree = clone_as(self, &self->older, "t", AT_RECURSIVE);
	ASSERT_GE(tree, 0);
	snprintf(tree_path, sizeof(tree_path), "/proc/self/fd/%d", tree);
	EXPECT_EQ(0, IN(&self->older, k_mount(tree_path, "dst", NULL, MS_BIND | MS_REC)));
	EXPECT_EQ(1, MOUNTED_IN(&self->older, "dst/sub/file"));
}

/* Nor by way of another detached tree, in which the copy comes to lie. */
TEST_F(nsfs_loop, eloop_copy_in_a_tree)
{
	struct actor *y = &self->younger;
	int outer, tree;

	outer = detached_tmpfs(y, 0);
	ASSERT_GE(outer, 0);
	ASSERT_EQ(0, mkdirat(outer, "d", 0755));
	tree = clone_as(self, y, "t", AT_RECURSIVE);
	ASSERT_GE(tree, 0);
	EXPECT_EQ(-ELOOP, AS(y, k_move_mount(tree, "", outer, "d", 0)));
	EXPECT_EQ(-ELOOP, AS(y, k_move_mount(tree, "", outer, "d",
					     MOVE_MOUNT_T_FOREIGN)));
	/* the older one may, which does not help the younger */
	ASSERT_EQ(0, AS(&self->older, k_move_mount(tree, "", outer, "d",
						   MOVE_MOUNT_T_FOREIGN)));
	EXPECT_EQ(-ELOOP, attach_as(self, y, outer));
	EXPECT_EQ(0, attach_as(self, &self->older, outer));
}

/* The file by itself, cloned where it is mounted. */
TEST_F(nsfs_loop, eloop_single_file)
{
	int dst = k_open_tree(AT_FDCWD, "t/sub", OPEN_TREE_CLONE);
	int tree, at;

	ASSERT_GE(dst, 0);
	ASSERT_EQ(0, mknodat(dst, "other", S_IFREG | 0644, 0));
	at = OPEN_IN(&self->younger, "t/sub/other");
	ASSERT_GE(at, 0);
	tree = clone_as(self, &self->younger, "t/sub/file", 0);
	ASSERT_GE(tree, 0);
	EXPECT_EQ(-ELOOP, AS(&self->younger, k_move_mount(tree, "", at, "", 0)));
	EXPECT_EQ(-ELOOP, k_move_mount(tree, "", at, "", MOVE_MOUNT_T_FOREIGN));
	ASSERT_EQ(0, close(at));
	at = OPEN_IN(&self->older, "t/sub/other");
	ASSERT_GE(at, 0);
	EXPECT_EQ(0, k_move_mount(tree, "", at, "", MOVE_MOUNT_T_FOREIGN));
}

static int overlay_on(int layer)
{
	int fs, empty, ret = 0, fd = -1;

	fs = sys_fsopen("overlay", FSOPEN_CLOEXEC);
	if (fs < 0)
		return -errno;
	empty = detached_tmpfs(&this_test, 0);
	if (empty < 0)
		return empty;
	if (sys_fsconfig(fs, FSCONFIG_SET_FD, "lowerdir+", NULL, layer) ||
	    sys_fsconfig(fs, FSCONFIG_SET_FD, "lowerdir+", NULL, empty))
		ret = -ECANCELED;
	else if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		ret = -errno;
	else
		fd = sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (!ret && fd < 0)
		ret = -errno;
	close(empty);
	close(fs);
	return ret ?: fd;
}

/*
 * A layer is a private clone of a mount, and nothing is below that; but the clone
 * keeps what its superblock keeps, so a detached tree is looked through as if it
 * were attached.
 */
TEST_F(nsfs_loop, einval_overlay)
{
	struct actor *bad[] = { &self->file, &self->younger };
	int tree, fd;

	fd = AS(&this_test, overlay_on(detached_tmpfs(&this_test, 0)));
	if (fd == -ENODEV || fd == -ECANCELED)
		SKIP(return, "no overlayfs with layers by descriptor");
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, close(fd));

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		tree = clone_as(self, bad[i], "t", AT_RECURSIVE);
		ASSERT_GE(tree, 0);
		EXPECT_EQ(-EINVAL, AS(bad[i], overlay_on(tree)));
		/* for who is older there is nothing wrong with the same tree */
		fd = AS(&self->older, overlay_on(tree));
		EXPECT_GE(fd, 0);
		close(fd);
		ASSERT_EQ(0, close(tree));
	}
}

TEST_HARNESS_MAIN
