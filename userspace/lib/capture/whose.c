// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Whose a superblock is, asked in this order: by the namespace that a file names; by
 * the namespace that the filesystem shows; by its type, of which there is one for
 * all; and what is also mounted outside of what is dumped is the host's.  The last
 * is a guess, which the caller may overrule.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "capture/capture.h"
#include "capture/outside.h"

/* Where it is not known which it shows: by where it is mounted. */
static enum mc_whose shown(const struct mc_sb *sb, bool outside)
{
	if (sb->shown_id)
		return sb->shown_own ? MC_WHOSE_HOST : MC_WHOSE_NAMESPACE;
	if (sb->pidns_ino && sb->pidns_depth != MC_NONE)
		return sb->pidns_depth ? MC_WHOSE_NAMESPACE : MC_WHOSE_HOST;
	return outside ? MC_WHOSE_HOST : MC_WHOSE_NAMESPACE;
}

static enum mc_whose by_rule(const struct mc_sb *sb, bool outside)
{
	switch (mc_type_of(sb->type)->kind) {
	case MC_TYPE_FILES:
		return MC_WHOSE_FILES;
	case MC_TYPE_NAMESPACE:
		return shown(sb, outside);
	case MC_TYPE_ONE_FOR_ALL:
		return MC_WHOSE_ALL;
	default:
		return outside ? MC_WHOSE_HOST : MC_WHOSE_CONTAINER;
	}
}

/* Each key of a list: only what the last rule decides can be overruled. */
static int overrule(struct mc_topology *t, const char *const *keys, size_t nr,
		    enum mc_whose whose, enum mc_whose *named, struct mntcr_error *e)
{
	const char *what = whose == MC_WHOSE_HOST ? "not the container's own" :
			   "the container's own";
	char key[200], type[64];
	uint32_t sb;
	size_t i;

	for (i = 0; i < nr; i++) {
		mc_escape(keys[i], key, sizeof(key));
		sb = mc_find_sb(t, keys[i]);
		if (sb == MC_NONE)
			return mc_fail(e, MNTCR_USAGE, 0,
				       "%s: %s names no superblock of a mount",
				       what, key);
		if (t->sbs[sb].whose != MC_WHOSE_CONTAINER &&
		    t->sbs[sb].whose != MC_WHOSE_HOST)
			return mc_fail(e, MNTCR_USAGE, 0,
				       "%s: %s is of type %s, and whose that is does not depend on where it is mounted",
				       what, key, mc_escape(t->sbs[sb].type, type,
							    sizeof(type)));
		if (named[sb] && named[sb] != whose)
			return mc_fail(e, MNTCR_USAGE, 0,
				       "%s: %s names %u:%u, which is named as the container's own, too",
				       what, key, t->sbs[sb].major, t->sbs[sb].minor);
		t->sbs[sb].whose = named[sb] = whose;
	}
	return 0;
}

static int found(struct mc_topology *t, const struct mc_place *p,
		 struct mc_found *f, struct mntcr_error *e)
{
	if (!p || mc_path_fault(p->target, false) || mc_path_fault(p->root, false))
		return 0;
	f->path = mc_topology_str(t, p->target);
	f->root = mc_topology_str(t, p->root);
	return f->path && f->root ? 0 : mc_nomem(e);
}

int cap_whose(struct mc_topology *t, const struct mntcr_capture_options *o,
	      struct mntcr_error *e)
{
	enum mc_whose *named = calloc(t->nr_sbs + 1UL, sizeof(*named));
	struct mc_outside out = { 0 };
	uint32_t i;
	int ret = !named ? mc_nomem(e) : mc_outside_read(&out, t, e);

	for (i = 0; i < t->nr_sbs && !ret; i++)
		t->sbs[i].whose = by_rule(&t->sbs[i],
					  mc_outside_of(&out, &t->sbs[i]) != MC_NONE);
	if (!ret)
		ret = overrule(t, o->own, o->nr_own, MC_WHOSE_CONTAINER, named, e) ||
		      overrule(t, o->not_own, o->nr_not_own, MC_WHOSE_HOST, named, e) ?
		      -1 : 0;
	for (i = 0; i < t->nr_sbs && !ret; i++)
		if (t->sbs[i].whose == MC_WHOSE_HOST || t->sbs[i].whose == MC_WHOSE_ALL)
			ret = found(t, mc_outside_widest(&out, &t->sbs[i]),
				    &t->sbs[i].outside, e);
	for (i = 0; i < t->nr_groups && !ret; i++)
		if (!t->groups[i].nr_members)
			ret = found(t, mc_outside_group(&out, t->groups[i].id),
				    &t->groups[i].outside, e);
	mc_outside_free(&out);
	free(named);
	return ret;
}
