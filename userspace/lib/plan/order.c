// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The order of cloning and attaching.  Parents are attached first; among the
 * children of one mount, a deeper mountpoint comes before one above it, because
 * the walk to it would else enter the upper mount; among all that are possible,
 * the smallest original id, so that mountinfo comes out in its old order.  A cover on the
 * parent's root blocks nobody: walks start at the parent's own descriptor.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "plan/priv.h"

struct order {
	struct mc_plan *p;
	const struct mc_topology *t;
	uint32_t *sorted;	/* by parent, then mountpoint */
	uint32_t *above, *cover;	/* the plan's */
	uint32_t *waits;	/* parent and deeper siblings not yet attached */
	uint32_t *heap;
	uint32_t nr_heap;
	uint32_t turn;		/* mounts with smaller ids are cloned */
};

static int cmp_child(const void *a, const void *b, void *data)
{
	struct order *o = data;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	const struct mc_mount *m = o->t->mounts;
	int c;

	o->p->steps++;
	/* namespace roots, which have no parent, go last */
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

/*
 * In that order, what is mounted below a mountpoint follows it directly: a
 * stack holds the mountpoints above the one at hand.
 */
static void find_above(struct order *o)
{
	const struct mc_mount *mounts = o->t->mounts;
	uint32_t i, m, up;

	for (i = 0; i < o->t->nr_mounts; i++) {
		m = o->sorted[i];
		o->above[m] = MC_NONE;
		if (mounts[m].parent == MC_NONE)
			continue;
		o->waits[m]++;
		if (!strcmp(mounts[m].mountpoint, "/")) {
			o->cover[mounts[m].parent] = m;
			continue;
		}
		up = i ? o->sorted[i - 1] : MC_NONE;
		if (up == MC_NONE || mounts[up].parent != mounts[m].parent ||
		    !strcmp(mounts[up].mountpoint, "/"))
			continue;
		while (up != MC_NONE && !mc_path_below(mounts[up].mountpoint,
						       mounts[m].mountpoint)) {
			up = o->above[up];
			o->p->steps++;
		}
		o->above[m] = up;
		if (up == MC_NONE)
			continue;
		o->p->priv->is_above[up] = true;
		o->waits[up]++;
	}
}

/* --- what a path leads to -------------------------------------------------- */

static uint8_t removable(const struct mc_mount *m)
{
	return m->locks_known && m->locks & MOUNT_LOCK_MOUNT ? MC_SEALED :
	       MC_COVERED;
}

static uint8_t most(uint8_t a, uint8_t b)
{
	return a > b ? a : b;
}

/*
 * Stock kernels find a mount by path.  One that is covered is found in a
 * recursive clone of the nearest mount above that is not, once the covers are
 * unmounted there: unless one is locked, or something unbindable, which a
 * recursive clone leaves out, is on the way.  Nor can the clone be mounted if the
 * file of a mount namespace is in it: that is not let into a younger one.
 */
static int see(struct order *o, struct mntcr_error *e)
{
	const struct mc_topology *t = o->t;
	uint8_t *hidden = o->p->priv->hidden, *on, *over, *way, *file;
	uint32_t n = t->nr_mounts + 1, i, m, c, up;
	uint32_t *seen = o->p->priv->seen_above;

	/*
	 * what covers the root; what is mounted above the mountpoint; the way; has
	 * a recursive clone the file of a mount namespace
	 */
	on = calloc(4 * (size_t)n, 1);
	if (!on)
		return mc_nomem(e);
	over = on + n;
	way = over + n;
	file = way + n;
	/*
	 * From the last: what covers a mount, or is mounted above it, is
	 * attached after it.
	 */
	for (i = o->p->priv->nr_order; i-- > 0; ) {
		if (!(o->p->priv->order[i] & 1))
			continue;
		m = o->p->priv->order[i] >> 1;
		c = o->cover[m];
		if (c != MC_NONE)
			on[m] = most(removable(&t->mounts[c]), on[c]);
		c = o->above[m];
		if (c != MC_NONE)
			over[m] = most(removable(&t->mounts[c]),
				       most(on[c], over[c]));
		up = t->mounts[m].parent;
		file[m] |= t->mounts[m].nsfs_type == CLONE_NEWNS;
		if (up != MC_NONE && !t->mounts[m].unbindable)
			file[up] |= file[m];
	}
	for (i = 0; i < o->p->priv->nr_order; i++) {
		if (!(o->p->priv->order[i] & 1))
			continue;
		m = o->p->priv->order[i] >> 1;
		up = t->mounts[m].parent;
		if (up != MC_NONE && !strcmp(t->mounts[m].mountpoint, "/"))
			way[m] = way[up];
		else if (up != MC_NONE)
			way[m] = most(most(way[up], on[up]), over[m]);
		hidden[m] = most(way[m], on[m]);
		if (hidden[m] == MC_COVERED &&
		    (up == MC_NONE || t->mounts[up].unbindable ||
		     hidden[up] == MC_SEALED))
			hidden[m] = MC_SEALED;
		seen[m] = up == MC_NONE || hidden[up] == MC_SEEN ? up : seen[up];
		if (hidden[m] == MC_COVERED && file[seen[m]])
			hidden[m] = MC_FILED;
	}
	free(on);
	return 0;
}

/* --- the sequence ---------------------------------------------------------- */

/*
 * Ids are given when a mount is cloned, so cloning follows the original ids
 * wherever that can be: a mount that may not be attached yet (something was
 * mounted beneath it later, or its parent is younger) waits, detached.
 */
#define MOST_WAITING	64

enum state { UNSEEN, CLONED, ATTACHED };

struct sequence {
	struct order *o;
	uint8_t *state;
	uint32_t *out, nr_out;
	uint32_t nr_waiting;
};

static void clone_it(struct sequence *q, uint32_t m)
{
	q->state[m] = CLONED;
	q->out[q->nr_out++] = m << 1;
}

/* Attach m and whatever waited for it, smallest id first. */
static void attach_all(struct sequence *q, uint32_t m)
{
	struct order *o = q->o;
	uint32_t c, up;

	heap_push(o, m);
	while (o->nr_heap) {
		m = heap_pop(o);
		if (q->state[m] == UNSEEN)
			clone_it(q, m);
		else
			q->nr_waiting--;
		q->state[m] = ATTACHED;
		q->out[q->nr_out++] = m << 1 | 1;
		up = o->above[m];
		/* Not cloned yet: attached when it is. */
		if (up != MC_NONE && !--o->waits[up] && up < q->o->turn)
			heap_push(o, up);
		mc_for_each_child(o->t, c, m)
			if (!--o->waits[c] && c < q->o->turn)
				heap_push(o, c);
	}
}

static void sequence_ns(struct sequence *q, const struct mc_ns *ns)
{
	struct order *o = q->o;
	uint32_t m, end = ns->first_mount + ns->nr_mounts;

	for (m = ns->first_mount; m < end; m++) {
		o->turn = m;
		if (q->state[m] != UNSEEN)
			continue;
		if (!o->waits[m]) {
			o->turn = m + 1;
			attach_all(q, m);
		} else if (q->nr_waiting < MOST_WAITING) {
			clone_it(q, m);
			q->nr_waiting++;
		}
	}
}

int mc_plan_order(struct mc_plan *p, struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	struct order o = { .p = p, .t = t };
	struct sequence q = { .o = &o, .out = p->priv->order };
	uint32_t n = t->nr_mounts ? t->nr_mounts : 1, i, m;
	int ret = -1;

	o.sorted = calloc(n, sizeof(*o.sorted));
	o.above = p->priv->above;
	o.cover = p->priv->cover;
	o.waits = calloc(n, sizeof(*o.waits));
	o.heap = calloc(n, sizeof(*o.heap));
	q.state = calloc(n, sizeof(*q.state));
	if (!o.sorted || !o.waits || !o.heap || !q.state) {
		mc_nomem(e);
		goto out;
	}
	for (m = 0; m < t->nr_mounts; m++) {
		o.sorted[m] = m;
		o.cover[m] = MC_NONE;
	}
	qsort_r(o.sorted, t->nr_mounts, sizeof(*o.sorted), cmp_child, &o);
	find_above(&o);
	for (i = 0; i < t->nr_ns; i++)
		sequence_ns(&q, &t->ns[p->priv->ns_order[i]]);
	p->priv->nr_order = q.nr_out;
	ret = see(&o, e);
out:
	free(o.sorted);
	free(o.waits);
	free(o.heap);
	free(q.state);
	return ret;
}
