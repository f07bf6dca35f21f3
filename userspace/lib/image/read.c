// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reading an image from a file or a pipe: a text, or an archive that begins with
 * one.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "contents/contents.h"
#include "image/image.h"

/* In a file without a name: an archive is read more than once. */
static int new_spool(const char **dir, struct mntcr_error *e)
{
	const char *dirs[] = { getenv("TMPDIR"), "/var/tmp", "/tmp" };
	char name[PATH_MAX];
	size_t i;
	int fd;

	for (i = 0; i < MC_ARRAY_SIZE(dirs); i++) {
		if (!dirs[i] || *dirs[i] != '/' ||
		    snprintf(name, sizeof(name), "%s/mntcr-XXXXXX", dirs[i]) >=
		    (int)sizeof(name))
			continue;
		fd = mkostemp(name, O_CLOEXEC);
		if (fd < 0)
			continue;
		unlink(name);
		*dir = dirs[i];
		return fd;
	}
	return mc_fail(e, MNTCR_SYS, errno, "a temporary file for what comes from a pipe");
}

static int write_all(int fd, const char *p, size_t n)
{
	ssize_t done;

	for (; n; p += done, n -= (size_t)done) {
		done = write(fd, p, n);
		if (done < 0 && errno == EINTR)
			done = 0;
		else if (done <= 0)
			return -1;
	}
	return 0;
}

struct input {
	int fd;
	bool std;
	const char *name;	/* escaped */
	char chunk[65536];
	ssize_t n;		/* in chunk */
};

/* A pipe may give less than is there: full chunks, but for the last one. */
static int read_more(struct input *in, struct mntcr_error *e)
{
	ssize_t n;

	in->n = 0;
	do {
		n = read(in->fd, in->chunk + in->n,
			 sizeof(in->chunk) - (size_t)in->n);
		if (n < 0 && errno != EINTR)
			return mc_fail(e, MNTCR_SYS, errno, "%s", in->name);
		in->n += n > 0 ? n : 0;
	} while (n && (size_t)in->n < sizeof(in->chunk));
	return 0;
}

static int read_text(struct input *in, struct mc_buf *b, struct mntcr_error *e)
{
	while (in->n) {
		mc_buf_add(b, in->chunk, (size_t)in->n);
		if (b->nomem)
			return mc_nomem(e);
		if (b->len > MC_IMAGE_MAX_SIZE)
			return mc_fail(e, MNTCR_BAD_IMAGE, 0,
				       "%s: larger than %lu bytes", in->name,
				       MC_IMAGE_MAX_SIZE);
		if (read_more(in, e))
			return -1;
	}
	return 0;
}

/* The archive as a file that begins with it, not the caller's. */
static int archive_file(struct input *in, struct mntcr_error *e)
{
	const char *dir = "";
	struct stat st;
	char esc[300];
	int fd;

	if (!fstat(in->fd, &st) && S_ISREG(st.st_mode) &&
	    lseek(in->fd, 0, SEEK_CUR) == in->n) {
		fd = fcntl(in->fd, F_DUPFD_CLOEXEC, 0);
		return fd < 0 ? mc_fail(e, MNTCR_SYS, errno, "%s", in->name) : fd;
	}
	fd = new_spool(&dir, e);
	while (fd >= 0 && in->n) {
		if (write_all(fd, in->chunk, (size_t)in->n))
			mc_fail(e, MNTCR_SYS, errno,
				"%s: into a temporary file in %s (TMPDIR may say another directory)",
				in->name, mc_escape(dir, esc, sizeof(esc)));
		else if (!read_more(in, e))
			continue;
		mc_close(fd);
		return -1;
	}
	return fd;
}

static int read_archive(struct input *in, struct mc_buf *b,
			struct mntcr_contents **contents, struct mntcr_error *e)
{
	int fd = archive_file(in, e);

	if (fd < 0)
		return -1;
	if (!mc_contents_open(fd, MC_IMAGE_MAX_SIZE, b, contents, e))
		return 0;
	mc_close(fd);
	return mc_fail_in(e, in->name);
}

int mntcr_image_read_contents(const char *path, struct mc_topology **topo,
			      struct mntcr_contents **contents,
			      struct mntcr_error *e)
{
	bool std = !strcmp(path, "-");
	const char *name = std ? "standard input" : path;
	struct mc_buf b = { 0 };
	struct input *in = malloc(sizeof(*in));
	char esc[300];
	int ret = -1;

	*topo = NULL;
	*contents = NULL;
	memset(e, 0, sizeof(*e));
	if (!in)
		return mc_nomem(e);
	in->name = mc_escape(name, esc, sizeof(esc));
	in->fd = std ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (in->fd < 0) {
		mc_fail(e, MNTCR_SYS, errno, "%s", esc);
		goto out;
	}
	if (read_more(in, e))
		goto out;
	if (in->n && mc_contents_is_archive(in->chunk, (size_t)in->n))
		ret = read_archive(in, &b, contents, e);
	else
		ret = read_text(in, &b, e);
	if (!ret)
		ret = mc_image_parse(b.data ? b.data : "", b.len, name, topo, e);
	if (!ret && mc_contents_check(*contents, *topo, e)) {
		mntcr_topology_free(*topo);
		*topo = NULL;
		ret = mc_fail_in(e, in->name);
	}
	if (ret) {
		mntcr_contents_free(*contents);
		*contents = NULL;
	}
out:
	if (!std)
		mc_close(in->fd);
	free(in);
	mc_buf_free(&b);
	return ret;
}

int mntcr_image_read(const char *path, struct mc_topology **topo,
		     struct mntcr_error *e)
{
	struct mntcr_contents *contents;
	int ret = mntcr_image_read_contents(path, topo, &contents, e);

	mntcr_contents_free(contents);
	return ret;
}
