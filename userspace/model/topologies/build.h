/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a sharing topology to a state of the model.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * Every namespace has a private root of superblock SB_ROOT; the mounts of the
 * topology are of SB_SHARED; what events mount is SB_EVENT and above.
 */
#ifndef BUILD_H
#define BUILD_H

#include "rules/model.h"
#include "topologies/layout.h"

enum { SB_ROOT, SB_SHARED, SB_EVENT };

/*
 * Private mounts in place, then groups, masters first, then locks.  @join: the members
 * after the first join its group, the slaves after the first are its siblings,
 * instead of one call for all.  @mnt: the model's mount for each.
 */
int build_model(const struct topo *t, const struct layout *l, bool join,
		struct model *m, int *mnt);

#endif
