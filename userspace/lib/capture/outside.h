/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the caller's own mount namespace shows of the superblocks and peer groups of a
 * topology, where it is none of the topology's namespaces.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_OUTSIDE_H
#define MC_OUTSIDE_H

#include "topology/topology.h"

/* Of a superblock, or of a peer group. */
struct mc_place {
	uint32_t next, next_peer; /* of the same superblock, the same group; MC_NONE */
	char *target, *root, *source;
	int id;
	bool seen;		/* its path leads there */
};

struct mc_outside {
	struct mc_place *places;
	uint32_t nr, max;
	struct mc_map *wanted;			/* devices of the topology */
	struct mc_map *by_dev, *by_group;	/* the first; the one to name */
};

/* Even if it fails it is to be freed. */
int mc_outside_read(struct mc_outside *o, const struct mc_topology *t,
		    struct mntcr_error *e);
void mc_outside_free(struct mc_outside *o);
/* MC_NONE: none.  The rest by next. */
uint32_t mc_outside_of(const struct mc_outside *o, const struct mc_sb *sb);
/* Where the superblock's own root is to be seen; NULL: nowhere. */
const struct mc_place *mc_outside_root(const struct mc_outside *o,
				       const struct mc_sb *sb);
/* The widest mount of it that a path leads to, and whose root is one; or NULL. */
const struct mc_place *mc_outside_widest(const struct mc_outside *o,
					 const struct mc_sb *sb);
/* A mount of that peer group, the widest that can be named; or NULL. */
const struct mc_place *mc_outside_group(const struct mc_outside *o, uint64_t group);

#endif /* MC_OUTSIDE_H */
