// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What was given as an option, for messages: as it was typed.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>

#include "execute/execute.h"

const char *mc_option_text(const char *option, const struct mntcr_external *o, char *buf,
			   size_t size)
{
	char key[128], path[256];

	mc_escape(o->path, path, sizeof(path));
	if (o->reserved[0] == MC_BY_HOST)
		snprintf(buf, size, "--host %s", path);
	else
		snprintf(buf, size, "%s %s=%s", option, mc_escape(o->key, key, sizeof(key)),
			 path);
	return buf;
}
