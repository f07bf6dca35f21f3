// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * With stock kernels' calls.  A clone can only be made in the namespace that
 * its source is in, an attach only in the one that it goes to: clones are
 * therefore made many at a time, from one scratch namespace, and attached many
 * at a time, with one setns(2) each way.  Sharing is joined mount by mount.
 *
 * All of it happens in a thread whose root and cwd are its own.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "execute/execute.h"
#include "execute/upstream.h"

/* --- start and finish ----------------------------------------------------- */

/*
 * The scratch namespace holds the bases and is what new namespaces are copied
 * from where none can be made empty: it is emptied by hand once.
 */
static int make_scratch(struct mc_exec *x)
{
	struct mc_mount_attr attr = { .propagation = MS_PRIVATE };
	int fd;

	mc_count(x, UNSHARE);
	if (mc_unshare(UNSHARE_EMPTY_MNTNS)) {
		if (errno != EINVAL)
			return -1;
		x->no_empty_ns = true;
		mc_count(x, UNSHARE);
		if (mc_unshare(CLONE_NEWNS))
			return -1;
	}
	mc_count(x, MOUNT_SETATTR);
	if (mc_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attr,
			     MC_MOUNT_ATTR_SIZE_VER0))
		return -1;
	fd = mc_exec_tmpfs(x);
	if (fd < 0)
		return -1;
	x->scratch_fd = fd;
	mc_count(x, MOVE_MOUNT);
	if (mc_move_mount(fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH))
		return -1;
	if (x->no_empty_ns && mc_up_become_root(x, fd))
		return -1;
	x->scratch_ns_fd = mc_ns_open_self(x);
	x->in = MC_IN_SCRATCH;
	return x->scratch_ns_fd < 0 ? -1 : 0;
}

static int up_start(struct mc_exec *x)
{
	mc_count(x, UNSHARE);
	if (unshare(CLONE_FS))
		return mc_fail(x->e, MNTCR_SYS, errno, "unshare(CLONE_FS)");
	x->caller_ns_fd = mc_ns_open_self(x);
	mc_count(x, OPENAT);
	x->fd_dir = openat(x->proc_fd, "thread-self/fd",
			   O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (x->caller_ns_fd < 0 || x->fd_dir < 0)
		return mc_fail(x->e, MNTCR_SYS, errno, "opening /proc/thread-self");
	if (make_scratch(x))
		return mc_fail(x->e, MNTCR_SYS, errno,
			       "making the scratch namespace (CAP_SYS_ADMIN)");
	return 0;
}

/*
 * Leave and close the scratch namespace: the temporary mounts in it, and what
 * they share, are gone before the restore is said to be done.
 */
static int up_finish(struct mc_exec *x)
{
	int ret = 0;

	if (x->caller_ns_fd >= 0 && mc_up_enter(x, MC_IN_CALLERS))
		ret = mc_fail(x->e, MNTCR_SYS, errno, "returning to the own namespace");
	mc_close(x->copy_fd);
	mc_close(x->scratch_fd);
	mc_close(x->scratch_ns_fd);
	mc_close(x->caller_ns_fd);
	mc_close(x->fd_dir);
	x->copy_fd = -1;
	x->scratch_fd = x->scratch_ns_fd = x->caller_ns_fd = x->fd_dir = -1;
	return ret;
}

static int up_make_ns(struct mc_exec *x, const struct mc_op *op)
{
	uint32_t ns = MC_REF_INDEX(op->obj);
	const struct mc_ns *n = &x->t->ns[ns];

	if (x->no_empty_ns && n->userns != MC_NONE &&
	    !x->t->userns[n->userns].dumper)
		return mc_refuse(x->e, "owner",
				 "namespace %u is owned by another user namespace, and this kernel cannot make an empty one",
				 ns);
	if (!x->ns_made++ && mc_ns_choose_cpu(x))
		return -1;
	x->placeholder[ns] = x->no_empty_ns;
	if (mc_ns_make_here(x, ns))
		return -1;
	x->in = ns;
	x->in_fd_dir = false;
	/*
	 * Made by a child in the owner's user namespace, it is entered through
	 * its file.
	 */
	if (n->userns != MC_NONE && !x->t->userns[n->userns].dumper)
		x->in = MC_NONE;
	return 0;
}

static int up_go_home(struct mc_exec *x, const struct mc_op *op)
{
	if (mc_up_enter(x, MC_IN_CALLERS))
		return mc_exec_fail(x, op, errno, "entering the own namespace");
	return 0;
}

/* By its path: stock kernels cannot open a mount by its id. */
static int up_reopen(struct mc_exec *x, uint32_t mount)
{
	struct statx st;
	char *path;
	int fd;

	if (x->in_fd_dir)
		x->in = MC_NONE;
	if (mc_up_enter(x, x->t->mounts[mount].ns))
		return -1;
	path = mc_mount_path(x->t, mount);
	if (!path) {
		errno = ENOMEM;
		return -1;
	}
	fd = mc_exec_below(x, AT_FDCWD, path, true);
	free(path);
	if (fd < 0)
		return -1;
	mc_count(x, STATX);
	if (!mc_look(fd, STATX_MNT_ID_UNIQUE, &st) &&
	    st.stx_mnt_id == x->spilled[mount])
		return fd;
	mc_count(x, CLOSE);
	close(fd);
	errno = ESTALE;
	return -1;
}

/* --- clones --------------------------------------------------------------- */

/* Where all is that waits to be put there. */
static int go_to_scratch(struct mc_exec *x, const struct mc_op *op)
{
	if (x->nr_put_off && x->put_off_to == MC_IN_SCRATCH && mc_up_flush(x))
		return -1;
	if (mc_up_enter(x, MC_IN_SCRATCH))
		return mc_exec_fail(x, op, errno, "entering the scratch namespace");
	return 0;
}

static int up_layer(struct mc_exec *x, uint32_t src, const struct mc_mount_attr *attr,
		    const struct mc_op *op)
{
	const char *path;
	int fd;

	if (go_to_scratch(x, op))
		return -1;
	fd = mc_exec_src(x, src, &path);
	return mc_exec_open_tree(x, fd, path, 0, attr);
}

static int origin_of_clone(struct mc_exec *x, const struct mc_op *op,
			   const char **path)
{
	uint32_t s = MC_REF_INDEX(op->arg);
	const struct mc_src *src = &x->p->srcs[s];

	*path = "";
	if ((src->kind == MC_SRC_LIVE || src->kind == MC_SRC_EXTERNAL) &&
	    !src->scratch)
		return mc_up_open_origin(x, s, op);
	if (src->kind != MC_SRC_NSFILE && src->kind != MC_SRC_NSMADE && go_to_scratch(x, op))
		return -1;
	return mc_exec_src(x, s, path);
}

static int up_clone(struct mc_exec *x, const struct mc_op *op)
{
	const struct mc_mount_attr priv = { .propagation = MS_PRIVATE };
	bool temp = MC_REF_KIND(op->obj) == MC_REF_TEMP;
	uint32_t m = MC_REF_INDEX(op->obj), s = MC_REF_INDEX(op->arg);
	struct mc_mount_attr attr, *want = &attr;
	const char *path;
	int fd;

	if (temp)
		attr = priv;
	else
		mc_exec_attr(x, m, &attr);
	mc_exec_idmap(x, op, &attr);
	if (temp ? x->p->temps[m].keep_sharing : op->flags & MC_PLAIN)
		want = NULL;
	if (x->p->srcs[s].direct) {
		fd = x->src_fd[s];
		x->src_fd[s] = -1;
		x->mount_fd[m] = fd;
		if (!want)
			return 0;
		mc_count(x, MOUNT_SETATTR);
		if (mc_mount_setattr(fd, "", AT_EMPTY_PATH, &attr,
				     MC_MOUNT_ATTR_SIZE_VER0))
			return mc_exec_fail(x, op, errno, "mount_setattr");
		return 0;
	}
	for (;;) {
		fd = origin_of_clone(x, op, &path);
		if (fd < 0)
			return -1;
		fd = x->p->srcs[s].with_unlinked ?
		     mc_exec_clone_with(x, fd, 0, want) :
		     mc_exec_open_tree(x, fd, path, 0, want);
		if (!mc_up_lacks_room(x, fd))
			break;
		if (mc_up_flush(x))
			return -1;
	}
	if (fd < 0)
		return mc_exec_fail(x, op, errno, "cloning");
	if (!temp) {
		x->mount_fd[m] = fd;
		return 0;
	}
	x->temp_fd[m] = fd;
	return mc_up_to_scratch(x, op->obj, mc_exec_is_dir(x, fd), op);
}

static int up_attach(struct mc_exec *x, const struct mc_op *op)
{
	uint32_t m = MC_REF_INDEX(op->obj);
	bool tree = x->p->roots_last && x->t->mounts[m].parent != MC_NONE;

	return mc_up_put_off(x, op->obj, op, tree ? MC_IN_TREE : x->t->mounts[m].ns, 0);
}

static int up_lock(struct mc_exec *x, const struct mc_op *op)
{
	return mc_refuse(x->e, "locks", "the upstream calls cannot lock a mount");
}

const struct mc_backend mc_backend_upstream = {
	.name = "upstream",
	.start = up_start,
	.finish = up_finish,
	.make_ns = up_make_ns,
	.go_home = up_go_home,
	.reopen = up_reopen,
	.open_src = mc_up_open_src,
	.base_src = mc_up_base_src,
	.clone = up_clone,
	.layer = up_layer,
	.attach = up_attach,
	.group = mc_up_group,
	.lock = up_lock,
	.flush = mc_up_flush,
};
