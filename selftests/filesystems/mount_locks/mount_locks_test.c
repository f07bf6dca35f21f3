// SPDX-License-Identifier: GPL-2.0
/*
 * Locks of a mount: STATMOUNT_MNT_LOCKS reports them, and lock_set of struct
 * mount_attr adds them. There is no way to take one away.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../mount_members.h"
#include "../mount_cast.h"
#include "../../kselftest_harness.h"

#define ATTR_LOCKS	(MOUNT_LOCK_RDONLY | MOUNT_LOCK_NODEV | \
			 MOUNT_LOCK_NOSUID | MOUNT_LOCK_NOEXEC)
#define ALL_LOCKS	(MOUNT_LOCK_MOUNT | MOUNT_LOCK_ATIME | ATTR_LOCKS)
#define ALL_ATTRS	(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | \
			 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)

FIXTURE(mount_locks) {
	char base[64];
	struct actor cast[NR_ROLES];
};

/*
 * "0" has no attributes, "1" has all of them, and "2" has something mounted on
 * a/x. All namespaces have these.
 */
FIXTURE_SETUP(mount_locks)
{
	struct statmount sm;

	if (geteuid())
		SKIP(return, "test requires root");
	ASSERT_EQ(0, k_statmount_fd(k_open("/", O_PATH), STATMOUNT_SUPPORTED_MASK,
				    &sm, sizeof(sm)));
	if (!(sm.supported_mask & STATMOUNT_MNT_LOCKS))
		SKIP(return, "STATMOUNT_MNT_LOCKS not supported");
	if (!lock_set_supported())
		SKIP(return, "lock_set of struct mount_attr not supported");
	ASSERT_EQ(0, members_setup(self->base, sizeof(self->base)));
	for (int i = 0; i < 3; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		ASSERT_GE(member_of(&this_test, self->base, "", name), 0);
	}
	ASSERT_EQ(0, k_mount(NULL, "1", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY |
			     MS_NODEV | MS_NOSUID | MS_NOEXEC));
	ASSERT_EQ(0, k_mount("tmpfs", "2/a/x", "tmpfs", 0));
	ASSERT_EQ(0, cast_setup(self->cast));
}

FIXTURE_TEARDOWN(mount_locks)
{
	members_teardown(self->base);
}

static __u64 locks_of(int fd)
{
	struct statmount sm;

	if (k_statmount_fd(fd, STATMOUNT_MNT_LOCKS, &sm, sizeof(sm)) ||
	    !(sm.mask & STATMOUNT_MNT_LOCKS))
		return ~0ULL;
	return statmount_locks(&sm);
}

#define LOCKS(actor, name) ({						\
	int __fd = IN(actor, k_open(name, O_PATH));			\
	__u64 __locks = locks_of(__fd);					\
									\
	close(__fd);							\
	__locks;							\
})

static int lock(int dfd, const char *path, unsigned int flags, __u64 locks)
{
	struct mount_attr_locks attr = { .lock_set = locks };

	if (!*path)
		flags |= AT_EMPTY_PATH;
	return k_mount_setattr(dfd, path, flags, &attr, sizeof(attr));
}

/* A namespace of the same owner has no locks, one of another has all it needs. */
TEST_F(mount_locks, reported)
{
	struct actor *owner = &self->cast[OWNER];

	EXPECT_EQ(0, LOCKS(&this_test, "0"));
	EXPECT_EQ(0, LOCKS(&this_test, "1"));
	EXPECT_EQ(0, LOCKS(&self->cast[PEER_NS], "1"));
	EXPECT_EQ(0, LOCKS(&self->cast[PEER_NS], "2/a/x"));

	EXPECT_EQ(MOUNT_LOCK_MOUNT | MOUNT_LOCK_ATIME, LOCKS(owner, "0"));
	EXPECT_EQ(ALL_LOCKS, LOCKS(owner, "1"));
	EXPECT_EQ(MOUNT_LOCK_MOUNT | MOUNT_LOCK_ATIME, LOCKS(owner, "2/a/x"));
	/* what the owner mounts is its own */
	ASSERT_EQ(0, IN(owner, k_mount("tmpfs", "0/a", "tmpfs", 0)));
	EXPECT_EQ(0, LOCKS(owner, "0/a"));
	/* a clone keeps the locks of its attributes, its root moves freely */
	ASSERT_EQ(0, IN(owner, k_mount("1", "5", NULL, MS_BIND)));
	EXPECT_EQ(ALL_LOCKS & ~MOUNT_LOCK_MOUNT, LOCKS(owner, "5"));
}

/* Not asked for, not told. */
TEST_F(mount_locks, mask)
{
	struct statmount sm;
	int fd = k_open("0", O_PATH);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, k_statmount_fd(fd, STATMOUNT_MNT_BASIC, &sm, sizeof(sm)));
	EXPECT_EQ(0, sm.mask & STATMOUNT_MNT_LOCKS);
	ASSERT_EQ(0, k_statmount_fd(fd, STATMOUNT_MNT_LOCKS, &sm, sizeof(sm)));
	EXPECT_EQ(STATMOUNT_MNT_LOCKS, sm.mask);
}

TEST_F(mount_locks, lock_mount)
{
	ASSERT_EQ(0, lock(AT_FDCWD, "2/a/x", 0, MOUNT_LOCK_MOUNT));
	EXPECT_EQ(MOUNT_LOCK_MOUNT, LOCKS(&this_test, "2/a/x"));
	EXPECT_EQ(0, LOCKS(&this_test, "2"));
	EXPECT_EQ(-EINVAL, k_umount("2/a/x", 0));
	EXPECT_EQ(-EINVAL, k_umount("2/a/x", MNT_DETACH));
	EXPECT_EQ(-EINVAL, k_mount("2/a/x", "3", NULL, MS_MOVE));
	/* what it hides stays hidden, also from clones */
	EXPECT_EQ(-EINVAL, k_open_tree(AT_FDCWD, "2", OPEN_TREE_CLONE));
	EXPECT_GE(k_open_tree(AT_FDCWD, "2", OPEN_TREE_CLONE | AT_RECURSIVE), 0);
	/* together with what it is mounted on it goes */
	EXPECT_EQ(0, k_umount("2", MNT_DETACH));
}

static int set_attr(const char *path, __u64 set, __u64 clr)
{
	struct mount_attr_locks attr = { .attr_set = set, .attr_clr = clr };

	return k_mount_setattr(AT_FDCWD, path, 0, &attr, MOUNT_ATTR_SIZE_VER0);
}

/* Each lock keeps its own attribute and no other. */
TEST_F(mount_locks, lock_attributes)
{
	static const struct {
		__u64 lock, attr;
	} tab[] = {
		{ MOUNT_LOCK_RDONLY, MOUNT_ATTR_RDONLY },
		{ MOUNT_LOCK_NODEV, MOUNT_ATTR_NODEV },
		{ MOUNT_LOCK_NOSUID, MOUNT_ATTR_NOSUID },
		{ MOUNT_LOCK_NOEXEC, MOUNT_ATTR_NOEXEC },
	};

	for (size_t i = 0; i < ARRAY_SIZE(tab); i++) {
		ASSERT_EQ(0, k_mount("1", "6", NULL, MS_BIND));
		ASSERT_EQ(0, set_attr("6", ALL_ATTRS, 0));
		ASSERT_EQ(0, lock(AT_FDCWD, "6", 0, tab[i].lock));
		EXPECT_EQ(tab[i].lock, LOCKS(&this_test, "6"));
		for (size_t j = 0; j < ARRAY_SIZE(tab); j++)
			EXPECT_EQ(i == j ? -EPERM : 0, set_attr("6", 0, tab[j].attr));
		EXPECT_EQ(0, set_attr("6", ALL_ATTRS, 0));
		ASSERT_EQ(0, k_umount("6", 0));
	}
}

TEST_F(mount_locks, lock_atime)
{
	ASSERT_EQ(0, set_attr("0", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME));
	ASSERT_EQ(0, lock(AT_FDCWD, "0", 0, MOUNT_LOCK_ATIME));
	EXPECT_EQ(MOUNT_LOCK_ATIME, LOCKS(&this_test, "0"));
	EXPECT_EQ(-EPERM, set_attr("0", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME));
	EXPECT_EQ(-EPERM, set_attr("0", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME));
	EXPECT_EQ(0, set_attr("0", MOUNT_ATTR_NODEV, 0));
}

/* Locks add up, and nothing takes one away again. */
TEST_F(mount_locks, locks_stay)
{
	ASSERT_EQ(0, lock(AT_FDCWD, "1", 0, MOUNT_LOCK_NODEV));
	ASSERT_EQ(0, lock(AT_FDCWD, "1", 0, MOUNT_LOCK_NOEXEC));
	EXPECT_EQ(MOUNT_LOCK_NODEV | MOUNT_LOCK_NOEXEC, LOCKS(&this_test, "1"));
	ASSERT_EQ(0, lock(AT_FDCWD, "1", 0, 0));
	ASSERT_EQ(0, set_attr("1", 0, MOUNT_ATTR_RDONLY));
	EXPECT_EQ(MOUNT_LOCK_NODEV | MOUNT_LOCK_NOEXEC, LOCKS(&this_test, "1"));
	EXPECT_EQ(-EPERM, k_mount(NULL, "1", NULL, MS_REMOUNT | MS_BIND));
	EXPECT_EQ(MOUNT_LOCK_NODEV | MOUNT_LOCK_NOEXEC, LOCKS(&this_test, "1"));
}

/* A remount is refused before it has changed the superblock. */
TEST_F(mount_locks, eperm_remount)
{
	ASSERT_EQ(0, k_mount("tmpfs", "6", "tmpfs", MS_NODEV));
	ASSERT_EQ(0, lock(AT_FDCWD, "6", 0, MOUNT_LOCK_NODEV));
	EXPECT_EQ(-EPERM, k_mount(NULL, "6", NULL, MS_REMOUNT | MS_RDONLY));
	EXPECT_EQ(0, k_ret(mkdir("6/a", 0755)));
	EXPECT_EQ(-EPERM, k_mount(NULL, "6", NULL, MS_REMOUNT));
	EXPECT_EQ(0, k_mount(NULL, "6", NULL, MS_REMOUNT | MS_RDONLY | MS_NODEV));
	EXPECT_EQ(-EROFS, k_ret(mkdir("6/b", 0755)));
}

/* Locks are refused while a remount lasts, however it ends. */
TEST_F(mount_locks, lock_after_a_remount)
{
	static char data[1 << 16];
	int fd;

	ASSERT_EQ(0, k_mount("tmpfs", "6", "tmpfs", MS_NODEV | MS_NOEXEC));
	fd = open("6/file", O_CREAT | O_WRONLY, 0644);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(sizeof(data), write(fd, data, sizeof(data)));
	ASSERT_EQ(0, close(fd));
	/* it is full, and can't become smaller */
	EXPECT_EQ(-EINVAL, k_ret(sys_mount(NULL, "6", NULL, MS_REMOUNT |
					    MS_NODEV | MS_NOEXEC, "size=4k")));
	EXPECT_EQ(0, lock(AT_FDCWD, "6", 0, MOUNT_LOCK_NODEV));
	EXPECT_EQ(0, k_mount(NULL, "6", NULL, MS_REMOUNT | MS_NODEV | MS_NOEXEC));
	EXPECT_EQ(0, lock(AT_FDCWD, "6", 0, MOUNT_LOCK_NOEXEC));
	EXPECT_EQ(MOUNT_LOCK_NODEV | MOUNT_LOCK_NOEXEC, LOCKS(&this_test, "6"));
}

/* An attribute is set and locked by one call. */
TEST_F(mount_locks, set_and_lock)
{
	struct mount_attr_locks attr = {
		.attr_set	= MOUNT_ATTR_RDONLY,
		.propagation	= MS_SHARED,
		.lock_set	= MOUNT_LOCK_RDONLY | MOUNT_LOCK_MOUNT,
	};
	struct mnt mnt;

	ASSERT_EQ(0, k_mount_setattr(AT_FDCWD, "0", 0, &attr, sizeof(attr)));
	ASSERT_EQ(0, mnt_at(&this_test, "0", &mnt));
	EXPECT_EQ(attr.lock_set, mnt.locks);
	EXPECT_EQ(MS_SHARED, mnt.propagation);
	EXPECT_TRUE(mnt.attr & MOUNT_ATTR_RDONLY);
	EXPECT_EQ(-EPERM, set_attr("0", 0, MOUNT_ATTR_RDONLY));
}

/* All or nothing: neither the propagation changes, nor is a group ID used up. */
TEST_F(mount_locks, einval_propagation_stays)
{
	struct mount_attr_locks attr = {
		.propagation	= MS_SHARED,
		.lock_set	= MOUNT_LOCK_NODEV,
	};
	struct mnt mnt, after;

	ASSERT_EQ(0, k_mount(NULL, "0", NULL, MS_SHARED));
	ASSERT_EQ(0, mnt_at(&this_test, "0", &mnt));
	ASSERT_EQ(0, k_mount(NULL, "0", NULL, MS_PRIVATE));
	EXPECT_EQ(-EINVAL, k_mount_setattr(AT_FDCWD, "2", AT_RECURSIVE, &attr,
					   sizeof(attr)));
	ASSERT_EQ(0, mnt_at(&this_test, "2", &after));
	EXPECT_EQ(MS_PRIVATE, after.propagation);
	EXPECT_EQ(0, after.locks);
	ASSERT_EQ(0, mnt_at(&this_test, "2/a/x", &after));
	EXPECT_EQ(MS_PRIVATE, after.propagation);
	/* the next group gets the ID that was free */
	ASSERT_EQ(0, k_mount(NULL, "0", NULL, MS_SHARED));
	ASSERT_EQ(0, mnt_at(&this_test, "0", &after));
	EXPECT_EQ(mnt.group, after.group);
}

/* What is not set can't be locked, and what is being cleared can't either. */
TEST_F(mount_locks, einval_attribute_not_set)
{
	struct mount_attr_locks attr = {
		.attr_clr	= MOUNT_ATTR_NODEV,
		.lock_set	= MOUNT_LOCK_NODEV,
	};

	for (__u64 l = 1; l <= MOUNT_LOCK_ATIME; l <<= 1) {
		EXPECT_EQ((l & ATTR_LOCKS) ? -EINVAL : 0,
			  lock(AT_FDCWD, "0", 0, l)) {
			TH_LOG("lock %llx", l);
		}
	}
	EXPECT_EQ(0, LOCKS(&this_test, "0") & ATTR_LOCKS);
	EXPECT_EQ(-EINVAL, k_mount_setattr(AT_FDCWD, "1", 0, &attr, sizeof(attr)));
	EXPECT_EQ(0, LOCKS(&this_test, "1"));
}

TEST_F(mount_locks, recursive)
{
	ASSERT_EQ(0, lock(AT_FDCWD, "2", AT_RECURSIVE, MOUNT_LOCK_MOUNT));
	EXPECT_EQ(MOUNT_LOCK_MOUNT, LOCKS(&this_test, "2"));
	EXPECT_EQ(MOUNT_LOCK_MOUNT, LOCKS(&this_test, "2/a/x"));
	/* all or nothing: the mount below does not have the attribute */
	ASSERT_EQ(0, set_attr("2", MOUNT_ATTR_NODEV, 0));
	EXPECT_EQ(-EINVAL, lock(AT_FDCWD, "2", AT_RECURSIVE, MOUNT_LOCK_NODEV));
	EXPECT_EQ(MOUNT_LOCK_MOUNT, LOCKS(&this_test, "2"));
}

TEST_F(mount_locks, open_tree_attr)
{
	struct mount_attr_locks attr = {
		.attr_set	= MOUNT_ATTR_NOEXEC,
		.lock_set	= MOUNT_LOCK_NOEXEC,
	};
	int fd = k_open_tree_attr(AT_FDCWD, "0", OPEN_TREE_CLONE, &attr,
				  sizeof(attr));

	ASSERT_GE(fd, 0);
	EXPECT_EQ(MOUNT_LOCK_NOEXEC, locks_of(fd));
	EXPECT_EQ(0, LOCKS(&this_test, "0"));
	ASSERT_EQ(0, k_move_mount(fd, "", AT_FDCWD, "7", 0));
	EXPECT_EQ(MOUNT_LOCK_NOEXEC, LOCKS(&this_test, "7"));
	EXPECT_EQ(-EPERM, set_attr("7", 0, MOUNT_ATTR_NOEXEC));
}

/*
 * Who owns a namespace can't lock what is mounted there, as somebody else may have
 * mounted it: that is for those who are privileged over the owner's parent.
 */
static bool may_lock(enum role who, enum role whose)
{
	if (who == OWNER)
		return whose == CHILD;
	return who <= PEER_NS;
}

TEST_F_TIMEOUT(mount_locks, eperm_owner, 120)
{
	for (int whose = TEST_NS; whose <= SIBLING; whose++) {
		int fd = OPEN_IN(&self->cast[whose], "1");

		ASSERT_GE(fd, 0);
		for (int who = 0; who < NR_ROLES; who++) {
			bool may = may_lock(who, whose);
			int ret = AS(&self->cast[who],
				     lock(fd, "", 0, MOUNT_LOCK_NODEV));

			EXPECT_EQ(may ? 0 : -EPERM, ret) {
				TH_LOG("caller %d, mount %d", who, whose);
			}
		}
		EXPECT_TRUE(locks_of(fd) & MOUNT_LOCK_NODEV);
		ASSERT_EQ(0, close(fd));
	}
}

/*
 * A detached tree is no different, though whoever has its descriptor, and is
 * privileged over some namespace, may change the attributes.
 */
TEST_F_TIMEOUT(mount_locks, eperm_owner_of_detached_tree, 120)
{
	for (int whose = TEST_NS; whose <= SIBLING; whose++) {
		int tree = detached_tmpfs(&self->cast[whose], MOUNT_ATTR_NODEV);

		ASSERT_GE(tree, 0);
		for (int who = 0; who < NR_ROLES; who++) {
			int ret = AS(&self->cast[who],
				     lock(tree, "", 0, MOUNT_LOCK_NODEV));

			EXPECT_EQ(may_lock(who, whose) ? 0 : -EPERM, ret) {
				TH_LOG("caller %d, tree %d", who, whose);
			}
		}
		EXPECT_EQ(MOUNT_LOCK_NODEV, locks_of(tree));
		ASSERT_EQ(0, close(tree));
	}
}

TEST_F(mount_locks, einval_locks_and_more)
{
	struct mount_attr_locks attr = { .lock_set = MOUNT_LOCK_MOUNT };
	struct actor *peer = &self->cast[PEER_NS];
	int fd = OPEN_IN(peer, "1");
	int tree, child;

	ASSERT_GE(fd, 0);
	attr.attr_set = MOUNT_ATTR_NOATIME;
	attr.attr_clr = MOUNT_ATTR__ATIME;
	EXPECT_EQ(-EINVAL, k_mount_setattr(fd, "", AT_EMPTY_PATH, &attr,
					   sizeof(attr)));
	attr.attr_set = MOUNT_ATTR_NOSYMFOLLOW;
	attr.attr_clr = 0;
	EXPECT_EQ(-EINVAL, k_mount_setattr(fd, "", AT_EMPTY_PATH, &attr,
					   sizeof(attr)));
	attr.attr_set = 0;
	attr.attr_clr = MOUNT_ATTR_RDONLY;
	EXPECT_EQ(-EINVAL, k_mount_setattr(fd, "", AT_EMPTY_PATH, &attr,
					   sizeof(attr)));
	EXPECT_EQ(0, locks_of(fd));
	/* the propagation may be changed there, too */
	attr.attr_clr = 0;
	attr.propagation = MS_SHARED;
	EXPECT_EQ(0, k_mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)));
	EXPECT_EQ(MOUNT_LOCK_MOUNT, locks_of(fd));
	EXPECT_EQ(MS_SHARED, propagation_of(fd));

	/* an idmap is an attribute too: a mount below the root of a detached tree */
	attr = (struct mount_attr_locks) {
		.attr_set	= MOUNT_ATTR_IDMAP,
		.userns_fd	= self->cast[OWNER].userns,
		.lock_set	= MOUNT_LOCK_MOUNT,
	};
	tree = detached_tmpfs(&this_test, 0);
	child = detached_tmpfs(&this_test, 0);
	ASSERT_TRUE(tree >= 0 && child >= 0);
	ASSERT_EQ(0, mkdirat(tree, "d", 0755));
	ASSERT_EQ(0, k_move_mount(child, "", tree, "d", 0));
	EXPECT_EQ(-EINVAL, k_mount_setattr(child, "", AT_EMPTY_PATH, &attr,
					   sizeof(attr)));
	EXPECT_EQ(0, locks_of(child));
	EXPECT_EQ(0, lock(child, "", 0, MOUNT_LOCK_MOUNT));
}

/*
 * What the kernel would lock itself, when it copies a tree to another owner, can be
 * locked: an automount that does not expire, too. Without a server none does.
 */
TEST_F(mount_locks, automount)
{
	struct actor owner;
	int ret, fd, dir;

	ASSERT_EQ(0, mkdir("debug", 0755));
	ret = k_mount("debugfs", "debug", "debugfs", 0);
	if (ret == -ENODEV)
		SKIP(return, "no debugfs");
	ASSERT_EQ(0, ret);
	fd = k_open("debug/tracing/", O_PATH | O_DIRECTORY);
	dir = k_open("debug", O_PATH);
	ASSERT_GE(dir, 0);
	if (fd < 0 || mnt_id_of(fd) == mnt_id_of(dir))
		SKIP(return, "no tracefs (CONFIG_TRACEFS_AUTOMOUNT_DEPRECATED)");
	ASSERT_EQ(0, actor_new(&owner, &this_test, ACTOR_USERNS));
	EXPECT_EQ(MOUNT_LOCK_MOUNT | MOUNT_LOCK_ATIME, LOCKS(&owner, "debug/tracing/"));
	EXPECT_EQ(0, lock(dir, "", AT_RECURSIVE, MOUNT_LOCK_MOUNT | MOUNT_LOCK_ATIME));
	EXPECT_EQ(MOUNT_LOCK_MOUNT | MOUNT_LOCK_ATIME, locks_of(fd));
	EXPECT_EQ(-EINVAL, k_umount("debug/tracing", 0));
}

/* What nobody could take away again, or copies leave out, must not hide things. */
TEST_F(mount_locks, einval_lock_mount)
{
	int tree = detached_tmpfs(&this_test, MOUNT_ATTR_NODEV);
	int nsfs;

	ASSERT_GE(tree, 0);
	/* the root of a detached tree: nothing is below it */
	EXPECT_EQ(-EINVAL, lock(tree, "", 0, MOUNT_LOCK_MOUNT));
	EXPECT_EQ(-EINVAL, lock(tree, "", 0, MOUNT_LOCK_MOUNT | MOUNT_LOCK_NODEV));
	EXPECT_EQ(0, locks_of(tree));
	EXPECT_EQ(0, lock(tree, "", 0, MOUNT_LOCK_NODEV));
	ASSERT_EQ(0, k_move_mount(tree, "", AT_FDCWD, "5", 0));
	EXPECT_EQ(0, lock(tree, "", 0, MOUNT_LOCK_MOUNT));

	/* a mount namespace file, by itself and below another mount */
	ASSERT_EQ(0, mknod("5/file", S_IFREG | 0600, 0));
	nsfs = k_open_tree(self->cast[PEER_NS].mntns, "",
			   OPEN_TREE_CLONE | AT_EMPTY_PATH);
	ASSERT_GE(nsfs, 0);
	ASSERT_EQ(0, k_move_mount(nsfs, "", AT_FDCWD, "5/file", 0));
	EXPECT_EQ(-EINVAL, lock(nsfs, "", 0, MOUNT_LOCK_MOUNT));
	EXPECT_EQ(-EINVAL, lock(AT_FDCWD, "5", AT_RECURSIVE, MOUNT_LOCK_MOUNT));
	EXPECT_EQ(0, LOCKS(&this_test, "5/file"));
}

/* A mount namespace file does not take over a lock, on the root of a tree neither. */
TEST_F(mount_locks, einval_beneath_a_lock)
{
	int root, top, nsfs;

	ASSERT_EQ(0, mknod("0/file", S_IFREG | 0600, 0));
	root = k_open_tree(AT_FDCWD, "0/file", OPEN_TREE_CLONE);
	top = k_open_tree(AT_FDCWD, "0/file", OPEN_TREE_CLONE);
	nsfs = k_open_tree(self->cast[PEER_NS].mntns, "",
			   OPEN_TREE_CLONE | AT_EMPTY_PATH);
	ASSERT_TRUE(root >= 0 && top >= 0 && nsfs >= 0);
	ASSERT_EQ(0, k_move_mount(top, "", root, "", 0));
	ASSERT_EQ(0, lock(top, "", 0, MOUNT_LOCK_MOUNT));
	EXPECT_EQ(-EINVAL, k_move_mount(nsfs, "", root, "", MOVE_MOUNT_BENEATH));
	EXPECT_EQ(-EINVAL, k_move_mount(nsfs, "", top, "", MOVE_MOUNT_BENEATH));
	EXPECT_EQ(MOUNT_LOCK_MOUNT, locks_of(top));
}

/* Nor is there anything below the root of a namespace, which other mounts are on. */
TEST_F(mount_locks, einval_lock_namespace_root)
{
	struct actor *peer = &self->cast[PEER_NS];
	int ns_root, root;

	ns_root = k_ns_mnt_open(peer->mntns, NS_MNT_OPEN_NS_ROOT);
	root = k_ns_mnt_open(peer->mntns, NS_MNT_OPEN_ROOT);
	ASSERT_TRUE(ns_root >= 0 && root >= 0);
	ASSERT_NE(mnt_id_of(root), mnt_id_of(ns_root));
	EXPECT_EQ(-EINVAL, lock(ns_root, "", 0, MOUNT_LOCK_MOUNT));
	/* all or nothing, so that all of a namespace is locked from "/" */
	EXPECT_EQ(-EINVAL, lock(ns_root, "", AT_RECURSIVE, MOUNT_LOCK_MOUNT));
	EXPECT_EQ(0, locks_of(ns_root));
	EXPECT_EQ(0, locks_of(root));
	EXPECT_EQ(0, LOCKS(peer, "0"));
	EXPECT_EQ(0, lock(ns_root, "", 0, MOUNT_LOCK_ATIME));
	EXPECT_EQ(0, lock(root, "", AT_RECURSIVE, MOUNT_LOCK_MOUNT));
	EXPECT_EQ(MOUNT_LOCK_MOUNT, locks_of(root));
	EXPECT_EQ(MOUNT_LOCK_MOUNT, LOCKS(peer, "0"));
}

TEST_F(mount_locks, einval_unknown_lock)
{
	for (int bit = 6; bit < 64; bit++) {
		EXPECT_EQ(-EINVAL, lock(AT_FDCWD, "0", 0, 1ULL << bit)) {
			TH_LOG("bit %d", bit);
		}
		EXPECT_EQ(-EINVAL, lock(AT_FDCWD, "0", 0, MOUNT_LOCK_MOUNT | 1ULL << bit)) {
			TH_LOG("bit %d", bit);
		}
	}
	EXPECT_EQ(0, LOCKS(&this_test, "0"));
}

TEST_F(mount_locks, einval_not_mounted)
{
	int fd = k_open("0", O_PATH);
	int sub = k_openat(fd, "a", O_PATH);

	ASSERT_TRUE(fd >= 0 && sub >= 0);
	EXPECT_EQ(-EINVAL, lock(sub, "", 0, MOUNT_LOCK_MOUNT));
	ASSERT_EQ(0, k_umount("0", MNT_DETACH));
	EXPECT_EQ(-EINVAL, lock(fd, "", 0, MOUNT_LOCK_MOUNT));
	fd = OPEN_IN(&self->cast[PEER_NS], "0");
	ASSERT_GE(fd, 0);
	actor_close(&self->cast[PEER_NS]);
	EXPECT_EQ(-EINVAL, lock(fd, "", 0, MOUNT_LOCK_MOUNT));
}

/* The structure has grown once, and may grow again. */
TEST_F(mount_locks, size)
{
	struct {
		struct mount_attr_locks attr;
		__u64 more;
		char page[0x10000];	/* however large one is */
	} big = { .attr.lock_set = MOUNT_LOCK_MOUNT };
	const size_t page = sysconf(_SC_PAGESIZE);

	for (size_t size = 0; size < MOUNT_ATTR_SIZE_VER0; size++)
		EXPECT_EQ(-EINVAL, k_mount_setattr(AT_FDCWD, "0", 0, &big, size));
	/* each byte that this kernel knows nothing of */
	for (size_t size = MOUNT_ATTR_SIZE_VER1; size < MOUNT_ATTR_SIZE_VER1 + 16; size++) {
		char *more = (char *)&big + size;

		*more = 1;
		EXPECT_EQ(-E2BIG, k_mount_setattr(AT_FDCWD, "0", 0, &big, size + 1));
		*more = 0;
	}
	EXPECT_EQ(-E2BIG, k_mount_setattr(AT_FDCWD, "0", 0, &big, page + 1));
	((char *)&big)[page - 1] = 1;
	EXPECT_EQ(-E2BIG, k_mount_setattr(AT_FDCWD, "0", 0, &big, page));
	((char *)&big)[page - 1] = 0;
	EXPECT_EQ(0, LOCKS(&this_test, "0"));
	EXPECT_EQ(0, k_mount_setattr(AT_FDCWD, "1", 0, &big, page));
	EXPECT_EQ(MOUNT_LOCK_MOUNT, LOCKS(&this_test, "1"));
	big.more = 1;
	/* the first version ends before the locks */
	EXPECT_EQ(0, k_mount_setattr(AT_FDCWD, "0", 0, &big, MOUNT_ATTR_SIZE_VER0));
	EXPECT_EQ(0, LOCKS(&this_test, "0"));
	big.more = 0;
	EXPECT_EQ(0, k_mount_setattr(AT_FDCWD, "0", 0, &big, MOUNT_ATTR_SIZE_VER1 + 8));
	EXPECT_EQ(MOUNT_LOCK_MOUNT, LOCKS(&this_test, "0"));
}

/* What a namespace of another owner hides, locked there afterwards. */
TEST_F(mount_locks, restored_namespace)
{
	struct actor *owner = &self->cast[OWNER];
	int fd, tree, child;

	/* a tree that is put in place by someone outside ... */
	tree = detached_tmpfs(&this_test, 0);
	child = detached_tmpfs(&this_test, MOUNT_ATTR_RDONLY);
	fd = OPEN_IN(owner, "0/b");
	ASSERT_TRUE(tree >= 0 && child >= 0 && fd >= 0);
	ASSERT_EQ(0, mkdirat(tree, "d", 0755));
	ASSERT_EQ(0, k_move_mount(child, "", tree, "d", 0));
	ASSERT_EQ(0, k_move_mount(tree, "", fd, "", MOVE_MOUNT_T_FOREIGN |
				  MOVE_MOUNT_UNLOCKED));
	EXPECT_EQ(0, LOCKS(owner, "0/b/d"));

	/* ... and locked there, which the owner can't undo */
	ASSERT_EQ(0, lock(child, "", 0, MOUNT_LOCK_MOUNT | MOUNT_LOCK_RDONLY));
	EXPECT_EQ(-EINVAL, IN(owner, k_umount("0/b/d", 0)));
	EXPECT_EQ(-EPERM, IN(owner, set_attr("0/b/d", 0, MOUNT_ATTR_RDONLY)));
	EXPECT_EQ(-EINVAL, IN(owner, k_mount("0/b", "8", NULL, MS_BIND)));
	EXPECT_EQ(0, IN(owner, k_umount("0/b", MNT_DETACH)));
}

/* A copy for the same owner has the locks there are, one for another has all. */
TEST_F(mount_locks, handed_over_by_unshare)
{
	struct actor copy, theirs, below;

	ASSERT_EQ(0, lock(AT_FDCWD, "1", 0, MOUNT_LOCK_NODEV));
	ASSERT_EQ(0, lock(AT_FDCWD, "2/a/x", 0, MOUNT_LOCK_MOUNT));
	ASSERT_EQ(0, actor_new(&copy, &this_test, ACTOR_MNTNS));
	EXPECT_EQ(0, LOCKS(&copy, "0"));
	EXPECT_EQ(MOUNT_LOCK_NODEV, LOCKS(&copy, "1"));
	EXPECT_EQ(0, LOCKS(&copy, "2"));
	EXPECT_EQ(MOUNT_LOCK_MOUNT, LOCKS(&copy, "2/a/x"));
	EXPECT_EQ(-EINVAL, UMOUNT_IN(&copy, "2/a/x"));
	EXPECT_EQ(-EPERM, IN(&copy, set_attr("1", 0, MOUNT_ATTR_NODEV)));
	EXPECT_EQ(0, IN(&copy, set_attr("1", 0, MOUNT_ATTR_NOSUID)));

	/* what is not set there can't be locked there */
	ASSERT_EQ(0, actor_new(&theirs, &copy, ACTOR_USERNS));
	EXPECT_EQ(ALL_LOCKS & ~MOUNT_LOCK_NOSUID, LOCKS(&theirs, "1"));
	EXPECT_EQ(MOUNT_LOCK_MOUNT | MOUNT_LOCK_ATIME, LOCKS(&theirs, "2/a/x"));
	ASSERT_EQ(0, IN(&theirs, set_attr("1", MOUNT_ATTR_NOSUID, 0)));
	ASSERT_EQ(0, actor_new(&below, &theirs, ACTOR_USERNS));
	EXPECT_EQ(ALL_LOCKS, LOCKS(&below, "1"));
	EXPECT_EQ(ALL_LOCKS & ~MOUNT_LOCK_NOSUID, LOCKS(&theirs, "1"));
}

/*
 * What is cloned out of a namespace of another owner stays locked, for someone
 * with more privileges as well. Only the root of the tree may be moved.
 */
TEST_F(mount_locks, handed_over_by_open_tree)
{
	const unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_FOREIGN |
				   AT_EMPTY_PATH | AT_RECURSIVE;
	struct actor *owner = &self->cast[OWNER];
	int fd, tree;

	fd = OPEN_IN(owner, "2");
	ASSERT_GE(fd, 0);
	tree = k_open_tree(fd, "", flags);
	ASSERT_GE(tree, 0);
	EXPECT_EQ(MOUNT_LOCK_ATIME, locks_of(tree));
	ASSERT_EQ(0, k_move_mount(tree, "", AT_FDCWD, "5", 0));
	EXPECT_EQ(MOUNT_LOCK_ATIME, LOCKS(&this_test, "5"));
	EXPECT_EQ(MOUNT_LOCK_MOUNT | MOUNT_LOCK_ATIME, LOCKS(&this_test, "5/a/x"));
	EXPECT_EQ(-EINVAL, k_umount("5/a/x", 0));
	EXPECT_EQ(-EPERM, set_attr("5", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME));
	EXPECT_EQ(-EINVAL, k_open_tree(AT_FDCWD, "5", OPEN_TREE_CLONE));

	fd = OPEN_IN(owner, "1");
	ASSERT_GE(fd, 0);
	tree = k_open_tree(fd, "", flags);
	ASSERT_GE(tree, 0);
	EXPECT_EQ(ALL_LOCKS & ~MOUNT_LOCK_MOUNT, locks_of(tree));
	ASSERT_EQ(0, k_move_mount(tree, "", AT_FDCWD, "6", 0));
	EXPECT_EQ(ALL_LOCKS & ~MOUNT_LOCK_MOUNT, LOCKS(&this_test, "6"));
	EXPECT_EQ(-EPERM, set_attr("6", 0, MOUNT_ATTR_RDONLY));
	ASSERT_EQ(0, close(tree));
	EXPECT_EQ(0, k_umount("6", 0));
	/* nothing of it is back in the source */
	EXPECT_EQ(MOUNT_LOCK_MOUNT | MOUNT_LOCK_ATIME, LOCKS(owner, "2"));
	EXPECT_EQ(ALL_LOCKS, LOCKS(owner, "1"));
}

/* What is handed over to a namespace of another owner has the locks it had. */
TEST_F(mount_locks, handed_over_by_move_mount)
{
	struct actor *owner = &self->cast[OWNER];
	struct actor below;
	int fd, tree, child;

	tree = detached_tmpfs(&this_test, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID);
	child = detached_tmpfs(&this_test, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV);
	fd = OPEN_IN(owner, "0/b");
	ASSERT_TRUE(tree >= 0 && child >= 0 && fd >= 0);
	ASSERT_EQ(0, mkdirat(tree, "d", 0755));
	ASSERT_EQ(0, k_move_mount(child, "", tree, "d", 0));
	ASSERT_EQ(0, lock(tree, "", 0, MOUNT_LOCK_NODEV));
	ASSERT_EQ(0, lock(child, "", 0, MOUNT_LOCK_MOUNT | MOUNT_LOCK_RDONLY));
	ASSERT_EQ(0, k_move_mount(tree, "", fd, "", MOVE_MOUNT_T_FOREIGN |
				  MOVE_MOUNT_UNLOCKED));

	EXPECT_EQ(MOUNT_LOCK_NODEV, LOCKS(owner, "0/b"));
	EXPECT_EQ(MOUNT_LOCK_MOUNT | MOUNT_LOCK_RDONLY, LOCKS(owner, "0/b/d"));
	EXPECT_EQ(-EINVAL, UMOUNT_IN(owner, "0/b/d"));
	EXPECT_EQ(-EPERM, IN(owner, set_attr("0/b/d", 0, MOUNT_ATTR_RDONLY)));
	EXPECT_EQ(0, IN(owner, set_attr("0/b/d", 0, MOUNT_ATTR_NODEV)));
	/* ... and whoever gets a copy of it all there can be */
	ASSERT_EQ(0, actor_new(&below, owner, ACTOR_USERNS));
	EXPECT_EQ(MOUNT_LOCK_MOUNT | MOUNT_LOCK_ATIME | MOUNT_LOCK_NODEV |
		  MOUNT_LOCK_NOSUID, LOCKS(&below, "0/b"));
	EXPECT_EQ(MOUNT_LOCK_MOUNT | MOUNT_LOCK_ATIME | MOUNT_LOCK_RDONLY,
		  LOCKS(&below, "0/b/d"));
}

/*
 * Locked after the group was made, as a restorer does it. A lock keeps what is
 * mounted from whoever has it, not from what its parent receives from.
 */
TEST_F(mount_locks, locked_in_a_group)
{
	struct actor *peer = &self->cast[PEER_NS];
	int fds[2], joins[2], child;

	fds[0] = k_open("0", O_PATH);
	fds[1] = OPEN_IN(peer, "0");
	joins[0] = member_of(&this_test, self->base, "", "8");
	joins[1] = member_of(&this_test, self->base, "", "9");
	ASSERT_TRUE(fds[0] >= 0 && fds[1] >= 0 && joins[0] >= 0 && joins[1] >= 0);
	ASSERT_EQ(0, k_setgroup(MOUNT_SETGROUP_SHARED, fds, 2, 0));
	ASSERT_EQ(0, k_mount("tmpfs", "0/a/x", "tmpfs", 0));
	child = OPEN_IN(peer, "0/a/x");
	ASSERT_GE(child, 0);
	ASSERT_EQ(0, lock(child, "", 0, MOUNT_LOCK_MOUNT));
	EXPECT_EQ(0, LOCKS(&this_test, "0/a/x"));
	EXPECT_EQ(-EINVAL, UMOUNT_IN(peer, "0/a/x"));
	ASSERT_EQ(1, MOUNTED_IN(peer, "0/a/x"));
	ASSERT_EQ(0, close(child));
	EXPECT_EQ(0, k_umount("0/a/x", 0));
	EXPECT_EQ(0, MOUNTED_IN(peer, "0/a/x"));

	/* locked in all of them it stays */
	ASSERT_EQ(0, k_mount("tmpfs", "0/a/x", "tmpfs", 0));
	child = OPEN_IN(peer, "0/a/x");
	ASSERT_GE(child, 0);
	ASSERT_EQ(0, lock(child, "", 0, MOUNT_LOCK_MOUNT));
	ASSERT_EQ(0, lock(AT_FDCWD, "0/a/x", 0, MOUNT_LOCK_MOUNT));
	EXPECT_EQ(-EINVAL, k_umount("0/a/x", 0));
	EXPECT_EQ(-EINVAL, k_umount("0/a/x", MNT_DETACH));
	EXPECT_EQ(-EINVAL, UMOUNT_IN(peer, "0/a/x"));
	EXPECT_EQ(1, MOUNTED_IN(peer, "0/a/x"));
	/* and whoever could take it away is no member unless it has that too */
	EXPECT_EQ(-EACCES, k_setgroup(MOUNT_SETGROUP_PEER, joins, 1, fds[0]));
	ASSERT_EQ(0, k_mount("tmpfs", "8/a/x", "tmpfs", 0));
	EXPECT_EQ(-EACCES, k_setgroup(MOUNT_SETGROUP_PEER, joins, 1, fds[0]));
	ASSERT_EQ(0, lock(AT_FDCWD, "8/a/x", 0, MOUNT_LOCK_MOUNT));
	EXPECT_EQ(0, k_setgroup(MOUNT_SETGROUP_PEER, joins, 1, fds[0]));
	/* who only receives takes nothing away */
	EXPECT_EQ(0, k_setgroup(MOUNT_SETGROUP_MASTER, joins + 1, 1, fds[0]));
	/* the rest is as in any group */
	ASSERT_EQ(0, MOUNT_IN(peer, "0/b"));
	EXPECT_EQ(1, is_mounted_at(&this_test, "0/b"));
	EXPECT_EQ(1, is_mounted_at(&this_test, "8/b"));
	EXPECT_EQ(1, is_mounted_at(&this_test, "9/b"));
	ASSERT_EQ(0, k_umount("0/b", 0));
	EXPECT_EQ(0, MOUNTED_IN(peer, "0/b"));
	EXPECT_EQ(0, is_mounted_at(&this_test, "9/b"));
}

TEST_HARNESS_MAIN
