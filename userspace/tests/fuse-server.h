/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A FUSE server for tests: a directory with a directory "d" and a file "f", that
 * counts what it is asked, hangs or dies when it is told to.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef FUSE_SERVER_H
#define FUSE_SERVER_H

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct fuse_server {
	pid_t pid;
	int dev;
	int go[2];		/* a byte when it is mounted */
	uint64_t valid;		/* seconds that names are cached; attributes never are */
	unsigned int *asked;	/* shared memory */
};

enum { FUSE_SERVER_D = 2, FUSE_SERVER_F };

static inline void fuse_attr(struct fuse_attr *a, uint64_t node)
{
	memset(a, 0, sizeof(*a));
	a->ino = node;
	a->mode = node == FUSE_SERVER_F ? S_IFREG | 0644 : S_IFDIR | 0755;
	a->nlink = 1;
}

/* The size of what is in out, or an errno. */
static inline int fuse_answer(const struct fuse_server *s,
			      const struct fuse_in_header *in, const void *arg,
			      void *out, size_t *size)
{
	struct fuse_init_out *init = out;
	struct fuse_entry_out *entry = out;
	struct fuse_attr_out *attr = out;

	switch (in->opcode) {
	case FUSE_INIT:
		memset(init, 0, sizeof(*init));
		init->major = FUSE_KERNEL_VERSION;
		init->minor = ((const struct fuse_init_in *)arg)->minor;
		init->max_write = 4096;
		*size = sizeof(*init);
		return 0;
	case FUSE_LOOKUP:
		memset(entry, 0, sizeof(*entry));
		if (!strcmp(arg, "d"))
			entry->nodeid = FUSE_SERVER_D;
		else if (!strcmp(arg, "f"))
			entry->nodeid = FUSE_SERVER_F;
		else
			return ENOENT;
		entry->entry_valid = s->valid;
		fuse_attr(&entry->attr, entry->nodeid);
		*size = sizeof(*entry);
		return 0;
	case FUSE_GETATTR:
		memset(attr, 0, sizeof(*attr));
		fuse_attr(&attr->attr, in->nodeid);
		*size = sizeof(*attr);
		return 0;
	default:
		return ENOSYS;
	}
}

static inline void fuse_serve(const struct fuse_server *s)
{
	static union {
		struct fuse_in_header in;
		char space[FUSE_MIN_READ_BUFFER + 4096];
	} buf;
	struct {
		struct fuse_out_header head;
		char body[256];
	} out;
	ssize_t n;

	for (;;) {
		size_t size = 0;
		int err;

		n = read(s->dev, &buf, sizeof(buf));
		if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOENT))
			continue;
		if (n < (ssize_t)sizeof(buf.in))
			_exit(0);
		if (buf.in.opcode == FUSE_FORGET || buf.in.opcode == FUSE_BATCH_FORGET ||
		    buf.in.opcode == FUSE_INTERRUPT)
			continue;
		/* the first one comes with the mount, at a time of its own */
		*s->asked += buf.in.opcode != FUSE_INIT;
		err = fuse_answer(s, &buf.in, &buf.in + 1, out.body, &size);
		out.head.len = (uint32_t)(sizeof(out.head) + size);
		out.head.error = -err;
		out.head.unique = buf.in.unique;
		if (write(s->dev, &out, out.head.len) < 0 && errno == ENODEV)
			_exit(0);
	}
}

/* It dies with its caller, and with it whatever waits for it. */
static inline int fuse_start(struct fuse_server *s, uint64_t valid)
{
	char c;

	s->valid = valid;
	s->dev = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (s->dev < 0)
		return -1;
	s->asked = mmap(NULL, sizeof(*s->asked), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->asked == MAP_FAILED || pipe2(s->go, O_CLOEXEC))
		err(1, "a FUSE server");
	fflush(stdout);
	s->pid = fork();
	if (s->pid < 0)
		err(1, "fork");
	if (!s->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(s->go[1]);
		if (read(s->go[0], &c, 1) == 1)
			fuse_serve(s);
		_exit(0);
	}
	return 0;
}

/* In the namespace that it is for. */
static inline void fuse_mount(const struct fuse_server *s, const char *path,
			      unsigned int user, bool allow_other)
{
	char opts[128];

	snprintf(opts, sizeof(opts), "fd=%d,rootmode=40000,user_id=%u,group_id=%u%s",
		 s->dev, user, user, allow_other ? ",allow_other" : "");
	if (mount("server", path, "fuse", 0, opts))
		err(1, "fuse on %s", path);
	if (write(s->go[1], "", 1) != 1)
		err(1, "starting the server");
}

/* When all is mounted: from now on only the server has the device. */
static inline void fuse_leave(struct fuse_server *s)
{
	close(s->dev);
	close(s->go[0]);
	close(s->go[1]);
}

static inline void fuse_hang(const struct fuse_server *s)
{
	int status;

	if (kill(s->pid, SIGSTOP) || waitpid(s->pid, &status, WUNTRACED) != s->pid ||
	    !WIFSTOPPED(status))
		err(1, "stopping the server");
}

static inline void fuse_die(struct fuse_server *s)
{
	if (kill(s->pid, SIGKILL) || waitpid(s->pid, NULL, 0) != s->pid)
		err(1, "ending the server");
	s->pid = 0;
}

static inline void fuse_end(struct fuse_server *s)
{
	if (s->pid)
		fuse_die(s);
	munmap(s->asked, sizeof(*s->asked));
}

#endif /* FUSE_SERVER_H */
