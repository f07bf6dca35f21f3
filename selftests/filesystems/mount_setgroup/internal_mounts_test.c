// SPDX-License-Identifier: GPL-2.0
/*
 * The mounts that the kernel keeps for itself, of pipes, sockets, memory files and
 * more, as each argument of each call: they are mounted nowhere, so EINVAL.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "../mount_members.h"
#include "../../kselftest_harness.h"

#define FOREIGN	(OPEN_TREE_CLONE | OPEN_TREE_FOREIGN | AT_EMPTY_PATH)

FIXTURE(internal_mounts) {
	char base[64];
	int priv;	/* a private mount, a shared one, and its slave */
	int peer;
	int slave;
	int fd;		/* of the internal mount */
};

FIXTURE_VARIANT(internal_mounts) {
	int (*open)(void);
	bool is_dir;
};

static int open_pipe(void)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	close(fds[1]);
	return fds[0];
}

static int open_memfd(void)
{
	return k_ret(memfd_create("internal", MFD_CLOEXEC));
}

static int open_socket(void)
{
	return k_ret(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int open_eventfd(void)
{
	return k_ret(eventfd(0, EFD_CLOEXEC));
}

/* The namespace files themselves, not where they are mounted. */
static int open_nsfs(void)
{
	return k_open("/proc/self/ns/mnt", O_RDONLY);
}

/* What threads of the kernel have for a root: it is the root of a mount, too. */
static int open_kthread_root(void)
{
	char exe;

	/* none of them has a program, and in a pid namespace none is seen */
	if (readlink("/proc/2/exe", &exe, 1) >= 0 || errno != ENOENT)
		return -ESRCH;
	return k_open("/proc/2/root", O_RDONLY | O_DIRECTORY);
}

FIXTURE_VARIANT_ADD(internal_mounts, kthread_root) {
	.open = open_kthread_root,
	.is_dir = true,
};

FIXTURE_VARIANT_ADD(internal_mounts, pipe) {
	.open = open_pipe,
};

FIXTURE_VARIANT_ADD(internal_mounts, memfd) {
	.open = open_memfd,
};

FIXTURE_VARIANT_ADD(internal_mounts, socket) {
	.open = open_socket,
};

FIXTURE_VARIANT_ADD(internal_mounts, eventfd) {
	.open = open_eventfd,
};

FIXTURE_VARIANT_ADD(internal_mounts, nsfs) {
	.open = open_nsfs,
};

FIXTURE_SETUP(internal_mounts)
{
	if (geteuid())
		SKIP(return, "test requires root");
	if (!setgroup_supported() || !lock_set_supported())
		SKIP(return, "mount_setgroup() or lock_set not supported");
	ASSERT_EQ(0, members_setup(self->base, sizeof(self->base)));
	self->priv = member_of(&this_test, self->base, "", "0");
	self->peer = member_of(&this_test, self->base, "", "1");
	ASSERT_TRUE(self->priv >= 0 && self->peer >= 0);
	ASSERT_EQ(0, k_mount(NULL, "1", NULL, MS_SHARED));
	ASSERT_EQ(0, k_mount("1", "2", NULL, MS_BIND));
	ASSERT_EQ(0, k_mount(NULL, "2", NULL, MS_SLAVE));
	self->slave = k_open("2", O_PATH);
	ASSERT_GE(self->slave, 0);
	self->fd = variant->open();
	if (variant->is_dir && (self->fd == -ESRCH || self->fd == -ENOENT)) {
		members_teardown(self->base);
		SKIP(return, "no thread of the kernel is seen");
	}
	ASSERT_GE(self->fd, 0);
}

FIXTURE_TEARDOWN(internal_mounts)
{
	members_teardown(self->base);
}

TEST_F(internal_mounts, open_tree)
{
	const struct mount_attr_locks attr = { .propagation = MS_SHARED };
	int ret = k_open_tree(self->fd, "", FOREIGN);

	/* a namespace file may be cloned from anywhere */
	if (variant->open == open_nsfs) {
		EXPECT_GE(ret, 0);
		close(ret);
	} else {
		EXPECT_EQ(-EINVAL, ret);
		EXPECT_EQ(-EINVAL, k_open_tree(self->fd, "", FOREIGN | AT_RECURSIVE));
		EXPECT_EQ(-EINVAL, k_open_tree_attr(self->fd, "", FOREIGN, &attr,
						    sizeof(attr)));
	}
}

TEST_F(internal_mounts, move_mount)
{
	static const unsigned int flags[] = {
		MOVE_MOUNT_T_FOREIGN,
		MOVE_MOUNT_T_FOREIGN | MOVE_MOUNT_UNLOCKED,
		MOVE_MOUNT_T_FOREIGN | MOVE_MOUNT_BENEATH,
	};
	int tree = k_open_tree(AT_FDCWD, "fs", OPEN_TREE_CLONE);
	int file = k_open_tree(AT_FDCWD, "/proc/self/status", OPEN_TREE_CLONE);

	ASSERT_TRUE(tree >= 0 && file >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		bool beneath = flags[i] & MOVE_MOUNT_BENEATH;

		EXPECT_EQ(-EINVAL, k_move_mount(self->fd, "", self->priv, "", flags[i]));
		/* a directory does not go on a file, nor anything where nothing is */
		if (variant->is_dir) {
			EXPECT_EQ(-EINVAL, k_move_mount(file, "", self->fd, "", flags[i]));
			EXPECT_EQ(-ENOENT, k_move_mount(tree, "", self->fd, "", flags[i]));
			EXPECT_EQ(-ENOENT, k_move_mount(self->fd, "", self->fd, "", flags[i]));
		} else {
			EXPECT_EQ(-EINVAL, k_move_mount(tree, "", self->fd, "", flags[i]));
			EXPECT_EQ(-EINVAL, k_move_mount(self->fd, "", self->fd, "", flags[i]));
			EXPECT_EQ(beneath ? -EINVAL : -ENOENT,
				  k_move_mount(file, "", self->fd, "", flags[i]));
		}
	}
	/* they are still to be had */
	EXPECT_EQ(0, k_move_mount(tree, "", AT_FDCWD, "3", 0));
}

TEST_F(internal_mounts, set_group)
{
	EXPECT_EQ(-EINVAL, k_move_mount(self->fd, "", self->priv, "",
					MOVE_MOUNT_SET_GROUP));
	EXPECT_EQ(-EINVAL, k_move_mount(self->peer, "", self->fd, "",
					MOVE_MOUNT_SET_GROUP));
	EXPECT_EQ(-EINVAL, k_move_mount(self->fd, "", self->fd, "",
					MOVE_MOUNT_SET_GROUP));
}

TEST_F(internal_mounts, setgroup_members)
{
	int fds[2];

	for (int i = 0; i < 2; i++) {
		fds[i] = self->fd;
		fds[!i] = self->priv;
		EXPECT_EQ(-EINVAL, k_setgroup(MOUNT_SETGROUP_SHARED, fds, 2, 0));
		EXPECT_EQ(-EINVAL, k_setgroup(MOUNT_SETGROUP_PEER, fds, 2, self->peer));
		EXPECT_EQ(-EINVAL, k_setgroup(MOUNT_SETGROUP_MASTER, fds, 2, self->peer));
		EXPECT_EQ(-EINVAL, k_setgroup(MOUNT_SETGROUP_SIBLING, fds, 2, self->slave));
	}
	EXPECT_EQ(-EINVAL, k_setgroup(MOUNT_SETGROUP_SHARED, &self->fd, 1, 0));
	EXPECT_EQ(MS_PRIVATE, propagation_of(self->priv));
	/* whoever may nothing is told the same */
	EXPECT_EQ(-EINVAL, AS(&((struct actor) { .userns = -1, .mntns = -1, .uid = 1000 }),
			      k_setgroup(MOUNT_SETGROUP_SHARED, &self->fd, 1, 0)));
}

TEST_F(internal_mounts, setgroup_target)
{
	static const unsigned int flags[] = {
		MOUNT_SETGROUP_PEER, MOUNT_SETGROUP_MASTER, MOUNT_SETGROUP_SIBLING,
		MOUNT_SETGROUP_SHARED | MOUNT_SETGROUP_MASTER,
		MOUNT_SETGROUP_SHARED | MOUNT_SETGROUP_SIBLING,
	};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		EXPECT_EQ(-EINVAL, k_setgroup(flags[i], &self->priv, 1, self->fd));
	EXPECT_EQ(MS_PRIVATE, propagation_of(self->priv));
}

TEST_F(internal_mounts, mount_setattr)
{
	struct mount_attr_locks attr[] = {
		{ .propagation = MS_SHARED },
		{ .propagation = MS_SLAVE },
		{ .lock_set = MOUNT_LOCK_MOUNT },
		{ .lock_set = MOUNT_LOCK_ATIME, .propagation = MS_PRIVATE },
		{ .lock_set = MOUNT_LOCK_RDONLY, .attr_set = MOUNT_ATTR_RDONLY },
	};

	for (size_t i = 0; i < ARRAY_SIZE(attr); i++) {
		EXPECT_EQ(-EINVAL, k_mount_setattr(self->fd, "", AT_EMPTY_PATH, attr + i,
						   sizeof(*attr)));
		EXPECT_EQ(-EINVAL, k_mount_setattr(self->fd, "", AT_EMPTY_PATH | AT_RECURSIVE,
						   attr + i, sizeof(*attr)));
	}
}

/* That one is no id of a mount of a namespace, either. */
TEST_F(internal_mounts, ns_mnt_open)
{
	int ns = k_open("/proc/self/ns/mnt", O_RDONLY);

	ASSERT_GE(ns, 0);
	EXPECT_EQ(-ENOENT, k_ns_mnt_open(ns, mnt_id_of(self->fd)));
	if (variant->open != open_nsfs)
		EXPECT_EQ(-ENOTTY, k_ns_mnt_open(self->fd, NS_MNT_OPEN_ROOT));
}

TEST_HARNESS_MAIN
