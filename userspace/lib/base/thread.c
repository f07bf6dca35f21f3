// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A thread for what changes root, directory or mount namespace of who does it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include "base/base.h"

struct start {
	void *(*fn)(void *data);
	void *data;
	int err;
	pid_t tid;
};

/*
 * With a root and directory of its own: setns(2) into a mount namespace fails where
 * they are shared, and who is joined may not have let go of them yet.
 */
static void *start(void *data)
{
	struct start *s = data;

	s->tid = gettid();
	if (unshare(CLONE_FS))
		s->err = errno;
	else
		s->fn(s->data);
	return NULL;
}

/* So often; longer only if another thread of the caller's has got the same id. */
#define LOOKS	100000

void mc_thread_gone(pid_t tid)
{
	int err = errno, i;

	for (i = 0; i < LOOKS && !tgkill(getpid(), tid, 0); i++)
		sched_yield();
	errno = err;
}

int mc_in_thread(void *(*fn)(void *), void *data)
{
	struct start s = { .fn = fn, .data = data };
	sigset_t all, old;
	pthread_t thread;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&thread, NULL, start, &s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		return err;
	pthread_join(thread, NULL);
	mc_thread_gone(s.tid);
	return s.err;
}
