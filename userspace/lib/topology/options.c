// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Options of a superblock as the kernel prints them, taken apart again.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <string.h>

#include "base/base.h"
#include "topology/topology.h"

/* The kernel prints no byte of 0; one that an escape makes is dropped. */
static void unescape(char *s)
{
	size_t n = mc_unescape(s), i, to = 0;

	for (i = 0; i < n; i++)
		if (s[i])
			s[to++] = s[i];
	s[to] = '\0';
}

/*
 * A comma ends a value, except between the quotes that security modules put
 * around theirs, and in a list of nodes.
 */
static char *value_end(const char *name, char **value)
{
	char *p = *value, *close;

	if (*p == '"') {
		close = strchr(p + 1, '"');
		if (close && (!close[1] || close[1] == ',')) {
			*close = '\0';
			++*value;
			return close + 1;
		}
	}
	p += strcspn(p, ",");
	while (!strcmp(name, "mpol") && *p && p[1] >= '0' && p[1] <= '9')
		p += 1 + strcspn(p + 1, ",");
	return p;
}

bool mc_next_option(char **rest, char **name, char **value)
{
	char *p = *rest + strspn(*rest, ",");

	*name = p;
	*value = NULL;
	if (!*p)
		return false;
	p += strcspn(p, "=,");
	if (*p == '=') {
		*p++ = '\0';
		*value = p;
		p = value_end(*name, value);
	}
	if (*p)
		*p++ = '\0';
	*rest = p;
	unescape(*name);
	if (*value)
		unescape(*value);
	return true;
}
