// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Histories: namespaces and superblocks.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * No descriptor is kept but of namespaces and of their roots, which are never
 * unmounted by themselves: what is busy is the model's to say.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "base/base.h"
#include "history/world.h"
#include "kernel/mount.h"

int world_fail(struct world *w, const char *what, const char *where)
{
	w->err = errno;
	w->differs = NULL;
	snprintf(w->error, sizeof(w->error), "%s %s: %s", what, where,
		 strerror(errno));
	return -1;
}

void world_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

int world_unique_id(int fd, uint64_t *id)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID_UNIQUE, &st))
		return -1;
	if (!(st.stx_mask & STATX_MNT_ID_UNIQUE)) {
		errno = EOPNOTSUPP;
		return -1;
	}
	*id = st.stx_mnt_id;
	return 0;
}

/* With the root of the namespace as root, which something may cover. */
int world_enter(struct world *w, int ns)
{
	int fd = ns < 0 ? w->base : w->ns[ns], root = ns < 0 ? w->base_root : w->root[ns];

	if (setns(fd, CLONE_NEWNS) || fchdir(root) || chroot("."))
		return world_fail(w, "enter", "a mount namespace");
	return 0;
}

/* A tmpfs with all directories, mounted at @name of the base. */
static int make_source(struct world *w, const struct hist *h, int sb)
{
	char name[16], path[64];
	struct stat st;

	snprintf(name, sizeof(name), "fs%d", sb);
	if (mkdir(name, 0755) ||
	    mount("history", name, "tmpfs", 0, "nr_inodes=0"))
		return world_fail(w, "mount", name);
	for (int d = 1; d < h->m.nr_dirs; d++) {
		int n = snprintf(path, sizeof(path), "%s/", name);

		hist_dir(h, d, 0, path + n);
		if (mkdir(path, 0755))
			return world_fail(w, "mkdir", path);
	}
	w->source[sb] = open(name, O_PATH | O_CLOEXEC);
	if (w->source[sb] < 0 || fstat(w->source[sb], &st))
		return world_fail(w, "open", name);
	w->dev[sb] = st.st_dev;
	return 0;
}

static void drop_sources(struct world *w)
{
	char name[16];

	for (int i = 0; i <= HIST_SBS; i++) {
		if (w->source[i] < 0)
			continue;
		close(w->source[i]);
		w->source[i] = -1;
		snprintf(name, sizeof(name), "/fs%d", i);
		umount2(name, MNT_DETACH);
		rmdir(name);
	}
}

/* Who is not mapped makes no user namespace below. */
static int map_ids(struct world *w, pid_t pid)
{
	static const char *const maps[] = { "uid_map", "gid_map" };
	char path[64];
	int err = 0;

	for (int i = 0; i < 2 && !err; i++) {
		int fd;

		snprintf(path, sizeof(path), "%d/%s", pid, maps[i]);
		fd = openat(w->proc, path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, "0 0 1", 5) != 5)
			err = world_fail(w, "write", path);
		world_close(fd);
	}
	return err;
}

static int new_user(struct world *w, int k)
{
	int up = hist_above[k], hold, err = 0;
	pid_t pid = kuser_start(up ? w->user[up] : -1, 0, &hold);
	char path[64];

	if (pid < 0)
		return world_fail(w, "unshare", "user namespace");
	if (!up)
		err = map_ids(w, pid);
	snprintf(path, sizeof(path), "%d/ns/user", pid);
	w->user[k] = openat(w->proc, path, O_RDONLY | O_CLOEXEC);
	if (!err && w->user[k] < 0)
		err = world_fail(w, "open", path);
	close(hold);
	waitpid(pid, NULL, 0);
	return err;
}

static void what_is_there(struct world *w)
{
	struct mc_statmount sm;
	struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER0,
		.param = MC_STATMOUNT_MNT_LOCKS,
	};

	w->by_id = mc_mount_setgroup(NULL, 0, 0) && errno != ENOSYS;
	if (world_unique_id(w->base_root, &req.mnt_id))
		return;
	w->locks = w->by_id && !mc_statmount(&req, &sm, sizeof(sm), 0) &&
		   sm.mask & MC_STATMOUNT_MNT_LOCKS;
}

int world_init(struct world *w)
{
	char top[] = "/tmp/history.XXXXXX";
	int tmp = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *dir = top;

	memset(w, 0, sizeof(*w));
	for (int i = 0; i <= HIST_SBS; i++)
		w->source[i] = -1;
	if (mc_unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return world_fail(w, "unshare", "mount namespace");
	w->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (w->proc < 0)
		return world_fail(w, "open", "/proc");
	for (int k = 1; k < HIST_OWNERS; k++)
		if (new_user(w, k))
			return -1;
	/* /tmp may be read-only or absent */
	if (!mkdtemp(top))
		dir = "/mnt";
	if (mount("history", dir, "tmpfs", 0, NULL) || chdir(dir))
		return world_fail(w, "mount", dir);
	if (syscall(__NR_pivot_root, ".", ".")) {
		/* an initial ramfs cannot be pivoted away on older kernels */
		if (mount(".", "/", NULL, MS_MOVE, NULL) || chroot("."))
			return world_fail(w, "move", "the new root");
	} else if (umount2(".", MNT_DETACH)) {
		return world_fail(w, "umount", "the old root");
	}
	/* where it came from that directory is empty */
	if (tmp >= 0 && dir == top)
		unlinkat(tmp, top + strlen("/tmp/"), AT_REMOVEDIR);
	world_close(tmp);
	if (chdir("/") || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return world_fail(w, "make private", "/");
	w->base = openat(w->proc, "self/ns/mnt", O_RDONLY | O_CLOEXEC);
	w->base_root = open("/", O_PATH | O_CLOEXEC);
	if (w->base < 0 || w->base_root < 0)
		return world_fail(w, "open", "the base namespace");
	what_is_there(w);
	return 0;
}

void world_drop(struct world *w)
{
	world_enter(w, -1);
	for (int k = 0; k < w->nr_ns; k++) {
		world_close(w->ns[k]);
		world_close(w->root[k]);
	}
	w->nr_ns = 0;
}

/* A namespace with nothing but a clone of the first superblock as its root. */
static int first_ns(struct world *w)
{
	int fd = mc_open_tree(w->source[0], "", OPEN_TREE_CLONE |
			      OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);

	if (fd < 0)
		return world_fail(w, "clone", "the first root");
	if (mc_unshare(CLONE_NEWNS) ||
	    mc_move_mount(fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) ||
	    fchdir(fd))
		return world_fail(w, "unshare", "the first namespace");
	close(fd);
	return 0;
}

int world_start(struct world *w, const struct hist *h)
{
	world_drop(w);
	if (chdir("/"))
		return world_fail(w, "chdir", "/");
	if (w->changed)
		drop_sources(w);
	w->changed = false;
	for (int i = 0; i <= HIST_SBS; i++)
		if (w->source[i] < 0 && make_source(w, h, i))
			return -1;
	if (first_ns(w))
		return -1;
	if (syscall(__NR_pivot_root, ".", ".") || umount2(".", MNT_DETACH))
		return world_fail(w, "pivot_root", "to the first root");
	w->ns[0] = openat(w->proc, "self/ns/mnt", O_RDONLY | O_CLOEXEC);
	w->root[0] = open("/", O_PATH | O_CLOEXEC);
	w->nr_ns = 1;
	if (w->ns[0] < 0 || w->root[0] < 0)
		return world_fail(w, "open", "the first namespace");
	return world_enter(w, -1);
}
