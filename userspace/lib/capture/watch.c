// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Does a container still live?  What is read of it through descriptors outlives it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "capture/capture.h"

struct mntcr_watch {
	int init;		/* pidfd; -1: it is a cgroup */
	int events;		/* cgroup.events */
	char name[300];
};

static struct mntcr_watch *new_watch(struct mntcr_error *e)
{
	struct mntcr_watch *w = calloc(1, sizeof(*w));

	memset(e, 0, sizeof(*e));
	if (w)
		w->init = w->events = -1;
	else
		mc_nomem(e);
	return w;
}

/* An init that the caller does not see ends all that it does, this process too. */
static int open_init(struct mntcr_watch *w, int64_t pid, struct mntcr_error *e)
{
	struct mntcr_error ignored;
	uint32_t init, again;

	if (cap_find_init(pid, &init, &ignored))
		init = (uint32_t)pid;
	snprintf(w->name, sizeof(w->name), "process %" PRIu32, init);
	w->init = (int)syscall(__NR_pidfd_open, init, 0);
	if (w->init < 0)
		return mc_fail(e, MNTCR_SYS, errno, "%s", w->name);
	/* its number was not another one's meanwhile */
	if (!cap_find_init(pid, &again, &ignored) && again != init)
		return mc_fail(e, MNTCR_CHANGED, 0, "%s: the container's init has ended", w->name);
	return 0;
}

int mntcr_watch_container(int64_t pid, struct mntcr_watch **watch, struct mntcr_error *e)
{
	struct mntcr_watch *w = new_watch(e);

	*watch = NULL;
	if (!w)
		return -1;
	if (open_init(w, pid, e)) {
		mntcr_watch_free(w);
		return -1;
	}
	*watch = w;
	return 0;
}

int mntcr_watch_cgroup(const char *path, struct mntcr_watch **watch, struct mntcr_error *e)
{
	struct mntcr_watch *w = new_watch(e);
	char text[256];
	int dir;

	*watch = NULL;
	if (!w)
		return -1;
	snprintf(w->name, sizeof(w->name), "cgroup %s", mc_escape(path, text, sizeof(text)));
	dir = cap_cgroup_open(path, e);
	if (dir >= 0) {
		w->events = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
		if (w->events < 0)
			mc_fail(e, MNTCR_SYS, errno, "%s: cgroup.events", w->name);
		close(dir);
	}
	if (w->events < 0) {
		mntcr_watch_free(w);
		return -1;
	}
	*watch = w;
	return 0;
}

/* -1: errno */
static int is_alive(const struct mntcr_watch *w)
{
	struct pollfd p = { .fd = w->init, .events = POLLIN };
	char buf[256];
	ssize_t n;
	int ret;

	if (w->init >= 0) {
		do
			ret = poll(&p, 1, 0);
		while (ret < 0 && errno == EINTR);
		return ret < 0 ? -1 : !ret;
	}
	n = pread(w->events, buf, sizeof(buf) - 1, 0);
	/* removed */
	if (n < 0)
		return errno == ENODEV ? 0 : -1;
	buf[n] = '\0';
	return !strstr(buf, "populated 0");
}

int mntcr_watch_check(const struct mntcr_watch *w, struct mntcr_error *e)
{
	int alive = is_alive(w);

	memset(e, 0, sizeof(*e));
	if (alive < 0)
		return mc_fail(e, MNTCR_SYS, errno, "%s: does it still live", w->name);
	return alive ? 0 : mc_fail(e, MNTCR_CHANGED, 0, "%s: the container has ended meanwhile",
				   w->name);
}

void mntcr_watch_free(struct mntcr_watch *w)
{
	if (!w)
		return;
	mc_close(w->init);
	mc_close(w->events);
	free(w);
}
