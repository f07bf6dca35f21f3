// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Histories: operations that make chains of masters and slaves.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * What becomes of a mount is the harder to say the more groups lie between, and most
 * of all where one of these has not got the place: a slave may have a wider root than
 * its master.  So there are mounts of one superblock, of any root, each next to the
 * others on private mounts of another one, which stay so; nearly all of them become
 * slaves of one that is there already, and masters of what comes.
 */
#include "history/draw.h"

#define MEMBERS		0	/* the superblock of these, */
#define CARRIERS	1	/* of what they are on */
#define CHILDREN	2	/* and of what is on them */
#define ENOUGH		4	/* carriers */

static bool is_private(const struct model_mount *p)
{
	return !p->group && !p->master;
}

static bool is_top(const struct hist *h, int mnt)
{
	return h->m.mnt[mnt].parent < 0 || mnt == hist_top(h, h->m.mnt[mnt].ns);
}

static bool carries(const struct hist *h, int mnt)
{
	return is_private(&h->m.mnt[mnt]) &&
	       (h->m.mnt[mnt].sb == CARRIERS || is_top(h, mnt));
}

static int carriers(const struct hist *h)
{
	int n = 0;

	for (int i = 0; i < h->m.nr; i++)
		n += carries(h, i) && !is_top(h, i);
	return n;
}

/* A place that is free. */
static bool draw_place(struct chance *c, const struct hist *h, struct op *op)
{
	for (int k = 0; k < 64; k++) {
		int i;

		if (!draw_mount(c, h, &op->b, -1))
			return false;
		i = index_of(h, &op->b);
		if (!carries(h, i))
			continue;
		op->to = draw_dir(c, h, &op->b);
		if (model_lookup(&h->m, i, op->to) < 0)
			return true;
	}
	return false;
}

enum which { PRIVATE, SENDS, CONNECTED };

static bool draw_member(struct chance *c, const struct hist *h, struct name *n,
			enum which which)
{
	for (int k = 0; k < 32; k++) {
		const struct model_mount *p;
		int i;

		if (!draw_mount(c, h, n, -1))
			return false;
		i = index_of(h, n);
		p = &h->m.mnt[i];
		if (p->sb == MEMBERS && !is_top(h, i) &&
		    (which == PRIVATE ? is_private(p) && !p->unbindable :
		     which == SENDS ? p->group : !is_private(p)))
			return true;
	}
	return false;
}

static bool draw_child(struct chance *c, const struct hist *h, struct name *n)
{
	for (int k = 0; k < 32; k++) {
		if (!draw_mount(c, h, n, -1))
			return false;
		if (h->m.mnt[index_of(h, n)].sb == CHILDREN)
			return true;
	}
	return false;
}

static bool mount_one(struct chance *c, const struct hist *h, struct op *op)
{
	op->type = OP_MOUNT;
	op->arg = carriers(h) < ENOUGH ? CARRIERS : MEMBERS;
	if (op->arg == MEMBERS && draw(c, 2))
		op->from = draw(c, h->m.nr_dirs);
	return draw_place(c, h, op);
}

/* Some more, and with them what they have mounted on them. */
static void draw_more(struct chance *c, const struct hist *h, struct op *op)
{
	while (op->nr < 3 && draw(c, 2)) {
		struct name *n = &op->member[op->nr];

		if (!draw_member(c, h, n, PRIVATE))
			return;
		for (int i = 0; i < op->nr; i++)
			if (op->member[i].step == n->step && op->member[i].k == n->k)
				return;
		op->nr++;
	}
}

/* Mostly below the second group at least. */
static bool join(struct chance *c, const struct hist *h, struct op *op)
{
	op->type = OP_SETGROUP;
	op->arg = MODEL_SG_SHARED | MODEL_SG_MASTER;
	if (!draw(c, 8))
		op->arg = draw(c, 2) ? MODEL_SG_PEER : MODEL_SG_SHARED | MODEL_SG_SIBLING;
	op->nr = 1;
	if (!draw_member(c, h, &op->member[0], PRIVATE))
		return false;
	if (!draw_member(c, h, &op->a, SENDS))
		op->arg = MODEL_SG_SHARED;
	else if (!model_master(&h->m, index_of(h, &op->a)))
		draw_member(c, h, &op->a, SENDS);
	if (c->begins == GUARDED)
		draw_more(c, h, op);
	return true;
}

/*
 * Mounts on members, locked ones among them, and members that have the same: what may
 * be joined is a matter of these.
 */
static bool guard(struct chance *c, const struct hist *h, struct op *op)
{
	switch (draw(c, 4)) {
	case 0:
		op->type = OP_MOUNT;
		op->arg = CHILDREN;
		if (!draw_member(c, h, &op->b, draw(c, 2) ? PRIVATE : CONNECTED))
			return false;
		/* few places, for several to have something at the same one */
		op->to = 1 + draw(c, 2);
		return model_under(&h->m, op->to, h->m.mnt[index_of(h, &op->b)].root);
	case 1:
		op->type = OP_BIND;
		op->flags = OP_REC;
		if (!draw_member(c, h, &op->a, PRIVATE))
			return false;
		op->from = draw(c, 2) ? draw_dir(c, h, &op->a) :
			   h->m.mnt[index_of(h, &op->a)].root;
		return draw_place(c, h, op);
	case 2:
		op->type = OP_SET_GROUP;
		return draw_member(c, h, &op->a, CONNECTED) &&
		       draw_member(c, h, &op->b, PRIVATE);
	default:
		op->type = OP_LOCK;
		return draw_child(c, h, &op->a);
	}
}

bool generate_chain(struct chance *c, const struct hist *h, struct op *op)
{
	struct name n;

	if (c->begins == GUARDED && draw(c, 2))
		return guard(c, h, op);
	switch (draw(c, 20)) {
	case 0:
		op->type = OP_TYPE;
		op->arg = draw(c, 3) ? MODEL_SHARED : MODEL_SLAVE;
		return draw_member(c, h, &op->a, CONNECTED);
	case 1:
		op->type = OP_BIND;
		if (!draw_member(c, h, &op->a, CONNECTED) || !draw_place(c, h, op))
			return false;
		op->from = draw_dir(c, h, &op->a);
		return true;
	}
	if (carriers(h) < ENOUGH || !draw(c, 3) || !draw_member(c, h, &n, PRIVATE))
		return mount_one(c, h, op);
	return join(c, h, op);
}

bool draw_sender(struct chance *c, const struct hist *h, struct name *n)
{
	if (!draw_member(c, h, n, SENDS))
		return false;
	while (draw(c, 3)) {
		int g = model_master(&h->m, index_of(h, n)), i = 0;

		while (i < h->m.nr && (!g || h->m.mnt[i].ns == MODEL_GONE ||
				       h->m.mnt[i].group != g))
			i++;
		if (i == h->m.nr)
			break;
		*n = h->tag[i].name;
	}
	return true;
}
