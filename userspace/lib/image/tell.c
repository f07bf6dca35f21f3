// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the caller is told of while an archive is written: what is left out of it, and what
 * is refused.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>

#include "image/archive.h"

void mc_ar_tell(const struct mc_ar_job *j, const struct mc_mount *m, const char *what)
{
	const struct mc_sb *sb = &j->t->sbs[m->sb];
	char line[600], name[300];

	if (!j->o->left_out)
		return;
	snprintf(line, sizeof(line), "%s %u:%u (%s): %s", sb->type, sb->major,
		 sb->minor, mc_mount_name(j->t, (uint32_t)(m - j->t->mounts), name,
					  sizeof(name)), what);
	j->o->left_out(j->o->data, line);
}

int mc_ar_refused(struct mc_ar_job *j, const struct mc_sb *sb, const struct mntcr_error *e)
{
	if (e->code != MNTCR_REFUSED || !j->o->refused)
		return -1;
	j->o->refused(j->o->data, sb->major, sb->minor, e);
	if (!j->nr_refused++)
		j->first = *e;
	return 0;
}
