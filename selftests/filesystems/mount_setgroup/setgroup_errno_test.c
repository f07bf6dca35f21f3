// SPDX-License-Identifier: GPL-2.0
/*
 * mount_setgroup(): the errors that need no other user namespace, and that a
 * call which fails changes nothing.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <linux/landlock.h>

#include "../mount_members.h"
#include "../utils.h"
#include "../../kselftest_harness.h"

#define SHARED	MOUNT_SETGROUP_SHARED
#define PEER	MOUNT_SETGROUP_PEER
#define MASTER	MOUNT_SETGROUP_MASTER
#define SIBLING	MOUNT_SETGROUP_SIBLING
#define ALL	(SHARED | PEER | MASTER | SIBLING)

FIXTURE(setgroup_errno) {
	char base[64];
	int fd[4];	/* private mounts */
	int peer;	/* a shared mount */
	int slave;	/* a slave of it */
	unsigned int mount_max;	/* what to set it back to, or 0 */
};

FIXTURE_SETUP(setgroup_errno)
{
	if (geteuid())
		SKIP(return, "test requires root");
	if (!setgroup_supported())
		SKIP(return, "mount_setgroup() not supported");
	ASSERT_EQ(0, members_setup(self->base, sizeof(self->base)));
	for (int i = 0; i < 4; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		self->fd[i] = member_of(&this_test, self->base, "", name);
		ASSERT_GE(self->fd[i], 0);
	}
	self->peer = member_of(&this_test, self->base, "", "4");
	ASSERT_GE(self->peer, 0);
	ASSERT_EQ(0, k_mount(NULL, "4", NULL, MS_SHARED));
	ASSERT_EQ(0, k_mount("4", "5", NULL, MS_BIND));
	ASSERT_EQ(0, k_mount(NULL, "5", NULL, MS_SLAVE));
	self->slave = k_open("5", O_PATH);
	ASSERT_GE(self->slave, 0);
}

static int set_mount_max(unsigned int max)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", max);
	return write_file("/proc/sys/fs/mount-max", text);
}

FIXTURE_TEARDOWN(setgroup_errno)
{
	if (self->mount_max)
		EXPECT_EQ(0, set_mount_max(self->mount_max));
	members_teardown(self->base);
}

/* Whatever @expr does, this namespace stays as it is and nobody is told. */
#define EXPECT_REFUSED(err, expr) do {				\
	char *__before, *__after;				\
	int __watch = mountinfo_watch(&this_test);			\
								\
	ASSERT_GE(__watch, 0);					\
	__before = ns_snapshot(&this_test);				\
	ASSERT_NE(NULL, __before);				\
	EXPECT_EQ(-(err), expr);				\
	__after = ns_snapshot(&this_test);				\
	EXPECT_STREQ(__before, __after);			\
	EXPECT_FALSE(mountinfo_changed(__watch));		\
	free(__before);						\
	free(__after);						\
	ASSERT_EQ(0, close(__watch));				\
} while (0)

/* What each combination of flags takes, set up so that nothing else is wrong. */
static int with_flags(unsigned int flags, const int *fds, int peer, int slave)
{
	return k_setgroup(flags, fds, 1, (flags & SIBLING) ? slave :
			  (flags & (PEER | MASTER)) ? peer : 0);
}

TEST_F_TIMEOUT(setgroup_errno, einval_flags, 120)
{
	for (unsigned int flags = 0; flags <= ALL; flags++) {
		switch (flags) {
		case SHARED:
		case PEER:
		case MASTER:
		case SIBLING:
		case SHARED | MASTER:
		case SHARED | SIBLING:
			EXPECT_EQ(0, with_flags(flags, self->fd, self->peer,
						self->slave)) {
				TH_LOG("flags %x", flags);
			}
			ASSERT_EQ(0, k_mount(NULL, "0", NULL, MS_PRIVATE));
			break;
		default:
			EXPECT_REFUSED(EINVAL, with_flags(flags, self->fd, self->peer,
							  self->slave));
		}
	}
	for (int bit = 4; bit < 32; bit++)
		EXPECT_EQ(-EINVAL, k_setgroup(SHARED | 1u << bit, self->fd, 1, 0));
}

/* Who names no other mount does not ask for one. */
TEST_F(setgroup_errno, einval_unused_target)
{
	EXPECT_REFUSED(EINVAL, k_setgroup(SHARED, self->fd, 1, self->peer));
	EXPECT_REFUSED(EINVAL, k_setgroup(SHARED, self->fd, 1, -1));
}

TEST_F(setgroup_errno, einval_no_members)
{
	EXPECT_REFUSED(EINVAL, k_setgroup(SHARED, self->fd, 0, 0));
	EXPECT_REFUSED(EINVAL, k_setgroup(PEER, NULL, 0, self->peer));
}

TEST_F(setgroup_errno, size)
{
	struct {
		struct mount_group_args args;
		__u64 more[0x2000];	/* a page, however large */
	} big = {
		.args.mnt_fds	= (uintptr_t)self->fd,
		.args.nr_fds	= 2,
	};

	for (size_t size = 0; size < MOUNT_GROUP_ARGS_SIZE_VER0; size++)
		EXPECT_REFUSED(EINVAL, k_mount_setgroup(&big, size, SHARED));
	big.more[0] = 1;
	EXPECT_REFUSED(E2BIG, k_mount_setgroup(&big, MOUNT_GROUP_ARGS_SIZE_VER0 + 8,
					       SHARED));
	EXPECT_REFUSED(E2BIG, k_mount_setgroup(&big, MOUNT_GROUP_ARGS_SIZE_VER0 + 1,
					       SHARED));
	big.more[0] = 0;
	/* more than a page, though all of it is zero */
	EXPECT_REFUSED(E2BIG, k_mount_setgroup(&big, sysconf(_SC_PAGESIZE) + 1,
					       SHARED));
	EXPECT_EQ(0, k_mount_setgroup(&big, MOUNT_GROUP_ARGS_SIZE_VER0 + 8, SHARED));
	ASSERT_EQ(0, k_mount(NULL, "0", NULL, MS_PRIVATE));
	ASSERT_EQ(0, k_mount(NULL, "1", NULL, MS_PRIVATE));
	/* exactly a page, and its last byte */
	EXPECT_EQ(0, k_mount_setgroup(&big, sysconf(_SC_PAGESIZE), SHARED));
	ASSERT_EQ(0, k_mount(NULL, "0", NULL, MS_PRIVATE));
	ASSERT_EQ(0, k_mount(NULL, "1", NULL, MS_PRIVATE));
	((char *)&big)[sysconf(_SC_PAGESIZE) - 1] = 1;
	EXPECT_REFUSED(E2BIG, k_mount_setgroup(&big, sysconf(_SC_PAGESIZE), SHARED));
	EXPECT_EQ(0, k_mount_setgroup(&big, sysconf(_SC_PAGESIZE) - 1, SHARED));
}

/* No group may be larger than a mount namespace: found before memory is taken. */
TEST_F(setgroup_errno, emfile_members)
{
	unsigned int max;

	ASSERT_EQ(0, read_uint("/proc/sys/fs/mount-max", &max));
	EXPECT_REFUSED(EMFILE, k_setgroup(SHARED, self->fd, max + 1, 0));
	EXPECT_REFUSED(EMFILE, k_setgroup(SHARED, NULL, ~0u, 0));
	/* not too many: the array is what is wrong */
	EXPECT_REFUSED(EFAULT, k_setgroup(SHARED, NULL, max, 0));
}

/* The limit may be more than there is memory for. */
TEST_F(setgroup_errno, enomem)
{
	const unsigned int many = 1U << 30;
	unsigned int max;

	ASSERT_EQ(0, read_uint("/proc/sys/fs/mount-max", &max));
	self->mount_max = max;
	ASSERT_EQ(0, set_mount_max(many));
	EXPECT_REFUSED(ENOMEM, k_setgroup(SHARED, self->fd, many, 0));
	EXPECT_REFUSED(ENOMEM, k_setgroup(PEER, self->fd, many, self->peer));
}

TEST_F(setgroup_errno, efault)
{
	char *page;

	EXPECT_REFUSED(EFAULT, k_mount_setgroup(NULL, sizeof(struct mount_group_args),
						SHARED));
	EXPECT_REFUSED(EFAULT, k_setgroup(SHARED, (int *)1, 1, 0));

	/* the array ends where memory does */
	page = mmap(NULL, 2 * sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(0, munmap(page + sysconf(_SC_PAGESIZE), sysconf(_SC_PAGESIZE)));
	page += sysconf(_SC_PAGESIZE) - 2 * sizeof(int);
	memcpy(page, self->fd, 2 * sizeof(int));
	EXPECT_REFUSED(EFAULT, k_setgroup(SHARED, (int *)page, 3, 0));
	EXPECT_EQ(0, k_setgroup(SHARED, (int *)page, 2, 0));
}

TEST_F(setgroup_errno, ebadf)
{
	int fds[3] = { self->fd[0], self->fd[1], self->fd[2] };

	fds[2] = -1;
	EXPECT_REFUSED(EBADF, k_setgroup(SHARED, fds, 3, 0));
	fds[2] = 100000;
	EXPECT_REFUSED(EBADF, k_setgroup(SHARED, fds, 3, 0));
	EXPECT_REFUSED(EBADF, k_setgroup(PEER, self->fd, 1, -1));
	EXPECT_REFUSED(EBADF, k_setgroup(MASTER, self->fd, 1, -1));
	EXPECT_REFUSED(EBADF, k_setgroup(SIBLING, self->fd, 1, -1));
	EXPECT_REFUSED(EBADF, k_setgroup(SHARED | MASTER, self->fd, 1, 100000));
}

/* Each of these is wrong at the last place, where all others have passed. */
TEST_F(setgroup_errno, einval_not_a_mount_root)
{
	int fds[3] = { self->fd[0], self->fd[1] };

	fds[2] = k_openat(self->fd[2], "a", O_PATH);
	ASSERT_GE(fds[2], 0);
	EXPECT_REFUSED(EINVAL, k_setgroup(SHARED, fds, 3, 0));
	ASSERT_EQ(0, close(fds[2]));
	fds[2] = k_openat(self->peer, "a", O_PATH);
	ASSERT_GE(fds[2], 0);
	EXPECT_REFUSED(EINVAL, k_setgroup(PEER, fds, 2, fds[2]));
	EXPECT_REFUSED(EINVAL, k_setgroup(MASTER, fds, 2, fds[2]));
	ASSERT_EQ(0, close(fds[2]));
	fds[2] = k_openat(self->slave, "a", O_PATH);
	ASSERT_GE(fds[2], 0);
	EXPECT_REFUSED(EINVAL, k_setgroup(SIBLING, fds, 2, fds[2]));
}

TEST_F(setgroup_errno, einval_not_mounted)
{
	int fds[3] = { self->fd[0], self->fd[1], self->fd[2] };

	ASSERT_EQ(0, k_umount("2", MNT_DETACH));
	EXPECT_REFUSED(EINVAL, k_setgroup(SHARED, fds, 3, 0));
	EXPECT_REFUSED(EINVAL, k_setgroup(PEER, fds, 3, self->peer));
	ASSERT_EQ(0, k_umount("4", MNT_DETACH));
	EXPECT_REFUSED(EINVAL, k_setgroup(PEER, fds, 2, self->peer));
	EXPECT_REFUSED(EINVAL, k_setgroup(MASTER, fds, 2, self->peer));
	ASSERT_EQ(0, k_umount("5", MNT_DETACH));
	EXPECT_REFUSED(EINVAL, k_setgroup(SIBLING, fds, 2, self->slave));
}

/* A detached tree that is dissolved, and a namespace that is gone. */
TEST_F(setgroup_errno, einval_namespace_is_gone)
{
	int fds[3] = { self->fd[0], self->fd[1] };
	struct actor other;
	int tree;

	tree = k_open_tree(AT_FDCWD, "fs", OPEN_TREE_CLONE);
	ASSERT_GE(tree, 0);
	fds[2] = k_openat(tree, ".", O_PATH);
	ASSERT_GE(fds[2], 0);
	ASSERT_EQ(0, close(tree));
	EXPECT_REFUSED(EINVAL, k_setgroup(SHARED, fds, 3, 0));
	ASSERT_EQ(0, close(fds[2]));

	ASSERT_EQ(0, actor_new(&other, &this_test, ACTOR_MNTNS));
	fds[2] = OPEN_IN(&other, "2");
	ASSERT_GE(fds[2], 0);
	actor_close(&other);
	EXPECT_REFUSED(EINVAL, k_setgroup(SHARED, fds, 3, 0));
	EXPECT_REFUSED(EINVAL, k_setgroup(PEER, fds, 3, self->peer));
}

TEST_F(setgroup_errno, einval_unbindable)
{
	ASSERT_EQ(0, k_mount(NULL, "2", NULL, MS_UNBINDABLE));
	EXPECT_REFUSED(EINVAL, k_setgroup(SHARED, self->fd, 3, 0));
	EXPECT_REFUSED(EINVAL, k_setgroup(PEER, self->fd, 3, self->peer));
	EXPECT_REFUSED(EINVAL, k_setgroup(MASTER, self->fd, 3, self->peer));
	EXPECT_REFUSED(EINVAL, k_setgroup(SIBLING, self->fd, 3, self->slave));
}

TEST_F(setgroup_errno, einval_named_twice)
{
	int fds[3] = { self->fd[0], self->fd[1], self->fd[0] };

	EXPECT_REFUSED(EINVAL, k_setgroup(SHARED, fds, 3, 0));
	EXPECT_REFUSED(EINVAL, k_setgroup(MASTER, fds, 3, self->peer));
	/* another descriptor of the same mount */
	fds[2] = k_open("0", O_PATH);
	ASSERT_GE(fds[2], 0);
	EXPECT_REFUSED(EINVAL, k_setgroup(SHARED, fds, 3, 0));
	/* no trace of it is left */
	EXPECT_EQ(0, k_setgroup(SHARED, fds, 2, 0));
}

TEST_F(setgroup_errno, einval_named_mount)
{
	/* nobody's peer, nobody's master, nobody's slave */
	EXPECT_REFUSED(EINVAL, k_setgroup(PEER, self->fd, 2, self->fd[2]));
	EXPECT_REFUSED(EINVAL, k_setgroup(MASTER, self->fd, 2, self->fd[2]));
	EXPECT_REFUSED(EINVAL, k_setgroup(SIBLING, self->fd, 2, self->fd[2]));
	EXPECT_REFUSED(EINVAL, k_setgroup(SHARED | MASTER, self->fd, 2,
					  self->fd[2]));
	EXPECT_REFUSED(EINVAL, k_setgroup(SHARED | SIBLING, self->fd, 2,
					  self->fd[2]));
	/* only receives, only sends */
	EXPECT_REFUSED(EINVAL, k_setgroup(PEER, self->fd, 2, self->slave));
	EXPECT_REFUSED(EINVAL, k_setgroup(MASTER, self->fd, 2, self->slave));
	EXPECT_REFUSED(EINVAL, k_setgroup(SIBLING, self->fd, 2, self->peer));
	EXPECT_REFUSED(EINVAL, k_setgroup(SHARED | SIBLING, self->fd, 2,
					  self->peer));
	/* itself */
	EXPECT_REFUSED(EINVAL, k_setgroup(PEER, self->fd, 2, self->fd[0]));
	EXPECT_REFUSED(EINVAL, k_setgroup(MASTER, self->fd, 2, self->fd[1]));
}

TEST_F(setgroup_errno, exdev)
{
	int fds[3] = { self->fd[0], self->fd[1] };
	int slave;

	ASSERT_EQ(0, k_mount("tmpfs", "6", "tmpfs", 0));
	fds[2] = k_open("6", O_PATH);
	ASSERT_GE(fds[2], 0);
	EXPECT_REFUSED(EXDEV, k_setgroup(SHARED, fds, 3, 0));
	EXPECT_REFUSED(EXDEV, k_setgroup(PEER, fds, 3, self->peer));
	EXPECT_REFUSED(EXDEV, k_setgroup(MASTER, fds, 3, self->peer));

	ASSERT_EQ(0, k_mount(NULL, "6", NULL, MS_SHARED));
	EXPECT_REFUSED(EXDEV, k_setgroup(PEER, fds, 2, fds[2]));
	EXPECT_REFUSED(EXDEV, k_setgroup(MASTER, fds, 2, fds[2]));
	ASSERT_EQ(0, k_mount("6", "7", NULL, MS_BIND));
	ASSERT_EQ(0, k_mount(NULL, "7", NULL, MS_SLAVE));
	slave = k_open("7", O_PATH);
	ASSERT_GE(slave, 0);
	EXPECT_REFUSED(EXDEV, k_setgroup(SIBLING, fds, 2, slave));
}

/* Only private mounts: nothing receives from them, so no cycle can come of it. */
TEST_F(setgroup_errno, ebusy)
{
	int fds[3] = { self->fd[0], self->fd[1], self->peer };

	EXPECT_REFUSED(EBUSY, k_setgroup(SHARED, fds, 3, 0));
	EXPECT_REFUSED(EBUSY, k_setgroup(PEER, fds, 3, self->peer));
	EXPECT_REFUSED(EBUSY, k_setgroup(SIBLING, fds, 3, self->slave));
	fds[2] = self->slave;
	EXPECT_REFUSED(EBUSY, k_setgroup(SHARED, fds, 3, 0));
	EXPECT_REFUSED(EBUSY, k_setgroup(MASTER, fds, 3, self->peer));
	/* what would be a cycle */
	EXPECT_REFUSED(EBUSY, k_setgroup(MASTER, &self->peer, 1, self->peer));
	ASSERT_EQ(0, k_mount(NULL, "5", NULL, MS_SHARED));
	EXPECT_REFUSED(EBUSY, k_setgroup(MASTER, &self->peer, 1, self->slave));
}

/* With any rule on files Landlock denies every change of mounts. */
static int landlock_deny_mounts(void)
{
	const struct landlock_ruleset_attr attr = {
		.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_DIR,
	};
	int fd = syscall(__NR_landlock_create_ruleset, &attr, sizeof(attr), 0);

	if (fd < 0 || syscall(__NR_landlock_restrict_self, fd, 0))
		return -errno;
	return 0;
}

/* A security module is asked, and its answer is returned; this one denies all alike. */
TEST_F(setgroup_errno, eperm_landlock)
{
	if (syscall(__NR_landlock_create_ruleset, NULL, 0,
		    LANDLOCK_CREATE_RULESET_VERSION) < 0)
		SKIP(return, "Landlock not supported");
	ASSERT_EQ(0, AS(&this_test, landlock_deny_mounts()));
	EXPECT_REFUSED(EPERM, AS(&this_test, landlock_deny_mounts() ?:
				 k_setgroup(SHARED, self->fd, 1, 0)));
	EXPECT_REFUSED(EPERM, AS(&this_test, landlock_deny_mounts() ?:
				 k_setgroup(PEER, self->fd, 2, self->peer)));
	EXPECT_REFUSED(EPERM, AS(&this_test, landlock_deny_mounts() ?:
				 k_setgroup(SIBLING, self->fd, 2, self->slave)));
	EXPECT_EQ(0, k_setgroup(SHARED, self->fd, 2, 0));
}

/* The same members pass once what is wrong with them is put right. */
TEST_F(setgroup_errno, retry)
{
	ASSERT_EQ(0, k_mount(NULL, "3", NULL, MS_SHARED));
	EXPECT_REFUSED(EBUSY, k_setgroup(SHARED, self->fd, 4, 0));
	ASSERT_EQ(0, k_mount(NULL, "3", NULL, MS_PRIVATE));
	EXPECT_EQ(0, k_setgroup(SHARED, self->fd, 4, 0));
}

TEST_HARNESS_MAIN
