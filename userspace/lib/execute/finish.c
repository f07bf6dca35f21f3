// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a superblock gets once nothing is written to it any more.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <inttypes.h>
#include <stdio.h>

#include "contents/contents.h"
#include "execute/execute.h"

int mc_exec_set_last(struct mc_exec *x, const struct mc_op *op, const struct mc_src *s,
		     int root)
{
	const struct mc_sb *sb = &x->t->sbs[s->sb];
	char text[400], esc[256];
	const char *path;
	int err;

	if (!x->later || !mc_flags_set(&x->later[s - x->p->srcs], root, &path))
		return 0;
	err = errno;
	snprintf(text, sizeof(text), "contents of %s %u:%u: /%s: setting its inode flags",
		 sb->type, sb->major, sb->minor, mc_escape(path, esc, sizeof(esc)));
	return mc_exec_fail(x, op, err, text);
}

/* A fresh one, with the options that it has otherwise. */
static int reconfigure(int mnt, const struct mc_sb *sb)
{
	bool rdonly = sb->flags & MS_RDONLY, spare = sb->sized && sb->inodes;
	char inodes[32];
	int fs, ret;

	if (!rdonly && !spare)
		return 0;
	snprintf(inodes, sizeof(inodes), "%" PRIu64, sb->inodes);
	fs = (int)syscall(__NR_fspick, mnt, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
	ret = fs < 0 ||
	      (spare && mc_fsconfig(fs, MC_FSCONFIG_SET_STRING, "nr_inodes", inodes, 0)) ||
	      (rdonly && mc_fsconfig(fs, MC_FSCONFIG_SET_FLAG, "ro", NULL, 0)) ||
	      mc_fsconfig(fs, MC_FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) ? -1 : 0;
	mc_close(fs);
	return ret;
}

static int finish(struct mc_exec *x, const struct mc_op *op, void *unused)
{
	uint32_t s = MC_REF_INDEX(op->obj);
	const struct mc_src *src = &x->p->srcs[s];

	(void)unused;
	if (mc_exec_set_last(x, op, src, x->src_fd[s]))
		return -1;
	if (reconfigure(x->src_fd[s], &x->t->sbs[src->sb]))
		return mc_exec_fail(x, op, errno, "setting the size of the superblock, or making it read-only");
	return 0;
}

int mc_exec_close(struct mc_exec *x, const struct mc_op *op)
{
	return mc_exec_as_owner(x, op, finish, NULL);
}
