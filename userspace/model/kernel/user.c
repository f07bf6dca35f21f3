// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A child that holds a new user namespace.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "kernel/mount.h"

pid_t kuser_start(int above, int flags, int *hold)
{
	int up[2], down[2];
	int status = 0;
	pid_t pid;
	char c = 0;

	if (pipe2(up, O_CLOEXEC))
		return -1;
	if (pipe2(down, O_CLOEXEC)) {
		close(up[0]);
		close(up[1]);
		return -1;
	}
	pid = fork();
	if (!pid) {
		close(down[1]);
		if ((above >= 0 && setns(above, CLONE_NEWUSER)) ||
		    mc_unshare(CLONE_NEWUSER | (unsigned int)flags))
			_exit(errno);
		_exit(write(up[1], &c, 1) != 1 || read(down[0], &c, 1) < 0);
	}
	close(up[1]);
	close(down[0]);
	*hold = down[1];
	if (pid > 0 && read(up[0], &c, 1) != 1) {
		waitpid(pid, &status, 0);
		errno = WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : EIO;
		pid = -1;
	}
	close(up[0]);
	if (pid < 0)
		close(down[1]);
	return pid;
}
