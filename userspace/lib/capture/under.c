// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What are mounts on?  The mount itself is in the way of every path, so a clone
 * of the mount that it is on is looked at, which has nothing mounted on it.  It
 * is private and gone with the look.  Where there can be none (what is on it is
 * locked, it is unbindable), what is below stays unknown.
 *
 * A child does that, in the namespace, where such a clone needs no new calls.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "capture/capture.h"

/* For all targets of symlinks that have something mounted on them. */
#define POOL_SIZE	(1U << 20)

/* The child writes what the caller reads: files of the mounts from first on. */
struct under {
	struct mc_topology *t;
	const struct cap_ns *ns;
	const struct cap_ids *ids;
	uint32_t first, nr;
	struct mc_file *files;
	char *pool;
	size_t used, size;
};

/* On another place of mount m than its root, which nobody has looked at yet. */
static bool is_wanted(const struct under *u, uint32_t c)
{
	return u->t->mounts[c].mountpoint[1] && !u->files[c - u->first].mode;
}

static bool has_places(const struct under *u, uint32_t m)
{
	uint32_t c;

	mc_for_each_child(u->t, c, m)
		if (is_wanted(u, c))
			return true;
	return false;
}

/* What is known already; true: there is more to look at. */
static bool take_seen(struct under *u, const struct cap_seen *seen)
{
	const struct mc_file *f;
	bool wanted = false;
	uint32_t i;

	for (i = 0; i < u->nr; i++) {
		const struct mc_mount *m = &u->t->mounts[u->first + i];

		if (m->parent == MC_NONE || !m->mountpoint[1])
			continue;
		f = cap_seen_get(seen, u->first + i, true);
		if (f)
			u->files[i] = *f;
		wanted |= !f;
	}
	return wanted;
}

static bool is_root_of(const struct mc_topology *t, int fd, const struct mc_mount *m)
{
	unsigned int mask = t->unique_ids ? STATX_MNT_ID_UNIQUE : STATX_MNT_ID;
	struct statx stx;

	return !statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT |
		      AT_STATX_DONT_SYNC, mask, &stx) &&
	       stx.stx_mask & mask &&
	       stx.stx_mnt_id == (t->unique_ids ? m->id : m->id_old) &&
	       stx.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

int cap_open_by_id(const struct mc_topology *t, const struct cap_ns *ns, uint32_t i)
{
	return t->unique_ids && ns->by_id ? mc_ns_mnt_open(ns->fd, t->mounts[i].id) : -1;
}

int cap_open_mount(const struct mc_topology *t, const struct cap_ns *ns, int root,
		   uint32_t i)
{
	const struct mc_mount *m = &t->mounts[i];
	char buf[CAP_PATH_MAX];
	const char *path;
	int fd = cap_open_by_id(t, ns, i);

	if (fd >= 0)
		return fd;
	if (cap_is_covered(t, i) || !cap_path(t, i, buf, &path))
		return -1;
	fd = mc_open_way(root, path, mc_local_way(t, i),
			 MC_RESOLVE_IN_ROOT | MC_RESOLVE_NO_MAGICLINKS);
	if (fd < 0 || is_root_of(t, fd, m))
		return fd;
	mc_close(fd);
	return -1;
}

int cap_clone(int fd)
{
	static const struct mc_mount_attr private = { .propagation = MS_PRIVATE };
	unsigned int flags = AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
	int clone;

	clone = mc_open_tree_attr(fd, "", flags, &private,
				  MC_MOUNT_ATTR_SIZE_VER0);
	if (clone >= 0 || errno != ENOSYS)
		return clone;
	clone = mc_open_tree(fd, "", flags);
	if (clone < 0 || !mc_mount_setattr(clone, "", AT_EMPTY_PATH, &private,
					   MC_MOUNT_ATTR_SIZE_VER0))
		return clone;
	mc_close(clone);
	return -1;
}

static void look_at(struct under *u, int clone, uint32_t c)
{
	const struct mc_mount *m = &u->t->mounts[c];
	const struct mc_mount *on = &u->t->mounts[m->parent];
	struct mc_file *f = &u->files[c - u->first];
	struct statx stx;
	int fd;

	fd = mc_open_way(clone, m->mountpoint + 1,
			 mc_sb_is_local(&u->t->sbs[on->sb]) ? strlen(m->mountpoint) : 0,
			 MC_RESOLVE_BENEATH);
	if (fd < 0)
		return;
	if (!statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
		   CAP_FILE_MASK, &stx)) {
		cap_file(u->ids, on, &stx, f);
		if (S_ISLNK(f->mode) && u->size - u->used > MC_MAX_TARGET &&
		    cap_target(u->t, on, fd, u->pool + u->used)) {
			f->target = u->pool + u->used;
			u->used += strlen(f->target) + 1;
		}
	}
	mc_close(fd);
}

static void look(struct under *u)
{
	uint32_t i, c, end = u->first + u->nr;
	int root, fd, clone;

	if (setns(u->ns->fd, CLONE_NEWNS))
		return;
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (i = u->first; i < end; i++) {
		if (!has_places(u, i))
			continue;
		fd = cap_open_mount(u->t, u->ns, root, i);
		clone = fd < 0 ? -1 : cap_clone(fd);
		if (clone >= 0)
			mc_for_each_child(u->t, c, i)
				if (is_wanted(u, c))
					look_at(u, clone, c);
		mc_close(clone);
		mc_close(fd);
	}
}

static void take(struct under *u, struct cap_seen *seen)
{
	uint32_t i;

	for (i = 0; i < u->nr; i++) {
		struct mc_mount *m = &u->t->mounts[u->first + i];
		struct mc_file *f = &u->files[i];

		if (!f->mode)
			continue;
		if (f->target)
			f->target = mc_topology_str(u->t, f->target);
		m->mp_file = *f;
		if (m->mp_type == MC_MP_UNKNOWN)
			m->mp_type = S_ISDIR(f->mode) ? MC_MP_DIR : MC_MP_OTHER;
		cap_seen_add(seen, u->first + i, true);
	}
}

void cap_under(struct mc_topology *t, uint32_t n, const struct cap_ns *ns,
	       const struct cap_ids *ids, struct cap_seen *seen)
{
	struct under u = { .t = t, .ns = ns, .ids = ids, .size = POOL_SIZE };
	size_t size;
	pid_t pid;
	void *p;

	u.first = t->ns[n].first_mount;
	u.nr = t->ns[n].nr_mounts;
	if (u.nr < 2)
		return;
	size = u.nr * sizeof(*u.files);
	p = mmap(NULL, size + POOL_SIZE, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return;
	u.files = p;
	u.pool = (char *)p + size;
	pid = take_seen(&u, seen) ? mc_child(0) : -1;
	if (!pid) {
		look(&u);
		_exit(0);
	}
	if (pid < 0 || !mc_child_wait(pid))
		take(&u, seen);
	munmap(p, size + POOL_SIZE);
}
