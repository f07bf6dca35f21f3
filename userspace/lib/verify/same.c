// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What has only an id maps one to one, in both directions.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <string.h>

#include "verify/pairs.h"

bool mc_bijection_new(struct mc_bijection *m, uint32_t nr_a, uint32_t nr_b)
{
	m->ab = malloc(((size_t)nr_a + 1) * sizeof(*m->ab));
	m->ba = malloc(((size_t)nr_b + 1) * sizeof(*m->ba));
	if (!m->ab || !m->ba)
		return false;
	memset(m->ab, 0xff, nr_a * sizeof(*m->ab));
	memset(m->ba, 0xff, nr_b * sizeof(*m->ba));
	return true;
}

void mc_bijection_free(struct mc_bijection *m)
{
	free(m->ab);
	free(m->ba);
}

bool mc_bijection_map(struct mc_bijection *m, uint32_t a, uint32_t b)
{
	if (m->ab[a] == MC_NONE && m->ba[b] == MC_NONE) {
		m->ab[a] = b;
		m->ba[b] = a;
	}
	return m->ab[a] == b && m->ba[b] == a;
}

int mc_id_pairs_map(struct mc_id_pairs *s, uint64_t a, uint64_t b)
{
	return mc_map_pair(s->a, s->b, &s->nr, a, b);
}

bool mc_verify_same_idmap(const struct mc_topology *a, uint32_t x,
			  const struct mc_topology *b, uint32_t y)
{
	const struct mc_idmap *m, *n;

	if (x == MC_NONE || y == MC_NONE)
		return x == y;
	m = &a->idmaps[x];
	n = &b->idmaps[y];
	return m->nr_uid == n->nr_uid && m->nr_gid == n->nr_gid &&
	       !memcmp(m->uid, n->uid, m->nr_uid * sizeof(*m->uid)) &&
	       !memcmp(m->gid, n->gid, m->nr_gid * sizeof(*m->gid));
}
