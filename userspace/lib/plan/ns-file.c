// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Files of namespaces: of those that are restored, given by a path, or made for it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <string.h>

#include "plan/priv.h"

/* Files of namespaces that are themselves restored name the new ones. */
static int nsfile_run(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		      uint32_t to, struct mntcr_error *e)
{
	const struct mc_mount *mnt = &p->topo->mounts[sorted[from]];
	uint32_t i, src;

	src = mc_plan_new_src(p, MC_SRC_NSFILE, mnt->sb, mnt->nsfs_ns);
	if (src == MC_NONE)
		return mc_nomem(e);
	p->srcs[src].need = mc_plan_owner_need(p, p->topo->ns[mnt->nsfs_ns].userns);
	for (i = from; i < to; i++)
		p->src_of[sorted[i]] = src;
	return 0;
}

static int ext_ns_run(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		      uint32_t to, struct mc_ext_ns *x, struct mntcr_error *e)
{
	if (x->src == MC_NONE) {
		x->src = mc_plan_new_src(p, MC_SRC_EXTERNAL,
					 p->topo->mounts[sorted[from]].sb, x->option);
		if (x->src == MC_NONE)
			return mc_nomem(e);
		p->srcs[x->src].path = p->topo->mounts[sorted[from]].root;
	}
	for (; from < to; from++)
		if (p->src_of[sorted[from]] == MC_NONE)
			p->src_of[sorted[from]] = x->src;
	return 0;
}

/* Of a namespace that is known, and of which nothing is live. */
static bool is_made_for(const struct mc_plan *p, const uint32_t *sorted, uint32_t from,
			uint32_t to)
{
	const struct mc_mount *m = &p->topo->mounts[sorted[from]];

	return m->nsfs_id && m->nsfs_owner != MC_NONE && !mc_plan_any_live(p, sorted, from, to);
}

/*
 * Of a user namespace of the image: a live file is of it only as long as what that owns
 * is not made anew, or in one that was given.
 */
static bool is_of_owner(const struct mc_plan *p, const uint32_t *sorted, uint32_t from,
			uint32_t to)
{
	const struct mc_mount *m = &p->topo->mounts[sorted[from]];
	uint32_t u = m->nsfs_userns;

	return u != MC_NONE &&
	       (p->topo->userns[u].given || p->priv->owner_made[u] ||
		!mc_plan_any_live(p, sorted, from, to));
}

/* Sets the sources of those that are not given one by one. */
static int new_made(struct mc_plan *p, const uint32_t *sorted, uint32_t from, uint32_t to,
		    uint32_t *src, struct mntcr_error *e)
{
	uint32_t i;

	*src = mc_plan_new_src(p, MC_SRC_NSMADE, p->topo->mounts[sorted[from]].sb,
			       sorted[from]);
	if (*src == MC_NONE)
		return mc_nomem(e);
	for (i = from; i < to; i++)
		if (p->src_of[sorted[i]] == MC_NONE)
			p->src_of[sorted[i]] = *src;
	return 0;
}

static int nsmade_run(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		      uint32_t to, const struct mc_src *shows, struct mntcr_error *e)
{
	const struct mc_mount *mnt = &p->topo->mounts[sorted[from]];
	bool is_user = mnt->nsfs_userns != MC_NONE;
	uint32_t u = is_user ? mnt->nsfs_userns : mnt->nsfs_owner, src;
	uint32_t shown_by = shows ? shows->shown_by : MC_NONE;
	struct mc_no_owner why;

	if (!p->topo->userns[u].dumper && !mc_plan_owner(p, u, &why))
		return mc_plan_refuse(p, e, mc_plan_note(p, mnt->sb, why.rule), sorted + from,
				      to - from, why.help, "the file of %suser namespace %u, %s",
				      is_user ? "" :
				      "a namespace that is to be made and belongs to ",
				      u, why.what);
	if (new_made(p, sorted, from, to, &src, e))
		return -1;
	if (!p->topo->userns[u].dumper)
		p->srcs[src].owner = u;
	p->srcs[src].need = mc_plan_owner_need(p, u);
	p->srcs[src].shown_by = shown_by;
	return 0;
}

/* As what shows it: of a pid namespace the image says no more. */
static int as_shown_run(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
			uint32_t to, struct mc_src shows, struct mntcr_error *e)
{
	uint32_t src;

	if (new_made(p, sorted, from, to, &src, e))
		return -1;
	p->srcs[src].owner = shows.owner;
	p->srcs[src].need = shows.need;
	p->srcs[src].shown_by = shows.shown_by;
	return 0;
}

static int need_run(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		    uint32_t to, uint32_t need, struct mntcr_error *e)
{
	uint32_t src;

	if (new_made(p, sorted, from, to, &src, e))
		return -1;
	p->srcs[src].need = need;
	return 0;
}

/* Of a run that nothing has been found for yet: whether what is live does is asked later. */
static int made_run(struct mc_plan *p, const uint32_t *sorted, uint32_t from, uint32_t to,
		    struct mntcr_error *e)
{
	const struct mc_mount *m = &p->topo->mounts[sorted[from]];
	const struct mc_shown *made, *there;
	const struct mc_src *shows;
	uint32_t need;

	if (p->priv->sb[m->sb].mode != MC_SB_LIVE)
		return 1;
	if (is_of_owner(p, sorted, from, to))
		return nsmade_run(p, sorted, from, to, NULL, e);
	if (mc_plan_file_need(p, m, &need))
		return need_run(p, sorted, from, to, need, e);
	made = mc_plan_shown(p, m, true);
	if (made) {
		shows = &p->srcs[p->priv->sb[p->topo->mounts[made->mount].sb].src];
		return m->nsfs_owner == MC_NONE ?
		       as_shown_run(p, sorted, from, to, *shows, e) :
		       nsmade_run(p, sorted, from, to, shows, e);
	}
	if (!is_made_for(p, sorted, from, to))
		return 1;
	there = mc_plan_shown(p, m, false);
	if (!there)
		return nsmade_run(p, sorted, from, to, NULL, e);
	return p->waits ? 1 : mc_plan_file_beside(p, sorted + from, to - from, there, e);
}

int mc_plan_ns_file(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		    uint32_t to, struct mntcr_error *e)
{
	const struct mc_mount *m = &p->topo->mounts[sorted[from]];
	struct mc_ns_by_file *file;
	int ret;

	if (m->nsfs_ns != MC_NONE)
		return nsfile_run(p, sorted, from, to, e) ? -1 : 1;
	file = mc_plan_by_file(p, m->nsfs_type, m->nsfs_ino);
	if (file && file->ext)
		return ext_ns_run(p, sorted, from, to, file->ext, e) ? -1 : 1;
	while (from < to && p->src_of[sorted[from]] != MC_NONE)
		from++;
	ret = from < to ? made_run(p, sorted, from, to, e) : 0;
	return ret < 0 ? -1 : !ret;
}
