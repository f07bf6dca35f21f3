/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Let the allocations of a call fail, one at a time, and see what it leaves.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef __SELFTEST_MOUNT_FAULT_H
#define __SELFTEST_MOUNT_FAULT_H

#include <stdlib.h>

#include "../mount_members.h"
#include "../utils.h"
#include "../../kselftest_harness.h"

#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define FAILSLAB	"debug/failslab/"
#define MOUNT_MAX	"/proc/sys/fs/mount-max"
#define FILE_MAX	"/proc/sys/fs/file-max"
#define MAX_NTH		500

/* What of failslab the tests change. */
static const char * const knobs[] = {
	"probability", "times", "space", "task-filter", "ignore-gfp-wait", "verbose",
};

/*
 * The test's namespace and another of the same owner. All of "0" to "4" are
 * private mounts of "fs", "5" is shared, and has a peer in the other namespace
 * and a slave, "6", in each. There "7" has something below it.
 */
FIXTURE(mount_fault) {
	char base[64];
	struct actor other;
	struct actor owner;	/* less privileged, where a test has made it */
	int fd[5];
	int far;		/* "1" of the other namespace */
	int ns;
	int fail_nth;
	int make_it_fail;
	char was[ARRAY_SIZE(knobs)][16];
	unsigned int mount_max;
	char file_max[32];
	__u64 group;		/* the next one that is free */
	/* of the call that is tried */
	int tree;
	__u64 id;
	__u64 how;		/* its flags, or what it asks for */
	char *text;
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

static int read_knobs(struct _test_data_mount_fault *self)
{
	char path[64];
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(knobs) && !err; i++) {
		snprintf(path, sizeof(path), FAILSLAB "%s", knobs[i]);
		err = read_text(path, self->was[i], sizeof(self->was[i]));
	}
	return err;
}

static int write_knobs(const struct _test_data_mount_fault *self)
{
	char path[64];
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(knobs); i++) {
		snprintf(path, sizeof(path), FAILSLAB "%s", knobs[i]);
		if (write_file(path, self->was[i]))
			err = -1;
	}
	return err;
}

static int write_uint(const char *path, unsigned int val)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", val);
	return write_file(path, text);
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
	self->owner = (struct actor) { .userns = -1, .mntns = -1 };
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
		ret = read_knobs(self);
	if (ret == -ENODEV || ret == -ENOENT) {
		members_teardown(self->base);
		close(self->fail_nth);
		self->fail_nth = -1;
		SKIP(return, "no control of failslab (CONFIG_FAULT_INJECTION_DEBUG_FS)");
	}
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, write_file(FAILSLAB "ignore-gfp-wait", "N"));
	ASSERT_EQ(0, write_uint(FAILSLAB "verbose", 0));
	ASSERT_EQ(0, read_uint(MOUNT_MAX, &self->mount_max));
	ASSERT_EQ(0, read_text(FILE_MAX, self->file_max, sizeof(self->file_max)));

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
	EXPECT_EQ(0, write_knobs(self));
	EXPECT_EQ(0, write_uint(MOUNT_MAX, self->mount_max));
	EXPECT_EQ(0, write_file(FILE_MAX, self->file_max));

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

/* The mounts of the namespaces, and the tree that is not attached. */
static char *everything(struct _test_data_mount_fault *self)
{
	char *mine = ns_snapshot(&this_test);
	char *theirs = ns_snapshot(&self->other);
	char *owner = self->owner.mntns >= 0 ? ns_snapshot(&self->owner) : strdup("");
	char *text = NULL;

	if (mine && theirs && owner &&
	    asprintf(&text, "%s--\n%s--\n%s-- group %llu master %llu\n", mine, theirs,
		     owner, self->tree >= 0 ? group_of(self->tree) : 0,
		     self->tree >= 0 ? master_of(self->tree) : 0) < 0)
		text = NULL;
	free(mine);
	free(theirs);
	free(owner);
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

#endif /* __SELFTEST_MOUNT_FAULT_H */
