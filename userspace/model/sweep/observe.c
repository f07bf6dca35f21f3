// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the kernel has now, as a state of the model.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * Read through listmount(2) and statmount(2), and once more through mountinfo,
 * which must say the same, unless that is known.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "rules/internal.h"
#include "base/base.h"
#include "sweep/world.h"

#define MAX_SEEN	4096

struct seen {
	uint64_t id, parent, group, master, from;
	uint32_t old_id, old_parent;
	dev_t dev;
	bool unbindable, locked;
	int index;	/* in the model's state; -1 not there yet, -2 not ours */
	char root[48];
	char point[512];
};

struct observation {
	struct world *w;
	struct model *m;
	uint64_t groups[MAX_SEEN];	/* the kernel's ids of the model's */
	uint64_t from[MAX_SEEN];	/* propagate_from of each mount */
	int nr;
	struct seen s[MAX_SEEN];
};

static int wrong(struct observation *o, const char *what, const char *where)
{
	snprintf(o->w->error, sizeof(o->w->error), "%s: %.200s", what, where);
	return -1;
}

static int read_mount(struct observation *o, uint64_t id)
{
	union {
		struct mc_statmount sm;
		char bytes[4096];
	} buf;
	struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER0,
		.mnt_id = id,
		.param = MC_STATMOUNT_SB_BASIC | MC_STATMOUNT_MNT_BASIC |
			 MC_STATMOUNT_PROPAGATE_FROM | MC_STATMOUNT_MNT_ROOT |
			 MC_STATMOUNT_MNT_POINT | MC_STATMOUNT_MNT_LOCKS,
	};
	struct seen *s = &o->s[o->nr];

	if (mc_statmount(&req, &buf.sm, sizeof(buf), 0))
		return world_fail(o->w, "statmount", "");
	if (o->nr == MAX_SEEN)
		return wrong(o, "too many mounts", "");
	o->nr++;
	*s = (struct seen) {
		.id = id,
		.parent = buf.sm.mnt_parent_id,
		.old_id = buf.sm.mnt_id_old,
		.old_parent = buf.sm.mnt_parent_id_old,
		.dev = makedev(buf.sm.sb_dev_major, buf.sm.sb_dev_minor),
		.group = buf.sm.mnt_peer_group,
		.master = buf.sm.mnt_master,
		.from = buf.sm.propagate_from,
		.unbindable = buf.sm.mnt_propagation & MS_UNBINDABLE,
		.locked = (buf.sm.mask & MC_STATMOUNT_MNT_LOCKS) &&
			  (buf.sm.mnt_locks & MOUNT_LOCK_MOUNT),
		.index = -1,
	};
	if (snprintf(s->root, sizeof(s->root), "%s",
		     buf.sm.str + buf.sm.mnt_root) >= (int)sizeof(s->root) ||
	    snprintf(s->point, sizeof(s->point), "%s",
		     buf.sm.str + buf.sm.mnt_point) >= (int)sizeof(s->point))
		return wrong(o, "path too long", buf.sm.str + buf.sm.mnt_point);
	return 0;
}

static int read_all(struct observation *o, uint64_t *root)
{
	struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER0, .mnt_id = MC_LSMT_ROOT,
	};
	struct statx st;
	uint64_t ids[512];
	ssize_t n;

	if (statx(AT_FDCWD, "/", AT_SYMLINK_NOFOLLOW, STATX_MNT_ID_UNIQUE, &st))
		return world_fail(o->w, "statx", "/");
	*root = st.stx_mnt_id;
	o->nr = 0;
	if (read_mount(o, *root))
		return -1;
	do {
		n = mc_listmount(&req, ids, 512, 0);
		if (n < 0)
			return world_fail(o->w, "listmount", "/");
		for (ssize_t i = 0; i < n; i++)
			if (ids[i] != *root && read_mount(o, ids[i]))
				return -1;
		if (n)
			req.param = ids[n - 1];
	} while (n == 512);
	return 0;
}

/* The same mounts, in any order, with the same said of them. */
static int check_mountinfo(struct observation *o)
{
	int fd = openat(o->w->proc, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	char line[2048];
	int n = 0;

	if (!f)
		return world_fail(o->w, "open", "mountinfo");
	while (fgets(line, sizeof(line), f)) {
		unsigned int id, parent, major, minor;
		unsigned long long group = 0, master = 0, from = 0;
		char root[128], point[1024], *opt, *save;
		bool unbindable = false;
		struct seen *s = NULL;

		if (sscanf(line, "%u %u %u:%u %127s %1023s", &id, &parent, &major,
			   &minor, root, point) != 6)
			break;
		strtok_r(line, " \n", &save);
		for (int i = 0; i < 6; i++)
			opt = strtok_r(NULL, " \n", &save);
		for (; opt && strcmp(opt, "-"); opt = strtok_r(NULL, " \n", &save)) {
			sscanf(opt, "shared:%llu", &group);
			sscanf(opt, "master:%llu", &master);
			sscanf(opt, "propagate_from:%llu", &from);
			unbindable |= !strcmp(opt, "unbindable");
		}
		for (int i = 0; i < o->nr && !s; i++)
			if (o->s[i].old_id == id)
				s = &o->s[i];
		n++;
		/* not printed where it is the master itself */
		if (!s || s->old_parent != parent || strcmp(s->root, root) ||
		    strcmp(s->point, point) || s->group != group ||
		    s->dev != makedev(major, minor) || s->master != master ||
		    (s->from != s->master ? s->from : 0) != from ||
		    s->unbindable != unbindable) {
			wrong(o, "mountinfo and statmount differ", point);
			fclose(f);
			return -1;
		}
	}
	fclose(f);
	return n == o->nr ? 0 : wrong(o, "mountinfo has not as many mounts", "");
}

/* The model's number of a group the kernel names; 0 stays 0. */
static int group_number(struct observation *o, uint64_t id)
{
	int g = 1;

	if (!id)
		return 0;
	while (g < o->m->nr_groups && o->groups[g] != id)
		g++;
	if (g == o->m->nr_groups) {
		if (g == MAX_SEEN || model__reserve(o->m, 0, 1))
			return -1;
		model__new_group(o->m, -1);
		o->groups[g] = id;
	}
	return g;
}

/* Where is it from: which superblock of the model, and which directory? */
static bool origin(const struct observation *o, const struct seen *s,
		   struct model_mount *m)
{
	m->root = 0;
	m->sb = SB_ROOT;
	if (s->dev == o->w->dev_events)
		m->sb = SB_EVENT + atoi(s->root + 1);
	else if (s->dev == o->w->dev_shared) {
		m->sb = SB_SHARED;
		m->root = dir_walk(0, s->root);
	} else if (s->dev != o->w->dev_root)
		return false;
	return m->root >= 0;
}

static int add(struct observation *o, struct seen *s, uint64_t root, int ns)
{
	struct model_mount m = { .ns = ns, .parent = -1 };
	struct seen *up = NULL;
	const char *rest = s->point;

	if (s->index != -1)
		return 0;
	if (s->id != root) {
		for (int i = 0; i < o->nr && !up; i++)
			if (o->s[i].id == s->parent)
				up = &o->s[i];
		if (!up)
			return wrong(o, "the parent is not listed", s->point);
		if (add(o, up, root, ns))
			return -1;
		if (up->index == -2)
			return wrong(o, "mounted below the sources", s->point);
		if (strcmp(up->point, "/"))
			rest += strlen(up->point);
		m.parent = up->index;
		m.at = dir_walk(o->m->mnt[up->index].root, rest + (*rest == '/'));
		s->index = -2;
		/* the sources, or copies of them */
		if (!strncmp(rest, "/src/", 5))
			return 0;
		if (m.at < 0)
			return wrong(o, "a mount in an unexpected place", s->point);
	}
	if (!origin(o, s, &m))
		return wrong(o, "a mount of something unexpected", s->point);
	m.unbindable = s->unbindable;
	/* the root is locked to what lies below it, which is left out */
	m.locked = s->locked && s->id != root;
	m.group = group_number(o, s->group);
	m.master = group_number(o, s->master);
	if (m.group < 0 || m.master < 0 || model__reserve(o->m, 1, 0) ||
	    o->m->nr == MAX_SEEN)
		return wrong(o, "too many mounts", "");
	if (m.group) {
		int *up_group = &o->m->group_master[m.group];

		if (*up_group >= 0 && *up_group != m.master)
			return wrong(o, "peers have different masters", s->point);
		*up_group = m.master;
		m.master = 0;
	}
	o->from[o->m->nr] = s->from;
	s->index = o->m->nr;
	o->m->mnt[o->m->nr++] = m;
	return 0;
}

/* MN, "propagate_from": the nearest group above that has a mount in here. */
static int check_from(struct observation *o)
{
	const struct model *m = o->m;

	for (int i = 0; i < m->nr; i++) {
		uint64_t want = 0;

		for (int g = model_master(m, i); g > 0 && !want;
		     g = m->group_master[g])
			for (int k = 0; k < m->nr; k++)
				if (m->mnt[k].group == g &&
				    m->mnt[k].ns == m->mnt[i].ns)
					want = o->groups[g];
		if (o->from[i] != want)
			return wrong(o, "propagate_from is wrong", "");
	}
	return 0;
}

int world_observe(struct world *w, struct model *seen)
{
	struct observation *o = malloc(sizeof(*o));
	uint64_t root;
	int err = 0;

	if (!o)
		return world_fail(w, "malloc", "");
	o->w = w;
	o->m = seen;
	model_init(seen, dir_parents, NR_DIRS);
	seen->nr_ns = w->nr_ns;
	for (int k = 0; k < w->nr_ns && !err; k++) {
		err = world_enter(w, k);
		if (!err)
			err = read_all(o, &root);
		if (!err)
			err = w->brief ? 0 : check_mountinfo(o);
		for (int i = 0; i < o->nr && !err; i++)
			err = add(o, &o->s[i], root, k);
	}
	for (int g = 1; g < seen->nr_groups && !err; g++)
		if (seen->group_master[g] < 0)
			err = wrong(o, "a master without any member", "");
	if (!err)
		err = check_from(o);
	if (err) {
		model_free(seen);
	} else if (model_check(seen)) {
		err = wrong(o, "unsound", model_check(seen));
		model_free(seen);
	}
	free(o);
	return err;
}
