// SPDX-License-Identifier: GPL-2.0
/*
 * move_mount(MOVE_MOUNT_SET_GROUP) of a mount with locked children: it may join where
 * all that it will receive from has the same ones, locked as well. EPERM otherwise.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>

#include "../mount_members.h"
#include "../../kselftest_harness.h"

static int lock_mount(const char *path)
{
	struct mount_attr_locks attr = { .lock_set = MOUNT_LOCK_MOUNT };

	return k_mount_setattr(AT_FDCWD, path, 0, &attr, sizeof(attr));
}

static int set_group(int from, int to)
{
	return k_move_mount(from, "", to, "", MOVE_MOUNT_SET_GROUP);
}

/* Private mounts. "1" has something on a/x, which is locked. */
FIXTURE(set_group_locked) {
	char base[64];
};

FIXTURE_SETUP(set_group_locked)
{
	static const char * const names[] = { "0", "1", "2" };
	int ret;

	if (geteuid())
		SKIP(return, "test requires root");
	ASSERT_EQ(0, members_setup(self->base, sizeof(self->base)));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ASSERT_EQ(0, k_mount("fs", names[i], NULL, MS_BIND));
	ASSERT_EQ(0, k_mount("tmpfs", "1/a/x", "tmpfs", 0));
	ret = lock_mount("1/a/x");
	if (ret == -E2BIG) {
		members_teardown(self->base);
		SKIP(return, "lock_set of struct mount_attr not supported");
	}
	ASSERT_EQ(0, ret);
}

FIXTURE_TEARDOWN(set_group_locked)
{
	members_teardown(self->base);
}

/*
 * Where all that it will receive from has something locked as well, nothing can
 * be taken away from it: whoever copies a slave receives from its master alone.
 */
TEST_F(set_group_locked, joining_slave_is_locked_as_its_master)
{
	int slave, to, peer;

	ASSERT_EQ(0, k_mount(NULL, "0", NULL, MS_SHARED));
	ASSERT_EQ(0, k_mount("0", "2", NULL, MS_BIND));
	ASSERT_EQ(0, k_mount(NULL, "2", NULL, MS_SLAVE));
	peer = k_open("0", O_PATH);
	ASSERT_GE(peer, 0);
	ASSERT_EQ(0, k_mount("tmpfs", "0/a/x", "tmpfs", 0));
	ASSERT_EQ(0, k_umount("2/a/x", 0));
	slave = k_open("2", O_PATH);
	to = k_open("1", O_PATH);
	ASSERT_TRUE(slave >= 0 && to >= 0);
	EXPECT_EQ(-EPERM, set_group(slave, to));
	ASSERT_EQ(0, lock_mount("0/a/x"));

	/* another peer of the master has to have it locked, too: its copy has */
	ASSERT_EQ(0, k_mount("0", "7", NULL, MS_BIND | MS_REC));
	ASSERT_EQ(1, is_mounted_at(&this_test, "7/a/x"));
	ASSERT_EQ(-EINVAL, k_umount("7/a/x", 0));
	EXPECT_EQ(0, set_group(slave, to));
	EXPECT_EQ(MS_SLAVE, propagation_of(to));
	EXPECT_EQ(group_of(peer), master_of(to));
	EXPECT_EQ(-EINVAL, k_umount("0/a/x", 0));
	EXPECT_EQ(-EINVAL, k_umount("1/a/x", 0));
	ASSERT_EQ(0, k_mount("tmpfs", "0/b", "tmpfs", 0));
	EXPECT_EQ(1, is_mounted_at(&this_test, "1/b"));
	ASSERT_EQ(0, k_umount("0/b", 0));
	EXPECT_EQ(0, is_mounted_at(&this_test, "1/b"));
}

/*
 * The source receives and sends: who joins it gets what its master has, and what it
 * and its peers have. Here only the master has locked what the mount that joins has.
 */
TEST_F(set_group_locked, source_is_shared_and_slave)
{
	int from, to;

	ASSERT_EQ(0, k_mount(NULL, "0", NULL, MS_SHARED));
	ASSERT_EQ(0, k_mount("0", "2", NULL, MS_BIND));
	ASSERT_EQ(0, k_mount(NULL, "2", NULL, MS_SLAVE));
	ASSERT_EQ(0, k_mount(NULL, "2", NULL, MS_SHARED));
	ASSERT_EQ(0, k_mount("tmpfs", "0/a/x", "tmpfs", 0));
	ASSERT_EQ(0, lock_mount("0/a/x"));
	from = k_open("2", O_PATH);
	to = k_open("1", O_PATH);
	ASSERT_TRUE(from >= 0 && to >= 0);
	/* what it got is not locked, and then it has none */
	EXPECT_EQ(-EPERM, set_group(from, to));
	ASSERT_EQ(0, k_umount("2/a/x", 0));
	EXPECT_EQ(-EPERM, set_group(from, to));
	EXPECT_EQ(MS_PRIVATE, propagation_of(to));
	/* as a slave alone it sends nothing */
	ASSERT_EQ(0, k_mount(NULL, "2", NULL, MS_SLAVE));
	EXPECT_EQ(0, set_group(from, to));
	EXPECT_EQ(MS_SLAVE, propagation_of(to));
}

TEST_HARNESS_MAIN
