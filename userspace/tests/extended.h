/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether this kernel has the calls that are not upstream's: asked as the library asks,
 * since another kernel may have given their numbers to something else.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TESTS_EXTENDED_H
#define TESTS_EXTENDED_H

#include "base/base.h"

static inline bool has_extended(void)
{
	int err;

	return !mc_extended_lacks(&err);
}

#endif
