// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * User namespaces that are there for those of an image: are they what the image says?
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/base.h"
#include "capture/capture.h"
#include "capture/given.h"

static bool same_file(int fd, const struct stat *st)
{
	struct stat other;

	return fd >= 0 && !fstat(fd, &other) && other.st_ino == st->st_ino &&
	       other.st_dev == st->st_dev;
}

static const char *refuse(const char **rule, const char *name, const char *what)
{
	*rule = name;
	return what;
}

/* NULL: it is; moved has the ranges that are elsewhere. */
static const char *differs(const struct mc_topology *t, const struct mc_userns *was,
			   const struct mc_userns *is, const char **rule,
			   struct mc_shift *moved, uint32_t *nr)
{
	uint32_t owner = was->owner;

	if (!is->mapped)
		return refuse(rule, "given-owner", "which the caller may not enter, to see its maps");
	if (!was->mapped)
		return NULL;
	if (!mc_idmap_is_shifted(&was->map, &is->map, moved, nr))
		return refuse(rule, "given-owner-maps", "whose maps are others than in the image, and not the same ones moved");
	if (*nr && (was->parent == MC_NONE || !t->userns[was->parent].dumper))
		return refuse(rule, "given-owner-maps", "whose maps are others than in the image; only where its parent is the caller's they may be moved");
	owner = mc_shifted(&(struct mc_shifts){ *nr, moved }, false, owner);
	if (is->owner != owner && is->owner != was->owner)
		return refuse(rule, "given-owner-uid", "which is another user's than in the image");
	if (is->setgroups != was->setgroups)
		return refuse(rule, "given-owner-setgroups", is->setgroups ?
			      "which allows setgroups(2), and denies it in the image" :
			      "which denies setgroups(2), and allows it in the image");
	return NULL;
}

const char *cap_look_at_owner(const struct mc_topology *t, uint32_t u, int fd,
			      int parent_fd, struct mc_topology *to, uint32_t scratch,
			      struct cap_owner *is, struct mntcr_error *e)
{
	struct stat own = { 0 }, want;
	int up = ioctl(fd, MC_NS_GET_PARENT);
	const char *what = NULL;
	uint32_t parent = t->userns[u].parent;
	bool is_own = !stat("/proc/self/ns/user", &own) && same_file(up, &own);
	bool is_parent = parent == MC_NONE || (t->userns[parent].dumper && is_own) ||
			 (parent_fd >= 0 && !fstat(parent_fd, &want) &&
			  same_file(up, &want));

	to->userns[scratch] = (struct mc_userns){ .parent = MC_NONE };
	if (up < 0)
		what = refuse(&is->rule, "given-owner-parent",
			      "whose parent is out of the caller's reach");
	else if (!is_parent)
		what = refuse(&is->rule, "given-owner-parent",
			      "whose parent is another one than in the image: that one has to be the caller's, or given as well and before it");
	else if (!cap_userns(to, scratch, fd, up, is_own, e))
		what = differs(t, &t->userns[u], &to->userns[scratch], &is->rule,
			       is->moved, &is->nr_moved);
	mc_close(up);
	return what;
}

/* It is the image's from here on.  moved: so many of the list that is t's. */
static int take(struct mc_topology *t, uint32_t u, int fd, uint32_t scratch,
		struct mc_shift *moved, uint32_t *nr, struct mntcr_error *e)
{
	struct mc_given_userns *given = mc_topology_alloc(t, sizeof(*given));
	const struct mc_userns *is = &t->userns[scratch];
	struct cap_owner look = { .moved = moved + *nr };
	uint32_t parent = t->userns[u].parent;
	const struct mc_given_userns *up = parent == MC_NONE ? NULL :
					   t->userns[parent].given;

	if (!given)
		return mc_nomem(e);
	*given = (struct mc_given_userns){ .fd = fcntl(fd, F_DUPFD_CLOEXEC, 3) };
	if (given->fd < 0)
		return mc_fail(e, MNTCR_SYS, errno, "dup");
	t->userns[u].given = given;
	memset(e, 0, sizeof(*e));
	given->what = cap_look_at_owner(t, u, fd, up ? up->fd : -1, t, scratch, &look, e);
	given->rule = look.rule;
	if (*e->text)
		return -1;
	if (given->what)
		return 0;
	t->userns[u].map = is->map;
	t->userns[u].owner = is->owner;
	t->userns[u].setgroups = is->setgroups;
	t->userns[u].mapped = true;
	*nr += look.nr_moved;
	return 0;
}

static int find(const struct mc_topology *t, const struct mntcr_owner *o, uint32_t *u,
		struct mntcr_error *e)
{
	if (!mc_is_zero(o->reserved, sizeof(o->reserved)))
		return mc_fail(e, MNTCR_USAGE, 0, "owner: something reserved is not 0");
	for (*u = 0; *u < t->nr_userns; ++*u)
		if (o->inode && t->userns[*u].ino == o->inode)
			break;
	if (*u == t->nr_userns || t->userns[*u].dumper)
		return mc_fail(e, MNTCR_USAGE, 0, *u == t->nr_userns ?
			       "owner %" PRIu64 ": no user namespace of the image has this inode number" :
			       "owner %" PRIu64 ": that is the dumper's own, for which the caller's stands",
			       o->inode);
	if (t->userns[*u].given)
		return mc_fail(e, MNTCR_USAGE, 0, "owner %" PRIu64 ": given twice",
			       o->inode);
	if (ioctl(o->fd, MC_NS_GET_NSTYPE) != CLONE_NEWUSER)
		return mc_fail(e, MNTCR_USAGE, 0,
			       "owner %" PRIu64 ": what is given is no user namespace",
			       o->inode);
	return 0;
}

static int cmp_shift(const void *a, const void *b)
{
	const struct mc_shift *x = a, *y = b;

	if (x->gid != y->gid)
		return x->gid - y->gid;
	if (x->from != y->from)
		return x->from > y->from ? 1 : -1;
	return (x->to > y->to) - (x->to < y->to);
}

/* Two that have the same ids may be moved alike.  Returns how many are left. */
static uint32_t drop_equal(struct mc_shift *moved, uint32_t nr)
{
	uint32_t i, n = 1;

	for (i = 1; i < nr; i++)
		if (moved[i].gid != moved[n - 1].gid || moved[i].from != moved[n - 1].from ||
		    moved[i].count != moved[n - 1].count || moved[i].to != moved[n - 1].to)
			moved[n++] = moved[i];
	return n;
}

static bool meets(const struct mc_idmap_extent *x, uint32_t nr, const struct mc_shift *s)
{
	uint32_t i;

	for (i = 0; i < nr; i++)
		if (s->from < (uint64_t)x[i].parent_id + x[i].count &&
		    x[i].parent_id < (uint64_t)s->from + s->count)
			return true;
	return false;
}

/* Whose ids stay: what the image has of these must not go with those that are moved. */
static int who_stays(const struct mc_topology *t, const struct mc_shift *s,
		     const struct mc_wrong *w, struct mntcr_error *e)
{
	uint32_t u;

	for (u = 0; u < t->nr_userns; u++) {
		const struct mc_userns *n = &t->userns[u];

		if (!n->mapped || n->parent == MC_NONE || !t->userns[n->parent].dumper ||
		    !meets(s->gid ? n->map.gid : n->map.uid,
			   s->gid ? n->map.nr_gid : n->map.nr_uid, s))
			continue;
		mc_refuse(e, "given-owner-maps",
			  "user:[%" PRIu64 "] maps to ids that are moved, %cid %" PRIu32 " on, and is not moved itself; it can be given with the same ids as the other",
			  n->ino, s->gid ? 'g' : 'u', s->from);
		if (mc_wrong_told(w, e))
			return -1;
	}
	return 0;
}

static int shift(struct mc_topology *t, struct mc_shift *moved, uint32_t nr,
		 const struct mc_wrong *w, struct mntcr_error *e)
{
	struct mc_shifts *s = mc_topology_alloc(t, sizeof(*s));
	uint32_t i;

	if (!s)
		return mc_nomem(e);
	qsort(moved, nr, sizeof(*moved), cmp_shift);
	nr = drop_equal(moved, nr);
	for (i = 0; i < nr; i++)
		if (who_stays(t, &moved[i], w, e))
			return -1;
	for (i = 1; i < nr; i++) {
		if (moved[i].gid != moved[i - 1].gid ||
		    moved[i].from - moved[i - 1].from >= moved[i - 1].count)
			continue;
		mc_refuse(e, "given-owner-maps",
			  "two user namespaces that are given map to %cid %" PRIu32 " in the image, and not to one here",
			  moved[i].gid ? 'g' : 'u', moved[i].from);
		if (mc_wrong_told(w, e))
			return -1;
	}
	*s = (struct mc_shifts){ nr, moved };
	return mc_topology_shift(t, s, w, e);
}

static int find_and_take(struct mc_topology *t, const struct mntcr_owner *o,
			 uint32_t scratch, struct mc_shift *moved, uint32_t *nr,
			 const struct mc_wrong *w, struct mntcr_error *e)
{
	uint32_t u = 0;

	return find(t, o, &u, e) ? mc_wrong_told(w, e) :
	       take(t, u, o->fd, scratch, moved, nr, e);
}

int mc_topology_owners(struct mc_topology *t, const struct mntcr_owner *owners,
		       size_t nr, const struct mc_wrong *w, struct mntcr_error *e)
{
	struct mc_shift *moved;
	uint32_t scratch, nr_moved = 0;
	size_t i, most = nr;
	int ret = 0;

	/* each once */
	if (most > t->nr_userns)
		most = t->nr_userns + 1UL;
	moved = mc_topology_alloc(t, (most + 1) * 2 * MC_MAX_IDMAP_EXTENTS * sizeof(*moved));
	scratch = mc_topology_add_userns(t);
	if (!moved || scratch == MC_NONE)
		return mc_nomem(e);
	t->nr_userns--;
	for (i = 0; i < nr && !ret; i++)
		ret = find_and_take(t, &owners[i], scratch, moved, &nr_moved, w, e);
	return !ret && nr_moved ? shift(t, moved, nr_moved, w, e) : ret;
}

int mntcr_topology_owners(struct mc_topology *t, const struct mntcr_owner *owners,
			  size_t nr, struct mntcr_error *e)
{
	return mc_topology_owners(t, owners, nr, NULL, e);
}
