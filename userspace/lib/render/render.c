// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mntcr_render(): JSON is the image itself.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "image/image.h"
#include "render/render.h"

int mntcr_render(const struct mc_topology *t, enum mntcr_format format,
		 FILE *out, struct mntcr_error *e)
{
	int ret = -1;

	memset(e, 0, sizeof(*e));
	switch (format) {
	case MNTCR_FORMAT_TREE:
		ret = mc_render_tree(t, out, e);
		break;
	case MNTCR_FORMAT_JSON:
		ret = mc_image_print(t, out, e);
		break;
	case MNTCR_FORMAT_DOT:
		ret = mc_render_dot(t, out, e);
		break;
	}
	if (!ret && (fflush(out) || ferror(out)))
		ret = mc_fail(e, MNTCR_SYS, errno, "writing");
	return ret;
}
