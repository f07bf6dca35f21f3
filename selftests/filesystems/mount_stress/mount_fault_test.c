// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation of the calls fails, one at a time: the call fails with ENOMEM
 * and everything is as it was.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>

#include "../mount_members.h"
#include "../../kselftest_harness.h"

#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define FAILSLAB	"debug/failslab/"
#define MOUNT_MAX	"/proc/sys/fs/mount-max"
#define MAX_NTH		500

/*
 * The test's namespace and another of the same owner. All of "0" to "4" are
 * private mounts of "fs", "5" is shared, and has a peer in the other namespace
 * and a slave, "6", in each. There "7" has something below it.
 */
FIXTURE(mount_fault) {
	char base[64];
	struct actor other;
	int fd[5];
	int far;		/* "1" of the other namespace */
	int ns;
	int fail_nth;
	int make_it_fail;
	char wait[2];		/* what ignore-gfp-wait was */
	unsigned int verbose;
	unsigned int mount_max;
	__u64 group;		/* the next one that is free */
	/* of the call that is tried */
	int tree;
	__u64 id;
};

static int read_text(const char *path, char *text, size_t size)
{
	int fd = k_open(path, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read(fd, text, size - 1);
	close(fd);
	if (n < 0)
		return -EIO;
	text[n] = 0;
	return 0;
}

static int write_uint(const char *path, unsigned int val)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", val);
	return write_text(path, text);
}

static int set_fail_nth(struct _test_data_mount_fault *self, unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	return pwrite(self->fail_nth, text, len, 0) == len ? 0 : -1;
}

FIXTURE_SETUP(mount_fault)
{
	int ret;

	self->fail_nth = -1;
	if (geteuid())
		SKIP(return, "test requires root");
	if (!setgroup_supported() || !lock_set_supported())
		SKIP(return, "mount_setgroup() or lock_set not supported");
	self->fail_nth = k_open(FAIL_NTH, O_RDWR);
	if (self->fail_nth == -ENOENT)
		SKIP(return, "no fault injection (CONFIG_FAULT_INJECTION)");
	ASSERT_GE(self->fail_nth, 0);
	self->make_it_fail = k_open("/proc/self/make-it-fail", O_RDWR);
	ASSERT_GE(self->make_it_fail, 0);
	ASSERT_EQ(0, members_setup(self->base, sizeof(self->base)));
	ASSERT_EQ(0, mkdir("debug", 0700));
	ret = k_mount("debugfs", "debug", "debugfs", 0);
	if (!ret)
		ret = read_text(FAILSLAB "ignore-gfp-wait", self->wait,
				sizeof(self->wait));
	if (ret == -ENODEV || ret == -ENOENT) {
		members_teardown(self->base);
		close(self->fail_nth);
		self->fail_nth = -1;
		SKIP(return, "no control of failslab (CONFIG_FAULT_INJECTION_DEBUG_FS)");
	}
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, read_uint(FAILSLAB "verbose", &self->verbose));
	ASSERT_EQ(0, write_text(FAILSLAB "ignore-gfp-wait", "N"));
	ASSERT_EQ(0, write_uint(FAILSLAB "verbose", 0));
	ASSERT_EQ(0, read_uint(MOUNT_MAX, &self->mount_max));

	for (int i = 0; i < 5; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		self->fd[i] = member_of(&this_test, self->base, "", name);
		ASSERT_GE(self->fd[i], 0);
	}
	ASSERT_EQ(0, k_mount("fs", "5", NULL, MS_BIND));
	ASSERT_EQ(0, k_mount(NULL, "5", NULL, MS_SHARED));
	ASSERT_EQ(0, k_mount("5", "6", NULL, MS_BIND));
	ASSERT_EQ(0, k_mount(NULL, "6", NULL, MS_SLAVE));
	ASSERT_EQ(0, actor_new(&self->other, &this_test, ACTOR_MNTNS));
	ASSERT_EQ(0, IN(&self->other, k_mount("fs", "7", NULL, MS_BIND)));
	ASSERT_EQ(0, MOUNT_IN(&self->other, "7/a"));
	ASSERT_EQ(0, MOUNT_IN(&self->other, "7/b"));
	self->far = OPEN_IN(&self->other, "1");
	self->ns = self->other.mntns;
	ASSERT_GE(self->far, 0);

	ASSERT_EQ(0, k_setgroup(MOUNT_SETGROUP_SHARED, self->fd, 1, 0));
	self->group = group_of(self->fd[0]);
	ASSERT_NE(0, self->group);
	ASSERT_EQ(0, k_mount(NULL, "0", NULL, MS_PRIVATE));
}

/*
 * What has leaked: an id of a group, which the next group would have got; or a
 * reference of a mount, which can't be unmounted then.
 */
FIXTURE_TEARDOWN(mount_fault)
{
	if (self->fail_nth < 0)
		return;
	EXPECT_EQ(0, set_fail_nth(self, 0));
	EXPECT_EQ(1, pwrite(self->make_it_fail, "0", 1, 0));
	/* what it is after boot: nothing fails but what a task asks for */
	EXPECT_EQ(0, write_text(FAILSLAB "probability", "0"));
	EXPECT_EQ(0, write_text(FAILSLAB "times", "1"));
	EXPECT_EQ(0, write_text(FAILSLAB "space", "0"));
	EXPECT_EQ(0, write_text(FAILSLAB "task-filter", "N"));
	EXPECT_EQ(0, write_uint(MOUNT_MAX, self->mount_max));
	EXPECT_EQ(0, write_text(FAILSLAB "ignore-gfp-wait", self->wait));
	EXPECT_EQ(0, write_uint(FAILSLAB "verbose", self->verbose));

	EXPECT_EQ(0, k_setgroup(MOUNT_SETGROUP_SHARED, self->fd, 1, 0));
	EXPECT_EQ(self->group, group_of(self->fd[0]));
	for (int i = 0; i < 5; i++)
		close(self->fd[i]);
	close(self->far);
	for (int i = 0; i < 7; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		EXPECT_EQ(0, k_umount(name, 0)) {
			TH_LOG("%s", name);
		}
		EXPECT_EQ(0, UMOUNT_IN(&self->other, name)) {
			TH_LOG("%s of the other namespace", name);
		}
	}
	EXPECT_EQ(0, UMOUNT_IN(&self->other, "7/a"));
	EXPECT_EQ(0, UMOUNT_IN(&self->other, "7/b"));
	EXPECT_EQ(0, UMOUNT_IN(&self->other, "7"));
	EXPECT_EQ(0, UMOUNT_IN(&self->other, "fs"));
	EXPECT_EQ(0, k_umount("fs", 0));
	members_teardown(self->base);
}

/* The mounts of both namespaces, and the tree that is not attached. */
static char *everything(struct _test_data_mount_fault *self)
{
	char *mine = ns_snapshot(&this_test);
	char *theirs = ns_snapshot(&self->other);
	char *text = NULL;

	if (mine && theirs &&
	    asprintf(&text, "%s--\n%s-- group %llu master %llu\n", mine, theirs,
		     self->tree >= 0 ? group_of(self->tree) : 0,
		     self->tree >= 0 ? master_of(self->tree) : 0) < 0)
		text = NULL;
	free(mine);
	free(theirs);
	return text;
}

/* How many allocations are left until one fails, or -1. */
static int get_fail_nth(struct _test_data_mount_fault *self)
{
	char text[16] = "";

	return pread(self->fail_nth, text, sizeof(text) - 1, 0) > 0 ? atoi(text) : -1;
}

/*
 * @ret is what a call with some allocations failing has returned. 0 if it has
 * failed as it should, 1 if it was done and is taken back, -1 if it is wrong.
 */
static int check(struct _test_data_mount_fault *self, int ret,
		 int (*undo)(struct _test_data_mount_fault *self, int ret), const char *before)
{
	char *after;
	int same;

	if (ret >= 0)
		return undo(self, ret) ? -1 : 1;
	if (ret != -ENOMEM) {
		fprintf(stderr, "# %s\n", strerror(-ret));
		return -1;
	}
	after = everything(self);
	same = after && !strcmp(before, after);
	if (!same)
		fprintf(stderr, "# it changes\n%s# to\n%s", before, after ?: "?");
	free(after);
	return same ? 0 : -1;
}

/*
 * Let one allocation of @call after the other fail, until there are no more. How
 * often the call has failed, or -1. An allocation that the kernel can do without
 * is no reason to fail, but then the call has to have done what it is for, which
 * @undo takes back.
 */
static int fail_each(struct _test_data_mount_fault *self,
		     int (*call)(struct _test_data_mount_fault *self),
		     int (*undo)(struct _test_data_mount_fault *self, int ret))
{
	int nr_failed = 0;

	for (int nth = 1; nth < MAX_NTH; nth++) {
		char *before = everything(self);
		int ret, left;

		if (!before || set_fail_nth(self, nth))
			return -1;
		ret = call(self);
		left = get_fail_nth(self);
		if (set_fail_nth(self, 0) || left < 0)
			return -1;
		ret = check(self, ret, undo, before);
		free(before);
		if (ret < 0) {
			fprintf(stderr, "# ... when allocation %d fails\n", nth);
			return -1;
		}
		nr_failed += !ret;
		if (left)
			return ret ? nr_failed : -1;
	}
	fprintf(stderr, "# there is no end to it\n");
	return -1;
}

/* Nothing but a write to a file that is open can be relied on to succeed. */
static int set_make_it_fail(struct _test_data_mount_fault *self, const char *yes)
{
	return pwrite(self->make_it_fail, yes, 1, 0) == 1 ? 0 : -1;
}

/* The same, but once an allocation has failed all further ones do. */
static int fail_rest(struct _test_data_mount_fault *self,
		     int (*call)(struct _test_data_mount_fault *self),
		     int (*undo)(struct _test_data_mount_fault *self, int ret))
{
	int nr_failed = 0;

	for (unsigned int bytes = 1; bytes < 16 * MAX_NTH; bytes += 16) {
		char *before = everything(self);
		int ret;

		if (!before || write_uint(FAILSLAB "space", bytes) ||
		    set_make_it_fail(self, "1"))
			return -1;
		ret = call(self);
		if (set_make_it_fail(self, "0"))
			return -1;
		ret = check(self, ret, undo, before);
		free(before);
		if (ret < 0)
			fprintf(stderr, "# ... with no more than %u bytes\n", bytes);
		if (ret)
			return ret < 0 ? ret : nr_failed;
		nr_failed++;
	}
	fprintf(stderr, "# there is no end to it\n");
	return -1;
}

static int make_private(struct _test_data_mount_fault *self)
{
	for (int i = 0; i < 5; i++) {
		char name[16];
		int err;

		snprintf(name, sizeof(name), "%d", i);
		err = k_mount(NULL, name, NULL, MS_PRIVATE);
		if (err)
			return err;
	}
	return CHANGE_IN(&self->other, "1", MS_PRIVATE);
}

static int shared(struct _test_data_mount_fault *self)
{
	int fds[3] = { self->fd[0], self->far, self->fd[2] };

	return k_setgroup(MOUNT_SETGROUP_SHARED, fds, 3, 0);
}

static int undo_shared(struct _test_data_mount_fault *self, int ret)
{
	__u64 group = group_of(self->fd[0]);

	if (ret || !group || group_of(self->far) != group ||
	    group_of(self->fd[2]) != group)
		return -1;
	return make_private(self);
}

TEST_F_TIMEOUT(mount_fault, setgroup_shared, 120)
{
	self->tree = -1;
	/* the array of files */
	EXPECT_GE(fail_each(self, shared, undo_shared), 1);
}

/*
 * Some ids need memory: that of the first group of which an array of bits is
 * needed. Where there have been more groups already there is nothing to see.
 */
TEST_F_TIMEOUT(mount_fault, setgroup_shared_id, 120)
{
	const __u64 last = 8 * sizeof(long) - 2;
	bool first = self->group <= last;
	__u64 group = self->group;
	int nr = 0, fds[64];

	self->tree = -1;
	for (; group < last; nr++) {
		ASSERT_LT(nr, 64);
		fds[nr] = k_open_tree(AT_FDCWD, "fs", OPEN_TREE_CLONE);
		ASSERT_GE(fds[nr], 0);
		ASSERT_EQ(0, k_setgroup(MOUNT_SETGROUP_SHARED, fds + nr, 1, 0));
		group = group_of(fds[nr]);
	}
	ASSERT_EQ(0, write_text(FAILSLAB "task-filter", "Y"));
	ASSERT_EQ(0, write_text(FAILSLAB "times", "-1"));
	ASSERT_EQ(0, write_text(FAILSLAB "probability", "100"));
	/* the array of files takes 32 bytes, 24 of which are in use */
	EXPECT_GE(fail_rest(self, shared, undo_shared), first ? 3 : 1);
	while (nr)
		ASSERT_EQ(0, close(fds[--nr]));
}

static int shared_master(struct _test_data_mount_fault *self)
{
	int fds[2] = { self->far, self->fd[0] };

	return k_setgroup(MOUNT_SETGROUP_SHARED | MOUNT_SETGROUP_MASTER, fds, 2,
			  self->fd[4]);
}

static int undo_shared_master(struct _test_data_mount_fault *self, int ret)
{
	if (ret || !group_of(self->far) || group_of(self->far) != group_of(self->fd[0]) ||
	    master_of(self->far) != group_of(self->fd[4]) ||
	    master_of(self->fd[0]) != group_of(self->fd[4]))
		return -1;
	return k_mount(NULL, "0", NULL, MS_PRIVATE) ?:
	       CHANGE_IN(&self->other, "1", MS_PRIVATE);
}

static int peer(struct _test_data_mount_fault *self)
{
	int fds[2] = { self->far, self->fd[0] };

	return k_setgroup(MOUNT_SETGROUP_PEER, fds, 2, self->fd[4]);
}

static int undo_peer(struct _test_data_mount_fault *self, int ret)
{
	if (ret || group_of(self->far) != group_of(self->fd[4]) ||
	    group_of(self->fd[0]) != group_of(self->fd[4]))
		return -1;
	return k_mount(NULL, "0", NULL, MS_PRIVATE) ?:
	       CHANGE_IN(&self->other, "1", MS_PRIVATE);
}

TEST_F_TIMEOUT(mount_fault, setgroup_joins, 120)
{
	self->tree = -1;
	ASSERT_EQ(0, k_mount(NULL, "4", NULL, MS_SHARED));
	EXPECT_GE(fail_each(self, shared_master, undo_shared_master), 1);
	EXPECT_GE(fail_each(self, peer, undo_peer), 1);
	ASSERT_EQ(0, make_private(self));
}

static int set_group(struct _test_data_mount_fault *self)
{
	return k_move_mount(self->fd[4], "", self->far, "", MOVE_MOUNT_SET_GROUP);
}

static int undo_set_group(struct _test_data_mount_fault *self, int ret)
{
	if (ret || group_of(self->far) != group_of(self->fd[4]))
		return -1;
	return CHANGE_IN(&self->other, "1", MS_PRIVATE);
}

TEST_F_TIMEOUT(mount_fault, move_mount_set_group, 120)
{
	self->tree = -1;
	ASSERT_EQ(0, k_mount(NULL, "4", NULL, MS_SHARED));
	/* it may do without any */
	EXPECT_GE(fail_each(self, set_group, undo_set_group), 0);
	ASSERT_EQ(0, make_private(self));
}

static int clone_tree(struct _test_data_mount_fault *self)
{
	return k_open_tree(self->fd[3], "", OPEN_TREE_CLONE | OPEN_TREE_FOREIGN |
			   AT_EMPTY_PATH | AT_RECURSIVE);
}

static int undo_clone_tree(struct _test_data_mount_fault *self, int ret)
{
	int a = k_openat(ret, "a", O_PATH), b = k_openat(ret, "b", O_PATH);
	int err = a < 0 || b < 0 || mnt_id_of(a) == mnt_id_of(ret) ||
		  mnt_id_of(b) == mnt_id_of(ret);

	close(a);
	close(b);
	return close(ret) || err ? -1 : 0;
}

/* What the test works on is "7" of the other namespace, with what is below it. */
static int use_foreign(struct _test_data_mount_fault *self)
{
	self->tree = -1;
	close(self->fd[3]);
	self->fd[3] = OPEN_IN(&self->other, "7");
	return self->fd[3];
}

TEST_F_TIMEOUT(mount_fault, open_tree_foreign, 120)
{
	ASSERT_GE(use_foreign(self), 0);
	/* the namespace and its mounts, at least */
	EXPECT_GE(fail_each(self, clone_tree, undo_clone_tree), 4);
}

static int clone_tree_attr(struct _test_data_mount_fault *self)
{
	struct mount_attr_locks attr = {
		.attr_set	= MOUNT_ATTR_NODEV,
		.propagation	= MS_SHARED,
		.lock_set	= MOUNT_LOCK_NODEV,
	};

	return k_open_tree_attr(self->fd[3], "", OPEN_TREE_CLONE | OPEN_TREE_FOREIGN |
				AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr));
}

static int undo_clone_tree_attr(struct _test_data_mount_fault *self, int ret)
{
	struct mnt mnt;

	if (mnt_of(ret, &mnt) || mnt.locks != MOUNT_LOCK_NODEV || !mnt.group)
		return -1;
	return undo_clone_tree(self, ret);
}

/* It makes groups and locks, which an error has to take back. */
TEST_F_TIMEOUT(mount_fault, open_tree_attr_foreign, 120)
{
	ASSERT_GE(use_foreign(self), 0);
	EXPECT_GE(fail_each(self, clone_tree_attr, undo_clone_tree_attr), 7);
}

static int new_tree(struct _test_data_mount_fault *self)
{
	int child;

	self->tree = detached_tmpfs(&this_test, 0);
	child = detached_tmpfs(&this_test, 0);
	if (self->tree < 0 || child < 0 || mkdirat(self->tree, "c", 0755) ||
	    k_move_mount(child, "", self->tree, "c", 0))
		return -1;
	close(child);
	return 0;
}

static int attach(struct _test_data_mount_fault *self)
{
	return k_move_mount(self->tree, "", self->fd[3], "", MOVE_MOUNT_T_FOREIGN);
}

static int undo_attach(struct _test_data_mount_fault *self, int ret)
{
	if (ret || MOUNTED_IN(&self->other, "5/a/c") != 1 ||
	    MOUNTED_IN(&self->other, "6/a/c") != 1 ||
	    is_mounted_at(&this_test, "5/a/c") != 1 || is_mounted_at(&this_test, "6/a/c") != 1)
		return -1;
	close(self->tree);
	return IN(&self->other, k_umount("5/a", MNT_DETACH)) ?: new_tree(self);
}

static int set_max_and_attach(struct _test_data_mount_fault *self, unsigned int max)
{
	int ret, err;

	err = write_uint(MOUNT_MAX, max);
	if (err)
		return err;
	ret = attach(self);
	err = write_uint(MOUNT_MAX, self->mount_max);
	return err ?: ret;
}

/* To where it propagates: to the other namespace, and to the test's. */
TEST_F_TIMEOUT(mount_fault, move_mount_foreign, 300)
{
	unsigned int max = ns_nr_mounts(&self->other);

	close(self->fd[3]);
	self->fd[3] = OPEN_IN(&self->other, "5/a");
	ASSERT_GE(self->fd[3], 0);
	ASSERT_EQ(0, new_tree(self));
	/* how many mounts are thought to be there */
	while (set_max_and_attach(self, max) == -ENOSPC) {
		max++;
		ASSERT_LT(max, self->mount_max);
	}
	ASSERT_EQ(0, undo_attach(self, 0));

	/* a mountpoint, groups, and three more copies of the tree */
	EXPECT_GE(fail_each(self, attach, undo_attach), 6);
	EXPECT_EQ(-ENOSPC, set_max_and_attach(self, max - 1));
	EXPECT_EQ(0, set_max_and_attach(self, max));
	EXPECT_EQ(0, undo_attach(self, 0));
	close(self->tree);
	close(self->fd[3]);
	self->fd[3] = -1;
}

static int mnt_open(struct _test_data_mount_fault *self)
{
	return k_ns_mnt_open(self->ns, self->id);
}

static int undo_mnt_open(struct _test_data_mount_fault *self, int ret)
{
	return mnt_id_of(ret) == self->id && !close(ret) ? 0 : -1;
}

TEST_F_TIMEOUT(mount_fault, ns_mnt_open, 120)
{
	struct mnt mnt;

	self->tree = -1;
	ASSERT_EQ(0, mnt_at(&self->other, PATH("7/a"), &mnt));
	self->id = mnt.id;
	/* the file */
	EXPECT_GE(fail_each(self, mnt_open, undo_mnt_open), 1);
}

static int lock_set(struct _test_data_mount_fault *self)
{
	struct mount_attr_locks attr = {
		.attr_set = MOUNT_ATTR_NODEV,
		.lock_set = MOUNT_LOCK_NODEV,
	};

	return k_mount_setattr(self->fd[2], "", AT_EMPTY_PATH, &attr, sizeof(attr));
}

static int undo_lock_set(struct _test_data_mount_fault *self, int ret)
{
	struct mnt mnt;

	return ret || mnt_of(self->fd[2], &mnt) || mnt.locks != MOUNT_LOCK_NODEV ? -1 : 0;
}

TEST_F_TIMEOUT(mount_fault, lock_set, 120)
{
	self->tree = -1;
	/* it may do without any */
	EXPECT_GE(fail_each(self, lock_set, undo_lock_set), 0);
}

TEST_HARNESS_MAIN
