// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mntcr_bind(): a bind mount from one mount namespace into another.
 *
 * Extended: descriptors of both sides, a clone and an attach, no setns(2).
 * Upstream: a thread goes to the source's namespace for the clone and to the
 * destination's for the attach.  The attach is the last step of both and all
 * or nothing, so whatever fails earlier is undone by closing descriptors.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "execute/execute.h"

struct side {
	const struct mntcr_place *place;
	const char *what;	/* "source", "destination" */
	int ns_fd;		/* -1: the caller's */
	int root_fd;		/* what the path starts at; -1: not known yet */
	int fd;
};

struct bind {
	struct side src, dst;
	const struct mntcr_bind_options *o;
	struct mntcr_error *e;
	int tree;
	int ret;
};

static const char *path_of(const struct side *s)
{
	return s->place->path && *s->place->path ? s->place->path : "/";
}

static int side_fail(struct bind *b, const struct side *s, int err,
		     const char *what)
{
	char path[512];

	return mc_fail(b->e, MNTCR_SYS, err, "bind: %s %s: %s", s->what,
		       mc_escape(path_of(s), path, sizeof(path)), what);
}

/* --- both ------------------------------------------------------------------ */

/* A process's own root, which may be lower than its namespace's. */
static int pid_root(struct bind *b, struct side *s)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/root", s->place->ns.pid);
	s->root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* the namespace's file could be opened, so the task has just ended */
	return s->root_fd >= 0 ? 0 :
	       side_fail(b, s, errno == ENOENT ? ESRCH : errno, path);
}

static int open_ns(struct bind *b, struct side *s)
{
	if (s->place->own_ns) {
		if (s->place->mnt_id) {
			s->ns_fd = open("/proc/thread-self/ns/mnt",
					O_RDONLY | O_CLOEXEC);
			if (s->ns_fd < 0)
				return side_fail(b, s, errno, "its namespace");
			return 0;
		}
		s->root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		return s->root_fd < 0 ? side_fail(b, s, errno, "/") : 0;
	}
	s->ns_fd = mc_open_ns(&s->place->ns, NULL, 0, b->e);
	if (s->ns_fd < 0)
		return -1;
	if (s->place->ns.type == MNTCR_SOURCE_PID && !s->place->mnt_id)
		return pid_root(b, s);
	return 0;
}

/* A mount or rename anywhere disturbs a walk through "..": EAGAIN. */
#define MOST_WALKS	100

/* Symlinks are followed as within that root, and never out of it. */
static int walk(struct bind *b, struct side *s)
{
	struct mc_open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = MC_RESOLVE_IN_ROOT | MC_RESOLVE_NO_MAGICLINKS,
	};
	int i;

	for (i = 0; i < MOST_WALKS; i++) {
		s->fd = mc_openat2(s->root_fd, path_of(s), &how);
		if (s->fd >= 0 || errno != EAGAIN)
			break;
	}
	return s->fd < 0 ? side_fail(b, s, errno, "opening it") : 0;
}

static int type_of(enum mntcr_propagation p, unsigned long *type)
{
	switch (p) {
	case MNTCR_PROPAGATION_PRIVATE:
		*type = MS_PRIVATE;
		return 0;
	case MNTCR_PROPAGATION_SLAVE:
		*type = MS_SLAVE;
		return 0;
	case MNTCR_PROPAGATION_SHARED:
		*type = MS_SHARED;
		return 0;
	case MNTCR_PROPAGATION_UNBINDABLE:
		*type = MS_UNBINDABLE;
		return 0;
	case MNTCR_PROPAGATION_KEEP:
		*type = 0;
		return 0;
	}
	return -1;
}

static int clone_with(struct bind *b, unsigned int flags,
		      const struct mc_mount_attr *attr)
{
	unsigned int rec = b->o->recursive ? AT_RECURSIVE : 0;
	bool change = attr->attr_set || attr->attr_clr || attr->propagation;

	flags |= OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | rec;
	/*
	 * Clone and attributes in one call: else it could be a peer in between,
	 * and receive what is mounted then.
	 */
	if (change) {
		b->tree = mc_open_tree_attr(b->src.fd, "", flags, attr,
					    MC_MOUNT_ATTR_SIZE_VER0);
		if (b->tree >= 0)
			return 0;
	}
	/*
	 * The kernel has no such call; or to see whether cloning or the
	 * attributes failed.
	 */
	b->tree = mc_open_tree(b->src.fd, "", flags);
	if (b->tree < 0)
		return side_fail(b, &b->src, errno, errno == EINVAL ?
				 "cloning it (unbindable, or it hides something with a locked mount: try --recursive)" :
				 "cloning it (CAP_SYS_ADMIN over the owner of its namespace)");
	if (change && mc_mount_setattr(b->tree, "", AT_EMPTY_PATH | rec, attr,
				       MC_MOUNT_ATTR_SIZE_VER0))
		return side_fail(b, &b->src, errno, errno == EPERM ?
				 "setting attributes (one that is locked cannot be cleared)" :
				 "setting attributes");
	return 0;
}

static int clone_tree(struct bind *b, unsigned int flags)
{
	struct mc_mount_attr attr = {
		.attr_set = b->o->attr_set, .attr_clr = b->o->attr_clr,
	}, shared = { .propagation = MS_SHARED };
	unsigned long type = 0;

	if (type_of(b->o->propagation, &type))
		return mc_fail(b->e, MNTCR_USAGE, 0, "bind: unknown propagation type");
	/*
	 * The clone of a shared mount is in the source's peer group: made
	 * private first, it then starts a group of its own.
	 */
	attr.propagation = type == MS_SHARED ? MS_PRIVATE : type;
	if (clone_with(b, flags, &attr))
		return -1;
	if (type == MS_SHARED &&
	    mc_mount_setattr(b->tree, "", AT_EMPTY_PATH |
			     (b->o->recursive ? AT_RECURSIVE : 0), &shared,
			     MC_MOUNT_ATTR_SIZE_VER0))
		return side_fail(b, &b->src, errno, "making it shared");
	return 0;
}

static int attach(struct bind *b, unsigned int flags)
{
	const char *why = "attaching to it";

	if (!mc_move_mount(b->tree, "", b->dst.fd, "", MOVE_MOUNT_F_EMPTY_PATH |
			   MOVE_MOUNT_T_EMPTY_PATH | flags))
		return 0;
	if (errno == EPERM)
		why = "attaching to it (CAP_SYS_ADMIN over the owner of its namespace)";
	else if (errno == ENOTDIR)
		why = "attaching to it (a directory goes on a directory, a file on a file)";
	else if (errno == ELOOP)
		why = "attaching to it (a namespace's file cannot be bound in a younger one)";
	else if (errno == EINVAL)
		why = "attaching to it (an unbindable mount cannot go below a shared one)";
	return side_fail(b, &b->dst, errno, why);
}

/* --- extended --------------------------------------------------------------- */

static int start_of(struct bind *b, struct side *s)
{
	if (s->root_fd >= 0)
		return 0;
	s->root_fd = mc_ns_mnt_open(s->ns_fd, s->place->mnt_id ?
				    s->place->mnt_id : MC_NS_MNT_OPEN_ROOT);
	if (s->root_fd >= 0)
		return 0;
	if (errno == ENOTTY)
		return mc_fail(b->e, MNTCR_UNSUPPORTED, 0,
			       "bind: %s: this kernel opens no mount by id",
			       s->what);
	return side_fail(b, s, errno, errno == ENOENT ?
			 "no mount with this id in that namespace" :
			 "opening the mount by id");
}

static int bind_extended(struct bind *b)
{
	if (start_of(b, &b->src) || walk(b, &b->src) ||
	    start_of(b, &b->dst) || walk(b, &b->dst) ||
	    clone_tree(b, OPEN_TREE_FOREIGN))
		return -1;
	return attach(b, MOVE_MOUNT_T_FOREIGN |
		      (b->o->unlocked ? MOVE_MOUNT_UNLOCKED : 0));
}

/* --- upstream ---------------------------------------------------------------- */

/*
 * Is the destination's owner neither that of the caller's namespace nor above it?
 * The kernel does not name an owner that is above the caller.
 */
static int less_privileged(struct bind *b, int own)
{
	int owner = ioctl(b->dst.ns_fd, MC_NS_GET_USERNS), user, up;
	struct stat st, at;
	int below = 1;

	if (owner < 0)
		return errno == EPERM ? 0 : -1;
	user = ioctl(own, MC_NS_GET_USERNS);
	if (user < 0 || fstat(owner, &st))
		below = -1;
	while (user >= 0 && below > 0) {
		if (fstat(user, &at))
			below = -1;
		else if (st.st_dev == at.st_dev && st.st_ino == at.st_ino)
			below = 0;
		up = below > 0 ? ioctl(user, MC_NS_GET_PARENT) : -1;
		if (below > 0 && up < 0 && errno != EPERM)
			below = -1;
		mc_close(user);
		user = up;
	}
	mc_close(user);
	mc_close(owner);
	return below;
}

/* What the new calls lock, these leave to whoever owns the destination. */
static int may_hand_over(struct bind *b)
{
	int own, below;

	if (b->o->unlocked || b->dst.ns_fd < 0)
		return 0;
	own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (own < 0)
		return mc_fail(b->e, MNTCR_SYS, errno, "bind: /proc/self/ns/mnt");
	below = less_privileged(b, own);
	if (below < 0)
		mc_fail(b->e, MNTCR_SYS, errno, "bind: asking for the owners of namespaces");
	mc_close(own);
	if (below < 0)
		return -1;
	return below ? mc_fail(b->e, MNTCR_UNSUPPORTED, 0,
			       "bind: the destination's owner is less privileged, and the upstream calls lock nothing: it has to be left to that owner (--unlocked)") :
	       0;
}

static int go(struct bind *b, struct side *s, int own)
{
	if (setns(s->ns_fd >= 0 ? s->ns_fd : own, CLONE_NEWNS))
		return side_fail(b, s, errno, "entering its namespace (CAP_SYS_ADMIN over its owner, CAP_SYS_CHROOT)");
	if (s->root_fd < 0) {
		s->root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (s->root_fd < 0)
			return side_fail(b, s, errno, "opening its root");
	}
	return walk(b, s);
}

static void *detour(void *data)
{
	struct bind *b = data;
	int own = open("/proc/thread-self/ns/mnt", O_RDONLY | O_CLOEXEC);

	b->ret = -1;
	if (own < 0)
		mc_fail(b->e, MNTCR_SYS, errno, "bind: /proc/thread-self/ns/mnt");
	else if (!go(b, &b->src, own) && !clone_tree(b, 0) &&
		 !go(b, &b->dst, own))
		b->ret = attach(b, 0);
	mc_close(own);
	return NULL;
}

static int bind_upstream(struct bind *b)
{
	int err;

	if (b->src.place->mnt_id || b->dst.place->mnt_id)
		return mc_fail(b->e, MNTCR_UNSUPPORTED, 0,
			       "bind: the upstream calls open no mount by id");
	if (may_hand_over(b))
		return -1;
	err = mc_in_thread(detour, b);
	return err ? mc_fail(b->e, MNTCR_SYS, err, "bind: pthread_create") :
	       b->ret;
}

int mntcr_bind(const struct mntcr_place *src, const struct mntcr_place *dst,
	       const struct mntcr_bind_options *opts, struct mntcr_error *e)
{
	struct mntcr_place from, to;
	struct mntcr_bind_options o;
	struct bind b = {
		.src = { &from, "source", -1, -1, -1 },
		.dst = { &to, "destination", -1, -1, -1 },
		.o = &o, .e = e, .tree = -1,
	};
	enum mntcr_api api;
	int ret = -1;

	if (mc_take_options(&from, sizeof(from), sizeof(from), src, "place", e) ||
	    mc_take_options(&to, sizeof(to), sizeof(to), dst, "place", e) ||
	    mc_take_options(&o, sizeof(o), sizeof(o), opts, "bind_options", e))
		return -1;
	api = mc_choose_api(o.api);
	if (b.o->api == MNTCR_API_EXTENDED && mc_need_extended(e))
		return -1;
	if (!open_ns(&b, &b.src) && !open_ns(&b, &b.dst))
		ret = api == MNTCR_API_EXTENDED ? bind_extended(&b) :
		      bind_upstream(&b);
	mc_close(b.tree);
	mc_close(b.src.fd);
	mc_close(b.src.root_fd);
	mc_close(b.src.ns_fd);
	mc_close(b.dst.fd);
	mc_close(b.dst.root_fd);
	mc_close(b.dst.ns_fd);
	return ret;
}
