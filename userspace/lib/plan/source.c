// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where the superblock of each mount comes from.  Three ways: a mount in a
 * live source namespace, a path named by the caller, a fresh superblock.  One
 * source is chosen for each root that is wanted; those that are wide serve
 * everything below, from a clean clone in the scratch tree.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/priv.h"

/* It shows a namespace that is made for it. */
static bool has_made_ns(const struct mc_plan *p, const struct mc_sb *sb)
{
	return !p->priv->opts->caller_namespaces &&
	       (mc_sb_has_own_pidns(sb) || mc_sb_has_own_ns(sb));
}

/* May the image, or an option, tell all layers of an overlay? */
static bool knows_layers(const struct mc_sb *sb)
{
	uint32_t i;

	for (i = 0; i < sb->nr_layers; i++)
		if (sb->layers[i].sb == MC_NONE && !mc_layer_is_relative(&sb->layers[i]))
			return false;
	return sb->nr_layers;
}

static bool can_be_fresh(const struct mc_plan *p, uint32_t sb)
{
	const struct mc_type *type = mc_type_of(p->topo->sbs[sb].type);

	if (type->kind == MC_TYPE_LAYERS)
		return knows_layers(&p->topo->sbs[sb]);
	if (!type->fresh || has_made_ns(p, &p->topo->sbs[sb]))
		return type->fresh;
	return !(p->priv->fresh_once & mc_type_bit(type)) &&
	       (!type->shows || p->priv->opts->caller_namespaces);
}

/* --- order: everything of a superblock, roots nested --------------------- */

static int cmp_root(const struct mc_mount *a, const struct mc_mount *b)
{
	if (a->sb != b->sb)
		return a->sb < b->sb ? -1 : 1;
	if (a->root_deleted != b->root_deleted)
		return a->root_deleted ? 1 : -1;
	if (a->unlinked != b->unlinked)
		return a->unlinked < b->unlinked ? -1 : 1;
	if (a->idmap != b->idmap)	/* MC_NONE is the greatest */
		return a->idmap > b->idmap ? -1 : 1;
	return mc_path_cmp(a->root, b->root);
}

static int cmp_source(const void *x, const void *y, void *data)
{
	struct mc_plan *p = data;
	uint32_t i = *(const uint32_t *)x, j = *(const uint32_t *)y;
	int c;

	p->steps++;
	c = cmp_root(&p->topo->mounts[i], &p->topo->mounts[j]);
	return c ? c : (i > j) - (i < j);
}

/* --- live candidates ----------------------------------------------------- */

static bool owner_is_ours(const struct mc_topology *t, uint32_t ns)
{
	uint32_t u = t->ns[ns].userns;

	return u == MC_NONE || t->userns[u].dumper;
}

/*
 * A mount that has locked children, or is unbindable, cannot be cloned alone.
 * Where locks are not reported, any child in another owner's namespace may be.
 */
int mc_plan_rank(const struct mc_plan *p, uint32_t m)
{
	const struct mc_topology *t = p->topo;
	const struct mc_plan_options *o = p->priv->opts;
	const struct mc_mount *mnt = &t->mounts[m];
	int rank = 0;
	uint32_t c;

	if (!o->ns_live || !o->ns_live[mnt->ns] || mnt->unbindable || mnt->moved)
		return -1;
	if (p->api == MNTCR_API_UPSTREAM && p->priv->hidden[m] >= MC_SEALED)
		return -1;
	mc_for_each_child(t, c, m) {
		if (t->mounts[c].locks_known) {
			if (t->mounts[c].locks & MOUNT_LOCK_MOUNT)
				return -1;
		} else if (!owner_is_ours(t, mnt->ns)) {
			rank = 2;
			break;
		}
	}
	/* A clone keeps MNT_LOCK_* of its source. */
	if (mnt->locks_known && mnt->locks & ~(uint32_t)MOUNT_LOCK_MOUNT)
		rank++;
	if (p->api == MNTCR_API_UPSTREAM && p->priv->hidden[m])
		rank += MC_RANK_COVERED;
	return rank;
}

/*
 * What is unbindable is in a copy of its namespace, too, where it can be made
 * private.  It is found there by its path.
 */
static bool can_be_copied(const struct mc_plan *p, uint32_t m)
{
	const struct mc_topology *t = p->topo;
	const struct mc_mount *mnt = &t->mounts[m];
	const bool *live = p->priv->opts->ns_live;

	if (!live || !live[mnt->ns] || !mnt->unbindable || mnt->moved ||
	    p->priv->hidden[m] != MC_SEEN)
		return false;
	return !mc_has_locked_child(t, m);
}

/*
 * A clone keeps the locks of its source's attributes: they must be the mount's
 * own, and so must what they hold.
 */
static bool fits(const struct mc_plan *p, uint32_t src, uint32_t mount)
{
	static const struct {
		uint32_t lock;
		uint64_t attr;
	} held[] = {
		{ MOUNT_LOCK_RDONLY, MOUNT_ATTR_RDONLY },
		{ MOUNT_LOCK_NODEV, MOUNT_ATTR_NODEV },
		{ MOUNT_LOCK_NOSUID, MOUNT_ATTR_NOSUID },
		{ MOUNT_LOCK_NOEXEC, MOUNT_ATTR_NOEXEC },
		{ MOUNT_LOCK_ATIME, MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME },
	};
	const struct mc_mount *s = &p->topo->mounts[src];
	const struct mc_mount *m = &p->topo->mounts[mount];
	uint32_t locks = s->locks & ~(uint32_t)MOUNT_LOCK_MOUNT;
	size_t i;

	if (locks & ~m->locks && m->locks_known && !p->priv->opts->ignore_locks)
		return false;
	for (i = 0; i < MC_ARRAY_SIZE(held); i++)
		if (locks & held[i].lock && (s->attr ^ m->attr) & held[i].attr)
			return false;
	return true;
}

static bool same_text(const struct mc_plan *p, uint32_t x, uint32_t y)
{
	const struct mc_mount *m = p->topo->mounts;
	const char *a = mc_mount_source(p->topo, &m[x]);
	const char *b = mc_mount_source(p->topo, &m[y]);

	return a == b || (a && b && !strcmp(a, b));
}

/* The best of sorted[from, to): all one superblock, one root. */
static uint32_t best_candidate(struct mc_plan *p, const uint32_t *sorted,
			       uint32_t from, uint32_t to)
{
	uint32_t i, best = MC_NONE;
	int rank, best_rank = 0;

	for (i = from; i < to; i++) {
		p->steps++;
		rank = mc_plan_rank(p, sorted[i]);
		if (rank < 0 || (best != MC_NONE && rank >= best_rank))
			continue;
		best = sorted[i];
		best_rank = rank;
		if (!rank)
			break;
	}
	return best;
}

/* --- sources below sources ----------------------------------------------- */

static uint32_t sub_src(struct mc_plan *p, uint32_t base, const char *base_root,
			const char *root)
{
	const char *path = root + (strcmp(base_root, "/") ? strlen(base_root) : 0);
	uint32_t s;

	if (*path == '/')
		path++;
	if (!*path)
		return base;
	s = mc_plan_new_src(p, MC_SRC_SUB, p->srcs[base].sb, MC_NONE);
	if (s == MC_NONE)
		return MC_NONE;
	p->srcs[s].base = base;
	p->srcs[s].path = path;
	/* a cgroup's root may end in "..": that is resolved beneath, or not at all */
	p->srcs[s].inline_path = !strchr(path, '/') && strcmp(path, "..");
	p->srcs[base].uses++;
	p->srcs[base].scratch = true;
	return s;
}

static uint32_t wide_base(struct mc_plan *p, struct mc_wide *w)
{
	if (w->src == MC_NONE)
		w->src = mc_plan_new_src(p, MC_SRC_LIVE,
					 p->topo->mounts[w->mount].sb, w->mount);
	return w->src;
}

/* What an --external stands for; MC_NONE: no memory. */
static uint32_t ext_root(struct mc_plan *p, struct mc_ext *x)
{
	if (x->src == MC_NONE) {
		x->src = mc_plan_new_src(p, MC_SRC_EXTERNAL, x->sb, x->option);
		if (x->src != MC_NONE)
			p->srcs[x->src].path = x->root;
	}
	return x->src;
}

/* Below the longest root that an --external says what stands for. */
static int ext_src(struct mc_plan *p, uint32_t sb, const char *root, uint32_t *src,
		   struct mntcr_error *e)
{
	const struct mc_sb_plan *s = &p->priv->sb[sb];
	struct mc_ext *x = p->priv->exts;
	uint32_t lo = s->first_wide, hi = lo + s->nr_wide, mid, at;

	*src = MC_NONE;
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (mc_path_cmp(x[mid].root, root) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	at = lo == s->first_wide ? MC_NONE : lo - 1;
	while (at != MC_NONE && !mc_path_below(x[at].root, root))
		at = x[at].up;
	if (at == MC_NONE)
		return 0;
	if (ext_root(p, &x[at]) == MC_NONE)
		return mc_nomem(e);
	*src = sub_src(p, x[at].src, x[at].root, root);
	return *src == MC_NONE ? mc_nomem(e) : 0;
}

int mc_plan_wide_src(struct mc_plan *p, uint32_t sb, const char *root,
		     uint32_t *src, struct mntcr_error *e)
{
	struct mc_plan_priv *v = p->priv;
	const struct mc_sb_plan *s = &v->sb[sb];
	uint32_t lo, hi, mid, base;
	struct mc_wide *w;

	*src = MC_NONE;
	if (s->mode == MC_SB_EXTERNAL && s->nr_wide)
		return ext_src(p, sb, root, src, e);
	if (s->mode != MC_SB_LIVE) {
		*src = sub_src(p, s->src, "/", root);
		return *src == MC_NONE ? mc_nomem(e) : 0;
	}
	/* The last wide mount that does not sort after root. */
	lo = s->first_wide;
	hi = lo + s->nr_wide;
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (mc_path_cmp(p->topo->mounts[v->wide[mid].mount].root, root) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == s->first_wide)
		return 0;
	w = &v->wide[lo - 1];
	if (!mc_path_below(p->topo->mounts[w->mount].root, root))
		return 0;
	base = wide_base(p, w);
	if (base == MC_NONE)
		return mc_nomem(e);
	*src = sub_src(p, base, p->topo->mounts[w->mount].root, root);
	return *src == MC_NONE ? mc_nomem(e) : 0;
}

/* --- one superblock ------------------------------------------------------ */

/* What is so of the mounts of a run: why none of them can be cloned alone. */
static void why_not(const struct mc_plan *p, const uint32_t *mounts, uint32_t nr,
		    char *buf, size_t size)
{
	static const char *const words[] = {
		"in a namespace that was not given", "unbindable and covered",
		"covered for good",
		"covered, and what could uncover it, a copy of the tree, would have the file of a mount namespace, which no younger one takes",
		"with locked mounts on it",
		"with attributes locked that are not locked here",
	};
	bool is[MC_ARRAY_SIZE(words)] = { 0 };
	const struct mc_plan_options *o = p->priv->opts;
	uint32_t i, n = 0;
	size_t at = 0;

	for (i = 0; i < nr; i++) {
		const struct mc_mount *m = &p->topo->mounts[mounts[i]];

		if (!o->ns_live || !o->ns_live[m->ns])
			is[0] = true;
		else if (m->unbindable && p->priv->hidden[mounts[i]] != MC_SEEN)
			is[1] = true;
		else if (p->api == MNTCR_API_UPSTREAM &&
			 p->priv->hidden[mounts[i]] == MC_SEALED)
			is[2] = true;
		else if (p->api == MNTCR_API_UPSTREAM &&
			 p->priv->hidden[mounts[i]] == MC_FILED)
			is[3] = true;
		else if (mc_plan_rank(p, mounts[i]) < 0)
			is[4] = true;
		else
			is[5] = true;
	}
	*buf = '\0';
	for (i = 0; i < MC_ARRAY_SIZE(words); i++)
		if (is[i] && at < size)
			at += (size_t)snprintf(buf + at, size - at, "%s%s",
					       n++ ? ", or " : "", words[i]);
}

/* Told by mc_plan_refuse(); here it is remembered. */
static const char *refused(struct mc_plan *p, uint32_t sb, const char *rule)
{
	if (!p->priv->sb[sb].refused)
		p->priv->sb[sb].refused = rule;
	return rule;
}

/* All of one superblock and root. */
static int no_source(struct mc_plan *p, const uint32_t *mounts, uint32_t nr,
		     struct mntcr_error *e)
{
	const struct mc_mount *mnt = &p->topo->mounts[mounts[0]];
	const struct mc_sb *sb = &p->topo->sbs[mnt->sb];
	const struct mc_plan_options *o = p->priv->opts;
	const struct mc_type *type = mc_type_of(sb->type);
	uint8_t hidden = p->api == MNTCR_API_UPSTREAM ? p->priv->hidden[mounts[0]] :
			 MC_SEEN;
	bool live = false;
	uint32_t i;
	char why[320], name[64], what[96], help[160];

	for (i = 0; i < nr; i++)
		live = live || (o->ns_live && o->ns_live[p->topo->mounts[mounts[i]].ns]);
	mc_escape(sb->type, name, sizeof(name));
	snprintf(what, sizeof(what), "%s, %u:%u", name, sb->major, sb->minor);
	why_not(p, mounts, nr, why, sizeof(why));
	if (mnt->idmap != MC_NONE && live) {
		snprintf(help, sizeof(help), "--external %u:%u=PATH, or another mount of it, not idmapped, in a namespace that is dumped too",
			 sb->major, sb->minor);
		return mc_plan_refuse(p, e, refused(p, mnt->sb, "idmapped-source"),
				      mounts, nr, help,
				      "idmapped: it can only be cloned from a live mount with the same mapping or without any, and what there is is %s",
				      why);
	}
	snprintf(help, sizeof(help), "--external %u:%u=PATH%s", sb->major, sb->minor,
		 hidden != MC_FILED ? "" :
		 ", a kernel with the calls of the extended API, or that the file is unmounted");
	if (live)
		return mc_plan_refuse(p, e, refused(p, mnt->sb, hidden == MC_FILED ?
				      "covered-beside-file" : hidden ?
				      "overmounted-source" : "uncloneable-source"),
				      mounts, nr, help,
				      "no mount of its superblock (%s) that contains its root can be cloned: what has the same root is %s",
				      what, why);
	if (type->kind == MC_TYPE_DEVICE)
		snprintf(help, sizeof(help), "--source with its namespace, --device %u:%u=DEVICE, or --external %u:%u=PATH",
			 sb->major, sb->minor, sb->major, sb->minor);
	else
		snprintf(help, sizeof(help), "--source with its namespace, or --external %u:%u=PATH",
			 sb->major, sb->minor);
	if (!type->fresh || !type->shows || o->caller_namespaces)
		return mc_plan_refuse(p, e, refused(p, mnt->sb, "no-source"),
				      mounts, nr, help,
				      "its superblock (%s) is in no namespace that was given, and %s cannot be made fresh%s",
				      what, name,
				      type->fresh ? " twice" : "");
	snprintf(help, sizeof(help),
		 "--source with its namespace, --external %u:%u=PATH, or --caller-namespaces if that is what is wanted",
		 sb->major, sb->minor);
	return mc_plan_refuse(p, e, refused(p, mnt->sb, "callers-namespace"),
			      mounts, nr, help,
			      "its superblock (%s) is in no namespace that was given, and a fresh one would show the caller's %s namespace",
			      what, type->shows);
}

/* From wherever its parent is cloned, which has to be a live one. */
static bool is_live(const struct mc_plan *p, uint32_t sb)
{
	return p->priv->external_of[sb] == MC_NONE &&
	       (!p->priv->opts->prefer_fresh ||
		!mc_type_of(p->topo->sbs[sb].type)->fresh);
}

/* An unlinked mount comes along with its parent, from a live source only. */
static const char *help_unlinked(const struct mc_plan *p, const struct mc_mount *m)
{
	const struct mc_plan_options *o = p->priv->opts;
	const struct mc_sb *sb = &p->topo->sbs[m->sb];

	if (sb->contents && mc_type_on_device(sb->type) && !(sb->flags & MS_RDONLY))
		return "--device for its superblock, one --external for all of that, or --source with its namespace";
	if (!o->ns_live || !o->ns_live[m->ns])
		return "--source with its namespace";
	if (m->parent != MC_NONE && !is_live(p, p->topo->mounts[m->parent].sb))
		return "--source without --fresh, or without --external for what it is mounted on";
	return "a dump after it has been unmounted";
}

static int deleted_root(struct mc_plan *p, const uint32_t *mounts, uint32_t nr,
			struct mntcr_error *e)
{
	const struct mc_mount *m = &p->topo->mounts[mounts[0]];

	return mc_plan_refuse(p, e, refused(p, m->sb, "deleted-root"), mounts, nr,
			      help_unlinked(p, m),
			      "the root of this mount has been unlinked, and no path leads to it");
}

/* The live mount that a source is, or is below. */
static uint32_t live_mount(const struct mc_plan *p, uint32_t src)
{
	while (p->srcs[src].kind == MC_SRC_SUB)
		src = p->srcs[src].base;
	return p->srcs[src].index;
}

/*
 * Where the source chosen for the others does not fit: the mount's own live
 * original.
 */
static int own_src(struct mc_plan *p, uint32_t m, struct mntcr_error *e)
{
	bool copied = mc_plan_rank(p, m) < 0;

	if (copied && !can_be_copied(p, m))
		return no_source(p, &m, 1, e);
	p->src_of[m] = mc_plan_new_src(p, MC_SRC_LIVE, p->topo->mounts[m].sb, m);
	if (p->src_of[m] == MC_NONE)
		return mc_nomem(e);
	p->srcs[p->src_of[m]].copied = copied;
	return 0;
}

/* The last resort, since all of a namespace is copied for it. */
static int copied_src(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		      uint32_t to, uint32_t *src, struct mntcr_error *e)
{
	uint32_t i = from;

	while (i < to && !can_be_copied(p, sorted[i]))
		i++;
	if (i == to)
		return 0;
	*src = mc_plan_new_src(p, MC_SRC_LIVE, p->topo->mounts[sorted[i]].sb,
			       sorted[i]);
	if (*src == MC_NONE)
		return mc_nomem(e);
	p->srcs[*src].copied = true;
	return 0;
}

/* One live source for all of a run; MC_NONE: there is none. */
static int find_live_src(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
			 uint32_t to, uint32_t *found, struct mntcr_error *e)
{
	const struct mc_mount *mnt = &p->topo->mounts[sorted[from]];
	bool path = mc_plan_is_path(mnt->root);
	bool plain = mnt->idmap == MC_NONE && path;
	uint32_t src = MC_NONE, best;

	/*
	 * Stock kernels enter a namespace for each source: so few, wide ones
	 * are taken.
	 */
	if (plain && p->api == MNTCR_API_UPSTREAM &&
	    mc_plan_wide_src(p, mnt->sb, mnt->root, &src, e))
		return -1;
	if (src == MC_NONE) {
		best = best_candidate(p, sorted, from, to);
		if (best != MC_NONE) {
			src = mc_plan_new_src(p, MC_SRC_LIVE, mnt->sb, best);
			if (src == MC_NONE)
				return mc_nomem(e);
		} else if (path && mc_plan_wide_src(p, mnt->sb, mnt->root,
						     &src, e)) {
			return -1;
		}
	}
	*found = src;
	return 0;
}

static int unlinked_run(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
			uint32_t to, struct mntcr_error *e)
{
	const struct mc_mount *m = p->topo->mounts;
	uint32_t i, src;

	for (i = from; i < to; i++) {
		if (!mc_plan_can_come_along(p, sorted[i]) ||
		    !is_live(p, m[m[sorted[i]].parent].sb)) {
			if (deleted_root(p, sorted + i, 1, e))
				return -1;
			continue;
		}
		src = mc_plan_new_src(p, MC_SRC_LIVE, m[sorted[i]].sb, sorted[i]);
		if (src == MC_NONE)
			return mc_nomem(e);
		p->srcs[src].along = true;
		p->src_of[sorted[i]] = src;
	}
	return 0;
}

static bool any_live(const struct mc_plan *p, const uint32_t *sorted,
		     uint32_t from, uint32_t end)
{
	const struct mc_plan_options *o = p->priv->opts;
	uint32_t i;

	for (i = from; o->ns_live && i < end; i++)
		if (o->ns_live[p->topo->mounts[sorted[i]].ns])
			return true;
	return false;
}

/* The --external that stands for the namespace; MC_NONE: none. */
static uint32_t ext_ns_of(const struct mc_plan *p, const struct mc_mount *m)
{
	const struct mc_plan_priv *v = p->priv;
	uint32_t i;

	for (i = 0; m->nsfs_type && i < v->nr_ext_ns; i++)
		if (v->ext_ns[i].type == m->nsfs_type && v->ext_ns[i].ino == m->nsfs_ino)
			return i;
	return MC_NONE;
}

static int ext_ns_run(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		      uint32_t to, struct mc_ext_ns *x, struct mntcr_error *e)
{
	if (x->src == MC_NONE) {
		x->src = mc_plan_new_src(p, MC_SRC_EXTERNAL,
					 p->topo->mounts[sorted[from]].sb, x->option);
		if (x->src == MC_NONE)
			return mc_nomem(e);
		p->srcs[x->src].path = p->topo->mounts[sorted[from]].root;
	}
	for (; from < to; from++)
		if (p->src_of[sorted[from]] == MC_NONE)
			p->src_of[sorted[from]] = x->src;
	return 0;
}

/* Of a namespace that is not restored with the mounts, and that nobody makes. */
static int no_namespace(struct mc_plan *p, const uint32_t *mounts, uint32_t nr,
			struct mntcr_error *e)
{
	const struct mc_mount *m = &p->topo->mounts[mounts[0]];
	const struct mc_word *w = mc_words_nstype;
	char help[160];

	while (w->name && w->bits != m->nsfs_type)
		w++;
	snprintf(help, sizeof(help), "--external %s:[%llu]=PATH, or --source with its namespace",
		 w->name, (unsigned long long)m->nsfs_ino);
	return mc_plan_refuse(p, e, refused(p, m->sb, "namespace-not-given"), mounts, nr, help,
			      "the file of %s namespace %llu, which is not made with the mounts",
			      w->name, (unsigned long long)m->nsfs_ino);
}

/* Files of namespaces and processes that are none of the image's. */
static int given_run(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		     uint32_t to, struct mntcr_error *e)
{
	for (; from < to; from++)
		if (p->src_of[sorted[from]] == MC_NONE &&
		    mc_plan_mount_need(p, sorted[from], false, e))
			return -1;
	return 0;
}

static int live_run(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		    uint32_t to, struct mntcr_error *e)
{
	uint32_t src = MC_NONE, i;

	while (from < to && p->src_of[sorted[from]] != MC_NONE)
		from++;
	if (from == to)
		return 0;
	if (p->topo->mounts[sorted[from]].root_deleted)
		return unlinked_run(p, sorted, from, to, e);
	if (find_live_src(p, sorted, from, to, &src, e) ||
	    (src == MC_NONE && copied_src(p, sorted, from, to, &src, e)))
		return -1;
	if (src == MC_NONE && p->waits &&
	    mc_type_of(p->topo->sbs[p->topo->mounts[sorted[from]].sb].type)->kind ==
	    MC_TYPE_FILES)
		return given_run(p, sorted, from, to, e);
	if (src == MC_NONE && p->topo->mounts[sorted[from]].nsfs_type &&
	    !any_live(p, sorted, from, to))
		return no_namespace(p, sorted + from, to - from, e);
	if (src == MC_NONE)
		return no_source(p, sorted + from, to - from, e);
	for (i = from; i < to; i++) {
		if (p->src_of[sorted[i]] != MC_NONE)
			continue;
		p->src_of[sorted[i]] = src;
		if (!fits(p, live_mount(p, src), sorted[i]) &&
		    own_src(p, sorted[i], e))
			return -1;
	}
	return 0;
}

/* Neither a path below a root nor a new superblock gives it. */
static int only_live(struct mc_plan *p, const uint32_t *mounts, uint32_t nr,
		     struct mntcr_error *e)
{
	const struct mc_mount *mnt = &p->topo->mounts[mounts[0]];

	return mc_plan_refuse(p, e, refused(p, mnt->sb, "no-source"), mounts, nr,
			      "--source with its namespace, and neither --fresh nor --external for its superblock",
			      "its root is no path: only a live source can give it, and its superblock is to come from elsewhere");
}

/* What was named stands for other parts of the superblock. */
static int beside_external(struct mc_plan *p, const uint32_t *mounts, uint32_t nr,
			   struct mntcr_error *e)
{
	const struct mc_mount *mnt = &p->topo->mounts[mounts[0]];
	const struct mc_sb *sb = &p->topo->sbs[mnt->sb];
	char root[200], help[280];

	mc_escape(mnt->root, root, sizeof(root));
	snprintf(help, sizeof(help), "--external %u:%u:%s=PATH", sb->major, sb->minor,
		 root);
	return mc_plan_refuse(p, e, refused(p, mnt->sb, "no-source"), mounts, nr, help,
			      "its root, %s of %u:%u, is below no root that an --external stands for",
			      root, sb->major, sb->minor);
}

static int based_run(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		     uint32_t to, struct mntcr_error *e)
{
	const struct mc_mount *mnt = &p->topo->mounts[sorted[from]];
	const struct mc_sb_plan *s = &p->priv->sb[mnt->sb];
	const char *root = mnt->root;
	uint32_t src, i;

	while (from < to && p->src_of[sorted[from]] != MC_NONE)
		from++;
	if (from == to)
		return 0;
	if (mnt->root_deleted && s->mode == MC_SB_EXTERNAL && s->nr_wide &&
	    ext_root(p, &p->priv->exts[s->first_wide]) == MC_NONE)
		return mc_nomem(e);
	if (mnt->root_deleted && !mc_plan_is_anew(p, mnt))
		return deleted_root(p, sorted + from, to - from, e);
	if (mnt->root_deleted && mc_plan_unlinked_anew(p, sorted[from], &root))
		return mc_nomem(e);
	if (!mc_plan_is_path(mnt->root))
		return only_live(p, sorted + from, to - from, e);
	if (mc_plan_wide_src(p, mnt->sb, root, &src, e))
		return -1;
	if (src == MC_NONE)
		return beside_external(p, sorted + from, to - from, e);
	for (i = from; i < to; i++)
		if (p->src_of[sorted[i]] == MC_NONE)
			p->src_of[sorted[i]] = src;
	return 0;
}

/* Files of namespaces that are themselves restored name the new ones. */
static int nsfile_run(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		      uint32_t to, struct mntcr_error *e)
{
	const struct mc_mount *mnt = &p->topo->mounts[sorted[from]];
	uint32_t i, src;

	src = mc_plan_new_src(p, MC_SRC_NSFILE, mnt->sb, mnt->nsfs_ns);
	if (src == MC_NONE)
		return mc_nomem(e);
	p->srcs[src].need = mc_plan_owner_need(p, p->topo->ns[mnt->nsfs_ns].userns);
	for (i = from; i < to; i++)
		p->src_of[sorted[i]] = src;
	return 0;
}

/* Of a namespace that is known, which is not given, and of which nothing is live. */
static bool is_made_for(const struct mc_plan *p, const uint32_t *sorted, uint32_t from,
			uint32_t to)
{
	const struct mc_mount *m = &p->topo->mounts[sorted[from]];
	uint32_t need;

	return m->nsfs_id && m->nsfs_owner != MC_NONE &&
	       p->src_of[sorted[from]] == MC_NONE &&
	       !mc_plan_find_need(p, m->nsfs_type == CLONE_NEWNET ? MNTCR_GIVEN_NET :
				  MNTCR_GIVEN_IPC, m->nsfs_id, &need) &&
	       p->priv->sb[m->sb].mode == MC_SB_LIVE && !any_live(p, sorted, from, to);
}

static int nsmade_run(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		      uint32_t to, struct mntcr_error *e)
{
	const struct mc_mount *mnt = &p->topo->mounts[sorted[from]];
	uint32_t u = mnt->nsfs_owner, i, src;
	struct mc_no_owner why;

	if (!p->topo->userns[u].dumper && !mc_plan_owner(p, u, &why))
		return mc_plan_refuse(p, e, refused(p, mnt->sb, why.rule), sorted + from,
				      to - from, why.help,
				      "the file of a namespace that is to be made and belongs to user namespace %u, %s",
				      u, why.what);
	src = mc_plan_new_src(p, MC_SRC_NSMADE, mnt->sb, sorted[from]);
	if (src == MC_NONE)
		return mc_nomem(e);
	if (!p->topo->userns[u].dumper)
		p->srcs[src].owner = u;
	p->srcs[src].need = mc_plan_owner_need(p, u);
	for (i = from; i < to; i++)
		p->src_of[sorted[i]] = src;
	return 0;
}

static uint32_t run_end(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
			uint32_t end)
{
	const struct mc_mount *m = p->topo->mounts;
	uint32_t i;

	for (i = from + 1; i < end; i++) {
		p->steps++;
		if (cmp_root(&m[sorted[from]], &m[sorted[i]]) ||
		    m[sorted[from]].nsfs_ns != m[sorted[i]].nsfs_ns)
			break;
	}
	return i;
}

/*
 * The widest mounts that can be cloned: the root of none is below that of
 * another.
 */
static void find_wide(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		      uint32_t end)
{
	const struct mc_mount *m = p->topo->mounts;
	struct mc_plan_priv *v = p->priv;
	struct mc_sb_plan *s = &v->sb[m[sorted[from]].sb];
	uint32_t i, to, best;

	s->first_wide = v->nr_wide;
	s->nr_wide = 0;
	for (i = from; i < end; i = to) {
		to = run_end(p, sorted, i, end);
		if (m[sorted[i]].root_deleted || m[sorted[i]].idmap != MC_NONE ||
		    !mc_plan_is_path(m[sorted[i]].root))
			continue;
		if (s->nr_wide &&
		    mc_path_below(m[v->wide[v->nr_wide - 1].mount].root,
				  m[sorted[i]].root))
			continue;
		best = best_candidate(p, sorted, i, to);
		if (best == MC_NONE)
			continue;
		v->wide[v->nr_wide].mount = best;
		v->wide[v->nr_wide].src = MC_NONE;
		v->nr_wide++;
		s->nr_wide++;
	}
}

/* --- by the source that is shown ------------------------------------------- */

static int cmp_text(const void *x, const void *y, void *data)
{
	struct mc_plan *p = data;
	const struct mc_mount *m = p->topo->mounts;
	uint32_t i = *(const uint32_t *)x, j = *(const uint32_t *)y;
	const char *a = mc_mount_source(p->topo, &m[i]);
	const char *b = mc_mount_source(p->topo, &m[j]);
	int c = a && b ? strcmp(a, b) : !!a - !!b;

	p->steps++;
	return c ? c : cmp_source(x, y, data);
}

static bool same_source(const struct mc_sb *sb, const struct mc_plan *p, uint32_t m)
{
	const char *text = mc_mount_source(p->topo, &p->topo->mounts[m]);

	return text == sb->source || (text && sb->source && !strcmp(text, sb->source));
}

/* A superblock that there is, opened once more by the source of a mount. */
static int again_src(struct mc_plan *p, uint32_t mount, uint32_t *again,
		     uint32_t *src, struct mntcr_error *e)
{
	const struct mc_mount *m = &p->topo->mounts[mount];

	if (*again == MC_NONE) {
		*again = mc_plan_new_src(p, MC_SRC_AGAIN, m->sb, mount);
		if (*again != MC_NONE && p->priv->sb[m->sb].mode == MC_SB_FRESH &&
		    has_made_ns(p, &p->topo->sbs[m->sb])) {
			const struct mc_src *fresh = &p->srcs[p->priv->sb[m->sb].src];

			p->srcs[*again].shown_by = fresh->shown_by;
			p->srcs[*again].owner = fresh->owner;
			p->srcs[*again].need = fresh->need;
		}
	}
	*src = *again == MC_NONE ? MC_NONE : sub_src(p, *again, "/", m->root);
	return *src == MC_NONE ? mc_nomem(e) : 0;
}

static int text_run(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		    uint32_t to, uint32_t *again, struct mntcr_error *e)
{
	const struct mc_mount *m = &p->topo->mounts[sorted[from]];
	const struct mc_sb_plan *s = &p->priv->sb[m->sb];
	uint32_t src = MC_NONE, i;
	bool live, can;

	if (m->root_deleted || m->nsfs_ns != MC_NONE)
		return 0;
	if (s->mode == MC_SB_LIVE && find_live_src(p, sorted, from, to, &src, e))
		return -1;
	live = src != MC_NONE;
	can = s->mode == MC_SB_FRESH || (p->priv->opts->again &&
					 p->priv->opts->again[m->sb]);
	if (!live && can && m->idmap == MC_NONE && mc_plan_is_path(m->root) &&
	    again_src(p, sorted[from], again, &src, e))
		return -1;
	if (src == MC_NONE && s->mode == MC_SB_LIVE) {
		if (copied_src(p, sorted, from, to, &src, e))
			return -1;
		live = src != MC_NONE;
	}
	for (i = from; i < to && src != MC_NONE; i++)
		if (!live || fits(p, live_mount(p, src), sorted[i]))
			p->src_of[sorted[i]] = src;
		else if (mc_plan_rank(p, sorted[i]) >= 0 &&
			 own_src(p, sorted[i], e))
			return -1;
	return 0;
}

/* sorted[from, end) by the text of their source; NULL: no memory.  To be freed. */
static uint32_t *sorted_by_text(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
				uint32_t end)
{
	uint32_t n = end - from, *texts = malloc(n * sizeof(*texts));

	if (!texts)
		return NULL;
	memcpy(texts, sorted + from, n * sizeof(*texts));
	qsort_r(texts, n, sizeof(*texts), cmp_text, p);
	return texts;
}

/*
 * Mounts of one superblock that show different sources, each from one that
 * shows the same; what finds none here is left for any.
 */
static int by_text(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		   uint32_t end, struct mntcr_error *e)
{
	const struct mc_sb *sb = &p->topo->sbs[p->topo->mounts[sorted[from]].sb];
	uint32_t *texts, n = end - from, i, to, last, again;
	bool fresh = p->priv->sb[p->topo->mounts[sorted[from]].sb].mode ==
		     MC_SB_FRESH;
	int ret = 0;

	for (i = from + 1; i < end && same_text(p, sorted[from], sorted[i]); i++)
		p->steps++;
	if (i == end || (fresh && !mc_type_of(sb->type)->again))
		return 0;
	texts = sorted_by_text(p, sorted, from, end);
	if (!texts)
		return mc_nomem(e);
	for (i = 0; i < n && !ret; i = last) {
		for (last = i + 1; last < n && same_text(p, texts[i], texts[last]); )
			last++;
		/* the fresh one has that of its superblock */
		if (fresh && same_source(sb, p, texts[i]))
			continue;
		again = MC_NONE;
		if (!fresh)
			find_wide(p, texts, i, last);
		for (; i < last && !ret; i = to) {
			to = run_end(p, texts, i, last);
			ret = text_run(p, texts, i, to, &again, e);
		}
	}
	free(texts);
	return ret;
}

/*
 * What an --external stands for has one source; a mount that had another one shows that
 * if the superblock is opened once more.
 */
static int by_external_text(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
			    uint32_t end, struct mntcr_error *e)
{
	const struct mc_mount *m = p->topo->mounts;
	const struct mc_sb_plan *s = &p->priv->sb[m[sorted[from]].sb];
	const struct mc_plan_options *o = p->priv->opts;
	struct mc_ext *x = &p->priv->exts[s->first_wide];
	const char *is = o->external_sources ? o->external_sources[x->option] : NULL;
	uint32_t *texts, n = end - from, i, again = MC_NONE, src;
	int ret = 0;

	/* what would be opened is of the image's type, and an image can say anything */
	if (!is || !o->external_again || !o->external_again[x->option] ||
	    o->external_again[x->option] !=
		    mc_type_bit(mc_type_of(p->topo->sbs[m[sorted[from]].sb].type)) ||
	    s->nr_wide != 1 || strcmp(x->root, "/"))
		return 0;
	texts = sorted_by_text(p, sorted, from, end);
	if (!texts)
		return mc_nomem(e);
	for (i = 0; i < n && !ret; i++) {
		const char *was = mc_mount_source(p->topo, &m[texts[i]]);

		if (i && !same_text(p, texts[i - 1], texts[i]))
			again = MC_NONE;
		if (!was || !strcmp(was, is) || m[texts[i]].root_deleted ||
		    m[texts[i]].idmap != MC_NONE || !mc_plan_is_path(m[texts[i]].root) ||
		    p->src_of[texts[i]] != MC_NONE)
			continue;
		if (ext_root(p, x) == MC_NONE) {
			ret = mc_nomem(e);
			break;
		}
		ret = again_src(p, texts[i], &again, &src, e);
		if (ret)
			break;
		p->srcs[again].instead = x->src;
		p->src_of[texts[i]] = src;
	}
	free(texts);
	return ret;
}

/* On the device that was named. */
static uint32_t device_src(struct mc_plan *p, uint32_t sb)
{
	uint32_t src = mc_plan_new_src(p, MC_SRC_FRESH, sb, MC_NONE);

	if (src != MC_NONE) {
		p->srcs[src].device = p->priv->device_of[sb];
		p->srcs[src].path = p->priv->opts->devices[p->srcs[src].device].path;
	}
	return src;
}

static int plan_sb(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		   uint32_t end, struct mntcr_error *e)
{
	const struct mc_mount *m = p->topo->mounts;
	uint32_t sb = m[sorted[from]].sb, i, to;
	uint32_t first = p->priv->external_of[sb], device = p->priv->device_of[sb];
	struct mc_sb_plan *s = &p->priv->sb[sb];
	const struct mc_type *type = mc_type_of(p->topo->sbs[sb].type);
	bool live = any_live(p, sorted, from, end), fresh, shows;
	uint32_t need;
	int ret = 0;

	/* two overlays must not have one upper directory */
	fresh = can_be_fresh(p, sb) &&
		((p->priv->opts->prefer_fresh && type->kind != MC_TYPE_LAYERS) || !live);
	if (mc_plan_sb_need(p, sb, first != MC_NONE || device != MC_NONE || fresh || live,
			    &need, e))
		return -1;
	shows = need != MC_NONE && p->needs[need].kind != MNTCR_GIVEN_SUPERBLOCK;
	fresh = need == MC_NONE && first == MC_NONE && fresh;
	for (i = from; i < end; i++)
		if (mc_plan_mount_need(p, sorted[i], !(fresh || shows) ||
				       !mc_plan_root_needs_process(&p->topo->sbs[sb],
								   m[sorted[i]].root), e))
			return -1;
	if (shows) {
		s->mode = MC_SB_FRESH;
		s->src = mc_plan_new_src(p, MC_SRC_FRESH, sb, MC_NONE);
		if (s->src != MC_NONE)
			p->srcs[s->src].need = need;
		ret = mc_plan_new_sb(p, sb, sorted + from, end - from, e);
	} else if (need != MC_NONE) {
		s->mode = MC_SB_EXTERNAL;
		s->src = mc_plan_new_src(p, MC_SRC_GIVEN, sb, need);
		if (s->src != MC_NONE)
			p->srcs[s->src].need = need;
	} else if (first != MC_NONE) {
		s->mode = MC_SB_EXTERNAL;
		s->src = 0;
		s->first_wide = first;
		for (i = first; i < p->priv->nr_exts && p->priv->exts[i].sb == sb; i++)
			s->nr_wide++;
	} else if (device != MC_NONE) {
		s->mode = MC_SB_FRESH;
		s->src = device_src(p, sb);
		ret = mc_plan_new_sb(p, sb, sorted + from, end - from, e);
	} else if (fresh) {
		s->mode = MC_SB_FRESH;
		if (type->once && !has_made_ns(p, &p->topo->sbs[sb]))
			p->priv->fresh_once |= mc_type_bit(type);
		s->src = mc_plan_new_src(p, MC_SRC_FRESH, sb, MC_NONE);
		if (s->src != MC_NONE) {
			p->srcs[s->src].shown_by = sorted[from];
			ret = mc_plan_sb_owner(p, s->src, sorted + from, end - from, e);
		}
		if (!ret)
			ret = mc_plan_new_sb(p, sb, sorted + from, end - from, e);
	} else {
		s->mode = MC_SB_LIVE;
		s->src = 0;
	}
	if (s->src == MC_NONE)
		return mc_nomem(e);
	/* one that is given is not opened once more */
	if (s->mode != MC_SB_EXTERNAL && need == MC_NONE && by_text(p, sorted, from, end, e))
		return -1;
	if (first != MC_NONE && need == MC_NONE &&
	    by_external_text(p, sorted, from, end, e))
		return -1;
	if (s->mode == MC_SB_LIVE)
		find_wide(p, sorted, from, end);
	for (i = from; i < end && !ret; i = to) {
		to = run_end(p, sorted, i, end);
		ret = mc_plan_foreign_file(p, sorted + i, to - i, e);
		if (ret > 0) {
			refused(p, sb, "foreign-namespace-file");
			ret = 0;
		} else if (!ret && m[sorted[i]].nsfs_ns != MC_NONE)
			ret = nsfile_run(p, sorted, i, to, e);
		else if (!ret && ext_ns_of(p, &m[sorted[i]]) != MC_NONE)
			ret = ext_ns_run(p, sorted, i, to, &p->priv->ext_ns[
						ext_ns_of(p, &m[sorted[i]])], e);
		else if (!ret && is_made_for(p, sorted, i, to))
			ret = nsmade_run(p, sorted, i, to, e);
		else if (!ret && s->mode == MC_SB_LIVE)
			ret = live_run(p, sorted, i, to, e);
		else if (!ret)
			ret = based_run(p, sorted, i, to, e);
	}
	return ret;
}

/* What has been decided, for others to see. */
static void say_from(struct mc_plan *p)
{
	static const enum mc_from_kind kinds[] = {
		[MC_SB_LIVE] = MC_FROM_LIVE, [MC_SB_FRESH] = MC_FROM_FRESH,
		[MC_SB_EXTERNAL] = MC_FROM_EXTERNAL,
	};
	struct mc_from *f;
	uint32_t m;

	for (m = 0; m < p->topo->nr_mounts; m++) {
		f = &p->from[p->topo->mounts[m].sb];
		f->refused = p->priv->sb[p->topo->mounts[m].sb].refused;
		if (p->src_of[m] == MC_NONE)
			f->nr_refused++;
		if (p->src_of[m] == MC_NONE ||
		    (p->srcs[p->src_of[m]].kind != MC_SRC_NSFILE &&
		     p->srcs[p->src_of[m]].kind != MC_SRC_NSMADE))
			f->kind = kinds[p->priv->sb[p->topo->mounts[m].sb].mode];
		else if (f->kind == MC_FROM_NOTHING)
			f->kind = MC_FROM_FILES;
	}
}

int mc_plan_sources(struct mc_plan *p, const struct mc_plan_options *o,
		    struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	uint32_t *sorted = calloc(t->nr_mounts + 1, sizeof(*sorted));
	uint32_t i, end, m;
	int ret = 0;

	if (!sorted)
		return mc_nomem(e);
	for (i = 0; i < t->nr_mounts; i++) {
		sorted[i] = i;
		p->src_of[i] = MC_NONE;	/* and stays, where one is refused */
	}
	qsort_r(sorted, t->nr_mounts, sizeof(*sorted), cmp_source, p);
	for (i = 0; i < t->nr_mounts && !ret; i = end) {
		for (end = i + 1; end < t->nr_mounts; end++)
			if (t->mounts[sorted[end]].sb != t->mounts[sorted[i]].sb)
				break;
		ret = plan_sb(p, sorted, i, end, e);
	}
	if (!ret)
		ret = mc_plan_take_along(p, e);
	if (!ret)
		say_from(p);
	for (m = 0; m < t->nr_mounts && !ret; m++)
		if (p->src_of[m] != MC_NONE)
			p->srcs[p->src_of[m]].uses++;
	free(sorted);
	return ret;
}
