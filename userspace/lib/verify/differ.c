// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is said of a difference, and how a mount is called in it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/pairs.h"

bool mc_verify_count(struct mc_verify *v)
{
	v->nr_differences++;
	return v->opts->report &&
	       (!v->opts->max_reports || v->nr_differences <= v->opts->max_reports);
}

void mc_verify_report(struct mc_verify *v, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	v->opts->report(v->opts->data, text);
}

const char *mc_verify_name(const struct mc_topology *t, uint32_t m, char *buf,
			   size_t size)
{
	struct mc_buf b = { 0 };
	char *path = mc_mount_path(t, m);
	uint32_t over = 0, at;

	/* How many mounts cover this one: its path leads to the topmost. */
	for (at = m; t->mounts[at].parent != MC_NONE && !t->mounts[at].mountpoint[1];
	     at = t->mounts[at].parent)
		over++;
	mc_buf_printf(&b, "namespace %u (%s) %s", t->mounts[m].ns,
		      t->ns[t->mounts[m].ns].label, path ? path : "?");
	free(path);
	if (b.nomem || !b.data)
		snprintf(buf, size, "mount %" PRIu64, t->mounts[m].id);
	else
		mc_escape(b.data, buf, size - 32);
	if (over)
		sprintf(buf + strlen(buf), " (layer %u)", over);
	mc_buf_free(&b);
	return buf;
}

void mc_verify_differ(struct mc_verify *v, const struct mc_pair *p, const char *what,
		      const char *x, const char *y)
{
	char name[700], ex[500], ey[500];

	if (!mc_verify_count(v))
		return;
	mc_verify_report(v, "%s: %s: '%s' against '%s'",
			 mc_verify_name(v->a, p->a, name, sizeof(name)), what,
			 mc_escape(x ? x : "(none)", ex, sizeof(ex)),
			 mc_escape(y ? y : "(none)", ey, sizeof(ey)));
}

void mc_verify_lone(struct mc_verify *v, const struct mc_topology *t, uint32_t m)
{
	char name[700];

	if (!mc_verify_count(v))
		return;
	mc_verify_report(v, "%s: only in the %s",
			 mc_verify_name(t, m, name, sizeof(name)),
			 t == v->a ? "first" : "second");
}

const char *mc_verify_words(const struct mc_word *w, uint64_t bits, char *buf,
			    size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (; w->name; w++)
		if ((bits & w->mask) == w->bits && n < size)
			n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? "," : "",
					      w->name);
	return buf;
}
