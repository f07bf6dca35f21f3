// SPDX-License-Identifier: GPL-2.0
/*
 * mount_setgroup(): what each kind of group does, by what is reported and by
 * the events that the members get.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <pthread.h>
#include <poll.h>
#include <stdlib.h>

#include "../mount_members.h"
#include "../../kselftest_harness.h"

#define SHARED	MOUNT_SETGROUP_SHARED
#define PEER	MOUNT_SETGROUP_PEER
#define MASTER	MOUNT_SETGROUP_MASTER
#define SIBLING	MOUNT_SETGROUP_SIBLING

FIXTURE(mount_setgroup) {
	char base[64];
	int fd[NR_MEMBERS];	/* on the mounts 0 to 11, all of them of "fs" */
};

FIXTURE_SETUP(mount_setgroup)
{
	if (geteuid())
		SKIP(return, "test requires root");
	if (!setgroup_supported())
		SKIP(return, "mount_setgroup() not supported");
	ASSERT_EQ(0, members_setup(self->base, sizeof(self->base)));
	for (int i = 0; i < NR_MEMBERS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		self->fd[i] = member_of(&this_test, self->base, "", name);
		ASSERT_GE(self->fd[i], 0);
	}
}

FIXTURE_TEARDOWN(mount_setgroup)
{
	members_teardown(self->base);
}

/* Exactly the mounts whose bit is set in @where have a mount at @dir. */
static bool appears_at(const char *dir, unsigned int where)
{
	bool ok = true;

	for (int i = 0; i < NR_MEMBERS; i++) {
		char path[64];
		int got;

		snprintf(path, sizeof(path), "%d/%s", i, dir);
		got = is_mounted_at(&this_test, path);
		if (got != !!(where & (1u << i))) {
			fprintf(stderr, "# %s: %s\n", path,
				got ? "a mount, and none expected" :
				      "no mount, and one expected");
			ok = false;
		}
	}
	return ok;
}

/* What is mounted below @from reaches the mounts in @where, and leaves them. */
static bool reaches(int from, unsigned int where)
{
	char path[64];
	bool ok;

	snprintf(path, sizeof(path), "%d/a", from);
	if (k_mount("tmpfs", path, "tmpfs", 0))
		return false;
	ok = appears_at("a", where | 1u << from);
	if (k_umount(path, 0))
		return false;
	return appears_at("a", 0) && ok;
}

#define M(n)	(1u << (n))

TEST_F(mount_setgroup, shared)
{
	ASSERT_EQ(0, k_setgroup(SHARED, self->fd, 3, 0));
	EXPECT_NE(0, group_of(self->fd[0]));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(group_of(self->fd[0]), group_of(self->fd[i]));
		EXPECT_EQ(MS_SHARED, propagation_of(self->fd[i]));
		EXPECT_TRUE(reaches(i, M(0) | M(1) | M(2)));
	}
	EXPECT_EQ(MS_PRIVATE, propagation_of(self->fd[3]));
	EXPECT_TRUE(reaches(3, 0));
}

TEST_F(mount_setgroup, shared_one)
{
	ASSERT_EQ(0, k_setgroup(SHARED, self->fd, 1, 0));
	ASSERT_EQ(0, k_setgroup(SHARED, self->fd + 1, 1, 0));
	EXPECT_NE(0, group_of(self->fd[0]));
	EXPECT_NE(0, group_of(self->fd[1]));
	EXPECT_NE(group_of(self->fd[0]), group_of(self->fd[1]));
	EXPECT_TRUE(reaches(0, M(0)));
	EXPECT_TRUE(reaches(1, M(1)));
}

/* A group is freed with its last member. */
TEST_F(mount_setgroup, shared_id_is_released)
{
	__u64 id;

	ASSERT_EQ(0, k_setgroup(SHARED, self->fd, 2, 0));
	id = group_of(self->fd[0]);
	for (int i = 0; i < 2; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		ASSERT_EQ(0, k_mount(NULL, name, NULL, MS_PRIVATE));
	}
	ASSERT_EQ(0, k_setgroup(SHARED, self->fd + 2, 2, 0));
	EXPECT_EQ(id, group_of(self->fd[2]));
}

TEST_F(mount_setgroup, peer)
{
	ASSERT_EQ(0, k_setgroup(SHARED, self->fd, 2, 0));
	ASSERT_EQ(0, k_setgroup(PEER, self->fd + 2, 2, self->fd[1]));
	for (int i = 0; i < 4; i++) {
		EXPECT_EQ(group_of(self->fd[0]), group_of(self->fd[i]));
		EXPECT_TRUE(reaches(i, M(0) | M(1) | M(2) | M(3)));
	}
}

/* Whoever joins a group receives from what the group receives from. */
TEST_F(mount_setgroup, peer_inherits_master)
{
	ASSERT_EQ(0, k_setgroup(SHARED, self->fd, 1, 0));
	ASSERT_EQ(0, k_setgroup(SHARED | MASTER, self->fd + 1, 2, self->fd[0]));
	ASSERT_EQ(0, k_setgroup(PEER, self->fd + 3, 1, self->fd[2]));
	ASSERT_EQ(group_of(self->fd[1]), group_of(self->fd[3]));
	ASSERT_EQ(group_of(self->fd[0]), master_of(self->fd[3]));
	ASSERT_EQ(MS_SHARED | MS_SLAVE, propagation_of(self->fd[3]));
	EXPECT_TRUE(reaches(0, M(0) | M(1) | M(2) | M(3)));
	for (int i = 1; i < 4; i++)
		EXPECT_TRUE(reaches(i, M(1) | M(2) | M(3)));
}

TEST_F(mount_setgroup, master)
{
	ASSERT_EQ(0, k_setgroup(SHARED, self->fd, 2, 0));
	ASSERT_EQ(0, k_setgroup(MASTER, self->fd + 2, 2, self->fd[1]));
	for (int i = 2; i < 4; i++) {
		EXPECT_EQ(MS_SLAVE, propagation_of(self->fd[i]));
		EXPECT_EQ(0, group_of(self->fd[i]));
		EXPECT_EQ(group_of(self->fd[0]), master_of(self->fd[i]));
		EXPECT_TRUE(reaches(i, M(i)));
	}
	for (int i = 0; i < 2; i++)
		EXPECT_TRUE(reaches(i, M(0) | M(1) | M(2) | M(3)));
}

/* Never a peer of the group on the way to be its slave. */
TEST_F(mount_setgroup, shared_master)
{
	ASSERT_EQ(0, k_setgroup(SHARED, self->fd, 1, 0));
	ASSERT_EQ(0, k_setgroup(SHARED | MASTER, self->fd + 1, 2, self->fd[0]));
	EXPECT_NE(0, group_of(self->fd[1]));
	EXPECT_NE(group_of(self->fd[0]), group_of(self->fd[1]));
	EXPECT_EQ(group_of(self->fd[1]), group_of(self->fd[2]));
	for (int i = 1; i < 3; i++) {
		EXPECT_EQ(MS_SHARED | MS_SLAVE, propagation_of(self->fd[i]));
		EXPECT_EQ(group_of(self->fd[0]), master_of(self->fd[i]));
		EXPECT_TRUE(reaches(i, M(1) | M(2)));
	}
	EXPECT_TRUE(reaches(0, M(0) | M(1) | M(2)));
}

/* From what a slave receives from; the slave itself sends nothing. */
TEST_F(mount_setgroup, sibling)
{
	ASSERT_EQ(0, k_setgroup(SHARED, self->fd, 1, 0));
	ASSERT_EQ(0, k_setgroup(MASTER, self->fd + 1, 1, self->fd[0]));
	ASSERT_EQ(0, k_setgroup(SIBLING, self->fd + 2, 2, self->fd[1]));
	for (int i = 1; i < 4; i++) {
		EXPECT_EQ(MS_SLAVE, propagation_of(self->fd[i]));
		EXPECT_EQ(group_of(self->fd[0]), master_of(self->fd[i]));
		EXPECT_TRUE(reaches(i, M(i)));
	}
	EXPECT_TRUE(reaches(0, M(0) | M(1) | M(2) | M(3)));
}

TEST_F(mount_setgroup, shared_sibling)
{
	ASSERT_EQ(0, k_setgroup(SHARED, self->fd, 1, 0));
	ASSERT_EQ(0, k_setgroup(SHARED | MASTER, self->fd + 1, 1, self->fd[0]));
	ASSERT_EQ(0, k_setgroup(SHARED | SIBLING, self->fd + 2, 2, self->fd[1]));
	EXPECT_NE(group_of(self->fd[1]), group_of(self->fd[2]));
	EXPECT_EQ(group_of(self->fd[2]), group_of(self->fd[3]));
	for (int i = 2; i < 4; i++) {
		EXPECT_EQ(MS_SHARED | MS_SLAVE, propagation_of(self->fd[i]));
		EXPECT_EQ(group_of(self->fd[0]), master_of(self->fd[i]));
		EXPECT_TRUE(reaches(i, M(2) | M(3)));
	}
	EXPECT_TRUE(reaches(0, M(0) | M(1) | M(2) | M(3)));
	EXPECT_TRUE(reaches(1, M(1)));
}

/* The master is in a namespace that only a slave of it leads to. */
TEST_F(mount_setgroup, sibling_of_an_orphan)
{
	struct actor other;
	__u64 group;

	ASSERT_EQ(0, k_setgroup(SHARED, self->fd, 1, 0));
	group = group_of(self->fd[0]);
	ASSERT_EQ(0, actor_new(&other, &this_test, ACTOR_MNTNS));
	ASSERT_EQ(0, k_mount(NULL, "0", NULL, MS_SLAVE));
	EXPECT_EQ(group, master_of(self->fd[0]));

	ASSERT_EQ(0, k_setgroup(SIBLING, self->fd + 1, 1, self->fd[0]));
	EXPECT_EQ(group, master_of(self->fd[1]));
	EXPECT_TRUE(reaches(1, M(1)));
	ASSERT_EQ(0, MOUNT_IN(&other, "0/b"));
	EXPECT_TRUE(appears_at("b", M(0) | M(1)));
}

/* The same in a chain: every group is told by one call, masters first. */
TEST_F(mount_setgroup, chain)
{
	ASSERT_EQ(0, k_setgroup(SHARED, self->fd, 2, 0));
	ASSERT_EQ(0, k_setgroup(SHARED | MASTER, self->fd + 2, 2, self->fd[1]));
	ASSERT_EQ(0, k_setgroup(SHARED | MASTER, self->fd + 4, 2, self->fd[3]));
	ASSERT_EQ(0, k_setgroup(MASTER, self->fd + 6, 2, self->fd[4]));
	EXPECT_TRUE(reaches(0, 0xff));
	EXPECT_TRUE(reaches(1, 0xff));
	EXPECT_TRUE(reaches(2, 0xfc));
	EXPECT_TRUE(reaches(3, 0xfc));
	EXPECT_TRUE(reaches(4, 0xf0));
	EXPECT_TRUE(reaches(5, 0xf0));
	EXPECT_TRUE(reaches(6, M(6)));
	EXPECT_TRUE(reaches(7, M(7)));
}

/*
 * Peers have to stay next to one another among the slaves of their master,
 * wherever the group is joined and whatever else the master sends to. Only
 * events show it.
 */
TEST_F_TIMEOUT(mount_setgroup, peers_stay_together, 120)
{
	struct mnt m[NR_MEMBERS];
	int fd[2];

	ASSERT_EQ(0, k_setgroup(SHARED, self->fd, 1, 0));
	ASSERT_EQ(0, k_setgroup(SHARED | MASTER, self->fd + 1, 2, self->fd[0]));
	ASSERT_EQ(0, k_setgroup(SHARED | MASTER, self->fd + 3, 2, self->fd[0]));
	ASSERT_EQ(0, k_setgroup(MASTER, self->fd + 5, 1, self->fd[0]));
	/* join the first group at its first member, the second at its last */
	fd[0] = self->fd[6];
	ASSERT_EQ(0, k_setgroup(PEER, fd, 1, self->fd[1]));
	fd[0] = self->fd[7];
	fd[1] = self->fd[8];
	ASSERT_EQ(0, k_setgroup(PEER, fd, 2, self->fd[4]));
	/* a slave of the group in the middle */
	fd[0] = self->fd[9];
	ASSERT_EQ(0, k_setgroup(MASTER, fd, 1, self->fd[7]));
	fd[0] = self->fd[10];
	ASSERT_EQ(0, k_setgroup(PEER, fd, 1, self->fd[0]));

	EXPECT_TRUE(reaches(0, 0x7ff));
	EXPECT_TRUE(reaches(10, 0x7ff));
	EXPECT_TRUE(reaches(1, M(1) | M(2) | M(6)));
	EXPECT_TRUE(reaches(6, M(1) | M(2) | M(6)));
	EXPECT_TRUE(reaches(7, M(3) | M(4) | M(7) | M(8) | M(9)));
	EXPECT_TRUE(reaches(5, M(5)));

	/* the copies that one event makes are groups of their own */
	ASSERT_EQ(0, k_mount("tmpfs", "0/a", "tmpfs", 0));
	for (int i = 0; i < 11; i++) {
		char path[16];

		snprintf(path, sizeof(path), "%d/a", i);
		ASSERT_EQ(0, mnt_at(&this_test, path, &m[i]));
		ASSERT_TRUE(m[i].is_root);
	}
	EXPECT_EQ(m[0].group, m[10].group);
	EXPECT_EQ(m[1].group, m[2].group);
	EXPECT_EQ(m[1].group, m[6].group);
	EXPECT_EQ(m[3].group, m[4].group);
	EXPECT_EQ(m[3].group, m[7].group);
	EXPECT_EQ(m[3].group, m[8].group);
	EXPECT_NE(m[1].group, m[3].group);
	EXPECT_EQ(m[0].group, m[1].master);
	EXPECT_EQ(m[0].group, m[3].master);
	EXPECT_EQ(m[0].group, m[5].master);
	EXPECT_EQ(m[3].group, m[9].master);
	ASSERT_EQ(0, k_umount("0/a", 0));
	EXPECT_TRUE(appears_at("a", 0));
}

/* The same wherever in its ring a group is joined. */
TEST_F_TIMEOUT(mount_setgroup, joins_at_every_place, 120)
{
	const unsigned int first = M(1) | M(2) | M(3), slave = M(7);
	const unsigned int second = M(4) | M(5), all = M(0) | M(6) | first | second | slave;

	ASSERT_EQ(0, k_setgroup(SHARED, self->fd, 1, 0));
	ASSERT_EQ(0, k_setgroup(SHARED | MASTER, self->fd + 1, 3, self->fd[0]));
	ASSERT_EQ(0, k_setgroup(SHARED | MASTER, self->fd + 4, 2, self->fd[0]));
	ASSERT_EQ(0, k_setgroup(MASTER, self->fd + 6, 1, self->fd[0]));
	ASSERT_EQ(0, k_setgroup(MASTER, self->fd + 7, 1, self->fd[1]));
	for (int p = 1; p <= 5; p++) {
		unsigned int joined = p <= 3 ? first | slave : second;

		ASSERT_EQ(0, k_setgroup(PEER, self->fd + 8, 1, self->fd[p]));
		joined |= M(8);
		EXPECT_TRUE(reaches(0, all | M(8)));
		EXPECT_TRUE(reaches(p, joined));
		EXPECT_TRUE(reaches(8, joined));
		/* from there on, two at once and a slave */
		ASSERT_EQ(0, k_setgroup(PEER, self->fd + 9, 2, self->fd[8]));
		ASSERT_EQ(0, k_setgroup(MASTER, self->fd + 11, 1, self->fd[10]));
		joined |= M(9) | M(10) | M(11);
		EXPECT_TRUE(reaches(0, all | joined));
		EXPECT_TRUE(reaches(p, joined));
		EXPECT_TRUE(reaches(9, joined));
		EXPECT_TRUE(reaches(p <= 3 ? 4 : 1, p <= 3 ? second : first | slave));
		for (int i = 8; i < NR_MEMBERS; i++) {
			char path[16];

			snprintf(path, sizeof(path), "%d", i);
			ASSERT_EQ(0, k_mount(NULL, path, NULL, MS_PRIVATE));
		}
		EXPECT_TRUE(reaches(0, all));
	}
}

/* A member that leaves hands over what it sends to. */
TEST_F(mount_setgroup, member_leaves)
{
	ASSERT_EQ(0, k_setgroup(SHARED, self->fd, 3, 0));
	ASSERT_EQ(0, k_setgroup(MASTER, self->fd + 3, 2, self->fd[1]));
	ASSERT_EQ(0, k_mount(NULL, "1", NULL, MS_PRIVATE));
	EXPECT_TRUE(reaches(0, M(0) | M(2) | M(3) | M(4)));
	EXPECT_TRUE(reaches(1, M(1)));
	ASSERT_EQ(0, k_mount(NULL, "0", NULL, MS_SLAVE));
	EXPECT_TRUE(reaches(2, M(0) | M(2) | M(3) | M(4)));
	/* and may join again once it is private */
	ASSERT_EQ(0, k_setgroup(PEER, self->fd + 1, 1, self->fd[2]));
	EXPECT_TRUE(reaches(1, M(0) | M(1) | M(2) | M(3) | M(4)));
	ASSERT_EQ(0, k_umount("2", MNT_DETACH));
	EXPECT_EQ(master_of(self->fd[3]), group_of(self->fd[1]));
}

/* Members of several namespaces, by one caller that enters none of them. */
TEST_F(mount_setgroup, across_namespaces)
{
	struct actor other, owner;
	int fd[3];

	ASSERT_EQ(0, actor_new(&other, &this_test, ACTOR_MNTNS));
	ASSERT_EQ(0, actor_new(&owner, &this_test, ACTOR_USERNS));
	fd[0] = self->fd[0];
	fd[1] = OPEN_IN(&other, "1");
	fd[2] = OPEN_IN(&owner, "2");
	ASSERT_GE(fd[1], 0);
	ASSERT_GE(fd[2], 0);
	ASSERT_EQ(0, k_setgroup(SHARED, fd, 3, 0));
	EXPECT_EQ(group_of(fd[0]), group_of(fd[1]));
	EXPECT_EQ(group_of(fd[0]), group_of(fd[2]));

	ASSERT_EQ(0, MOUNT_IN(&owner, "2/a"));
	EXPECT_TRUE(appears_at("a", M(0)));
	EXPECT_EQ(1, MOUNTED_IN(&other, "1/a"));
	ASSERT_EQ(0, k_umount("0/a", 0));
	EXPECT_EQ(0, MOUNTED_IN(&owner, "2/a"));
}

/* Detached trees join as well, and get events once they are attached. */
TEST_F(mount_setgroup, detached_member)
{
	int fd[2];

	fd[0] = self->fd[0];
	fd[1] = k_open_tree(AT_FDCWD, "fs", OPEN_TREE_CLONE);
	ASSERT_GE(fd[1], 0);
	ASSERT_EQ(0, k_setgroup(SHARED, fd, 2, 0));
	ASSERT_EQ(0, k_umount("11", MNT_DETACH));
	ASSERT_EQ(0, mkdir("11/a", 0755));
	EXPECT_TRUE(reaches(0, M(0)));
	ASSERT_EQ(0, k_move_mount(fd[1], "", AT_FDCWD, "11", 0));
	EXPECT_TRUE(reaches(0, M(0) | M(11)));
	EXPECT_TRUE(reaches(11, M(0) | M(11)));

	/* one that is dropped leaves the group */
	fd[1] = k_open_tree(AT_FDCWD, "fs", OPEN_TREE_CLONE);
	ASSERT_GE(fd[1], 0);
	ASSERT_EQ(0, k_setgroup(PEER, fd + 1, 1, fd[0]));
	ASSERT_EQ(0, close(fd[1]));
	EXPECT_TRUE(reaches(0, M(0) | M(11)));
}

/* So do all mounts of a namespace that goes, wherever they are in the graph. */
TEST_F(mount_setgroup, namespace_goes)
{
	struct actor other;
	int fd[3];

	ASSERT_EQ(0, actor_new(&other, &this_test, ACTOR_MNTNS));
	for (int i = 0; i < 3; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		fd[i] = OPEN_IN(&other, name);
		ASSERT_GE(fd[i], 0);
	}
	/* a peer of the first, a slave and the only mount of a group between */
	ASSERT_EQ(0, k_setgroup(SHARED, self->fd, 1, 0));
	ASSERT_EQ(0, k_setgroup(PEER, fd, 1, self->fd[0]));
	ASSERT_EQ(0, k_setgroup(MASTER, fd + 1, 1, fd[0]));
	ASSERT_EQ(0, k_setgroup(SHARED | MASTER, fd + 2, 1, self->fd[0]));
	ASSERT_EQ(0, k_setgroup(MASTER, self->fd + 3, 1, fd[0]));
	ASSERT_EQ(0, k_setgroup(MASTER, self->fd + 4, 1, fd[2]));
	EXPECT_TRUE(reaches(0, M(0) | M(3) | M(4)));

	actor_close(&other);
	EXPECT_EQ(group_of(self->fd[0]), master_of(self->fd[3]));
	EXPECT_EQ(group_of(self->fd[0]), master_of(self->fd[4]));
	EXPECT_TRUE(reaches(0, M(0) | M(3) | M(4)));
	EXPECT_EQ(-EINVAL, k_setgroup(PEER, self->fd + 5, 1, fd[0]));
	ASSERT_EQ(0, k_setgroup(PEER, self->fd + 5, 1, self->fd[0]));
	EXPECT_TRUE(reaches(5, M(0) | M(3) | M(4) | M(5)));
}

/*
 * Roots that do not contain one another, under a group that contained both.
 * What is mounted reaches those who can show it.
 */
TEST_F(mount_setgroup, roots_need_not_nest)
{
	int fd[4];

	for (int i = 0; i < 4; i++) {
		static const char * const roots[] = { "a", "b", "a/x", "" };
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		ASSERT_EQ(0, k_umount(name, MNT_DETACH));
		fd[i] = member_of(&this_test, self->base, roots[i], name);
		ASSERT_GE(fd[i], 0);
	}
	/* a, b and a/x without the mount that is wider than all of them */
	ASSERT_EQ(0, k_setgroup(SHARED, fd, 3, 0));
	ASSERT_EQ(0, k_mount("tmpfs", "0/x/y", "tmpfs", 0));
	EXPECT_EQ(1, is_mounted_at(&this_test, "2/y"));
	EXPECT_EQ(0, is_mounted_at(&this_test, "3/a/x/y"));
	ASSERT_EQ(0, k_umount("2/y", 0));
	EXPECT_EQ(0, is_mounted_at(&this_test, "0/x/y"));

	/* and a slave that is wider than its master */
	ASSERT_EQ(0, k_setgroup(MASTER, fd + 3, 1, fd[0]));
	ASSERT_EQ(0, k_mount("tmpfs", "0/x/y", "tmpfs", 0));
	EXPECT_EQ(1, is_mounted_at(&this_test, "3/a/x/y"));
	ASSERT_EQ(0, k_umount("0/x/y", 0));
	EXPECT_EQ(0, is_mounted_at(&this_test, "3/a/x/y"));
	/* it receives below b as well: that comes from a peer of its master */
	ASSERT_EQ(0, mkdir("1/d", 0755));
	ASSERT_EQ(0, k_mount("tmpfs", "1/d", "tmpfs", 0));
	EXPECT_EQ(1, is_mounted_at(&this_test, "3/b/d"));
}

/* Mounts that are there already stay, and are nobody's copies. */
TEST_F(mount_setgroup, children_stay)
{
	ASSERT_EQ(0, k_mount("tmpfs", "0/a", "tmpfs", 0));
	ASSERT_EQ(0, k_mount("tmpfs", "1/b", "tmpfs", 0));
	ASSERT_EQ(0, k_setgroup(SHARED, self->fd, 2, 0));
	EXPECT_TRUE(appears_at("a", M(0)));
	EXPECT_TRUE(appears_at("b", M(1)));
}

TEST_F(mount_setgroup, children_at_one_place)
{
	for (int i = 0; i < 3; i++) {
		char path[16];

		snprintf(path, sizeof(path), "%d/a", i);
		ASSERT_EQ(0, k_mount("tmpfs", path, "tmpfs", 0));
	}
	ASSERT_EQ(0, k_setgroup(SHARED, self->fd, 3, 0));
	EXPECT_TRUE(appears_at("a", M(0) | M(1) | M(2)));
}

static int many(int nr, int *fds)
{
	for (int i = 0; i < nr; i++) {
		fds[i] = k_open_tree(AT_FDCWD, "fs", OPEN_TREE_CLONE);
		if (fds[i] < 0)
			return fds[i];
		if (k_move_mount(fds[i], "", AT_FDCWD, "0/b", 0))
			return -1;
	}
	return 0;
}

struct counter {
	int fd;
	int stop;
	int count;
};

/* Every wake-up of someone who waits for changes of the mount table. */
static void *count_changes(void *arg)
{
	struct counter *c = arg;
	struct pollfd pfd[2] = {
		{ .fd = c->fd, .events = POLLPRI },
		{ .fd = c->stop, .events = POLLIN },
	};

	for (;;) {
		if (poll(pfd, 2, -1) < 0)
			continue;
		if (pfd[0].revents)
			c->count++;
		if (pfd[1].revents)
			return NULL;
	}
}

/* One call, one notification, however many members. */
TEST_F_TIMEOUT(mount_setgroup, notifies_once, 120)
{
	enum { NR = 300 };
	struct actor other, third;
	int watch, watch_other, watch_third, fds[NR + 1], stop[2];
	struct counter counter;
	pthread_t thread;

	ASSERT_EQ(0, actor_new(&other, &this_test, ACTOR_MNTNS));
	ASSERT_EQ(0, actor_new(&third, &this_test, ACTOR_MNTNS));
	ASSERT_EQ(0, many(NR, fds));
	fds[NR] = OPEN_IN(&other, "1");
	ASSERT_GE(fds[NR], 0);
	watch = mountinfo_watch(&this_test);
	watch_other = mountinfo_watch(&other);
	watch_third = mountinfo_watch(&third);
	ASSERT_TRUE(watch >= 0 && watch_other >= 0 && watch_third >= 0);

	counter = (struct counter) { .fd = mountinfo_watch(&this_test) };
	ASSERT_GE(counter.fd, 0);
	ASSERT_EQ(0, pipe(stop));
	counter.stop = stop[0];
	ASSERT_EQ(0, pthread_create(&thread, NULL, count_changes, &counter));
	ASSERT_EQ(0, k_setgroup(SHARED, fds, NR + 1, 0));
	ASSERT_EQ(1, write(stop[1], "x", 1));
	ASSERT_EQ(0, pthread_join(thread, NULL));

	EXPECT_EQ(1, counter.count);
	EXPECT_TRUE(mountinfo_changed(watch));
	EXPECT_TRUE(mountinfo_changed(watch_other));
	EXPECT_FALSE(mountinfo_changed(watch_third));

	/* a call that fails tells nobody */
	ASSERT_EQ(-EBUSY, k_setgroup(SHARED, fds, NR + 1, 0));
	EXPECT_FALSE(mountinfo_changed(watch));
	EXPECT_FALSE(mountinfo_changed(watch_other));
}

/* What happens next does not make the first change unseen. */
TEST_F(mount_setgroup, notifies_before_another_change)
{
	int fd, watch;

	ASSERT_EQ(0, k_mount("fs", "8", NULL, MS_BIND));
	fd = k_open("8", O_PATH);
	ASSERT_GE(fd, 0);
	watch = mountinfo_watch(&this_test);
	ASSERT_GE(watch, 0);
	ASSERT_EQ(0, k_setgroup(SHARED, &fd, 1, 0));
	ASSERT_EQ(0, k_mount("fs", "9", NULL, MS_BIND));
	EXPECT_TRUE(mountinfo_changed(watch));
}

/* Who is named is not changed, and nobody is told: members are, wherever they are. */
TEST_F(mount_setgroup, notifies_members_only)
{
	static const unsigned int flags[] = {
		PEER, MASTER, SIBLING, SHARED | MASTER, SHARED | SIBLING
	};
	struct actor named, member;
	int target[2], fd;

	/* "8" is shared there, and "9" its slave */
	ASSERT_EQ(0, actor_new(&named, &this_test, ACTOR_MNTNS));
	ASSERT_EQ(0, actor_new(&member, &this_test, ACTOR_MNTNS));
	ASSERT_EQ(0, IN(&named, k_mount("fs", "8", NULL, MS_BIND)));
	ASSERT_EQ(0, CHANGE_IN(&named, "8", MS_SHARED));
	ASSERT_EQ(0, IN(&named, k_mount("8", "9", NULL, MS_BIND)));
	ASSERT_EQ(0, CHANGE_IN(&named, "9", MS_SLAVE));
	ASSERT_EQ(0, IN(&member, k_mount("fs", "8", NULL, MS_BIND)));
	target[0] = OPEN_IN(&named, "8");
	target[1] = OPEN_IN(&named, "9");
	fd = OPEN_IN(&member, "8");
	ASSERT_TRUE(target[0] >= 0 && target[1] >= 0 && fd >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		int watch_named = mountinfo_watch(&named);
		int watch_member = mountinfo_watch(&member);
		int watch = mountinfo_watch(&this_test);

		ASSERT_TRUE(watch >= 0 && watch_named >= 0 && watch_member >= 0);
		ASSERT_EQ(0, k_setgroup(flags[i], &fd, 1,
					target[!!(flags[i] & SIBLING)]));
		EXPECT_TRUE(mountinfo_changed(watch_member)) {
			TH_LOG("flags %x", flags[i]);
		}
		EXPECT_FALSE(mountinfo_changed(watch_named)) {
			TH_LOG("flags %x", flags[i]);
		}
		EXPECT_FALSE(mountinfo_changed(watch));
		ASSERT_EQ(0, CHANGE_IN(&member, "8", MS_PRIVATE));
		close(watch);
		close(watch_named);
		close(watch_member);
	}
}

TEST_HARNESS_MAIN
