// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a container has of its host below locked mounts, nobody in there can see: an
 * empty read-only tmpfs may stand in for it where the host is another one.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "base/base.h"
#include "topology/topology.h"

struct looking {
	const struct mc_topology *t;
	uint32_t *cover;	/* per mount: the locked one on its root, or MC_NONE */
	uint8_t *known;		/* per mount: is its place hidden?  1 no, 2 yes */
	uint32_t *way;
};

/* By one on its own root, or on that of a mount on the way to it. */
static bool is_hidden(struct looking *l, uint32_t m)
{
	const struct mc_mount *mounts = l->t->mounts;
	uint32_t n = 0, at = m, but = MC_NONE;
	uint8_t is = 0;

	if (l->cover[m] != MC_NONE)
		return true;
	for (; at != MC_NONE && !is; but = at, at = mounts[at].parent) {
		if (but != MC_NONE && l->cover[at] != MC_NONE && l->cover[at] != but)
			is = 2;
		else if (l->known[at])
			is = l->known[at];
		else
			l->way[n++] = at;
	}
	is = is ? is : 1;
	while (n)
		l->known[l->way[--n]] = is;
	return is == 2;
}

static void find_covers(struct looking *l)
{
	const struct mc_mount *m = l->t->mounts;
	uint32_t i;

	for (i = 0; i < l->t->nr_mounts; i++)
		l->cover[i] = MC_NONE;
	for (i = 0; i < l->t->nr_mounts; i++)
		if (m[i].parent != MC_NONE && !m[i].mountpoint[1] &&
		    m[i].locks_known && m[i].locks & MOUNT_LOCK_MOUNT)
			l->cover[m[i].parent] = i;
}

static int check_all(const struct mc_topology *t, uint32_t sb, const char *key,
		     struct mntcr_error *e)
{
	struct looking l = {
		.t = t, .cover = malloc((t->nr_mounts + 1UL) * sizeof(*l.cover)),
		.known = calloc(t->nr_mounts + 1UL, sizeof(*l.known)),
		.way = malloc((t->nr_mounts + 1UL) * sizeof(*l.way)),
	};
	bool memory = l.cover && l.known && l.way;
	const char *why = NULL;
	char name[256];
	uint32_t i;

	if (memory)
		find_covers(&l);
	for (i = 0; memory && !why && i < t->nr_mounts; i++) {
		const struct mc_mount *m = &t->mounts[i];

		if (m->sb != sb)
			continue;
		if (m->root_deleted || mc_path_fault(m->root, false))
			why = "no path leads to its root";
		else if (m->idmap != MC_NONE)
			why = "it is idmapped";
		else if (!is_hidden(&l, i))
			why = "no locked mount hides all of it";
		if (why)
			mc_refuse(e, "stand-in", "%s: nothing stands in for its superblock, %s: %s",
				  mc_mount_name(t, i, name, sizeof(name)), key, why);
	}
	free(l.cover);
	free(l.known);
	free(l.way);
	return !memory ? mc_nomem(e) : why ? -1 : 0;
}

/* Nothing outside can be of a group with what is new. */
static void leave_outside(struct mc_topology *t, uint32_t sb)
{
	struct mc_group *g;
	uint32_t i, c, m;

	for (i = 0; i < t->nr_groups; i++) {
		g = &t->groups[i];
		if (g->sb != sb || g->nr_members)
			continue;
		for (m = g->first_slave_mount; m != MC_NONE; m = t->mounts[m].next_slave)
			t->mounts[m].master = MC_NONE;
		for (c = g->first_slave_group; c != MC_NONE;
		     c = t->groups[c].next_slave_group) {
			t->groups[c].master = MC_NONE;
			mc_for_each_member(t, m, c)
				t->mounts[m].master = MC_NONE;
		}
		g->first_slave_mount = g->first_slave_group = MC_NONE;
	}
}

static int stand_in(struct mc_topology *t, const char *key, struct mntcr_error *e)
{
	uint32_t i = mc_find_sb(t, key), m;
	struct mc_sb *sb;
	char esc[200];

	mc_escape(key, esc, sizeof(esc));
	if (i == MC_NONE || !t->sbs[i].nr_mounts)
		return mc_fail(e, MNTCR_USAGE, 0,
			       "to be stood in for: %s names no superblock of a mount",
			       esc);
	sb = &t->sbs[i];
	if (sb->stands_in_for)
		return mc_fail(e, MNTCR_USAGE, 0, "to be stood in for: %s: named twice",
			       esc);
	if (sb->whose != MC_WHOSE_HOST)
		return mc_refuse(e, "stand-in",
				 "nothing stands in for %s: the image does not say that it was the host's",
				 esc);
	if (check_all(t, i, esc, e))
		return -1;
	*sb = (struct mc_sb){
		.major = sb->major, .minor = sb->minor, .type = "tmpfs",
		.source = sb->source, .options = "mode=755",
		.userns = MC_NONE, .flags = MS_RDONLY, .pidns_depth = MC_NONE,
		.whose = MC_WHOSE_CONTAINER, .stands_in_for = sb->type,
		.nr_mounts = sb->nr_mounts,
	};
	for (m = 0; m < t->nr_mounts; m++)
		if (t->mounts[m].sb == i)
			t->mounts[m].options = t->mounts[m].source = NULL;
	leave_outside(t, i);
	return 0;
}

int mc_topology_stand_in(struct mc_topology *t, const char *const *keys, size_t nr,
			 const struct mc_wrong *w, struct mntcr_error *e)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (stand_in(t, keys[i], e) && mc_wrong_told(w, e))
			return -1;
	return 0;
}

int mntcr_topology_stand_in(struct mntcr_topology *t, const char *const *keys, size_t nr,
			    struct mntcr_error *e)
{
	memset(e, 0, sizeof(*e));
	return mc_topology_stand_in(t, keys, nr, NULL, e);
}
