// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Ids that are others where an image is restored: a container comes into a user
 * namespace that maps the same ids to another range than the one it was dumped from.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "topology/topology.h"

uint32_t mc_shifted(const struct mc_shifts *s, bool gid, uint32_t id)
{
	uint32_t i;

	for (i = 0; s && id != MC_NO_ID && i < s->nr; i++)
		if (s->list[i].gid == gid && id >= s->list[i].from &&
		    id - s->list[i].from < s->list[i].count)
			return s->list[i].to + (id - s->list[i].from);
	return id;
}

static bool is_shifted(const struct mc_idmap_extent *a, const struct mc_idmap_extent *b,
		       uint32_t n, bool gid, struct mc_shift *list, uint32_t *nr)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		/* modulo 2^32: what overflows is no map */
		if (a[i].id != b[i].id || a[i].count != b[i].count ||
		    b[i].parent_id - a[i].parent_id != b[0].parent_id - a[0].parent_id)
			return false;
		if (a[i].parent_id != b[i].parent_id)
			list[(*nr)++] = (struct mc_shift){
				.gid = gid, .from = a[i].parent_id, .count = a[i].count,
				.to = b[i].parent_id,
			};
	}
	return true;
}

bool mc_idmap_is_shifted(const struct mc_idmap *a, const struct mc_idmap *b,
			 struct mc_shift *list, uint32_t *nr)
{
	return a->nr_uid == b->nr_uid && a->nr_gid == b->nr_gid &&
	       is_shifted(a->uid, b->uid, a->nr_uid, false, list, nr) &&
	       is_shifted(a->gid, b->gid, a->nr_gid, true, list, nr);
}

/* --- idmaps ------------------------------------------------------------------- */

/*
 * All of a range, or none of it: 1, 0; -1 it is cut.  Several that are moved, each by as
 * much, may make up all of it.
 */
static int range(const struct mc_shifts *s, bool gid, uint32_t *id, uint32_t count)
{
	uint64_t first = *id, end = first + count, from, to, moved = 0;
	const struct mc_shift *r;
	uint32_t i, by = 0;

	for (i = 0; i < s->nr; i++) {
		r = &s->list[i];
		from = r->from > first ? r->from : first;
		to = (uint64_t)r->from + r->count < end ? (uint64_t)r->from + r->count : end;
		if (r->gid != gid || from >= to)
			continue;
		if (moved && by != r->to - r->from)
			return -1;
		by = r->to - r->from;
		moved += to - from;
	}
	if (moved && moved != count)
		return -1;
	*id += by;
	return moved > 0;
}

static int refuse(bool gid, const char *what, uint32_t id, uint32_t count,
		  struct mntcr_error *e)
{
	return mc_refuse(e, "idmap-maps",
			 "an idmapped mount maps%s %cids %" PRIu32 ":%" PRIu32 ", of which only some are of the user namespace whose ids are moved",
			 what, gid ? 'g' : 'u', id, count);
}

static int shift_map(struct mc_topology *t, const struct mc_shifts *s, bool gid,
		     const struct mc_idmap_extent **x, uint32_t nr,
		     const struct mc_wrong *w, struct mntcr_error *e)
{
	struct mc_idmap_extent *copy = mc_topology_alloc(t, (nr + 1UL) * sizeof(*copy));
	uint32_t i;

	if (!copy)
		return mc_nomem(e);
	for (i = 0; i < nr; i++) {
		copy[i] = (*x)[i];
		if (range(s, gid, &copy[i].parent_id, copy[i].count) < 0 &&
		    refuse(gid, " to", copy[i].parent_id, copy[i].count, e) &&
		    mc_wrong_told(w, e))
			return -1;
	}
	*x = copy;
	return 0;
}

static bool overlaps(const struct mc_idmap_extent *x, uint32_t i)
{
	uint32_t k;

	for (k = 0; k < i; k++)
		if (x[k].id < (uint64_t)x[i].id + x[i].count &&
		    x[i].id < (uint64_t)x[k].id + x[k].count)
			return true;
	return false;
}

/* The ids that are mapped, where they are those of files that are moved; *any: some are. */
static int shift_inner(struct mc_topology *t, const struct mc_shifts *s, bool gid, bool known,
		       const struct mc_idmap_extent **x, uint32_t nr, bool *any,
		       const struct mc_wrong *w, struct mntcr_error *e)
{
	struct mc_idmap_extent *copy = mc_topology_alloc(t, (nr + 1UL) * sizeof(*copy));
	uint32_t i;
	int is;

	if (!copy)
		return mc_nomem(e);
	for (i = 0; i < nr; i++) {
		copy[i] = (*x)[i];
		is = range(s, gid, &copy[i].id, copy[i].count);
		if ((is < 0 || (is && !known)) &&
		    refuse(gid, "", (*x)[i].id, copy[i].count, e) && mc_wrong_told(w, e))
			return -1;
		*any = *any || is;
	}
	for (i = 1; i < nr; i++)
		if (overlaps(copy, i) && refuse(gid, "", (*x)[i].id, copy[i].count, e) &&
		    mc_wrong_told(w, e))
			return -1;
	*x = copy;
	return 0;
}

/* --- options and files ------------------------------------------------------------ */

/* "uid=" and "gid=": of whoever mounts it.  NULL: no memory. */
static const char *shift_options(struct mc_topology *t, const struct mc_shifts *s,
				 const char *options)
{
	char *copy = strdup(options), *rest = copy, *name, *value, *end;
	struct mc_buf out = { 0 };
	const char *ret, *from = options;
	unsigned long id;
	uint32_t to;

	while (copy && mc_next_option(&rest, &name, &value)) {
		if (!value || (strcmp(name, "uid") && strcmp(name, "gid")))
			continue;
		id = strtoul(value, &end, 10);
		to = id < MC_NO_ID ? mc_shifted(s, *name == 'g', (uint32_t)id) : MC_NO_ID;
		if (*value < '0' || *value > '9' || *end || id >= MC_NO_ID || to == id)
			continue;
		/* as far as "=", and on from the comma */
		mc_buf_add(&out, from, (size_t)(options + (name - copy) + 4 - from));
		mc_buf_printf(&out, "%" PRIu32, to);
		from = options + (value - copy);
		from += strcspn(from, ",");
	}
	mc_buf_add(&out, from, strlen(from) + 1);
	ret = !copy || out.nomem ? NULL : mc_topology_str(t, out.data);
	free(copy);
	mc_buf_free(&out);
	return ret;
}

static bool is_ours(const struct mc_sb *sb)
{
	return mc_type_of(sb->type)->fresh && sb->whose != MC_WHOSE_HOST;
}

/* Are the ids of its files moved: 1 yes, 0 no, -1 of some? */
struct moved {
	int8_t root, below;
};

/* An overlay shows what its layers hold: of its root, the topmost one. */
static void layers_moved(const struct mc_sb *sb, struct moved *moved, struct moved *m)
{
	const struct mc_layer *l = sb->layers, *top = l + mc_layer_top(sb);
	bool first = true;
	uint32_t i;
	int8_t below;

	for (i = 0; i < sb->nr_layers; i++, l++) {
		struct moved of = { 0 };

		if (l->kind == MC_LAYER_DATA || l->kind == MC_LAYER_WORK)
			continue;
		if (l->idmap != MC_NONE)
			of = (struct moved){ 1, 1 };
		else if (l->sb != MC_NONE)
			of = moved[l->sb];
		below = first || m->below == of.below ? of.below : -1;
		first = false;
		m->below = below;
		if (l == top)
			m->root = l->path && l->path[1] ? of.below : of.root;
	}
}

/* Of each superblock; to be freed.  NULL: no memory. */
static struct moved *find_moved(const struct mc_topology *t)
{
	struct moved *moved = calloc(t->nr_sbs + 1UL, sizeof(*moved));
	uint32_t i, round;

	if (!moved)
		return NULL;
	for (i = 0; i < t->nr_sbs; i++)
		if (is_ours(&t->sbs[i]))
			moved[i] = (struct moved){ 1, 1 };
	for (round = 0; round < MC_MOST_STACKED; round++)
		for (i = 0; i < t->nr_sbs; i++)
			if (t->sbs[i].nr_layers)
				layers_moved(&t->sbs[i], moved, &moved[i]);
	return moved;
}

/*
 * An idmap of a mount, or layer, of sb: as *to, where that is not yet known MC_NONE.  It maps
 * the ids that files have in there.  Where those are moved, so are these; but in a superblock
 * of another user namespace than the dumper's they are that one's.
 */
static int inner_moved(struct mc_topology *t, const struct mc_shifts *s,
		       const struct moved *moved, uint32_t sb, uint32_t i, uint32_t *to,
		       const struct mc_wrong *w, struct mntcr_error *e)
{
	const uint32_t userns = t->sbs[sb].userns;
	struct mc_idmap m = t->idmaps[i];
	const bool known = moved[sb].below > 0;
	bool any = false;
	uint32_t new;

	if (!moved[sb].below || (userns != MC_NONE && !t->userns[userns].dumper))
		return (int)i;
	if (*to != MC_NONE)
		return (int)*to;
	if (shift_inner(t, s, false, known, &m.uid, m.nr_uid, &any, w, e) ||
	    shift_inner(t, s, true, known, &m.gid, m.nr_gid, &any, w, e))
		return -1;
	*to = i;
	if (!any)
		return (int)i;
	new = mc_topology_add_idmap(t);
	if (new == MC_NONE)
		return mc_nomem(e);
	t->idmaps[new] = m;
	*to = new;
	return (int)new;
}

static int shift_inners(struct mc_topology *t, const struct mc_shifts *s,
			const struct moved *moved, const struct mc_wrong *w,
			struct mntcr_error *e)
{
	uint32_t *to = malloc((t->nr_idmaps + 1UL) * sizeof(*to)), i, k;
	int new = 0;

	if (!to)
		return mc_nomem(e);
	memset(to, 0xff, (t->nr_idmaps + 1UL) * sizeof(*to));
	for (i = 0; i < t->nr_mounts && new >= 0; i++) {
		struct mc_mount *m = &t->mounts[i];

		if (m->idmap == MC_NONE)
			continue;
		new = inner_moved(t, s, moved, m->sb, m->idmap, &to[m->idmap], w, e);
		m->idmap = (uint32_t)new;
	}
	for (i = 0; i < t->nr_sbs && new >= 0; i++)
		for (k = 0; k < t->sbs[i].nr_layers && new >= 0; k++) {
			struct mc_layer *l = &t->sbs[i].layers[k];

			if (l->idmap == MC_NONE)
				continue;
			new = inner_moved(t, s, moved, l->sb, l->idmap, &to[l->idmap], w, e);
			l->idmap = (uint32_t)new;
		}
	free(to);
	return new < 0 ? -1 : 0;
}

/*
 * What is at a path of a mount.  Idmaps are moved, and so is what is seen through one.
 * What is moved of some files only is not known of this one.
 */
static void shift_file(const struct mc_shifts *s, const struct moved *moved,
		       const struct mc_mount *m, const char *path, struct mc_file *f)
{
	const struct moved *of = &moved[m->sb];
	const int8_t is = m->idmap != MC_NONE ? 1 :
			  m->root[1] || path[1] ? of->below : of->root;
	const uint32_t uid = mc_shifted(s, false, f->uid);
	const uint32_t gid = mc_shifted(s, true, f->gid);

	if (!f->mode || !is)
		return;
	f->uid = is > 0 || uid == f->uid ? uid : MC_NO_ID;
	f->gid = is > 0 || gid == f->gid ? gid : MC_NO_ID;
}

static int shift_mount(struct mc_topology *t, const struct mc_shifts *s,
		       const struct moved *moved, struct mc_mount *m, struct mntcr_error *e)
{
	shift_file(s, moved, m, "/", &m->root_file);
	if (m->parent != MC_NONE)
		shift_file(s, moved, &t->mounts[m->parent], m->mountpoint, &m->mp_file);
	if (is_ours(&t->sbs[m->sb]) && m->options &&
	    !(m->options = shift_options(t, s, m->options)))
		return mc_nomem(e);
	return 0;
}

int mc_topology_shift(struct mc_topology *t, const struct mc_shifts *s,
		      const struct mc_wrong *w, struct mntcr_error *e)
{
	struct moved *moved;
	uint32_t i;
	int ret = 0;

	for (i = 0; i < t->nr_idmaps; i++)
		if (shift_map(t, s, false, &t->idmaps[i].uid, t->idmaps[i].nr_uid, w, e) ||
		    shift_map(t, s, true, &t->idmaps[i].gid, t->idmaps[i].nr_gid, w, e))
			return -1;
	for (i = 0; i < t->nr_sbs; i++) {
		if (!is_ours(&t->sbs[i]))
			continue;
		t->sbs[i].options = shift_options(t, s, t->sbs[i].options);
		if (!t->sbs[i].options)
			return mc_nomem(e);
		t->sbs[i].shifts = s;
	}
	moved = find_moved(t);
	if (!moved)
		return mc_nomem(e);
	ret = shift_inners(t, s, moved, w, e);
	for (i = 0; i < t->nr_mounts && !ret; i++)
		ret = shift_mount(t, s, moved, &t->mounts[i], e);
	free(moved);
	return ret;
}
