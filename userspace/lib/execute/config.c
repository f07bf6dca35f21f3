// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What an image says of a superblock's options, given to fsconfig(2).
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "execute/execute.h"

int mc_exec_config(struct mc_exec *x, int fs, unsigned int cmd, const char *key,
		   const char *value)
{
	mc_count(x, FSCONFIG);
	return mc_fsconfig(fs, cmd, key, value, 0);
}

static int set_option(struct mc_exec *x, int fs, const char *name,
		      const char *value)
{
	if (value)
		return mc_exec_config(x, fs, MC_FSCONFIG_SET_STRING, name, value);
	if (mc_is_sb_flag(name))
		return 0;
	return mc_exec_config(x, fs, MC_FSCONFIG_SET_FLAG, name, NULL);
}

int mc_exec_set_options(struct mc_exec *x, int fs, const struct mc_sb *sb,
			const struct mc_op *op)
{
	char *copy = strdup(sb->options), *rest = copy, *name, *value;
	char what[256], esc[128];
	int ret = 0;

	if (!copy)
		return mc_nomem(x->e);
	while (mc_next_option(&rest, &name, &value)) {
		if (!set_option(x, fs, name, value))
			continue;
		snprintf(what, sizeof(what), "%s option %s", sb->type,
			 mc_escape(name, esc, sizeof(esc)));
		ret = mc_exec_fail(x, op, errno, what);
		break;
	}
	free(copy);
	return ret;
}

int mc_exec_set_flags(struct mc_exec *x, int fs, uint32_t flags)
{
	if (flags & MS_SYNCHRONOUS &&
	    mc_exec_config(x, fs, MC_FSCONFIG_SET_FLAG, "sync", NULL))
		return -1;
	if (flags & MS_DIRSYNC &&
	    mc_exec_config(x, fs, MC_FSCONFIG_SET_FLAG, "dirsync", NULL))
		return -1;
	if (flags & MS_LAZYTIME &&
	    mc_exec_config(x, fs, MC_FSCONFIG_SET_FLAG, "lazytime", NULL))
		return -1;
	return 0;
}
