/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Run a function in a child that is killed, or gets another signal, when the nth system
 * call has returned in it, in one of its threads or in a process that it started.  It is
 * always the child that is killed, with its threads, whoever made the call: the processes
 * that it started go on by themselves.  That one of them is killed alone is not tried here.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TESTS_KILLED_H
#define TESTS_KILLED_H

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

struct killed {
	pid_t pid;
	long left;		/* calls until it is killed; -1: it is */
	long calls_left;	/* the same when it has come to its end */
	bool done;		/* it came to its end before that */
	int status;
};

/* Entry or exit? */
static inline bool killed_at_exit(pid_t pid)
{
	struct __ptrace_syscall_info info = { 0 };
	long n = ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info);

	return n > 0 && info.op == PTRACE_SYSCALL_INFO_EXIT;
}

static int killed_by = SIGKILL;

static inline void killed_stopped(struct killed *k, pid_t pid, int status)
{
	int sig = WSTOPSIG(status);

	if (sig == (SIGTRAP | 0x80)) {
		sig = 0;
		if (k->left >= 0 && killed_at_exit(pid) && !k->left--)
			kill(k->pid, killed_by);
	} else if (sig == SIGTRAP || sig == SIGSTOP) {
		sig = 0;
	}
	/* what it leaves behind goes on, until who traces it ends */
	ptrace(k->left < 0 ? PTRACE_CONT : PTRACE_SYSCALL, pid, NULL, (void *)(long)sig);
}

static inline void killed_sleep(long ms)
{
	const struct timespec ts = { .tv_nsec = ms * 1000000 };

	nanosleep(&ts, NULL);
}

/* How long it waits for what is left behind. */
static long killed_patience = 10000;

/*
 * Everything that it started has ended, by itself and in time; false: not so, and it is
 * killed when this process ends (PTRACE_O_EXITKILL).
 */
static inline bool killed_alone(struct killed *k)
{
	bool alone = true;
	pid_t pid;
	long ms;
	int status;

	for (ms = 0; ms < killed_patience; ms++) {
		pid = waitpid(-1, &status, __WALL | WNOHANG);
		if (pid < 0)
			return alone;
		if (!pid)
			killed_sleep(1);
		else if (WIFSTOPPED(status))
			killed_stopped(k, pid, status);
		else if (pid == k->pid)
			k->status = status;
	}
	TAP_SAY("a process is left");
	return false;
}

static inline bool killed_here(struct killed *k, int (*fn)(void *data), void *data)
{
	int status;
	pid_t pid;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		return false;
	pid = fork();
	if (!pid) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) || raise(SIGSTOP))
			_exit(99);
		_exit(fn(data) ? 1 : 0);
	}
	k->pid = pid;
	if (waitpid(k->pid, &status, 0) != k->pid || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, k->pid, NULL,
		   (void *)(PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE |
			    PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK)) ||
	    ptrace(PTRACE_SYSCALL, k->pid, NULL, NULL))
		return false;
	while (k->left >= 0) {
		pid = waitpid(-1, &status, __WALL);
		if (pid < 0)
			return false;
		if (WIFSTOPPED(status)) {
			killed_stopped(k, pid, status);
		} else if (pid == k->pid) {
			k->done = true;
			k->status = status;
			break;
		}
	}
	k->calls_left = k->left;
	k->left = -1;
	return killed_alone(k);
}

/*
 * @n: how many system calls return before the one that is its last.  What traces it is a
 * process of its own, so that the caller may have other children.
 */
static inline bool killed_run(struct killed *k, int (*fn)(void *data), void *data, long n)
{
	struct killed *shared;
	int status;
	pid_t pid;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(shared != MAP_FAILED);
	shared->left = n;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		status = killed_here(shared, fn, data);
		fflush(stdout);
		_exit(!status);
	}
	REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid);
	*k = *shared;
	munmap(shared, sizeof(*shared));
	return !status;
}

#endif /* TESTS_KILLED_H */
