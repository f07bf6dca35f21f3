/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Images that nobody dumped: a few fields of a real one changed at random, with what
 * other records have there, so that many can still be read, and some planned.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TESTS_CHANGE_IMAGE_H
#define TESTS_CHANGE_IMAGE_H

#include <jansson.h>
#include <stdint.h>
#include <string.h>

static uint64_t ci_state;

static inline void ci_seed(uint64_t seed)
{
	ci_state = seed * 2 + 1;
}

/* Below n: the upper half of a linear congruential generator (Knuth's MMIX). */
static inline size_t ci_random(size_t n)
{
	ci_state = ci_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (size_t)(ci_state >> 33) % n;
}

static inline const char *ci_key(json_t *record)
{
	void *at = json_object_iter(record);
	size_t i = ci_random(json_object_size(record));

	while (i--)
		at = json_object_iter_next(record, at);
	return json_object_iter_key(at);
}

/* Another text: part of it, or something behind it. */
static inline json_t *ci_text(const char *old)
{
	static const char *const more[] = { "/x", "/..", "/", " ", "\\040", "1" };
	char text[512];

	if (ci_random(2))
		snprintf(text, sizeof(text), "%.*s", (int)ci_random(strlen(old) + 1), old);
	else
		snprintf(text, sizeof(text), "%.400s%s", old,
			 more[ci_random(sizeof(more) / sizeof(*more))]);
	return json_string(text);
}

/* Another value for what record has there, as other records have it or near it. */
static inline json_t *ci_value(json_t *records, json_t *record, const char *key)
{
	json_t *old = json_object_get(record, key);
	json_t *other = json_object_get(json_array_get(records,
						       ci_random(json_array_size(records))), key);
	json_int_t step;

	if (other && ci_random(3))
		return json_deep_copy(other);
	switch (json_typeof(old)) {
	case JSON_INTEGER:
		/* a size is one of whole pages */
		step = strcmp(key, "size") ? 1 : 1 << 20;
		if (step > 1 || ci_random(8))
			return json_integer(json_integer_value(old) + (ci_random(2) ? step : -step));
		return json_integer(ci_random(2) ? 0 : INT64_MAX);
	case JSON_STRING:
		return ci_text(json_string_value(old));
	case JSON_TRUE:
		return json_false();
	case JSON_FALSE:
		return json_true();
	default:
		return json_null();
	}
}

/* One change of one record. */
static inline void ci_change(json_t *image)
{
	static const char *const arrays[] = {
		"mounts", "mounts", "mounts", "mounts", "groups", "groups", "superblocks",
		"namespaces", "user_namespaces", "idmaps",
	};
	json_t *records = json_object_get(image,
					  arrays[ci_random(sizeof(arrays) / sizeof(*arrays))]);
	size_t nr = json_array_size(records), i, to;
	json_t *record, *other;
	const char *key;

	if (!nr)
		return;
	i = ci_random(nr);
	record = json_array_get(records, i);
	other = json_array_get(records, ci_random(nr));
	if (!json_is_object(record) || !json_object_size(record) || !json_object_size(other))
		return;
	switch (ci_random(10)) {
	case 0:
		json_array_remove(records, i);
		break;
	case 1:
		to = ci_random(nr + 1);
		json_array_insert_new(records, to, json_deep_copy(record));
		break;
	case 2:
		json_object_del(record, ci_key(record));
		break;
	case 3:		/* what only another one has */
		key = ci_key(other);
		json_object_set_new(record, key, json_deep_copy(json_object_get(other, key)));
		break;
	default:
		key = ci_key(record);
		json_object_set_new(record, key, ci_value(records, record, key));
	}
}

/* The text of the image after up to four changes; the caller frees it. */
static inline char *ci_changed(json_t *image)
{
	json_t *copy = json_deep_copy(image);
	size_t n = 1 + ci_random(4);
	char *text;

	while (n--)
		ci_change(copy);
	text = json_dumps(copy, JSON_COMPACT);
	json_decref(copy);
	return text;
}

#endif /* TESTS_CHANGE_IMAGE_H */
