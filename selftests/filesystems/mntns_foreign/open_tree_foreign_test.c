// SPDX-License-Identifier: GPL-2.0
/*
 * open_tree(OPEN_TREE_CLONE | OPEN_TREE_FOREIGN): clone what is mounted in a
 * mount namespace other than the caller's.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../mount_cast.h"
#include "../utils.h"
#include "../../kselftest_harness.h"

#define FOREIGN		(OPEN_TREE_CLONE | OPEN_TREE_FOREIGN)

FIXTURE(open_tree_foreign) {
	char base[64];
	struct actor cast[NR_ROLES];
};

/*
 * "src" is a tmpfs in every namespace: one superblock. "lock" carries a mount
 * that is locked wherever the owner is another one.
 */
FIXTURE_SETUP(open_tree_foreign)
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
	ASSERT_EQ(0, mkdir("src", 0755));
	ASSERT_EQ(0, mkdir("dst", 0755));
	ASSERT_EQ(0, mkdir("lock", 0755));
	ASSERT_EQ(0, k_mount("tmpfs", "src", "tmpfs", 0));
	ASSERT_EQ(0, mkdir("src/a", 0755));
	ASSERT_EQ(0, mkdir("src/a/b", 0755));
	ASSERT_EQ(0, k_mount("tmpfs", "lock", "tmpfs", MS_NODEV));
	ASSERT_EQ(0, mkdir("lock/a", 0755));
	ASSERT_EQ(0, k_mount("tmpfs", "lock/a", "tmpfs", 0));
	ASSERT_EQ(0, cast_setup(self->cast));
}

FIXTURE_TEARDOWN(open_tree_foreign)
{
	ASSERT_EQ(0, chdir("/"));
	scratch_teardown(self->base);
}

TEST_F(open_tree_foreign, clones_from_another_namespace)
{
	struct actor *peer = &self->cast[PEER_NS];
	struct mnt src, clone;
	int fd, tree;

	/* only PEER_NS has this one */
	ASSERT_EQ(0, AS(peer, k_mount("tmpfs", PATH("dst"), "tmpfs", 0)));
	fd = OPEN_IN(&self->cast[PEER_NS], "dst");
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, mnt_of(fd, &src));
	ASSERT_EQ(0, AS(peer, k_ret(mkdir(PATH("dst/marker"), 0700))));

	tree = k_open_tree(fd, "", FOREIGN | AT_EMPTY_PATH);
	ASSERT_GE(tree, 0);
	EXPECT_NE(src.id, mnt_id_of(tree));

	/* what was cloned, in the caller's namespace only */
	ASSERT_EQ(0, k_move_mount(tree, "", AT_FDCWD, "dst", 0));
	ASSERT_EQ(0, mnt_at(&self->cast[TEST_NS], PATH("dst"), &clone));
	EXPECT_TRUE(clone.is_root);
	EXPECT_EQ(mnt_id_of(tree), clone.id);
	EXPECT_EQ(0, access("dst/marker", F_OK));
	ASSERT_EQ(0, k_umount("dst", MNT_DETACH));
	EXPECT_EQ(1, is_mounted_at(peer, PATH("dst")));
}

/* Without the flag nothing has changed. */
TEST_F(open_tree_foreign, without_the_flag)
{
	int fd = OPEN_IN(&self->cast[PEER_NS], "src");

	ASSERT_GE(fd, 0);
	EXPECT_EQ(-EINVAL, k_open_tree(fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH));
	EXPECT_EQ(-EINVAL, k_open_tree(fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH |
				       AT_RECURSIVE));
	EXPECT_LE(0, k_open_tree(AT_FDCWD, "src", OPEN_TREE_NAMESPACE));
	EXPECT_EQ(-EINVAL, k_open_tree(fd, "", OPEN_TREE_NAMESPACE | AT_EMPTY_PATH));
	EXPECT_EQ(-EINVAL, k_open_tree(fd, "", OPEN_TREE_NAMESPACE | AT_EMPTY_PATH |
				       AT_RECURSIVE));
}

/* mount() takes none, even where a path leads to one. */
TEST_F(open_tree_foreign, einval_mount_bind)
{
	int theirs = OPEN_IN(&self->cast[PEER_NS], "src");
	int own = k_open("src", O_PATH);
	char path[32];

	ASSERT_TRUE(theirs >= 0 && own >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", theirs);
	EXPECT_EQ(-EINVAL, k_mount(path, "dst", NULL, MS_BIND));
	EXPECT_EQ(-EINVAL, k_mount(path, "dst", NULL, MS_BIND | MS_REC));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", own);
	EXPECT_EQ(0, k_mount(path, "dst", NULL, MS_BIND));
	EXPECT_EQ(0, k_mount(path, "dst", NULL, MS_BIND | MS_REC));
}

TEST_F(open_tree_foreign, own_namespace)
{
	int tree = k_open_tree(AT_FDCWD, "src", FOREIGN);

	ASSERT_GE(tree, 0);
	EXPECT_EQ(0, k_move_mount(tree, "", AT_FDCWD, "dst", 0));
}

TEST_F(open_tree_foreign, subdirectory)
{
	int fd = OPEN_IN(&self->cast[PEER_NS], "src");
	int tree;

	ASSERT_GE(fd, 0);
	tree = k_open_tree(fd, "a", FOREIGN);
	ASSERT_GE(tree, 0);
	ASSERT_EQ(0, k_move_mount(tree, "", AT_FDCWD, "dst", 0));
	EXPECT_EQ(0, access("dst/b", F_OK));
	EXPECT_NE(0, access("dst/a", F_OK));
}

/*
 * A path is followed as by any other call: an absolute symbolic link leads to the
 * caller's root, ".." to what the mount is mounted on there. Whoever may write to
 * the tree chooses.
 */
TEST_F(open_tree_foreign, symlinks_in_path)
{
	static const char * const theirs[] = {
		"rel/dst/x", "../dst/x", "a/../rel/dst/x", "a/b/../../../dst/x"
	};
	struct actor *peer = &self->cast[PEER_NS];
	char path[256];
	int fd, tree;

	ASSERT_EQ(0, symlink(self->base, "src/abs"));
	ASSERT_EQ(0, symlink("..", "src/rel"));
	ASSERT_EQ(0, MOUNT_IN(peer, "dst"));
	ASSERT_EQ(0, IN(peer, k_ret(mkdir("dst/x", 0755) ?: mkdir("dst/x/theirs", 0755))));
	ASSERT_EQ(0, MOUNT_IN(&this_test, "dst"));
	ASSERT_EQ(0, mkdir("dst/x", 0755));
	ASSERT_EQ(0, mkdir("dst/x/ours", 0755));
	fd = OPEN_IN(peer, "src");
	ASSERT_GE(fd, 0);

	tree = k_open_tree(fd, "abs/dst/x", FOREIGN);
	ASSERT_GE(tree, 0);
	EXPECT_EQ(0, faccessat(tree, "ours", F_OK, 0));
	ASSERT_EQ(0, close(tree));
	for (size_t i = 0; i < ARRAY_SIZE(theirs); i++) {
		tree = k_open_tree(fd, theirs[i], FOREIGN);
		ASSERT_GE(tree, 0);
		EXPECT_EQ(0, faccessat(tree, "theirs", F_OK, 0));
		ASSERT_EQ(0, close(tree));
	}
	/* to the top of that namespace, and no further */
	snprintf(path, sizeof(path), "../../../../../..%s/dst/x", self->base);
	tree = k_open_tree(fd, path, FOREIGN);
	ASSERT_GE(tree, 0);
	EXPECT_EQ(0, faccessat(tree, "theirs", F_OK, 0));
}

/* AT_RECURSIVE decides about the mounts below, as it does locally. */
TEST_F(open_tree_foreign, recursive)
{
	struct actor *me = &self->cast[TEST_NS];
	int fd, tree;

	ASSERT_EQ(0, AS(&self->cast[PEER_NS],
			k_mount("tmpfs", PATH("src/a/b"), "tmpfs", 0)));
	fd = OPEN_IN(&self->cast[PEER_NS], "src");
	ASSERT_GE(fd, 0);

	tree = k_open_tree(fd, "", FOREIGN | AT_EMPTY_PATH);
	ASSERT_GE(tree, 0);
	ASSERT_EQ(0, k_move_mount(tree, "", AT_FDCWD, "dst", 0));
	EXPECT_EQ(1, is_mounted_at(me, "dst"));
	EXPECT_EQ(0, is_mounted_at(me, "dst/a/b"));
	ASSERT_EQ(0, k_umount("dst", MNT_DETACH));

	tree = k_open_tree(fd, "", FOREIGN | AT_EMPTY_PATH | AT_RECURSIVE);
	ASSERT_GE(tree, 0);
	ASSERT_EQ(0, k_move_mount(tree, "", AT_FDCWD, "dst", 0));
	EXPECT_EQ(1, is_mounted_at(me, "dst"));
	EXPECT_EQ(1, is_mounted_at(me, "dst/a/b"));
	EXPECT_EQ(0, k_umount("dst", MNT_DETACH));
}

/* open_tree_attr() changes the clone, not the source. */
TEST_F(open_tree_foreign, open_tree_attr)
{
	struct mount_attr attr = {
		.attr_set	= MOUNT_ATTR_RDONLY,
		.propagation	= MS_PRIVATE,
	};
	struct actor *peer = &self->cast[PEER_NS];
	struct mnt src, clone;
	int fd, tree;

	ASSERT_EQ(0, AS(peer, k_mount(NULL, PATH("src"), NULL, MS_SHARED)));
	fd = OPEN_IN(&self->cast[PEER_NS], "src");
	ASSERT_GE(fd, 0);
	tree = k_open_tree_attr(fd, "", FOREIGN | AT_EMPTY_PATH, &attr,
				MOUNT_ATTR_SIZE_VER0);
	ASSERT_GE(tree, 0);
	ASSERT_EQ(0, k_move_mount(tree, "", AT_FDCWD, "dst", 0));
	ASSERT_EQ(0, mnt_at(&self->cast[TEST_NS], "dst", &clone));
	EXPECT_EQ(MS_PRIVATE, clone.propagation);
	EXPECT_TRUE(clone.attr & MOUNT_ATTR_RDONLY);
	ASSERT_EQ(0, mnt_at(peer, PATH("src"), &src));
	EXPECT_EQ(MS_SHARED, src.propagation);
	EXPECT_FALSE(src.attr & MOUNT_ATTR_RDONLY);
}

/* The clone of a shared mount is its peer: events go both ways. */
TEST_F(open_tree_foreign, clone_of_shared_is_a_peer)
{
	struct actor *me = &self->cast[TEST_NS];
	struct actor *peer = &self->cast[PEER_NS];
	struct mnt src, clone;
	int fd, tree;

	ASSERT_EQ(0, AS(peer, k_mount(NULL, PATH("src"), NULL, MS_SHARED)));
	fd = OPEN_IN(&self->cast[PEER_NS], "src");
	ASSERT_GE(fd, 0);
	tree = k_open_tree(fd, "", FOREIGN | AT_EMPTY_PATH);
	ASSERT_GE(tree, 0);
	ASSERT_EQ(0, k_move_mount(tree, "", AT_FDCWD, "dst", 0));
	ASSERT_EQ(0, mnt_at(peer, PATH("src"), &src));
	ASSERT_EQ(0, mnt_at(me, "dst", &clone));
	EXPECT_NE(0, src.group);
	EXPECT_EQ(src.group, clone.group);

	ASSERT_EQ(0, k_mount("tmpfs", "dst/a", "tmpfs", 0));
	EXPECT_EQ(1, is_mounted_at(peer, PATH("src/a")));
	ASSERT_EQ(0, mnt_at(peer, PATH("src/a"), &src));
	ASSERT_EQ(0, mnt_at(me, "dst/a", &clone));
	EXPECT_NE(0, src.group);
	EXPECT_EQ(src.group, clone.group);
	ASSERT_EQ(0, AS(peer, k_umount(PATH("src/a"), 0)));
	EXPECT_EQ(0, is_mounted_at(me, "dst/a"));
}

/* With MS_SLAVE the less privileged side can't propagate back. */
TEST_F(open_tree_foreign, slave_clone_only_receives)
{
	struct mount_attr attr = { .propagation = MS_SLAVE };
	struct actor *me = &self->cast[TEST_NS];
	struct actor *peer = &self->cast[PEER_NS];
	struct mnt src, clone;
	int fd, tree;

	ASSERT_EQ(0, AS(peer, k_mount(NULL, PATH("src"), NULL, MS_SHARED)));
	fd = OPEN_IN(&self->cast[PEER_NS], "src");
	ASSERT_GE(fd, 0);
	tree = k_open_tree_attr(fd, "", FOREIGN | AT_EMPTY_PATH, &attr,
				MOUNT_ATTR_SIZE_VER0);
	ASSERT_GE(tree, 0);
	ASSERT_EQ(0, k_move_mount(tree, "", AT_FDCWD, "dst", 0));
	ASSERT_EQ(0, mnt_at(peer, PATH("src"), &src));
	ASSERT_EQ(0, mnt_at(me, "dst", &clone));
	EXPECT_EQ(src.group, clone.master);
	EXPECT_EQ(0, clone.group);

	ASSERT_EQ(0, k_mount("tmpfs", "dst/a", "tmpfs", 0));
	EXPECT_EQ(0, is_mounted_at(peer, PATH("src/a")));
	ASSERT_EQ(0, k_umount("dst/a", 0));
	ASSERT_EQ(0, AS(peer, k_mount("tmpfs", PATH("src/a"), "tmpfs", 0)));
	EXPECT_EQ(1, is_mounted_at(me, "dst/a"));
}

TEST_F(open_tree_foreign, einval_flags)
{
	int fd = OPEN_IN(&self->cast[PEER_NS], "src");

	ASSERT_GE(fd, 0);
	EXPECT_EQ(-EINVAL, k_open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_FOREIGN));
	EXPECT_EQ(-EINVAL, k_open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_FOREIGN |
				       AT_RECURSIVE));
	EXPECT_EQ(-EINVAL, k_open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_FOREIGN |
				       OPEN_TREE_NAMESPACE));
	EXPECT_EQ(-EINVAL, k_open_tree(fd, "", AT_EMPTY_PATH | FOREIGN |
				       OPEN_TREE_NAMESPACE));
	for (int bit = 0; bit < 32; bit++) {
		unsigned int known = OPEN_TREE_CLONE | OPEN_TREE_FOREIGN | AT_EMPTY_PATH |
				     AT_RECURSIVE | AT_SYMLINK_NOFOLLOW |
				     AT_NO_AUTOMOUNT | O_CLOEXEC;

		if (known & 1U << bit)
			continue;
		EXPECT_EQ(-EINVAL, k_open_tree(fd, "", AT_EMPTY_PATH | FOREIGN |
					       1U << bit)) {
			TH_LOG("bit %d", bit);
		}
	}
	EXPECT_EQ(-EBADF, k_open_tree(-1, "", AT_EMPTY_PATH | FOREIGN));
	EXPECT_EQ(-ENOENT, k_open_tree(fd, "nothing", FOREIGN));
	EXPECT_EQ(-ENOENT, k_open_tree(fd, "", FOREIGN));
}

/* Every caller against every namespace. */
TEST_F_TIMEOUT(open_tree_foreign, eperm_owner, 120)
{
	int fds[NR_ROLES];

	for (int whose = TEST_NS; whose <= SIBLING; whose++) {
		fds[whose] = OPEN_IN(&self->cast[whose], "src");
		ASSERT_GE(fds[whose], 0);
	}
	for (int who = 0; who < NR_ROLES; who++) {
		for (int whose = TEST_NS; whose <= SIBLING; whose++) {
			int ret = AS(&self->cast[who],
				     k_open_tree(fds[whose], "", FOREIGN |
						 AT_EMPTY_PATH));

			if (may_admin(who, whose)) {
				EXPECT_GE(ret, 0) {
					TH_LOG("caller %d, source %d", who, whose);
				}
				close(ret);
			} else {
				EXPECT_EQ(-EPERM, ret) {
					TH_LOG("caller %d, source %d", who, whose);
				}
			}
		}
	}
}

/* ... and the same for detached trees that were cloned there. */
TEST_F_TIMEOUT(open_tree_foreign, eperm_owner_of_detached_tree, 120)
{
	for (int whose = TEST_NS; whose <= SIBLING; whose++) {
		int tree = AS(&self->cast[whose],
			      k_open_tree(AT_FDCWD, PATH("src"), OPEN_TREE_CLONE));

		ASSERT_GE(tree, 0);
		for (int who = 0; who < NR_ROLES; who++) {
			int ret = AS(&self->cast[who],
				     k_open_tree(tree, "", FOREIGN |
						 AT_EMPTY_PATH));

			if (may_admin(who, whose)) {
				EXPECT_GE(ret, 0) {
					TH_LOG("caller %d, source %d", who, whose);
				}
				close(ret);
			} else {
				EXPECT_EQ(-EPERM, ret) {
					TH_LOG("caller %d, source %d", who, whose);
				}
			}
		}
		ASSERT_EQ(0, close(tree));
	}
}

/*
 * A clone is a detached tree of the caller's, whoever owns the source: more can
 * be cloned from it, and whatever the caller puts into it is not locked.
 */
TEST_F(open_tree_foreign, clone_is_owned_by_the_caller)
{
	int fd, tree, again, child;

	fd = OPEN_IN(&self->cast[OWNER], "src");
	ASSERT_GE(fd, 0);
	tree = k_open_tree(fd, "", FOREIGN | AT_EMPTY_PATH);
	ASSERT_GE(tree, 0);
	again = k_open_tree(tree, "", FOREIGN | AT_EMPTY_PATH);
	ASSERT_GE(again, 0);
	ASSERT_EQ(0, close(again));

	/* the owner of the source has no power over it */
	EXPECT_EQ(-EPERM, AS(&self->cast[OWNER],
			     k_open_tree(tree, "", FOREIGN | AT_EMPTY_PATH)));

	child = detached_tmpfs(&self->cast[TEST_NS], MOUNT_ATTR_RDONLY);
	ASSERT_GE(child, 0);
	ASSERT_EQ(0, k_move_mount(child, "", tree, "a", 0));
	ASSERT_EQ(0, k_move_mount(tree, "", AT_FDCWD, "dst", 0));
	EXPECT_EQ(0, k_mount(NULL, "dst/a", NULL, MS_REMOUNT | MS_BIND));
	ASSERT_EQ(0, close(child));
	EXPECT_EQ(0, k_umount("dst/a", 0));
}

/* So is the clone of a namespace file, which may be cloned wherever it is mounted. */
TEST_F(open_tree_foreign, clone_of_nsfs_is_owned_by_the_caller)
{
	struct actor *o = &self->cast[OWNER];
	int fd, tree, mine, theirs;

	ASSERT_EQ(0, mknod("src/file", S_IFREG | 0644, 0));
	ASSERT_EQ(0, IN(o, k_mount("/proc/self/ns/uts", "src/file", NULL, MS_BIND)));
	fd = OPEN_IN(o, "src/file");
	ASSERT_GE(fd, 0);
	tree = k_open_tree(fd, "", FOREIGN | AT_EMPTY_PATH);
	ASSERT_GE(tree, 0);
	mine = k_open_tree(AT_FDCWD, "src/file", OPEN_TREE_CLONE);
	ASSERT_GE(mine, 0);
	theirs = IN(o, k_open_tree(AT_FDCWD, "src/file", OPEN_TREE_CLONE));
	ASSERT_GE(theirs, 0);
	/* the owner of the source has no power over it */
	EXPECT_EQ(-EINVAL, AS(o, k_move_mount(theirs, "", tree, "", 0)));
	EXPECT_EQ(0, k_move_mount(mine, "", tree, "", 0));
}

/* A single mount must not show what a lock hides below it. */
TEST_F(open_tree_foreign, einval_locked_children)
{
	int fd = OPEN_IN(&self->cast[OWNER], "lock");

	ASSERT_GE(fd, 0);
	EXPECT_EQ(-EINVAL, k_open_tree(fd, "", FOREIGN | AT_EMPTY_PATH));
	EXPECT_EQ(-EINVAL, AS(&self->cast[OWNER],
			      k_open_tree(fd, "", FOREIGN | AT_EMPTY_PATH)));
}

/*
 * What covers something need not be locked: whoever is in a namespace without
 * privilege over its owner must not leave it out of a clone.
 */
TEST_F(open_tree_foreign, eperm_covered_for_less_privileged)
{
	/* privileged, but not where it is */
	struct actor guest = { .userns = self->cast[OWNER].userns, .mntns = -1 };
	int fd;

	ASSERT_EQ(0, MOUNT_IN(&this_test, "src/a"));
	fd = k_open("src", O_PATH);
	ASSERT_GE(fd, 0);
	for (int recursive = 0; recursive < 2; recursive++) {
		unsigned int flags = FOREIGN | AT_EMPTY_PATH | recursive * AT_RECURSIVE;

		EXPECT_EQ(-EPERM, AS(&guest, k_open_tree(fd, "", flags)));
		EXPECT_EQ(-EPERM, AS(&self->cast[OWNER], k_open_tree(fd, "", flags)));
		EXPECT_EQ(-EPERM, AS(&self->cast[USER], k_open_tree(fd, "", flags)));
	}
}

/* All of it keeps the locks: of the mount below, and of the attributes. */
TEST_F(open_tree_foreign, recursive_clone_keeps_locks)
{
	int fd = OPEN_IN(&self->cast[OWNER], "lock");
	int tree;

	ASSERT_GE(fd, 0);
	tree = k_open_tree(fd, "", FOREIGN | AT_EMPTY_PATH | AT_RECURSIVE);
	ASSERT_GE(tree, 0);
	ASSERT_EQ(0, k_move_mount(tree, "", AT_FDCWD, "dst", 0));
	ASSERT_EQ(1, is_mounted_at(&self->cast[TEST_NS], "dst/a"));
	EXPECT_EQ(-EINVAL, k_umount("dst/a", 0));
	EXPECT_EQ(-EPERM, k_mount(NULL, "dst", NULL, MS_REMOUNT | MS_BIND));
	/* the clone's own root is not locked */
	EXPECT_EQ(0, k_umount("dst", MNT_DETACH));
}

TEST_F(open_tree_foreign, einval_unbindable)
{
	struct actor *peer = &self->cast[PEER_NS];
	int fd, tree;

	ASSERT_EQ(0, AS(peer, k_mount("tmpfs", PATH("src/a/b"), "tmpfs", 0)));
	ASSERT_EQ(0, AS(peer, k_mount(NULL, PATH("src/a/b"), NULL, MS_UNBINDABLE)));
	fd = OPEN_IN(&self->cast[PEER_NS], "src/a/b");
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-EINVAL, k_open_tree(fd, "", FOREIGN | AT_EMPTY_PATH));
	EXPECT_EQ(-EINVAL, k_open_tree(fd, "", FOREIGN | AT_EMPTY_PATH |
				       AT_RECURSIVE));
	ASSERT_EQ(0, close(fd));

	/* below the source it is left out */
	fd = OPEN_IN(&self->cast[PEER_NS], "src");
	ASSERT_GE(fd, 0);
	tree = k_open_tree(fd, "", FOREIGN | AT_EMPTY_PATH | AT_RECURSIVE);
	ASSERT_GE(tree, 0);
	ASSERT_EQ(0, k_move_mount(tree, "", AT_FDCWD, "dst", 0));
	EXPECT_EQ(0, is_mounted_at(&self->cast[TEST_NS], "dst/a/b"));
}

/* Left out, it would show what the lock hides. */
TEST_F(open_tree_foreign, eperm_locked_and_unbindable)
{
	struct actor *owner = &self->cast[OWNER];
	int fd;

	ASSERT_EQ(0, AS(owner, k_mount(NULL, PATH("lock/a"), NULL, MS_UNBINDABLE)));
	fd = OPEN_IN(&self->cast[OWNER], "lock");
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-EPERM, k_open_tree(fd, "", FOREIGN | AT_EMPTY_PATH |
				      AT_RECURSIVE));
}

/* A detached tree of another namespace, and a part of it. */
TEST_F(open_tree_foreign, detached_tree)
{
	struct actor *peer = &self->cast[PEER_NS];
	int src, tree, clone;

	src = AS(peer, k_open_tree(AT_FDCWD, PATH("src"), OPEN_TREE_CLONE));
	ASSERT_GE(src, 0);
	EXPECT_EQ(-EINVAL, k_open_tree(src, "", OPEN_TREE_CLONE | AT_EMPTY_PATH));
	tree = k_open_tree(src, "", FOREIGN | AT_EMPTY_PATH);
	ASSERT_GE(tree, 0);
	clone = k_open_tree(tree, "a", FOREIGN);
	ASSERT_GE(clone, 0);
	ASSERT_EQ(0, close(src));
	ASSERT_EQ(0, close(tree));
	ASSERT_EQ(0, k_move_mount(clone, "", AT_FDCWD, "dst", 0));
	EXPECT_EQ(0, access("dst/b", F_OK));
}

/* What has never been in a namespace is anybody's that holds it, and so is a clone. */
TEST_F(open_tree_foreign, detached_tree_of_no_namespace)
{
	struct actor *peer = &self->cast[PEER_NS];
	int src, tree, clone;

	src = detached_tmpfs(&self->cast[TEST_NS], 0);
	ASSERT_GE(src, 0);
	tree = k_open_tree(src, "", FOREIGN | AT_EMPTY_PATH);
	ASSERT_GE(tree, 0);
	clone = AS(peer, k_open_tree(src, "", OPEN_TREE_CLONE | AT_EMPTY_PATH));
	ASSERT_GE(clone, 0);
	ASSERT_EQ(0, close(clone));
	clone = AS(peer, k_open_tree(tree, "", OPEN_TREE_CLONE | AT_EMPTY_PATH));
	EXPECT_GE(clone, 0);
}

/* Lazily unmounted: in no namespace anymore, so nobody is its owner. */
TEST_F(open_tree_foreign, einval_unmounted)
{
	int fd = OPEN_IN(&self->cast[PEER_NS], "src");

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, AS(&self->cast[PEER_NS], k_umount(PATH("src"), MNT_DETACH)));
	EXPECT_EQ(-EINVAL, k_open_tree(fd, "", FOREIGN | AT_EMPTY_PATH));
	EXPECT_EQ(-EINVAL, k_open_tree(fd, "", FOREIGN | AT_EMPTY_PATH |
				       AT_RECURSIVE));
}

TEST_F(open_tree_foreign, einval_namespace_is_gone)
{
	int fd = OPEN_IN(&self->cast[PEER_NS], "src");

	ASSERT_GE(fd, 0);
	actor_close(&self->cast[PEER_NS]);
	EXPECT_EQ(-EINVAL, k_open_tree(fd, "", FOREIGN | AT_EMPTY_PATH));
	EXPECT_EQ(-EINVAL, k_open_tree(fd, "", FOREIGN | AT_EMPTY_PATH |
				       AT_RECURSIVE));
}

TEST_F(open_tree_foreign, einval_dissolved_tree)
{
	int tree = detached_tmpfs(&self->cast[PEER_NS], 0);
	int fd;

	ASSERT_GE(tree, 0);
	fd = k_openat(tree, ".", O_PATH);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, close(tree));
	EXPECT_EQ(-EINVAL, k_open_tree(fd, "", FOREIGN | AT_EMPTY_PATH));
}

/* A clone counts as a mount namespace of the caller, not of the source. */
TEST_F(open_tree_foreign, enospc_detached_trees_of_the_caller)
{
	struct actor *owner = &self->cast[OWNER];
	int fd, tree;

	fd = OPEN_IN(&self->cast[CHILD], "src");
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, AS(owner, write_file("/proc/sys/user/max_mnt_namespaces", "0")));
	EXPECT_EQ(-ENOSPC, AS(owner, k_open_tree(fd, "", FOREIGN | AT_EMPTY_PATH)));
	tree = k_open_tree(fd, "", FOREIGN | AT_EMPTY_PATH);
	EXPECT_GE(tree, 0);
	ASSERT_EQ(0, close(tree));
}

/* Cloning from a namespace leaves it as it is. */
TEST_F(open_tree_foreign, source_unchanged)
{
	struct actor *owner = &self->cast[OWNER];
	char *before, *after;
	int fd, tree, watch;

	fd = OPEN_IN(&self->cast[OWNER], "lock");
	ASSERT_GE(fd, 0);
	watch = mountinfo_watch(owner);
	ASSERT_GE(watch, 0);
	before = ns_snapshot(owner);
	ASSERT_NE(NULL, before);
	ASSERT_EQ(-EINVAL, k_open_tree(fd, "", FOREIGN | AT_EMPTY_PATH));
	tree = k_open_tree(fd, "", FOREIGN | AT_EMPTY_PATH | AT_RECURSIVE);
	ASSERT_GE(tree, 0);
	ASSERT_EQ(0, close(tree));
	after = ns_snapshot(owner);
	EXPECT_STREQ(before, after);
	EXPECT_FALSE(mountinfo_changed(watch));
	free(before);
	free(after);
}

TEST_HARNESS_MAIN
