// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The same operation in the model and in the kernel: then the two states must be
 * the same.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * Events go in batches: every mount gets a directory of its own in each
 * directory that it sees, all are mounted, the states are compared, all are
 * unmounted, the states are compared.  With r->each that is done after each
 * single step, to find the first one at which they part.
 */
#include <string.h>

#include "sweep/step.h"

static void print_state(FILE *f, const struct model *m)
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

bool failed(struct run *r, const char *who, const char *why)
{
	snprintf(r->what, sizeof(r->what), "%s: %s", who, why);
	return false;
}

bool both(struct run *r, int kernel, int model)
{
	char why[sizeof(r->what) - 32];

	if (!kernel && model >= 0)
		return true;
	if (kernel && model < 0 && r->w->err == -model)
		return true;
	if (!kernel)
		return failed(r, "only the model refused", strerror(-model));
	snprintf(why, sizeof(why), "%s (the model: %s)", r->w->error,
		 model < 0 ? strerror(-model) : "ok");
	return failed(r, "the kernel refused", why);
}

bool compare(struct run *r)
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

bool step_done(struct run *r)
{
	return !r->each || compare(r);
}

bool mount_event(struct run *r, struct batch *b, int i, int dir)
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

int on_top(const struct run *r, int i, int dir)
{
	int m = model_lookup(&r->m, r->mnt[i], dir), over = m;

	while (over >= 0) {
		m = over;
		over = model_lookup(&r->m, m, r->m.mnt[m].root);
	}
	return m;
}

static bool umount_event(struct run *r, const struct batch *b, int k)
{
	int i = b->e[k].i, dir = b->e[k].dir, m;
	char path[DIR_PATH];

	snprintf(r->step, sizeof(r->step), "umount event %d on mount %d at /%s",
		 k, i, dir_path(dir, 0, path));
	m = on_top(r, i, dir);
	if (m < 0)
		return failed(r, "the model", "an event is gone");
	return both(r, world_umount(r->w, i, dir, false),
		    model_umount(&r->m, m, false)) && step_done(r);
}

bool on_path(const struct run *r, int i, int dir)
{
	int root = r->m.mnt[r->mnt[i]].root;

	for (; dir != root; dir = dir_parents[dir])
		if (!dir || model_lookup(&r->m, r->mnt[i], dir) >= 0)
			return false;
	return true;
}

bool place_path(const struct model *m, int mnt, char *path, size_t size)
{
	const struct model_mount *p = &m->mnt[mnt];
	int up = p->parent, root;
	char buf[DIR_PATH];
	size_t n;

	*path = 0;
	if (up < 0)
		return true;
	root = m->mnt[up].root;
	if (!place_path(m, up, path, size))
		return false;
	if (p->at == root)
		return true;
	for (int d = dir_parents[p->at]; d != root; d = dir_parents[d])
		if (model_lookup(m, up, d) >= 0)
			return false;
	n = strlen(path);
	snprintf(path + n, size - n, "/%s", dir_path(p->at, root, buf));
	return model_lookup(m, up, root) < 0;
}

bool fire(struct run *r, struct batch *b, int n, int dirs, bool stack)
{
	b->n = 0;
	for (int i = 0; i < n; i++) {
		int root;

		if (r->w->mnt[i] < 0)
			continue;
		root = r->m.mnt[r->mnt[i]].root;
		for (int d = 0; d < TOPO_ROOTS; d++) {
			if ((d != root && d >= dirs) || !on_path(r, i, d))
				continue;
			if (!mount_event(r, b, i, dir_event(d, i % TOPO_MAX)))
				return false;
		}
	}
	for (int i = 0; i < n && stack; i++)
		if (r->w->mnt[i] >= 0 && !mount_event(r, b, i,
				 dir_extra(r->m.mnt[r->mnt[i]].root, 0)))
			return false;
	snprintf(r->step, sizeof(r->step), "%d events", b->n);
	return r->each || compare(r);
}

bool clear(struct run *r, const struct batch *b)
{
	for (int k = b->n - 1; k >= 0; k--)
		if (!umount_event(r, b, k))
			return false;
	snprintf(r->step, sizeof(r->step), "umount of %d events", b->n);
	return r->each || compare(r);
}

bool build(struct run *r)
{
	model_free(&r->m);
	snprintf(r->step, sizeof(r->step), "building it");
	return both(r, world_build(r->w, r->way, r->t, r->l, r->hash),
		    build_model(r->t, r->l, r->hash & 1, &r->m, r->mnt));
}

int event_dirs(const struct run *r)
{
	int dirs = 1;

	for (int i = 0; i < r->t->nr; i++) {
		if (r->t->m[i].root)
			return TOPO_ROOTS;
		if (r->l->dir[i] >= dirs && r->l->dir[i] < 3)
			dirs = r->l->dir[i] + 1;
	}
	return dirs;
}

bool is_tree(const struct run *r)
{
	for (int i = 0; i < r->t->nr; i++)
		if (r->l->on[i] >= 0)
			return true;
	return false;
}
