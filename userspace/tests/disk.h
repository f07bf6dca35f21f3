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
#include <unistd.h>


struct disk {
	int fd;			/* of the device */
	dev_t dev;
	char path[32];
};

/* false: there is no program for it here. */
static inline bool disk_make(const char *file)
{
	char line[200];
	int fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool made = fd >= 0 && !ftruncate(fd, 8 << 20);

	close(fd);
	snprintf(line, sizeof(line),
		 "PATH=$PATH:/usr/sbin:/sbin mke2fs -q -t ext4 -O ^has_journal %s >/dev/null 2>&1",
		 file);
	return made && !system(line);
}

/* false: there are no loop devices here, or no more of them. */
static inline bool disk_attach(const char *file, struct disk *d)
{
	struct loop_config c = { .info.lo_flags = LO_FLAGS_AUTOCLEAR };
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), nr, tries;
	struct stat st;

	d->fd = -1;
	c.fd = (uint32_t)open(file, O_RDWR | O_CLOEXEC);
	for (tries = 0; control >= 0 && d->fd < 0 && tries < 8; tries++) {
		nr = ioctl(control, LOOP_CTL_GET_FREE);
		snprintf(d->path, sizeof(d->path), "/dev/loop%d", nr);
		d->fd = nr < 0 ? -1 : open(d->path, O_RDWR | O_CLOEXEC);
		/* somebody else may have taken it meanwhile */
		if (d->fd >= 0 && ioctl(d->fd, LOOP_CONFIGURE, &c)) {
			close(d->fd);
			d->fd = -1;
		}
	}
	close((int)c.fd);
	close(control);
	if (d->fd < 0 || fstat(d->fd, &st))
		return false;
	d->dev = st.st_rdev;
	return true;
}

static inline void disk_detach(struct disk *d)
{
	close(d->fd);
	d->fd = -1;
}

#endif /* DISK_H */
