// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * With stock kernels' calls: live mounts and others as sources of clones; those that are
 * covered are found in a copy.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "execute/execute.h"
#include "execute/upstream.h"

/*
 * The id tells whether it is that mount.  Ids of mountinfo are used again,
 * unique ones after a restart: then the superblock is another, in most cases.
 */
static bool is_original(const struct mc_exec *x, const struct mc_mount *m,
			const struct statx *st)
{
	/* no kernel with unique ids lacks the others */
	return (!(st->stx_mask & (STATX_MNT_ID | STATX_MNT_ID_UNIQUE)) ||
		mc_look_is(st, x->t->unique_ids, m->id, m->id_old)) &&
	       mc_exec_same_device(x, m, st);
}

/* The live mount, by its path in its namespace. */
static int open_live(struct mc_exec *x, uint32_t mount, const struct mc_op *op)
{
	const struct mc_mount *m = &x->t->mounts[mount];
	struct statx st;
	char *path;
	int fd;

	if (x->in_fd_dir)
		x->in = MC_NONE;
	if (mc_up_enter(x, MC_IN_LIVE | m->ns))
		return mc_exec_fail(x, op, errno, "entering the live namespace");
	path = mc_mount_path(x->t, mount);
	if (!path)
		return mc_nomem(x->e);
	fd = mc_exec_below(x, AT_FDCWD, path, true);
	free(path);
	if (fd < 0)
		return mc_exec_fail(x, op, errno, "opening the live mount by its path");
	if (mc_exec_junk(x, fd))
		return -1;
	mc_count(x, STATX);
	if (mc_look(fd, x->t->unique_ids ? STATX_MNT_ID_UNIQUE : 0, &st))
		return mc_exec_fail(x, op, errno, "statx of the live mount");
	if (!is_original(x, m, &st))
		return mc_exec_fail(x, op, ESTALE, "its path leads to another mount");
	return fd;
}

/* Enter the namespace of the source and open it there. */
int mc_up_open_origin(struct mc_exec *x, uint32_t s, const struct mc_op *op)
{
	const struct mc_src *src = &x->p->srcs[s];

	if (src->kind == MC_SRC_LIVE)
		return open_live(x, src->index, op);
	if (mc_up_enter(x, MC_IN_CALLERS))
		return mc_exec_fail(x, op, errno, "entering the own namespace");
	return x->external_fd[src->index];
}

int mc_up_open_src(struct mc_exec *x, uint32_t s)
{
	int fd;

	/* Only masters: everything else is a base, or cloned where it is. */
	fd = fcntl(x->master_fd[x->p->srcs[s].index], F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return mc_exec_fail(x, &x->p->ops[x->op_at], errno, "dup");
	x->src_fd[s] = fd;
	return 0;
}

/* --- sources that are covered ---------------------------------------------- */

/* From the copied mount to m: paths of both, one below the other. */
static int below_copy(struct mc_exec *x, uint32_t m, const struct mc_op *op)
{
	char *up = mc_mount_path(x->t, MC_REF_INDEX(op->arg));
	char *path = mc_mount_path(x->t, m);
	int fd = -1;

	if (!up || !path)
		mc_nomem(x->e);
	else {
		fd = mc_exec_below(x, x->copy_fd,
				   path + (up[1] ? strlen(up) : 0), true);
		if (fd < 0)
			mc_exec_fail(x, op, errno, "finding it in a copy of its tree");
	}
	free(up);
	free(path);
	return mc_exec_junk(x, fd) ? -1 : fd;
}

/* Nothing in the copy is shared: what is unmounted there goes nowhere else. */
static int copy_tree(struct mc_exec *x, const struct mc_op *op)
{
	const struct mc_mount_attr attr = { .propagation = MS_PRIVATE };
	char name[16];
	int fd;

	fd = open_live(x, MC_REF_INDEX(op->arg), op);
	if (fd < 0)
		return -1;
	fd = mc_exec_open_tree(x, fd, "", AT_RECURSIVE, &attr);
	if (fd < 0)
		return mc_exec_fail(x, op, errno, "copying the tree that it is in");
	mc_exec_junk(x, x->copy_fd);
	x->copy_fd = fd;
	if (mc_up_flush(x))
		return -1;
	if (mc_up_enter(x, MC_IN_SCRATCH))
		return mc_exec_fail(x, op, errno, "entering the scratch namespace");
	if (mc_exec_slot(x, true, name, sizeof(name)))
		return mc_exec_fail(x, op, errno, "making a place in the scratch tree");
	mc_count(x, MOVE_MOUNT);
	if (mc_move_mount(fd, "", x->scratch_fd, name, MOVE_MOUNT_F_EMPTY_PATH))
		return mc_exec_fail(x, op, errno, "putting a copy into the scratch tree");
	return 0;
}

/* By descriptor: a path could be led astray. */
static int remove_cover(struct mc_exec *x, uint32_t m, const struct mc_op *op)
{
	int fd = below_copy(x, m, op);
	char name[16];

	if (fd < 0)
		return -1;
	snprintf(name, sizeof(name), "%d", fd);
	mc_count(x, FCHDIR);
	mc_count(x, UMOUNT);
	x->in_fd_dir = true;
	if (fchdir(x->fd_dir) || umount2(name, MNT_DETACH))
		return mc_exec_fail_unmount(x, op, m, errno, "a copy of its tree");
	return 0;
}

/* The source is cloned from within the copy. */
static int open_copied(struct mc_exec *x, uint32_t m, const struct mc_op *op)
{
	int fd = open_live(x, m, op);

	if (fd >= 0)
		fd = mc_ns_copied(x, m, fd, op);
	if (fd < 0)
		return -1;
	if (x->in == MC_IN_COPY)	/* of another one */
		x->in = MC_NONE;
	if (mc_up_enter(x, MC_IN_COPY))
		return mc_exec_fail(x, op, errno, "entering a copy of its namespace");
	return fd;
}

static int check_superblock(struct mc_exec *x, int fd, uint32_t sb,
			    const struct mc_op *op)
{
	const struct mc_sb *s = &x->t->sbs[sb];
	struct statx st;

	mc_count(x, STATX);
	if (mc_look(fd, 0, &st))
		return mc_exec_fail(x, op, errno, "statx in a copy of its tree");
	/* btrfs has devices of its own for its subvolumes */
	if ((st.stx_dev_major == s->major && st.stx_dev_minor == s->minor) ||
	    !strcmp(s->type, "btrfs"))
		return 0;
	return mc_exec_fail(x, op, ESTALE, "something else is there");
}

static int open_covered(struct mc_exec *x, uint32_t s, const struct mc_op *op)
{
	uint32_t i;
	int fd;

	if (op->flags & MC_NEW_COPY && copy_tree(x, op))
		return -1;
	if (mc_up_enter(x, MC_IN_SCRATCH))
		return mc_exec_fail(x, op, errno, "entering the scratch namespace");
	for (i = 0; i < op->nr; i++)
		if (remove_cover(x, MC_REF_INDEX(x->p->list[op->first + i]), op))
			return -1;
	fd = below_copy(x, x->p->srcs[s].index, op);
	if (fd < 0 || check_superblock(x, fd, x->p->srcs[s].sb, op))
		return -1;
	return fd;
}

int mc_up_base_src(struct mc_exec *x, uint32_t s)
{
	struct mc_mount_attr attr;
	const struct mc_op *op = &x->p->ops[x->op_at];
	int fd;

	while (!mc_src_is_opened(&x->p->srcs[s])) {
		/*
		 * All sources of one live namespace are opened before going to
		 * the scratch namespace, so that each is entered once.
		 */
		fd = x->p->srcs[s].covered ? open_covered(x, s, op) :
		     x->p->srcs[s].copied ?
		     open_copied(x, x->p->srcs[s].index, op) :
		     mc_up_open_origin(x, s, op);
		if (fd < 0)
			return -1;
		mc_exec_base_attr(x, &x->p->srcs[s], &attr);
		fd = x->p->srcs[s].with_unlinked ?
		     mc_exec_open_tree(x, fd, "", AT_RECURSIVE, NULL) :
		     mc_exec_open_tree(x, fd, "", 0, &attr);
		x->src_fd[s] = fd;
		if (fd >= 0)
			break;
		/* its covers are unmounted in this copy already */
		if (!mc_up_lacks_room(x, fd) || x->p->srcs[s].covered ||
		    x->p->srcs[s].with_unlinked)
			return mc_exec_fail(x, op, errno, "cloning");
		if (mc_up_flush(x))
			return -1;
	}
	return mc_up_to_scratch(x, op->obj, mc_exec_src_is_dir(x, s, x->src_fd[s]), op);
}
