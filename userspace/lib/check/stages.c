// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a restore in stages waits for, and after which of them it can be given.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <inttypes.h>
#include <stdlib.h>

#include "check/check.h"

/* All mounts of each need, those of the nth from first[n] on. */
struct waiting {
	uint32_t *mounts, *first;
};

/* What it is of, and what its namespace is of; MC_NONE: nothing. */
static void needs_of(const struct mc_plan *p, uint32_t m, uint32_t needs[2])
{
	needs[0] = needs[1] = MC_NONE;
	if (p->src_of[m] == MC_NONE)
		return;
	needs[0] = mc_plan_need_of(p, m);
	needs[1] = mc_plan_owner_need(p, p->topo->ns[p->topo->mounts[m].ns].userns);
	if (needs[1] == needs[0])
		needs[1] = MC_NONE;
}

static bool find(struct waiting *w, const struct mc_plan *p)
{
	uint32_t m, i, needs[2], *at = calloc(p->nr_needs + 1UL, sizeof(*at));

	w->first = calloc(p->nr_needs + 1UL, sizeof(*w->first));
	w->mounts = malloc((2UL * p->topo->nr_mounts + 1) * sizeof(*w->mounts));
	if (!at || !w->first || !w->mounts) {
		free(at);
		return false;
	}
	for (m = 0; m < 2 * p->topo->nr_mounts; m++) {
		needs_of(p, m / 2, needs);
		if (needs[m % 2] != MC_NONE)
			w->first[needs[m % 2] + 1]++;
	}
	for (i = 0; i < p->nr_needs; i++)
		at[i] = w->first[i + 1] += w->first[i];
	for (m = 2 * p->topo->nr_mounts; m-- > 0; ) {
		needs_of(p, m / 2, needs);
		if (needs[m % 2] != MC_NONE)
			w->mounts[--at[needs[m % 2]]] = m / 2;
	}
	free(at);
	return true;
}

/* Made when mounts are placed, or not until something else has been given. */
static const char *once_made(const struct mc_plan *p, uint32_t sb)
{
	uint32_t i;

	for (i = 0; i < p->nr_srcs; i++)
		if (p->srcs[i].kind == MC_SRC_FRESH && p->srcs[i].sb == sb)
			return p->srcs[i].need == MC_NONE ? "place" : "delayed";
	return "begin";
}

static const char *owner_once_made(const struct mc_plan *p, uint32_t u)
{
	uint32_t i;

	for (i = 0; i < p->nr_owners; i++)
		if (p->owners[i] == u)
			return mc_plan_owner_need(p, u) == MC_NONE ? "place" : "delayed";
	return "begin";
}

/* Before that it can't be there: the stage that makes what it is of, or belongs to. */
static const char *stage_after(const struct mc_plan *p, const struct mc_need *n, uint32_t m)
{
	uint32_t i = p->topo->mounts[m].sb;
	const struct mc_sb *sb = &p->topo->sbs[i];

	switch (n->kind) {
	case MNTCR_GIVEN_MOUNT:
		return once_made(p, i);
	case MNTCR_GIVEN_PID:
	case MNTCR_GIVEN_NET:
	case MNTCR_GIVEN_IPC:
		/* whoever makes a pid namespace is in one that is made */
		if (n->kind == MNTCR_GIVEN_PID && sb->pidns_ino &&
		    sb->pidns_depth != MC_NONE && sb->pidns_depth > 1)
			return "place";
		return owner_once_made(p, mc_plan_ns_owner(p, n->kind, m));
	default:
		return "begin";
	}
}

/*
 * The one that says most of what is given: of the superblock rather than of an overlay of
 * it, and what shows a namespace rather than its file.
 */
static uint32_t first_of(const struct mc_plan *p, uint32_t need, const uint32_t *mounts,
			 uint32_t nr)
{
	const struct mc_mount *m;
	uint32_t i;

	for (i = 0; i < nr; i++) {
		m = &p->topo->mounts[mounts[i]];
		if (p->needs[need].kind == MNTCR_GIVEN_SUPERBLOCK ?
		    p->from[m->sb].kind == MC_FROM_GIVEN : !m->nsfs_type)
			return mounts[i];
	}
	return mounts[0];
}

/* The options, one a superblock, with which nothing waits for it; said: per superblock. */
static json_t *options_of(const struct mc_report *r, uint32_t need, const uint32_t *mounts,
			  uint32_t nr, uint32_t *said)
{
	json_t *words = json_array(), *o;
	uint32_t i, sb;

	for (i = 0; i < nr; i++) {
		o = r->option_of[mounts[i]];
		sb = r->t->mounts[mounts[i]].sb;
		if (!o || said[sb] == need + 1)
			continue;
		said[sb] = need + 1;
		if (json_array_append(words, json_object_get(o, "option")) ||
		    json_array_append(words, json_object_get(o, "value"))) {
			json_decref(words);
			return NULL;
		}
	}
	return words;
}

void mc_report_needs(struct mc_report *r, const struct mc_plan *p)
{
	uint32_t *said = calloc(p->topo->nr_sbs + 1UL, sizeof(*said)), i, nr, m;
	struct waiting w = { 0 };
	char id[32], type[64];
	const struct mc_need *n;
	json_t *o;

	if (!find(&w, p) || !said)
		r->nomem = true;
	for (i = 0; i < p->nr_needs && !r->nomem; i++) {
		n = &p->needs[i];
		nr = w.first[i + 1] - w.first[i];
		/* one that nothing waits for is a mistake, which is told */
		if (!nr)
			continue;
		mc_need_id_text(n->kind, n->id, id, sizeof(id));
		m = first_of(p, i, w.mounts + w.first[i], nr);
		o = json_pack("{s:s, s:s, s:o, s:s, s:b, s:o}",
			      "kind", mc_need_kind_name(n->kind), "id", id,
			      "type", mc_report_text(mc_escape(
			      p->topo->sbs[p->topo->mounts[m].sb].type, type, sizeof(type))),
			      "after", stage_after(p, n, m), "chosen", (int)n->chosen,
			      "or", options_of(r, i, w.mounts + w.first[i], nr, said));
		if (o)
			mc_report_mounts(r, o, w.mounts + w.first[i], nr);
		mc_report_add(r, r->needs, o);
	}
	free(said);
	free(w.mounts);
	free(w.first);
}

void mc_report_delayed(struct mc_report *r, const struct mc_plan *p)
{
	const struct mc_mount *m;
	char name[256];
	uint32_t i;

	for (i = 0; i < p->nr_parts; i++) {
		m = &p->topo->mounts[p->parts[i].top];
		mc_report_add(r, r->delayed, json_pack("{s:o, s:I, s:I}", "name",
			mc_report_text(mc_mount_name(p->topo, p->parts[i].top, name,
						     sizeof(name))),
			"namespace", (json_int_t)m->ns, "id", (json_int_t)m->id));
	}
}
