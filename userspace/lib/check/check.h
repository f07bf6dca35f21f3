/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a restore elsewhere will need, and what will fail: a list, collected as JSON,
 * whose words mntcr-dump(1) explains, and printed from that.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_CHECK_H
#define MC_CHECK_H

#include <blkid/blkid.h>
#include <jansson.h>

#include "mntcr-restore.h"
#include "capture/outside.h"
#include "plan/plan.h"

/* --- report.c, print.c ------------------------------------------------------- */

struct mc_report {
	const struct mc_topology *t;
	json_t *root;
	json_t *superblocks, *externals, *masters, *layers, *refusals, *differences, *options;
	json_t *needs, *delayed; /* NULL: without stages */
	json_t *hosts;		/* places, by name */
	json_t **option_of;	/* per mount, borrowed: of externals, the one that names what
				   it is of; NULL: without stages */
	bool nomem;		/* sticky: check once at the end */
};

/*
 * mntcr_check_restore() or, with stages, mntcr_check_stages(): nr errors, MNTCR_REFUSED or
 * MNTCR_USAGE, from before there was a plan are in the list, too.
 */
int mc_check_after(const struct mntcr_topology *t, const struct mntcr_restore_options *opts,
		   const struct mntcr_stages_options *stages, const struct mntcr_error *why,
		   size_t nr, bool json, FILE *out, struct mntcr_error *e);

/* Even if it fails it is to be freed.  t: NULL, where no mounts will be named. */
int mc_report_new(struct mc_report *r, const struct mc_topology *t,
		  struct mntcr_error *e);
/* It will have what stages wait for. */
void mc_report_staged(struct mc_report *r);
void mc_report_free(struct mc_report *r);
bool mc_report_add(struct mc_report *r, json_t *list, json_t *what);
/* Into of: the first few by name, and all by id. */
void mc_report_mounts(struct mc_report *r, json_t *of, const uint32_t *mounts,
		      uint32_t nr);
void mc_report_set(struct mc_report *r, json_t *of, const char *key, json_t *value);
/* What is said of a superblock in any case: device, type, source. */
json_t *mc_report_sb(const struct mc_sb *sb);
/* Where it comes from, in a word. */
const char *mc_report_from(const struct mc_from *f, uint32_t nr_mounts);
/* "pid:70" */
json_t *mc_report_need(const struct mc_need *n);
/* A string; what does not end with a whole letter is cut. */
json_t *mc_report_text(const char *s);
void mc_report_refusal(struct mc_report *r, const struct mntcr_refusal *refusal);
/* From before there was a plan. */
void mc_report_before(struct mc_report *r, const struct mntcr_error *why, size_t nr);
/* By a rule, of no mount in particular. */
void mc_report_refuse(struct mc_report *r, const char *rule, const char *help,
		      const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void mc_report_difference(struct mc_report *r, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* An option that is needed, into one of the lists; for mounts, unless nr is 0. */
void mc_report_option(struct mc_report *r, json_t *list, const char *option,
		      const struct mntcr_external *x, const uint32_t *mounts,
		      uint32_t nr);
/*
 * The same of one that is not needed, since what it names may be given at a stage.
 * x->key: NULL of --host.
 */
void mc_report_alternative(struct mc_report *r, json_t *list, const char *option,
			   const struct mntcr_external *x, const uint32_t *mounts,
			   uint32_t nr);
/* --host of a place; in the end there is one option for as many as an argument takes. */
void mc_report_host(struct mc_report *r, json_t *list, const char *place,
		    const uint32_t *mounts, uint32_t nr);
/*
 * Each mount that will show another source, and what of the host's is made anew, as the
 * plan tells.
 */
void mc_report_sources(struct mc_report *r, const struct mc_plan *p);
/*
 * Print it.  0, or -1: MNTCR_REFUSED if something is, with the first and how many
 * there are.
 */
int mc_report_end(struct mc_report *r, bool json, FILE *out, struct mntcr_error *e);
void mc_report_print(const json_t *root, FILE *out);

/*
 * By the rule that an overlay is refused by: it needs nothing if what its layers are of
 * is had; it needs a --layer.
 */
bool mc_lacks_source(const struct mc_from *f);
bool mc_lacks_layer(const struct mc_from *f);
/*
 * By superblock: an overlay whose layers are not to be had by what was asked for, either,
 * has to be external itself.  true: there are such.
 */
bool mc_lack_more(uint32_t nr, const struct mc_from *from, bool *external, bool *layer,
		  uint32_t *nr_refused);

/* --- device.c ------------------------------------------------------------------- */

/*
 * The block device that has a superblock here, by its UUID; to be freed, or NULL.  others:
 * likewise, those that have it, too.  *cache is NULL at first, and to be put at the end.
 */
char *mc_device_of(blkid_cache *cache, const struct mc_sb *sb, char **others);
/* That it is mounted from, on the machine where it was captured; likewise. */
char *mc_device_here(const struct mc_sb *sb);

/* --- needs.c ------------------------------------------------------------------- */

/*
 * The options that a restore here takes: those that are given, and what would help
 * beside them.  Mounts are by superblock, see below.
 */
int mc_check_needs(struct mc_report *r, const struct mc_plan_options *given,
		   const struct mntcr_restore_options *o, const uint32_t *mounts,
		   const uint32_t *first, struct mntcr_error *e);

/* --- ns-file.c ----------------------------------------------------------------- */

struct mc_ns_file {
	char *key;		/* TYPE:[INODE] */
	uint32_t *mounts;
	uint32_t nr_mounts, max_mounts;
	bool helps;		/* with it, all of them have a source */
};

struct mc_ns_files {
	struct mc_ns_file *list;
	uint32_t nr, max;
	struct mc_map *by_ino;
};

/*
 * In decided(): those that the plan lacks, but for the mounts that except has, which may
 * be NULL; and whether it does when they are given.
 */
int mc_ns_files_find(struct mc_ns_files *f, const struct mc_plan *p, const bool *except,
		     struct mntcr_error *e);
void mc_ns_files_given(struct mc_ns_files *f, const struct mc_plan *p);
/* As externals, with a path that is yet to be found: how many, at most one a mount. */
uint32_t mc_ns_files_name(const struct mc_ns_files *f, struct mntcr_external *x);
/* needed: those of which the option is; NULL: of all. */
void mc_ns_files_report(const struct mc_ns_files *f, const struct mc_ns_files *needed,
			struct mc_report *r);
void mc_ns_files_free(struct mc_ns_files *f);

/* --- stages.c ------------------------------------------------------------------ */

/* In decided(), and when there are operations, too. */
void mc_report_needs(struct mc_report *r, const struct mc_plan *p);
void mc_report_delayed(struct mc_report *r, const struct mc_plan *p);

/* --- by-sb.c, owners.c --------------------------------------------------------- */

/*
 * All mounts by superblock; those of the nth are [first[n], first[n + 1]).  Both are
 * malloc()ed; NULL: no memory, and *first is to be freed all the same.
 */
uint32_t *mc_mounts_by_sb(const struct mc_topology *t, uint32_t **first);
/* Who receives from a group that nobody here is in, into mounts: how many. */
uint32_t mc_receivers(const struct mc_topology *t, uint32_t g, uint32_t *mounts);
/* Can the maps of those that the plan makes be written here? */
bool mc_check_userns(struct mc_report *r, const struct mc_plan *p);
/* Of what the plan makes, and of the files that come with the image, or NULL. */
void mc_check_owners(struct mc_report *r, const struct mc_plan *p,
		     const struct mntcr_contents *c);

#endif /* MC_CHECK_H */
