// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A part of a topology: some namespaces, and in these what shares with a group, or
 * what an event on a mount can reach.  Mounts above those stay, so that what is left
 * are trees again.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "topology/topology.h"

struct selection {
	struct mc_topology *t;
	const struct mntcr_select_options *o;
	struct mntcr_error *e;
	bool *ns;		/* by namespace: chosen */
	bool *mount;		/* by mount: chosen */
	bool *kept;		/* by mount: chosen, or above one that is */
	uint32_t *todo;		/* groups that are still to be looked at */
	uint32_t nr_todo;
	bool *seen;		/* by group: has been in todo */
	uint32_t *index;	/* of what is left: where it goes */
};

static int ns_named(const struct selection *s, const char *key, uint32_t *ns)
{
	char esc[200];

	switch (mc_ns_named(s->t, key, ns)) {
	case 0:
		return mc_fail(s->e, MNTCR_USAGE, 0, "%s names no namespace of these",
			       mc_escape(key, esc, sizeof(esc)));
	case 1:
		return 0;
	default:
		return mc_fail(s->e, MNTCR_USAGE, 0,
			       "%s may be one namespace or another; their mnt:[INODE] tells them apart",
			       mc_escape(key, esc, sizeof(esc)));
	}
}

static int choose_namespaces(struct selection *s)
{
	uint32_t ns;
	size_t i;

	if (!s->o->nr_namespaces)
		memset(s->ns, true, s->t->nr_ns);
	for (i = 0; i < s->o->nr_namespaces; i++) {
		if (ns_named(s, s->o->namespaces[i], &ns))
			return -1;
		s->ns[ns] = true;
	}
	return 0;
}

static void look_at(struct selection *s, uint32_t group)
{
	if (s->seen[group])
		return;
	s->seen[group] = true;
	s->todo[s->nr_todo++] = group;
}

/*
 * One path from the root of a superblock is above the other, or the same.  What has no
 * such path meets only its like.
 */
static bool roots_meet(const struct mc_mount *a, const struct mc_mount *b)
{
	size_t n = strlen(a->root), m = strlen(b->root);
	const char *longer = n > m ? a->root : b->root;

	if (a->root_deleted || b->root_deleted || a->root[0] != '/' || b->root[0] != '/')
		return !strcmp(a->root, b->root) && a->root_deleted == b->root_deleted;
	if (n > m)
		n = m;
	return n == 1 || (!strncmp(a->root, b->root, n) &&
			  (!longer[n] || longer[n] == '/'));
}

/* Members, slaves, and theirs: of them those that can see something of mount "from". */
static void choose_receivers(struct selection *s, const struct mc_mount *from)
{
	const struct mc_topology *t = s->t;
	const struct mc_group *g;
	uint32_t m, c, at;

	for (at = 0; at < s->nr_todo; at++) {
		g = &t->groups[s->todo[at]];
		mc_for_each_member(t, m, s->todo[at])
			if (!from || roots_meet(from, &t->mounts[m]))
				s->mount[m] = true;
		for (m = g->first_slave_mount; m != MC_NONE; m = t->mounts[m].next_slave)
			if (!from || roots_meet(from, &t->mounts[m]))
				s->mount[m] = true;
		for (c = g->first_slave_group; c != MC_NONE;
		     c = t->groups[c].next_slave_group)
			look_at(s, c);
	}
	while (s->nr_todo)
		s->seen[s->todo[--s->nr_todo]] = false;
}

static int choose_group(struct selection *s, uint64_t id)
{
	const struct mc_topology *t = s->t;
	uint32_t g = id ? mc_find_group(t, id) : MC_NONE, m;

	if (g == MC_NONE)
		return mc_fail(s->e, MNTCR_USAGE, 0, "there is no peer group %" PRIu64 " in these",
			       id);
	look_at(s, g);
	choose_receivers(s, NULL);
	for (g = t->groups[g].master; g != MC_NONE; g = t->groups[g].master)
		mc_for_each_member(t, m, g)
			s->mount[m] = true;
	return 0;
}

/* ID, or [NAMESPACE:]PATH. */
static int mount_named(struct selection *s, const char *key, uint32_t *mount)
{
	const struct mc_topology *t = s->t;
	const char *path = strstr(key, ":/");
	uint32_t ns = 0;
	char esc[200], *name;
	uint64_t id;
	int ret = 0;

	*mount = MC_NONE;
	if (*key == '/') {
		path = key;
		while (ns < t->nr_ns && !s->ns[ns])
			ns++;
	} else if (path) {
		name = strndup(key, (size_t)(path++ - key));
		if (!name)
			return mc_nomem(s->e);
		ret = ns_named(s, name, &ns);
		free(name);
	}
	if (ret)
		return ret;
	if (path)
		*mount = ns < t->nr_ns ? mc_mount_at(t, ns, path) : MC_NONE;
	else if (mc_parse_u64(key, &id))
		*mount = mc_find_mount(t, id);
	if (*mount == MC_NONE)
		return mc_fail(s->e, MNTCR_USAGE, 0, "%s names no mount of these",
			       mc_escape(key, esc, sizeof(esc)));
	return 0;
}

static int choose_reached(struct selection *s, const char *key)
{
	uint32_t m;

	if (mount_named(s, key, &m))
		return -1;
	s->mount[m] = true;
	if (s->t->mounts[m].group != MC_NONE) {
		look_at(s, s->t->mounts[m].group);
		choose_receivers(s, &s->t->mounts[m]);
	}
	return 0;
}

static int choose_mounts(struct selection *s)
{
	const struct mc_topology *t = s->t;
	bool all = !s->o->nr_groups && !s->o->nr_reaches, any = all;
	uint32_t i, up;
	size_t n;

	for (n = 0; n < s->o->nr_groups; n++)
		if (choose_group(s, s->o->groups[n]))
			return -1;
	for (n = 0; n < s->o->nr_reaches; n++)
		if (choose_reached(s, s->o->reaches[n]))
			return -1;
	for (i = 0; i < t->nr_mounts; i++) {
		s->mount[i] = (all || s->mount[i]) && s->ns[t->mounts[i].ns];
		for (up = i; s->mount[i] && up != MC_NONE && !s->kept[up];
		     up = t->mounts[up].parent)
			s->kept[up] = true;
		any |= s->mount[i];
	}
	return any ? 0 : mc_fail(s->e, MNTCR_USAGE, 0,
				 "nothing of that is in the namespaces that were chosen");
}

/* What is left of an array of nr, and in index where each of it went. */
static uint32_t compact(void *array, size_t size, uint32_t nr, const bool *keep,
			uint32_t *index)
{
	char *p = array;
	uint32_t i, n = 0;

	for (i = 0; i < nr; i++) {
		index[i] = keep[i] ? n : MC_NONE;
		if (!keep[i])
			continue;
		if (n != i)
			memcpy(p + n * size, p + i * size, size);
		n++;
	}
	return n;
}

static void renumber(uint32_t *i, const uint32_t *index)
{
	if (*i != MC_NONE)
		*i = index[*i];
}

static void keep_mounts(struct selection *s)
{
	struct mc_topology *t = s->t;
	uint32_t i;

	for (i = 0; i < t->nr_mounts; i++)
		t->mounts[i].above = !s->mount[i];
	t->nr_mounts = compact(t->mounts, sizeof(*t->mounts), t->nr_mounts, s->kept,
			       s->index);
	for (i = 0; i < t->nr_mounts; i++)
		renumber(&t->mounts[i].parent, s->index);
}

/* A namespace that was named stays, with no mount, too. */
static void keep_namespaces(struct selection *s)
{
	struct mc_topology *t = s->t;
	bool all = !s->o->nr_groups && !s->o->nr_reaches;
	uint32_t i;

	for (i = 0; i < t->nr_ns; i++)
		t->ns[i].number = i + 1;
	for (i = 0; i < t->nr_ns && !all; i++)
		s->ns[i] = false;
	for (i = 0; i < t->nr_mounts; i++)
		s->ns[t->mounts[i].ns] = true;
	t->nr_ns = compact(t->ns, sizeof(*t->ns), t->nr_ns, s->ns, s->index);
	for (i = 0; i < t->nr_mounts; i++)
		renumber(&t->mounts[i].ns, s->index);
}

/* Of what is not left, nothing is known any more. */
static void renumber_layers(struct mc_sb *sb, const uint32_t *index)
{
	uint32_t i;

	for (i = 0; i < sb->nr_layers; i++) {
		renumber(&sb->layers[i].sb, index);
		if (sb->layers[i].sb != MC_NONE)
			continue;
		sb->layers[i].path = NULL;
		sb->layers[i].idmap = MC_NONE;
	}
}

static void keep_superblocks(struct selection *s)
{
	struct mc_topology *t = s->t;
	bool *keep = s->kept;
	uint32_t i;

	memset(keep, false, t->nr_sbs);
	for (i = 0; i < t->nr_mounts; i++)
		keep[t->mounts[i].sb] = true;
	t->nr_sbs = compact(t->sbs, sizeof(*t->sbs), t->nr_sbs, keep, s->index);
	for (i = 0; i < t->nr_sbs; i++) {
		t->sbs[i].nr_mounts = 0;
		renumber_layers(&t->sbs[i], s->index);
	}
	for (i = 0; i < t->nr_mounts; i++)
		renumber(&t->mounts[i].sb, s->index);
}

/* Without a member that is left a group is outside of these, and its master unknown. */
static void keep_groups(struct selection *s)
{
	struct mc_topology *t = s->t;
	bool *keep = s->kept, *member = s->seen;
	uint32_t i;

	memset(keep, false, t->nr_groups);
	memset(member, false, t->nr_groups);
	for (i = 0; i < t->nr_mounts; i++) {
		const struct mc_mount *m = &t->mounts[i];

		if (m->group != MC_NONE)
			keep[m->group] = member[m->group] = true;
		if (m->master != MC_NONE)
			keep[m->master] = true;
	}
	for (i = 0; i < t->nr_groups; i++)
		if (!member[i])
			t->groups[i].master = MC_NONE;
	t->nr_groups = compact(t->groups, sizeof(*t->groups), t->nr_groups, keep, s->index);
	for (i = 0; i < t->nr_groups; i++)
		renumber(&t->groups[i].master, s->index);
	for (i = 0; i < t->nr_mounts; i++) {
		renumber(&t->mounts[i].group, s->index);
		renumber(&t->mounts[i].master, s->index);
	}
}

int mntcr_topology_select(struct mntcr_topology *t, const struct mntcr_select_options *opts,
			  struct mntcr_error *e)
{
	struct mntcr_select_options o;
	struct selection s = { .t = t, .o = &o, .e = e };
	size_t most = (size_t)t->nr_mounts + t->nr_ns + t->nr_sbs + t->nr_groups + 1;
	int ret = -1;

	memset(e, 0, sizeof(*e));
	if (mc_take_options(&o, sizeof(o), sizeof(o), opts, "select_options", e))
		return -1;
	s.ns = calloc(most, sizeof(*s.ns));
	s.mount = calloc(most, sizeof(*s.mount));
	s.kept = calloc(most, sizeof(*s.kept));
	s.seen = calloc(most, sizeof(*s.seen));
	s.todo = calloc(most, sizeof(*s.todo));
	s.index = calloc(most, sizeof(*s.index));
	if (!s.ns || !s.mount || !s.kept || !s.seen || !s.todo || !s.index)
		mc_nomem(e);
	else if (!choose_namespaces(&s) && !choose_mounts(&s)) {
		keep_mounts(&s);
		keep_namespaces(&s);
		keep_superblocks(&s);
		keep_groups(&s);
		ret = mc_topology_again(t, e);
	}
	free(s.ns);
	free(s.mount);
	free(s.kept);
	free(s.seen);
	free(s.todo);
	free(s.index);
	return ret;
}
