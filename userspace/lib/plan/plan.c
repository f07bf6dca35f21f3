// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The frame of planning: the order of the stages, and what they share.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"
#include "plan/priv.h"

struct mc_arena_chunk {
	struct mc_arena_chunk *next;
	char data[];
};

char *mc_plan_alloc(struct mc_plan *p, size_t n)
{
	struct mc_arena_chunk *c = malloc(sizeof(*c) + n);

	if (!c)
		return NULL;
	c->next = p->strings;
	p->strings = c;
	return c->data;
}

struct mc_op *mc_plan_op(struct mc_plan *p, enum mc_op_type type, mc_ref obj)
{
	struct mc_op *op;

	if (!mc_grow(&p->ops, p->nr_ops, &p->max_ops, sizeof(*p->ops)))
		return NULL;
	op = &p->ops[p->nr_ops++];
	memset(op, 0, sizeof(*op));
	op->type = type;
	op->obj = obj;
	op->arg = MC_NONE;
	op->first = p->nr_list;
	return op;
}

bool mc_plan_list(struct mc_plan *p, mc_ref r)
{
	if (!mc_grow(&p->list, p->nr_list, &p->max_list, sizeof(*p->list)))
		return false;
	p->list[p->nr_list++] = r;
	return true;
}

/* '/' sorts before every other byte, so a directory's inside stays together. */
int mc_path_cmp(const char *a, const char *b)
{
	unsigned int ca, cb;

	if (a == b)
		return 0;
	if (!strcmp(a, "/"))
		a = "";
	if (!strcmp(b, "/"))
		b = "";
	while (*a && *a == *b) {
		a++;
		b++;
	}
	ca = !*a ? 0 : *a == '/' ? 1 : (unsigned char)*a + 2U;
	cb = !*b ? 0 : *b == '/' ? 1 : (unsigned char)*b + 2U;
	return (ca > cb) - (ca < cb);
}

size_t mc_root_len(const char *root)
{
	return strcmp(root, "/") ? strlen(root) : 0;
}

size_t mc_path_dots(const char *path)
{
	size_t n = 0;

	while (!strncmp(path + n, "/..", 3) && (!path[n + 3] || path[n + 3] == '/'))
		n += 3;
	return n;
}

bool mc_path_below(const char *a, const char *b)
{
	size_t n = mc_root_len(a);

	if (a[0] != '/')
		return !strcmp(a, b);
	return !strncmp(a, b, n) && (!b[n] || b[n] == '/') && !mc_path_dots(b + n);
}

static int plan_namespaces(struct mc_plan *p, struct mc_plan_priv *v,
			   struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	uint32_t i;

	for (i = 0; i < t->nr_ns; i++)
		if (!mc_plan_op(p, MC_OP_NS, MC_REF(MC_REF_NS, v->ns_order[i])))
			return mc_nomem(e);
	return 0;
}

static int plan_clone(struct mc_plan *p, uint32_t m, struct mntcr_error *e)
{
	struct mc_op *op;

	if (mc_plan_prepare_src(p, p->src_of[m], e))
		return -1;
	op = mc_plan_op(p, MC_OP_CLONE, MC_REF(MC_REF_MOUNT, m));
	if (!op)
		return mc_nomem(e);
	op->arg = MC_REF(MC_REF_SRC, p->src_of[m]);
	if (mc_plan_plain(p, m))
		op->flags = MC_PLAIN;
	return 0;
}

static int plan_attach(struct mc_plan *p, uint32_t m, struct mntcr_error *e)
{
	const struct mc_mount *mnt = &p->topo->mounts[m];
	struct mc_op *op = mc_plan_op(p, MC_OP_ATTACH, MC_REF(MC_REF_MOUNT, m));

	if (!op)
		return mc_nomem(e);
	if (mnt->parent == MC_NONE) {
		op->arg = MC_REF(MC_REF_NS, mnt->ns);
		op->path = "/";
	} else {
		op->arg = MC_REF(MC_REF_MOUNT, mnt->parent);
		op->path = mnt->mountpoint;
	}
	return 0;
}

static int plan_mounts(struct mc_plan *p, struct mc_plan_priv *v,
		       struct mntcr_error *e)
{
	uint32_t i, m;

	for (i = 0; i < v->nr_order; i++) {
		m = v->order[i] >> 1;
		if (p->roots_last && v->order[i] & 1 &&
		    p->topo->mounts[m].parent == MC_NONE)
			continue;
		if (v->order[i] & 1 ? plan_attach(p, m, e) : plan_clone(p, m, e))
			return -1;
	}
	return 0;
}

/*
 * Trees are built and grouped while they are detached, and then attached whole:
 * who polls the namespace is woken once, and not for each mount.  Each counts
 * against max_mnt_namespaces until then, beside its namespace: so only a few.
 */
static int plan_roots(struct mc_plan *p, struct mc_plan_priv *v,
		      struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	uint32_t i, root;

	for (i = 0; p->roots_last && i < t->nr_ns; i++) {
		root = t->ns[v->ns_order[i]].root;
		if (root != MC_NONE && plan_attach(p, root, e))
			return -1;
	}
	return 0;
}

/* In the order of attaching: what a lock hides has been locked before. */
static int plan_locks(struct mc_plan *p, const struct mc_plan_options *o,
		      struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	char name[256];
	uint32_t m, i;

	for (i = 0; i < p->priv->nr_order; i++) {
		m = p->priv->order[i] >> 1;
		if (!(p->priv->order[i] & 1) || !t->mounts[m].locks_known ||
		    !t->mounts[m].locks || o->ignore_locks)
			continue;
		if (p->api != MNTCR_API_EXTENDED)
			return mc_refuse(e, "locks",
					 "%s is locked, and the upstream calls cannot lock a mount",
					 mc_mount_name(t, m, name, sizeof(name)));
		if (!mc_plan_op(p, MC_OP_LOCK, MC_REF(MC_REF_MOUNT, m)))
			return mc_nomem(e);
	}
	return 0;
}

static void *array(uint32_t nr, size_t size)
{
	return calloc(nr ? nr : 1, size);
}

static void priv_free(struct mc_plan_priv *v)
{
	if (!v)
		return;
	free(v->ns_order);
	free(v->order);
	free(v->hidden);
	free(v->seen_above);
	free(v->cover);
	free(v->above);
	free(v->sb);
	free(v->wide);
	free(v->leader);
	free(v->from_mount);
	free(v->from_group);
	free(v);
}

static struct mc_plan_priv *priv_new(const struct mc_topology *t)
{
	struct mc_plan_priv *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->ns_order = array(t->nr_ns, sizeof(*v->ns_order));
	v->order = array(2 * t->nr_mounts, sizeof(*v->order));
	v->hidden = array(t->nr_mounts, sizeof(*v->hidden));
	v->seen_above = array(t->nr_mounts, sizeof(*v->seen_above));
	v->cover = array(t->nr_mounts, sizeof(*v->cover));
	v->above = array(t->nr_mounts, sizeof(*v->above));
	v->sb = array(t->nr_sbs, sizeof(*v->sb));
	v->wide = array(t->nr_mounts, sizeof(*v->wide));
	v->leader = array(t->nr_groups, sizeof(*v->leader));
	v->from_mount = array(t->nr_mounts, sizeof(*v->from_mount));
	v->from_group = array(t->nr_groups, sizeof(*v->from_group));
	if (!v->ns_order || !v->order || !v->hidden || !v->seen_above || !v->cover ||
	    !v->above || !v->sb || !v->wide || !v->leader ||
	    !v->from_mount || !v->from_group) {
		priv_free(v);
		return NULL;
	}
	return v;
}

int mc_plan_make(const struct mc_topology *t, const struct mc_plan_options *o,
		 struct mc_plan **plan, struct mntcr_error *e)
{
	struct mc_plan *p = calloc(1, sizeof(*p));
	int ret = -1;

	*plan = NULL;
	if (!p)
		return mc_nomem(e);
	p->topo = t;
	p->api = o->api;
	p->src_of = array(t->nr_mounts, sizeof(*p->src_of));
	p->priv = priv_new(t);
	if (!p->src_of || !p->priv) {
		mc_nomem(e);
		goto out;
	}
	/* What is spilled is found by its namespace, so it must be there. */
	p->roots_last = (o->api == MNTCR_API_EXTENDED || o->whole_trees) &&
			!o->fd_budget && t->nr_ns <= MC_MOST_TREES;
	if (mc_plan_check(p, o, e) || mc_plan_ns_order(p, e) ||
	    mc_plan_order(p, e) || mc_plan_sources(p, o, e) ||
	    mc_plan_temps(p, e))
		goto out;
	mc_plan_settle_srcs(p);
	if (plan_namespaces(p, p->priv, e) || mc_plan_bases(p, e) ||
	    plan_mounts(p, p->priv, e) || mc_plan_groups(p, o, e) ||
	    plan_roots(p, p->priv, e) || mc_plan_ns_types(p, e) ||
	    plan_locks(p, o, e) || mc_plan_release(p, o, e))
		goto out;
	*plan = p;
	p = NULL;
	ret = 0;
out:
	if (*plan) {
		priv_free((*plan)->priv);
		(*plan)->priv = NULL;
	}
	mc_plan_free(p);
	return ret;
}

void mc_plan_free(struct mc_plan *p)
{
	struct mc_arena_chunk *c;

	if (!p)
		return;
	while ((c = p->strings)) {
		p->strings = c->next;
		free(c);
	}
	priv_free(p->priv);
	free(p->ops);
	free(p->list);
	free(p->srcs);
	free(p->temps);
	free(p->nodes);
	free(p->src_of);
	free(p);
}
