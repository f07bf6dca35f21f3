// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Extended attributes that the kernel parses, ACLs and capabilities of files: are they
 * what it takes, and the ids in them.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <endian.h>
#include <linux/capability.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/stat.h>

#include "contents/contents.h"

#define ACL_ACCESS	"system.posix_acl_access"
#define ACL_DEFAULT	"system.posix_acl_default"
#define CAPABILITY	"security.capability"

/* linux/posix_acl_xattr.h: as the kernel hands them out, all little endian */
#define ACL_VERSION	2
#define ACL_USER_OBJ	0x01
#define ACL_USER	0x02
#define ACL_GROUP_OBJ	0x04
#define ACL_GROUP	0x08
#define ACL_MASK	0x10
#define ACL_OTHER	0x20

struct acl_entry {
	uint16_t tag, perm;
	uint32_t id;
};

static bool is_acl(const char *name)
{
	return !strcmp(name, ACL_ACCESS) || !strcmp(name, ACL_DEFAULT);
}

bool mc_attr_has_ids(const char *name)
{
	return is_acl(name) || !strcmp(name, CAPABILITY);
}

/* Is there one of the size?  Then what follows is so many entries. */
static bool acl_header(const char *value, size_t size)
{
	uint32_t version;

	if (size < sizeof(version) || (size - sizeof(version)) % sizeof(struct acl_entry))
		return false;
	memcpy(&version, value, sizeof(version));
	return le32toh(version) == ACL_VERSION;
}

static struct acl_entry acl_entry(const char *at)
{
	struct acl_entry x;

	memcpy(&x, at, sizeof(x));
	return (struct acl_entry){ le16toh(x.tag), le16toh(x.perm), le32toh(x.id) };
}

static uint32_t capability_revision(const char *value, size_t size)
{
	uint32_t magic;

	if (size < sizeof(magic))
		return 0;
	memcpy(&magic, value, sizeof(magic));
	return le32toh(magic) & VFS_CAP_REVISION_MASK;
}

/* --- are they what the kernel takes? -------------------------------------------------- */

/* Which tags may come after which; what names somebody wants a mask. */
static const char *acl_fault(const char *value, size_t size)
{
	static const struct {
		uint16_t tag, after;
	} order[] = {
		{ ACL_USER_OBJ, 0 },
		{ ACL_USER, ACL_USER_OBJ | ACL_USER },
		{ ACL_GROUP_OBJ, ACL_USER_OBJ | ACL_USER },
		{ ACL_GROUP, ACL_GROUP_OBJ | ACL_GROUP },
		{ ACL_MASK, ACL_GROUP_OBJ | ACL_GROUP },
		{ ACL_OTHER, ACL_GROUP_OBJ | ACL_GROUP | ACL_MASK },
	};
	bool masked = true;
	struct acl_entry x;
	uint16_t last = 0;
	size_t at, i;

	if (!acl_header(value, size))
		return "is no ACL";
	for (at = sizeof(uint32_t); at < size; at += sizeof(x), last = x.tag) {
		x = acl_entry(value + at);
		for (i = 0; i < MC_ARRAY_SIZE(order) && order[i].tag != x.tag; i++)
			;
		if (i == MC_ARRAY_SIZE(order) || x.perm & ~7)
			return "is an ACL with an entry that is none";
		if (last ? !(order[i].after & last) : order[i].after)
			return "is an ACL whose entries are not in their order";
		if ((x.tag == ACL_USER || x.tag == ACL_GROUP) && x.id == MC_NO_ID)
			return "is an ACL with an entry for nobody";
		masked = x.tag == ACL_MASK || (masked && x.tag != ACL_USER &&
					       x.tag != ACL_GROUP);
	}
	/* none at all takes the ACL away */
	if (last && (last != ACL_OTHER || !masked))
		return "is an ACL that lacks entries";
	return NULL;
}

static const char *capability_fault(const char *value, size_t size)
{
	uint32_t revision = capability_revision(value, size);

	return (revision == VFS_CAP_REVISION_2 && size == XATTR_CAPS_SZ_2) ||
	       (revision == VFS_CAP_REVISION_3 && size == XATTR_CAPS_SZ_3) ? NULL :
	       "is no file's capabilities";
}

/* Those that the kernel knows, whatever the filesystem: others it takes none of. */
static bool is_in_namespace(const char *name)
{
	static const char *const prefix[] = { "user.", "trusted.", "security." };
	size_t i, n;

	for (i = 0; i < MC_ARRAY_SIZE(prefix); i++) {
		n = strlen(prefix[i]);
		if (!strncmp(name, prefix[i], n))
			return name[n];
	}
	return is_acl(name);
}

const char *mc_attr_fault(const char *name, const void *value, size_t size, mode_t type)
{
	if (strlen(name) > XATTR_NAME_MAX)
		return "has too long a name";
	if (!is_in_namespace(name))
		return "is in no namespace that there is";
	if (size > XATTR_SIZE_MAX)
		return "is too large";
	/* sockets in young kernels only, see xattr_permission() */
	if (!strncmp(name, "user.", 5) && !S_ISREG(type) && !S_ISDIR(type) && !S_ISSOCK(type))
		return "is one that only regular files, directories and sockets have";
	if (is_acl(name) && S_ISLNK(type))
		return "is an ACL, which symbolic links have not";
	if (!strcmp(name, ACL_DEFAULT) && !S_ISDIR(type))
		return "is an ACL for what is made in a directory, which it is not";
	if (is_acl(name))
		return acl_fault(value, size);
	return strcmp(name, CAPABILITY) ? NULL : capability_fault(value, size);
}

/* --- ids -------------------------------------------------------------------------------- */

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
	size_t at;

	for (at = sizeof(uint32_t); acl_header(value, size) && at < size; at += sizeof(x)) {
		x = acl_entry(value + at);
		if (x.tag == ACL_USER || x.tag == ACL_GROUP)
			shift_at(s, x.tag == ACL_GROUP,
				 value + at + offsetof(struct acl_entry, id));
	}
}

void mc_attr_shift(const char *name, void *value, size_t size, const struct mc_shifts *s)
{
	if (is_acl(name))
		shift_acl(s, value, size);
	/* whose root they are of; those of the initial one do not say */
	else if (!strcmp(name, CAPABILITY) && size == XATTR_CAPS_SZ_3 &&
		 capability_revision(value, size) == VFS_CAP_REVISION_3)
		shift_at(s, false, (char *)value + offsetof(struct vfs_ns_cap_data, rootid));
}
