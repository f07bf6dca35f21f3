// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A child that peers of its parent do not have, with mount(2) alone.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * What is mounted below a shared mount appears at all that receive from it,
 * and an umount there takes it away again everywhere, from beneath what covers
 * it.  So: a shim goes where the child is to be, and with that copies of it to
 * all that receive; the child's own shim is made private and the child mounted
 * over it, which appears nowhere else; the copy at a peer that is to go anyway
 * is unmounted.  All the shims go; the child, and whatever receivers had at
 * that place, stay.
 *
 * A locked child takes the place of something that is locked on its shim: see
 * locked.c.
 */
#define _GNU_SOURCE
#include <stdio.h>

#include "base/base.h"
#include "sweep/world.h"

/* Directories to mount on that are no part of the topology. */
#define SHIM	"/src/events/2/x0"
#define TWIN	"/src/events/3/x0"

struct place {
	int fd;			/* the parent */
	char path[DIR_PATH];	/* in there */
	char peer[64];		/* the same place of a peer, empty: it has none */
};

static struct place place_of(const struct world *w, const struct topo *t,
			     const struct layout *l, int i)
{
	int at, on = layout_place(t, l, i, &at), ns = t->m[i].ns;
	struct place p = { .fd = on < 0 ? w->root[ns] : w->mnt[on] };
	char buf[DIR_PATH];

	snprintf(p.path, sizeof(p.path), "%s",
		 dir_path(at, on < 0 ? 0 : t->m[on].root, buf));
	if (on < 0)
		snprintf(p.peer, sizeof(p.peer), TWIN);
	else if (t->m[on].kind == TOPO_MEMBER)
		snprintf(p.peer, sizeof(p.peer), "/seed/%d/%s",
			 t->m[on].group, dir_path(at, 0, buf));
	return p;
}

/* What covers a mount: ".." of a root directory is what is mounted on it. */
static int open_cover(struct world *w, int on)
{
	int fd = -1;

	if (!fchdir(w->mnt[on]) && !chroot("."))
		fd = open("..", O_PATH | O_CLOEXEC);
	/* the namespace's root again */
	w->in = -2;
	if (fd >= 0 && world_enter(w, w->mnt_ns[on])) {
		close(fd);
		return -1;
	}
	return fd;
}

/*
 * What is seen where mount @i is.  In what it is on no path leads elsewhere; but
 * its copies at receivers may be in the way to that one itself.
 */
static int open_place(struct world *w, const struct topo *t,
		      const struct layout *l, int i)
{
	struct place p = place_of(w, t, l, i);
	int fd = l->on[i] >= 0 && !*p.path ? open_cover(w, l->on[i]) :
		 openat(p.fd, p.path, O_PATH | O_CLOEXEC);

	return fd < 0 ? world_fail(w, "open", "a place") : fd;
}

/* What the child is a bind of, before a shim is in the way. */
static int open_source(struct world *w, const struct topo_mount *m)
{
	char path[64], buf[DIR_PATH];
	const char *root = dir_path(m->root, 0, buf);
	int fd;

	snprintf(path, sizeof(path), "/src/shared/%s", root);
	if (m->kind >= TOPO_MEMBER)
		snprintf(path, sizeof(path), "/seed/%d/%s", m->group, root);
	fd = open(path, O_PATH | O_CLOEXEC);
	return fd < 0 ? world_fail(w, "open", path) : fd;
}

static int plain_shim(struct world *w)
{
	int fd;

	if (world_bind_path(w, "/src/events/4", SHIM, 0, 0))
		return -1;
	fd = open(SHIM, O_PATH | O_CLOEXEC);
	return fd < 0 ? world_fail(w, "open", SHIM) : fd;
}

/* Private; the copies of it are at all receivers. */
static int put_shim(struct world *w, const struct place *p, bool locked, int ns)
{
	int fd = locked ? world_locked_shim(w, ns, SHIM) : plain_shim(w), err;

	if (fd < 0)
		return -1;
	err = world_mount_fd(w, fd, p->fd, p->path, MS_MOVE);
	if (!err && (fchdir(fd) || mount(NULL, ".", NULL, MS_PRIVATE, NULL)))
		err = world_fail(w, "make private", "a shim");
	close(fd);
	return err;
}

static int lock_child(struct world *w, const struct topo *t,
		      const struct layout *l, int i, int source)
{
	int fd = open_place(w, t, l, i), err;

	if (fd < 0)
		return -1;
	err = world_take_lock(w, t->m[i].ns, fd, source);
	close(fd);
	return err ? err : world_drop_locked(w);
}

/* Over a shim, which goes. */
static int cover_shim(struct world *w, const struct topo *t,
		      const struct layout *l, int i, int source)
{
	struct place p = place_of(w, t, l, i);

	if (put_shim(w, &p, l->locked[i], t->m[i].ns))
		return -1;
	if (l->locked[i] ? lock_child(w, t, l, i, source) :
	    world_mount_fd(w, source, p.fd, p.path, MS_BIND))
		return -1;
	if (umount2(p.peer, UMOUNT_NOFOLLOW))
		return world_fail(w, "umount", p.peer);
	return 0;
}

/* On a namespace's root, which is shared for as long as it takes. */
static int on_root(struct world *w, const struct topo *t,
		   const struct layout *l, int i, int source)
{
	char path[16];

	snprintf(path, sizeof(path), "/h%d", i);
	if (mount(NULL, "/", NULL, MS_SHARED, NULL) ||
	    world_bind_path(w, path, TWIN, 0, 0) ||
	    cover_shim(w, t, l, i, source))
		return -1;
	if (umount2(TWIN, UMOUNT_NOFOLLOW) ||
	    mount(NULL, "/", NULL, MS_PRIVATE, NULL))
		return world_fail(w, "umount", TWIN);
	return 0;
}

int world_add_child(struct world *w, const struct topo *t,
		    const struct layout *l, int i)
{
	static const unsigned long type[] = {
		[TOPO_PRIVATE] = MS_PRIVATE, [TOPO_UNBINDABLE] = MS_UNBINDABLE,
		[TOPO_SLAVE] = MS_SLAVE, [TOPO_MEMBER] = 0,
	};
	const struct topo_mount *m = &t->m[i];
	struct place p = place_of(w, t, l, i);
	int source, err;

	if (world_enter(w, m->ns))
		return -1;
	source = open_source(w, m);
	if (source < 0)
		return -1;
	if (l->on[i] < 0)
		err = on_root(w, t, l, i, source);
	else if (*p.peer)
		err = cover_shim(w, t, l, i, source);
	else
		err = world_mount_fd(w, source, p.fd, p.path, MS_BIND);
	close(source);
	if (!err)
		w->mnt[i] = open_place(w, t, l, i);
	if (err || w->mnt[i] < 0)
		return -1;
	if (type[m->kind] &&
	    (fchdir(w->mnt[i]) || mount(NULL, ".", NULL, type[m->kind], NULL)))
		return world_fail(w, "change the type of", "a child");
	return 0;
}
