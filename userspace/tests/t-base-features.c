// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is made of the probes, whatever this kernel answers.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "base/base.h"
#include "execute/execute.h"
#include "tap.h"

long __real_syscall(long nr, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f);
int __real_ioctl(int fd, unsigned long cmd, void *arg);
int __wrap_ioctl(int fd, unsigned long cmd, void *arg);

/* What a kernel answers to both calls of a probe: one that has it, one that has not. */
static struct answer {
	const char *name;
	enum mntcr_feature_id id;
	int yes[2], no;
	int now[2];	/* 0: what this kernel says */
} setgroup = { "mount_setgroup", MNTCR_FEAT_MOUNT_SETGROUP,
	       { EFAULT, E2BIG }, ENOSYS, { 0 } },
  tree = { "open_tree", MNTCR_FEAT_OPEN_TREE_FOREIGN,
	   { EBADF, EINVAL }, EINVAL, { 0 } },
  move = { "move_mount", MNTCR_FEAT_MOVE_MOUNT_FOREIGN,
	   { EBADF, EINVAL }, EINVAL, { 0 } },
  by_id = { "NS_MNT_OPEN", MNTCR_FEAT_NS_MNT_OPEN,
	    { EINVAL, E2BIG }, ENOTTY, { 0 } };
static struct answer *const answers[] = { &setgroup, &tree, &move, &by_id };

/* A call that has another meaning may succeed, and leave errno as it was. */
#define SUCCESS (-1)

static int unshare_errno;	/* for a pid namespace; 0: what this kernel says */

static long answer(const struct answer *a, bool second)
{
	if (a->now[second] == SUCCESS)
		return 0;
	errno = a->now[second];
	return -1;
}

static void answers_are(struct answer *a, int first, int second)
{
	a->now[0] = first;
	a->now[1] = second;
}

long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	if (nr == __NR_mount_setgroup && setgroup.now[0])
		return answer(&setgroup, b != MC_MOUNT_GROUP_ARGS_SIZE_VER0);
	if (nr == __NR_open_tree && tree.now[0] && c & OPEN_TREE_FOREIGN)
		return answer(&tree, !(c & OPEN_TREE_CLONE));
	if (nr == __NR_move_mount && move.now[0] && e & MOVE_MOUNT_UNLOCKED)
		return answer(&move, !(e & MOVE_MOUNT_T_FOREIGN));
	if (nr == __NR_unshare && a & CLONE_NEWPID && unshare_errno) {
		errno = unshare_errno;
		return unshare_errno == SUCCESS ? 0 : -1;
	}
	return __real_syscall(nr, a, b, c, d, e, f);
}

int __wrap_ioctl(int fd, unsigned long cmd, void *arg)
{
	if ((cmd == MC_NS_MNT_OPEN || cmd == MC_NS_MNT_OPEN_LARGER) && by_id.now[0])
		return (int)answer(&by_id, cmd == MC_NS_MNT_OPEN_LARGER);
	return __real_ioctl(fd, cmd, arg);
}

/* Each is needed by one thing, and by nothing else. */
static void what_is_needed_by_what(void)
{
	static const char *const by[] = {
		"capture", "upstream", "extended", "locks", "superblocks", "detached",
		"proc",
	};
	struct mntcr_feature f[MNTCR_NR_FEATURES];
	struct mntcr_error e;
	size_t i, j, n;

	REQUIRE(!mntcr_features(f, MNTCR_NR_FEATURES, &e));
	for (i = 0; i < MNTCR_NR_FEATURES; i++)
		f[i].state = MNTCR_FEATURE_YES;
	for (i = 0; i < MNTCR_NR_FEATURES; i++) {
		f[i].state = i % 2 ? MNTCR_FEATURE_NO : MNTCR_FEATURE_UNKNOWN;
		for (j = n = 0; j < MC_ARRAY_SIZE(by); j++) {
			CHECK_EQ(mc_features_are_there(f, by[j]),
				 strcmp(f[i].needed_by, by[j]) != 0);
			n += mc_features_are_there(f, by[j]);
		}
		CHECK_EQ(n, MC_ARRAY_SIZE(by) - 1);
		f[i].state = MNTCR_FEATURE_YES;
	}
}

static void all_there(void)
{
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(answers); i++)
		answers_are(answers[i], answers[i]->yes[0], answers[i]->yes[1]);
}

/* A kernel with some of it is one that cannot. */
static void all_of_it_or_none(void)
{
	struct mntcr_error e;
	size_t i;

	all_there();
	CHECK_EQ(mc_choose_api(MNTCR_API_AUTO), MNTCR_API_EXTENDED);
	CHECK_EQ(mc_need_extended(&e), 0);
	for (i = 0; i < MC_ARRAY_SIZE(answers); i++) {
		answers_are(answers[i], answers[i]->no, answers[i]->no);
		CHECK_EQ(mc_choose_api(MNTCR_API_AUTO), MNTCR_API_UPSTREAM);
		CHECK_EQ(mc_need_extended(&e), -1);
		CHECK_EQ(e.code, MNTCR_UNSUPPORTED);
		CHECK_EQ(e.err, 0);
		CHECK(strstr(e.text, answers[i]->name));
		all_there();
	}
	/* no answer: it comes when the call is made */
	answers_are(&by_id, EIO, EIO);
	CHECK_EQ(mc_choose_api(MNTCR_API_AUTO), MNTCR_API_EXTENDED);
	all_there();
	/* denied by a filter */
	answers_are(&setgroup, EPERM, EPERM);
	CHECK_EQ(mc_choose_api(MNTCR_API_AUTO), MNTCR_API_UPSTREAM);
	CHECK_EQ(mc_need_extended(&e), -1);
	CHECK_EQ(e.err, EPERM);
	for (i = 0; i < MC_ARRAY_SIZE(answers); i++)
		answers_are(answers[i], 0, 0);
}

/* One that uses a number for something else knows it, and is not it. */
static void another_meaning(void)
{
	static const int errnos[] = {
		EBADF, EINVAL, EFAULT, E2BIG, ENOENT, ENOTTY, ENOSYS, EOPNOTSUPP,
		SUCCESS,
	};
	struct mntcr_feature f[MNTCR_NR_FEATURES];
	struct mntcr_error e;
	size_t i, j, k;

	all_there();
	REQUIRE(!mntcr_features(f, MNTCR_NR_FEATURES, &e));
	for (i = 0; i < MC_ARRAY_SIZE(answers); i++) {
		CHECK_EQ(f[answers[i]->id].state, MNTCR_FEATURE_YES);
		for (j = 0; j < MC_ARRAY_SIZE(errnos); j++)
			for (k = 0; k < 2; k++) {
				if (errnos[j] == answers[i]->yes[k])
					continue;
				answers[i]->now[k] = errnos[j];
				/* what happens to be there is no answer */
				errno = answers[i]->yes[k];
				REQUIRE(!mntcr_features(f, MNTCR_NR_FEATURES, &e));
				CHECK(f[answers[i]->id].state != MNTCR_FEATURE_YES);
				if (errnos[j] == SUCCESS)
					CHECK_EQ(f[answers[i]->id].state,
						 MNTCR_FEATURE_NO);
				all_there();
				REQUIRE(!mntcr_features(f, MNTCR_NR_FEATURES, &e));
				CHECK_EQ(f[answers[i]->id].state, MNTCR_FEATURE_YES);
			}
	}
	for (i = 0; i < MC_ARRAY_SIZE(answers); i++)
		answers_are(answers[i], 0, 0);
}

/*
 * Bits of statmount(2) are the series' where its calls are; without an answer about
 * these there is none about them.
 */
static void bits_only_beside_calls(void)
{
	static const uint64_t locks = MC_STATMOUNT_MNT_LOCKS;
	struct mntcr_feature f[MNTCR_NR_FEATURES];
	struct mntcr_error e = { 0 };
	uint64_t bits = 0;

	answers_are(&tree, tree.no, tree.no);
	REQUIRE(!mc_statmount_unknown(&bits, &e));
	CHECK(bits & locks);
	/* nobody may ask */
	answers_are(&tree, EPERM, EPERM);
	REQUIRE(!mc_statmount_unknown(&bits, &e));
	CHECK(bits & locks);
	answers_are(&tree, EIO, EIO);
	CHECK_EQ(mc_statmount_unknown(&bits, &e), -1);
	CHECK_EQ(e.code, MNTCR_SYS);
	CHECK_EQ(e.err, EIO);
	CHECK(strstr(e.text, "OPEN_TREE_FOREIGN"));
	REQUIRE(!mntcr_features(f, MNTCR_NR_FEATURES, &e));
	CHECK_EQ(f[MNTCR_FEAT_STATMOUNT_LOCKS].state, MNTCR_FEATURE_UNKNOWN);
	CHECK_EQ(f[MNTCR_FEAT_STATMOUNT_LOCKS].err, EIO);
	answers_are(&tree, 0, 0);
}

/* No answer about pid namespaces is none; and that the caller has not unshared one. */
static void pid_namespaces(void)
{
	static const struct {
		int err;
		enum mntcr_feature_state state;
	} says[] = {
		{ SUCCESS, MNTCR_FEATURE_YES }, { EINVAL, MNTCR_FEATURE_NO },
		{ EPERM, MNTCR_FEATURE_UNKNOWN }, { ENOSPC, MNTCR_FEATURE_UNKNOWN },
	};
	struct mntcr_feature f[MNTCR_NR_FEATURES];
	struct mntcr_error e;
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(says); i++) {
		unshare_errno = says[i].err;
		REQUIRE(!mntcr_features(f, MNTCR_NR_FEATURES, &e));
		CHECK_EQ(f[MNTCR_FEAT_EMPTY_PIDNS].state, says[i].state);
		CHECK_EQ(f[MNTCR_FEAT_EMPTY_PIDNS].err, says[i].err == SUCCESS ? 0 : says[i].err);
		CHECK_EQ(mc_lacks_empty_pidns(), says[i].state == MNTCR_FEATURE_NO);
	}
	unshare_errno = 0;
}

int main(void)
{
	TAP_RUN(bits_only_beside_calls);
	TAP_RUN(what_is_needed_by_what);
	TAP_RUN(all_of_it_or_none);
	TAP_RUN(another_meaning);
	TAP_RUN(pid_namespaces);
	return tap_done();
}
