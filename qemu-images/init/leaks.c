// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that nothing points to any more, where the kernel can tell: its own
 * scan comes every ten minutes only. What it finds is in the kernel log.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "init.h"

#define DEBUGFS		"/sys/kernel/debug"
/* What is younger than five seconds is not reported, see MSECS_MIN_AGE. */
#define MIN_AGE		6

/* A first scan remembers checksums, a second one reports what did not change. */
void leaks_scan(void)
{
	int fd;

	if (mount("debugfs", DEBUGFS, "debugfs", 0, NULL))
		return;
	fd = open(DEBUGFS "/kmemleak", O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		if (write(fd, "scan", 4) != 4 || sleep(MIN_AGE) ||
		    write(fd, "scan", 4) != 4)
			klog("vm: no scan for leaks: %m");
		else
			klog("vm: scanned for leaks");
		close(fd);
	}
	umount(DEBUGFS);
}
