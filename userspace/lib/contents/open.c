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
		       name ? mc_escape(name, esc, sizeof(esc)) :
		       "(without a name)", what);
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
		return bad(e, name, "the first has to be " MC_CONTENTS_JSON);
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
	c->parts[c->nr_parts++] = (struct part){ major, minor, from };
	return 0;
}

static int find_parts(struct mntcr_contents *c, struct mc_members *m,
		      struct mntcr_error *e)
{
	uint32_t major, minor, unlinked, nr = 0;
	struct archive_entry *entry;
	const char *name;
	char *copy, *path;
	bool good;
	const struct part *last;
	int ret;

	while ((ret = mc_members_next(m, &entry, e)) > 0) {
		name = archive_entry_pathname(entry);
		if (!name)
			return bad(e, NULL, "has no name");
		if (++nr > MC_MAX_MEMBERS)
			return bad(e, name, "is one of too many");
		if (!strcmp(name, MC_CONTENTS_END)) {
			ret = mc_members_next(m, &entry, e);
			/* its name has gone with the entry */
			return ret > 0 ? bad(e, MC_CONTENTS_END, "is not the last") : ret;
		}
		copy = strdup(name);
		if (!copy)
			return mc_nomem(e);
		good = mc_member_name(copy, &major, &minor, &path) ||
		       mc_member_unlinked(name, &major, &minor, &unlinked);
		free(copy);
		if (!good)
			return bad(e, name, "is no name of a superblock's file");
		last = c->nr_parts ? &c->parts[c->nr_parts - 1] : NULL;
		if (last && last->major == major && last->minor == minor)
			continue;
		if (add_part(c, major, minor,
			     (uint64_t)archive_read_header_position(m->a), name, e))
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
	if (!c)
		return;
	mc_close(c->fd);
	mc_map_free(c->by_dev);
	free(c->parts);
	free(c);
}

bool mc_contents_has(const struct mntcr_contents *c, const struct mc_sb *sb)
{
	uint32_t at;

	return c && mc_map_get(c->by_dev, mc_dev_key(sb->major, sb->minor),
			       &at);
}

int mc_contents_check(const struct mntcr_contents *c, const struct mc_topology *t,
		      struct mntcr_error *e)
{
	uint32_t i, nr = 0;

	for (i = 0; i < t->nr_sbs; i++) {
		const struct mc_sb *sb = &t->sbs[i];

		if (!sb->contents)
			continue;
		nr++;
		if (!mc_contents_has(c, sb))
			return mc_fail(e, MNTCR_BAD_IMAGE, 0,
				       "superblocks[%u] (%u:%u): its contents are missing",
				       i, sb->major, sb->minor);
	}
	if (c && nr != c->nr_parts)
		return mc_fail(e, MNTCR_BAD_IMAGE, 0,
			       "it has contents of %u superblocks and says that of %u",
			       c->nr_parts, nr);
	return 0;
}
