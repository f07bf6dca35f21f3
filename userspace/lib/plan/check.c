// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Before planning: do the options fit the image, can its owners and locks be had?
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>

#include "plan/priv.h"

static bool other_owner(const struct mc_topology *t, uint32_t ns)
{
	return t->ns[ns].userns != MC_NONE && !t->userns[t->ns[ns].userns].dumper;
}

static bool all_locks_known(const struct mc_topology *t, uint32_t ns)
{
	uint32_t i;

	for (i = 0; i < t->ns[ns].nr_mounts; i++)
		if (!t->mounts[t->ns[ns].first_mount + i].locks_known)
			return false;
	return true;
}

static int refuse_ns(struct mc_plan *p, struct mntcr_error *e, const char *rule,
		     uint32_t i, const char *help, const char *what)
{
	const struct mc_ns *ns = &p->topo->ns[i];
	char esc[128];

	return mc_plan_refuse(p, e, rule, &ns->root, ns->root != MC_NONE, help,
			      "namespace %u (%s) is owned by another user namespace, %s",
			      i, ns->label ? mc_escape(ns->label, esc, sizeof(esc)) :
			      "-", what);
}

#define NO_LOCKS	"--ignore-locks leaves them out"

/* What its namespace has locked may not be in the image. */
static int check_owner(struct mc_plan *p, const struct mc_plan_options *o,
		       uint32_t i, struct mntcr_error *e)
{
	bool stock = p->api == MNTCR_API_UPSTREAM;
	struct mc_no_owner why;

	if (!mc_plan_owner(p, p->topo->ns[i].userns, &why) &&
	    refuse_ns(p, e, why.rule, i, why.help, why.what))
		return -1;
	/*
	 * Where locks are not reported, a namespace of another owner has some.
	 */
	if (!o->ignore_locks && stock &&
	    refuse_ns(p, e, "locks", i, NO_LOCKS
		      "; a kernel with the calls of the extended API sets them",
		      "which locks its mounts, and the upstream calls cannot"))
		return -1;
	if (!o->ignore_locks && !stock && !all_locks_known(p->topo, i) &&
	    refuse_ns(p, e, "locks", i, NO_LOCKS
		      "; or dump again on a kernel that reports them",
		      "which locks its mounts, and the image does not say which"))
		return -1;
	if (stock && !o->whole_trees)
		return refuse_ns(p, e, "owner", i, "a kernel that can make one",
				 "and this kernel cannot make an empty one");
	return 0;
}

static int check_owners(struct mc_plan *p, const struct mc_plan_options *o,
			struct mntcr_error *e)
{
	uint32_t i;

	for (i = 0; i < p->topo->nr_ns; i++)
		if (other_owner(p->topo, i) && check_owner(p, o, i, e))
			return -1;
	return 0;
}

/* Before there was nullfs each had a root, which is a mount like any other. */
static int check_empty(struct mc_plan *p, const struct mc_plan_options *o,
		       struct mntcr_error *e)
{
	const struct mc_ns *ns = p->topo->ns;
	char esc[128];
	uint32_t i;

	for (i = 0; i < p->topo->nr_ns; i++)
		if (p->api == MNTCR_API_UPSTREAM && !o->whole_trees && !ns[i].nr_mounts &&
		    mc_plan_refuse(p, e, "empty-namespace", NULL, 0, "a kernel that can make one",
				   "namespace %u (%s) has no mounts, and this kernel cannot make an empty one",
				   i, ns[i].label ?
				   mc_escape(ns[i].label, esc, sizeof(esc)) : "-"))
			return -1;
	return 0;
}

/* Of those that the caller's user namespace owns, some are locked as well. */
static int check_locks(struct mc_plan *p, const struct mc_plan_options *o,
		       struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	bool stock = p->api == MNTCR_API_UPSTREAM;
	uint32_t m;

	if (o->ignore_locks || (!stock && !o->no_own_locks))
		return 0;
	for (m = 0; m < t->nr_mounts; m++)
		if (t->mounts[m].locks_known && t->mounts[m].locks &&
		    !other_owner(t, t->mounts[m].ns) &&
		    mc_plan_refuse(p, e, stock ? "locks" : "locks-owner", &m, 1,
				   stock ? NO_LOCKS
				   "; a kernel with the calls of the extended API sets them" :
				   NO_LOCKS "; or restore from above that user namespace",
				   stock ? "locked, and the upstream calls cannot lock a mount" :
				   "locked, which takes CAP_SYS_ADMIN in the parent of the user namespace that owns its namespace"))
			return -1;
	return 0;
}

/* The extended calls open live mounts by unique id. */
static int check_ids(struct mc_plan *p, const struct mc_plan_options *o,
		     struct mntcr_error *e)
{
	uint32_t i;

	if (p->topo->unique_ids || p->api != MNTCR_API_EXTENDED || !o->ns_live)
		return 0;
	for (i = 0; i < p->topo->nr_ns; i++)
		if (o->ns_live[i])
			return mc_plan_refuse(p, e, "no-unique-ids", NULL, 0,
					      "dump again with --method statmount, or use --api upstream",
					      "the image was made from mountinfo, without the unique ids by which the extended API opens the mounts of a live source");
	return 0;
}

/* It is handed out in the end; nothing unbindable gets into a copy, to be captured. */
static int refuse_detached(struct mc_plan *p, const struct mc_plan_options *o,
			   uint32_t m, struct mntcr_error *e)
{
	const struct mc_mount *mnt = &p->topo->mounts[m];

	if (o->no_detached && mnt->parent == MC_NONE &&
	    mc_plan_refuse(p, e, "detached-tree", &m, 1,
			   "--stages, which hands it out",
			   "the root of a detached tree, which nobody would take"))
		return -1;
	if (p->api == MNTCR_API_UPSTREAM && mnt->parent == MC_NONE &&
	    mc_plan_refuse(p, e, "detached-tree", &m, 1,
			   "a kernel with the calls of the extended API",
			   "the root of a detached tree, and the upstream calls make none"))
		return -1;
	return o->will_capture && mnt->unbindable ?
	       mc_plan_refuse(p, e, "detached-unbindable", &m, 1,
			      "a restore without --verify",
			      "unbindable, in a detached tree: open_tree(2) leaves such out of a copy, and --verify looks at one") :
	       0;
}

/*
 * A tree that is built in a namespace leaves it as a copy, which has nothing unbindable,
 * and on the root of a namespace no file can be mounted.  So it is built detached, but
 * where descriptors are few: a mount there is not found again by its id.
 */
static int check_detached(struct mc_plan *p, const struct mc_plan_options *o,
			  struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	uint32_t m, n;

	for (m = 0; m < t->nr_mounts; m++) {
		n = t->mounts[m].ns;
		if (!t->ns[n].detached)
			continue;
		if (!p->whole)
			p->whole = calloc(t->nr_ns, sizeof(*p->whole));
		if (!p->whole)
			return mc_nomem(e);
		p->whole[n] = p->whole[n] || !o->fd_budget || t->mounts[m].unbindable ||
			      (t->ns[n].root == m && t->mounts[m].mp_type == MC_MP_OTHER);
		if (refuse_detached(p, o, m, e))
			return -1;
	}
	return 0;
}

int mc_plan_check(struct mc_plan *p, const struct mc_plan_options *o,
		  struct mntcr_error *e)
{
	mc_plan_owners_start(p, o);
	return mc_plan_choose_owners(p, e) || mc_plan_names(p, o, e) || check_ids(p, o, e) ||
	       check_owners(p, o, e) || check_empty(p, o, e) || check_locks(p, o, e) ||
	       check_detached(p, o, e) ? -1 : 0;
}
