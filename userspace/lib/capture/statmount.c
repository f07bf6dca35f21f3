// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Capture through listmount(2) and statmount(2).
 *
 * Everything is read twice: once with all fields, once with those that mount
 * operations change.  When both agree there was a moment at which
 * all namespaces looked like that.  Only then is anything made of it: what is
 * wrong with it then is no change.
 *
 * The kernel answers relative to a root: the caller's own for the caller's own
 * namespace, else the first mount on the namespace's base.  The base itself
 * (nullfs, before 7.3 rootfs) is found by climbing from there, and all else is
 * listed from the base.
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

#define WANT_FAST (MC_STATMOUNT_SB_BASIC | MC_STATMOUNT_MNT_BASIC)
#define WANT_ALL (WANT_FAST | MC_STATMOUNT_MNT_ROOT | MC_STATMOUNT_MNT_POINT | \
		  MC_STATMOUNT_FS_TYPE | MC_STATMOUNT_MNT_OPTS |	       \
		  MC_STATMOUNT_FS_SUBTYPE | MC_STATMOUNT_SB_SOURCE |	       \
		  MC_STATMOUNT_SUPPORTED_MASK | MC_STATMOUNT_MNT_UIDMAP |      \
		  MC_STATMOUNT_MNT_GIDMAP | MC_STATMOUNT_MNT_LOCKS |	       \
		  MC_STATMOUNT_SB_USER_NS | MC_STATMOUNT_SB_NS)
#define WANT_AGAIN (WANT_FAST | MC_STATMOUNT_MNT_ROOT | \
		    MC_STATMOUNT_MNT_POINT | MC_STATMOUNT_MNT_LOCKS)
/*
 * A kernel without these would leave the fields out, and no mount would show
 * it.
 */
#define NEED (MC_STATMOUNT_MNT_OPTS | MC_STATMOUNT_FS_SUBTYPE | \
	      MC_STATMOUNT_SB_SOURCE)

#define BUF_MIN		(32U << 10)
#define BUF_MAX		(16U << 20)

/*
 * What mount operations change: read a second time, to see whether anything
 * moved.
 */
struct glance {
	uint64_t id, parent, attr, propagation, group, master, locks;
	uint32_t sb_flags;
	const char *root, *path;
};

struct reader {
	struct mc_topology *t;
	const struct cap_ns *ns;
	struct mntcr_error *e;
	struct mc_statmount *sm;
	size_t size;
	uint64_t unknown;	/* not asked for */
};

static int ask(const struct reader *r, uint64_t id, uint64_t mask,
	       struct mc_statmount *sm, size_t size)
{
	struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER1,
		.mnt_id = id,
		.param = mask & ~r->unknown,
		.mnt_ns_id = r->ns->id,
	};

	return mc_statmount(&req, sm, size, 0);
}

static int ask_failed(const struct reader *r, uint64_t id)
{
	switch (errno) {
	case ENOSYS:
		return mc_fail(r->e, MNTCR_UNSUPPORTED, errno, "statmount");
	case ENOENT:
		return mc_fail(r->e, MNTCR_CHANGED, errno,
			       "%s: statmount of mount %" PRIu64, r->ns->label,
			       id);
	case EPERM:
		return mc_fail(r->e, MNTCR_SYS, errno,
			       "%s: statmount of mount %" PRIu64 " (needs CAP_SYS_ADMIN over the namespace's owner)",
			       r->ns->label, id);
	default:
		return mc_fail(r->e, MNTCR_SYS, errno,
			       "%s: statmount of mount %" PRIu64, r->ns->label,
			       id);
	}
}

/*
 * Asks for fields of one mount; the answer is in r->sm, which grows as needed.
 */
static int ask_for(struct reader *r, uint64_t id, uint64_t mask)
{
	size_t size = r->size;
	void *p;

	for (;;) {
		if (!ask(r, id, mask, r->sm, r->size))
			return 0;
		if (errno != EOVERFLOW || size >= BUF_MAX)
			return ask_failed(r, id);
		size *= 2;
		p = realloc(r->sm, size);
		if (!p)
			return mc_nomem(r->e);
		r->sm = p;
		r->size = size;
	}
}

static const char *str_at(struct reader *r, uint64_t bit, uint32_t at)
{
	const char *s = r->sm->mask & bit ? r->sm->str + at : "";

	s = mc_topology_str(r->t, s);
	if (!s)
		mc_nomem(r->e);
	return s;
}

static struct mc_idmap_extent *extents(struct reader *r, uint32_t nr,
				       const char *s)
{
	struct mc_idmap_extent *x;
	uint32_t i;

	x = mc_topology_alloc(r->t, ((size_t)nr + 1) * sizeof(*x));
	if (!x) {
		mc_nomem(r->e);
		return NULL;
	}
	for (i = 0; i < nr; i++, s += strlen(s) + 1)
		if (sscanf(s, "%u %u %u", &x[i].id, &x[i].parent_id,
			   &x[i].count) != 3) {
			mc_fail(r->e, MNTCR_SYS, EPROTO, "statmount: idmap");
			return NULL;
		}
	return x;
}

/* As one string, to find it again: many mounts have the same. */
static const char *idmap_text(struct mc_buf *b, const struct mc_statmount *sm)
{
	const char *s;
	uint32_t i;

	mc_buf_puts(b, "");
	for (i = 0, s = sm->str + sm->mnt_uidmap; i < sm->mnt_uidmap_num; i++) {
		mc_buf_printf(b, "%s\n", s);
		s += strlen(s) + 1;
	}
	mc_buf_puts(b, "\n");
	for (i = 0, s = sm->str + sm->mnt_gidmap; i < sm->mnt_gidmap_num; i++) {
		mc_buf_printf(b, "%s\n", s);
		s += strlen(s) + 1;
	}
	return b->nomem ? NULL : b->data;
}

static int read_idmap(struct reader *r, struct raw_mount *m)
{
	const struct mc_statmount *sm = r->sm;
	struct mc_buf b = { 0 };
	struct mc_idmap *map;
	const char *text;
	bool added;
	uint32_t i;

	m->idmap = MC_NONE;
	if (!(sm->mnt_attr & MOUNT_ATTR_IDMAP) ||
	    !(sm->mask & MC_STATMOUNT_MNT_UIDMAP))
		return 0;
	text = idmap_text(&b, sm);
	i = text ? mc_topology_get_idmap(r->t, text, &added) : MC_NONE;
	mc_buf_free(&b);
	if (i == MC_NONE)
		return mc_nomem(r->e);
	m->idmap = i;
	m->idmap_known = true;
	if (!added)
		return 0;
	map = &r->t->idmaps[i];
	map->uid = extents(r, sm->mnt_uidmap_num, sm->str + sm->mnt_uidmap);
	map->gid = extents(r, sm->mnt_gidmap_num, sm->str + sm->mnt_gidmap);
	if (!map->uid || !map->gid)
		return -1;
	map->nr_uid = sm->mnt_uidmap_num;
	map->nr_gid = sm->mnt_gidmap_num;
	return 0;
}

/*
 * Strings are left to the caller: the next statmount(2) overwrites those of sm.
 */
static struct glance glance(const struct mc_statmount *sm)
{
	return (struct glance){
		.id = sm->mnt_id,
		.parent = sm->mnt_parent_id,
		.attr = sm->mnt_attr,
		.propagation = sm->mnt_propagation,
		.group = sm->mnt_peer_group,
		.master = sm->mnt_master,
		.locks = sm->mask & MC_STATMOUNT_MNT_LOCKS ? sm->mnt_locks : 0,
		.sb_flags = sm->sb_flags,
	};
}

static bool still(const struct glance *g, const struct mc_statmount *sm)
{
	struct glance now = glance(sm);

	now.root = sm->mask & MC_STATMOUNT_MNT_ROOT ?
		   sm->str + sm->mnt_root : "";
	now.path = sm->mask & MC_STATMOUNT_MNT_POINT ?
		   sm->str + sm->mnt_point : NULL;
	return now.id == g->id && now.parent == g->parent &&
	       now.attr == g->attr && now.propagation == g->propagation &&
	       now.group == g->group && now.master == g->master &&
	       now.locks == g->locks && now.sb_flags == g->sb_flags &&
	       !strcmp(now.root, g->root) && !now.path == !g->path &&
	       (!now.path || !strcmp(now.path, g->path));
}

static int read_mount(struct reader *r, uint64_t id, struct raw_mount *m,
		      struct glance *g)
{
	const struct mc_statmount *sm;

	if (ask_for(r, id, WANT_ALL))
		return -1;
	sm = r->sm;
	if (!(sm->mask & MC_STATMOUNT_SUPPORTED_MASK) ||
	    (sm->supported_mask & NEED) != NEED)
		return mc_fail(r->e, MNTCR_UNSUPPORTED, 0,
			       "statmount of this kernel lacks options or source");
	*m = (struct raw_mount){
		.id = sm->mnt_id,
		.parent_id = sm->mnt_parent_id,
		.id_old = sm->mnt_id_old,
		.major = sm->sb_dev_major,
		.minor = sm->sb_dev_minor,
		.sb_flags = sm->sb_flags,
		.magic = sm->sb_magic,
		.attr = sm->mnt_attr,
		.group = sm->mnt_propagation & MS_SHARED ? sm->mnt_peer_group : 0,
		.master = sm->mnt_propagation & MS_SLAVE ? sm->mnt_master : 0,
		.unbindable = sm->mnt_propagation & MS_UNBINDABLE,
		.propagation = (uint32_t)sm->mnt_propagation,
		.locks_known = sm->mask & MC_STATMOUNT_MNT_LOCKS,
		.locks = sm->mask & MC_STATMOUNT_MNT_LOCKS ?
			 (uint32_t)sm->mnt_locks : 0,
	};
	if (sm->mask & MC_STATMOUNT_SB_USER_NS)
		m->user_ns_id = sm->sb_user_ns_id;
	if (sm->mask & MC_STATMOUNT_SB_NS) {
		m->shown_type = sm->sb_ns_type;
		m->shown_id = sm->sb_ns_id;
	}
	m->type = str_at(r, MC_STATMOUNT_FS_TYPE, sm->fs_type);
	m->source = str_at(r, MC_STATMOUNT_SB_SOURCE, sm->sb_source);
	m->options = str_at(r, MC_STATMOUNT_MNT_OPTS, sm->mnt_opts);
	m->root = str_at(r, MC_STATMOUNT_MNT_ROOT, sm->mnt_root);
	if (!m->type || !m->source || !m->options || !m->root)
		return -1;
	if (sm->mask & MC_STATMOUNT_FS_SUBTYPE) {
		m->subtype = str_at(r, MC_STATMOUNT_FS_SUBTYPE, sm->fs_subtype);
		if (!m->subtype)
			return -1;
	}
	if (sm->mask & MC_STATMOUNT_MNT_POINT) {
		m->path = str_at(r, MC_STATMOUNT_MNT_POINT, sm->mnt_point);
		if (!m->path)
			return -1;
	}
	*g = glance(sm);
	g->root = m->root;
	g->path = m->path;
	return read_idmap(r, m);
}

static int list_failed(const struct reader *r, uint64_t base)
{
	switch (errno) {
	case ENOENT:
		return mc_fail(r->e, MNTCR_CHANGED, errno,
			       "%s: listmount of mount %" PRIu64, r->ns->label,
			       base);
	case ENOSYS:
		return mc_fail(r->e, MNTCR_UNSUPPORTED, errno, "listmount");
	case ENOMEM:
		return mc_nomem(r->e);
	case E2BIG:
		return mc_refuse(r->e, "too-many-mounts",
				 "%s: more than %u mounts", r->ns->label,
				 MC_MAX_MOUNTS);
	case EPERM:
		return mc_fail(r->e, MNTCR_SYS, errno,
			       "%s: listmount (needs CAP_SYS_ADMIN over the namespace's owner)",
			       r->ns->label);
	default:
		return mc_fail(r->e, MNTCR_SYS, errno, "%s: listmount",
			       r->ns->label);
	}
}

/* The mount that the caller's root directory is on; it may be in no listing. 0: errno. */
static uint64_t own_root(void)
{
	struct statx stx;

	errno = 0;	/* a kernel that says no such ids sets none */
	if (statx(AT_FDCWD, "/", AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
		  STATX_MNT_ID_UNIQUE, &stx) ||
	    !(stx.stx_mask & STATX_MNT_ID_UNIQUE))
		return 0;
	return stx.stx_mnt_id;
}

/*
 * The mount that the namespace was made with: it is its own parent.  0: there
 * is none on it.
 */
static int find_base(struct reader *r, uint64_t *base, uint64_t *above)
{
	struct mc_statmount sm;
	uint64_t *ids = NULL, id;
	size_t nr, steps = 0;
	int ret = -1, err = 0;

	*base = *above = 0;
	if (r->ns->own) {
		id = own_root();
		err = errno;
	} else {
		if (cap_list(r->ns, MC_LSMT_ROOT, &ids, &nr)) {
			if (errno == ENOENT && !r->ns->nr_mounts) {
				ret = 0;	/* nothing on the base */
			} else {
				/* as it says when it may not be asked */
				if (errno == ENOENT)
					errno = EPERM;
				list_failed(r, MC_LSMT_ROOT);
			}
			goto out;
		}
		/* Ascending, and the root that was listed from comes first. */
		id = nr ? ids[0] : 0;
	}
	if (!id) {
		mc_fail(r->e, MNTCR_UNSUPPORTED, err, "%s: no root to start from",
			r->ns->label);
		goto out;
	}
	for (;;) {
		if (ask(r, id, WANT_FAST, &sm, sizeof(sm))) {
			if (errno == ENOENT && r->ns->own && !*above)
				mc_fail(r->e, MNTCR_UNSUPPORTED, 0,
					"%s: statmount answers relative to the caller's root, and that is not in this namespace",
					r->ns->label);
			else
				ask_failed(r, id);
			goto out;
		}
		if (sm.mnt_parent_id == id || steps++ > MC_MAX_MOUNTS)
			break;
		*above = id;
		id = sm.mnt_parent_id;
	}
	*base = id;
	ret = 0;
out:
	free(ids);
	return ret;
}

/*
 * The visible root.  The kernel's own layers are not part of an image: nullfs
 * at the bottom, and the first rootfs when it is covered and carries nothing
 * else.  Above them, every mount counts, one that covers "/" included.
 */
static int find_root(struct raw_ns *raw, struct mntcr_error *e)
{
	struct mc_map *by_id = mc_map_new();
	uint32_t i, at, p, *kids, *cover;
	int ret = -1;

	kids = calloc((size_t)raw->nr + 1, sizeof(*kids));
	cover = malloc(((size_t)raw->nr + 1) * sizeof(*cover));
	if (!by_id || !kids || !cover)
		goto nomem;
	at = MC_NONE;
	for (i = 0; i < raw->nr; i++) {
		p = i;
		if (mc_map_add(by_id, raw->m[i].id, &p) < 0)
			goto nomem;
		if (raw->m[i].parent_id == raw->m[i].id)
			at = i;
	}
	for (i = 0; i < raw->nr; i++) {
		if (i == at || !mc_map_get(by_id, raw->m[i].parent_id, &p))
			continue;
		kids[p]++;
		cover[p] = i;
	}
	raw->root = MC_NONE;
	raw->hidden = 0;
	if (at == MC_NONE) {
		ret = 0;
		goto out;
	}
	raw->base_propagation = raw->m[at].propagation;
	while (raw->hidden < 2) {
		const struct raw_mount *m = &raw->m[at];

		if (strcmp(m->type, "nullfs") &&
		    (strcmp(m->type, "rootfs") || kids[at] != 1 ||
		     (raw->m[cover[at]].path &&
		      strcmp(raw->m[cover[at]].path, "/"))))
			break;
		raw->hidden++;
		if (!kids[at]) {
			at = MC_NONE;
			break;
		}
		at = cover[at];
	}
	raw->root = at;
	ret = 0;
	goto out;
nomem:
	mc_nomem(e);
out:
	mc_map_free(by_id);
	free(kids);
	free(cover);
	return ret;
}

/* Drop the mounts below the visible root: no image has them. */
static void drop_hidden(struct raw_ns *raw)
{
	uint32_t i, n = 0, hidden = raw->hidden;
	uint64_t drop[2], up = 0, root;
	bool dropped;

	if (raw->root == MC_NONE) {
		raw->nr = 0;
		return;
	}
	root = raw->m[raw->root].id;
	up = raw->m[raw->root].parent_id;
	for (n = 0; n < hidden; n++) {
		drop[n] = up;
		for (i = 0; i < raw->nr; i++)
			if (raw->m[i].id == up)
				break;
		up = i < raw->nr ? raw->m[i].parent_id : 0;
	}
	for (i = 0, n = 0; i < raw->nr; i++) {
		dropped = (hidden > 0 && raw->m[i].id == drop[0]) ||
			  (hidden > 1 && raw->m[i].id == drop[1]);
		if (dropped)
			continue;
		raw->m[n] = raw->m[i];
		if (raw->m[n].id == root)
			raw->root = n;
		n++;
	}
	raw->nr = n;
}

struct first_look {
	uint64_t base;
	struct glance *seen;
	uint32_t nr, max;
	struct raw_ns raw;
};

static int look_at(struct reader *r, struct first_look *l, uint64_t id)
{
	struct raw_ns *raw = &l->raw;

	if (!mc_grow(&raw->m, raw->nr, &raw->max, sizeof(*raw->m)) ||
	    !mc_grow(&l->seen, l->nr, &l->max, sizeof(*l->seen)))
		return mc_nomem(r->e);
	if (read_mount(r, id, &raw->m[raw->nr], &l->seen[l->nr]))
		return -1;
	raw->nr++;
	l->nr++;
	return 0;
}

static int look(struct reader *r, struct first_look *l)
{
	uint64_t *ids = NULL, above;
	size_t i, nr;
	int ret = -1;

	if (find_base(r, &l->base, &above))
		return -1;
	l->raw.root = MC_NONE;
	if (!l->base) {
		/* alone, and so the kernel does not tell its id */
		l->raw.hidden = 1;
		return 0;
	}
	if (cap_list(r->ns, l->base, &ids, &nr)) {
		list_failed(r, l->base);
		goto out;
	}
	if (look_at(r, l, l->base))
		goto out;
	for (i = 0; i < nr; i++)
		if (look_at(r, l, ids[i]))
			goto out;
	ret = find_root(&l->raw, r->e);
	if (!ret)
		drop_hidden(&l->raw);
out:
	free(ids);
	return ret;
}

static int look_again(struct reader *r, const struct first_look *l)
{
	uint64_t *ids = NULL;
	size_t i, nr = 0;
	int ret = -1;

	if (!l->base)
		return 0;
	if (cap_list(r->ns, l->base, &ids, &nr)) {
		list_failed(r, l->base);
		goto out;
	}
	if (nr + 1 != l->nr)
		goto changed;
	for (i = 0; i < l->nr; i++) {
		const struct glance *g = &l->seen[i];

		if (i && ids[i - 1] != g->id)
			goto changed;
		if (ask_for(r, g->id, WANT_AGAIN))
			goto out;
		if (!still(g, r->sm))
			goto changed;
	}
	ret = 0;
	goto out;
changed:
	mc_fail(r->e, MNTCR_CHANGED, 0, "%s: its mounts changed meanwhile",
		r->ns->label);
out:
	free(ids);
	return ret;
}

int cap_statmount(struct mc_topology *t, struct cap_ns *ns, size_t nr,
		  struct mntcr_error *e)
{
	struct first_look *looks = calloc(nr + 1, sizeof(*looks));
	struct mc_map *by_dev = mc_map_new();
	struct reader r = {
		.t = t, .e = e, .size = BUF_MIN,
	};
	size_t i;
	int ret = -1;

	r.sm = malloc(r.size);
	if (!looks || !by_dev || !r.sm) {
		mc_nomem(e);
		goto out;
	}
	if (mc_statmount_unknown(&r.unknown, e))
		goto out;
	t->unique_ids = true;
	for (i = 0; i < nr; i++) {
		if (!ns[i].id) {
			mc_fail(e, MNTCR_UNSUPPORTED, ns[i].no_id == ENOTTY ? 0 : ns[i].no_id,
				"this kernel does not say the ids of mount namespaces");
			goto out;
		}
		r.ns = &ns[i];
		if (look(&r, &looks[i]))
			goto out;
	}
	for (i = 0; i < nr; i++) {
		r.ns = &ns[i];
		if (look_again(&r, &looks[i]))
			goto out;
	}
	for (i = 0; i < nr; i++)
		if (cap_build(t, &ns[i], &looks[i].raw, true, by_dev, e))
			goto out;
	ret = 0;
out:
	for (i = 0; looks && i < nr; i++) {
		free(looks[i].seen);
		free(looks[i].raw.m);
	}
	free(looks);
	free(r.sm);
	mc_map_free(by_dev);
	return ret;
}
