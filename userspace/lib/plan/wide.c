// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sources below sources: what is wide, the widest mounts that can be cloned or what an
 * option stands for, serves every root below.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <string.h>

#include "plan/priv.h"

uint32_t mc_plan_sub_src(struct mc_plan *p, uint32_t base, const char *base_root,
			 const char *root)
{
	const char *path = root + (strcmp(base_root, "/") ? strlen(base_root) : 0);
	uint32_t s;

	if (*path == '/')
		path++;
	if (!*path)
		return base;
	s = mc_plan_new_src(p, MC_SRC_SUB, p->srcs[base].sb, MC_NONE);
	if (s == MC_NONE)
		return MC_NONE;
	p->srcs[s].base = base;
	p->srcs[s].path = path;
	/* a cgroup's root may end in "..": that is resolved beneath, or not at all */
	p->srcs[s].inline_path = !strchr(path, '/') && strcmp(path, "..");
	p->srcs[base].uses++;
	p->srcs[base].scratch = true;
	return s;
}

static uint32_t wide_base(struct mc_plan *p, struct mc_wide *w)
{
	if (w->src == MC_NONE)
		w->src = mc_plan_new_src(p, MC_SRC_LIVE,
					 p->topo->mounts[w->mount].sb, w->mount);
	return w->src;
}

/* What an --external stands for; MC_NONE: no memory. */
uint32_t mc_plan_ext_root(struct mc_plan *p, struct mc_ext *x)
{
	if (x->src == MC_NONE) {
		x->src = mc_plan_new_src(p, MC_SRC_EXTERNAL, x->sb, x->option);
		if (x->src != MC_NONE)
			p->srcs[x->src].path = x->root;
	}
	return x->src;
}

/* Below the longest root that an --external says what stands for. */
static int ext_src(struct mc_plan *p, uint32_t sb, const char *root, uint32_t *src,
		   struct mntcr_error *e)
{
	const struct mc_sb_plan *s = &p->priv->sb[sb];
	struct mc_ext *x = p->priv->exts;
	uint32_t lo = s->first_wide, hi = lo + s->nr_wide, mid, at;

	*src = MC_NONE;
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (mc_path_cmp(x[mid].root, root) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	at = lo == s->first_wide ? MC_NONE : lo - 1;
	while (at != MC_NONE && !mc_path_below(x[at].root, root))
		at = x[at].up;
	if (at == MC_NONE)
		return 0;
	if (mc_plan_ext_root(p, &x[at]) == MC_NONE)
		return mc_nomem(e);
	*src = mc_plan_sub_src(p, x[at].src, x[at].root, root);
	return *src == MC_NONE ? mc_nomem(e) : 0;
}

int mc_plan_wide_src(struct mc_plan *p, uint32_t sb, const char *root,
		     uint32_t *src, struct mntcr_error *e)
{
	struct mc_plan_priv *v = p->priv;
	const struct mc_sb_plan *s = &v->sb[sb];
	uint32_t lo, hi, mid, base;
	struct mc_wide *w;

	*src = MC_NONE;
	if (s->mode == MC_SB_EXTERNAL && s->nr_wide)
		return ext_src(p, sb, root, src, e);
	if (s->mode != MC_SB_LIVE) {
		*src = mc_plan_sub_src(p, s->src, "/", root);
		return *src == MC_NONE ? mc_nomem(e) : 0;
	}
	/* The last wide mount that does not sort after root. */
	lo = s->first_wide;
	hi = lo + s->nr_wide;
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (mc_path_cmp(p->topo->mounts[v->wide[mid].mount].root, root) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == s->first_wide)
		return 0;
	w = &v->wide[lo - 1];
	if (!mc_path_below(p->topo->mounts[w->mount].root, root))
		return 0;
	base = wide_base(p, w);
	if (base == MC_NONE)
		return mc_nomem(e);
	*src = mc_plan_sub_src(p, base, p->topo->mounts[w->mount].root, root);
	return *src == MC_NONE ? mc_nomem(e) : 0;
}

/*
 * The widest mounts that can be cloned: the root of none is below that of
 * another.
 */
void mc_plan_find_wide(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		       uint32_t end)
{
	const struct mc_mount *m = p->topo->mounts;
	struct mc_plan_priv *v = p->priv;
	struct mc_sb_plan *s = &v->sb[m[sorted[from]].sb];
	uint32_t i, to, best;

	s->first_wide = v->nr_wide;
	s->nr_wide = 0;
	for (i = from; i < end; i = to) {
		to = mc_plan_run_end(p, sorted, i, end);
		if (m[sorted[i]].root_deleted || m[sorted[i]].idmap != MC_NONE ||
		    !mc_plan_is_path(m[sorted[i]].root))
			continue;
		if (s->nr_wide &&
		    mc_path_below(m[v->wide[v->nr_wide - 1].mount].root,
				  m[sorted[i]].root))
			continue;
		best = mc_plan_best(p, sorted, i, to);
		if (best == MC_NONE)
			continue;
		v->wide[v->nr_wide].mount = best;
		v->wide[v->nr_wide].src = MC_NONE;
		v->nr_wide++;
		s->nr_wide++;
	}
}
