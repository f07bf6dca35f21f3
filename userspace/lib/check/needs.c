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
	char **keys;
	struct mntcr_external *externals, *layers, *devices;
	struct mc_ns_files files;
	struct mntcr_error *e;
	int ret;			/* of what is called back */
	blkid_cache devs;		/* NULL: none was looked for */
	bool known;			/* a plan got as far as the sources */
};

static void decided(void *data, const struct mc_plan *p)
{
	struct needs *n = data;
	uint32_t i;

	for (i = 0; i < p->nr_srcs; i++)
		if (p->srcs[i].device != MC_NONE && !n->known)
			n->by_device[p->srcs[i].sb] = true;
	memcpy(n->from, p->from, n->t->nr_sbs * sizeof(*n->from));
	memcpy(n->orphan, p->orphan, n->t->nr_groups * sizeof(*n->orphan));
	if (n->known)
		mc_ns_files_given(&n->files, p);
	else
		n->ret = mc_ns_files_find(&n->files, p, n->e);
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

static bool has_peer(struct needs *n, uint32_t g)
{
	const struct mc_group *x = &n->t->groups[g];
	struct libmnt_fs *fs = x->outside.path ? mount_at(n, x->outside.path) : NULL;
	unsigned long flags = 0;

	return fs && !mnt_fs_get_propagation(fs, &flags) && flags & MS_SHARED &&
	       n->wanted[x->sb] && n->device[x->sb] &&
	       n->device[x->sb] == mnt_fs_get_devno(fs);
}

/* Where several have its UUID, which one it is somebody has to say. */
static void find_device(struct needs *n, uint32_t i)
{
	const struct mc_sb *sb = &n->t->sbs[i];
	char *others, first[256];

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

/* What is refused, what the host has here, and what only an external can receive. */
static void choose(struct needs *n)
{
	uint32_t i, sb;

	for (i = 0; i < n->t->nr_sbs; i++) {
		/* of namespaces each file is given alone */
		if (n->from[i].kind == MC_FROM_EXTERNAL || n->by_device[i] || !n->t->sbs[i].nr_mounts ||
		    !strcmp(n->t->sbs[i].type, "nsfs"))
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
		if (!n->orphan[i] || n->from[sb].kind != MC_FROM_FRESH || n->by_device[sb])
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

static void list_needed(struct needs *n, const uint32_t *mounts, const uint32_t *first)
{
	struct mntcr_external x = { .path = "PATH" };
	uint32_t i, nr, *receivers;
	char id[32];

	for (i = 0; i < n->t->nr_sbs; i++) {
		nr = first[i + 1] - first[i];
		if (!n->wanted[i])
			continue;
		if (n->device[i]) {
			mc_report_host(n->r, n->r->externals, n->t->sbs[i].outside.path,
				       mounts + first[i], nr);
			continue;
		}
		x.key = n->keys[i];
		x.path = n->has[i] ? n->has[i] : "PATH";
		mc_report_option(n->r, n->r->externals,
				 n->has[i] ? "--device" : "--external", &x,
				 mounts + first[i], nr);
	}
	mc_ns_files_report(&n->files, n->r);
	x.path = "PATH";
	for (i = 0; i < n->t->nr_sbs; i++) {
		if (!n->layer[i])
			continue;
		x.key = n->keys[i];
		mc_report_option(n->r, n->r->layers, "--layer", &x, mounts + first[i],
				 first[i + 1] - first[i]);
	}
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

int mc_check_needs(struct mc_report *r, const struct mc_plan_options *given,
		   const struct mntcr_restore_options *o, const uint32_t *mounts,
		   const uint32_t *first, struct mntcr_error *e)
{
	const struct mc_topology *t = r->t;
	struct mntcr_error inner = { 0 };
	struct needs n = { .r = r, .t = t, .po = *given, .e = &inner };
	int ret = -1;
	uint32_t i;

	n.po.decided = decided;
	n.po.refused = NULL;
	n.po.wrong_key = NULL;
	n.po.data = &n;
	n.po.external_sources = NULL;
	n.po.external_read_only = NULL;
	n.from = calloc(t->nr_sbs + 1UL, sizeof(*n.from));
	n.orphan = calloc(t->nr_groups + 1UL, sizeof(*n.orphan));
	n.wanted = calloc(t->nr_sbs + 1UL, sizeof(*n.wanted));
	n.device = calloc(t->nr_sbs + 1UL, sizeof(*n.device));
	n.nr_refused = calloc(t->nr_sbs + 1UL, sizeof(*n.nr_refused));
	n.keys = calloc(t->nr_sbs + 1UL, sizeof(*n.keys));
	n.by_device = calloc(t->nr_sbs + 1UL, sizeof(*n.by_device));
	n.layer = calloc(t->nr_sbs + 1UL, sizeof(*n.layer));
	n.has = calloc(t->nr_sbs + 1UL, sizeof(*n.has));
	n.devices = calloc(given->nr_devices + t->nr_sbs + 1UL, sizeof(*n.devices));
	n.layers = calloc(given->nr_layers + t->nr_sbs + 1UL, sizeof(*n.layers));
	n.externals = calloc((size_t)given->nr_externals + t->nr_sbs + t->nr_mounts + 1,
			     sizeof(*n.externals));
	n.mounted = mc_mounted_read();
	if (!n.from || !n.orphan || !n.wanted || !n.device || !n.nr_refused ||
	    !n.keys || !n.externals || !n.layer || !n.layers || !n.has || !n.devices ||
	    !n.by_device)
		mc_nomem(e);
	else
		ret = find(&n, given, e);
	if (!ret && n.known) {
		list_given(&n, o);
		list_needed(&n, mounts, first);
	}
	if (n.devs)
		blkid_put_cache(n.devs);
	mc_ns_files_free(&n.files);
	mc_mounted_free(n.mounted);
	for (i = 0; n.keys && i < t->nr_sbs; i++)
		free(n.keys[i]);
	for (i = 0; n.has && i < t->nr_sbs; i++)
		free(n.has[i]);
	free(n.has);
	free(n.devices);
	free(n.from);
	free(n.orphan);
	free(n.wanted);
	free(n.device);
	free(n.nr_refused);
	free(n.keys);
	free(n.externals);
	free(n.layer);
	free(n.by_device);
	free(n.layers);
	return ret;
}
