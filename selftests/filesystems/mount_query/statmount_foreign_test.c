// SPDX-License-Identifier: GPL-2.0
/*
 * statmount() of mounts that are not in the caller's mount namespace:
 * STATMOUNT_PROPAGATE_FROM, and STATMOUNT_BY_FD of detached mounts.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

#include "../mount_members.h"
#include "../../kselftest_harness.h"

#define MASK	(STATMOUNT_MNT_BASIC | STATMOUNT_PROPAGATE_FROM)

/*
 * A chain of groups: "0" is what "1" receives from, "2" receives from "1" and
 * "3" from "2". The other namespace is a copy of the test's, where "1" and "2"
 * have been unmounted; in the test's "0" has been. So "3" has a group above
 * that is visible in either, and not the same.
 */
FIXTURE(statmount_foreign) {
	char base[64];
	__u64 group[3];
	struct actor other;
};

FIXTURE_SETUP(statmount_foreign)
{
	struct mnt mnt;
	char name[16];

	if (geteuid())
		SKIP(return, "test requires root");
	ASSERT_EQ(0, members_setup(self->base, sizeof(self->base)));
	ASSERT_GE(member_of(&this_test, self->base, "", "0"), 0);
	ASSERT_EQ(0, k_mount(NULL, "0", NULL, MS_SHARED));
	for (int i = 1; i < 4; i++) {
		char prev[16];

		snprintf(prev, sizeof(prev), "%d", i - 1);
		snprintf(name, sizeof(name), "%d", i);
		ASSERT_EQ(0, k_mount(prev, name, NULL, MS_BIND));
		ASSERT_EQ(0, k_mount(NULL, name, NULL, MS_SLAVE));
		if (i < 3)
			ASSERT_EQ(0, k_mount(NULL, name, NULL, MS_SHARED));
	}
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%d", i);
		ASSERT_EQ(0, mnt_at(&this_test, name, &mnt));
		ASSERT_NE(0, mnt.group);
		self->group[i] = mnt.group;
	}
	ASSERT_EQ(0, actor_new(&self->other, &this_test, ACTOR_MNTNS));
	ASSERT_EQ(0, IN(&self->other, k_umount("1", MNT_DETACH)));
	ASSERT_EQ(0, IN(&self->other, k_umount("2", MNT_DETACH)));
	ASSERT_EQ(0, k_umount("0", MNT_DETACH));
}

FIXTURE_TEARDOWN(statmount_foreign)
{
	members_teardown(self->base);
}

/* The one who is in the namespace sees what the one outside is to see. */
TEST_F(statmount_foreign, propagate_from_by_namespace_id)
{
	__u64 ns_id = actor_ns_id(&self->other);
	struct statmount sm;
	struct mnt inside;

	ASSERT_NE(0, ns_id);
	ASSERT_EQ(0, mnt_receiver(&self->other, self->group[2], &inside));
	ASSERT_EQ(self->group[0], inside.propagate_from);
	ASSERT_EQ(0, k_statmount(inside.id, ns_id, MASK, &sm, sizeof(sm)));
	EXPECT_TRUE(sm.mask & STATMOUNT_PROPAGATE_FROM);
	EXPECT_EQ(self->group[2], sm.mnt_master);
	EXPECT_EQ(self->group[0], sm.propagate_from);
}

TEST_F(statmount_foreign, propagate_from_by_descriptor)
{
	struct statmount sm;
	int fd = OPEN_IN(&self->other, "3");

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, k_statmount_fd(fd, MASK, &sm, sizeof(sm)));
	EXPECT_EQ(self->group[2], sm.mnt_master);
	EXPECT_EQ(self->group[0], sm.propagate_from);
}

/* One's own namespace is seen from one's own root, as it was. */
TEST_F(statmount_foreign, propagate_from_in_own_namespace)
{
	struct mnt mnt;

	ASSERT_EQ(0, mnt_at(&this_test, "3", &mnt));
	EXPECT_EQ(self->group[2], mnt.propagate_from);
	ASSERT_EQ(0, mnt_at(&this_test, "2", &mnt));
	EXPECT_EQ(self->group[1], mnt.propagate_from);
	/* what "1" receives from is in the other namespace only */
	ASSERT_EQ(0, mnt_at(&this_test, "1", &mnt));
	EXPECT_EQ(self->group[0], mnt.master);
	EXPECT_EQ(0, mnt.propagate_from);
	/* and below "3" there is nothing but that */
	EXPECT_EQ(0, AS(&this_test, ({
		struct statmount sm;
		int fd = k_open("3", O_PATH);

		fd < 0 || chroot("3") ||
		k_statmount_fd(fd, MASK, &sm, sizeof(sm)) ||
		sm.propagate_from || !sm.mnt_master ? -ECANCELED : 0;
	})));
}

/* A mount that nothing is mounted on and that is nowhere mounted itself. */
TEST_F(statmount_foreign, detached_mount)
{
	int fds[3];

	fds[0] = detached_tmpfs(&this_test, MOUNT_ATTR_NODEV);
	fds[1] = k_open_tree(AT_FDCWD, "3", OPEN_TREE_CLONE);
	fds[2] = IN(&self->other, k_open_tree(AT_FDCWD, "3", OPEN_TREE_CLONE));
	for (int i = 0; i < 3; i++) {
		struct statmount sm = {};

		ASSERT_GE(fds[i], 0);
		EXPECT_EQ(0, k_statmount_fd(fds[i], MASK, &sm, sizeof(sm)));
		EXPECT_EQ(mnt_id_of(fds[i]), sm.mnt_id);
		EXPECT_EQ(i == 0, !!(sm.mnt_attr & MOUNT_ATTR_NODEV));
		EXPECT_EQ(i == 0 ? 0 : self->group[2], sm.mnt_master);
		/* nothing that it receives from is in the detached tree */
		EXPECT_EQ(0, sm.propagate_from);
	}
}

/* With a mount below it, which has always been fine. */
TEST_F(statmount_foreign, detached_tree)
{
	int tree = detached_tmpfs(&this_test, 0);
	int child = detached_tmpfs(&this_test, 0);
	struct statmount sm;
	__u64 id;

	ASSERT_TRUE(tree >= 0 && child >= 0);
	ASSERT_EQ(0, mkdirat(tree, "d", 0755));
	ASSERT_EQ(0, k_move_mount(child, "", tree, "d", 0));
	id = mnt_id_of(tree);
	EXPECT_EQ(0, k_statmount_fd(tree, MASK, &sm, sizeof(sm)));
	EXPECT_EQ(id, sm.mnt_id);
	EXPECT_EQ(0, k_statmount_fd(child, MASK, &sm, sizeof(sm)));
	EXPECT_EQ(id, sm.mnt_parent_id);
}

/* What statmount() says of the mount @fd, strings and all. */
static int statmount_all(int fd, __u64 mask, struct statmount *sm, size_t size)
{
	return k_statmount_fd(fd, mask | MASK | STATMOUNT_MNT_ROOT | STATMOUNT_MNT_POINT |
			      STATMOUNT_FS_TYPE | STATMOUNT_SB_BASIC, sm, size);
}

static bool says(const struct statmount *sm, const char *root, const char *point)
{
	const __u64 both = STATMOUNT_MNT_ROOT | STATMOUNT_MNT_POINT | STATMOUNT_FS_TYPE;
	bool ok = (sm->mask & both) == both && !strcmp(sm->str + sm->mnt_root, root) &&
		  !strcmp(sm->str + sm->mnt_point, point) &&
		  !strcmp(sm->str + sm->fs_type, "tmpfs");

	if (!ok)
		fprintf(stderr, "# mask %llx: %s on %s\n", (unsigned long long)sm->mask,
			sm->mask & STATMOUNT_MNT_ROOT ? sm->str + sm->mnt_root : "?",
			sm->mask & STATMOUNT_MNT_POINT ? sm->str + sm->mnt_point : "?");
	return ok;
}

/* All that it says, of a detached mount and of those that are below one. */
TEST_F(statmount_foreign, all_of_a_detached_tree)
{
	union {
		struct statmount sm;
		char space[sizeof(struct statmount) + 4096];
	} buf;
	struct stat st;
	int tree, m, s;

	/* one without children */
	tree = k_open_tree(AT_FDCWD, "fs/a/x", OPEN_TREE_CLONE);
	ASSERT_GE(tree, 0);
	ASSERT_EQ(0, fstat(tree, &st));
	ASSERT_EQ(0, statmount_all(tree, 0, &buf.sm, sizeof(buf)));
	EXPECT_TRUE(says(&buf.sm, "/a/x", "/"));
	EXPECT_EQ(mnt_id_of(tree), buf.sm.mnt_parent_id);
	EXPECT_EQ(st.st_dev, makedev(buf.sm.sb_dev_major, buf.sm.sb_dev_minor));
	EXPECT_EQ(MS_PRIVATE, buf.sm.mnt_propagation);
	ASSERT_EQ(0, close(tree));

	/* with a group below, and what receives from it */
	ASSERT_EQ(0, k_mount("tmpfs", "9", "tmpfs", 0));
	ASSERT_EQ(0, mkdir("9/m", 0755));
	ASSERT_EQ(0, mkdir("9/s", 0755));
	ASSERT_EQ(0, k_mount("fs/a", "9/m", NULL, MS_BIND));
	ASSERT_EQ(0, k_mount(NULL, "9/m", NULL, MS_SHARED));
	ASSERT_EQ(0, k_mount("9/m", "9/s", NULL, MS_BIND));
	ASSERT_EQ(0, k_mount(NULL, "9/s", NULL, MS_SLAVE));
	tree = k_open_tree(AT_FDCWD, "9", OPEN_TREE_CLONE | AT_RECURSIVE);
	m = k_openat(tree, "m", O_PATH);
	s = k_openat(tree, "s", O_PATH);
	ASSERT_TRUE(tree >= 0 && m >= 0 && s >= 0);
	ASSERT_EQ(0, statmount_all(tree, 0, &buf.sm, sizeof(buf)));
	EXPECT_TRUE(says(&buf.sm, "/", "/"));
	ASSERT_EQ(0, statmount_all(m, 0, &buf.sm, sizeof(buf)));
	EXPECT_TRUE(says(&buf.sm, "/a", "/m"));
	EXPECT_EQ(mnt_id_of(tree), buf.sm.mnt_parent_id);
	EXPECT_EQ(group_of(m), buf.sm.mnt_peer_group);
	EXPECT_NE(0, group_of(m));
	ASSERT_EQ(0, statmount_all(s, 0, &buf.sm, sizeof(buf)));
	EXPECT_TRUE(says(&buf.sm, "/a", "/s"));
	EXPECT_EQ(group_of(m), buf.sm.mnt_master);
	EXPECT_EQ(group_of(m), buf.sm.propagate_from);
}

/* A mount that was taken away is described as far as it still can be. */
TEST_F(statmount_foreign, unmounted)
{
	struct statmount sm;
	int fd = k_open("3", O_PATH);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, k_umount("3", MNT_DETACH));
	ASSERT_EQ(0, k_statmount_fd(fd, MASK, &sm, sizeof(sm)));
	EXPECT_EQ(mnt_id_of(fd), sm.mnt_id);
	EXPECT_EQ(0, sm.mnt_master);
	EXPECT_EQ(0, sm.propagate_from);
}

TEST_HARNESS_MAIN
