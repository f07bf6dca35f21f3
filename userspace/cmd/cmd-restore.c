// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mntcr restore
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "check/check.h"
#include "execute/execute.h"
#include "topology/topology.h"
#include "restore-opts.h"
#include "stages.h"

static const char usage[] =
"Usage: mntcr restore [OPTION...] --pin DIR IMAGE\n"
"       mntcr restore [OPTION...] --stages FD [--pin DIR] IMAGE\n"
"       mntcr restore [OPTION...] --check [--stages -] IMAGE\n\n"
"Make the mount namespaces of IMAGE anew and leave them pinned as DIR/0,\n"
"DIR/1 and so on: nsenter --mount=DIR/0 enters the first.\n\n"
"      --pin DIR              where to pin them; made if it is not there\n"
"      --discard              instead of --pin: let them go at the end\n"
"      --check                make nothing: list what would fail here\n"
"      --stages FD            stage by stage, as is asked over this socket, with\n"
"                             what is given between them; with --check, -: list\n"
"                             what would have to be given\n"
"      --give KIND:ID         wait for this in any case\n"
RESTORE_OPT_USAGE
"      --verify               capture the result and compare it with IMAGE\n"
"      --stats                print times and system calls\n"
"      --json                 print all there is to say for programs\n"
"  -h, --help                 this text\n";

struct job {
	struct restore_opts r;
	bool verify, stats, json, discard, check;
	size_t nr_differences;
	sigset_t held;
	struct mntcr_contents *contents;
	struct cmd_stages stages;
};

static void progress(void *data, uint64_t done, uint64_t all)
{
	cmd_progress("restore: operations", done, all);
}

static void difference(void *data, const char *line)
{
	fprintf(stderr, "mntcr: restore: will differ: %s\n", line);
}

static void refused(void *data, const struct mntcr_refusal *refusal)
{
	struct job *j = data;

	restore_opts_refused(&j->r, "restore", refusal);
}

static void report(void *data, const char *line)
{
	fprintf(stderr, "mntcr: restore: verify: %s\n", line);
}

static int verify(struct job *j, struct mntcr_topology *t,
		  const struct mntcr_restored *r, struct mntcr_error *e)
{
	struct mntcr_verify_options opts = {
		.size = sizeof(opts), .max_reports = 20, .report = report,
	};
	size_t nr = mntcr_restored_nr_ns(r), i;
	struct mntcr_source *srcs = calloc(nr + 1, sizeof(*srcs));
	struct mntcr_detached **trees = calloc(nr + 1, sizeof(*trees));
	struct mc_fd_limit limit = { 0 };
	struct cmd_side image = { .topo = t, .known = true };
	struct cmd_side got = { .nr = nr, .sources = srcs };
	int ret = -1;

	/* by a path or at a stage; those of live ones are the same */
	opts.flags |= MNTCR_VERIFY_GIVEN_NAMESPACES;
	if (j->r.o.ignore_locks)
		opts.flags |= MNTCR_VERIFY_IGNORE_LOCKS;
	if (j->r.o.caller_namespaces)
		opts.flags |= MNTCR_VERIFY_IGNORE_SHOWN;
	/* told by what is older than the overlay, which here may come late, or elsewhere */
	if (j->stages.fd >= 0 || j->r.o.nr_layers)
		opts.flags |= MNTCR_VERIFY_IGNORE_LAYERS;
	if (!srcs || !trees) {
		mc_nomem(e);
		goto out;
	}
	mc_fd_limit_raise(&limit, mc_fd_count() + (uint32_t)nr + 16);
	for (i = 0; i < nr; i++) {
		srcs[i].type = MNTCR_SOURCE_FD;
		srcs[i].fd = mntcr_restored_ns_fd(r, i);
		if (srcs[i].fd >= 0)
			continue;
		if (mntcr_detached_open(0, mntcr_restored_detached_fd(r, i), &trees[i], e))
			goto out;
		srcs[i] = *mntcr_detached_source(trees[i]);
	}
	if (!mntcr_capture(srcs, nr, NULL, &got.topo, e) &&
	    (!j->contents || !cmd_live_contents(&image, &got, e))) {
		opts.contents_a = j->contents;
		opts.contents_b = got.contents;
		ret = mntcr_verify(t, got.topo, &opts, &j->nr_differences, e);
	}
out:
	mntcr_contents_free(got.contents);
	mntcr_topology_free(got.topo);
	for (i = 0; trees && i < nr; i++)
		mntcr_detached_free(trees[i]);
	mc_fd_limit_back(&limit);
	free(trees);
	free(srcs);
	return ret;
}

static double ms(uint64_t ns)
{
	return (double)ns / 1e6;
}

static void print_stats(const struct mntcr_restored *r)
{
	const struct mntcr_stats *s = mntcr_restored_stats(r);
	uint32_t i;

	printf("%s API: %u mounts, %u groups, %u namespaces, %u operations\n",
	       mntcr_restored_api(r) == MNTCR_API_EXTENDED ? "extended" : "upstream",
	       s->nr_mounts, s->nr_groups, s->nr_namespaces, s->nr_ops);
	printf("plan %.2f ms, namespaces %.2f, sources %.2f, mounts %.2f, groups %.2f, rest %.2f\n",
	       ms(s->plan_ns), ms(s->namespaces_ns), ms(s->sources_ns),
	       ms(s->mounts_ns), ms(s->groups_ns), ms(s->rest_ns));
	printf("%" PRIu64 " system calls, %.4f a mount:", s->nr_calls,
	       s->nr_mounts ? (double)s->nr_calls / s->nr_mounts : 0.0);
	for (i = 0; i < s->nr_call_names; i++)
		printf(" %s %" PRIu64, s->calls[i].name, s->calls[i].nr);
	putchar('\n');
}

static int print_json(const struct job *j, const struct mntcr_restored *r)
{
	const struct mntcr_stats *s = mntcr_restored_stats(r);
	json_t *calls = json_object(), *root;
	uint32_t i;

	for (i = 0; i < s->nr_call_names; i++)
		json_object_set_new(calls, s->calls[i].name,
				    json_integer((json_int_t)s->calls[i].nr));
	root = json_pack("{s:s, s:i, s:i, s:i, s:i, s:I, s:o, s:{s:I,s:I,s:I,s:I,s:I,s:I}}",
			 "api", mntcr_restored_api(r) == MNTCR_API_EXTENDED ?
			 "extended" : "upstream",
			 "mounts", (int)s->nr_mounts, "groups", (int)s->nr_groups,
			 "namespaces", (int)s->nr_namespaces,
			 "operations", (int)s->nr_ops,
			 "system_calls", (json_int_t)s->nr_calls,
			 "calls", calls, "nanoseconds",
			 "plan", (json_int_t)s->plan_ns,
			 "namespaces", (json_int_t)s->namespaces_ns,
			 "sources", (json_int_t)s->sources_ns,
			 "mounts", (json_int_t)s->mounts_ns,
			 "groups", (json_int_t)s->groups_ns,
			 "rest", (json_int_t)s->rest_ns);
	if (root && j->verify)
		json_object_set_new(root, "differences",
				    json_integer((json_int_t)j->nr_differences));
	return cmd_print_json("restore", root);
}

/*
 * Without pins, whatever ends the program takes all of it away.  With them what
 * would end it is held back, and heeded once they are gone again.
 */
static void hold_signals(sigset_t *held)
{
	static const int sigs[] = { SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM };
	struct sigaction act;
	size_t i;

	sigemptyset(held);
	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		if (!sigaction(sigs[i], NULL, &act) && act.sa_handler == SIG_DFL)
			sigaddset(held, sigs[i]);
	sigprocmask(SIG_BLOCK, held, NULL);
}

static bool is_ended(const sigset_t *held)
{
	sigset_t pending;
	int sig;

	if (sigpending(&pending))
		return false;
	for (sig = 1; sig < NSIG; sig++)
		if (sigismember(held, sig) == 1 &&
		    sigismember(&pending, sig) == 1)
			return true;
	return false;
}

static bool cancelled(void *data)
{
	const struct job *j = data;

	return is_ended(&j->held);
}

static int report_all(const struct job *j, const struct mntcr_restored *r)
{
	int ret = 0, flushed;

	if (j->json)
		ret = print_json(j, r);
	else if (j->stats)
		print_stats(r);
	flushed = cmd_flush("restore");
	return ret ? ret : flushed;
}

/* What has become of it, for who drives it. */
static void tell_driver(const struct job *j, int ret, const struct mntcr_error *e)
{
	char text[600];

	if (j->stages.fd < 0)
		return;
	if (j->nr_differences)
		snprintf(text, sizeof(text), "%zu differences from the image",
			 j->nr_differences);
	else
		snprintf(text, sizeof(text), "%.*s%s%.64s%s", 500, e->text,
			 *e->rule ? " [" : "", e->rule, *e->rule ? "]" : "");
	cmd_stages_over(&j->stages, ret ? text : NULL);
}

static int make(struct job *j, const struct mntcr_topology *t,
		struct mntcr_restored **r, struct mntcr_error *e)
{
	if (j->stages.fd < 0)
		return mntcr_restore(t, &j->r.o, r, e);
	return cmd_stages_drive(&j->stages, t, &j->r.o, &j->held, r, e);
}

/* Of the image something was refused: what else is, is said, and nothing is made. */
static int refuse(struct job *j, const struct mntcr_topology *t, struct mntcr_error *first)
{
	const struct mntcr_stages_options so = {
		.size = sizeof(so), .give = j->stages.give, .nr_give = j->stages.nr_give,
	};
	struct mntcr_error e;

	if (mc_restore_refused(t, &j->r.o, j->stages.fd >= 0 ? &so : NULL, &e) &&
	    e.code != MNTCR_REFUSED)
		*first = e;
	return restore_opts_error(&j->r, "restore", first);
}

static int run(struct job *j, const char *image)
{
	struct mntcr_restored *r = NULL;
	struct mntcr_topology *t = NULL;
	struct mntcr_error e = { 0 };
	int ret = 0, applied;

	sigemptyset(&j->held);
	if (mntcr_image_read_contents(image, &t, &j->contents, &e)) {
		tell_driver(j, -1, &e);
		cmd_stages_drain(&j->stages);
		return cmd_error("restore", &e);
	}
	j->r.json = j->json;
	applied = restore_opts_apply(&j->r, "restore", t, &e);
	if (applied < 0) {
		ret = restore_opts_error(&j->r, "restore", &e);
		goto out;
	}
	j->r.o.progress = progress;
	j->r.o.difference = difference;
	j->r.o.contents = j->contents;
	j->r.o.cancelled = cancelled;
	j->r.o.refused = refused;
	j->r.o.data = j;
	j->r.o.pin_later = true;
	if (applied) {
		ret = refuse(j, t, &e);
		goto out;
	}
	if (j->r.o.pin_dir)
		hold_signals(&j->held);
	ret = make(j, t, &r, &e);
	cmd_progress_end();
	if (!ret && !r)		/* given up, as was asked for */
		goto out;
	if (!ret && j->verify)
		ret = verify(j, t, r, &e);
	if (!ret && j->r.o.pin_dir && !j->nr_differences)
		ret = mntcr_restored_pin(r, j->r.o.pin_dir, &e);
	if (ret) {
		/* of what ends it, the shell tells */
		ret = is_ended(&j->held) ? MNTCR_SYS :
		      restore_opts_error(&j->r, "restore", &e);
		goto out;
	}
	ret = report_all(j, r);
	if (j->nr_differences) {
		fprintf(stderr, "mntcr: restore: %zu difference%s from the image\n",
			j->nr_differences, j->nr_differences == 1 ? "" : "s");
		ret = MNTCR_DIFFERS;
	}
out:
	if (r && (ret || is_ended(&j->held)))
		mntcr_restored_unpin(r);
	tell_driver(j, ret, &e);
	/* Ends here if there is a reason, as that reason has it. */
	if (ret || is_ended(&j->held))
		sigprocmask(SIG_UNBLOCK, &j->held, NULL);
	cmd_stages_drain(&j->stages);
	mntcr_restored_free(r);
	mntcr_contents_free(j->contents);
	mntcr_topology_free(t);
	return ret;
}

/* Words by which the same is asked for are in the list. */
static int list(struct job *j, struct mntcr_topology *t, struct mntcr_error *e)
{
	const struct mntcr_stages_options so = {
		.size = sizeof(so), .give = j->stages.give, .nr_give = j->stages.nr_give,
	};
	struct cmd_wrong w = { .lists = true };
	int ret = cmd_maps_apply(&j->r.maps, t, &w, e);

	if (!ret)
		ret = mc_check_after(t, &j->r.o, j->stages.asked ? &so : NULL, w.list, w.nr,
				     j->json, stdout, e);
	free(w.list);
	return ret;
}

/* What would fail is in the list. */
static int check(struct job *j, const char *image)
{
	struct mntcr_topology *t = NULL;
	struct mntcr_error e = { 0 };
	int ret, flushed;

	if (mntcr_image_read_contents(image, &t, &j->contents, &e))
		return cmd_error("restore", &e);
	j->r.o.contents = j->contents;
	ret = list(j, t, &e);
	if (ret)
		ret = e.code == MNTCR_REFUSED ? MNTCR_REFUSED : cmd_error("restore", &e);
	/* nobody is to look in the list for what is not there */
	flushed = ret && ret != MNTCR_REFUSED ? 0 : cmd_flush("restore");
	mntcr_contents_free(j->contents);
	mntcr_topology_free(t);
	return flushed ? flushed : ret;
}

int cmd_restore(int argc, char **argv)
{
	enum { OPT_PIN = 256, OPT_DISCARD, OPT_VERIFY, OPT_STATS, OPT_JSON, OPT_CHECK,
	       OPT_STAGES, OPT_GIVE };
	static const struct option options[] = {
		RESTORE_OPT_LONG,
		{ "pin", required_argument, NULL, OPT_PIN },
		{ "discard", no_argument, NULL, OPT_DISCARD },
		{ "check", no_argument, NULL, OPT_CHECK },
		{ "stages", required_argument, NULL, OPT_STAGES },
		{ "give", required_argument, NULL, OPT_GIVE },
		{ "verify", no_argument, NULL, OPT_VERIFY },
		{ "stats", no_argument, NULL, OPT_STATS },
		{ "json", no_argument, NULL, OPT_JSON },
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	struct job j = {
		.r = { .o = { .size = sizeof(j.r.o) } }, .stages = { .fd = -1 },
	};
	const char *stages = NULL;
	int c, ret = cmd_contradict("restore", argc, argv, "h" RESTORE_OPT_LETTERS, options);

	while (!ret && (c = getopt_long(argc, argv, "h" RESTORE_OPT_LETTERS,
					options, NULL)) >= 0) {
		ret = restore_opt(&j.r, "restore", c, optarg);
		if (ret >= 0)
			continue;
		ret = 0;
		switch (c) {
		case OPT_PIN:
			j.r.o.pin_dir = optarg;
			break;
		case OPT_DISCARD:
			j.discard = true;
			break;
		case OPT_CHECK:
			j.check = true;
			break;
		case OPT_STAGES:
			stages = optarg;
			break;
		case OPT_GIVE:
			ret = cmd_stages_give(&j.stages, "restore", optarg);
			if (!ret)
				ret = restore_opts_repeat(&j.r, "restore", "give", optarg);
			break;
		case OPT_VERIFY:
			j.verify = true;
			break;
		case OPT_STATS:
			j.stats = true;
			break;
		case OPT_JSON:
			j.json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			ret = cmd_flush("restore");
			goto out;
		default:
			ret = cmd_try_help("restore");
		}
	}
	if (!ret && stages)
		ret = cmd_stages_fd(&j.stages, "restore", stages, j.check);
	if (ret)
		goto out;
	j.r.o.no_detached = !j.stages.asked;
	j.r.o.will_capture = j.verify;
	if (argc - optind != 1) {
		ret = cmd_usage("restore", "one image is needed");
	} else if (j.stages.nr_give && !j.stages.asked) {
		ret = cmd_usage("restore", "--give: nobody gives anything without --stages");
	} else if (j.check) {
		restore_opts_done(&j.r);
		ret = check(&j, argv[optind]);
	} else if (j.stages.fd < 0 && !j.r.o.pin_dir && !j.discard) {
		ret = cmd_usage("restore", "nothing would remain: one of --pin DIR and --discard is needed");
	} else {
		restore_opts_done(&j.r);
		ret = run(&j, argv[optind]);
	}
out:
	restore_opts_free(&j.r);
	cmd_stages_free(&j.stages);
	return ret;
}
