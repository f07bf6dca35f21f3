/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A start, as the running kernel has it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef KERNEL_H
#define KERNEL_H

#include "privilege/seen.h"

enum { CALLER = 1000, SOMEBODY = 2000 };

/* What the calls are there to compare. */
enum rule {
	RULE_SETGROUP, RULE_SET_GROUP, RULE_ARGS, RULE_GONE, RULE_BIND,
	RULE_LOCK, RULE_TYPE, RULE_ATTR, NR_RULES
};

struct kernel {
	int own;		/* the namespace of this process */
	int ns[PRIV_NS];
	int place[PRIV_NS];	/* in each, where the root of the start goes */
	int every;		/* start is tried, */
	uint64_t seed;		/* from that one on */
	uint64_t starts, calls, made, compared;
	uint64_t of[NR_RULES];	/* calls, by what they try */
	unsigned int mount_max;
	bool turned;		/* which owner is below the other */
	dev_t dev[2 + PRIV_MAX];	/* of each superblock of the model */
	struct seen before;	/* what is there without a start */
	int fd[PRIV_NS + PRIV_MAX];
	char what[160];
};

extern const char *const kernel_dirs[];

/* Says what has failed, with errno; -1. */
int kernel_fail(struct kernel *k, const char *what);
/* Of these all are clones. */
int kernel_sources(struct kernel *k);
/*
 * A copy of this namespace; @uid: who makes a user namespace for it, or 0; @up: the
 * user namespace above that, or -1.
 */
int kernel_ns(struct kernel *k, int i, uid_t uid, int up);
/* Of two owners in the caller's power the other one is the lower one from now on. */
void kernel_turn(struct kernel *k);
/* What is mounted now. */
int kernel_look(struct kernel *k, struct seen *seen);

/* Leaves this process in a namespace that is in the caller's power. */
int kernel_build(struct kernel *k, const struct start *s, unsigned int caps);
void kernel_take_down(struct kernel *k);
int kernel_rebuild(struct kernel *k, const struct start *s, unsigned int caps);
int kernel_enter(struct kernel *k, int ns);
/* 0, or -errno. */
int kernel_setgroup(const int *fd, int nr, int named, unsigned int flags);
/* Makes members private again. */
int kernel_undo(struct kernel *k, const int *member, int nr);

#endif
