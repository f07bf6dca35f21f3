// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the running kernel says of a mount.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include "base/base.h"
#include "kernel/mount.h"

static int read_mount(struct mc_mnt_id_req *req, unsigned int flags, bool locks,
		      struct kmount *k)
{
	union {
		struct mc_statmount sm;
		char bytes[4096];
	} buf;

	req->param = MC_STATMOUNT_SB_BASIC | MC_STATMOUNT_MNT_BASIC |
		     MC_STATMOUNT_PROPAGATE_FROM | MC_STATMOUNT_MNT_ROOT |
		     MC_STATMOUNT_MNT_POINT | (locks ? MC_STATMOUNT_MNT_LOCKS : 0);
	if (mc_statmount(req, &buf.sm, sizeof(buf), flags))
		return errno;
	*k = (struct kmount) {
		.id = buf.sm.mnt_id,
		.parent = buf.sm.mnt_parent_id,
		.old_id = buf.sm.mnt_id_old,
		.old_parent = buf.sm.mnt_parent_id_old,
		.dev = makedev(buf.sm.sb_dev_major, buf.sm.sb_dev_minor),
		.group = buf.sm.mnt_peer_group,
		.master = buf.sm.mnt_master,
		.from = buf.sm.propagate_from,
		.unbindable = buf.sm.mnt_propagation & MS_UNBINDABLE,
		.locked = locks && (buf.sm.mask & MC_STATMOUNT_MNT_LOCKS) &&
			  (buf.sm.mnt_locks & MOUNT_LOCK_MOUNT),
	};
	if (snprintf(k->root, sizeof(k->root), "%s",
		     buf.sm.str + buf.sm.mnt_root) >= (int)sizeof(k->root))
		return ENAMETOOLONG;
	/* without one: what is detached is at none */
	if (!(buf.sm.mask & MC_STATMOUNT_MNT_POINT))
		return 0;
	return snprintf(k->point, sizeof(k->point), "%s",
			buf.sm.str + buf.sm.mnt_point) >= (int)sizeof(k->point) ?
	       ENAMETOOLONG : 0;
}

int kmount_read(uint64_t id, bool locks, struct kmount *k)
{
	struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER0, .mnt_id = id,
	};

	return read_mount(&req, 0, locks, k);
}

int kmount_read_fd(int fd, bool locks, struct kmount *k)
{
	struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER1, .mnt_ns_fd = (uint32_t)fd,
	};

	return read_mount(&req, MC_STATMOUNT_BY_FD, locks, k);
}

bool kmount_parse(char *line, struct kmount *k)
{
	unsigned int major, minor;
	char *opt, *save;

	*k = (struct kmount) { 0 };
	if (sscanf(line, "%u %u %u:%u %63s %511s", &k->old_id, &k->old_parent, &major,
		   &minor, k->root, k->point) != 6)
		return false;
	k->dev = makedev(major, minor);
	strtok_r(line, " \n", &save);
	for (int i = 0; i < 6; i++)
		opt = strtok_r(NULL, " \n", &save);
	for (; opt && strcmp(opt, "-"); opt = strtok_r(NULL, " \n", &save)) {
		sscanf(opt, "shared:%" SCNu64, &k->group);
		sscanf(opt, "master:%" SCNu64, &k->master);
		sscanf(opt, "propagate_from:%" SCNu64, &k->from);
		k->unbindable |= !strcmp(opt, "unbindable");
	}
	return true;
}

bool kmount_is_line(const struct kmount *k, const struct kmount *line)
{
	/* not printed where it is the master itself */
	return k->old_parent == line->old_parent && !strcmp(k->root, line->root) &&
	       !strcmp(k->point, line->point) && k->group == line->group &&
	       k->dev == line->dev && k->master == line->master &&
	       (k->from != k->master ? k->from : 0) == line->from &&
	       k->unbindable == line->unbindable;
}
