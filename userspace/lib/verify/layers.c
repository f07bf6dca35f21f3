// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the options of overlays led to.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <stdlib.h>

#include "verify/pairs.h"

static const char *layer_words(const struct mc_topology *t, const struct mc_layer *l,
			       char *buf, size_t size)
{
	const struct mc_sb *of = &t->sbs[l->sb];
	char map[32] = "";

	if (l->idmap != MC_NONE)
		snprintf(map, sizeof(map), " by idmap %u", l->idmap);
	snprintf(buf, size, "%s %.300s of %u:%u%s", mc_layer_option(l->kind), l->path,
		 of->major, of->minor, map);
	return buf;
}

/* What its options led to, as far as that is known in both. */
static void compare_layers(struct mc_verify *v, const struct mc_pair *p,
			   const struct mc_sb *x, const struct mc_sb *y)
{
	char wx[400], wy[400];
	uint32_t i;

	if (!x->nr_layers || !y->nr_layers)
		return;
	if (x->nr_layers != y->nr_layers) {
		snprintf(wx, sizeof(wx), "%u", x->nr_layers);
		snprintf(wy, sizeof(wy), "%u", y->nr_layers);
		mc_verify_differ(v, p, "number of layers", wx, wy);
		return;
	}
	for (i = 0; i < x->nr_layers; i++) {
		const struct mc_layer *l = &x->layers[i], *m = &y->layers[i];

		if (l->kind != m->kind) {
			mc_verify_differ(v, p, "kind of layer", mc_layer_option(l->kind),
					 mc_layer_option(m->kind));
			continue;
		}
		if (l->sb == MC_NONE || m->sb == MC_NONE)
			continue;
		if (!mc_bijection_map(&v->sbs, l->sb, m->sb) ||
		    !mc_verify_same_text(l->path, m->path) ||
		    !mc_verify_same_idmap(v->a, l->idmap, v->b, m->idmap))
			mc_verify_differ(v, p, "layer",
					 layer_words(v->a, l, wx, sizeof(wx)),
					 layer_words(v->b, m, wy, sizeof(wy)));
	}
}

bool mc_verify_overlays(struct mc_verify *v)
{
	bool *seen = calloc(v->a->nr_sbs + 1UL, sizeof(*seen));
	uint32_t i, x, y;

	if (!seen)
		return false;
	for (i = 0; i < v->nr_pairs; i++) {
		x = v->a->mounts[v->pairs[i].a].sb;
		y = v->b->mounts[v->pairs[i].b].sb;
		if (!seen[x] && v->sbs.ab[x] == y)
			compare_layers(v, &v->pairs[i], &v->a->sbs[x], &v->b->sbs[y]);
		seen[x] = true;
	}
	free(seen);
	return true;
}
