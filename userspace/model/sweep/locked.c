// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A locked mount in any place, a peer of anything, with mount(2) alone.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * In a copy of a namespace that another owner has all children are locked, and
 * stay so in copies of that and in recursive binds.  But they are no peers of
 * anything.  So nothing of the topology comes that way, only a mount over a
 * directory that is the current one, and is still in the copies.  A recursive
 * bind of that directory is a mount with a locked one on its root.
 *
 * The lower of these is put on the root of a shim, and taken away from beneath
 * the other one by an umount at a master of the shim, which never had that one.
 * There is a descriptor of the shim, so it can be moved to any place, and the
 * lock with it.  There pivot_root(2) hands it on to whatever is to be locked.
 */
#define _GNU_SOURCE
#include <stdio.h>

#include "base/base.h"
#include "sweep/world.h"

/* Directories to mount on: the shim's master, and that one's master. */
#define UPPER	"/src/events/0/x0"
#define LOWER	"/src/events/1/x0"

int world_new_locking_ns(struct world *w)
{
	if (world_clone(w, -1, true) || world_enter(w, 0))
		return -1;
	/* is there for as long as the process is in it */
	close(w->ns[0]);
	close(w->root[0]);
	w->nr_ns = 0;
	w->in = -2;
	if (chdir("/src/lock"))
		return world_fail(w, "chdir", "/src/lock");
	if (world_bind_path(w, "/src/events/5", "/src/lock", 0, 0))
		return -1;
	return world_new_ns(w) < 0 ? -1 : 0;
}

/*
 * A slave with something locked on its root, where nothing leads to: its
 * descriptor.  By an umount on the lower master that loses what it is mounted
 * on; what is on the upper one stays for world_drop_locked().
 */
int world_locked_shim(struct world *w, int ns, const char *at)
{
	int fd;

	if (world_bind_path(w, "/src/events/4", UPPER, MS_SHARED, 0) ||
	    world_bind_path(w, UPPER, LOWER, MS_SLAVE, MS_SHARED) ||
	    world_bind_path(w, LOWER "/x0", at, MS_SLAVE, 0))
		return -1;
	fd = open(at, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return world_fail(w, "open", at);
	if (world_bind_path(w, "/src/events/5", UPPER "/x0", 0, 0))
		goto out;
	if (umount2(at, UMOUNT_NOFOLLOW) || fchdir(w->under[ns]) ||
	    mount(".", at, NULL, MS_BIND | MS_REC, NULL) ||
	    umount2(LOWER "/x0", UMOUNT_NOFOLLOW)) {
		world_fail(w, "bind a locked mount on", at);
		goto out;
	}
	return fd;
out:
	close(fd);
	return -1;
}

/* Copies of the shim lose what is locked on them: they can be unmounted. */
int world_drop_locked(struct world *w)
{
	if (umount2(UPPER "/x0", UMOUNT_NOFOLLOW) ||
	    umount2(LOWER, UMOUNT_NOFOLLOW) || umount2(UPPER, UMOUNT_NOFOLLOW))
		return world_fail(w, "umount", UPPER);
	return 0;
}

/*
 * A bind of @source goes where @locked is, and is locked.  The old root has to
 * be put on something private inside of it.
 */
int world_take_lock(struct world *w, int ns, int locked, int source)
{
	int fd, err = 0;

	if (fchdir(locked) || mount(NULL, ".", NULL, MS_PRIVATE, NULL))
		return world_fail(w, "make private", "a locked mount");
	if (world_mount_fd(w, source, locked, "x0", MS_BIND))
		return -1;
	if (fchdir(locked) ||
	    world_bind_path(w, "/src/events/6", "x0/x0", MS_PRIVATE, 0))
		return -1;
	fd = open("x0", O_PATH | O_CLOEXEC);
	if (fd < 0)
		return world_fail(w, "open", "x0");
	if (chroot(".") || syscall(__NR_pivot_root, "x0", "x0/x0"))
		err = world_fail(w, "pivot", "to what is to be locked");
	if (fchdir(w->root[ns]) || chroot(".") || fchdir(fd) ||
	    (!err && (umount2("x0", UMOUNT_NOFOLLOW | MNT_DETACH) ||
		      umount2("x0", UMOUNT_NOFOLLOW))))
		err = world_fail(w, "umount", "what was locked");
	close(fd);
	return err;
}
