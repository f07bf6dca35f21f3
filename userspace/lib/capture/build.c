// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From raw mounts to a topology: superblocks and groups are found, absolute
 * mountpoints become relative to the parent.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "capture/capture.h"

/*
 * It read the same both times, so nothing was changing: another look would not
 * help.
 */
static int contradicts(struct mntcr_error *e, const struct cap_ns *ns,
		       const struct raw_mount *r, const char *what)
{
	return mc_refuse(e, CAP_CONTRADICTORY, "%s: mount %" PRIu64 ": %s",
			 ns->label, r->id, what);
}

/*
 * The kernel prints paths as if nothing were covered: a child's path is its
 * parent's and the mountpoint within, also for mounts that lie over another.
 */
static const char *below_parent(struct mc_topology *t, const char *parent,
				const struct raw_mount *r,
				struct mntcr_error *e, const struct cap_ns *ns)
{
	const char *path = r->path, *rest;
	size_t n = strlen(parent);

	if (n == 1)
		n = 0;
	if (strncmp(path, parent, n) || (path[n] && path[n] != '/')) {
		contradicts(e, ns, r, "its mountpoint is not below its parent's");
		return NULL;
	}
	rest = path[n] ? path + n : "/";
	rest = mc_topology_str(t, rest);
	if (!rest)
		mc_nomem(e);
	return rest;
}

/* No path leads there: what it is, and on what, has to do. */
static void escaped(struct mntcr_error *e, const struct cap_ns *ns,
		    const struct raw_ns *raw, const struct mc_map *by_id,
		    const struct raw_mount *r)
{
	char type[64], source[128], root[128], parent[256];
	const char *on = NULL;
	uint32_t n;

	if (mc_map_get(by_id, r->parent_id, &n))
		on = raw->m[n].path;
	mc_refuse(e, "escaped-mountpoint",
		  "%s: mount %" PRIu64 " (%s, source %s, root %s) on %s: its mountpoint is not below its parent's root, or not below the caller's; would help: to move the directory back or unmount it, and to dump from outside of a chroot",
		  ns->label, r->id, mc_escape(r->type, type, sizeof(type)),
		  mc_escape(r->source ? r->source : "none", source, sizeof(source)),
		  mc_escape(r->root, root, sizeof(root)),
		  on ? mc_escape(on, parent, sizeof(parent)) : "a mount like that");
}

static uint32_t find_sb(struct mc_topology *t, struct mc_map *by_dev,
			const struct raw_mount *r, struct mntcr_error *e)
{
	uint32_t i = t->nr_sbs;

	switch (mc_map_add(by_dev, mc_dev_key(r->major, r->minor), &i)) {
	case 1:
		return i;
	case 0:
		if (mc_topology_add_sb(t) == MC_NONE)
			break;
		t->sbs[i].major = r->major;
		t->sbs[i].minor = r->minor;
		t->sbs[i].type = r->type;
		t->sbs[i].subtype = r->subtype;
		t->sbs[i].source = r->source;
		t->sbs[i].options = r->options;
		t->sbs[i].magic = r->magic;
		if (r->user_ns_id) {
			t->sbs[i].userns = mc_topology_get_userns(t, r->user_ns_id);
			if (t->sbs[i].userns == MC_NONE)
				break;
		}
		t->sbs[i].shown_type = r->shown_type;
		t->sbs[i].shown_id = r->shown_id;
		t->sbs[i].flags = r->sb_flags;
		return i;
	}
	mc_nomem(e);
	return MC_NONE;
}

/* "net:[4026531840]" is what a bound namespace file has for a root. */
static void parse_nsfs(struct mc_mount *m)
{
	const struct mc_word *w;
	char *end;
	size_t n;

	for (w = mc_words_nstype; w->name; w++) {
		n = strlen(w->name);
		if (strncmp(m->root, w->name, n) ||
		    strncmp(m->root + n, ":[", 2))
			continue;
		m->nsfs_ino = strtoull(m->root + n + 2, &end, 10);
		/* ns_common.inum is an unsigned int; and no image holds what is longer */
		if (strcmp(end, "]") || m->nsfs_ino > UINT32_MAX)
			m->nsfs_ino = 0;
		m->nsfs_type = (uint32_t)w->bits;
	}
}

static int strip_deleted(struct mc_topology *t, struct mc_mount *m,
			 struct mntcr_error *e)
{
	static const char suffix[] = "//deleted";
	size_t n = strlen(m->root), s = sizeof(suffix) - 1;

	if (n < s || strcmp(m->root + n - s, suffix))
		return 0;
	m->root_deleted = true;
	m->root = n == s ? "/" : mc_topology_strn(t, m->root, n - s);
	return m->root ? 0 : mc_nomem(e);
}

static int get_groups(struct mc_topology *t, struct mc_mount *m,
		      const struct raw_mount *r, struct mntcr_error *e)
{
	uint32_t g = MC_NONE, master = MC_NONE;

	if (r->master) {
		master = mc_topology_get_group(t, r->master);
		if (master == MC_NONE)
			return mc_nomem(e);
	}
	if (r->group) {
		g = mc_topology_get_group(t, r->group);
		if (g == MC_NONE)
			return mc_nomem(e);
		/*
		 * mc_topology_finish() checks that all members have the same
		 * master.
		 */
		t->groups[g].master = master;
	}
	m->group = g;
	m->master = master;
	m->unbindable = r->unbindable;
	return 0;
}

/* Are its mounts those of the copy that was made, and no others? */
static int check_copied(const struct cap_ns *cns, uint32_t nr, struct mntcr_error *e)
{
	const struct mntcr_detached *d = cns->src->tree;
	size_t n, i, k;
	uint64_t *ids;
	bool same;

	if (cap_list(cns, MC_LSMT_ROOT, &ids, &n)) {
		free(ids);
		return mc_fail(e, MNTCR_SYS, errno, "%s: listmount", cns->label);
	}
	for (i = k = 0; i < n; i++)
		if (ids[i] != d->carrier)
			ids[k++] = ids[i];
	same = k == d->nr && nr == d->nr && !memcmp(ids, d->ids, k * sizeof(*ids));
	free(ids);
	return same ? 0 :
	       mc_fail(e, MNTCR_CHANGED, 0,
		       "%s: something was mounted or unmounted where its mounts receive from",
		       cns->label);
}

/* What a copy whose root is no directory is mounted on is not of the tree. */
static int drop_carrier(const struct cap_ns *cns, struct raw_ns *raw, struct mntcr_error *e)
{
	uint64_t id = raw->root == MC_NONE ? 0 : raw->m[raw->root].id;
	uint32_t i, n = 0, root = MC_NONE;

	for (i = 0; i < raw->nr; i++) {
		if (i == raw->root)
			continue;
		if (raw->m[i].parent_id == id)
			root = n;
		raw->m[n++] = raw->m[i];
	}
	raw->nr = n;
	raw->root = root;
	return root != MC_NONE ? 0 :
	       mc_fail(e, MNTCR_CHANGED, 0, "%s: its root was unmounted", cns->label);
}

/* Nothing propagates into a detached tree, but it does into a copy that is attached. */
static int detached(const struct cap_ns *cns, struct raw_ns *raw, struct mntcr_error *e)
{
	if (cns->src->type != MNTCR_SOURCE_DETACHED)
		return 0;
	return (cns->src->tree->carrier && drop_carrier(cns, raw, e)) ||
	       check_copied(cns, raw->nr, e) ? -1 : 0;
}

int cap_build(struct mc_topology *t, const struct cap_ns *cns,
	      struct raw_ns *raw, bool unique_ids, struct mc_map *by_dev,
	      struct mntcr_error *e)
{
	struct mc_map *by_id = mc_map_new();
	uint32_t i, n, first = t->nr_mounts, ns;
	struct mc_mount *m;
	int ret = -1;

	if (detached(cns, raw, e))
		goto out;
	ns = mc_topology_add_ns(t);
	if (!by_id || ns == MC_NONE)
		goto nomem;
	t->ns[ns].id = cns->id;
	t->ns[ns].ino = cns->ino;
	t->ns[ns].userns = cns->userns;
	t->ns[ns].detached = cns->src->type == MNTCR_SOURCE_DETACHED;
	/* of a detached tree, what its copy is mounted on is not its */
	t->ns[ns].hidden = t->ns[ns].detached ? 0 : raw->hidden;
	t->ns[ns].base_propagation = t->ns[ns].detached ? 0 : raw->base_propagation;
	t->ns[ns].label = mc_topology_str(t, cns->label);
	if (!t->ns[ns].label)
		goto nomem;
	for (i = 0; i < raw->nr; i++) {
		n = i;
		switch (mc_map_add(by_id, raw->m[i].id, &n)) {
		case -1:
			goto nomem;
		case 1:
			contradicts(e, cns, &raw->m[i], "is listed twice");
			goto out;
		}
	}
	for (i = 0; i < raw->nr; i++) {
		const struct raw_mount *r = &raw->m[i];

		if (mc_topology_add_mount(t) == MC_NONE)
			goto nomem;
		m = &t->mounts[first + i];
		m->ns = ns;
		m->id = unique_ids ? r->id : first + i + 1;
		m->id_old = r->id_old;
		m->root = r->root;
		m->attr = r->attr;
		m->locks_known = r->locks_known;
		m->locks = r->locks;
		m->idmap = r->idmap;
		if (!r->path) {
			escaped(e, cns, raw, by_id, r);
			goto out;
		}
		if ((r->attr & MOUNT_ATTR_IDMAP) && !r->idmap_known) {
			mc_refuse(e, "idmap-unknown",
				  "%s: mount %" PRIu64 " is idmapped and this kernel or method does not say how",
				  cns->label, r->id);
			goto out;
		}
		m->sb = find_sb(t, by_dev, r, e);
		if (m->sb == MC_NONE)
			goto out;
		/* Interned: the same string is the same pointer. */
		if (r->source != t->sbs[m->sb].source)
			m->source = r->source;
		if (r->options != t->sbs[m->sb].options)
			m->options = r->options;
		if (get_groups(t, m, r, e) || strip_deleted(t, m, e))
			goto out;
		if (!strcmp(r->type, "nsfs"))
			parse_nsfs(m);
		if (m->root[0] != '/')
			m->mp_type = MC_MP_OTHER;
		else if (!m->root[1] && !m->root_deleted)
			m->mp_type = MC_MP_DIR;
		if (i == raw->root)
			continue;
		if (!mc_map_get(by_id, r->parent_id, &n) || n == i) {
			contradicts(e, cns, r, "its parent is not listed");
			goto out;
		}
		if (!raw->m[n].path)
			continue;	/* refused when its turn comes */
		m->parent = first + n;
		m->mountpoint = below_parent(t, raw->m[n].path, r, e, cns);
		if (!m->mountpoint)
			goto out;
	}
	ret = 0;
	goto out;
nomem:
	mc_nomem(e);
out:
	mc_map_free(by_id);
	return ret;
}
