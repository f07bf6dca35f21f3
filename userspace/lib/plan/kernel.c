// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the kernel would answer with an errno while a restore is under way, and
 * an image already tells.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/priv.h"

/*
 * mnt_ns_loop() lets the file of a mount namespace only into one that is older,
 * and what is restored is younger than all that there are.
 */
int mc_plan_foreign_file(struct mc_plan *p, const uint32_t *mounts, uint32_t nr,
			 struct mntcr_error *e)
{
	const struct mc_mount *m = &p->topo->mounts[mounts[0]];

	if (m->nsfs_type != CLONE_NEWNS || m->nsfs_ns != MC_NONE)
		return 0;
	return mc_plan_refuse(p, e, "foreign-namespace-file", mounts, nr,
			      "a dump of that namespace too, or one after the file has been unmounted",
			      "the file of mount namespace %llu, which is not in the image: a namespace that is made later, as all that are restored are, cannot hold it",
			      (unsigned long long)m->nsfs_ino) ? -1 : 1;
}

/* A new devpts has no terminals. */
static bool in_new_devpts(const char *root, const char *below)
{
	if (below[1])
		return !root[1] && !strcmp(below, "/ptmx");
	return !root[1] || !strcmp(root, "/ptmx");
}

static int check_devpts(struct mc_plan *p, uint32_t m, struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	const struct mc_sb *sb = &t->sbs[t->mounts[m].sb];
	const char *root = t->mounts[m].root;
	uint32_t c;
	char help[96];

	snprintf(help, sizeof(help), "--external %u:%u=PATH, or --source without --fresh",
		 sb->major, sb->minor);
	if (!in_new_devpts(root, "/") && p->src_of[m] == MC_NONE) {
		p->priv->sb[t->mounts[m].sb].refused = "no-such-terminal";
		return mc_plan_refuse(p, e, "no-such-terminal", &m, 1, help,
				      "of a terminal of devpts %u:%u, and a new devpts has none",
				      sb->major, sb->minor);
	}
	mc_for_each_child(t, c, m) {
		if (in_new_devpts(root, t->mounts[c].mountpoint))
			continue;
		p->priv->sb[t->mounts[m].sb].refused = "no-such-terminal";
		if (mc_plan_refuse(p, e, "no-such-terminal", &c, 1, help,
				   "on a terminal of devpts %u:%u, and a new devpts has none",
				   sb->major, sb->minor))
			return -1;
	}
	return 0;
}

/* A new hugetlbfs or mqueue: nothing in it is a root, and there is nothing to mount on. */
static bool is_empty(const struct mc_plan *p, uint32_t sb)
{
	const struct mc_type *type = mc_type_of(p->topo->sbs[sb].type);
	uint32_t src = p->priv->sb[sb].src, need = src == MC_NONE ? MC_NONE : p->srcs[src].need;

	/* a namespace that is somebody's has what they have put into it */
	return type->lossy && !(type->shows && p->priv->opts->caller_namespaces) &&
	       (need == MC_NONE || p->needs[need].kind != MNTCR_GIVEN_IPC);
}

static int check_empty(struct mc_plan *p, uint32_t m, struct mntcr_error *e)
{
	const struct mc_topology *t = p->topo;
	const struct mc_sb *sb = &t->sbs[t->mounts[m].sb];
	char help[96];
	uint32_t c;

	snprintf(help, sizeof(help), "--external %u:%u=PATH, or --source with its namespace",
		 sb->major, sb->minor);
	if (t->mounts[m].root[1] && !t->mounts[m].root_deleted && p->src_of[m] == MC_NONE) {
		p->priv->sb[t->mounts[m].sb].refused = "no-such-file";
		if (mc_plan_refuse(p, e, "no-such-file", &m, 1, help,
				   "of a file in %s %u:%u, and a new one is empty", sb->type,
				   sb->major, sb->minor))
			return -1;
	}
	mc_for_each_child(t, c, m) {
		if (!t->mounts[c].mountpoint[1])
			continue;
		p->priv->sb[t->mounts[m].sb].refused = "no-such-file";
		if (mc_plan_refuse(p, e, "no-such-file", &c, 1, help,
				   "on a file in %s %u:%u, and a new one is empty", sb->type,
				   sb->major, sb->minor))
			return -1;
	}
	return 0;
}

/* Directories of processes: those that were there are not there now. */
static int check_proc(struct mc_plan *p, uint32_t m, struct mntcr_error *e)
{
	static const char help[] = "--stages, where a bind of it is given; or --source without --fresh";
	const struct mc_topology *t = p->topo;
	const struct mc_sb *sb = &t->sbs[t->mounts[m].sb];
	uint32_t c;

	if (mc_plan_root_needs_process(sb, t->mounts[m].root)) {
		if (p->src_of[m] != MC_NONE)
			return 0;
		p->priv->sb[t->mounts[m].sb].refused = "no-such-process";
		return mc_plan_refuse(p, e, "no-such-process", &m, 1, help,
				      "of a process in proc %u:%u, and a new proc shows others, or none",
				      sb->major, sb->minor);
	}
	mc_for_each_child(t, c, m) {
		if (strcmp(t->mounts[m].root, "/") ||
		    !mc_plan_root_needs_process(sb, t->mounts[c].mountpoint))
			continue;
		p->priv->sb[t->mounts[m].sb].refused = "no-such-process";
		if (mc_plan_refuse(p, e, "no-such-process", &c, 1,
				   "--source without --fresh",
				   "on a process's directory in proc %u:%u, and a new proc shows others, or none",
				   sb->major, sb->minor))
			return -1;
	}
	return 0;
}

/* The first string that fsconfig(2) would not take. */
static int long_string(const struct mc_sb *sb, char *what, size_t size)
{
	char *copy, *rest, *name, *value;
	int ret = 0;

	if (sb->source && strlen(sb->source) >= MC_FSCONFIG_MAX) {
		snprintf(what, size, "source has %zu bytes", strlen(sb->source));
		return 1;
	}
	copy = strdup(sb->options);
	if (!copy)
		return -1;
	for (rest = copy; !ret && mc_next_option(&rest, &name, &value); ) {
		/* other strings can stand for these */
		if (sb->nr_layers && mc_layer_option_named(name))
			continue;
		ret = strlen(name) >= MC_FSCONFIG_MAX ||
		      (value && strlen(value) >= MC_FSCONFIG_MAX);
		if (ret)
			snprintf(what, size, "option %.32s%s is longer",
				 mc_escape(name, (char[40]){ 0 }, 40),
				 strlen(name) >= MC_FSCONFIG_MAX ? "..." : "");
	}
	free(copy);
	return ret;
}

int mc_plan_new_sb(struct mc_plan *p, uint32_t sb, const uint32_t *mounts,
		   uint32_t nr, struct mntcr_error *e)
{
	const struct mc_sb *s = &p->topo->sbs[sb];
	char what[96], help[96];
	uint32_t i;

	switch (long_string(s, what, sizeof(what))) {
	case -1:
		return mc_nomem(e);
	case 1:
		p->priv->sb[sb].refused = "long-option";
		snprintf(help, sizeof(help),
			 "--external %u:%u=PATH, or --source without --fresh",
			 s->major, s->minor);
		if (mc_plan_refuse(p, e, "long-option", mounts, nr, help,
				   "the superblock %u:%u is to be made anew, and its %s; fsconfig(2) takes no more than %u",
				   s->major, s->minor, what, MC_FSCONFIG_MAX - 1))
			return -1;
	}
	for (i = 0; !strcmp(s->type, "devpts") && i < nr; i++)
		if (check_devpts(p, mounts[i], e))
			return -1;
	for (i = 0; is_empty(p, sb) && i < nr; i++)
		if (check_empty(p, mounts[i], e))
			return -1;
	for (i = 0; !strcmp(s->type, "proc") && !p->priv->opts->caller_namespaces &&
	     i < nr; i++)
		if (check_proc(p, mounts[i], e))
			return -1;
	return 0;
}
