// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where one pid namespace lies below another one.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "base/base.h"

#define MAX_PID_LEVEL	32	/* the kernel's */

int mc_pidns_depth(int file, ino_t own)
{
	int fd = file, up, depth, found = -1;
	struct stat st;

	for (depth = 0; fd >= 0 && found == -1 && depth <= MAX_PID_LEVEL; depth++) {
		if (fstat(fd, &st)) {
			found = -2;
		} else if (st.st_ino == own) {
			found = depth;
		} else {
			up = ioctl(fd, MC_NS_GET_PARENT);
			if (fd != file)
				mc_close(fd);
			fd = up;
		}
	}
	if (fd != file)
		mc_close(fd);
	return found;
}
