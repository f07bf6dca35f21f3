/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Image: a topology as JSON.  The schema is doc/image.md.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_IMAGE_H
#define MC_IMAGE_H

#include "topology/topology.h"

#define MC_IMAGE_FORMAT		"mntcr-image"
#define MC_IMAGE_VERSION	6
#define MC_IMAGE_MAX_SIZE	(256UL << 20)	/* MC_MAX_MOUNTS KiB */

/* The image in buf; name is for messages. */
int mc_image_parse(const char *buf, size_t len, const char *name,
		   struct mc_topology **topo, struct mntcr_error *e);
int mc_image_print(const struct mc_topology *t, FILE *out,
		   struct mntcr_error *e);

/* What goes into the file: returns -1 with an error that does not name it. */
struct mc_image_print {
	int (*print)(void *data, FILE *out, struct mntcr_error *e);
	void *data;
};
/* As mntcr_image_write(). */
int mc_image_write(const struct mc_image_print *p, const char *path,
		   struct mntcr_error *e);

/* As mntcr_image_write_contents(), to out, which errors do not name; NULL: nowhere. */
int mc_image_print_contents(struct mc_topology *t, const struct mntcr_contents_options *opts,
			    FILE *out, struct mntcr_error *e);

#endif /* MC_IMAGE_H */
