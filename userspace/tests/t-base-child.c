// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Helper processes of the library: the caller does not notice them, and those
 * of one thread do not wait for those of another.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <dirent.h>
#include <pthread.h>

#include "mntcr.h"
#include "base/base.h"
#include "scene.h"

#define LOOPS	30
#define THREADS	8

static volatile sig_atomic_t nr_signals;
static struct holder a, b;

static void count(int sig)
{
	nr_signals++;
}

/* Every call that has helpers; what failed, or NULL. */
static const char *all_helpers(void)
{
	const struct mntcr_capture_options opts = {
		.size = sizeof(opts),
		.method = MNTCR_METHOD_MOUNTINFO,
	};
	struct mntcr_source x = { .type = MNTCR_SOURCE_FD, .fd = a.ns };
	struct mntcr_source y = { .type = MNTCR_SOURCE_FD, .fd = b.ns };
	struct mntcr_feature f[MNTCR_NR_FEATURES];
	struct mntcr_topology *t;
	struct mntcr_error e;
	size_t events, nr = 1;

	if (mntcr_capture(&x, 1, &opts, &t, &e))
		return "capture";
	mntcr_topology_free(t);
	if (mntcr_features(f, MNTCR_NR_FEATURES, &e) ||
	    f[MNTCR_FEAT_EMPTY_MNTNS].state == MNTCR_FEATURE_UNKNOWN)
		return "features";
	if (mntcr_verify_events(&x, 1, &y, 1, NULL, &events, &nr, &e) || nr)
		return "verify_events";
	return events ? NULL : "no event";
}

/* A root and one mount: an event each. */
static int few_mounts(void *data)
{
	if (mount("root", SCENE_DIR, "tmpfs", 0, NULL) || chdir(SCENE_DIR) ||
	    mkdir("old", 0755) || syscall(SYS_pivot_root, ".", "old") ||
	    umount2("/old", MNT_DETACH) || chdir("/") ||
	    mount("t", "/old", "tmpfs", 0, NULL))
		return errno;
	return 0;
}

static void enter(void)
{
	scene_enter();
	a = scene_hold(CLONE_NEWNS, few_mounts, NULL);
	b = scene_hold(CLONE_NEWNS, few_mounts, NULL);
}

static void leave(void)
{
	scene_release(&a);
	scene_release(&b);
}

static void no_signal_tells_of_them(void)
{
	struct sigaction act = { .sa_handler = count }, old;
	const char *failed;

	enter();
	REQUIRE(!sigaction(SIGCHLD, &act, &old));
	nr_signals = 0;
	failed = all_helpers();
	sigaction(SIGCHLD, &old, NULL);
	CHECK_STR(failed ? failed : "", "");
	CHECK_EQ(nr_signals, 0);
	leave();
}

static void they_can_be_waited_for_where_others_cannot(void)
{
	struct sigaction act = { .sa_handler = SIG_IGN }, old;
	const char *failed;

	enter();
	REQUIRE(!sigaction(SIGCHLD, &act, &old));
	failed = all_helpers();
	sigaction(SIGCHLD, &old, NULL);
	CHECK_STR(failed ? failed : "", "");
	leave();
}

struct job {
	int err;	/* what it returns */
	bool die;
	int fd;
	long sum;
};

static int do_job(void *data)
{
	struct job *j = data;

	if (j->die)
		raise(SIGKILL);
	j->fd = open("/", O_PATH | O_CLOEXEC);
	j->sum += 42;
	return j->err;
}

static void what_one_has_opened_and_written_is_here(void)
{
	struct job j = { .fd = -1, .sum = -2 };

	CHECK(!mc_child_task(do_job, &j, sizeof(j), -1));
	CHECK_EQ(j.sum, 40);
	CHECK(fcntl(j.fd, F_GETFD) >= 0);
	close(j.fd);
	/* an errno that no exit status holds, as some architectures have */
	j.err = 1133;
	CHECK(mc_child_task(do_job, &j, sizeof(j), -1) == -1 && errno == 1133);
	CHECK_EQ(j.sum, 82);
	close(j.fd);
	j.die = true;
	CHECK(mc_child_task(do_job, &j, sizeof(j), -1) == -1 && errno == EIO);
	CHECK_EQ(j.sum, 82);
}

static volatile bool done;

/* What a caller does that has children of its own. */
static void *reap(void *data)
{
	long *reaped = data;

	while (!done)
		if (waitpid(-1, NULL, WNOHANG) > 0)
			++*reaped;
	return NULL;
}

static void a_caller_that_reaps_does_not_get_them(void)
{
	const char *failed = NULL;
	pthread_t thread;
	long reaped = 0;
	int i;

	enter();
	done = false;
	REQUIRE(!pthread_create(&thread, NULL, reap, &reaped));
	for (i = 0; i < LOOPS && !failed; i++)
		failed = all_helpers();
	done = true;
	pthread_join(thread, NULL);
	CHECK_STR(failed ? failed : "", "");
	CHECK_EQ(reaped, 0);
	leave();
}

static void *capture_often(void *data)
{
	const struct mntcr_capture_options opts = {
		.size = sizeof(opts),
		.method = MNTCR_METHOD_MOUNTINFO,
	};
	struct mntcr_source x = { .type = MNTCR_SOURCE_FD, .fd = a.ns };
	struct mntcr_topology *t;
	struct mntcr_error e;
	int i;

	for (i = 0; i < LOOPS; i++) {
		if (mntcr_capture(&x, 1, &opts, &t, &e))
			return (void *)1;
		mntcr_topology_free(t);
	}
	return NULL;
}

static void threads_capture_at_the_same_time(void)
{
	pthread_t threads[THREADS];
	void *failed;
	int i;

	enter();
	alarm(120);	/* instead of forever */
	for (i = 0; i < THREADS; i++)
		REQUIRE(!pthread_create(&threads[i], NULL, capture_often, NULL));
	for (i = 0; i < THREADS; i++) {
		REQUIRE(!pthread_join(threads[i], &failed));
		CHECK(!failed);
	}
	alarm(0);
	leave();
}

static void *nothing(void *data)
{
	return NULL;
}

static unsigned int tasks(void)
{
	DIR *d = opendir("/proc/self/task");
	struct dirent *e;
	unsigned int n = 0;

	REQUIRE(d);
	while ((e = readdir(d)))
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

/* A task that lingers would be found in the namespace that it was in. */
static void a_thread_is_gone_when_it_has_been_waited_for(void)
{
	struct mc_worker *w;
	unsigned int i, n = tasks();

	for (i = 0; i < 1000; i++) {
		REQUIRE(!mc_in_thread(nothing, NULL));
		REQUIRE(tasks() == n);
		w = mc_worker_new();
		REQUIRE(w);
		mc_worker_end(w);
		REQUIRE(tasks() == n);
	}
}

int main(void)
{
	TAP_RUN(a_thread_is_gone_when_it_has_been_waited_for);
	TAP_RUN(no_signal_tells_of_them);
	TAP_RUN(they_can_be_waited_for_where_others_cannot);
	TAP_RUN(a_caller_that_reaps_does_not_get_them);
	TAP_RUN(what_one_has_opened_and_written_is_here);
	TAP_RUN(threads_capture_at_the_same_time);
	return tap_done();
}
