// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * User namespaces that own what is restored, made anew or asked of a live source;
 * and what has to be made from within one.  Threads cannot join another user
 * namespace, children can: each lives no longer than it takes.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <linux/securebits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "execute/execute.h"

/* --- making one ------------------------------------------------------------- */

struct making {
	const struct mc_userns *u;
	int proc_fd;		/* the caller's /proc */
	int parent_fd;		/* -1: the caller's own */
	uint32_t gid;		/* one that is mapped in the parent */
	int ready_fd;		/* eventfd */
	int self_fd, ns_fd;	/* of the maker: its /proc/PID, its user namespace */
	volatile int err;
	const char *what;	/* failed */
};

static int failed(struct making *w, const char *what)
{
	w->what = what;
	w->err = errno;
	return errno;
}

/*
 * In the parent, as the owner.  It shares the table of descriptors and so must not
 * be one that its new uid may trace: that it changed its ids sees to it, or it is
 * the caller's.
 */
static void maker(struct making *w, pid_t starter)
{
	const uint64_t one = 1;

	if ((w->parent_fd >= 0 &&
	     syscall(SYS_setresgid, w->gid, w->gid, w->gid)) ||
	    syscall(SYS_setresuid, w->u->owner, w->u->owner, w->u->owner)) {
		failed(w, "becoming its owner");
	} else if (unshare(CLONE_NEWUSER)) {
		failed(w, "unshare");
	} else {
		w->self_fd = openat(w->proc_fd, "self",
				    O_PATH | O_DIRECTORY | O_CLOEXEC);
		w->ns_fd = openat(w->proc_fd, "self/ns/user", O_RDONLY | O_CLOEXEC);
		if (w->self_fd < 0 || w->ns_fd < 0)
			failed(w, "opening its file");
	}
	/* what becomes another user forgets this */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != starter)
		_exit(1);
	if (write(w->ready_fd, &one, sizeof(one)) != sizeof(one)) {
		failed(w, "saying that it is there");
		_exit(1);
	}
	for (;;)
		pause();
}

static int put(struct making *w, const char *file, const char *text, size_t n)
{
	int fd = openat(w->self_fd, file, O_WRONLY | O_CLOEXEC), err;
	ssize_t done = fd < 0 ? -1 : write(fd, text, n);

	err = done < 0 ? errno : 0;
	mc_close(fd);
	errno = err;
	return done < 0 ? failed(w, file) : 0;
}

/* In ids of the parent, where the writer is. */
static int put_map(struct making *w, const char *file,
		   const struct mc_idmap_extent *x, uint32_t nr)
{
	char text[MC_IDMAP_TEXT_SIZE];
	size_t n = 0;
	uint32_t i;

	for (i = 0; i < nr; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%u %u %u\n", x[i].id,
				      x[i].parent_id, x[i].count);
	return nr ? put(w, file, text, n) : 0;
}

/*
 * Until it has opened what it opens, or is gone: a descriptor that it gets while it is
 * killed would be nobody's.
 */
static void let_it_end(const struct making *w, pid_t pid)
{
	struct pollfd p = { .fd = w->ready_fd, .events = POLLIN };

	while (poll(&p, 1, 10) <= 0 && !waitpid(pid, NULL, WNOHANG | __WALL))
		;
}

static int wait_for(struct making *w, pid_t pid)
{
	struct pollfd p[2] = {
		{ .fd = w->ready_fd, .events = POLLIN },
		{ .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN },
	};
	int ret;

	if (p[1].fd < 0) {
		failed(w, "pidfd_open");
		let_it_end(w, pid);
		return w->err;
	}
	while ((ret = poll(p, 2, -1)) < 0 && errno == EINTR)
		;
	close(p[1].fd);
	if (ret < 0)
		return failed(w, "poll");
	if (w->err)
		return w->err;
	errno = EIO;
	return p[0].revents & POLLIN ? 0 : failed(w, "waiting for the child that makes it");
}

/* The writer of the maps: in the parent, with the restorer's power over it. */
static int making_child(void *data)
{
	struct making *w = data;
	pid_t self = getpid(), pid;
	int err;

	if (w->parent_fd >= 0 && setns(w->parent_fd, CLONE_NEWUSER))
		return failed(w, "entering its parent");
	pid = mc_child(CLONE_FILES);
	if (!pid)
		maker(w, self);
	if (pid < 0)
		return failed(w, "starting a child");
	err = wait_for(w, pid);
	if (!err && !w->u->setgroups)
		err = put(w, "setgroups", "deny", 4);
	if (!err)
		err = put_map(w, "uid_map", w->u->map.uid, w->u->map.nr_uid);
	if (!err)
		err = put_map(w, "gid_map", w->u->map.gid, w->u->map.nr_gid);
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	return err;
}

/* w has u, parent_fd and gid.  -1: errno, and what failed. */
static int make_it(struct mc_exec *x, struct making *w)
{
	int err = 0;

	w->proc_fd = x->proc_fd;
	w->self_fd = w->ns_fd = -1;
	w->ready_fd = eventfd(0, EFD_CLOEXEC);
	if (w->ready_fd < 0)
		err = failed(w, "eventfd");
	mc_count(x, UNSHARE);
	if (!err && mc_child_task(making_child, w, sizeof(*w), -1))
		err = errno;
	mc_close(w->ready_fd);
	mc_close(w->self_fd);
	if (!err)
		return w->ns_fd;
	mc_close(w->ns_fd);
	if (!w->what)
		w->what = "starting a child";
	errno = err;
	return -1;
}

static int make(struct mc_exec *x, uint32_t u)
{
	const struct mc_userns *n = &x->t->userns[u];
	struct making w = { .u = n, .parent_fd = -1 };

	if (!x->t->userns[n->parent].dumper) {
		w.parent_fd = mc_owner_fd(x, n->parent);
		mc_userns_first_id(&x->t->userns[n->parent], true, &w.gid);
	}
	if (w.parent_fd < 0 && !x->t->userns[n->parent].dumper)
		failed(&w, "its parent");
	else
		x->owner_fd[u] = make_it(x, &w);
	if (x->owner_fd[u] >= 0)
		return 0;
	return mc_fail(x->e, MNTCR_SYS, errno, "user namespace %u: making it: %s", u,
		       w.what);
}

int mc_owner_of_map(struct mc_exec *x, const struct mc_idmap *map, const char **what)
{
	const struct mc_userns u = {
		.owner = geteuid(), .setgroups = true, .mapped = true, .map = *map,
	};
	struct making w = { .u = &u, .parent_fd = -1 };
	int fd = make_it(x, &w);

	*what = w.what;
	return fd;
}

bool mc_exec_is_due(uint32_t need, const bool *given)
{
	return need == MC_NONE ? !given : given && given[need];
}

int mc_owners_make(struct mc_exec *x, const bool *given)
{
	uint32_t i;

	for (i = 0; i < x->p->nr_owners; i++)
		if (mc_exec_is_due(mc_plan_owner_need(x->p, x->p->owners[i]), given) &&
		    make(x, x->p->owners[i]))
			return -1;
	return 0;
}

int mc_owner_fd(struct mc_exec *x, uint32_t u)
{
	uint32_t i;

	if (x->owner_fd[u] < 0 && x->t->userns[u].given)
		x->owner_fd[u] = fcntl(x->t->userns[u].given->fd, F_DUPFD_CLOEXEC, 3);
	for (i = 0; x->owner_fd[u] < 0 && i < x->t->nr_ns; i++)
		if (x->live_fd[i] >= 0 && x->t->ns[i].userns == u) {
			x->owner_fd[u] = ioctl(x->live_fd[i], MC_NS_GET_USERNS);
			if (x->owner_fd[u] < 0)
				return -1;
		}
	if (x->owner_fd[u] < 0)
		errno = ENOENT;
	return x->owner_fd[u];
}

/* --- what is made from within one -------------------------------------------- */

struct within {
	int userns_fd;		/* -1: the caller's */
	int proc_fd;
	uint32_t ns_type;	/* CLONE_NEW* of a namespace besides; 0: none */
	int ns_fd;		/* -1: a new one */
	const char *fs;		/* type of a filesystem; NULL: none */
	int fs_fd;
};

/* What it has just made. */
static int open_ns(const struct within *w)
{
	const char *file = w->ns_type == CLONE_NEWPID ? "self/ns/pid_for_children" :
			   w->ns_type == CLONE_NEWNET ? "self/ns/net" : "self/ns/ipc";

	return openat(w->proc_fd, file, O_RDONLY | O_CLOEXEC);
}

/* fsopen(2) wants power over the mount namespace that its caller is in. */
static int within_child(void *data)
{
	struct within *w = data;

	if (w->userns_fd >= 0 && setns(w->userns_fd, CLONE_NEWUSER))
		return errno;
	if (w->ns_type && w->ns_fd >= 0) {
		if (setns(w->ns_fd, (int)w->ns_type))
			return errno;
	} else if (w->ns_type) {
		if (mc_unshare(w->ns_type))
			return errno;
		w->ns_fd = open_ns(w);
		if (w->ns_fd < 0)
			return errno;
	}
	if (!w->fs)
		return 0;
	if (w->userns_fd >= 0 && mc_unshare(UNSHARE_EMPTY_MNTNS) &&
	    mc_unshare(CLONE_NEWNS))
		return errno;
	w->fs_fd = mc_fsopen(w->fs, MC_FSOPEN_CLOEXEC);
	return w->fs_fd < 0 ? errno : 0;
}

/* A namespace that it makes is closed where that fails later. */
static int within(struct mc_exec *x, uint32_t u, struct within *w)
{
	int given = w->ns_fd, err;

	w->proc_fd = x->proc_fd;
	w->userns_fd = u == MC_NONE ? -1 : mc_owner_fd(x, u);
	w->fs_fd = -1;
	if (u != MC_NONE && w->userns_fd < 0)
		return -1;
	if (!mc_child_task(within_child, w, sizeof(*w), -1))
		return 0;
	err = errno;
	if (w->ns_fd != given)
		mc_close(w->ns_fd);
	w->ns_fd = given;
	mc_close(w->fs_fd);
	errno = err;
	return -1;
}

int mc_owner_fsopen(struct mc_exec *x, uint32_t u, const char *type)
{
	struct within w = { .ns_fd = -1, .fs = type };

	mc_count(x, FSOPEN);
	return within(x, u, &w) ? -1 : w.fs_fd;
}

int mc_owner_ns(struct mc_exec *x, uint32_t u, uint32_t ns_type)
{
	struct within w = { .ns_type = ns_type, .ns_fd = -1 };

	mc_count(x, UNSHARE);
	return within(x, u, &w) ? -1 : w.ns_fd;
}

struct as_ids {
	uint32_t uid, gid;
	void (*fn)(void *data);
	void *data;
	int err;
};

/*
 * Credentials are a thread's own.  Without that bit a file system id that is not
 * 0 would take the capabilities that go with files.
 */
static void *as_ids(void *data)
{
	struct as_ids *r = data;
	int bits = prctl(PR_GET_SECUREBITS);

	if (bits < 0 || prctl(PR_SET_SECUREBITS, bits | SECBIT_NO_SETUID_FIXUP)) {
		r->err = errno;
		return NULL;
	}
	setfsgid(r->gid);
	setfsuid(r->uid);
	if ((uint32_t)setfsgid((gid_t)-1) != r->gid ||
	    (uint32_t)setfsuid((uid_t)-1) != r->uid) {
		r->err = EPERM;
		return NULL;
	}
	r->fn(r->data);
	return NULL;
}

static int as(uint32_t uid, uint32_t gid, void (*fn)(void *data), void *data)
{
	struct as_ids r = { .uid = uid, .gid = gid, .fn = fn, .data = data };

	errno = mc_in_thread(as_ids, &r);
	if (!errno)
		errno = r.err;
	return errno ? -1 : 0;
}

int mc_owner_as_root(struct mc_exec *x, uint32_t u, void (*fn)(void *data), void *data)
{
	uint32_t uid, gid;

	errno = EINVAL;
	if (!mc_userns_first_id(&x->t->userns[u], false, &uid) ||
	    !mc_userns_first_id(&x->t->userns[u], true, &gid) ||
	    !mc_userns_up(x->t, u, false, uid, &uid) ||
	    !mc_userns_up(x->t, u, true, gid, &gid))
		return -1;
	return as(uid, gid, fn, data);
}

struct by_owner {
	struct mc_exec *x;
	const struct mc_op *op;
	int (*fn)(struct mc_exec *x, const struct mc_op *op, void *data);
	void *data;
	int ret;
};

static void by_owner(void *data)
{
	struct by_owner *b = data;

	b->ret = b->fn(b->x, b->op, b->data);
}

int mc_exec_as_owner(struct mc_exec *x, const struct mc_op *op,
		     int (*fn)(struct mc_exec *x, const struct mc_op *op, void *data),
		     void *data)
{
	uint32_t owner = x->p->srcs[MC_REF_INDEX(op->obj)].owner;
	struct by_owner b = { .x = x, .op = op, .fn = fn, .data = data };

	if (owner == MC_NONE)
		return fn(x, op, data);
	if (mc_owner_as_root(x, owner, by_owner, &b))
		return mc_exec_fail(x, op, errno, "becoming the root of its user namespace");
	return b.ret;
}

struct ns_fsopen {
	struct mc_exec *x;
	uint32_t u;
	struct within w;
	int ret, err;
};

static void ns_fsopen(void *data)
{
	struct ns_fsopen *n = data;

	n->ret = within(n->x, n->u, &n->w);
	n->err = errno;
}

/* Whoever makes an ipc namespace is who the root of its mqueue belongs to. */
int mc_owner_ns_fsopen(struct mc_exec *x, uint32_t u, uint32_t ns_type, int *ns_fd,
		       const struct mc_file *file, const char *type)
{
	struct ns_fsopen n = {
		.x = x, .u = u,
		.w = { .ns_type = ns_type, .ns_fd = *ns_fd, .fs = type },
	};
	bool known = file->mode && file->uid != MC_NO_ID && file->gid != MC_NO_ID;

	if (*ns_fd < 0)
		mc_count(x, UNSHARE);
	if (type)
		mc_count(x, FSOPEN);
	if (known ? as(file->uid, file->gid, ns_fsopen, &n) :
	    u != MC_NONE && mc_owner_as_root(x, u, ns_fsopen, &n))
		return -1;
	if (!known && u == MC_NONE)
		ns_fsopen(&n);
	*ns_fd = n.w.ns_fd;
	errno = n.err;
	return n.ret ? -1 : type ? n.w.fs_fd : 0;
}
