/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How many topologies of a kind were restored, and why the others were not.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef CLASS_H
#define CLASS_H

#include "restore.h"

struct class {
	const char *name;
	int n;			/* mounts, or 0 */
	struct scene scene;
	uint64_t exist, tried;
	uint64_t restored[NR_BACKENDS], wrong[NR_BACKENDS];
	uint64_t refused[NR_BACKENDS][NR_REFUSALS];
	bool none_is_wrong;	/* that none was tried is a failure */
	double seconds;
};

const char *class_reach(const struct scene *s);
void class_add(struct class *c, const struct restoration *x);
/* Two tests; @skip says why a backend was not used.  Returns failures. */
int class_report(const struct class *c, int first,
		 const char *const skip[NR_BACKENDS]);
/* The matrix: a line for each, and what the rules are. */
void class_matrix(const struct class *c, int n,
		  const char *const skip[NR_BACKENDS]);

#endif
