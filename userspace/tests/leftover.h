/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What there is before and after something that comes to nothing: mounts, files,
 * descriptors and limits of the test's own, and the namespaces that are read.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TESTS_LEFTOVER_H
#define TESTS_LEFTOVER_H

#include "listing.h"
#include "tap.h"
#include "world.h"

static struct world w;
static long counted_ns;		/* of the user namespace; -1: not counted */

static void add_link(struct mc_buf *b, const char *path)
{
	char to[256];
	ssize_t n = readlinkat(world_proc_fd, path, to, sizeof(to) - 1);

	REQUIRE(n > 0);
	to[n] = '\0';
	mc_buf_printf(b, "%s\n", to);
}

static bool line_is(const char *line, const char *key)
{
	return !strncmp(line, key, strlen(key));
}

static char *state(void)
{
	struct mc_buf b = { 0 }, status = { 0 };
	struct stat root, cwd;
	char *line, *save, *live;

	list_file(&b, world_proc_fd, "self/mountinfo");
	add_link(&b, "self/ns/mnt");
	add_link(&b, "self/cwd");
	add_link(&b, "self/root");
	REQUIRE(!stat("/", &root) && !stat(".", &cwd));
	mc_buf_printf(&b, "%lx:%lu %lx:%lu\n", (long)root.st_dev, (long)root.st_ino,
		      (long)cwd.st_dev, (long)cwd.st_ino);
	list_dir(&b, "/proc/self/fd", true);
	list_dir(&b, "/tmp", false);
	list_dir(&b, "/tmp/shared", false);
	list_file(&b, world_proc_fd, "self/limits");
	list_file(&status, world_proc_fd, "self/status");
	REQUIRE(!status.nomem);
	for (line = strtok_r(status.data, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		if (line_is(line, "Umask:") || line_is(line, "SigBlk:") ||
		    line_is(line, "Cpus_allowed:"))
			mc_buf_puts(&b, line);
	mc_buf_free(&status);
	/* The originals are read, never changed. */
	live = world_text(w.ns, w.nr);
	REQUIRE(live);
	mc_buf_puts(&b, live);
	free(live);
	REQUIRE(!b.nomem);
	return b.data;
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
