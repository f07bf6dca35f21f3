// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mc_topology_finish(): sort, derive the links, and refuse what does not hang
 * together.
 *
 * The rules are listed in topology.h.  Nothing here recurses or is quadratic:
 * an image of a chain of a million mounts is legal input.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "base/base.h"
#include "topology/topology.h"

#define bad(e, ...)	mc_fail(e, MNTCR_BAD_IMAGE, 0, __VA_ARGS__)
#define bad_mount(e, m, fmt, ...)					\
	mc_fail(e, MNTCR_BAD_IMAGE, 0, "mount %" PRIu64 ": " fmt,	\
		(m)->id, ##__VA_ARGS__)

static int cmp_mount(const void *a, const void *b, void *data)
{
	const struct mc_mount *mounts = data;
	const struct mc_mount *x = &mounts[*(const uint32_t *)a];
	const struct mc_mount *y = &mounts[*(const uint32_t *)b];

	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return 0;
}

/* Ascending by namespace and id; parents follow. */
static int sort_mounts(struct mc_topology *t, struct mntcr_error *e)
{
	uint32_t i, *order, *where = NULL;
	struct mc_mount *sorted = NULL;
	int ret = -1;

	for (i = 1; i < t->nr_mounts; i++) {
		const struct mc_mount *a = &t->mounts[i - 1];
		const struct mc_mount *b = &t->mounts[i];

		if (a->ns > b->ns || (a->ns == b->ns && a->id > b->id))
			break;
	}
	if (i >= t->nr_mounts)
		return 0;

	order = malloc(t->nr_mounts * sizeof(*order));
	where = malloc(t->nr_mounts * sizeof(*where));
	sorted = malloc(t->max_mounts * sizeof(*sorted));
	if (!order || !where || !sorted) {
		mc_nomem(e);
		goto out;
	}
	for (i = 0; i < t->nr_mounts; i++)
		order[i] = i;
	qsort_r(order, t->nr_mounts, sizeof(*order), cmp_mount, t->mounts);
	for (i = 0; i < t->nr_mounts; i++) {
		where[order[i]] = i;
		sorted[i] = t->mounts[order[i]];
	}
	for (i = 0; i < t->nr_mounts; i++)
		if (sorted[i].parent != MC_NONE)
			sorted[i].parent = where[sorted[i].parent];
	free(t->mounts);
	t->mounts = sorted;
	sorted = NULL;
	ret = 0;
out:
	free(order);
	free(where);
	free(sorted);
	return ret;
}

/* After sorting: children, roots, spans; each mount reached from its root. */
static int link_tree(struct mc_topology *t, struct mntcr_error *e)
{
	uint32_t i, m, c, other, reached = 0;

	for (i = 0; i < t->nr_mounts; i++) {
		struct mc_mount *x = &t->mounts[i];
		struct mc_ns *ns = &t->ns[x->ns];

		x->first_child = x->last_child = x->next_sibling = MC_NONE;
		x->nr_children = 0;
		x->next_member = MC_NONE;	/* here: not reached yet */
		other = i;
		switch (mc_map_add(t->by_mount, x->id, &other)) {
		case -1:
			return mc_nomem(e);
		case 1:
			return bad_mount(e, x, "two mounts have this id");
		}
		if (!ns->nr_mounts++)
			ns->first_mount = i;
		if (x->parent != MC_NONE)
			continue;
		if (ns->root != MC_NONE)
			return bad_mount(e, x, "is a second root beside %" PRIu64,
					 t->mounts[ns->root].id);
		ns->root = i;
	}
	for (i = 0; i < t->nr_mounts; i++) {
		struct mc_mount *x = &t->mounts[i], *p;

		if (x->parent == MC_NONE)
			continue;
		p = &t->mounts[x->parent];
		if (p->last_child == MC_NONE)
			p->first_child = i;
		else
			t->mounts[p->last_child].next_sibling = i;
		p->last_child = i;
		p->nr_children++;
	}
	/*
	 * Depth first without a stack: to the first child, else the next
	 * sibling, else that of a parent.
	 */
	for (i = 0; i < t->nr_ns; i++) {
		m = t->ns[i].root;
		if (m == MC_NONE && t->ns[i].detached)
			return bad(e, "namespace %u: a detached tree without mounts", i);
		while (m != MC_NONE) {
			reached++;
			t->mounts[m].next_member = 0;
			c = t->mounts[m].first_child;
			while (c == MC_NONE) {
				c = t->mounts[m].next_sibling;
				if (c == MC_NONE) {
					m = t->mounts[m].parent;
					if (m == MC_NONE)
						break;
				}
			}
			m = c;
		}
	}
	if (reached == t->nr_mounts)
		return 0;
	/*
	 * From a mount that was not reached, parents lead into the cycle: name
	 * one on it.
	 */
	for (m = 0; t->mounts[m].next_member == 0;)
		m++;
	for (i = 0; i < t->nr_mounts; i++)
		m = t->mounts[m].parent;
	return bad_mount(e, &t->mounts[m], "is its own ancestor");
}

static int cmp_place(const void *a, const void *b, void *data)
{
	const struct mc_mount *mounts = data;
	const struct mc_mount *x = &mounts[*(const uint32_t *)a];
	const struct mc_mount *y = &mounts[*(const uint32_t *)b];

	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	return strcmp(x->mountpoint, y->mountpoint);
}

/* A second mount at one place lies on the first: it is not its sibling. */
static int check_places(struct mc_topology *t, struct mntcr_error *e)
{
	uint32_t i, *order;
	int ret = -1;

	order = malloc(((size_t)t->nr_mounts + 1) * sizeof(*order));
	if (!order)
		return mc_nomem(e);
	for (i = 0; i < t->nr_mounts; i++)
		order[i] = i;
	qsort_r(order, t->nr_mounts, sizeof(*order), cmp_place, t->mounts);
	for (i = 1; i < t->nr_mounts; i++) {
		if (t->mounts[order[i]].parent == MC_NONE ||
		    cmp_place(&order[i - 1], &order[i], t->mounts))
			continue;
		bad_mount(e, &t->mounts[order[i]],
			  "and mount %" PRIu64 " have one parent and mountpoint",
			  t->mounts[order[i - 1]].id);
		goto out;
	}
	ret = 0;
out:
	free(order);
	return ret;
}

static int group_sb(struct mc_topology *t, uint32_t g, const struct mc_mount *m,
		    struct mntcr_error *e)
{
	struct mc_group *group = &t->groups[g];

	if (group->sb == MC_NONE)
		group->sb = m->sb;
	if (group->sb != m->sb)
		return bad_mount(e, m, "shares with group %" PRIu64 " of another superblock",
				 group->id);
	return 0;
}

/* Links from groups to mounts, made from the last so that lists ascend. */
static int link_groups(struct mc_topology *t, struct mntcr_error *e)
{
	uint32_t i, m;

	for (i = 0; i < t->nr_groups; i++) {
		struct mc_group *g = &t->groups[i];

		g->sb = g->first_member = g->first_slave_mount = MC_NONE;
		g->first_slave_group = g->next_slave_group = MC_NONE;
		g->nr_members = 0;
	}
	for (i = t->nr_mounts; i-- > 0;) {
		struct mc_mount *x = &t->mounts[i];

		x->next_member = x->next_slave = MC_NONE;
		t->sbs[x->sb].nr_mounts++;
		if (x->group != MC_NONE) {
			struct mc_group *g = &t->groups[x->group];

			x->next_member = g->first_member;
			g->first_member = i;
			g->nr_members++;
			if (group_sb(t, x->group, x, e))
				return -1;
		}
		if (x->master != MC_NONE) {
			struct mc_group *g = &t->groups[x->master];

			if (x->group == MC_NONE) {
				x->next_slave = g->first_slave_mount;
				g->first_slave_mount = i;
			}
			if (group_sb(t, x->master, x, e))
				return -1;
		}
	}
	for (i = t->nr_groups; i-- > 0;) {
		struct mc_group *g = &t->groups[i];

		m = g->master;
		if (!g->nr_members && m != MC_NONE)
			return bad(e, "group %" PRIu64 " has a master and no member",
				   g->id);
		if (g->nr_members && g->outside.path)
			return bad(e, "group %" PRIu64 " has a member, and a place outside",
				   g->id);
		if (g->sb == MC_NONE)
			return bad(e, "group %" PRIu64 " has neither member nor slave",
				   g->id);
		if (m == MC_NONE)
			continue;
		g->next_slave_group = t->groups[m].first_slave_group;
		t->groups[m].first_slave_group = i;
	}
	return 0;
}

/*
 * Namespace files that name a namespace of the topology.  The kernel keeps a
 * namespace's file out of itself and of younger namespaces.
 */
static int link_nsfs(struct mc_topology *t, struct mntcr_error *e)
{
	struct mc_map *by_ino = mc_map_new();
	uint32_t i, v;
	int ret = -1;

	if (!by_ino)
		return mc_nomem(e);
	for (i = 0; i < t->nr_ns; i++) {
		v = i;
		if (!t->ns[i].ino)
			continue;
		switch (mc_map_add(by_ino, t->ns[i].ino, &v)) {
		case -1:
			mc_nomem(e);
			goto out;
		case 1:
			bad(e, "namespaces %u and %u both have inode %" PRIu64,
			    v, i, t->ns[i].ino);
			goto out;
		}
	}
	for (i = 0; i < t->nr_mounts; i++) {
		struct mc_mount *m = &t->mounts[i];

		m->nsfs_ns = MC_NONE;
		if (m->nsfs_type != CLONE_NEWNS || !m->nsfs_ino ||
		    !mc_map_get(by_ino, m->nsfs_ino, &v))
			continue;
		m->nsfs_ns = v;
		if (v == m->ns || (t->ns[v].id && t->ns[m->ns].id &&
				   t->ns[v].id < t->ns[m->ns].id)) {
			bad_mount(e, m, "names the namespace that it is in, or an older one");
			goto out;
		}
	}
	ret = 0;
out:
	mc_map_free(by_ino);
	return ret;
}

/* The same of user namespaces; what has no number here is known by another name only. */
static int link_user_files(struct mc_topology *t, struct mntcr_error *e)
{
	struct mc_map *by_ino = mc_map_new();
	uint32_t i, v;
	int ret = -1;

	if (!by_ino)
		return mc_nomem(e);
	for (i = 0; i < t->nr_userns; i++) {
		v = i;
		if (t->userns[i].ino && mc_map_add(by_ino, t->userns[i].ino, &v) < 0) {
			mc_nomem(e);
			goto out;
		}
	}
	for (i = 0; i < t->nr_mounts; i++) {
		struct mc_mount *m = &t->mounts[i];

		m->nsfs_userns = MC_NONE;
		if (m->nsfs_type == CLONE_NEWUSER && m->nsfs_ino &&
		    mc_map_get(by_ino, m->nsfs_ino, &v))
			m->nsfs_userns = v;
	}
	ret = 0;
out:
	mc_map_free(by_ino);
	return ret;
}

int mc_topology_finish(struct mc_topology *t, struct mntcr_error *e)
{
	if (mc_topology_check(t, e) ||
	    sort_mounts(t, e) || link_tree(t, e) || check_places(t, e) ||
	    link_groups(t, e) || link_nsfs(t, e) ||
	    link_user_files(t, e) || mc_link_work(t, e))
		return -1;
	t->finished = true;
	return 0;
}

int mc_topology_again(struct mc_topology *t, struct mntcr_error *e)
{
	struct mc_map **maps[] = {
		&t->by_mount, &t->by_group, &t->by_ns, &t->by_userns,
	};
	size_t i;

	for (i = 0; i < sizeof(maps) / sizeof(*maps); i++) {
		mc_map_free(*maps[i]);
		*maps[i] = mc_map_new();
		if (!*maps[i])
			return mc_nomem(e);
	}
	return mc_topology_finish(t, e);
}
