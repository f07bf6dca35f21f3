/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Histories: operations on mounts, one after the other, in the model and in the
 * kernel.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * An operation names mounts and namespaces by the step that made them, so that
 * those that are left mean the same when others are taken out of a history.
 */
#ifndef HISTORY_H
#define HISTORY_H

#include <stdint.h>
#include <stdio.h>

#include "rules/model.h"

#define HIST_DIRS	26	/* named by one letter each, but the root */
#define HIST_SBS	3	/* superblocks that mounts are of */
#define HIST_EVENT	HIST_SBS	/* and the one that events are of */
#define HIST_BASE	(HIST_SBS + 1)	/* what lies below every root, out of reach */
#define HIST_OWNERS	4	/* the initial user namespace is 0 */
#define HIST_NS		128	/* in all, most of them gone; detached trees too */
#define HIST_MEMBERS	4	/* of one call */
#define HIST_SKIP	1	/* what an operation names is not there */

enum op_type {
	OP_MOUNT, OP_BIND, OP_UMOUNT, OP_TYPE, OP_MOVE, OP_CLONE, OP_DROP,
	OP_EVENT, OP_FOREIGN, OP_SETGROUP, OP_SET_GROUP, OP_LOCK,
	OP_PIVOT, OP_RENAME, OP_RMDIR, OP_MKDIR, OP_OPEN, OP_ATTACH, NR_OPS
};

/* The @k-th of what that step has made. */
struct name {
	int step, k;
};

enum {
	OP_REC = 1, OP_LAZY = 2, OP_UNLOCKED = 4, OP_BENEATH = 8,
	/* by who may do anything where that owner has to be asked, and nothing elsewhere */
	OP_BY_1 = 16, OP_BY_2 = 32, OP_BY_3 = 64,
	OP_WITHIN = 128,	/* by who is in the namespace of that name */
};

struct op {
	int step;
	enum op_type type;
	struct name a, b;	/* mounts: what it is done to or from, and on */
	int from, to;		/* directories of these, or by themselves */
	struct name ns, within;
	int arg;		/* superblock, propagation type, owner, flags of
				 * mount_setgroup(2) */
	unsigned int flags;
	int nr;
	struct name member[HIST_MEMBERS];
};

const char *op_verb(enum op_type type);
extern const char *const op_types[4];	/* of propagation */
/* One line each. */
void op_print(FILE *f, const struct op *op);
int op_parse(const char *line, struct op *op);

/* What is known of a mount of the model besides. */
struct tag {
	struct name name;
	uint64_t id;	/* the kernel's */
};

struct hist {
	struct model m;
	int dirs[HIST_DIRS];
	bool removed[HIST_DIRS];
	struct tag *tag;	/* of each of the model's mounts */
	int cap;
	struct name ns[HIST_NS];
	bool ns_gone[HIST_NS];
};

/* What an operation names, as numbers of the model. */
struct target {
	int a, b, ns;
	int within;	/* the namespace from which it is opened, bound or attached; or -1 */
	int member[HIST_MEMBERS];
};

int hist_init(struct hist *h);
void hist_free(struct hist *h);
/* It is in another place of memory. */
void hist_moved(struct hist *h);
int hist_copy(struct hist *to, const struct hist *from);
/* The one namespace that is there at first, with a mount on the one out of reach. */
int hist_start(struct hist *h);
/* What is the root for those in there, or in a tree that is held. */
int hist_top(const struct hist *h, int ns);
/* False: something is not there. */
bool hist_resolve(const struct hist *h, const struct op *op, struct target *t);
/* Tags for what is new from @first on; what is gone is left out. */
int hist_name(struct hist *h, int first, int step);
int hist_compact(struct hist *h);
int hist_alive(const struct hist *h);

/* The owner above each: the third is below the first. */
extern const int hist_above[HIST_OWNERS];
/* The owner by whom it is done; 0: by who may do anything. */
int op_by(const struct op *op);
/* Of a detached tree that is held by a descriptor: nobody is in there. */
bool hist_held(const struct hist *h, int mnt);
/* From within which namespace it can be used; -1: that is gone. */
int hist_from(const struct hist *h, int mnt);
/* A namespace of that owner; -1: there is none. */
int hist_ns_of(const struct hist *h, int owner);

/* In the model: 0 or -errno. */
int hist_apply(struct hist *h, const struct op *op, const struct target *t);

/*
 * Paths.  From the top of its namespace to a mount, false if something covers
 * the way; from the root of a mount to a directory, with @on if that may be
 * covered itself.
 */
#define HIST_PATH	512

bool hist_path(const struct hist *h, int mnt, char *path, size_t size);
bool hist_way(const struct hist *h, int mnt, int dir, bool on);
void hist_dir(const struct hist *h, int dir, int root, char *path);

/* A history, as it is made up, replayed or cut down. */
struct history {
	struct op *op;
	int nr, cap;
};

int history_add(struct history *y, const struct op *op);
int history_read(struct history *y, FILE *f);
void history_print(const struct history *y, FILE *f);

/*
 * What is rare when everything is as likely: chains of masters and slaves; the same with
 * locked mounts on them; trees that go from one owner's namespace to another's.
 */
enum begins { CHAINS, GUARDED, OWNERS, ANYHOW };

struct chance {
	uint64_t seed;
	int limit;	/* mounts at a time */
	enum begins begins;
	int first;	/* the step up to which it goes as it begins */
	unsigned int never, never_type;	/* operations and types, a bit each */
	enum op_type type;	/* tried, until one of that type can be done */
	int tries;
};

/* A verb or a propagation type that is not to be made up. */
bool chance_never(struct chance *c, const char *word);
/* Of what would be refused one in eight is tried. */
bool chance_refused(struct chance *c);
/* The next operation; false: not this time. */

bool generate(struct chance *c, const struct hist *h, int step, struct op *op);
bool generate_event(struct chance *c, const struct hist *h, int step,
		    struct op *op);

#endif
