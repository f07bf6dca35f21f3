// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Whose a superblock is: by its type, by the namespace that it shows, by where else
 * it is mounted.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "check/check.h"

/* Of a namespace: where it is not known which, by where it is mounted. */
static enum mc_whose shown(const struct mc_sb *sb, bool outside)
{
	if (sb->shown_id)
		return sb->shown_own ? MC_WHOSE_HOST : MC_WHOSE_NAMESPACE;
	if (sb->pidns_ino && sb->pidns_depth != MC_NONE)
		return sb->pidns_depth ? MC_WHOSE_NAMESPACE : MC_WHOSE_HOST;
	return outside ? MC_WHOSE_HOST : MC_WHOSE_NAMESPACE;
}

enum mc_whose mc_whose(const struct mc_sb *sb, bool outside)
{
	switch (mc_type_of(sb->type)->kind) {
	case MC_TYPE_FILES:
		return MC_WHOSE_FILES;
	case MC_TYPE_ONE_FOR_ALL:
		return MC_WHOSE_ALL;
	case MC_TYPE_NAMESPACE:
		return shown(sb, outside);
	default:
		return outside ? MC_WHOSE_HOST : MC_WHOSE_CONTAINER;
	}
}
