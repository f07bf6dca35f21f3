// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The values of a record's fields, which are not trusted.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "image/field.h"

/*
 * Of one record.  The most bytes are in four strings of MC_MAX_PATH bytes with
 * each byte escaped, the most values in two full id maps.
 */
#define MAX_RECORD	(2U << 20)
#define MAX_VALUES	4096
#define MAX_DEPTH	8

int mc_rd_bad(struct rd *r, const char *field, const char *fmt, ...)
{
	char text[200], place[200], mount[48] = "", esc[100];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	mc_escape(field, esc, sizeof(esc));
	if (r->array)
		snprintf(place, sizeof(place), "%s[%zu]%s%s%s%s", r->array,
			 r->index, r->within ? "." : "",
			 r->within ? r->within : "", *esc ? "." : "", esc);
	else
		snprintf(place, sizeof(place), "%s", esc);
	if (r->mount)
		snprintf(mount, sizeof(mount), " (mount %" PRIu64 ")", r->mount);
	return mc_fail(r->e, MNTCR_BAD_IMAGE, 0, "%s: %s%s: %s", r->file,
		       place, mount, text);
}

/* What is no JSON: by line and column, from 1. */
int mc_rd_bad_text(struct rd *r, const char *at, const char *what)
{
	const char *line = r->text, *nl;
	char esc[300];
	size_t nr = 1;

	for (; (nl = memchr(line, '\n', (size_t)(at - line))); line = nl + 1)
		nr++;
	return mc_fail(r->e, MNTCR_BAD_IMAGE, 0, "%s:%zu:%zu: %s", r->file, nr,
		       (size_t)(at - line) + 1,
		       mc_escape(what, esc, sizeof(esc)));
}

/* The value, parsed; NULL with the error said.  field is for messages. */
json_t *mc_rd_load(struct rd *r, const char *field, const struct mc_span *v)
{
	json_error_t jerr;
	json_t *j;

	if (v->depth > MAX_DEPTH) {
		mc_rd_bad(r, field, "is nested too deeply");
		return NULL;
	}
	if (v->len > MAX_RECORD || v->nr_values > MAX_VALUES) {
		mc_rd_bad(r, field, "has more than %u values or %u bytes", MAX_VALUES,
			  MAX_RECORD);
		return NULL;
	}
	errno = 0;
	j = json_loadb(v->at, v->len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
		       &jerr);
	/*
	 * jansson calls a failed allocation a syntax error; errno has what
	 * malloc(3) set.
	 */
	if (!j && errno == ENOMEM)
		mc_nomem(r->e);
	else if (!j)
		mc_rd_bad_text(r, v->at + (jerr.position < 0 ? 0 : jerr.position),
			       jerr.text);
	return j;
}

/* Notes which fields are known: any other is refused in the end. */
const json_t *mc_rd_field(struct rd *r, const char *key)
{
	if (r->nr_known < MC_RD_MAX_FIELDS)
		r->known[r->nr_known++] = key;
	return json_object_get(r->obj, key);
}

int mc_rd_object(struct rd *r, const char *key, struct rd *in)
{
	const json_t *v = mc_rd_field(r, key);

	if (v && !json_is_object(v))
		return mc_rd_bad(r, key, "must be an object");
	*in = *r;
	in->obj = v;
	in->within = key;
	in->nr_known = 0;
	return 0;
}

int mc_rd_no_others(struct rd *r)
{
	const char *key;
	json_t *v;
	size_t i;

	json_object_foreach((json_t *)r->obj, key, v) {
		for (i = 0; i < r->nr_known; i++)
			if (!strcmp(r->known[i], key))
				break;
		if (i == r->nr_known)
			return mc_rd_bad(r, key, "unknown field");
	}
	return 0;
}

/* An absent optional number leaves *out as it was. */
int mc_rd_uint(struct rd *r, const char *key, uint64_t min, uint64_t max,
	       bool required, uint64_t *out)
{
	const json_t *v = mc_rd_field(r, key);
	json_int_t n;

	if (!v)
		return required ? mc_rd_bad(r, key, "missing") : 0;
	if (!json_is_integer(v))
		return mc_rd_bad(r, key, "must be a whole number");
	n = json_integer_value(v);
	if (n < 0 || (uint64_t)n < min || (uint64_t)n > max)
		return mc_rd_bad(r, key, "%" JSON_INTEGER_FORMAT " is out of range", n);
	*out = (uint64_t)n;
	return 0;
}

int mc_rd_u32(struct rd *r, const char *key, uint32_t max, bool required,
	      uint32_t *out)
{
	uint64_t v = *out;

	if (mc_rd_uint(r, key, 0, max, required, &v))
		return -1;
	*out = (uint32_t)v;
	return 0;
}

/*
 * An index into an array of nr.  0 for an empty array is found by
 * mc_topology_finish().
 */
int mc_rd_index(struct rd *r, const char *key, uint32_t nr, bool required,
		uint32_t *out)
{
	return mc_rd_u32(r, key, nr ? nr - 1 : 0, required, out);
}

int mc_rd_bool(struct rd *r, const char *key, bool *out)
{
	const json_t *v = mc_rd_field(r, key);

	if (!v)
		return 0;
	if (!json_is_boolean(v))
		return mc_rd_bad(r, key, "must be true or false");
	*out = json_is_true(v);
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static int from_hex(struct rd *r, const char *key, const char *hex,
		    const char **out)
{
	size_t n = strlen(hex), i;
	char *s = malloc(n / 2 + 1);
	int hi, lo, ret = -1;

	if (!s)
		return mc_nomem(r->e);
	for (i = 0; i < n / 2; i++) {
		hi = hex_digit(hex[2 * i]);
		lo = hex_digit(hex[2 * i + 1]);
		if (hi < 0 || lo < 0)
			break;
		s[i] = (char)(hi << 4 | lo);
		if (!s[i])
			break;
	}
	if (n % 2 || i < n / 2) {
		mc_rd_bad(r, key, "hex must be pairs of lower-case digits without 00");
	} else {
		*out = mc_topology_strn(r->t, s, n / 2);
		ret = *out ? 0 : mc_nomem(r->e);
	}
	free(s);
	return ret;
}

/* A string, or {"hex": "..."} for what is not UTF-8. */
int mc_rd_bytes(struct rd *r, const char *key, bool required,
		const char **out)
{
	const json_t *v = mc_rd_field(r, key), *hex;
	const char *s;

	if (!v)
		return required ? mc_rd_bad(r, key, "missing") : 0;
	if (json_is_object(v)) {
		hex = json_object_get(v, "hex");
		if (json_object_size(v) != 1 || !json_is_string(hex) ||
		    json_string_length(hex) > 2 * MC_MAX_PATH)
			return mc_rd_bad(r, key, "must be a string or {\"hex\": \"...\"}");
		return from_hex(r, key, json_string_value(hex), out);
	}
	if (!json_is_string(v))
		return mc_rd_bad(r, key, "must be a string or {\"hex\": \"...\"}");
	s = json_string_value(v);
	if (strlen(s) != json_string_length(v))
		return mc_rd_bad(r, key, "contains a NUL byte");
	if (json_string_length(v) > MC_MAX_PATH)
		return mc_rd_bad(r, key, "is longer than %u bytes", MC_MAX_PATH);
	*out = mc_topology_str(r->t, s);
	return *out ? 0 : mc_nomem(r->e);
}

const struct mc_word *mc_rd_word(const struct mc_word *words, const char *name)
{
	for (; words->name; words++)
		if (!strcmp(words->name, name))
			return words;
	return NULL;
}

int mc_rd_words(struct rd *r, const char *key, const struct mc_word *words,
		bool *present, uint64_t *out)
{
	const json_t *v = mc_rd_field(r, key), *w;
	const struct mc_word *x;
	uint64_t got = 0, taken = 0;
	char esc[64];
	size_t i;

	if (present)
		*present = v;
	if (!v)
		return 0;
	if (!json_is_array(v) || json_array_size(v) > 64)
		return mc_rd_bad(r, key, "must be a list of words");
	for (i = 0; i < json_array_size(v); i++) {
		w = json_array_get(v, i);
		if (!json_is_string(w))
			return mc_rd_bad(r, key, "must be a list of words");
		x = mc_rd_word(words, json_string_value(w));
		if (!x)
			return mc_rd_bad(r, key, "\"%s\" is not known",
					 mc_escape(json_string_value(w), esc,
						   sizeof(esc)));
		if (taken & x->mask)
			return mc_rd_bad(r, key, "\"%s\" repeats or contradicts another",
					 x->name);
		taken |= x->mask;
		got |= x->bits;
	}
	*out = got;
	return 0;
}
