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
#include <sys/mman.h>

#include "base/base.h"
#include "base/sys.h"
#include "topology/topology.h"

#define EVENT_SOURCE	"mntcr-event"
/* Beside the namespaces. */
#define OWN_FDS		16

struct side {
	uint64_t *event;		/* id of the event's mount; shared memory */
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
	if (!fstat(fd, &st) && mc_map_get(by_ino, st.st_ino, &ns) &&
	    s->ns_fd[ns] < 0) {
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
	if (!s->ns_fd || !by_ino)
		goto nomem;
	memset(s->ns_fd, -1, n * sizeof(*s->ns_fd));
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
	/* for the child to tell */
	s->event = mmap(NULL, sizeof(*s->event), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->event == MAP_FAILED) {
		s->event = NULL;
		return mc_nomem(e);
	}
	if (mntcr_capture(s->sources, s->nr, co, &s->before, e))
		return -1;
	return open_namespaces(s, e);
}

static void close_side(struct side *s)
{
	uint32_t i;

	if (s->event)
		munmap(s->event, sizeof(*s->event));
	for (i = 0; s->ns_fd && i < s->before->nr_ns; i++)
		mc_close(s->ns_fd[i]);
	free(s->ns_fd);
	mntcr_topology_free(s->before);
}

/* Exit codes of the child, besides an errno. */
enum { CHILD_OTHER = 200, CHILD_CANNOT };

static int new_tmpfs(void)
{
	int fs = mc_fsopen("tmpfs", MC_FSOPEN_CLOEXEC), fd = -1;

	if (fs < 0)
		return -1;
	if (!mc_fsconfig(fs, MC_FSCONFIG_SET_STRING, "source", EVENT_SOURCE, 0) &&
	    !mc_fsconfig(fs, MC_FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		fd = mc_fsmount(fs, MC_FSMOUNT_CLOEXEC, 0);
	mc_close(fs);
	return fd;
}

/* A clone of a mount that is itself detached: not before 6.15. */
static int new_file(void)
{
	int dir = new_tmpfs(), fd = -1;

	if (dir >= 0 && !mknodat(dir, "f", S_IFREG | 0600, 0))
		fd = mc_open_tree(dir, "f", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	mc_close(dir);
	return fd;
}

static int detached(int on)
{
	struct mc_mount_attr private = { .propagation = MS_PRIVATE };
	struct statx stx;
	int fd;

	if (statx(on, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_TYPE, &stx))
		return -1;
	if (S_ISDIR(stx.stx_mode))
		return new_tmpfs();
	/* only a file covers a file: the same, once more */
	fd = mc_open_tree(on, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
			  AT_EMPTY_PATH);
	if (fd < 0)
		return errno == EINVAL ? new_file() : -1;
	if (mc_mount_setattr(fd, "", AT_EMPTY_PATH, &private,
			     MC_MOUNT_ATTR_SIZE_VER0)) {
		mc_close(fd);
		return -1;
	}
	return fd;
}

static int id_at(int fd, unsigned int mask, uint64_t *id)
{
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
		  mask, &stx))
		return errno;
	*id = stx.stx_mnt_id;
	return 0;
}

/* In the child, within the namespace.  The mount must be what path leads to. */
static int fire(const char *path, const struct mc_mount *m, unsigned int mask,
		uint64_t *event)
{
	uint64_t id;
	int on, fd, err;

	on = mc_open_cached(AT_FDCWD, path, 0);
	if (on < 0)
		return errno;
	err = id_at(on, mask, &id);
	if (err)
		return err;
	if (id != (mask == STATX_MNT_ID_UNIQUE ? m->id : m->id_old))
		return CHILD_OTHER;
	fd = detached(on);
	if (fd < 0)
		return errno == EINVAL ? CHILD_CANNOT : errno;
	err = id_at(fd, mask, event);
	if (err)
		return err;
	if (mc_move_mount(fd, "", on, "", MOVE_MOUNT_F_EMPTY_PATH |
			  MOVE_MOUNT_T_EMPTY_PATH))
		return errno;
	return 0;
}

/* The same for taking off what was mounted, and nothing but that. */
static int undo(const char *path, unsigned int mask, uint64_t event)
{
	struct mc_open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = MC_RESOLVE_NO_SYMLINKS,
	};
	int fd = mc_openat2(AT_FDCWD, path, &how), err;
	uint64_t id;

	if (fd < 0)
		return errno;
	err = id_at(fd, mask, &id);
	if (err)
		return err;
	if (id != event)
		return CHILD_OTHER;
	/* DETACH: "/" may be what this very process stands on */
	return umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) ? errno : 0;
}

/* m: where to mount something; NULL: unmount it. */
static int within(const struct side *s, uint32_t ns, const char *path,
		  const struct mc_mount *m)
{
	unsigned int mask = s->before->unique_ids ? STATX_MNT_ID_UNIQUE :
			    STATX_MNT_ID;
	pid_t pid = mc_child(0);
	int err;

	if (!pid) {
		if (setns(s->ns_fd[ns], CLONE_NEWNS))
			_exit(errno);
		_exit(m ? fire(path, m, mask, s->event) :
			  undo(path, mask, *s->event));
	}
	err = pid < 0 ? -1 : mc_child_wait(pid);
	return err < 0 ? errno : err;
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

/* Both have been found the same: the same path is the same place. */
static int one_event(struct run *r, uint32_t m, size_t *nr_events)
{
	const struct mc_topology *a = r->side[0].before, *t;
	const struct mc_mount *mnt = &a->mounts[m], *here;
	char name[300], what[340], *path;
	int i, err, fired = 0, ret = -1;
	uint32_t other;

	path = mc_mount_path(a, m);
	if (!path)
		return mc_nomem(r->e);
	/* Covered: nothing can happen there. */
	if (mc_mount_at(a, mnt->ns, path) != m) {
		ret = 0;
		goto out;
	}
	/* mountinfo has nothing of what a covered root covers */
	if (!a->unique_ids && !path[1]) {
		ret = 0;
		goto out;
	}
	mc_mount_name(a, m, name, sizeof(name));
	snprintf(what, sizeof(what), "event on %s", name);
	r->what = what;
	for (i = 0; i < 2; i++) {
		t = r->side[i].before;
		here = mnt;
		if (i) {
			/* fire() checks that it is on top, as on the first */
			other = mc_mount_at(t, mnt->ns, path);
			if (other == MC_NONE) {
				mc_fail(r->e, MNTCR_CHANGED, 0, "%s: gone", name);
				goto undo;
			}
			here = &t->mounts[other];
		}
		err = within(&r->side[i], mnt->ns, path, here);
		/*
		 * Covered meanwhile, nothing to cover it with, or no walk in
		 * the dentry cache leads there: sysfs, say, allows none.
		 */
		if ((err == CHILD_OTHER || err == CHILD_CANNOT ||
		     err == EAGAIN) && !i) {
			ret = 0;
			goto out;
		}
		if (err == CHILD_OTHER) {
			relay(r, "what was mounted on the first covers the second: they share it");
			r->nr_differences++;
			ret = 0;
			goto undo;
		}
		if (err) {
			mc_fail(r->e, MNTCR_SYS, err == CHILD_CANNOT ? EINVAL : err,
				"%s: mounting on it", what);
			goto undo;
		}
		fired++;
	}
	ret = compare(r, false);
	(*nr_events)++;
undo:
	for (i = 0; i < fired; i++) {
		err = within(&r->side[i], mnt->ns, path, NULL);
		if (err == CHILD_OTHER)
			ret = mc_fail(r->e, MNTCR_CHANGED, 0,
				      "%s: something was mounted over it meanwhile, and so it stays",
				      what);
		else if (err && !ret)
			ret = mc_fail(r->e, MNTCR_SYS, err,
				      "%s: unmounting it again", what);
	}
	snprintf(what, sizeof(what), "after the event on %s", name);
	if (!ret)
		ret = compare(r, true);
out:
	free(path);
	return ret;
}

static int verify_events(const struct mntcr_source *first, size_t nr_first,
			 const struct mntcr_source *second, size_t nr_second,
			 const struct mntcr_verify_options *opts,
			 size_t *nr_events, size_t *nr_differences,
			 struct mntcr_error *e)
{
	static const struct mntcr_verify_options defaults;
	struct run r = {
		.side = { { .sources = first, .nr = nr_first },
			  { .sources = second, .nr = nr_second } },
		.opts = opts ? opts : &defaults,
		.e = e,
	};
	sigset_t all, old;
	uint32_t i;
	int ret = -1;

	memset(e, 0, sizeof(*e));
	*nr_events = *nr_differences = 0;
	if (open_side(&r.side[0], r.opts->capture, e) ||
	    open_side(&r.side[1], r.opts->capture, e))
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
	return ret;
}

int mntcr_verify_events(const struct mntcr_source *first, size_t nr_first,
			const struct mntcr_source *second, size_t nr_second,
			const struct mntcr_verify_options *opts,
			size_t *nr_events, size_t *nr_differences,
			struct mntcr_error *e)
{
	struct mc_fd_limit limit = { 0 };
	int ret;

	/* Both are held; captures see to themselves. */
	if (nr_first <= MC_MAX_NAMESPACES && nr_second <= MC_MAX_NAMESPACES)
		mc_fd_limit_raise(&limit, mc_fd_count() + OWN_FDS +
				  (uint32_t)(nr_first + nr_second));
	ret = verify_events(first, nr_first, second, nr_second, opts,
			    nr_events, nr_differences, e);
	mc_fd_limit_back(&limit);
	return ret;
}
