// SPDX-License-Identifier: GPL-2.0
/*
 * move_mount(MOVE_MOUNT_T_FOREIGN): attach a detached tree in a mount namespace
 * other than the caller's.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <linux/landlock.h>

#include "../mount_cast.h"
#include "../utils.h"
#include "../../kselftest_harness.h"

#define MOUNT_MAX	"/proc/sys/fs/mount-max"

FIXTURE(move_mount_foreign) {
	char base[64];
	unsigned int mount_max;
	struct actor cast[NR_ROLES];
};

/*
 * "dst" is a tmpfs in every namespace. "sh" is one too and is shared: peers in
 * the namespaces of one owner, slaves in the others.
 */
FIXTURE_SETUP(move_mount_foreign)
{
	int ret;

	if (geteuid())
		SKIP(return, "test requires root");
	ret = k_move_mount(-1, "", -1, "", MOVE_MOUNT_T_FOREIGN);
	if (ret == -EINVAL)
		SKIP(return, "move_mount(MOVE_MOUNT_T_FOREIGN) not supported");
	ASSERT_EQ(-EBADF, ret);
	ASSERT_EQ(0, read_uint(MOUNT_MAX, &self->mount_max));
	ASSERT_EQ(0, scratch_setup(self->base, sizeof(self->base)));
	ASSERT_EQ(0, chdir(self->base));
	ASSERT_EQ(0, mkdir("dst", 0755));
	ASSERT_EQ(0, mkdir("sh", 0755));
	ASSERT_EQ(0, k_mount("tmpfs", "dst", "tmpfs", 0));
	ASSERT_EQ(0, mkdir("dst/a", 0755));
	ASSERT_EQ(0, mkdir("dst/b", 0755));
	ASSERT_EQ(0, mknod("dst/file", S_IFREG | 0644, 0));
	ASSERT_EQ(0, k_mount("tmpfs", "sh", "tmpfs", 0));
	ASSERT_EQ(0, mkdir("sh/a", 0755));
	ASSERT_EQ(0, k_mount(NULL, "sh", NULL, MS_SHARED));
	ASSERT_EQ(0, cast_setup(self->cast));
}

FIXTURE_TEARDOWN(move_mount_foreign)
{
	char max[16];

	snprintf(max, sizeof(max), "%u", self->mount_max);
	EXPECT_EQ(0, write_file(MOUNT_MAX, max));
	ASSERT_EQ(0, chdir("/"));
	scratch_teardown(self->base);
}

/* Attach @tree to what @fd refers to. */
static int attach(int tree, int fd)
{
	return k_move_mount(tree, "", fd, "", MOVE_MOUNT_T_FOREIGN);
}

/* The same, for the owner there to do with it as it likes. */
static int hand_over(int tree, int fd)
{
	return k_move_mount(tree, "", fd, "", MOVE_MOUNT_T_FOREIGN |
			    MOVE_MOUNT_UNLOCKED);
}

/* A tmpfs with a tmpfs on a directory of it. */
static int detached_pair(const struct actor *me, unsigned int attr)
{
	int tree, child, err;

	tree = detached_tmpfs(me, 0);
	if (tree < 0)
		return tree;
	child = detached_tmpfs(me, attr);
	if (child < 0)
		return child;
	if (mkdirat(tree, "c", 0755))
		return -errno;
	err = k_move_mount(child, "", tree, "c", 0);
	close(child);
	return err ? err : tree;
}

TEST_F(move_mount_foreign, attaches_in_another_namespace)
{
	struct actor *me = &self->cast[TEST_NS];
	struct actor *peer = &self->cast[PEER_NS];
	struct statmount sm;
	struct mnt mnt;
	int fd, tree;

	fd = OPEN_IN(&self->cast[PEER_NS], "dst/a");
	ASSERT_GE(fd, 0);
	tree = detached_pair(me, 0);
	ASSERT_GE(tree, 0);
	ASSERT_EQ(0, attach(tree, fd));

	ASSERT_EQ(0, mnt_at(peer, PATH("dst/a"), &mnt));
	EXPECT_TRUE(mnt.is_root);
	EXPECT_EQ(mnt_id_of(tree), mnt.id);
	EXPECT_EQ(1, is_mounted_at(peer, PATH("dst/a/c")));
	ASSERT_EQ(0, k_statmount_fd(tree, STATMOUNT_MNT_NS_ID, &sm, sizeof(sm)));
	EXPECT_EQ(actor_ns_id(peer), sm.mnt_ns_id);
	EXPECT_EQ(0, is_mounted_at(me, "dst/a"));
	EXPECT_EQ(0, AS(peer, k_umount(PATH("dst/a/c"), 0)));
}

/* Without the flag nothing has changed. */
TEST_F(move_mount_foreign, without_the_flag)
{
	int fd = OPEN_IN(&self->cast[PEER_NS], "dst/a");
	int tree = detached_tmpfs(&self->cast[TEST_NS], 0);

	ASSERT_GE(fd, 0);
	ASSERT_GE(tree, 0);
	EXPECT_EQ(-EINVAL, k_move_mount(tree, "", fd, "", 0));
	EXPECT_EQ(0, is_mounted_at(&self->cast[PEER_NS], PATH("dst/a")));
}

TEST_F(move_mount_foreign, own_namespace)
{
	int fd = OPEN_IN(&self->cast[TEST_NS], "dst/a");
	int tree = detached_tmpfs(&self->cast[TEST_NS], 0);

	ASSERT_GE(fd, 0);
	ASSERT_GE(tree, 0);
	EXPECT_EQ(0, attach(tree, fd));
	EXPECT_EQ(1, is_mounted_at(&self->cast[TEST_NS], "dst/a"));
}

/* The destination by a path below a descriptor. */
TEST_F(move_mount_foreign, destination_path)
{
	int fd = OPEN_IN(&self->cast[PEER_NS], "dst");
	int tree = detached_tmpfs(&self->cast[TEST_NS], 0);

	ASSERT_GE(fd, 0);
	ASSERT_GE(tree, 0);
	EXPECT_EQ(0, k_move_mount(tree, "", fd, "a", MOVE_MOUNT_T_FOREIGN));
	EXPECT_EQ(1, is_mounted_at(&self->cast[PEER_NS], PATH("dst/a")));
}

/*
 * A path is followed as by any other call: an absolute symbolic link leads to the
 * caller's root, ".." to what the mount is mounted on there. Whoever may write to
 * the tree chooses.
 */
TEST_F(move_mount_foreign, symlinks_in_destination_path)
{
	struct actor *me = &self->cast[TEST_NS];
	struct actor *peer = &self->cast[PEER_NS];
	char path[256];
	int fd, tree;

	ASSERT_EQ(0, symlink(self->base, "dst/abs"));
	ASSERT_EQ(0, symlink("..", "dst/rel"));
	fd = OPEN_IN(peer, "dst");
	tree = detached_tmpfs(me, 0);
	ASSERT_TRUE(fd >= 0 && tree >= 0);
	ASSERT_EQ(0, k_move_mount(tree, "", fd, "abs/dst/a", MOVE_MOUNT_T_FOREIGN));
	EXPECT_EQ(1, MOUNTED_IN(me, "dst/a"));
	EXPECT_EQ(0, MOUNTED_IN(peer, "dst/a"));
	ASSERT_EQ(0, close(tree));

	tree = detached_tmpfs(me, 0);
	ASSERT_GE(tree, 0);
	ASSERT_EQ(0, k_move_mount(tree, "", fd, "rel/dst/b", MOVE_MOUNT_T_FOREIGN));
	EXPECT_EQ(0, MOUNTED_IN(me, "dst/b"));
	EXPECT_EQ(1, MOUNTED_IN(peer, "dst/b"));
	ASSERT_EQ(0, close(tree));

	/* to the top of that namespace, and no further */
	tree = detached_tmpfs(me, 0);
	ASSERT_GE(tree, 0);
	snprintf(path, sizeof(path), "../../../../../..%s/dst/a", self->base);
	ASSERT_EQ(0, k_move_mount(tree, "", fd, path, MOVE_MOUNT_T_FOREIGN));
	EXPECT_EQ(1, MOUNTED_IN(peer, "dst/a"));
}

TEST_F(move_mount_foreign, beneath)
{
	struct actor *peer = &self->cast[PEER_NS];
	struct mnt top, mnt;
	int fd, tree;

	fd = OPEN_IN(&self->cast[PEER_NS], "dst");
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, mnt_of(fd, &top));
	tree = detached_tmpfs(&self->cast[TEST_NS], 0);
	ASSERT_GE(tree, 0);
	ASSERT_EQ(0, k_move_mount(tree, "", fd, "", MOVE_MOUNT_T_FOREIGN |
				  MOVE_MOUNT_BENEATH));
	ASSERT_EQ(0, mnt_at(peer, PATH("dst"), &mnt));
	EXPECT_EQ(top.id, mnt.id);
	EXPECT_EQ(mnt_id_of(tree), mnt.parent);
}

/* A mount that is attached already stays where it is. */
TEST_F(move_mount_foreign, einval_attached_source)
{
	struct actor *peer = &self->cast[PEER_NS];
	char *before, *after;
	int fd, src;

	ASSERT_EQ(0, k_mount("tmpfs", "dst/b", "tmpfs", 0));
	fd = OPEN_IN(&self->cast[PEER_NS], "dst/a");
	ASSERT_GE(fd, 0);
	src = OPEN_IN(&self->cast[TEST_NS], "dst/b");
	ASSERT_GE(src, 0);
	before = ns_snapshot(peer);
	ASSERT_NE(NULL, before);
	EXPECT_EQ(-EINVAL, attach(src, fd));
	EXPECT_EQ(1, is_mounted_at(&self->cast[TEST_NS], "dst/b"));

	/* nor can it be taken from, or moved within, another namespace */
	ASSERT_EQ(0, close(src));
	src = OPEN_IN(&self->cast[PEER_NS], "dst");
	ASSERT_GE(src, 0);
	EXPECT_EQ(-EINVAL, k_move_mount(src, "", AT_FDCWD, "dst/a",
					MOVE_MOUNT_T_FOREIGN));
	ASSERT_EQ(0, close(fd));
	fd = OPEN_IN(&self->cast[PEER_NS], "sh");
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-EINVAL, attach(src, fd));
	after = ns_snapshot(peer);
	EXPECT_STREQ(before, after);
	free(before);
	free(after);
}

/* The source is the root of a detached tree, not a part of it. */
TEST_F(move_mount_foreign, einval_source_not_root)
{
	struct actor *me = &self->cast[TEST_NS];
	int fd = OPEN_IN(&self->cast[PEER_NS], "dst/a");
	int tree = detached_pair(me, 0);

	ASSERT_GE(fd, 0);
	ASSERT_GE(tree, 0);
	EXPECT_EQ(-EINVAL, k_move_mount(tree, "c", fd, "", MOVE_MOUNT_T_FOREIGN));
	ASSERT_EQ(0, mkdirat(tree, "d", 0755));
	EXPECT_EQ(-EINVAL, k_move_mount(tree, "d", fd, "", MOVE_MOUNT_T_FOREIGN));
	EXPECT_EQ(0, is_mounted_at(&self->cast[PEER_NS], PATH("dst/a")));
}

TEST_F(move_mount_foreign, einval_flags)
{
	int fd = OPEN_IN(&self->cast[PEER_NS], "dst/a");
	int tree = detached_tmpfs(&self->cast[TEST_NS], 0);

	ASSERT_GE(fd, 0);
	ASSERT_GE(tree, 0);
	for (int bit = 0; bit < 32; bit++) {
		unsigned int known = 0x77 | MOVE_MOUNT_SET_GROUP | MOVE_MOUNT_BENEATH |
				     MOVE_MOUNT_T_FOREIGN | MOVE_MOUNT_UNLOCKED;

		if (known & 1U << bit)
			continue;
		EXPECT_EQ(-EINVAL, k_move_mount(tree, "", fd, "", MOVE_MOUNT_T_FOREIGN |
						1U << bit)) {
			TH_LOG("bit %d", bit);
		}
	}
	EXPECT_EQ(-EINVAL, k_move_mount(tree, "", AT_FDCWD, "dst/a",
					MOVE_MOUNT_UNLOCKED));
	EXPECT_EQ(-EINVAL, k_move_mount(tree, "", fd, "", MOVE_MOUNT_UNLOCKED));
	EXPECT_EQ(-EBADF, attach(tree, -1));
	EXPECT_EQ(-EBADF, attach(-1, fd));
	EXPECT_EQ(-ENOENT, k_move_mount(tree, "", fd, "nothing",
					MOVE_MOUNT_T_FOREIGN));

	/* joining a group was never confined to one namespace */
	ASSERT_EQ(0, k_mount("sh", "dst/b", NULL, MS_BIND));
	ASSERT_EQ(0, k_mount(NULL, "dst/b", NULL, MS_PRIVATE));
	EXPECT_EQ(-EINVAL, k_move_mount(AT_FDCWD, "sh", AT_FDCWD, "dst/b",
					MOVE_MOUNT_T_FOREIGN |
					MOVE_MOUNT_SET_GROUP));
	EXPECT_EQ(0, k_move_mount(AT_FDCWD, "sh", AT_FDCWD, "dst/b",
				  MOVE_MOUNT_SET_GROUP));
}

TEST_F(move_mount_foreign, einval_directory_on_file)
{
	int fd = OPEN_IN(&self->cast[PEER_NS], "dst/file");
	int tree = detached_tmpfs(&self->cast[TEST_NS], 0);

	ASSERT_GE(fd, 0);
	ASSERT_GE(tree, 0);
	EXPECT_EQ(-EINVAL, attach(tree, fd));
}

/* Every caller, with a tree of its own, against every namespace. */
TEST_F_TIMEOUT(move_mount_foreign, eperm_owner, 120)
{
	for (int whose = TEST_NS; whose <= SIBLING; whose++) {
		int fd = OPEN_IN(&self->cast[whose], "dst/a");

		ASSERT_GE(fd, 0);
		for (int who = 0; who < NR_ROLES; who++) {
			bool may = may_admin(who, whose);
			int maker = who < NO_ADMIN ? who : TEST_NS;
			int tree = detached_tmpfs(&self->cast[maker], 0);

			ASSERT_GE(tree, 0);
			EXPECT_EQ(may ? 0 : -EPERM,
				  AS(&self->cast[who], attach(tree, fd))) {
				TH_LOG("caller %d, destination %d", who, whose);
			}
			EXPECT_EQ(may, is_mounted_at(&self->cast[whose],
						     PATH("dst/a")));
			ASSERT_EQ(0, close(tree));
			if (may)
				ASSERT_EQ(0, AS(&self->cast[whose],
						k_umount(PATH("dst/a"), MNT_DETACH)));
		}
		ASSERT_EQ(0, close(fd));
	}
}

/* ... and the same for a detached tree that was cloned there. */
TEST_F_TIMEOUT(move_mount_foreign, eperm_owner_of_detached_tree, 120)
{
	for (int whose = TEST_NS; whose <= SIBLING; whose++) {
		for (int who = 0; who < NR_ROLES; who++) {
			bool may = may_admin(who, whose);
			int maker = who < NO_ADMIN ? who : TEST_NS;
			int tree, dst, fd;

			tree = detached_tmpfs(&self->cast[maker], 0);
			ASSERT_GE(tree, 0);
			dst = AS(&self->cast[whose],
				 k_open_tree(AT_FDCWD, PATH("dst"), OPEN_TREE_CLONE));
			ASSERT_GE(dst, 0);
			fd = k_openat(dst, "a", O_PATH);
			ASSERT_GE(fd, 0);
			EXPECT_EQ(may ? 0 : -EPERM,
				  AS(&self->cast[who], attach(tree, fd))) {
				TH_LOG("caller %d, destination %d", who, whose);
			}
			ASSERT_EQ(0, close(fd));
			ASSERT_EQ(0, close(dst));
			ASSERT_EQ(0, close(tree));
		}
	}
}

/*
 * Anybody may attach to the tree of an fsmount() that has not been attached yet. What
 * comes from another owner is locked there, and stays so for who is not privileged.
 */
TEST_F_TIMEOUT(move_mount_foreign, eperm_unlocked_in_tree_of_another_owner, 120)
{
	for (int whose = TEST_NS; whose <= SIBLING; whose++) {
		int dst = detached_tmpfs(&self->cast[whose], 0), fd;

		ASSERT_GE(dst, 0);
		ASSERT_EQ(0, AS(&self->cast[whose], mkdirat(dst, "a", 0755)));
		fd = k_openat(dst, "a", O_PATH);
		ASSERT_GE(fd, 0);
		for (int who = 0; who < NO_ADMIN; who++) {
			int tree = detached_tmpfs(&self->cast[who], 0);

			ASSERT_GE(tree, 0);
			EXPECT_EQ(may_admin(who, whose) ? 0 : -EPERM,
				  AS(&self->cast[who], hand_over(tree, fd))) {
				TH_LOG("caller %d, destination %d", who, whose);
			}
			ASSERT_EQ(0, close(tree));
		}
		ASSERT_EQ(0, close(fd));
		ASSERT_EQ(0, close(dst));
	}
}

static __u64 locks_of(int fd)
{
	struct mnt mnt;

	return mnt_of(fd, &mnt) ? ~0ULL : mnt.locks;
}

#define LOCKS(actor, name) ({			\
	int __fd = OPEN_IN(actor, name);	\
	__u64 __locks = locks_of(__fd);		\
						\
	close(__fd);				\
	__locks;				\
})

/* What the root of a tree gets that was attached for others, and what is on it. */
#define ROOT_LOCKS	MOUNT_LOCK_ATIME
#define CHILD_LOCKS	(MOUNT_LOCK_ATIME | MOUNT_LOCK_MOUNT | MOUNT_LOCK_RDONLY)

/* The owner can't undo what the caller has given it, except as a whole. */
TEST_F(move_mount_foreign, attached_tree_is_locked)
{
	struct actor *owner = &self->cast[OWNER];
	int fd = OPEN_IN(owner, "dst/a");
	int tree = detached_pair(&self->cast[TEST_NS], MOUNT_ATTR_RDONLY);

	ASSERT_GE(fd, 0);
	ASSERT_GE(tree, 0);
	ASSERT_EQ(0, attach(tree, fd));
	EXPECT_EQ(ROOT_LOCKS, LOCKS(owner, "dst/a"));
	EXPECT_EQ(CHILD_LOCKS, LOCKS(owner, "dst/a/c"));
	EXPECT_EQ(-EPERM, IN(owner, k_mount(NULL, "dst/a/c", NULL,
					    MS_REMOUNT | MS_BIND)));
	EXPECT_EQ(-EINVAL, UMOUNT_IN(owner, "dst/a/c"));
	EXPECT_EQ(0, IN(owner, k_umount("dst/a", MNT_DETACH)));
}

TEST_F(move_mount_foreign, handed_over_unlocked)
{
	struct actor *owner = &self->cast[OWNER];
	int fd = OPEN_IN(owner, "dst/a");
	int tree = detached_pair(&self->cast[TEST_NS], MOUNT_ATTR_RDONLY);

	ASSERT_GE(fd, 0);
	ASSERT_GE(tree, 0);
	ASSERT_EQ(0, hand_over(tree, fd));
	EXPECT_EQ(0, LOCKS(owner, "dst/a"));
	EXPECT_EQ(0, LOCKS(owner, "dst/a/c"));
	EXPECT_EQ(0, IN(owner, k_mount(NULL, "dst/a/c", NULL,
				       MS_REMOUNT | MS_BIND)));
	EXPECT_EQ(0, UMOUNT_IN(owner, "dst/a/c"));
}

/*
 * Whether it is locked depends on the owners of the caller's mount namespace and
 * of the destination's: it is where the latter is neither the same nor above.
 */
TEST_F(move_mount_foreign, locked_downwards_only)
{
	/* root in the initial user namespace, wherever it mounts */
	const struct actor inside = { .userns = -1, .mntns = self->cast[OWNER].mntns };
	const struct {
		const struct actor *who;
		enum role whose;
		bool locked;
	} tab[] = {
		{ &self->cast[TEST_NS], TEST_NS, false },
		{ &self->cast[TEST_NS], PEER_NS, false },
		{ &self->cast[TEST_NS], OWNER, true },
		{ &self->cast[TEST_NS], CHILD, true },
		{ &self->cast[OWNER], OWNER, false },
		{ &self->cast[OWNER], CHILD, true },
		{ &inside, TEST_NS, false },
		{ &inside, OWNER, false },
		{ &inside, CHILD, true },
		{ &inside, SIBLING, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(tab); i++) {
		struct actor *whose = &self->cast[tab[i].whose];
		int fd = OPEN_IN(whose, "dst/a");
		int tree = AS(tab[i].who, detached_pair(&this_test, MOUNT_ATTR_RDONLY));

		ASSERT_TRUE(fd >= 0 && tree >= 0);
		ASSERT_EQ(0, AS(tab[i].who, attach(tree, fd)));
		EXPECT_EQ(tab[i].locked ? ROOT_LOCKS : 0, LOCKS(whose, "dst/a")) {
			TH_LOG("case %zu", i);
		}
		EXPECT_EQ(tab[i].locked ? CHILD_LOCKS : 0, LOCKS(whose, "dst/a/c"));
		ASSERT_EQ(0, IN(whose, k_umount("dst/a", MNT_DETACH)));
		ASSERT_EQ(0, close(fd));
		ASSERT_EQ(0, close(tree));
	}
}

/*
 * A copy is a peer of the tree: what its owner unmounts in one goes from the other.
 * So copies for the same owner are locked along, or are not. Those for others are
 * always, also where the caller comes from.
 */
TEST_F(move_mount_foreign, copies_for_the_same_owner)
{
	struct actor *me = &self->cast[TEST_NS];
	struct actor *owner = &self->cast[OWNER];
	struct actor second;

	/* "b" is a peer of the test's "sh", and there are two of it for the owner */
	for (int i = 0; i < 2; i++) {
		bool locked = !i;
		int from, to, fd, tree;

		ASSERT_EQ(0, IN(owner, k_mount("sh", "dst/b", NULL, MS_BIND)));
		ASSERT_EQ(0, CHANGE_IN(owner, "dst/b", MS_PRIVATE));
		from = OPEN_IN(me, "sh");
		to = OPEN_IN(owner, "dst/b");
		ASSERT_TRUE(from >= 0 && to >= 0);
		ASSERT_EQ(0, k_move_mount(from, "", to, "", MOVE_MOUNT_SET_GROUP));
		ASSERT_EQ(0, actor_new(&second, owner, ACTOR_MNTNS));

		fd = OPEN_IN(owner, "dst/b/a");
		tree = detached_pair(me, MOUNT_ATTR_RDONLY);
		ASSERT_TRUE(fd >= 0 && tree >= 0);
		ASSERT_EQ(0, locked ? attach(tree, fd) : hand_over(tree, fd));
		EXPECT_EQ(locked ? CHILD_LOCKS : 0, LOCKS(owner, "dst/b/a/c"));
		EXPECT_EQ(locked ? CHILD_LOCKS : 0, LOCKS(&second, "dst/b/a/c"));
		EXPECT_EQ(CHILD_LOCKS, LOCKS(me, "sh/a/c"));
		EXPECT_EQ(CHILD_LOCKS, LOCKS(&self->cast[CHILD], "sh/a/c"));
		EXPECT_EQ(locked ? -EINVAL : 0, UMOUNT_IN(&second, "dst/b/a/c"));
		EXPECT_EQ(locked, MOUNTED_IN(owner, "dst/b/a/c"));

		actor_close(&second);
		ASSERT_EQ(0, k_umount("sh/a", MNT_DETACH));
		ASSERT_EQ(0, IN(owner, k_umount("dst/b", MNT_DETACH)));
		ASSERT_EQ(0, close(from) | close(to) | close(fd) | close(tree));
	}
}

/*
 * In a detached tree it is the owner of that tree that counts: who does not own
 * the caller's namespace can't change what is attached, there or in its own.
 */
TEST_F(move_mount_foreign, locked_in_detached_tree_of_another_owner)
{
	static const int owners[] = { PEER_NS, OWNER };

	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		struct actor *whose = &self->cast[owners[i]];
		bool other = owners[i] == OWNER;
		struct mnt root, child;
		int dst, tree, fd;

		dst = IN(whose, k_open_tree(AT_FDCWD, "dst", OPEN_TREE_CLONE));
		tree = detached_pair(&self->cast[TEST_NS], MOUNT_ATTR_RDONLY);
		ASSERT_TRUE(dst >= 0 && tree >= 0);
		ASSERT_EQ(0, k_move_mount(tree, "", dst, "a", MOVE_MOUNT_T_FOREIGN));
		fd = k_openat(tree, "c", O_PATH);
		ASSERT_EQ(0, mnt_of(tree, &root));
		ASSERT_EQ(0, mnt_of(fd, &child));
		EXPECT_EQ(other ? MOUNT_LOCK_ATIME : 0, root.locks);
		EXPECT_EQ(other ? MOUNT_LOCK_ATIME | MOUNT_LOCK_MOUNT |
			  MOUNT_LOCK_RDONLY : 0, child.locks);
		ASSERT_EQ(0, close(fd));
		fd = detached_tmpfs(&self->cast[TEST_NS], 0);
		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, k_move_mount(fd, "", dst, "b", MOVE_MOUNT_T_FOREIGN |
					  MOVE_MOUNT_UNLOCKED));
		EXPECT_EQ(0, locks_of(fd));
		ASSERT_EQ(0, close(fd));

		/* so they stay when the owner attaches all of it */
		ASSERT_EQ(0, IN(whose, k_move_mount(dst, "", AT_FDCWD, "dst/b", 0)));
		EXPECT_EQ(other ? -EPERM : 0,
			  IN(whose, k_mount(NULL, "dst/b/a/c", NULL,
					    MS_REMOUNT | MS_BIND)));
		EXPECT_EQ(other ? -EINVAL : 0, UMOUNT_IN(whose, "dst/b/a/c"));
		EXPECT_EQ(0, IN(whose, k_umount("dst/b/a", MNT_DETACH)));
	}
}

/* It appears wherever the destination propagates to, as any mount there. */
TEST_F(move_mount_foreign, propagates_to_receivers)
{
	struct actor *me = &self->cast[TEST_NS];
	struct mnt here, peer, slave;
	int fd, tree;

	fd = OPEN_IN(&self->cast[PEER_NS], "sh/a");
	ASSERT_GE(fd, 0);
	tree = detached_pair(me, 0);
	ASSERT_GE(tree, 0);
	ASSERT_EQ(0, attach(tree, fd));

	ASSERT_EQ(0, mnt_at(&self->cast[PEER_NS], PATH("sh/a"), &peer));
	ASSERT_EQ(0, mnt_at(me, PATH("sh/a"), &here));
	ASSERT_EQ(0, mnt_at(&self->cast[OWNER], PATH("sh/a"), &slave));
	EXPECT_TRUE(peer.is_root);
	EXPECT_TRUE(here.is_root);
	EXPECT_TRUE(slave.is_root);
	EXPECT_NE(0, peer.group);
	EXPECT_EQ(peer.group, here.group);
	EXPECT_EQ(0, slave.group);
	EXPECT_EQ(peer.group, slave.master);
	EXPECT_EQ(1, is_mounted_at(me, "sh/a/c"));

	ASSERT_EQ(0, k_umount("sh/a/c", 0));
	EXPECT_EQ(0, is_mounted_at(&self->cast[PEER_NS], PATH("sh/a/c")));
	ASSERT_EQ(0, k_umount("sh/a", MNT_DETACH));
	EXPECT_EQ(0, is_mounted_at(&self->cast[PEER_NS], PATH("sh/a")));
	EXPECT_EQ(0, is_mounted_at(&self->cast[OWNER], PATH("sh/a")));
}

/* Copies in namespaces of other owners are locked, the others are not. */
TEST_F(move_mount_foreign, copies_of_other_owners_are_locked)
{
	struct actor *owner = &self->cast[OWNER];
	int fd = OPEN_IN(&self->cast[PEER_NS], "sh/a");
	int tree = detached_pair(&self->cast[TEST_NS], MOUNT_ATTR_RDONLY);

	ASSERT_GE(fd, 0);
	ASSERT_GE(tree, 0);
	ASSERT_EQ(0, attach(tree, fd));
	ASSERT_EQ(1, is_mounted_at(owner, PATH("sh/a/c")));
	EXPECT_EQ(-EPERM, AS(owner, k_mount(NULL, PATH("sh/a/c"), NULL,
					    MS_REMOUNT | MS_BIND)));
	EXPECT_EQ(-EINVAL, AS(owner, k_umount(PATH("sh/a/c"), 0)));
	EXPECT_EQ(0, k_mount(NULL, "sh/a/c", NULL, MS_REMOUNT | MS_BIND));
	EXPECT_EQ(0, k_umount("sh/a/c", 0));
}

/*
 * Whether a copy is locked depends on who owns the namespace that the tree is
 * attached in and the one that the copy is in, not on where the caller is: here that
 * is the namespace of the owner, and the tree goes to one above.
 */
TEST_F(move_mount_foreign, copies_of_what_goes_up)
{
	const struct actor inside = { .userns = -1, .mntns = self->cast[OWNER].mntns };
	int fd = OPEN_IN(&self->cast[TEST_NS], "sh/a");
	int tree = AS(&inside, detached_pair(&this_test, MOUNT_ATTR_RDONLY));

	ASSERT_TRUE(fd >= 0 && tree >= 0);
	ASSERT_EQ(0, AS(&inside, attach(tree, fd)));
	EXPECT_EQ(0, LOCKS(&self->cast[TEST_NS], "sh/a/c"));
	EXPECT_EQ(0, LOCKS(&self->cast[PEER_NS], "sh/a/c"));
	for (int whose = OWNER; whose <= SIBLING; whose++)
		EXPECT_EQ(CHILD_LOCKS, LOCKS(&self->cast[whose], "sh/a/c"));
}

TEST_F(move_mount_foreign, einval_unbindable_below_shared)
{
	struct mount_attr attr = { .propagation = MS_UNBINDABLE };
	struct actor *peer = &self->cast[PEER_NS];
	int fd = OPEN_IN(peer, "dst/a");
	int tree = detached_tmpfs(&self->cast[TEST_NS], 0);

	ASSERT_GE(fd, 0);
	ASSERT_GE(tree, 0);
	ASSERT_EQ(0, k_mount_setattr(tree, "", AT_EMPTY_PATH, &attr,
				     MOUNT_ATTR_SIZE_VER0));
	/* shared with nobody: there is no copy that could fail */
	ASSERT_EQ(0, CHANGE_IN(peer, "dst", MS_SHARED));
	EXPECT_EQ(-EINVAL, attach(tree, fd));
	EXPECT_EQ(0, MOUNTED_IN(peer, "dst/a"));
	ASSERT_EQ(0, CHANGE_IN(peer, "dst", MS_PRIVATE));
	EXPECT_EQ(0, attach(tree, fd));
}

/*
 * Every mount namespace file refers to a namespace that is younger than the one
 * it is mounted in. Here nothing but the destination breaks that rule: the
 * caller is the oldest, the file is younger than that, the destination younger
 * than both.
 */
TEST_F(move_mount_foreign, eloop_older_namespace_file)
{
	struct actor *me = &self->cast[TEST_NS];
	struct actor file, dst;
	char *before, *after;
	int fd, tree, sub;

	ASSERT_EQ(0, actor_new(&file, me, ACTOR_MNTNS));
	ASSERT_EQ(0, actor_new(&dst, me, ACTOR_MNTNS));
	ASSERT_LT(actor_ns_id(me), actor_ns_id(&file));
	ASSERT_LT(actor_ns_id(&file), actor_ns_id(&dst));
	before = ns_snapshot(&dst);
	ASSERT_NE(NULL, before);

	tree = k_open_tree(file.mntns, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
	ASSERT_GE(tree, 0);
	fd = AS(&dst, k_open(PATH("dst/file"), O_PATH));
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-ELOOP, attach(tree, fd));

	/* as a part of what is attached: it may enter the caller's tree */
	sub = detached_tmpfs(me, 0);
	ASSERT_GE(sub, 0);
	ASSERT_EQ(0, mknodat(sub, "file", S_IFREG | 0644, 0));
	ASSERT_EQ(0, k_move_mount(tree, "", sub, "file", 0));
	ASSERT_EQ(0, close(fd));
	fd = AS(&dst, k_open(PATH("dst/a"), O_PATH));
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-ELOOP, attach(sub, fd));
	after = ns_snapshot(&dst);
	EXPECT_STREQ(before, after);
	free(before);
	free(after);

	/* ... and the caller's own namespace, which is older than the file */
	EXPECT_EQ(0, k_move_mount(sub, "", AT_FDCWD, "dst/a", 0));
}

/* A namespace's own file, in that namespace. */
TEST_F(move_mount_foreign, eloop_own_namespace_file)
{
	struct actor *peer = &self->cast[PEER_NS];
	int fd, tree;

	tree = k_open_tree(peer->mntns, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
	ASSERT_GE(tree, 0);
	fd = OPEN_IN(&self->cast[PEER_NS], "dst/file");
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-ELOOP, attach(tree, fd));
}

/* The caller's own age does not matter: here it is the youngest of all. */
TEST_F(move_mount_foreign, younger_namespace_file)
{
	struct actor *me = &self->cast[TEST_NS];
	struct actor file, dst, caller;
	int fd, tree;

	ASSERT_EQ(0, actor_new(&dst, me, ACTOR_MNTNS));
	ASSERT_EQ(0, actor_new(&file, me, ACTOR_MNTNS));
	ASSERT_EQ(0, actor_new(&caller, me, ACTOR_MNTNS));
	tree = AS(&caller, k_open_tree(file.mntns, "",
				       OPEN_TREE_CLONE | AT_EMPTY_PATH));
	ASSERT_GE(tree, 0);
	fd = AS(&dst, k_open(PATH("dst/file"), O_PATH));
	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, AS(&caller, attach(tree, fd)));
	EXPECT_EQ(1, is_mounted_at(&dst, PATH("dst/file")));
}

/*
 * A detached tree is in no namespace that has an age: what counts is the caller's,
 * until the tree is attached. Here the caller is younger than "peer".
 */
TEST_F(move_mount_foreign, eloop_detached_destination)
{
	struct actor *me = &self->cast[TEST_NS];
	struct actor *peer = &self->cast[PEER_NS];
	struct actor caller, younger;
	int dst[2], files[2], tree;

	ASSERT_EQ(0, actor_new(&caller, me, ACTOR_MNTNS));
	ASSERT_EQ(0, actor_new(&younger, me, ACTOR_MNTNS));
	/* the caller's own, and one that was made where the file may go */
	dst[0] = detached_tmpfs(&caller, 0);
	dst[1] = IN(me, k_open_tree(AT_FDCWD, "dst", OPEN_TREE_CLONE));
	ASSERT_TRUE(dst[0] >= 0 && dst[1] >= 0);
	ASSERT_EQ(0, mknodat(dst[0], "file", S_IFREG | 0644, 0));
	files[0] = peer->mntns;
	files[1] = caller.mntns;
	for (size_t i = 0; i < 4; i++) {
		tree = AS(&caller, k_open_tree(files[i / 2], "",
					       OPEN_TREE_CLONE | AT_EMPTY_PATH));
		ASSERT_GE(tree, 0);
		EXPECT_EQ(-ELOOP, AS(&caller, k_move_mount(tree, "", dst[i % 2], "file",
							   MOVE_MOUNT_T_FOREIGN)));
		ASSERT_EQ(0, close(tree));
	}
	for (size_t i = 0; i < ARRAY_SIZE(dst); i++) {
		tree = AS(&caller, k_open_tree(younger.mntns, "",
					       OPEN_TREE_CLONE | AT_EMPTY_PATH));
		ASSERT_GE(tree, 0);
		EXPECT_EQ(0, AS(&caller, k_move_mount(tree, "", dst[i], "file",
						      MOVE_MOUNT_T_FOREIGN)));
		ASSERT_EQ(0, close(tree));
	}
	/* attached for good it is the destination's age */
	ASSERT_EQ(0, actor_new(&younger, me, ACTOR_MNTNS));
	tree = OPEN_IN(&younger, "dst/a");
	ASSERT_GE(tree, 0);
	EXPECT_EQ(-ELOOP, AS(&caller, attach(dst[0], tree)));
}

/* A namespace file never propagates, so it can't be attached to shared mounts. */
TEST_F(move_mount_foreign, einval_namespace_file_propagates)
{
	struct actor *peer = &self->cast[PEER_NS];
	struct actor file;
	char *before, *after;
	int fd, tree;

	ASSERT_EQ(0, mknod("sh/file", S_IFREG | 0644, 0));
	ASSERT_EQ(0, actor_new(&file, &self->cast[TEST_NS], ACTOR_MNTNS));
	tree = k_open_tree(file.mntns, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
	ASSERT_GE(tree, 0);
	fd = OPEN_IN(&self->cast[PEER_NS], "sh/file");
	ASSERT_GE(fd, 0);
	before = ns_snapshot(peer);
	ASSERT_NE(NULL, before);
	EXPECT_EQ(-EINVAL, attach(tree, fd));
	after = ns_snapshot(peer);
	EXPECT_STREQ(before, after);
	free(before);
	free(after);
}

static int set_mount_max(int nr)
{
	char max[16];

	snprintf(max, sizeof(max), "%d", nr);
	return write_file(MOUNT_MAX, max);
}

/* What counts are the mounts of the destination, not those of the caller. */
TEST_F(move_mount_foreign, enospc_destination_is_full)
{
	struct actor *me = &self->cast[TEST_NS];
	struct actor *peer = &self->cast[PEER_NS];
	int fd, own, tree, nr, nr_peer;
	char *before, *after;

	ASSERT_EQ(0, AS(peer, k_mount("tmpfs", PATH("dst/b"), "tmpfs", 0)));
	/* those that are out of sight count as well */
	nr = ns_nr_mounts(me);
	nr_peer = ns_nr_mounts(peer);
	ASSERT_GT(nr, 0);
	ASSERT_EQ(nr + 1, nr_peer);
	before = ns_snapshot(peer);
	ASSERT_NE(NULL, before);
	fd = OPEN_IN(&self->cast[PEER_NS], "dst/a");
	ASSERT_GE(fd, 0);
	own = OPEN_IN(&self->cast[TEST_NS], "dst/a");
	ASSERT_GE(own, 0);

	/* find the limit that just lets one more mount into the test's */
	for (;; nr++) {
		ASSERT_LT(nr, nr_peer + 16);
		tree = detached_tmpfs(me, 0);
		ASSERT_GE(tree, 0);
		ASSERT_EQ(0, set_mount_max(nr));
		if (!attach(tree, own))
			break;
		ASSERT_EQ(0, close(tree));
	}
	ASSERT_EQ(0, close(tree));
	ASSERT_EQ(0, k_umount("dst/a", 0));

	tree = detached_tmpfs(me, 0);
	ASSERT_GE(tree, 0);
	EXPECT_EQ(-ENOSPC, attach(tree, fd));
	after = ns_snapshot(peer);
	EXPECT_STREQ(before, after);
	free(before);
	free(after);

	/* one more would do, and a full namespace of the caller does not matter */
	ASSERT_EQ(0, set_mount_max(nr + 1));
	ASSERT_EQ(0, k_mount("tmpfs", "dst/a", "tmpfs", 0));
	ASSERT_EQ(0, k_mount("tmpfs", "dst/b", "tmpfs", 0));
	ASSERT_EQ(-ENOSPC, k_mount("tmpfs", "dst/b", "tmpfs", 0));
	EXPECT_EQ(0, attach(tree, fd));
}

/* All or nothing: one of the receivers is full. */
TEST_F(move_mount_foreign, enospc_receiver_is_full)
{
	struct actor *me = &self->cast[TEST_NS];
	struct actor *peer = &self->cast[PEER_NS];
	char *before, *before_peer, *after, *after_peer;
	int fd, tree, nr;

	ASSERT_EQ(0, k_mount("tmpfs", "dst/b", "tmpfs", 0));
	fd = OPEN_IN(&self->cast[PEER_NS], "sh/a");
	ASSERT_GE(fd, 0);
	tree = detached_tmpfs(me, 0);
	ASSERT_GE(tree, 0);
	before = ns_snapshot(me);
	before_peer = ns_snapshot(peer);
	ASSERT_TRUE(before && before_peer);

	/* the test's own is the only one with one mount more */
	nr = ns_nr_mounts(peer);
	ASSERT_GT(nr, 0);
	for (;; nr++) {
		int ret;

		ASSERT_EQ(0, set_mount_max(nr));
		ret = attach(tree, fd);
		if (!ret)
			break;
		ASSERT_EQ(-ENOSPC, ret);
		after = ns_snapshot(me);
		after_peer = ns_snapshot(peer);
		ASSERT_STREQ(before, after);
		ASSERT_STREQ(before_peer, after_peer);
		free(after);
		free(after_peer);
	}
	/* the first limit that was large enough is the receiver's */
	EXPECT_EQ(1, is_mounted_at(me, "sh/a"));
	ASSERT_EQ(-ENOSPC, k_mount("tmpfs", "dst/a", "tmpfs", 0));
	EXPECT_EQ(0, AS(peer, k_mount("tmpfs", PATH("dst/a"), "tmpfs", 0)));
	free(before);
	free(before_peer);
}

/* Where nothing is mounted anymore nothing can be attached. */
TEST_F(move_mount_foreign, enoent_unmounted)
{
	int fd = OPEN_IN(&self->cast[PEER_NS], "dst/a");
	int tree = detached_tmpfs(&self->cast[TEST_NS], 0);

	ASSERT_GE(fd, 0);
	ASSERT_GE(tree, 0);
	ASSERT_EQ(0, AS(&self->cast[PEER_NS], k_umount(PATH("dst"), MNT_DETACH)));
	EXPECT_EQ(-ENOENT, attach(tree, fd));
}

TEST_F(move_mount_foreign, enoent_removed_directory)
{
	int fd = OPEN_IN(&self->cast[PEER_NS], "dst/a");
	int tree = detached_tmpfs(&self->cast[TEST_NS], 0);

	ASSERT_GE(fd, 0);
	ASSERT_GE(tree, 0);
	ASSERT_EQ(0, rmdir("dst/a"));
	EXPECT_EQ(-ENOENT, attach(tree, fd));
	/* one by the same name is another one */
	ASSERT_EQ(0, mkdir("dst/a", 0755));
	EXPECT_EQ(-ENOENT, attach(tree, fd));
	EXPECT_EQ(0, MOUNTED_IN(&self->cast[PEER_NS], "dst/a"));
	EXPECT_EQ(0, k_move_mount(tree, "", AT_FDCWD, "dst/a", 0));
}

TEST_F(move_mount_foreign, enoent_namespace_is_gone)
{
	int fd = OPEN_IN(&self->cast[PEER_NS], "dst/a");
	int tree = detached_tmpfs(&self->cast[TEST_NS], 0);

	ASSERT_GE(fd, 0);
	ASSERT_GE(tree, 0);
	actor_close(&self->cast[PEER_NS]);
	EXPECT_EQ(-ENOENT, attach(tree, fd));
	/* the tree has not suffered */
	EXPECT_EQ(0, k_move_mount(tree, "", AT_FDCWD, "dst/a", 0));
}

TEST_F(move_mount_foreign, enoent_dissolved_tree)
{
	int tree = detached_tmpfs(&self->cast[TEST_NS], 0);
	int dst = detached_tmpfs(&self->cast[PEER_NS], 0);
	int fd;

	ASSERT_GE(tree, 0);
	ASSERT_GE(dst, 0);
	fd = k_openat(dst, ".", O_PATH);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, close(dst));
	EXPECT_EQ(-ENOENT, attach(tree, fd));
}

/* A tree into itself. */
TEST_F(move_mount_foreign, einval_into_itself)
{
	int tree = detached_tmpfs(&self->cast[TEST_NS], 0);

	ASSERT_GE(tree, 0);
	ASSERT_EQ(0, mkdirat(tree, "d", 0755));
	EXPECT_EQ(-EINVAL, k_move_mount(tree, "", tree, "d",
					MOVE_MOUNT_T_FOREIGN));
}

/* Those who watch the destination and the receivers are told, nobody else is. */
TEST_F(move_mount_foreign, notifies_the_destination)
{
	int watch[SIBLING + 1];
	int fd, tree;

	for (int i = TEST_NS; i <= SIBLING; i++) {
		watch[i] = mountinfo_watch(&self->cast[i]);
		ASSERT_GE(watch[i], 0);
		ASSERT_FALSE(mountinfo_changed(watch[i]));
	}
	tree = detached_tmpfs(&self->cast[TEST_NS], 0);
	ASSERT_GE(tree, 0);
	fd = OPEN_IN(&self->cast[PEER_NS], "dst/a");
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, attach(tree, fd));
	for (int i = TEST_NS; i <= SIBLING; i++)
		EXPECT_EQ(i == PEER_NS, mountinfo_changed(watch[i]));
	EXPECT_FALSE(mountinfo_changed(watch[PEER_NS]));

	ASSERT_EQ(0, close(fd));
	ASSERT_EQ(0, close(tree));
	tree = detached_tmpfs(&self->cast[TEST_NS], 0);
	ASSERT_GE(tree, 0);
	fd = OPEN_IN(&self->cast[PEER_NS], "sh/a");
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, attach(tree, fd));
	for (int i = TEST_NS; i <= SIBLING; i++)
		EXPECT_TRUE(mountinfo_changed(watch[i]));
}

/* With any rule on files Landlock denies every change of mounts. */
static int landlock_deny_mounts(void)
{
	const struct landlock_ruleset_attr attr = {
		.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_DIR,
	};
	int fd = syscall(__NR_landlock_create_ruleset, &attr, sizeof(attr), 0);

	if (fd < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(__NR_landlock_restrict_self, fd, 0))
		return -errno;
	return close(fd);
}

/* A security module is asked about foreign destinations as about any other. */
TEST_F(move_mount_foreign, eperm_landlock)
{
	struct actor *peer = &self->cast[PEER_NS];
	int fd, tree;

	if (syscall(__NR_landlock_create_ruleset, NULL, 0,
		    LANDLOCK_CREATE_RULESET_VERSION) < 0)
		SKIP(return, "Landlock not supported");
	fd = OPEN_IN(peer, "dst/a");
	tree = detached_tmpfs(&self->cast[TEST_NS], 0);
	ASSERT_TRUE(fd >= 0 && tree >= 0);
	ASSERT_EQ(0, AS(&this_test, landlock_deny_mounts()));
	EXPECT_EQ(-EPERM, AS(&this_test, landlock_deny_mounts() ?: attach(tree, fd)));
	EXPECT_EQ(0, MOUNTED_IN(peer, "dst/a"));
	EXPECT_EQ(0, attach(tree, fd));
	EXPECT_EQ(1, MOUNTED_IN(peer, "dst/a"));
}

TEST_HARNESS_MAIN
