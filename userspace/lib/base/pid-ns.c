// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where one pid namespace lies below another one.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "base/base.h"

int mc_pidns_depth(int file, ino_t own, uint64_t above[MC_PID_LEVELS])
{
	int fd = file, up, depth, found = -1;
	struct stat st;

	for (depth = 0; fd >= 0 && found == -1 && depth <= MC_PID_LEVELS; depth++) {
		if (fstat(fd, &st)) {
			found = -2;
		} else if (st.st_ino == own) {
			found = depth;
		} else {
			if (above && depth)
				above[depth - 1] = st.st_ino;
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
