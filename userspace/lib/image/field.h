/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading the fields of one record of an image.  Each function says what is
 * wrong and where in r->e, and returns -1 (or NULL) then.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_IMAGE_FIELD_H
#define MC_IMAGE_FIELD_H

#include <jansson.h>

#include "image/scan.h"
#include "topology/topology.h"

#define MC_RD_MAX_FIELDS	32

/* Where in the file we are, for messages, and the record at hand. */
struct rd {
	struct mc_topology *t;
	struct mntcr_error *e;
	const char *file;
	uint64_t version;
	const char *array;	/* NULL: the top level */
	size_t index;
	const char *within;	/* the record's field that obj is; NULL: the record */
	uint64_t mount;		/* its id, once read */
	const char *text;	/* the whole of it */
	uint64_t *refs;		/* ids in the list that later records may define */
	uint32_t nr_refs, max_refs;
	const json_t *obj;
	const char *known[MC_RD_MAX_FIELDS];
	size_t nr_known;
};

/* Always -1. */
int mc_rd_bad(struct rd *r, const char *field, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* What is no JSON: by line and column, from 1.  Always -1. */
int mc_rd_bad_text(struct rd *r, const char *at, const char *what);

/* The value, parsed; the caller's.  field is for messages. */
json_t *mc_rd_load(struct rd *r, const char *field, const struct mc_span *v);

/* NULL: absent, which is no error. */
const json_t *mc_rd_field(struct rd *r, const char *key);
/* The object that is the value of a field, for reading its own; in->obj NULL: none. */
int mc_rd_object(struct rd *r, const char *key, struct rd *in);
/* The record has no field that nobody asked for. */
int mc_rd_no_others(struct rd *r);

/* Unless required, *out stays as it was where the field is absent. */
int mc_rd_uint(struct rd *r, const char *key, uint64_t min, uint64_t max,
	       bool required, uint64_t *out);
int mc_rd_u32(struct rd *r, const char *key, uint32_t max, bool required,
	      uint32_t *out);
/* Of an array of nr. */
int mc_rd_index(struct rd *r, const char *key, uint32_t nr, bool required,
		uint32_t *out);
int mc_rd_bool(struct rd *r, const char *key, bool *out);
/* A string, or {"hex": "..."} for what is not UTF-8; the topology's. */
int mc_rd_bytes(struct rd *r, const char *key, bool required, const char **out);
/* That of this name, or NULL. */
const struct mc_word *mc_rd_word(const struct mc_word *words, const char *name);
int mc_rd_words(struct rd *r, const char *key, const struct mc_word *words,
		bool *present, uint64_t *out);

#endif /* MC_IMAGE_FIELD_H */
