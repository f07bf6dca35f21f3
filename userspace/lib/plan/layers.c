// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What overlays that are made anew are made of: each layer is cloned from a source of
 * the superblock that it was of.  Whoever makes the overlay puts the clones where its
 * strings lead to, so that the same strings are shown.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/priv.h"

/* How many overlays lie on one another; more than that, where they go round. */
static uint8_t *find_depths(const struct mc_topology *t)
{
	uint8_t *depth = calloc(t->nr_sbs + 1UL, 1);
	uint32_t round, i, k, below;

	if (!depth)
		return NULL;
	for (round = 0; round <= MC_MOST_STACKED; round++)
		for (i = 0; i < t->nr_sbs; i++)
			for (k = 0; k < t->sbs[i].nr_layers; k++) {
				below = t->sbs[i].layers[k].sb;
				if (depth[i] < 1)
					depth[i] = 1;
				if (below != MC_NONE && depth[below] >= depth[i] &&
				    depth[i] <= MC_MOST_STACKED)
					depth[i] = depth[below] + 1;
			}
	return depth;
}

static int refuse(struct mc_plan *p, uint32_t sb, const uint32_t *mounts, uint32_t nr,
		  const char *rule, const char *help, const char *what,
		  struct mntcr_error *e)
{
	const struct mc_sb *s = &p->topo->sbs[sb];
	char all[700];

	snprintf(all, sizeof(all), "%s%s--external %u:%u=PATH", help, *help ? ", or " : "",
		 s->major, s->minor);
	p->priv->sb[sb].refused = p->from[sb].refused = rule;
	return mc_plan_refuse(p, e, rule, mounts, nr, all,
			      "the overlay %u:%u is to be made anew, and %s", s->major,
			      s->minor, what);
}

/* --- where the strings lead to --------------------------------------------- */

/* "." and empty components left out; NULL with "..", or where nothing is left. */
static char *plain(struct mc_plan *p, const char *text, bool *nomem)
{
	const char *in = mc_layer_in(text);
	char *s = mc_plan_alloc(p, strlen(in) + strlen(text) + 2);
	size_t len, n;

	*nomem = !s;
	if (!s)
		return NULL;
	len = strlen(strcpy(s, in));
	n = len;
	for (;;) {
		text += strspn(text, "/");
		n = strcspn(text, "/");
		if (!n)
			break;
		if (n == 2 && text[0] == '.' && text[1] == '.')
			return NULL;
		if (n != 1 || text[0] != '.') {
			s[len++] = '/';
			memcpy(s + len, text, n);
			len += n;
		}
		text += n;
	}
	s[len] = '\0';
	return len > strlen(in) ? s : NULL;
}

static int cmp_at(const void *a, const void *b)
{
	const struct mc_made_layer *x = *(struct mc_made_layer *const *)a;
	const struct mc_made_layer *y = *(struct mc_made_layer *const *)b;

	return mc_path_cmp(x->at, y->at);
}

static bool same_place(const struct mc_layer *a, const struct mc_layer *b)
{
	if (mc_layer_is_relative(a) || mc_layer_is_relative(b))
		return mc_layer_is_relative(a) && mc_layer_is_relative(b);
	return a->sb == b->sb && a->idmap == b->idmap && !strcmp(a->path, b->path);
}

/*
 * Each string is to be a name of its own: none leads through another, or to the place
 * where the layers are while the overlay is made.  1: they are; -1: no memory.
 */
static int are_apart(struct mc_plan *p, const struct mc_sb *sb, struct mc_made_layer *l)
{
	struct mc_made_layer **by = calloc(sb->nr_layers, sizeof(*by));
	uint32_t i;
	int ret = 1;
	bool nomem;

	if (!by)
		return -1;
	for (i = 0; i < sb->nr_layers && ret > 0; i++) {
		by[i] = &l[i];
		l[i].at = plain(p, sb->layers[i].text, &nomem);
		if (nomem)
			ret = -1;
		else if (!l[i].at || (!mc_layer_is_relative(&sb->layers[i]) &&
				      mc_path_below(MC_LAYERS_IN, l[i].at)))
			ret = 0;
	}
	if (ret > 0)
		qsort(by, sb->nr_layers, sizeof(*by), cmp_at);
	for (i = 1; i < sb->nr_layers && ret > 0; i++) {
		if (!mc_path_below(by[i - 1]->at, by[i]->at))
			continue;
		if (strcmp(by[i - 1]->at, by[i]->at) ||
		    !same_place(&sb->layers[by[i - 1] - l], &sb->layers[by[i] - l]))
			ret = 0;
	}
	free(by);
	return ret;
}

/* As fsconfig(2) takes them? */
static bool are_short(const struct mc_sb *sb, bool *nomem)
{
	char *copy = strdup(sb->options), *rest, *name, *value;
	bool ok = true;

	*nomem = !copy;
	for (rest = copy; copy && mc_next_option(&rest, &name, &value); )
		if (value && mc_layer_option_named(name))
			ok = ok && strlen(value) < MC_FSCONFIG_MAX;
	free(copy);
	return ok;
}

/* As mount(2) takes them, which parses them anew: what was escaped would be read otherwise. */
static bool are_data(const struct mc_sb *sb)
{
	return strlen(sb->options) < MC_MOUNT_DATA_MAX && !strpbrk(sb->options, "\\\"");
}

/* --- what they are cloned from --------------------------------------------- */

/* The lowest directory that has both. */
static const char *common(struct mc_plan *p, const char *a, const char *b)
{
	size_t i, n = 0;
	char *s;

	for (i = 0; a[i] == b[i] && a[i]; i++)
		if (a[i] == '/')
			n = i;
	if ((!a[i] && (!b[i] || b[i] == '/')) || (!b[i] && a[i] == '/'))
		n = i;
	s = mc_plan_alloc(p, n + 2);
	if (!s)
		return NULL;
	memcpy(s, a, n);
	strcpy(s + n, n ? "" : "/");
	return s;
}

/* 1: there is none. */
static int find_src(struct mc_plan *p, uint32_t sb, const char *path, uint32_t *src,
		    struct mntcr_error *e)
{
	if (p->priv->sb[sb].mode == MC_SB_FRESH && p->priv->sb[sb].refused) {
		*src = MC_NONE;		/* which has been said */
		return 0;
	}
	if (mc_plan_wide_src(p, sb, path, src, e))
		return -1;
	if (*src == MC_NONE)
		return 1;
	p->srcs[*src].uses++;
	p->srcs[mc_src_base(p, *src)].scratch = true;
	return 0;
}

static int no_source(struct mc_plan *p, uint32_t sb, const struct mc_layer *l,
		     const uint32_t *mounts, uint32_t nr, struct mntcr_error *e)
{
	const struct mc_sb *of = &p->topo->sbs[l->sb];
	char help[96], what[500], text[160], path[160];

	snprintf(help, sizeof(help), "--external %u:%u=PATH, or --source with it",
		 of->major, of->minor);
	snprintf(what, sizeof(what), "its %s %s was %s of %u:%u, which nothing stands for",
		 mc_layer_option(l->kind), mc_escape(l->text, text, sizeof(text)),
		 mc_escape(l->path, path, sizeof(path)), of->major, of->minor);
	return refuse(p, sb, mounts, nr, "layer-source", help, what, e);
}

static const char *below_cwd(struct mc_plan *p, const char *text)
{
	char *s = mc_plan_alloc(p, strlen(text) + 2);

	if (s) {
		s[0] = '/';
		strcpy(s + 1, text);
	}
	return s;
}

/* Upper and work have to be of one mount. */
static int find_upper(struct mc_plan *p, uint32_t sb, struct mc_made_layer *made,
		      uint32_t upper, uint32_t work, const uint32_t *mounts, uint32_t nr,
		      struct mntcr_error *e)
{
	const struct mc_layer *l = p->topo->sbs[sb].layers;
	const char *root;
	int ret;

	if (mc_layer_is_relative(&l[upper]) && mc_layer_is_relative(&l[work])) {
		made[work].with = upper;
		made[upper].below = below_cwd(p, l[upper].text);
		made[work].below = below_cwd(p, l[work].text);
		return made[upper].below && made[work].below ? 0 : mc_nomem(e);
	}
	if (mc_layer_is_relative(&l[upper]) || mc_layer_is_relative(&l[work]) ||
	    l[upper].sb != l[work].sb)
		return refuse(p, sb, mounts, nr, "layer-mounts", "",
			      "its upperdir and workdir are not known to be of one mount",
			      e);
	root = common(p, l[upper].path, l[work].path);
	if (!root)
		return mc_nomem(e);
	ret = find_src(p, l[upper].sb, root, &made[upper].src, e);
	if (ret > 0)
		return no_source(p, sb, &l[upper], mounts, nr, e);
	made[work].src = made[upper].src;
	made[work].with = upper;
	made[upper].below = l[upper].path + mc_root_len(root);
	made[work].below = l[work].path + mc_root_len(root);
	return ret;
}

/* What is given late is waited for; in which order more comes is not known. */
static int find_need(struct mc_plan *p, uint32_t sb, const struct mc_made_layer *made,
		     const uint32_t *mounts, uint32_t nr, struct mntcr_error *e)
{
	uint32_t src = p->priv->sb[sb].src, i, need;

	for (i = 0; i < p->topo->sbs[sb].nr_layers; i++) {
		if (made[i].src == MC_NONE)
			continue;
		need = p->srcs[mc_src_base(p, made[i].src)].need;
		if (need == MC_NONE || need == p->srcs[src].need)
			continue;
		if (p->srcs[src].need != MC_NONE)
			return refuse(p, sb, mounts, nr, "layer-stages", "",
				      "it waits for two things that are given, for one layer each",
				      e);
		p->srcs[src].need = p->from[sb].need = need;
	}
	return 0;
}

static int find_layers(struct mc_plan *p, uint32_t sb, struct mc_made_layer *made,
		       const uint32_t *mounts, uint32_t nr, struct mntcr_error *e)
{
	const struct mc_sb *s = &p->topo->sbs[sb];
	uint32_t i, upper = MC_NONE, work = MC_NONE;
	bool relative = false;
	char help[64];
	int ret;

	for (i = 0; i < s->nr_layers; i++) {
		const struct mc_layer *l = &s->layers[i];

		made[i] = (struct mc_made_layer){ .src = MC_NONE, .with = i, .below = "" };
		relative = relative || mc_layer_is_relative(l);
		if (l->kind == MC_LAYER_UPPER)
			upper = i;
		else if (l->kind == MC_LAYER_WORK)
			work = i;
		else if (!mc_layer_is_relative(l)) {
			ret = find_src(p, l->sb, l->path, &made[i].src, e);
			if (ret < 0 || (ret && no_source(p, sb, l, mounts, nr, e)))
				return -1;
		}
	}
	if (upper != MC_NONE && work != MC_NONE &&
	    find_upper(p, sb, made, upper, work, mounts, nr, e))
		return -1;
	if (!relative || p->priv->layer_of[sb] != MC_NONE)
		return 0;
	snprintf(help, sizeof(help), "--layer %u:%u=DIRECTORY", s->major, s->minor);
	return refuse(p, sb, mounts, nr, "relative-layer", help,
		      "the image does not say from which directory a layer of it is", e);
}

/* 1: files of its layers are known to its upper directory by their handles. */
static int has_index(const struct mc_sb *sb)
{
	char *copy = strdup(sb->options), *rest, *name, *value;
	int ret = copy ? 0 : -1;

	for (rest = copy; copy && mc_next_option(&rest, &name, &value); )
		if (!strcmp(name, "index") && value && !strcmp(value, "on"))
			ret = 1;
	free(copy);
	return ret;
}

/* In memory that is made anew, a file has another handle than it had. */
static int check_index(struct mc_plan *p, uint32_t sb, const uint32_t *mounts, uint32_t nr,
		       struct mntcr_error *e)
{
	const struct mc_sb *s = &p->topo->sbs[sb];
	int index = has_index(s);
	char what[200];
	uint32_t i, of;

	if (index < 0)
		return mc_nomem(e);
	for (i = 0; index && i < s->nr_layers; i++) {
		of = s->layers[i].sb;
		if (of == MC_NONE || p->priv->sb[of].mode != MC_SB_FRESH ||
		    !mc_type_in_memory(p->topo->sbs[of].type))
			continue;
		snprintf(what, sizeof(what), "its index (index=on) is by the file handles of its layers, of which its %s, on %s %u:%u, gets others",
			 mc_layer_option(s->layers[i].kind), p->topo->sbs[of].type,
			 p->topo->sbs[of].major, p->topo->sbs[of].minor);
		return refuse(p, sb, mounts, nr, "overlay-index", "", what, e);
	}
	return 0;
}

/* Overlayfs writes to its work directory, and takes no upper one that is read-only. */
static int check_upper(struct mc_plan *p, uint32_t sb, const uint32_t *mounts, uint32_t nr,
		       struct mntcr_error *e)
{
	const struct mc_layer *top = &p->topo->sbs[sb].layers[mc_layer_top(&p->topo->sbs[sb])];
	const struct mc_sb *of;
	char help[64], what[200];

	if (top->kind != MC_LAYER_UPPER || top->sb == MC_NONE)
		return 0;
	of = &p->topo->sbs[top->sb];
	if (p->priv->sb[top->sb].mode != MC_SB_FRESH || p->priv->sb[top->sb].refused ||
	    !(of->flags & MS_RDONLY) ||
	    p->srcs[p->priv->sb[top->sb].src].device == MC_NONE)
		return 0;
	snprintf(help, sizeof(help), "--external %u:%u=PATH, where it is writable", of->major,
		 of->minor);
	snprintf(what, sizeof(what), "its upperdir is on the device of %s %u:%u, which is read-only in the image: nothing is written there, as overlayfs would",
		 of->type, of->major, of->minor);
	return refuse(p, sb, mounts, nr, "layer-read-only", help, what, e);
}

static int plan_overlay(struct mc_plan *p, uint32_t sb, const uint32_t *mounts,
			uint32_t nr, struct mntcr_error *e)
{
	const struct mc_sb *s = &p->topo->sbs[sb];
	uint32_t src = p->priv->sb[sb].src;
	struct mc_made_layer *made;
	bool nomem = false, is_short;
	int apart;

	made = (void *)mc_plan_alloc(p, s->nr_layers * sizeof(*made));
	if (!made)
		return mc_nomem(e);
	if (find_layers(p, sb, made, mounts, nr, e) ||
	    check_index(p, sb, mounts, nr, e) || check_upper(p, sb, mounts, nr, e) ||
	    find_need(p, sb, made, mounts, nr, e))
		return -1;
	apart = are_apart(p, s, made);
	is_short = are_short(s, &nomem);
	if (apart < 0 || nomem)
		return mc_nomem(e);
	p->srcs[src].by_mount = apart && !is_short && are_data(s);
	p->srcs[src].other_layers = !apart || (!is_short && !p->srcs[src].by_mount);
	p->srcs[src].one_by_one = apart && p->srcs[src].other_layers;
	p->srcs[src].layers = made;
	p->srcs[src].layer_option = p->priv->layer_of[sb];
	return 0;
}

/* Mounts by superblock: those of the ith from first[i] on; to be freed, both. */
static uint32_t *by_superblock(const struct mc_topology *t, uint32_t **first)
{
	uint32_t *mounts = calloc(t->nr_mounts + 1UL, sizeof(*mounts)), i;

	*first = calloc(t->nr_sbs + 2UL, sizeof(**first));
	if (!mounts || !*first)
		return mounts;
	for (i = 0; i < t->nr_mounts; i++)
		(*first)[t->mounts[i].sb + 2]++;
	for (i = 2; i <= t->nr_sbs + 1; i++)
		(*first)[i] += (*first)[i - 1];
	for (i = 0; i < t->nr_mounts; i++)
		mounts[(*first)[t->mounts[i].sb + 1]++] = i;
	return mounts;
}

/* Those below come before those on them, so that what these wait for is known. */
int mc_plan_layers(struct mc_plan *p, struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	uint8_t *depth = find_depths(t), at;
	uint32_t *first, *mounts = by_superblock(t, &first), i;
	int ret = 0;

	if (!depth || !mounts || !first)
		ret = mc_nomem(e);
	for (at = 1; at <= MC_MOST_STACKED + 1; at++) {
		for (i = 0; i < t->nr_sbs && !ret; i++) {
			if (depth[i] != at || p->priv->sb[i].mode != MC_SB_FRESH ||
			    first[i] == first[i + 1])
				continue;
			if (at > MC_MOST_STACKED)
				ret = refuse(p, i, mounts + first[i], first[i + 1] - first[i],
					     "layer-depth", "",
					     "more overlays lie on one another than the kernel stacks",
					     e);
			else
				ret = plan_overlay(p, i, mounts + first[i],
						   first[i + 1] - first[i], e);
		}
	}
	free(depth);
	free(mounts);
	free(first);
	return ret;
}
