// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The order of making namespaces.  The file of one can be bound only in one
 * that is older.  Ids tell their age; where an old kernel did not give them,
 * the files do.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>

#include "plan/priv.h"

static int cmp_ns(const void *a, const void *b, void *data)
{
	const struct mc_topology *t = data;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (t->ns[x].id != t->ns[y].id)
		return t->ns[x].id < t->ns[y].id ? -1 : 1;
	return (x > y) - (x < y);
}

/*
 * First those namespaces whose file is not mounted in one that is yet to be
 * made.
 */
static uint32_t by_files(const struct mc_topology *t, const uint32_t *sorted,
			 uint32_t *holders, uint32_t *order)
{
	uint32_t n = 0, i, k, m, ns;

	for (m = 0; m < t->nr_mounts; m++)
		if (t->mounts[m].nsfs_ns != MC_NONE)
			holders[t->mounts[m].nsfs_ns]++;
	for (i = 0; i < t->nr_ns; i++)
		if (!holders[sorted[i]])
			order[n++] = sorted[i];
	for (i = 0; i < n; i++) {
		for (k = 0; k < t->ns[order[i]].nr_mounts; k++) {
			ns = t->mounts[t->ns[order[i]].first_mount + k].nsfs_ns;
			if (ns != MC_NONE && !--holders[ns])
				order[n++] = ns;
		}
	}
	return n;
}

static bool in_order(const struct mc_topology *t, const uint32_t *sorted,
		     uint32_t *at)
{
	uint32_t i;

	for (i = 0; i < t->nr_ns; i++)
		at[sorted[i]] = i;
	for (i = 0; i < t->nr_mounts; i++)
		if (t->mounts[i].nsfs_ns != MC_NONE &&
		    at[t->mounts[i].ns] >= at[t->mounts[i].nsfs_ns])
			return false;
	return true;
}

/* Those left have holders: their files, and an order to go on with. */
static int refuse_cycle(struct mc_plan *p, const uint32_t *sorted,
			const uint32_t *holders, struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	uint32_t m, ns, i;

	for (m = 0; m < t->nr_mounts; m++) {
		ns = t->mounts[m].nsfs_ns;
		if (ns != MC_NONE && holders[ns] && holders[t->mounts[m].ns] &&
		    mc_plan_refuse(p, e, "namespace-cycle", &m, 1,
				   "an image without one of the namespaces",
				   "files of namespaces are mounted in one another in a circle"))
			return -1;
	}
	for (i = 0; i < t->nr_ns; i++)
		p->priv->ns_order[i] = sorted[i];
	return 0;
}

int mc_plan_ns_order(struct mc_plan *p, struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	uint32_t *sorted = calloc(t->nr_ns + 1, sizeof(*sorted));
	uint32_t *scratch = calloc(t->nr_ns + 1, sizeof(*scratch));
	uint32_t *order = p->priv->ns_order, i;
	int ret = 0;

	if (!sorted || !scratch) {
		ret = mc_nomem(e);
		goto out;
	}
	for (i = 0; i < t->nr_ns; i++)
		sorted[i] = i;
	qsort_r(sorted, t->nr_ns, sizeof(*sorted), cmp_ns, (void *)t);
	if (in_order(t, sorted, scratch)) {
		for (i = 0; i < t->nr_ns; i++)
			order[i] = sorted[i];
		goto out;
	}
	for (i = 0; i < t->nr_ns; i++)
		scratch[i] = 0;
	if (by_files(t, sorted, scratch, order) != t->nr_ns)
		ret = refuse_cycle(p, sorted, scratch, e);
out:
	free(sorted);
	free(scratch);
	return ret;
}

/* Each is younger than those that do not wait, or wait for the same. */
static bool is_turned_round(const struct mc_plan *p, const struct mc_mount *m)
{
	uint32_t in = mc_plan_owner_need(p, p->topo->ns[m->ns].userns);
	uint32_t of = mc_plan_owner_need(p, p->topo->ns[m->nsfs_ns].userns);

	return in != MC_NONE && in != of;
}

int mc_plan_late_files(struct mc_plan *p, struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	uint32_t m;

	for (m = 0; p->owner_need && m < t->nr_mounts; m++)
		if (t->mounts[m].nsfs_ns != MC_NONE && is_turned_round(p, &t->mounts[m]) &&
		    mc_plan_refuse(p, e, "late-namespace-file", &m, 1,
				   "the owner at once: --owner INODE=PATH",
				   "the file of a namespace is mounted in one whose owner is given late: that one would be the younger of the two, and only an older one can hold the file"))
			return -1;
	return 0;
}

int mc_plan_namespace(struct mc_plan *p, uint32_t ns, struct mntcr_error *e)
{
	return mc_plan_op(p, MC_OP_NS, MC_REF(MC_REF_NS, ns)) ? 0 : mc_nomem(e);
}

int mc_plan_namespaces(struct mc_plan *p, struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	uint32_t i, ns;

	for (i = 0; i < t->nr_ns; i++) {
		ns = p->priv->ns_order[i];
		if (mc_plan_owner_need(p, t->ns[ns].userns) == MC_NONE &&
		    mc_plan_namespace(p, ns, e))
			return -1;
	}
	return 0;
}
