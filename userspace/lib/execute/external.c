// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is at the paths of --external, on devices and in layers: are roots of mounts there,
 * and what mounts are on?  Asked before anything is made: what the kernel would say of it
 * half way, ENOTDIR or ENOENT, names neither option nor reason.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "execute/external.h"

static bool is_wrong(const struct mc_mount *m, enum mc_there there)
{
	bool known = m->root_file.mode || m->mp_type != MC_MP_UNKNOWN;
	bool dir = m->root_file.mode ? S_ISDIR(m->root_file.mode) :
		   m->mp_type == MC_MP_DIR;

	return there == MC_IS_NOTHING || (known && dir != (there == MC_IS_DIR));
}

/* ", a directory of mode 0755"; "": it is not known */
static const char *as_it_was(const struct mc_mount *m, char *buf, size_t size)
{
	const struct mc_word *w = mc_words_file;

	*buf = '\0';
	while (w->name && w->bits != (m->root_file.mode & S_IFMT))
		w++;
	if (m->root_file.mode && w->name)
		snprintf(buf, size, " (a %s, mode %04o)", w->name,
			 m->root_file.mode & MC_MODE_ALL);
	return buf;
}

/* What a source leads to, for messages: what comes after it is where in there. */
static const char *name_of(const struct mc_external *c, const struct mc_src *base, char *buf,
			   size_t size)
{
	const struct mc_sb *sb = &c->p->topo->sbs[base->sb];

	if (base->kind == MC_SRC_GIVEN) {
		snprintf(buf, size, "what is given");
		return buf;
	}
	if (base->kind != MC_SRC_EXTERNAL && base->device == MC_NONE) {
		snprintf(buf, size, "overlay %u:%u, made of its layers,", sb->major,
			 sb->minor);
		return buf;
	}
	return base->device != MC_NONE ?
	       mc_option_text("--device", &c->po->devices[base->device], buf, size) :
	       mc_option_text("--external", &c->po->externals[base->index], buf, size);
}

/* By what such a rule is called. */
static const char *rule_of(const struct mc_src *base, const char *external,
			   const char *device, const char *overlay)
{
	return base->kind == MC_SRC_EXTERNAL || base->kind == MC_SRC_GIVEN ? external :
	       base->device != MC_NONE ? device : overlay;
}

#define LAYERS_HELP	\
	"make it in a layer, name layers that have it, or dump with the contents of those in memory"
#define RELATIVE_HELP	"the directory from which its layers are directories"

static void refuse(struct mc_external *c, const struct mc_src *base, const char *below,
		   enum mc_there there, uint32_t m, size_t nr)
{
	char name[256], more[32] = "", of[MC_OPTION_TEXT_SIZE], under[256], text[1200], was[64];
	const char *help = rule_of(base, base->path && strcmp(base->path, "/") ?
				   "the path of what is that root of the superblock" :
				   base->kind == MC_SRC_GIVEN ? "a mount of that superblock's root" :
				   "the path of what is the root of that superblock",
				   "the device that has it here", LAYERS_HELP);

	if (nr > 1)
		snprintf(more, sizeof(more), " and %zu more", nr - 1);
	snprintf(text, sizeof(text), "%s%s: %s%s, but %s leads to %s%s%s",
		 mc_mount_name(c->p->topo, m, name, sizeof(name)), more,
		 there == MC_IS_NOTHING ? "its root is below that of its superblock" :
		 there == MC_IS_DIR ? "its root is no directory" :
		 "its root is a directory",
		 there == MC_IS_NOTHING ? as_it_was(&c->p->topo->mounts[m], was,
						    sizeof(was)) : "",
		 name_of(c, base, of, sizeof(of)),
		 there == MC_IS_DIR ? "a directory" :
		 there == MC_IS_NO_DIR ? "what is no directory" :
		 "what has nothing at ", *below && there != MC_IS_NOTHING ? " at " : "",
		 mc_escape(below, under, sizeof(under)));
	mc_external_report(c, rule_of(base, "external-root", "device-root", "overlay-root"),
			   text, help, nr);
}

/* Can all be mounted that is on m, whose root is at below? */
static void check_places(struct mc_external *c, const struct mc_src *base, const char *below,
			 uint32_t m)
{
	const struct mc_topology *t = c->p->topo;
	char name[256], of[MC_OPTION_TEXT_SIZE], under[256], text[1200];
	struct mc_buf at = { 0 };
	enum mc_there there;
	uint32_t child;

	mc_for_each_child(t, child, m) {
		const struct mc_mount *on = &t->mounts[child];

		if (!on->mountpoint[1])
			continue;
		at.len = 0;
		mc_buf_puts(&at, below);
		mc_buf_puts(&at, on->mountpoint + !*below);
		if (at.nomem) {
			*c->looking.nomem = true;
			break;
		}
		there = mc_exec_look_in(&c->looking, base, at.data);
		if (there == MC_IS_UNKNOWN || !is_wrong(on, there))
			continue;
		snprintf(text, sizeof(text), "%s: %s has %s at %s to mount it on",
			 mc_mount_name(t, child, name, sizeof(name)),
			 name_of(c, base, of, sizeof(of)),
			 there == MC_IS_NOTHING ? "nothing" :
			 there == MC_IS_DIR ? "a directory" : "no directory",
			 mc_escape(at.data, under, sizeof(under)));
		c->ids[0].ns = on->ns;
		c->ids[0].id = on->id;
		mc_external_report(c, rule_of(base, "external-mountpoint", "device-mountpoint",
					      "overlay-mountpoint"), text,
				   rule_of(base, "make it there, or name what has it",
					   "make it there, or name what has it",
					   LAYERS_HELP), 1);
	}
	mc_buf_free(&at);
}

/*
 * What source i leads to, if that can be looked at or is an overlay of layers, or NULL;
 * below: where its root is there.
 */
static const struct mc_src *base_of(const struct mc_external *c, uint32_t i,
				    const char **below)
{
	const struct mc_src *base = mc_exec_base_of(c->p, i, below);

	if (base->kind == MC_SRC_EXTERNAL)
		return c->fds[base->index] >= 0 ? base : NULL;
	if (base->kind == MC_SRC_GIVEN)
		return c->looking.need_fd && c->looking.need_fd[base->index] >= 0 ? base :
		       NULL;
	if (base->device != MC_NONE)
		return c->looking.device_root &&
		       c->looking.device_root[base - c->p->srcs] >= 0 ? base : NULL;
	return base->kind == MC_SRC_FRESH && base->layers ? base : NULL;
}

static void check_root(struct mc_external *c, uint32_t i)
{
	const struct mc_mount *m = c->p->topo->mounts;
	uint32_t mount, first = MC_NONE;
	const struct mc_src *base;
	const char *below;
	enum mc_there there;
	size_t nr = 0;

	base = base_of(c, i, &below);
	/* what has been unlinked will be made there */
	if (!base || c->first[i] == MC_NONE || m[c->first[i]].root_deleted)
		return;
	there = mc_exec_look_in(&c->looking, base, below);
	for (mount = c->first[i]; there != MC_IS_UNKNOWN && mount != MC_NONE;
	     mount = c->next[mount]) {
		if (!is_wrong(&m[mount], there))
			continue;
		if (!nr)
			first = mount;
		c->ids[nr].ns = m[mount].ns;
		c->ids[nr++].id = m[mount].id;
	}
	if (nr)
		refuse(c, base, below, there, first, nr);
}

static void check_mountpoints(struct mc_external *c, uint32_t i)
{
	const struct mc_src *base;
	const char *below;
	uint32_t mount;

	base = base_of(c, i, &below);
	for (mount = c->first[i]; base && mount != MC_NONE; mount = c->next[mount])
		check_places(c, base, below, mount);
}

/* What is at that of an overlay which was a directory. */
static void refuse_layer(struct mc_external *c, const struct mc_sb *sb, uint32_t i,
			 enum mc_there there, const char *in, const char *below,
			 const char *rule, const char *help)
{
	const char *option = mc_layer_option(sb->layers[i].kind);
	char text[1200], is[256], under[256];

	mc_escape(sb->layers[i].text, is, sizeof(is));
	if (there == MC_IS_OUTSIDE)
		snprintf(text, sizeof(text), "overlay %u:%u: its %s %s leads out of %s, on whose mount it has to be",
			 sb->major, sb->minor, option, is, in);
	else
		snprintf(text, sizeof(text), "overlay %u:%u: its %s %s was a directory, but %s has %s at %s",
			 sb->major, sb->minor, option, is, in,
			 there == MC_IS_NOTHING ? "nothing" : "no directory",
			 mc_escape(below, under, sizeof(under)));
	mc_external_report(c, rule, text, help, 0);
}

/* Directories that layers of overlays are cloned from. */
static int check_layers(struct mc_external *c, const struct mc_src *over)
{
	const struct mc_sb *sb = &c->p->topo->sbs[over->sb];
	const struct mc_src *base;
	struct mc_buf at = { 0 };
	const char *below;
	enum mc_there there;
	char of[MC_OPTION_TEXT_SIZE];
	uint32_t i;

	for (i = 0; i < sb->nr_layers; i++) {
		const struct mc_made_layer *l = &over->layers[i];

		base = l->src == MC_NONE ? NULL : base_of(c, l->src, &below);
		if (!base)
			continue;
		at.len = 0;
		mc_buf_puts(&at, below);
		mc_buf_puts(&at, *below ? l->below : l->below + !!*l->below);
		if (at.nomem)
			break;
		there = mc_exec_look_in(&c->looking, base, at.data);
		if (there == MC_IS_UNKNOWN || there == MC_IS_DIR)
			continue;
		name_of(c, base, of, sizeof(of));
		refuse_layer(c, sb, i, there, of, at.data,
			     rule_of(base, "external-layer", "device-layer", "overlay-layer"),
			     rule_of(base, "the path of what is that root of the superblock",
				     "the device that has it here", LAYERS_HELP));
	}
	mc_buf_free(&at);
	return i < sb->nr_layers ? mc_nomem(c->e) : 0;
}

/* Those that are relative, in the directory that an option says. */
static void check_relative(struct mc_external *c, const struct mc_src *over)
{
	const struct mc_sb *sb = &c->p->topo->sbs[over->sb];
	const struct mntcr_external *o;
	char of[MC_OPTION_TEXT_SIZE], text[600];
	enum mc_there there;
	uint32_t i;
	int dir;

	if (over->layer_option == MC_NONE || !c->looking.layer_fd)
		return;
	dir = c->looking.layer_fd[over->layer_option];
	if (dir < 0)		/* told by whoever could not open it */
		return;
	o = &c->po->layers[over->layer_option];
	mc_option_text("--layer", o, of, sizeof(of));
	if (mc_exec_look(dir, "") == MC_IS_NO_DIR) {
		snprintf(text, sizeof(text), "overlay %u:%u: %s is no directory", sb->major,
			 sb->minor, of);
		mc_external_report(c, "overlay-layer", text, RELATIVE_HELP, 0);
		return;
	}
	for (i = 0; i < sb->nr_layers; i++) {
		if (!mc_layer_is_relative(&sb->layers[i]))
			continue;
		there = mc_exec_look_layer(dir, &sb->layers[i]);
		if (there != MC_IS_DIR && there != MC_IS_UNKNOWN)
			refuse_layer(c, sb, i, there, of, sb->layers[i].text,
				     "overlay-layer", RELATIVE_HELP);
	}
}

static bool is_any_looked_at(const struct mc_plan *p, const struct mc_looked *at)
{
	uint32_t i;

	for (i = 0; i < p->nr_srcs; i++)
		if (p->srcs[i].layers || (at->device_root && at->device_root[i] >= 0))
			return true;
	return false;
}

/* Mounts by the source that they are cloned from. */
static int start(struct mc_external *c)
{
	uint32_t i, m;

	c->looking.listings = calloc(c->p->topo->nr_sbs + 1UL, sizeof(*c->looking.listings));
	c->first = malloc((c->p->nr_srcs + 1UL) * sizeof(*c->first));
	c->next = malloc((c->p->topo->nr_mounts + 1UL) * sizeof(*c->next));
	c->ids = calloc(c->p->topo->nr_mounts + 1UL, sizeof(*c->ids));
	if (!c->first || !c->next || !c->ids || !c->looking.listings)
		return mc_nomem(c->e);
	for (i = 0; i < c->p->nr_srcs; i++)
		c->first[i] = MC_NONE;
	for (m = c->p->topo->nr_mounts; m-- > 0;) {
		if (c->p->src_of[m] == MC_NONE)	/* refused */
			continue;
		c->next[m] = c->first[c->p->src_of[m]];
		c->first[c->p->src_of[m]] = m;
	}
	return 0;
}

static int check_all(struct mc_external *c)
{
	const struct mc_plan *p = c->p;
	uint32_t i;

	for (i = 0; i < p->nr_srcs; i++)
		check_root(c, i);
	for (i = 0; i < p->nr_srcs; i++)
		check_mountpoints(c, i);
	for (i = 0; i < p->nr_srcs; i++) {
		if (!p->srcs[i].layers)
			continue;
		if (check_layers(c, &p->srcs[i]))
			return -1;
		check_relative(c, &p->srcs[i]);
	}
	return 0;
}

static int finish(struct mc_external *c, int ret)
{
	uint32_t i;

	if (!ret && *c->looking.nomem)
		ret = mc_nomem(c->e);
	if (!ret && c->nr_refused > 1)
		mc_more_refusals(c->e, c->nr_refused - 1);
	free(c->first);
	free(c->next);
	free(c->ids);
	free(c->devices);
	for (i = 0; c->looking.listings && i < c->p->topo->nr_sbs; i++)
		mc_listing_free(c->looking.listings[i].listing);
	free(c->looking.listings);
	return ret || c->nr_refused ? -1 : 0;
}

int mc_external_check(const struct mc_plan *p, const struct mc_plan_options *po,
		      const struct mc_looked *at, struct mntcr_error *e)
{
	bool nomem = false;
	struct mc_external c = {
		.p = p, .po = po, .fds = at->external_fd, .e = e,
		.looking = {
			.p = p, .external_fd = at->external_fd, .layer_fd = at->layer_fd,
			.device_root = at->device_root, .contents = at->contents,
			.nomem = &nomem,
		},
	};

	if (!po->nr_externals && !is_any_looked_at(p, at))
		return 0;
	return finish(&c, start(&c) ||
		      (po->nr_externals && mc_external_superblocks(&c)) ||
		      check_all(&c) ? -1 : 0);
}

/* At which root is that of the source, or what is given for the need. */
static int fits(const struct mc_exec *x, uint32_t src, uint32_t need, int root,
		struct mntcr_error *e)
{
	const struct mc_plan_options po = { .devices = x->o->devices };
	int *none = mc_fds_new(x->o->nr_externals), *roots = mc_fds_new(x->p->nr_srcs);
	int *given = mc_fds_new(x->p->nr_needs), *at, ret = -1;
	bool nomem = false;
	struct mc_external c = {
		.p = x->p, .po = &po, .fds = none, .e = e,
		.looking = {
			.p = x->p, .external_fd = none, .device_root = roots,
			.need_fd = given, .nomem = &nomem,
		},
	};

	if (!none || !roots || !given) {
		mc_nomem(e);
	} else if (!start(&c)) {
		at = src != MC_NONE ? &roots[src] : &given[need];
		*at = root;
		ret = check_all(&c);
		*at = -1;
	}
	mc_fds_close(given, x->p->nr_needs);
	mc_fds_close(roots, x->p->nr_srcs);
	mc_fds_close(none, x->o->nr_externals);
	return finish(&c, ret);
}

int mc_device_fits(const struct mc_exec *x, uint32_t src, int root, struct mntcr_error *e)
{
	return fits(x, src, MC_NONE, root, e);
}

int mc_given_fits(const struct mc_exec *x, uint32_t need, int root, struct mntcr_error *e)
{
	return fits(x, MC_NONE, need, root, e);
}
