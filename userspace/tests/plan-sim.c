// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "plan-sim.h"

#define ATIME	(MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME)

static bool bad(struct sim *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
	return false;
}

/* --- paths ----------------------------------------------------------------- */

static const char *rest(const char *path)
{
	return strcmp(path, "/") ? path : "";
}

static const char *concat(struct sim *s, const char *a, const char *b)
{
	char *to = s->strings + s->used;

	s->used += (size_t)sprintf(to, "%s%s%s", rest(a), *b && *b != '/' ? "/" : "",
				   b[0] == '/' ? rest(b) : b) + 1;
	return *to ? to : "/";
}

static bool dotdot(const char *path)
{
	return !strcmp(path, "/..") || !strncmp(path, "/../", 4);
}

/* Whose dentry is an ancestor of whose. */
static bool below(const char *a, const char *b)
{
	size_t n = strlen(rest(a));

	if (a[0] != '/' || b[0] != '/')
		return !strcmp(a, b);
	if (mc_path_dots(a) == n && mc_path_dots(b) <= n)
		return true;
	return !strncmp(rest(a), b, n) && (!b[n] || b[n] == '/') && !dotdot(b + n);
}

/* By the names that the tests use. */
static bool is_file(const char *path)
{
	const char *last = strrchr(path, '/');

	return !last || last[1] == 'f';
}

/* What a fresh tmpfs holds. */
static bool exists(struct sim *s, uint32_t sb, const char *path)
{
	const struct mc_src *src;
	uint32_t i;
	size_t n;

	if (sb < 10000 || sb >= 30000 || !path[1])
		return true;
	src = &s->p->srcs[sb - 10000];
	if (strcmp(s->t->sbs[src->sb].type, "tmpfs"))
		return true;
	n = strlen(path + 1);
	for (i = src->index; i < src->index + src->nr_nodes; i++) {
		const struct mc_node *node = &s->p->nodes[i];

		if (strncmp(node->path, path + 1, n))
			continue;
		if (!node->path[n] && node->dir != is_file(path))
			return true;
		if (node->path[n] == '/' && !is_file(path))
			return true;
	}
	return false;
}

/* --- mounts ---------------------------------------------------------------- */

static uint32_t new_mount(struct sim *s, uint32_t sb, const char *root)
{
	struct sim_mount *m = &s->m[s->nr];

	if (s->nr == SIM_MOUNTS)
		abort();
	memset(m, 0, sizeof(*m));
	m->sb = sb;
	m->root = root;
	m->idmap = m->parent = m->origin = MC_NONE;
	return s->nr++;
}

static uint32_t child_at(const struct sim *s, uint32_t m, const char *at)
{
	uint32_t i;

	for (i = 0; i < s->nr; i++)
		if (s->m[i].where != SIM_GONE && s->m[i].parent == m &&
		    !strcmp(s->m[i].at, at))
			return i;
	return MC_NONE;
}

static bool childless(const struct sim *s, uint32_t m)
{
	uint32_t i;

	for (i = 0; i < s->nr; i++)
		if (s->m[i].where != SIM_GONE && s->m[i].parent == m)
			return false;
	return true;
}

static bool locked_below(const struct sim *s, uint32_t m, const char *path)
{
	uint32_t i;

	for (i = 0; i < s->nr; i++)
		if (s->m[i].where != SIM_GONE && s->m[i].parent == m &&
		    s->m[i].locks & MOUNT_LOCK_MOUNT && below(path, s->m[i].at))
			return true;
	return false;
}

static uint32_t top(const struct sim *s, uint32_t m)
{
	while (s->m[m].parent != MC_NONE)
		m = s->m[m].parent;
	return m;
}

/*
 * Where a path of that mount leads to, among the mounts that are in set.  The
 * mount that it starts at may be covered, others not.
 */
static uint32_t walk(const struct sim *s, uint32_t m, const char *path,
		     const bool *set, const char **left)
{
	char part[4096];
	const char *end;
	uint32_t c;

	*left = "";
	for (end = path; *end; ) {
		end = strchrnul(end + 1, '/');
		snprintf(part, sizeof(part), "%.*s", (int)(end - path), path);
		*left = path;
		for (c = child_at(s, m, part); c != MC_NONE && (!set || set[c]);
		     c = child_at(s, m, "/")) {
			m = c;
			*left = path = end;
		}
	}
	return m;
}

/* Is this live mount where its path from that one above leads? */
static bool leads_to(struct sim *s, uint32_t from, uint32_t m, const bool *set)
{
	const char *path = "", *left;
	uint32_t i;

	for (i = m; i != from; i = s->m[i].parent)
		path = concat(s, rest(s->m[i].at), rest(path[0] ? path : "/"));
	return walk(s, from, rest(path[0] ? path : "/"), set, &left) == m && !*left;
}

static bool seen(struct sim *s, uint32_t m)
{
	uint32_t from = top(s, m), c;

	/* setns(2) gives the topmost root. */
	while ((c = child_at(s, from, "/")) != MC_NONE)
		from = c;
	for (c = m; c != MC_NONE && c != from; c = s->m[c].parent)
		;
	return c == from && leads_to(s, from, m, NULL);
}

/* --- groups ---------------------------------------------------------------- */

static uint32_t master(const struct sim *s, const struct sim_mount *m)
{
	return m->group ? s->master_of[m->group] : m->master;
}

/* A group that loses its last member hands its slaves to its master. */
static void leave(struct sim *s, struct sim_mount *m)
{
	uint32_t g = m->group, i;

	m->group = m->master = 0;
	for (i = 0; g && i < s->nr; i++)
		if (s->m[i].where != SIM_GONE && s->m[i].group == g)
			return;
	for (i = 0; g && i < s->nr; i++)
		if (s->m[i].master == g)
			s->m[i].master = s->master_of[g];
	for (i = 0; g && i < s->nr_groups; i++)
		if (s->master_of[i] == g)
			s->master_of[i] = s->master_of[g];
}

static uint32_t new_group(struct sim *s, uint32_t from)
{
	s->master_of[s->nr_groups] = from;
	return s->nr_groups++;
}

static void make_shared(struct sim *s, struct sim_mount *m)
{
	if (!m->group)
		m->group = new_group(s, m->master);
	m->master = 0;
}

static void make_slave(struct sim *s, struct sim_mount *m)
{
	uint32_t g = m->group, i, up;

	if (!g)
		return;
	up = s->master_of[g];
	m->group = 0;
	for (i = 0; i < s->nr; i++)
		if (s->m[i].where != SIM_GONE && s->m[i].group == g)
			up = g;
	m->group = g;
	leave(s, m);
	m->master = up;
}

static bool is_private(const struct sim_mount *m)
{
	return !m->group && !m->master && !m->unbindable;
}

/* --- cloning --------------------------------------------------------------- */

static uint32_t clone_of(struct sim *s, uint32_t from, const char *root)
{
	uint32_t n = new_mount(s, s->m[from].sb, root);
	const struct sim_mount *m = &s->m[from];

	s->m[n].attr = m->attr;
	s->m[n].idmap = m->idmap;
	s->m[n].locks = m->locks & ~(uint32_t)MOUNT_LOCK_MOUNT;
	s->m[n].group = m->group;
	s->m[n].master = m->master;
	return n;
}

static bool set_attr(struct sim *s, struct sim_mount *m, uint64_t attr,
		     bool unbindable)
{
	static const struct {
		uint32_t lock;
		uint64_t attr;
	} held[] = {
		{ MOUNT_LOCK_RDONLY, MOUNT_ATTR_RDONLY },
		{ MOUNT_LOCK_NODEV, MOUNT_ATTR_NODEV },
		{ MOUNT_LOCK_NOSUID, MOUNT_ATTR_NOSUID },
		{ MOUNT_LOCK_NOEXEC, MOUNT_ATTR_NOEXEC },
	};
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(held); i++)
		if (m->locks & held[i].lock && !(attr & held[i].attr))
			return bad(s, "an attribute that is locked is cleared");
	if (m->locks & MOUNT_LOCK_ATIME && (m->attr ^ attr) & ATIME)
		return bad(s, "the locked atime attributes are changed");
	m->attr = (m->attr & ~(uint64_t)MC_ATTRS) | (attr & MC_ATTRS);
	leave(s, m);
	m->unbindable = unbindable;
	return true;
}

static uint32_t *fd_of(struct sim *s, mc_ref r)
{
	return &s->fd[MC_REF_KIND(r)][MC_REF_INDEX(r)];
}

/* The mount that a descriptor is of; closed ones are found again by id. */
static bool use(struct sim *s, mc_ref r, uint32_t *m)
{
	uint32_t i = MC_REF_INDEX(r), k;

	*m = *fd_of(s, r);
	if (*m != MC_NONE)
		return true;
	if (MC_REF_KIND(r) != MC_REF_MOUNT || !s->was_open[i])
		return bad(s, "kind %u, %u is not open", MC_REF_KIND(r), i);
	for (k = 0; k < s->nr; k++)
		if (s->m[k].origin == i && s->m[k].where != SIM_LIVE &&
		    s->m[top(s, k)].where >= SIM_NS) {
			if (s->p->api == MNTCR_API_UPSTREAM && !seen(s, k))
				return bad(s, "no path leads to mount %u any more", i);
			*fd_of(s, r) = *m = k;
			return true;
		}
	return bad(s, "mount %u was closed and is in no namespace", i);
}

/* Something that can be cloned: a mount, and a path below its root. */
static bool source(struct sim *s, uint32_t src, uint32_t *m, const char **root)
{
	const struct mc_src *x = &s->p->srcs[src];
	const char *path = "";

	if (x->kind == MC_SRC_NSFILE) {
		*m = new_mount(s, 9999, s->t->ns[x->index].label);
		s->m[*m].where = SIM_LIVE;
		*root = s->m[*m].root;
		return s->ns_made[x->index] || bad(s, "file of no namespace");
	}
	if (x->kind == MC_SRC_SUB) {
		path = x->path;
		src = x->base;
		if (!x->inline_path && s->fd[MC_REF_SRC][x - s->p->srcs] == MC_NONE)
			return bad(s, "%s was not opened", path);
		if (s->p->srcs[src].kind == MC_SRC_SUB)
			return bad(s, "a path below a path");
	}
	*m = s->fd[MC_REF_SRC][src];
	if (*m == MC_NONE && s->p->api == MNTCR_API_UPSTREAM && !*path &&
	    !s->p->srcs[src].scratch) {
		if (s->p->srcs[src].kind == MC_SRC_LIVE) {
			*m = s->p->srcs[src].index;
			if (!seen(s, *m))
				return bad(s, "no path leads to live mount %u", *m);
		} else if (s->p->srcs[src].kind == MC_SRC_EXTERNAL) {
			*m = new_mount(s, s->p->srcs[src].sb, "/");
			s->m[*m].where = SIM_LIVE;
		}
	}
	if (*m == MC_NONE)
		return bad(s, "source %u is not open", src);
	if (*path && !childless(s, *m))
		return bad(s, "something is mounted on source %u", src);
	*root = concat(s, s->m[*m].root, path);
	if (dotdot(concat(s, "/", path)) || !exists(s, s->m[*m].sb, *root))
		return bad(s, "%s is not below source %u", path, src);
	if (s->m[*m].unbindable || locked_below(s, *m, "/"))
		return bad(s, "source %u can not be cloned", src);
	return true;
}

/* --- operations ------------------------------------------------------------ */

/* Sets in_copy[] to what a recursive clone of that live mount holds. */
static void copy_live(struct sim *s, uint32_t from)
{
	uint32_t i, k;

	s->copy_from = from;
	for (i = 0; i < s->t->nr_mounts; i++) {
		for (k = i; k != MC_NONE && k != from && !s->m[k].unbindable; )
			k = s->m[k].parent;
		s->in_copy[i] = k == from;
	}
}

static bool uncover(struct sim *s, const struct mc_op *op, uint32_t src)
{
	uint32_t from = MC_REF_INDEX(op->arg), i, k, c;

	if (op->flags & MC_NEW_COPY) {
		if (!seen(s, from) || s->m[from].unbindable)
			return bad(s, "live mount %u can not be copied", from);
		copy_live(s, from);
	}
	if (s->copy_from != from)
		return bad(s, "that is not the copy");
	for (i = 0; i < op->nr; i++) {
		c = MC_REF_INDEX(s->p->list[op->first + i]);
		if (!s->in_copy[c] || !leads_to(s, from, c, s->in_copy))
			return bad(s, "cover %u is not where it can be removed", c);
		if (s->m[c].locks & MOUNT_LOCK_MOUNT)
			return bad(s, "cover %u is locked", c);
		for (k = 0; k < s->t->nr_mounts; k++) {
			uint32_t up = k;

			while (up != MC_NONE && up != c)
				up = s->m[up].parent;
			s->in_copy[k] &= up != c;
		}
	}
	k = s->p->srcs[src].index;
	if (!s->in_copy[k] || !leads_to(s, from, k, s->in_copy))
		return bad(s, "live mount %u is still covered", k);
	for (c = 0; c < s->t->nr_mounts; c++)
		if (s->in_copy[c] && s->m[c].parent == k &&
		    s->m[c].locks & MOUNT_LOCK_MOUNT)
			return bad(s, "the copy of %u has locked children", k);
	return true;
}

static bool open_or_base(struct sim *s, const struct mc_op *op)
{
	uint32_t src = MC_REF_INDEX(op->obj), from;
	const struct mc_src *x = &s->p->srcs[src];

	if (x->kind == MC_SRC_LIVE) {
		from = x->index;
		if (!s->o->ns_live[s->t->mounts[from].ns])
			return bad(s, "mount %u is not live", from);
	} else {
		from = new_mount(s, x->sb, "/");
		s->m[from].where = SIM_LIVE;
		s->m[from].attr = MOUNT_ATTR_NOATIME | MOUNT_ATTR_NODEV;
		s->m[from].group = new_group(s, 0);
		if (x->kind == MC_SRC_MASTER) {
			s->m[from].sb = MC_NONE;	/* any */
			s->m[from].group = 1 + s->t->nr_groups + x->index;
		}
	}
	*fd_of(s, op->obj) = from;
	if (op->type == MC_OP_OPEN)
		return s->p->api == MNTCR_API_EXTENDED || x->kind == MC_SRC_MASTER ||
		       bad(s, "stock kernels open nothing by id");
	if (s->p->api == MNTCR_API_UPSTREAM && x->kind == MC_SRC_LIVE) {
		if (x->covered ? !uncover(s, op, src) : !seen(s, from))
			return *s->why ? false : bad(s, "mount %u is covered", from);
	}
	if (x->copied && !(op->type == MC_OP_BASE && x->kind == MC_SRC_LIVE &&
			   seen(s, from)))
		return bad(s, "mount %u is not found in a copy", from);
	if ((s->m[from].unbindable && !x->copied) ||
	    (!x->covered && locked_below(s, from, "/")))
		return bad(s, "mount %u can not be cloned", from);
	from = clone_of(s, from, s->m[from].root);
	s->m[from].where = SIM_SCRATCH;
	s->m[from].unbindable = false;
	*fd_of(s, op->obj) = from;
	return set_attr(s, &s->m[from], x->attr_of == MC_NONE ? 0 :
			s->t->mounts[x->attr_of].attr, false);
}

static bool op_clone(struct sim *s, const struct mc_op *op)
{
	bool temp = MC_REF_KIND(op->obj) == MC_REF_TEMP;
	uint32_t i = MC_REF_INDEX(op->obj), src = MC_REF_INDEX(op->arg);
	uint32_t m = MC_NONE, n, root;
	const struct mc_src *x = &s->p->srcs[src];
	const struct mc_mount *want = &s->t->mounts[i];
	const char *path = "";

	if (!source(s, src, &m, &path))
		return false;
	if (x->direct) {
		n = m;
		s->fd[MC_REF_SRC][src] = MC_NONE;
	} else {
		n = clone_of(s, m, path);
	}
	if (*fd_of(s, op->obj) != MC_NONE)
		return bad(s, "it is there already");
	*fd_of(s, op->obj) = n;
	if (temp) {
		s->m[n].where = SIM_SCRATCH;
		return s->p->temps[i].keep_sharing ||
		       set_attr(s, &s->m[n], 0, false);
	}
	s->m[n].origin = i;
	s->was_open[i] = true;
	if (op->flags & MC_IDMAP) {
		if (s->m[n].idmap != MC_NONE)
			return bad(s, "it is idmapped already");
		s->m[n].idmap = want->idmap;
	}
	/* Stock kernels mount on a detached tree where its root was cloned. */
	root = s->m[m].where;
	if (s->p->api == MNTCR_API_UPSTREAM && s->p->roots_last &&
	    want->parent == MC_NONE && !x->direct && root != SIM_SCRATCH)
		return bad(s, "this tree will not take mounts");
	return op->flags & MC_PLAIN ||
	       set_attr(s, &s->m[n], want->attr, want->unbindable);
}

static bool op_attach(struct sim *s, const struct mc_op *op)
{
	uint32_t i = MC_REF_INDEX(op->obj), m, to;
	struct sim_mount *x;
	const char *left;

	if (!use(s, op->obj, &m))
		return false;
	x = &s->m[m];
	if (x->attached)
		return bad(s, "it is attached already");
	if (MC_REF_KIND(op->arg) == MC_REF_NS) {
		to = MC_REF_INDEX(op->arg);
		if (!s->ns_made[to] || s->ns_shared[to])
			return bad(s, "namespace %u is not there or shared", to);
		for (m = 0; m < s->nr; m++)
			if (s->m[m].where == SIM_NS + to && s->m[m].parent == MC_NONE)
				return bad(s, "namespace %u has a root", to);
		x->where = SIM_NS + to;
		x->attached = true;
		return true;
	}
	if (!use(s, op->arg, &to))
		return false;
	if (s->m[to].group)
		return bad(s, "mounting on a shared mount propagates");
	if (walk(s, to, rest(op->path), NULL, &left) != to ||
	    child_at(s, to, op->path) != MC_NONE)
		return bad(s, "something is mounted on the way to %s", op->path);
	if (!exists(s, s->m[to].sb, concat(s, s->m[to].root, op->path)))
		return bad(s, "%s is not there", op->path);
	if (is_file(x->root) != is_file(op->path[1] ? op->path : s->m[to].root))
		return bad(s, "file on directory: %s", s->t->mounts[i].mountpoint);
	if (!s->p->roots_last && s->m[top(s, to)].where < SIM_NS)
		return bad(s, "its parent is not attached");
	x->parent = to;
	x->at = op->path;
	x->attached = true;
	return true;
}

static bool check_join(struct sim *s, uint32_t from, uint32_t to)
{
	const struct sim_mount *a = &s->m[from], *b = &s->m[to];

	if (a->sb == MC_NONE ? b->sb >= 10000 : a->sb != b->sb)
		return bad(s, "a group of two superblocks");
	if (!is_private(b))
		return bad(s, "what joins a group is not private");
	if (b->where == SIM_LIVE)
		return bad(s, "a live mount is changed");
	return true;
}

/* MOVE_MOUNT_SET_GROUP, then MS_SLAVE if asked. */
static bool join(struct sim *s, uint32_t from, uint32_t to, bool slave)
{
	if (!check_join(s, from, to))
		return false;
	if (!s->m[from].group && !s->m[from].master)
		return bad(s, "joining a private mount");
	if (s->m[from].sb != MC_NONE && !below(s->m[from].root, s->m[to].root))
		return bad(s, "%s is not below %s", s->m[to].root, s->m[from].root);
	s->m[to].group = s->m[from].group;
	s->m[to].master = s->m[from].master;
	if (slave)
		make_slave(s, &s->m[to]);
	return true;
}

static bool group_upstream(struct sim *s, const struct mc_op *op)
{
	const mc_ref *list = s->p->list + op->first;
	bool slave = op->flags & MOUNT_SETGROUP_MASTER;
	bool shared = op->flags & MOUNT_SETGROUP_SHARED;
	uint32_t first, arg = MC_NONE, m, i;

	if (!use(s, list[0], &first) ||
	    (op->arg != MC_NONE && (!use(s, op->arg, &arg) ||
				    !join(s, arg, first, slave))))
		return false;
	if (shared)
		make_shared(s, &s->m[first]);
	for (i = 1; i < op->nr; i++) {
		if (!use(s, list[i], &m))
			return false;
		if (shared ? !join(s, first, m, false) :
		    !slave ? !join(s, arg, m, false) :
		    mc_path_below(s->m[first].root, s->m[m].root) ?
		    !join(s, first, m, false) : !join(s, arg, m, true))
			return false;
	}
	return true;
}

static bool group_extended(struct sim *s, const struct mc_op *op)
{
	uint32_t arg = MC_NONE, group = 0, up = 0, m, i;
	uint8_t how = op->flags;

	if ((how & (MOUNT_SETGROUP_PEER | MOUNT_SETGROUP_MASTER |
		    MOUNT_SETGROUP_SIBLING)) == 0 ?
	    op->arg != MC_NONE : op->arg == MC_NONE || !use(s, op->arg, &arg))
		return *s->why ? false : bad(s, "an argument too many or few");
	if (arg != MC_NONE && !(how & MOUNT_SETGROUP_SIBLING) && !s->m[arg].group)
		return bad(s, "peer or master is not shared");
	if (how & MOUNT_SETGROUP_MASTER)
		up = s->m[arg].group;
	if (how & MOUNT_SETGROUP_SIBLING)
		up = master(s, &s->m[arg]);
	if (how & (MOUNT_SETGROUP_MASTER | MOUNT_SETGROUP_SIBLING) && !up)
		return bad(s, "sibling of what is no slave");
	if (how & MOUNT_SETGROUP_PEER)
		group = s->m[arg].group;
	if (how & MOUNT_SETGROUP_SHARED)
		group = new_group(s, up);
	for (i = 0; i < op->nr; i++) {
		if (!use(s, s->p->list[op->first + i], &m) ||
		    !check_join(s, arg == MC_NONE ? m : arg, m))
			return false;
		s->m[m].group = group;
		s->m[m].master = group ? 0 : up;
	}
	return true;
}

static bool op_group(struct sim *s, const struct mc_op *op)
{
	mc_ref first = s->p->list[op->first];

	if (!op->nr)
		return bad(s, "a group of nothing");
	if (MC_REF_KIND(first) == MC_REF_NS) {
		s->ns_shared[MC_REF_INDEX(first)] = true;
		return true;
	}
	return s->p->api == MNTCR_API_UPSTREAM ? group_upstream(s, op) :
	       group_extended(s, op);
}

static bool op_fresh(struct sim *s, const struct mc_op *op)
{
	uint32_t src = MC_REF_INDEX(op->obj), sb = 10000 + src, m;
	const char *type = s->t->sbs[s->p->srcs[src].sb].type;

	/* One for each network or ipc namespace: the caller's. */
	if (!strcmp(type, "sysfs") || !strcmp(type, "mqueue"))
		sb = 30000 + (uint32_t)type[0];
	m = new_mount(s, sb, "/");
	if (s->p->srcs[src].scratch)
		s->m[m].where = SIM_SCRATCH;
	*fd_of(s, op->obj) = m;
	return true;
}

static bool op_release(struct sim *s, const struct mc_op *op)
{
	uint32_t i;

	for (i = 0; i < op->nr; i++) {
		uint32_t *m = fd_of(s, s->p->list[op->first + i]);

		if (*m == MC_NONE)
			return bad(s, "it is closed already");
		if (s->m[*m].where == SIM_DETACHED && s->m[*m].parent == MC_NONE &&
		    s->m[*m].origin != MC_NONE)
			return bad(s, "mount %u is closed before it is attached",
				   s->m[*m].origin);
		*m = MC_NONE;
	}
	return true;
}

static bool run_op(struct sim *s, const struct mc_op *op)
{
	uint32_t m, i;

	switch ((enum mc_op_type)op->type) {
	case MC_OP_NS:
		s->ns_made[MC_REF_INDEX(op->obj)] = true;
		/* A file of it can not be bound in one that is made later. */
		for (i = 0; i < s->t->nr_mounts; i++)
			if (s->t->mounts[i].nsfs_ns == MC_REF_INDEX(op->obj) &&
			    !s->ns_made[s->t->mounts[i].ns])
				return bad(s, "its file is in a younger namespace");
		return true;
	case MC_OP_OPEN:
	case MC_OP_BASE:
		return open_or_base(s, op);
	case MC_OP_FRESH:
		return op_fresh(s, op);
	case MC_OP_SUBROOT:
		m = s->fd[MC_REF_SRC][s->p->srcs[MC_REF_INDEX(op->obj)].base];
		*fd_of(s, op->obj) = m;
		return m != MC_NONE || bad(s, "its base is not open");
	case MC_OP_CLONE:
		return op_clone(s, op);
	case MC_OP_ATTACH:
		return op_attach(s, op);
	case MC_OP_GROUP:
		return op_group(s, op);
	case MC_OP_UNLINK:
	case MC_OP_FINISH:
		return *fd_of(s, op->obj) != MC_NONE || bad(s, "it is closed");
	case MC_OP_LOCK:
		if (s->p->api != MNTCR_API_EXTENDED || !use(s, op->obj, &m))
			return *s->why ? false : bad(s, "stock kernels lock nothing");
		s->m[m].locks |= s->t->mounts[MC_REF_INDEX(op->obj)].locks;
		return true;
	case MC_OP_DETACH:
		if (!use(s, op->obj, &m))
			return false;
		if (op->flags & MC_WHOLE) {
			s->m[m].where = SIM_NS + s->t->mounts[MC_REF_INDEX(op->obj)].ns;
			s->m[m].attached = true;
		}
		return true;
	case MC_OP_RELEASE:
		return op_release(s, op);
	case MC_OP_PLACE:
	case MC_NR_OPS:
		break;
	}
	return bad(s, "unknown operation");
}

/* --- the end --------------------------------------------------------------- */

/* One to one: what a is mapped to, and nothing else is. */
static bool same(uint32_t *to, uint32_t *back, uint32_t a, uint32_t b)
{
	if (to[a] == MC_NONE && back[b] == MC_NONE) {
		to[a] = b;
		back[b] = a;
	}
	return to[a] == b && back[b] == a;
}

static bool compare_mount(struct sim *s, const uint32_t *made, uint32_t i)
{
	const struct mc_mount *want = &s->t->mounts[i];
	const struct sim_mount *m = &s->m[made[i]];

	if (!m->attached)
		return bad(s, "mount %u was not attached", i);
	if (want->parent == MC_NONE ? m->where != SIM_NS + want->ns :
	    m->parent != made[want->parent] || strcmp(m->at, want->mountpoint))
		return bad(s, "mount %u is at the wrong place", i);
	if (m->root[0] == '/' && want->root[0] == '/' ? strcmp(m->root, want->root) :
	    want->nsfs_ns != MC_NONE && strcmp(m->root, s->t->ns[want->nsfs_ns].label))
		return bad(s, "mount %u has root %s, not %s", i, m->root, want->root);
	if ((m->attr ^ want->attr) & MC_ATTRS)
		return bad(s, "mount %u has the wrong attributes", i);
	if (m->idmap != want->idmap || m->unbindable != want->unbindable)
		return bad(s, "mount %u has the wrong idmap or type", i);
	if (s->p->api == MNTCR_API_EXTENDED && want->locks_known &&
	    !s->o->ignore_locks && m->locks != want->locks)
		return bad(s, "mount %u has locks %x, not %x", i, m->locks,
			   want->locks);
	if (i && i > s->t->ns[want->ns].first_mount && s->t->nr_mounts <= 64 &&
	    made[i] < made[i - 1])
		return bad(s, "mount %u is older than the one before", i);
	return true;
}

static bool foreign(const struct mc_topology *t, uint32_t ns)
{
	return t->ns[ns].userns != MC_NONE && !t->userns[t->ns[ns].userns].dumper;
}

/* By a live source, of that namespace or another of its, or made. */
static bool owner_is_there(const struct sim *s, uint32_t ns)
{
	uint32_t u = s->t->ns[ns].userns, i;

	for (i = 0; i < s->t->nr_ns; i++)
		if (s->o->ns_live[i] && s->t->ns[i].userns == u)
			return true;
	for (i = 0; i < s->p->nr_owners; i++)
		if (s->p->owners[i] == u)
			return true;
	return false;
}

static bool compare(struct sim *s)
{
	static uint32_t made[SIM_MOUNTS], sb[SIM_MOUNTS], sb_back[40000];
	static uint32_t group[SIM_GROUPS], group_back[SIM_GROUPS];
	const struct mc_topology *t = s->t;
	uint32_t i;

	memset(made, -1, sizeof(made));
	memset(sb, -1, sizeof(sb));
	memset(sb_back, -1, sizeof(sb_back));
	memset(group, -1, sizeof(group));
	memset(group_back, -1, sizeof(group_back));
	/* The scratch tree goes; what is left is what was wanted. */
	for (i = 0; i < s->nr; i++) {
		if (s->m[i].where == SIM_SCRATCH) {
			s->m[i].where = SIM_GONE;
			leave(s, &s->m[i]);
		} else if (s->m[i].where != SIM_LIVE) {
			if (s->m[i].origin == MC_NONE || made[s->m[i].origin] != MC_NONE)
				return bad(s, "mount %u came out twice, or none",
					   s->m[i].origin);
			made[s->m[i].origin] = i;
		}
	}
	/* What is outside stays itself: a live group, or what stands for it. */
	group[0] = group_back[0] = 0;
	for (i = 0; i < t->nr_groups; i++) {
		uint32_t k, g = i + 1;

		if (t->groups[i].nr_members)
			continue;
		for (k = 0; k < s->o->nr_masters; k++)
			if (strtoull(s->o->masters[k].key, NULL, 10) ==
			    t->groups[i].id)
				g = 1 + t->nr_groups + k;
		same(group, group_back, i + 1, g);
	}
	for (i = 0; i < t->nr_mounts; i++)
		if (made[i] == MC_NONE)
			return bad(s, "mount %u was not made", i);
	for (i = 0; i < t->nr_mounts; i++) {
		const struct mc_mount *want = &t->mounts[i];
		const struct sim_mount *m = &s->m[made[i]];

		if (!compare_mount(s, made, i))
			return false;
		if (want->nsfs_ns == MC_NONE && !same(sb, sb_back, want->sb, m->sb))
			return bad(s, "mount %u shows the wrong superblock", i);
		if (!same(group, group_back, want->group + 1, m->group))
			return bad(s, "mount %u is in the wrong peer group", i);
		if (!same(group, group_back, want->master + 1, master(s, m)))
			return bad(s, "mount %u has the wrong master", i);
	}
	for (i = 0; i < t->nr_mounts; i++)
		if (foreign(t, t->mounts[i].ns) && !s->o->ignore_locks &&
		    !t->mounts[i].locks_known)
			return bad(s, "the locks of mount %u are lost", i);
	for (i = 0; i < t->nr_ns; i++)
		if (foreign(t, i) && !owner_is_there(s, i))
			return bad(s, "the owner of namespace %u is lost", i);
	for (i = 0; i < t->nr_ns; i++)
		if (!s->ns_made[i] || s->ns_shared[i] !=
		    !!(t->ns[i].base_propagation & MS_SHARED))
			return bad(s, "namespace %u is not as it was", i);
	return true;
}

static void start(struct sim *s)
{
	const struct mc_topology *t = s->t;
	uint32_t i;

	s->nr = s->used = 0;
	s->copy_from = MC_NONE;
	s->why[0] = '\0';
	memset(s->fd, -1, sizeof(s->fd));
	memset(s->was_open, 0, sizeof(s->was_open));
	memset(s->ns_made, 0, sizeof(s->ns_made));
	memset(s->ns_shared, 0, sizeof(s->ns_shared));
	/* Live groups have the numbers of the topology, plus one. */
	s->nr_groups = 1 + t->nr_groups + s->o->nr_masters;
	memset(s->master_of, 0, sizeof(s->master_of));
	for (i = 0; i < t->nr_groups; i++)
		s->master_of[i + 1] = t->groups[i].master + 1;
	for (i = 0; i < t->nr_mounts; i++) {
		const struct mc_mount *m = &t->mounts[i];
		struct sim_mount *x = &s->m[new_mount(s, m->sb, m->root)];

		x->at = m->mountpoint;
		x->parent = m->parent;
		x->attr = m->attr;
		x->idmap = m->idmap;
		x->locks = m->locks;
		x->group = m->group + 1;
		x->master = m->group == MC_NONE ? m->master + 1 : 0;
		x->unbindable = m->unbindable;
		x->where = SIM_LIVE;
		x->origin = i;
	}
}

const char *sim_run(struct sim *s, const struct mc_plan *p,
		    const struct mc_plan_options *o)
{
	char why[sizeof(s->why)];
	uint32_t i;

	s->p = p;
	s->t = p->topo;
	s->o = o;
	start(s);
	for (i = 0; i < p->nr_ops; i++) {
		if (run_op(s, &p->ops[i]))
			continue;
		memcpy(why, s->why, sizeof(why));
		bad(s, "operation %u, %s: %.400s", i,
		    mc_op_name(p->ops[i].type), why);
		return s->why;
	}
	return compare(s) ? NULL : s->why;
}
