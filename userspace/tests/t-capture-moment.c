// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Twenty namespaces change without a pause while they are captured.  What comes out is
 * what there was at one moment, or it is said that they would not hold still.
 *
 * The changer goes round: it mounts once more at one place in the first namespace, in
 * the second, and so on, some rounds long; then it unmounts in the same order.  So at
 * any moment the namespaces up to one of them have n of these mounts, and those after
 * it n - 1, or n + 1.  Namespaces that were read in different rounds do not.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>

#include "mntcr.h"
#include "base/base.h"
#include "method.h"
#include "scene.h"
#include "topology/topology.h"

#define NR_NS		20
#define DEPTH		3
#define NR_IMAGES	30
#define SECONDS		(UNDER_ASAN ? 4 : 8)	/* for as many as come out by then */

static enum mntcr_method method;

static struct {
	_Atomic unsigned int steps;
	_Atomic unsigned int pause;	/* us between two steps */
} *shared;

static void step(int ns, bool up)
{
	int ret = setns(ns, CLONE_NEWNS);

	while (!ret) {
		ret = up ? mount(SCENE_DIR "/from", SCENE_DIR "/at", NULL, MS_BIND, NULL) :
			   umount2(SCENE_DIR "/at", 0);
		if (!ret)
			break;
		/* whoever captures is looking at it */
		if (errno == EBUSY)
			ret = 0;
	}
	if (ret) {
		TAP_SAY("the changer, %s: %s", up ? "mounting" : "unmounting", strerror(errno));
		fflush(stdout);
		_exit(1);
	}
	shared->steps++;
	if (shared->pause)
		usleep(shared->pause);
}

static pid_t changer(const struct holder *h)
{
	pid_t pid = fork();
	unsigned int round, n;

	REQUIRE(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		for (round = 0; round < 2 * DEPTH; round++)
			for (n = 0; n < NR_NS; n++)
				step(h[n].ns, round < DEPTH);
}

/* How many there are at the place, in each namespace. */
static void count(const struct mc_topology *t, unsigned int there[NR_NS])
{
	uint32_t i;

	memset(there, 0, NR_NS * sizeof(*there));
	for (i = 0; i < t->nr_mounts; i++)
		there[t->mounts[i].ns] += !strcmp(t->mounts[i].root, "/from");
}

static bool at_one_moment(const unsigned int there[NR_NS])
{
	unsigned int n, edges = 0;

	for (n = 1; n < NR_NS; n++) {
		unsigned int a = there[n - 1], b = there[n];

		if (a == b)
			continue;
		if (edges++ || (a != b + 1 && b != a + 1))
			return false;
	}
	return there[0] <= DEPTH;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

/* Returns how many of them came out. */
static unsigned int images(const struct mntcr_source *src, unsigned int pause,
			   pid_t pid)
{
	struct mntcr_capture_options o = { .size = sizeof(o), .method = method };
	unsigned int there[NR_NS], i, n, made = 0;
	double start = now();
	int status = 0;

	shared->pause = pause;
	for (i = 0; i < NR_IMAGES && now() - start < SECONDS; i++) {
		struct mntcr_topology *t = NULL;
		unsigned int before = shared->steps;
		struct mntcr_error e;

		/* it goes on changing while nothing is captured, too */
		while (shared->steps == before) {
			if (waitpid(pid, &status, WNOHANG)) {
				TAP_SAY("the changer ended: status %#x", status);
				REQUIRE(!"it changes");
			}
			sched_yield();
		}
		if (mntcr_capture(src, NR_NS, &o, &t, &e)) {
			CHECK_EQ(e.code, MNTCR_CHANGED);
			if (!strstr(e.text, "changed"))
				TAP_SAY("%s", e.text);
			continue;
		}
		count(t, there);
		if (!at_one_moment(there)) {
			for (n = 0; n < NR_NS; n++)
				TAP_SAY("namespace %u: %u", n, there[n]);
			CHECK(!"at one moment");
		}
		made++;
		mntcr_topology_free(t);
	}
	TAP_SAY("%u us between two changes: %u of %u images, %.1f s", pause, made, i,
		now() - start);
	return made;
}

static void never_a_mixture(void)
{
	struct mntcr_source src[NR_NS] = { 0 };
	static const unsigned int pauses[] = { 0, 100, 1000, 10000, 100000, 1000000 };
	unsigned int n, made = 0;
	struct holder h[NR_NS];
	pid_t pid;
	size_t i;

	if (method == MNTCR_METHOD_STATMOUNT && !has_statmount())
		SKIP("this kernel lacks the method");
	scene_enter();
	scene_mkdir("from");
	scene_mkdir("at");
	for (n = 0; n < NR_NS; n++) {
		h[n] = scene_hold(CLONE_NEWNS, NULL, NULL);
		src[n].type = MNTCR_SOURCE_FD;
		src[n].fd = h[n].ns;
	}
	pid = changer(h);
	for (i = 0; i < MC_ARRAY_SIZE(pauses) && !made; i++)
		made = images(src, pauses[i], pid);
	/* or there was nothing to prove */
	CHECK(made);
	kill(pid, SIGKILL);
	REQUIRE(waitpid(pid, NULL, 0) == pid);
	for (n = 0; n < NR_NS; n++)
		scene_release(&h[n]);
}

static void by_statmount(void)
{
	method = MNTCR_METHOD_STATMOUNT;
	never_a_mixture();
}

static void by_mountinfo(void)
{
	method = MNTCR_METHOD_MOUNTINFO;
	never_a_mixture();
}

int main(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	TAP_RUN(by_statmount);
	TAP_RUN(by_mountinfo);
	return tap_done();
}
