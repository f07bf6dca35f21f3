// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * privsweep: the privilege that mount_setgroup(2), MOVE_MOUNT_SET_GROUP, binds
 * across namespaces and mount_setattr(2) ask for, and what they lock, by the
 * running kernel and by the model.  As root, in the test VM.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * Each start of start.c is built by root: private mounts in place, then
 * groups, then locks.  The caller is an ordinary user.  Who has made a user
 * namespace is capable over it, so namespaces in its power are owned by user
 * namespaces of its own, others by the initial one or another user's.  It is in
 * one of those in its power, as all but mount_setgroup(2) ask for.  Every call is
 * made, has to be refused as the model refuses it, and is undone.
 *
 * Of binds and of mount_setattr(2) what comes out is compared as well (seen.c).
 * Of two namespaces in its power the owner of one is below that of the other.
 *
 * usage: privsweep [N [SEED=S]]: one in N of the default's starts; which ones, the
 * seed says, or the time.  Of the model's mutants, privsweep N SEED=S MUTANT.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "privilege/seen.h"
#include "base/base.h"

enum { CALLER = 1000, SOMEBODY = 2000 };

/* What the calls are there to compare. */
enum rule {
	RULE_SETGROUP, RULE_SET_GROUP, RULE_ARGS, RULE_GONE, RULE_BIND,
	RULE_LOCK, RULE_TYPE, RULE_ATTR, NR_RULES
};

static const char *const rule_names[] = {
	"mount_setgroup", "MOVE_MOUNT_SET_GROUP", "arguments of mount_setgroup",
	"unmounted members", "bind", "locks", "types", "attributes",
};

struct kernel {
	int own;		/* the namespace of this process */
	int ns[PRIV_NS];
	int place[PRIV_NS];	/* in each, where the root of the start goes */
	int every;		/* start is tried, */
	uint64_t seed;		/* from that one on */
	uint64_t starts, calls, made, compared;
	uint64_t of[NR_RULES];	/* calls, by what they try */
	unsigned int mount_max;
	bool turned;		/* which owner is below the other */
	dev_t dev[2 + PRIV_MAX];	/* of each superblock of the model */
	struct seen before;	/* what is there without a start */
	int fd[PRIV_NS + PRIV_MAX];
	char what[160];
};

static int fail(struct kernel *k, const char *what)
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
		return fail(k, path);
	for (; *child; child++) {
		snprintf(sub, sizeof(sub), "%s/%s", path, *child);
		if (mkdir(sub, 0755))
			return fail(k, sub);
	}
	return 0;
}

static int source_dev(struct kernel *k, const char *path, dev_t *dev)
{
	struct stat st;

	if (stat(path, &st))
		return fail(k, path);
	*dev = st.st_dev;
	return 0;
}

static const char *const dir_names[] = { "", "a", "b", "3", "4", "5", "6", "7" };

static int make_sources(struct kernel *k)
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
		return *k->what ? -1 : fail(k, "unshare");
	for (int i = 0; i < PRIV_MAX; i++) {
		snprintf(path, sizeof(path), "/privsweep/leaf%d", i);
		if (make_source(k, path, none) || source_dev(k, path, &k->dev[2 + i]))
			return -1;
	}
	if (source_dev(k, "/privsweep/hang", &k->dev[0]) ||
	    source_dev(k, "/privsweep/main", &k->dev[1]))
		return -1;
	k->own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	return k->own < 0 ? fail(k, "own namespace") : 0;
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
static int make_ns(struct kernel *k, int i, uid_t uid, int up)
{
	int pipe_fd[2], err;
	char path[64], ok = 0;
	pid_t pid;

	if (pipe(pipe_fd))
		return fail(k, "pipe");
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
		fail(k, "namespace");
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
		return fail(k, source);
	if (mc_move_mount(fd, "", parent, at, MOVE_MOUNT_F_EMPTY_PATH |
			  MOVE_MOUNT_T_EMPTY_PATH | MOVE_MOUNT_T_FOREIGN |
			  MOVE_MOUNT_UNLOCKED)) {
		fail(k, "move_mount");
		close(fd);
		return -1;
	}
	return fd;
}

static int setgroup(const int *fd, int nr, int named, unsigned int flags)
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
			 dir_names[(int)p->root]);
		if (p->leaf)
			snprintf(path, sizeof(path), "/privsweep/leaf%d", i);
		k->fd[PRIV_NS + i] = attach(k, path, k->fd[up], dir_names[at]);
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
		err = setgroup(member, nr, master, MODEL_SG_SHARED |
			       (up ? MODEL_SG_MASTER : 0));
	}
	for (int i = 0; i < s->nr && !err; i++)
		if (!s->m[i].group && s->m[i].master)
			err = setgroup(&fd[i], 1, fd[first_member(s, s->m[i].master)],
				       MODEL_SG_MASTER);
	for (int i = 0; i < s->nr && !err; i++)
		if (s->m[i].unbindable)
			err = mc_mount_setattr(fd[i], "", AT_EMPTY_PATH, &unbindable,
					       sizeof(unbindable));
	for (int i = 0; i < s->nr && !err; i++)
		if (s->m[i].locked)
			err = mc_mount_setattr(fd[i], "", AT_EMPTY_PATH, &lock,
					       sizeof(lock));
	return err ? fail(k, "groups or locks") : 0;
}

static void take_down(struct kernel *k)
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

static int undo(struct kernel *k, const int *member, int nr)
{
	char path[32];

	for (int i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d",
			 k->fd[member[i]]);
		if (mount(NULL, path, NULL, MS_PRIVATE, NULL))
			return fail(k, "undo");
	}
	return 0;
}

/* Makes a call as the caller; returns 0 or a negative errno. */
static int as_caller(int (*call)(struct kernel *k, const struct new_move *v),
		     struct kernel *k, const struct new_move *v, enum rule rule)
{
	int err;

	if (seteuid(CALLER))
		_exit(1);
	err = call(k, v);
	if (seteuid(0))
		_exit(1);
	k->calls++;
	k->of[rule]++;
	k->made += !err;
	return err;
}

static int call_setgroup(struct kernel *k, const struct new_move *v)
{
	int member[PRIV_MAX];

	for (int i = 0; i < v->nr; i++)
		member[i] = k->fd[v->member[i]];
	return setgroup(member, v->nr, v->named < 0 ? -1 : k->fd[v->named],
			v->flags);
}

/* Member 0 gets what the mount named has. */
static int call_set_group(struct kernel *k, const struct new_move *v)
{
	return mc_move_mount(k->fd[v->named], "", k->fd[v->member[0]], "",
			     MOVE_MOUNT_SET_GROUP | MOVE_MOUNT_F_EMPTY_PATH |
			     MOVE_MOUNT_T_EMPTY_PATH) ? -errno : 0;
}

static int call_bind(struct kernel *k, const struct new_move *v)
{
	int fd, err = 0;

	fd = mc_open_tree(k->fd[v->src], dir_names[v->dir], OPEN_TREE_CLONE |
			  OPEN_TREE_FOREIGN | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH |
			  (v->rec ? AT_RECURSIVE : 0));
	if (fd < 0)
		return -errno;
	if (mc_move_mount(fd, "", k->fd[v->dst], dir_names[v->at],
			  MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH |
			  MOVE_MOUNT_T_FOREIGN |
			  (v->unlocked ? MOVE_MOUNT_UNLOCKED : 0)))
		err = -errno;
	close(fd);
	return err;
}

static const char *differs(struct kernel *k, const char *call,
			   const struct new_move *v, int kernel, int model)
{
	int n = snprintf(k->what, sizeof(k->what), "%s: kernel %d, model %d: ",
			 call, kernel, model);

	if (v->what == MOVE_BIND) {
		snprintf(k->what + n, sizeof(k->what) - n, "%d dir %d on %d at %d%s%s from ns %d",
			 v->src, v->dir, v->dst, v->at, v->rec ? " rec" : "",
			 v->unlocked ? " unlocked" : "", v->from);
		return k->what;
	}
	if (v->what == MOVE_ATTR) {
		snprintf(k->what + n, sizeof(k->what) - n, "change %u of %d from ns %d",
			 v->flags, v->member[0], v->from);
		return k->what;
	}
	n += snprintf(k->what + n, sizeof(k->what) - n, "flags %u named %d members",
		      v->flags, v->named);
	for (int i = 0; i < v->nr; i++)
		n += snprintf(k->what + n, sizeof(k->what) - n, " %d", v->member[i]);
	return k->what;
}

static const char *try_setgroup(struct kernel *k, const struct model *a,
				struct model *b, const struct new_move *v,
				unsigned int caps, enum rule rule)
{
	int err, model;

	if (model_copy(b, a))
		return "out of memory";
	model = new_move(b, v, caps);
	err = as_caller(call_setgroup, k, v, rule);
	if (err != model)
		return differs(k, "mount_setgroup", v, err, model);
	return !err && undo(k, v->member, v->nr) ? k->what : NULL;
}

static const char *try_set_group(struct kernel *k, const struct model *a,
				 struct model *b, int from, int to,
				 unsigned int caps)
{
	const struct new_move v = { .member = { to }, .nr = 1, .named = from };
	int err, model;

	if (model_copy(b, a))
		return "out of memory";
	model = model_set_group(b, from, to, caps);
	err = as_caller(call_set_group, k, &v, RULE_SET_GROUP);
	if (err != model)
		return differs(k, "MOVE_MOUNT_SET_GROUP", &v, err, model);
	return !err && undo(k, &to, 1) ? k->what : NULL;
}

static const char *each_group(struct kernel *k, const struct start *s,
			      const struct model *a, struct model *b,
			      unsigned int caps)
{
	const char *bad = NULL;
	struct new_move v;
	int number = 0;

	while (!bad && next_group_move(s->nr, &number, &v))
		bad = try_setgroup(k, a, b, &v, caps, RULE_SETGROUP);
	for (int i = 0; i < s->nr * s->nr && !bad; i++)
		if (i / s->nr != i % s->nr)
			bad = try_set_group(k, a, b, PRIV_NS + i / s->nr,
					    PRIV_NS + i % s->nr, caps);
	return bad;
}

/* In a namespace that is in the caller's power, from where calls are made. */
static int enter(struct kernel *k, int ns)
{
	return setns(k->ns[ns], CLONE_NEWNS) ? fail(k, "setns") : 0;
}

static int build(struct kernel *k, const struct start *s, unsigned int caps)
{
	return build_mounts(k, s) || build_sharing(k, s) ||
	       enter(k, __builtin_ctz(caps));
}

static int rebuild(struct kernel *k, const struct start *s, unsigned int caps)
{
	take_down(k);
	return build(k, s, caps);
}

/* More members than there may be: nothing of them is looked at. */
static int call_too_many(struct kernel *k, const struct new_move *v)
{
	return setgroup(&k->fd[v->member[0]], (int)k->mount_max + 1,
			v->named < 0 ? -1 : k->fd[v->named], v->flags);
}

/* A mount named that the flags have no use for, or none where they have. */
static int call_args(struct kernel *k, const struct new_move *v)
{
	struct mc_mount_group_args args = {
		.mnt_fds = (uintptr_t)&k->fd[v->member[0]], .nr_fds = v->nr,
		.target_fd = v->named < 0 ? 0 : k->fd[v->named],
	};

	return mc_mount_setgroup(&args, sizeof(args), v->flags) ? -errno : 0;
}

/*
 * Arguments that are wrong whatever the state, and are found to be before anything
 * is asked of the caller: each set of flags, with a mount named and without.
 */
static const char *each_arg(struct kernel *k, const struct start *s,
			    const struct model *a, struct model *b,
			    unsigned int caps)
{
	static const bool legal[32] = {
		[MODEL_SG_PEER] = true, [MODEL_SG_MASTER] = true,
		[MODEL_SG_SIBLING] = true, [MODEL_SG_SHARED] = true,
		[MODEL_SG_SHARED | MODEL_SG_MASTER] = true,
		[MODEL_SG_SHARED | MODEL_SG_SIBLING] = true,
	};

	for (int i = 0; i < s->nr * 64; i++) {
		struct new_move v = {
			.member = { PRIV_NS + i / 64 }, .nr = 1,
			.flags = i % 32, .named = -1,
		};
		int err, model, peer = -1, master = -1;

		if (i & 32)
			v.named = PRIV_NS + (i / 64 + 1) % s->nr;
		if (v.flags & MODEL_SG_PEER)
			peer = v.named;
		else
			master = v.named;
		if (model_copy(b, a))
			return "out of memory";
		model = model_setgroup_caps(b, v.member, 1, peer, master, v.flags,
					    caps);
		/* what is good is each_group()'s, and 0 is a descriptor like others */
		if (model == -EINVAL && (v.named >= 0 || !legal[v.flags])) {
			err = as_caller(call_args, k, &v, RULE_ARGS);
			if (err != model)
				return differs(k, "arguments", &v, err, model);
		}
		model = model_setgroup_caps(b, v.member, MODEL_MOUNT_MAX + 1, peer,
					    master, v.flags, caps);
		if (model == -EINVAL)
			continue;
		err = as_caller(call_too_many, k, &v, RULE_ARGS);
		if (err != model)
			return differs(k, "too many", &v, err, model);
	}
	return NULL;
}

/* The same calls once one of the mounts has been unmounted, with what it takes. */
static const char *each_gone(struct kernel *k, const struct start *s,
			     const struct model *a, struct model *b,
			     unsigned int caps)
{
	const char *bad = NULL;
	struct model gone = { 0 };
	struct new_move v;
	char path[32];

	for (int i = PRIV_NS; i < PRIV_NS + s->nr && !bad; i++) {
		int number = 0;

		/* what is locked can't be, and paths lead to what covers it */
		if (a->mnt[i].locked || model_lookup(a, i, a->mnt[i].root) >= 0)
			continue;
		if (model_copy(&gone, a) || model_umount(&gone, i, true)) {
			bad = "the model does not unmount it";
			break;
		}
		snprintf(path, sizeof(path), "/proc/self/fd/%d", k->fd[i]);
		if (setns(k->ns[(int)s->m[i - PRIV_NS].ns], CLONE_NEWNS) ||
		    umount2(path, MNT_DETACH) || enter(k, __builtin_ctz(caps))) {
			fail(k, "umount");
			bad = k->what;
			break;
		}
		while (!bad && next_group_move(s->nr, &number, &v))
			bad = try_setgroup(k, &gone, b, &v, caps, RULE_GONE);
		if (!bad && rebuild(k, s, caps))
			bad = k->what;
	}
	model_free(&gone);
	return bad;
}

/* What is mounted now, in the model and in the kernel. */
static const char *compare(struct kernel *k, const struct model *m,
			   const char *call, const struct new_move *v)
{
	struct seen model = { .nr = 0 }, kernel = { .nr = 0 };

	for (int i = 0; i < PRIV_NS; i++)
		if (seen_kernel(&kernel, k->ns[i], i, k->dev, dir_names)) {
			fail(k, "what is mounted");
			return k->what;
		}
	k->compared++;
	if (!seen_model(&model, m) && seen_same(&model, &kernel, &k->before))
		return NULL;
	differs(k, call, v, 0, 0);
	seen_print(&model, &kernel, &k->before);
	return k->what;
}

/* What a bind has made is not undone by itself: all is made anew. */
static const char *each_bind(struct kernel *k, const struct start *s,
			     const struct model *a, struct model *b,
			     unsigned int caps)
{
	struct new_move v;
	int number = 0;

	while (next_bind_move(s->nr, caps, &number, &v)) {
		int root = a->mnt[v.src].root, top = a->mnt[v.dst].root, err, model;
		const char *bad;

		/* directories that there are, and no other mount on the way */
		if ((a->mnt[v.src].sb != 1 && v.dir) || (a->mnt[v.dst].sb != 1 && v.at) ||
		    !model_under(a, v.dir, root) || !model_under(a, v.at, top) ||
		    (v.dir != root && model_lookup(a, v.src, v.dir) >= 0))
			continue;
		/* from where and how is for chance to say */
		if ((number * 2654435761u + k->starts) >> 5 & 3)
			continue;
		if (model_copy(b, a))
			return "out of memory";
		model = new_move(b, &v, caps);
		v.dir = v.dir == root ? 0 : v.dir;
		v.at = v.at == top ? 0 : v.at;
		if (enter(k, v.from))
			return k->what;
		err = as_caller(call_bind, k, &v, RULE_BIND);
		if (err != (model < 0 ? model : 0))
			return differs(k, "bind", &v, err, model);
		if (err)
			continue;
		bad = compare(k, b, "bind: mounts", &v);
		if (bad)
			return bad;
		if (rebuild(k, s, caps))
			return k->what;
	}
	return NULL;
}

/* What mount_setattr(2) is asked for; new_move.flags says which. */
static const struct model_attr attrs[] = {
	{ .lock = true },
	{ .set_type = true, .type = MODEL_PRIVATE },
	{ .set_type = true, .type = MODEL_SHARED },
	{ .set_type = true, .type = MODEL_SLAVE },
	{ .set_type = true, .type = MODEL_UNBINDABLE },
	{ .attrs = true },
	{ .attrs = true, .lock = true },
	{ .attrs = true, .set_type = true, .type = MODEL_SHARED },
	{ .lock = true, .set_type = true, .type = MODEL_SHARED },
};

#define NR_ATTRS	((int)(sizeof(attrs) / sizeof(*attrs)))

static int call_setattr(struct kernel *k, const struct new_move *v)
{
	static const uint64_t types[] = { MS_PRIVATE, MS_SHARED, MS_SLAVE, MS_UNBINDABLE };
	const struct model_attr *of = &attrs[v->flags];
	struct mc_mount_attr attr = {
		.attr_set = of->attrs ? MOUNT_ATTR_NOSUID : 0,
		.propagation = of->set_type ? types[of->type] : 0,
		.lock_set = of->lock ? MOUNT_LOCK_MOUNT : 0,
	};

	return mc_mount_setattr(k->fd[v->member[0]], "", AT_EMPTY_PATH, &attr,
				sizeof(attr)) ? -errno : 0;
}

/* Each change of each mount, from each namespace in the caller's power. */
static const char *each_attr(struct kernel *k, const struct start *s,
			     const struct model *a, struct model *b,
			     unsigned int caps)
{
	for (int i = 0; i < s->nr * NR_ATTRS * PRIV_NS; i++) {
		const struct new_move v = {
			.what = MOVE_ATTR, .from = i % PRIV_NS,
			.flags = i / PRIV_NS % NR_ATTRS,
			.member = { PRIV_NS + i / PRIV_NS / NR_ATTRS }, .nr = 1,
			.named = -1,
		};
		const struct model_attr *attr = &attrs[v.flags];
		const struct model_caller who = { v.from, caps };
		enum rule rule = attr->attrs ? RULE_ATTR :
				 attr->lock ? RULE_LOCK : RULE_TYPE;
		const char *bad;
		int err, model;

		if (!(caps >> v.from & 1))
			continue;
		if (model_copy(b, a))
			return "out of memory";
		model = model_setattr(b, v.member[0], attr, &who);
		if (enter(k, v.from))
			return k->what;
		err = as_caller(call_setattr, k, &v, rule);
		if (err != model)
			return differs(k, "mount_setattr", &v, err, model);
		if (err)
			continue;
		bad = compare(k, b, "mount_setattr: mounts", &v);
		if (bad)
			return bad;
		if (rebuild(k, s, caps))
			return k->what;
	}
	return NULL;
}

/* Of two owners in the caller's power the other one is the lower one. */
static void turn(struct kernel *k)
{
	int ns = k->ns[1], place = k->place[1];

	k->ns[1] = k->ns[2];
	k->place[1] = k->place[2];
	k->ns[2] = ns;
	k->place[2] = place;
	k->turned = !k->turned;
}

static int look_before(struct kernel *k)
{
	k->before.nr = 0;
	for (int i = 0; i < PRIV_NS; i++)
		if (seen_kernel(&k->before, k->ns[i], i, k->dev, dir_names))
			return fail(k, "what is mounted");
	return 0;
}

static const char *one_start(const struct start *s, struct model *m,
			     unsigned int caps, void *arg)
{
	struct kernel *k = arg;
	struct model b = { 0 };
	const char *bad;

	if ((k->starts++ + k->seed) % k->every)
		return NULL;
	if ((caps & 6) == 6)
		turn(k);
	m->above = priv_above(caps, k->turned);
	bad = look_before(k) || build(k, s, caps) ? k->what :
	      each_group(k, s, m, &b, caps);
	/* each that succeeds takes a new start */
	switch (bad ? -1 : (int)(k->starts / k->every % 16 / 2)) {
	case 0:
		bad = each_bind(k, s, m, &b, caps);
		break;
	case 2:
		bad = each_attr(k, s, m, &b, caps);
		break;
	case 4:
		bad = each_arg(k, s, m, &b, caps);
		break;
	case 6:
		bad = each_gone(k, s, m, &b, caps);
		break;
	}
	take_down(k);
	model_free(&b);
	return bad;
}

static int read_mount_max(struct kernel *k)
{
	FILE *f = fopen("/proc/sys/fs/mount-max", "re");
	int n = f ? fscanf(f, "%u", &k->mount_max) : 0;

	if (f)
		fclose(f);
	return n == 1 ? 0 : fail(k, "mount-max");
}

/* The caller's power is in the namespaces, so each set of owners has its own. */
static const char *sweep(const struct scope *scope, int every, uint64_t seed,
			 char *line)
{
	struct kernel k = { .every = every, .seed = seed };
	const char *bad = NULL;
	int err, up = -1;

	memset(k.fd, -1, sizeof(k.fd));
	err = make_sources(&k) || read_mount_max(&k);
	for (int i = 0; i < PRIV_NS && !err; i++) {
		if (i == 2 && (scope->caps & 6) == 6) {
			up = ioctl(k.ns[1], MC_NS_GET_USERNS);
			err = up < 0 ? fail(&k, "user namespace") : 0;
		}
		if (!err)
			err = make_ns(&k, i, scope->caps >> i & 1 ? CALLER :
				      i ? SOMEBODY : 0, up);
	}
	if (!err)
		bad = each_start(scope, one_start, &k, line);
	printf("# 1 of %d of %llu starts, %llu calls, %llu succeed, %llu compared\n",
	       every, (unsigned long long)k.starts, (unsigned long long)k.calls,
	       (unsigned long long)k.made, (unsigned long long)k.compared);
	for (int i = 0; i < NR_RULES; i++)
		printf("# %s: %llu\n", rule_names[i], (unsigned long long)k.of[i]);
	if (err || bad)
		printf("# %s\n# %s%s\n", k.what, line, k.turned ? " turned" : "");
	return err || bad || !k.made ? "differs" : NULL;
}

static const struct {
	const char *name;
	struct scope scope;
	int every;
} spaces[] = {
	{ "two mounts", { 2, 0, 3, 6, false, true, true }, 1 },
	{ "two and a child", { 2, 1, 3, 6, false, true, false }, 1 },
	{ "two and two children", { 2, 2, 3, 6, false, true, false }, 5 },
	{ "three mounts", { 3, 0, 3, 6, false, true, false }, 37 },
	{ "three and a child", { 3, 1, 3, 6, false, false, false }, 37 },
	{ "three and two children", { 3, 2, 1, 6, false, false, false }, 41 },
	{ "power over all", { 3, 1, 3, 7, true, true, false }, 5 },
	{ "power over one", { 3, 1, 3, 4, true, true, false }, 13 },
};

#define NR_SPACES	((int)(sizeof(spaces) / sizeof(*spaces)))

int main(int argc, char **argv)
{
	int faster = argc > 1 ? atoi(argv[1]) : 1, failed = 0;
	uint64_t seed = argc > 2 && !strncmp(argv[2], "SEED=", 5) ?
			strtoull(argv[2] + 5, NULL, 0) : (uint64_t)time(NULL);

#ifdef MODEL_MUTANTS
	for (int i = 0; argc > 3 && i < MUT_PRIV_MAX; i++)
		if (!strcmp(model_mutant_names[i], argv[3]))
			model_mutant = i;
#endif
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n1..%d\n# SEED=%llu\n", NR_SPACES,
	       (unsigned long long)seed);
	for (int i = 0; i < NR_SPACES; i++) {
		char line[PRIV_LINE] = "";
		const char *bad;

		fflush(stdout);
		bad = sweep(&spaces[i].scope, spaces[i].every * faster, seed,
			    line);
		failed |= bad != NULL;
		printf("%sok %d %s\n", bad ? "not " : "", i + 1, spaces[i].name);
	}
	return failed;
}
