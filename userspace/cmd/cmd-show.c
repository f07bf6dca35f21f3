// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mntcr show
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <getopt.h>
#include <stdlib.h>
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
"  -N, --namespace NS   only this one: a process id or path as it is labelled,\n"
"                       mnt:[INODE], or its number; as often as needed\n"
"      --group ID       only this peer group, its slaves and masters, and what\n"
"                       leads there; as often as needed\n"
"      --reaches MOUNT  only this one, and what events on it reach: [NS:]PATH or\n"
"                       the mount's id; as often as needed\n"
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

/* What is to be left, as it was named. */
struct chosen {
	const char **namespaces, **reaches;
	uint64_t *groups;
	size_t nr_namespaces, nr_reaches, nr_groups;
};

/* Each option can be given as often as there are arguments. */
static int chosen_init(struct chosen *ch, int argc)
{
	struct mntcr_error e;

	ch->namespaces = calloc((size_t)argc + 1, sizeof(*ch->namespaces));
	ch->reaches = calloc((size_t)argc + 1, sizeof(*ch->reaches));
	ch->groups = calloc((size_t)argc + 1, sizeof(*ch->groups));
	if (ch->namespaces && ch->reaches && ch->groups)
		return 0;
	mc_nomem(&e);
	return cmd_error("show", &e);
}

static void chosen_free(struct chosen *ch)
{
	free(ch->namespaces);
	free(ch->reaches);
	free(ch->groups);
}

static int choose(const struct chosen *ch, struct mntcr_topology *t)
{
	const struct mntcr_select_options opts = {
		.size = sizeof(opts),
		.namespaces = ch->namespaces, .nr_namespaces = ch->nr_namespaces,
		.groups = ch->groups, .nr_groups = ch->nr_groups,
		.reaches = ch->reaches, .nr_reaches = ch->nr_reaches,
	};
	struct mntcr_error e;

	if (!ch->nr_namespaces && !ch->nr_groups && !ch->nr_reaches)
		return 0;
	return mntcr_topology_select(t, &opts, &e) ? cmd_error("show", &e) : 0;
}

int cmd_show(int argc, char **argv)
{
	enum { OPT_METHOD = 256, OPT_GROUP, OPT_REACHES };
	static const struct option options[] = {
		{ "topology", required_argument, NULL, 't' },
		{ "json", no_argument, NULL, 'J' },
		{ "dot", no_argument, NULL, 'D' },
		{ "method", required_argument, NULL, OPT_METHOD },
		{ "namespace", required_argument, NULL, 'N' },
		{ "group", required_argument, NULL, OPT_GROUP },
		{ "reaches", required_argument, NULL, OPT_REACHES },
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	enum mntcr_format format = MNTCR_FORMAT_TREE;
	enum mntcr_method method = MNTCR_METHOD_AUTO;
	struct mntcr_topology *t = NULL;
	struct cmd_input in = { 0 };
	struct mc_buf lines = { 0 };
	struct chosen ch = { 0 };
	struct mntcr_error e;
	bool written = false;
	size_t number;
	int c, ret = chosen_init(&ch, argc);

	if (!ret)
		ret = cmd_contradict("show", argc, argv, "t:JDN:h", options);
	while (!ret && (c = getopt_long(argc, argv, "t:JDN:h", options, NULL)) >= 0) {
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
		case 'N':
			ch.namespaces[ch.nr_namespaces++] = optarg;
			break;
		case OPT_GROUP:
			if (!cmd_number(optarg, INT32_MAX, &number))
				ret = cmd_usage("show", "--group %s: not the number of a peer group",
						optarg);
			else
				ch.groups[ch.nr_groups++] = number;
			break;
		case OPT_REACHES:
			ch.reaches[ch.nr_reaches++] = optarg;
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
	if (!ret)
		ret = choose(&ch, t);
	if (!ret && mntcr_render(t, format, stdout, &e))
		ret = cmd_error("show", &e);
	if (!ret)
		ret = cmd_flush("show");
out:
	mntcr_topology_free(t);
	cmd_input_free(&in);
	mc_buf_free(&lines);
	chosen_free(&ch);
	return ret;
}
