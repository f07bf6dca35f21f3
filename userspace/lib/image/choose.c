// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Of which superblocks an archive has the contents, and which of them have to be empty.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "image/archive.h"

/*
 * Those of the files are the dumper's.  They mean the same to whoever fills a
 * superblock of that user namespace, which is made with the same maps.
 */
static bool ids_are_known(const struct mc_topology *t, const struct mc_mount *m)
{
	uint32_t owner = t->ns[m->ns].userns, of = t->sbs[m->sb].userns;

	if (owner == MC_NONE || t->userns[owner].dumper)
		return true;
	return of != MC_NONE && (t->userns[of].dumper || t->userns[of].mapped);
}

/* Can what was unlinked have been made there? */
static bool has_unlinked(const struct mc_sb *sb)
{
	return mc_type_on_device(sb->type) ||
	       (mc_type_of_layers(sb->type) && mc_layers_have_upper(sb));
}

/*
 * Of a device or layers, what has been unlinked and is mounted dies with the machine;
 * where that can't be read, a restore has to have it from live.
 */
static void choose_elsewhere(struct mc_ar_job *j)
{
	struct mc_topology *t = j->t;
	const struct mc_mount *m;
	uint32_t i;

	for (i = 0; i < t->nr_mounts; i++) {
		m = &t->mounts[i];
		if (m->unlinked && has_unlinked(&t->sbs[m->sb]) &&
		    t->sbs[m->sb].whose != MC_WHOSE_HOST)
			t->sbs[m->sb].contents = true;
	}
	for (i = 0; i < t->nr_mounts; i++) {
		m = &t->mounts[i];
		if (!m->unlinked || !mc_type_elsewhere(t->sbs[m->sb].type) ||
		    !t->sbs[m->sb].contents || ids_are_known(t, m))
			continue;
		mc_ar_tell(j, m, "the root of this mount has been unlinked and can't be read: without its contents");
		t->sbs[m->sb].contents = false;
	}
}

/* One unlinked root of a superblock, sorted[from, to): can it be, or is nobody let? */
static bool is_read(struct mc_ar_job *j, uint32_t from, uint32_t to)
{
	uint32_t i;

	for (i = from; i < to; i++)
		if (mc_ar_can_clone(j, j->sorted[i]) ||
		    j->ns_fd[j->t->mounts[j->sorted[i]].ns] < 0)
			return true;
	mc_ar_tell(j, &j->t->mounts[j->sorted[from]],
		   "the root of this mount has been unlinked and can't be read: without its contents");
	/* which one it was is nothing without those */
	for (i = from; i < to; i++)
		j->t->mounts[j->sorted[i]].unlinked = 0;
	return false;
}

static void choose_unlinked(struct mc_ar_job *j)
{
	const struct mc_mount *mounts = j->t->mounts, *m, *x;
	uint32_t i, to, sb = MC_NONE;

	for (i = 0; i < j->t->nr_mounts; i = to) {
		m = &mounts[j->sorted[i]];
		to = i + 1;
		if (!m->unlinked || (m->sb != sb && !j->t->sbs[m->sb].contents))
			continue;
		for (; to < j->t->nr_mounts; to++) {
			x = &mounts[j->sorted[to]];
			if (x->sb != m->sb || x->unlinked != m->unlinked)
				break;
		}
		/* of a device, or layers, that is all there is */
		if (m->sb != sb && mc_type_elsewhere(j->t->sbs[m->sb].type))
			j->t->sbs[m->sb].contents = false;
		sb = m->sb;
		if (is_read(j, i, to))
			j->t->sbs[sb].contents = true;
	}
}

int mc_ar_choose(struct mc_ar_job *j, struct mntcr_error *e)
{
	struct mc_topology *t = j->t;
	char esc[200];
	uint32_t i, sb;
	size_t x;

	for (i = 0; i < t->nr_sbs; i++) {
		t->sbs[i].contents = t->sbs[i].nr_mounts &&
				     mc_type_in_memory(t->sbs[i].type);
		/* a namespace's, of which a restore makes another one */
		j->lossy[i] = mc_type_of(t->sbs[i].type)->lossy &&
			      t->sbs[i].whose != MC_WHOSE_HOST &&
			      (!mc_type_of(t->sbs[i].type)->shows ||
			       mc_sb_has_own_ns(&t->sbs[i]));
	}
	choose_elsewhere(j);
	for (x = 0; x < j->o->nr_exclude; x++) {
		sb = mc_find_sb(t, j->o->exclude[x]);
		if (sb == MC_NONE)
			return mc_fail(e, MNTCR_USAGE, 0,
				       "to be left out: %s names no superblock of a mount",
				       mc_escape(j->o->exclude[x], esc, sizeof(esc)));
		t->sbs[sb].contents = j->lossy[sb] = false;
	}
	for (i = 0; i < t->nr_mounts; i++) {
		const struct mc_mount *m = &t->mounts[i];

		if (t->sbs[m->sb].contents && t->sbs[m->sb].whose == MC_WHOSE_HOST) {
			mc_ar_tell(j, m, "the host's: without its contents");
			t->sbs[m->sb].contents = false;	/* once */
		}
		/* a path would lead elsewhere by now */
		if (m->root_deleted && !m->unlinked && t->sbs[m->sb].contents)
			mc_ar_tell(j, m, "the root of this mount has been unlinked and could not be looked at: without its contents");
		if ((!m->root_deleted || m->unlinked) && t->sbs[m->sb].contents &&
		    !ids_are_known(t, m)) {
			mc_refuse(e, "contents-owner",
				  "%s %u:%u is mounted in a namespace of another user namespace, and which one it belongs to, or its maps, could not be asked: whose ids those of its files are is not known",
				  t->sbs[m->sb].type, t->sbs[m->sb].major,
				  t->sbs[m->sb].minor);
			if (mc_ar_refused(j, &t->sbs[m->sb], e))
				return -1;
			t->sbs[m->sb].contents = false;	/* once */
		}
	}
	choose_unlinked(j);
	return 0;
}
