// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Can what --external-master names be received from?  Asked before anything is
 * made: the kernel's EINVAL would name neither the mount nor the reason.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <libmount/libmount.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include "execute/execute.h"

struct looking {
	struct libmnt_table *mounted;
	const char **real;	/* per external: the root of the mount there, or NULL */
	uint32_t *first;	/* per superblock: its first source that is there, or MC_NONE */
};

/* Which device is that which is to receive?  0: that cannot be told. */
static dev_t receiver(const struct mc_exec *x, uint32_t sb, const struct looking *l)
{
	const struct mc_sb *s = &x->t->sbs[sb];
	struct libmnt_fs *fs;
	bool is_root;
	uint32_t i = l->first[sb];

	if (i == MC_NONE)
		return 0;
	if (x->p->srcs[i].kind == MC_SRC_LIVE)
		return makedev(s->major, s->minor);
	fs = mc_mounted_at(l->mounted, x->external_fd[x->p->srcs[i].index], &is_root);
	return fs ? mnt_fs_get_devno(fs) : 0;
}

static bool is_path(const char *root)
{
	return root && *root == '/' && !mc_path_dots(root) && !strstr(root, "//");
}

/* The source that a mount or a temporary one comes from in the end. */
static const struct mc_src *base_of(const struct mc_exec *x, mc_ref r)
{
	uint32_t i = MC_REF_KIND(r) == MC_REF_MOUNT ? x->p->src_of[MC_REF_INDEX(r)] :
		     x->p->temps[MC_REF_INDEX(r)].src;
	const struct mc_src *s = &x->p->srcs[i];

	while (s->kind == MC_SRC_SUB)
		s = &x->p->srcs[s->base];
	return s;
}

/*
 * The root that a mount will have in the real superblock; "": that cannot be told.
 * real: per external, the root of the mount there.
 */
static void root_of(const struct mc_exec *x, mc_ref r, const char *const *real,
		    char *buf, size_t size)
{
	const char *root = NULL, *prefix = "/";
	const struct mc_src *s;
	const struct mc_mount *m;

	if (MC_REF_KIND(r) == MC_REF_MOUNT) {
		m = &x->t->mounts[MC_REF_INDEX(r)];
		root = m->root_deleted ? NULL : m->root;
	} else if (MC_REF_KIND(r) == MC_REF_TEMP) {
		root = x->p->temps[MC_REF_INDEX(r)].root;
	}
	*buf = '\0';
	if (!root || *root != '/')
		return;
	s = base_of(x, r);
	if (s->kind == MC_SRC_EXTERNAL) {
		prefix = real[s->index];
		if (!is_path(prefix) || !mc_path_below(s->path, root))
			return;
		root += mc_root_len(s->path);
	}
	if (strlen(prefix) + strlen(root) >= size)
		return;
	if (!strcmp(prefix, "/"))
		strcpy(buf, *root ? root : "/");
	else
		strcpy(stpcpy(buf, prefix), strcmp(root, "/") ? root : "");
}

/*
 * MOVE_MOUNT_SET_GROUP takes a mount whose root is at or below that of the one it
 * joins; with mount_setgroup(2) it depends on privileges whether others may.
 * Those that follow the first of a list join that one, if it contains them.
 */
static int check_wide(struct mc_exec *x, uint32_t src, const char *root,
		      const char *const *real)
{
	const struct mntcr_external *o = &x->o->masters[x->p->srcs[src].index];
	char key[64], path[256], name[256], is[256], wants[256];
	char first[PATH_MAX], this[PATH_MAX];
	const struct mc_op *op;
	uint32_t i, k;

	for (i = 0; i < x->p->nr_ops; i++) {
		op = &x->p->ops[i];
		if (op->type != MC_OP_GROUP || op->arg != MC_REF(MC_REF_SRC, src))
			continue;
		for (k = 0; k < op->nr; k++) {
			mc_ref r = x->p->list[op->first + k];

			root_of(x, r, real, this, sizeof(this));
			if (!k)
				strcpy(first, this);
			else if (op->flags & MOUNT_SETGROUP_SHARED ||
				 (*first && mc_path_below(first, this)))
				continue;
			if (!*this || mc_path_below(root, this))
				continue;
			if (MC_REF_KIND(r) == MC_REF_MOUNT)
				mc_mount_name(x->t, MC_REF_INDEX(r), name,
					      sizeof(name));
			else
				strcpy(name, "a temporary mount for its peers");
			return mc_fail(x->e, MNTCR_USAGE, 0,
				       "--external-master %s=%s: the root of the mount there, %s, does not contain %s, that of %s, which is to receive from it: without mount_setgroup(2) it has to",
				       mc_escape(o->key, key, sizeof(key)),
				       mc_escape(o->path, path, sizeof(path)),
				       mc_escape(root, is, sizeof(is)),
				       mc_escape(this, wants, sizeof(wants)), name);
		}
	}
	return 0;
}

static int check(struct mc_exec *x, const struct mc_src *s, const struct looking *l)
{
	const struct mntcr_external *o = &x->o->masters[s->index];
	char key[64], path[256];
	unsigned long flags = 0;
	struct libmnt_fs *fs;
	const char *what = NULL;
	const char *root;
	bool is_root;
	dev_t dev;

	fs = mc_mounted_at(l->mounted, x->master_fd[s->index], &is_root);
	if (!fs)
		return 0;	/* the kernel will say */
	dev = receiver(x, s->sb, l);
	if (!is_root)
		what = "it is not where a mount is";
	else if (mnt_fs_get_propagation(fs, &flags) || !(flags & MS_SHARED))
		what = flags & MS_SLAVE ?
		       "the mount there is a slave and not shared, so nothing can receive from it; mount --make-shared makes it both" :
		       "the mount there is not shared, so nothing can receive from it; mount --make-shared makes it so";
	if (what)
		return mc_fail(x->e, MNTCR_USAGE, 0, "--external-master %s=%s: %s",
			       mc_escape(o->key, key, sizeof(key)),
			       mc_escape(o->path, path, sizeof(path)), what);
	if (dev && dev != mnt_fs_get_devno(fs))
		return mc_fail(x->e, MNTCR_USAGE, 0,
			       "--external-master %s=%s: the mount there is of %u:%u, and what is to receive from it of %u:%u; a peer group is of one superblock",
			       mc_escape(o->key, key, sizeof(key)),
			       mc_escape(o->path, path, sizeof(path)),
			       major(mnt_fs_get_devno(fs)), minor(mnt_fs_get_devno(fs)),
			       major(dev), minor(dev));
	root = mnt_fs_get_root(fs);
	if (x->p->api != MNTCR_API_UPSTREAM || !is_path(root))
		return 0;
	return check_wide(x, (uint32_t)(s - x->p->srcs), root, l->real);
}

static void real_roots(const struct mc_exec *x, const struct looking *l)
{
	struct libmnt_fs *fs;
	bool is_root;
	size_t i;

	for (i = 0; i < x->o->nr_externals; i++) {
		fs = x->external_fd[i] < 0 ? NULL :
		     mc_mounted_at(l->mounted, x->external_fd[i], &is_root);
		l->real[i] = fs && is_root ? mnt_fs_get_root(fs) : NULL;
	}
}

static void first_sources(const struct mc_exec *x, const struct looking *l)
{
	const struct mc_src *s;
	uint32_t i;

	for (i = 0; i < x->t->nr_sbs; i++)
		l->first[i] = MC_NONE;
	for (i = x->p->nr_srcs; i-- > 0; ) {
		s = &x->p->srcs[i];
		if (s->sb != MC_NONE && (s->kind == MC_SRC_LIVE || s->kind == MC_SRC_EXTERNAL))
			l->first[s->sb] = i;
	}
}

int mc_exec_check_masters(struct mc_exec *x)
{
	struct looking l = { 0 };
	uint32_t i;
	int ret = 0;

	if (!x->o->nr_masters)
		return 0;
	l.real = calloc(x->o->nr_externals + 1UL, sizeof(*l.real));
	l.first = malloc((x->t->nr_sbs + 1UL) * sizeof(*l.first));
	if (!l.real || !l.first) {
		ret = mc_nomem(x->e);
		goto out;
	}
	l.mounted = mc_mounted_read();
	if (!l.mounted)
		goto out;
	real_roots(x, &l);
	first_sources(x, &l);
	for (i = 0; !ret && i < x->p->nr_srcs; i++)
		if (x->p->srcs[i].kind == MC_SRC_MASTER)
			ret = check(x, &x->p->srcs[i], &l);
out:
	mc_mounted_free(l.mounted);
	free(l.real);
	free(l.first);
	return ret;
}
