// SPDX-License-Identifier: GPL-2.0
/*
 * move_mount(MOVE_MOUNT_SET_GROUP): joining a group must not take protection
 * away from what is mounted already.
 *
 * Once one mount propagates to another, the receiver must have nothing locked
 * where the sender has nothing that is locked too, and where both have a mount
 * the caller must be privileged over the receiver's mount namespace. EPERM
 * otherwise. The source has nothing locked where the new member is rooted, or
 * it is refused before, so the new member must not have anything locked at all.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <stdlib.h>

#include "../mount_members.h"
#include "../../kselftest_harness.h"

/*
 * "0", "2", "5" and "6" have nothing mounted on them, "1" has something on a/x,
 * and in the owner's namespace that is locked. All are private.
 */
FIXTURE(set_group_pairs) {
	char base[64];
	struct actor owner;
};

static int set_group(int from, int to)
{
	return k_move_mount(from, "", to, "", MOVE_MOUNT_SET_GROUP);
}

FIXTURE_SETUP(set_group_pairs)
{
	static const char * const names[] = { "0", "1", "2", "5", "6" };

	if (geteuid())
		SKIP(return, "test requires root");
	ASSERT_EQ(0, members_setup(self->base, sizeof(self->base)));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ASSERT_EQ(0, k_mount("fs", names[i], NULL, MS_BIND));
	ASSERT_EQ(0, k_mount("tmpfs", "1/a/x", "tmpfs", 0));
	ASSERT_EQ(0, actor_new(&self->owner, &this_test, ACTOR_USERNS));
}

FIXTURE_TEARDOWN(set_group_pairs)
{
	members_teardown(self->base);
}

/* The mount that joins has a locked mount where the group's has one that isn't. */
TEST_F(set_group_pairs, eperm_joining_mount_is_locked)
{
	struct actor *o = &self->owner;
	int from = OPEN_IN(o, "0");
	int to = OPEN_IN(o, "1");

	ASSERT_TRUE(from >= 0 && to >= 0);
	ASSERT_EQ(0, MOUNT_IN(o, "0/a/x"));
	ASSERT_EQ(0, CHANGE_IN(o, "0", MS_SHARED));
	EXPECT_EQ(-EPERM, AS(o, set_group(from, to)));
	/* a caller with more privileges is refused as well */
	EXPECT_EQ(-EPERM, set_group(from, to));
	EXPECT_EQ(MS_PRIVATE, propagation_of(to));
}

/* The same for a mount that becomes a slave. */
TEST_F(set_group_pairs, eperm_joining_slave_is_locked)
{
	struct actor *o = &self->owner;
	int slave, to;

	ASSERT_EQ(0, CHANGE_IN(o, "0", MS_SHARED));
	ASSERT_EQ(0, IN(o, k_mount("0", "2", NULL, MS_BIND)));
	ASSERT_EQ(0, CHANGE_IN(o, "2", MS_SLAVE));
	/* the master has one, the slave that is copied from has not */
	ASSERT_EQ(0, MOUNT_IN(o, "0/a/x"));
	ASSERT_EQ(0, UMOUNT_IN(o, "2/a/x"));
	slave = OPEN_IN(o, "2");
	to = OPEN_IN(o, "1");
	ASSERT_TRUE(slave >= 0 && to >= 0);
	EXPECT_EQ(-EPERM, AS(o, set_group(slave, to)));
	EXPECT_EQ(MS_PRIVATE, propagation_of(to));
}

/* ... or one that isn't mounted yet. */
TEST_F(set_group_pairs, eperm_joining_mount_is_locked_alone)
{
	struct actor *o = &self->owner;
	int from = OPEN_IN(o, "0");
	int to = OPEN_IN(o, "1");

	ASSERT_TRUE(from >= 0 && to >= 0);
	ASSERT_EQ(0, CHANGE_IN(o, "0", MS_SHARED));
	EXPECT_EQ(-EPERM, AS(o, set_group(from, to)));
	EXPECT_EQ(-EPERM, set_group(from, to));
	ASSERT_EQ(0, MOUNT_IN(o, "0/b"));
	EXPECT_EQ(-EPERM, AS(o, set_group(from, to)));
	EXPECT_EQ(MS_PRIVATE, propagation_of(to));
}

/*
 * Something is locked on the source above the root of the mount that joins: all
 * that this one would show is hidden there.
 */
TEST_F(set_group_pairs, einval_source_is_locked_above)
{
	struct actor *o = &self->owner;
	int from = OPEN_IN(o, "1");
	int below = member_of(o, self->base, "a/x/y", "8");
	int beside = member_of(o, self->base, "b", "9");

	ASSERT_TRUE(from >= 0 && below >= 0 && beside >= 0);
	ASSERT_EQ(0, CHANGE_IN(o, "1", MS_SHARED));
	EXPECT_EQ(-EINVAL, AS(o, set_group(from, below)));
	EXPECT_EQ(MS_PRIVATE, propagation_of(below));
	EXPECT_EQ(0, AS(o, set_group(from, beside)));
	EXPECT_EQ(MS_SHARED, propagation_of(beside));
}

/* A slave of the group has a locked one where the mount that joins has one. */
TEST_F(set_group_pairs, eperm_slave_is_locked)
{
	struct actor late;
	int from, to;

	ASSERT_EQ(0, CHANGE_IN(&this_test, "0", MS_SHARED));
	ASSERT_EQ(0, MOUNT_IN(&this_test, "0/a/x"));
	ASSERT_EQ(0, actor_new(&late, &this_test, ACTOR_USERNS));
	from = OPEN_IN(&this_test, "0");
	to = OPEN_IN(&this_test, "2");
	ASSERT_TRUE(from >= 0 && to >= 0);
	ASSERT_EQ(0, MOUNT_IN(&this_test, "2/a/x"));
	EXPECT_EQ(-EPERM, set_group(from, to));
	EXPECT_EQ(MS_PRIVATE, propagation_of(to));
	/* with nothing there it may join */
	ASSERT_EQ(0, UMOUNT_IN(&this_test, "2/a/x"));
	EXPECT_EQ(0, set_group(from, to));
}

/* Another member is in a namespace that the caller has no power over. */
TEST_F(set_group_pairs, eperm_other_owner)
{
	struct actor *o = &self->owner;
	int theirs = OPEN_IN(&this_test, "5");
	int from = OPEN_IN(o, "5");
	int to = OPEN_IN(o, "6");

	ASSERT_TRUE(theirs >= 0 && from >= 0 && to >= 0);
	ASSERT_EQ(0, CHANGE_IN(&this_test, "5", MS_SHARED));
	ASSERT_EQ(0, set_group(theirs, from));
	ASSERT_EQ(0, MOUNT_IN(&this_test, "5/a/x"));
	ASSERT_EQ(1, MOUNTED_IN(o, "5/a/x"));
	ASSERT_EQ(0, MOUNT_IN(o, "6/a/x"));
	EXPECT_EQ(-EPERM, AS(o, set_group(from, to)));
	EXPECT_EQ(MS_PRIVATE, propagation_of(to));
	/* with nothing there it may join */
	ASSERT_EQ(0, UMOUNT_IN(o, "6/a/x"));
	EXPECT_EQ(0, AS(o, set_group(from, to)));
}

/* What no lock and no other owner protects is nobody's concern. */
TEST_F(set_group_pairs, not_locked)
{
	int from = OPEN_IN(&this_test, "0");
	int to = OPEN_IN(&this_test, "1");

	ASSERT_TRUE(from >= 0 && to >= 0);
	ASSERT_EQ(0, MOUNT_IN(&this_test, "0/a/x"));
	ASSERT_EQ(0, CHANGE_IN(&this_test, "0", MS_SHARED));
	ASSERT_EQ(0, set_group(from, to));
	EXPECT_EQ(MS_SHARED, propagation_of(to));
	ASSERT_EQ(0, UMOUNT_IN(&this_test, "0/a/x"));
	EXPECT_EQ(0, MOUNTED_IN(&this_test, "1/a/x"));
}

TEST_HARNESS_MAIN
