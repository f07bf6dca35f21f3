// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Is a copy of a detached tree like it?  Each mount of the copy that a path leads to is
 * compared with what is at that path of the tree; those that are covered cannot be.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "capture/capture.h"

/* Room for the options of an overlay with layers by the hundred. */
union answer {
	struct mc_statmount sm;
	char space[1 << 20];
};

#define WANT	(MC_STATMOUNT_SB_BASIC | MC_STATMOUNT_MNT_BASIC | MC_STATMOUNT_MNT_ROOT | \
		 MC_STATMOUNT_FS_TYPE | MC_STATMOUNT_MNT_OPTS)

static const char *text(const union answer *a, uint64_t bit, uint32_t at)
{
	return a->sm.mask & bit ? a->sm.str + at : "";
}

/* What a copy has of its own are ids alone. */
static bool same(const union answer *a, const union answer *b)
{
	const struct mc_statmount *x = &a->sm, *y = &b->sm;

	return x->mask == y->mask && x->sb_dev_major == y->sb_dev_major &&
	       x->sb_dev_minor == y->sb_dev_minor && x->sb_magic == y->sb_magic &&
	       x->sb_flags == y->sb_flags && x->mnt_attr == y->mnt_attr &&
	       x->mnt_propagation == y->mnt_propagation &&
	       x->mnt_peer_group == y->mnt_peer_group && x->mnt_master == y->mnt_master &&
	       !strcmp(text(a, MC_STATMOUNT_MNT_ROOT, x->mnt_root),
		       text(b, MC_STATMOUNT_MNT_ROOT, y->mnt_root)) &&
	       !strcmp(text(a, MC_STATMOUNT_FS_TYPE, x->fs_type),
		       text(b, MC_STATMOUNT_FS_TYPE, y->fs_type)) &&
	       !strcmp(text(a, MC_STATMOUNT_MNT_OPTS, x->mnt_opts),
		       text(b, MC_STATMOUNT_MNT_OPTS, y->mnt_opts));
}

static int ask(int fd, union answer *a)
{
	const struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER1, .mnt_ns_fd = (uint32_t)fd, .param = WANT,
	};

	return mc_statmount(&req, &a->sm, sizeof(*a), MC_STATMOUNT_BY_FD);
}

/*
 * Without a filesystem being asked: nobody may be there to answer.  A path leads to a
 * mountpoint in what the kernel has in memory, as a rule.
 */
static int open_at(int tree, const char *path)
{
	const struct mc_open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = MC_RESOLVE_BENEATH | MC_RESOLVE_NO_SYMLINKS | MC_RESOLVE_CACHED,
	};

	return mc_openat2(tree, path, &how);
}

static int cmp_id(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

struct pair {
	const uint64_t *was;
	size_t nr_was;
	union answer *copied, *tree;
};

/* 1: it is like it, or a path leads to neither; 0: it is not. */
static int compare(struct pair *p, uint64_t id, int copied, int tree)
{
	if (ask(copied, p->copied))
		return -1;
	/* something is over it */
	if (p->copied->sm.mnt_id != id)
		return 1;
	if (ask(tree, p->tree))
		return -1;
	return same(p->copied, p->tree) &&
	       (!p->was || bsearch(&p->tree->sm.mnt_id, p->was, p->nr_was, sizeof(*p->was),
				   cmp_id));
}

static int compare_at(struct pair *p, uint64_t id, int copy, int tree, const char *path)
{
	int in_copy = open_at(copy, path), in_tree = -1, ret = 1;

	if (in_copy < 0)
		return 1;
	in_tree = open_at(tree, path);
	if (in_tree >= 0)
		ret = compare(p, id, in_copy, in_tree);
	else
		ret = errno == EAGAIN ? 1 : errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	mc_close(in_copy);
	mc_close(in_tree);
	return ret;
}

/* Paths from its root, which is where the namespace begins. */
static int compare_below(const struct mntcr_detached *d, struct pair *p, int tree, int copy,
			 int ns)
{
	struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER1, .param = MC_STATMOUNT_MNT_POINT,
	};
	union answer *at;
	int ret = 1;
	size_t i;

	if (ioctl(ns, MC_NS_GET_MNTNS_ID, &req.mnt_ns_id))
		return -1;
	at = malloc(sizeof(*at));
	if (!at)
		return -1;
	for (i = 1; i < d->nr && ret == 1; i++) {
		req.mnt_id = d->ids[i];
		/* unmounted in the copy: that is found out when it is read */
		if (mc_statmount(&req, &at->sm, sizeof(*at), 0)) {
			ret = errno == ENOENT || errno == EOVERFLOW ? 1 : -1;
			continue;
		}
		/* on the root, on which no path leads to it from there */
		if (!(at->sm.mask & MC_STATMOUNT_MNT_POINT) || !at->sm.str[at->sm.mnt_point + 1])
			continue;
		ret = compare_at(p, d->ids[i], copy, tree, at->sm.str + at->sm.mnt_point + 1);
	}
	free(at);
	return ret;
}

int cap_is_copy_of(const struct mntcr_detached *d, int tree, int copy, int ns,
		   const uint64_t *was, size_t nr_was)
{
	union answer *both = calloc(2, sizeof(*both));
	struct pair p = { .copied = both, .tree = both + 1 };
	int ret;

	if (!both)
		return mc_nomem(d->e);
	ret = compare(&p, d->ids[0], copy, tree);
	p.was = was;
	p.nr_was = nr_was;
	/* all mounts of what is no directory are on its root */
	if (ret == 1 && !d->carrier)
		ret = compare_below(d, &p, tree, copy, ns);
	if (ret < 0)
		ret = mc_fail(d->e, MNTCR_SYS, errno, "detached tree %s: comparing a copy of it",
			      d->name);
	else if (!ret)
		ret = mc_fail(d->e, MNTCR_CHANGED, 0, "detached tree %s: it changed meanwhile",
			      d->name);
	else
		ret = 0;
	free(both);
	return ret;
}
