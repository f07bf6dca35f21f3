// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which files of a superblock are in the archive: directories or not, and what overlayfs
 * would take them for, were that a layer.  No data is read.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

#include "contents/contents.h"

struct mc_listing {
	struct mc_map *by_path;	/* enum mc_listed, by a hash of the path */
	uint64_t seed;
};

/* Of one layer in whichever way it is mounted: "trusted.overlay.", or "user.". */
static uint32_t mark(const char *key, const char *value, size_t size)
{
	uint32_t user = !strncmp(key, "user.overlay.", 13) ? MC_LISTED_USER : 0;

	if (!user && strncmp(key, "trusted.overlay.", 16))
		return 0;
	key += user ? 13 : 16;
	if (!strcmp(key, "opaque"))
		return size == 1 && *value == 'y' ? MC_LISTED_OPAQUE << user : 0;
	if (!strcmp(key, "redirect"))
		return MC_LISTED_REDIRECT << user;
	return !strcmp(key, "whiteout") ? MC_LISTED_PERHAPS << user : 0;
}

/*
 * As what it is to, which comes before it: overlayfs makes its whiteouts as links to one
 * device.  None is to a directory.  0: no memory.
 */
static uint32_t kind_of_link(const struct mc_listing *l, const struct mc_sb *sb,
			     const char *link)
{
	uint32_t is = 0, major, minor;
	char *copy = strdup(link), *path;

	if (!copy)
		return 0;
	if (mc_member_name(copy, &major, &minor, &path) && major == sb->major &&
	    minor == sb->minor)
		is = mc_listing_at(l, path);
	free(copy);
	return is & MC_LISTED_DIR ? MC_LISTED : is | MC_LISTED;
}

static uint32_t kind_of(const struct mc_listing *l, const struct mc_sb *sb,
			struct archive_entry *entry)
{
	const char *key;
	const void *value;
	uint32_t is;
	size_t size;

	if (archive_entry_hardlink(entry))
		return kind_of_link(l, sb, archive_entry_hardlink(entry));
	if (archive_entry_filetype(entry) == AE_IFCHR && !archive_entry_rdevmajor(entry) &&
	    !archive_entry_rdevminor(entry))
		return MC_LISTED | MC_LISTED_WHITEOUT;
	is = MC_LISTED | (archive_entry_filetype(entry) == AE_IFDIR ? MC_LISTED_DIR : 0);
	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &key, &value, &size) == ARCHIVE_OK)
		if (key)
			is |= mark(key, value, size);
	return is;
}

/* What is on the way to it comes before it, or is made. */
static int add(struct mc_listing *l, const char *path, uint32_t is)
{
	size_t len = strlen(path);
	uint32_t value = is;
	int ret = !is ? -1 : mc_map_add(l->by_path, mc_hash_bytes(path, len, l->seed), &value);

	while (!ret && len) {
		len = path[len] == '/' || !path[len] ? len - 1 : len;
		while (len && path[len] != '/')
			len--;
		value = MC_LISTED | MC_LISTED_DIR;
		ret = mc_map_add(l->by_path, mc_hash_bytes(path, len, l->seed), &value);
	}
	return ret < 0 ? -1 : 0;
}

static int add_all(struct mc_listing *l, struct mc_rules *r, struct mc_members *m,
		   struct mntcr_error *e)
{
	struct archive_entry *entry;
	char *name, *path;
	int ret;

	while ((ret = mc_rules_next(r, m, &entry, &name, &path)) > 0) {
		if (path && add(l, path, kind_of(l, r->sb, entry)))
			ret = mc_nomem(e);
		r->name = "";
		free(name);
		if (ret < 0)
			break;
	}
	return ret;
}

int mc_listing_read(const struct mntcr_contents *c, const struct mc_sb *sb,
		    struct mc_listing **listing, struct mntcr_error *e)
{
	struct mc_listing *l = calloc(1, sizeof(*l));
	struct mc_members *m = malloc(sizeof(*m));
	struct mc_rules rules = { 0 };
	uint32_t part;
	int ret = -1;

	*listing = NULL;
	if (l) {
		l->by_path = mc_map_new();
		l->seed = mc_random_seed();
	}
	if (!l || !m || !l->by_path || mc_rules_start(&rules, sb, e) ||
	    add(l, "", MC_LISTED | MC_LISTED_DIR)) {
		mc_nomem(e);
	} else if (!mc_map_get(c->by_dev, mc_dev_key(sb->major, sb->minor), &part)) {
		ret = 0;
	} else if (!mc_members_open(m, c->fd, c->parts[part].from, sb->shifts, e)) {
		ret = add_all(l, &rules, m, e);
		mc_members_close(m);
	}
	mc_rules_end(&rules);
	free(m);
	if (ret)
		mc_listing_free(l);
	else
		*listing = l;
	return ret;
}

uint32_t mc_listing_at(const struct mc_listing *l, const char *path)
{
	uint32_t is = 0;

	mc_map_get(l->by_path, mc_hash_bytes(path, strlen(path), l->seed), &is);
	return is;
}

void mc_listing_free(struct mc_listing *l)
{
	if (l)
		mc_map_free(l->by_path);
	free(l);
}
