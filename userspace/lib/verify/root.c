// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Roots of mounts: paths, files of namespaces, unlinked files.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <stdio.h>

#include "verify/pairs.h"

/*
 * Files of the namespaces a and b, and of pid namespaces of those that something shows;
 * false: no memory
 */
static bool same_file(struct mc_verify *v, const struct mc_pair *p, struct mc_id_pairs *s,
		      uint64_t a, uint64_t b)
{
	const struct mc_mount *x = &v->a->mounts[p->a], *y = &v->b->mounts[p->b];
	int same = mc_id_pairs_map(s, a, b);

	if (same > 0 && s != &v->pids && x->nsfs_type == CLONE_NEWPID && x->nsfs_ino &&
	    y->nsfs_ino)
		same = mc_id_pairs_map(&v->pids, x->nsfs_ino, y->nsfs_ino);
	if (!same)
		mc_verify_differ(v, p, "namespace file", v->a->mounts[p->a].root,
				 v->b->mounts[p->b].root);
	return same >= 0;
}

/* Files of other namespaces than the dumper's: the same ones, or made anew. */
static bool compare_nsfs(struct mc_verify *v, const struct mc_pair *p,
			 const struct mc_mount *x, const struct mc_mount *y)
{
	if (!same_file(v, p, &v->shown, x->nsfs_id, y->nsfs_id))
		return false;
	mc_verify_owners(v, p, "its namespace belongs to", x->nsfs_owner, y->nsfs_owner);
	return true;
}

static bool is_shown(const struct mc_verify *v, const struct mc_mount *x,
		     const struct mc_mount *y)
{
	uint32_t unused;

	return !mc_verify_flag(v, MNTCR_VERIFY_IGNORE_SHOWN) &&
	       x->nsfs_type == CLONE_NEWPID && y->nsfs_type == CLONE_NEWPID &&
	       mc_map_get(v->shows_a, x->nsfs_ino, &unused) &&
	       mc_map_get(v->shows_b, y->nsfs_ino, &unused);
}

/*
 * Files of user namespaces, of which one side or both know what they own; one side alone
 * may know it of superblocks, on a kernel that says whose these are.
 */
static bool compare_user_file(struct mc_verify *v, const struct mc_pair *p,
			      const struct mc_mount *x, const struct mc_mount *y)
{
	bool ignore = mc_verify_flag(v, MNTCR_VERIFY_IGNORE_OWNER);
	uint32_t a = x->nsfs_userns, b = y->nsfs_userns;
	int same;

	if (!ignore && a != MC_NONE && b != MC_NONE) {
		mc_verify_owners(v, p, "namespace file", a, b);
		return true;
	}
	same = mc_id_pairs_map(&v->given, x->nsfs_ino, y->nsfs_ino);
	if (!same || (!ignore &&
		      ((a != MC_NONE && v->owns_a[a]) || (b != MC_NONE && v->owns_b[b]))))
		mc_verify_differ(v, p, "namespace file", x->root, y->root);
	return same >= 0;
}

bool mc_verify_root(struct mc_verify *v, const struct mc_pair *p)
{
	const struct mc_mount *x = &v->a->mounts[p->a];
	const struct mc_mount *y = &v->b->mounts[p->b];
	char a[16], b[16];

	/*
	 * The file of a namespace that was restored as well has another inode
	 * number.
	 */
	if (x->nsfs_ns != MC_NONE || y->nsfs_ns != MC_NONE) {
		if (x->nsfs_ns != y->nsfs_ns)
			mc_verify_differ(v, p, "namespace file", x->root, y->root);
		return true;
	}
	if (x->nsfs_id && y->nsfs_id && x->nsfs_type == y->nsfs_type)
		return compare_nsfs(v, p, x, y);
	if (x->nsfs_ino && y->nsfs_ino && x->nsfs_type == y->nsfs_type) {
		if (x->nsfs_userns != MC_NONE || y->nsfs_userns != MC_NONE)
			return compare_user_file(v, p, x, y);
		if (mc_verify_flag(v, MNTCR_VERIFY_GIVEN_NAMESPACES))
			return same_file(v, p, &v->given, x->nsfs_ino, y->nsfs_ino);
		if (is_shown(v, x, y))
			return same_file(v, p, &v->pids, x->nsfs_ino, y->nsfs_ino);
	}
	if (!mc_verify_same_text(x->root, y->root))
		mc_verify_differ(v, p, "root", x->root, y->root);
	else if (x->nsfs_type == CLONE_NEWPID && y->nsfs_type == CLONE_NEWPID &&
		 x->nsfs_ino && y->nsfs_ino)
		return same_file(v, p, &v->pids, x->nsfs_ino, y->nsfs_ino);
	if (x->root_deleted != y->root_deleted)
		mc_verify_differ(v, p, "root", x->root_deleted ? "deleted" : "there",
				 y->root_deleted ? "deleted" : "there");
	if (x->unlinked && y->unlinked && x->unlinked != y->unlinked) {
		snprintf(a, sizeof(a), "%u", x->unlinked);
		snprintf(b, sizeof(b), "%u", y->unlinked);
		mc_verify_differ(v, p, "which unlinked file", a, b);
	}
	return true;
}
