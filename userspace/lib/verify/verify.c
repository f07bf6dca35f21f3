// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Are two topologies the same up to renaming of ids?
 *
 * A mount is found by its parent and mountpoint: what lies over another has
 * that one for its parent, so the order of stacking is part of the place.
 * Once mounts are paired, everything that only has an id (superblocks, groups,
 * owners) must map one to one in both directions.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "contents/contents.h"
#include "topology/topology.h"
#include "verify/counterparts.h"
#include "verify/order.h"

struct pair {
	uint32_t a, b;
};

/* One-to-one between indices; MC_NONE: not met yet. */
struct bijection {
	uint32_t *ab, *ba;
};

/*
 * The same for namespaces that filesystems show, which have an id only: each
 * gets the number of the pair it is of.
 */
struct shown {
	struct mc_map *a, *b;
	uint32_t nr;
};

struct verify {
	const struct mc_topology *a, *b;
	const struct mntcr_verify_options *opts;
	size_t nr_differences;
	struct pair *pairs;
	uint32_t nr_pairs, max_pairs;
	struct bijection sbs, groups, userns;
	struct shown shown, given;	/* of the latter, files; by inode number */
	struct shown pids;	/* pid namespaces: what shows one, and its files; likewise */
	struct mc_map *shows_a, *shows_b; /* of these, inodes of those that a proc shows */
	bool *owns_a, *owns_b;	/* per user namespace: a mount namespace of its side */
	bool same_ids;		/* a uid means the same in both */
};

static bool flag(const struct verify *v, unsigned int bit)
{
	return v->opts->flags & bit;
}

static void report(struct verify *v, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Counts a difference; true if it is to be reported, so that texts are made
 * only then.
 */
static bool count(struct verify *v)
{
	v->nr_differences++;
	return v->opts->report && (!v->opts->max_reports ||
				   v->nr_differences <= v->opts->max_reports);
}

/* After count(). */
static void report(struct verify *v, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	v->opts->report(v->opts->data, text);
}

static const char *name_of(const struct mc_topology *t, uint32_t m, char *buf,
			   size_t size)
{
	struct mc_buf b = { 0 };
	char *path = mc_mount_path(t, m);
	uint32_t over = 0, at;

	/* How many mounts cover this one: its path leads to the topmost. */
	for (at = m; t->mounts[at].parent != MC_NONE &&
	     !t->mounts[at].mountpoint[1]; at = t->mounts[at].parent)
		over++;
	mc_buf_printf(&b, "namespace %u (%s) %s", t->mounts[m].ns,
		      t->ns[t->mounts[m].ns].label, path ? path : "?");
	free(path);
	if (b.nomem || !b.data)
		snprintf(buf, size, "mount %" PRIu64, t->mounts[m].id);
	else
		mc_escape(b.data, buf, size - 32);
	if (over)
		sprintf(buf + strlen(buf), " (layer %u)", over);
	mc_buf_free(&b);
	return buf;
}

static void differ_at(struct verify *v, const struct pair *p, const char *what,
		      const char *x, const char *y)
{
	char name[700], ex[500], ey[500];

	if (!count(v))
		return;
	report(v, "%s: %s: '%s' against '%s'",
	       name_of(v->a, p->a, name, sizeof(name)), what,
	       mc_escape(x ? x : "(none)", ex, sizeof(ex)),
	       mc_escape(y ? y : "(none)", ey, sizeof(ey)));
}

static void lone(struct verify *v, const struct mc_topology *t, uint32_t m)
{
	char name[700];

	if (!count(v))
		return;
	report(v, "%s: only in the %s", name_of(t, m, name, sizeof(name)),
	       t == v->a ? "first" : "second");
}

static bool bijection_new(struct bijection *m, uint32_t nr_a, uint32_t nr_b)
{
	m->ab = malloc(((size_t)nr_a + 1) * sizeof(*m->ab));
	m->ba = malloc(((size_t)nr_b + 1) * sizeof(*m->ba));
	if (!m->ab || !m->ba)
		return false;
	memset(m->ab, 0xff, nr_a * sizeof(*m->ab));
	memset(m->ba, 0xff, nr_b * sizeof(*m->ba));
	return true;
}

static void bijection_free(struct bijection *m)
{
	free(m->ab);
	free(m->ba);
}

/* false: a or b is already taken by another. */
static bool bijection_map(struct bijection *m, uint32_t a, uint32_t b)
{
	if (m->ab[a] == MC_NONE && m->ba[b] == MC_NONE) {
		m->ab[a] = b;
		m->ba[b] = a;
	}
	return m->ab[a] == b && m->ba[b] == a;
}

static bool str_eq(const char *x, const char *y)
{
	return x == y || (x && y && !strcmp(x, y));
}

static const char *word_list(const struct mc_word *w, uint64_t bits, char *buf,
			     size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (; w->name; w++)
		if ((bits & w->mask) == w->bits && n < size)
			n += (size_t)snprintf(buf + n, size - n, "%s%s",
					      n ? "," : "", w->name);
	return buf;
}

static bool idmap_eq(const struct mc_topology *a, uint32_t x,
		     const struct mc_topology *b, uint32_t y)
{
	const struct mc_idmap *m, *n;

	if (x == MC_NONE || y == MC_NONE)
		return x == y;
	m = &a->idmaps[x];
	n = &b->idmaps[y];
	return m->nr_uid == n->nr_uid && m->nr_gid == n->nr_gid &&
	       !memcmp(m->uid, n->uid, m->nr_uid * sizeof(*m->uid)) &&
	       !memcmp(m->gid, n->gid, m->nr_gid * sizeof(*m->gid));
}

/* -1: no memory; 0: one of them is already taken by another. */
static int shown_map(struct shown *s, uint64_t a, uint64_t b)
{
	return mc_map_pair(s->a, s->b, &s->nr, a, b);
}

static const char *shown_words(const struct mc_sb *sb, char *buf, size_t size)
{
	char type[32];

	snprintf(buf, size, "%s namespace %" PRIu64 "%s",
		 word_list(mc_words_nstype, sb->shown_type, type, sizeof(type)),
		 sb->shown_id, sb->shown_own ? ", the dumper's" :
		 sb->shown_id ? "" : ", gone");
	return buf;
}

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

/* NULL: one is the counterpart of the other, and mapped the same. */
static const char *owner_differs(struct verify *v, uint32_t a, uint32_t b)
{
	const struct mc_userns *x = &v->a->userns[a], *y = &v->b->userns[b];

	if (!bijection_map(&v->userns, a, b))
		return "another user namespace";
	if (!x->mapped || !y->mapped ||
	    (mc_idmap_same(&x->map, &y->map) && x->owner == y->owner &&
	     x->setgroups == y->setgroups))
		return NULL;
	return "a user namespace with other maps, owner or setgroups";
}

static const char *pidns_words(const struct mc_sb *sb, char *buf, size_t size)
{
	char depth[32] = ", elsewhere";

	if (sb->pidns_depth != MC_NONE)
		snprintf(depth, sizeof(depth), ", %u below the dumper's", sb->pidns_depth);
	snprintf(buf, size, "pid namespace pid:[%" PRIu64 "]%s", sb->pidns_ino,
		 sb->pidns_depth ? depth : ", the dumper's");
	return buf;
}

/* Of as many levels. */
static int compare_above(struct verify *v, const struct pair *p,
			 const struct mc_sb *x, const struct mc_sb *y)
{
	char wa[32], wb[32];
	int same = 1;
	uint32_t i;

	for (i = 0; same > 0 && i + 1 < x->pidns_depth; i++)
		same = shown_map(&v->pids, x->pidns_above[i], y->pidns_above[i]);
	if (!same) {
		snprintf(wa, sizeof(wa), "pid:[%" PRIu64 "]", x->pidns_above[i - 1]);
		snprintf(wb, sizeof(wb), "pid:[%" PRIu64 "]", y->pidns_above[i - 1]);
		differ_at(v, p, "shows a pid namespace below", wa, wb);
	}
	return same;
}

/* A proc's own init says of which namespace: by inode, as files of that do. */
static int compare_pidns(struct verify *v, const struct pair *p,
			 const struct mc_sb *x, const struct mc_sb *y)
{
	char wa[100], wb[100];
	bool known = x->pidns_depth != MC_NONE && y->pidns_depth != MC_NONE;
	int same = 0;

	/* where it is not known, it is not the dumper's own */
	if (known ? x->pidns_depth == y->pidns_depth : !x->pidns_depth == !y->pidns_depth)
		same = shown_map(&v->pids, x->pidns_ino, y->pidns_ino);
	if (!same)
		differ_at(v, p, "shows", pidns_words(x, wa, sizeof(wa)),
			  pidns_words(y, wb, sizeof(wb)));
	if (same > 0 && x->pidns_above && y->pidns_above)
		same = compare_above(v, p, x, y);
	return same;
}

/* The kernel says of which namespace, by id; and of a proc, its init. */
static bool compare_shown(struct verify *v, const struct pair *p,
			  const struct mc_sb *x, const struct mc_sb *y)
{
	char wa[100], wb[100];
	int same = 1;

	if (x->shown_type && y->shown_type) {
		if (x->shown_type != y->shown_type || x->shown_own != y->shown_own ||
		    !x->shown_id != !y->shown_id)
			same = 0;
		else if (x->shown_id)
			same = shown_map(&v->shown, x->shown_id, y->shown_id);
		if (!same)
			differ_at(v, p, "shows", shown_words(x, wa, sizeof(wa)),
				  shown_words(y, wb, sizeof(wb)));
		if (same > 0 && !flag(v, MNTCR_VERIFY_IGNORE_OWNER) &&
		    x->shown_owner != MC_NONE && y->shown_owner != MC_NONE &&
		    owner_differs(v, x->shown_owner, y->shown_owner))
			differ_at(v, p, "what it shows belongs to",
				  owner_words(v->a, x->shown_owner, wa, sizeof(wa)),
				  owner_words(v->b, y->shown_owner, wb, sizeof(wb)));
	}
	/* once it is said that they differ, how is of no interest */
	if (same > 0 && x->pidns_ino && y->pidns_ino) {
		same = compare_pidns(v, p, x, y);
	} else if (same > 0 && y->pidns_ino && x->shown_type == CLONE_NEWPID &&
		   y->shown_type && !x->shown_own) {
		/* but one that nobody is in yet is had for one that was in use */
		differ_at(v, p, "shows", "a pid namespace without an init",
			  pidns_words(y, wb, sizeof(wb)));
	}
	return same >= 0;
}

/*
 * Only where somebody has asked on both sides.  Where both know which namespace a
 * filesystem shows, that has been compared.
 */
static void compare_whose(struct verify *v, const struct pair *p,
			  const struct mc_sb *x, const struct mc_sb *y)
{
	bool known = (x->shown_type && y->shown_type) || (x->pidns_ino && y->pidns_ino);

	if (!flag(v, MNTCR_VERIFY_IGNORE_WHOSE) && !known && x->whose && y->whose &&
	    x->whose != y->whose)
		differ_at(v, p, "whose superblock", mc_whose_names[x->whose],
			  mc_whose_names[y->whose]);
}

/*
 * Compared once for each pair of superblocks; after that only that it is the
 * same pair.
 */
static bool compare_sb(struct verify *v, uint32_t at)
{
	const struct pair *p = &v->pairs[at];
	uint32_t ia = v->a->mounts[p->a].sb, ib = v->b->mounts[p->b].sb;
	const struct mc_sb *x = &v->a->sbs[ia], *y = &v->b->sbs[ib];
	bool first = v->sbs.ab[ia] == MC_NONE && v->sbs.ba[ib] == MC_NONE;
	char da[32], db[32], wa[80], wb[80];

	snprintf(da, sizeof(da), "%u:%u", x->major, x->minor);
	snprintf(db, sizeof(db), "%u:%u", y->major, y->minor);
	if (!bijection_map(&v->sbs, ia, ib))
		differ_at(v, p, "superblock is not the counterpart", da, db);
	if (!first)
		return true;
	if (!str_eq(x->type, y->type))
		differ_at(v, p, "filesystem type", x->type, y->type);
	if (!str_eq(x->subtype, y->subtype))
		differ_at(v, p, "filesystem subtype", x->subtype, y->subtype);
	if (x->uuid && y->uuid && strcmp(x->uuid, y->uuid))
		differ_at(v, p, "filesystem", x->uuid, y->uuid);
	if (flag(v, MNTCR_VERIFY_DEVICES) && strcmp(da, db))
		differ_at(v, p, "device", da, db);
	if (!flag(v, MNTCR_VERIFY_IGNORE_OWNER) && x->userns != MC_NONE &&
	    y->userns != MC_NONE && owner_differs(v, x->userns, y->userns))
		differ_at(v, p, "its superblock belongs to",
			  owner_words(v->a, x->userns, wa, sizeof(wa)),
			  owner_words(v->b, y->userns, wb, sizeof(wb)));
	if (!flag(v, MNTCR_VERIFY_IGNORE_SHOWN) && !compare_shown(v, p, x, y))
		return false;
	compare_whose(v, p, x, y);
	if (!flag(v, MNTCR_VERIFY_IGNORE_OPTIONS) && x->sized && y->sized &&
	    (x->size != y->size || x->inodes != y->inodes)) {
		snprintf(wa, sizeof(wa), "%" PRIu64 " bytes, %" PRIu64 " inodes",
			 x->size, x->inodes);
		snprintf(wb, sizeof(wb), "%" PRIu64 " bytes, %" PRIu64 " inodes",
			 y->size, y->inodes);
		differ_at(v, p, "size", wa, wb);
	}
	if (!flag(v, MNTCR_VERIFY_IGNORE_OPTIONS) && x->flags != y->flags)
		differ_at(v, p, "superblock flags",
			  word_list(mc_words_sb, x->flags, wa, sizeof(wa)),
			  word_list(mc_words_sb, y->flags, wb, sizeof(wb)));
	return true;
}

/*
 * Files of the namespaces a and b, and of pid namespaces of those that something shows;
 * false: no memory
 */
static bool same_file(struct verify *v, const struct pair *p, struct shown *s, uint64_t a,
		      uint64_t b)
{
	const struct mc_mount *x = &v->a->mounts[p->a], *y = &v->b->mounts[p->b];
	int same = shown_map(s, a, b);

	if (same > 0 && s != &v->pids && x->nsfs_type == CLONE_NEWPID && x->nsfs_ino &&
	    y->nsfs_ino)
		same = shown_map(&v->pids, x->nsfs_ino, y->nsfs_ino);
	if (!same)
		differ_at(v, p, "namespace file", v->a->mounts[p->a].root,
			  v->b->mounts[p->b].root);
	return same >= 0;
}

/* Files of other namespaces than the dumper's: the same ones, or made anew. */
static bool compare_nsfs(struct verify *v, const struct pair *p,
			 const struct mc_mount *x, const struct mc_mount *y)
{
	char wa[100], wb[100];

	if (!same_file(v, p, &v->shown, x->nsfs_id, y->nsfs_id))
		return false;
	if (!flag(v, MNTCR_VERIFY_IGNORE_OWNER) && x->nsfs_owner != MC_NONE &&
	    y->nsfs_owner != MC_NONE && owner_differs(v, x->nsfs_owner, y->nsfs_owner))
		differ_at(v, p, "its namespace belongs to",
			  owner_words(v->a, x->nsfs_owner, wa, sizeof(wa)),
			  owner_words(v->b, y->nsfs_owner, wb, sizeof(wb)));
	return true;
}

/* But for the dumper's own, which is made by nobody.  NULL: no memory */
static struct mc_map *find_pids(const struct mc_topology *t)
{
	struct mc_map *pids = mc_map_new();
	uint32_t i, n;

	for (i = 0; pids && i < t->nr_sbs; i++) {
		n = i;
		if (!t->sbs[i].pidns_ino || !t->sbs[i].pidns_depth ||
		    mc_map_add(pids, t->sbs[i].pidns_ino, &n) >= 0)
			continue;
		mc_map_free(pids);
		pids = NULL;
	}
	return pids;
}

static bool is_shown(const struct verify *v, const struct mc_mount *x,
		     const struct mc_mount *y)
{
	uint32_t unused;

	return x->nsfs_type == CLONE_NEWPID && y->nsfs_type == CLONE_NEWPID &&
	       mc_map_get(v->shows_a, x->nsfs_ino, &unused) &&
	       mc_map_get(v->shows_b, y->nsfs_ino, &unused);
}

/* NULL: no memory */
static bool *find_owners(const struct mc_topology *t)
{
	bool *owns = calloc(t->nr_userns + 1UL, sizeof(*owns));
	uint32_t i;

	for (i = 0; owns && i < t->nr_ns; i++)
		if (t->ns[i].userns != MC_NONE)
			owns[t->ns[i].userns] = true;
	return owns;
}

/*
 * Files of user namespaces, of which one side or both know what they own; one side alone
 * may know it of superblocks, on a kernel that says whose these are.
 */
static bool compare_user_file(struct verify *v, const struct pair *p,
			      const struct mc_mount *x, const struct mc_mount *y)
{
	bool ignore = flag(v, MNTCR_VERIFY_IGNORE_OWNER);
	uint32_t a = x->nsfs_userns, b = y->nsfs_userns;
	char wa[100], wb[100];
	int same;

	if (!ignore && a != MC_NONE && b != MC_NONE) {
		if (owner_differs(v, a, b))
			differ_at(v, p, "namespace file", owner_words(v->a, a, wa, sizeof(wa)),
				  owner_words(v->b, b, wb, sizeof(wb)));
		return true;
	}
	same = shown_map(&v->given, x->nsfs_ino, y->nsfs_ino);
	if (!same || (!ignore && ((a != MC_NONE && v->owns_a[a]) ||
				  (b != MC_NONE && v->owns_b[b]))))
		differ_at(v, p, "namespace file", x->root, y->root);
	return same >= 0;
}

/* false: no memory */
static bool compare_root(struct verify *v, const struct pair *p)
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
			differ_at(v, p, "namespace file", x->root, y->root);
		return true;
	}
	if (x->nsfs_id && y->nsfs_id && x->nsfs_type == y->nsfs_type)
		return compare_nsfs(v, p, x, y);
	if (x->nsfs_ino && y->nsfs_ino && x->nsfs_type == y->nsfs_type) {
		if (x->nsfs_userns != MC_NONE || y->nsfs_userns != MC_NONE)
			return compare_user_file(v, p, x, y);
		if (flag(v, MNTCR_VERIFY_GIVEN_NAMESPACES))
			return same_file(v, p, &v->given, x->nsfs_ino, y->nsfs_ino);
		if (is_shown(v, x, y))
			return same_file(v, p, &v->pids, x->nsfs_ino, y->nsfs_ino);
	}
	if (!str_eq(x->root, y->root))
		differ_at(v, p, "root", x->root, y->root);
	else if (x->nsfs_type == CLONE_NEWPID && y->nsfs_type == CLONE_NEWPID &&
		 x->nsfs_ino && y->nsfs_ino)
		return same_file(v, p, &v->pids, x->nsfs_ino, y->nsfs_ino);
	if (x->root_deleted != y->root_deleted)
		differ_at(v, p, "root", x->root_deleted ? "deleted" : "there",
			  y->root_deleted ? "deleted" : "there");
	if (x->unlinked && y->unlinked && x->unlinked != y->unlinked) {
		snprintf(a, sizeof(a), "%u", x->unlinked);
		snprintf(b, sizeof(b), "%u", y->unlinked);
		differ_at(v, p, "which unlinked file", a, b);
	}
	return true;
}

/* Whoever is in another user namespace calls ids something else. */
static bool ids_mean_the_same(const struct mc_topology *a,
			      const struct mc_topology *b)
{
	uint64_t who[2] = { 0, 0 };
	uint32_t i;

	for (i = 0; i < a->nr_userns; i++)
		if (a->userns[i].dumper)
			who[0] = a->userns[i].ino;
	for (i = 0; i < b->nr_userns; i++)
		if (b->userns[i].dumper)
			who[1] = b->userns[i].ino;
	return who[0] == who[1] || !who[0] || !who[1];
}

/* "char-device 0666 0:0 1:3" */
static const char *file_words(const struct mc_file *f, char *buf, size_t size)
{
	char type[32], uid[16] = "?", gid[16] = "?", dev[32] = "";

	word_list(mc_words_file, f->mode & S_IFMT, type, sizeof(type));
	if (f->uid != MC_NO_ID)
		snprintf(uid, sizeof(uid), "%u", f->uid);
	if (f->gid != MC_NO_ID)
		snprintf(gid, sizeof(gid), "%u", f->gid);
	if (mc_mode_is_device(f->mode))
		snprintf(dev, sizeof(dev), " %u:%u", f->major, f->minor);
	snprintf(buf, size, "%s %04o %s:%s%s%s%s", type, f->mode & MC_MODE_ALL,
		 uid, gid, dev, f->target ? " -> " : "",
		 f->target ? f->target : "");
	return buf;
}

static void compare_file(struct verify *v, const struct pair *p,
			 const char *what, struct mc_file x, struct mc_file y)
{
	char wx[480], wy[480];

	if (!v->same_ids)
		x.uid = y.uid = x.gid = y.gid = MC_NO_ID;
	if (!mc_file_same(&x, &y))
		differ_at(v, p, what, file_words(&x, wx, sizeof(wx)),
			  file_words(&y, wy, sizeof(wy)));
}

static void compare_group(struct verify *v, uint32_t at, const char *what,
			  uint32_t ga, uint32_t gb)
{
	const struct pair *p = &v->pairs[at];
	char name[700], x[32] = "none", y[32] = "none";

	if (ga != MC_NONE)
		snprintf(x, sizeof(x), "%" PRIu64, v->a->groups[ga].id);
	if (gb != MC_NONE)
		snprintf(y, sizeof(y), "%" PRIu64, v->b->groups[gb].id);
	if (ga == MC_NONE && gb == MC_NONE)
		return;
	if (ga == MC_NONE || gb == MC_NONE) {
		differ_at(v, p, what, x, y);
		return;
	}
	/*
	 * On the same machine, peer groups outside are the same ones by their
	 * ids.
	 */
	if (flag(v, MNTCR_VERIFY_DEVICES) && !v->a->groups[ga].nr_members &&
	    !v->b->groups[gb].nr_members && strcmp(x, y))
		differ_at(v, p, "external group", x, y);
	if (bijection_map(&v->groups, ga, gb) || !count(v))
		return;
	if (v->groups.ab[ga] != MC_NONE)
		report(v, "%s: %s: '%s' against '%s', which is '%" PRIu64 "' elsewhere",
		       name_of(v->a, p->a, name, sizeof(name)), what, x, y,
		       v->b->groups[v->groups.ab[ga]].id);
	else
		report(v, "%s: %s: '%s' against '%s', which is the counterpart of another",
		       name_of(v->a, p->a, name, sizeof(name)), what, x, y);
}

static bool word_is(const char *word, size_t len, const char *key)
{
	size_t n = strlen(key);

	return len >= n && !memcmp(word, key, n);
}

static bool word_is_one(const char *word, size_t len, const char *const *keys)
{
	while (keys && *keys)
		if (word_is(word, len, *keys++))
			return true;
	return false;
}

/* The next word of a list that names no width of inode numbers, and is none of these. */
static const char *next_word(const char **rest, size_t *len, bool *named,
			     const char *const *without)
{
	for (;;) {
		const char *word = *rest;

		if (!*word)
			return NULL;
		*len = strcspn(word, ",");
		*rest = word + *len + !!word[*len];
		if (word_is_one(word, *len, without))
			continue;
		if (*len != 7 || (memcmp(word, "inode32", 7) &&
				  memcmp(word, "inode64", 7)))
			return word;
		*named = true;
	}
}

/*
 * A tmpfs names the width of its inode numbers if the kernel was built to have
 * them wide (CONFIG_TMPFS_INODE64), and not what that is otherwise: between two
 * kernels, or an image without it and a mount, only two that name it differ.
 * A devtmpfs is the machine's, and so is its size. Of an autofs, the group that is
 * let pass is shown as the reader numbers processes, and the pipe is a process's.
 */
static bool options_eq(const struct mc_topology *a, uint32_t x,
		       const struct mc_topology *b, uint32_t y)
{
	const char *p = mc_mount_options(a, &a->mounts[x]);
	const char *q = mc_mount_options(b, &b->mounts[y]);
	const struct mc_sb *s = &a->sbs[a->mounts[x].sb];
	const struct mc_sb *u = &b->sbs[b->mounts[y].sb];
	/* options name only what is not this machine's default */
	static const char *const sizes[] = { "size=", "nr_inodes=", NULL };
	static const char *const automounter[] = { "pgrp=", "pipe_ino=", NULL };
	const char *const *without = NULL;
	const char *type = s->type ? s->type : "";
	bool in_p = false, in_q = false;
	const char *m, *n;
	size_t k, l;

	if (str_eq(p, q))
		return true;
	if (!strcmp(type, "autofs"))
		without = automounter;
	else if (!strcmp(type, "devtmpfs"))
		without = sizes;
	else if (strcmp(type, "tmpfs"))
		return false;
	else if (s->sized && u->sized && s->size == u->size && s->inodes == u->inodes)
		without = sizes;
	p = p ? p : "";
	q = q ? q : "";
	do {
		m = next_word(&p, &k, &in_p, without);
		n = next_word(&q, &l, &in_q, without);
		if (!m != !n || (m && (k != l || memcmp(m, n, k))))
			return false;
	} while (m);
	return !in_p || !in_q;
}

static bool compare_mount(struct verify *v, uint32_t at)
{
	const struct pair *p = &v->pairs[at];
	const struct mc_mount *x = &v->a->mounts[p->a];
	const struct mc_mount *y = &v->b->mounts[p->b];
	char wa[160], wb[160];

	if (!compare_sb(v, at) || !compare_root(v, p))
		return false;
	if (!flag(v, MNTCR_VERIFY_IGNORE_FILES)) {
		compare_file(v, p, "file of its root", x->root_file, y->root_file);
		compare_file(v, p, "file that it is on", x->mp_file, y->mp_file);
	}
	if (x->attr != y->attr)
		differ_at(v, p, "attributes",
			  word_list(mc_words_attr, x->attr, wa, sizeof(wa)),
			  word_list(mc_words_attr, y->attr, wb, sizeof(wb)));
	if (!idmap_eq(v->a, x->idmap, v->b, y->idmap))
		differ_at(v, p, "idmap", x->idmap == MC_NONE ? "none" : "one",
			  y->idmap == MC_NONE ? "none" :
			  x->idmap == MC_NONE ? "one" : "another");
	if (!flag(v, MNTCR_VERIFY_IGNORE_SOURCE) &&
	    !str_eq(mc_mount_source(v->a, x), mc_mount_source(v->b, y)))
		differ_at(v, p, "source", mc_mount_source(v->a, x),
			  mc_mount_source(v->b, y));
	if (!flag(v, MNTCR_VERIFY_IGNORE_OPTIONS) &&
	    !options_eq(v->a, p->a, v->b, p->b))
		differ_at(v, p, "options", mc_mount_options(v->a, x),
			  mc_mount_options(v->b, y));
	if (!flag(v, MNTCR_VERIFY_IGNORE_LOCKS) && x->locks_known &&
	    y->locks_known && x->locks != y->locks)
		differ_at(v, p, "locks",
			  word_list(mc_words_lock, x->locks, wa, sizeof(wa)),
			  word_list(mc_words_lock, y->locks, wb, sizeof(wb)));
	if (x->unbindable != y->unbindable)
		differ_at(v, p, "unbindable", x->unbindable ? "yes" : "no",
			  y->unbindable ? "yes" : "no");
	compare_group(v, at, "peer group", x->group, y->group);
	compare_group(v, at, "master", x->master, y->master);
	return true;
}

static bool push(struct verify *v, uint32_t a, uint32_t b)
{
	if (!mc_grow(&v->pairs, v->nr_pairs, &v->max_pairs, sizeof(*v->pairs)))
		return false;
	v->pairs[v->nr_pairs++] = (struct pair){ a, b };
	return true;
}

static int cmp_mountpoint(const void *x, const void *y, void *data)
{
	const struct mc_mount *mounts = data;

	return strcmp(mounts[*(const uint32_t *)x].mountpoint,
		      mounts[*(const uint32_t *)y].mountpoint);
}

static uint32_t *sorted_children(const struct mc_topology *t, uint32_t m)
{
	uint32_t *list, n = 0, c;

	list = malloc(((size_t)t->mounts[m].nr_children + 1) * sizeof(*list));
	if (!list)
		return NULL;
	mc_for_each_child(t, c, m)
		list[n++] = c;
	qsort_r(list, n, sizeof(*list), cmp_mountpoint, t->mounts);
	return list;
}

static bool pair_children(struct verify *v, uint32_t ma, uint32_t mb)
{
	uint32_t na = v->a->mounts[ma].nr_children, i = 0;
	uint32_t nb = v->b->mounts[mb].nr_children, j = 0;
	uint32_t *ca, *cb;
	bool ok = false;
	int c;

	if (!na && !nb)
		return true;
	ca = sorted_children(v->a, ma);
	cb = sorted_children(v->b, mb);
	if (!ca || !cb)
		goto out;
	while (i < na || j < nb) {
		c = i == na ? 1 : j == nb ? -1 :
		    strcmp(v->a->mounts[ca[i]].mountpoint,
			   v->b->mounts[cb[j]].mountpoint);
		if (c < 0)
			lone(v, v->a, ca[i++]);
		else if (c > 0)
			lone(v, v->b, cb[j++]);
		else if (!push(v, ca[i++], cb[j++]))
			goto out;
	}
	ok = true;
out:
	free(ca);
	free(cb);
	return ok;
}

static int cmp_pair(const void *x, const void *y)
{
	const struct pair *p = x, *q = y;

	return p->a < q->a ? -1 : p->a > q->a;
}

/*
 * Mounts ascend by id: in one order on both sides, or not.  Whatever is to come late
 * may not be earlier than that, but later.
 */
static int compare_order(struct verify *v, struct mntcr_error *e)
{
	bool *late = mc_verify_delayed(v->a, v->opts->delayed, v->opts->nr_delayed, e);
	const struct pair *p = NULL, *q;
	uint32_t i;

	if (!late)
		return -1;
	qsort(v->pairs, v->nr_pairs, sizeof(*v->pairs), cmp_pair);
	for (i = 0; i < v->nr_pairs; i++) {
		q = &v->pairs[i];
		if (p && v->a->mounts[p->a].ns == v->a->mounts[q->a].ns &&
		    p->b > q->b)
			differ_at(v, q, "order", "mounted later", "mounted earlier");
		if (!late[q->a])
			p = q;
	}
	free(late);
	return 0;
}

static const char *layer_words(const struct mc_topology *t, const struct mc_layer *l,
			       char *buf, size_t size)
{
	const struct mc_sb *of = &t->sbs[l->sb];
	char map[32] = "";

	if (l->idmap != MC_NONE)
		snprintf(map, sizeof(map), " by idmap %u", l->idmap);
	snprintf(buf, size, "%s %.300s of %u:%u%s", mc_layer_option(l->kind), l->path,
		 of->major, of->minor, map);
	return buf;
}

/* What its options led to, as far as that is known in both. */
static void compare_layers(struct verify *v, const struct pair *p, const struct mc_sb *x,
			   const struct mc_sb *y)
{
	char wx[400], wy[400];
	uint32_t i;

	if (!x->nr_layers || !y->nr_layers)
		return;
	if (x->nr_layers != y->nr_layers) {
		snprintf(wx, sizeof(wx), "%u", x->nr_layers);
		snprintf(wy, sizeof(wy), "%u", y->nr_layers);
		differ_at(v, p, "number of layers", wx, wy);
		return;
	}
	for (i = 0; i < x->nr_layers; i++) {
		const struct mc_layer *l = &x->layers[i], *m = &y->layers[i];

		if (l->kind != m->kind) {
			differ_at(v, p, "kind of layer", mc_layer_option(l->kind),
				  mc_layer_option(m->kind));
			continue;
		}
		if (l->sb == MC_NONE || m->sb == MC_NONE)
			continue;
		if (!bijection_map(&v->sbs, l->sb, m->sb) || !str_eq(l->path, m->path) ||
		    !idmap_eq(v->a, l->idmap, v->b, m->idmap))
			differ_at(v, p, "layer", layer_words(v->a, l, wx, sizeof(wx)),
				  layer_words(v->b, m, wy, sizeof(wy)));
	}
}

/* Of each pair of overlays, once the counterparts of all that is mounted are known. */
static bool compare_overlays(struct verify *v)
{
	bool *seen = calloc(v->a->nr_sbs + 1UL, sizeof(*seen));
	uint32_t i, x, y;

	if (!seen)
		return false;
	for (i = 0; i < v->nr_pairs; i++) {
		x = v->a->mounts[v->pairs[i].a].sb;
		y = v->b->mounts[v->pairs[i].b].sb;
		if (!seen[x] && v->sbs.ab[x] == y)
			compare_layers(v, &v->pairs[i], &v->a->sbs[x], &v->b->sbs[y]);
		seen[x] = true;
	}
	free(seen);
	return true;
}

static uint32_t without_master(uint32_t propagation)
{
	return propagation & ~(uint32_t)(MS_SLAVE | MS_PRIVATE);
}

static bool compare_ns(struct verify *v, uint32_t i)
{
	const struct mc_ns *x = &v->a->ns[i], *y = &v->b->ns[i];
	char label[300], wa[80], wb[80];
	const char *owner;
	uint32_t p = x->base_propagation, q = y->base_propagation;

	mc_escape(x->label ? x->label : "", label, sizeof(label));
	if (x->detached != y->detached && count(v))
		report(v, "namespace %u (%s): a detached tree in the %s only", i, label,
		       x->detached ? "first" : "second");
	/*
	 * 0: not known.  A slave's master is never among what is compared, and
	 * without it, it is what is left: private, or shared.
	 */
	if (p && q && without_master(p) != without_master(q) && count(v))
		report(v, "namespace %u (%s): what its root is mounted on: '%s' against '%s'",
		       i, label,
		       word_list(mc_words_propagation, p, wa, sizeof(wa)),
		       word_list(mc_words_propagation, q, wb, sizeof(wb)));
	if (!flag(v, MNTCR_VERIFY_IGNORE_OWNER) && x->userns != MC_NONE &&
	    y->userns != MC_NONE &&
	    (owner = owner_differs(v, x->userns, y->userns)) && count(v))
		report(v, "namespace %u (%s): owned by %s", i, label, owner);
	if (x->root != MC_NONE && y->root != MC_NONE)
		return push(v, x->root, y->root);
	if (x->root != y->root && count(v))
		report(v, "namespace %u (%s): empty in the %s only", i,
		       label, x->root == MC_NONE ? "first" : "second");
	return true;
}

static void contents_differ(void *data, const char *line)
{
	struct verify *v = data;

	if (count(v))
		v->opts->report(v->opts->data, line);
}

/* Of each pair of superblocks of which both sides have them. */
static int compare_contents(struct verify *v, struct mntcr_error *e)
{
	const struct mntcr_contents *a = v->opts->contents_a;
	const struct mntcr_contents *b = v->opts->contents_b;
	uint32_t i, other;

	for (i = 0; a && b && i < v->a->nr_sbs; i++) {
		other = v->sbs.ab[i];
		if (other == MC_NONE || !mc_contents_has(a, &v->a->sbs[i]) ||
		    !mc_contents_has(b, &v->b->sbs[other]))
			continue;
		if (mc_contents_compare(a, &v->a->sbs[i], b, &v->b->sbs[other],
					contents_differ, v, e))
			return -1;
	}
	return 0;
}

/* Pair what is in both, and compare it; finish() in any case.  false: no memory */
static bool pair_all(struct verify *v)
{
	const struct mc_topology *a = v->a, *b = v->b;
	uint32_t i, n = a->nr_ns < b->nr_ns ? a->nr_ns : b->nr_ns;

	v->shown.a = mc_map_new();
	v->shown.b = mc_map_new();
	v->given.a = mc_map_new();
	v->given.b = mc_map_new();
	v->pids.a = mc_map_new();
	v->pids.b = mc_map_new();
	v->shows_a = find_pids(a);
	v->shows_b = find_pids(b);
	v->owns_a = find_owners(a);
	v->owns_b = find_owners(b);
	if (!v->shown.a || !v->shown.b || !v->given.a || !v->given.b ||
	    !v->pids.a || !v->pids.b || !v->shows_a || !v->shows_b ||
	    !v->owns_a || !v->owns_b ||
	    !bijection_new(&v->sbs, a->nr_sbs, b->nr_sbs) ||
	    !bijection_new(&v->groups, a->nr_groups, b->nr_groups) ||
	    !bijection_new(&v->userns, a->nr_userns, b->nr_userns))
		return false;
	v->same_ids = ids_mean_the_same(a, b);
	if (a->nr_ns != b->nr_ns && count(v))
		report(v, "%u namespaces against %u", a->nr_ns, b->nr_ns);
	for (i = 0; i < n; i++)
		if (!compare_ns(v, i))
			return false;
	/* Pairs of children are added while the list is walked. */
	for (i = 0; i < v->nr_pairs; i++) {
		if (!compare_mount(v, i) ||
		    !pair_children(v, v->pairs[i].a, v->pairs[i].b))
			return false;
	}
	return true;
}

static void finish(struct verify *v)
{
	bijection_free(&v->sbs);
	bijection_free(&v->groups);
	bijection_free(&v->userns);
	mc_map_free(v->shown.a);
	mc_map_free(v->shown.b);
	mc_map_free(v->given.a);
	mc_map_free(v->given.b);
	mc_map_free(v->pids.a);
	mc_map_free(v->pids.b);
	mc_map_free(v->shows_a);
	mc_map_free(v->shows_b);
	free(v->owns_a);
	free(v->owns_b);
	free(v->pairs);
}

int mc_verify_counterparts(const struct mc_topology *a, const struct mc_topology *b,
			   uint32_t *of_a, uint32_t *of_b, struct mntcr_error *e)
{
	const struct mntcr_verify_options o = { .size = sizeof(o) };
	struct verify v = { .a = a, .b = b, .opts = &o };
	int ret = pair_all(&v) ? 0 : mc_nomem(e);

	if (!ret) {
		memcpy(of_a, v.sbs.ab, a->nr_sbs * sizeof(*of_a));
		memcpy(of_b, v.sbs.ba, b->nr_sbs * sizeof(*of_b));
	}
	finish(&v);
	return ret;
}

int mntcr_verify(const struct mc_topology *a, const struct mc_topology *b,
		 const struct mntcr_verify_options *opts,
		 size_t *nr_differences, struct mntcr_error *e)
{
	struct mntcr_verify_options o;
	struct verify v = { .a = a, .b = b, .opts = &o };
	int ret = -1;

	memset(e, 0, sizeof(*e));
	if (mc_take_options(&o, sizeof(o), sizeof(o), opts, "verify_options", e))
		return -1;
	if (!pair_all(&v) ||
	    (!flag(&v, MNTCR_VERIFY_IGNORE_OPTIONS) &&
	     !flag(&v, MNTCR_VERIFY_IGNORE_LAYERS) && !compare_overlays(&v))) {
		mc_nomem(e);
	} else if ((!flag(&v, MNTCR_VERIFY_ORDER) || !compare_order(&v, e)) &&
		   !compare_contents(&v, e)) {
		*nr_differences = v.nr_differences;
		ret = 0;
	}
	finish(&v);
	return ret;
}
