// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reference model of mount propagation: mounts and types.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/internal.h"

#ifdef MODEL_MUTANTS
enum model_mutant model_mutant;
const char *const model_mutant_names[] = {
	"none", "slave-sends", "direct-slaves", "no-visibility",
	"copy-private", "copy-master-top", "copy-not-shared", "on-top",
	"last-peer", "leave-takes", "slave-of-master", "umount-alone",
	"umount-busy", "umount-under", "bind-fresh", "bind-unbindable",
	"move-no-share", "move-from-shared", "clone-slave", "shared-forgets",
	"setgroup-master",
	"none", "capable-member", "capable-named", "private-only", "superblock",
	"unbindable", "roots", "obstructed", "unbounded", "unbounded-above",
	"unbounded-below", "pair-lock", "pair-owner", "pair-uncontained",
	"foreign-source", "foreign-dest", "clone-locked",
	"attach-free", "attach-always", "attach-same-owner", "attach-unlocked",
	"attach-copies", "attach-copies-own", "attach-root", "lock-owner",
	"type-here", "type-owner", "attr-anywhere", "too-many", "gate",
	"held-receives", "held-keeps", "held-source", "held-dest",
	"held-silent",
};
#endif

/* Storage. */

int model__grow(void **p, int *cap, int need, size_t size)
{
	int n = *cap ? *cap : 16;
	void *q;

	if (need <= *cap)
		return 0;
	while (n < need)
		n *= 2;
	q = realloc(*p, n * size);
	if (!q)
		return -ENOMEM;
	*p = q;
	*cap = n;
	return 0;
}

int model__reserve(struct model *m, int mounts, int groups)
{
	if (model__grow((void **)&m->mnt, &m->cap, m->nr + mounts, sizeof(*m->mnt)))
		return -ENOMEM;
	return model__grow((void **)&m->group_master, &m->group_cap,
		    m->nr_groups + groups, sizeof(*m->group_master));
}

void model_init(struct model *m, const int *dirs, int nr_dirs)
{
	memset(m, 0, sizeof(*m));
	m->dirs = dirs;
	m->nr_dirs = nr_dirs;
	m->nr_groups = 1;	/* group 0: none */
}

void model_free(struct model *m)
{
	free(m->mnt);
	free(m->group_master);
	free(m->owner);
	free(m->origin);
	memset(m, 0, sizeof(*m));
}

int model__above(const struct model *m, int owner)
{
	return m->above ? m->above[owner] : 0;
}

static void copy_array(void *to, const void *from, size_t size)
{
	if (size)
		memcpy(to, from, size);
}

int model_copy(struct model *to, const struct model *from)
{
	if (model__grow((void **)&to->mnt, &to->cap, from->nr, sizeof(*to->mnt)) ||
	    model__grow((void **)&to->group_master, &to->group_cap, from->nr_groups,
		 sizeof(*to->group_master)) ||
	    model__grow((void **)&to->owner, &to->ns_cap, from->nr_ns,
		 sizeof(*to->owner)) ||
	    model__grow((void **)&to->origin, &to->origin_cap, from->nr_ns,
		 sizeof(*to->origin)))
		return -ENOMEM;
	to->dirs = from->dirs;
	to->removed = from->removed;
	to->nr_dirs = from->nr_dirs;
	to->above = from->above;
	to->nr = from->nr;
	to->nr_groups = from->nr_groups;
	to->nr_ns = from->nr_ns;
	copy_array(to->mnt, from->mnt, from->nr * sizeof(*to->mnt));
	if (from->nr_groups > 1)
		memcpy(to->group_master + 1, from->group_master + 1,
		       (from->nr_groups - 1) * sizeof(*to->group_master));
	copy_array(to->owner, from->owner, from->nr_ns * sizeof(*to->owner));
	copy_array(to->origin, from->origin, from->nr_ns * sizeof(*to->origin));
	return 0;
}

int model__new_group(struct model *m, int master)
{
	m->group_master[m->nr_groups] = master;
	return m->nr_groups++;
}

int model__reserve_ns(struct model *m)
{
	return model__grow((void **)&m->owner, &m->ns_cap, m->nr_ns + 1,
			   sizeof(*m->owner)) ||
	       model__grow((void **)&m->origin, &m->origin_cap, m->nr_ns + 1,
			   sizeof(*m->origin)) ? -ENOMEM : 0;
}

int model__new_ns(struct model *m, int owner, int origin)
{
	m->owner[m->nr_ns] = owner;
	m->origin[m->nr_ns] = origin;
	return m->nr_ns++;
}

/* Queries. */

bool model_alive(const struct model *m, int i)
{
	return i >= 0 && i < m->nr && m->mnt[i].ns != MODEL_GONE;
}

bool model_detached(const struct model *m, int ns)
{
	return m->origin[ns] >= 0;
}

/*
 * Its own, or of a detached tree, the one from within which that has been opened.  No
 * page says so; the kernel's may_copy_tree() and may_use_mount() do.
 */
int model_used_from(const struct model *m, int mnt)
{
	int ns = m->mnt[mnt].ns;

	return model_detached(m, ns) ? m->origin[ns] : ns;
}

bool model_under(const struct model *m, int dir, int root)
{
	while (dir != root && dir != 0)
		dir = m->dirs[dir];
	return dir == root;
}

int model_lookup(const struct model *m, int parent, int at)
{
	for (int i = 0; i < m->nr; i++)
		if (m->mnt[i].ns != MODEL_GONE && m->mnt[i].parent == parent &&
		    m->mnt[i].at == at)
			return i;
	return -1;
}

bool model_lock_hides(const struct model *m, int mnt, int dir)
{
	for (int i = 0; i < m->nr; i++)
		if (m->mnt[i].ns != MODEL_GONE && m->mnt[i].parent == mnt &&
		    m->mnt[i].locked && model_under(m, m->mnt[i].at, dir))
			return true;
	return false;
}

int model_ns_root(const struct model *m, int ns)
{
	for (int i = 0; i < m->nr; i++)
		if (m->mnt[i].ns == ns && m->mnt[i].parent < 0)
			return i;
	return -1;
}

bool model_in_tree(const struct model *m, int i, int top)
{
	while (i >= 0 && i != top)
		i = m->mnt[i].parent;
	return i == top;
}

/* SS 5a(3): all peers of a group are slaves of the same master. */
int model_master(const struct model *m, int i)
{
	int group = m->mnt[i].group;

	return group ? m->group_master[group] : m->mnt[i].master;
}

bool model__reaches(const struct model *m, int g, int ring)
{
	while (g && g != ring)
		g = m->group_master[g];
	return g != 0;
}

/*
 * SS 5a(1): members of a peer group propagate to each other.  SS 5a(2), (3):
 * a slave receives what its master group sees, forwards it to its own peers
 * and slaves when it is shared, and never sends to its master.
 */
bool model_hears(const struct model *m, int r, int s)
{
	int group = m->mnt[s].group, own = m->mnt[r].group;

	if (r == s || (!group && !BROKEN(MUT_SLAVE_SENDS)))
		return false;
	if (BROKEN(MUT_SLAVE_SENDS) && m->mnt[r].group &&
	    m->mnt[r].group == model_master(m, s))
		return true;
	if (BROKEN(MUT_DIRECT_SLAVES))
		return own == group || model_master(m, r) == group;
	return model__reaches(m, own ? own : m->mnt[r].master, group);
}

int model__collect(const struct model *m, int top, int dir, bool prune,
		   int *list)
{
	int n = 0;

	list[n++] = top;
	for (int k = 0; k < n; k++)
		for (int i = 0; i < m->nr; i++) {
			const struct model_mount *c = &m->mnt[i];

			if (c->ns == MODEL_GONE || c->parent != list[k])
				continue;
			if (k == 0 && dir >= 0 && !model_under(m, c->at, dir))
				continue;
			/* SS 5c: what is below an unbindable mount is pruned */
			if (prune && c->unbindable) {
				if (c->locked)
					return -EPERM;	/* MN, "Restrictions" */
				continue;
			}
			list[n++] = i;
		}
	return n;
}

/*
 * Leaving a peer group.  MN, "Shared subtrees": by an umount or a new type; the
 * others stay what they are.  mount(2), MS_SLAVE: what becomes a slave receives
 * from the group that it was a member of.  Slaves of a group that loses its
 * last member are slaves of that group's master from then on: no page says so,
 * but by SS 5a(3) its events reached them, and nothing was done to them.
 * Returns the group that still sends to the mount.
 */
int model__leave(struct model *m, int i)
{
	int g = m->mnt[i].group, master = m->group_master[g];
	bool last = true;

	m->mnt[i].group = 0;
	m->mnt[i].master = 0;
	for (int k = 0; k < m->nr; k++)
		if (m->mnt[k].ns != MODEL_GONE && m->mnt[k].group == g)
			last = false;
	if (!last && !BROKEN(MUT_LEAVE_TAKES))
		return BROKEN(MUT_SLAVE_OF_MASTER) ? master : g;
	if (BROKEN(MUT_LAST_PEER) || BROKEN(MUT_LEAVE_TAKES))
		master = 0;
	for (int k = 0; k < m->nr; k++)
		if (m->mnt[k].master == g)
			m->mnt[k].master = master;
	for (int k = 1; k < m->nr_groups; k++)
		if (m->group_master[k] == g)
			m->group_master[k] = master;
	return last ? master : g;
}

/* SS 5a, state diagram. */
static void set_type(struct model *m, int i, enum model_type t)
{
	struct model_mount *p = &m->mnt[i];

	if (t == MODEL_SHARED) {
		if (!p->group)
			p->group = model__new_group(m, BROKEN(MUT_SHARED_FORGETS) ?
					     0 : p->master);
		p->master = 0;
		p->unbindable = false;
	} else if (t == MODEL_SLAVE) {
		/* "**": no effect if not shared; "*": private if alone */
		if (p->group)
			p->master = model__leave(m, i);
	} else {
		if (p->group)
			model__leave(m, i);
		p->master = 0;
		p->unbindable = t == MODEL_UNBINDABLE;
	}
}

/* mount(2), "Changing the propagation type", MS_REC: of all below as well. */
int model_set_type(struct model *m, int mnt, enum model_type t, bool rec)
{
	int *list, n = 1;

	if (!model_alive(m, mnt))
		return -EINVAL;
	list = calloc(m->nr, sizeof(*list));
	if (!list || model__reserve(m, 0, m->nr)) {
		free(list);
		return -ENOMEM;
	}
	list[0] = mnt;
	if (rec)
		n = model__collect(m, mnt, -1, false, list);
	for (int k = 0; k < n; k++)
		set_type(m, list[k], t);
	free(list);
	return 0;
}
