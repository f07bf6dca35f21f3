// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a rule says that the kernel refuses, asked of the kernel: of the live
 * topology, the call that the restorer did not try.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "sweep/restore.h"
#include "sweep/step.h"
#include "base/base.h"

#define SET_GROUP	(MOVE_MOUNT_SET_GROUP | MOVE_MOUNT_F_EMPTY_PATH | \
			 MOVE_MOUNT_T_EMPTY_PATH)

static bool error(struct run *r)
{
	return failed(r, "sweep", r->w->error);
}

/* @ret of a call that had to fail with @err. */
static bool refused_with(struct run *r, const char *call, int ret, int err)
{
	int got = ret < 0 ? errno : 0;

	if (ret < 0 && got == err)
		return true;
	snprintf(r->what, sizeof(r->what), "%s: %s, not %s", call,
		 got ? strerrorname_np(got) : "done", strerrorname_np(err));
	return false;
}

/* --- sources ---------------------------------------------------------------- */

/* Mounts are those of the topology, then the roots of its namespaces. */
static bool is_root(const struct run *r, int i)
{
	return i >= r->w->nr;
}

static int root_of(const struct run *r, int i)
{
	return is_root(r, i) ? 0 : r->w->mnt_root[i];
}

/* 1: there is a clone of mount @i, 0: refused with @err, -1: it went wrong. */
static int clone_of(struct run *r, enum backend b, int i, int err)
{
	struct world *w = r->w;
	int ns = is_root(r, i) ? i - w->nr : w->mnt_ns[i], fd;

	/* with the new calls from outside, or else from within */
	if (world_enter(w, b == EXTENDED ? -1 : ns)) {
		error(r);
		return -1;
	}
	fd = mc_open_tree(is_root(r, i) ? w->root[ns] : w->mnt[i], "",
			  OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH |
			  (b == EXTENDED ? OPEN_TREE_FOREIGN : 0));
	if (fd >= 0) {
		close(fd);
		return 1;
	}
	return refused_with(r, "open_tree", fd, err) ? 0 : -1;
}

/* 1: a path leads to mount @i, 0: to another one or nowhere, -1. */
static int path_to(struct run *r, int i)
{
	int ret = is_root(r, i) ? 1 : world_leads_to(r->w, i);

	if (ret < 0)
		error(r);
	return ret;
}

/*
 * Is there a source for mount @i, itself or another one?  A wider one that can be
 * cloned is, whether a path leads to it or not: some part may be had.
 */
static int source_for(struct run *r, enum backend b, int i, int nr)
{
	int ret = 0;

	for (int k = 0; k < nr && !ret; k++) {
		if (is_root(r, k) != is_root(r, i) ||
		    !model_under(&r->m, root_of(r, i), root_of(r, k)))
			continue;
		ret = clone_of(r, b, k, EINVAL);
		if (ret > 0 && b == UPSTREAM && root_of(r, k) == root_of(r, i))
			ret = path_to(r, k);
	}
	return ret;
}

/* One mount at least is what the rule says, and nothing stands in for it. */
static bool no_source(struct run *r, enum backend b, int err)
{
	const struct restoration *x = r->data;
	int nr = r->w->nr + r->w->nr_ns;

	/* of the whole filesystem there is a mount: roots alone are without */
	for (int i = x->scene.own_only ? 0 : r->w->nr; i < nr; i++) {
		int ret = err ? clone_of(r, b, i, err) : path_to(r, i);

		if (!ret)
			ret = source_for(r, b, i, nr);
		if (ret <= 0)
			return !ret;
	}
	return failed(r, "open_tree", "each mount, or a wider one, can be had");
}

/* --- wide mounts ------------------------------------------------------------ */

/* A detached mount of that root, of no group or of one of its own. */
static int detached(struct run *r, int root, bool shared)
{
	struct mc_mount_attr attr = {
		.propagation = shared ? MS_SHARED : MS_PRIVATE,
	};
	char buf[DIR_PATH];
	const char *path = dir_path(root, 0, buf);

	if (world_enter(r->w, -1))
		return -1;
	return mc_open_tree_attr(r->w->base_shared, path, OPEN_TREE_CLONE |
				 OPEN_TREE_CLOEXEC | (*path ? 0 : AT_EMPTY_PATH),
				 &attr, MC_MOUNT_ATTR_SIZE_VER0);
}

/*
 * A mount like @o does not join mount @i, or one like it that is shared; one
 * that contains it, it would: nothing else was wrong with the call.
 */
static bool pair_is_refused(struct run *r, int i, int o, int err)
{
	const struct topo_mount *m = r->t->m;
	int to = detached(r, m[o].root, false), wide = detached(r, 0, true);
	int from = m[i].kind == TOPO_MEMBER ? r->w->mnt[i] :
		   detached(r, m[i].root, true);
	bool ok = to >= 0 && wide >= 0 && from >= 0;

	if (!ok)
		failed(r, "sweep", strerror(errno));
	ok = ok && refused_with(r, "MOVE_MOUNT_SET_GROUP",
				mc_move_mount(from, "", to, "", SET_GROUP), err);
	if (ok && mc_move_mount(wide, "", to, "", SET_GROUP))
		ok = failed(r, "MOVE_MOUNT_SET_GROUP by a wide one",
			    strerror(errno));
	if (from >= 0 && from != r->w->mnt[i])
		close(from);
	if (wide >= 0)
		close(wide);
	if (to >= 0)
		close(to);
	return ok;
}

static bool in_group_or_below(const struct topo *t, int i, int g)
{
	int k = t->m[i].kind >= TOPO_MEMBER ? t->m[i].group : -1;

	while (k >= 0 && k != g)
		k = t->master[k];
	return k == g;
}

/*
 * For each mount one that is to hear group @g, and that it does not contain; -1
 * for an unbindable one, which is of no use however wide it is.
 */
static bool all_too_narrow(const struct run *r, int g, int *other)
{
	const struct topo *t = r->t;

	for (int i = 0; i < t->nr; i++) {
		int o = 0;

		while (o < t->nr && (!in_group_or_below(t, o, g) ||
				     model_under(&r->m, t->m[o].root,
						 t->m[i].root)))
			o++;
		if (o == t->nr && t->m[i].kind != TOPO_UNBINDABLE)
			return false;
		other[i] = o == t->nr ? -1 : o;
	}
	return true;
}

/* No temporary mount can be made of it. */
static bool is_unbindable(struct run *r, int i, int err)
{
	int ret = clone_of(r, UPSTREAM, i, err);

	return ret > 0 ? failed(r, "open_tree", "of an unbindable mount") : !ret;
}

/* None in reach could start the group. */
static bool no_wide(struct run *r, int err)
{
	int other[TOPO_MAX];

	for (int g = 0; g < r->t->nr_groups; g++) {
		if (!all_too_narrow(r, g, other))
			continue;
		for (int i = 0; i < r->t->nr; i++)
			if (!(other[i] < 0 ? is_unbindable(r, i, err) :
			      pair_is_refused(r, i, other[i], err)))
				return false;
		return true;
	}
	return failed(r, "MOVE_MOUNT_SET_GROUP",
		      "for each group a mount is wide enough");
}

/* --- all --------------------------------------------------------------------- */

bool refused_indeed(struct run *r, enum backend b)
{
	struct restoration *x = r->data;
	const struct refusal *f = x->refused[b];

	if (f->reason == LOCKED)
		return true;
	snprintf(r->step, sizeof(r->step), "asking the kernel for %s", f->rule);
	if (f->reason == NO_SOURCE)
		x->seen[b] = no_source(r, b, f->err);
	else
		x->seen[b] = no_wide(r, f->err);
	return x->seen[b];
}

bool lock_is_refused(struct run *r)
{
	struct mc_mount_attr attr = { .lock_set = MOUNT_LOCK_MOUNT };

	for (int k = 0; k < NR_REFUSALS; k++)
		if (refusals[k].reason == LOCKED &&
		    !refused_with(r, "mount_setattr",
				  mc_mount_setattr(r->w->base_shared, "",
						   AT_EMPTY_PATH, &attr,
						   MC_MOUNT_ATTR_SIZE_VER1),
				  refusals[k].err))
			return false;
	return true;
}
