// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Histories: an operation in the kernel.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * A mount is got at by its path, if nothing covers that, or by its id: what a path
 * leads to is compared with the model so, too.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/base.h"
#include "history/world.h"

#define FAILED	1	/* with what it takes, said in world.error */

/* What is at that place of it: to be mounted on, or beneath. */
static bool place(const struct hist *h, const struct op *op, int mnt)
{
	/* what is beneath the top would be the top */
	if (op->flags & OP_BENEATH)
		return op->to == h->m.mnt[mnt].root &&
		       (hist_held(h, mnt) || h->m.mnt[h->m.mnt[mnt].parent].parent >= 0);
	return hist_way(h, mnt, op->to, true);
}

static bool reach(const struct world *w, const struct hist *h, int mnt)
{
	char path[HIST_PATH];

	/* by id only where there is a namespace to ask */
	if (hist_held(h, mnt))
		return hist_path(h, mnt, path, sizeof(path));
	return h->m.mnt[mnt].parent >= 0 &&
	       (w->by_id || hist_path(h, mnt, path, sizeof(path)));
}

/*
 * What is done to mounts that are held as to others.  Not events, which nobody could
 * unmount again, nor what takes a process whose root is there.
 */
static bool may_be_held(const struct op *op)
{
	return op->type != OP_EVENT && op->type != OP_PIVOT;
}

bool world_can(const struct world *w, const struct hist *h, const struct op *op,
	       const struct target *t)
{
	char path[HIST_PATH];

	if (!may_be_held(op) && ((t->a >= 0 && hist_held(h, t->a)) ||
				       (t->b >= 0 && hist_held(h, t->b))))
		return false;
	switch (op->type) {
	case OP_MOUNT:
		return !h->removed[op->from] && hist_from(h, t->b) >= 0 &&
		       reach(w, h, t->b) && place(h, op, t->b);
	case OP_EVENT:
		return reach(w, h, t->b) && hist_way(h, t->b, op->to, true);
	case OP_BIND:
		return t->within >= 0 && reach(w, h, t->a) && reach(w, h, t->b) &&
		       hist_way(h, t->a, op->from, false) &&
		       hist_way(h, t->b, op->to, true);
	case OP_MOVE:
		/* all of a detached tree would be attached */
		return t->within >= 0 && h->m.mnt[t->a].parent >= 0 &&
		       reach(w, h, t->a) && reach(w, h, t->b) && place(h, op, t->b);
	case OP_RENAME:
	case OP_RMDIR:
		/* what no path leads to any more can be asked for by id alone */
		return w->by_id;
	case OP_MKDIR:
		return true;
	case OP_PIVOT:
		return reach(w, h, t->a) && reach(w, h, t->b) &&
		       reach(w, h, t->member[0]) && hist_way(h, t->b, op->to, true);
	case OP_FOREIGN:
		return w->by_id && reach(w, h, t->a) && reach(w, h, t->b) &&
		       hist_way(h, t->a, op->from, false) &&
		       hist_way(h, t->b, op->to, true);
	case OP_SETGROUP:
		for (int i = 0; i < op->nr; i++)
			if (!reach(w, h, t->member[i]))
				return false;
		return w->by_id && (op->arg == MODEL_SG_SHARED || reach(w, h, t->a));
	case OP_SET_GROUP:
		return w->by_id && reach(w, h, t->a) && reach(w, h, t->b);
	case OP_LOCK:
		return w->by_id && w->locks && reach(w, h, t->a);
	case OP_UMOUNT:
		/* paths begin at the one; what covers the other would go instead */
		if (t->a == hist_top(h, h->m.mnt[t->a].ns) ||
		    model_lookup(&h->m, t->a, h->m.mnt[t->a].root) >= 0)
			return false;
		/* that of a detached tree goes with its descriptor */
		if (hist_from(h, t->a) < 0)
			return false;
		if (op->flags & OP_LAZY)
			return reach(w, h, t->a);
		/* a descriptor would keep it busy */
		return h->m.mnt[t->a].parent >= 0 &&
		       hist_path(h, t->a, path, sizeof(path));
	case OP_TYPE:
		return reach(w, h, t->a);
	case OP_CLONE:
		return h->m.nr_ns < HIST_NS;
	case OP_OPEN:
		/* what is in there is asked for with the series' calls */
		return w->by_id && h->m.nr_ns < HIST_NS && t->within >= 0 &&
		       reach(w, h, t->a) && hist_way(h, t->a, op->from, false);
	case OP_ATTACH:
		return t->within >= 0 && reach(w, h, t->b) && hist_way(h, t->b, op->to, true);
	case OP_DROP:
		return true;
	case NR_OPS:
		break;
	}
	return false;
}

/* A descriptor of the root of a mount. */
static int get(struct world *w, const struct hist *h, int mnt)
{
	int ns = h->m.mnt[mnt].ns, fd;
	char path[HIST_PATH];
	uint64_t id;

	if (!hist_path(h, mnt, path, sizeof(path)))
		/* covered */
		fd = mc_ns_mnt_open(w->ns[ns], h->tag[mnt].id);
	else
		fd = openat(w->root[ns], *path ? path : ".", O_PATH | O_CLOEXEC);
	if (fd < 0 || world_unique_id(fd, &id)) {
		world_fail(w, "open", path);
		world_close(fd);
		return -1;
	}
	/* below the root of what is held none is known yet */
	if (h->tag[mnt].id && id != h->tag[mnt].id) {
		close(fd);
		w->differs = "the path leads to another mount";
		snprintf(w->error, sizeof(w->error),
			 "the path %.400s leads to another mount", path);
		return -1;
	}
	return fd;
}

/* For mount(2), from /proc. */
static void proc_path(const struct hist *h, int fd, int mnt, int dir, char *path)
{
	int n = sprintf(path, "self/fd/%d", fd), root = h->m.mnt[mnt].root;

	if (dir == root)
		return;
	path[n++] = '/';
	hist_dir(h, dir, root, path + n);
}

static int enter(struct world *w, int ns)
{
	if (world_enter(w, ns))
		return -1;
	return fchdir(w->proc) ? world_fail(w, "chdir", "/proc") : 0;
}

/* A clone of what is at that path of it. */
static int clone_of(int from, const char *path, unsigned int how)
{
	return mc_open_tree(from, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | how |
			    (*path ? 0 : AT_EMPTY_PATH));
}

/* To that path of another one: 0 or -errno. */
static int put_at(int fd, int at, const char *path, unsigned int how)
{
	return mc_move_mount(fd, "", at, path, how | MOVE_MOUNT_F_EMPTY_PATH |
			     (*path ? 0 : MOVE_MOUNT_T_EMPTY_PATH)) ? -errno : 0;
}

/* A clone of a source, attached from within the namespace. */
static int do_mount(struct world *w, const struct hist *h, int sb, int dir,
		    int mnt, int to, unsigned int how)
{
	char from[64], path[64];
	int at = get(w, h, mnt), fd, err = FAILED;

	if (at < 0)
		return FAILED;
	hist_dir(h, dir, 0, from);
	hist_dir(h, to, h->m.mnt[mnt].root, path);
	fd = clone_of(w->source[sb], from, 0);
	if (fd < 0)
		world_fail(w, "clone", from);
	else if (!world_enter(w, hist_from(h, mnt)))
		err = put_at(fd, at, path, how);
	world_close(fd);
	close(at);
	return err;
}

static int do_bind(struct world *w, const struct hist *h, const struct op *op,
		   const struct target *t)
{
	int from = get(w, h, t->a), to = get(w, h, t->b), err = FAILED;
	char source[128], target[128];

	if (from >= 0 && to >= 0 && !enter(w, t->within)) {
		proc_path(h, from, t->a, op->from, source);
		proc_path(h, to, t->b, op->to, target);
		if (op->flags & OP_BENEATH)
			err = mc_move_mount(from, "", to, "", MOVE_MOUNT_BENEATH |
					    MOVE_MOUNT_F_EMPTY_PATH |
					    MOVE_MOUNT_T_EMPTY_PATH);
		else if (op->type == OP_MOVE)
			err = mount(source, target, NULL, MS_MOVE, NULL);
		else
			err = mount(source, target, NULL, MS_BIND |
				    (op->flags & OP_REC ? MS_REC : 0), NULL);
		err = err ? -errno : 0;
	}
	world_close(from);
	world_close(to);
	return err;
}

static int do_umount(struct world *w, const struct hist *h, int mnt, bool lazy)
{
	int ns = h->m.mnt[mnt].ns, fd, err;
	char path[HIST_PATH], target[HIST_PATH + 32];

	if (!lazy) {
		hist_path(h, mnt, path, sizeof(path));
		snprintf(target, sizeof(target), "self/fd/%d/%s", w->root[ns], path);
		if (enter(w, hist_from(h, mnt)))
			return FAILED;
		return umount2(target, UMOUNT_NOFOLLOW) ? -errno : 0;
	}
	fd = get(w, h, mnt);
	if (fd < 0 || enter(w, hist_from(h, mnt))) {
		world_close(fd);
		return FAILED;
	}
	snprintf(target, sizeof(target), "self/fd/%d", fd);
	err = umount2(target, MNT_DETACH) ? -errno : 0;
	close(fd);
	return err;
}

static int do_type(struct world *w, const struct hist *h, const struct op *op,
		   const struct target *t)
{
	static const unsigned long flags[] = {
		[MODEL_PRIVATE] = MS_PRIVATE, [MODEL_SHARED] = MS_SHARED,
		[MODEL_SLAVE] = MS_SLAVE, [MODEL_UNBINDABLE] = MS_UNBINDABLE,
	};
	int fd = get(w, h, t->a), err = FAILED;
	char path[32];

	if (fd < 0)
		return FAILED;
	snprintf(path, sizeof(path), "self/fd/%d", fd);
	if (!enter(w, hist_held(h, t->a) ? -1 : h->m.mnt[t->a].ns))
		err = mount(NULL, path, NULL, flags[op->arg] |
			    (op->flags & OP_REC ? MS_REC : 0), NULL) ? -errno : 0;
	close(fd);
	return err;
}

static int keep_ns(struct world *w, const char *who)
{
	char path[64];
	int k = w->nr_ns;

	snprintf(path, sizeof(path), "%s/ns/mnt", who);
	w->ns[k] = openat(w->proc, path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/root", who);
	w->root[k] = openat(w->proc, path, O_PATH | O_CLOEXEC);
	w->nr_ns++;
	return w->ns[k] < 0 || w->root[k] < 0 ?
		world_fail(w, "open", "a new namespace") : 0;
}

/* By a child in that user namespace, since one cannot go back. */
static int clone_for(struct world *w, int user)
{
	int up[2], down[2], err = FAILED, is = EIO;
	char who[16];
	pid_t pid;

	if (pipe2(up, O_CLOEXEC) || pipe2(down, O_CLOEXEC)) {
		world_fail(w, "pipe", "");
		return FAILED;
	}
	pid = fork();
	if (!pid) {
		close(down[1]);
		is = setns(user, CLONE_NEWUSER) || mc_unshare(CLONE_NEWNS) ?
			errno : 0;
		_exit(write(up[1], &is, sizeof(is)) != sizeof(is) ||
		      read(down[0], &is, 1) < 0);
	}
	close(up[1]);
	close(down[0]);
	if (pid < 0 || read(up[0], &is, sizeof(is)) != sizeof(is)) {
		world_fail(w, "clone", "a namespace");
	} else {
		err = -is;
		snprintf(who, sizeof(who), "%d", pid);
		if (!is && keep_ns(w, who))
			err = FAILED;
	}
	close(up[0]);
	close(down[1]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return err;
}

static int do_clone(struct world *w, const struct op *op, const struct target *t)
{
	if (world_enter(w, t->ns))
		return FAILED;
	if (op->arg)
		return clone_for(w, w->user[op->arg]);
	if (mc_unshare(CLONE_NEWNS))
		return -errno;
	return keep_ns(w, "self") ? FAILED : 0;
}

/* Kept as a namespace would be that has nothing but a root. */
static int do_open(struct world *w, const struct hist *h, const struct op *op,
		   const struct target *t)
{
	int from = get(w, h, t->a), fd = -1, err = FAILED, k = w->nr_ns;
	char source[64];

	if (from >= 0 && !world_enter(w, t->within)) {
		hist_dir(h, op->from, h->m.mnt[t->a].root, source);
		fd = clone_of(from, source, op->flags & OP_REC ? AT_RECURSIVE : 0);
		err = fd < 0 ? -errno : 0;
	}
	if (!err) {
		w->ns[k] = -1;
		w->root[k] = fd;
		w->nr_ns++;
	}
	world_close(from);
	return err;
}

static int do_attach(struct world *w, const struct hist *h, const struct op *op,
		     const struct target *t)
{
	int at = get(w, h, t->b), err = FAILED;
	char path[64];

	hist_dir(h, op->to, h->m.mnt[t->b].root, path);
	if (at >= 0 && !world_enter(w, t->within))
		err = put_at(w->root[t->ns], at, path, 0);
	if (!err) {
		close(w->root[t->ns]);
		w->root[t->ns] = -1;
	}
	world_close(at);
	return err;
}

/* From outside of all namespaces, where nothing is mounted on them. */
static int do_dirs(struct world *w, const struct hist *h, const struct op *op)
{
	char from[64], to[64];
	int n, err = 0;

	w->changed = true;
	hist_dir(h, op->to, 0, to);
	n = strlen(to);
	snprintf(to + n, sizeof(to) - n, "%s%c", n ? "/" : "", 'a' + op->from - 1);
	if (op->type != OP_MKDIR)
		hist_dir(h, op->from, 0, from);
	for (int i = 0; i <= HIST_SBS && !err; i++) {
		int fd = openat(w->source[i], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (op->type == OP_MKDIR)
			err = mkdirat(fd, to, 0755);
		else if (op->type == OP_RMDIR)
			err = unlinkat(fd, from, AT_REMOVEDIR);
		else
			err = renameat(fd, from, fd, to);
		err = err ? -errno : 0;
		world_close(fd);
	}
	return err;
}

static int do_pivot(struct world *w, const struct hist *h, const struct op *op,
		    const struct target *t)
{
	int root = get(w, h, t->member[0]), new = get(w, h, t->a), old = get(w, h, t->b);
	int ns = h->m.mnt[t->a].ns, err = FAILED;
	char path[32], put[128];

	if (root < 0 || new < 0 || old < 0 || world_enter(w, ns))
		goto out;
	if (fchdir(root) || chroot(".") || fchdir(w->proc)) {
		world_fail(w, "chroot", "to the old root");
		goto out;
	}
	snprintf(path, sizeof(path), "self/fd/%d", new);
	proc_path(h, old, t->b, op->to, put);
	err = syscall(__NR_pivot_root, path, put) ? -errno : 0;
	if (!err && t->member[0] == hist_top(h, ns)) {
		close(w->root[ns]);
		w->root[ns] = new;
		new = -1;
	}
out:
	world_close(root);
	world_close(new);
	world_close(old);
	return err;
}

/*
 * What the series brings: from outside of all namespaces, or by an owner, in a namespace
 * of its own.  That one has got the descriptors that it takes before it is none but an
 * owner.
 */

static int become(struct world *w, const struct hist *h, const struct op *op)
{
	int by = op_by(op);

	if (!by)
		return 0;
	if (setns(w->user[by], CLONE_NEWUSER) ||
	    setns(w->ns[hist_ns_of(h, by)], CLONE_NEWNS))
		return world_fail(w, "become", "an owner");
	return 0;
}

static int do_foreign(struct world *w, const struct hist *h, const struct op *op,
		      const struct target *t)
{
	int from = get(w, h, t->a), to = get(w, h, t->b), fd, err = FAILED;
	char source[64], path[64];

	if (from < 0 || to < 0 || become(w, h, op))
		goto out;
	hist_dir(h, op->from, h->m.mnt[t->a].root, source);
	hist_dir(h, op->to, h->m.mnt[t->b].root, path);
	fd = clone_of(from, source, OPEN_TREE_FOREIGN |
		      (op->flags & OP_REC ? AT_RECURSIVE : 0));
	err = fd < 0 ? -errno :
	      put_at(fd, to, path, MOVE_MOUNT_T_FOREIGN |
		     (op->flags & OP_UNLOCKED ? MOVE_MOUNT_UNLOCKED : 0));
	world_close(fd);
out:
	world_close(from);
	world_close(to);
	return err;
}

static int do_setgroup(struct world *w, const struct hist *h, const struct op *op,
		       const struct target *t)
{
	int fd[HIST_MEMBERS], n = 0, err = FAILED;
	struct mc_mount_group_args args = {
		.mnt_fds = (uintptr_t)fd, .nr_fds = op->nr,
	};

	if (op->arg != MODEL_SG_SHARED) {
		args.target_fd = get(w, h, t->a);
		if (args.target_fd < 0)
			return FAILED;
	}
	for (; n < op->nr; n++) {
		fd[n] = get(w, h, t->member[n]);
		if (fd[n] < 0)
			break;
	}
	if (n == op->nr && !become(w, h, op))
		err = mc_mount_setgroup(&args, sizeof(args), op->arg) ? -errno : 0;
	while (n-- > 0)
		close(fd[n]);
	if (op->arg != MODEL_SG_SHARED)
		close(args.target_fd);
	return err;
}

static int do_set_group(struct world *w, const struct hist *h, const struct op *op,
			const struct target *t)
{
	int from = get(w, h, t->a), to = get(w, h, t->b), err = FAILED;

	if (from >= 0 && to >= 0 && !become(w, h, op))
		err = mc_move_mount(from, "", to, "", MOVE_MOUNT_F_EMPTY_PATH |
				    MOVE_MOUNT_T_EMPTY_PATH | MOVE_MOUNT_SET_GROUP) ?
			-errno : 0;
	world_close(from);
	world_close(to);
	return err;
}

static int do_lock(struct world *w, const struct hist *h, const struct op *op, int mnt)
{
	struct mc_mount_attr lock = { .lock_set = MOUNT_LOCK_MOUNT };
	int fd = get(w, h, mnt), err = FAILED;

	if (fd >= 0 && !become(w, h, op))
		err = mc_mount_setattr(fd, "", AT_EMPTY_PATH, &lock, sizeof(lock)) ?
			-errno : 0;
	world_close(fd);
	return err;
}

static int perform(struct world *w, const struct hist *h, const struct op *op,
		   const struct target *t)
{
	switch (op->type) {
	case OP_MOUNT:
		return do_mount(w, h, op->arg, op->from, t->b, op->to,
				op->flags & OP_BENEATH ? MOVE_MOUNT_BENEATH : 0);
	case OP_EVENT:
		return do_mount(w, h, HIST_EVENT, 0, t->b, op->to, 0);
	case OP_BIND:
	case OP_MOVE:
		return do_bind(w, h, op, t);
	case OP_UMOUNT:
		return do_umount(w, h, t->a, op->flags & OP_LAZY);
	case OP_TYPE:
		return do_type(w, h, op, t);
	case OP_CLONE:
		return do_clone(w, op, t);
	case OP_DROP:
		world_close(w->ns[t->ns]);
		close(w->root[t->ns]);
		w->ns[t->ns] = w->root[t->ns] = -1;
		return 0;
	case OP_FOREIGN:
		return do_foreign(w, h, op, t);
	case OP_SETGROUP:
		return do_setgroup(w, h, op, t);
	case OP_SET_GROUP:
		return do_set_group(w, h, op, t);
	case OP_RENAME:
	case OP_RMDIR:
	case OP_MKDIR:
		return do_dirs(w, h, op);
	case OP_PIVOT:
		return do_pivot(w, h, op, t);
	case OP_LOCK:
		return do_lock(w, h, op, t->a);
	case OP_OPEN:
		return do_open(w, h, op, t);
	case OP_ATTACH:
		return do_attach(w, h, op, t);
	case NR_OPS:
		break;
	}
	return FAILED;
}

/* By a child, since who has become an owner stays one. */
static int perform_by_owner(struct world *w, const struct hist *h, const struct op *op,
			    const struct target *t)
{
	int status = 0, err;
	pid_t pid = fork();

	if (!pid) {
		err = perform(w, h, op, t);
		_exit(err == FAILED ? 255 : -err);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		world_fail(w, "fork", "");
		return FAILED;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) != 255)
		return -WEXITSTATUS(status);
	errno = EIO;
	world_fail(w, "by", "an owner");
	return FAILED;
}

int world_do(struct world *w, const struct hist *h, const struct op *op,
	     const struct target *t)
{
	int err;

	*w->error = 0;
	w->differs = NULL;
	err = op_by(op) ? perform_by_owner(w, h, op, t) : perform(w, h, op, t);
	return world_enter(w, -1) ? FAILED : err;
}
