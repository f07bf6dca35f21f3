// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Pins.  The file of a mount namespace may not be mounted where it would
 * propagate, so a private tmpfs is mounted on the directory first: whoever
 * unmounts that is rid of the pins and of the files they are on.  That tmpfs
 * itself does propagate, to slaves that come about by the restore if they are
 * there already: hence in two steps.
 *
 * Between the two it has a file that says so, locked for as long as somebody is at
 * it: what a restore left that was killed, the next one takes away.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/vfs.h>

#include "execute/execute.h"

#define UNFINISHED	".unfinished"

struct mc_pins {
	int parent;		/* what the directory is in */
	int dir;		/* the root of the tmpfs */
	int lock;		/* its UNFINISHED; -1: it is gone */
	bool made_dir, mounted;
	char *path;		/* as the caller names it */
	char *name;		/* the directory's, in its parent */
};

static int pin_fail(const struct mc_pins *p, const char *file, const char *what,
		    struct mntcr_error *e)
{
	int err = errno;
	char esc[256];

	return mc_fail(e, MNTCR_SYS, err, "pin: %s%s%s: %s%s",
		       mc_escape(p->path, esc, sizeof(esc)), file ? "/" : "",
		       file ? file : "", what, err != ELOOP ? "" :
		       " (the file of a namespace cannot be mounted in a younger one)");
}

/* The path is walked once, so that what is undone later is what was made. */
static int open_parent(struct mc_pins *p, struct mntcr_error *e)
{
	char *path = strdup(p->path), *name;
	size_t n;

	if (!path)
		return mc_nomem(e);
	for (n = strlen(path); n > 1 && path[n - 1] == '/'; )
		path[--n] = '\0';
	name = strrchr(path, '/');
	p->name = strdup(!name ? path : name[1] ? name + 1 : ".");
	if (name)
		name[name == path] = '\0';
	p->parent = open(name ? path : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (p->name && p->parent < 0)
		pin_fail(p, NULL, "opening what it is in", e);
	free(path);
	if (!p->name)
		return mc_nomem(e);
	return p->parent < 0 ? -1 : 0;
}

static int make_tmpfs(void)
{
	int fs = mc_fsopen("tmpfs", MC_FSOPEN_CLOEXEC), fd = -1;

	if (fs < 0)
		return -1;
	if (!mc_fsconfig(fs, MC_FSCONFIG_SET_STRING, "mode", "0700", 0) &&
	    !mc_fsconfig(fs, MC_FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		fd = mc_fsmount(fs, MC_FSMOUNT_CLOEXEC, 0);
	mc_close(fs);
	return fd;
}

static bool is_root_of_tmpfs(int fd)
{
	struct statx sx;
	struct statfs fs;

	return !fstatfs(fd, &fs) && fs.f_type == TMPFS_MAGIC &&
	       !statx(fd, "", AT_EMPTY_PATH, 0, &sx) &&
	       sx.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

int mc_pins_unfinished(int dir)
{
	int fd, ret;

	if (!is_root_of_tmpfs(dir))
		return 0;
	fd = openat(dir, UNFINISHED, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	ret = flock(fd, LOCK_EX | LOCK_NB);
	if (ret && errno == EWOULDBLOCK)
		errno = EBUSY;
	mc_close(fd);
	return ret ? -1 : 1;
}

/* 1: there was something, and what is below is to be opened. */
static int clear_unfinished(const struct mc_pins *p, int under, struct mntcr_error *e)
{
	char path[40];
	int ret = mc_pins_unfinished(under);

	if (ret < 0)
		return pin_fail(p, NULL, errno == EBUSY ?
				"another restore is pinning there" :
				"looking what another restore has left", e);
	if (!ret)
		return 0;
	snprintf(path, sizeof(path), "/proc/thread-self/fd/%d", under);
	if (umount2(path, MNT_DETACH))
		return pin_fail(p, NULL, "unmounting what a restore has left that was killed",
				e);
	return 1;
}

static int begin(struct mc_pins *p)
{
	p->lock = openat(p->dir, UNFINISHED, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			 0600);
	return p->lock < 0 ? -1 : flock(p->lock, LOCK_EX | LOCK_NB);
}

/* What it holds would be hidden: the pins of another restore, say. */
static int check_empty(const struct mc_pins *p, int under, struct mntcr_error *e)
{
	int fd = openat(under, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret = -1;
	const struct dirent *d;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		pin_fail(p, NULL, "opening it", e);
		mc_close(fd);
		return -1;
	}
	do {
		errno = 0;
		d = readdir(dir);
	} while (d && (!strcmp(d->d_name, ".") || !strcmp(d->d_name, "..")));
	if (d)
		errno = ENOTEMPTY;
	if (errno)
		pin_fail(p, NULL, "looking what is in it", e);
	else
		ret = 0;
	closedir(dir);
	return ret;
}

static int open_under(const struct mc_pins *p, struct mntcr_error *e)
{
	int fd = openat(p->parent, p->name, O_PATH | O_DIRECTORY | O_CLOEXEC |
			(p->made_dir ? O_NOFOLLOW : 0));

	return fd < 0 ? pin_fail(p, NULL, "opening it", e) : fd;
}

/* The tmpfs on DIR, of which nothing propagates. */
static int open_dir(struct mc_pins *p, struct mntcr_error *e)
{
	const struct mc_mount_attr attr = { .propagation = MS_PRIVATE };
	int under, left, ret = -1;

	if (open_parent(p, e))
		return -1;
	if (!mkdirat(p->parent, p->name, 0700))
		p->made_dir = true;
	else if (errno != EEXIST)
		return pin_fail(p, NULL, "making it", e);
	under = open_under(p, e);
	if (under < 0)
		return -1;
	left = clear_unfinished(p, under, e);
	if (left > 0) {
		mc_close(under);
		under = open_under(p, e);
	}
	if (left < 0 || under < 0 || check_empty(p, under, e))
		goto out;
	p->dir = make_tmpfs();
	if (p->dir < 0 || begin(p)) {
		pin_fail(p, NULL, "making a tmpfs for it", e);
		goto out;
	}
	if (mc_move_mount(p->dir, "", under, "", MOVE_MOUNT_F_EMPTY_PATH |
			  MOVE_MOUNT_T_EMPTY_PATH)) {
		pin_fail(p, NULL, "mounting a tmpfs on it", e);
		goto out;
	}
	p->mounted = true;
	/* After attaching: below a shared mount it has just become shared. */
	ret = mc_mount_setattr(p->dir, "", AT_EMPTY_PATH, &attr,
			       MC_MOUNT_ATTR_SIZE_VER0);
	if (ret)
		pin_fail(p, NULL, "making it private", e);
out:
	mc_close(under);
	return ret;
}

static int pin_one(struct mc_pins *p, const char *name, int ns_fd,
		   struct mntcr_error *e)
{
	int file, fd, ret;

	file = openat(p->dir, name, O_CREAT | O_EXCL | O_CLOEXEC | O_RDONLY, 0600);
	if (file < 0)
		return pin_fail(p, name, "making it", e);
	mc_close(file);
	fd = mc_open_tree(ns_fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
			  AT_EMPTY_PATH);
	if (fd < 0)
		return pin_fail(p, name, "cloning the namespace's file", e);
	ret = mc_move_mount(fd, "", p->dir, name, MOVE_MOUNT_F_EMPTY_PATH);
	if (ret)
		pin_fail(p, name, "mounting the namespace's file", e);
	mc_close(fd);
	return ret;
}

int mc_pins_open(const char *dir, struct mc_pins **pins, struct mntcr_error *e)
{
	struct mc_pins *p = calloc(1, sizeof(*p));

	*pins = NULL;
	if (!p)
		return mc_nomem(e);
	p->dir = p->parent = p->lock = -1;
	p->path = strdup(dir);
	if (!p->path) {
		mc_pins_free(p);
		return mc_nomem(e);
	}
	if (open_dir(p, e)) {
		mc_pins_undo(p);
		mc_pins_free(p);
		return -1;
	}
	*pins = p;
	return 0;
}

int mc_pins_add(struct mc_pins *p, const int *ns_fds, uint32_t nr,
		struct mntcr_error *e)
{
	char name[16];
	uint32_t i;

	for (i = 0; i < nr; i++) {
		/* a detached tree */
		if (ns_fds[i] < 0)
			continue;
		snprintf(name, sizeof(name), "%u", i);
		if (pin_one(p, name, ns_fds[i], e))
			return -1;
	}
	return 0;
}

int mc_pins_add_made(struct mc_pins *p, const struct mc_made *made, uint32_t nr,
		     struct mntcr_error *e)
{
	char name[32];
	uint32_t i;

	for (i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "%s-%" PRIu64, mc_made_word(&made[i]),
			 made[i].nr);
		if (pin_one(p, name, made[i].fd, e))
			return -1;
	}
	return 0;
}

int mc_pins_finish(struct mc_pins *p, struct mntcr_error *e)
{
	if (unlinkat(p->dir, UNFINISHED, 0))
		return pin_fail(p, UNFINISHED, "unlinking it", e);
	mc_close(p->lock);
	p->lock = -1;
	return 0;
}

bool mc_pins_are_in(const struct mc_pins *p, const char *dir)
{
	return !strcmp(p->path, dir);
}

void mc_pins_undo(struct mc_pins *p)
{
	char name[40];

	if (!p)
		return;
	/* With the tmpfs go the mounts on its files. */
	snprintf(name, sizeof(name), "/proc/thread-self/fd/%d", p->dir);
	if (p->mounted)
		umount2(name, MNT_DETACH);
	if (p->made_dir)
		unlinkat(p->parent, p->name, AT_REMOVEDIR);
	p->mounted = p->made_dir = false;
}

void mc_pins_free(struct mc_pins *p)
{
	if (!p)
		return;
	free(p->name);
	free(p->path);
	mc_close(p->lock);
	mc_close(p->dir);
	mc_close(p->parent);
	free(p);
}
