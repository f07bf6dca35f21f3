// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Superblocks by what an option names them with.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "topology/topology.h"

static bool device_is(const struct mc_sb *sb, const char *key)
{
	char device[32];

	snprintf(device, sizeof(device), "%u:%u", sb->major, sb->minor);
	return !strcmp(key, device);
}

uint32_t mc_find_sb(const struct mc_topology *t, const char *key)
{
	uint32_t i;

	if (*key == '/') {
		i = t->nr_ns ? mc_mount_at(t, 0, key) : MC_NONE;
		return i == MC_NONE ? MC_NONE : t->mounts[i].sb;
	}
	for (i = 0; i < t->nr_sbs && !device_is(&t->sbs[i], key); i++)
		;
	return i < t->nr_sbs ? i : MC_NONE;
}

char *mc_sb_key(const struct mc_sb *sb)
{
	const char *root = sb->outside.path ? sb->outside.root : "/";
	char *key;

	return asprintf(&key, "%u:%u%s%s", sb->major, sb->minor, root[1] ? ":" : "",
			root[1] ? root : "") < 0 ? NULL : key;
}
