// SPDX-License-Identifier: GPL-2.0
/*
 * What a call has looked at before it has the locks may be something else by then: a
 * list of members, where their roots are, a tree, a namespace that is shown, a root
 * that is unlinked, the way up from a mount. Somebody changes it over and over, and
 * each time the call has to do one or the other.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sys/stat.h>

#include "mount_rounds.h"

#ifndef NS_GET_ID
#define NS_GET_ID	_IOR(0xb7, 13, __u64)
#endif

#define NR_BELOW	8	/* mounts of the tree that is listed */

/* What the test tells its workers besides. */
static struct told {
	int fds[1];		/* the list of members */
	int mine, theirs;	/* what is in it by turns */
	int member, peer;
	int tree, list;		/* a detached tree, and its root without keeping it */
	int mnt, ns;		/* what shows a namespace, the last reference to that */
	__u64 id;
	int late;		/* how much later one begins than the other */
} *told;

FIXTURE(mount_looks) {
	char base[64];
	struct rounds rounds;
	struct actor owner;	/* of a copy of the test's namespace */
	struct actor root;	/* the test itself in there */
	struct timespec begin;
};

/* "0" is a private mount of "fs", "1" a shared one of "fs/a". */
FIXTURE_SETUP(mount_looks)
{
	if (geteuid())
		SKIP(return, "test requires root");
	if (!setgroup_supported() || !lock_set_supported())
		SKIP(return, "mount_setgroup() or lock_set not supported");
	ASSERT_EQ(0, members_setup(self->base, sizeof(self->base)));
	self->rounds.team = shared_memory(sizeof(*self->rounds.team));
	told = shared_memory(sizeof(*told));
	ASSERT_TRUE(self->rounds.team && told);
	ASSERT_EQ(0, k_mount("fs", "0", NULL, MS_BIND));
	ASSERT_EQ(0, k_mount("fs/a", "1", NULL, MS_BIND));
	ASSERT_EQ(0, k_mount(NULL, "1", NULL, MS_SHARED));
	ASSERT_EQ(0, actor_new(&self->owner, &this_test, ACTOR_USERNS));
	self->root = (struct actor) { .userns = -1, .mntns = self->owner.mntns };
	clock_gettime(CLOCK_MONOTONIC, &self->begin);
}

FIXTURE_TEARDOWN(mount_looks)
{
	members_teardown(self->base);
}

/* A few rounds at least, however slow the machine. */
static bool go_on(struct _test_data_mount_looks *self, unsigned int round)
{
	return round < 4000 && (round < 40 || !too_long(&self->begin));
}

/* One round in which each of them makes @nr calls at least. */
static int one_round(struct _test_data_mount_looks *self, unsigned int round,
		     unsigned int nr)
{
	round_begin(&self->rounds, round);
	if (nr)
		let_work(self->rounds.team, self->rounds.nr, nr);
	return round_end(&self->rounds, round);
}

/* Whether there are two processors or not, the other one gets its turn. */
static void hold_back(int nr)
{
	while (nr-- > 0)
		sched_yield();
}

/* A whole call of the first one, which finds what was done so far. */
static void let_one_through(const struct team *team)
{
	let_work(team, 1, 2);
}

/* Both have done their work before the round is over. */
static int round_of_one_change(struct _test_data_mount_looks *self, unsigned int round)
{
	round_begin(&self->rounds, round);
	let_work(self->rounds.team, self->rounds.nr, 1);
	return round_end(&self->rounds, round);
}

static int make_private(int fd)
{
	struct mount_attr_locks attr = { .propagation = MS_PRIVATE };

	return k_mount_setattr(fd, "", AT_EMPTY_PATH, &attr, MOUNT_ATTR_SIZE_VER0);
}

static int step_list_of_members(const struct team *team, unsigned int round)
{
	int ret = MEET(k_setgroup(MOUNT_SETGROUP_SHARED, told->fds, 1, 0));

	return ret ?: make_private(told->mine);
}

static int list_it(int fd)
{
	__atomic_store_n(&told->fds[0], fd, __ATOMIC_RELAXED);
	return 0;
}

static int step_exchange(const struct team *team, unsigned int round)
{
	MEET(list_it(told->theirs));
	if (round % 4)
		hold_back(round % 4);
	else
		let_one_through(team);
	MEET(list_it(told->mine));
	hold_back(round / 4 % 4);
	return 0;
}

/* The list is read again after the caller was found to be privileged over the first. */
TEST_F_TIMEOUT(mount_looks, list_of_members, 120)
{
	const struct work works[] = {
		{ "mount_setgroup()", step_list_of_members, { EPERM }, true,
		  .as = &self->owner },
		{ "exchange", step_exchange, { }, true },
	};
	struct worker_result *result = self->rounds.team->result;
	unsigned int round;

	told->mine = OPEN_IN(&self->owner, "0");
	told->theirs = k_open("0", O_PATH);
	ASSERT_TRUE(told->mine >= 0 && told->theirs >= 0);
	told->fds[0] = told->mine;
	ASSERT_EQ(0, team_start(&self->rounds, works, ARRAY_SIZE(works)));
	for (round = 1; go_on(self, round); round++) {
		ASSERT_EQ(0, one_round(self, round, 10));
		ASSERT_EQ(MS_PRIVATE, propagation_of(told->theirs)) {
			TH_LOG("round %u", round);
		}
	}
	ASSERT_EQ(0, team_stop(&self->rounds, _metadata));
	TH_LOG("%u rounds: %u joined, %u refused", round - 1, result[0].nr_ok,
	       result[0].nr_refused);
	EXPECT_NE(0, result[0].nr_ok);
	EXPECT_NE(0, result[0].nr_refused);
}

static int step_join(const struct team *team, unsigned int round)
{
	int ret = MEET(k_setgroup(MOUNT_SETGROUP_PEER, &told->member, 1, told->peer));

	return ret ?: make_private(told->member);
}

static int step_rename(const struct team *team, unsigned int round)
{
	if (MEET(rename("fs/a/x", "fs/b/x")))
		return -errno;
	if (round % 16)
		hold_back(round % 16);
	else
		let_one_through(team);
	if (MEET(rename("fs/b/x", "fs/a/x")))
		return -errno;
	hold_back(round / 16 % 16);
	return 0;
}

/* Where a member's root is, is looked at before the lock, and may change at any time. */
TEST_F_TIMEOUT(mount_looks, root_of_a_member, 120)
{
	const struct work works[] = {
		{ "mount_setgroup()", step_join, { ERANGE }, true, .as = &self->owner },
		{ "rename", step_rename, { }, true },
	};
	struct worker_result *result = self->rounds.team->result;
	unsigned int round;

	/* a peer group that receives from another owner's */
	ASSERT_EQ(0, CHANGE_IN(&self->owner, "1", MS_SHARED));
	ASSERT_EQ(0, IN(&self->owner, k_mount("1/x", "2", NULL, MS_BIND)));
	ASSERT_EQ(0, CHANGE_IN(&self->owner, "2", MS_PRIVATE));
	told->peer = OPEN_IN(&self->owner, "1");
	told->member = OPEN_IN(&self->owner, "2");
	ASSERT_TRUE(told->peer >= 0 && told->member >= 0);
	ASSERT_NE(0, master_of(told->peer));
	ASSERT_EQ(0, team_start(&self->rounds, works, ARRAY_SIZE(works)));
	for (round = 1; go_on(self, round); round++) {
		ASSERT_EQ(0, one_round(self, round, 10));
		ASSERT_EQ(MS_PRIVATE, propagation_of(told->member));
	}
	ASSERT_EQ(0, team_stop(&self->rounds, _metadata));
	TH_LOG("%u rounds: %u joined, %u refused", round - 1, result[0].nr_ok,
	       result[0].nr_refused);
	EXPECT_NE(0, result[0].nr_ok);
	EXPECT_NE(0, result[0].nr_refused);
	/* it is back where it was */
	EXPECT_EQ(0, AS(&self->owner, k_setgroup(MOUNT_SETGROUP_PEER, &told->member, 1,
						 told->peer)));
}

static int step_list(const struct team *team, unsigned int round)
{
	struct mnt_id_req req = {
		.size	= MNT_ID_REQ_SIZE_VER1,
		.mnt_fd	= told->list,
	};
	__u64 ids[2 * NR_BELOW];
	int ret;

	ret = k_ret(MEET(syscall(__NR_listmount, &req, ids, ARRAY_SIZE(ids),
				 LISTMOUNT_BY_FD)));
	return ret < 0 || ret == NR_BELOW ? ret : -EPROTO;
}

/* The other one has begun then. */
static int step_attach_or_dissolve(const struct team *team, unsigned int round)
{
	int ret;

	let_work(team, 1, 1 + round % 3);
	dawdle(round, 7);
	ret = round % 2 ? MEET(k_move_mount(told->tree, "", AT_FDCWD, "8", 0)) :
			  k_ret(MEET(close(told->tree)));
	let_one_through(team);
	return ret;
}

/* A tree that is listed is attached meanwhile, or dissolved: all of it or none. */
TEST_F_TIMEOUT(mount_looks, tree_that_is_listed, 120)
{
	const struct work works[] = {
		{ "listmount()", step_list, { EINVAL }, true },
		{ "move_mount() and close()", step_attach_or_dissolve },
	};
	struct worker_result *result = self->rounds.team->result;
	unsigned int round;

	ASSERT_EQ(0, k_mount("tmpfs", "9", "tmpfs", 0));
	for (int i = 0; i < NR_BELOW; i++) {
		char name[16];

		snprintf(name, sizeof(name), "9/%d", i);
		ASSERT_EQ(0, mkdir(name, 0755));
		ASSERT_EQ(0, k_mount("tmpfs", name, "tmpfs", 0));
	}
	ASSERT_EQ(0, team_start(&self->rounds, works, ARRAY_SIZE(works)));
	for (round = 1; go_on(self, round); round++) {
		told->tree = k_open_tree(AT_FDCWD, "9", OPEN_TREE_CLONE | AT_RECURSIVE);
		told->list = k_openat(told->tree, ".", O_PATH);
		ASSERT_TRUE(told->tree >= 0 && told->list >= 0);
		ASSERT_EQ(NR_BELOW, step_list(self->rounds.team, round));
		ASSERT_EQ(0, round_of_one_change(self, round));
		ASSERT_EQ(-EINVAL, step_list(self->rounds.team, round));
		ASSERT_EQ(0, close(told->list));
		if (round % 2) {
			ASSERT_EQ(0, k_umount("8", MNT_DETACH));
			ASSERT_EQ(0, close(told->tree));
		}
	}
	ASSERT_EQ(0, team_stop(&self->rounds, _metadata));
	TH_LOG("%u rounds: %u listed, %u refused", round - 1, result[0].nr_ok,
	       result[0].nr_refused);
	EXPECT_NE(0, result[0].nr_ok);
	EXPECT_NE(0, result[0].nr_refused);
}

static int make_shown(const char *type, int flag, const char *ns)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/ns/%s", ns);
	if (unshare(flag))
		return -errno;
	told->mnt = new_mount(type, 0);
	told->ns = k_open(path, O_RDONLY);
	if (told->mnt < 0 || told->ns < 0)
		return -ENOENT;
	return k_ret(ioctl(told->ns, NS_GET_ID, &told->id));
}

/* 0 while it is there, -ENOENT once it is gone. */
static int step_shown(const struct team *team, unsigned int round)
{
	static unsigned int gone_in;
	struct statmount sm;
	__u64 id;
	int err;

	err = MEET(k_statmount_fd(told->mnt, STATMOUNT_SB_NS, &sm, sizeof(sm)));
	if (err)
		return -EPROTO;
	id = statmount_sb_ns_id(&sm);
	if (sm.mask != STATMOUNT_SB_NS || (id && (id != told->id || gone_in == round)))
		return -EPROTO;
	if (!id)
		gone_in = round;
	return id ? 0 : -ENOENT;
}

static int step_end_namespace(const struct team *team, unsigned int round)
{
	int ret;

	let_work(team, 1, 1 + round % 3);
	dawdle(round, 7);
	ret = k_ret(MEET(close(told->ns)));
	let_one_through(team);
	return ret;
}

/* A namespace ends while a superblock that shows it is asked for its ID. */
TEST_F_TIMEOUT(mount_looks, namespace_that_is_shown, 120)
{
	const struct work works[] = {
		{ "statmount()", step_shown, { ENOENT }, true },
		{ "close()", step_end_namespace },
	};
	struct worker_result *result = self->rounds.team->result;
	unsigned int round;

	ASSERT_EQ(0, team_start(&self->rounds, works, ARRAY_SIZE(works)));
	for (round = 1; go_on(self, round); round++) {
		ASSERT_EQ(0, AS(&this_test, round % 2 ?
				make_shown("sysfs", CLONE_NEWNET, "net") :
				make_shown("mqueue", CLONE_NEWIPC, "ipc")));
		ASSERT_NE(0, told->id);
		ASSERT_EQ(0, round_of_one_change(self, round));
		ASSERT_EQ(-ENOENT, step_shown(self->rounds.team, round));
		ASSERT_EQ(0, close(told->mnt));
	}
	ASSERT_EQ(0, team_stop(&self->rounds, _metadata));
	TH_LOG("%u rounds: %u told, %u gone", round - 1, result[0].nr_ok,
	       result[0].nr_refused);
	EXPECT_NE(0, result[0].nr_ok);
	EXPECT_NE(0, result[0].nr_refused);
}

/* Every other time there is a mount that it is to go below. */
static bool is_beneath(unsigned int round)
{
	return round % 2;
}

static int step_attach(const struct team *team, unsigned int round)
{
	hold_back(told->late);
	return MEET(k_move_mount(told->tree, "", AT_FDCWD, "f",
				 is_beneath(round) ? MOVE_MOUNT_BENEATH : 0));
}

static int step_unlink(const struct team *team, unsigned int round)
{
	hold_back(-told->late);
	return k_ret(MEET(unlink("src")));
}

/*
 * The root of a tree is unlinked while that is attached. Only if something has to be
 * mounted on it do they get into one another's way.
 */
TEST_F_TIMEOUT(mount_looks, root_that_is_unlinked, 120)
{
	const struct work works[] = {
		{ "move_mount()", step_attach, { ENOENT } },
		{ "unlink()", step_unlink, { EBUSY } },
	};
	struct worker_result *result = self->rounds.team->result;
	unsigned int round, nr_attached = 0, nr_unlinked = 0;

	ASSERT_EQ(0, mknod("f", S_IFREG | 0600, 0));
	ASSERT_EQ(0, mknod("g", S_IFREG | 0600, 0));
	ASSERT_EQ(0, team_start(&self->rounds, works, ARRAY_SIZE(works)));
	for (round = 1; go_on(self, round); round++) {
		bool beneath = is_beneath(round), attached, unlinked;
		int nr_mounts;

		ASSERT_EQ(0, mknod("src", S_IFREG | 0600, 0));
		told->tree = k_open_tree(AT_FDCWD, "src", OPEN_TREE_CLONE);
		ASSERT_GE(told->tree, 0);
		if (beneath)
			ASSERT_EQ(0, k_mount("g", "f", NULL, MS_BIND));
		nr_mounts = ns_nr_mounts(&this_test);
		ASSERT_EQ(0, one_round(self, round, 0));
		attached = !result[0].ret;
		unlinked = !result[1].ret;
		/* one of them at least; what is on a name goes along with that */
		ASSERT_TRUE(beneath ? attached || unlinked : attached && unlinked) {
			TH_LOG("round %u: %d, %d", round, result[0].ret, result[1].ret);
		}
		ASSERT_EQ(nr_mounts + attached - (beneath && attached && unlinked),
			  ns_nr_mounts(&this_test));
		if (beneath) {
			nr_attached += attached;
			nr_unlinked += unlinked;
			told->late += attached ? 4 : -4;
		}
		while (!k_umount("f", MNT_DETACH))
			;
		ASSERT_EQ(0, close(told->tree));
		if (!unlinked)
			ASSERT_EQ(0, unlink("src"));
	}
	ASSERT_EQ(0, team_stop(&self->rounds, _metadata));
	TH_LOG("%u rounds: %u attached beneath, %u unlinked then", round - 1, nr_attached,
	       nr_unlinked);
	EXPECT_NE(0, nr_attached);
	EXPECT_NE(0, nr_unlinked);
}

static int step_open_mount(const struct team *team, unsigned int round)
{
	return MEET(k_ns_mnt_open(told->ns, told->id));
}

/* From a good place in a bad one to a bad place in a good one, and back. */
static int step_move(const struct team *team, unsigned int round)
{
	if (MEET(rename("bad/low/d", "good/closed/d")) ||
	    MEET(rename("bad/low", "good/low")) ||
	    MEET(rename("good/low", "bad/low")) ||
	    MEET(rename("good/closed/d", "bad/low/d")))
		return -errno;
	return 0;
}

/*
 * The way up from a mount is never open, though each directory on it is at times:
 * that counts which all of it has been at one time.
 */
TEST_F_TIMEOUT(mount_looks, way_up, 120)
{
	static const char * const dirs[] = {
		"bad", "bad/low", "bad/low/d", "good", "good/closed"
	};
	const struct work works[] = {
		{ "NS_MNT_OPEN", step_open_mount, { EPERM }, true, .as = &self->owner },
		{ "rename", step_move, { }, true },
	};
	struct worker_result *result = self->rounds.team->result;
	unsigned int round;
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		ASSERT_EQ(0, mkdir(dirs[i], 0755));
	/* somebody that the owner knows nothing of */
	ASSERT_EQ(0, chown("bad", 1000, 1000));
	ASSERT_EQ(0, chmod("bad", 0700));
	ASSERT_EQ(0, chown("good/closed", 1000, 1000));
	ASSERT_EQ(0, chmod("good/closed", 0700));
	ASSERT_EQ(0, MOUNT_IN(&self->root, "bad/low/d"));
	fd = OPEN_IN(&self->root, "bad/low/d");
	ASSERT_GE(fd, 0);
	told->id = mnt_id_of(fd);
	told->ns = self->owner.mntns;

	/* each of the places */
	EXPECT_EQ(-EPERM, AS(&self->owner, step_open_mount(NULL, 0)));
	ASSERT_EQ(0, rename("bad/low/d", "good/closed/d"));
	EXPECT_EQ(-EPERM, AS(&self->owner, step_open_mount(NULL, 0)));
	ASSERT_EQ(0, rename("bad/low", "good/low"));
	EXPECT_EQ(-EPERM, AS(&self->owner, step_open_mount(NULL, 0)));
	ASSERT_EQ(0, rename("good/closed/d", "good/low/d"));
	EXPECT_LE(0, AS(&self->owner, step_open_mount(NULL, 0)));
	ASSERT_EQ(0, rename("good/low", "bad/low"));

	ASSERT_EQ(0, team_start(&self->rounds, works, ARRAY_SIZE(works)));
	for (round = 1; go_on(self, round); round++) {
		ASSERT_EQ(0, one_round(self, round, 10));
		ASSERT_EQ(0, result[0].nr_ok) {
			TH_LOG("round %u", round);
		}
	}
	ASSERT_EQ(0, team_stop(&self->rounds, _metadata));
	TH_LOG("%u rounds: %u refused, %u renamed", round - 1, result[0].nr_refused,
	       result[1].nr_ok);
	EXPECT_NE(0, result[0].nr_refused);
}

TEST_HARNESS_MAIN
