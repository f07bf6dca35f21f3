// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Ids of an archive's files that are others where they are made.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

#include "contents/contents.h"

struct attr {
	char *name, *value;
	size_t size;
};

/* All of them: none can be changed alone. */
static int copy_attrs(struct archive_entry *entry, struct attr *to, int nr)
{
	const char *name;
	const void *value;
	int i;

	archive_entry_xattr_reset(entry);
	for (i = 0; i < nr; i++) {
		if (archive_entry_xattr_next(entry, &name, &value, &to[i].size) ||
		    !(to[i].name = strdup(name ? name : "")) ||
		    !(to[i].value = malloc(to[i].size + 1)))
			return -1;
		memcpy(to[i].value, value, to[i].size);
	}
	return 0;
}

static int shift_attrs(struct archive_entry *entry, const struct mc_shifts *s)
{
	int nr = archive_entry_xattr_reset(entry), i, ret;
	struct attr *a = calloc((size_t)nr + 1, sizeof(*a));

	ret = a ? copy_attrs(entry, a, nr) : -1;
	if (!ret)
		archive_entry_xattr_clear(entry);
	for (i = 0; !ret && i < nr; i++) {
		mc_attr_shift(a[i].name, a[i].value, a[i].size, s);
		archive_entry_xattr_add_entry(entry, a[i].name, a[i].value, a[i].size);
	}
	for (i = 0; a && i < nr; i++) {
		free(a[i].name);
		free(a[i].value);
	}
	free(a);
	return ret;
}

int mc_entry_shift(struct archive_entry *entry, const struct mc_shifts *s)
{
	la_int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);
	const char *name;
	const void *value;
	size_t size;

	if (uid >= 0 && uid < MC_NO_ID)
		archive_entry_set_uid(entry, mc_shifted(s, false, (uint32_t)uid));
	if (gid >= 0 && gid < MC_NO_ID)
		archive_entry_set_gid(entry, mc_shifted(s, true, (uint32_t)gid));
	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK)
		if (name && mc_attr_has_ids(name))
			return shift_attrs(entry, s);
	return 0;
}
