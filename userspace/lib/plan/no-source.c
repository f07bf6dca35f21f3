// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is said where nothing was found that mounts could be made from.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <string.h>

#include "plan/priv.h"

/* What is so of the mounts of a run: why none of them can be cloned alone. */
static void why_not(const struct mc_plan *p, const uint32_t *mounts, uint32_t nr,
		    char *buf, size_t size)
{
	static const char *const words[] = {
		"in a namespace that was not given", "unbindable and covered",
		"covered for good",
		"covered, and what could uncover it, a copy of the tree, would have the file of a mount namespace, which no younger one takes",
		"with locked mounts on it",
		"with attributes locked that are not locked here",
	};
	bool is[MC_ARRAY_SIZE(words)] = { 0 };
	const struct mc_plan_options *o = p->priv->opts;
	uint32_t i, n = 0;
	size_t at = 0;

	for (i = 0; i < nr; i++) {
		const struct mc_mount *m = &p->topo->mounts[mounts[i]];

		if (!o->ns_live || !o->ns_live[m->ns])
			is[0] = true;
		else if (m->unbindable && p->priv->hidden[mounts[i]] != MC_SEEN)
			is[1] = true;
		else if (p->api == MNTCR_API_UPSTREAM &&
			 p->priv->hidden[mounts[i]] == MC_SEALED)
			is[2] = true;
		else if (p->api == MNTCR_API_UPSTREAM &&
			 p->priv->hidden[mounts[i]] == MC_FILED)
			is[3] = true;
		else if (mc_plan_rank(p, mounts[i]) < 0)
			is[4] = true;
		else
			is[5] = true;
	}
	*buf = '\0';
	for (i = 0; i < MC_ARRAY_SIZE(words); i++)
		if (is[i] && at < size)
			at += (size_t)snprintf(buf + at, size - at, "%s%s",
					       n++ ? ", or " : "", words[i]);
}

/* Told by mc_plan_refuse(); here it is remembered. */
const char *mc_plan_note(struct mc_plan *p, uint32_t sb, const char *rule)
{
	if (!p->priv->sb[sb].refused)
		p->priv->sb[sb].refused = rule;
	return rule;
}

/* All of one superblock and root. */
int mc_plan_no_source(struct mc_plan *p, const uint32_t *mounts, uint32_t nr,
		      struct mntcr_error *e)
{
	const struct mc_mount *mnt = &p->topo->mounts[mounts[0]];
	const struct mc_sb *sb = &p->topo->sbs[mnt->sb];
	const struct mc_plan_options *o = p->priv->opts;
	const struct mc_type *type = mc_type_of(sb->type);
	uint8_t hidden = p->api == MNTCR_API_UPSTREAM ? p->priv->hidden[mounts[0]] :
			 MC_SEEN;
	bool live = false;
	uint32_t i;
	char why[320], name[64], what[96], help[160];

	for (i = 0; i < nr; i++)
		live = live || (o->ns_live && o->ns_live[p->topo->mounts[mounts[i]].ns]);
	mc_escape(sb->type, name, sizeof(name));
	snprintf(what, sizeof(what), "%s, %u:%u", name, sb->major, sb->minor);
	why_not(p, mounts, nr, why, sizeof(why));
	if (mnt->idmap != MC_NONE && live) {
		snprintf(help, sizeof(help), "--external %u:%u=PATH, or another mount of it, not idmapped, in a namespace that is dumped too",
			 sb->major, sb->minor);
		return mc_plan_refuse(p, e, mc_plan_note(p, mnt->sb, "idmapped-source"),
				      mounts, nr, help,
				      "idmapped: it can only be cloned from a live mount with the same mapping or without any, and what there is is %s",
				      why);
	}
	snprintf(help, sizeof(help), "--external %u:%u=PATH%s", sb->major, sb->minor,
		 hidden != MC_FILED ? "" :
		 ", a kernel with the calls of the extended API, or that the file is unmounted");
	if (live)
		return mc_plan_refuse(p, e, mc_plan_note(p, mnt->sb, hidden == MC_FILED ?
				      "covered-beside-file" : hidden ?
				      "overmounted-source" : "uncloneable-source"),
				      mounts, nr, help,
				      "no mount of its superblock (%s) that contains its root can be cloned: what has the same root is %s",
				      what, why);
	if (p->topo->ns[mnt->ns].detached)
		snprintf(help, sizeof(help), "--external %u:%u=/proc/PID/fd/FD, a path through a descriptor of the tree, or another one",
			 sb->major, sb->minor);
	else if (type->kind == MC_TYPE_DEVICE)
		snprintf(help, sizeof(help), "--source with its namespace, --device %u:%u=DEVICE, or --external %u:%u=PATH",
			 sb->major, sb->minor, sb->major, sb->minor);
	else
		snprintf(help, sizeof(help), "--source with its namespace, or --external %u:%u=PATH",
			 sb->major, sb->minor);
	if (!type->fresh || !type->shows || o->caller_namespaces)
		return mc_plan_refuse(p, e, mc_plan_note(p, mnt->sb, "no-source"),
				      mounts, nr, help,
				      "its superblock (%s) is in no namespace that was given, and %s cannot be made fresh%s",
				      what, name,
				      type->fresh ? " twice" : "");
	snprintf(help, sizeof(help),
		 "--source with its namespace, --external %u:%u=PATH, or --caller-namespaces if that is what is wanted",
		 sb->major, sb->minor);
	return mc_plan_refuse(p, e, mc_plan_note(p, mnt->sb, "callers-namespace"),
			      mounts, nr, help,
			      "its superblock (%s) is in no namespace that was given, and a fresh one would show the caller's %s namespace%s",
			      what, type->shows, !o->no_empty_pidns || !mc_sb_has_own_pidns(sb) ? "" :
			      ", since this kernel opens none for it that nobody is in");
}

/* An unlinked mount comes along with its parent, from a live source only. */
static const char *help_unlinked(const struct mc_plan *p, const struct mc_mount *m)
{
	const struct mc_plan_options *o = p->priv->opts;
	const struct mc_sb *sb = &p->topo->sbs[m->sb];

	if (p->priv->device_of[m->sb] != MC_NONE)
		return "--source with its namespace, and no --device for its superblock";
	if (sb->contents && mc_type_on_device(sb->type) && !(sb->flags & MS_RDONLY))
		return "--device for its superblock, one --external for all of that, or --source with its namespace";
	if (sb->contents && mc_type_of_layers(sb->type) && !(sb->flags & MS_RDONLY))
		return "what its layers are of, one --external for all of its superblock, or --source with its namespace";
	if (!o->ns_live || !o->ns_live[m->ns])
		return "--source with its namespace";
	if (m->parent != MC_NONE && !mc_plan_is_live(p, p->topo->mounts[m->parent].sb))
		return "--source without --fresh, or without --external for what it is mounted on";
	return "a dump after it has been unmounted";
}

int mc_plan_deleted_root(struct mc_plan *p, const uint32_t *mounts, uint32_t nr,
			 struct mntcr_error *e)
{
	const struct mc_mount *m = &p->topo->mounts[mounts[0]];

	return mc_plan_refuse(p, e, mc_plan_note(p, m->sb, "deleted-root"), mounts, nr,
			      help_unlinked(p, m),
			      "the root of this mount has been unlinked, and no path leads to it");
}

/* Of a namespace that is not restored with the mounts, and that nobody makes. */
int mc_plan_no_namespace(struct mc_plan *p, const uint32_t *mounts, uint32_t nr,
			 struct mntcr_error *e)
{
	const struct mc_mount *m = &p->topo->mounts[mounts[0]];
	const char *type = mc_nstype_name(m->nsfs_type);
	char help[160];

	snprintf(help, sizeof(help), "--external %s:[%llu]=PATH, or --source with its namespace",
		 type, (unsigned long long)m->nsfs_ino);
	return mc_plan_refuse(p, e, mc_plan_note(p, m->sb, "namespace-not-given"), mounts, nr, help,
			      "the file of %s namespace %llu, which is not made with the mounts",
			      type, (unsigned long long)m->nsfs_ino);
}

/* Neither a path below a root nor a new superblock gives it. */
int mc_plan_only_live(struct mc_plan *p, const uint32_t *mounts, uint32_t nr,
		      struct mntcr_error *e)
{
	const struct mc_mount *mnt = &p->topo->mounts[mounts[0]];

	return mc_plan_refuse(p, e, mc_plan_note(p, mnt->sb, "no-source"), mounts, nr,
			      "--source with its namespace, and neither --fresh nor --external for its superblock",
			      "its root is no path: only a live source can give it, and its superblock is to come from elsewhere");
}

/* What was named stands for other parts of the superblock. */
int mc_plan_beside_external(struct mc_plan *p, const uint32_t *mounts, uint32_t nr,
			    struct mntcr_error *e)
{
	const struct mc_mount *mnt = &p->topo->mounts[mounts[0]];
	const struct mc_sb *sb = &p->topo->sbs[mnt->sb];
	char root[200], help[280];

	mc_escape(mnt->root, root, sizeof(root));
	snprintf(help, sizeof(help), "--external %u:%u:%s=PATH", sb->major, sb->minor,
		 root);
	return mc_plan_refuse(p, e, mc_plan_note(p, mnt->sb, "no-source"), mounts, nr, help,
			      "its root, %s of %u:%u, is below no root that an --external stands for",
			      root, sb->major, sb->minor);
}
