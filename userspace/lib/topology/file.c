// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What mounts are on, and their roots, as files.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#include "topology/topology.h"

bool mc_mode_is_device(uint32_t mode)
{
	return S_ISCHR(mode) || S_ISBLK(mode);
}

bool mc_sb_has_own_pidns(const struct mc_sb *sb)
{
	return sb->pidns_ino && sb->pidns_depth == 1;
}

/* What belongs to the ipc namespace belongs to the owner of that. */
uint32_t mc_sb_ns_owner(const struct mc_sb *sb)
{
	return sb->shown_type == CLONE_NEWNET ? sb->shown_owner : sb->userns;
}

bool mc_sb_has_own_ns(const struct mc_sb *sb)
{
	if (!sb->shown_id || sb->shown_own || mc_sb_ns_owner(sb) == MC_NONE)
		return false;
	return (sb->shown_type == CLONE_NEWNET && !strcmp(sb->type, "sysfs")) ||
	       (sb->shown_type == CLONE_NEWIPC && !strcmp(sb->type, "mqueue"));
}

bool mc_mount_ns(const struct mc_topology *t, const struct mc_mount *m, uint32_t *type,
		 uint64_t *nr)
{
	const struct mc_sb *sb = &t->sbs[m->sb];

	if (m->nsfs_type) {
		*type = m->nsfs_type;
		*nr = m->nsfs_type == CLONE_NEWPID ? m->nsfs_ino : m->nsfs_id;
	} else if (!strcmp(sb->type, "proc")) {
		*type = CLONE_NEWPID;
		*nr = sb->pidns_ino;
	} else {
		*type = mc_type_of(sb->type)->shows ? sb->shown_type : 0;
		*nr = sb->shown_id;
	}
	return *nr && *type & (CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC);
}

/* What is not known differs from nothing. */
static bool id_same(uint32_t a, uint32_t b)
{
	return a == b || a == MC_NO_ID || b == MC_NO_ID;
}

bool mc_file_same(const struct mc_file *a, const struct mc_file *b)
{
	if (!a->mode || !b->mode)
		return true;
	if (a->mode != b->mode || !id_same(a->uid, b->uid) ||
	    !id_same(a->gid, b->gid))
		return false;
	if (mc_mode_is_device(a->mode) &&
	    (a->major != b->major || a->minor != b->minor))
		return false;
	return !a->target || !b->target || !strcmp(a->target, b->target);
}

bool mc_type_in_memory(const char *type)
{
	return !strcmp(type, "tmpfs") || !strcmp(type, "ramfs");
}

bool mc_uuid_is_text(const char *s)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	size_t i;

	for (i = 0; form[i]; i++)
		if (form[i] == 'x' ? !s[i] || !strchr("0123456789abcdef", s[i]) :
				     s[i] != '-')
			return false;
	return !s[i];
}

bool mc_uuid_is_nil(const char *s)
{
	return !s[strspn(s, "0-")];
}
