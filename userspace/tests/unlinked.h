/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Mounts of what has been unlinked, and looking at what came back.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TESTS_UNLINKED_H
#define TESTS_UNLINKED_H

#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static inline void bind_on(const char *from, const char *to)
{
	if (mount(from, to, NULL, MS_BIND, NULL) || mount("none", to, NULL, MS_PRIVATE, NULL)) {
		perror(to);
		_exit(1);
	}
}

static inline void mtime(const char *path, time_t t)
{
	if (utimensat(AT_FDCWD, path, (struct timespec[2]){ { t, 5 }, { t, 7 } }, 0)) {
		perror(path);
		_exit(1);
	}
}

/* Where tap.h is out of reach: in another namespace, of which 1 tells. */
#define EXPECT(x)	do { if (!(x)) { printf("# failed: %s (%m)\n", #x); \
				fflush(stdout); return 1; } } while (0)

static inline bool reads(const char *path, const char *text)
{
	char buf[64] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);

	close(fd);
	return n >= 0 && !strcmp(buf, text);
}

/* Those of a directory that keep others from it, set before if not 0; -1 */
static inline int flags_of(const char *path, int set)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), flags = set;

	if (fd < 0 || (set && ioctl(fd, FS_IOC_SETFLAGS, &set)) ||
	    ioctl(fd, FS_IOC_GETFLAGS, &flags))
		flags = -1;
	close(fd);
	return flags < 0 ? -1 : flags & (FS_IMMUTABLE_FL | FS_APPEND_FL);
}

#endif /* TESTS_UNLINKED_H */
