/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_VERIFY_COUNTERPARTS_H
#define MC_VERIFY_COUNTERPARTS_H

#include "base/base.h"
#include "topology/topology.h"

/*
 * Per superblock of each side: which one of the other a mntcr_verify() compares it with,
 * or MC_NONE.
 */
int mc_verify_counterparts(const struct mc_topology *a, const struct mc_topology *b,
			   uint32_t *of_a, uint32_t *of_b, struct mntcr_error *e);

#endif /* MC_VERIFY_COUNTERPARTS_H */
