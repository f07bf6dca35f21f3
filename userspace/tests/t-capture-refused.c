// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is no namespace, may not be looked at, or takes more descriptors than there
 * are: a capture says so.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <sys/stat.h>

#include "base/base.h"
#include "topology/topology.h"
#include "method.h"
#include "scene.h"

static struct mntcr_source by_pid(pid_t pid)
{
	return (struct mntcr_source){ .type = MNTCR_SOURCE_PID, .pid = pid };
}

static void sources_that_are_not(void)
{
	struct mntcr_topology *t = NULL;
	struct mntcr_source src;
	struct mntcr_error e;
	pid_t pid;

	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid)
		_exit(0);
	REQUIRE(waitpid(pid, NULL, 0) == pid);
	src = by_pid(pid);
	CHECK(mntcr_capture(&src, 1, NULL, &t, &e) == -1);
	CHECK_EQ(e.code, MNTCR_SYS);
	CHECK_EQ(e.err, ESRCH);

	src = (struct mntcr_source){ .type = MNTCR_SOURCE_PATH };
	src.path = "/proc/self/ns/uts";
	CHECK(mntcr_capture(&src, 1, NULL, &t, &e) == -1);
	CHECK_EQ(e.code, MNTCR_USAGE);
	src.path = "/proc/self/status";
	CHECK(mntcr_capture(&src, 1, NULL, &t, &e) == -1);
	CHECK_EQ(e.code, MNTCR_USAGE);
	src.path = "/nonexistent\n";
	CHECK(mntcr_capture(&src, 1, NULL, &t, &e) == -1);
	CHECK_EQ(e.err, ENOENT);
	CHECK(strstr(e.text, "/nonexistent\\012: No such file"));
	src = (struct mntcr_source){ .type = MNTCR_SOURCE_FD, .fd = 9999 };
	CHECK(mntcr_capture(&src, 1, NULL, &t, &e) == -1);
	CHECK_EQ(e.err, EBADF);
	CHECK(mntcr_capture(&src, 0, NULL, &t, &e) == -1);
	CHECK_EQ(e.code, MNTCR_USAGE);
	CHECK(!t);
}

/* With sanitizers they take minutes on some machines, and are no other ones. */
#define EVENTS	(UNDER_ASAN ? 4 : 15)

/* More namespaces than there may be descriptors. */
static void more_than_the_limit(void)
{
	static struct holder h[30];
	static struct mntcr_source src[30];
	static char path[30][40];
	struct mntcr_capture_options text = {
		.size = sizeof(text), .method = MNTCR_METHOD_MOUNTINFO,
	};
	struct mntcr_topology *t = NULL, *u = NULL;
	struct mntcr_verify_options vo = { .size = sizeof(vo) };
	struct rlimit old, low, now;
	struct mntcr_error e;
	size_t i, nr, nr_events;
	int ret, ret_text, ret_events;
	bool has;

	scene_enter();
	for (i = 0; i < 30; i++) {
		h[i] = scene_hold(CLONE_NEWNS, NULL, NULL);
		close(h[i].ns);
		h[i].ns = -1;
		snprintf(path[i], sizeof(path[i]), "/proc/%d/ns/mnt", h[i].pid);
		src[i].type = MNTCR_SOURCE_PATH;
		src[i].path = path[i];
	}
	has = has_statmount();
	REQUIRE(!getrlimit(RLIMIT_NOFILE, &old));
	low = old;
	low.rlim_cur = 24;
	REQUIRE(!setrlimit(RLIMIT_NOFILE, &low));
	ret = mntcr_capture(src, 30, NULL, &t, &e);
	if (ret)
		TAP_SAY("%s", e.text);
	ret_text = mntcr_capture(src, 30, &text, &u, &e);
	if (ret_text)
		TAP_SAY("%s", e.text);
	/* by mountinfo alone, each of them is entered for each event: too long */
	ret_events = !has ? 0 : mntcr_verify_events(src, EVENTS, src + 15, EVENTS, &vo,
						    &nr_events, &nr, &e);
	if (ret_events)
		TAP_SAY("%s", e.text);
	getrlimit(RLIMIT_NOFILE, &now);
	setrlimit(RLIMIT_NOFILE, &old);
	CHECK_EQ(ret, 0);
	CHECK_EQ(ret_text, 0);
	CHECK_EQ(ret_events, 0);
	CHECK_EQ(now.rlim_cur, 24);
	CHECK_EQ(now.rlim_max, old.rlim_max);
	CHECK(t && t->nr_ns == 30);
	CHECK(u && u->nr_ns == 30);
	mntcr_topology_free(t);
	mntcr_topology_free(u);
	for (i = 0; i < 30; i++)
		scene_release(&h[i]);
}

/* As nobody, of a namespace that root owns. */
static void without_privilege(void)
{
	static const enum mntcr_method methods[] = {
		MNTCR_METHOD_STATMOUNT, MNTCR_METHOD_MOUNTINFO,
	};
	struct mntcr_topology *t = NULL;
	struct mntcr_source src;
	struct mntcr_error e;
	struct holder h;
	int status;
	size_t i;
	pid_t pid;

	scene_enter();
	h = scene_hold(CLONE_NEWNS, NULL, NULL);
	src = (struct mntcr_source){ .type = MNTCR_SOURCE_FD, .fd = h.ns };
	for (i = 0; i < MC_ARRAY_SIZE(methods); i++) {
		struct mntcr_capture_options opts = {
			.size = sizeof(opts), .method = methods[i],
		};
		bool lacking = methods[i] == MNTCR_METHOD_STATMOUNT &&
			       !has_statmount();

		pid = fork();
		REQUIRE(pid >= 0);
		if (!pid) {
			if (setgid(65534) || setuid(65534))
				_exit(99);
			if (!mntcr_capture(&src, 1, &opts, &t, &e))
				_exit(98);
			if (e.code == MNTCR_SYS && e.err == EPERM)
				_exit(0);
			/* whichever is noticed first */
			_exit(lacking && e.code == MNTCR_UNSUPPORTED ? 0 : 97);
		}
		REQUIRE(waitpid(pid, &status, 0) == pid);
		CHECK_EQ(WEXITSTATUS(status), 0);
	}
	/* one's own, however, may be looked at */
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		src = by_pid(getpid());
		if (setgid(65534) || setuid(65534) || prctl(PR_SET_DUMPABLE, 1))
			_exit(99);
		if (mntcr_capture(&src, 1, NULL, &t, &e))
			_exit(e.err ? e.err : 98);
		_exit(t->nr_mounts > 1 ? 0 : 97);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(WEXITSTATUS(status), 0);
	scene_release(&h);
}

int main(void)
{
	TAP_RUN(sources_that_are_not);
	TAP_RUN(more_than_the_limit);
	TAP_RUN(without_privilege);
	return tap_done();
}
