// SPDX-License-Identifier: GPL-2.0
/*
 * MOVE_MOUNT_BENEATH where what is mounted on the root of a mount tree is the
 * topmost mount there: that one is asked about, not the root, which is its own
 * parent.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sys/stat.h>

#include "../mount_actors.h"
#include "../../kselftest_harness.h"

FIXTURE(beneath_root) {
	char base[64];
	int root, top, new;	/* detached tmpfs, the second mounted on the first */
};

FIXTURE_SETUP(beneath_root)
{
	if (geteuid())
		SKIP(return, "test requires root");
	ASSERT_EQ(0, scratch_setup(self->base, sizeof(self->base)));
	ASSERT_EQ(0, chdir(self->base));
	self->root = detached_tmpfs(&this_test, 0);
	self->top = detached_tmpfs(&this_test, 0);
	self->new = detached_tmpfs(&this_test, 0);
	ASSERT_TRUE(self->root >= 0 && self->top >= 0 && self->new >= 0);
	ASSERT_EQ(0, k_move_mount(self->top, "", self->root, "", 0));
}

FIXTURE_TEARDOWN(beneath_root)
{
	scratch_teardown(self->base);
}

static int make_shared(int fd)
{
	struct mount_attr attr = { .propagation = MS_SHARED };

	return k_mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr));
}

static int beneath(int fd, int at)
{
	return k_move_mount(fd, "", at, "", MOVE_MOUNT_BENEATH);
}

/* The tree is attached: what lies on what there, from the topmost mount down? */
static void check_order(struct __test_metadata *_metadata, int tree, int top, int new,
			int under)
{
	struct mnt mnt;

	ASSERT_EQ(0, mkdir("at", 0755));
	ASSERT_EQ(0, k_move_mount(tree, "", AT_FDCWD, "at", 0));
	ASSERT_EQ(0, mnt_at(&this_test, "at", &mnt));
	EXPECT_EQ(mnt_id_of(top), mnt.id);
	EXPECT_EQ(mnt_id_of(new), mnt.parent);
	/* its descriptor is still there */
	ASSERT_EQ(0, k_umount("at", MNT_DETACH));
	ASSERT_EQ(0, mnt_at(&this_test, "at", &mnt));
	EXPECT_EQ(mnt_id_of(new), mnt.id);
	EXPECT_EQ(mnt_id_of(under), mnt.parent);
}

TEST_F(beneath_root, private_root)
{
	ASSERT_EQ(0, beneath(self->new, self->root));
	check_order(_metadata, self->root, self->top, self->new, self->root);
}

/* No copy of the new mount comes to lie on the root, or on what is on top. */
TEST_F(beneath_root, shared_root)
{
	ASSERT_EQ(0, make_shared(self->root));
	ASSERT_EQ(0, beneath(self->new, self->root));
	check_order(_metadata, self->root, self->top, self->new, self->root);
}

/* The same from the mount on top. */
TEST_F(beneath_root, by_the_top)
{
	ASSERT_EQ(0, make_shared(self->root));
	ASSERT_EQ(0, beneath(self->new, self->top));
	check_order(_metadata, self->root, self->top, self->new, self->root);
}

/* Two on top: beneath the upper one, whose parent is not the root. */
TEST_F(beneath_root, two_on_top)
{
	int upper = detached_tmpfs(&this_test, 0);

	ASSERT_GE(upper, 0);
	ASSERT_EQ(0, make_shared(self->root));
	ASSERT_EQ(0, k_move_mount(upper, "", self->root, "", 0));
	ASSERT_EQ(0, beneath(self->new, self->root));
	check_order(_metadata, self->root, upper, self->new, self->top);
}

/* On top is a peer of the root: a copy of the new mount would cover it. */
TEST_F(beneath_root, einval_peer_on_top)
{
	int root = detached_tmpfs(&this_test, 0), peer;

	ASSERT_GE(root, 0);
	ASSERT_EQ(0, make_shared(root));
	ASSERT_EQ(0, mkdir("at", 0755));
	ASSERT_EQ(0, k_move_mount(root, "", AT_FDCWD, "at", 0));
	peer = k_open_tree(root, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
	ASSERT_GE(peer, 0);
	ASSERT_EQ(0, k_move_mount(peer, "", root, "", 0));
	EXPECT_EQ(-EINVAL, beneath(self->new, root));
	EXPECT_EQ(-EINVAL, beneath(self->new, peer));
}

/* Nothing on top: there is nothing to be beneath. */
TEST_F(beneath_root, einval_nothing_on_top)
{
	int root = detached_tmpfs(&this_test, 0);

	ASSERT_GE(root, 0);
	EXPECT_EQ(-EINVAL, beneath(self->new, root));
}

TEST_HARNESS_MAIN
