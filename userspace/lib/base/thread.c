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
};

/*
 * With a root and directory of its own: setns(2) into a mount namespace fails where
 * they are shared, and who is joined may not have let go of them yet.
 */
static void *start(void *data)
{
	struct start *s = data;

	if (unshare(CLONE_FS))
		s->err = errno;
	else
		s->fn(s->data);
	return NULL;
}

int mc_in_thread(void *(*fn)(void *), void *data)
{
	struct start s = { fn, data, 0 };
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
	return s.err;
}
