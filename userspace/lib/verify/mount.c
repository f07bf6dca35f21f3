// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is compared of each pair of mounts.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "verify/pairs.h"

/* "char-device 0666 0:0 1:3" */
static const char *file_words(const struct mc_file *f, char *buf, size_t size)
{
	char type[32], uid[16] = "?", gid[16] = "?", dev[32] = "";

	mc_verify_words(mc_words_file, f->mode & S_IFMT, type, sizeof(type));
	if (f->uid != MC_NO_ID)
		snprintf(uid, sizeof(uid), "%u", f->uid);
	if (f->gid != MC_NO_ID)
		snprintf(gid, sizeof(gid), "%u", f->gid);
	if (mc_mode_is_device(f->mode))
		snprintf(dev, sizeof(dev), " %u:%u", f->major, f->minor);
	snprintf(buf, size, "%s %04o %s:%s%s%s%s", type, f->mode & MC_MODE_ALL, uid, gid,
		 dev, f->target ? " -> " : "", f->target ? f->target : "");
	return buf;
}

static void compare_file(struct mc_verify *v, const struct mc_pair *p, const char *what,
			 struct mc_file x, struct mc_file y)
{
	char wx[480], wy[480];

	if (!v->same_ids)
		x.uid = y.uid = x.gid = y.gid = MC_NO_ID;
	if (!mc_file_same(&x, &y))
		mc_verify_differ(v, p, what, file_words(&x, wx, sizeof(wx)),
				 file_words(&y, wy, sizeof(wy)));
}

static void compare_group(struct mc_verify *v, uint32_t at, const char *what, uint32_t ga,
			  uint32_t gb)
{
	const struct mc_pair *p = &v->pairs[at];
	char name[700], x[32] = "none", y[32] = "none";

	if (ga != MC_NONE)
		snprintf(x, sizeof(x), "%" PRIu64, v->a->groups[ga].id);
	if (gb != MC_NONE)
		snprintf(y, sizeof(y), "%" PRIu64, v->b->groups[gb].id);
	if (ga == MC_NONE && gb == MC_NONE)
		return;
	if (ga == MC_NONE || gb == MC_NONE) {
		mc_verify_differ(v, p, what, x, y);
		return;
	}
	/*
	 * On the same machine, peer groups outside are the same ones by their
	 * ids.
	 */
	if (mc_verify_flag(v, MNTCR_VERIFY_DEVICES) && !v->a->groups[ga].nr_members &&
	    !v->b->groups[gb].nr_members && strcmp(x, y))
		mc_verify_differ(v, p, "external group", x, y);
	if (mc_bijection_map(&v->groups, ga, gb) || !mc_verify_count(v))
		return;
	if (v->groups.ab[ga] != MC_NONE)
		mc_verify_report(v, "%s: %s: '%s' against '%s', which is '%" PRIu64 "' elsewhere",
				 mc_verify_name(v->a, p->a, name, sizeof(name)), what, x, y,
				 v->b->groups[v->groups.ab[ga]].id);
	else
		mc_verify_report(v,
				 "%s: %s: '%s' against '%s', which is the counterpart of another",
				 mc_verify_name(v->a, p->a, name, sizeof(name)), what, x, y);
}

bool mc_verify_mount(struct mc_verify *v, uint32_t at)
{
	const struct mc_pair *p = &v->pairs[at];
	const struct mc_mount *x = &v->a->mounts[p->a];
	const struct mc_mount *y = &v->b->mounts[p->b];
	char wa[160], wb[160];

	if (!mc_verify_sb(v, at) || !mc_verify_root(v, p))
		return false;
	if (!mc_verify_flag(v, MNTCR_VERIFY_IGNORE_FILES)) {
		compare_file(v, p, "file of its root", x->root_file, y->root_file);
		compare_file(v, p, "file that it is on", x->mp_file, y->mp_file);
	}
	if (x->attr != y->attr)
		mc_verify_differ(v, p, "attributes",
				 mc_verify_words(mc_words_attr, x->attr, wa, sizeof(wa)),
				 mc_verify_words(mc_words_attr, y->attr, wb, sizeof(wb)));
	if (!mc_verify_same_idmap(v->a, x->idmap, v->b, y->idmap))
		mc_verify_differ(v, p, "idmap", x->idmap == MC_NONE ? "none" : "one",
				 y->idmap == MC_NONE ? "none" :
				 x->idmap == MC_NONE ? "one" : "another");
	if (!mc_verify_flag(v, MNTCR_VERIFY_IGNORE_SOURCE) &&
	    !mc_verify_same_text(mc_mount_source(v->a, x), mc_mount_source(v->b, y)))
		mc_verify_differ(v, p, "source", mc_mount_source(v->a, x),
				 mc_mount_source(v->b, y));
	if (!mc_verify_flag(v, MNTCR_VERIFY_IGNORE_OPTIONS) &&
	    !mc_verify_same_options(v->a, p->a, v->b, p->b))
		mc_verify_differ(v, p, "options", mc_mount_options(v->a, x),
				 mc_mount_options(v->b, y));
	if (!mc_verify_flag(v, MNTCR_VERIFY_IGNORE_LOCKS) && x->locks_known &&
	    y->locks_known && x->locks != y->locks)
		mc_verify_differ(
			v, p, "locks",
			mc_verify_words(mc_words_lock, x->locks, wa, sizeof(wa)),
			mc_verify_words(mc_words_lock, y->locks, wb, sizeof(wb)));
	if (x->unbindable != y->unbindable)
		mc_verify_differ(v, p, "unbindable", x->unbindable ? "yes" : "no",
				 y->unbindable ? "yes" : "no");
	compare_group(v, at, "peer group", x->group, y->group);
	compare_group(v, at, "master", x->master, y->master);
	return true;
}
