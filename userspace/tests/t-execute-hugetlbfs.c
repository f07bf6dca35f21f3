// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Hugetlbfs made anew, and what is in one.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sys/vfs.h>

#include "shot.h"

static void hugetlbfs_tree(void)
{
	world_new_root();
	w_mkdir("/plain");
	w_mkdir("/small");
	if (mount("hugetlbfs", "/plain", "hugetlbfs", MS_NOSUID, NULL) ||
	    mount("pages", "/small", "hugetlbfs", 0,
		  "pagesize=2M,size=4M,nr_inodes=9,mode=1770,uid=5,gid=6"))
		err(1, "hugetlbfs");
}

/* Two of their own: 0, or the number of what is wrong. */
static int do_hugetlbfs(void *arg)
{
	struct stat plain, small;
	struct statfs fs;

	if (statfs("/small", &fs) || fs.f_blocks != 2 || fs.f_files != 9)
		return 1;
	if (stat("/plain", &plain) || (plain.st_mode & 07777) != 0755 || plain.st_uid)
		return 2;
	if (stat("/small", &small) || (small.st_mode & 07777) != 01770 ||
	    small.st_uid != 5 || small.st_gid != 6)
		return 3;
	return plain.st_dev != small.st_dev ? 0 : 4;
}

static void need_hugetlbfs(void)
{
	int fd = mc_fsopen("hugetlbfs", FSOPEN_CLOEXEC);

	if (fd < 0)
		SKIP("this kernel has no hugetlbfs");
	close(fd);
}

/* Page sizes and bounds are options; of pages there are as many as the machine has. */
static void fresh_hugetlbfs(void)
{
	struct mntcr_restored *r;
	struct shot s;

	need_hugetlbfs();
	s = shoot(hugetlbfs_tree);
	s.o.prefer_fresh = s.o.caller_namespaces = true;
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_ORDER);
	CHECK_EQ(world_in(mntcr_restored_ns_fd(r, 0), do_hugetlbfs, NULL), 0);
	end(&s, r);
}

static void full_tree(void)
{
	hugetlbfs_tree();
	w_mkdir("/small/in");
}

/* What is in one, nobody brings back. */
static void what_would_be_lost_is_refused(void)
{
	static const char *const path = "/tmp/mntcr-lossy-image";
	const char *exclude = "/small";
	struct mntcr_contents_options o = { .size = sizeof(o) };
	struct shot s;

	need_hugetlbfs();
	s = shoot(full_tree);
	o.sources = s.src;
	o.nr_sources = s.w.nr;
	unlink(path);
	CHECK_EQ(mntcr_image_write_contents(s.t, &o, path, &s.e), -1);
	CHECK_STR(s.e.rule, "not-empty");
	CHECK(strstr(s.e.text, "/small: ") && access(path, F_OK));
	o.exclude = &exclude;
	o.nr_exclude = 1;
	CHECK_EQ(mntcr_image_write_contents(s.t, &o, path, &s.e), 0);
	CHECK_EQ(unlink(path), 0);
	end(&s, NULL);
}

/* Of one superblock, whose root is mounted nowhere: the second has something in it. */
static void parts_tree(void)
{
	world_new_root();
	w_mkdir("/all");
	w_mkdir("/a");
	w_mkdir("/b");
	if (mount("hugetlbfs", "/all", "hugetlbfs", 0, NULL))
		err(1, "hugetlbfs");
	w_mkdir("/all/a");
	w_mkdir("/all/b/precious");
	w_bind("/all/a", "/a");
	w_bind("/all/b", "/b");
	if (umount("/all"))
		err(1, "umount");
}

static void unbindable_tree(void)
{
	full_tree();
	w_type("/small", MS_UNBINDABLE);
}

static void is_refused(void (*tree)(void), const char *rule, const char *says)
{
	static const char *const path = "/tmp/mntcr-lossy-image";
	struct mntcr_contents_options o = { .size = sizeof(o) };
	struct shot s = shoot(tree);

	o.sources = s.src;
	o.nr_sources = s.w.nr;
	unlink(path);
	CHECK_EQ(mntcr_image_write_contents(s.t, &o, path, &s.e), -1);
	CHECK_STR(s.e.rule, rule);
	if (!strstr(s.e.text, says))
		TAP_SAY("%s", s.e.text);
	CHECK(strstr(s.e.text, says) && access(path, F_OK));
	unlink(path);
	end(&s, NULL);
}

/* Each mount that may show something is looked into, and one that can't be is not empty. */
static void all_of_it_is_looked_at(void)
{
	need_hugetlbfs();
	is_refused(parts_tree, "not-empty", "/b: ");
	is_refused(unbindable_tree, "contents-out-of-reach", "would help: --exclude-contents ");
}

static const struct shot_test tests[] = {
	{ "fresh-hugetlbfs", fresh_hugetlbfs },
	{ "what-would-be-lost", what_would_be_lost_is_refused },
	{ "all-of-it", all_of_it_is_looked_at },
};

int main(int argc, char **argv)
{
	return shot_run(tests, sizeof(tests) / sizeof(tests[0]), argv);
}
