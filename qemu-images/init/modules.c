// SPDX-License-Identifier: GPL-2.0
/*
 * Kernel modules, where there is a list of them: a path a line, each after
 * those that it depends on.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init.h"

#define MODULE_LIST	"/vm/modules"

static int load(const char *path)
{
	int fd, ret;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ret = syscall(SYS_finit_module, fd, "", 0);
	close(fd);
	return ret;
}

int modules_load(void)
{
	char path[256];
	int ret = 0;
	FILE *f;

	f = fopen(MODULE_LIST, "re");
	if (!f)
		return errno == ENOENT ? 0 : -1;
	while (!ret && fgets(path, sizeof(path), f)) {
		path[strcspn(path, "\n")] = 0;
		ret = load(path);
		if (ret)
			klog("vm: module %s: %s", path, strerror(errno));
	}
	fclose(f);
	return ret;
}
