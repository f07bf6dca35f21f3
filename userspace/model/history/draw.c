// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Histories: what is drawn at random.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "history/draw.h"

unsigned int draw(struct chance *c, unsigned int n)
{
	c->seed ^= c->seed >> 12;
	c->seed ^= c->seed << 25;
	c->seed ^= c->seed >> 27;
	return (c->seed * 0x2545f4914f6cdd1dULL >> 33) % n;
}

enum where { ATTACHED = 1, HELD = 2 };

static bool draw_one(struct chance *c, const struct hist *h, struct name *n, int ns,
		     unsigned int where)
{
	for (int k = 0; k < 32; k++) {
		int i = draw(c, h->m.nr);

		if (hist_held(h, i) ? !(where & HELD) :
		    !(where & ATTACHED) || h->m.mnt[i].parent < 0)
			continue;
		if (ns >= 0 && h->m.mnt[i].ns != ns)
			continue;
		*n = h->tag[i].name;
		return true;
	}
	return false;
}

bool draw_mount(struct chance *c, const struct hist *h, struct name *n, int ns)
{
	return draw_one(c, h, n, ns, ATTACHED);
}

bool draw_any(struct chance *c, const struct hist *h, struct name *n)
{
	return draw_one(c, h, n, -1, ATTACHED | HELD);
}

bool draw_held(struct chance *c, const struct hist *h, struct name *name, unsigned int n)
{
	return (!draw(c, n) && draw_one(c, h, name, -1, HELD)) ||
	       draw_mount(c, h, name, -1);
}

int index_of(const struct hist *h, const struct name *n)
{
	for (int i = 0; i < h->m.nr; i++)
		if (h->tag[i].name.step == n->step && h->tag[i].name.k == n->k)
			return i;
	return 0;
}

int draw_dir(struct chance *c, const struct hist *h, const struct name *n)
{
	int root = h->m.mnt[index_of(h, n)].root;

	for (int k = 0; k < 8; k++) {
		int d = draw(c, h->m.nr_dirs);

		if (model_under(&h->m, d, root))
			return d;
	}
	return root;
}

bool draw_ns(struct chance *c, const struct hist *h, struct name *n)
{
	for (int k = 0; k < 64; k++) {
		int i = draw(c, h->m.nr_ns);

		if (h->ns_gone[i])
			continue;
		*n = h->ns[i];
		return true;
	}
	return false;
}

int hist_namespaces(const struct hist *h)
{
	int n = 0;

	for (int i = 0; i < h->m.nr_ns; i++)
		n += !h->ns_gone[i] && !model_detached(&h->m, i);
	return n;
}
