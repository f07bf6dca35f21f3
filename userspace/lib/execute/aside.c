// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The directory that unlinked roots are made in, which nobody else gets into: made, and
 * removed with what is left in it.  The one above it is as it was.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/xattr.h>

#include "execute/unlinked.h"

bool mc_unlinked_elsewhere(const struct mc_exec *x, const struct mc_src *s)
{
	return s->nr_unlinked && mc_type_elsewhere(x->t->sbs[s->sb].type);
}

bool mc_unlinked_is_made(const struct mc_put *put, int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return false;
	errno = ESTALE;
	return mc_put_is(put, &st);
}

int mc_unlinked_set_back(int dir, const struct stat *was)
{
	return futimens(dir, (struct timespec[2]){ { .tv_nsec = UTIME_OMIT },
						   was->st_mtim });
}

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

int mc_aside_make(struct mc_exec *x, const struct mc_src *s, int root)
{
	int top = mc_contents_dir(root, "", 0), err;
	char *name = aside_name(x, s);
	struct stat was;

	if (!name)
		err = ENOMEM;
	else if (top < 0 || fstat(top, &was))
		err = errno;
	else
		err = make_private(top, name, mc_unlinked_elsewhere(x, s),
				   &x->aside_fd[s - x->p->srcs]);
	if (!err && mc_unlinked_set_back(top, &was)) {
		err = errno;
		unlinkat(top, name, AT_REMOVEDIR);
	}
	free(name);
	mc_close(top);
	return err ? fail_aside(x, s, err, "making it") : 0;
}

int mc_aside_remove(struct mc_exec *x, const struct mc_src *s, int root)
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
		if (!put->made || mc_unlinked_is_made(put, *aside, number))
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

		if (!mc_unlinked_is_made(&it, top, name)) {
			ret = -1;
		} else if (unlinkat(top, name, AT_REMOVEDIR)) {
			ret = -1;
		} else {
			ret = mc_unlinked_set_back(top, &was);
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
