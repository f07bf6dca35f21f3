// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the format says of a member beside its data, as it stands in the archive: libarchive
 * makes something of whatever is there, and does not tell what it has dropped.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <string.h>

#include "contents/contents.h"

#define BLOCK		512
#define TYPE_AT		156
#define SIZE_AT		124
#define SIZE_LEN	12
#define XATTR		"LIBARCHIVE.xattr."

/* Digits, and nothing else: how many; 0: none. */
static size_t digits(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && p[i] >= '0' && p[i] <= '9')
		i++;
	return i;
}

/* Not above max. */
static bool is_number(const char *p, size_t n, uint64_t max)
{
	uint64_t x = 0;
	size_t i;

	for (i = 0; i < n && p[i] >= '0' && p[i] <= '9'; i++) {
		if (x > (max - (uint64_t)(p[i] - '0')) / 10)
			return false;
		x = x * 10 + (uint64_t)(p[i] - '0');
	}
	return n && i == n;
}

static bool is_time(const char *p, size_t n)
{
	size_t sign = n && *p == '-', whole;

	p += sign;
	n -= sign;
	whole = digits(p, n);
	return is_number(p, whole, (uint64_t)INT64_MAX + sign) &&
	       (whole == n || (p[whole] == '.' && whole + 1 < n &&
			       digits(p + whole + 1, n - whole - 1) == n - whole - 1));
}

static bool is_base64(const char *p, size_t n)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t i = 0, fill;

	while (i < n && p[i] && strchr(set, p[i]))
		i++;
	/* at the end of a group of four, or not written at all */
	for (fill = 0; i + fill < n && p[i + fill] == '='; fill++)
		;
	return i + fill == n && i % 4 != 1 && (!fill || (fill <= 2 && n % 4 == 0));
}

static bool is_one_of(const char *key, const char *const *list, size_t nr)
{
	while (nr--)
		if (!strcmp(key, list[nr]))
			return true;
	return false;
}

/* NULL: fine, or of no concern. */
static const char *record_fault(const char *key, const char *value, size_t n)
{
	static const char *const names[] = { "path", "linkpath", "GNU.sparse.name" };
	static const char *const times[] = { "mtime", "atime" };
	static const char *const numbers[] = {
		"size", "uid", "gid", "GNU.sparse.realsize", "SCHILY.devmajor",
		"SCHILY.devminor",
	};

	if (is_one_of(key, names, MC_ARRAY_SIZE(names)))
		return memchr(value, '\0', n) ? "has a name with a NUL in it" : NULL;
	if (is_one_of(key, times, MC_ARRAY_SIZE(times)))
		return is_time(value, n) ? NULL : "has a time that is none";
	if (is_one_of(key, numbers, MC_ARRAY_SIZE(numbers)))
		return is_number(value, n, INT64_MAX) ? NULL : "has a number that is none";
	if (strncmp(key, XATTR, strlen(XATTR)))
		return NULL;
	if (!key[strlen(XATTR)])
		return "has an attribute without a name";
	return is_base64(value, n) ? NULL : "has an attribute whose value is not in base 64";
}

/* Records are "LENGTH KEY=VALUE\n"; what is none of these, libarchive refuses. */
static const char *body_fault(char *p, size_t n)
{
	const char *fault = NULL;
	size_t len, head, i;
	char *is;

	while (n && !fault) {
		head = digits(p, n);
		for (len = i = 0; i < head && len <= n; i++)
			len = len * 10 + (size_t)(p[i] - '0');
		if (!head || len > n || len < head + 3 || p[head] != ' ' || p[len - 1] != '\n')
			return NULL;
		is = memchr(p + head + 1, '=', len - head - 2);
		if (!is)
			return NULL;
		*is++ = '\0';
		fault = record_fault(p + head + 1, is, (size_t)(p + len - 1 - is));
		p += len;
		n -= len;
	}
	return fault;
}

static uint64_t size_of(const char *block)
{
	uint64_t n = 0;
	size_t i = 0;

	while (i < SIZE_LEN && block[SIZE_AT + i] == ' ')
		i++;
	for (; i < SIZE_LEN && block[SIZE_AT + i] >= '0' && block[SIZE_AT + i] <= '7'; i++)
		n = n * 8 + (uint64_t)(block[SIZE_AT + i] - '0');
	return n;
}

/* As a rule it has been read a moment ago. */
static bool read_at(const struct mc_members *m, char *p, size_t n, uint64_t at)
{
	ssize_t done;

	if (at >= m->at - m->n && at + n <= m->at) {
		memcpy(p, m->buf + (at - (m->at - m->n)), n);
		return true;
	}
	for (; n; p += done, n -= (size_t)done, at += (uint64_t)done) {
		done = pread(m->fd, p, n, (off_t)at);
		if (done < 0 && errno == EINTR)
			done = 0;
		else if (done <= 0)
			return false;
	}
	return true;
}

/* What is cut off or damaged otherwise has been refused, or is going to be. */
int mc_pax_fault(const struct mc_members *m, uint64_t at, const char **fault)
{
	char block[BLOCK], *body;
	uint64_t size;

	for (*fault = NULL; !*fault; at += BLOCK + (size + BLOCK - 1) / BLOCK * BLOCK) {
		if (!read_at(m, block, sizeof(block), at) ||
		    !strchr("xgLK", block[TYPE_AT]) || !block[TYPE_AT])
			return 0;
		size = size_of(block);
		if (size > MC_MAX_HEADER)
			return 0;
		if (block[TYPE_AT] == 'L' || block[TYPE_AT] == 'K')
			continue;
		body = malloc(size + 1);
		if (!body)
			return -1;
		if (read_at(m, body, size, at + BLOCK))
			*fault = body_fault(body, size);
		free(body);
	}
	return 0;
}
