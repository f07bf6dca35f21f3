// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Trees that are not uniform: what happens at the places of their children.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <string.h>

#include "sweep/step.h"

/* Is @dir one where some mount of the tree has a child? */
static bool is_place(const struct run *r, int dir)
{
	for (int i = 0; i < r->t->nr; i++)
		if (r->l->on[i] >= 0 && (dir ? r->l->dir[i] == dir : r->l->over[i]))
			return true;
	return false;
}

/*
 * Is there a path to what is at @dir of mount @i, and still with an event there?
 * Where roots differ that one may appear at a directory above, too.
 */
static bool stays_in_reach(const struct run *r, int i, int dir)
{
	struct run with = *r;
	bool reach = false;

	memset(&with.m, 0, sizeof(with.m));
	if (!on_path(r, i, dir_parents[dir]) || model_copy(&with.m, &r->m))
		return false;
	if (model_mount(&with.m, SB_EVENT, 0, r->mnt[i], dir) >= 0)
		reach = on_path(&with, i, dir_parents[dir]);
	model_free(&with.m);
	return reach;
}

/* One on each mount at each place: on top there, beneath at its receivers. */
bool do_places(struct run *r, struct batch *b)
{
	b->n = 0;
	for (int i = 0; i < r->t->nr; i++)
		for (int d = 0; d < TOPO_ROOTS; d++) {
			/* what is on top of a child is at its parent's place */
			if (!is_place(r, d) || (!d && r->l->on[i] >= 0) ||
			    (d && !stays_in_reach(r, i, d)))
				continue;
			if (!mount_event(r, b, i, d ? d : r->t->m[i].root))
				return false;
		}
	snprintf(r->step, sizeof(r->step), "%d events at its places", b->n);
	return (r->each || compare(r)) && clear(r, b);
}

static bool umount_child(struct run *r, int i, bool lazy)
{
	int m = r->mnt[i], over;
	char path[128];

	if (!model_alive(&r->m, m) ||
	    !place_path(&r->m, m, path, sizeof(path)))
		return true;
	while ((over = model_lookup(&r->m, m, r->m.mnt[m].root)) >= 0)
		m = over;
	snprintf(r->step, sizeof(r->step), "%sumount of %.80s for mount %d",
		 lazy ? "lazy " : "", path, i);
	return both(r, world_umount_at(r->w, r->t->m[i].ns, path, lazy),
		    model_umount(&r->m, m, lazy)) && compare(r);
}

/* The children of a tree go, one after the other. */
bool do_umounts(struct run *r, struct batch *b)
{
	int n = r->t->nr, first = (r->hash >> 20) % n;

	if (!build(r))
		return false;
	for (int i = 0; i < n; i++)
		if (r->l->on[i] >= 0)
			world_forget(r->w, i);
	for (int k = 0; k < n; k++) {
		int i = (first + k) % n;

		if (r->l->on[i] >= 0 &&
		    !umount_child(r, i, r->hash >> (28 + k) & 1))
			return false;
	}
	return fire(r, b, n, 1, true) && clear(r, b);
}
