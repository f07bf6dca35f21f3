/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rounds of calls that meet one another: workers that are processes of their own,
 * share the descriptors with the test, and begin a round together.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef __SELFTEST_MOUNT_ROUNDS_H
#define __SELFTEST_MOUNT_ROUNDS_H

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "../mount_members.h"
#include "../../kselftest_harness.h"
#include "mount_overlaps.h"

#define MAX_WORKERS	6
#define MAX_SECONDS	5
#define QUIT		(~0U)

/* What the test tells its workers, and what they answer. */
struct team {
	unsigned int round;	/* the one that runs */
	unsigned int over;	/* the last one that nothing is to be begun in */
	unsigned int nr_done;
	struct worker_result {
		int ret;	/* of the last call, or the first one that is wrong */
		unsigned int nr_ok, nr_refused;
	} result[MAX_WORKERS];
};

struct work {
	const char *name;
	/* 0 and errors that are accepted are results, anything else ends it */
	int (*step)(const struct team *team, unsigned int round);
	int accept[4];
	bool again;		/* over and over until the round is over */
	bool always;		/* whether there is a round or not */
	const struct actor *as;	/* NULL: the test as it is */
};

/* A team at work. */
struct rounds {
	struct team *team;
	const struct work *works;
	int nr, nr_in_rounds;
	pid_t pids[MAX_WORKERS];
};

static inline bool accepted(const struct work *work, int ret)
{
	if (ret >= 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(work->accept); i++) {
		if (work->accept[i] && ret == -work->accept[i])
			return true;
	}
	return false;
}

static inline void work_on(struct team *team, const struct work *work,
			   struct worker_result *result)
{
	unsigned int round = 0, next;

	for (;;) {
		while ((next = __atomic_load_n(&team->round, __ATOMIC_ACQUIRE)) == round &&
		       !work->always)
			sched_yield();
		if (next == QUIT)
			_exit(0);
		round = next;
		do {
			int ret = work->step(team, round);

			result->ret = ret;
			if (!accepted(work, ret))
				break;
			if (ret < 0)
				result->nr_refused++;
			else
				result->nr_ok++;
		} while (work->again &&
			 __atomic_load_n(&team->over, __ATOMIC_ACQUIRE) != round);
		if (!work->always)
			__atomic_add_fetch(&team->nr_done, 1, __ATOMIC_RELEASE);
		else if (!accepted(work, result->ret))
			_exit(1);
	}
}

/* They share the descriptors with the test, and end with it. */
static inline int team_start(struct rounds *self, const struct work *works, int nr)
{
	self->works = works;
	self->nr = nr;
	sides = shared_memory(MAX_SIDES * sizeof(*sides));
	if (!sides)
		return -ENOMEM;
	for (int i = 0; i < nr; i++) {
		sides[i].name = works[i].name;
		self->nr_in_rounds += !works[i].always;
		self->pids[i] = actor_fork(works[i].as ?: &this_test);
		if (self->pids[i] < 0)
			return -errno;
		if (!self->pids[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			own_side = i;
			work_on(self->team, &works[i], &self->team->result[i]);
		}
	}
	return 0;
}

static inline void round_begin(struct rounds *self, unsigned int round)
{
	self->team->nr_done = 0;
	__atomic_store_n(&self->team->round, round, __ATOMIC_RELEASE);
}

/* 0, or the first result that is not accepted. */
static inline int round_end(struct rounds *self, unsigned int round)
{
	const struct team *team = self->team;

	__atomic_store_n(&self->team->over, round, __ATOMIC_RELEASE);
	while ((int)__atomic_load_n(&team->nr_done, __ATOMIC_ACQUIRE) < self->nr_in_rounds)
		sched_yield();
	for (int i = 0; i < self->nr; i++) {
		int ret = team->result[i].ret;

		if (accepted(&self->works[i], ret))
			continue;
		fprintf(stderr, "# round %u, %s: %s\n", round, self->works[i].name,
			strerror(-ret));
		return ret;
	}
	return 0;
}

/* The test is a side of its own from now on. */
static inline void take_part(struct rounds *self, const char *name)
{
	own_side = self->nr;
	sides[own_side].name = name;
}

/* 0 if all of them have come to their end. */
static inline int team_stop(struct rounds *self, struct __test_metadata *_metadata)
{
	int status, err = 0;

	__atomic_store_n(&self->team->round, QUIT, __ATOMIC_RELEASE);
	for (int i = 0; i < self->nr; i++) {
		if (waitpid(self->pids[i], &status, 0) != self->pids[i] || status)
			err = -ECHILD;
	}
	say_overlaps(_metadata);
	return err;
}

/* A while that is another one in each round, up to some microseconds. */
static inline void dawdle(unsigned int round, unsigned int factor)
{
	for (unsigned int i = round * factor % 64; i; i--)
		syscall(__NR_getppid);
}

static inline void spin(int nr)
{
	while (nr-- > 0)
		syscall(__NR_getppid);
}

static inline bool too_long(const struct timespec *begin)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - begin->tv_sec >= MAX_SECONDS;
}

static inline unsigned int nr_calls(const struct worker_result *result)
{
	return __atomic_load_n(&result->nr_ok, __ATOMIC_RELAXED) +
	       __atomic_load_n(&result->nr_refused, __ATOMIC_RELAXED);
}

/* Until each of them has made @nr more calls, or one has given up. */
static inline void let_work(const struct team *team, int nr_workers, unsigned int nr)
{
	unsigned int before[MAX_WORKERS];

	for (int i = 0; i < nr_workers; i++)
		before[i] = nr_calls(&team->result[i]);
	for (int i = 0; i < nr_workers; i++) {
		while (nr_calls(&team->result[i]) - before[i] < nr &&
		       !__atomic_load_n(&team->nr_done, __ATOMIC_ACQUIRE))
			sched_yield();
	}
}

#endif /* __SELFTEST_MOUNT_ROUNDS_H */
