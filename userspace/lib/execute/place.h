/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Namespaces as the caller names them.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_PLACE_H
#define MC_PLACE_H

#include "mntcr-restore.h"
#include "plan/plan.h"

/* A namespace file of its own; -1 and an error, the name in it. */
int mc_place_ns(const struct mntcr_source *s, struct mntcr_error *e);

/* MNTCR_UNSUPPORTED unless all the new calls are there. */
int mc_need_extended(struct mntcr_error *e);
enum mntcr_api mc_choose_api(enum mntcr_api wanted);
void mc_plan_options(const struct mntcr_restore_options *o,
		     struct mc_plan_options *po);

/* Run fn(data) in a thread of its own, and wait for it: 0 or an errno. */
int mc_in_thread(void *(*fn)(void *), void *data);

#endif /* MC_PLACE_H */
