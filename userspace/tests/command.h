/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command that belongs to a test, for fexecve(3).
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TESTS_COMMAND_H
#define TESTS_COMMAND_H

#include <err.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int mntcr = -1;

/* Before /tmp is covered, which it may be below. */
static inline void find_mntcr(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 16);

	if (n < 0)
		err(1, "/proc/self/exe");
	path[n] = '\0';
	strcpy(strrchr(path, '/'), "/../mntcr");
	mntcr = open(path, O_PATH | O_CLOEXEC);
	if (mntcr < 0)
		mntcr = open("/usr/bin/mntcr", O_PATH | O_CLOEXEC);
	if (mntcr < 0)
		errx(1, "no mntcr beside this test, nor in /usr/bin");
}

#endif /* TESTS_COMMAND_H */
