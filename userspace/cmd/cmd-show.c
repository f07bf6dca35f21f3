// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mntcr show
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <getopt.h>
#include <string.h>

#include "cmd.h"

static const char usage[] =
"Usage: mntcr show [OPTION...] IMAGE\n"
"       mntcr show [OPTION...] NAMESPACE...\n\n"
"Draw an image (\"-\": standard input), or live namespaces: process ids,\n"
"namespace files, directories of such files.\n\n"
"  -J, --json           as JSON, which is the image format\n"
"  -D, --dot            for Graphviz\n"
"      --method METHOD  of live namespaces: auto (default), statmount or\n"
"                       mountinfo\n"
"  -h, --help           this text\n";

int cmd_show(int argc, char **argv)
{
	enum { OPT_METHOD = 256 };
	static const struct option options[] = {
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
	struct mntcr_error e;
	int c, ret = 0;

	while ((c = getopt_long(argc, argv, "JDh", options, NULL)) >= 0) {
		switch (c) {
		case 'J':
			format = MNTCR_FORMAT_JSON;
			break;
		case 'D':
			format = MNTCR_FORMAT_DOT;
			break;
		case OPT_METHOD:
			if (!cmd_method(optarg, &method))
				return cmd_usage("show", "--method %s is not known",
						 optarg);
			break;
		case 'h':
			fputs(usage, stdout);
			return cmd_flush("show");
		default:
			return cmd_usage("show", "bad option");
		}
	}
	for (; optind < argc && !ret; optind++)
		ret = cmd_input_add(&in, "show", argv[optind], true);
	if (!ret)
		ret = cmd_input_load(&in, "show", method, &t);
	if (!ret && mntcr_render(t, format, stdout, &e))
		ret = cmd_error("show", &e);
	mntcr_topology_free(t);
	cmd_input_free(&in);
	return ret ? ret : cmd_flush("show");
}
