// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mntcr dump
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "mntcr-restore.h"
#include "cmd.h"

static const char usage[] =
"Usage: mntcr dump [OPTION...] NAMESPACE...\n"
"       mntcr dump [OPTION...] --detached PID:FD...\n"
"       mntcr dump [OPTION...] --container PID [--freeze [--cgroup DIR]]\n"
"       mntcr dump [OPTION...] --cgroup DIR [--freeze]\n\n"
"Write the mounts of mount namespaces to an image.  NAMESPACE is a process id,\n"
"a namespace file or a directory of such files, or PID:FD as with --detached.\n\n"
"  -o, --output FILE    write to FILE instead of standard output\n"
"      --container PID  the namespaces of all tasks in the pid namespace of PID and\n"
"                       below it, and those that are mounted in these; with\n"
"                       --contents\n"
"      --cgroup DIR     the same of all tasks in that cgroup (v2) and those below it\n"
"      --freeze         freeze the cgroup until the dump is done; with --container,\n"
"                       that at the root of its init's cgroup namespace\n"
"      --freeze-timeout SECONDS\n"
"                       give up if it is not frozen by then (default 10)\n"
"      --detached PID:FD\n"
"                       the detached tree, too, that process PID has open as FD\n"
"      --contents       with the files of each tmpfs and ramfs\n"
"      --exclude-contents KEY\n"
"                       but for this one: MAJOR:MINOR, or the path of a mount in\n"
"                       the first namespace\n"
"      --own KEY        that superblock is the container's, wherever else it is\n"
"                       mounted\n"
"      --not-own KEY    it is the host's: without its files\n"
"      --check          write no image: list what a restore elsewhere will need, and\n"
"                       what it cannot do\n"
"      --json           that list for programs\n"
"      --method METHOD  auto (default), statmount or mountinfo\n"
"      --retries N      attempts while the namespaces change (default 8)\n"
"  -h, --help           this text\n";

static void note(void *data, const char *line)
{
	fprintf(stderr, "mntcr: dump: note: %s\n", line);
}

static void left_out(void *data, const char *line)
{
	fprintf(stderr, "mntcr: dump: %s\n", line);
}

/* What there is no dump for: in the list, if one was asked for.  Returns an exit code. */
static int no_dump(const struct mntcr_error *why, size_t nr, bool check, bool json)
{
	struct mntcr_error e;
	int ret = 0;
	size_t i;

	if (!check || why->code != MNTCR_REFUSED) {
		for (i = 0; i < nr; i++)
			ret = cmd_error("dump", &why[i]);
		return ret;
	}
	mntcr_check_refused(why, nr, json, stdout, &e);
	return e.code == MNTCR_REFUSED ? MNTCR_REFUSED : cmd_error("dump", &e);
}

/* What must be so until all has been read. */
struct held {
	struct mntcr_watch *watch;
	struct mntcr_freeze *frozen;
};

static int holds(void *data, struct mntcr_error *e)
{
	const struct held *h = data;

	return (h->watch && mntcr_watch_check(h->watch, e)) ||
	       (h->frozen && mntcr_frozen(h->frozen, e)) ? -1 : 0;
}

/* All that are refused are told of. */
static int open_trees(struct cmd_input *in, const char *const *names, size_t nr, bool check,
		      bool json)
{
	struct mntcr_error *e = calloc(nr + 1, sizeof(*e));
	size_t i, nr_refused = 0;
	int ret = 0;

	if (!e)
		return MNTCR_SYS;
	for (i = 0; i < nr; i++) {
		ret = cmd_input_open_detached(in, "dump", names[i], &e[nr_refused]);
		if (!ret)
			continue;
		if (e[nr_refused].code != MNTCR_REFUSED)
			break;
		nr_refused++;
	}
	if (i < nr)
		ret = e[nr_refused].code ? cmd_error("dump", &e[nr_refused]) : ret;
	else if (nr_refused)
		ret = no_dump(e, nr_refused, check, json);
	free(e);
	return ret;
}

int cmd_dump(int argc, char **argv)
{
	enum { OPT_METHOD = 256, OPT_RETRIES, OPT_CONTENTS, OPT_EXCLUDE,
	       OPT_CONTAINER, OPT_CGROUP, OPT_FREEZE, OPT_TIMEOUT, OPT_CHECK, OPT_JSON,
	       OPT_OWN, OPT_NOT_OWN, OPT_DETACHED };
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "method", required_argument, NULL, OPT_METHOD },
		{ "retries", required_argument, NULL, OPT_RETRIES },
		{ "container", required_argument, NULL, OPT_CONTAINER },
		{ "cgroup", required_argument, NULL, OPT_CGROUP },
		{ "freeze", no_argument, NULL, OPT_FREEZE },
		{ "freeze-timeout", required_argument, NULL, OPT_TIMEOUT },
		{ "detached", required_argument, NULL, OPT_DETACHED },
		{ "contents", no_argument, NULL, OPT_CONTENTS },
		{ "exclude-contents", required_argument, NULL, OPT_EXCLUDE },
		{ "own", required_argument, NULL, OPT_OWN },
		{ "not-own", required_argument, NULL, OPT_NOT_OWN },
		{ "check", no_argument, NULL, OPT_CHECK },
		{ "json", no_argument, NULL, OPT_JSON },
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	struct mntcr_capture_options opts = {
		.size = sizeof(opts), .note = note, .whose = true,
	};
	struct held held = { 0 };
	struct mntcr_contents_options files = {
		.size = sizeof(files), .left_out = left_out, .holds = holds, .data = &held,
	};
	/* of each no more than arguments */
	const char **exclude = calloc(4 * (size_t)argc, sizeof(*exclude));
	const char **own, **not_own, **detached;
	struct mntcr_container container = { 0 };
	struct mntcr_freeze_options still = { .size = sizeof(still) };
	bool contents = false, freeze = false, check = false, json = false, named;
	const char *cgroup = NULL;
	char *found = NULL;
	size_t pid = 0;
	struct cmd_input in = { 0 }, trees = { 0 };
	struct mntcr_topology *t = NULL;
	struct mc_fd_limit limit = { 0 };
	const char *out = NULL;
	struct mntcr_error e;
	int c, ret = 0;
	size_t n, nr_detached = 0;

	if (!exclude)
		return MNTCR_SYS;
	ret = cmd_contradict("dump", argc, argv, "o:h", options);
	own = exclude + argc;
	not_own = own + argc;
	detached = not_own + argc;
	while (!ret && (c = getopt_long(argc, argv, "o:h", options, NULL)) >= 0) {
		switch (c) {
		case 'o':
			out = optarg;
			break;
		case OPT_METHOD:
			if (!cmd_method(optarg, &opts.method))
				ret = cmd_usage("dump", "--method %s is not known",
						optarg);
			break;
		case OPT_RETRIES:
			if (!cmd_number(optarg, UINT_MAX, &n) || !n)
				ret = cmd_usage("dump", "--retries %s is not a number above 0",
						optarg);
			opts.retries = (unsigned int)n;
			break;
		case OPT_CONTAINER:
			if (!cmd_number(optarg, INT32_MAX, &pid) || !pid)
				ret = cmd_usage("dump", "--container %s is not a process id",
						optarg);
			contents = true;
			break;
		case OPT_CGROUP:
			cgroup = optarg;
			contents = true;
			break;
		case OPT_FREEZE:
			freeze = true;
			break;
		case OPT_TIMEOUT:
			if (!cmd_number(optarg, INT_MAX / 1000, &n) || !n)
				ret = cmd_usage("dump", "--freeze-timeout %s is not a number of seconds above 0",
						optarg);
			still.timeout_ms = n * 1000;
			break;
		case OPT_CHECK:
			check = true;
			break;
		case OPT_JSON:
			json = true;
			break;
		case OPT_DETACHED:
			detached[nr_detached++] = optarg;
			break;
		case OPT_CONTENTS:
			contents = true;
			break;
		case OPT_EXCLUDE:
			exclude[files.nr_exclude++] = optarg;
			break;
		case OPT_OWN:
			own[opts.nr_own++] = optarg;
			break;
		case OPT_NOT_OWN:
			not_own[opts.nr_not_own++] = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			ret = cmd_flush("dump");
			goto out;
		default:
			ret = cmd_try_help("dump");
		}
	}
	if (!ret && files.nr_exclude && !contents)
		ret = cmd_usage("dump", "--exclude-contents without --contents");
	if (!ret && json && !check)
		ret = cmd_usage("dump", "--json without --check");
	if (!ret && freeze && !cgroup && !pid)
		ret = cmd_usage("dump", "--freeze without --container or --cgroup");
	if (!ret && still.timeout_ms && !freeze)
		ret = cmd_usage("dump", "--freeze-timeout without --freeze");
	for (; optind < argc && !ret; optind++) {
		/* all of these are opened later, and what is refused of them told of */
		if (cmd_is_detached(argv[optind]))
			detached[nr_detached++] = argv[optind];
		else
			ret = cmd_input_add(&in, "dump", argv[optind], false);
	}
	if (ret)
		goto out;
	named = in.nr || (nr_detached && !pid && !cgroup);
	if (named + !!pid + (cgroup && !(pid && freeze)) != 1) {
		ret = cmd_usage("dump", pid || cgroup ?
				"--container, --cgroup and namespaces exclude one another, but for --container and --cgroup with --freeze" :
				"no namespace was named");
		goto out;
	}
	files.exclude = exclude;
	opts.own = own;
	opts.not_own = not_own;
	if (pid ? mntcr_watch_container((int64_t)pid, &held.watch, &e) :
	    cgroup && mntcr_watch_cgroup(cgroup, &held.watch, &e)) {
		ret = no_dump(&e, 1, check, json);
		goto out;
	}
	if (freeze) {
		if ((!cgroup && mntcr_container_cgroup((int64_t)pid, &found, &e)) ||
		    mntcr_freeze(cgroup ? cgroup : found, &still, &held.frozen, &e)) {
			ret = no_dump(&e, 1, check, json);
			goto thaw;
		}
		opts.within = pid ? cgroup ? cgroup : found : NULL;
	}
	/* once it holds still; each has a namespace's file, and two more while it is opened */
	if (nr_detached)
		mc_fd_limit_raise(&limit, mc_fd_count() + (uint32_t)nr_detached + 16);
	ret = open_trees(named ? &in : &trees, detached, nr_detached, check, json);
	opts.detached = trees.sources;
	opts.nr_detached = trees.nr;
	mc_fd_limit_back(&limit);
	if (ret)
		goto thaw;
	if (pid)
		ret = mntcr_capture_container((int64_t)pid, &opts, &container, &t, &e);
	else if (cgroup)
		ret = mntcr_capture_cgroup(cgroup, &opts, &container, &t, &e);
	else
		ret = mntcr_capture(in.sources, in.nr, &opts, &t, &e);
	files.sources = in.nr ? in.sources : container.sources;
	files.nr_sources = in.nr ? in.nr : container.nr;
	if (!ret && check)
		ret = mntcr_check_dump(t, contents ? &files : NULL, json, stdout, &e);
	else if (!ret && contents)
		ret = mntcr_image_write_contents(t, &files, out ? out : "-", &e);
	else if (!ret)
		ret = mntcr_image_write(t, out ? out : "-", &e);
	/* of a list, the refusals are in it */
	if (ret)
		ret = check && t && e.code == MNTCR_REFUSED ? MNTCR_REFUSED :
		      no_dump(&e, 1, check, json);
thaw:
	/* nobody is to look in the list for what is not there */
	if (check && (!ret || ret == MNTCR_REFUSED)) {
		c = cmd_flush("dump");
		ret = c ? c : ret;
	}
	if (mntcr_thaw(held.frozen, &e)) {
		c = cmd_error("dump", &e);
		ret = ret ? ret : c;
	}
out:
	mntcr_watch_free(held.watch);
	mntcr_topology_free(t);
	mntcr_container_free(&container);
	cmd_input_free(&trees);
	free(found);
	cmd_input_free(&in);
	free(exclude);
	return ret;
}
