// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reference model of mount propagation: mounts of other namespaces.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>

#include "rules/internal.h"

static bool capable(unsigned int caps, int owner)
{
	return owner >= 0 && caps >> owner & 1;
}

/*
 * FM, MOVE_MOUNT_T_FOREIGN: a tree is locked unless the destination belongs to the
 * owner of the caller's namespace or to one above it.
 */
static bool locks_tree(const struct model *m, int dst, unsigned int flags,
		       const struct model_caller *who)
{
	int to = m->owner[m->mnt[dst].ns], from = m->owner[who->ns], up = from;

	if (BROKEN(MUT_ATTACH_FREE))
		return false;
	if ((flags & MODEL_BIND_UNLOCKED) && !BROKEN(MUT_ATTACH_UNLOCKED))
		return false;
	if (BROKEN(MUT_ATTACH_ALWAYS))
		return true;
	if (BROKEN(MUT_ATTACH_SAME_OWNER))
		return to != from;
	while (up != to && up >= 0 && model__above(m, up) != up)
		up = model__above(m, up);
	return up != to;
}

/* FM: the attributes, and what is below its root; copies along with it. */
static void lock_new(struct model *m, int new)
{
	int first = new;

	for (int i = new; i < m->nr; i++) {
		if (m->mnt[i].parent < new)
			first = i;
		if (first > new && BROKEN(MUT_ATTACH_COPIES))
			return;
		m->mnt[i].locked |= i > first || BROKEN(MUT_ATTACH_ROOT);
		m->mnt[i].attr_locked = true;
	}
}

/* OPEN_TREE_FOREIGN: what is to be attached, or why it cannot be had. */
static int clone_foreign(struct model *m, int src, int root, bool rec,
			 const struct model_caller *who)
{
	int err;

	if (!model_alive(m, src))
		return -EINVAL;
	if (!capable(who->caps, m->owner[m->mnt[src].ns]) &&
	    !BROKEN(MUT_FOREIGN_SOURCE))
		return -EPERM;
	err = model__bad_root(m, src, root);
	if (!err && !rec && model__locked_below(m, src, root))
		err = -EINVAL;
	return err ? err : model__clone_tree(m, src, root, rec ? CLONE_REC : 0);
}

/* MOVE_MOUNT_T_FOREIGN. */
static int attach_foreign(struct model *m, int new, int dst, int at,
			  const struct model_caller *who)
{
	int err = model__bad_place(m, dst, at);

	if (err)
		return err;
	if (!capable(who->caps, m->owner[m->mnt[dst].ns]) &&
	    !BROKEN(MUT_FOREIGN_DEST))
		return -EPERM;
	model__where(m, &dst, &at);
	return model__attach(m, new, dst, at);
}

/* FM: the one call, then the other; each capable over one owner. */
int model_bind_foreign(struct model *m, int src, int root, int dst, int at,
		       unsigned int flags, const struct model_caller *who)
{
	int nr = m->nr, new, err;

	if (!model_alive(m, dst))
		return -EINVAL;
	new = clone_foreign(m, src, root, flags & MODEL_BIND_REC, who);
	if (new < 0)
		return new;
	err = attach_foreign(m, new, dst, at, who);
	if (err) {
		m->nr = nr;
		return err;
	}
	if (locks_tree(m, dst, flags, who))
		lock_new(m, new);
	return new;
}

/*
 * mount_setattr(2), EPERM: who owns the namespace must not make what somebody
 * further up has mounted there stay.
 */
static int may_lock(const struct model *m, int mnt, unsigned int caps)
{
	int owner = m->owner[m->mnt[mnt].ns];

	if (capable(caps, model__above(m, owner)))
		return 0;
	return BROKEN(MUT_LOCK_OWNER) && capable(caps, owner) ? 0 : -EPERM;
}

/*
 * mount_setattr(2): locks and types wherever the caller is privileged, attributes
 * in its own namespace.
 */
int model_setattr(struct model *m, int mnt, const struct model_attr *attr,
		  const struct model_caller *who)
{
	int err = 0, ns;

	if (!model_alive(m, mnt))
		return -EINVAL;
	ns = m->mnt[mnt].ns;
	if (attr->lock)
		err = may_lock(m, mnt, who->caps);
	if (err)
		return err;
	if (ns != who->ns) {
		if (attr->attrs && !BROKEN(MUT_ATTR_ANYWHERE))
			return -EINVAL;
		if (BROKEN(MUT_TYPE_HERE))
			return -EINVAL;
		if (!capable(who->caps, m->owner[ns]) && !BROKEN(MUT_TYPE_OWNER))
			return -EPERM;
	}
	if (attr->lock && m->mnt[mnt].parent < 0)
		return -EINVAL;
	if (attr->set_type)
		err = model_set_type(m, mnt, attr->type, false);
	if (!err && attr->lock)
		m->mnt[mnt].locked = true;
	return err;
}
