// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * In how many directories a member of an archive may lie: as many as those that are
 * open on the way to it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <archive.h>
#include <archive_entry.h>

#include "base/base.h"
#include "contents/contents.h"
#include "tap.h"

static const struct mc_sb sb = { .type = "tmpfs" };
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

int main(void)
{
	TAP_RUN(below_the_root);
	TAP_RUN(below_what_is_no_member);
	return tap_done();
}
