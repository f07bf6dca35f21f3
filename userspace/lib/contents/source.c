// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A mount of a live namespace as nothing but itself: a detached clone, in which
 * nothing but locked mounts covers a file and reading changes no access time.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "contents/contents.h"

struct job {
	const struct mc_topology *t;
	uint32_t mount;
	int ns_fd;
	unsigned int recursive;	/* AT_RECURSIVE or 0 */
	char *path;
	int fd, err;
	bool covered;
};

static bool is_it(const struct job *j, int fd)
{
	const struct mc_mount *m = &j->t->mounts[j->mount];
	struct statx st;

	return !mc_look(fd, STATX_TYPE | (j->t->unique_ids ? STATX_MNT_ID_UNIQUE :
					  STATX_MNT_ID), &st) &&
	       mc_look_is(&st, j->t->unique_ids, m->id, m->id_old);
}

/* Without its idmap, so that each id is what it is in the superblock. */
static int clone_plain(const struct job *j, int fd, unsigned int more)
{
	static const struct mc_mount_attr plain = { .attr_clr = MOUNT_ATTR_IDMAP };
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH |
			     j->recursive | more;

	if (j->t->mounts[j->mount].idmap == MC_NONE)
		return mc_open_tree(fd, "", flags);
	return mc_open_tree_attr(fd, "", flags, &plain, MC_MOUNT_ATTR_SIZE_VER0);
}

/* In a thread. */
static void *by_path(void *data)
{
	struct job *j = data;
	int fd = -1;

	j->fd = -1;
	if (setns(j->ns_fd, CLONE_NEWNS)) {
		j->err = errno;
		return NULL;
	}
	fd = mc_open_way(AT_FDCWD, j->path, mc_local_way(j->t, j->mount),
			 MC_RESOLVE_NO_MAGICLINKS);
	if (fd < 0) {
		j->err = errno;
	} else if (!is_it(j, fd)) {
		j->covered = true;
	} else {
		j->fd = clone_plain(j, fd, 0);
		j->err = errno;
	}
	mc_close(fd);
	return NULL;
}

static void by_id(struct job *j)
{
	int fd = -1, err;

	if (!mc_extended_lacks(&err))
		fd = mc_ns_mnt_open(j->ns_fd, j->t->mounts[j->mount].id);
	if (fd < 0)
		return;
	j->fd = clone_plain(j, fd, OPEN_TREE_FOREIGN);
	mc_close(fd);
}

int mc_contents_clone(const struct mc_topology *t, uint32_t mount, int ns_fd,
		      struct mntcr_error *e)
{
	/* reading leaves access times then, and that can be set where those are locked */
	const struct mc_mount_attr rdonly = { .attr_set = MOUNT_ATTR_RDONLY };
	struct job j = { .t = t, .mount = mount, .ns_fd = ns_fd, .fd = -1 };
	char name[300];
	int err;

	if (mc_has_locked_child(t, mount))
		j.recursive = AT_RECURSIVE;
	if (t->unique_ids)
		by_id(&j);
	if (j.fd < 0) {
		j.path = mc_mount_path(t, mount);
		if (!j.path)
			return mc_nomem(e);
		/* it, or what it is on, further up too */
		j.covered = mc_mount_at(t, t->mounts[mount].ns, j.path) != mount;
		err = j.covered ? 0 : mc_in_thread(by_path, &j);
		free(j.path);
		if (err)
			j.err = err;
	}
	mc_mount_name(t, mount, name, sizeof(name));
	if (j.fd < 0 && j.covered)
		return mc_refuse(e, "contents-out-of-reach",
				 "%s: something covers it, and this kernel opens no mount by its id",
				 name);
	if (j.fd < 0)
		return mc_fail(e, MNTCR_SYS, j.err,
			       "%s: a clone of it, to read its contents", name);
	if (!mc_mount_setattr(j.fd, "", AT_EMPTY_PATH, &rdonly,
			      MC_MOUNT_ATTR_SIZE_VER0))
		return j.fd;
	mc_fail(e, MNTCR_SYS, errno, "%s: its clone read-only", name);
	mc_close(j.fd);
	return -1;
}
