// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reference model of mount propagation: copies and attaching.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <stdlib.h>

#include "rules/internal.h"

/* MN, "Unmount semantics": mounts at one place form a stack. */
int model__topmost(const struct model *m, int i)
{
	int over;

	while ((over = model_lookup(m, i, m->mnt[i].root)) >= 0)
		i = over;
	return i;
}

/* The same: what is mounted where something is mounted goes on top of it. */
void model__where(const struct model *m, int *dst, int *at)
{
	int i = model_lookup(m, *dst, *at);

	if (i >= 0) {
		*dst = model__topmost(m, i);
		*at = m->mnt[*dst].root;
	}
}

bool model__removed(const struct model *m, int dir)
{
	return m->removed && m->removed[dir];
}

int model__bad_place(const struct model *m, int dst, int at)
{
	if (!model_alive(m, dst) || at < 0 || at >= m->nr_dirs)
		return -EINVAL;
	if (!model_under(m, at, m->mnt[dst].root))
		return -ENOENT;
	model__where(m, &dst, &at);
	return model__removed(m, at) ? -ENOENT : 0;
}

/* The same of what is to be copied, which may have been removed. */
int model__bad_root(const struct model *m, int src, int root)
{
	if (!model_alive(m, src) || root < 0 || root >= m->nr_dirs)
		return -EINVAL;
	return model_under(m, root, m->mnt[src].root) ? 0 : -ENOENT;
}

/* Copies of a tree. */

/*
 * A detached copy of a tree.  SS 5b.1-3, 5-7: the copy of a shared mount is
 * its peer, that of a slave is a slave of the same master (and a peer, if
 * shared as well), that of a private mount is private.  SS 5b.4, 8: an
 * unbindable mount cannot be copied.
 */
int model__clone_tree(struct model *m, int src, int dir, int flags)
{
	bool prune = !(flags & CLONE_UNBINDABLE) && !BROKEN(MUT_BIND_UNBINDABLE);
	int first = m->nr, n = 1, *list;

	if (m->mnt[src].unbindable && !(flags & CLONE_UNBINDABLE))
		return -EINVAL;
	list = calloc(m->nr, sizeof(*list));
	if (!list)
		return -ENOMEM;
	list[0] = src;
	if (flags & CLONE_REC)
		n = model__collect(m, src, dir, prune, list);
	if (n > 0 && model__reserve(m, n, 0))
		n = -ENOMEM;
	for (int k = 0; k < n; k++) {
		struct model_mount c = m->mnt[list[k]];

		c.ns = MODEL_DETACHED;
		if (BROKEN(MUT_BIND_FRESH) && !(flags & CLONE_UNBINDABLE))
			c.group = c.master = 0;
		/* MN, "Restrictions", 2: less privileged copies are slaves */
		if ((flags & CLONE_SLAVE) && c.group) {
			c.master = c.group;
			c.group = 0;
		}
		if (k == 0) {
			c.root = dir;
			c.parent = -1;
			c.locked = false;
		} else {
			for (int j = 0; j < k; j++)
				if (list[j] == c.parent) {
					c.parent = first + j;
					break;
				}
		}
		m->mnt[m->nr++] = c;
	}
	free(list);
	return n < 0 ? n : first;
}

/* MN, "Restrictions", 3: what comes from a more privileged place is a unit. */
static void lock_tree(struct model *m, int top, int nr)
{
	for (int i = top; i < top + nr; i++) {
		m->mnt[i].locked |= i > top;
		m->mnt[i].attr_locked = true;
	}
}

/* SS 5g; MN, "Restrictions", 1 and 2: of another owner it is less privileged. */
int model_clone_ns(struct model *m, int ns, int owner)
{
	int root = model_ns_root(m, ns), first, flags;
	bool less = root >= 0 && owner != m->owner[ns];

	if (root < 0)
		return -EINVAL;
	if (model__reserve_ns(m))
		return -ENOMEM;
	flags = CLONE_REC | CLONE_UNBINDABLE;
	if (less || BROKEN(MUT_CLONE_SLAVE))
		flags |= CLONE_SLAVE;
	first = model__clone_tree(m, root, m->mnt[root].root, flags);
	if (first < 0)
		return first;
	for (int i = first; i < m->nr; i++)
		m->mnt[i].ns = m->nr_ns;
	if (less)
		lock_tree(m, first, m->nr - first);
	return model__new_ns(m, owner, -1);
}

/* unshare(2), UNSHARE_EMPTY_MNTNS: of what there was nothing is inherited. */
int model_new_ns(struct model *m, int owner, int sb)
{
	if (model__reserve_ns(m) || model__reserve(m, 1, 0))
		return -ENOMEM;
	m->mnt[m->nr++] = (struct model_mount) {
		.ns = m->nr_ns, .sb = sb, .parent = -1,
	};
	return model__new_ns(m, owner, -1);
}

/* Attaching. */

/* Who gets a copy of what is attached at (@dst, @at). */
static bool receives_copy(const struct model *m, int r, int dst, int at)
{
	/*
	 * Not the tree being attached, unless it is moved: it is detached.  Nor does
	 * one that somebody holds get anything: need_secondary() of the kernel.
	 */
	if (m->mnt[r].ns < 0 || !model_hears(m, r, dst) ||
	    (model_detached(m, m->mnt[r].ns) && !BROKEN(MUT_HELD_RECEIVES)))
		return false;
	if (BROKEN(MUT_HELD_SILENT) && model_detached(m, m->mnt[dst].ns))
		return false;
	/* only where the mountpoint exists: SS 6, quiz C */
	return model_under(m, at, m->mnt[r].root) || BROKEN(MUT_NO_VISIBILITY);
}

/* A tree on its way to a shared destination. */
struct spread {
	int dst, dst_group, at;
	int *tree, n;	/* the mounts of the tree, parents first, */
	int copied;	/* and first those that are copied */
	int *group;	/* the peer group of each once it is there */
	int *copies;	/* of each group: the first of @n groups of the copies
			 * at its members; 0: no copies there */
};

/*
 * SS 5b.1: the copies' propagation tree is identical to that of the
 * destination.  Groups none of whose members got a copy are left out, so the
 * master of copies is the nearest group above that has copies, and at the top
 * it is the group of the source.
 */
static int copies_group(const struct model *m, const struct spread *s, int g,
			int x)
{
	if (BROKEN(MUT_COPY_MASTER_TOP))
		return s->group[x];
	while (g && g != s->dst_group && !s->copies[g])
		g = m->group_master[g];
	return g && g != s->dst_group ? s->copies[g] + x : s->group[x];
}

/* The groups of the source and of the copies; all types are those before. */
static void spread_groups(struct model *m, struct spread *s, int nr)
{
	int nr_groups = m->nr_groups;

	/* 5b.2, 5d.2: what comes below a shared mount is shared */
	for (int x = 0; x < s->n; x++) {
		const struct model_mount *p = &m->mnt[s->tree[x]];

		s->group[x] = p->group;
		if (!p->group && !BROKEN(MUT_MOVE_NO_SHARE))
			s->group[x] = model__new_group(m, p->master);
	}
	for (int r = 0; r < nr; r++) {
		int g = m->mnt[r].group;

		if (!g || g == s->dst_group || s->copies[g] ||
		    !receives_copy(m, r, s->dst, s->at))
			continue;
		s->copies[g] = m->nr_groups;
		for (int x = 0; x < s->n; x++)
			model__new_group(m, 0);
	}
	for (int g = 1; g < nr_groups; g++)
		for (int x = 0; s->copies[g] && x < s->n; x++)
			m->group_master[s->copies[g] + x] =
				copies_group(m, s, m->group_master[g], x);
}

/* The copy of the tree that receiver @r gets, not in its place yet. */
static void spread_copy(struct model *m, const struct spread *s, int r)
{
	const struct model_mount *to = &m->mnt[r];
	int first = m->nr;

	for (int x = 0; x < s->copied; x++) {
		struct model_mount c = m->mnt[s->tree[x]];

		c.ns = to->ns;
		for (int k = 0; k < x; k++)
			if (s->tree[k] == c.parent)
				c.parent = first + k;
		c.master = 0;
		c.group = 0;
		if (to->group)
			c.group = copies_group(m, s, to->group, x);
		else
			c.master = copies_group(m, s, to->master, x);
		if (BROKEN(MUT_COPY_NOT_SHARED) && to->group != s->dst_group) {
			c.master = copies_group(m, s, model_master(m, r), x);
			c.group = 0;
		}
		if (BROKEN(MUT_COPY_PRIVATE) && to->group == s->dst_group)
			c.group = 0;
		if (x == 0) {
			c.locked = false;
			c.parent = -1;
			c.at = r;	/* until it is placed */
		}
		m->mnt[m->nr++] = c;
	}
	if (m->owner[to->ns] != m->owner[m->mnt[s->dst].ns] &&
	    !BROKEN(MUT_ATTACH_COPIES_OWN))
		lock_tree(m, first, s->copied);
}

/* Puts @child where it belongs, beneath what is there already; @copy: propagated. */
static void place(struct model *m, int child, int parent, int at, bool copy)
{
	int old = model_lookup(m, parent, at), top;

	if (BROKEN(MUT_ON_TOP) && old >= 0) {
		parent = model__topmost(m, old);
		at = m->mnt[parent].root;
		old = -1;
	}
	m->mnt[child].parent = parent;
	m->mnt[child].at = at;
	if (old < 0)
		return;
	/* SS 5f: the most recently mounted one is the one directly at (B, b) */
	top = model__topmost(m, child);
	m->mnt[old].parent = top;
	m->mnt[old].at = m->mnt[top].root;
	/*
	 * MN, "Restrictions", 3: what hides something keeps hiding it.  FM,
	 * lock_set: what is placed beneath takes the lock over; but a copy, which
	 * others can take away again, does not.
	 */
	if (m->mnt[old].locked) {
		m->mnt[child].locked = true;
		m->mnt[old].locked = copy;
	}
}

/* FM, ENOENT: what has been removed cannot be mounted on, in no copy either. */
static bool needs_removed(const struct model *m, int src, int dst, int at)
{
	int top = model__topmost(m, src);

	if (!model__removed(m, m->mnt[top].root))
		return false;
	if (model_lookup(m, dst, at) >= 0)
		return true;
	for (int r = 0; m->mnt[dst].group && r < m->nr; r++)
		if (receives_copy(m, r, dst, at) && model_lookup(m, r, at) >= 0)
			return true;
	return false;
}

/* SS 5b: a copy has what is below its root; what a rename took from there it has not. */
static void collect(const struct model *m, struct spread *s, int src)
{
	s->copied = s->n = model__collect(m, src, m->mnt[src].root, false, s->tree);
	for (int i = 0; i < m->nr; i++)
		if (m->mnt[i].ns != MODEL_GONE && m->mnt[i].parent == src &&
		    !model_under(m, m->mnt[i].at, m->mnt[src].root))
			s->n += model__collect(m, i, -1, false, s->tree + s->n);
}

/*
 * SS 5b.1-3 and 5d.1-3 for a shared destination, 5b.5-7 and 5d.5-8 for
 * another one.  @src is the root of a detached tree or of one that moves.
 */
int model__attach(struct model *m, int src, int dst, int at)
{
	struct spread s = { .dst = dst, .dst_group = m->mnt[dst].group, .at = at };
	int nr = m->nr, receivers = 0, err = -ENOMEM;

	if (needs_removed(m, src, dst, at))
		return -ENOENT;
	s.tree = calloc(nr, sizeof(int));
	s.group = calloc(nr, sizeof(int));
	s.copies = calloc(m->nr_groups, sizeof(int));
	if (!s.tree || !s.group || !s.copies)
		goto out;
	collect(m, &s, src);
	if (s.dst_group) {
		for (int r = 0; r < nr; r++)
			receivers += receives_copy(m, r, dst, at);
		if (model__reserve(m, receivers * s.n, (receivers + 1) * s.n))
			goto out;
		spread_groups(m, &s, nr);
		for (int r = 0; r < nr; r++)
			if (receives_copy(m, r, dst, at))
				spread_copy(m, &s, r);
	}
	for (int x = 0; x < s.n; x++) {
		struct model_mount *p = &m->mnt[s.tree[x]];

		p->ns = m->mnt[dst].ns;
		if (s.dst_group && s.group[x]) {
			p->group = s.group[x];
			p->master = 0;
		}
	}
	m->mnt[src].parent = -1;
	place(m, src, dst, at, false);
	for (int c = nr; c < m->nr; c += s.copied)
		place(m, c, m->mnt[c].at, at, true);
	err = 0;
out:
	free(s.tree);
	free(s.group);
	free(s.copies);
	return err;
}

/* SS 5e: like a bind whose source is private. */
int model_mount(struct model *m, int sb, int root, int dst, int at)
{
	int err = model__bad_place(m, dst, at), new = m->nr;

	if (err)
		return err;
	if (model__reserve(m, 1, 0))
		return -ENOMEM;
	model__where(m, &dst, &at);
	m->mnt[m->nr++] = (struct model_mount) {
		.ns = MODEL_DETACHED, .sb = sb, .root = root, .parent = -1,
	};
	err = model__attach(m, new, dst, at);
	if (err)
		m->nr = new;
	return err ? err : new;
}

/* MN, "Restrictions", 3: no looking at what a locked mount covers. */
bool model__locked_below(const struct model *m, int mnt, int dir)
{
	return !BROKEN(MUT_CLONE_LOCKED) && model_lock_hides(m, mnt, dir);
}

/* SS 5b and 5c. */
int model_bind(struct model *m, int src, int root, int dst, int at, bool rec)
{
	int err = model__bad_root(m, src, root), nr = m->nr, new;

	if (!err)
		err = model__bad_place(m, dst, at);
	if (!err && !rec && model__locked_below(m, src, root))
		err = -EINVAL;
	if (err)
		return err;
	model__where(m, &dst, &at);
	new = model__clone_tree(m, src, root, rec ? CLONE_REC : 0);
	if (new < 0)
		return new;
	err = model__attach(m, new, dst, at);
	if (err)
		m->nr = nr;
	return err ? err : new;
}

bool model__immovable(const struct model *m, int src)
{
	/*
	 * MN, "Restrictions", 3; the root of a namespace has no parent; a detached tree
	 * is attached as a whole
	 */
	if (m->mnt[src].parent < 0 || m->mnt[src].locked ||
	    model_detached(m, m->mnt[src].ns))
		return true;
	/* SS 5d, note: not from below a shared mount */
	return m->mnt[m->mnt[src].parent].group && !BROKEN(MUT_MOVE_FROM_SHARED);
}

/* SS 5d. */
int model_move(struct model *m, int src, int dst, int at)
{
	int err = model__bad_place(m, dst, at);

	if (err)
		return err;
	if (!model_alive(m, src))
		return -EINVAL;
	model__where(m, &dst, &at);
	if (model__immovable(m, src) || m->mnt[src].ns != m->mnt[dst].ns)
		return -EINVAL;
	/* 5d.4 */
	for (int i = 0; m->mnt[dst].group && i < m->nr; i++)
		if (m->mnt[i].ns != MODEL_GONE && m->mnt[i].unbindable &&
		    model_in_tree(m, i, src))
			return -EINVAL;
	if (model_in_tree(m, dst, src))
		return -ELOOP;
	return model__attach(m, src, dst, at);
}
