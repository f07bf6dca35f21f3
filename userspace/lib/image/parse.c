// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An image's text, which is not trusted.  Only one record at a time is handed to
 * the JSON parser, and none that is larger than a record can be.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "image/field.h"
#include "image/image.h"
#include "image/record.h"

static int enter(struct rd *r, const json_t *v)
{
	r->mount = 0;
	r->nr_known = 0;
	r->obj = v;
	return json_is_object(v) ? 0 : mc_rd_bad(r, "", "must be an object");
}

static int one_record(struct rd *r, const struct mc_list *l, struct mc_scan *s)
{
	struct mc_span v;
	json_t *obj;
	int ret;

	if ((r->index && !mc_scan_char(s, ',')) || !mc_scan_value(s, &v))
		return mc_rd_bad_text(r, s->at, "a record or the end of the list is missing");
	if (r->index == l->max)
		return mc_rd_bad(r, "", "more than %zu are too many", l->max);
	obj = mc_rd_load(r, "", &v);
	if (!obj)
		return -1;
	ret = enter(r, obj) || l->record(r) || mc_rd_no_others(r) ? -1 : 0;
	json_decref(obj);
	return ret;
}

static int read_list(struct rd *r, const struct mc_list *l,
		     const struct mc_span *where)
{
	struct mc_scan s = { where->at, where->at };
	uint32_t i;

	r->array = NULL;
	r->mount = 0;
	r->nr_refs = 0;
	if (where->at)		/* no text: the list is absent */
		s.end += where->len;
	if (!where->at || !mc_scan_char(&s, '['))
		return mc_rd_bad(r, l->name, "must be a list");
	r->array = l->name;
	for (r->index = 0; !mc_scan_char(&s, ']'); r->index++)
		if (one_record(r, l, &s))
			return -1;
	for (i = 0; i < r->nr_refs; i++) {
		r->index = i;
		if (r->refs[i] && l->link(r, r->refs[i]))
			return -1;
	}
	return 0;
}

/*
 * A field of the top level into head, parsed unless it is a list; where[] has
 * the lists, to be read in another order.
 */
static int top_field(struct rd *r, json_t *head, struct mc_scan *s,
		     struct mc_span *where)
{
	struct mc_span name, value;
	json_t *key, *v;
	const char *word;
	size_t i;
	int ret = -1;

	if (!mc_scan_value(s, &name) || *name.at != '"' || !mc_scan_char(s, ':') ||
	    !mc_scan_value(s, &value))
		return mc_rd_bad_text(r, s->at, "\"name\": value is missing");
	key = mc_rd_load(r, "top level", &name);
	if (!key)
		return -1;
	word = json_string_value(key);
	for (i = 0; i < MC_NR_LISTS; i++)
		if (!strcmp(word, mc_lists[i].name))
			break;
	if (json_object_get(head, word)) {
		mc_rd_bad(r, word, "duplicate field");
		goto out;
	}
	if (i < MC_NR_LISTS) {
		where[i] = value;
		v = json_null();
	} else {
		v = mc_rd_load(r, word, &value);
		if (!v)
			goto out;
	}
	ret = json_object_set_new(head, word, v) ? mc_nomem(r->e) : 0;
out:
	json_decref(key);
	return ret;
}

static int get_boot_id(struct rd *r)
{
	const char *key = "boot_id";

	if (mc_rd_bytes(r, key, false, &r->t->boot_id))
		return -1;
	if (r->t->boot_id && !mc_is_boot_id(r->t->boot_id))
		return mc_rd_bad(r, key, "must be a UUID in lower case");
	return 0;
}

static int header(struct rd *r)
{
	const json_t *format;
	size_t i;

	format = mc_rd_field(r, "format");
	if (!json_is_string(format) ||
	    strcmp(json_string_value(format), MC_IMAGE_FORMAT))
		return mc_rd_bad(r, "format", "not an image of mntcr");
	if (mc_rd_uint(r, "version", 0, INT64_MAX, true, &r->version))
		return -1;
	if (r->version < 1 || r->version > MC_IMAGE_VERSION)
		return mc_rd_bad(r, "version", "%" PRIu64 " is not supported, only 1 to %d",
				 r->version, MC_IMAGE_VERSION);
	if (mc_rd_bool(r, "unique_ids", &r->t->unique_ids) ||
	    (r->version > 1 && get_boot_id(r)))
		return -1;
	for (i = 0; i < MC_NR_LISTS; i++)
		mc_rd_field(r, mc_lists[i].name);
	return mc_rd_no_others(r);
}

static int read_top(struct rd *r, size_t len)
{
	struct mc_span where[MC_NR_LISTS] = { { 0 } };
	struct mc_scan s = { r->text, r->text + len };
	json_t *head = json_object();
	size_t i, n;
	int ret = -1;

	if (!head)
		return mc_nomem(r->e);
	r->obj = head;
	if (!mc_scan_char(&s, '{')) {
		mc_rd_bad_text(r, s.at, "an image is an object, { ... }");
		goto out;
	}
	for (n = 0; !mc_scan_char(&s, '}'); n++) {
		if (n && !mc_scan_char(&s, ',')) {
			mc_rd_bad_text(r, s.at, "a comma or the last } is missing");
			goto out;
		}
		/* more fields than there are known ones: one is unknown */
		if (n == MC_RD_MAX_FIELDS)
			break;
		if (top_field(r, head, &s, where))
			goto out;
	}
	if (header(r))
		goto out;
	if (mc_scan_value(&s, &(struct mc_span){ 0 }) || s.at != s.end) {
		mc_rd_bad_text(r, s.at, "there is something after the last }");
		goto out;
	}
	for (i = 0; i < MC_NR_LISTS; i++)
		if (read_list(r, &mc_lists[i], &where[i]))
			goto out;
	ret = 0;
out:
	json_decref(head);
	return ret;
}

int mc_image_parse(const char *buf, size_t len, const char *name,
		   struct mc_topology **topo, struct mntcr_error *e)
{
	char file[200];
	struct rd r = { .e = e, .file = file, .text = buf };
	int ret = -1;

	*topo = NULL;
	memset(e, 0, sizeof(*e));
	mc_escape(name, file, sizeof(file));
	r.t = mc_topology_new();
	if (!r.t)
		return mc_nomem(e);
	if (read_top(&r, len))
		goto out;
	/*
	 * mc_topology_finish() makes an index of its own from the sorted
	 * mounts.
	 */
	mc_map_free(r.t->by_mount);
	r.t->by_mount = mc_map_new();
	if (!r.t->by_mount) {
		mc_nomem(e);
		goto out;
	}
	if (mc_topology_finish(r.t, e)) {
		mc_fail_in(e, file);
		goto out;
	}
	*topo = r.t;
	r.t = NULL;
	ret = 0;
out:
	free(r.refs);
	mntcr_topology_free(r.t);
	return ret;
}
