// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Does mountinfo show all there is?  It leaves out what has no path from the root
 * that it starts at; where there is listmount(2), that counts.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/base.h"
#include "capture/capture.h"

#define MAX_LAYERS	64	/* as many as an image may say */

union answer {
	struct mc_statmount sm;
	char space[32768];
};

static int ask(const struct cap_ns *ns, uint64_t id, uint64_t mask,
	       union answer *a, struct mntcr_error *e)
{
	struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER1,
		.mnt_id = id,
		.param = mask | MC_STATMOUNT_MNT_BASIC | MC_STATMOUNT_SB_BASIC,
		.mnt_ns_id = ns->id,
	};

	if (!mc_statmount(&req, &a->sm, sizeof(*a), 0))
		return 0;
	return mc_fail(e, errno == ENOENT ? MNTCR_CHANGED : MNTCR_SYS, errno,
		       "%s: statmount of mount %" PRIu64, ns->label, id);
}

int cap_listed(struct cap_listed *l, const struct cap_ns *ns, bool proc,
	       struct mntcr_error *e)
{
	int flags = O_PATH | O_DIRECTORY, fd, ret = 0;
	struct statx st;

	fd = !ns->id ? -1 :
	     proc ? cap_open_proc(ns, (pid_t)ns->src->pid, "root", flags) :
		    cap_open_entered(ns, "root", flags);
	/* mountinfo of a task within a chroot is no more than that */
	if (fd >= 0 && !mc_look(fd, STATX_MNT_ID_UNIQUE, &st) &&
	    st.stx_mask & STATX_MNT_ID_UNIQUE &&
	    st.stx_attributes & STATX_ATTR_MOUNT_ROOT) {
		l->root = st.stx_mnt_id;
		l->known = !cap_list(ns, l->root, &l->ids, &l->nr);
		/* what could not be listed is not hidden */
		if (!l->known && errno == ENOMEM)
			ret = mc_nomem(e);
	}
	mc_close(fd);
	return ret;
}

static int add(struct mc_topology *t, struct raw_ns *raw, const union answer *a,
	       struct mntcr_error *e)
{
	const struct mc_statmount *sm = &a->sm;
	struct raw_mount *m;

	if (!mc_grow(&raw->m, raw->nr, &raw->max, sizeof(*raw->m)))
		return mc_nomem(e);
	m = &raw->m[raw->nr];
	*m = (struct raw_mount){
		.id = sm->mnt_id_old,
		.parent_id = sm->mnt_parent_id_old,
		.id_old = sm->mnt_id_old,
		.major = sm->sb_dev_major,
		.minor = sm->sb_dev_minor,
		.options = mc_topology_str(t, ""),
		.type = mc_topology_str(t, sm->mask & MC_STATMOUNT_FS_TYPE ?
					   sm->str + sm->fs_type : ""),
		.root = mc_topology_str(t, sm->mask & MC_STATMOUNT_MNT_ROOT ?
					   sm->str + sm->mnt_root : ""),
		.source = mc_topology_str(t, sm->mask & MC_STATMOUNT_SB_SOURCE ?
					     sm->str + sm->sb_source : ""),
		.idmap = MC_NONE,
	};
	if (!m->options || !m->type || !m->root || !m->source)
		return mc_nomem(e);
	raw->nr++;
	return 0;
}

int cap_add_missing(const struct cap_listed *l, const struct cap_ns *ns,
		    struct mc_topology *t, struct raw_ns *raw,
		    struct mntcr_error *e)
{
	uint64_t mask = MC_STATMOUNT_FS_TYPE | MC_STATMOUNT_MNT_ROOT |
			MC_STATMOUNT_SB_SOURCE;
	struct mc_map *shown = NULL;
	union answer *a = NULL;
	uint32_t i;
	size_t n;
	int ret = -1;

	/* of an empty namespace, the base is what there is */
	if (!l->known || !raw->nr || l->nr + 1 == raw->nr)
		return 0;
	shown = mc_map_new();
	a = malloc(sizeof(*a));
	if (!shown || !a)
		goto nomem;
	for (i = 0; i < raw->nr; i++)
		if (mc_map_add(shown, raw->m[i].id, &(uint32_t){ i }) < 0)
			goto nomem;
	for (n = 0; n < l->nr; n++) {
		if (ask(ns, l->ids[n], mask, a, e))
			goto out;
		if (mc_map_get(shown, a->sm.mnt_id_old, &i))
			continue;
		ret = add(t, raw, a, e);
		goto out;
	}
	mc_fail(e, MNTCR_CHANGED, 0, "%s: its mounts changed meanwhile", ns->label);
	goto out;
nomem:
	mc_nomem(e);
out:
	mc_map_free(shown);
	free(a);
	return ret;
}

int cap_layers(const struct cap_listed *l, const struct cap_ns *ns, uint32_t *nr,
	       struct mntcr_error *e)
{
	union answer *a = malloc(sizeof(*a));
	uint64_t id = l->root;
	int ret;

	if (!a)
		return mc_nomem(e);
	for (*nr = 0; !(ret = ask(ns, id, 0, a, e)) && a->sm.mnt_parent_id != id;
	     ++*nr) {
		if (*nr == MAX_LAYERS) {
			ret = mc_refuse(e, "hidden-mounts",
					"%s: more than %d roots, one moved over the other",
					ns->label, MAX_LAYERS);
			break;
		}
		id = a->sm.mnt_parent_id;
	}
	free(a);
	return ret;
}
