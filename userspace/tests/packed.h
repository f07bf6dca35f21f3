/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An archive of whatever members a test wants.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TESTS_PACKED_H
#define TESTS_PACKED_H

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include "contents/contents.h"
#include "tap.h"

struct member {
	const char *name;
	mode_t type;
	const char *to;		/* of links; of a file, its data */
	int64_t size;		/* that is said; 0: what there is */
	const char *mark;	/* an extended attribute: handle */
};

static char handle[4 + MC_MAX_HANDLE];
static size_t handle_size;

static inline int pack(const struct member *m, size_t nr, const char *first)
{
	struct archive *a = archive_write_new();
	struct archive_entry *x;
	static const char zeroes[16 << 20];
	FILE *f = tmpfile();
	int64_t left;
	size_t i, n;
	int fd;

	REQUIRE(f && a);
	REQUIRE(archive_write_set_format_pax(a) == ARCHIVE_OK);
	REQUIRE(archive_write_open_FILE(a, f) == ARCHIVE_OK);
	for (i = 0; i <= nr + 1; i++) {
		const struct member json = { first, S_IFREG, "{}", 0, NULL };
		const struct member last = { MC_CONTENTS_END, S_IFREG, NULL, 0, NULL };
		const struct member *k = !i ? &json : i > nr ? &last : &m[i - 1];

		x = archive_entry_new();
		archive_entry_set_pathname(x, k->name);
		archive_entry_set_filetype(x, k->type ? k->type : S_IFREG);
		archive_entry_set_perm(x, 0700);
		n = k->type == S_IFREG && k->to ? strlen(k->to) : 0;
		archive_entry_set_size(x, k->size ? k->size : (int64_t)n);
		if (k->type == S_IFLNK)
			archive_entry_set_symlink(x, k->to);
		else if (!k->type)
			archive_entry_set_hardlink(x, k->to);
		if (k->mark)
			archive_entry_xattr_add_entry(x, k->mark, handle, handle_size);
		if (k->size)
			archive_entry_sparse_add_entry(x, k->size - (int64_t)n, (int64_t)n);
		REQUIRE(archive_write_header(a, x) == ARCHIVE_OK);
		if (n && !k->size)
			REQUIRE(archive_write_data(a, k->to, n) == (la_ssize_t)n);
		/* the writer steps over holes */
		for (left = k->size; left > 0; left -= (int64_t)sizeof(zeroes))
			REQUIRE(archive_write_data(a, zeroes, sizeof(zeroes)) > 0);
		archive_entry_free(x);
	}
	REQUIRE(archive_write_close(a) == ARCHIVE_OK);
	archive_write_free(a);
	REQUIRE(!fflush(f));
	fd = dup(fileno(f));
	REQUIRE(fd >= 0 && !fclose(f));
	return fd;
}

#define C "contents/0:7"
#define DIRECTORY(name)		{ name, S_IFDIR, NULL, 0, NULL }
#define REGULAR(name, data)	{ name, S_IFREG, data, 0, NULL }
#define SYMLINK(name, to)	{ name, S_IFLNK, to, 0, NULL }
#define LINK(name, to)		{ name, 0, to, 0, NULL }
#define MARKED(name, mark)	{ name, S_IFREG, NULL, 0, mark }

#endif /* TESTS_PACKED_H */
