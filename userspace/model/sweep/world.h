/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A topology as mounts of the running kernel.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * Functions return 0, or -1 with what failed in world.error.
 */
#ifndef WORLD_H
#define WORLD_H

#include <sys/types.h>

#include "topologies/build.h"

/* How mounts are made: with the calls of the series, or with mount(2) alone. */
enum way { WAY_API, WAY_CLASSIC, NR_WAYS };

extern const char *const way_names[NR_WAYS];

#define WORLD_MOUNTS	(2 * TOPO_MAX + 1)
#define WORLD_EVENTS	256	/* things that events mount */

struct world {
	int base;		/* namespace that the others are copies of */
	int base_shared;	/* in it: the source of the topology's mounts */
	int base_events;
	int proc;
	dev_t dev_root, dev_shared, dev_events;

	enum way way;
	int nr_ns, ns[TOPO_MAX_NS + 1], root[TOPO_MAX_NS + 1];
	int under[TOPO_MAX_NS + 1];	/* the directory it was entered in */
	int in;			/* namespace the process is in, -1: base */
	int nr, mnt[WORLD_MOUNTS];	/* roots of mounts, O_PATH */
	int mnt_ns[WORLD_MOUNTS], mnt_root[WORLD_MOUNTS];
	int err;		/* errno of what failed last */
	char error[256];
	bool brief;		/* observe without mountinfo */
};

int world_init(struct world *w);
bool world_has_api(void);
/* Can be told which mounts are locked, and make some that are. */
bool world_has_locks(void);

/*
 * Any earlier topology goes first.  @hash decides what makes no difference to
 * the result: which member is named, who joins when, what is bound from what.
 */
int world_build(struct world *w, enum way way, const struct topo *t,
		const struct layout *l, uint64_t hash);
void world_drop(struct world *w);

/* On mount @i, at directory @dir of its superblock; its root: on top of it. */
int world_event(struct world *w, int i, int dir, int event);
/* Inside what is mounted there: in its directory @in. */
int world_event_in(struct world *w, int i, int dir, int in, int event);
int world_umount(struct world *w, int i, int dir, bool lazy);
/* Of mount @i, or with @dir >= 0 of what is mounted there. */
int world_type(struct world *w, int i, int dir, enum model_type type, bool rec);
/* A bind of mount @i's directory @dir on the root of its namespace. */
int world_bind(struct world *w, int i, int dir, int at);
int world_unbind(struct world *w, int at);
/*
 * A bind of mount @i on directory @dir of @j: across namespaces with the new
 * calls, within one with mount(2).
 */
int world_bind_below(struct world *w, int i, int j, int dir);
int world_unbind_below(struct world *w, int j, int dir);
/* Mount @i, below the root of its namespace, goes to @dir of @j. */
int world_move(struct world *w, int i, int j, int dir);
/* A recursive bind of a namespace's root into itself; and its umount. */
int world_rbind(struct world *w, int ns, int at);
int world_unrbind(struct world *w, int ns, int at);
/* One more namespace, a copy of @ns; @less: of a new user namespace. */
int world_clone(struct world *w, int ns, bool less);
/* Adds the mount at "/hN", or at @path, of a namespace: a copy of mount @i. */
int world_add(struct world *w, int ns, int i);
int world_add_at(struct world *w, int ns, int i, const char *path);
/* No longer keeps mount @i busy; nothing can be done with it any more. */
void world_forget(struct world *w, int i);
int world_umount_at(struct world *w, int ns, const char *path, bool lazy);

/*
 * mount_setgroup(2) of some mounts; the flags say what @named is.  @owner: the
 * caller has the rights of the owner of that namespace only, -1: all rights.
 */
int world_setgroup(struct world *w, const int *member, int n, int named,
		   unsigned int flags, int owner);

/* What the kernel has now, as a state of the model. */
int world_observe(struct world *w, struct model *seen);

/* For the parts of the world. */
int world_bind_path(struct world *w, const char *from, const char *to,
		    unsigned long type, unsigned long then);
/* From descriptor @from to a directory of @to. */
int world_mount_fd(struct world *w, int from, int to, const char *path,
		   unsigned long how);
int world_add_child(struct world *w, const struct topo *t,
		    const struct layout *l, int i);
/* Locks, see locked.c. */
int world_new_locking_ns(struct world *w);
int world_locked_shim(struct world *w, int ns, const char *at);
int world_take_lock(struct world *w, int ns, int locked, int source);
int world_drop_locked(struct world *w);
int world_fail(struct world *w, const char *what, const char *where);
int world_enter(struct world *w, int ns);
int world_new_ns(struct world *w);

#endif
