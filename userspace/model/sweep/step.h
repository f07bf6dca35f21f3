/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The same operation in the model and in the kernel: steps of a run.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef STEP_H
#define STEP_H

#include "sweep/run.h"

struct event {
	int i, dir;
};

struct batch {
	int n;
	struct event e[WORLD_EVENTS];
};

bool failed(struct run *r, const char *who, const char *why);
/* Both did it, or both refused with the same errno. */
bool both(struct run *r, int kernel, int model);
bool compare(struct run *r);
bool build(struct run *r);
bool step_done(struct run *r);
/*
 * On each of @n mounts, in its root and in those of the first @dirs directories
 * of the tree that a path leads to; with @stack then one more each at one and
 * the same place.
 */
bool fire(struct run *r, struct batch *b, int n, int dirs, bool stack);
bool clear(struct run *r, const struct batch *b);
/* That many directories of the tree are of interest: roots or mountpoints. */
int event_dirs(const struct run *r);
/* Some of its mounts are on others of them. */
bool is_tree(const struct run *r);
bool mount_event(struct run *r, struct batch *b, int i, int dir);
/* What is seen at a directory of mount @i: the top of the stack, or -1. */
int on_top(const struct run *r, int i, int dir);
/* Does a path from the root of mount @i to @dir stay on it? */
bool on_path(const struct run *r, int i, int dir);
/* The path to a mount's place; false: something else hides that. */
bool place_path(const struct model *m, int mnt, char *path, size_t size);

/* Events at the places where the tree has children; then umounts of those: diverged.c. */
bool do_places(struct run *r, struct batch *b);
bool do_umounts(struct run *r, struct batch *b);

#endif
