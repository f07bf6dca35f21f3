// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is so of a type of filesystem: the one table that says what can be made anew,
 * what there is one of, and whom the rest is to be had from.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <string.h>

#include "base/base.h"
#include "topology/topology.h"

/*
 * proc, sysfs and mqueue show a namespace of the process that mounts them; of sysfs
 * and mqueue the kernel has one superblock for each such namespace, and makes no
 * second one.
 */
static const struct mc_type types[] = {
	{ .name = "tmpfs", .kind = MC_TYPE_MEMORY, .fresh = true },
	{ .name = "ramfs", .kind = MC_TYPE_MEMORY, .fresh = true },
	{ .name = "proc", .kind = MC_TYPE_NAMESPACE, .fresh = true, .shows = "pid" },
	{ .name = "sysfs", .kind = MC_TYPE_NAMESPACE, .fresh = true, .shows = "network",
	  .once = true, .again = true },
	{ .name = "mqueue", .kind = MC_TYPE_NAMESPACE, .fresh = true, .shows = "ipc",
	  .once = true, .again = true, .lossy = true },
	{ .name = "binfmt_misc", .kind = MC_TYPE_NAMESPACE, .shows = "user" },
	{ .name = "devpts", .kind = MC_TYPE_OF_ITS_OWN, .fresh = true },
	{ .name = "bpf", .kind = MC_TYPE_OF_ITS_OWN },
	{ .name = "hugetlbfs", .kind = MC_TYPE_OF_ITS_OWN, .fresh = true, .lossy = true },
	{ .name = "cgroup2", .kind = MC_TYPE_ONE_FOR_ALL, .again = true },
	{ .name = "cgroup", .kind = MC_TYPE_ONE_FOR_ALL },
	{ .name = "devtmpfs", .kind = MC_TYPE_ONE_FOR_ALL },
	{ .name = "debugfs", .kind = MC_TYPE_ONE_FOR_ALL, .again_plain = true },
	{ .name = "tracefs", .kind = MC_TYPE_ONE_FOR_ALL, .again_plain = true },
	{ .name = "securityfs", .kind = MC_TYPE_ONE_FOR_ALL, .again = true },
	{ .name = "configfs", .kind = MC_TYPE_ONE_FOR_ALL, .again = true },
	{ .name = "pstore", .kind = MC_TYPE_ONE_FOR_ALL },
	{ .name = "efivarfs", .kind = MC_TYPE_ONE_FOR_ALL },
	{ .name = "fusectl", .kind = MC_TYPE_ONE_FOR_ALL, .again = true },
	{ .name = "nsfs", .kind = MC_TYPE_FILES },
	{ .name = "pidfs", .kind = MC_TYPE_FILES },
	{ .name = "overlay", .kind = MC_TYPE_LAYERS },
	{ .name = "ext2", .kind = MC_TYPE_DEVICE },
	{ .name = "ext3", .kind = MC_TYPE_DEVICE },
	{ .name = "ext4", .kind = MC_TYPE_DEVICE },
	{ .name = "xfs", .kind = MC_TYPE_DEVICE },
	{ .name = "squashfs", .kind = MC_TYPE_DEVICE },
	{ .name = "erofs", .kind = MC_TYPE_DEVICE },
	{ .name = "fuse", .kind = MC_TYPE_SERVER },
	{ .name = "fuseblk", .kind = MC_TYPE_SERVER },
	{ .name = "virtiofs", .kind = MC_TYPE_SERVER },
	{ .name = "autofs", .kind = MC_TYPE_SERVER },
	{ .name = "nfs", .kind = MC_TYPE_SERVER },
	{ .name = "nfs4", .kind = MC_TYPE_SERVER },
	{ .name = "cifs", .kind = MC_TYPE_SERVER },
	{ .name = "9p", .kind = MC_TYPE_SERVER },
};
_Static_assert(MC_ARRAY_SIZE(types) <= 64, "mc_plan_priv.fresh_once has 64 bits");

static const struct mc_type other = { .name = "", .kind = MC_TYPE_OTHER };

const struct mc_type *mc_type_of(const char *name)
{
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(types); i++)
		if (!strcmp(name, types[i].name))
			return &types[i];
	return &other;
}

uint64_t mc_type_bit(const struct mc_type *type)
{
	return type == &other ? 0 : 1ULL << (type - types);
}

bool mc_type_on_device(const char *type)
{
	return mc_type_of(type)->kind == MC_TYPE_DEVICE;
}

bool mc_type_of_layers(const char *type)
{
	return mc_type_of(type)->kind == MC_TYPE_LAYERS;
}

bool mc_type_elsewhere(const char *type)
{
	return mc_type_on_device(type) || mc_type_of_layers(type);
}
