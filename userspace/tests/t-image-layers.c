// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Images: what the strings of an overlay led to.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "image-text.h"

#define LAYERS "\"layers\":[{\"superblock\":1,\"path\":\"/a\"},{},{\"superblock\":1,\"path\":\"/b\"}," \
	       "{\"superblock\":1,\"path\":\"/c\"}]"

static const char image[] =
	"{\"format\":\"mntcr-image\",\"version\":4,\"user_namespaces\":[],"
	"\"namespaces\":[{\"id\":5,\"inode\":50,\"label\":\"a\"}],\"superblocks\":["
	"{\"device\":\"0:30\",\"type\":\"overlay\",\"options\":"
	"\"lowerdir=/l\\\\134:x::d,upperdir=/u\\\\134\\\\134v,workdir=/w\"," LAYERS "},"
	"{\"device\":\"0:31\",\"type\":\"tmpfs\",\"options\":\"\"}],"
	"\"groups\":[],\"idmaps\":[],\"mounts\":[{\"id\":101,\"namespace\":0,"
	"\"superblock\":0,\"root\":\"/\",\"mountpoint\":\"/\"}]}";

static void what_is_written_is_read(void)
{
	struct mntcr_topology *t = NULL;
	struct mntcr_error e;
	const struct mc_sb *sb;
	char *text;

	text = replaced(image, ",{},", ",{\"superblock\":1,\"path\":\"/d\"},");
	free(text);
	if (mc_image_parse(image, strlen(image), "image", &t, &e))
		TAP_SAY("%s", e.text);
	REQUIRE(t);
	sb = &t->sbs[0];
	CHECK_EQ(sb->nr_layers, 4);
	/* a colon that is escaped is none between two of them */
	CHECK_STR(sb->layers[0].text, "/l:x");
	CHECK_EQ(sb->layers[0].kind, MC_LAYER_LOWER);
	CHECK_STR(sb->layers[1].text, "d");
	CHECK_EQ(sb->layers[1].kind, MC_LAYER_DATA);
	CHECK_EQ(sb->layers[1].sb, MC_NONE);
	CHECK_STR(sb->layers[2].text, "/u\\v");
	CHECK_EQ(sb->layers[2].kind, MC_LAYER_UPPER);
	CHECK_EQ(sb->layers[2].sb, 1);
	CHECK_STR(sb->layers[2].path, "/b");
	CHECK_EQ(sb->layers[3].kind, MC_LAYER_WORK);
	REQUIRE(t->sbs[1].nr_work == 1);
	CHECK_STR(t->sbs[1].work[0], "c");
	text = written_twice(t);
	CHECK(strstr(text, "\"layers\": [{\"superblock\": 1, \"path\": \"/a\"}, {}, "));
	free(text);
	mntcr_topology_free(t);
}

static void what_is_wrong(void)
{
	static const struct wrong all[] = {
		{ ",{},", ",", "must be a list with one for each" },
		{ ",{},", ",{},{},", "must be a list with one for each" },
		{ ",{},", ",7,", "must be an object" },
		{ ",{},", ",{\"path\":\"/d\"},", "superblock: missing" },
		{ ",{},", ",{\"superblock\":1},", "path: missing" },
		{ ",{},", ",{\"superblock\":1,\"path\":\"d\"},", "path" },
		{ ",{},", ",{\"superblock\":1,\"path\":\"/d/..\"},", "path" },
		{ ",{},", ",{\"superblock\":1,\"path\":\"/d\",\"x\":1},", "x: unknown field" },
		{ ",{},", ",{\"superblock\":2,\"path\":\"/d\"},", "a layer of no other superblock" },
		{ ",{},", ",{\"superblock\":0,\"path\":\"/d\"},", "a layer of no other superblock" },
		{ "upperdir=/u\\\\134\\\\134v,", "", "must be a list with one for each" },
		{ "\"version\":4", "\"version\":3", "unknown field" },
		{ ",{},", ",{\"superblock\":1,\"path\":\"/d\",\"idmap\":0},", "idmap: unknown field" },
		{ "\"overlay\"", "\"ext4\"", "must be a list with one for each" },
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		is_wrong(image, &all[i]);
}

#define VERSION_5(layers) \
	"{\"format\":\"mntcr-image\",\"version\":5,\"user_namespaces\":[],"			\
	"\"namespaces\":[{\"id\":5,\"inode\":50,\"label\":\"a\"}],\"superblocks\":["		\
	"{\"device\":\"0:30\",\"type\":\"overlay\",\"options\":"				\
	"\"lowerdir=/l:/k,upperdir=/u,workdir=/w\",\"layers\":[" layers "]},"		\
	"{\"device\":\"0:31\",\"type\":\"tmpfs\",\"options\":\"\"}],"				\
	"\"groups\":[],\"idmaps\":[{\"uid\":[[0,1000,10]],\"gid\":[[0,1000,10]]}],"		\
	"\"mounts\":[{\"id\":101,\"namespace\":0,\"superblock\":0,\"root\":\"/\","		\
	"\"mountpoint\":\"/\"}]}"
#define AT(path, more) "{\"superblock\":1,\"path\":\"" path "\"" more "}"
#define MAPPED ",\"idmap\":0"

static const char mapped[] = VERSION_5(AT("/a", MAPPED) "," AT("/b", "") "," AT("/c", MAPPED)
				       "," AT("/d", MAPPED));

static void on_idmapped_mounts(void)
{
	struct mntcr_topology *t = NULL;
	struct mntcr_error e;
	char *text;

	REQUIRE(!mc_image_parse(mapped, strlen(mapped), "image", &t, &e));
	CHECK_EQ(t->sbs[0].layers[0].idmap, 0);
	CHECK_EQ(t->sbs[0].layers[1].idmap, MC_NONE);
	CHECK_EQ(t->sbs[0].layers[3].idmap, 0);
	text = written_twice(t);
	CHECK(strstr(text, "{\"superblock\": 1, \"path\": \"/a\", \"idmap\": 0}, {\"superblock\": 1, \"path\": \"/b\"}, "));
	free(text);
	mntcr_topology_free(t);
}

static void what_cannot_be_idmapped(void)
{
	static const struct wrong all[] = {
		/* there is none, or of nothing that is known */
		{ AT("/a", MAPPED), AT("/a", ",\"idmap\":1"), "idmaps that its layers cannot have" },
		{ AT("/a", MAPPED), "{\"idmap\":0}", "idmaps that its layers cannot have" },
		{ AT("/a", MAPPED), AT("/a", ",\"idmap\":true"), "idmap: must be" },
		/* the upper one and the work directory are of one mount */
		{ AT("/d", MAPPED), AT("/d", ""), "idmaps that its layers cannot have" },
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		is_wrong(mapped, &all[i]);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	TAP_RUN(what_is_written_is_read);
	TAP_RUN(what_is_wrong);
	TAP_RUN(on_idmapped_mounts);
	TAP_RUN(what_cannot_be_idmapped);
	return tap_done();
}
