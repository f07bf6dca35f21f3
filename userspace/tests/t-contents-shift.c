// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Ids of an archive's entry that are moved: each where it stands, and what has none is
 * left alone.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <archive.h>
#include <archive_entry.h>
#include <endian.h>
#include <linux/capability.h>

#include "base/base.h"
#include "contents/contents.h"
#include "tap.h"

#define ACCESS		"system.posix_acl_access"
#define DEFAULT		"system.posix_acl_default"
#define CAPS		"security.capability"

static const struct mc_shift list[] = {
	{ .from = 1000, .count = 10, .to = 3000 },
	{ .gid = true, .from = 1000, .count = 10, .to = 5000 },
};
static const struct mc_shifts moved = { 2, list };

/* As the kernel hands them out: a version, a user, a group, and nobody's mask. */
struct acl {
	uint32_t version;
	struct {
		uint16_t tag, perm;
		uint32_t id;
	} x[3];
};

static struct acl acl(uint32_t uid, uint32_t gid)
{
	return (struct acl){ htole32(2), {
		{ htole16(0x02), htole16(7), htole32(uid) },
		{ htole16(0x08), htole16(5), htole32(gid) },
		{ htole16(0x10), htole16(7), htole32(1003) } } };
}

static struct vfs_ns_cap_data caps(uint32_t root)
{
	return (struct vfs_ns_cap_data){
		.magic_etc = htole32(VFS_CAP_REVISION_3), .rootid = htole32(root),
	};
}

static struct archive_entry *entry(la_int64_t uid, la_int64_t gid)
{
	struct archive_entry *a = archive_entry_new();

	REQUIRE(a);
	archive_entry_set_uid(a, uid);
	archive_entry_set_gid(a, gid);
	return a;
}

static void has_ids(struct archive_entry *a, la_int64_t uid, la_int64_t gid)
{
	REQUIRE(!mc_entry_shift(a, &moved));
	CHECK_EQ(archive_entry_uid(a), uid);
	CHECK_EQ(archive_entry_gid(a), gid);
	archive_entry_free(a);
}

static void who_owns_it(void)
{
	has_ids(entry(1001, 1002), 3001, 5002);
	/* the one and not the other */
	has_ids(entry(1009, 7), 3009, 7);
	has_ids(entry(7, 1000), 7, 5000);
	/* just outside */
	has_ids(entry(999, 1010), 999, 1010);
	has_ids(entry(1010, 999), 1010, 999);
}

/* That attribute alone; then it has the other value. */
static void becomes(const char *name, const void *was, const void *is, size_t size)
{
	struct archive_entry *a = entry(0, 0);
	const char *key = NULL;
	const void *value = NULL;
	size_t n = 0;

	archive_entry_xattr_add_entry(a, name, was, size);
	REQUIRE(!mc_entry_shift(a, &moved));
	CHECK_EQ(archive_entry_xattr_count(a), 1);
	archive_entry_xattr_reset(a);
	REQUIRE(archive_entry_xattr_next(a, &key, &value, &n) == ARCHIVE_OK);
	CHECK_STR(key, name);
	REQUIRE(n == size);
	CHECK(!memcmp(value, is, size));
	archive_entry_free(a);
}

/* Each may be the only one that there is. */
static void what_has_ids(void)
{
	struct acl was = acl(1004, 1005), is = acl(3004, 5005);
	struct vfs_ns_cap_data from = caps(1006), to = caps(3006);

	becomes(ACCESS, &was, &is, sizeof(was));
	becomes(DEFAULT, &was, &is, sizeof(was));
	becomes(CAPS, &from, &to, sizeof(from));
}

/* One of another form, or name, is no list of ids. */
static void what_has_none(void)
{
	struct acl was = acl(1004, 1005);
	struct vfs_ns_cap_data from = caps(1006);

	becomes("user.posix_acl_access", &was, &was, sizeof(was));
	was.version = htole32(3);
	becomes(ACCESS, &was, &was, sizeof(was));
	becomes(DEFAULT, "abc", "abc", 3);
	becomes(CAPS, &from, &from, XATTR_CAPS_SZ_2);
	from.magic_etc = htole32(VFS_CAP_REVISION_2);
	becomes(CAPS, &from, &from, sizeof(from));
}

static void all_of_them(void)
{
	struct acl was = acl(1004, 1005), is = acl(3004, 5005);
	struct vfs_ns_cap_data from = caps(1006), to = caps(3006);
	struct archive_entry *a = entry(0, 0);
	const char *key;
	const void *value;
	unsigned int seen = 0;
	size_t n;

	archive_entry_xattr_add_entry(a, "user.one", "1000", 4);
	archive_entry_xattr_add_entry(a, DEFAULT, &was, sizeof(was));
	archive_entry_xattr_add_entry(a, CAPS, &from, sizeof(from));
	archive_entry_xattr_add_entry(a, ACCESS, &was, sizeof(was));
	REQUIRE(!mc_entry_shift(a, &moved));
	CHECK_EQ(archive_entry_xattr_count(a), 4);
	archive_entry_xattr_reset(a);
	while (archive_entry_xattr_next(a, &key, &value, &n) == ARCHIVE_OK) {
		if (!strcmp(key, "user.one") && n == 4 && !memcmp(value, "1000", 4))
			seen |= 1;
		else if (!strcmp(key, DEFAULT) && n == sizeof(is) && !memcmp(value, &is, n))
			seen |= 2;
		else if (!strcmp(key, ACCESS) && n == sizeof(is) && !memcmp(value, &is, n))
			seen |= 4;
		else if (!strcmp(key, CAPS) && n == sizeof(to) && !memcmp(value, &to, n))
			seen |= 8;
	}
	CHECK_EQ(seen, 15);
	archive_entry_free(a);
}

int main(void)
{
	TAP_RUN(who_owns_it);
	TAP_RUN(what_has_ids);
	TAP_RUN(what_has_none);
	TAP_RUN(all_of_them);
	return tap_done();
}
