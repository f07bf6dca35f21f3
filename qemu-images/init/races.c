// SPDX-License-Identifier: GPL-2.0
/*
 * Whether data races were looked for, where the kernel can: without a report in its log
 * only this tells.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "init.h"

#define DEBUGFS		"/sys/kernel/debug"

void races_say(void)
{
	char line[128];
	FILE *f;

	if (mount("debugfs", DEBUGFS, "debugfs", 0, NULL))
		return;
	f = fopen(DEBUGFS "/kcsan", "re");
	while (f && fgets(line, sizeof(line), f) && *line != '\n') {
		line[strcspn(line, "\n")] = 0;
		klog("vm: kcsan: %s", line);
	}
	if (f)
		fclose(f);
	umount(DEBUGFS);
}
