// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a restore costs: system calls, and wake-ups of who watches.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <poll.h>
#include <sys/mman.h>

#include "shot.h"

static void cost(void (*fn)(void), double extended, double upstream)
{
	double most = api == MNTCR_API_EXTENDED ? extended : upstream, got;
	struct shot s = shoot(fn);
	struct mntcr_restored *r = restored(&s);
	const struct mntcr_stats *st = mntcr_restored_stats(r);
	uint32_t i;

	got = (double)st->nr_calls / st->nr_mounts;
	if (got > most) {
		TAP_SAY("%.3f calls a mount, not %.3f at most", got, most);
		for (i = 0; i < st->nr_call_names; i++)
			TAP_SAY("%s %llu", st->calls[i].name,
				(unsigned long long)st->calls[i].nr);
		tap.bad = 1;
	}
	same(&s, r, MNTCR_VERIFY_DEVICES | MNTCR_VERIFY_ORDER);
	end(&s, r);
}

static void calls_for_binds(void)
{
	cost(binds, 2.1, 2.15);
}

static void calls_for_deep_binds(void)
{
	cost(deep_binds, 3.1, 3.15);
}

static void calls_for_peers(void)
{
	cost(peers, 2.1, 3.15);
}

static void calls_for_a_chain(void)
{
	cost(chain, 3.1, 5.15);
}

static void calls_for_superblocks(void)
{
	/* without open_tree_attr(2), before Linux 6.15, another for its sharing */
	cost(superblocks, 4.1, mc_open_tree_attr(-1, "", 0, NULL, 0) &&
			       errno == ENOSYS ? 6.15 : 5.15);
}

static void calls_for_roots(void)
{
	cost(roots, 3.2, 3.2);
}

/*
 * Pollers of mountinfo, one in each new namespace.  They are real-time tasks on
 * the one processor, so none of what wakes them is taken together with the next.
 */
struct watch {
	uint64_t nr[WORLD_MAX_NS];
	pid_t pid[WORLD_MAX_NS];
	size_t nr_ns;
	bool exact;
};

static void watch_ns(volatile uint64_t *nr, int ns_fd, int ready)
{
	struct pollfd p = { .events = POLLPRI };

	if (setns(ns_fd, CLONE_NEWNS))
		_exit(1);
	p.fd = openat(world_proc_fd, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (p.fd < 0 || poll(&p, 1, 0) < 0 || write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		if (poll(&p, 1, -1) == 1)
			++*nr;
}

static void watch(void *data, const int *ns_fds, size_t nr)
{
	struct sched_param prio = { .sched_priority = 1 };
	struct watch *w = data;
	int ready[2];
	pid_t pid;
	size_t i;
	char c;

	w->exact = true;
	if (nr > WORLD_MAX_NS || pipe2(ready, O_CLOEXEC))
		return;
	for (i = 0; i < nr; i++) {
		pid = fork();
		if (!pid)
			watch_ns(&w->nr[i], ns_fds[i], ready[1]);
		if (pid < 0)
			break;
		w->pid[i] = pid;
		if (read(ready[0], &c, 1) != 1)
			break;
		w->exact &= !sched_setscheduler(pid, SCHED_FIFO, &prio);
		w->nr_ns++;
	}
	close(ready[0]);
	close(ready[1]);
}

/* The most that any namespace's poller was woken by a restore of s. */
static uint64_t wake_ups(struct shot *s)
{
	struct watch *w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct mntcr_restored *r;
	uint64_t most = 0;
	bool exact;
	size_t i;

	REQUIRE(w != MAP_FAILED);
	s->o.namespaces_made = watch;
	s->o.data = w;
	r = restored(s);
	REQUIRE(w->nr_ns == s->w.nr);
	exact = w->exact;
	for (i = 0; i < w->nr_ns; i++) {
		kill(w->pid[i], SIGKILL);
		CHECK_EQ(wd_wait_for(w->pid[i]), -1);
		/* what fills it is seen, or the poller saw nothing at all */
		CHECK(w->nr[i] || !exact);
		if (w->nr[i] > most)
			most = w->nr[i];
	}
	mntcr_restored_free(r);
	munmap(w, sizeof(*w));
	TAP_SAY("%s: %llu wake-ups%s", s->o.api == MNTCR_API_EXTENDED ?
		"extended" : "upstream", (unsigned long long)most,
		exact ? "" : " at least");
	return most;
}

/*
 * A namespace is filled before tasks may look into it: they are woken once, by
 * its root.  Where none is made empty it is filled while they look.
 */
static void woken(struct shot *s)
{
	struct mntcr_feature f[MNTCR_NR_FEATURES];
	uint64_t nr = wake_ups(s), most = 1;

	REQUIRE(!mntcr_features(f, MNTCR_NR_FEATURES, &s->e));
	if (f[MNTCR_FEAT_EMPTY_MNTNS].state != MNTCR_FEATURE_YES)
		most = 4 * (uint64_t)s->t->nr_mounts + 8;
	if (nr > most) {
		TAP_SAY("%llu at most", (unsigned long long)most);
		tap.bad = 1;
	}
	if (api == MNTCR_API_EXTENDED) {
		s->o.api = MNTCR_API_UPSTREAM;
		CHECK(nr <= wake_ups(s));
		s->o.api = api;
	}
	end(s, NULL);
}

static void all_slave(void)
{
	w_type("/", MS_REC | MS_SLAVE);
}

static void wakes_few(void)
{
	static void (*const shapes[])(void) = { binds, peers, chain };
	struct shot s;
	size_t i;

	for (i = 0; i < 3; i++) {
		s = shoot(shapes[i]);
		woken(&s);
	}
}

static void wakes_few_of_each(void)
{
	struct shot s = { .o = { .size = sizeof(s.o) } };

	need_api();
	world_add(&s.w, -1, peers);
	world_add(&s.w, 0, all_slave);
	world_add(&s.w, 1, all_slave);
	capture_fds(&s.w, s.src, &s.t);
	s.o.api = api;
	s.mounts = world_own_mounts();
	s.fds = world_own_fds();
	woken(&s);
}

static const struct shot_test tests[] = {
	{ "calls-for-binds", calls_for_binds },
	{ "calls-for-deep-binds", calls_for_deep_binds },
	{ "calls-for-peers", calls_for_peers },
	{ "calls-for-a-chain", calls_for_a_chain },
	{ "calls-for-superblocks", calls_for_superblocks },
	{ "calls-for-roots", calls_for_roots },
	{ "wakes-few", wakes_few },
	{ "wakes-few-of-each", wakes_few_of_each },
};

int main(int argc, char **argv)
{
	return shot_run(tests, sizeof(tests) / sizeof(tests[0]), argv);
}
