/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the measurements have in common.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef BENCH_H
#define BENCH_H

#include "mntcr-restore.h"

/*
 * Goals are times, or ratios of them: a missed one is printed, and fails nothing.  What
 * can't be measured is an error.
 */

/* Milliseconds. */
double bench_now(void);
void bench_least(double *best, double t, bool first);
/* An empty tmpfs is the root of a namespace of the caller's own. */
void bench_new_root(void);
void bench_check(int ret, const struct mntcr_error *e);
bool bench_in_child(void (*fn)(void *), void *arg);

/* --- services.c: as many namespaces as a host with services has; exit status ---- */
int bench_services(enum mntcr_api api, int runs, bool json);

/* --- setgroup.c: what namespaces beside cost a call of mount_setgroup; exit status -- */
int bench_setgroup(int runs, bool json);

#endif /* BENCH_H */
