// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Files of a live filesystem into an archive: the archive itself, and what is said when
 * that fails.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <archive.h>
#include <archive_entry.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/xattr.h>

#include "contents/save.h"

static const char *where(const struct mc_save *s, char *buf, size_t size)
{
	return mc_escape(s->path.data + strlen(MC_CONTENTS_PREFIX), buf, size);
}

int mc_save_sys(struct mc_save *s, const char *what)
{
	int err = errno;
	char esc[400];

	return mc_fail(s->e, MNTCR_SYS, err, "contents of %s %s: %s", s->sb->type,
		       where(s, esc, sizeof(esc)), what);
}

int mc_save_changed(struct mc_save *s)
{
	char esc[400];

	return mc_fail(s->e, MNTCR_CHANGED, 0,
		       "contents of %s %s: changed while it was read", s->sb->type,
		       where(s, esc, sizeof(esc)));
}

int mc_save_by_name(struct mc_save *s, const char *name, const char *what)
{
	return name && (errno == ENOENT || errno == ELOOP) ? mc_save_changed(s) :
	       mc_save_sys(s, what);
}

int mc_save_refuse(struct mc_save *s, const char *rule, const char *what)
{
	char esc[400];

	return mc_refuse(s->e, rule, "contents of %s %s: %s", s->sb->type,
			 where(s, esc, sizeof(esc)), what);
}

int mc_save_failed(struct mc_save *s, int ret)
{
	int err = archive_errno(s->a);
	const char *why = archive_error_string(s->a);
	char esc[400], text[200];

	if (ret == ARCHIVE_OK)
		return 0;
	/* libarchive's own errors have numbers of their own */
	return mc_fail(s->e, MNTCR_SYS, err > 0 ? err : EIO,
		       "writing the archive: %s: %s", where(s, esc, sizeof(esc)),
		       mc_escape(why ? why : "failed", text, sizeof(text)));
}

int mc_save_data(struct mc_save *s, const void *buf, size_t n)
{
	la_ssize_t done = archive_write_data(s->a, buf, n);

	if (done < 0)
		return mc_save_failed(s, ARCHIVE_FATAL);
	if ((size_t)done != n) {
		errno = EIO;
		return mc_save_sys(s, "the archive takes less than its size");
	}
	return 0;
}

int mc_save_header(struct mc_save *s, struct archive_entry *entry)
{
	if (++s->nr_members > MC_MAX_MEMBERS)
		return mc_save_refuse(s, "too-many-files", "more than can be in an image");
	return mc_save_failed(s, archive_write_header(s->a, entry));
}

/* Of a list "first second count" is it in one of the ranges? */
static bool maps(const char *file, uint32_t id)
{
	unsigned int first, parent, count;
	FILE *in = fopen(file, "re");
	bool is = false;

	while (in && fscanf(in, "%u %u %u", &first, &parent, &count) == 3)
		is = is || (id >= first && id - first < count);
	if (in)
		fclose(in);
	return is;
}

static void forget_links(struct mc_save *s)
{
	while (s->nr_links)
		free(s->links[--s->nr_links]);
	mc_map_free(s->by_ino);
	s->by_ino = mc_map_new();
	mc_map_free(s->expected);
	s->expected = mc_map_new();
	mc_map_free(s->watched);
	s->watched = mc_map_new();
}

int mc_save_turn_to(struct mc_save *s, const struct mc_sb *sb, struct mntcr_error *e)
{
	if (s->sb != sb)
		forget_links(s);
	s->sb = sb;
	s->e = e;
	mc_buf_reset(&s->path);
	return s->by_ino && s->expected && s->watched ? 0 : mc_nomem(e);
}

static int put_file(struct mc_save *s, const char *name, const char *data,
		    size_t len)
{
	struct archive_entry *entry = archive_entry_new();
	int ret = -1;

	mc_buf_reset(&s->path);
	mc_buf_printf(&s->path, "%s%s", MC_CONTENTS_PREFIX, name);
	if (!entry || s->path.nomem) {
		archive_entry_free(entry);
		return mc_nomem(s->e);
	}
	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0600);
	archive_entry_set_size(entry, (la_int64_t)len);
	if (!mc_save_failed(s, archive_write_header(s->a, entry)))
		ret = len ? mc_save_data(s, data, len) : 0;
	archive_entry_free(entry);
	return ret;
}

/* Broken off, nothing is written any more, the end of an archive least of all. */
static la_ssize_t write_block(struct archive *a, void *data, const void *block, size_t n)
{
	struct mc_save *s = data;

	if (!s->broken && fwrite(block, 1, n, s->out) == n)
		return (la_ssize_t)n;
	archive_set_error(a, s->broken ? ECANCELED : errno, "Write error");
	return -1;
}

static int start(struct mc_save *s, FILE *out, const char *json, size_t len)
{
	s->out = out;
	s->a = archive_write_new();
	if (!s->a)
		return mc_nomem(s->e);
	/*
	 * Names are bytes here.  LIBARCHIVE's way of attributes takes any name and
	 * value of them.
	 */
	if (archive_write_set_format_pax(s->a) != ARCHIVE_OK ||
	    archive_write_set_options(s->a, "hdrcharset=BINARY,xattrheader=LIBARCHIVE") != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(s->a, 1) != ARCHIVE_OK ||
	    archive_write_open(s->a, s, NULL, write_block, NULL) != ARCHIVE_OK)
		return mc_fail(s->e, MNTCR_SYS, EIO, "the archive: %s",
			       archive_error_string(s->a));
	return put_file(s, MC_CONTENTS_JSON, json, len);
}

static void save_free(struct mc_save *s)
{
	/* after an error, libarchive gives its buffer back when it is closed only */
	s->broken = true;
	if (s->a)
		archive_write_close(s->a);
	archive_write_free(s->a);
	mc_map_free(s->by_ino);
	mc_map_free(s->expected);
	mc_map_free(s->watched);
	mc_close(s->watch);
	while (s->nr_links)
		free(s->links[--s->nr_links]);
	free(s->links);
	free(s->levels);
	free(s->pieces);
	free(s->xlist);
	free(s->xvalue);
	if (s->zeroes)
		munmap((void *)s->zeroes, s->nr_zeroes);
	mc_buf_free(&s->path);
	free(s);
}

/* Nothing is ever written there: only addresses are needed, and of these there may be few. */
static void map_zeroes(struct mc_save *s)
{
	void *zeroes = MAP_FAILED;
	size_t n;

	for (n = MC_ZEROES; n >= MC_MIN_ZEROES && zeroes == MAP_FAILED; n /= 2) {
		zeroes = mmap(NULL, n, PROT_READ,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		s->nr_zeroes = n;
	}
	s->zeroes = zeroes == MAP_FAILED ? NULL : zeroes;
}

int mc_save_new(struct mc_save **save, FILE *out, const char *json, size_t len,
		struct mntcr_error *e)
{
	static const struct mc_sb none = { .type = "image" };
	struct mc_save *s = calloc(1, sizeof(*s));

	*save = NULL;
	if (!s)
		return mc_nomem(e);
	s->e = e;
	s->sb = &none;
	s->watch = -1;
	map_zeroes(s);
	s->xlist = malloc(XATTR_LIST_MAX);
	s->xvalue = malloc(XATTR_SIZE_MAX);
	if (!s->zeroes || !s->xlist || !s->xvalue) {
		save_free(s);
		return mc_nomem(e);
	}
	s->overflow_uid = maps("/proc/self/uid_map", MC_OVERFLOW_ID);
	s->overflow_gid = maps("/proc/self/gid_map", MC_OVERFLOW_ID);
	if (start(s, out, json, len)) {
		save_free(s);
		return -1;
	}
	*save = s;
	return 0;
}

void mc_save_count(const struct mc_save *s, uint64_t *nr_files, uint64_t *nr_bytes)
{
	*nr_files = s->nr_members;
	*nr_bytes = s->nr_bytes;
}

int mc_save_end(struct mc_save *s, bool failed, struct mntcr_error *e)
{
	int ret = -1;

	s->e = e;
	if (!failed && !put_file(s, MC_CONTENTS_END, NULL, 0))
		ret = mc_save_failed(s, archive_write_close(s->a));
	save_free(s);
	return ret;
}
