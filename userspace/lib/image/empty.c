// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Is nothing in a superblock that is made anew without its contents?
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <string.h>

#include "image/archive.h"

/* Of sorted[from, to), all of one root, the first that can be looked into. */
static int check_root_empty(struct mc_ar_job *j, uint32_t from, uint32_t to,
			    struct mntcr_error *e)
{
	const struct mc_topology *t = j->t;
	const struct mc_sb *sb = &t->sbs[t->mounts[j->sorted[from]].sb];
	char name[300], why[sizeof(e->text)] = "";
	uint32_t i;
	int fd, ret;

	for (i = from; i < to; i++) {
		if (!mc_ar_can_clone(j, j->sorted[i])) {
			if (!*why)
				snprintf(why, sizeof(why), "this one is %s",
					 mc_ar_not_cloned(j, j->sorted[i]));
			continue;
		}
		fd = mc_contents_clone(t, j->sorted[i],
				       j->ns_fd[t->mounts[j->sorted[i]].ns], e);
		if (fd < 0) {
			memcpy(why, e->text, sizeof(why));
			continue;
		}
		ret = mc_is_empty_dir(fd);
		if (ret < 0)
			snprintf(why, sizeof(why), "reading the directory: %s", strerror(errno));
		mc_close(fd);
		if (ret < 0)
			continue;
		if (ret)
			return 0;
		return mc_refuse(e, "not-empty",
				 "%s: %s %u:%u is not empty, and one that is made anew is; would help: --exclude-contents %u:%u, which lets that go",
				 mc_mount_name(t, j->sorted[i], name, sizeof(name)),
				 sb->type, sb->major, sb->minor, sb->major, sb->minor);
	}
	return mc_refuse(e, "contents-out-of-reach",
			 "%s: no mount with this root can be looked into, and %s %u:%u, made anew, is empty: %.400s; would help: --exclude-contents %u:%u",
			 mc_mount_name(t, j->sorted[from], name, sizeof(name)), sb->type,
			 sb->major, sb->minor, why, sb->major, sb->minor);
}

/*
 * What is in it nobody brings back: whose it is has to say that it may go.  Below a root
 * that is empty there is nothing; of which it is not known where it was, a restore is
 * refused.
 */
int mc_ar_check_empty(struct mc_ar_job *j, uint32_t from, uint32_t end,
		      struct mntcr_error *e)
{
	const struct mc_mount *mounts = j->t->mounts;
	const char *last = NULL, *root;
	uint32_t i, to;

	for (i = from; i < end && !mounts[j->sorted[i]].root_deleted; i = to) {
		root = mounts[j->sorted[i]].root;
		for (to = i + 1; to < end && !mounts[j->sorted[to]].root_deleted &&
		     !strcmp(mounts[j->sorted[to]].root, root); to++)
			;
		if (last && mc_path_below(last, root))
			continue;
		if (check_root_empty(j, i, to, e))
			return -1;
		last = root;
	}
	return 0;
}
