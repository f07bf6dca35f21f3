// SPDX-License-Identifier: GPL-2.0
/*
 * mount_setgroup(): what a call leaves behind, whether it has failed or not. No
 * mark on a mount, which the next call would take for its own; no reference; no
 * id of a group.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "../mount_members.h"
#include "../../kselftest_harness.h"

#define SHARED	MOUNT_SETGROUP_SHARED
#define PEER	MOUNT_SETGROUP_PEER
#define MASTER	MOUNT_SETGROUP_MASTER
#define SIBLING	MOUNT_SETGROUP_SIBLING

#define NR	6

/*
 * "0" to "5" are private. "1" and "4" have something on a/x, which is locked in the
 * owner's namespace.
 */
FIXTURE(setgroup_left) {
	char base[64];
	struct actor owner;
	int mine[NR];	/* of the test's namespace */
	int fd[NR];	/* of the owner's */
};

FIXTURE_SETUP(setgroup_left)
{
	static const char * const children[] = { "1/a/x", "4/a/x" };
	char name[16];

	if (geteuid())
		SKIP(return, "test requires root");
	if (!setgroup_supported())
		SKIP(return, "mount_setgroup() not supported");
	ASSERT_EQ(0, members_setup(self->base, sizeof(self->base)));
	for (int i = 0; i < NR; i++) {
		snprintf(name, sizeof(name), "%d", i);
		self->mine[i] = member_of(&this_test, self->base, "", name);
		ASSERT_GE(self->mine[i], 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(children); i++)
		ASSERT_EQ(0, k_mount("tmpfs", children[i], "tmpfs", 0));
	ASSERT_EQ(0, actor_new(&self->owner, &this_test, ACTOR_USERNS));
	for (int i = 0; i < NR; i++) {
		snprintf(name, sizeof(name), "%d", i);
		self->fd[i] = OPEN_IN(&self->owner, name);
		ASSERT_GE(self->fd[i], 0);
	}
}

FIXTURE_TEARDOWN(setgroup_left)
{
	members_teardown(self->base);
}

static int lock_mount(const char *path)
{
	struct mount_attr_locks attr = { .lock_set = MOUNT_LOCK_MOUNT };

	return k_mount_setattr(AT_FDCWD, path, 0, &attr, sizeof(attr));
}

/*
 * The group has something locked at a place where the new member has something
 * that is not, and then has nothing there. That place is looked at both times.
 */
TEST_F(setgroup_left, receivers_are_looked_at_again)
{
	struct actor *o = &self->owner;

	ASSERT_EQ(0, k_setgroup(SHARED, self->fd + 1, 1, 0));
	ASSERT_EQ(0, MOUNT_IN(o, "0/a/x"));
	EXPECT_EQ(-EACCES, k_setgroup(PEER, self->fd, 1, self->fd[1]));
	ASSERT_EQ(0, UMOUNT_IN(o, "0/a/x"));
	EXPECT_EQ(-EACCES, k_setgroup(PEER, self->fd, 1, self->fd[1]));
	EXPECT_EQ(MS_PRIVATE, propagation_of(self->fd[0]));
}

/*
 * The mount named has something that is not locked, its peer has it locked. Named
 * is then the peer, and the new member has nothing there any more. In no other
 * namespace is there anything.
 */
TEST_F(setgroup_left, contained_is_not_checked)
{
	int ring[2] = { self->mine[0], self->mine[2] };
	int ret;

	ASSERT_EQ(0, k_setgroup(SHARED, ring, 2, 0));
	ASSERT_EQ(0, k_mount("tmpfs", "0/b", "tmpfs", 0));
	ret = lock_mount("2/b");
	if (ret == -E2BIG)
		SKIP(return, "lock_set of struct mount_attr not supported");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, k_mount("tmpfs", "3/b", "tmpfs", 0));
	/* it is the other one's lock that counts */
	EXPECT_EQ(-EACCES, k_setgroup(PEER, self->mine + 3, 1, ring[0]));
	ASSERT_EQ(0, k_umount("3/b", 0));
	EXPECT_EQ(-EACCES, k_setgroup(PEER, self->mine + 3, 1, ring[1]));
	EXPECT_EQ(MS_PRIVATE, propagation_of(self->mine[3]));
}

/*
 * What is locked in a group that a call has failed to join must not be counted as
 * a sender of the next one: that has two senders, neither of which has it. No more
 * are mounted there than belong to it by these marks, so that all are looked at.
 */
static int left_senders(struct _test_data_setgroup_left *self,
			int (*fail)(struct _test_data_setgroup_left *self))
{
	int ring[2] = { self->mine[4], self->fd[4] };
	int other[2] = { self->fd[0], self->fd[2] };
	int err;

	err = k_umount("1/a/x", 0) ?: lock_mount("4/a/x") ?: k_setgroup(SHARED, ring, 2, 0) ?:
	      k_setgroup(SHARED, other, 2, 0);
	if (err)
		return err;
	err = fail(self);
	if (err)
		return err;
	return k_setgroup(MASTER, self->fd + 1, 1, other[0]);
}

/* The owner is not privileged over the peer. */
static int fail_not_contained(struct _test_data_setgroup_left *self)
{
	int ret = AS(&self->owner, k_setgroup(PEER, self->fd + 5, 1, self->fd[4]));

	return ret == -ERANGE ? 0 : -ECANCELED;
}

TEST_F(setgroup_left, no_senders_after_erange)
{
	int ret = left_senders(self, fail_not_contained);

	if (ret == -E2BIG)
		SKIP(return, "lock_set of struct mount_attr not supported");
	EXPECT_EQ(-EACCES, ret);
	EXPECT_EQ(0, master_of(self->fd[1]));
}

/* The new member has nothing there. */
static int fail_pairs(struct _test_data_setgroup_left *self)
{
	int ret = k_setgroup(PEER, self->mine + 3, 1, self->fd[4]);

	return ret == -EACCES ? 0 : -ECANCELED;
}

TEST_F(setgroup_left, no_senders_after_eacces)
{
	int ret = left_senders(self, fail_pairs);

	if (ret == -E2BIG)
		SKIP(return, "lock_set of struct mount_attr not supported");
	EXPECT_EQ(-EACCES, ret);
	EXPECT_EQ(0, master_of(self->fd[1]));
}

/* A master, its slave, and three private mounts, none of which anything is on. */
static const char * const plain[] = { "6", "7", "8", "9", "10" };

static int make_plain(int *fds)
{
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		int err = k_mount(i == 1 ? plain[0] : "fs", plain[i], NULL, MS_BIND);

		if (!err && i < 2)
			err = k_mount(NULL, plain[i], NULL, i ? MS_SLAVE : MS_SHARED);
		fds[i] = err ? err : k_open(plain[i], O_PATH);
		if (fds[i] < 0)
			return fds[i];
	}
	return 0;
}

/* Whoever still has a reference is in the way. */
static int take_down_plain(const int *fds)
{
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		close(fds[i]);
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		int err = k_umount(plain[i], 0);

		if (err) {
			fprintf(stderr, "# %s: %s\n", plain[i], strerror(-err));
			return err;
		}
	}
	return 0;
}

/* The id that the next group gets. */
static __u64 next_group(void)
{
	int fd = k_open_tree(AT_FDCWD, "fs", OPEN_TREE_CLONE);
	__u64 id = 0;

	if (fd >= 0 && !k_setgroup(SHARED, &fd, 1, 0))
		id = group_of(fd);
	close(fd);
	return id;
}

static const struct {
	unsigned int flags;
	int target;	/* a number of plain, or -1 */
} kinds[] = {
	{ SHARED,		-1 },
	{ PEER,			0 },
	{ MASTER,		0 },
	{ SIBLING,		1 },
	{ SHARED | MASTER,	0 },
	{ SHARED | SIBLING,	1 },
};

static int call(const int *plain_fds, size_t kind, const int *fds, unsigned int nr)
{
	int target = kinds[kind].target;

	return k_setgroup(kinds[kind].flags, fds, nr, target < 0 ? 0 : plain_fds[target]);
}

TEST_F(setgroup_left, nothing_after_success)
{
	int fds[ARRAY_SIZE(plain)];

	for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		__u64 next;
		bool shared = kinds[kind].flags & SHARED;

		ASSERT_EQ(0, make_plain(fds));
		next = next_group();
		ASSERT_NE(0, next);
		ASSERT_EQ(0, call(fds, kind, fds + 2, 3));
		/* who joins a group needs no id, nor does who only receives */
		EXPECT_EQ(shared, next_group() != next) {
			TH_LOG("kind %zu", kind);
		}
		EXPECT_EQ(shared, group_of(fds[2]) == next);
		EXPECT_EQ(0, take_down_plain(fds)) {
			TH_LOG("kind %zu", kind);
		}
	}
}

/* Each descriptor in turn is none, and then one that refers to no mount root. */
TEST_F(setgroup_left, nothing_after_bad_descriptor)
{
	int fds[ARRAY_SIZE(plain)], bad[3];

	for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		for (int k = 0; k < 6; k++) {
			int err = k < 3 ? -EBADF : -EINVAL;
			__u64 next;

			ASSERT_EQ(0, make_plain(fds));
			next = next_group();
			memcpy(bad, fds + 2, sizeof(bad));
			bad[k % 3] = k < 3 ? -1 : k_openat(bad[k % 3], "a", O_PATH);
			EXPECT_EQ(err, call(fds, kind, bad, 3)) {
				TH_LOG("kind %zu, descriptor %d", kind, k);
			}
			if (k >= 3)
				ASSERT_EQ(0, close(bad[k % 3]));
			EXPECT_EQ(next, next_group());
			EXPECT_EQ(0, take_down_plain(fds)) {
				TH_LOG("kind %zu, descriptor %d", kind, k);
			}
		}
	}
}

/* The array has room for all, and only the second is looked at. */
TEST_F(setgroup_left, no_memory_after_bad_descriptor)
{
	const int fds[] = { self->mine[0], -1 };
	struct sysinfo before, after;
	const int nr = 500;
	long long lost, limit;
	unsigned int max;

	ASSERT_EQ(0, read_uint("/proc/sys/fs/mount-max", &max));
	/* signed, as the loss is: it is negative where other memory was freed */
	limit = (long long)nr * max * (int)sizeof(void *) / 2;
	ASSERT_EQ(0, sysinfo(&before));
	for (int i = 0; i < nr; i++)
		ASSERT_EQ(-EBADF, k_setgroup(SHARED, fds, max, 0));
	ASSERT_EQ(0, sysinfo(&after));
	lost = ((long long)before.freeram - (long long)after.freeram) * before.mem_unit;
	EXPECT_LT(lost, limit);
}

/* The list of descriptors ends where memory does, one after the other. */
TEST_F(setgroup_left, nothing_after_bad_address)
{
	long size = sysconf(_SC_PAGESIZE);
	int fds[ARRAY_SIZE(plain)];
	char *page;

	page = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(0, munmap(page + size, size));
	for (int k = 0; k < 3; k++) {
		int *end = (int *)(page + size) - k;

		ASSERT_EQ(0, make_plain(fds));
		memcpy(end, fds + 2, k * sizeof(*end));
		EXPECT_EQ(-EFAULT, call(fds, 1, end, 3));
		EXPECT_EQ(0, take_down_plain(fds)) {
			TH_LOG("%d descriptors", k);
		}
	}
}

/* Found under the lock: not private, another superblock, a bad mount named. */
TEST_F(setgroup_left, nothing_after_refusal)
{
	int fds[ARRAY_SIZE(plain)], other, bad[3];

	other = detached_tmpfs(&this_test, 0);
	ASSERT_GE(other, 0);
	for (int k = 0; k < 4; k++) {
		static const int errs[] = { -EBUSY, -EXDEV, -EINVAL, -EBADF };
		int ret, target;

		ASSERT_EQ(0, make_plain(fds));
		memcpy(bad, fds + 2, sizeof(bad));
		target = k < 2 ? fds[0] : k == 2 ? fds[1] : -1;
		if (k == 0)
			bad[2] = fds[1];
		if (k == 1)
			bad[2] = other;
		ret = k_setgroup(PEER, bad, 3, target);
		EXPECT_EQ(errs[k], ret);
		EXPECT_EQ(0, take_down_plain(fds)) {
			TH_LOG("case %d", k);
		}
	}
}

TEST_HARNESS_MAIN
