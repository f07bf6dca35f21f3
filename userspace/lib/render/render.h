/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside render: one function per format.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_RENDER_H
#define MC_RENDER_H

#include "topology/topology.h"

int mc_render_tree(const struct mc_topology *t, FILE *out,
		   struct mntcr_error *e);
int mc_render_dot(const struct mc_topology *t, FILE *out,
		  struct mntcr_error *e);

#endif /* MC_RENDER_H */
