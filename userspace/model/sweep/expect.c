// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What can be restored with which calls, told from the topology alone.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * A mount is a clone of a live one, which must be no narrower and must not be
 * unbindable.  Stock kernels clone only what they find by path, or in a
 * recursive clone of it; and a mount joins or receives from another one only
 * if the other's root contains its own, so whoever starts a group, then its
 * master's, must be as wide as all that is below.
 */
#include "restore.h"

const struct refusal refusals[NR_REFUSALS] = {
	{ "uncloneable-source", NO_SOURCE, { true, true },
	  "open_tree() of an unbindable mount: EINVAL, and no wider one is there" },
	{ "overmounted-source", NO_SOURCE, { false, true },
	  "paths lead to its cover, no recursive clone has it: there is no call" },
	{ "no-wide-mount", NO_WIDE, { false, true },
	  "MOVE_MOUNT_SET_GROUP by a mount that does not contain the other: EINVAL" },
	{ "locks", LOCKED, { false, true },
	  "no call locks a mount: E2BIG of mount_setattr() with lock_set" },
};

enum sight { SEEN, COVERED, SEALED };

static bool contains(int root, int dir)
{
	while (dir > root)
		dir = (dir - 1) / 2;
	return dir == root;
}

static int common(int a, int b)
{
	while (!contains(a, b))
		a = (a - 1) / 2;
	return a;
}

/* Which mounts a path leads to, and which a recursive clone has. */
static void look(const struct topo *t, const struct layout *l,
		 enum sight *sight)
{
	bool covered[TOPO_MAX] = { false }, aside[TOPO_MAX];

	for (int i = 0; i < t->nr; i++)
		if (l->over[i])
			covered[l->on[i]] = true;
	for (int i = 0; i < t->nr; i++) {
		int on = l->on[i];

		/* on the way there something else is walked into */
		aside[i] = on >= 0 && (aside[on] || (covered[on] && !l->over[i]));
		sight[i] = aside[i] || covered[i] ? COVERED : SEEN;
		if (sight[i] == COVERED && on >= 0 &&
		    (t->m[on].kind == TOPO_UNBINDABLE || sight[on] == SEALED))
			sight[i] = SEALED;
	}
}

/* The directories that can be cloned, if not all of them. */
static void find_sources(const struct topo *t, const struct layout *l,
			 enum backend b, bool *have)
{
	enum sight sight[TOPO_MAX];

	look(t, l, sight);
	for (int d = 0; d < TOPO_ROOTS; d++) {
		have[d] = false;
		for (int i = 0; i < t->nr; i++)
			if (t->m[i].kind != TOPO_UNBINDABLE &&
			    contains(t->m[i].root, d) &&
			    (b == EXTENDED || sight[i] != SEALED))
				have[d] = true;
	}
}

/* What contains all members of a group and all who receive from it. */
static int area(const struct topo *t, int g)
{
	int dir = -1;

	for (int i = 0; i < t->nr; i++)
		if (t->m[i].kind >= TOPO_MEMBER && t->m[i].group == g)
			dir = dir < 0 ? t->m[i].root : common(dir, t->m[i].root);
	for (int k = 0; k < t->nr_groups; k++)
		if (t->master[k] == g)
			dir = common(dir, area(t, k));
	return dir;
}

static bool has_member(const struct topo *t, int g, int root)
{
	for (int i = 0; i < t->nr; i++)
		if (t->m[i].kind == TOPO_MEMBER && t->m[i].group == g &&
		    t->m[i].root == root)
			return true;
	return false;
}

unsigned int expect_reasons(const struct topo *t, const struct layout *l,
			    const struct scene *s, enum backend b)
{
	unsigned int reasons = s->other_owner && b == UPSTREAM ? LOCKED : 0;
	bool have[TOPO_ROOTS];

	if (!s->own_only)
		return reasons;
	find_sources(t, l, b, have);
	for (int i = 0; i < t->nr; i++)
		if (!have[t->m[i].root])
			reasons |= NO_SOURCE;
	for (int g = 0; g < t->nr_groups && b == UPSTREAM; g++) {
		int dir = area(t, g);

		if (!has_member(t, g, dir) && !have[dir])
			reasons |= NO_WIDE;
	}
	return reasons;
}
