// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where the superblock of each mount comes from.  Three ways: a mount in a
 * live source namespace, a path or device named by the caller, a fresh superblock.  One
 * source is chosen for each root that is wanted; those that are wide serve
 * everything below, from a clean clone in the scratch tree.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <string.h>

#include "plan/priv.h"

/* May the image, or an option, tell all layers of an overlay? */
static bool knows_layers(const struct mc_sb *sb)
{
	uint32_t i;

	for (i = 0; i < sb->nr_layers; i++)
		if (sb->layers[i].sb == MC_NONE && !mc_layer_is_relative(&sb->layers[i]))
			return false;
	return sb->nr_layers;
}

static bool can_be_fresh(const struct mc_plan *p, uint32_t sb)
{
	const struct mc_type *type = mc_type_of(p->topo->sbs[sb].type);

	if (type->kind == MC_TYPE_LAYERS)
		return knows_layers(&p->topo->sbs[sb]);
	if (!type->fresh || mc_plan_has_made_ns(p, &p->topo->sbs[sb]))
		return type->fresh;
	return !(p->priv->fresh_once & mc_type_bit(type)) &&
	       (!type->shows || p->priv->opts->caller_namespaces);
}

static int based_run(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		     uint32_t to, struct mntcr_error *e)
{
	const struct mc_mount *mnt = &p->topo->mounts[sorted[from]];
	const struct mc_sb_plan *s = &p->priv->sb[mnt->sb];
	const char *root = mnt->root;
	uint32_t src, i;

	while (from < to && p->src_of[sorted[from]] != MC_NONE)
		from++;
	if (from == to)
		return 0;
	if (mnt->root_deleted && !mc_plan_is_anew(p, mnt))
		return mc_plan_deleted_root(p, sorted + from, to - from, e);
	if (mnt->root_deleted && s->mode == MC_SB_EXTERNAL &&
	    mc_plan_ext_root(p, &p->priv->exts[s->first_wide]) == MC_NONE)
		return mc_nomem(e);
	if (mnt->root_deleted && mc_plan_unlinked_anew(p, sorted[from], &root))
		return mc_nomem(e);
	if (!mc_plan_is_path(mnt->root))
		return mc_plan_only_live(p, sorted + from, to - from, e);
	if (mc_plan_wide_src(p, mnt->sb, root, &src, e))
		return -1;
	if (src == MC_NONE)
		return mc_plan_beside_external(p, sorted + from, to - from, e);
	for (i = from; i < to; i++)
		if (p->src_of[sorted[i]] == MC_NONE)
			p->src_of[sorted[i]] = src;
	return 0;
}

static int plan_sb(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		   uint32_t end, struct mntcr_error *e)
{
	const struct mc_mount *m = p->topo->mounts;
	uint32_t sb = m[sorted[from]].sb, i, to;
	uint32_t first = p->priv->external_of[sb], device = p->priv->device_of[sb];
	struct mc_sb_plan *s = &p->priv->sb[sb];
	const struct mc_type *type = mc_type_of(p->topo->sbs[sb].type);
	bool live = mc_plan_any_live(p, sorted, from, end), fresh, shows;
	uint32_t need;
	int ret = 0;

	/*
	 * Two overlays must not have one upper directory, and what is in a live one that
	 * comes back empty would be lost; of a namespace, it is that one's.
	 */
	fresh = can_be_fresh(p, sb) &&
		((p->priv->opts->prefer_fresh && type->kind != MC_TYPE_LAYERS &&
		  (!type->lossy || type->shows)) || !live);
	if (mc_plan_sb_need(p, sb, first != MC_NONE || device != MC_NONE || fresh || live,
			    &need, e))
		return -1;
	shows = need != MC_NONE && p->needs[need].kind != MNTCR_GIVEN_SUPERBLOCK;
	fresh = need == MC_NONE && first == MC_NONE && fresh;
	for (i = from; i < end; i++)
		if (mc_plan_mount_need(p, sorted[i], !(fresh || shows) ||
				       !mc_plan_root_needs_process(&p->topo->sbs[sb],
								   m[sorted[i]].root), e))
			return -1;
	if (shows) {
		s->mode = MC_SB_FRESH;
		s->src = mc_plan_new_src(p, MC_SRC_FRESH, sb, MC_NONE);
		if (s->src != MC_NONE)
			p->srcs[s->src].need = need;
		ret = mc_plan_new_sb(p, sb, sorted + from, end - from, e);
	} else if (need != MC_NONE) {
		s->mode = MC_SB_EXTERNAL;
		s->src = mc_plan_new_src(p, MC_SRC_GIVEN, sb, need);
		if (s->src != MC_NONE)
			p->srcs[s->src].need = need;
	} else if (first != MC_NONE) {
		s->mode = MC_SB_EXTERNAL;
		s->src = 0;
		s->first_wide = first;
		for (i = first; i < p->priv->nr_exts && p->priv->exts[i].sb == sb; i++)
			s->nr_wide++;
	} else if (device != MC_NONE) {
		s->mode = MC_SB_FRESH;
		ret = mc_plan_device_src(p, sorted + from, end - from, &s->src, e);
		if (!ret)
			ret = mc_plan_new_sb(p, sb, sorted + from, end - from, e);
	} else if (fresh) {
		s->mode = MC_SB_FRESH;
		if (type->once && !mc_plan_has_made_ns(p, &p->topo->sbs[sb]))
			p->priv->fresh_once |= mc_type_bit(type);
		s->src = mc_plan_new_src(p, MC_SRC_FRESH, sb, MC_NONE);
		if (s->src != MC_NONE) {
			p->srcs[s->src].shown_by = sorted[from];
			ret = mc_plan_sb_owner(p, s->src, sorted + from, end - from, e);
		}
		if (!ret)
			ret = mc_plan_new_sb(p, sb, sorted + from, end - from, e);
	} else {
		s->mode = MC_SB_LIVE;
		s->src = 0;
	}
	if (ret)
		return ret;
	if (s->src == MC_NONE)
		return mc_nomem(e);
	/*
	 * One that is given is not opened once more; nor is one that is in no source: the
	 * device that it has here another one had where the image is from.
	 */
	if ((live || s->mode == MC_SB_FRESH) && s->mode != MC_SB_EXTERNAL &&
	    need == MC_NONE && mc_plan_by_text(p, sorted, from, end, e))
		return -1;
	if (first != MC_NONE && need == MC_NONE &&
	    mc_plan_by_external_text(p, sorted, from, end, e))
		return -1;
	if (s->mode == MC_SB_LIVE)
		mc_plan_find_wide(p, sorted, from, end);
	for (i = from; i < end && !ret; i = to) {
		to = mc_plan_run_end(p, sorted, i, end);
		ret = mc_plan_foreign_file(p, sorted + i, to - i, e);
		if (ret > 0) {
			mc_plan_note(p, sb, "foreign-namespace-file");
			ret = 0;
			continue;
		}
		if (!ret)
			ret = mc_plan_ns_file(p, sorted, i, to, e);
		if (ret)
			ret = ret < 0 ? -1 : 0;
		else if (s->mode == MC_SB_LIVE)
			ret = mc_plan_live_run(p, sorted, i, to, e);
		else
			ret = based_run(p, sorted, i, to, e);
	}
	return ret;
}

/* What it is cloned from, whichever part of that; NULL: it is refused. */
static const struct mc_src *base_of(const struct mc_plan *p, uint32_t m)
{
	uint32_t src = p->src_of[m];

	return src == MC_NONE ? NULL : &p->srcs[mc_src_base(p, src)];
}

/* MC_FROM_NOTHING: it has no source, and its superblock is none that the others have. */
static enum mc_from_kind from_of(const struct mc_plan *p, uint32_t m,
				 const struct mc_src *src)
{
	static const enum mc_from_kind kinds[] = {
		[MC_SB_LIVE] = MC_FROM_LIVE, [MC_SB_FRESH] = MC_FROM_FRESH,
		[MC_SB_EXTERNAL] = MC_FROM_EXTERNAL,
	};
	const struct mc_sb_plan *s = &p->priv->sb[p->topo->mounts[m].sb];

	if (!src)
		return s->mode == MC_SB_LIVE ? MC_FROM_NOTHING : kinds[s->mode];
	switch (src->kind) {
	case MC_SRC_NSFILE:
	case MC_SRC_NSMADE:
		return MC_FROM_FILES;
	case MC_SRC_GIVEN:
		return MC_FROM_GIVEN;
	case MC_SRC_EXTERNAL:	/* or one file of a namespace */
		return MC_FROM_EXTERNAL;
	default:
		return kinds[s->mode];
	}
}

/* By the superblock that it is of, or alone: of that another may be given. */
static void say_need(const struct mc_plan *p, struct mc_from *f, const struct mc_src *src)
{
	if (!src || src->need == MC_NONE)
		return;
	if (src->kind == MC_SRC_GIVEN &&
	    p->needs[src->need].kind != MNTCR_GIVEN_SUPERBLOCK)
		f->nr_given++;
	else
		f->need = src->need;
}

/* What has been decided, for others to see; of single mounts' only where that is all. */
static void say_from(struct mc_plan *p)
{
	static const uint8_t rank[] = {
		[MC_FROM_NOTHING] = 0, [MC_FROM_FILES] = 1, [MC_FROM_GIVEN] = 2,
		[MC_FROM_FRESH] = 3, [MC_FROM_LIVE] = 3, [MC_FROM_EXTERNAL] = 4,
	};
	const struct mc_src *src;
	enum mc_from_kind kind;
	struct mc_from *f;
	uint32_t m;

	for (m = 0; m < p->topo->nr_sbs; m++)
		p->from[m].need = MC_NONE;
	for (m = 0; m < p->topo->nr_mounts; m++) {
		f = &p->from[p->topo->mounts[m].sb];
		f->refused = p->priv->sb[p->topo->mounts[m].sb].refused;
		if (p->src_of[m] == MC_NONE)
			f->nr_refused++;
		src = base_of(p, m);
		say_need(p, f, src);
		kind = from_of(p, m, src);
		if (rank[kind] > rank[f->kind])
			f->kind = kind;
	}
}

/* Those of files, or all others. */
static int plan_sbs(struct mc_plan *p, const uint32_t *sorted, bool files,
		    struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	uint32_t i, end, sb;

	for (i = 0; i < t->nr_mounts; i = end) {
		sb = t->mounts[sorted[i]].sb;
		for (end = i + 1; end < t->nr_mounts; end++)
			if (t->mounts[sorted[end]].sb != sb)
				break;
		if ((mc_type_of(t->sbs[sb].type)->kind == MC_TYPE_FILES) == files &&
		    plan_sb(p, sorted, i, end, e))
			return -1;
	}
	return 0;
}

int mc_plan_sources(struct mc_plan *p, const struct mc_plan_options *o,
		    struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	uint32_t *sorted = calloc(t->nr_mounts + 1, sizeof(*sorted));
	uint32_t m;
	int ret;

	if (!sorted)
		return mc_nomem(e);
	for (m = 0; m < t->nr_mounts; m++) {
		sorted[m] = m;
		p->src_of[m] = MC_NONE;	/* and stays, where one is refused */
	}
	qsort_r(sorted, t->nr_mounts, sizeof(*sorted), mc_plan_cmp_source, p);
	/* what files are of may be made for what shows it, and for whom it owns */
	ret = plan_sbs(p, sorted, false, e);
	if (!ret)
		ret = mc_plan_find_shown(p, e);
	if (!ret)
		ret = plan_sbs(p, sorted, true, e);
	if (!ret)
		ret = mc_plan_take_along(p, e);
	if (!ret)
		ret = mc_plan_check_files(p, e);
	if (!ret)
		say_from(p);
	for (m = 0; m < t->nr_mounts && !ret; m++)
		if (p->src_of[m] != MC_NONE)
			p->srcs[p->src_of[m]].uses++;
	free(sorted);
	return ret;
}
