// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Can what --external-master names be received from?  Asked before anything is
 * made: the kernel's EINVAL would name neither the mount nor the reason.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <libmount/libmount.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include "execute/execute.h"

/* Which device is that which is to receive?  0: that cannot be told. */
static dev_t receiver(struct mc_exec *x, uint32_t sb, struct libmnt_table *tb,
		      struct libmnt_iter *it)
{
	const struct mc_sb *s = &x->t->sbs[sb];
	struct libmnt_fs *fs;
	bool is_root;
	uint32_t i;

	for (i = 0; i < x->p->nr_srcs; i++) {
		if (x->p->srcs[i].sb != sb)
			continue;
		if (x->p->srcs[i].kind == MC_SRC_LIVE)
			return makedev(s->major, s->minor);
		if (x->p->srcs[i].kind != MC_SRC_EXTERNAL)
			continue;
		fs = mc_exec_mount_of(tb, it, x->external_fd[x->p->srcs[i].index],
				      &is_root);
		return fs ? mnt_fs_get_devno(fs) : 0;
	}
	return 0;
}

static int check(struct mc_exec *x, const struct mc_src *s,
		 struct libmnt_table *tb, struct libmnt_iter *it)
{
	const struct mntcr_external *o = &x->o->masters[s->index];
	char key[64], path[256];
	unsigned long flags = 0;
	struct libmnt_fs *fs;
	const char *what = NULL;
	bool is_root;
	dev_t dev;

	fs = mc_exec_mount_of(tb, it, x->master_fd[s->index], &is_root);
	if (!fs)
		return 0;	/* the kernel will say */
	dev = receiver(x, s->sb, tb, it);
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
	return 0;
}

int mc_exec_check_masters(struct mc_exec *x)
{
	struct libmnt_table *tb;
	struct libmnt_iter *it;
	uint32_t i;
	int ret = 0;

	if (!x->o->nr_masters)
		return 0;
	tb = mnt_new_table_from_file("/proc/thread-self/mountinfo");
	it = mnt_new_iter(MNT_ITER_FORWARD);
	for (i = 0; tb && it && !ret && i < x->p->nr_srcs; i++)
		if (x->p->srcs[i].kind == MC_SRC_MASTER)
			ret = check(x, &x->p->srcs[i], tb, it);
	mnt_unref_table(tb);
	mnt_free_iter(it);
	return ret;
}
