// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Errors, byte buffers, escaping, hash map.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/base.h"

static void fail_text(struct mntcr_error *e, int err, const char *fmt,
		      va_list ap)
{
	int n = vsnprintf(e->text, sizeof(e->text), fmt, ap);
	char text[128];

	if (n < 0 || !err || (size_t)n + 3 >= sizeof(e->text))
		return;
	/* GNU's strerror_r: thread-safe, may return a constant. */
	snprintf(e->text + n, sizeof(e->text) - (size_t)n, ": %s",
		 strerror_r(err, text, sizeof(text)));
}

int mc_fail(struct mntcr_error *e, enum mntcr_code code, int err,
	    const char *fmt, ...)
{
	va_list ap;

	e->code = code;
	e->err = err;
	e->rule[0] = '\0';
	va_start(ap, fmt);
	fail_text(e, err, fmt, ap);
	va_end(ap);
	return -1;
}

int mc_refuse(struct mntcr_error *e, const char *rule, const char *fmt, ...)
{
	va_list ap;

	e->code = MNTCR_REFUSED;
	e->err = 0;
	snprintf(e->rule, sizeof(e->rule), "%s", rule);
	va_start(ap, fmt);
	fail_text(e, 0, fmt, ap);
	va_end(ap);
	return -1;
}

int mc_nomem(struct mntcr_error *e)
{
	return mc_fail(e, MNTCR_SYS, ENOMEM, "out of memory");
}

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

const char *mc_escape(const char *s, char *buf, size_t size)
{
	/* what is beyond size would be cut anyway */
	size_t left = strnlen(s, size), at = 0, n;
	const unsigned char *p = (const unsigned char *)s;

	while (left) {
		n = utf8_len(p, left);
		/* C1 controls too: a terminal may obey them */
		if (n && *p >= 0x20 && *p != 0x7f && *p != '\\' &&
		    !(n == 2 && p[0] == 0xc2 && p[1] < 0xa0)) {
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

uint64_t mc_hash_bytes(const void *p, size_t n, uint64_t seed)
{
	const unsigned char *s = p;
	uint64_t h = seed ^ 0xcbf29ce484222325ULL;

	while (n--) {
		h ^= *s++;
		h *= 0x100000001b3ULL;
	}
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93ULL;
	return h ^ h >> 32;
}

struct mc_map {
	struct slot {
		uint64_t key;
		uint32_t value;
		bool used;
	} *slots;
	uint32_t nr, mask;
	uint64_t seed;
};

uint64_t mc_random_seed(void)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == sizeof(seed))
		return seed;
	return (uint64_t)(uintptr_t)&seed * 0x9e3779b97f4a7c15ULL;
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

struct mc_map *mc_map_new(void)
{
	struct mc_map *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->mask = 63;
	m->seed = mc_random_seed();
	m->slots = calloc(m->mask + 1, sizeof(*m->slots));
	if (!m->slots) {
		free(m);
		return NULL;
	}
	return m;
}

void mc_map_free(struct mc_map *m)
{
	if (!m)
		return;
	free(m->slots);
	free(m);
}

static struct slot *map_slot(const struct mc_map *m, uint64_t key)
{
	uint64_t i = mix(key ^ m->seed);

	for (;; i++) {
		struct slot *s = &m->slots[i & m->mask];

		if (!s->used || s->key == key)
			return s;
	}
}

static bool map_double(struct mc_map *m)
{
	struct mc_map n = { .mask = m->mask * 2 + 1, .nr = m->nr,
			    .seed = m->seed };
	uint32_t i;

	n.slots = calloc((size_t)n.mask + 1, sizeof(*n.slots));
	if (!n.slots)
		return false;
	for (i = 0; i <= m->mask; i++)
		if (m->slots[i].used)
			*map_slot(&n, m->slots[i].key) = m->slots[i];
	free(m->slots);
	*m = n;
	return true;
}

int mc_map_add(struct mc_map *m, uint64_t key, uint32_t *value)
{
	struct slot *s;

	if (m->nr >= m->mask / 2 && !map_double(m))
		return -1;
	s = map_slot(m, key);
	if (s->used) {
		*value = s->value;
		return 1;
	}
	s->used = true;
	s->key = key;
	s->value = *value;
	m->nr++;
	return 0;
}

bool mc_map_get(const struct mc_map *m, uint64_t key, uint32_t *value)
{
	const struct slot *s = map_slot(m, key);

	if (s->used)
		*value = s->value;
	return s->used;
}

void mc_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
}
