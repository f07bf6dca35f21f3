// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The operations of one mount.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "plan/priv.h"

int mc_plan_clone(struct mc_plan *p, uint32_t m, struct mntcr_error *e)
{
	struct mc_op *op;

	if (p->srcs[p->src_of[m]].along)
		return 0;
	if (mc_plan_prepare_src(p, p->src_of[m], e))
		return -1;
	op = mc_plan_op(p, MC_OP_CLONE, MC_REF(MC_REF_MOUNT, m));
	if (!op)
		return mc_nomem(e);
	op->arg = MC_REF(MC_REF_SRC, p->src_of[m]);
	if (mc_plan_sets_idmap(p, m))
		op->flags = MC_IDMAP;
	else if (mc_plan_plain(p, m))
		op->flags = MC_PLAIN;
	return 0;
}

static int put(struct mc_plan *p, enum mc_op_type type, uint32_t m, uint8_t flags,
	       struct mntcr_error *e)
{
	const struct mc_mount *mnt = &p->topo->mounts[m];
	struct mc_op *op;

	if (mnt->parent == MC_NONE && mc_plan_is_whole(p, m))
		return 0;
	op = mc_plan_op(p, type, MC_REF(MC_REF_MOUNT, m));
	if (!op)
		return mc_nomem(e);
	op->flags = flags;
	if (mnt->parent == MC_NONE) {
		op->arg = MC_REF(MC_REF_NS, mnt->ns);
		op->path = "/";
	} else {
		op->arg = MC_REF(MC_REF_MOUNT, mnt->parent);
		op->path = mnt->mountpoint;
	}
	return 0;
}

int mc_plan_attach(struct mc_plan *p, uint32_t m, uint8_t flags, struct mntcr_error *e)
{
	if (p->srcs[p->src_of[m]].along)
		flags |= MC_ALONG;
	return put(p, MC_OP_ATTACH, m, flags, e);
}

int mc_plan_place(struct mc_plan *p, uint32_t m, struct mntcr_error *e)
{
	return put(p, MC_OP_PLACE, m, 0, e);
}
