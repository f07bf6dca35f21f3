// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Inode flags that are set last: with them nothing can be linked to a file, nor made or
 * removed in a directory, and neither gets an owner or a mode.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>

#include "contents/contents.h"

bool mc_flags_wait(unsigned long flags)
{
	return flags & (FS_IMMUTABLE_FL | FS_APPEND_FL);
}

bool mc_flags_add(struct mc_flags *l, const char *path, unsigned long flags)
{
	char *copy = strdup(path);

	if (!copy || !mc_grow(&l->list, l->nr, &l->max, sizeof(*l->list))) {
		free(copy);
		return false;
	}
	l->list[l->nr++] = (struct mc_flagged){ copy, flags };
	return true;
}

int mc_flags_set(const struct mc_flags *l, int root, const char **path)
{
	static const struct mc_open_how how = {
		.flags = O_RDONLY | O_CLOEXEC,
		.resolve = MC_RESOLVE_BENEATH | MC_RESOLVE_NO_SYMLINKS |
			   MC_RESOLVE_NO_MAGICLINKS | MC_RESOLVE_NO_XDEV,
	};
	uint32_t i;
	int fd, value, ret;

	for (i = 0; i < l->nr; i++) {
		*path = l->list[i].path;
		fd = mc_openat2_far(root, **path ? *path : ".", &how);
		value = (int)l->list[i].flags;
		ret = fd < 0 ? -1 : ioctl(fd, FS_IOC_SETFLAGS, &value);
		mc_close(fd);
		if (ret)
			return -1;
	}
	return 0;
}

void mc_flags_free(struct mc_flags *l)
{
	while (l->nr)
		free(l->list[--l->nr].path);
	free(l->list);
	*l = (struct mc_flags){ 0 };
}
