// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Bytes as JSON values, the same in images and in what commands print.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

struct json_t *mc_json_bytes(const char *s)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = strlen(s), i;
	json_t *o;
	char *hex;

	if (mc_is_utf8(s, n))
		return json_string(s);
	hex = malloc(2 * n + 1);
	if (!hex)
		return NULL;
	for (i = 0; i < n; i++) {
		hex[2 * i] = digits[(unsigned char)s[i] >> 4];
		hex[2 * i + 1] = digits[(unsigned char)s[i] & 15];
	}
	hex[2 * n] = '\0';
	o = json_pack("{s:s}", "hex", hex);
	free(hex);
	return o;
}

/* The next character of what is UTF-8. */
static unsigned int character(const unsigned char **s)
{
	const unsigned char *p = *s;
	unsigned int c = *p++, more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;

	if (more)
		c &= 0x3fU >> more;
	for (; more; more--)
		c = c << 6 | (*p++ & 0x3f);
	*s = p;
	return c;
}

static void put_character(FILE *out, unsigned int c)
{
	static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *e = c < 0x80 ? strchr(escaped, (int)c) : NULL;

	if (e)
		fprintf(out, "\\%c", letters[e - escaped]);
	else if (c >= 0x20 && c < 0x7f)
		putc((int)c, out);
	else if (c < 0x10000)
		fprintf(out, "\\u%04X", c);
	else
		fprintf(out, "\\u%04X\\u%04X", 0xd800 + ((c - 0x10000) >> 10),
			0xdc00 + ((c - 0x10000) & 0x3ff));
}

/* Without memory, so that nothing is left out; DEL, too, is no letter to a terminal. */
void mc_json_put(FILE *out, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;

	if (mc_is_utf8(value, strlen(value))) {
		putc('"', out);
		while (*s)
			put_character(out, character(&s));
		putc('"', out);
		return;
	}
	fputs("{\"hex\": \"", out);
	for (; *s; s++)
		fprintf(out, "%02x", *s);
	fputs("\"}", out);
}
