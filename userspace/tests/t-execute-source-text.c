// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a mount says it is of: the text that mountinfo shows as its source.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "shot.h"

static void nameless(void)
{
	world_new_root();
	w_mkdir("/a");
	w_mount("", "/a", "tmpfs", 0);
}

/* An empty text is one, and not that there is none. */
static void an_empty_source(void)
{
	struct shot s = shoot(nameless);
	struct mntcr_restored *r;

	CHECK_STR(mc_mount_source(s.t, &s.t->mounts[1]), "");
	s.o.prefer_fresh = true;
	r = restored(&s);
	same(&s, r, 0);
	end(&s, r);
}

static const struct shot_test tests[] = {
	{ "empty", an_empty_source },
};

int main(int argc, char **argv)
{
	return shot_run(tests, sizeof(tests) / sizeof(tests[0]), argv);
}
