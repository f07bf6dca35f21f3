// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Are the files of two superblocks the same?  Both archives name them in the same
 * order, so one walk along both does, and compares data as it comes.  Access
 * times may differ.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

#include "contents/contents.h"

struct side {
	const struct mc_sb *sb;
	struct mc_members *m;
	struct archive_entry *entry;
	char *copy, *path;	/* NULL: there are no more */
	uint32_t unlinked;	/* which one it is; 0: none of them */
	const char *link;	/* the first of its hard links, if it is a later one */
	bool whiteout;
	struct mc_map *white;	/* all of them so far */
	struct mc_map *first;	/* by each later one so far: which of firsts */
	char **firsts;
	uint32_t nr_firsts, max_firsts;
	uint64_t seed;
	/* of its data: a block, and how much of it has been compared */
	const char *block;
	size_t len;
	int64_t at;
	bool end;
};

struct compare {
	struct side a, b;
	void (*differ)(void *data, const char *line);
	void *data;
	struct mntcr_error *e;
};

static void differ(const struct compare *c, const char *path, const char *what,
		   const char *x, const char *y)
{
	char line[1400], esc[600], ex[300], ey[300];

	snprintf(line, sizeof(line), "contents of %s %u:%u against %u:%u: /%s: %s: '%s' against '%s'",
		 c->a.sb->type, c->a.sb->major, c->a.sb->minor, c->b.sb->major,
		 c->b.sb->minor, mc_escape(path, esc, sizeof(esc)), what,
		 mc_escape(x, ex, sizeof(ex)), mc_escape(y, ey, sizeof(ey)));
	c->differ(c->data, line);
}

static void numbers(const struct compare *c, const char *what, int64_t x, int64_t y,
		    bool octal)
{
	char a[32], b[32];

	if (x == y)
		return;
	snprintf(a, sizeof(a), octal ? "%llo" : "%lld", (long long)x);
	snprintf(b, sizeof(b), octal ? "%llo" : "%lld", (long long)y);
	differ(c, c->a.path, what, a, b);
}

/* What stands behind the superblock in a member's name. */
static const char *link_path(const char *name)
{
	const char *p = name ? strchr(name, ':') : NULL;

	return !name ? "" : !p ? name : p + strcspn(p, "/");
}

/* Of an unlinked one or not, and which. */
static uint64_t link_key(const struct side *s, const char *name)
{
	const char *path = link_path(name);

	return mc_hash_bytes(path, strlen(path), s->seed + (*name == *MC_UNLINKED_PREFIX));
}

/*
 * One writer says that a link is to the first of them, another to any that is before it:
 * what is compared is the first.
 */
static int find_first(struct side *s, const char *link, struct mntcr_error *e)
{
	uint32_t i = s->nr_firsts;

	s->link = NULL;
	if (!link)
		return 0;
	if (!mc_map_get(s->first, link_key(s, link), &i)) {
		if (!mc_grow(&s->firsts, i, &s->max_firsts, sizeof(*s->firsts)))
			return mc_nomem(e);
		s->firsts[i] = strdup(link);
		if (!s->firsts[i])
			return mc_nomem(e);
		s->nr_firsts++;
		if (mc_map_add(s->first, link_key(s, link), &i) < 0)
			return mc_nomem(e);
	}
	s->link = s->firsts[i];
	return mc_map_add(s->first, link_key(s, s->copy), &i) < 0 ? mc_nomem(e) : 0;
}

/*
 * In an upper directory the kernel makes one anew whenever a name is unlinked that a lower
 * layer has, and makes them links to one another as it likes.
 */
static int note_whiteout(struct side *s, struct mntcr_error *e)
{
	const char *link = archive_entry_hardlink(s->entry);
	uint32_t unused = 0;

	s->whiteout = s->sb->nr_work && (link ? mc_map_get(s->white, link_key(s, link), &unused) :
					 archive_entry_filetype(s->entry) == AE_IFCHR &&
					 !archive_entry_rdev(s->entry));
	return s->whiteout && mc_map_add(s->white, link_key(s, s->copy), &unused) < 0 ?
	       mc_nomem(e) : 0;
}

static int next_member(struct side *s, struct mntcr_error *e)
{
	uint32_t major = 0, minor = 0;
	int ret;

	free(s->copy);
	s->copy = s->path = NULL;
	ret = mc_members_next(s->m, &s->entry, e);
	if (ret <= 0)
		return ret;
	s->copy = strdup(archive_entry_pathname(s->entry) ?
			 archive_entry_pathname(s->entry) : "");
	if (!s->copy)
		return mc_nomem(e);
	s->unlinked = 0;
	if (mc_member_unlinked(s->copy, &major, &minor, &s->unlinked))
		s->path = s->copy;
	else if (!mc_member_name(s->copy, &major, &minor, &s->path))
		s->path = NULL;
	if (major != s->sb->major || minor != s->sb->minor)
		s->path = NULL;
	s->block = NULL;
	s->len = 0;
	s->end = false;
	if (!s->path)
		return 0;
	return note_whiteout(s, e) || find_first(s, archive_entry_hardlink(s->entry), e) ? -1 : 0;
}

static enum mc_scratch scratch_at(const struct compare *c, const struct side *s)
{
	enum mc_scratch a, b;

	if (s->unlinked)
		return MC_SCRATCH_NONE;
	a = mc_scratch_at(c->a.sb, s->path);
	b = mc_scratch_at(c->b.sb, s->path);
	return a > b ? a : b;
}

static int next(struct compare *c, struct side *s)
{
	do {
		if (next_member(s, c->e))
			return -1;
	} while (s->path && scratch_at(c, s) == MC_SCRATCH_BELOW);
	return 0;
}

/* A block that is not empty, or the end. */
static int fill(struct side *s, struct mntcr_error *e)
{
	const void *block;
	la_int64_t at;
	char esc[300];
	int ret;

	while (!s->len && !s->end) {
		ret = archive_read_data_block(s->m->a, &block, &s->len, &at);
		if (ret == ARCHIVE_EOF) {
			s->end = true;
			s->len = 0;
		} else if (ret != ARCHIVE_OK && s->m->err) {
			return mc_fail(e, MNTCR_SYS, s->m->err, "reading member %s",
				       mc_escape(s->copy, esc, sizeof(esc)));
		} else if (ret != ARCHIVE_OK) {
			return mc_fail(e, MNTCR_BAD_IMAGE, 0, "member %s: its data is damaged",
				       mc_escape(s->copy, esc, sizeof(esc)));
		}
		s->block = block;
		s->at = at;
	}
	return 0;
}

static int compare_data(struct compare *c)
{
	struct side *a = &c->a, *b = &c->b;
	char x[32], y[32];
	size_t n;

	for (;;) {
		if (fill(a, c->e) || fill(b, c->e))
			return -1;
		if (a->end && b->end)
			return 0;
		if (a->end != b->end || a->at != b->at) {
			snprintf(x, sizeof(x), "%lld", a->end ? -1LL : (long long)a->at);
			snprintf(y, sizeof(y), "%lld", b->end ? -1LL : (long long)b->at);
			differ(c, a->path, "holes: next data at", x, y);
			return 0;
		}
		n = a->len < b->len ? a->len : b->len;
		if (memcmp(a->block, b->block, n)) {
			snprintf(x, sizeof(x), "from %lld on", (long long)a->at);
			differ(c, a->path, "data", x, "other bytes");
			return 0;
		}
		a->block += n;
		b->block += n;
		a->at += (int64_t)n;
		b->at += (int64_t)n;
		a->len -= n;
		b->len -= n;
	}
}

/* The attribute by name; false: it has none such. */
static bool find_xattr(struct archive_entry *entry, const char *want,
		       const void **value, size_t *size)
{
	const char *key;

	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &key, value, size) == ARCHIVE_OK)
		if (key && !strcmp(key, want))
			return true;
	return false;
}

static void compare_xattrs(const struct compare *c)
{
	const void *value, *other;
	const char *key;
	size_t size, n;
	int i, nr = archive_entry_xattr_reset(c->a.entry);

	if (nr != archive_entry_xattr_reset(c->b.entry)) {
		numbers(c, "number of extended attributes", nr,
			archive_entry_xattr_reset(c->b.entry), false);
		return;
	}
	for (i = 0; i < nr; i++) {
		archive_entry_xattr_next(c->a.entry, &key, &value, &size);
		if (!key)
			continue;
		if (!find_xattr(c->b.entry, key, &other, &n))
			differ(c, c->a.path, "extended attribute", key, "none");
		else if (n != size || memcmp(value, other, n))
			differ(c, c->a.path, "extended attribute", key, "another value");
	}
}

static bool same_link(const char *x, const char *y)
{
	/* to an unlinked one or not */
	return x && y && *x == *y && !strcmp(link_path(x), link_path(y));
}

static int compare_one(struct compare *c)
{
	struct archive_entry *x = c->a.entry, *y = c->b.entry;
	const char *lx = c->a.link, *ly = c->b.link;
	unsigned long fx = 0, fy = 0, none;

	if (lx || ly) {
		if (!(c->a.whiteout && c->b.whiteout) && !same_link(lx, ly))
			differ(c, c->a.path, "hard link to", link_path(lx),
			       link_path(ly));
		return 0;
	}
	numbers(c, "type", archive_entry_filetype(x), archive_entry_filetype(y), true);
	if (archive_entry_filetype(x) != archive_entry_filetype(y))
		return 0;
	numbers(c, "mode", archive_entry_perm(x), archive_entry_perm(y), true);
	numbers(c, "uid", archive_entry_uid(x), archive_entry_uid(y), false);
	numbers(c, "gid", archive_entry_gid(x), archive_entry_gid(y), false);
	numbers(c, "size", archive_entry_size(x), archive_entry_size(y), false);
	if (scratch_at(c, &c->a) == MC_SCRATCH_NONE && !(c->a.whiteout && c->b.whiteout)) {
		numbers(c, "mtime", archive_entry_mtime(x), archive_entry_mtime(y),
			false);
		numbers(c, "mtime, ns", archive_entry_mtime_nsec(x),
			archive_entry_mtime_nsec(y), false);
	}
	numbers(c, "device", (int64_t)archive_entry_rdev(x),
		(int64_t)archive_entry_rdev(y), false);
	archive_entry_fflags(x, &fx, &none);
	archive_entry_fflags(y, &fy, &none);
	numbers(c, "inode flags", (int64_t)fx, (int64_t)fy, true);
	compare_xattrs(c);
	if (archive_entry_filetype(x) == AE_IFLNK) {
		const char *s = archive_entry_symlink(x), *t = archive_entry_symlink(y);

		if (s != t && (!s || !t || strcmp(s, t)))
			differ(c, c->a.path, "target", s ? s : "", t ? t : "");
	}
	return compare_data(c);
}

static int walk(struct compare *c)
{
	int order;

	if (next(c, &c->a) || next(c, &c->b))
		return -1;
	while (c->a.path || c->b.path) {
		order = !c->a.path ? 1 : !c->b.path ? -1 :
			c->a.unlinked != c->b.unlinked ?
			(c->a.unlinked < c->b.unlinked ? -1 : 1) :
			c->a.unlinked ? 0 : mc_member_cmp(c->a.path, c->b.path);
		if (order < 0)
			differ(c, c->a.path, "it is", "there", "not there");
		else if (order > 0)
			differ(c, c->b.path, "it is", "not there", "there");
		else if (compare_one(c))
			return -1;
		if ((order <= 0 && next(c, &c->a)) ||
		    (order >= 0 && next(c, &c->b)))
			return -1;
	}
	return 0;
}

static int open_side(struct side *s, const struct mntcr_contents *c,
		     const struct mc_sb *sb, struct mntcr_error *e)
{
	uint32_t at;

	s->sb = sb;
	s->m = calloc(1, sizeof(*s->m));
	s->first = mc_map_new();
	s->white = mc_map_new();
	s->seed = mc_random_seed();
	if (!s->m || !s->first || !s->white)
		return mc_nomem(e);
	if (!mc_map_get(c->by_dev, mc_dev_key(sb->major, sb->minor), &at))
		return mc_fail(e, MNTCR_USAGE, 0, "%u:%u has no contents",
			       sb->major, sb->minor);
	return mc_members_open(s->m, c->fd, c->parts[at].from, sb->shifts, e);
}

static void close_side(struct side *s)
{
	if (s->m && s->m->a)
		mc_members_close(s->m);
	while (s->nr_firsts)
		free(s->firsts[--s->nr_firsts]);
	free(s->firsts);
	mc_map_free(s->first);
	mc_map_free(s->white);
	free(s->m);
	free(s->copy);
}

int mc_contents_compare(const struct mntcr_contents *a, const struct mc_sb *x,
			const struct mntcr_contents *b, const struct mc_sb *y,
			void (*tell)(void *data, const char *line), void *data,
			struct mntcr_error *e)
{
	struct compare c = { .differ = tell, .data = data, .e = e };
	int ret = -1;

	if (!open_side(&c.a, a, x, e) && !open_side(&c.b, b, y, e))
		ret = walk(&c);
	close_side(&c.a);
	close_side(&c.b);
	return ret;
}
