/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A time namespace, in which nobody is: a monotonic clock that is ahead.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TESTS_TIME_NS_H
#define TESTS_TIME_NS_H

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME	0x80
#endif

/* So many seconds; by proc_fd, a /proc.  -1: this kernel has none. */
static inline int time_ns_new(int proc_fd, int ahead)
{
	char offsets[40], path[40], x;
	int ready[2], fd, ns = -1;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid) {
		snprintf(offsets, sizeof(offsets), "monotonic %d 0\n", ahead);
		if (mc_unshare(CLONE_NEWTIME))
			_exit(1);
		fd = openat(proc_fd, "self/timens_offsets", O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, offsets, strlen(offsets)) < 0 ||
		    write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	snprintf(path, sizeof(path), "%d/ns/time_for_children", (int)pid);
	if (pid > 0 && read(ready[0], &x, 1) == 1)
		ns = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
	close(ready[0]);
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return ns;
}

static inline time_t time_ns_clock(void)
{
	struct timespec t = { 0 };

	/* not what the process has mapped for that */
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* Who enters it is so many seconds ahead, and no hour more. */
static inline bool time_ns_is_ahead(int ns, int ahead)
{
	time_t now = time_ns_clock(), there;
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (setns(ns, CLONE_NEWTIME))
			_exit(1);
		there = time_ns_clock();
		_exit(there < now + ahead || there > now + ahead + 3600);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

#endif /* TESTS_TIME_NS_H */
