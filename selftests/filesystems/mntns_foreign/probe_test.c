// SPDX-License-Identifier: GPL-2.0
/*
 * How a program finds out what the kernel has, without changing anything: the
 * probes that the manual pages name. Of a kernel that has all of these interfaces,
 * or none, all have to say the same.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "unlinked.h"
#include "../mount_cast.h"
#include "../../kselftest_harness.h"

FIXTURE(probe) {
	char base[64];
	int ns;
	bool supported;
	int no_call;
	struct actor user;
};

FIXTURE_SETUP(probe)
{
	int ret;

	if (geteuid())
		SKIP(return, "test requires root");
	ASSERT_EQ(0, scratch_setup(self->base, sizeof(self->base)));
	self->ns = k_open("/proc/self/ns/mnt", O_RDONLY);
	ASSERT_GE(self->ns, 0);
	self->user = (struct actor) { .userns = -1, .mntns = -1, .uid = TEST_UID };
	ret = k_mount_setgroup(NULL, 0, MOUNT_SETGROUP_SHARED);
	self->supported = ret == -EINVAL;
	/* or it is as that of a system call that no kernel has */
	self->no_call = k_ret(syscall(-1));
	if (!self->supported)
		ASSERT_EQ(self->no_call, ret);
	if (self->supported != lock_set_supported()) {
		scratch_teardown(self->base);
		SKIP(return, "some of the interfaces, but not all of them");
	}
}

FIXTURE_TEARDOWN(probe)
{
	scratch_teardown(self->base);
}

/*
 * Each in two calls. A number alone may have another meaning in another kernel: one
 * call shows that the kernel knows it, the other that it means what it should.
 */
static int probe_open_tree(unsigned int flags)
{
	return k_open_tree(-1, "", OPEN_TREE_FOREIGN | AT_EMPTY_PATH | flags);
}

static int probe_move_mount(unsigned int flags)
{
	return k_move_mount(-1, "", -1, "", flags);
}

static int probe_mnt_open(int ns)
{
	struct ns_mnt_open arg = { .mnt_id = NS_MNT_OPEN_ROOT, .flags = 1 };

	return k_ret(ioctl(ns, NS_MNT_OPEN, &arg));
}

static int probe_mnt_open_size(int ns)
{
	struct {
		struct ns_mnt_open arg;
		__u64 more;
	} big = { .arg.mnt_id = NS_MNT_OPEN_ROOT, .more = 1 };

	return k_ret(ioctl(ns, _IOC(_IOC_WRITE, 0xb7, _IOC_NR(NS_MNT_OPEN), sizeof(big)),
			   &big));
}

static int probe_setgroup(size_t size)
{
	return k_mount_setgroup(NULL, size, MOUNT_SETGROUP_SHARED);
}

static int probe_lock_set(__u64 lock)
{
	struct mount_attr_locks attr = { .lock_set = lock };

	return k_mount_setattr(-1, "", AT_EMPTY_PATH, &attr, sizeof(attr));
}

/* 1 if it tells of what @bits are for, 0 if not */
static int probe_statmount(__u64 bits)
{
	struct statmount sm;
	int fd = k_open("/", O_PATH);
	int ret;

	if (fd < 0)
		return fd;
	ret = k_statmount(mnt_id_of(fd), 0, STATMOUNT_SUPPORTED_MASK, &sm, sizeof(sm));
	close(fd);
	return ret ?: (sm.supported_mask & bits) == bits;
}

static int probe_list(__u64 mnt_id)
{
	struct mnt_id_req req = {
		.size	= MNT_ID_REQ_SIZE_VER1,
		.mnt_fd	= -1,
		.mnt_id	= mnt_id,
	};
	__u64 id;

	return k_ret(syscall(__NR_listmount, &req, &id, 1, LISTMOUNT_BY_FD));
}

static int nr_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int nr = 0;

	if (!dir)
		return -errno;
	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr;
}

TEST_F(probe, all_say_the_same)
{
	bool yes = self->supported;
	size_t page = sysconf(_SC_PAGESIZE);

	EXPECT_EQ(yes ? -EBADF : -EINVAL, probe_open_tree(OPEN_TREE_CLONE));
	EXPECT_EQ(-EINVAL, probe_open_tree(0));
	EXPECT_EQ(-EINVAL, probe_open_tree(OPEN_TREE_NAMESPACE));
	EXPECT_EQ(yes ? -EBADF : -EINVAL, probe_move_mount(MOVE_MOUNT_T_FOREIGN));
	EXPECT_EQ(-EINVAL, probe_move_mount(MOVE_MOUNT_T_FOREIGN | MOVE_MOUNT_SET_GROUP));
	EXPECT_EQ(yes ? -EBADF : -EINVAL,
		  probe_move_mount(MOVE_MOUNT_T_FOREIGN | MOVE_MOUNT_UNLOCKED));
	EXPECT_EQ(-EINVAL, probe_move_mount(MOVE_MOUNT_UNLOCKED));
	EXPECT_EQ(yes ? -EINVAL : -ENOTTY, probe_mnt_open(self->ns));
	EXPECT_EQ(yes ? -E2BIG : -ENOTTY, probe_mnt_open_size(self->ns));
	EXPECT_EQ(yes ? -EFAULT : self->no_call,
		  probe_setgroup(MOUNT_GROUP_ARGS_SIZE_VER0));
	EXPECT_EQ(yes ? -E2BIG : self->no_call, probe_setgroup(page + 1));
	EXPECT_EQ(yes ? -EBADF : -E2BIG, probe_lock_set(MOUNT_LOCK_MOUNT));
	EXPECT_EQ(yes ? -EINVAL : -E2BIG, probe_lock_set(1ULL << 63));
	EXPECT_EQ(yes, probe_statmount(STATMOUNT_MNT_LOCKS));
	EXPECT_EQ(yes, probe_statmount(STATMOUNT_SB_USER_NS | STATMOUNT_SB_NS));
	EXPECT_EQ(yes ? -EBADF : -EINVAL, probe_list(0));
	EXPECT_EQ(-EINVAL, probe_list(1));
	EXPECT_EQ(yes ? 0 : -ENOENT, probe_unlinked_root());
}

/* Whoever may not mount is told about some, and refused by the rest on either. */
TEST_F(probe, unprivileged)
{
	bool yes = self->supported;
	struct actor *user = &self->user;

	EXPECT_EQ(yes ? -EFAULT : self->no_call,
		  AS(user, probe_setgroup(MOUNT_GROUP_ARGS_SIZE_VER0)));
	EXPECT_EQ(yes ? -EPERM : -EINVAL, AS(user, probe_open_tree(OPEN_TREE_CLONE)));
	EXPECT_EQ(-EINVAL, AS(user, probe_open_tree(0)));
	EXPECT_EQ(-EPERM, AS(user, probe_move_mount(MOVE_MOUNT_T_FOREIGN)));
	EXPECT_EQ(yes ? -EINVAL : -ENOTTY, AS(user, probe_mnt_open(self->ns)));
	EXPECT_EQ(yes ? -E2BIG : -ENOTTY, AS(user, probe_mnt_open_size(self->ns)));
	EXPECT_EQ(-EPERM, AS(user, probe_lock_set(MOUNT_LOCK_MOUNT)));
	EXPECT_EQ(yes, AS(user, probe_statmount(STATMOUNT_MNT_LOCKS)));
	EXPECT_EQ(yes, AS(user, probe_statmount(STATMOUNT_SB_USER_NS | STATMOUNT_SB_NS)));
	EXPECT_EQ(yes ? -EBADF : -EINVAL, AS(user, probe_list(0)));
}

/* No mount, no descriptor, and nobody is told. */
TEST_F(probe, no_side_effects)
{
	int watch = mountinfo_watch(&this_test);
	int nr = nr_descriptors();
	char *before, *after;

	ASSERT_TRUE(watch >= 0 && nr > 0);
	before = ns_snapshot(&this_test);
	ASSERT_NE(NULL, before);
	for (int i = 0; i < 100; i++) {
		ASSERT_LT(probe_setgroup(MOUNT_GROUP_ARGS_SIZE_VER0), 0);
		ASSERT_LT(probe_open_tree(OPEN_TREE_CLONE), 0);
		ASSERT_LT(probe_move_mount(MOVE_MOUNT_T_FOREIGN), 0);
		ASSERT_LT(probe_mnt_open(self->ns), 0);
		ASSERT_LT(probe_lock_set(MOUNT_LOCK_MOUNT), 0);
		ASSERT_GE(probe_statmount(STATMOUNT_MNT_LOCKS), 0);
		ASSERT_LT(probe_list(0), 0);
		probe_unlinked_root();
	}
	after = ns_snapshot(&this_test);
	EXPECT_STREQ(before, after);
	EXPECT_EQ(nr, nr_descriptors());
	EXPECT_FALSE(mountinfo_changed(watch));
	free(before);
	free(after);
}

TEST_HARNESS_MAIN
