// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * In how many directories a member of an archive may lie: as many as those that are
 * open on the way to it.  And what one may not have with it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include "base/base.h"
#include "contents/contents.h"
#include "packed.h"
#include "tap.h"

static struct mc_sb sb = { .type = "tmpfs" };
static struct mc_rules rules;
static struct mntcr_error e;

static void begin(void)
{
	memset(&e, 0, sizeof(e));
	REQUIRE(!mc_rules_start(&rules, &sb, &e));
}

static int member(const char *path, bool dir)
{
	struct archive_entry *a = archive_entry_new();
	int ret;

	REQUIRE(a);
	archive_entry_set_filetype(a, dir ? AE_IFDIR : AE_IFREG);
	archive_entry_set_perm(a, 0700);
	archive_entry_set_uid(a, 0);
	archive_entry_set_gid(a, 0);
	archive_entry_set_size(a, 0);
	archive_entry_set_mtime(a, 1, 0);
	ret = mc_rules_member(&rules, path, a);
	archive_entry_free(a);
	return ret;
}

/* n times "d", with slashes between, and room for more. */
static char *chain(uint32_t n)
{
	char *s = calloc(2 * n + 8, 1);
	uint32_t i;

	REQUIRE(s);
	for (i = 0; i < n; i++)
		strcpy(s + 2 * i, i + 1 < n ? "d/" : "d");
	return s;
}

static void takes(const char *path, bool dir)
{
	if (member(path, dir)) {
		TAP_SAY("%s", e.text);
		CHECK(!"taken");
	}
}

static void too_deep(const char *path, bool dir)
{
	CHECK_EQ(member(path, dir), -1);
	CHECK_EQ(e.code, MNTCR_BAD_IMAGE);
	CHECK(strstr(e.text, "is in too many directories"));
}

/* All of them are members: with the root, as many are open as may be. */
static void below_the_root(void)
{
	char *s = chain(MC_MAX_DIR_DEPTH);
	uint32_t n;

	begin();
	takes("", true);
	for (n = 1; n < MC_MAX_DIR_DEPTH; n++) {
		s[2 * n - 1] = '\0';
		takes(s, true);
		s[2 * n - 1] = '/';
	}
	/* what is no directory is not opened on the way to anything */
	too_deep(s, true);
	takes(s, false);
	mc_rules_end(&rules);
	free(s);
}

/* What is above the first member is walked in one go, and not counted. */
static void below_what_is_no_member(void)
{
	char *s = chain(MC_MAX_DIR_DEPTH + 1);
	uint32_t n;

	begin();
	for (n = 2; n <= MC_MAX_DIR_DEPTH; n++) {
		s[2 * n - 1] = '\0';
		takes(s, true);
		s[2 * n - 1] = '/';
	}
	s[2 * n - 1] = '\0';
	too_deep(s, true);
	takes(s, false);
	mc_rules_end(&rules);
	free(s);
}

/* Of these, the ones that a file of the type on that filesystem may not have are said. */
static void with_inode_flags(void)
{
	static const struct {
		mode_t type;
		const char *sb, *flags, *mark;
		bool good;
	} x[] = {
		{ S_IFREG, "tmpfs", "simmutable,sappend,nodump,noatime", NULL, true },
		{ S_IFDIR, "tmpfs", "sappend", NULL, true },
		{ S_IFREG, "tmpfs", "nosappend", NULL, true },
		{ S_IFREG, "tmpfs", "compress", NULL, false },
		{ S_IFDIR, "tmpfs", "nodump,compress", NULL, false },
		{ S_IFREG, "tmpfs", "nodump,nobody-knows-it", NULL, false },
		{ S_IFIFO, "tmpfs", "nodump", NULL, false },
		{ S_IFLNK, "tmpfs", "nodump", NULL, false },
		{ S_IFREG, "tmpfs", "nodump", MC_CONTENTS_SOCKET, false },
		{ S_IFREG, "ramfs", "nodump", NULL, false },
	};
	struct archive_entry *a;
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(x); i++) {
		sb.type = x[i].sb;
		begin();
		a = archive_entry_new();
		REQUIRE(a);
		archive_entry_set_filetype(a, x[i].type);
		archive_entry_set_symlink(a, x[i].type == S_IFLNK ? "x" : NULL);
		archive_entry_copy_fflags_text(a, x[i].flags);
		if (x[i].mark)
			archive_entry_xattr_add_entry(a, x[i].mark, "1", 1);
		CHECK_EQ(mc_rules_member(&rules, "f", a), x[i].good ? 0 : -1);
		if (!x[i].good && !strstr(e.text, "/f: its inode flags"))
			CHECK_STR(e.text, x[i].flags);
		archive_entry_free(a);
		mc_rules_end(&rules);
	}
	sb.type = "tmpfs";
}

static char long_target[MC_MAX_TARGET + 2];

/* Nothing is dropped without a word. */
static void with_what_it_cannot_have(void)
{
	static const struct {
		mode_t type;	/* 0: a link to what to says */
		int64_t size;
		const char *to, *mark, *sign;
	} x[] = {
		{ 0, 1, "contents/0:0/a", NULL, "is a link, and has data of its own" },
		{ 0, 0, "contents/0:0/a", NULL, NULL },
		{ S_IFREG, 1, NULL, MC_CONTENTS_SOCKET, "has data, and is nothing that has any" },
		{ S_IFREG, 1, NULL, NULL, NULL },
		{ S_IFDIR, 1, NULL, NULL, "has data, and is nothing that has any" },
		{ S_IFIFO, 1, NULL, NULL, "has data, and is nothing that has any" },
		{ S_IFLNK, 1, "x", NULL, "has data, and is nothing that has any" },
		{ S_IFREG, MC_MAX_SIZE, NULL, NULL, NULL },
		{ S_IFREG, MC_MAX_SIZE + 1, NULL, NULL, "is larger than a file of an image may be" },
		{ S_IFREG, INT64_MAX, NULL, NULL, "is larger than a file of an image may be" },
		{ S_IFREG, 0, NULL, "", "has an attribute without a name" },
		{ S_IFDIR, 0, NULL, MC_CONTENTS_SOCKET, "is a mark that is not known" },
		{ S_IFLNK, 0, "", NULL, "is a symbolic link to nothing" },
		{ S_IFLNK, 0, long_target, NULL, "is a symbolic link to a longer path" },
	};
	struct archive_entry *a;
	size_t i;
	int ret;

	memset(long_target, 't', sizeof(long_target) - 1);
	for (i = 0; i < MC_ARRAY_SIZE(x); i++) {
		begin();
		a = archive_entry_new();
		REQUIRE(a);
		archive_entry_set_filetype(a, x[i].type ? x[i].type : S_IFREG);
		archive_entry_set_size(a, x[i].size);
		if (x[i].type == S_IFLNK)
			archive_entry_set_symlink(a, x[i].to);
		else
			archive_entry_set_hardlink(a, x[i].to);
		if (x[i].mark)
			archive_entry_xattr_add_entry(a, x[i].mark, "1", 1);
		ret = mc_rules_member(&rules, "f", a);
		CHECK_EQ(ret, x[i].sign ? -1 : 0);
		if (x[i].sign && !strstr(e.text, x[i].sign))
			CHECK_STR(e.text, x[i].sign);
		archive_entry_free(a);
		mc_rules_end(&rules);
	}
}

/* An archive of one member, in whose header there is such a record in place of another. */
static int open_with(const char *record, size_t len)
{
	static const char key[] = "LIBARCHIVE.xattr.trusted.x=";
	const struct member m = MARKED("contents/0:0/f", "trusted.x");
	struct mc_buf json = { 0 };
	struct mntcr_contents *c;
	char buf[4096], *at, *end;
	int fd, ret;

	handle_size = 60;
	fd = pack(&m, 1, MC_CONTENTS_JSON);
	handle_size = 0;
	REQUIRE(pread(fd, buf, sizeof(buf), 0) == sizeof(buf));
	at = memmem(buf, sizeof(buf), key, strlen(key));
	end = at ? memchr(at, '\n', 200) : NULL;
	REQUIRE(end && (size_t)(end - at) >= len);
	/* the last byte as often as it takes */
	memset(at, record[len - 1], (size_t)(end - at));
	memcpy(at, record, len);
	REQUIRE(pwrite(fd, buf, sizeof(buf), 0) == sizeof(buf));
	memset(&e, 0, sizeof(e));
	ret = mc_contents_open(fd, 100, &json, &c, &e);
	if (ret)
		close(fd);
	else
		mntcr_contents_free(c);
	mc_buf_free(&json);
	return ret;
}

static void with_a_header_that_says_nothing(void)
{
#define RECORD(text)	text, sizeof(text) - 1
	static const struct {
		const char *record;
		size_t len;
		const char *sign;	/* NULL: it is fine */
	} x[] = {
		{ RECORD("LIBARCHIVE.xattr.trusted.y=AAAA"), NULL },
		{ RECORD("LIBARCHIVE.xattr.trusted.y=!"), "value is not in base 64" },
		{ RECORD("LIBARCHIVE.xattr.trusted.y=AA="), "value is not in base 64" },
		{ RECORD("LIBARCHIVE.xattr.=A"), "has an attribute without a name" },
		{ RECORD("path=contents/0:0/f"), NULL },
		{ RECORD("path=contents/0:0/f\0/../x"), "has a name with a NUL in it" },
		{ RECORD("mtime=17.5"), NULL },
		{ RECORD("mtime=-17.5"), NULL },
		{ RECORD("mtime=-17."), "has a time that is none" },
		{ RECORD("mtime=abc"), "has a time that is none" },
		{ RECORD("mtime=1"), "has a time that is none" },
		{ RECORD("atime=1.2.3"), "has a time that is none" },
		{ RECORD("uid=1"), "has a number that is none" },
		{ RECORD("GNU.sparse.realsize=7x"), "has a number that is none" },
		{ RECORD("comment=whatever"), NULL },
	};
	size_t i;
	int ret;

	for (i = 0; i < MC_ARRAY_SIZE(x); i++) {
		ret = open_with(x[i].record, x[i].len);
		CHECK_EQ(ret, x[i].sign ? -1 : 0);
		if (x[i].sign && !strstr(e.text, x[i].sign))
			CHECK_STR(e.text, x[i].sign);
		else if (ret && !x[i].sign)
			TAP_SAY("%zu: %s", i, e.text);
		if (ret)
			CHECK_EQ(e.code, MNTCR_BAD_IMAGE);
	}
}

int main(void)
{
	TAP_RUN(below_the_root);
	TAP_RUN(below_what_is_no_member);
	TAP_RUN(with_inode_flags);
	TAP_RUN(with_what_it_cannot_have);
	TAP_RUN(with_a_header_that_says_nothing);
	return tap_done();
}
