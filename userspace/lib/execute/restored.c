// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a restore hands back: descriptors and pins, as long as the caller keeps them.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>

#include "execute/priv.h"

/* Those that were made; a live source's are its own. */
static int hand_back_userns(struct mntcr_restored *r, struct mc_exec *x,
			    struct mntcr_error *e)
{
	uint32_t i, u;

	r->userns = calloc(x->p->nr_owners + 1, sizeof(*r->userns));
	if (!r->userns)
		return mc_nomem(e);
	for (i = 0; i < x->p->nr_owners; i++) {
		u = x->p->owners[i];
		r->userns[r->nr_userns++] = (struct mc_made){
			CLONE_NEWUSER, x->t->userns[u].ino, x->owner_fd[u],
		};
		x->owner_fd[u] = -1;
	}
	return 0;
}

int mc_hand_back(struct mntcr_restored *r, struct mc_work *w, bool mounts,
		     struct mntcr_error *e)
{
	const struct mntcr_topology *t = w->x.t;
	uint32_t i, v;

	mc_exec_leave_trees(&w->x);
	r->nr_ns = t->nr_ns;
	r->nr_mounts = t->nr_mounts;
	r->api = w->po.api;
	r->ns_fd = w->x.ns_fd;
	w->x.ns_fd = NULL;
	r->tree_fd = w->x.tree_fd;
	w->x.tree_fd = NULL;
	r->made = w->x.made;
	r->nr_made = w->x.nr_made;
	w->x.made = NULL;
	w->x.nr_made = 0;
	if (hand_back_userns(r, &w->x, e))
		return -1;
	if (!mounts)
		return 0;
	r->by_id = calloc(t->nr_ns + 1, sizeof(*r->by_id));
	for (i = 0; r->by_id && i < t->nr_ns; i++) {
		r->by_id[i] = mc_map_new();
		if (!r->by_id[i])
			return mc_nomem(e);
	}
	for (i = 0; r->by_id && i < t->nr_mounts; i++) {
		v = i;
		if (mc_map_add(r->by_id[t->mounts[i].ns], t->mounts[i].id, &v) < 0)
			return mc_nomem(e);
	}
	if (!r->by_id)
		return mc_nomem(e);
	r->mount_fd = w->x.mount_fd;
	w->x.mount_fd = NULL;
	return 0;
}

void mntcr_restored_free(struct mntcr_restored *r)
{
	uint32_t i;

	if (!r)
		return;
	if (!r->pinned)
		mc_pins_undo(r->pins);
	mc_fds_close(r->ns_fd, r->nr_ns);
	mc_fds_close(r->tree_fd, r->nr_ns);
	mc_fds_close(r->mount_fd, r->nr_mounts);
	mc_made_close(r->made, r->nr_made);
	mc_made_close(r->userns, r->nr_userns);
	for (i = 0; r->by_id && i < r->nr_ns; i++)
		mc_map_free(r->by_id[i]);
	free(r->by_id);
	mc_pins_free(r->pins);
	free(r);
}

int mntcr_restored_ns_fd(const struct mntcr_restored *r, size_t ns)
{
	return ns < r->nr_ns ? r->ns_fd[ns] : -1;
}

int mntcr_restored_detached_fd(const struct mntcr_restored *r, size_t ns)
{
	return ns < r->nr_ns ? r->tree_fd[ns] : -1;
}

size_t mntcr_restored_nr_ns(const struct mntcr_restored *r)
{
	return r->nr_ns;
}

int mntcr_restored_mount_fd(const struct mntcr_restored *r, size_t ns,
			    uint64_t id)
{
	uint32_t m;

	if (!r->by_id || ns >= r->nr_ns || !mc_map_get(r->by_id[ns], id, &m))
		return -1;
	return r->mount_fd[m];
}

const struct mntcr_stats *mntcr_restored_stats(const struct mntcr_restored *r)
{
	return &r->stats;
}

enum mntcr_api mntcr_restored_api(const struct mntcr_restored *r)
{
	return r->api;
}

int mntcr_restored_pin(struct mntcr_restored *r, const char *dir,
		       struct mntcr_error *e)
{
	if (r->pinned)
		return mc_fail(e, MNTCR_USAGE, 0, "pin: pinned already");
	if (r->pins && !mc_pins_are_in(r->pins, dir))
		return mc_fail(e, MNTCR_USAGE, 0,
			       "pin: the restore was told another directory");
	if (!r->pins && mc_pins_open(dir, &r->pins, e))
		return -1;
	if (mc_pins_add(r->pins, r->ns_fd, r->nr_ns, e) ||
	    mc_pins_add_made(r->pins, r->made, r->nr_made, e) ||
	    mc_pins_add_made(r->pins, r->userns, r->nr_userns, e) ||
	    mc_pins_finish(r->pins, e)) {
		mntcr_restored_unpin(r);
		return -1;
	}
	r->pinned = true;
	return 0;
}

void mntcr_restored_unpin(struct mntcr_restored *r)
{
	mc_pins_undo(r->pins);
	mc_pins_free(r->pins);
	r->pins = NULL;
	r->pinned = false;
}
