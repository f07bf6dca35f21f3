// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The list, as it is collected.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "check/check.h"

/* So many mounts are named; all are there by their ids. */
#define MOST_NAMED	3
/* Of execve(2), MAX_ARG_STRLEN is twice that. */
#define MOST_IN_WORD	65536

bool mc_report_add(struct mc_report *r, json_t *list, json_t *what)
{
	if (what && !json_array_append_new(list, what))
		return true;
	r->nomem = true;
	return false;
}

void mc_report_set(struct mc_report *r, json_t *of, const char *key, json_t *value)
{
	if (json_object_set_new(of, key, value))
		r->nomem = true;
}

json_t *mc_report_text(const char *s)
{
	size_t n = strlen(s), least = n > 3 ? n - 3 : 0;

	while (n > least && !mc_is_utf8(s, n))
		n--;
	return json_stringn(s, n);
}

json_t *mc_report_sb(const struct mc_sb *sb)
{
	char device[32], type[256];

	snprintf(device, sizeof(device), "%u:%u", sb->major, sb->minor);
	return json_pack("{s:s, s:o, s:o, s:b}", "device", device,
			 "type", mc_report_text(mc_escape(sb->type, type, sizeof(type))),
			 "source", mc_json_bytes(sb->source ? sb->source : "none"),
			 "read_only", (int)(sb->flags & MS_RDONLY ? 1 : 0));
}

const char *mc_report_from(const struct mc_from *f, uint32_t nr_mounts)
{
	static const char *const words[] = {
		[MC_FROM_NOTHING] = "refused", [MC_FROM_LIVE] = "live",
		[MC_FROM_FRESH] = "fresh", [MC_FROM_EXTERNAL] = "external",
		[MC_FROM_FILES] = "files", [MC_FROM_GIVEN] = "given",
	};

	return f->nr_refused == nr_mounts ? "refused" : words[f->kind];
}

json_t *mc_report_need(const struct mc_need *n)
{
	char id[32];

	mc_need_id_text(n->kind, n->id, id, sizeof(id));
	return json_sprintf("%s:%s", mc_need_kind_name(n->kind), id);
}

static json_t *list(struct mc_report *r, const char *name)
{
	json_t *a = json_array();

	if (!a || json_object_set_new(r->root, name, a))
		r->nomem = true;
	return a;
}

int mc_report_new(struct mc_report *r, const struct mc_topology *t,
		  struct mntcr_error *e)
{
	memset(r, 0, sizeof(*r));
	r->t = t;
	r->root = json_object();
	if (r->root) {
		r->superblocks = list(r, "superblocks");
		r->externals = list(r, "externals");
		r->masters = list(r, "masters");
		r->layers = list(r, "layers");
		r->refusals = list(r, "refusals");
		r->differences = list(r, "differences");
		r->options = list(r, "options");
	}
	r->hosts = json_object();
	if (!r->hosts)
		r->nomem = true;
	return !r->root || r->nomem ? mc_nomem(e) : 0;
}

void mc_report_staged(struct mc_report *r)
{
	r->option_of = calloc(r->t->nr_mounts + 1UL, sizeof(json_t *));
	if (!r->option_of)
		r->nomem = true;
	r->needs = list(r, "needs");
	r->delayed = list(r, "delayed");
}

void mc_report_free(struct mc_report *r)
{
	json_decref(r->root);
	json_decref(r->hosts);
	free(r->option_of);
	r->root = r->hosts = NULL;
	r->option_of = NULL;
}

static json_t *mount_id(size_t ns, uint64_t id)
{
	return json_pack("{s:I, s:I}", "namespace", (json_int_t)ns,
			 "id", (json_int_t)id);
}

void mc_report_mounts(struct mc_report *r, json_t *of, const uint32_t *mounts,
		      uint32_t nr)
{
	json_t *ids = json_array(), *names = json_array();
	const struct mc_mount *m;
	char name[256];
	uint32_t i;

	for (i = 0; i < nr; i++) {
		m = &r->t->mounts[mounts[i]];
		if (i < MOST_NAMED)
			mc_report_add(r, names, mc_report_text(mc_mount_name(r->t,
						mounts[i], name, sizeof(name))));
		mc_report_add(r, ids, mount_id(m->ns, m->id));
	}
	/* each takes its own, also where the other failed */
	mc_report_set(r, of, "names", names);
	mc_report_set(r, of, "mounts", ids);
}

void mc_report_refusal(struct mc_report *r, const struct mntcr_refusal *f)
{
	json_t *mounts = json_array();
	size_t i;

	for (i = 0; i < f->nr_mounts; i++)
		mc_report_add(r, mounts, mount_id(f->mounts[i].ns, f->mounts[i].id));
	mc_report_add(r, r->refusals, json_pack("{s:s, s:o, s:o, s:o}",
		      "rule", f->rule, "text", mc_report_text(f->text),
		      "help", mc_report_text(f->help), "mounts", mounts));
}

void mc_report_refuse(struct mc_report *r, const char *rule, const char *help,
		      const char *fmt, ...)
{
	char text[1200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	mc_report_refusal(r, &(struct mntcr_refusal){
		.rule = rule, .text = text, .help = help });
}

void mc_report_difference(struct mc_report *r, const char *what, const char *fmt, ...)
{
	char text[1200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	mc_report_add(r, r->differences, json_pack("{s:s, s:o}", "what", what,
						   "text", mc_report_text(text)));
}

/* As an argument: what ends it has a backslash before it. */
static json_t *argument(const char *s, const char *ends, const char *tail)
{
	char *escaped = mc_argument(s, ends), *all = NULL, esc[400];
	json_t *v = NULL;

	if (escaped && asprintf(&all, "%s%s", escaped, tail) >= 0)
		v = mc_is_plain(all) ? json_string(all) :
		    mc_report_text(mc_escape(all, esc, sizeof(esc)));
	free(escaped);
	free(all);
	return v;
}

static void add_option(struct mc_report *r, json_t *list, const char *option,
		       json_t *value, bool found, const uint32_t *mounts, uint32_t nr)
{
	json_t *o = json_pack("{s:s, s:O, s:b}", "option", option, "value", value,
			      "found", found);
	uint32_t i;

	if (o)
		mc_report_mounts(r, o, mounts, nr);
	/* one that could not be added is gone */
	if (!mc_report_add(r, list, o))
		return;
	for (i = 0; r->option_of && list == r->externals && i < nr; i++)
		r->option_of[mounts[i]] = o;
}

/* The value of the option. */
static json_t *key_and_path(struct mc_report *r, const struct mntcr_external *x)
{
	char *path;
	json_t *value;

	if (asprintf(&path, "=%s", x->path) < 0) {
		r->nomem = true;
		return NULL;
	}
	value = argument(x->key, "=", path);
	free(path);
	return value;
}

void mc_report_option(struct mc_report *r, json_t *list, const char *option,
		      const struct mntcr_external *x, const uint32_t *mounts,
		      uint32_t nr)
{
	json_t *value = key_and_path(r, x);

	if (nr)
		add_option(r, list, option, value, strcmp(x->path, "PATH"), mounts, nr);
	mc_report_add(r, r->options, json_string(option));
	mc_report_add(r, r->options, value);
}

void mc_report_alternative(struct mc_report *r, json_t *list, const char *option,
			   const struct mntcr_external *x, const uint32_t *mounts,
			   uint32_t nr)
{
	json_t *value = x->key ? key_and_path(r, x) : argument(x->path, ",", "");

	add_option(r, list, option, value, strcmp(x->path, "PATH"), mounts, nr);
	json_decref(value);
}

void mc_report_host(struct mc_report *r, json_t *list, const char *place,
		    const uint32_t *mounts, uint32_t nr)
{
	json_t *value = argument(place, ",", "");

	if (value && nr)
		add_option(r, list, "--host", value, true, mounts, nr);
	if (!value || json_object_set_new(r->hosts, json_string_value(value), json_null()))
		r->nomem = true;
	json_decref(value);
}

static void put_hosts(struct mc_report *r, size_t *at, struct mc_buf *places)
{
	if (places->nomem ||
	    json_array_insert_new(r->options, (*at)++, json_string("--host")) ||
	    json_array_insert_new(r->options, (*at)++, json_string(places->data)))
		r->nomem = true;
	places->len = 0;
}

/* One for as many places as an argument has room for, before the others. */
static void end_hosts(struct mc_report *r)
{
	struct mc_buf b = { 0 };
	const char *place;
	size_t at = 0;
	json_t *v;

	json_object_foreach(r->hosts, place, v) {
		if (b.len && b.len + 1 + strlen(place) > MOST_IN_WORD)
			put_hosts(r, &at, &b);
		if (b.len)
			mc_buf_puts(&b, ",");
		mc_buf_puts(&b, place);
	}
	if (b.len || b.nomem)
		put_hosts(r, &at, &b);
	mc_buf_free(&b);
}

void mc_report_before(struct mc_report *r, const struct mntcr_error *why, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		mc_report_refuse(r, *why[i].rule ? why[i].rule : "option", "", "%s",
				 why[i].text);
}

int mntcr_check_refused(const struct mntcr_error *why, size_t nr, bool json, FILE *out,
			struct mntcr_error *e)
{
	struct mc_report r;
	int ret = -1;

	memset(e, 0, sizeof(*e));
	if (!mc_report_new(&r, NULL, e)) {
		mc_report_before(&r, why, nr);
		ret = mc_report_end(&r, json, out, e);
	}
	mc_report_free(&r);
	return ret;
}

bool mc_lacks_source(const struct mc_from *f)
{
	return f->refused && !strcmp(f->refused, "layer-source");
}

bool mc_lacks_layer(const struct mc_from *f)
{
	return f->refused && !strcmp(f->refused, "relative-layer");
}

bool mc_lack_more(uint32_t nr, const struct mc_from *from, bool *external, bool *layer,
		  uint32_t *nr_refused)
{
	bool more = false;
	uint32_t i;

	for (i = 0; i < nr; i++) {
		if (external[i] || (!mc_lacks_source(&from[i]) && !mc_lacks_layer(&from[i])))
			continue;
		external[i] = more = true;
		layer[i] = false;
		nr_refused[i] = UINT32_MAX;
	}
	return more;
}

void mc_report_sources(struct mc_report *r, const struct mc_plan *p)
{
	char name[256], is[256], was[256];
	char line[1200];
	const char *what;
	uint32_t m, at = 0;

	while (mc_plan_next_difference(p, &at, &what, line, sizeof(line)))
		mc_report_difference(r, what, "%s", line);
	for (m = 0; m < r->t->nr_mounts; m++) {
		if (p->src_of[m] == MC_NONE || !mc_plan_source_differs(p, m))
			continue;
		mc_report_difference(r, "source", "%s: source %s instead of %s",
			mc_mount_name(r->t, m, name, sizeof(name)),
			mc_escape(mc_plan_source_of(p, m), is, sizeof(is)),
			mc_escape(mc_mount_source(r->t, &r->t->mounts[m]), was,
				  sizeof(was)));
	}
}

int mc_report_end(struct mc_report *r, bool json, FILE *out, struct mntcr_error *e)
{
	const json_t *first = json_array_get(r->refusals, 0);
	size_t nr = json_array_size(r->refusals);

	end_hosts(r);
	if (r->nomem)
		return mc_nomem(e);
	if (!json)
		mc_report_print(r->root, out);
	else if (json_dumpf(r->root, out, JSON_INDENT(2) | JSON_ENSURE_ASCII))
		return ferror(out) ? mc_fail(e, MNTCR_SYS, errno, "writing") :
		       mc_nomem(e);
	else
		putc('\n', out);
	if (!nr)
		return 0;
	mc_refuse(e, json_string_value(json_object_get(first, "rule")), "%s",
		  json_string_value(json_object_get(first, "text")));
	if (nr > 1)
		mc_more_refusals(e, (uint32_t)nr - 1);
	return -1;
}
