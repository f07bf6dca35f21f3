// SPDX-License-Identifier: GPL-2.0
/*
 * A mount that propagates into a slave becomes the slave of the nearest copy
 * above it. When a slave's root is wider than its master's, the master gets no
 * copy for a mountpoint outside of its root while the slave does, and the walk
 * up the graph has to find the right one among the copies further above.
 *
 * Only mount(2) is used.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <sys/stat.h>

#include "../mount_actors.h"
#include "../../kselftest_harness.h"

FIXTURE(find_master) {
	char base[64];
};

FIXTURE_SETUP(find_master)
{
	if (geteuid())
		SKIP(return, "test requires root");
	ASSERT_EQ(0, scratch_setup(self->base, sizeof(self->base)));
	ASSERT_EQ(0, chdir(self->base));
}

FIXTURE_TEARDOWN(find_master)
{
	scratch_teardown(self->base);
}

static int bind_at(const char *src, const char *dst)
{
	return k_mount(src, dst, NULL, MS_BIND);
}

/* Receives from where it was bound from, and sends to a group of its own. */
static int slave_and_shared(const char *path)
{
	int err = k_mount(NULL, path, NULL, MS_SLAVE);

	return err ? err : k_mount(NULL, path, NULL, MS_SHARED);
}

static int slave_of(const char *src, const char *dst)
{
	int err = bind_at(src, dst);

	return err ? err : slave_and_shared(dst);
}

/*
 * What is left in the end are the mounts 0 to 5, all of /a of one tmpfs except
 * for 3, which is /b. Their masters have wider roots than they have.
 */
TEST_F(find_master, slave_wider_than_master)
{
	static const char * const dirs[] = {
		"t", "w", "w1", "w3", "0", "1", "2", "3", "4", "5"
	};
	struct mnt m1, m2;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		ASSERT_EQ(0, mkdir(dirs[i], 0755));
	ASSERT_EQ(0, k_mount("tmpfs", "t", "tmpfs", 0));
	ASSERT_EQ(0, mkdir("t/a", 0755));
	ASSERT_EQ(0, mkdir("t/a/x", 0755));
	ASSERT_EQ(0, mkdir("t/b", 0755));

	ASSERT_EQ(0, bind_at("t", "w"));
	ASSERT_EQ(0, k_mount(NULL, "w", NULL, MS_SHARED));
	ASSERT_EQ(0, bind_at("w/a", "0"));
	ASSERT_EQ(0, slave_of("w", "w1"));
	ASSERT_EQ(0, bind_at("w1/a", "1"));
	ASSERT_EQ(0, slave_of("w1/a", "2"));
	ASSERT_EQ(0, slave_of("w1", "w3"));
	ASSERT_EQ(0, bind_at("w3/b", "3"));
	ASSERT_EQ(0, slave_of("w3/a", "4"));
	ASSERT_EQ(0, k_umount("w3", 0));
	ASSERT_EQ(0, slave_of("w1/a", "5"));
	ASSERT_EQ(0, k_umount("w1", 0));
	ASSERT_EQ(0, k_umount("w", 0));

	/* 2 receives from 1, which receives from 0 */
	ASSERT_EQ(0, mnt_at(&this_test, "1", &m1));
	ASSERT_EQ(0, mnt_at(&this_test, "2", &m2));
	ASSERT_NE(0, m1.group);
	ASSERT_EQ(m1.group, m2.master);

	ASSERT_EQ(0, k_mount("tmpfs", "0/x", "tmpfs", 0));
	ASSERT_EQ(1, is_mounted_at(&this_test, "1/x"));
	ASSERT_EQ(1, is_mounted_at(&this_test, "2/x"));

	/* and so do the copies */
	ASSERT_EQ(0, mnt_at(&this_test, "1/x", &m1));
	ASSERT_EQ(0, mnt_at(&this_test, "2/x", &m2));
	EXPECT_NE(0, m1.group);
	EXPECT_EQ(m1.group, m2.master);

	/* events show it, whatever is reported */
	ASSERT_EQ(0, mkdir("1/x/y", 0755));
	ASSERT_EQ(0, k_mount("tmpfs", "1/x/y", "tmpfs", 0));
	EXPECT_EQ(1, is_mounted_at(&this_test, "2/x/y"));
	EXPECT_EQ(0, is_mounted_at(&this_test, "0/x/y"));
	ASSERT_EQ(0, k_umount("1/x/y", 0));
	EXPECT_EQ(0, is_mounted_at(&this_test, "2/x/y"));

	/* nothing is left once the first is gone */
	ASSERT_EQ(0, k_umount("0/x", 0));
	EXPECT_EQ(0, is_mounted_at(&this_test, "1/x"));
	EXPECT_EQ(0, is_mounted_at(&this_test, "2/x"));
	EXPECT_EQ(0, is_mounted_at(&this_test, "4/x"));
	EXPECT_EQ(0, is_mounted_at(&this_test, "5/x"));
}

TEST_HARNESS_MAIN
