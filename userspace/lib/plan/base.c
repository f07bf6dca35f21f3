// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How the chosen sources are had: which of them are kept in the scratch tree,
 * what a fresh filesystem must hold, what is removed to reach a covered mount.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "plan/priv.h"

static struct mc_src *base_of(const struct mc_plan *p, uint32_t src)
{
	while (p->srcs[src].kind == MC_SRC_SUB)
		src = p->srcs[src].base;
	return &p->srcs[src];
}

/*
 * With so many uses, one clone that has the wanted attributes costs less than
 * setting them each time.
 */
#define MANY_USES	8

/*
 * A source that serves paths below it must be clean: nothing mounted below to
 * walk into.  On stock kernels, so must one that is used twice: a clone can
 * only be made in the namespace that its source is in.
 */
void mc_plan_settle_srcs(struct mc_plan *p)
{
	uint32_t many = p->api == MNTCR_API_UPSTREAM ? 2 : MANY_USES, i, m;

	for (i = 0; i < p->nr_srcs; i++) {
		struct mc_src *s = &p->srcs[i];

		switch (s->kind) {
		case MC_SRC_LIVE:
		case MC_SRC_EXTERNAL:
		case MC_SRC_GIVEN:
			if (s->along)
				break;
			if (s->uses >= many || (s->copied && s->uses) || s->nr_unlinked)
				s->scratch = true;
			if (s->kind == MC_SRC_LIVE && s->uses &&
			    p->api == MNTCR_API_UPSTREAM &&
			    p->priv->hidden[s->index])
				s->scratch = s->covered = true;
			break;
		case MC_SRC_FRESH:
		case MC_SRC_AGAIN:
			s->direct = s->uses == 1 && !s->scratch;
			s->scratch = !s->direct;
			break;
		default:
			break;
		}
	}
	for (m = 0; m < p->topo->nr_mounts; m++) {
		struct mc_src *s = base_of(p, p->src_of[m]);

		/*
		 * Stock kernels mount on a detached tree only in the namespace
		 * in which its root was cloned.
		 */
		if (p->api == MNTCR_API_UPSTREAM && p->roots_last &&
		    p->topo->mounts[m].parent == MC_NONE &&
		    (s->kind == MC_SRC_LIVE || s->kind == MC_SRC_EXTERNAL))
			s->scratch = true;

		if (s->scratch && !mc_src_is_opened(s) &&
		    s->attr_of == MC_NONE)
			s->attr_of = m;
	}
}

/* Of what can be cloned, only a live original has one: that same. */
bool mc_plan_sets_idmap(const struct mc_plan *p, uint32_t mount)
{
	const struct mc_mount *m = p->topo->mounts;
	const struct mc_src *s = base_of(p, p->src_of[mount]);

	return m[mount].idmap != MC_NONE &&
	       !(s->kind == MC_SRC_LIVE && m[s->index].idmap == m[mount].idmap);
}

/* A fresh superblock's first mount has no attributes, and is private. */
bool mc_plan_plain(const struct mc_plan *p, uint32_t mount)
{
	const struct mc_mount *m = &p->topo->mounts[mount];
	const struct mc_src *s = base_of(p, p->src_of[mount]);
	uint64_t has = 0;

	if (m->unbindable || (!s->scratch && !s->direct))
		return false;
	if (!mc_src_is_opened(s))
		has = p->topo->mounts[s->attr_of].attr;
	return (has & MC_ATTRS) == (m->attr & MC_ATTRS);
}

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

/* Its owner was seen through that: in the filesystem it is another.  NULL: no memory. */
static const struct mc_file *without_idmap(struct mc_plan *p, uint32_t i,
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
	if (f->uid != MC_NO_ID && !mc_idmap_back(map, false, file->uid, &f->uid))
		f->uid = MC_NO_ID;
	if (f->gid != MC_NO_ID && !mc_idmap_back(map, true, file->gid, &f->gid))
		f->gid = MC_NO_ID;
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
	seen = without_idmap(p, p->topo->mounts[mount].idmap, file);
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
	uint32_t k, top = 0;
	int ret;

	for (k = 0; k < sb->nr_layers; k++)
		if (sb->layers[k].kind == MC_LAYER_UPPER)
			top = k;
	if (at->layer == top && m->root_file.mode && !m->root[1]) {
		/* through the mount of the overlay, and that of the layer */
		seen = without_idmap(p, m->idmap, &m->root_file);
		if (seen)
			seen = without_idmap(p, l->idmap, seen);
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

static int open_src(struct mc_plan *p, uint32_t i, enum mc_op_type type,
		    struct mntcr_error *e)
{
	struct mc_op *op = mc_plan_op(p, type, MC_REF(MC_REF_SRC, i));

	if (!op)
		return mc_nomem(e);
	p->srcs[i].opened = true;
	return 0;
}

/* No deeper than overlays are stacked. */
static int prepare_layers(struct mc_plan *p, uint32_t i, struct mntcr_error *e)
{
	const struct mc_src *s = &p->srcs[i];
	uint32_t k, nr = s->layers ? p->topo->sbs[s->sb].nr_layers : 0;

	for (k = 0; k < nr; k++)
		if (s->layers[k].src != MC_NONE &&
		    mc_plan_prepare_src(p, s->layers[k].src, e))
			return -1;
	return 0;
}

int mc_plan_prepare_src(struct mc_plan *p, uint32_t i, struct mntcr_error *e)
{
	struct mc_src *s = &p->srcs[i];
	struct mc_op *op;

	if (s->opened || s->along)
		return 0;
	switch (s->kind) {
	case MC_SRC_SUB:
		if (mc_plan_prepare_src(p, s->base, e))
			return -1;
		if (s->inline_path)
			return 0;
		return open_src(p, i, MC_OP_SUBROOT, e);
	case MC_SRC_FRESH:
	case MC_SRC_AGAIN:
		if (prepare_layers(p, i, e))
			return -1;
		op = mc_plan_op(p, MC_OP_FRESH, MC_REF(MC_REF_SRC, i));
		if (!op)
			return mc_nomem(e);
		op->first = s->nr_nodes ? s->index : 0;
		op->nr = s->nr_nodes;
		s->opened = true;
		return 0;
	case MC_SRC_LIVE:
	case MC_SRC_EXTERNAL:
	case MC_SRC_GIVEN:
		/*
		 * Stock kernels clone it when they enter its namespace, without
		 * a descriptor of it.
		 */
		if (p->api == MNTCR_API_UPSTREAM && !s->scratch)
			return 0;
		return open_src(p, i, s->scratch ? MC_OP_BASE : MC_OP_OPEN, e);
	case MC_SRC_MASTER:
		return open_src(p, i, MC_OP_OPEN, e);
	case MC_SRC_NSFILE:
	case MC_SRC_NSMADE:
		return 0;
	}
	return 0;
}

/*
 * What is covered last, copy by copy, from above downwards: what has been
 * removed for one is not needed any more for those below.
 */
struct base_order {
	const struct mc_plan *p;
	uint32_t *rank;		/* per mount: parents come first */
};

static int cmp_base(const void *a, const void *b, void *data)
{
	const struct base_order *o = data;
	const struct mc_plan *p = o->p;
	const struct mc_src *x = &p->srcs[*(const uint32_t *)a];
	const struct mc_src *y = &p->srcs[*(const uint32_t *)b];
	const struct mc_mount *m = p->topo->mounts;
	uint32_t up_x, up_y;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->covered != y->covered)
		return x->covered ? 1 : -1;
	/* In one copy, for as long as nothing has been unmounted there; below first. */
	if (x->copied != y->copied)
		return x->copied ? 1 : -1;
	if (x->copied && m[x->index].ns != m[y->index].ns)
		return m[x->index].ns < m[y->index].ns ? -1 : 1;
	if (x->with_unlinked != y->with_unlinked)
		return x->with_unlinked ? 1 : -1;
	if (x->with_unlinked)
		return (o->rank[x->index] < o->rank[y->index]) -
		       (o->rank[x->index] > o->rank[y->index]);
	if (!x->covered)
		return (x->index > y->index) - (x->index < y->index);
	up_x = p->priv->seen_above[x->index];
	up_y = p->priv->seen_above[y->index];
	if (up_x != up_y)
		return up_x < up_y ? -1 : 1;
	return (x->index < y->index) - (x->index > y->index);
}

struct uncover {
	struct mc_plan *p;
	struct mc_op *op;
	uint32_t from;		/* the mount that is copied */
	uint32_t *removed;	/* from which copy, the last time */
	uint32_t copy;		/* this one; the first is 1 */
	uint32_t *cleared;	/* per mount: the way to it, when that many */
	uint32_t changes;	/* had been removed */
	uint32_t *stack, max_stack, *nest, max_nest;
	bool nomem;
};

/*
 * Unmounts c and what covers it, from the top.  What is unbindable is not in a
 * recursive clone.
 */
static void remove_stack(struct uncover *u, uint32_t c)
{
	uint32_t n = 0;

	for (; c != MC_NONE && !u->p->topo->mounts[c].unbindable;
	     c = u->p->priv->cover[c]) {
		if (!mc_grow(&u->stack, n, &u->max_stack, sizeof(*u->stack))) {
			u->nomem = true;
			return;
		}
		u->stack[n++] = c;
	}
	while (n--) {
		if (u->removed[u->stack[n]] == u->copy)
			continue;
		u->removed[u->stack[n]] = u->copy;
		u->changes++;
		if (!mc_plan_list(u->p, MC_REF(MC_REF_MOUNT, u->stack[n])))
			u->nomem = true;
		u->op->nr++;
	}
}

/* Siblings mounted above, the outermost first, since it hides the others. */
static void remove_above(struct uncover *u, uint32_t m)
{
	uint32_t c, n = 0;

	for (c = u->p->priv->above[m]; c != MC_NONE; c = u->p->priv->above[c]) {
		if (!mc_grow(&u->nest, n, &u->max_nest, sizeof(*u->nest))) {
			u->nomem = true;
			return;
		}
		u->nest[n++] = c;
	}
	while (n--)
		remove_stack(u, u->nest[n]);
}

static int uncover(struct uncover *u, uint32_t m, struct mntcr_error *e)
{
	const struct mc_mount *mounts = u->p->topo->mounts;
	uint32_t from = u->p->priv->seen_above[m], *way = NULL, n = 0;
	uint32_t max = 0, c, i;
	bool again = from != u->from;

	/*
	 * The way that was cleared for another mount is still clear unless more
	 * has been unmounted since.
	 */
	u->changes += again;
	for (c = m; c != from; c = mounts[c].parent) {
		if (!mc_grow(&way, n, &max, sizeof(*way))) {
			free(way);
			return mc_nomem(e);
		}
		way[n++] = c;
		u->p->steps++;
		if (!again && u->cleared[c] == u->changes)
			break;
		if (u->removed[c] != u->copy || again)
			continue;
		/*
		 * Something on the way was unmounted in this copy: start over
		 * in a new one.
		 */
		again = true;
		u->changes++;
	}
	u->op->arg = MC_REF(MC_REF_MOUNT, from);
	if (again) {
		u->copy++;
		u->op->flags = MC_NEW_COPY;
		u->from = from;
	}
	for (i = n; i-- > 0; ) {
		if (strcmp(mounts[way[i]].mountpoint, "/"))
			remove_above(u, way[i]);
		if (!i || strcmp(mounts[way[i - 1]].mountpoint, "/"))
			remove_stack(u, u->p->priv->cover[way[i]]);
	}
	for (i = 0; i < n; i++)
		u->cleared[way[i]] = u->changes;
	free(way);
	return u->nomem ? mc_nomem(e) : 0;
}

int mc_plan_bases(struct mc_plan *p, struct mntcr_error *e)
{
	struct uncover u = { .p = p, .from = MC_NONE, .copy = 1 };
	struct base_order order = { .p = p };
	uint32_t *which, i, n = 0;
	int ret = 0;

	order.rank = calloc(p->topo->nr_mounts + 1, sizeof(*order.rank));
	which = calloc(p->nr_srcs + 1, sizeof(*which));
	u.removed = calloc(p->topo->nr_mounts + 1, sizeof(*u.removed));
	u.cleared = calloc(p->topo->nr_mounts + 1, sizeof(*u.cleared));
	if (!which || !u.removed || !u.cleared || !order.rank) {
		ret = mc_nomem(e);
		goto out;
	}
	for (i = 0; i < p->priv->nr_order; i++)
		if (p->priv->order[i] & 1)
			order.rank[p->priv->order[i] >> 1] = i;
	for (i = 0; i < p->nr_srcs; i++)
		if (p->srcs[i].scratch && !mc_src_is_opened(&p->srcs[i]) &&
		    (p->api == MNTCR_API_UPSTREAM || p->srcs[i].copied))
			which[n++] = i;
	/* Sorted by mount, hence by namespace: each is entered once. */
	qsort_r(which, n, sizeof(*which), cmp_base, &order);
	for (i = 0; i < n && !ret; i++) {
		ret = mc_plan_prepare_src(p, which[i], e);
		if (ret)
			break;
		u.op = &p->ops[p->nr_ops - 1];
		if (p->srcs[which[i]].with_unlinked)
			ret = mc_plan_leave_behind(p, p->srcs[which[i]].index,
						   u.op, e);
		else if (p->srcs[which[i]].covered)
			ret = uncover(&u, p->srcs[which[i]].index, e);
	}
out:
	free(order.rank);
	free(which);
	free(u.removed);
	free(u.cleared);
	free(u.stack);
	free(u.nest);
	return ret;
}
