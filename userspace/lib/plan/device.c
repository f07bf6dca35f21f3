// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Superblocks that are had from a device that was named.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>

#include "plan/priv.h"

struct options {
	struct mc_plan *p;
	uint32_t sb, nr;
	const uint32_t *mounts;
	struct mntcr_error *e;
};

static int refuse(void *data, const char *name, const char *value)
{
	const struct options *o = data;
	const struct mc_sb *sb = &o->p->topo->sbs[o->sb];
	char is[100], to[160], help[160];

	snprintf(help, sizeof(help), "--external %u:%u=PATH, where it has been mounted as is wanted",
		 sb->major, sb->minor);
	return mc_plan_refuse(o->p, o->e, mc_plan_note(o->p, o->sb, "device-option"),
			      o->mounts, o->nr, help,
			      "no device is mounted with an option that may lead elsewhere, or have the kernel panic: of %u:%u, %s%s%s",
			      sb->major, sb->minor, mc_escape(name, is, sizeof(is)),
			      value ? "=" : "", mc_escape(value ? value : "", to, sizeof(to)));
}

int mc_plan_device_src(struct mc_plan *p, const uint32_t *mounts, uint32_t nr, uint32_t *src,
		       struct mntcr_error *e)
{
	uint32_t sb = p->topo->mounts[mounts[0]].sb;
	struct options o = { p, sb, nr, mounts, e };

	*src = mc_plan_new_src(p, MC_SRC_FRESH, sb, MC_NONE);
	if (*src == MC_NONE)
		return mc_nomem(e);
	p->srcs[*src].device = p->priv->device_of[sb];
	p->srcs[*src].path = p->priv->opts->devices[p->srcs[*src].device].path;
	return mc_device_options(&p->topo->sbs[sb], refuse, &o) ? mc_nomem(e) : 0;
}
