// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * With stock kernels' calls: sharing is joined mount by mount.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>

#include "execute/execute.h"
#include "execute/upstream.h"

static uint32_t place(const struct mc_exec *x, mc_ref r)
{
	switch (MC_REF_KIND(r)) {
	case MC_REF_MOUNT:
		return x->t->mounts[MC_REF_INDEX(r)].ns;
	case MC_REF_NS:
		return MC_REF_INDEX(r);
	default:
		return MC_IN_SCRATCH;
	}
}

/*
 * mount(2) on /proc/thread-self/fd/N changes the type of a mount in any
 * namespace since 6.17; before (EINVAL), one has to go there.  Into a tree
 * that is detached nobody can go, but no kernel that needs it has such trees.
 */
static int set_type(struct mc_exec *x, mc_ref r, unsigned long type,
		    const struct mc_op *op)
{
	struct mc_mount_attr attr = { .propagation = type };
	int fd = mc_up_fd(x, r, op);
	char name[16];

	if (fd < 0)
		return -1;
	if (!x->no_foreign_type) {
		if (!x->in_fd_dir) {
			mc_count(x, FCHDIR);
			if (fchdir(x->fd_dir))
				return mc_exec_fail(x, op, errno,
						    "going to /proc/thread-self/fd");
			x->in_fd_dir = true;
		}
		snprintf(name, sizeof(name), "%d", fd);
		mc_count(x, MOUNT);
		if (!mount(NULL, name, NULL, type, NULL))
			return 0;
		if (errno != EINVAL || x->p->roots_last)
			return mc_exec_fail(x, op, errno,
					    "changing its propagation type");
		x->no_foreign_type = true;
	}
	if (mc_up_enter(x, place(x, r)))
		return mc_exec_fail(x, op, errno, "entering its namespace");
	mc_count(x, MOUNT_SETATTR);
	if (mc_mount_setattr(fd, "", AT_EMPTY_PATH, &attr, MC_MOUNT_ATTR_SIZE_VER0))
		return mc_exec_fail(x, op, errno, "changing its propagation type");
	return 0;
}

static int join(struct mc_exec *x, mc_ref from, mc_ref to, const struct mc_op *op)
{
	int from_fd = mc_up_fd(x, from, op);
	int to_fd = from_fd < 0 ? -1 : mc_up_fd(x, to, op);
	struct mc_op about = *op;

	/* the member that it is about, and not all */
	while (about.nr > 1 && x->p->list[about.first] != to) {
		about.first++;
		about.nr--;
	}
	about.nr = 1;
	about.arg = from;
	if (to_fd < 0)
		return -1;
	mc_count(x, SET_GROUP);
	if (mc_move_mount(from_fd, "", to_fd, "",
			  MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH |
			  MOVE_MOUNT_SET_GROUP))
		return mc_exec_fail(x, &about, errno, "MOVE_MOUNT_SET_GROUP");
	return 0;
}

/*
 * Stock kernels make a slave of a group of what was its peer, by MS_SLAVE only.
 */
static int enslave(struct mc_exec *x, mc_ref master, mc_ref r,
		   const struct mc_op *op)
{
	return join(x, master, r, op) || set_type(x, r, MS_SLAVE, op) ? -1 : 0;
}

static bool contains(const struct mc_exec *x, mc_ref a, mc_ref b)
{
	const struct mc_mount *m = &x->t->mounts[MC_REF_INDEX(a)];
	const struct mc_mount *n = &x->t->mounts[MC_REF_INDEX(b)];

	return m->root_deleted == n->root_deleted &&
	       mc_path_below(m->root, n->root);
}

int mc_up_group(struct mc_exec *x, const struct mc_op *op)
{
	const mc_ref *list = x->p->list + op->first;
	bool shared = op->flags & MOUNT_SETGROUP_SHARED;
	uint32_t i;
	int ret = 0;

	/* An older kernel's root is not nullfs, and not the namespace's own. */
	if (MC_REF_KIND(list[0]) == MC_REF_NS && x->no_empty_ns)
		return 0;
	if (op->flags & MOUNT_SETGROUP_MASTER)
		ret = enslave(x, op->arg, list[0], op);
	else if (op->arg != MC_NONE)
		ret = join(x, op->arg, list[0], op);
	if (!ret && shared)
		ret = set_type(x, list[0], MS_SHARED, op);
	for (i = 1; i < op->nr && !ret; i++) {
		if (shared)
			ret = join(x, list[0], list[i], op);
		else if (!(op->flags & MOUNT_SETGROUP_MASTER))
			ret = join(x, op->arg, list[i], op);
		else if (contains(x, list[0], list[i]))
			ret = join(x, list[0], list[i], op);
		else
			ret = enslave(x, op->arg, list[i], op);
	}
	return ret;
}
