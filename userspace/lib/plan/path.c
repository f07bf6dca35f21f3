// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Roots and mountpoints as paths: which is below which, and in which order.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <string.h>

#include "plan/priv.h"

/* '/' sorts before every other byte, so a directory's inside stays together. */
int mc_path_cmp(const char *a, const char *b)
{
	unsigned int ca, cb;

	if (a == b)
		return 0;
	if (!strcmp(a, "/"))
		a = "";
	if (!strcmp(b, "/"))
		b = "";
	while (*a && *a == *b) {
		a++;
		b++;
	}
	ca = !*a ? 0 : *a == '/' ? 1 : (unsigned char)*a + 2U;
	cb = !*b ? 0 : *b == '/' ? 1 : (unsigned char)*b + 2U;
	return (ca > cb) - (ca < cb);
}

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

bool mc_plan_is_path(const char *root)
{
	return root[0] == '/' && !mc_path_dots(root);
}
