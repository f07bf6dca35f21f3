// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Roots and mountpoints as paths: in which order.
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

bool mc_plan_is_path(const char *root)
{
	return root[0] == '/' && !mc_path_dots(root);
}
