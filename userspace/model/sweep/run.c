// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One topology, in the model and in the kernel: each operation on it, then
 * events.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <string.h>

#include "sweep/step.h"

/* What is of interest on @n mounts, as far as there is room for events. */
static int dirs_of(const struct run *r, int n, int dirs)
{
	if (dirs < event_dirs(r))
		dirs = event_dirs(r);
	while (n * (dirs + 1) > WORLD_EVENTS)
		dirs--;
	return dirs;
}

static bool do_bind(struct run *r, struct batch *b)
{
	int n = r->t->nr, i = r->hash % n, root, ns, dir, new, top;
	char path[DIR_PATH];

	for (int k = 0; k < n && r->t->m[i].kind == TOPO_UNBINDABLE; k++)
		i = (i + 1) % n;
	if (r->t->m[i].kind == TOPO_UNBINDABLE)
		return true;
	root = r->t->m[i].root;
	ns = r->t->m[i].ns;
	dir = root;
	if (root < 3)
		dir = 2 * root + 1 + (r->hash >> 8 & 1);
	if (!on_path(r, i, dir))
		dir = root;
	top = model_ns_root(&r->m, ns);
	snprintf(r->step, sizeof(r->step), "bind of mount %d's /%s", i,
		 dir_path(dir, 0, path));
	new = model_bind(&r->m, r->mnt[i], dir, top, dir_extra(0, 1), false);
	if (!both(r, world_bind(r->w, i, dir, dir_extra(0, 1)), new))
		return false;
	if (new < 0)	/* something in there is locked */
		return true;
	r->mnt[n] = new;
	/* in what the bind shows of the others, too */
	if (!step_done(r) || !fire(r, b, n + 1, dirs_of(r, n + 1, dir + 1), false) ||
	    !clear(r, b))
		return false;
	snprintf(r->step, sizeof(r->step), "umount of the bind");
	return both(r, world_unbind(r->w, dir_extra(0, 1)),
		    model_umount(&r->m, new, false)) && compare(r);
}

/* A bind onto a mount that may be shared: one appears at all that receive. */
static bool do_bind_below(struct run *r, struct batch *b)
{
	int n = r->t->nr, i = (r->hash >> 20) % n, j = (r->hash >> 36) % n, at, new;

	for (int k = 0; k < n && r->way == WAY_CLASSIC; k++)
		if (r->t->m[i].ns != r->t->m[j].ns)
			j = (j + 1) % n;
	at = dir_extra(r->t->m[j].root, 1);
	snprintf(r->step, sizeof(r->step), "bind of mount %d on %d", i, j);
	new = model_bind(&r->m, r->mnt[i], r->t->m[i].root, r->mnt[j], at, false);
	if (!both(r, world_bind_below(r->w, i, j, at), new))
		return false;
	if (new < 0)	/* unbindable, or something in there is locked */
		return true;
	r->mnt[n] = new;
	if (!step_done(r) || !fire(r, b, n + 1, dirs_of(r, n + 1, 1), false) ||
	    !clear(r, b))
		return false;
	snprintf(r->step, sizeof(r->step), "umount of that bind");
	return both(r, world_unbind_below(r->w, j, at),
		    model_umount(&r->m, new, false)) && compare(r);
}

/* Is there a mount at @at of mount @i, and a path to it? */
static bool in_reach(const struct run *r, int i, int at)
{
	return on_top(r, i, at) >= 0 && on_path(r, i, dir_parents[at]);
}

/* Umount of an event one of whose copies carries a mount: inside or on top. */
static bool do_busy(struct run *r)
{
	int n = r->t->nr, i = (r->hash >> 4) % n, at, c, k, child;
	bool inside = r->hash >> 12 & 1, alone = r->hash >> 13 & 1;
	struct batch b = { 0 };

	at = dir_event(r->t->m[i].root, i);
	if (!mount_event(r, &b, i, at))
		return false;
	k = (r->hash >> 32) % n;
	while (!in_reach(r, k, at))
		k = (k + 1) % n;
	c = model_lookup(&r->m, r->mnt[k], at);
	snprintf(r->step, sizeof(r->step), "making the copy on %d private", k);
	if (alone && !(both(r, world_type(r->w, k, at, MODEL_PRIVATE, false),
			    model_set_type(&r->m, c, MODEL_PRIVATE, false)) &&
		       step_done(r)))
		return false;
	snprintf(r->step, sizeof(r->step), "mounting %s the copy on %d",
		 inside ? "inside" : "over", k);
	if (inside)
		child = model_mount(&r->m, SB_EVENT + 1, 0, c, dir_extra(0, 0));
	else
		child = model_mount(&r->m, SB_EVENT + 1, 0, c, 0);
	if (!both(r, inside ? world_event_in(r->w, k, at, dir_extra(0, 0), 1) :
		  world_event(r->w, k, at, 1), child) || !step_done(r))
		return false;
	snprintf(r->step, sizeof(r->step), "umount of the event on %d", i);
	if (!both(r, world_umount(r->w, i, at, false),
		  model_umount(&r->m, on_top(r, i, at), false)) || !compare(r))
		return false;
	for (k = 0; k < n; k++)
		while (in_reach(r, k, at)) {
			c = on_top(r, k, at);
			snprintf(r->step, sizeof(r->step),
				 "lazy umount of the copy on %d", k);
			if (!both(r, world_umount(r->w, k, at, true),
				  model_umount(&r->m, c, true)) ||
			    !step_done(r))
				return false;
		}
	return compare(r);
}

static bool do_rbind(struct run *r, struct batch *b)
{
	int ns = (r->hash >> 40) % r->w->nr_ns, top, new;

	top = model_ns_root(&r->m, ns);
	snprintf(r->step, sizeof(r->step), "recursive bind in namespace %d", ns);
	new = model_bind(&r->m, top, 0, top, dir_extra(0, 1), true);
	if (!both(r, world_rbind(r->w, ns, dir_extra(0, 1)), new) ||
	    !step_done(r) ||
	    !fire(r, b, r->t->nr, dirs_of(r, r->t->nr, 1), false) || !clear(r, b))
		return false;
	snprintf(r->step, sizeof(r->step), "lazy umount of that bind");
	return both(r, world_unrbind(r->w, ns, dir_extra(0, 1)),
		    model_umount(&r->m, new, true)) && compare(r);
}

/* Mount @i of the topology in a copy of its namespace. */
static int twin(const struct run *r, int i, int ns)
{
	const struct model *m = &r->m;
	int up = r->l->on[i] < 0 ? model_ns_root(m, ns) :
		 twin(r, r->l->on[i], ns);

	return model_lookup(m, up, m->mnt[r->mnt[i]].at);
}

/* A copy of a namespace; its mounts take part, too, if there is a way there. */
static bool do_clone(struct run *r, struct batch *b)
{
	int ns = (r->hash >> 44) % r->w->nr_ns, n = r->t->nr, new, copies = 0;
	bool less = r->locks && (r->hash >> 56 & 1);

	snprintf(r->step, sizeof(r->step), "clone of namespace %d%s", ns,
		 less ? ", less privileged" : "");
	new = model_clone_ns(&r->m, ns, less);
	if (!both(r, world_clone(r->w, ns, less), new) || !step_done(r))
		return false;
	for (int i = 0; i < n; i++) {
		char path[128];
		int c;

		if (r->t->m[i].ns != ns)
			continue;
		c = twin(r, i, new);
		if (model_lookup(&r->m, c, r->m.mnt[c].root) >= 0 ||
		    !place_path(&r->m, c, path, sizeof(path)))
			continue;
		r->mnt[n + copies++] = c;
		if (world_add_at(r->w, new, i, path))
			return failed(r, "the copy", r->w->error);
	}
	return fire(r, b, n + copies, dirs_of(r, n + copies, 1), true) && clear(r, b);
}

static bool do_move(struct run *r, struct batch *b)
{
	int n = r->t->nr, i = (r->hash >> 48) % n, j = (r->hash >> 52) % n, at, err;

	for (int k = 0; k < n; k++)
		if (i == j || r->t->m[i].ns != r->t->m[j].ns)
			j = (j + 1) % n;
	if (i == j || r->t->m[i].ns != r->t->m[j].ns)
		return true;
	at = dir_extra(r->t->m[j].root, 1);
	snprintf(r->step, sizeof(r->step), "move of mount %d to %d", i, j);
	err = model_move(&r->m, r->mnt[i], r->mnt[j], at);
	if (!both(r, world_move(r->w, i, j, at), err) || !step_done(r))
		return false;
	return err || (fire(r, b, n, dirs_of(r, n, 1), true) && clear(r, b));
}

static bool has_slaves(const struct topo *t, int g)
{
	for (int i = 0; i < t->nr; i++)
		if (t->m[i].kind == TOPO_SLAVE && t->m[i].group == g)
			return true;
	for (int k = 0; k < t->nr_groups; k++)
		if (t->master[k] == g)
			return true;
	return false;
}

/* Preferably a member of a group that has slaves: they may get a new master. */
static int type_member(const struct run *r)
{
	int n = r->t->nr, first = (r->hash >> 16) % n;

	for (int k = 0; k < n; k++) {
		int i = (first + k) % n;

		if (r->t->m[i].kind == TOPO_MEMBER &&
		    has_slaves(r->t, r->t->m[i].group))
			return i;
	}
	return first;
}

static bool do_type(struct run *r, struct batch *b, int i, enum model_type type,
		    bool rec)
{
	static const char *const name[] = {
		"private", "shared", "slave", "unbindable"
	};

	snprintf(r->step, sizeof(r->step), "making mount %d %s%s", i,
		 rec ? "with all below " : "", name[type]);
	if (!both(r, world_type(r->w, i, -1, type, rec),
		  model_set_type(&r->m, r->mnt[i], type, rec)) ||
	    !step_done(r))
		return false;
	return fire(r, b, r->t->nr, dirs_of(r, r->t->nr, 1), true) && clear(r, b);
}

/* Of a mount that others are on, and of those. */
static bool do_types_below(struct run *r, struct batch *b)
{
	int n = r->t->nr, i = (r->hash >> 28) % n;

	while (r->l->on[i] < 0)
		i = (i + 1) % n;
	return do_type(r, b, r->l->on[i], r->hash >> 26 & 3, true);
}

/* Every change of type of every mount, each of what was built anew. */
static bool do_all_types(struct run *r, struct batch *b)
{
	for (int i = 0; i < r->t->nr; i++)
		for (int type = 0; type < 4; type++)
			if (!build(r) || !do_type(r, b, i, type, false))
				return false;
	return true;
}

static bool steps(struct run *r)
{
	int dirs = event_dirs(r);
	struct batch b;

	if (!build(r) || !compare(r) ||
	    !fire(r, &b, r->t->nr, dirs, true) || !clear(r, &b))
		return false;
	if (is_tree(r) && !(do_places(r, &b) && do_umounts(r, &b) && build(r)))
		return false;
	if (!do_bind(r, &b) || !do_bind_below(r, &b) || !do_busy(r) ||
	    !do_rbind(r, &b))
		return false;
	/* that may have taken some of its mounts */
	return build(r) && do_clone(r, &b) && do_move(r, &b) &&
	       do_type(r, &b, type_member(r), r->hash >> 24 & 3, false) &&
	       (!is_tree(r) || do_types_below(r, &b)) &&
	       (!r->all_types || do_all_types(r, &b));
}

bool run_topology(struct run *r)
{
	bool ok;

	r->what[0] = 0;
	memset(&r->m, 0, sizeof(r->m));
	ok = steps(r);
	model_free(&r->m);
	return ok;
}
