// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where the values of a JSON text begin and end.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "image/scan.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static void skip_space(struct mc_scan *s)
{
	while (s->at < s->end && is_space(*s->at))
		s->at++;
}

bool mc_scan_char(struct mc_scan *s, char c)
{
	skip_space(s);
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

/* At its first quote; stays at the end of the text if there is no second. */
static bool skip_string(struct mc_scan *s)
{
	for (s->at++; s->at < s->end; s->at++) {
		if (*s->at == '"') {
			s->at++;
			return true;
		}
		if (*s->at == '\\' && ++s->at == s->end)
			break;
	}
	return false;
}

bool mc_scan_value(struct mc_scan *s, struct mc_span *v)
{
	size_t depth = 0;

	skip_space(s);
	*v = (struct mc_span){ .at = s->at, .nr_values = 1 };
	while (s->at < s->end) {
		char c = *s->at;

		/* what is around, or the next value without a comma */
		if (!depth && (c == ',' || c == ':' || c == ']' || c == '}' ||
			       is_space(c) || (s->at > v->at &&
			       (c == '"' || c == '[' || c == '{'))))
			break;
		if (c == '"') {
			if (!skip_string(s))
				return false;
			if (!depth)
				break;
			continue;
		}
		s->at++;
		if (c == ',' || c == ':') {
			v->nr_values++;
		} else if (c == '{' || c == '[') {
			v->nr_values++;
			if (++depth > v->depth)
				v->depth = depth;
		} else if ((c == '}' || c == ']') && !--depth) {
			break;
		}
	}
	v->len = (size_t)(s->at - v->at);
	return v->len && !depth;
}
