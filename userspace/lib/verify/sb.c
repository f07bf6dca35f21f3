// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Superblocks that are counterparts: what they are of, whose, and what they show.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "verify/pairs.h"

static const char *shown_words(const struct mc_sb *sb, char *buf, size_t size)
{
	char type[32];

	snprintf(buf, size, "%s namespace %" PRIu64 "%s",
		 mc_verify_words(mc_words_nstype, sb->shown_type, type, sizeof(type)),
		 sb->shown_id, sb->shown_own ? ", the dumper's" :
		 sb->shown_id ? "" : ", gone");
	return buf;
}

static const char *pidns_words(const struct mc_sb *sb, char *buf, size_t size)
{
	char depth[32] = ", elsewhere";

	if (sb->pidns_depth != MC_NONE)
		snprintf(depth, sizeof(depth), ", %u below the dumper's",
			 sb->pidns_depth);
	snprintf(buf, size, "pid namespace pid:[%" PRIu64 "]%s", sb->pidns_ino,
		 sb->pidns_depth ? depth : ", the dumper's");
	return buf;
}

/* Of as many levels. */
static int compare_above(struct mc_verify *v, const struct mc_pair *p,
			 const struct mc_sb *x, const struct mc_sb *y)
{
	char wa[32], wb[32];
	int same = 1;
	uint32_t i;

	for (i = 0; same > 0 && i + 1 < x->pidns_depth; i++)
		same = mc_id_pairs_map(&v->pids, x->pidns_above[i], y->pidns_above[i]);
	if (!same) {
		snprintf(wa, sizeof(wa), "pid:[%" PRIu64 "]", x->pidns_above[i - 1]);
		snprintf(wb, sizeof(wb), "pid:[%" PRIu64 "]", y->pidns_above[i - 1]);
		mc_verify_differ(v, p, "shows a pid namespace below", wa, wb);
	}
	return same;
}

/* A proc's own init says of which namespace: by inode, as files of that do. */
static int compare_pidns(struct mc_verify *v, const struct mc_pair *p,
			 const struct mc_sb *x, const struct mc_sb *y)
{
	char wa[100], wb[100];
	bool known = x->pidns_depth != MC_NONE && y->pidns_depth != MC_NONE;
	int same = 0;

	/* where it is not known, it is not the dumper's own */
	if (known ? x->pidns_depth == y->pidns_depth : !x->pidns_depth == !y->pidns_depth)
		same = mc_id_pairs_map(&v->pids, x->pidns_ino, y->pidns_ino);
	if (!same)
		mc_verify_differ(v, p, "shows", pidns_words(x, wa, sizeof(wa)),
				 pidns_words(y, wb, sizeof(wb)));
	if (same > 0 && x->pidns_above && y->pidns_above)
		same = compare_above(v, p, x, y);
	return same;
}

/* The kernel says of which namespace, by id; and of a proc, its init. */
static bool compare_shown(struct mc_verify *v, const struct mc_pair *p,
			  const struct mc_sb *x, const struct mc_sb *y)
{
	char wa[100], wb[100];
	int same = 1;

	if (x->shown_type && y->shown_type) {
		if (x->shown_type != y->shown_type || x->shown_own != y->shown_own ||
		    !x->shown_id != !y->shown_id)
			same = 0;
		else if (x->shown_id)
			same = mc_id_pairs_map(&v->shown, x->shown_id, y->shown_id);
		if (!same)
			mc_verify_differ(v, p, "shows", shown_words(x, wa, sizeof(wa)),
					 shown_words(y, wb, sizeof(wb)));
		if (same > 0)
			mc_verify_owners(v, p, "what it shows belongs to", x->shown_owner,
					 y->shown_owner);
	}
	/* once it is said that they differ, how is of no interest */
	if (same > 0 && x->pidns_ino && y->pidns_ino) {
		same = compare_pidns(v, p, x, y);
	} else if (same > 0 && y->pidns_ino && x->pidns_no_init) {
		/* but one that nobody is in yet is had for one that was in use */
		mc_verify_differ(v, p, "shows", "a pid namespace without an init",
				 pidns_words(y, wb, sizeof(wb)));
	}
	return same >= 0;
}

/*
 * Only where somebody has asked on both sides.  Where both know which namespace a
 * filesystem shows, that has been compared.
 */
static void compare_whose(struct mc_verify *v, const struct mc_pair *p,
			  const struct mc_sb *x, const struct mc_sb *y)
{
	bool known = (x->shown_type && y->shown_type) || (x->pidns_ino && y->pidns_ino);

	if (!mc_verify_flag(v, MNTCR_VERIFY_IGNORE_WHOSE) && !known && x->whose &&
	    y->whose && x->whose != y->whose)
		mc_verify_differ(v, p, "whose superblock", mc_whose_names[x->whose],
				 mc_whose_names[y->whose]);
}

/*
 * Compared once for each pair of superblocks; after that only that it is the
 * same pair.
 */
bool mc_verify_sb(struct mc_verify *v, uint32_t at)
{
	const struct mc_pair *p = &v->pairs[at];
	uint32_t ia = v->a->mounts[p->a].sb, ib = v->b->mounts[p->b].sb;
	const struct mc_sb *x = &v->a->sbs[ia], *y = &v->b->sbs[ib];
	bool first = v->sbs.ab[ia] == MC_NONE && v->sbs.ba[ib] == MC_NONE;
	char da[32], db[32], wa[80], wb[80];

	snprintf(da, sizeof(da), "%u:%u", x->major, x->minor);
	snprintf(db, sizeof(db), "%u:%u", y->major, y->minor);
	if (!mc_bijection_map(&v->sbs, ia, ib))
		mc_verify_differ(v, p, "superblock is not the counterpart", da, db);
	if (!first)
		return true;
	if (!mc_verify_same_text(x->type, y->type))
		mc_verify_differ(v, p, "filesystem type", x->type, y->type);
	if (!mc_verify_same_text(x->subtype, y->subtype))
		mc_verify_differ(v, p, "filesystem subtype", x->subtype, y->subtype);
	if (x->uuid && y->uuid && strcmp(x->uuid, y->uuid))
		mc_verify_differ(v, p, "filesystem", x->uuid, y->uuid);
	if (mc_verify_flag(v, MNTCR_VERIFY_DEVICES) && strcmp(da, db))
		mc_verify_differ(v, p, "device", da, db);
	mc_verify_owners(v, p, "its superblock belongs to", x->userns, y->userns);
	if (!mc_verify_flag(v, MNTCR_VERIFY_IGNORE_SHOWN) && !compare_shown(v, p, x, y))
		return false;
	compare_whose(v, p, x, y);
	if (!mc_verify_flag(v, MNTCR_VERIFY_IGNORE_OPTIONS) && x->sized && y->sized &&
	    (x->size != y->size || x->inodes != y->inodes)) {
		snprintf(wa, sizeof(wa), "%" PRIu64 " bytes, %" PRIu64 " inodes", x->size,
			 x->inodes);
		snprintf(wb, sizeof(wb), "%" PRIu64 " bytes, %" PRIu64 " inodes", y->size,
			 y->inodes);
		mc_verify_differ(v, p, "size", wa, wb);
	}
	if (!mc_verify_flag(v, MNTCR_VERIFY_IGNORE_OPTIONS) && x->flags != y->flags)
		mc_verify_differ(v, p, "superblock flags",
				 mc_verify_words(mc_words_sb, x->flags, wa, sizeof(wa)),
				 mc_verify_words(mc_words_sb, y->flags, wb, sizeof(wb)));
	return true;
}
