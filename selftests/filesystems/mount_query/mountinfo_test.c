// SPDX-License-Identifier: GPL-2.0
/*
 * propagate_from of /proc/PID/mountinfo: the closest group above a slave that
 * has a member where the reader can see it. What is found out for one line is
 * used for the next ones, so it is compared with statmount(), which starts anew
 * for each mount, and read while the mounts change.
 *
 * Only mount(2) is used.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>

#include "../mount_members.h"
#include "../../kselftest_harness.h"

#define TEXT_SIZE	0x10000
#define MAX_LINES	512

/*
 * A chain of groups, each of which receives from the one before: "0" is of the
 * first, "1" to "3" of the next ones. "4" and "5" only receive, from the first
 * and from the last. All of them are mounts of "fs".
 *
 * The other namespace is a copy of the test's, so all groups have a mount there.
 */
#define NR_GROUPS	4

FIXTURE(mountinfo) {
	char base[64];
	__u64 group[NR_GROUPS];
	struct actor other;
	char *text;
};

static int slave_of(const char *src, const char *dst, bool shared)
{
	int err = k_mount(src, dst, NULL, MS_BIND);

	if (!err)
		err = k_mount(NULL, dst, NULL, MS_SLAVE);
	if (!err && shared)
		err = k_mount(NULL, dst, NULL, MS_SHARED);
	return err;
}

FIXTURE_SETUP(mountinfo)
{
	if (geteuid())
		SKIP(return, "test requires root");
	ASSERT_EQ(0, members_setup(self->base, sizeof(self->base)));
	self->text = malloc(TEXT_SIZE);
	ASSERT_NE(NULL, self->text);
	ASSERT_GE(member_of(&this_test, self->base, "", "0"), 0);
	ASSERT_EQ(0, k_mount(NULL, "0", NULL, MS_SHARED));
	for (int i = 0; i < NR_GROUPS; i++) {
		char name[16], prev[16];
		struct mnt mnt;

		snprintf(name, sizeof(name), "%d", i);
		snprintf(prev, sizeof(prev), "%d", i - 1);
		if (i)
			ASSERT_EQ(0, slave_of(prev, name, true));
		ASSERT_EQ(0, mnt_at(&this_test, name, &mnt));
		ASSERT_NE(0, mnt.group);
		self->group[i] = mnt.group;
	}
	ASSERT_EQ(0, slave_of("0", "4", false));
	ASSERT_EQ(0, slave_of("3", "5", false));
	ASSERT_EQ(0, actor_new(&self->other, &this_test, ACTOR_MNTNS));
}

FIXTURE_TEARDOWN(mountinfo)
{
	free(self->text);
	members_teardown(self->base);
}

/* All of it from the start, no more than @piece bytes at a time. */
static int read_all(int fd, char *text, size_t piece)
{
	ssize_t n, pos = 0;

	if (lseek(fd, 0, SEEK_SET))
		return -errno;
	do {
		if (pos + piece >= TEXT_SIZE)
			return -E2BIG;
		n = read(fd, text + pos, piece);
		if (n < 0)
			return -errno;
		pos += n;
	} while (n);
	text[pos] = 0;
	return pos;
}

/* The number behind @tag in the optional fields of a line, or 0. */
static __u64 tag_of(const char *line, const char *tag)
{
	const char *end = strstr(line, " - ");
	const char *p = strstr(line, tag);

	return p && end && p < end ? strtoull(p + strlen(tag), NULL, 10) : 0;
}

/* The line of what is mounted at @base/@name, the last one if there are more. */
static const char *line_at(const char *text, const char *base, const char *name)
{
	const char *found = NULL, *line = text;
	char point[128];

	snprintf(point, sizeof(point), " %s/%s ", base, name);
	while (line && *line) {
		const char *end = strchr(line, '\n');
		const char *p = strstr(line, point);

		if (p && end && p < end)
			found = line;
		line = end ? end + 1 : NULL;
	}
	return found;
}

/* On to the end of that line, and not a byte further. */
static ssize_t read_to_line(int fd, char *text, const char *base, const char *name)
{
	ssize_t n, pos = 0;

	do {
		if (pos >= TEXT_SIZE - 2)
			return -E2BIG;
		n = read(fd, text + pos, 1);
		if (n != 1)
			return n ? -errno : -ENOENT;
		text[++pos] = 0;
	} while (text[pos - 1] != '\n' || !line_at(text, base, name));
	return pos;
}

#define EXPECT_LINE(name, its_master, from) do {			\
	const char *__line = line_at(self->text, self->base, name);	\
									\
	ASSERT_NE(NULL, __line);					\
	EXPECT_EQ(its_master, tag_of(__line, " master:"));		\
	EXPECT_EQ(from, tag_of(__line, " propagate_from:"));		\
} while (0)

static char text_child[TEXT_SIZE];

/* One line for each mount, with what statmount() says about it. Or what is wrong. */
static int compare_with_statmount(const char *root)
{
	static __u64 ids[MAX_LINES];
	struct statmount sm;
	int fd, nr, err, nr_lines = 0, nr_from = 0;

	if (root && chroot(root))
		return -errno;
	fd = k_open("/proc/self/mountinfo", O_RDONLY);
	if (fd < 0)
		return fd;
	err = read_all(fd, text_child, TEXT_SIZE / 2);
	if (err < 0)
		return err;
	nr = k_listmount(LSMT_ROOT, 0, ids, MAX_LINES);
	if (nr < 0)
		return nr;
	for (const char *p = text_child; *p; p = strchr(p, '\n') + 1) {
		__u64 from = tag_of(p, " propagate_from:");
		unsigned int id = strtoul(p, NULL, 10);
		int i;

		nr_lines++;
		for (i = 0; i < nr; i++) {
			err = k_statmount(ids[i], 0, STATMOUNT_MNT_BASIC |
					  STATMOUNT_PROPAGATE_FROM, &sm, sizeof(sm));
			if (err)
				return err;
			if (sm.mnt_id_old == id)
				break;
		}
		if (i == nr || sm.mnt_master != tag_of(p, " master:") ||
		    sm.mnt_peer_group != tag_of(p, " shared:"))
			return -ESTALE;
		/* not told where it is what the slave receives from itself */
		if (from != (sm.propagate_from == sm.mnt_master ? 0 : sm.propagate_from)) {
			fprintf(stderr, "# %llu is %llu in: %.*s\n", from,
				sm.propagate_from, (int)strcspn(p, "\n"), p);
			return -EDOM;
		}
		if (from)
			nr_from++;
	}
	return nr_lines == nr ? nr_from : -ERANGE;
}

/* What a slave receives from is visible, and nothing else is told. */
TEST_F(mountinfo, master_is_visible)
{
	int fd = mountinfo_watch(&this_test);

	ASSERT_GE(fd, 0);
	ASSERT_GT(read_all(fd, self->text, 4096), 0);
	for (int i = 1; i < NR_GROUPS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		EXPECT_LINE(name, self->group[i - 1], 0);
	}
	EXPECT_LINE("4", self->group[0], 0);
	EXPECT_LINE("5", self->group[3], 0);
	EXPECT_EQ(0, AS(&this_test, compare_with_statmount(NULL)));
	EXPECT_EQ(0, AS(&self->other, compare_with_statmount(NULL)));
}

/* In each namespace the closest group that has a member there. */
TEST_F(mountinfo, members_elsewhere)
{
	struct actor *other = &self->other;
	struct actor third;
	int fd;

	/* all groups go on to exist there */
	ASSERT_EQ(0, actor_new(&third, &this_test, ACTOR_MNTNS));
	ASSERT_EQ(0, IN(other, k_umount("3", MNT_DETACH)));
	ASSERT_EQ(0, IN(other, k_umount("2", MNT_DETACH)));
	ASSERT_EQ(0, k_umount("0", MNT_DETACH));
	ASSERT_EQ(0, k_umount("3", MNT_DETACH));

	fd = mountinfo_watch(other);
	ASSERT_GE(fd, 0);
	ASSERT_GT(read_all(fd, self->text, 4096), 0);
	EXPECT_LINE("1", self->group[0], 0);
	EXPECT_LINE("4", self->group[0], 0);
	EXPECT_LINE("5", self->group[3], self->group[1]);
	ASSERT_EQ(0, close(fd));

	/* nothing above the first group that is visible is nothing at all */
	fd = mountinfo_watch(&this_test);
	ASSERT_GE(fd, 0);
	ASSERT_GT(read_all(fd, self->text, 4096), 0);
	EXPECT_LINE("1", self->group[0], 0);
	EXPECT_LINE("2", self->group[1], 0);
	EXPECT_LINE("4", self->group[0], 0);
	EXPECT_LINE("5", self->group[3], self->group[2]);
	EXPECT_EQ(1, AS(&this_test, compare_with_statmount(NULL)));
	EXPECT_EQ(1, AS(other, compare_with_statmount(NULL)));
}

/*
 * Whatever line comes first: what is found out for one slave is no answer for a
 * slave of a group further up.
 */
TEST_F(mountinfo, slaves_along_the_chain)
{
	static const char * const masters[] = { "3", "0", "2", "1" };
	struct actor *other = &self->other;
	int fd, nr = 0;

	for (int i = 0; i < 6; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", 6 + i);
		ASSERT_EQ(0, IN(other, slave_of(masters[i % 4], name, i >= 4)));
	}
	/* of the four groups only the second is left there */
	ASSERT_EQ(0, IN(other, k_umount("3", MNT_DETACH)));
	ASSERT_EQ(0, IN(other, k_umount("2", MNT_DETACH)));
	ASSERT_EQ(0, IN(other, k_umount("0", MNT_DETACH)));

	fd = mountinfo_watch(other);
	ASSERT_GE(fd, 0);
	ASSERT_GT(read_all(fd, self->text, 4096), 0);
	for (int i = 0; i < 6; i++) {
		int group = masters[i % 4][0] - '0';
		__u64 from = group > 1 ? self->group[1] : 0;
		char name[16];

		snprintf(name, sizeof(name), "%d", 6 + i);
		EXPECT_LINE(name, self->group[group], from);
		nr += !!from;
	}
	EXPECT_LINE("1", self->group[0], 0);
	EXPECT_LINE("4", self->group[0], 0);
	EXPECT_LINE("5", self->group[3], self->group[1]);
	EXPECT_EQ(nr + 1, AS(other, compare_with_statmount(NULL)));
}

/* "6" becomes the first of a new group; a clone, for the ID to be in use. */
static int new_group(__u64 *group)
{
	struct mnt mnt;
	int err;

	err = k_mount("fs", "6", NULL, MS_BIND);
	if (!err)
		err = k_mount(NULL, "6", NULL, MS_SHARED);
	if (!err)
		err = mnt_at(&this_test, "6", &mnt);
	if (err)
		return err;
	*group = mnt.group;
	return k_open_tree(AT_FDCWD, "6", OPEN_TREE_CLONE);
}

/* What is found out for the slaves of a group is kept by the last bits of its ID. */
TEST_F(mountinfo, group_ids_alike)
{
	struct actor *other = &self->other;
	__u64 group;
	int fd, nr = 0;

	for (;;) {
		ASSERT_GT(256, nr++);
		ASSERT_GE(new_group(&group), 0);
		if (!((group ^ self->group[3]) & 63))
			break;
		ASSERT_EQ(0, k_umount("6", 0));
	}
	fd = k_open_tree(AT_FDCWD, "6", OPEN_TREE_CLONE);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, IN(other, k_move_mount(fd, "", AT_FDCWD, "6", 0)));
	ASSERT_EQ(0, IN(other, slave_of("6", "7", false)));
	ASSERT_EQ(0, IN(other, slave_of("3", "8", false)));
	ASSERT_EQ(0, IN(other, slave_of("6", "9", false)));
	ASSERT_EQ(0, IN(other, k_umount("6", MNT_DETACH)));
	ASSERT_EQ(0, IN(other, k_umount("3", MNT_DETACH)));
	ASSERT_EQ(0, IN(other, k_umount("2", MNT_DETACH)));

	fd = mountinfo_watch(other);
	ASSERT_GE(fd, 0);
	ASSERT_GT(read_all(fd, self->text, 4096), 0);
	EXPECT_LINE("7", group, 0);
	EXPECT_LINE("8", self->group[3], self->group[1]);
	EXPECT_LINE("9", group, 0);
}

/* A member is one whatever directory it is rooted in. */
TEST_F(mountinfo, nested_roots)
{
	struct actor *other = &self->other;
	int fd;

	ASSERT_EQ(0, IN(other, k_mount("2/a/x/y", "6", NULL, MS_BIND)));
	ASSERT_EQ(0, IN(other, slave_of("3/a", "7", true)));
	ASSERT_EQ(0, IN(other, slave_of("7/x", "8", false)));
	ASSERT_EQ(0, IN(other, slave_of("7/x", "9", false)));
	ASSERT_EQ(0, IN(other, slave_of("3/b", "10", false)));
	for (int i = 1; i < 4; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		ASSERT_EQ(0, IN(other, k_umount(name, MNT_DETACH)));
	}
	fd = mountinfo_watch(other);
	ASSERT_GE(fd, 0);
	ASSERT_GT(read_all(fd, self->text, 4096), 0);
	/* "6" shows none of what "10" shows, and is of the group above */
	EXPECT_LINE("6", self->group[1], self->group[0]);
	EXPECT_LINE("7", self->group[3], self->group[2]);
	EXPECT_LINE("10", self->group[3], self->group[2]);
	EXPECT_LINE("5", self->group[3], self->group[2]);
	EXPECT_EQ(tag_of(line_at(self->text, self->base, "7"), " shared:"),
		  tag_of(line_at(self->text, self->base, "8"), " master:"));
	EXPECT_EQ(4, AS(other, compare_with_statmount(NULL)));
}

/*
 * What is outside of the reader's root is not visible. "jail" has a mount of the
 * second group and slaves of the others.
 */
TEST_F(mountinfo, chroot)
{
	static const char * const dirs[] = {
		"jail", "jail/proc", "jail/1", "jail/s0", "jail/s2", "jail/s3"
	};
	static const struct {
		const char *name;
		int master, from;
	} tab[] = {
		{ "1", 0, -1 }, { "s0", 0, -1 }, { "s2", 2, 1 }, { "s3", 3, 1 },
	};
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		ASSERT_EQ(0, mkdir(dirs[i], 0755));
	ASSERT_EQ(0, k_mount("proc", "jail/proc", "proc", 0));
	ASSERT_EQ(0, slave_of("0", "jail/s0", false));
	ASSERT_EQ(0, slave_of("3", "jail/s3", true));
	ASSERT_EQ(0, slave_of("2", "jail/s2", false));
	ASSERT_EQ(0, k_mount("1", "jail/1", NULL, MS_BIND));
	/* of "0", "2" and "3" nothing is in there, and of "1" two mounts are outside */
	fd = AS(&this_test, chroot(PATH("jail")) ? -errno :
			    k_open("/proc/self/mountinfo", O_RDONLY));
	ASSERT_GE(fd, 0);
	ASSERT_GT(read_all(fd, self->text, 4096), 0);
	EXPECT_EQ(NULL, line_at(self->text, "", "0"));
	for (size_t i = 0; i < ARRAY_SIZE(tab); i++) {
		const char *line = line_at(self->text, "", tab[i].name);

		ASSERT_NE(NULL, line);
		EXPECT_EQ(self->group[tab[i].master], tag_of(line, " master:"));
		EXPECT_EQ(tab[i].from < 0 ? 0 : self->group[tab[i].from],
			  tag_of(line, " propagate_from:"));
	}
	EXPECT_EQ(2, AS(&this_test, compare_with_statmount(PATH("jail"))));
}

/* However it is read, the text is the same. */
TEST_F(mountinfo, pieces)
{
	char *again = malloc(TEXT_SIZE);
	int fd, len;

	ASSERT_NE(NULL, again);
	ASSERT_EQ(0, k_umount("0", MNT_DETACH));
	ASSERT_EQ(0, k_umount("2", MNT_DETACH));
	fd = mountinfo_watch(&this_test);
	ASSERT_GE(fd, 0);
	len = read_all(fd, self->text, TEXT_SIZE / 2);
	ASSERT_GT(len, 0);
	EXPECT_NE(0, tag_of(line_at(self->text, self->base, "3"), " propagate_from:"));
	for (size_t piece = 1; piece < 100; piece += 33) {
		EXPECT_EQ(len, read_all(fd, again, piece));
		EXPECT_STREQ(self->text, again);
	}
	free(again);
}

/*
 * Between two reads the only mount of a group goes. What the first one has found
 * out is wrong then for the lines of the second.
 */
TEST_F(mountinfo, changes_between_reads)
{
	struct actor *other = &self->other;
	ssize_t n, pos;
	int fd;

	/* three slaves of the last group, and the third group above it */
	ASSERT_EQ(0, IN(other, slave_of("3", "6", false)));
	ASSERT_EQ(0, IN(other, slave_of("3", "7", false)));
	ASSERT_EQ(0, IN(other, k_umount("3", MNT_DETACH)));
	fd = mountinfo_watch(other);
	ASSERT_GE(fd, 0);
	/* up to the first slave's line, which tells the third group */
	pos = read_to_line(fd, self->text, self->base, "5");
	ASSERT_GT(pos, 0);
	EXPECT_LINE("5", self->group[3], self->group[2]);
	EXPECT_EQ(NULL, line_at(self->text, self->base, "6"));

	/* the next line may have been made already, the one after that has not */
	ASSERT_EQ(0, IN(other, k_umount("2", MNT_DETACH)));
	while ((n = read(fd, self->text + pos, 1)) == 1) {
		ASSERT_LT(++pos, TEXT_SIZE - 2);
		self->text[pos] = 0;
	}
	ASSERT_EQ(0, n);
	EXPECT_LINE("7", self->group[3], self->group[1]);
	/* and from the start */
	ASSERT_GT(read_all(fd, self->text, 4096), 0);
	for (int i = 5; i < 8; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		EXPECT_LINE(name, self->group[3], self->group[1]);
	}
}

/*
 * A directory leaves the reader's root, and with it what is mounted there. Who
 * has not read to the end and starts anew is told so as well.
 */
TEST_F(mountinfo, rename_between_reads)
{
	static const char * const dirs[] = {
		"jail", "jail/proc", "jail/d", "jail/d/2", "jail/s3",
		"jail/next", "jail/last"
	};
	const char *line;
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		ASSERT_EQ(0, mkdir(dirs[i], 0755));
	ASSERT_EQ(0, k_mount("proc", "jail/proc", "proc", 0));
	ASSERT_EQ(0, k_mount("2", "jail/d/2", NULL, MS_BIND));
	ASSERT_EQ(0, slave_of("3", "jail/s3", false));
	/* the next line is made with the last byte, and must not be the last one */
	ASSERT_EQ(0, k_mount("tmpfs", "jail/next", "tmpfs", 0));
	ASSERT_EQ(0, k_mount("tmpfs", "jail/last", "tmpfs", 0));
	fd = AS(&this_test, chroot(PATH("jail")) ? -errno :
			    k_open("/proc/self/mountinfo", O_RDONLY));
	ASSERT_GE(fd, 0);
	ASSERT_GT(read_to_line(fd, self->text, "", "s3"), 0);
	line = line_at(self->text, "", "s3");
	ASSERT_NE(NULL, line);
	EXPECT_EQ(self->group[2], tag_of(line, " propagate_from:"));

	ASSERT_EQ(0, rename("jail/d", "d"));
	ASSERT_GT(read_all(fd, self->text, 4096), 0);
	EXPECT_EQ(NULL, line_at(self->text, "", "d/2"));
	line = line_at(self->text, "", "s3");
	ASSERT_NE(NULL, line);
	EXPECT_EQ(0, tag_of(line, " propagate_from:"));
	ASSERT_EQ(0, rename("d", "jail/d"));
	ASSERT_GT(read_all(fd, self->text, 4096), 0);
	line = line_at(self->text, "", "s3");
	ASSERT_NE(NULL, line);
	EXPECT_EQ(self->group[2], tag_of(line, " propagate_from:"));
}

TEST_HARNESS_MAIN
