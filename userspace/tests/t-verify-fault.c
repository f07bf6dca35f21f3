// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Events are compared with each call and each allocation failing in turn, those of the
 * helpers among them: nothing stays mounted.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#define EACH_CALL_FORKS

#include "base/base.h"
#include "checked.h"
#include "each-call.h"

/* Of a helper that cannot say what is wrong nobody knows more than that it has ended. */
static bool talk_fails;

ssize_t __real_send(int fd, const void *p, size_t n, int flags);
ssize_t __wrap_send(int fd, const void *p, size_t n, int flags);
ssize_t __wrap_send(int fd, const void *p, size_t n, int flags)
{
	return talk_fails && fails("send") ? -1 : __real_send(fd, p, n, flags);
}

/* What was sent is lost: whoever sent it, and goes on by itself, makes no call meanwhile. */
ssize_t __real_recv(int fd, void *p, size_t n, int flags);
ssize_t __wrap_recv(int fd, void *p, size_t n, int flags);
ssize_t __wrap_recv(int fd, void *p, size_t n, int flags)
{
	ssize_t got = __real_recv(fd, p, n, flags);

	return talk_fails && fails("recv") ? -1 : got;
}

/* As a whole: t-capture-fault has its calls. */
int __real_mntcr_capture(const struct mntcr_source *sources, size_t nr,
			 const struct mntcr_capture_options *opts,
			 struct mntcr_topology **topo, struct mntcr_error *e);
int __wrap_mntcr_capture(const struct mntcr_source *sources, size_t nr,
			 const struct mntcr_capture_options *opts,
			 struct mntcr_topology **topo, struct mntcr_error *e);
int __wrap_mntcr_capture(const struct mntcr_source *sources, size_t nr,
			 const struct mntcr_capture_options *opts,
			 struct mntcr_topology **topo, struct mntcr_error *e)
{
	long left = faults->left;
	int ret;

	if (fails("mntcr_capture"))
		return mc_fail(e, MNTCR_SYS, errno, "capture");
	faults->left = -1;
	ret = __real_mntcr_capture(sources, nr, opts, topo, e);
	faults->left = left < 0 ? left : left - 1;
	return ret;
}

/* A file, too: only a file covers it. */
static void build(void)
{
	put("at", "");
	TRY(mount("at", "at", NULL, MS_BIND, NULL));
}

static pid_t pid[2];
static size_t nr_events, nr_then, left_out;

static void say(void *data, const char *line)
{
	TAP_SAY("%s", line);
}

static void count_left_out(void *data, const char *line)
{
	left_out++;
}

static int compare(struct mntcr_error *e)
{
	const struct mntcr_source s[] = {
		{ .type = MNTCR_SOURCE_PID, .pid = pid[0] },
		{ .type = MNTCR_SOURCE_PID, .pid = pid[1] },
	};
	const struct mntcr_verify_options o = {
		.size = sizeof(o), .report = say, .left_out = count_left_out,
	};
	size_t nr = 0;
	int ret;

	nr_then = left_out = 0;
	ret = mntcr_verify_events(&s[0], 1, &s[1], 1, &o, &nr_then, &nr, e);
	if (!ret)
		CHECK_EQ(nr, 0);
	return ret;
}

static void each_event_or_it_is_said(void)
{
	CHECK_EQ(nr_then + left_out, nr_events);
}

static void events(void)
{
	static const struct job j = { "events", compare, each_event_or_it_is_said };
	struct mntcr_error e = { 0 };

	if (compare(&e))
		TAP_SAY("%s", e.text);
	/* of the root, mountinfo would show nothing that is below it */
	nr_events = nr_then + left_out;
	CHECK_EQ(nr_events, 2);
	CHECK(nr_then);
	each_call(&j, 60);
	talk_fails = true;
	each_call_by(&j, ENOBUFS, 60);
}

int main(void)
{
	int i;

	each_call_start();
	make_host();
	for (i = 0; i < 2; i++) {
		pid[i] = make_container(build);
		snprintf(watched[i], sizeof(watched[i]), "%d/mountinfo", pid[i]);
	}
	TAP_RUN(events);
	end(pid[0]);
	end(pid[1]);
	return tap_done();
}
