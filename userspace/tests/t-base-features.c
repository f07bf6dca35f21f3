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

/* What a kernel answers to the probes, that has all of it and that has none. */
static struct answer {
	const char *name;
	int yes, no, now;
} setgroup = { "mount_setgroup", EINVAL, ENOSYS, 0 },
  tree = { "open_tree", EBADF, EINVAL, 0 },
  move = { "move_mount", EBADF, EINVAL, 0 },
  by_id = { "NS_MNT_OPEN", EINVAL, ENOTTY, 0 };
static struct answer *const answers[] = { &setgroup, &tree, &move, &by_id };

static long answer(const struct answer *a)
{
	errno = a->now;
	return -1;
}

long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	if (nr == __NR_mount_setgroup && setgroup.now)
		return answer(&setgroup);
	if (nr == __NR_open_tree && tree.now && c & OPEN_TREE_FOREIGN)
		return answer(&tree);
	if (nr == __NR_move_mount && move.now && e & MOVE_MOUNT_T_FOREIGN)
		return answer(&move);
	return __real_syscall(nr, a, b, c, d, e, f);
}

int __wrap_ioctl(int fd, unsigned long cmd, void *arg)
{
	if (cmd == MC_NS_MNT_OPEN && by_id.now)
		return (int)answer(&by_id);
	return __real_ioctl(fd, cmd, arg);
}

/* Each is needed by one thing, and by nothing else. */
static void what_is_needed_by_what(void)
{
	static const char *const by[] = {
		"capture", "upstream", "extended", "locks",
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

/* A kernel with some of it is one that cannot. */
static void all_of_it_or_none(void)
{
	struct mntcr_error e;
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(answers); i++)
		answers[i]->now = answers[i]->yes;
	CHECK_EQ(mc_choose_api(MNTCR_API_AUTO), MNTCR_API_EXTENDED);
	CHECK_EQ(mc_need_extended(&e), 0);
	for (i = 0; i < MC_ARRAY_SIZE(answers); i++) {
		answers[i]->now = answers[i]->no;
		CHECK_EQ(mc_choose_api(MNTCR_API_AUTO), MNTCR_API_UPSTREAM);
		CHECK_EQ(mc_need_extended(&e), -1);
		CHECK_EQ(e.code, MNTCR_UNSUPPORTED);
		CHECK_EQ(e.err, 0);
		CHECK(strstr(e.text, answers[i]->name));
		answers[i]->now = answers[i]->yes;
	}
	/* no answer: it comes when the call is made */
	by_id.now = EIO;
	CHECK_EQ(mc_choose_api(MNTCR_API_AUTO), MNTCR_API_EXTENDED);
	by_id.now = by_id.yes;
	/* denied by a filter */
	setgroup.now = EPERM;
	CHECK_EQ(mc_choose_api(MNTCR_API_AUTO), MNTCR_API_UPSTREAM);
	CHECK_EQ(mc_need_extended(&e), -1);
	CHECK_EQ(e.err, EPERM);
	for (i = 0; i < MC_ARRAY_SIZE(answers); i++)
		answers[i]->now = 0;
}

int main(void)
{
	TAP_RUN(what_is_needed_by_what);
	TAP_RUN(all_of_it_or_none);
	return tap_done();
}
