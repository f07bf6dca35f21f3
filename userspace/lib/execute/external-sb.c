// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which superblock, or namespace, is at the paths of --external: of the kind that was there,
 * one for what was one, and one that can be used?  Of another one the kernel says nothing.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <libmount/libmount.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "execute/external.h"

void mc_external_report(struct mc_external *c, const char *rule, const char *text,
			const char *help, size_t nr)
{
	mc_refuse_beside(c->po, c->e, &c->nr_refused, &(struct mntcr_refusal){
		.rule = rule, .text = text, .help = help, .mounts = c->ids,
		.nr_mounts = nr,
	});
}

/* What --host allows is a mount of the same type, where it is mounted. */
static void check_host(struct mc_external *c, const struct mc_src *s, struct libmnt_fs *fs,
		       bool is_root)
{
	const struct mntcr_external *o = &c->po->externals[s->index];
	const struct mc_sb *sb = &c->p->topo->sbs[s->sb];
	const char *type = fs ? mnt_fs_get_fstype(fs) : NULL;
	char path[256], is[64], was[64], text[600];

	if (o->reserved[0] != MC_BY_HOST || (type && is_root && mc_exec_has_type(sb, type)))
		return;
	mc_escape(o->path, path, sizeof(path));
	mc_escape(sb->type, was, sizeof(was));
	if (type && is_root)
		snprintf(text, sizeof(text), "--host %s: what is mounted there is %s, and the image's host had %s there (%u:%u)",
			 path, mc_escape(type, is, sizeof(is)), was, sb->major, sb->minor);
	else
		snprintf(text, sizeof(text), "--host %s: nothing is mounted there, and the image's host had %s there (%u:%u)",
			 path, was, sb->major, sb->minor);
	mc_external_report(c, "host-type", text, "--external with the path of what stands for it", 0);
}

/* Mounts of one superblock may be peers, which those of two cannot be. */
static void check_same(struct mc_external *c, const struct mc_src *s, struct libmnt_fs *fs,
		       uint32_t *first)
{
	const struct mntcr_external *o = &c->po->externals[s->index], *a;
	const struct mc_sb *sb = &c->p->topo->sbs[s->sb];
	char of[MC_OPTION_TEXT_SIZE], other[256], text[900];

	if (first[s->sb] == MC_NONE) {
		first[s->sb] = (uint32_t)(s - c->p->srcs);
		c->devices[s->sb] = mnt_fs_get_devno(fs);
		return;
	}
	if (mnt_fs_get_devno(fs) == c->devices[s->sb])
		return;
	a = &c->po->externals[c->p->srcs[first[s->sb]].index];
	snprintf(text, sizeof(text), "%s is of another superblock than %s, which stands for a part of %u:%u, too",
		 mc_option_text("--external", o, of, sizeof(of)),
		 mc_escape(a->path, other, sizeof(other)), sb->major, sb->minor);
	mc_external_report(c, "external-superblock", text, "paths within one superblock", 0);
}

/* -1: it is no namespace's file.  Others could be opened for a long time. */
static int nstype_of(int fd)
{
	char path[40];
	struct statfs fs;
	int file, type;

	if (fstatfs(fd, &fs) || fs.f_type != NSFS_MAGIC)
		return -1;
	snprintf(path, sizeof(path), "/proc/thread-self/fd/%d", fd);
	file = open(path, O_RDONLY | O_CLOEXEC);
	type = file < 0 ? -1 : ioctl(file, MC_NS_GET_NSTYPE);
	mc_close(file);
	return type;
}

static void check_ns(struct mc_external *c, uint32_t src)
{
	const struct mc_src *s = &c->p->srcs[src];
	const struct mntcr_external *o = &c->po->externals[s->index];
	char of[MC_OPTION_TEXT_SIZE], text[600];
	uint32_t m = c->first[src];

	if (m == MC_NONE || !c->p->topo->mounts[m].nsfs_type ||
	    nstype_of(c->fds[s->index]) == (int)c->p->topo->mounts[m].nsfs_type)
		return;
	snprintf(text, sizeof(text), "%s is no file of such a namespace",
		 mc_option_text("--external", o, of, sizeof(of)));
	mc_external_report(c, "external-namespace", text, "the path of one, as in /proc/PID/ns", 0);
}

/* Each for itself may be what it says, and together they are not. */
static void refuse_two(void *data, uint32_t a, uint32_t b, uint32_t type)
{
	struct mc_external *c = data;
	const struct mc_mount *m = c->p->topo->mounts;
	char one[200], other[200], text[600];

	c->ids[0] = (struct mntcr_mount_id){ .ns = m[a].ns, .id = m[a].id };
	c->ids[1] = (struct mntcr_mount_id){ .ns = m[b].ns, .id = m[b].id };
	snprintf(text, sizeof(text), "%s and %s were of one %s namespace, and what is there for them is of two",
		 mc_mount_name(c->p->topo, a, one, sizeof(one)),
		 mc_mount_name(c->p->topo, b, other, sizeof(other)), mc_nstype_name(type));
	mc_external_report(c, "two-namespaces", text, "--external with paths of one namespace", 2);
}

/* What has been unlinked is made there first. */
static void check_writable(struct mc_external *c, const struct mc_src *s)
{
	const struct mntcr_external *o = &c->po->externals[s->index];
	char of[MC_OPTION_TEXT_SIZE], text[600];
	struct statvfs fs;

	if (!s->nr_unlinked || fstatvfs(c->fds[s->index], &fs) ||
	    !(fs.f_flag & ST_RDONLY))
		return;
	snprintf(text, sizeof(text), "%s is read-only: what was unlinked and is mounted can't be made there",
		 mc_option_text("--external", o, of, sizeof(of)));
	mc_external_report(c, "deleted-root", text, "a path that is writable", 0);
}

/* A clone keeps the idmap that it is of; some kernels let it be replaced, not all. */
static void check_idmap(struct mc_external *c, const struct mc_src *s, struct libmnt_fs *fs)
{
	const struct mntcr_external *o = &c->po->externals[s->index];
	const char *options = mnt_fs_get_vfs_options(fs);
	char of[MC_OPTION_TEXT_SIZE], text[600];

	if (!options || mnt_optstr_get_option(options, "idmapped", NULL, NULL))
		return;
	snprintf(text, sizeof(text), "%s is on an idmapped mount, and what is cloned of it would be idmapped like that",
		 mc_option_text("--external", o, of, sizeof(of)));
	mc_external_report(c, "idmapped-source", text, "a path on a mount of it without an idmap", 0);
}

int mc_external_superblocks(struct mc_external *c)
{
	uint32_t *first = malloc((c->p->topo->nr_sbs + 1UL) * sizeof(*first)), i;
	struct libmnt_table *mounted;
	struct libmnt_fs *fs;
	bool is_root;

	c->devices = calloc(c->p->topo->nr_sbs + 1UL, sizeof(*c->devices));
	if (!first || !c->devices) {
		free(first);
		return mc_nomem(c->e);
	}
	memset(first, 0xff, (c->p->topo->nr_sbs + 1UL) * sizeof(*first));
	mounted = mc_mounted_read();
	for (i = 0; mounted && i < c->p->nr_srcs; i++) {
		const struct mc_src *s = &c->p->srcs[i];

		if (s->kind != MC_SRC_EXTERNAL || c->fds[s->index] < 0)
			continue;
		fs = mc_mounted_at(mounted, c->fds[s->index], &is_root);
		check_host(c, s, fs, is_root);
		check_ns(c, i);
		check_writable(c, s);
		if (!fs)
			continue;
		check_same(c, s, fs, first);
		check_idmap(c, s, fs);
	}
	mc_mounted_free(mounted);
	free(first);
	return mc_one_ns(c->p, c->fds, NULL, refuse_two, c, c->e);
}
