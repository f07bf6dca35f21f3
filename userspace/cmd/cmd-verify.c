// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mntcr verify
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

static const char usage[] =
"Usage: mntcr verify [OPTION...] FIRST SECOND [SECOND...]\n\n"
"Are two topologies the same up to renaming of ids?  FIRST is an image, a\n"
"process id, a namespace file or a directory of such files; everything after\n"
"it is the second.  Namespaces are paired in their order.\n\n"
"      --devices        the superblocks are the very same, by device number\n"
"      --order          mounts came into being in the same order\n"
"      --ignore LIST    leave out: options, source, locks, owner\n"
"      --events         both live: mount something on each mount in turn and see\n"
"                       whether it comes out the same; see mntcr-verify(1)\n"
"      --max N          print at most N differences (default 100, 0: all)\n"
"  -q, --quiet          print nothing, only exit 0 or 3\n"
"      --method METHOD  of live namespaces: auto (default), statmount or\n"
"                       mountinfo\n"
"  -h, --help           this text\n";

static void report(void *data, const char *line)
{
	puts(line);
}

static bool ignore(char *list, unsigned int *flags)
{
	static const struct {
		const char *word;
		unsigned int flag;
	} words[] = {
		{ "options", MNTCR_VERIFY_IGNORE_OPTIONS },
		{ "source", MNTCR_VERIFY_IGNORE_SOURCE },
		{ "locks", MNTCR_VERIFY_IGNORE_LOCKS },
		{ "owner", MNTCR_VERIFY_IGNORE_OWNER },
	};
	char *word, *save = NULL;
	size_t i, n = sizeof(words) / sizeof(words[0]);

	for (word = strtok_r(list, ",", &save); word;
	     word = strtok_r(NULL, ",", &save)) {
		for (i = 0; i < n && strcmp(words[i].word, word); i++)
			;
		if (i == n)
			return false;
		*flags |= words[i].flag;
	}
	return true;
}

int cmd_verify(int argc, char **argv)
{
	enum { OPT_DEVICES = 256, OPT_ORDER, OPT_IGNORE, OPT_MAX, OPT_METHOD,
	       OPT_EVENTS };
	static const struct option options[] = {
		{ "devices", no_argument, NULL, OPT_DEVICES },
		{ "order", no_argument, NULL, OPT_ORDER },
		{ "ignore", required_argument, NULL, OPT_IGNORE },
		{ "events", no_argument, NULL, OPT_EVENTS },
		{ "max", required_argument, NULL, OPT_MAX },
		{ "quiet", no_argument, NULL, 'q' },
		{ "method", required_argument, NULL, OPT_METHOD },
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	struct mntcr_verify_options opts = {
		.report = report, .max_reports = 100,
	};
	struct mntcr_topology *a = NULL, *b = NULL;
	enum mntcr_method method = MNTCR_METHOD_AUTO;
	struct cmd_input first = { 0 }, second = { 0 };
	struct mntcr_error e;
	size_t nr = 0, nr_events = 0;
	bool events = false;
	int c, ret = 0;

	while ((c = getopt_long(argc, argv, "qh", options, NULL)) >= 0) {
		switch (c) {
		case OPT_DEVICES:
			opts.flags |= MNTCR_VERIFY_DEVICES;
			break;
		case OPT_ORDER:
			opts.flags |= MNTCR_VERIFY_ORDER;
			break;
		case OPT_IGNORE:
			if (!ignore(optarg, &opts.flags))
				return cmd_usage("verify", "--ignore takes options, source, locks, owner");
			break;
		case OPT_EVENTS:
			events = true;
			break;
		case OPT_MAX:
			if (!cmd_number(optarg, SIZE_MAX, &opts.max_reports))
				return cmd_usage("verify", "--max %s is not a number",
						 optarg);
			break;
		case 'q':
			opts.report = NULL;
			break;
		case OPT_METHOD:
			if (!cmd_method(optarg, &method))
				return cmd_usage("verify", "--method %s is not known",
						 optarg);
			break;
		case 'h':
			fputs(usage, stdout);
			return cmd_flush("verify");
		default:
			return cmd_try_help("verify");
		}
	}
	if (argc - optind < 2)
		return cmd_usage("verify", "two things to compare are needed");
	ret = cmd_input_add(&first, "verify", argv[optind++], true);
	for (; optind < argc && !ret; optind++)
		ret = cmd_input_add(&second, "verify", argv[optind], true);
	if (!ret && events && (first.image || second.image))
		ret = cmd_usage("verify", "--events needs live namespaces");
	if (!ret && !events)
		ret = cmd_input_load(&first, "verify", method, &a);
	if (!ret && !events)
		ret = cmd_input_load(&second, "verify", method, &b);
	if (ret)
		goto out;
	if (events ? mntcr_verify_events(first.sources, first.nr,
					 second.sources, second.nr, &opts,
					 &nr_events, &nr, &e) :
		     mntcr_verify(a, b, &opts, &nr, &e)) {
		ret = cmd_error("verify", &e);
		goto out;
	}
	if (nr && opts.report)
		printf("%zu difference%s%s\n", nr, nr == 1 ? "" : "s",
		       opts.max_reports && nr > opts.max_reports ?
		       ", not all shown" : "");
	if (events && opts.report)
		printf("%zu event%s compared\n", nr_events,
		       nr_events == 1 ? "" : "s");
	ret = cmd_flush("verify");
	if (!ret && nr)
		ret = MNTCR_DIFFERS;
out:
	mntcr_topology_free(a);
	mntcr_topology_free(b);
	cmd_input_free(&first);
	cmd_input_free(&second);
	return ret;
}
