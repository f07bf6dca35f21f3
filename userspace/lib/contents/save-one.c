// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One file of a live filesystem, with all that it has, as a member of an archive.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <archive.h>
#include <archive_entry.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "contents/save.h"

/* Each is in memory some five times while its file's header is written, 200 bytes in all. */
#define MAX_PIECES	(1U << 20)

/* So much of a header may be other than its name, which is said twice, and attributes. */
#define HEADER_BESIDE	(MC_MAX_TARGET + 1024)

int mc_save_check_owner(struct mc_save *s, const struct stat *st)
{
	if ((st->st_uid == MC_OVERFLOW_ID && !s->overflow_uid) ||
	    (st->st_gid == MC_OVERFLOW_ID && !s->overflow_gid))
		return mc_save_refuse(s, "unmapped-owner",
				      "its owner is nobody in the dumper's user namespace");
	return 0;
}

/* What it takes there: the name with escapes, the value in base 64. */
static size_t in_header(const char *key, size_t size)
{
	size_t n = strlen("1048576 LIBARCHIVE.xattr.=\n") + (size * 4 + 2) / 3;

	for (; *key; key++)
		n += *key < 33 || *key > 126 || *key == '%' || *key == '=' ? 3 : 1;
	return n;
}

static int add_xattr(struct mc_save *s, struct archive_entry *entry, int fd,
		     const char *proc, const char *name, const char *key)
{
	ssize_t n = fd >= 0 ? fgetxattr(fd, key, s->xvalue, XATTR_SIZE_MAX) :
		    name ? lgetxattr(proc, key, s->xvalue, XATTR_SIZE_MAX) :
		    getxattr(proc, key, s->xvalue, XATTR_SIZE_MAX);
	int err = errno;
	char esc[300], what[400];

	if (n < 0) {
		snprintf(what, sizeof(what), "reading its attribute %s",
			 mc_escape(key, esc, sizeof(esc)));
		errno = err;
		return mc_save_by_name(s, name, what);
	}
	s->header += in_header(key, (size_t)n);
	if (s->header > MC_MAX_HEADER)
		return mc_save_refuse(s, "attributes-too-large",
				      "with its extended attributes, what is said of it takes more than the 1 MiB of an archive that is read back");
	archive_entry_xattr_add_entry(entry, key, s->xvalue, (size_t)n);
	return 0;
}

/* Without a descriptor that may be read from, by a path; name NULL: dir is it. */
static int add_xattrs(struct mc_save *s, struct archive_entry *entry, int dir,
		      const char *name, int fd)
{
	char proc[64 + 256];
	const char *p;
	ssize_t n;

	snprintf(proc, sizeof(proc), name ? "/proc/self/fd/%d/%s" : "/proc/self/fd/%d",
		 dir, name);
	n = fd >= 0 ? flistxattr(fd, s->xlist, XATTR_LIST_MAX) :
	    name ? llistxattr(proc, s->xlist, XATTR_LIST_MAX) :
	    listxattr(proc, s->xlist, XATTR_LIST_MAX);
	if (n < 0 && errno == E2BIG)
		return mc_save_refuse(s, "attributes-too-large",
				      "the names of its extended attributes are more than the kernel lists");
	if (n < 0)
		return errno == EOPNOTSUPP ? 0 :
		       mc_save_by_name(s, name, "listing extended attributes");
	s->header = 2 * s->path.len + HEADER_BESIDE;
	for (p = s->xlist; p < s->xlist + n; p += strlen(p) + 1)
		if (add_xattr(s, entry, fd, proc, name, p))
			return -1;
	return 0;
}

static int add_flags(struct mc_save *s, struct archive_entry *entry, int fd)
{
	int flags = 0;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags))
		return errno == ENOTTY || errno == EOPNOTSUPP ||
		       errno == EINVAL ? 0 : mc_save_sys(s, "its inode flags");
	flags &= FS_FL_USER_MODIFIABLE;
	if (flags)
		archive_entry_set_fflags(entry, (unsigned long)flags, 0);
	return 0;
}

/* Of a hole, libarchive is told in steps, which takes its time. */
static int count_hole(struct mc_save *s, int64_t len)
{
	if ((uint64_t)len > MC_MAX_HOLES - s->nr_holes)
		return mc_save_refuse(s, "holes-too-large",
				      "with its holes, those of all files are more than the 2^56 bytes that an image may have");
	s->nr_holes += (uint64_t)len;
	return 0;
}

static int add_piece(struct mc_save *s, int64_t at, int64_t len)
{
	if (s->nr_pieces == MAX_PIECES)
		return mc_save_refuse(s, "too-many-holes",
				      "its data is in more pieces, with holes between them, than the 2^20 that a file in an image may have");
	if (!mc_grow(&s->pieces, s->nr_pieces, &s->max_pieces, sizeof(*s->pieces)))
		return mc_nomem(s->e);
	s->pieces[s->nr_pieces++] = (struct piece){ at, len };
	return 0;
}

/* Where its data is: everything, in one piece, where that cannot be asked for. */
static int find_pieces(struct mc_save *s, int fd, int64_t size)
{
	int64_t at = 0, data, hole;

	s->nr_pieces = 0;
	while (at < size) {
		data = lseek(fd, at, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break;
		if (data < 0)
			return mc_save_sys(s, "SEEK_DATA");
		if (data >= size)
			break;
		hole = lseek(fd, data, SEEK_HOLE);
		if (hole < 0)
			return mc_save_sys(s, "SEEK_HOLE");
		if (hole > size)
			hole = size;
		if (count_hole(s, data - at) || add_piece(s, data, hole - data))
			return -1;
		at = hole;
	}
	return count_hole(s, size - at);
}

static void add_sparse(struct mc_save *s, struct archive_entry *entry,
		       int64_t size)
{
	uint32_t i;

	if (!size || (s->nr_pieces == 1 && s->pieces[0].len == size))
		return;
	for (i = 0; i < s->nr_pieces; i++)
		archive_entry_sparse_add_entry(entry, s->pieces[i].at,
					       s->pieces[i].len);
	if (!s->nr_pieces)
		archive_entry_sparse_add_entry(entry, size, 0);
}

static int put_hole(struct mc_save *s, int64_t len)
{
	size_t n;

	for (; len > 0; len -= (int64_t)n) {
		n = (uint64_t)len > s->nr_zeroes ? s->nr_zeroes : (size_t)len;
		if (mc_save_data(s, s->zeroes, n))
			return -1;
	}
	return 0;
}

static int put_data(struct mc_save *s, int fd, int64_t size)
{
	static const size_t chunk = 65536;
	int64_t at = 0, end;
	char buf[65536];
	uint32_t i;
	ssize_t n;

	for (i = 0; i < s->nr_pieces; i++) {
		if (put_hole(s, s->pieces[i].at - at))
			return -1;
		at = s->pieces[i].at;
		for (end = at + s->pieces[i].len; at < end; at += n) {
			n = pread(fd, buf, end - at < (int64_t)chunk ?
				  (size_t)(end - at) : chunk, at);
			if (n < 0 && errno == EINTR)
				n = 0;
			else if (n < 0)
				return mc_save_sys(s, "reading");
			else if (!n)
				return mc_save_changed(s);
			if (n && mc_save_data(s, buf, (size_t)n))
				return -1;
			s->nr_bytes += (uint64_t)n;
		}
	}
	return put_hole(s, size - at);
}

uint64_t mc_save_key(const struct stat *st)
{
	return mc_inode_key(minor(st->st_dev), st->st_ino);
}

int mc_save_add_link(struct mc_save *s)
{
	if (!mc_grow(&s->links, s->nr_links, &s->max_links, sizeof(*s->links)))
		return mc_nomem(s->e);
	s->links[s->nr_links] = strdup(s->path.data);
	if (!s->links[s->nr_links])
		return mc_nomem(s->e);
	s->nr_links++;
	return 0;
}

int mc_save_known_link(struct mc_save *s, const struct stat *st,
		       struct archive_entry *entry)
{
	uint32_t at = s->nr_links;

	if (S_ISDIR(st->st_mode) ||
	    (st->st_nlink < 2 && !mc_map_get(s->expected, mc_save_key(st), &at)))
		return 0;
	at = s->nr_links;
	switch (mc_map_add(s->by_ino, mc_save_key(st), &at)) {
	case 1:
		archive_entry_set_hardlink(entry, s->links[at]);
		archive_entry_set_size(entry, 0);
		return mc_save_header(s, entry) ? -1 : 1;
	case -1:
		return mc_nomem(s->e);
	}
	return mc_save_add_link(s);
}

static int set_target(struct mc_save *s, int dir, const char *name,
		      struct archive_entry *entry)
{
	char target[MC_MAX_TARGET + 2];
	ssize_t n = readlinkat(dir, name ? name : "", target, sizeof(target));

	if (n < 0)
		return mc_save_by_name(s, name, "readlink");
	if ((size_t)n == sizeof(target))
		return mc_save_changed(s);
	target[n] = '\0';
	archive_entry_set_symlink(entry, target);
	return 0;
}

void mc_save_set_stat(const struct mc_save *s, struct archive_entry *entry,
		      const struct stat *st)
{
	archive_entry_set_pathname(entry, s->path.data);
	archive_entry_set_filetype(entry, st->st_mode & S_IFMT);
	archive_entry_set_perm(entry, st->st_mode & MC_MODE_ALL);
	archive_entry_set_uid(entry, st->st_uid);
	archive_entry_set_gid(entry, st->st_gid);
	archive_entry_set_atime(entry, st->st_atim.tv_sec, st->st_atim.tv_nsec);
	archive_entry_set_mtime(entry, st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	archive_entry_set_size(entry, S_ISREG(st->st_mode) ? st->st_size : 0);
	if (mc_mode_is_device(st->st_mode)) {
		archive_entry_set_rdevmajor(entry, major(st->st_rdev));
		archive_entry_set_rdevminor(entry, minor(st->st_rdev));
	}
}

void mc_save_set_socket(struct archive_entry *entry)
{
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_xattr_add_entry(entry, MC_CONTENTS_SOCKET, "1", 1);
}

int mc_save_one(struct mc_save *s, struct archive_entry *entry, int dir,
		const char *name, int fd, const struct stat *st)
{
	int ret;

	if (mc_save_check_owner(s, st))
		return -1;
	mc_save_set_stat(s, entry, st);
	ret = mc_save_known_link(s, st, entry);
	if (ret)
		return ret < 0 ? -1 : 0;
	if (add_xattrs(s, entry, dir, name, fd))
		return -1;
	if (fd >= 0 && add_flags(s, entry, fd))
		return -1;
	if (S_ISLNK(st->st_mode) && set_target(s, dir, name, entry))
		return -1;
	if (S_ISSOCK(st->st_mode))
		mc_save_set_socket(entry);
	if (!S_ISREG(st->st_mode))
		return mc_save_header(s, entry);
	if (find_pieces(s, fd, st->st_size))
		return -1;
	add_sparse(s, entry, st->st_size);
	return mc_save_header(s, entry) || put_data(s, fd, st->st_size) ? -1 : 0;
}
