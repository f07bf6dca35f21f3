// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libFuzzer target: any text for /proc/PID/mountinfo.  It is refused, or a topology that
 * can be written as an image and read again as the same.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "image/image.h"
/* what reads it is nobody else's */
#include "../lib/capture/mountinfo.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_text(struct mc_topology *t, struct mc_buf *b, struct mntcr_error *e)
{
	struct mntcr_source src = { .type = MNTCR_SOURCE_FD, .fd = -1 };
	struct cap_ns ns = {
		.src = &src, .label = "fuzz", .fd = -1, .ino = 7, .nr_mounts = -1,
	};
	struct mc_map *by_dev = mc_map_new();
	struct raw_ns raw = { 0 };
	struct text text = { .fd = -1, .nr_mounts = -1 };
	int ret;

	ns.userns = mc_topology_add_userns(t);
	if (!by_dev || ns.userns == MC_NONE)
		abort();
	ret = parse(t, &ns, b, &raw, e) || find_root(t, &ns, &text, &raw, e) ||
	      cap_build(t, &ns, &raw, false, by_dev, e) || mc_topology_finish(t, e) ? -1 : 0;
	free(raw.m);
	mc_map_free(by_dev);
	return ret;
}

static void same_again(struct mc_topology *t)
{
	struct mntcr_topology *u;
	struct mntcr_error e;
	char *image = NULL;
	size_t len, nr = 1;
	FILE *out = open_memstream(&image, &len);

	if (!out || mc_image_print(t, out, &e) || fclose(out))
		abort();
	if (mc_image_parse(image, len, "written", &u, &e) ||
	    mntcr_verify(t, u, NULL, &nr, &e) || nr)
		abort();
	mntcr_topology_free(u);
	free(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mc_topology *t = mc_topology_new();
	struct mntcr_error e = { 0 };
	struct mc_buf b = { 0 };

	if (!t)
		abort();
	/* the kernel escapes no NUL, and shows none */
	if (!memchr(data, 0, size)) {
		mc_buf_add(&b, (const char *)data, size);
		if (!read_text(t, &b, &e))
			same_again(t);
		else if (!*e.text)
			abort();
	}
	mc_buf_free(&b);
	mntcr_topology_free(t);
	return 0;
}
