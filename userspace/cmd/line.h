/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Topologies written as lines, in the notation of the model: topo.h, layout.h.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_LINE_H
#define MC_LINE_H

#include "mntcr.h"

#define LINE_MAX_SIZE	1024	/* of a line, in bytes */
#define LINE_MAX_TEXT	(256 * 1024)

/*
 * The topologies of a text, one a line, as if they had been captured together;
 * blank lines and lines that start with "#" are left out, and so is the hash that
 * the sweeps print at the end of one.  Each namespace that a line names becomes
 * one with a root mount; all roots have one superblock, the mounts of each line
 * another.  With MNTCR_USAGE the message has the place of the fault.
 */
int line_topology(const char *text, struct mntcr_topology **topo,
		  struct mntcr_error *e);

#endif /* MC_LINE_H */
