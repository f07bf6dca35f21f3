// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Names that are left of what has been unlinked in an overlay: it has no file handles by
 * which they could be found later, and files of it that have one number may be several.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>

#include "contents/save.h"

/*
 * The kernel says of no two files of an overlay whether they are one, but watches each only
 * once.
 */
static int watch(struct mc_save *s, int dir, const char *name)
{
	char path[40 + 256];
	int wd;

	if (s->watch < 0)
		s->watch = inotify_init1(IN_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d%s%s", dir, *name ? "/" : "", name);
	wd = s->watch < 0 ? -1 :
	     inotify_add_watch(s->watch, path, IN_DELETE_SELF | (*name ? IN_DONT_FOLLOW : 0));
	return wd;
}

static int not_watched(struct mc_save *s)
{
	return mc_save_sys(s, "inotify(7), to find its other name");
}

int mc_save_watch(struct mc_save *s, const struct mc_sb *sb, int root,
		  struct mntcr_error *e)
{
	uint32_t unused = 0;
	int wd;

	if (mc_save_turn_to(s, sb, e))
		return -1;
	wd = watch(s, root, "");
	if (wd < 0)
		return not_watched(s);
	return mc_map_add(s->watched, (uint64_t)wd, &unused) < 0 ? mc_nomem(e) : 0;
}

int mc_save_tell_apart(struct mc_save *s, int root, struct stat *st)
{
	int wd = watch(s, root, "");

	st->st_dev = 0;
	st->st_ino = (ino_t)wd;
	/* there may be others, and each is looked for */
	st->st_nlink = 2;
	return wd < 0 ? not_watched(s) : 0;
}

int mc_save_note_name(struct mc_save *s, int dir, const char *name, const struct stat *st)
{
	uint32_t at = s->nr_links, unused;
	int wd;

	if (S_ISDIR(st->st_mode) || !mc_map_get(s->expected, mc_save_key(st), &unused))
		return 0;
	wd = watch(s, dir, name);
	/* it is no name any more */
	if (wd < 0)
		return errno == ENOENT ? 0 : not_watched(s);
	if (!mc_map_get(s->watched, (uint64_t)wd, &unused)) {
		inotify_rm_watch(s->watch, wd);
		return 0;
	}
	switch (mc_map_add(s->by_ino, mc_inode_key(0, (uint64_t)wd), &at)) {
	case 1:
		return 0;
	case -1:
		return mc_nomem(s->e);
	}
	return mc_save_add_link(s);
}
