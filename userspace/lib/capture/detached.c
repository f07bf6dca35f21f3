// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A tree of mounts that is attached nowhere, and that a task holds by descriptor.  The
 * anonymous mount namespace that it is in has neither id nor file, and of its mounts only
 * the one that the descriptor is of can be asked about, and those that a path leads to
 * from there.  So a copy of the tree becomes the root of a new mount namespace: all else is
 * done with that.
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

static int fail(const struct mntcr_detached *d, int err, const char *what)
{
	return mc_fail(d->e, MNTCR_SYS, err, "detached tree %s: %s", d->name, what);
}

static int refuse(const struct mntcr_detached *d, const char *rule, const char *what)
{
	return mc_refuse(d->e, rule, "%s: %s", d->name, what);
}

/* What the caller may not do, and somebody else may, is refused; else it is an error. */
static int fail_there(const struct mntcr_detached *d, int err, const char *what,
		      const char *help)
{
	char text[256];

	if (err != EPERM && err != EACCES)
		return fail(d, err, what);
	snprintf(text, sizeof(text), "%s is not allowed; would help: %s", what, help);
	return refuse(d, "detached-out-of-reach", text);
}

#define TRACING	"CAP_SYS_PTRACE over the process (pidfd_getfd(2)), or that it hands its descriptor over"
#define ADMIN	"CAP_SYS_ADMIN over the mount namespace that it was made in"

static int no_descriptor(const struct mntcr_detached *d)
{
	return refuse(d, "not-detached", "no such descriptor is open in the process");
}

static int take(const struct mntcr_detached *d, int64_t pid, int fd)
{
	int pidfd, got, err;

	if (!pid) {
		got = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (got < 0 && errno == EBADF)
			return no_descriptor(d);
		return got < 0 ? fail(d, errno, "its descriptor") : got;
	}
	pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	if (pidfd < 0 && errno == ESRCH)
		return refuse(d, "not-detached", "there is no such process");
	/* ENOENT since 6.14 */
	if (pidfd < 0 && (errno == EINVAL || errno == ENOENT))
		return refuse(d, "not-detached", "that is a thread, and no process; would help: the id of the process that it is of");
	if (pidfd < 0)
		return fail(d, errno, "its process");
	got = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	err = errno;
	mc_close(pidfd);
	if (got < 0 && err == EBADF)
		return no_descriptor(d);
	if (got < 0 && err == ESRCH)
		return refuse(d, "not-detached", "its process has ended");
	return got < 0 ? fail_there(d, err, "taking its descriptor", TRACING) : got;
}

static bool same_ids(const uint64_t *a, size_t nr_a, const uint64_t *b, size_t nr_b)
{
	return nr_a == nr_b && (!nr_a || !memcmp(a, b, nr_a * sizeof(*a)));
}

/* Is it the whole of a tree?  Then the id of its root. */
static int check_root(struct mntcr_detached *d, int fd, bool *dir)
{
	const struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER1, .mnt_ns_fd = (uint32_t)fd,
		.param = MC_STATMOUNT_MNT_BASIC,
	};
	struct mc_statmount sm;
	struct statx st;

	if (mc_statmount(&req, &sm, sizeof(sm), MC_STATMOUNT_BY_FD))
		return fail_there(d, errno, "statmount", ADMIN);
	if (sm.mnt_parent_id != sm.mnt_id)
		return refuse(d, "not-detached", "its mount is on another one of the tree; would help: the descriptor of that tree's root");
	if (mc_look(fd, 0, &st))
		return fail(d, errno, "statx");
	if (!(st.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return refuse(d, "not-detached", "it is not the root of its mount");
	d->root = sm.mnt_id;
	*dir = S_ISDIR(st.stx_mode);
	return 0;
}

/* Of the copy, that has not been seen by anybody yet. */
static int note_copied(struct mntcr_detached *d, int tree)
{
	uint64_t *below;
	struct statx st;
	size_t nr;

	if (cap_list_tree(tree, &below, &nr)) {
		free(below);
		return fail(d, errno, "listmount of a copy");
	}
	d->ids = malloc((nr + 1) * sizeof(*d->ids));
	if (!d->ids) {
		free(below);
		return mc_nomem(d->e);
	}
	if (nr)
		memcpy(d->ids + 1, below, nr * sizeof(*below));
	free(below);
	d->nr = nr + 1;
	if (mc_look(tree, STATX_MNT_ID_UNIQUE, &st))
		return fail(d, errno, "statx of a copy");
	/* it was copied first */
	d->ids[0] = st.stx_mnt_id;
	return 0;
}

static int copy(struct mntcr_detached *d, int fd)
{
	int tree = mc_open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
				OPEN_TREE_FOREIGN | AT_EMPTY_PATH | AT_RECURSIVE);

	/* do_loopback() of the kernel */
	if (tree < 0)
		return errno == EINVAL ?
		       refuse(d, "detached-unbindable", "its root is unbindable: open_tree(2) copies no such mount, and there is no other way to look at what is below") :
		       fail_there(d, errno, "copying it", ADMIN);
	if (!note_copied(d, tree))
		return tree;
	mc_close(tree);
	return -1;
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

#define CARRIED	"tree"

/* An empty file to mount on: all that an empty namespace has is a directory. */
static int carrier(struct mntcr_detached *d)
{
	int fs = mc_fsopen("tmpfs", MC_FSOPEN_CLOEXEC), fd = -1, file;
	struct statx st;

	if (fs >= 0 && !mc_fsconfig(fs, MC_FSCONFIG_SET_STRING, "mode", "0700", 0) &&
	    !mc_fsconfig(fs, MC_FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		fd = mc_fsmount(fs, MC_FSMOUNT_CLOEXEC, 0);
	file = fd < 0 ? -1 : openat(fd, CARRIED, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (file < 0 || mc_look(fd, STATX_MNT_ID_UNIQUE, &st)) {
		fail(d, errno, "making a file to mount a copy of it on");
		mc_close(fd);
		fd = -1;
	} else {
		d->carrier = st.stx_mnt_id;
	}
	mc_close(file);
	mc_close(fs);
	return fd;
}

static int move(int fd, int to, const char *path)
{
	return mc_move_mount(fd, "", to, path, MOVE_MOUNT_F_EMPTY_PATH |
			     (*path ? 0 : MOVE_MOUNT_T_EMPTY_PATH) |
			     MOVE_MOUNT_T_FOREIGN | MOVE_MOUNT_UNLOCKED);
}

static int attach(struct mntcr_detached *d, int tree, bool dir)
{
	struct made m = {
		.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC), .ns = -1, .root = -1,
	};
	int ret = m.proc < 0 ? errno : mc_in_thread(make_namespace, &m), on = -1;

	if (!ret)
		ret = m.err;
	if (ret) {
		ret = fail(d, ret, "making a mount namespace for a copy of it");
		goto out;
	}
	if (!dir) {
		on = carrier(d);
		ret = on < 0 ? -1 : 0;
		if (!ret && move(on, m.root, ""))
			ret = fail(d, errno, "attaching what a copy of it is mounted on");
		if (ret)
			goto out;
	}
	if (dir ? move(tree, m.root, "") : move(tree, on, CARRIED))
		ret = errno == ELOOP ?
		      refuse(d, "detached-namespace-file", "the file of a mount namespace is mounted in it, and no younger namespace can hold that") :
		      fail(d, errno, "attaching a copy of it");
out:
	mc_close(on);
	mc_close(m.proc);
	mc_close(m.root);
	if (ret)
		mc_close(m.ns);
	else
		d->source.fd = m.ns;
	return ret;
}

/*
 * A copy leaves out what is unbindable, and what is mounted on that.  The ids are never
 * used again, and nothing can be moved in the tree: what had the same ones before and
 * after was the same.
 */
static int check_copy(struct mntcr_detached *d, int fd, int tree, const uint64_t *was,
		      size_t nr_was)
{
	size_t nr = 0;
	uint64_t *is;
	int ret;

	ret = cap_is_copy_of(d, fd, tree, d->source.fd, was, nr_was);
	if (ret)
		return ret;
	if (cap_list_tree(fd, &is, &nr))
		ret = fail(d, errno, "listmount");
	else if (!same_ids(was, nr_was, is, nr))
		ret = mc_fail(d->e, MNTCR_CHANGED, 0, "detached tree %s: it changed meanwhile",
			      d->name);
	else if (d->nr != nr + 1)
		/* copy_tree() of the kernel */
		ret = refuse(d, "detached-unbindable", "a mount of it is unbindable: open_tree(2) leaves such out of a copy, and opens none of a detached tree by its id");
	free(is);
	return ret;
}

static int look_at(struct mntcr_detached *d, int fd)
{
	uint64_t *was;
	size_t nr_was;
	int tree = -1, ret = -1;
	bool dir;

	if (cap_list_tree(fd, &was, &nr_was)) {
		if (errno == EINVAL)
			refuse(d, "not-detached", "of no detached tree: it is attached, or not mounted at all");
		else
			fail_there(d, errno, "listmount", ADMIN);
		goto out;
	}
	if (check_root(d, fd, &dir))
		goto out;
	tree = copy(d, fd);
	if (tree >= 0 && !attach(d, tree, dir))
		ret = check_copy(d, fd, tree, was, nr_was);
out:
	mc_close(tree);
	free(was);
	return ret;
}

static int open_detached(struct mntcr_detached *d, int64_t pid, int number)
{
	int fd, ret;

	if (pid)
		snprintf(d->name, sizeof(d->name), "%" PRId64 ":%d", pid, number);
	else
		snprintf(d->name, sizeof(d->name), "fd:%d", number);
	fd = take(d, pid, number);
	if (fd < 0)
		return -1;
	ret = look_at(d, fd);
	/* dissolves it if the task has closed it meanwhile */
	mc_close(fd);
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
		.type = MNTCR_SOURCE_DETACHED, .path = d->name, .fd = -1, .tree = d,
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
	free(d->ids);
	free(d);
}
