/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lists that an image is made of.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_IMAGE_RECORD_H
#define MC_IMAGE_RECORD_H

#include "image/field.h"

struct mc_list {
	const char *name;
	size_t max;
	/* Reads r->obj into the topology. */
	int (*record)(struct rd *r);
	/* Looks up what get_ref() has put off.  NULL: nothing is. */
	int (*link)(struct rd *r, uint64_t id);
};

/* In the order in which they are read: each refers to earlier ones only. */
#define MC_NR_LISTS	6
extern const struct mc_list mc_lists[MC_NR_LISTS];

#endif /* MC_IMAGE_RECORD_H */
