// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is in each class of topologies, and which of it is this shard's.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/class.h"

struct walk {
	struct class *c;
	const struct means *means;
	pick_fn *fn;
	void *data;
};

bool choose_way(const struct means *means, struct pick *p)
{
	bool locked = false;

	for (int i = 0; i < p->t->nr; i++)
		locked |= p->l.locked[i];
	if (locked && !(means->api && means->locks))
		return false;
	/* with mount(2), all else in the namespace would be locked as well */
	p->way = !locked && (!means->api || p->hash >> 7 & 1) ?
		 WAY_CLASSIC : WAY_API;
	return true;
}

static void pick(struct walk *w, struct pick *p)
{
	if (choose_way(w->means, p))
		w->fn(w->data, w->c, p);
	else
		w->c->left_out++;
}

static void lock_all(const struct topo *t, struct layout *l)
{
	layout_siblings(l);
	for (int i = 1; i < t->nr; i++) {
		l->on[i] = i - 1;
		l->locked[i] = true;
	}
}

/* Any of what hangs on another one may be locked. */
static void lock_some(const struct topo *t, struct layout *l, uint64_t seed)
{
	for (int i = 0; i < t->nr; i++)
		l->locked[i] = l->on[i] >= 0 && !(topo_next_random(&seed) & 3);
}

static void one_topology(void *data, const struct topo *t, uint64_t hash)
{
	struct walk *w = data;
	struct pick p = { .t = t, .hash = hash };

	layout_of_hash(t, &p.l, hash);
	if (w->c->kind == RANDOM)
		layout_places(t, &p.l, hash);
	if (w->c->kind == RANDOM && w->means->locks && hash >> 59 & 1)
		lock_some(t, &p.l, hash);
	if (w->c->locked)
		lock_all(t, &p.l);
	else if (!choose_way(w->means, &p))
		layout_siblings(&p.l);
	pick(w, &p);
}

static int64_t each_tree(struct walk *w, const struct each *e)
{
	struct tree_walk *trees = malloc(sizeof(*trees));
	uint64_t number = 0, chosen = 0, one_in = w->c->one_in;
	struct pick p;
	struct topo t;
	int err;

	err = trees ? tree_start(trees, w->c->tree, w->c->n, w->c->nr_ns) :
	      -ENOMEM;
	if (err) {
		free(trees);
		return err;
	}
	for (; tree_next(trees, &t, &p.l); number++) {
		uint64_t seed = number;

		if (number % one_in != e->seed % one_in ||
		    chosen++ % e->shards != e->shard)
			continue;
		p.t = &t;
		p.hash = topo_next_random(&seed);
		pick(w, &p);
	}
	tree_end(trees);
	free(trees);
	return number;
}

void class_walk(struct class *c, const struct each *e,
		const struct means *means, pick_fn *fn, void *data)
{
	struct walk w = { c, means, fn, data };
	/* the shards of what one in so many are */
	struct each some = {
		e->shard * c->one_in, e->shards * c->one_in, e->seed
	};

	switch (c->kind) {
	case KNOWN:
		c->exist = each_known(e, one_topology, &w);
		break;
	case STRUCTURES:
		c->exist = each_structure(&some, c->n, c->nr_ns, c->roots,
					  one_topology, &w);
		break;
	case TREES:
		c->exist = each_tree(&w, e);
		break;
	case RANDOM:
		each_random(e, c->n, one_topology, &w);
		c->exist = c->n;
		break;
	}
}

/* --- shards --------------------------------------------------------------- */

/* Whatever the order: how many, and which. */
struct sum {
	uint64_t n, hash;
};

static void add_to_sum(void *data, struct class *c, const struct pick *p)
{
	struct sum *s = data;
	char line[2 * TOPO_LINE];
	uint64_t h = p->hash + p->way;

	(void)c;
	each_print(p->t, &p->l, line, sizeof(line));
	for (const char *q = line; *q; q++)
		h = (h ^ (unsigned char)*q) * 0x100000001b3;
	s->hash += h;
	s->n++;
}

bool class_shards_add_up(const struct class *c, int n, const struct each *e,
			 const struct means *means, const struct class **wrong)
{
	const uint64_t shards = 3;

	for (int i = 0; i < n; i++) {
		struct each whole = { 0, 1, e->seed };
		struct sum all = { 0 }, sum = { 0 };
		struct class one = c[i];
		uint64_t left_out;

		one.left_out = 0;
		class_walk(&one, &whole, means, add_to_sum, &all);
		left_out = one.left_out;
		one.left_out = 0;
		for (uint64_t k = 0; k < shards; k++) {
			struct each part = { k, shards, e->seed };

			class_walk(&one, &part, means, add_to_sum, &sum);
		}
		*wrong = &c[i];
		if (all.n != sum.n || all.hash != sum.hash ||
		    left_out != one.left_out)
			return false;
	}
	return true;
}
