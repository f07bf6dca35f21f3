// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Unlinked roots: which mounts show the same one.  A path does not say, since a name
 * can be given again and taken away again.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "topology/topology.h"

struct root {
	const struct mc_mount *m;
	uint32_t mount, same;	/* as which one, the first of them */
	char *path;
};

static int cmp_same(const void *a, const void *b)
{
	const struct root *x = a, *y = b;
	int c;

	if (x->m->sb != y->m->sb)
		return x->m->sb < y->m->sb ? -1 : 1;
	if (x->m->root_ino != y->m->root_ino)
		return x->m->root_ino < y->m->root_ino ? -1 : 1;
	c = strcmp(x->m->root, y->m->root);
	return c ? c : (x->mount > y->mount) - (x->mount < y->mount);
}

/* By where they are seen, which is the same in what is restored. */
static int cmp_place(const void *a, const void *b)
{
	const struct root *x = a, *y = b;
	int c;

	if (x->m->sb != y->m->sb)
		return x->m->sb < y->m->sb ? -1 : 1;
	if (x->m->ns != y->m->ns)
		return x->m->ns < y->m->ns ? -1 : 1;
	c = strcmp(x->path, y->path);
	return c ? c : (x->mount > y->mount) - (x->mount < y->mount);
}

static bool same(const struct root *a, const struct root *b)
{
	return a->m->sb == b->m->sb && a->m->root_ino == b->m->root_ino &&
	       !strcmp(a->m->root, b->m->root);
}

static void number(struct mc_topology *t, struct root *r, uint32_t nr, uint32_t *given)
{
	uint32_t i, next = 0;

	qsort(r, nr, sizeof(*r), cmp_same);
	for (i = 0; i < nr; i++)
		r[i].same = i && same(&r[i - 1], &r[i]) ? r[i - 1].same : r[i].mount;
	qsort(r, nr, sizeof(*r), cmp_place);
	for (i = 0; i < nr; i++) {
		if (!i || r[i - 1].m->sb != r[i].m->sb)
			next = 0;
		if (!given[r[i].same])
			given[r[i].same] = ++next;
		t->mounts[r[i].mount].unlinked = given[r[i].same];
	}
}

int mc_number_unlinked(struct mc_topology *t, struct mntcr_error *e)
{
	uint32_t *given = NULL, nr = 0, i;
	struct root *r = NULL;
	int ret = 0;

	for (i = 0; i < t->nr_mounts; i++)
		nr += t->mounts[i].root_deleted && t->mounts[i].root_ino;
	if (!nr)
		return 0;
	r = calloc(nr, sizeof(*r));
	given = calloc(t->nr_mounts, sizeof(*given));
	if (!r || !given)
		ret = mc_nomem(e);
	for (nr = 0, i = 0; i < t->nr_mounts && !ret; i++) {
		if (!t->mounts[i].root_deleted || !t->mounts[i].root_ino)
			continue;
		r[nr] = (struct root){ &t->mounts[i], i, 0, mc_mount_path(t, i) };
		if (!r[nr++].path)
			ret = mc_nomem(e);
	}
	if (!ret)
		number(t, r, nr, given);
	while (nr)
		free(r[--nr].path);
	free(r);
	free(given);
	return ret;
}
