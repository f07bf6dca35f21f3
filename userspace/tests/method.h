/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a kernel can be asked for its mounts.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TESTS_METHOD_H
#define TESTS_METHOD_H

#include <stdbool.h>
#include <unistd.h>

#include "mntcr.h"
#include "tap.h"

/* Whether there is statmount(2), with all that a dump needs. */
static inline bool has_statmount(void)
{
	struct mntcr_capture_options opts = {
		.size = sizeof(opts), .method = MNTCR_METHOD_STATMOUNT,
	};
	struct mntcr_source self = { .type = MNTCR_SOURCE_PID, .pid = getpid() };
	struct mntcr_topology *t = NULL;
	struct mntcr_error e;
	int ret = mntcr_capture(&self, 1, &opts, &t, &e);

	REQUIRE(!ret || e.code == MNTCR_UNSUPPORTED);
	mntcr_topology_free(t);
	return !ret;
}

#endif
