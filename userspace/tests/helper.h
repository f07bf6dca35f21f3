/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a helper in user space may be asked, and not answer: each test with both
 * APIs and both ways to dump.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TESTS_HELPER_H
#define TESTS_HELPER_H

#include "mntcr-restore.h"
#include "base/base.h"
#include "topology/topology.h"
#include "extended.h"
#include "tap.h"
#include "world.h"

static enum mntcr_api api;
static enum mntcr_method method;

static inline void say(void *data, const char *line)
{
	TAP_SAY("verify: %s", line);
}

static inline void need_api(void)
{
	if (api == MNTCR_API_EXTENDED && !has_extended())
		SKIP("this kernel has no mount_setgroup(2)");
}

static inline struct mntcr_topology *helper_capture(const struct mntcr_source *src)
{
	struct mntcr_capture_options co = {
		.size = sizeof(co), .method = method,
	};
	struct mntcr_topology *t = NULL;
	struct mntcr_error e = { 0 };

	if (mntcr_capture(src, 1, &co, &t, &e)) {
		TAP_SAY("capture: %s [%s]", e.text, e.rule);
		if (e.code == MNTCR_UNSUPPORTED)
			SKIP("this kernel lacks the method");
		REQUIRE(!"captured");
	}
	return t;
}

struct helper_test {
	const char *name;
	void (*fn)(void);
};

/* argv[1]: that one alone. */
static inline int helper_run(const struct helper_test *tests, size_t nr, char **argv)
{
	static const enum mntcr_method methods[] = {
		MNTCR_METHOD_STATMOUNT, MNTCR_METHOD_MOUNTINFO,
	};
	char name[128];
	size_t i, a, m;

	setvbuf(stdout, NULL, _IOLBF, 0);
	world_start();
	for (i = 0; i < nr; i++) {
		for (a = 0; a < 2; a++) {
			for (m = 0; m < 2; m++) {
				if (argv[1] && strcmp(argv[1], tests[i].name))
					continue;
				api = a ? MNTCR_API_EXTENDED : MNTCR_API_UPSTREAM;
				method = methods[m];
				snprintf(name, sizeof(name), "%s.%s.%s",
					 a ? "extended" : "upstream",
					 m ? "mountinfo" : "statmount",
					 tests[i].name);
				/* what waits for an answer is to die of it */
				alarm(100);
				tap_run(name, tests[i].fn);
				alarm(0);
			}
		}
	}
	return tap_done();
}

#endif /* TESTS_HELPER_H */
