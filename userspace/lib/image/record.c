// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The records of an image: each field is checked here for type and range, what
 * the fields say together by mc_topology_finish().
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "contents/contents.h"
#include "image/field.h"
#include "image/record.h"

static int ns_record(struct rd *r)
{
	uint32_t i = mc_topology_add_ns(r->t);
	uint64_t propagation = 0;
	struct mc_ns *ns;

	if (i == MC_NONE)
		return mc_nomem(r->e);
	ns = &r->t->ns[i];
	if (mc_rd_uint(r, "id", 1, INT64_MAX, false, &ns->id) ||
	    mc_rd_uint(r, "inode", 1, INT64_MAX, false, &ns->ino) ||
	    mc_rd_bytes(r, "label", true, &ns->label) ||
	    mc_rd_index(r, "owner", r->t->nr_userns, false, &ns->userns) ||
	    (r->version > 4 && mc_rd_bool(r, "detached", &ns->detached)) ||
	    mc_rd_u32(r, "hidden", 64, false, &ns->hidden) ||
	    mc_rd_words(r, "base_propagation", mc_words_propagation, NULL,
			&propagation))
		return -1;
	ns->base_propagation = (uint32_t)propagation;
	if (ns->detached && (ns->id || ns->ino || ns->hidden || propagation))
		return mc_rd_bad(r, "detached", "says that it is no namespace");
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
	const json_t *v = mc_rd_field(r, "device");
	const char *s = json_is_string(v) ? json_string_value(v) : "";

	if (!plain_u32(&s, ':', major) || !plain_u32(&s, '\0', minor))
		return mc_rd_bad(r, "device", "must be \"MAJOR:MINOR\"");
	return 0;
}

/* The type of a namespace; 0: none that is known. */
static uint32_t ns_type(const json_t *v)
{
	const char *s = json_is_string(v) ? json_string_value(v) : "";
	const struct mc_word *w = mc_rd_word(mc_words_nstype, s);

	return w ? (uint32_t)w->bits : 0;
}

static int get_shown(struct rd *r, struct mc_sb *sb)
{
	struct rd in;

	if (mc_rd_object(r, "shows", &in))
		return -1;
	if (!in.obj)
		return 0;
	sb->shown_type = ns_type(mc_rd_field(&in, "type"));
	if (!(sb->shown_type & (CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC)))
		return mc_rd_bad(&in, "type", "must be pid, net or ipc");
	if (mc_rd_uint(&in, "id", 1, INT64_MAX, false, &sb->shown_id) ||
	    mc_rd_bool(&in, "dumper", &sb->shown_own) ||
	    mc_rd_index(&in, "owner", r->t->nr_userns, false, &sb->shown_owner))
		return -1;
	if (sb->shown_owner != MC_NONE && sb->shown_type != CLONE_NEWNET)
		return mc_rd_bad(&in, "owner", "only that of a net namespace is said");
	if (sb->shown_own && !sb->shown_id)
		return mc_rd_bad(&in, "dumper", "of a namespace that is gone");
	return mc_rd_no_others(&in);
}

/* Where the dumper's own mount namespace has it. */
static int get_found(struct rd *r, struct mc_found *f)
{
	const char *fault;
	struct rd in;

	if (mc_rd_object(r, "outside", &in))
		return -1;
	if (!in.obj)
		return 0;
	if (mc_rd_bytes(&in, "path", true, &f->path) ||
	    mc_rd_bytes(&in, "root", true, &f->root))
		return -1;
	fault = mc_path_fault(f->path, false);
	if (fault)
		return mc_rd_bad(&in, "path", "%s", fault);
	fault = mc_path_fault(f->root, false);
	if (fault)
		return mc_rd_bad(&in, "root", "%s", fault);
	return mc_rd_no_others(&in);
}

static int get_whose(struct rd *r, struct mc_sb *sb)
{
	const json_t *v = mc_rd_field(r, "whose");
	const char *s = json_is_string(v) ? json_string_value(v) : "";
	uint32_t i;

	for (i = MC_WHOSE_UNKNOWN + 1; v && i < MC_NR_WHOSE; i++)
		if (!strcmp(s, mc_whose_names[i]))
			sb->whose = (enum mc_whose)i;
	if (v && !sb->whose)
		return mc_rd_bad(r, "whose", "is not known");
	if (get_found(r, &sb->outside))
		return -1;
	if (sb->outside.path && sb->whose != MC_WHOSE_HOST && sb->whose != MC_WHOSE_ALL)
		return mc_rd_bad(r, "outside", "only of the host's, and of what there is one for all");
	if (sb->contents && sb->whose == MC_WHOSE_HOST)
		return mc_rd_bad(r, "contents", "of the host's");
	return 0;
}

static int get_above(struct rd *r, struct mc_sb *sb)
{
	const json_t *v = r->version < 6 ? NULL : mc_rd_field(r, "pid_above"), *one;
	uint32_t nr = sb->pidns_depth == MC_NONE || !sb->pidns_depth ? 0 : sb->pidns_depth - 1, i;
	uint64_t *above;

	if (!v)
		return 0;
	if (!json_is_array(v) || !nr || json_array_size(v) != nr)
		return mc_rd_bad(r, "pid_above", "must be a list with one for each level between");
	above = mc_topology_alloc(r->t, nr * sizeof(*above));
	if (!above)
		return mc_nomem(r->e);
	for (i = 0; i < nr; i++) {
		one = json_array_get(v, i);
		if (!json_is_integer(one) || json_integer_value(one) < 1)
			return mc_rd_bad(r, "pid_above", "must be numbers from 1 on");
		above[i] = (uint64_t)json_integer_value(one);
	}
	sb->pidns_above = above;
	return 0;
}

static int get_init(struct rd *r, struct mc_sb *sb)
{
	const json_t *v = r->version < 6 ? NULL : mc_rd_field(r, "pid_init");

	sb->pidns_no_init = v;
	if (v && !json_is_false(v))
		return mc_rd_bad(r, "pid_init", "must be false, or absent");
	if (v && (sb->pidns_ino || strcmp(sb->type, "proc")))
		return mc_rd_bad(r, "pid_init", "only of a proc without pid_namespace");
	return 0;
}

/* What a restore has to know to make it anew. */
static int sb_made_anew(struct rd *r, struct mc_sb *sb)
{
	sb->sized = json_object_get(r->obj, "size");
	if (mc_rd_uint(r, "size", 0, INT64_MAX, false, &sb->size) ||
	    mc_rd_uint(r, "inodes", 0, INT64_MAX, sb->sized, &sb->inodes) ||
	    mc_rd_bool(r, "contents", &sb->contents) ||
	    mc_rd_bytes(r, "uuid", false, &sb->uuid) ||
	    mc_rd_uint(r, "pid_namespace", 1, INT64_MAX, false, &sb->pidns_ino) ||
	    mc_rd_u32(r, "pid_depth", 64, false, &sb->pidns_depth) || get_above(r, sb) ||
	    get_init(r, sb) ||
	    mc_rd_index(r, "user_namespace", r->t->nr_userns, false, &sb->userns) ||
	    get_shown(r, sb))
		return -1;
	if (sb->uuid && !mc_uuid_is_text(sb->uuid))
		return mc_rd_bad(r, "uuid", "is none");
	/* none was ever given to it */
	if (sb->uuid && mc_uuid_is_nil(sb->uuid))
		sb->uuid = NULL;
	if (sb->sized && strcmp(sb->type, "tmpfs"))
		return mc_rd_bad(r, "size", "only a tmpfs has one");
	if (sb->contents && !mc_type_in_memory(sb->type) && !mc_type_on_device(sb->type) &&
	    !(mc_type_of_layers(sb->type) && mc_layers_have_upper(sb)))
		return mc_rd_bad(r, "contents", "only a tmpfs, a ramfs, a filesystem on a device or an overlay with an upper directory has them");
	if ((sb->pidns_ino || sb->pidns_depth != MC_NONE) &&
	    strcmp(sb->type, "proc"))
		return mc_rd_bad(r, "pid_namespace", "only a proc has one");
	if (sb->pidns_depth != MC_NONE && !sb->pidns_ino)
		return mc_rd_bad(r, "pid_depth", "of no pid namespace");
	return 0;
}

static int get_layer(struct rd *r, size_t i, const json_t *v, struct mc_layer *l)
{
	char within[32];
	struct rd in = *r;
	const char *fault;

	snprintf(within, sizeof(within), "layers[%zu]", i);
	if (!json_is_object(v))
		return mc_rd_bad(r, within, "must be an object");
	in.obj = v;
	in.within = within;
	in.nr_known = 0;
	if (mc_rd_u32(&in, "superblock", MC_MAX_MOUNTS - 1, false, &l->sb) ||
	    mc_rd_bytes(&in, "path", l->sb != MC_NONE, &l->path) ||
	    (r->version > 4 && mc_rd_u32(&in, "idmap", MC_MAX_MOUNTS - 1, false, &l->idmap)))
		return -1;
	if (l->path && l->sb == MC_NONE)
		return mc_rd_bad(&in, "superblock", "missing");
	fault = l->path ? mc_path_fault(l->path, false) : NULL;
	if (fault)
		return mc_rd_bad(&in, "path", "%s", fault);
	return mc_rd_no_others(&in);
}

/* One for each that the options name. */
static int get_layers(struct rd *r, struct mc_sb *sb)
{
	const json_t *v = r->version < 4 ? NULL : mc_rd_field(r, "layers");
	uint32_t i;

	if (mc_layers_of(r->t, sb, &sb->layers, &sb->nr_layers))
		return mc_nomem(r->e);
	if (!v)
		return 0;
	if (!json_is_array(v) || !sb->nr_layers || json_array_size(v) != sb->nr_layers)
		return mc_rd_bad(r, "layers", "must be a list with one for each that the options of an overlay name");
	for (i = 0; i < sb->nr_layers; i++)
		if (get_layer(r, i, json_array_get(v, i), &sb->layers[i]))
			return -1;
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
	    mc_rd_bytes(r, "type", true, &sb->type) ||
	    mc_rd_bytes(r, "subtype", false, &sb->subtype) ||
	    mc_rd_bytes(r, "source", false, &sb->source) ||
	    mc_rd_bytes(r, "options", true, &sb->options) ||
	    mc_rd_uint(r, "magic", 0, INT64_MAX, false, &sb->magic) ||
	    mc_rd_words(r, "flags", mc_words_sb, NULL, &flags))
		return -1;
	sb->flags = (uint32_t)flags;
	if (get_layers(r, sb))
		return -1;
	return r->version < 4 ? 0 : sb_made_anew(r, sb) || get_whose(r, sb) ? -1 : 0;
}

/*
 * An id that a later record may define: looked up when the list has been read.
 */
static int get_ref(struct rd *r, const char *key, uint64_t max)
{
	uint64_t id = 0;

	if (mc_rd_uint(r, key, 1, max, false, &id))
		return -1;
	if (!mc_grow(&r->refs, r->nr_refs, &r->max_refs, sizeof(*r->refs)))
		return mc_nomem(r->e);
	r->refs[r->nr_refs++] = id;
	return 0;
}

static int group_record(struct rd *r)
{
	uint64_t id = 0;
	uint32_t before = r->t->nr_groups, g;

	if (mc_rd_uint(r, "id", 1, INT32_MAX, true, &id) ||
	    get_ref(r, "master", INT32_MAX))
		return -1;
	g = mc_topology_get_group(r->t, id);
	if (g == MC_NONE)
		return mc_nomem(r->e);
	if (r->t->nr_groups == before)
		return mc_rd_bad(r, "id", "group %" PRIu64 " appears twice", id);
	return r->version < 4 ? 0 : get_found(r, &r->t->groups[g].outside);
}

static int link_group(struct rd *r, uint64_t id)
{
	if (!mc_map_get(r->t->by_group, id, &r->t->groups[r->index].master))
		return mc_rd_bad(r, "master", "there is no group %" PRIu64, id);
	return 0;
}

/* A group by its id; 0 stands for absent. */
static int get_group(struct rd *r, const char *key, uint32_t *out)
{
	uint64_t id = 0;

	if (mc_rd_uint(r, key, 1, INT32_MAX, false, &id))
		return -1;
	*out = MC_NONE;
	if (!id)
		return 0;
	if (!mc_map_get(r->t->by_group, id, out))
		return mc_rd_bad(r, key, "there is no group %" PRIu64, id);
	return 0;
}

static int get_extents(struct rd *r, const char *key, uint32_t *nr,
		       const struct mc_idmap_extent **out)
{
	const json_t *v = mc_rd_field(r, key), *x;
	struct mc_idmap_extent *ext;
	json_int_t n[3];
	size_t i, j;

	if (!json_is_array(v) || json_array_size(v) > MC_MAX_IDMAP_EXTENTS)
		return mc_rd_bad(r, key, "must be a list of at most %u extents",
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
			return mc_rd_bad(r, key, "extent %zu must be three 32-bit numbers", i);
		ext[i].id = (uint32_t)n[0];
		ext[i].parent_id = (uint32_t)n[1];
		ext[i].count = (uint32_t)n[2];
	}
	*out = ext;
	return 0;
}

/* What it takes to make it anew: all of it, or nothing. */
static int userns_made_anew(struct rd *r, struct mc_userns *u)
{
	u->mapped = json_object_get(r->obj, "owner");
	if (!u->mapped)
		return 0;
	if (!json_object_get(r->obj, "setgroups"))
		return mc_rd_bad(r, "setgroups", "is missing");
	return mc_rd_u32(r, "owner", MC_NO_ID - 1, true, &u->owner) ||
	       get_extents(r, "uid_map", &u->map.nr_uid, &u->map.uid) ||
	       get_extents(r, "gid_map", &u->map.nr_gid, &u->map.gid) ||
	       mc_rd_bool(r, "setgroups", &u->setgroups) ? -1 : 0;
}

static int userns_record(struct rd *r)
{
	struct mc_userns u = { .parent = MC_NONE };
	uint32_t i;

	if (mc_rd_uint(r, "inode", 0, INT64_MAX, true, &u.ino) ||
	    (r->version > 3 && (mc_rd_uint(r, "id", 1, INT64_MAX, false, &u.id) ||
				userns_made_anew(r, &u))) ||
	    mc_rd_u32(r, "parent", MC_MAX_NAMESPACES, false, &u.parent) ||
	    mc_rd_bool(r, "dumper", &u.dumper))
		return -1;
	i = mc_topology_add_userns(r->t);
	if (i == MC_NONE)
		return mc_nomem(r->e);
	r->t->userns[i] = u;
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
	struct rd in;

	if (mc_rd_object(r, "nsfs", &in))
		return -1;
	if (!in.obj)
		return 0;
	m->nsfs_type = ns_type(mc_rd_field(&in, "type"));
	if (!m->nsfs_type)
		return mc_rd_bad(&in, "type", "is not known");
	if (mc_rd_uint(&in, "inode", 0, INT64_MAX, true, &m->nsfs_ino) ||
	    mc_rd_uint(&in, "id", 1, INT64_MAX, false, &m->nsfs_id) ||
	    mc_rd_index(&in, "owner", r->t->nr_userns, false, &m->nsfs_owner))
		return -1;
	if ((m->nsfs_id || m->nsfs_owner != MC_NONE) &&
	    !(m->nsfs_type & (CLONE_NEWNET | CLONE_NEWIPC)))
		return mc_rd_bad(&in, "type", "no more is said of such a one");
	return mc_rd_no_others(&in);
}

/* Four octal digits. */
static int get_mode(struct rd *r, uint32_t *out)
{
	const json_t *v = mc_rd_field(r, "mode");
	const char *s = json_is_string(v) ? json_string_value(v) : "";
	uint32_t n = 0;
	size_t i;

	for (i = 0; s[i] >= '0' && s[i] <= '7' && i < 4; i++)
		n = n * 8 + (uint32_t)(s[i] - '0');
	if (i < 4 || s[i])
		return mc_rd_bad(r, "mode", "must be four octal digits");
	*out |= n;
	return 0;
}

static int get_file_type(struct rd *r, uint32_t *out)
{
	const json_t *v = mc_rd_field(r, "type");
	const char *s = json_is_string(v) ? json_string_value(v) : "";
	const struct mc_word *w = mc_rd_word(mc_words_file, s);

	if (!w)
		return mc_rd_bad(r, "type", "is not known");
	*out = (uint32_t)w->bits;
	return 0;
}

static int file_object(struct rd *r, struct mc_file *f)
{
	if (get_file_type(r, &f->mode) || get_mode(r, &f->mode) ||
	    mc_rd_u32(r, "uid", MC_NO_ID - 1, false, &f->uid) ||
	    mc_rd_u32(r, "gid", MC_NO_ID - 1, false, &f->gid))
		return -1;
	if (mc_mode_is_device(f->mode) &&
	    get_device(r, &f->major, &f->minor))
		return -1;
	if (S_ISLNK(f->mode) && mc_rd_bytes(r, "target", false, &f->target))
		return -1;
	return mc_rd_no_others(r);
}

static int get_file(struct rd *r, const char *key, struct mc_file *f)
{
	struct rd in;

	if (r->version < 3)
		return 0;
	if (mc_rd_object(r, key, &in))
		return -1;
	return in.obj ? file_object(&in, f) : 0;
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
	if (mc_rd_uint(r, "id", 1, INT64_MAX, true, &m->id))
		return -1;
	r->mount = m->id;
	v = i;
	switch (mc_map_add(r->t->by_mount, m->id, &v)) {
	case -1:
		return mc_nomem(r->e);
	case 1:
		return mc_rd_bad(r, "id", "mounts[%u] has this id too", v);
	}
	if (mc_rd_u32(r, "id_old", UINT32_MAX, false, &m->id_old) ||
	    mc_rd_index(r, "namespace", r->t->nr_ns, true, &m->ns) ||
	    mc_rd_index(r, "superblock", r->t->nr_sbs, true, &m->sb) ||
	    mc_rd_bytes(r, "root", true, &m->root) ||
	    mc_rd_bool(r, "root_deleted", &m->root_deleted) ||
	    (r->version > 3 &&
	     mc_rd_u32(r, "unlinked", MC_MAX_MOUNTS, false, &m->unlinked)) ||
	    mc_rd_bytes(r, "mountpoint", true, &m->mountpoint) ||
	    mc_rd_bytes(r, "source", false, &m->source) ||
	    mc_rd_bytes(r, "options", false, &m->options) ||
	    mc_rd_words(r, "attributes", mc_words_attr, NULL, &m->attr) ||
	    mc_rd_index(r, "idmap", r->t->nr_idmaps, false, &m->idmap) ||
	    mc_rd_words(r, "locks", mc_words_lock, &m->locks_known, &locks) ||
	    get_group(r, "group", &m->group) ||
	    get_group(r, "master", &m->master) ||
	    mc_rd_bool(r, "unbindable", &m->unbindable) ||
	    mc_rd_bool(r, "directory", &dir) || get_nsfs(r, m) ||
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
		return mc_rd_bad(r, "parent", "there is no mount %" PRIu64, id);
	return 0;
}

const struct mc_list mc_lists[MC_NR_LISTS] = {
	{ "user_namespaces", MC_MAX_NAMESPACES, userns_record, NULL },
	{ "namespaces", MC_MAX_NAMESPACES, ns_record, NULL },
	{ "superblocks", MC_MAX_MOUNTS, sb_record, NULL },
	{ "groups", MC_MAX_MOUNTS, group_record, link_group },
	{ "idmaps", MC_MAX_MOUNTS, idmap_record, NULL },
	{ "mounts", MC_MAX_MOUNTS, mount_record, link_mount },
};
