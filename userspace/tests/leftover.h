/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What there is before and after something that comes to nothing: mounts, files,
 * descriptors and limits of the test's own, and the namespaces that are read.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TESTS_LEFTOVER_H
#define TESTS_LEFTOVER_H

#include "tap.h"
#include "world.h"

static struct world w;
static long counted_ns;		/* of the user namespace; -1: not counted */

static void add_file(struct wd_text *t, const char *path)
{
	int fd = openat(world_proc_fd, path, O_RDONLY | O_CLOEXEC);

	REQUIRE(fd >= 0 && !wd_read_all(fd, t));
	close(fd);
}

static void add_link(struct wd_text *t, const char *path)
{
	char to[256];
	ssize_t n = readlinkat(world_proc_fd, path, to, sizeof(to) - 1);

	REQUIRE(n > 0);
	to[n] = '\n';
	REQUIRE(!wd_add(t, to, (size_t)n + 1));
}

static void add_dir(struct wd_text *t, const char *path, bool links)
{
	struct dirent **list;
	int n = scandir(path, &list, NULL, alphasort), i;
	char to[256], from[512];
	ssize_t len;

	REQUIRE(n >= 0);
	for (i = 0; i < n; i++) {
		snprintf(from, sizeof(from), "%s/%s", path, list[i]->d_name);
		len = links ? readlink(from, to, sizeof(to)) : 0;
		/* the directory's own descriptor is gone by now */
		if (!links || len > 0) {
			REQUIRE(!wd_add(t, from, strlen(from)));
			REQUIRE(!wd_add(t, " ", 1));
			if (len > 0)
				REQUIRE(!wd_add(t, to, (size_t)len));
			REQUIRE(!wd_add(t, "\n", 1));
		}
		free(list[i]);
	}
	free(list);
}

static bool line_is(const char *line, const char *key)
{
	return !strncmp(line, key, strlen(key));
}

static char *state(void)
{
	struct wd_text t = { 0 }, status = { 0 };
	struct stat root, cwd;
	char *line, *save, *live, buf[128];

	add_file(&t, "self/mountinfo");
	add_link(&t, "self/ns/mnt");
	add_link(&t, "self/cwd");
	add_link(&t, "self/root");
	REQUIRE(!stat("/", &root) && !stat(".", &cwd));
	snprintf(buf, sizeof(buf), "%lx:%lu %lx:%lu\n", (long)root.st_dev,
		 (long)root.st_ino, (long)cwd.st_dev, (long)cwd.st_ino);
	REQUIRE(!wd_add(&t, buf, strlen(buf)));
	add_dir(&t, "/proc/self/fd", true);
	add_dir(&t, "/tmp", false);
	add_dir(&t, "/tmp/shared", false);
	add_file(&t, "self/limits");
	add_file(&status, "self/status");
	for (line = strtok_r(status.s, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		if (line_is(line, "Umask:") || line_is(line, "SigBlk:") ||
		    line_is(line, "Cpus_allowed:"))
			REQUIRE(!wd_add(&t, line, strlen(line)));
	free(status.s);
	/* The originals are read, never changed. */
	live = world_text(w.ns, w.nr);
	REQUIRE(live && !wd_add(&t, live, strlen(live)));
	free(live);
	return t.s;
}

/* Namespaces and detached trees of the user namespace are under one limit. */
static bool room_for(long n)
{
	char text[32];
	pid_t pid;

	snprintf(text, sizeof(text), "%ld", n);
	w_write("sys/user/max_mnt_namespaces", text);
	pid = fork();
	if (!pid)
		_exit(unshare(CLONE_NEWNS) ? 1 : 0);
	n = wd_wait_for(pid);
	w_write("sys/user/max_mnt_namespaces", "10000");
	return !n;
}

#endif /* TESTS_LEFTOVER_H */
