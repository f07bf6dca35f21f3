/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the values of a JSON text begin and end, without parsing them: an
 * image is parsed record by record, so that what it takes to parse one is all
 * the memory that a hostile one can claim beyond its own size.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_IMAGE_SCAN_H
#define MC_IMAGE_SCAN_H

#include <stdbool.h>
#include <stddef.h>

struct mc_scan {
	const char *at, *end;
};

struct mc_span {
	const char *at;
	size_t len;
	size_t nr_values;	/* in it; names of fields count too */
	size_t depth;		/* of its nesting */
};

/* Steps over white space, then over c if that is next. */
bool mc_scan_char(struct mc_scan *s, char c);

/*
 * Steps over a value.  What is a JSON value is stepped over exactly; what is
 * none is for the parser to refuse.  false: there is none, or it has no end.
 */
bool mc_scan_value(struct mc_scan *s, struct mc_span *v);

#endif /* MC_IMAGE_SCAN_H */
