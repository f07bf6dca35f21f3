// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What members of an archive may be like: said once, for those who make files of
 * them and for those who only ask whether that would work.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <archive.h>
#include <archive_entry.h>
#include <endian.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "contents/contents.h"

int mc_rules_fail(const struct mc_rules *r, enum mntcr_code code, int err,
		  const char *what)
{
	char esc[400];

	if (r->unlinked)
		return mc_fail(r->e, code, err, "contents of %s %u:%u: unlinked root %u: %s",
			       r->sb->type, r->sb->major, r->sb->minor, r->unlinked,
			       what);
	return mc_fail(r->e, code, err, "contents of %s %u:%u: /%s: %s",
		       r->sb->type, r->sb->major, r->sb->minor,
		       mc_escape(r->name, esc, sizeof(esc)), what);
}

int mc_rules_bad(const struct mc_rules *r, const char *what)
{
	return mc_rules_fail(r, MNTCR_BAD_IMAGE, 0, what);
}

int mc_rules_attr(const struct mc_rules *r, enum mntcr_code code, int err,
		  const char *key, const char *what)
{
	char esc[300], text[500];

	snprintf(text, sizeof(text), "its attribute %s %s", mc_escape(key, esc, sizeof(esc)),
		 what);
	return mc_rules_fail(r, code, err, text);
}

int mc_rules_start(struct mc_rules *r, const struct mc_sb *sb, struct mntcr_error *e)
{
	*r = (struct mc_rules){ .sb = sb, .e = e, .name = "" };
	r->last = malloc(MC_MAX_MEMBER_NAME + 1);
	if (!r->last)
		return mc_nomem(e);
	*r->last = '\0';
	return 0;
}

void mc_rules_end(struct mc_rules *r)
{
	free(r->last);
	r->last = NULL;
}

/* --- its place ------------------------------------------------------------------ */

static bool is_below(const char *path, const char *dir, size_t len)
{
	return !len || (!strncmp(path, dir, len) && path[len] == '/');
}

static uint32_t components(const char *path, size_t len)
{
	uint32_t n = len > 0;

	while (len--)
		n += path[len] == '/';
	return n;
}

/*
 * Directories that are open on the way to one in this one; from a directory that is
 * no member on, it is a new way.
 */
static uint32_t depth(struct mc_rules *r, const char *path, size_t len)
{
	size_t at = r->last_is_dir ? strlen(r->last) : mc_member_dir(r->last);

	if (!r->any || len < r->bottom || len > at ||
	    (len && (strncmp(path, r->last, len) ||
		     (r->last[len] && r->last[len] != '/'))))
		r->bottom = len;
	return components(path, len) - components(path, r->bottom) + 1;
}

static int check_place(struct mc_rules *r, const char *path, bool dir)
{
	size_t len = strlen(path), up = mc_member_dir(path);
	uint32_t n;
	int c = r->any ? mc_member_cmp(path, r->last) : 1;

	if (!len) {
		if (r->any || !dir)
			return mc_rules_bad(r, "the root is a directory, and the first");
		r->bottom = 0;
		return 0;
	}
	if (!c || (c < 0 && is_below(r->last, path, len)))
		return mc_rules_bad(r, "is there already");
	if (c < 0)
		return mc_rules_bad(r, "comes after what it has to be before");
	if (r->any && !r->last_is_dir && *r->last &&
	    is_below(path, r->last, strlen(r->last)))
		return mc_rules_bad(r, "lies behind what is no directory");
	n = depth(r, path, up);
	if (n > MC_MAX_DIR_DEPTH || (dir && n == MC_MAX_DIR_DEPTH))
		return mc_rules_bad(r, "is in too many directories");
	return 0;
}

/* --- what it is like -------------------------------------------------------------- */

bool mc_rules_handle(struct archive_entry *entry, int *type, const void **handle,
		     size_t *size)
{
	const char *key;
	const void *value;
	uint32_t le;

	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &key, &value, size) == ARCHIVE_OK) {
		if (!key || strcmp(key, MC_CONTENTS_HANDLE) || *size < 4)
			continue;
		memcpy(&le, value, 4);
		*type = (int)le32toh(le);
		*handle = (const char *)value + 4;
		*size -= 4;
		return true;
	}
	return false;
}

bool mc_rules_is_socket(struct archive_entry *entry)
{
	const char *key;
	const void *value;
	size_t size;

	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &key, &value, &size) == ARCHIVE_OK)
		if (key && !strcmp(key, MC_CONTENTS_SOCKET))
			return true;
	return false;
}

static int check_xattrs(struct mc_rules *r, struct archive_entry *entry)
{
	mode_t type = mc_rules_is_socket(entry) ? S_IFSOCK : archive_entry_filetype(entry);
	const char *key, *fault;
	const void *value;
	size_t size;

	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &key, &value, &size) == ARCHIVE_OK) {
		if (!key || !*key)
			return mc_rules_bad(r, "has an attribute without a name");
		if (!strcmp(key, MC_CONTENTS_SOCKET) &&
		    archive_entry_filetype(entry) == AE_IFREG)
			continue;
		if (!strcmp(key, MC_CONTENTS_HANDLE) && r->unlinked &&
		    mc_type_on_device(r->sb->type) && size > 4 &&
		    size <= 4 + MC_MAX_HANDLE && !S_ISDIR(type))
			continue;
		fault = !strncmp(key, "mntcr.", 6) ? "is a mark that is not known" :
			mc_attr_fault(key, value, size, type);
		if (fault)
			return mc_rules_attr(r, MNTCR_BAD_IMAGE, 0, key, fault);
	}
	return 0;
}

/* Those that can be set there; which ones a filesystem on a device has, only that knows. */
static unsigned long known_flags(const struct mc_rules *r, struct archive_entry *entry)
{
	mode_t type = archive_entry_filetype(entry);

	if ((type != AE_IFREG && type != AE_IFDIR) || mc_rules_is_socket(entry) ||
	    !strcmp(r->sb->type, "ramfs"))
		return 0;
	return mc_type_in_memory(r->sb->type) ? FS_IMMUTABLE_FL | FS_APPEND_FL |
	       FS_NODUMP_FL | FS_NOATIME_FL : FS_FL_USER_MODIFIABLE;
}

/* In words; those that nobody knows are not among the numbers. */
static int check_flags(struct mc_rules *r, struct archive_entry *entry)
{
	const char *text = archive_entry_fflags_text(entry);
	unsigned long set = 0, clear = 0;
	struct archive_entry *again;
	char esc[300], what[400];
	bool known;

	if (!text)
		return 0;
	again = archive_entry_new();
	if (!again)
		return mc_nomem(r->e);
	known = !archive_entry_copy_fflags_text(again, text);
	archive_entry_free(again);
	archive_entry_fflags(entry, &set, &clear);
	if (known && !(set & ~known_flags(r, entry)))
		return 0;
	snprintf(what, sizeof(what), "its inode flags %s are none that it can have",
		 mc_escape(text, esc, sizeof(esc)));
	return mc_rules_bad(r, what);
}

/* Only what is a regular file, and comes from the archive, has any. */
static int check_data(struct mc_rules *r, struct archive_entry *entry)
{
	const void *handle;
	size_t size;
	int type;

	if (archive_entry_size(entry) <= 0 ||
	    (archive_entry_filetype(entry) == AE_IFREG && !mc_rules_is_socket(entry) &&
	     !mc_rules_handle(entry, &type, &handle, &size)))
		return 0;
	return mc_rules_bad(r, "has data, and is nothing that has any");
}

static int check_size(struct mc_rules *r, struct archive_entry *entry)
{
	if (archive_entry_size(entry) < 0)
		return mc_rules_bad(r, "has no size");
	return (uint64_t)archive_entry_size(entry) > MC_MAX_SIZE ?
	       mc_rules_bad(r, "is larger than a file of an image may be") : 0;
}

static int check_target(struct mc_rules *r, const char *target)
{
	if (!target || !*target)
		return mc_rules_bad(r, "is a symbolic link to nothing");
	return strlen(target) > MC_MAX_TARGET ?
	       mc_rules_bad(r, "is a symbolic link to a longer path than there may be") : 0;
}

static int check_type(struct mc_rules *r, struct archive_entry *entry)
{
	switch (archive_entry_filetype(entry)) {
	case AE_IFDIR:
	case AE_IFIFO:
		return 0;
	case AE_IFREG:
		return check_size(r, entry);
	case AE_IFLNK:
		return check_target(r, archive_entry_symlink(entry));
	case AE_IFCHR:
		if (mc_type_of_layers(r->sb->type) && !archive_entry_rdevmajor(entry) &&
		    !archive_entry_rdevminor(entry))
			return mc_rules_bad(r, "is a whiteout, which an overlay shows to nobody");
		/* fall through */
	case AE_IFBLK:
		return archive_entry_rdevmajor(entry) > MC_MAX_MAJOR ||
		       archive_entry_rdevminor(entry) > MC_MAX_MINOR ?
		       mc_rules_bad(r, "has a device number that is none") : 0;
	}
	return mc_rules_bad(r, "is of a type that is not known");
}

static int check_like(struct mc_rules *r, struct archive_entry *entry)
{
	la_int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);

	if (check_type(r, entry) || check_data(r, entry) || check_flags(r, entry))
		return -1;
	if (uid < 0 || gid < 0 || uid >= MC_NO_ID || gid >= MC_NO_ID)
		return mc_rules_bad(r, "has an owner that is none");
	return check_xattrs(r, entry);
}

/* --- links ------------------------------------------------------------------------- */

static int check_link(struct mc_rules *r, struct archive_entry *entry)
{
	return archive_entry_size(entry) > 0 ?
	       mc_rules_bad(r, "is a link, and has data of its own") : 0;
}

int mc_rules_link(struct mc_rules *r, char *target, char **path, uint32_t *unlinked)
{
	uint32_t major, minor;

	*unlinked = 0;
	if (r->unlinked && mc_member_unlinked(target, &major, &minor, unlinked)) {
		if (major != r->sb->major || minor != r->sb->minor)
			return mc_rules_bad(r, "is a link to what is no file of its superblock");
		return *unlinked < r->unlinked ? 0 :
		       mc_rules_no_link(r, MC_LINK_MISSING);
	}
	if (!mc_member_name(target, &major, &minor, path) || !**path ||
	    major != r->sb->major || minor != r->sb->minor)
		return mc_rules_bad(r, "is a link to what is no file of its superblock");
	/* others give names there: which file one means is not the archive's to say */
	if (mc_type_on_device(r->sb->type))
		return mc_rules_bad(r, "is a link to what is on its device");
	return 0;
}

int mc_rules_no_link(struct mc_rules *r, enum mc_no_link why)
{
	static const char *const what[] = {
		[MC_LINK_NOWHERE] = "is a link to what lies behind no directory",
		[MC_LINK_MISSING] = "is a link to what is not there",
		[MC_LINK_DIRECTORY] = "is a link to a directory",
	};

	return mc_rules_bad(r, what[why]);
}

int mc_rules_missing(const struct mc_rules *r)
{
	return mc_fail(r->e, MNTCR_BAD_IMAGE, 0,
		       "contents of %s %u:%u: not all unlinked roots of mounts are in it",
		       r->sb->type, r->sb->major, r->sb->minor);
}

int mc_rules_no_way(const struct mc_rules *r, const char *what)
{
	return mc_refuse(r->e, "deleted-root",
			 "contents of %s %u:%u: unlinked root %u: %s",
			 r->sb->type, r->sb->major, r->sb->minor, r->unlinked, what);
}

int mc_rules_no_name(const struct mc_rules *r, const char *what)
{
	return mc_refuse(r->e, "deleted-root",
			 "contents of %s %u:%u: unlinked root %u: it had another name, %s",
			 r->sb->type, r->sb->major, r->sb->minor, r->unlinked, what);
}

/* --- one after the other ------------------------------------------------------------- */

int mc_rules_member(struct mc_rules *r, const char *path, struct archive_entry *entry)
{
	bool link = archive_entry_hardlink(entry);
	bool dir = !link && archive_entry_filetype(entry) == AE_IFDIR;

	r->name = path;
	if (mc_type_on_device(r->sb->type))
		return mc_rules_bad(r, "is on its device, which has it");
	if (mc_type_of_layers(r->sb->type))
		return mc_rules_bad(r, "is in its layers, which have it");
	if (check_place(r, path, dir) || (link ? check_link : check_like)(r, entry))
		return -1;
	strcpy(r->last, path);
	r->last_is_dir = dir;
	r->any = true;
	return 0;
}

int mc_rules_unlinked(struct mc_rules *r, struct archive_entry *entry)
{
	unsigned long flags = 0, none;

	archive_entry_fflags(entry, &flags, &none);
	if (flags & (FS_IMMUTABLE_FL | FS_APPEND_FL))
		return mc_rules_bad(r, "has inode flags with which it could not be unlinked");
	return archive_entry_hardlink(entry) ? check_link(r, entry) : check_like(r, entry);
}

/* Bytes that are no hole; libarchive leaves out of the map what overlaps. */
static uint64_t mapped_data(struct archive_entry *entry)
{
	la_int64_t at, n;
	uint64_t sum = 0;

	if (!archive_entry_sparse_reset(entry))
		return (uint64_t)archive_entry_size(entry);
	while (archive_entry_sparse_next(entry, &at, &n) == ARCHIVE_OK)
		sum += (uint64_t)n;
	return sum;
}

int mc_rules_data(struct mc_rules *r, struct archive *a, struct archive_entry *entry,
		  int (*block)(void *data, const char *p, size_t n, int64_t at),
		  void *data)
{
	la_int64_t size = archive_entry_size(entry), at;
	uint64_t data_size = mapped_data(entry), sum = 0;
	const void *buf;
	size_t n;
	int ret;

	while ((ret = archive_read_data_block(a, &buf, &n, &at)) == ARCHIVE_OK) {
		if (at < 0 || at > size || n > (uint64_t)(size - at))
			return mc_rules_bad(r, "has data beyond its size");
		if (block && block(data, buf, n, at))
			return -1;
		sum += n;
	}
	if (ret == ARCHIVE_EOF && sum != data_size)
		return mc_rules_bad(r, "has more or less data than its map says");
	if (ret == ARCHIVE_EOF)
		return 0;
	return mc_rules_bad(r, archive_error_string(a) ? archive_error_string(a) :
			    "is damaged");
}

int mc_rules_next(struct mc_rules *r, struct mc_members *m,
		  struct archive_entry **entry, char **name, char **path)
{
	uint32_t major, minor, nr;
	int ret = mc_members_next(m, entry, r->e);

	*name = *path = NULL;
	if (ret <= 0)
		return ret;
	*name = archive_entry_pathname(*entry) ?
		strdup(archive_entry_pathname(*entry)) : NULL;
	if (!*name)
		return mc_nomem(r->e);
	if (mc_member_unlinked(*name, &major, &minor, &nr) &&
	    major == r->sb->major && minor == r->sb->minor) {
		if (nr > r->unlinked) {
			r->unlinked = nr;
			return 1;
		}
		r->unlinked = nr;
		mc_rules_bad(r, "comes after what it has to be before");
		ret = -1;
	} else if (!mc_member_name(*name, &major, &minor, path) ||
		   major != r->sb->major || minor != r->sb->minor) {
		ret = 0;	/* of the next superblock: all names have been checked */
	} else if (r->unlinked) {
		r->unlinked = 0;
		r->name = *path;
		mc_rules_bad(r, "comes after what it has to be before");
		ret = -1;
	} else {
		return 1;
	}
	r->name = "";
	free(*name);
	*name = NULL;
	return ret;
}
