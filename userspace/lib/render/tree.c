// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Text: one tree per namespace, in the manner of findmnt(8).
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "render/render.h"

#define MAX_INDENT	40	/* deeper levels are numbered, not drawn */

static void columns(const struct mc_topology *t, const struct mc_mount *m,
		    struct mc_buf *b)
{
	const struct mc_sb *sb = &t->sbs[m->sb];
	const char *source = mc_mount_source(t, m), *sep = "";
	const struct mc_word *w;
	char esc[512];

	mc_buf_puts(b, mc_escape(source && *source ? source : "none", esc,
				 sizeof(esc)));
	if (strcmp(m->root, "/") || m->root_deleted)
		mc_buf_printf(b, "[%s%s]", mc_escape(m->root, esc, sizeof(esc)),
			      m->root_deleted ? " deleted" : "");
	mc_buf_printf(b, " %s", sb->type);
	/* what a container names its FUSE filesystem is for it to choose */
	if (sb->subtype)
		mc_buf_printf(b, ".%s", mc_escape(sb->subtype, esc, sizeof(esc)));
	mc_buf_puts(b, " ");
	if (m->group != MC_NONE) {
		mc_buf_printf(b, "shared:%" PRIu64, t->groups[m->group].id);
		sep = ",";
	}
	if (m->master != MC_NONE) {
		mc_buf_printf(b, "%smaster:%" PRIu64 "%s", sep,
			      t->groups[m->master].id,
			      t->groups[m->master].nr_members ? "" : "(external)");
		sep = ",";
	}
	if (!*sep)
		mc_buf_puts(b, m->unbindable ? "unbindable" : "private");
	mc_buf_puts(b, m->attr & MOUNT_ATTR_RDONLY ? " ro" : " rw");
	for (w = mc_words_attr + 1; w->name; w++)
		if ((m->attr & w->mask) == w->bits)
			mc_buf_printf(b, ",%s", w->name);
	if (sb->flags & MS_RDONLY && !(m->attr & MOUNT_ATTR_RDONLY))
		mc_buf_puts(b, " superblock:ro");
	sep = " locked:";
	for (w = mc_words_lock; w->name; w++)
		if (m->locks & w->bits) {
			mc_buf_printf(b, "%s%s", sep, w->name);
			sep = ",";
		}
}

/* The branches to the left of m, from the root down. */
static void branches(const struct mc_topology *t, uint32_t m, uint32_t depth,
		     uint32_t *stack, struct mc_buf *b)
{
	uint32_t i, n = 0, at;

	if (depth > MAX_INDENT) {
		mc_buf_printf(b, "(%u levels down) ", depth);
		return;
	}
	for (at = m; t->mounts[at].parent != MC_NONE; at = t->mounts[at].parent)
		stack[n++] = at;
	for (i = n; i-- > 0;) {
		bool last = t->mounts[stack[i]].next_sibling == MC_NONE;

		mc_buf_puts(b, i ? last ? "  " : "| " : last ? "`-" : "|-");
	}
}

/* The path is kept while going down and up: depth may be anything. */
static void enter(struct mc_buf *path, const struct mc_mount *m)
{
	if (m->mountpoint[1])
		mc_buf_puts(path, m->mountpoint);
}

static void leave(struct mc_buf *path, const struct mc_mount *m)
{
	if (!m->mountpoint[1] || path->nomem)
		return;
	path->len -= strlen(m->mountpoint);
	path->data[path->len] = '\0';
}

static int tree(const struct mc_topology *t, uint32_t root, FILE *out,
		struct mntcr_error *e)
{
	uint32_t m = root, c, depth = 0, stack[MAX_INDENT + 1];
	struct mc_buf b = { 0 }, path = { 0 };
	char esc[4096];

	while (m != MC_NONE) {
		mc_buf_reset(&b);
		branches(t, m, depth, stack, &b);
		enter(&path, &t->mounts[m]);
		mc_buf_puts(&b, mc_escape(path.len ? path.data : "/", esc,
					  sizeof(esc)));
		if (t->mounts[m].parent != MC_NONE && !t->mounts[m].mountpoint[1])
			mc_buf_puts(&b, " (over it)");
		mc_buf_puts(&b, t->mounts[m].above ? "  ..." : "  ");
		if (!t->mounts[m].above)
			columns(t, &t->mounts[m], &b);
		if (b.nomem || path.nomem)
			goto nomem;
		fprintf(out, "%s\n", b.data);

		c = t->mounts[m].first_child;
		if (c != MC_NONE)
			depth++;
		while (c == MC_NONE) {
			leave(&path, &t->mounts[m]);
			c = t->mounts[m].next_sibling;
			if (c == MC_NONE) {
				m = t->mounts[m].parent;
				depth--;
				if (m == MC_NONE)
					break;
			}
		}
		m = c;
	}
	mc_buf_free(&b);
	mc_buf_free(&path);
	return 0;
nomem:
	mc_buf_free(&b);
	mc_buf_free(&path);
	return mc_nomem(e);
}

int mc_render_tree(const struct mc_topology *t, FILE *out,
		   struct mntcr_error *e)
{
	char esc[300];
	uint32_t i;

	for (i = 0; i < t->nr_ns; i++) {
		const struct mc_ns *ns = &t->ns[i];

		fprintf(out, "%s%s %u: %s", i ? "\n" : "",
			ns->detached ? "detached tree" : "namespace",
			ns->number ? ns->number - 1 : i,
			mc_escape(ns->label, esc, sizeof(esc)));
		if (ns->ino && !ns->detached)
			fprintf(out, " mnt:[%" PRIu64 "]", ns->ino);
		if (ns->userns != MC_NONE && !t->userns[ns->userns].dumper)
			fprintf(out, " owner user:[%" PRIu64 "]",
				t->userns[ns->userns].ino);
		fprintf(out, ", %u mount%s\n", ns->nr_mounts,
			ns->nr_mounts == 1 ? "" : "s");
		if (ns->root != MC_NONE && tree(t, ns->root, out, e))
			return -1;
	}
	return 0;
}
