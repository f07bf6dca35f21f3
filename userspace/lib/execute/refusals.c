// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * All that is refused before anything is made: by the plan, and for what was found where
 * options lead to.  That is looked at whatever the plan refuses, so that all is told of
 * in one run.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <string.h>

#include "execute/execute.h"

/* On devices that are what they have to be, and wherever other options lead. */
static int check_places(const struct mc_plan *p, const struct mc_plan_options *po,
			const struct mc_given *given, mc_differs *differs, void *data,
			struct mntcr_error *e)
{
	int *roots = mc_fds_new(p->nr_srcs), ret;
	const struct mc_looked at = {
		.external_fd = given->external_fd, .layer_fd = given->layer_fd,
		.device_root = roots, .contents = given->x ? given->x->o->contents : NULL,
	};

	if (!roots)
		return mc_nomem(e);
	ret = mc_devices_check(p, po, given->device_fd, roots, differs, data, e);
	if (!ret || e->code == MNTCR_REFUSED)
		ret = mc_external_check(p, po, &at, e);
	if (!ret || e->code == MNTCR_REFUSED)
		ret = mc_external_types(p, po, &at, differs, data, e);
	mc_fds_close(roots, p->nr_srcs);
	return ret;
}

int mc_given_check(const struct mc_plan *p, const struct mc_plan_options *po,
		   const struct mc_given *given, mc_differs *differs, void *data,
		   struct mntcr_error *e)
{
	if (check_places(p, po, given, differs, data, e) && e->code != MNTCR_REFUSED)
		return -1;
	if (mc_masters_check(p, po, given->external_fd, given->master_fd, e) &&
	    e->code != MNTCR_REFUSED)
		return -1;
	if (!given->x)
		return 0;
	given->x->p = p;
	given->x->e = e;
	return mc_idmaps_make(given->x, po) && e->code != MNTCR_REFUSED ? -1 : 0;
}

/* And what of the archive is needed for it; a check reads all of that. */
static int look(struct mc_refusals *r, const struct mc_plan *p, mc_differs *differs,
		struct mntcr_error *e)
{
	r->looked = true;
	if (mc_given_check(p, r->po, &r->given, differs, r, e))
		return -1;
	if (mc_masters_check_wide(p, r->po, r->given.external_fd, r->given.master_fd, e) &&
	    e->code != MNTCR_REFUSED)
		return -1;
	return r->given.x && mc_exec_check_unlinked(r->given.x, r->po, e) &&
	       e->code != MNTCR_REFUSED ? -1 : 0;
}

void mc_refusals_tell(void *data, const struct mntcr_refusal *refusal)
{
	struct mc_refusals *r = data;

	if (!r->nr++)
		mc_refuse(&r->first, refusal->rule, "%s%s%s", refusal->text,
			  *refusal->help ? "; " : "", refusal->help);
	if (r->o->refused)
		r->o->refused(r->o->data, refusal);
}

/* A plan that refuses nothing is looked at when it is made. */
static void decided(void *data, const struct mc_plan *p)
{
	struct mc_refusals *r = data;
	struct mntcr_error e = { 0 };

	if (!r->nr || r->looked)
		return;
	if (look(r, p, NULL, &e))
		r->failed = e;
	/* there will be no such plan */
	if (r->given.x) {
		mc_idmaps_free(r->given.x);
		r->given.x->p = NULL;
	}
}

void mc_refusals_take(struct mc_refusals *r, const struct mntcr_restore_options *o,
		      struct mc_plan_options *po)
{
	r->o = o;
	r->po = po;
	po->refused = mc_refusals_tell;
	po->decided = decided;
	po->data = r;
}

static void difference(void *data, const char *what, const char *line)
{
	struct mc_refusals *r = data;

	(void)what;
	if (!r->nr && r->differs)
		r->differs(r->o->data, line);
}

int mc_refusals_look(struct mc_refusals *r, const struct mc_plan *p, struct mntcr_error *e)
{
	if (!r->looked && look(r, p, difference, e))
		return -1;
	if (!r->nr)
		return 0;
	e->code = MNTCR_REFUSED;
	return mc_refusals_end(r, e);
}

int mc_refusals_end(const struct mc_refusals *r, struct mntcr_error *e)
{
	if (e->code != MNTCR_REFUSED || !r->nr)
		return -1;
	if (*r->failed.text) {
		*e = r->failed;
		return -1;
	}
	*e = r->first;
	if (r->nr > 1)
		mc_more_refusals(e, r->nr - 1);
	return -1;
}
