/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the subcommands share with main().  A subcommand is one function in
 * one file and one line in cmds.h.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_CMD_H
#define MC_CMD_H

#include <stdbool.h>
#include <stdio.h>

#include "mntcr.h"

struct cmd {
	const char *name;
	const char *summary;
	/* argv[0] is the subcommand's name; returns the exit code */
	int (*run)(int argc, char **argv);
};

#define CMD(name, fn, summary)	int fn(int argc, char **argv);
#include "cmds.h"
#undef CMD

/* "mntcr: NAME: text" on stderr; returns the exit code for e. */
int cmd_error(const char *name, const struct mntcr_error *e);
/* The same for a usage error: adds where help is. */
int cmd_usage(const char *name, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Has standard output taken everything?  Call last; returns an exit code. */
int cmd_flush(const char *name);

/*
 * "1234", "/run/ns/a" or "fd:N": a source.  The string must stay.
 * false: not one of these.
 */
bool cmd_source(const char *arg, struct mntcr_source *src);

/* Progress on a terminal, nothing in a pipe.  total 0: unknown. */
void cmd_progress(const char *what, size_t done, size_t total);
void cmd_progress_end(void);

#endif /* MC_CMD_H */
