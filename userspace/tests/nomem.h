/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory lacks once, wherever it is asked for, also where what is had in one piece is
 * handed out in many: what was asked for is done all the same, as it is without that, or
 * it is said.  The linker sends these calls here (NOMEM in core.mk).
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TESTS_NOMEM_H
#define TESTS_NOMEM_H

#include "base/base.h"
#include "mntcr.h"
#include "tap.h"

static long left = -1;		/* calls until the one that fails */
static long stride = 1;		/* each so many of them */
static bool failed, needed;	/* one did; without what it was for nothing can be right */

static bool fails(bool is_needed)
{
	if (left < 0 || left--)
		return false;
	failed = true;
	needed = is_needed;
	errno = ENOMEM;
	return true;
}

#define WRAP(type, name, params, args, none, is_needed)			\
	type __real_##name params;					\
	type __wrap_##name params;					\
	type __wrap_##name params					\
	{								\
		return fails(is_needed) ? (none) : __real_##name args;	\
	}

WRAP(void *, malloc, (size_t n), (n), NULL, false)
WRAP(void *, calloc, (size_t n, size_t size), (n, size), NULL, false)
WRAP(void *, realloc, (void *p, size_t n), (p, n), NULL, false)
WRAP(char *, strdup, (const char *s), (s), NULL, false)
WRAP(bool, mc_grow, (void *array, uint32_t nr, uint32_t *max, size_t size),
     (array, nr, max, size), false, false)

/*
 * fn() does it and returns what came of it, in words, with an error only where it has
 * failed; what is said of memory is left to this.
 */
static void each_allocation(char *(*fn)(struct mntcr_error *e), long least)
{
	struct mntcr_error e = { 0 };
	char *without = fn(&e), *s;
	long n, bad = 0;

	REQUIRE(without && !tap.bad);
	for (n = 0; n < 100000 && bad < 5; n += stride) {
		memset(&e, 0, sizeof(e));
		failed = needed = false;
		left = n;
		s = fn(&e);
		left = -1;
		if (e.code == MNTCR_SYS && e.err == ENOMEM) {
			CHECK(failed);
		} else if (needed || strcmp(s, without)) {
			TAP_SAY("allocation %ld: %s, not %s", n, *e.text ? e.text : s, without);
			bad++;
		}
		free(s);
		if (!failed)
			break;
	}
	free(without);
	CHECK_EQ(bad, 0);
	TAP_SAY("%ld allocations", n);
	CHECK(n >= least && n < 100000);
}

#endif /* TESTS_NOMEM_H */
