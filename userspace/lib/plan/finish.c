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

/* Written to for what waits for need; p->nr_needs: in the end. */
static void mark(struct mc_plan *p, uint32_t src, uint32_t need)
{
	struct mc_src *s = &p->srcs[src];
	const struct mc_sb *sb = &p->topo->sbs[s->sb];

	if (s->kind != MC_SRC_FRESH || !mc_type_in_memory(sb->type) || !is_closed(sb))
		return;
	if (need == MC_NONE)
		need = s->need;
	/* what is given first, of two, nobody knows */
	if (!s->finish || s->finish_need == MC_NONE)
		s->finish_need = need;
	else if (need != MC_NONE && need != s->finish_need)
		s->finish_need = p->nr_needs;
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
			mark(p, src, s->nr_unlinked ? p->nr_needs : s->need);
	}
}

void mc_plan_mark_finish(struct mc_plan *p)
{
	uint32_t i;

	for (i = 0; i < p->nr_srcs; i++) {
		if (p->srcs[i].nr_unlinked)
			mark(p, i, p->nr_needs);
		if (p->srcs[i].layers)
			mark_upper(p, &p->srcs[i]);
	}
}

int mc_plan_finish_src(struct mc_plan *p, uint32_t src, struct mntcr_error *e)
{
	return mc_plan_op(p, MC_OP_FINISH, MC_REF(MC_REF_SRC, src)) ? 0 : mc_nomem(e);
}

int mc_plan_finish(struct mc_plan *p, uint32_t need, struct mntcr_error *e)
{
	uint32_t i;

	for (i = 0; i < p->nr_srcs; i++)
		if (p->srcs[i].finish && p->srcs[i].finish_need == need &&
		    mc_plan_finish_src(p, i, e))
			return -1;
	return 0;
}
