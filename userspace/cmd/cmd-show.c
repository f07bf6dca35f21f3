// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mntcr show
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <getopt.h>
#include <string.h>

#include "base/base.h"
#include "cmd.h"
#include "line.h"

static const char usage[] =
"Usage: mntcr show [OPTION...] IMAGE\n"
"       mntcr show [OPTION...] NAMESPACE...\n"
"       mntcr show [OPTION...] --topology LINE...\n\n"
"Draw an image (\"-\": standard input), live namespaces (process ids, namespace\n"
"files, directories of such files), or a topology that is written as a line.\n\n"
"  -t, --topology LINE  \"[m m@1 s/a [m/b]] p u : 1>0\", or \"-\": one a line on\n"
"                       standard input; see mntcr-show(1)\n"
"  -J, --json           as JSON, which is the image format\n"
"  -D, --dot            for Graphviz\n"
"      --method METHOD  of live namespaces: auto (default), statmount or\n"
"                       mountinfo\n"
"  -h, --help           this text\n";

/* Append a topology, or those on standard input; 0 or an exit code. */
static int add_lines(struct mc_buf *text, const char *arg)
{
	char block[4096];
	size_t n;

	if (strcmp(arg, "-")) {
		mc_buf_puts(text, arg);
	} else {
		while (text->len <= LINE_MAX_TEXT &&
		       (n = fread(block, 1, sizeof(block), stdin))) {
			if (memchr(block, 0, n))
				return cmd_usage("show", "a NUL byte on standard input");
			mc_buf_add(text, block, n);
		}
		if (ferror(stdin)) {
			fprintf(stderr, "mntcr: show: standard input: %m\n");
			return MNTCR_SYS;
		}
	}
	mc_buf_puts(text, "\n");
	return 0;
}

static int load_lines(const struct mc_buf *text, struct mntcr_topology **t)
{
	struct mntcr_error e;

	if (text->nomem)
		mc_nomem(&e);
	else if (text->len > LINE_MAX_TEXT)
		return cmd_usage("show", "--topology: more than %d bytes",
				 LINE_MAX_TEXT);
	else if (!line_topology(text->data, t, &e))
		return 0;
	return cmd_error("show", &e);
}

int cmd_show(int argc, char **argv)
{
	enum { OPT_METHOD = 256 };
	static const struct option options[] = {
		{ "topology", required_argument, NULL, 't' },
		{ "json", no_argument, NULL, 'J' },
		{ "dot", no_argument, NULL, 'D' },
		{ "method", required_argument, NULL, OPT_METHOD },
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	enum mntcr_format format = MNTCR_FORMAT_TREE;
	enum mntcr_method method = MNTCR_METHOD_AUTO;
	struct mntcr_topology *t = NULL;
	struct cmd_input in = { 0 };
	struct mc_buf lines = { 0 };
	struct mntcr_error e;
	bool written = false;
	int c, ret = 0;

	while (!ret && (c = getopt_long(argc, argv, "t:JDh", options, NULL)) >= 0) {
		switch (c) {
		case 't':
			written = true;
			ret = add_lines(&lines, optarg);
			break;
		case 'J':
			format = MNTCR_FORMAT_JSON;
			break;
		case 'D':
			format = MNTCR_FORMAT_DOT;
			break;
		case OPT_METHOD:
			if (!cmd_method(optarg, &method))
				ret = cmd_usage("show", "--method %s is not known",
						optarg);
			break;
		case 'h':
			fputs(usage, stdout);
			ret = cmd_flush("show");
			goto out;
		default:
			ret = cmd_try_help("show");
		}
	}
	for (; optind < argc && !ret; optind++)
		ret = written ?
		      cmd_usage("show", "%s: nothing else with --topology",
				argv[optind]) :
		      cmd_input_add(&in, "show", argv[optind], true);
	if (!ret)
		ret = written ? load_lines(&lines, &t) :
		      cmd_input_load(&in, "show", method, &t);
	if (!ret && mntcr_render(t, format, stdout, &e))
		ret = cmd_error("show", &e);
	if (!ret)
		ret = cmd_flush("show");
out:
	mntcr_topology_free(t);
	cmd_input_free(&in);
	mc_buf_free(&lines);
	return ret;
}
