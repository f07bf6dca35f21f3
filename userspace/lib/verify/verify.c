// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Are two topologies the same up to renaming of ids?
 *
 * A mount is found by its parent and mountpoint: what lies over another has
 * that one for its parent, so the order of stacking is part of the place.
 * Once mounts are paired, everything that only has an id (superblocks, groups,
 * owners) must map one to one in both directions.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contents/contents.h"
#include "verify/counterparts.h"
#include "verify/order.h"
#include "verify/pairs.h"

/* Whoever is in another user namespace calls ids something else. */
static bool ids_mean_the_same(const struct mc_topology *a, const struct mc_topology *b)
{
	uint64_t who[2] = { 0, 0 };
	uint32_t i;

	for (i = 0; i < a->nr_userns; i++)
		if (a->userns[i].dumper)
			who[0] = a->userns[i].ino;
	for (i = 0; i < b->nr_userns; i++)
		if (b->userns[i].dumper)
			who[1] = b->userns[i].ino;
	return who[0] == who[1] || !who[0] || !who[1];
}

/* NULL: no memory */
static bool *find_owners(const struct mc_topology *t)
{
	bool *owns = calloc(t->nr_userns + 1UL, sizeof(*owns));
	uint32_t i;

	for (i = 0; owns && i < t->nr_ns; i++)
		if (t->ns[i].userns != MC_NONE)
			owns[t->ns[i].userns] = true;
	return owns;
}

/* But for the dumper's own, which is made by nobody.  NULL: no memory */
static struct mc_map *find_pids(const struct mc_topology *t)
{
	struct mc_map *pids = mc_map_new();
	uint32_t i, n;

	for (i = 0; pids && i < t->nr_sbs; i++) {
		n = i;
		if (!t->sbs[i].pidns_ino || !t->sbs[i].pidns_depth ||
		    mc_map_add(pids, t->sbs[i].pidns_ino, &n) >= 0)
			continue;
		mc_map_free(pids);
		pids = NULL;
	}
	return pids;
}

static bool push(struct mc_verify *v, uint32_t a, uint32_t b)
{
	if (!mc_grow(&v->pairs, v->nr_pairs, &v->max_pairs, sizeof(*v->pairs)))
		return false;
	v->pairs[v->nr_pairs++] = (struct mc_pair){ a, b };
	return true;
}

static int cmp_mountpoint(const void *x, const void *y, void *data)
{
	const struct mc_mount *mounts = data;

	return strcmp(mounts[*(const uint32_t *)x].mountpoint,
		      mounts[*(const uint32_t *)y].mountpoint);
}

static uint32_t *sorted_children(const struct mc_topology *t, uint32_t m)
{
	uint32_t *list, n = 0, c;

	list = malloc(((size_t)t->mounts[m].nr_children + 1) * sizeof(*list));
	if (!list)
		return NULL;
	mc_for_each_child(t, c, m)
		list[n++] = c;
	qsort_r(list, n, sizeof(*list), cmp_mountpoint, t->mounts);
	return list;
}

static bool pair_children(struct mc_verify *v, uint32_t ma, uint32_t mb)
{
	uint32_t na = v->a->mounts[ma].nr_children, i = 0;
	uint32_t nb = v->b->mounts[mb].nr_children, j = 0;
	uint32_t *ca, *cb;
	bool ok = false;
	int c;

	if (!na && !nb)
		return true;
	ca = sorted_children(v->a, ma);
	cb = sorted_children(v->b, mb);
	if (!ca || !cb)
		goto out;
	while (i < na || j < nb) {
		c = i == na ? 1 : j == nb ? -1 :
		    strcmp(v->a->mounts[ca[i]].mountpoint,
			   v->b->mounts[cb[j]].mountpoint);
		if (c < 0)
			mc_verify_lone(v, v->a, ca[i++]);
		else if (c > 0)
			mc_verify_lone(v, v->b, cb[j++]);
		else if (!push(v, ca[i++], cb[j++]))
			goto out;
	}
	ok = true;
out:
	free(ca);
	free(cb);
	return ok;
}

static int cmp_pair(const void *x, const void *y)
{
	const struct mc_pair *p = x, *q = y;

	return p->a < q->a ? -1 : p->a > q->a;
}

/*
 * Mounts ascend by id: in one order on both sides, or not.  Whatever is to come late
 * may not be earlier than that, but later.
 */
static int compare_order(struct mc_verify *v, struct mntcr_error *e)
{
	bool *late = mc_verify_delayed(v->a, v->opts->delayed, v->opts->nr_delayed, e);
	const struct mc_pair *p = NULL, *q;
	uint32_t i;

	if (!late)
		return -1;
	qsort(v->pairs, v->nr_pairs, sizeof(*v->pairs), cmp_pair);
	for (i = 0; i < v->nr_pairs; i++) {
		q = &v->pairs[i];
		if (p && v->a->mounts[p->a].ns == v->a->mounts[q->a].ns && p->b > q->b)
			mc_verify_differ(v, q, "order", "mounted later",
					 "mounted earlier");
		if (!late[q->a])
			p = q;
	}
	free(late);
	return 0;
}

static uint32_t without_master(uint32_t propagation)
{
	return propagation & ~(uint32_t)(MS_SLAVE | MS_PRIVATE);
}

static bool compare_ns(struct mc_verify *v, uint32_t i)
{
	const struct mc_ns *x = &v->a->ns[i], *y = &v->b->ns[i];
	char label[300], wa[80], wb[80];
	const char *owner;
	uint32_t p = x->base_propagation, q = y->base_propagation;

	mc_escape(x->label ? x->label : "", label, sizeof(label));
	if (x->detached != y->detached && mc_verify_count(v))
		mc_verify_report(v, "namespace %u (%s): a detached tree in the %s only",
				 i, label, x->detached ? "first" : "second");
	/*
	 * 0: not known.  A slave's master is never among what is compared, and
	 * without it, it is what is left: private, or shared.
	 */
	if (p && q && without_master(p) != without_master(q) && mc_verify_count(v))
		mc_verify_report(v, "namespace %u (%s): what its root is mounted on: '%s' against '%s'",
				 i, label,
				 mc_verify_words(mc_words_propagation, p, wa, sizeof(wa)),
				 mc_verify_words(mc_words_propagation, q, wb, sizeof(wb)));
	if (!mc_verify_flag(v, MNTCR_VERIFY_IGNORE_OWNER) && x->userns != MC_NONE &&
	    y->userns != MC_NONE && (owner = mc_verify_owner(v, x->userns, y->userns)) &&
	    mc_verify_count(v))
		mc_verify_report(v, "namespace %u (%s): owned by %s", i, label, owner);
	if (x->root != MC_NONE && y->root != MC_NONE)
		return push(v, x->root, y->root);
	if (x->root != y->root && mc_verify_count(v))
		mc_verify_report(v, "namespace %u (%s): empty in the %s only", i, label,
				 x->root == MC_NONE ? "first" : "second");
	return true;
}

static void contents_differ(void *data, const char *line)
{
	struct mc_verify *v = data;

	if (mc_verify_count(v))
		v->opts->report(v->opts->data, line);
}

/* Of each pair of superblocks of which both sides have them. */
static int compare_contents(struct mc_verify *v, struct mntcr_error *e)
{
	const struct mntcr_contents *a = v->opts->contents_a;
	const struct mntcr_contents *b = v->opts->contents_b;
	uint32_t i, other;

	for (i = 0; a && b && i < v->a->nr_sbs; i++) {
		other = v->sbs.ab[i];
		if (other == MC_NONE || !mc_contents_has(a, &v->a->sbs[i]) ||
		    !mc_contents_has(b, &v->b->sbs[other]))
			continue;
		if (mc_contents_compare(a, &v->a->sbs[i], b, &v->b->sbs[other],
					contents_differ, v, e))
			return -1;
	}
	return 0;
}

/* Pair what is in both, and compare it; finish() in any case.  false: no memory */
static bool pair_all(struct mc_verify *v)
{
	const struct mc_topology *a = v->a, *b = v->b;
	uint32_t i, n = a->nr_ns < b->nr_ns ? a->nr_ns : b->nr_ns;

	v->shown.a = mc_map_new();
	v->shown.b = mc_map_new();
	v->given.a = mc_map_new();
	v->given.b = mc_map_new();
	v->pids.a = mc_map_new();
	v->pids.b = mc_map_new();
	v->shows_a = find_pids(a);
	v->shows_b = find_pids(b);
	v->owns_a = find_owners(a);
	v->owns_b = find_owners(b);
	if (!v->shown.a || !v->shown.b || !v->given.a || !v->given.b || !v->pids.a ||
	    !v->pids.b || !v->shows_a || !v->shows_b || !v->owns_a || !v->owns_b ||
	    !mc_bijection_new(&v->sbs, a->nr_sbs, b->nr_sbs) ||
	    !mc_bijection_new(&v->groups, a->nr_groups, b->nr_groups) ||
	    !mc_bijection_new(&v->userns, a->nr_userns, b->nr_userns))
		return false;
	v->same_ids = ids_mean_the_same(a, b);
	if (a->nr_ns != b->nr_ns && mc_verify_count(v))
		mc_verify_report(v, "%u namespaces against %u", a->nr_ns, b->nr_ns);
	for (i = 0; i < n; i++)
		if (!compare_ns(v, i))
			return false;
	/* Pairs of children are added while the list is walked. */
	for (i = 0; i < v->nr_pairs; i++) {
		if (!mc_verify_mount(v, i) ||
		    !pair_children(v, v->pairs[i].a, v->pairs[i].b))
			return false;
	}
	return true;
}

static void finish(struct mc_verify *v)
{
	mc_bijection_free(&v->sbs);
	mc_bijection_free(&v->groups);
	mc_bijection_free(&v->userns);
	mc_map_free(v->shown.a);
	mc_map_free(v->shown.b);
	mc_map_free(v->given.a);
	mc_map_free(v->given.b);
	mc_map_free(v->pids.a);
	mc_map_free(v->pids.b);
	mc_map_free(v->shows_a);
	mc_map_free(v->shows_b);
	free(v->owns_a);
	free(v->owns_b);
	free(v->pairs);
}

int mc_verify_counterparts(const struct mc_topology *a, const struct mc_topology *b,
			   uint32_t *of_a, uint32_t *of_b, struct mntcr_error *e)
{
	const struct mntcr_verify_options o = { .size = sizeof(o) };
	struct mc_verify v = { .a = a, .b = b, .opts = &o };
	int ret = pair_all(&v) ? 0 : mc_nomem(e);

	if (!ret) {
		memcpy(of_a, v.sbs.ab, a->nr_sbs * sizeof(*of_a));
		memcpy(of_b, v.sbs.ba, b->nr_sbs * sizeof(*of_b));
	}
	finish(&v);
	return ret;
}

int mntcr_verify(const struct mc_topology *a, const struct mc_topology *b,
		 const struct mntcr_verify_options *opts, size_t *nr_differences,
		 struct mntcr_error *e)
{
	struct mntcr_verify_options o;
	struct mc_verify v = { .a = a, .b = b, .opts = &o };
	int ret = -1;

	memset(e, 0, sizeof(*e));
	if (mc_take_options(&o, sizeof(o), sizeof(o), opts, "verify_options", e))
		return -1;
	if (!pair_all(&v) ||
	    (!mc_verify_flag(&v, MNTCR_VERIFY_IGNORE_OPTIONS) &&
	     !mc_verify_flag(&v, MNTCR_VERIFY_IGNORE_LAYERS) && !mc_verify_overlays(&v))) {
		mc_nomem(e);
	} else if ((!mc_verify_flag(&v, MNTCR_VERIFY_ORDER) || !compare_order(&v, e)) &&
		   !compare_contents(&v, e)) {
		*nr_differences = v.nr_differences;
		ret = 0;
	}
	finish(&v);
	return ret;
}
