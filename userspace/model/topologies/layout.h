/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a sharing topology to a state of the model.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * Every namespace has a private root of superblock SB_ROOT; the mounts of the
 * topology are of SB_SHARED; what events mount is SB_EVENT and above.  All
 * superblocks have the same directories: the binary tree, and in each of its
 * directories places for events and places where other mounts hang.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#include "rules/model.h"
#include "topologies/topo.h"

enum { SB_ROOT, SB_SHARED, SB_EVENT };

#define DIRS_PER_ROOT	(2 * TOPO_MAX + 2)
#define NR_DIRS		(TOPO_ROOTS + TOPO_ROOTS * DIRS_PER_ROOT)

extern int build_dirs[NR_DIRS];

void build_init(void);
int dir_event(int root, int i);
int dir_hang(int root, int i);
int dir_extra(int root, int i);

/* Names: "a", "b"; "e0" for events, "h0" to hang on, "x0" and "x1" extra. */
#define DIR_PATH	16

const char *dir_path(int dir, int root, char *buf);	/* "" for itself */
int dir_walk(int from, const char *path);	/* -1: no such directory */

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
/* Parents first, before each mount all that it would hide. */
void layout_order(const struct topo *t, const struct layout *l, int *order);

int build_nr_ns(const struct topo *t);
/* Where mount @i goes: the mount it is on, or -1, and the directory. */
int build_place(const struct topo *t, const struct layout *l, int i, int *at);
/*
 * Private mounts in place, then groups, masters first, then locks.  @join: the members
 * after the first join its group, the slaves after the first are its siblings,
 * instead of one call for all.  @mnt: the model's mount for each.
 */
int build_model(const struct topo *t, const struct layout *l, bool join,
		struct model *m, int *mnt);

#endif
