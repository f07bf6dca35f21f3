// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From a sharing topology to a state of the model.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "topologies/build.h"

static int build_slaves(const struct topo *t, int g, bool join, struct model *m,
			const int *mnt)
{
	int slave[TOPO_MAX], n = 0, first = -1, err = 0;

	for (int i = 0; i < t->nr; i++) {
		if (t->m[i].group != g)
			continue;
		if (t->m[i].kind == TOPO_SLAVE)
			slave[n++] = mnt[i];
		else if (first < 0)
			first = mnt[i];
	}
	if (!join && n)
		return model_setgroup(m, slave, n, -1, first, MODEL_SG_MASTER, 0);
	for (int i = 0; i < n && !err; i++)
		err = model_setgroup(m, &slave[i], 1, -1, i ? slave[0] : first,
				     i ? MODEL_SG_SIBLING : MODEL_SG_MASTER, 0);
	return err;
}

static int build_group(const struct topo *t, int g, bool join, struct model *m,
		       const int *mnt)
{
	unsigned int flags = MODEL_SG_SHARED;
	int member[TOPO_MAX], n = 0, master = -1, err;

	for (int i = 0; i < t->nr; i++) {
		if (t->m[i].kind != TOPO_MEMBER)
			continue;
		if (t->m[i].group == g)
			member[n++] = mnt[i];
		if (t->m[i].group == t->master[g])
			master = mnt[i];
	}
	if (master >= 0)
		flags |= MODEL_SG_MASTER;
	err = model_setgroup(m, member, join ? 1 : n, -1, master, flags, 0);
	if (!err && join && n > 1)
		err = model_setgroup(m, member + 1, n - 1, member[0], -1,
				     MODEL_SG_PEER, 0);
	return err ? err : build_slaves(t, g, join, m, mnt);
}

int build_model(const struct topo *t, const struct layout *l, bool join,
		struct model *m, int *mnt)
{
	int nr_ns = topo_nr_ns(t), order[TOPO_MAX], err = 0;

	layout_order(t, l, order);
	model_init(m, dir_parents, NR_DIRS);
	for (int i = 0; i < nr_ns && err >= 0; i++)
		err = model_new_ns(m, 0, SB_ROOT);
	for (int k = 0; k < t->nr && err >= 0; k++) {
		int i = order[k], at, on = layout_place(t, l, i, &at);

		on = on < 0 ? model_ns_root(m, t->m[i].ns) : mnt[on];
		err = mnt[i] = model_mount(m, SB_SHARED, t->m[i].root, on, at);
		if (err >= 0 && t->m[i].kind == TOPO_UNBINDABLE)
			err = model_set_type(m, mnt[i], MODEL_UNBINDABLE, false);
	}
	for (int g = 0; g < t->nr_groups && err >= 0; g++)
		err = build_group(t, g, join, m, mnt);
	for (int i = 0; i < t->nr && err >= 0; i++)
		m->mnt[mnt[i]].locked = l->locked[i];
	if (err < 0)
		model_free(m);
	return err < 0 ? err : 0;
}
