/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the subcommands share with main().  A subcommand is one function in
 * one file and one line in cmds.h.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_CMD_H
#define MC_CMD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "mntcr.h"

struct cmd {
	const char *name;
	const char *summary;
	/* returns the exit code */
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
/* After a message of getopt's: only where help is. */
int cmd_try_help(const char *name);
/* Has standard output taken everything?  Call last; returns an exit code. */
int cmd_flush(const char *name);
/*
 * Prints @root, which may be NULL for want of memory, and frees it.  Returns an
 * exit code; that output could not be written is for cmd_flush() to tell.
 */
int cmd_print_json(const char *name, json_t *root);

/*
 * Where a topology comes from, as named on the command line:
 *	1234		the mount namespace of a process
 *	1234:5		the detached tree that it holds by that descriptor
 *	PATH		a mount namespace file, or a directory of such files
 *	PATH		an image, or "-" for one on standard input
 */
struct cmd_input {
	struct mntcr_source *sources;
	size_t nr, max;
	const char *image;	/* instead of sources */
	char **paths;		/* ours to free */
	size_t nr_paths, max_paths;
	struct mntcr_detached **trees;	/* ours to free */
	size_t nr_trees, max_trees;
	/* as in struct mntcr_capture_options */
	bool whose;
	const char **own, **not_own;	/* ours to free */
	size_t nr_own, nr_not_own;
};

/* Each returns 0 or an exit code, having said why. */
int cmd_input_add(struct cmd_input *in, const char *name, const char *arg,
		  bool images);
/* PID:FD: a detached tree */
bool cmd_is_detached(const char *arg);
int cmd_input_add_detached(struct cmd_input *in, const char *name, const char *arg);
/* The same; what the library says of it is in e, whose code is 0 for what has been said. */
int cmd_input_open_detached(struct cmd_input *in, const char *name, const char *arg,
			    struct mntcr_error *e);
int cmd_input_load(struct cmd_input *in, const char *name,
		   enum mntcr_method method, struct mntcr_topology **topo);
void cmd_input_free(struct cmd_input *in);

/* One side of a comparison with contents. */
struct cmd_side {
	struct mntcr_topology *topo;
	struct mntcr_contents *contents;
	bool known;		/* topo says of what there are any; else it is live: */
	const struct mntcr_source *sources;
	size_t nr;
};

/*
 * Of sides that are live, read what is compared.  0, or -1 and an error.
 */
int cmd_live_contents(struct cmd_side *a, struct cmd_side *b, struct mntcr_error *e);
/* Does an image have any, that was read without them? */
bool cmd_says_contents(const struct cmd_side *side);
/* "auto", "statmount", "mountinfo" */
bool cmd_method(const char *word, enum mntcr_method *method);
/* A number of decimal digits, up to max */
bool cmd_number(const char *word, size_t max, size_t *number);

/*
 * The KEY=VALUE that an option takes, called form, split in place: KEY ends at the
 * first "=" without a "\" before it.  0 or an exit code, having said why
 */
int cmd_split_key(const char *cmd, const char *opt, const char *form, char *arg,
		  char **value);

/* The same; false: it is not of that form. */
bool cmd_split(char *arg, char **value);

/* Three octal digits, as messages print a byte, which is not 0. */
bool cmd_octal(const char *s, char *c);

/*
 * Before options are taken: 0, or an exit code, having said which of them contradict one
 * another.  optind begins anew.
 */
struct option;
int cmd_contradict(const char *cmd, int argc, char **argv, const char *letters,
		   const struct option *options);

/*
 * --map-cgroup OLD=NEW, --stand-in KEY and --owner INODE=PATH, as often as they are
 * given; the arguments stay the caller's.
 */
struct cmd_maps {
	struct mntcr_cgroup_map *maps;
	size_t nr;
	const char **stand_ins;
	size_t nr_stand_ins;
	struct mntcr_owner *owners;	/* with descriptors of their own */
	size_t nr_owners;
	struct mntcr_error *unopened;	/* those that could not be opened */
	size_t nr_unopened;
};
/* 0 or an exit code, having said why */
int cmd_maps_add(struct cmd_maps *m, const char *cmd, char *arg);
int cmd_maps_add_stand_in(struct cmd_maps *m, const char *cmd, const char *arg);
int cmd_maps_add_owner(struct cmd_maps *m, const char *cmd, char *arg);
/* What of them is wrong usage or refused; nomem: sticky. */
struct cmd_wrong {
	struct mntcr_error *list;
	size_t nr;
	bool nomem, lists;	/* lists: also what is no refusal but there */
};
/* 0, or -1 and an error: of those that are wrong the first, unless w has them all. */
int cmd_maps_apply(const struct cmd_maps *m, struct mntcr_topology *t,
		   struct cmd_wrong *w, struct mntcr_error *e);
void cmd_maps_free(struct cmd_maps *m);

/* Progress on a terminal, nothing in a pipe.  total 0: unknown. */
void cmd_progress(const char *what, size_t done, size_t total);
void cmd_progress_end(void);

#endif /* MC_CMD_H */
