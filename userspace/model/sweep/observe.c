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
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/internal.h"
#include "base/base.h"
#include "kernel/mount.h"
#include "sweep/world.h"

#define MAX_SEEN	4096

struct seen {
	struct kmount k;
	int index;	/* in the model's state; -1 not there yet, -2 not ours */
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
	struct seen *s = &o->s[o->nr];
	int err;

	if (o->nr == MAX_SEEN)
		return wrong(o, "too many mounts", "");
	err = kmount_read(id, true, &s->k);
	if (err == ENAMETOOLONG)
		return wrong(o, "path too long", s->k.point);
	errno = err;
	if (err)
		return world_fail(o->w, "statmount", "");
	s->index = -1;
	o->nr++;
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
		struct kmount k;
		struct seen *s = NULL;

		if (!kmount_parse(line, &k))
			break;
		for (int i = 0; i < o->nr && !s; i++)
			if (o->s[i].k.old_id == k.old_id)
				s = &o->s[i];
		n++;
		if (!s || !kmount_is_line(&s->k, &k)) {
			wrong(o, "mountinfo and statmount differ", k.point);
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
	if (s->k.dev == o->w->dev_events)
		m->sb = SB_EVENT + atoi(s->k.root + 1);
	else if (s->k.dev == o->w->dev_shared) {
		m->sb = SB_SHARED;
		m->root = dir_walk(0, s->k.root);
	} else if (s->k.dev != o->w->dev_root)
		return false;
	return m->root >= 0;
}

static int add(struct observation *o, struct seen *s, uint64_t root, int ns)
{
	struct model_mount m = { .ns = ns, .parent = -1 };
	struct seen *up = NULL;
	const char *rest = s->k.point;

	if (s->index != -1)
		return 0;
	if (s->k.id != root) {
		for (int i = 0; i < o->nr && !up; i++)
			if (o->s[i].k.id == s->k.parent)
				up = &o->s[i];
		if (!up)
			return wrong(o, "the parent is not listed", s->k.point);
		if (add(o, up, root, ns))
			return -1;
		if (up->index == -2)
			return wrong(o, "mounted below the sources", s->k.point);
		if (strcmp(up->k.point, "/"))
			rest += strlen(up->k.point);
		m.parent = up->index;
		m.at = dir_walk(o->m->mnt[up->index].root, rest + (*rest == '/'));
		s->index = -2;
		/* the sources, or copies of them */
		if (!strncmp(rest, "/src/", 5))
			return 0;
		if (m.at < 0)
			return wrong(o, "a mount in an unexpected place", s->k.point);
	}
	if (!origin(o, s, &m))
		return wrong(o, "a mount of something unexpected", s->k.point);
	m.unbindable = s->k.unbindable;
	/* the root is locked to what lies below it, which is left out */
	m.locked = s->k.locked && s->k.id != root;
	m.group = group_number(o, s->k.group);
	m.master = group_number(o, s->k.master);
	if (m.group < 0 || m.master < 0 || model__reserve(o->m, 1, 0) ||
	    o->m->nr == MAX_SEEN)
		return wrong(o, "too many mounts", "");
	if (m.group) {
		int *up_group = &o->m->group_master[m.group];

		if (*up_group >= 0 && *up_group != m.master)
			return wrong(o, "peers have different masters", s->k.point);
		*up_group = m.master;
		m.master = 0;
	}
	o->from[o->m->nr] = s->k.from;
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
