// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Idmapped mounts of what is made anew, of external paths, and of live mounts without
 * an idmap.  A user namespace says what an idmap is: one is made for all that are
 * equal, with the recorded maps, by a child that is gone then.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <string.h>

#include "execute/execute.h"

static const struct mc_src *base_of(const struct mc_exec *x, uint32_t s)
{
	while (x->p->srcs[s].kind == MC_SRC_SUB)
		s = x->p->srcs[s].base;
	return &x->p->srcs[s];
}

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

/* For the mount of op: a user namespace, in which nobody ever is. */
static int make(struct mc_exec *x, const struct mc_op *op)
{
	uint32_t m = MC_REF_INDEX(op->obj), i = x->same_idmap[x->t->mounts[m].idmap];
	const char *what = NULL;
	char name[256];
	int err;

	if (x->idmap_fd[i] >= 0)
		return 0;
	x->idmap_fd[i] = mc_owner_of_map(x, &x->t->idmaps[i], &what);
	if (x->idmap_fd[i] >= 0)
		return 0;
	err = errno;
	mc_mount_name(x->t, m, name, sizeof(name));
	/* of what is written, the kernel says what may be mapped */
	if ((err == EPERM || err == EINVAL) && strstr(what, "id_map"))
		return mc_refuse(x->e, "idmap-maps",
				 "%s: a user namespace with the ids of its idmap: %s: %s: the caller may not map them",
				 name, what, strerror(err));
	return mc_fail(x->e, MNTCR_SYS, err,
		       "%s: a user namespace with the ids of its idmap: %s", name, what);
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
static int try_source(struct mc_exec *x, const struct mc_op *op, const struct mc_src *s)
{
	const char *type = x->t->sbs[s->sb].type;
	struct mc_mount_attr attr = { 0 };
	char name[256], esc[64];
	int err;

	mc_exec_idmap(x, op, &attr);
	err = s->kind == MC_SRC_EXTERNAL ?
	      try_external(x, x->external_fd[s->index], &attr) :
	      try_fresh(x, type, &attr);
	if (!err)
		return 0;
	mc_mount_name(x->t, MC_REF_INDEX(op->obj), name, sizeof(name));
	if (err != EPERM && err != EINVAL)
		return mc_fail(x->e, MNTCR_SYS, err, "%s: setting its idmap", name);
	return mc_refuse(x->e, "idmapped-source", "%s: %s: %s: %s", name,
			 mc_escape(type, esc, sizeof(esc)), strerror(err), err == EPERM ?
			 "the caller has no power over this superblock, or the mount is idmapped already" :
			 "this kernel sets no idmap on mounts of it");
}

static bool can_be_tried(const struct mc_exec *x, const struct mc_src *s)
{
	if (s->kind == MC_SRC_EXTERNAL)
		return x->external_fd[s->index] >= 0;
	return s->kind == MC_SRC_FRESH && s->owner == MC_NONE &&
	       mc_type_in_memory(x->t->sbs[s->sb].type);
}

int mc_idmaps_make(struct mc_exec *x)
{
	const struct mc_src *s;
	bool *tried = NULL;
	int ret = 0;
	uint32_t i;

	for (i = 0; i < x->p->nr_ops && !sets_idmap(&x->p->ops[i]); i++)
		;
	if (i == x->p->nr_ops)
		return 0;
	x->idmap_fd = mc_fds_new(x->t->nr_idmaps);
	x->same_idmap = calloc(x->t->nr_idmaps + 1UL, sizeof(*x->same_idmap));
	tried = calloc(x->p->nr_srcs + 1UL, sizeof(*tried));
	if (!x->idmap_fd || !x->same_idmap || !tried)
		ret = mc_nomem(x->e);
	if (!ret)
		ret = find_same(x);
	for (; !ret && i < x->p->nr_ops; i++) {
		const struct mc_op *op = &x->p->ops[i];

		if (!sets_idmap(op))
			continue;
		ret = make(x, op);
		s = base_of(x, MC_REF_INDEX(op->arg));
		if (ret || tried[s - x->p->srcs] || !can_be_tried(x, s))
			continue;
		tried[s - x->p->srcs] = true;
		ret = try_source(x, op, s);
	}
	free(tried);
	return ret;
}

void mc_idmaps_free(struct mc_exec *x)
{
	if (x->idmap_fd)
		mc_fds_close(x->idmap_fd, x->t->nr_idmaps);
	free(x->same_idmap);
	x->idmap_fd = NULL;
	x->same_idmap = NULL;
}

void mc_exec_idmap(const struct mc_exec *x, const struct mc_op *op,
		   struct mc_mount_attr *attr)
{
	if (!sets_idmap(op))
		return;
	attr->attr_set |= MOUNT_ATTR_IDMAP;
	attr->userns_fd = (uint64_t)x->idmap_fd[x->same_idmap[
				x->t->mounts[MC_REF_INDEX(op->obj)].idmap]];
}
