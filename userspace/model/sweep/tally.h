/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What came of one class of topologies, built one way.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TALLY_H
#define TALLY_H

#include "sweep/each.h"
#include "sweep/run.h"

struct sweep {
	struct world *w;
	struct each each;
	bool way[NR_WAYS];
	bool locks;		/* the kernel makes and shows locked mounts */
	bool count;		/* say what would be gone through, do nothing */
	int tests, failures;
};

struct tally {
	struct sweep *s;
	enum way way;
	int all_types;		/* every change of type: up to so many mounts */
	uint64_t exist;		/* in all shards; of them were compared: */
	uint64_t done, differ;
	uint64_t nested, below;	/* below what they receive from, some of those */
	uint64_t left_out;
	const char *why;	/* they are left out */
	int error;		/* -errno */
	uint64_t sum;		/* of what was compared, in any order */
	double start;
};

/* Since some time in the past. */
double tally_seconds(void);
struct tally tally_start(struct sweep *s, enum way way);
/* Why this kernel cannot have it: NULL, or the reason. */
const char *tally_not(const struct sweep *s, const struct topo *t,
		      const struct layout *l);
/* One more: built, gone through and explained if something differs. */
void tally_one(struct tally *c, const struct topo *t, const struct layout *l,
	       uint64_t hash);
/* A test: it fails as well if nothing was compared in any shard. */
void tally_done(struct tally *c, const char *name);

/* Topologies as they are printed where something differs: each a test. */
void tally_lines(struct sweep *s, char **lines, int n);

#endif
