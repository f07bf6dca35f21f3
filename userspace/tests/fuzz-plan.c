// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libFuzzer target: whatever image the reader takes is planned or refused by
 * name, with either API and any limits, and the plan can be printed.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/image.h"
#include "plan/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void plan(const struct mc_topology *t, unsigned int how, FILE *out)
{
	bool *live = calloc(t->nr_ns + 1, sizeof(*live));
	struct mc_plan_options o = {
		.api = how & 1 ? MNTCR_API_EXTENDED : MNTCR_API_UPSTREAM,
		.ns_live = live,
		.prefer_fresh = how & 4,
		.caller_namespaces = how & 8,
		.ignore_locks = how & 8,
		.fd_budget = how & 16 ? 12 : 0,
		.batch = how & 32 ? 3 : 0,
	};
	struct mntcr_error e = { 0 };
	struct mc_plan *p;

	if (!live)
		abort();
	memset(live, how & 2 ? 1 : 0, t->nr_ns);
	if (!mc_plan_make(t, &o, &p, &e)) {
		if (mc_plan_print(p, how & 64, out, &e))
			abort();
		mc_plan_free(p);
	} else if (e.code != MNTCR_REFUSED || !*e.rule) {
		abort();
	}
	free(live);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mntcr_topology *t;
	struct mntcr_error e;
	char *text = NULL;
	unsigned int i;
	size_t len;
	FILE *out;

	if (mc_image_parse((const char *)data, size, "fuzz", &t, &e))
		return 0;
	out = open_memstream(&text, &len);
	if (!out)
		abort();
	for (i = 0; i < 128; i += 1 + data[0] % 7)
		plan(t, i, out);
	fclose(out);
	free(text);
	mntcr_topology_free(t);
	return 0;
}
