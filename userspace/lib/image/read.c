// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reading an image, which is not trusted: every field is checked here for
 * type and range, what the fields say together by mc_topology_finish().
 *
 * Only one record at a time is handed to the JSON parser, and none that is
 * larger than a record can be.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "contents/contents.h"
#include "image/image.h"
#include "image/scan.h"

#define MAX_FIELDS	32

/*
 * Of one record.  The most bytes are in four strings of MC_MAX_PATH bytes with
 * each byte escaped, the most values in two full id maps.
 */
#define MAX_RECORD	(2U << 20)
#define MAX_VALUES	4096
#define MAX_DEPTH	8

/* Where in the file we are, for messages, and the record at hand. */
struct rd {
	struct mc_topology *t;
	struct mntcr_error *e;
	const char *file;
	uint64_t version;
	const char *array;	/* NULL: the top level */
	size_t index;
	const char *within;	/* the record's field that obj is; NULL: the record */
	uint64_t mount;		/* its id, once read */
	const char *text;	/* the whole of it */
	uint64_t *refs;		/* ids in the list that later records may define */
	uint32_t nr_refs, max_refs;
	const json_t *obj;
	const char *known[MAX_FIELDS];
	size_t nr_known;
};

static int bad(struct rd *r, const char *field, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int bad(struct rd *r, const char *field, const char *fmt, ...)
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
static int bad_text(struct rd *r, const char *at, const char *what)
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
static json_t *load(struct rd *r, const char *field, const struct mc_span *v)
{
	json_error_t jerr;
	json_t *j;

	if (v->depth > MAX_DEPTH) {
		bad(r, field, "is nested too deeply");
		return NULL;
	}
	if (v->len > MAX_RECORD || v->nr_values > MAX_VALUES) {
		bad(r, field, "has more than %u values or %u bytes", MAX_VALUES,
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
		bad_text(r, v->at + (jerr.position < 0 ? 0 : jerr.position),
			 jerr.text);
	return j;
}

/* Notes which fields are known: any other is refused in the end. */
static const json_t *field(struct rd *r, const char *key)
{
	if (r->nr_known < MAX_FIELDS)
		r->known[r->nr_known++] = key;
	return json_object_get(r->obj, key);
}

static int no_others(struct rd *r)
{
	const char *key;
	json_t *v;
	size_t i;

	json_object_foreach((json_t *)r->obj, key, v) {
		for (i = 0; i < r->nr_known; i++)
			if (!strcmp(r->known[i], key))
				break;
		if (i == r->nr_known)
			return bad(r, key, "unknown field");
	}
	return 0;
}

/* An absent optional number leaves *out as it was. */
static int get_uint(struct rd *r, const char *key, uint64_t min, uint64_t max,
		    bool required, uint64_t *out)
{
	const json_t *v = field(r, key);
	json_int_t n;

	if (!v)
		return required ? bad(r, key, "missing") : 0;
	if (!json_is_integer(v))
		return bad(r, key, "must be a whole number");
	n = json_integer_value(v);
	if (n < 0 || (uint64_t)n < min || (uint64_t)n > max)
		return bad(r, key, "%" JSON_INTEGER_FORMAT " is out of range", n);
	*out = (uint64_t)n;
	return 0;
}

static int get_u32(struct rd *r, const char *key, uint32_t max, bool required,
		   uint32_t *out)
{
	uint64_t v = *out;

	if (get_uint(r, key, 0, max, required, &v))
		return -1;
	*out = (uint32_t)v;
	return 0;
}

/*
 * An index into an array of nr.  0 for an empty array is found by
 * mc_topology_finish().
 */
static int get_index(struct rd *r, const char *key, uint32_t nr, bool required,
		     uint32_t *out)
{
	return get_u32(r, key, nr ? nr - 1 : 0, required, out);
}

static int get_bool(struct rd *r, const char *key, bool *out)
{
	const json_t *v = field(r, key);

	if (!v)
		return 0;
	if (!json_is_boolean(v))
		return bad(r, key, "must be true or false");
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
		bad(r, key, "hex must be pairs of lower-case digits without 00");
	} else {
		*out = mc_topology_strn(r->t, s, n / 2);
		ret = *out ? 0 : mc_nomem(r->e);
	}
	free(s);
	return ret;
}

/* A string, or {"hex": "..."} for what is not UTF-8. */
static int get_bytes(struct rd *r, const char *key, bool required,
		     const char **out)
{
	const json_t *v = field(r, key), *hex;
	const char *s;

	if (!v)
		return required ? bad(r, key, "missing") : 0;
	if (json_is_object(v)) {
		hex = json_object_get(v, "hex");
		if (json_object_size(v) != 1 || !json_is_string(hex) ||
		    json_string_length(hex) > 2 * MC_MAX_PATH)
			return bad(r, key, "must be a string or {\"hex\": \"...\"}");
		return from_hex(r, key, json_string_value(hex), out);
	}
	if (!json_is_string(v))
		return bad(r, key, "must be a string or {\"hex\": \"...\"}");
	s = json_string_value(v);
	if (strlen(s) != json_string_length(v))
		return bad(r, key, "contains a NUL byte");
	if (json_string_length(v) > MC_MAX_PATH)
		return bad(r, key, "is longer than %u bytes", MC_MAX_PATH);
	*out = mc_topology_str(r->t, s);
	return *out ? 0 : mc_nomem(r->e);
}

static int get_words(struct rd *r, const char *key, const struct mc_word *words,
		     bool *present, uint64_t *out)
{
	const json_t *v = field(r, key), *w;
	const struct mc_word *x;
	uint64_t got = 0, taken = 0;
	char esc[64];
	size_t i;

	if (present)
		*present = v;
	if (!v)
		return 0;
	if (!json_is_array(v) || json_array_size(v) > 64)
		return bad(r, key, "must be a list of words");
	for (i = 0; i < json_array_size(v); i++) {
		w = json_array_get(v, i);
		if (!json_is_string(w))
			return bad(r, key, "must be a list of words");
		for (x = words; x->name; x++)
			if (!strcmp(x->name, json_string_value(w)))
				break;
		if (!x->name)
			return bad(r, key, "\"%s\" is not known",
				   mc_escape(json_string_value(w), esc,
					     sizeof(esc)));
		if (taken & x->mask)
			return bad(r, key, "\"%s\" repeats or contradicts another",
				   x->name);
		taken |= x->mask;
		got |= x->bits;
	}
	*out = got;
	return 0;
}

static int enter(struct rd *r, const json_t *v)
{
	r->mount = 0;
	r->nr_known = 0;
	r->obj = v;
	return json_is_object(v) ? 0 : bad(r, "", "must be an object");
}

static int userns_record(struct rd *r)
{
	struct mc_userns u = { .parent = MC_NONE };
	uint32_t i;

	if (get_uint(r, "inode", 0, INT64_MAX, true, &u.ino) ||
	    get_u32(r, "parent", MC_MAX_NAMESPACES, false, &u.parent) ||
	    get_bool(r, "dumper", &u.dumper))
		return -1;
	i = mc_topology_add_userns(r->t);
	if (i == MC_NONE)
		return mc_nomem(r->e);
	r->t->userns[i] = u;
	return 0;
}

static int ns_record(struct rd *r)
{
	uint32_t i = mc_topology_add_ns(r->t);
	uint64_t propagation = 0;
	struct mc_ns *ns;

	if (i == MC_NONE)
		return mc_nomem(r->e);
	ns = &r->t->ns[i];
	if (get_uint(r, "id", 1, INT64_MAX, false, &ns->id) ||
	    get_uint(r, "inode", 1, INT64_MAX, false, &ns->ino) ||
	    get_bytes(r, "label", true, &ns->label) ||
	    get_index(r, "owner", r->t->nr_userns, false, &ns->userns) ||
	    get_u32(r, "hidden", 64, false, &ns->hidden) ||
	    get_words(r, "base_propagation", mc_words_propagation, NULL,
		      &propagation))
		return -1;
	ns->base_propagation = (uint32_t)propagation;
	return 0;
}

/* A number below 2^32 in plain digits, with tail right after it. */
static bool plain_u32(const char **s, char tail, uint32_t *out)
{
	const char *p = *s;
	uint64_t n = 0;

	for (; *p >= '0' && *p <= '9' && n <= UINT32_MAX; p++)
		n = n * 10 + (uint64_t)(*p - '0');
	if (p == *s || (**s == '0' && p != *s + 1) || n > UINT32_MAX ||
	    *p != tail)
		return false;
	*out = (uint32_t)n;
	*s = p + 1;
	return true;
}

static int get_device(struct rd *r, uint32_t *major, uint32_t *minor)
{
	const json_t *v = field(r, "device");
	const char *s = json_is_string(v) ? json_string_value(v) : "";

	if (!plain_u32(&s, ':', major) || !plain_u32(&s, '\0', minor))
		return bad(r, "device", "must be \"MAJOR:MINOR\"");
	return 0;
}

/* What a restore has to know to make it anew. */
static int sb_made_anew(struct rd *r, struct mc_sb *sb)
{
	sb->sized = json_object_get(r->obj, "size");
	if (get_uint(r, "size", 0, INT64_MAX, false, &sb->size) ||
	    get_uint(r, "inodes", 0, INT64_MAX, sb->sized, &sb->inodes) ||
	    get_bool(r, "contents", &sb->contents) ||
	    get_uint(r, "pid_namespace", 1, INT64_MAX, false, &sb->pidns_ino) ||
	    get_u32(r, "pid_depth", 64, false, &sb->pidns_depth))
		return -1;
	if (sb->sized && strcmp(sb->type, "tmpfs"))
		return bad(r, "size", "only a tmpfs has one");
	if (sb->contents && !mc_contents_type(sb->type))
		return bad(r, "contents", "only a tmpfs or ramfs has them");
	if ((sb->pidns_ino || sb->pidns_depth != MC_NONE) &&
	    strcmp(sb->type, "proc"))
		return bad(r, "pid_namespace", "only a proc has one");
	if (sb->pidns_depth != MC_NONE && !sb->pidns_ino)
		return bad(r, "pid_depth", "of no pid namespace");
	return 0;
}

static int sb_record(struct rd *r)
{
	uint32_t i = mc_topology_add_sb(r->t);
	uint64_t flags = 0;
	struct mc_sb *sb;

	if (i == MC_NONE)
		return mc_nomem(r->e);
	sb = &r->t->sbs[i];
	if (get_device(r, &sb->major, &sb->minor) ||
	    get_bytes(r, "type", true, &sb->type) ||
	    get_bytes(r, "subtype", false, &sb->subtype) ||
	    get_bytes(r, "source", false, &sb->source) ||
	    get_bytes(r, "options", true, &sb->options) ||
	    get_uint(r, "magic", 0, INT64_MAX, false, &sb->magic) ||
	    get_words(r, "flags", mc_words_sb, NULL, &flags))
		return -1;
	sb->flags = (uint32_t)flags;
	return r->version < 4 ? 0 : sb_made_anew(r, sb);
}

/*
 * An id that a later record may define: looked up when the list has been read.
 */
static int get_ref(struct rd *r, const char *key, uint64_t max)
{
	uint64_t id = 0;

	if (get_uint(r, key, 1, max, false, &id))
		return -1;
	if (!mc_grow(&r->refs, r->nr_refs, &r->max_refs, sizeof(*r->refs)))
		return mc_nomem(r->e);
	r->refs[r->nr_refs++] = id;
	return 0;
}

static int group_record(struct rd *r)
{
	uint64_t id = 0;
	uint32_t before = r->t->nr_groups;

	if (get_uint(r, "id", 1, INT32_MAX, true, &id) ||
	    get_ref(r, "master", INT32_MAX))
		return -1;
	if (mc_topology_get_group(r->t, id) == MC_NONE)
		return mc_nomem(r->e);
	if (r->t->nr_groups == before)
		return bad(r, "id", "group %" PRIu64 " appears twice", id);
	return 0;
}

static int link_group(struct rd *r, uint64_t id)
{
	if (!mc_map_get(r->t->by_group, id, &r->t->groups[r->index].master))
		return bad(r, "master", "there is no group %" PRIu64, id);
	return 0;
}

/* A group by its id; 0 stands for absent. */
static int get_group(struct rd *r, const char *key, uint32_t *out)
{
	uint64_t id = 0;

	if (get_uint(r, key, 1, INT32_MAX, false, &id))
		return -1;
	*out = MC_NONE;
	if (!id)
		return 0;
	if (!mc_map_get(r->t->by_group, id, out))
		return bad(r, key, "there is no group %" PRIu64, id);
	return 0;
}

static int get_extents(struct rd *r, const char *key, uint32_t *nr,
		       const struct mc_idmap_extent **out)
{
	const json_t *v = field(r, key), *x;
	struct mc_idmap_extent *ext;
	json_int_t n[3];
	size_t i, j;

	if (!json_is_array(v) || json_array_size(v) > MC_MAX_IDMAP_EXTENTS)
		return bad(r, key, "must be a list of at most %u extents",
			   MC_MAX_IDMAP_EXTENTS);
	*nr = (uint32_t)json_array_size(v);
	ext = mc_topology_alloc(r->t, (*nr + 1) * sizeof(*ext));
	if (!ext)
		return mc_nomem(r->e);
	for (i = 0; i < *nr; i++) {
		x = json_array_get(v, i);
		for (j = 0; j < 3; j++) {
			n[j] = json_integer_value(json_array_get(x, j));
			if (!json_is_integer(json_array_get(x, j)) ||
			    n[j] < 0 || n[j] > UINT32_MAX)
				break;
		}
		if (json_array_size(x) != 3 || j < 3)
			return bad(r, key, "extent %zu must be three 32-bit numbers", i);
		ext[i].id = (uint32_t)n[0];
		ext[i].parent_id = (uint32_t)n[1];
		ext[i].count = (uint32_t)n[2];
	}
	*out = ext;
	return 0;
}

static int idmap_record(struct rd *r)
{
	uint32_t i = mc_topology_add_idmap(r->t);
	struct mc_idmap *m;

	if (i == MC_NONE)
		return mc_nomem(r->e);
	m = &r->t->idmaps[i];
	return get_extents(r, "uid", &m->nr_uid, &m->uid) ||
	       get_extents(r, "gid", &m->nr_gid, &m->gid) ? -1 : 0;
}

static int get_nsfs(struct rd *r, struct mc_mount *m)
{
	const json_t *v = field(r, "nsfs"), *type, *ino;
	const struct mc_word *w;

	if (!v)
		return 0;
	type = json_object_get(v, "type");
	ino = json_object_get(v, "inode");
	if (json_object_size(v) != 2 || !json_is_string(type) ||
	    !json_is_integer(ino) || json_integer_value(ino) < 0)
		return bad(r, "nsfs", "must have a type and an inode");
	for (w = mc_words_nstype; w->name; w++)
		if (!strcmp(w->name, json_string_value(type)))
			break;
	if (!w->name)
		return bad(r, "nsfs.type", "is not known");
	m->nsfs_type = (uint32_t)w->bits;
	m->nsfs_ino = (uint64_t)json_integer_value(ino);
	return 0;
}

/* Four octal digits. */
static int get_mode(struct rd *r, uint32_t *out)
{
	const json_t *v = field(r, "mode");
	const char *s = json_is_string(v) ? json_string_value(v) : "";
	uint32_t n = 0;
	size_t i;

	for (i = 0; s[i] >= '0' && s[i] <= '7' && i < 4; i++)
		n = n * 8 + (uint32_t)(s[i] - '0');
	if (i < 4 || s[i])
		return bad(r, "mode", "must be four octal digits");
	*out |= n;
	return 0;
}

static int get_file_type(struct rd *r, uint32_t *out)
{
	const json_t *v = field(r, "type");
	const char *s = json_is_string(v) ? json_string_value(v) : "";
	const struct mc_word *w;

	for (w = mc_words_file; w->name && strcmp(w->name, s); w++)
		;
	if (!w->name)
		return bad(r, "type", "is not known");
	*out = (uint32_t)w->bits;
	return 0;
}

static int file_object(struct rd *r, struct mc_file *f)
{
	if (get_file_type(r, &f->mode) || get_mode(r, &f->mode) ||
	    get_u32(r, "uid", MC_NO_ID - 1, false, &f->uid) ||
	    get_u32(r, "gid", MC_NO_ID - 1, false, &f->gid))
		return -1;
	if (mc_mode_is_device(f->mode) &&
	    get_device(r, &f->major, &f->minor))
		return -1;
	if (S_ISLNK(f->mode) && get_bytes(r, "target", false, &f->target))
		return -1;
	return no_others(r);
}

static int get_file(struct rd *r, const char *key, struct mc_file *f)
{
	struct rd in = *r;

	if (r->version < 3)
		return 0;
	in.obj = field(r, key);
	if (!in.obj)
		return 0;
	if (!json_is_object(in.obj))
		return bad(r, key, "must be an object");
	in.within = key;
	in.nr_known = 0;
	return file_object(&in, f);
}

static int mount_record(struct rd *r)
{
	uint32_t i = mc_topology_add_mount(r->t), v;
	uint64_t locks = 0;
	bool dir = false;
	struct mc_mount *m;

	if (i == MC_NONE)
		return mc_nomem(r->e);
	m = &r->t->mounts[i];
	if (get_uint(r, "id", 1, INT64_MAX, true, &m->id))
		return -1;
	r->mount = m->id;
	v = i;
	switch (mc_map_add(r->t->by_mount, m->id, &v)) {
	case -1:
		return mc_nomem(r->e);
	case 1:
		return bad(r, "id", "mounts[%u] has this id too", v);
	}
	if (get_u32(r, "id_old", UINT32_MAX, false, &m->id_old) ||
	    get_index(r, "namespace", r->t->nr_ns, true, &m->ns) ||
	    get_index(r, "superblock", r->t->nr_sbs, true, &m->sb) ||
	    get_bytes(r, "root", true, &m->root) ||
	    get_bool(r, "root_deleted", &m->root_deleted) ||
	    get_bytes(r, "mountpoint", true, &m->mountpoint) ||
	    get_bytes(r, "source", false, &m->source) ||
	    get_bytes(r, "options", false, &m->options) ||
	    get_words(r, "attributes", mc_words_attr, NULL, &m->attr) ||
	    get_index(r, "idmap", r->t->nr_idmaps, false, &m->idmap) ||
	    get_words(r, "locks", mc_words_lock, &m->locks_known, &locks) ||
	    get_group(r, "group", &m->group) ||
	    get_group(r, "master", &m->master) ||
	    get_bool(r, "unbindable", &m->unbindable) ||
	    get_bool(r, "directory", &dir) || get_nsfs(r, m) ||
	    get_file(r, "root_file", &m->root_file) ||
	    get_file(r, "mountpoint_file", &m->mp_file) ||
	    get_ref(r, "parent", INT64_MAX))
		return -1;
	m->locks = (uint32_t)locks;
	if (json_object_get(r->obj, "directory"))
		m->mp_type = dir ? MC_MP_DIR : MC_MP_OTHER;
	else if (m->root_file.mode || m->mp_file.mode)
		m->mp_type = S_ISDIR(m->root_file.mode ? m->root_file.mode :
				     m->mp_file.mode) ? MC_MP_DIR : MC_MP_OTHER;
	return 0;
}

static int link_mount(struct rd *r, uint64_t id)
{
	struct mc_mount *m = &r->t->mounts[r->index];

	r->mount = m->id;
	if (!mc_map_get(r->t->by_mount, id, &m->parent))
		return bad(r, "parent", "there is no mount %" PRIu64, id);
	return 0;
}

/* In the order in which they are read: each refers to earlier ones only. */
static const struct list {
	const char *name;
	size_t max;
	int (*record)(struct rd *r);
	int (*link)(struct rd *r, uint64_t id);
} lists[] = {
	{ "user_namespaces", MC_MAX_NAMESPACES, userns_record, NULL },
	{ "namespaces", MC_MAX_NAMESPACES, ns_record, NULL },
	{ "superblocks", MC_MAX_MOUNTS, sb_record, NULL },
	{ "groups", MC_MAX_MOUNTS, group_record, link_group },
	{ "idmaps", MC_MAX_MOUNTS, idmap_record, NULL },
	{ "mounts", MC_MAX_MOUNTS, mount_record, link_mount },
};

static int one_record(struct rd *r, const struct list *l, struct mc_scan *s)
{
	struct mc_span v;
	json_t *obj;
	int ret;

	if ((r->index && !mc_scan_char(s, ',')) || !mc_scan_value(s, &v))
		return bad_text(r, s->at, "a record or the end of the list is missing");
	if (r->index == l->max)
		return bad(r, "", "more than %zu are too many", l->max);
	obj = load(r, "", &v);
	if (!obj)
		return -1;
	ret = enter(r, obj) || l->record(r) || no_others(r) ? -1 : 0;
	json_decref(obj);
	return ret;
}

static int read_list(struct rd *r, const struct list *l,
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
		return bad(r, l->name, "must be a list");
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
		return bad_text(r, s->at, "\"name\": value is missing");
	key = load(r, "top level", &name);
	if (!key)
		return -1;
	word = json_string_value(key);
	for (i = 0; i < MC_ARRAY_SIZE(lists); i++)
		if (!strcmp(word, lists[i].name))
			break;
	if (json_object_get(head, word)) {
		bad(r, word, "duplicate field");
		goto out;
	}
	if (i < MC_ARRAY_SIZE(lists)) {
		where[i] = value;
		v = json_null();
	} else {
		v = load(r, word, &value);
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

	if (get_bytes(r, key, false, &r->t->boot_id))
		return -1;
	if (r->t->boot_id && !mc_is_boot_id(r->t->boot_id))
		return bad(r, key, "must be a UUID in lower case");
	return 0;
}

static int header(struct rd *r)
{
	const json_t *format;
	size_t i;

	format = field(r, "format");
	if (!json_is_string(format) ||
	    strcmp(json_string_value(format), MC_IMAGE_FORMAT))
		return bad(r, "format", "not an image of mntcr");
	if (get_uint(r, "version", 0, INT64_MAX, true, &r->version))
		return -1;
	if (r->version < 1 || r->version > MC_IMAGE_VERSION)
		return bad(r, "version", "%" PRIu64 " is not supported, only 1 to %d",
			   r->version, MC_IMAGE_VERSION);
	if (get_bool(r, "unique_ids", &r->t->unique_ids) ||
	    (r->version > 1 && get_boot_id(r)))
		return -1;
	for (i = 0; i < MC_ARRAY_SIZE(lists); i++)
		field(r, lists[i].name);
	return no_others(r);
}

static int read_top(struct rd *r, size_t len)
{
	struct mc_span where[MC_ARRAY_SIZE(lists)] = { { 0 } };
	struct mc_scan s = { r->text, r->text + len };
	json_t *head = json_object();
	size_t i, n;
	int ret = -1;

	if (!head)
		return mc_nomem(r->e);
	r->obj = head;
	if (!mc_scan_char(&s, '{')) {
		bad_text(r, s.at, "an image is an object, { ... }");
		goto out;
	}
	for (n = 0; !mc_scan_char(&s, '}'); n++) {
		if (n && !mc_scan_char(&s, ',')) {
			bad_text(r, s.at, "a comma or the last } is missing");
			goto out;
		}
		/* more fields than there are known ones: one is unknown */
		if (n == MAX_FIELDS)
			break;
		if (top_field(r, head, &s, where))
			goto out;
	}
	if (header(r))
		goto out;
	if (mc_scan_value(&s, &(struct mc_span){ 0 }) || s.at != s.end) {
		bad_text(r, s.at, "there is something after the last }");
		goto out;
	}
	for (i = 0; i < MC_ARRAY_SIZE(lists); i++)
		if (read_list(r, &lists[i], &where[i]))
			goto out;
	ret = 0;
out:
	json_decref(head);
	return ret;
}

int mc_image_parse(const char *buf, size_t len, const char *name,
		   struct mc_topology **topo, struct mntcr_error *e)
{
	char file[200], text[sizeof(e->text)];
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
		memcpy(text, e->text, sizeof(text));
		snprintf(e->text, sizeof(e->text), "%s: %.700s", file, text);
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

/* In a file without a name: an archive is read more than once. */
static int new_spool(struct mntcr_error *e)
{
	const char *dirs[] = { getenv("TMPDIR"), "/var/tmp", "/tmp" };
	char name[PATH_MAX];
	size_t i;
	int fd;

	for (i = 0; i < MC_ARRAY_SIZE(dirs); i++) {
		if (!dirs[i] || *dirs[i] != '/' ||
		    snprintf(name, sizeof(name), "%s/mntcr-XXXXXX", dirs[i]) >=
		    (int)sizeof(name))
			continue;
		fd = mkostemp(name, O_CLOEXEC);
		if (fd < 0)
			continue;
		unlink(name);
		return fd;
	}
	return mc_fail(e, MNTCR_SYS, errno, "a temporary file for what comes from a pipe");
}

static int write_all(int fd, const char *p, size_t n)
{
	ssize_t done;

	for (; n; p += done, n -= (size_t)done) {
		done = write(fd, p, n);
		if (done < 0 && errno == EINTR)
			done = 0;
		else if (done <= 0)
			return -1;
	}
	return 0;
}

struct input {
	int fd;
	bool std;
	const char *name;	/* escaped */
	char chunk[65536];
	ssize_t n;		/* in chunk */
};

/* A pipe may give less than is there: full chunks, but for the last one. */
static int read_more(struct input *in, struct mntcr_error *e)
{
	ssize_t n;

	in->n = 0;
	do {
		n = read(in->fd, in->chunk + in->n,
			 sizeof(in->chunk) - (size_t)in->n);
		if (n < 0 && errno != EINTR)
			return mc_fail(e, MNTCR_SYS, errno, "%s", in->name);
		in->n += n > 0 ? n : 0;
	} while (n && (size_t)in->n < sizeof(in->chunk));
	return 0;
}

static int read_text(struct input *in, struct mc_buf *b, struct mntcr_error *e)
{
	while (in->n) {
		mc_buf_add(b, in->chunk, (size_t)in->n);
		if (b->nomem)
			return mc_nomem(e);
		if (b->len > MC_IMAGE_MAX_SIZE)
			return mc_fail(e, MNTCR_BAD_IMAGE, 0,
				       "%s: larger than %lu bytes", in->name,
				       MC_IMAGE_MAX_SIZE);
		if (read_more(in, e))
			return -1;
	}
	return 0;
}

/* The archive as a file that begins with it, not the caller's. */
static int archive_file(struct input *in, struct mntcr_error *e)
{
	struct stat st;
	int fd;

	if (!fstat(in->fd, &st) && S_ISREG(st.st_mode) &&
	    lseek(in->fd, 0, SEEK_CUR) == in->n) {
		fd = fcntl(in->fd, F_DUPFD_CLOEXEC, 0);
		return fd < 0 ? mc_fail(e, MNTCR_SYS, errno, "%s", in->name) : fd;
	}
	fd = new_spool(e);
	while (fd >= 0 && in->n) {
		if (write_all(fd, in->chunk, (size_t)in->n))
			mc_fail(e, MNTCR_SYS, errno, "%s: into a temporary file",
				in->name);
		else if (!read_more(in, e))
			continue;
		mc_close(fd);
		return -1;
	}
	return fd;
}

static int read_archive(struct input *in, struct mc_buf *b,
			struct mntcr_contents **contents, struct mntcr_error *e)
{
	char text[sizeof(e->text)];
	int fd = archive_file(in, e);

	if (fd < 0)
		return -1;
	if (!mc_contents_open(fd, MC_IMAGE_MAX_SIZE, b, contents, e))
		return 0;
	mc_close(fd);
	memcpy(text, e->text, sizeof(text));
	snprintf(e->text, sizeof(e->text), "%s: %.600s", in->name, text);
	return -1;
}

int mntcr_image_read_contents(const char *path, struct mc_topology **topo,
			      struct mntcr_contents **contents,
			      struct mntcr_error *e)
{
	bool std = !strcmp(path, "-");
	const char *name = std ? "standard input" : path;
	struct mc_buf b = { 0 };
	struct input *in = malloc(sizeof(*in));
	char esc[300];
	int ret = -1;

	*topo = NULL;
	*contents = NULL;
	memset(e, 0, sizeof(*e));
	if (!in)
		return mc_nomem(e);
	in->name = mc_escape(name, esc, sizeof(esc));
	in->fd = std ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (in->fd < 0) {
		mc_fail(e, MNTCR_SYS, errno, "%s", esc);
		goto out;
	}
	if (read_more(in, e))
		goto out;
	if (in->n && mc_contents_is_archive(in->chunk, (size_t)in->n))
		ret = read_archive(in, &b, contents, e);
	else
		ret = read_text(in, &b, e);
	if (!ret)
		ret = mc_image_parse(b.data ? b.data : "", b.len, name, topo, e);
	if (!ret && mc_contents_check(*contents, *topo, e)) {
		mntcr_topology_free(*topo);
		*topo = NULL;
		ret = -1;
	}
	if (ret) {
		mntcr_contents_free(*contents);
		*contents = NULL;
	}
out:
	if (!std)
		mc_close(in->fd);
	free(in);
	mc_buf_free(&b);
	return ret;
}

int mntcr_image_read(const char *path, struct mc_topology **topo,
		     struct mntcr_error *e)
{
	struct mntcr_contents *contents;
	int ret = mntcr_image_read_contents(path, topo, &contents, e);

	mntcr_contents_free(contents);
	return ret;
}
