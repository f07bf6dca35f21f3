// SPDX-License-Identifier: GPL-2.0
/*
 * What changes sharing groups, what changes the mounts that are in them, and what
 * looks at both, all at once. Nobody may get an error that the others don't
 * account for. Afterwards every mount has to propagate to what it is reported to,
 * and nowhere else.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <sys/wait.h>
#include <time.h>

#include "../mount_members.h"
#include "../../kselftest_harness.h"
#include "mount_overlaps.h"

#define NR_NAMES	8	/* "0" to "7" in each namespace */
#define NR_WIDE		6	/* of "fs", the rest of fs/a/x */
#define NR_NS		2
#define NR_STEPS	200
#define MAX_SECONDS	5
#define MAX_MOUNTS	512

FIXTURE(mount_races) {
	char base[64];
	struct actor ns[NR_NS];	/* the test's, and another of the same owner */
	int dir[NR_NS];		/* the test's directory there */
	int nsfs[NR_NS];
};

static const char *root_of(int i)
{
	return i < NR_WIDE ? "fs" : "fs/a/x";
}

static const char *name_of(int i)
{
	static const char * const names[NR_NAMES] = {
		"0", "1", "2", "3", "4", "5", "6", "7"
	};

	return names[i];
}

FIXTURE_SETUP(mount_races)
{
	if (geteuid())
		SKIP(return, "test requires root");
	if (!setgroup_supported() || !lock_set_supported())
		SKIP(return, "mount_setgroup() or lock_set not supported");
	ASSERT_EQ(0, members_setup(self->base, sizeof(self->base)));
	ASSERT_EQ(0, mkdir("fs/e", 0755));
	ASSERT_EQ(0, mkdir("dst", 0755));
	for (int i = 0; i < NR_NAMES; i++)
		ASSERT_EQ(0, k_mount(root_of(i), name_of(i), NULL, MS_BIND));
	self->ns[0] = this_test;
	ASSERT_EQ(0, actor_new(&self->ns[1], &this_test, ACTOR_MNTNS));
	for (int i = 0; i < NR_NS; i++) {
		self->dir[i] = OPEN_IN(&self->ns[i], ".");
		self->nsfs[i] = AS(&self->ns[i], k_open("/proc/self/ns/mnt", O_RDONLY));
		ASSERT_TRUE(self->dir[i] >= 0 && self->nsfs[i] >= 0);
	}
}

FIXTURE_TEARDOWN(mount_races)
{
	members_teardown(self->base);
}

/* 0 if @ret is no error, or one of those given; else @ret. */
#define ACCEPT(ret, ...) ({						\
	const int __ok[] = { __VA_ARGS__ };				\
	int __ret = ret;						\
									\
	for (size_t __i = 0; __i < ARRAY_SIZE(__ok); __i++)		\
		if (__ret == -__ok[__i])				\
			__ret = 0;					\
	__ret < 0 ? __ret : 0;						\
})

static int any(unsigned int *seed, int nr)
{
	return rand_r(seed) / 16 % nr;
}

/* What is mounted at some name in some namespace, if anything is. */
static int open_any(struct _test_data_mount_races *self, unsigned int *seed)
{
	return k_openat(self->dir[any(seed, NR_NS)], name_of(any(seed, NR_NAMES)),
			O_PATH);
}

static int race_setgroup(struct _test_data_mount_races *self, unsigned int *seed)
{
	static const unsigned int kinds[] = {
		MOUNT_SETGROUP_SHARED, MOUNT_SETGROUP_PEER,
		MOUNT_SETGROUP_MASTER, MOUNT_SETGROUP_SIBLING,
		MOUNT_SETGROUP_SHARED | MOUNT_SETGROUP_MASTER,
		MOUNT_SETGROUP_SHARED | MOUNT_SETGROUP_SIBLING,
	};
	unsigned int kind = kinds[any(seed, ARRAY_SIZE(kinds))];
	int fds[3], named, nr = 1 + any(seed, 3), ret;

	for (int i = 0; i < nr; i++)
		fds[i] = open_any(self, seed);
	named = open_any(self, seed);
	ret = MEET(k_setgroup(kind, fds, nr, kind == MOUNT_SETGROUP_SHARED ? 0 : named));
	for (int i = 0; i < nr; i++)
		close(fds[i]);
	close(named);
	/* private no more, twice, not mounted: then it is on the test's directory */
	return ACCEPT(ret, EBUSY, EINVAL, EXDEV);
}

static int race_set_group(struct _test_data_mount_races *self, unsigned int *seed)
{
	int from = open_any(self, seed), to = open_any(self, seed);
	int ret = MEET(k_move_mount(from, "", to, "", MOVE_MOUNT_SET_GROUP));

	close(from);
	close(to);
	return ACCEPT(ret, EINVAL);
}

static int race_change_type(struct _test_data_mount_races *self, unsigned int *seed)
{
	static const int types[] = {
		MS_PRIVATE, MS_PRIVATE, MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE
	};

	const char *name = name_of(any(seed, NR_NAMES));
	int type = types[any(seed, ARRAY_SIZE(types))];

	return ACCEPT(MEET(k_mount(NULL, name, NULL, type)), EINVAL);
}

static int race_umount(struct _test_data_mount_races *self, unsigned int *seed)
{
	int i = any(seed, NR_NAMES);
	int err;

	err = ACCEPT(MEET(k_umount("dst", MNT_DETACH)), EINVAL);
	if (!err)
		err = ACCEPT(MEET(k_umount(name_of(i), MNT_DETACH)), EINVAL);
	/* what it is the root of may have been renamed */
	return err ?: ACCEPT(MEET(k_mount(root_of(i), name_of(i), NULL, MS_BIND)),
			     ENOENT);
}

static int race_events(struct _test_data_mount_races *self, unsigned int *seed)
{
	char path[16];
	int err;

	snprintf(path, sizeof(path), "%s/a", name_of(any(seed, NR_NAMES)));
	err = ACCEPT(MEET(k_mount("tmpfs", path, "tmpfs", 0)), ENOENT, EINVAL);
	return err ?: ACCEPT(MEET(k_umount(path, MNT_DETACH)), ENOENT, EINVAL);
}

/* Each time the namespace goes that was made before. */
static int race_unshare(struct _test_data_mount_races *self, unsigned int *seed)
{
	return MEET(unshare(CLONE_NEWNS)) ? -errno : race_events(self, seed);
}

static int race_rename(struct _test_data_mount_races *self, unsigned int *seed)
{
	if (MEET(rename("fs/a/x", "fs/b/x")))
		return -errno;
	sched_yield();
	return MEET(rename("fs/b/x", "fs/a/x")) ? -errno : 0;
}

static int race_foreign(struct _test_data_mount_races *self, unsigned int *seed)
{
	const char *name = name_of(any(seed, NR_NAMES));
	int tree, err, dst;
	bool free;

	tree = MEET(k_open_tree(self->dir[1], name,
				OPEN_TREE_CLONE | OPEN_TREE_FOREIGN));
	err = ACCEPT(tree, EINVAL);
	if (tree < 0)
		return err;
	/* nobody else mounts there; on a member of a group it would be an event */
	dst = k_openat(self->dir[1], "dst", O_PATH);
	free = mnt_id_of(dst) == mnt_id_of(self->dir[1]);
	if (free)
		err = MEET(k_move_mount(tree, "", dst, "", MOVE_MOUNT_T_FOREIGN));
	close(dst);
	close(tree);
	return err;
}

static int race_look(struct _test_data_mount_races *self, unsigned int *seed)
{
	static __u64 ids[MAX_MOUNTS];
	static char text[0x10000];
	int which = any(seed, NR_NS);
	struct statmount sm;
	int nr, fd, err;
	ssize_t n;

	nr = MEET(k_listmount(LSMT_ROOT, 0, ids, MAX_MOUNTS));
	if (nr < 0)
		return nr;
	for (int i = 0; i < nr; i += 1 + any(seed, 4)) {
		err = ACCEPT(MEET(k_statmount(ids[i], 0, STATMOUNT_MNT_BASIC |
					      STATMOUNT_PROPAGATE_FROM |
					      STATMOUNT_MNT_LOCKS, &sm, sizeof(sm))),
			     ENOENT);
		if (err)
			return err;
		fd = MEET(k_ns_mnt_open(self->nsfs[which], ids[i]));
		err = ACCEPT(fd, ENOENT);
		if (err)
			return err;
		if (fd < 0)
			continue;
		/* unmounted since then it still tells what it was */
		if (mnt_id_of(fd) != ids[i])
			return -ESTALE;
		err = MEET(k_statmount_fd(fd, STATMOUNT_MNT_BASIC |
					  STATMOUNT_PROPAGATE_FROM, &sm, sizeof(sm)));
		if (err)
			return err;
		close(fd);
	}
	fd = k_open("/proc/self/mountinfo", O_RDONLY);
	if (fd < 0)
		return fd;
	do {
		size_t size = 1 + any(seed, sizeof(text) - 1);

		n = MEET(read(fd, text, size));
	} while (n > 0);
	close(fd);
	return n;
}

static const struct racer {
	const char *name;
	int (*step)(struct _test_data_mount_races *self, unsigned int *seed);
	int ns;
} racers[] = {
	{ "mount_setgroup()", race_setgroup, 0 },
	{ "mount_setgroup() of the other namespace", race_setgroup, 1 },
	{ "MOVE_MOUNT_SET_GROUP", race_set_group, 0 },
	{ "change of type", race_change_type, 0 },
	{ "change of type of the other namespace", race_change_type, 1 },
	{ "umount", race_umount, 0 },
	{ "umount of the other namespace", race_umount, 1 },
	{ "events", race_events, 0 },
	{ "unshare", race_unshare, 0 },
	{ "unshare of the other namespace", race_unshare, 1 },
	{ "rename", race_rename, 0 },
	{ "open_tree() and move_mount()", race_foreign, 0 },
	{ "look", race_look, 0 },
	{ "look from the other namespace", race_look, 1 },
};

static int run_racer(struct _test_data_mount_races *self, const struct racer *racer,
		     unsigned int seed, int start)
{
	struct timespec begin, now;
	char c;

	if (racer->ns && (setns(self->ns[racer->ns].mntns, CLONE_NEWNS) ||
			  chdir(self->base)))
		return -errno;
	own_side = racer - racers;
	/* all of them at once: this is no byte but the end of the pipe */
	if (read(start, &c, 1))
		return -EIO;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (int i = 0; i < NR_STEPS; i++) {
		int err = racer->step(self, &seed);

		if (err) {
			fprintf(stderr, "# %s, step %d: %s\n", racer->name, i,
				strerror(-err));
			return err;
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec - begin.tv_sec >= MAX_SECONDS)
			break;
	}
	return 0;
}

/* Everything that is left over from the race, and one mount at each name. */
static int clean_up(void)
{
	int err = 0;

	while (!k_umount("dst", MNT_DETACH))
		;
	for (int i = 0; i < NR_NAMES; i++) {
		char path[16];

		snprintf(path, sizeof(path), "%s/a", name_of(i));
		while (!k_umount(path, MNT_DETACH))
			;
		if (is_mounted_at(&this_test, name_of(i)) != 1)
			err = err ?: k_mount(root_of(i), name_of(i), NULL, MS_BIND);
	}
	return err;
}

/* At which names is something mounted on e? */
static int which_have_it(void)
{
	struct statx stx;
	int mask = 0;

	for (int i = 0; i < NR_NAMES; i++) {
		char path[16];

		snprintf(path, sizeof(path), "%s/e", name_of(i));
		if (!statx(AT_FDCWD, path, 0, 0, &stx) &&
		    (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT))
			mask |= 1 << i;
	}
	return mask;
}

/* The mounts that get what is mounted on @from, a bit for each. */
static unsigned int reached(const struct mnt *mnt, int from)
{
	unsigned int mask = 1U << from, before;

	do {
		before = mask;
		for (int i = 0; i < NR_NS * NR_NAMES; i++) {
			for (int j = 0; j < NR_NS * NR_NAMES; j++) {
				if (!(mask & 1U << i) || !mnt[i].group)
					continue;
				if (mnt[j].group == mnt[i].group ||
				    mnt[j].master == mnt[i].group)
					mask |= 1U << j;
			}
		}
	} while (mask != before);
	return mask;
}

/* Structure and events have to agree on who receives from whom. */
static int check_events(struct _test_data_mount_races *self, const struct mnt *mnt)
{
	const unsigned int wide = (1U << NR_WIDE) - 1;
	int nr_wrong = 0;

	for (int i = 0; i < NR_NS * NR_NAMES; i++) {
		struct actor *actor = &self->ns[i / NR_NAMES];
		unsigned int want, got, left;
		char path[16];

		if (i % NR_NAMES >= NR_WIDE)
			continue;
		snprintf(path, sizeof(path), "%s/e", name_of(i % NR_NAMES));
		want = reached(mnt, i) & (wide | wide << NR_NAMES);
		if (MOUNT_IN(actor, path))
			return -1;
		got = IN(&self->ns[0], which_have_it()) |
		      IN(&self->ns[1], which_have_it()) << NR_NAMES;
		if (UMOUNT_IN(actor, path))
			return -1;
		left = IN(&self->ns[0], which_have_it()) |
		       IN(&self->ns[1], which_have_it()) << NR_NAMES;
		if (got != want || left) {
			fprintf(stderr, "# from %d: %x, not %x; left is %x\n", i, got,
				want, left);
			nr_wrong++;
		}
	}
	return nr_wrong;
}

TEST_F_TIMEOUT(mount_races, all_at_once, 120)
{
	struct mnt mnt[NR_NS * NR_NAMES];
	pid_t pids[ARRAY_SIZE(racers)];
	int start[2];

	ASSERT_EQ(0, pipe(start));
	sides = shared_memory(MAX_SIDES * sizeof(*sides));
	ASSERT_NE(NULL, sides);
	for (size_t i = 0; i < ARRAY_SIZE(racers); i++) {
		sides[i].name = racers[i].name;
		fflush(stderr);
		pids[i] = fork();
		ASSERT_GE(pids[i], 0);
		if (!pids[i]) {
			close(start[1]);
			_exit(run_racer(self, &racers[i], 4711 + i, start[0]) ? 1 : 0);
		}
	}
	close(start[0]);
	close(start[1]);
	for (size_t i = 0; i < ARRAY_SIZE(racers); i++) {
		int status;

		ASSERT_EQ(pids[i], waitpid(pids[i], &status, 0));
		EXPECT_EQ(0, status) {
			TH_LOG("%s", racers[i].name);
		}
	}

	say_overlaps(_metadata);

	for (int i = 0; i < NR_NS; i++)
		ASSERT_EQ(0, IN(&self->ns[i], clean_up()));
	for (int i = 0; i < NR_NS * NR_NAMES; i++) {
		ASSERT_EQ(0, mnt_at(&self->ns[i / NR_NAMES],
				    PATH(name_of(i % NR_NAMES)), &mnt[i]));
		ASSERT_TRUE(mnt[i].is_root);
	}
	EXPECT_EQ(0, check_events(self, mnt));

	/* all of them can still be had, and belong to nobody afterwards */
	for (int ns = 0; ns < NR_NS; ns++) {
		for (int i = 0; i < NR_NAMES; i++) {
			EXPECT_EQ(0, CHANGE_IN(&self->ns[ns], name_of(i), MS_PRIVATE));
			EXPECT_EQ(0, UMOUNT_IN(&self->ns[ns], name_of(i)));
		}
	}
}

TEST_HARNESS_MAIN
