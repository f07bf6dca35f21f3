// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which cgroup a container is held still by: the root of the cgroup namespace that its
 * init is in.  Init's own cgroup may have init alone in it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libmount/libmount.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "capture/capture.h"

/* --- the container's init ----------------------------------------------------------- */

/* The last number of the line: in the pid namespace that the task is in. */
static uint32_t innermost_number(uint32_t pid)
{
	char path[40], line[512], *last;
	uint32_t n = 0;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	in = fopen(path, "re");
	while (in && !n && fgets(line, sizeof(line), in)) {
		last = strncmp(line, "NSpid:", 6) ? NULL : strrchr(line, '\t');
		n = last ? (uint32_t)strtoul(last + 1, NULL, 10) : 0;
	}
	if (in)
		fclose(in);
	return n;
}

static bool is_in(uint32_t pid, uint64_t pidns)
{
	char path[40];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%u/ns/pid", pid);
	return !stat(path, &st) && st.st_ino == pidns;
}

int cap_find_init(int64_t pid, uint32_t *init, struct mntcr_error *e)
{
	struct dirent *d;
	char path[40];
	struct stat st;
	uint32_t n;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/ns/pid", pid);
	if (stat(path, &st))
		return mc_fail(e, MNTCR_SYS, errno == ENOENT ? ESRCH : errno,
			       "process %" PRId64 ": its pid namespace", pid);
	dir = opendir("/proc");
	if (!dir)
		return mc_fail(e, MNTCR_SYS, errno, "/proc");
	*init = 0;
	while (!*init && (d = readdir(dir))) {
		if (strspn(d->d_name, "0123456789") != strlen(d->d_name))
			continue;
		n = (uint32_t)strtoul(d->d_name, NULL, 10);
		if (is_in(n, st.st_ino) && innermost_number(n) == 1)
			*init = n;
	}
	closedir(dir);
	return *init ? 0 : mc_fail(e, MNTCR_SYS, ESRCH,
				   "the init of the pid namespace of process %" PRId64, pid);
}

/* --- its cgroup ----------------------------------------------------------------------- */

struct look {
	uint32_t pid;
	int ns;			/* the cgroup namespace to look from; -1: the caller's */
	char path[4200];
	int err;
};

/* In a thread of its own if that is to be in another cgroup namespace. */
static void *read_cgroup(void *data)
{
	struct look *l = data;
	char file[40], line[4200];
	FILE *in;

	l->err = 0;
	*l->path = '\0';
	if (l->ns >= 0 && setns(l->ns, CLONE_NEWCGROUP)) {
		l->err = errno;
		return NULL;
	}
	snprintf(file, sizeof(file), "/proc/%u/cgroup", l->pid);
	in = fopen(file, "re");
	if (!in)
		l->err = errno;
	while (in && !*l->path && fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "0::", 3))
			snprintf(l->path, sizeof(l->path), "%s", line + 3);
	}
	if (in)
		fclose(in);
	if (!l->err && !*l->path)
		l->err = ENOENT;
	return NULL;
}

/* Of the path that the caller sees, what the container does not: its root. */
static bool cut(char *ours, const char *theirs)
{
	size_t n = strlen(ours), k = strcmp(theirs, "/") ? strlen(theirs) : 0;

	if (!strncmp(ours, "/..", 3) || !strncmp(theirs, "/..", 3) || k > n ||
	    strcmp(ours + n - k, theirs + (k ? 0 : 1)))
		return false;
	ours[n - k] = '\0';
	return ours[0] && ours[1];
}

/* Where a cgroup2 mount of the caller's shows it; malloc()ed. */
static char *place_of(const char *cgroup)
{
	struct libmnt_table *tb = mnt_new_table_from_file("/proc/thread-self/mountinfo");
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_FORWARD);
	struct mntcr_error ignored;
	char *path = NULL;
	struct libmnt_fs *fs;
	int fd = -1;

	while (tb && it && fd < 0 && !mnt_table_next_fs(tb, it, &fs)) {
		const char *type = mnt_fs_get_fstype(fs), *root = mnt_fs_get_root(fs);
		size_t n = root && strcmp(root, "/") ? strlen(root) : 0;

		if (!type || !root || strcmp(type, "cgroup2") ||
		    strncmp(cgroup, root, n) || (cgroup[n] && cgroup[n] != '/'))
			continue;
		free(path);
		if (asprintf(&path, "%s%s", mnt_fs_get_target(fs), cgroup + n) < 0)
			path = NULL;
		fd = path ? cap_cgroup_open(path, &ignored) : -1;
	}
	if (fd < 0) {
		free(path);
		path = NULL;
	}
	mc_close(fd);
	mnt_unref_table(tb);
	mnt_free_iter(it);
	return path;
}

static int refuse(struct mntcr_error *e, uint32_t init, const char *why)
{
	return mc_refuse(e, "no-own-cgroup",
			 "the container's init, task %u, %s: its cgroup has to be named",
			 init, why);
}

int mntcr_container_cgroup(int64_t pid, char **cgroup, struct mntcr_error *e)
{
	struct look ours = { .ns = -1 }, theirs = { .ns = -1 };
	struct stat own, st;
	char path[40], esc[300];
	int err;

	*cgroup = NULL;
	memset(e, 0, sizeof(*e));
	if (cap_find_init(pid, &ours.pid, e))
		return -1;
	theirs.pid = ours.pid;
	snprintf(path, sizeof(path), "/proc/%u/ns/cgroup", ours.pid);
	theirs.ns = open(path, O_RDONLY | O_CLOEXEC);
	if (theirs.ns < 0 || fstat(theirs.ns, &st) || stat("/proc/self/ns/cgroup", &own)) {
		err = errno;
		mc_close(theirs.ns);
		return mc_fail(e, MNTCR_SYS, err, "task %u: its cgroup namespace", ours.pid);
	}
	if (st.st_ino == own.st_ino) {
		mc_close(theirs.ns);
		return refuse(e, ours.pid, "is in the caller's cgroup namespace");
	}
	read_cgroup(&ours);
	err = mc_in_thread(read_cgroup, &theirs);
	mc_close(theirs.ns);
	err = err ? err : theirs.err ? theirs.err : ours.err;
	if (err)
		return mc_fail(e, MNTCR_SYS, err, "task %u: its cgroup (v2)", ours.pid);
	if (!cut(ours.path, theirs.path))
		return refuse(e, ours.pid,
			      "is in no cgroup below the root of its cgroup namespace, or that is the caller's");
	*cgroup = place_of(ours.path);
	if (*cgroup)
		return 0;
	return mc_refuse(e, "no-own-cgroup", "cgroup %s, the container's, is not to be seen in the caller's mount namespace",
			 mc_escape(ours.path, esc, sizeof(esc)));
}
