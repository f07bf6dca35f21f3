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
	struct given *g = &a->list[a->nr++];
	char *value;

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

static int exclude(const struct all *a, const struct given *x, const struct given *y)
{
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(exclusive); i++)
		if (!strcmp(x->name, exclusive[i][0]) && !strcmp(y->name, exclusive[i][1]))
			return cmd_usage(a->cmd, "--%s and --%s exclude one another",
					 x->name, y->name);
	for (i = 0; i < MC_ARRAY_SIZE(either); i++)
		if (!strcmp(x->name, either[i][0]) && !strcmp(y->name, either[i][1]) &&
		    same(x->key, y->key))
			return cmd_usage(a->cmd, "--%s and --%s exclude one another, and both name %s",
					 x->name, y->name, x->key);
	return 0;
}

/* Of one option, y after x. */
static int differ(const struct all *a, const struct given *x, const struct given *y)
{
	if (!x->value || is_in(x->name, many, MC_ARRAY_SIZE(many)) ||
	    !same(x->key, y->key) || same(x->value, y->value))
		return 0;
	return x->key ? cmd_usage(a->cmd, "--%s names %s twice, for %s and for %s", x->name,
				  x->key, x->value, y->value) :
			cmd_usage(a->cmd, "--%s is given twice, as %s and as %s", x->name,
				  x->value, y->value);
}

static int judge(const struct all *a)
{
	size_t i, j;
	int ret = 0;

	for (j = 0; j < a->nr && !ret; j++) {
		for (i = 0; i < j && !ret; i++) {
			if (!strcmp(a->list[i].name, a->list[j].name)) {
				ret = differ(a, &a->list[i], &a->list[j]);
				continue;
			}
			ret = exclude(a, &a->list[i], &a->list[j]);
			if (!ret)
				ret = exclude(a, &a->list[j], &a->list[i]);
		}
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
