// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sharing topologies as one line of text.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <string.h>

#include "topologies/topo.h"

const char *const topo_dir_name[TOPO_ROOTS] = {
	"", "/a", "/b", "/a/a", "/a/b", "/b/a", "/b/b",
};

struct out {
	char *p;
	size_t left;
	int *mounts, *groups;	/* the order in which they come */
};

static void put(struct out *o, const char *text)
{
	size_t n = strlen(text);

	if (n >= o->left)
		return;
	memcpy(o->p, text, n + 1);
	o->p += n;
	o->left -= n;
}

static void put_mount(struct out *o, const struct topo *t, int i)
{
	const struct topo_mount *m = &t->m[i];
	char kind[] = { "pums"[m->kind], 0 }, ns[] = "@0";

	put(o, kind);
	put(o, topo_dir_name[m->root]);
	ns[1] += m->ns;
	if (m->ns)
		put(o, ns);
	if (o->mounts)
		*o->mounts++ = i;
}

static void put_all(struct out *o, const struct topo *t, int master, bool space)
{
	for (int i = 0; i < t->nr; i++) {
		const struct topo_mount *m = &t->m[i];

		if (m->kind == TOPO_MEMBER ||
		    (m->kind == TOPO_SLAVE ? m->group : -1) != master)
			continue;
		put(o, space ? " " : "");
		put_mount(o, t, i);
		space = true;
	}
	for (int g = 0; g < t->nr_groups; g++) {
		bool inner = false;

		if (t->master[g] != master)
			continue;
		put(o, space ? " [" : "[");
		space = true;
		if (o->groups)
			*o->groups++ = g;
		for (int i = 0; i < t->nr; i++)
			if (t->m[i].kind == TOPO_MEMBER && t->m[i].group == g) {
				put(o, inner ? " " : "");
				put_mount(o, t, i);
				inner = true;
			}
		put_all(o, t, g, inner);
		put(o, "]");
	}
}

void topo_print(const struct topo *t, char *line, size_t size)
{
	struct out o = { .p = line, .left = size };

	if (size)
		*line = 0;
	put_all(&o, t, -1, false);
}

void topo_order(const struct topo *t, int *mounts, int *groups)
{
	struct out o = { .mounts = mounts, .groups = groups };

	put_all(&o, t, -1, false);
}

int topo_parse_dir(const char **text)
{
	int d = 0;

	for (; (*text)[0] == '/'; *text += 2) {
		char c = (*text)[1];

		if ((c != 'a' && c != 'b') || d > 2)
			return -1;
		d = 2 * d + 1 + (c == 'b');
	}
	return d;
}

static const char *parse_mount(struct topo *t, const char *p, int group)
{
	const char *kind = strchr("pums", *p);
	struct topo_mount *m = &t->m[t->nr];

	if (t->nr == TOPO_MAX || !*p || !kind)
		return NULL;
	*m = (struct topo_mount) { .kind = kind - "pums", .group = group };
	/* inside brackets members and slaves, outside the others */
	if ((m->kind >= TOPO_MEMBER) != (group >= 0))
		return NULL;
	p++;
	m->root = topo_parse_dir(&p);
	if (m->root < 0)
		return NULL;
	if (*p == '@') {
		if (p[1] < '0' || p[1] >= '0' + TOPO_MAX_NS)
			return NULL;
		m->ns = p[1] - '0';
		p += 2;
	}
	if (*p && !strchr(" []\n", *p))
		return NULL;
	t->nr++;
	return p;
}

int topo_parse(struct topo *t, const char *line)
{
	int members[TOPO_MAX] = { 0 }, group = -1;
	const char *p = line, *next;

	memset(t, 0, sizeof(*t));
	while (*p && *p != '\n') {
		if (*p == ' ') {
			p++;
		} else if (*p == '[') {
			if (t->nr_groups == TOPO_MAX)
				return p - line + 1;
			t->master[t->nr_groups] = group;
			group = t->nr_groups++;
			p++;
		} else if (*p == ']') {
			if (group < 0 || !members[group])
				return p - line + 1;
			group = t->master[group];
			p++;
		} else {
			next = parse_mount(t, p, group);
			if (!next)
				return p - line + 1;
			if (t->m[t->nr - 1].kind == TOPO_MEMBER)
				members[group]++;
			p = next;
		}
	}
	return group < 0 && t->nr ? 0 : p - line + 1;
}
