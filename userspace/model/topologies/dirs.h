/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The directories that all superblocks have.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * They are the binary tree, and in each of its directories places for events and
 * places where other mounts hang.
 */
#ifndef DIRS_H
#define DIRS_H

#include "topologies/topo.h"

#define DIRS_PER_ROOT	(2 * TOPO_MAX + 2)
#define NR_DIRS		(TOPO_ROOTS + TOPO_ROOTS * DIRS_PER_ROOT)

extern int dir_parents[NR_DIRS];

void dirs_init(void);
/* Is @dir below @top, or that itself? */
bool dir_under(int dir, int top);
int dir_event(int root, int i);
int dir_hang(int root, int i);
int dir_extra(int root, int i);

/* Names: "a", "b"; "e0" for events, "h0" to hang on, "x0" and "x1" extra. */
#define DIR_PATH	16

const char *dir_path(int dir, int root, char *buf);	/* "" for itself */
int dir_walk(int from, const char *path);	/* -1: no such directory */

#endif
