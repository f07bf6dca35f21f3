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

/* jansson takes DEL for a letter, and a terminal does not. */
void mc_json_put(FILE *out, const char *value)
{
	json_t *j = mc_json_bytes(value);
	char *s = j ? json_dumps(j, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;
	const char *c;

	for (c = s ? s : "null"; *c; c++)
		if (*c == 0x7f)
			fputs("\\u007F", out);
		else
			putc(*c, out);
	free(s);
	json_decref(j);
}
