// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Files that have been looked at: hundreds of namespaces that are copies of one another
 * show and cover the same ones, which need one look.
 *
 * A file is known by its superblock, its path in that, and the idmap that it is seen
 * through.  Strings of a capture are interned: the same text has the same address.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <string.h>

#include "base/base.h"
#include "capture/capture.h"

struct key {
	uint32_t sb, idmap;
	const char *root, *mountpoint;	/* NULL: the mount's own root */
};

/* false: its path is no name for it, or of what nobody else has. */
static bool key_of(const struct mc_topology *t, uint32_t mount, bool place, struct key *k)
{
	const struct mc_mount *m = &t->mounts[mount];
	const struct mc_mount *on = place ? &t->mounts[m->parent] : m;

	if (on->root_deleted || on->root[0] != '/')
		return false;
	memset(k, 0, sizeof(*k));
	k->sb = on->sb;
	k->idmap = on->idmap;
	k->root = on->root;
	k->mountpoint = place ? m->mountpoint : NULL;
	return true;
}

void cap_seen_init(struct cap_seen *s, const struct mc_topology *t)
{
	s->t = t;
	s->seed = mc_random_seed();
	s->by_key = mc_map_new();	/* without, each is looked at */
}

void cap_seen_free(struct cap_seen *s)
{
	mc_map_free(s->by_key);
}

const struct mc_file *cap_seen_get(const struct cap_seen *s, uint32_t mount, bool place)
{
	struct key k, other;
	uint32_t at;

	if (!s->by_key || !key_of(s->t, mount, place, &k) ||
	    !mc_map_get(s->by_key, mc_hash_bytes(&k, sizeof(k), s->seed), &at) ||
	    !key_of(s->t, at / 2, at % 2, &other) || memcmp(&k, &other, sizeof(k)))
		return NULL;
	return at % 2 ? &s->t->mounts[at / 2].mp_file : &s->t->mounts[at / 2].root_file;
}

void cap_seen_add(struct cap_seen *s, uint32_t mount, bool place)
{
	const struct mc_mount *m = &s->t->mounts[mount];
	uint32_t at = 2 * mount + place;
	struct key k;

	if (s->by_key && (place ? &m->mp_file : &m->root_file)->mode &&
	    key_of(s->t, mount, place, &k))
		mc_map_add(s->by_key, mc_hash_bytes(&k, sizeof(k), s->seed), &at);
}
