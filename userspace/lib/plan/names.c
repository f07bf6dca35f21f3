// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the keys of options name: struct mntcr_external says how they are written.
 * What names nothing, or what another names as well, is a mistake.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <string.h>

#include "plan/priv.h"

enum kind {
	DEVICE,
	SOURCE,
	PATH,
	GROUP,
	UNKNOWN,
};

struct key {
	enum kind kind;
	const char *text;	/* SOURCE, PATH */
	uint64_t major, minor;	/* DEVICE; GROUP: its id; PATH: of namespace major */
};

/* Decimal digits and nothing else, up to end; NULL: to the end of the text. */
static bool number(const char *s, const char *end, uint64_t *value)
{
	uint64_t v = 0;

	if (!end)
		end = s + strlen(s);
	if (s == end)
		return false;
	for (; s < end; s++) {
		if (*s < '0' || *s > '9' || v > (UINT64_MAX - 9) / 10)
			return false;
		v = v * 10 + (uint64_t)(*s - '0');
	}
	*value = v;
	return true;
}

static bool device(const char *s, struct key *k)
{
	const char *colon = strchr(s, ':');

	if (!colon || !number(s, colon, &k->major) ||
	    !number(colon + 1, NULL, &k->minor))
		return false;
	k->kind = DEVICE;
	return true;
}

/* "/p", or "N:/p" in the image's nth namespace. */
static bool path(const char *s, struct key *k)
{
	const char *colon = strchr(s, ':');

	k->major = 0;
	if (*s != '/') {
		if (!colon || !number(s, colon, &k->major))
			return false;
		s = colon + 1;
	}
	k->kind = PATH;
	k->text = s;
	return *s == '/';
}

static bool any_source(const struct mc_topology *t, const char *source)
{
	uint32_t i;

	for (i = 0; i < t->nr_sbs; i++)
		if (t->sbs[i].source && !strcmp(t->sbs[i].source, source))
			return true;
	for (i = 0; i < t->nr_mounts; i++)
		if (t->mounts[i].source && !strcmp(t->mounts[i].source, source))
			return true;
	return false;
}

/* Of a superblock: written plainly, the form tells, and then what there is. */
static struct key parse(const struct mc_topology *t, const char *s)
{
	struct key k = { .kind = UNKNOWN };

	if (!strncmp(s, "source:", 7)) {
		k.kind = SOURCE;
		k.text = s + 7;
	} else if (!strncmp(s, "path:", 5)) {
		if (!path(s + 5, &k))
			k.kind = UNKNOWN;
	} else if (!device(s, &k)) {
		k.kind = SOURCE;
		k.text = s;
		if (*s == '/' && !any_source(t, s))
			path(s, &k);
	}
	return k;
}

static uint32_t mount_at(const struct mc_topology *t, const struct key *k)
{
	return k->major < t->nr_ns ? mc_mount_at(t, (uint32_t)k->major, k->text) :
	       MC_NONE;
}

/* --- superblocks ----------------------------------------------------------- */

struct naming {
	struct mc_plan *p;
	char key[256];
	uint32_t index;
	uint32_t nr;		/* that this key names */
	uint32_t *named_by;
};

/* false: by another option as well */
static bool name(struct naming *n, uint32_t i)
{
	if (n->named_by[i] == n->index)
		return true;
	if (n->named_by[i] != MC_NONE)
		return false;
	n->named_by[i] = n->index;
	n->nr++;
	return true;
}

static bool is_sb(const struct mc_sb *s, const struct key *k)
{
	if (k->kind == DEVICE)
		return s->major == k->major && s->minor == k->minor;
	return k->kind == SOURCE && s->source && !strcmp(s->source, k->text);
}

static int twice(const struct naming *n, uint32_t sb, struct mntcr_error *e)
{
	const struct mc_sb *s = &n->p->topo->sbs[sb];

	return mc_fail(e, MNTCR_USAGE, 0,
		       "--external %s: the superblock %u:%u is named twice",
		       n->key, s->major, s->minor);
}

static int name_sbs(struct naming *n, const struct key *k, struct mntcr_error *e)
{
	const struct mc_topology *t = n->p->topo;
	uint32_t i, m;

	for (i = 0; i < t->nr_sbs; i++)
		if (is_sb(&t->sbs[i], k) && !name(n, i))
			return twice(n, i, e);
	/* A mount may show another source than the superblock's first one. */
	for (m = 0; k->kind == SOURCE && m < t->nr_mounts; m++)
		if (t->mounts[m].source && !strcmp(t->mounts[m].source, k->text) &&
		    !name(n, t->mounts[m].sb))
			return twice(n, t->mounts[m].sb, e);
	m = k->kind == PATH ? mount_at(t, k) : MC_NONE;
	if (m != MC_NONE && !name(n, t->mounts[m].sb))
		return twice(n, t->mounts[m].sb, e);
	if (n->nr == 1)
		return 0;
	if (n->nr)
		return mc_fail(e, MNTCR_USAGE, 0,
			       "--external %s: %u superblocks of the image have this source: name one by MAJOR:MINOR or path:/WHERE",
			       n->key, n->nr);
	return mc_fail(e, MNTCR_USAGE, 0,
		       k->kind == PATH ?
		       "--external %s: no mount of the image's namespace is at this path" :
		       "--external %s: no superblock of the image is this device or source, and it is no path of a mount",
		       n->key);
}

/* --- peer groups ----------------------------------------------------------- */

static int name_group(struct naming *n, const char *s, struct mntcr_error *e)
{
	const struct mc_topology *t = n->p->topo;
	uint32_t g = MC_NONE, m;
	struct key k = { .kind = UNKNOWN };

	if (number(s, NULL, &k.major)) {
		g = mc_find_group(t, k.major);
	} else if (path(!strncmp(s, "path:", 5) ? s + 5 : s, &k)) {
		m = mount_at(t, &k);
		if (m != MC_NONE)
			g = t->mounts[m].master;
		if (g == MC_NONE)
			return mc_fail(e, MNTCR_USAGE, 0,
				       "--external-master %s: no mount of the image is at this path, or it receives from no peer group",
				       n->key);
	}
	if (g == MC_NONE || mc_plan_internal(t, g))
		return mc_fail(e, MNTCR_USAGE, 0, g == MC_NONE ?
			       "--external-master %s: no peer group outside of the image has this id" :
			       "--external-master %s: no peer group outside of the image is meant: this one has members in it",
			       n->key);
	if (!name(n, g))
		return mc_fail(e, MNTCR_USAGE, 0,
			       "--external-master %s: given twice", n->key);
	return 0;
}

int mc_plan_names(struct mc_plan *p, const struct mc_plan_options *o,
		  struct mntcr_error *e)
{
	struct naming n = { .p = p, .named_by = p->priv->external_of };
	struct key k;
	uint32_t i;

	for (i = 0; i < p->topo->nr_sbs; i++)
		p->priv->external_of[i] = MC_NONE;
	for (i = 0; i < p->topo->nr_groups; i++)
		p->priv->master_of[i] = MC_NONE;
	for (i = 0; i < o->nr_externals; i++) {
		n.index = i;
		n.nr = 0;
		mc_escape(o->externals[i].key, n.key, sizeof(n.key));
		k = parse(p->topo, o->externals[i].key);
		if (name_sbs(&n, &k, e))
			return -1;
	}
	n.named_by = p->priv->master_of;
	for (i = 0; i < o->nr_masters; i++) {
		n.index = i;
		n.nr = 0;
		mc_escape(o->masters[i].key, n.key, sizeof(n.key));
		if (name_group(&n, o->masters[i].key, e))
			return -1;
	}
	return 0;
}
