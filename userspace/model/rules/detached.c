// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reference model of mount propagation: detached trees.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * A detached tree is all of a namespace that belongs to whoever cloned it.
 */
#include <errno.h>

#include "rules/internal.h"

/*
 * open_tree(2), OPEN_TREE_CLONE: what mount(2) with MS_BIND would have mounted,
 * with AT_RECURSIVE what MS_REC would: SS 5b and 5c.
 */
int model_open_tree(struct model *m, int src, int root, bool rec, int owner)
{
	int err = model__bad_root(m, src, root), new;

	if (!err && !rec && model__locked_below(m, src, root))
		err = -EINVAL;
	if (!err)
		err = model__reserve_ns(m);
	if (err)
		return err;
	new = model__clone_tree(m, src, root, rec ? CLONE_REC : 0);
	if (new < 0)
		return new;
	for (int i = new; i < m->nr; i++)
		m->mnt[i].ns = m->nr_ns;
	return model__new_ns(m, owner, model_used_from(m, src));
}

/* What is opened from a detached tree is for those whom that is for. */
int model_open_tree_from(struct model *m, int src, int root, bool rec, int from)
{
	int err = model__bad_root(m, src, root);

	if (!err && model_used_from(m, src) != from &&
	    !(BROKEN(MUT_HELD_SOURCE) && model_detached(m, m->mnt[src].ns)))
		err = -EINVAL;
	return err ? err : model_open_tree(m, src, root, rec, m->owner[from]);
}

/* move_mount(2) of what is detached: SS 5d, which nothing was above before. */
int model_attach(struct model *m, int ns, int dst, int at)
{
	int src = model_ns_root(m, ns), err = model__bad_place(m, dst, at);

	if (src < 0 || (!err && m->mnt[dst].ns == ns))
		return -EINVAL;
	if (err)
		return err;
	model__where(m, &dst, &at);
	/* SS 5d.4 */
	for (int i = 0; m->mnt[dst].group && i < m->nr; i++)
		if (m->mnt[i].ns == ns && m->mnt[i].unbindable)
			return -EINVAL;
	/* it is in no namespace until it is there */
	for (int i = 0; i < m->nr; i++)
		if (m->mnt[i].ns == ns)
			m->mnt[i].ns = MODEL_DETACHED;
	err = model__attach(m, src, dst, at);
	return err ? err : src;
}

/* What is attached to a detached tree becomes part of it, and goes to all who receive. */
int model_attach_from(struct model *m, int ns, int dst, int at, int from)
{
	int err = model__bad_place(m, dst, at);

	if (!err && model_used_from(m, dst) != from &&
	    !(BROKEN(MUT_HELD_DEST) && model_detached(m, m->mnt[dst].ns)))
		err = -EINVAL;
	return err ? err : model_attach(m, ns, dst, at);
}

/*
 * open_tree(2): closed, a detached tree goes as by umount2(2), MNT_DETACH; MN,
 * "Shared subtrees": a namespace without members unmounts what it has.  Neither
 * has a parent in any other namespace, so nothing propagates.
 */
void model_drop_ns(struct model *m, int ns)
{
	for (int i = 0; i < m->nr; i++) {
		if (m->mnt[i].ns != ns)
			continue;
		m->mnt[i].ns = MODEL_GONE;
		if (m->mnt[i].group)
			model__leave(m, i);
	}
}
