/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Histories: what is drawn at random.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef HISTORY_DRAW_H
#define HISTORY_DRAW_H

#include "history/history.h"

/* Less than @n. */
unsigned int draw(struct chance *c, unsigned int n);
/* Each false if there is none: a mount, of that namespace unless it is -1. */
bool draw_mount(struct chance *c, const struct hist *h, struct name *n, int ns);
/* Or one of a tree that is held. */
bool draw_any(struct chance *c, const struct hist *h, struct name *n);
/* One of a tree that is held, in one of @n times, if there is any; else one that is not. */
bool draw_held(struct chance *c, const struct hist *h, struct name *name, unsigned int n);
/* A directory that the mount has; its root more often than another. */
int draw_dir(struct chance *c, const struct hist *h, const struct name *n);

bool draw_ns(struct chance *c, const struct hist *h, struct name *n);

/* Its number in the model. */
int index_of(const struct hist *h, const struct name *n);
int hist_namespaces(const struct hist *h);

/* The next operation of chains, and of several owners. */
bool generate_chain(struct chance *c, const struct hist *h, struct op *op);
bool generate_owners(struct chance *c, const struct hist *h, struct op *op);
/* A mount that sends to others, or what that receives from. */
bool draw_sender(struct chance *c, const struct hist *h, struct name *n);

#endif
