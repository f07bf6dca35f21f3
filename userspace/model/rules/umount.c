// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reference model of mount propagation: unmounting.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <stdlib.h>

#include "rules/internal.h"

/* Sets of mounts are arrays of these. */

enum { STAYS, CANDIDATE, GOES };

/* Is all of the tree below @top in the set? */
static bool tree_in(const struct model *m, const char *set, int top)
{
	for (int i = 0; i < m->nr; i++)
		if (m->mnt[i].ns != MODEL_GONE && set[i] == STAYS &&
		    model_in_tree(m, i, top))
			return false;
	return true;
}

/* PU, 1): what is strictly inside a mount that goes, goes as well. */
static bool shifting(const struct model *m, const char *set, int i)
{
	for (int c = 0; c < m->nr; c++)
		if (m->mnt[c].ns != MODEL_GONE && m->mnt[c].parent == i &&
		    m->mnt[c].at != m->mnt[i].root && !tree_in(m, set, c))
			return true;
	return false;
}

/* PU, 2): a locked mount goes only together with its parent. */
static bool revealing(const struct model *m, const char *set, int i)
{
	return m->mnt[i].locked && set[m->mnt[i].parent] == STAYS;
}

static void reduce(const struct model *m, char *set,
		   bool (*bad)(const struct model *, const char *, int))
{
	bool again = true;

	while (again) {
		again = false;
		for (int i = 0; i < m->nr; i++)
			if (set[i] == CANDIDATE && bad(m, set, i)) {
				set[i] = STAYS;
				again = true;
			}
	}
}

/* SS 5f; PU, "Finding candidates": what is at the same place of receivers. */
static void candidates(const struct model *m, char *set)
{
	for (int u = 0; u < m->nr; u++) {
		if (set[u] != GOES)
			continue;
		for (int r = 0; r < m->nr; r++) {
			int c;

			if (m->mnt[r].ns == MODEL_GONE ||
			    !model_hears(m, r, m->mnt[u].parent))
				continue;
			if (BROKEN(MUT_HELD_KEEPS) && model_detached(m, m->mnt[r].ns))
				continue;
			if (BROKEN(MUT_UMOUNT_ALONE) && m->mnt[r].group !=
			    m->mnt[m->mnt[u].parent].group)
				continue;
			c = model_lookup(m, r, m->mnt[u].at);
			if (c >= 0 && set[c] == STAYS)
				set[c] = CANDIDATE;
		}
	}
}

/* PU, "Reparenting": what covered a stack that goes slides to its bottom. */
static void slide(struct model *m, char *set, int i)
{
	int p = m->mnt[i].parent, at = m->mnt[i].at;

	if (BROKEN(MUT_UMOUNT_UNDER)) {
		set[i] = CANDIDATE;
		return;
	}
	while (set[p] != STAYS) {
		at = m->mnt[p].at;
		p = m->mnt[p].parent;
	}
	m->mnt[i].parent = p;
	m->mnt[i].at = at;
}

/*
 * SS 5f: alone, or with @lazy together with all that is below.  From a detached tree
 * nobody unmounts: umount2(2), EINVAL.
 */
int model_umount(struct model *m, int mnt, bool lazy)
{
	char *set;

	if (!model_alive(m, mnt) || m->mnt[mnt].parent < 0 ||
	    m->mnt[mnt].locked || model_detached(m, m->mnt[mnt].ns))
		return -EINVAL;
	for (int i = 0; !lazy && i < m->nr; i++)
		if (m->mnt[i].ns != MODEL_GONE && m->mnt[i].parent == mnt)
			return -EBUSY;
	set = calloc(m->nr, 1);
	if (!set)
		return -ENOMEM;
	set[mnt] = GOES;
	for (int i = 0; lazy && i < m->nr; i++)
		if (m->mnt[i].ns != MODEL_GONE && model_in_tree(m, i, mnt))
			set[i] = GOES;
	/*
	 * MN, "Restrictions", 3: locks keep a unit together where it is less
	 * privileged; where it is not it may be taken apart, and what is there
	 * goes then.  Which locks that undoes, only the kernel's
	 * propagate_mount_unlock() says: those at this mount's place.
	 */
	for (int r = 0; r < m->nr; r++) {
		int c;

		if (m->mnt[r].ns == MODEL_GONE ||
		    !model_hears(m, r, m->mnt[mnt].parent))
			continue;
		c = model_lookup(m, r, m->mnt[mnt].at);
		if (c >= 0)
			m->mnt[c].locked = false;
	}
	candidates(m, set);
	if (!BROKEN(MUT_UMOUNT_BUSY))
		reduce(m, set, shifting);
	reduce(m, set, revealing);
	for (int i = 0; i < m->nr; i++)
		if (m->mnt[i].ns != MODEL_GONE && set[i] == STAYS &&
		    m->mnt[i].parent >= 0 && set[m->mnt[i].parent] != STAYS)
			slide(m, set, i);
	for (int i = 0; i < m->nr; i++) {
		if (set[i] == STAYS)
			continue;
		m->mnt[i].ns = MODEL_GONE;
		if (m->mnt[i].group)
			model__leave(m, i);
	}
	free(set);
	return 0;
}

/*
 * rmdir(2): what is mounted there, in whatever namespace, goes with all on it, and
 * nothing else does.
 */
void model_rmdir(struct model *m, int dir)
{
	for (int i = 0; i < m->nr; i++) {
		int up = i;

		while (up >= 0 && (m->mnt[up].parent < 0 || m->mnt[up].at != dir))
			up = m->mnt[up].parent;
		if (m->mnt[i].ns == MODEL_GONE || up < 0)
			continue;
		/* parents are still there to be asked about others */
		m->mnt[i].ns = MODEL_GONE;
		if (m->mnt[i].group)
			model__leave(m, i);
	}
}
