// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libFuzzer target: whatever the reader takes can be printed, compared with
 * itself, drawn, and read again.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <stdlib.h>

#include "image/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mntcr_topology *t, *u;
	struct mntcr_error e;
	char *text = NULL;
	size_t len, nr = 1;
	FILE *out;

	if (mc_image_parse((const char *)data, size, "fuzz", &t, &e))
		return 0;
	out = open_memstream(&text, &len);
	if (!out || mc_image_print(t, out, &e) || fclose(out))
		abort();
	if (mc_image_parse(text, len, "printed", &u, &e) ||
	    mntcr_verify(t, u, NULL, &nr, &e) || nr)
		abort();
	free(text);
	text = NULL;
	out = open_memstream(&text, &len);
	if (!out || mntcr_render(u, MNTCR_FORMAT_TREE, out, &e) ||
	    mntcr_render(u, MNTCR_FORMAT_DOT, out, &e) || fclose(out))
		abort();
	free(text);
	mntcr_topology_free(t);
	mntcr_topology_free(u);
	return 0;
}
