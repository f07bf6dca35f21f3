// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mounts of one superblock: those of one root in a run, and which of the live ones can
 * be cloned.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <string.h>

#include "plan/priv.h"

static int cmp_root(const struct mc_mount *a, const struct mc_mount *b)
{
	if (a->sb != b->sb)
		return a->sb < b->sb ? -1 : 1;
	if (a->root_deleted != b->root_deleted)
		return a->root_deleted ? 1 : -1;
	if (a->unlinked != b->unlinked)
		return a->unlinked < b->unlinked ? -1 : 1;
	if (a->idmap != b->idmap)	/* MC_NONE is the greatest */
		return a->idmap > b->idmap ? -1 : 1;
	return mc_path_cmp(a->root, b->root);
}

int mc_plan_cmp_source(const void *x, const void *y, void *data)
{
	struct mc_plan *p = data;
	uint32_t i = *(const uint32_t *)x, j = *(const uint32_t *)y;
	int c;

	p->steps++;
	c = cmp_root(&p->topo->mounts[i], &p->topo->mounts[j]);
	return c ? c : (i > j) - (i < j);
}

uint32_t mc_plan_run_end(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
			 uint32_t end)
{
	const struct mc_mount *m = p->topo->mounts;
	uint32_t i;

	for (i = from + 1; i < end; i++) {
		p->steps++;
		if (cmp_root(&m[sorted[from]], &m[sorted[i]]) ||
		    m[sorted[from]].nsfs_ns != m[sorted[i]].nsfs_ns)
			break;
	}
	return i;
}

static bool owner_is_ours(const struct mc_topology *t, uint32_t ns)
{
	uint32_t u = t->ns[ns].userns;

	return u == MC_NONE || t->userns[u].dumper;
}

/*
 * A mount that has locked children, or is unbindable, cannot be cloned alone.
 * Where locks are not reported, any child in another owner's namespace may be.
 */
int mc_plan_rank(const struct mc_plan *p, uint32_t m)
{
	const struct mc_topology *t = p->topo;
	const struct mc_plan_options *o = p->priv->opts;
	const struct mc_mount *mnt = &t->mounts[m];
	int rank = 0;
	uint32_t c;

	if (!o->ns_live || !o->ns_live[mnt->ns] || mnt->unbindable || mnt->moved)
		return -1;
	if (p->api == MNTCR_API_UPSTREAM && p->priv->hidden[m] >= MC_SEALED)
		return -1;
	mc_for_each_child(t, c, m) {
		if (t->mounts[c].locks_known) {
			if (t->mounts[c].locks & MOUNT_LOCK_MOUNT)
				return -1;
		} else if (!owner_is_ours(t, mnt->ns)) {
			rank = 2;
			break;
		}
	}
	/* A clone keeps MNT_LOCK_* of its source. */
	if (mnt->locks_known && mnt->locks & ~(uint32_t)MOUNT_LOCK_MOUNT)
		rank++;
	if (p->api == MNTCR_API_UPSTREAM && p->priv->hidden[m])
		rank += MC_RANK_COVERED;
	return rank;
}

/*
 * What is unbindable is in a copy of its namespace, too, where it can be made
 * private.  It is found there by its path.
 */
bool mc_plan_can_be_copied(const struct mc_plan *p, uint32_t m)
{
	const struct mc_topology *t = p->topo;
	const struct mc_mount *mnt = &t->mounts[m];
	const bool *live = p->priv->opts->ns_live;

	if (!live || !live[mnt->ns] || !mnt->unbindable || mnt->moved ||
	    p->priv->hidden[m] != MC_SEEN)
		return false;
	return !mc_has_locked_child(t, m);
}

/*
 * A clone keeps the locks of its source's attributes: they must be the mount's
 * own, and so must what they hold.
 */
bool mc_plan_fits(const struct mc_plan *p, uint32_t src, uint32_t mount)
{
	static const struct {
		uint32_t lock;
		uint64_t attr;
	} held[] = {
		{ MOUNT_LOCK_RDONLY, MOUNT_ATTR_RDONLY },
		{ MOUNT_LOCK_NODEV, MOUNT_ATTR_NODEV },
		{ MOUNT_LOCK_NOSUID, MOUNT_ATTR_NOSUID },
		{ MOUNT_LOCK_NOEXEC, MOUNT_ATTR_NOEXEC },
		{ MOUNT_LOCK_ATIME, MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME },
	};
	const struct mc_mount *s = &p->topo->mounts[src];
	const struct mc_mount *m = &p->topo->mounts[mount];
	uint32_t locks = s->locks & ~(uint32_t)MOUNT_LOCK_MOUNT;
	size_t i;

	if (locks & ~m->locks && m->locks_known && !p->priv->opts->ignore_locks)
		return false;
	for (i = 0; i < MC_ARRAY_SIZE(held); i++)
		if (locks & held[i].lock && (s->attr ^ m->attr) & held[i].attr)
			return false;
	return true;
}

/* The best of sorted[from, to): all one superblock, one root. */
uint32_t mc_plan_best(struct mc_plan *p, const uint32_t *sorted,
		      uint32_t from, uint32_t to)
{
	uint32_t i, best = MC_NONE;
	int rank, best_rank = 0;

	for (i = from; i < to; i++) {
		p->steps++;
		rank = mc_plan_rank(p, sorted[i]);
		if (rank < 0 || (best != MC_NONE && rank >= best_rank))
			continue;
		best = sorted[i];
		best_rank = rank;
		if (!rank)
			break;
	}
	return best;
}

/* From wherever its parent is cloned, which has to be a live one. */
bool mc_plan_is_live(const struct mc_plan *p, uint32_t sb)
{
	return p->priv->external_of[sb] == MC_NONE &&
	       p->priv->device_of[sb] == MC_NONE &&
	       (!p->priv->opts->prefer_fresh ||
		!mc_type_of(p->topo->sbs[sb].type)->fresh);
}
