// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Superblocks and namespaces by what an option names them with.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "topology/topology.h"

static bool device_is(const struct mc_sb *sb, const char *key)
{
	char device[32];

	snprintf(device, sizeof(device), "%u:%u", sb->major, sb->minor);
	return !strcmp(key, device);
}

bool mc_parse_u64(const char *s, uint64_t *v)
{
	if (!*s || s[strspn(s, "0123456789")])
		return false;
	errno = 0;
	*v = strtoull(s, NULL, 10);
	return !errno;
}

uint32_t mc_ns_named(const struct mc_topology *t, const char *key, uint32_t *ns)
{
	uint32_t i, n = 0;
	char name[40];
	uint64_t id;
	bool number = mc_parse_u64(key, &id);

	for (i = 0; i < t->nr_ns; i++) {
		const struct mc_ns *x = &t->ns[i];

		snprintf(name, sizeof(name), "mnt:[%" PRIu64 "]", x->ino);
		if (strcmp(key, x->label) && (!x->ino || strcmp(key, name)) &&
		    !(number && (id == i || (id && id == x->ino))))
			continue;
		*ns = i;
		n++;
	}
	return n;
}

uint32_t mc_find_sb(const struct mc_topology *t, const char *key)
{
	uint32_t i;

	if (*key == '/') {
		i = t->nr_ns ? mc_mount_at(t, 0, key) : MC_NONE;
		return i == MC_NONE ? MC_NONE : t->mounts[i].sb;
	}
	for (i = 0; i < t->nr_sbs && !device_is(&t->sbs[i], key); i++)
		;
	return i < t->nr_sbs ? i : MC_NONE;
}

char *mc_device_key(const struct mc_sb *sb)
{
	char *key;

	return asprintf(&key, "%u:%u", sb->major, sb->minor) < 0 ? NULL : key;
}

char *mc_sb_key(const struct mc_sb *sb)
{
	const char *root = sb->outside.path ? sb->outside.root : "/";
	char *key;

	return asprintf(&key, "%u:%u%s%s", sb->major, sb->minor, root[1] ? ":" : "",
			root[1] ? root : "") < 0 ? NULL : key;
}
