// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Storage of a topology: arrays, interned strings, look-up by id.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "topology/topology.h"

#define CHUNK	(64 * 1024)

struct mc_arena {
	struct mc_arena *next;
	size_t used, size;
	_Alignas(16) char data[];
};

struct mc_strtab {
	const char **slots;
	size_t nr, mask;
	uint64_t seed;
};

struct mc_topology *mc_topology_new(void)
{
	struct mc_topology *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->strings = calloc(1, sizeof(*t->strings));
	t->by_mount = mc_map_new();
	t->by_group = mc_map_new();
	t->by_ns = mc_map_new();
	t->by_userns = mc_map_new();
	t->by_idmap = mc_map_new();
	if (t->strings) {
		t->strings->mask = 255;
		t->strings->seed = mc_random_seed();
		t->strings->slots = calloc(256, sizeof(*t->strings->slots));
	}
	if (!t->strings || !t->strings->slots || !t->by_mount ||
	    !t->by_group || !t->by_ns || !t->by_userns || !t->by_idmap) {
		mntcr_topology_free(t);
		return NULL;
	}
	return t;
}

void mntcr_topology_free(struct mc_topology *t)
{
	struct mc_arena *a;

	uint32_t i;

	if (!t)
		return;
	for (i = 0; i < t->nr_userns; i++)
		if (t->userns[i].given)
			mc_close(t->userns[i].given->fd);
	while ((a = t->arena)) {
		t->arena = a->next;
		free(a);
	}
	if (t->strings)
		free(t->strings->slots);
	free(t->strings);
	mc_map_free(t->by_mount);
	mc_map_free(t->by_group);
	mc_map_free(t->by_ns);
	mc_map_free(t->by_userns);
	mc_map_free(t->by_idmap);
	free(t->userns);
	free(t->ns);
	free(t->sbs);
	free(t->groups);
	free(t->idmaps);
	free(t->mounts);
	free(t);
}

void *mc_topology_alloc(struct mc_topology *t, size_t size)
{
	struct mc_arena *a = t->arena;
	size_t want;
	void *p;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + 15) & ~(size_t)15;
	if (!a || a->size - a->used < size) {
		want = size > CHUNK ? size : CHUNK;
		a = malloc(sizeof(*a) + want);
		if (!a)
			return NULL;
		a->used = 0;
		a->size = want;
		a->next = t->arena;
		t->arena = a;
	}
	p = a->data + a->used;
	a->used += size;
	return p;
}

static const char **str_slot(const struct mc_strtab *s, const char *str,
			     size_t n)
{
	size_t i = (size_t)mc_hash_bytes(str, n, s->seed);

	for (;; i++) {
		const char **p = &s->slots[i & s->mask];

		if (!*p || (!strncmp(*p, str, n) && !(*p)[n]))
			return p;
	}
}

static bool strings_double(struct mc_strtab *s)
{
	struct mc_strtab n = { .mask = s->mask * 2 + 1, .nr = s->nr,
				.seed = s->seed };
	size_t i;

	n.slots = calloc(n.mask + 1, sizeof(*n.slots));
	if (!n.slots)
		return false;
	for (i = 0; i <= s->mask; i++)
		if (s->slots[i])
			*str_slot(&n, s->slots[i], strlen(s->slots[i])) =
				s->slots[i];
	free(s->slots);
	*s = n;
	return true;
}

const char *mc_topology_strn(struct mc_topology *t, const char *str, size_t n)
{
	struct mc_strtab *s = t->strings;
	const char **slot;
	char *copy;

	if (s->nr >= s->mask / 2 && !strings_double(s))
		return NULL;
	slot = str_slot(s, str, n);
	if (*slot)
		return *slot;
	copy = mc_topology_alloc(t, n + 1);
	if (!copy)
		return NULL;
	memcpy(copy, str, n);
	copy[n] = '\0';
	*slot = copy;
	s->nr++;
	return copy;
}

const char *mc_topology_str(struct mc_topology *t, const char *s)
{
	return mc_topology_strn(t, s, strlen(s));
}

uint32_t mc_topology_add_userns(struct mc_topology *t)
{
	if (!mc_grow(&t->userns, t->nr_userns, &t->max_userns,
		     sizeof(*t->userns)))
		return MC_NONE;
	t->userns[t->nr_userns] = (struct mc_userns){ .parent = MC_NONE };
	return t->nr_userns++;
}

uint32_t mc_topology_get_userns(struct mc_topology *t, uint64_t id)
{
	uint32_t u = t->nr_userns;

	switch (mc_map_add(t->by_userns, id, &u)) {
	case 0:
		/* A failed add leaves a dangling entry: the caller gives up. */
		if (mc_topology_add_userns(t) == MC_NONE)
			return MC_NONE;
		t->userns[u].id = id;
		return u;
	case 1:
		return u;
	default:
		return MC_NONE;
	}
}

uint32_t mc_topology_add_ns(struct mc_topology *t)
{
	if (!mc_grow(&t->ns, t->nr_ns, &t->max_ns, sizeof(*t->ns)))
		return MC_NONE;
	t->ns[t->nr_ns] = (struct mc_ns){
		.label = "", .userns = MC_NONE, .root = MC_NONE,
		.first_mount = MC_NONE,
	};
	return t->nr_ns++;
}

uint32_t mc_topology_add_sb(struct mc_topology *t)
{
	if (!mc_grow(&t->sbs, t->nr_sbs, &t->max_sbs, sizeof(*t->sbs)))
		return MC_NONE;
	t->sbs[t->nr_sbs] = (struct mc_sb){
		.type = "", .options = "", .userns = MC_NONE,
		.shown_owner = MC_NONE, .pidns_depth = MC_NONE,
	};
	return t->nr_sbs++;
}

uint32_t mc_topology_add_group(struct mc_topology *t, uint64_t id)
{
	if (!mc_grow(&t->groups, t->nr_groups, &t->max_groups,
		     sizeof(*t->groups)))
		return MC_NONE;
	t->groups[t->nr_groups] = (struct mc_group){
		.id = id, .master = MC_NONE, .sb = MC_NONE,
		.first_member = MC_NONE, .first_slave_mount = MC_NONE,
		.first_slave_group = MC_NONE, .next_slave_group = MC_NONE,
	};
	return t->nr_groups++;
}

uint32_t mc_topology_get_group(struct mc_topology *t, uint64_t id)
{
	uint32_t g = t->nr_groups;

	switch (mc_map_add(t->by_group, id, &g)) {
	case 0:
		/* A failed add leaves a dangling entry: the caller gives up. */
		return mc_topology_add_group(t, id);
	case 1:
		return g;
	default:
		return MC_NONE;
	}
}

uint32_t mc_topology_add_idmap(struct mc_topology *t)
{
	if (!mc_grow(&t->idmaps, t->nr_idmaps, &t->max_idmaps,
		     sizeof(*t->idmaps)))
		return MC_NONE;
	t->idmaps[t->nr_idmaps] = (struct mc_idmap){ 0 };
	return t->nr_idmaps++;
}

uint32_t mc_topology_get_idmap(struct mc_topology *t, const char *text, bool *added)
{
	const char *key = mc_topology_str(t, text);
	uint32_t i = t->nr_idmaps;

	*added = false;
	switch (key ? mc_map_add(t->by_idmap, (uintptr_t)key, &i) : -1) {
	case 1:
		return i;
	case -1:
		return MC_NONE;
	}
	*added = true;
	return mc_topology_add_idmap(t);
}

uint32_t mc_topology_add_mount(struct mc_topology *t)
{
	if (!mc_grow(&t->mounts, t->nr_mounts, &t->max_mounts,
		     sizeof(*t->mounts)))
		return MC_NONE;
	t->mounts[t->nr_mounts] = (struct mc_mount){
		.ns = MC_NONE, .parent = MC_NONE, .sb = MC_NONE,
		.root = "/", .mountpoint = "/", .idmap = MC_NONE,
		.group = MC_NONE, .master = MC_NONE, .nsfs_ns = MC_NONE,
		.nsfs_owner = MC_NONE, .nsfs_userns = MC_NONE,
		.root_file = { .uid = MC_NO_ID, .gid = MC_NO_ID },
		.mp_file = { .uid = MC_NO_ID, .gid = MC_NO_ID },
	};
	return t->nr_mounts++;
}

static uint32_t find(const struct mc_map *m, uint64_t id)
{
	uint32_t v;

	return mc_map_get(m, id, &v) ? v : MC_NONE;
}

uint32_t mc_find_mount(const struct mc_topology *t, uint64_t id)
{
	return find(t->by_mount, id);
}

uint32_t mc_find_ns(const struct mc_topology *t, uint64_t id)
{
	return find(t->by_ns, id);
}

uint32_t mc_find_group(const struct mc_topology *t, uint64_t id)
{
	return find(t->by_group, id);
}

const char *mc_mount_source(const struct mc_topology *t,
			    const struct mc_mount *m)
{
	return m->source ? m->source : t->sbs[m->sb].source;
}

const char *mc_mount_options(const struct mc_topology *t,
			     const struct mc_mount *m)
{
	return m->options ? m->options : t->sbs[m->sb].options;
}

char *mc_mount_path(const struct mc_topology *t, uint32_t mount)
{
	size_t len = 0, n;
	uint32_t m;
	char *path;

	for (m = mount; t->mounts[m].parent != MC_NONE; m = t->mounts[m].parent)
		if (t->mounts[m].mountpoint[1])
			len += strlen(t->mounts[m].mountpoint);
	path = malloc(len + 2);
	if (!path)
		return NULL;
	strcpy(path, "/");
	if (len)
		path[len] = '\0';
	for (m = mount; t->mounts[m].parent != MC_NONE; m = t->mounts[m].parent) {
		if (!t->mounts[m].mountpoint[1])
			continue;
		n = strlen(t->mounts[m].mountpoint);
		len -= n;
		memcpy(path + len, t->mounts[m].mountpoint, n);
	}
	return path;
}

uint32_t mc_mount_at(const struct mc_topology *t, uint32_t ns, const char *path)
{
	uint32_t m = t->ns[ns].root, c, best;
	size_t n, nearest;

	/*
	 * What covers the root comes first, then the child whose mountpoint is
	 * the first on the way.
	 */
	while (m != MC_NONE) {
		best = MC_NONE;
		nearest = SIZE_MAX;
		mc_for_each_child(t, c, m) {
			const char *mp = t->mounts[c].mountpoint;

			n = mp[1] ? strlen(mp) : 0;
			if (strncmp(path, mp, n) ||
			    (n && path[n] && path[n] != '/') || n >= nearest)
				continue;
			best = c;
			nearest = n;
		}
		if (best == MC_NONE)
			break;
		m = best;
		path += nearest;
	}
	/* path is now what remains below m: nothing, if m is there */
	return *path && strcmp(path, "/") ? MC_NONE : m;
}

#define MOST_ABOVE	2000

const char *mc_mount_name(const struct mc_topology *t, uint32_t mount,
			  char *buf, size_t size)
{
	const struct mc_mount *m = &t->mounts[mount];
	struct mc_buf b = { 0 };
	uint32_t up, n = 0;
	char *path = NULL;

	/* A name is needed for many, and a long way would be cut anyway. */
	for (up = mount; up != MC_NONE && n < MOST_ABOVE; up = t->mounts[up].parent)
		n++;
	if (n < MOST_ABOVE)
		path = mc_mount_path(t, mount);

	if (t->nr_ns > 1)
		mc_buf_printf(&b, "%s:", t->ns[m->ns].label);
	if (path)
		mc_buf_puts(&b, path);
	else
		mc_buf_printf(&b, "mount %llu", (unsigned long long)m->id);
	free(path);
	if (b.nomem || !b.data)
		snprintf(buf, size, "mount %llu", (unsigned long long)m->id);
	else
		mc_escape(b.data, buf, size);
	mc_buf_free(&b);
	return buf;
}

bool mc_has_locked_child(const struct mc_topology *t, uint32_t mount)
{
	uint32_t c;

	mc_for_each_child(t, c, mount)
		if (t->mounts[c].locks_known &&
		    t->mounts[c].locks & MOUNT_LOCK_MOUNT)
			return true;
	return false;
}
