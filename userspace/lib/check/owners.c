// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Owners of what a restore makes that nobody can be here, and maps that cannot be:
 * ids that the caller's user namespace does not map.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <string.h>

#include "check/check.h"
#include "contents/contents.h"

/* Ids of one kind that are mapped here. */
struct ids {
	struct mc_idmap_extent extents[MC_MAX_IDMAP_EXTENTS];
	uint32_t nr;
	bool all;
};

static void read_map(struct ids *ids, const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	char text[MC_IDMAP_TEXT_SIZE];
	uint32_t i;

	ids->all = fd < 0;	/* no user namespaces: every id is one */
	if (fd < 0 || !mc_read_text(fd, text, sizeof(text)) ||
	    !mc_idmap_parse(text, ids->extents, &ids->nr))
		ids->nr = 0;
	mc_close(fd);
	for (i = 0; i < ids->nr; i++)
		/* (uid_t)-1 is nobody's */
		ids->all = ids->all ||
			   (!ids->extents[i].id && ids->extents[i].count == UINT32_MAX);
}

static bool has_range(const struct ids *ids, uint32_t id, uint32_t count)
{
	const struct mc_idmap map = { .nr_uid = ids->nr, .uid = ids->extents };
	uint32_t unused;

	return ids->all || mc_idmap_range(&map, false, id, count, &unused);
}

static bool has_id(const struct ids *ids, int64_t id)
{
	return ids->all || id == MC_NO_ID ||
	       (id >= 0 && id <= UINT32_MAX && has_range(ids, (uint32_t)id, 1));
}

/* The kernel wants the whole range in one of those that are mapped here. */
static bool has_ids(const struct ids *ids, const struct mc_idmap_extent *x, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr; i++)
		if (!has_range(ids, x[i].parent_id, x[i].count))
			return false;
	return true;
}

struct job {
	struct ids uids, gids;
	struct mc_report *r;
	uint32_t nr;
	char first[700];
};

static void add(struct job *j, const char *what, int64_t uid, int64_t gid)
{
	char esc[400];

	if (has_id(&j->uids, uid) && has_id(&j->gids, gid))
		return;
	if (!j->nr++)
		snprintf(j->first, sizeof(j->first), "%s: owner %lld, group %lld",
			 mc_escape(what, esc, sizeof(esc)), (long long)uid,
			 (long long)gid);
}

/* Of one superblock, whose ids may be moved, and those of another not. */
static void look_into_sb(struct job *j, const struct mntcr_contents *c,
			 const struct mc_sb *sb)
{
	struct archive_entry *entry;
	struct mc_members m;
	struct mc_rules r;
	struct mntcr_error e = { 0 };
	char *name = NULL, *path;
	uint32_t part;

	if (!mc_map_get(c->by_dev, mc_dev_key(sb->major, sb->minor), &part))
		return;
	if (!mc_rules_start(&r, sb, &e) &&
	    !mc_members_open(&m, c->fd, c->parts[part].from, sb->shifts, &e)) {
		while (mc_rules_next(&r, &m, &entry, &name, &path) > 0) {
			add(j, name, archive_entry_uid(entry), archive_entry_gid(entry));
			free(name);
		}
		mc_members_close(&m);
	}
	mc_rules_end(&r);
	if (*e.text)
		mc_report_refuse(j->r, "bad-image", "", "%s", e.text);
}

static void look_into(struct job *j, const struct mntcr_contents *c,
		      const struct mc_topology *t)
{
	uint32_t i;

	for (i = 0; i < t->nr_sbs; i++)
		if (t->sbs[i].contents)
			look_into_sb(j, c, &t->sbs[i]);
}

bool mc_check_userns(struct mc_report *r, const struct mc_plan *p)
{
	const struct mc_userns *u;
	struct ids uids, gids;
	bool good = true;
	uint32_t i;

	read_map(&uids, "/proc/self/uid_map");
	read_map(&gids, "/proc/self/gid_map");
	for (i = 0; i < p->nr_owners; i++) {
		u = &p->topo->userns[p->owners[i]];
		if (!p->topo->userns[u->parent].dumper ||
		    (has_id(&uids, u->owner) &&
		     has_ids(&uids, u->map.uid, u->map.nr_uid) &&
		     has_ids(&gids, u->map.gid, u->map.nr_gid)))
			continue;
		good = false;
		mc_report_refuse(r, "owner-maps",
				 "a restore in a user namespace that maps them",
				 "user namespace %u: its maps or owner are not among the ids that are mapped here",
				 p->owners[i]);
	}
	return good;
}

void mc_check_owners(struct mc_report *r, const struct mc_plan *p,
		     const struct mntcr_contents *c)
{
	struct job j = { .r = r };
	const struct mc_file *f;
	uint32_t i;

	read_map(&j.uids, "/proc/self/uid_map");
	read_map(&j.gids, "/proc/self/gid_map");
	if (j.uids.all && j.gids.all)
		return;
	for (i = 0; i < p->nr_nodes; i++) {
		f = p->nodes[i].file;
		if (f && f->mode)
			add(&j, *p->nodes[i].path ? p->nodes[i].path : "/", f->uid,
			    f->gid);
	}
	if (c)
		look_into(&j, c, p->topo);
	if (j.nr)
		mc_report_refuse(r, "unmapped-owner",
				 "a restore in a user namespace that maps them",
				 "%u files of fresh filesystems belong to ids that are not mapped here; the first is %s",
				 j.nr, j.first);
}
