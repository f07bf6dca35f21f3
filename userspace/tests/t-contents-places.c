// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An archive against the mounts of its image: what is mounted, or mounted on, is there of
 * the kind that the JSON says, and an image that contradicts itself is none.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "image/image.h"
#include "packed.h"

/* The root of 0:7, /r and /f of it elsewhere, and mounts on these and on /m/p and /g. */
#define MOUNT(id, on, more) "{\"id\":" #id ",\"namespace\":0," on more "}"
#define AT(parent, root, path) "\"parent\":" #parent ",\"superblock\":0,\"root\":\"" root \
			       "\",\"mountpoint\":\"" path "\","
#define DIR	"\"directory\":true"
#define NO_DIR	"\"directory\":false"
static const char image[] =
	"{\"format\":\"mntcr-image\",\"version\":5,\"unique_ids\":true,"
	"\"user_namespaces\":[{\"inode\":7,\"dumper\":true}],"
	"\"namespaces\":[{\"id\":5,\"inode\":50,\"label\":\"a\",\"owner\":0,\"hidden\":1}],"
	"\"superblocks\":[{\"device\":\"0:7\",\"type\":\"tmpfs\",\"options\":\"\",\"contents\":true}],"
	"\"groups\":[],\"idmaps\":[],\"mounts\":["
	MOUNT(1, "\"superblock\":0,\"root\":\"/\",\"mountpoint\":\"/\",", DIR) ","
	MOUNT(2, AT(1, "/r/s", "/m/p"), DIR) ","
	MOUNT(3, AT(1, "/f", "/g"), NO_DIR) ","
	MOUNT(4, AT(2, "/r/s", "/q/u"), DIR) ","
	MOUNT(5, AT(1, "/x", "/gone"), "\"root_deleted\":true,\"unlinked\":1," NO_DIR) ","
	MOUNT(6, AT(1, "/y", "/gone-too"), "\"root_deleted\":true,\"unlinked\":2," DIR) ","
	MOUNT(7, AT(1, "/not/known", "/what"),
	      "\"root_file\":{\"type\":\"fifo\",\"mode\":\"0600\",\"uid\":0,\"gid\":0}") "]}";

static int check(const struct member *m, struct mntcr_error *e)
{
	struct mntcr_contents *c;
	struct mc_buf json = { 0 };
	struct mntcr_topology *t;
	size_t nr = 0;
	int ret;

	while (nr < 8 && m[nr].name)
		nr++;
	ret = mc_image_parse(image, strlen(image), "image", &t, e);
	if (ret)
		TAP_SAY("%s", e->text);
	REQUIRE(!ret);
	REQUIRE(!mc_contents_open(pack(m, nr, MC_CONTENTS_JSON), 100, &json, &c, e));
	memset(e, 0, sizeof(*e));
	ret = mc_contents_check(c, t, e);
	mc_buf_free(&json);
	mntcr_contents_free(c);
	mntcr_topology_free(t);
	return ret;
}

static void what_agrees(void)
{
	static const struct member good[][8] = {
		{ DIRECTORY(C), REGULAR(C "/f", "x"), REGULAR(C "/g", ""), DIRECTORY(C "/m"),
		  DIRECTORY(C "/m/p"), DIRECTORY(C "/r"), DIRECTORY(C "/r/s"),
		  DIRECTORY(C "/r/s/q/u") },
		/* what is not there is made */
		{ DIRECTORY(C) },
		{ REGULAR(C "/e", ""), SYMLINK(C "/f", "e"), LINK(C "/g", C "/e") },
		/* beside, and below, with names that begin alike */
		{ REGULAR(C "/m/p.x", ""), REGULAR(C "/m/p/x", ""), REGULAR(C "/m.x", ""),
		  REGULAR(C "/r/s/p", ""), REGULAR(C "/r/s/q/u/x", ""), REGULAR(C "/r/s/q/v", "") },
		{ DIRECTORY(C "/not"), { C "/not/known", S_IFIFO, NULL, 0, NULL } },
		{ REGULAR("unlinked/0:7/1", "x"), DIRECTORY("unlinked/0:7/2") },
		{ REGULAR(C "/e", ""), LINK("unlinked/0:7/1", C "/e") },
	};
	struct mntcr_error e;
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(good); i++) {
		CHECK_EQ(check(good[i], &e), 0);
		if (*e.text)
			TAP_SAY("%zu: %s", i, e.text);
	}
}

#define NO	"is no directory, and what is mounted there, or lies below it, says that it is"
#define IS	"is a directory, and what is mounted there is none"

static void what_does_not(void)
{
	static const struct {
		const char *sign;
		struct member m[8];
	} bad[] = {
		{ C ": " NO, { SYMLINK(C, "..") } },
		{ C "/m: " NO, { DIRECTORY(C), SYMLINK(C "/m", "/tmp") } },
		{ C "/m: " NO, { DIRECTORY(C), REGULAR(C "/f", ""), LINK(C "/m", C "/f") } },
		{ C "/m/p: " NO, { DIRECTORY(C), DIRECTORY(C "/m"), REGULAR(C "/m/p", "") } },
		{ C "/r: " NO, { DIRECTORY(C), { C "/r", S_IFIFO, NULL, 0, NULL } } },
		{ C "/r/s: " NO, { DIRECTORY(C), DIRECTORY(C "/r"), SYMLINK(C "/r/s", "s") } },
		{ C "/r/s/q: " NO, { DIRECTORY(C), REGULAR(C "/r/s/q", "") } },
		{ C "/r/s/q/u: " NO, { DIRECTORY(C), REGULAR(C "/r/s/q/u", "") } },
		{ C "/f: " IS, { DIRECTORY(C), DIRECTORY(C "/f") } },
		{ C "/g: " IS, { DIRECTORY(C), DIRECTORY(C "/g") } },
		{ C "/gone: " IS, { DIRECTORY(C), DIRECTORY(C "/gone") } },
		{ C "/gone-too: " NO, { DIRECTORY(C), REGULAR(C "/gone-too", "") } },
		{ C "/not: " NO, { DIRECTORY(C), SYMLINK(C "/not", "/") } },
		{ C "/not/known: " IS, { DIRECTORY(C), DIRECTORY(C "/not/known") } },
		{ "unlinked/0:7/1/: " IS, { DIRECTORY("unlinked/0:7/1") } },
		{ "unlinked/0:7/2: " NO, { SYMLINK("unlinked/0:7/2", "x") } },
	};
	struct mntcr_error e;
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(bad); i++) {
		CHECK_EQ(check(bad[i].m, &e), -1);
		CHECK_EQ(e.code, MNTCR_BAD_IMAGE);
		if (!strstr(e.text, bad[i].sign))
			CHECK_STR(e.text, bad[i].sign);
	}
}

int main(void)
{
	TAP_RUN(what_agrees);
	TAP_RUN(what_does_not);
	return tap_done();
}
