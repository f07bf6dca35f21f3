// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Trust nothing: what each namespace, superblock, group and mount says by
 * itself.  How they hang together is found out in link.c.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/base.h"
#include "topology/topology.h"

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

/* The next component, of n bytes, leads up. */
static bool is_up(const char *p, size_t n)
{
	return n == 2 && p[0] == '.' && p[1] == '.';
}

const char *mc_path_fault(const char *p, bool dots)
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
		dots = dots && is_up(p, n);
		if (!dots && (is_up(p, n) || (n == 1 && *p == '.')))
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
	/* A cgroup outside of the reader's cgroup namespace is shown from its root, by "/..". */
	return mc_path_fault(root, !strncmp(sb->type, "cgroup", 6));
}

/*
 * No string is longer than what reading an image allows, so that what is
 * written can be read.
 */
static bool too_long(const char *s)
{
	return s && strlen(s) > MC_MAX_PATH;
}

static int cmp_id(const void *a, const void *b)
{
	const struct mc_idmap_extent *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int cmp_parent_id(const void *a, const void *b)
{
	const struct mc_idmap_extent *x = a, *y = b;

	return (x->parent_id > y->parent_id) - (x->parent_id < y->parent_id);
}

/* No kernel has a map in which an id is mapped twice, or to by two. */
static const char *overlap_fault(const struct mc_idmap_extent *x, uint32_t nr)
{
	struct mc_idmap_extent sorted[MC_MAX_IDMAP_EXTENTS];
	uint32_t i;

	if (!nr)
		return NULL;
	memcpy(sorted, x, nr * sizeof(*x));
	qsort(sorted, nr, sizeof(*sorted), cmp_id);
	for (i = 1; i < nr; i++)
		if (sorted[i].id - sorted[i - 1].id < sorted[i - 1].count)
			return "maps an id twice";
	qsort(sorted, nr, sizeof(*sorted), cmp_parent_id);
	for (i = 1; i < nr; i++)
		if (sorted[i].parent_id - sorted[i - 1].parent_id <
		    sorted[i - 1].count)
			return "maps two ids to one";
	return NULL;
}

static const char *extents_fault(const struct mc_idmap_extent *x, uint32_t nr)
{
	uint32_t i;

	if (nr > MC_MAX_IDMAP_EXTENTS)
		return "has too many extents";
	for (i = 0; i < nr; i++)
		if (!x[i].count || x[i].id > UINT32_MAX - x[i].count ||
		    x[i].parent_id > UINT32_MAX - x[i].count)
			return "has an extent that is out of range";
	return NULL;
}

static int check_userns_map(const struct mc_userns *u, uint32_t i,
			    struct mntcr_error *e)
{
	const struct mc_idmap *m = &u->map;
	const char *fault, *what = "uid_map";

	if (!u->mapped)
		return 0;
	if (u->owner == MC_NO_ID)
		return bad(e, "user namespace %u: its owner is no id", i);
	fault = extents_fault(m->uid, m->nr_uid);
	if (!fault)
		fault = overlap_fault(m->uid, m->nr_uid);
	if (!fault) {
		what = "gid_map";
		fault = extents_fault(m->gid, m->nr_gid);
		if (!fault)
			fault = overlap_fault(m->gid, m->nr_gid);
	}
	return fault ? bad(e, "user namespace %u: its %s %s", i, what, fault) : 0;
}

static int check_userns(const struct mc_topology *t, struct mntcr_error *e)
{
	uint32_t i, n, p, other;

	if (t->nr_userns > MC_MAX_NAMESPACES)
		return bad(e, "%u user namespaces are too many", t->nr_userns);
	for (i = 0; i < t->nr_userns; i++) {
		p = t->userns[i].parent;
		if (p != MC_NONE && p >= t->nr_userns)
			return bad(e, "user namespace %u: no parent %u", i, p);
		if (check_userns_map(&t->userns[i], i, e))
			return -1;
		if (!t->userns[i].id)
			continue;
		other = i;
		if (mc_map_add(t->by_userns, t->userns[i].id, &other) < 0)
			return mc_nomem(e);
		if (other != i)
			return bad(e, "user namespaces %u and %u both have id %" PRIu64,
				   other, i, t->userns[i].id);
	}
	for (i = 0; i < t->nr_userns; i++) {
		p = i;
		/* Deeper than any kernel nests them. */
		for (n = 0; p != MC_NONE && n <= 64; n++)
			p = t->userns[p].parent;
		if (p != MC_NONE)
			return bad(e, "user namespace %u: too deep, or its own ancestor", i);
	}
	return 0;
}

static int check_namespaces(const struct mc_topology *t, struct mntcr_error *e)
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

/* Types are printed as they are; no kernel has one with other characters. */
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

/* That a layer is of, and what an overlay is of is no layer of its. */
static bool layers_are_right(const struct mc_topology *t, uint32_t sb)
{
	const struct mc_layer *l = t->sbs[sb].layers;
	uint32_t i;

	for (i = 0; i < t->sbs[sb].nr_layers; i++)
		if (l[i].sb != MC_NONE && (l[i].sb >= t->nr_sbs || l[i].sb == sb))
			return false;
	return true;
}

/* The upper one and the work directory are of one mount. */
static bool layer_idmaps_are_right(const struct mc_topology *t, uint32_t sb)
{
	const struct mc_layer *l = t->sbs[sb].layers, *upper = NULL, *work = NULL;
	uint32_t i;

	for (i = 0; i < t->sbs[sb].nr_layers; i++) {
		if (l[i].idmap != MC_NONE && (l[i].idmap >= t->nr_idmaps || l[i].sb == MC_NONE))
			return false;
		if (l[i].kind == MC_LAYER_UPPER)
			upper = &l[i];
		else if (l[i].kind == MC_LAYER_WORK)
			work = &l[i];
	}
	return !upper || !work || upper->idmap == work->idmap;
}

static int check_sbs(const struct mc_topology *t, struct mntcr_error *e)
{
	struct mc_map *by_dev = mc_map_new();
	uint32_t i, other;
	int ret = -1;

	if (!by_dev)
		return mc_nomem(e);
	for (i = 0; i < t->nr_sbs; i++) {
		struct mc_sb *sb = &t->sbs[i];
		uint64_t dev = mc_dev_key(sb->major, sb->minor);

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
		if (sb->userns != MC_NONE && sb->userns >= t->nr_userns) {
			bad(e, "superblock %u: no user namespace %u", i, sb->userns);
			goto out;
		}
		if (sb->shown_owner != MC_NONE && sb->shown_owner >= t->nr_userns) {
			bad(e, "superblock %u: no user namespace %u", i,
			    sb->shown_owner);
			goto out;
		}
		if (!layers_are_right(t, i)) {
			bad(e, "superblock %u (%s, %u:%u): a layer of no other superblock",
			    i, sb->type, sb->major, sb->minor);
			goto out;
		}
		if (!layer_idmaps_are_right(t, i)) {
			bad(e, "superblock %u (%s, %u:%u): idmaps that its layers cannot have",
			    i, sb->type, sb->major, sb->minor);
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

static int check_idmaps(const struct mc_topology *t, struct mntcr_error *e)
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
static int check_masters(const struct mc_topology *t, struct mntcr_error *e)
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

static int check_groups(const struct mc_topology *t, struct mntcr_error *e)
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

/* No more than the kernel could have said. */
static const char *file_fault(const struct mc_file *f)
{
	const struct mc_word *w;

	if (!f->mode)
		return f->target ? "has a target and no type" : NULL;
	for (w = mc_words_file; w->name && w->bits != (f->mode & S_IFMT); w++)
		;
	if (!w->name || f->mode & ~(uint32_t)(S_IFMT | MC_MODE_ALL))
		return "has an unknown type or mode";
	if (!mc_mode_is_device(f->mode) && (f->major || f->minor))
		return "has a device number and is no device";
	if (f->major > MC_MAX_MAJOR || f->minor > MC_MAX_MINOR)
		return "has a device number that is out of range";
	if (!f->target)
		return NULL;
	if (!S_ISLNK(f->mode))
		return "has a target and is no symlink";
	if (!*f->target || strlen(f->target) > MC_MAX_TARGET)
		return "has an empty or too long target";
	return NULL;
}

static int check_files(const struct mc_mount *m, struct mntcr_error *e)
{
	const struct mc_file *files[] = { &m->root_file, &m->mp_file };
	enum mc_mp_type is = m->mp_type, this;
	const char *fault;
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(files); i++) {
		fault = file_fault(files[i]);
		if (fault)
			return bad_mount(e, m, "%s %s", i ? "what it is on" :
					 "its root", fault);
		if (!files[i]->mode)
			continue;
		this = S_ISDIR(files[i]->mode) ? MC_MP_DIR : MC_MP_OTHER;
		if (is != MC_MP_UNKNOWN && is != this)
			return bad_mount(e, m, "of its root and what it is on one is a directory, one is not");
		is = this;
	}
	if (m->unlinked && !m->root_deleted)
		return bad_mount(e, m, "a root that is there is unlinked one %u",
				 m->unlinked);
	if (m->mp_file.mode && !m->mountpoint[1])
		return bad_mount(e, m, "what it is on is a root, of which that one's mount tells");
	return 0;
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
	if (m->nsfs_owner != MC_NONE && m->nsfs_owner >= t->nr_userns)
		return bad_mount(e, m, "no user namespace %u", m->nsfs_owner);
	fault = root_fault(&t->sbs[m->sb], m->root);
	if (fault)
		return bad_mount(e, m, "its root %s", fault);
	fault = mc_path_fault(m->mountpoint, false);
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
	return check_files(m, e);
}

/* Those of one number have been unlinked in one place. */
static int check_unlinked(const struct mc_topology *t, struct mntcr_error *e)
{
	struct mc_map *by_number = NULL;
	const struct mc_mount *m;
	uint32_t i, other;
	int ret = 0;

	for (i = 0; i < t->nr_mounts && !ret; i++) {
		m = &t->mounts[i];
		if (!m->unlinked)
			continue;
		if (!by_number)
			by_number = mc_map_new();
		other = i;
		if (!by_number || mc_map_add(by_number, (uint64_t)m->sb << 32 |
					     m->unlinked, &other) < 0)
			ret = mc_nomem(e);
		else if (strcmp(m->root, t->mounts[other].root))
			ret = bad_mount(e, m, "unlinked root %u of its superblock is that of mount %" PRIu64 ", which was elsewhere",
					m->unlinked, t->mounts[other].id);
	}
	mc_map_free(by_number);
	return ret;
}

int mc_topology_check(const struct mc_topology *t, struct mntcr_error *e)
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
	return check_unlinked(t, e);
}
