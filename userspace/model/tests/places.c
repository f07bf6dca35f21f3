// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Tests of the model: what trades places, and directories that are renamed or removed.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <string.h>

#include "tests/tests.h"

/* Few directories, which tests may change: a and b, in a one more. */
enum { ROOT, D_A, D_B, D_AA, NR };

struct scene {
	int dirs[NR];
	bool removed[NR];
	struct model m;
	int root;
};

static int start(struct scene *s)
{
	int ns;

	memset(s, 0, sizeof(*s));
	s->dirs[D_AA] = D_A;
	model_init(&s->m, s->dirs, NR);
	s->m.removed = s->removed;
	ns = model_new_ns(&s->m, 0, SB_ROOT);
	s->root = ns < 0 ? ns : model_ns_root(&s->m, ns);
	return s->root;
}

/* move_mount(2): the one above stays, and what hides something is locked */
static const char *beneath(void)
{
	const char *bad = NULL;
	struct scene s;
	struct model *m = &s.m;
	int top, under, other;

	EXPECT(start(&s) >= 0);
	top = model_mount(m, SB_EVENT, 0, s.root, D_A);
	m->mnt[top].locked = true;
	under = model_mount_beneath(m, SB_EVENT + 1, 0, top);
	EXPECT(under >= 0 && model_lookup(m, s.root, D_A) == under);
	EXPECT(model_lookup(m, under, ROOT) == top);
	EXPECT(m->mnt[under].locked && !m->mnt[top].locked);
	other = model_mount(m, SB_EVENT + 2, 0, s.root, D_B);
	EXPECT(!model_move_beneath(m, other, top));
	EXPECT(model_lookup(m, under, ROOT) == other);
	EXPECT(model_lookup(m, other, ROOT) == top);
	/* covered; below the one it is to go beneath; nothing is there */
	EXPECT(model_move_beneath(m, other, top) == -EINVAL);
	other = model_mount(m, SB_EVENT + 3, 0, top, D_B);
	EXPECT(model_move_beneath(m, other, top) == -EINVAL);
	EXPECT(model_mount_beneath(m, SB_EVENT + 4, 0, s.root) == -EINVAL);
	bad = model_check(m);
out:
	model_free(m);
	return bad;
}

/* A copy does not take the lock from what it goes beneath. */
static const char *beneath_copies(void)
{
	const char *bad = NULL;
	struct scene s;
	struct model *m = &s.m;
	int one, two, top, hidden, copy;

	EXPECT(start(&s) >= 0);
	one = model_mount(m, SB_SHARED, 0, s.root, D_A);
	EXPECT(!model_set_type(m, one, MODEL_SHARED, false));
	two = model_bind(m, one, 0, s.root, D_B, false);
	EXPECT(!model_set_type(m, two, MODEL_SLAVE, false));
	hidden = model_mount(m, SB_EVENT, 0, two, D_AA);
	m->mnt[hidden].locked = true;
	top = model_mount(m, SB_EVENT + 1, 0, one, D_AA);
	copy = model_lookup(m, two, D_AA);
	EXPECT(top >= 0 && copy >= 0 && copy != hidden);
	EXPECT(model_lookup(m, copy, ROOT) == hidden);
	EXPECT(m->mnt[copy].locked && m->mnt[hidden].locked);
	/* nor where propagation would put copies over what is there */
	EXPECT(!model_umount(m, top, false));
	top = model_bind(m, one, 0, one, ROOT, false);
	EXPECT(top >= 0);
	EXPECT(model_mount_beneath(m, SB_EVENT + 2, 0, top) == -EINVAL);
	bad = model_check(m);
out:
	model_free(m);
	return bad;
}

/* pivot_root(2) */
static const char *pivot(void)
{
	const char *bad = NULL;
	struct scene s;
	struct model *m = &s.m;
	int old, new, put;

	EXPECT(start(&s) >= 0);
	old = model_mount(m, SB_EVENT, 0, s.root, ROOT);
	new = model_mount(m, SB_EVENT + 1, 0, old, D_A);
	put = model_mount(m, SB_EVENT + 2, 0, new, D_B);
	EXPECT(model_pivot_root(m, old, old, put, D_A) == -EBUSY);
	m->mnt[old].locked = true;
	EXPECT(model_pivot_root(m, s.root, new, put, D_A) == -EINVAL);
	EXPECT(model_pivot_root(m, old, put, new, D_A) == -EINVAL);
	EXPECT(!model_set_type(m, put, MODEL_SHARED, false));
	EXPECT(model_pivot_root(m, old, new, put, D_A) == -EINVAL);
	EXPECT(!model_set_type(m, put, MODEL_PRIVATE, false));
	EXPECT(!model_pivot_root(m, old, new, put, D_A));
	EXPECT(model_lookup(m, s.root, ROOT) == new && m->mnt[new].locked);
	EXPECT(model_lookup(m, put, D_A) == old && !m->mnt[old].locked);
	EXPECT(model_lookup(m, old, D_A) < 0);
	bad = model_check(m);
out:
	model_free(m);
	return bad;
}

/* rmdir(2), rename(2): of the mounts there, of places of others */
static const char *directories(void)
{
	const char *bad = NULL;
	struct scene s;
	struct model *m = &s.m;
	int on, in, narrow, child, copy;

	EXPECT(start(&s) >= 0);
	/* what is below a mount's root, until it is renamed, and copied with it */
	narrow = model_bind(m, s.root, D_A, s.root, ROOT, false);
	child = model_mount(m, SB_EVENT, 0, narrow, D_AA);
	s.dirs[D_AA] = D_B;
	EXPECT(model_check(m) && !model_check_renamed(m));
	copy = model_open_tree(m, narrow, D_A, true, 0);
	EXPECT(copy > 0 && model_lookup(m, model_ns_root(m, copy), D_AA) < 0);
	EXPECT(model_lookup(m, narrow, D_AA) == child);
	EXPECT(model_mount(m, SB_EVENT, 0, narrow, D_AA) == -ENOENT);
	s.dirs[D_AA] = D_A;
	/* goes with what is mounted there, and what that carries */
	in = model_mount(m, SB_EVENT + 1, 0, child, D_A);
	on = model_bind(m, narrow, D_AA, child, D_B, false);
	model_rmdir(m, D_AA);
	s.removed[D_AA] = true;
	EXPECT(!model_alive(m, child) && !model_alive(m, in) && !model_alive(m, on));
	EXPECT(model_alive(m, narrow) && !model_check(m));
	EXPECT(model_mount(m, SB_EVENT, 0, narrow, D_AA) == -ENOENT);
	/* a mount of what has been removed stays, but carries nothing */
	on = model_bind(m, narrow, D_AA, narrow, D_A, false);
	EXPECT(on >= 0 && model_mount(m, SB_EVENT, 0, on, D_AA) == -ENOENT);
	EXPECT(model_mount_beneath(m, SB_EVENT, D_AA, on) == -ENOENT);
	EXPECT(model_mount_beneath(m, SB_EVENT, 0, on) >= 0);
	bad = model_check(m);
out:
	model_free(m);
	return bad;
}

const struct named_test places_tests[] = {
	{ "beneath another mount", beneath },
	{ "copies beneath what is locked", beneath_copies },
	{ "pivot_root", pivot },
	{ "directories renamed and removed", directories },
	{ NULL, NULL }
};
