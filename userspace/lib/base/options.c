// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Structures of callers who were built with another version of the headers.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <string.h>

#include "base/base.h"

/* No header has more: what is above is no size, but was never set. */
#define MOST	4096

bool mc_is_zero(const void *p, size_t n)
{
	const unsigned char *c = p;

	while (n && !*c) {
		c++;
		n--;
	}
	return !n;
}

int mc_take_options(void *mine, size_t size, size_t first, const void *theirs,
		    const char *what, struct mntcr_error *e)
{
	size_t given = 0;

	memset(mine, 0, size);
	if (theirs) {
		memcpy(&given, theirs, sizeof(given));
		if (given < first || given > MOST)
			return mc_fail(e, MNTCR_USAGE, 0,
				       "%s: the size is %zu, not sizeof(struct mntcr_%s)",
				       what, given, what);
		memcpy(mine, theirs, given < size ? given : size);
		if (given > size &&
		    !mc_is_zero((const char *)theirs + size, given - size))
			return mc_fail(e, MNTCR_USAGE, 0,
				       "%s: something is asked for that this version of the library does not know",
				       what);
	}
	memcpy(mine, &size, sizeof(size));
	return 0;
}
