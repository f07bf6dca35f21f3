// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The work directory of an overlay: in "work" below it the kernel keeps what lives no
 * longer than one mount of the overlay, and cleans it out when the next one is made.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "topology/topology.h"

static int cmp_dir(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The superblock that a work directory is known to be in; MC_NONE: it is none. */
static uint32_t place(const struct mc_topology *t, const struct mc_layer *l)
{
	return l->kind == MC_LAYER_WORK && l->path && l->sb < t->nr_sbs ? l->sb : MC_NONE;
}

int mc_link_work(struct mc_topology *t, struct mntcr_error *e)
{
	uint32_t *nr = calloc(t->nr_sbs + 1UL, sizeof(*nr)), i, k, in;
	struct mc_sb *sb;

	if (!nr)
		return mc_nomem(e);
	for (i = 0; i < t->nr_sbs; i++)
		for (k = 0; k < t->sbs[i].nr_layers; k++) {
			in = place(t, &t->sbs[i].layers[k]);
			if (in != MC_NONE)
				nr[in]++;
		}
	for (i = 0; i < t->nr_sbs; i++) {
		sb = &t->sbs[i];
		sb->work = NULL;
		sb->nr_work = 0;
		if (!nr[i])
			continue;
		sb->work = mc_topology_alloc(t, nr[i] * sizeof(*sb->work));
		if (!sb->work)
			break;
	}
	free(nr);
	if (i < t->nr_sbs)
		return mc_nomem(e);
	for (i = 0; i < t->nr_sbs; i++)
		for (k = 0; k < t->sbs[i].nr_layers; k++) {
			in = place(t, &t->sbs[i].layers[k]);
			if (in == MC_NONE)
				continue;
			sb = &t->sbs[in];
			sb->work[sb->nr_work++] = t->sbs[i].layers[k].path + 1;
		}
	for (i = 0; i < t->nr_sbs; i++)
		if (t->sbs[i].nr_work)
			qsort(t->sbs[i].work, t->sbs[i].nr_work,
			      sizeof(*t->sbs[i].work), cmp_dir);
	return 0;
}

/* Are the first n bytes of path the name of one? */
static bool is_work(const struct mc_sb *sb, const char *path, size_t n)
{
	uint32_t from = 0, to = sb->nr_work, mid;
	int order;

	while (from < to) {
		mid = from + (to - from) / 2;
		order = strncmp(sb->work[mid], path, n);
		if (!order && !sb->work[mid][n])
			return true;
		if (order < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return false;
}

enum mc_scratch mc_scratch_at(const struct mc_sb *sb, const char *path)
{
	const char *p = path;
	size_t n;

	if (!sb->nr_work)
		return MC_SCRATCH_NONE;
	for (;; p += n + 1) {
		n = strcspn(p, "/");
		if (n == 4 && !memcmp(p, "work", 4) &&
		    is_work(sb, path, p == path ? 0 : (size_t)(p - path) - 1))
			return p[n] ? MC_SCRATCH_BELOW : MC_SCRATCH_DIR;
		if (!p[n])
			break;
	}
	return is_work(sb, path, strlen(path)) ? MC_SCRATCH_DIR : MC_SCRATCH_NONE;
}
