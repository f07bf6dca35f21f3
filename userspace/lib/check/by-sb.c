// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mounts by their superblock; those that receive from a group.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <string.h>

#include "check/check.h"

uint32_t *mc_mounts_by_sb(const struct mc_topology *t, uint32_t **first)
{
	uint32_t *mounts = calloc(t->nr_mounts + 1UL, sizeof(*mounts));
	uint32_t *at = calloc(t->nr_sbs + 2UL, sizeof(*at)), i;

	*first = calloc(t->nr_sbs + 2UL, sizeof(**first));
	if (!mounts || !at || !*first) {
		free(mounts);
		free(at);
		return NULL;
	}
	for (i = 0; i < t->nr_sbs; i++)
		at[i + 1] = at[i] + t->sbs[i].nr_mounts;
	memcpy(*first, at, (t->nr_sbs + 1UL) * sizeof(*at));
	for (i = 0; i < t->nr_mounts; i++)
		mounts[at[t->mounts[i].sb]++] = i;
	free(at);
	return mounts;
}

uint32_t mc_receivers(const struct mc_topology *t, uint32_t g, uint32_t *mounts)
{
	uint32_t m, c, n = 0;

	for (m = t->groups[g].first_slave_mount; m != MC_NONE;
	     m = t->mounts[m].next_slave)
		mounts[n++] = m;
	for (c = t->groups[g].first_slave_group; c != MC_NONE;
	     c = t->groups[c].next_slave_group)
		mc_for_each_member(t, m, c)
			mounts[n++] = m;
	return n;
}
