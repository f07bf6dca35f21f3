// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A topology as mounts of the running kernel: namespaces and operations.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * The base namespace holds a root with places for mounts, and below /src the
 * superblock that the topology's mounts are of, and that of the events.  All
 * are private, so each copy of the namespace starts the same.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "base/base.h"
#include "kernel/mount.h"
#include "sweep/world.h"

const char *const way_names[NR_WAYS] = { "new calls", "mount(2)" };

int world_fail(struct world *w, const char *what, const char *where)
{
	w->err = errno;
	snprintf(w->error, sizeof(w->error), "%s %s: %s", what, where,
		 strerror(errno));
	return -1;
}

/* The directories that the model's superblocks have, of one filesystem. */
static int make_dirs(struct world *w, const char *top, bool all)
{
	char path[64], buf[DIR_PATH];

	for (int d = 0; d < NR_DIRS; d++) {
		/* parents before children: the first ones are the tree */
		if (!all && d && dir_parents[d] != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", top, dir_path(d, 0, buf));
		if (mkdir(path, 0755) && errno != EEXIST)
			return world_fail(w, "mkdir", path);
	}
	return 0;
}

static int make_tmpfs(struct world *w, const char *path, dev_t *dev)
{
	struct stat st;

	if (mkdir(path, 0755) && errno != EEXIST)
		return world_fail(w, "mkdir", path);
	if (mount("propsweep", path, "tmpfs", 0, "nr_inodes=0"))
		return world_fail(w, "mount", path);
	if (stat(path, &st))
		return world_fail(w, "stat", path);
	*dev = st.st_dev;
	return 0;
}

static int fill(struct world *w)
{
	char path[64];

	if (make_dirs(w, ".", false) ||
	    mkdir("src", 0755) || mkdir("src/lock", 0755) || mkdir("seed", 0755))
		return world_fail(w, "mkdir", "src");
	for (int i = 0; i < TOPO_MAX; i++) {
		snprintf(path, sizeof(path), "seed/%d", i);
		if (mkdir(path, 0755))
			return world_fail(w, "mkdir", path);
	}
	if (make_tmpfs(w, "src/shared", &w->dev_shared) ||
	    make_tmpfs(w, "src/events", &w->dev_events) ||
	    make_dirs(w, "src/shared", true))
		return -1;
	for (int i = 0; i < WORLD_EVENTS; i++) {
		snprintf(path, sizeof(path), "src/events/%d", i);
		if (mkdir(path, 0755) || mkdir(strcat(path, "/x0"), 0755))
			return world_fail(w, "mkdir", path);
	}
	return 0;
}

/* Makes the current directory the root of the namespace. */
static int become_root(struct world *w)
{
	if (!syscall(__NR_pivot_root, ".", "."))
		return umount2(".", MNT_DETACH) ?
			world_fail(w, "umount", "the old root") : 0;
	/* an initial ramfs cannot be pivoted away on older kernels */
	if (mount(".", "/", NULL, MS_MOVE, NULL) || chroot("."))
		return world_fail(w, "move", "the new root");
	return 0;
}

int world_init(struct world *w)
{
	char top[] = "/tmp/propsweep.XXXXXX";

	memset(w, 0, sizeof(*w));
	w->in = -1;
	if (mc_unshare(CLONE_NEWNS))
		return world_fail(w, "unshare", "mount namespace");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return world_fail(w, "make private", "/");
	/* a directory to mount on: /tmp may be read-only or absent */
	w->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (w->proc < 0)
		return world_fail(w, "open", "/proc");
	if (!mkdtemp(top))
		strcpy(top, "/mnt");
	if (make_tmpfs(w, top, &w->dev_root))
		return -1;
	if (chdir(top))
		return world_fail(w, "chdir", top);
	if (fill(w) || become_root(w))
		return -1;
	if (chdir("/"))
		return world_fail(w, "chdir", "/");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return world_fail(w, "make private", "/");
	w->base = openat(w->proc, "self/ns/mnt", O_RDONLY | O_CLOEXEC);
	w->base_shared = open("/src/shared", O_PATH | O_CLOEXEC);
	w->base_events = open("/src/events", O_PATH | O_CLOEXEC);
	if (w->base < 0 || w->base_shared < 0 || w->base_events < 0)
		return world_fail(w, "open", "the base namespace");
	return 0;
}

bool world_has_api(void)
{
	return mc_mount_setgroup(NULL, 0, 0) && errno != ENOSYS;
}

bool world_has_locks(void)
{
	struct mc_statmount sm;
	struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER0,
		.param = MC_STATMOUNT_MNT_LOCKS,
	};
	struct statx st;
	int status;
	pid_t pid;

	if (statx(AT_FDCWD, "/", 0, STATX_MNT_ID_UNIQUE, &st))
		return false;
	req.mnt_id = st.stx_mnt_id;
	if (mc_statmount(&req, &sm, sizeof(sm), 0) ||
	    !(sm.mask & MC_STATMOUNT_MNT_LOCKS))
		return false;
	pid = fork();
	if (!pid)
		_exit(mc_unshare(CLONE_NEWUSER) != 0);
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

int world_enter(struct world *w, int ns)
{
	if (ns == w->in)
		return 0;
	if (setns(ns < 0 ? w->base : w->ns[ns], CLONE_NEWNS))
		return world_fail(w, "setns", "mount namespace");
	w->in = ns;
	return 0;
}

/* A copy of the namespace the process is in, which it enters. */
int world_new_ns(struct world *w)
{
	int k = w->nr_ns;

	if (mc_unshare(CLONE_NEWNS))
		return world_fail(w, "unshare", "mount namespace");
	w->in = -2;	/* until it has a descriptor */
	w->ns[k] = openat(w->proc, "self/ns/mnt", O_RDONLY | O_CLOEXEC);
	w->root[k] = open("/", O_PATH | O_CLOEXEC);
	/* copied as well, even where a path leads to something else */
	w->under[k] = open(".", O_PATH | O_CLOEXEC);
	if (w->ns[k] < 0 || w->root[k] < 0 || w->under[k] < 0)
		return world_fail(w, "open", "the new namespace");
	w->in = w->nr_ns++;
	return w->in;
}

void world_forget(struct world *w, int i)
{
	if (w->mnt[i] >= 0)
		close(w->mnt[i]);
	w->mnt[i] = -1;
}

void world_drop(struct world *w)
{
	for (int i = 0; i < w->nr; i++)
		world_forget(w, i);
	world_enter(w, -1);
	for (int k = 0; k < w->nr_ns; k++) {
		close(w->ns[k]);
		close(w->root[k]);
		if (w->under[k] >= 0)
			close(w->under[k]);
	}
	w->nr = w->nr_ns = 0;
}

/* Operations of the built topology. */

static int mount_event(struct world *w, int i, const char *path, int event)
{
	char source[32];
	int fd, err;

	if (w->way == WAY_CLASSIC) {
		if (world_enter(w, w->mnt_ns[i]))
			return -1;
		snprintf(source, sizeof(source), "/src/events/%d", event);
		if (fchdir(w->mnt[i]) ||
		    mount(source, *path ? path : ".", NULL, MS_BIND, NULL))
			return world_fail(w, "mount an event on", path);
		return 0;
	}
	snprintf(source, sizeof(source), "%d", event);
	fd = mc_open_tree(w->base_events, source, OPEN_TREE_CLONE |
			  OPEN_TREE_FOREIGN | OPEN_TREE_CLOEXEC);
	if (fd < 0)
		return world_fail(w, "clone event", source);
	err = mc_move_mount(fd, "", w->mnt[i], path, MOVE_MOUNT_F_EMPTY_PATH |
			    MOVE_MOUNT_T_FOREIGN | MOVE_MOUNT_UNLOCKED |
			    (*path ? 0 : MOVE_MOUNT_T_EMPTY_PATH));
	if (err)
		world_fail(w, "attach an event at", path);
	close(fd);
	return err;
}

int world_event(struct world *w, int i, int dir, int event)
{
	char buf[DIR_PATH];

	return mount_event(w, i, dir_path(dir, w->mnt_root[i], buf), event);
}

int world_event_in(struct world *w, int i, int dir, int in, int event)
{
	char path[2 * DIR_PATH], buf[DIR_PATH], in_buf[DIR_PATH];

	snprintf(path, sizeof(path), "%s/%s",
		 dir_path(dir, w->mnt_root[i], buf), dir_path(in, 0, in_buf));
	return mount_event(w, i, path, event);
}

int world_umount(struct world *w, int i, int dir, bool lazy)
{
	char buf[DIR_PATH], top[16];
	const char *path = dir_path(dir, w->mnt_root[i], buf);

	if (world_enter(w, w->mnt_ns[i]))
		return -1;
	/* what is on top of it is found from where it is mounted */
	snprintf(top, sizeof(top), "/h%d", i);
	if (!*path)
		path = top;
	if (fchdir(w->mnt[i]) ||
	    umount2(path, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)))
		return world_fail(w, "umount", path);
	return 0;
}

int world_bind(struct world *w, int i, int dir, int at)
{
	char buf[DIR_PATH], to[DIR_PATH + 1] = "/", to_buf[DIR_PATH];
	const char *path = dir_path(dir, w->mnt_root[i], buf);
	int fd;

	strcat(to, dir_path(at, 0, to_buf));
	if (w->way == WAY_CLASSIC) {
		if (world_enter(w, w->mnt_ns[i]))
			return -1;
		if (fchdir(w->mnt[i]) ||
		    mount(*path ? path : ".", to, NULL, MS_BIND, NULL))
			return world_fail(w, "bind", path);
		fd = open(to, O_PATH | O_CLOEXEC);
		if (fd < 0)
			return world_fail(w, "open", to);
	} else {
		fd = mc_open_tree(w->mnt[i], path, OPEN_TREE_CLONE |
				  OPEN_TREE_FOREIGN | OPEN_TREE_CLOEXEC |
				  (*path ? 0 : AT_EMPTY_PATH));
		if (fd < 0)
			return world_fail(w, "clone", path);
		if (mc_move_mount(fd, "", w->root[w->mnt_ns[i]], to + 1,
				  MOVE_MOUNT_F_EMPTY_PATH |
				  MOVE_MOUNT_T_FOREIGN | MOVE_MOUNT_UNLOCKED)) {
			close(fd);
			return world_fail(w, "attach", to);
		}
	}
	w->mnt[w->nr] = fd;
	w->mnt_ns[w->nr] = w->mnt_ns[i];
	w->mnt_root[w->nr++] = dir;
	return 0;
}

/* The newest bind goes away. */
int world_unbind(struct world *w, int at)
{
	char to[DIR_PATH + 1] = "/", buf[DIR_PATH];

	strcat(to, dir_path(at, 0, buf));
	close(w->mnt[--w->nr]);
	if (world_enter(w, w->mnt_ns[w->nr]))
		return -1;
	if (chdir("/") || umount2(to, UMOUNT_NOFOLLOW))
		return world_fail(w, "umount", to);
	return 0;
}

int world_bind_below(struct world *w, int i, int j, int dir)
{
	char from[32], to[64], buf[DIR_PATH];
	const char *path = dir_path(dir, w->mnt_root[j], buf);
	int fd;

	if (w->way == WAY_CLASSIC) {
		if (world_enter(w, w->mnt_ns[i]))
			return -1;
		snprintf(from, sizeof(from), "self/fd/%d", w->mnt[i]);
		snprintf(to, sizeof(to), "self/fd/%d/%s", w->mnt[j], path);
		if (fchdir(w->proc) || mount(from, to, NULL, MS_BIND, NULL))
			return world_fail(w, "bind on", path);
		fd = openat(w->mnt[j], path, O_PATH | O_CLOEXEC);
		if (fd < 0)
			return world_fail(w, "open", path);
	} else {
		fd = mc_open_tree(w->mnt[i], "", OPEN_TREE_CLONE | OPEN_TREE_FOREIGN |
				  OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
		if (fd < 0)
			return world_fail(w, "clone for", path);
		if (mc_move_mount(fd, "", w->mnt[j], path, MOVE_MOUNT_F_EMPTY_PATH |
				  MOVE_MOUNT_T_FOREIGN | MOVE_MOUNT_UNLOCKED)) {
			close(fd);
			return world_fail(w, "attach", path);
		}
	}
	w->mnt[w->nr] = fd;
	w->mnt_ns[w->nr] = w->mnt_ns[j];
	w->mnt_root[w->nr++] = w->mnt_root[i];
	return 0;
}

int world_unbind_below(struct world *w, int j, int dir)
{
	close(w->mnt[--w->nr]);
	return world_umount(w, j, dir, false);
}

int world_type(struct world *w, int i, int dir, enum model_type type, bool rec)
{
	static const unsigned long flags[] = {
		[MODEL_PRIVATE] = MS_PRIVATE, [MODEL_SHARED] = MS_SHARED,
		[MODEL_SLAVE] = MS_SLAVE, [MODEL_UNBINDABLE] = MS_UNBINDABLE,
	};
	char buf[DIR_PATH];
	const char *path = ".";

	if (dir >= 0)
		path = dir_path(dir, w->mnt_root[i], buf);
	if (world_enter(w, w->mnt_ns[i]))
		return -1;
	if (fchdir(w->mnt[i]) ||
	    mount(NULL, path, NULL, flags[type] | (rec ? MS_REC : 0), NULL))
		return world_fail(w, "change the type of", path);
	return 0;
}

int world_move(struct world *w, int i, int j, int dir)
{
	char from[32], to[64], buf[DIR_PATH];
	const char *path = dir_path(dir, w->mnt_root[j], buf);
	int err;

	if (world_enter(w, w->mnt_ns[i]))
		return -1;
	if (w->way == WAY_CLASSIC) {
		snprintf(from, sizeof(from), "self/fd/%d", w->mnt[i]);
		snprintf(to, sizeof(to), "self/fd/%d/%s", w->mnt[j], path);
		err = fchdir(w->proc) || mount(from, to, NULL, MS_MOVE, NULL);
	} else {
		err = mc_move_mount(w->mnt[i], "", w->mnt[j], path,
				    MOVE_MOUNT_F_EMPTY_PATH);
	}
	return err ? world_fail(w, "move to", path) : 0;
}

int world_rbind(struct world *w, int ns, int at)
{
	char to[DIR_PATH + 1] = "/", buf[DIR_PATH];

	strcat(to, dir_path(at, 0, buf));
	if (world_enter(w, ns))
		return -1;
	if (mount("/", to, NULL, MS_BIND | MS_REC, NULL))
		return world_fail(w, "recursive bind on", to);
	return 0;
}

int world_unrbind(struct world *w, int ns, int at)
{
	char to[DIR_PATH + 1] = "/", buf[DIR_PATH];

	strcat(to, dir_path(at, 0, buf));
	if (world_enter(w, ns))
		return -1;
	if (umount2(to, MNT_DETACH | UMOUNT_NOFOLLOW))
		return world_fail(w, "lazy umount of", to);
	return 0;
}

/* Owned by a user namespace that only a child is in, until it exits. */
static int new_owner(struct world *w)
{
	int hold, k = w->nr_ns, err = 0;
	pid_t pid = kuser_start(-1, CLONE_NEWNS, &hold);
	char path[64];

	w->under[k] = -1;
	if (pid < 0)
		return world_fail(w, "unshare", "user namespace");
	snprintf(path, sizeof(path), "%d/ns/mnt", pid);
	w->ns[k] = openat(w->proc, path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%d/root", pid);
	w->root[k] = openat(w->proc, path, O_PATH | O_CLOEXEC);
	if (w->ns[k] < 0 || w->root[k] < 0)
		err = world_fail(w, "open", path);
	else
		w->nr_ns++;
	close(hold);
	waitpid(pid, NULL, 0);
	return err;
}

int world_clone(struct world *w, int ns, bool less)
{
	if (world_enter(w, ns))
		return -1;
	if (less)
		return new_owner(w);
	return world_new_ns(w) < 0 ? -1 : 0;
}

int world_add_at(struct world *w, int ns, int i, const char *path)
{
	if (world_enter(w, ns))
		return -1;
	w->mnt[w->nr] = open(path, O_PATH | O_CLOEXEC);
	if (w->mnt[w->nr] < 0)
		return world_fail(w, "open", path);
	w->mnt_ns[w->nr] = ns;
	w->mnt_root[w->nr++] = w->mnt_root[i];
	return 0;
}

int world_add(struct world *w, int ns, int i)
{
	char path[16];

	snprintf(path, sizeof(path), "/h%d", i);
	return world_add_at(w, ns, i, path);
}

int world_umount_at(struct world *w, int ns, const char *path, bool lazy)
{
	if (world_enter(w, ns))
		return -1;
	if (chdir("/") ||
	    umount2(path, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)))
		return world_fail(w, "umount", path);
	return 0;
}
