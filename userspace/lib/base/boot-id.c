// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The id of this boot: ids of namespaces and mounts start anew with each.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <string.h>

#include "base/base.h"

bool mc_is_boot_id(const char *s)
{
	size_t i;

	for (i = 0; i < MC_BOOT_ID_LEN; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? s[i] != '-' :
		    !(s[i] >= '0' && s[i] <= '9') && !(s[i] >= 'a' && s[i] <= 'f'))
			return false;
	return !s[i];
}

bool mc_boot_id(char id[MC_BOOT_ID_LEN + 1])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, id, MC_BOOT_ID_LEN);
	mc_close(fd);
	id[n < 0 ? 0 : n] = '\0';
	return mc_is_boot_id(id);
}
