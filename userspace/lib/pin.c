// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Pins.  The file of a mount namespace may not be mounted where it would
 * propagate, so the directory is made a private mount of its own first.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pin.h"
#include "sys.h"
#include "util.h"

struct mc_pins {
	int dir;		/* the directory, on its private mount */
	bool made_dir, mounted;
	char *path;
	uint32_t nr_made;	/* files 0 to nr_made - 1 are ours */
};

/* DIR, on a mount that nothing propagates from. */
static int open_dir(struct mc_pins *p, struct mntcr_error *e)
{
	const struct mc_mount_attr attr = { .propagation = MS_PRIVATE };
	char esc[256];
	int fd;

	mc_escape(p->path, esc, sizeof(esc));
	if (!mkdir(p->path, 0700))
		p->made_dir = true;
	else if (errno != EEXIST)
		return mc_fail(e, MNTCR_SYS, errno, "pin: %s", esc);
	fd = mc_open_tree(AT_FDCWD, p->path, OPEN_TREE_CLONE |
			  OPEN_TREE_CLOEXEC | AT_NO_AUTOMOUNT);
	if (fd < 0)
		return mc_fail(e, MNTCR_SYS, errno, "pin: cloning %s", esc);
	p->dir = fd;
	if (mc_move_mount(fd, "", AT_FDCWD, p->path, MOVE_MOUNT_F_EMPTY_PATH))
		return mc_fail(e, MNTCR_SYS, errno, "pin: mounting %s on itself",
			       esc);
	p->mounted = true;
	/* Now, since below a shared mount it has just become shared. */
	if (mc_mount_setattr(fd, "", AT_EMPTY_PATH, &attr,
			     MC_MOUNT_ATTR_SIZE_VER0))
		return mc_fail(e, MNTCR_SYS, errno, "pin: making %s private", esc);
	return 0;
}

static int pin_one(struct mc_pins *p, uint32_t ns, int ns_fd,
		   struct mntcr_error *e)
{
	char name[16];
	int file, fd, ret;

	snprintf(name, sizeof(name), "%u", ns);
	file = openat(p->dir, name, O_CREAT | O_EXCL | O_CLOEXEC | O_RDONLY, 0600);
	if (file < 0)
		return mc_fail(e, MNTCR_SYS, errno, "pin: making %s", name);
	p->nr_made++;
	mc_close(file);
	fd = mc_open_tree(ns_fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
			  AT_EMPTY_PATH);
	if (fd < 0)
		return mc_fail(e, MNTCR_SYS, errno, "pin: cloning the file for %s",
			       name);
	ret = mc_move_mount(fd, "", p->dir, name, MOVE_MOUNT_F_EMPTY_PATH);
	if (ret)
		mc_fail(e, MNTCR_SYS, errno, "pin: mounting on %s", name);
	mc_close(fd);
	return ret;
}

int mc_pin(const char *dir, const struct mc_topology *t, const int *ns_fds,
	   struct mc_pins **pins, struct mntcr_error *e)
{
	struct mc_pins *p = calloc(1, sizeof(*p));
	uint32_t i;

	*pins = NULL;
	if (!p)
		return mc_nomem(e);
	p->dir = -1;
	p->path = strdup(dir);
	if (!p->path) {
		mc_nomem(e);
		goto fail;
	}
	if (open_dir(p, e))
		goto fail;
	for (i = 0; i < t->nr_ns; i++)
		if (pin_one(p, i, ns_fds[i], e))
			goto fail;
	*pins = p;
	return 0;
fail:
	mc_pins_undo(p);
	mc_pins_free(p);
	return -1;
}

void mc_pins_undo(struct mc_pins *p)
{
	char name[16];
	uint32_t i;

	if (!p)
		return;
	/* With the directory's mount go those on its files. */
	if (p->mounted)
		umount2(p->path, MNT_DETACH | UMOUNT_NOFOLLOW);
	for (i = 0; i < p->nr_made; i++) {
		snprintf(name, sizeof(name), "%u", i);
		unlinkat(p->dir, name, 0);
	}
	if (p->made_dir)
		rmdir(p->path);
	p->nr_made = 0;
	p->mounted = p->made_dir = false;
}

void mc_pins_free(struct mc_pins *p)
{
	if (!p)
		return;
	free(p->path);
	mc_close(p->dir);
	free(p);
}
