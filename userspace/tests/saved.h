/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of a tmpfs into an archive, and out of it into another one.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TESTS_SAVED_H
#define TESTS_SAVED_H

#include <sched.h>
#include <sys/mount.h>

#include "contents/contents.h"
#include "tap.h"

static char top[] = "/tmp/mntcr-contents-XXXXXX";
static const char *fresh_type = "tmpfs";
static const char *fresh_options = "size=1m";
static struct mc_sb sb = { .type = "tmpfs", .major = 0, .minor = 7 };

/* A mount namespace of its own, and in it a tmpfs at top with two more below. */
static inline void start(void)
{
	if (geteuid()) {
		printf("1..0 # SKIP needs root\n");
		exit(4);
	}
	if (!mkdtemp(top) || unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("t", top, "tmpfs", 0, NULL) || chdir(top)) {
		perror(top);
		exit(1);
	}
}

static inline void end(void)
{
	if (chdir("/") || umount2(top, MNT_DETACH) || rmdir(top))
		perror(top);
}

static inline void fresh(const char *dir)
{
	umount2(dir, MNT_DETACH);
	REQUIRE(!mkdir(dir, 0755) || errno == EEXIST);
	REQUIRE(!mount("t", dir, fresh_type, 0, fresh_options));
}

static inline int root_of(const char *dir)
{
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	REQUIRE(fd >= 0);
	return fd;
}

static inline void put(const char *path, const char *data, size_t n, off_t at)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);

	REQUIRE(fd >= 0);
	REQUIRE(pwrite(fd, data, n, at) == (ssize_t)n);
	close(fd);
}

static inline struct mntcr_contents *save(const char *dir)
{
	struct mntcr_contents *c = NULL;
	struct mntcr_error e = { 0 };
	struct mc_buf json = { 0 };
	FILE *f = tmpfile();
	int root = root_of(dir), fd;
	struct mc_save *s;
	int ret;

	REQUIRE(f);
	REQUIRE(!mc_save_new(&s, f, "{}", 2, &e));
	ret = mc_save_tree(s, &sb, root, "/", NULL, &e);
	if (ret)
		TAP_SAY("%s", e.text);
	REQUIRE(!ret);
	REQUIRE(!mc_save_end(s, false, &e) && !fflush(f));
	fd = dup(fileno(f));
	REQUIRE(fd >= 0 && !fclose(f));
	ret = mc_contents_open(fd, 100, &json, &c, &e);
	if (ret)
		TAP_SAY("%s", e.text);
	REQUIRE(!ret);
	CHECK_STR(json.data, "{}");
	CHECK(mc_contents_has(c, &sb));
	mc_buf_free(&json);
	close(root);
	return c;
}

struct seen {
	size_t nr;
	char all[20000];
};

static inline void differs(void *data, const char *line)
{
	struct seen *s = data;

	size_t n = strlen(s->all);

	s->nr++;
	snprintf(s->all + n, sizeof(s->all) - n, "%s\n", line);
}

static inline size_t compare(const struct mntcr_contents *a, const struct mntcr_contents *b,
		      struct seen *s)
{
	struct mntcr_error e;

	memset(s, 0, sizeof(*s));
	REQUIRE(!mc_contents_compare(a, &sb, b, &sb, differs, s, &e));
	return s->nr;
}

static inline void fill(const struct mntcr_contents *c, const char *dir)
{
	struct mntcr_error e = { 0 };
	struct mc_flags later = { 0 };
	const char *path;
	int root, ret;

	fresh(dir);
	root = root_of(dir);
	CHECK(!mc_contents_try(c, &sb, true, NULL, 0, NULL, &e));
	ret = mc_contents_fill(c, &sb, root, -1, true, NULL, 0, &later, &e) ||
	      mc_flags_set(&later, root, &path) ? -1 : 0;
	mc_flags_free(&later);
	if (ret)
		TAP_SAY("%s", e.text);
	REQUIRE(!ret);
	close(root);
}

static inline void is_not_saved(const char *dir, const char *rule)
{
	struct mntcr_error e = { 0 };
	FILE *f = tmpfile();
	int root = root_of(dir);
	struct mc_save *s;

	REQUIRE(f && !mc_save_new(&s, f, "{}", 2, &e));
	CHECK_EQ(mc_save_tree(s, &sb, root, "/", NULL, &e), -1);
	CHECK_EQ(e.code, MNTCR_REFUSED);
	CHECK_STR(e.rule, rule);
	mc_save_end(s, true, &e);
	fclose(f);
	close(root);
}

#endif /* TESTS_SAVED_H */
