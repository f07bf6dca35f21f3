// SPDX-License-Identifier: GPL-2.0
/*
 * mount_setgroup() asks the security modules about each member, together with the
 * mount that is named. No module here tells one mount from another, so the calls of the
 * hook are traced.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../mount_members.h"
#include "../utils.h"
#include "../../kselftest_harness.h"

#define NR	5
#define PROBE	"mount_setgroup/hook"
#define NAMED	" named=+0($arg1):u64 named2=+8($arg1):u64"
#define MEMBER	" member=+0($arg2):u64 member2=+8($arg2):u64"
#define EVENT	"trace/instances/mount_setgroup/events/" PROBE "/enable"

FIXTURE(setgroup_hooks) {
	char base[64];
	int fd[NR];
	int peer, slave;
	struct path { unsigned long long a, b; } named[2 * NR], member[2 * NR];
};

FIXTURE_SETUP(setgroup_hooks)
{
	int ret;

	if (geteuid())
		SKIP(return, "test requires root");
	if (!setgroup_supported())
		SKIP(return, "mount_setgroup() not supported");
	ASSERT_EQ(0, members_setup(self->base, sizeof(self->base)));
	ASSERT_EQ(0, mkdir("trace", 0755));
	ret = k_mount("tracefs", "trace", "tracefs", 0);
	if (ret == -ENODEV || (!ret && access("trace/kprobe_events", W_OK))) {
		members_teardown(self->base);
		SKIP(return, "no trace of functions (CONFIG_KPROBE_EVENTS)");
	}
	ASSERT_EQ(0, ret);
	/* what a test that was ended has left */
	rmdir("trace/instances/mount_setgroup");
	write_file("trace/kprobe_events", "-:" PROBE);
	/* struct path: the mount and the dentry, in whichever order */
	if (write_file("trace/kprobe_events", "p:" PROBE " security_move_mount" NAMED MEMBER)) {
		members_teardown(self->base);
		SKIP(return, "no probe on security_move_mount()");
	}
	ASSERT_EQ(0, mkdir("trace/instances/mount_setgroup", 0755));
	for (int i = 0; i < NR; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		self->fd[i] = member_of(&this_test, self->base, "", name);
		ASSERT_GE(self->fd[i], 0);
	}
	self->peer = member_of(&this_test, self->base, "", "10");
	ASSERT_GE(self->peer, 0);
	ASSERT_EQ(0, k_mount(NULL, "10", NULL, MS_SHARED));
	ASSERT_EQ(0, k_mount("10", "11", NULL, MS_BIND));
	ASSERT_EQ(0, k_mount(NULL, "11", NULL, MS_SLAVE));
	self->slave = k_open("11", O_PATH);
	ASSERT_GE(self->slave, 0);
}

FIXTURE_TEARDOWN(setgroup_hooks)
{
	EXPECT_EQ(0, rmdir("trace/instances/mount_setgroup"));
	EXPECT_EQ(0, write_file("trace/kprobe_events", "-:" PROBE));
	members_teardown(self->base);
}

/* What the hook was called with since it is traced: how many times. */
static int calls(struct _test_data_setgroup_hooks *self)
{
	FILE *f = fopen("trace/instances/mount_setgroup/trace", "re");
	char line[512], *args;
	int nr = 0;

	if (!f)
		return -errno;
	while (nr < 2 * NR && fgets(line, sizeof(line), f)) {
		args = *line == '#' ? NULL : strstr(line, "named=");
		if (args && sscanf(args, "named=%llu named2=%llu member=%llu member2=%llu",
				   &self->named[nr].a, &self->named[nr].b,
				   &self->member[nr].a, &self->member[nr].b) == 4)
			nr++;
	}
	fclose(f);
	return nr;
}

static bool same(const struct path *one, const struct path *other)
{
	return one->a == other->a && one->b == other->b;
}

/* As many calls as members, with the same mount named and each with another member. */
static bool asked_of_each(struct _test_data_setgroup_hooks *self, bool named_is_first)
{
	if (calls(self) != NR)
		return false;
	for (int i = 0; i < NR; i++) {
		if (!same(self->named + i, self->named))
			return false;
		if (same(self->named, self->member + i) != (named_is_first && !i))
			return false;
		for (int k = 0; k < i; k++)
			if (same(self->member + k, self->member + i))
				return false;
	}
	return true;
}

static int traced(unsigned int flags, struct _test_data_setgroup_hooks *self, int target)
{
	int fd, ret;

	/* that clears it */
	fd = k_open("trace/instances/mount_setgroup/trace", O_WRONLY | O_TRUNC);
	if (fd < 0 || write_file(EVENT, "1"))
		return -ECANCELED;
	close(fd);
	ret = k_setgroup(flags, self->fd, NR, target);
	return write_file(EVENT, "0") ? -ECANCELED : ret;
}

static int make_private(struct _test_data_setgroup_hooks *self)
{
	const struct mount_attr_locks attr = { .propagation = MS_PRIVATE };
	int err = 0;

	for (int i = 0; i < NR && !err; i++)
		err = k_mount_setattr(self->fd[i], "", AT_EMPTY_PATH, &attr,
				      offsetof(struct mount_attr_locks, lock_set));
	return err;
}

TEST_F(setgroup_hooks, each_member)
{
	EXPECT_EQ(0, traced(MOUNT_SETGROUP_SHARED, self, 0));
	EXPECT_TRUE(asked_of_each(self, true));
	ASSERT_EQ(0, make_private(self));
	EXPECT_EQ(0, traced(MOUNT_SETGROUP_PEER, self, self->peer));
	EXPECT_TRUE(asked_of_each(self, false));
	ASSERT_EQ(0, make_private(self));
	EXPECT_EQ(0, traced(MOUNT_SETGROUP_MASTER, self, self->peer));
	EXPECT_TRUE(asked_of_each(self, false));
	ASSERT_EQ(0, make_private(self));
	EXPECT_EQ(0, traced(MOUNT_SETGROUP_SIBLING, self, self->slave));
	EXPECT_TRUE(asked_of_each(self, false));
}

/* They are asked before anything is looked at that a module may want to hide. */
TEST_F(setgroup_hooks, before_it_is_refused)
{
	ASSERT_EQ(0, k_mount(NULL, "3", NULL, MS_SHARED));
	EXPECT_EQ(-EBUSY, traced(MOUNT_SETGROUP_PEER, self, self->peer));
	EXPECT_TRUE(asked_of_each(self, false));
}

/* Who is not privileged over the first is sent away before that. */
TEST_F(setgroup_hooks, not_for_anybody)
{
	const struct actor user = { .userns = -1, .mntns = -1, .uid = 1000 };

	ASSERT_EQ(0, write_file(EVENT, "1"));
	EXPECT_EQ(-EPERM, AS(&user, k_setgroup(MOUNT_SETGROUP_SHARED, self->fd, NR, 0)));
	EXPECT_EQ(0, calls(self));
	EXPECT_EQ(0, k_setgroup(MOUNT_SETGROUP_SHARED, self->fd, NR, 0));
	EXPECT_EQ(NR, calls(self));
	ASSERT_EQ(0, write_file(EVENT, "0"));
}

TEST_HARNESS_MAIN
