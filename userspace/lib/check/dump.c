// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mntcr_check_dump(): what a restore elsewhere, of which nothing is live, will need
 * of what has been captured here.  The plan is asked, first without options; what it
 * wants from outside is given to it, as if it were there; what it refuses then cannot
 * be had.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "execute/execute.h"
#include "image/image.h"

/* Of one superblock. */
struct saved {
	bool is;
	uint64_t nr_files, nr_bytes;
	char refused[sizeof(((struct mntcr_error *)0)->rule)];
};

struct job {
	struct mc_topology *t;
	struct mc_report r;
	struct mc_outside outside;
	struct mc_map *by_dev;
	struct saved *saved;
	uint32_t *mounts, *first;	/* by superblock; where those of each begin */
	/* the last plan's answers */
	struct mc_from *from;
	bool *orphan;
	bool *external, *master, *layer; /* given to the next */
	uint32_t *nr_refused;		/* per superblock, mounts: without an external */
	struct mntcr_external *externals, *masters, *layers, *devices;
	char **has;			/* per superblock: the device that has it, or NULL */
	char **keys, (*ids)[32];
	char **sources;			/* what the externals will show */
	struct mc_ns_files files;
	bool files_known;
	struct mntcr_contents_options theirs;
	struct mntcr_error *e;
	int ret;			/* of what is called back */
	bool last;			/* this plan's refusals are told */
};

/* --- contents ------------------------------------------------------------------ */

static struct saved *of_device(struct job *j, uint32_t maj, uint32_t min)
{
	uint32_t i = 0;

	mc_map_get(j->by_dev, mc_dev_key(maj, min), &i);
	return &j->saved[i];
}

static void saved(void *data, unsigned int maj, unsigned int min, uint64_t nr_files,
		  uint64_t nr_bytes)
{
	struct saved *s = of_device(data, maj, min);

	s->is = true;
	s->nr_files = nr_files;
	s->nr_bytes = nr_bytes;
}

static void contents_refused(void *data, unsigned int maj, unsigned int min,
			     const struct mntcr_error *e)
{
	struct job *j = data;

	snprintf(of_device(j, maj, min)->refused, sizeof(j->saved->refused), "%s",
		 e->rule);
	mc_report_refuse(&j->r, e->rule, "", "%s", e->text);
}

static void left_out(void *data, const char *line)
{
	struct job *j = data;

	mc_report_difference(&j->r, "contents", "%s", line);
}

static int holds(void *data, struct mntcr_error *e)
{
	const struct job *j = data;

	return j->theirs.holds(j->theirs.data, e);
}

/* Read as a dump does, and written nowhere. */
static int read_contents(struct job *j, const struct mntcr_contents_options *theirs,
			 struct mntcr_error *e)
{
	struct mntcr_contents_options o;
	int ret;

	if (mc_take_options(&o, sizeof(o), sizeof(o), theirs, "contents_options", e))
		return -1;
	o.left_out = left_out;
	o.refused = contents_refused;
	o.saved = saved;
	j->theirs = o;
	o.holds = o.holds ? holds : NULL;
	o.data = j;
	ret = mc_image_print_contents(j->t, &o, NULL, e);
	return ret && e->code == MNTCR_REFUSED ? 0 : ret;
}

/* --- what the plan says ---------------------------------------------------------- */

static void decided(void *data, const struct mc_plan *p)
{
	struct job *j = data;

	memcpy(j->from, p->from, j->t->nr_sbs * sizeof(*j->from));
	memcpy(j->orphan, p->orphan, j->t->nr_groups * sizeof(*j->orphan));
	if (j->files_known)
		mc_ns_files_given(&j->files, p);
	else
		j->ret = mc_ns_files_find(&j->files, p, NULL, j->e);
	if (j->last)
		mc_report_sources(&j->r, p);
}

static void refused(void *data, const struct mntcr_refusal *refusal)
{
	struct job *j = data;

	if (j->last)
		mc_report_refusal(&j->r, refusal);
}

/* By its place, if it has one; else the whole of it, at a path that can be written. */
static void name_external(struct job *j, uint32_t i, struct mntcr_external *x)
{
	const struct mc_sb *sb = &j->t->sbs[i];
	const struct mc_place *at = sb->outside.path ?
				    mc_outside_widest(&j->outside, sb) :
				    mc_outside_root(&j->outside, sb);

	free(j->keys[i]);
	j->keys[i] = mc_sb_key(sb);
	if (!j->keys[i])
		j->r.nomem = true;
	*x = (struct mntcr_external){
		.key = j->keys[i] ? j->keys[i] : "",
		.path = at && (sb->outside.path || mc_is_plain(at->target)) ?
			at->target : "PATH" };
	j->sources[x - j->externals] = at ? at->source : NULL;
}

static void name_layer(struct job *j, uint32_t i, struct mntcr_external *x)
{
	free(j->keys[i]);
	j->keys[i] = mc_device_key(&j->t->sbs[i]);
	if (!j->keys[i])
		j->r.nomem = true;
	*x = (struct mntcr_external){
		.key = j->keys[i] ? j->keys[i] : "", .path = "PATH" };
}

/* Of what is mounted nowhere else. */
static void find_device(struct job *j, uint32_t i)
{
	const struct mc_sb *sb = &j->t->sbs[i];

	if (j->external[i] && !j->has[i] && !sb->outside.path &&
	    !mc_outside_root(&j->outside, sb) && mc_device_is_plain(sb))
		j->has[i] = mc_device_here(sb);
}

static void name_device(struct job *j, uint32_t i, struct mntcr_external *x)
{
	name_layer(j, i, x);
	x->path = j->has[i];
}

static void name_externals(struct job *j, struct mc_plan_options *po)
{
	const struct mc_place *at;
	uint32_t i, n = 0;

	for (i = 0; i < j->t->nr_sbs; i++)
		find_device(j, i);
	for (i = 0; i < j->t->nr_sbs; i++)
		if (j->external[i] && !j->has[i])
			name_external(j, i, &j->externals[n++]);
	n += mc_ns_files_name(&j->files, &j->externals[n]);
	po->externals = j->externals;
	po->nr_externals = n;
	for (i = n = 0; i < j->t->nr_sbs; i++)
		if (j->layer[i])
			name_layer(j, i, &j->layers[n++]);
	po->layers = j->layers;
	po->nr_layers = n;
	for (i = n = 0; i < j->t->nr_sbs; i++)
		if (j->external[i] && j->has[i])
			name_device(j, i, &j->devices[n++]);
	po->devices = j->devices;
	po->nr_devices = n;
	for (i = n = 0; i < j->t->nr_groups; i++) {
		if (!j->master[i])
			continue;
		at = mc_outside_group(&j->outside, j->t->groups[i].id);
		snprintf(j->ids[i], sizeof(*j->ids), "%" PRIu64, j->t->groups[i].id);
		j->masters[n++] = (struct mntcr_external){
			.key = j->ids[i],
			.path = at && mc_is_plain(at->target) ? at->target : "PATH" };
	}
	po->masters = j->masters;
	po->nr_masters = n;
}

static int ask(struct job *j, struct mc_plan_options *po, struct mntcr_error *e)
{
	struct mc_plan *p = NULL;
	int ret;

	name_externals(j, po);
	po->external_sources = j->sources;
	ret = mc_plan_make(j->t, po, &p, e);
	mc_plan_free(p);
	if (j->ret) {
		*e = *j->e;
		return -1;
	}
	return ret && e->code == MNTCR_REFUSED ? 0 : ret;
}

/*
 * Without anything; then with what is missing.  What that does not help a
 * superblock with is not asked for.
 */
static int ask_plan(struct job *j, struct mntcr_error *e)
{
	struct mntcr_restore_options ro = { .size = sizeof(ro) };
	struct mc_plan_options po;
	const struct mc_group *g;
	uint32_t i;

	mc_plan_options(&ro, &po);
	po.decided = decided;
	po.refused = refused;
	po.no_detached = true;	/* it takes stages, too */
	po.data = j;
	if (mc_ask_kernel(j->t, &po, e) || ask(j, &po, e))
		return -1;
	j->files_known = true;
	for (i = 0; i < j->t->nr_sbs; i++) {
		/* each file of a namespace by itself */
		if (!strcmp(j->t->sbs[i].type, "nsfs"))
			continue;
		/* and the host's stays the host's */
		j->layer[i] = mc_lacks_layer(&j->from[i]);
		j->external[i] = (j->from[i].refused && !j->layer[i] &&
				  !mc_lacks_source(&j->from[i])) ||
				 (j->t->sbs[i].whose == MC_WHOSE_HOST &&
				  j->t->sbs[i].outside.path && j->t->sbs[i].nr_mounts);
		/* by such a rule, all of it */
		j->nr_refused[i] = j->from[i].nr_refused ? j->from[i].nr_refused :
				   UINT32_MAX;
	}
	for (i = 0; i < j->t->nr_groups; i++) {
		g = &j->t->groups[i];
		j->master[i] = j->orphan[i];
		/* a fresh one has no mount outside */
		if (j->orphan[i] && j->from[g->sb].kind == MC_FROM_FRESH) {
			j->external[g->sb] = true;
			j->nr_refused[g->sb] = UINT32_MAX;
		}
	}
	if (ask(j, &po, e))
		return -1;
	if (mc_lack_more(j->t->nr_sbs, j->from, j->external, j->layer, j->nr_refused) &&
	    ask(j, &po, e))
		return -1;
	for (i = 0; i < j->t->nr_sbs; i++)
		if (j->from[i].nr_refused >= j->nr_refused[i])
			j->external[i] = false;
	j->last = true;
	return ask(j, &po, e);
}

/* --- the list -------------------------------------------------------------------- */

static void add_differences(struct job *j, uint32_t i)
{
	const struct mc_sb *sb = &j->t->sbs[i];

	if (j->from[i].kind != MC_FROM_FRESH)
		return;
	if (mc_type_of(sb->type)->kind == MC_TYPE_MEMORY && !sb->contents &&
	    sb->whose != MC_WHOSE_HOST &&
	    !*j->saved[i].refused)
		mc_report_difference(&j->r, "contents", "%s %u:%u: its files are not in the image, but for what mounts are on",
				     sb->type, sb->major, sb->minor);
}

static void add_superblock(struct job *j, uint32_t i)
{
	const struct mc_sb *sb = &j->t->sbs[i];
	const char *rule = *j->saved[i].refused ? j->saved[i].refused :
			   j->from[i].refused;
	json_t *o, *places = json_array();
	char name[256];
	uint32_t k;

	for (k = mc_outside_of(&j->outside, sb); k != MC_NONE;
	     k = j->outside.places[k].next)
		mc_report_add(&j->r, places, mc_report_text(mc_escape(
			      j->outside.places[k].target, name, sizeof(name))));
	o = mc_report_sb(sb);
	mc_report_set(&j->r, o, "whose", json_string(mc_whose_names[sb->whose]));
	mc_report_set(&j->r, o, "from", json_string(*j->saved[i].refused ? "refused" :
		      mc_report_from(&j->from[i], sb->nr_mounts)));
	mc_report_set(&j->r, o, "outside", places);
	if (rule)
		mc_report_set(&j->r, o, "rule", json_string(rule));
	if (j->saved[i].is)
		mc_report_set(&j->r, o, "contents", json_pack("{s:I, s:I}",
		    "files", (json_int_t)j->saved[i].nr_files,
		    "bytes", (json_int_t)j->saved[i].nr_bytes));
	mc_report_mounts(&j->r, o, j->mounts + j->first[i],
			 j->first[i + 1] - j->first[i]);
	mc_report_add(&j->r, j->r.superblocks, o);
	add_differences(j, i);
}

/* By its place, where --host finds the superblock by one as well. */
static void add_master(struct job *j, uint32_t g, const struct mntcr_external *x)
{
	const struct mc_found *f = &j->t->groups[g].outside;
	uint32_t sb = j->t->groups[g].sb, nr = mc_receivers(j->t, g, j->mounts);

	if (f->path && j->external[sb] && j->t->sbs[sb].outside.path)
		mc_report_host(&j->r, j->r.masters, f->path, j->mounts, nr);
	else
		mc_report_option(&j->r, j->r.masters, "--external-master", x,
				 j->mounts, nr);
}

static void make_list(struct job *j)
{
	const struct mc_topology *t = j->t;
	uint32_t i, n = 0, d = 0;

	for (i = 0; i < t->nr_sbs; i++)
		if (t->sbs[i].nr_mounts)
			add_superblock(j, i);
	for (i = 0; i < t->nr_sbs; i++) {
		const uint32_t *m = j->mounts + j->first[i];

		if (!j->external[i])
			continue;
		if (t->sbs[i].outside.path)
			mc_report_host(&j->r, j->r.externals, t->sbs[i].outside.path, m,
				       j->first[i + 1] - j->first[i]);
		else
			mc_report_option(&j->r, j->r.externals,
					 j->has[i] ? "--device" : "--external",
					 j->has[i] ? &j->devices[d] : &j->externals[n], m,
					 j->first[i + 1] - j->first[i]);
		if (j->has[i])
			d++;
		else
			n++;
	}
	mc_ns_files_report(&j->files, NULL, &j->r);
	for (i = n = 0; i < t->nr_sbs; i++)
		if (j->layer[i])
			mc_report_option(&j->r, j->r.layers, "--layer", &j->layers[n++],
					 j->mounts + j->first[i],
					 j->first[i + 1] - j->first[i]);
	for (i = n = 0; i < t->nr_groups; i++)
		if (j->master[i])
			add_master(j, i, &j->masters[n++]);
}

/* --- the frame ------------------------------------------------------------------- */

static int start(struct job *j, struct mntcr_error *e)
{
	const struct mc_topology *t = j->t;
	uint32_t i, v;

	j->by_dev = mc_map_new();
	j->saved = calloc(t->nr_sbs + 1UL, sizeof(*j->saved));
	j->from = calloc(t->nr_sbs + 1UL, sizeof(*j->from));
	j->nr_refused = calloc(t->nr_sbs + 1UL, sizeof(*j->nr_refused));
	j->external = calloc(t->nr_sbs + 1UL, sizeof(*j->external));
	j->layer = calloc(t->nr_sbs + 1UL, sizeof(*j->layer));
	j->layers = calloc(t->nr_sbs + 1UL, sizeof(*j->layers));
	/* and files of namespaces */
	j->externals = calloc((size_t)t->nr_sbs + t->nr_mounts + 1, sizeof(*j->externals));
	j->has = calloc(t->nr_sbs + 1UL, sizeof(*j->has));
	j->devices = calloc(t->nr_sbs + 1UL, sizeof(*j->devices));
	j->sources = calloc((size_t)t->nr_sbs + t->nr_mounts + 1, sizeof(*j->sources));
	j->orphan = calloc(t->nr_groups + 1UL, sizeof(*j->orphan));
	j->master = calloc(t->nr_groups + 1UL, sizeof(*j->master));
	j->masters = calloc(t->nr_groups + 1UL, sizeof(*j->masters));
	j->keys = calloc(t->nr_sbs + 1UL, sizeof(*j->keys));
	j->ids = calloc(t->nr_groups + 1UL, sizeof(*j->ids));
	j->mounts = mc_mounts_by_sb(t, &j->first);
	if (!j->by_dev || !j->saved || !j->from || !j->nr_refused || !j->external ||
	    !j->externals || !j->layer || !j->layers || !j->has || !j->devices ||
	    !j->sources || !j->orphan || !j->master || !j->masters ||
	    !j->keys || !j->ids || !j->mounts)
		return mc_nomem(e);
	for (i = 0; i < t->nr_sbs; i++) {
		v = i;
		if (mc_map_add(j->by_dev, mc_dev_key(t->sbs[i].major, t->sbs[i].minor), &v) < 0)
			return mc_nomem(e);
	}
	return mc_report_new(&j->r, t, e) || mc_outside_read(&j->outside, t, e) ? -1 : 0;
}

static void finish(struct job *j)
{
	uint32_t i;

	for (i = 0; j->keys && i < j->t->nr_sbs; i++)
		free(j->keys[i]);
	for (i = 0; j->has && i < j->t->nr_sbs; i++)
		free(j->has[i]);
	free(j->has);
	free(j->devices);
	free(j->ids);
	mc_ns_files_free(&j->files);
	mc_report_free(&j->r);
	mc_outside_free(&j->outside);
	mc_map_free(j->by_dev);
	free(j->saved);
	free(j->from);
	free(j->nr_refused);
	free(j->external);
	free(j->layer);
	free(j->layers);
	free(j->externals);
	free(j->sources);
	free(j->first);
	free(j->orphan);
	free(j->master);
	free(j->masters);
	free(j->keys);
	free(j->mounts);
}

int mntcr_check_dump(struct mc_topology *t, const struct mntcr_contents_options *contents,
		     bool json, FILE *out, struct mntcr_error *e)
{
	struct mntcr_error inner = { 0 };
	struct job j = { .t = t, .e = &inner };
	int ret = -1;

	memset(e, 0, sizeof(*e));
	if (!start(&j, e) && (!contents || !read_contents(&j, contents, e)) &&
	    !ask_plan(&j, e)) {
		make_list(&j);
		ret = mc_report_end(&j.r, json, out, e);
	}
	finish(&j);
	return ret;
}
