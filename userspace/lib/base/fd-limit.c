// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * RLIMIT_NOFILE, raised for the time of a call and set back.  All threads share
 * it: calls at the same time may see one another's.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/base.h"

uint32_t mc_fd_count(void)
{
	DIR *d = opendir("/proc/self/fd");
	struct rlimit all;
	uint32_t n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	else if (errno == EMFILE && !getrlimit(RLIMIT_NOFILE, &all))
		n = (uint32_t)all.rlim_cur;
	return n;
}

uint32_t mc_fd_limit_raise(struct mc_fd_limit *l, uint32_t want)
{
	struct rlimit cur, new;

	if (getrlimit(RLIMIT_NOFILE, &cur))
		return 0;
	if (cur.rlim_cur >= want)
		return want;
	if (!l->old.rlim_max)
		l->old = cur;
	new = cur;
	new.rlim_cur = want;
	if (new.rlim_max < want)
		new.rlim_max = want;
	if (!setrlimit(RLIMIT_NOFILE, &new))
		return want;
	new.rlim_cur = new.rlim_max = cur.rlim_max;
	if (!setrlimit(RLIMIT_NOFILE, &new))
		return new.rlim_cur;
	return cur.rlim_cur;
}

void mc_fd_table_grow(int fd, uint32_t want)
{
	int high;

	if (!want)
		return;
	high = fcntl(fd, F_DUPFD_CLOEXEC, want - 1);
	if (high >= 0)
		close(high);
}

void mc_fd_limit_back(struct mc_fd_limit *l)
{
	int err = errno;

	if (l->old.rlim_max)
		setrlimit(RLIMIT_NOFILE, &l->old);
	errno = err;
}
