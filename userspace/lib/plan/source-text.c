// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * By the source that is shown: a clone has that of what it is made from, and so mounts
 * of one superblock that show different ones are made from different ones.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <string.h>

#include "plan/priv.h"

static int cmp_text(const void *x, const void *y, void *data)
{
	struct mc_plan *p = data;
	const struct mc_mount *m = p->topo->mounts;
	uint32_t i = *(const uint32_t *)x, j = *(const uint32_t *)y;
	const char *a = mc_mount_source(p->topo, &m[i]);
	const char *b = mc_mount_source(p->topo, &m[j]);
	int c = a && b ? strcmp(a, b) : !!a - !!b;

	p->steps++;
	return c ? c : mc_plan_cmp_source(x, y, data);
}

static bool same_text(const struct mc_plan *p, uint32_t x, uint32_t y)
{
	const struct mc_mount *m = p->topo->mounts;
	const char *a = mc_mount_source(p->topo, &m[x]);
	const char *b = mc_mount_source(p->topo, &m[y]);

	return a == b || (a && b && !strcmp(a, b));
}

static bool same_source(const struct mc_sb *sb, const struct mc_plan *p, uint32_t m)
{
	const char *text = mc_mount_source(p->topo, &p->topo->mounts[m]);

	return text == sb->source || (text && sb->source && !strcmp(text, sb->source));
}

/* A superblock that there is, opened once more by the source of a mount. */
static int again_src(struct mc_plan *p, uint32_t mount, uint32_t *again,
		     uint32_t *src, struct mntcr_error *e)
{
	const struct mc_mount *m = &p->topo->mounts[mount];

	if (*again == MC_NONE) {
		*again = mc_plan_new_src(p, MC_SRC_AGAIN, m->sb, mount);
		if (*again != MC_NONE && p->priv->sb[m->sb].mode == MC_SB_FRESH &&
		    mc_plan_has_made_ns(p, &p->topo->sbs[m->sb])) {
			const struct mc_src *fresh = &p->srcs[p->priv->sb[m->sb].src];

			p->srcs[*again].shown_by = fresh->shown_by;
			p->srcs[*again].owner = fresh->owner;
			p->srcs[*again].need = fresh->need;
		}
	}
	*src = *again == MC_NONE ? MC_NONE : mc_plan_sub_src(p, *again, "/", m->root);
	return *src == MC_NONE ? mc_nomem(e) : 0;
}

static int text_run(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		    uint32_t to, uint32_t *again, struct mntcr_error *e)
{
	const struct mc_mount *m = &p->topo->mounts[sorted[from]];
	const struct mc_sb_plan *s = &p->priv->sb[m->sb];
	uint32_t src = MC_NONE, i;
	bool live, can;

	if (m->root_deleted || m->nsfs_ns != MC_NONE)
		return 0;
	if (s->mode == MC_SB_LIVE && mc_plan_find_live_src(p, sorted, from, to, &src, e))
		return -1;
	live = src != MC_NONE;
	can = s->mode == MC_SB_FRESH || (p->priv->opts->again &&
					 p->priv->opts->again[m->sb]);
	if (!live && can && m->idmap == MC_NONE && mc_plan_is_path(m->root) &&
	    again_src(p, sorted[from], again, &src, e))
		return -1;
	if (src == MC_NONE && s->mode == MC_SB_LIVE) {
		if (mc_plan_copied_src(p, sorted, from, to, &src, e))
			return -1;
		live = src != MC_NONE;
	}
	for (i = from; i < to && src != MC_NONE; i++)
		if (!live || mc_plan_fits(p, mc_plan_live_mount(p, src), sorted[i]))
			p->src_of[sorted[i]] = src;
		else if (mc_plan_rank(p, sorted[i]) >= 0 &&
			 mc_plan_own_src(p, sorted[i], e))
			return -1;
	return 0;
}

/* sorted[from, end) by the text of their source; NULL: no memory.  To be freed. */
static uint32_t *sorted_by_text(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
				uint32_t end)
{
	uint32_t n = end - from, *texts = malloc(n * sizeof(*texts));

	if (!texts)
		return NULL;
	memcpy(texts, sorted + from, n * sizeof(*texts));
	qsort_r(texts, n, sizeof(*texts), cmp_text, p);
	return texts;
}

/*
 * Mounts of one superblock that show different sources, each from one that
 * shows the same; what finds none here is left for any.
 */
int mc_plan_by_text(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		    uint32_t end, struct mntcr_error *e)
{
	const struct mc_sb *sb = &p->topo->sbs[p->topo->mounts[sorted[from]].sb];
	uint32_t *texts, n = end - from, i, to, last, again;
	bool fresh = p->priv->sb[p->topo->mounts[sorted[from]].sb].mode ==
		     MC_SB_FRESH;
	int ret = 0;

	for (i = from + 1; i < end && same_text(p, sorted[from], sorted[i]); i++)
		p->steps++;
	if (i == end || (fresh && !mc_type_of(sb->type)->again))
		return 0;
	texts = sorted_by_text(p, sorted, from, end);
	if (!texts)
		return mc_nomem(e);
	for (i = 0; i < n && !ret; i = last) {
		for (last = i + 1; last < n && same_text(p, texts[i], texts[last]); )
			last++;
		/* the fresh one has that of its superblock */
		if (fresh && same_source(sb, p, texts[i]))
			continue;
		again = MC_NONE;
		if (!fresh)
			mc_plan_find_wide(p, texts, i, last);
		for (; i < last && !ret; i = to) {
			to = mc_plan_run_end(p, texts, i, last);
			ret = text_run(p, texts, i, to, &again, e);
		}
	}
	free(texts);
	return ret;
}

/*
 * What an --external stands for has one source; a mount that had another one shows that
 * if the superblock is opened once more.
 */
int mc_plan_by_external_text(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
			     uint32_t end, struct mntcr_error *e)
{
	const struct mc_mount *m = p->topo->mounts;
	const struct mc_sb_plan *s = &p->priv->sb[m[sorted[from]].sb];
	const struct mc_plan_options *o = p->priv->opts;
	struct mc_ext *x = &p->priv->exts[s->first_wide];
	const char *is = o->external_sources ? o->external_sources[x->option] : NULL;
	uint32_t *texts, n = end - from, i, again = MC_NONE, src;
	int ret = 0;

	/* what would be opened is of the image's type, and an image can say anything */
	if (!is || !o->external_again || !o->external_again[x->option] ||
	    o->external_again[x->option] !=
		    mc_type_bit(mc_type_of(p->topo->sbs[m[sorted[from]].sb].type)) ||
	    s->nr_wide != 1 || strcmp(x->root, "/"))
		return 0;
	texts = sorted_by_text(p, sorted, from, end);
	if (!texts)
		return mc_nomem(e);
	for (i = 0; i < n && !ret; i++) {
		const char *was = mc_mount_source(p->topo, &m[texts[i]]);

		if (i && !same_text(p, texts[i - 1], texts[i]))
			again = MC_NONE;
		if (!was || !strcmp(was, is) || m[texts[i]].root_deleted ||
		    m[texts[i]].idmap != MC_NONE || !mc_plan_is_path(m[texts[i]].root) ||
		    p->src_of[texts[i]] != MC_NONE)
			continue;
		if (mc_plan_ext_root(p, x) == MC_NONE) {
			ret = mc_nomem(e);
			break;
		}
		ret = again_src(p, texts[i], &again, &src, e);
		if (ret)
			break;
		p->srcs[again].instead = x->src;
		p->src_of[texts[i]] = src;
	}
	free(texts);
	return ret;
}
