// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Descriptors: closed without a trace in errno, opened without waiting.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

void mc_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
}

bool mc_read_text(int fd, char *buf, size_t size)
{
	size_t at = 0;
	ssize_t n;

	while ((n = read(fd, buf + at, size - 1 - at)) > 0)
		at += (size_t)n;
	buf[at] = '\0';
	return !n && at < size - 1;
}

int mc_is_empty_dir(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret = 1, err;
	struct dirent *d;
	DIR *dir;

	if (copy < 0)
		return errno == ENOTDIR ? 0 : -1;
	dir = fdopendir(copy);
	if (!dir) {
		mc_close(copy);
		return -1;
	}
	for (errno = 0; ret > 0 && (d = readdir(dir)); errno = 0)
		ret = !strcmp(d->d_name, ".") || !strcmp(d->d_name, "..");
	err = ret > 0 ? errno : 0;
	closedir(dir);
	errno = err;
	return err ? -1 : ret;
}

int *mc_fds_new(size_t nr)
{
	int *fds = malloc((nr + 1) * sizeof(*fds));
	size_t i;

	for (i = 0; fds && i < nr; i++)
		fds[i] = -1;
	return fds;
}

void mc_fds_close(int *fds, size_t nr)
{
	size_t i;

	for (i = 0; fds && i < nr; i++)
		mc_close(fds[i]);
	free(fds);
}

/* Of the first len bytes of path. */
static int walk(int dir, const char *path, size_t len, const struct mc_open_how *how,
		uint64_t *nr_opens)
{
	const struct mc_open_how step = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = how->resolve,
	};
	char part[PATH_MAX];
	int at = dir, fd;
	bool last;
	size_t n;

	for (;;) {
		last = len < sizeof(part);
		for (n = last ? len : sizeof(part) - 1; !last && n && path[n] != '/'; n--)
			;
		memcpy(part, path, n);
		part[n] = '\0';
		errno = ENAMETOOLONG;
		if (nr_opens)
			++*nr_opens;
		fd = last ? mc_openat2(at, n ? part : ".", how) :
		     n ? mc_openat2(at, part, &step) : -1;
		if (at != dir)
			mc_close(at);
		if (last || fd < 0)
			return fd;
		at = fd;
		for (path += n, len -= n; len && *path == '/'; path++)
			len--;
	}
}

int mc_openat2_far(int dir, const char *path, const struct mc_open_how *how)
{
	return walk(dir, path, strlen(path), how, NULL);
}

int mc_openat2_count(int dir, const char *path, const struct mc_open_how *how,
		     uint64_t *nr_opens)
{
	return walk(dir, path, strlen(path), how, nr_opens);
}

static int walk_cached(int dir, const char *path, size_t len, uint64_t resolve)
{
	const struct mc_open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = resolve | MC_RESOLVE_NO_SYMLINKS | MC_RESOLVE_CACHED,
	};
	int fd, tries = 20;

	/* Any mount or rename on the machine can disturb such a walk. */
	do {
		fd = walk(dir, path, len, &how, NULL);
	} while (fd < 0 && errno == EAGAIN && --tries);
	return fd;
}

int mc_open_cached(int dir, const char *path, uint64_t resolve)
{
	return walk_cached(dir, path, strlen(path), resolve);
}

int mc_open_way(int dir, const char *path, size_t local, uint64_t resolve)
{
	struct mc_open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = resolve | MC_RESOLVE_NO_SYMLINKS,
	};
	size_t len = strlen(path);
	int fd, at;

	fd = mc_open_cached(dir, path, resolve);
	if (fd >= 0 || errno != EAGAIN || !local)
		return fd;
	if (local >= len)
		return mc_openat2_far(dir, path, &how);
	at = walk_cached(dir, path, len - local, resolve);
	if (at < 0)
		return -1;
	how.resolve = MC_RESOLVE_BENEATH | MC_RESOLVE_NO_SYMLINKS;
	fd = mc_openat2_far(at, path + len - local + 1, &how);
	mc_close(at);
	return fd;
}
