// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What mounts of the image show and are on, against the members of its archive: each is
 * a directory where the one says so, and lies in directories, and the other must not say
 * otherwise.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

#include "contents/contents.h"

/* Each path once. */
struct place {
	const char *path;	/* of a root: in its superblock; else below that root */
	uint32_t in;		/* superblock of a root; else the root */
	uint32_t up;		/* of a root: the next one above, or MC_NONE */
	enum mc_mp_type type;
};

struct places {
	const struct mc_topology *t;
	struct place *roots, *on;	/* sorted: by in, then as members are */
	uint32_t nr_roots, nr_on;
	uint32_t *of_sb, *of_root;	/* where those of each begin, and the end */
	uint32_t *root_of;		/* of a mount; MC_NONE: none in an archive */
	struct mc_map *unlinked;	/* enum mc_mp_type */
};

static int cmp_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->in != y->in)
		return x->in < y->in ? -1 : 1;
	return mc_member_cmp(x->path, y->path);
}

/* What is known of one of them is. */
static void sort(struct place *p, uint32_t *nr)
{
	uint32_t i, n = 0;

	if (*nr)
		qsort(p, *nr, sizeof(*p), cmp_place);
	for (i = 0; i < *nr; i++) {
		if (!n || cmp_place(&p[n - 1], &p[i]))
			p[n++] = p[i];
		else if (p[n - 1].type == MC_MP_UNKNOWN)
			p[n - 1].type = p[i].type;
	}
	*nr = n;
}

/* begin[x]: the first of those that are in x; of n it is the end. */
static uint32_t *index_of(const struct place *p, uint32_t nr, uint32_t n)
{
	uint32_t *begin = malloc((n + 1UL) * sizeof(*begin)), i, at = 0;

	for (i = 0; begin && i <= n; i++) {
		while (at < nr && p[at].in < i)
			at++;
		begin[i] = at;
	}
	return begin;
}

static enum mc_mp_type type_of(const struct mc_mount *m)
{
	if (m->mp_type != MC_MP_UNKNOWN || !m->root_file.mode)
		return m->mp_type;
	return S_ISDIR(m->root_file.mode) ? MC_MP_DIR : MC_MP_OTHER;
}

/* The first of list[from, end) that is not before path. */
static uint32_t find(const struct place *list, uint32_t from, uint32_t end, const char *path)
{
	uint32_t mid;

	while (from < end) {
		mid = from + (end - from) / 2;
		if (mc_member_cmp(list[mid].path, path) < 0)
			from = mid + 1;
		else
			end = mid;
	}
	return from;
}

static bool has_root(const struct mc_topology *t, const struct mc_mount *m)
{
	return t->sbs[m->sb].contents && mc_type_in_memory(t->sbs[m->sb].type) &&
	       !m->root_deleted;
}

static int find_roots(struct places *p)
{
	const struct mc_topology *t = p->t;
	const struct mc_mount *m;
	uint32_t i, up;

	for (i = 0; i < t->nr_mounts; i++) {
		m = &t->mounts[i];
		if (has_root(t, m))
			p->roots[p->nr_roots++] = (struct place){
				m->root + 1, m->sb, MC_NONE, type_of(m) };
	}
	sort(p->roots, &p->nr_roots);
	p->of_sb = index_of(p->roots, p->nr_roots, t->nr_sbs);
	for (i = 0; i < p->nr_roots; i++) {
		up = i && p->roots[i - 1].in == p->roots[i].in ? i - 1 : MC_NONE;
		while (up != MC_NONE && !mc_member_is_at(p->roots[up].path, p->roots[i].path))
			up = p->roots[up].up;
		p->roots[i].up = up;
	}
	for (i = 0; p->of_sb && i < t->nr_mounts; i++) {
		m = &t->mounts[i];
		p->root_of[i] = !has_root(t, m) ? MC_NONE :
				find(p->roots, p->of_sb[m->sb], p->of_sb[m->sb + 1],
				     m->root + 1);
	}
	return p->of_sb ? 0 : -1;
}

static int find_mountpoints(struct places *p)
{
	const struct mc_topology *t = p->t;
	const struct mc_mount *m;
	uint32_t i;

	for (i = 0; i < t->nr_mounts; i++) {
		m = &t->mounts[i];
		if (m->parent == MC_NONE || p->root_of[m->parent] == MC_NONE ||
		    !m->mountpoint[1])
			continue;
		p->on[p->nr_on++] = (struct place){ m->mountpoint + 1, p->root_of[m->parent],
						    MC_NONE, type_of(m) };
	}
	sort(p->on, &p->nr_on);
	p->of_root = index_of(p->on, p->nr_on, p->nr_roots);
	return p->of_root ? 0 : -1;
}

static int find_unlinked(struct places *p)
{
	const struct mc_mount *m;
	uint32_t i, type;

	for (i = 0; i < p->t->nr_mounts; i++) {
		m = &p->t->mounts[i];
		type = type_of(m);
		if (m->unlinked && type != MC_MP_UNKNOWN &&
		    mc_map_add(p->unlinked, mc_unlinked_key(m->sb, m->unlinked), &type) < 0)
			return -1;
	}
	return 0;
}

#define NO_DIRECTORY	"is no directory, and what is mounted there, or lies below it, says that it is"
#define A_DIRECTORY	"is a directory, and what is mounted there is none"

/* Of list[from, end), what is there, and what lies below. */
static const char *fault_among(const struct place *list, uint32_t from, uint32_t end,
			       const char *path, bool dir)
{
	uint32_t i = find(list, from, end, path);

	if (i < end && !strcmp(list[i].path, path)) {
		if (list[i].type == (dir ? MC_MP_OTHER : MC_MP_DIR))
			return dir ? A_DIRECTORY : NO_DIRECTORY;
		i++;
	}
	return !dir && i < end && mc_member_is_at(path, list[i].path) ? NO_DIRECTORY : NULL;
}

static const char *fault_at(const struct places *p, uint32_t sb, const char *path, bool dir)
{
	uint32_t from = p->of_sb[sb], end = p->of_sb[sb + 1];
	const char *fault = fault_among(p->roots, from, end, path, dir), *rest;
	uint32_t i = find(p->roots, from, end, path);

	if (i == end || strcmp(p->roots[i].path, path))
		i = i > from ? i - 1 : MC_NONE;
	while (i != MC_NONE && !mc_member_is_at(p->roots[i].path, path))
		i = p->roots[i].up;
	for (; i != MC_NONE && !fault; i = p->roots[i].up) {
		rest = path + strlen(p->roots[i].path);
		rest += *rest == '/';
		fault = fault_among(p->on, p->of_root[i], p->of_root[i + 1], rest, dir);
	}
	return fault;
}

static const char *fault_unlinked(const struct places *p, uint32_t sb, uint32_t nr, bool dir)
{
	uint32_t type;

	if (!mc_map_get(p->unlinked, mc_unlinked_key(sb, nr), &type) ||
	    type == (dir ? MC_MP_DIR : MC_MP_OTHER))
		return NULL;
	return dir ? A_DIRECTORY : NO_DIRECTORY;
}

static int check_member(const struct places *p, uint32_t sb, struct archive_entry *entry,
			struct mntcr_error *e)
{
	bool dir = !archive_entry_hardlink(entry) &&
		   archive_entry_filetype(entry) == AE_IFDIR;
	const struct mc_sb *s = &p->t->sbs[sb];
	uint32_t major = 0, minor = 0, nr;
	const char *fault = NULL;
	char *name, *path, esc[400];
	int ret = 0;

	name = strdup(archive_entry_pathname(entry) ? archive_entry_pathname(entry) : "");
	if (!name)
		return mc_nomem(e);
	if (mc_member_unlinked(name, &major, &minor, &nr) && major == s->major &&
	    minor == s->minor)
		fault = fault_unlinked(p, sb, nr, dir);
	else if (mc_member_name(name, &major, &minor, &path) && major == s->major &&
		 minor == s->minor)
		fault = fault_at(p, sb, path, dir);
	else
		ret = 1;	/* the next superblock's */
	if (fault)
		ret = mc_fail(e, MNTCR_BAD_IMAGE, 0, "member %s: %s",
			      mc_escape(name, esc, sizeof(esc)), fault);
	free(name);
	return ret;
}

static int check_part(const struct places *p, uint32_t sb, const struct mntcr_contents *c,
		      const struct part *part, struct mc_members *m, struct mntcr_error *e)
{
	struct archive_entry *entry;
	int ret;

	if (mc_members_open(m, c->fd, part->from, NULL, e))
		return -1;
	while ((ret = mc_members_next(m, &entry, e)) > 0) {
		ret = check_member(p, sb, entry, e);
		if (ret)
			break;
	}
	mc_members_close(m);
	return ret < 0 ? -1 : 0;
}

/* Is there anything that the rules of members do not say already? */
static bool says_more(const struct places *p, uint32_t sb, const struct part *part)
{
	uint32_t i;

	for (i = p->of_sb[sb]; i < p->of_sb[sb + 1]; i++)
		if (*p->roots[i].path || p->of_root[i] < p->of_root[i + 1])
			return true;
	return part->nr_unlinked;
}

int mc_contents_check_places(const struct mntcr_contents *c, const struct mc_topology *t,
			     struct mntcr_error *e)
{
	struct places p = { .t = t };
	struct mc_members *m = malloc(sizeof(*m));
	uint32_t i, at;
	int ret = 0;

	p.roots = malloc((t->nr_mounts + 1UL) * sizeof(*p.roots));
	p.on = malloc((t->nr_mounts + 1UL) * sizeof(*p.on));
	p.root_of = malloc((t->nr_mounts + 1UL) * sizeof(*p.root_of));
	p.unlinked = mc_map_new();
	if (!m || !p.roots || !p.on || !p.root_of || !p.unlinked || find_roots(&p) ||
	    find_mountpoints(&p) || find_unlinked(&p))
		ret = mc_nomem(e);
	for (i = 0; i < t->nr_sbs && !ret; i++)
		if (t->sbs[i].contents &&
		    mc_map_get(c->by_dev, mc_dev_key(t->sbs[i].major, t->sbs[i].minor), &at) &&
		    says_more(&p, i, &c->parts[at]))
			ret = check_part(&p, i, c, &c->parts[at], m, e);
	mc_map_free(p.unlinked);
	free(p.root_of);
	free(p.of_root);
	free(p.of_sb);
	free(p.on);
	free(p.roots);
	free(m);
	return ret;
}
