/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Namespaces kept alive by a file: a bind mount of the namespace's own file on
 * DIR/N, N counting the image's namespaces from 0, for nsenter(1).
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_PIN_H
#define MC_PIN_H

#include <stdbool.h>
#include <stdint.h>

#include "mntcr.h"

struct mc_pins;

/* Before the restore, which would get copies of what is mounted here. */
int mc_pins_open(const char *dir, struct mc_pins **pins, struct mntcr_error *e);
/* Once the namespaces are complete.  After a failure undo is called for. */
int mc_pins_add(struct mc_pins *p, const int *ns_fds, uint32_t nr,
		struct mntcr_error *e);
bool mc_pins_are_in(const struct mc_pins *p, const char *dir);
void mc_pins_undo(struct mc_pins *p);
void mc_pins_free(struct mc_pins *p);

#endif /* MC_PIN_H */
