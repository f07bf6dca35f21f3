// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Hash map.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <sys/random.h>

#include "base/base.h"

uint64_t mc_hash_bytes(const void *p, size_t n, uint64_t seed)
{
	const unsigned char *s = p;
	uint64_t h = seed ^ 0xcbf29ce484222325ULL;

	while (n--) {
		h ^= *s++;
		h *= 0x100000001b3ULL;
	}
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93ULL;
	return h ^ h >> 32;
}

struct mc_map {
	struct slot {
		uint64_t key;
		uint32_t value;
		bool used;
	} *slots;
	uint32_t nr, mask;
	uint64_t seed;
};

uint64_t mc_random_seed(void)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == sizeof(seed))
		return seed;
	return (uint64_t)(uintptr_t)&seed * 0x9e3779b97f4a7c15ULL;
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

struct mc_map *mc_map_new(void)
{
	struct mc_map *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->mask = 63;
	m->seed = mc_random_seed();
	m->slots = calloc(m->mask + 1, sizeof(*m->slots));
	if (!m->slots) {
		free(m);
		return NULL;
	}
	return m;
}

void mc_map_free(struct mc_map *m)
{
	if (!m)
		return;
	free(m->slots);
	free(m);
}

static struct slot *map_slot(const struct mc_map *m, uint64_t key)
{
	uint64_t i = mix(key ^ m->seed);

	for (;; i++) {
		struct slot *s = &m->slots[i & m->mask];

		if (!s->used || s->key == key)
			return s;
	}
}

static bool map_double(struct mc_map *m)
{
	struct mc_map n = { .mask = m->mask * 2 + 1, .nr = m->nr,
			    .seed = m->seed };
	uint32_t i;

	n.slots = calloc((size_t)n.mask + 1, sizeof(*n.slots));
	if (!n.slots)
		return false;
	for (i = 0; i <= m->mask; i++)
		if (m->slots[i].used)
			*map_slot(&n, m->slots[i].key) = m->slots[i];
	free(m->slots);
	*m = n;
	return true;
}

int mc_map_add(struct mc_map *m, uint64_t key, uint32_t *value)
{
	struct slot *s;

	if (m->nr >= m->mask / 2 && !map_double(m))
		return -1;
	s = map_slot(m, key);
	if (s->used) {
		*value = s->value;
		return 1;
	}
	s->used = true;
	s->key = key;
	s->value = *value;
	m->nr++;
	return 0;
}

bool mc_map_get(const struct mc_map *m, uint64_t key, uint32_t *value)
{
	const struct slot *s = map_slot(m, key);

	if (s->used)
		*value = s->value;
	return s->used;
}

int mc_map_pair(struct mc_map *a, struct mc_map *b, uint32_t *nr, uint64_t x, uint64_t y)
{
	uint32_t nx = *nr, ny = *nr;
	int rx = mc_map_add(a, x, &nx), ry = mc_map_add(b, y, &ny);

	if (rx < 0 || ry < 0)
		return -1;
	++*nr;
	return nx == ny;
}
