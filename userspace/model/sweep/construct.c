// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A topology as mounts of the running kernel: building it, two ways.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/wait.h>

#include "base/base.h"
#include "sweep/world.h"

/* The series' way: private mounts in place, then one call per group. */

static int place_private(struct world *w, const struct topo *t,
			 const struct layout *l, int i)
{
	const struct topo_mount *m = &t->m[i];
	struct mc_mount_attr attr = { .propagation = MS_UNBINDABLE };
	int at, on = layout_place(t, l, i, &at), fd;
	char buf[DIR_PATH];
	const char *path = dir_path(m->root, 0, buf);
	unsigned int flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_FOREIGN |
			     MOVE_MOUNT_UNLOCKED;

	fd = mc_open_tree(w->base_shared, path, OPEN_TREE_CLONE |
			  OPEN_TREE_FOREIGN | OPEN_TREE_CLOEXEC |
			  (*path ? 0 : AT_EMPTY_PATH));
	if (fd < 0)
		return world_fail(w, "clone", path);
	w->mnt[i] = fd;
	if (m->kind == TOPO_UNBINDABLE &&
	    mc_mount_setattr(fd, "", AT_EMPTY_PATH, &attr,
			     MC_MOUNT_ATTR_SIZE_VER0))
		return world_fail(w, "make unbindable", path);
	path = dir_path(at, on < 0 ? 0 : t->m[on].root, buf);
	if (!*path)
		flags |= MOVE_MOUNT_T_EMPTY_PATH;
	if (mc_move_mount(fd, "", on < 0 ? w->root[m->ns] : w->mnt[on], path,
			  flags))
		return world_fail(w, "attach at", path);
	return 0;
}

static int set_group(struct world *w, const int *fds, int n, int named,
		     unsigned int flags)
{
	struct mc_mount_group_args args = {
		.mnt_fds = (uintptr_t)fds,
		.nr_fds = n,
		.target_fd = flags == MOUNT_SETGROUP_SHARED ? 0 : named,
	};

	if (mc_mount_setgroup(&args, sizeof(args), flags))
		return world_fail(w, "mount_setgroup", "");
	return 0;
}

int world_setgroup(struct world *w, const int *member, int n, int named,
		   unsigned int flags, int owner)
{
	int fd[TOPO_MAX], user, status = 0;
	pid_t pid;

	for (int k = 0; k < n; k++)
		fd[k] = w->mnt[member[k]];
	if (owner < 0)
		return set_group(w, fd, n, w->mnt[named], flags);
	user = ioctl(w->ns[owner], MC_NS_GET_USERNS);
	if (user < 0)
		return world_fail(w, "open", "user namespace");
	pid = fork();
	if (!pid) {
		if (setns(user, CLONE_NEWUSER))
			_exit(255);
		_exit(set_group(w, fd, n, w->mnt[named], flags) ?
		      w->err : 0);
	}
	close(user);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return world_fail(w, "fork", "");
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
	return errno ? world_fail(w, "mount_setgroup", "by the owner") : 0;
}

/* The descriptors of a group's members, or of its slaves. */
static int list(const struct world *w, const struct topo *t, int g,
		enum topo_kind kind, int *fd)
{
	int n = 0;

	for (int i = 0; i < t->nr; i++)
		if (t->m[i].kind == kind && t->m[i].group == g)
			fd[n++] = w->mnt[i];
	return n;
}

/* All in one call, or the first and then the others, or one by one. */
enum { AT_ONCE, FIRST_THEN_ALL, ONE_BY_ONE, IN_PAIRS };

static int join(struct world *w, const int *fd, int n, int first,
		unsigned int flags, uint64_t *hash)
{
	int how = topo_next_random(hash) & 3, chunk = n, err;

	if (how == AT_ONCE || n == 1)
		return set_group(w, fd, n, first, flags);
	err = set_group(w, fd, 1, first, flags);
	if (flags & MOUNT_SETGROUP_SHARED)
		flags = MOUNT_SETGROUP_PEER;
	else
		flags = MOUNT_SETGROUP_SIBLING;
	if (how != FIRST_THEN_ALL)
		chunk = how == ONE_BY_ONE ? 1 : 2;
	for (int i = 1; i < n && !err; i += chunk) {
		int named = fd[topo_next_random(hash) % i];

		err = set_group(w, fd + i, i + chunk > n ? n - i : chunk, named,
				flags);
	}
	return err;
}

static int set_one_group(struct world *w, const struct topo *t, int g,
			 uint64_t *hash)
{
	unsigned int flags = MOUNT_SETGROUP_SHARED;
	int fd[TOPO_MAX], n, master = 0, err;

	n = list(w, t, t->master[g], TOPO_MEMBER, fd);
	if (n) {
		flags |= MOUNT_SETGROUP_MASTER;
		master = fd[topo_next_random(hash) % n];
	}
	n = list(w, t, g, TOPO_MEMBER, fd);
	err = join(w, fd, n, master, flags, hash);
	master = fd[topo_next_random(hash) % n];
	n = list(w, t, g, TOPO_SLAVE, fd);
	if (!err && n)
		err = join(w, fd, n, master, MOUNT_SETGROUP_MASTER, hash);
	return err;
}

static int lock(struct world *w, int i)
{
	struct mc_mount_attr attr = { .lock_set = MOUNT_LOCK_MOUNT };

	if (world_enter(w, w->mnt_ns[i]))
		return -1;
	if (mc_mount_setattr(w->mnt[i], "", AT_EMPTY_PATH, &attr,
			     MC_MOUNT_ATTR_SIZE_VER1))
		return world_fail(w, "lock", "a mount");
	return 0;
}

static int build_api(struct world *w, const struct topo *t,
		     const struct layout *l, uint64_t hash)
{
	int nr_ns = topo_nr_ns(t), order[TOPO_MAX], err = 0;

	while (w->nr_ns < nr_ns)
		if (world_enter(w, -1) || world_new_ns(w) < 0)
			return -1;
	if (world_enter(w, -1))
		return -1;
	layout_order(t, l, order);
	for (int i = 0; i < t->nr && !err; i++)
		err = place_private(w, t, l, order[i]);
	for (int g = 0; g < t->nr_groups && !err; g++)
		err = set_one_group(w, t, g, &hash);
	for (int i = 0; i < t->nr && !err; i++)
		if (l->locked[i])
			err = lock(w, i);
	return err;
}

/*
 * With mount(2) alone: for each group a mount of the whole superblock, a copy
 * of its master group's made a slave and then shared; from it the members and
 * slaves are bound, and then it goes.  The other namespaces are copies of the
 * first, each keeps what belongs to it.
 */

/* Another mount to bind mount @i from: a peer to be, bound before it. */
static int wider_peer(const struct topo *t, int i, const bool *bound)
{
	for (int k = 0; k < t->nr; k++)
		if (bound[k] && t->m[k].kind == TOPO_MEMBER &&
		    t->m[k].group == t->m[i].group && !t->m[k].root)
			return k;
	return -1;
}

static int bind_member(struct world *w, const struct topo *t, int i,
		       bool *bound, uint64_t *hash)
{
	static const unsigned long type[] = {
		[TOPO_UNBINDABLE] = MS_UNBINDABLE, [TOPO_SLAVE] = MS_SLAVE,
		[TOPO_MEMBER] = 0, [TOPO_PRIVATE] = 0,
	};
	const struct topo_mount *m = &t->m[i];
	char from[64], to[16], buf[DIR_PATH];
	const char *root = dir_path(m->root, 0, buf);
	int peer = wider_peer(t, i, bound);

	bound[i] = true;
	if (m->kind >= TOPO_MEMBER && peer >= 0 && topo_next_random(hash) & 1)
		snprintf(from, sizeof(from), "/h%d/%s", peer, root);
	else if (m->kind >= TOPO_MEMBER)
		snprintf(from, sizeof(from), "/seed/%d/%s", m->group, root);
	else
		snprintf(from, sizeof(from), "/src/shared/%s", root);
	snprintf(to, sizeof(to), "/h%d", i);
	return world_bind_path(w, from, to, type[m->kind], 0);
}

static int bind_seeds(struct world *w, const struct topo *t)
{
	char from[32], to[32];
	int err = 0;

	for (int g = 0; g < t->nr_groups && !err; g++) {
		bool slave = t->master[g] >= 0;

		snprintf(from, sizeof(from), "/seed/%d", t->master[g]);
		snprintf(to, sizeof(to), "/seed/%d", g);
		err = world_bind_path(w, slave ? from : "/src/shared", to,
				      slave ? MS_SLAVE : MS_SHARED,
				      slave ? MS_SHARED : 0);
	}
	return err;
}

static int umount_seeds(struct world *w, const struct topo *t, uint64_t *hash)
{
	int turn = topo_next_random(hash) % TOPO_MAX;
	char to[32];

	for (int g = 0; g < t->nr_groups; g++) {
		snprintf(to, sizeof(to), "/seed/%d", (g + turn) % t->nr_groups);
		if (umount2(to, UMOUNT_NOFOLLOW))
			return world_fail(w, "umount", to);
	}
	return 0;
}

/* Mounted in its own namespace, when that is there. */
static bool is_late(const struct layout *l, int i)
{
	return l->on[i] >= 0 || l->locked[i];
}

/* Namespace @k keeps what belongs to it. */
static int drop_foreign(struct world *w, const struct topo *t,
			const struct layout *l, int k)
{
	char path[16];

	if (world_enter(w, k))
		return -1;
	for (int i = 0; i < t->nr; i++) {
		snprintf(path, sizeof(path), "/h%d", i);
		if (!is_late(l, i) && t->m[i].ns != k &&
		    umount2(path, UMOUNT_NOFOLLOW))
			return world_fail(w, "umount", path);
	}
	return 0;
}

/*
 * The lock comes with a shim, which is taken away at a peer of the parent's.  So
 * what has locked children is shared meanwhile.
 */
static bool share_parents(struct topo *t, const struct layout *l)
{
	bool locks = false;

	for (int i = 0; i < t->nr; i++) {
		struct topo_mount *m;

		if (!l->locked[i])
			continue;
		locks = true;
		if (l->on[i] < 0)
			continue;
		m = &t->m[l->on[i]];
		if (m->kind < TOPO_MEMBER) {
			m->group = t->nr_groups;
			t->master[t->nr_groups++] = -1;
		}
		m->kind = TOPO_MEMBER;
	}
	return locks;
}

/* They become what they are to be. */
static int set_types(struct world *w, const struct topo *t,
		     const struct topo *built)
{
	static const enum model_type type[] = {
		[TOPO_PRIVATE] = MODEL_PRIVATE,
		[TOPO_UNBINDABLE] = MODEL_UNBINDABLE,
		[TOPO_SLAVE] = MODEL_SLAVE,
	};

	for (int i = 0; i < t->nr; i++)
		if (t->m[i].kind != built->m[i].kind &&
		    world_type(w, i, -1, type[t->m[i].kind], false))
			return -1;
	return 0;
}

static int build_classic(struct world *w, const struct topo *goal,
			 const struct layout *l, uint64_t hash)
{
	int nr_ns = topo_nr_ns(goal), turn, order[TOPO_MAX];
	bool bound[TOPO_MAX] = { false }, children = false;
	struct topo shared = *goal, *t = &shared;
	char path[16];

	if (share_parents(t, l) ? world_new_locking_ns(w) :
	    (world_enter(w, -1) || world_new_ns(w) < 0))
		return -1;
	if (bind_seeds(w, t))
		return -1;
	turn = topo_next_random(&hash) % t->nr;
	for (int i = 0; i < t->nr; i++) {
		int k = (i + turn) % t->nr;

		if (is_late(l, k))
			children = true;
		else if (bind_member(w, t, k, bound, &hash))
			return -1;
	}
	/* they are needed where children are to be */
	if (!children && umount_seeds(w, t, &hash))
		return -1;
	while (w->nr_ns < nr_ns)
		if (world_enter(w, 0) || fchdir(w->under[0]) ||
		    world_new_ns(w) < 0)
			return -1;
	for (int k = 0; k < nr_ns; k++)
		if (drop_foreign(w, t, l, k))
			return -1;
	for (int i = 0; i < t->nr; i++) {
		if (is_late(l, i))
			continue;
		snprintf(path, sizeof(path), "/h%d", i);
		if (world_enter(w, t->m[i].ns))
			return -1;
		w->mnt[i] = open(path, O_PATH | O_CLOEXEC);
		if (w->mnt[i] < 0)
			return world_fail(w, "open", path);
	}
	layout_order(t, l, order);
	for (int i = 0; i < t->nr && children; i++)
		if (is_late(l, order[i]) && world_add_child(w, t, l, order[i]))
			return -1;
	for (int k = 0; k < nr_ns && children; k++)
		if (world_enter(w, k) || chdir("/") || umount_seeds(w, t, &hash))
			return -1;
	return set_types(w, goal, t);
}

int world_build(struct world *w, enum way way, const struct topo *t,
		const struct layout *l, uint64_t hash)
{
	world_drop(w);
	w->way = way;
	for (w->nr = 0; w->nr < t->nr; w->nr++) {
		w->mnt[w->nr] = -1;
		w->mnt_ns[w->nr] = t->m[w->nr].ns;
		w->mnt_root[w->nr] = t->m[w->nr].root;
	}
	return way == WAY_CLASSIC ? build_classic(w, t, l, hash) :
		build_api(w, t, l, hash);
}
