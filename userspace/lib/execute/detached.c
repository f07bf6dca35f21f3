// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Trees that are handed out by descriptor.  Each is built as what is mounted in a
 * namespace of its own; when it is complete, a clone of it is what is handed out, of the
 * same superblocks and in the same peer groups, and the namespace goes.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "execute/execute.h"

int mc_exec_detach(struct mc_exec *x, const struct mc_op *op)
{
	uint32_t ns = x->t->mounts[MC_REF_INDEX(op->obj)].ns;
	int root = mc_exec_fd(x, op->obj);

	if (root < 0)
		return mc_exec_fail(x, op, errno, "opening it by its id");
	x->tree_fd[ns] = mc_exec_open_tree(x, root, "", OPEN_TREE_FOREIGN | AT_RECURSIVE, NULL);
	return x->tree_fd[ns] < 0 ? mc_exec_fail(x, op, errno, "cloning the tree") : 0;
}

void mc_exec_leave_trees(struct mc_exec *x)
{
	const struct mc_ns *n;
	uint32_t i, m;

	for (i = 0; i < x->t->nr_ns; i++) {
		n = &x->t->ns[i];
		if (!n->detached)
			continue;
		for (m = n->first_mount; m < n->first_mount + n->nr_mounts; m++) {
			mc_close(x->mount_fd[m]);
			x->mount_fd[m] = -1;
		}
		mc_close(x->nsroot_fd[i]);
		mc_close(x->ns_fd[i]);
		x->nsroot_fd[i] = x->ns_fd[i] = -1;
	}
}
