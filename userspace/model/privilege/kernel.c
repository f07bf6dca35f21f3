// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A start, as the running kernel has it: made, changed back and taken down.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "privilege/kernel.h"
#include "base/base.h"

int kernel_fail(struct kernel *k, const char *what)
{
	snprintf(k->what, sizeof(k->what), "%s: %s", what, strerror(errno));
	return -1;
}

/* A source of clones: a tmpfs with directories, each child named as given. */
static int make_source(struct kernel *k, const char *path,
		       const char *const *child)
{
	char sub[64];

	if ((mkdir(path, 0755) && errno != EEXIST) ||
	    mount("privsweep", path, "tmpfs", 0, "mode=755"))
		return kernel_fail(k, path);
	for (; *child; child++) {
		snprintf(sub, sizeof(sub), "%s/%s", path, *child);
		if (mkdir(sub, 0755))
			return kernel_fail(k, sub);
	}
	return 0;
}

static int source_dev(struct kernel *k, const char *path, dev_t *dev)
{
	struct stat st;

	if (stat(path, &st))
		return kernel_fail(k, path);
	*dev = st.st_dev;
	return 0;
}

const char *const kernel_dirs[] = { "", "a", "b", "3", "4", "5", "6", "7" };

int kernel_sources(struct kernel *k)
{
	static const char *const none[] = { NULL };
	static const char *const roots[] = { "a", "b", NULL };
	static const char *const hang[] = { "3", "4", "5", "6", "7", NULL };
	static const char *const top[] = {
		"start", "hang", "main", "leaf0", "leaf1", "leaf2", "leaf3",
		"leaf4", NULL,
	};
	char path[32];

	if (mc_unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    make_source(k, "/privsweep", top) ||
	    make_source(k, "/privsweep/hang", hang) ||
	    make_source(k, "/privsweep/main", roots))
		return *k->what ? -1 : kernel_fail(k, "unshare");
	for (int i = 0; i < PRIV_MAX; i++) {
		snprintf(path, sizeof(path), "/privsweep/leaf%d", i);
		if (make_source(k, path, none) || source_dev(k, path, &k->dev[2 + i]))
			return -1;
	}
	if (source_dev(k, "/privsweep/hang", &k->dev[0]) ||
	    source_dev(k, "/privsweep/main", &k->dev[1]))
		return -1;
	k->own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	return k->own < 0 ? kernel_fail(k, "own namespace") : 0;
}

/* Its maker alone, so that it can make another one below. */
static int map_user(pid_t pid, const char *file)
{
	char path[64], line[32];
	int fd, n;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	n = snprintf(line, sizeof(line), "%d %d 1", CALLER, CALLER);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	n = fd < 0 || write(fd, line, n) != n;
	if (fd >= 0)
		close(fd);
	return n;
}

/*
 * A copy of this namespace; @uid: who makes a user namespace for it, or 0; @up: the
 * user namespace above that, or -1.
 */
int kernel_ns(struct kernel *k, int i, uid_t uid, int up)
{
	int pipe_fd[2], err;
	char path[64], ok = 0;
	pid_t pid;

	if (pipe(pipe_fd))
		return kernel_fail(k, "pipe");
	pid = fork();
	if (pid == 0) {
		close(pipe_fd[0]);
		if ((uid && (setgid(uid) || setuid(uid))) ||
		    (up >= 0 && setns(up, CLONE_NEWUSER)) ||
		    prctl(PR_SET_PDEATHSIG, SIGKILL) ||
		    mc_unshare(CLONE_NEWNS | (uid ? CLONE_NEWUSER : 0)) ||
		    write(pipe_fd[1], "", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(pipe_fd[1]);
	err = pid < 0 || read(pipe_fd[0], &ok, 1) != 1;
	close(pipe_fd[0]);
	if (!err && uid == CALLER && up < 0)
		err = map_user(pid, "uid_map") || map_user(pid, "gid_map");
	if (!err) {
		snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
		k->ns[i] = open(path, O_RDONLY | O_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/%d/root/privsweep/start", pid);
		k->place[i] = open(path, O_PATH | O_CLOEXEC);
		err = k->ns[i] < 0 || k->place[i] < 0;
	}
	if (err)
		kernel_fail(k, "namespace");
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return err ? -1 : 0;
}

/* A clone of @source, attached at @at of @parent; a descriptor of it. */
static int attach(struct kernel *k, const char *source, int parent,
		  const char *at)
{
	int fd = mc_open_tree(AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (fd < 0)
		return kernel_fail(k, source);
	if (mc_move_mount(fd, "", parent, at, MOVE_MOUNT_F_EMPTY_PATH |
			  MOVE_MOUNT_T_EMPTY_PATH | MOVE_MOUNT_T_FOREIGN |
			  MOVE_MOUNT_UNLOCKED)) {
		kernel_fail(k, "move_mount");
		close(fd);
		return -1;
	}
	return fd;
}

int kernel_setgroup(const int *fd, int nr, int named, unsigned int flags)
{
	struct mc_mount_group_args args = {
		.mnt_fds = (uintptr_t)fd, .nr_fds = nr,
	};

	if (flags != MODEL_SG_SHARED)
		args.target_fd = named;
	return mc_mount_setgroup(&args, sizeof(args), flags) ? -errno : 0;
}

static int first_member(const struct start *s, int group)
{
	for (int i = 0; i < s->nr; i++)
		if (s->m[i].group == group)
			return i;
	return -1;
}

static int build_mounts(struct kernel *k, const struct start *s)
{
	char path[64];

	for (int ns = 0; ns < PRIV_NS; ns++) {
		k->fd[ns] = attach(k, "/privsweep/hang", k->place[ns], "");
		if (k->fd[ns] < 0)
			return -1;
	}
	for (int i = 0; i < s->nr; i++) {
		const struct start_mount *p = &s->m[i];
		int up = p->parent < 0 ? p->ns : PRIV_NS + p->parent, at = p->at;

		if (p->parent < 0)
			at = PRIV_ROOTS + i;
		else if (at == s->m[(int)p->parent].root)
			at = 0;
		snprintf(path, sizeof(path), "/privsweep/main/%s",
			 kernel_dirs[(int)p->root]);
		if (p->leaf)
			snprintf(path, sizeof(path), "/privsweep/leaf%d", i);
		k->fd[PRIV_NS + i] = attach(k, path, k->fd[up], kernel_dirs[at]);
		if (k->fd[PRIV_NS + i] < 0)
			return -1;
	}
	return 0;
}

/* Groups, masters first; then slaves; then locks. */
static int build_sharing(struct kernel *k, const struct start *s)
{
	struct mc_mount_attr lock = { .lock_set = MOUNT_LOCK_MOUNT };
	struct mc_mount_attr unbindable = { .propagation = MS_UNBINDABLE };
	int done = 1, *fd = k->fd + PRIV_NS, master, err = 0;

	for (int g = 1; done != (2 << s->nr_groups) - 1 && !err;
	     g = g % s->nr_groups + 1) {
		int member[PRIV_MAX], nr = 0, up = s->group_master[g];

		if (done >> g & 1 || !(done >> up & 1))
			continue;
		for (int i = 0; i < s->nr; i++)
			if (s->m[i].group == g)
				member[nr++] = fd[i];
		done |= 1 << g;
		master = up ? fd[first_member(s, up)] : -1;
		err = kernel_setgroup(member, nr, master, MODEL_SG_SHARED |
			       (up ? MODEL_SG_MASTER : 0));
	}
	for (int i = 0; i < s->nr && !err; i++)
		if (!s->m[i].group && s->m[i].master)
			err = kernel_setgroup(&fd[i], 1, fd[first_member(s, s->m[i].master)],
				       MODEL_SG_MASTER);
	for (int i = 0; i < s->nr && !err; i++)
		if (s->m[i].unbindable)
			err = mc_mount_setattr(fd[i], "", AT_EMPTY_PATH, &unbindable,
					       sizeof(unbindable));
	for (int i = 0; i < s->nr && !err; i++)
		if (s->m[i].locked)
			err = mc_mount_setattr(fd[i], "", AT_EMPTY_PATH, &lock,
					       sizeof(lock));
	return err ? kernel_fail(k, "groups or locks") : 0;
}

void kernel_take_down(struct kernel *k)
{
	for (int ns = 0; ns < PRIV_NS; ns++)
		if (k->fd[ns] >= 0 && !setns(k->ns[ns], CLONE_NEWNS))
			umount2("/privsweep/start", MNT_DETACH);
	if (setns(k->own, CLONE_NEWNS))
		_exit(1);
	for (int i = 0; i < PRIV_NS + PRIV_MAX; i++) {
		if (k->fd[i] >= 0)
			close(k->fd[i]);
		k->fd[i] = -1;
	}
}

int kernel_undo(struct kernel *k, const int *member, int nr)
{
	char path[32];

	for (int i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d",
			 k->fd[member[i]]);
		if (mount(NULL, path, NULL, MS_PRIVATE, NULL))
			return kernel_fail(k, "undo");
	}
	return 0;
}

/* In a namespace that is in the caller's power, from where calls are made. */
int kernel_enter(struct kernel *k, int ns)
{
	return setns(k->ns[ns], CLONE_NEWNS) ? kernel_fail(k, "setns") : 0;
}

int kernel_build(struct kernel *k, const struct start *s, unsigned int caps)
{
	return build_mounts(k, s) || build_sharing(k, s) ||
	       kernel_enter(k, __builtin_ctz(caps));
}

int kernel_rebuild(struct kernel *k, const struct start *s, unsigned int caps)
{
	kernel_take_down(k);
	return kernel_build(k, s, caps);
}

/* Of two owners in the caller's power the other one is the lower one. */
void kernel_turn(struct kernel *k)
{
	int ns = k->ns[1], place = k->place[1];

	k->ns[1] = k->ns[2];
	k->place[1] = k->place[2];
	k->ns[2] = ns;
	k->place[2] = place;
	k->turned = !k->turned;
}

int kernel_look(struct kernel *k, struct seen *seen)
{
	seen->nr = 0;
	for (int i = 0; i < PRIV_NS; i++)
		if (seen_kernel(seen, k->ns[i], i, k->dev, kernel_dirs))
			return kernel_fail(k, "what is mounted");
	return 0;
}
