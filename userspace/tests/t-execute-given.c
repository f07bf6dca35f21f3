// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is given at a stage, kind by kind: namespaces that superblocks show, superblocks,
 * what single mounts are of; and what is not what it should be.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "idmap-userns.h"
#include "staged.h"
#include "time-ns.h"

static void not_given(struct staged *x, enum mntcr_given_kind kind, uint64_t id, int fd,
		      const char *words)
{
	REQUIRE(fd >= 0);
	CHECK_EQ(staged_give(x, kind, id, fd), -1);
	if (!strstr(x->e.text, words)) {
		TAP_SAY("\"%s\" lacks \"%s\"", x->e.text, words);
		tap.bad = 1;
	}
}

static bool is_need(const struct staged *x, size_t i, enum mntcr_given_kind kind,
		    uint64_t id)
{
	struct mntcr_need n;

	if (i >= mntcr_stages_nr_needs(x->s))
		return false;
	mntcr_stages_need(x->s, i, &n);
	return n.kind == kind && n.id == id;
}

/* A descriptor of a path in the restored namespace, by a child that shares the table. */
static int in_there(int ns, const char *path, int flags)
{
	volatile int *fd = mmap(NULL, sizeof(*fd), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int got;
	pid_t pid;

	REQUIRE(fd != MAP_FAILED);
	*fd = -1;
	pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (!pid) {
		if (!setns(ns, CLONE_NEWNS))
			*fd = open(path, flags | O_CLOEXEC);
		_exit(0);
	}
	REQUIRE(pid > 0);
	wd_wait_for(pid);
	got = *fd;
	munmap((void *)fd, sizeof(*fd));
	return got;
}

/* --- namespaces ------------------------------------------------------------------- */

static void net_and_ipc(void)
{
	struct mntcr_topology *t, *back = NULL;
	struct mntcr_source src = { .type = MNTCR_SOURCE_FD };
	struct mntcr_restored *r;
	struct staged x;
	uint64_t id[2];
	int fd[2], i;

	need_stages();
	t = staged_topology();
	staged_mount(t, 101, 0, staged_sb(t, "sysfs", 0x62656572, 0), "/sys");
	staged_mount(t, 102, 0, staged_sb(t, "mqueue", 0x19800202, 0), "/mq");
	t->sbs[1].shown_type = CLONE_NEWNET;
	t->sbs[1].shown_id = 9001;
	t->sbs[2].shown_type = CLONE_NEWIPC;
	t->sbs[2].shown_id = 9002;
	x = staged_new(staged_finish(t));
	REQUIRE(!unshare(CLONE_NEWNET | CLONE_NEWIPC));
	fd[0] = openat(world_proc_fd, "self/ns/net", O_RDONLY | O_CLOEXEC);
	fd[1] = openat(world_proc_fd, "self/ns/ipc", O_RDONLY | O_CLOEXEC);
	for (i = 0; i < 2; i++)
		REQUIRE(!ioctl(fd[i], MC_NS_GET_ID, &id[i]));
	/* the restorer is in others */
	REQUIRE(!unshare(CLONE_NEWNET | CLONE_NEWIPC));
	staged_placed(&x);
	CHECK_EQ(mntcr_stages_nr_needs(x.s), 2);
	CHECK(is_need(&x, 0, MNTCR_GIVEN_NET, 9001));
	CHECK(is_need(&x, 1, MNTCR_GIVEN_IPC, 9002));
	CHECK_EQ(staged_mounts(&x), 1);
	staged_given(&x, MNTCR_GIVEN_IPC, 9002, fd[1]);
	staged_given(&x, MNTCR_GIVEN_NET, 9001, fd[0]);
	r = staged_finished(&x);
	src.fd = mntcr_restored_ns_fd(r, 0);
	REQUIRE(!mntcr_capture(&src, 1, NULL, &back, &x.e));
	REQUIRE(back->nr_mounts == 3);
	for (i = 0; i < 2; i++)
		CHECK_EQ(back->sbs[back->mounts[i + 1].sb].shown_id, id[i]);
	mntcr_topology_free(back);
	mntcr_restored_free(r);
	close(fd[0]);
	close(fd[1]);
	staged_over(&x);
}

/* --- superblocks ------------------------------------------------------------------- */

/* A tmpfs that nobody has mounted, with a directory in it. */
static int detached(void)
{
	int fs = mc_fsopen("tmpfs", MC_FSOPEN_CLOEXEC), fd;

	REQUIRE(fs >= 0 && !mc_fsconfig(fs, MC_FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	fd = mc_fsmount(fs, MC_FSMOUNT_CLOEXEC, 0);
	close(fs);
	REQUIRE(fd >= 0 && !mkdirat(fd, "a", 0755) && !mkdirat(fd, "a/in", 0755) &&
		!mkdirat(fd, "b", 0755));
	return fd;
}

static struct mntcr_topology *with_a_server(const char *type, uint64_t magic)
{
	struct mntcr_topology *t = staged_topology();

	staged_sb(t, type, magic, 0);
	staged_mount(t, 101, 0, 1, "/whole");
	staged_mount(t, 102, 0, 1, "/part")->root = mc_topology_str(t, "/a");
	staged_mount(t, 103, 1, 0, "/b");
	return staged_finish(t);
}

static void a_superblock(void)
{
	uint64_t dev = MNTCR_DEVICE(0, 201);
	struct mntcr_restored *r;
	struct staged x;
	int fd;

	need_stages();
	/* whatever the type is, the caller says that this is it */
	x = staged_new(with_a_server("fuse", 0));
	x.o.keep_fds = true;
	staged_placed(&x);
	CHECK_EQ(mntcr_stages_nr_needs(x.s), 1);
	CHECK(is_need(&x, 0, MNTCR_GIVEN_SUPERBLOCK, dev));
	CHECK_EQ(staged_mounts(&x), 1);
	fd = detached();
	staged_given(&x, MNTCR_GIVEN_SUPERBLOCK, dev, fd);
	/* the caller's is its own to close */
	close(fd);
	r = staged_finished(&x);
	CHECK(!faccessat(mntcr_restored_mount_fd(r, 0, 101), "a/in", F_OK, 0));
	CHECK(!faccessat(mntcr_restored_mount_fd(r, 0, 102), "in", F_OK, 0));
	mntcr_restored_free(r);
	staged_over(&x);
}

static void no_such_superblock(void)
{
	uint64_t dev = MNTCR_DEVICE(0, 201);
	struct staged x;
	struct mc_mount_attr idmap = { .attr_set = MOUNT_ATTR_IDMAP };
	int fd, dir, mapped, users;

	need_stages();
	fd = detached();
	x = staged_new(with_a_server("fuse", 0x65735546));
	staged_placed(&x);
	not_given(&x, MNTCR_GIVEN_SUPERBLOCK, dev, fd, "of another type of filesystem");
	staged_over(&x);
	x = staged_new(with_a_server("fuse", 0x01021994));
	staged_placed(&x);
	dir = openat(fd, "a", O_PATH | O_CLOEXEC);
	not_given(&x, MNTCR_GIVEN_SUPERBLOCK, dev, dir, "not of a mount's root");
	close(dir);
	staged_over(&x);
	/* by the name of its type alone */
	x = staged_new(with_a_server("ramfs", 0));
	x.so.give = &(struct mntcr_given){ MNTCR_GIVEN_SUPERBLOCK, dev };
	x.so.nr_give = 1;
	REQUIRE(!mkdir("/tmp/other", 0755) && !mount("none", "/tmp/other", "tmpfs", 0, NULL));
	staged_placed(&x);
	dir = open("/tmp/other", O_PATH | O_CLOEXEC);
	not_given(&x, MNTCR_GIVEN_SUPERBLOCK, dev, dir, "of another type of filesystem");
	close(dir);
	REQUIRE(!umount("/tmp/other") && !rmdir("/tmp/other"));
	staged_over(&x);
	/* a mount of a part of one */
	x = staged_new(with_a_server("fuse", 0));
	REQUIRE(!mkdir("/tmp/other", 0755) && !mount("none", "/tmp/other", "tmpfs", 0, NULL));
	REQUIRE(!mkdir("/tmp/other/in", 0755) && !mkdir("/tmp/other/in/a", 0755) &&
		!mount("/tmp/other/in", "/tmp/other/in", NULL, MS_BIND, NULL));
	staged_placed(&x);
	dir = open("/tmp/other/in", O_PATH | O_CLOEXEC);
	not_given(&x, MNTCR_GIVEN_SUPERBLOCK, dev, dir, "of a mount of a part of a filesystem");
	close(dir);
	REQUIRE(!umount("/tmp/other/in") && !umount("/tmp/other") && !rmdir("/tmp/other"));
	staged_over(&x);
	/* clones of one with an idmap would have it, too */
	x = staged_new(with_a_server("fuse", 0));
	users = idmap_userns("0 1000 10");
	mapped = mc_open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	idmap.userns_fd = (uint64_t)users;
	REQUIRE(users >= 0 && mapped >= 0);
	REQUIRE(!mc_mount_setattr(mapped, "", AT_EMPTY_PATH, &idmap, MC_MOUNT_ATTR_SIZE_VER0));
	REQUIRE(!mkdir("/tmp/other", 0755) &&
		!mc_move_mount(mapped, "", AT_FDCWD, "/tmp/other", MOVE_MOUNT_F_EMPTY_PATH));
	staged_placed(&x);
	not_given(&x, MNTCR_GIVEN_SUPERBLOCK, dev, mapped, "of an idmapped mount");
	close(mapped);
	close(users);
	REQUIRE(!umount("/tmp/other") && !rmdir("/tmp/other"));
	staged_over(&x);
	/* a root that it lacks */
	x = staged_new(with_a_server("fuse", 0));
	staged_placed(&x);
	REQUIRE(!unlinkat(fd, "a/in", AT_REMOVEDIR) && !unlinkat(fd, "a", AT_REMOVEDIR));
	not_given(&x, MNTCR_GIVEN_SUPERBLOCK, dev, fd,
		  "its root is below that of its superblock");
	CHECK(strstr(x.e.text, "but what is given leads to what has nothing at a"));
	CHECK_EQ(x.e.code, MNTCR_REFUSED);
	CHECK(!strcmp(x.e.rule, "external-root"));
	staged_over(&x);
	close(fd);
}

/* What is mounted on in it. */
static void a_superblock_without_a_mountpoint(void)
{
	struct mntcr_topology *t = staged_topology();
	struct staged x;
	int fd;

	need_stages();
	staged_sb(t, "fuse", 0, 0);
	staged_mount(t, 101, 0, 1, "/whole");
	staged_mount(t, 102, 1, 0, "/a/x");
	x = staged_new(staged_finish(t));
	staged_placed(&x);
	fd = detached();
	not_given(&x, MNTCR_GIVEN_SUPERBLOCK, MNTCR_DEVICE(0, 201), fd,
		  "what is given has nothing at a/x to mount it on");
	CHECK(!strcmp(x.e.rule, "external-mountpoint"));
	close(fd);
	staged_over(&x);
}

/* The stand-in is this process, which mounts it somewhere and is not asked yet. */
static void an_automount(void)
{
	struct mntcr_topology *t;
	struct mntcr_restored *r;
	struct staged x;
	char options[128];
	struct stat a, b;
	int ask[2], fd;

	need_stages();
	REQUIRE(!pipe2(ask, O_CLOEXEC | O_NONBLOCK) && !mkdir("/tmp/auto", 0755));
	t = staged_topology();
	staged_mount(t, 101, 0, staged_sb(t, "autofs", 0x187, 0), "/auto");
	x = staged_new(staged_finish(t));
	x.o.keep_fds = true;
	staged_placed(&x);
	snprintf(options, sizeof(options),
		 "fd=%d,pgrp=%d,minproto=5,maxproto=5,direct", ask[1], (int)getpgrp());
	REQUIRE(!mount("stand-in", "/tmp/auto", "autofs", 0, options));
	fd = open("/tmp/auto", O_PATH | O_CLOEXEC);
	staged_given(&x, MNTCR_GIVEN_SUPERBLOCK, MNTCR_DEVICE(0, 201), fd);
	r = staged_finished(&x);
	CHECK(!fstat(fd, &a) && !fstat(mntcr_restored_mount_fd(r, 0, 101), &b));
	CHECK(a.st_dev == b.st_dev && a.st_ino == b.st_ino);
	close(fd);
	REQUIRE(!umount2("/tmp/auto", MNT_DETACH) && !rmdir("/tmp/auto"));
	CHECK_ERRNO(read(ask[0], options, sizeof(options)), EAGAIN);
	mntcr_restored_free(r);
	staged_over(&x);
	close(ask[0]);
	close(ask[1]);
}

/* --- mounts -------------------------------------------------------------------------- */

static struct mntcr_topology *with_a_terminal(void)
{
	struct mntcr_topology *t = staged_topology();
	struct mc_mount *m;

	staged_sb(t, "devpts", 0x1cd1, 0);
	t->sbs[1].options = mc_topology_str(t, "mode=600,ptmxmode=666");
	staged_mount(t, 101, 0, 1, "/pts");
	m = staged_mount(t, 102, 0, 1, "/console");
	m->root = mc_topology_str(t, "/0");
	m->mp_type = MC_MP_OTHER;
	m->root_file = (struct mc_file){ .mode = S_IFCHR | 0600, .major = 136 };
	m->mp_file = (struct mc_file){ .mode = S_IFREG | 0600 };
	return staged_finish(t);
}

static void a_terminal(void)
{
	struct mntcr_restored *r = NULL;
	int master, fd, unlock = 0;
	struct staged x;
	struct stat a, b;

	need_stages();
	x = staged_new(with_a_terminal());
	CHECK_EQ(mntcr_restore(x.t, &x.o, &r, &x.e), -1);
	CHECK_STR(x.e.rule, "no-such-terminal");
	staged_over(&x);
	x = staged_new(with_a_terminal());
	x.o.keep_fds = true;
	staged_placed(&x);
	CHECK_EQ(mntcr_stages_nr_needs(x.s), 1);
	CHECK(is_need(&x, 0, MNTCR_GIVEN_MOUNT, 102));
	CHECK_EQ(staged_mounts(&x), 2);
	master = in_there(mntcr_stages_ns_fd(x.s, 0), "/pts/ptmx", O_RDWR | O_NOCTTY);
	REQUIRE(master >= 0 && !ioctl(master, TIOCSPTLCK, &unlock));
	fd = in_there(mntcr_stages_ns_fd(x.s, 0), "/pts/0", O_PATH);
	staged_given(&x, MNTCR_GIVEN_MOUNT, 102, fd);
	r = staged_finished(&x);
	CHECK(!fstat(fd, &a) && !fstat(mntcr_restored_mount_fd(r, 0, 102), &b));
	CHECK(a.st_dev == b.st_dev && a.st_ino == b.st_ino && S_ISCHR(b.st_mode));
	close(fd);
	close(master);
	mntcr_restored_free(r);
	staged_over(&x);
}

static void no_such_terminal(void)
{
	struct staged x;
	int fd;

	need_stages();
	x = staged_new(with_a_terminal());
	staged_placed(&x);
	fd = in_there(mntcr_stages_ns_fd(x.s, 0), "/pts", O_PATH);
	not_given(&x, MNTCR_GIVEN_MOUNT, 102, fd, "of another type of file");
	close(fd);
	staged_over(&x);
	/* of the caller's devpts */
	x = staged_new(with_a_terminal());
	REQUIRE(!mkdir("/tmp/pts", 0700) &&
		!mount("none", "/tmp/pts", "devpts", 0, "newinstance"));
	staged_placed(&x);
	fd = open("/tmp/pts/ptmx", O_PATH | O_CLOEXEC);
	not_given(&x, MNTCR_GIVEN_MOUNT, 102, fd, "not of the superblock that was restored");
	close(fd);
	REQUIRE(!umount("/tmp/pts") && !rmdir("/tmp/pts"));
	staged_over(&x);
}

static struct mntcr_topology *with_a_process(void)
{
	struct mntcr_topology *t = staged_topology();

	staged_sb(t, "proc", 0x9fa0, PID_INO(0));
	t->sbs[1].pidns_depth = 1;
	staged_mount(t, 101, 0, 1, "/proc");
	staged_mount(t, 102, 0, 1, "/one")->root = mc_topology_str(t, "/1");
	return staged_finish(t);
}

/* Its init comes into a pid namespace that was made, and then its directory is there. */
static void a_process(void)
{
	struct mntcr_restored *r = NULL;
	struct mntcr_made made;
	struct staged x;
	struct staged_pid pid;
	int fd;

	need_stages();
	x = staged_new(with_a_process());
	CHECK_EQ(mntcr_restore(x.t, &x.o, &r, &x.e), -1);
	CHECK_STR(x.e.rule, "no-such-process");
	staged_over(&x);
	x = staged_new(with_a_process());
	x.o.keep_fds = true;
	staged_placed(&x);
	CHECK(is_need(&x, 0, MNTCR_GIVEN_MOUNT, 102));
	REQUIRE(mntcr_stages_nr_made(x.s) == 1);
	mntcr_stages_made(x.s, 0, &made);
	CHECK_STR(made.kind, "pid");
	CHECK_EQ(made.id, PID_INO(0));
	pid = staged_pid_with_init(made.fd);
	fd = in_there(mntcr_stages_ns_fd(x.s, 0), "/proc/1", O_PATH);
	staged_given(&x, MNTCR_GIVEN_MOUNT, 102, fd);
	close(fd);
	r = staged_finished(&x);
	fd = openat(mntcr_restored_mount_fd(r, 0, 102), "ns/pid", O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	mc_close(fd);
	mntcr_restored_free(r);
	staged_pid_free(&pid);
	staged_over(&x);
}

static pid_t with_our_files(void)
{
	return (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
}

static void stay(void)
{
	for (;;)
		pause();
}

/*
 * An init in the pid namespace made, and by it one in a namespace below, of which to
 * gets the descriptor.  Whoever keeps the first is killed to end both.
 */
static pid_t two_inits(int made, int to)
{
	pid_t keeper = with_our_files();
	int fd;

	if (keeper)
		return keeper;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || setns(made, CLONE_NEWPID))
		_exit(1);
	if (with_our_files())
		stay();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getpid() != 1 || unshare(CLONE_NEWPID))
		_exit(1);
	fd = openat(world_proc_fd, "self/ns/pid_for_children", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		_exit(1);
	if (!fork()) {
		/* it is there before anybody is told */
		if (getpid() != 1 || write(to, &fd, sizeof(fd)) != sizeof(fd))
			_exit(1);
		stay();
	}
	stay();
	return 0;
}

static void one_is_made_and_one_below_it_given(void)
{
	struct mntcr_restored *r;
	struct mntcr_topology *t;
	struct mntcr_made made;
	int tell[2], fd, proc;
	struct staged x;
	pid_t keeper;

	need_stages();
	t = staged_topology();
	staged_mount(t, 101, 0, staged_sb(t, "proc", 0x9fa0, PID_INO(0)), "/outer");
	staged_mount(t, 102, 0, staged_sb(t, "proc", 0x9fa0, PID_INO(1)), "/inner");
	t->sbs[1].pidns_depth = 1;
	x = staged_new(staged_finish(t));
	x.o.keep_fds = true;
	staged_placed(&x);
	CHECK_EQ(mntcr_stages_nr_needs(x.s), 1);
	CHECK(is_need(&x, 0, MNTCR_GIVEN_PID, PID_INO(1)));
	REQUIRE(mntcr_stages_nr_made(x.s) == 1);
	mntcr_stages_made(x.s, 0, &made);
	REQUIRE(!pipe2(tell, O_CLOEXEC));
	keeper = two_inits(made.fd, tell[1]);
	REQUIRE(keeper > 0 && read(tell[0], &fd, sizeof(fd)) == sizeof(fd));
	staged_given(&x, MNTCR_GIVEN_PID, PID_INO(1), fd);
	r = staged_finished(&x);
	proc = openat(mntcr_restored_mount_fd(r, 0, 102), "1/ns/pid", O_RDONLY | O_CLOEXEC);
	CHECK_EQ(staged_ino(proc), staged_ino(fd));
	mc_close(proc);
	/* it is 2 in the one above, where 1 is another */
	proc = openat(mntcr_restored_mount_fd(r, 0, 101), "2/ns/pid", O_RDONLY | O_CLOEXEC);
	CHECK_EQ(staged_ino(proc), staged_ino(fd));
	mc_close(proc);
	CHECK(!faccessat(mntcr_restored_mount_fd(r, 0, 101), "1", F_OK, 0));
	CHECK_ERRNO(faccessat(mntcr_restored_mount_fd(r, 0, 102), "2", F_OK, 0), ENOENT);
	mntcr_restored_free(r);
	kill(keeper, SIGKILL);
	wd_wait_for(keeper);
	close(fd);
	close(tell[0]);
	close(tell[1]);
	staged_over(&x);
}

/* Of one that lay below the one that is made, one beside that is given. */
static void one_that_is_not_below(void)
{
	struct mntcr_topology *t;
	struct staged_pid beside;
	struct staged x;

	need_stages();
	beside = staged_pid_new();
	t = staged_topology();
	staged_mount(t, 101, 0, staged_sb(t, "proc", 0x9fa0, PID_INO(0)), "/outer");
	staged_mount(t, 102, 0, staged_sb(t, "proc", 0x9fa0, PID_INO(1)), "/inner");
	t->sbs[1].pidns_depth = 1;
	x = staged_new(staged_finish(t));
	staged_placed(&x);
	staged_given(&x, MNTCR_GIVEN_PID, PID_INO(1), beside.fd);
	REQUIRE(!staged_fails(&x, mntcr_stages_delayed(x.s, &x.e)));
	CHECK_EQ(mntcr_stages_share(x.s, &x.e), -1);
	CHECK_STR(x.e.rule, "given-namespace-depth");
	if (!strstr(x.e.text, "pid:[5000] and pid:[5001] lay 1 and 2 levels below the dumper's, and what is there for them lies 1 and 1 below"))
		CHECK_STR(x.e.text, "");
	staged_over(&x);
	staged_pid_free(&beside);
}

/* As deep as it was, and in another one than what is made: nobody in it is seen there. */
static void one_in_another(void)
{
	static const uint64_t above[] = { PID_INO(0) };
	struct mntcr_topology *t;
	struct staged x;

	need_stages();
	t = staged_topology();
	staged_mount(t, 101, 0, staged_sb(t, "proc", 0x9fa0, PID_INO(0)), "/outer");
	staged_mount(t, 102, 0, staged_sb(t, "proc", 0x9fa0, PID_INO(1)), "/inner");
	t->sbs[1].pidns_depth = 1;
	t->sbs[2].pidns_above = above;
	x = staged_new(staged_finish(t));
	staged_placed(&x);
	staged_given(&x, MNTCR_GIVEN_PID, PID_INO(1), x.pid[0].fd);
	REQUIRE(!staged_fails(&x, mntcr_stages_delayed(x.s, &x.e)));
	CHECK_EQ(mntcr_stages_share(x.s, &x.e), -1);
	CHECK_STR(x.e.rule, "given-namespace-parent");
	CHECK(strstr(x.e.text, "pid:[5001] lay in pid:[5000], and what is there for it does not"));
	staged_over(&x);
}

/* What a capture tells of it. */
static void is_told(struct staged *x, struct mntcr_restored *r)
{
	const struct mntcr_source src = {
		.type = MNTCR_SOURCE_FD, .fd = mntcr_restored_ns_fd(r, 0),
	};
	struct mntcr_topology *t = NULL;
	uint32_t i, seen = 0;
	int p, up;

	REQUIRE(!staged_fails(x, mntcr_capture(&src, 1, NULL, &t, &x->e)));
	for (i = 0; i < t->nr_sbs; i++) {
		for (p = 0; p < 2 && t->sbs[i].pidns_ino != staged_ino(x->pid[p].fd); p++)
			;
		if (p == 2)
			continue;
		up = ioctl(x->pid[p].fd, MC_NS_GET_PARENT);
		CHECK_EQ(t->sbs[i].pidns_depth, 2);
		REQUIRE(t->sbs[i].pidns_above);
		CHECK_EQ(t->sbs[i].pidns_above[0], staged_ino(up));
		close(up);
		seen++;
	}
	CHECK_EQ(seen, 2);
	mntcr_topology_free(t);
}

/* Beside one another, or of two: as the image says. */
static void two_in_one(void)
{
	static const uint64_t above[2][1] = { { 4000 }, { 4001 } };
	struct mntcr_restored *r = NULL;
	struct mntcr_topology *t;
	struct staged x;
	int i, same;

	need_stages();
	for (i = 0; i < 4; i++) {
		same = i / 2;
		t = staged_topology();
		staged_mount(t, 101, 0, staged_sb(t, "proc", 0x9fa0, PID_INO(0)), "/one");
		staged_mount(t, 102, 0, staged_sb(t, "proc", 0x9fa0, PID_INO(1)), "/two");
		t->sbs[1].pidns_above = above[0];
		t->sbs[2].pidns_above = above[i % 2];
		x = staged_new(staged_finish(t));
		staged_placed(&x);
		staged_given(&x, MNTCR_GIVEN_PID, PID_INO(0), x.pid[0].fd);
		staged_given(&x, MNTCR_GIVEN_PID, PID_INO(1), x.pid[same ? 0 : 1].fd);
		REQUIRE(!staged_fails(&x, mntcr_stages_delayed(x.s, &x.e)));
		if (i == 1) {
			REQUIRE(!staged_fails(&x, mntcr_stages_share(x.s, &x.e)));
			REQUIRE(!staged_fails(&x, mntcr_stages_end(x.s, &r, &x.e)));
			is_told(&x, r);
			mntcr_restored_free(r);
		} else {
			CHECK_EQ(mntcr_stages_share(x.s, &x.e), -1);
			CHECK_STR(x.e.rule, "given-namespace-parent");
		}
		staged_over(&x);
	}
}

/* A proc that waits for its namespace, and the file of that, as a mount's. */
static void a_proc_and_a_file_given(void)
{
	struct staged_pid pid[2];
	struct mntcr_topology *t;
	struct mc_mount *m;
	struct staged x;
	int i;

	need_stages();
	for (i = 0; i < 2; i++)
		pid[i] = staged_pid_new();
	for (i = 0; i < 2; i++) {
		const struct mntcr_given what = { MNTCR_GIVEN_MOUNT, 102 };

		t = staged_topology();
		staged_mount(t, 101, 0, staged_sb(t, "proc", 0x9fa0, PID_INO(0)), "/proc");
		m = staged_mount(t, 102, 0, staged_sb(t, "nsfs", 0x6e736673, 0), "/file");
		m->root = mc_topology_str(t, "pid:[5000]");
		m->mp_type = MC_MP_OTHER;
		m->nsfs_type = CLONE_NEWPID;
		m->nsfs_ino = PID_INO(0);
		x = staged_new(staged_finish(t));
		x.so.give = &what;
		x.so.nr_give = 1;
		staged_placed(&x);
		staged_given(&x, MNTCR_GIVEN_PID, PID_INO(0), pid[0].fd);
		staged_given(&x, what.kind, what.id, pid[i].fd);
		if (i) {
			REQUIRE(!staged_fails(&x, mntcr_stages_delayed(x.s, &x.e)));
			CHECK_EQ(mntcr_stages_share(x.s, &x.e), -1);
			CHECK_STR(x.e.rule, "two-namespaces");
		} else {
			mntcr_restored_free(staged_finished(&x));
		}
		staged_over(&x);
	}
	staged_pid_free(&pid[0]);
	staged_pid_free(&pid[1]);
}

/* What it is given as: its mount waits for that, or the namespace is chosen to be given. */
static void a_file_of(const char *type, uint32_t nstype, const char *live,
		      const struct mntcr_given *give)
{
	struct mntcr_restored *r;
	struct mntcr_topology *t;
	char root[64];
	struct mc_mount *m;
	struct staged x;
	int fd;

	need_stages();
	t = staged_topology();
	staged_sb(t, "nsfs", 0x6e736673, 0);
	m = staged_mount(t, 101, 0, 1, "/file");
	snprintf(root, sizeof(root), "%s:[4026539999]", type);
	m->root = mc_topology_str(t, root);
	m->mp_type = MC_MP_OTHER;
	m->root_file = (struct mc_file){ .mode = S_IFREG | 0444 };
	m->nsfs_type = nstype;
	m->nsfs_ino = 4026539999;
	x = staged_new(staged_finish(t));
	x.so.give = give;
	x.so.nr_give = give->kind != MNTCR_GIVEN_MOUNT;
	x.o.keep_fds = true;
	staged_placed(&x);
	CHECK(is_need(&x, 0, give->kind, give->id));
	fd = open(live, O_RDONLY | O_CLOEXEC);
	staged_given(&x, give->kind, give->id, fd);
	r = staged_finished(&x);
	CHECK_EQ(staged_ino(mntcr_restored_mount_fd(r, 0, 101)), staged_ino(fd));
	close(fd);
	mntcr_restored_free(r);
	staged_over(&x);
}

/* Of a namespace that is none of the image's. */
static void a_namespace_file(void)
{
	a_file_of("net", CLONE_NEWNET, "/proc/self/ns/net",
		  &(struct mntcr_given){ MNTCR_GIVEN_MOUNT, 101 });
}

/* Of a user namespace that owns nothing that the image has: any will do. */
static void a_user_namespace_file(void)
{
	a_file_of("user", CLONE_NEWUSER, "/proc/self/ns/user",
		  &(struct mntcr_given){ MNTCR_GIVEN_USER, 4026539999 });
}

/* What shows a namespace, 101, and its file, 102; nobody else of the image has either. */
static const struct {
	const char *type, *file, *live;
	uint64_t magic;
	uint32_t nstype;
	enum mntcr_given_kind kind;
	uint64_t id;
} with_file[] = {
	{ "proc", "pid:[5000]", "pid", 0x9fa0, CLONE_NEWPID, MNTCR_GIVEN_PID, PID_INO(0) },
	{ "sysfs", "net:[5000]", "net", 0x62656572, CLONE_NEWNET, MNTCR_GIVEN_NET, 70 },
	{ "mqueue", "ipc:[5000]", "ipc", 0x19800202, CLONE_NEWIPC, MNTCR_GIVEN_IPC, 70 },
};

static struct mntcr_topology *shown_with_file(size_t i)
{
	struct mntcr_topology *t = staged_topology();
	bool pid = with_file[i].nstype == CLONE_NEWPID;
	struct mc_mount *m;

	REQUIRE(!mc_topology_add_userns(t));
	t->userns[0].dumper = true;
	staged_sb(t, with_file[i].type, with_file[i].magic, pid ? PID_INO(0) : 0);
	t->sbs[1].userns = 0;
	if (pid) {
		t->sbs[1].pidns_depth = 1;
	} else {
		t->sbs[1].shown_type = with_file[i].nstype;
		t->sbs[1].shown_id = with_file[i].id;
		t->sbs[1].shown_owner = 0;
	}
	staged_sb(t, "nsfs", 0x6e736673, 0);
	m = staged_mount(t, 101, 0, 1, "/shows");
	/* nobody but who makes the namespace says whose its queues are */
	if (with_file[i].nstype == CLONE_NEWIPC)
		m->root_file = (struct mc_file){ .mode = S_IFDIR | 01777, .uid = 12, .gid = 13 };
	m = staged_mount(t, 102, 0, 2, "/file");
	m->root = mc_topology_str(t, with_file[i].file);
	m->mp_type = MC_MP_OTHER;
	m->nsfs_type = with_file[i].nstype;
	m->nsfs_ino = PID_INO(0);
	m->nsfs_id = pid ? 0 : with_file[i].id;
	m->nsfs_owner = pid ? MC_NONE : 0;
	return staged_finish(t);
}

/* Does the one that was made for, or given as it, have an init that the proc shows as 1? */
static void has_init(struct mntcr_restored *r)
{
	int file = in_there(mntcr_restored_ns_fd(r, 0), "/file", O_RDONLY), proc;
	struct staged_pid init;

	REQUIRE(file >= 0);
	init = staged_pid_with_init(file);
	proc = openat(mntcr_restored_mount_fd(r, 0, 101), "1/ns/pid", O_RDONLY | O_CLOEXEC);
	CHECK_EQ(staged_ino(proc), staged_ino(file));
	mc_close(proc);
	staged_pid_free(&init);
	close(file);
}

/* One that is made is the same for both, and whoever finds the file can go in. */
static void files_of_what_is_made(void)
{
	struct mntcr_restored *r;
	struct mntcr_made made;
	struct staged x;
	struct stat st;
	ino_t ino;
	size_t i;

	need_stages();
	for (i = 0; i < MC_ARRAY_SIZE(with_file); i++) {
		x = staged_new(shown_with_file(i));
		x.o.keep_fds = true;
		staged_placed(&x);
		CHECK_EQ(mntcr_stages_nr_needs(x.s), 0);
		REQUIRE(mntcr_stages_nr_made(x.s) == 1);
		mntcr_stages_made(x.s, 0, &made);
		CHECK_STR(made.kind, with_file[i].live);
		CHECK_EQ(made.id, with_file[i].id);
		ino = staged_ino(made.fd);
		r = staged_finished(&x);
		CHECK_EQ(staged_ino(mntcr_restored_mount_fd(r, 0, 102)), ino);
		if (with_file[i].nstype == CLONE_NEWPID)
			has_init(r);
		if (with_file[i].nstype == CLONE_NEWIPC) {
			REQUIRE(!fstat(mntcr_restored_mount_fd(r, 0, 101), &st));
			CHECK_EQ(st.st_uid, 12);
			CHECK_EQ(st.st_gid, 13);
		}
		mntcr_restored_free(r);
		staged_over(&x);
	}
}

static void files_of_what_is_given(void)
{
	struct mntcr_restored *r;
	struct mntcr_given what = { 0 };
	struct staged x;
	char path[32];
	size_t i;
	int fd;

	need_stages();
	for (i = 0; i < MC_ARRAY_SIZE(with_file); i++) {
		x = staged_new(shown_with_file(i));
		x.o.keep_fds = true;
		what.kind = with_file[i].kind;
		what.id = with_file[i].id;
		x.so.give = &what;
		x.so.nr_give = 1;
		staged_placed(&x);
		CHECK_EQ(mntcr_stages_nr_needs(x.s), 1);
		CHECK_EQ(mntcr_stages_nr_made(x.s), 0);
		snprintf(path, sizeof(path), "self/ns/%s", with_file[i].live);
		fd = openat(world_proc_fd, path, O_RDONLY | O_CLOEXEC);
		staged_given(&x, what.kind, what.id, fd);
		r = staged_finished(&x);
		CHECK_EQ(staged_ino(mntcr_restored_mount_fd(r, 0, 102)), staged_ino(fd));
		close(fd);
		mntcr_restored_free(r);
		staged_over(&x);
	}
}

/* The caller's namespace, and another one of that type. */
static void two_namespaces(size_t i, int fd[2], struct staged_pid *init)
{
	char path[40];
	pid_t pid;
	int ready[2];

	snprintf(path, sizeof(path), "self/ns/%s", with_file[i].live);
	fd[0] = openat(world_proc_fd, path, O_RDONLY | O_CLOEXEC);
	REQUIRE(fd[0] >= 0);
	if (with_file[i].nstype == CLONE_NEWPID) {
		/* no proc can be made of one whose init is gone */
		*init = staged_pid_new();
		fd[1] = dup(init->fd);
		REQUIRE(fd[1] >= 0);
		return;
	}
	REQUIRE(!pipe2(ready, O_CLOEXEC));
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare((int)with_file[i].nstype) || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	REQUIRE(pid > 0 && read(ready[0], path, 1) == 1);
	close(ready[0]);
	close(ready[1]);
	snprintf(path, sizeof(path), "%d/ns/%s", (int)pid, with_file[i].live);
	fd[1] = openat(world_proc_fd, path, O_RDONLY | O_CLOEXEC);
	REQUIRE(fd[1] >= 0);
	kill(pid, SIGKILL);
	wd_wait_for(pid);
}

static const char *fd_path(int fd, char *buf, size_t size)
{
	snprintf(buf, size, "/proc/self/fd/%d", fd);
	return buf;
}

/* Each by itself is what it should be, and together they are of two. */
static void two_that_were_one(void)
{
	struct mntcr_external ext[2];
	struct mntcr_given what;
	char path[2][40], dev[32];
	struct staged_pid init = { .fd = -1 };
	struct mntcr_restored *r;
	struct staged x;
	int fd[2], shows, fs;
	size_t i;

	need_stages();
	for (i = 0; i < MC_ARRAY_SIZE(with_file); i++) {
		two_namespaces(i, fd, &init);
		fs = mc_fsopen(with_file[i].type, 1);
		REQUIRE(fs >= 0 && !mc_fsconfig(fs, MC_FSCONFIG_CMD_CREATE, NULL, NULL, 0));
		shows = mc_fsmount(fs, 1, 0);
		close(fs);
		REQUIRE(shows >= 0);
		/* by paths: the superblock, and the file */
		x = staged_new(shown_with_file(i));
		x.o.keep_fds = true;
		snprintf(dev, sizeof(dev), "%u:%u", x.t->sbs[1].major, x.t->sbs[1].minor);
		ext[0] = (struct mntcr_external){
			.key = dev, .path = fd_path(shows, path[0], sizeof(path[0])) };
		ext[1] = (struct mntcr_external){
			.key = with_file[i].file, .path = fd_path(fd[1], path[1], sizeof(path[1])) };
		x.o.externals = ext;
		x.o.nr_externals = 2;
		CHECK_EQ(mntcr_restore(x.t, &x.o, &r, &x.e), -1);
		CHECK_STR(x.e.rule, "two-namespaces");
		ext[1].path = fd_path(fd[0], path[1], sizeof(path[1]));
		REQUIRE(!staged_fails(&x, mntcr_restore(x.t, &x.o, &r, &x.e)));
		mntcr_restored_free(r);
		/* the file by a path, and the namespace at a stage */
		what = (struct mntcr_given){ with_file[i].kind, with_file[i].id };
		x.so.give = &what;
		x.so.nr_give = 1;
		x.o.externals = ext + 1;
		x.o.nr_externals = 1;
		staged_placed(&x);
		staged_given(&x, what.kind, what.id, fd[1]);
		REQUIRE(!staged_fails(&x, mntcr_stages_delayed(x.s, &x.e)));
		CHECK_EQ(mntcr_stages_share(x.s, &x.e), -1);
		CHECK_STR(x.e.rule, "two-namespaces");
		mntcr_stages_free(x.s);
		staged_placed(&x);
		staged_given(&x, what.kind, what.id, fd[0]);
		mntcr_restored_free(staged_finished(&x));
		mntcr_stages_free(x.s);
		/* the file as a mount of one, and the namespace is made */
		what = (struct mntcr_given){ MNTCR_GIVEN_MOUNT, 102 };
		x.o.nr_externals = 0;
		staged_placed(&x);
		staged_given(&x, what.kind, what.id, fd[1]);
		REQUIRE(!staged_fails(&x, mntcr_stages_delayed(x.s, &x.e)));
		CHECK_EQ(mntcr_stages_share(x.s, &x.e), -1);
		CHECK_STR(x.e.rule, "two-namespaces");
		staged_over(&x);
		if (with_file[i].nstype == CLONE_NEWPID)
			staged_pid_free(&init);
		close(shows);
		close(fd[0]);
		close(fd[1]);
	}
}

#define TIME_INO	4026540000U
#define AHEAD		100000

/* Its file, twice. */
static struct mntcr_topology *with_a_time_namespace(void)
{
	struct mntcr_topology *t = staged_topology();
	struct mc_mount *m;
	uint64_t id;

	staged_sb(t, "nsfs", 0x6e736673, 0);
	for (id = 101; id < 103; id++) {
		m = staged_mount(t, id, 0, 1, id == 101 ? "/time" : "/again");
		m->root = mc_topology_str(t, "time:[4026540000]");
		m->mp_type = MC_MP_OTHER;
		m->nsfs_type = CLONE_NEWTIME;
		m->nsfs_ino = TIME_INO;
	}
	return staged_finish(t);
}

static void check_time(struct mntcr_restored *r, int time)
{
	int fd = in_there(mntcr_restored_ns_fd(r, 0), "/time", O_RDONLY), i;

	for (i = 0; i < 2; i++)
		CHECK_EQ(staged_ino(mntcr_restored_mount_fd(r, 0, 101 + i)), staged_ino(time));
	/* whoever finds it there can go in */
	CHECK(fd >= 0 && time_ns_is_ahead(fd, AHEAD));
	mc_close(fd);
	mntcr_restored_free(r);
}

/* No superblock shows one, and nobody but the caller makes one. */
static void a_time_namespace(void)
{
	const struct mntcr_given what = { .kind = MNTCR_GIVEN_TIME, .id = TIME_INO };
	struct mntcr_need need;
	struct mntcr_restored *r = NULL;
	struct staged x;
	int time, net;

	need_stages();
	time = time_ns_new(world_proc_fd, AHEAD);
	if (time < 0)
		SKIP("this kernel has no time namespaces");
	CHECK(time_ns_is_ahead(time, AHEAD));
	x = staged_new(with_a_time_namespace());
	CHECK_EQ(mntcr_restore(x.t, &x.o, &r, &x.e), -1);
	CHECK_STR(x.e.rule, "namespace-not-given");
	/* as such, for both */
	x.o.keep_fds = true;
	x.so.give = &what;
	x.so.nr_give = 1;
	staged_placed(&x);
	CHECK_EQ(mntcr_stages_nr_needs(x.s), 1);
	CHECK(is_need(&x, 0, MNTCR_GIVEN_TIME, TIME_INO));
	mntcr_stages_need(x.s, 0, &need);
	CHECK_EQ(need.nr_mounts, 2);
	CHECK_EQ(mntcr_stages_nr_made(x.s), 0);
	CHECK_EQ(staged_mounts(&x), 1);
	staged_given(&x, MNTCR_GIVEN_TIME, TIME_INO, time);
	check_time(staged_finished(&x), time);
	staged_over(&x);
	/* each mount by itself */
	x = staged_new(with_a_time_namespace());
	x.o.keep_fds = true;
	staged_placed(&x);
	CHECK_EQ(mntcr_stages_nr_needs(x.s), 2);
	CHECK(is_need(&x, 1, MNTCR_GIVEN_MOUNT, 102));
	staged_given(&x, MNTCR_GIVEN_MOUNT, 102, time);
	staged_given(&x, MNTCR_GIVEN_MOUNT, 101, time);
	check_time(staged_finished(&x), time);
	staged_over(&x);
	/* another kind of namespace is not taken for it */
	x = staged_new(with_a_time_namespace());
	x.so.give = &what;
	x.so.nr_give = 1;
	staged_placed(&x);
	net = openat(world_proc_fd, "self/ns/net", O_RDONLY | O_CLOEXEC);
	not_given(&x, MNTCR_GIVEN_TIME, TIME_INO, net, "a namespace's of another kind");
	close(net);
	staged_over(&x);
	close(time);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	world_start();
	alarm(100);
	TAP_RUN(net_and_ipc);
	TAP_RUN(a_superblock);
	TAP_RUN(no_such_superblock);
	TAP_RUN(a_superblock_without_a_mountpoint);
	TAP_RUN(a_terminal);
	TAP_RUN(no_such_terminal);
	TAP_RUN(a_process);
	TAP_RUN(one_is_made_and_one_below_it_given);
	TAP_RUN(one_that_is_not_below);
	TAP_RUN(one_in_another);
	TAP_RUN(two_in_one);
	TAP_RUN(a_proc_and_a_file_given);
	TAP_RUN(an_automount);
	TAP_RUN(a_namespace_file);
	TAP_RUN(a_user_namespace_file);
	TAP_RUN(files_of_what_is_made);
	TAP_RUN(files_of_what_is_given);
	TAP_RUN(two_that_were_one);
	TAP_RUN(a_time_namespace);
	return tap_done();
}
