/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Trees that are not uniform: every small one.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * A tree is a topology of 2 to TREE_BASE base mounts, with namespaces as
 * colours, all of them the root of the superblock, and for each place of its
 * class a second topology: of the children that hang there.  Each base mount
 * has none at that place, or one that is private, a member of a peer group of
 * children of that place, or a slave of one; where the class says so, locked
 * or not.  What children share is thus independent of what the mounts they are
 * on share: histories with umounts and changes of type lead to any of it.
 *
 * It is uniform when for any two base mounts, one of which receives from the
 * other, and each place: the receiver has a child there, one that receives
 * from the sender's, if and only if the sender has one.  Only the others are
 * in the class.
 *
 * Two trees are one if renumbering base mounts, groups and namespaces, and
 * where the class has "a" and "b" the two of them, makes one of the other.
 */
#ifndef TOPO_TREE_H
#define TOPO_TREE_H

#include "topologies/layout.h"

#define TREE_BASE	4
#define TREE_PLACES	2

enum tree_place {
	TREE_A, TREE_B,	/* directories of the base mount */
	TREE_BELOW,	/* "a/a" of the base mount: what is at "a" hides it */
	TREE_COVER,	/* the root of the base mount */
	TREE_OVER,	/* the root of the child at "a", which is tucked */
	TREE_INSIDE,	/* "a" of the child at "a" */
};

struct tree_class {
	const char *name;
	int nr_places;
	enum tree_place place[TREE_PLACES];
	bool locks;
};

#define NR_TREE_CLASSES	7

extern const struct tree_class tree_classes[NR_TREE_CLASSES];

/* One after the other: only where it is, nothing of those before. */
struct tree_walk {
	const struct tree_class *class;
	int n;
	struct topo_space space;
	uint64_t rank;		/* of the next base topology */
	struct topo base;
	bool hears[TREE_BASE][TREE_BASE];
	/* the topologies of children of one place, and what renumbering does */
	int nr_kids;
	unsigned char (*kid)[TREE_BASE];
	int nr_perms;
	unsigned char perm[24][TREE_BASE];
	int *image[24];
	bool keeps[24];		/* does it leave the base as it is? */
	int at[TREE_PLACES];
	uint64_t all;		/* how many so far, with the uniform ones */
};

int tree_start(struct tree_walk *w, const struct tree_class *class, int n,
	       int nr_ns);
/* The next one that is not uniform, numbered as it is printed. */
bool tree_next(struct tree_walk *w, struct topo *t, struct layout *l);
void tree_end(struct tree_walk *w);

#endif
