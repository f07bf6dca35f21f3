// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Namespaces whose files are mounted and that a plan has from nowhere: each is named by
 * an --external of its own.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>

#include "check/check.h"

static int new_file(struct mc_ns_files *f, const struct mc_mount *m, uint32_t *at,
		    struct mntcr_error *e)
{
	const char *type = mc_nstype_name(m->nsfs_type);
	struct mc_ns_file *x;

	if (!f->by_ino)
		f->by_ino = mc_map_new();
	if (!f->by_ino || !mc_grow(&f->list, f->nr, &f->max, sizeof(*f->list)))
		return mc_nomem(e);
	*at = f->nr;
	if (mc_map_add(f->by_ino, m->nsfs_ino, at) < 0)
		return mc_nomem(e);
	x = &f->list[f->nr++];
	*x = (struct mc_ns_file){ .helps = true };
	if (asprintf(&x->key, "%s:[%" PRIu64 "]", type ? type : "?", m->nsfs_ino) < 0) {
		x->key = NULL;
		return mc_nomem(e);
	}
	return 0;
}

/*
 * A mount namespace that is not in the image nobody can give: it is the younger one.  A
 * user namespace that is in it is given as an owner.
 */
static bool is_lacking(const struct mc_plan *p, uint32_t m)
{
	const struct mc_mount *mnt = &p->topo->mounts[m];

	return mnt->nsfs_type && mnt->nsfs_type != CLONE_NEWNS &&
	       mnt->nsfs_userns == MC_NONE && p->src_of[m] == MC_NONE;
}

int mc_ns_files_find(struct mc_ns_files *f, const struct mc_plan *p, const bool *except,
		     struct mntcr_error *e)
{
	struct mc_ns_file *x;
	uint32_t m, at;

	for (m = 0; m < p->topo->nr_mounts; m++) {
		if (!is_lacking(p, m) || (except && except[m]))
			continue;
		if ((!f->by_ino || !mc_map_get(f->by_ino, p->topo->mounts[m].nsfs_ino, &at)) &&
		    new_file(f, &p->topo->mounts[m], &at, e))
			return -1;
		x = &f->list[at];
		if (!mc_grow(&x->mounts, x->nr_mounts, &x->max_mounts, sizeof(*x->mounts)))
			return mc_nomem(e);
		x->mounts[x->nr_mounts++] = m;
	}
	return 0;
}

void mc_ns_files_given(struct mc_ns_files *f, const struct mc_plan *p)
{
	uint32_t m, at;

	for (m = 0; f->by_ino && m < p->topo->nr_mounts; m++)
		if (is_lacking(p, m) &&
		    mc_map_get(f->by_ino, p->topo->mounts[m].nsfs_ino, &at))
			f->list[at].helps = false;
}

uint32_t mc_ns_files_name(const struct mc_ns_files *f, struct mntcr_external *x)
{
	uint32_t i, n = 0;

	for (i = 0; i < f->nr; i++)
		if (f->list[i].helps)
			x[n++] = (struct mntcr_external){ .key = f->list[i].key,
							  .path = "PATH" };
	return n;
}

static bool helps(const struct mc_ns_files *f, const struct mc_topology *t, uint32_t mount)
{
	uint32_t at;

	return f->by_ino && mc_map_get(f->by_ino, t->mounts[mount].nsfs_ino, &at) &&
	       f->list[at].helps;
}

void mc_ns_files_report(const struct mc_ns_files *f, const struct mc_ns_files *needed,
			struct mc_report *r)
{
	struct mntcr_external x = { .path = "PATH" };
	uint32_t i;

	for (i = 0; i < f->nr; i++) {
		if (!f->list[i].helps)
			continue;
		x.key = f->list[i].key;
		(!needed || helps(needed, r->t, f->list[i].mounts[0]) ?
		 mc_report_option : mc_report_alternative)
			(r, r->externals, "--external", &x, f->list[i].mounts,
			 f->list[i].nr_mounts);
	}
}

void mc_ns_files_free(struct mc_ns_files *f)
{
	uint32_t i;

	for (i = 0; i < f->nr; i++) {
		free(f->list[i].key);
		free(f->list[i].mounts);
	}
	free(f->list);
	mc_map_free(f->by_ino);
}
