// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Idmapped mounts of what is made anew, of external paths, and of live mounts without
 * an idmap, and layers of overlays that were such mounts.  A user namespace says what an
 * idmap is: one is made for all that are equal, with the recorded maps, by a child that
 * is gone then.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <string.h>

#include "execute/execute.h"

/* Making them, whatever of it is refused. */
struct making {
	struct mc_exec *x;
	const struct mc_plan_options *po;
	bool *tried;		/* per source */
	bool *bad;		/* per idmap: the caller may not map its ids */
	/* mounts that are to have one: the first of each idmap, and source, and the next */
	uint32_t *of_idmap, *of_src, *next[2];
	struct mntcr_mount_id *ids;
	uint32_t nr_refused;
};

static bool sets_idmap(const struct mc_op *op)
{
	return op->type == MC_OP_CLONE && op->flags & MC_IDMAP;
}

static uint64_t hash(const struct mc_idmap *m, uint64_t seed)
{
	seed = mc_hash_bytes(m->uid, m->nr_uid * sizeof(*m->uid), seed);
	return mc_hash_bytes(m->gid, m->nr_gid * sizeof(*m->gid), seed);
}

/* The first that is equal, itself or one before it. */
static int find_same(struct mc_exec *x)
{
	const struct mc_topology *t = x->t;
	struct mc_map *seen = mc_map_new();
	uint64_t seed = mc_random_seed();
	uint32_t i, at;

	for (i = 0; seen && i < t->nr_idmaps; i++) {
		at = i;
		if (mc_map_add(seen, hash(&t->idmaps[i], seed), &at) < 0)
			break;
		x->same_idmap[i] = mc_idmap_same(&t->idmaps[i], &t->idmaps[at]) ? at : i;
	}
	mc_map_free(seen);
	return seen && i == t->nr_idmaps ? 0 : mc_nomem(x->e);
}

/* Something that is to have an idmap, in a clone of a source. */
struct wanted {
	uint32_t idmap, src;
	bool mount;		/* rather than a layer */
	char name[600];
};

static bool has_idmap(const struct mc_exec *x, uint32_t m)
{
	return x->p->src_of[m] != MC_NONE && x->t->mounts[m].idmap != MC_NONE &&
	       mc_plan_sets_idmap(x->p, m);
}

/* src: of all mounts that it would be set on there; NULL: of all that are to have w's. */
static void refuse(struct making *j, const struct wanted *w, const struct mc_src *src,
		   const char *rule, const char *what)
{
	const struct mc_exec *x = j->x;
	char text[1200], more[32] = "";
	size_t nr = 0;
	uint32_t m;

	m = src ? j->of_src[src - x->p->srcs] : j->of_idmap[x->same_idmap[w->idmap]];
	for (; m != MC_NONE; m = j->next[!!src][m]) {
		j->ids[nr].ns = x->t->mounts[m].ns;
		j->ids[nr++].id = x->t->mounts[m].id;
	}
	if (w->mount && nr > 1)
		snprintf(more, sizeof(more), " and %zu more", nr - 1);
	snprintf(text, sizeof(text), "%s%s: %s", w->name, more, what);
	mc_refuse_beside(j->po, x->e, &j->nr_refused, &(struct mntcr_refusal){
		.rule = rule, .text = text, .help = "", .mounts = j->ids, .nr_mounts = nr });
}

/* A user namespace, in which nobody ever is. */
static int make(struct making *j, const struct wanted *w)
{
	struct mc_exec *x = j->x;
	uint32_t i = x->same_idmap[w->idmap];
	const char *what = NULL;
	char text[300];
	int err;

	if (x->idmap_fd[i] >= 0 || j->bad[i])
		return 0;
	x->idmap_fd[i] = mc_owner_of_map(x, &x->t->idmaps[i], &what);
	if (x->idmap_fd[i] >= 0)
		return 0;
	err = errno;
	/* of what is written, the kernel says what may be mapped */
	if ((err == EPERM || err == EINVAL) && strstr(what, "id_map")) {
		snprintf(text, sizeof(text), "a user namespace with the ids of its idmap: %s: %s: the caller may not map them",
			 what, strerror(err));
		refuse(j, w, NULL, "idmap-maps", text);
		j->bad[i] = true;
		return 0;
	}
	return mc_fail(x->e, MNTCR_SYS, err,
		       "%s: a user namespace with the ids of its idmap: %s", w->name, what);
}

/*
 * On a new filesystem of a type of which one more harms nothing: 0 or an errno.  Where
 * there is none, that is seen when it is to be made.
 */
static int try_fresh(struct mc_exec *x, const char *type, struct mc_mount_attr *attr)
{
	int fs, fd = -1, err = 0;

	mc_count(x, FSOPEN);
	fs = mc_fsopen(type, MC_FSOPEN_CLOEXEC);
	if (fs >= 0 && !mc_fsconfig(fs, MC_FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		fd = mc_fsmount(fs, MC_FSMOUNT_CLOEXEC, 0);
	mc_close(fs);
	if (fd < 0)
		return 0;
	mc_count(x, MOUNT_SETATTR);
	if (mc_mount_setattr(fd, "", AT_EMPTY_PATH, attr, MC_MOUNT_ATTR_SIZE_VER0))
		err = errno;
	mc_close(fd);
	return err;
}

/* On a clone: 0 or an errno. */
static int try_external(struct mc_exec *x, int external, struct mc_mount_attr *attr)
{
	int fd = mc_exec_open_tree(x, external, "", 0, attr);

	if (fd < 0)
		return errno;
	mc_close(fd);
	return 0;
}

/* Does the kernel set it on a mount of that, which goes again? */
static int try_source(struct making *j, const struct wanted *w, const struct mc_src *s)
{
	struct mc_exec *x = j->x;
	const char *type = x->t->sbs[s->sb].type;
	struct mc_mount_attr attr = { 0 };
	char esc[64], text[300];
	int err;

	mc_exec_set_idmap(x, w->idmap, &attr);
	err = s->kind == MC_SRC_EXTERNAL ?
	      try_external(x, x->external_fd[s->index], &attr) :
	      try_fresh(x, type, &attr);
	if (!err)
		return 0;
	if (err != EPERM && err != EINVAL)
		return mc_fail(x->e, MNTCR_SYS, err, "%s: setting its idmap", w->name);
	snprintf(text, sizeof(text), "%s: %s: %s", mc_escape(type, esc, sizeof(esc)),
		 strerror(err), err == EPERM ?
		 "the caller has no power over this superblock, or the mount is idmapped already" :
		 "this kernel sets no idmap on mounts of it");
	refuse(j, w, s, "idmapped-source", text);
	return 0;
}

static bool can_be_tried(const struct mc_exec *x, const struct mc_src *s)
{
	if (s->kind == MC_SRC_EXTERNAL)
		return x->external_fd[s->index] >= 0;
	return s->kind == MC_SRC_FRESH && s->owner == MC_NONE &&
	       mc_type_in_memory(x->t->sbs[s->sb].type);
}

/* Of each source, once. */
static int want(struct making *j, const struct wanted *w)
{
	struct mc_exec *x = j->x;
	const struct mc_src *s = &x->p->srcs[mc_src_base(x->p, w->src)];

	if (make(j, w))
		return -1;
	if (j->tried[s - x->p->srcs] || j->bad[x->same_idmap[w->idmap]] ||
	    !can_be_tried(x, s))
		return 0;
	j->tried[s - x->p->srcs] = true;
	return try_source(j, w, s);
}

static bool is_idmapped(const struct mc_exec *x, const struct mc_src *s, uint32_t layer)
{
	return s->layers && s->layers[layer].with == layer && s->layers[layer].src != MC_NONE &&
	       x->t->sbs[s->sb].layers[layer].idmap != MC_NONE;
}

/* Layers of an overlay that is made. */
static int want_layers(struct making *j, const struct mc_src *s)
{
	const struct mc_exec *x = j->x;
	const struct mc_sb *sb = &x->t->sbs[s->sb];
	struct wanted w = { 0 };
	char text[500];
	uint32_t i;

	for (i = 0; s->layers && i < sb->nr_layers; i++) {
		if (!is_idmapped(x, s, i))
			continue;
		w.idmap = sb->layers[i].idmap;
		w.src = s->layers[i].src;
		snprintf(w.name, sizeof(w.name), "overlay %u:%u: its %s %s", sb->major,
			 sb->minor, mc_layer_option(sb->layers[i].kind),
			 mc_escape(sb->layers[i].text, text, sizeof(text)));
		if (want(j, &w))
			return -1;
	}
	return 0;
}

static int want_mount(struct making *j, uint32_t m)
{
	const struct mc_exec *x = j->x;
	struct wanted w = {
		.idmap = x->t->mounts[m].idmap, .src = x->p->src_of[m], .mount = true,
	};

	mc_mount_name(x->t, m, w.name, sizeof(w.name));
	return want(j, &w);
}

static int want_all(struct making *j)
{
	const struct mc_exec *x = j->x;
	uint32_t i;

	for (i = 0; i < x->p->nr_srcs; i++)
		if (want_layers(j, &x->p->srcs[i]))
			return -1;
	for (i = 0; i < x->t->nr_mounts; i++)
		if (has_idmap(x, i) && want_mount(j, i))
			return -1;
	return 0;
}

static bool sets_any(const struct mc_exec *x)
{
	const struct mc_src *s;
	uint32_t i, k;

	for (i = 0; i < x->t->nr_mounts; i++)
		if (has_idmap(x, i))
			return true;
	for (i = 0; i < x->p->nr_srcs; i++) {
		s = &x->p->srcs[i];
		for (k = 0; s->layers && k < x->t->sbs[s->sb].nr_layers; k++)
			if (is_idmapped(x, s, k))
				return true;
	}
	return false;
}

static uint32_t *none(uint32_t nr)
{
	uint32_t *list = malloc((nr + 1UL) * sizeof(*list));

	if (list)
		memset(list, 0xff, (nr + 1UL) * sizeof(*list));
	return list;
}

static int start(struct making *j)
{
	struct mc_exec *x = j->x;

	x->idmap_fd = mc_fds_new(x->t->nr_idmaps);
	x->same_idmap = calloc(x->t->nr_idmaps + 1UL, sizeof(*x->same_idmap));
	j->tried = calloc(x->p->nr_srcs + 1UL, sizeof(*j->tried));
	j->bad = calloc(x->t->nr_idmaps + 1UL, sizeof(*j->bad));
	j->ids = calloc(x->t->nr_mounts + 1UL, sizeof(*j->ids));
	j->of_idmap = none(x->t->nr_idmaps);
	j->of_src = none(x->p->nr_srcs);
	j->next[0] = none(x->t->nr_mounts);
	j->next[1] = none(x->t->nr_mounts);
	return !x->idmap_fd || !x->same_idmap || !j->tried || !j->bad || !j->ids ||
	       !j->of_idmap || !j->of_src || !j->next[0] || !j->next[1] ?
	       mc_nomem(x->e) : find_same(x);
}

static void chain(struct making *j)
{
	const struct mc_exec *x = j->x;
	uint32_t m, *idmap, *src;

	for (m = x->t->nr_mounts; m--; ) {
		if (!has_idmap(x, m))
			continue;
		idmap = &j->of_idmap[x->same_idmap[x->t->mounts[m].idmap]];
		src = &j->of_src[mc_src_base(x->p, x->p->src_of[m])];
		j->next[0][m] = *idmap;
		j->next[1][m] = *src;
		*idmap = *src = m;
	}
}

int mc_idmaps_make(struct mc_exec *x, const struct mc_plan_options *po)
{
	struct making j = { .x = x, .po = po };
	int ret;

	if (!sets_any(x))
		return 0;
	ret = start(&j);
	if (!ret) {
		chain(&j);
		ret = want_all(&j);
	}
	free(j.tried);
	free(j.bad);
	free(j.ids);
	free(j.of_idmap);
	free(j.of_src);
	free(j.next[0]);
	free(j.next[1]);
	return ret || j.nr_refused ? -1 : 0;
}

void mc_idmaps_free(struct mc_exec *x)
{
	if (x->idmap_fd)
		mc_fds_close(x->idmap_fd, x->t->nr_idmaps);
	free(x->same_idmap);
	x->idmap_fd = NULL;
	x->same_idmap = NULL;
}

void mc_exec_set_idmap(const struct mc_exec *x, uint32_t idmap, struct mc_mount_attr *attr)
{
	attr->attr_set |= MOUNT_ATTR_IDMAP;
	attr->userns_fd = (uint64_t)x->idmap_fd[x->same_idmap[idmap]];
}

void mc_exec_idmap(const struct mc_exec *x, const struct mc_op *op,
		   struct mc_mount_attr *attr)
{
	if (sets_idmap(op))
		mc_exec_set_idmap(x, x->t->mounts[MC_REF_INDEX(op->obj)].idmap, attr);
}
