// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a fresh filesystem must hold: roots of mounts, what others are on, layers of
 * overlays.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "plan/priv.h"

/*
 * Each mountpoint is said with the root of the mount that it is on, and each of
 * its components is walked: a small image could ask for any amount of either.
 * Of each, 1: that was too much, and is refused.
 */
static int count_node(struct mc_plan *p, uint32_t mount, const char *root,
		      const char *below, size_t len, struct mntcr_error *e)
{
	struct mc_plan_priv *v = p->priv;
	const struct mc_sb *sb = &p->topo->sbs[p->topo->mounts[mount].sb];
	char help[64], type[64];

	v->node_bytes += len;
	for (; *root; root++)
		v->node_names += *root == '/';
	for (; *below; below++)
		v->node_names += *below == '/';
	if (v->node_bytes <= MC_MAX_NODE_BYTES &&
	    v->node_names <= MC_MAX_NODE_NAMES)
		return 0;
	snprintf(help, sizeof(help), "--external %u:%u=PATH, or --source",
		 sb->major, sb->minor);
	return mc_plan_refuse(p, e, "too-many-mountpoints", &mount, 1, help,
			      "with what mounts are on in it, fresh superblocks (this: %s, %u:%u) would have to hold more than %u bytes of paths, or %u names in them",
			      mc_escape(sb->type, type, sizeof(type)),
			      sb->major, sb->minor, MC_MAX_NODE_BYTES,
			      MC_MAX_NODE_NAMES) ? -1 : 1;
}

/*
 * What such an id, which was seen through an idmap, is in the superblock; an idmap maps the
 * ids of the user namespace that this belongs to.
 */
static uint32_t id_in(const struct mc_topology *t, const struct mc_idmap *map, uint32_t sb,
		      bool gid, uint32_t id)
{
	uint32_t u = t->sbs[sb].userns;

	if (id == MC_NO_ID || !mc_idmap_back(map, gid, id, &id))
		return MC_NO_ID;
	if (u != MC_NONE && !t->userns[u].dumper && !mc_userns_up(t, u, gid, id, &id))
		return MC_NO_ID;
	return id;
}

/* Its owner was seen through that: in the filesystem it is another.  NULL: no memory. */
static const struct mc_file *without_idmap(struct mc_plan *p, uint32_t i, uint32_t sb,
					   const struct mc_file *file)
{
	const struct mc_idmap *map;
	struct mc_file *f;

	if (i == MC_NONE || !file->mode)
		return file;
	map = &p->topo->idmaps[i];
	f = (void *)mc_plan_alloc(p, sizeof(*f));
	if (!f)
		return NULL;
	*f = *file;
	f->uid = id_in(p->topo, map, sb, false, file->uid);
	f->gid = id_in(p->topo, map, sb, true, file->gid);
	return f;
}

/*
 * On the mount, which has that root.  Of the superblock's root only what it is
 * like is of interest: it is there.
 */
static int add_node(struct mc_plan *p, uint32_t mount, const char *below,
		    const struct mc_file *file, bool dir, uint32_t shows,
		    struct mntcr_error *e)
{
	const char *root = p->topo->mounts[mount].root;
	size_t n = strlen(root), k = strlen(below);
	const struct mc_file *seen;
	char *path;
	int ret;

	if (!strcmp(root, "/"))
		n = 0;
	if (!strcmp(below, "/"))
		k = 0;
	if (!n && !k && !file->mode)
		return 0;
	ret = count_node(p, mount, root, below, n + k, e);
	if (ret)
		return ret;
	path = mc_plan_alloc(p, n + k + 1);
	seen = without_idmap(p, p->topo->mounts[mount].idmap, p->topo->mounts[mount].sb,
			     file);
	if (!path || !seen || !mc_grow(&p->nodes, p->nr_nodes, &p->max_nodes,
			      sizeof(*p->nodes)))
		return mc_nomem(e);
	memcpy(path, root, n);
	memcpy(path + n, below, k);
	path[n + k] = '\0';
	p->nodes[p->nr_nodes++] = (struct mc_node){
		.path = *path ? path + 1 : path,	/* relative */
		.file = file->mode ? seen : NULL,
		.dir = dir,
		.mount = shows,
	};
	return 0;
}

/* Of equals the first of which something is known is first. */
static int cmp_node(const void *a, const void *b)
{
	const struct mc_node *x = a, *y = b;
	int c = mc_path_cmp(x->path, y->path);

	if (c)
		return c;
	if (!x->file != !y->file)
		return x->file ? -1 : 1;
	return (x->mount > y->mount) - (x->mount < y->mount);
}

static uint32_t node_type(const struct mc_node *n)
{
	return n->file ? n->file->mode & S_IFMT : n->dir ? S_IFDIR : S_IFREG;
}

/* Sorted: if one is known, it is a.  A directory may be a guess, what is none is not. */
static bool types_differ(const struct mc_node *a, const struct mc_node *b)
{
	if (b->file)
		return node_type(a) != node_type(b);
	return a->file && !b->dir && node_type(a) == S_IFDIR;
}

/* As what a and b show it; b may be below it instead. */
static int two_types(struct mc_plan *p, const struct mc_node *a,
		     const struct mc_node *b, struct mntcr_error *e)
{
	const char *is = "file", *and = b->file ? "" : "file";
	uint32_t mounts[] = { a->mount, b->mount };
	const struct mc_word *w;
	char path[200];

	for (w = mc_words_file; w->name; w++) {
		if (w->bits == node_type(a))
			is = w->name;
		if (w->bits == node_type(b))
			and = w->name;
	}
	if (strcmp(a->path, b->path))
		and = "directory";
	return mc_plan_refuse(p, e, "file-of-two-types", mounts, 2,
			      "dump it again: it has been changed, in the image or while it was dumped",
			      "/%s of a superblock that is to be made fresh is a %s for one and a %s for the other",
			      mc_escape(a->path, path, sizeof(path)), is, and);
}

/*
 * Of a superblock's files, sorted: one for each path.  What is known of one is the
 * same for all, and only a directory has files below it.
 */
static int merge_nodes(struct mc_plan *p, uint32_t first, struct mntcr_error *e)
{
	struct mc_node *n = p->nodes, *last = NULL, *other = NULL;
	uint32_t i, k = first;
	size_t len;

	for (i = first; i < p->nr_nodes; i++) {
		if (last && !strcmp(n[i].path, last->path)) {
			if (types_differ(last, &n[i]) && two_types(p, last, &n[i], e))
				return -1;
			continue;
		}
		len = other ? strlen(other->path) : 0;
		if (other && !strncmp(other->path, n[i].path, len) &&
		    n[i].path[len] == '/' && two_types(p, other, &n[i], e))
			return -1;
		n[k] = n[i];
		last = &n[k++];
		if (node_type(last) != S_IFDIR)
			other = last;
	}
	p->nr_nodes = k;
	return 0;
}

struct sb_mount {
	uint32_t sb, mount;
};

/* A layer of an overlay that is made, in the superblock that it is of. */
struct sb_layer {
	uint32_t sb, src, layer;
};

static int cmp_sb_layer(const void *a, const void *b)
{
	const struct sb_layer *x = a, *y = b;

	if (x->sb != y->sb)
		return x->sb < y->sb ? -1 : 1;
	return (x->src > y->src) - (x->src < y->src);
}

/* By superblock; to be freed.  NULL: no memory. */
static struct sb_layer *layers_by_sb(const struct mc_plan *p, uint32_t *nr)
{
	const struct mc_topology *t = p->topo;
	struct sb_layer *by;
	uint32_t i, k, n = 0;

	for (i = 0; i < p->nr_srcs; i++)
		n += p->srcs[i].layers ? t->sbs[p->srcs[i].sb].nr_layers : 0;
	by = calloc(n + 1UL, sizeof(*by));
	for (i = n = 0; by && i < p->nr_srcs; i++) {
		const struct mc_sb *sb = &t->sbs[p->srcs[i].sb];

		for (k = 0; p->srcs[i].layers && k < sb->nr_layers; k++)
			if (sb->layers[k].sb != MC_NONE)
				by[n++] = (struct sb_layer){ sb->layers[k].sb, i, k };
	}
	if (by)
		qsort(by, n, sizeof(*by), cmp_sb_layer);
	*nr = n;
	return by;
}

/* A directory; the topmost one is what the overlay's root shows. */
static int add_layer(struct mc_plan *p, const struct sb_layer *at, struct mntcr_error *e)
{
	const struct mc_src *s = &p->srcs[at->src];
	const struct mc_sb *sb = &p->topo->sbs[s->sb];
	const struct mc_mount *m = &p->topo->mounts[s->shown_by];
	const struct mc_layer *l = &sb->layers[at->layer];
	const struct mc_file *seen = NULL;
	int ret;

	if (at->layer == mc_layer_top(sb) && m->root_file.mode && !m->root[1]) {
		/* through the mount of the overlay, and that of the layer */
		seen = without_idmap(p, m->idmap, m->sb, &m->root_file);
		if (seen)
			seen = without_idmap(p, l->idmap, l->sb, seen);
		if (!seen)
			return mc_nomem(e);
	}
	ret = count_node(p, s->shown_by, l->path, "", strlen(l->path), e);
	if (ret || (!l->path[1] && !seen))
		return ret;
	if (!mc_grow(&p->nodes, p->nr_nodes, &p->max_nodes, sizeof(*p->nodes)))
		return mc_nomem(e);
	p->nodes[p->nr_nodes++] = (struct mc_node){
		.path = l->path + 1, .file = seen, .dir = true, .mount = s->shown_by,
	};
	return 0;
}

static int cmp_sb_mount(const void *a, const void *b)
{
	const struct sb_mount *x = a, *y = b;

	if (x->sb != y->sb)
		return x->sb < y->sb ? -1 : 1;
	return (x->mount > y->mount) - (x->mount < y->mount);
}

/* The kernel makes the root of a devpts; somebody may have changed whose it is. */
static bool is_changed_root(const struct mc_topology *t, const struct mc_mount *m)
{
	const struct mc_file *f = &m->root_file;

	return mc_type_of(t->sbs[m->sb].type)->kind == MC_TYPE_OF_ITS_OWN &&
	       !m->root[1] && f->mode &&
	       ((f->mode & MC_MODE_ALL) != 0755 || (f->uid && f->uid != MC_NO_ID) ||
		(f->gid && f->gid != MC_NO_ID));
}

/*
 * What a fresh tmpfs or ramfs must hold: roots of its mounts, mountpoints on them; of
 * others, what their roots are like.
 */
int mc_plan_nodes(struct mc_plan *p, struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	struct sb_mount *by_sb;
	struct sb_layer *layers;
	uint32_t n = 0, i, j, c, first, nr_layers, at = 0;
	int ret = 0;

	by_sb = calloc(t->nr_mounts + 1, sizeof(*by_sb));
	layers = layers_by_sb(p, &nr_layers);
	if (!by_sb || !layers) {
		ret = mc_nomem(e);
		goto out;
	}
	for (i = 0; i < t->nr_mounts; i++) {
		uint32_t sb = t->mounts[i].sb;

		if (p->priv->sb[sb].mode != MC_SB_FRESH ||
		    !(mc_type_in_memory(t->sbs[sb].type) ||
		      is_changed_root(t, &t->mounts[i])))
			continue;
		by_sb[n].sb = sb;
		by_sb[n++].mount = i;
	}
	qsort(by_sb, n, sizeof(*by_sb), cmp_sb_mount);
	for (i = 0; i < n; i = j) {
		struct mc_src *s = &p->srcs[p->priv->sb[by_sb[i].sb].src];

		first = p->nr_nodes;
		for (j = i; j < n && by_sb[j].sb == by_sb[i].sb; j++) {
			const struct mc_mount *m = &t->mounts[by_sb[j].mount];

			/* refused; its path may be another file's by now */
			if (m->root_deleted)
				continue;
			ret = add_node(p, by_sb[j].mount, "/", &m->root_file,
				       m->mp_type != MC_MP_OTHER,
				       by_sb[j].mount, e);
			if (ret)
				goto out;
			if (!mc_type_in_memory(t->sbs[m->sb].type))
				continue;
			mc_for_each_child(t, c, by_sb[j].mount) {
				const struct mc_mount *on = &t->mounts[c];

				ret = add_node(p, by_sb[j].mount, on->mountpoint,
					       &on->mp_file,
					       on->mp_type != MC_MP_OTHER, c, e);
				if (ret)
					goto out;
			}
		}
		while (at < nr_layers && layers[at].sb < by_sb[i].sb)
			at++;
		for (; at < nr_layers && layers[at].sb == by_sb[i].sb; at++) {
			ret = add_layer(p, &layers[at], e);
			if (ret)
				goto out;
		}
		/* Sorted and without repeats. */
		if (p->nr_nodes > first) {
			qsort(p->nodes + first, p->nr_nodes - first,
			      sizeof(*p->nodes), cmp_node);
			ret = merge_nodes(p, first, e);
			if (ret)
				goto out;
		}
		s->index = first;
		s->nr_nodes = p->nr_nodes - first;
	}
out:
	free(layers);
	free(by_sb);
	return ret < 0 ? -1 : 0;
}
