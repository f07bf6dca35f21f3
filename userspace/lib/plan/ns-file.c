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

/* Of a namespace that is known, which is not given, and of which nothing is live. */
static bool is_made_for(const struct mc_plan *p, const uint32_t *sorted, uint32_t from,
			uint32_t to)
{
	const struct mc_mount *m = &p->topo->mounts[sorted[from]];
	uint32_t need;

	return m->nsfs_id && m->nsfs_owner != MC_NONE &&
	       p->src_of[sorted[from]] == MC_NONE &&
	       !mc_plan_find_need(p, m->nsfs_type == CLONE_NEWNET ? MNTCR_GIVEN_NET :
				  MNTCR_GIVEN_IPC, m->nsfs_id, &need) &&
	       p->priv->sb[m->sb].mode == MC_SB_LIVE && !mc_plan_any_live(p, sorted, from, to);
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

	return u != MC_NONE && p->src_of[sorted[from]] == MC_NONE &&
	       p->priv->sb[m->sb].mode == MC_SB_LIVE &&
	       (p->topo->userns[u].given || p->priv->owner_made[u] ||
		!mc_plan_any_live(p, sorted, from, to));
}

static int nsmade_run(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		      uint32_t to, struct mntcr_error *e)
{
	const struct mc_mount *mnt = &p->topo->mounts[sorted[from]];
	bool is_user = mnt->nsfs_userns != MC_NONE;
	uint32_t u = is_user ? mnt->nsfs_userns : mnt->nsfs_owner, i, src;
	struct mc_no_owner why;

	if (!p->topo->userns[u].dumper && !mc_plan_owner(p, u, &why))
		return mc_plan_refuse(p, e, mc_plan_note(p, mnt->sb, why.rule), sorted + from,
				      to - from, why.help, "the file of %suser namespace %u, %s",
				      is_user ? "" :
				      "a namespace that is to be made and belongs to ",
				      u, why.what);
	src = mc_plan_new_src(p, MC_SRC_NSMADE, mnt->sb, sorted[from]);
	if (src == MC_NONE)
		return mc_nomem(e);
	if (!p->topo->userns[u].dumper)
		p->srcs[src].owner = u;
	p->srcs[src].need = mc_plan_owner_need(p, u);
	/* a single one may be given */
	for (i = from; i < to; i++)
		if (p->src_of[sorted[i]] == MC_NONE)
			p->src_of[sorted[i]] = src;
	return 0;
}

int mc_plan_ns_file(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		    uint32_t to, struct mntcr_error *e)
{
	const struct mc_mount *m = &p->topo->mounts[sorted[from]];
	struct mc_ns_by_file *file;
	int ret;

	if (m->nsfs_ns != MC_NONE) {
		ret = nsfile_run(p, sorted, from, to, e);
	} else {
		file = mc_plan_by_file(p, m->nsfs_type, m->nsfs_ino);
		if (file && file->ext)
			ret = ext_ns_run(p, sorted, from, to, file->ext, e);
		else if (is_made_for(p, sorted, from, to) ||
			 is_of_owner(p, sorted, from, to))
			ret = nsmade_run(p, sorted, from, to, e);
		else
			return 0;
	}
	return ret ? -1 : 1;
}

/* Does a superblock that is made anew show that namespace, and so another? */
static bool shows_another(const struct mc_plan *p, uint32_t sb, const struct mc_mount *m)
{
	const struct mc_sb *s = &p->topo->sbs[sb];

	if (p->priv->sb[sb].mode != MC_SB_FRESH || !mc_plan_has_made_ns(p, s))
		return false;
	if (m->nsfs_type == CLONE_NEWPID)
		return !strcmp(s->type, "proc") && s->pidns_ino == m->nsfs_ino;
	return m->nsfs_id && s->shown_type == m->nsfs_type && s->shown_id == m->nsfs_id;
}

static int refuse_shown(struct mc_plan *p, uint32_t src, struct mntcr_error *e)
{
	const struct mc_mount *m;
	uint32_t i = 0, sb;
	char root[100];

	while (i < p->topo->nr_mounts && p->src_of[i] != src)
		i++;
	if (i == p->topo->nr_mounts)
		return 0;
	m = &p->topo->mounts[i];
	for (sb = 0; sb < p->topo->nr_sbs; sb++) {
		const struct mc_sb *s = &p->topo->sbs[sb];

		if (shows_another(p, sb, m) &&
		    mc_plan_refuse(p, e, mc_plan_note(p, m->sb, "namespace-made"), &i, 1,
				   "--external for that superblock, too, or for neither",
				   "the file of %s is that of one that is given, and %s %u:%u, which shows the same, is made with a new one",
				   mc_escape(m->root, root, sizeof(root)), s->type, s->major, s->minor))
			return -1;
	}
	return 0;
}

int mc_plan_given_ns(struct mc_plan *p, struct mntcr_error *e)
{
	const struct mc_plan_priv *v = p->priv;
	uint32_t i;

	for (i = 0; i < v->nr_ext_ns; i++)
		if (v->ext_ns[i].src != MC_NONE &&
		    v->ext_ns[i].type & (CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC) &&
		    refuse_shown(p, v->ext_ns[i].src, e))
			return -1;
	return 0;
}
