/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tests of privilege.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TEST_PRIV_H
#define TEST_PRIV_H

#include <stddef.h>

#include "privilege/priv.h"

struct priv_counts {
	uint64_t starts, tried, made, reached[REACH_MAX];
};

struct priv_space {
	const char *name;
	struct scope scope;
	bool binds;
	int depth;
};

/*
 * Every new call from every start; stops at one that does one of @bad and
 * returns that, or -1.  @line: start and call.
 */
int priv_space(const struct priv_space *p, unsigned int bad,
	       struct priv_counts *counts, char *line, size_t size);

void priv_print_counts(const struct priv_counts *c);

typedef void report_fn(const char *what, const char *bad, const char *where);

int priv_nr_tests(void);
void priv_tests(report_fn *report);
/* Those that take long; returns how many there are. */
int priv_further(report_fn *report);

#endif
