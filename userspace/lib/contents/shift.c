// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Ids of an archive's files that are others where they are made.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <archive.h>
#include <archive_entry.h>
#include <endian.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

#include "contents/contents.h"

/* linux/posix_acl_xattr.h: as the kernel hands them out, all little endian */
#define ACL_VERSION	2
#define ACL_USER	0x02
#define ACL_GROUP	0x08

struct acl_entry {
	uint16_t tag, perm;
	uint32_t id;
};

static void shift_at(const struct mc_shifts *s, bool gid, char *at)
{
	uint32_t id;

	memcpy(&id, at, sizeof(id));
	id = htole32(mc_shifted(s, gid, le32toh(id)));
	memcpy(at, &id, sizeof(id));
}

static void shift_acl(const struct mc_shifts *s, char *value, size_t size)
{
	struct acl_entry x;
	uint32_t version;
	size_t at;

	if (size < sizeof(version))
		return;
	memcpy(&version, value, sizeof(version));
	if (le32toh(version) != ACL_VERSION)
		return;
	for (at = sizeof(version); at + sizeof(x) <= size; at += sizeof(x)) {
		memcpy(&x, value + at, sizeof(x));
		if (le16toh(x.tag) == ACL_USER || le16toh(x.tag) == ACL_GROUP)
			shift_at(s, le16toh(x.tag) == ACL_GROUP,
				 value + at + offsetof(struct acl_entry, id));
	}
}

/* Whose root they are of; those of the initial one do not say. */
static void shift_capability(const struct mc_shifts *s, char *value, size_t size)
{
	uint32_t magic;

	if (size != XATTR_CAPS_SZ_3)
		return;
	memcpy(&magic, value, sizeof(magic));
	if ((le32toh(magic) & VFS_CAP_REVISION_MASK) == VFS_CAP_REVISION_3)
		shift_at(s, false, value + offsetof(struct vfs_ns_cap_data, rootid));
}

struct attr {
	char *name, *value;
	size_t size;
};

static bool has_ids(const char *name)
{
	return !strcmp(name, "system.posix_acl_access") ||
	       !strcmp(name, "system.posix_acl_default") ||
	       !strcmp(name, "security.capability");
}

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
		if (!strcmp(a[i].name, "security.capability"))
			shift_capability(s, a[i].value, a[i].size);
		else if (has_ids(a[i].name))
			shift_acl(s, a[i].value, a[i].size);
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
		if (name && has_ids(name))
			return shift_attrs(entry, s);
	return 0;
}
