// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reference model of mount propagation: explicit sharing groups.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>

#include "rules/internal.h"

/* MS, EPERM: CAP_SYS_ADMIN over the owner of the namespace it is in. */
static bool capable(const struct model *m, unsigned int caps, int mnt)
{
	return caps >> m->owner[m->mnt[mnt].ns] & 1;
}

/* What is about to be joined, and by whom. */
struct join {
	const int *member;
	int nr;
	unsigned int caps;
	bool contained;
};

static bool is_member(const struct join *j, int mnt)
{
	for (int k = 0; k < j->nr; k++)
		if (j->member[k] == mnt)
			return true;
	return false;
}

static bool any_member_has(const struct model *m, const struct join *j, int at)
{
	for (int k = 0; k < j->nr; k++)
		if (model_lookup(m, j->member[k], at) >= 0)
			return true;
	return false;
}

/*
 * MS, pairs: @r newly receives from @s, which must not take away what a lock
 * or another owner protects.  What the mount named shows without a lock, and
 * no member has, is not protected from contained members.
 */
static bool bad_pair(const struct model *m, const struct join *j, int s, int r)
{
	for (int c = 0; c < m->nr; c++) {
		int at = m->mnt[c].at, d;

		if (m->mnt[c].ns == MODEL_GONE || m->mnt[c].parent != r)
			continue;
		d = model_lookup(m, s, at);
		if (d >= 0 && !capable(m, j->caps, r) && !BROKEN(MUT_PAIR_OWNER))
			return true;
		if (!m->mnt[c].locked || BROKEN(MUT_PAIR_LOCK) ||
		    (d >= 0 && m->mnt[d].locked))
			continue;
		if (is_member(j, r) || any_member_has(m, j, at) ||
		    (!j->contained && !BROKEN(MUT_PAIR_UNCONTAINED)))
			return true;
	}
	return false;
}

/* MS, containment: a locked child at, above or below the root. */
static bool obstructed(const struct model *m, int mnt, int root)
{
	if (BROKEN(MUT_OBSTRUCTED))
		return false;
	for (int c = 0; c < m->nr; c++)
		if (m->mnt[c].ns != MODEL_GONE && m->mnt[c].parent == mnt &&
		    m->mnt[c].locked && (model_under(m, m->mnt[c].at, root) ||
					 model_under(m, root, m->mnt[c].at)))
			return true;
	return false;
}

/*
 * MS, containment: members see no more than the mount they join.  Members
 * with different roots count as one that has all of its root.
 */
static bool contained(const struct model *m, const struct join *j, int named)
{
	int root = m->mnt[j->member[0]].root;

	for (int k = 0; k < j->nr; k++) {
		int own = m->mnt[j->member[k]].root;

		if (!model_under(m, own, m->mnt[named].root) &&
		    !BROKEN(MUT_ROOTS))
			return false;
		if (own != root)
			root = m->mnt[named].root;
	}
	return !obstructed(m, named, root);
}

/* The ring joined or received from, all above, and when joining all below. */
static bool capable_over_all(const struct model *m, int ring, bool join,
			     unsigned int caps)
{
	if (BROKEN(MUT_UNBOUNDED))
		return true;
	for (int i = 0; i < m->nr; i++) {
		int g = m->mnt[i].group ? m->mnt[i].group : m->mnt[i].master;

		if (m->mnt[i].ns == MODEL_GONE || capable(m, caps, i))
			continue;
		if (BROKEN(MUT_UNBOUNDED_ABOVE) && m->mnt[i].group != ring &&
		    !model__reaches(m, g, ring))
			continue;
		if (BROKEN(MUT_UNBOUNDED_BELOW) && m->mnt[i].group != ring &&
		    model__reaches(m, g, ring))
			continue;
		if ((m->mnt[i].group && model__reaches(m, ring, m->mnt[i].group)) ||
		    (join && model__reaches(m, g, ring)))
			return false;
	}
	return true;
}

/* MS, errno table; in the order in which the rules are looked at. */
static int check_named(const struct model *m, int named, int sb,
		       unsigned int flags, unsigned int caps)
{
	if (!model_alive(m, named))
		return -EINVAL;
	if (!capable(m, caps, named) && !BROKEN(MUT_CAPABLE_NAMED))
		return -EPERM;
	if (m->mnt[named].sb != sb && !BROKEN(MUT_SUPERBLOCK))
		return -EXDEV;
	if ((flags & (MODEL_SG_PEER | MODEL_SG_MASTER)) && !m->mnt[named].group)
		return -EINVAL;
	return (flags & MODEL_SG_SIBLING) && !model_master(m, named) ?
		-EINVAL : 0;
}

static int check_member(const struct model *m, const int *member, int k,
			unsigned int caps)
{
	const struct model_mount *p = &m->mnt[member[k]];

	if (!model_alive(m, member[k]))
		return -EINVAL;
	if (!capable(m, caps, member[k]) && !BROKEN(MUT_CAPABLE_MEMBER))
		return -EPERM;
	if (p->sb != m->mnt[member[0]].sb && !BROKEN(MUT_SUPERBLOCK))
		return -EXDEV;
	for (int j = 0; j < k; j++)
		if (member[j] == member[k])
			return -EINVAL;
	if (p->unbindable && !BROKEN(MUT_UNBINDABLE))
		return -EINVAL;
	if (BROKEN(MUT_PRIVATE_ONLY))
		return 0;
	return p->group || p->master ? -EBUSY : 0;
}

/* The commit, unless a pair that it connects is a bad one. */
static int connect_members(struct model *m, const struct join *j, int group,
			   int from)
{
	for (int k = 0; k < j->nr; k++) {
		m->mnt[j->member[k]].group = group;
		m->mnt[j->member[k]].master = group ? 0 : from;
	}
	for (int k = 0; k < j->nr; k++)
		for (int i = 0; i < m->nr; i++) {
			int x = j->member[k];

			if (m->mnt[i].ns == MODEL_GONE ||
			    !((model_hears(m, x, i) && bad_pair(m, j, i, x)) ||
			      (model_hears(m, i, x) && bad_pair(m, j, x, i))))
				continue;
			for (k = 0; k < j->nr; k++)
				m->mnt[j->member[k]].group =
				m->mnt[j->member[k]].master = 0;
			return -EACCES;
		}
	return 0;
}

/* MS.  @peer, @master: -1 when not selected. */
int model_setgroup_caps(struct model *m, const int *member, int nr, int peer,
			int master, unsigned int flags, unsigned int caps)
{
	const unsigned int up = MODEL_SG_MASTER | MODEL_SG_SIBLING;
	struct join j = { .member = member, .nr = nr, .caps = caps };
	int named, from = 0, group = 0, err;

	if (!flags || (flags & ~(MODEL_SG_SHARED | MODEL_SG_PEER | up)) ||
	    (flags & up) == up ||
	    ((flags & MODEL_SG_PEER) && flags != MODEL_SG_PEER) ||
	    !(flags & MODEL_SG_PEER) != (peer < 0) ||
	    !(flags & up) != (master < 0) || nr <= 0)
		return -EINVAL;
	if (nr > MODEL_MOUNT_MAX)
		return BROKEN(MUT_TOO_MANY) ? -E2BIG : -EMFILE;
	/* the first member comes before all that is named beside it */
	if (!model_alive(m, member[0]) && !BROKEN(MUT_GATE))
		return -EINVAL;
	if (!BROKEN(MUT_GATE) && !capable(m, caps, member[0]) &&
	    !BROKEN(MUT_CAPABLE_MEMBER))
		return -EPERM;
	named = peer >= 0 ? peer : master;
	err = named >= 0 ? check_named(m, named, m->mnt[member[0]].sb, flags,
				       caps) : 0;
	if (err)
		return err;
	for (int k = 0; k < nr; k++) {
		err = check_member(m, member, k, caps);
		if (err)
			return err;
	}
	if (flags & MODEL_SG_MASTER)
		from = m->mnt[master].group;
	if (flags & MODEL_SG_SIBLING)
		from = model_master(m, master);
	if (model__reserve(m, 0, 1))
		return -ENOMEM;
	if (flags & MODEL_SG_PEER)
		group = m->mnt[peer].group;
	j.contained = named >= 0 && contained(m, &j, named);
	if (named >= 0 && !j.contained &&
	    !capable_over_all(m, peer >= 0 ? group : from, peer >= 0, caps))
		return -ERANGE;
	if (flags & MODEL_SG_SHARED)
		group = model__new_group(m, from);
	if (BROKEN(MUT_SETGROUP_MASTER) && (flags & MODEL_SG_PEER))
		m->group_master[group] = 0;
	err = connect_members(m, &j, group, from);
	if (err && (flags & MODEL_SG_SHARED))
		m->nr_groups--;
	return err;
}

/* Owners: 0 is the initial user namespace, all others are its children. */
int model_setgroup(struct model *m, const int *member, int nr, int peer,
		   int master, unsigned int flags, int caller)
{
	return model_setgroup_caps(m, member, nr, peer, master, flags,
				   caller ? 1u << caller : ~0u);
}

/* SS 5h: joins what @from is in; of containment there is no "otherwise". */
int model_set_group(struct model *m, int from, int to, unsigned int caps)
{
	struct join j = { &to, 1, caps, .contained = true };

	if (!model_alive(m, from) || !model_alive(m, to))
		return -EINVAL;
	if (!capable(m, caps, from) || !capable(m, caps, to))
		return -EPERM;
	if (m->mnt[from].sb != m->mnt[to].sb || !contained(m, &j, from) ||
	    m->mnt[to].group || m->mnt[to].master || m->mnt[to].unbindable ||
	    (!m->mnt[from].group && !m->mnt[from].master))
		return -EINVAL;
	return connect_members(m, &j, m->mnt[from].group, m->mnt[from].master) ?
	       -EPERM : 0;
}
