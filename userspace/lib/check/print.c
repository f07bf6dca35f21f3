// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The list for people: one thing a line, its kind first.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <string.h>

#include "check/check.h"

static const char *get(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static void put_names(const json_t *of, FILE *out)
{
	const json_t *names = json_object_get(of, "names");
	size_t all = json_array_size(json_object_get(of, "mounts")), i;

	for (i = 0; i < json_array_size(names); i++)
		fprintf(out, "%s%s", i ? ", " : "",
			json_string_value(json_array_get(names, i)));
	if (all > i)
		fprintf(out, " and %zu more", all - i);
}

static const char *whose(const json_t *s)
{
	static const char *const phrases[][2] = {
		{ "container", "the container's" }, { "host", "the host's" },
		{ "namespace", "of a namespace" }, { "all", "one for all" },
		{ "files", "files of namespaces" },
	};
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(phrases); i++)
		if (!strcmp(get(s, "whose"), phrases[i][0]))
			return phrases[i][1];
	return "";
}

static void put_superblock(const json_t *s, FILE *out)
{
	const json_t *outside = json_object_get(s, "outside");
	const json_t *contents = json_object_get(s, "contents");
	char source[256];
	size_t i;

	fprintf(out, "%-10s %s %s %s: %s%s%s", "superblock", get(s, "device"),
		get(s, "type"), mc_escape(get(s, "source"), source, sizeof(source)),
		whose(s), *whose(s) ? "; " : "", get(s, "from"));
	if (*get(s, "need"))
		fprintf(out, strcmp(get(s, "from"), "given") ? " once %s is given" : " as %s",
			get(s, "need"));
	if (json_object_get(s, "given") && strcmp(get(s, "from"), "given"))
		fprintf(out, ", in part given");
	if (contents && !strcmp(get(s, "from"), "fresh"))
		fprintf(out, " with %lld bytes of contents in %lld files",
			(long long)json_integer_value(json_object_get(contents, "bytes")),
			(long long)json_integer_value(json_object_get(contents, "files")));
	if (*get(s, "rule"))
		fprintf(out, " [%s]", get(s, "rule"));
	if (json_is_true(json_object_get(s, "read_only")))
		fputs(", read-only", out);
	fputs("; mounted at ", out);
	put_names(s, out);
	for (i = 0; i < json_array_size(outside); i++)
		fprintf(out, "%s%s", i ? ", " : "; outside at ",
			json_string_value(json_array_get(outside, i)));
	putc('\n', out);
}

static void put_option(const char *kind, const json_t *o, FILE *out)
{
	fprintf(out, "%-10s %s %s for ", kind, get(o, "option"), get(o, "value"));
	put_names(o, out);
	putc('\n', out);
}

static void put_need(const json_t *o, FILE *out)
{
	const json_t *words = json_object_get(o, "or");
	const char *after = get(o, "after");
	size_t i;

	fprintf(out, "%-10s %s:%s (%s), %s%s, ", "need", get(o, "kind"), get(o, "id"),
		get(o, "type"), strcmp(after, "begin") ? "after " : "at any time",
		strcmp(after, "begin") ? after : "");
	for (i = 0; i < json_array_size(words); i++)
		fprintf(out, "%s%s%s", i ? " " : "or ",
			json_string_value(json_array_get(words, i)),
			i + 1 < json_array_size(words) ? "" : ", ");
	fputs("for ", out);
	put_names(o, out);
	putc('\n', out);
}

/* As a shell takes it. */
static void put_word(const char *s, FILE *out)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+:,./@%";

	if (*s && strspn(s, plain) == strlen(s)) {
		fputs(s, out);
		return;
	}
	putc('\'', out);
	for (; *s; s++)
		if (*s == '\'')
			fputs("'\\''", out);
		else
			putc(*s, out);
	putc('\'', out);
}

void mc_report_print(const json_t *root, FILE *out)
{
	const json_t *o, *options = json_object_get(root, "options");
	size_t i;

	json_array_foreach(json_object_get(root, "superblocks"), i, o)
		put_superblock(o, out);
	json_array_foreach(json_object_get(root, "externals"), i, o)
		put_option("external", o, out);
	json_array_foreach(json_object_get(root, "masters"), i, o)
		put_option("master", o, out);
	json_array_foreach(json_object_get(root, "layers"), i, o)
		put_option("layer", o, out);
	json_array_foreach(json_object_get(root, "needs"), i, o)
		put_need(o, out);
	json_array_foreach(json_object_get(root, "delayed"), i, o)
		fprintf(out, "%-10s %s\n", "delayed", get(o, "name"));
	json_array_foreach(json_object_get(root, "differences"), i, o)
		fprintf(out, "%-10s %s\n", "differs", get(o, "text"));
	json_array_foreach(json_object_get(root, "refusals"), i, o)
		fprintf(out, "%-10s %s%s%s [%s]\n", "refused", get(o, "text"),
			*get(o, "help") ? "; would help: " : "", get(o, "help"),
			get(o, "rule"));
	if (!json_array_size(options))
		return;
	fputs("options   ", out);
	json_array_foreach(options, i, o) {
		putc(' ', out);
		put_word(json_string_value(o), out);
	}
	putc('\n', out);
}
