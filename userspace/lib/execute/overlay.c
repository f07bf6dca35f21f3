// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Overlays.  The kernel resolves the strings of the layers where their maker is, shows
 * them for good, and keeps mounts of its own of what they led to.  So a child makes one
 * in a mount namespace that lives no longer than that: clones of the layers lie in it,
 * and each string is a symlink to one.  What is shown is what was shown, and what it
 * leads to is what the plan says, whatever else is mounted where.
 *
 * The child is the root of the overlay's user namespace: by its credentials the kernel
 * goes to the layers from then on.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "execute/execute.h"

struct over {
	const struct mc_sb *sb;
	const struct mc_src *src;
	int *fd;		/* per layer: a clone, or -1 where it is in another's */
	int userns_fd;		/* -1: the caller's */
	uint32_t uid, gid;	/* its root */
	bool layers;		/* else only what does not need them is tried */
	int fs, mnt;		/* mnt: instead, made by mount(2) */
	/* of the child: what failed, at which layer, or with which option */
	const char *what;
	uint32_t layer;
	char option[64];
};

static int failed(struct over *o, const char *what, uint32_t layer)
{
	o->what = what;
	o->layer = layer;
	return errno;
}

/* --- in the child -------------------------------------------------------------- */

static int become_root(struct over *o)
{
	if (o->userns_fd < 0)
		return 0;
	if (setns(o->userns_fd, CLONE_NEWUSER) ||
	    syscall(SYS_setresgid, o->gid, o->gid, o->gid) ||
	    syscall(SYS_setresuid, o->uid, o->uid, o->uid))
		return failed(o, "becoming the root of its user namespace", MC_NONE);
	return 0;
}

/* Into a tmpfs, and nothing else is to be seen. */
static int enter_tmpfs(int fs, int *fd)
{
	if (mc_fsconfig(fs, MC_FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -1;
	*fd = mc_fsmount(fs, MC_FSMOUNT_CLOEXEC, 0);
	if (*fd < 0 ||
	    mc_move_mount(*fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) ||
	    fchdir(*fd) || chroot("."))
		return -1;
	return mkdir(MC_LAYERS_IN, 0700) || mkdir(MC_LAYERS_CWD, 0700) ||
	       chdir(MC_LAYERS_CWD) ? -1 : 0;
}

/* Its descriptors are the caller's, too: what it opens is to be closed. */
static int make_room(struct over *o)
{
	const struct mc_mount_attr private = { .propagation = MS_PRIVATE };
	int fs, fd = -1, err = 0;

	if ((mc_unshare(UNSHARE_EMPTY_MNTNS) && mc_unshare(CLONE_NEWNS)) ||
	    mc_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &private,
			     MC_MOUNT_ATTR_SIZE_VER0))
		return failed(o, "making a mount namespace", MC_NONE);
	if (!o->layers)
		return 0;
	fs = mc_fsopen("tmpfs", MC_FSOPEN_CLOEXEC);
	if (fs < 0 || enter_tmpfs(fs, &fd))
		err = failed(o, "making room for its layers", MC_NONE);
	mc_close(fd);
	mc_close(fs);
	return err;
}

/* Where its clone lies; room for 32 bytes. */
static void place_name(uint32_t layer, char *name)
{
	snprintf(name, 32, MC_LAYERS_IN "/%u", layer);
}

static int put_layer(struct over *o, uint32_t i)
{
	char name[32];

	place_name(i, name);
	if (mkdir(name, 0700) ||
	    mc_move_mount(o->fd[i], "", AT_FDCWD, name, MOVE_MOUNT_F_EMPTY_PATH))
		return failed(o, "putting it into place", i);
	return 0;
}

/* All directories above a path that starts with "/". */
static int make_above(const char *path)
{
	char dir[PATH_MAX];
	const char *p;
	size_t n;

	for (p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		n = (size_t)(p - path);
		if (n >= sizeof(dir)) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(dir, path, n);
		dir[n] = '\0';
		if (mkdir(dir, 0755) && errno != EEXIST)
			return -1;
	}
	return 0;
}

/* By its own string?  The kernel takes no longer one, and would find escapes in it. */
static bool is_settable(const char *text)
{
	return strlen(text) < MC_FSCONFIG_MAX && !strchr(text, '\\');
}

static int open_layer(const struct over *o, uint32_t i)
{
	const struct mc_made_layer *l = &o->src->layers[i];
	/* a link could lead to another layer, or back to what these are put into */
	struct mc_open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = MC_RESOLVE_NO_MAGICLINKS | MC_RESOLVE_BENEATH,
	};

	return mc_openat2(o->fd[l->with], *l->below ? l->below + 1 : ".", &how);
}

static int link_layer(struct over *o, uint32_t i)
{
	const struct mc_made_layer *l = &o->src->layers[i];
	char name[32], to[PATH_MAX];
	int n, fd;

	place_name(l->with, name);
	n = snprintf(to, sizeof(to), "%s%s", name, l->below);
	if (n < 0 || (size_t)n >= sizeof(to)) {
		errno = ENAMETOOLONG;
		return failed(o, "looking for it", i);
	}
	fd = open_layer(o, i);
	if (fd < 0)
		return failed(o, errno == EXDEV ? "it leads out of its directory" :
			      "looking for it", i);
	close(fd);
	if (o->src->other_layers &&
	    (!o->src->one_by_one || !is_settable(o->sb->layers[i].text)))
		return 0;
	/* two strings may be one */
	if (make_above(l->at) || (symlink(to, l->at) && errno != EEXIST))
		return failed(o, "making its string lead to it", i);
	return 0;
}

static int set(struct over *o, const char *name, const char *value)
{
	if (!mc_fsconfig(o->fs, value ? MC_FSCONFIG_SET_STRING : MC_FSCONFIG_SET_FLAG,
			 name, value, 0))
		return 0;
	failed(o, "option", MC_NONE);
	snprintf(o->option, sizeof(o->option), "%s", name);
	return errno;
}

/* By where it lies; where that is too long, by a link to it. */
static int set_layer(struct over *o, uint32_t i, const char *name)
{
	const struct mc_made_layer *l = &o->src->layers[i];
	char to[PATH_MAX], link[48], place[32];
	int n;

	place_name(l->with, place);
	n = snprintf(to, sizeof(to), "%s%s", place, l->below);
	if (n < 0 || (size_t)n >= sizeof(to)) {
		errno = ENAMETOOLONG;
		return failed(o, "its path", i);
	}
	if (strlen(to) < MC_FSCONFIG_MAX)
		return set(o, name, to);
	snprintf(link, sizeof(link), MC_LAYERS_IN "/%u-%s", i, name);
	return symlink(to, link) && errno != EEXIST ?
	       failed(o, "making a shorter name for it", i) : set(o, name, link);
}

static int set_string(struct over *o, uint32_t i, const char *name)
{
	const char *text = o->sb->layers[i].text;

	return is_settable(text) ? set(o, name, text) : set_layer(o, i, name);
}

static const char *one_by_one(enum mc_layer_kind kind)
{
	return kind == MC_LAYER_LOWER ? "lowerdir+" : kind == MC_LAYER_DATA ? "datadir+" :
	       mc_layer_option(kind);
}

/* Each by itself, from Linux 6.8 on: EINVAL at the first lower one, where it is not known. */
static int set_strings(struct over *o, bool *known)
{
	enum mc_layer_kind kind;
	uint32_t i;
	int err = 0;

	for (i = 0; i < o->sb->nr_layers && !err; i++) {
		kind = o->sb->layers[i].kind;
		err = set_string(o, i, one_by_one(kind));
		if (kind == MC_LAYER_LOWER || kind == MC_LAYER_DATA)
			*known = *known || !err;
	}
	return err;
}

/* By where they lie; one string, which all kernels take, while it is short enough. */
static int set_layers(struct over *o)
{
	enum mc_layer_kind last = MC_LAYER_LOWER, kind;
	char all[MC_FSCONFIG_MAX] = "", name[32];
	size_t n = 0;
	uint32_t i;
	int err = 0;

	for (i = 0; i < o->sb->nr_layers && n < sizeof(all); i++) {
		kind = o->sb->layers[i].kind;
		if (kind != MC_LAYER_LOWER && kind != MC_LAYER_DATA)
			continue;
		place_name(i, name);
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s",
				      !n ? "" : kind != last ? "::" :
				      kind == MC_LAYER_DATA ? "::" : ":", name);
		last = kind;
	}
	if (n < sizeof(all))
		err = set(o, "lowerdir", all);
	for (i = 0; i < o->sb->nr_layers && !err; i++) {
		kind = o->sb->layers[i].kind;
		if (kind == MC_LAYER_UPPER || kind == MC_LAYER_WORK)
			err = set_layer(o, i, mc_layer_option(kind));
		else if (n >= sizeof(all))
			err = set_layer(o, i, one_by_one(kind));
	}
	return err;
}

/*
 * Before Linux 6.5 overlayfs takes each option, and refuses one that it does not know only
 * when the superblock is made: legacy_parse_param() in fs/fs_context.c.
 */
static bool refuses_at_once(void)
{
	int fs = mc_fsopen("overlay", MC_FSOPEN_CLOEXEC);
	bool yes = fs >= 0 &&
		   mc_fsconfig(fs, MC_FSCONFIG_SET_STRING, "no-such-option", "x", 0);

	mc_close(fs);
	return yes;
}

static int set_other_layers(struct over *o)
{
	bool known = false;
	int err = o->src->one_by_one && refuses_at_once() ? set_strings(o, &known) : EINVAL;

	if (err != EINVAL || known)
		return err;
	o->what = NULL;
	o->option[0] = '\0';
	return set_layers(o);
}

static bool has_option(const struct mc_sb *sb, const char *what)
{
	const char *p = strstr(sb->options, what);
	size_t n = strlen(what);

	return p && (p == sb->options || p[-1] == ',') && (!p[n] || p[n] == ',');
}

/*
 * With userxattr the kernel chooses, and shows, a redirect_dir that it does not take
 * as an option beside it.
 */
static bool is_implied(const struct over *o, const char *name)
{
	return !strcmp(name, "redirect_dir") && has_option(o->sb, "userxattr");
}

/* options is the child's own copy. */
static int set_options(struct over *o, char *options)
{
	char *name, *value;
	int err = 0;

	if (o->sb->source)
		err = set(o, "source", o->sb->source);
	while (!err && mc_next_option(&options, &name, &value)) {
		if (mc_layer_option_named(name)) {
			if (!o->layers || o->src->other_layers)
				continue;
		} else if (is_implied(o, name) || (!value && mc_is_sb_flag(name))) {
			continue;
		}
		err = set(o, name, value);
	}
	if (!err && o->layers && o->src->other_layers)
		err = set_other_layers(o);
	return err;
}

static int set_flags(struct over *o)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} flags[] = {
		{ MS_SYNCHRONOUS, "sync" }, { MS_DIRSYNC, "dirsync" },
		{ MS_LAZYTIME, "lazytime" }, { MS_RDONLY, "ro" },
	};
	size_t i;
	int err = 0;

	for (i = 0; i < MC_ARRAY_SIZE(flags) && !err; i++)
		if (o->sb->flags & flags[i].flag)
			err = set(o, flags[i].name, NULL);
	return err;
}

struct task {
	struct over o;
	char *options;		/* or, for mount(2), its data */
};

#define BY_MOUNT	MC_LAYERS_IN "/over"

/*
 * What fsconfig(2) does not take at a time mount(2) does, here, where nobody else sees it;
 * a clone of that mount leaves.
 */
static int mount_it(struct over *o, const char *data)
{
	const unsigned long flags = o->sb->flags &
				    (MS_RDONLY | MS_SYNCHRONOUS | MS_DIRSYNC | MS_LAZYTIME);
	const struct mc_mount_attr writable = { .attr_clr = MOUNT_ATTR_RDONLY };

	/* of the mount that is another thing */
	if (mkdir(BY_MOUNT, 0700) ||
	    mount(o->sb->source ? o->sb->source : "none", BY_MOUNT, o->sb->type, flags, data) ||
	    mc_mount_setattr(AT_FDCWD, BY_MOUNT, 0, &writable, MC_MOUNT_ATTR_SIZE_VER0))
		return failed(o, "mounting it", MC_NONE);
	o->mnt = mc_open_tree(AT_FDCWD, BY_MOUNT, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return o->mnt < 0 ? failed(o, "cloning it", MC_NONE) : 0;
}

static int overlay_child(void *data)
{
	struct task *t = data;
	struct over *o = &t->o;
	uint32_t i;
	int err = become_root(o);

	if (!err)
		err = make_room(o);
	for (i = 0; o->layers && i < o->sb->nr_layers && !err; i++)
		if (o->src->layers[i].with == i)
			err = put_layer(o, i);
	for (i = 0; o->layers && i < o->sb->nr_layers && !err; i++)
		err = link_layer(o, i);
	if (err)
		return err;
	if (o->layers && o->src->by_mount)
		return mount_it(o, t->options);
	o->fs = mc_fsopen(o->sb->type, MC_FSOPEN_CLOEXEC);
	if (o->fs < 0)
		return failed(o, "fsopen", MC_NONE);
	err = set_options(o, t->options);
	if (err || !o->layers)
		return err;
	err = set_flags(o);
	if (!err && mc_fsconfig(o->fs, MC_FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		err = failed(o, "creating the superblock", MC_NONE);
	return err;
}

/* --- out here -------------------------------------------------------------------- */

static int fail(struct mc_exec *x, const struct mc_op *op, const struct over *o, int err)
{
	char what[900], text[256], path[256];
	const struct mc_layer *l;

	if (o->layer == MC_NONE) {
		snprintf(what, sizeof(what), "%s%s%s", o->what ? o->what : "starting a child",
			 *o->option ? " " : "", mc_escape(o->option, text, sizeof(text)));
		return mc_exec_fail(x, op, err, what);
	}
	l = &o->sb->layers[o->layer];
	snprintf(what, sizeof(what), "its %s %s%s%s%s: %s", mc_layer_option(l->kind),
		 mc_escape(l->text, text, sizeof(text)), l->path ? ", which was " : "",
		 l->path ? mc_escape(l->path, path, sizeof(path)) : "",
		 l->path ? " of its superblock" : "", o->what);
	return mc_exec_fail(x, op, err, what);
}

/* From the directory of an option, in the caller's namespace; upper and work: that. */
static int relative(struct mc_exec *x, const struct over *o, uint32_t i,
		    const struct mc_mount_attr *attr)
{
	const struct mc_layer *l = &o->sb->layers[i];
	struct mc_open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = MC_RESOLVE_NO_MAGICLINKS,
	};
	int dir = x->layer_fd[o->src->layer_option], fd, clone, err;

	if (l->kind == MC_LAYER_UPPER)
		return mc_exec_open_tree(x, dir, "", 0, attr);
	mc_count(x, OPENAT2);
	fd = mc_openat2(dir, l->text, &how);
	if (fd < 0)
		return -1;
	clone = mc_exec_open_tree(x, fd, "", 0, attr);
	err = errno;
	mc_count(x, CLOSE);
	mc_close(fd);
	errno = err;
	return clone;
}

/* The clone is nobody's but the overlay's; the upper one is written to. */
static int clone_layers(struct mc_exec *x, const struct mc_op *op, struct over *o)
{
	const struct mc_made_layer *l = o->src->layers;
	struct mc_mount_attr attr;
	uint32_t i;

	for (i = 0; i < o->sb->nr_layers; i++) {
		if (l[i].with != i)
			continue;
		attr = (struct mc_mount_attr){ .propagation = MS_PRIVATE };
		if (o->sb->layers[i].kind == MC_LAYER_UPPER)
			attr.attr_clr = MOUNT_ATTR_RDONLY;
		if (l[i].src != MC_NONE && o->sb->layers[i].idmap != MC_NONE)
			mc_exec_set_idmap(x, o->sb->layers[i].idmap, &attr);
		if (l[i].src != MC_NONE)
			o->fd[i] = x->be->layer(x, l[i].src, &attr, op);
		else if (x->be->go_home(x, op))
			return -1;
		else
			o->fd[i] = relative(x, o, i, &attr);
		if (o->fd[i] < 0) {
			failed(o, "cloning it", i);
			return *x->e->text ? -1 : fail(x, op, o, errno);
		}
	}
	return 0;
}

/* For its unlinked roots. */
static int keep_upper(struct mc_exec *x, const struct mc_op *op, struct over *o)
{
	uint32_t s = MC_REF_INDEX(op->obj), i;

	if (!x->upper_fd)
		x->upper_fd = mc_fds_new(x->p->nr_srcs);
	if (!x->upper_fd)
		return mc_nomem(x->e);
	for (i = 0; i < o->sb->nr_layers; i++) {
		if (o->sb->layers[i].kind != MC_LAYER_UPPER)
			continue;
		mc_close(x->upper_fd[s]);
		mc_count(x, OPENAT2);
		x->upper_fd[s] = open_layer(o, i);
		if (x->upper_fd[s] < 0) {
			failed(o, "looking for it", i);
			return fail(x, op, o, errno);
		}
	}
	return 0;
}

static int run(struct mc_exec *x, const struct mc_op *op, struct task *t)
{
	struct over *o = &t->o;

	if (o->layers && (clone_layers(x, op, o) ||
			  (o->src->nr_unlinked && keep_upper(x, op, o))))
		return -1;
	if (!mc_child_task(overlay_child, t, sizeof(*t), -1))
		return 0;
	fail(x, op, o, errno);
	mc_close(o->fs);
	mc_close(o->mnt);
	return -1;
}

/*
 * What mount(2) takes of a superblock's options, which are freed: one follows the other, as
 * the kernel would show them; NULL: no memory.
 */
static char *data_of(const struct over *o, char *options)
{
	struct mc_buf data = { 0 };
	char *rest = options, *name, *value;

	if (!options)
		return NULL;
	mc_buf_puts(&data, "");
	while (mc_next_option(&rest, &name, &value)) {
		if (!mc_layer_option_named(name) &&
		    (is_implied(o, name) || (!value && mc_is_sb_flag(name))))
			continue;
		mc_buf_printf(&data, "%s%s%s%s", data.len ? "," : "", name,
			      value ? "=" : "", value ? value : "");
	}
	free(options);
	if (data.nomem) {
		mc_buf_free(&data);
		return NULL;
	}
	return data.data;
}

int mc_exec_overlay(struct mc_exec *x, const struct mc_op *op, bool layers, int *mnt)
{
	const struct mc_src *s = &x->p->srcs[MC_REF_INDEX(op->obj)];
	const struct mc_sb *sb = &x->t->sbs[s->sb];
	struct task t = {
		.o = {
			.sb = sb, .src = s, .layers = layers, .fs = -1, .mnt = -1,
			.userns_fd = -1, .layer = MC_NONE,
		},
		.options = strdup(sb->options),
	};
	int ret = -1;

	/* a child has no memory to ask for */
	if (layers && s->by_mount)
		t.options = data_of(&t.o, t.options);
	t.o.fd = mc_fds_new(sb->nr_layers);
	if (!t.options || !t.o.fd) {
		mc_nomem(x->e);
	} else if (s->owner == MC_NONE) {
		ret = run(x, op, &t);
	} else {
		t.o.userns_fd = mc_owner_fd(x, s->owner);
		if (t.o.userns_fd < 0)
			mc_exec_fail(x, op, errno, "opening its user namespace");
		else if (!mc_userns_first_id(&x->t->userns[s->owner], false, &t.o.uid) ||
			 !mc_userns_first_id(&x->t->userns[s->owner], true, &t.o.gid))
			mc_exec_fail(x, op, EINVAL, "finding the root of its user namespace");
		else
			ret = run(x, op, &t);
	}
	mc_fds_close(t.o.fd, sb->nr_layers);
	free(t.options);
	if (!ret && t.o.mnt >= 0)
		*mnt = t.o.mnt;
	return ret ? -1 : t.o.fs;
}
