// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Images: what it takes to make a user namespace anew.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "image-text.h"

#define UIDS "\"uid_map\":[[0,100000,1000],[1000,7,1]]"
#define GIDS "\"gid_map\":[[0,200000,65536]]"
#define GROUPS_ARE "\"setgroups\":false"

static const char owned[] =
	"{\"format\":\"mntcr-image\",\"version\":4,\"user_namespaces\":["
	"{\"inode\":7,\"dumper\":true},{\"inode\":8,\"parent\":0,\"owner\":1000,"
	UIDS "," GIDS "," GROUPS_ARE "}],"
	"\"namespaces\":[],\"superblocks\":[],\"groups\":[],\"idmaps\":[],\"mounts\":[]}";

static void what_is_written_is_read(void)
{
	struct mntcr_topology *t;
	struct mntcr_error e;
	uint32_t id;

	if (mc_image_parse(owned, strlen(owned), "owned", &t, &e))
		TAP_SAY("%s", e.text);
	REQUIRE(t);
	CHECK(!t->userns[0].mapped);
	CHECK(t->userns[1].mapped);
	CHECK(!t->userns[1].setgroups);
	CHECK_EQ(t->userns[1].owner, 1000);
	CHECK_EQ(t->userns[1].map.nr_uid, 2);
	CHECK_EQ(t->userns[1].map.nr_gid, 1);
	CHECK(mc_userns_up(t, 1, false, 999, &id));
	CHECK_EQ(id, 100999);
	CHECK(mc_userns_up(t, 1, false, 1000, &id));
	CHECK_EQ(id, 7);
	CHECK(!mc_userns_up(t, 1, false, 1001, &id));
	CHECK(mc_userns_up(t, 1, true, 65535, &id));
	CHECK_EQ(id, 265535);
	CHECK(!mc_userns_up(t, 1, true, 65536, &id));
	free(written_twice(t));
	mntcr_topology_free(t);
}

static const struct wrong wrong[] = {
	{ "\"version\":4", "\"version\":3", "user_namespaces[1].owner: unknown field" },
	{ "\"owner\":1000,", "", "user_namespaces[1].uid_map: unknown field" },
	{ "\"owner\":1000", "\"owner\":4294967295", "user_namespaces[1].owner: 4294967295 is out of range" },
	{ "," GROUPS_ARE, "", "user_namespaces[1].setgroups: is missing" },
	{ GROUPS_ARE, "\"setgroups\":0", "user_namespaces[1].setgroups: must be true or false" },
	{ UIDS ",", "", "user_namespaces[1].uid_map: must be a list of at most 340 extents" },
	{ UIDS, "\"uid_map\":[[0,1]]", "user_namespaces[1].uid_map: extent 0 must be three 32-bit numbers" },
	{ UIDS, "\"uid_map\":[[0,1,0]]", "user namespace 1: its uid_map has an extent that is out of range" },
	{ UIDS, "\"uid_map\":[[4294967295,1,1]]", "user namespace 1: its uid_map has an extent that is out of range" },
	{ UIDS, "\"uid_map\":[[0,4294967294,2]]", "user namespace 1: its uid_map has an extent that is out of range" },
	{ UIDS, "\"uid_map\":[[5,9,3],[0,1,6]]", "user namespace 1: its uid_map maps an id twice" },
	{ GIDS, "\"gid_map\":[[0,10,5],[7,14,1]]", "user namespace 1: its gid_map maps two ids to one" },
};

static void what_is_wrong_is_refused(void)
{
	struct mc_buf b = { 0 };
	uint32_t i, nr;
	char *text;

	for (i = 0; i < MC_ARRAY_SIZE(wrong); i++)
		is_wrong(owned, &wrong[i]);
	/* as many as a kernel takes, and one more */
	for (nr = MC_MAX_IDMAP_EXTENTS; nr <= MC_MAX_IDMAP_EXTENTS + 1; nr++) {
		struct mntcr_topology *t = NULL;
		struct mntcr_error e;

		mc_buf_reset(&b);
		mc_buf_puts(&b, "\"uid_map\":[");
		for (i = 0; i < nr; i++)
			mc_buf_printf(&b, "%s[%u,%u,1]", i ? "," : "", 2 * i, 3 * i);
		mc_buf_puts(&b, "]");
		REQUIRE(!b.nomem);
		if (nr > MC_MAX_IDMAP_EXTENTS) {
			is_wrong(owned, &(struct wrong){ UIDS, b.data,
				 "uid_map: must be a list of at most 340 extents" });
			continue;
		}
		text = replaced(owned, UIDS, b.data);
		CHECK(!mc_image_parse(text, strlen(text), "img", &t, &e));
		mntcr_topology_free(t);
		free(text);
	}
	mc_buf_free(&b);
}

int main(void)
{
	TAP_RUN(what_is_written_is_read);
	TAP_RUN(what_is_wrong_is_refused);
	return tap_done();
}
