/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The plan: a finished topology turned into an ordered list of operations.
 * Making it is a pure function of the topology and the options: no system
 * calls, the same plan for the same input, near linear in the mounts.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_PLAN_H
#define MC_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "mntcr-restore.h"
#include "base/base.h"
#include "base/sys.h"
#include "topology/topology.h"

/*
 * What an operation names: a kind in the two top bits, an index below.
 * Everything that a reference names has one descriptor while it is in use.
 */
typedef uint32_t mc_ref;

#define MC_REF_MOUNT		0U	/* topology mount, as restored */
#define MC_REF_TEMP		1U	/* temporary mount */
#define MC_REF_SRC		2U	/* source */
#define MC_REF_NS		3U	/* root that the kernel gave a namespace */
#define MC_REF(kind, i)		((mc_ref)((kind) << 30 | (i)))
#define MC_REF_KIND(r)		((r) >> 30)
#define MC_REF_INDEX(r)		((r) & 0x3fffffffU)

enum mc_src_kind {
	MC_SRC_LIVE,		/* a mount in a live source namespace */
	MC_SRC_SUB,		/* a path below another source */
	MC_SRC_FRESH,		/* a new superblock */
	MC_SRC_EXTERNAL,	/* --external: a path stands for the superblock's / */
	MC_SRC_NSFILE,		/* the file of a namespace that is restored */
	MC_SRC_MASTER,		/* --external-master: only received from */
};

struct mc_src {
	enum mc_src_kind kind;
	uint32_t sb;
	uint32_t index;		/* LIVE: mount, NSFILE: ns, FRESH: first node,
				   EXTERNAL, MASTER: option */
	uint32_t nr_nodes;	/* FRESH */
	uint32_t base;		/* SUB: the source it is below */
	const char *path;	/* SUB: relative path */
	uint32_t uses;		/* clones and subs that are made from it */
	uint32_t attr_of;	/* scratch: the mount whose attributes it is given */
	bool scratch;		/* kept clean and childless in the scratch tree */
	bool covered;		/* LIVE: found in a copy, once covers are removed */
	bool direct;		/* FRESH: taken, not cloned, by its only user */
	bool inline_path;	/* SUB of one component: resolved by the clone */
	bool opened;		/* while planning */
};

enum mc_op_type {
	MC_OP_NS,		/* make namespace obj, empty */
	MC_OP_OPEN,		/* open source obj where it is */
	MC_OP_BASE,		/* clone source obj into the scratch tree; with arg:
				   from a copy of that live mount and all below,
				   the list being unmounted there before */
	MC_OP_FRESH,		/* make superblock of source obj; list: nodes */
	MC_OP_SUBROOT,		/* open source obj below its base */
	MC_OP_CLONE,		/* obj from source arg, detached, attributes set */
	MC_OP_ATTACH,		/* obj on arg (mount or namespace root) at path */
	MC_OP_GROUP,		/* list becomes a sharing group; flags, arg */
	MC_OP_LOCK,		/* set obj's locks */
	MC_OP_RELEASE,		/* list: descriptors not needed any more */
	MC_NR_OPS,
};

struct mc_op {
	uint8_t type;
	uint8_t flags;		/* GROUP: MOUNT_SETGROUP_*; else MC_PLAIN, MC_SPILL */
	mc_ref obj;
	mc_ref arg;		/* GROUP: the peer, the master, the sibling */
	uint32_t first, nr;	/* in list, or nodes with FRESH */
	const char *path;
};

/* RELEASE: the mounts in the list are needed again; note their new ids. */
#define MC_SPILL		1
/* CLONE: the source is private and has the very attributes. */
#define MC_PLAIN		1
/* BASE: the copy of the last one does not do. */
#define MC_NEW_COPY		1

/* Attributes that a clone is given; an idmap it keeps. */
#define MC_ATTRS (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | \
		  MOUNT_ATTR_NOEXEC | MOUNT_ATTR__ATIME |		     \
		  MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW)

/* Of what must exist in fresh filesystems, all together. */
#define MC_MAX_NODE_BYTES	(64U << 20)
#define MC_MAX_NODE_NAMES	(8 * MC_MAX_MOUNTS)

/* Something that must exist in a fresh filesystem. */
struct mc_node {
	const char *path;
	bool dir;
};

/* A mount that lives in the scratch tree while groups are made. */
struct mc_temp {
	uint32_t src;
	uint32_t sb;
	const char *root;
	bool keep_sharing;	/* stays in the group of the source it is cloned from */
};

struct mc_plan {
	const struct mc_topology *topo;
	enum mntcr_api api;
	/* With more namespaces the roots are attached at once. */
#define MC_MOST_TREES	32
	bool roots_last;	/* trees are attached once they are complete */
	struct mc_op *ops;
	mc_ref *list;
	struct mc_src *srcs;
	struct mc_temp *temps;
	struct mc_node *nodes;
	uint32_t *src_of;	/* per mount */
	uint32_t nr_ops, nr_list, nr_srcs, nr_temps, nr_nodes;
	uint32_t max_ops, max_list, max_srcs, max_temps, max_nodes;
	uint32_t peak_fds;	/* most descriptors that are open at once */
	uint64_t steps;		/* comparisons and visits: for tests of linearity */
	struct mc_arena_chunk *strings;
	struct mc_plan_priv *priv;	/* only while planning */
};

struct mc_plan_options {
	enum mntcr_api api;		/* not AUTO */
	const bool *ns_live;		/* per namespace; NULL: none */
	bool prefer_fresh;		/* fresh before live where either would do */
	bool caller_namespaces;		/* and such as show the caller's namespaces */
	const struct mntcr_external *externals, *masters;
	uint32_t nr_externals, nr_masters;
	uint32_t batch;			/* descriptors per release; 0: 256 */
	uint32_t fd_budget;		/* 0: no limit */
	bool keep_fds;			/* the caller wants every mount's */
	bool ignore_locks;
	bool whole_trees;	/* upstream: namespaces can be made empty, and
				   detached trees mounted on and grouped */
};

int mc_plan_make(const struct mc_topology *t, const struct mc_plan_options *o,
		 struct mc_plan **plan, struct mntcr_error *e);
void mc_plan_free(struct mc_plan *p);
int mc_plan_print(const struct mc_plan *p, bool json, FILE *out,
		  struct mntcr_error *e);
const char *mc_op_name(enum mc_op_type type);

/* b is a or below it. */
bool mc_path_below(const char *a, const char *b);
/* Its length; "/" has none. */
size_t mc_root_len(const char *root);
/* Bytes of leading "/..": a cgroup above the one that it was looked at from. */
size_t mc_path_dots(const char *path);
/* An order in which everything below a path follows it directly. */
int mc_path_cmp(const char *a, const char *b);

#endif /* MC_PLAN_H */
