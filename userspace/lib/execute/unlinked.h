/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of making and unlinking unlinked roots have of one another: each file
 * those before it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_UNLINKED_H
#define MC_UNLINKED_H

#include "contents/contents.h"
#include "execute/execute.h"

/* --- aside.c --------------------------------------------------------------------- */

/* Else it goes with its superblock, whatever happens. */
bool mc_unlinked_elsewhere(const struct mc_exec *x, const struct mc_src *s);
/* Is that what was made?  Else errno. */
bool mc_unlinked_is_made(const struct mc_put *put, int dir, const char *name);
/* To what it was before a change of ours, right after that. */
int mc_unlinked_set_back(int dir, const struct stat *was);
/* root: of the superblock.  x->aside_fd has the directory; or x->e says why not. */
int mc_aside_make(struct mc_exec *x, const struct mc_src *s, int root);
/* What was not unlinked by its other name goes, too.  An errno. */
int mc_aside_remove(struct mc_exec *x, const struct mc_src *s, int root);

/* --- unlink-again.c -------------------------------------------------------------- */

/* Unlinked root i of the plan, by the name that it had.  -1: errno, and what failed. */
int mc_unlink_again(struct mc_exec *x, const struct mc_src *s, int root, uint32_t i,
		    const char **what);

#endif /* MC_UNLINKED_H */
