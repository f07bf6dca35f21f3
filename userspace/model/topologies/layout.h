/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the mounts of a topology hang on one another: chosen, written, in order.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#include "topologies/dirs.h"
#include "topologies/topo.h"

/* Where each mount hangs: -1 below the root of its namespace. */
struct layout {
	signed char on[TOPO_MAX];
	signed char dir[TOPO_MAX];	/* at this directory of the tree; 0: at
					 * a place of its own */
	bool over[TOPO_MAX];	/* on the other one's root, covering it */
	bool locked[TOPO_MAX];
};

void layout_siblings(struct layout *l);
void layout_random(const struct topo *t, struct layout *l, uint64_t seed);
/* One of all that there are, as the hash says: every other time as siblings. */
void layout_of_hash(const struct topo *t, struct layout *l, uint64_t hash);
/* Some of those on others at directories of the tree: one may hide another. */
void layout_places(const struct topo *t, struct layout *l, uint64_t seed);
/* Numbers both as topo_parse() numbers what topo_print() prints. */
void layout_renumber(struct topo *t, struct layout *l);
/*
 * " : 1>0 2^1 3>0/a 4>0/b!": mount 1 hangs inside mount 0, mount 2 covers
 * mount 1, mounts 3 and 4 hang at directories of mount 0, 4 is locked.
 */
void layout_print(const struct topo *t, const struct layout *l, char *line,
		  size_t size);
int layout_parse(const struct topo *t, struct layout *l, const char *text);
/* Would mount @k hide the directory that mount @i is mounted on? */
bool layout_hides(const struct topo *t, const struct layout *l, int k, int i);
/* Parents first, before each mount all that it would hide. */
void layout_order(const struct topo *t, const struct layout *l, int *order);

/* Where mount @i goes: the mount it is on, or -1, and the directory. */
int layout_place(const struct topo *t, const struct layout *l, int i, int *at);

#endif
