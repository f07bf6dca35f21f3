/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Histories: gone through, and cut down.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef HISTORY_RUN_H
#define HISTORY_RUN_H

#include "history/world.h"

/*
 * What failed.  Only of a difference can be said that a shorter history shows the same
 * one.
 */
enum failure_kind {
	NO_FAILURE,
	CANNOT,		/* be done, or be looked at: it says nothing of the kernel */
	ERRNO,		/* what was refused */
	STATE,		/* mounts, after it */
	LOG,		/* the kernel's */
};

struct failure {
	enum failure_kind kind;
	enum op_type type;
	int kernel, model;	/* of ERRNO */
	const char *differs;	/* else: what, of STATE; which words, of LOG */
};

/* What became of operations of one type. */
struct count {
	uint64_t left;		/* made up, but not to be done here */
	uint64_t refused, done;
};

struct run {
	struct world *w;
	struct hist h, next;
	int log;		/* the kernel's, or -1 */
	bool careful;		/* mountinfo after each step, not now and then */
	FILE *say;		/* each operation and what came of it, or NULL */
	uint64_t done, refused, skipped;
	uint64_t unmade;	/* steps that nothing could be made up for */
	struct count of[NR_OPS];
	/* of these: from a tree that is held, a tree to one, elsewhere than they can be used */
	struct count from_held, to_held, elsewhere;
	int most;		/* mounts at one time */
	struct failure failure;
	char what[640];		/* the same in words */
};

/*
 * Before world_init(), which leaves /dev behind.  Without @log nobody looks at the
 * kernel's.
 */
int run_init(struct run *r, struct world *w, bool log);
void run_free(struct run *r);

/* Each false if something differs: then run.what says what. */
bool run_start(struct run *r);
bool run_all(struct run *r, const struct history *y);

/* Makes up @steps operations; on failure @y has them all. */
bool run_random(struct run *r, struct chance *c, int steps, struct history *y);
/* Is it that failure again? */
bool same_failure(const struct failure *a, const struct failure *b);
/* The shortest that still fails so; how often it was tried. */
int shrink(struct run *r, struct history *y);

#endif
