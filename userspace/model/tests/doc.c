// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Tests of the model: the examples of the documentation, with their outcome.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>

#include "tests/tests.h"

/* Directories by their names in the examples. */
enum { ROOT, D_A, D_B, D_AA, D_AB, D_BA, D_BB };

#define E(i)	dir_event(0, i)
#define H(i)	dir_hang(0, i)

static int start(struct model *m)
{
	int ns;

	model_init(m, dir_parents, NR_DIRS);
	ns = model_new_ns(m, 0, SB_ROOT);
	return ns < 0 ? ns : model_ns_root(m, ns);
}

/* SS 6, quiz A */
static const char *quiz_a(void)
{
	const char *bad = NULL;
	struct model m;
	int root = start(&m), mnt, tmp, again;

	EXPECT(root >= 0);
	mnt = model_bind(&m, root, D_A, root, D_A, false);
	EXPECT(!model_set_type(&m, mnt, MODEL_SHARED, false));
	tmp = model_bind(&m, mnt, D_A, root, D_B, false);
	EXPECT(!model_move(&m, tmp, mnt, D_AA));
	EXPECT(model_lookup(&m, mnt, D_AA) == tmp);
	again = model_lookup(&m, tmp, D_AA);
	EXPECT(again >= 0 && m.mnt[again].group == m.mnt[mnt].group);
	EXPECT(model_lookup(&m, again, D_AA) < 0);
	bad = model_check(&m);
out:
	model_free(&m);
	return bad;
}

/* SS 6, quiz B: the new copy does not receive itself */
static const char *quiz_b(void)
{
	const char *bad = NULL;
	struct model m;
	int root = start(&m), v;

	EXPECT(!model_set_type(&m, root, MODEL_SHARED, true));
	v = model_bind(&m, root, ROOT, root, D_AA, true);
	EXPECT(v >= 0 && m.mnt[v].group == m.mnt[root].group);
	EXPECT(model_lookup(&m, v, D_AA) < 0);
out:
	model_free(&m);
	return bad;
}

/* SS 6, quiz C: A -> B -> C, and B does not have the mountpoint */
static const char *quiz_c(void)
{
	const char *bad = NULL;
	struct model m;
	int root = start(&m), a, b, c, on_a, on_c;

	c = model_bind(&m, root, ROOT, root, H(0), false);
	EXPECT(!model_set_type(&m, c, MODEL_SHARED, false));
	a = model_bind(&m, c, D_A, root, H(1), false);
	EXPECT(!model_set_type(&m, c, MODEL_SLAVE, false));
	EXPECT(!model_set_type(&m, c, MODEL_SHARED, false));
	b = model_bind(&m, c, D_AA, root, H(2), false);
	EXPECT(!model_set_type(&m, c, MODEL_SLAVE, false));
	EXPECT(model_master(&m, b) == m.mnt[a].group);
	EXPECT(model_master(&m, c) == m.mnt[b].group);
	on_a = model_mount(&m, SB_EVENT, 0, a, D_AB);
	on_c = model_lookup(&m, c, D_AB);
	EXPECT(on_a >= 0 && on_c >= 0);
	EXPECT(model_lookup(&m, b, D_AB) < 0);
	EXPECT(model_master(&m, on_c) == m.mnt[on_a].group);
	bad = model_check(&m);
out:
	model_free(&m);
	return bad;
}

/* Three shared peers B1, B2, B3 and what is stacked at one place of each. */
struct stacks {
	struct model m;
	int b[3], a[3], c[3];
};

static const char *start_stacks(struct stacks *s)
{
	const char *bad = NULL;
	int root = start(&s->m);

	s->b[0] = model_mount(&s->m, SB_SHARED, 0, root, H(0));
	EXPECT(!model_set_type(&s->m, s->b[0], MODEL_SHARED, false));
	for (int i = 1; i < 3; i++)
		s->b[i] = model_bind(&s->m, s->b[0], 0, root, H(i), false);
	s->a[0] = model_mount(&s->m, SB_EVENT, 0, s->b[0], E(0));
	for (int i = 0; i < 3; i++)
		s->a[i] = model_lookup(&s->m, s->b[i], E(0));
	s->c[0] = model_mount(&s->m, SB_EVENT + 1, 0, s->b[0], E(0));
	for (int i = 0; i < 3; i++) {
		s->c[i] = model_lookup(&s->m, s->a[i], 0);
		EXPECT(s->c[i] >= 0);
	}
out:
	return bad;
}

/* SS 5f: C1, C2, C3 were mounted last and go */
static const char *umount_last(void)
{
	struct stacks s;
	const char *bad = start_stacks(&s);

	EXPECT(!bad);
	EXPECT(!model_umount(&s.m, s.c[0], false));
	for (int i = 0; i < 3; i++)
		EXPECT(!model_alive(&s.m, s.c[i]) && model_alive(&s.m, s.a[i]));
	bad = model_check(&s.m);
out:
	model_free(&s.m);
	return bad;
}

/* SS 5f: a receiver with a child stays, the umount of one with a child fails */
static const char *umount_busy(void)
{
	struct stacks s;
	const char *bad = start_stacks(&s);
	int child;

	EXPECT(!bad);
	EXPECT(!model_set_type(&s.m, s.c[1], MODEL_PRIVATE, false));
	child = model_mount(&s.m, SB_EVENT + 2, 0, s.c[1], E(1));
	EXPECT(model_umount(&s.m, s.c[1], false) == -EBUSY);
	EXPECT(!model_umount(&s.m, s.c[0], false));
	EXPECT(!model_alive(&s.m, s.c[0]) && !model_alive(&s.m, s.c[2]));
	EXPECT(model_alive(&s.m, s.c[1]) && model_alive(&s.m, child));
	bad = model_check(&s.m);
out:
	model_free(&s.m);
	return bad;
}

/* SS 5f, PU: a lazy umount takes the tree, and the receivers' trees */
static const char *umount_lazy(void)
{
	struct stacks s;
	const char *bad = start_stacks(&s);

	EXPECT(!bad);
	EXPECT(model_umount(&s.m, s.a[0], false) == -EBUSY);
	EXPECT(!model_umount(&s.m, s.a[0], true));
	for (int i = 0; i < 3; i++)
		EXPECT(!model_alive(&s.m, s.a[i]) && !model_alive(&s.m, s.c[i]));
	bad = model_check(&s.m);
out:
	model_free(&s.m);
	return bad;
}

/* PU, "Reparenting": a private mount over a copy that goes slides down */
static const char *umount_slides(void)
{
	struct stacks s;
	const char *bad = start_stacks(&s);
	int over;

	EXPECT(!bad);
	EXPECT(!model_set_type(&s.m, s.a[1], MODEL_PRIVATE, false));
	EXPECT(!model_set_type(&s.m, s.c[1], MODEL_PRIVATE, false));
	over = model_mount(&s.m, SB_EVENT + 2, 0, s.c[1], 0);
	EXPECT(!model_umount(&s.m, s.a[0], true));
	/* c[1] is not below a receiver any more, it covers a[1] */
	EXPECT(!model_alive(&s.m, s.a[1]) && model_alive(&s.m, s.c[1]));
	EXPECT(s.m.mnt[s.c[1]].parent == s.b[1]);
	EXPECT(s.m.mnt[s.c[1]].at == E(0));
	EXPECT(s.m.mnt[over].parent == s.c[1]);
	bad = model_check(&s.m);
out:
	model_free(&s.m);
	return bad;
}

/* A copy that arrives where something is mounted goes beneath it. */
static const char *tucked(void)
{
	const char *bad = NULL;
	struct model m;
	int root = start(&m), b, s, old, copy;

	b = model_mount(&m, SB_SHARED, 0, root, H(0));
	EXPECT(!model_set_type(&m, b, MODEL_SHARED, false));
	s = model_bind(&m, b, 0, root, H(1), false);
	EXPECT(!model_set_type(&m, s, MODEL_SLAVE, false));
	old = model_mount(&m, SB_EVENT, 0, s, E(0));
	EXPECT(model_lookup(&m, b, E(0)) < 0);
	EXPECT(model_mount(&m, SB_EVENT + 1, 0, b, E(0)) >= 0);
	copy = model_lookup(&m, s, E(0));
	EXPECT(copy != old && m.mnt[copy].sb == SB_EVENT + 1);
	EXPECT(m.mnt[old].parent == copy);
	EXPECT(!model_umount(&m, model_lookup(&m, b, E(0)), false));
	EXPECT(!model_alive(&m, copy) && m.mnt[old].parent == s);
	bad = model_check(&m);
out:
	model_free(&m);
	return bad;
}

/* SS 5c: the tree under the unbindable C is pruned */
static const char *rbind_prunes(void)
{
	const char *bad = NULL;
	int root, mnt[7], z, n = 0;
	struct model m;

	root = start(&m);
	mnt[0] = model_mount(&m, SB_SHARED, 0, root, H(0));
	for (int i = 1; i < 7; i++)
		mnt[i] = model_mount(&m, SB_SHARED, 0, mnt[(i - 1) / 2], E(i));
	EXPECT(!model_set_type(&m, mnt[2], MODEL_UNBINDABLE, false));
	z = model_bind(&m, mnt[0], 0, root, H(1), true);
	EXPECT(z >= 0);
	for (int i = 0; i < m.nr; i++)
		n += model_in_tree(&m, i, z);
	EXPECT(n == 4);
	EXPECT(model_lookup(&m, z, E(1)) >= 0 && model_lookup(&m, z, E(2)) < 0);
out:
	model_free(&m);
	return bad;
}

/* A recursive bind below a shared mount: every mount's copies are grouped. */
static const char *rbind_spreads(void)
{
	const char *bad = NULL;
	struct model m;
	int root = start(&m), b, s, top, low, new, in, on_s, in_s;

	b = model_mount(&m, SB_SHARED, 0, root, H(0));
	EXPECT(!model_set_type(&m, b, MODEL_SHARED, false));
	s = model_bind(&m, b, 0, root, H(1), false);
	EXPECT(!model_set_type(&m, s, MODEL_SLAVE, false));
	top = model_mount(&m, SB_EVENT, 0, root, H(2));
	low = model_mount(&m, SB_EVENT + 1, 0, top, E(1));
	new = model_bind(&m, top, 0, b, E(0), true);
	in = model_lookup(&m, new, E(1));
	on_s = model_lookup(&m, s, E(0));
	in_s = model_lookup(&m, on_s, E(1));
	EXPECT(low >= 0 && in >= 0 && in_s >= 0);
	EXPECT(m.mnt[new].group && m.mnt[in].group);
	EXPECT(m.mnt[new].group != m.mnt[in].group);
	EXPECT(!m.mnt[top].group && !m.mnt[low].group);
	EXPECT(!m.mnt[on_s].group && m.mnt[on_s].master == m.mnt[new].group);
	EXPECT(!m.mnt[in_s].group && m.mnt[in_s].master == m.mnt[in].group);
	bad = model_check(&m);
out:
	model_free(&m);
	return bad;
}

/* The last peer leaves: its slaves become those of its master. */
static const char *last_peer(void)
{
	const char *bad = NULL;
	struct model m;
	int root = start(&m), a, b, c, d;

	a = model_mount(&m, SB_SHARED, 0, root, H(0));
	EXPECT(!model_set_type(&m, a, MODEL_SHARED, false));
	b = model_bind(&m, a, 0, root, H(1), false);
	EXPECT(!model_set_type(&m, b, MODEL_SLAVE, false));
	EXPECT(!model_set_type(&m, b, MODEL_SHARED, false));
	c = model_bind(&m, b, 0, root, H(2), false);
	EXPECT(!model_set_type(&m, c, MODEL_SLAVE, false));
	d = model_bind(&m, c, 0, root, H(3), false);
	EXPECT(!model_set_type(&m, d, MODEL_SHARED, false));
	EXPECT(model_master(&m, c) == m.mnt[b].group);
	EXPECT(!model_umount(&m, b, false));
	EXPECT(model_master(&m, c) == m.mnt[a].group);
	EXPECT(model_master(&m, d) == m.mnt[a].group && m.mnt[d].group);
	EXPECT(!model_umount(&m, a, false));
	EXPECT(!model_master(&m, c) && !m.mnt[c].group);
	EXPECT(!model_master(&m, d) && m.mnt[d].group);
	bad = model_check(&m);
out:
	model_free(&m);
	return bad;
}

/*
 * A slave wider than its master: D, its slave group X, X's slave group {H1,
 * H2 rooted at /a, H3}, and L, rooted at /, a slave of H2.
 */
static const char *wide_slave(void)
{
	struct topo t;
	struct layout l;
	struct model m = { 0 };
	const char *bad = NULL;
	int mnt[TOPO_MAX], copy[TOPO_MAX];

	EXPECT(!topo_parse(&t, "[m [m [m m/a m s]]]"));
	layout_siblings(&l);
	EXPECT(!build_model(&t, &l, false, &m, mnt));
	EXPECT(model_mount(&m, SB_EVENT, 0, mnt[0], E(0)) >= 0);
	for (int i = 0; i < t.nr; i++)
		copy[i] = model_lookup(&m, mnt[i], E(0));
	EXPECT(copy[3] < 0);
	EXPECT(copy[2] >= 0 && copy[4] >= 0 && copy[5] >= 0);
	EXPECT(m.mnt[copy[2]].group == m.mnt[copy[4]].group);
	EXPECT(model_master(&m, copy[4]) == m.mnt[copy[1]].group);
	EXPECT(model_master(&m, copy[5]) == m.mnt[copy[4]].group);
out:
	model_free(&m);
	return bad;
}

/* Siblings below a shared mount: copies of all, at all that see the place. */
static const char *narrow_middle(void)
{
	struct topo t;
	struct layout l;
	struct model m = { 0 };
	const char *bad = NULL;
	int mnt[TOPO_MAX], new, low;

	/* the middle group does not see the place, those below it do */
	EXPECT(!topo_parse(&t, "[m [m/b s/a [m/a [m]]]]"));
	layout_siblings(&l);
	EXPECT(!build_model(&t, &l, true, &m, mnt));
	new = model_mount(&m, SB_EVENT, 0, mnt[0], dir_event(D_A, 0));
	EXPECT(new >= 0);
	EXPECT(model_lookup(&m, mnt[1], dir_event(D_A, 0)) < 0);
	low = model_lookup(&m, mnt[2], dir_event(D_A, 0));
	EXPECT(low >= 0 && model_master(&m, low) == m.mnt[new].group);
	low = model_lookup(&m, mnt[3], dir_event(D_A, 0));
	EXPECT(low >= 0 && model_master(&m, low) == m.mnt[new].group);
	low = model_lookup(&m, mnt[4], dir_event(D_A, 0));
	EXPECT(low >= 0 && m.group_master[model_master(&m, low)] ==
	       m.mnt[new].group);
out:
	model_free(&m);
	return bad;
}

/* MN, "Restrictions": locks in the namespace of a less privileged owner */
static const char *locks(void)
{
	const char *bad = NULL;
	struct model m;
	int root = start(&m), a, b, ns, top, la, lb, tree;

	a = model_mount(&m, SB_SHARED, 0, root, H(0));
	b = model_mount(&m, SB_SHARED, 0, a, E(0));
	EXPECT(!model_set_type(&m, a, MODEL_SHARED, false));
	EXPECT(!model_set_type(&m, b, MODEL_UNBINDABLE, false));
	ns = model_clone_ns(&m, 0, 1);
	top = model_ns_root(&m, ns);
	la = model_lookup(&m, top, H(0));
	lb = model_lookup(&m, la, E(0));
	EXPECT(lb >= 0 && m.mnt[la].locked && m.mnt[lb].locked);
	EXPECT(m.mnt[lb].unbindable && !m.mnt[top].locked);
	EXPECT(model_umount(&m, la, true) == -EINVAL);
	EXPECT(model_move(&m, la, top, H(1)) == -EINVAL);
	EXPECT(model_bind(&m, la, 0, top, H(1), false) == -EINVAL);
	EXPECT(model_bind(&m, la, 0, top, H(1), true) == -EPERM);
	/* a tree that arrives there is one unit: only its root can go */
	tree = model_mount(&m, SB_EVENT, 0, root, H(3));
	EXPECT(model_mount(&m, SB_EVENT + 1, 0, tree, E(0)) >= 0);
	tree = model_bind(&m, tree, 0, a, E(1), true);
	EXPECT(tree >= 0);
	tree = model_lookup(&m, la, E(1));
	EXPECT(tree >= 0 && !m.mnt[tree].locked);
	EXPECT(m.mnt[model_lookup(&m, tree, E(0))].locked);
	EXPECT(model_umount(&m, model_lookup(&m, tree, E(0)), false) == -EINVAL);
	EXPECT(!model_umount(&m, tree, true));
	/* the sender's umount takes what only the lock kept */
	EXPECT(!model_umount(&m, b, false));
	EXPECT(!model_alive(&m, lb));
	bad = model_check(&m);
out:
	model_free(&m);
	return bad;
}

/* MN, "Restrictions", 3: no bind shows what a locked mount covers */
static const char *locked_covers(void)
{
	static const bool shows[] = { [D_B] = true, [D_AA] = true, [D_BA] = true,
				      [D_BB] = true };
	const char *bad = NULL;
	struct model m;
	int root = start(&m), a, b;

	a = model_mount(&m, SB_SHARED, 0, root, H(0));
	b = model_mount(&m, SB_EVENT, 0, a, D_AB);
	EXPECT(model_mount(&m, SB_EVENT + 1, 0, a, D_BA) >= 0);
	m.mnt[b].locked = true;
	for (int d = ROOT; d <= D_BB; d++) {
		int new = model_bind(&m, a, d, root, H(1), false);

		if (!shows[d]) {
			EXPECT(new == -EINVAL);
			continue;
		}
		EXPECT(new >= 0);
		EXPECT(!model_umount(&m, new, false));
	}
	bad = model_check(&m);
out:
	model_free(&m);
	return bad;
}

/* SS 5d: what cannot be moved */
static const char *move_refused(void)
{
	const char *bad = NULL;
	struct model m, before = { 0 };
	int root = start(&m), a, b, c;

	a = model_mount(&m, SB_SHARED, 0, root, H(0));
	b = model_mount(&m, SB_SHARED, 0, root, H(1));
	EXPECT(!model_set_type(&m, a, MODEL_SHARED, false));
	c = model_mount(&m, SB_EVENT, 0, a, E(0));
	EXPECT(!model_copy(&before, &m));
	EXPECT(model_move(&m, c, root, H(2)) == -EINVAL);
	EXPECT(model_move(&m, root, b, E(0)) == -EINVAL);
	EXPECT(model_move(&m, a, c, E(0)) == -ELOOP);
	EXPECT(!model_differ(&before, &m));
	EXPECT(model_mount(&m, SB_EVENT, 0, b, E(0)) >= 0);
	EXPECT(!model_set_type(&m, model_lookup(&m, b, E(0)),
			       MODEL_UNBINDABLE, false));
	EXPECT(model_move(&m, b, a, E(1)) == -EINVAL);
out:
	model_free(&m);
	model_free(&before);
	return bad;
}

/* MS: who may be named, and with what */
static const char *setgroup_refused(void)
{
	const char *bad = NULL;
	struct model m;
	int root = start(&m), x[4], other, un;

	for (int i = 0; i < 4; i++)
		x[i] = model_mount(&m, SB_SHARED, 0, root, H(i));
	other = model_mount(&m, SB_EVENT, 0, root, H(4));
	un = model_mount(&m, SB_SHARED, 0, root, H(5));
	EXPECT(!model_set_type(&m, un, MODEL_UNBINDABLE, false));
#define SG(mnt, n, peer, master, flags) \
	model_setgroup(&m, mnt, n, peer, master, flags, 0)
	EXPECT(SG(x, 0, -1, -1, MODEL_SG_SHARED) == -EINVAL);
	EXPECT(SG(x, 1, -1, -1, 0) == -EINVAL);
	EXPECT(SG(x, 1, x[1], -1, MODEL_SG_SHARED) == -EINVAL);
	EXPECT(SG(x, 1, x[1], -1, MODEL_SG_PEER) == -EINVAL);
	EXPECT(SG(x, 1, -1, x[1], MODEL_SG_MASTER) == -EINVAL);
	EXPECT(SG(&un, 1, -1, -1, MODEL_SG_SHARED) == -EINVAL);
	EXPECT(SG(((int[]) { x[0], x[0] }), 2, -1, -1, MODEL_SG_SHARED) ==
	       -EINVAL);
	EXPECT(SG(((int[]) { x[0], other }), 2, -1, -1, MODEL_SG_SHARED) ==
	       -EXDEV);
	EXPECT(!SG(x, 2, -1, -1, MODEL_SG_SHARED));
	EXPECT(SG(x, 1, -1, -1, MODEL_SG_SHARED) == -EBUSY);
	EXPECT(SG(x + 2, 1, -1, x[0], MODEL_SG_SIBLING) == -EINVAL);
	EXPECT(SG(x + 2, 1, -1, x[0], MODEL_SG_MASTER | MODEL_SG_PEER) ==
	       -EINVAL);
	EXPECT(!SG(x + 2, 1, -1, x[0], MODEL_SG_MASTER));
	EXPECT(!SG(x + 3, 1, -1, x[2], MODEL_SG_SIBLING | MODEL_SG_SHARED));
	EXPECT(model_master(&m, x[3]) == m.mnt[x[0]].group);
	EXPECT(m.mnt[x[3]].group && !m.mnt[x[2]].group);
	bad = model_check(&m);
out:
	model_free(&m);
	return bad;
}

/* MS: containment and pairs, for callers without power over everything */
static const char *setgroup_rules(void)
{
	const char *bad = NULL;
	struct model m = { 0 };
	int root, r1, r2, wide, narrow, deep, x, y, z;

	model_init(&m, dir_parents, NR_DIRS);
	EXPECT(model_new_ns(&m, 1, SB_ROOT) == 0);
	EXPECT(model_new_ns(&m, 2, SB_ROOT) == 1);
	root = model_ns_root(&m, 0);
	r2 = model_ns_root(&m, 1);
	wide = model_mount(&m, SB_SHARED, 0, r2, H(0));
	EXPECT(!model_set_type(&m, wide, MODEL_SHARED, false));
	narrow = model_bind(&m, wide, D_A, root, H(1), false);
	EXPECT(narrow >= 0 && m.mnt[narrow].group == m.mnt[wide].group);
	x = model_mount(&m, SB_SHARED, 0, root, H(2));
	deep = model_mount(&m, SB_SHARED, D_AA, root, H(3));
	/* owner 1 has no power over the namespace that @wide is in */
	EXPECT(model_setgroup(&m, &x, 1, narrow, -1, MODEL_SG_PEER, 1) ==
	       -ERANGE);
	EXPECT(model_setgroup(&m, &x, 1, wide, -1, MODEL_SG_PEER, 1) ==
	       -EPERM);
	EXPECT(model_setgroup(&m, &x, 1, -1, narrow, MODEL_SG_MASTER, 1) ==
	       -ERANGE);
	EXPECT(!model_setgroup(&m, &deep, 1, narrow, -1, MODEL_SG_PEER, 1));
	EXPECT(!model_setgroup(&m, &x, 1, narrow, -1, MODEL_SG_PEER, 0));
	/* a locked child, and a sender that could take it away */
	r1 = model_mount(&m, SB_SHARED, 0, root, H(4));
	y = model_mount(&m, SB_SHARED, 0, root, H(5));
	z = model_mount(&m, SB_SHARED, 0, root, H(6));
	EXPECT(model_mount(&m, SB_EVENT, 0, r1, E(0)) >= 0);
	EXPECT(model_mount(&m, SB_EVENT, 0, y, E(0)) >= 0);
	m.mnt[model_lookup(&m, y, E(0))].locked = true;
	EXPECT(model_setgroup(&m, ((int[]) { r1, y }), 2, -1, -1,
			      MODEL_SG_SHARED, 0) == -EACCES);
	EXPECT(!m.mnt[r1].group && !m.mnt[y].group);
	/* a sender without a child there is as bad */
	EXPECT(model_setgroup(&m, ((int[]) { y, z }), 2, -1, -1,
			      MODEL_SG_SHARED, 0) == -EACCES);
	m.mnt[model_lookup(&m, r1, E(0))].locked = true;
	EXPECT(!model_setgroup(&m, ((int[]) { r1, y }), 2, -1, -1,
			       MODEL_SG_SHARED, 0));
	bad = model_check(&m);
out:
	model_free(&m);
	return bad;
}

const struct named_test doc_tests[] = {
	{ "quiz A: moved below its own peer", quiz_a },
	{ "quiz B: recursive bind of a shared root", quiz_b },
	{ "quiz C: a slave in the middle without the mountpoint", quiz_c },
	{ "umount takes the most recently mounted", umount_last },
	{ "umount leaves receivers with children", umount_busy },
	{ "lazy umount takes the receivers' trees", umount_lazy },
	{ "what covered a copy slides to its mountpoint", umount_slides },
	{ "a propagated mount is tucked beneath", tucked },
	{ "recursive bind prunes below unbindable", rbind_prunes },
	{ "recursive bind below a shared mount", rbind_spreads },
	{ "slaves survive the last peer of their master", last_peer },
	{ "a slave wider than its master", wide_slave },
	{ "a group without the mountpoint is left out", narrow_middle },
	{ "locks of a less privileged namespace", locks },
	{ "what a locked mount covers", locked_covers },
	{ "moves that are refused", move_refused },
	{ "groups that are refused", setgroup_refused },
	{ "containment and pairs", setgroup_rules },
	{ NULL, NULL }
};
