/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What privilege can do with the new calls, and without them.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * Three owners, a namespace of each; the caller is capable over a set of
 * owners.  Rules only ask whether it is capable over one, so which user
 * namespace is above which does not matter, only what set that gives.
 */
#ifndef PRIV_H
#define PRIV_H

#include <stdint.h>

#include "rules/model.h"

#define PRIV_MAX	5	/* mounts of a start, besides the roots */
#define PRIV_NS		3	/* namespaces; mount i is the root of i */
#define PRIV_LINE	256

/* Directories: the root, /a, /b; then where mounts hang in a namespace. */
#define PRIV_ROOTS	3

/* Mains are of one superblock; a leaf is private, of its own superblock. */
struct start_mount {
	signed char ns, parent, at, root;	/* parent -1: on a root */
	signed char group, master;
	bool leaf, locked, unbindable;
};

struct start {
	int nr, nr_mains, nr_groups;
	signed char group_master[PRIV_MAX + 1];
	struct start_mount m[PRIV_MAX];
};

/* Every start of so many mounts, each once up to renaming. */
struct scope {
	int mains, leaves, roots;
	unsigned int caps;
	bool all_owners;	/* only those with a main in each namespace */
	bool nested;		/* mains on mains as well */
	bool unbindable;
};

/*
 * A start stands for those with namespaces exchanged that the caller is as capable
 * over.  Where it matters whose owner is above whose, @fn sets @above both ways.
 */
typedef const char *start_fn(const struct start *s, struct model *m,
			     unsigned int caps, void *arg);

const char *each_start(const struct scope *scope, start_fn *fn, void *arg,
		       char *line);
void start_print(const struct start *s, unsigned int caps, char *line);

/* A new call. */
struct new_move {
	enum { MOVE_GROUP, MOVE_BIND, MOVE_ATTR } what;	/* the last: privsweep's */
	int member[PRIV_MAX], nr;	/* mount_setgroup() */
	int named;			/* -1: none */
	unsigned int flags;
	int src, dir, dst, at;		/* a bind across namespaces */
	bool rec, unlocked;
	int from;		/* in which namespace the caller is */
};

int new_move(struct model *m, const struct new_move *v, unsigned int caps);
/*
 * Every call among @nr mounts of a start, one after the other, from number 0 on:
 * mount_setgroup() with any members and any other mount named; binds of any
 * directory at any other, from each namespace in the caller's power.  @v is kept
 * from call to call.  False: no more.
 */
bool next_group_move(int nr, int *number, struct new_move *v);
bool next_bind_move(int nr, unsigned int caps, int *number, struct new_move *v);

/*
 * Which owner is above which: of two in the caller's power that are not all, one
 * is below the other, the second or, @turned, the first.
 */
const int *priv_above(unsigned int caps, bool turned);

/* How a state that a new call reaches is reached without it. */
enum reach {
	REACH_STEPS,	/* MOVE_MOUNT_SET_GROUP for each, and MS_* */
	REACH_HELPER,	/* with a temporary mount */
	REACH_DETOUR,	/* setns(), open_tree(), setns(), move_mount() */
	REACH_LOCKED,	/* that way, without the locks that were added */
	/* Not that way; the cover letter says why these do no harm. */
	REACH_LOCKS,
	REACH_WIDE,
	REACH_SIBLING,
	REACH_UNNAMED,	/* none of those: a bug in the rules */
	REACH_MAX
};

extern const char *const reach_names[];

enum reach how_reached(const struct model *a, const struct model *b,
		       const struct new_move *v, unsigned int caps);

/* What a new call must not do. */
enum priv_bad {
	BAD_STATE,		/* model_check() */
	BAD_SUPERBLOCKS,	/* mounts of two superblocks are connected */
	BAD_CHANGED,		/* what is out of the caller's power changes */
	BAD_SENDS,		/* or gets events where it could not before */
	BAD_HEARS,		/* or its events can be seen where they could not */
	BAD_COPY_UNBINDABLE,
	BAD_COPY_UNLOCKED,	/* a copy leaves a locked child out */
	BAD_BENEATH,		/* the caller gets beneath a locked mount */
	BAD_TAKEN_LOCKED,	/* anybody can take a locked mount away */
	BAD_TAKEN,		/* the caller, what is out of its power */
	BAD_SHED,		/* who gets a tree can take it apart */
	BAD_KEPT,		/* or gets locks from further down */
	BAD_UNNAMED,		/* REACH_UNNAMED */
	BAD_MAX
};

extern const char *const bad_names[];

/*
 * Which of them hold from @a to @b, a bit each.  @depth: how many mounts and
 * umounts are tried to take something away.
 */
unsigned int priv_invariants(const struct model *a, const struct model *b,
			     const struct new_move *v, unsigned int caps,
			     int depth);
/* The directories at which events pass through a mount. */
unsigned int priv_window(const struct model *m, int i);
/* A set of mounts, a bit each. */
uint64_t taken_away(const struct model *m, unsigned int actor, int depth);

static inline bool priv_capable(const struct model *m, unsigned int caps, int i)
{
	return caps >> m->owner[m->mnt[i].ns] & 1;
}

#endif
