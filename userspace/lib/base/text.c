// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * UTF-8, what is fit for a terminal, and what the kernel escapes.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <string.h>

#include "base/base.h"

/* Length of the well-formed UTF-8 sequence at s, 0 if there is none. */
static size_t utf8_len(const unsigned char *s, size_t left)
{
	size_t n, i;
	uint32_t c;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2)
		return 0;
	if (s[0] < 0xe0)
		n = 2;
	else if (s[0] < 0xf0)
		n = 3;
	else if (s[0] < 0xf5)
		n = 4;
	else
		return 0;
	if (left < n)
		return 0;
	c = s[0] & (0xff >> (n + 1));
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	/* overlong, surrogate, beyond the last plane */
	if ((n == 3 && c < 0x800) || (n == 4 && (c < 0x10000 || c > 0x10ffff)) ||
	    (c >= 0xd800 && c < 0xe000))
		return 0;
	return n;
}

bool mc_is_utf8(const char *s, size_t len)
{
	size_t n;

	while (len) {
		n = utf8_len((const unsigned char *)s, len);
		if (!n)
			return false;
		s += n;
		len -= n;
	}
	return true;
}

size_t mc_unescape(char *s)
{
	char *r, *w;

	for (r = w = s; *r; w++) {
		if (r[0] == '\\' && r[1] >= '0' && r[1] <= '3' &&
		    r[2] >= '0' && r[2] <= '7' && r[3] >= '0' && r[3] <= '7') {
			*w = (char)((r[1] - '0') << 6 | (r[2] - '0') << 3 |
				    (r[3] - '0'));
			r += 4;
		} else {
			*w = *r++;
		}
	}
	return (size_t)(w - s);
}

/* C1 controls too: a terminal may obey them. */
static bool is_printed(const unsigned char *p, size_t n)
{
	return n && *p >= 0x20 && *p != 0x7f && !(n == 2 && p[0] == 0xc2 && p[1] < 0xa0);
}

bool mc_is_plain(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t left = strlen(s), n;

	for (; left; left -= n, p += n) {
		n = utf8_len(p, left);
		if (!is_printed(p, n))
			return false;
	}
	return true;
}

char *mc_argument(const char *s, const char *ends)
{
	struct mc_buf b = { 0 };
	const unsigned char *p = (const unsigned char *)s;
	size_t left = strlen(s), n;

	mc_buf_puts(&b, "");
	for (; left; left -= n, p += n) {
		n = utf8_len(p, left);
		if (!is_printed(p, n)) {
			n = 1;
			mc_buf_printf(&b, "\\%03o", *p);
			continue;
		}
		if (*p == '\\' || strchr(ends, *p))
			mc_buf_add(&b, "\\", 1);
		mc_buf_add(&b, (const char *)p, n);
	}
	if (!b.nomem)
		return b.data;
	mc_buf_free(&b);
	return NULL;
}

const char *mc_escape(const char *s, char *buf, size_t size)
{
	/* what is beyond size would be cut anyway */
	size_t left = strnlen(s, size), at = 0, n;
	const unsigned char *p = (const unsigned char *)s;

	while (left) {
		n = utf8_len(p, left);
		if (is_printed(p, n) && *p != '\\') {
			if (at + n + 4 > size)
				goto cut;
			memcpy(buf + at, p, n);
			at += n;
		} else {
			n = 1;
			if (at + 4 + 4 > size)
				goto cut;
			at += (size_t)sprintf(buf + at, "\\%03o", *p);
		}
		p += n;
		left -= n;
	}
	buf[at] = '\0';
	return buf;
cut:
	strcpy(buf + at, "...");
	return buf;
}
