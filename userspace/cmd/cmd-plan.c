// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mntcr plan
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "restore-opts.h"

static const char usage[] =
"Usage: mntcr plan [OPTION...] IMAGE\n\n"
"Print the operations that a restore of IMAGE would do, and do none of them.\n\n"
RESTORE_OPT_USAGE
"      --assume-sources       as if every live namespace had been given\n"
"      --json                 for programs\n"
"  -h, --help                 this text\n";

static void refused(void *data, const struct mntcr_refusal *refusal)
{
	restore_opts_refused(data, "plan", refusal);
}

/* What else is refused, beside what has been said. */
static int refuse(struct restore_opts *r, const struct mntcr_topology *t,
		  const struct mntcr_error *first)
{
	FILE *null = fopen("/dev/null", "we");
	struct mntcr_error e;

	if (null && mntcr_plan_print(t, &r->o, false, null, &e) && e.code != MNTCR_REFUSED) {
		fclose(null);
		return cmd_error("plan", &e);
	}
	if (null)
		fclose(null);
	return restore_opts_error(r, "plan", first);
}

static int run(struct restore_opts *r, const char *image, struct mntcr_topology **t, bool json)
{
	struct mntcr_error e = { 0 };
	int applied;

	if (mntcr_image_read(image, t, &e))
		return restore_opts_error(r, "plan", &e);
	applied = restore_opts_apply(r, "plan", *t, &e);
	if (applied > 0)
		return refuse(r, *t, &e);
	if (applied || mntcr_plan_print(*t, &r->o, json, stdout, &e))
		return restore_opts_error(r, "plan", &e);
	return cmd_flush("plan");
}

int cmd_plan(int argc, char **argv)
{
	enum { OPT_JSON = 256, OPT_ASSUME };
	static const struct option options[] = {
		RESTORE_OPT_LONG,
		{ "json", no_argument, NULL, OPT_JSON },
		{ "assume-sources", no_argument, NULL, OPT_ASSUME },
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	struct mntcr_topology *t = NULL;
	struct restore_opts r = { .o = { .size = sizeof(r.o) } };
	bool json = false;
	int c, ret = cmd_contradict("plan", argc, argv, "h" RESTORE_OPT_LETTERS, options);

	while (!ret && (c = getopt_long(argc, argv, "h" RESTORE_OPT_LETTERS,
					options, NULL)) >= 0) {
		ret = restore_opt(&r, "plan", c, optarg);
		if (ret >= 0)
			continue;
		ret = 0;
		switch (c) {
		case OPT_JSON:
			json = true;
			break;
		case OPT_ASSUME:
			r.o.assume_sources = true;
			break;
		case 'h':
			fputs(usage, stdout);
			ret = cmd_flush("plan");
			goto out;
		default:
			ret = cmd_try_help("plan");
		}
	}
	if (ret)
		goto out;
	if (argc - optind != 1) {
		ret = cmd_usage("plan", "one image is needed");
		goto out;
	}
	restore_opts_done(&r);
	r.json = json;
	r.o.refused = refused;
	r.o.data = &r;
	ret = run(&r, argv[optind], &t, json);
out:
	mntcr_topology_free(t);
	restore_opts_free(&r);
	return ret;
}
