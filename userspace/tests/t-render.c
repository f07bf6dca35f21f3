// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Drawn in each format.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "image-text.h"

static void rendered_in_each_format(void)
{
	struct mntcr_topology *t;
	struct mntcr_error e;
	char *text = NULL;
	size_t len;
	FILE *out;

	REQUIRE(!mc_image_parse(good, strlen(good), "good", &t, &e));
	out = open_memstream(&text, &len);
	REQUIRE(!mntcr_render(t, MNTCR_FORMAT_TREE, out, &e) && !fclose(out));
	CHECK_STR(text,
		"namespace 0: a mnt:[50], 6 mounts\n"
		"/  none ext4 private rw\n"
		"|-/t  s tmpfs shared:1 ro,noatime\n"
		"|-/s  s[/a] tmpfs shared:2,master:1 rw locked:mount\n"
		"| `-/s (over it)  s[/b] tmpfs master:9(external) rw\n"
		"|-/u  s tmpfs unbindable rw,idmapped\n"
		"`-/n  none[mnt:[60]] nsfs private rw\n"
		"\n"
		"namespace 1: b mnt:[60], 1 mount\n"
		"/  none[/r] ext4 private rw\n");
	free(text);
	text = NULL;
	out = open_memstream(&text, &len);
	REQUIRE(!mntcr_render(t, MNTCR_FORMAT_DOT, out, &e) && !fclose(out));
	CHECK(strstr(text, "subgraph cluster_1"));
	CHECK(strstr(text, "g0 -> g1 [style=dashed"));
	CHECK(strstr(text, "g2 -> m3 [style=dashed"));
	CHECK(strstr(text, "g0 -> m1 ["));
	free(text);
	mntcr_topology_free(t);
}

int main(void)
{
	TAP_RUN(rendered_in_each_format);
	return tap_done();
}
