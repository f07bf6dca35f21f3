// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which mounts may have come later than the order has it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>

#include "verify/order.h"

/* The next below top, with first children if they are wanted, siblings, and up again. */
static uint32_t next_below(const struct mc_topology *t, uint32_t m, uint32_t top,
			   bool children)
{
	if (children && t->mounts[m].first_child != MC_NONE)
		return t->mounts[m].first_child;
	while (m != top && t->mounts[m].next_sibling == MC_NONE)
		m = t->mounts[m].parent;
	return m == top ? MC_NONE : t->mounts[m].next_sibling;
}

bool *mc_verify_delayed(const struct mc_topology *t, const uint64_t *ids, size_t nr,
			struct mntcr_error *e)
{
	bool *late = calloc(t->nr_mounts + 1UL, sizeof(*late));
	uint32_t m, top;
	bool was;
	size_t i;

	if (!late) {
		mc_nomem(e);
		return NULL;
	}
	for (i = 0; i < nr; i++) {
		top = mc_find_mount(t, ids[i]);
		if (top == MC_NONE) {
			mc_fail(e, MNTCR_USAGE, 0, "delayed: no mount has the id %llu",
				(unsigned long long)ids[i]);
			free(late);
			return NULL;
		}
		/* what is on another of them is so already */
		for (m = top; m != MC_NONE; m = next_below(t, m, top, !was)) {
			was = late[m];
			late[m] = true;
		}
	}
	return late;
}
