// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which of the namespaces that filesystems show are the dumper's own, and whose the
 * others are.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/base.h"
#include "capture/capture.h"

/* 0: the kernel has no such thing, or does not say; -1: errno */
static int own_id(const char *file, uint64_t *id)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC), ret;

	*id = 0;
	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	ret = cap_ns_id(fd, id);
	mc_close(fd);
	return ret;
}

union handle {
	struct file_handle h;
	char room[sizeof(struct file_handle) + sizeof(struct mc_nsfs_handle)];
};

/* An id is a file handle of nsfs, where the kernel says ids. */
static int open_ns(uint64_t id)
{
	union handle u = {
		.h = {
			.handle_bytes = sizeof(struct mc_nsfs_handle),
			.handle_type = MC_FILEID_NSFS,
		},
	};

	memcpy(u.h.f_handle, &(struct mc_nsfs_handle){ .ns_id = id },
	       sizeof(struct mc_nsfs_handle));
	return open_by_handle_at(MC_FD_NSFS_ROOT, &u.h, O_RDONLY | O_CLOEXEC);
}

/* The id of the user namespace that it belongs to; 0: it is gone, or out of reach. */
static uint64_t owner_of(uint64_t ns)
{
	int fd = open_ns(ns), owner = -1;
	uint64_t id = 0;

	if (fd >= 0)
		owner = ioctl(fd, MC_NS_GET_USERNS);
	if (owner >= 0)
		cap_ns_id(owner, &id);
	mc_close(owner);
	mc_close(fd);
	return id;
}

void cap_nsfs(struct mc_topology *t, struct mc_mount *m, int fd)
{
	union handle u = { .h = { .handle_bytes = sizeof(struct mc_nsfs_handle) } };
	struct mc_nsfs_handle h;
	uint64_t owner, own;
	int unused;

	if (m->nsfs_type != CLONE_NEWNET && m->nsfs_type != CLONE_NEWIPC)
		return;
	if (name_to_handle_at(fd, "", &u.h, &unused, AT_EMPTY_PATH) ||
	    u.h.handle_type != MC_FILEID_NSFS)
		return;
	memcpy(&h, u.h.f_handle, sizeof(h));
	if (own_id(m->nsfs_type == CLONE_NEWNET ? "/proc/self/ns/net" :
		   "/proc/self/ns/ipc", &own) || h.ns_id == own)
		return;
	owner = owner_of(h.ns_id);
	if (owner && mc_map_get(t->by_userns, owner, &m->nsfs_owner))
		m->nsfs_id = h.ns_id;
}

/* -1: no memory. */
static int find_owner(struct mc_topology *t, struct mc_sb *sb)
{
	uint64_t id = owner_of(sb->shown_id);
	uint32_t u = 0;

	if (id) {
		u = mc_topology_get_userns(t, id);
		sb->shown_owner = u;
	}
	return u == MC_NONE ? -1 : 0;
}

int cap_shown(struct mc_topology *t, struct mntcr_error *e)
{
	struct {
		uint32_t type;
		const char *file;
		uint64_t id;
	} own[] = {
		{ CLONE_NEWPID, "/proc/self/ns/pid", 0 },
		{ CLONE_NEWNET, "/proc/self/ns/net", 0 },
		{ CLONE_NEWIPC, "/proc/self/ns/ipc", 0 },
	};
	uint32_t i;
	size_t k;

	for (k = 0; k < MC_ARRAY_SIZE(own); k++)
		if (own_id(own[k].file, &own[k].id))
			return mc_fail(e, MNTCR_SYS, errno, "%s", own[k].file);
	for (i = 0; i < t->nr_sbs; i++)
		for (k = 0; k < MC_ARRAY_SIZE(own); k++)
			if (t->sbs[i].shown_type == own[k].type && own[k].id)
				t->sbs[i].shown_own = t->sbs[i].shown_id == own[k].id;
	/* sysfs belongs to the initial user namespace, whose network ever it shows */
	for (i = 0; i < t->nr_sbs; i++)
		if (t->sbs[i].shown_type == CLONE_NEWNET && t->sbs[i].shown_id &&
		    !t->sbs[i].shown_own && find_owner(t, &t->sbs[i]))
			return mc_nomem(e);
	return 0;
}
