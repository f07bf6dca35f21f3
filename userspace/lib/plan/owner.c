// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * User namespaces that own what is restored: the owner of a live source is taken
 * as it is, others are made anew.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <string.h>

#include "plan/priv.h"

void mc_plan_owners_start(struct mc_plan *p, const struct mc_plan_options *o)
{
	const struct mc_topology *t = p->topo;
	uint32_t i;

	for (i = 0; o->ns_live && i < t->nr_ns; i++)
		if (o->ns_live[i] && t->ns[i].userns != MC_NONE)
			p->priv->owner_live[t->ns[i].userns] = true;
	/* what is given comes first, for better or worse */
	for (i = 0; i < t->nr_userns; i++)
		if (t->userns[i].given)
			p->priv->owner_live[i] = !t->userns[i].given->rule;
}

/*
 * The kernel wants each range within one of the parent's, and the owner mapped
 * there.
 */
static bool fits_parent(const struct mc_userns *u, const struct mc_userns *parent)
{
	uint32_t i, unused;

	if (parent->dumper)
		return true;
	/* of a parent that is taken live, it may not be known */
	if (!parent->mapped)
		return true;
	for (i = 0; i < u->map.nr_uid; i++)
		if (!mc_idmap_range(&parent->map, false, u->map.uid[i].parent_id,
				    u->map.uid[i].count, &unused))
			return false;
	for (i = 0; i < u->map.nr_gid; i++)
		if (!mc_idmap_range(&parent->map, true, u->map.gid[i].parent_id,
				    u->map.gid[i].count, &unused))
			return false;
	return mc_idmap_range(&parent->map, false, u->owner, 1, &unused) &&
	       parent->map.nr_gid;
}

/* create_user_ns() in the kernel: in no parent of a level above 32. */
#define MOST_LEVELS	33U

/* How far below the initial one it would be, as far as that is known. */
static bool is_too_deep(const struct mc_plan *p, uint32_t u)
{
	uint32_t level = p->priv->opts->userns_level;

	for (; u != MC_NONE && !p->topo->userns[u].dumper; u = p->topo->userns[u].parent)
		if (++level > MOST_LEVELS)
			return true;
	return false;
}

/* A user namespace has from its parent that setgroups(2) is allowed, for good. */
static bool denied_above(const struct mc_plan *p, const struct mc_userns *parent)
{
	return parent->dumper ? p->priv->opts->no_setgroups :
	       parent->mapped && !parent->setgroups;
}

static bool is_there(const struct mc_plan *p, uint32_t u)
{
	return p->topo->userns[u].dumper || p->priv->owner_live[u] ||
	       p->priv->owner_made[u];
}

static bool refuse(struct mc_no_owner *why, const char *rule, const char *what,
		   const char *help)
{
	*why = (struct mc_no_owner){ rule, what, help };
	return false;
}

static bool can_be_made(const struct mc_plan *p, uint32_t u, struct mc_no_owner *why)
{
	const struct mc_userns *n = &p->topo->userns[u];

	if (n->given)
		return refuse(why, n->given->rule, n->given->what,
			      "--owner with another one, or without, so that it is made");
	if (!n->mapped)
		return refuse(why, "owner",
			      "which only a live source can name, since the image does not say how its ids are mapped",
			      "--source or --owner, a process in it or its file; or dump again with CAP_SYS_ADMIN in it");
	if (n->parent == MC_NONE)
		return refuse(why, "owner-parent",
			      "whose parent was out of the dumper's reach, so that it cannot be made anew",
			      "--source or --owner, a process in it or its file; or dump again from above it");
	if (!fits_parent(n, &p->topo->userns[n->parent]))
		return refuse(why, "owner-maps",
			      "whose maps or owner are not among the ids of its parent",
			      "--source or --owner, a process in it or its file");
	if (n->setgroups && denied_above(p, &p->topo->userns[n->parent]))
		return refuse(why, "owner-setgroups",
			      "which allows setgroups(2), and its parent denies it",
			      "--source or --owner, a process in it or its file; or a restore where it is allowed");
	return true;
}

int mc_plan_owner(struct mc_plan *p, uint32_t u, struct mc_no_owner *why)
{
	const struct mc_topology *t = p->topo;
	uint32_t up, nr = 0, i, x;

	if (!is_there(p, u) && is_too_deep(p, u))
		return refuse(why, "owner-depth",
			      "which is more levels below the initial one than the kernel nests them",
			      "--source or --owner, a process in it or its file; or a restore from further up");
	for (up = u; !is_there(p, up); up = t->userns[up].parent) {
		if (!can_be_made(p, up, why))
			return 0;
		nr++;
	}
	/* from the lowest to the topmost: turned round */
	for (i = nr, up = u; i--; up = t->userns[up].parent) {
		x = p->nr_owners + i;
		p->owners[x] = up;
		p->priv->owner_made[up] = true;
	}
	p->nr_owners += nr;
	return 1;
}

/* What shows a namespace belongs to that one's owner. */
static bool shows_other(const struct mc_plan *p, const struct mc_sb *sb)
{
	return !strcmp(sb->type, "sysfs") || !strcmp(sb->type, "mqueue") ||
	       (!strcmp(sb->type, "proc") &&
		(!mc_sb_has_own_pidns(sb) || p->priv->opts->caller_namespaces));
}

/* Are those known, out here, by which its files are made? */
static bool first_ids_up(const struct mc_topology *t, uint32_t u)
{
	uint32_t id;

	return mc_userns_first_id(&t->userns[u], false, &id) &&
	       mc_userns_up(t, u, false, id, &id) &&
	       mc_userns_first_id(&t->userns[u], true, &id) &&
	       mc_userns_up(t, u, true, id, &id);
}

int mc_plan_sb_owner(struct mc_plan *p, uint32_t src, const uint32_t *mounts,
		     uint32_t nr, struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	const struct mc_sb *sb = &t->sbs[p->srcs[src].sb];
	bool own_ns = mc_sb_has_own_ns(sb) && !p->priv->opts->caller_namespaces;
	uint32_t u = own_ns ? mc_sb_ns_owner(sb) : sb->userns;
	struct mc_no_owner why = { 0 };
	const struct mc_userns *n;

	if (u == MC_NONE || t->userns[u].dumper || !t->userns[u].mapped ||
	    (!own_ns && shows_other(p, sb)))
		return 0;
	n = &t->userns[u];
	if (!n->map.nr_uid || !n->map.nr_gid) {
		refuse(&why, "owner-maps",
		       "which maps no uid or no gid, so that nobody can make a file of it",
		       "--external, or --source without --fresh");
	} else if (mc_plan_owner(p, u, &why) && first_ids_up(t, u)) {
		p->srcs[src].owner = u;
		p->srcs[src].need = mc_plan_owner_need(p, u);
	}
	if (!why.rule)
		return 0;
	p->priv->sb[p->srcs[src].sb].refused = why.rule;
	return mc_plan_refuse(p, e, why.rule, mounts, nr, why.help,
			      "the superblock %u:%u is to be made anew and belongs to user namespace %u, %s",
			      sb->major, sb->minor, u, why.what);
}
