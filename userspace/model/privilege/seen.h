/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is mounted, as far as it can be told without names: of each mount the
 * namespace, superblock, root, type and locks.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef SEEN_H
#define SEEN_H

#include <sys/types.h>

#include "privilege/priv.h"

#define SEEN_MAX	512

struct seen {
	int nr;
	uint32_t mount[SEEN_MAX];	/* one number each, in any order */
};

/* Those of the start and what was added to them; -1: too many. */
int seen_model(struct seen *s, const struct model *m);
/*
 * Those of the superblocks in @dev, one for each of the model, in namespace @fd,
 * number @ns; @dirs: the names of the directories.  -1: errno.
 */
int seen_kernel(struct seen *s, int fd, int ns, const dev_t *dev,
		const char *const *dirs);
/* Is what the kernel has the model's, and what was there before? */
bool seen_same(struct seen *model, struct seen *kernel, struct seen *before);
void seen_print(const struct seen *model, const struct seen *kernel,
		const struct seen *before);

#endif
