// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the keys of options name.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <string.h>

#include "plan/priv.h"

bool mc_plan_names_sb(const struct mntcr_external *x, const struct mc_sb *sb)
{
	char dev[32];

	snprintf(dev, sizeof(dev), "%u:%u", sb->major, sb->minor);
	return !strcmp(x->key, dev) || (sb->source && !strcmp(x->key, sb->source));
}

bool mc_plan_names_group(const struct mntcr_external *x, const struct mc_group *g)
{
	char id[32];

	snprintf(id, sizeof(id), "%llu", (unsigned long long)g->id);
	return !strcmp(x->key, id);
}
