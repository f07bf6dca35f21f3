// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mntcr verify
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "cmd.h"

static const char usage[] =
"Usage: mntcr verify [OPTION...] FIRST SECOND [SECOND...]\n\n"
"Are two topologies the same up to renaming of ids?  FIRST is an image, a\n"
"process id, a namespace file or a directory of such files; everything after\n"
"it is the second.  Namespaces are paired in their order.\n\n"
"      --devices        the superblocks are the very same, by device number\n"
"      --order          mounts came into being in the same order\n"
"      --delayed ID     but this one of the first and what is on it may be younger\n"
"      --ignore LIST    leave out: options, source, locks, owner, files,\n"
"                       shown, whose, layers, contents\n"
"      --given-namespaces\n"
"                       where the file of a namespace is mounted that a restore was\n"
"                       given, it may be another, the same in all mounts\n"
"      --own KEY        an image against live ones: of these KEY, MAJOR:MINOR or a\n"
"                       path in the first, is not the host's\n"
"      --not-own KEY    is the host's\n"
"      --contents       compare the files of each tmpfs and ramfs, of live ones, too;\n"
"                       those that an image has are compared by themselves\n"
"      --map-cgroup OLD=NEW\n"
"                       what shows the cgroup OLD in FIRST should show NEW\n"
"      --stand-in KEY   what FIRST had of its host there should be an empty tmpfs\n"
"      --owner INODE=PATH\n"
"                       ids of FIRST that its user namespace INODE maps are where PATH\n"
"                       maps them\n"
"      --events         both live: mount something on each mount in turn and see\n"
"                       whether it comes out the same; see mntcr-verify(1)\n"
"      --max N          print at most N differences (default 100, 0: all)\n"
"  -q, --quiet          print nothing, only exit 0 or 3\n"
"      --json           for programs\n"
"      --method METHOD  of live namespaces: auto (default), statmount or\n"
"                       mountinfo\n"
"  -h, --help           this text\n";

/* What became of contents. */
enum with_contents {
	NO_CONTENTS,		/* no image has any, and nobody asked for them */
	CONTENTS_COMPARED,
	CONTENTS_IGNORED,	/* --ignore contents */
	CONTENTS_LACKING,	/* one image has them, and the other has none */
	CONTENTS_REFUSED,	/* those of what is live are out of reach */
};

struct job {
	struct mntcr_verify_options opts;
	struct cmd_maps maps;
	uint64_t *delayed;
	bool events, quiet, json, contents, ignore_contents;
	enum with_contents with;
	json_t *lines, *left;	/* with json: what was reported, what left out */
	size_t nr, nr_events, nr_left;
};

static void say(const struct job *j, json_t *lines, const char *line)
{
	if (j->json) {
		json_array_append_new(lines, json_string(line));
	} else if (!j->quiet) {
		/* a progress line may stand there */
		cmd_progress_end();
		puts(line);
	}
}

static void report(void *data, const char *line)
{
	const struct job *j = data;

	say(j, j->lines, line);
}

static void left_out(void *data, const char *line)
{
	struct job *j = data;

	j->nr_left++;
	say(j, j->left, line);
}

static void progress(void *data, size_t done, size_t all)
{
	cmd_progress("verify: events: mounts", done, all);
}

static int print_json(struct job *j)
{
	static const char *const words[] = {
		[NO_CONTENTS] = "none", [CONTENTS_COMPARED] = "compared",
		[CONTENTS_IGNORED] = "ignored", [CONTENTS_LACKING] = "lacking",
		[CONTENTS_REFUSED] = "refused",
	};
	json_t *root = json_pack("{s:I, s:O}", "differences", (json_int_t)j->nr,
				 "reports", j->lines);

	if (root && !j->events)
		json_object_set_new(root, "contents", json_string(words[j->with]));
	if (root && j->events) {
		json_object_set_new(root, "events",
				    json_integer((json_int_t)j->nr_events));
		json_object_set(root, "left_out", j->left);
	}
	return cmd_print_json("verify", root);
}

static void print_text(const struct job *j)
{
	if (j->nr)
		printf("%zu difference%s%s\n", j->nr, j->nr == 1 ? "" : "s",
		       j->opts.max_reports && j->nr > j->opts.max_reports ?
		       ", not all shown" : "");
	if (j->events)
		printf("%zu event%s compared", j->nr_events,
		       j->nr_events == 1 ? "" : "s");
	if (j->nr_left)
		printf(", %zu left out", j->nr_left);
	if (j->events)
		putchar('\n');
	if (j->with == CONTENTS_COMPARED)
		puts("contents compared");
	if (j->with == CONTENTS_IGNORED || j->with == CONTENTS_REFUSED)
		puts("contents not compared");
}

/* Of a live one not even the contents yet. */
static int load(const struct job *j, struct cmd_input *in, enum mntcr_method method,
		struct cmd_side *side)
{
	struct mntcr_error e;

	side->sources = in->sources;
	side->nr = in->nr;
	side->known = in->image && !in->nr;
	if (j->ignore_contents || !side->known)
		return cmd_input_load(in, "verify", method, &side->topo);
	return mntcr_image_read_contents(in->image, &side->topo, &side->contents, &e) ?
	       cmd_error("verify", &e) : 0;
}

static bool has_none(const struct cmd_side *s)
{
	return s->known && !s->contents;
}

/* That they are not read, where they had to be. */
static int no_contents(const struct job *j, const struct mntcr_error *e)
{
	int ret = cmd_error("verify", e);

	if (!j->contents)
		fprintf(stderr, "mntcr: verify: the image has contents, which are compared unless --ignore contents is given\n");
	return ret;
}

/* Nobody has to ask for what an image has; of what is live, only that is read then. */
static int read_contents(struct job *j, struct cmd_side *a, struct cmd_side *b,
			 struct mntcr_error *e)
{
	const char *none = has_none(a) ? "first" : "second";

	if (j->ignore_contents) {
		j->with = cmd_says_contents(a) || cmd_says_contents(b) ? CONTENTS_IGNORED : NO_CONTENTS;
		return 0;
	}
	if (j->contents && (has_none(a) || has_none(b)))
		return cmd_usage("verify", "--contents: the %s has none", none);
	if (!j->contents && !a->contents && !b->contents)
		return 0;
	if (has_none(a) || has_none(b)) {
		j->with = CONTENTS_LACKING;
		if (!j->quiet)
			fprintf(stderr, "mntcr: verify: contents are not compared: the %s has none\n",
				none);
		return 0;
	}
	j->with = CONTENTS_COMPARED;
	if (!cmd_live_contents(a, b, e))
		return 0;
	if (e->code != MNTCR_REFUSED)
		return no_contents(j, e);
	j->with = CONTENTS_REFUSED;
	return 0;
}

static int compare_sides(struct job *j, struct cmd_side *a, struct cmd_side *b)
{
	struct mntcr_error e, refused;
	int ret = read_contents(j, a, b, &refused);

	if (ret)
		return ret;
	if (j->with != CONTENTS_REFUSED) {
		j->opts.contents_a = a->contents;
		j->opts.contents_b = b->contents;
	}
	if (cmd_maps_apply(&j->maps, a->topo, NULL, &e) ||
	    mntcr_verify(a->topo, b->topo, &j->opts, &j->nr, &e))
		return cmd_error("verify", &e);
	if (j->with != CONTENTS_REFUSED)
		return 0;
	/* that they are not the same is known without them, and may be why */
	if (!j->nr)
		return no_contents(j, &refused);
	if (!j->quiet)
		fprintf(stderr, "mntcr: verify: contents are not compared: %s\n", refused.text);
	return 0;
}

static int compare_events(struct job *j, const struct cmd_input *first,
			  const struct cmd_input *second)
{
	struct mntcr_error e;
	int ret = mntcr_verify_events(first->sources, first->nr, second->sources, second->nr,
				      &j->opts, &j->nr_events, &j->nr, &e);

	if (!j->quiet)
		cmd_progress_end();
	return ret ? cmd_error("verify", &e) : 0;
}

static int compare(struct job *j, struct cmd_input *first,
		   struct cmd_input *second, enum mntcr_method method)
{
	const struct mntcr_capture_options capture = {
		.size = sizeof(capture), .method = method,
	};
	struct cmd_side a = { 0 }, b = { 0 };
	int ret = 0;

	j->opts.capture = &capture;
	if (j->events)
		ret = compare_events(j, first, second);
	else if (!(ret = load(j, first, method, &a)) && !(ret = load(j, second, method, &b)))
		ret = compare_sides(j, &a, &b);
	if (ret)
		goto out;
	if (j->json)
		ret = print_json(j);
	else if (!j->quiet)
		print_text(j);
	if (!ret)
		ret = cmd_flush("verify");
	if (!ret && j->nr)
		ret = MNTCR_DIFFERS;
out:
	mntcr_topology_free(a.topo);
	mntcr_topology_free(b.topo);
	mntcr_contents_free(a.contents);
	mntcr_contents_free(b.contents);
	return ret;
}

static bool ignore(char *list, unsigned int *flags, bool *contents)
{
	static const struct {
		const char *word;
		unsigned int flag;
	} words[] = {
		{ "options", MNTCR_VERIFY_IGNORE_OPTIONS },
		{ "source", MNTCR_VERIFY_IGNORE_SOURCE },
		{ "locks", MNTCR_VERIFY_IGNORE_LOCKS },
		{ "owner", MNTCR_VERIFY_IGNORE_OWNER },
		{ "files", MNTCR_VERIFY_IGNORE_FILES },
		{ "shown", MNTCR_VERIFY_IGNORE_SHOWN },
		{ "whose", MNTCR_VERIFY_IGNORE_WHOSE },
		{ "layers", MNTCR_VERIFY_IGNORE_LAYERS },
		/* the library compares those that it is given */
		{ "contents", 0 },
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
		*contents |= !words[i].flag;
	}
	return true;
}

static int add_delayed(struct job *j, const char *arg)
{
	uint64_t *ids = realloc(j->delayed,
				(j->opts.nr_delayed + 1) * sizeof(*ids));
	size_t id;

	if (!ids) {
		fprintf(stderr, "mntcr: verify: out of memory\n");
		return MNTCR_SYS;
	}
	j->opts.delayed = j->delayed = ids;
	if (!cmd_number(arg, SIZE_MAX, &id))
		return cmd_usage("verify", "--delayed %s is not a number", arg);
	ids[j->opts.nr_delayed++] = id;
	return 0;
}

/* Each option can be given as often as there are arguments. */
static int keys_init(struct cmd_input *live, int argc)
{
	struct mntcr_error e;

	live->own = calloc((size_t)argc + 1, sizeof(*live->own));
	live->not_own = calloc((size_t)argc + 1, sizeof(*live->not_own));
	if (live->own && live->not_own)
		return 0;
	mc_nomem(&e);
	return cmd_error("verify", &e);
}

/* Of live ones that are compared with an image, which may know it: keys are live's. */
static int ask_whose(struct cmd_input *first, struct cmd_input *second,
		     struct cmd_input *live)
{
	struct cmd_input *in = first->image ? second : first;

	if (!first->image == !second->image) {
		if (!live->nr_own && !live->nr_not_own)
			return 0;
		return cmd_usage("verify", "--own and --not-own need an image and live namespaces");
	}
	in->whose = true;
	in->own = live->own;
	in->nr_own = live->nr_own;
	in->not_own = live->not_own;
	in->nr_not_own = live->nr_not_own;
	live->own = live->not_own = NULL;
	return 0;
}

static int verify(int argc, char **argv, struct job *j, struct cmd_input *live,
		  struct cmd_input *first, struct cmd_input *second)
{
	enum { OPT_DEVICES = 256, OPT_ORDER, OPT_IGNORE, OPT_MAX, OPT_METHOD,
	       OPT_EVENTS, OPT_JSON, OPT_CONTENTS, OPT_MAP_CGROUP, OPT_DELAYED,
	       OPT_STAND_IN, OPT_OWN, OPT_NOT_OWN, OPT_OWNER, OPT_GIVEN_NAMESPACES };
	static const struct option options[] = {
		{ "devices", no_argument, NULL, OPT_DEVICES },
		{ "order", no_argument, NULL, OPT_ORDER },
		{ "delayed", required_argument, NULL, OPT_DELAYED },
		{ "given-namespaces", no_argument, NULL, OPT_GIVEN_NAMESPACES },
		{ "ignore", required_argument, NULL, OPT_IGNORE },
		{ "events", no_argument, NULL, OPT_EVENTS },
		{ "contents", no_argument, NULL, OPT_CONTENTS },
		{ "map-cgroup", required_argument, NULL, OPT_MAP_CGROUP },
		{ "stand-in", required_argument, NULL, OPT_STAND_IN },
		{ "own", required_argument, NULL, OPT_OWN },
		{ "not-own", required_argument, NULL, OPT_NOT_OWN },
		{ "owner", required_argument, NULL, OPT_OWNER },
		{ "max", required_argument, NULL, OPT_MAX },
		{ "quiet", no_argument, NULL, 'q' },
		{ "json", no_argument, NULL, OPT_JSON },
		{ "method", required_argument, NULL, OPT_METHOD },
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	enum mntcr_method method = MNTCR_METHOD_AUTO;
	int c, ret = cmd_contradict("verify", argc, argv, "qh", options);

	if (ret)
		return ret;
	while ((c = getopt_long(argc, argv, "qh", options, NULL)) >= 0) {
		switch (c) {
		case OPT_DEVICES:
			j->opts.flags |= MNTCR_VERIFY_DEVICES;
			break;
		case OPT_ORDER:
			j->opts.flags |= MNTCR_VERIFY_ORDER;
			break;
		case OPT_DELAYED:
			ret = add_delayed(j, optarg);
			if (ret)
				return ret;
			break;
		case OPT_GIVEN_NAMESPACES:
			j->opts.flags |= MNTCR_VERIFY_GIVEN_NAMESPACES;
			break;
		case OPT_IGNORE:
			if (!ignore(optarg, &j->opts.flags, &j->ignore_contents))
				return cmd_usage("verify", "--ignore takes options, source, locks, owner, files, shown, whose, layers, contents");
			break;
		case OPT_EVENTS:
			j->events = true;
			break;
		case OPT_CONTENTS:
			j->contents = true;
			break;
		case OPT_MAP_CGROUP:
			ret = cmd_maps_add(&j->maps, "verify", optarg);
			if (ret)
				return ret;
			break;
		case OPT_STAND_IN:
			ret = cmd_maps_add_stand_in(&j->maps, "verify", optarg);
			if (ret)
				return ret;
			break;
		case OPT_OWN:
			live->own[live->nr_own++] = optarg;
			break;
		case OPT_NOT_OWN:
			live->not_own[live->nr_not_own++] = optarg;
			break;
		case OPT_OWNER:
			ret = cmd_maps_add_owner(&j->maps, "verify", optarg);
			if (ret)
				return ret;
			break;
		case OPT_MAX:
			if (!cmd_number(optarg, SIZE_MAX, &j->opts.max_reports))
				return cmd_usage("verify", "--max %s is not a number",
						 optarg);
			break;
		case 'q':
			j->quiet = true;
			break;
		case OPT_JSON:
			j->json = true;
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
	if (j->contents && j->ignore_contents)
		return cmd_usage("verify", "--contents and --ignore contents exclude one another");
	if (j->quiet) {
		j->opts.report = NULL;
		j->opts.progress = NULL;
	}
	if (j->json) {
		j->lines = json_array();
		j->left = json_array();
	}
	ret = cmd_input_add(first, "verify", argv[optind++], true);
	for (; optind < argc && !ret; optind++)
		ret = cmd_input_add(second, "verify", argv[optind], true);
	if (!ret && j->events && (first->image || second->image))
		ret = cmd_usage("verify", "--events needs live namespaces");
	if (!ret)
		ret = ask_whose(first, second, live);
	if (!ret)
		ret = compare(j, first, second, method);
	return ret;
}

int cmd_verify(int argc, char **argv)
{
	struct cmd_input live = { 0 }, first = { 0 }, second = { 0 };
	struct job j = {
		.opts = {
			.size = sizeof(j.opts),
			.report = report, .progress = progress,
			.left_out = left_out,
			.max_reports = 100, .data = &j,
		},
	};
	int ret = keys_init(&live, argc);

	if (!ret)
		ret = verify(argc, argv, &j, &live, &first, &second);
	json_decref(j.lines);
	json_decref(j.left);
	cmd_maps_free(&j.maps);
	free(j.delayed);
	cmd_input_free(&first);
	cmd_input_free(&second);
	cmd_input_free(&live);
	return ret;
}
