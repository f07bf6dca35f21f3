// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mc_topology_finish(): trust nothing, then derive the links.
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

#include "base/sys.h"
#include "topology/topology.h"
#include "base/base.h"

#define ATTR_ALL (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |  \
		  MOUNT_ATTR_NOEXEC | MOUNT_ATTR__ATIME |		      \
		  MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_IDMAP |		      \
		  MOUNT_ATTR_NOSYMFOLLOW)
#define SB_FLAGS_ALL (MS_RDONLY | MS_SYNCHRONOUS | MS_DIRSYNC | MS_LAZYTIME)
#define PROPAGATION_ALL (MS_SHARED | MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE)

#define bad(e, ...)	mc_fail(e, MNTCR_BAD_IMAGE, 0, __VA_ARGS__)
#define bad_mount(e, m, fmt, ...)					\
	mc_fail(e, MNTCR_BAD_IMAGE, 0, "mount %" PRIu64 ": " fmt,	\
		(m)->id, ##__VA_ARGS__)

/* An absolute path without empty, "." or ".." components, or just "/". */
static const char *path_fault(const char *p, bool dots)
{
	size_t n;

	if (*p != '/')
		return "does not start with /";
	if (strlen(p) >= MC_MAX_PATH)
		return "is too long";
	if (!p[1])
		return NULL;
	while (*p) {
		n = strcspn(++p, "/");
		if (!n)
			return "has an empty component";
		if (n > 255)
			return "has a component longer than 255 bytes";
		if (!dots && (!strncmp(p, ".", n) || !strncmp(p, "..", n)))
			return "has a . or .. component";
		p += n;
	}
	return NULL;
}

/* Roots of namespace files and the like are names, not paths. */
static const char *root_fault(const struct mc_sb *sb, const char *root)
{
	if (!*root)
		return "is empty";
	if (*root != '/') {
		if (strlen(root) > 255)
			return "is too long";
		return strchr(root, '/') ? "does not start with /" : NULL;
	}
	/* A cgroup outside the reader's cgroup namespace shows as "/..". */
	return path_fault(root, !strncmp(sb->type, "cgroup", 6));
}

/* What a kernel says can be longer than what a reader takes. */
static bool too_long(const char *s)
{
	return s && strlen(s) > MC_MAX_PATH;
}

static int check_userns(struct mc_topology *t, struct mntcr_error *e)
{
	uint32_t i, n, p;

	if (t->nr_userns > MC_MAX_NAMESPACES)
		return bad(e, "%u user namespaces are too many", t->nr_userns);
	for (i = 0; i < t->nr_userns; i++) {
		p = t->userns[i].parent;
		if (p != MC_NONE && p >= t->nr_userns)
			return bad(e, "user namespace %u: no parent %u", i, p);
	}
	for (i = 0; i < t->nr_userns; i++) {
		p = i;
		/* The kernel nests them at most 32 deep. */
		for (n = 0; p != MC_NONE && n <= 64; n++)
			p = t->userns[p].parent;
		if (p != MC_NONE)
			return bad(e, "user namespace %u: too deep, or its own ancestor", i);
	}
	return 0;
}

static int check_namespaces(struct mc_topology *t, struct mntcr_error *e)
{
	uint32_t i, other;

	if (t->nr_ns > MC_MAX_NAMESPACES)
		return bad(e, "%u namespaces are too many", t->nr_ns);
	for (i = 0; i < t->nr_ns; i++) {
		struct mc_ns *ns = &t->ns[i];

		if (ns->userns != MC_NONE && ns->userns >= t->nr_userns)
			return bad(e, "namespace %u: no user namespace %u", i,
				   ns->userns);
		if (ns->base_propagation & ~(uint32_t)PROPAGATION_ALL)
			return bad(e, "namespace %u: unknown propagation type", i);
		ns->root = ns->first_mount = MC_NONE;
		ns->nr_mounts = 0;
		if (!ns->id)
			continue;
		other = i;
		switch (mc_map_add(t->by_ns, ns->id, &other)) {
		case -1:
			return mc_nomem(e);
		case 1:
			return bad(e, "namespaces %u and %u both have id %" PRIu64,
				   other, i, ns->id);
		}
	}
	return 0;
}

/* Printed as it is, and no kernel has others. */
static bool type_is_plain(const char *type)
{
	const unsigned char *s;

	if (!type || !*type)
		return false;
	for (s = (const unsigned char *)type; *s; s++)
		if (*s <= ' ' || *s >= 0x7f || *s == '/')
			return false;
	return true;
}

static int check_sbs(struct mc_topology *t, struct mntcr_error *e)
{
	struct mc_map *by_dev = mc_map_new();
	uint32_t i, other;
	int ret = -1;

	if (!by_dev)
		return mc_nomem(e);
	for (i = 0; i < t->nr_sbs; i++) {
		struct mc_sb *sb = &t->sbs[i];
		uint64_t dev = (uint64_t)sb->major << 32 | sb->minor;

		sb->nr_mounts = 0;
		if (!type_is_plain(sb->type)) {
			bad(e, "superblock %u: no usable filesystem type", i);
			goto out;
		}
		if (too_long(sb->subtype) || too_long(sb->source) ||
		    too_long(sb->options)) {
			bad(e, "superblock %u (%s, %u:%u): its source or options are longer than %u bytes",
			    i, sb->type, sb->major, sb->minor, MC_MAX_PATH);
			goto out;
		}
		if (sb->flags & ~(uint32_t)SB_FLAGS_ALL) {
			bad(e, "superblock %u: unknown flags", i);
			goto out;
		}
		other = i;
		switch (mc_map_add(by_dev, dev, &other)) {
		case -1:
			mc_nomem(e);
			goto out;
		case 1:
			bad(e, "superblocks %u and %u are both device %u:%u",
			    other, i, sb->major, sb->minor);
			goto out;
		}
	}
	ret = 0;
out:
	mc_map_free(by_dev);
	return ret;
}

static int check_idmaps(struct mc_topology *t, struct mntcr_error *e)
{
	uint32_t i, j;

	for (i = 0; i < t->nr_idmaps; i++) {
		const struct mc_idmap *m = &t->idmaps[i];

		if (m->nr_uid > MC_MAX_IDMAP_EXTENTS ||
		    m->nr_gid > MC_MAX_IDMAP_EXTENTS)
			return bad(e, "idmap %u: too many extents", i);
		for (j = 0; j < m->nr_uid + m->nr_gid; j++) {
			const struct mc_idmap_extent *x = j < m->nr_uid ?
				&m->uid[j] : &m->gid[j - m->nr_uid];

			if (!x->count || x->id > UINT32_MAX - x->count ||
			    x->parent_id > UINT32_MAX - x->count)
				return bad(e, "idmap %u: extent %u is out of range",
					   i, j);
		}
	}
	return 0;
}

/*
 * Depth of every group.  Climbing stops at the first group whose depth is
 * known, and the way down again gives each group on the path its own, so that
 * every group is entered twice at most.
 */
static int check_masters(struct mc_topology *t, struct mntcr_error *e)
{
	const uint32_t unknown = UINT32_MAX, onpath = UINT32_MAX - 1;
	uint32_t i, g, m, prev, *up;
	int ret = -1;

	for (i = 0; i < t->nr_groups; i++) {
		m = t->groups[i].master;
		if (m != MC_NONE && m >= t->nr_groups)
			return bad(e, "group %" PRIu64 ": no master %u",
				   t->groups[i].id, m);
		t->groups[i].depth = unknown;
	}
	up = malloc(((size_t)t->nr_groups + 1) * sizeof(*up));
	if (!up)
		return mc_nomem(e);
	for (i = 0; i < t->nr_groups; i++) {
		prev = MC_NONE;
		for (g = i; g != MC_NONE; g = t->groups[g].master) {
			if (t->groups[g].depth == onpath) {
				bad(e, "group %" PRIu64 " is its own master's master",
				    t->groups[g].id);
				goto out;
			}
			if (t->groups[g].depth != unknown)
				break;
			t->groups[g].depth = onpath;
			up[g] = prev;
			prev = g;
		}
		m = g == MC_NONE ? 0 : t->groups[g].depth + 1;
		for (g = prev; g != MC_NONE; g = up[g])
			t->groups[g].depth = m++;
	}
	ret = 0;
out:
	free(up);
	return ret;
}

static int check_groups(struct mc_topology *t, struct mntcr_error *e)
{
	uint32_t i, other;

	for (i = 0; i < t->nr_groups; i++) {
		struct mc_group *g = &t->groups[i];

		if (!g->id || g->id > INT32_MAX)
			return bad(e, "group %u: id %" PRIu64 " is out of range",
				   i, g->id);
		other = i;
		switch (mc_map_add(t->by_group, g->id, &other)) {
		case -1:
			return mc_nomem(e);
		case 1:
			if (other != i)
				return bad(e, "groups %u and %u both have id %" PRIu64,
					   other, i, g->id);
		}
	}
	return check_masters(t, e);
}

static int check_mount(const struct mc_topology *t, const struct mc_mount *m,
		       struct mntcr_error *e)
{
	const char *fault;

	if (!m->id)
		return bad(e, "a mount has id 0");
	if (m->ns >= t->nr_ns)
		return bad_mount(e, m, "no namespace %u", m->ns);
	if (m->parent != MC_NONE && m->parent >= t->nr_mounts)
		return bad_mount(e, m, "no parent %u", m->parent);
	if (m->parent != MC_NONE && t->mounts[m->parent].ns != m->ns)
		return bad_mount(e, m, "its parent %" PRIu64 " is in another namespace",
				 t->mounts[m->parent].id);
	if (m->sb >= t->nr_sbs)
		return bad_mount(e, m, "no superblock %u", m->sb);
	if (too_long(m->source) || too_long(m->options))
		return bad_mount(e, m, "its source or options are longer than %u bytes",
				 MC_MAX_PATH);
	if (m->nsfs_type && strcmp(t->sbs[m->sb].type, "nsfs"))
		return bad_mount(e, m, "is of a namespace file, but not of nsfs");
	fault = root_fault(&t->sbs[m->sb], m->root);
	if (fault)
		return bad_mount(e, m, "its root %s", fault);
	fault = path_fault(m->mountpoint, false);
	if (fault)
		return bad_mount(e, m, "its mountpoint %s", fault);
	if (m->parent == MC_NONE && m->mountpoint[1])
		return bad_mount(e, m, "is a root and has a mountpoint");
	if (m->attr & ~(uint64_t)ATTR_ALL)
		return bad_mount(e, m, "unknown attributes 0x%" PRIx64,
				 m->attr & ~(uint64_t)ATTR_ALL);
	switch (m->attr & MOUNT_ATTR__ATIME) {
	case MOUNT_ATTR_RELATIME:
	case MOUNT_ATTR_NOATIME:
	case MOUNT_ATTR_STRICTATIME:
		break;
	default:
		return bad_mount(e, m, "contradictory atime attributes");
	}
	if (m->idmap != MC_NONE && m->idmap >= t->nr_idmaps)
		return bad_mount(e, m, "no idmap %u", m->idmap);
	if ((m->idmap != MC_NONE) != !!(m->attr & MOUNT_ATTR_IDMAP))
		return bad_mount(e, m, "idmap and idmapped attribute disagree");
	if (m->locks & ~(uint32_t)MC_MOUNT_LOCK_ALL)
		return bad_mount(e, m, "unknown locks");
	if (m->locks && !m->locks_known)
		return bad_mount(e, m, "locks of a mount whose locks are unknown");
	if (m->group != MC_NONE && m->group >= t->nr_groups)
		return bad_mount(e, m, "no group %u", m->group);
	if (m->master != MC_NONE && m->master >= t->nr_groups)
		return bad_mount(e, m, "no master %u", m->master);
	if (m->unbindable && (m->group != MC_NONE || m->master != MC_NONE))
		return bad_mount(e, m, "is unbindable and shared or slave");
	if (m->group != MC_NONE && t->groups[m->group].master != m->master)
		return bad_mount(e, m, "disagrees with group %" PRIu64 " about its master",
				 t->groups[m->group].id);
	return 0;
}

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
	/* Pre-order without a stack: down, else across, else up and across. */
	for (i = 0; i < t->nr_ns; i++) {
		m = t->ns[i].root;
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
	/* Climbing from one that was not reached never ends: on the cycle. */
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

/* Links from groups to mounts; from the last so that lists ascend. */
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

int mc_topology_finish(struct mc_topology *t, struct mntcr_error *e)
{
	uint32_t i;

	if (t->nr_mounts > MC_MAX_MOUNTS || t->nr_groups > MC_MAX_MOUNTS ||
	    t->nr_sbs > MC_MAX_MOUNTS || t->nr_idmaps > MC_MAX_MOUNTS)
		return bad(e, "more than %u mounts, groups, superblocks or idmaps",
			   MC_MAX_MOUNTS);
	if (check_userns(t, e) || check_namespaces(t, e) || check_sbs(t, e) ||
	    check_idmaps(t, e) || check_groups(t, e))
		return -1;
	for (i = 0; i < t->nr_mounts; i++)
		if (check_mount(t, &t->mounts[i], e))
			return -1;
	if (sort_mounts(t, e) || link_tree(t, e) || check_places(t, e) ||
	    link_groups(t, e) || link_nsfs(t, e))
		return -1;
	t->finished = true;
	return 0;
}
