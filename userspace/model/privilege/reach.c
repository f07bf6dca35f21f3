// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Getting without the new calls to where they lead.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * The caller enters any namespace that it is capable over with setns().  What
 * it does there is written down as steps, and tried: a state is reached if the
 * steps end in it, up to names.  What temporary mounts it needs are in
 * namespaces of its own, dropped at the end.
 */
#include <errno.h>

#include "privilege/priv.h"

const char *const reach_names[] = {
	"by MOVE_MOUNT_SET_GROUP", "by way of a temporary mount", "by setns",
	"by setns, not locked",
	"not: locks alike", "not: roots", "not: sibling of a shared mount",
	"not, and no reason known",
};

/* Does a mount show a directory, and all that is below? */
static bool shows(const struct model *m, int mnt, int dir)
{
	return priv_window(m, mnt) >> dir & 1 && !model_lock_hides(m, mnt, dir);
}

static int set_type(struct model *m, int i, enum model_type t,
		    unsigned int caps)
{
	return priv_capable(m, caps, i) ? model_set_type(m, i, t, false) : -EPERM;
}

/* The members but for the first @skip ones get what @from has. */
static int join_all(struct model *m, int from, const struct new_move *v,
		    int skip, enum model_type then, unsigned int caps)
{
	int err = 0;

	for (int k = 0; k < v->nr && !err; k++) {
		if (k == skip)
			continue;
		err = model_set_group(m, from, v->member[k], caps);
		if (!err && then == MODEL_SLAVE)
			err = set_type(m, v->member[k], then, caps);
	}
	return err;
}

/*
 * Without anything temporary; @first: which member goes first, where that
 * matters.
 */
static int steps(struct model *m, const struct new_move *v, int first,
		 unsigned int caps)
{
	int x = v->member[first], err = 0;

	if (v->flags == MODEL_SG_PEER)
		return join_all(m, v->named, v, -1, MODEL_SHARED, caps);
	if (v->flags == MODEL_SG_MASTER)
		return join_all(m, v->named, v, -1, MODEL_SLAVE, caps);
	if (v->flags & MODEL_SG_SIBLING && m->mnt[v->named].group)
		return -EINVAL;
	if (v->flags == MODEL_SG_SIBLING)
		return join_all(m, v->named, v, -1, MODEL_SHARED, caps);
	if (v->named >= 0)
		err = model_set_group(m, v->named, x, caps);
	if (!err && v->flags & MODEL_SG_MASTER)
		err = set_type(m, x, MODEL_SLAVE, caps);
	if (!err)
		err = set_type(m, x, MODEL_SHARED, caps);
	return err ? err : join_all(m, x, v, first, MODEL_SHARED, caps);
}

/* With a clone of @w, of what is below @dir. */
static int by_helper(struct model *m, const struct new_move *v, int w, int dir,
		     unsigned int caps)
{
	int ns, t, from = 0, err = 0;

	/* what is behind a lock can't be named */
	if (!priv_capable(m, caps, w) || !shows(m, w, dir))
		return -EPERM;
	if (v->flags & MODEL_SG_MASTER)
		from = m->mnt[v->named].group;
	if (v->flags & MODEL_SG_SIBLING)
		from = model_master(m, v->named);
	ns = model_open_tree(m, w, dir, false, __builtin_ctz(caps));
	if (ns < 0)
		return ns;
	t = model_ns_root(m, ns);
	if (v->flags == MODEL_SG_SHARED) {
		err = set_type(m, t, MODEL_PRIVATE, caps);
	} else if (v->flags == MODEL_SG_PEER) {
		if (m->mnt[t].group != m->mnt[v->named].group)
			return -EINVAL;
	} else {
		if (m->mnt[t].group == from)
			err = set_type(m, t, MODEL_SLAVE, caps);
		if (m->mnt[t].group || m->mnt[t].master != from)
			return -EINVAL;
	}
	if (!err && v->flags & MODEL_SG_SHARED)
		err = set_type(m, t, MODEL_SHARED, caps);
	if (!err)
		err = join_all(m, t, v, -1, MODEL_SHARED, caps);
	model_drop_ns(m, ns);
	return err;
}

/* The mount named is its group, and leaves it until the others have joined. */
static int while_alone(struct model *m, const struct new_move *v, int w,
		       int dir, unsigned int caps)
{
	int err = set_type(m, v->named, MODEL_SLAVE, caps);

	if (!err)
		err = w < 0 ? steps(m, v, dir, caps) :
		      by_helper(m, v, w, dir, caps);
	return err ? err : set_type(m, v->named, MODEL_SHARED, caps);
}

static enum reach try_groups(const struct model *a, const struct model *b,
			     const struct new_move *v, struct model *t,
			     unsigned int caps)
{
	bool sibling = v->flags & MODEL_SG_SIBLING && a->mnt[v->named].group;

	for (int k = 0; k < v->nr; k++) {
		if (model_copy(t, a))
			return REACH_UNNAMED;
		if (!(sibling ? while_alone(t, v, -1, k, caps) :
		      steps(t, v, k, caps)) && !model_differ(t, b))
			return REACH_STEPS;
	}
	for (int w = 0; w < a->nr; w++)
		for (int dir = 0; dir < PRIV_ROOTS; dir++)
			for (int alone = 0; alone <= sibling; alone++) {
				if (model_copy(t, a))
					return REACH_UNNAMED;
				if (!(alone ? while_alone(t, v, w, dir, caps) :
				      by_helper(t, v, w, dir, caps)) &&
				    !model_differ(t, b))
					return REACH_HELPER;
			}
	return REACH_UNNAMED;
}

/* In there: open_tree(); back, in the namespace of the destination: attach. */
static enum reach try_detour(const struct model *a, const struct model *b,
			     const struct new_move *v, struct model *t,
			     unsigned int caps)
{
	enum reach how = REACH_DETOUR;
	int ns;

	if (!priv_capable(a, caps, v->src) || !priv_capable(a, caps, v->dst) ||
	    model_copy(t, a))
		return REACH_UNNAMED;
	ns = model_open_tree(t, v->src, v->dir, v->rec,
			     a->owner[a->mnt[v->src].ns]);
	if (ns < 0 || model_attach(t, ns, v->dst, v->at) < 0 || t->nr != b->nr)
		return REACH_UNNAMED;
	/* numbered alike: locks may only be added, and to what is new */
	for (int i = a->nr; i < t->nr && !v->unlocked; i++)
		if (b->mnt[i].attr_locked && !t->mnt[i].attr_locked) {
			t->mnt[i].locked = b->mnt[i].locked;
			t->mnt[i].attr_locked = true;
			how = REACH_LOCKED;
		}
	for (int i = a->nr; i < t->nr; i++)
		if (b->mnt[i].attr_locked != t->mnt[i].attr_locked)
			return REACH_UNNAMED;
	return model_differ(t, b) ? REACH_UNNAMED : how;
}

/*
 * What the new calls are for: where the steps lead nowhere one of these is the
 * case, and what makes it harmless holds.
 */
struct reason {
	bool applies, harmless;
};

/*
 * Roots that do not contain one another, or only behind a lock.  Everything
 * that is connected is in the caller's power.
 */
static struct reason wide(const struct model *a, const struct model *b,
			  const struct new_move *v, unsigned int caps)
{
	struct reason why = { true, true };

	/* is there one that shows what each member does? */
	for (int k = 0; k < (v->named < 0 ? v->nr : 1); k++) {
		int from = v->named < 0 ? v->member[k] : v->named;
		bool all = true;

		for (int i = 0; i < v->nr; i++)
			all &= shows(a, from, a->mnt[v->member[i]].root);
		if (all)
			why.applies = false;
	}
	for (int r = 0; r < a->nr; r++)
		for (int s = 0; s < a->nr; s++)
			if (model_hears(b, r, s) && !model_hears(a, r, s) &&
			    !(priv_capable(a, caps, r) && priv_capable(a, caps, s)))
				why.harmless = false;
	return why;
}

/* Members have locked children, which all they receive from has locked too. */
static struct reason locks_alike(const struct model *a, const struct model *b,
				 const struct new_move *v)
{
	struct reason why = { false, true };

	for (int k = 0; k < v->nr; k++)
		for (int c = 0; c < a->nr; c++) {
			int x = v->member[k];

			if (a->mnt[c].ns < 0 || a->mnt[c].parent != x ||
			    !a->mnt[c].locked)
				continue;
			why.applies = true;
			for (int s = 0; s < a->nr; s++) {
				int d = model_lookup(a, s, a->mnt[c].at);

				if (model_hears(b, x, s) &&
				    (d < 0 || !a->mnt[d].locked))
					why.harmless = false;
			}
		}
	return why;
}

/*
 * A sibling of a mount that is shared as well.  As a slave of that mount's
 * group, which is reached, it would hear all that it does and more.
 */
static struct reason sibling(const struct model *a, const struct model *b,
			     const struct new_move *v)
{
	bool slave = v->flags & MODEL_SG_SIBLING;
	struct reason why = { slave && a->mnt[v->named].group, true };

	for (int s = 0; s < a->nr; s++) {
		bool member = false;

		for (int i = 0; i < v->nr; i++)
			member |= v->member[i] == s;
		for (int k = 0; slave && !member && k < v->nr; k++)
			if (model_hears(b, v->member[k], s) &&
			    !model_hears(a, v->named, s))
				why.harmless = false;
	}
	return why;
}

enum reach how_reached(const struct model *a, const struct model *b,
		       const struct new_move *v, unsigned int caps)
{
	struct reason why[REACH_UNNAMED] = { { false, false } };
	enum reach how = REACH_UNNAMED;
	struct model t = { 0 };

	how = v->what == MOVE_BIND ? try_detour(a, b, v, &t, caps) :
	      try_groups(a, b, v, &t, caps);
	model_free(&t);
	if (how != REACH_UNNAMED || v->what == MOVE_BIND)
		return how;
	why[REACH_WIDE] = wide(a, b, v, caps);
	why[REACH_LOCKS] = locks_alike(a, b, v);
	why[REACH_SIBLING] = sibling(a, b, v);
	/* all that apply have to be harmless */
	for (int i = REACH_LOCKS; i < REACH_UNNAMED; i++)
		if (why[i].applies) {
			if (!why[i].harmless)
				return REACH_UNNAMED;
			if (how == REACH_UNNAMED)
				how = i;
		}
	return how;
}
