// SPDX-License-Identifier: GPL-2.0
/*
 * statmount(): which user namespace a superblock belongs to, and which namespace
 * its filesystem shows. STATMOUNT_SB_USER_NS, STATMOUNT_SB_NS.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "../mount_members.h"
#include "../mount_cast.h"
#include "../../kselftest_harness.h"

#ifndef NS_GET_ID
#define NS_GET_ID	_IOR(0xb7, 13, __u64)
#endif

#define MASK	(STATMOUNT_SB_USER_NS | STATMOUNT_SB_NS)

/* A mount, not attached, and the namespaces of who made it. */
struct made {
	int mnt;
	int ns;
	int userns;
};

static struct made *made;

static int open_ns(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	return k_open(path, O_RDONLY);
}

static __u64 ns_id(int fd)
{
	__u64 id;

	return ioctl(fd, NS_GET_ID, &id) ? 0 : id;
}

static __u64 own_ns_id(const char *name)
{
	int fd = open_ns(name);
	__u64 id = ns_id(fd);

	close(fd);
	return id;
}

static int make_here(const char *type, const char *ns)
{
	made->ns = open_ns(ns);
	if (made->ns < 0)
		return made->ns;
	made->userns = open_ns("user");
	if (made->userns < 0)
		return made->userns;
	made->mnt = new_mount(type, 0);
	return made->mnt < 0 ? made->mnt : 0;
}

/* The first process of a new pid namespace is a child of who makes it. */
static int make_in_new(const char *type, const char *ns, int flag, int more)
{
	int status;
	pid_t pid;

	if (unshare(flag | more))
		return -errno;
	if (flag != CLONE_NEWPID)
		return make_here(type, ns);
	pid = syscall(__NR_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(-make_here(type, ns));
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -ECANCELED;
	return -WEXITSTATUS(status);
}

/* 1 if the kernel has what is tested here, 0 if not. */
static int supported(void)
{
	struct statmount sm;
	int fd = k_open("/", O_PATH);
	int ret = fd < 0 ? fd : k_statmount_fd(fd, STATMOUNT_SUPPORTED_MASK, &sm, sizeof(sm));

	close(fd);
	return ret ?: (sm.supported_mask & MASK) == MASK;
}

FIXTURE(statmount_ns) {
	char base[64];
	struct actor user;
};

FIXTURE_VARIANT(statmount_ns) {
	const char *type;
	const char *ns;
	int flag;
	bool outlives;		/* a superblock may outlive the namespace */
	bool global;		/* it is the initial user namespace's in any case */
};

FIXTURE_VARIANT_ADD(statmount_ns, proc) {
	.type = "proc", .ns = "pid", .flag = CLONE_NEWPID,
};

FIXTURE_VARIANT_ADD(statmount_ns, sysfs) {
	.type = "sysfs", .ns = "net", .flag = CLONE_NEWNET,
	.outlives = true, .global = true,
};

FIXTURE_VARIANT_ADD(statmount_ns, mqueue) {
	.type = "mqueue", .ns = "ipc", .flag = CLONE_NEWIPC,
	.outlives = true,
};

/* Who mounts proc or sysfs in a user namespace has to see one already. */
static int setup(char *base, size_t size)
{
	int err = members_setup(base, size);

	if (!err)
		err = k_mount("proc", "0", "proc", 0);
	if (!err)
		err = k_mount("sysfs", "1", "sysfs", 0);
	if (err)
		return err;
	made = mmap(NULL, sizeof(*made), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return made == MAP_FAILED ? -errno : 0;
}

FIXTURE_SETUP(statmount_ns)
{
	if (geteuid())
		SKIP(return, "test requires root");
	if (!supported())
		SKIP(return, "STATMOUNT_SB_NS not supported");
	ASSERT_EQ(0, setup(self->base, sizeof(self->base)));
	self->user = (struct actor) { .userns = -1, .mntns = -1, .uid = TEST_UID };
}

FIXTURE_TEARDOWN(statmount_ns)
{
	members_teardown(self->base);
}

#define MAKE_IN_NEW(more) \
	AS(&this_test, make_in_new(variant->type, variant->ns, variant->flag, more))

TEST_F(statmount_ns, of_the_caller)
{
	struct statmount sm;

	ASSERT_EQ(0, AS(&this_test, make_here(variant->type, variant->ns)));
	ASSERT_EQ(0, k_statmount_fd(made->mnt, MASK, &sm, sizeof(sm)));
	EXPECT_EQ(MASK, sm.mask);
	EXPECT_NE(0, own_ns_id(variant->ns));
	EXPECT_EQ(own_ns_id(variant->ns), statmount_sb_ns_id(&sm));
	EXPECT_EQ((__u32)variant->flag, statmount_sb_ns_type(&sm));
	EXPECT_EQ(own_ns_id("user"), statmount_sb_user_ns_id(&sm));
}

TEST_F(statmount_ns, of_another)
{
	struct statmount sm;

	ASSERT_EQ(0, MAKE_IN_NEW(0));
	ASSERT_EQ(0, k_statmount_fd(made->mnt, MASK, &sm, sizeof(sm)));
	EXPECT_EQ(MASK, sm.mask);
	EXPECT_NE(own_ns_id(variant->ns), ns_id(made->ns));
	EXPECT_EQ(ns_id(made->ns), statmount_sb_ns_id(&sm));
	EXPECT_EQ((__u32)variant->flag, statmount_sb_ns_type(&sm));
	EXPECT_EQ(own_ns_id("user"), statmount_sb_user_ns_id(&sm));
}

/* Attached, by its ID, and asked for by somebody in the namespace itself. */
TEST_F(statmount_ns, by_id)
{
	struct statmount sm;
	__u64 id;

	ASSERT_EQ(0, MAKE_IN_NEW(0));
	ASSERT_EQ(0, k_move_mount(made->mnt, "", AT_FDCWD, "2", 0));
	id = mnt_id_of(made->mnt);
	ASSERT_EQ(0, k_statmount(id, 0, MASK, &sm, sizeof(sm)));
	EXPECT_EQ(MASK, sm.mask);
	EXPECT_EQ(ns_id(made->ns), statmount_sb_ns_id(&sm));
	EXPECT_EQ(0, AS(&this_test, setns(made->ns, variant->flag) ||
			k_statmount(id, 0, MASK, &sm, sizeof(sm)) ||
			statmount_sb_ns_id(&sm) != ns_id(made->ns)));
}

/* A bind mount of a part of it is of the same superblock. */
TEST_F(statmount_ns, of_a_clone)
{
	struct statmount sm;
	int fd;

	ASSERT_EQ(0, MAKE_IN_NEW(0));
	fd = k_open_tree(made->mnt, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, k_statmount_fd(fd, MASK, &sm, sizeof(sm)));
	EXPECT_EQ(ns_id(made->ns), statmount_sb_ns_id(&sm));
}

/* The last that is left of the namespace is the superblock. */
TEST_F(statmount_ns, gone)
{
	struct statmount sm;
	__u64 id;
	int fd;

	ASSERT_EQ(0, MAKE_IN_NEW(0));
	fd = made->mnt;
	id = ns_id(made->ns);
	ASSERT_NE(0, id);
	close(made->ns);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, k_statmount_fd(fd, MASK, &sm, sizeof(sm)));
		EXPECT_EQ(MASK, sm.mask);
		EXPECT_EQ(variant->outlives ? 0 : id, statmount_sb_ns_id(&sm));
		EXPECT_EQ((__u32)variant->flag, statmount_sb_ns_type(&sm));
		/* another one that is made now is none of its business */
		ASSERT_EQ(0, MAKE_IN_NEW(0));
	}
}

TEST_F(statmount_ns, in_a_user_namespace)
{
	struct statmount sm;

	ASSERT_EQ(0, MAKE_IN_NEW(CLONE_NEWUSER | CLONE_NEWNS));
	ASSERT_EQ(0, k_statmount_fd(made->mnt, MASK, &sm, sizeof(sm)));
	EXPECT_EQ(ns_id(made->ns), statmount_sb_ns_id(&sm));
	EXPECT_NE(own_ns_id("user"), ns_id(made->userns));
	EXPECT_EQ(variant->global ? own_ns_id("user") : ns_id(made->userns),
		  statmount_sb_user_ns_id(&sm));
}

/* Only what is asked for. */
TEST_F(statmount_ns, mask)
{
	struct statmount sm;

	ASSERT_EQ(0, AS(&this_test, make_here(variant->type, variant->ns)));
	ASSERT_EQ(0, k_statmount_fd(made->mnt, STATMOUNT_SB_USER_NS, &sm, sizeof(sm)));
	EXPECT_EQ(STATMOUNT_SB_USER_NS, sm.mask);
	EXPECT_EQ(0, statmount_sb_ns_id(&sm));
	EXPECT_EQ(0, statmount_sb_ns_type(&sm));
	ASSERT_EQ(0, k_statmount_fd(made->mnt, STATMOUNT_SB_NS, &sm, sizeof(sm)));
	EXPECT_EQ(STATMOUNT_SB_NS, sm.mask);
	EXPECT_EQ(0, statmount_sb_user_ns_id(&sm));
	ASSERT_EQ(0, k_statmount_fd(made->mnt, STATMOUNT_SUPPORTED_MASK, &sm, sizeof(sm)));
	EXPECT_EQ(MASK, sm.supported_mask & MASK);
}

/* Who may ask about the mount is told, and nobody else. */
TEST_F(statmount_ns, unprivileged)
{
	struct statmount sm;
	struct actor other;
	__u64 id, ns;

	ASSERT_EQ(0, MAKE_IN_NEW(0));
	ASSERT_EQ(0, k_move_mount(made->mnt, "", AT_FDCWD, "2", 0));
	id = mnt_id_of(made->mnt);
	EXPECT_EQ(0, AS(&self->user, ({
		int ret = k_statmount(id, 0, MASK, &sm, sizeof(sm));

		ret ?: statmount_sb_ns_id(&sm) != ns_id(made->ns);
	})));
	ASSERT_EQ(0, actor_new(&other, &this_test, ACTOR_MNTNS));
	id = IN(&other, ({
		int fd = k_open("2", O_PATH);

		made->mnt = fd;
		fd < 0 ? fd : 0;
	}));
	ASSERT_EQ(0, id);
	id = mnt_id_of(made->mnt);
	ns = actor_ns_id(&other);
	EXPECT_EQ(0, k_statmount(id, ns, MASK, &sm, sizeof(sm)));
	EXPECT_EQ(-EPERM, AS(&self->user, k_statmount(id, ns, MASK, &sm, sizeof(sm))));
}

FIXTURE(statmount_user_ns) {
	char base[64];
	struct actor other;
};

FIXTURE_SETUP(statmount_user_ns)
{
	if (geteuid())
		SKIP(return, "test requires root");
	if (!supported())
		SKIP(return, "STATMOUNT_SB_NS not supported");
	ASSERT_EQ(0, setup(self->base, sizeof(self->base)));
	ASSERT_EQ(0, actor_new(&self->other, &this_test, ACTOR_USERNS));
}

FIXTURE_TEARDOWN(statmount_user_ns)
{
	members_teardown(self->base);
}

/* Types that show no namespace; one of them is built like sysfs. */
TEST_F(statmount_user_ns, none_shown)
{
	static const char * const types[] = { "tmpfs", "cgroup2" };

	for (int i = 0; i < 2; i++) {
		int fd = AS(&this_test, new_mount(types[i], 0));
		struct statmount sm;

		/* there may be no control groups */
		if (i && fd == -ENODEV)
			continue;
		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, k_statmount_fd(fd, MASK, &sm, sizeof(sm)));
		EXPECT_EQ(STATMOUNT_SB_USER_NS, sm.mask);
		EXPECT_EQ(0, statmount_sb_ns_id(&sm));
		EXPECT_EQ(0, statmount_sb_ns_type(&sm));
	}
}

/* It is who made the superblock that counts, not where it is mounted. */
TEST_F(statmount_user_ns, owner)
{
	__u64 own = own_ns_id("user"), other = ns_id(self->other.userns);
	int fd = detached_tmpfs(&self->other, 0);
	struct statmount sm;

	ASSERT_GE(fd, 0);
	ASSERT_NE(0, own);
	ASSERT_NE(own, other);
	ASSERT_EQ(0, k_statmount_fd(fd, MASK, &sm, sizeof(sm)));
	EXPECT_EQ(other, statmount_sb_user_ns_id(&sm));
	ASSERT_EQ(0, k_move_mount(fd, "", AT_FDCWD, "2", 0));
	ASSERT_EQ(0, k_statmount_fd(fd, MASK, &sm, sizeof(sm)));
	EXPECT_EQ(other, statmount_sb_user_ns_id(&sm));

	/* and the other way round: a mount of the test's, copied to the other one */
	fd = OPEN_IN(&self->other, "fs");
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, k_statmount_fd(fd, MASK, &sm, sizeof(sm)));
	EXPECT_EQ(own, statmount_sb_user_ns_id(&sm));
}

/* Nobody is left in it, but the superblock belongs to it still. */
TEST_F(statmount_user_ns, owner_without_processes)
{
	__u64 id = ns_id(self->other.userns);
	int fd = detached_tmpfs(&self->other, 0);
	struct statmount sm;

	ASSERT_GE(fd, 0);
	ASSERT_NE(0, id);
	actor_close(&self->other);
	ASSERT_EQ(0, k_statmount_fd(fd, MASK, &sm, sizeof(sm)));
	EXPECT_EQ(id, statmount_sb_user_ns_id(&sm));
}

/* The user namespace that a mount's IDs are mapped by is another matter. */
TEST_F(statmount_user_ns, idmapped)
{
	struct mount_attr attr = {
		.attr_set	= MOUNT_ATTR_IDMAP,
		.userns_fd	= self->other.userns,
	};
	int fd = detached_tmpfs(&this_test, 0);
	struct statmount sm;

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, k_mount_setattr(fd, "", AT_EMPTY_PATH, &attr, MOUNT_ATTR_SIZE_VER0));
	ASSERT_EQ(0, k_statmount_fd(fd, MASK | STATMOUNT_MNT_BASIC, &sm, sizeof(sm)));
	EXPECT_TRUE(sm.mnt_attr & MOUNT_ATTR_IDMAP);
	EXPECT_EQ(own_ns_id("user"), statmount_sb_user_ns_id(&sm));
}

/* Of a mount that was taken away, too. */
TEST_F(statmount_user_ns, unmounted)
{
	struct statmount sm;
	int fd = k_open("0", O_PATH);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, k_umount("0", MNT_DETACH));
	ASSERT_EQ(0, k_statmount_fd(fd, MASK, &sm, sizeof(sm)));
	EXPECT_EQ(own_ns_id("user"), statmount_sb_user_ns_id(&sm));
	EXPECT_EQ(own_ns_id("pid"), statmount_sb_ns_id(&sm));
}

TEST_HARNESS_MAIN
