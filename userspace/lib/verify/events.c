// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Do events propagate the same?  Something is mounted on each mount of two
 * sets of live namespaces in turn, on both sides, and what came of it is
 * compared like any two topologies; then it is unmounted again.
 *
 * This sees what no listing shows: peers and masters that lie outside, and the
 * order within the kernel's own lists.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "topology/topology.h"
#include "verify/event.h"

/* Beside the namespaces. */
#define OWN_FDS		16
/* Beside those of mc_event_open(). */
#define MC_EVENT_HIDES	(-3)
#define MC_EVENT_UNLINKED (-4)

struct side {
	const struct mntcr_source *sources;
	size_t nr;
	struct mc_topology *before;
	int *ns_fd;			/* of each namespace in it */
};

struct run {
	struct side side[2];
	const struct mntcr_verify_options *opts;
	size_t nr_differences, nr_reports;
	struct mntcr_error *e;
	const char *what;	/* prefix of what verify reports, or NULL */
	int proc;
};

/* One more of the sources that may name the same namespace. */
static int keep_open(struct side *s, const struct mntcr_source *src,
		     struct mc_map *by_ino, struct mntcr_error *e)
{
	char name[256];
	struct stat st;
	uint32_t ns = MC_NONE;
	int fd;

	fd = mc_open_ns(src, name, sizeof(name), e);

	if (fd < 0)
		return -1;
	if (fstat(fd, &st)) {
		mc_fail(e, MNTCR_SYS, errno, "%s", name);
		mc_close(fd);
		return -1;
	}
	if (mc_map_get(by_ino, st.st_ino, &ns) && s->ns_fd[ns] < 0) {
		s->ns_fd[ns] = fd;
		return 0;
	}
	mc_close(fd);
	return ns != MC_NONE ? 0 :
	       mc_fail(e, MNTCR_CHANGED, 0, "%s: another namespace meanwhile", name);
}

static int open_namespaces(struct side *s, struct mntcr_error *e)
{
	uint32_t i, n = s->before->nr_ns;
	struct mc_map *by_ino = mc_map_new();
	int ret = -1;

	s->ns_fd = malloc((n ? n : 1) * sizeof(*s->ns_fd));
	if (!s->ns_fd)
		goto nomem;
	/* first of all: they are closed whatever comes */
	memset(s->ns_fd, -1, n * sizeof(*s->ns_fd));
	if (!by_ino)
		goto nomem;
	for (i = 0; i < n; i++)
		if (mc_map_add(by_ino, s->before->ns[i].ino, &(uint32_t){ i }) < 0)
			goto nomem;
	for (i = 0; i < s->nr; i++)
		if (keep_open(s, &s->sources[i], by_ino, e))
			goto out;
	ret = 0;
	goto out;
nomem:
	mc_nomem(e);
out:
	mc_map_free(by_ino);
	return ret;
}

static int open_side(struct side *s, const struct mntcr_capture_options *co,
		     struct mntcr_error *e)
{
	if (mntcr_capture(s->sources, s->nr, co, &s->before, e))
		return -1;
	return open_namespaces(s, e);
}

static void close_side(struct side *s)
{
	uint32_t i;

	for (i = 0; s->ns_fd && i < s->before->nr_ns; i++)
		mc_close(s->ns_fd[i]);
	free(s->ns_fd);
	mntcr_topology_free(s->before);
}

static void relay(void *data, const char *line)
{
	struct run *r = data;
	char text[2400];

	if (!r->opts->report || (r->opts->max_reports &&
				 r->nr_reports >= r->opts->max_reports))
		return;
	r->nr_reports++;
	snprintf(text, sizeof(text), "%s: %s", r->what, line);
	r->opts->report(r->opts->data, text);
}

/* Compare the present states, or each with its own before. */
static int compare(struct run *r, bool each_with_before)
{
	struct mntcr_verify_options opts = *r->opts;
	struct mc_topology *now[2] = { NULL, NULL };
	size_t nr = 0;
	int i, ret = -1;

	opts.report = relay;
	opts.data = r;
	for (i = 0; i < 2; i++)
		if (mntcr_capture(r->side[i].sources, r->side[i].nr,
				  r->opts->capture, &now[i], r->e))
			goto out;
	if (!each_with_before) {
		/* what was mounted is each side's own */
		opts.flags &= ~(unsigned int)MNTCR_VERIFY_DEVICES;
		if (mntcr_verify(now[0], now[1], &opts, &nr, r->e))
			goto out;
		r->nr_differences += nr;
	}
	for (i = 0; each_with_before && i < 2; i++) {
		if (mntcr_verify(r->side[i].before, now[i], &opts, &nr, r->e))
			goto out;
		r->nr_differences += nr;
	}
	ret = 0;
out:
	mntcr_topology_free(now[0]);
	mntcr_topology_free(now[1]);
	return ret;
}

/*
 * mountinfo shows what is below the topmost root: nothing, of a namespace whose
 * root an event covers, or a copy of it.
 */
static bool covers_a_root(const struct mc_topology *t, uint32_t m)
{
	const char *at;
	uint32_t i;

	for (i = 0; i < t->nr_ns; i++) {
		if (t->ns[i].root == MC_NONE)
			continue;
		at = mc_event_lands(t, m, t->ns[i].root);
		if (at && !at[1])
			return true;
	}
	return false;
}

static void leave_out(struct run *r, const char *why)
{
	char text[2400];

	if (!r->opts->left_out)
		return;
	snprintf(text, sizeof(text), "%s: left out: %s", r->what, why);
	r->opts->left_out(r->opts->data, text);
}

/* Of mc_event_open(): what is not reached is no event, and ends no other. */
static void unreached(struct run *r, int code)
{
	switch (code) {
	case MC_EVENT_OTHER:
		return leave_out(r, "its path leads to another mount");
	case MC_EVENT_HIDES:
		return leave_out(r, "it would hide all that mountinfo shows of a namespace");
	case MC_EVENT_UNLINKED:
		return leave_out(r, "its root has been unlinked: the kernel mounts nothing there");
	case MC_EVENT_CANNOT:
		return leave_out(r, "this kernel has nothing to mount on an unbindable file");
	case EAGAIN:
		return leave_out(r, "a filesystem would have to be asked for the way to it");
	default:
		return leave_out(r, strerror(code));
	}
}

/* Both are open, nothing is mounted yet. */
static int fire_both(struct run *r, struct mc_event ev[2], size_t *nr_events)
{
	int i, code;

	for (i = 0; i < 2; i++) {
		code = mc_event_fire(&ev[i]);
		if (code == MC_EVENT_OTHER && !i) {
			leave_out(r, "covered meanwhile");
			return 0;
		}
		if (code == ENOENT && !i) {
			unreached(r, MC_EVENT_UNLINKED);
			return 0;
		}
		if (code == MC_EVENT_OTHER) {
			relay(r, "what was mounted on the first covers the second: they share it");
			r->nr_differences++;
			return 0;
		}
		if (code)
			return mc_fail(r->e, MNTCR_SYS, code,
				       "%s: mounting on it", r->what);
	}
	++*nr_events;
	return compare(r, false);
}

/* ret: what has failed before is what is said. */
static int end_both(struct run *r, struct mc_event ev[2], int ret)
{
	int i, code;

	for (i = 1; i >= 0; i--) {
		code = mc_event_end(&ev[i]);
		if (code == MC_EVENT_OTHER)
			ret = mc_fail(r->e, MNTCR_CHANGED, 0,
				      "%s: something was mounted over it meanwhile, and so it stays",
				      r->what);
		else if (code && !ret)
			ret = mc_fail(r->e, MNTCR_SYS, code,
				      "%s: unmounting it again", r->what);
	}
	return ret;
}

static int at_place(struct run *r, uint32_t m, const char *path,
		    size_t *nr_events)
{
	struct mc_event ev[2] = { { 0 }, { 0 } };
	char name[300], what[340];
	uint32_t ns = r->side[0].before->mounts[m].ns;
	int i, code, ret;

	mc_mount_name(r->side[0].before, m, name, sizeof(name));
	snprintf(what, sizeof(what), "event on %s", name);
	r->what = what;
	for (i = 0; i < 2; i++) {
		const struct side *s = &r->side[i];
		/* both have been found the same: so is the place */
		uint32_t here = i ? mc_mount_at(s->before, ns, path) : m;

		if (here == MC_NONE) {
			end_both(r, ev, 0);
			return mc_fail(r->e, MNTCR_CHANGED, 0, "%s: gone", name);
		}
		code = s->before->mounts[here].root_deleted ? MC_EVENT_UNLINKED :
		       !s->before->unique_ids && covers_a_root(s->before, here) ?
		       MC_EVENT_HIDES :
		       mc_event_open(&ev[i], s->ns_fd[ns], r->proc, path,
				     s->before, here);
		if (!code)
			continue;
		unreached(r, code);
		return end_both(r, ev, 0);
	}
	ret = end_both(r, ev, fire_both(r, ev, nr_events));
	snprintf(what, sizeof(what), "after the event on %s", name);
	return ret ? ret : compare(r, true);
}

static int one_event(struct run *r, uint32_t m, size_t *nr_events)
{
	const struct mc_topology *t = r->side[0].before;
	char *path = mc_mount_path(t, m);
	int ret = 0;

	if (!path)
		return mc_nomem(r->e);
	/* Covered: nothing can happen there. */
	if (mc_mount_at(t, t->mounts[m].ns, path) == m)
		ret = at_place(r, m, path, nr_events);
	free(path);
	return ret;
}

/* What is mounted on the one would be on the other, and no difference of the two. */
static int check_apart(const struct run *r, struct mntcr_error *e)
{
	const struct mc_topology *a = r->side[0].before, *b = r->side[1].before;
	struct mc_map *by_ino = mc_map_new();
	char first[128], second[128];
	uint32_t i, k;
	int ret = by_ino ? 0 : mc_nomem(e);

	for (i = 0; i < a->nr_ns && !ret; i++) {
		k = i;
		if (mc_map_add(by_ino, a->ns[i].ino, &k) < 0)
			ret = mc_nomem(e);
	}
	for (i = 0; i < b->nr_ns && !ret; i++)
		if (mc_map_get(by_ino, b->ns[i].ino, &k))
			ret = mc_fail(e, MNTCR_USAGE, 0,
				      "%s and %s are one namespace: what is mounted on one side would be on the other",
				      mc_escape(a->ns[k].label, first, sizeof(first)),
				      mc_escape(b->ns[i].label, second, sizeof(second)));
	mc_map_free(by_ino);
	return ret;
}

static int verify_events(const struct mntcr_source *first, size_t nr_first,
			 const struct mntcr_source *second, size_t nr_second,
			 const struct mntcr_verify_options *opts,
			 size_t *nr_events, size_t *nr_differences,
			 struct mntcr_error *e)
{
	struct run r = {
		.side = { { .sources = first, .nr = nr_first },
			  { .sources = second, .nr = nr_second } },
		.opts = opts,
		.e = e,
	};
	sigset_t all, old;
	uint32_t i;
	int ret = -1;

	memset(e, 0, sizeof(*e));
	*nr_events = *nr_differences = 0;
	r.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r.proc < 0)
		return mc_fail(e, MNTCR_SYS, errno, "/proc");
	if (open_side(&r.side[0], r.opts->capture, e) ||
	    open_side(&r.side[1], r.opts->capture, e) || check_apart(&r, e))
		goto out;
	if (mntcr_verify(r.side[0].before, r.side[1].before, r.opts,
			 nr_differences, e))
		goto out;
	ret = 0;
	if (*nr_differences)
		goto out;
	sigfillset(&all);
	for (i = 0; i < r.side[0].before->nr_mounts && !ret; i++) {
		/* What ends the caller has to wait until nothing is mounted. */
		pthread_sigmask(SIG_SETMASK, &all, &old);
		ret = one_event(&r, i, nr_events);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
		if (r.opts->progress)
			r.opts->progress(r.opts->data, i + 1,
					 r.side[0].before->nr_mounts);
	}
	*nr_differences = r.nr_differences;
out:
	close_side(&r.side[0]);
	close_side(&r.side[1]);
	mc_close(r.proc);
	return ret;
}

/* Of such a tree there is a copy only, which would no longer be one. */
static bool any_detached(const struct mntcr_source *s, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (s[i].type == MNTCR_SOURCE_DETACHED)
			return true;
	return false;
}

int mntcr_verify_events(const struct mntcr_source *first, size_t nr_first,
			const struct mntcr_source *second, size_t nr_second,
			const struct mntcr_verify_options *opts,
			size_t *nr_events, size_t *nr_differences,
			struct mntcr_error *e)
{
	struct mntcr_verify_options o;
	struct mc_fd_limit limit = { 0 };
	int ret;

	*nr_events = *nr_differences = 0;
	if (any_detached(first, nr_first) || any_detached(second, nr_second))
		return mc_fail(e, MNTCR_USAGE, 0,
			       "events are mounted in namespaces, and not in a detached tree");
	if (mc_take_options(&o, sizeof(o), sizeof(o), opts, "verify_options", e))
		return -1;
	/* Both are held; captures see to themselves. */
	if (nr_first <= MC_MAX_NAMESPACES && nr_second <= MC_MAX_NAMESPACES)
		mc_fd_limit_raise(&limit, mc_fd_count() + OWN_FDS +
				  (uint32_t)(nr_first + nr_second));
	ret = verify_events(first, nr_first, second, nr_second, &o,
			    nr_events, nr_differences, e);
	mc_fd_limit_back(&limit);
	return ret;
}
