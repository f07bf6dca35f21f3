/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One topology, restored with each backend.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef RESTORE_H
#define RESTORE_H

#include "sweep/run.h"

enum backend { EXTENDED, UPSTREAM, NR_BACKENDS };

extern const char *const backend_names[NR_BACKENDS];

/* Why a topology cannot be restored, by what it is made of; several may hold. */
enum reason { NO_SOURCE = 1, NO_WIDE = 2, LOCKED = 4 };

/* What the restorer may refuse: the whole list. */
struct refusal {
	const char *rule;
	enum reason reason;
	bool by[NR_BACKENDS];
	int err;		/* of the call; 0: there is none */
	const char *why;
};

#define NR_REFUSALS	4
extern const struct refusal refusals[NR_REFUSALS];

/* What a namespace of a less privileged owner has, a copy of the first one. */
enum other { NO_OTHER, OTHER_COPY, OTHER_PEERS, NR_OTHERS };

struct scene {
	bool own_only;		/* no other mount of the filesystem is there */
	enum other other;
};

/* All that hold, told from the topology alone; knows nothing of the restorer. */
unsigned int expect_reasons(const struct topo *t, const struct layout *l,
			    const struct scene *s, enum backend b);

struct restoration {
	struct scene scene;
	int home;		/* a namespace to call the library in */
	bool use[NR_BACKENDS];
	bool plan;		/* print the plans to r->show */
	/* of each: restored, refused by a rule, or wrong */
	bool restored[NR_BACKENDS];
	const struct refusal *refused[NR_BACKENDS];
	bool wrong[NR_BACKENDS];
	bool seen[NR_BACKENDS];	/* the kernel refuses it as the rule says */
};

/* A struct run's test; its data is the restoration. */
bool restore_topology(struct run *r);

/*
 * What a backend has refused is asked of the kernel, which has to refuse it as
 * the rule says: false, if not.  Locks only a kernel without them refuses, and
 * there no topology has any: any mount will do.
 */
bool refused_indeed(struct run *r, enum backend b);
bool lock_is_refused(struct run *r);

/*
 * Namespaces that are to be like those of @like, with their mounts, which are
 * the model's @mnt; none of it is taken from the library under test.
 */
int world_adopt(struct world *w, const struct world *like, const int *ns,
		const struct model *m, const int *mnt, uint64_t *id);
/*
 * Mounts from @from on are looked for where the model has them: their unique
 * ids, and w->mnt; on stock kernels -1 for those that no path leads to.
 */
int world_find(struct world *w, const struct model *m, const int *mnt, int from,
	       uint64_t *id);
/* 1: the path to mount @i leads to it, 0: to another one or nowhere, or -1. */
int world_leads_to(struct world *w, int i);
/* The unique id of a mount, or 0. */
uint64_t world_mount_id(int fd);

#endif
