// SPDX-License-Identifier: GPL-2.0
/*
 * A mount whose root has been unlinked can be attached, by mount(2) as well as by
 * move_mount(). Only where something would have to be mounted on that root it
 * can't: what the tree, or a copy of it, goes below.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "unlinked.h"
#include "../../kselftest_harness.h"

FIXTURE(unlinked_root) {
	char base[64];
	int dir, file;		/* detached, with an unlinked root */
};

/*
 * "src" has had the directory and the file. "a" is a directory, "f" a file. "s1"
 * and "s2" are peers, with a directory "d" and a file "f"; "s3" is their slave.
 */
FIXTURE_SETUP(unlinked_root)
{
	static const char * const dirs[] = { "src", "src/dir", "a", "s1", "s2", "s3" };
	int ret;

	if (geteuid())
		SKIP(return, "test requires root");
	ASSERT_EQ(0, scratch_setup(self->base, sizeof(self->base)));
	ASSERT_EQ(0, chdir(self->base));
	ret = probe_unlinked_root();
	if (ret == -ENOENT) {
		ASSERT_EQ(0, chdir("/"));
		scratch_teardown(self->base);
		SKIP(return, "mounts of unlinked roots can't be attached");
	}
	ASSERT_EQ(0, ret);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		ASSERT_EQ(0, mkdir(dirs[i], 0755));
	ASSERT_EQ(0, mknod("src/file", S_IFREG | 0600, 0));
	ASSERT_EQ(0, mknod("f", S_IFREG | 0600, 0));
	self->dir = clone_and_unlink(AT_FDCWD, "src/dir", AT_REMOVEDIR);
	self->file = clone_and_unlink(AT_FDCWD, "src/file", 0);
	ASSERT_TRUE(self->dir >= 0 && self->file >= 0);
	ASSERT_EQ(0, k_mount("tmpfs", "s1", "tmpfs", 0));
	ASSERT_EQ(0, mkdir("s1/d", 0755));
	ASSERT_EQ(0, mkdir("s1/d/e", 0755));
	ASSERT_EQ(0, mknod("s1/f", S_IFREG | 0600, 0));
	ASSERT_EQ(0, k_mount(NULL, "s1", NULL, MS_SHARED));
	ASSERT_EQ(0, k_mount("s1", "s2", NULL, MS_BIND));
	ASSERT_EQ(0, k_mount("s1", "s3", NULL, MS_BIND));
	ASSERT_EQ(0, k_mount(NULL, "s3", NULL, MS_SLAVE));
}

FIXTURE_TEARDOWN(unlinked_root)
{
	ASSERT_EQ(0, chdir("/"));
	scratch_teardown(self->base);
}

/* The root of what is mounted at @path: gone from its directory, if it is ours. */
static nlink_t nlink_at(const char *path)
{
	struct stat st;

	return stat(path, &st) ? ~0UL : st.st_nlink;
}

static bool same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	return !stat(a, &sa) && !stat(b, &sb) && sa.st_dev == sb.st_dev &&
	       sa.st_ino == sb.st_ino;
}

TEST_F(unlinked_root, move_mount)
{
	ASSERT_EQ(0, k_move_mount(self->file, "", AT_FDCWD, "f", 0));
	EXPECT_EQ(1, is_mounted_at(&this_test, "f"));
	EXPECT_EQ(0, nlink_at("f"));
	ASSERT_EQ(0, k_move_mount(self->dir, "", AT_FDCWD, "a", 0));
	EXPECT_EQ(1, is_mounted_at(&this_test, "a"));
	EXPECT_EQ(0, nlink_at("a"));
	/* nothing can be mounted on it as ever */
	EXPECT_EQ(-ENOENT, k_mount("tmpfs", "a", "tmpfs", 0));
	EXPECT_EQ(0, k_umount("a", MNT_DETACH));
	EXPECT_EQ(0, k_umount("f", MNT_DETACH));
}

TEST_F(unlinked_root, mount)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->file);
	ASSERT_EQ(0, k_mount(path, "f", NULL, MS_BIND));
	EXPECT_EQ(0, nlink_at("f"));
	/* and on, from where it is mounted now */
	ASSERT_EQ(0, mknod("g", S_IFREG | 0600, 0));
	ASSERT_EQ(0, k_mount("f", "g", NULL, MS_BIND));
	EXPECT_EQ(0, nlink_at("g"));
	ASSERT_EQ(0, k_umount("g", 0));
	ASSERT_EQ(0, k_mount("f", "g", NULL, MS_MOVE));
	EXPECT_EQ(1, nlink_at("f"));
	EXPECT_EQ(0, nlink_at("g"));
}

/* Unlinked after it has been mounted, in another tree. */
TEST_F(unlinked_root, replaced_while_mounted)
{
	struct actor peer;
	int tree;

	ASSERT_EQ(0, mknod("src/x", S_IFREG | 0600, 0));
	ASSERT_EQ(0, actor_new(&peer, &this_test, ACTOR_MNTNS));
	ASSERT_EQ(0, IN(&peer, k_mount("src/x", "f", NULL, MS_BIND)));
	ASSERT_EQ(0, unlink("src/x"));
	tree = IN(&peer, k_open_tree(AT_FDCWD, "f", OPEN_TREE_CLONE));
	ASSERT_GE(tree, 0);
	EXPECT_EQ(0, k_move_mount(tree, "", AT_FDCWD, "f", 0));
	EXPECT_EQ(0, nlink_at("f"));
}

TEST_F(unlinked_root, copies)
{
	static const char * const where[] = { "s1/f", "s2/f", "s3/f" };
	static const char * const dirs[] = { "s1/d", "s2/d", "s3/d" };

	ASSERT_EQ(0, k_move_mount(self->file, "", AT_FDCWD, "s1/f", 0));
	ASSERT_EQ(0, k_move_mount(self->dir, "", AT_FDCWD, "s2/d", 0));
	for (size_t i = 0; i < ARRAY_SIZE(where); i++) {
		EXPECT_EQ(1, is_mounted_at(&this_test, where[i]));
		EXPECT_EQ(0, nlink_at(where[i]));
		EXPECT_EQ(1, is_mounted_at(&this_test, dirs[i]));
		EXPECT_EQ(0, nlink_at(dirs[i]));
	}
	ASSERT_EQ(0, k_umount("s2/f", MNT_DETACH));
	EXPECT_EQ(0, is_mounted_at(&this_test, "s3/f"));
}

/* @expr is ENOENT, changes nothing, and the tree can go elsewhere afterwards. */
#define EXPECT_ENOENT(tree, expr) do {				\
	char *__before, *__after;				\
								\
	__before = ns_snapshot(&this_test);			\
	ASSERT_NE(NULL, __before);				\
	EXPECT_EQ(-ENOENT, expr);				\
	__after = ns_snapshot(&this_test);			\
	EXPECT_STREQ(__before, __after);			\
	EXPECT_EQ(0, group_of(tree));				\
	free(__before);						\
	free(__after);						\
} while (0)

/* A copy finds something mounted where it has to go: the root can't bear it. */
TEST_F(unlinked_root, enoent_copy_below_a_mount)
{
	/* on the slave alone, first; on all but the one it is attached to */
	ASSERT_EQ(0, k_mount("tmpfs", "s3/d", "tmpfs", 0));
	EXPECT_ENOENT(self->dir, k_move_mount(self->dir, "", AT_FDCWD, "s1/d", 0));
	ASSERT_EQ(0, k_umount("s3/d", 0));
	ASSERT_EQ(0, k_mount(NULL, "s2", NULL, MS_PRIVATE));
	ASSERT_EQ(0, k_mount("tmpfs", "s2/d", "tmpfs", 0));
	ASSERT_EQ(0, k_mount("tmpfs", "s3/d", "tmpfs", 0));
	ASSERT_EQ(0, k_move_mount(AT_FDCWD, "s1", AT_FDCWD, "s2",
				  MOVE_MOUNT_SET_GROUP));
	EXPECT_ENOENT(self->dir, k_move_mount(self->dir, "", AT_FDCWD, "s1/d", 0));
	/* what is not in the way does not matter */
	ASSERT_EQ(0, k_umount("s3/d", 0));
	ASSERT_EQ(0, k_umount("s2/d", 0));
	ASSERT_EQ(0, k_mount("tmpfs", "s3/d/e", "tmpfs", 0));
	EXPECT_EQ(0, k_move_mount(self->dir, "", AT_FDCWD, "s1/d", 0));
	EXPECT_EQ(1, is_mounted_at(&this_test, "s3/d"));
}

/* Nor can it be tucked below what the caller names itself. */
TEST_F(unlinked_root, enoent_beneath)
{
	ASSERT_EQ(0, k_mount("tmpfs", "a", "tmpfs", 0));
	EXPECT_ENOENT(self->dir, k_move_mount(self->dir, "", AT_FDCWD, "a",
					      MOVE_MOUNT_BENEATH));
	ASSERT_EQ(0, k_umount("a", 0));
	EXPECT_EQ(0, k_move_mount(self->dir, "", AT_FDCWD, "a", 0));
}

/* A mount that is attached already stays where it is. */
TEST_F(unlinked_root, enoent_moved)
{
	ASSERT_EQ(0, k_move_mount(self->dir, "", AT_FDCWD, "a", 0));
	ASSERT_EQ(0, k_mount("tmpfs", "s3/d", "tmpfs", 0));
	EXPECT_ENOENT(self->dir, k_mount("a", "s1/d", NULL, MS_MOVE));
	EXPECT_EQ(1, is_mounted_at(&this_test, "a"));
	EXPECT_ENOENT(self->dir, k_mount("a", "s1/d", NULL, MS_BIND));
}

/* What counts is the root that is on top: it has to bear what is in the way. */
TEST_F(unlinked_root, tree_with_a_root_on_top)
{
	int tree, top;

	ASSERT_EQ(0, k_mount("tmpfs", "s3/d", "tmpfs", 0));
	tree = detached_tmpfs(&this_test, 0);
	top = self->dir;
	ASSERT_GE(tree, 0);
	ASSERT_EQ(0, k_move_mount(top, "", tree, "", 0));
	EXPECT_ENOENT(tree, k_move_mount(tree, "", AT_FDCWD, "s1/d", 0));
	ASSERT_EQ(0, k_umount("s3/d", 0));
	EXPECT_EQ(0, k_move_mount(tree, "", AT_FDCWD, "s1/d", 0));
	EXPECT_EQ(0, nlink_at("s3/d"));
}

/*
 * A copy leaves out a mount namespace file, and so what is mounted on that. The root
 * that has to bear what is in the way of a copy is another one than that of the tree.
 */
TEST_F(unlinked_root, copies_without_a_namespace_file)
{
	int tree, file;
	struct actor younger;

	ASSERT_EQ(0, actor_new(&younger, &this_test, ACTOR_MNTNS));
	ASSERT_EQ(0, mknod("src/below", S_IFREG | 0600, 0));
	ASSERT_EQ(0, mknod("src/covers", S_IFREG | 0600, 0));
	tree = k_open_tree(AT_FDCWD, "src/below", OPEN_TREE_CLONE);
	file = k_open_tree(younger.mntns, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
	ASSERT_TRUE(tree >= 0 && file >= 0);
	ASSERT_EQ(0, k_move_mount(file, "", tree, "", 0));
	ASSERT_EQ(0, k_move_mount(self->file, "", tree, "", 0));
	ASSERT_EQ(0, k_mount("src/covers", "s3/f", NULL, MS_BIND));

	EXPECT_EQ(0, k_move_mount(tree, "", AT_FDCWD, "s1/f", 0));
	EXPECT_EQ(0, nlink_at("s1/f"));
	EXPECT_TRUE(same_file("src/below", "s2/f"));
	EXPECT_TRUE(same_file("src/covers", "s3/f"));
	ASSERT_EQ(0, k_umount("s3/f", 0));
	EXPECT_TRUE(same_file("src/below", "s3/f"));
}

TEST_HARNESS_MAIN
