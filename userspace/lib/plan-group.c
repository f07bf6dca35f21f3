// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sharing groups, masters first.  With mount_setgroup(2) one operation says
 * one group.  Stock kernels join mounts one by one to one whose root contains
 * theirs, so each group needs a member as wide as everything that will ever
 * join it or receive from it: where it has none, a temporary mount in the
 * scratch tree stands in, and leaves when the scratch tree goes.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan-priv.h"

/* A directory of a superblock that contains some roots. */
struct area {
	const char *path;	/* len bytes of it; NULL: nothing yet */
	size_t len;		/* 0: "/" */
	bool deleted;
	bool none;		/* no directory contains them all */
};

static size_t root_len(const char *root)
{
	return strcmp(root, "/") ? strlen(root) : 0;
}

static void widen(struct area *a, const char *path, size_t len, bool deleted)
{
	size_t i, cut = 0;

	if (!a->path) {
		a->path = path;
		a->len = len;
		a->deleted = deleted;
		return;
	}
	if (a->len == len && a->deleted == deleted && !memcmp(a->path, path, len))
		return;
	if (a->path[0] != '/' || path[0] != '/') {
		a->none = true;
		return;
	}
	for (i = 0; ; i++) {
		bool end_a = i == a->len, end_b = i == len;

		if ((end_a || a->path[i] == '/') && (end_b || path[i] == '/'))
			cut = i;
		if (end_a || end_b || a->path[i] != path[i])
			break;
	}
	if (a->deleted == deleted) {
		a->deleted = deleted && (cut == a->len || cut == len);
	} else {
		/* What is deleted contains only what is deleted too. */
		if (cut == (a->deleted ? a->len : len))
			while (cut && a->path[--cut] != '/')
				;
		a->deleted = false;
	}
	a->len = cut;
}

static bool is_area(const struct mc_mount *m, const struct area *a)
{
	return root_len(m->root) == a->len && m->root_deleted == a->deleted &&
	       !memcmp(m->root, a->path, a->len);
}

static char *area_path(struct mc_plan *p, const struct area *a)
{
	char *s = mc_plan_alloc(p, a->len + 2);

	if (!s)
		return NULL;
	memcpy(s, a->path, a->len);
	strcpy(s + a->len, a->len ? "" : "/");
	return s;
}

static bool is_internal(const struct mc_topology *t, uint32_t g)
{
	return g != MC_NONE && t->groups[g].nr_members;
}

/* Groups by depth, so that a master comes before its slaves. */
static uint32_t *by_depth(const struct mc_topology *t)
{
	uint32_t *order = calloc(t->nr_groups + 1, sizeof(*order));
	uint32_t *at = calloc(t->nr_groups + 2, sizeof(*at));
	uint32_t g;

	if (!order || !at) {
		free(order);
		free(at);
		return NULL;
	}
	for (g = 0; g < t->nr_groups; g++)
		at[t->groups[g].depth + 1]++;
	for (g = 1; g <= t->nr_groups; g++)
		at[g] += at[g - 1];
	for (g = 0; g < t->nr_groups; g++)
		order[at[t->groups[g].depth]++] = g;
	free(at);
	return order;
}

static void slaves_area(const struct mc_topology *t, uint32_t g, struct area *a)
{
	uint32_t m;

	for (m = t->groups[g].first_slave_mount; m != MC_NONE;
	     m = t->mounts[m].next_slave)
		widen(a, t->mounts[m].root, root_len(t->mounts[m].root),
		      t->mounts[m].root_deleted);
}

static int refuse_group(const struct mc_topology *t, uint32_t g,
			const char *rule, const char *what,
			struct mntcr_error *e)
{
	uint32_t m = t->groups[g].first_member;
	char name[256];

	if (m == MC_NONE)
		m = t->groups[g].first_slave_mount;
	if (m == MC_NONE && t->groups[g].first_slave_group != MC_NONE)
		m = t->groups[t->groups[g].first_slave_group].first_member;
	return mc_refuse(e, rule, "peer group %llu (with %s): %s",
			 (unsigned long long)t->groups[g].id,
			 m == MC_NONE ? "no mount" :
			 mc_mount_name(t, m, name, sizeof(name)), what);
}

static uint32_t new_temp(struct mc_plan *p, uint32_t src, uint32_t sb,
			 const char *root, bool keep_sharing)
{
	struct mc_temp *tmp;

	if (!mc_grow(&p->temps, p->nr_temps, &p->max_temps, sizeof(*p->temps)))
		return MC_NONE;
	tmp = &p->temps[p->nr_temps];
	tmp->src = src;
	tmp->sb = sb;
	tmp->root = root;
	tmp->keep_sharing = keep_sharing;
	p->srcs[src].uses++;
	return p->nr_temps++;
}

/* The group's stand-in on stock kernels: a member wide enough, or a temporary. */
static int wide_leader(struct mc_plan *p, uint32_t g, const struct area *a,
		       struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	uint32_t m, src, tmp;
	char *root;

	mc_for_each_member(t, m, g) {
		p->steps++;
		if (!a->none && is_area(&t->mounts[m], a)) {
			p->priv->leader[g] = MC_REF(MC_REF_MOUNT, m);
			return 0;
		}
	}
	if (a->none || a->deleted)
		goto refuse;
	root = area_path(p, a);
	if (!root)
		return mc_nomem(e);
	if (mc_plan_wide_src(p, t->groups[g].sb, root, &src, e))
		return -1;
	if (src == MC_NONE)
		goto refuse;
	tmp = new_temp(p, src, t->groups[g].sb, root, false);
	if (tmp == MC_NONE)
		return mc_nomem(e);
	p->priv->leader[g] = MC_REF(MC_REF_TEMP, tmp);
	return 0;
refuse:
	return refuse_group(t, g, "no-wide-mount",
			    "MOVE_MOUNT_SET_GROUP needs a mount whose root contains those of all members and receivers, and none can be had",
			    e);
}

static bool find_master(const struct mc_plan *p, uint32_t g, uint32_t *index)
{
	const struct mc_plan_options *o = p->priv->opts;
	char id[32];
	uint32_t i;

	snprintf(id, sizeof(id), "%llu",
		 (unsigned long long)p->topo->groups[g].id);
	for (i = 0; i < o->nr_masters; i++) {
		if (!strcmp(o->masters[i].key, id)) {
			*index = i;
			return true;
		}
	}
	return false;
}

/*
 * A live mount that receives from the external group: it names what the
 * restored mounts are to receive from.  Stock kernels clone it for that, and
 * only a mount that is no peer of anything is of use.
 */
static uint32_t live_receiver(struct mc_plan *p, uint32_t g, const struct area *a)
{
	const struct mc_topology *t = p->topo;
	const bool *live = p->priv->opts->ns_live;
	struct area both;
	uint32_t m, c;
	int rank;

	if (!live)
		return MC_NONE;
	for (m = t->groups[g].first_slave_mount; m != MC_NONE;
	     m = t->mounts[m].next_slave) {
		if (!live[t->mounts[m].ns])
			continue;
		if (p->api == MNTCR_API_EXTENDED)
			return m;
		rank = mc_plan_rank(p, m);
		if (rank < 0 || rank >= MC_RANK_COVERED)
			continue;
		both = *a;
		widen(&both, t->mounts[m].root, root_len(t->mounts[m].root),
		      t->mounts[m].root_deleted);
		if (!both.none && is_area(&t->mounts[m], &both))
			return m;
	}
	if (p->api != MNTCR_API_EXTENDED)
		return MC_NONE;
	for (c = t->groups[g].first_slave_group; c != MC_NONE;
	     c = t->groups[c].next_slave_group)
		mc_for_each_member(t, m, c)
			if (live[t->mounts[m].ns])
				return m;
	return MC_NONE;
}

/* Who stands for a group that no restored mount is a member of. */
static int external_leader(struct mc_plan *p, uint32_t g, const struct area *a,
			   struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	uint32_t index, src, m, tmp;

	if (find_master(p, g, &index)) {
		src = mc_plan_new_src(p, MC_SRC_MASTER, t->groups[g].sb, index);
		if (src == MC_NONE)
			return mc_nomem(e);
		p->priv->leader[g] = MC_REF(MC_REF_SRC, src);
		return 0;
	}
	m = live_receiver(p, g, a);
	if (m == MC_NONE)
		return refuse_group(t, g, "orphan-slave",
				    p->api == MNTCR_API_EXTENDED ?
				    "its master is outside of the image: a live slave of it or --external-master is needed" :
				    "its master is outside of the image: a live, uncovered slave that is not shared and is wide enough, or --external-master, is needed",
				    e);
	src = mc_plan_new_src(p, MC_SRC_LIVE, t->groups[g].sb, m);
	if (src == MC_NONE)
		return mc_nomem(e);
	p->priv->leader[g] = MC_REF(MC_REF_SRC, src);
	if (p->api == MNTCR_API_EXTENDED)
		return 0;
	tmp = new_temp(p, src, t->groups[g].sb, t->mounts[m].root, true);
	if (tmp == MC_NONE)
		return mc_nomem(e);
	p->priv->leader[g] = MC_REF(MC_REF_TEMP, tmp);
	return 0;
}

int mc_plan_temps(struct mc_plan *p, const struct mc_plan_options *o,
		  struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	struct area *areas = calloc(t->nr_groups + 1, sizeof(*areas));
	uint32_t *order = by_depth(t), i, g, m, up;
	int ret = -1;

	if (!areas || !order) {
		mc_nomem(e);
		goto out;
	}
	/* From the lowest groups up: a master is as wide as what is below. */
	for (i = t->nr_groups; i-- > 0; ) {
		g = order[i];
		mc_for_each_member(t, m, g)
			widen(&areas[g], t->mounts[m].root,
			      root_len(t->mounts[m].root),
			      t->mounts[m].root_deleted);
		slaves_area(t, g, &areas[g]);
		up = t->groups[g].master;
		if (up == MC_NONE || !areas[g].path)
			continue;
		if (areas[g].none)
			areas[up].none = true;
		widen(&areas[up], areas[g].path, areas[g].len, areas[g].deleted);
	}
	for (i = 0; i < t->nr_groups; i++) {
		g = order[i];
		if (!is_internal(t, g)) {
			if (t->groups[g].first_slave_mount == MC_NONE &&
			    t->groups[g].first_slave_group == MC_NONE)
				continue;
			if (external_leader(p, g, &areas[g], e))
				goto out;
		} else if (p->api == MNTCR_API_UPSTREAM) {
			if (wide_leader(p, g, &areas[g], e))
				goto out;
		} else {
			p->priv->leader[g] = MC_REF(MC_REF_MOUNT,
						    t->groups[g].first_member);
		}
	}
	ret = 0;
out:
	free(areas);
	free(order);
	return ret;
}

/* --- the operations ------------------------------------------------------ */

struct emit {
	struct mc_plan *p;
	uint32_t chunk;
	struct mc_op *op;	/* the one being filled */
	uint8_t flags, next_flags;
	mc_ref arg, next_arg;
};

static int emit_start(struct emit *x)
{
	x->op = mc_plan_op(x->p, MC_OP_GROUP, MC_NONE);
	if (!x->op)
		return -1;
	x->op->flags = x->flags;
	x->op->arg = x->arg;
	return 0;
}

/* What does not fit into one call joins what the first call made. */
static int emit_member(struct emit *x, mc_ref r)
{
	if (x->chunk && x->op && x->op->nr == x->chunk) {
		x->flags = x->next_flags;
		x->arg = x->next_arg;
		x->op = NULL;
	}
	if (!x->op && emit_start(x))
		return -1;
	if (!mc_plan_list(x->p, r))
		return -1;
	x->op->nr++;
	return 0;
}

/* How to receive from a group: from a member, or from what a slave does. */
static uint8_t receive_flags(const struct mc_plan *p, uint32_t master)
{
	mc_ref l = p->priv->leader[master];

	if (is_internal(p->topo, master) ||
	    (MC_REF_KIND(l) == MC_REF_SRC &&
	     p->srcs[MC_REF_INDEX(l)].kind == MC_SRC_MASTER))
		return MOUNT_SETGROUP_MASTER;
	return MOUNT_SETGROUP_SIBLING;
}

static int emit_peers(struct mc_plan *p, uint32_t g, uint32_t chunk)
{
	const struct mc_topology *t = p->topo;
	uint32_t master = t->groups[g].master, m;
	struct emit x = {
		.p = p, .chunk = chunk, .flags = MOUNT_SETGROUP_SHARED,
		.arg = MC_NONE, .next_flags = MOUNT_SETGROUP_PEER,
		.next_arg = p->priv->leader[g],
	};

	if (master != MC_NONE) {
		x.flags |= receive_flags(p, master);
		x.arg = p->priv->leader[master];
	}
	if (emit_member(&x, p->priv->leader[g]))
		return -1;
	mc_for_each_member(t, m, g)
		if (MC_REF(MC_REF_MOUNT, m) != p->priv->leader[g] &&
		    emit_member(&x, MC_REF(MC_REF_MOUNT, m)))
			return -1;
	return 0;
}

static int emit_slaves(struct mc_plan *p, uint32_t g, uint32_t chunk)
{
	const struct mc_topology *t = p->topo;
	uint32_t m, first = t->groups[g].first_slave_mount;
	struct emit x = {
		.p = p, .chunk = chunk, .flags = receive_flags(p, g),
		.arg = p->priv->leader[g],
	};

	x.next_flags = x.flags;
	x.next_arg = x.arg;
	/* The widest first: on stock kernels the others copy it. */
	for (m = first; m != MC_NONE; m = t->mounts[m].next_slave)
		if (root_len(t->mounts[m].root) < root_len(t->mounts[first].root))
			first = m;
	if (first == MC_NONE)
		return 0;
	if (emit_member(&x, MC_REF(MC_REF_MOUNT, first)))
		return -1;
	for (m = t->groups[g].first_slave_mount; m != MC_NONE;
	     m = t->mounts[m].next_slave)
		if (m != first && emit_member(&x, MC_REF(MC_REF_MOUNT, m)))
			return -1;
	return 0;
}

static int emit_temps(struct mc_plan *p, struct mntcr_error *e)
{
	struct mc_op *op;
	uint32_t i;

	for (i = 0; i < p->nr_temps; i++) {
		if (mc_plan_prepare_src(p, p->temps[i].src, e))
			return -1;
		op = mc_plan_op(p, MC_OP_CLONE, MC_REF(MC_REF_TEMP, i));
		if (!op)
			return mc_nomem(e);
		op->arg = MC_REF(MC_REF_SRC, p->temps[i].src);
	}
	return 0;
}

int mc_plan_ns_types(struct mc_plan *p, struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	struct mc_op *op;
	uint32_t i;

	for (i = 0; i < t->nr_ns; i++) {
		if (!(t->ns[i].base_propagation & MS_SHARED))
			continue;
		op = mc_plan_op(p, MC_OP_GROUP, MC_NONE);
		if (!op || !mc_plan_list(p, MC_REF(MC_REF_NS, i)))
			return mc_nomem(e);
		op->flags = MOUNT_SETGROUP_SHARED;
		op->nr = 1;
	}
	return 0;
}

int mc_plan_groups(struct mc_plan *p, const struct mc_plan_options *o,
		   struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	uint32_t chunk = o->fd_budget ? o->fd_budget / 2 + 1 : 0;
	uint32_t *order = by_depth(t), i, g;
	mc_ref leader;
	int ret = -1;

	if (!order)
		return mc_nomem(e);
	if (emit_temps(p, e))
		goto out;
	for (i = 0; i < t->nr_groups; i++) {
		g = order[i];
		leader = p->priv->leader[g];
		if (is_internal(t, g)) {
			if (emit_peers(p, g, chunk))
				goto nomem;
		} else if (t->groups[g].first_slave_mount == MC_NONE &&
			   t->groups[g].first_slave_group == MC_NONE) {
			continue;
		} else if (MC_REF_KIND(leader) == MC_REF_SRC &&
			   mc_plan_prepare_src(p, MC_REF_INDEX(leader), e)) {
			goto out;
		}
		if (emit_slaves(p, g, chunk))
			goto nomem;
	}
	ret = 0;
	goto out;
nomem:
	mc_nomem(e);
out:
	free(order);
	return ret;
}
