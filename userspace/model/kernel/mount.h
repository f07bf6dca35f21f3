/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the running kernel says of a mount, by statmount(2) and in mountinfo.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef KERNEL_MOUNT_H
#define KERNEL_MOUNT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct kmount {
	uint64_t id, parent, group, master, from;
	uint32_t old_id, old_parent;
	dev_t dev;
	bool unbindable, locked;
	char root[64];
	char point[512];	/* empty: no path leads there */
};

/*
 * By its unique id; locks: whether it is locked is asked, too.  An errno: ENAMETOOLONG of
 * a path that there is no room for, k then has what there is.
 */
int kmount_read(uint64_t id, bool locks, struct kmount *k);
/* The same of the mount that a descriptor is of, which may be attached nowhere. */
int kmount_read_fd(int fd, bool locks, struct kmount *k);
/* A line of mountinfo, which is taken apart; no unique ids, nor locked.  false: it is none. */
bool kmount_parse(char *line, struct kmount *k);
/* Does that line say the same as k, which statmount(2) has said? */
bool kmount_is_line(const struct kmount *k, const struct kmount *line);

/*
 * user.c: a child in a new user namespace below that of a descriptor, or -1: below the
 * caller's, and other new ones by flags, that stays until *hold is closed, and is to be
 * waited for then; -1: errno.
 */
pid_t kuser_start(int above, int flags, int *hold);

#endif /* KERNEL_MOUNT_H */
