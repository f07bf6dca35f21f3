// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reference model of mount propagation: what trades places.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>

#include "rules/internal.h"

/* Would what is mounted at @at of @from also appear on @to, which covers that? */
static bool would_cover(const struct model *m, int from, int to, int at)
{
	return m->mnt[to].root == at &&
	       (model_hears(m, to, from) || (to == from && m->mnt[to].group));
}

/*
 * move_mount(2), MOVE_MOUNT_BENEATH: below the topmost mount where @over is.  Not what
 * something covers, nor what is below that mount itself; nor if propagation would put
 * copies over either of the two.
 */
static int beneath(struct model *m, int src, int over)
{
	int up, at;

	over = model__topmost(m, over);
	up = m->mnt[over].parent;
	at = m->mnt[over].at;
	if (up < 0 || model_lookup(m, src, m->mnt[src].root) >= 0 ||
	    model_in_tree(m, src, over) || would_cover(m, up, over, at) ||
	    (m->mnt[src].ns >= 0 && would_cover(m, up, src, at)))
		return -EINVAL;
	/* SS 5d.4 */
	for (int i = 0; m->mnt[up].group && i < m->nr; i++)
		if (m->mnt[i].ns != MODEL_GONE && m->mnt[i].unbindable &&
		    model_in_tree(m, i, src))
			return -EINVAL;
	if (model_in_tree(m, up, src))
		return -ELOOP;
	return model__attach(m, src, up, at);
}

/*
 * Removed is looked at before all else, also where nothing can be beneath: what has no
 * parent counts as mounted on its root.
 */
static bool over_removed(const struct model *m, int over)
{
	over = model__topmost(m, over);
	return m->mnt[over].parent < 0 && model__removed(m, m->mnt[over].root);
}

int model_move_beneath(struct model *m, int src, int over)
{
	if (model_alive(m, over) && over_removed(m, over))
		return -ENOENT;
	if (!model_alive(m, src) || !model_alive(m, over) ||
	    model__immovable(m, src) || m->mnt[src].ns != m->mnt[over].ns)
		return -EINVAL;
	return beneath(m, src, over);
}

int model_mount_beneath(struct model *m, int sb, int root, int over)
{
	int new = m->nr, err;

	if (!model_alive(m, over))
		return -EINVAL;
	if (over_removed(m, over))
		return -ENOENT;
	if (model__reserve(m, 1, 0))
		return -ENOMEM;
	m->mnt[m->nr++] = (struct model_mount) {
		.ns = MODEL_DETACHED, .sb = sb, .root = root, .parent = -1,
	};
	err = beneath(m, new, over);
	if (err)
		m->nr = new;
	return err ? err : new;
}

static bool shared(const struct model *m, int mnt)
{
	return m->mnt[mnt].group;
}

/* Is @dir of @mnt at or below the root directory of @top? */
static bool in_reach(const struct model *m, int mnt, int dir, int top)
{
	while (mnt != top && mnt >= 0) {
		dir = m->mnt[mnt].at;
		mnt = m->mnt[mnt].parent;
	}
	return mnt == top && model_under(m, dir, m->mnt[top].root);
}

/*
 * pivot_root(2): not if the parent of the old root, that of the new one or where the
 * old one goes is shared; nothing propagates.
 */
int model_pivot_root(struct model *m, int root, int new, int old, int at)
{
	int err = model__bad_place(m, old, at), up, hang;

	if (err)
		return err;
	if (!model_alive(m, root) || !model_alive(m, new))
		return -EINVAL;
	model__where(m, &old, &at);
	up = m->mnt[root].parent;
	hang = m->mnt[root].at;
	if (m->mnt[root].ns != m->mnt[new].ns ||
	    shared(m, old) || (up >= 0 && shared(m, up)) ||
	    (m->mnt[new].parent >= 0 && shared(m, m->mnt[new].parent)) ||
	    m->mnt[new].locked)
		return -EINVAL;
	if (model__removed(m, m->mnt[new].root))
		return -ENOENT;
	if (new == root || old == root)
		return -EBUSY;
	if (up < 0 || m->mnt[new].parent < 0 || !in_reach(m, old, at, new) ||
	    !in_reach(m, new, m->mnt[new].root, root))
		return -EINVAL;
	/* MN, "Restrictions", 3: what hides something keeps hiding it */
	if (m->mnt[root].locked) {
		m->mnt[root].locked = false;
		m->mnt[new].locked = true;
	}
	m->mnt[new].parent = up;
	m->mnt[new].at = hang;
	m->mnt[root].parent = old;
	m->mnt[root].at = at;
	return 0;
}
