/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Options that restore and plan have in common.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_RESTORE_OPTS_H
#define MC_RESTORE_OPTS_H

#include "mntcr-restore.h"
#include "cmd.h"

struct restore_opts {
	struct cmd_input sources;
	struct mntcr_external *externals, *masters, *layers, *devices;
	size_t nr_externals, nr_masters, nr_layers, nr_devices;
	const char **hosts;
	size_t nr_hosts;
	char **repeat;		/* what the library does not list by itself */
	size_t nr_repeat;
	struct cmd_maps maps;
	struct mntcr_restore_options o;
	size_t nr_refused;
	json_t *refusals;	/* with json: all of them */
	bool json;
};

#define RESTORE_OPT_LETTERS	"s:"
#define RESTORE_OPT_LONG						\
	{ "source", required_argument, NULL, 's' },			\
	{ "api", required_argument, NULL, 1000 },			\
	{ "external", required_argument, NULL, 1001 },			\
	{ "external-master", required_argument, NULL, 1002 },		\
	{ "fresh", no_argument, NULL, 1003 },				\
	{ "ignore-locks", no_argument, NULL, 1004 },			\
	{ "caller-namespaces", no_argument, NULL, 1005 },			\
	{ "map-cgroup", required_argument, NULL, 1006 },		\
	{ "host", required_argument, NULL, 1007 },			\
	{ "stand-in", required_argument, NULL, 1008 },			\
	{ "layer", required_argument, NULL, 1009 },			\
	{ "owner", required_argument, NULL, 1010 },			\
	{ "device", required_argument, NULL, 1011 }

#define RESTORE_OPT_USAGE						\
"  -s, --source WHERE         take superblocks from this live namespace: a\n"	\
"                             process id, a namespace file or a directory of\n" \
"                             such files; matched by namespace id\n"		\
"      --host PLACE,...       the caller's own mounts there stand for what the\n" \
"                             image says its host had there; \\, is a comma\n" \
"      --external KEY[:ROOT]=PATH\n"					\
"                             PATH stands for ROOT (/) in the superblock KEY:\n" \
"                             its source, MAJOR:MINOR, or path:/WHERE in the\n" \
"                             image; \\= in KEY is =\n"			\
"      --device KEY=DEVICE    the block device that has the superblock KEY here\n" \
"      --external-master KEY=PATH\n"					\
"                             PATH, a shared mount, stands for the peer group\n" \
"                             KEY: its id, or path:/WHERE one of its slaves is\n" \
"      --map-cgroup OLD=NEW   what showed the cgroup OLD is to show NEW\n"	\
"      --owner INODE=PATH     PATH, a user namespace, stands for the one that had\n" \
"                             this inode number\n"				\
"      --stand-in KEY         an empty tmpfs for what the host had there, if locked\n" \
"                             mounts hide all of it\n"		\
"      --layer KEY=DIR        relative layers of the overlay KEY, MAJOR:MINOR or\n" \
"                             /WHERE in the image, are found from DIR\n"	\
"      --fresh                new tmpfs, ramfs and devpts even where a live one\n" \
"                             could be had\n"			\
"      --caller-namespaces    new proc, sysfs and mqueue as well: they show the\n" \
"                             pid, network and ipc namespace of the caller\n" \
"      --ignore-locks         do not restore locks\n"			\
"      --api API              auto (default), extended or upstream\n"

bool cmd_api(const char *word, enum mntcr_api *api);

/* 0: taken; -1: not one of these; otherwise an exit code. */
int restore_opt(struct restore_opts *r, const char *cmd, int c, char *arg);
/* One more that the list of a check is to begin with; arg may be NULL. */
int restore_opts_repeat(struct restore_opts *r, const char *cmd, const char *option,
			const char *arg);
/* What mntcr_restore_options.refused is to do: say it, keep it for --json. */
void restore_opts_refused(struct restore_opts *r, const char *cmd,
			  const struct mntcr_refusal *refusal);
/* What failed: what was refused has been said.  Returns the exit code. */
int restore_opts_error(struct restore_opts *r, const char *cmd,
		       const struct mntcr_error *e);
/*
 * What is done to the image before there is a plan.  0; 1: something is refused, which has
 * been said, and what else is has yet to be; -1: an error, which has not.
 */
int restore_opts_apply(struct restore_opts *r, const char *cmd, struct mntcr_topology *t,
		       struct mntcr_error *e);
/* After the last option. */
void restore_opts_done(struct restore_opts *r);
void restore_opts_free(struct restore_opts *r);

#endif /* MC_RESTORE_OPTS_H */
