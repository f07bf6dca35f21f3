// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Drawn in each format.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <jansson.h>

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

/* As jansson writes it, but for the one character that it takes for a letter. */
static void bytes_as_json(void)
{
	static const char *const strings[] = {
		"", "plain", "\"quoted\\\"", "\b\f\n\r\t", "\x01\x1f ~", "\xc3\xa9\xc2\x80",
		"\xe2\x82\xac\xef\xbf\xbd", "\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf", "/a/b",
		"\xff\xfe", "\xc3", "a\xe2\x82",
	};
	char *text, *want;
	size_t i, len;
	json_t *j;
	FILE *out;

	for (i = 0; i < MC_ARRAY_SIZE(strings); i++) {
		out = open_memstream(&text, &len);
		REQUIRE(out);
		mc_json_put(out, strings[i]);
		REQUIRE(!fclose(out));
		j = mc_json_bytes(strings[i]);
		want = json_dumps(j, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
		REQUIRE(j && want);
		CHECK_STR(text, want);
		free(text);
		free(want);
		json_decref(j);
	}
	out = open_memstream(&text, &len);
	REQUIRE(out);
	mc_json_put(out, "a\x7f");
	REQUIRE(!fclose(out));
	CHECK_STR(text, "\"a\\u007F\"");
	free(text);
}

int main(void)
{
	TAP_RUN(bytes_as_json);
	TAP_RUN(rendered_in_each_format);
	return tap_done();
}
