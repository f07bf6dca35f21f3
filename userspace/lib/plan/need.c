// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a restore in stages is given rather than makes: a namespace that a superblock
 * shows, a superblock, what a mount is of.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <ctype.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/priv.h"

const char *mc_need_kind_name(enum mntcr_given_kind kind)
{
	static const char *const names[MNTCR_NR_GIVEN_KINDS] = {
		[MNTCR_GIVEN_PID] = "pid",
		[MNTCR_GIVEN_NET] = "net",
		[MNTCR_GIVEN_IPC] = "ipc",
		[MNTCR_GIVEN_SUPERBLOCK] = "superblock",
		[MNTCR_GIVEN_MOUNT] = "mount",
		[MNTCR_GIVEN_USER] = "user",
		[MNTCR_GIVEN_UTS] = "uts",
		[MNTCR_GIVEN_TIME] = "time",
		[MNTCR_GIVEN_CGROUP] = "cgroup",
	};

	return names[kind];
}

void mc_need_id_text(enum mntcr_given_kind kind, uint64_t id, char *buf, size_t size)
{
	if (kind == MNTCR_GIVEN_SUPERBLOCK)
		snprintf(buf, size, "%" PRIu32 ":%" PRIu32, (uint32_t)(id >> 32),
			 (uint32_t)id);
	else
		snprintf(buf, size, "%" PRIu64, id);
}

bool mc_plan_find_need(const struct mc_plan *p, enum mntcr_given_kind kind, uint64_t id,
		       uint32_t *need)
{
	*need = MC_NONE;
	return (size_t)kind < MNTCR_NR_GIVEN_KINDS && p->need_of[kind] &&
	       mc_map_get(p->need_of[kind], id, need);
}

/* Found, or added. */
static int get_need(struct mc_plan *p, enum mntcr_given_kind kind, uint64_t id,
		    uint32_t *need, struct mntcr_error *e)
{
	if (mc_plan_find_need(p, kind, id, need))
		return 0;
	if (!p->need_of[kind])
		p->need_of[kind] = mc_map_new();
	if (!p->need_of[kind] ||
	    !mc_grow(&p->needs, p->nr_needs, &p->max_needs, sizeof(*p->needs)))
		return mc_nomem(e);
	*need = p->nr_needs;
	p->needs[*need] = (struct mc_need){ .kind = kind, .id = id, .mount = MC_NONE };
	if (mc_map_add(p->need_of[kind], id, need) < 0)
		return mc_nomem(e);
	p->nr_needs++;
	return 0;
}

static bool is_chosen(const struct mc_plan *p, enum mntcr_given_kind kind, uint64_t id,
		      uint32_t *need)
{
	return mc_plan_find_need(p, kind, id, need) && p->needs[*need].chosen;
}

static bool is_dumpers(const struct mc_plan *p, uint64_t ino)
{
	uint32_t i;

	for (i = 0; i < p->topo->nr_userns; i++)
		if (p->topo->userns[i].dumper && p->topo->userns[i].ino == ino)
			return true;
	return false;
}

int mc_plan_choose_needs(struct mc_plan *p, const struct mc_plan_options *o,
			 struct mntcr_error *e)
{
	uint32_t i, need;

	p->staged = o->staged;
	/* what waits is attached in namespaces that nobody enters */
	p->waits = o->staged && o->api == MNTCR_API_EXTENDED;
	if (o->nr_give && !p->waits)
		return mc_fail(e, MNTCR_USAGE, 0,
			       "give: nothing can be waited for with the upstream calls");
	for (i = 0; i < o->nr_give; i++) {
		if ((size_t)o->give[i].kind >= MNTCR_NR_GIVEN_KINDS)
			return mc_fail(e, MNTCR_USAGE, 0, "give: not a kind: %d",
				       (int)o->give[i].kind);
		if (o->give[i].kind == MNTCR_GIVEN_USER && is_dumpers(p, o->give[i].id))
			return mc_fail(e, MNTCR_USAGE, 0,
				       "give user:%" PRIu64 ": that is the dumper's own, for which the caller's stands",
				       o->give[i].id);
		if (get_need(p, o->give[i].kind, o->give[i].id, &need, e))
			return -1;
		p->needs[need].chosen = true;
	}
	return 0;
}

bool mc_need_is_ns(enum mntcr_given_kind kind)
{
	return kind != MNTCR_GIVEN_SUPERBLOCK && kind != MNTCR_GIVEN_MOUNT;
}

bool mc_need_is_shown(enum mntcr_given_kind kind)
{
	return kind == MNTCR_GIVEN_PID || kind == MNTCR_GIVEN_NET || kind == MNTCR_GIVEN_IPC;
}

bool mc_plan_is_ns_given(const struct mc_plan *p, const struct mc_src *s)
{
	return s->need != MC_NONE && mc_need_is_shown(p->needs[s->need].kind);
}

/* Which namespace has to be there before the superblock can be made? */
static bool shown_need(const struct mc_sb *sb, enum mntcr_given_kind *kind,
		       uint64_t *id)
{
	if (!strcmp(sb->type, "proc")) {
		*kind = MNTCR_GIVEN_PID;
		*id = sb->pidns_ino;
	} else if (!strcmp(sb->type, "sysfs") && sb->shown_type == CLONE_NEWNET) {
		*kind = MNTCR_GIVEN_NET;
		*id = sb->shown_id;
	} else if (!strcmp(sb->type, "mqueue") && sb->shown_type == CLONE_NEWIPC) {
		*kind = MNTCR_GIVEN_IPC;
		*id = sb->shown_id;
	} else {
		return false;
	}
	return *id;
}

int mc_plan_sb_need(struct mc_plan *p, uint32_t sb, bool had, uint32_t *need,
		    struct mntcr_error *e)
{
	const struct mc_sb *s = &p->topo->sbs[sb];
	uint64_t dev = MNTCR_DEVICE(s->major, s->minor), id;
	enum mntcr_given_kind kind;

	*need = MC_NONE;
	if (!p->waits || is_chosen(p, MNTCR_GIVEN_SUPERBLOCK, dev, need))
		return 0;
	if (shown_need(s, &kind, &id)) {
		if (!had || is_chosen(p, kind, id, need))
			return get_need(p, kind, id, need, e);
	} else if (!had && mc_type_of(s->type)->kind != MC_TYPE_FILES) {
		return get_need(p, MNTCR_GIVEN_SUPERBLOCK, dev, need, e);
	}
	*need = MC_NONE;
	return 0;
}

bool mc_plan_root_needs_process(const struct mc_sb *sb, const char *root)
{
	if (!strcmp(sb->type, "proc"))
		return root[0] == '/' && isdigit((unsigned char)root[1]);
	if (!strcmp(sb->type, "devpts"))
		return root[0] == '/' && root[1] && strcmp(root, "/ptmx");
	return false;
}

enum mntcr_given_kind mc_need_of_nstype(uint32_t type)
{
	static const struct {
		uint32_t type;
		enum mntcr_given_kind kind;
	} kinds[] = {
		{ CLONE_NEWPID, MNTCR_GIVEN_PID }, { CLONE_NEWNET, MNTCR_GIVEN_NET },
		{ CLONE_NEWIPC, MNTCR_GIVEN_IPC }, { CLONE_NEWUTS, MNTCR_GIVEN_UTS },
		{ CLONE_NEWTIME, MNTCR_GIVEN_TIME }, { CLONE_NEWCGROUP, MNTCR_GIVEN_CGROUP },
		{ CLONE_NEWUSER, MNTCR_GIVEN_USER },
	};
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(kinds); i++)
		if (kinds[i].type == type)
			return kinds[i].kind;
	return MNTCR_NR_GIVEN_KINDS;
}

/* The namespace of a file, if that is to be given as such. */
static bool is_file_chosen(const struct mc_plan *p, const struct mc_mount *m, uint32_t *need)
{
	enum mntcr_given_kind kind = mc_need_of_nstype(m->nsfs_type);

	return !mc_need_is_shown(kind) && is_chosen(p, kind, m->nsfs_ino, need);
}

bool mc_plan_file_need(const struct mc_plan *p, const struct mc_mount *m, uint32_t *need)
{
	enum mntcr_given_kind kind = mc_need_of_nstype(m->nsfs_type);

	uint32_t type;
	uint64_t nr;

	return mc_mount_ns(p->topo, m, &type, &nr) && mc_plan_find_need(p, kind, nr, need);
}

int mc_plan_mount_need(struct mc_plan *p, uint32_t mount, bool had, struct mntcr_error *e)
{
	const struct mc_mount *m = &p->topo->mounts[mount];
	uint32_t need;

	if (!p->waits)
		return 0;
	if (!is_chosen(p, MNTCR_GIVEN_MOUNT, m->id, &need) &&
	    !is_file_chosen(p, m, &need)) {
		if (had)
			return 0;
		if (get_need(p, MNTCR_GIVEN_MOUNT, m->id, &need, e))
			return -1;
	}
	p->src_of[mount] = mc_plan_new_src(p, MC_SRC_GIVEN, m->sb, need);
	if (p->src_of[mount] == MC_NONE)
		return mc_nomem(e);
	p->srcs[p->src_of[mount]].need = need;
	return 0;
}

uint32_t mc_plan_need_of(const struct mc_plan *p, uint32_t mount)
{
	const struct mc_src *s = &p->srcs[mc_src_base(p, p->src_of[mount])];
	const struct mc_mount *m = &p->topo->mounts[mount];

	if (s->need == MC_NONE && m->parent == MC_NONE)
		return mc_plan_owner_need(p, p->topo->ns[m->ns].userns);
	return s->need;
}

uint32_t mc_plan_owner_need(const struct mc_plan *p, uint32_t u)
{
	return !p->owner_need || u == MC_NONE ? MC_NONE : p->owner_need[u];
}

/* Of each that is given late, and of what is to be made in it. */
int mc_plan_choose_owners(struct mc_plan *p, struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	uint32_t i, u, need;

	for (i = 0; i < p->nr_needs && p->needs[i].kind != MNTCR_GIVEN_USER; i++)
		;
	if (i == p->nr_needs)
		return 0;
	p->owner_need = malloc((t->nr_userns + 1UL) * sizeof(*p->owner_need));
	if (!p->owner_need)
		return mc_nomem(e);
	for (i = 0; i < t->nr_userns; i++) {
		p->owner_need[i] = MC_NONE;
		for (u = i; u != MC_NONE && !t->userns[u].dumper; u = t->userns[u].parent) {
			if (is_chosen(p, MNTCR_GIVEN_USER, t->userns[u].ino, &need)) {
				p->owner_need[i] = need;
				p->priv->owner_live[u] = true;
				break;
			}
			if (p->priv->owner_live[u])
				break;
		}
	}
	return 0;
}

uint32_t mc_plan_ns_owner(const struct mc_plan *p, enum mntcr_given_kind kind, uint32_t mount)
{
	const struct mc_mount *m = &p->topo->mounts[mount];
	const struct mc_sb *sb = &p->topo->sbs[m->sb];

	if (!mc_need_is_shown(kind))
		return MC_NONE;
	if (m->nsfs_type)
		return m->nsfs_owner;
	return kind == MNTCR_GIVEN_NET ? mc_sb_ns_owner(sb) : sb->userns;
}

/* What shows a namespace says more of it than its file. */
static void count_mount(struct mc_plan *p, uint32_t need, uint32_t m)
{
	struct mc_need *n = &p->needs[need];

	if (!n->nr_mounts++ || (p->topo->mounts[n->mount].nsfs_type &&
				!p->topo->mounts[m].nsfs_type))
		n->mount = m;
}

/* All that was chosen has to be of use: it may be misspelt. */
int mc_plan_check_needs(struct mc_plan *p, struct mntcr_error *e)
{
	uint32_t m, need;
	char id[32];

	for (m = 0; p->waits && m < p->topo->nr_mounts; m++) {
		if (p->src_of[m] == MC_NONE)
			continue;
		/* beside what its root may wait for */
		need = mc_plan_owner_need(p, p->topo->ns[p->topo->mounts[m].ns].userns);
		if (need != MC_NONE && need != mc_plan_need_of(p, m))
			count_mount(p, need, m);
		need = mc_plan_need_of(p, m);
		if (need != MC_NONE)
			count_mount(p, need, m);
	}
	for (need = 0; need < p->nr_needs; need++) {
		if (p->needs[need].nr_mounts || !p->needs[need].chosen)
			continue;
		mc_need_id_text(p->needs[need].kind, p->needs[need].id, id, sizeof(id));
		return mc_fail(e, MNTCR_USAGE, 0,
			       "give %s:%s: no mount of the image waits for such a one",
			       mc_need_kind_name(p->needs[need].kind), id);
	}
	return 0;
}
