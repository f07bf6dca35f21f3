// SPDX-License-Identifier: GPL-2.0
/*
 * One test: a mount namespace of its own, a time limit, no survivors.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "init.h"

#define EXIT_SKIP	4		/* KSFT_SKIP */
#define EXIT_SETUP	125

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void child(const struct test *t, int out)
{
	int null;

	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 ||
	    dup2(out, 2) < 0)
		_exit(EXIT_SETUP);
	if (setsid() < 0 || unshare(CLONE_NEWNS)) {
		perror("# unshare");
		_exit(EXIT_SETUP);
	}
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin", 1);
	setenv("HOME", "/root", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	setenv("VM_TEST", t->name, 1);
	if (chdir("/root"))
		perror("# /root");
	execvp(t->argv[0], t->argv);
	fprintf(stderr, "# %s: %s\n", t->argv[0], strerror(errno));
	_exit(EXIT_SETUP);
}

/* Returns the number of bytes passed on, 0 at the end of the pipe. */
static ssize_t pass_on(int fd)
{
	char buf[4096];
	ssize_t n;

	do {
		n = read(fd, buf, sizeof(buf));
	} while (n < 0 && errno == EINTR);
	if (n > 0)
		out_child(buf, n);
	return n;
}

/* Returns 1 when the test ended by itself, 0 on time-out. */
static int watch(int pidfd, int out, long long deadline)
{
	struct pollfd p[2] = {
		{ .fd = pidfd, .events = POLLIN },
		{ .fd = out, .events = POLLIN },
	};

	for (;;) {
		long long left = deadline - now_ms();

		if (left <= 0)
			return 0;
		if (poll(p, 2, left) < 0 && errno != EINTR)
			return 0;
		if (p[1].revents && pass_on(out) <= 0)
			p[1].fd = -1;
		if (p[0].revents)
			return 1;
	}
}

static enum outcome judge(int status, char *why, size_t size)
{
	if (WIFSIGNALED(status)) {
		snprintf(why, size, "killed by signal %d", WTERMSIG(status));
		return OUTCOME_FAIL;
	}
	switch (WEXITSTATUS(status)) {
	case 0:
		return OUTCOME_OK;
	case EXIT_SKIP:
		return OUTCOME_SKIP;
	}
	snprintf(why, size, "exit status %d", WEXITSTATUS(status));
	return OUTCOME_FAIL;
}

enum outcome run_test(const struct test *t, char *why, size_t size)
{
	int pipefd[2], pidfd, status, ended;
	long long start = now_ms();
	enum outcome o = OUTCOME_FAIL;
	pid_t pid;

	if (pipe2(pipefd, O_CLOEXEC)) {
		snprintf(why, size, "pipe: %s", strerror(errno));
		return OUTCOME_FAIL;
	}
	pid = fork();
	if (!pid)
		child(t, pipefd[1]);
	close(pipefd[1]);
	if (pid < 0) {
		snprintf(why, size, "fork: %s", strerror(errno));
		goto out;
	}
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0) {
		snprintf(why, size, "pidfd_open: %s", strerror(errno));
		kill(-1, SIGKILL);
		goto out;
	}
	ended = watch(pidfd, pipefd[0], start + t->timeout * 1000LL);
	close(pidfd);
	/* every process but this one: nothing of a test outlives it */
	kill(-1, SIGKILL);
	if (waitpid(pid, &status, 0) != pid) {
		snprintf(why, size, "waitpid: %s", strerror(errno));
		goto out;
	}
	if (ended) {
		o = judge(status, why, size);
	} else {
		snprintf(why, size, "timeout after %u s", t->timeout);
		o = OUTCOME_TIMEOUT;
	}
	while (pass_on(pipefd[0]) > 0)
		;
out:
	out_child_end();
	while (waitpid(-1, &status, 0) > 0)
		;
	close(pipefd[0]);
	out_printf("# %s: %lld ms\n", t->name, now_ms() - start);
	return o;
}
