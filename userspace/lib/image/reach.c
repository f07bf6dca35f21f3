// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Through which mounts the contents of a superblock can be read: what can be cloned alone,
 * and what is seen in the clone, which locked mounts cover a part of.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/archive.h"

const char *mc_ar_not_cloned(const struct mc_ar_job *j, uint32_t m)
{
	const struct mc_mount *mnt = &j->t->mounts[m];
	uint32_t owner = j->t->sbs[mnt->sb].userns;

	if (j->ns_fd[mnt->ns] < 0)
		return "in a namespace that was not given";
	if (mnt->unbindable)
		return "unbindable";
	if (mnt->idmap == MC_NONE)
		return NULL;
	if (j->no_attr_call)
		return "idmapped, and this kernel clones none without its idmap";
	if (mc_has_locked_child(j->t, m))
		return "idmapped, with locked mounts on it";
	return owner == MC_NONE || j->t->userns[owner].dumper || j->t->userns[owner].mapped ?
	       NULL : "idmapped, and of a filesystem that is not the dumper's";
}

bool mc_ar_can_clone(const struct mc_ar_job *j, uint32_t m)
{
	return !mc_ar_not_cloned(j, m);
}

bool mc_ar_shows(const struct mc_ar_job *j, uint32_t m, const char *path)
{
	const struct mc_mount *mnt = &j->t->mounts[m];
	uint32_t c;

	if (mnt->root_deleted || !mc_ar_can_clone(j, m) || !mc_path_below(mnt->root, path))
		return false;
	if (!mc_has_locked_child(j->t, m))
		return true;
	path += mnt->root[1] ? strlen(mnt->root) : 0;
	mc_for_each_child(j->t, c, m)
		/* on its root, it is not in the way of a descriptor of that */
		if (j->t->mounts[c].mountpoint[1] && mc_path_below(j->t->mounts[c].mountpoint, path))
			return false;
	return true;
}

/*
 * Could it be seen there, if what is not locked were unmounted?  Then somebody may have
 * use for it.
 */
static bool could_show(const struct mc_ar_job *j, uint32_t m, const char *path)
{
	const struct mc_mount *mnt = &j->t->mounts[m], *c;
	uint32_t i;

	if (mnt->root_deleted || !mc_path_below(mnt->root, path))
		return false;
	path += mnt->root[1] ? strlen(mnt->root) : 0;
	mc_for_each_child(j->t, i, m) {
		c = &j->t->mounts[i];
		if (c->locks_known && c->locks & MOUNT_LOCK_MOUNT &&
		    c->mountpoint[1] && mc_path_below(c->mountpoint, path))
			return false;
	}
	return true;
}

int mc_ar_elsewhere(void *data, const char *path, int *fd, bool *root,
		    struct mntcr_error *e)
{
	static const struct mc_open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = MC_RESOLVE_BENEATH | MC_RESOLVE_NO_SYMLINKS |
			   MC_RESOLVE_NO_XDEV,
	};
	const struct mc_ar_range *r = data;
	const struct mc_ar_job *j = r->j;
	const struct mc_mount *m;
	char esc[300], line[500], *dir;
	struct mntcr_error failed = { 0 };
	bool told = false;
	const char *way, *end;
	uint32_t i;
	int clone;

	*fd = -1;
	for (i = r->from; i < r->end; i++) {
		m = &j->t->mounts[j->sorted[i]];
		if (!mc_ar_shows(j, j->sorted[i], path))
			continue;
		clone = mc_contents_clone(j->t, j->sorted[i], j->ns_fd[m->ns], e);
		if (clone < 0) {
			/* another one may be reached */
			failed = *e;
			continue;
		}
		way = path + (m->root[1] ? strlen(m->root) : 0);
		way += *way == '/';
		end = strrchr(way, '/');
		*root = !*way;
		if (!end) {
			*fd = clone;
			return 0;
		}
		dir = strndup(way, (size_t)(end - way));
		if (dir)
			*fd = mc_openat2_far(clone, dir, &how);
		free(dir);
		mc_close(clone);
		return *fd >= 0 ? 0 :
		       mc_fail(e, MNTCR_SYS, errno, "%s %u:%u: /%s",
			       j->t->sbs[m->sb].type, j->t->sbs[m->sb].major,
			       j->t->sbs[m->sb].minor,
			       mc_escape(path + 1, esc, sizeof(esc)));
	}
	if (*failed.text) {
		*e = failed;
		return -1;
	}
	/* of these there are no contents */
	if (mc_type_of_layers(j->t->sbs[j->t->mounts[j->sorted[r->from]].sb].type))
		return 0;
	for (i = r->from; i < r->end; i++) {
		m = &j->t->mounts[j->sorted[i]];
		if (!told && j->o->left_out && could_show(j, j->sorted[i], path)) {
			told = true;
			snprintf(line, sizeof(line), "%s %u:%u: /%s: what covers it is not locked, but others of its mount are: without its contents",
				 j->t->sbs[m->sb].type, j->t->sbs[m->sb].major,
				 j->t->sbs[m->sb].minor, mc_escape(path + 1, esc, sizeof(esc)));
			j->o->left_out(j->o->data, line);
		}
		if (!m->root_deleted && mc_path_below(path, m->root))
			return mc_refuse(e, "contents-out-of-reach",
					 "%s %u:%u: /%s is covered by locked mounts wherever it would be, but what is below it is mounted: %s",
					 j->t->sbs[m->sb].type, j->t->sbs[m->sb].major,
					 j->t->sbs[m->sb].minor,
					 mc_escape(path + 1, esc, sizeof(esc)), m->root);
	}
	return 0;
}
