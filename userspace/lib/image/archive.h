/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of writing an archive have of one another: each file those before it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_IMAGE_ARCHIVE_H
#define MC_IMAGE_ARCHIVE_H

#include "base/base.h"
#include "contents/contents.h"
#include "topology/topology.h"

struct mc_ar_job {
	struct mc_topology *t;
	const struct mntcr_contents_options *o;
	int *ns_fd;		/* per namespace; -1: not given */
	bool *lossy;		/* per superblock: has to be empty */
	bool no_attr_call;	/* no open_tree_attr(2): it clones idmaps with their mounts */
	uint32_t *sorted;	/* mounts: by superblock, a root before what is below */
	uint32_t nr_refused;
	struct mntcr_error first; /* of them */
};

/* Those of one superblock are sorted[from, end). */
struct mc_ar_range {
	struct mc_ar_job *j;
	uint32_t from, end;
};

/* --- tell.c ---------------------------------------------------------------------- */

void mc_ar_tell(const struct mc_ar_job *j, const struct mc_mount *m, const char *what);
/* 0: told of, so that the others are looked at as well; else it is over. */
int mc_ar_refused(struct mc_ar_job *j, const struct mc_sb *sb, const struct mntcr_error *e);

/* --- reach.c --------------------------------------------------------------------- */

/*
 * Why not alone, or NULL: it can be.  Its idmap is taken off the clone, by whoever rules
 * over the superblock; what is locked on it would lose one, too, and may not be able to.
 */
const char *mc_ar_not_cloned(const struct mc_ar_job *j, uint32_t m);
bool mc_ar_can_clone(const struct mc_ar_job *j, uint32_t m);
/* Does a clone of m show what is at path of the superblock? */
bool mc_ar_shows(const struct mc_ar_job *j, uint32_t m, const char *path);
/* As struct mc_elsewhere has it, of a superblock; data is its struct mc_ar_range. */
int mc_ar_elsewhere(void *data, const char *path, int *fd, bool *root,
		    struct mntcr_error *e);

/* --- choose.c -------------------------------------------------------------------- */

/* What has contents, in the topology, and what is lossy. */
int mc_ar_choose(struct mc_ar_job *j, struct mntcr_error *e);

/* --- empty.c --------------------------------------------------------------------- */

/* Of a superblock, sorted[from, end): is nothing in it? */
int mc_ar_check_empty(struct mc_ar_job *j, uint32_t from, uint32_t end,
		      struct mntcr_error *e);

#endif /* MC_IMAGE_ARCHIVE_H */
