// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the keys of options name: struct mntcr_external says how they are written.
 * What names nothing, or what another names as well, is a mistake.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <stdlib.h>
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

static bool any_source(const struct mc_plan *p, const char *source)
{
	uint32_t i = mc_plan_first_source(p, source);

	return i < p->priv->nr_by_source && !strcmp(p->priv->by_source[i].source, source);
}

/* Of a superblock: written plainly, the form tells, and then what there is. */
static struct key parse(const struct mc_plan *p, const char *s)
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
		if (*s == '/' && !any_source(p, s))
			path(s, &k);
	}
	return k;
}

static uint32_t mount_at(const struct mc_topology *t, const struct key *k)
{
	return k->major < t->nr_ns ? mc_mount_at(t, (uint32_t)k->major, k->text) :
	       MC_NONE;
}

/*
 * All keys are looked at, and each that is wrong is told of; the first is the error.
 * -1: it is no wrong key.
 */
static int keep(struct mc_plan *p, const struct mc_plan_options *o,
		const struct mntcr_error *wrong, struct mntcr_error *e)
{
	if (wrong->code != MNTCR_USAGE || !p->priv->nr_wrong_keys++)
		*e = *wrong;
	if (wrong->code != MNTCR_USAGE)
		return -1;
	if (o->wrong_key)
		o->wrong_key(o->data, wrong->text);
	return 0;
}

/* --- superblocks ----------------------------------------------------------- */

struct naming {
	struct mc_plan *p;
	const char *option;
	char key[256];
	uint32_t index;
	uint32_t nr;		/* that this key names */
	uint32_t sb;		/* one of them */
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

/* Counted once, whatever other options name it, too. */
static void name_sb(struct naming *n, uint32_t i)
{
	n->nr += n->named_by[i] != n->index;
	n->named_by[i] = n->index;
	n->sb = i;
}

static void name_sbs(struct naming *n, const struct key *k)
{
	const struct mc_topology *t = n->p->topo;
	const struct mc_plan_priv *v = n->p->priv;
	uint64_t dev = MNTCR_DEVICE(k->major, k->minor);
	bool fits = k->major <= UINT32_MAX && k->minor <= UINT32_MAX;
	uint32_t i, m;

	n->nr = 0;
	if (k->kind == DEVICE && fits)
		for (i = mc_plan_first_device(n->p, dev);
		     i < t->nr_sbs && v->by_device[i].device == dev; i++)
			name_sb(n, v->by_device[i].sb);
	if (k->kind == SOURCE)
		for (i = mc_plan_first_source(n->p, k->text);
		     i < v->nr_by_source && !strcmp(v->by_source[i].source, k->text); i++)
			name_sb(n, v->by_source[i].sb);
	m = k->kind == PATH ? mount_at(t, k) : MC_NONE;
	if (m != MC_NONE)
		name_sb(n, t->mounts[m].sb);
}

/*
 * KEY, if that names something as it is; else KEY:ROOT, split at the last ":/" before
 * which something is named.  text is cut there.
 */
static int find_sb(struct naming *n, char *text, const char **root,
		   struct mntcr_error *e)
{
	struct key k = parse(n->p, text);
	enum kind first = k.kind;
	const char *fault;
	char *colon;

	*root = "/";
	name_sbs(n, &k);
	for (colon = text + strlen(text); !n->nr && colon-- > text; ) {
		if (colon[0] != ':' || colon[1] != '/')
			continue;
		*colon = '\0';
		k = parse(n->p, text);
		name_sbs(n, &k);
		*root = colon + 1;
		if (!n->nr)
			*colon = ':';
	}
	if (n->nr > 1)
		return mc_fail(e, MNTCR_USAGE, 0,
			       "%s %s: %u superblocks of the image have this source: name one by MAJOR:MINOR or path:/WHERE",
			       n->option, n->key, n->nr);
	if (!n->nr)
		return mc_fail(e, MNTCR_USAGE, 0,
			       first == PATH ?
			       "%s %s: no mount of the image's namespace is at this path" :
			       "%s %s: no superblock of the image is this device or source, and it is no path of a mount",
			       n->option, n->key);
	fault = mc_path_fault(*root, false);
	return fault ? mc_fail(e, MNTCR_USAGE, 0, "%s %s: the root %s",
			       n->option, n->key, fault) : 0;
}

/* Nobody sees which it would be. */
static int is_stood_in(const struct naming *n, bool by_host, struct mntcr_error *e)
{
	return n->p->topo->sbs[n->sb].stands_in_for && !by_host ?
	       mc_fail(e, MNTCR_USAGE, 0, "%s %s: a --stand-in names this superblock, too",
		       n->option, n->key) : 0;
}

static int cmp_ext(const void *a, const void *b)
{
	const struct mc_ext *x = a, *y = b;
	int c;

	if (x->sb != y->sb)
		return x->sb < y->sb ? -1 : 1;
	c = mc_path_cmp(x->root, y->root);
	return c ? c : (x->option > y->option) - (x->option < y->option);
}

/* Sorted: once each, and which are below which. */
static void sort_exts(struct naming *n, const struct mc_plan_options *o,
		      struct mntcr_error *e)
{
	struct mc_ext *x = n->p->priv->exts;
	const struct mc_topology *t = n->p->topo;
	uint32_t nr = n->p->priv->nr_exts, i, k = 0, u;
	struct mntcr_error wrong;

	qsort(x, nr, sizeof(*x), cmp_ext);
	for (i = 0; i < nr; i++) {
		if (k && x[k - 1].sb == x[i].sb && !strcmp(x[k - 1].root, x[i].root)) {
			if (o->externals[x[i].option].reserved[0] == MC_BY_HOST)
				continue;
			mc_escape(o->externals[x[i].option].key, n->key, sizeof(n->key));
			mc_fail(&wrong, MNTCR_USAGE, 0,
				"--external %s: the superblock %u:%u is named twice",
				n->key, t->sbs[x[i].sb].major, t->sbs[x[i].sb].minor);
			keep(n->p, o, &wrong, e);
			continue;
		}
		x[k] = x[i];
		u = k && x[k - 1].sb == x[k].sb ? k - 1 : MC_NONE;
		while (u != MC_NONE && !mc_path_below(x[u].root, x[k].root))
			u = x[u].up;
		x[k++].up = u;
	}
	n->p->priv->nr_exts = k;
	for (i = 0; i < t->nr_sbs; i++)
		n->named_by[i] = MC_NONE;
	for (i = k; i-- > 0; )
		n->named_by[x[i].sb] = i;
}

/* TYPE:[INODE], as the root of a mount of its file is; 0: it is none; -1: see e. */
static int name_ns(struct naming *n, const char *key, struct mntcr_error *e)
{
	struct mc_plan_priv *v = n->p->priv;
	const struct mc_topology *t = n->p->topo;
	const char *colon = strchr(key, ':'), *end = key + strlen(key);
	struct mc_ext_ns *x = &v->ext_ns[v->nr_ext_ns];
	const struct mc_word *w = mc_words_nstype;
	struct mc_ns_by_file *file;
	uint32_t u;

	while (w->name && (!colon || strlen(w->name) != (size_t)(colon - key) ||
			   strncmp(key, w->name, strlen(w->name))))
		w++;
	if (!w->name || colon[1] != '[' || end[-1] != ']' ||
	    !number(colon + 2, end - 1, &x->ino))
		return 0;
	*x = (struct mc_ext_ns){ (uint32_t)w->bits, n->index, x->ino, MC_NONE };
	if (x->type == CLONE_NEWNS)
		return mc_fail(e, MNTCR_USAGE, 0,
			       "--external %s: no file of a mount namespace that is there can be mounted in one that is restored",
			       n->key);
	file = mc_plan_by_file(n->p, x->type, x->ino);
	if (!file)
		return mc_fail(e, MNTCR_USAGE, 0,
			       "--external %s: no mount of the image is of this namespace's file",
			       n->key);
	if (file->ext)
		return mc_fail(e, MNTCR_USAGE, 0, "--external %s: given twice", n->key);
	/* its file would show another than what it owns is in */
	u = t->mounts[file->mount].nsfs_userns;
	if (u != MC_NONE)
		return mc_fail(e, MNTCR_USAGE, 0, "--external %s: %s", n->key,
			       t->userns[u].dumper ?
			       "that is the dumper's own, for which the caller's stands" :
			       "the image knows what that owns: it is made, or --owner gives it");
	file->ext = x;
	v->nr_ext_ns++;
	return 1;
}

static int name_externals(struct naming *n, const struct mc_plan_options *o,
			  struct mntcr_error *e)
{
	struct mc_plan_priv *v = n->p->priv;
	struct mntcr_error wrong;
	struct mc_ext *x;
	char *text;
	size_t len;
	int is_ns;

	v->exts = calloc(o->nr_externals + 1UL, sizeof(*v->exts));
	v->ext_ns = calloc(o->nr_externals + 1UL, sizeof(*v->ext_ns));
	if (!v->exts || !v->ext_ns)
		return mc_nomem(e);
	for (n->index = 0; n->index < o->nr_externals; n->index++) {
		mc_escape(o->externals[n->index].key, n->key, sizeof(n->key));
		is_ns = name_ns(n, o->externals[n->index].key, &wrong);
		if (is_ns < 0)
			keep(n->p, o, &wrong, e);
		if (is_ns)
			continue;
		x = &v->exts[v->nr_exts];
		len = strlen(o->externals[n->index].key) + 1;
		text = mc_plan_alloc(n->p, len);
		if (!text)
			return mc_nomem(e);
		memcpy(text, o->externals[n->index].key, len);
		if (find_sb(n, text, &x->root, &wrong) ||
		    is_stood_in(n, o->externals[n->index].reserved[0] == MC_BY_HOST,
				&wrong)) {
			keep(n->p, o, &wrong, e);
			continue;
		}
		x->sb = n->sb;
		x->option = n->index;
		x->src = MC_NONE;
		v->nr_exts++;
	}
	sort_exts(n, o, e);
	return 0;
}

/* --- devices ------------------------------------------------------------------ */

static int name_device(struct naming *n, const struct mntcr_external *d,
		       struct mntcr_error *e)
{
	struct mc_plan_priv *v = n->p->priv;
	size_t len = strlen(d->key) + 1;
	char *text = mc_plan_alloc(n->p, len);
	const struct mc_sb *sb;
	const char *root;

	if (!text)
		return mc_nomem(e);
	memcpy(text, d->key, len);
	mc_escape(d->key, n->key, sizeof(n->key));
	if (find_sb(n, text, &root, e) || is_stood_in(n, false, e))
		return -1;
	sb = &n->p->topo->sbs[n->sb];
	if (root[1])
		return mc_fail(e, MNTCR_USAGE, 0,
			       "--device %s: a device has all of a superblock, not what is below a root",
			       n->key);
	if (mc_type_of(sb->type)->kind != MC_TYPE_DEVICE)
		return mc_fail(e, MNTCR_USAGE, 0,
			       "--device %s: %u:%u is of a type that is mounted from no device, or from more than one",
			       n->key, sb->major, sb->minor);
	if (v->device_of[n->sb] != MC_NONE)
		return mc_fail(e, MNTCR_USAGE, 0, "--device %s: given twice", n->key);
	v->device_of[n->sb] = n->index;
	return 0;
}

/* Not by --host: that is had only where nothing else is named. */
static bool is_external(const struct mc_plan *p, uint32_t sb, const struct mc_plan_options *o)
{
	const struct mc_plan_priv *v = p->priv;
	uint32_t x = v->external_of[sb];

	for (; x != MC_NONE && x < v->nr_exts && v->exts[x].sb == sb; x++)
		if (o->externals[v->exts[x].option].reserved[0] != MC_BY_HOST)
			return true;
	return false;
}

/* Of the host's mounts none is wanted then. */
static void one_of_both(struct naming *n, const struct mc_plan_options *o,
			struct mntcr_error *e)
{
	struct mc_plan_priv *v = n->p->priv;
	struct mntcr_error wrong;
	uint32_t i;

	for (i = 0; i < n->p->topo->nr_sbs; i++) {
		if (v->device_of[i] == MC_NONE)
			continue;
		mc_escape(o->devices[v->device_of[i]].key, n->key, sizeof(n->key));
		if (is_external(n->p, i, o)) {
			mc_fail(&wrong, MNTCR_USAGE, 0,
				"--device %s: an --external names this superblock, too",
				n->key);
			keep(n->p, o, &wrong, e);
		}
		v->external_of[i] = MC_NONE;
	}
}

static int name_devices(struct mc_plan *p, const struct mc_plan_options *o,
			struct mntcr_error *e)
{
	uint32_t *named_by = malloc((p->topo->nr_sbs + 1UL) * sizeof(*named_by)), i;
	struct naming n = { .p = p, .option = "--device", .named_by = named_by };
	struct mntcr_error wrong;
	int ret = 0;

	if (!named_by)
		return mc_nomem(e);
	for (i = 0; i < p->topo->nr_sbs; i++)
		named_by[i] = p->priv->device_of[i] = MC_NONE;
	for (n.index = 0; n.index < o->nr_devices && !ret; n.index++)
		if (name_device(&n, &o->devices[n.index], &wrong))
			ret = keep(p, o, &wrong, e);
	free(named_by);
	if (!ret)
		one_of_both(&n, o, e);
	return ret;
}

/* --- peer groups ----------------------------------------------------------- */

static int name_group(struct naming *n, const char *s, bool by_host,
		      struct mntcr_error *e)
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
	if (!name(n, g) && !by_host)
		return mc_fail(e, MNTCR_USAGE, 0,
			       "--external-master %s: given twice", n->key);
	return 0;
}

/* --- overlays --------------------------------------------------------------- */

static int name_layer(struct mc_plan *p, const struct mc_plan_options *o, uint32_t i,
		      struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	uint32_t k, sb = mc_find_sb(t, o->layers[i].key);
	char key[128];

	mc_escape(o->layers[i].key, key, sizeof(key));
	for (k = 0; sb != MC_NONE && k < t->sbs[sb].nr_layers; k++)
		if (mc_layer_is_relative(&t->sbs[sb].layers[k]))
			break;
	if (sb == MC_NONE || k == t->sbs[sb].nr_layers)
		return mc_fail(e, MNTCR_USAGE, 0,
			       "--layer %s: no overlay of the image with a relative layer has this device or is at this path",
			       key);
	if (p->priv->layer_of[sb] != MC_NONE)
		return mc_fail(e, MNTCR_USAGE, 0, "--layer %s: given twice", key);
	p->priv->layer_of[sb] = i;
	return 0;
}

static void name_layers(struct mc_plan *p, const struct mc_plan_options *o,
			struct mntcr_error *e)
{
	struct mntcr_error wrong;
	uint32_t i;

	for (i = 0; i < p->topo->nr_sbs; i++)
		p->priv->layer_of[i] = MC_NONE;
	for (i = 0; i < o->nr_layers; i++)
		if (name_layer(p, o, i, &wrong))
			keep(p, o, &wrong, e);
}

/* --- what is given at a stage --------------------------------------------------- */

/* The need that waits for something that an option names: by is that option. */
static void note(const struct mc_plan *p, const char **by, enum mntcr_given_kind kind,
		 uint64_t id, const char *option)
{
	uint32_t need;

	if (option && mc_plan_find_need(p, kind, id, &need))
		by[need] = option;
}

static void named_as_well(const struct mc_plan *p, const struct mc_plan_options *o,
			  const char **by)
{
	const struct mc_topology *t = p->topo;
	const struct mc_ext_ns *x = p->priv->ext_ns;
	enum mntcr_given_kind kind;
	uint32_t i;

	for (i = 0; i < t->nr_sbs; i++)
		note(p, by, MNTCR_GIVEN_SUPERBLOCK,
		     MNTCR_DEVICE(t->sbs[i].major, t->sbs[i].minor),
		     is_external(p, i, o) ? "--external" :
		     p->priv->device_of[i] != MC_NONE ? "--device" : NULL);
	for (i = 0; i < t->nr_userns; i++)
		if (t->userns[i].given)
			note(p, by, MNTCR_GIVEN_USER, t->userns[i].ino, "--owner");
	for (i = 0; i < p->priv->nr_ext_ns; i++) {
		kind = mc_need_of_nstype(x[i].type);
		/* of the others, the file of a namespace is another thing */
		if (!mc_need_is_shown(kind))
			note(p, by, kind, x[i].ino, "--external");
	}
}

static int names_of_needs(struct mc_plan *p, const struct mc_plan_options *o,
			  struct mntcr_error *e)
{
	const char **by = calloc(p->nr_needs + 1UL, sizeof(*by));
	struct mntcr_error wrong;
	char id[32];
	uint32_t i;

	if (!by)
		return mc_nomem(e);
	named_as_well(p, o, by);
	for (i = 0; i < p->nr_needs; i++) {
		if (!by[i])
			continue;
		mc_need_id_text(p->needs[i].kind, p->needs[i].id, id, sizeof(id));
		mc_fail(&wrong, MNTCR_USAGE, 0, "give %s:%s: %s names this one, too",
			mc_need_kind_name(p->needs[i].kind), id, by[i]);
		keep(p, o, &wrong, e);
	}
	free(by);
	return 0;
}

int mc_plan_names(struct mc_plan *p, const struct mc_plan_options *o,
		  struct mntcr_error *e)
{
	struct naming n = {
		.p = p, .option = "--external", .named_by = p->priv->external_of,
	};
	struct mntcr_error wrong;
	uint32_t i;

	for (i = 0; i < p->topo->nr_sbs; i++)
		p->priv->external_of[i] = MC_NONE;
	for (i = 0; i < p->topo->nr_groups; i++)
		p->priv->master_of[i] = MC_NONE;
	if ((o->nr_externals || o->nr_devices) && mc_plan_sort_keys(p, e))
		return -1;
	if (name_externals(&n, o, e) || name_devices(p, o, e))
		return -1;
	n.named_by = p->priv->master_of;
	for (i = 0; i < o->nr_masters; i++) {
		n.index = i;
		n.nr = 0;
		mc_escape(o->masters[i].key, n.key, sizeof(n.key));
		if (name_group(&n, o->masters[i].key,
			       o->masters[i].reserved[0] == MC_BY_HOST, &wrong))
			keep(p, o, &wrong, e);
	}
	name_layers(p, o, e);
	if (p->nr_needs && names_of_needs(p, o, e))
		return -1;
	return p->priv->nr_wrong_keys ? -1 : 0;
}
