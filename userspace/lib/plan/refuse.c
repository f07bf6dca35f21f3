// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What cannot be restored: all of it is found and told before planning fails.
 * The same reason for several mounts in a row is told once, with all of them.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "plan/priv.h"

/* So many are named in the text. */
#define MOST_NAMED	3

static void put_names(const struct mc_plan *p, const struct mc_refusing *r,
		      char *buf, size_t size)
{
	char name[200];
	size_t at = 0;
	uint32_t i;

	*buf = '\0';
	for (i = 0; i < r->nr_mounts && i < MOST_NAMED; i++)
		at += (size_t)snprintf(buf + at, size - at, "%s%s", i ? ", " : "",
				       mc_mount_name(p->topo, r->mounts[i], name,
						     sizeof(name)));
	if (i < r->nr_mounts)
		at += (size_t)snprintf(buf + at, size - at, " and %u more",
				       r->nr_mounts - i);
	if (i)
		snprintf(buf + at, size - at, ": ");
}

/* What is said of it is complete. */
static int tell(struct mc_plan *p, struct mntcr_error *e)
{
	const struct mc_plan_options *o = p->priv->opts;
	struct mc_refusing *r = &p->priv->refusing;
	char names[MOST_NAMED * 200 + 32];
	struct mntcr_mount_id *ids;
	struct mc_buf text = { 0 };
	uint32_t i;

	if (!r->rule)
		return 0;
	put_names(p, r, names, sizeof(names));
	mc_buf_printf(&text, "%s%s", names, r->text);
	ids = calloc(r->nr_mounts + 1U, sizeof(*ids));
	if (!ids || text.nomem) {
		free(ids);
		mc_buf_free(&text);
		return mc_nomem(e);
	}
	for (i = 0; i < r->nr_mounts; i++) {
		ids[i].ns = p->topo->mounts[r->mounts[i]].ns;
		ids[i].id = p->topo->mounts[r->mounts[i]].id;
	}
	if (!r->nr++)
		mc_refuse(&r->first, r->rule, "%s%s%s", text.data,
			  *r->help ? "; " : "", r->help);
	if (o->refused)
		o->refused(o->data, &(struct mntcr_refusal){
			.rule = r->rule, .text = text.data, .help = r->help,
			.mounts = ids, .nr_mounts = r->nr_mounts,
		});
	r->rule = NULL;
	r->nr_mounts = 0;
	free(ids);
	mc_buf_free(&text);
	return 0;
}

int mc_plan_refuse(struct mc_plan *p, struct mntcr_error *e, const char *rule,
		   const uint32_t *mounts, uint32_t nr, const char *help,
		   const char *fmt, ...)
{
	struct mc_refusing *r = &p->priv->refusing;
	char text[sizeof(r->text)];
	uint32_t i;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!r->rule || strcmp(rule, r->rule) || strcmp(text, r->text) ||
	    strcmp(help, r->help)) {
		if (tell(p, e))
			return -1;
		r->rule = rule;
		memcpy(r->text, text, sizeof(text));
		snprintf(r->help, sizeof(r->help), "%s", help);
	}
	for (i = 0; i < nr; i++) {
		if (!mc_grow(&r->mounts, r->nr_mounts, &r->max_mounts,
			     sizeof(*r->mounts)))
			return mc_nomem(e);
		r->mounts[r->nr_mounts++] = mounts[i];
	}
	return 0;
}

void mc_refuse_beside(const struct mc_plan_options *o, struct mntcr_error *e, uint32_t *nr,
		      const struct mntcr_refusal *refusal)
{
	if (!(*nr)++)
		mc_refuse(e, refusal->rule, "%s%s%s", refusal->text,
			  *refusal->help ? "; " : "", refusal->help);
	if (o->refused)
		o->refused(o->data, refusal);
}

void mc_more_refusals(struct mntcr_error *e, uint32_t nr)
{
	char more[64];
	size_t n;

	snprintf(more, sizeof(more), " (and %u more refusals)", nr);
	/* However long the text is, that there are more is said. */
	n = strnlen(e->text, sizeof(e->text) - 1 - strlen(more));
	strcpy(e->text + n, more);
}

int mc_plan_refused(struct mc_plan *p, struct mntcr_error *e)
{
	struct mc_refusing *r = &p->priv->refusing;

	if (tell(p, e))
		return -1;
	if (!r->nr)
		return 0;
	*e = r->first;
	if (r->nr > 1)
		mc_more_refusals(e, r->nr - 1);
	return -1;
}
