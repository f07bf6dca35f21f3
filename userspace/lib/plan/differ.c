// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What will be other than it was, known beforehand: the source that mountinfo
 * shows, where a clone has that of the mount it is made from; and what is so of all of a
 * superblock.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "plan/priv.h"

const char *mc_plan_source_of(const struct mc_plan *p, uint32_t mount)
{
	const struct mc_src *s = &p->srcs[mc_src_base(p, p->src_of[mount])];

	switch (s->kind) {
	case MC_SRC_LIVE:
	case MC_SRC_AGAIN:
		return mc_mount_source(p->topo, &p->topo->mounts[s->index]);
	case MC_SRC_FRESH:
		return s->device != MC_NONE ? s->path : p->topo->sbs[s->sb].source;
	case MC_SRC_EXTERNAL:
		return p->external_sources ? p->external_sources[s->index] : NULL;
	default:
		return NULL;
	}
}

bool mc_plan_source_differs(const struct mc_plan *p, uint32_t mount)
{
	const char *was = mc_mount_source(p->topo, &p->topo->mounts[mount]);
	const char *is = mc_plan_source_of(p, mount);

	return was && is && strcmp(was, is);
}

static bool host_is_new(const struct mc_plan *p, uint32_t i, char *line, size_t size)
{
	const struct mc_sb *sb = &p->topo->sbs[i];
	char type[64], *at = NULL;

	if (sb->stands_in_for) {
		snprintf(line, size, "%u:%u: an empty read-only tmpfs stands in for the host's %s, which locked mounts hide",
			 sb->major, sb->minor,
			 mc_escape(sb->stands_in_for, type, sizeof(type)));
		return true;
	}
	if (sb->whose != MC_WHOSE_HOST || p->from[i].kind != MC_FROM_FRESH)
		return false;
	if (sb->outside.path)
		at = mc_argument(sb->outside.path, ",");
	snprintf(line, size, "%s %u:%u: the host's becomes one of the container's own; --%s%s keeps it the host's",
		 mc_escape(sb->type, type, sizeof(type)), sb->major, sb->minor,
		 at ? "host=" : "external", at ? at : "");
	free(at);
	return true;
}

static bool layers_differ(const struct mc_plan *p, uint32_t i, char *line, size_t size)
{
	const struct mc_src *s = &p->srcs[i];
	const struct mc_sb *sb = &p->topo->sbs[s->sb];

	if (!s->layers || !s->other_layers)
		return false;
	snprintf(line, size, "overlay %u:%u: its options name its layers %s, since %s",
		 sb->major, sb->minor,
		 s->one_by_one ? "one by one, or by other strings" : "by other strings",
		 s->one_by_one ? "those in the image are too long for fsconfig(2), and for mount(2), or escaped" :
		 "of those in the image one leads through another");
	return true;
}

/* What stands for it has that from whoever mounted it: the mounts' own is another thing. */
static bool read_only_differs(const struct mc_plan *p, uint32_t i, char *line, size_t size)
{
	const struct mc_src *s = &p->srcs[i];
	const struct mc_sb *sb = &p->topo->sbs[s->sb];
	bool was = sb->flags & MS_RDONLY, is;
	char path[256];

	if (s->kind != MC_SRC_EXTERNAL || !p->external_read_only ||
	    p->external_read_only[s->index] < 0)
		return false;
	is = p->external_read_only[s->index];
	if (is == was)
		return false;
	snprintf(line, size, "%u:%u: the filesystem of %s is %s, and was %s", sb->major,
		 sb->minor, mc_escape(p->externals[s->index].path, path, sizeof(path)),
		 is ? "read-only" : "writable", was ? "read-only" : "writable");
	return true;
}

bool mc_plan_next_difference(const struct mc_plan *p, uint32_t *at, const char **what,
			     char *line, size_t size)
{
	const uint32_t sbs = p->topo->nr_sbs, srcs = p->nr_srcs;
	uint32_t i;

	while (*at < sbs + 2 * srcs) {
		i = (*at)++;
		*what = i < sbs ? "host" : i < sbs + srcs ? "layers" : "read-only";
		if (i < sbs ? host_is_new(p, i, line, size) :
		    i < sbs + srcs ? layers_differ(p, i - sbs, line, size) :
		    read_only_differs(p, i - sbs - srcs, line, size))
			return true;
	}
	return false;
}
