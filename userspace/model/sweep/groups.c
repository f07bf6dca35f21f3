// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Random calls of mount_setgroup(2) among mounts with and without locked
 * children, in namespaces of two owners, by someone who has rights over both or
 * by the second owner: done or refused as the model says.  Locks make refusals
 * by the rule on pairs, roots those by the rule on containment, which only
 * binds a caller without rights over all of the group.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <string.h>

#include "sweep/step.h"

#define PLACES	2	/* for children, in each directory */

static unsigned int draw(uint64_t *seed, unsigned int n)
{
	return topo_next_random(seed) % n;
}

/* Children in some places of mounts @from to @to - 1. */
static bool add_children(struct run *r, int from, int to, int *event)
{
	for (int i = from; i < to; i++)
		for (int k = 0; k < 2; k++) {
			int root = r->w->mnt_root[i], dir;

			if (root < 3 && draw(&r->hash, 2))
				root = 2 * root + 1;
			dir = dir_event(root, draw(&r->hash, PLACES));
			if (model_lookup(&r->m, r->mnt[i], dir) >= 0)
				continue;
			if (!both(r, world_event(r->w, i, dir, *event),
				  model_mount(&r->m, SB_EVENT + *event, 0,
					      r->mnt[i], dir)))
				return false;
			++*event;
		}
	return true;
}

static bool call(struct run *r, int pool)
{
	static const unsigned int legal[] = {
		MODEL_SG_SHARED, MODEL_SG_PEER, MODEL_SG_MASTER,
		MODEL_SG_SIBLING, MODEL_SG_SHARED | MODEL_SG_MASTER,
		MODEL_SG_SHARED | MODEL_SG_SIBLING,
	};
	unsigned int flags = legal[draw(&r->hash, 6)];
	int n = 1 + draw(&r->hash, 3), member[3], mnt[3], named, peer, master;
	int caller = draw(&r->hash, 2), first = 0;

	/* the second owner has rights over the second half only */
	if (caller && draw(&r->hash, 4))
		first = pool /= 2;
	for (int k = 0; k < n; k++) {
		member[k] = first + draw(&r->hash, pool);
		mnt[k] = r->mnt[member[k]];
	}
	named = first + draw(&r->hash, pool);
	peer = flags & MODEL_SG_PEER ? named : -1;
	master = flags & (MODEL_SG_MASTER | MODEL_SG_SIBLING) ? named : -1;
	snprintf(r->step, sizeof(r->step),
		 "mount_setgroup by %d of mount %d and %d more, flags %u, named %d",
		 caller, mnt[0], n - 1, flags, r->mnt[named]);
	return both(r, world_setgroup(r->w, member, n, named, flags,
				      caller ? 1 : -1),
		    model_setgroup(&r->m, mnt, n, peer < 0 ? -1 : r->mnt[peer],
				   master < 0 ? -1 : r->mnt[master], flags,
				   caller)) &&
		compare(r);
}

static bool scene(struct run *r)
{
	int n = r->t->nr, event = 0;
	struct batch b;

	/* without locked children only roots stand in the way */
	if (!build(r) || (draw(&r->hash, 2) &&
			  !add_children(r, 0, n, &event)))
		return false;
	snprintf(r->step, sizeof(r->step), "clone, less privileged");
	if (!both(r, world_clone(r->w, 0, true), model_clone_ns(&r->m, 0, 1)))
		return false;
	for (int i = 0; i < n; i++) {
		r->mnt[n + i] = model_lookup(&r->m, model_ns_root(&r->m, 1),
					     dir_hang(0, i));
		if (world_add(r->w, 1, i))
			return failed(r, "the copy", r->w->error);
	}
	if (!add_children(r, n, 2 * n, &event) || !compare(r))
		return false;
	for (int k = 0; k < 8; k++)
		if (!call(r, 2 * n))
			return false;
	return fire(r, &b, 2 * n, 1, false) && clear(r, &b);
}

bool run_groups(struct world *w, uint64_t seed, FILE *show, char *what,
		size_t size)
{
	struct topo t = { .nr = 2 + draw(&seed, 4) };
	struct layout l;
	struct run r = {
		.w = w, .t = &t, .l = &l, .way = WAY_API, .hash = seed,
		.locks = true, .show = show,
	};
	bool ok;

	/* copies of shared ones for the second owner are slaves */
	for (int i = 0; i < t.nr; i++) {
		bool shared = draw(&r.hash, 3) == 0;

		t.m[i] = (struct topo_mount) {
			.kind = shared ? TOPO_MEMBER : TOPO_PRIVATE,
			.group = shared ? t.nr_groups : -1,
			.root = draw(&r.hash, 3) == 0,
		};
		if (shared)
			t.master[t.nr_groups++] = -1;
	}
	layout_siblings(&l);
	ok = scene(&r);
	model_free(&r.m);
	if (!ok)
		snprintf(what, size, "after %.120s: %.300s", r.step, r.what);
	return ok;
}
