/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Mount scenes for tests: always in namespaces of the test's own.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef SCENE_H
#define SCENE_H

#include <signal.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>

#include "base/base.h"
#include "tap.h"

#define SCENE_DIR "/tmp/mntcr-scene"

/* In a function that runs in a child: what failed is returned. */
#define DO(call)	do { if (call) return errno; } while (0)

/* A task that holds a namespace until it is killed. */
struct holder {
	pid_t pid;
	int ns;
};

static inline void scene_mkdir(const char *path)
{
	REQUIRE(!mkdir(path, 0755) || errno == EEXIST);
}

static inline void scene_touch(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	REQUIRE(fd >= 0);
	close(fd);
}

static inline void scene_tmpfs(const char *path, const char *source)
{
	REQUIRE(!mount(source, path, "tmpfs", 0, "size=4m,mode=755"));
}

static inline void scene_bind(const char *from, const char *to)
{
	REQUIRE(!mount(from, to, "none", MS_BIND, NULL));
}

static inline void scene_type(const char *path, unsigned long type)
{
	/* "none": valgrind reads what the kernel ignores */
	REQUIRE(!mount("none", path, "none", type, NULL));
}

/*
 * A namespace of the caller's own in which nothing propagates out, with an
 * empty tmpfs at SCENE_DIR; the caller stands in it.  Skips without privilege.
 */
static inline void scene_enter(void)
{
	static int home = -1;
	int ret, tries = 100000;
	cpu_set_t one;

	if (geteuid())
		SKIP("needs root");
	/*
	 * Some kernels hand out namespace ids in batches, one to each
	 * processor; on one processor they ascend.
	 */
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	REQUIRE(!sched_setaffinity(0, sizeof(one), &one));
	if (home < 0)
		home = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	REQUIRE(home >= 0);
	/*
	 * What the last test made goes with its last task.  A thread shares root
	 * and directory until a moment after pthread_join(3), and so long setns(2)
	 * is EINVAL.
	 */
	while ((ret = setns(home, CLONE_NEWNS)) && errno == EINVAL && tries--)
		sched_yield();
	REQUIRE(!ret);
	scene_mkdir("/tmp");
	scene_mkdir(SCENE_DIR);
	REQUIRE(!unshare(CLONE_NEWNS));
	scene_type("/", MS_REC | MS_PRIVATE);
	scene_tmpfs(SCENE_DIR, "scene");
	REQUIRE(!chdir(SCENE_DIR));
}

/*
 * A copy of the caller's namespace, or with other flags of its own.  fn runs
 * in it first; NULL: nothing does.
 */
static inline struct holder scene_hold(unsigned long flags,
				       int (*fn)(void *data), void *data)
{
	struct holder h = { .ns = -1 };
	char path[64], c = 1;
	int p[2];

	REQUIRE(!pipe2(p, O_CLOEXEC));
	h.pid = fork();
	REQUIRE(h.pid >= 0);
	if (!h.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		c = 0;
		if (mc_unshare(flags))
			c = (char)errno;
		else if (fn)
			c = (char)fn(data);
		if (write(p[1], &c, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(p[1]);
	if (read(p[0], &c, 1) != 1)
		c = 127;
	close(p[0]);
	if (c) {
		TAP_SAY("a namespace could not be set up: %d (%s)", c,
			strerror(c));
		kill(h.pid, SIGKILL);
		waitpid(h.pid, NULL, 0);
		REQUIRE(!"scene_hold");
	}
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)h.pid);
	h.ns = open(path, O_RDONLY | O_CLOEXEC);
	REQUIRE(h.ns >= 0);
	return h;
}

static inline void scene_release(struct holder *h)
{
	kill(h->pid, SIGKILL);
	waitpid(h->pid, NULL, 0);
	close(h->ns);
	h->pid = 0;
}

/* Run fn in the namespace of ns; returns what it returned (0 to 127). */
static inline int scene_in(int ns, int (*fn)(void *data), void *data)
{
	int status;
	pid_t pid = fork();

	REQUIRE(pid >= 0);
	if (!pid) {
		if (setns(ns, CLONE_NEWNS))
			_exit(127);
		_exit(fn(data) & 127);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

#endif /* SCENE_H */
