// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The least of a topology that still differs.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <string.h>

#include "run.h"

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

/* One thing less of mount @i: the mount, its namespace, some of its root. */
static bool less(const struct topo *t, int i, int what, struct topo *out)
{
	struct topo_mount *m = &out->m[i];

	*out = *t;
	if (what == 0 && t->nr > 1)
		without(out, i);
	else if (what == 1 && m->ns)
		m->ns = 0;
	else if (what == 2 && m->root)
		m->root = (m->root - 1) / 2;
	else
		return false;
	return true;
}

/* Numbered as it is printed: the numbers say what is done to what. */
static void renumber(struct topo *t)
{
	char line[TOPO_LINE];

	topo_print(t, line, sizeof(line));
	topo_parse(t, line);
}

/* Still differs, with any choice of what is left to choice? */
static bool differs(struct run *r, struct topo *t, uint64_t *hash)
{
	uint64_t seed = 1;

	for (int k = 0; k < 9; k++) {
		uint64_t h = k ? topo_next_random(&seed) : *hash;
		struct run one = {
			.w = r->w, .t = t, .l = r->l, .way = r->way, .hash = h,
			.locks = r->locks, .test = r->test, .data = r->data,
		};

		if (r->test(&one))
			continue;
		*hash = h;
		return true;
	}
	return false;
}

bool shrink(struct run *r, struct topo *t)
{
	bool smaller = false, again = true;
	struct layout l;
	struct topo next;

	layout_siblings(&l);
	r->l = &l;
	*t = *r->t;
	while (again) {
		again = false;
		for (int i = t->nr - 1; i >= 0; i--)
			for (int what = 0; what < 3 && i < t->nr; what++) {
				if (!less(t, i, what, &next))
					continue;
				renumber(&next);
				if (!differs(r, &next, &r->hash))
					continue;
				*t = next;
				again = smaller = true;
			}
	}
	r->t = t;
	return smaller;
}
