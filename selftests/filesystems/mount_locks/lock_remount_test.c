// SPDX-License-Identifier: GPL-2.0
/*
 * A remount checks the locked attributes of a mount, changes the superblock and sets
 * the attributes then. No attribute is locked in between.
 *
 * The remount is held up by the server of a FUSE filesystem: that on a block device is
 * synchronized first, and waits for the server.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <linux/fuse.h>
#include <linux/loop.h>

#include "../mount_actors.h"
#include "../../kselftest_harness.h"

/* What the server tells the test. */
enum { INITIALIZED = 'i', SYNCHRONIZING = 's' };

FIXTURE(lock_remount) {
	char base[64];
	int loop;	/* closing it detaches the file */
	pid_t server;
	int said;	/* what the server tells */
	int answer;	/* a byte lets it answer */
};

/* A block device of 64 KiB: its number, or -errno. */
static int new_loop(struct _test_data_lock_remount *self)
{
	struct loop_config config = { .info.lo_flags = LO_FLAGS_AUTOCLEAR };
	int ctl, nr, file;
	char path[32];

	ctl = k_open("/dev/loop-control", O_RDWR);
	if (ctl < 0)
		return ctl;
	nr = k_ret(ioctl(ctl, LOOP_CTL_GET_FREE));
	close(ctl);
	if (nr < 0)
		return nr;
	snprintf(path, sizeof(path), "/dev/loop%d", nr);
	self->loop = k_open(path, O_RDWR);
	file = k_ret(open("disk", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
	if (self->loop < 0 || file < 0 || ftruncate(file, 1 << 16))
		return -errno;
	config.fd = file;
	if (ioctl(self->loop, LOOP_CONFIGURE, &config))
		nr = -errno;
	close(file);
	return nr;
}

static bool reply(int fuse, __u64 unique, int error, const void *arg, size_t size)
{
	struct {
		struct fuse_out_header hdr;
		struct fuse_init_out init;
	} out = {
		.hdr.len	= sizeof(out.hdr) + size,
		.hdr.error	= error,
		.hdr.unique	= unique,
	};

	if (size)
		memcpy(&out.init, arg, size);
	return write(fuse, &out, out.hdr.len) == (ssize_t)out.hdr.len;
}

static bool serve(int fuse, int say, int wait, const struct fuse_in_header *in)
{
	const struct fuse_init_out init = {
		.major		= FUSE_KERNEL_VERSION,
		.minor		= FUSE_KERNEL_MINOR_VERSION,
		.max_write	= 4096,
	};
	char c;

	switch (in->opcode) {
	case FUSE_INIT:
		c = INITIALIZED;
		return reply(fuse, in->unique, 0, &init, sizeof(init)) &&
		       write(say, &c, 1) == 1;
	case FUSE_SYNCFS:
		c = SYNCHRONIZING;
		return write(say, &c, 1) == 1 && read(wait, &c, 1) == 1 &&
		       reply(fuse, in->unique, 0, NULL, 0);
	case FUSE_DESTROY:
		return reply(fuse, in->unique, 0, NULL, 0);
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return true;
	default:
		return reply(fuse, in->unique, -EOPNOTSUPP, NULL, 0);
	}
}

static void __noreturn server(int fuse, int say, int wait)
{
	static union {
		struct fuse_in_header in;
		char space[FUSE_MIN_READ_BUFFER * 4];
	} buf;

	/* the harness has no teardown for a set-up that fails */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(fuse, &buf, sizeof(buf)) >= (ssize_t)sizeof(buf.in))
		if (!serve(fuse, say, wait, &buf.in))
			break;
	_exit(0);
}

static int said(struct _test_data_lock_remount *self)
{
	char c;

	return read(self->said, &c, 1) == 1 ? c : -1;
}

FIXTURE_SETUP(lock_remount)
{
	int fuse, nr, say[2], answer[2];
	char dev[32], data[128];

	if (geteuid())
		SKIP(return, "test requires root");
	if (!lock_set_supported())
		SKIP(return, "lock_set of struct mount_attr not supported");
	fuse = k_open("/dev/fuse", O_RDWR);
	if (fuse == -ENOENT || fuse == -ENODEV)
		SKIP(return, "no FUSE (CONFIG_FUSE_FS)");
	ASSERT_GE(fuse, 0);
	ASSERT_EQ(0, scratch_setup(self->base, sizeof(self->base)));
	ASSERT_EQ(0, chdir(self->base));
	ASSERT_EQ(0, mkdir("mnt", 0755));
	self->loop = -1;
	nr = new_loop(self);
	if (nr == -ENOENT || nr == -ENODEV)
		SKIP(goto out, "no loop devices (CONFIG_BLK_DEV_LOOP)");
	ASSERT_GE(nr, 0);

	ASSERT_EQ(0, pipe2(say, O_CLOEXEC));
	ASSERT_EQ(0, pipe2(answer, O_CLOEXEC));
	snprintf(dev, sizeof(dev), "/dev/loop%d", nr);
	snprintf(data, sizeof(data), "fd=%d,rootmode=40000,user_id=0,group_id=0", fuse);
	ASSERT_EQ(0, k_ret(sys_mount(dev, "mnt", "fuseblk", MS_NODEV | MS_NOEXEC, data)));
	self->server = fork();
	ASSERT_GE(self->server, 0);
	if (!self->server) {
		close(say[0]);
		close(answer[1]);
		server(fuse, say[1], answer[0]);
	}
	/* the server alone has it: when it is gone nobody waits for it */
	close(fuse);
	close(say[1]);
	close(answer[0]);
	self->said = say[0];
	self->answer = answer[1];
	ASSERT_EQ(INITIALIZED, said(self));
	return;
out:
	close(fuse);
	ASSERT_EQ(0, chdir("/"));
	scratch_teardown(self->base);
}

FIXTURE_TEARDOWN(lock_remount)
{
	/* nobody waits for it then */
	kill(self->server, SIGKILL);
	EXPECT_EQ(self->server, waitpid(self->server, NULL, 0));
	close(self->loop);
	ASSERT_EQ(0, chdir("/"));
	scratch_teardown(self->base);
}

static int lock(const char *path, __u64 locks)
{
	struct mount_attr_locks attr = { .lock_set = locks };

	return k_mount_setattr(AT_FDCWD, path, 0, &attr, sizeof(attr));
}

static __u64 locks_at(const char *path)
{
	struct mnt mnt;

	return mnt_at(&this_test, path, &mnt) ? ~0ULL : mnt.locks;
}

/* A remount as a process that has not got through when this returns. */
static pid_t begin_remount(struct _test_data_lock_remount *self, unsigned long flags)
{
	pid_t pid = actor_fork(&this_test);

	if (!pid)
		actor_exit(k_mount(NULL, "mnt", NULL, MS_REMOUNT | flags));
	return said(self) == SYNCHRONIZING ? pid : -1;
}

TEST_F(lock_remount, ebusy)
{
	pid_t pid = begin_remount(self, MS_NODEV);

	ASSERT_GT(pid, 0);
	/* the remount clears the one, and keeps the other: it is past that */
	EXPECT_EQ(-EBUSY, lock("mnt", MOUNT_LOCK_NOEXEC));
	EXPECT_EQ(-EBUSY, lock("mnt", MOUNT_LOCK_NODEV));
	EXPECT_EQ(-EBUSY, lock("mnt", MOUNT_LOCK_ATIME));
	EXPECT_EQ(-EBUSY, lock("mnt", MOUNT_LOCK_MOUNT | MOUNT_LOCK_NODEV));
	EXPECT_EQ(0, locks_at("mnt"));
	/* where the mount is has nothing to do with it */
	EXPECT_EQ(0, lock("mnt", MOUNT_LOCK_MOUNT));
	EXPECT_EQ(MOUNT_LOCK_MOUNT, locks_at("mnt"));
	/* nor has a clone that is made meanwhile */
	ASSERT_EQ(0, mkdir("clone", 0755));
	ASSERT_EQ(0, k_mount("mnt", "clone", NULL, MS_BIND));
	EXPECT_EQ(0, lock("clone", MOUNT_LOCK_NODEV));
	EXPECT_EQ(MOUNT_LOCK_NODEV, locks_at("clone"));

	ASSERT_EQ(1, write(self->answer, "", 1));
	EXPECT_EQ(0, actor_wait(pid));
	EXPECT_EQ(-EINVAL, lock("mnt", MOUNT_LOCK_NOEXEC));
	EXPECT_EQ(0, lock("mnt", MOUNT_LOCK_NODEV));
	EXPECT_EQ(MOUNT_LOCK_MOUNT | MOUNT_LOCK_NODEV, locks_at("mnt"));
}

/* The state of a task, as /proc/PID/stat has it. */
static char state_of(pid_t pid)
{
	char path[32], text[256], *end;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = k_open(path, O_RDONLY);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	end = strrchr(text, ')');
	return end && end[1] ? end[2] : '\0';
}

/*
 * A remount of @path as a process that waits for the one that is under way, and exits
 * with the errno: what actor_exit() says is of one process at a time.
 */
static pid_t begin_waiting_remount(const char *path, unsigned long flags)
{
	pid_t pid = actor_fork(&this_test);
	char state;

	if (!pid)
		_exit(-k_mount(NULL, path, NULL, MS_REMOUNT | flags));
	do {
		sched_yield();
		state = state_of(pid);
	} while (state == 'R' || state == 'S');
	return state == 'D' ? pid : -1;
}

/* Remounts of a superblock wait for one another, and are checked after that as well. */
TEST_F(lock_remount, eperm_locked_while_it_waits)
{
	pid_t first, second;
	int status;

	ASSERT_EQ(0, mkdir("other", 0755));
	ASSERT_EQ(0, k_mount("mnt", "other", NULL, MS_BIND));
	first = begin_remount(self, MS_NODEV | MS_NOEXEC);
	ASSERT_GT(first, 0);
	second = begin_waiting_remount("other", MS_NOEXEC);
	ASSERT_GT(second, 0);
	EXPECT_EQ(0, lock("other", MOUNT_LOCK_NODEV));
	/* an answer for each, should the second get that far */
	ASSERT_EQ(2, write(self->answer, "12", 2));
	EXPECT_EQ(0, actor_wait(first));
	ASSERT_EQ(second, waitpid(second, &status, 0));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(EPERM, WEXITSTATUS(status));
	EXPECT_EQ(MOUNT_LOCK_NODEV, locks_at("other"));
	/* no remount is under way there */
	EXPECT_EQ(0, lock("other", MOUNT_LOCK_NOEXEC));
	EXPECT_EQ(0, k_umount("other", 0));
}

/* Another mount of the superblock that is remounted. */
TEST_F(lock_remount, another_mount)
{
	pid_t pid;

	ASSERT_EQ(0, mkdir("other", 0755));
	ASSERT_EQ(0, k_mount("mnt", "other", NULL, MS_BIND));
	pid = begin_remount(self, MS_NODEV | MS_NOEXEC);
	ASSERT_GT(pid, 0);
	EXPECT_EQ(0, lock("other", MOUNT_LOCK_NODEV));
	EXPECT_EQ(MOUNT_LOCK_NODEV, locks_at("other"));
	ASSERT_EQ(1, write(self->answer, "", 1));
	EXPECT_EQ(0, actor_wait(pid));
	EXPECT_EQ(0, k_umount("other", 0));
}

TEST_HARNESS_MAIN
