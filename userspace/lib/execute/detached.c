// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Trees that are handed out by descriptor.  Each is built detached, and that is what is
 * handed out.  Where descriptors are few, it is built as what is mounted in a namespace of
 * its own; when it is complete, a clone of it is handed out, of the same superblocks and
 * in the same peer groups, and the namespace goes.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>

#include "capture/capture.h"
#include "execute/execute.h"

/* How many mounts has it?  -1: errno. */
static int64_t count(int tree)
{
	uint64_t *below;
	size_t nr;
	int ret = cap_list_tree(tree, &below, &nr);

	free(below);
	return ret ? -1 : (int64_t)nr + 1;
}

/* In a namespace, where its mounts receive from others it is not the only one to mount. */
static int clone_of(struct mc_exec *x, int root, const struct mc_op *op, uint32_t ns)
{
	int64_t nr;
	int tree;

	tree = mc_exec_open_tree(x, root, "", OPEN_TREE_FOREIGN | AT_RECURSIVE, NULL);
	if (tree < 0)
		return mc_exec_fail(x, op, errno, "cloning the tree");
	nr = count(tree);
	if (nr == x->t->ns[ns].nr_mounts)
		return tree;
	if (nr < 0)
		mc_exec_fail(x, op, errno, "listing the tree");
	else
		mc_fail(x->e, MNTCR_CHANGED, 0,
			"namespace %u: a detached tree was built in a namespace, and something was mounted or unmounted meanwhile where its mounts receive from",
			ns);
	mc_close(tree);
	return -1;
}

int mc_exec_detach(struct mc_exec *x, const struct mc_op *op)
{
	uint32_t ns = x->t->mounts[MC_REF_INDEX(op->obj)].ns;
	int root = mc_exec_fd(x, op->obj);

	if (root < 0)
		return mc_exec_fail(x, op, errno, "opening it by its id");
	if (!(op->flags & MC_WHOLE)) {
		x->tree_fd[ns] = clone_of(x, root, op, ns);
		return x->tree_fd[ns] < 0 ? -1 : 0;
	}
	/* of the same open file: it is dissolved with the last descriptor of that */
	x->tree_fd[ns] = fcntl(root, F_DUPFD_CLOEXEC, 3);
	return x->tree_fd[ns] < 0 ? mc_exec_fail(x, op, errno, "dup") : 0;
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
