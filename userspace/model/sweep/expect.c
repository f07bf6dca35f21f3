// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What can be restored with which calls, told from the topology alone.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * A mount is a clone of a live one, which must be no narrower, not unbindable
 * and without locked children; or of an unbindable one with the same root, in a
 * copy of its namespace, where that is not covered.  Stock kernels clone only what they find by path,
 * or in a recursive clone of it; and a mount joins or receives from another one
 * only if the other's root contains its own, so whoever starts a group, then its
 * master's, must be as wide as all that is below.
 *
 * Every reason that holds is told: which of them the restorer comes upon first
 * is its own affair.
 */
#include <errno.h>
#include <string.h>

#include "sweep/restore.h"

const struct refusal refusals[NR_REFUSALS] = {
	{ "uncloneable-source", NO_SOURCE, { true, true }, EINVAL,
	  "no mount as wide is there but such as have locked children, or are unbindable, and those covered or wider: open_tree()" },
	{ "overmounted-source", NO_SOURCE, { false, true }, 0,
	  "paths lead to its cover, no recursive clone has it: there is no call" },
	{ "no-wide-mount", NO_WIDE, { false, true }, EINVAL,
	  "no mount contains all that is to join or to receive: MOVE_MOUNT_SET_GROUP" },
	{ "locks", LOCKED, { false, true }, E2BIG,
	  "no call locks a mount: mount_setattr() with lock_set" },
};

enum sight { SEEN, COVERED, SEALED };

/* What all questions about one topology are asked of. */
struct scenery {
	const struct topo *t;
	const struct layout *l;
};

static int common(int a, int b)
{
	while (!dir_under(b, a))
		a = (a - 1) / 2;
	return a;
}

static enum sight worse(enum sight a, enum sight b)
{
	return a > b ? a : b;
}

/* What it takes to have mount @i on top: what covers it goes, in a copy. */
static enum sight uncover(const struct scenery *s, int i)
{
	enum sight sight = SEEN;

	for (int k = 0; k < s->t->nr; k++)
		if (s->l->on[k] == i && s->l->over[k])
			sight = worse(worse(sight, s->l->locked[k] ? SEALED : COVERED),
				      uncover(s, k));
	return sight;
}

/* And to walk to where it is. */
static enum sight clear_way(const struct scenery *s, int i)
{
	enum sight sight;
	int up = s->l->on[i];

	if (up < 0)
		return SEEN;
	sight = clear_way(s, up);
	if (s->l->over[i])
		return sight;
	sight = worse(sight, uncover(s, up));
	for (int k = 0; k < s->t->nr; k++)
		if (!s->l->over[k] && layout_hides(s->t, s->l, k, i))
			sight = worse(worse(sight, s->l->locked[k] ? SEALED : COVERED),
				      uncover(s, k));
	return sight;
}

/* Recursive clones leave out what is unbindable, with all that is below. */
static enum sight look(const struct scenery *s, int i)
{
	enum sight sight = worse(clear_way(s, i), uncover(s, i));
	int up = s->l->on[i];

	if (sight == COVERED && up >= 0 &&
	    (s->t->m[up].kind == TOPO_UNBINDABLE || look(s, up) == SEALED))
		return SEALED;
	return sight;
}

/* With a locked child, a mount can be cloned only together with that. */
static bool has_locked_child(const struct scenery *s, int i)
{
	for (int k = 0; k < s->t->nr; k++)
		if (s->l->on[k] == i && s->l->locked[k])
			return true;
	return false;
}

/*
 * Can the root of a namespace be had?  All have the same one.  Of a copy for
 * another owner no mount can, unless its original can: it has the same type,
 * and its children are locked.
 */
static bool have_ns_root(const struct scenery *s)
{
	for (int ns = topo_nr_ns(s->t); ns-- > 0; ) {
		bool locked = false;

		for (int i = 0; i < s->t->nr; i++)
			locked |= s->l->on[i] < 0 && s->l->locked[i] &&
				  s->t->m[i].ns == ns;
		if (!locked)
			return true;
	}
	return false;
}

/* The directories that can be cloned, if not all of them. */
static void find_sources(const struct scenery *s, enum backend b, bool *have)
{
	const struct topo *t = s->t;

	memset(have, 0, TOPO_ROOTS * sizeof(*have));
	for (int i = 0; i < t->nr; i++) {
		if (t->m[i].kind == TOPO_UNBINDABLE || has_locked_child(s, i) ||
		    (b == UPSTREAM && look(s, i) == SEALED))
			continue;
		for (int d = 0; d < TOPO_ROOTS; d++)
			have[d] |= dir_under(d, t->m[i].root);
	}
}

/* In a copy of its namespace what is unbindable can be made private. */
static bool have_copy(const struct scenery *s, int root)
{
	for (int i = 0; i < s->t->nr; i++)
		if (s->t->m[i].kind == TOPO_UNBINDABLE &&
		    s->t->m[i].root == root && !has_locked_child(s, i) &&
		    look(s, i) == SEEN)
			return true;
	return false;
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
			    const struct scene *scene, enum backend b)
{
	struct scenery s = { .t = t, .l = l };
	bool have[TOPO_ROOTS], locks = scene->other != NO_OTHER;
	unsigned int reasons = 0;

	for (int i = 0; i < t->nr; i++)
		locks |= l->locked[i];
	if (locks && b == UPSTREAM)
		reasons |= LOCKED;
	if (!have_ns_root(&s))
		reasons |= NO_SOURCE;
	if (!scene->own_only)
		return reasons;
	find_sources(&s, b, have);
	for (int i = 0; i < t->nr; i++)
		if (!have[t->m[i].root] && !have_copy(&s, t->m[i].root))
			reasons |= NO_SOURCE;
	for (int g = 0; g < t->nr_groups && b == UPSTREAM; g++) {
		int dir = area(t, g);

		if (!has_member(t, g, dir) && !have[dir])
			reasons |= NO_WIDE;
	}
	return reasons;
}
