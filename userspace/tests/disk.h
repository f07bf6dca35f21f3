/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Filesystems on block devices, for tests: ext4 in a file below the test's own tmpfs, and
 * loop devices that go when nothing has them open or mounted any more.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef DISK_H
#define DISK_H

#include <fcntl.h>
#include <linux/loop.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

struct disk {
	int fd;			/* of the device */
	dev_t dev;
	char path[32];
};

/* What is not for lack of a program or a device fails: no test runs yet that could. */
#define DISK_NEEDS(cond, what)	do {					\
	if (!(cond)) {							\
		printf("Bail out! %s: %s (errno %d, %s)\n", what, #cond,	\
		       errno, strerror(errno));				\
		fflush(stdout);						\
		exit(1);						\
	}								\
} while (0)

/* features: of mke2fs(8).  false: there is no such program here. */
static inline bool disk_make_with(const char *file, const char *features)
{
	char line[200];
	int fd, status;

	fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	DISK_NEEDS(fd >= 0 && !ftruncate(fd, 8 << 20), file);
	close(fd);
	snprintf(line, sizeof(line),
		 "PATH=$PATH:/usr/sbin:/sbin mke2fs -q -t ext4 -O %s %s >&2",
		 features, file);
	status = system(line);
	/* the shell did not find it */
	if (status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return false;
	DISK_NEEDS(!status, "mke2fs");
	return true;
}

static inline bool disk_make(const char *file)
{
	return disk_make_with(file, "^has_journal");
}

/* false: there are no loop devices here. */
static inline bool disk_attach(const char *file, struct disk *d)
{
	struct loop_config c = { .info.lo_flags = LO_FLAGS_AUTOCLEAR };
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), nr, tries;
	struct stat st;

	d->fd = -1;
	if (control < 0 && (errno == ENOENT || errno == ENXIO || errno == ENODEV))
		return false;
	DISK_NEEDS(control >= 0, "/dev/loop-control");
	c.fd = (uint32_t)open(file, O_RDWR | O_CLOEXEC);
	DISK_NEEDS((int)c.fd >= 0, file);
	for (tries = 0; d->fd < 0 && tries < 8; tries++) {
		nr = ioctl(control, LOOP_CTL_GET_FREE);
		snprintf(d->path, sizeof(d->path), "/dev/loop%d", nr);
		DISK_NEEDS(nr >= 0, "LOOP_CTL_GET_FREE");
		d->fd = open(d->path, O_RDWR | O_CLOEXEC);
		if (d->fd < 0 && errno == ENOENT)
			break;		/* a /dev that nobody fills */
		DISK_NEEDS(d->fd >= 0, d->path);
		/* somebody else may have taken it meanwhile */
		if (ioctl(d->fd, LOOP_CONFIGURE, &c)) {
			DISK_NEEDS(errno == EBUSY, d->path);
			close(d->fd);
			d->fd = -1;
		}
	}
	close((int)c.fd);
	close(control);
	if (d->fd < 0 && tries < 8)
		return false;
	DISK_NEEDS(d->fd >= 0 && !fstat(d->fd, &st), "a loop device");
	d->dev = st.st_rdev;
	return true;
}

static inline void disk_detach(struct disk *d)
{
	close(d->fd);
	d->fd = -1;
}

#endif /* DISK_H */
