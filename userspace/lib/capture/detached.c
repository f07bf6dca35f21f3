// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A tree of mounts that is attached nowhere, and that a task holds by descriptor.  The
 * anonymous mount namespace that it is in has neither id nor file, and of its mounts only
 * the one that the descriptor is of can be asked about.  So a copy of the tree becomes
 * the root of a new mount namespace: all else is done with that.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/base.h"
#include "capture/capture.h"

struct mntcr_detached {
	struct mntcr_source source;
	char name[40];
	struct mntcr_error *e;	/* while it is opened */
};

static int fail(const struct mntcr_detached *d, int err, const char *what)
{
	return mc_fail(d->e, MNTCR_SYS, err, "detached tree %s: %s", d->name, what);
}

static int refuse(const struct mntcr_detached *d, const char *rule, const char *what)
{
	return mc_refuse(d->e, rule, "%s: %s", d->name, what);
}

static int take(const struct mntcr_detached *d, int64_t pid, int fd)
{
	int pidfd, got, err;

	if (!pid) {
		got = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		return got < 0 ? fail(d, errno, "its descriptor") : got;
	}
	pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	if (pidfd < 0)
		return fail(d, errno, "its process");
	got = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	err = errno;
	mc_close(pidfd);
	return got < 0 ? fail(d, err, "taking its descriptor") : got;
}

/* How many mounts are below the one of the descriptor; -1: errno. */
static int64_t count_below(int fd)
{
	struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER1, .mnt_ns_fd = (uint32_t)fd,
	};
	uint64_t ids[256];
	int64_t nr = 0;
	ssize_t got;

	do {
		got = mc_listmount(&req, ids, MC_ARRAY_SIZE(ids), MC_LISTMOUNT_BY_FD);
		if (got < 0)
			return -1;
		nr += got;
		if (got)
			req.param = ids[got - 1];
	} while (got == MC_ARRAY_SIZE(ids));
	return nr;
}

/* Is it the whole of a tree? */
static int check_root(const struct mntcr_detached *d, int fd)
{
	const struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER1, .mnt_ns_fd = (uint32_t)fd,
		.param = MC_STATMOUNT_MNT_BASIC,
	};
	struct mc_statmount sm;
	struct statx st;

	if (mc_statmount(&req, &sm, sizeof(sm), MC_STATMOUNT_BY_FD))
		return fail(d, errno, "statmount");
	if (sm.mnt_parent_id != sm.mnt_id)
		return refuse(d, "not-detached", "its mount is on another one of the tree; would help: the descriptor of that tree's root");
	if (mc_look(fd, 0, &st))
		return fail(d, errno, "statx");
	if (!(st.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return refuse(d, "not-detached", "it is not the root of its mount");
	if (!S_ISDIR(st.stx_mode))
		return refuse(d, "detached-file", "a tree that is no directory: none but directories are dumped");
	return 0;
}

/* A copy leaves out what is unbindable. */
static int copy(struct mntcr_detached *d, int fd)
{
	int64_t before = count_below(fd), after, copied;
	int tree, err;

	if (before < 0 && errno == EINVAL)
		return refuse(d, "not-detached", "of no detached tree: it is attached, or not mounted at all");
	if (before < 0)
		return fail(d, errno, "listmount");
	if (check_root(d, fd))
		return -1;
	tree = mc_open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
			    OPEN_TREE_FOREIGN | AT_EMPTY_PATH | AT_RECURSIVE);
	if (tree < 0)
		return errno == EINVAL ?
		       refuse(d, "detached-unbindable", "its root is unbindable, and it cannot be copied") :
		       fail(d, errno, "copying it");
	copied = count_below(tree);
	d->source.pid = copied + 1;
	after = copied < 0 ? -1 : count_below(fd);
	if (copied == before)
		return tree;
	err = errno;
	mc_close(tree);
	if (after < 0)
		return fail(d, err, "listmount");
	if (before != after)
		return mc_fail(d->e, MNTCR_CHANGED, 0, "detached tree %s: it changed meanwhile",
			       d->name);
	return refuse(d, "detached-unbindable", "a mount of it is unbindable, and cannot be copied");
}

struct made {
	int proc, ns, root, err;
};

static void *make_namespace(void *data)
{
	const struct mc_mount_attr attr = { .propagation = MS_PRIVATE };
	struct made *m = data;

	if (mc_unshare(UNSHARE_EMPTY_MNTNS) ||
	    mc_mount_setattr(AT_FDCWD, "/", 0, &attr, MC_MOUNT_ATTR_SIZE_VER0))
		goto out;
	m->ns = openat(m->proc, "thread-self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (m->ns >= 0)
		m->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (m->root >= 0)
		return NULL;
out:
	m->err = errno;
	return NULL;
}

static int attach(struct mntcr_detached *d, int tree)
{
	struct made m = {
		.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC), .ns = -1, .root = -1,
	};
	int ret = m.proc < 0 ? errno : mc_in_thread(make_namespace, &m);

	if (!ret)
		ret = m.err;
	if (ret)
		ret = fail(d, ret, "making a mount namespace for a copy of it");
	else if (mc_move_mount(tree, "", m.root, "", MOVE_MOUNT_F_EMPTY_PATH |
			       MOVE_MOUNT_T_EMPTY_PATH | MOVE_MOUNT_T_FOREIGN |
			       MOVE_MOUNT_UNLOCKED))
		ret = errno == ELOOP ?
		      refuse(d, "detached-namespace-file", "the file of a mount namespace is mounted in it, and no younger namespace can hold that") :
		      fail(d, errno, "attaching a copy of it");
	mc_close(m.proc);
	mc_close(m.root);
	if (ret)
		mc_close(m.ns);
	else
		d->source.fd = m.ns;
	return ret;
}

static int open_detached(struct mntcr_detached *d, int64_t pid, int number)
{
	int fd, tree, ret;

	if (pid)
		snprintf(d->name, sizeof(d->name), "%" PRId64 ":%d", pid, number);
	else
		snprintf(d->name, sizeof(d->name), "fd:%d", number);
	fd = take(d, pid, number);
	if (fd < 0)
		return -1;
	tree = copy(d, fd);
	/* dissolves it if the task has closed it meanwhile */
	mc_close(fd);
	if (tree < 0)
		return -1;
	ret = attach(d, tree);
	mc_close(tree);
	return ret;
}

int mntcr_detached_open(int64_t pid, int fd, struct mntcr_detached **detached,
			struct mntcr_error *e)
{
	struct mntcr_detached *d;
	int err = 0;
	const char *what;

	*detached = NULL;
	memset(e, 0, sizeof(*e));
	if (pid < 0 || pid > INT32_MAX || fd < 0)
		return mc_fail(e, MNTCR_USAGE, 0, "detached tree %" PRId64 ":%d: no descriptor of a process",
			       pid, fd);
	what = mc_detached_lacks(&err);
	if (what)
		return mc_fail(e, MNTCR_UNSUPPORTED, err,
			       "a detached tree needs %s, which this kernel has not (see mntcr features)",
			       what);
	d = calloc(1, sizeof(*d));
	if (!d)
		return mc_nomem(e);
	d->source = (struct mntcr_source){
		.type = MNTCR_SOURCE_DETACHED, .path = d->name, .fd = -1,
	};
	d->e = e;
	if (open_detached(d, pid, fd)) {
		mntcr_detached_free(d);
		return -1;
	}
	d->e = NULL;
	*detached = d;
	return 0;
}

const struct mntcr_source *mntcr_detached_source(const struct mntcr_detached *d)
{
	return &d->source;
}

void mntcr_detached_free(struct mntcr_detached *d)
{
	if (!d)
		return;
	mc_close(d->source.fd);
	free(d);
}
