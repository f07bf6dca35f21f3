// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Unlinked roots of a fresh superblock, or on a device.  Each is made under a name of its
 * own; once it is attached it gets the name that it had, which is what the kernel shows of
 * it from then on, and loses it.  What has that name by now changes places with it
 * meanwhile.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contents/contents.h"
#include "execute/execute.h"

static size_t dir_len(const char *path)
{
	return mc_member_dir(path);
}

static const char *last_name(const char *path)
{
	size_t n = dir_len(path);

	return n ? path + n + 1 : path;
}

static int take_name_and_go(int dir, const char *made_as, const char *name)
{
	struct stat st;
	bool taken;

	if (fstatat(dir, made_as, &st, AT_SYMLINK_NOFOLLOW))
		return -1;
	taken = !renameat2(dir, made_as, dir, name, RENAME_EXCHANGE);
	if (!taken && (errno != ENOENT ||
		       renameat2(dir, made_as, dir, name, RENAME_NOREPLACE)))
		return -1;
	if (unlinkat(dir, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0))
		return -1;
	return taken ? renameat2(dir, made_as, dir, name, RENAME_NOREPLACE) : 0;
}

/* What was made on the way, from below upwards. */
static int remove_way(int root, const char *path, size_t way)
{
	size_t len = dir_len(path), up;
	char *copy;
	int dir, ret = 0;

	while (len > way && !ret) {
		copy = strndup(path, len);
		if (!copy)
			return -1;
		up = dir_len(copy);
		dir = mc_contents_dir(root, copy, up);
		ret = dir < 0 ? -1 : unlinkat(dir, up ? copy + up + 1 : copy,
					      AT_REMOVEDIR);
		mc_close(dir);
		free(copy);
		len = up;
	}
	return ret;
}

static int one(int root, const struct mc_unlinked *u, size_t way)
{
	int top = mc_contents_dir(root, u->path, way);
	int dir = mc_contents_dir(root, u->path, dir_len(u->path));
	struct stat st;
	int ret = -1;

	if (top >= 0 && dir >= 0 && !fstat(top, &st) &&
	    !take_name_and_go(dir, last_name(u->made_as), last_name(u->path)) &&
	    !remove_way(root, u->path, way))
		ret = futimens(top, (struct timespec[2]){ st.st_atim, st.st_mtim });
	mc_close(dir);
	mc_close(top);
	return ret;
}

/* With the options that it has. */
static int make_read_only(int mnt)
{
	int fs = (int)syscall(__NR_fspick, mnt, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
	int ret = fs < 0 ? -1 :
		  mc_fsconfig(fs, MC_FSCONFIG_SET_FLAG, "ro", NULL, 0) ||
		  mc_fsconfig(fs, MC_FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) ? -1 : 0;

	mc_close(fs);
	return ret;
}

/* --- making them ---------------------------------------------------------------- */

struct mc_put *mc_exec_put(const struct mc_plan *p, const struct mc_src *s)
{
	struct mc_put *put = calloc(s->nr_unlinked + 1UL, sizeof(*put));
	uint32_t i;

	for (i = 0; put && i < s->nr_unlinked; i++)
		put[i] = (struct mc_put){
			.nr = p->unlinked[s->unlinked + i].nr,
			.path = p->unlinked[s->unlinked + i].made_as,
		};
	return put;
}

static bool on_device(const struct mc_exec *x, const struct mc_src *s)
{
	return s->nr_unlinked && mc_type_on_device(x->t->sbs[s->sb].type);
}

/* A new superblock goes with all that was made; on a device it is to be taken away. */
static void take_back(struct mc_exec *x, const struct mc_src *s, int root)
{
	const struct mc_unlinked *u;
	struct stat st, top_st;
	int dir, top;
	uint32_t i;

	for (i = s->nr_unlinked; i--; ) {
		size_t way = x->unlinked_way[s->unlinked + i];

		u = &x->p->unlinked[s->unlinked + i];
		if (way == SIZE_MAX)
			continue;
		x->unlinked_way[s->unlinked + i] = SIZE_MAX;
		top = mc_contents_dir(root, u->path, way);
		dir = mc_contents_dir(root, u->path, dir_len(u->path));
		if (top >= 0 && !fstat(top, &top_st)) {
			if (dir >= 0 && !fstatat(dir, last_name(u->made_as), &st,
						 AT_SYMLINK_NOFOLLOW))
				unlinkat(dir, last_name(u->made_as),
					 S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0);
			remove_way(root, u->path, way);
			futimens(top, (struct timespec[2]){ top_st.st_atim, top_st.st_mtim });
		}
		mc_close(dir);
		mc_close(top);
	}
}

int mc_exec_fill(struct mc_exec *x, const struct mc_src *s, int root)
{
	struct mc_put *put = mc_exec_put(x->p, s);
	uint32_t i;
	int ret;

	if (s->nr_unlinked && !x->o->contents) {
		free(put);
		return mc_fail(x->e, MNTCR_USAGE, 0,
			       "unlinked roots are in the image's contents, which were not given");
	}
	if (s->nr_unlinked && !x->unlinked_way) {
		x->unlinked_way = calloc(x->p->nr_unlinked, sizeof(*x->unlinked_way));
		for (i = 0; x->unlinked_way && i < x->p->nr_unlinked; i++)
			x->unlinked_way[i] = SIZE_MAX;
	}
	if (!put || (s->nr_unlinked && !x->unlinked_way)) {
		free(put);
		return mc_nomem(x->e);
	}
	ret = mc_contents_fill(x->o->contents, &x->t->sbs[s->sb], root,
			       s->kind == MC_SRC_FRESH, put, s->nr_unlinked, x->e);
	for (i = 0; i < s->nr_unlinked; i++)
		x->unlinked_way[s->unlinked + i] = put[i].way;
	free(put);
	if (ret && on_device(x, s))
		take_back(x, s, root);
	return ret;
}

int mc_exec_fill_externals(struct mc_exec *x)
{
	const struct mc_src *s;
	uint32_t i;

	for (i = 0; i < x->p->nr_srcs; i++) {
		s = &x->p->srcs[i];
		if (s->kind == MC_SRC_EXTERNAL && s->nr_unlinked &&
		    mc_exec_fill(x, s, x->external_fd[s->index]))
			return -1;
	}
	return 0;
}

static int root_of(const struct mc_exec *x, uint32_t i)
{
	const struct mc_src *s = &x->p->srcs[i];

	return s->kind == MC_SRC_EXTERNAL ? x->external_fd[s->index] : x->src_fd[i];
}

void mc_exec_take_back(struct mc_exec *x)
{
	uint32_t i;

	for (i = 0; x->unlinked_way && i < x->p->nr_srcs; i++)
		if (on_device(x, &x->p->srcs[i]) && root_of(x, i) >= 0)
			take_back(x, &x->p->srcs[i], root_of(x, i));
}

/* --- and unlinking them ----------------------------------------------------------- */

struct job {
	struct mc_exec *x;
	const struct mc_op *op;
	int ret;
};

static int unlink_all(struct mc_exec *x, const struct mc_op *op)
{
	uint32_t s = MC_REF_INDEX(op->obj), i;
	const struct mc_unlinked *u;
	char what[300], esc[256];

	/* the last one first: it may be in what was made for an earlier one */
	for (i = op->nr; i--; ) {
		u = &x->p->unlinked[op->first + i];
		if (!one(root_of(x, s), u, x->unlinked_way[op->first + i])) {
			x->unlinked_way[op->first + i] = SIZE_MAX;
			continue;
		}
		snprintf(what, sizeof(what), "unlinking /%s again",
			 mc_escape(u->path, esc, sizeof(esc)));
		return mc_exec_fail(x, op, errno, what);
	}
	if (x->t->sbs[x->p->srcs[s].sb].flags & MS_RDONLY &&
	    !on_device(x, &x->p->srcs[s]) && make_read_only(x->src_fd[s]))
		return mc_exec_fail(x, op, errno, "making the superblock read-only");
	return 0;
}

static void as_root(void *data)
{
	struct job *j = data;

	j->ret = unlink_all(j->x, j->op);
}

/* A new name takes an fsuid and an fsgid that the superblock's owner maps. */
int mc_exec_unlink(struct mc_exec *x, const struct mc_op *op)
{
	uint32_t owner = x->p->srcs[MC_REF_INDEX(op->obj)].owner;
	struct job j = { x, op, 0 };

	if (owner == MC_NONE)
		as_root(&j);
	else if (mc_owner_as_root(x, owner, as_root, &j))
		j.ret = mc_exec_fail(x, op, errno,
				     "becoming the root of its user namespace");
	return j.ret;
}
