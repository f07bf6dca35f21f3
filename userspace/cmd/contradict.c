// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Options that cannot both be meant: which ones exclude one another, and what is given
 * twice and differs.  Of several spellings of one thing the library knows.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "cmd.h"

/* As often as there is something, by their long names.  All others have one value. */
static const char *const many[] = {
	"source", "host", "detached", "exclude-contents", "own", "not-own", "stand-in",
	"give", "delayed", "ignore", "topology", "namespace", "group", "reaches", "options",
};

/* The same with KEY=VALUE: each key has one value. */
static const char *const keyed[] = {
	"external", "external-master", "device", "layer", "map-cgroup", "owner",
};

/* Each key is one of both. */
static const char *const either[][2] = {
	{ "own", "not-own" }, { "external", "device" }, { "external", "stand-in" },
	{ "device", "stand-in" }, { "external", "layer" },
};

static const char *const exclusive[][2] = {
	{ "pin", "discard" }, { "stages", "discard" }, { "check", "output" },
	{ "quiet", "json" }, { "json", "dot" }, { "events", "contents" },
	{ "events", "map-cgroup" }, { "events", "stand-in" }, { "events", "owner" },
};

struct given {
	const char *name;
	char *key;		/* NULL: it has none */
	const char *value;
	size_t at;
};

struct all {
	const char *cmd;
	struct given *list;
	size_t nr;
};

static bool is_in(const char *name, const char *const *list, size_t nr)
{
	while (nr && strcmp(name, list[nr - 1]))
		nr--;
	return nr;
}

static bool same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* Without a KEY it is said in its turn, what is wrong with it. */
static int add(struct all *a, const struct option *o, const char *arg)
{
	struct given *g = &a->list[a->nr];
	char *value;

	g->at = a->nr++;
	g->name = o->name;
	g->value = arg;
	if (!o->has_arg || !(is_in(o->name, many, MC_ARRAY_SIZE(many)) ||
			     is_in(o->name, keyed, MC_ARRAY_SIZE(keyed))))
		return 0;
	g->key = strdup(arg);
	if (!g->key) {
		fprintf(stderr, "mntcr: %s: out of memory\n", a->cmd);
		return MNTCR_SYS;
	}
	if (is_in(o->name, keyed, MC_ARRAY_SIZE(keyed)) && cmd_split(g->key, &value))
		g->value = arg + (value - g->key);
	return 0;
}

static bool is_given(const struct all *a, const char *name)
{
	size_t i;

	for (i = 0; i < a->nr && strcmp(a->list[i].name, name); i++)
		;
	return i < a->nr;
}

static int exclude(const struct all *a)
{
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(exclusive); i++)
		if (is_given(a, exclusive[i][0]) && is_given(a, exclusive[i][1]))
			return cmd_usage(a->cmd, "--%s and --%s exclude one another",
					 exclusive[i][0], exclusive[i][1]);
	return 0;
}

/* By key, those without one first, then by name, then as they were given. */
static int order(const void *x, const void *y)
{
	const struct given *a = x, *b = y;
	int by = a->key && b->key ? strcmp(a->key, b->key) : !!a->key - !!b->key;

	if (!by)
		by = strcmp(a->name, b->name);
	return by ? by : (a->at > b->at) - (a->at < b->at);
}

/* Of one option, y after x. */
static int differ(const struct all *a, const struct given *x, const struct given *y)
{
	if (!x->value || is_in(x->name, many, MC_ARRAY_SIZE(many)) ||
	    same(x->value, y->value))
		return 0;
	return x->key ? cmd_usage(a->cmd, "--%s names %s twice, for %s and for %s", x->name,
				  x->key, x->value, y->value) :
			cmd_usage(a->cmd, "--%s is given twice, as %s and as %s", x->name,
				  x->value, y->value);
}

/* So many of one key, in their order: of each two names only one. */
static int judge_key(const struct all *a, struct given *g, size_t nr)
{
	const struct all of = { a->cmd, g, nr };
	size_t i;
	int ret = 0;

	for (i = 1; i < nr && !ret; i++)
		if (!strcmp(g[i - 1].name, g[i].name))
			ret = differ(a, &g[i - 1], &g[i]);
	for (i = 0; i < MC_ARRAY_SIZE(either) && g->key && !ret; i++)
		if (is_given(&of, either[i][0]) && is_given(&of, either[i][1]))
			ret = cmd_usage(a->cmd, "--%s and --%s exclude one another, and both name %s",
					either[i][0], either[i][1], g->key);
	return ret;
}

static int judge(struct all *a)
{
	size_t from, to;
	int ret = exclude(a);

	qsort(a->list, a->nr, sizeof(*a->list), order);
	for (from = 0; from < a->nr && !ret; from = to) {
		for (to = from + 1; to < a->nr && same(a->list[from].key, a->list[to].key); to++)
			;
		ret = judge_key(a, &a->list[from], to - from);
	}
	return ret;
}

/* NULL: getopt's, of what is not known or lacks its argument. */
static const struct option *find(const struct option *o, int c)
{
	while (o->name && o->val != c)
		o++;
	return o->name ? o : NULL;
}

int cmd_contradict(const char *cmd, int argc, char **argv, const char *letters,
		   const struct option *options)
{
	struct all a = { .cmd = cmd, .list = calloc((size_t)argc + 1, sizeof(*a.list)) };
	const struct option *o;
	bool help = false;
	int c, ret = 0;

	if (!a.list) {
		fprintf(stderr, "mntcr: %s: out of memory\n", cmd);
		return MNTCR_SYS;
	}
	/* what is unknown is told by who takes them */
	opterr = 0;
	while (!ret && (c = getopt_long(argc, argv, letters, options, NULL)) >= 0) {
		o = find(options, c);
		help = help || c == 'h' || !o;
		if (o)
			ret = add(&a, o, optarg);
	}
	opterr = 1;
	optind = 0;
	if (!ret && !help)
		ret = judge(&a);
	while (a.nr)
		free(a.list[--a.nr].key);
	free(a.list);
	return ret;
}
