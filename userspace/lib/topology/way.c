// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where may a path be walked without anybody but the kernel being asked?  A dead
 * or hanging server of FUSE or NFS would keep the walk for ever.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <string.h>

#include "base/base.h"
#include "topology/topology.h"

/* These ask nobody but the kernel and its disks: an overlay may have other layers. */
static const char *const local[] = {
	"sysfs", "proc", "tmpfs", "ramfs", "devtmpfs", "devpts", "mqueue", "hugetlbfs",
	"cgroup", "cgroup2", "debugfs", "tracefs", "securityfs", "configfs", "rootfs",
	"ext4", "xfs", "btrfs",
};

bool mc_sb_is_local(const struct mc_sb *sb)
{
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(local); i++)
		if (!strcmp(sb->type, local[i]))
			return true;
	return false;
}

size_t mc_local_way(const struct mc_topology *t, uint32_t m)
{
	const struct mc_mount *mounts = t->mounts;
	uint32_t parent;
	size_t n = 0;

	for (; (parent = mounts[m].parent) != MC_NONE; m = parent) {
		if (!mc_sb_is_local(&t->sbs[mounts[parent].sb]))
			break;
		if (mounts[m].mountpoint[1])
			n += strlen(mounts[m].mountpoint);
	}
	return n;
}
