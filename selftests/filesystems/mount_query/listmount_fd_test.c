// SPDX-License-Identifier: GPL-2.0
/*
 * listmount() of a detached tree that one has a descriptor of: LISTMOUNT_BY_FD.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <stdlib.h>

#include "../mount_members.h"
#include "../mount_cast.h"
#include "../../kselftest_harness.h"

#define NR_IDS	16

static int list_req(struct mnt_id_req *req, int fd, __u64 *ids, size_t nr,
		    unsigned int flags)
{
	req->size = MNT_ID_REQ_SIZE_VER1;
	req->mnt_fd = fd;
	return k_ret(syscall(__NR_listmount, req, ids, nr, flags | LISTMOUNT_BY_FD));
}

static int list(int fd, __u64 *ids, size_t nr, unsigned int flags)
{
	struct mnt_id_req req = {};

	return list_req(&req, fd, ids, nr, flags);
}

/*
 * A detached tree: on its root's "a" there is "one", on which there is "two" twice,
 * the second hiding the first, and on the root itself there is "top". In the order
 * in which they have been made, and of their IDs.
 */
enum { ROOT, ONE, TWO, TWICE, TOP, NR_MOUNTS };

FIXTURE(listmount_fd) {
	char base[64];
	int fd[NR_MOUNTS];
	__u64 id[NR_MOUNTS];
};

FIXTURE_SETUP(listmount_fd)
{
	if (geteuid())
		SKIP(return, "test requires root");
	/* unknown flags are found before anything else is looked at */
	if (list(-1, NULL, 0, 0) == -EINVAL)
		SKIP(return, "LISTMOUNT_BY_FD not supported");
	ASSERT_EQ(0, members_setup(self->base, sizeof(self->base)));
	for (int i = 0; i < NR_MOUNTS; i++) {
		self->fd[i] = detached_tmpfs(&this_test, 0);
		ASSERT_GE(self->fd[i], 0);
		ASSERT_EQ(0, mkdirat(self->fd[i], "a", 0755));
		self->id[i] = mnt_id_of(self->fd[i]);
		ASSERT_NE(0, self->id[i]);
	}
	ASSERT_EQ(0, k_move_mount(self->fd[ONE], "", self->fd[ROOT], "a", 0));
	ASSERT_EQ(0, k_move_mount(self->fd[TWO], "", self->fd[ONE], "a", 0));
	ASSERT_EQ(0, k_move_mount(self->fd[TWICE], "", self->fd[TWO], "", 0));
	ASSERT_EQ(0, k_move_mount(self->fd[TOP], "", self->fd[ROOT], "", 0));
}

FIXTURE_TEARDOWN(listmount_fd)
{
	members_teardown(self->base);
}

/* All that is below, hidden or not, and not itself; nothing else is written. */
TEST_F(listmount_fd, tree)
{
	__u64 ids[NR_IDS];

	memset(ids, 0xff, sizeof(ids));
	ASSERT_EQ(4, list(self->fd[ROOT], ids, NR_IDS, 0));
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(self->id[ONE + i], ids[i]);
	EXPECT_EQ((__u64)-1, ids[4]);
	ASSERT_EQ(4, list(self->fd[ROOT], ids, NR_IDS, LISTMOUNT_REVERSE));
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(self->id[TOP - i], ids[i]);
}

/* From a mount in the middle, and from a directory or file somewhere on it. */
TEST_F(listmount_fd, below)
{
	__u64 ids[NR_IDS];
	int fd;

	ASSERT_EQ(2, list(self->fd[ONE], ids, NR_IDS, 0));
	EXPECT_EQ(self->id[TWO], ids[0]);
	EXPECT_EQ(self->id[TWICE], ids[1]);
	ASSERT_EQ(1, list(self->fd[TWO], ids, NR_IDS, 0));
	EXPECT_EQ(self->id[TWICE], ids[0]);
	EXPECT_EQ(0, list(self->fd[TWICE], ids, NR_IDS, 0));
	EXPECT_EQ(0, list(self->fd[TOP], ids, NR_IDS, 0));

	ASSERT_EQ(0, mkdirat(self->fd[ONE], "d", 0755));
	fd = k_openat(self->fd[ONE], "d", O_PATH);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(2, list(fd, ids, NR_IDS, 0));
	fd = k_ret(openat(self->fd[ONE], "f", O_CREAT | O_RDWR | O_CLOEXEC, 0600));
	ASSERT_GE(fd, 0);
	EXPECT_EQ(2, list(fd, ids, NR_IDS, 0));
}

TEST_F(listmount_fd, continued)
{
	struct mnt_id_req req = {};
	__u64 ids[NR_IDS];

	ASSERT_EQ(2, list(self->fd[ROOT], ids, 2, 0));
	req.param = ids[1];
	ASSERT_EQ(2, list_req(&req, self->fd[ROOT], ids, NR_IDS, 0));
	EXPECT_EQ(self->id[TWICE], ids[0]);
	EXPECT_EQ(self->id[TOP], ids[1]);
	req.param = ids[1];
	EXPECT_EQ(0, list_req(&req, self->fd[ROOT], ids, NR_IDS, 0));
	req.param = self->id[TWO];
	ASSERT_EQ(1, list_req(&req, self->fd[ROOT], ids, NR_IDS, LISTMOUNT_REVERSE));
	EXPECT_EQ(self->id[ONE], ids[0]);
	EXPECT_EQ(0, list(self->fd[ROOT], ids, 0, 0));
}

/* Trees as open_tree() makes them, and a mount with nothing on it. */
TEST_F(listmount_fd, clone)
{
	__u64 ids[NR_IDS];
	int tree, single;

	ASSERT_EQ(0, k_mount("tmpfs", "0", "tmpfs", 0));
	ASSERT_EQ(0, mkdir("0/d", 0755));
	ASSERT_EQ(0, k_mount("tmpfs", "0/d", "tmpfs", 0));
	tree = k_open_tree(AT_FDCWD, "0", OPEN_TREE_CLONE | AT_RECURSIVE);
	single = k_open_tree(AT_FDCWD, "0", OPEN_TREE_CLONE);
	ASSERT_TRUE(tree >= 0 && single >= 0);
	EXPECT_EQ(1, list(tree, ids, NR_IDS, 0));
	EXPECT_EQ(mnt_id_of(k_openat(tree, "d", O_PATH)), ids[0]);
	EXPECT_EQ(0, list(single, ids, NR_IDS, 0));
}

/* The descriptor is all it takes, as for STATMOUNT_BY_FD. */
TEST_F(listmount_fd, unprivileged)
{
	struct actor user = { .userns = -1, .mntns = -1, .uid = TEST_UID };
	struct actor other;
	__u64 ids[NR_IDS];
	struct statmount sm;

	ASSERT_EQ(0, actor_new(&other, &this_test, ACTOR_USERNS));
	EXPECT_EQ(0, AS(&user, k_statmount_fd(self->fd[ROOT], STATMOUNT_MNT_BASIC, &sm,
					      sizeof(sm))));
	EXPECT_EQ(4, AS(&user, list(self->fd[ROOT], ids, NR_IDS, 0)));
	EXPECT_EQ(4, AS(&other, list(self->fd[ROOT], ids, NR_IDS, 0)));
}

/* By its ID: what is below the caller's root, or anything by who is privileged. */
TEST_F(listmount_fd, eperm_by_id)
{
	struct actor user = {
		.userns = -1, .mntns = -1, .drop_caps = CAP_BIT(CAP_SYS_ADMIN)
	};
	const __u64 id = self->id[ROOT];
	__u64 ids[NR_IDS];

	ASSERT_EQ(0, k_move_mount(self->fd[ROOT], "", AT_FDCWD, "0", 0));
	EXPECT_EQ(4, AS(&user, k_listmount(id, 0, ids, NR_IDS)));
	EXPECT_EQ(-EPERM, AS(&user, chroot("1") ? -errno :
				    k_listmount(id, 0, ids, NR_IDS)));
	EXPECT_EQ(4, AS(&this_test, chroot("1") ? -errno :
				    k_listmount(id, 0, ids, NR_IDS)));
}

/* What is attached is asked for by its ID, wherever it is. */
TEST_F(listmount_fd, einval_attached)
{
	struct actor other;
	__u64 ids[NR_IDS];
	int fd;

	ASSERT_EQ(0, k_move_mount(self->fd[ROOT], "", AT_FDCWD, "0", 0));
	EXPECT_EQ(-EINVAL, list(self->fd[ROOT], ids, NR_IDS, 0));
	EXPECT_EQ(-EINVAL, list(self->fd[ONE], ids, NR_IDS, 0));
	EXPECT_EQ(4, k_listmount(self->id[ROOT], 0, ids, NR_IDS));
	EXPECT_EQ(-EINVAL, list(k_open("/", O_PATH), ids, NR_IDS, 0));
	ASSERT_EQ(0, actor_new(&other, &this_test, ACTOR_MNTNS));
	fd = OPEN_IN(&other, "fs");
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-EINVAL, list(fd, ids, NR_IDS, 0));
}

/* Not mounted anywhere anymore, or never at all. */
TEST_F(listmount_fd, einval_unmounted)
{
	__u64 ids[NR_IDS];
	int fds[2];
	int fd;

	ASSERT_EQ(0, k_mount("tmpfs", "0", "tmpfs", 0));
	fd = k_open("0", O_PATH);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, k_umount("0", MNT_DETACH));
	EXPECT_EQ(-EINVAL, list(fd, ids, NR_IDS, 0));
	ASSERT_EQ(0, pipe(fds));
	EXPECT_EQ(-EINVAL, list(fds[0], ids, NR_IDS, 0));
}

/* The tree goes with the descriptor that it came with: nothing else keeps it. */
TEST_F(listmount_fd, dissolved)
{
	__u64 ids[NR_IDS];

	EXPECT_EQ(4, list(self->fd[ROOT], ids, NR_IDS, 0));
	EXPECT_EQ(2, list(self->fd[ONE], ids, NR_IDS, 0));
	EXPECT_EQ(-EFAULT, list(self->fd[ROOT], (__u64 *)8, NR_IDS, 0));
	ASSERT_EQ(0, close(self->fd[ROOT]));
	EXPECT_EQ(-EINVAL, list(self->fd[ONE], ids, NR_IDS, 0));
}

TEST_F(listmount_fd, errors)
{
	struct mnt_id_req req = {};
	__u64 ids[NR_IDS];

	EXPECT_EQ(-EBADF, list(-1, ids, NR_IDS, 0));
	EXPECT_EQ(-EFAULT, list(self->fd[ROOT], (__u64 *)8, NR_IDS, 0));
	EXPECT_EQ(-EOVERFLOW, list(self->fd[ROOT], ids, 1000001, 0));
	for (int bit = 2; bit < 32; bit++)
		EXPECT_EQ(-EINVAL, list(self->fd[ROOT], ids, NR_IDS, 1U << bit));
	req.mnt_id = self->id[ROOT];
	EXPECT_EQ(-EINVAL, list_req(&req, self->fd[ROOT], ids, NR_IDS, 0));
	/* no descriptor is looked at before the request is understood */
	EXPECT_EQ(-EINVAL, list_req(&req, -1, ids, NR_IDS, 0));
	req.mnt_id = LSMT_ROOT;
	EXPECT_EQ(-EINVAL, list_req(&req, self->fd[ROOT], ids, NR_IDS, 0));
	req = (struct mnt_id_req) { .mnt_ns_id = actor_ns_id(&this_test) };
	EXPECT_EQ(-EINVAL, list_req(&req, self->fd[ROOT], ids, NR_IDS, 0));
	EXPECT_EQ(-ENOENT, k_listmount(1ULL << 62, 0, ids, NR_IDS));
	req = (struct mnt_id_req) { .param = 1 };
	EXPECT_EQ(-EINVAL, list_req(&req, self->fd[ROOT], ids, NR_IDS, 0));
}

TEST_HARNESS_MAIN
