/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The system calls, flags and structures of the mount API that neither the headers
 * of the C library nor those of other tests have. Every wrapper returns -errno on
 * failure.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef __SELFTEST_MOUNT_API_H
#define __SELFTEST_MOUNT_API_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <linux/types.h>
#include <linux/ioctl.h>
#include <linux/mount.h>
#include <linux/stat.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include "wrappers.h"
#include "statmount/statmount.h"

#ifndef __NR_mount_setgroup
#if defined(__alpha__) || defined(__mips__)
#error "numbers of its own: use the headers of the kernel under test"
#else
#define __NR_mount_setgroup	474
#endif
#endif

#ifndef UNSHARE_EMPTY_MNTNS
#define UNSHARE_EMPTY_MNTNS	0x00100000
#endif

#ifndef OPEN_TREE_NAMESPACE
#define OPEN_TREE_NAMESPACE	0x2
#endif
#ifndef OPEN_TREE_FOREIGN
#define OPEN_TREE_FOREIGN	0x10
#endif

#ifndef MOVE_MOUNT_SET_GROUP
#define MOVE_MOUNT_SET_GROUP	0x00000100
#endif
#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH	0x00000200
#endif
#ifndef MOVE_MOUNT_T_FOREIGN
#define MOVE_MOUNT_T_FOREIGN	0x00000400
#endif
#ifndef MOVE_MOUNT_UNLOCKED
#define MOVE_MOUNT_UNLOCKED	0x00000800
#endif

#ifndef NS_MNT_OPEN
struct ns_mnt_open {
	__u64 mnt_id;
	__u32 flags;
	__u32 spare;
};

#define NS_MNT_OPEN_SIZE_VER0	16
#define NS_MNT_OPEN		_IOW(0xb7, 14, struct ns_mnt_open)
#define NS_MNT_OPEN_ROOT	0xfffffffffffffffdULL
#define NS_MNT_OPEN_NS_ROOT	0xfffffffffffffffeULL
#endif

#ifndef NS_GET_MNTNS_ID
#define NS_GET_MNTNS_ID		_IOR(0xb7, 0x5, __u64)
#endif

#ifndef MOUNT_GROUP_ARGS_SIZE_VER0
struct mount_group_args {
	__aligned_u64 mnt_fds;
	__u32 nr_fds;
	__s32 target_fd;
};

#define MOUNT_GROUP_ARGS_SIZE_VER0	16
#define MOUNT_SETGROUP_SHARED		0x00000001
#define MOUNT_SETGROUP_PEER		0x00000002
#define MOUNT_SETGROUP_MASTER		0x00000004
#define MOUNT_SETGROUP_SIBLING		0x00000008
#endif

/* The first field after mnt_gidmap; older headers still call it spare. */
#ifdef STATMOUNT_MNT_LOCKS
#define statmount_locks(sm)	((sm)->mnt_locks)
#else
#define STATMOUNT_MNT_LOCKS	0x00008000U
#define statmount_locks(sm)	((sm)->__spare2[0])
#endif

/* What comes after that. */
#ifdef STATMOUNT_SB_NS
#define statmount_sb_user_ns_id(sm)	((sm)->sb_user_ns_id)
#define statmount_sb_ns_id(sm)		((sm)->sb_ns_id)
#define statmount_sb_ns_type(sm)	((sm)->sb_ns_type)
#else
#define STATMOUNT_SB_USER_NS		0x00010000U
#define STATMOUNT_SB_NS			0x00020000U
#define statmount_sb_user_ns_id(sm)	((sm)->__spare2[1])
#define statmount_sb_ns_id(sm)		((sm)->__spare2[2])
#define statmount_sb_ns_type(sm)	(*(__u32 *)&(sm)->__spare2[3])
#endif

#ifndef LISTMOUNT_BY_FD
#define LISTMOUNT_BY_FD		0x00000002U
#endif

#ifndef MOUNT_LOCK_MOUNT
#define MOUNT_LOCK_MOUNT	0x01
#define MOUNT_LOCK_RDONLY	0x02
#define MOUNT_LOCK_NODEV	0x04
#define MOUNT_LOCK_NOSUID	0x08
#define MOUNT_LOCK_NOEXEC	0x10
#define MOUNT_LOCK_ATIME	0x20
#endif

#ifndef MOUNT_ATTR_SIZE_VER1
#define MOUNT_ATTR_SIZE_VER1	40
#endif

/* struct mount_attr with lock_set, whatever the headers have. */
struct mount_attr_locks {
	__u64 attr_set;
	__u64 attr_clr;
	__u64 propagation;
	__u64 userns_fd;
	__u64 lock_set;
};

static inline int k_ret(long ret)
{
	return ret < 0 ? -errno : (int)ret;
}

static inline int k_open(const char *path, int flags)
{
	return k_ret(open(path, flags | O_CLOEXEC));
}

static inline int k_openat(int dfd, const char *path, int flags)
{
	return k_ret(openat(dfd, path, flags | O_CLOEXEC));
}

static inline int k_mount(const char *src, const char *dst, const char *type,
			  unsigned long flags)
{
	return k_ret(sys_mount(src, dst, type, flags, NULL));
}

static inline int k_umount(const char *path, int flags)
{
	return k_ret(umount2(path, flags));
}

static inline int k_open_tree(int dfd, const char *path, unsigned int flags)
{
	return k_ret(sys_open_tree(dfd, path, flags | O_CLOEXEC));
}

static inline int k_open_tree_attr(int dfd, const char *path,
				   unsigned int flags, const void *attr,
				   size_t size)
{
	return k_ret(syscall(__NR_open_tree_attr, dfd, path, flags | O_CLOEXEC,
			     attr, size));
}

static inline int k_mount_setattr(int dfd, const char *path,
				  unsigned int flags, const void *attr,
				  size_t size)
{
	return k_ret(syscall(__NR_mount_setattr, dfd, path, flags, attr, size));
}

/* The last that the series about foreign mounts and sharing groups have added. */
static inline int lock_set_supported(void)
{
	struct mount_attr_locks attr = { .lock_set = MOUNT_LOCK_MOUNT };

	return k_mount_setattr(-1, "", AT_EMPTY_PATH, &attr, sizeof(attr)) != -E2BIG;
}

static inline int k_move_mount(int from_fd, const char *from, int to_fd,
			       const char *to, unsigned int flags)
{
	if (!*from)
		flags |= MOVE_MOUNT_F_EMPTY_PATH;
	if (!*to)
		flags |= MOVE_MOUNT_T_EMPTY_PATH;
	return k_ret(sys_move_mount(from_fd, from, to_fd, to, flags));
}

static inline int k_mount_setgroup(const void *args, size_t size,
				   unsigned int flags)
{
	return k_ret(syscall(__NR_mount_setgroup, args, size, flags));
}

static inline int k_setgroup(unsigned int flags, const int *fds,
			     unsigned int nr, int target_fd)
{
	struct mount_group_args args = {
		.mnt_fds	= (uintptr_t)fds,
		.nr_fds		= nr,
		.target_fd	= target_fd,
	};

	return k_mount_setgroup(&args, sizeof(args), flags);
}

static inline int k_ns_mnt_open(int nsfd, __u64 mnt_id)
{
	struct ns_mnt_open arg = { .mnt_id = mnt_id };

	return k_ret(ioctl(nsfd, NS_MNT_OPEN, &arg));
}

static inline int k_listmount(__u64 mnt_id, __u64 last, __u64 *ids, size_t nr)
{
	return k_ret(listmount(mnt_id, 0, last, (uint64_t *)ids, nr, 0));
}

static inline int k_statmount(__u64 mnt_id, __u64 ns_id, __u64 mask,
			      struct statmount *sm, size_t size)
{
	memset(sm, 0, sizeof(*sm));
	return k_ret(statmount(mnt_id, ns_id, 0, mask, sm, size, 0));
}

static inline int k_statmount_fd(int fd, __u64 mask, struct statmount *sm,
				 size_t size)
{
	memset(sm, 0, sizeof(*sm));
	return k_ret(statmount(0, 0, fd, mask, sm, size, STATMOUNT_BY_FD));
}

#endif /* __SELFTEST_MOUNT_API_H */
