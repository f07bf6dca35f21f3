// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The tasks of a cgroup and all below it, from its directory (cgroup v2).
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/base.h"
#include "capture/capture.h"

/* Those that are still to be looked at, as paths from the first one. */
struct todo {
	char **paths;
	uint32_t nr, max;
};

int cap_cgroup_open(const char *path, struct mntcr_error *e)
{
	char text[256];
	struct statfs fs;
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fstatfs(fd, &fs)) {
		mc_fail(e, MNTCR_SYS, errno, "cgroup %s",
			mc_escape(path, text, sizeof(text)));
		mc_close(fd);
		return -1;
	}
	if (fs.f_type == CGROUP2_SUPER_MAGIC)
		return fd;
	close(fd);
	return mc_fail(e, MNTCR_USAGE, 0, "%s: not a directory of cgroup v2",
		       mc_escape(path, text, sizeof(text)));
}

static bool add_path(struct todo *todo, const char *above, const char *name)
{
	char *path;

	if (!mc_grow(&todo->paths, todo->nr, &todo->max, sizeof(*todo->paths)) ||
	    asprintf(&path, "%s/%s", above, name) < 0)
		return false;
	todo->paths[todo->nr++] = path;
	return true;
}

/* cgroup.threads and not cgroup.procs: threads may be in cgroups of their own. */
static int tasks_of_one(int dir, bool inner, cap_task_fn *fn, void *data,
			struct mntcr_error *e)
{
	int fd = openat(dir, "cgroup.threads", O_RDONLY | O_CLOEXEC);
	FILE *in = fd < 0 ? NULL : fdopen(fd, "r");
	unsigned int tid;
	int ret = 0, n = 1;

	if (!in) {
		mc_fail(e, MNTCR_SYS, errno, "cgroup.threads");
		mc_close(fd);
		return -1;
	}
	while (!ret && (n = fscanf(in, "%u", &tid)) == 1)
		ret = tid ? fn(data, tid, inner) :
		      mc_refuse(e, "namespace-out-of-reach",
				"a task of the cgroup has no number in the caller's pid namespace");
	/* removed since: there is no task in it */
	if (ferror(in) && errno != ENODEV)
		ret = mc_fail(e, MNTCR_SYS, errno, "cgroup.threads");
	fclose(in);
	return ret;
}

static int add_children(int dir, const char *path, struct todo *todo,
			struct mntcr_error *e)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;
	int ret = 0;

	if (!list) {
		mc_fail(e, MNTCR_SYS, errno, "cgroup %s", path);
		mc_close(fd);
		return -1;
	}
	while (!ret && (d = readdir(list)))
		if (d->d_type == DT_DIR && strcmp(d->d_name, ".") &&
		    strcmp(d->d_name, "..") && !add_path(todo, path, d->d_name))
			ret = mc_nomem(e);
	closedir(list);
	return ret;
}

int cap_cgroup_tasks(int dir, cap_task_fn *fn, void *data, struct mntcr_error *e)
{
	struct todo todo = { 0 };
	uint32_t others;
	char *path;
	int at, ret;

	ret = add_path(&todo, ".", ".") ? 0 : mc_nomem(e);
	while (!ret && todo.nr) {
		path = todo.paths[--todo.nr];
		at = openat(dir, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (at >= 0) {
			others = todo.nr;
			ret = add_children(at, path, &todo, e);
			if (!ret)
				ret = tasks_of_one(at, todo.nr != others, fn, data, e);
			close(at);
		} else if (errno != ENOENT) {
			ret = mc_fail(e, MNTCR_SYS, errno, "cgroup %s", path);
		}
		free(path);
	}
	while (todo.nr)
		free(todo.paths[--todo.nr]);
	free(todo.paths);
	return ret;
}
