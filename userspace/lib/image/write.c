// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Writing an image: to a file without a name, where there are such, that takes the name
 * only when it is complete and on disk.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "image/image.h"

/* Prefix the text of e with the file's name. */
static int fail_on(const char *path, struct mntcr_error *e)
{
	char esc[300];

	return mc_fail_in(e, mc_escape(path, esc, sizeof(esc)));
}

static int sys_fail(const char *path, struct mntcr_error *e)
{
	char esc[300];

	return mc_fail(e, MNTCR_SYS, errno, "%s",
		       mc_escape(path, esc, sizeof(esc)));
}

static int write_in_place(const struct mc_image_print *p, const char *path,
			  struct mntcr_error *e)
{
	FILE *out = fopen(path, "we");
	int ret;

	if (!out)
		return sys_fail(path, e);
	ret = p->print(p->data, out, e);
	if (fclose(out) && !ret)
		ret = mc_fail(e, MNTCR_SYS, errno, "closing");
	return ret ? fail_on(path, e) : 0;
}

/* Where the image goes: a name in a directory. */
struct target {
	int dir;
	char *name;
};

static void target_free(struct target *to)
{
	mc_close(to->dir);
	free(to->name);
	*to = (struct target){ .dir = -1 };
}

static int target_of(const char *path, struct target *to)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) + 1 : 0;
	char *dir;

	if (!path[n]) {
		errno = n ? EISDIR : ENOENT;
		return -1;
	}
	dir = n ? strndup(path, n) : strdup(".");
	to->name = strdup(path + n);
	if (dir && to->name)
		to->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	return to->dir < 0 ? -1 : 0;
}

/*
 * What a link leads to, if that is a file and has a name.  The kernel follows
 * it, and so its rules for links in directories that anyone may write to hold.
 * Not through /dev/stdout and its like: who holds that file wants it written.
 */
static int target_of_link(const char *path, struct target *to)
{
	struct mc_open_how how = { .flags = O_PATH | O_CLOEXEC,
				   .resolve = MC_RESOLVE_NO_MAGICLINKS };
	int fd = mc_openat2(AT_FDCWD, path, &how), ret = -1;
	char proc[48], real[PATH_MAX];
	struct stat st, named;
	ssize_t n;

	if (fd < 0)
		return -1;
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	n = readlink(proc, real, sizeof(real));
	if (n > 0 && (size_t)n < sizeof(real) && !fstat(fd, &st) &&
	    S_ISREG(st.st_mode)) {
		real[n] = '\0';
		ret = target_of(real, to);
	}
	/* unlinked, renamed or out of reach: then the name is not its name */
	if (!ret && (fstatat(to->dir, to->name, &named, AT_SYMLINK_NOFOLLOW) ||
		     named.st_dev != st.st_dev || named.st_ino != st.st_ino)) {
		target_free(to);
		ret = -1;
	}
	mc_close(fd);
	return ret;
}

/*
 * A link to nothing yet: the kernel makes the file that it leads to, by the same
 * rules, and that is the one to be replaced.  0600, as what replaces it.
 */
static int target_of_dangling(const char *path, struct target *to)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY |
		      O_NONBLOCK, 0600);

	if (fd < 0)
		return -1;
	mc_close(fd);
	return target_of_link(path, to);
}

#define TEMP_SIZE	32

static void temp_name(char *name)
{
	snprintf(name, TEMP_SIZE, ".mntcr-%016" PRIx64, mc_random_seed());
}

static int open_temp(int dir, char *name)
{
	int fd, tries = 100;

	do {
		temp_name(name);
		fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			    0600);
	} while (fd < 0 && errno == EEXIST && --tries);
	return fd;
}

/* Nothing is left of it, whatever ends the process.  Named: where there are no such. */
static int open_unnamed(int dir, char *name)
{
	int fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	*name = '\0';
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT))
		fd = open_temp(dir, name);
	return fd;
}

static int link_as(int fd, int dir, const char *name)
{
	char proc[40];
	int ret;

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	ret = linkat(AT_FDCWD, proc, dir, name, AT_SYMLINK_FOLLOW);
	/* without proc: before Linux 6.10 it takes CAP_DAC_READ_SEARCH */
	return ret && errno == ENOENT ? linkat(fd, "", dir, name, AT_EMPTY_PATH) : ret;
}

static int link_temp(int fd, int dir, char *name)
{
	int ret, tries = 100;

	do {
		temp_name(name);
		ret = link_as(fd, dir, name);
	} while (ret && errno == EEXIST && --tries);
	if (ret)
		*name = '\0';
	return ret;
}

/* A rename replaces what has the name, and a link does not; no signal comes between. */
static int replace(int fd, const struct target *to, char *temp)
{
	sigset_t all, old;
	int ret, err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = (!*temp && link_temp(fd, to->dir, temp)) ||
	      renameat(to->dir, temp, to->dir, to->name) ? -1 : 0;
	err = errno;
	if (ret && *temp)
		unlinkat(to->dir, temp, 0);
	*temp = '\0';
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = err;
	return ret;
}

static int take_name(int fd, const struct target *to, char *temp)
{
	int ret = *temp ? -1 : link_as(fd, to->dir, to->name);

	return ret && (*temp || errno == EEXIST) ? replace(fd, to, temp) : ret;
}

/* The new name is on disk once the directory is. */
static int sync_dir(int fd)
{
	/* some filesystems cannot sync a directory */
	return fsync(fd) && errno != EINVAL && errno != EROFS ? -1 : 0;
}

static int print_to(const struct mc_image_print *p, const char *path, int fd,
		    struct mntcr_error *e)
{
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0), ret;
	FILE *out = own < 0 ? NULL : fdopen(own, "w");

	if (!out) {
		sys_fail(path, e);
		mc_close(own);
		return -1;
	}
	ret = p->print(p->data, out, e) ? fail_on(path, e) : 0;
	return fclose(out) && !ret ? sys_fail(path, e) : ret;
}

/* The image is complete and on disk before it takes the name. */
static int write_and_rename(const struct mc_image_print *p, const char *path,
			    const struct target *to, struct mntcr_error *e)
{
	char temp[TEMP_SIZE];
	int fd, ret;

	fd = open_unnamed(to->dir, temp);
	if (fd < 0)
		return sys_fail(path, e);
	ret = print_to(p, path, fd, e);
	if (!ret && (fsync(fd) || take_name(fd, to, temp) || sync_dir(to->dir)))
		ret = sys_fail(path, e);
	if (*temp)
		unlinkat(to->dir, temp, 0);
	mc_close(fd);
	return ret;
}

int mc_image_write(const struct mc_image_print *p, const char *path,
		   struct mntcr_error *e)
{
	struct target to = { .dir = -1 };
	bool made = false;
	struct stat st;
	int ret;

	memset(e, 0, sizeof(*e));
	if (!strcmp(path, "-"))
		return p->print(p->data, stdout, e) ?
		       fail_on("standard output", e) : 0;
	if (lstat(path, &st) || S_ISREG(st.st_mode)) {
		if (target_of(path, &to)) {
			ret = sys_fail(path, e);
			goto out;
		}
	} else if (S_ISLNK(st.st_mode) && access(path, F_OK) &&
		   errno == ENOENT && !target_of_dangling(path, &to)) {
		made = true;
	} else if (!S_ISLNK(st.st_mode) || target_of_link(path, &to)) {
		/* A pipe, a device: no name to take over. */
		ret = write_in_place(p, path, e);
		goto out;
	}
	ret = write_and_rename(p, path, &to, e);
	/* unless something else has that name by now */
	if (ret && made && !fstatat(to.dir, to.name, &st, AT_SYMLINK_NOFOLLOW) &&
	    S_ISREG(st.st_mode) && !st.st_size)
		unlinkat(to.dir, to.name, 0);
out:
	target_free(&to);
	return ret;
}

static int print_json(void *data, FILE *out, struct mntcr_error *e)
{
	return mc_image_print(data, out, e);
}

int mntcr_image_write(const struct mc_topology *t, const char *path,
		      struct mntcr_error *e)
{
	const struct mc_image_print p = { print_json, (void *)t };

	return mc_image_write(&p, path, e);
}
