// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Histories: operations that take trees from one owner's namespace to another's.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * What is locked, there and in the copies that others receive, is a matter of whose
 * the namespaces are.  So there are some early on, while they have few mounts, and most
 * of what is done is a bind of a tree from one to the other.
 */
#include "history/draw.h"

#define FEW	10	/* mounts to a namespace that is cloned */
#define MOST	3	/* namespaces */

static bool draw_parent(struct chance *c, const struct hist *h, struct name *n)
{
	for (int k = 0; k < 16; k++) {
		int i;

		if (!draw_mount(c, h, n, -1))
			return false;
		i = index_of(h, n);
		for (int j = 0; j < h->m.nr; j++)
			if (h->m.mnt[j].ns != MODEL_GONE && h->m.mnt[j].parent == i)
				return true;
	}
	return true;
}

/* Mostly of a tree, with all of it, to a namespace of another owner. */
static bool foreign(struct chance *c, const struct hist *h, struct op *op)
{
	int from;

	op->type = OP_FOREIGN;
	op->flags = (draw(c, 4) ? OP_REC : 0) | (draw(c, 4) ? 0 : OP_UNLOCKED);
	if (!draw_parent(c, h, &op->a))
		return false;
	from = index_of(h, &op->a);
	op->from = draw(c, 4) ? h->m.mnt[from].root : draw_dir(c, h, &op->a);
	for (int k = 0; k < 16; k++) {
		if (!draw_mount(c, h, &op->b, -1))
			return false;
		if (h->m.owner[h->m.mnt[index_of(h, &op->b)].ns] !=
		    h->m.owner[h->m.mnt[from].ns])
			break;
	}
	op->to = draw_dir(c, h, &op->b);
	return true;
}

bool generate_owners(struct chance *c, const struct hist *h, struct op *op)
{
	int alive = hist_alive(h), nr = hist_namespaces(h);

	if (nr < MOST && alive > 3 && alive < FEW * nr) {
		op->type = OP_CLONE;
		op->arg = draw(c, HIST_OWNERS);
		return draw_ns(c, h, &op->ns);
	}
	switch (draw(c, 14)) {
	case 0:
	case 1:
		op->type = OP_TYPE;
		op->arg = draw(c, 6) ? MODEL_SHARED : MODEL_UNBINDABLE;
		return draw_mount(c, h, &op->a, -1);
	case 2:
	case 3:
		op->type = OP_MOUNT;
		op->arg = draw(c, HIST_SBS);
		if (!draw_mount(c, h, &op->b, -1))
			return false;
		op->to = draw_dir(c, h, &op->b);
		return true;
	case 4:
		op->type = OP_LOCK;
		return draw_mount(c, h, &op->a, -1);
	case 5:
		op->type = OP_DROP;
		return !draw(c, 4) && nr == MOST && draw_ns(c, h, &op->ns);
	case 6:
		/* what receives there, too */
		op->type = OP_BIND;
		if (!draw_mount(c, h, &op->a, -1) ||
		    !draw_mount(c, h, &op->b, h->m.mnt[index_of(h, &op->a)].ns))
			return false;
		op->from = draw_dir(c, h, &op->a);
		op->to = draw_dir(c, h, &op->b);
		return true;
	}
	if (draw(c, c->limit) >= (unsigned int)alive)
		return foreign(c, h, op);
	op->type = OP_UMOUNT;
	op->flags = OP_LAZY;
	return draw_mount(c, h, &op->a, -1);
}
