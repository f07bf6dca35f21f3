// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which options a restore here takes: those that are given, and what would help with
 * what the plan refuses with them alone.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <inttypes.h>
#include <libmount/libmount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "check/check.h"
#include "execute/execute.h"

struct needs {
	struct mc_report *r;
	const struct mc_topology *t;
	struct mc_plan_options po;
	struct libmnt_table *mounted;
	struct mc_from *from;
	bool *orphan, *wanted;
	bool *layer;			/* per superblock: wants a --layer */
	bool *by_device;		/* per superblock: a --device was given */
	char **has;			/* the same: the device that has it here, or NULL */
	dev_t *device;			/* per superblock: of its place; 0: it is not there */
	uint32_t *nr_refused;
	const uint32_t *mounts, *first;	/* by superblock */
	char **keys;
	struct mntcr_external *externals, *layers, *devices;
	struct mc_ns_files files;
	/* of a restore in stages: what it needs, while this is about one without */
	const struct needs *staged;
	bool *chosen;			/* per mount: it is to be given at a stage */
	struct mntcr_error *e;
	int ret;			/* of what is called back */
	blkid_cache devs;		/* NULL: none was looked for */
	bool known;			/* a plan got as far as the sources */
};

/* What it is of, or what that shows, is to be given in any case. */
static bool is_chosen(const struct mc_plan *p, uint32_t m)
{
	uint32_t src = p->src_of[m];
	const struct mc_src *s = src == MC_NONE ? NULL : &p->srcs[mc_src_base(p, src)];

	/* what is made for an owner could still be another's */
	return s && s->need != MC_NONE && p->needs[s->need].chosen &&
	       (s->kind == MC_SRC_GIVEN || p->needs[s->need].kind != MNTCR_GIVEN_USER);
}

static void decided(void *data, const struct mc_plan *p)
{
	struct needs *n = data;
	uint32_t i;

	for (i = 0; i < n->t->nr_mounts; i++)
		n->chosen[i] = is_chosen(p, i);
	for (i = 0; i < p->nr_srcs; i++)
		if (p->srcs[i].device != MC_NONE && !n->known)
			n->by_device[p->srcs[i].sb] = true;
	memcpy(n->from, p->from, n->t->nr_sbs * sizeof(*n->from));
	memcpy(n->orphan, p->orphan, n->t->nr_groups * sizeof(*n->orphan));
	if (n->known)
		mc_ns_files_given(&n->files, p);
	else
		n->ret = mc_ns_files_find(&n->files, p, n->staged ? n->staged->chosen : NULL,
					  n->e);
	n->known = true;
}

static int ask(struct needs *n, struct mntcr_error *e)
{
	struct mc_plan *p = NULL;
	int ret = mc_plan_make(n->t, &n->po, &p, e);

	mc_plan_free(p);
	if (n->ret) {
		*e = *n->e;
		return -1;
	}
	return ret && e->code != MNTCR_REFUSED && e->code != MNTCR_USAGE ? -1 : 0;
}

static struct libmnt_fs *mount_at(struct needs *n, const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC);
	struct libmnt_fs *fs = NULL;
	bool is_root = false;

	if (fd >= 0 && n->mounted)
		fs = mc_mounted_at(n->mounted, fd, &is_root);
	mc_close(fd);
	return is_root ? fs : NULL;
}

/* Is something of its type where the dumper's host had it? */
static void look(struct needs *n, uint32_t i)
{
	const struct mc_sb *sb = &n->t->sbs[i];
	struct libmnt_fs *fs = sb->outside.path ? mount_at(n, sb->outside.path) : NULL;
	const char *type = fs ? mnt_fs_get_fstype(fs) : NULL;

	if (type && mc_exec_has_type(sb, type))
		n->device[i] = mnt_fs_get_devno(fs);
}

/*
 * Is it to be among the options that are pasted?  In stages, what waits for something else
 * is not, but where the host has it at its place: it need not be given then.
 */
static bool is_needed(const struct needs *n, uint32_t sb)
{
	bool found = n->device[sb] || (n->has[sb] && strcmp(n->has[sb], "PATH"));

	return !n->staged || n->staged->wanted[sb] ||
	       (n->staged->from[sb].kind == MC_FROM_GIVEN && found);
}

static bool has_peer(struct needs *n, uint32_t g)
{
	const struct mc_group *x = &n->t->groups[g];
	struct libmnt_fs *fs = x->outside.path ? mount_at(n, x->outside.path) : NULL;
	unsigned long flags = 0;

	return fs && !mnt_fs_get_propagation(fs, &flags) && flags & MS_SHARED &&
	       n->wanted[x->sb] && is_needed(n, x->sb) && n->device[x->sb] &&
	       n->device[x->sb] == mnt_fs_get_devno(fs);
}

/* Where several have its UUID, which one it is somebody has to say. */
static void find_device(struct needs *n, uint32_t i)
{
	const struct mc_sb *sb = &n->t->sbs[i];
	char *others, first[256];

	/* which has been told */
	if (n->staged && n->staged->has[i]) {
		n->has[i] = strdup(n->staged->has[i]);
		n->r->nomem = n->r->nomem || !n->has[i];
		return;
	}
	n->has[i] = mc_device_of(&n->devs, sb, &others);
	if (n->has[i] && others) {
		mc_report_difference(n->r, "device", "%u:%u: several devices have its UUID: %s, %s",
				     sb->major, sb->minor,
				     mc_escape(n->has[i], first, sizeof(first)), others);
		free(n->has[i]);
		n->has[i] = strdup("PATH");
	}
	free(others);
}

/* Will all of a superblock be given at a stage, as was asked for? */
static bool all_chosen(const struct needs *n, uint32_t i)
{
	uint32_t k;

	for (k = n->first[i]; n->staged && k < n->first[i + 1]; k++)
		if (!n->staged->chosen[n->mounts[k]])
			return false;
	return n->staged;
}

/* What is refused, what the host has here, and what only an external can receive. */
static void choose(struct needs *n)
{
	uint32_t i, sb;

	for (i = 0; i < n->t->nr_sbs; i++) {
		/* of namespaces each file is given alone */
		if (n->from[i].kind == MC_FROM_EXTERNAL || n->by_device[i] || !n->t->sbs[i].nr_mounts ||
		    !strcmp(n->t->sbs[i].type, "nsfs") || all_chosen(n, i))
			continue;
		look(n, i);
		n->layer[i] = mc_lacks_layer(&n->from[i]);
		n->wanted[i] = (n->from[i].refused && !n->layer[i] &&
				!mc_lacks_source(&n->from[i])) ||
			       (n->from[i].kind == MC_FROM_FRESH && n->device[i] &&
				n->t->sbs[i].whose == MC_WHOSE_HOST);
		n->nr_refused[i] = n->from[i].nr_refused && n->from[i].refused ?
				   n->from[i].nr_refused : UINT32_MAX;
		if (n->wanted[i] && !n->device[i] && mc_device_is_plain(&n->t->sbs[i]))
			find_device(n, i);
	}
	for (i = 0; i < n->t->nr_groups; i++) {
		sb = n->t->groups[i].sb;
		if (!n->orphan[i] || n->from[sb].kind != MC_FROM_FRESH || n->by_device[sb] ||
		    all_chosen(n, sb))
			continue;
		n->wanted[sb] = true;
		n->nr_refused[sb] = UINT32_MAX;
	}
}

static int add_externals(struct needs *n, const struct mc_plan_options *given,
			 struct mntcr_error *e)
{
	struct mntcr_external *x;
	uint32_t i;

	if (given->nr_externals)
		memcpy(n->externals, given->externals,
		       given->nr_externals * sizeof(*n->externals));
	n->po.externals = n->externals;
	n->po.nr_externals = given->nr_externals;
	for (i = 0; i < n->t->nr_sbs; i++) {
		if (!n->wanted[i] || n->has[i])
			continue;
		free(n->keys[i]);
		n->keys[i] = mc_sb_key(&n->t->sbs[i]);
		if (!n->keys[i])
			return mc_nomem(e);
		x = &n->externals[n->po.nr_externals++];
		*x = (struct mntcr_external){
			.key = n->keys[i], .path = n->device[i] ?
						   n->t->sbs[i].outside.path : "PATH" };
	}
	n->po.nr_externals += mc_ns_files_name(&n->files, &n->externals[n->po.nr_externals]);
	return 0;
}

/* NULL: no memory. */
static const char *device_key(struct needs *n, uint32_t i)
{
	if (!n->keys[i])
		n->keys[i] = mc_device_key(&n->t->sbs[i]);
	return n->keys[i];
}

/* Overlays that need no more than a directory, or what their layers are of. */
static int add_layers(struct needs *n, const struct mc_plan_options *given,
		      struct mntcr_error *e)
{
	uint32_t i;

	if (given->nr_layers)
		memcpy(n->layers, given->layers, given->nr_layers * sizeof(*n->layers));
	n->po.layers = n->layers;
	n->po.nr_layers = given->nr_layers;
	for (i = 0; i < n->t->nr_sbs; i++) {
		if (!n->layer[i])
			continue;
		if (!device_key(n, i))
			return mc_nomem(e);
		n->layers[n->po.nr_layers++] = (struct mntcr_external){
			.key = n->keys[i], .path = "PATH" };
	}
	return 0;
}

static int add_devices(struct needs *n, const struct mc_plan_options *given,
		       struct mntcr_error *e)
{
	uint32_t i;

	if (given->nr_devices)
		memcpy(n->devices, given->devices, given->nr_devices * sizeof(*n->devices));
	n->po.devices = n->devices;
	n->po.nr_devices = given->nr_devices;
	for (i = 0; i < n->t->nr_sbs; i++) {
		if (!n->has[i])
			continue;
		if (!device_key(n, i))
			return mc_nomem(e);
		n->devices[n->po.nr_devices++] = (struct mntcr_external){
			.key = n->keys[i], .path = n->has[i] };
	}
	return 0;
}

static int ask_with(struct needs *n, const struct mc_plan_options *given,
		    struct mntcr_error *e)
{
	return add_externals(n, given, e) || add_layers(n, given, e) ||
	       add_devices(n, given, e) || ask(n, e) ? -1 : 0;
}

/* --- the list ----------------------------------------------------------------- */

static void list_given(struct needs *n, const struct mntcr_restore_options *o)
{
	char esc[400];
	size_t i;

	for (i = 0; i < o->nr_repeat; i++)
		mc_report_add(n->r, n->r->options, mc_is_utf8(o->repeat[i], strlen(o->repeat[i])) ?
			      json_string(o->repeat[i]) :
			      mc_report_text(mc_escape(o->repeat[i], esc, sizeof(esc))));
	for (i = 0; i < o->nr_hosts; i++)
		mc_report_host(n->r, NULL, o->hosts[i], NULL, 0);
	for (i = 0; i < o->nr_externals; i++)
		if (!o->externals[i].reserved[0])
			mc_report_option(n->r, NULL, "--external", &o->externals[i],
					 NULL, 0);
	for (i = 0; i < o->nr_devices; i++)
		mc_report_option(n->r, NULL, "--device", &o->devices[i], NULL, 0);
	for (i = 0; i < o->nr_layers; i++)
		mc_report_option(n->r, NULL, "--layer", &o->layers[i], NULL, 0);
	for (i = 0; i < o->nr_masters; i++)
		if (!o->masters[i].reserved[0])
			mc_report_option(n->r, NULL, "--external-master",
					 &o->masters[i], NULL, 0);
}

/* Among the options, or as another way to what is waited for. */
static void list_one(struct needs *n, uint32_t sb, bool needed, json_t *list,
		     const char *option, const char *path)
{
	const struct mntcr_external x = { .key = n->keys[sb], .path = path };

	(needed ? mc_report_option : mc_report_alternative)
		(n->r, list, option, &x, n->mounts + n->first[sb],
		 n->first[sb + 1] - n->first[sb]);
}

static void list_superblocks(struct needs *n)
{
	struct mntcr_external x = { 0 };
	const uint32_t *mounts;
	uint32_t i, nr;

	for (i = 0; i < n->t->nr_sbs; i++) {
		if (!n->wanted[i])
			continue;
		mounts = n->mounts + n->first[i];
		nr = n->first[i + 1] - n->first[i];
		x.path = n->t->sbs[i].outside.path;
		if (!n->device[i])
			list_one(n, i, is_needed(n, i), n->r->externals,
				 n->has[i] ? "--device" : "--external",
				 n->has[i] ? n->has[i] : "PATH");
		else if (is_needed(n, i))
			mc_report_host(n->r, n->r->externals, x.path, mounts, nr);
		else
			mc_report_alternative(n->r, n->r->externals, "--host", &x, mounts, nr);
	}
}

static void list_needed(struct needs *n)
{
	struct mntcr_external x = { .path = "PATH" };
	uint32_t i, nr, *receivers;
	char id[32];

	list_superblocks(n);
	mc_ns_files_report(&n->files, n->staged ? &n->staged->files : NULL, n->r);
	for (i = 0; i < n->t->nr_sbs; i++)
		if (n->layer[i])
			list_one(n, i, !n->staged || n->staged->layer[i], n->r->layers,
				 "--layer", "PATH");
	receivers = calloc(n->t->nr_mounts + 1UL, sizeof(*receivers));
	if (!receivers)
		n->r->nomem = true;
	for (i = 0; receivers && i < n->t->nr_groups; i++) {
		if (!n->orphan[i])
			continue;
		nr = mc_receivers(n->t, i, receivers);
		if (has_peer(n, i)) {
			mc_report_host(n->r, n->r->masters, n->t->groups[i].outside.path,
				       receivers, nr);
			continue;
		}
		snprintf(id, sizeof(id), "%" PRIu64, n->t->groups[i].id);
		x.key = id;
		mc_report_option(n->r, n->r->masters, "--external-master", &x,
				 receivers, nr);
	}
	free(receivers);
}

static int find(struct needs *n, const struct mc_plan_options *given,
		struct mntcr_error *e)
{
	uint32_t i;

	if (ask(n, e))
		return -1;
	if (!n->known)
		return 0;
	choose(n);
	if (ask_with(n, given, e) ||
	    (mc_lack_more(n->t->nr_sbs, n->from, n->wanted, n->layer, n->nr_refused) &&
	     ask_with(n, given, e)))
		return -1;
	for (i = 0; i < n->t->nr_sbs; i++)
		if (n->wanted[i] && n->from[i].nr_refused >= n->nr_refused[i])
			n->wanted[i] = false;
	return 0;
}

static int start(struct needs *n, const struct mc_plan_options *given, struct mntcr_error *e)
{
	const struct mc_topology *t = n->t;

	n->po = *given;
	n->po.decided = decided;
	n->po.refused = NULL;
	n->po.wrong_key = NULL;
	n->po.data = n;
	n->po.external_sources = NULL;
	n->po.external_read_only = NULL;
	n->from = calloc(t->nr_sbs + 1UL, sizeof(*n->from));
	n->orphan = calloc(t->nr_groups + 1UL, sizeof(*n->orphan));
	n->wanted = calloc(t->nr_sbs + 1UL, sizeof(*n->wanted));
	n->device = calloc(t->nr_sbs + 1UL, sizeof(*n->device));
	n->nr_refused = calloc(t->nr_sbs + 1UL, sizeof(*n->nr_refused));
	n->keys = calloc(t->nr_sbs + 1UL, sizeof(*n->keys));
	n->by_device = calloc(t->nr_sbs + 1UL, sizeof(*n->by_device));
	n->layer = calloc(t->nr_sbs + 1UL, sizeof(*n->layer));
	n->has = calloc(t->nr_sbs + 1UL, sizeof(*n->has));
	n->chosen = calloc(t->nr_mounts + 1UL, sizeof(*n->chosen));
	n->devices = calloc(given->nr_devices + t->nr_sbs + 1UL, sizeof(*n->devices));
	n->layers = calloc(given->nr_layers + t->nr_sbs + 1UL, sizeof(*n->layers));
	n->externals = calloc((size_t)given->nr_externals + t->nr_sbs + t->nr_mounts + 1,
			      sizeof(*n->externals));
	return !n->from || !n->orphan || !n->wanted || !n->device || !n->nr_refused ||
	       !n->keys || !n->externals || !n->layer || !n->layers || !n->has ||
	       !n->devices || !n->by_device || !n->chosen ? mc_nomem(e) : 0;
}

static void finish(struct needs *n)
{
	uint32_t i;

	mc_ns_files_free(&n->files);
	for (i = 0; n->keys && i < n->t->nr_sbs; i++)
		free(n->keys[i]);
	for (i = 0; n->has && i < n->t->nr_sbs; i++)
		free(n->has[i]);
	free(n->has);
	free(n->chosen);
	free(n->devices);
	free(n->from);
	free(n->orphan);
	free(n->wanted);
	free(n->device);
	free(n->nr_refused);
	free(n->keys);
	free(n->externals);
	free(n->layer);
	free(n->by_device);
	free(n->layers);
}

/*
 * Of a restore in stages, twice: what it refuses although things will be given, and all
 * that could stand for those, as without stages.
 */
static int find_both(struct needs *n, struct needs *staged,
		     const struct mc_plan_options *given, struct mntcr_error *e)
{
	if (start(n, given, e))
		return -1;
	if (!given->staged)
		return find(n, given, e);
	if (start(staged, given, e) || find(staged, given, e))
		return -1;
	n->devs = staged->devs;
	n->po.staged = false;
	n->po.nr_give = 0;
	n->staged = staged;
	/* what is wrong usage, too, is told by the plan */
	return staged->known ? find(n, given, e) : 0;
}

int mc_check_needs(struct mc_report *r, const struct mc_plan_options *given,
		   const struct mntcr_restore_options *o, const uint32_t *mounts,
		   const uint32_t *first, struct mntcr_error *e)
{
	struct mntcr_error inner = { 0 };
	struct needs n = {
		.r = r, .t = r->t, .mounts = mounts, .first = first, .e = &inner,
		.mounted = mc_mounted_read(),
	};
	struct needs staged = n;
	int ret = find_both(&n, &staged, given, e);

	if (!ret && n.known) {
		list_given(&n, o);
		list_needed(&n);
	}
	if (n.devs || staged.devs)
		blkid_put_cache(n.devs ? n.devs : staged.devs);
	finish(&n);
	finish(&staged);
	mc_mounted_free(n.mounted);
	return ret;
}
