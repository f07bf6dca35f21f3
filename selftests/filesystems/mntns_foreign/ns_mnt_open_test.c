// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl(NS_MNT_OPEN) on a mount namespace file: a descriptor of a mount from
 * its unique id.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <linux/magic.h>

#include "../mount_cast.h"
#include "../utils.h"
#include "../../kselftest_harness.h"

#ifndef NULL_FS_MAGIC
#define NULL_FS_MAGIC	0x4E554C4C
#endif

static void open_teardown(const char *base)
{
	if (!chdir("/"))
		scratch_teardown(base);
}

/*
 * In a new directory: a descriptor of the test's mount namespace, or -ENOTTY if
 * it can't be asked for mounts.
 */
static int open_setup(char *base, size_t size)
{
	int own, fd, err;

	err = scratch_setup(base, size);
	if (err)
		return err;
	own = chdir(base) ? -errno : k_open("/proc/self/ns/mnt", O_RDONLY);
	fd = own < 0 ? own : k_ns_mnt_open(own, NS_MNT_OPEN_ROOT);
	if (fd < 0) {
		open_teardown(base);
		return fd;
	}
	close(fd);
	return own;
}

FIXTURE(ns_mnt_open) {
	char base[64];
	int own;		/* the test's mount namespace */
	struct actor cast[NR_ROLES];
};

/*
 * Every namespace has "mnt", a tmpfs with nothing above or below it. In the
 * namespaces of other owners it is locked, as everything there is.
 */
FIXTURE_SETUP(ns_mnt_open)
{
	if (geteuid())
		SKIP(return, "test requires root");
	self->own = open_setup(self->base, sizeof(self->base));
	if (self->own == -ENOTTY)
		SKIP(return, "ioctl(NS_MNT_OPEN) not supported");
	ASSERT_GE(self->own, 0);
	ASSERT_EQ(0, mkdir("mnt", 0755));
	ASSERT_EQ(0, mkdir("cov", 0755));
	ASSERT_EQ(0, k_mount("tmpfs", "mnt", "tmpfs", 0));
	ASSERT_EQ(0, mkdir("mnt/sub", 0755));
	ASSERT_EQ(0, cast_setup(self->cast));
	/* setns() is for others, the ioctl needs a descriptor of one's own too */
	self->cast[TEST_NS].mntns = self->own;
}

FIXTURE_TEARDOWN(ns_mnt_open)
{
	open_teardown(self->base);
}

/* The id of the mount that @actor has at @path. */
static __u64 id_at(const struct actor *actor, const char *path)
{
	struct mnt mnt;

	return mnt_at(actor, path, &mnt) || !mnt.is_root ? 0 : mnt.id;
}

TEST_F(ns_mnt_open, opens_the_mount)
{
	__u64 id = id_at(&self->cast[TEST_NS], PATH("mnt"));
	struct mnt mnt;
	int fd;

	ASSERT_NE(0, id);
	fd = k_ns_mnt_open(self->own, id);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, mnt_of(fd, &mnt));
	EXPECT_EQ(id, mnt.id);
	EXPECT_TRUE(mnt.is_root);
	EXPECT_TRUE(fcntl(fd, F_GETFL) & O_PATH);
	EXPECT_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	EXPECT_EQ(0, faccessat(fd, "sub", F_OK, 0));
}

TEST_F(ns_mnt_open, emfile)
{
	__u64 id = id_at(&self->cast[TEST_NS], PATH("mnt"));
	struct rlimit was, none = {};

	ASSERT_NE(0, id);
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &was));
	none.rlim_max = was.rlim_max;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_EQ(-EMFILE, k_ns_mnt_open(self->own, id));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &was));
}

/* No path leads to what another mount covers. */
TEST_F(ns_mnt_open, covered_mount)
{
	struct actor *me = &self->cast[TEST_NS];
	__u64 id = id_at(me, PATH("mnt"));
	int fd;

	ASSERT_NE(0, id);
	ASSERT_EQ(0, k_mount("tmpfs", PATH("mnt"), "tmpfs", 0));
	ASSERT_NE(id, id_at(me, PATH("mnt")));
	fd = k_ns_mnt_open(self->own, id);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(id, mnt_id_of(fd));
	EXPECT_EQ(0, faccessat(fd, "sub", F_OK, 0));
}

TEST_F(ns_mnt_open, another_namespace)
{
	for (int whose = PEER_NS; whose <= SIBLING; whose++) {
		__u64 id = id_at(&self->cast[whose], PATH("mnt"));
		int fd;

		ASSERT_NE(0, id);
		fd = k_ns_mnt_open(self->cast[whose].mntns, id);
		ASSERT_GE(fd, 0);
		EXPECT_EQ(id, mnt_id_of(fd));
		ASSERT_EQ(0, close(fd));
	}
}

/* What "/" is for whoever enters the namespace. */
TEST_F(ns_mnt_open, root)
{
	for (int whose = PEER_NS; whose <= SIBLING; whose++) {
		struct mnt mnt;
		int fd;

		fd = k_ns_mnt_open(self->cast[whose].mntns, NS_MNT_OPEN_ROOT);
		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, mnt_at(&self->cast[whose], "/", &mnt));
		EXPECT_EQ(mnt.id, mnt_id_of(fd));
		ASSERT_EQ(0, close(fd));
	}
}

/* A mount on "/" covers the old root for whoever enters from then on. */
TEST_F(ns_mnt_open, root_is_the_topmost)
{
	struct actor *peer = &self->cast[PEER_NS];
	struct mnt before, after;
	int fd;

	ASSERT_EQ(0, mnt_at(peer, "/", &before));
	ASSERT_EQ(0, AS(peer, k_mount("tmpfs", "/", "tmpfs", 0)));
	ASSERT_EQ(0, mnt_at(peer, "/", &after));
	ASSERT_NE(before.id, after.id);
	fd = k_ns_mnt_open(peer->mntns, NS_MNT_OPEN_ROOT);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(after.id, mnt_id_of(fd));
	ASSERT_EQ(0, close(fd));
	fd = k_ns_mnt_open(peer->mntns, before.id);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(before.id, mnt_id_of(fd));
}

/* The bottom of the stack that "/" is the top of. */
TEST_F(ns_mnt_open, ns_root)
{
	struct statfs sfs;
	struct mnt mnt, top;
	int fd;

	fd = k_ns_mnt_open(self->cast[PEER_NS].mntns, NS_MNT_OPEN_NS_ROOT);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, mnt_of(fd, &mnt));
	EXPECT_EQ(mnt.id, mnt.parent);
	ASSERT_EQ(0, fstatfs(fd, &sfs));
	EXPECT_EQ(NULL_FS_MAGIC, sfs.f_type);
	ASSERT_EQ(0, mnt_at(&self->cast[PEER_NS], "/", &top));
	EXPECT_NE(top.id, mnt.id);
}

/* An empty namespace has one root, and what is attached there is the other. */
TEST_F(ns_mnt_open, empty_namespace)
{
	struct actor empty;
	struct mnt mnt;
	int root, ns_root, tree;

	ASSERT_EQ(0, actor_new(&empty, &self->cast[TEST_NS], ACTOR_EMPTY_MNTNS));
	root = k_ns_mnt_open(empty.mntns, NS_MNT_OPEN_ROOT);
	ASSERT_GE(root, 0);
	ns_root = k_ns_mnt_open(empty.mntns, NS_MNT_OPEN_NS_ROOT);
	ASSERT_GE(ns_root, 0);
	EXPECT_EQ(mnt_id_of(ns_root), mnt_id_of(root));
	ASSERT_EQ(0, close(root));

	tree = detached_tmpfs(&self->cast[TEST_NS], 0);
	ASSERT_GE(tree, 0);
	ASSERT_EQ(0, k_move_mount(tree, "", ns_root, "", MOVE_MOUNT_T_FOREIGN));
	ASSERT_EQ(0, mnt_at(&empty, "/", &mnt));
	EXPECT_EQ(mnt_id_of(tree), mnt.id);
	root = k_ns_mnt_open(empty.mntns, NS_MNT_OPEN_ROOT);
	ASSERT_GE(root, 0);
	EXPECT_EQ(mnt_id_of(tree), mnt_id_of(root));
}

TEST_F(ns_mnt_open, enoent)
{
	struct actor *peer = &self->cast[PEER_NS];
	__u64 id = id_at(&self->cast[TEST_NS], PATH("mnt"));

	ASSERT_NE(0, id);
	/* of another namespace */
	EXPECT_EQ(-ENOENT, k_ns_mnt_open(peer->mntns, id));
	/* of none */
	EXPECT_EQ(-ENOENT, k_ns_mnt_open(self->own, 0));
	EXPECT_EQ(-ENOENT, k_ns_mnt_open(self->own, 1));
	EXPECT_EQ(-ENOENT, k_ns_mnt_open(self->own, NS_MNT_OPEN_ROOT - 1));
	/* listmount()'s LSMT_ROOT: the root that the caller sees is another one */
	EXPECT_EQ(-ENOENT, k_ns_mnt_open(self->own, ~0ULL));
	/* of this one, a moment ago */
	ASSERT_EQ(0, k_umount(PATH("mnt"), MNT_DETACH));
	EXPECT_EQ(-ENOENT, k_ns_mnt_open(self->own, id));
}

TEST_F(ns_mnt_open, einval_enotty_efault)
{
	struct ns_mnt_open arg = { .mnt_id = NS_MNT_OPEN_ROOT };
	int fd;

	for (int bit = 0; bit < 32; bit++) {
		arg.flags = 1U << bit;
		EXPECT_EQ(-EINVAL, k_ret(ioctl(self->own, NS_MNT_OPEN, &arg))) {
			TH_LOG("flag %d", bit);
		}
		arg.flags = 0;
		arg.spare = 1U << bit;
		EXPECT_EQ(-EINVAL, k_ret(ioctl(self->own, NS_MNT_OPEN, &arg))) {
			TH_LOG("spare %d", bit);
		}
		arg.spare = 0;
	}
	EXPECT_EQ(-EFAULT, k_ret(ioctl(self->own, NS_MNT_OPEN, NULL)));

	/* another kind of namespace, and no namespace at all */
	fd = k_open("/proc/self/ns/user", O_RDONLY);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-EINVAL, k_ns_mnt_open(fd, NS_MNT_OPEN_ROOT));
	ASSERT_EQ(0, close(fd));
	fd = k_open("/dev/null", O_RDONLY);
	if (fd < 0)
		fd = k_open("/proc/self/status", O_RDONLY);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-ENOTTY, k_ns_mnt_open(fd, NS_MNT_OPEN_ROOT));
	ASSERT_EQ(0, close(fd));
}

/* The structure may grow; what this kernel does not know must be 0. */
TEST_F(ns_mnt_open, e2big_size)
{
	struct {
		struct ns_mnt_open arg;
		__u64 more;
	} big = { .arg.mnt_id = NS_MNT_OPEN_ROOT };
	struct {
		__u64 mnt_id;
	} small = { NS_MNT_OPEN_ROOT };
	/* as large as the number of an ioctl can say */
	struct {
		struct ns_mnt_open arg;
		char more[(1 << 14) - 1 - sizeof(struct ns_mnt_open)];
	} huge = { .arg.mnt_id = NS_MNT_OPEN_ROOT };
	int fd;

	fd = k_ret(ioctl(self->own, _IOW(0xb7, 14, big), &big));
	EXPECT_GE(fd, 0);
	close(fd);
	big.more = 1;
	EXPECT_EQ(-E2BIG, k_ret(ioctl(self->own, _IOW(0xb7, 14, big), &big)));
	EXPECT_EQ(-ENOTTY, k_ret(ioctl(self->own, _IOW(0xb7, 14, small), &small)));
	/* each size below the first, and the first byte of each above it */
	for (unsigned int size = 0; size < sizeof(big); size++) {
		bool known = size >= NS_MNT_OPEN_SIZE_VER0;

		big.more = 0;
		fd = k_ret(ioctl(self->own, _IOC(_IOC_WRITE, 0xb7, 14, size), &big));
		if (known) {
			EXPECT_GE(fd, 0);
			close(fd);
		} else {
			EXPECT_EQ(-ENOTTY, fd) {
				TH_LOG("size %u", size);
			}
		}
		if (!known)
			continue;
		((char *)&big)[size] = 1;
		EXPECT_EQ(-E2BIG, k_ret(ioctl(self->own, _IOC(_IOC_WRITE, 0xb7, 14, size + 1),
					      &big)));
	}
	fd = k_ret(ioctl(self->own, _IOC(_IOC_WRITE, 0xb7, 14, (1 << 14) - 1), &huge));
	EXPECT_GE(fd, 0);
	close(fd);
	huge.more[sizeof(huge.more) - 10] = 1;
	EXPECT_EQ(-E2BIG, k_ret(ioctl(self->own, _IOC(_IOC_WRITE, 0xb7, 14,
						      (1 << 14) - 1), &huge)));
}

/* Every caller against every namespace, and against one's own as well. */
TEST_F_TIMEOUT(ns_mnt_open, eperm_owner, 120)
{
	for (int whose = TEST_NS; whose <= SIBLING; whose++) {
		__u64 id = id_at(&self->cast[whose], PATH("mnt"));

		ASSERT_NE(0, id);
		for (int who = 0; who < NR_ROLES; who++) {
			int ret = AS(&self->cast[who],
				     k_ns_mnt_open(self->cast[whose].mntns, id));
			bool may = may_admin(who, whose);

			/* whoever made a user namespace is privileged over it */
			if (who == NO_ADMIN && whose >= OWNER)
				may = true;
			if (may) {
				EXPECT_GE(ret, 0) {
					TH_LOG("caller %d, namespace %d", who, whose);
				}
				close(ret);
			} else {
				EXPECT_EQ(-EPERM, ret) {
					TH_LOG("caller %d, namespace %d", who, whose);
				}
			}
		}
	}
}

/* Down to the mount without search permission: as for decoding file handles. */
TEST_F(ns_mnt_open, eperm_dac_read_search)
{
	__u64 id = id_at(&self->cast[TEST_NS], PATH("mnt"));
	struct actor no_dac = { .userns = -1, .mntns = -1 };
	int fd;

	ASSERT_NE(0, id);
	fd = AS(&no_dac, k_ns_mnt_open(self->own, id));
	EXPECT_GE(fd, 0);
	no_dac.drop_caps = CAP_BIT(CAP_DAC_READ_SEARCH);
	EXPECT_EQ(-EPERM, AS(&no_dac, k_ns_mnt_open(self->own, id)));
	EXPECT_EQ(-EPERM, AS(&no_dac, k_ns_mnt_open(self->own,
						    NS_MNT_OPEN_ROOT)));
	/* it has to be held over the owner */
	no_dac = self->cast[OWNER];
	id = id_at(&no_dac, PATH("mnt"));
	no_dac.drop_caps = CAP_BIT(CAP_DAC_READ_SEARCH);
	EXPECT_EQ(-EPERM, AS(&no_dac, k_ns_mnt_open(no_dac.mntns, id)));
	fd = AS(&self->cast[OWNER], k_ns_mnt_open(no_dac.mntns, id));
	EXPECT_GE(fd, 0);
}

static int open_in_chroot(const char *root, int nsfd, __u64 id)
{
	if (chroot(root))
		return -errno;
	return k_ns_mnt_open(nsfd, id);
}

static int drop_chroot_and_open(const char *root, int nsfd, __u64 id)
{
	struct actor weak = {
		.userns = -1, .mntns = -1,
		.drop_caps = CAP_BIT(CAP_SYS_CHROOT),
	};

	if (root && chroot(root))
		return -errno;
	return AS(&weak, k_ns_mnt_open(nsfd, id));
}

/* What lies outside of the caller's root takes the right to leave that root. */
TEST_F(ns_mnt_open, eperm_sys_chroot)
{
	struct actor *me = &self->cast[TEST_NS];
	__u64 id = id_at(me, PATH("mnt"));
	__u64 peer_id = id_at(&self->cast[PEER_NS], PATH("mnt"));
	int peer = self->cast[PEER_NS].mntns;
	struct actor plain = { .userns = -1, .mntns = -1 };
	struct mnt root;

	ASSERT_NE(0, id);
	ASSERT_NE(0, peer_id);
	ASSERT_EQ(0, mnt_at(me, "/", &root));

	/* within one's root, and another namespace, without the capability */
	EXPECT_GE(AS(&plain, drop_chroot_and_open(NULL, self->own, id)), 0);
	EXPECT_EQ(-EPERM, AS(&plain, drop_chroot_and_open(NULL, peer, peer_id)));
	/* outside of one's root, with it and without */
	EXPECT_GE(AS(&plain, open_in_chroot(PATH("mnt"), self->own, root.id)), 0);
	EXPECT_EQ(-EPERM, AS(&plain, drop_chroot_and_open(PATH("mnt"), self->own,
							  root.id)));
	EXPECT_GE(AS(&plain, drop_chroot_and_open(PATH("mnt"), self->own, id)), 0);
	/* another namespace is outside of every root */
	EXPECT_GE(AS(&plain, k_ns_mnt_open(peer, peer_id)), 0);
}

/* It is held in the caller's own user namespace: nobody else's root is left behind. */
TEST_F(ns_mnt_open, eperm_sys_chroot_of_the_caller)
{
	struct actor *o = &self->cast[OWNER];
	struct actor weak = {
		.userns = -1, .mntns = -1,
		.drop_caps = CAP_BIT(CAP_SYS_CHROOT),
	};
	__u64 id = id_at(o, PATH("mnt"));
	int fd;

	ASSERT_NE(0, id);
	/* whoever made that user namespace has all capabilities there */
	EXPECT_EQ(-EPERM, AS(&weak, k_ns_mnt_open(o->mntns, id)));
	fd = AS(&this_test, k_ns_mnt_open(o->mntns, id));
	EXPECT_GE(fd, 0);
	close(fd);
	/* inside of it, too */
	weak.userns = o->userns;
	weak.mntns = o->mntns;
	id = id_at(&self->cast[CHILD], PATH("mnt"));
	ASSERT_NE(0, id);
	EXPECT_EQ(-EPERM, AS(&weak, k_ns_mnt_open(self->cast[CHILD].mntns, id)));
	fd = AS(o, k_ns_mnt_open(self->cast[CHILD].mntns, id));
	EXPECT_GE(fd, 0);
	close(fd);
}

/*
 * What locks hide. A new user namespace's copy of the mounts is locked; its
 * owner must not look under them by id. Whoever is privileged in the initial
 * user namespace may.
 */
FIXTURE(ns_mnt_open_locked) {
	char base[64];
	struct actor me;
	struct actor owner;
	struct actor child;	/* of owner: its locks come from further up */
};

/*
 * under:	a mount whose root is covered by another
 * deep:	a mount on under/x/y, where under/x is covered
 * open:	a mount with a mount below its root, which hides nothing of it
 */
FIXTURE_SETUP(ns_mnt_open_locked)
{
	int fd;

	if (geteuid())
		SKIP(return, "test requires root");
	fd = open_setup(self->base, sizeof(self->base));
	if (fd == -ENOTTY)
		SKIP(return, "ioctl(NS_MNT_OPEN) not supported");
	ASSERT_GE(fd, 0);
	self->me = (struct actor) { .userns = -1, .mntns = -1 };
	ASSERT_EQ(0, mkdir("under", 0755));
	ASSERT_EQ(0, mkdir("deep", 0755));
	ASSERT_EQ(0, mkdir("deep/x", 0755));
	ASSERT_EQ(0, mkdir("deep/x/y", 0755));
	ASSERT_EQ(0, mkdir("open", 0755));
	ASSERT_EQ(0, k_mount("tmpfs", "under", "tmpfs", 0));
	ASSERT_EQ(0, k_mount("tmpfs", "deep/x/y", "tmpfs", 0));
	ASSERT_EQ(0, k_mount("tmpfs", "open", "tmpfs", 0));
	ASSERT_EQ(0, mkdir("open/z", 0755));
	ASSERT_EQ(0, k_mount("tmpfs", "open/z", "tmpfs", 0));
}

FIXTURE_TEARDOWN(ns_mnt_open_locked)
{
	open_teardown(self->base);
}

/* The id of the mount that is covered at @path. */
static __u64 covered_id(const struct actor *actor, const char *path)
{
	struct mnt top;

	return mnt_at(actor, path, &top) || !top.is_root ? 0 : top.parent;
}

TEST_F(ns_mnt_open_locked, eperm_root_is_covered)
{
	struct actor *o = &self->owner;
	__u64 covered, top;
	int fd;

	ASSERT_EQ(0, k_mount("tmpfs", "under", "tmpfs", 0));
	ASSERT_EQ(0, actor_new(o, &self->me, ACTOR_USERNS));
	ASSERT_EQ(0, actor_new(&self->child, o, ACTOR_USERNS));
	covered = covered_id(o, PATH("under"));
	top = id_at(o, PATH("under"));
	ASSERT_TRUE(covered && top);

	EXPECT_EQ(-EPERM, AS(o, k_ns_mnt_open(o->mntns, covered)));
	/* the mount on top is the one that hides, nothing hides it */
	fd = AS(o, k_ns_mnt_open(o->mntns, top));
	EXPECT_GE(fd, 0);
	fd = k_ns_mnt_open(o->mntns, covered);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(covered, mnt_id_of(fd));

	/* an owner is not exempt below: the locks were there before it */
	covered = covered_id(&self->child, PATH("under"));
	ASSERT_NE(0, covered);
	EXPECT_EQ(-EPERM, AS(o, k_ns_mnt_open(self->child.mntns, covered)));
	EXPECT_EQ(-EPERM, AS(&self->child,
			     k_ns_mnt_open(self->child.mntns, covered)));
	fd = k_ns_mnt_open(self->child.mntns, covered);
	EXPECT_GE(fd, 0);
}

/*
 * By a descriptor from someone who may look there: a clone of what is covered shows
 * it to no one else.
 */
TEST_F(ns_mnt_open_locked, einval_clone_of_covered)
{
	const unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_FOREIGN | AT_EMPTY_PATH;
	struct actor *o = &self->owner, *below = &self->child;
	int covered, tree, fd;

	ASSERT_EQ(0, mkdir("dst", 0755));
	ASSERT_EQ(0, mkdir("under/secret", 0755));
	ASSERT_EQ(0, k_mount("tmpfs", "under", "tmpfs", 0));
	ASSERT_EQ(0, actor_new(o, &self->me, ACTOR_USERNS));
	ASSERT_EQ(0, actor_new(below, o, ACTOR_USERNS));
	ASSERT_EQ(-EINVAL, UMOUNT_IN(below, "under"));
	covered = k_ns_mnt_open(below->mntns, covered_id(below, PATH("under")));
	ASSERT_GE(covered, 0);
	ASSERT_EQ(0, faccessat(covered, "secret", F_OK, 0));

	EXPECT_EQ(-EINVAL, AS(below, k_open_tree(covered, "", flags)));
	EXPECT_EQ(-EINVAL, AS(o, k_open_tree(covered, "", flags)));
	EXPECT_EQ(-EINVAL, k_open_tree(covered, "", flags));
	/* all of it has the cover, which stays */
	tree = AS(below, k_open_tree(covered, "", flags | AT_RECURSIVE));
	ASSERT_GE(tree, 0);
	ASSERT_EQ(0, IN(below, k_move_mount(tree, "", AT_FDCWD, "dst", 0)));
	fd = OPEN_IN(below, "dst");
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-1, faccessat(fd, "secret", F_OK, 0));
	EXPECT_EQ(ENOENT, errno);
	ASSERT_EQ(0, close(fd));
	EXPECT_EQ(-EINVAL, UMOUNT_IN(below, "dst"));
	EXPECT_EQ(-EINVAL, IN(below, k_umount("dst", MNT_DETACH)));
}

/* A locked mount covers the way from the top of the namespace to the mount. */
TEST_F(ns_mnt_open_locked, eperm_way_up_is_covered)
{
	static const struct {
		const char *mount, *cover;
	} tab[] = {
		{ "deep/x/y", "deep/x" },	/* a directory above */
		{ "deep/x/y", "." },		/* all of what it is mounted on */
		{ "open/z", "." },		/* ... of what that is mounted on */
	};
	struct actor *o = &self->owner;
	struct mnt mine, theirs;

	for (size_t i = 0; i < ARRAY_SIZE(tab); i++) {
		int fd;

		/* what receives from it is the copy that nothing leads to */
		ASSERT_EQ(0, k_mount(NULL, PATH(tab[i].mount), NULL, MS_SHARED));
		ASSERT_EQ(0, mnt_at(&self->me, PATH(tab[i].mount), &mine));
		ASSERT_EQ(0, k_mount("tmpfs", PATH(tab[i].cover), "tmpfs", 0));
		ASSERT_EQ(0, actor_new(o, &self->me, ACTOR_USERNS));
		ASSERT_EQ(0, mnt_receiver(o, mine.group, &theirs));
		EXPECT_EQ(-EPERM, AS(o, k_ns_mnt_open(o->mntns, theirs.id))) {
			TH_LOG("%s covers %s", tab[i].cover, tab[i].mount);
		}
		fd = k_ns_mnt_open(o->mntns, theirs.id);
		EXPECT_GE(fd, 0);
		close(fd);
		actor_close(o);
		ASSERT_EQ(0, k_umount(PATH(tab[i].cover), 0));
	}
}

/* What a locked mount hides below the mount does not matter. */
TEST_F(ns_mnt_open_locked, locked_mount_below)
{
	struct actor *o = &self->owner;
	__u64 id;
	int fd;

	ASSERT_EQ(0, actor_new(o, &self->me, ACTOR_USERNS));
	id = id_at(o, PATH("open"));
	ASSERT_NE(0, id);
	fd = AS(o, k_ns_mnt_open(o->mntns, id));
	EXPECT_GE(fd, 0);
	/* not on the way: a locked mount beside it */
	id = id_at(o, PATH("deep/x/y"));
	ASSERT_NE(0, id);
	fd = AS(o, k_ns_mnt_open(o->mntns, id));
	EXPECT_GE(fd, 0);
}

/* What covers the mount is the caller's own, and not locked. */
TEST_F(ns_mnt_open_locked, covered_but_not_locked)
{
	struct actor *o = &self->owner;
	__u64 id;
	int fd;

	ASSERT_EQ(0, actor_new(o, &self->me, ACTOR_USERNS));
	id = id_at(o, PATH("under"));
	ASSERT_NE(0, id);
	ASSERT_EQ(0, AS(o, k_mount("tmpfs", PATH("under"), "tmpfs", 0)));
	fd = AS(o, k_ns_mnt_open(o->mntns, id));
	ASSERT_GE(fd, 0);
	EXPECT_EQ(id, mnt_id_of(fd));
}

/* The root that is visible covers the namespace's own, and is locked on it. */
TEST_F(ns_mnt_open_locked, eperm_ns_root)
{
	struct actor *o = &self->owner;
	int fd;

	ASSERT_EQ(0, actor_new(o, &self->me, ACTOR_USERNS));
	EXPECT_EQ(-EPERM, AS(o, k_ns_mnt_open(o->mntns, NS_MNT_OPEN_NS_ROOT)));
	fd = AS(o, k_ns_mnt_open(o->mntns, NS_MNT_OPEN_ROOT));
	EXPECT_GE(fd, 0);
	fd = k_ns_mnt_open(o->mntns, NS_MNT_OPEN_NS_ROOT);
	EXPECT_GE(fd, 0);
}

/* An id is that of the mount wherever it is: moved, and below what covers it. */
TEST_F(ns_mnt_open_locked, moved_mount)
{
	struct actor *o = &self->owner;
	__u64 id;
	int fd;

	ASSERT_EQ(0, actor_new(o, &self->me, ACTOR_USERNS));
	ASSERT_EQ(0, AS(o, k_mount("tmpfs", PATH("open"), "tmpfs", 0)));
	ASSERT_EQ(0, AS(o, k_ret(mkdir(PATH("open/to"), 0755))));
	ASSERT_EQ(0, AS(o, k_ret(mkdir(PATH("open/from"), 0755))));
	ASSERT_EQ(0, AS(o, k_mount("tmpfs", PATH("open/from"), "tmpfs", 0)));
	id = id_at(o, PATH("open/from"));
	ASSERT_NE(0, id);
	ASSERT_EQ(0, AS(o, k_mount(PATH("open/from"), PATH("open/to"), NULL,
				   MS_MOVE)));
	EXPECT_EQ(id, id_at(o, PATH("open/to")));
	fd = AS(o, k_ns_mnt_open(o->mntns, id));
	ASSERT_GE(fd, 0);
	EXPECT_EQ(id, mnt_id_of(fd));
	close(fd);
	/* away with what it is on, though the descriptor keeps the mount */
	fd = AS(o, k_ns_mnt_open(o->mntns, id));
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, AS(o, k_umount(PATH("open"), MNT_DETACH)));
	EXPECT_EQ(-ENOENT, AS(o, k_ns_mnt_open(o->mntns, id)));
	EXPECT_EQ(-ENOENT, k_ns_mnt_open(o->mntns, id));
	EXPECT_EQ(id, mnt_id_of(fd));
}

/*
 * Exempt is who has both capabilities in the initial user namespace. Whoever made
 * the namespaces has all capabilities over these, and is not.
 */
TEST_F(ns_mnt_open_locked, eperm_half_exempt)
{
	struct actor weak = { .userns = -1, .mntns = -1 };
	struct actor *o = &self->owner;
	__u64 covered, top;
	int fd;

	ASSERT_EQ(0, k_mount("tmpfs", "under", "tmpfs", 0));
	ASSERT_EQ(0, actor_new(o, &self->me, ACTOR_USERNS));
	covered = covered_id(o, PATH("under"));
	top = id_at(o, PATH("under"));
	ASSERT_TRUE(covered && top);
	fd = k_ns_mnt_open(o->mntns, covered);
	EXPECT_GE(fd, 0);
	close(fd);
	weak.drop_caps = CAP_BIT(CAP_DAC_READ_SEARCH);
	EXPECT_EQ(-EPERM, AS(&weak, k_ns_mnt_open(o->mntns, covered)));
	fd = AS(&weak, k_ns_mnt_open(o->mntns, top));
	EXPECT_GE(fd, 0);
	close(fd);
	weak.drop_caps = CAP_BIT(CAP_SYS_ADMIN);
	EXPECT_EQ(-EPERM, AS(&weak, k_ns_mnt_open(o->mntns, covered)));
	fd = AS(&weak, k_ns_mnt_open(o->mntns, top));
	EXPECT_GE(fd, 0);
	close(fd);
	/* what else the caller has given up does not matter */
	weak.drop_caps = CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_SYS_PTRACE);
	fd = AS(&weak, k_ns_mnt_open(o->mntns, covered));
	EXPECT_GE(fd, 0);
	close(fd);
}

/*
 * May a user open the test's own mount? Filesystems that decide about permissions
 * by themselves are taken to say no to users that are unknown.
 */
static bool way_is_free(const char *base)
{
	struct actor user = { .userns = -1, .mntns = -1, .uid = TEST_UID };
	struct actor owner, root = this_test;
	int fd;

	if (actor_new(&owner, &user, ACTOR_USERNS))
		return false;
	root.mntns = owner.mntns;
	fd = AS(&owner, k_ns_mnt_open(owner.mntns, id_at(&root, base)));
	actor_close(&owner);
	return fd >= 0 && !close(fd);
}

/* Somebody unprivileged owns the namespace, and knows only its own id there. */
FIXTURE(ns_mnt_open_way) {
	char base[64];
	struct actor user;
	struct actor owner;
	struct actor root;	/* to look around in the owner's namespace */
};

FIXTURE_SETUP(ns_mnt_open_way)
{
	int fd;

	if (geteuid())
		SKIP(return, "test requires root");
	fd = open_setup(self->base, sizeof(self->base));
	if (fd == -ENOTTY)
		SKIP(return, "ioctl(NS_MNT_OPEN) not supported");
	ASSERT_GE(fd, 0);
	self->user = (struct actor) { .userns = -1, .mntns = -1, .uid = TEST_UID };
	if (!way_is_free(self->base)) {
		open_teardown(self->base);
		SKIP(return, "not everybody may search the directories above /tmp");
	}
}

FIXTURE_TEARDOWN(ns_mnt_open_way)
{
	open_teardown(self->base);
}

/* The namespace, which has what the test has mounted by now. */
static int new_owner(struct _test_data_ns_mnt_open_way *self)
{
	int err = actor_new(&self->owner, &self->user, ACTOR_USERNS);

	self->root = (struct actor) { .userns = -1, .mntns = self->owner.mntns };
	return err;
}

/*
 * The descriptor leads to the mount past every directory above it. Where these
 * belong to someone who is unknown in the owner's user namespace, everybody must
 * be allowed to search them.
 */
TEST_F(ns_mnt_open_way, eperm_search_permission)
{
	static const struct {
		mode_t mode;
		uid_t uid;
		bool may;
	} tab[] = {
		{ 0700, 0, false },
		{ 0710, 0, false },
		{ 0701, 0, false },
		{ 0711, 0, true },
		{ 0755, 0, true },
		{ 0700, TEST_UID, true },
		{ 0000, TEST_UID, true },
	};
	struct actor *o = &self->owner;

	/* neither the mountpoint nor the root of the mount is above it */
	ASSERT_EQ(0, mkdir("dir", 0755));
	ASSERT_EQ(0, mkdir("dir/sub", 0755));
	ASSERT_EQ(0, mkdir("dir/sub/m", 0700));
	ASSERT_EQ(0, k_mount("tmpfs", "dir/sub/m", "tmpfs", 0));
	ASSERT_EQ(0, chmod("dir/sub/m", 0700));
	ASSERT_EQ(0, new_owner(self));

	for (size_t i = 0; i < ARRAY_SIZE(tab); i++) {
		__u64 id = id_at(&self->root, PATH("dir/sub/m"));
		int fd;

		ASSERT_NE(0, id);
		ASSERT_EQ(0, chown("dir", tab[i].uid, tab[i].uid));
		ASSERT_EQ(0, chmod("dir", tab[i].mode));
		fd = AS(o, k_ns_mnt_open(o->mntns, id));
		if (tab[i].may) {
			EXPECT_GE(fd, 0) {
				TH_LOG("mode %o, user %u", tab[i].mode, tab[i].uid);
			}
			close(fd);
		} else {
			EXPECT_EQ(-EPERM, fd) {
				TH_LOG("mode %o, user %u", tab[i].mode, tab[i].uid);
			}
		}
		/* who may pass by all of them is not asked */
		fd = k_ns_mnt_open(o->mntns, id);
		EXPECT_GE(fd, 0);
		close(fd);
	}
}

/* Nor in the mounts further up. */
TEST_F(ns_mnt_open_way, eperm_search_permission_further_up)
{
	struct actor *o = &self->owner;
	__u64 id;

	ASSERT_EQ(0, mkdir("free", 0755));
	ASSERT_EQ(0, k_mount("tmpfs", "free", "tmpfs", 0));
	ASSERT_EQ(0, mkdir("priv", 0700));
	ASSERT_EQ(0, mkdir("priv/p", 0755));
	ASSERT_EQ(0, k_mount("tmpfs", "priv/p", "tmpfs", 0));
	ASSERT_EQ(0, mkdir("priv/p/m", 0755));
	ASSERT_EQ(0, k_mount("tmpfs", "priv/p/m", "tmpfs", 0));
	ASSERT_EQ(0, new_owner(self));
	id = id_at(&self->root, PATH("priv/p/m"));
	ASSERT_NE(0, id);
	EXPECT_EQ(-EPERM, AS(o, k_ns_mnt_open(o->mntns, id)));
	id = id_at(&self->root, PATH("priv/p"));
	ASSERT_NE(0, id);
	EXPECT_EQ(-EPERM, AS(o, k_ns_mnt_open(o->mntns, id)));
	/* to some of whose ancestors the user may go by itself */
	id = id_at(&self->root, PATH("free"));
	ASSERT_NE(0, id);
	EXPECT_GE(AS(o, k_ns_mnt_open(o->mntns, id)), 0);
}

/* The directory @nr levels down, made on the way if @make is set. */
static int go_down(int fd, unsigned int nr, bool make)
{
	while (fd >= 0 && nr--) {
		int next;

		if (make && mkdirat(fd, "d", 0755))
			return -errno;
		next = k_openat(fd, "d", O_PATH | O_DIRECTORY);
		close(fd);
		fd = next;
	}
	return fd;
}

static int mount_below(const char *top, unsigned int nr)
{
	int tree = detached_tmpfs(&this_test, 0);
	int fd = go_down(k_open(top, O_PATH), nr, true);
	int err = k_move_mount(tree, "", fd, "", 0);

	close(fd);
	close(tree);
	return err;
}

static int id_below(const char *top, unsigned int nr, __u64 *id)
{
	int fd = go_down(k_open(top, O_PATH), nr, false);

	*id = fd < 0 ? 0 : mnt_id_of(fd);
	return *id ? 0 : -ENOENT;
}

/* How far it is up to the root is looked at, and from how deep no more. */
TEST_F_TIMEOUT(ns_mnt_open_way, eperm_too_deep, 120)
{
	static const struct {
		const char *top;
		unsigned int nr;
		int ret;
	} tab[] = {
		{ "deep", 16000, 0 },
		{ "limit", 16382, -EPERM },	/* reached where the mount ends */
		{ "deeper", 16384, -EPERM },
	};
	struct actor *o = &self->owner;
	__u64 *id = mmap(NULL, sizeof(*id), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, id);
	for (size_t i = 0; i < ARRAY_SIZE(tab); i++) {
		ASSERT_EQ(0, mkdir(tab[i].top, 0755));
		ASSERT_EQ(0, mount_below(tab[i].top, tab[i].nr));
	}
	ASSERT_EQ(0, new_owner(self));
	for (size_t i = 0; i < ARRAY_SIZE(tab); i++) {
		int fd;

		ASSERT_EQ(0, AS(&self->root, id_below(PATH(tab[i].top), tab[i].nr, id)));
		fd = AS(o, k_ns_mnt_open(o->mntns, *id));
		EXPECT_EQ(tab[i].ret, fd < 0 ? fd : 0);
		close(fd);
		/* who is above all owners is not asked for the way */
		fd = k_ns_mnt_open(o->mntns, *id);
		EXPECT_GE(fd, 0);
		close(fd);
	}
}

/* A tmpfs at @dir, and on it a copy of all that is there, @nr times over. */
static int pile_up(const char *dir, unsigned int nr)
{
	int err = k_mount("tmpfs", dir, "tmpfs", 0);
	int bottom = err ?: k_open(dir, O_PATH);

	while (bottom >= 0 && !err && nr--) {
		int tree = k_open_tree(bottom, "", OPEN_TREE_CLONE | AT_RECURSIVE |
				       AT_EMPTY_PATH);

		err = k_move_mount(tree, "", AT_FDCWD, dir, 0);
		close(tree);
	}
	close(bottom);
	return bottom < 0 ? bottom : err;
}

/* Mounts on one another have no directory between them, and count all the same. */
TEST_F_TIMEOUT(ns_mnt_open_way, eperm_too_many_mounts, 120)
{
	static const struct {
		const char *dir;
		unsigned int nr;
		int ret;
	} tab[] = {
		{ "1024", 10, 0 },
		{ "16384", 14, -EPERM },
	};
	struct actor *o = &self->owner;

	for (size_t i = 0; i < ARRAY_SIZE(tab); i++) {
		ASSERT_EQ(0, mkdir(tab[i].dir, 0755));
		ASSERT_EQ(0, pile_up(tab[i].dir, tab[i].nr));
	}
	ASSERT_EQ(0, new_owner(self));
	for (size_t i = 0; i < ARRAY_SIZE(tab); i++) {
		__u64 id = id_at(&self->root, PATH(tab[i].dir));
		int fd;

		ASSERT_NE(0, id);
		fd = AS(o, k_ns_mnt_open(o->mntns, id));
		EXPECT_EQ(tab[i].ret, fd < 0 ? fd : 0);
		close(fd);
	}
}

/* Every directory on the way counts: each in turn is the one that is closed. */
TEST_F(ns_mnt_open_way, eperm_each_directory)
{
	static const char * const dirs[] = { "d1", "d1/d2", "d1/d2/d3" };
	struct actor *o = &self->owner;
	__u64 id;
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		ASSERT_EQ(0, mkdir(dirs[i], 0711));
	ASSERT_EQ(0, mkdir("d1/d2/d3/m", 0700));
	ASSERT_EQ(0, k_mount("tmpfs", "d1/d2/d3/m", "tmpfs", 0));
	ASSERT_EQ(0, new_owner(self));
	id = id_at(&self->root, PATH("d1/d2/d3/m"));
	ASSERT_NE(0, id);
	fd = AS(o, k_ns_mnt_open(o->mntns, id));
	EXPECT_GE(fd, 0);
	close(fd);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		ASSERT_EQ(0, chmod(dirs[i], 0710));
		EXPECT_EQ(-EPERM, AS(o, k_ns_mnt_open(o->mntns, id))) {
			TH_LOG("%s", dirs[i]);
		}
		ASSERT_EQ(0, chmod(dirs[i], 0711));
	}
	fd = AS(o, k_ns_mnt_open(o->mntns, id));
	EXPECT_GE(fd, 0);
	close(fd);
}

/* A user namespace in which the users 0 and TEST_UID have changed places. */
static int swapped_userns(void)
{
	char path[64], map[64], c;
	int fd = -1, pipefd[2];
	pid_t pid;

	if (pipe(pipefd))
		return -errno;
	pid = fork();
	if (!pid) {
		c = unshare(CLONE_NEWUSER) ? 'n' : 'y';
		if (write(pipefd[1], &c, 1) == 1)
			pause();
		_exit(1);
	}
	snprintf(map, sizeof(map), "0 %u 1\n%u 0 1", TEST_UID, TEST_UID);
	if (pid > 0 && read(pipefd[0], &c, 1) == 1 && c == 'y') {
		fd = 0;
		for (int i = 0; i < 2 && !fd; i++) {
			snprintf(path, sizeof(path), "/proc/%d/%cid_map", pid, "ug"[i]);
			fd = write_file(path, map);
		}
		snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
		if (!fd)
			fd = k_open(path, O_RDONLY);
	}
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	close(pipefd[0]);
	close(pipefd[1]);
	return fd;
}

/* The owner that counts is the one that the mount shows. */
TEST_F(ns_mnt_open_way, eperm_idmapped)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
	static const uid_t owners[] = { 0, TEST_UID };
	struct actor *o = &self->owner;
	int tree, userns, fd;
	__u64 id;

	userns = swapped_userns();
	ASSERT_GE(userns, 0);
	attr.userns_fd = userns;
	ASSERT_EQ(0, mkdir("idm", 0755));
	tree = detached_tmpfs(&this_test, 0);
	ASSERT_GE(tree, 0);
	ASSERT_EQ(0, fchmodat(tree, ".", 0711, 0));
	for (int i = 0; i < 2; i++) {
		char path[16];

		snprintf(path, sizeof(path), "d%d", i);
		ASSERT_EQ(0, mkdirat(tree, path, 0711));
		ASSERT_EQ(0, fchownat(tree, path, owners[i], owners[i], 0));
		strcat(path, "/m");
		ASSERT_EQ(0, mkdirat(tree, path, 0711));
	}
	ASSERT_EQ(0, k_mount_setattr(tree, "", AT_EMPTY_PATH, &attr, MOUNT_ATTR_SIZE_VER0));
	ASSERT_EQ(0, k_move_mount(tree, "", AT_FDCWD, "idm", 0));
	ASSERT_EQ(0, k_mount("tmpfs", "idm/d0/m", "tmpfs", 0));
	ASSERT_EQ(0, k_mount("tmpfs", "idm/d1/m", "tmpfs", 0));
	ASSERT_EQ(0, new_owner(self));
	for (int i = 0; i < 2; i++) {
		char path[16];

		snprintf(path, sizeof(path), "idm/d%d/m", i);
		id = id_at(&self->root, PATH(path));
		ASSERT_NE(0, id);
		fd = AS(o, k_ns_mnt_open(o->mntns, id));
		EXPECT_GE(fd, 0);
		close(fd);
		path[6] = 0;
		ASSERT_EQ(0, chmod(path, 0700));
		fd = AS(o, k_ns_mnt_open(o->mntns, id));
		/* that of "d0" is shown as TEST_UID, whom the namespace knows */
		if (!i) {
			EXPECT_GE(fd, 0);
			close(fd);
		} else {
			EXPECT_EQ(-EPERM, fd);
		}
	}
}

/* A filesystem that decides by itself who may search a directory is not asked. */
TEST_F(ns_mnt_open_way, eperm_own_permissions)
{
	static const struct {
		const char *path;
		bool may;
	} tab[] = {
		{ "fs", true },			/* in /proc, as any other directory */
		{ "%d/task", false },		/* in a process's: its own rules */
	};
	struct actor *o = &self->owner;

	ASSERT_EQ(0, mkdir("proc", 0755));
	ASSERT_EQ(0, k_mount("proc", "proc", "proc", 0));
	for (size_t i = 0; i < ARRAY_SIZE(tab); i++) {
		char path[64] = "proc/";
		struct stat st;

		snprintf(path + 5, sizeof(path) - 5, tab[i].path, getpid());
		ASSERT_EQ(0, k_mount("tmpfs", path, "tmpfs", 0));
		/* the modes are the same */
		*strrchr(path, '/') = 0;
		ASSERT_EQ(0, stat(path, &st));
		ASSERT_EQ(0555, st.st_mode & 0777);
	}
	ASSERT_EQ(0, new_owner(self));
	for (size_t i = 0; i < ARRAY_SIZE(tab); i++) {
		char path[64] = "proc/";
		__u64 id;
		int fd;

		snprintf(path + 5, sizeof(path) - 5, tab[i].path, getpid());
		id = id_at(&self->root, PATH(path));
		ASSERT_NE(0, id);
		fd = AS(o, k_ns_mnt_open(o->mntns, id));
		if (tab[i].may) {
			EXPECT_GE(fd, 0);
			close(fd);
		} else {
			EXPECT_EQ(-EPERM, fd);
		}
		fd = k_ns_mnt_open(o->mntns, id);
		EXPECT_GE(fd, 0);
		close(fd);
	}
}

/* An ACL with an entry for @uid, and the mask that the mode of the group shows. */
static int set_acl(const char *path, uid_t uid, unsigned int perm)
{
	const struct {
		__le32 version;
		struct {
			__le16 tag, perm;
			__le32 id;
		} entry[5];
	} acl = { 2, {
		{ 0x01, 7, ~0U },	/* the owner */
		{ 0x02, perm, uid },	/* that user */
		{ 0x04, 5, ~0U },	/* the group */
		{ 0x10, 5, ~0U },	/* the mask */
		{ 0x20, 5, ~0U },	/* others */
	} };

	return k_ret(setxattr(path, "system.posix_acl_access", &acl, sizeof(acl), 0));
}

/*
 * What an ACL grants to everybody it may deny to the one who asks, and it is not
 * looked into.
 */
TEST_F(ns_mnt_open_way, eperm_acl)
{
	static const struct {
		uid_t uid;
		unsigned int perm;
	} tab[] = {
		{ TEST_UID, 0 },	/* denied */
		{ TEST_UID, 5 },	/* granted */
		{ TEST_UID + 1, 0 },	/* about somebody else */
	};
	struct actor *o = &self->owner;
	__u64 id;
	int fd;

	ASSERT_EQ(0, mkdir("dir", 0755));
	ASSERT_EQ(0, mkdir("dir/m", 0755));
	ASSERT_EQ(0, k_mount("tmpfs", "dir/m", "tmpfs", 0));
	ASSERT_EQ(0, new_owner(self));
	id = id_at(&self->root, PATH("dir/m"));
	ASSERT_NE(0, id);
	for (size_t i = 0; i < ARRAY_SIZE(tab); i++) {
		struct stat st;
		int ret = set_acl("dir", tab[i].uid, tab[i].perm);

		if (ret == -EOPNOTSUPP)
			SKIP(return, "tmpfs without ACLs (CONFIG_TMPFS_POSIX_ACL)");
		ASSERT_EQ(0, ret);
		/* the mode alone says that everybody may search it */
		ASSERT_EQ(0, stat("dir", &st));
		ASSERT_EQ(0755, st.st_mode & 0777);
		EXPECT_EQ(-EPERM, AS(o, k_ns_mnt_open(o->mntns, id))) {
			TH_LOG("user %u, permissions %o", tab[i].uid, tab[i].perm);
		}
		fd = k_ns_mnt_open(o->mntns, id);
		EXPECT_GE(fd, 0);
		close(fd);
		ASSERT_EQ(0, removexattr("dir", "system.posix_acl_access"));
		fd = AS(o, k_ns_mnt_open(o->mntns, id));
		EXPECT_GE(fd, 0);
		close(fd);
	}
	/* whose owner is known there, the ACL does not matter */
	ASSERT_EQ(0, set_acl("dir", TEST_UID + 1, 0));
	ASSERT_EQ(0, chown("dir", TEST_UID, TEST_UID));
	fd = AS(o, k_ns_mnt_open(o->mntns, id));
	EXPECT_GE(fd, 0);
	close(fd);
}

/*
 * A directory between the mount and the root of what it is mounted on is moved
 * elsewhere: from there no way leads to that root, and the walk goes up to the
 * root of the filesystem.
 */
TEST_F(ns_mnt_open_way, moved_out_of_the_tree)
{
	struct actor *o = &self->owner;
	__u64 id, deeper;
	int fd;

	ASSERT_EQ(0, mkdir("fs", 0755));
	ASSERT_EQ(0, mkdir("bind", 0755));
	ASSERT_EQ(0, k_mount("tmpfs", "fs", "tmpfs", MS_NODEV));
	ASSERT_EQ(0, chmod("fs", 0755));
	ASSERT_EQ(0, mkdir("fs/a", 0755));
	ASSERT_EQ(0, mkdir("fs/a/x", 0755));
	ASSERT_EQ(0, mkdir("fs/a/x/m", 0755));
	ASSERT_EQ(0, mkdir("fs/a/x/n", 0755));
	ASSERT_EQ(0, mkdir("fs/a/x/n/m", 0755));
	ASSERT_EQ(0, mkdir("fs/b", 0755));
	ASSERT_EQ(0, k_mount("fs/a", "bind", NULL, MS_BIND));
	ASSERT_EQ(0, k_mount("tmpfs", "bind/x/m", "tmpfs", 0));
	ASSERT_EQ(0, k_mount("tmpfs", "bind/x/n/m", "tmpfs", 0));
	ASSERT_EQ(0, new_owner(self));
	id = id_at(&self->root, PATH("bind/x/m"));
	deeper = id_at(&self->root, PATH("bind/x/n/m"));
	ASSERT_TRUE(id && deeper);
	fd = AS(o, k_ns_mnt_open(o->mntns, id));
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, close(fd));

	ASSERT_EQ(0, rename("fs/a/x", "fs/b/x"));
	EXPECT_EQ(-ENOENT, AS(&self->root, k_open(PATH("bind/x"), O_PATH)));
	fd = AS(o, k_ns_mnt_open(o->mntns, id));
	EXPECT_GE(fd, 0);
	EXPECT_EQ(id, mnt_id_of(fd));
	close(fd);
	fd = k_ns_mnt_open(o->mntns, id);
	EXPECT_GE(fd, 0);
	close(fd);
	/* the directories that it is below now are those that count */
	ASSERT_EQ(0, chmod("fs/a", 0700));
	fd = AS(o, k_ns_mnt_open(o->mntns, id));
	EXPECT_GE(fd, 0);
	close(fd);
	ASSERT_EQ(0, chmod("fs/b", 0700));
	EXPECT_EQ(-EPERM, AS(o, k_ns_mnt_open(o->mntns, id)));
	EXPECT_EQ(-EPERM, AS(o, k_ns_mnt_open(o->mntns, deeper)));
	ASSERT_EQ(0, chmod("fs/b", 0711));
	fd = AS(o, k_ns_mnt_open(o->mntns, deeper));
	EXPECT_GE(fd, 0);
	close(fd);
	/* it is where it was once the directory is back */
	ASSERT_EQ(0, rename("fs/b/x", "fs/a/x"));
	EXPECT_EQ(-EPERM, AS(o, k_ns_mnt_open(o->mntns, id)));
	ASSERT_EQ(0, chmod("fs/a", 0755));
	fd = AS(o, k_ns_mnt_open(o->mntns, id));
	EXPECT_GE(fd, 0);
	close(fd);
}

TEST_HARNESS_MAIN
