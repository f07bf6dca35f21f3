// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Arrays and byte buffers that grow.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

bool mc_grow(void *arr, uint32_t nr, uint32_t *max, size_t elem)
{
	void *p = *(void **)arr;
	uint32_t n = *max ? *max * 2 : 16;

	if (nr < *max)
		return true;
	if (n <= nr || n > UINT32_MAX / 2)
		return false;
	p = realloc(p, (size_t)n * elem);
	if (!p)
		return false;
	*(void **)arr = p;
	*max = n;
	return true;
}

static bool buf_room(struct mc_buf *b, size_t n)
{
	size_t max = b->max ? b->max : 256;
	char *p;

	if (b->nomem || n >= SIZE_MAX / 4) {
		b->nomem = true;
		return false;
	}
	if (b->len + n < b->max)
		return true;
	while (max <= b->len + n)
		max *= 2;
	p = realloc(b->data, max);
	if (!p) {
		b->nomem = true;
		return false;
	}
	b->data = p;
	b->max = max;
	return true;
}

void mc_buf_add(struct mc_buf *b, const char *s, size_t n)
{
	if (!buf_room(b, n))
		return;
	memcpy(b->data + b->len, s, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void mc_buf_puts(struct mc_buf *b, const char *s)
{
	mc_buf_add(b, s, strlen(s));
}

void mc_buf_printf(struct mc_buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !buf_room(b, (size_t)n))
		return;
	va_start(ap, fmt);
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void mc_buf_reset(struct mc_buf *b)
{
	b->len = 0;
	b->nomem = false;
	if (b->data)
		b->data[0] = '\0';
}

void mc_buf_free(struct mc_buf *b)
{
	free(b->data);
	memset(b, 0, sizeof(*b));
}
