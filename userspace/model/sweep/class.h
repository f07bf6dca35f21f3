/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Classes of topologies: what is in each, how many were restored, and why the
 * others were not.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef CLASS_H
#define CLASS_H

#include "sweep/each.h"
#include "sweep/restore.h"
#include "topologies/tree.h"

enum kind { KNOWN, STRUCTURES, TREES, RANDOM };

struct class {
	enum kind kind;
	const char *name;
	int n;			/* mounts; of trees: base mounts; or 0 */
	int nr_ns;
	bool roots;
	bool locked;		/* each inside the one before, locked there */
	const struct tree_class *tree;
	struct scene scene;
	uint64_t one_in;	/* not more of them are gone through */

	/* what has been done */
	int64_t exist;		/* or -errno */
	uint64_t tried, left_out;
	uint64_t restored[NR_BACKENDS], wrong[NR_BACKENDS];
	uint64_t refused[NR_BACKENDS][NR_REFUSALS], seen[NR_REFUSALS];
	double seconds;
};

/* What this kernel can be told. */
struct means {
	bool api, locks;
};

/* One of a class: where its mounts hang and how it is built is chosen. */
struct pick {
	const struct topo *t;
	struct layout l;
	uint64_t hash;
	enum way way;
};

typedef void pick_fn(void *data, struct class *c, const struct pick *p);

/* Both ways where both will do; false: none does. */
bool choose_way(const struct means *means, struct pick *p);
/* All of this shard's; sets what exists and what had to be left out. */
void class_walk(struct class *c, const struct each *e,
		const struct means *means, pick_fn *fn, void *data);
/*
 * Do the shards of any sweep do together what a whole one does?  Nothing is
 * built.  false: of @wrong they do not.
 */
bool class_shards_add_up(const struct class *c, int n, const struct each *e,
			 const struct means *means, const struct class **wrong);

const char *class_reach(const struct scene *s);
const char *class_other(const struct scene *s);
void class_add(struct class *c, const struct restoration *x);

/* Two tests; @skip says why a backend was not used.  Returns failures. */
struct report {
	const char *skip[NR_BACKENDS];
	bool none_is_fine;		/* other shards have them */
	bool lock_refused;		/* it has been seen of a mount */
};

int class_report(const struct class *c, int first, const struct report *r);
/* The matrix: a line for each, and what the rules are. */
void class_matrix(const struct class *c, int n, const struct report *r);

#endif
