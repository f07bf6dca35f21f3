// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A cgroup that holds still, and goes on as it was when it is let go or when who
 * holds it is gone.
 *
 * A guard, a child outside of the cgroup, thaws it: when it is told to, or when its
 * parent has ended, however that was. What was frozen before stays frozen, and has no
 * guard: who has frozen it may thaw it, which is noticed.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#include "base/base.h"
#include "capture/capture.h"

#define DEFAULT_MS	10000
/*
 * The kernel puts off an event that follows another one by less than a hundredth of a
 * second (CGROUP_FILE_NOTIFY_MIN_INTV): after this none is to come of what has been.
 */
#define SETTLED_MS	30
#define LATE_MS		(5 * SETTLED_MS)	/* beyond the time limit, for that alone */

struct mntcr_freeze {
	int dir;		/* of the cgroup */
	int state;		/* cgroup.freeze */
	int events;		/* cgroup.events, read when it was frozen */
	int guard_end;		/* of the guard's socket */
	pid_t guard;		/* 0: there is nothing to thaw */
	uint64_t tasks;		/* which were in it when it was frozen, in any order */
	char name[256];		/* escaped */
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* --- who may not be in it ------------------------------------------------------------ */

struct own {
	struct mntcr_freeze *f;
	struct mntcr_error *e;
};

static int not_own(void *data, uint32_t tid, bool inner)
{
	const struct own *own = data;
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/task/%u", tid);
	if (access(path, F_OK))
		return 0;
	return mc_refuse(own->e, "caller-in-cgroup",
			 "cgroup %s: the caller is in it and would freeze itself",
			 own->f->name);
}

/* --- the guard ----------------------------------------------------------------------- */

/*
 * A session of its own: what ends all processes of the caller's group leaves it.
 * The process is watched as well as the socket, whose other end some child of the
 * caller may still hold.
 */
static void guard(const struct mntcr_freeze *f, int end, int parent)
{
	struct pollfd fds[] = {
		{ .fd = end, .events = POLLIN },
		{ .fd = parent, .events = POLLIN },
	};

	prctl(PR_SET_NAME, "mntcr-thaw");
	setsid();
	if (write(end, "", 1) != 1)
		_exit(1);
	while (poll(fds, 2, -1) < 0)
		;
	_exit(pwrite(f->state, "0", 1, 0) != 1);
}

/* When it has returned, the guard is watching. */
static int start_guard(struct mntcr_freeze *f, struct mntcr_error *e)
{
	int ends[2] = { -1, -1 }, self;
	char c;

	self = (int)syscall(__NR_pidfd_open, getpid(), 0);
	if (self < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		goto fail;
	f->guard = mc_child(0);
	if (!f->guard) {
		close(ends[0]);
		guard(f, ends[1], self);
	}
	if (f->guard < 0)
		goto fail;
	close(self);
	close(ends[1]);
	f->guard_end = ends[0];
	if (read(f->guard_end, &c, 1) == 1)
		return 0;
	return mc_fail(e, MNTCR_SYS, EIO, "cgroup %s: the guard has ended", f->name);
fail:
	f->guard = 0;
	mc_fail(e, MNTCR_SYS, errno, "cgroup %s: starting a guard", f->name);
	mc_close(self);
	mc_close(ends[0]);
	mc_close(ends[1]);
	return -1;
}

/* --- until it is frozen -------------------------------------------------------------- */

/* 1, 0, or -1 and errno. */
static int is_frozen(int events)
{
	char buf[256];
	const char *at;
	ssize_t n = pread(events, buf, sizeof(buf) - 1, 0);

	if (n < 0)
		return -1;
	buf[n] = '\0';
	at = strstr(buf, "frozen ");
	if (at)
		return at[7] == '1';
	errno = EOPNOTSUPP;
	return -1;
}

struct awake {
	struct mc_buf text;
	unsigned int nr, nr_inner;
};

/*
 * A frozen task sleeps as one that a signal wakes; what can't be frozen runs, or
 * waits for no signal.
 */
static int add_awake(void *data, uint32_t tid, bool inner)
{
	struct awake *a = data;
	char path[40], line[200], comm[100], *from, *to;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/stat", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
	mc_close(fd);
	if (n < 0)
		return 0;
	line[n] = '\0';
	from = strchr(line, '(');
	to = strrchr(line, ')');
	if (!from || !to || strlen(to) < 3 || (to[2] != 'R' && to[2] != 'D'))
		return 0;
	*to = '\0';
	a->nr_inner += inner;
	if (a->nr++ < 8)
		mc_buf_printf(&a->text, "%s%u (%s, state %c)", a->nr > 1 ? ", " : ": ",
			      tid, mc_escape(from + 1, comm, sizeof(comm)), to[2]);
	return 0;
}

static int not_frozen(struct mntcr_freeze *f, uint64_t ms, struct mntcr_error *e)
{
	struct awake a = { 0 };

	if (!cap_cgroup_tasks(f->dir, add_awake, &a, e))
		mc_refuse(e, "not-frozen",
			  "cgroup %s: not frozen after %" PRIu64
			  " ms; tasks that do not sleep: %u%s%s", f->name, ms, a.nr,
			  a.text.data ? a.text.data : "", a.nr > 8 ? ", ..." : "");
	mc_buf_free(&a.text);
	return -1;
}

/*
 * When the last cgroup below another one is frozen, the kernel takes the upper one
 * for frozen, whatever its own tasks do (cgroup_propagate_frozen()): these are
 * looked at.  1, 0, or -1 and an error.
 */
static int inner_tasks_sleep(struct mntcr_freeze *f, struct mntcr_error *e)
{
	struct awake a = { 0 };
	int ret = cap_cgroup_tasks(f->dir, add_awake, &a, e);

	mc_buf_free(&a.text);
	return ret ? -1 : !a.nr_inner;
}

/* Frozen, and all that has happened before is known. */
static int is_settled(int events)
{
	struct pollfd p = { .fd = events, .events = POLLPRI };
	int ret;

	do
		ret = poll(&p, 1, SETTLED_MS);
	while (ret < 0 && errno == EINTR);
	return ret < 0 ? -1 : !ret;
}

static int wait_for_it(struct mntcr_freeze *f, uint64_t ms, struct mntcr_error *e)
{
	struct pollfd events = { .events = POLLPRI };
	uint64_t end = now_ms() + ms, now;
	int frozen, sleep = -1, settled = 0;

	events.fd = f->events = openat(f->dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
	frozen = events.fd < 0 ? -1 : is_frozen(events.fd);
	while (frozen >= 0) {
		sleep = frozen ? inner_tasks_sleep(f, e) : 0;
		settled = sleep > 0 ? is_settled(events.fd) : 0;
		if (sleep < 0 || settled)
			break;
		now = now_ms();
		/* frozen in time, but for an event that was put off */
		if (now >= end + (sleep > 0 ? LATE_MS : 0)) {
			sleep = not_frozen(f, ms, e);
			break;
		}
		/* it says so already: no event tells when they do sleep */
		if (!sleep && poll(&events, 1, frozen ? 10 : (int)(end - now)) < 0 &&
		    errno != EINTR)
			frozen = -1;
		else
			frozen = is_frozen(events.fd);
	}
	if (frozen < 0 || settled < 0)
		sleep = mc_fail(e, MNTCR_SYS, errno, "cgroup %s: cgroup.events", f->name);
	return sleep > 0 ? 0 : -1;
}

static int add_task(void *data, uint32_t tid, bool inner)
{
	*(uint64_t *)data += mc_hash_bytes(&tid, sizeof(tid), 0);
	return 0;
}

/* No event tells of a task that is moved out of it, and so thawed, or into it. */
static int same_tasks(const struct mntcr_freeze *f, struct mntcr_error *e)
{
	uint64_t tasks = 0;

	if (cap_cgroup_tasks(f->dir, add_task, &tasks, e))
		return -1;
	return tasks == f->tasks ? 0 :
	       mc_fail(e, MNTCR_CHANGED, 0,
		       "cgroup %s: a task has been moved out of it or into it, or has ended, while it was to hold still",
		       f->name);
}

int mntcr_frozen(const struct mntcr_freeze *f, struct mntcr_error *e)
{
	struct pollfd p = { .fd = f->events, .events = POLLPRI };
	int ret;

	memset(e, 0, sizeof(*e));
	do
		ret = poll(&p, 1, 0);
	while (ret < 0 && errno == EINTR);
	if (ret < 0)
		return mc_fail(e, MNTCR_SYS, errno, "cgroup %s: cgroup.events", f->name);
	if (!ret)
		return same_tasks(f, e);
	return mc_fail(e, MNTCR_CHANGED, 0, "cgroup %s: %s", f->name,
		       is_frozen(f->events) > 0 ?
		       "it has been thawed, or a task has come or gone, while it was to hold still" :
		       "it has been thawed, or has ended, while it was to hold still");
}

/* --- freeze and thaw ----------------------------------------------------------------- */

static int freeze(struct mntcr_freeze *f, uint64_t ms, struct mntcr_error *e)
{
	struct own own = { f, e };
	char was;

	if (cap_cgroup_tasks(f->dir, not_own, &own, e))
		return -1;
	f->state = openat(f->dir, "cgroup.freeze", O_RDWR | O_CLOEXEC);
	if (f->state < 0 && errno == ENOENT)
		return mc_fail(e, MNTCR_UNSUPPORTED, 0,
			       "cgroup %s: it can't be frozen before Linux 5.2",
			       f->name);
	if (f->state < 0 || pread(f->state, &was, 1, 0) != 1)
		return mc_fail(e, MNTCR_SYS, errno, "cgroup %s: cgroup.freeze", f->name);
	if (was != '1') {
		if (start_guard(f, e))
			return -1;
		if (pwrite(f->state, "1", 1, 0) != 1)
			return mc_fail(e, MNTCR_SYS, errno, "cgroup %s: freezing it",
				       f->name);
	}
	return wait_for_it(f, ms, e) || cap_cgroup_tasks(f->dir, add_task, &f->tasks, e) ? -1 : 0;
}

int mntcr_thaw(struct mntcr_freeze *f, struct mntcr_error *e)
{
	int ret = 0;

	if (!f)
		return 0;
	/* told, and not only closed: a child of the caller may have the end as well */
	if (f->guard_end >= 0)
		send(f->guard_end, "", 1, MSG_NOSIGNAL);
	mc_close(f->guard_end);
	/* a guard that somebody has ended has thawed nothing */
	if (f->guard && mc_child_wait(f->guard) && pwrite(f->state, "0", 1, 0) != 1)
		ret = mc_fail(e, MNTCR_SYS, errno, "cgroup %s: thawing it", f->name);
	mc_close(f->state);
	mc_close(f->events);
	mc_close(f->dir);
	free(f);
	return ret;
}

int mntcr_freeze(const char *path, const struct mntcr_freeze_options *opts,
		 struct mntcr_freeze **frozen, struct mntcr_error *e)
{
	struct mntcr_freeze_options o;
	struct mntcr_error ignored;
	struct mntcr_freeze *f;

	*frozen = NULL;
	memset(e, 0, sizeof(*e));
	if (mc_take_options(&o, sizeof(o), sizeof(o), opts, "freeze_options", e))
		return -1;
	if (o.timeout_ms > INT_MAX)
		return mc_fail(e, MNTCR_USAGE, 0, "freeze_options: timeout_ms is too large");
	f = calloc(1, sizeof(*f));
	if (!f)
		return mc_nomem(e);
	f->state = -1;
	f->events = -1;
	f->guard_end = -1;
	mc_escape(path, f->name, sizeof(f->name));
	f->dir = cap_cgroup_open(path, e);
	if (f->dir < 0 || freeze(f, o.timeout_ms ? o.timeout_ms : DEFAULT_MS, e)) {
		mntcr_thaw(f, &ignored);
		return -1;
	}
	*frozen = f;
	return 0;
}
