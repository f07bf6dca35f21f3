// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is made of the probes, whatever this kernel answers.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "tap.h"
#include "util.h"

/* Each is needed by one thing, and by nothing else. */
static void what_is_needed_by_what(void)
{
	static const char *const by[] = {
		"capture", "upstream", "extended", "locks",
	};
	struct mntcr_feature f[MNTCR_NR_FEATURES];
	struct mntcr_error e;
	size_t i, j, n;

	REQUIRE(!mntcr_features(f, &e));
	for (i = 0; i < MNTCR_NR_FEATURES; i++)
		f[i].state = MNTCR_FEATURE_YES;
	for (i = 0; i < MNTCR_NR_FEATURES; i++) {
		f[i].state = i % 2 ? MNTCR_FEATURE_NO : MNTCR_FEATURE_UNKNOWN;
		for (j = n = 0; j < MC_ARRAY_SIZE(by); j++) {
			CHECK_EQ(mc_features_are_there(f, by[j]),
				 strcmp(f[i].needed_by, by[j]) != 0);
			n += mc_features_are_there(f, by[j]);
		}
		CHECK_EQ(n, MC_ARRAY_SIZE(by) - 1);
		f[i].state = MNTCR_FEATURE_YES;
	}
}

int main(void)
{
	TAP_RUN(what_is_needed_by_what);
	return tap_done();
}
