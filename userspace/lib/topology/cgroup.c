// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A container in another cgroup than it was dumped from: the roots of its mounts of
 * cgroup2, which say which cgroup each shows, and what is mounted on these.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "topology/topology.h"

struct mapping {
	struct mc_topology *t;
	const struct mntcr_cgroup_map *maps;
	size_t nr;
	bool *used;
	bool *wrong;		/* it is told of, and does not count */
	const struct mc_wrong *w;
	struct mntcr_error *e;
};

/* "/" is no component of what is below it. */
static size_t length(const char *path)
{
	return path[1] ? strlen(path) : 0;
}

static bool is_below(const char *path, const char *of)
{
	size_t n = length(of);

	return !strncmp(path, of, n) && (!path[n] || path[n] == '/');
}

static int check_map(const struct mapping *m, size_t i)
{
	const char *const paths[] = { m->maps[i].from, m->maps[i].to };
	const char *fault;
	char esc[128];
	size_t k;

	for (k = 0; k < MC_ARRAY_SIZE(paths); k++) {
		fault = mc_path_fault(paths[k], false);
		if (fault)
			return mc_fail(m->e, MNTCR_USAGE, 0, "the cgroup %s %s",
				       mc_escape(paths[k], esc, sizeof(esc)), fault);
	}
	for (k = 0; k < i; k++)
		if (!strcmp(m->maps[i].from, m->maps[k].from))
			return mc_fail(m->e, MNTCR_USAGE, 0, "the cgroup %s is mapped twice",
				       mc_escape(m->maps[i].from, esc, sizeof(esc)));
	return 0;
}

static int check_maps(const struct mapping *m)
{
	size_t i;

	for (i = 0; i < m->nr; i++) {
		m->wrong[i] = check_map(m, i);
		if (m->wrong[i] && mc_wrong_told(m->w, m->e))
			return -1;
	}
	return 0;
}

/* What path becomes, by the longest part of it that is mapped.  NULL: see e. */
static const char *mapped(const struct mapping *m, const char *path)
{
	size_t i, best = m->nr, n, k;
	const char *to, *ret;
	char *s;

	for (i = 0; i < m->nr; i++)
		if (!m->wrong[i] && is_below(path, m->maps[i].from) &&
		    (best == m->nr || length(m->maps[i].from) >
				      length(m->maps[best].from)))
			best = i;
	if (best == m->nr)
		return path;
	m->used[best] = true;
	path += length(m->maps[best].from);
	to = m->maps[best].to;
	n = length(to);
	k = strcmp(path, "/") ? strlen(path) : 0;
	if (!n && !k)
		return "/";
	if (n + k >= MC_MAX_PATH) {
		mc_fail(m->e, MNTCR_USAGE, 0, "a cgroup's path becomes too long");
		return NULL;
	}
	s = malloc(n + k + 1);
	if (s) {
		memcpy(s, to, n);
		memcpy(s + n, path, k);
		s[n + k] = '\0';
	}
	ret = s ? mc_topology_str(m->t, s) : NULL;
	free(s);
	if (!ret)
		mc_nomem(m->e);
	return ret;
}

/* Where child is mounted on what shows the cgroup from, and is to show to. */
static int map_child(const struct mapping *m, uint32_t child, const char *from,
		     const char *to)
{
	struct mc_mount *on = &m->t->mounts[child];
	size_t n = length(from), k = strlen(on->mountpoint);
	const char *path;
	char name[256];
	char *s;

	if (!on->mountpoint[1])
		return 0;
	s = malloc(n + k + 1);
	if (!s)
		return mc_nomem(m->e);
	memcpy(s, from, n);
	memcpy(s + n, on->mountpoint, k + 1);
	path = mc_topology_str(m->t, s);
	free(s);
	if (!path)
		return mc_nomem(m->e);
	path = mapped(m, path);
	if (!path)
		return -1;
	if (!is_below(path, to) || !path[length(to)])
		return mc_fail(m->e, MNTCR_USAGE, 0,
			       "%s: it is mounted on a cgroup which is mapped to where its parent would not show it",
			       mc_mount_name(m->t, child, name, sizeof(name)));
	on->mountpoint = path + length(to);
	return 0;
}

static int map_mount(const struct mapping *m, uint32_t i)
{
	struct mc_mount *mnt = &m->t->mounts[i];
	const char *to;
	uint32_t child;

	if (strcmp(m->t->sbs[mnt->sb].type, "cgroup2") ||
	    mc_path_fault(mnt->root, false))
		return 0;
	to = mapped(m, mnt->root);
	if (!to)
		return -1;
	mc_for_each_child(m->t, child, i)
		if (map_child(m, child, mnt->root, to) && mc_wrong_told(m->w, m->e))
			return -1;
	mnt->moved = strcmp(mnt->root, to);
	mnt->root = to;
	return 0;
}

static int map_all(const struct mapping *m)
{
	char esc[128];
	uint32_t i;
	size_t k;

	if (check_maps(m))
		return -1;
	for (i = 0; i < m->t->nr_mounts; i++)
		if (map_mount(m, i) && mc_wrong_told(m->w, m->e))
			return -1;
	for (k = 0; k < m->nr; k++) {
		if (m->used[k] || m->wrong[k])
			continue;
		mc_fail(m->e, MNTCR_USAGE, 0, "no mount is of the cgroup %s, or one below it",
			mc_escape(m->maps[k].from, esc, sizeof(esc)));
		if (mc_wrong_told(m->w, m->e))
			return -1;
	}
	return 0;
}

int mc_topology_map_cgroups(struct mc_topology *t, const struct mntcr_cgroup_map *maps,
			    size_t nr, const struct mc_wrong *w, struct mntcr_error *e)
{
	struct mapping m = {
		.t = t, .maps = maps, .nr = nr, .w = w, .e = e,
		.used = calloc(nr + 1, sizeof(*m.used)),
		.wrong = calloc(nr + 1, sizeof(*m.wrong)),
	};
	int ret = m.used && m.wrong ? map_all(&m) : mc_nomem(e);

	free(m.used);
	free(m.wrong);
	return ret;
}

int mntcr_topology_map_cgroups(struct mntcr_topology *t,
			       const struct mntcr_cgroup_map *maps, size_t nr,
			       struct mntcr_error *e)
{
	return mc_topology_map_cgroups(t, maps, nr, NULL, e);
}
