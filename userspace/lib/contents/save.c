// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Files of a live filesystem into an archive, one directory after the other.  What
 * is in memory at a time: the names of the directories on the way, and of what
 * has several links.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <endian.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "contents/contents.h"

/* With more pieces than these, holes are written out as what they read as. */
#define MAX_PIECES	65536

/* Zeroes to say a hole with: pages that nobody has written to are one page. */
#define HOLE_CHUNK	(16U << 20)

struct piece {
	int64_t at, len;
};

struct level {
	int fd;
	uint64_t mnt_id;	/* only where something may be covered */
	char **names;
	uint32_t nr, next;
	size_t len;		/* of the path up to here */
};

struct mc_save {
	FILE *out;
	bool broken;
	struct archive *a;
	struct mntcr_error *e;
	const struct mc_sb *sb;
	const struct mc_elsewhere *elsewhere;
	size_t prefix;		/* of path, before that in the superblock */
	struct mc_buf path;	/* of the member at hand */
	struct level *levels;
	uint32_t nr_levels, max_levels;
	uint32_t nr_members;
	uint64_t nr_bytes;	/* of data, without holes */
	/* by inode: what has several links, under its first name */
	struct mc_map *by_ino;
	struct mc_map *expected;	/* inodes of unlinked roots, also with one link */
	char **links;
	uint32_t nr_links, max_links;
	struct piece *pieces;
	uint32_t nr_pieces, max_pieces;
	char *xlist, *xvalue;
	const char *zeroes;
	bool overflow_uid, overflow_gid;	/* is an id of its own here */
};

static const char *where(const struct mc_save *s, char *buf, size_t size)
{
	return mc_escape(s->path.data + strlen(MC_CONTENTS_PREFIX), buf, size);
}

static int sys(struct mc_save *s, const char *what)
{
	int err = errno;
	char esc[400];

	return mc_fail(s->e, MNTCR_SYS, err, "contents of %s %s: %s", s->sb->type,
		       where(s, esc, sizeof(esc)), what);
}

static int changed(struct mc_save *s)
{
	char esc[400];

	return mc_fail(s->e, MNTCR_CHANGED, 0,
		       "contents of %s %s: changed while it was read", s->sb->type,
		       where(s, esc, sizeof(esc)));
}

/* Of a name that was there a moment ago, and no link where none may be; NULL: of none. */
static int by_name(struct mc_save *s, const char *name, const char *what)
{
	return name && (errno == ENOENT || errno == ELOOP) ? changed(s) : sys(s, what);
}

static int refuse(struct mc_save *s, const char *rule, const char *what)
{
	char esc[400];

	return mc_refuse(s->e, rule, "contents of %s %s: %s", s->sb->type,
			 where(s, esc, sizeof(esc)), what);
}

static int archive_failed(struct mc_save *s, int ret)
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

/* --- one file ------------------------------------------------------------------ */

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

#define OVERFLOW_ID	65534

static int check_owner(struct mc_save *s, const struct stat *st)
{
	if ((st->st_uid == OVERFLOW_ID && !s->overflow_uid) ||
	    (st->st_gid == OVERFLOW_ID && !s->overflow_gid))
		return refuse(s, "unmapped-owner",
			      "its owner is nobody in the dumper's user namespace");
	return 0;
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
		return by_name(s, name, what);
	}
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
	if (n < 0)
		return errno == EOPNOTSUPP ? 0 :
		       by_name(s, name, "listing extended attributes");
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
		       errno == EINVAL ? 0 : sys(s, "its inode flags");
	flags &= FS_FL_USER_MODIFIABLE;
	if (flags)
		archive_entry_set_fflags(entry, (unsigned long)flags, 0);
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
			return sys(s, "SEEK_DATA");
		if (data >= size)
			break;
		hole = s->nr_pieces < MAX_PIECES ? lseek(fd, data, SEEK_HOLE) : size;
		if (hole < 0)
			return sys(s, "SEEK_HOLE");
		if (hole > size)
			hole = size;
		if (!mc_grow(&s->pieces, s->nr_pieces, &s->max_pieces,
			     sizeof(*s->pieces)))
			return mc_nomem(s->e);
		s->pieces[s->nr_pieces++] = (struct piece){ data, hole - data };
		at = hole;
	}
	return 0;
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

static int put(struct mc_save *s, const void *buf, size_t n)
{
	la_ssize_t done = archive_write_data(s->a, buf, n);

	if (done < 0)
		return archive_failed(s, ARCHIVE_FATAL);
	if ((size_t)done != n) {
		errno = EIO;
		return sys(s, "the archive takes less than its size");
	}
	return 0;
}

static int put_hole(struct mc_save *s, int64_t len)
{
	size_t n;

	for (; len > 0; len -= (int64_t)n) {
		n = len > HOLE_CHUNK ? HOLE_CHUNK : (size_t)len;
		if (put(s, s->zeroes, n))
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
				return sys(s, "reading");
			else if (!n)
				return changed(s);
			if (n && put(s, buf, (size_t)n))
				return -1;
			s->nr_bytes += (uint64_t)n;
		}
	}
	return put_hole(s, size - at);
}

static int header(struct mc_save *s, struct archive_entry *entry)
{
	if (++s->nr_members > MC_MAX_MEMBERS)
		return refuse(s, "too-many-files", "more than can be in an image");
	return archive_failed(s, archive_write_header(s->a, entry));
}

/* 1: it has been said under another name. */
static int known_link(struct mc_save *s, const struct stat *st,
		      struct archive_entry *entry)
{
	uint32_t at = s->nr_links;

	if (S_ISDIR(st->st_mode) ||
	    (st->st_nlink < 2 && !mc_map_get(s->expected, st->st_ino, &at)))
		return 0;
	at = s->nr_links;
	switch (mc_map_add(s->by_ino, st->st_ino, &at)) {
	case 1:
		archive_entry_set_hardlink(entry, s->links[at]);
		archive_entry_set_size(entry, 0);
		return header(s, entry) ? -1 : 1;
	case -1:
		return mc_nomem(s->e);
	}
	if (!mc_grow(&s->links, s->nr_links, &s->max_links, sizeof(*s->links)))
		return mc_nomem(s->e);
	s->links[s->nr_links] = strdup(s->path.data);
	if (!s->links[s->nr_links])
		return mc_nomem(s->e);
	s->nr_links++;
	return 0;
}

static int set_target(struct mc_save *s, int dir, const char *name,
		      struct archive_entry *entry)
{
	char target[MC_MAX_TARGET + 2];
	ssize_t n = readlinkat(dir, name ? name : "", target, sizeof(target));

	if (n < 0)
		return by_name(s, name, "readlink");
	if ((size_t)n == sizeof(target))
		return changed(s);
	target[n] = '\0';
	archive_entry_set_symlink(entry, target);
	return 0;
}

static void set_stat(const struct mc_save *s, struct archive_entry *entry,
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

/* fd: of a regular file or a directory, to read from; else -1. */
static int one(struct mc_save *s, struct archive_entry *entry, int dir,
	       const char *name, int fd, const struct stat *st)
{
	int ret;

	if (check_owner(s, st))
		return -1;
	set_stat(s, entry, st);
	ret = known_link(s, st, entry);
	if (ret)
		return ret < 0 ? -1 : 0;
	if (add_xattrs(s, entry, dir, name, fd))
		return -1;
	if (fd >= 0 && add_flags(s, entry, fd))
		return -1;
	if (S_ISLNK(st->st_mode) && set_target(s, dir, name, entry))
		return -1;
	if (S_ISSOCK(st->st_mode)) {
		archive_entry_set_filetype(entry, AE_IFREG);
		archive_entry_xattr_add_entry(entry, MC_CONTENTS_SOCKET, "1", 1);
	}
	if (!S_ISREG(st->st_mode))
		return header(s, entry);
	if (find_pieces(s, fd, st->st_size))
		return -1;
	add_sparse(s, entry, st->st_size);
	return header(s, entry) || put_data(s, fd, st->st_size) ? -1 : 0;
}

/* --- directories ----------------------------------------------------------------- */

static void free_names(char **names, uint32_t nr)
{
	while (nr)
		free(names[--nr]);
	free(names);
}

static int cmp_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_names(struct mc_save *s, int fd, char ***names, uint32_t *nr)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	uint32_t max = 0;
	struct dirent *x;

	*names = NULL;
	*nr = 0;
	if (!d) {
		sys(s, "opendir");
		mc_close(copy);
		return -1;
	}
	for (errno = 0; (x = readdir(d)); errno = 0) {
		if (!strcmp(x->d_name, ".") || !strcmp(x->d_name, ".."))
			continue;
		if (!mc_grow(names, *nr, &max, sizeof(**names)))
			goto nomem;
		(*names)[*nr] = strdup(x->d_name);
		if (!(*names)[*nr])
			goto nomem;
		++*nr;
	}
	if (errno) {
		sys(s, "readdir");
		goto out;
	}
	closedir(d);
	if (*nr)
		qsort(*names, *nr, sizeof(**names), cmp_name);
	return 0;
nomem:
	mc_nomem(s->e);
out:
	closedir(d);
	free_names(*names, *nr);
	return -1;
}

/* Takes fd. */
static int push(struct mc_save *s, int fd)
{
	struct level l = { .fd = fd, .len = s->path.len };
	struct statx x;

	if (s->elsewhere) {
		if (mc_look(fd, STATX_MNT_ID, &x)) {
			sys(s, "statx");
			mc_close(fd);
			return -1;
		}
		l.mnt_id = x.stx_mnt_id;
	}
	if (s->nr_levels == MC_MAX_DIR_DEPTH - 1) {
		mc_close(fd);
		return refuse(s, "too-deep", "it is in too many directories");
	}
	if (read_names(s, fd, &l.names, &l.nr)) {
		mc_close(fd);
		return -1;
	}
	if (!mc_grow(&s->levels, s->nr_levels, &s->max_levels, sizeof(*s->levels))) {
		mc_close(fd);
		free_names(l.names, l.nr);
		return mc_nomem(s->e);
	}
	s->levels[s->nr_levels++] = l;
	return 0;
}

static void pop(struct mc_save *s)
{
	struct level *l = &s->levels[--s->nr_levels];

	free_names(l->names, l->nr);
	mc_close(l->fd);
}

static void cut(struct mc_save *s, size_t len)
{
	s->path.len = len;
	s->path.data[len] = '\0';
}

static int visit(struct mc_save *s, int dir, const char *name)
{
	struct archive_entry *entry;
	struct stat st, now;
	int fd = -1, ret = -1;

	if (s->path.len > MC_MAX_MEMBER_NAME - 1)
		return refuse(s, "too-deep", "its path is too long");
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return by_name(s, name, "stat");
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
		fd = openat(dir, *name ? name : ".", O_RDONLY | O_NOFOLLOW |
			    O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (fd < 0)
			return by_name(s, name, "opening it");
		if (fstat(fd, &now)) {
			sys(s, "stat");
			mc_close(fd);
			return -1;
		}
		if (now.st_ino != st.st_ino) {
			mc_close(fd);
			return changed(s);
		}
	}
	entry = archive_entry_new();
	if (entry)
		ret = one(s, entry, dir, *name ? name : ".", fd, &st);
	else
		mc_nomem(s->e);
	archive_entry_free(entry);
	if (!ret && S_ISDIR(st.st_mode))
		return push(s, fd);
	mc_close(fd);
	return ret;
}

static void forget_links(struct mc_save *s)
{
	while (s->nr_links)
		free(s->links[--s->nr_links]);
	mc_map_free(s->by_ino);
	s->by_ino = mc_map_new();
	mc_map_free(s->expected);
	s->expected = mc_map_new();
}

/* Whatever superblock there was before, its links are none of this one's. */
static int turn_to(struct mc_save *s, const struct mc_sb *sb, struct mntcr_error *e)
{
	if (s->sb != sb)
		forget_links(s);
	s->sb = sb;
	s->e = e;
	mc_buf_reset(&s->path);
	return s->by_ino && s->expected ? 0 : mc_nomem(e);
}

/* A root that is no directory: its clone cannot be opened to read, only reopened. */
static int visit_file(struct mc_save *s, int root)
{
	struct archive_entry *entry;
	char proc[40];
	struct stat st;
	int fd = -1, ret = -1;

	if (fstat(root, &st))
		return sys(s, "stat");
	if (!S_ISREG(st.st_mode))
		return refuse(s, "root-of-no-file",
			      "what is mounted of it is neither directory nor regular file");
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", root);
	fd = open(proc, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	entry = fd < 0 ? NULL : archive_entry_new();
	if (fd < 0)
		sys(s, "opening it");
	else if (!entry)
		mc_nomem(s->e);
	else
		ret = one(s, entry, -1, "", fd, &st);
	archive_entry_free(entry);
	mc_close(fd);
	return ret;
}

static int visit_root(struct mc_save *s, int root)
{
	struct stat st;

	if (fstat(root, &st))
		return sys(s, "stat");
	return S_ISDIR(st.st_mode) ? visit(s, root, "") : visit_file(s, root);
}

/*
 * What a mount is on that nobody can take away: no mount shows it, and so it only has
 * to be there, of the kind that can be mounted on, and like the directory it is in.
 */
static int nobody_sees(struct mc_save *s, int in, bool dir)
{
	struct archive_entry *entry;
	struct stat st;
	int ret;

	if (fstat(in, &st))
		return sys(s, "stat");
	if (check_owner(s, &st))
		return -1;
	entry = archive_entry_new();
	if (!entry)
		return mc_nomem(s->e);
	st.st_mode = dir ? S_IFDIR | 0755 : S_IFREG | 0644;
	st.st_nlink = 1;
	st.st_size = 0;
	set_stat(s, entry, &st);
	ret = header(s, entry);
	archive_entry_free(entry);
	return ret;
}

/* One in a directory, unless it is covered. */
static int visit_next(struct mc_save *s, int dir, uint64_t mnt_id, const char *name)
{
	struct statx st;
	bool root;
	int fd, ret;

	if (mc_scratch_at(s->sb, s->path.data + s->prefix + 1) == MC_SCRATCH_BELOW)
		return 0;
	if (!s->elsewhere)
		return visit(s, dir, name);
	if (statx(dir, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
		  STATX_TYPE | STATX_MNT_ID, &st))
		return by_name(s, name, "stat");
	if (st.stx_mnt_id == mnt_id)
		return visit(s, dir, name);
	ret = s->elsewhere->open(s->elsewhere->data, s->path.data + s->prefix, &fd, &root,
				 s->e);
	if (ret || fd < 0)
		return ret ? ret : nobody_sees(s, dir, S_ISDIR(st.stx_mode));
	ret = root ? visit_root(s, fd) : visit(s, fd, name);
	mc_close(fd);
	return ret;
}

int mc_save_tree(struct mc_save *s, const struct mc_sb *sb, int root, const char *path,
		 const struct mc_elsewhere *elsewhere, struct mntcr_error *e)
{
	struct level *l;
	int ret;

	if (turn_to(s, sb, e))
		return -1;
	s->elsewhere = elsewhere;
	mc_buf_printf(&s->path, "%s%u:%u", MC_CONTENTS_PREFIX, sb->major, sb->minor);
	s->prefix = s->path.len;
	mc_buf_printf(&s->path, "%s", strcmp(path, "/") ? path : "");
	if (s->path.nomem)
		return mc_nomem(e);
	ret = visit_root(s, root);
	while (!ret && s->nr_levels) {
		l = &s->levels[s->nr_levels - 1];
		cut(s, l->len);
		if (l->next == l->nr) {
			pop(s);
			continue;
		}
		mc_buf_printf(&s->path, "/%s", l->names[l->next]);
		if (s->path.nomem)
			ret = mc_nomem(e);
		else
			ret = visit_next(s, l->fd, l->mnt_id, l->names[l->next++]);
	}
	while (s->nr_levels)
		pop(s);
	return ret;
}

int mc_save_expect(struct mc_save *s, const struct mc_sb *sb, uint64_t ino,
		   struct mntcr_error *e)
{
	uint32_t unused = 0;

	return turn_to(s, sb, e) || mc_map_add(s->expected, ino, &unused) < 0 ?
	       mc_nomem(e) : 0;
}

/* What is made again could not be unlinked again. */
static int check_flags(struct mc_save *s, int fd)
{
	int flags = 0;

	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) ||
	    !(flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)))
		return 0;
	return refuse(s, "deleted-root",
		      "it has been unlinked and is immutable or only to be appended to: nobody could unlink it again");
}

/* 1: by that the other name it has is found, and what is in it. */
static int add_handle(struct mc_save *s, struct archive_entry *entry, int root,
		      const struct stat *st)
{
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + MC_MAX_HANDLE];
	} u = { .h.handle_bytes = MC_MAX_HANDLE };
	unsigned char value[4 + MC_MAX_HANDLE];
	uint32_t type;
	int unused;

	if (S_ISDIR(st->st_mode) || !st->st_nlink || !mc_type_on_device(s->sb->type))
		return 0;
	if (name_to_handle_at(root, "", &u.h, &unused, AT_EMPTY_PATH))
		return sys(s, "its file handle, by which its other name is found");
	type = htole32((uint32_t)u.h.handle_type);
	memcpy(value, &type, 4);
	memcpy(value + 4, u.h.f_handle, u.h.handle_bytes);
	archive_entry_xattr_add_entry(entry, MC_CONTENTS_HANDLE, value,
				      4 + u.h.handle_bytes);
	return 1;
}

/* What has another name: like a file without data, and no more is needed of it. */
static int by_handle(struct mc_save *s, struct archive_entry *entry,
		     const struct stat *st)
{
	int ret;

	set_stat(s, entry, st);
	archive_entry_set_size(entry, 0);
	ret = known_link(s, st, entry);
	if (ret)
		return ret < 0 ? -1 : 0;
	if (S_ISSOCK(st->st_mode)) {
		archive_entry_set_filetype(entry, AE_IFREG);
		archive_entry_xattr_add_entry(entry, MC_CONTENTS_SOCKET, "1", 1);
	}
	if (S_ISLNK(st->st_mode))
		archive_entry_set_symlink(entry, ".");
	return header(s, entry);
}

int mc_save_unlinked(struct mc_save *s, const struct mc_sb *sb, int root, uint32_t nr,
		     struct mntcr_error *e)
{
	struct archive_entry *entry;
	char proc[40];
	struct stat st;
	int fd = -1, ret = -1;

	if (turn_to(s, sb, e))
		return -1;
	mc_buf_printf(&s->path, "%s%u:%u/%u", MC_UNLINKED_PREFIX, sb->major, sb->minor,
		      nr);
	if (s->path.nomem)
		return mc_nomem(e);
	if (fstat(root, &st))
		return sys(s, "stat");
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", root);
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
		fd = open(proc, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (fd < 0)
			return sys(s, "opening it");
	}
	entry = archive_entry_new();
	if (!entry)
		mc_nomem(e);
	else if (!check_flags(s, fd))
		ret = add_handle(s, entry, root, &st);
	if (ret == 1)
		ret = by_handle(s, entry, &st);
	else if (entry && !ret)
		ret = one(s, entry, root, NULL, fd, &st);
	archive_entry_free(entry);
	mc_close(fd);
	return ret;
}

/* --- the archive ------------------------------------------------------------------ */

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
	if (!archive_failed(s, archive_write_header(s->a, entry)))
		ret = len ? put(s, data, len) : 0;
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
	while (s->nr_links)
		free(s->links[--s->nr_links]);
	free(s->links);
	free(s->levels);
	free(s->pieces);
	free(s->xlist);
	free(s->xvalue);
	if (s->zeroes)
		munmap((void *)s->zeroes, HOLE_CHUNK);
	mc_buf_free(&s->path);
	free(s);
}

int mc_save_new(struct mc_save **save, FILE *out, const char *json, size_t len,
		struct mntcr_error *e)
{
	static const struct mc_sb none = { .type = "image" };
	struct mc_save *s = calloc(1, sizeof(*s));
	void *zeroes;

	*save = NULL;
	if (!s)
		return mc_nomem(e);
	s->e = e;
	s->sb = &none;
	zeroes = mmap(NULL, HOLE_CHUNK, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS |
		      MAP_NORESERVE, -1, 0);
	s->zeroes = zeroes == MAP_FAILED ? NULL : zeroes;
	s->xlist = malloc(XATTR_LIST_MAX);
	s->xvalue = malloc(XATTR_SIZE_MAX);
	if (!s->zeroes || !s->xlist || !s->xvalue) {
		save_free(s);
		return mc_nomem(e);
	}
	s->overflow_uid = maps("/proc/self/uid_map", OVERFLOW_ID);
	s->overflow_gid = maps("/proc/self/gid_map", OVERFLOW_ID);
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
	if (failed || put_file(s, MC_CONTENTS_END, NULL, 0))
		s->broken = true;
	else
		ret = archive_failed(s, archive_write_close(s->a));
	save_free(s);
	return ret;
}
