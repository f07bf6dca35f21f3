// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Tests of the model: what calls lock, set and refuse in other namespaces.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>

#include "tests/tests.h"

#define E(i)	dir_event(0, i)
#define H(i)	dir_hang(0, i)

/* Owner 1 is below the initial one, 2 below that, 3 beside it. */
enum { INIT, UP, DOWN, BESIDE, NR_OWNERS };

#define ALL	((1u << NR_OWNERS) - 1)

static const int above[NR_OWNERS] = { INIT, INIT, UP, INIT };

/* Of each owner a namespace, with a mount in it. */
struct cast {
	struct model m;
	int mnt[NR_OWNERS];
};

static int setup(struct cast *c)
{
	model_init(&c->m, dir_parents, NR_DIRS);
	c->m.above = above;
	for (int i = 0; i < NR_OWNERS; i++)
		if (model_new_ns(&c->m, i, SB_ROOT) != i)
			return -1;
	for (int i = 0; i < NR_OWNERS; i++) {
		c->mnt[i] = model_mount(&c->m, SB_SHARED, 0,
					model_ns_root(&c->m, i), H(0));
		if (c->mnt[i] < 0)
			return -1;
	}
	return 0;
}

/* FM, MOVE_MOUNT_T_FOREIGN: from where to where what is attached is locked */
static const char *attach_locks(void)
{
	static const bool locks[NR_OWNERS][NR_OWNERS] = {
		[INIT] = { [UP] = true, [DOWN] = true, [BESIDE] = true },
		[UP] = { [DOWN] = true, [BESIDE] = true },
		[DOWN] = { [BESIDE] = true },
		[BESIDE] = { [UP] = true, [DOWN] = true },
	};
	const char *bad = NULL;
	struct cast c;
	int src;

	EXPECT(!setup(&c));
	src = c.mnt[INIT];
	EXPECT(model_mount(&c.m, SB_EVENT, 0, src, E(0)) >= 0);
	for (int i = 0; i < NR_OWNERS * NR_OWNERS * 2; i++) {
		int from = i / 2 / NR_OWNERS, to = i / 2 % NR_OWNERS;
		const struct model_caller who = { from, ALL };
		bool locked = locks[from][to] && !(i & 1);
		int new, child;

		new = model_bind_foreign(&c.m, src, 0, model_ns_root(&c.m, to), H(1),
					 MODEL_BIND_REC |
					 (i & 1 ? MODEL_BIND_UNLOCKED : 0), &who);
		EXPECT(new >= 0);
		child = model_lookup(&c.m, new, E(0));
		EXPECT(child >= 0 && c.m.mnt[child].locked == locked);
		EXPECT(!c.m.mnt[new].locked && c.m.mnt[new].attr_locked == locked);
		EXPECT(model_umount(&c.m, child, true) == (locked ? -EINVAL : 0));
		/* it can be unmounted all the same */
		EXPECT(!model_umount(&c.m, new, true));
	}
	bad = model_check(&c.m);
out:
	model_free(&c.m);
	return bad;
}

/* FM: copies are locked along, or as ever by the destination's owner */
static const char *attach_copies(void)
{
	const char *bad = NULL;
	struct cast c;
	int src, same;

	EXPECT(!setup(&c));
	src = model_mount(&c.m, SB_EVENT, 0, model_ns_root(&c.m, INIT), H(1));
	EXPECT(model_mount(&c.m, SB_EVENT + 1, 0, src, E(0)) >= 0);
	for (int i = UP; i < NR_OWNERS; i++)
		EXPECT(!model_setgroup(&c.m, ((int[]) { c.mnt[i] }), 1,
				       i == UP ? -1 : c.mnt[UP], -1,
				       i == UP ? MODEL_SG_SHARED : MODEL_SG_PEER, 0));
	same = model_mount(&c.m, SB_SHARED, 0, model_ns_root(&c.m, DOWN), H(1));
	EXPECT(!model_setgroup(&c.m, &same, 1, c.mnt[UP], -1, MODEL_SG_PEER, 0));
	for (int unlocked = 0; unlocked < 2; unlocked++) {
		const struct model_caller who = { INIT, ALL };

		EXPECT(model_bind_foreign(&c.m, src, 0, c.mnt[DOWN], E(unlocked),
					  MODEL_BIND_REC |
					  (unlocked ? MODEL_BIND_UNLOCKED : 0),
					  &who) >= 0);
		/* the last one is of the destination's owner, too */
		for (int i = UP; i <= NR_OWNERS; i++) {
			bool locked = !unlocked || i == UP || i == BESIDE;
			int new = model_lookup(&c.m, i < NR_OWNERS ? c.mnt[i] : same,
					       E(unlocked));
			int child = model_lookup(&c.m, new, E(0));

			EXPECT(new >= 0 && !c.m.mnt[new].locked);
			EXPECT(c.m.mnt[new].attr_locked == locked);
			EXPECT(child >= 0 && c.m.mnt[child].locked == locked);
		}
	}
	bad = model_check(&c.m);
out:
	model_free(&c.m);
	return bad;
}

/* mount_setattr(2): locks ask for the owner above, the initial one for itself */
static const char *who_locks(void)
{
	static const struct model_attr lock = { .lock = true };
	const char *bad = NULL;
	struct cast c;

	EXPECT(!setup(&c));
	for (int i = 0; i < NR_OWNERS * NR_OWNERS; i++) {
		int whose = i / NR_OWNERS, over = i % NR_OWNERS;
		/* whoever is capable over one is over what is below */
		unsigned int caps = over == INIT ? ALL :
				    over == UP ? 1u << UP | 1u << DOWN : 1u << over;
		const struct model_caller who = { over, caps };
		int mnt = c.mnt[whose], err = model_setattr(&c.m, mnt, &lock, &who);

		EXPECT(err == (caps >> above[whose] & 1 ? 0 : -EPERM));
		EXPECT(c.m.mnt[mnt].locked == !err);
		c.m.mnt[mnt].locked = false;
	}
	EXPECT(model_setattr(&c.m, model_ns_root(&c.m, UP), &lock,
			     &(struct model_caller) { INIT, ALL }) == -EINVAL);
out:
	model_free(&c.m);
	return bad;
}

/* mount_setattr(2): types wherever one is capable, attributes at home */
static const char *set_elsewhere(void)
{
	static const struct model_attr type = { .set_type = true, .type = MODEL_SHARED },
		attrs = { .attrs = true }, both = {
		.attrs = true, .set_type = true, .type = MODEL_SHARED,
	};
	const struct model_caller who = { UP, 1u << UP | 1u << DOWN };
	const char *bad = NULL;
	struct cast c;

	EXPECT(!setup(&c));
	EXPECT(!model_setattr(&c.m, c.mnt[UP], &attrs, &who));
	EXPECT(model_setattr(&c.m, c.mnt[DOWN], &attrs, &who) == -EINVAL);
	EXPECT(model_setattr(&c.m, c.mnt[BESIDE], &attrs, &who) == -EINVAL);
	EXPECT(!model_setattr(&c.m, c.mnt[UP], &both, &who));
	EXPECT(model_setattr(&c.m, c.mnt[DOWN], &both, &who) == -EINVAL);
	EXPECT(!c.m.mnt[c.mnt[DOWN]].group);
	EXPECT(!model_setattr(&c.m, c.mnt[DOWN], &type, &who));
	EXPECT(c.m.mnt[c.mnt[DOWN]].group);
	EXPECT(model_setattr(&c.m, c.mnt[BESIDE], &type, &who) == -EPERM);
	EXPECT(!model_umount(&c.m, c.mnt[DOWN], true));
	EXPECT(model_setattr(&c.m, c.mnt[DOWN], &type, &who) == -EINVAL);
	bad = model_check(&c.m);
out:
	model_free(&c.m);
	return bad;
}

/* MS: what is found before the members are */
static const char *gate(void)
{
	const unsigned int caps = 1u << UP | 1u << DOWN;
	const char *bad = NULL;
	struct cast c;

	EXPECT(!setup(&c));
	/* not even whose they are */
	EXPECT(model_setgroup_caps(&c.m, &c.mnt[INIT], MODEL_MOUNT_MAX + 1, -1, -1,
				   MODEL_SG_SHARED, caps) == -EMFILE);
	/* flags come first, the first member before what is named */
	EXPECT(model_setgroup_caps(&c.m, &c.mnt[INIT], MODEL_MOUNT_MAX + 1, -1,
				   c.mnt[UP], MODEL_SG_SHARED, caps) == -EINVAL);
	EXPECT(model_setgroup_caps(&c.m, &c.mnt[INIT], 1, c.mnt[UP], -1,
				   MODEL_SG_PEER, caps) == -EPERM);
	EXPECT(!model_umount(&c.m, c.mnt[DOWN], true));
	EXPECT(model_setgroup_caps(&c.m, &c.mnt[DOWN], 1, c.mnt[INIT], -1,
				   MODEL_SG_PEER, caps) == -EINVAL);
out:
	model_free(&c.m);
	return bad;
}

/* open_tree(2), move_mount(2): detached trees are used from where they were opened */
static const char *held(void)
{
	const char *bad = NULL;
	int first, top, second, in, peer;
	struct cast c;

	EXPECT(!setup(&c));
	peer = c.mnt[UP];
	EXPECT(!model_set_type(&c.m, peer, MODEL_SHARED, false));
	EXPECT(model_open_tree_from(&c.m, peer, 0, false, DOWN) == -EINVAL);
	first = model_open_tree_from(&c.m, peer, 0, false, UP);
	EXPECT(first > 0 && model_detached(&c.m, first));
	top = model_ns_root(&c.m, first);
	EXPECT(model_used_from(&c.m, top) == UP);
	EXPECT(model_mount(&c.m, SB_EVENT, 0, peer, E(0)) >= 0);
	EXPECT(model_lookup(&c.m, top, E(0)) < 0);
	/* so is what is opened from them */
	EXPECT(model_open_tree_from(&c.m, top, 0, false, DOWN) == -EINVAL);
	second = model_open_tree_from(&c.m, top, 0, false, UP);
	EXPECT(second > 0 && model_used_from(&c.m, model_ns_root(&c.m, second)) == UP);
	EXPECT(model_attach_from(&c.m, second, top, E(1), DOWN) == -EINVAL);
	/* what is attached to them goes to others */
	in = model_attach_from(&c.m, second, top, E(1), UP);
	EXPECT(in >= 0 && c.m.mnt[in].ns == first);
	EXPECT(model_lookup(&c.m, peer, E(1)) >= 0);
	/* and goes with these, but by itself it stays */
	EXPECT(model_umount(&c.m, in, true) == -EINVAL);
	EXPECT(model_move(&c.m, in, top, E(0)) == -EINVAL);
	EXPECT(!model_umount(&c.m, model_lookup(&c.m, peer, E(1)), false));
	EXPECT(!model_alive(&c.m, in));
	bad = model_check(&c.m);
out:
	model_free(&c.m);
	return bad;
}

const struct named_test foreign_tests[] = {
	{ "what is attached is locked for owners that are not above", attach_locks },
	{ "copies of what is attached", attach_copies },
	{ "who may lock", who_locks },
	{ "types and attributes of foreign mounts", set_elsewhere },
	{ "detached trees that are held", held },
	{ "what is looked at before the members of a group", gate },
	{ NULL, NULL }
};
