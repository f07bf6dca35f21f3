// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How the chosen sources are had: which of them are kept in the scratch tree, and what a
 * clone of one lacks.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "plan/priv.h"

/*
 * With so many uses, one clone that has the wanted attributes costs less than
 * setting them each time.
 */
#define MANY_USES	8

/*
 * A source that serves paths below it must be clean: nothing mounted below to
 * walk into.  On stock kernels, so must one that is used twice: a clone can
 * only be made in the namespace that its source is in.
 */
void mc_plan_settle_srcs(struct mc_plan *p)
{
	uint32_t many = p->api == MNTCR_API_UPSTREAM ? 2 : MANY_USES, i, m;

	for (i = 0; i < p->nr_srcs; i++) {
		struct mc_src *s = &p->srcs[i];

		switch (s->kind) {
		case MC_SRC_LIVE:
		case MC_SRC_EXTERNAL:
		case MC_SRC_GIVEN:
			if (s->along)
				break;
			if (s->uses >= many || (s->copied && s->uses) || s->nr_unlinked)
				s->scratch = true;
			if (s->kind == MC_SRC_LIVE && s->uses &&
			    p->api == MNTCR_API_UPSTREAM &&
			    p->priv->hidden[s->index])
				s->scratch = s->covered = true;
			break;
		case MC_SRC_FRESH:
		case MC_SRC_AGAIN:
			s->direct = s->uses == 1 && !s->scratch;
			s->scratch = !s->direct;
			break;
		default:
			break;
		}
	}
	for (m = 0; m < p->topo->nr_mounts; m++) {
		struct mc_src *s = &p->srcs[mc_src_base(p, p->src_of[m])];

		/*
		 * Stock kernels mount on a detached tree only in the namespace
		 * in which its root was cloned.
		 */
		if (p->api == MNTCR_API_UPSTREAM && p->roots_last &&
		    p->topo->mounts[m].parent == MC_NONE &&
		    (s->kind == MC_SRC_LIVE || s->kind == MC_SRC_EXTERNAL))
			s->scratch = true;

		if (s->scratch && !mc_src_is_opened(s) &&
		    s->attr_of == MC_NONE)
			s->attr_of = m;
	}
}

/* Of what can be cloned, only a live original has one: that same. */
bool mc_plan_sets_idmap(const struct mc_plan *p, uint32_t mount)
{
	const struct mc_mount *m = p->topo->mounts;
	const struct mc_src *s = &p->srcs[mc_src_base(p, p->src_of[mount])];

	return m[mount].idmap != MC_NONE &&
	       !(s->kind == MC_SRC_LIVE && m[s->index].idmap == m[mount].idmap);
}

/* A fresh superblock's first mount has no attributes, and is private. */
bool mc_plan_plain(const struct mc_plan *p, uint32_t mount)
{
	const struct mc_mount *m = &p->topo->mounts[mount];
	const struct mc_src *s = &p->srcs[mc_src_base(p, p->src_of[mount])];
	uint64_t has = 0;

	if (m->unbindable || (!s->scratch && !s->direct))
		return false;
	if (!mc_src_is_opened(s))
		has = p->topo->mounts[s->attr_of].attr;
	return (has & MC_ATTRS) == (m->attr & MC_ATTRS);
}
