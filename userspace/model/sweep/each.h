/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which topologies a sweep goes through, and which of them are this shard's.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef EACH_H
#define EACH_H

#include "topologies/tree.h"

/*
 * SHARD=i/n: every n-th, from the i-th on.  SEED=N: the random ones; shards
 * that are not told have the same one, so that they add up to one sweep.
 */
struct each {
	uint64_t shard, shards, seed;
};

/* @hash decides what is left to choice. */
typedef void each_fn(void *data, const struct topo *t, uint64_t hash);

/* From the environment, or from arguments that look like it. */
int each_init(struct each *e, int argc, char **argv);
/* Every structure of @n mounts: how many there are, or -errno. */
int64_t each_structure(const struct each *e, int n, int nr_ns, bool roots,
		       each_fn *fn, void *data);
void each_random(const struct each *e, int nr, each_fn *fn, void *data);
/* Those that broke a kernel, or an attempt at one: how many. */
int each_known(const struct each *e, each_fn *fn, void *data);

/* How many trees there are, uniform ones as well, and which can be had. */
struct tree_counts {
	uint64_t all, uniform, fit, one_in;
};

typedef void tree_fn(void *data, const struct topo *t, const struct layout *l,
		     uint64_t hash);
typedef bool fits_fn(void *data, const struct topo *t, const struct layout *l);

/*
 * Of the trees of a class that fit one in @one_in, or in so many as there are,
 * which ones the seed says.  0 or -errno.
 */
int each_fitting_tree(const struct each *e, int class, int base, int nr_ns,
		      uint64_t one_in, fits_fn *fits, tree_fn *fn, void *data,
		      struct tree_counts *n);

/* A topology and its layout as one line, and back: 0, or it is not one. */
void each_print(const struct topo *t, const struct layout *l, char *line,
		size_t size);
int each_parse(const char *line, struct topo *t, struct layout *l);

#endif
