/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_VERIFY_ORDER_H
#define MC_VERIFY_ORDER_H

#include "base/base.h"
#include "topology/topology.h"

/* Per mount: it, or what it is on, is one of ids.  NULL and an error; to be freed. */
bool *mc_verify_delayed(const struct mc_topology *t, const uint64_t *ids, size_t nr,
			struct mntcr_error *e);

#endif /* MC_VERIFY_ORDER_H */
