// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Namespaces that somebody else made, taken as a topology of mounts.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "restore.h"
#include "sys.h"

uint64_t world_mount_id(int fd)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID_UNIQUE, &st))
		return 0;
	return st.stx_mnt_id;
}

static uint64_t parent_of(uint64_t id)
{
	struct mc_statmount sm;
	struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER0, .mnt_id = id,
		.param = MC_STATMOUNT_MNT_BASIC,
	};

	return mc_statmount(&req, &sm, sizeof(sm), 0) ? 0 : sm.mnt_parent_id;
}

/* The mount that covers mount @i, or -1. */
static int cover_of(const struct topo *t, const struct layout *l, int i)
{
	for (int k = i + 1; k < t->nr; k++)
		if (l->over[k] && l->on[k] == i)
			return k;
	return -1;
}

/* A path leads to the top of a stack; what is covered is opened by its id. */
static int find_stack(struct world *w, const struct topo *t,
		      const struct layout *l, int i)
{
	int stack[TOPO_MAX], n = 0, ns = t->m[i].ns, on, at;
	char buf[DIR_PATH];
	const char *path;
	uint64_t id;

	on = build_place(t, l, i, &at);
	path = dir_path(at, on < 0 ? 0 : t->m[on].root, buf);
	for (int k = i; k >= 0; k = cover_of(t, l, k))
		stack[n++] = k;
	w->mnt[stack[--n]] = openat(on < 0 ? w->root[ns] : w->mnt[on], path,
				    O_PATH | O_CLOEXEC);
	if (w->mnt[stack[n]] < 0)
		return world_fail(w, "open", path);
	if (!n)
		return 0;
	if (world_enter(w, ns))
		return -1;
	id = world_mount_id(w->mnt[stack[n]]);
	while (n--) {
		id = parent_of(id);
		w->mnt[stack[n]] = mc_ns_mnt_open(w->ns[ns], id);
		if (w->mnt[stack[n]] < 0)
			return world_fail(w, "open by id what is covered at", path);
	}
	return 0;
}

int world_adopt(struct world *w, const struct world *like, const int *ns,
		int nr, const struct topo *t, const struct layout *l)
{
	*w = *like;
	w->nr = w->nr_ns = 0;
	w->in = -2;
	for (int k = 0; k < nr; k++) {
		w->ns[k] = fcntl(ns[k], F_DUPFD_CLOEXEC, 0);
		w->root[k] = -1;
		w->nr_ns++;
		if (w->ns[k] < 0 || world_enter(w, k))
			return world_fail(w, "setns", "the restored namespace");
		w->root[k] = open("/", O_PATH | O_CLOEXEC);
		if (w->root[k] < 0)
			return world_fail(w, "open", "the restored root");
	}
	for (int i = 0; i < t->nr; i++) {
		w->mnt[i] = -1;
		w->mnt_ns[i] = t->m[i].ns;
		w->mnt_root[i] = t->m[i].root;
	}
	w->nr = t->nr;
	for (int i = 0; i < t->nr; i++)
		if (!l->over[i] && find_stack(w, t, l, i))
			return -1;
	return 0;
}
