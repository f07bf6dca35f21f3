// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mounts whose root has been unlinked.  No call attaches such a mount, but a
 * recursive clone of its parent brings it along, inode and all.  It is made in a
 * copy of the live namespace, where everything else below that parent has been
 * unmounted first.  In a fresh superblock it is made of what the image has of it, and
 * unlinked when it is attached.
 *
 * Nothing is mounted on such a mount: a directory is empty when it is removed,
 * and what is mounted on a name goes when that is unlinked.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/priv.h"

bool mc_plan_can_come_along(const struct mc_plan *p, uint32_t m)
{
	const struct mc_mount *mnt = &p->topo->mounts[m];
	const struct mc_plan_priv *v = p->priv;

	return mnt->parent != MC_NONE && v->opts->ns_live &&
	       v->opts->ns_live[mnt->ns] && !mnt->unbindable &&
	       mnt->first_child == MC_NONE && strcmp(mnt->mountpoint, "/") &&
	       v->hidden[mnt->parent] == MC_SEEN && !v->is_above[m];
}

static bool comes_along(const struct mc_plan *p, uint32_t m)
{
	return p->srcs[p->src_of[m]].along;
}

/* In a copy, what is locked stays. */
static bool has_locked(const struct mc_plan *p, uint32_t m)
{
	const struct mc_mount *mounts = p->topo->mounts;
	uint32_t c;

	mc_for_each_child(p->topo, c, m)
		if (mounts[c].locks_known && mounts[c].locks & MOUNT_LOCK_MOUNT)
			return true;
	return false;
}

int mc_plan_take_along(struct mc_plan *p, struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	uint32_t m, up, src;

	for (m = 0; m < t->nr_mounts; m++) {
		if (p->src_of[m] == MC_NONE || !comes_along(p, m))
			continue;
		up = t->mounts[m].parent;
		if (p->src_of[up] == MC_NONE || p->srcs[p->src_of[up]].with_unlinked)
			continue;
		if (has_locked(p, up)) {
			if (mc_plan_refuse(p, e, "deleted-root", &m, 1,
					   "a dump after it has been unmounted",
					   "the root of this mount has been unlinked, and beside it something is locked: it cannot be had without that"))
				return -1;
			continue;
		}
		src = mc_plan_new_src(p, MC_SRC_LIVE, t->mounts[up].sb, up);
		if (src == MC_NONE)
			return mc_nomem(e);
		p->srcs[src].copied = p->srcs[src].with_unlinked = true;
		p->src_of[up] = src;
	}
	return 0;
}

static int cmp_mountpoint(const void *a, const void *b, void *data)
{
	const struct mc_mount *m = data;

	return mc_path_cmp(m[*(const uint32_t *)a].mountpoint,
			   m[*(const uint32_t *)b].mountpoint);
}

/* copy_tree() leaves out files of mount namespaces, with all that is on them. */
static bool is_copied(const struct mc_plan *p, uint32_t m)
{
	return p->topo->mounts[m].nsfs_type != CLONE_NEWNS;
}

/* c, and what covers it before: each is the topmost at its path in its turn. */
static bool remove_stack(struct mc_plan *p, struct mc_op *op, uint32_t c)
{
	uint32_t first = p->nr_list, i, j;
	mc_ref r;

	for (; c != MC_NONE && is_copied(p, c); c = p->priv->cover[c]) {
		if (!mc_plan_list(p, MC_REF(MC_REF_MOUNT, c)))
			return false;
		op->nr++;
	}
	for (i = first, j = p->nr_list; i + 1 < j; i++) {
		r = p->list[i];
		p->list[i] = p->list[--j];
		p->list[j] = r;
	}
	return true;
}

/* From above downwards: what is mounted above another hides it. */
int mc_plan_leave_behind(struct mc_plan *p, uint32_t m, struct mc_op *op,
			 struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	uint32_t *list = malloc((t->mounts[m].nr_children + 1U) * sizeof(*list));
	uint32_t c, n = 0, i;
	bool ok = list;

	mc_for_each_child(t, c, m)
		if (ok && !comes_along(p, c))
			list[n++] = c;
	if (ok)
		qsort_r(list, n, sizeof(*list), cmp_mountpoint, t->mounts);
	for (i = 0; ok && i < n; i++)
		ok = remove_stack(p, op, list[i]);
	free(list);
	return ok ? 0 : mc_nomem(e);
}

/* --- made anew ---------------------------------------------------------------- */

#define MADE_IN		".mntcr-unlinked-"

/* Is there one place where all of a superblock's unlinked roots can be made? */
static bool has_place(const struct mc_plan *p, const struct mc_mount *m)
{
	const struct mc_sb *sb = &p->topo->sbs[m->sb];
	const struct mc_sb_plan *s = &p->priv->sb[m->sb];
	const struct mc_ext *x = p->priv->exts;

	if (!sb->contents || !m->unlinked || !m->root[1])
		return false;
	if (s->mode == MC_SB_FRESH)
		return mc_type_in_memory(sb->type) || mc_type_of_layers(sb->type) ||
		       p->srcs[s->src].device != MC_NONE;
	/* a path for each part of it could lead anywhere */
	return s->mode == MC_SB_EXTERNAL && mc_type_elsewhere(sb->type) && s->nr_wide == 1 &&
	       mc_path_below(x[s->first_wide].root, m->root) &&
	       strcmp(x[s->first_wide].root, m->root);
}

/* What is mounted read-only in the image is written to nowhere else, either. */
static bool is_kept(const struct mc_sb *sb)
{
	return mc_type_elsewhere(sb->type) && sb->flags & MS_RDONLY;
}

bool mc_plan_is_anew(const struct mc_plan *p, const struct mc_mount *m)
{
	return has_place(p, m) && !is_kept(&p->topo->sbs[m->sb]);
}

int mc_plan_unlinked_anew(struct mc_plan *p, uint32_t mount, const char **made_as)
{
	const struct mc_mount *m = &p->topo->mounts[mount];
	const struct mc_sb_plan *sb = &p->priv->sb[m->sb];
	struct mc_src *s = &p->srcs[sb->mode == MC_SB_FRESH ? sb->src :
				    p->priv->exts[sb->first_wide].src];
	size_t top = s->kind == MC_SRC_EXTERNAL ? mc_root_len(s->path) + 1 : 1;
	const char *aside = p->priv->opts->aside;
	size_t size = top + sizeof(MADE_IN) + MC_ASIDE_LEN + 12;
	struct mc_unlinked *last;
	char *path;

	last = s->nr_unlinked ? p->unlinked + s->unlinked + s->nr_unlinked - 1 : NULL;
	/* with another idmap it is the same one */
	if (last && last->nr == m->unlinked) {
		if (!last->type)
			last->type = m->root_file.mode & S_IFMT;
		*made_as = last->made_as - top;
		return 0;
	}
	path = mc_plan_alloc(p, size);
	if (!path || !mc_grow(&p->unlinked, p->nr_unlinked, &p->max_unlinked,
			      sizeof(*p->unlinked)))
		return -1;
	snprintf(path, size, "%.*s" MADE_IN "%.*s/%u", (int)top, m->root, MC_ASIDE_LEN,
		 aside ? aside : "RANDOM", m->unlinked);
	if (!s->nr_unlinked++)
		s->unlinked = p->nr_unlinked;
	p->unlinked[p->nr_unlinked++] = (struct mc_unlinked){
		.nr = m->unlinked, .made_as = path + top, .path = m->root + top,
		.type = m->root_file.mode & S_IFMT,
	};
	*made_as = path;
	return 0;
}

/* Overlays first: what is unlinked in them is in the upper directories. */
int mc_plan_unlink(struct mc_plan *p, struct mntcr_error *e)
{
	struct mc_op *op;
	uint32_t i, turn;

	for (turn = 0; turn < 2; turn++) {
		for (i = 0; i < p->nr_srcs; i++) {
			const struct mc_src *s = &p->srcs[i];

			if (!s->nr_unlinked ||
			    mc_type_of_layers(p->topo->sbs[s->sb].type) != !turn)
				continue;
			op = mc_plan_op(p, MC_OP_UNLINK, MC_REF(MC_REF_SRC, i));
			if (!op)
				return mc_nomem(e);
			op->first = s->unlinked;
			op->nr = s->nr_unlinked;
		}
	}
	return 0;
}
