// SPDX-License-Identifier: GPL-2.0
/*
 * A root that a program may pivot away from. Up to Linux 6.18 PID 1 starts on
 * the rootfs, a mount without a parent, which pivot_root(2) refuses to replace;
 * nothing outside of an initramfs runs there. A tmpfs takes its place, as
 * switch_root(8) does it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init.h"

#define NEW_ROOT	"/newroot"
#define COPY_MAX	(1U << 30)

/* The mount below the root is its own parent: mountinfo says so. */
static bool on_rootfs(void)
{
	unsigned int id, parent;
	char line[256], point[2];
	bool is = false;
	FILE *f;

	f = fopen("/proc/self/mountinfo", "re");
	if (!f)
		return false;
	while (!is && fgets(line, sizeof(line), f))
		is = sscanf(line, "%u %u %*s / %1s", &id, &parent, point) == 3 &&
		     id == parent;
	fclose(f);
	return is;
}

static int copy_file(const char *from, const char *to, const struct stat *st)
{
	int in, out, ret = -1;
	ssize_t n;

	in = open(from, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return -1;
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out >= 0) {
		do {
			n = sendfile(out, in, NULL, COPY_MAX);
		} while (n > 0);
		if (!n && !fchmod(out, st->st_mode & 07777))
			ret = 0;
		close(out);
	}
	close(in);
	/* what was copied is not to take its memory twice */
	return ret ? ret : unlink(from);
}

static int copy_link(const char *from, const char *to)
{
	char target[PATH_MAX];
	ssize_t n;

	n = readlink(from, target, sizeof(target) - 1);
	if (n < 0)
		return -1;
	target[n] = 0;
	return symlink(target, to);
}

static int copy_one(const FTSENT *e)
{
	const struct stat *st = e->fts_statp;
	char to[PATH_MAX];

	if (snprintf(to, sizeof(to), NEW_ROOT "%s", e->fts_path) >=
	    (int)sizeof(to)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	switch (e->fts_info) {
	case FTS_D:
		return mkdir(to, st->st_mode & 07777) && errno != EEXIST;
	case FTS_DP:
		return 0;
	case FTS_F:
		return copy_file(e->fts_path, to, st);
	case FTS_SL:
	case FTS_SLNONE:
		return copy_link(e->fts_path, to);
	case FTS_DEFAULT:
		return mknod(to, st->st_mode, st->st_rdev);
	}
	errno = e->fts_errno;
	return -1;
}

/* All of the rootfs, and nothing that is mounted on it. */
static int copy_root(void)
{
	char root[] = "/";
	char *paths[] = { root, NULL };
	int ret = -1;
	FTSENT *e;
	FTS *fts;

	fts = fts_open(paths, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
	if (!fts)
		return -1;
	while ((e = fts_read(fts))) {
		if (!strcmp(e->fts_path, NEW_ROOT)) {
			fts_set(fts, e, FTS_SKIP);
			continue;
		}
		if (copy_one(e)) {
			klog("vm: %s: %s", e->fts_path, strerror(errno));
			goto out;
		}
	}
	ret = errno ? -1 : 0;
out:
	fts_close(fts);
	return ret;
}

/* Before anything else is mounted. */
int new_root(void)
{
	bool needed;

	if (mkdir("/proc", 0755) && errno != EEXIST)
		return -1;
	if (mount("proc", "/proc", "proc", 0, NULL))
		return -1;
	needed = on_rootfs();
	if (umount("/proc"))
		return -1;
	if (!needed)
		return 0;
	if (mkdir(NEW_ROOT, 0700) ||
	    mount("root", NEW_ROOT, "tmpfs", 0, "mode=0755"))
		return -1;
	if (copy_root())
		return -1;
	if (chdir(NEW_ROOT) || mount(".", "/", NULL, MS_MOVE, NULL) ||
	    chroot(".") || chdir("/"))
		return -1;
	klog("vm: a tmpfs is the root");
	return 0;
}
