/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs a plan without a kernel: mounts are records, each operation does what
 * the backends' system calls would do to them, under the rules by which the
 * kernel refuses.  What is there in the end is compared with the topology.
 *
 *	why = sim_run(plan, options);	NULL, or what is wrong
 *
 * Everything is searched linearly: for topologies of some dozens of mounts.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef PLAN_SIM_H
#define PLAN_SIM_H

#include "plan/plan.h"

#define SIM_MOUNTS	2048
#define SIM_GROUPS	2048

/* Where the tree of a mount is. */
enum { SIM_DETACHED, SIM_SCRATCH, SIM_LIVE, SIM_GONE, SIM_NS };	/* + namespace */

struct sim_mount {
	uint32_t sb;		/* one number for each superblock that exists */
	const char *root, *at;
	uint64_t attr;
	uint32_t idmap, locks;
	uint32_t group, master;	/* 0: none; the master only if not shared */
	uint32_t parent;	/* MC_NONE: the root of its tree */
	uint32_t where;		/* of the root of its tree */
	uint32_t origin;	/* live: mount of the topology */
	bool unbindable, attached;
};

struct sim {
	const struct mc_plan *p;
	const struct mc_topology *t;
	const struct mc_plan_options *o;
	struct sim_mount m[SIM_MOUNTS];
	uint32_t nr, nr_groups;
	uint32_t master_of[SIM_GROUPS];
	uint32_t fd[4][SIM_MOUNTS];	/* by kind: mount, MC_NONE: closed */
	bool was_open[SIM_MOUNTS];	/* mounts: spilled if it is not now */
	uint32_t most_detached;
	bool ns_shared[64], ns_made[64];
	bool in_copy[SIM_MOUNTS];	/* upstream: what the copy holds */
	uint32_t copy_from;
	char strings[1 << 18], why[512];
	size_t used;
};

/* The texts live in s: print before the next run. */
const char *sim_run(struct sim *s, const struct mc_plan *p,
		    const struct mc_plan_options *o);

#endif /* PLAN_SIM_H */
