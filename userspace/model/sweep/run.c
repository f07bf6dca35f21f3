// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One topology, in the model and in the kernel: the same operations in both,
 * then the two states must be the same.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * Events go in batches: every mount gets a directory of its own in each
 * directory that it sees, all are mounted, the states are compared, all are
 * unmounted, the states are compared.  With r->each that is done after each
 * single step, to find the first one at which they part.
 */
#include <string.h>

#include "run.h"

void print_state(FILE *f, const struct model *m)
{
	char root[DIR_PATH], at[DIR_PATH];

	for (int i = 0; i < m->nr; i++) {
		const struct model_mount *p = &m->mnt[i];

		if (p->ns < 0)
			continue;
		fprintf(f, "#   %d: ns %d on %d at /%s: fs %d /%s", i, p->ns,
			p->parent, dir_path(p->at, 0, at), p->sb,
			dir_path(p->root, 0, root));
		if (p->group)
			fprintf(f, " shared:%d", p->group);
		if (model_master(m, i))
			fprintf(f, " master:%d", model_master(m, i));
		fprintf(f, "%s%s\n", p->unbindable ? " unbindable" : "",
			p->locked ? " locked" : "");
	}
}

static bool failed(struct run *r, const char *who, const char *why)
{
	snprintf(r->what, sizeof(r->what), "%s: %s", who, why);
	return false;
}

/* The kernel refused, or the model. */
static bool both(struct run *r, int kernel, int model)
{
	if (kernel)
		return failed(r, "the kernel failed", r->w->error);
	if (model < 0)
		return failed(r, "the model refused", strerror(-model));
	return true;
}

static bool compare(struct run *r)
{
	struct model seen;
	const char *bad;

	if (world_observe(r->w, &seen))
		return failed(r, "observation", r->w->error);
	bad = model_differ(&r->m, &seen);
	if (bad) {
		failed(r, "model and kernel", bad);
		if (r->show) {
			fprintf(r->show, "# the model says:\n");
			print_state(r->show, &r->m);
			fprintf(r->show, "# the kernel says:\n");
			print_state(r->show, &seen);
		}
	}
	model_free(&seen);
	return !bad;
}

static bool step_done(struct run *r)
{
	return !r->each || compare(r);
}

struct event {
	int i, dir;
};

struct batch {
	int n;
	struct event e[WORLD_EVENTS];
};

static bool mount_event(struct run *r, struct batch *b, int i, int dir)
{
	char path[DIR_PATH];

	if (b->n == WORLD_EVENTS)
		return failed(r, "sweep", "too many events");
	snprintf(r->step, sizeof(r->step), "mount event %d on mount %d at /%s",
		 b->n, i, dir_path(dir, 0, path));
	b->e[b->n] = (struct event) { i, dir };
	if (!both(r, world_event(r->w, i, dir, b->n),
		  model_mount(&r->m, SB_EVENT + b->n, 0, r->mnt[i], dir)))
		return false;
	b->n++;
	return step_done(r);
}

static bool umount_event(struct run *r, const struct batch *b, int k)
{
	int i = b->e[k].i, dir = b->e[k].dir, m, over;
	char path[DIR_PATH];

	snprintf(r->step, sizeof(r->step), "umount event %d on mount %d at /%s",
		 k, i, dir_path(dir, 0, path));
	m = model_lookup(&r->m, r->mnt[i], dir);
	if (m < 0)
		return failed(r, "the model", "an event is gone");
	while ((over = model_lookup(&r->m, m, r->m.mnt[m].root)) >= 0)
		m = over;
	return both(r, world_umount(r->w, i, dir),
		    model_umount(&r->m, m, false)) && step_done(r);
}

/*
 * On each mount, in each directory it sees; with @stack then one more each at
 * one and the same place.
 */
static bool fire(struct run *r, struct batch *b, int n, bool all_dirs,
		 bool stack)
{
	b->n = 0;
	for (int i = 0; i < n; i++) {
		int root = r->m.mnt[r->mnt[i]].root;

		for (int d = 0; d < TOPO_ROOTS; d++) {
			if (!model_under(&r->m, d, root) ||
			    (d != root && !all_dirs))
				continue;
			if (!mount_event(r, b, i, dir_event(d, i % TOPO_MAX)))
				return false;
		}
	}
	for (int i = 0; i < n && stack; i++)
		if (!mount_event(r, b, i,
				 dir_extra(r->m.mnt[r->mnt[i]].root, 0)))
			return false;
	snprintf(r->step, sizeof(r->step), "%d events", b->n);
	return r->each || compare(r);
}

static bool clear(struct run *r, const struct batch *b)
{
	for (int k = b->n - 1; k >= 0; k--)
		if (!umount_event(r, b, k))
			return false;
	snprintf(r->step, sizeof(r->step), "umount of %d events", b->n);
	return r->each || compare(r);
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
	top = model_ns_root(&r->m, ns);
	snprintf(r->step, sizeof(r->step), "bind of mount %d's /%s", i,
		 dir_path(dir, 0, path));
	new = model_bind(&r->m, r->mnt[i], dir, top, dir_extra(0, 1), false);
	if (!both(r, world_bind(r->w, i, dir, dir_extra(0, 1)), new))
		return false;
	r->mnt[n] = new;
	if (!step_done(r) || !fire(r, b, n + 1, false, false) || !clear(r, b))
		return false;
	snprintf(r->step, sizeof(r->step), "umount of the bind");
	return both(r, world_unbind(r->w, dir_extra(0, 1)),
		    model_umount(&r->m, new, false)) && compare(r);
}

static bool do_type(struct run *r, struct batch *b)
{
	static const char *const name[] = {
		"private", "shared", "slave", "unbindable"
	};
	int i = (r->hash >> 16) % r->t->nr, type = r->hash >> 24 & 3;

	snprintf(r->step, sizeof(r->step), "making mount %d %s", i, name[type]);
	if (!both(r, world_type(r->w, i, type),
		  model_set_type(&r->m, r->mnt[i], type, false)) ||
	    !step_done(r))
		return false;
	return fire(r, b, r->t->nr, false, true) && clear(r, b);
}

static bool steps(struct run *r, bool roots)
{
	struct batch b;

	snprintf(r->step, sizeof(r->step), "building it");
	if (!both(r, world_build(r->w, r->way, r->t, r->l, r->hash & 1),
		  build_model(r->t, r->l, r->hash & 1, &r->m, r->mnt)))
		return false;
	return compare(r) && fire(r, &b, r->t->nr, roots, true) &&
		clear(r, &b) && do_bind(r, &b) && do_type(r, &b);
}

bool run_topology(struct run *r)
{
	bool roots = false, ok;

	for (int i = 0; i < r->t->nr; i++)
		roots |= r->t->m[i].root != 0;
	r->what[0] = 0;
	memset(&r->m, 0, sizeof(r->m));
	ok = steps(r, roots);
	model_free(&r->m);
	return ok;
}
