/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the checks of what is external have of one another: each file those before it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_EXTERNAL_H
#define MC_EXTERNAL_H

#include "contents/contents.h"
#include "execute/execute.h"

struct mc_external {
	const struct mc_plan *p;
	const struct mc_plan_options *po;
	const int *fds;
	struct mc_looking looking;
	uint32_t *first, *next;	/* mounts by source */
	struct mntcr_mount_id *ids;
	dev_t *devices;		/* per superblock: of what stands for it */
	uint32_t nr_refused;
	struct mntcr_error *e;
};

/* --- external-sb.c --------------------------------------------------------------- */

/* With the first nr of c->ids. */
void mc_external_report(struct mc_external *c, const char *rule, const char *text,
			const char *help, size_t nr);
/* All of --external.  -1: it could not be looked at; what is refused is reported. */
int mc_external_superblocks(struct mc_external *c);

#endif /* MC_EXTERNAL_H */
