// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a plan consists of: operations, lists of references, sources, temporary
 * mounts.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <string.h>

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

uint32_t mc_plan_new_src(struct mc_plan *p, enum mc_src_kind kind, uint32_t sb,
			 uint32_t index)
{
	struct mc_src *s;

	if (!mc_grow(&p->srcs, p->nr_srcs, &p->max_srcs, sizeof(*p->srcs)))
		return MC_NONE;
	s = &p->srcs[p->nr_srcs];
	memset(s, 0, sizeof(*s));
	s->owner = s->need = s->layer_option = s->device = s->instead = MC_NONE;
	s->kind = kind;
	s->sb = sb;
	s->index = index;
	s->base = s->attr_of = s->shown_by = MC_NONE;
	return p->nr_srcs++;
}

uint32_t mc_plan_new_temp(struct mc_plan *p, uint32_t src, uint32_t sb,
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
	free(v->is_above);
	free(v->owner_made);
	free(v->owner_live);
	free(v->sb);
	free(v->wide);
	free(v->ext_ns);
	free(v->shown);
	free(v->by_file);
	free(v->exts);
	free(v->by_device);
	free(v->by_source);
	free(v->external_of);
	free(v->layer_of);
	free(v->device_of);
	free(v->master_of);
	free(v->leader);
	free(v->from_mount);
	free(v->from_group);
	free(v->refusing.mounts);
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
	v->is_above = array(t->nr_mounts, sizeof(*v->is_above));
	v->owner_made = array(t->nr_userns, sizeof(*v->owner_made));
	v->owner_live = array(t->nr_userns, sizeof(*v->owner_live));
	v->sb = array(t->nr_sbs, sizeof(*v->sb));
	/* of a superblock, and of those that show one source */
	v->wide = array(2 * t->nr_mounts, sizeof(*v->wide));
	v->external_of = array(t->nr_sbs, sizeof(*v->external_of));
	v->layer_of = array(t->nr_sbs, sizeof(*v->layer_of));
	v->device_of = array(t->nr_sbs, sizeof(*v->device_of));
	v->master_of = array(t->nr_groups, sizeof(*v->master_of));
	v->leader = array(t->nr_groups, sizeof(*v->leader));
	v->from_mount = array(t->nr_mounts, sizeof(*v->from_mount));
	v->from_group = array(t->nr_groups, sizeof(*v->from_group));
	if (!v->ns_order || !v->order || !v->hidden || !v->seen_above || !v->cover ||
	    !v->above || !v->is_above || !v->owner_made || !v->owner_live || !v->sb || !v->wide ||
	    !v->external_of || !v->layer_of || !v->device_of || !v->master_of || !v->leader ||
	    !v->from_mount || !v->from_group) {
		priv_free(v);
		return NULL;
	}
	return v;
}

void mc_plan_free(struct mc_plan *p)
{
	struct mc_arena_chunk *c;
	size_t i;

	if (!p)
		return;
	for (i = 0; i < MNTCR_NR_GIVEN_KINDS; i++)
		mc_map_free(p->need_of[i]);
	free(p->owner_need);
	free(p->needs);
	free(p->parts);
	free(p->part_of);
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
	free(p->unlinked);
	free(p->src_of);
	free(p->from);
	free(p->orphan);
	free(p->owners);
	free(p->whole);
	free(p);
}

struct mc_plan *mc_plan_new(const struct mc_topology *t)
{
	struct mc_plan *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->topo = t;
	p->src_of = array(t->nr_mounts, sizeof(*p->src_of));
	p->from = array(t->nr_sbs, sizeof(*p->from));
	p->orphan = array(t->nr_groups, sizeof(*p->orphan));
	p->owners = array(t->nr_userns, sizeof(*p->owners));
	p->priv = priv_new(t);
	if (!p->src_of || !p->from || !p->orphan || !p->owners || !p->priv) {
		mc_plan_free(p);
		return NULL;
	}
	return p;
}

void mc_plan_forget(struct mc_plan *p)
{
	priv_free(p->priv);
	p->priv = NULL;
}
