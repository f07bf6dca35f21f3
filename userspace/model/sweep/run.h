/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One topology, in the model and in the kernel.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef RUN_H
#define RUN_H

#include <stdio.h>

#include "sweep/world.h"

struct run {
	struct world *w;
	const struct topo *t;
	const struct layout *l;
	enum way way;
	uint64_t hash;		/* decides what is left to choice */
	bool locks;		/* the kernel says what is locked */
	bool each;		/* compare after every single step */
	bool all_types;		/* every change of type of every mount */
	FILE *show;		/* print both states here where they part */
	/* what to do with the topology: shrink() tries it with smaller ones */
	bool (*test)(struct run *r);
	void *data;

	struct model m;
	int mnt[WORLD_MOUNTS];
	char step[128];		/* the last one */
	char what[384];		/* what differs, empty: nothing */
};

/* A test.  false: something differs or failed, see what and step. */
bool run_topology(struct run *r);

/*
 * Makes @t and @l the least of r->t and r->l that still differs, and sets
 * r->hash accordingly; false if they are that already.
 */
bool shrink(struct run *r, struct topo *t, struct layout *l);
/* Random groups, with locks: false, and what differs. */
bool run_groups(struct world *w, uint64_t seed, FILE *show, char *what,
		size_t size);

#endif
