// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Histories: the next operation, at random.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <string.h>

#include "history/draw.h"

#define TRIES	4	/* of the same type */
#define HELD	3	/* detached trees at a time */

/* How often, of each in turn: while there is room, and when there is none. */
static const struct {
	enum op_type type;
	int room, full;
} often[] = {
	{ OP_MOUNT, 10, 2 }, { OP_BIND, 20, 4 }, { OP_UMOUNT, 12, 40 },
	{ OP_TYPE, 30, 20 }, { OP_MOVE, 12, 12 }, { OP_CLONE, 3, 0 },
	{ OP_DROP, 1, 6 }, { OP_FOREIGN, 12, 2 }, { OP_SETGROUP, 16, 8 },
	{ OP_SET_GROUP, 6, 3 }, { OP_LOCK, 2, 1 }, { OP_PIVOT, 8, 4 },
	{ OP_RENAME, 6, 4 }, { OP_RMDIR, 2, 2 }, { OP_MKDIR, 2, 2 },
	{ OP_OPEN, 8, 2 }, { OP_ATTACH, 6, 4 },
};

#define NR_OFTEN	(int)(sizeof(often) / sizeof(often[0]))

static enum op_type draw_type(struct chance *c, bool full)
{
	int sum = 0, k;

	for (int i = 0; i < NR_OFTEN; i++)
		sum += full ? often[i].full : often[i].room;
	k = draw(c, sum);
	for (int i = 0; i < NR_OFTEN; i++) {
		k -= full ? often[i].full : often[i].room;
		if (k < 0)
			return often[i].type;
	}
	return OP_UMOUNT;
}

/* Mostly within a namespace, or from a tree opened there: else a call is only refused. */
static bool draw_two(struct chance *c, const struct hist *h, struct op *op)
{
	int ns = -1;

	if (!draw_held(c, h, &op->a, 8))
		return false;
	if (!draw(c, 16))
		return draw_held(c, h, &op->b, 4);
	ns = hist_from(h, index_of(h, &op->a));
	return ns >= 0 && draw_mount(c, h, &op->b, ns);
}

/* Private mounts of one superblock, mostly: others are only refused. */
static bool draw_members(struct chance *c, const struct hist *h, struct op *op)
{
	int want = 1 + draw(c, HIST_MEMBERS), sb = -1;
	bool any = !draw(c, 8);

	for (int k = 0; k < 32 && op->nr < want; k++) {
		const struct model_mount *p;
		struct name n;

		if (!draw_any(c, h, &n))
			continue;
		p = &h->m.mnt[index_of(h, &n)];
		if (!any && (p->group || p->master || p->unbindable ||
			     (sb >= 0 && p->sb != sb)))
			continue;
		sb = p->sb;
		op->member[op->nr++] = n;
	}
	return op->nr;
}

static bool draw_setgroup(struct chance *c, const struct hist *h, struct op *op)
{
	static const int flags[] = {
		MODEL_SG_SHARED, MODEL_SG_PEER, MODEL_SG_MASTER, MODEL_SG_SIBLING,
		MODEL_SG_SHARED | MODEL_SG_MASTER, MODEL_SG_SHARED | MODEL_SG_SIBLING,
	};
	bool any = !draw(c, 8);

	op->arg = draw(c, 32) ? flags[draw(c, 6)] : 1 + (int)draw(c, 15);
	if (!draw_members(c, h, op))
		return false;
	for (int k = 0; k < 32; k++) {
		const struct model_mount *p;

		if (!draw_any(c, h, &op->a))
			return false;
		p = &h->m.mnt[index_of(h, &op->a)];
		if (any || op->arg == MODEL_SG_SHARED ||
		    (p->sb == h->m.mnt[index_of(h, &op->member[0])].sb &&
		     (op->arg & MODEL_SG_SIBLING ? model_master(&h->m, index_of(h, &op->a)) :
		      p->group)))
			return true;
	}
	return false;
}

/*
 * A mount whose parent is not shared, mostly: another is neither moved nor made the
 * root.
 */
static bool draw_movable(struct chance *c, const struct hist *h, struct name *n, bool any)
{
	for (int k = 0; k < 16; k++) {
		int up;

		if (!draw_mount(c, h, n, -1))
			return false;
		up = h->m.mnt[index_of(h, n)].parent;
		if (any || (!h->m.mnt[up].group && h->m.mnt[up].parent >= 0))
			return true;
	}
	return false;
}

static bool below(const struct hist *h, int mnt, int top)
{
	while (mnt >= 0 && mnt != top)
		mnt = h->m.mnt[mnt].parent;
	return mnt == top;
}

/* And where to: mostly not below itself. */
static bool draw_move(struct chance *c, const struct hist *h, struct op *op)
{
	bool any = !draw(c, 3);
	int from;

	if (any ? !draw_held(c, h, &op->a, 8) : !draw_movable(c, h, &op->a, false))
		return false;
	from = index_of(h, &op->a);
	for (int k = 0; k < 8; k++) {
		if (any ? !draw_held(c, h, &op->b, 8) :
		    !draw_mount(c, h, &op->b, h->m.mnt[from].ns))
			return false;
		if (any || !below(h, index_of(h, &op->b), from))
			return true;
	}
	return false;
}

/* From one of a group, or that receives, to a private one that is no wider, mostly. */
static bool draw_set_group(struct chance *c, const struct hist *h, struct op *op)
{
	bool any = !draw(c, 4);

	for (int k = 0; k < 64; k++) {
		const struct model_mount *from, *to;

		if (!draw_any(c, h, &op->a) || !draw_any(c, h, &op->b))
			return false;
		from = &h->m.mnt[index_of(h, &op->a)];
		to = &h->m.mnt[index_of(h, &op->b)];
		if (any || ((from->group || from->master) && !to->group && !to->master &&
			    !to->unbindable && from->sb == to->sb &&
			    model_under(&h->m, to->root, from->root)))
			return true;
	}
	return false;
}

/*
 * A new root that is not on a shared mount, what is above it as the old one, and that put
 * on what is below it and not shared: else it is refused, mostly.
 */
static bool draw_pivot(struct chance *c, const struct hist *h, struct op *op)
{
	bool any = !draw(c, 3);
	int new, up;

	op->nr = 1;
	if (!draw_movable(c, h, &op->a, any))
		return false;
	new = index_of(h, &op->a);
	op->b = op->a;
	for (int k = 0; k < 32; k++) {
		struct name n;
		int b;

		if (!draw_mount(c, h, &n, h->m.mnt[new].ns))
			break;
		b = index_of(h, &n);
		if (any || (below(h, b, new) && !h->m.mnt[b].group)) {
			op->b = n;
			break;
		}
	}
	op->to = draw_dir(c, h, &op->b);
	up = h->m.mnt[new].parent;
	op->member[0] = op->a;
	while (h->m.mnt[up].parent >= 0) {
		op->member[0] = h->tag[up].name;
		up = h->m.mnt[up].parent;
		/* nor may the old one be on a shared one */
		if (!(any ? draw(c, 3) : h->m.mnt[up].group || draw(c, 3)))
			break;
	}
	return any || !h->m.mnt[index_of(h, &op->b)].group;
}

bool chance_refused(struct chance *c)
{
	return !draw(c, 8);
}

bool chance_never(struct chance *c, const char *word)
{
	for (int i = 0; i < NR_OPS; i++)
		if (!strcmp(word, op_verb(i))) {
			c->never |= 1u << i;
			return true;
		}
	for (int i = 0; i < 4; i++)
		if (!strcmp(word, op_types[i])) {
			c->never_type |= 1u << i;
			return true;
		}
	return false;
}

/* One in four goes beneath. */
static bool beneath(struct chance *c, const struct hist *h, struct op *op)
{
	if (!draw(c, 4)) {
		op->flags |= OP_BENEATH;
		op->to = h->m.mnt[index_of(h, &op->b)].root;
	}
	return true;
}

/* Of what the series brings one in four by an owner, of those that have a namespace. */
static bool somebody(struct chance *c, const struct hist *h, struct op *op)
{
	const unsigned int new = 1u << OP_FOREIGN | 1u << OP_SETGROUP | 1u << OP_SET_GROUP |
				 1u << OP_LOCK;
	int owner[HIST_OWNERS], nr = 0;

	for (int i = 1; i < HIST_OWNERS; i++)
		if (hist_ns_of(h, i) >= 0)
			owner[nr++] = i;
	if (new >> op->type & 1 && nr && !draw(c, 4))
		op->flags |= OP_BY_1 << (owner[draw(c, nr)] - 1);
	return true;
}

static bool generate_first(struct chance *c, const struct hist *h, struct op *op)
{
	return c->begins == OWNERS ? generate_owners(c, h, op) : generate_chain(c, h, op);
}

static int held_trees(const struct hist *h)
{
	int n = 0;

	for (int i = 0; i < h->m.nr_ns; i++)
		n += !h->ns_gone[i] && model_detached(&h->m, i);
	return n;
}

static bool draw_tree(struct chance *c, const struct hist *h, struct name *n)
{
	int k = held_trees(h);

	if (!k)
		return false;
	k = draw(c, k);
	for (int i = 0; i < h->m.nr_ns; i++)
		if (!h->ns_gone[i] && model_detached(&h->m, i) && !k--) {
			*n = h->ns[i];
			return true;
		}
	return false;
}

/* Now and then by who is in another namespace than where a mount can be used. */
static bool elsewhere(struct chance *c, const struct hist *h, struct op *op)
{
	if (!draw(c, 4) && draw_ns(c, h, &op->within))
		op->flags |= OP_WITHIN;
	return true;
}

bool generate(struct chance *c, const struct hist *h, int step, struct op *op)
{
	*op = (struct op) { .step = step };
	if (step < c->first)
		return generate_first(c, h, op) && !(c->never >> op->type & 1) &&
		       !(op->type == OP_TYPE && c->never_type >> op->arg & 1) &&
		       somebody(c, h, op);
	/* or the type would be a matter of what can be done easily */
	if (c->tries-- <= 0) {
		c->type = draw_type(c, hist_alive(h) > c->limit * 3 / 4);
		c->tries = TRIES;
	}
	op->type = c->type;
	if (c->never >> op->type & 1)
		return false;
	switch (op->type) {
	case OP_MOUNT:
		op->arg = draw(c, HIST_SBS);
		op->from = draw(c, 3) ? 0 : draw(c, h->m.nr_dirs);
		if (draw(c, 8) ? !draw_mount(c, h, &op->b, -1) : !draw_any(c, h, &op->b))
			return false;
		op->to = draw_dir(c, h, &op->b);
		return beneath(c, h, op);
	case OP_BIND:
		op->flags = draw(c, 3) ? 0 : OP_REC;
		if (!draw_two(c, h, op))
			return false;
		op->from = draw_dir(c, h, &op->a);
		op->to = draw_dir(c, h, &op->b);
		return true;
	case OP_RENAME:
	case OP_RMDIR:
	case OP_MKDIR:
		op->from = op->type == OP_MKDIR ? h->m.nr_dirs :
			   (int)draw(c, h->m.nr_dirs);
		op->to = op->type == OP_RMDIR ? 0 : draw(c, h->m.nr_dirs);
		return op->from < HIST_DIRS;
	case OP_PIVOT:
		return draw_pivot(c, h, op);
	case OP_FOREIGN:
		op->flags = (draw(c, 3) ? 0 : OP_REC) | (draw(c, 2) ? OP_UNLOCKED : 0);
		op->from = 0;
		if (!draw_held(c, h, &op->a, 8) || !draw_held(c, h, &op->b, 8))
			return false;
		op->from = draw_dir(c, h, &op->a);
		op->to = draw_dir(c, h, &op->b);
		return somebody(c, h, op);
	case OP_SETGROUP:
		return draw_setgroup(c, h, op) && somebody(c, h, op);
	case OP_SET_GROUP:
		return draw_set_group(c, h, op) && somebody(c, h, op);
	case OP_LOCK:
		return draw_held(c, h, &op->a, 4) && somebody(c, h, op);
	case OP_MOVE:
		if (!draw_move(c, h, op))
			return false;
		op->to = draw_dir(c, h, &op->b);
		return beneath(c, h, op);
	case OP_UMOUNT:
		op->flags = draw(c, 3) ? 0 : OP_LAZY;
		return draw_held(c, h, &op->a, 32);
	case OP_TYPE:
		op->flags = draw(c, 8) ? 0 : OP_REC;
		op->arg = draw(c, 3) ? (draw(c, 3) ? MODEL_SHARED : MODEL_SLAVE) :
			  (int)draw(c, 4);
		return !(c->never_type >> op->arg & 1) && draw_any(c, h, &op->a);
	case OP_CLONE:
		op->arg = draw(c, 2) ? 0 : draw(c, HIST_OWNERS);
		return hist_namespaces(h) < 5 && draw_ns(c, h, &op->ns);
	case OP_DROP:
		return hist_namespaces(h) > 1 && draw_ns(c, h, &op->ns);
	case OP_OPEN:
		op->flags = draw(c, 3) ? OP_REC : 0;
		if (held_trees(h) >= HELD || !draw_held(c, h, &op->a, 2))
			return false;
		op->from = draw(c, 2) ? draw_dir(c, h, &op->a) :
			   h->m.mnt[index_of(h, &op->a)].root;
		return elsewhere(c, h, op);
	case OP_ATTACH:
		if (!draw_tree(c, h, &op->ns) || !draw_held(c, h, &op->b, 2))
			return false;
		op->to = draw_dir(c, h, &op->b);
		return elsewhere(c, h, op);
	default:
		return false;
	}
}

bool generate_event(struct chance *c, const struct hist *h, int step,
		    struct op *op)
{
	*op = (struct op) { .step = step, .type = OP_EVENT };
	if (c->begins <= GUARDED && draw(c, 4) ? !draw_sender(c, h, &op->b) :
	    !draw_mount(c, h, &op->b, -1))
		return false;
	op->to = draw_dir(c, h, &op->b);
	return true;
}
