// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Unlinked roots of a fresh superblock, on a device or in an overlay.  They are made in a
 * directory of their own (aside.c); once one is attached it is unlinked by the name that
 * it had (unlink-again.c).
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "execute/unlinked.h"

/* --- making them ---------------------------------------------------------------- */

struct mc_put *mc_exec_put(const struct mc_plan *p, const struct mc_src *s)
{
	struct mc_put *put = calloc(s->nr_unlinked + 1UL, sizeof(*put));
	uint32_t i;

	for (i = 0; put && i < s->nr_unlinked; i++)
		put[i] = (struct mc_put){
			.nr = p->unlinked[s->unlinked + i].nr,
			.path = p->unlinked[s->unlinked + i].path,
			.type = p->unlinked[s->unlinked + i].type,
		};
	return put;
}

static int external_of(const struct mc_exec *x, const struct mc_src *s)
{
	return s->kind == MC_SRC_EXTERNAL ? x->external_fd[s->index] : -1;
}

struct trying {
	const struct mc_plan_options *po;
	struct mntcr_error *e;
	uint32_t nr_refused;
};

static void is_refused(void *data, const struct mntcr_error *why)
{
	struct trying *t = data;

	mc_refuse_beside(t->po, t->e, &t->nr_refused, &(struct mntcr_refusal){
		.rule = why->rule, .text = why->text, .help = "" });
}

/* Of what comes from the archive alone, all of which is read when it is made. */
static int try_source(const struct mc_exec *x, const struct mc_src *s, struct trying *t)
{
	const struct mc_sb *sb = &x->t->sbs[s->sb];
	const struct mc_trying how = {
		.root = external_of(x, s), .no_data = !mc_unlinked_elsewhere(x, s),
		.refused = is_refused, .data = t,
	};
	struct mc_put *put = mc_exec_put(x->p, s);
	uint32_t before = t->nr_refused;
	struct mntcr_error e = { 0 };
	int ret = put ? mc_contents_try(x->o->contents, sb,
					mc_exec_is_whole(sb, s, external_of(x, s)), put,
					s->nr_unlinked, &how, &e) : mc_nomem(&e);

	free(put);
	if (!ret || t->nr_refused > before)
		return 0;
	*t->e = e;
	return -1;
}

int mc_exec_check_unlinked(const struct mc_exec *x, const struct mc_plan_options *po,
			   struct mntcr_error *e)
{
	struct trying t = { .po = po, .e = e };
	uint32_t i;

	for (i = 0; i < x->p->nr_srcs; i++) {
		if (!x->p->srcs[i].nr_unlinked)
			continue;
		if (!mc_contents_has(x->o->contents, &x->t->sbs[x->p->srcs[i].sb]))
			return mc_fail(e, MNTCR_USAGE, 0,
				       "unlinked roots are in the image's contents, which were not given");
		if (try_source(x, &x->p->srcs[i], &t))
			return -1;
	}
	return t.nr_refused ? -1 : 0;
}

/* Where and what they are, for all sources. */
static int keep_puts(struct mc_exec *x)
{
	uint32_t i;

	if (x->put)
		return 0;
	x->put = calloc(x->p->nr_unlinked, sizeof(*x->put));
	x->aside_fd = mc_fds_new(x->p->nr_srcs);
	if (!x->put || !x->aside_fd)
		return mc_nomem(x->e);
	for (i = 0; i < x->p->nr_unlinked; i++)
		x->put[i] = (struct mc_put){
			.nr = x->p->unlinked[i].nr, .path = x->p->unlinked[i].path,
			.type = x->p->unlinked[i].type,
		};
	return 0;
}

int mc_exec_fill(struct mc_exec *x, const struct mc_src *s, int root)
{
	struct mc_put *put = NULL;
	int aside = -1, ret;

	if (!x->later)
		x->later = calloc(x->p->nr_srcs, sizeof(*x->later));
	if (!x->later)
		return mc_nomem(x->e);
	if (s->nr_unlinked) {
		if (keep_puts(x) || mc_aside_make(x, s, root))
			return -1;
		put = x->put + s->unlinked;
		aside = x->aside_fd[s - x->p->srcs];
	}
	ret = mc_contents_fill(x->o->contents, &x->t->sbs[s->sb], root, aside,
			       mc_exec_is_whole(&x->t->sbs[s->sb], s, external_of(x, s)),
			       put, s->nr_unlinked, &x->later[s - x->p->srcs], x->e);
	/* a new superblock goes with all that was made */
	if (ret && mc_unlinked_elsewhere(x, s))
		mc_aside_remove(x, s, root);
	return ret;
}

int mc_exec_fill_externals(struct mc_exec *x)
{
	const struct mc_src *s;
	uint32_t i;

	for (i = 0; i < x->p->nr_srcs; i++) {
		s = &x->p->srcs[i];
		if (s->kind == MC_SRC_EXTERNAL && s->nr_unlinked &&
		    mc_exec_fill(x, s, x->external_fd[s->index]))
			return -1;
	}
	return 0;
}

static int root_of(const struct mc_exec *x, uint32_t i)
{
	const struct mc_src *s = &x->p->srcs[i];

	return s->kind == MC_SRC_EXTERNAL ? x->external_fd[s->index] : x->src_fd[i];
}

void mc_exec_take_back(struct mc_exec *x)
{
	uint32_t i;

	for (i = 0; x->put && x->aside_fd && i < x->p->nr_srcs; i++)
		if (mc_unlinked_elsewhere(x, &x->p->srcs[i]) && x->aside_fd[i] >= 0 &&
		    root_of(x, i) >= 0)
			mc_aside_remove(x, &x->p->srcs[i], root_of(x, i));
}

int mc_exec_is_made(const struct mc_exec *x, uint32_t sub, int fd)
{
	const struct mc_src *s = &x->p->srcs[sub], *base = &x->p->srcs[s->base];
	uint32_t lo = base->unlinked, hi = lo + base->nr_unlinked, mid, nr;
	size_t len = base->nr_unlinked ? mc_member_dir(x->p->unlinked[lo].made_as) : 0;
	struct stat st;

	if (!len || strncmp(s->path, x->p->unlinked[lo].made_as, len) || s->path[len] != '/')
		return 0;
	nr = (uint32_t)strtoul(s->path + len + 1, NULL, 10);
	while (lo + 1 < hi) {
		mid = lo + (hi - lo) / 2;
		if (x->put[mid].nr <= nr)
			lo = mid;
		else
			hi = mid;
	}
	if (fstat(fd, &st))
		return -1;
	if (mc_put_is(&x->put[lo], &st))
		return 0;
	errno = ESTALE;
	return -1;
}

/* --- and unlinking them ----------------------------------------------------------- */

static int unlink_all(struct mc_exec *x, const struct mc_op *op, void *unused)
{
	uint32_t s = MC_REF_INDEX(op->obj), i;
	const struct mc_src *src = &x->p->srcs[s];
	char text[400], esc[256];
	const char *what;
	int err;

	(void)unused;
	for (i = op->nr; i--; ) {
		if (!mc_unlink_again(x, src, root_of(x, s), op->first + i, &what))
			continue;
		err = errno;
		snprintf(text, sizeof(text), "unlinking /%s again: %s",
			 mc_escape(x->p->unlinked[op->first + i].path, esc, sizeof(esc)), what);
		return mc_exec_fail(x, op, err, text);
	}
	err = src->nr_unlinked ? mc_aside_remove(x, src, root_of(x, s)) : 0;
	if (err)
		return mc_exec_fail(x, op, err, "removing the directory that unlinked roots were made in");
	return src->finish ? 0 : mc_exec_set_last(x, op, src, root_of(x, s));
}

/* A new name takes an fsuid and an fsgid that the superblock's owner maps. */
int mc_exec_unlink(struct mc_exec *x, const struct mc_op *op)
{
	return mc_exec_as_owner(x, op, unlink_all, NULL);
}
