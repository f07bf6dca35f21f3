// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Histories: what the kernel has now, compared with the model.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * A mount of the kernel is one of the model's if it has the unique id that that
 * was seen to have when it was new: then it was found by its parent and the place
 * there, which are no other mount's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "history/world.h"
#include "kernel/mount.h"

#define MAX_SEEN	1024

struct seen {
	struct kmount k;
	bool ours;
	int ns;
	char rest[64];		/* of what no path leads to: from the root of its parent */
};

struct look {
	struct world *w;
	struct hist *h;
	int nr;
	uint64_t *group;	/* the kernel's id of each of the model's groups */
	struct seen s[MAX_SEEN];
};

static int differs(struct look *l, int mnt, const char *what, const char *where)
{
	const struct name *n = &l->h->tag[mnt].name;

	l->w->differs = what;
	snprintf(l->w->error, sizeof(l->w->error), "mount m%d.%d: %s %.200s",
		 n->step, n->k, what, where);
	return -1;
}

static int wrong(struct look *l, const char *what, const char *where)
{
	l->w->differs = what;
	snprintf(l->w->error, sizeof(l->w->error), "%s %.200s", what, where);
	return -1;
}

/* What says nothing of the kernel. */
static int cannot(struct look *l, const char *what, const char *where)
{
	wrong(l, what, where);
	l->w->differs = NULL;
	return -1;
}

static int look_at(struct look *l, uint64_t id, int ns)
{
	struct seen *s = &l->s[l->nr];
	int err;

	if (l->nr == MAX_SEEN)
		return cannot(l, "too many mounts", "");
	*s = (struct seen) { .ns = ns };
	err = kmount_read(id, l->w->locks, &s->k);
	if (err == ENAMETOOLONG)
		return cannot(l, "path too long", s->k.point);
	errno = err;
	if (err)
		return world_fail(l->w, "statmount", "");
	l->nr++;
	return 0;
}

/*
 * Directories that have been renamed may be no longer below the root of the mount
 * that something is mounted on: what it is called from there.
 */
static int look_from_parent(struct look *l, struct seen *s)
{
	union {
		struct mc_statmount sm;
		char bytes[4096];
	} buf;
	struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER0, .mnt_id = s->k.id,
		.param = MC_STATMOUNT_MNT_POINT,
	};
	int fd = mc_ns_mnt_open(l->w->ns[s->ns], s->k.parent), err;

	if (fd < 0)
		return world_fail(l->w, "NS_MNT_OPEN", "a parent");
	err = fchdir(fd) || chroot(".") || mc_statmount(&req, &buf.sm, sizeof(buf), 0);
	if (err)
		world_fail(l->w, "statmount", "from a parent");
	else
		snprintf(s->rest, sizeof(s->rest), "%.63s", buf.sm.str + buf.sm.mnt_point);
	close(fd);
	return err;
}

static int look_at_all(struct look *l, int ns)
{
	struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER0,
	};
	uint64_t ids[MAX_SEEN], top;
	ssize_t n;

	if (world_unique_id(l->w->root[ns], &top))
		return world_fail(l->w, "statx", "the top");
	if (look_at(l, top, ns))
		return -1;
	/* what hangs where the root directory does not reach is below that */
	req.mnt_id = l->s[l->nr - 1].k.parent;
	n = mc_listmount(&req, ids, MAX_SEEN, 0);
	if (n < 0 || n == MAX_SEEN)
		return world_fail(l->w, "listmount", "");
	for (ssize_t i = 0; i < n; i++)
		if (ids[i] != top && look_at(l, ids[i], ns))
			return -1;
	return 0;
}

/* Below the root directory; a rename may have taken away where it hangs there. */
static bool in_reach(const struct hist *h, int mnt)
{
	const struct model *m = &h->m;
	int top = hist_top(h, m->mnt[mnt].ns);

	while (mnt != top && m->mnt[mnt].parent != top)
		mnt = m->mnt[mnt].parent;
	return mnt == top || model_under(m, m->mnt[mnt].at, m->mnt[top].root);
}

static int look_by_fd(struct look *l, int fd, int ns)
{
	struct seen *s = &l->s[l->nr];
	int err;

	if (l->nr == MAX_SEEN)
		return cannot(l, "too many mounts", "");
	*s = (struct seen) { .ns = ns };
	err = kmount_read_fd(fd, l->w->locks, &s->k);
	errno = err;
	if (err)
		return world_fail(l->w, "statmount", "of a detached tree");
	l->nr++;
	return 0;
}

/* A new one is known by the path that leads to it. */
static int look_in_held(struct look *l, int ns, int mnt)
{
	struct tag *t = &l->h->tag[mnt];
	char path[HIST_PATH];
	int fd, err;

	if (!hist_path(l->h, mnt, path, sizeof(path)))
		return 0;
	fd = openat(l->w->root[ns], path, O_PATH | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return differs(l, mnt, "is missing in a detached tree", path);
	if (fd < 0)
		return world_fail(l->w, "open", path);
	err = look_by_fd(l, fd, ns);
	close(fd);
	if (!err && !t->id)
		t->id = l->s[l->nr - 1].k.id;
	return err;
}

/*
 * The root of a tree that is held, what paths lead to, and that there is nothing else in
 * it.
 */
static int look_at_held(struct look *l, int ns)
{
	const struct model *m = &l->h->m;
	struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER1, .mnt_ns_fd = (uint32_t)l->w->root[ns],
	};
	uint64_t ids[MAX_SEEN];
	int want = -1, err;
	ssize_t n;

	err = look_by_fd(l, l->w->root[ns], ns);
	for (int i = 0; i < m->nr && !err; i++)
		if (m->mnt[i].ns == ns && m->mnt[i].parent >= 0)
			err = look_in_held(l, ns, i);
	if (err)
		return err;
	n = mc_listmount(&req, ids, MAX_SEEN, MC_LISTMOUNT_BY_FD);
	if (n < 0 || n == MAX_SEEN)
		return world_fail(l->w, "listmount", "of a detached tree");
	for (int i = 0; i < m->nr; i++)
		want += m->mnt[i].ns == ns && in_reach(l->h, i);
	if (n != want)
		return wrong(l, n > want ? "a detached tree has more mounts" :
			     "a detached tree has fewer mounts", "");
	return 0;
}

/* One line of mountinfo: what statmount(2) said of a mount, again. */
static bool same_line(struct look *l, int first, char *line)
{
	struct kmount k;

	if (!kmount_parse(line, &k))
		return false;
	for (int i = first; i < l->nr; i++)
		if (l->s[i].k.old_id == k.old_id)
			return kmount_is_line(&l->s[i].k, &k);
	return false;
}

static int check_mountinfo(struct look *l, int first)
{
	int fd = openat(l->w->proc, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	char line[2048], copy[2048];
	int n = 0, err = 0;

	if (!f)
		return world_fail(l->w, "open", "mountinfo");
	while (!err && fgets(line, sizeof(line), f)) {
		n++;
		strcpy(copy, line);
		if (!same_line(l, first, line))
			err = wrong(l, "mountinfo and statmount differ:", copy);
	}
	fclose(f);
	for (int i = first; i < l->nr; i++)
		n += !*l->s[i].k.point;
	if (!err && n != l->nr - first)
		err = wrong(l, "mountinfo has not as many mounts", "");
	return err;
}

static struct seen *by_id(struct look *l, uint64_t id)
{
	for (int i = 0; i < l->nr; i++)
		if (l->s[i].k.id == id)
			return &l->s[i];
	return NULL;
}

/* The place of a mount as the model has it, for the kernel to say. */
static bool same_place(struct look *l, int mnt, const struct seen *s,
		       const struct seen *up)
{
	const struct model_mount *p = &l->h->m.mnt[mnt];
	int root = l->h->m.mnt[p->parent].root, n = 0;
	char path[HIST_PATH + 64] = "";

	/* it lies elsewhere, by now */
	if (!model_under(&l->h->m, p->at, root))
		return !*s->k.point && !*s->rest;
	if (*up->k.point && strcmp(up->k.point, "/"))
		n = sprintf(path, "%s", up->k.point);
	if (p->at != root) {
		path[n++] = '/';
		hist_dir(l->h, p->at, root, path + n);
	} else if (!n) {
		strcpy(path, "/");
	}
	if (!*up->k.point)
		return !*s->k.point && !strcmp(path, s->rest);
	return !strcmp(path, s->k.point);
}

/* What it is of. */
static bool same_root(struct look *l, int mnt, const struct seen *s)
{
	const struct model_mount *p = &l->h->m.mnt[mnt];
	char root[HIST_DIRS * 2 + 16] = "/";

	hist_dir(l->h, p->root, 0, root + 1);
	if (l->h->removed[p->root])
		strcat(root, "//deleted");
	return s->k.dev == l->w->dev[p->sb] && !strcmp(s->k.root, root);
}

/* Groups go one with one: could these be? */
static bool may_be_group(const struct look *l, int g, uint64_t id)
{
	if (!g || !id)
		return !g && !id;
	if (l->group[g])
		return l->group[g] == id;
	for (int i = 1; i < l->h->m.nr_groups; i++)
		if (l->group[i] == id)
			return false;
	return true;
}

/* Then they are from now on. */
static bool same_group(struct look *l, int g, uint64_t id)
{
	bool same = may_be_group(l, g, id);

	if (same && g)
		l->group[g] = id;
	return same;
}

/* In all that does not depend on which of the mounts that hang there it is. */
static bool alike(const struct look *l, int mnt, const struct seen *s)
{
	const struct model *m = &l->h->m;
	const struct model_mount *p = &m->mnt[mnt];
	int on = 0;

	for (int i = 0; i < m->nr; i++)
		on += m->mnt[i].ns != MODEL_GONE && m->mnt[i].parent == mnt;
	for (int i = 0; i < l->nr; i++)
		on -= l->s[i].k.parent == s->k.id;
	return !on && s->k.unbindable == p->unbindable &&
	       (!l->w->locks || s->k.locked == p->locked) &&
	       may_be_group(l, p->group, s->k.group) &&
	       may_be_group(l, model_master(m, mnt), s->k.master);
}

/*
 * A mount that the model has just got: what hangs there, and is nobody yet?  There is
 * one, unless directories have been renamed: of what hangs out of reach no place is told.
 */
static struct seen *find_new(struct look *l, int mnt, const struct seen *up)
{
	struct seen *first = NULL;

	for (int i = 0; i < l->nr; i++) {
		struct seen *s = &l->s[i];

		if (s->ours || s->k.parent != up->k.id || !same_place(l, mnt, s, up) ||
		    !same_root(l, mnt, s))
			continue;
		if (alike(l, mnt, s))
			return s;
		if (!first)
			first = s;
	}
	return first;
}

static int compare_mount(struct look *l, int mnt)
{
	const struct model_mount *p = &l->h->m.mnt[mnt];
	struct tag *t = &l->h->tag[mnt];
	int top = hist_top(l->h, p->ns);
	struct seen *s = NULL, *up = NULL;

	if (mnt != top) {
		up = by_id(l, l->h->tag[p->parent].id);
		/* what is covered in a detached tree is not looked at */
		if (!up && !hist_held(l->h, mnt))
			return differs(l, mnt, "its parent is missing", "");
	}
	if (t->id)
		s = by_id(l, t->id);
	else
		s = up ? find_new(l, mnt, up) : by_id(l, t->id);
	if (!s)
		return differs(l, mnt, "is missing in the kernel", "");
	t->id = s->k.id;
	s->ours = true;
	if (s->ns != p->ns)
		return differs(l, mnt, "is in another namespace", "");
	if (up && s->k.parent != up->k.id)
		return differs(l, mnt, "has another parent, it is at", s->k.point);
	/* no place is told of what is detached; the path led to it */
	if (up && !hist_held(l->h, mnt) && !same_place(l, mnt, s, up))
		return differs(l, mnt, "is in another place:", s->k.point);
	if (!same_root(l, mnt, s))
		return differs(l, mnt, "is of something else, its root is", s->k.root);
	if (s->k.unbindable != p->unbindable)
		return differs(l, mnt, s->k.unbindable ? "is unbindable" :
			       "is not unbindable", "");
	if (l->w->locks && s->k.locked != p->locked)
		return differs(l, mnt, s->k.locked ? "is locked" : "is not locked", "");
	if (!same_group(l, p->group, s->k.group))
		return differs(l, mnt, "has other peers", "");
	if (!same_group(l, model_master(&l->h->m, mnt), s->k.master))
		return differs(l, mnt, "has another master", "");
	return 0;
}

/* Parents first. */
static int compare_tree(struct look *l, int mnt, char *done)
{
	int up = l->h->m.mnt[mnt].parent;

	if (done[mnt])
		return 0;
	done[mnt] = 1;
	/* what no path leads to */
	if (hist_held(l->h, mnt) && up >= 0 && !by_id(l, l->h->tag[mnt].id))
		return 0;
	if (up < 0)
		return hist_held(l->h, mnt) ? compare_mount(l, mnt) : 0;
	return compare_tree(l, up, done) || compare_mount(l, mnt) ? -1 : 0;
}

/* MN, "propagate_from": the nearest group above that has a mount in reach. */
static int compare_from(struct look *l, int mnt)
{
	const struct model *m = &l->h->m;
	struct seen *s = by_id(l, l->h->tag[mnt].id);
	uint64_t want = 0;

	for (int g = model_master(m, mnt); g > 0 && !want; g = m->group_master[g])
		for (int k = 0; k < m->nr; k++)
			if (m->mnt[k].group == g && m->mnt[k].ns == m->mnt[mnt].ns &&
			    m->mnt[k].parent >= 0 && in_reach(l->h, k))
				want = l->group[g];
	return s->k.from == want ? 0 : differs(l, mnt, "receives from another group", "");
}

static int compare(struct look *l)
{
	const struct model *m = &l->h->m;
	char *done = calloc(m->nr + 1, 1);
	int err = 0;

	if (!done)
		return cannot(l, "out of memory", "");
	for (int k = 0; k < m->nr_ns && !err; k++) {
		int top = hist_top(l->h, k);

		if (!l->h->ns_gone[k] && world_unique_id(l->w->root[k],
							 &l->h->tag[top].id))
			err = world_fail(l->w, "statx", "the top");
	}
	for (int i = 0; i < m->nr && !err; i++)
		err = compare_tree(l, i, done);
	free(done);
	for (int i = 0; i < l->nr && !err; i++)
		if (!l->s[i].ours)
			err = wrong(l, "only the kernel has a mount at", l->s[i].k.point);
	for (int i = 0; i < m->nr && !err; i++)
		if (m->mnt[i].parent >= 0 && !hist_held(l->h, i))
			err = compare_from(l, i);
	return err;
}

int world_compare(struct world *w, struct hist *h, bool mountinfo)
{
	struct look *l = malloc(sizeof(*l));
	int err = 0;

	if (!l)
		return world_fail(w, "malloc", "");
	l->w = w;
	l->h = h;
	l->nr = 0;
	l->group = calloc(h->m.nr_groups, sizeof(*l->group));
	for (int k = 0; k < h->m.nr_ns && !err; k++) {
		int first = l->nr;

		if (h->ns_gone[k])
			continue;
		if (model_detached(&h->m, k)) {
			err = look_at_held(l, k);
			continue;
		}
		err = world_enter(w, k) || look_at_all(l, k);
		if (!err && mountinfo)
			err = check_mountinfo(l, first);
		for (int i = first; i < l->nr && !err; i++)
			if (!*l->s[i].k.point)
				err = look_from_parent(l, &l->s[i]);
	}
	if (!err)
		err = l->group ? compare(l) : cannot(l, "out of memory", "");
	if (!err && model_check_renamed(&h->m))
		err = cannot(l, "the model is unsound:", model_check_renamed(&h->m));
	free(l->group);
	free(l);
	return world_enter(w, -1) || err ? -1 : 0;
}

/* What the model has, to see what differs. */
void world_print(const struct hist *h, FILE *f)
{
	char root[64], at[64];

	for (int i = 0; i < h->m.nr; i++) {
		const struct model_mount *p = &h->m.mnt[i];
		const struct name *n = &h->tag[i].name, *up;

		if (p->ns == MODEL_GONE || p->parent < 0)
			continue;
		up = &h->tag[p->parent].name;
		hist_dir(h, p->root, 0, root);
		hist_dir(h, p->at, 0, at);
		fprintf(f, "#   m%d.%d: n%d on m%d.%d at /%s: fs%d /%s", n->step, n->k,
			h->ns[p->ns].step, up->step, up->k, at, p->sb, root);
		if (p->group)
			fprintf(f, " shared:%d", p->group);
		if (model_master(&h->m, i))
			fprintf(f, " master:%d", model_master(&h->m, i));
		fprintf(f, "%s%s\n", p->unbindable ? " unbindable" : "",
			p->locked ? " locked" : "");
	}
}
