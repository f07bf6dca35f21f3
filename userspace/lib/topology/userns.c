// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Ids of user namespaces: by their maps, from one to its parent, up to the
 * dumper's.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <string.h>

#include "topology/topology.h"

static bool next_id(const char **s, uint32_t *id)
{
	unsigned long long v;
	char *end;

	v = strtoull(*s, &end, 10);
	if (end == *s || v > UINT32_MAX)
		return false;
	*id = (uint32_t)v;
	*s = end;
	return true;
}

bool mc_idmap_parse(const char *text, struct mc_idmap_extent *x, uint32_t *nr)
{
	for (*nr = 0; *text; (*nr)++) {
		if (*nr == MC_MAX_IDMAP_EXTENTS || !next_id(&text, &x[*nr].id) ||
		    !next_id(&text, &x[*nr].parent_id) ||
		    !next_id(&text, &x[*nr].count) || *text != '\n')
			return false;
		text++;
	}
	return true;
}

bool mc_idmap_range(const struct mc_idmap *m, bool gid, uint32_t id, uint32_t count,
		    uint32_t *to)
{
	const struct mc_idmap_extent *x = gid ? m->gid : m->uid;
	uint32_t nr = gid ? m->nr_gid : m->nr_uid, i;

	for (i = 0; i < nr; i++)
		if (id >= x[i].id && id - x[i].id < x[i].count &&
		    count <= x[i].count - (id - x[i].id)) {
			*to = x[i].parent_id + (id - x[i].id);
			return true;
		}
	return false;
}

bool mc_idmap_back(const struct mc_idmap *m, bool gid, uint32_t to, uint32_t *id)
{
	const struct mc_idmap_extent *x = gid ? m->gid : m->uid;
	uint32_t nr = gid ? m->nr_gid : m->nr_uid, i;

	for (i = 0; i < nr; i++)
		if (to >= x[i].parent_id && to - x[i].parent_id < x[i].count) {
			*id = x[i].id + (to - x[i].parent_id);
			return true;
		}
	return false;
}

bool mc_idmap_same(const struct mc_idmap *a, const struct mc_idmap *b)
{
	return a->nr_uid == b->nr_uid && a->nr_gid == b->nr_gid &&
	       !memcmp(a->uid, b->uid, a->nr_uid * sizeof(*a->uid)) &&
	       !memcmp(a->gid, b->gid, a->nr_gid * sizeof(*a->gid));
}

bool mc_userns_first_id(const struct mc_userns *u, bool gid, uint32_t *id)
{
	const struct mc_idmap_extent *x = gid ? u->map.gid : u->map.uid;
	uint32_t unused;

	*id = 0;
	if (!u->mapped || !(gid ? u->map.nr_gid : u->map.nr_uid))
		return false;
	if (!mc_idmap_range(&u->map, gid, 0, 1, &unused))
		*id = x[0].id;
	return true;
}

bool mc_userns_up(const struct mc_topology *t, uint32_t u, bool gid, uint32_t id,
		  uint32_t *up)
{
	for (; u != MC_NONE && !t->userns[u].dumper; u = t->userns[u].parent)
		if (!t->userns[u].mapped ||
		    !mc_idmap_range(&t->userns[u].map, gid, id, 1, &id))
			return false;
	*up = id;
	return u != MC_NONE;
}
