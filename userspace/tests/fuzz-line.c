// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libFuzzer target: a text is refused as wrong usage, or is topologies that can
 * be drawn, and written as an image and read again as the same.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/image.h"
#include "line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), *image = NULL;
	struct mntcr_topology *t, *u;
	struct mntcr_error e;
	size_t len, nr = 1;
	FILE *out;

	if (!text)
		abort();
	if (line_topology(text, &t, &e)) {
		if (e.code != MNTCR_USAGE || !*e.text)
			abort();
		free(text);
		return 0;
	}
	free(text);
	out = open_memstream(&image, &len);
	if (!out || mntcr_render(t, MNTCR_FORMAT_JSON, out, &e) || fclose(out))
		abort();
	if (mc_image_parse(image, len, "written", &u, &e) ||
	    mntcr_verify(t, u, NULL, &nr, &e) || nr)
		abort();
	free(image);
	out = fopen("/dev/null", "we");
	if (!out || mntcr_render(t, MNTCR_FORMAT_TREE, out, &e) ||
	    mntcr_render(t, MNTCR_FORMAT_DOT, out, &e) || fclose(out))
		abort();
	mntcr_topology_free(t);
	mntcr_topology_free(u);
	return 0;
}
