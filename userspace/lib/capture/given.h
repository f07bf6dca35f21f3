/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * User namespaces that are there for those of an image.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_CAPTURE_GIVEN_H
#define MC_CAPTURE_GIVEN_H

#include "base/base.h"
#include "topology/topology.h"

/* mntcr_topology_owners(), with all that is wrong, as mc_topology_stand_in(). */
int mc_topology_owners(struct mc_topology *t, const struct mntcr_owner *owners, size_t nr,
		       const struct mc_wrong *w, struct mntcr_error *e);

#endif /* MC_CAPTURE_GIVEN_H */
