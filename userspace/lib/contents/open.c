// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An image's archive is read twice: here for its JSON and for where the files of
 * each superblock begin, later those files.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <archive.h>
#include <archive_entry.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "contents/contents.h"

bool mc_contents_is_archive(const char *buf, size_t len)
{
	return len >= 512 && !memcmp(buf + 257, "ustar", 5);
}

static int bad(struct mntcr_error *e, const char *name, const char *what)
{
	char esc[400];

	return mc_fail(e, MNTCR_BAD_IMAGE, 0, "member %s: %s",
		       mc_escape(name, esc, sizeof(esc)), what);
}

static int read_json(struct mc_members *m, size_t max, struct mc_buf *json,
		     struct mntcr_error *e)
{
	struct archive_entry *entry;
	char chunk[16384];
	const char *name;
	la_ssize_t n;
	int ret = mc_members_next(m, &entry, e);

	if (ret < 0)
		return -1;
	name = ret ? archive_entry_pathname(entry) : NULL;
	if (!name || strcmp(name, MC_CONTENTS_JSON) ||
	    archive_entry_filetype(entry) != AE_IFREG)
		return mc_members_bad(m, name, "the first has to be " MC_CONTENTS_JSON, e);
	while ((n = archive_read_data(m->a, chunk, sizeof(chunk))) > 0) {
		mc_buf_add(json, chunk, (size_t)n);
		if (json->nomem)
			return mc_nomem(e);
		if (json->len > max)
			return bad(e, name, "is too large");
	}
	if (n < 0 && m->err)
		return mc_fail(e, MNTCR_SYS, m->err, "reading member %s", name);
	return n < 0 ? bad(e, name, "is damaged") : 0;
}

static int add_part(struct mntcr_contents *c, uint32_t major, uint32_t minor,
		    uint64_t from, const char *name, struct mntcr_error *e)
{
	uint32_t at = c->nr_parts;

	switch (mc_map_add(c->by_dev, mc_dev_key(major, minor), &at)) {
	case 1:
		return bad(e, name, "is not beside the others of its superblock");
	case -1:
		return mc_nomem(e);
	}
	if (!mc_grow(&c->parts, c->nr_parts, &c->max_parts, sizeof(*c->parts)))
		return mc_nomem(e);
	c->parts[c->nr_parts++] = (struct part){ .major = major, .minor = minor, .from = from };
	return 0;
}

/* For who knows what mounts show: a tree by its top alone. */
static int note_member(struct part *p, const char *path, uint32_t unlinked,
		       struct mntcr_error *e)
{
	if (unlinked) {
		if (!mc_grow(&p->unlinked, p->nr_unlinked, &p->max_unlinked,
			     sizeof(*p->unlinked)))
			return mc_nomem(e);
		p->unlinked[p->nr_unlinked++] = unlinked;
		return 0;
	}
	if (p->nr_tops && mc_member_is_at(p->tops[p->nr_tops - 1], path))
		return 0;
	if (!mc_grow(&p->tops, p->nr_tops, &p->max_tops, sizeof(*p->tops)))
		return mc_nomem(e);
	p->tops[p->nr_tops] = strdup(path);
	return p->tops[p->nr_tops++] ? 0 : mc_nomem(e);
}

/* The member at hand, into the part of its superblock. */
static int take_member(struct mntcr_contents *c, uint64_t from, const char *name,
		       struct mntcr_error *e)
{
	uint32_t major, minor, unlinked = 0;
	char *copy = strdup(name), *path = NULL;
	const struct part *last;
	int ret = -1;

	if (!copy)
		return mc_nomem(e);
	if (!mc_member_name(copy, &major, &minor, &path) &&
	    !mc_member_unlinked(name, &major, &minor, &unlinked)) {
		bad(e, name, "is no name of a superblock's file");
		goto out;
	}
	last = c->nr_parts ? &c->parts[c->nr_parts - 1] : NULL;
	if ((last && last->major == major && last->minor == minor) ||
	    !add_part(c, major, minor, from, name, e))
		ret = note_member(&c->parts[c->nr_parts - 1], path, unlinked, e);
out:
	free(copy);
	return ret;
}

static int find_parts(struct mntcr_contents *c, struct mc_members *m,
		      struct mntcr_error *e)
{
	struct archive_entry *entry;
	const char *name, *fault;
	uint32_t nr = 0;
	uint64_t at;
	int ret;

	while ((ret = mc_members_next(m, &entry, e)) > 0) {
		name = archive_entry_pathname(entry);
		at = (uint64_t)archive_read_header_position(m->a);
		if (mc_pax_fault(m, at, &fault))
			return mc_nomem(e);
		if (fault)
			return mc_members_bad(m, name, fault, e);
		if (!name)
			return mc_members_bad(m, NULL, "has no name", e);
		if (++nr > MC_MAX_MEMBERS)
			return bad(e, name, "is one of too many");
		if (!strcmp(name, MC_CONTENTS_END)) {
			ret = mc_members_next(m, &entry, e);
			/* its name has gone with the entry */
			return ret > 0 ? bad(e, MC_CONTENTS_END, "is not the last") : ret;
		}
		if (take_member(c, at, name, e))
			return -1;
	}
	return ret ? ret : bad(e, MC_CONTENTS_END, "is missing: it has been cut off");
}

int mc_contents_open(int fd, size_t max_json, struct mc_buf *json,
		     struct mntcr_contents **contents, struct mntcr_error *e)
{
	struct mntcr_contents *c = calloc(1, sizeof(*c));
	struct mc_members *m = malloc(sizeof(*m));
	int ret = -1;

	*contents = NULL;
	if (c)
		c->fd = -1;
	if (!c || !m) {
		mc_nomem(e);
		goto out;
	}
	c->by_dev = mc_map_new();
	if (!c->by_dev) {
		mc_nomem(e);
		goto out;
	}
	if (mc_members_open(m, fd, 0, NULL, e))
		goto out;
	ret = read_json(m, max_json, json, e) || find_parts(c, m, e) ? -1 : 0;
	mc_members_close(m);
	if (ret)
		goto out;
	c->fd = fd;
	*contents = c;
	c = NULL;
out:
	free(m);
	mntcr_contents_free(c);
	return ret;
}

void mntcr_contents_free(struct mntcr_contents *c)
{
	uint32_t i;

	if (!c)
		return;
	mc_close(c->fd);
	mc_map_free(c->by_dev);
	for (i = 0; i < c->nr_parts; i++) {
		while (c->parts[i].nr_tops)
			free(c->parts[i].tops[--c->parts[i].nr_tops]);
		free(c->parts[i].tops);
		free(c->parts[i].unlinked);
	}
	free(c->parts);
	free(c);
}

bool mc_contents_has(const struct mntcr_contents *c, const struct mc_sb *sb)
{
	uint32_t at;

	return c && mc_map_get(c->by_dev, mc_dev_key(sb->major, sb->minor),
			       &at);
}

/* --- against the image ------------------------------------------------------------ */

/* What mounts show, sorted; and those that have been unlinked, by superblock and number. */
struct shown {
	const struct mc_topology *t;
	const struct mc_mount **roots;
	uint32_t nr;
	struct mc_map *unlinked;
};

static int cmp_root(const void *a, const void *b)
{
	const struct mc_mount *x = *(const struct mc_mount *const *)a;
	const struct mc_mount *y = *(const struct mc_mount *const *)b;

	return x->sb != y->sb ? (x->sb < y->sb ? -1 : 1) : strcmp(x->root, y->root);
}

static int find_shown(struct shown *s, struct mntcr_error *e)
{
	const struct mc_mount *m;
	uint32_t i, none = 0;

	s->roots = malloc((s->t->nr_mounts + 1UL) * sizeof(*s->roots));
	s->unlinked = mc_map_new();
	if (!s->roots || !s->unlinked)
		return mc_nomem(e);
	for (i = 0; i < s->t->nr_mounts; i++) {
		m = &s->t->mounts[i];
		if (m->unlinked &&
		    mc_map_add(s->unlinked, mc_unlinked_key(m->sb, m->unlinked), &none) < 0)
			return mc_nomem(e);
		if (!m->root_deleted)
			s->roots[s->nr++] = m;
	}
	qsort(s->roots, s->nr, sizeof(*s->roots), cmp_root);
	return 0;
}

/* Is it in what a mount shows?  path is cut. */
static bool is_shown(const struct shown *s, uint32_t sb, char *path)
{
	const struct mc_mount key = { .sb = sb, .root = path }, *k = &key;
	char *slash;

	while (!bsearch(&k, s->roots, s->nr, sizeof(*s->roots), cmp_root)) {
		if (!path[1])
			return false;
		slash = strrchr(path, '/');
		slash[slash == path] = '\0';
	}
	return true;
}

static int check_tops(const struct shown *s, uint32_t sb, const struct part *p,
		      struct mntcr_error *e)
{
	char *path, *name;
	uint32_t i;
	int ret = 0;

	for (i = 0; i < p->nr_tops && !ret; i++) {
		path = name = NULL;
		if (asprintf(&path, "/%s", p->tops[i]) < 0 ||
		    asprintf(&name, MC_CONTENTS_PREFIX "%u:%u%s%s", p->major, p->minor,
			     *p->tops[i] ? "/" : "", p->tops[i]) < 0)
			ret = mc_nomem(e);
		else if (!is_shown(s, sb, path))
			ret = bad(e, name, "is of what no mount of the image shows");
		free(path);
		free(name);
	}
	return ret;
}

static int check_part(const struct shown *s, uint32_t sb, const struct part *p,
		      struct mntcr_error *e)
{
	char name[64];
	uint32_t i, none;

	for (i = 0; i < p->nr_unlinked; i++) {
		if (mc_map_get(s->unlinked, mc_unlinked_key(sb, p->unlinked[i]), &none))
			continue;
		snprintf(name, sizeof(name), MC_UNLINKED_PREFIX "%u:%u/%u", p->major, p->minor,
			 p->unlinked[i]);
		return bad(e, name, "is no unlinked root of the image's mounts");
	}
	return check_tops(s, sb, p, e);
}

static int check_parts(const struct mntcr_contents *c, const struct mc_topology *t,
		       struct mntcr_error *e)
{
	struct shown s = { .t = t };
	bool *named = calloc(c->nr_parts + 1UL, sizeof(*named));
	int ret = !named ? mc_nomem(e) : find_shown(&s, e);
	uint32_t i, at;

	for (i = 0; i < t->nr_sbs && !ret; i++) {
		if (!t->sbs[i].contents ||
		    !mc_map_get(c->by_dev, mc_dev_key(t->sbs[i].major, t->sbs[i].minor), &at))
			continue;
		named[at] = true;
		ret = check_part(&s, i, &c->parts[at], e);
	}
	for (i = 0; i < c->nr_parts && !ret; i++)
		if (!named[i])
			ret = mc_fail(e, MNTCR_BAD_IMAGE, 0,
				      "it has contents of %u:%u, and no superblock that has that device has any",
				      c->parts[i].major, c->parts[i].minor);
	mc_map_free(s.unlinked);
	free(s.roots);
	free(named);
	return ret;
}

int mc_contents_check(const struct mntcr_contents *c, const struct mc_topology *t,
		      struct mntcr_error *e)
{
	uint32_t i;

	for (i = 0; i < t->nr_sbs; i++)
		if (t->sbs[i].contents && !mc_contents_has(c, &t->sbs[i]))
			return mc_fail(e, MNTCR_BAD_IMAGE, 0,
				       "superblocks[%u] (%u:%u): its contents are missing",
				       i, t->sbs[i].major, t->sbs[i].minor);
	return c && (check_parts(c, t, e) || mc_contents_check_places(c, t, e)) ? -1 : 0;
}
