/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two topologies that are compared: which mounts are counterparts, and what else is
 * thereby one of the other.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_VERIFY_PAIRS_H
#define MC_VERIFY_PAIRS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/base.h"
#include "topology/topology.h"

struct mc_pair {
	uint32_t a, b;
};

/* One-to-one between indices; MC_NONE: not met yet. */
struct mc_bijection {
	uint32_t *ab, *ba;
};

/*
 * The same for namespaces that filesystems show, which have an id only: each
 * gets the number of the pair it is of.
 */
struct mc_id_pairs {
	struct mc_map *a, *b;
	uint32_t nr;
};

struct mc_verify {
	const struct mc_topology *a, *b;
	const struct mntcr_verify_options *opts;
	size_t nr_differences;
	struct mc_pair *pairs;
	uint32_t nr_pairs, max_pairs;
	struct mc_bijection sbs, groups, userns;
	struct mc_id_pairs shown, given;	/* of the latter, files; by inode number */
	struct mc_id_pairs pids;	/* pid namespaces: what shows one, and its files; likewise */
	struct mc_map *shows_a, *shows_b;	/* of these, inodes of those that a proc shows */
	bool *owns_a, *owns_b;	/* per user namespace: a mount namespace of its side */
	bool same_ids;		/* a uid means the same in both */
};

static inline bool mc_verify_flag(const struct mc_verify *v, unsigned int bit)
{
	return v->opts->flags & bit;
}

static inline bool mc_verify_same_text(const char *x, const char *y)
{
	return x == y || (x && y && !strcmp(x, y));
}

/*
 * Counts a difference; true if it is to be reported, so that texts are made
 * only then.
 */
bool mc_verify_count(struct mc_verify *v);
/* After mc_verify_count(). */
void mc_verify_report(struct mc_verify *v, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Both of these, of a pair, and of a mount that one side alone has. */
void mc_verify_differ(struct mc_verify *v, const struct mc_pair *p, const char *what,
		      const char *x, const char *y);
void mc_verify_lone(struct mc_verify *v, const struct mc_topology *t, uint32_t m);
/* The following return buf. */
const char *mc_verify_name(const struct mc_topology *t, uint32_t m, char *buf,
			   size_t size);
const char *mc_verify_words(const struct mc_word *w, uint64_t bits, char *buf,
			    size_t size);

/* false: no memory; mc_bijection_free() in any case */
bool mc_bijection_new(struct mc_bijection *m, uint32_t nr_a, uint32_t nr_b);
void mc_bijection_free(struct mc_bijection *m);
/* false: a or b is already taken by another. */
bool mc_bijection_map(struct mc_bijection *m, uint32_t a, uint32_t b);
/* -1: no memory; 0: one of them is already taken by another. */
int mc_id_pairs_map(struct mc_id_pairs *s, uint64_t a, uint64_t b);
bool mc_verify_same_idmap(const struct mc_topology *a, uint32_t x,
			  const struct mc_topology *b, uint32_t y);

/* NULL: one is the counterpart of the other, and mapped the same. */
const char *mc_verify_owner(struct mc_verify *v, uint32_t a, uint32_t b);
/* Says so of what belongs to them; MC_NONE: not known */
void mc_verify_owners(struct mc_verify *v, const struct mc_pair *p, const char *what,
		      uint32_t a, uint32_t b);

/* What a pair of mounts has; false: no memory */
bool mc_verify_mount(struct mc_verify *v, uint32_t at);
bool mc_verify_sb(struct mc_verify *v, uint32_t at);
bool mc_verify_root(struct mc_verify *v, const struct mc_pair *p);
bool mc_verify_same_options(const struct mc_topology *a, uint32_t x,
			    const struct mc_topology *b, uint32_t y);

/*
 * Of each pair of overlays, once the counterparts of all that is mounted are known.
 * false: no memory
 */
bool mc_verify_overlays(struct mc_verify *v);

#endif /* MC_VERIFY_PAIRS_H */
