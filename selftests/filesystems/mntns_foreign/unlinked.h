/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mounts whose root has been unlinked.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef __SELFTEST_MNTNS_FOREIGN_UNLINKED_H
#define __SELFTEST_MNTNS_FOREIGN_UNLINKED_H

#include <sys/stat.h>

#include "../mount_actors.h"

/* A clone of @name, which is gone then. */
static inline int clone_and_unlink(int dfd, const char *name, int flags)
{
	int fd = k_open_tree(dfd, name, OPEN_TREE_CLONE);

	if (fd >= 0 && unlinkat(dfd, name, flags))
		return -errno;
	return fd;
}

/* 0 if it can be attached, in a tree that nobody else sees, -ENOENT if not. */
static inline int probe_unlinked_root(void)
{
	int tree = detached_tmpfs(&this_test, 0);
	int sub, ret;

	if (tree < 0)
		return tree;
	if (mkdirat(tree, "a", 0755) || mkdirat(tree, "b", 0755))
		return -errno;
	sub = clone_and_unlink(tree, "a", AT_REMOVEDIR);
	if (sub < 0)
		return sub;
	ret = k_move_mount(sub, "", tree, "b", 0);
	close(sub);
	close(tree);
	return ret;
}

#endif /* __SELFTEST_MNTNS_FOREIGN_UNLINKED_H */
