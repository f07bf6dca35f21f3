// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which of the namespaces that filesystems show are the dumper's own.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <fcntl.h>
#include <sched.h>

#include "base/base.h"
#include "capture/capture.h"

static uint64_t own_id(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	uint64_t id = fd < 0 ? 0 : cap_ns_id(fd);

	mc_close(fd);
	return id;
}

void cap_shown(struct mc_topology *t)
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
		own[k].id = own_id(own[k].file);
	for (i = 0; i < t->nr_sbs; i++)
		for (k = 0; k < MC_ARRAY_SIZE(own); k++)
			if (t->sbs[i].shown_type == own[k].type && own[k].id)
				t->sbs[i].shown_own = t->sbs[i].shown_id == own[k].id;
}
