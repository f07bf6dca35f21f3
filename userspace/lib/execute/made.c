// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Namespaces that superblocks show, made anew: one for each that was dumped.  They
 * are empty, no task need ever be in them.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "execute/execute.h"

const char *mc_made_word(const struct mc_made *made)
{
	return mc_nstype_name(made->type);
}

void mc_made_close(struct mc_made *made, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr; i++)
		mc_close(made[i].fd);
	free(made);
}

void mc_made_forget(struct mc_exec *x)
{
	size_t i;

	for (i = 0; i < sizeof(x->made_by) / sizeof(*x->made_by); i++) {
		mc_map_free(x->made_by[i]);
		x->made_by[i] = NULL;
	}
}

static struct mc_map **map_of(struct mc_exec *x, uint32_t type)
{
	return &x->made_by[type == CLONE_NEWPID ? 0 : type == CLONE_NEWNET ? 1 : 2];
}

/* That of the dump, or the end of the list, where there is room.  -1: errno. */
static int find(struct mc_exec *x, uint32_t type, uint64_t nr, uint32_t *at)
{
	struct mc_map **map = map_of(x, type);

	if (!*map)
		*map = mc_map_new();
	if (*map && mc_map_get(*map, nr, at))
		return 0;
	if (!*map ||
	    !mc_grow(&x->made, x->nr_made, &x->max_made, sizeof(*x->made))) {
		errno = ENOMEM;
		return -1;
	}
	*at = x->nr_made;
	x->made[*at] = (struct mc_made){ type, nr, -1 };
	return 0;
}

/* At the end of the list, with its descriptor. */
static int add(struct mc_exec *x, uint32_t at)
{
	struct mc_made *m = &x->made[at];

	if (mc_map_add(*map_of(x, m->type), m->nr, &at) < 0) {
		mc_close(m->fd);
		errno = ENOMEM;
		return -1;
	}
	x->nr_made++;
	return 0;
}

/* With the ids of what shows it, if anything does: whose its files are. */
static int make(struct mc_exec *x, uint32_t i, uint32_t owner, uint32_t shown_by)
{
	const struct mc_mount *m = shown_by == MC_NONE ? NULL : &x->t->mounts[shown_by];
	const struct mc_file none = { 0 };

	if (!m || x->made[i].type == CLONE_NEWPID)
		x->made[i].fd = mc_owner_ns(x, owner, x->made[i].type);
	else if (mc_owner_ns_fsopen(x, owner, x->made[i].type, &x->made[i].fd,
				    strcmp(m->root, "/") ? &none : &m->root_file, NULL))
		return -1;
	return x->made[i].fd < 0 ? -1 : add(x, i);
}

/* Found, or made empty.  -1: errno. */
static int get(struct mc_exec *x, uint32_t type, uint64_t nr, uint32_t owner,
	       uint32_t shown_by)
{
	uint32_t i;

	if (find(x, type, nr, &i) || (i == x->nr_made && make(x, i, owner, shown_by)))
		return -1;
	return x->made[i].fd;
}

int mc_made_pidns(struct mc_exec *x, uint64_t ino, uint32_t owner)
{
	return get(x, CLONE_NEWPID, ino, owner, MC_NONE);
}

int mc_made_fsopen(struct mc_exec *x, const struct mc_src *s)
{
	const struct mc_mount *m = &x->t->mounts[s->shown_by];
	const struct mc_sb *sb = &x->t->sbs[s->sb];
	const struct mc_file none = { 0 };
	uint32_t i;
	int fs;

	if (find(x, sb->shown_type, sb->shown_id, &i))
		return -1;
	fs = mc_owner_ns_fsopen(x, s->owner, sb->shown_type, &x->made[i].fd,
				strcmp(m->root, "/") ? &none : &m->root_file, sb->type);
	if (i < x->nr_made)
		return fs;
	if (fs < 0) {
		mc_close(x->made[i].fd);
	} else if (add(x, i)) {
		mc_close(fs);
		return -1;
	}
	return fs;
}

int mc_made_fd(struct mc_exec *x, uint32_t type, uint64_t nr)
{
	struct mc_map **map = map_of(x, type);
	uint32_t i;

	return *map && mc_map_get(*map, nr, &i) ? x->made[i].fd : -1;
}

static int made_file(struct mc_exec *x, const struct mc_src *s)
{
	const struct mc_mount *m = &x->t->mounts[s->index];
	uint32_t type;
	uint64_t nr;
	int fd = -1;

	if (m->nsfs_type == CLONE_NEWUSER && s->owner == MC_NONE)
		return openat(x->proc_fd, "self/ns/user", O_RDONLY | O_CLOEXEC);
	if (mc_plan_is_ns_given(x->p, s))
		fd = x->need_fd[s->need];
	else if (m->nsfs_type == CLONE_NEWUSER)
		fd = mc_owner_fd(x, s->owner);
	else if (mc_mount_ns(x->t, m, &type, &nr))
		fd = get(x, type, nr, s->owner, s->shown_by);
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

int mc_made_files(struct mc_exec *x, const bool *given)
{
	char name[300];
	uint32_t i;

	for (i = 0; i < x->p->nr_srcs; i++) {
		if (x->p->srcs[i].kind != MC_SRC_NSMADE ||
		    !mc_exec_is_due(x->p->srcs[i].need, given))
			continue;
		x->src_fd[i] = made_file(x, &x->p->srcs[i]);
		if (x->src_fd[i] < 0)
			return mc_fail(x->e, MNTCR_SYS, errno,
				       "%s: making the namespace that its file is of",
				       mc_mount_name(x->t, x->p->srcs[i].index, name,
						     sizeof(name)));
	}
	return 0;
}
