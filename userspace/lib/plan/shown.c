// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Namespaces that superblocks show: whatever is of one, these and its files, has to be of
 * one when it is restored.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>

#include "plan/priv.h"

/* It has a source, and as a part of its superblock: not as a mount that is given. */
static bool is_had(const struct mc_plan *p, uint32_t m)
{
	const struct mc_src *s = p->src_of[m] == MC_NONE ? NULL : &p->srcs[p->src_of[m]];

	return s && (s->kind != MC_SRC_GIVEN || p->needs[s->need].kind != MNTCR_GIVEN_MOUNT);
}

static int cmp_shown(const void *a, const void *b)
{
	const struct mc_shown *x = a, *y = b;

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	if (x->nr != y->nr)
		return x->nr < y->nr ? -1 : 1;
	if (x->made != y->made)
		return x->made ? 1 : -1;
	return (x->mount > y->mount) - (x->mount < y->mount);
}

const struct mc_shown *mc_plan_shown(const struct mc_plan *p, const struct mc_mount *m,
				     bool made)
{
	const struct mc_plan_priv *v = p->priv;
	struct mc_shown key = { .made = made };
	uint32_t lo = 0, hi = v->nr_shown, mid;

	if (!mc_mount_ns(p->topo, m, &key.type, &key.nr))
		return NULL;
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (cmp_shown(&v->shown[mid], &key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < v->nr_shown && v->shown[lo].type == key.type &&
	       v->shown[lo].nr == key.nr && v->shown[lo].made == made ? &v->shown[lo] : NULL;
}

/* "sysfs 0:33" */
static const char *sb_words(const struct mc_plan *p, const struct mc_shown *s, char *buf,
			    size_t size)
{
	const struct mc_sb *sb = &p->topo->sbs[p->topo->mounts[s->mount].sb];

	snprintf(buf, size, "%s %u:%u", sb->type, sb->major, sb->minor);
	return buf;
}

#define ONE_RULE	"namespace-made"

/* Of two superblocks that showed one namespace, in turn. */
static int check_superblocks(struct mc_plan *p, struct mntcr_error *e)
{
	const struct mc_shown *s = p->priv->shown;
	char there[64], made[64];
	uint32_t i;

	for (i = 1; i < p->priv->nr_shown; i++) {
		if (s[i].type != s[i - 1].type || s[i].nr != s[i - 1].nr ||
		    s[i].made == s[i - 1].made)
			continue;
		if (mc_plan_refuse(p, e, mc_plan_note(p, p->topo->mounts[s[i].mount].sb, ONE_RULE),
				   &s[i].mount, 1,
				   "--external for that superblock, too, --source with its namespace, or for neither",
				   "%s is made with a new %s namespace, and %s, which shows the same, is one that is there",
				   sb_words(p, &s[i], made, sizeof(made)), mc_nstype_name(s[i].type),
				   sb_words(p, &s[i - 1], there, sizeof(there))))
			return -1;
	}
	return 0;
}

int mc_plan_find_shown(struct mc_plan *p, struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	struct mc_plan_priv *v = p->priv;
	bool *seen = calloc(t->nr_sbs + 1UL, sizeof(*seen));
	struct mc_shown *s;
	uint32_t m, sb;

	v->shown = calloc(t->nr_sbs + 1UL, sizeof(*v->shown));
	if (!seen || !v->shown) {
		free(seen);
		return mc_nomem(e);
	}
	for (m = 0; m < t->nr_mounts; m++) {
		sb = t->mounts[m].sb;
		s = &v->shown[v->nr_shown];
		if (seen[sb] || !is_had(p, m) ||
		    !mc_mount_ns(t, &t->mounts[m], &s->type, &s->nr) ||
		    (v->sb[sb].mode == MC_SB_FRESH &&
		     mc_plan_is_ns_given(p, &p->srcs[v->sb[sb].src])))
			continue;
		seen[sb] = true;
		s->mount = m;
		s->made = v->sb[sb].mode == MC_SB_FRESH &&
			  mc_plan_has_made_ns(p, &t->sbs[sb]);
		v->nr_shown++;
	}
	free(seen);
	qsort(v->shown, v->nr_shown, sizeof(*v->shown), cmp_shown);
	return check_superblocks(p, e);
}

int mc_plan_file_beside(struct mc_plan *p, const uint32_t *mounts, uint32_t nr,
			const struct mc_shown *there, struct mntcr_error *e)
{
	const struct mc_mount *m = &p->topo->mounts[mounts[0]];
	char root[100], help[280], what[64];

	mc_escape(m->root, root, sizeof(root));
	snprintf(help, sizeof(help), p->priv->opts->caller_namespaces ?
		 "--external %s=PATH of the caller's, or no --caller-namespaces" :
		 "--external %s=PATH, --source with its namespace, or no --external for that superblock",
		 root);
	return mc_plan_refuse(p, e, mc_plan_note(p, m->sb, ONE_RULE), mounts, nr, help,
			      "the file of %s would be that of one that is made, and %s, which shows the same, is one that is there",
			      root, sb_words(p, there, what, sizeof(what)));
}

/* It is live, or an --external stands for it. */
static bool is_there(const struct mc_plan *p, uint32_t m)
{
	uint32_t src = p->src_of[m];

	return src != MC_NONE && (p->srcs[src].kind == MC_SRC_LIVE ||
				  p->srcs[src].kind == MC_SRC_EXTERNAL);
}

int mc_plan_check_files(struct mc_plan *p, struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	const struct mc_shown *made;
	char root[100], what[64];
	uint32_t m, last = MC_NONE;

	for (m = 0; p->priv->nr_shown && m < t->nr_mounts; m++) {
		if (!t->mounts[m].nsfs_type || !is_there(p, m) || p->src_of[m] == last)
			continue;
		last = p->src_of[m];
		made = mc_plan_shown(p, &t->mounts[m], true);
		if (made &&
		    mc_plan_refuse(p, e, mc_plan_note(p, t->mounts[m].sb, ONE_RULE), &m, 1,
				   "--external for that superblock, too, or for neither",
				   "the file of %s is that of one that is there, and %s, which shows the same, is made with a new one",
				   mc_escape(t->mounts[m].root, root, sizeof(root)),
				   sb_words(p, made, what, sizeof(what))))
			return -1;
	}
	return 0;
}
