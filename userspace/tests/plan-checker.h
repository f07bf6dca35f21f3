/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Of any plan: no operation uses what is not there.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TESTS_PLAN_CHECKER_H
#define TESTS_PLAN_CHECKER_H

#include "plan-rows.h"

struct checker {
	uint8_t *mount, *src;	/* 0 not yet, 1 open, 2 released, 3 spilled */
	uint8_t *attached;
	uint32_t open, most, detached, most_detached;
	bool groups_begun, locks_begun;
};

static inline uint8_t *state(struct checker *c, mc_ref r)
{
	static uint8_t always = 1;

	if (MC_REF_KIND(r) == MC_REF_MOUNT)
		return &c->mount[MC_REF_INDEX(r)];
	if (MC_REF_KIND(r) == MC_REF_SRC)
		return &c->src[MC_REF_INDEX(r)];
	return &always;
}

static inline void opens(struct checker *c, mc_ref r)
{
	uint8_t *s = state(c, r);

	REQUIRE(*s != 1 && *s != 2);
	*s = 1;
	if (++c->open > c->most)
		c->most = c->open;
}

static inline void uses(struct checker *c, mc_ref r)
{
	const struct mc_src *src;
	uint8_t *s = state(c, r);

	if (MC_REF_KIND(r) == MC_REF_SRC) {
		src = &p->srcs[MC_REF_INDEX(r)];
		if (src->kind == MC_SRC_SUB && src->inline_path) {
			uses(c, MC_REF(MC_REF_SRC, src->base));
			return;
		}
		if (src->kind == MC_SRC_NSFILE || src->kind == MC_SRC_NSMADE ||
		    (p->api == MNTCR_API_UPSTREAM && !src->opened))
			return;
	}
	if (*s == 3)
		opens(c, r);
	REQUIRE(*s == 1);
}

static inline void check_op(struct checker *c, const struct mc_op *op)
{
	uint32_t i, k = MC_REF_INDEX(op->obj);
	const struct mc_mount *m;

	switch ((enum mc_op_type)op->type) {
	case MC_OP_NS:
		return;
	case MC_OP_OPEN:
	case MC_OP_BASE:
	case MC_OP_FRESH:
		opens(c, op->obj);
		return;
	case MC_OP_SUBROOT:
		uses(c, MC_REF(MC_REF_SRC, p->srcs[k].base));
		opens(c, op->obj);
		return;
	case MC_OP_CLONE:
		uses(c, op->arg);
		if (MC_REF_KIND(op->obj) == MC_REF_TEMP)
			return;
		REQUIRE(!c->groups_begun);
		opens(c, op->obj);
		if (++c->detached > c->most_detached)
			c->most_detached = c->detached;
		return;
	case MC_OP_ATTACH:
		m = &t->mounts[k];
		REQUIRE(!c->groups_begun || m->parent == MC_NONE);
		uses(c, op->obj);
		REQUIRE(!c->attached[k]);
		if (m->parent != MC_NONE) {
			REQUIRE(c->attached[m->parent] ||
				t->mounts[m->parent].parent == MC_NONE);
			uses(c, op->arg);
			/* nothing is on the way to the mountpoint yet */
			mc_for_each_child(t, i, m->parent)
				REQUIRE(!c->attached[i] || i == k ||
					!strcmp(t->mounts[i].mountpoint, "/") ||
					!mc_path_below(t->mounts[i].mountpoint,
						       m->mountpoint));
		}
		c->attached[k] = 1;
		c->detached--;
		return;
	case MC_OP_GROUP:
		REQUIRE(!c->locks_begun);
		REQUIRE(op->nr);
		c->groups_begun = true;
		for (i = 0; i < op->nr; i++)
			uses(c, p->list[op->first + i]);
		if (op->arg != MC_NONE)
			uses(c, op->arg);
		return;
	case MC_OP_UNLINK:
	case MC_OP_FINISH:
		REQUIRE(!c->locks_begun);
		uses(c, op->obj);
		return;
	case MC_OP_LOCK:
		c->locks_begun = true;
		uses(c, op->obj);
		return;
	case MC_OP_DETACH:
		uses(c, op->obj);
		return;
	case MC_OP_RELEASE:
		for (i = 0; i < op->nr; i++) {
			uint8_t *s = state(c, p->list[op->first + i]);

			if (MC_REF_KIND(p->list[op->first + i]) == MC_REF_TEMP)
				continue;
			REQUIRE(*s == 1);
			*s = op->flags & MC_SPILL ? 3 : 2;
			c->open--;
		}
		return;
	case MC_OP_PLACE:
	case MC_NR_OPS:
		REQUIRE(!"operation");
	}
}

static inline struct checker check(void)
{
	struct checker c = { 0 };
	uint32_t i;

	c.mount = calloc(t->nr_mounts + 1, 1);
	c.attached = calloc(t->nr_mounts + 1, 1);
	c.src = calloc(p->nr_srcs + 1, 1);
	REQUIRE(c.mount && c.src && c.attached);
	for (i = 0; i < p->nr_ops; i++)
		check_op(&c, &p->ops[i]);
	for (i = 0; i < t->nr_mounts; i++) {
		CHECK(c.attached[i]);
		CHECK_EQ(c.mount[i], 2);
	}
	for (i = 0; i < p->nr_srcs; i++)
		CHECK(c.src[i] != 1 || p->srcs[i].direct);
	CHECK(c.most <= p->peak_fds);
	free(c.mount);
	free(c.src);
	free(c.attached);
	c.mount = c.src = c.attached = NULL;
	return c;
}

#endif /* TESTS_PLAN_CHECKER_H */
