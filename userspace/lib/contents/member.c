// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Members of an archive: one after the other, and what their names mean.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <string.h>

#include "contents/contents.h"

static la_ssize_t read_more(struct archive *a, void *data, const void **buf)
{
	struct mc_members *m = data;
	ssize_t n;

	do {
		n = pread(m->fd, m->buf, sizeof(m->buf), (off_t)m->at);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		m->err = errno;
		archive_set_error(a, m->err, "reading");
		return -1;
	}
	m->at += (uint64_t)n;
	m->n = (size_t)n;
	*buf = m->buf;
	return n;
}

static la_int64_t skip(struct archive *a, void *data, la_int64_t bytes)
{
	struct mc_members *m = data;
	struct stat st;

	/* beyond the end there is nothing: reading notices */
	if (bytes <= 0 || fstat(m->fd, &st) ||
	    (uint64_t)st.st_size < m->at + (uint64_t)bytes)
		return 0;
	m->at += (uint64_t)bytes;
	m->n = 0;
	return bytes;
}

int mc_members_open(struct mc_members *m, int fd, uint64_t from,
		    const struct mc_shifts *shifts, struct mntcr_error *e)
{
	m->fd = fd;
	m->shifts = shifts;
	m->at = from;
	m->err = 0;
	m->n = 0;
	*m->last = '\0';
	m->a = archive_read_new();
	if (!m->a)
		return mc_nomem(e);
	if (archive_read_support_format_tar(m->a) == ARCHIVE_OK &&
	    archive_read_set_read_callback(m->a, read_more) == ARCHIVE_OK &&
	    archive_read_set_skip_callback(m->a, skip) == ARCHIVE_OK &&
	    archive_read_set_callback_data(m->a, m) == ARCHIVE_OK &&
	    archive_read_open1(m->a) == ARCHIVE_OK)
		return 0;
	if (m->err)
		mc_fail(e, MNTCR_SYS, m->err, "reading it");
	else
		mc_fail(e, MNTCR_BAD_IMAGE, 0, "no archive: %s",
			archive_error_string(m->a) ? archive_error_string(m->a) : "?");
	mc_members_close(m);
	return -1;
}

int mc_members_bad(const struct mc_members *m, const char *name, const char *why,
		   struct mntcr_error *e)
{
	char esc[400];

	mc_escape(name ? name : m->last, esc, sizeof(esc));
	if (!name && !*m->last)
		return mc_fail(e, MNTCR_BAD_IMAGE, 0, "its first member: %s", why);
	return mc_fail(e, MNTCR_BAD_IMAGE, 0, "%s %s: %s",
		       name ? "member" : "the member after", esc, why);
}

int mc_members_next(struct mc_members *m, struct archive_entry **entry,
		    struct mntcr_error *e)
{
	int ret = archive_read_next_header(m->a, entry);
	const char *name;

	if (ret == ARCHIVE_EOF)
		return 0;
	if (ret != ARCHIVE_OK && m->err)
		return mc_fail(e, MNTCR_SYS, m->err, "reading the next member");
	name = ret == ARCHIVE_OK || ret == ARCHIVE_WARN ? archive_entry_pathname(*entry) : NULL;
	if (ret != ARCHIVE_OK)
		return mc_members_bad(m, name, archive_error_string(m->a) ?
				      archive_error_string(m->a) : "damaged", e);
	snprintf(m->last, sizeof(m->last), "%s", name ? name : "");
	return m->shifts && mc_entry_shift(*entry, m->shifts) ? mc_nomem(e) : 1;
}

void mc_members_close(struct mc_members *m)
{
	archive_read_free(m->a);
	m->a = NULL;
}

static bool number(char **s, char end, uint32_t *out)
{
	char *p = *s;
	uint64_t n = 0;

	while (*p >= '0' && *p <= '9' && n <= UINT32_MAX)
		n = n * 10 + (uint64_t)(*p++ - '0');
	if (p == *s || (**s == '0' && p != *s + 1) || n > UINT32_MAX || *p != end)
		return false;
	*out = (uint32_t)n;
	*s = p;
	return true;
}

bool mc_member_name(char *name, uint32_t *major, uint32_t *minor, char **path)
{
	size_t n = strlen(name), len;
	char *p, end;

	if (n > MC_MAX_MEMBER_NAME ||
	    strncmp(name, MC_CONTENTS_PREFIX, strlen(MC_CONTENTS_PREFIX)))
		return false;
	/* the archive's format puts one there behind a directory */
	if (name[n - 1] == '/')
		name[n - 1] = '\0';
	p = name + strlen(MC_CONTENTS_PREFIX);
	if (!number(&p, ':', major))
		return false;
	p++;
	end = strchr(p, '/') ? '/' : '\0';
	if (!number(&p, end, minor))
		return false;
	if (!end) {
		*path = p;
		return true;
	}
	*path = ++p;
	for (;;) {
		len = strcspn(p, "/");
		if (!len || len > 255 || (len == 1 && *p == '.') ||
		    (len == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		if (!p[len])
			return true;
		p += len + 1;
	}
}

bool mc_member_unlinked(const char *name, uint32_t *major, uint32_t *minor,
			uint32_t *nr)
{
	char copy[64], *p = copy + strlen(MC_UNLINKED_PREFIX);

	if (strlen(name) >= sizeof(copy))
		return false;
	strcpy(copy, name);
	if (strncmp(copy, MC_UNLINKED_PREFIX, strlen(MC_UNLINKED_PREFIX)))
		return false;
	/* as above */
	if (copy[strlen(copy) - 1] == '/')
		copy[strlen(copy) - 1] = '\0';
	if (!number(&p, ':', major))
		return false;
	p++;
	if (!number(&p, '/', minor))
		return false;
	p++;
	return number(&p, '\0', nr) && *nr && *nr <= MC_MAX_MOUNTS;
}

int mc_member_cmp(const char *x, const char *y)
{
	int c, d;

	for (; *x == *y; x++, y++)
		if (!*x)
			return 0;
	/* "/" comes before all other bytes, and the end before that */
	c = *x == '/' ? 1 : *x ? (unsigned char)*x + 1 : 0;
	d = *y == '/' ? 1 : *y ? (unsigned char)*y + 1 : 0;
	return c < d ? -1 : 1;
}

bool mc_member_is_at(const char *x, const char *y)
{
	size_t n = strlen(x);

	return !n || (!strncmp(x, y, n) && (!y[n] || y[n] == '/'));
}

size_t mc_member_dir(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) : 0;
}
