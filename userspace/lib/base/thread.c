// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A thread for what changes root, directory or mount namespace of who does it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <pthread.h>
#include <signal.h>

#include "base/base.h"

int mc_in_thread(void *(*fn)(void *), void *data)
{
	sigset_t all, old;
	pthread_t thread;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&thread, NULL, fn, data);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!err)
		pthread_join(thread, NULL);
	return err;
}
