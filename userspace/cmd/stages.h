/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A restore that another program drives, stage by stage: lines over a socket, which
 * mntcr-restore(1) describes.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_STAGES_H
#define MC_STAGES_H

#include <signal.h>

#include "mntcr-stages.h"
#include "cmd.h"

struct cmd_stages {
	bool asked;
	int fd;			/* -1: in one go, or nobody drives it: a check */
	bool in_line;		/* part of a line has come */
	struct mntcr_given *give;
	size_t nr_give;
};

/*
 * --stages FD, --give KIND:ID: 0 or an exit code, having said why.  check: FD is not
 * used, and may be "-"
 */
int cmd_stages_fd(struct cmd_stages *s, const char *cmd, const char *arg, bool check);
int cmd_stages_give(struct cmd_stages *s, const char *cmd, const char *arg);
void cmd_stages_free(struct cmd_stages *s);

/*
 * Do what is asked until that is the end: 0, and what has been restored, or NULL if it
 * was given up.  -1 and an error, all undone.  A signal of held, which are blocked, ends
 * it as well.
 */
int cmd_stages_drive(struct cmd_stages *s, const struct mntcr_topology *t,
		     const struct mntcr_restore_options *o, const sigset_t *held,
		     struct mntcr_restored **r, struct mntcr_error *e);
/* The last line: "ok", or NULL: "error" and the text. */
void cmd_stages_over(const struct cmd_stages *s, const char *error);
/* Whoever still writes gets to the end of the line, and so to reading that last one. */
void cmd_stages_drain(const struct cmd_stages *s);

#endif /* MC_STAGES_H */
