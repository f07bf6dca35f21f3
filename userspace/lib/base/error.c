// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Errors: their kind, their text, the rule behind a refusal.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"

static void fail_text(struct mntcr_error *e, int err, const char *fmt,
		      va_list ap)
{
	int n = vsnprintf(e->text, sizeof(e->text), fmt, ap);
	char text[128];

	if (n < 0 || !err || (size_t)n + 3 >= sizeof(e->text))
		return;
	/* GNU's strerror_r: thread-safe, may return a constant. */
	snprintf(e->text + n, sizeof(e->text) - (size_t)n, ": %s",
		 strerror_r(err, text, sizeof(text)));
}

int mc_fail(struct mntcr_error *e, enum mntcr_code code, int err,
	    const char *fmt, ...)
{
	va_list ap;

	e->code = code;
	e->err = err;
	e->rule[0] = '\0';
	va_start(ap, fmt);
	fail_text(e, err, fmt, ap);
	va_end(ap);
	return -1;
}

int mc_refuse(struct mntcr_error *e, const char *rule, const char *fmt, ...)
{
	va_list ap;

	e->code = MNTCR_REFUSED;
	e->err = 0;
	snprintf(e->rule, sizeof(e->rule), "%s", rule);
	va_start(ap, fmt);
	fail_text(e, 0, fmt, ap);
	va_end(ap);
	return -1;
}

int mc_nomem(struct mntcr_error *e)
{
	return mc_fail(e, MNTCR_SYS, ENOMEM, "out of memory");
}

int mc_fail_in(struct mntcr_error *e, const char *where)
{
	char text[sizeof(e->text)];
	int n;

	memcpy(text, e->text, sizeof(text));
	n = snprintf(e->text, sizeof(e->text), "%s: ", where);
	if (n >= 0 && (size_t)n < sizeof(e->text))
		snprintf(e->text + n, sizeof(e->text) - (size_t)n, "%s", text);
	return -1;
}

int mc_wrong_told(const struct mc_wrong *w, const struct mntcr_error *e)
{
	if (!w || (e->code != MNTCR_USAGE && e->code != MNTCR_REFUSED))
		return -1;
	w->tell(w->data, e);
	return 0;
}
