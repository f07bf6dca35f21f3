/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An image with a namespace of another owner, for a restore that is given that one.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TESTS_LATE_OWNER_H
#define TESTS_LATE_OWNER_H

#include "inner.h"
#include "staged.h"

/*
 * Namespace 1, of user namespace 1, has a tmpfs of its and one of the initial one's, and
 * a proc that waits for another; its file is mounted in namespace 0.
 */
static inline struct mntcr_topology *owned(void)
{
	static const struct mc_idmap_extent map[] = { { 0, 1000, 10 } };
	struct mntcr_topology *t = staged_topology();
	uint32_t u, sb, nsfs, proc;
	struct mc_mount *m;

	REQUIRE(mc_topology_add_ns(t) == 1);
	for (u = 0; u < 2; u++)
		REQUIRE(mc_topology_add_userns(t) == u);
	t->userns[0].dumper = true;
	t->userns[1] = (struct mc_userns){
		.ino = 6000, .parent = 0, .mapped = true, .setgroups = true,
		.map = { 1, 1, map, map },
	};
	t->ns[0].userns = t->sbs[0].userns = 0;
	t->ns[1].id = 78;
	t->ns[1].ino = 7001;
	t->ns[1].userns = 1;
	sb = staged_sb(t, "tmpfs", 0x01021994, 0);
	t->sbs[sb].userns = 1;
	nsfs = staged_sb(t, "nsfs", 0x6e736673, 0);
	proc = staged_sb(t, "proc", 0x9fa0, PID_INO(0));
	t->sbs[proc].userns = 0;
	m = staged_mount(t, 101, 0, nsfs, "/f");
	m->root = "mnt:[7001]";
	m->mp_type = MC_MP_OTHER;
	m->nsfs_type = CLONE_NEWNS;
	m->nsfs_ino = 7001;
	staged_mount(t, 110, MC_NONE, sb, "/")->ns = 1;
	staged_mount(t, 111, 2, 0, "/a")->ns = 1;
	staged_mount(t, 112, 2, proc, "/p")->ns = 1;
	staged_mount(t, 113, 4, sb, "/sys")->ns = 1;
	return staged_finish(t);
}

static inline int userns_with(const char *ids, struct holder *h)
{
	char path[64];
	int fd;

	*h = scene_hold(CLONE_NEWUSER, NULL, NULL);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)h->pid);
	REQUIRE(!write_text(path, ids));
	snprintf(path, sizeof(path), "/proc/%d/gid_map", (int)h->pid);
	REQUIRE(!write_text(path, ids));
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)h->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	REQUIRE(fd >= 0);
	return fd;
}

#endif /* TESTS_LATE_OWNER_H */
