// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Histories: the state of the model, and what its mounts are called.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "history/history.h"
#include "rules/internal.h"

/* Few, so that mounts meet: a and b, in a c and d, in b e and f, in c g. */
static const int first_dirs[] = { 0, 0, 0, 1, 1, 2, 2, 3 };

#define NR_FIRST	(int)(sizeof(first_dirs) / sizeof(first_dirs[0]))

const int hist_above[HIST_OWNERS] = { [3] = 1 };

void hist_moved(struct hist *h)
{
	h->m.above = hist_above;
	h->m.dirs = h->dirs;
	h->m.removed = h->removed;
}

int hist_init(struct hist *h)
{
	memset(h, 0, sizeof(*h));
	memcpy(h->dirs, first_dirs, sizeof(first_dirs));
	model_init(&h->m, h->dirs, NR_FIRST);
	hist_moved(h);
	return 0;
}

void hist_free(struct hist *h)
{
	model_free(&h->m);
	free(h->tag);
	memset(h, 0, sizeof(*h));
}

static int tags(struct hist *h)
{
	return model__grow((void **)&h->tag, &h->cap, h->m.nr, sizeof(*h->tag));
}

/* To one that has been initialized. */
int hist_copy(struct hist *to, const struct hist *from)
{
	if (model_copy(&to->m, &from->m) || tags(to))
		return -ENOMEM;
	if (from->m.nr)
		memcpy(to->tag, from->tag, from->m.nr * sizeof(*to->tag));
	memcpy(to->dirs, from->dirs, sizeof(to->dirs));
	memcpy(to->ns, from->ns, sizeof(to->ns));
	memcpy(to->ns_gone, from->ns_gone, sizeof(to->ns_gone));
	memcpy(to->removed, from->removed, sizeof(to->removed));
	hist_moved(to);
	return 0;
}

int hist_start(struct hist *h)
{
	int err = model_new_ns(&h->m, 0, HIST_BASE);

	if (err >= 0)
		err = model_mount(&h->m, 0, 0, 0, 0);
	return err < 0 ? err : hist_name(h, 0, 0);
}

int hist_top(const struct hist *h, int ns)
{
	int root = model_ns_root(&h->m, ns);

	return model_detached(&h->m, ns) ? root : model_lookup(&h->m, root, 0);
}

/* Mounts from @first on are new, and so may be the last namespace. */
int hist_name(struct hist *h, int first, int step)
{
	int k = 0;

	if (tags(h))
		return -ENOMEM;
	for (int i = first; i < h->m.nr; i++)
		h->tag[i] = (struct tag) { .name = { step, k++ } };
	return 0;
}

static int find_mount(const struct hist *h, const struct name *n)
{
	for (int i = 0; i < h->m.nr; i++)
		if (h->m.mnt[i].ns != MODEL_GONE && h->tag[i].name.step == n->step &&
		    h->tag[i].name.k == n->k)
			return i;
	return -1;
}

static int find_ns(const struct hist *h, const struct name *n)
{
	for (int i = 0; i < h->m.nr_ns; i++)
		if (!h->ns_gone[i] && h->ns[i].step == n->step)
			return i;
	return -1;
}

static bool empty(const struct hist *h, int dir)
{
	for (int d = 1; d < h->m.nr_dirs; d++)
		if (h->dirs[d] == dir && !h->removed[d])
			return false;
	return true;
}

/* Is there that directory, and place for it? */
static bool resolve_dirs(const struct hist *h, const struct op *op)
{
	int nr = h->m.nr_dirs;

	if (op->type == OP_MKDIR)
		return op->from >= nr && op->to < nr && !h->removed[op->to];
	if (op->from >= nr || op->to >= nr)
		return false;
	if (op->type == OP_RENAME)
		return op->from && !h->removed[op->from] && !h->removed[op->to] &&
		       !model_under(&h->m, op->to, op->from);
	return op->type != OP_RMDIR ||
	       (op->from && !h->removed[op->from] && empty(h, op->from));
}

/* Who does it is where its mounts can be used, unless it is said. */
static int within(const struct hist *h, const struct op *op, const struct target *t)
{
	int mnt = op->type == OP_OPEN ? t->a : t->b;

	if (op->flags & OP_WITHIN)
		return find_ns(h, &op->within);
	return mnt < 0 ? -1 : hist_from(h, mnt);
}

bool hist_resolve(const struct hist *h, const struct op *op, struct target *t)
{
	t->a = find_mount(h, &op->a);
	t->b = find_mount(h, &op->b);
	t->ns = find_ns(h, &op->ns);
	t->within = within(h, op, t);
	for (int i = 0; i < op->nr; i++) {
		t->member[i] = find_mount(h, &op->member[i]);
		if (t->member[i] < 0)
			return false;
	}
	if (op->type == OP_PIVOT && op->nr != 1)
		return false;
	if ((op->flags & OP_WITHIN) && (t->within < 0 || model_detached(&h->m, t->within)))
		return false;
	if (op_by(op) && hist_ns_of(h, op_by(op)) < 0)
		return false;
	if (!resolve_dirs(h, op))
		return false;
	switch (op->type) {
	case OP_MOUNT:
	case OP_EVENT:
		return t->b >= 0;
	case OP_BIND:
	case OP_MOVE:
	case OP_FOREIGN:
	case OP_SET_GROUP:
	case OP_PIVOT:
		return t->a >= 0 && t->b >= 0;
	case OP_SETGROUP:
		return op->nr && (op->arg == MODEL_SG_SHARED || t->a >= 0);
	case OP_UMOUNT:
	case OP_TYPE:
	case OP_LOCK:
	case OP_OPEN:
		return t->a >= 0;
	case OP_ATTACH:
		return t->ns >= 0 && model_detached(&h->m, t->ns) && t->b >= 0;
	case OP_RENAME:
	case OP_RMDIR:
	case OP_MKDIR:
		return true;
	case OP_CLONE:
		return t->ns >= 0 && !model_detached(&h->m, t->ns);
	case OP_DROP:
		return t->ns >= 0;
	case NR_OPS:
		break;
	}
	return false;
}

bool hist_held(const struct hist *h, int mnt)
{
	return h->m.mnt[mnt].ns >= 0 && model_detached(&h->m, h->m.mnt[mnt].ns);
}

int hist_from(const struct hist *h, int mnt)
{
	int ns = model_used_from(&h->m, mnt);
	return h->ns_gone[ns] ? -1 : ns;
}

int hist_ns_of(const struct hist *h, int owner)
{
	for (int k = 0; k < h->m.nr_ns; k++)
		if (!h->ns_gone[k] && !model_detached(&h->m, k) && h->m.owner[k] == owner)
			return k;
	return -1;
}

/* The mounts that are left, in the same order; groups that have members. */
int hist_compact(struct hist *h)
{
	struct model *m = &h->m;
	int *to = calloc(m->nr + 1, sizeof(int)), n = 0, g = 1;
	int *group = calloc(m->nr_groups, sizeof(int));

	if (!to || !group) {
		free(to);
		free(group);
		return -ENOMEM;
	}
	for (int i = 0; i < m->nr; i++)
		if (m->mnt[i].ns != MODEL_GONE)
			group[m->mnt[i].group] = 1;
	group[0] = 0;
	for (int i = 1; i < m->nr_groups; i++)
		if (group[i])
			group[i] = g++;
	for (int i = 1; i < m->nr_groups; i++)
		if (group[i])
			m->group_master[group[i]] = group[m->group_master[i]];
	m->nr_groups = g;
	for (int i = 0; i < m->nr; i++)
		if (m->mnt[i].ns != MODEL_GONE)
			to[i] = n++;
	for (int i = 0; i < m->nr; i++) {
		struct model_mount p = m->mnt[i];

		if (p.ns == MODEL_GONE)
			continue;
		p.parent = p.parent < 0 ? -1 : to[p.parent];
		p.group = group[p.group];
		p.master = group[p.master];
		m->mnt[to[i]] = p;
		h->tag[to[i]] = h->tag[i];
	}
	m->nr = n;
	free(to);
	free(group);
	return 0;
}

int hist_alive(const struct hist *h)
{
	int n = 0;

	for (int i = 0; i < h->m.nr; i++)
		n += h->m.mnt[i].ns != MODEL_GONE;
	return n;
}

/* Paths. */

void hist_dir(const struct hist *h, int dir, int root, char *path)
{
	char names[2 * HIST_DIRS], *p = names + sizeof(names) - 1;

	*p = 0;
	for (int d = dir; d != root && d; d = h->dirs[d]) {
		if (*p)
			*--p = '/';
		*--p = 'a' + d - 1;
	}
	strcpy(path, p);
}

bool hist_way(const struct hist *h, int mnt, int dir, bool on)
{
	int root = h->m.mnt[mnt].root;

	if (dir == root)
		return true;
	if (h->removed[dir] || !model_under(&h->m, dir, root) ||
	    (!on && model_lookup(&h->m, mnt, dir) >= 0))
		return false;
	for (int d = h->dirs[dir]; d != root; d = h->dirs[d])
		if (model_lookup(&h->m, mnt, d) >= 0)
			return false;
	return true;
}

static bool add_path(const struct hist *h, int mnt, int top, char *path, size_t size)
{
	const struct model_mount *p = &h->m.mnt[mnt];
	int up = p->parent, root;
	size_t n;

	if (up < 0 || (up != top && !add_path(h, up, top, path, size)))
		return false;
	root = h->m.mnt[up].root;
	if (p->at == root)	/* arrived at by itself, unless at the top */
		return up != top;
	/* a path goes on from the top of a stack */
	if (up != top && model_lookup(&h->m, up, root) >= 0)
		return false;
	n = strlen(path);
	if (!hist_way(h, up, p->at, true) || n + 2 * HIST_DIRS > size)
		return false;
	if (n)
		path[n++] = '/';
	hist_dir(h, p->at, root, path + n);
	return true;
}

bool hist_path(const struct hist *h, int mnt, char *path, size_t size)
{
	int top = hist_top(h, h->m.mnt[mnt].ns);

	*path = 0;
	if (mnt == top)
		return true;
	return model_lookup(&h->m, mnt, h->m.mnt[mnt].root) < 0 &&
	       add_path(h, mnt, top, path, size);
}
