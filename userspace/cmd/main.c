// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mntcr: the subcommand's name, then its own options.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "base/base.h"

static const struct cmd cmds[] = {
#define CMD(name, fn, summary)	{ name, summary, fn },
#include "cmds.h"
#undef CMD
};

#define NR_CMDS	(sizeof(cmds) / sizeof(cmds[0]))

static void help(FILE *out)
{
	size_t i;

	fputs("Usage: mntcr COMMAND [OPTION...] [ARGUMENT...]\n\n"
	      "Dump and restore the mounts of mount namespaces.\n\nCommands:\n",
	      out);
	for (i = 0; i < NR_CMDS; i++)
		fprintf(out, "  %-10s %s\n", cmds[i].name, cmds[i].summary);
	fputs("\n  mntcr COMMAND --help   the options of a command\n"
	      "  mntcr --version        the version\n\n"
	      "Exit codes: 0 success, 1 a system call failed, 2 usage,\n"
	      "3 verify found differences, 4 refused by a named rule, 5 bad image,\n"
	      "6 not supported by this kernel, 7 the namespaces kept changing.\n\n"
	      "See mntcr(1).\n", out);
}

int cmd_error(const char *name, const struct mntcr_error *e)
{
	fprintf(stderr, "mntcr: %s: %s%s%s%s\n", name, e->text,
		*e->rule ? " [" : "", e->rule, *e->rule ? "]" : "");
	return e->code ? (int)e->code : MNTCR_SYS;
}

int cmd_try_help(const char *name)
{
	fprintf(stderr, "Try 'mntcr %s --help'.\n", name);
	return MNTCR_USAGE;
}

int cmd_usage(const char *name, const char *fmt, ...)
{
	char text[1000], esc[2000];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "mntcr: %s: %s\n", name, mc_escape(text, esc, sizeof(esc)));
	return cmd_try_help(name);
}

int cmd_flush(const char *name)
{
	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	fprintf(stderr, "mntcr: %s: standard output: %m\n", name);
	return MNTCR_SYS;
}

int cmd_print_json(const char *name, json_t *root)
{
	/* names are escaped: no byte is left that JSON would not show */
	int ret = root ? json_dumpf(root, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) : -1;
	int err = errno;

	json_decref(root);
	putchar('\n');
	errno = err;
	if (!ret || ferror(stdout))
		return 0;
	fprintf(stderr, "mntcr: %s: out of memory\n", name);
	return MNTCR_SYS;
}

void cmd_progress(const char *what, size_t done, size_t total)
{
	if (!isatty(STDERR_FILENO))
		return;
	if (total)
		fprintf(stderr, "\r\033[K%s: %zu of %zu", what, done, total);
	else
		fprintf(stderr, "\r\033[K%s: %zu", what, done);
	fflush(stderr);
}

void cmd_progress_end(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	char name[40];

	/* getopt's messages begin with it */
	snprintf(name, sizeof(name), "mntcr: %s", cmd->name);
	argv[0] = name;
	return cmd->run(argc, argv);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;
	size_t i;

	/* a file that may be no larger is an error like others, with a message */
	signal(SIGXFSZ, SIG_IGN);
	if (!name) {
		help(stderr);
		return MNTCR_USAGE;
	}
	if (!strcmp(name, "--help") || !strcmp(name, "-h") ||
	    !strcmp(name, "help")) {
		help(stdout);
		return cmd_flush("help");
	}
	if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
		puts("mntcr " MNTCR_VERSION);
		return cmd_flush("version");
	}
	for (i = 0; i < NR_CMDS; i++)
		if (!strcmp(cmds[i].name, name))
			return run(&cmds[i], argc - 1, argv + 1);
	fprintf(stderr, "mntcr: no command '%s'\nTry 'mntcr --help'.\n", name);
	return MNTCR_USAGE;
}
