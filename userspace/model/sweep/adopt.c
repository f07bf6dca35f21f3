// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Namespaces that somebody else made, taken as a topology of mounts.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * A mount is known by its parent and its mountpoint, from the root downwards,
 * whatever covers it and in whatever order mounts are listed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "sweep/restore.h"
#include "base/base.h"

#define MAX_LISTED	256

struct listed {
	uint64_t id, parent;
	char point[256];	/* from the root of the namespace */
};

struct listing {
	int nr;
	struct listed l[MAX_LISTED];	/* the root is the first */
};

uint64_t world_mount_id(int fd)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID_UNIQUE, &st))
		return 0;
	return st.stx_mnt_id;
}

static int add_listed(struct world *w, struct listing *ls, uint64_t id)
{
	union {
		struct mc_statmount sm;
		char bytes[2048];
	} buf;
	struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER0, .mnt_id = id,
		.param = MC_STATMOUNT_MNT_BASIC | MC_STATMOUNT_MNT_POINT,
	};
	struct listed *l = &ls->l[ls->nr];

	if (ls->nr == MAX_LISTED) {
		errno = E2BIG;
		return world_fail(w, "list", "mounts");
	}
	if (mc_statmount(&req, &buf.sm, sizeof(buf), 0))
		return world_fail(w, "statmount", "a listed mount");
	l->id = id;
	l->parent = buf.sm.mnt_parent_id;
	if (snprintf(l->point, sizeof(l->point), "%s",
		     buf.sm.str + buf.sm.mnt_point) >= (int)sizeof(l->point)) {
		errno = ENAMETOOLONG;
		return world_fail(w, "mountpoint", buf.sm.str + buf.sm.mnt_point);
	}
	ls->nr++;
	return 0;
}

/* The namespace that the process is in. */
static int list_mounts(struct world *w, int ns, struct listing *ls)
{
	struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER0, .mnt_id = MC_LSMT_ROOT,
	};
	uint64_t root = world_mount_id(w->root[ns]), ids[MAX_LISTED];
	ssize_t n = mc_listmount(&req, ids, MAX_LISTED, 0);

	ls->nr = 0;
	if (n < 0 || !root)
		return world_fail(w, "listmount", "");
	if (add_listed(w, ls, root))
		return -1;
	for (ssize_t i = 0; i < n; i++)
		if (ids[i] != root && add_listed(w, ls, ids[i]))
			return -1;
	return 0;
}

/* The one that is where the model's mount @k is; NULL: none, or two. */
static const struct listed *look_up(const struct listing *ls,
				    const struct model *m, int k)
{
	const struct model_mount *p = &m->mnt[k];
	const struct listed *up, *found = NULL;
	char point[sizeof(up->point)], buf[DIR_PATH];
	const char *rest;

	if (p->parent < 0)
		return &ls->l[0];
	up = look_up(ls, m, p->parent);
	if (!up)
		return NULL;
	rest = dir_path(p->at, m->mnt[p->parent].root, buf);
	if (!*rest)
		strcpy(point, up->point);
	else if (snprintf(point, sizeof(point), "%s/%s",
			  strcmp(up->point, "/") ? up->point : "", rest) >=
		 (int)sizeof(point))
		return NULL;
	for (int i = 1; i < ls->nr; i++) {
		if (ls->l[i].parent != up->id || strcmp(ls->l[i].point, point))
			continue;
		if (found)
			return NULL;
		found = &ls->l[i];
	}
	return found;
}

/* -1 with ENOENT: what is found at its mountpoint is another one. */
static int open_path(struct world *w, int ns, const struct listed *l)
{
	int fd = openat(w->root[ns], l->point[1] ? l->point + 1 : ".",
			O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || world_mount_id(fd) == l->id)
		return fd;
	close(fd);
	errno = ENOENT;
	return -1;
}

/* What no path leads to is opened by its id: -1 where no call does that. */
static int open_mount(struct world *w, int ns, const struct listed *l)
{
	int fd = open_path(w, ns, l);

	return fd < 0 ? mc_ns_mnt_open(w->ns[ns], l->id) : fd;
}

int world_leads_to(struct world *w, int i)
{
	int ns = w->mnt_ns[i], fd;
	struct listing ls;

	ls.nr = 0;
	if (world_enter(w, ns) || add_listed(w, &ls, world_mount_id(w->mnt[i])))
		return -1;
	fd = open_path(w, ns, &ls.l[0]);
	if (fd < 0)
		return errno == ENOENT ? 0 : world_fail(w, "open", ls.l[0].point);
	close(fd);
	return 1;
}

int world_find(struct world *w, const struct model *m, const int *mnt, int from,
	       uint64_t *id)
{
	bool by_id = world_has_api();
	struct listing ls;
	char name[16];

	for (int k = 0; k < w->nr_ns; k++) {
		ls.nr = 0;
		for (int i = from; i < w->nr; i++) {
			const struct listed *l;

			if (w->mnt_ns[i] != k)
				continue;
			if (!ls.nr && (world_enter(w, k) ||
				       list_mounts(w, k, &ls)))
				return -1;
			snprintf(name, sizeof(name), "mount %d", i);
			errno = ENOENT;
			l = look_up(&ls, m, mnt[i]);
			if (!l)
				return world_fail(w, "look for", name);
			id[i] = l->id;
			w->mnt[i] = open_mount(w, k, l);
			if (w->mnt[i] < 0 && by_id)
				return world_fail(w, "open", name);
		}
	}
	return 0;
}

int world_adopt(struct world *w, const struct world *like, const int *ns,
		const struct model *m, const int *mnt, uint64_t *id)
{
	*w = *like;
	w->nr_ns = 0;
	w->in = -2;
	for (int i = 0; i < w->nr; i++)
		w->mnt[i] = -1;
	for (int k = 0; k < like->nr_ns; k++) {
		w->ns[k] = fcntl(ns[k], F_DUPFD_CLOEXEC, 0);
		w->root[k] = w->under[k] = -1;
		w->nr_ns++;
		if (w->ns[k] < 0 || world_enter(w, k))
			return world_fail(w, "setns", "the restored namespace");
		w->root[k] = open("/", O_PATH | O_CLOEXEC);
		if (w->root[k] < 0)
			return world_fail(w, "open", "the restored root");
	}
	return world_find(w, m, mnt, 0, id);
}
