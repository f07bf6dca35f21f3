// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A thread that lasts, for what has to happen at different times in one whose root,
 * directory and mount namespace nobody else has.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>

#include "base/base.h"

struct mc_worker {
	pthread_t thread;
	pid_t tid;
	sem_t go, done;
	void (*fn)(void *data);	/* NULL: end */
	void *data;
};

static void wait_for(sem_t *sem)
{
	while (sem_wait(sem) && errno == EINTR)
		;
}

static void *work(void *data)
{
	struct mc_worker *w = data;

	w->tid = gettid();
	for (;;) {
		wait_for(&w->go);
		if (!w->fn)
			return NULL;
		w->fn(w->data);
		sem_post(&w->done);
	}
}

struct mc_worker *mc_worker_new(void)
{
	struct mc_worker *w = calloc(1, sizeof(*w));
	sigset_t all, old;
	int err;

	if (!w)
		return NULL;
	sem_init(&w->go, 0, 0);
	sem_init(&w->done, 0, 0);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&w->thread, NULL, work, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!err)
		return w;
	free(w);
	errno = err;
	return NULL;
}

void mc_worker_run(struct mc_worker *w, void (*fn)(void *data), void *data)
{
	w->fn = fn;
	w->data = data;
	sem_post(&w->go);
	wait_for(&w->done);
}

void mc_worker_end(struct mc_worker *w)
{
	if (!w)
		return;
	w->fn = NULL;
	sem_post(&w->go);
	pthread_join(w->thread, NULL);
	mc_thread_gone(w->tid);
	sem_destroy(&w->go);
	sem_destroy(&w->done);
	free(w);
}
