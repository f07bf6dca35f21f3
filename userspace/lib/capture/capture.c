// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mntcr_capture(): pick the method, try again when something moved.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture.h"

#define RETRIES		8

static int attempt(const struct mntcr_source *sources, size_t nr,
		   const struct mntcr_capture_options *o,
		   enum mntcr_method method, struct mc_topology **topo,
		   struct mntcr_error *e)
{
	struct mc_topology *t = mc_topology_new();
	char boot[MC_BOOT_ID_LEN + 1];
	struct cap_ns *ns = NULL;
	size_t nr_ns = 0;
	int ret = -1;

	if (!t)
		return mc_nomem(e);
	if (cap_open(sources, nr, &ns, &nr_ns, t, e))
		goto out;
	if (method == MNTCR_METHOD_MOUNTINFO)
		ret = cap_mountinfo(t, ns, nr_ns, e);
	else
		ret = cap_statmount(t, ns, nr_ns, e);
	if (!ret)
		ret = cap_shown(t, e);
	if (ret)
		goto out;
	if (t->nr_mounts > MC_MAX_MOUNTS || t->nr_groups > MC_MAX_MOUNTS) {
		ret = mc_refuse(e, "too-many-mounts",
				"%u mounts and %u peer groups in all",
				t->nr_mounts, t->nr_groups);
		goto out;
	}
	if (mc_boot_id(boot)) {
		t->boot_id = mc_topology_str(t, boot);
		if (!t->boot_id) {
			ret = mc_nomem(e);
			goto out;
		}
	}
	ret = mc_topology_finish(t, e);
	if (ret && e->code == MNTCR_BAD_IMAGE) {
		e->code = MNTCR_REFUSED;
		strcpy(e->rule, CAP_CONTRADICTORY);
	}
	if (!ret)
		cap_types(t, ns, nr_ns);
	if (!ret)
		ret = cap_layers_of_overlays(t, ns, nr_ns, e);
	if (!ret)
		ret = mc_number_unlinked(t, e);
	if (!ret && o->whose)
		ret = cap_whose(t, o, e);
out:
	if (ns)
		cap_close(ns, nr_ns);
	if (ret)
		mntcr_topology_free(t);
	else
		*topo = t;
	return ret;
}

/*
 * Two looks that agree can still be a mixture, where something was changed and
 * changed back between them, both times.  So what contradicts itself is looked
 * at once more.
 */
static bool may_pass(const struct mntcr_error *e)
{
	return e->code == MNTCR_CHANGED ||
	       (e->code == MNTCR_REFUSED && !strcmp(e->rule, CAP_CONTRADICTORY));
}

/*
 * An id is never used again, so what was missing twice under the same id is not
 * something that has just gone away.
 */
static bool is_missing(const struct mntcr_error *e)
{
	return e->code == MNTCR_CHANGED && e->err == ENOENT;
}

static int capture(const struct mntcr_source *sources, size_t nr,
		   const struct mntcr_capture_options *opts,
		   struct mntcr_topology **topo, struct mntcr_error *e)
{
	enum mntcr_method method;
	struct mntcr_error first;
	char missing[sizeof(e->text)] = "";
	unsigned int tries;

	method = opts->method;
	tries = opts->retries ? opts->retries : RETRIES;
	memset(e, 0, sizeof(*e));
	*topo = NULL;
	if (!nr)
		return mc_fail(e, MNTCR_USAGE, 0, "no namespace was named");
	for (;;) {
		if (!attempt(sources, nr, opts, method, topo, e)) {
			if ((*topo)->uncounted && opts->note)
				opts->note(opts->data, "mountinfo does not show what the root of a namespace covers, and this kernel does not count its mounts: if there is any, it is not in the image");
			return 0;
		}
		if (method == MNTCR_METHOD_AUTO &&
		    (e->code == MNTCR_UNSUPPORTED || e->err == EPERM)) {
			/* mountinfo of one's own needs no privilege */
			method = MNTCR_METHOD_MOUNTINFO;
			first = *e;
		} else if (is_missing(e) && !strcmp(e->text, missing)) {
			/* whatever else was in the way meanwhile */
			e->code = MNTCR_SYS;
			break;
		} else if (!may_pass(e) || !--tries) {
			break;
		} else if (is_missing(e)) {
			memcpy(missing, e->text, sizeof(missing));
		}
	}
	/* Why the method that was tried first failed says more. */
	if (opts->method != method && first.err == EPERM && e->err == EPERM)
		*e = first;
	return -1;
}

/* For each namespace its own and that of its mountinfo; a few more are in use. */
#define OTHER_FDS	16

int cap_capture(const struct mntcr_source *sources, size_t nr,
		const struct mntcr_capture_options *opts,
		struct mntcr_topology **topo, struct mntcr_error *e)
{
	struct mc_fd_limit limit = { 0 };
	int ret;

	if (nr <= MC_MAX_NAMESPACES)
		mc_fd_limit_raise(&limit, mc_fd_count() + OTHER_FDS +
				  2 * (uint32_t)nr);
	ret = capture(sources, nr, opts, topo, e);
	mc_fd_limit_back(&limit);
	return ret;
}

int mntcr_capture(const struct mntcr_source *sources, size_t nr,
		  const struct mntcr_capture_options *opts,
		  struct mntcr_topology **topo, struct mntcr_error *e)
{
	struct mntcr_capture_options o;

	*topo = NULL;
	memset(e, 0, sizeof(*e));
	if (mc_take_options(&o, sizeof(o), sizeof(o), opts, "capture_options", e))
		return -1;
	return cap_capture(sources, nr, &o, topo, e);
}
