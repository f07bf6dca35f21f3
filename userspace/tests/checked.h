/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A host and a container on it, for tests of what is listed beforehand: the test's own
 * mount namespace, and one that a child has made and left its root for.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef CHECKED_H
#define CHECKED_H

#include <fcntl.h>
#include <jansson.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image/image.h"
#include "mntcr-restore.h"
#include "tap.h"

#define TRY(x)	do { if ((x) == -1) { perror(#x); _exit(1); } } while (0)

/* An overlay, of which none can be made, shared; and a tmpfs.  Nothing is seen outside. */
static inline void make_host(void)
{
	TRY(unshare(CLONE_NEWNS));
	TRY(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	TRY(mount("host", "/tmp", "tmpfs", 0, NULL));
	TRY(mkdir("/tmp/disk", 0755));
	TRY(mkdir("/tmp/lower", 0755));
	TRY(mkdir("/tmp/upper", 0755));
	TRY(mkdir("/tmp/work", 0755));
	if (mount("disk", "/tmp/disk", "overlay", 0,
		  "lowerdir=/tmp/lower,upperdir=/tmp/upper,workdir=/tmp/work")) {
		if (errno == ENODEV) {
			puts("1..0 # SKIP this kernel has no overlay");
			exit(0);
		}
		perror("mount(overlay)");
		_exit(1);
	}
	TRY(mount("none", "/tmp/disk", NULL, MS_SHARED, NULL));
	TRY(mkdir("/tmp/disk/vol", 0755));
	TRY(mkdir("/tmp/disk/vol/ev", 0755));
	TRY(mkdir("/tmp/run", 0755));
	TRY(mount("run", "/tmp/run", "tmpfs", 0, NULL));
	TRY(mkdir("/tmp/ct", 0755));
}

static inline void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	TRY(fd);
	TRY(write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1);
	close(fd);
}

/* In a new mount namespace: a tmpfs becomes its root, as build() has made it. */
static inline void enter_root(void (*build)(void))
{
	TRY(mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL));
	TRY(mount("ct", "/tmp/ct", "tmpfs", 0, "size=1m"));
	TRY(chdir("/tmp/ct"));
	TRY(mkdir("old", 0755));
	build();
	TRY(syscall(SYS_pivot_root, ".", "old"));
	TRY(chdir("/"));
	TRY(umount2("/old", MNT_DETACH));
}

/* build() works in the new root, before it becomes that; the host is at "/". */
static inline pid_t make_container(void (*build)(void))
{
	int ready[2];
	pid_t pid;
	char x;

	REQUIRE(!pipe2(ready, O_CLOEXEC));
	pid = (pid_t)syscall(SYS_clone, CLONE_NEWNS | CLONE_NEWPID | SIGCHLD, NULL,
			     NULL, NULL, 0);
	REQUIRE(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		enter_root(build);
		TRY(write(ready[1], "x", 1));
		for (;;)
			pause();
	}
	close(ready[1]);
	REQUIRE(read(ready[0], &x, 1) == 1);
	close(ready[0]);
	return pid;
}

static inline void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* The container is gone: what is left of it is an image. */
static inline struct mntcr_topology *image_of_container(void (*build)(void))
{
	struct mntcr_topology *live = NULL, *t;
	struct mntcr_container c;
	struct mntcr_error e;
	pid_t pid = make_container(build);
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int ret;

	ret = mntcr_capture_container(pid, NULL, &c, &live, &e);
	if (ret)
		TAP_SAY("%s", e.text);
	REQUIRE(!ret && out && !mc_image_print(live, out, &e) && !fclose(out));
	mntcr_topology_free(live);
	mntcr_container_free(&c);
	end(pid);
	REQUIRE(!mc_image_parse(text, strlen(text), "image", &t, &e));
	free(text);
	return t;
}

static inline pid_t forked(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	REQUIRE(pid >= 0);
	return pid;
}

static inline void ended_well(pid_t pid)
{
	int status;

	REQUIRE(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
}

/* What fn() finds in that namespace, in a child that has entered. */
static inline void inside(int ns, int (*fn)(void))
{
	pid_t pid = forked();

	if (!pid) {
		TRY(setns(ns, CLONE_NEWNS));
		_exit(fn());
	}
	ended_well(pid);
}

/* In a user namespace that has nobody but root, and a mount namespace that it owns. */
static inline void as_only_root(void (*fn)(void *data), void *data)
{
	pid_t pid = forked();

	if (!pid) {
		TRY(unshare(CLONE_NEWUSER | CLONE_NEWNS));
		put("/proc/self/setgroups", "deny");
		put("/proc/self/uid_map", "0 0 1");
		put("/proc/self/gid_map", "0 0 1");
		tap.bad = 0;
		if (setjmp(tap.out))
			_exit(1);
		fn(data);
		fflush(stdout);
		_exit(tap.bad);
	}
	ended_well(pid);
}

static inline bool has(const char *text, const char *part)
{
	if (strstr(text, part))
		return true;
	TAP_SAY("nothing like \"%s\" in:", part);
	for (; *text; text += strcspn(text, "\n") + (strchr(text, '\n') != NULL))
		printf("#   %.*s\n", (int)strcspn(text, "\n"), text);
	return false;
}

#endif /* CHECKED_H */
