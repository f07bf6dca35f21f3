// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Superblocks in memory that are written to after they are made: unlinked roots are made
 * and unlinked in them, and overlayfs makes its work directory in them when it is mounted.
 * What would prevent that they get when it is over.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "plan/priv.h"

/* Is there anything that would? */
static bool is_closed(const struct mc_sb *sb)
{
	return sb->contents || sb->flags & MS_RDONLY || (sb->sized && sb->inodes);
}

static void mark(struct mc_plan *p, uint32_t src)
{
	struct mc_src *s = &p->srcs[src];
	const struct mc_sb *sb = &p->topo->sbs[s->sb];

	if (s->kind == MC_SRC_FRESH && mc_type_in_memory(sb->type) && is_closed(sb))
		s->finish = true;
}

/*
 * An overlay that is read-only may be so since there was no room for its work directory:
 * then there is to be none again.  On what is read-only it cannot be mounted at all.
 */
static bool writes(const struct mc_plan *p, const struct mc_src *s, const struct mc_sb *upper)
{
	return s->nr_unlinked || upper->flags & MS_RDONLY ||
	       !(p->topo->sbs[s->sb].flags & MS_RDONLY);
}

static void mark_upper(struct mc_plan *p, const struct mc_src *s)
{
	const struct mc_sb *sb = &p->topo->sbs[s->sb];
	uint32_t i, src;

	for (i = 0; i < sb->nr_layers; i++) {
		src = s->layers[i].src;
		if (sb->layers[i].kind != MC_LAYER_UPPER || src == MC_NONE)
			continue;
		src = mc_src_base(p, src);
		if (writes(p, s, &p->topo->sbs[p->srcs[src].sb]))
			mark(p, src);
	}
}

int mc_plan_finish(struct mc_plan *p, struct mntcr_error *e)
{
	uint32_t i;

	for (i = 0; i < p->nr_srcs; i++) {
		if (p->srcs[i].nr_unlinked)
			mark(p, i);
		if (p->srcs[i].layers)
			mark_upper(p, &p->srcs[i]);
	}
	for (i = 0; i < p->nr_srcs; i++)
		if (p->srcs[i].finish &&
		    !mc_plan_op(p, MC_OP_FINISH, MC_REF(MC_REF_SRC, i)))
			return mc_nomem(e);
	return 0;
}
