// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Descriptors: closed without a trace in errno, opened without waiting.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "base/base.h"

void mc_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
}

int mc_open_cached(int dir, const char *path, uint64_t resolve)
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
