// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where what is mounted on a mount appears, by the topology alone.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <string.h>

#include "topology/topology.h"

static bool receives(const struct mc_topology *t, uint32_t group, uint32_t r)
{
	const struct mc_mount *m = &t->mounts[r];
	uint32_t g = m->group != MC_NONE ? m->group : m->master;

	while (g != MC_NONE && g != group)
		g = t->groups[g].master;
	return g != MC_NONE;
}

const char *mc_event_lands(const struct mc_topology *t, uint32_t on, uint32_t r)
{
	const struct mc_mount *from = &t->mounts[on], *to = &t->mounts[r];
	size_t n = strlen(to->root);

	if (on == r)
		return "/";
	if (from->group == MC_NONE || !receives(t, from->group, r))
		return NULL;
	/* Where a directory that is unlinked was, nobody knows. */
	if (from->root_deleted || to->root_deleted || to->root[0] != '/')
		return from->root_deleted == to->root_deleted &&
		       !strcmp(from->root, to->root) ? "/" : NULL;
	if (n == 1)
		return from->root;
	if (strncmp(from->root, to->root, n))
		return NULL;
	return from->root[n] == '/' ? from->root + n :
	       from->root[n] ? NULL : "/";
}
