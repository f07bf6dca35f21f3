/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The same operations in the model and in the kernel: what runs share.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef RUN_INTERNAL_H
#define RUN_INTERNAL_H

#include "run.h"

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
/*
 * On each of @n mounts, in each directory it sees or only its root; with
 * @stack then one more each at one and the same place.
 */
bool fire(struct run *r, struct batch *b, int n, bool all_dirs, bool stack);
bool clear(struct run *r, const struct batch *b);

#endif
