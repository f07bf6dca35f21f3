// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What this kernel supports.  Each probe is a call that cannot succeed, or two: a
 * kernel that knows the interface rejects an argument, one that does not
 * rejects the call.  The table is in mntcr-features(1).
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "base/base.h"

static enum mntcr_feature_state by_errno(int err, int unknown_call)
{
	if (err == unknown_call)
		return MNTCR_FEATURE_NO;
	/* A filter, or no privilege: the call was not looked at. */
	if (err == EPERM || err == EACCES)
		return MNTCR_FEATURE_UNKNOWN;
	return MNTCR_FEATURE_YES;
}

/* A call that another kernel has made something of leaves the errno of another one. */
static int errno_of(long ret)
{
	return ret < 0 ? errno : 0;
}

/*
 * The number of an interface that is not upstream's may be that of another one
 * some day.  So there are two calls, and no other kernel has both of the errors.
 * @err: that of the first, or of the second if that one tells.
 */
static enum mntcr_feature_state by_both(int first, int want_first, int second,
					int want_second, int *err)
{
	*err = first == want_first ? second : first;
	if (first == want_first && second == want_second) {
		*err = first;
		return MNTCR_FEATURE_YES;
	}
	switch (*err) {
	case 0:
	case EINVAL:
	case ENOSYS:
	case ENOTTY:
	case E2BIG:
	case EBADF:
	case EFAULT:
	case ENOENT:
	case EOPNOTSUPP:
		return MNTCR_FEATURE_NO;
	default:
		/* A filter, or no privilege, or no answer. */
		return MNTCR_FEATURE_UNKNOWN;
	}
}

static int own_mount(struct mc_statmount *sm)
{
	struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER0,
		.mnt_id = MC_LSMT_ROOT,
	};
	struct statx stx;
	uint64_t id;

	if (mc_listmount(&req, &id, 1, 0) < 0 ||
	    statx(AT_FDCWD, "/", AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
		  STATX_MNT_ID_UNIQUE, &stx))
		return -1;
	req.mnt_id = stx.stx_mnt_id;
	req.param = MC_STATMOUNT_SUPPORTED_MASK;
	return mc_statmount(&req, sm, sizeof(*sm), 0);
}

static enum mntcr_feature_state statmount_has(uint64_t bits, int *err)
{
	struct mc_statmount sm = { 0 };

	if (own_mount(&sm)) {
		*err = errno;
		return errno == ENOSYS ? MNTCR_FEATURE_NO :
		       MNTCR_FEATURE_UNKNOWN;
	}
	*err = 0;
	return (sm.mask & MC_STATMOUNT_SUPPORTED_MASK) &&
	       (sm.supported_mask & bits) == bits ? MNTCR_FEATURE_YES :
	       MNTCR_FEATURE_NO;
}

static enum mntcr_feature_state probe_statmount(int *err)
{
	return statmount_has(MC_STATMOUNT_MNT_OPTS | MC_STATMOUNT_FS_SUBTYPE |
			     MC_STATMOUNT_SB_SOURCE, err);
}

/* No attributes, but a size for them: EINVAL. */
static enum mntcr_feature_state probe_open_tree_attr(int *err)
{
	mc_open_tree_attr(-1, "", 0, NULL, 1);
	*err = errno;
	return by_errno(errno, ENOSYS);
}

/* Flags are checked before descriptors. */
static int move_errno(unsigned int flags)
{
	return errno_of(mc_move_mount(-1, "", -1, "", flags |
				      MOVE_MOUNT_F_EMPTY_PATH |
				      MOVE_MOUNT_T_EMPTY_PATH));
}

static enum mntcr_feature_state probe_set_group(int *err)
{
	*err = move_errno(MOVE_MOUNT_SET_GROUP);
	return by_errno(*err == ENOSYS ? EINVAL : *err, EINVAL);
}

static enum mntcr_feature_state probe_move_foreign(int *err)
{
	return by_both(move_errno(MOVE_MOUNT_T_FOREIGN | MOVE_MOUNT_UNLOCKED),
		       EBADF, move_errno(MOVE_MOUNT_UNLOCKED), EINVAL, err);
}

static int tree_errno(unsigned int flags)
{
	return errno_of(mc_open_tree(-1, "", flags | OPEN_TREE_FOREIGN |
				     OPEN_TREE_CLOEXEC | AT_EMPTY_PATH));
}

/* With a clone, and with nothing else that open_tree(2) can make. */
static enum mntcr_feature_state probe_tree_foreign(int *err)
{
	int without = tree_errno(0);

	if (without == EINVAL)
		without = tree_errno(OPEN_TREE_NAMESPACE);
	return by_both(tree_errno(OPEN_TREE_CLONE), EBADF, without, EINVAL, err);
}

/*
 * A call that would work is out of the question in this process.  In a child
 * without capabilities it is EPERM where known and EINVAL where not.
 */
static enum mntcr_feature_state probe_empty_mntns(int *err)
{
	struct __user_cap_header_struct hdr = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[2] = { 0 };
	pid_t pid;
	int code;

	pid = mc_child(0);
	if (!pid) {
		if (syscall(__NR_capset, &hdr, none))
			_exit(128 | (errno & 127));
		if (!mc_unshare(UNSHARE_EMPTY_MNTNS))
			_exit(0);
		_exit(errno & 127);
	}
	code = pid < 0 ? -1 : mc_child_wait(pid);
	if (code < 0) {
		*err = errno;
		return MNTCR_FEATURE_UNKNOWN;
	}
	*err = code & 127;
	if (code & 128)
		return MNTCR_FEATURE_UNKNOWN;
	return *err == EPERM || !*err ? MNTCR_FEATURE_YES :
	       *err == EINVAL ? MNTCR_FEATURE_NO : MNTCR_FEATURE_UNKNOWN;
}

/* 128 and more: what came before it has failed. */
static int open_empty_pidns(void)
{
	static const char file[] = "/proc/self/ns/pid_for_children";
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 128 | (errno & 127);
	close(fd);
	/* a kernel that has none at all */
	if (mc_unshare(CLONE_NEWPID))
		return errno == EINVAL ? EINVAL : 128 | (errno & 127);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? errno & 127 : 0;
}

/* In a child: it would be that of all its children. */
static enum mntcr_feature_state probe_empty_pidns(int *err)
{
	pid_t pid = mc_child(0);
	int code;

	if (!pid)
		_exit(open_empty_pidns());
	code = pid < 0 ? -1 : mc_child_wait(pid);
	*err = code < 0 ? errno : code & 127;
	if (!code)
		return MNTCR_FEATURE_YES;
	return code == ENOENT || code == EINVAL ? MNTCR_FEATURE_NO : MNTCR_FEATURE_UNKNOWN;
}

bool mc_lacks_empty_pidns(void)
{
	int err;

	return probe_empty_pidns(&err) == MNTCR_FEATURE_NO;
}

/* Flags must be 0, and what is beyond the structure too. */
static enum mntcr_feature_state probe_ns_mnt_open(int *err)
{
	struct {
		struct mc_ns_mnt_open arg;
		uint64_t more;
	} req = { .arg.mnt_id = MC_NS_MNT_OPEN_ROOT, .arg.flags = ~0U, .more = 1 };
	int fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC), first;

	if (fd < 0) {
		*err = errno;
		return MNTCR_FEATURE_UNKNOWN;
	}
	first = errno_of(ioctl(fd, MC_NS_MNT_OPEN, &req.arg));
	*err = errno_of(ioctl(fd, MC_NS_MNT_OPEN_LARGER, &req));
	close(fd);
	if (first && first != EINVAL && first != ENOTTY && first != EPERM) {
		*err = first;
		return MNTCR_FEATURE_UNKNOWN;
	}
	return by_both(first, EINVAL, *err, E2BIG, err);
}

/* No arguments, and more than a page of them. */
static enum mntcr_feature_state probe_setgroup(int *err)
{
	int first;

	first = errno_of(mc_mount_setgroup(NULL, MC_MOUNT_GROUP_ARGS_SIZE_VER0,
					   MOUNT_SETGROUP_SHARED));
	return by_both(first, EFAULT,
		       errno_of(mc_mount_setgroup(NULL, SIZE_MAX,
						  MOUNT_SETGROUP_SHARED)),
		       E2BIG, err);
}

/* A lock that does not exist, and no mount: an older kernel is at E2BIG then. */
static enum mntcr_feature_state probe_lock_set(int *err)
{
	struct mc_mount_attr attr = { .lock_set = 1ULL << 63 };
	int first;

	first = errno_of(mc_mount_setattr(-1, "", AT_EMPTY_PATH, &attr, sizeof(attr)));
	attr.lock_set = MOUNT_LOCK_MOUNT;
	return by_both(first, EINVAL,
		       errno_of(mc_mount_setattr(-1, "", AT_EMPTY_PATH, &attr,
						 sizeof(attr))),
		       EBADF, err);
}

/*
 * Another kernel may give these bits another meaning.  They came with a call that can
 * be told from all others: only where that is there they are the ones.
 */
static enum mntcr_feature_state bits_beside(enum mntcr_feature_state call, uint64_t bits,
					    int *err)
{
	return call == MNTCR_FEATURE_YES ? statmount_has(bits, err) : call;
}

static enum mntcr_feature_state probe_locks(int *err)
{
	return bits_beside(probe_tree_foreign(err), MC_STATMOUNT_MNT_LOCKS, err);
}

static enum mntcr_feature_state probe_sb_ns(int *err)
{
	return bits_beside(probe_lock_set(err), MC_STATMOUNT_SB_USER_NS | MC_STATMOUNT_SB_NS,
			   err);
}

static int list_errno(uint64_t id)
{
	const struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER1, .mnt_ns_fd = (uint32_t)-1, .mnt_id = id,
	};
	uint64_t none;

	return errno_of(mc_listmount(&req, &none, 1, MC_LISTMOUNT_BY_FD));
}

/* No descriptor, and a mount beside it. */
static enum mntcr_feature_state probe_list_by_fd(int *err)
{
	return by_both(list_errno(0), EBADF, list_errno(1), EINVAL, err);
}

static const struct probe {
	const char *name, *what, *needed_by;
	enum mntcr_feature_state (*run)(int *err);
} probes[MNTCR_NR_FEATURES] = {
	[MNTCR_FEAT_STATMOUNT] = {
		"statmount", "statmount(2) with options and source",
		"capture", probe_statmount },
	[MNTCR_FEAT_OPEN_TREE_ATTR] = {
		"open_tree_attr", "open_tree_attr(2)",
		"extended", probe_open_tree_attr },
	[MNTCR_FEAT_SET_GROUP] = {
		"set_group", "move_mount(2) with MOVE_MOUNT_SET_GROUP",
		"upstream", probe_set_group },
	[MNTCR_FEAT_EMPTY_MNTNS] = {
		"empty_mntns", "unshare(2) with UNSHARE_EMPTY_MNTNS",
		"extended", probe_empty_mntns },
	[MNTCR_FEAT_OPEN_TREE_FOREIGN] = {
		"open_tree_foreign", "open_tree(2) with OPEN_TREE_FOREIGN",
		"extended", probe_tree_foreign },
	[MNTCR_FEAT_MOVE_MOUNT_FOREIGN] = {
		"move_mount_foreign", "move_mount(2) with MOVE_MOUNT_T_FOREIGN",
		"extended", probe_move_foreign },
	[MNTCR_FEAT_NS_MNT_OPEN] = {
		"ns_mnt_open", "the nsfs ioctl NS_MNT_OPEN",
		"extended", probe_ns_mnt_open },
	[MNTCR_FEAT_MOUNT_SETGROUP] = {
		"mount_setgroup", "mount_setgroup(2)",
		"extended", probe_setgroup },
	[MNTCR_FEAT_STATMOUNT_LOCKS] = {
		"statmount_locks", "statmount(2) with STATMOUNT_MNT_LOCKS",
		"locks", probe_locks },
	[MNTCR_FEAT_LOCK_SET] = {
		"lock_set", "mount_setattr(2) with locks to set",
		"locks", probe_lock_set },
	[MNTCR_FEAT_STATMOUNT_SB_NS] = {
		"statmount_sb_ns", "statmount(2) with STATMOUNT_SB_NS",
		"superblocks", probe_sb_ns },
	[MNTCR_FEAT_LISTMOUNT_BY_FD] = {
		"listmount_by_fd", "listmount(2) with LISTMOUNT_BY_FD",
		"detached", probe_list_by_fd },
	[MNTCR_FEAT_EMPTY_PIDNS] = {
		"empty_pidns", "a pid namespace, opened before a process is in it",
		"proc", probe_empty_pidns },
};

/*
 * What is not permitted is said when it is used, save for the system call of
 * its own: a filter that denies that one has it as not there.
 */
const char *mc_extended_lacks(int *err)
{
	static const enum mntcr_feature_id needed[] = {
		MNTCR_FEAT_MOUNT_SETGROUP, MNTCR_FEAT_OPEN_TREE_FOREIGN,
		MNTCR_FEAT_MOVE_MOUNT_FOREIGN, MNTCR_FEAT_NS_MNT_OPEN,
	};
	enum mntcr_feature_state state;
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(needed); i++) {
		state = probes[needed[i]].run(err);
		if (state == MNTCR_FEATURE_NO)
			*err = 0;
		if (state == MNTCR_FEATURE_NO ||
		    (needed[i] == MNTCR_FEAT_MOUNT_SETGROUP &&
		     state == MNTCR_FEATURE_UNKNOWN))
			return probes[needed[i]].what;
	}
	return NULL;
}

const char *mc_detached_lacks(int *err)
{
	const struct probe *list = &probes[MNTCR_FEAT_LISTMOUNT_BY_FD];
	const char *what = mc_extended_lacks(err);

	if (what)
		return what;
	return list->run(err) == MNTCR_FEATURE_YES ? NULL : list->what;
}

bool mc_opens_by_id(void)
{
	int err;

	return probe_ns_mnt_open(&err) == MNTCR_FEATURE_YES;
}

/* (Bits that a kernel does not know are no error, and missing in its answer.) */
int mc_statmount_unknown(uint64_t *bits, struct mntcr_error *e)
{
	static const struct {
		enum mntcr_feature_id beside;
		uint64_t bits;
	} brought[] = {
		{ MNTCR_FEAT_OPEN_TREE_FOREIGN, MC_STATMOUNT_MNT_LOCKS },
		{ MNTCR_FEAT_LOCK_SET, MC_STATMOUNT_SB_USER_NS | MC_STATMOUNT_SB_NS },
	};
	enum mntcr_feature_state state;
	size_t i;
	int err;

	*bits = 0;
	for (i = 0; i < MC_ARRAY_SIZE(brought); i++) {
		state = probes[brought[i].beside].run(&err);
		if (state == MNTCR_FEATURE_UNKNOWN && err != EPERM && err != EACCES)
			return mc_fail(e, MNTCR_SYS, err, "is there %s",
				       probes[brought[i].beside].what);
		if (state != MNTCR_FEATURE_YES)
			*bits |= brought[i].bits;
	}
	return 0;
}

bool mc_features_are_there(const struct mntcr_feature *f, const char *needed_by)
{
	int i;

	for (i = 0; i < MNTCR_NR_FEATURES; i++)
		if (!strcmp(f[i].needed_by, needed_by) &&
		    f[i].state != MNTCR_FEATURE_YES)
			return false;
	return true;
}

int mntcr_features(struct mntcr_feature *features, size_t nr,
		   struct mntcr_error *e)
{
	size_t i;

	memset(e, 0, sizeof(*e));
	memset(features, 0, nr * sizeof(*features));
	for (i = 0; i < nr && i < MNTCR_NR_FEATURES; i++) {
		struct mntcr_feature *f = &features[i];

		f->id = (enum mntcr_feature_id)i;
		f->name = probes[i].name;
		f->what = probes[i].what;
		f->needed_by = probes[i].needed_by;
		f->state = probes[i].run(&f->err);
	}
	return 0;
}
