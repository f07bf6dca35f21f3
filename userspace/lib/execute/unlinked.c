// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Unlinked roots of a fresh superblock, once they are attached: each gets the name that
 * it had, which is what the kernel shows of it from then on, and loses it.  What has
 * that name by now changes places with it meanwhile.
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
		if (!one(x->src_fd[s], u, x->unlinked_way[op->first + i]))
			continue;
		snprintf(what, sizeof(what), "unlinking /%s again",
			 mc_escape(u->path, esc, sizeof(esc)));
		return mc_exec_fail(x, op, errno, what);
	}
	if (x->t->sbs[x->p->srcs[s].sb].flags & MS_RDONLY && make_read_only(x->src_fd[s]))
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
