/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A user namespace that says what an idmap is, and in which nobody is any more; and a
 * mount with that.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TESTS_IDMAP_USERNS_H
#define TESTS_IDMAP_USERNS_H

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "tap.h"

/* With that text for the maps of both kinds of ids; -1. */
static inline int idmap_userns(const char *map)
{
	int ready[2], user = -1, fd, i;
	char path[64], x;
	bool ok;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWUSER) || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	ok = pid > 0 && read(ready[0], &x, 1) == 1;
	for (i = 0; i < 2 && ok; i++) {
		snprintf(path, sizeof(path), "/proc/%d/%cid_map", (int)pid, "ug"[i]);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		ok = fd >= 0 && write(fd, map, strlen(map)) == (ssize_t)strlen(map);
		if (fd >= 0)
			close(fd);
	}
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	if (ok)
		user = open(path, O_RDONLY | O_CLOEXEC);
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	close(ready[0]);
	return user;
}

/* A clone of what, idmapped, goes on that; 0, or errno says why not. */
static inline int idmap_onto(int users, const char *what, const char *on)
{
	struct mc_mount_attr attr = {
		.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)users,
	};
	int tree = mc_open_tree(AT_FDCWD, what, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	return users < 0 || tree < 0 ||
	       mc_mount_setattr(tree, "", AT_EMPTY_PATH, &attr, MC_MOUNT_ATTR_SIZE_VER0) ||
	       mc_move_mount(tree, "", AT_FDCWD, on, MOVE_MOUNT_F_EMPTY_PATH) ||
	       close(tree) ? -1 : 0;
}

/* From Linux 6.3 on. */
static inline bool idmap_tmpfs_takes(void)
{
	struct mc_mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
	int user = idmap_userns("0 1000 10"), fs = mc_fsopen("tmpfs", MC_FSOPEN_CLOEXEC), fd;
	bool takes;

	REQUIRE(user >= 0 && fs >= 0);
	REQUIRE(!mc_fsconfig(fs, MC_FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	fd = mc_fsmount(fs, MC_FSMOUNT_CLOEXEC, 0);
	REQUIRE(fd >= 0);
	attr.userns_fd = (uint64_t)user;
	takes = !mc_mount_setattr(fd, "", AT_EMPTY_PATH, &attr, MC_MOUNT_ATTR_SIZE_VER0);
	if (!takes)
		CHECK_EQ(errno, EINVAL);
	close(fd);
	close(fs);
	close(user);
	return takes;
}

#endif /* TESTS_IDMAP_USERNS_H */
