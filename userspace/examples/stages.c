// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * stages IMAGE: mounts and processes of a container, as a checkpoint/restore program
 * makes them.  The image has a pid namespace and one below it, a process in each, and a
 * mount namespace for each process: the first and the last of the image.  (Which process
 * was where is in such a program's own images.)  The pid namespace below can be made
 * only by a process in the one above, so what shows it waits until there is one.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mntcr-stages.h"

struct container {
	struct mntcr_stages *s;
	int ready[2], go[2];	/* to the program, and from it */
	pid_t init;
};

/* A program would restore memory, files and the rest here; it sees no mount yet. */
static bool restore_process(struct container *c, size_t mount_ns)
{
	char byte, self[16] = "";

	if (write(c->ready[1], "", 1) != 1 || read(c->go[0], &byte, 1) != 1)
		return false;
	if (setns(mntcr_stages_ns_fd(c->s, mount_ns), CLONE_NEWNS))
		return false;
	/* each is the first in its pid namespace, and its proc says so */
	return readlink("/proc/self", self, sizeof(self)) == 1 && self[0] == '1';
}

static void init_process(struct container *c)
{
	int status = 1;
	pid_t below;

	close(c->go[1]);	/* (of a program that dies, they hear) */
	if (unshare(CLONE_NEWPID))
		_exit(1);
	below = fork();
	if (!below)
		_exit(!restore_process(c, mntcr_stages_nr_ns(c->s) - 1));
	if (!restore_process(c, 0) || waitpid(below, &status, 0) < 0 || status)
		_exit(1);
	_exit(0);
}

/* The first process of a pid namespace that was made for the mounts, and is empty. */
static void fork_init(struct container *c, int pid_ns)
{
	int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);

	if (own < 0 || setns(pid_ns, CLONE_NEWPID))
		err(1, "the container's pid namespace");
	c->init = fork();
	if (!c->init)
		init_process(c);
	if (c->init < 0 || setns(own, CLONE_NEWPID))
		err(1, "fork");
	close(own);
}

static void await_both(struct container *c)
{
	char byte;
	int i;

	close(c->ready[1]);
	for (i = 0; i < 2; i++)
		if (read(c->ready[0], &byte, 1) != 1)
			errx(1, "the container's processes are gone");
}

/* Whatever waits here waits for the pid namespace that init has made by now. */
static int give_what_waits(struct container *c, struct mntcr_error *e)
{
	struct mntcr_need need;
	char path[64];
	size_t i;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/pid_for_children", (int)c->init);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", path);
	for (i = 0; i < mntcr_stages_nr_needs(c->s); i++) {
		mntcr_stages_need(c->s, i, &need);
		if (need.kind != MNTCR_GIVEN_PID)
			errx(1, "%s on %s: nobody here has it", need.type, need.name);
		printf("%s on %s waited\n", need.type, need.name);
		if (mntcr_stages_give(c->s, &(struct mntcr_given){ need.kind, need.id },
				      fd, e))
			return -1;
	}
	close(fd);
	return mntcr_stages_delayed(c->s, e);
}

static int restore(struct container *c, struct mntcr_restored **r, struct mntcr_error *e)
{
	struct mntcr_made made = { .fd = -1 };
	size_t i;

	if (mntcr_stages_place(c->s, e))
		return -1;
	for (i = 0; i < mntcr_stages_nr_made(c->s); i++) {
		mntcr_stages_made(c->s, i, &made);
		if (!strcmp(made.kind, "pid"))
			break;
	}
	if (i == mntcr_stages_nr_made(c->s))
		errx(1, "no pid namespace is made for this image");
	fork_init(c, made.fd);
	await_both(c);
	if (give_what_waits(c, e) || mntcr_stages_share(c->s, e))
		return -1;
	/* every mount is there, every group is set: let them run */
	if (write(c->go[1], "..", 2) != 2)
		err(1, "the container's processes");
	return mntcr_stages_end(c->s, r, e);
}

int main(int argc, char **argv)
{
	struct mntcr_restore_options o = { .size = sizeof(o) };
	struct mntcr_stages_options so = { .size = sizeof(so) };
	struct mntcr_contents *contents = NULL;
	struct mntcr_topology *t = NULL;
	struct mntcr_restored *r = NULL;
	struct container c = { 0 };
	struct mntcr_error e;
	int status = 1;

	if (argc != 2)
		errx(2, "usage: stages IMAGE");
	if (pipe2(c.ready, O_CLOEXEC) || pipe2(c.go, O_CLOEXEC))
		err(1, "pipe");
	if (mntcr_image_read_contents(argv[1], &t, &contents, &e))
		errx(1, "%s", e.text);
	o.contents = contents;
	if (mntcr_stages_begin(t, &o, &so, &c.s, &e) || restore(&c, &r, &e))
		errx(1, "%s", e.text);
	/* the namespaces live by their processes now */
	if (waitpid(c.init, &status, 0) < 0 || status)
		errx(1, "the container's processes are not where they were");
	puts("restored");
	mntcr_restored_free(r);
	mntcr_stages_free(c.s);
	mntcr_contents_free(contents);
	mntcr_topology_free(t);
	return 0;
}
