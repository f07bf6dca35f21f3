// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What mountinfo says of the paths of --external, before there is a plan: what a clone will
 * show, and what is had by opening it once more.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <libmount/libmount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "execute/execute.h"

static int8_t is_read_only(struct libmnt_fs *fs)
{
	const char *options = fs ? mnt_fs_get_fs_options(fs) : NULL;
	uint32_t flags;

	if (!options)
		return -1;
	mc_sb_flags(options, &flags);
	return flags & MS_RDONLY ? 1 : 0;
}

int mc_external_sources(const int *fds, uint32_t nr, char ***sources, int8_t **read_only,
			struct mntcr_error *e)
{
	char **list = calloc(nr + 1UL, sizeof(*list));
	int8_t *ro = calloc(nr + 1UL, sizeof(*ro));
	struct libmnt_table *mounted;
	struct libmnt_fs *fs;
	const char *source;
	bool is_root;
	uint32_t i;
	int ret = 0;

	*sources = list;
	*read_only = ro;
	if (!list || !ro)
		return mc_nomem(e);
	memset(ro, -1, nr);
	if (!nr)
		return 0;
	mounted = mc_mounted_read();
	for (i = 0; mounted && !ret && i < nr; i++) {
		fs = fds[i] < 0 ? NULL : mc_mounted_at(mounted, fds[i], &is_root);
		source = fs ? mnt_fs_get_source(fs) : NULL;
		list[i] = source ? strdup(source) : NULL;
		ro[i] = is_read_only(fs);
		if (source && !list[i])
			ret = mc_nomem(e);
	}
	mc_mounted_free(mounted);
	return ret;
}

void mc_external_sources_free(char **sources, uint32_t nr)
{
	uint32_t i;

	for (i = 0; sources && i < nr; i++)
		free(sources[i]);
	free(sources);
}

/* --- what is had by opening it once more ------------------------------------- */

static bool is_plain(const char *options)
{
	return !options || !*options || !strcmp(options, "rw");
}

/* What is mounted at fd, as a superblock of a type of which there is one for all. */
static bool sb_at(struct libmnt_table *mounted, int fd, struct mc_sb *sb)
{
	bool is_root = false;
	struct libmnt_fs *fs = fd < 0 ? NULL : mc_mounted_at(mounted, fd, &is_root);
	const char *root = fs ? mnt_fs_get_root(fs) : NULL;
	const char *options = fs ? mnt_fs_get_fs_options(fs) : NULL;
	const struct mc_type *type;
	struct stat st;
	dev_t dev;

	if (!is_root || !root || strcmp(root, "/"))
		return false;
	sb->type = mnt_fs_get_fstype(fs);
	type = sb->type ? mc_type_of(sb->type) : NULL;
	if (!type || type->kind != MC_TYPE_ONE_FOR_ALL ||
	    !(type->again || (type->again_plain && is_plain(options))))
		return false;
	/* in a cgroup namespace, any cgroup may be "/" */
	if (!strcmp(sb->type, "cgroup2") &&
	    (fstat(fd, &st) || st.st_ino != MC_CGROUP_ROOT_INO))
		return false;
	dev = mnt_fs_get_devno(fs);
	sb->major = major(dev);
	sb->minor = minor(dev);
	return true;
}

void mc_exec_probe_external(const int *fds, size_t nr, uint64_t *again, int *cgroup_fd)
{
	struct libmnt_table *mounted = nr ? mc_mounted_read() : NULL;
	struct mc_sb sb = { 0 };
	size_t i;

	for (i = 0; mounted && i < nr; i++)
		again[i] = sb_at(mounted, fds[i], &sb) &&
			   mc_exec_is_had(sb.type, &sb, cgroup_fd) ?
			   mc_type_bit(mc_type_of(sb.type)) : 0;
	mc_mounted_free(mounted);
}
