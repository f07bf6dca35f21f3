// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What must precede a use of a source.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "plan/priv.h"

static int open_src(struct mc_plan *p, uint32_t i, enum mc_op_type type,
		    struct mntcr_error *e)
{
	struct mc_op *op = mc_plan_op(p, type, MC_REF(MC_REF_SRC, i));

	if (!op)
		return mc_nomem(e);
	p->srcs[i].opened = true;
	return 0;
}

/* No deeper than overlays are stacked. */
static int prepare_layers(struct mc_plan *p, uint32_t i, struct mntcr_error *e)
{
	const struct mc_src *s = &p->srcs[i];
	uint32_t k, nr = s->layers ? p->topo->sbs[s->sb].nr_layers : 0;

	for (k = 0; k < nr; k++)
		if (s->layers[k].src != MC_NONE &&
		    mc_plan_prepare_src(p, s->layers[k].src, e))
			return -1;
	return 0;
}

int mc_plan_prepare_src(struct mc_plan *p, uint32_t i, struct mntcr_error *e)
{
	struct mc_src *s = &p->srcs[i];
	struct mc_op *op;

	if (s->opened || s->along)
		return 0;
	switch (s->kind) {
	case MC_SRC_SUB:
		if (mc_plan_prepare_src(p, s->base, e))
			return -1;
		if (s->inline_path)
			return 0;
		return open_src(p, i, MC_OP_SUBROOT, e);
	case MC_SRC_FRESH:
	case MC_SRC_AGAIN:
		if (prepare_layers(p, i, e))
			return -1;
		op = mc_plan_op(p, MC_OP_FRESH, MC_REF(MC_REF_SRC, i));
		if (!op)
			return mc_nomem(e);
		op->first = s->nr_nodes ? s->index : 0;
		op->nr = s->nr_nodes;
		s->opened = true;
		return 0;
	case MC_SRC_LIVE:
	case MC_SRC_EXTERNAL:
	case MC_SRC_GIVEN:
		/*
		 * Stock kernels clone it when they enter its namespace, without
		 * a descriptor of it.
		 */
		if (p->api == MNTCR_API_UPSTREAM && !s->scratch)
			return 0;
		return open_src(p, i, s->scratch ? MC_OP_BASE : MC_OP_OPEN, e);
	case MC_SRC_MASTER:
		return open_src(p, i, MC_OP_OPEN, e);
	case MC_SRC_NSFILE:
	case MC_SRC_NSMADE:
		return 0;
	}
	return 0;
}
