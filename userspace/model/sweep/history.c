// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A child that peers of its parent do not have, with mount(2) alone.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * What is mounted below a shared mount appears at all that receive from it,
 * and an umount there takes it away again everywhere, except where something
 * is mounted inside.  So: mount the child; mount X inside, which appears in
 * all the copies; make the child's own X private and mount Y inside that,
 * which appears nowhere else; lazily umount the copy at a peer that is to go
 * anyway.  All other copies go together with their X, from beneath whatever
 * the receivers had at that place; the child stays, because X has to.
 *
 * A copy that itself receives from the parent (it is a peer or a slave of what
 * it is on) and was tucked beneath something takes that along: the umount looks
 * there as well.  So what is there already gets something inside for the time
 * being, which the copies, made later, do not have.
 *
 * That is no way to a locked mount: locks come with a copy of a whole namespace
 * for another owner.
 */
#define _GNU_SOURCE
#include <stdio.h>

#include "run.h"
#include "sys.h"

const char *no_history(const struct topo *t, const struct layout *l)
{
	for (int i = 0; i < t->nr; i++)
		if (l->locked[i])
			return "no history, locks come with copies of namespaces";
	return NULL;
}

/* May copies of mount @i be tucked, and hear of their own umount? */
static bool takes_others(const struct topo *t, const struct layout *l, int i)
{
	return (l->over[i] || l->dir[i]) && topo_hears(t, i, l->on[i]);
}

/* What is inside of each mount that is there, as propagation may have done. */
static int guard(struct world *w, const struct topo *t, bool *guarded)
{
	struct stat st;

	for (int k = 0; k < t->nr; k++) {
		guarded[k] = false;
		if (w->mnt[k] < 0)
			continue;
		if (fstatat(w->mnt[k], "x1", &st, 0))
			return world_fail(w, "stat", "x1");
		if (st.st_dev == w->dev_events)
			continue;
		if (world_enter(w, t->m[k].ns))
			return -1;
		if (fchdir(w->mnt[k]))
			return world_fail(w, "chdir", "a mount");
		if (world_bind_path(w, "/src/events/2", "x1", 0, 0))
			return -1;
		guarded[k] = true;
	}
	return 0;
}

static int unguard(struct world *w, const struct topo *t, const bool *guarded)
{
	for (int k = t->nr - 1; k >= 0; k--) {
		if (!guarded[k])
			continue;
		if (world_enter(w, t->m[k].ns))
			return -1;
		if (fchdir(w->mnt[k]) || umount2("x1", UMOUNT_NOFOLLOW))
			return world_fail(w, "umount", "x1");
	}
	return 0;
}

/* What covers a mount: ".." of a root directory is what is mounted on it. */
static int open_cover(struct world *w, int on)
{
	int fd = -1;

	if (!fchdir(w->mnt[on]) && !chroot("."))
		fd = open("..", O_PATH | O_CLOEXEC);
	/* the namespace's root again */
	w->in = -2;
	if (fd >= 0 && world_enter(w, w->mnt_ns[on])) {
		close(fd);
		return -1;
	}
	return fd;
}

/*
 * What is seen where mount @i is.  In what it is on no path leads elsewhere; but
 * its copies at receivers may be in the way to that one itself.
 */
static int open_place(struct world *w, const struct topo *t,
		      const struct layout *l, int i)
{
	int at, on = build_place(t, l, i, &at);
	char buf[DIR_PATH];

	if (at == t->m[on].root)
		return open_cover(w, on);
	return openat(w->mnt[on], dir_path(at, t->m[on].root, buf),
		      O_PATH | O_CLOEXEC);
}

/* The current directory is the child; @copy is a copy of it. */
static int drop_copies(struct world *w, const char *copy)
{
	if (world_bind_path(w, "/src/events/0", "x0", MS_PRIVATE, 0) ||
	    world_bind_path(w, "/src/events/1", "x0/x0", 0, 0))
		return -1;
	if (umount2(copy, UMOUNT_NOFOLLOW | MNT_DETACH))
		return world_fail(w, "umount", copy);
	if (umount2("x0/x0", UMOUNT_NOFOLLOW) || umount2("x0", UMOUNT_NOFOLLOW))
		return world_fail(w, "umount", "x0");
	return 0;
}

static int add_child(struct world *w, const struct topo *t,
		     const struct layout *l, int i)
{
	static const unsigned long type[] = {
		[TOPO_PRIVATE] = MS_PRIVATE, [TOPO_UNBINDABLE] = MS_UNBINDABLE,
		[TOPO_SLAVE] = MS_SLAVE, [TOPO_MEMBER] = 0,
	};
	const struct topo_mount *m = &t->m[i], *up = &t->m[l->on[i]];
	char from[64], to[64], buf[DIR_PATH];
	int at, on = build_place(t, l, i, &at);

	if (world_enter(w, m->ns))
		return -1;
	if (m->kind >= TOPO_MEMBER)
		snprintf(from, sizeof(from), "/seed/%d/%s", m->group,
			 dir_path(m->root, 0, buf));
	else
		snprintf(from, sizeof(from), "/src/shared/%s",
			 dir_path(m->root, 0, buf));
	snprintf(to, sizeof(to), "./%s", dir_path(at, up->root, buf));
	if (fchdir(w->mnt[on]))
		return world_fail(w, "chdir", to);
	if (world_bind_path(w, from, to, 0, 0))
		return -1;
	w->mnt[i] = open_place(w, t, l, i);
	if (w->mnt[i] < 0 || fchdir(w->mnt[i]))
		return world_fail(w, "open", to);
	snprintf(to, sizeof(to), "/seed/%d/%s", up->group,
		 dir_path(at, 0, buf));
	if (up->kind == TOPO_MEMBER && drop_copies(w, to))
		return -1;
	if (type[m->kind] && mount(NULL, ".", NULL, type[m->kind], NULL))
		return world_fail(w, "change the type of", "a child");
	return 0;
}

int world_add_child(struct world *w, const struct topo *t,
		    const struct layout *l, int i)
{
	bool others = takes_others(t, l, i), guarded[TOPO_MAX];

	if (others && guard(w, t, guarded))
		return -1;
	if (add_child(w, t, l, i))
		return -1;
	return others ? unguard(w, t, guarded) : 0;
}
