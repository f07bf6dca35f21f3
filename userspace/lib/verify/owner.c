// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * User namespaces that own something.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>

#include "verify/pairs.h"

static const char *owner_words(const struct mc_topology *t, uint32_t u, char *buf,
			       size_t size)
{
	const struct mc_userns *n = &t->userns[u];
	const struct mc_idmap_extent *x = n->map.uid;

	if (n->mapped && n->map.nr_uid)
		snprintf(buf, size, "user namespace %u, of uid %u, uids %u:%u:%u%s", u,
			 n->owner, x->id, x->parent_id, x->count,
			 n->map.nr_uid > 1 ? " ..." : "");
	else
		snprintf(buf, size, "user namespace %u%s", u,
			 n->dumper ? ", the dumper's" : "");
	return buf;
}

const char *mc_verify_owner(struct mc_verify *v, uint32_t a, uint32_t b)
{
	const struct mc_userns *x = &v->a->userns[a], *y = &v->b->userns[b];

	if (!mc_bijection_map(&v->userns, a, b))
		return "another user namespace";
	if (!x->mapped || !y->mapped ||
	    (mc_idmap_same(&x->map, &y->map) && x->owner == y->owner &&
	     x->setgroups == y->setgroups))
		return NULL;
	return "a user namespace with other maps, owner or setgroups";
}

void mc_verify_owners(struct mc_verify *v, const struct mc_pair *p, const char *what,
		      uint32_t a, uint32_t b)
{
	char wa[100], wb[100];

	if (a != MC_NONE && b != MC_NONE && !mc_verify_flag(v, MNTCR_VERIFY_IGNORE_OWNER) &&
	    mc_verify_owner(v, a, b))
		mc_verify_differ(v, p, what, owner_words(v->a, a, wa, sizeof(wa)),
				 owner_words(v->b, b, wb, sizeof(wb)));
}
