// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Files of an archive into a new filesystem.  The directories on the way to the
 * last member stay open: the next one goes into one of them.  A directory gets its
 * owner, mode and times when it is left.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <archive.h>
#include <archive_entry.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "contents/contents.h"

struct dir {
	int fd;
	size_t len;			/* of its path */
	struct archive_entry *entry;	/* NULL: it was there, and stays as it is */
};

/* A file that could have no further link with its flags set. */
struct flagged {
	char *path;
	unsigned long flags;
};

struct fill {
	const struct mc_sb *sb;
	int root;
	struct mntcr_error *e;
	struct mc_members *m;
	struct dir *dirs;
	uint32_t nr_dirs, max_dirs;
	char *path;		/* of the last directory in dirs */
	struct flagged *flagged;
	uint32_t nr_flagged, max_flagged;
	const char *name;	/* of the member at hand */
	bool root_seen;
};

#define BENEATH	(MC_RESOLVE_BENEATH | MC_RESOLVE_NO_SYMLINKS | \
		 MC_RESOLVE_NO_MAGICLINKS | MC_RESOLVE_NO_XDEV)

static int fail(struct fill *f, enum mntcr_code code, int err, const char *what)
{
	char esc[400];

	return mc_fail(f->e, code, err, "contents of %s %u:%u: /%s: %s",
		       f->sb->type, f->sb->major, f->sb->minor,
		       mc_escape(f->name, esc, sizeof(esc)), what);
}

static int bad(struct fill *f, const char *what)
{
	return fail(f, MNTCR_BAD_IMAGE, 0, what);
}

static int sys(struct fill *f, const char *what)
{
	return fail(f, MNTCR_SYS, errno, what);
}

/*
 * Of what makes or names a file: in a filesystem that nobody else has seen, what is
 * there or is not is the archive's doing.
 */
static int not_made(struct fill *f, const char *what)
{
	switch (errno) {
	case EEXIST:
		return bad(f, "is there already");
	case ELOOP:
	case ENOTDIR:
		return bad(f, "lies behind what is no directory");
	}
	return sys(f, what);
}

static int below(int dir, const char *path, uint64_t flags)
{
	struct mc_open_how how = { .flags = flags | O_CLOEXEC, .resolve = BENEATH };

	return mc_openat2(dir, *path ? path : ".", &how);
}

/* --- what a file is like ------------------------------------------------------ */

/*
 * Of what cannot be opened.  Before Linux 6.13 it takes a path, which leads
 * through the /proc of the mount namespace that the thread is in.
 */
static int set_xattr_at(int dir, const char *name, const char *key,
			const void *value, size_t size)
{
	const struct mc_xattr_args args = {
		.value = (uintptr_t)value, .size = (uint32_t)size,
	};
	char path[64 + 256];

	if (!mc_setxattrat(dir, name, AT_SYMLINK_NOFOLLOW, key, &args))
		return 0;
	if (errno != ENOSYS)
		return -1;
	snprintf(path, sizeof(path), "/proc/thread-self/fd/%d/%s", dir, name);
	return lsetxattr(path, key, value, size, 0);
}

static int set_xattrs(struct fill *f, int dir, const char *name, int fd,
		      struct archive_entry *entry)
{
	const char *key;
	const void *value;
	size_t size;
	int ret;

	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &key, &value, &size) == ARCHIVE_OK) {
		if (!key)
			return bad(f, "has an attribute without a name");
		if (!strcmp(key, MC_CONTENTS_SOCKET))
			continue;
		if (!strncmp(key, "mntcr.", 6))
			return bad(f, "has a mark that is not known");
		if (size > XATTR_SIZE_MAX)
			return bad(f, "has an attribute that is too large");
		ret = fd >= 0 ? fsetxattr(fd, key, value, size, 0) :
		      set_xattr_at(dir, name, key, value, size);
		if (ret)
			return sys(f, "setting an extended attribute");
	}
	return 0;
}

static int set_times(struct fill *f, int dir, const char *name,
		     struct archive_entry *entry)
{
	struct timespec ts[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_nsec = UTIME_OMIT } };

	if (archive_entry_atime_is_set(entry))
		ts[0] = (struct timespec){ archive_entry_atime(entry),
					   archive_entry_atime_nsec(entry) };
	if (archive_entry_mtime_is_set(entry))
		ts[1] = (struct timespec){ archive_entry_mtime(entry),
					   archive_entry_mtime_nsec(entry) };
	if (utimensat(dir, name, ts, AT_SYMLINK_NOFOLLOW))
		return sys(f, "setting its times");
	return 0;
}

/*
 * The owner first: a change of it takes set-id bits and capabilities away.  fd is
 * the file if it is open; dir and name lead to it anyway.
 */
static int set_all(struct fill *f, int dir, const char *name, int fd,
		   struct archive_entry *entry)
{
	la_int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);

	if (uid < 0 || gid < 0 || uid >= MC_NO_ID || gid >= MC_NO_ID)
		return bad(f, "has an owner that is none");
	if (fchownat(dir, name, (uid_t)uid, (gid_t)gid, AT_SYMLINK_NOFOLLOW))
		return sys(f, "setting its owner");
	if (archive_entry_filetype(entry) != AE_IFLNK &&
	    fchmodat(dir, name, archive_entry_perm(entry) & MC_MODE_ALL, 0))
		return sys(f, "setting its mode");
	if (set_xattrs(f, dir, name, fd, entry))
		return -1;
	return set_times(f, dir, name, entry);
}

static unsigned long inode_flags(struct archive_entry *entry)
{
	unsigned long set = 0, clear = 0;

	archive_entry_fflags(entry, &set, &clear);
	return set;
}

static int set_flags(struct fill *f, int fd, unsigned long flags)
{
	int value = (int)flags;

	if (flags && ioctl(fd, FS_IOC_SETFLAGS, &value))
		return sys(f, "setting its inode flags");
	return 0;
}

/* --- directories ------------------------------------------------------------- */

static int leave(struct fill *f)
{
	struct dir *d = &f->dirs[--f->nr_dirs];
	const char *was = f->name;
	int ret = 0;

	f->path[d->len] = '\0';
	f->name = f->path;
	if (d->entry) {
		ret = set_all(f, d->fd, ".", d->fd, d->entry);
		if (!ret)
			ret = set_flags(f, d->fd, inode_flags(d->entry));
	}
	archive_entry_free(d->entry);
	mc_close(d->fd);
	if (f->nr_dirs)
		f->path[f->dirs[f->nr_dirs - 1].len] = '\0';
	f->name = was;
	return ret;
}

/* fd and the entry are taken in any case; path is the directory's. */
static int enter(struct fill *f, int fd, const char *path,
		 struct archive_entry *entry)
{
	if (f->nr_dirs == MC_MAX_DIR_DEPTH) {
		mc_close(fd);
		archive_entry_free(entry);
		return bad(f, "is in too many directories");
	}
	if (!mc_grow(&f->dirs, f->nr_dirs, &f->max_dirs, sizeof(*f->dirs))) {
		mc_close(fd);
		archive_entry_free(entry);
		return mc_nomem(f->e);
	}
	strcpy(f->path, path);
	f->dirs[f->nr_dirs++] = (struct dir){ fd, strlen(path), entry };
	return 0;
}

/* Where no mount shows them, directories on the way are nobody's. */
static int make_way(struct fill *f, char *path, int *out)
{
	int dir = below(f->root, "", O_RDONLY | O_DIRECTORY), next;
	char *p = path, *slash;

	while (dir >= 0 && *p) {
		slash = strchrnul(p, '/');
		if (*slash)
			*slash++ = '\0';
		if (mkdirat(dir, p, 0755) && errno != EEXIST)
			next = -1;
		else
			next = below(dir, p, O_RDONLY | O_DIRECTORY);
		mc_close(dir);
		dir = next;
		p = slash;
	}
	if (dir < 0)
		return not_made(f, "its directory");
	*out = dir;
	return 0;
}

/* The directory of path's first len bytes is the last of dirs. */
static int go_to(struct fill *f, const char *path, size_t len)
{
	char *dir, *copy;
	int fd = -1, ret = -1;

	while (f->nr_dirs && (f->dirs[f->nr_dirs - 1].len != len ||
			      memcmp(f->path, path, len)))
		if (leave(f))
			return -1;
	if (f->nr_dirs)
		return 0;
	dir = strndup(path, len);
	copy = strndup(path, len);
	if (!dir || !copy)
		mc_nomem(f->e);
	else if (!make_way(f, copy, &fd))
		ret = enter(f, fd, dir, NULL);
	free(dir);
	free(copy);
	return ret;
}

static int make_dir(struct fill *f, int dir, const char *name, const char *path,
		    struct archive_entry *entry)
{
	struct archive_entry *copy;
	int fd;

	if (*name && mkdirat(dir, name, 0700))
		return not_made(f, "mkdir");
	fd = below(dir, name, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return sys(f, "opening it");
	copy = archive_entry_clone(entry);
	if (!copy) {
		mc_close(fd);
		return mc_nomem(f->e);
	}
	return enter(f, fd, path, copy);
}

/* --- the others ---------------------------------------------------------------- */

static int write_all(struct fill *f, int fd, const char *p, size_t n, int64_t at)
{
	ssize_t done;

	while (n) {
		done = pwrite(fd, p, n, at);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return sys(f, "writing");
		p += done;
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

static int write_data(struct fill *f, int fd, struct archive_entry *entry)
{
	la_int64_t size = archive_entry_size(entry), at;
	const void *buf;
	size_t n;
	int ret;

	if (size < 0)
		return bad(f, "has no size");
	/* what is not written stays a hole */
	if (ftruncate(fd, size))
		return sys(f, "its size");
	while ((ret = archive_read_data_block(f->m->a, &buf, &n, &at)) ==
	       ARCHIVE_OK) {
		if (at < 0 || at > size || n > (uint64_t)(size - at))
			return bad(f, "has data beyond its size");
		if (write_all(f, fd, buf, n, at))
			return -1;
	}
	return ret == ARCHIVE_EOF ? 0 : bad(f, archive_error_string(f->m->a) ?
					    archive_error_string(f->m->a) :
					    "is damaged");
}

/* For flags with which nothing can be linked to it: at the very end. */
static int flag_later(struct fill *f, const char *path, unsigned long flags)
{
	struct flagged *l;

	if (!mc_grow(&f->flagged, f->nr_flagged, &f->max_flagged,
		     sizeof(*f->flagged)))
		return mc_nomem(f->e);
	l = &f->flagged[f->nr_flagged];
	l->flags = flags;
	l->path = strdup(path);
	if (!l->path)
		return mc_nomem(f->e);
	f->nr_flagged++;
	return 0;
}

static int make_regular(struct fill *f, int dir, const char *name,
			const char *path, struct archive_entry *entry)
{
	unsigned long flags = inode_flags(entry);
	int fd, ret;

	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
		    O_CLOEXEC, 0600);
	if (fd < 0)
		return not_made(f, "creating it");
	ret = write_data(f, fd, entry);
	if (!ret)
		ret = set_all(f, dir, name, fd, entry);
	if (!ret && flags & (FS_IMMUTABLE_FL | FS_APPEND_FL))
		ret = flag_later(f, path, flags);
	else if (!ret)
		ret = set_flags(f, fd, flags);
	mc_close(fd);
	return ret;
}

static bool is_socket(struct archive_entry *entry)
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

static int make_node(struct fill *f, int dir, const char *name, mode_t type,
		     struct archive_entry *entry)
{
	uint64_t major = archive_entry_rdevmajor(entry);
	uint64_t minor = archive_entry_rdevminor(entry);

	if (mc_mode_is_device(type) &&
	    (major > MC_MAX_MAJOR || minor > MC_MAX_MINOR))
		return bad(f, "has a device number that is none");
	if (!mc_mode_is_device(type))
		major = minor = 0;
	if (mknodat(dir, name, type | 0600,
		    makedev((unsigned int)major, (unsigned int)minor)))
		return not_made(f, "mknod");
	return set_all(f, dir, name, -1, entry);
}

static int make_symlink(struct fill *f, int dir, const char *name,
			struct archive_entry *entry)
{
	const char *target = archive_entry_symlink(entry);

	if (!target || !*target || strlen(target) > MC_MAX_TARGET)
		return bad(f, "is a symbolic link to nothing");
	if (symlinkat(target, dir, name))
		return not_made(f, "symlink");
	return set_all(f, dir, name, -1, entry);
}

static int not_linked(struct fill *f, int from, const char *to)
{
	int err = errno;
	struct stat st;

	if (err == ENOENT)
		return bad(f, "is a link to what is not there");
	if (err == EPERM && !fstatat(from, to, &st, AT_SYMLINK_NOFOLLOW) &&
	    S_ISDIR(st.st_mode))
		return bad(f, "is a link to a directory");
	errno = err;
	return not_made(f, "link");
}

static int make_link(struct fill *f, int dir, const char *name,
		     const char *target)
{
	uint32_t major, minor;
	char *copy = strdup(target), *path, *last;
	int from = -1, ret = -1;

	if (!copy)
		return mc_nomem(f->e);
	if (!mc_member_name(copy, &major, &minor, &path) || !*path ||
	    major != f->sb->major || minor != f->sb->minor) {
		bad(f, "is a link to what is no file of its superblock");
		goto out;
	}
	last = strrchr(path, '/');
	if (last)
		*last++ = '\0';
	else
		last = path;
	from = below(f->root, last == path ? "" : path, O_PATH | O_DIRECTORY);
	if (from < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		bad(f, "is a link to what lies behind no directory");
	else if (from < 0)
		sys(f, "the directory of what it is a link to");
	else if (!linkat(from, last, dir, name, 0))
		ret = 0;
	else
		not_linked(f, from, last);
out:
	mc_close(from);
	free(copy);
	return ret;
}

static int one(struct fill *f, char *path, struct archive_entry *entry)
{
	char *name = strrchr(path, '/');
	const char *link = archive_entry_hardlink(entry);
	mode_t type = archive_entry_filetype(entry);
	int dir;

	f->name = path;
	if (!*path) {
		if (f->root_seen || f->nr_dirs || link || type != AE_IFDIR)
			return bad(f, "the root is a directory, and the first");
		f->root_seen = true;
		return make_dir(f, f->root, "", path, entry);
	}
	if (go_to(f, path, name ? (size_t)(name - path) : 0))
		return -1;
	name = name ? name + 1 : path;
	dir = f->dirs[f->nr_dirs - 1].fd;
	if (link)
		return make_link(f, dir, name, link);
	switch (type) {
	case AE_IFDIR:
		return make_dir(f, dir, name, path, entry);
	case AE_IFREG:
		return is_socket(entry) ? make_node(f, dir, name, S_IFSOCK, entry) :
		       make_regular(f, dir, name, path, entry);
	case AE_IFLNK:
		return make_symlink(f, dir, name, entry);
	case AE_IFIFO:
	case AE_IFCHR:
	case AE_IFBLK:
		return make_node(f, dir, name, type, entry);
	}
	return bad(f, "is of a type that is not known");
}

static int all(struct fill *f)
{
	struct archive_entry *entry;
	uint32_t major, minor;
	char *copy, *path;
	int ret;

	while ((ret = mc_members_next(f->m, &entry, f->e)) > 0) {
		copy = archive_entry_pathname(entry) ?
		       strdup(archive_entry_pathname(entry)) : NULL;
		if (!copy)
			return mc_nomem(f->e);
		if (!mc_member_name(copy, &major, &minor, &path) ||
		    major != f->sb->major || minor != f->sb->minor) {
			/* of the next superblock: all names have been checked */
			free(copy);
			break;
		}
		ret = one(f, path, entry);
		free(copy);
		if (ret)
			return -1;
	}
	return ret < 0 ? -1 : 0;
}

static int finish(struct fill *f)
{
	uint32_t i;
	int fd, ret = 0;

	while (f->nr_dirs && !ret)
		ret = leave(f);
	for (i = 0; i < f->nr_flagged && !ret; i++) {
		f->name = f->flagged[i].path;
		fd = below(f->root, f->flagged[i].path, O_RDONLY);
		ret = fd < 0 ? sys(f, "opening it") :
		      set_flags(f, fd, f->flagged[i].flags);
		mc_close(fd);
	}
	return ret;
}

int mc_contents_fill(const struct mntcr_contents *c, const struct mc_sb *sb,
		     int root, struct mntcr_error *e)
{
	struct fill f = { .sb = sb, .root = root, .e = e, .name = "" };
	uint32_t at, i;
	int ret = -1;

	if (!mc_map_get(c->by_dev, mc_dev_key(sb->major, sb->minor), &at))
		return 0;
	f.m = malloc(sizeof(*f.m));
	f.path = malloc(MC_MAX_MEMBER_NAME + 1);
	if (!f.m || !f.path) {
		mc_nomem(e);
	} else if (!mc_members_open(f.m, c->fd, c->parts[at].from, e)) {
		ret = all(&f) || finish(&f) ? -1 : 0;
		mc_members_close(f.m);
	}
	for (i = 0; i < f.nr_dirs; i++) {
		mc_close(f.dirs[i].fd);
		archive_entry_free(f.dirs[i].entry);
	}
	for (i = 0; i < f.nr_flagged; i++)
		free(f.flagged[i].path);
	free(f.flagged);
	free(f.dirs);
	free(f.path);
	free(f.m);
	return ret;
}
