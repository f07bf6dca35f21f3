// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The order of attaching.  Parents come first; among the children of one
 * mount, a deeper mountpoint comes before one above it, because the walk to it
 * would else enter the upper mount; among all that are possible, the smallest
 * original id, so that mountinfo comes out in its old order.  A cover on the
 * parent's root blocks nobody: walks start at the parent's own descriptor.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <string.h>

#include "plan-priv.h"

struct order {
	struct mc_plan *p;
	const struct mc_topology *t;
	uint32_t *sorted;	/* by parent, then mountpoint */
	uint32_t *above;	/* nearest sibling mounted above, or MC_NONE */
	uint32_t *waits;	/* parent and deeper siblings not yet attached */
	bool *covered;		/* something is mounted on the root */
	uint32_t *heap;
	uint32_t nr_heap;
};

static int cmp_child(const void *a, const void *b, void *data)
{
	struct order *o = data;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	const struct mc_mount *m = o->t->mounts;
	int c;

	o->p->steps++;
	/* Roots of namespaces go last. */
	if (m[x].parent != m[y].parent)
		return m[x].parent < m[y].parent ? -1 : 1;
	c = mc_path_cmp(m[x].mountpoint, m[y].mountpoint);
	return c ? c : (x > y) - (x < y);
}

static void heap_push(struct order *o, uint32_t m)
{
	uint32_t i = o->nr_heap++, up;

	while (i && o->heap[up = (i - 1) / 2] > m) {
		o->heap[i] = o->heap[up];
		i = up;
		o->p->steps++;
	}
	o->heap[i] = m;
}

static uint32_t heap_pop(struct order *o)
{
	uint32_t top = o->heap[0], last = o->heap[--o->nr_heap], i = 0, c;

	while ((c = 2 * i + 1) < o->nr_heap) {
		if (c + 1 < o->nr_heap && o->heap[c + 1] < o->heap[c])
			c++;
		if (last <= o->heap[c])
			break;
		o->heap[i] = o->heap[c];
		i = c;
		o->p->steps++;
	}
	o->heap[i] = last;
	return top;
}

/* Nested mountpoints of one parent follow each other: a chain of "above". */
static int find_above(struct order *o, struct mntcr_error *e)
{
	const struct mc_mount *mounts = o->t->mounts;
	uint32_t i, m, up;
	char name[256];

	for (i = 0; i < o->t->nr_mounts; i++) {
		m = o->sorted[i];
		o->above[m] = MC_NONE;
		if (mounts[m].parent == MC_NONE)
			continue;
		o->waits[m]++;
		if (!strcmp(mounts[m].mountpoint, "/")) {
			if (o->covered[mounts[m].parent])
				goto twice;
			o->covered[mounts[m].parent] = true;
			continue;
		}
		up = i ? o->sorted[i - 1] : MC_NONE;
		if (up == MC_NONE || mounts[up].parent != mounts[m].parent ||
		    !strcmp(mounts[up].mountpoint, "/"))
			continue;
		if (!mc_path_cmp(mounts[up].mountpoint, mounts[m].mountpoint))
			goto twice;
		while (up != MC_NONE && !mc_path_below(mounts[up].mountpoint,
						       mounts[m].mountpoint)) {
			up = o->above[up];
			o->p->steps++;
		}
		o->above[m] = up;
		if (up != MC_NONE)
			o->waits[up]++;
	}
	return 0;
twice:
	return mc_refuse(e, "two-mounts-one-place",
			 "%s: its parent has two mounts at one mountpoint",
			 mc_mount_name(o->t, m, name, sizeof(name)));
}

static void see(struct order *o, bool *path_leads, uint32_t m)
{
	const struct mc_mount *mnt = &o->t->mounts[m];
	bool *reachable = o->p->priv->reachable;

	if (mnt->parent == MC_NONE)
		path_leads[m] = true;
	else if (!strcmp(mnt->mountpoint, "/"))
		path_leads[m] = path_leads[mnt->parent];
	else
		path_leads[m] = reachable[mnt->parent] &&
				o->above[m] == MC_NONE;
	reachable[m] = path_leads[m] && !o->covered[m];
}

static void attached(struct order *o, uint32_t m)
{
	uint32_t c;

	if (o->above[m] != MC_NONE && !--o->waits[o->above[m]])
		heap_push(o, o->above[m]);
	mc_for_each_child(o->t, c, m)
		if (!--o->waits[c])
			heap_push(o, c);
}

int mc_plan_order(struct mc_plan *p, struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	struct order o = { .p = p, .t = t };
	uint32_t n = t->nr_mounts ? t->nr_mounts : 1, i, m, k;
	bool *path_leads = calloc(n, sizeof(*path_leads));
	int ret = -1;

	o.sorted = calloc(n, sizeof(*o.sorted));
	o.above = calloc(n, sizeof(*o.above));
	o.waits = calloc(n, sizeof(*o.waits));
	o.covered = calloc(n, sizeof(*o.covered));
	o.heap = calloc(n, sizeof(*o.heap));
	if (!path_leads || !o.sorted || !o.above || !o.waits || !o.covered ||
	    !o.heap) {
		mc_nomem(e);
		goto out;
	}
	for (m = 0; m < t->nr_mounts; m++)
		o.sorted[m] = m;
	qsort_r(o.sorted, t->nr_mounts, sizeof(*o.sorted), cmp_child, &o);
	if (find_above(&o, e))
		goto out;
	for (i = 0; i < t->nr_ns; i++) {
		if (t->ns[i].root == MC_NONE)
			continue;
		k = t->ns[i].first_mount;
		heap_push(&o, t->ns[i].root);
		while (o.nr_heap) {
			m = heap_pop(&o);
			p->priv->order[k++] = m;
			see(&o, path_leads, m);
			attached(&o, m);
		}
	}
	ret = 0;
out:
	free(path_leads);
	free(o.sorted);
	free(o.above);
	free(o.waits);
	free(o.covered);
	free(o.heap);
	return ret;
}
