// SPDX-License-Identifier: GPL-2.0
/*
 * What the calls make of every size of their structures and of every bit that has
 * no meaning: one error for each, and nothing is looked at before that.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <limits.h>
#include <stdlib.h>

#include "../mount_members.h"
#include "../../kselftest_harness.h"

#define NSIO		0xb7
#define FOREIGN		(OPEN_TREE_CLONE | OPEN_TREE_FOREIGN | AT_EMPTY_PATH)
#define LOCKS		(MOUNT_LOCK_MOUNT | MOUNT_LOCK_RDONLY | MOUNT_LOCK_NODEV | \
			 MOUNT_LOCK_NOSUID | MOUNT_LOCK_NOEXEC | MOUNT_LOCK_ATIME)

FIXTURE(limits) {
	char base[64];
	size_t page;
	char *buf;		/* more than any call takes, all of it zero */
	int ns, fd, tree;	/* a namespace, a mount in it, a detached one */
};

FIXTURE_SETUP(limits)
{
	if (geteuid())
		SKIP(return, "test requires root");
	if (!setgroup_supported() || !lock_set_supported())
		SKIP(return, "mount_setgroup() or lock_set not supported");
	ASSERT_EQ(0, members_setup(self->base, sizeof(self->base)));
	self->page = sysconf(_SC_PAGESIZE);
	self->buf = calloc(1, self->page + (1 << 14));
	ASSERT_NE(NULL, self->buf);
	self->ns = k_open("/proc/self/ns/mnt", O_RDONLY);
	self->fd = member_of(&this_test, self->base, "", "0");
	self->tree = detached_tmpfs(&this_test, 0);
	ASSERT_TRUE(self->ns >= 0 && self->fd >= 0 && self->tree >= 0);
}

FIXTURE_TEARDOWN(limits)
{
	free(self->buf);
	members_teardown(self->base);
}

/* Each of these fails with an error of its own once the structure is understood. */
static int size_setgroup(struct _test_data_limits *self, void *arg, size_t size)
{
	return k_mount_setgroup(arg, size, MOUNT_SETGROUP_SHARED);
}

static int size_setattr(struct _test_data_limits *self, void *arg, size_t size)
{
	return k_mount_setattr(self->fd, "", AT_EMPTY_PATH, arg, size);
}

static int size_tree_attr(struct _test_data_limits *self, void *arg, size_t size)
{
	return k_open_tree_attr(self->fd, "", FOREIGN, arg, size);
}

static int size_mnt_open(struct _test_data_limits *self, void *arg, size_t size)
{
	return k_ret(ioctl(self->ns, _IOC(_IOC_WRITE, NSIO, 14, size), arg));
}

static int size_listmount(struct _test_data_limits *self, void *arg, size_t size)
{
	__u64 id;

	((struct mnt_id_req *)arg)->size = size;
	return k_ret(syscall(__NR_listmount, arg, &id, 1, LISTMOUNT_BY_FD));
}

static int size_statmount(struct _test_data_limits *self, void *arg, size_t size)
{
	struct statmount sm;

	((struct mnt_id_req *)arg)->size = size;
	return k_ret(syscall(__NR_statmount, arg, &sm, sizeof(sm), STATMOUNT_BY_FD));
}

union args {
	struct mount_group_args group;
	struct mount_attr_locks attr;
	struct mnt_id_req req;
	char space[64];
};

static const union args one_member = { .group.nr_fds = 1 };
static const union args no_userns = {
	.attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = INT_MAX },
};

static const union args no_fd = { .req.mnt_fd = -1 };

static const struct {
	const char *name;
	int (*call)(struct _test_data_limits *self, void *arg, size_t size);
	const void *arg;
	size_t first, last;	/* sizes of the structure: the first one, this one */
	size_t max;		/* 0: a page */
	int too_small;
	int understood;		/* what is wrong else */
	int last_set;		/* if what has been added last is set */
} sizes[] = {
	{ "mount_setgroup()", size_setgroup, &one_member, MOUNT_GROUP_ARGS_SIZE_VER0,
	  MOUNT_GROUP_ARGS_SIZE_VER0, 0, EINVAL, EFAULT },
	{ "mount_setattr()", size_setattr, &no_userns, MOUNT_ATTR_SIZE_VER0,
	  MOUNT_ATTR_SIZE_VER1, 0, EINVAL, EBADF, EINVAL },
	{ "open_tree_attr()", size_tree_attr, &no_userns, MOUNT_ATTR_SIZE_VER0,
	  MOUNT_ATTR_SIZE_VER1, 0, EINVAL, EBADF, EINVAL },
	{ "NS_MNT_OPEN", size_mnt_open, NULL, NS_MNT_OPEN_SIZE_VER0,
	  NS_MNT_OPEN_SIZE_VER0, (1 << 14) - 1, ENOTTY, ENOENT },
	{ "listmount()", size_listmount, &no_fd, MNT_ID_REQ_SIZE_VER0,
	  MNT_ID_REQ_SIZE_VER1, 0, EINVAL, EBADF, EINVAL },
	{ "statmount()", size_statmount, &no_fd, MNT_ID_REQ_SIZE_VER0,
	  MNT_ID_REQ_SIZE_VER1, 0, EINVAL, EBADF, EINVAL },
};

/* Every size, with nothing but zeros behind what is known, and the last byte set. */
TEST_F_TIMEOUT(limits, sizes, 120)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t max = sizes[i].max ?: self->page;
		int nr_wrong = 0;

		memset(self->buf, 0, self->page + 1);
		if (sizes[i].arg)
			memcpy(self->buf, sizes[i].arg, sizes[i].last);
		for (size_t size = 0; size <= max + 1 && nr_wrong < 5; size++) {
			int want = size < sizes[i].first ? sizes[i].too_small :
				   size > max ? E2BIG : sizes[i].understood;
			int ret;

			/* that one has no more bits */
			if (size > max && sizes[i].max)
				break;
			ret = sizes[i].call(self, self->buf, size);
			EXPECT_EQ(-want, ret) {
				TH_LOG("%s, %zu bytes", sizes[i].name, size);
				nr_wrong++;
			}
			if (size <= sizes[i].first || size > max)
				continue;
			want = size > sizes[i].last ? E2BIG : sizes[i].last_set;
			self->buf[size - 1] = 0x80;
			ret = sizes[i].call(self, self->buf, size);
			self->buf[size - 1] = 0;
			EXPECT_EQ(-want, ret) {
				TH_LOG("%s, the last of %zu bytes", sizes[i].name, size);
				nr_wrong++;
			}
		}
	}
}

/* The ioctl's number is all of it: other directions and types are not this one. */
TEST_F(limits, ioctl_number)
{
	struct ns_mnt_open arg = { .mnt_id = NS_MNT_OPEN_ROOT };
	int fd = k_ret(ioctl(self->ns, NS_MNT_OPEN, &arg));

	EXPECT_GE(fd, 0);
	close(fd);
	for (unsigned int dir = 0; dir < 4; dir++) {
		if (dir == _IOC_WRITE)
			continue;
		EXPECT_EQ(-ENOTTY, k_ret(ioctl(self->ns, _IOC(dir, NSIO, 14, sizeof(arg)),
					       &arg))) {
			TH_LOG("direction %u", dir);
		}
	}
	for (unsigned int bit = 0; bit < 8; bit++)
		EXPECT_EQ(-ENOTTY, k_ret(ioctl(self->ns, _IOC(_IOC_WRITE, NSIO ^ 1U << bit,
							      14, sizeof(arg)), &arg)));
}

/* A word of some call, of which @bits may be set, alone or along with others. */
static int bits_setgroup(struct _test_data_limits *self, __u64 base, __u64 bit)
{
	return k_setgroup(base | bit, &self->fd, 1,
			  base == MOUNT_SETGROUP_SHARED ? 0 : -1);
}

static int bits_target(struct _test_data_limits *self, __u64 base, __u64 bit)
{
	return k_setgroup(MOUNT_SETGROUP_SHARED, &self->fd, 1, bit);
}

static int bits_open_tree(struct _test_data_limits *self, __u64 base, __u64 bit)
{
	return k_open_tree(self->fd, "", base | bit);
}

static int bits_move_mount(struct _test_data_limits *self, __u64 base, __u64 bit)
{
	return k_move_mount(self->tree, "", AT_FDCWD, "1", base | bit);
}

static int bits_lock(struct _test_data_limits *self, __u64 base, __u64 bit)
{
	struct mount_attr_locks attr = { .lock_set = base | bit };

	return k_mount_setattr(self->fd, "", AT_EMPTY_PATH, &attr, sizeof(attr));
}

static int bits_mnt_open(struct _test_data_limits *self, __u64 base, __u64 bit)
{
	struct ns_mnt_open arg = {
		.mnt_id	= NS_MNT_OPEN_ROOT,
		.flags	= bit,
		.spare	= bit >> 32,
	};

	return k_ret(ioctl(self->ns, NS_MNT_OPEN, &arg));
}

static int list(int fd, struct mnt_id_req *req, unsigned int flags)
{
	__u64 id;

	req->size = MNT_ID_REQ_SIZE_VER1;
	req->mnt_fd = fd;
	return k_ret(syscall(__NR_listmount, req, &id, 1, flags));
}

static int bits_list(struct _test_data_limits *self, __u64 base, __u64 bit)
{
	return list(self->tree, &(struct mnt_id_req) {}, base | bit);
}

static int bits_list_id(struct _test_data_limits *self, __u64 base, __u64 bit)
{
	return list(self->tree, &(struct mnt_id_req) { .mnt_id = bit }, LISTMOUNT_BY_FD);
}

static int bits_list_ns_id(struct _test_data_limits *self, __u64 base, __u64 bit)
{
	return list(self->tree, &(struct mnt_id_req) { .mnt_ns_id = bit },
		    LISTMOUNT_BY_FD);
}

/* The last ID that has been listed: the first one there can be is 2^31 + 1. */
static int bits_list_last(struct _test_data_limits *self, __u64 base, __u64 bit)
{
	return list(self->tree, &(struct mnt_id_req) { .param = bit }, LISTMOUNT_BY_FD);
}

static const struct {
	const char *name;
	int (*call)(struct _test_data_limits *self, __u64 base, __u64 bit);
	int nr_bits;
	__u64 known;
	__u64 bases[6];		/* at least one */
} words[] = {
	{ "flags of mount_setgroup()", bits_setgroup, 32, 0xf, {
		MOUNT_SETGROUP_SHARED, MOUNT_SETGROUP_PEER, MOUNT_SETGROUP_MASTER,
		MOUNT_SETGROUP_SIBLING, MOUNT_SETGROUP_SHARED | MOUNT_SETGROUP_MASTER,
		MOUNT_SETGROUP_SHARED | MOUNT_SETGROUP_SIBLING } },
	{ "target_fd of mount_setgroup()", bits_target, 32, 0 },
	{ "flags of open_tree()", bits_open_tree, 32, FOREIGN | AT_RECURSIVE |
		AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | O_CLOEXEC,
		{ FOREIGN, FOREIGN | AT_RECURSIVE } },
	{ "flags of move_mount()", bits_move_mount, 32, 0x77 | MOVE_MOUNT_BENEATH |
		MOVE_MOUNT_T_FOREIGN | MOVE_MOUNT_UNLOCKED,
		{ MOVE_MOUNT_T_FOREIGN, MOVE_MOUNT_T_FOREIGN | MOVE_MOUNT_UNLOCKED } },
	{ "lock_set", bits_lock, 64, LOCKS, { 0, MOUNT_LOCK_MOUNT } },
	{ "flags and spare of NS_MNT_OPEN", bits_mnt_open, 64, 0 },
	{ "flags of listmount()", bits_list, 32, LISTMOUNT_REVERSE | LISTMOUNT_BY_FD,
		{ LISTMOUNT_BY_FD, LISTMOUNT_BY_FD | LISTMOUNT_REVERSE } },
	{ "mnt_id of listmount()", bits_list_id, 64, 0 },
	{ "mnt_ns_id of listmount()", bits_list_ns_id, 64, 0 },
	{ "last ID of listmount()", bits_list_last, 32, 0 },
};

TEST_F(limits, bits)
{
	struct mnt mnt;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		for (size_t base = 0; base < ARRAY_SIZE(words[i].bases); base++) {
			if (base && !words[i].bases[base])
				break;
			for (int bit = 0; bit < words[i].nr_bits; bit++) {
				if (words[i].known & 1ULL << bit)
					continue;
				EXPECT_EQ(-EINVAL, words[i].call(self, words[i].bases[base],
								 1ULL << bit)) {
					TH_LOG("%s: %llx and bit %d", words[i].name,
					       words[i].bases[base], bit);
				}
			}
		}
	}
	/* so nothing has changed, and without these bits it does */
	ASSERT_EQ(0, mnt_of(self->fd, &mnt));
	EXPECT_EQ(MS_PRIVATE, mnt.propagation);
	EXPECT_EQ(0, mnt.locks);
	EXPECT_EQ(0, is_mounted_at(&this_test, "1"));
	EXPECT_EQ(0, bits_list(self, LISTMOUNT_BY_FD, 0));
	EXPECT_EQ(0, bits_list_last(self, 0, 1ULL << 32));
	EXPECT_EQ(0, bits_lock(self, MOUNT_LOCK_ATIME, 0));
	EXPECT_EQ(0, bits_setgroup(self, MOUNT_SETGROUP_SHARED, 0));
	EXPECT_EQ(0, bits_move_mount(self, MOVE_MOUNT_T_FOREIGN, MOVE_MOUNT_UNLOCKED));
}

/* A buffer may be smaller than what is told, or larger. */
TEST_F(limits, statmount_buffer)
{
	const __u64 mask = STATMOUNT_MNT_BASIC | STATMOUNT_MNT_LOCKS |
			   STATMOUNT_SB_USER_NS | STATMOUNT_SB_NS;
	union {
		struct statmount sm;
		unsigned char byte[sizeof(struct statmount) + 16];
	} all = {}, part;

	ASSERT_EQ(0, bits_lock(self, MOUNT_LOCK_ATIME, 0));
	ASSERT_EQ(0, k_statmount_fd(self->fd, mask, &all.sm, sizeof(all)));
	ASSERT_EQ(MOUNT_LOCK_ATIME, statmount_locks(&all.sm));
	ASSERT_EQ(sizeof(struct statmount), all.sm.size);
	for (size_t size = 0; size <= sizeof(all); size++) {
		size_t told = size < sizeof(struct statmount) ? size :
			      sizeof(struct statmount);
		struct mnt_id_req req = {
			.size	= MNT_ID_REQ_SIZE_VER1,
			.mnt_fd	= self->fd,
			.param	= mask,
		};
		unsigned char want[sizeof(part)];

		memset(&part, 0xa5, sizeof(part));
		memset(want, 0xa5, sizeof(want));
		all.sm.size = told;
		memcpy(want, &all, told);
		ASSERT_EQ(0, k_ret(syscall(__NR_statmount, &req, &part, size,
					   STATMOUNT_BY_FD)));
		EXPECT_EQ(0, memcmp(want, &part, sizeof(want))) {
			TH_LOG("%zu bytes", size);
		}
	}
}

/* A bit that this kernel knows nothing of is no error, and is not in the answer. */
TEST_F(limits, statmount_mask)
{
	const __u64 added = STATMOUNT_MNT_LOCKS | STATMOUNT_SB_USER_NS | STATMOUNT_SB_NS;
	struct statmount sm;
	__u64 known;

	ASSERT_EQ(0, k_statmount_fd(self->fd, STATMOUNT_SUPPORTED_MASK, &sm, sizeof(sm)));
	known = sm.supported_mask;
	EXPECT_EQ(added, known & added);
	for (int bit = 0; bit < 64; bit++) {
		if (known & 1ULL << bit)
			continue;
		ASSERT_EQ(0, k_statmount_fd(self->fd, 1ULL << bit | STATMOUNT_MNT_BASIC,
					    &sm, sizeof(sm)));
		EXPECT_EQ(STATMOUNT_MNT_BASIC, sm.mask) {
			TH_LOG("bit %d", bit);
		}
	}
}

TEST_HARNESS_MAIN
