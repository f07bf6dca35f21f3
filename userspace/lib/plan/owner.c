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

	if (!n->mapped)
		return refuse(why, "owner",
			      "which only a live source can name, since the image does not say how its ids are mapped",
			      "--source, a process in it or its file; or dump again with CAP_SYS_ADMIN in it");
	if (n->parent == MC_NONE)
		return refuse(why, "owner-parent",
			      "whose parent was out of the dumper's reach, so that it cannot be made anew",
			      "--source, a process in it or its file; or dump again from above it");
	if (!fits_parent(n, &p->topo->userns[n->parent]))
		return refuse(why, "owner-maps",
			      "whose maps or owner are not among the ids of its parent",
			      "--source, a process in it or its file");
	return true;
}

int mc_plan_owner(struct mc_plan *p, uint32_t u, struct mc_no_owner *why)
{
	const struct mc_topology *t = p->topo;
	uint32_t up, nr = 0, i, x;

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

void mc_plan_sb_owner(struct mc_plan *p, uint32_t src)
{
	const struct mc_topology *t = p->topo;
	const struct mc_sb *sb = &t->sbs[p->srcs[src].sb];
	struct mc_no_owner why;
	uint32_t u = sb->userns, id;

	if (u == MC_NONE || t->userns[u].dumper ||
	    !mc_userns_first_id(&t->userns[u], false, &id) ||
	    !mc_userns_up(t, u, false, id, &id) ||
	    !mc_userns_first_id(&t->userns[u], true, &id) ||
	    !mc_userns_up(t, u, true, id, &id))
		return;
	/* what shows a namespace belongs to that one's owner */
	if (!strcmp(sb->type, "sysfs") || !strcmp(sb->type, "mqueue") ||
	    (!strcmp(sb->type, "proc") &&
	     (!mc_sb_has_own_pidns(sb) || p->priv->opts->caller_namespaces)))
		return;
	if (mc_plan_owner(p, u, &why))
		p->srcs[src].owner = u;
}
