// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reference model of mount propagation: explicit sharing groups.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>

#include "model-internal.h"

/* Owners: 0 is the initial user namespace, all others are its children. */
static bool capable(const struct model *m, int caller, int mnt)
{
	return caller == 0 || caller == m->owner[m->mnt[mnt].ns];
}

/* MS, pairs: a new sender must not take away what a lock protects. */
static bool bad_pair(const struct model *m, int s, int r, int caller)
{
	for (int c = 0; c < m->nr; c++) {
		int d;

		if (m->mnt[c].ns == MODEL_GONE || m->mnt[c].parent != r)
			continue;
		d = model_lookup(m, s, m->mnt[c].at);
		if (d < 0)
			continue;
		if (m->mnt[c].locked && !m->mnt[d].locked)
			return true;
		if (!capable(m, caller, r))
			return true;
	}
	return false;
}

/* MS, containment: a member sees no more than the mount it joins. */
static bool contained(const struct model *m, int member, int named)
{
	int root = m->mnt[member].root;

	if (!model_under(m, root, m->mnt[named].root))
		return false;
	for (int c = 0; c < m->nr; c++)
		if (m->mnt[c].ns != MODEL_GONE && m->mnt[c].parent == named &&
		    m->mnt[c].locked && (model_under(m, m->mnt[c].at, root) ||
					 model_under(m, root, m->mnt[c].at)))
			return false;
	return true;
}

/* The ring joined or received from, all above, and when joining all below. */
static bool capable_over_all(const struct model *m, int ring, bool join,
			     int caller)
{
	for (int i = 0; i < m->nr; i++) {
		int g = m->mnt[i].group ? m->mnt[i].group : m->mnt[i].master;

		if (m->mnt[i].ns == MODEL_GONE || capable(m, caller, i))
			continue;
		if ((m->mnt[i].group && model__reaches(m, ring, m->mnt[i].group)) ||
		    (join && model__reaches(m, g, ring)))
			return false;
	}
	return true;
}

static int check_member(const struct model *m, const int *member, int k,
			int named, int caller)
{
	const struct model_mount *p = &m->mnt[member[k]];

	if (!model_alive(m, member[k]))
		return -EINVAL;
	if (!capable(m, caller, member[k]))
		return -EPERM;
	if (p->unbindable)
		return -EINVAL;
	for (int j = 0; j < k; j++)
		if (member[j] == member[k])
			return -EINVAL;
	if (p->sb != m->mnt[named].sb)
		return -EXDEV;
	return p->group || p->master ? -EBUSY : 0;
}

/* MS.  @peer, @master: -1 when not selected. */
int model_setgroup(struct model *m, const int *member, int nr, int peer,
		   int master, unsigned int flags, int caller)
{
	const unsigned int up = MODEL_SG_MASTER | MODEL_SG_SIBLING;
	int named, from = 0, group = 0;

	if (!flags || (flags & ~(MODEL_SG_SHARED | MODEL_SG_PEER | up)) ||
	    (flags & up) == up ||
	    ((flags & MODEL_SG_PEER) && flags != MODEL_SG_PEER) ||
	    !(flags & MODEL_SG_PEER) != (peer < 0) ||
	    !(flags & up) != (master < 0) || nr <= 0)
		return -EINVAL;
	named = peer >= 0 ? peer : master;
	if (named >= 0 && !model_alive(m, named))
		return -EINVAL;
	if (named >= 0 && !capable(m, caller, named))
		return -EPERM;
	for (int k = 0; k < nr; k++) {
		int err = check_member(m, member, k,
				       named < 0 ? member[0] : named, caller);

		if (err)
			return err;
	}
	if ((flags & (MODEL_SG_PEER | MODEL_SG_MASTER)) && !m->mnt[named].group)
		return -EINVAL;
	if (flags & MODEL_SG_MASTER)
		from = m->mnt[master].group;
	if (flags & MODEL_SG_SIBLING) {
		from = model_master(m, master);
		if (!from)
			return -EINVAL;
	}
	if (model__reserve(m, 0, 1))
		return -ENOMEM;
	if (flags & MODEL_SG_PEER)
		group = m->mnt[peer].group;
	for (int k = 0; named >= 0 && k < nr; k++)
		if (!contained(m, member[k], named) &&
		    !capable_over_all(m, peer >= 0 ? group : from, peer >= 0,
				      caller))
			return -EPERM;
	if (flags & MODEL_SG_SHARED)
		group = model__new_group(m, from);
	for (int k = 0; k < nr; k++) {
		m->mnt[member[k]].group = group;
		m->mnt[member[k]].master = group ? 0 : from;
		if (BROKEN(MUT_SETGROUP_MASTER) && (flags & MODEL_SG_PEER))
			m->group_master[group] = 0;
	}
	for (int k = 0; k < nr; k++)
		for (int i = 0; i < m->nr; i++) {
			int x = member[k];

			if (m->mnt[i].ns == MODEL_GONE ||
			    !((model_hears(m, x, i) && bad_pair(m, i, x, caller)) ||
			      (model_hears(m, i, x) && bad_pair(m, x, i, caller))))
				continue;
			for (k = 0; k < nr; k++)
				m->mnt[member[k]].group =
				m->mnt[member[k]].master = 0;
			return -EPERM;
		}
	return 0;
}
