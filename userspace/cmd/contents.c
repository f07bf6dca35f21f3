// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Contents of what is live, to be compared: read into a temporary file, and no more of
 * them than the other side has.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "image/image.h"
#include "topology/topology.h"
#include "verify/counterparts.h"
#include "cmd.h"

/* Which file it was, where that is what failed: it has no name. */
static int in_file(const char *dir, struct mntcr_error *e)
{
	char esc[300], where[400];

	snprintf(where, sizeof(where), "a temporary file in %s (TMPDIR may say another directory)",
		 mc_escape(dir, esc, sizeof(esc)));
	return mc_fail_in(e, where);
}

static int write_file(struct mntcr_topology *topo, const struct mntcr_contents_options *opts,
		      int fd, const char *dir, struct mntcr_error *e)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3), ret;
	FILE *out = copy < 0 ? NULL : fdopen(copy, "w");
	bool failed;

	if (!out) {
		mc_fail(e, MNTCR_SYS, errno, "opening it again");
		mc_close(copy);
		return in_file(dir, e);
	}
	ret = mc_image_print_contents(topo, opts, out, e);
	failed = ferror(out);
	if (fclose(out) && !ret) {
		ret = mc_fail(e, MNTCR_SYS, errno, "writing");
		failed = true;
	}
	return ret && failed ? in_file(dir, e) : ret;
}

static int read_into_file(struct mntcr_topology *topo, const struct mntcr_source *sources,
			  size_t nr, const char *const *exclude, size_t nr_exclude,
			  struct mntcr_contents **contents, struct mntcr_error *e)
{
	const struct mntcr_contents_options opts = {
		.size = sizeof(opts), .sources = sources, .nr_sources = nr,
		.exclude = exclude, .nr_exclude = nr_exclude,
	};
	const char *dir = getenv("TMPDIR");
	struct mntcr_topology *again = NULL;
	char temp[PATH_MAX], proc[40];
	int fd, ret;

	if (!dir || *dir != '/')
		dir = access("/var/tmp", W_OK) ? "/tmp" : "/var/tmp";
	snprintf(temp, sizeof(temp), "%s/mntcr-XXXXXX", dir);
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0) {
		mc_fail(e, MNTCR_SYS, errno, "for contents");
		return in_file(dir, e);
	}
	/* nothing is left of it, whatever ends the command */
	unlink(temp);
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	ret = write_file(topo, &opts, fd, dir, e) ||
	      mntcr_image_read_contents(proc, &again, contents, e) ? -1 : 0;
	close(fd);
	mntcr_topology_free(again);
	return ret;
}

/* Of those that are live on both sides, the ones that are read first say what they have. */
static bool is_compared(const struct cmd_side *other, uint32_t counterpart)
{
	return counterpart != MC_NONE &&
	       (!other->known || other->topo->sbs[counterpart].contents);
}

/* What is not compared may be out of reach: what something covers, for example. */
static int read_compared(struct cmd_side *side, const struct cmd_side *other,
			 const uint32_t *of, struct mntcr_error *e)
{
	struct mc_topology *t = side->topo;
	char **without = calloc(t->nr_sbs + 1UL, sizeof(*without));
	size_t nr = 0;
	uint32_t i;
	int ret = without ? 0 : mc_nomem(e);

	for (i = 0; !ret && i < t->nr_sbs; i++) {
		if (!t->sbs[i].nr_mounts || is_compared(other, of[i]))
			continue;
		without[nr] = mc_device_key(&t->sbs[i]);
		if (!without[nr++])
			ret = mc_nomem(e);
	}
	if (!ret)
		ret = read_into_file(t, side->sources, side->nr,
				     (const char *const *)without, nr, &side->contents, e);
	side->known = !ret;
	while (nr)
		free(without[--nr]);
	free(without);
	return ret;
}

int cmd_live_contents(struct cmd_side *a, struct cmd_side *b, struct mntcr_error *e)
{
	uint32_t *of_a = calloc(a->topo->nr_sbs + 1UL, sizeof(*of_a));
	uint32_t *of_b = calloc(b->topo->nr_sbs + 1UL, sizeof(*of_b));
	int ret = of_a && of_b ? 0 : mc_nomem(e);

	if (!ret)
		ret = mc_verify_counterparts(a->topo, b->topo, of_a, of_b, e);
	if (!ret && !a->known)
		ret = read_compared(a, b, of_a, e);
	if (!ret && !b->known)
		ret = read_compared(b, a, of_b, e);
	free(of_a);
	free(of_b);
	return ret;
}

bool cmd_says_contents(const struct cmd_side *side)
{
	uint32_t i;

	for (i = 0; side->known && i < side->topo->nr_sbs; i++)
		if (side->topo->sbs[i].contents)
			return true;
	return false;
}
