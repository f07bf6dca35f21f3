// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What it takes to make a user namespace anew.  Its maps read differently to
 * whoever is elsewhere; to a task in it they are in ids of its parent, and so is
 * its owner to one in the parent.  So a child goes there.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/base.h"
#include "capture/capture.h"

struct look {
	int userns_fd, parent_fd;	/* parent_fd -1: it is the dumper's own */
	uid_t owner;
	int uid_fd, gid_fd, setgroups_fd;
};

static int look_child(void *data)
{
	struct look *l = data;

	if (l->parent_fd >= 0 && setns(l->parent_fd, CLONE_NEWUSER))
		return errno;
	if (ioctl(l->userns_fd, MC_NS_GET_OWNER_UID, &l->owner) ||
	    setns(l->userns_fd, CLONE_NEWUSER))
		return errno;
	l->uid_fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	l->gid_fd = open("/proc/self/gid_map", O_RDONLY | O_CLOEXEC);
	l->setgroups_fd = open("/proc/self/setgroups", O_RDONLY | O_CLOEXEC);
	return l->uid_fd < 0 || l->gid_fd < 0 || l->setgroups_fd < 0 ? errno : 0;
}

/* 1; 0: it does not say all; -1: no memory. */
static int read_map(struct mc_topology *t, int fd, uint32_t *nr,
		    const struct mc_idmap_extent **out)
{
	struct mc_idmap_extent x[MC_MAX_IDMAP_EXTENTS], *copy;
	char text[MC_IDMAP_TEXT_SIZE];

	if (!mc_read_text(fd, text, sizeof(text)) || !mc_idmap_parse(text, x, nr))
		return 0;
	copy = mc_topology_alloc(t, (*nr + 1) * sizeof(*copy));
	if (!copy)
		return -1;
	memcpy(copy, x, *nr * sizeof(*copy));
	*out = copy;
	return 1;
}

int cap_userns(struct mc_topology *t, uint32_t u, int userns_fd, int parent_fd,
	       bool parent_is_own, struct mntcr_error *e)
{
	struct look l = {
		.userns_fd = userns_fd, .parent_fd = parent_is_own ? -1 : parent_fd,
		.uid_fd = -1, .gid_fd = -1, .setgroups_fd = -1,
	};
	struct mc_userns *to = &t->userns[u];
	char text[16];
	int ret = 1;

	if (mc_child_task(look_child, &l, sizeof(l), -1))
		ret = 0;	/* it may not be entered */
	if (ret > 0)
		ret = read_map(t, l.uid_fd, &to->map.nr_uid, &to->map.uid);
	if (ret > 0)
		ret = read_map(t, l.gid_fd, &to->map.nr_gid, &to->map.gid);
	if (ret > 0 && mc_read_text(l.setgroups_fd, text, sizeof(text))) {
		to->setgroups = !strcmp(text, "allow\n");
		to->owner = l.owner;
		to->mapped = true;
	}
	mc_close(l.uid_fd);
	mc_close(l.gid_fd);
	mc_close(l.setgroups_fd);
	return ret < 0 ? mc_nomem(e) : 0;
}
