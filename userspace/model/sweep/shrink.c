// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The least of a topology that still differs.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <string.h>

#include "sweep/run.h"

/* Without mount @i; what a group that is now empty sent to goes up. */
static void without(struct topo *t, int i)
{
	int kind = t->m[i].kind, g = t->m[i].group;

	memmove(&t->m[i], &t->m[i + 1], (--t->nr - i) * sizeof(t->m[0]));
	if (kind != TOPO_MEMBER)
		return;
	for (int k = 0; k < t->nr; k++)
		if (t->m[k].kind == TOPO_MEMBER && t->m[k].group == g)
			return;
	for (int k = 0; k < t->nr; k++) {
		if (t->m[k].kind == TOPO_SLAVE && t->m[k].group == g) {
			t->m[k].group = t->master[g];
			if (t->master[g] < 0)
				t->m[k].kind = TOPO_PRIVATE;
		}
		if (t->m[k].group > g)
			t->m[k].group--;
	}
	for (int k = 0; k < t->nr_groups; k++) {
		if (t->master[k] == g)
			t->master[k] = t->master[g];
		if (t->master[k] > g)
			t->master[k]--;
	}
	memmove(&t->master[g], &t->master[g + 1],
		(--t->nr_groups - g) * sizeof(t->master[0]));
}

static bool carries(const struct topo *t, const struct layout *l, int i)
{
	for (int k = 0; k < t->nr; k++)
		if (l->on[k] == i)
			return true;
	return false;
}

/* The layout without mount @i. */
static void forget(const struct topo *t, struct layout *l, int i)
{
	for (int k = 0; k < t->nr; k++)
		l->on[k] -= l->on[k] > i;
	for (int k = i; k < t->nr - 1; k++) {
		l->on[k] = l->on[k + 1];
		l->dir[k] = l->dir[k + 1];
		l->over[k] = l->over[k + 1];
		l->locked[k] = l->locked[k + 1];
	}
	l->on[t->nr - 1] = -1;
	l->dir[t->nr - 1] = 0;
	l->over[t->nr - 1] = l->locked[t->nr - 1] = false;
}

/*
 * One thing less of mount @i: the mount, its namespace, some of its root, its
 * lock, what it hangs on.
 */
static bool less(const struct topo *t, const struct layout *l, int i, int what,
		 struct topo *out, struct layout *lout)
{
	bool alone = l->on[i] < 0 && !carries(t, l, i);
	struct topo_mount *m = &out->m[i];

	*out = *t;
	*lout = *l;
	if (what == 0 && t->nr > 1 && !carries(t, l, i)) {
		forget(t, lout, i);
		without(out, i);
	} else if (what == 1 && m->ns && alone) {
		m->ns = 0;
	} else if (what == 2 && m->root) {
		m->root = (m->root - 1) / 2;
	} else if (what == 3 && l->locked[i]) {
		lout->locked[i] = false;
	} else if (what == 4 && l->on[i] >= 0) {
		lout->on[i] = -1;
		lout->dir[i] = 0;
		lout->over[i] = false;
	} else {
		return false;
	}
	/* numbered as it is printed: the numbers say what is done to what */
	layout_renumber(out, lout);
	return true;
}

/* Still differs, with any choice of what is left to choice? */
static bool differs(struct run *r, struct topo *t, struct layout *l,
		    uint64_t *hash)
{
	uint64_t seed = 1;

	for (int k = 0; k < 9; k++) {
		uint64_t h = k ? topo_next_random(&seed) : *hash;
		struct run one = {
			.w = r->w, .t = t, .l = l, .way = r->way, .hash = h,
			.locks = r->locks, .all_types = r->all_types,
			.test = r->test, .data = r->data,
		};

		if (r->test(&one))
			continue;
		*hash = h;
		return true;
	}
	return false;
}

bool shrink(struct run *r, struct topo *t, struct layout *l)
{
	bool smaller = false, again = true;
	struct layout lnext;
	struct topo next;

	*l = *r->l;
	*t = *r->t;
	while (again) {
		again = false;
		for (int i = t->nr - 1; i >= 0; i--)
			for (int what = 0; what < 5 && i < t->nr; what++) {
				if (!less(t, l, i, what, &next, &lnext) ||
				    !differs(r, &next, &lnext, &r->hash))
					continue;
				*t = next;
				*l = lnext;
				again = smaller = true;
			}
	}
	r->t = t;
	r->l = l;
	return smaller;
}
