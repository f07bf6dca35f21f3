// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A look from within: a child enters the namespace and is waited for, the
 * caller's own root and directory stay what they are.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include "capture.h"
#include "child.h"
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

/* No pipe to wait at: helpers of other threads would have copies of its ends. */
struct entered {
	int proc_fd;
	volatile int fd, err;
};

static void enter(struct entered *x, const struct cap_ns *ns, const char *name,
		  int flags)
{
	int dir;

	if (setns(ns->fd, CLONE_NEWNS)) {
		x->err = errno;
		return;
	}
	/* In its own words: numbers of tasks may mean others in that /proc. */
	dir = openat(x->proc_fd, "self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0)
		x->fd = openat(dir, name, flags | O_CLOEXEC);
	if (x->fd < 0)
		x->err = errno;
	mc_close(dir);
}

/* The descriptor table is shared: what the child opens stays open here. */
int cap_open_entered(const struct cap_ns *ns, const char *name, int flags)
{
	struct entered *x;
	int fd = -1, err;
	pid_t pid;

	x = mmap(NULL, sizeof(*x), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (x == MAP_FAILED)
		return -1;
	x->fd = -1;
	x->proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (x->proc_fd < 0) {
		err = errno;
		goto out;
	}
	pid = mc_child(CLONE_FILES);
	if (!pid) {
		enter(x, ns, name, flags);
		_exit(0);
	}
	err = pid < 0 || mc_child_wait(pid) ? errno : x->err;
	fd = x->fd;
	mc_close(x->proc_fd);
out:
	munmap(x, sizeof(*x));
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
