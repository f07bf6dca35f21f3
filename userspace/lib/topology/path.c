// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Roots and mountpoints as paths: which is below which.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <string.h>

#include "topology/topology.h"

size_t mc_root_len(const char *root)
{
	return strcmp(root, "/") ? strlen(root) : 0;
}

size_t mc_path_dots(const char *path)
{
	size_t n = 0;

	while (!strncmp(path + n, "/..", 3) && (!path[n + 3] || path[n + 3] == '/'))
		n += 3;
	return n;
}

bool mc_path_below(const char *a, const char *b)
{
	size_t n = mc_root_len(a);

	if (a[0] != '/')
		return !strcmp(a, b);
	return !strncmp(a, b, n) && (!b[n] || b[n] == '/') && !mc_path_dots(b + n);
}
