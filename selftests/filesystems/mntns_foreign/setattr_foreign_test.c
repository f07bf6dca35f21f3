// SPDX-License-Identifier: GPL-2.0
/*
 * mount_setattr() on mounts of other mount namespaces: their propagation may be
 * changed by whoever is privileged there, as with mount(2). Attributes may not.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../mount_cast.h"
#include "../../kselftest_harness.h"

FIXTURE(setattr_foreign) {
	char base[64];
	struct actor cast[NR_ROLES];
};

static int set_type(int fd, unsigned int flags, __u64 type)
{
	struct mount_attr attr = { .propagation = type };

	return k_mount_setattr(fd, "", flags | AT_EMPTY_PATH, &attr,
			       MOUNT_ATTR_SIZE_VER0);
}

/* "mnt" and "mnt/sub" are private tmpfs mounts in every namespace. */
FIXTURE_SETUP(setattr_foreign)
{
	int fd;

	if (geteuid())
		SKIP(return, "test requires root");
	/* which comes in the same series, and fails with another error */
	if (!lock_set_supported())
		SKIP(return, "mount_setattr() of foreign mounts not supported");
	ASSERT_EQ(0, scratch_setup(self->base, sizeof(self->base)));
	ASSERT_EQ(0, chdir(self->base));
	ASSERT_EQ(0, mkdir("mnt", 0755));
	ASSERT_EQ(0, k_mount("tmpfs", "mnt", "tmpfs", 0));
	ASSERT_EQ(0, mkdir("mnt/sub", 0755));
	ASSERT_EQ(0, k_mount("tmpfs", "mnt/sub", "tmpfs", 0));
	ASSERT_EQ(0, cast_setup(self->cast));
	fd = OPEN_IN(&self->cast[PEER_NS], "mnt");
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, set_type(fd, 0, MS_PRIVATE));
	ASSERT_EQ(0, close(fd));
}

FIXTURE_TEARDOWN(setattr_foreign)
{
	ASSERT_EQ(0, chdir("/"));
	scratch_teardown(self->base);
}

TEST_F_TIMEOUT(setattr_foreign, eperm_owner, 120)
{
	for (int whose = TEST_NS; whose <= SIBLING; whose++) {
		int fd = OPEN_IN(&self->cast[whose], "mnt");

		ASSERT_GE(fd, 0);
		for (int who = 0; who < NR_ROLES; who++) {
			bool may = may_admin(who, whose);

			EXPECT_EQ(may ? 0 : -EPERM,
				  AS(&self->cast[who], set_type(fd, 0, MS_SHARED))) {
				TH_LOG("caller %d, mount %d", who, whose);
			}
			EXPECT_EQ(may ? MS_SHARED : MS_PRIVATE, propagation_of(fd));
			ASSERT_EQ(0, CHANGE_IN(&self->cast[whose], "mnt", MS_PRIVATE));
		}
		ASSERT_EQ(0, close(fd));
	}
}

TEST_F(setattr_foreign, each_type)
{
	static const __u64 types[] = { MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE };
	struct actor *peer = &self->cast[PEER_NS];
	int fd = OPEN_IN(peer, "mnt");
	int sub = OPEN_IN(peer, "mnt/sub");

	ASSERT_TRUE(fd >= 0 && sub >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		/* a slave of nobody is private */
		__u64 is = types[i] == MS_SLAVE ? MS_PRIVATE : types[i];
		int watch = mountinfo_watch(peer);

		ASSERT_GE(watch, 0);
		ASSERT_EQ(0, set_type(fd, 0, types[i]));
		EXPECT_EQ(is, propagation_of(fd));
		EXPECT_EQ(MS_PRIVATE, propagation_of(sub));
		EXPECT_TRUE(mountinfo_changed(watch));
		ASSERT_EQ(0, close(watch));
	}
	ASSERT_EQ(0, set_type(fd, AT_RECURSIVE, MS_SHARED));
	EXPECT_EQ(MS_SHARED, propagation_of(fd));
	EXPECT_EQ(MS_SHARED, propagation_of(sub));
	EXPECT_NE(group_of(fd), group_of(sub));
}

/* Nor along with a type: all or nothing. */
TEST_F(setattr_foreign, einval_attributes)
{
	static const struct mount_attr attrs[] = {
		{ .attr_set = MOUNT_ATTR_RDONLY },
		{ .attr_clr = MOUNT_ATTR_RDONLY },
		{ .attr_set = MOUNT_ATTR_NOATIME, .attr_clr = MOUNT_ATTR__ATIME },
		{ .attr_clr = MOUNT_ATTR__ATIME },
	};
	struct actor *peer = &self->cast[PEER_NS];
	int fd = OPEN_IN(peer, "mnt");
	struct mnt before, after;

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, mnt_of(fd, &before));
	for (size_t i = 0; i < ARRAY_SIZE(attrs); i++) {
		struct mount_attr attr = attrs[i];

		EXPECT_EQ(-EINVAL, k_mount_setattr(fd, "", AT_EMPTY_PATH, &attr,
						   MOUNT_ATTR_SIZE_VER0));
		attr.propagation = MS_SHARED;
		EXPECT_EQ(-EINVAL, k_mount_setattr(fd, "", AT_EMPTY_PATH, &attr,
						   MOUNT_ATTR_SIZE_VER0));
	}
	ASSERT_EQ(0, mnt_of(fd, &after));
	EXPECT_EQ(before.attr, after.attr);
	EXPECT_EQ(MS_PRIVATE, after.propagation);
}

TEST_F(setattr_foreign, einval_not_mounted)
{
	struct actor *peer = &self->cast[PEER_NS];
	int fd = OPEN_IN(peer, "mnt");
	int inner = OPEN_IN(peer, "mnt/sub");

	ASSERT_TRUE(fd >= 0 && inner >= 0);
	ASSERT_EQ(0, mkdirat(inner, "dir", 0755));
	EXPECT_EQ(-EINVAL, set_type(k_openat(inner, "dir", O_PATH), 0, MS_SHARED));
	ASSERT_EQ(0, IN(peer, k_umount("mnt", MNT_DETACH)));
	EXPECT_EQ(-EINVAL, set_type(fd, 0, MS_SHARED));
}

TEST_HARNESS_MAIN
