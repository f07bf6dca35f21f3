/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Image: a topology as JSON.  The schema is doc/image.md.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_IMAGE_H
#define MC_IMAGE_H

#include <jansson.h>

#include "topology/topology.h"

#define MC_IMAGE_FORMAT		"mntcr-image"
#define MC_IMAGE_VERSION	2
#define MC_IMAGE_MAX_SIZE	(256UL << 20)	/* MC_MAX_MOUNTS KiB */

/* A word list for flags; ends with a NULL name. */
struct mc_word {
	const char *name;
	uint64_t bits;
	uint64_t mask;		/* the field that bits are a value of */
};

extern const struct mc_word mc_words_attr[];	/* MOUNT_ATTR_* */
extern const struct mc_word mc_words_lock[];	/* MOUNT_LOCK_* */
extern const struct mc_word mc_words_sb[];	/* MS_* of a superblock */
extern const struct mc_word mc_words_propagation[];
extern const struct mc_word mc_words_nstype[];

/* Bytes: a string where it can be one, else {"hex": "..."}. */
json_t *mc_json_bytes(const char *s);

/* The image in buf; name is for messages. */
int mc_image_parse(const char *buf, size_t len, const char *name,
		   struct mc_topology **topo, struct mntcr_error *e);
int mc_image_print(const struct mc_topology *t, FILE *out,
		   struct mntcr_error *e);

#endif /* MC_IMAGE_H */
