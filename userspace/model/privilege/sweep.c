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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "privilege/kernel.h"
#include "base/base.h"

static const char *const rule_names[] = {
	"mount_setgroup", "MOVE_MOUNT_SET_GROUP", "arguments of mount_setgroup",
	"unmounted members", "bind", "locks", "types", "attributes",
};

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
	return kernel_setgroup(member, v->nr, v->named < 0 ? -1 : k->fd[v->named],
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

	fd = mc_open_tree(k->fd[v->src], kernel_dirs[v->dir], OPEN_TREE_CLONE |
			  OPEN_TREE_FOREIGN | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH |
			  (v->rec ? AT_RECURSIVE : 0));
	if (fd < 0)
		return -errno;
	if (mc_move_mount(fd, "", k->fd[v->dst], kernel_dirs[v->at],
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
	return !err && kernel_undo(k, v->member, v->nr) ? k->what : NULL;
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
	return !err && kernel_undo(k, &to, 1) ? k->what : NULL;
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

/* More members than there may be: nothing of them is looked at. */
static int call_too_many(struct kernel *k, const struct new_move *v)
{
	return kernel_setgroup(&k->fd[v->member[0]], (int)k->mount_max + 1,
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
		    umount2(path, MNT_DETACH) || kernel_enter(k, __builtin_ctz(caps))) {
			kernel_fail(k, "umount");
			bad = k->what;
			break;
		}
		while (!bad && next_group_move(s->nr, &number, &v))
			bad = try_setgroup(k, &gone, b, &v, caps, RULE_GONE);
		if (!bad && kernel_rebuild(k, s, caps))
			bad = k->what;
	}
	model_free(&gone);
	return bad;
}

/* What is mounted now, in the model and in the kernel. */
static const char *compare(struct kernel *k, const struct model *m,
			   const char *call, const struct new_move *v)
{
	struct seen model = { .nr = 0 }, kernel;
	char what[32];

	if (kernel_look(k, &kernel))
		return k->what;
	k->compared++;
	if (!seen_model(&model, m) && seen_same(&model, &kernel, &k->before))
		return NULL;
	snprintf(what, sizeof(what), "%s: mounts", call);
	differs(k, what, v, 0, 0);
	seen_print(&model, &kernel, &k->before);
	return k->what;
}

/*
 * The errno first.  What a call has made is compared, and not undone by itself:
 * all is made anew.
 */
static const char *compare_call(struct kernel *k, const struct start *s,
				const struct model *b, unsigned int caps,
				const char *call, const struct new_move *v,
				int err, int model)
{
	const char *bad;

	if (err != model)
		return differs(k, call, v, err, model);
	if (err)
		return NULL;
	bad = compare(k, b, call, v);
	return !bad && kernel_rebuild(k, s, caps) ? k->what : bad;
}

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
		if (kernel_enter(k, v.from))
			return k->what;
		err = as_caller(call_bind, k, &v, RULE_BIND);
		bad = compare_call(k, s, b, caps, "bind", &v, err,
				   model < 0 ? model : 0);
		if (bad)
			return bad;
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
		if (kernel_enter(k, v.from))
			return k->what;
		err = as_caller(call_setattr, k, &v, rule);
		bad = compare_call(k, s, b, caps, "mount_setattr", &v, err, model);
		if (bad)
			return bad;
	}
	return NULL;
}

/*
 * A member in the caller's power that has a child where a mount out of its power has
 * one, and could get to send to that: the rule on pairs of other owners decides.  Few
 * starts are like that, and all are tried.
 */
static bool threatens(const struct model *m, unsigned int caps)
{
	for (int i = 0; i < m->nr * m->nr; i++) {
		const struct model_mount *c = &m->mnt[i / m->nr];
		const struct model_mount *d = &m->mnt[i % m->nr];

		if (c->parent < PRIV_NS || d->parent < PRIV_NS || c->at != d->at ||
		    !priv_capable(m, caps, c->parent) ||
		    priv_capable(m, caps, d->parent) ||
		    m->mnt[c->parent].group || model_master(m, c->parent))
			continue;
		for (int s = PRIV_NS; s < m->nr; s++)
			if (priv_capable(m, caps, s) && m->mnt[s].group &&
			    model_hears(m, d->parent, s))
				return true;
	}
	return false;
}

static const char *one_start(const struct start *s, struct model *m,
			     unsigned int caps, void *arg)
{
	struct kernel *k = arg;
	struct model b = { 0 };
	const char *bad;

	if ((k->starts++ + k->seed) % k->every && !threatens(m, caps))
		return NULL;
	if ((caps & 6) == 6)
		kernel_turn(k);
	m->above = priv_above(caps, k->turned);
	bad = kernel_look(k, &k->before) || kernel_build(k, s, caps) ? k->what :
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
	kernel_take_down(k);
	model_free(&b);
	return bad;
}

static int read_mount_max(struct kernel *k)
{
	FILE *f = fopen("/proc/sys/fs/mount-max", "re");
	int n = f ? fscanf(f, "%u", &k->mount_max) : 0;

	if (f)
		fclose(f);
	return n == 1 ? 0 : kernel_fail(k, "mount-max");
}

/* The caller's power is in the namespaces, so each set of owners has its own. */
static const char *sweep(const struct scope *scope, int every, uint64_t seed,
			 char *line)
{
	struct kernel k = { .every = every, .seed = seed };
	const char *bad = NULL;
	int err, up = -1;

	memset(k.fd, -1, sizeof(k.fd));
	err = kernel_sources(&k) || read_mount_max(&k);
	for (int i = 0; i < PRIV_NS && !err; i++) {
		if (i == 2 && (scope->caps & 6) == 6) {
			up = ioctl(k.ns[1], MC_NS_GET_USERNS);
			err = up < 0 ? kernel_fail(&k, "user namespace") : 0;
		}
		if (!err)
			err = kernel_ns(&k, i, scope->caps >> i & 1 ? CALLER :
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
