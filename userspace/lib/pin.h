/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Namespaces kept alive by a file: a bind mount of the namespace's own file on
 * DIR/N, N counting the image's namespaces from 0, for nsenter(1).
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_PIN_H
#define MC_PIN_H

#include "mntcr.h"

struct mc_pins;

/* All or none: on failure what was pinned is taken away again. */
int mc_pin(const char *dir, const int *ns_fds, uint32_t nr,
	   struct mc_pins **pins, struct mntcr_error *e);
void mc_pins_undo(struct mc_pins *p);
void mc_pins_free(struct mc_pins *p);

#endif /* MC_PIN_H */
