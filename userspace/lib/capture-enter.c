// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A look from within: a child enters the namespace and is waited for, the
 * caller's own root and directory stay what they are.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>

#include "capture.h"
#include "sys.h"

int cap_open_proc(const struct cap_ns *ns, pid_t pid, const char *name,
		  int flags)
{
	struct stat st = { 0 };
	char path[32];
	int dir, fd = -1;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -1;
	if (!fstatat(dir, "ns/mnt", &st, 0) && st.st_ino == ns->ino)
		fd = openat(dir, name, flags | O_CLOEXEC);
	else if (st.st_ino)
		errno = ESRCH;
	mc_close(dir);
	return fd;
}

int cap_open_entered(const struct cap_ns *ns, const char *name, int flags)
{
	int up[2] = { -1, -1 }, down[2] = { -1, -1 }, fd = -1, err = 0;
	pid_t pid = -1;
	ssize_t n;

	if (pipe2(up, O_CLOEXEC) || pipe2(down, O_CLOEXEC))
		goto out;
	pid = fork();
	if (!pid) {
		/* Only system calls: the caller may have threads. */
		err = setns(ns->fd, CLONE_NEWNS) ? errno : 0;
		close(down[1]);
		if (write(up[1], &err, sizeof(err)) != sizeof(err))
			_exit(1);
		/* Until the parent has opened our file, or died. */
		do {
			n = read(down[0], &err, 1);
		} while (n < 0 && errno == EINTR);
		_exit(n != 0);
	}
	if (pid < 0)
		goto out;
	close(up[1]);
	up[1] = -1;
	do {
		n = read(up[0], &err, sizeof(err));
	} while (n < 0 && errno == EINTR);
	if (n != sizeof(err))
		err = EIO;
	if (!err) {
		fd = cap_open_proc(ns, pid, name, flags);
		err = errno;
	}
	errno = err;
out:
	mc_close(up[0]);
	mc_close(up[1]);
	mc_close(down[0]);
	mc_close(down[1]);
	err = errno;
	if (pid > 0)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	errno = err;
	return fd;
}

int cap_open_cached(int dir, const char *path, uint64_t resolve)
{
	struct mc_open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = resolve | MC_RESOLVE_NO_SYMLINKS | MC_RESOLVE_CACHED,
	};
	int fd, tries = 20;

	/* Any mount or rename on the machine can disturb such a walk. */
	do {
		fd = mc_openat2(dir, path, &how);
	} while (fd < 0 && errno == EAGAIN && --tries);
	return fd;
}
