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
	const struct mc_plan *p;
	const struct mc_plan_options *po;
	const int *external_fd, *master_fd;
	struct mntcr_error *e;
	uint32_t nr_refused;
	struct libmnt_table *mounted;
	const char **real;	/* per external: the root of the mount there, or NULL */
	const struct mc_src **first;	/* per superblock: its first that is there, or NULL */
};

/* of: the option. */
static void refuse(struct looking *l, const struct mc_src *of, const char *what,
		   const char *help)
{
	const struct mntcr_external *o = &l->po->masters[of->index];
	char option[MC_OPTION_TEXT_SIZE], text[1200];

	snprintf(text, sizeof(text), "%s: %s",
		 mc_option_text("--external-master", o, option, sizeof(option)), what);
	mc_refuse_beside(l->po, l->e, &l->nr_refused, &(struct mntcr_refusal){
		.rule = "external-master", .text = text, .help = help });
}

/* Which device is that which is to receive?  0: that cannot be told. */
static dev_t receiver(const struct looking *l, uint32_t sb)
{
	const struct mc_sb *s = &l->p->topo->sbs[sb];
	struct libmnt_fs *fs;
	bool is_root;
	const struct mc_src *from = l->first[sb];

	if (!from)
		return 0;
	if (from->kind == MC_SRC_LIVE)
		return makedev(s->major, s->minor);
	if (l->external_fd[from->index] < 0)
		return 0;
	fs = mc_mounted_at(l->mounted, l->external_fd[from->index], &is_root);
	return fs ? mnt_fs_get_devno(fs) : 0;
}

static bool is_path(const char *root)
{
	return root && *root == '/' && !mc_path_dots(root) && !strstr(root, "//");
}

/* The source that a mount or a temporary one comes from in the end. */
static const struct mc_src *base_of(const struct mc_plan *p, mc_ref r)
{
	uint32_t i = MC_REF_KIND(r) == MC_REF_MOUNT ? p->src_of[MC_REF_INDEX(r)] :
		     p->temps[MC_REF_INDEX(r)].src;

	return &p->srcs[mc_src_base(p, i)];
}

/* The root that a mount will have in the real superblock; "": that cannot be told. */
static void root_of(const struct looking *l, mc_ref r, char *buf, size_t size)
{
	const struct mc_plan *p = l->p;
	const char *root = NULL, *prefix = "/";
	const struct mc_src *s;
	const struct mc_mount *m;

	if (MC_REF_KIND(r) == MC_REF_MOUNT) {
		m = &p->topo->mounts[MC_REF_INDEX(r)];
		root = m->root_deleted ? NULL : m->root;
	} else if (MC_REF_KIND(r) == MC_REF_TEMP) {
		root = p->temps[MC_REF_INDEX(r)].root;
	}
	*buf = '\0';
	if (!root || *root != '/')
		return;
	s = base_of(p, r);
	if (s->kind == MC_SRC_EXTERNAL) {
		prefix = l->real[s->index];
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
static void check_wide(struct looking *l, uint32_t src, const char *root)
{
	char name[256], is[256], wants[256], what[1000];
	char first[PATH_MAX], this[PATH_MAX];
	const struct mc_plan *p = l->p;
	const struct mc_op *op;
	uint32_t i, k;

	for (i = 0; i < p->nr_ops; i++) {
		op = &p->ops[i];
		if (op->type != MC_OP_GROUP || op->arg != MC_REF(MC_REF_SRC, src))
			continue;
		for (k = 0; k < op->nr; k++) {
			mc_ref r = p->list[op->first + k];

			root_of(l, r, this, sizeof(this));
			if (!k)
				strcpy(first, this);
			else if (op->flags & MOUNT_SETGROUP_SHARED ||
				 (*first && mc_path_below(first, this)))
				continue;
			if (!*this || mc_path_below(root, this))
				continue;
			if (MC_REF_KIND(r) == MC_REF_MOUNT)
				mc_mount_name(p->topo, MC_REF_INDEX(r), name, sizeof(name));
			else
				strcpy(name, "a temporary mount for its peers");
			snprintf(what, sizeof(what), "the root of the mount there, %s, does not contain %s, that of %s, which is to receive from it: without mount_setgroup(2) it has to",
				 mc_escape(root, is, sizeof(is)),
				 mc_escape(this, wants, sizeof(wants)), name);
			refuse(l, &p->srcs[src], what, "a shared mount of more of it");
		}
	}
}

static void check(struct looking *l, const struct mc_src *s, bool wide)
{
	const char *root, *what = NULL, *help = "mount --make-shared, there";
	unsigned long flags = 0;
	struct libmnt_fs *fs;
	char devices[200];
	bool is_root;
	dev_t dev;

	if (l->master_fd[s->index] < 0)	/* told by whoever could not open it */
		return;
	fs = mc_mounted_at(l->mounted, l->master_fd[s->index], &is_root);
	if (!fs)
		return;		/* the kernel will say */
	dev = receiver(l, s->sb);
	if (!is_root) {
		what = "it is not where a mount is";
		help = "the path of a shared mount";
	} else if (mnt_fs_get_propagation(fs, &flags) || !(flags & MS_SHARED)) {
		what = flags & MS_SLAVE ?
		       "the mount there is a slave and not shared, so nothing can receive from it" :
		       "the mount there is not shared, so nothing can receive from it";
	} else if (dev && dev != mnt_fs_get_devno(fs)) {
		snprintf(devices, sizeof(devices), "the mount there is of %u:%u, and what is to receive from it of %u:%u; a peer group is of one superblock",
			 major(mnt_fs_get_devno(fs)), minor(mnt_fs_get_devno(fs)),
			 major(dev), minor(dev));
		what = devices;
		help = "a shared mount of that";
	}
	root = mnt_fs_get_root(fs);
	if (what && !wide)
		refuse(l, s, what, help);
	else if (!what && wide && is_path(root))
		check_wide(l, (uint32_t)(s - l->p->srcs), root);
}

static void real_roots(const struct looking *l)
{
	struct libmnt_fs *fs;
	bool is_root;
	uint32_t i;

	for (i = 0; i < l->po->nr_externals; i++) {
		fs = l->external_fd[i] < 0 ? NULL :
		     mc_mounted_at(l->mounted, l->external_fd[i], &is_root);
		l->real[i] = fs && is_root ? mnt_fs_get_root(fs) : NULL;
	}
}

static void first_sources(const struct looking *l)
{
	const struct mc_src *s;
	uint32_t i;

	for (i = l->p->nr_srcs; i-- > 0; ) {
		s = &l->p->srcs[i];
		if (s->sb != MC_NONE && (s->kind == MC_SRC_LIVE || s->kind == MC_SRC_EXTERNAL))
			l->first[s->sb] = s;
	}
}

static int look(struct looking *l, bool wide)
{
	const struct mc_plan *p = l->p;
	int ret = 0;
	uint32_t i;

	if (!l->po->nr_masters)
		return 0;
	l->real = calloc(l->po->nr_externals + 1UL, sizeof(*l->real));
	l->first = calloc(p->topo->nr_sbs + 1UL, sizeof(*l->first));
	if (!l->real || !l->first)
		ret = mc_nomem(l->e);
	l->mounted = ret ? NULL : mc_mounted_read();
	if (l->mounted) {
		real_roots(l);
		first_sources(l);
		for (i = 0; i < p->nr_srcs; i++)
			if (p->srcs[i].kind == MC_SRC_MASTER)
				check(l, &p->srcs[i], wide);
	}
	mc_mounted_free(l->mounted);
	free(l->real);
	free(l->first);
	return ret || l->nr_refused ? -1 : 0;
}

int mc_masters_check(const struct mc_plan *p, const struct mc_plan_options *po,
		     const int *external_fd, const int *master_fd, struct mntcr_error *e)
{
	struct looking l = {
		.p = p, .po = po, .external_fd = external_fd, .master_fd = master_fd, .e = e,
	};

	return look(&l, false);
}

int mc_masters_check_wide(const struct mc_plan *p, const struct mc_plan_options *po,
			  const int *external_fd, const int *master_fd,
			  struct mntcr_error *e)
{
	struct looking l = {
		.p = p, .po = po, .external_fd = external_fd, .master_fd = master_fd, .e = e,
	};

	return p->api == MNTCR_API_UPSTREAM && p->nr_ops ? look(&l, true) : 0;
}
