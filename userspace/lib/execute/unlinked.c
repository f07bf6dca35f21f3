// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Unlinked roots of a fresh superblock, on a device or in an overlay.  They are made in a
 * directory of their own, which nobody else gets into; once one is attached it gets the
 * name that it had, which is what the kernel shows of it from then on, and loses it.  What
 * has that name by now changes places with it meanwhile.
 *
 * Others may write to the device, or the upper directory, while that goes on: what is
 * unlinked has to be the file that was made, and while it has a name there, it has no
 * permissions.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/xattr.h>

#include "contents/contents.h"
#include "execute/execute.h"

#define CAPABILITY	"security.capability"

static const char *last_name(const char *path)
{
	size_t n = mc_member_dir(path);

	return n ? path + n + 1 : path;
}

/* Else it goes with its superblock, whatever happens. */
static bool is_elsewhere(const struct mc_exec *x, const struct mc_src *s)
{
	return s->nr_unlinked && mc_type_elsewhere(x->t->sbs[s->sb].type);
}

/* Else errno. */
static bool is_made(const struct mc_put *put, int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return false;
	errno = ESTALE;
	return mc_put_is(put, &st);
}

/* To what it was before a change of ours, right after that. */
static int set_back(int dir, const struct stat *was)
{
	return futimens(dir, (struct timespec[2]){ { .tv_nsec = UTIME_OMIT },
						   was->st_mtim });
}

/* --- the directory that they are made in ------------------------------------------ */

/* Its name; to be freed. */
static char *aside_name(const struct mc_exec *x, const struct mc_src *s)
{
	const char *path = x->p->unlinked[s->unlinked].made_as;

	return strndup(path, mc_member_dir(path));
}

static int fail_aside(struct mc_exec *x, const struct mc_src *s, int err, const char *what)
{
	const struct mc_sb *sb = &x->t->sbs[s->sb];

	return mc_fail(x->e, MNTCR_SYS, err, "unlinked roots of %s %u:%u: /%.*s: %s",
		       sb->type, sb->major, sb->minor,
		       (int)mc_member_dir(x->p->unlinked[s->unlinked].made_as),
		       x->p->unlinked[s->unlinked].made_as, what);
}

static int drop_acl(int fd, const char *key)
{
	return fremovexattr(fd, key) && errno != ENODATA && errno != EOPNOTSUPP ? -1 : 0;
}

/*
 * Whoever may rename what is there can have put another one in its place: nothing of that
 * is touched, ESTALE; or another errno.  A set-group-id bit and an ACL come from the
 * directory above.
 */
static int check_new(int fd)
{
	int empty = mc_is_empty_dir(fd);
	struct stat st;

	if (empty < 0 || fstat(fd, &st))
		return errno;
	return empty && st.st_uid == (uid_t)setfsuid((uid_t)-1) &&
	       (st.st_mode & MC_MODE_ALL & ~S_ISGID) == 0700 ? 0 : ESTALE;
}

/* An errno: top is as it was, and nothing is open. */
static int make_private(int top, const char *name, bool check, int *aside)
{
	int fd, err;

	if (mkdirat(top, name, 0700))
		return errno;
	fd = openat(top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	err = fd < 0 ? errno : check ? check_new(fd) : 0;
	if (!err && (drop_acl(fd, "system.posix_acl_default") ||
		     drop_acl(fd, "system.posix_acl_access") || fchmod(fd, 0700)))
		err = errno;
	if (err) {
		mc_close(fd);
		if (err != ESTALE)
			unlinkat(top, name, AT_REMOVEDIR);
		return err;
	}
	*aside = fd;
	return 0;
}

static int make_aside(struct mc_exec *x, const struct mc_src *s, int root)
{
	int top = mc_contents_dir(root, "", 0), err;
	char *name = aside_name(x, s);
	struct stat was;

	if (!name)
		err = ENOMEM;
	else if (top < 0 || fstat(top, &was))
		err = errno;
	else
		err = make_private(top, name, is_elsewhere(x, s), &x->aside_fd[s - x->p->srcs]);
	if (!err && set_back(top, &was)) {
		err = errno;
		unlinkat(top, name, AT_REMOVEDIR);
	}
	free(name);
	mc_close(top);
	return err ? fail_aside(x, s, err, "making it") : 0;
}

/* What was not unlinked by its other name goes, too. */
static int remove_aside(struct mc_exec *x, const struct mc_src *s, int root)
{
	int *aside = &x->aside_fd[s - x->p->srcs], ret = 0, top;
	char *name = aside_name(x, s), number[MC_PUT_NAME];
	const struct mc_put *put;
	struct stat was, st;
	uint32_t i;

	for (i = 0; i < s->nr_unlinked; i++) {
		put = &x->put[s->unlinked + i];
		mc_put_name(put, number);
		/* before it is told that it is made, nobody has changed places with it */
		if (!put->made || is_made(put, *aside, number))
			if (unlinkat(*aside, number, 0) && errno == EISDIR)
				unlinkat(*aside, number, AT_REMOVEDIR);
	}
	top = mc_contents_dir(root, "", 0);
	if (!name) {
		errno = ENOMEM;
		ret = -1;
	} else if (top < 0 || fstat(top, &was) || fstat(*aside, &st)) {
		ret = -1;
	} else {
		struct mc_put it = { .dev = st.st_dev, .ino = st.st_ino };

		if (!is_made(&it, top, name)) {
			ret = -1;
		} else if (unlinkat(top, name, AT_REMOVEDIR)) {
			ret = -1;
		} else {
			ret = set_back(top, &was);
		}
	}
	if (ret)
		ret = errno;
	mc_close(top);
	free(name);
	mc_close(*aside);
	*aside = -1;
	if (x->upper_fd) {
		mc_close(x->upper_fd[s - x->p->srcs]);
		x->upper_fd[s - x->p->srcs] = -1;
	}
	return ret;
}

/* --- the name that it had -------------------------------------------------------- */

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
	if (gone || (h->no_ino && !is_made(put, aside, name)))
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
	if (p->is_dir || !is_made(put, p->aside, p->made_as))
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
	int tries, ret, err;

	for (tries = 0; tries < 100; tries++) {
		ret = change_places(put, p, dir, name);
		if (ret <= 0)
			return ret;
		if (!renameat2(p->aside, p->made_as, dir, name, RENAME_NOREPLACE))
			return 0;
		err = errno;
		if (put_back(p, dir, name))
			return -1;
		p->taken = NULL;
		errno = err;
		if (err != EEXIST)
			return -1;
	}
	return -1;
}

/* As take_name() found it; errno stays. */
static void give_back(const struct mc_put *put, struct place *p, int dir, const char *name)
{
	bool places = p->taken == p->made_as;
	int err = errno;

	if (is_made(put, dir, name)) {
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
	if (!is_made(put, dir, name) || unlinkat(dir, name, p->is_dir ? AT_REMOVEDIR : 0)) {
		give_back(put, p, dir, name);
		return -1;
	}
	*gone = true;
	*what = "renaming what has its name by now back";
	return put_back(p, dir, name);
}

static int one(struct mc_exec *x, const struct mc_src *s, int root, uint32_t i,
	       const char **what)
{
	const struct mc_unlinked *u = &x->p->unlinked[i];
	struct mc_put *put = &x->put[i];
	int top = -1, dir, ret = -1, err;
	struct held h = { .fd = -1, .cap_size = -1 };
	bool gone = false, strip = is_elsewhere(x, s);
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
		if (set_back(top, &was) && !ret) {
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

/* --- making them ---------------------------------------------------------------- */

struct mc_put *mc_exec_put(const struct mc_plan *p, const struct mc_src *s)
{
	struct mc_put *put = calloc(s->nr_unlinked + 1UL, sizeof(*put));
	uint32_t i;

	for (i = 0; put && i < s->nr_unlinked; i++)
		put[i] = (struct mc_put){
			.nr = p->unlinked[s->unlinked + i].nr,
			.path = p->unlinked[s->unlinked + i].path,
			.type = p->unlinked[s->unlinked + i].type,
		};
	return put;
}

static int external_of(const struct mc_exec *x, const struct mc_src *s)
{
	return s->kind == MC_SRC_EXTERNAL ? x->external_fd[s->index] : -1;
}

struct trying {
	const struct mc_plan_options *po;
	struct mntcr_error *e;
	uint32_t nr_refused;
};

static void is_refused(void *data, const struct mntcr_error *why)
{
	struct trying *t = data;

	mc_refuse_beside(t->po, t->e, &t->nr_refused, &(struct mntcr_refusal){
		.rule = why->rule, .text = why->text, .help = "" });
}

/* Of what comes from the archive alone, all of which is read when it is made. */
static int try_source(const struct mc_exec *x, const struct mc_src *s, struct trying *t)
{
	const struct mc_sb *sb = &x->t->sbs[s->sb];
	const struct mc_trying how = {
		.root = external_of(x, s), .no_data = !is_elsewhere(x, s),
		.refused = is_refused, .data = t,
	};
	struct mc_put *put = mc_exec_put(x->p, s);
	uint32_t before = t->nr_refused;
	struct mntcr_error e = { 0 };
	int ret = put ? mc_contents_try(x->o->contents, sb,
					mc_exec_is_whole(sb, s, external_of(x, s)), put,
					s->nr_unlinked, &how, &e) : mc_nomem(&e);

	free(put);
	if (!ret || t->nr_refused > before)
		return 0;
	*t->e = e;
	return -1;
}

int mc_exec_check_unlinked(const struct mc_exec *x, const struct mc_plan_options *po,
			   struct mntcr_error *e)
{
	struct trying t = { .po = po, .e = e };
	uint32_t i;

	for (i = 0; i < x->p->nr_srcs; i++) {
		if (!x->p->srcs[i].nr_unlinked)
			continue;
		if (!mc_contents_has(x->o->contents, &x->t->sbs[x->p->srcs[i].sb]))
			return mc_fail(e, MNTCR_USAGE, 0,
				       "unlinked roots are in the image's contents, which were not given");
		if (try_source(x, &x->p->srcs[i], &t))
			return -1;
	}
	return t.nr_refused ? -1 : 0;
}

/* Where and what they are, for all sources. */
static int keep_puts(struct mc_exec *x)
{
	uint32_t i;

	if (x->put)
		return 0;
	x->put = calloc(x->p->nr_unlinked, sizeof(*x->put));
	x->aside_fd = mc_fds_new(x->p->nr_srcs);
	if (!x->put || !x->aside_fd)
		return mc_nomem(x->e);
	for (i = 0; i < x->p->nr_unlinked; i++)
		x->put[i] = (struct mc_put){
			.nr = x->p->unlinked[i].nr, .path = x->p->unlinked[i].path,
			.type = x->p->unlinked[i].type,
		};
	return 0;
}

int mc_exec_fill(struct mc_exec *x, const struct mc_src *s, int root)
{
	struct mc_put *put = NULL;
	int aside = -1, ret;

	if (!x->later)
		x->later = calloc(x->p->nr_srcs, sizeof(*x->later));
	if (!x->later)
		return mc_nomem(x->e);
	if (s->nr_unlinked) {
		if (keep_puts(x) || make_aside(x, s, root))
			return -1;
		put = x->put + s->unlinked;
		aside = x->aside_fd[s - x->p->srcs];
	}
	ret = mc_contents_fill(x->o->contents, &x->t->sbs[s->sb], root, aside,
			       mc_exec_is_whole(&x->t->sbs[s->sb], s, external_of(x, s)),
			       put, s->nr_unlinked, &x->later[s - x->p->srcs], x->e);
	/* a new superblock goes with all that was made */
	if (ret && is_elsewhere(x, s))
		remove_aside(x, s, root);
	return ret;
}

int mc_exec_fill_externals(struct mc_exec *x)
{
	const struct mc_src *s;
	uint32_t i;

	for (i = 0; i < x->p->nr_srcs; i++) {
		s = &x->p->srcs[i];
		if (s->kind == MC_SRC_EXTERNAL && s->nr_unlinked &&
		    mc_exec_fill(x, s, x->external_fd[s->index]))
			return -1;
	}
	return 0;
}

static int root_of(const struct mc_exec *x, uint32_t i)
{
	const struct mc_src *s = &x->p->srcs[i];

	return s->kind == MC_SRC_EXTERNAL ? x->external_fd[s->index] : x->src_fd[i];
}

void mc_exec_take_back(struct mc_exec *x)
{
	uint32_t i;

	for (i = 0; x->put && x->aside_fd && i < x->p->nr_srcs; i++)
		if (is_elsewhere(x, &x->p->srcs[i]) && x->aside_fd[i] >= 0 &&
		    root_of(x, i) >= 0)
			remove_aside(x, &x->p->srcs[i], root_of(x, i));
}

int mc_exec_is_made(const struct mc_exec *x, uint32_t sub, int fd)
{
	const struct mc_src *s = &x->p->srcs[sub], *base = &x->p->srcs[s->base];
	uint32_t lo = base->unlinked, hi = lo + base->nr_unlinked, mid, nr;
	size_t len = base->nr_unlinked ? mc_member_dir(x->p->unlinked[lo].made_as) : 0;
	struct stat st;

	if (!len || strncmp(s->path, x->p->unlinked[lo].made_as, len) || s->path[len] != '/')
		return 0;
	nr = (uint32_t)strtoul(s->path + len + 1, NULL, 10);
	while (lo + 1 < hi) {
		mid = lo + (hi - lo) / 2;
		if (x->put[mid].nr <= nr)
			lo = mid;
		else
			hi = mid;
	}
	if (fstat(fd, &st))
		return -1;
	if (mc_put_is(&x->put[lo], &st))
		return 0;
	errno = ESTALE;
	return -1;
}

/* --- and unlinking them ----------------------------------------------------------- */

struct job {
	struct mc_exec *x;
	const struct mc_op *op;
	int ret;
};

static int unlink_all(struct mc_exec *x, const struct mc_op *op)
{
	uint32_t s = MC_REF_INDEX(op->obj), i;
	const struct mc_src *src = &x->p->srcs[s];
	char text[400], esc[256];
	const char *what;
	int err;

	for (i = op->nr; i--; ) {
		if (!one(x, src, root_of(x, s), op->first + i, &what))
			continue;
		err = errno;
		snprintf(text, sizeof(text), "unlinking /%s again: %s",
			 mc_escape(x->p->unlinked[op->first + i].path, esc, sizeof(esc)), what);
		return mc_exec_fail(x, op, err, text);
	}
	err = src->nr_unlinked ? remove_aside(x, src, root_of(x, s)) : 0;
	if (err)
		return mc_exec_fail(x, op, err, "removing the directory that unlinked roots were made in");
	return src->finish ? 0 : mc_exec_set_last(x, op, src, root_of(x, s));
}

static void as_root(void *data)
{
	struct job *j = data;

	j->ret = unlink_all(j->x, j->op);
}

/* A new name takes an fsuid and an fsgid that the superblock's owner maps. */
int mc_exec_unlink(struct mc_exec *x, const struct mc_op *op)
{
	uint32_t owner = x->p->srcs[MC_REF_INDEX(op->obj)].owner;
	struct job j = { x, op, 0 };

	if (owner == MC_NONE)
		as_root(&j);
	else if (mc_owner_as_root(x, owner, as_root, &j))
		j.ret = mc_exec_fail(x, op, errno,
				     "becoming the root of its user namespace");
	return j.ret;
}
