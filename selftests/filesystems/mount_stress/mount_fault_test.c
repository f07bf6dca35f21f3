// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation of the calls fails, one at a time: the call fails with ENOMEM
 * and everything is as it was. mount_fault_calls.h says which calls there are.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "mount_fault.h"
#include "mount_fault_calls.h"

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

CALL_TEST(setgroup_shared, 120, CALL_SETGROUP, BIT_OF(MOUNT_SETGROUP_SHARED))
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
	ASSERT_EQ(0, write_file(FAILSLAB "task-filter", "Y"));
	ASSERT_EQ(0, write_file(FAILSLAB "times", "-1"));
	ASSERT_EQ(0, write_file(FAILSLAB "probability", "100"));
	/* the array of files takes 32 bytes, 24 of which are in use */
	EXPECT_GE(fail_rest(self, shared, undo_shared), first ? 3 : 1);
	while (nr)
		ASSERT_EQ(0, close(fds[--nr]));
}

/* To the group of "4", or to what that receives from. */
static int join(struct _test_data_mount_fault *self)
{
	int fds[2] = { self->far, self->fd[0] };

	return k_setgroup(self->how, fds, 2, self->fd[4]);
}

static int undo_join(struct _test_data_mount_fault *self, int ret)
{
	__u64 group = group_of(self->far), master = 0;

	if (self->how & MOUNT_SETGROUP_MASTER)
		master = group_of(self->fd[4]);
	if (self->how & MOUNT_SETGROUP_SIBLING)
		master = master_of(self->fd[4]);
	if (ret || group != group_of(self->fd[0]) || master_of(self->far) != master ||
	    master_of(self->fd[0]) != master ||
	    !group != !(self->how & (MOUNT_SETGROUP_SHARED | MOUNT_SETGROUP_PEER)) ||
	    ((self->how & MOUNT_SETGROUP_PEER) && group != group_of(self->fd[4])))
		return -1;
	return k_mount(NULL, "0", NULL, MS_PRIVATE) ?:
	       CHANGE_IN(&self->other, "1", MS_PRIVATE);
}

/* How often it has failed, at the array of files first of all. */
static int fail_join(struct _test_data_mount_fault *self, unsigned int flags)
{
	int nr;

	self->tree = -1;
	self->how = flags;
	if (k_mount(NULL, "3", NULL, MS_SHARED))
		return -1;
	if (k_setgroup(flags & MOUNT_SETGROUP_SIBLING ? MOUNT_SETGROUP_MASTER :
		       MOUNT_SETGROUP_PEER, self->fd + 4, 1, self->fd[3]))
		return -1;
	nr = fail_each(self, join, undo_join);
	return make_private(self) ? -1 : nr;
}

CALL_TEST(setgroup_peer, 120, CALL_SETGROUP, BIT_OF(MOUNT_SETGROUP_PEER))
{
	EXPECT_GE(fail_join(self, MOUNT_SETGROUP_PEER), 1);
}

CALL_TEST(setgroup_master, 120, CALL_SETGROUP, BIT_OF(MOUNT_SETGROUP_MASTER))
{
	EXPECT_GE(fail_join(self, MOUNT_SETGROUP_MASTER), 1);
}

CALL_TEST(setgroup_sibling, 120, CALL_SETGROUP, BIT_OF(MOUNT_SETGROUP_SIBLING))
{
	EXPECT_GE(fail_join(self, MOUNT_SETGROUP_SIBLING), 1);
}

CALL_TEST(setgroup_shared_master, 120, CALL_SETGROUP,
	  BIT_OF(MOUNT_SETGROUP_SHARED | MOUNT_SETGROUP_MASTER))
{
	EXPECT_GE(fail_join(self, MOUNT_SETGROUP_SHARED | MOUNT_SETGROUP_MASTER), 1);
}

CALL_TEST(setgroup_shared_sibling, 120, CALL_SETGROUP,
	  BIT_OF(MOUNT_SETGROUP_SHARED | MOUNT_SETGROUP_SIBLING))
{
	EXPECT_GE(fail_join(self, MOUNT_SETGROUP_SHARED | MOUNT_SETGROUP_SIBLING), 1);
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

CALL_TEST(move_mount_set_group, 120, CALL_MOVE_MOUNT, MOVE_MOUNT_SET_GROUP)
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

CALL_TEST(open_tree_foreign, 120, CALL_OPEN_TREE, OPEN_TREE_CLONE | OPEN_TREE_FOREIGN)
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
CALL_TEST(open_tree_attr_foreign, 120, CALL_OTHER, BIT_OF(OTHER_OPEN_TREE_ATTR))
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
CALL_TEST(move_mount_foreign, 300, CALL_MOVE_MOUNT, MOVE_MOUNT_T_FOREIGN)
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

/* In "8/d" of the owner's namespace, a mount of the owner's. */
static int use_owner(struct _test_data_mount_fault *self)
{
	int err = MOUNT_IN(&self->owner, "8") ?:
		  IN(&self->owner, mkdir("8/d", 0755) ? -errno : 0);

	if (err)
		return err;
	close(self->fd[3]);
	self->fd[3] = OPEN_IN(&self->owner, "8/d");
	return self->fd[3] < 0 ? self->fd[3] : new_tree(self);
}

static int attach_to_owner(struct _test_data_mount_fault *self)
{
	return k_move_mount(self->tree, "", self->fd[3], "", self->how);
}

static int undo_attach_to_owner(struct _test_data_mount_fault *self, int ret)
{
	bool locked = !(self->how & MOVE_MOUNT_UNLOCKED);
	struct mnt mnt;

	if (ret || mnt_at(&self->owner, PATH("8/d/c"), &mnt) || !mnt.is_root ||
	    locked != !!(mnt.locks & MOUNT_LOCK_MOUNT))
		return -1;
	close(self->tree);
	/* what is locked goes with what it is mounted on */
	return IN(&self->owner, k_umount("8", MNT_DETACH)) ?: use_owner(self);
}

static int fail_attach_to_owner(struct _test_data_mount_fault *self, unsigned int flags)
{
	int nr;

	self->how = flags;
	if (actor_new(&self->owner, &this_test, ACTOR_USERNS) || use_owner(self))
		return -1;
	nr = fail_each(self, attach_to_owner, undo_attach_to_owner);
	close(self->tree);
	close(self->fd[3]);
	self->fd[3] = -1;
	actor_close(&self->owner);
	return nr;
}

CALL_TEST(move_mount_locked, 120, CALL_OTHER, BIT_OF(OTHER_MOVE_MOUNT_LOCKED))
{
	/* a mountpoint, at least */
	EXPECT_GE(fail_attach_to_owner(self, MOVE_MOUNT_T_FOREIGN), 1);
}

CALL_TEST(move_mount_unlocked, 120, CALL_MOVE_MOUNT, MOVE_MOUNT_UNLOCKED)
{
	EXPECT_GE(fail_attach_to_owner(self, MOVE_MOUNT_T_FOREIGN | MOVE_MOUNT_UNLOCKED), 1);
}

/* A clone of what was "fs/gone". */
static int new_unlinked(struct _test_data_mount_fault *self)
{
	char path[64];
	struct stat st;

	if (mkdir("fs/gone", 0755))
		return -errno;
	self->tree = k_open_tree(AT_FDCWD, "fs/gone", OPEN_TREE_CLONE);
	if (self->tree < 0 || rmdir("fs/gone"))
		return -1;
	/* where no inode can be made, proc says that there is no such file */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->tree);
	return stat(path, &st);
}

static int mount_unlinked(struct _test_data_mount_fault *self)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->tree);
	return k_mount(path, "8", NULL, MS_BIND);
}

static int undo_mount_unlinked(struct _test_data_mount_fault *self, int ret)
{
	return ret || is_mounted_at(&this_test, "8") != 1 || k_umount("8", 0) ? -1 : 0;
}

CALL_TEST(mount_unlinked, 120, CALL_OTHER, BIT_OF(OTHER_MOUNT_UNLINKED))
{
	ASSERT_EQ(0, new_unlinked(self));
	/* two paths, a mount and a mountpoint, at least */
	EXPECT_GE(fail_each(self, mount_unlinked, undo_mount_unlinked), 4);
	close(self->tree);
}

static int move_unlinked(struct _test_data_mount_fault *self)
{
	return k_move_mount(self->tree, "", AT_FDCWD, "8", 0);
}

static int undo_move_unlinked(struct _test_data_mount_fault *self, int ret)
{
	if (ret || is_mounted_at(&this_test, "8") != 1)
		return -1;
	close(self->tree);
	return k_umount("8", 0) ?: new_unlinked(self);
}

CALL_TEST(move_mount_unlinked, 120, CALL_OTHER, BIT_OF(OTHER_MOVE_MOUNT_UNLINKED))
{
	ASSERT_EQ(0, new_unlinked(self));
	EXPECT_GE(fail_each(self, move_unlinked, undo_move_unlinked), 1);
	close(self->tree);
}

static int mnt_open(struct _test_data_mount_fault *self)
{
	return k_ns_mnt_open(self->ns, self->id);
}

static int undo_mnt_open(struct _test_data_mount_fault *self, int ret)
{
	bool special = self->id >= NS_MNT_OPEN_ROOT;

	return special != (mnt_id_of(ret) == self->id) && !close(ret) ? 0 : -1;
}

CALL_TEST(ns_mnt_open, 120, CALL_OTHER, BIT_OF(OTHER_NS_MNT_OPEN_ID))
{
	struct mnt mnt;

	self->tree = -1;
	ASSERT_EQ(0, mnt_at(&self->other, PATH("7/a"), &mnt));
	self->id = mnt.id;
	/* the file */
	EXPECT_GE(fail_each(self, mnt_open, undo_mnt_open), 1);
}

CALL_TEST(ns_mnt_open_root, 120, CALL_NS_MNT_OPEN, BIT_OF(-1ULL - NS_MNT_OPEN_ROOT))
{
	self->tree = -1;
	self->id = NS_MNT_OPEN_ROOT;
	EXPECT_GE(fail_each(self, mnt_open, undo_mnt_open), 1);
}

CALL_TEST(ns_mnt_open_ns_root, 120, CALL_NS_MNT_OPEN, BIT_OF(-1ULL - NS_MNT_OPEN_NS_ROOT))
{
	self->tree = -1;
	self->id = NS_MNT_OPEN_NS_ROOT;
	EXPECT_GE(fail_each(self, mnt_open, undo_mnt_open), 1);
}

/* As an ioctl that may grow: with a larger structure. */
static int mnt_open_larger(struct _test_data_mount_fault *self)
{
	struct {
		struct ns_mnt_open arg;
		__u64 more;
	} arg = { .arg.mnt_id = self->id };

	return k_ret(ioctl(self->ns, _IOC(_IOC_WRITE, 0xb7, _IOC_NR(NS_MNT_OPEN),
					  sizeof(arg)), &arg));
}

CALL_TEST(ns_mnt_open_larger, 120, CALL_NS_IOCTL, BIT_OF(_IOC_NR(NS_MNT_OPEN)))
{
	self->tree = -1;
	self->id = NS_MNT_OPEN_ROOT;
	EXPECT_GE(fail_each(self, mnt_open_larger, undo_mnt_open), 1);
}

#define ALL_LOCKS	(MOUNT_LOCK_MOUNT | MOUNT_LOCK_RDONLY | MOUNT_LOCK_NODEV | \
			 MOUNT_LOCK_NOSUID | MOUNT_LOCK_NOEXEC | MOUNT_LOCK_ATIME)

/* "8/d", below a mount with which it can be unmounted. */
static int new_lockable(void)
{
	return k_mount("tmpfs", "8", "tmpfs", 0) ?:
	       k_ret(mkdir("8/d", 0755)) ?:
	       k_mount("tmpfs", "8/d", "tmpfs", 0);
}

static int lock_set(struct _test_data_mount_fault *self)
{
	struct mount_attr_locks attr = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID |
			    MOUNT_ATTR_NOEXEC,
		.lock_set = ALL_LOCKS,
	};

	return k_mount_setattr(AT_FDCWD, "8/d", 0, &attr, sizeof(attr));
}

static int undo_lock_set(struct _test_data_mount_fault *self, int ret)
{
	struct mnt mnt;

	if (ret || mnt_at(&this_test, "8/d", &mnt) || mnt.locks != ALL_LOCKS)
		return -1;
	/* there is no way back */
	return k_umount("8", MNT_DETACH) ?: new_lockable();
}

CALL_TEST(lock_set, 120, CALL_LOCKS, ALL_LOCKS)
{
	self->tree = -1;
	ASSERT_EQ(0, new_lockable());
	/* it may do without any */
	EXPECT_GE(fail_each(self, lock_set, undo_lock_set), 0);
	ASSERT_EQ(0, k_umount("8", MNT_DETACH));
}

static int set_propagation(struct _test_data_mount_fault *self)
{
	struct mount_attr_locks attr = { .propagation = self->how };

	return k_mount_setattr(self->fd[3], "", AT_EMPTY_PATH | AT_RECURSIVE, &attr,
			       sizeof(attr));
}

static int undo_set_propagation(struct _test_data_mount_fault *self, int ret)
{
	struct mount_attr_locks attr = { .propagation = MS_PRIVATE };
	bool wanted = self->how == MS_SHARED;

	if (ret || !group_of(self->fd[3]) == wanted)
		return -1;
	return k_mount_setattr(self->fd[3], "", AT_EMPTY_PATH | AT_RECURSIVE, &attr,
			       sizeof(attr));
}

CALL_TEST(mount_setattr_foreign, 120, CALL_PROPAGATION,
	  MS_SHARED | MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE)
{
	static const unsigned long types[] = { MS_SHARED, MS_SLAVE, MS_PRIVATE,
					       MS_UNBINDABLE };

	ASSERT_GE(use_foreign(self), 0);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		self->how = types[i];
		/* they may do without any */
		EXPECT_GE(fail_each(self, set_propagation, undo_set_propagation), 0) {
			TH_LOG("%#lx", types[i]);
		}
	}
}

/* What is told without text takes no memory; text does. */
#define NEW_STATMOUNT	(STATMOUNT_MNT_LOCKS | STATMOUNT_SB_USER_NS | STATMOUNT_SB_NS)

static struct {
	struct statmount sm;
	char text[4096];
} stat_buf;

static int stat_foreign(struct _test_data_mount_fault *self)
{
	return k_statmount(self->id, actor_ns_id(&self->other), self->how, &stat_buf.sm,
			   sizeof(stat_buf));
}

static int undo_stat(struct _test_data_mount_fault *self, int ret)
{
	return ret || (stat_buf.sm.mask & self->how) != self->how ? -1 : 0;
}

CALL_TEST(statmount_foreign, 120, CALL_STATMOUNT, NEW_STATMOUNT)
{
	struct mnt mnt;

	self->tree = -1;
	/* a filesystem that shows a namespace, in a slave */
	ASSERT_EQ(0, IN(&self->other, k_mount("mqueue", "8", "mqueue", 0)));
	ASSERT_EQ(0, mnt_at(&self->other, PATH("8"), &mnt));
	self->id = mnt.id;
	self->how = NEW_STATMOUNT;
	EXPECT_GE(fail_each(self, stat_foreign, undo_stat), 0);
	self->how |= STATMOUNT_MNT_ROOT | STATMOUNT_MNT_POINT | STATMOUNT_FS_TYPE;
	EXPECT_GE(fail_each(self, stat_foreign, undo_stat), 1);
	ASSERT_EQ(0, UMOUNT_IN(&self->other, "8"));
}

static int stat_tree(struct _test_data_mount_fault *self)
{
	return k_statmount_fd(self->tree, self->how, &stat_buf.sm, sizeof(stat_buf));
}

CALL_TEST(statmount_detached, 120, CALL_OTHER, BIT_OF(OTHER_STATMOUNT_DETACHED))
{
	self->tree = detached_tmpfs(&this_test, 0);
	ASSERT_GE(self->tree, 0);
	self->how = STATMOUNT_MNT_LOCKS | STATMOUNT_SB_USER_NS | STATMOUNT_MNT_ROOT |
		    STATMOUNT_FS_TYPE;
	EXPECT_GE(fail_each(self, stat_tree, undo_stat), 1);
	close(self->tree);
}

static int list_tree(struct _test_data_mount_fault *self)
{
	struct mnt_id_req req = {
		.size	= MNT_ID_REQ_SIZE_VER1,
		.mnt_fd	= self->tree,
	};
	__u64 ids[16];

	return k_ret(syscall(__NR_listmount, &req, ids, ARRAY_SIZE(ids), LISTMOUNT_BY_FD));
}

static int undo_list_tree(struct _test_data_mount_fault *self, int ret)
{
	return ret == 1 ? 0 : -1;
}

CALL_TEST(listmount_fd, 120, CALL_LISTMOUNT, LISTMOUNT_BY_FD)
{
	ASSERT_EQ(0, new_tree(self));
	/* the array of IDs */
	EXPECT_GE(fail_each(self, list_tree, undo_list_tree), 1);
	close(self->tree);
}

static char mountinfo[1 << 16];

static int read_mountinfo(struct _test_data_mount_fault *self)
{
	int fd = k_open("/proc/self/mountinfo", O_RDONLY);
	ssize_t n = 1;
	size_t len = 0;

	if (fd < 0)
		return fd;
	while (n > 0 && len < sizeof(mountinfo) - 1) {
		n = read(fd, mountinfo + len, sizeof(mountinfo) - 1 - len);
		if (n > 0)
			len += n;
	}
	n = n < 0 ? -errno : 0;
	close(fd);
	mountinfo[len] = 0;
	return n;
}

static int undo_read_mountinfo(struct _test_data_mount_fault *self, int ret)
{
	return ret || strcmp(mountinfo, self->text) ? -1 : 0;
}

CALL_TEST(read_mountinfo, 120, CALL_OTHER, BIT_OF(OTHER_READ_MOUNTINFO))
{
	self->tree = -1;
	ASSERT_EQ(0, read_mountinfo(self));
	self->text = strdup(mountinfo);
	ASSERT_NE(NULL, self->text);
	/* two files, and what is read into */
	EXPECT_GE(fail_each(self, read_mountinfo, undo_read_mountinfo), 3);
	free(self->text);
}

/* Nothing that the kernel knows is left out; and nothing but that is tested. */
TEST_F(mount_fault, complete)
{
	struct {
		struct mount_attr_locks attr;
		__u64 more;
	} attr = { .attr.lock_set = MOUNT_LOCK_MOUNT, .more = 1 };
	struct {
		struct mount_group_args args;
		__u64 more;
	} args = { .args.nr_fds = 1, .more = 1 };
	struct {
		struct ns_mnt_open arg;
		__u64 more;
	} arg = { .arg.mnt_id = NS_MNT_OPEN_ROOT, .more = 1 };

	for (int i = 0; i < NR_CALL_KINDS; i++) {
		const struct call_list *list = call_lists + i;
		__u64 known = list->known(self->ns), tested = tested_bits(i);

		EXPECT_EQ(0, known & ~list->older & ~tested) {
			TH_LOG("%s: no test lets it run out of memory", list->name);
		}
		EXPECT_EQ(0, (tested | list->older) & ~known) {
			TH_LOG("%s: the kernel does not know it", list->name);
		}
	}
	/* what the structures have been enlarged by belongs in here, too */
	EXPECT_EQ(-E2BIG, k_mount_setattr(-1, "", AT_EMPTY_PATH, &attr, sizeof(attr)));
	EXPECT_EQ(-E2BIG, k_mount_setgroup(&args, sizeof(args), MOUNT_SETGROUP_SHARED));
	EXPECT_EQ(-E2BIG, k_ret(ioctl(self->ns, _IOC(_IOC_WRITE, 0xb7,
						     _IOC_NR(NS_MNT_OPEN), sizeof(arg)),
				      &arg)));
}

/* The limit of the system is not one for who has CAP_SYS_ADMIN in it. */
TEST_F(mount_fault, ns_mnt_open_enfile)
{
	int ret, mine;

	self->tree = -1;
	ASSERT_EQ(0, actor_new(&self->owner, &this_test, ACTOR_USERNS));
	ASSERT_EQ(0, write_file(FILE_MAX, "0"));
	ret = AS(&self->owner, k_ns_mnt_open(self->owner.mntns, NS_MNT_OPEN_ROOT));
	mine = k_ns_mnt_open(self->owner.mntns, NS_MNT_OPEN_ROOT);
	EXPECT_EQ(0, write_file(FILE_MAX, self->file_max));
	EXPECT_EQ(-ENFILE, ret);
	EXPECT_GE(mine, 0);
	EXPECT_GE(AS(&self->owner, k_ns_mnt_open(self->owner.mntns, NS_MNT_OPEN_ROOT)), 0);
}

TEST_HARNESS_MAIN
