// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Files of an archive into a new filesystem, and unlinked ones also into one where
 * others have theirs: in a directory that only we get into.  The directories on the way
 * to the last member stay open: the next one goes into one of them.  A directory gets
 * its owner, mode and times when it is left.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <archive.h>
#include <archive_entry.h>
#include <limits.h>
#include <linux/fs.h>
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

struct fill {
	struct mc_rules rules;
	int root, aside;
	dev_t aside_dev;
	bool whole;
	struct mntcr_error *e;
	struct mc_members *m;
	struct dir *dirs;
	uint32_t nr_dirs, max_dirs;
	char *path;		/* of the last directory in dirs */
	struct mc_flags *later;
	struct mc_put *put;
	uint32_t nr_put, done;	/* those before have been made */
	bool ours;		/* the unlinked one at hand is a new file */
};

#define BENEATH	(MC_RESOLVE_BENEATH | MC_RESOLVE_NO_SYMLINKS | \
		 MC_RESOLVE_NO_MAGICLINKS | MC_RESOLVE_NO_XDEV)

static int sys(struct fill *f, const char *what)
{
	return mc_rules_fail(&f->rules, MNTCR_SYS, errno, what);
}

/*
 * Of what makes or names a file: in a filesystem that nobody else has seen, what is
 * there or is not is the archive's doing.
 */
static int not_made(struct fill *f, const char *what)
{
	/* on a device, or in layers, there is what others have made */
	switch (mc_type_in_memory(f->rules.sb->type) ? errno : 0) {
	case EEXIST:
		return mc_rules_bad(&f->rules, "is there already");
	case ELOOP:
	case ENOTDIR:
		return mc_rules_bad(&f->rules, "lies behind what is no directory");
	}
	return sys(f, what);
}

static int below(int dir, const char *path, uint64_t flags)
{
	struct mc_open_how how = { .flags = flags | O_CLOEXEC, .resolve = BENEATH };

	return mc_openat2_far(dir, *path ? path : ".", &how);
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
		if (!strcmp(key, MC_CONTENTS_SOCKET))
			continue;
		ret = fd >= 0 ? fsetxattr(fd, key, value, size, 0) :
		      set_xattr_at(dir, name, key, value, size);
		if (ret)
			return mc_rules_attr(&f->rules, MNTCR_SYS, errno, key,
					     "can't be set");
	}
	return 0;
}

static int set_times(struct fill *f, int dir, const char *name, int fd,
		     struct archive_entry *entry)
{
	struct timespec ts[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_nsec = UTIME_OMIT } };

	if (archive_entry_atime_is_set(entry))
		ts[0] = (struct timespec){ archive_entry_atime(entry),
					   archive_entry_atime_nsec(entry) };
	if (archive_entry_mtime_is_set(entry))
		ts[1] = (struct timespec){ archive_entry_mtime(entry),
					   archive_entry_mtime_nsec(entry) };
	if (fd >= 0 ? futimens(fd, ts) : utimensat(dir, name, ts, AT_SYMLINK_NOFOLLOW))
		return sys(f, "setting its times");
	return 0;
}

static int set_owner_and_mode(struct fill *f, int dir, const char *name, int fd,
			      struct archive_entry *entry)
{
	mode_t mode = archive_entry_perm(entry) & MC_MODE_ALL;
	uid_t uid = (uid_t)archive_entry_uid(entry);
	gid_t gid = (gid_t)archive_entry_gid(entry);

	if (fd >= 0 ? fchown(fd, uid, gid) :
	    fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW))
		return sys(f, "setting its owner");
	if (archive_entry_filetype(entry) == AE_IFLNK)
		return 0;
	if (fd >= 0 ? fchmod(fd, mode) : fchmodat(dir, name, mode, 0))
		return sys(f, "setting its mode");
	return 0;
}

/*
 * The owner first: a change of it takes set-id bits and capabilities away.  fd is
 * the file, where it can be opened without doing something; else dir and name lead to
 * it, in a directory that only we write to.
 */
static int set_all(struct fill *f, int dir, const char *name, int fd,
		   struct archive_entry *entry)
{
	if (set_owner_and_mode(f, dir, name, fd, entry) ||
	    set_xattrs(f, dir, name, fd, entry))
		return -1;
	return set_times(f, dir, name, fd, entry);
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

static int flag(struct fill *f, int fd, const char *path, unsigned long flags)
{
	if (!mc_flags_wait(flags))
		return set_flags(f, fd, flags);
	return mc_flags_add(f->later, path, flags) ? 0 : mc_nomem(f->e);
}

/* --- directories ------------------------------------------------------------- */

static int leave(struct fill *f)
{
	struct dir *d = &f->dirs[--f->nr_dirs];
	const char *was = f->rules.name;
	int ret = 0;

	f->path[d->len] = '\0';
	f->rules.name = f->path;
	if (d->entry) {
		ret = set_all(f, d->fd, ".", d->fd, d->entry);
		if (!ret)
			ret = flag(f, d->fd, f->path, inode_flags(d->entry));
	}
	archive_entry_free(d->entry);
	mc_close(d->fd);
	if (f->nr_dirs)
		f->path[f->dirs[f->nr_dirs - 1].len] = '\0';
	f->rules.name = was;
	return ret;
}

/* fd and the entry are taken in any case; path is the directory's. */
static int enter(struct fill *f, int fd, const char *path,
		 struct archive_entry *entry)
{
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

struct data {
	struct fill *f;
	int fd;
};

static int write_block(void *data, const char *p, size_t n, int64_t at)
{
	const struct data *d = data;
	ssize_t done;

	while (n) {
		done = pwrite(d->fd, p, n, at);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return sys(d->f, "writing");
		p += done;
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

static int write_data(struct fill *f, int fd, struct archive_entry *entry)
{
	struct data d = { f, fd };

	/* what is not written stays a hole */
	if (ftruncate(fd, archive_entry_size(entry)))
		return sys(f, "its size");
	return mc_rules_data(&f->rules, f->m->a, entry, write_block, &d);
}

static int make_regular(struct fill *f, int dir, const char *name,
			const char *path, struct archive_entry *entry)
{
	int fd, ret;

	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
		    O_CLOEXEC, 0600);
	if (fd < 0)
		return not_made(f, "creating it");
	ret = write_data(f, fd, entry);
	if (!ret)
		ret = set_all(f, dir, name, fd, entry);
	if (!ret)
		ret = flag(f, fd, path, inode_flags(entry));
	mc_close(fd);
	return ret;
}

static int make_node(struct fill *f, int dir, const char *name, mode_t type,
		     struct archive_entry *entry)
{
	uint64_t major = archive_entry_rdevmajor(entry);
	uint64_t minor = archive_entry_rdevminor(entry);

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
	if (symlinkat(archive_entry_symlink(entry), dir, name))
		return not_made(f, "symlink");
	return set_all(f, dir, name, -1, entry);
}

static int not_linked(struct fill *f, int from, const char *to)
{
	int err = errno;
	struct stat st;

	if (err == ENOENT)
		return mc_rules_no_link(&f->rules, MC_LINK_MISSING);
	if (err == EPERM && !fstatat(from, to, &st, AT_SYMLINK_NOFOLLOW) &&
	    S_ISDIR(st.st_mode))
		return mc_rules_no_link(&f->rules, MC_LINK_DIRECTORY);
	errno = err;
	return not_made(f, "link");
}

static int cmp_put(const void *a, const void *b)
{
	const struct mc_put *x = a, *y = b;

	return (x->nr > y->nr) - (x->nr < y->nr);
}

static struct mc_put *find_put(const struct fill *f, uint32_t nr)
{
	const struct mc_put key = { .nr = nr };

	return f->nr_put ? bsearch(&key, f->put, f->nr_put, sizeof(key), cmp_put) : NULL;
}

/* A directory above it may have become something else. */
static bool is_gone(int err)
{
	return err == ENOENT || err == ENOTDIR || err == ELOOP;
}

/* In layers there is what others have put there: is it what it was? */
static int check_type(struct fill *f, int dir, const char *name)
{
	const struct mc_put *put = find_put(f, f->rules.unlinked);
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return is_gone(errno) ? mc_rules_no_name(&f->rules, MC_NO_NAME_THERE) :
		       sys(f, "looking at what it is a link to");
	if (S_ISDIR(st.st_mode))
		return mc_rules_no_name(&f->rules, "and a directory is there by now");
	return put && put->type && put->type != (st.st_mode & S_IFMT) ?
	       mc_rules_no_name(&f->rules, MC_NAME_OF_ANOTHER) : 0;
}

/* Before, since the kernel copies it up for a link, and that link, which stays what it is. */
static int link_in_layers(struct fill *f, int from, const char *to, int dir, const char *name)
{
	if (check_type(f, from, to))
		return -1;
	if (linkat(from, to, dir, name, 0))
		return errno == ENOENT ? mc_rules_no_name(&f->rules, MC_NO_NAME_THERE) :
		       sys(f, "link");
	if (!check_type(f, dir, name))
		return 0;
	unlinkat(dir, name, 0);
	return -1;
}

/* path is changed. */
static int link_to(struct fill *f, char *path, int dir, const char *name)
{
	bool layers = mc_type_of_layers(f->rules.sb->type);
	char *last = strrchr(path, '/');
	int from, ret;

	if (layers && !f->whole)
		return mc_rules_no_name(&f->rules, MC_FOUND_IN_LAYERS);
	if (last)
		*last++ = '\0';
	else
		last = path;
	from = below(f->root, last == path ? "" : path, O_PATH | O_DIRECTORY);
	if (from < 0 && is_gone(errno))
		return layers ? mc_rules_no_name(&f->rules, MC_NO_NAME_THERE) :
		       mc_rules_no_link(&f->rules, MC_LINK_NOWHERE);
	if (from < 0)
		return sys(f, "the directory of what it is a link to");
	if (layers)
		ret = link_in_layers(f, from, last, dir, name);
	else
		ret = linkat(from, last, dir, name, 0) ? not_linked(f, from, last) : 0;
	mc_close(from);
	return ret;
}

/* To what is there, or to what has been unlinked as well and was before it. */
static int make_link(struct fill *f, int dir, const char *name,
		     const char *target)
{
	char *copy = strdup(target), *path, number[MC_PUT_NAME];
	const struct mc_put *other;
	uint32_t unlinked;
	int ret = -1;

	if (!copy)
		return mc_nomem(f->e);
	if (mc_rules_link(&f->rules, copy, &path, &unlinked))
		goto out;
	if (unlinked) {
		other = find_put(f, unlinked);
		if (!other || !other->made) {
			mc_rules_no_link(&f->rules, MC_LINK_MISSING);
			goto out;
		}
		f->ours = other->ours;
		mc_put_name(other, number);
		ret = linkat(f->aside, number, dir, name, 0) ?
		      not_linked(f, f->aside, number) : 0;
		goto out;
	}
	f->ours = false;
	ret = link_to(f, path, dir, name);
out:
	free(copy);
	return ret;
}

int mc_contents_by_handle(const struct mc_rules *r, int root, int type, const void *handle,
			  size_t size, struct archive_entry *entry)
{
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + MC_MAX_HANDLE];
	} u = { .h = { .handle_bytes = (unsigned int)size, .handle_type = type } };
	mode_t mode = mc_rules_is_socket(entry) ? S_IFSOCK : archive_entry_filetype(entry);
	int in = below(root, "", O_RDONLY | O_DIRECTORY), fd;
	struct stat st;

	if (in < 0)
		return mc_rules_fail(r, MNTCR_SYS, errno, "opening the root");
	memcpy(u.h.f_handle, handle, size);
	fd = open_by_handle_at(in, &u.h, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ESTALE)
		mc_rules_no_name(r, MC_NO_NAME_THERE);
	else if (fd < 0 || fstat(fd, &st))
		mc_rules_fail(r, MNTCR_SYS, errno, "opening it by its handle");
	else if ((st.st_mode & S_IFMT) != mode)
		mc_rules_no_name(r, MC_NAME_OF_ANOTHER);
	else if (!st.st_nlink)
		mc_rules_no_name(r, MC_NO_NAME_LEFT);
	else
		goto out;
	mc_close(fd);
	fd = -1;
out:
	mc_close(in);
	return fd;
}

/*
 * A link to what it was on its device.  Whoever says a handle could mean any file of the
 * filesystem, which is only right where that is to be had from its root on.
 */
static int make_by_handle(struct fill *f, int dir, const char *name, int type,
			  const void *handle, size_t size, struct archive_entry *entry)
{
	int fd, ret = -1;

	f->ours = false;
	if (!f->whole)
		return mc_rules_no_name(&f->rules, MC_FOUND_ON_DEVICE);
	fd = mc_contents_by_handle(&f->rules, f->root, type, handle, size, entry);
	if (fd < 0)
		return -1;
	if (!linkat(fd, "", dir, name, AT_EMPTY_PATH))
		ret = 0;
	else if (errno == ENOENT)
		mc_rules_no_name(&f->rules, MC_NO_NAME_LEFT);
	else
		sys(f, "a link to its other name");
	mc_close(fd);
	return ret;
}

/* name in dir; path: of it, from the root */
static int make(struct fill *f, int dir, const char *name, const char *path,
		struct archive_entry *entry)
{
	const char *link = archive_entry_hardlink(entry);
	mode_t type = archive_entry_filetype(entry);
	const void *handle;
	int handle_type;
	size_t size;

	if (link)
		return make_link(f, dir, name, link);
	if (mc_rules_handle(entry, &handle_type, &handle, &size))
		return make_by_handle(f, dir, name, handle_type, handle, size, entry);
	switch (type) {
	case AE_IFDIR:
		return make_dir(f, dir, name, path, entry);
	case AE_IFREG:
		return mc_rules_is_socket(entry) ?
		       make_node(f, dir, name, S_IFSOCK, entry) :
		       make_regular(f, dir, name, path, entry);
	case AE_IFLNK:
		return make_symlink(f, dir, name, entry);
	}
	return make_node(f, dir, name, type, entry);
}

static int one(struct fill *f, const char *path, struct archive_entry *entry)
{
	size_t len = mc_member_dir(path);

	if (mc_rules_member(&f->rules, path, entry))
		return -1;
	if (!*path)
		return make_dir(f, f->root, "", path, entry);
	if (go_to(f, path, len))
		return -1;
	return make(f, f->dirs[f->nr_dirs - 1].fd, len ? path + len + 1 : path, path,
		    entry);
}

int mc_contents_dir(int root, const char *path, size_t len)
{
	char *copy = strndup(path, len);
	int fd, err;

	if (!copy) {
		errno = ENOMEM;
		return -1;
	}
	fd = below(root, copy, O_RDONLY | O_DIRECTORY);
	err = errno;
	free(copy);
	errno = err;
	return fd;
}

static int leave_all(struct fill *f)
{
	int ret = 0;

	while (f->nr_dirs && !ret)
		ret = leave(f);
	return ret;
}

int mc_contents_way(int root, const char *path, size_t *len)
{
	int fd;

	for (;;) {
		fd = mc_contents_dir(root, path, *len);
		if (fd >= 0 || errno != ENOENT || !*len)
			return fd;
		while (--*len && path[*len] != '/')
			;
	}
}

void mc_put_name(const struct mc_put *put, char *name)
{
	snprintf(name, MC_PUT_NAME, "%u", put->nr);
}

int mc_contents_check_way(const struct mc_rules *r, int root, const char *path, dev_t dev)
{
	size_t len = mc_member_dir(path);
	int way = mc_contents_way(root, path, &len), ret = 0;
	struct stat st;

	if (way < 0 && (errno == ENOTDIR || errno == ELOOP))
		return mc_rules_no_way(r, MC_WAY_NO_DIRECTORY);
	if (way < 0 || fstat(way, &st))
		ret = mc_rules_fail(r, MNTCR_SYS, errno, "the directory that it was in");
	else if (st.st_dev != dev)
		ret = mc_rules_no_way(r, MC_WAY_ELSEWHERE);
	mc_close(way);
	return ret;
}

static int unlinked(struct fill *f, struct archive_entry *entry)
{
	struct mc_put *put = find_put(f, f->rules.unlinked);
	char name[MC_PUT_NAME];
	struct stat st;

	if (mc_rules_unlinked(&f->rules, entry))
		return -1;
	if (!put)
		return 0;	/* what no mount shows, nobody misses */
	f->done++;
	f->ours = true;
	mc_put_name(put, name);
	if (mc_contents_check_way(&f->rules, f->root, put->path, f->aside_dev) ||
	    make(f, f->aside, name, name, entry) || leave_all(f))
		return -1;
	if (fstatat(f->aside, name, &st, AT_SYMLINK_NOFOLLOW))
		return sys(f, "looking at it");
	put->made = true;
	put->ours = f->ours;
	put->dev = st.st_dev;
	/* an overlay numbers its directories anew when it forgets them */
	put->ino = S_ISDIR(st.st_mode) && mc_type_of_layers(f->rules.sb->type) ? 0 : st.st_ino;
	return 0;
}

static int all(struct fill *f)
{
	struct archive_entry *entry;
	char *name, *path;
	int ret;

	while ((ret = mc_rules_next(&f->rules, f->m, &entry, &name, &path)) > 0) {
		ret = path ? one(f, path, entry) :
		      leave_all(f) ? -1 : unlinked(f, entry);
		f->rules.name = "";
		free(name);
		if (ret)
			return -1;
	}
	return ret;
}

int mc_contents_fill(const struct mntcr_contents *c, const struct mc_sb *sb,
		     int root, int aside, bool whole, struct mc_put *put,
		     uint32_t nr_put, struct mc_flags *later, struct mntcr_error *e)
{
	struct fill f = {
		.root = root, .aside = aside, .whole = whole, .e = e, .put = put,
		.nr_put = nr_put, .later = later,
	};
	struct stat st;
	uint32_t at, i;
	int ret = -1;

	if (nr_put && fstat(aside, &st))
		return mc_fail(e, MNTCR_SYS, errno, "where unlinked roots are made");
	if (nr_put)
		f.aside_dev = st.st_dev;
	if (!mc_map_get(c->by_dev, mc_dev_key(sb->major, sb->minor), &at))
		return 0;
	f.m = malloc(sizeof(*f.m));
	f.path = malloc(MC_MAX_MEMBER_NAME + 1);
	if (!f.m || !f.path || mc_rules_start(&f.rules, sb, e)) {
		mc_nomem(e);
	} else if (!mc_members_open(f.m, c->fd, c->parts[at].from, sb->shifts, e)) {
		ret = all(&f) || leave_all(&f) ? -1 : 0;
		if (!ret && f.done < nr_put)
			ret = mc_rules_missing(&f.rules);
		mc_members_close(f.m);
	}
	for (i = 0; i < f.nr_dirs; i++) {
		mc_close(f.dirs[i].fd);
		archive_entry_free(f.dirs[i].entry);
	}
	mc_rules_end(&f.rules);
	free(f.dirs);
	free(f.path);
	free(f.m);
	return ret;
}
