// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Histories: the shortest that still fails.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * Parts are left out, large ones first, as long as what is left shows the same
 * difference.  An operation whose mounts are no longer there is skipped.
 */
#include <stdlib.h>
#include <string.h>

#include "history/run.h"

/*
 * Of steps after @step the mounts from number @from on were one further: if one
 * mount less is copied, all others move up.
 */
static void move_up(struct name *n, int step, int from)
{
	if (n->step > step && n->k >= from)
		n->k--;
}

static void renumber(struct history *y, int at, int step, int from)
{
	for (struct op *op = y->op + at; op < y->op + y->nr; op++) {
		move_up(&op->a, step, from);
		move_up(&op->b, step, from);
		for (int i = 0; i < op->nr; i++)
			move_up(&op->member[i], step, from);
	}
}

static bool fails_so(struct run *r, const struct history *y, const struct failure *so)
{
	return !run_all(r, y) && same_failure(&r->failure, so);
}

/* Does it fail without @len operations from @at on?  Then they are gone. */
static bool without(struct run *r, struct history *y, const struct failure *so, int at,
		    int len, int from)
{
	struct history less = { malloc((y->nr + 1) * sizeof(*y->op)), 0, 0 };
	bool fails;

	if (!less.op)
		return false;
	memcpy(less.op, y->op, at * sizeof(*y->op));
	memcpy(less.op + at, y->op + at + len, (y->nr - at - len) * sizeof(*y->op));
	less.nr = y->nr - len;
	if (from)
		renumber(&less, at, y->op[at].step, from);
	fails = fails_so(r, &less, so);
	if (fails) {
		memcpy(y->op, less.op, less.nr * sizeof(*y->op));
		y->nr = less.nr;
	}
	free(less.op);
	return fails;
}

/* And with something less of one operation? */
static bool simpler(struct run *r, struct history *y, const struct failure *so, int at)
{
	struct op old = y->op[at];

	if (!old.flags)
		return false;
	y->op[at].flags = 0;
	if (fails_so(r, y, so))
		return true;
	y->op[at] = old;
	return false;
}

int shrink(struct run *r, struct history *y)
{
	const struct failure so = r->failure;
	bool again = true;
	int tries = 0;

	for (int len = y->nr / 2; len > 0 || again; len /= 2) {
		len = len ? len : 1;
		again = false;
		/* what came last is needed least often: from the end */
		for (int at = y->nr - len; at >= 0; at -= len) {
			bool fails = false;

			for (int from = 0; from < (len == 1 ? 8 : 1) && !fails; from++) {
				tries++;
				fails = without(r, y, &so, at, len, from);
			}
			if (fails) {
				again = true;
				if (at > y->nr)
					at = y->nr;
			}
		}
		again &= len == 1;
	}
	for (int at = 0; at < y->nr; at++)
		simpler(r, y, &so, at);
	run_all(r, y);
	return tries;
}
