/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Histories: the kernel's side.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef HISTORY_WORLD_H
#define HISTORY_WORLD_H

#include <sys/types.h>

#include "history/history.h"

struct world {
	int base, base_root;	/* the namespace that the sources are in */
	int source[HIST_SBS + 1];	/* superblocks, each mounted there, private */
	dev_t dev[HIST_SBS + 1];
	int user[HIST_OWNERS];	/* user namespaces; of the initial one none */
	int proc;
	bool changed;	/* the directories are not those of the start */
	bool by_id, locks;	/* what this kernel has */
	int nr_ns, ns[HIST_NS], root[HIST_NS];
	int err;		/* errno of what failed last */
	char error[512];
	const char *differs;	/* what does; NULL: world.error is of no difference */
};

int world_init(struct world *w);
/* What is there before the first operation; what was there before is gone. */
int world_start(struct world *w, const struct hist *h);
void world_drop(struct world *w);

/* Can the operation's mounts be got at, as things are in @h? */
bool world_can(const struct world *w, const struct hist *h, const struct op *op,
	       const struct target *t);
/* 0 or -errno; 1: what it takes failed, see world.error. */
int world_do(struct world *w, const struct hist *h, const struct op *op,
	     const struct target *t);

/*
 * Compares all of the kernel's mounts with the model's, and learns the ids of new
 * ones: 0, or -1 and world.error.
 */
int world_compare(struct world *w, struct hist *h, bool mountinfo);
void world_print(const struct hist *h, FILE *f);

int world_fail(struct world *w, const char *what, const char *where);
void world_close(int fd);	/* unless it is negative */
int world_enter(struct world *w, int ns);	/* -1: the base */
int world_unique_id(int fd, uint64_t *id);

#endif
