/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which calls the kernel has, and which of them a test lets run out of memory.
 *
 * What a test is about it says with CALL_TEST(), as bits of one kind; what the
 * kernel knows of a kind it is asked. A flag that is neither older than these
 * tests nor in one of them makes the test "complete" fail: whoever adds it adds
 * what lets its allocations fail, too.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef __SELFTEST_MOUNT_FAULT_CALLS_H
#define __SELFTEST_MOUNT_FAULT_CALLS_H

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "../mount_api.h"
#include "../../kselftest.h"

enum call_kind {
	CALL_SETGROUP,		/* the bit that the flags are the number of */
	CALL_OPEN_TREE,		/* flags */
	CALL_MOVE_MOUNT,	/* flags */
	CALL_LISTMOUNT,		/* flags */
	CALL_STATMOUNT,		/* what is asked for */
	CALL_LOCKS,		/* mount_setattr(), lock_set */
	CALL_PROPAGATION,	/* mount_setattr(), propagation of foreign mounts */
	CALL_NS_IOCTL,		/* the bit of its number */
	CALL_NS_MNT_OPEN,	/* special mounts, counted from the last ID */
	CALL_OTHER,		/* enum other_call */
	NR_CALL_KINDS,
};

/* What is changed without a flag that would tell. */
enum other_call {
	OTHER_NS_MNT_OPEN_ID,		/* of an ID that is not special */
	OTHER_MOUNT_UNLINKED,		/* mount() of an unlinked root */
	OTHER_MOVE_MOUNT_UNLINKED,	/* move_mount() of one */
	OTHER_MOVE_MOUNT_LOCKED,	/* to a less privileged owner */
	OTHER_OPEN_TREE_ATTR,		/* locks on a clone */
	OTHER_STATMOUNT_DETACHED,
	OTHER_READ_MOUNTINFO,
	NR_OTHER_CALLS,
};

#define BIT_OF(nr)	(1ULL << (nr))

struct tested_calls {
	enum call_kind kind;
	__u64 bits;
	struct tested_calls *next;
};

static struct tested_calls *tested_calls;

/* A test of the calls of @kind in @bits. */
#define CALL_TEST(test, seconds, the_kind, the_bits)				\
	static void __attribute__((constructor)) list_##test(void)		\
	{									\
		static struct tested_calls calls = {				\
			.kind = the_kind,					\
			.bits = the_bits,					\
		};								\
										\
		calls.next = tested_calls;					\
		tested_calls = &calls;						\
	}									\
	TEST_F_TIMEOUT(mount_fault, test, seconds)

static inline __u64 tested_bits(enum call_kind kind)
{
	__u64 bits = 0;

	for (struct tested_calls *t = tested_calls; t; t = t->next)
		if (t->kind == kind)
			bits |= t->bits;
	return bits;
}

/*
 * Unknown flags are refused before anything else is looked at, descriptors and
 * addresses that are none later, with another error. Some flags are known with
 * another one alone.
 */
static inline __u64 known_flags(int (*call)(unsigned int flags))
{
	__u64 known = 0;

	for (int i = 0; i < 32; i++)
		for (int j = 0; j <= i; j++)
			if (call(BIT_OF(i) | BIT_OF(j)) != -EINVAL)
				known |= BIT_OF(i) | BIT_OF(j);
	return known;
}

static inline int open_tree_nothing(unsigned int flags)
{
	return k_ret(sys_open_tree(-1, "x", flags));
}

static inline int move_nothing(unsigned int flags)
{
	return k_ret(sys_move_mount(-1, "x", -1, "x", flags));
}

static inline int list_nothing(unsigned int flags)
{
	return k_ret(syscall(__NR_listmount, NULL, NULL, 0, flags));
}

/* With a target where one is wanted, which there is not. */
static inline int setgroup_nothing(unsigned int flags)
{
	return k_setgroup(flags, NULL, 1, flags == MOUNT_SETGROUP_SHARED ? 0 : -1);
}

static inline __u64 known_setgroup(int ns)
{
	__u64 known = 0;

	for (unsigned int flags = 0; flags < 64; flags++)
		if (setgroup_nothing(flags) != -EINVAL)
			known |= BIT_OF(flags);
	/* no bit to say it with: seen as one that nothing is */
	if (known_flags(setgroup_nothing) >> 6)
		known |= BIT_OF(0);
	return known;
}

static inline __u64 known_open_tree(int ns)
{
	return known_flags(open_tree_nothing);
}

static inline __u64 known_move_mount(int ns)
{
	return known_flags(move_nothing);
}

static inline __u64 known_listmount(int ns)
{
	return known_flags(list_nothing);
}

static inline __u64 known_statmount(int ns)
{
	struct statmount sm;
	int fd = k_open("/", O_PATH);
	int err = k_statmount_fd(fd, STATMOUNT_SUPPORTED_MASK, &sm, sizeof(sm));

	close(fd);
	return err ? 0 : sm.supported_mask;
}

static inline __u64 known_setattr(bool locks)
{
	__u64 known = 0;

	for (int i = 0; i < 64; i++) {
		struct mount_attr_locks attr = {
			.lock_set	= locks ? BIT_OF(i) : 0,
			.propagation	= locks ? 0 : BIT_OF(i),
		};

		if (k_mount_setattr(-1, "x", 0, &attr, sizeof(attr)) != -EINVAL)
			known |= BIT_OF(i);
	}
	return known;
}

static inline __u64 known_locks(int ns)
{
	return known_setattr(true);
}

static inline __u64 known_propagation(int ns)
{
	return known_setattr(false);
}

/* Of any size, as those that may grow have one that nobody knows yet. */
static inline __u64 known_ns_ioctl(int ns)
{
	static const unsigned int sizes[] = { 0, 4, 8, 16, 24, 32, 48, 64, 96, 128 };
	__u64 known = 0;

	for (int nr = 0; nr < 64; nr++)
		for (unsigned int dir = 0; dir < 4; dir++)
			for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
				int ret = k_ret(ioctl(ns, _IOC(dir, 0xb7, nr, sizes[i]),
						      NULL));

				if (ret != -ENOTTY)
					known |= BIT_OF(nr);
				/* some open another namespace, one says its type */
				if (ret > 2 && ret < 1024)
					close(ret);
			}
	return known;
}

static inline __u64 known_ns_mnt_open(int ns)
{
	__u64 known = 0;

	for (int i = 0; i < 64; i++) {
		int ret = k_ns_mnt_open(ns, -1ULL - i);

		if (ret != -ENOENT)
			known |= BIT_OF(i);
		if (ret >= 0)
			close(ret);
	}
	return known;
}

static inline __u64 known_other(int ns)
{
	return BIT_OF(NR_OTHER_CALLS) - 1;
}

/*
 * What the kernel knows and what was there before; of these, the calls that
 * allocate otherwise now have tests, too.
 */
static const struct call_list {
	const char *name;
	__u64 (*known)(int ns);
	__u64 older;
} call_lists[NR_CALL_KINDS] = {
	[CALL_SETGROUP]		= { "mount_setgroup(), flags", known_setgroup },
	[CALL_OPEN_TREE]	= { "open_tree(), flags", known_open_tree,
		OPEN_TREE_CLONE | OPEN_TREE_NAMESPACE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH |
		AT_NO_AUTOMOUNT | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW },
	[CALL_MOVE_MOUNT]	= { "move_mount(), flags", known_move_mount,
		0x77 | MOVE_MOUNT_SET_GROUP | MOVE_MOUNT_BENEATH },
	[CALL_LISTMOUNT]	= { "listmount(), flags", known_listmount, LISTMOUNT_REVERSE },
	[CALL_STATMOUNT]	= { "statmount(), mask", known_statmount, 0x7fff },
	[CALL_LOCKS]		= { "mount_setattr(), lock_set", known_locks },
	[CALL_PROPAGATION]	= { "mount_setattr(), propagation", known_propagation },
	[CALL_NS_IOCTL]		= { "ioctls of namespaces", known_ns_ioctl, 0x3ffe },
	[CALL_NS_MNT_OPEN]	= { "NS_MNT_OPEN, special mounts", known_ns_mnt_open },
	[CALL_OTHER]		= { "others", known_other },
};

#endif /* __SELFTEST_MOUNT_FAULT_CALLS_H */
