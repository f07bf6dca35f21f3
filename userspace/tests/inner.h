/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * User namespaces for tests, one in the other.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef INNER_H
#define INNER_H

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>

#include "scene.h"

/* 0, or -1 and errno */
static inline int write_text(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -1;
	ret = write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
	mc_close(fd);
	return ret;
}

static inline void write_of(pid_t pid, const char *file, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	REQUIRE(!write_text(path, text));
}

/*
 * In the child of scene_hold(): as user 4 and group 5 of outer's user namespace into
 * one below it, and whatever else flags say.  0, or -1 and errno.
 */
static inline int inner_unshare(const struct holder *outer, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)outer->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWUSER) || setresgid(5, 5, 5) ||
	    setresuid(4, 4, 4) || unshare(CLONE_NEWUSER | flags) ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) || prctl(PR_SET_DUMPABLE, 1)) {
		mc_close(fd);
		return -1;
	}
	close(fd);
	return 0;
}

/* The user namespace that a task is in. */
static inline int userns_of(const struct holder *h)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)h->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	REQUIRE(fd >= 0);
	return fd;
}

#endif /* INNER_H */
