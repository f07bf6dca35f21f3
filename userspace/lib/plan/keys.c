// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Superblocks and namespaces by what keys name them with: there may be as many keys as
 * there are of these.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <string.h>

#include "plan/priv.h"

static int cmp_device(const void *a, const void *b)
{
	const struct mc_sb_by_device *x = a, *y = b;

	return (x->device > y->device) - (x->device < y->device);
}

static int cmp_source(const void *a, const void *b)
{
	const struct mc_sb_by_source *x = a, *y = b;

	return strcmp(x->source, y->source);
}

static int cmp_file(const void *a, const void *b)
{
	const struct mc_ns_by_file *x = a, *y = b;

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	return (x->ino > y->ino) - (x->ino < y->ino);
}

int mc_plan_sort_keys(struct mc_plan *p, struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	struct mc_plan_priv *v = p->priv;
	uint32_t i, k = 0;

	v->by_device = calloc(t->nr_sbs + 1UL, sizeof(*v->by_device));
	v->by_source = calloc((size_t)t->nr_sbs + t->nr_mounts + 1, sizeof(*v->by_source));
	v->by_file = calloc(t->nr_mounts + 1UL, sizeof(*v->by_file));
	if (!v->by_device || !v->by_source || !v->by_file)
		return mc_nomem(e);
	for (i = 0; i < t->nr_sbs; i++) {
		v->by_device[i] = (struct mc_sb_by_device){
			MNTCR_DEVICE(t->sbs[i].major, t->sbs[i].minor), i };
		if (t->sbs[i].source)
			v->by_source[v->nr_by_source++] = (struct mc_sb_by_source){
				t->sbs[i].source, i };
	}
	/* A mount may show another source than the superblock's first one. */
	for (i = 0; i < t->nr_mounts; i++)
		if (t->mounts[i].source)
			v->by_source[v->nr_by_source++] = (struct mc_sb_by_source){
				t->mounts[i].source, t->mounts[i].sb };
	for (i = 0; i < t->nr_mounts; i++)
		if (t->mounts[i].nsfs_type)
			v->by_file[v->nr_by_file++] = (struct mc_ns_by_file){
				t->mounts[i].nsfs_type, t->mounts[i].nsfs_ino, i, NULL };
	qsort(v->by_device, t->nr_sbs, sizeof(*v->by_device), cmp_device);
	qsort(v->by_source, v->nr_by_source, sizeof(*v->by_source), cmp_source);
	qsort(v->by_file, v->nr_by_file, sizeof(*v->by_file), cmp_file);
	for (i = 0; i < v->nr_by_file; i++)
		if (!k || cmp_file(&v->by_file[k - 1], &v->by_file[i]))
			v->by_file[k++] = v->by_file[i];
	v->nr_by_file = k;
	return 0;
}

uint32_t mc_plan_first_device(const struct mc_plan *p, uint64_t device)
{
	const struct mc_plan_priv *v = p->priv;
	uint32_t lo = 0, hi = p->topo->nr_sbs, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (v->by_device[mid].device < device)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

uint32_t mc_plan_first_source(const struct mc_plan *p, const char *source)
{
	const struct mc_plan_priv *v = p->priv;
	uint32_t lo = 0, hi = v->nr_by_source, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (strcmp(v->by_source[mid].source, source) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct mc_ns_by_file *mc_plan_by_file(const struct mc_plan *p, uint32_t type, uint64_t ino)
{
	const struct mc_plan_priv *v = p->priv;
	const struct mc_ns_by_file key = { .type = type, .ino = ino };

	return v->nr_by_file ? bsearch(&key, v->by_file, v->nr_by_file, sizeof(key),
				       cmp_file) : NULL;
}
