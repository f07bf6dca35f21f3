// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where the mounts of a topology hang on one another: chosen, written, in order.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <string.h>

#include "topologies/layout.h"

void layout_siblings(struct layout *l)
{
	memset(l, 0, sizeof(*l));
	memset(l->on, -1, sizeof(l->on));
}

void layout_random(const struct topo *t, struct layout *l, uint64_t seed)
{
	bool covered[TOPO_MAX] = { false };
	int order[TOPO_MAX];

	layout_siblings(l);
	/* any mount may be what others hang on: numbers go by what is shared */
	for (int i = 0; i < t->nr; i++) {
		int k = topo_next_random(&seed) % (i + 1);

		order[i] = order[k];
		order[k] = i;
	}
	for (int k = 1; k < t->nr; k++) {
		uint64_t x = topo_next_random(&seed);
		int i = order[k], j = order[x % k];

		if (t->m[j].ns != t->m[i].ns || x >> 32 & 1)
			continue;
		l->on[i] = j;
		l->over[i] = (x >> 33 & 1) && !covered[j];
		covered[j] |= l->over[i];
	}
}

void layout_of_hash(const struct topo *t, struct layout *l, uint64_t hash)
{
	layout_siblings(l);
	if (hash >> 60 & 1)
		layout_random(t, l, hash);
}

static bool is_free(const struct layout *l, int nr, int on, int dir)
{
	for (int i = 0; i < nr; i++)
		if (l->on[i] == on && l->dir[i] == dir)
			return false;
	return true;
}

void layout_places(const struct topo *t, struct layout *l, uint64_t seed)
{
	for (int i = 0; i < t->nr; i++) {
		uint64_t x = topo_next_random(&seed);
		int on = l->on[i], dir;

		if (on < 0 || l->over[i] || t->m[on].root > 2)
			continue;
		dir = 2 * t->m[on].root + 1 + (x & 1);
		if (dir < 3 && x & 2)
			dir = 2 * dir + 1 + (x >> 2 & 1);
		if (x & 8 && is_free(l, t->nr, on, dir))
			l->dir[i] = dir;
	}
}

void layout_renumber(struct topo *t, struct layout *l)
{
	int mount[TOPO_MAX], group[TOPO_MAX], new[TOPO_MAX], new_group[TOPO_MAX];
	const struct layout was = *l;
	const struct topo old = *t;

	topo_order(&old, mount, group);
	for (int i = 0; i < old.nr; i++)
		new[mount[i]] = i;
	for (int g = 0; g < old.nr_groups; g++)
		new_group[group[g]] = g;
	layout_siblings(l);
	for (int i = 0; i < old.nr; i++) {
		int k = mount[i];

		t->m[i] = old.m[k];
		if (old.m[k].group >= 0)
			t->m[i].group = new_group[old.m[k].group];
		l->on[i] = was.on[k] < 0 ? -1 : new[was.on[k]];
		l->dir[i] = was.dir[k];
		l->over[i] = was.over[k];
		l->locked[i] = was.locked[k];
	}
	for (int g = 0; g < old.nr_groups; g++)
		t->master[g] = old.master[group[g]] < 0 ? -1 :
			new_group[old.master[group[g]]];
}

void layout_print(const struct topo *t, const struct layout *l, char *line,
		  size_t size)
{
	const char *start = " :";
	size_t n = 0;

	*line = 0;
	for (int i = 0; i < t->nr && n < size; i++) {
		if (l->on[i] < 0 && !l->locked[i])
			continue;
		n += snprintf(line + n, size - n, "%s %d", start, i);
		start = "";
		if (l->on[i] >= 0 && n < size)
			n += snprintf(line + n, size - n, "%c%d%s",
				      l->over[i] ? '^' : '>', l->on[i],
				      topo_dir_name[(int)l->dir[i]]);
		if (l->locked[i] && n < size)
			n += snprintf(line + n, size - n, "!");
	}
}

int layout_place(const struct topo *t, const struct layout *l, int i, int *at)
{
	int on = l->on[i];

	*at = dir_hang(0, i);
	if (on >= 0 && l->dir[i])
		*at = l->dir[i];
	else if (on >= 0)
		*at = l->over[i] ? t->m[on].root : dir_hang(t->m[on].root, i);
	return on;
}

static bool hangs_below(const struct layout *l, int i, int top)
{
	for (int steps = 0; i >= 0 && steps <= TOPO_MAX; steps++) {
		i = l->on[i];
		if (i == top)
			return true;
	}
	return false;
}

/* No cycle, no two at one place, and the place exists. */
static bool well_placed(const struct topo *t, const struct layout *l)
{
	for (int i = 0; i < t->nr; i++) {
		int at, j = layout_place(t, l, i, &at), other;

		if (j < 0)
			continue;
		if (t->m[i].ns != t->m[j].ns || hangs_below(l, i, i))
			return false;
		if (!dir_under(at, t->m[j].root))
			return false;
		for (int k = 0; k < i; k++)
			if (layout_place(t, l, k, &other) == j && other == at)
				return false;
	}
	return true;
}

/* "3>0/a!" or "2^1" or "0!" */
static const char *parse_place(const struct topo *t, struct layout *l,
			       const char *p)
{
	int i, j, n = 0;
	char how;

	if (sscanf(p, " %2d%n", &i, &n) != 1 || i < 0 || i >= t->nr ||
	    l->on[i] >= 0 || l->locked[i])
		return NULL;
	p += n;
	if (*p == '>' || *p == '^') {
		how = *p++;
		n = 0;
		if (sscanf(p, "%2d%n", &j, &n) != 1 || j < 0 || j >= t->nr)
			return NULL;
		p += n;
		l->on[i] = j;
		l->over[i] = how == '^';
		l->dir[i] = topo_parse_dir(&p);
		if (l->dir[i] < 0 || (l->dir[i] && l->over[i]))
			return NULL;
	}
	l->locked[i] = *p == '!';
	if (!l->locked[i] && l->on[i] < 0)
		return NULL;
	p += l->locked[i];
	return !*p || strchr(" \n", *p) ? p : NULL;
}

int layout_parse(const struct topo *t, struct layout *l, const char *text)
{
	layout_siblings(l);
	while (text[strspn(text, " \n")]) {
		text = parse_place(t, l, text);
		if (!text)
			return -1;
	}
	return well_placed(t, l) ? 0 : -1;
}

bool layout_hides(const struct topo *t, const struct layout *l, int k, int i)
{
	int at, above;

	if (k == i || l->on[i] < 0 || l->over[i] ||
	    layout_place(t, l, k, &above) != l->on[i])
		return false;
	layout_place(t, l, i, &at);
	return dir_under(at, above);
}

/* Must mount @i be there before mount @k? With all that is below it. */
static bool goes_before(const struct topo *t, const struct layout *l, int i,
			int k)
{
	if (l->on[k] == i)
		return true;
	for (; i >= 0 && i != k; i = l->on[i])
		if (layout_hides(t, l, k, i))
			return true;
	return false;
}

void layout_order(const struct topo *t, const struct layout *l, int *order)
{
	bool done[TOPO_MAX] = { false };

	for (int n = 0; n < t->nr; )
		for (int k = 0; k < t->nr; k++) {
			bool ready = !done[k];

			for (int i = 0; i < t->nr && ready; i++)
				ready = i == k || done[i] ||
					!goes_before(t, l, i, k);
			if (!ready)
				continue;
			done[k] = true;
			order[n++] = k;
		}
}
