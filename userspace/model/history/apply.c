// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Histories: an operation in the model.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>

#include "history/history.h"
#include "rules/internal.h"

/* mount(2) binds what its caller can use, in the namespace that it is in. */
static int bind_here(struct model *m, const struct op *op, const struct target *t)
{
	int err = model__bad_place(m, t->b, op->to);

	if (!err && model_used_from(m, t->a) != m->mnt[t->b].ns)
		err = -EINVAL;
	return err ? err : model_bind(m, t->a, op->from, t->b, op->to,
					op->flags & OP_REC);
}

static int name_ns(struct hist *h, const struct op *op, int ns)
{
	if (ns < 0)
		return ns;
	h->ns[ns] = (struct name) { op->step, 0 };
	h->ns_gone[ns] = false;
	return 0;
}

/*
 * The process that makes the calls is in none of the namespaces, and may do all; an
 * owner's is in one of its own.
 */
static struct model_caller caller(const struct hist *h, const struct op *op)
{
	struct model_caller who = { .ns = 0, .caps = ~0u };
	int by = op_by(op);

	if (!by)
		return who;
	who.ns = hist_ns_of(h, by);
	who.caps = 1u << by;
	for (int i = 1; i < HIST_OWNERS; i++)
		who.caps |= (unsigned int)(hist_above[i] == by) << i;
	return who;
}

static int bind_foreign(struct hist *h, const struct op *op, const struct target *t)
{
	const struct model_caller who = caller(h, op);
	unsigned int flags = (op->flags & OP_REC ? MODEL_BIND_REC : 0) |
			     (op->flags & OP_UNLOCKED ? MODEL_BIND_UNLOCKED : 0);

	return model_bind_foreign(&h->m, t->a, op->from, t->b, op->to, flags, &who);
}

static int setgroup(struct hist *h, const struct op *op, const struct target *t)
{
	bool peer = op->arg & MODEL_SG_PEER;
	bool master = op->arg & (MODEL_SG_MASTER | MODEL_SG_SIBLING);

	return model_setgroup_caps(&h->m, t->member, op->nr, peer ? t->a : -1,
				   master ? t->a : -1, op->arg, caller(h, op).caps);
}

/* All superblocks have the same directories. */
static int directories(struct hist *h, const struct op *op)
{
	if (op->type == OP_RMDIR) {
		model_rmdir(&h->m, op->from);
		h->removed[op->from] = true;
		return 0;
	}
	/* letters that nothing has been called by are left out */
	for (; h->m.nr_dirs < op->from; h->m.nr_dirs++) {
		h->dirs[h->m.nr_dirs] = 0;
		h->removed[h->m.nr_dirs] = true;
	}
	if (op->type == OP_MKDIR)
		h->m.nr_dirs = op->from + 1;
	h->dirs[op->from] = op->to;
	return 0;
}

static int attach(struct hist *h, const struct op *op, const struct target *t)
{
	int err = model_attach_from(&h->m, t->ns, t->b, op->to, t->within);

	h->ns_gone[t->ns] = err >= 0;
	return err;
}

static int lock(struct hist *h, const struct op *op, int mnt)
{
	const struct model_caller who = caller(h, op);
	struct model_attr attr = { .lock = true };

	return model_setattr(&h->m, mnt, &attr, &who);
}

static int apply(struct hist *h, const struct op *op, const struct target *t)
{
	struct model *m = &h->m;

	switch (op->type) {
	case OP_MOUNT:
		if (op->flags & OP_BENEATH)
			return model_mount_beneath(m, op->arg, op->from, t->b);
		return model_mount(m, op->arg, op->from, t->b, op->to);
	case OP_EVENT:
		return model_mount(m, HIST_EVENT, 0, t->b, op->to);
	case OP_BIND:
		return bind_here(m, op, t);
	case OP_UMOUNT:
		return model_umount(m, t->a, op->flags & OP_LAZY);
	case OP_TYPE:
		return model_set_type(m, t->a, op->arg, op->flags & OP_REC);
	case OP_MOVE:
		if (op->flags & OP_BENEATH)
			return model_move_beneath(m, t->a, t->b);
		return model_move(m, t->a, t->b, op->to);
	case OP_CLONE:
		return name_ns(h, op, model_clone_ns(m, t->ns, op->arg));
	case OP_DROP:
		model_drop_ns(m, t->ns);
		h->ns_gone[t->ns] = true;
		return 0;
	case OP_FOREIGN:
		return bind_foreign(h, op, t);
	case OP_SETGROUP:
		return setgroup(h, op, t);
	case OP_SET_GROUP:
		return model_set_group(m, t->a, t->b, caller(h, op).caps);
	case OP_RENAME:
	case OP_RMDIR:
	case OP_MKDIR:
		return directories(h, op);
	case OP_PIVOT:
		/* the new root, where the old one goes, that of the caller */
		return model_pivot_root(m, t->member[0], t->a, t->b, op->to);
	case OP_LOCK:
		return lock(h, op, t->a);
	case OP_OPEN:
		return name_ns(h, op, model_open_tree_from(m, t->a, op->from,
							   op->flags & OP_REC, t->within));
	case OP_ATTACH:
		return attach(h, op, t);
	case NR_OPS:
		break;
	}
	return -EINVAL;
}

int hist_apply(struct hist *h, const struct op *op, const struct target *t)
{
	int first = h->m.nr, err = apply(h, op, t);

	if (err < 0)
		return err;
	return hist_name(h, first, op->step);
}
