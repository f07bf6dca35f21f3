/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Histories: gone through, and cut down.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef HISTORY_RUN_H
#define HISTORY_RUN_H

#include "history/world.h"

struct run {
	struct world *w;
	struct hist h, next;
	int log;		/* the kernel's, or -1 */
	bool careful;		/* mountinfo after each step, not now and then */
	FILE *say;		/* each operation and what came of it, or NULL */
	uint64_t done, refused, events, skipped, of[NR_OPS], refused_of[NR_OPS];
	int most;		/* mounts at one time */
	char what[640];		/* what differs */
};

int run_init(struct run *r, struct world *w);
void run_free(struct run *r);

/* Each false if something differs: then run.what says what. */
bool run_start(struct run *r);
bool run_all(struct run *r, const struct history *y);

/* Makes up @steps operations; on failure @y has them all. */
bool run_random(struct run *r, struct chance *c, int steps, struct history *y);
/* The shortest that still fails; how often it was tried. */
int shrink(struct run *r, struct history *y);

#endif
