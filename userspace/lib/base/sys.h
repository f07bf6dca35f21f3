/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * System call numbers, structures and flags newer than the C library's
 * headers, and one thin wrapper each.  Nothing else in userspace/ names a
 * system call by number.  Wrappers return what syscall() returns: -1 + errno.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_SYS_H
#define MC_SYS_H

#ifndef _GNU_SOURCE
#error "compile with -D_GNU_SOURCE"
#endif

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- numbers: one table for every architecture except alpha ------------- */

#ifndef __NR_open_tree
#define __NR_open_tree			428
#define __NR_move_mount			429
#define __NR_fsopen			430
#define __NR_fsconfig			431
#define __NR_fsmount			432
#define __NR_fspick			433
#endif
#ifndef __NR_pidfd_open
#define __NR_pidfd_open			434
#endif
#ifndef __NR_clone3
#define __NR_clone3			435
#endif
#ifndef __NR_close_range
#define __NR_close_range		436
#endif
#ifndef __NR_openat2
#define __NR_openat2			437
#endif
#ifndef __NR_mount_setattr
#define __NR_mount_setattr		442
#endif
#ifndef __NR_statmount
#define __NR_statmount			457
#endif
#ifndef __NR_listmount
#define __NR_listmount			458
#endif
#ifndef __NR_setxattrat
#define __NR_setxattrat			463
#endif
#ifndef __NR_open_tree_attr
#define __NR_open_tree_attr		467
#endif
#ifndef __NR_listns
#define __NR_listns			470
#endif
#ifndef __NR_mount_setgroup
#define __NR_mount_setgroup		474
#endif

/* --- open_tree(2) -------------------------------------------------------- */

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE			(1 << 0)
#endif
#ifndef OPEN_TREE_CLOEXEC
#define OPEN_TREE_CLOEXEC		O_CLOEXEC
#endif
#ifndef OPEN_TREE_NAMESPACE
#define OPEN_TREE_NAMESPACE		(1 << 1)
#endif
#ifndef OPEN_TREE_FOREIGN
#define OPEN_TREE_FOREIGN		(1 << 4)
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE			0x8000
#endif
#ifndef AT_STATX_DONT_SYNC
#define AT_STATX_DONT_SYNC		0x4000
#endif

/* --- move_mount(2) ------------------------------------------------------- */

#ifndef MOVE_MOUNT_F_EMPTY_PATH
#define MOVE_MOUNT_F_EMPTY_PATH		0x00000004
#endif
#ifndef MOVE_MOUNT_T_EMPTY_PATH
#define MOVE_MOUNT_T_EMPTY_PATH		0x00000040
#endif
#ifndef MOVE_MOUNT_SET_GROUP
#define MOVE_MOUNT_SET_GROUP		0x00000100
#endif
#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH		0x00000200
#endif
#ifndef MOVE_MOUNT_T_FOREIGN
#define MOVE_MOUNT_T_FOREIGN		0x00000400
#endif
#ifndef MOVE_MOUNT_UNLOCKED
#define MOVE_MOUNT_UNLOCKED		0x00000800
#endif

/* --- fsopen(2), fsconfig(2), fsmount(2) ---------------------------------- */

#define MC_FSOPEN_CLOEXEC		0x00000001
#define MC_FSMOUNT_CLOEXEC		0x00000001
#define MC_FSCONFIG_SET_FLAG		0
#define MC_FSCONFIG_SET_STRING		1
#define MC_FSCONFIG_SET_BINARY		2
#define MC_FSCONFIG_SET_PATH		3
#define MC_FSCONFIG_SET_PATH_EMPTY	4
#define MC_FSCONFIG_SET_FD		5
#define MC_FSCONFIG_CMD_CREATE		6
#define MC_FSCONFIG_CMD_RECONFIGURE	7
#define MC_FSCONFIG_CMD_CREATE_EXCL	8

/* --- mount attributes ---------------------------------------------------- */

#ifndef MOUNT_ATTR_RDONLY
#define MOUNT_ATTR_RDONLY		0x00000001
#endif
#ifndef MOUNT_ATTR_NOSUID
#define MOUNT_ATTR_NOSUID		0x00000002
#endif
#ifndef MOUNT_ATTR_NODEV
#define MOUNT_ATTR_NODEV		0x00000004
#endif
#ifndef MOUNT_ATTR_NOEXEC
#define MOUNT_ATTR_NOEXEC		0x00000008
#endif
#ifndef MOUNT_ATTR__ATIME
#define MOUNT_ATTR__ATIME		0x00000070
#endif
#ifndef MOUNT_ATTR_RELATIME
#define MOUNT_ATTR_RELATIME		0x00000000
#endif
#ifndef MOUNT_ATTR_NOATIME
#define MOUNT_ATTR_NOATIME		0x00000010
#endif
#ifndef MOUNT_ATTR_STRICTATIME
#define MOUNT_ATTR_STRICTATIME		0x00000020
#endif
#ifndef MOUNT_ATTR_NODIRATIME
#define MOUNT_ATTR_NODIRATIME		0x00000080
#endif
#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP		0x00100000
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW		0x00200000
#endif

/* Version 1 of struct mount_attr; pass VER0 unless lock_set is not 0. */
struct mc_mount_attr {
	uint64_t attr_set;
	uint64_t attr_clr;
	uint64_t propagation;
	uint64_t userns_fd;
	uint64_t lock_set;
};
#define MC_MOUNT_ATTR_SIZE_VER0		32
#define MC_MOUNT_ATTR_SIZE_VER1		40

#ifndef MOUNT_LOCK_MOUNT
#define MOUNT_LOCK_MOUNT		0x01
#define MOUNT_LOCK_RDONLY		0x02
#define MOUNT_LOCK_NODEV		0x04
#define MOUNT_LOCK_NOSUID		0x08
#define MOUNT_LOCK_NOEXEC		0x10
#define MOUNT_LOCK_ATIME		0x20
#endif
#define MC_MOUNT_LOCK_ALL		0x3f

/* --- mount_setgroup(2) --------------------------------------------------- */

struct mc_mount_group_args {
	uint64_t mnt_fds;	/* const int32_t * */
	uint32_t nr_fds;
	int32_t target_fd;	/* PEER, MASTER, SIBLING: the mount meant; else 0 */
};
#define MC_MOUNT_GROUP_ARGS_SIZE_VER0	16

#ifndef MOUNT_SETGROUP_SHARED
#define MOUNT_SETGROUP_SHARED		0x00000001
#define MOUNT_SETGROUP_PEER		0x00000002
#define MOUNT_SETGROUP_MASTER		0x00000004
#define MOUNT_SETGROUP_SIBLING		0x00000008
#endif

/* --- statmount(2), listmount(2) ------------------------------------------ */

struct mc_statmount {
	uint32_t size;
	uint32_t mnt_opts;
	uint64_t mask;
	uint32_t sb_dev_major;
	uint32_t sb_dev_minor;
	uint64_t sb_magic;
	uint32_t sb_flags;
	uint32_t fs_type;
	uint64_t mnt_id;
	uint64_t mnt_parent_id;
	uint32_t mnt_id_old;
	uint32_t mnt_parent_id_old;
	uint64_t mnt_attr;
	uint64_t mnt_propagation;
	uint64_t mnt_peer_group;
	uint64_t mnt_master;
	uint64_t propagate_from;
	uint32_t mnt_root;
	uint32_t mnt_point;
	uint64_t mnt_ns_id;
	uint32_t fs_subtype;
	uint32_t sb_source;
	uint32_t opt_num;
	uint32_t opt_array;
	uint32_t opt_sec_num;
	uint32_t opt_sec_array;
	uint64_t supported_mask;
	uint32_t mnt_uidmap_num;
	uint32_t mnt_uidmap;
	uint32_t mnt_gidmap_num;
	uint32_t mnt_gidmap;
	uint64_t mnt_locks;
	uint64_t sb_user_ns_id;
	uint64_t sb_ns_id;
	uint32_t sb_ns_type;
	uint32_t spare3;
	uint64_t spare2[39];
	char str[];
};
_Static_assert(sizeof(struct mc_statmount) == 512, "struct statmount");

struct mc_mnt_id_req {
	uint32_t size;
	uint32_t mnt_ns_fd;	/* mnt_fd with STATMOUNT_BY_FD, LISTMOUNT_BY_FD */
	uint64_t mnt_id;
	uint64_t param;
	uint64_t mnt_ns_id;
};
#define MC_MNT_ID_REQ_SIZE_VER0		24
#define MC_MNT_ID_REQ_SIZE_VER1		32

#define MC_STATMOUNT_SB_BASIC		0x00000001U
#define MC_STATMOUNT_MNT_BASIC		0x00000002U
#define MC_STATMOUNT_PROPAGATE_FROM	0x00000004U
#define MC_STATMOUNT_MNT_ROOT		0x00000008U
#define MC_STATMOUNT_MNT_POINT		0x00000010U
#define MC_STATMOUNT_FS_TYPE		0x00000020U
#define MC_STATMOUNT_MNT_NS_ID		0x00000040U
#define MC_STATMOUNT_MNT_OPTS		0x00000080U
#define MC_STATMOUNT_FS_SUBTYPE		0x00000100U
#define MC_STATMOUNT_SB_SOURCE		0x00000200U
#define MC_STATMOUNT_OPT_ARRAY		0x00000400U
#define MC_STATMOUNT_OPT_SEC_ARRAY	0x00000800U
#define MC_STATMOUNT_SUPPORTED_MASK	0x00001000U
#define MC_STATMOUNT_MNT_UIDMAP		0x00002000U
#define MC_STATMOUNT_MNT_GIDMAP		0x00004000U
#define MC_STATMOUNT_MNT_LOCKS		0x00008000U
#define MC_STATMOUNT_SB_USER_NS		0x00010000U
#define MC_STATMOUNT_SB_NS		0x00020000U

#define MC_STATMOUNT_BY_FD		0x00000001U
#define MC_LSMT_ROOT			0xffffffffffffffffULL
#define MC_LISTMOUNT_REVERSE		(1 << 0)
#define MC_LISTMOUNT_BY_FD		(1 << 1)	/* req.mnt_ns_fd: of a mount of the tree */

/* --- nsfs ---------------------------------------------------------------- */

struct mc_mnt_ns_info {
	uint32_t size;
	uint32_t nr_mounts;
	uint64_t mnt_ns_id;
};
#define MC_NS_GET_USERNS		_IO(0xb7, 0x1)
#define MC_NS_GET_PARENT		_IO(0xb7, 0x2)
#define MC_NS_GET_NSTYPE		_IO(0xb7, 0x3)
#define MC_NS_GET_OWNER_UID		_IO(0xb7, 0x4)
#define MC_USERNS_INIT_INO		0xeffffffdU	/* of the initial one */
/* FS_IOC_GETFSUUID, since 6.9. */
struct mc_fsuuid {
	uint8_t len;
	uint8_t uuid[16];
};
#define MC_FS_IOC_GETFSUUID		_IOR(0x15, 0, struct mc_fsuuid)

#define MC_NS_GET_MNTNS_ID		_IOR(0xb7, 5, uint64_t)
#define MC_NS_MNT_GET_INFO		_IOR(0xb7, 10, struct mc_mnt_ns_info)
#define MC_NS_GET_ID			_IOR(0xb7, 13, uint64_t)

/* A file handle, that id says all of; to open below MC_FD_NSFS_ROOT. */
struct mc_nsfs_handle {
	uint64_t ns_id;
	uint32_t ns_type, ns_inum;
};
#define MC_FILEID_NSFS			0xf1
#define MC_FD_NSFS_ROOT			(-10003)

struct mc_ns_mnt_open {
	uint64_t mnt_id;
	uint32_t flags;
	uint32_t spare;
};
#define MC_NS_MNT_OPEN			_IOW(0xb7, 14, struct mc_ns_mnt_open)
/* The same of a larger structure, to see whether sizes are understood. */
#define MC_NS_MNT_OPEN_LARGER \
	_IOC(_IOC_WRITE, 0xb7, 14, sizeof(struct mc_ns_mnt_open) + 8)
#define MC_NS_MNT_OPEN_ROOT		0xfffffffffffffffdULL
#define MC_NS_MNT_OPEN_NS_ROOT		0xfffffffffffffffeULL

/* --- namespaces that start empty ----------------------------------------- */

#ifndef UNSHARE_EMPTY_MNTNS
#define UNSHARE_EMPTY_MNTNS		0x00100000
#endif
#ifndef CLONE_EMPTY_MNTNS
#define CLONE_EMPTY_MNTNS		(1ULL << 37)
#endif

/* --- openat2(2), statx(2) ------------------------------------------------ */

struct mc_open_how {
	uint64_t flags;
	uint64_t mode;
	uint64_t resolve;
};
#define MC_RESOLVE_NO_XDEV		0x01
#define MC_RESOLVE_NO_MAGICLINKS	0x02
#define MC_RESOLVE_NO_SYMLINKS		0x04
#define MC_RESOLVE_BENEATH		0x08
#define MC_RESOLVE_IN_ROOT		0x10
#define MC_RESOLVE_CACHED		0x20

/* --- clone3(2) ------------------------------------------------------------ */

/* As first published. */
struct mc_clone_args {
	uint64_t flags;
	uint64_t pidfd;
	uint64_t child_tid;
	uint64_t parent_tid;
	uint64_t exit_signal;
	uint64_t stack;
	uint64_t stack_size;
	uint64_t tls;
	uint64_t set_tid;
	uint64_t set_tid_size;
	uint64_t cgroup;
};

#define MC_CLONE_INTO_CGROUP		0x200000000ULL

#ifndef STATX_MNT_ID
#define STATX_MNT_ID			0x00001000U
#endif
#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE		0x00004000U
#endif
#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT		0x00002000
#endif

/* --- wrappers ------------------------------------------------------------ */

static inline int mc_open_tree(int dfd, const char *path, unsigned int flags)
{
	return (int)syscall(__NR_open_tree, dfd, path, flags);
}

static inline int mc_open_tree_attr(int dfd, const char *path,
				    unsigned int flags,
				    const struct mc_mount_attr *attr,
				    size_t size)
{
	return (int)syscall(__NR_open_tree_attr, dfd, path, flags, attr, size);
}

static inline int mc_move_mount(int from_dfd, const char *from,
				int to_dfd, const char *to, unsigned int flags)
{
	return (int)syscall(__NR_move_mount, from_dfd, from, to_dfd, to, flags);
}

static inline int mc_mount_setattr(int dfd, const char *path,
				   unsigned int flags,
				   const struct mc_mount_attr *attr,
				   size_t size)
{
	return (int)syscall(__NR_mount_setattr, dfd, path, flags, attr, size);
}

static inline int mc_mount_setgroup(const struct mc_mount_group_args *args,
				    size_t size, unsigned int flags)
{
	return (int)syscall(__NR_mount_setgroup, args, size, flags);
}

static inline int mc_statmount(const struct mc_mnt_id_req *req,
			       struct mc_statmount *buf, size_t size,
			       unsigned int flags)
{
	return (int)syscall(__NR_statmount, req, buf, size, flags);
}

static inline ssize_t mc_listmount(const struct mc_mnt_id_req *req,
				   uint64_t *ids, size_t nr, unsigned int flags)
{
	return syscall(__NR_listmount, req, ids, nr, flags);
}

static inline int mc_openat2(int dfd, const char *path,
			     const struct mc_open_how *how)
{
	return (int)syscall(__NR_openat2, dfd, path, how, sizeof(*how));
}

static inline int mc_fsopen(const char *type, unsigned int flags)
{
	return (int)syscall(__NR_fsopen, type, flags);
}

static inline int mc_fsconfig(int fd, unsigned int cmd, const char *key,
			      const void *value, int aux)
{
	return (int)syscall(__NR_fsconfig, fd, cmd, key, value, aux);
}

static inline int mc_fsmount(int fd, unsigned int flags, unsigned int attrs)
{
	return (int)syscall(__NR_fsmount, fd, flags, attrs);
}

struct mc_xattr_args {
	uint64_t value;
	uint32_t size, flags;
};

static inline int mc_setxattrat(int dfd, const char *path, unsigned int flags,
				const char *name, const struct mc_xattr_args *args)
{
	return (int)syscall(__NR_setxattrat, dfd, path, flags, name, args,
			    sizeof(*args));
}

static inline int mc_close_range(unsigned int first, unsigned int last,
				 unsigned int flags)
{
	return (int)syscall(__NR_close_range, first, last, flags);
}

/* Takes the raw value: glibc's unshare() has int flags as well. */
static inline int mc_unshare(unsigned long flags)
{
	return (int)syscall(__NR_unshare, flags);
}

/* fd of the mount with this unique id in the namespace of the nsfs fd. */
static inline int mc_ns_mnt_open(int nsfd, uint64_t mnt_id)
{
	struct mc_ns_mnt_open arg = { .mnt_id = mnt_id };

	return ioctl(nsfd, MC_NS_MNT_OPEN, &arg);
}

#endif /* MC_SYS_H */
