/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of the backend for stock kernels have of one another: each file those
 * before it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_UPSTREAM_H
#define MC_UPSTREAM_H

#include "execute/execute.h"

/* --- upstream-where.c ------------------------------------------------------------ */

/* The namespace, MC_IN_*; -1: errno. */
int mc_up_enter(struct mc_exec *x, uint32_t where);
/* The mount at fd, already on the root, becomes the root; the old one goes. */
int mc_up_become_root(struct mc_exec *x, int fd);
/* A descriptor of what is restored or in the scratch tree. */
int mc_up_fd(struct mc_exec *x, mc_ref r, const struct mc_op *op);

/* --- upstream-wait.c ------------------------------------------------------------- */

int mc_up_flush(struct mc_exec *x);
int mc_up_put_off(struct mc_exec *x, mc_ref obj, const struct mc_op *op, uint32_t where,
		  uint32_t slot);
/* A clone failed: may it succeed once nothing waits any more? */
bool mc_up_lacks_room(const struct mc_exec *x, int fd);
int mc_up_to_scratch(struct mc_exec *x, mc_ref obj, bool dir, const struct mc_op *op);

/* --- upstream-source.c ----------------------------------------------------------- */

/* Enter the namespace of the source and open it there. */
int mc_up_open_origin(struct mc_exec *x, uint32_t s, const struct mc_op *op);
int mc_up_open_src(struct mc_exec *x, uint32_t s);
int mc_up_base_src(struct mc_exec *x, uint32_t s);

/* --- upstream-group.c ------------------------------------------------------------ */

int mc_up_group(struct mc_exec *x, const struct mc_op *op);

#endif /* MC_UPSTREAM_H */
