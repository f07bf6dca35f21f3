// SPDX-License-Identifier: GPL-2.0
/*
 * What kernels that check themselves are asked at the end; what they find is in the
 * kernel log.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "init.h"

#define DEBUGFS		"/sys/kernel/debug"
/* Younger memory is not reported as leaked, see MSECS_MIN_AGE: seconds. */
#define MIN_AGE		6

/*
 * Memory that nothing points to any more: the kernel's own scan comes every ten minutes
 * only. A first one remembers checksums, a second one reports what did not change.
 */
static void leaks_scan(void)
{
	int fd = open(DEBUGFS "/kmemleak", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "scan", 4) != 4 || sleep(MIN_AGE) || write(fd, "scan", 4) != 4)
		klog("vm: no scan for leaks: %m");
	else
		klog("vm: scanned for leaks");
	close(fd);
}

/* Were data races looked for? Where there is no report, only this tells. */
static void races_say(void)
{
	FILE *f = fopen(DEBUGFS "/kcsan", "re");
	char line[128];

	if (!f)
		return;
	while (fgets(line, sizeof(line), f) && *line != '\n') {
		line[strcspn(line, "\n")] = 0;
		klog("vm: kcsan: %s", line);
	}
	fclose(f);
}

void debug_ask(void)
{
	if (mount("debugfs", DEBUGFS, "debugfs", 0, NULL))
		return;
	leaks_scan();
	races_say();
	umount(DEBUGFS);
}
