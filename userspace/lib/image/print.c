// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A topology as the text of an image: one record a line, so that diff(1) is of use.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "image/image.h"

enum bad { NOT_BAD, NO_MEMORY, TOO_LARGE };

/*
 * Setters note failure in *bad and otherwise take over v, so that a record is
 * built without a check after each field.
 */
static void put(json_t *o, const char *key, json_t *v, enum bad *bad)
{
	if (!v || json_object_set_new(o, key, v))
		*bad = NO_MEMORY;
}

/* No reader takes a number that JSON integers have no room for. */
static void put_uint(json_t *o, const char *key, uint64_t v, enum bad *bad)
{
	if (v > INT64_MAX) {
		*bad = TOO_LARGE;
		return;
	}
	put(o, key, json_integer((json_int_t)v), bad);
}

static json_t *words(const struct mc_word *w, uint64_t v)
{
	json_t *a = json_array();

	for (; a && w->name; w++)
		if ((v & w->mask) == w->bits &&
		    json_array_append_new(a, json_string(w->name))) {
			json_decref(a);
			return NULL;
		}
	return a;
}

static void put_words(json_t *o, const char *key, const struct mc_word *w,
		      uint64_t v, enum bad *bad)
{
	if (v)
		put(o, key, words(w, v), bad);
}

static json_t *extents(const struct mc_idmap_extent *x, uint32_t nr)
{
	json_t *a = json_array();
	uint32_t i;

	for (i = 0; a && i < nr; i++)
		if (json_array_append_new(a, json_pack("[I,I,I]",
				(json_int_t)x[i].id, (json_int_t)x[i].parent_id,
				(json_int_t)x[i].count))) {
			json_decref(a);
			return NULL;
		}
	return a;
}

static void userns_record(const struct mc_topology *t, uint32_t i, json_t *o,
			  enum bad *bad)
{
	const struct mc_userns *u = &t->userns[i];

	put_uint(o, "inode", u->ino, bad);
	if (u->id)
		put_uint(o, "id", u->id, bad);
	if (u->parent != MC_NONE)
		put_uint(o, "parent", u->parent, bad);
	if (u->dumper)
		put(o, "dumper", json_true(), bad);
	if (!u->mapped)
		return;
	put_uint(o, "owner", u->owner, bad);
	put(o, "uid_map", extents(u->map.uid, u->map.nr_uid), bad);
	put(o, "gid_map", extents(u->map.gid, u->map.nr_gid), bad);
	put(o, "setgroups", json_boolean(u->setgroups), bad);
}

static void ns_record(const struct mc_topology *t, uint32_t i, json_t *o,
		      enum bad *bad)
{
	const struct mc_ns *ns = &t->ns[i];

	if (ns->id && !ns->detached)
		put_uint(o, "id", ns->id, bad);
	if (ns->ino && !ns->detached)
		put_uint(o, "inode", ns->ino, bad);
	put(o, "label", mc_json_bytes(ns->label), bad);
	if (ns->userns != MC_NONE)
		put_uint(o, "owner", ns->userns, bad);
	if (ns->detached)
		put(o, "detached", json_true(), bad);
	put_uint(o, "hidden", ns->hidden, bad);
	put_words(o, "base_propagation", mc_words_propagation,
		  ns->base_propagation, bad);
}

static void put_shown(json_t *o, const struct mc_sb *sb, enum bad *bad)
{
	const char *type = mc_nstype_name(sb->shown_type);
	json_t *x;

	if (!type)
		return;
	x = json_object();
	put(x, "type", json_string(type), bad);
	if (sb->shown_id)
		put_uint(x, "id", sb->shown_id, bad);
	if (sb->shown_own)
		put(x, "dumper", json_true(), bad);
	if (sb->shown_owner != MC_NONE)
		put_uint(x, "owner", sb->shown_owner, bad);
	put(o, "shows", x, bad);
}

static void put_found(json_t *o, const struct mc_found *f, enum bad *bad)
{
	json_t *x;

	if (!f->path)
		return;
	x = json_object();
	put(x, "path", mc_json_bytes(f->path), bad);
	put(x, "root", mc_json_bytes(f->root), bad);
	put(o, "outside", x, bad);
}

/* Unless nothing is known of any. */
static void put_layers(json_t *o, const struct mc_sb *sb, enum bad *bad)
{
	json_t *a, *x;
	uint32_t i;

	for (i = 0; i < sb->nr_layers && sb->layers[i].sb == MC_NONE; i++)
		;
	if (i == sb->nr_layers)
		return;
	a = json_array();
	for (i = 0; i < sb->nr_layers; i++) {
		x = json_object();
		if (sb->layers[i].sb != MC_NONE) {
			put_uint(x, "superblock", sb->layers[i].sb, bad);
			put(x, "path", mc_json_bytes(sb->layers[i].path), bad);
			if (sb->layers[i].idmap != MC_NONE)
				put_uint(x, "idmap", sb->layers[i].idmap, bad);
		}
		if (json_array_append_new(a, x))
			*bad = NO_MEMORY;
	}
	put(o, "layers", a, bad);
}

static void put_above(json_t *o, const struct mc_sb *sb, enum bad *bad)
{
	json_t *a = json_array();
	uint32_t i;

	for (i = 0; i + 1 < sb->pidns_depth; i++)
		if (json_array_append_new(a, json_integer((json_int_t)sb->pidns_above[i])))
			*bad = NO_MEMORY;
	put(o, "pid_above", a, bad);
}

static void sb_record(const struct mc_topology *t, uint32_t i, json_t *o,
		      enum bad *bad)
{
	const struct mc_sb *sb = &t->sbs[i];

	put(o, "device", json_sprintf("%u:%u", sb->major, sb->minor), bad);
	put(o, "type", mc_json_bytes(sb->type), bad);
	if (sb->subtype)
		put(o, "subtype", mc_json_bytes(sb->subtype), bad);
	if (sb->source)
		put(o, "source", mc_json_bytes(sb->source), bad);
	put(o, "options", mc_json_bytes(sb->options), bad);
	if (sb->magic)
		put_uint(o, "magic", sb->magic, bad);
	put_words(o, "flags", mc_words_sb, sb->flags, bad);
	if (sb->uuid)
		put(o, "uuid", json_string(sb->uuid), bad);
	if (sb->sized) {
		put_uint(o, "size", sb->size, bad);
		put_uint(o, "inodes", sb->inodes, bad);
	}
	if (sb->contents)
		put(o, "contents", json_true(), bad);
	put_layers(o, sb, bad);
	if (sb->userns != MC_NONE)
		put_uint(o, "user_namespace", sb->userns, bad);
	if (sb->shown_type)
		put_shown(o, sb, bad);
	if (sb->pidns_ino) {
		put_uint(o, "pid_namespace", sb->pidns_ino, bad);
		if (sb->pidns_depth != MC_NONE)
			put_uint(o, "pid_depth", sb->pidns_depth, bad);
		if (sb->pidns_above)
			put_above(o, sb, bad);
	}
	if (sb->pidns_no_init)
		put(o, "pid_init", json_false(), bad);
	if (sb->whose)
		put(o, "whose", json_string(mc_whose_names[sb->whose]), bad);
	put_found(o, &sb->outside, bad);
}

static void group_record(const struct mc_topology *t, uint32_t i, json_t *o,
			 enum bad *bad)
{
	const struct mc_group *g = &t->groups[i];

	put_uint(o, "id", g->id, bad);
	if (g->master != MC_NONE)
		put_uint(o, "master", t->groups[g->master].id, bad);
	put_found(o, &g->outside, bad);
}

static void idmap_record(const struct mc_topology *t, uint32_t i, json_t *o,
			 enum bad *bad)
{
	put(o, "uid", extents(t->idmaps[i].uid, t->idmaps[i].nr_uid), bad);
	put(o, "gid", extents(t->idmaps[i].gid, t->idmaps[i].nr_gid), bad);
}

static void put_file(json_t *o, const char *key, const struct mc_file *f,
		     enum bad *bad)
{
	const struct mc_word *w = mc_words_file;
	json_t *x;

	if (!f->mode)
		return;
	x = json_object();
	while (w->name && w->bits != (f->mode & S_IFMT))
		w++;
	put(x, "type", json_string(w->name), bad);
	put(x, "mode", json_sprintf("%04o", f->mode & MC_MODE_ALL), bad);
	if (f->uid != MC_NO_ID)
		put_uint(x, "uid", f->uid, bad);
	if (f->gid != MC_NO_ID)
		put_uint(x, "gid", f->gid, bad);
	if (mc_mode_is_device(f->mode))
		put(x, "device", json_sprintf("%u:%u", f->major, f->minor), bad);
	if (f->target)
		put(x, "target", mc_json_bytes(f->target), bad);
	put(o, key, x, bad);
}

static void mount_record(const struct mc_topology *t, uint32_t i, json_t *o,
			 enum bad *bad)
{
	const struct mc_mount *m = &t->mounts[i];
	const char *type = mc_nstype_name(m->nsfs_type);
	json_t *x;

	put_uint(o, "id", m->id, bad);
	if (m->id_old)
		put_uint(o, "id_old", m->id_old, bad);
	put_uint(o, "namespace", m->ns, bad);
	if (m->parent != MC_NONE)
		put_uint(o, "parent", t->mounts[m->parent].id, bad);
	put_uint(o, "superblock", m->sb, bad);
	put(o, "root", mc_json_bytes(m->root), bad);
	if (m->root_deleted)
		put(o, "root_deleted", json_true(), bad);
	if (m->unlinked)
		put_uint(o, "unlinked", m->unlinked, bad);
	put(o, "mountpoint", mc_json_bytes(m->mountpoint), bad);
	if (m->mp_type != MC_MP_UNKNOWN)
		put(o, "directory", json_boolean(m->mp_type == MC_MP_DIR), bad);
	put_file(o, "root_file", &m->root_file, bad);
	put_file(o, "mountpoint_file", &m->mp_file, bad);
	if (m->source)
		put(o, "source", mc_json_bytes(m->source), bad);
	if (m->options)
		put(o, "options", mc_json_bytes(m->options), bad);
	put_words(o, "attributes", mc_words_attr, m->attr, bad);
	if (m->idmap != MC_NONE)
		put_uint(o, "idmap", m->idmap, bad);
	if (m->locks_known)
		put(o, "locks", words(mc_words_lock, m->locks), bad);
	if (m->group != MC_NONE)
		put_uint(o, "group", t->groups[m->group].id, bad);
	if (m->master != MC_NONE)
		put_uint(o, "master", t->groups[m->master].id, bad);
	if (m->unbindable)
		put(o, "unbindable", json_true(), bad);
	if (!type)
		return;
	x = json_object();
	put(x, "type", json_string(type), bad);
	put_uint(x, "inode", m->nsfs_ino, bad);
	if (m->nsfs_id)
		put_uint(x, "id", m->nsfs_id, bad);
	if (m->nsfs_owner != MC_NONE)
		put_uint(x, "owner", m->nsfs_owner, bad);
	put(o, "nsfs", x, bad);
}

/*
 * jansson leaves DEL and the controls above it, U+0080 to U+009F, as they are;
 * a terminal may obey them.  A character is never split between two chunks.
 */
struct sink {
	FILE *out;
	size_t n;		/* a file that cannot be read is no image */
};

static int write_chunk(const char *s, size_t n, void *sink)
{
	const unsigned char *p = (const unsigned char *)s, *end = p + n, *from;
	FILE *out = ((struct sink *)sink)->out;
	size_t len;

	((struct sink *)sink)->n += n;
	for (from = p; p < end; p += len) {
		len = 1;
		if (*p == 0xc2 && end - p > 1 && p[1] < 0xa0)
			len = 2;
		else if (*p != 0x7f)
			continue;
		fwrite(from, 1, (size_t)(p - from), out);
		fprintf(out, "\\u%04x", p[len - 1]);
		((struct sink *)sink)->n += 6;
		from = p + len;
	}
	fwrite(from, 1, (size_t)(end - from), out);
	return ferror(out) ? -1 : 0;
}

/* The first that is bad. */
static enum bad array(const struct mc_topology *t, struct sink *to, const char *name,
		 uint32_t nr, const char *tail,
		 void (*record)(const struct mc_topology *, uint32_t, json_t *,
				enum bad *))
{
	FILE *out = to->out;
	enum bad bad = NOT_BAD;
	uint32_t i;
	json_t *o;

	fprintf(out, " \"%s\": [", name);
	for (i = 0; i < nr && !bad && to->n <= MC_IMAGE_MAX_SIZE; i++) {
		to->n += 4;
		fputs(i ? ",\n  " : "\n  ", out);
		o = json_object();
		if (!o)
			return NO_MEMORY;
		record(t, i, o, &bad);
		if (json_dump_callback(o, write_chunk, to, 0) && !bad)
			bad = NO_MEMORY;
		json_decref(o);
	}
	fprintf(out, "%s]%s\n", nr ? "\n " : "", tail);
	return bad;
}

int mc_image_print(const struct mc_topology *t, FILE *out,
		   struct mntcr_error *e)
{
	struct sink to = { .out = out, .n = 1024 /* what is no record */ };
	enum bad bad;

	fprintf(out, "{\n \"format\": \"%s\",\n \"version\": %d,\n"
		" \"unique_ids\": %s,\n", MC_IMAGE_FORMAT, MC_IMAGE_VERSION,
		t->unique_ids ? "true" : "false");
	if (t->boot_id)
		fprintf(out, " \"boot_id\": \"%s\",\n", t->boot_id);
	bad = array(t, &to, "user_namespaces", t->nr_userns, ",", userns_record);
	if (!bad)
		bad = array(t, &to, "namespaces", t->nr_ns, ",", ns_record);
	if (!bad)
		bad = array(t, &to, "superblocks", t->nr_sbs, ",", sb_record);
	if (!bad)
		bad = array(t, &to, "groups", t->nr_groups, ",", group_record);
	if (!bad)
		bad = array(t, &to, "idmaps", t->nr_idmaps, ",", idmap_record);
	if (!bad)
		bad = array(t, &to, "mounts", t->nr_mounts, "", mount_record);
	if (bad)
		return ferror(out) ? mc_fail(e, MNTCR_SYS, errno, "writing") :
		       bad == TOO_LARGE ? mc_fail(e, MNTCR_SYS, EOVERFLOW,
						  "a number that no image can hold") :
		       mc_nomem(e);
	if (to.n > MC_IMAGE_MAX_SIZE)
		return mc_refuse(e, "too-large",
				 "the image would be larger than %lu bytes",
				 MC_IMAGE_MAX_SIZE);
	fputs("}\n", out);
	if (fflush(out) || ferror(out))
		return mc_fail(e, MNTCR_SYS, errno, "writing");
	return 0;
}
