// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Options that restore and plan have in common.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "restore-opts.h"

bool cmd_api(const char *word, enum mntcr_api *api)
{
	if (!strcmp(word, "auto"))
		*api = MNTCR_API_AUTO;
	else if (!strcmp(word, "extended"))
		*api = MNTCR_API_EXTENDED;
	else if (!strcmp(word, "upstream"))
		*api = MNTCR_API_UPSTREAM;
	else
		return false;
	return true;
}

static int add_external(struct mntcr_external **list, size_t *nr,
			const char *cmd, const char *opt, char *arg)
{
	void *p = realloc(*list, (*nr + 1) * sizeof(**list));
	char *path;
	int ret;

	if (!p) {
		fprintf(stderr, "mntcr: %s: out of memory\n", cmd);
		return MNTCR_SYS;
	}
	*list = p;
	ret = cmd_split_key(cmd, opt, !strcmp(opt, "--external") ? "KEY[:ROOT]=PATH" :
			    !strcmp(opt, "--layer") ? "KEY=DIR" :
			    !strcmp(opt, "--device") ? "KEY=DEVICE" : "KEY=PATH",
			    arg, &path);
	if (!ret)
		(*list)[(*nr)++] = (struct mntcr_external){ .key = arg, .path = path };
	return ret;
}

/* PLACE,PLACE: split in place at each comma; "\" takes the next byte as it is. */
static int add_hosts(struct restore_opts *r, const char *cmd, char *arg)
{
	char *from = arg, *to = arg, *start = arg;
	bool end = false;
	void *p;

	for (; !end; from++) {
		if (*from == '\\' && cmd_octal(from + 1, to)) {
			to++;
			from += 3;
			continue;
		}
		if (*from == '\\' && from[1]) {
			*to++ = *++from;
			continue;
		}
		end = !*from;
		if (!end && *from != ',') {
			*to++ = *from;
			continue;
		}
		if (to == start)
			return cmd_usage(cmd, "--host takes PLACE,..., and none of them is empty");
		*to++ = '\0';
		p = realloc(r->hosts, (r->nr_hosts + 1) * sizeof(*r->hosts));
		if (!p) {
			fprintf(stderr, "mntcr: %s: out of memory\n", cmd);
			return MNTCR_SYS;
		}
		r->hosts = p;
		r->hosts[r->nr_hosts++] = start;
		start = to;
	}
	return 0;
}

int restore_opts_repeat(struct restore_opts *r, const char *cmd, const char *option,
			const char *arg)
{
	char **p = realloc(r->repeat, (r->nr_repeat + 2) * sizeof(*p));

	if (p)
		r->repeat = p;
	if (p && asprintf(&p[r->nr_repeat], "--%s", option) >= 0) {
		r->nr_repeat++;
		if (!arg)
			return 0;
		p[r->nr_repeat] = strdup(arg);
		if (p[r->nr_repeat]) {
			r->nr_repeat++;
			return 0;
		}
	}
	fprintf(stderr, "mntcr: %s: out of memory\n", cmd);
	return MNTCR_SYS;
}

/* Before anything is cut out of it. */
static int repeat(struct restore_opts *r, const char *cmd, int c, const char *arg)
{
	static const struct option options[] = { RESTORE_OPT_LONG, { 0 } };
	const struct option *o = options;

	while (o->name && o->val != c)
		o++;
	return o->name ? restore_opts_repeat(r, cmd, o->name, o->has_arg ? arg : NULL) : 0;
}

/* Those that the library has a list of; -1: none of them. */
static int listed(struct restore_opts *r, const char *cmd, int c, char *arg)
{
	switch (c) {
	case 1001:
		return add_external(&r->externals, &r->nr_externals, cmd,
				    "--external", arg);
	case 1002:
		return add_external(&r->masters, &r->nr_masters, cmd,
				    "--external-master", arg);
	case 1007:
		return add_hosts(r, cmd, arg);
	case 1009:
		return add_external(&r->layers, &r->nr_layers, cmd, "--layer", arg);
	case 1011:
		return add_external(&r->devices, &r->nr_devices, cmd, "--device", arg);
	}
	return -1;
}

int restore_opt(struct restore_opts *r, const char *cmd, int c, char *arg)
{
	int ret = listed(r, cmd, c, arg);

	if (ret >= 0)
		return ret;
	ret = repeat(r, cmd, c, arg);
	if (ret)
		return ret;
	switch (c) {
	case 's':
		return cmd_input_add(&r->sources, cmd, arg, false);
	case 1000:
		if (!cmd_api(arg, &r->o.api))
			return cmd_usage(cmd, "--api %s is not known", arg);
		return 0;
	case 1003:
		r->o.prefer_fresh = true;
		return 0;
	case 1004:
		r->o.ignore_locks = true;
		return 0;
	case 1005:
		r->o.caller_namespaces = true;
		return 0;
	case 1006:
		return cmd_maps_add(&r->maps, cmd, arg);
	case 1008:
		return cmd_maps_add_stand_in(&r->maps, cmd, arg);
	case 1010:
		return cmd_maps_add_owner(&r->maps, cmd, arg);
	}
	return -1;
}

static void keep(struct restore_opts *r, const struct mntcr_refusal *refusal)
{
	json_t *mounts = json_array();
	size_t i;

	if (!r->refusals)
		r->refusals = json_array();
	for (i = 0; i < refusal->nr_mounts; i++)
		json_array_append_new(mounts, json_pack("{s:I, s:I}",
			"namespace", (json_int_t)refusal->mounts[i].ns,
			"id", (json_int_t)refusal->mounts[i].id));
	json_array_append_new(r->refusals, json_pack("{s:s, s:s, s:s, s:o}",
			"rule", refusal->rule, "text", refusal->text,
			"help", refusal->help, "mounts", mounts));
}

void restore_opts_refused(struct restore_opts *r, const char *cmd,
			  const struct mntcr_refusal *refusal)
{
	if (!r->nr_refused++)
		cmd_progress_end();
	fprintf(stderr, "mntcr: %s: %s%s%s [%s]\n", cmd, refusal->text,
		*refusal->help ? "; would help: " : "", refusal->help,
		refusal->rule);
	if (r->json)
		keep(r, refusal);
}

int restore_opts_error(struct restore_opts *r, const char *cmd,
		       const struct mntcr_error *e)
{
	int ret;

	if (e->code != MNTCR_REFUSED)
		return cmd_error(cmd, e);
	/* before there was a plan */
	if (!r->nr_refused)
		restore_opts_refused(r, cmd, &(struct mntcr_refusal){
			.rule = e->rule, .text = e->text, .help = "" });
	if (r->json) {
		ret = cmd_print_json(cmd, json_pack("{s:O}", "refusals",
						    r->refusals));
		if (!ret)
			ret = cmd_flush(cmd);
		if (ret)
			return ret;
	}
	return MNTCR_REFUSED;
}

int restore_opts_apply(struct restore_opts *r, const char *cmd, struct mntcr_topology *t,
		       struct mntcr_error *e)
{
	struct cmd_wrong w = { 0 };
	int ret = cmd_maps_apply(&r->maps, t, &w, e);
	size_t i;

	/* wrong usage comes first, as it does where a plan finds it */
	for (i = 0; !ret && i < w.nr; i++)
		if (w.list[i].code != MNTCR_REFUSED) {
			*e = w.list[i];
			ret = -1;
		}
	for (i = 0; ret >= 0 && i < w.nr; i++) {
		restore_opts_refused(r, cmd, &(struct mntcr_refusal){
			.rule = w.list[i].rule, .text = w.list[i].text, .help = "" });
		*e = w.list[0];
		ret = 1;
	}
	free(w.list);
	return ret;
}

void restore_opts_done(struct restore_opts *r)
{
	r->o.sources = r->sources.sources;
	r->o.nr_sources = r->sources.nr;
	r->o.externals = r->externals;
	r->o.nr_externals = r->nr_externals;
	r->o.masters = r->masters;
	r->o.nr_masters = r->nr_masters;
	r->o.layers = r->layers;
	r->o.nr_layers = r->nr_layers;
	r->o.devices = r->devices;
	r->o.nr_devices = r->nr_devices;
	r->o.repeat = (const char *const *)r->repeat;
	r->o.nr_repeat = r->nr_repeat;
	r->o.hosts = r->hosts;
	r->o.nr_hosts = r->nr_hosts;
}

void restore_opts_free(struct restore_opts *r)
{
	cmd_input_free(&r->sources);
	free(r->externals);
	free(r->masters);
	free(r->layers);
	free(r->devices);
	free(r->hosts);
	while (r->nr_repeat)
		free(r->repeat[--r->nr_repeat]);
	free(r->repeat);
	cmd_maps_free(&r->maps);
	json_decref(r->refusals);
}
