// SPDX-License-Identifier: GPL-2.0
/*
 * Calls that meet one another at the worst of times, round after round: a remount
 * and a lock on what it changes; several groups that one mount is to join;
 * everything that works across namespaces and the end of the namespace. Each round
 * has to end in one of the ways it may end.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sys/vfs.h>

#include "mount_rounds.h"

#define LOCKS		(MOUNT_LOCK_NODEV | MOUNT_LOCK_NOSUID | MOUNT_LOCK_NOEXEC)
#define LOCKED		(MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)

/* Descriptors of a namespace, that its end does not close. */
struct target {
	int nsfs;		/* the last reference, in every other round */
	int source, dst, member;
	__u64 id;		/* of the source */
};

/* What the test tells its workers besides. */
static struct told {
	int late;		/* how much later the lock begins than the remount */
	struct target target;
} *told;

FIXTURE(mount_rounds) {
	char base[64];
	struct rounds rounds;
};

/* "0" to "4" are private mounts of "fs". */
FIXTURE_SETUP(mount_rounds)
{
	if (geteuid())
		SKIP(return, "test requires root");
	if (!setgroup_supported() || !lock_set_supported())
		SKIP(return, "mount_setgroup() or lock_set not supported");
	ASSERT_EQ(0, members_setup(self->base, sizeof(self->base)));
	self->rounds.team = shared_memory(sizeof(*self->rounds.team));
	told = shared_memory(sizeof(*told));
	ASSERT_TRUE(self->rounds.team && told);
	for (int i = 0; i < 5; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		ASSERT_EQ(0, k_mount("fs", name, NULL, MS_BIND));
	}
}

FIXTURE_TEARDOWN(mount_rounds)
{
	members_teardown(self->base);
}

/*
 * Rounds in which the superblock changes along with the mount: one that is remounted
 * elsewhere all the time, and one whose change takes a while, since what is cached of
 * it goes first. That leaves time for the lock, which comes closer with each round.
 */
static bool is_remount(unsigned int round)
{
	return round % 2;
}

static bool is_slow(unsigned int round)
{
	return round % 4 == 3;
}

static void fill_cache(void)
{
	static const char * const names[] = {
		"stat", "status", "maps", "cmdline", "ns/mnt", "attr/current",
		"task", "io", "limits", "mountinfo",
	};
	char path[64];
	struct stat st;

	for (int pid = 1; pid < 40; pid++) {
		for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
			snprintf(path, sizeof(path), "p/%d/%s", pid, names[i]);
			stat(path, &st);
		}
	}
}

/* Has the remount of the slow one changed what it was to change? */
static int slow_is_done(void)
{
	union {
		struct statmount sm;
		char space[sizeof(struct statmount) + 4096];
	} buf;
	int fd = k_open("p", O_PATH), err;

	err = k_statmount_fd(fd, STATMOUNT_MNT_OPTS, &buf.sm, sizeof(buf));
	close(fd);
	if (err)
		return err;
	return (buf.sm.mask & STATMOUNT_MNT_OPTS) &&
	       strstr(buf.sm.str + buf.sm.mnt_opts, "hidepid");
}

static int step_lock(const struct team *team, unsigned int round)
{
	struct mount_attr_locks attr = { .lock_set = LOCKS };

	if (is_slow(round))
		spin(told->late);
	else
		dawdle(round, 7);
	return MEET(k_mount_setattr(AT_FDCWD, "0", 0, &attr, sizeof(attr)));
}

/* The size that a remount in this round gives the filesystem. */
static const char *size_in(unsigned int round)
{
	return round & 4 ? "size=1m" : "size=2m";
}

/* Three calls that take the attributes away. */
static int step_clear(const struct team *team, unsigned int round)
{
	struct mount_attr_locks attr = { .attr_clr = LOCKED };

	if (is_slow(round)) {
		spin(-told->late);
		return k_ret(MEET(mount(NULL, "0", NULL, MS_REMOUNT, "hidepid=2")));
	}
	dawdle(round, 11);
	if (is_remount(round))
		return k_ret(MEET(mount(NULL, "0", NULL, MS_REMOUNT, size_in(round))));
	if (round % 4)
		return MEET(k_mount(NULL, "0", NULL, MS_REMOUNT | MS_BIND));
	return MEET(k_mount_setattr(AT_FDCWD, "0", 0, &attr, sizeof(attr)));
}

/* Whoever wants to remount often has to wait for the superblock. */
static int step_remount(const struct team *team, unsigned int round)
{
	return MEET(k_mount(NULL, "1", NULL, MS_REMOUNT));
}

/* 0, or what is wrong with what became of the mount. */
static int check_locks(const struct team *team, unsigned int round)
{
	bool locked = !team->result[0].ret, cleared = !team->result[1].ret, done;
	struct statfs fs;
	struct mnt mnt;
	__u64 pages;
	int fd, err;

	fd = k_open("0", O_PATH);
	if (fd < 0)
		return fd;
	err = mnt_of(fd, &mnt);
	close(fd);
	if (err)
		return err;
	/* one of them is first, and the other one is refused */
	if (locked == cleared || mnt.locks != (locked ? LOCKS : 0) ||
	    (mnt.attr & LOCKED) != (locked ? LOCKED : 0)) {
		fprintf(stderr, "# round %u: locked %d, cleared %d, locks %llx, attributes %llx\n",
			round, locked, cleared, mnt.locks, mnt.attr);
		return -EPROTO;
	}
	/* a remount does all it is asked for, or nothing */
	if (is_slow(round) && slow_is_done() != cleared) {
		fprintf(stderr, "# round %u: cleared %d\n", round, cleared);
		return -EPROTO;
	}
	if (is_slow(round) || !is_remount(round))
		return 0;
	if (statfs("fs", &fs))
		return -errno;
	pages = (round & 4 ? 1 << 20 : 2 << 20) / fs.f_bsize;
	done = fs.f_blocks == pages;
	if (cleared != done) {
		fprintf(stderr, "# round %u: cleared %d, %llu blocks\n", round, cleared,
			(unsigned long long)fs.f_blocks);
		return -EPROTO;
	}
	return 0;
}

/* What is locked stays, whoever has looked at it before it was locked. */
TEST_F_TIMEOUT(mount_rounds, lock_and_remount, 120)
{
	static const struct work works[] = {
		{ "lock_set", step_lock, { EINVAL, EBUSY } },
		{ "remount", step_clear, { EPERM } },
		{ "remount of the superblock", step_remount, { }, .always = true },
	};
	struct worker_result *result = self->rounds.team->result;
	struct mount_attr_locks attr = { .attr_set = LOCKED };
	struct timespec begin;
	unsigned int round;
	const int step = 8;

	ASSERT_EQ(0, mkdir("p", 0755));
	ASSERT_EQ(0, k_mount("proc", "p", "proc", 0));
	ASSERT_EQ(0, team_start(&self->rounds, works, ARRAY_SIZE(works)));
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (round = 1; round < 4000 && !too_long(&begin); round++) {
		ASSERT_EQ(0, mount(NULL, "2", NULL, MS_REMOUNT, "size=3m"));
		ASSERT_EQ(0, k_umount("0", 0));
		ASSERT_EQ(0, k_mount(is_slow(round) ? "p" : "fs", "0", NULL, MS_BIND));
		if (is_slow(round)) {
			ASSERT_EQ(0, mount(NULL, "p", NULL, MS_REMOUNT, "hidepid=0"));
			ASSERT_EQ(0, slow_is_done());
			fill_cache();
		}
		ASSERT_EQ(0, k_mount_setattr(AT_FDCWD, "0", 0, &attr, sizeof(attr)));
		round_begin(&self->rounds, round);
		ASSERT_EQ(0, round_end(&self->rounds, round));
		ASSERT_EQ(0, check_locks(self->rounds.team, round));
		/* come closer to where the other one is first */
		if (is_slow(round))
			told->late += result[0].ret ? -step : step;
	}
	ASSERT_EQ(0, team_stop(&self->rounds, _metadata));
	TH_LOG("%u rounds: %u locked first, %u remounted first", round - 1,
	       result[0].nr_ok, result[1].nr_ok);
}

static int join_0(unsigned int flags, const char *named)
{
	int fd = k_open("0", O_PATH), target = named ? k_open(named, O_PATH) : 0;
	int ret = -EPROTO;

	if (fd >= 0 && target >= 0)
		ret = MEET(k_setgroup(flags, &fd, 1, target));
	close(fd);
	if (named)
		close(target);
	return ret;
}

static int step_shared(const struct team *team, unsigned int round)
{
	dawdle(round, 7);
	return join_0(MOUNT_SETGROUP_SHARED, NULL);
}

static int step_master(const struct team *team, unsigned int round)
{
	dawdle(round, 11);
	return join_0(MOUNT_SETGROUP_MASTER, "1");
}

static int step_set_group(const struct team *team, unsigned int round)
{
	dawdle(round, 13);
	return MEET(k_move_mount(AT_FDCWD, "2", AT_FDCWD, "0", MOVE_MOUNT_SET_GROUP));
}

/* One mount, and several who want it to join: the first one gets it. */
TEST_F_TIMEOUT(mount_rounds, joins_once, 120)
{
	static const struct work works[] = {
		{ "SHARED", step_shared, { EBUSY } },
		{ "MASTER", step_master, { EBUSY } },
		{ "MOVE_MOUNT_SET_GROUP", step_set_group, { EINVAL } },
	};
	struct worker_result *result = self->rounds.team->result;
	struct mnt mnt, one, two;
	struct timespec begin;
	unsigned int round;

	ASSERT_EQ(0, k_mount(NULL, "1", NULL, MS_SHARED));
	ASSERT_EQ(0, k_mount(NULL, "2", NULL, MS_SHARED));
	ASSERT_EQ(0, mnt_at(&this_test, "1", &one));
	ASSERT_EQ(0, mnt_at(&this_test, "2", &two));
	ASSERT_EQ(0, team_start(&self->rounds, works, ARRAY_SIZE(works)));
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (round = 1; round < 4000 && !too_long(&begin); round++) {
		round_begin(&self->rounds, round);
		ASSERT_EQ(0, round_end(&self->rounds, round));
		ASSERT_EQ(1, !result[0].ret + !result[1].ret + !result[2].ret) {
			TH_LOG("round %u", round);
		}
		ASSERT_EQ(0, mnt_at(&this_test, "0", &mnt));
		EXPECT_EQ(!result[1].ret ? one.group : 0, mnt.master);
		EXPECT_EQ(!result[1].ret, !mnt.group);
		EXPECT_EQ(!result[2].ret, mnt.group == two.group);
		ASSERT_EQ(0, k_mount(NULL, "0", NULL, MS_PRIVATE));
	}
	ASSERT_EQ(0, team_stop(&self->rounds, _metadata));
	TH_LOG("%u rounds: %u shared, %u slaves, %u set", round - 1, result[0].nr_ok,
	       result[1].nr_ok, result[2].nr_ok);
}

static int step_open_tree(const struct team *team, unsigned int round)
{
	int fd = MEET(k_open_tree(told->target.source, "", OPEN_TREE_CLONE |
				  OPEN_TREE_FOREIGN | AT_RECURSIVE | AT_EMPTY_PATH));

	return fd < 0 ? fd : k_ret(close(fd));
}

static int step_move_mount(const struct team *team, unsigned int round)
{
	int tree = k_open_tree(AT_FDCWD, "1", OPEN_TREE_CLONE);
	int ret;

	if (tree < 0)
		return -EPROTO;
	ret = MEET(k_move_mount(tree, "", told->target.dst, "", MOVE_MOUNT_T_FOREIGN));
	/* what could not be attached there is as good as before */
	if (ret && (k_move_mount(tree, "", AT_FDCWD, "5", 0) ||
		    k_umount("5", MNT_DETACH)))
		ret = -EPROTO;
	close(tree);
	return ret;
}

static int step_mnt_open(const struct team *team, unsigned int round)
{
	int fd = MEET(k_ns_mnt_open(told->target.nsfs, told->target.id));

	if (fd < 0)
		return fd;
	return mnt_id_of(fd) == told->target.id ? k_ret(close(fd)) : -EPROTO;
}

static int step_setgroup(const struct team *team, unsigned int round)
{
	int fds[2] = { told->target.member, k_open("2", O_PATH) };
	int ret;

	if (fds[1] < 0)
		return -EPROTO;
	ret = MEET(k_setgroup(MOUNT_SETGROUP_SHARED, fds, 2, 0));
	close(fds[1]);
	/* so that the next one can */
	if (!ret && k_mount(NULL, "2", NULL, MS_PRIVATE))
		ret = -EPROTO;
	return ret;
}

static int step_lock_there(const struct team *team, unsigned int round)
{
	struct mount_attr_locks attr = { .lock_set = MOUNT_LOCK_ATIME };

	return MEET(k_mount_setattr(told->target.source, "", AT_EMPTY_PATH, &attr,
				    sizeof(attr)));
}

/* A process whose namespace it is, without a descriptor of that, or -errno. */
static pid_t start_keeper(int nsfs)
{
	pid_t pid = fork();

	if (pid)
		return pid < 0 ? -errno : pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (setns(nsfs, CLONE_NEWNS) || close(nsfs) || raise(SIGSTOP))
		_exit(1);
	for (;;)
		pause();
}

/* With its last process, or the last descriptor. */
static int end_namespace(pid_t keeper, struct actor *ns)
{
	if (!keeper) {
		actor_close(ns);
		return 0;
	}
	return kill(keeper, SIGKILL) || waitpid(keeper, NULL, 0) != keeper ? -errno : 0;
}

static int target_open(struct _test_data_mount_rounds *self, const struct actor *ns)
{
	struct target *target = &told->target;

	target->nsfs = ns->mntns;
	target->source = OPEN_IN(ns, "3");
	target->dst = OPEN_IN(ns, "fs/b");
	target->member = OPEN_IN(ns, "4");
	target->id = mnt_id_of(target->source);
	return target->source < 0 || target->dst < 0 || target->member < 0 ||
	       !target->id ? -ENOENT : 0;
}

static void target_close(const struct target *target)
{
	close(target->source);
	close(target->dst);
	close(target->member);
}

/*
 * A namespace ends with its last descriptor or with its last process, while others
 * work on its mounts by descriptors that do not keep it.
 */
TEST_F_TIMEOUT(mount_rounds, end_of_namespace, 120)
{
	static const struct work works[] = {
		{ "open_tree()", step_open_tree, { EINVAL }, true },
		{ "move_mount()", step_move_mount, { ENOENT }, true },
		{ "NS_MNT_OPEN", step_mnt_open, { EBADF, ENOENT }, true },
		{ "mount_setgroup()", step_setgroup, { EINVAL, EBUSY }, true },
		{ "lock_set", step_lock_there, { EINVAL }, true },
	};
	struct team *team = self->rounds.team;
	struct timespec begin;
	unsigned int round;
	int nr_mounts;

	nr_mounts = ns_nr_mounts(&this_test);
	ASSERT_GT(nr_mounts, 0);
	ASSERT_EQ(0, team_start(&self->rounds, works, ARRAY_SIZE(works)));
	take_part(&self->rounds, "end of the namespace");
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (round = 1; round < 200 && (round < 5 || !too_long(&begin)); round++) {
		pid_t keeper = 0;
		struct actor ns;
		int status;

		ASSERT_EQ(0, actor_new(&ns, &this_test, ACTOR_MNTNS));
		ASSERT_EQ(0, target_open(self, &ns));
		if (round % 2) {
			keeper = start_keeper(ns.mntns);
			ASSERT_GT(keeper, 0);
			ASSERT_EQ(keeper, waitpid(keeper, &status, WUNTRACED));
			ASSERT_TRUE(WIFSTOPPED(status));
			actor_close(&ns);
		}
		round_begin(&self->rounds, round);
		let_work(team, self->rounds.nr, 1);
		dawdle(round, 13);
		ASSERT_EQ(0, MEET(end_namespace(keeper, &ns)));
		let_work(team, self->rounds.nr, 2);
		ASSERT_EQ(0, round_end(&self->rounds, round));
		/* none of them holds it anymore by what it does */
		EXPECT_EQ(-EINVAL, step_open_tree(team, round));
		target_close(&told->target);
	}
	ASSERT_EQ(0, team_stop(&self->rounds, _metadata));
	TH_LOG("%u rounds", round - 1);
	for (int i = 0; i < self->rounds.nr; i++) {
		TH_LOG("%s: %u, refused %u", works[i].name, team->result[i].nr_ok,
		       team->result[i].nr_refused);
		EXPECT_NE(0, team->result[i].nr_ok);
	}

	/* nobody is left in a group with what is gone, nothing of it has come here */
	EXPECT_EQ(nr_mounts, ns_nr_mounts(&this_test));
	for (int i = 0; i < 5; i++) {
		char name[16];
		struct mnt mnt;

		snprintf(name, sizeof(name), "%d", i);
		ASSERT_EQ(0, mnt_at(&this_test, name, &mnt));
		EXPECT_EQ(0, mnt.group);
		EXPECT_EQ(0, mnt.master);
		EXPECT_EQ(0, mnt.locks);
		EXPECT_EQ(0, k_umount(name, 0));
	}
}

TEST_HARNESS_MAIN
