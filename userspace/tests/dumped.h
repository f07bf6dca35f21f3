/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A world in an image with contents, and what came of that in another one.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TESTS_DUMPED_H
#define TESTS_DUMPED_H

#include "image/image.h"
#include "shot.h"

static inline void dump_to(const struct world *w, const char *path,
			   struct mntcr_topology **t, struct mntcr_contents **c)
{
	struct mntcr_source src[WORLD_MAX_NS] = { 0 };
	const struct mntcr_contents_options o = {
		.size = sizeof(o), .sources = src, .nr_sources = w->nr, .left_out = say,
	};
	struct mntcr_topology *live;
	struct mntcr_error e = { 0 };

	capture_fds(w, src, &live);
	REQUIRE_DONE(mntcr_image_write_contents(live, &o, path, &e), e);
	mntcr_topology_free(live);
	REQUIRE_DONE(mntcr_image_read_contents(path, t, c, &e), e);
}

/* Contents included: those of the layers of overlays, too. */
static inline void same_dump(const struct mntcr_topology *was, const struct mntcr_contents *had,
			     const struct mntcr_restored *r)
{
	struct world made = { .nr = 1, .ns = { mntcr_restored_ns_fd(r, 0) } };
	struct mntcr_verify_options o = {
		.size = sizeof(o), .report = say, .flags = MNTCR_VERIFY_ORDER,
		.contents_a = had,
	};
	struct mntcr_topology *t;
	struct mntcr_contents *c;
	struct mntcr_error e = { 0 };
	size_t nr = 1;

	dump_to(&made, "/tmp/again", &t, &c);
	o.contents_b = c;
	REQUIRE_DONE(mntcr_verify(was, t, &o, &nr, &e), e);
	CHECK_EQ(nr, 0);
	mntcr_topology_free(t);
	mntcr_contents_free(c);
}

#endif /* TESTS_DUMPED_H */
