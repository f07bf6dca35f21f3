// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An unlinked root gets the name that it had, which is what the kernel shows of it from
 * then on, and loses it.  What has that name by now changes places with it meanwhile.
 *
 * Others may write to the device, or the upper directory, while that goes on: what is
 * unlinked has to be the file that was made, and while it has a name there, it has no
 * permissions.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "execute/unlinked.h"

#define CAPABILITY	"security.capability"

static const char *last_name(const char *path)
{
	size_t n = mc_member_dir(path);

	return n ? path + n + 1 : path;
}

/* What was made on the way, from below upwards; what others put there keeps it. */
static void remove_way(int root, const char *path, size_t way)
{
	size_t len = mc_member_dir(path), up;
	char *copy = strndup(path, len);
	int dir;

	while (copy && len > way) {
		up = mc_member_dir(copy);
		dir = mc_contents_dir(root, copy, up);
		if (dir >= 0)
			unlinkat(dir, up ? copy + up + 1 : copy, AT_REMOVEDIR);
		mc_close(dir);
		copy[up] = '\0';
		len = up;
	}
	free(copy);
}

/*
 * The directory that it was in; way: bytes of the path to the lowest that was there, open
 * at *top, and was like that.
 */
static int make_way(int root, const char *path, int *top, struct stat *was, size_t *way)
{
	char *copy = strndup(path, mc_member_dir(path)), *p, *slash;
	int dir, next;

	*way = mc_member_dir(path);
	*top = copy ? mc_contents_way(root, path, way) : -1;
	dir = *top < 0 || fstat(*top, was) ? -1 : fcntl(*top, F_DUPFD_CLOEXEC, 0);
	for (p = copy ? copy + *way : NULL; dir >= 0 && *p; p = slash) {
		p += *p == '/';
		slash = strchrnul(p, '/');
		next = -1;
		if (*slash)
			*slash++ = '\0';
		if (!mkdirat(dir, p, 0700) || errno == EEXIST)
			next = openat(dir, p, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		mc_close(dir);
		dir = next;
	}
	free(copy);
	return dir;
}

/* What it is like otherwise than while others reach it. */
struct held {
	int fd;
	bool by_path;		/* not to be read: nothing but a path leads through fd */
	bool no_ino;		/* while it is not open */
	mode_t mode;
	char cap[64];
	ssize_t cap_size;
	nlink_t nr_links;
};

static int set_mode(const struct mc_exec *x, const struct held *h, mode_t mode)
{
	char path[64];

	if (!h->by_path)
		return fchmod(h->fd, mode & MC_MODE_ALL);
	snprintf(path, sizeof(path), "thread-self/fd/%d", h->fd);
	return fchmodat(x->proc_fd, path, mode & MC_MODE_ALL, 0);
}

/* Its number stays while it is open: by that a directory of an overlay is told, too. */
static int pin(struct mc_put *put, struct held *h)
{
	struct stat st;

	if (fstat(h->fd, &st))
		return -1;
	if (!mc_put_is(put, &st)) {
		errno = ESTALE;
		return -1;
	}
	h->no_ino = !put->ino;
	put->ino = st.st_ino;
	return 0;
}

/* gone, or not where it was made: another may get its number. */
static void unpin(struct mc_put *put, int aside, const char *name, bool gone,
		  const struct held *h)
{
	if (gone || (h->no_ino && !mc_unlinked_is_made(put, aside, name)))
		put->ino = UINT64_MAX;
	else if (h->no_ino)
		put->ino = 0;
}

/* Its mode and capabilities go until let_go(), unless somebody else uses it already. */
static int hold(const struct mc_exec *x, struct mc_put *put, int aside,
		const char *name, bool strip, struct held *h)
{
	struct stat st;

	if (fstatat(aside, name, &st, AT_SYMLINK_NOFOLLOW))
		return -1;
	if (!mc_put_is(put, &st)) {
		errno = ESTALE;
		return -1;
	}
	h->mode = st.st_mode;
	h->nr_links = st.st_nlink;
	h->by_path = !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
	h->fd = openat(aside, name, O_NOFOLLOW | O_CLOEXEC |
		       (h->by_path ? O_PATH : O_RDONLY | O_NONBLOCK));
	if (h->fd < 0 || pin(put, h))
		return -1;
	if (!strip || !put->ours || S_ISLNK(st.st_mode))
		return 0;
	if (S_ISREG(st.st_mode)) {
		h->cap_size = fgetxattr(h->fd, CAPABILITY, h->cap, sizeof(h->cap));
		if (h->cap_size < 0 && errno != ENODATA && errno != EOPNOTSUPP)
			return -1;
		if (h->cap_size > 0 && fremovexattr(h->fd, CAPABILITY))
			return -1;
	}
	return set_mode(x, h, 0);
}

/* Has it a name that it should not have?  A directory has no more than one. */
static bool has_name(const struct held *h, const struct stat *st)
{
	return S_ISDIR(h->mode) ? st->st_nlink : st->st_nlink >= h->nr_links;
}

/* gone: it has lost its name, and has got no other one meanwhile. */
static int let_go(const struct mc_exec *x, const struct mc_put *put, bool strip, bool gone,
		  const struct held *h)
{
	struct stat st;

	if (!strip || !put->ours || S_ISLNK(h->mode))
		return 0;
	if (fstat(h->fd, &st))
		return -1;
	if (gone && has_name(h, &st)) {
		errno = EMLINK;
		return -1;
	}
	if (set_mode(x, h, h->mode))
		return -1;
	return h->cap_size > 0 ? fsetxattr(h->fd, CAPABILITY, h->cap, (size_t)h->cap_size, 0) : 0;
}

/* Where it was made, and what its name is taken by meanwhile; where that is now. */
struct place {
	int aside;
	char made_as[MC_PUT_NAME], spare[MC_PUT_NAME + 1];
	const char *taken;	/* NULL: nothing had that name */
	bool is_dir;
	const char *made_in, *path; /* the paths of both, with their own names */
	int upper;		/* of an overlay: these lead there from here, too; or -1 */
};

static void place_of(struct place *p, const struct mc_exec *x, const struct mc_src *s,
		     uint32_t i)
{
	const struct mc_put *put = &x->put[i];
	size_t nr = (size_t)(s - x->p->srcs);

	*p = (struct place){
		.aside = x->aside_fd[nr], .upper = x->upper_fd ? x->upper_fd[nr] : -1,
		.made_in = x->p->unlinked[i].made_as, .path = x->p->unlinked[i].path,
	};
	mc_put_name(put, p->made_as);
	snprintf(p->spare, sizeof(p->spare), "%s-", p->made_as);
}

/* 1: that has the name of it by now, or nothing has it. */
static int change_places(const struct mc_put *put, struct place *p, int dir, const char *name)
{
	if (renameat2(p->aside, p->made_as, dir, name, RENAME_EXCHANGE))
		return errno == ENOENT ? 1 : -1;
	p->taken = p->made_as;
	if (!mc_unlinked_is_made(put, p->aside, p->made_as))
		return 0;
	/* two names of one file are left as they are */
	p->taken = NULL;
	if (renameat2(dir, name, p->aside, p->spare, RENAME_NOREPLACE))
		return errno == ENOENT ? 1 : -1;
	p->taken = p->spare;
	return 1;
}

static int rename_above(const struct place *p, const char *name)
{
	int from = mc_contents_dir(p->upper, p->made_in, mc_member_dir(p->made_in));
	int to = mc_contents_dir(p->upper, p->path, mc_member_dir(p->path));
	int ret = from < 0 || to < 0 ? -1 :
		  renameat2(from, p->taken, to, name, RENAME_NOREPLACE);

	mc_close(from);
	mc_close(to);
	return ret;
}

/*
 * The kernel makes a directory opaque that it renames into one of several layers, and that
 * stays on it.  So it is renamed in the upper directory itself: what had its name has been
 * unlinked, so that the kernel looks for it there, and finds the one that it knows.
 *
 * 1: the overlay has to: it is none, or a whiteout is there, and then it is opaque already.
 */
static int put_back_above(const struct place *p, int dir, const char *name)
{
	int fd = openat(p->aside, p->taken, O_PATH | O_NOFOLLOW | O_CLOEXEC), ret = 1;
	struct stat was, st;

	/* open: what has no inode in use may get another number */
	if (fd >= 0 && !fstat(fd, &was) && S_ISDIR(was.st_mode) && !rename_above(p, name)) {
		ret = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW);
		if (!ret && (st.st_dev != was.st_dev || st.st_ino != was.st_ino)) {
			errno = ESTALE;
			ret = -1;
		}
	}
	mc_close(fd);
	return ret;
}

static int put_back(struct place *p, int dir, const char *name)
{
	int ret = p->taken && p->upper >= 0 ? put_back_above(p, dir, name) : 1;

	if (ret <= 0 || !p->taken)
		return ret < 0 ? -1 : 0;
	return renameat2(p->aside, p->taken, dir, name, RENAME_NOREPLACE);
}

static int take_name(const struct mc_put *put, struct place *p, int dir, const char *name)
{
	int tries, ret, why;

	for (tries = 0; tries < 100; tries++) {
		ret = change_places(put, p, dir, name);
		if (ret <= 0)
			return ret;
		if (!renameat2(p->aside, p->made_as, dir, name, RENAME_NOREPLACE))
			return 0;
		why = errno;
		if (put_back(p, dir, name))
			return -1;
		p->taken = NULL;
		errno = why;
		if (why != EEXIST)
			return -1;
	}
	return -1;
}

/* As take_name() found it; errno stays. */
static void give_back(const struct mc_put *put, struct place *p, int dir, const char *name)
{
	bool places = p->taken == p->made_as;
	int err = errno;

	if (mc_unlinked_is_made(put, dir, name)) {
		renameat2(dir, name, p->aside, p->made_as,
			  places ? RENAME_EXCHANGE : RENAME_NOREPLACE);
		if (!places)
			put_back(p, dir, name);
	} else {
		put_back(p, dir, name);
	}
	errno = err;
}

static int take_name_and_go(const struct mc_put *put, struct place *p, int dir,
			    const char *name, bool *gone, const char **what)
{
	*what = "giving it its name";
	if (take_name(put, p, dir, name))
		return -1;
	*what = "unlinking it again";
	if (!mc_unlinked_is_made(put, dir, name) ||
	    unlinkat(dir, name, p->is_dir ? AT_REMOVEDIR : 0)) {
		give_back(put, p, dir, name);
		return -1;
	}
	*gone = true;
	*what = "renaming what has its name by now back";
	return put_back(p, dir, name);
}

int mc_unlink_again(struct mc_exec *x, const struct mc_src *s, int root, uint32_t i,
		    const char **what)
{
	const struct mc_unlinked *u = &x->p->unlinked[i];
	struct mc_put *put = &x->put[i];
	int top = -1, dir, ret = -1, err;
	struct held h = { .fd = -1, .cap_size = -1 };
	bool gone = false, strip = mc_unlinked_elsewhere(x, s);
	struct place p;
	struct stat was;
	size_t way;

	place_of(&p, x, s, i);
	*what = "the directory that it was in";
	dir = make_way(root, u->path, &top, &was, &way);
	if (dir >= 0) {
		*what = "its permissions";
		if (!hold(x, put, p.aside, p.made_as, strip, &h)) {
			p.is_dir = S_ISDIR(h.mode);
			ret = take_name_and_go(put, &p, dir, last_name(u->path), &gone, what);
		}
		err = errno;
		unpin(put, p.aside, p.made_as, gone, &h);
		if (h.fd >= 0 && let_go(x, put, strip, gone, &h) && !ret) {
			*what = "its permissions";
			err = errno;
			ret = -1;
		}
		remove_way(root, u->path, way);
		if (mc_unlinked_set_back(top, &was) && !ret) {
			*what = "the time of a directory on the way to it";
			err = errno;
			ret = -1;
		}
		errno = err;
	} else if (top >= 0) {
		err = errno;
		remove_way(root, u->path, way);
		errno = err;
	}
	err = errno;
	mc_close(h.fd);
	mc_close(dir);
	mc_close(top);
	errno = err;
	return ret;
}
