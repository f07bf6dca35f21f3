/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reference model of mount propagation: what its parts share.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * Each rule names the paragraph it comes from: "SS" is
 * Documentation/filesystems/sharedsubtree.rst, "PU" is propagate_umount.txt
 * beside it, "MN" is mount_namespaces(7), "MS" is mount_setgroup(2), "FM" is
 * foreign_mounts(7); the pages of other calls are named.
 */
#ifndef MODEL_INTERNAL_H
#define MODEL_INTERNAL_H

#include <stddef.h>

#include "rules/model.h"

int model__grow(void **p, int *cap, int need, size_t size);
/* Room for more mounts and groups, so that what follows cannot fail. */
int model__reserve(struct model *m, int mounts, int groups);
int model__new_group(struct model *m, int master);
/* The same for one more namespace, which model__new_ns() then numbers. */
int model__reserve_ns(struct model *m);
int model__new_ns(struct model *m, int owner, int origin);
/* Is @ring the group @g or above it? */
bool model__reaches(const struct model *m, int g, int ring);
/* A tree below @top, parents first; only what is below @dir of @top, unless -1. */
int model__collect(const struct model *m, int top, int dir, bool prune,
		   int *list);
int model__leave(struct model *m, int i);
/* The owner above an owner, or -1; the initial one is above itself. */
int model__above(const struct model *m, int owner);

enum { CLONE_REC = 1, CLONE_UNBINDABLE = 2, CLONE_SLAVE = 4 };

int model__clone_tree(struct model *m, int src, int dir, int flags);
bool model__removed(const struct model *m, int dir);
int model__attach(struct model *m, int src, int dst, int at);
/* MN, "Unmount semantics": mounts at one place form a stack. */
int model__topmost(const struct model *m, int i);
void model__where(const struct model *m, int *dst, int *at);
int model__bad_root(const struct model *m, int src, int root);
int model__bad_place(const struct model *m, int dst, int at);
/* By itself, whereto ever. */
bool model__immovable(const struct model *m, int src);
bool model__locked_below(const struct model *m, int mnt, int dir);

#endif
