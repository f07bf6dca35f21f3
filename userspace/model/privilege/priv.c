// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What no new call may change, whoever makes it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "privilege/priv.h"

#define MOUNTS	64

const char *const bad_names[] = {
	"the state is not sound", "superblocks are connected",
	"what is out of the caller's power is changed",
	"the caller sends where it could not",
	"the caller hears from where it could not",
	"an unbindable mount is copied", "a locked child is left out of a copy",
	"the caller gets beneath a locked mount",
	"a locked mount can be taken away",
	"the caller can take away what is out of its power",
	"what is attached from further up can be taken apart",
	"what is attached from further down is locked",
	"reached by the new calls only, for no reason known",
};

int new_move(struct model *m, const struct new_move *v, unsigned int caps)
{
	const struct model_caller who = { v->from, caps };
	bool peer = v->flags & MODEL_SG_PEER;

	if (v->what == MOVE_BIND)
		return model_bind_foreign(m, v->src, v->dir, v->dst, v->at,
					  (v->rec ? MODEL_BIND_REC : 0) |
					  (v->unlocked ? MODEL_BIND_UNLOCKED : 0),
					  &who);
	return model_setgroup_caps(m, v->member, v->nr, peer ? v->named : -1,
				   peer ? -1 : v->named, v->flags, caps);
}

bool next_group_move(int nr, int *number, struct new_move *v)
{
	static const unsigned int flags[] = {
		MODEL_SG_PEER, MODEL_SG_MASTER, MODEL_SG_SIBLING,
		MODEL_SG_SHARED | MODEL_SG_MASTER,
		MODEL_SG_SHARED | MODEL_SG_SIBLING,
	};
	int of_set = 1 + 5 * nr;

	while (*number < ((1 << nr) - 1) * of_set) {
		int set = *number / of_set + 1, k = (*number)++ % of_set - 1;

		if (k < 0) {
			*v = (struct new_move) {
				.what = MOVE_GROUP, .named = -1,
				.flags = MODEL_SG_SHARED,
			};
			for (int i = 0; i < nr; i++)
				if (set >> i & 1)
					v->member[v->nr++] = PRIV_NS + i;
			return true;
		}
		v->flags = flags[k % 5];
		v->named = PRIV_NS + k / 5;
		if (!(set >> k / 5 & 1))
			return true;
	}
	return false;
}

bool next_bind_move(int nr, unsigned int caps, int *number, struct new_move *v)
{
	const int n = PRIV_ROOTS * PRIV_ROOTS * 4;
	int i;

	do {
		i = (*number)++;
		if (i >= nr * nr * n * PRIV_NS) {
			--*number;
			return false;
		}
	} while (!(caps >> i % PRIV_NS & 1));
	*v = (struct new_move) {
		.what = MOVE_BIND, .from = i % PRIV_NS,
		.unlocked = i / PRIV_NS & 1,
	};
	i /= 2 * PRIV_NS;
	v->rec = i & 1;
	v->dir = i / 2 % PRIV_ROOTS;
	v->at = i / 2 / PRIV_ROOTS % PRIV_ROOTS;
	i /= n / 2;
	v->src = PRIV_NS + i % nr;
	v->dst = PRIV_NS + i / nr;
	return true;
}

/* The initial one is owner 0, unless that is in the caller's power. */
const int *priv_above(unsigned int caps, bool turned)
{
	static const int flat[] = { 0, 0, 0 }, both[2][PRIV_NS] = {
		{ 0, 0, 1 }, { 0, 2, 0 },
	}, all[2][PRIV_NS] = {
		{ -1, -1, 1 }, { -1, 2, -1 },
	};

	if (caps & 1)
		return all[turned];
	return caps == 6 ? both[turned] : flat;
}

/*
 * The directories at which events pass through a mount: below its root, and
 * not behind a child that is locked.
 */
unsigned int priv_window(const struct model *m, int i)
{
	unsigned int w = 0;

	for (int d = 0; d < PRIV_ROOTS; d++)
		w |= model_under(m, d, m->mnt[i].root) << d;
	for (int c = 0; c < m->nr; c++) {
		if (m->mnt[c].ns < 0 || m->mnt[c].parent != i || !m->mnt[c].locked)
			continue;
		for (int d = 0; d < PRIV_ROOTS; d++)
			if (model_under(m, d, m->mnt[c].at))
				w &= ~(1u << d);
	}
	return w;
}

struct view {
	uint64_t senders[MOUNTS];	/* to each mount */
	unsigned int window[MOUNTS];
	unsigned int sent[MOUNTS];	/* where the caller can send to it */
	unsigned int heard[MOUNTS];	/* where the caller can hear from it */
	uint64_t beneath;	/* locked, and the caller can mount beneath */
};

static void view(const struct model *m, unsigned int caps, struct view *v)
{
	*v = (struct view) { .beneath = 0 };
	for (int i = 0; i < m->nr; i++)
		if (m->mnt[i].ns >= 0)
			v->window[i] = priv_window(m, i);
	for (int r = 0; r < m->nr; r++)
		for (int s = 0; s < m->nr; s++) {
			if (m->mnt[r].ns < 0 || m->mnt[s].ns < 0 ||
			    !model_hears(m, r, s))
				continue;
			v->senders[r] |= 1ull << s;
			if (priv_capable(m, caps, s))
				v->sent[r] |= v->window[s];
			if (priv_capable(m, caps, r))
				v->heard[s] |= v->window[r];
		}
	for (int i = 0; i < m->nr; i++) {
		unsigned int own = 0;

		for (int d = 0; d < PRIV_ROOTS; d++)
			own |= model_under(m, d, m->mnt[i].root) << d;
		v->sent[i] &= own;
		v->heard[i] &= own;
	}
	for (int c = 0; c < m->nr; c++) {
		int p = m->mnt[c].parent;

		if (m->mnt[c].ns >= 0 && m->mnt[c].locked && p >= 0 &&
		    v->sent[p] >> m->mnt[c].at & 1)
			v->beneath |= 1ull << c;
	}
}

/* What has been lost of what @m was in the beginning? */
static uint64_t lost(const struct model *from, const struct model *m)
{
	uint64_t set = 0;

	for (int c = 0; c < from->nr; c++) {
		int p = from->mnt[c].parent;

		if (from->mnt[c].ns < 0 || p < 0 || m->mnt[p].ns < 0)
			continue;
		if (m->mnt[c].ns < 0 || (from->mnt[c].locked && !m->mnt[c].locked))
			set |= 1ull << c;
	}
	return set;
}

static uint64_t search(const struct model *from, const struct model *m,
		       unsigned int actor, int depth)
{
	struct model t = { 0 };
	uint64_t set = 0;

	for (int i = 0; i < m->nr; i++) {
		if (m->mnt[i].ns < 0 || !priv_capable(m, actor, i))
			continue;
		/* below 2: umount(2), lazily or not; from there: mount(2) */
		for (int what = 0; what < 2 + PRIV_ROOTS; what++) {
			int d = what - 2, err;

			if (what < 2 ? m->mnt[i].parent < 0 :
			    depth < 2 || !m->mnt[i].sb ||
			    !model_under(m, d, m->mnt[i].root))
				continue;
			if (model_copy(&t, m))
				break;
			err = what < 2 ? model_umount(&t, i, what) :
			      model_mount(&t, 100 + depth, 0, i, d);
			if (err < 0)
				continue;
			set |= lost(from, &t);
			if (depth > 1)
				set |= search(from, &t, actor, depth - 1);
		}
	}
	model_free(&t);
	return set;
}

uint64_t taken_away(const struct model *m, unsigned int actor, int depth)
{
	return search(m, m, actor, depth);
}

/*
 * Who has power over a namespace may let others in.  What has to stay is what
 * is locked, and what is in namespaces that the caller has no power over.
 */
static uint64_t protected_from(const struct model *m, unsigned int actor,
			       unsigned int caps)
{
	uint64_t set = 0;

	for (int i = PRIV_NS; i < m->nr; i++)
		if (m->mnt[i].ns >= 0 && (m->mnt[i].locked ||
		    (actor == caps && !priv_capable(m, caps, i))))
			set |= 1ull << i;
	return set;
}

static unsigned int check_taken(const struct model *a, const struct model *b,
				const struct view *va, const struct view *vb,
				unsigned int caps, int depth)
{
	unsigned int bad = 0;

	/* whatever the owners are to one another: any set of them */
	for (unsigned int actor = 1; actor < 1 << PRIV_NS; actor++) {
		uint64_t set = protected_from(a, actor, caps);
		bool look = false;

		/* only where somebody new can send to */
		for (int c = 0; c < a->nr && !look; c++) {
			int p = a->mnt[c].parent;

			for (int s = 0; p >= 0 && set >> c & 1 && s < a->nr; s++)
				look |= priv_capable(a, actor, s) &&
					(vb->senders[p] & ~va->senders[p]) >> s & 1;
		}
		if (!look)
			continue;
		set &= taken_away(b, actor, depth);
		if (set)
			set &= ~taken_away(a, actor, depth);
		for (int c = 0; c < a->nr; c++)
			if (set >> c & 1)
				bad |= a->mnt[c].locked ? 1u << BAD_TAKEN_LOCKED :
							  1u << BAD_TAKEN;
	}
	return bad;
}

/* Mounts that the caller has no power over, their groups, and what they hear. */
static unsigned int check_powerless(const struct model *a, const struct model *b,
				    const struct view *va, const struct view *vb,
				    unsigned int caps)
{
	unsigned int bad = 0;

	for (int i = 0; i < a->nr; i++) {
		if (a->mnt[i].ns < 0 || priv_capable(a, caps, i))
			continue;
		if (a->mnt[i].ns != b->mnt[i].ns ||
		    a->mnt[i].group != b->mnt[i].group ||
		    model_master(a, i) != model_master(b, i))
			bad |= 1u << BAD_CHANGED;
		if (vb->sent[i] & ~va->sent[i])
			bad |= 1u << BAD_SENDS;
		if (vb->heard[i] & ~va->heard[i])
			bad |= 1u << BAD_HEARS;
	}
	return bad;
}

static unsigned int check_copies(const struct model *a, const struct model *b,
				 const struct new_move *v)
{
	unsigned int bad = 0;

	for (int i = a->nr; i < b->nr; i++)
		if (b->mnt[i].unbindable)
			bad |= 1u << BAD_COPY_UNBINDABLE;
	for (int c = 0; v->what == MOVE_BIND && c < a->nr; c++)
		if (a->mnt[c].ns >= 0 && a->mnt[c].parent == v->src &&
		    a->mnt[c].locked && model_under(a, a->mnt[c].at, v->dir) &&
		    model_lookup(b, a->nr, a->mnt[c].at) < 0)
			bad |= 1u << BAD_COPY_UNLOCKED;
	return bad;
}

static unsigned int check_superblocks(const struct model *m, const struct view *v)
{
	for (int r = 0; r < m->nr; r++)
		for (int s = 0; s < m->nr; s++)
			if (v->senders[r] >> s & 1 && m->mnt[r].sb != m->mnt[s].sb)
				return 1u << BAD_SUPERBLOCKS;
	return 0;
}

/* Is it that owner, or one below? */
static bool below(const struct model *m, int owner, int top)
{
	while (owner != top && owner >= 0 && m->above && m->above[owner] != owner)
		owner = m->above[owner];
	return owner == top;
}

/*
 * A tree that comes from further up stays whole, in all places; one that comes
 * from further down, or from beside, locks nothing up there.
 */
static unsigned int check_attached(const struct model *a, const struct model *b,
				   const struct new_move *v)
{
	int to = a->owner[a->mnt[v->dst].ns], from = a->owner[v->from];
	bool same = below(a, from, to);
	struct model t = { 0 };
	unsigned int bad = 0;

	for (int i = a->nr; i < b->nr && !v->unlocked; i++) {
		int owner = b->owner[b->mnt[i].ns];

		if (same && owner == to && b->mnt[i].attr_locked)
			bad |= 1u << BAD_KEPT;
		if (same || !below(a, owner, to))
			continue;
		if (!b->mnt[i].attr_locked)
			bad |= 1u << BAD_SHED;
		if (b->mnt[i].parent >= a->nr && !model_copy(&t, b) &&
		    !model_umount(&t, i, true))
			bad |= 1u << BAD_SHED;
	}
	model_free(&t);
	return bad;
}

unsigned int priv_invariants(const struct model *a, const struct model *b,
			     const struct new_move *v, unsigned int caps,
			     int depth)
{
	struct view va, vb;
	unsigned int bad;

	if (model_check(b) || b->nr > MOUNTS)
		return 1u << BAD_STATE;
	view(a, caps, &va);
	view(b, caps, &vb);
	bad = check_superblocks(b, &vb);
	bad |= check_powerless(a, b, &va, &vb, caps);
	bad |= check_copies(a, b, v);
	/* binds are what they are without the new calls */
	if (v->what == MOVE_BIND)
		return bad | check_attached(a, b, v);
	if (vb.beneath & ~va.beneath)
		bad |= 1u << BAD_BENEATH;
	return bad | check_taken(a, b, &va, &vb, caps, depth);
}
