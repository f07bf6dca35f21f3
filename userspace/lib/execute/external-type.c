// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Is what stands for a superblock of the type that it was?  What was on a disk may be on
 * another filesystem here.  What the kernel makes for whoever mounts it is what its type
 * says: another is not it, and a restore that takes nothing makes it itself.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <libmount/libmount.h>
#include <string.h>
#include <sys/vfs.h>

#include "contents/contents.h"
#include "execute/execute.h"

struct check {
	const struct mc_plan *p;
	const struct mc_plan_options *po;
	const struct mc_looked *at;
	mc_differs *differs;
	void *data;
	uint32_t nr_refused;
	struct mntcr_error *e;
};

bool mc_exec_has_type(const struct mc_sb *sb, const char *is)
{
	size_t n = strlen(sb->type);

	if (!sb->subtype)
		return !strcmp(is, sb->type);
	return !strncmp(is, sb->type, n) && is[n] == '.' && !strcmp(is + n + 1, sb->subtype);
}

/* As mountinfo says; of what is in no mount that it shows, what the kernel has for a type. */
static bool is_other(const struct mc_sb *sb, struct libmnt_fs *mnt, int fd, char *is,
		     size_t size)
{
	const char *type = mnt ? mnt_fs_get_fstype(mnt) : NULL;
	struct statfs fs;

	if (type) {
		mc_escape(type, is, size);
		return !mc_exec_has_type(sb, type);
	}
	if (!sb->magic || fstatfs(fd, &fs) ||
	    (uint32_t)fs.f_type == (uint32_t)sb->magic)
		return false;
	snprintf(is, size, "another (%#x)", (uint32_t)fs.f_type);
	return true;
}

/* Does the type say what it is? */
static bool is_by_type(const struct mc_sb *sb)
{
	const struct mc_type *type = mc_type_of(sb->type);

	return type->fresh || type->again || type->again_plain;
}

bool mc_exec_is_wrong_type(const struct mc_sb *sb, int fd)
{
	struct libmnt_table *mounted = is_by_type(sb) ? mc_mounted_read() : NULL;
	char is[64];
	bool is_root, wrong;

	wrong = mounted && is_other(sb, mc_mounted_at(mounted, fd, &is_root), fd, is,
				    sizeof(is));
	mc_mounted_free(mounted);
	return wrong;
}

static void check_type(struct check *c, const struct mc_src *s, struct libmnt_table *mounted)
{
	const struct mntcr_external *o = &c->po->externals[s->index];
	const struct mc_sb *sb = &c->p->topo->sbs[s->sb];
	char of[MC_OPTION_TEXT_SIZE], is[64], was[64], text[700], help[100];
	int fd = c->at->external_fd[s->index];
	struct libmnt_fs *mnt;
	bool is_root;

	mnt = mounted ? mc_mounted_at(mounted, fd, &is_root) : NULL;
	if (!is_other(sb, mnt, fd, is, sizeof(is)))
		return;
	snprintf(text, sizeof(text), "%u:%u: %s is of type %s instead of %s", sb->major,
		 sb->minor, mc_option_text("--external", o, of, sizeof(of)), is,
		 mc_escape(sb->type, was, sizeof(was)));
	snprintf(help, sizeof(help), "a path on a filesystem of type %s", was);
	if (!is_by_type(sb) && c->differs)
		c->differs(c->data, "type", text);
	/* of a place of the host's any other type has been refused */
	if (is_by_type(sb) && o->reserved[0] != MC_BY_HOST)
		mc_refuse_beside(c->po, c->e, &c->nr_refused, &(struct mntcr_refusal){
			.rule = "external-type", .text = text, .help = help });
}

/* What is in the image of a superblock that is not made of it. */
static void check_contents(struct check *c, uint32_t i)
{
	const struct mc_sb *sb = &c->p->topo->sbs[i];
	const struct mc_from *from = &c->p->from[i];
	bool given = from->need != MC_NONE &&
		     c->p->needs[from->need].kind == MNTCR_GIVEN_SUPERBLOCK;
	char type[64], text[256];

	if (!c->differs || !sb->nr_mounts ||
	    (from->kind != MC_FROM_EXTERNAL && !given) ||
	    mc_type_of(sb->type)->kind != MC_TYPE_MEMORY ||
	    !mc_contents_has(c->at->contents, sb))
		return;
	snprintf(text, sizeof(text), "%s %u:%u: its contents in the image are not used, since %s stands for it",
		 mc_escape(sb->type, type, sizeof(type)), sb->major, sb->minor,
		 given ? "what is given at a stage" : "what an option names");
	c->differs(c->data, "contents", text);
}

int mc_external_types(const struct mc_plan *p, const struct mc_plan_options *po,
		      const struct mc_looked *at, mc_differs *differs, void *data,
		      struct mntcr_error *e)
{
	struct check c = {
		.p = p, .po = po, .at = at, .differs = differs, .data = data, .e = e,
	};
	struct libmnt_table *mounted = po->nr_externals ? mc_mounted_read() : NULL;
	const struct mc_src *s;
	uint32_t i;

	for (i = 0; i < p->nr_srcs; i++) {
		s = &p->srcs[i];
		if (s->kind == MC_SRC_EXTERNAL && at->external_fd[s->index] >= 0 &&
		    mc_type_of(p->topo->sbs[s->sb].type)->kind != MC_TYPE_FILES)
			check_type(&c, s, mounted);
	}
	mc_mounted_free(mounted);
	for (i = 0; i < p->topo->nr_sbs; i++)
		check_contents(&c, i);
	if (c.nr_refused > 1)
		mc_more_refusals(e, c.nr_refused - 1);
	return c.nr_refused ? -1 : 0;
}
