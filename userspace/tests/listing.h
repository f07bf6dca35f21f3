/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files and directories as text, to be the same before and after.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TESTS_LISTING_H
#define TESTS_LISTING_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/base.h"
#include "tap.h"

static inline void list_file(struct mc_buf *b, int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	char block[4096];
	ssize_t n;

	REQUIRE(fd >= 0);
	while ((n = read(fd, block, sizeof(block))) > 0)
		mc_buf_add(b, block, (size_t)n);
	REQUIRE(!n);
	close(fd);
}

/* Of descriptors only those that are still there: the directory's own is gone by now. */
static inline void list_dir(struct mc_buf *b, const char *path, bool only_links)
{
	struct dirent **list;
	int n = scandir(path, &list, NULL, alphasort), i;
	char from[512], to[256];
	ssize_t len;

	REQUIRE(n >= 0);
	for (i = 0; i < n; i++) {
		snprintf(from, sizeof(from), "%s/%s", path, list[i]->d_name);
		len = readlink(from, to, sizeof(to) - 1);
		to[len > 0 ? len : 0] = '\0';
		if (len > 0 || !only_links)
			mc_buf_printf(b, "%s %s\n", from, to);
		free(list[i]);
	}
	free(list);
}

#endif /* TESTS_LISTING_H */
