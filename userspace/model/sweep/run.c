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

#include "sweep/step.h"

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

/* What is seen at a directory of mount @i: the top of the stack. */
static int on_top(const struct run *r, int i, int dir)
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

	for (; dir != root; dir = build_dirs[dir])
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
	for (int d = build_dirs[p->at]; d != root; d = build_dirs[d])
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
	return on_top(r, i, at) >= 0 && on_path(r, i, build_dirs[at]);
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

bool build(struct run *r)
{
	model_free(&r->m);
	snprintf(r->step, sizeof(r->step), "building it");
	return both(r, world_build(r->w, r->way, r->t, r->l, r->hash),
		    build_model(r->t, r->l, r->hash & 1, &r->m, r->mnt));
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
