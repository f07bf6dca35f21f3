// SPDX-License-Identifier: GPL-2.0
/*
 * mount_setgroup(): the three privilege rules.
 *
 * Owner, EPERM: CAP_SYS_ADMIN over the owner of each mount namespace that a mount
 * of the call is in. Containment, ERANGE: a mount that is rooted outside of the
 * one that it joins by, or below a lock there, takes privilege over all that it
 * gets connected to. Pairs, EACCES: a new receiver must have nothing locked where
 * a new sender has nothing that is locked too, and where both have a mount the
 * caller must be privileged over the receiver's namespace.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "../mount_members.h"
#include "../mount_cast.h"
#include "../../kselftest_harness.h"

#define SHARED	MOUNT_SETGROUP_SHARED
#define PEER	MOUNT_SETGROUP_PEER
#define MASTER	MOUNT_SETGROUP_MASTER
#define SIBLING_OF	MOUNT_SETGROUP_SIBLING

FIXTURE(setgroup_owner) {
	char base[64];
	struct actor cast[NR_ROLES];
};

/* Every namespace has a private mount of "fs" on "0" to "3". */
FIXTURE_SETUP(setgroup_owner)
{
	if (geteuid())
		SKIP(return, "test requires root");
	if (!setgroup_supported())
		SKIP(return, "mount_setgroup() not supported");
	ASSERT_EQ(0, members_setup(self->base, sizeof(self->base)));
	for (int i = 0; i < 4; i++) {
		char name[16];
		int fd;

		snprintf(name, sizeof(name), "%d", i);
		fd = member_of(&this_test, self->base, "", name);
		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, close(fd));
	}
	ASSERT_EQ(0, cast_setup(self->cast));
}

FIXTURE_TEARDOWN(setgroup_owner)
{
	members_teardown(self->base);
}

/* There is no namespace of the caller's in it, so only these owners count. */
static bool may(enum role who, enum role whose)
{
	/* whoever made a user namespace is privileged over it */
	if (who == NO_ADMIN && whose >= OWNER && whose <= SIBLING)
		return true;
	return may_admin(who, whose);
}

TEST_F_TIMEOUT(setgroup_owner, eperm_member, 120)
{
	for (int whose = TEST_NS; whose <= SIBLING; whose++) {
		int fd = OPEN_IN(&self->cast[whose], "0");

		ASSERT_GE(fd, 0);
		for (int who = 0; who < NR_ROLES; who++) {
			EXPECT_EQ(may(who, whose) ? 0 : -EPERM,
				  AS(&self->cast[who],
				     k_setgroup(SHARED, &fd, 1, 0))) {
				TH_LOG("caller %d, member %d", who, whose);
			}
			ASSERT_EQ(0, CHANGE_IN(&self->cast[whose], "0", MS_PRIVATE));
		}
		ASSERT_EQ(0, close(fd));
	}
}

/*
 * Whoever has no privilege is refused before anything is made of the call but the
 * first member: no other descriptor is looked at, and nothing is allocated.
 */
TEST_F(setgroup_owner, eperm_first_of_all)
{
	static const enum role callers[] = { NO_ADMIN, USER, OWNER };
	int bad[2] = { -1, -1 };
	unsigned int max;
	int *page, fds[2];

	ASSERT_EQ(0, read_uint("/proc/sys/fs/mount-max", &max));
	fds[0] = OPEN_IN(&this_test, "0");
	fds[1] = -1;
	ASSERT_GE(fds[0], 0);
	/* one member before the end of memory */
	page = mmap(NULL, 2 * sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, page);
	page += sysconf(_SC_PAGESIZE) / sizeof(*page);
	ASSERT_EQ(0, munmap(page, sysconf(_SC_PAGESIZE)));
	*--page = fds[0];
	for (size_t i = 0; i < ARRAY_SIZE(callers); i++) {
		struct actor *a = &self->cast[callers[i]];

		EXPECT_EQ(-EPERM, AS(a, k_setgroup(SHARED, fds, 2, 0)));
		EXPECT_EQ(-EPERM, AS(a, k_setgroup(PEER, fds, 1, -1)));
		EXPECT_EQ(-EPERM, AS(a, k_setgroup(SHARED, page, 2, 0)));
		EXPECT_EQ(-EPERM, AS(a, k_setgroup(SHARED, page, max, 0)));
		/* that one has to be there */
		EXPECT_EQ(-EBADF, AS(a, k_setgroup(SHARED, bad, 2, 0)));
		EXPECT_EQ(-EFAULT, AS(a, k_setgroup(SHARED, NULL, 2, 0)));
		/* arguments that are wrong whoever calls */
		EXPECT_EQ(-EMFILE, AS(a, k_setgroup(SHARED, fds, max + 1, 0)));
		EXPECT_EQ(-EINVAL, AS(a, k_setgroup(SHARED, fds, 2, fds[0])));
	}
	/* privileged, the rest is what is wrong */
	EXPECT_EQ(-EBADF, k_setgroup(SHARED, fds, 2, 0));
	EXPECT_EQ(-EBADF, k_setgroup(PEER, fds, 1, -1));
	EXPECT_EQ(-EFAULT, k_setgroup(SHARED, page, 2, 0));
	/* in no namespace */
	ASSERT_EQ(0, k_umount("0", MNT_DETACH));
	EXPECT_EQ(-EINVAL, AS(&self->cast[USER], k_setgroup(SHARED, fds, 2, 0)));
	EXPECT_EQ(-EINVAL, k_setgroup(SHARED, fds, 2, 0));
}

/* One member that is out of reach is enough, and nothing happens to the rest. */
TEST_F(setgroup_owner, eperm_last_member)
{
	struct actor *o = &self->cast[OWNER];
	char *before, *after;
	int fds[3];

	fds[0] = OPEN_IN(o, "0");
	fds[1] = OPEN_IN(&self->cast[CHILD], "1");
	fds[2] = OPEN_IN(&self->cast[SIBLING], "2");
	ASSERT_TRUE(fds[0] >= 0 && fds[1] >= 0 && fds[2] >= 0);
	before = ns_snapshot(o);
	ASSERT_NE(NULL, before);
	EXPECT_EQ(-EPERM, AS(o, k_setgroup(SHARED, fds, 3, 0)));
	ASSERT_EQ(0, close(fds[2]));
	fds[2] = OPEN_IN(&this_test, "2");
	ASSERT_GE(fds[2], 0);
	EXPECT_EQ(-EPERM, AS(o, k_setgroup(SHARED, fds, 3, 0)));
	after = ns_snapshot(o);
	EXPECT_STREQ(before, after);
	free(before);
	free(after);
	EXPECT_EQ(0, AS(o, k_setgroup(SHARED, fds, 2, 0)));
}

/* The mount that is joined or received from counts as the members do. */
TEST_F_TIMEOUT(setgroup_owner, eperm_named, 120)
{
	for (int whose = TEST_NS; whose <= SIBLING; whose++) {
		struct actor *w = &self->cast[whose];
		int group, slave;

		ASSERT_EQ(0, CHANGE_IN(w, "1", MS_SHARED));
		ASSERT_EQ(0, IN(w, k_mount("1", "4", NULL, MS_BIND)));
		ASSERT_EQ(0, CHANGE_IN(w, "4", MS_SLAVE));
		group = OPEN_IN(w, "1");
		slave = OPEN_IN(w, "4");
		ASSERT_TRUE(group >= 0 && slave >= 0);
		for (int who = OWNER; who <= SIBLING; who++) {
			struct actor *a = &self->cast[who];
			int err = may(who, whose) ? 0 : -EPERM;
			int fd = OPEN_IN(a, "0");

			ASSERT_GE(fd, 0);
			EXPECT_EQ(err, AS(a, k_setgroup(PEER, &fd, 1, group)));
			ASSERT_EQ(0, CHANGE_IN(a, "0", MS_PRIVATE));
			EXPECT_EQ(err, AS(a, k_setgroup(MASTER, &fd, 1, group)));
			ASSERT_EQ(0, CHANGE_IN(a, "0", MS_PRIVATE));
			EXPECT_EQ(err, AS(a, k_setgroup(SHARED | MASTER, &fd, 1,
							group)));
			ASSERT_EQ(0, CHANGE_IN(a, "0", MS_PRIVATE));
			EXPECT_EQ(err, AS(a, k_setgroup(SIBLING_OF, &fd, 1, slave)));
			ASSERT_EQ(0, CHANGE_IN(a, "0", MS_PRIVATE));
			EXPECT_EQ(err, AS(a, k_setgroup(SHARED | SIBLING_OF, &fd, 1,
							slave)));
			ASSERT_EQ(0, CHANGE_IN(a, "0", MS_PRIVATE));
			ASSERT_EQ(0, close(fd));
		}
		ASSERT_EQ(0, close(group));
		ASSERT_EQ(0, close(slave));
	}
}

TEST_F_TIMEOUT(setgroup_owner, eperm_detached_member, 120)
{
	for (int whose = TEST_NS; whose <= SIBLING; whose++) {
		for (int who = 0; who < NR_ROLES; who++) {
			int fd = IN(&self->cast[whose],
				    k_open_tree(AT_FDCWD, "0", OPEN_TREE_CLONE));

			ASSERT_GE(fd, 0);
			EXPECT_EQ(may(who, whose) ? 0 : -EPERM,
				  AS(&self->cast[who],
				     k_setgroup(SHARED, &fd, 1, 0))) {
				TH_LOG("caller %d, member %d", who, whose);
			}
			ASSERT_EQ(0, close(fd));
		}
	}
}

/*
 * Containment. The caller owns a mount of /a, of a group that the test's
 * namespace is in as well.
 */
FIXTURE(setgroup_containment) {
	char base[64];
	struct actor owner;
	int named;		/* the owner's mount of /a: "1" */
	int wide;		/* the test's mount of /: "0" */
};

FIXTURE_SETUP(setgroup_containment)
{
	int fd;

	if (geteuid())
		SKIP(return, "test requires root");
	if (!setgroup_supported())
		SKIP(return, "mount_setgroup() not supported");
	ASSERT_EQ(0, members_setup(self->base, sizeof(self->base)));
	self->wide = member_of(&this_test, self->base, "", "0");
	ASSERT_GE(self->wide, 0);
	fd = member_of(&this_test, self->base, "a", "1");
	ASSERT_GE(fd, 0);
	/*
	 * "2" has a mount below a. In the owner's namespace it is locked, and "2"
	 * is a slave of this one, which the owner has no power over.
	 */
	fd = member_of(&this_test, self->base, "", "2");
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, k_mount(NULL, "2", NULL, MS_SHARED));
	ASSERT_EQ(0, k_mount("tmpfs", "2/a/x", "tmpfs", 0));
	ASSERT_EQ(0, actor_new(&self->owner, &this_test, ACTOR_USERNS));
	self->named = OPEN_IN(&self->owner, "1");
	ASSERT_GE(self->named, 0);
}

FIXTURE_TEARDOWN(setgroup_containment)
{
	members_teardown(self->base);
}

/* The owner makes a new mount of @root join, and drops it again. */
static int join(const struct actor *caller, const struct actor *owner,
		const char *base, const char *root, unsigned int flags, int named)
{
	char path[128];
	int fd, ret, err;

	snprintf(path, sizeof(path), "%s/11", base);
	fd = member_of(owner, base, root, "11");
	if (fd < 0)
		return -ECANCELED;
	ret = AS(caller, k_setgroup(flags, &fd, 1, named));
	close(fd);
	err = AS(owner, k_umount(path, 0));
	return err ? -ECANCELED : ret;
}

#define JOIN(root, flags, named) \
	join(&self->owner, &self->owner, self->base, root, flags, named)

/* Anyone else's privilege does not help the caller, only its own does. */
#define JOIN_BY_TEST(root, flags, named) \
	join(&this_test, &self->owner, self->base, root, flags, named)

static const unsigned int joins[] = { PEER, MASTER, SHARED | MASTER };
static const unsigned int siblings[] = { SIBLING_OF, SHARED | SIBLING_OF };

TEST_F(setgroup_containment, erange_ring)
{
	int fds[2] = { self->named, self->wide };

	ASSERT_EQ(0, k_setgroup(SHARED, fds, 2, 0));
	for (size_t i = 0; i < ARRAY_SIZE(joins); i++) {
		EXPECT_EQ(0, JOIN("a", joins[i], self->named));
		EXPECT_EQ(0, JOIN("a/x", joins[i], self->named));
		EXPECT_EQ(-ERANGE, JOIN("", joins[i], self->named));
		EXPECT_EQ(-ERANGE, JOIN("b", joins[i], self->named));
		EXPECT_EQ(0, JOIN_BY_TEST("", joins[i], self->named));
		EXPECT_EQ(0, JOIN_BY_TEST("b", joins[i], self->named));
	}
}

/* One that is rooted outside is enough, wherever it is in the list. */
TEST_F(setgroup_containment, erange_one_of_two)
{
	int fds[2] = { self->named, self->wide };
	char in[80], out[80];

	snprintf(in, sizeof(in), "%s/10", self->base);
	snprintf(out, sizeof(out), "%s/11", self->base);
	ASSERT_EQ(0, k_setgroup(SHARED, fds, 2, 0));
	for (size_t i = 0; i < 2 * ARRAY_SIZE(joins); i++) {
		unsigned int flags = joins[i / 2];
		int inside = member_of(&self->owner, self->base, "a", "10");
		int outside = member_of(&self->owner, self->base, i % 2 ? "b" : "", "11");
		int first[2] = { outside, inside }, last[2] = { inside, outside };

		ASSERT_TRUE(inside >= 0 && outside >= 0);
		EXPECT_EQ(-ERANGE, AS(&self->owner, k_setgroup(flags, first, 2, self->named)));
		EXPECT_EQ(-ERANGE, AS(&self->owner, k_setgroup(flags, last, 2, self->named)));
		EXPECT_EQ(MS_PRIVATE, propagation_of(inside));
		EXPECT_EQ(MS_PRIVATE, propagation_of(outside));
		EXPECT_EQ(0, k_setgroup(flags, last, 2, self->named));
		close(inside);
		close(outside);
		ASSERT_EQ(0, AS(&self->owner, k_umount(in, 0)));
		ASSERT_EQ(0, AS(&self->owner, k_umount(out, 0)));
	}
}

/* Without locks members may have different roots. */
TEST_F(setgroup_containment, two_roots_inside)
{
	int ring[2] = { self->named, self->wide };
	int fds[2];

	fds[0] = member_of(&self->owner, self->base, "a", "10");
	fds[1] = member_of(&self->owner, self->base, "a/x", "11");
	ASSERT_TRUE(fds[0] >= 0 && fds[1] >= 0);
	ASSERT_EQ(0, k_setgroup(SHARED, ring, 2, 0));
	EXPECT_EQ(0, AS(&self->owner, k_setgroup(MASTER, fds, 2, self->named)));
	EXPECT_NE(0, master_of(fds[0]));
	EXPECT_EQ(master_of(fds[0]), master_of(fds[1]));
}

TEST_F(setgroup_containment, erange_ring_of_the_sibling)
{
	ASSERT_EQ(0, k_setgroup(SHARED, &self->wide, 1, 0));
	ASSERT_EQ(0, k_setgroup(MASTER, &self->named, 1, self->wide));
	for (size_t i = 0; i < ARRAY_SIZE(siblings); i++) {
		EXPECT_EQ(0, JOIN("a", siblings[i], self->named));
		EXPECT_EQ(0, JOIN("a/x", siblings[i], self->named));
		EXPECT_EQ(-ERANGE, JOIN("", siblings[i], self->named));
		EXPECT_EQ(-ERANGE, JOIN("b", siblings[i], self->named));
		EXPECT_EQ(0, JOIN_BY_TEST("", siblings[i], self->named));
	}
}

/* The group is the caller's, what that receives from is not. */
TEST_F(setgroup_containment, erange_ring_above)
{
	ASSERT_EQ(0, k_setgroup(SHARED, &self->wide, 1, 0));
	ASSERT_EQ(0, k_setgroup(SHARED | MASTER, &self->named, 1, self->wide));
	for (size_t i = 0; i < ARRAY_SIZE(joins); i++) {
		EXPECT_EQ(0, JOIN("a", joins[i], self->named));
		EXPECT_EQ(-ERANGE, JOIN("", joins[i], self->named));
		EXPECT_EQ(0, JOIN_BY_TEST("", joins[i], self->named));
	}
}

/* Two groups above. */
TEST_F(setgroup_containment, erange_ring_further_above)
{
	int mid = member_of(&self->owner, self->base, "a", "3");

	ASSERT_GE(mid, 0);
	ASSERT_EQ(0, k_setgroup(SHARED, &self->wide, 1, 0));
	ASSERT_EQ(0, k_setgroup(SHARED | MASTER, &mid, 1, self->wide));
	ASSERT_EQ(0, k_setgroup(SHARED | MASTER, &self->named, 1, mid));
	for (size_t i = 0; i < ARRAY_SIZE(joins); i++) {
		EXPECT_EQ(0, JOIN("a", joins[i], self->named));
		EXPECT_EQ(-ERANGE, JOIN("", joins[i], self->named));
	}
}

/* What is below matters for those who send: peers. */
TEST_F(setgroup_containment, erange_slave_below)
{
	ASSERT_EQ(0, k_setgroup(SHARED, &self->named, 1, 0));
	ASSERT_EQ(0, k_setgroup(MASTER, &self->wide, 1, self->named));
	EXPECT_EQ(0, JOIN("a", PEER, self->named));
	EXPECT_EQ(-ERANGE, JOIN("", PEER, self->named));
	EXPECT_EQ(-ERANGE, JOIN("b", PEER, self->named));
	EXPECT_EQ(0, JOIN_BY_TEST("", PEER, self->named));
	EXPECT_EQ(0, JOIN("", MASTER, self->named));
	EXPECT_EQ(0, JOIN("b", SHARED | MASTER, self->named));
}

/* With power over all of it there is nothing to contain. */
TEST_F(setgroup_containment, all_of_it_is_the_callers)
{
	ASSERT_EQ(0, k_setgroup(SHARED, &self->named, 1, 0));
	for (size_t i = 0; i < ARRAY_SIZE(joins); i++) {
		EXPECT_EQ(0, JOIN("", joins[i], self->named));
		EXPECT_EQ(0, JOIN("b", joins[i], self->named));
	}
}

/* A locked mount on the one that is named: at, above or below the new root. */
TEST_F(setgroup_containment, erange_locked_child)
{
	int locked = OPEN_IN(&self->owner, "2");

	ASSERT_GE(locked, 0);
	ASSERT_EQ(0, CHANGE_IN(&self->owner, "2", MS_SHARED));
	for (size_t i = 0; i < ARRAY_SIZE(joins); i++) {
		/* peers would send to where the lock is, whoever the caller is */
		int by_test = joins[i] == PEER ? -EACCES : 0;

		EXPECT_EQ(-ERANGE, JOIN("a/x", joins[i], locked));
		EXPECT_EQ(-ERANGE, JOIN("a/x/y", joins[i], locked));
		EXPECT_EQ(-ERANGE, JOIN("a", joins[i], locked));
		EXPECT_EQ(-ERANGE, JOIN("", joins[i], locked));
		EXPECT_EQ(0, JOIN("b", joins[i], locked));
		EXPECT_EQ(by_test, JOIN_BY_TEST("a/x/y", joins[i], locked));
	}
	for (size_t i = 0; i < ARRAY_SIZE(siblings); i++) {
		EXPECT_EQ(-ERANGE, JOIN("a/x", siblings[i], locked));
		EXPECT_EQ(-ERANGE, JOIN("a/x/y", siblings[i], locked));
		EXPECT_EQ(-ERANGE, JOIN("a", siblings[i], locked));
		EXPECT_EQ(-ERANGE, JOIN("", siblings[i], locked));
		EXPECT_EQ(0, JOIN("b", siblings[i], locked));
		EXPECT_EQ(0, JOIN_BY_TEST("a/x/y", siblings[i], locked));
	}
}

/* Where there are locks each root takes a call of its own. */
TEST_F(setgroup_containment, erange_locked_child_and_two_roots)
{
	struct actor *o = &self->owner;
	int locked = OPEN_IN(o, "2");
	int fds[3];

	ASSERT_EQ(0, mkdir("fs/b/c", 0755));
	fds[0] = member_of(o, self->base, "b", "3");
	fds[1] = member_of(o, self->base, "b/c", "4");
	fds[2] = member_of(o, self->base, "b", "5");
	ASSERT_TRUE(locked >= 0 && fds[0] >= 0 && fds[1] >= 0 && fds[2] >= 0);
	ASSERT_EQ(0, CHANGE_IN(o, "2", MS_SHARED));
	EXPECT_EQ(-ERANGE, AS(o, k_setgroup(MASTER, fds, 2, locked)));
	EXPECT_EQ(-ERANGE, AS(o, k_setgroup(MASTER, fds, 3, locked)));
	EXPECT_EQ(0, k_setgroup(MASTER, fds, 1, locked));
	EXPECT_EQ(0, AS(o, k_setgroup(MASTER, fds + 1, 1, locked)));
	ASSERT_EQ(0, CHANGE_IN(o, "3", MS_PRIVATE));
	fds[1] = fds[2];
	EXPECT_EQ(0, AS(o, k_setgroup(PEER, fds, 2, locked)));
}

/* A mount there that is not locked is no obstacle. */
TEST_F(setgroup_containment, child_that_is_not_locked)
{
	int fds[2] = { self->named, self->wide };

	ASSERT_EQ(0, k_setgroup(SHARED, fds, 2, 0));
	ASSERT_EQ(0, MOUNT_IN(&self->owner, "1/x"));
	for (size_t i = 0; i < ARRAY_SIZE(joins); i++) {
		EXPECT_EQ(0, JOIN("a", joins[i], self->named));
		EXPECT_EQ(0, JOIN("a/x/y", joins[i], self->named));
	}
}

/* SHARED names everyone who sends or receives: roots don't matter. */
TEST_F(setgroup_containment, shared_needs_none)
{
	struct actor *o = &self->owner;
	int fds[3];

	fds[0] = self->named;
	fds[1] = member_of(o, self->base, "b", "3");
	fds[2] = member_of(o, self->base, "", "4");
	ASSERT_TRUE(fds[1] >= 0 && fds[2] >= 0);
	EXPECT_EQ(0, AS(o, k_setgroup(SHARED, fds, 3, 0)));
}

/*
 * Pairs. "1", "4", "5" have something on a/x, "6" has something on b, and "7" on
 * both. "8" has something on a/x and is shared. The rest has nothing.
 *
 * All of it is locked in the owner's namespace, where "8" is a slave.
 *
 * Where other namespaces have mounts at the same places, these must not count, nor
 * hide those that do.
 */
#define NR_PAIRS	9

FIXTURE(setgroup_pairs) {
	char base[64];
	struct actor owner;
	int mine[NR_PAIRS];	/* of the test's namespace */
	int fd[NR_PAIRS];	/* of the owner's */
};

/* Namespaces that have nothing to do with it, made before and after the owner's. */
FIXTURE_VARIANT(setgroup_pairs) {
	int before, after;
};

FIXTURE_VARIANT_ADD(setgroup_pairs, alone) { };

/* More than are looked at one by one; the last ones come first. */
FIXTURE_VARIANT_ADD(setgroup_pairs, crowded) {
	.after = 20,
};

FIXTURE_VARIANT_ADD(setgroup_pairs, crowded_later) {
	.before = 20,
};

FIXTURE_SETUP(setgroup_pairs)
{
	static const char * const children[] = {
		"1/a/x", "4/a/x", "5/a/x", "6/b", "7/b", "7/a/x", "8/a/x"
	};
	char name[16];
	struct actor other;

	if (geteuid())
		SKIP(return, "test requires root");
	if (!setgroup_supported())
		SKIP(return, "mount_setgroup() not supported");
	ASSERT_EQ(0, members_setup(self->base, sizeof(self->base)));
	for (int i = 0; i < NR_PAIRS; i++) {
		snprintf(name, sizeof(name), "%d", i);
		self->mine[i] = member_of(&this_test, self->base, "", name);
		ASSERT_GE(self->mine[i], 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(children); i++)
		ASSERT_EQ(0, k_mount("tmpfs", children[i], "tmpfs", 0));
	for (int i = 0; i < variant->before; i++)
		ASSERT_EQ(0, actor_new(&other, &this_test, ACTOR_MNTNS));
	ASSERT_EQ(0, k_mount(NULL, "8", NULL, MS_SHARED));
	ASSERT_EQ(0, actor_new(&self->owner, &this_test, ACTOR_USERNS));
	for (int i = 0; i < NR_PAIRS; i++) {
		snprintf(name, sizeof(name), "%d", i);
		self->fd[i] = OPEN_IN(&self->owner, name);
		ASSERT_GE(self->fd[i], 0);
	}
	for (int i = 0; i < variant->after; i++) {
		ASSERT_EQ(0, actor_new(&other, &this_test, ACTOR_MNTNS));
		ASSERT_EQ(0, CHANGE_IN(&other, "8", MS_PRIVATE));
	}
}

FIXTURE_TEARDOWN(setgroup_pairs)
{
	members_teardown(self->base);
}

/* Is it refused for the owner and for one with all privileges alike? */
static bool refused(const struct actor *owner, unsigned int flags,
		    const int *fds, unsigned int nr, int target)
{
	int by_owner = AS(owner, k_setgroup(flags, fds, nr, target));
	int by_test = k_setgroup(flags, fds, nr, target);

	if (by_owner != -EACCES || by_test != -EACCES)
		fprintf(stderr, "# by the owner: %d, by the test: %d\n",
			by_owner, by_test);
	return by_owner == -EACCES && by_test == -EACCES;
}

#define EXPECT_EACCES(...)	EXPECT_TRUE(refused(&self->owner, __VA_ARGS__))

TEST_F(setgroup_pairs, eacces_members)
{
	int fds[3] = { self->fd[2], self->fd[1], self->fd[0] };
	char *before, *after;

	ASSERT_EQ(0, MOUNT_IN(&self->owner, "0/a/x"));
	before = ns_snapshot(&self->owner);
	ASSERT_NE(NULL, before);
	EXPECT_EACCES(SHARED, fds, 3, 0);
	/* whatever the order */
	fds[0] = self->fd[0];
	fds[2] = self->fd[2];
	EXPECT_EACCES(SHARED, fds, 3, 0);
	EXPECT_EACCES(SHARED, fds, 2, 0);
	after = ns_snapshot(&self->owner);
	EXPECT_STREQ(before, after);
	free(before);
	free(after);
	/* those without anything locked are fine */
	fds[1] = self->fd[2];
	EXPECT_EQ(0, AS(&self->owner, k_setgroup(SHARED, fds, 2, 0)));
}

/* A member that has nothing there can have something mounted any time. */
TEST_F(setgroup_pairs, eacces_members_without_it)
{
	int fds[3] = { self->fd[1], self->fd[4], self->fd[0] };

	EXPECT_EACCES(SHARED, fds, 3, 0);
	EXPECT_EACCES(SHARED, fds + 1, 2, 0);
	EXPECT_EQ(0, AS(&self->owner, k_setgroup(SHARED, fds, 2, 0)));
}

/* Not the first mount of any member: b is locked in both, a/x is not. */
TEST_F(setgroup_pairs, eacces_members_second_child)
{
	int fds[2] = { self->fd[6], self->fd[7] };

	EXPECT_EACCES(SHARED, fds, 2, 0);
}

/* Members that only receive are no pair of one another. */
TEST_F(setgroup_pairs, members_that_only_receive)
{
	struct actor *o = &self->owner;
	int fds[2] = { self->fd[0], self->fd[1] };

	ASSERT_EQ(0, MOUNT_IN(o, "0/a/x"));
	ASSERT_EQ(0, AS(o, k_setgroup(SHARED, self->fd + 4, 1, 0)));
	EXPECT_EACCES(SHARED | MASTER, fds, 2, self->fd[4]);
	EXPECT_EQ(0, AS(o, k_setgroup(MASTER, fds, 2, self->fd[4])));
}

/* What unshare() leaves: the same locked mounts everywhere. */
TEST_F(setgroup_pairs, same_locked_children)
{
	struct actor *o = &self->owner;
	int fds[2] = { self->fd[1], self->fd[4] };

	ASSERT_EQ(0, AS(o, k_setgroup(SHARED, fds, 2, 0)));
	EXPECT_EQ(0, AS(o, k_setgroup(PEER, self->fd + 5, 1, self->fd[1])));
	EXPECT_EQ(-EINVAL, UMOUNT_IN(o, "1/a/x"));
	EXPECT_EQ(-EINVAL, UMOUNT_IN(o, "5/a/x"));
	ASSERT_EQ(0, MOUNT_IN(o, "1/b"));
	EXPECT_EQ(1, MOUNTED_IN(o, "4/b"));
	EXPECT_EQ(1, MOUNTED_IN(o, "5/b"));
}

/*
 * A mount placed beneath a locked one takes the lock over, so the one on top can
 * be unmounted, by peers as well. What was hidden stays hidden from all.
 */
TEST_F(setgroup_pairs, beneath_same_locked_children)
{
	struct actor other, *o = &self->owner;
	int fds[2] = { self->fd[1], -1 };
	struct mnt before, after;
	int tree;

	ASSERT_EQ(0, actor_new(&other, &this_test, ACTOR_USERNS));
	fds[1] = OPEN_IN(&other, "1");
	ASSERT_GE(fds[1], 0);
	ASSERT_EQ(0, k_setgroup(SHARED, fds, 2, 0));
	ASSERT_EQ(0, mnt_at(&other, PATH("1/a/x"), &before));
	ASSERT_TRUE(before.locks & MOUNT_LOCK_MOUNT);

	tree = detached_tmpfs(o, 0);
	ASSERT_GE(tree, 0);
	ASSERT_EQ(0, IN(o, k_move_mount(tree, "", AT_FDCWD, "1/a/x",
					MOVE_MOUNT_BENEATH)));
	ASSERT_EQ(0, IN(o, k_umount("1/a/x", MNT_DETACH)));
	EXPECT_EQ(-EINVAL, IN(o, k_umount("1/a/x", MNT_DETACH)));
	ASSERT_EQ(0, mnt_at(&other, PATH("1/a/x"), &after));
	EXPECT_TRUE(after.is_root);
	EXPECT_NE(before.id, after.id);
	EXPECT_TRUE(after.locks & MOUNT_LOCK_MOUNT);
	EXPECT_EQ(-EINVAL, IN(&other, k_umount("1/a/x", MNT_DETACH)));
}

TEST_F(setgroup_pairs, not_locked_at_all)
{
	int fds[2] = { self->mine[1], self->mine[4] };

	ASSERT_EQ(0, k_setgroup(SHARED, fds, 2, 0));
	ASSERT_EQ(0, k_umount("1/a/x", 0));
	EXPECT_EQ(0, is_mounted_at(&this_test, "4/a/x"));
}

/* Another directory of the same filesystem is another place. */
TEST_F(setgroup_pairs, another_place)
{
	int fds[2] = { self->fd[1], self->fd[4] };

	ASSERT_EQ(0, MOUNT_IN(&self->owner, "1/b"));
	ASSERT_EQ(0, MOUNT_IN(&self->owner, "4/a"));
	EXPECT_EQ(0, AS(&self->owner, k_setgroup(SHARED, fds, 2, 0)));
}

/* The group that is joined, or received from, sends to the new member ... */
TEST_F(setgroup_pairs, eacces_member_is_locked)
{
	struct actor *o = &self->owner;
	int ring[2] = { self->fd[0], self->fd[2] };

	ASSERT_EQ(0, AS(o, k_setgroup(SHARED, ring, 2, 0)));
	for (int i = 0; i < 2; i++) {
		EXPECT_EACCES(PEER, self->fd + 1, 1, ring[0]);
		EXPECT_EACCES(MASTER, self->fd + 1, 1, ring[0]);
		EXPECT_EACCES(SHARED | MASTER, self->fd + 1, 1, ring[0]);
		/* now all of the group have it, and it is not locked */
		if (!i)
			ASSERT_EQ(0, MOUNT_IN(o, "0/a/x"));
	}
}

/* ... and the new member to the group that is joined. */
TEST_F(setgroup_pairs, eacces_peer_is_locked)
{
	struct actor *o = &self->owner;
	int ring[2] = { self->fd[1], self->fd[4] };

	ASSERT_EQ(0, AS(o, k_setgroup(SHARED, ring, 2, 0)));
	ASSERT_EQ(0, MOUNT_IN(o, "0/a/x"));
	EXPECT_EACCES(PEER, self->fd, 1, ring[0]);
	/* a slave sends nothing, so its own may be the one that goes away */
	EXPECT_EQ(0, AS(o, k_setgroup(MASTER, self->fd, 1, ring[0])));
}

/* A new member that has nothing there, unless it does not show that place. */
TEST_F(setgroup_pairs, eacces_peer_is_locked_alone)
{
	struct actor *o = &self->owner;
	int ring[2] = { self->fd[1], self->fd[4] };
	int fd = member_of(o, self->base, "b", "9");

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, AS(o, k_setgroup(SHARED, ring, 2, 0)));
	EXPECT_EACCES(PEER, self->fd + 2, 1, ring[0]);
	EXPECT_EQ(0, AS(o, k_setgroup(PEER, &fd, 1, ring[0])));
}

/* A slave of the group that is joined. */
TEST_F(setgroup_pairs, eacces_slave_is_locked)
{
	ASSERT_EQ(0, MOUNT_IN(&this_test, "2/a/x"));
	EXPECT_EQ(-EACCES, k_setgroup(PEER, self->mine + 2, 1, self->mine[8]));
	/* as a slave it is no sender */
	EXPECT_EQ(0, k_setgroup(MASTER, self->mine + 2, 1, self->mine[8]));
	/* with nothing there it does what the group could do already */
	EXPECT_EQ(0, k_setgroup(PEER, self->mine, 1, self->mine[8]));
}

/* What the group receives from: there it is not locked. */
TEST_F(setgroup_pairs, eacces_ring_above)
{
	static const unsigned int flags[] = {
		PEER, MASTER, SHARED | MASTER, SIBLING_OF, SHARED | SIBLING_OF
	};

	ASSERT_EQ(0, CHANGE_IN(&self->owner, "8", MS_SHARED));
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		/* the lock is in the way of containment as well, for the owner */
		EXPECT_EQ(-ERANGE, AS(&self->owner, k_setgroup(flags[i], self->fd + 1, 1,
							       self->fd[8])));
		EXPECT_EQ(-EACCES, k_setgroup(flags[i], self->fd + 1, 1, self->fd[8]));
	}
}

/*
 * A mount that is not locked still belongs to whoever owns its namespace. The
 * caller is privileged over the mount that it names, not over the one that
 * would lose what is mounted there.
 */
TEST_F(setgroup_pairs, eacces_receiver_of_another_owner)
{
	struct actor *o = &self->owner;
	int ring[2] = { self->fd[0], self->mine[0] };

	ASSERT_EQ(0, k_mount("tmpfs", "0/a/x", "tmpfs", 0));
	ASSERT_EQ(0, k_setgroup(SHARED, ring, 2, 0));
	ASSERT_EQ(0, MOUNT_IN(o, "2/a/x"));
	EXPECT_EQ(-EACCES, AS(o, k_setgroup(PEER, self->fd + 2, 1, self->fd[0])));
	/* as a receiver alone it takes nothing away */
	EXPECT_EQ(0, AS(o, k_setgroup(MASTER, self->fd + 2, 1, self->fd[0])));
	ASSERT_EQ(0, CHANGE_IN(o, "2", MS_PRIVATE));
	/* nor where there is nothing, or by someone with power over both */
	ASSERT_EQ(0, k_setgroup(PEER, self->fd + 2, 1, self->fd[0]));
	EXPECT_EQ(0, AS(o, k_setgroup(PEER, self->fd + 3, 1, self->fd[0])));
}

TEST_F(setgroup_pairs, eacces_slave_of_another_owner)
{
	struct actor *o = &self->owner;

	ASSERT_EQ(0, AS(o, k_setgroup(SHARED, self->fd, 1, 0)));
	ASSERT_EQ(0, k_setgroup(MASTER, self->mine + 1, 1, self->fd[0]));
	ASSERT_EQ(0, MOUNT_IN(o, "2/a/x"));
	EXPECT_EQ(-EACCES, AS(o, k_setgroup(PEER, self->fd + 2, 1, self->fd[0])));
	EXPECT_EQ(0, AS(o, k_setgroup(PEER, self->fd + 3, 1, self->fd[0])));
	ASSERT_EQ(0, UMOUNT_IN(o, "2/a/x"));
	EXPECT_EQ(0, AS(o, k_setgroup(PEER, self->fd + 2, 1, self->fd[0])));
}

/* One of the members is enough: here not the first, and nothing else is there. */
TEST_F(setgroup_pairs, eacces_receiver_of_another_owner_than_any_member)
{
	struct actor child, *o = &self->owner;
	int ring[2] = { self->fd[0], self->mine[0] };
	int fds[2] = { self->fd[3], -1 };

	ASSERT_EQ(0, actor_new(&child, o, ACTOR_USERNS));
	fds[1] = OPEN_IN(&child, "2");
	ASSERT_GE(fds[1], 0);
	ASSERT_EQ(0, k_mount("tmpfs", "0/a", "tmpfs", 0));
	ASSERT_EQ(0, k_setgroup(SHARED, ring, 2, 0));
	ASSERT_EQ(0, MOUNT_IN(&child, "2/a"));
	EXPECT_EQ(-EACCES, AS(o, k_setgroup(PEER, fds, 2, self->fd[0])));
	EXPECT_EQ(-EACCES, AS(o, k_setgroup(PEER, fds + 1, 1, self->fd[0])));
	EXPECT_EQ(MS_PRIVATE, propagation_of(fds[0]));
	ASSERT_EQ(0, UMOUNT_IN(&child, "2/a"));
	EXPECT_EQ(0, AS(o, k_setgroup(PEER, fds, 2, self->fd[0])));
}

TEST_HARNESS_MAIN
