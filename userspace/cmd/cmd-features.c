// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mntcr features
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <getopt.h>
#include <string.h>

#include "base/base.h"
#include "cmd.h"

static const char usage[] =
"Usage: mntcr features [OPTION...]\n\n"
"What this kernel supports.  The probes have no side effects.\n\n"
"  -J, --json           as JSON\n"
"  -h, --help           this text\n\n"
"Exit code 0 if all is there that the extended backend and locks need, else 6.\n";

static const char * const states[] = {
	[MNTCR_FEATURE_NO] = "no",
	[MNTCR_FEATURE_YES] = "yes",
	[MNTCR_FEATURE_UNKNOWN] = "unknown",
};

static void table(const struct mntcr_feature *f)
{
	int i;

	printf("%-20s %-8s %-9s %s\n", "FEATURE", "STATE", "FOR", "WHAT");
	for (i = 0; i < MNTCR_NR_FEATURES; i++)
		printf("%-20s %-8s %-9s %s\n", f[i].name, states[f[i].state],
		       f[i].needed_by, f[i].what);
}

static int json(const struct mntcr_feature *f, bool extended)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < MNTCR_NR_FEATURES; i++)
		json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s,s:i}",
			"name", f[i].name, "state", states[f[i].state],
			"for", f[i].needed_by, "what", f[i].what,
			"errno", f[i].err));
	return cmd_print_json("features", json_pack("{s:b,s:o}", "extended", extended,
						    "features", list));
}

int cmd_features(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'J' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	struct mntcr_feature f[MNTCR_NR_FEATURES];
	bool as_json = false, extended;
	struct mntcr_error e;
	int c, ret = 0;

	while ((c = getopt_long(argc, argv, "Jh", options, NULL)) >= 0) {
		switch (c) {
		case 'J':
			as_json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return cmd_flush("features");
		default:
			return cmd_try_help("features");
		}
	}
	if (optind < argc)
		return cmd_usage("features", "%s: no argument is taken",
				 argv[optind]);
	if (mntcr_features(f, MNTCR_NR_FEATURES, &e))
		return cmd_error("features", &e);
	extended = mc_features_are_there(f, "extended");
	if (!as_json)
		table(f);
	else
		ret = json(f, extended);
	if (!ret)
		ret = cmd_flush("features");
	return ret ? ret : extended && mc_features_are_there(f, "locks") ? 0 :
	       MNTCR_UNSUPPORTED;
}
