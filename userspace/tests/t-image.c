// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Images: what is written is what is read, and what is wrong is refused with
 * the place of the fault.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "image-text.h"

static void what_is_written_is_read(void)
{
	struct mntcr_topology *t;
	struct mntcr_error e;

	if (mc_image_parse(good, strlen(good), "good", &t, &e))
		TAP_SAY("%s", e.text);
	REQUIRE(t);
	CHECK_EQ(t->nr_ns, 2);
	CHECK_EQ(t->nr_mounts, 7);
	CHECK_EQ(t->ns[0].nr_mounts, 6);
	CHECK_EQ(t->ns[1].root, 6);
	CHECK_EQ(t->mounts[6].id, 106);
	CHECK_EQ(t->mounts[5].nsfs_ns, 1);
	CHECK_EQ(t->mounts[2].locks, 1);
	CHECK(t->mounts[2].locks_known && !t->mounts[1].locks_known);
	CHECK_EQ(t->groups[2].nr_members, 0);
	CHECK_EQ(t->groups[2].first_slave_mount, 3);
	CHECK_EQ(t->groups[0].first_slave_group, 1);
	CHECK_STR(t->boot_id, "0b1f6c43-3c1e-4a52-9d53-5a5e1c0d7f11");
	free(written_twice(t));
	mntcr_topology_free(t);
}

/* The good one without what has come since. */
static char *older(const char *version, bool boot)
{
	static const char * const since[] = { ROOT2, ROOT3, ON3, BOOT };
	char *text = replaced(good, "\"version\":3", version), *next;
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(since) - boot; i++) {
		next = replaced(text, since[i], "");
		free(text);
		text = next;
	}
	return text;
}

static void older_versions(void)
{
	char *text[] = { older("\"version\":1", false),
			 older("\"version\":2", true) }, *out;
	struct mntcr_topology *t;
	struct mntcr_error e;
	size_t i;

	for (i = 0; i < 2; i++) {
		if (mc_image_parse(text[i], strlen(text[i]), "old", &t, &e))
			TAP_SAY("%s", e.text);
		REQUIRE(t);
		CHECK(!t->boot_id == !i);
		CHECK_EQ(t->mounts[1].root_file.mode, 0);
		CHECK_EQ(t->mounts[2].mp_file.mode, 0);
		out = printed(t);
		CHECK(!strstr(out, "_file"));
		CHECK(!strstr(out, "boot_id") == !i);
		free(out);
		free(text[i]);
		mntcr_topology_free(t);
	}
}

/* As far as is known; directory or not is known from it, too. */
static void files_of_mounts(void)
{
	static const struct {
		const char *json;
		struct mc_file f;
	} table[] = {
		{ "{\"type\":\"file\",\"mode\":\"7777\"}",
		  { S_IFREG | 07777, MC_NO_ID, MC_NO_ID, 0, 0, NULL } },
		{ "{\"mode\":\"0000\",\"gid\":4294967294,\"uid\":0,\"type\":\"socket\"}",
		  { S_IFSOCK, 0, 4294967294, 0, 0, NULL } },
		{ "{\"type\":\"fifo\",\"mode\":\"0644\",\"uid\":4294967294}",
		  { S_IFIFO | 0644, 4294967294, MC_NO_ID, 0, 0, NULL } },
		{ "{\"type\":\"block-device\",\"mode\":\"0660\",\"device\":\"4095:1048575\"}",
		  { S_IFBLK | 0660, MC_NO_ID, MC_NO_ID, 4095, 1048575, NULL } },
		{ "{\"type\":\"symlink\",\"mode\":\"0777\"}",
		  { S_IFLNK | 0777, MC_NO_ID, MC_NO_ID, 0, 0, NULL } },
		{ "{\"type\":\"symlink\",\"mode\":\"0777\",\"target\":{\"hex\":\"ff0a\"}}",
		  { S_IFLNK | 0777, MC_NO_ID, MC_NO_ID, 0, 0, "\xff\n" } },
	};
	struct mntcr_topology *t, *u;
	const struct mc_file *f;
	struct mntcr_error e;
	char *text, *a;
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(table); i++) {
		text = replaced(good, NULL3, table[i].json);
		if (mc_image_parse(text, strlen(text), "x", &t, &e))
			TAP_SAY("%s", e.text);
		REQUIRE(t);
		CHECK_EQ(t->mounts[2].mp_type, MC_MP_OTHER);
		a = printed(t);
		REQUIRE(!mc_image_parse(a, strlen(a), "x", &u, &e));
		f = &u->mounts[2].root_file;
		CHECK_EQ(f->mode, table[i].f.mode);
		CHECK_EQ(f->uid, table[i].f.uid);
		CHECK_EQ(f->gid, table[i].f.gid);
		CHECK_EQ(f->major, table[i].f.major);
		CHECK_EQ(f->minor, table[i].f.minor);
		CHECK(!f->target == !table[i].f.target);
		if (f->target && table[i].f.target)
			CHECK_STR(f->target, table[i].f.target);
		mntcr_topology_free(t);
		mntcr_topology_free(u);
		free(text);
		free(a);
	}
}

static void bytes_of_paths(void)
{
	static const struct {
		const char *json, *path;
	} table[] = {
		{ "\"/t\\n\\u0001\\\"\\\\\"", "/t\n\001\"\\" },
		{ "{\"hex\":\"2ffffe0a\"}", "/\xff\xfe\n" },
		{ "{\"hex\":\"2f74\"}", "/t" },
		{ "\"/\\u00e9\\ud83d\\ude00\"", "/\xc3\xa9\xf0\x9f\x98\x80" },
	};
	struct mntcr_topology *t, *u;
	struct mntcr_error e;
	char *text, *a;
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(table); i++) {
		text = replaced(good, "\"/t\"", table[i].json);
		if (mc_image_parse(text, strlen(text), "x", &t, &e))
			TAP_SAY("%s", e.text);
		REQUIRE(t);
		CHECK_STR(t->mounts[1].mountpoint, table[i].path);
		a = printed(t);
		REQUIRE(!mc_image_parse(a, strlen(a), "x", &u, &e));
		CHECK_STR(u->mounts[1].mountpoint, table[i].path);
		mntcr_topology_free(t);
		mntcr_topology_free(u);
		free(text);
		free(a);
	}
}

/* from, to, and what the message has to contain */
static const struct wrong wrong[] = {

	{ "mntcr-image", "other", "img: format: not an image" },
	{ "\"format\":\"mntcr-image\",", "", "format" },
	{ "\"version\":3", "\"version\":7", "version: 7 is not supported" },
	{ "\"version\":3", "\"version\":0", "version: 0 is not supported" },
	{ "\"version\":3", "\"version\":1", "boot_id: unknown field" },
	{ "\"version\":3", "\"version\":2", "mounts[1].root_file (mount 102): unknown field" },
	{ "0b1f6c43-", "0b1f6c4-3", "boot_id: must be a UUID" },
	{ "0b1f6c43-", "0b1f6c43", "boot_id: must be a UUID" },
	{ "0b1f6c43-", "0B1F6C43-", "boot_id: must be a UUID" },
	{ "7f11\"", "7f110\"", "boot_id: must be a UUID" },
	{ "7f11\"", "7f1\"", "boot_id: must be a UUID" },
	{ "\"boot_id\":\"", "\"boot_id\":1,\"label\":\"", "boot_id: must be a string" },
	{ "\"version\":3", "\"version\":-1", "version: -1 is out of range" },
	{ "\"version\":3", "\"version\":\"3\"", "version: must be a whole" },
	{ "\"version\":3", "\"version\":3,\"extra\":1", "extra: unknown field" },
	{ "\"version\":3", "\"version\":3,\"version\":1", "duplicate" },
	{ "\"unique_ids\":true", "\"unique_ids\":1", "must be true or false" },
	/* kinds */
	{ HEAD, "[", "img:" },
	{ "\"namespaces\":[", "\"namespaces\":[3,", "namespaces[0]: must be an object" },
	{ "\"mounts\":[", "\"mounts\":[[],", "mounts[0]: must be an object" },
	{ GROUPS, "", "groups: must be a list" },
	{ GROUPS, "\"groups\":{},", "groups: must be a list" },
	{ "\"label\":\"a\"", "\"label\":3", "namespaces[0].label: must be a string" },
	{ "\"label\":\"a\",", "", "namespaces[0].label: missing" },
	{ "\"hidden\":1", "\"hidden\":65", "namespaces[0].hidden: 65" },
	{ "\"hidden\":1", "\"hidden\":1.5", "hidden: must be a whole number" },
	{ "\"hidden\":1", "\"hidden\":1e99", "hidden: must be a whole number" },
	{ "\"id\":101", "\"id\":99999999999999999999", "too big" },
	/* namespaces */
	{ "\"id\":6,", "\"id\":5,", "namespaces 0 and 1 both have id 5" },
	{ "\"inode\":60", "\"inode\":50", "both have inode 50" },
	{ "\"owner\":0", "\"owner\":1", "namespaces[0].owner: 1 is out of range" },
	{ "\"inode\":7", "\"inode\":7,\"parent\":0", "its own ancestor" },
	{ "\"inode\":7", "\"inode\":7,\"parent\":4", "no parent 4" },
	{ "\"hidden\":1", "\"base_propagation\":[\"x\"]", "\"x\" is not known" },
	/* superblocks */
	{ "\"0:30\"", "\"0:31\"", "both device 0:31" },
	{ "\"0:30\"", "\"0:\"", "superblocks[0].device" },
	{ "\"0:30\"", "\"0:1x\"", "superblocks[0].device" },
	{ "\"0:30\"", "30", "superblocks[0].device" },
	{ "\"0:30\"", "\"-1:30\"", "superblocks[0].device" },
	{ "\"0:30\"", "\"+0:30\"", "superblocks[0].device" },
	{ "\"0:30\"", "\" 0: 30\"", "superblocks[0].device" },
	{ "\"0:30\"", "\"0:030\"", "superblocks[0].device" },
	{ "\"0:30\"", "\"0:4294967296\"", "superblocks[0].device" },
	{ "\"0:30\"", "\"99999999999999999999999:30\"", "superblocks[0].device" },
	{ "\"0:30\"", "\"0:30:\"", "superblocks[0].device" },
	{ "\"type\":\"tmpfs\"", "\"type\":\"\"", "no usable filesystem type" },
	{ "\"type\":\"tmpfs\"", "\"type\":\"a/b\"", "no usable filesystem type" },
	{ "\"type\":\"tmpfs\"", "\"type\":\"a b\"", "no usable filesystem type" },
	{ "\"type\":\"tmpfs\"", "\"type\":\"a\\u001b[31m\"", "no usable filesystem type" },
	{ "\"type\":\"tmpfs\"", "\"type\":\"a\\u009b\"", "no usable filesystem type" },
	{ "\"magic\":1", "\"flags\":[\"ro\",\"ro\"]", "repeats" },
	/* groups */
	{ "{\"id\":9}", "{\"id\":1}", "groups[2].id: group 1 appears twice" },
	{ "{\"id\":9}", "{\"id\":0}", "groups[2].id: 0 is out of range" },
	{ "{\"id\":9}", "{\"id\":2147483648}", "out of range" },
	{ "{\"id\":1}", "{\"id\":1,\"master\":1}", "its own master's master" },
	{ "{\"id\":1}", "{\"id\":1,\"master\":2}", "its own master's master" },
	{ "{\"id\":1}", "{\"id\":1,\"master\":77}", "groups[0].master: there is no group 77" },
	{ "{\"id\":9}", "{\"id\":9,\"master\":1}", "has a master and no member" },
	{ "{\"id\":9}", "{\"id\":9},{\"id\":10}", "group 10 has neither member nor slave" },
	/* idmaps */
	{ "[[0,1000,10]]", "[[0,1000]]", "idmaps[0].uid: extent 0" },
	{ "[[0,1000,10]]", "[[0,1000,-1]]", "idmaps[0].uid: extent 0" },
	{ "[[0,1000,10]]", "[[0,1000,0]]", "extent 0 is out of range" },
	{ "[[0,1000,10]]", "[[4294967295,1000,10]]", "extent 0 is out of range" },
	{ "[[0,1000,10]]", "[7]", "idmaps[0].uid: extent 0" },
	{ "[[0,1000,10]]", "{}", "idmaps[0].uid: must be a list" },
	{ "\"idmap\":0", "\"idmap\":1", "mounts[4].idmap (mount 105): 1 is out of range" },
	{ ",\"idmap\":0", "", "mount 105: idmap and idmapped attribute disagree" },
	{ "\"attributes\":[\"idmapped\"],", "", "mount 105: idmap and idmapped" },
	/* mounts */
	{ "\"id\":101", "\"id\":0", "mounts[0].id: 0 is out of range" },
	{ "\"id\":101,", "", "mounts[0].id: missing" },
	{ "\"id\":102", "\"id\":101", "mounts[1].id (mount 101): mounts[0] has this id too" },
	{ "\"namespace\":0,\"parent\":101,", "\"namespace\":2,\"parent\":101,", "mounts[1].namespace (mount 102): 2 is out of range" },
	{ "\"namespace\":0,\"parent\":101,", "\"namespace\":1,\"parent\":101,", "mount 102: its parent 101 is in another namespace" },
	{ "\"parent\":101", "\"parent\":1", "mounts[1].parent (mount 102): there is no mount 1" },
	{ "\"parent\":101,", "", "is a root and has a mountpoint" },
	{ "\"parent\":101", "\"parent\":102", "mount 102: is its own ancestor" },
	{ "\"parent\":103", "\"parent\":104", "mount 104: is its own ancestor" },
	{ "\"parent\":101,\"superblock\":0,\"root\":\"/a\"", "\"parent\":104,\"superblock\":0,\"root\":\"/a\"", "is its own ancestor" },
	{ "\"parent\":103,", "", "is a second root" },
	{ "\"superblock\":1", "\"superblock\":3", "mounts[0].superblock (mount 101): 3" },
	{ "\"superblock\":1", "\"superblock\":-3", "mounts[0].superblock (mount 101): -3" },
	{ "\"superblock\":1,", "", "mounts[0].superblock (mount 101): missing" },
	{ "\"mountpoint\":\"/t\",", "", "mounts[1].mountpoint (mount 102): missing" },
	{ "\"/t\"", "\"t\"", "mount 102: its mountpoint does not start with /" },
	{ "\"/t\"", "\"\"", "mount 102: its mountpoint does not start with /" },
	{ "\"/t\"", "\"/t/\"", "mount 102: its mountpoint has an empty" },
	{ "\"/t\"", "\"//t\"", "mount 102: its mountpoint has an empty" },
	{ "\"/t\"", "\"/../t\"", "mount 102: its mountpoint has a . or .." },
	{ "\"/t\"", "\"/t/..\"", "mount 102: its mountpoint has a . or .." },
	{ "\"/t\"", "\"/./t\"", "mount 102: its mountpoint has a . or .." },
	{ "\"/t\"", "\"/t\\u0000\"", "NUL" },
	{ "\"/t\"", "{\"hex\":\"2f00\"}", "mounts[1].mountpoint (mount 102): hex" },
	{ "\"/t\"", "{\"hex\":\"2f7\"}", "mounts[1].mountpoint (mount 102): hex" },
	{ "\"/t\"", "{\"hex\":\"2F7A\"}", "mounts[1].mountpoint (mount 102): hex" },
	{ "\"/t\"", "{\"hex\":\"2f74\",\"x\":1}", "must be a string or" },
	{ "\"/t\"", "{}", "must be a string or" },
	{ "\"/t\"", "[\"/t\"]", "must be a string or" },
	{ "\"/t\"", "\"\xff\"", "img:1:" },
	{ "\"root\":\"/a\"", "\"root\":\"a/b\"", "mount 103: its root does not start" },
	{ "\"root\":\"/a\"", "\"root\":\"\"", "mount 103: its root is empty" },
	{ "\"root\":\"/a\"", "\"root\":\"/..\"", "mount 103: its root has a . or .." },
	{ "\"mountpoint\":\"/s\"", "\"mountpoint\":\"/t\"", "have one parent and mountpoint" },
	{ "[\"ro\",\"noatime\"]", "[\"ro\",\"noatime\",\"strictatime\"]", "contradicts" },
	{ "[\"ro\",\"noatime\"]", "[\"rw\"]", "mounts[1].attributes (mount 102): \"rw\" is not known" },
	{ "[\"ro\",\"noatime\"]", "\"ro\"", "must be a list of words" },
	{ "[\"mount\"]", "[7]", "mounts[2].locks (mount 103): must be a list" },
	{ "\"group\":2,\"master\":1", "\"group\":7,\"master\":1", "mounts[2].group (mount 103): there is no group 7" },
	{ "\"group\":2,\"master\":1", "\"group\":2", "mount 103: disagrees with group 2" },
	{ "\"group\":2,\"master\":1", "\"group\":2,\"master\":9", "mount 103: disagrees with group 2" },
	{ "\"master\":9", "\"master\":8", "mounts[3].master (mount 104): there is no group 8" },
	{ "\"unbindable\":true", "\"unbindable\":true,\"group\":1", "mount 105: is unbindable and shared" },
	{ "\"superblock\":0,\"root\":\"/a\"", "\"superblock\":1,\"root\":\"/a\"", "of another superblock" },
	{ "\"type\":\"mnt\"", "\"type\":\"cow\"", "mounts[6].nsfs.type (mount 107): is not known" },
	{ "{\"type\":\"mnt\",\"inode\":60}", "7", "mounts[6].nsfs (mount 107): must be an object" },
	{ "{\"type\":\"mnt\",\"inode\":60}", "{\"type\":\"mnt\"}", "mounts[6].nsfs.inode (mount 107): missing" },
	{ "{\"type\":\"mnt\",\"inode\":60}", "{\"type\":\"mnt\",\"inode\":60,\"id\":7}", "mounts[6].nsfs.type (mount 107): no more is said of such a one" },
	{ "{\"type\":\"mnt\",\"inode\":60}", "{\"type\":\"net\",\"inode\":60,\"owner\":9}", "mounts[6].nsfs.owner (mount 107): 9 is out of range" },
	{ "{\"type\":\"mnt\",\"inode\":60}", "{\"type\":\"net\",\"inode\":60,\"x\":9}", "mounts[6].nsfs.x (mount 107): unknown field" },
	{ "{\"type\":\"mnt\",\"inode\":60}", "{\"type\":\"mnt\",\"inode\":50}", "mount 107: names the namespace that it is in" },
	{ "\"id\":6,", "\"id\":4,", "mount 107: names the namespace that it is in, or an older" },
	{ "\"superblock\":2,\"root\":\"mnt:[60]\"", "\"superblock\":0,\"root\":\"/\"", "mount 107: is of a namespace file, but not of nsfs" },
	{ "\"unbindable\":true", "\"unbindable\":true,\"colour\":1", "mounts[4].colour (mount 105): unknown field" },
	/* files */
	{ NULL3, "7", "mounts[2].root_file (mount 103): must be an object" },
	{ NULL3, "{}", "mounts[2].root_file.type (mount 103): is not known" },
	{ "\"char-device\"", "\"door\"", "root_file.type (mount 103): is not known" },
	{ "\"mode\":\"0666\",", "", "root_file.mode (mount 103): must be four octal digits" },
	{ "\"0666\"", "\"666\"", "root_file.mode (mount 103): must be four octal digits" },
	{ "\"0666\"", "\"00666\"", "root_file.mode (mount 103): must be four octal digits" },
	{ "\"0666\"", "\"0686\"", "root_file.mode (mount 103): must be four octal digits" },
	{ "\"0666\"", "438", "root_file.mode (mount 103): must be four octal digits" },
	{ "\"uid\":3", "\"uid\":-1", "root_file.uid (mount 103): -1 is out of range" },
	{ "\"uid\":3", "\"uid\":4294967295", "root_file.uid (mount 103): 4294967295 is out of range" },
	{ "\"gid\":4", "\"gid\":4294967295", "root_file.gid (mount 103): 4294967295 is out of range" },
	{ "\"gid\":4", "\"gid\":4,\"x\":1", "mounts[2].root_file.x (mount 103): unknown field" },
	{ "\"1:3\"", "\"1:3:\"", "root_file.device (mount 103): must be" },
	{ ",\"device\":\"1:3\"", "", "root_file.device (mount 103): must be" },
	{ "\"1:3\"", "\"4096:3\"", "mount 103: its root has a device number that is out of range" },
	{ "\"1:3\"", "\"1:1048576\"", "mount 103: its root has a device number that is out of range" },
	{ "\"char-device\"", "\"fifo\"", "root_file.device (mount 103): unknown field" },
	{ "\"char-device\"", "\"directory\"", "root_file.device (mount 103): unknown field" },
	{ NULL3, "{\"type\":\"directory\",\"mode\":\"0755\"}", "mount 103: of its root and what it is on one is a directory, one is not" },
	{ ROOT3, ROOT3 "\"directory\":true,", "mount 103: of its root and what it is on one" },
	{ ROOT2, ROOT2 "\"directory\":false,", "mount 102: of its root and what it is on one" },
	{ NULL3, "{\"type\":\"file\",\"mode\":\"0755\",\"target\":\"x\"}", "root_file.target (mount 103): unknown field" },
	{ NULL3, "{\"type\":\"symlink\",\"mode\":\"0777\",\"target\":\"\"}", "mount 103: its root has an empty or too long target" },
	{ NULL3, "{\"type\":\"symlink\",\"mode\":\"0777\",\"target\":7}", "root_file.target (mount 103): must be a string" },
	{ "\"root\":\"/b\",", "\"root\":\"/b\"," ON3, "mount 104: what it is on is a root" },
	{ "\"mountpoint\":\"/\"}", "\"mountpoint\":\"/\",\"mountpoint_file\":{\"type\":\"directory\",\"mode\":\"0755\"}}", "mount 101: what it is on is a root" },
	{ "\"type\":\"file\"", "\"type\":\"block-device\"", "mounts[2].mountpoint_file.device (mount 103): must be" },
	/* the text itself */
	{ HEAD, "{\"format\" \"mntcr-image\",", "img:1:11: \"name\": value is missing" },
	{ HEAD, "{,", "img:1:2: \"name\": value is missing" },
	{ HEAD, "{7:7,", "value is missing" },
	{ HEAD, HEAD "\n\"version\":3,", "version: duplicate field" },
	{ "\"unique_ids\":true,", "\"unique_ids\":true", "img:1:54: a comma or the last } is missing" },
	{ "\"unique_ids\":true,", "\"unique_ids\":\ntrue,,", "img:2:6: \"name\": value is missing" },
	{ "\"unique_ids\":true", "\"unique_ids\":tru", "img:1:" },
	{ M7 "]}", M7 "]},", "there is something after the last }" },
	{ M7 "]}", M7 "]}{}", "there is something after the last }" },
	{ M7 "]}", M7 "]}}", "there is something after the last }" },
	{ M7 "]}", M7 "}}", "a record or the end of the list is missing" },
	{ M7 "]}", M7 "],\"groups\":[]}", "groups: duplicate field" },
	{ "\"groups\":[", "\"groups\":[,", "a record or the end of the list" },
	{ "{\"id\":9}", "{\"id\":9} {\"id\":10}", "a record or the end of the list" },
	{ "{\"id\":9}", "{\"id\":9},", "a record or the end of the list" },
	{ "{\"id\":9}", "{\"id\":9]", "img:1:" },
	{ "{\"id\":9}", "{\"id\":9}x", "a record or the end of the list" },
	{ "{\"id\":9}", "{\"id\":9,\"id\":9}", "img:1:" },
	{ "]}", "]", "img:1:" },
	{ "\"mounts\"", "mounts", "img:1:" },
};

static void what_is_wrong_is_refused(void)
{
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(wrong); i++)
		is_wrong(good, &wrong[i]);
}

static void truncated_anywhere(void)
{
	size_t i, len = strlen(good);
	struct mntcr_topology *t;
	struct mntcr_error e;

	for (i = 0; i < len; i++) {
		/* a copy of just that size, so that overruns are seen */
		char *part = malloc(i ? i : 1);

		memcpy(part, good, i);
		CHECK(mc_image_parse(part, i, "img", &t, &e) == -1);
		CHECK_EQ(e.code, MNTCR_BAD_IMAGE);
		CHECK(!t);
		free(part);
	}
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* Accepted or not, never a crash: of use mostly under ASan. */
static void damaged_anywhere(void)
{
	static const char alphabet[] = "0123456789\"[]{},:/-etx \\u\0\xff";
	uint32_t state = 1, round, n;
	uint32_t rounds = getenv("UNDER_VALGRIND") ? 200 : 5000;
	size_t len = strlen(good);
	struct mntcr_topology *t;
	struct mntcr_error e;
	unsigned int taken = 0;
	char *text;

	for (round = 0; round < rounds; round++) {
		text = malloc(len);
		memcpy(text, good, len);
		for (n = 1 + next_random(&state) % 3; n; n--)
			text[next_random(&state) % len] =
				alphabet[next_random(&state) % sizeof(alphabet)];
		if (!mc_image_parse(text, len, "img", &t, &e)) {
			free(printed(t));
			mntcr_topology_free(t);
			taken++;
		} else {
			CHECK_EQ(e.code, MNTCR_BAD_IMAGE);
		}
		free(text);
	}
	TAP_SAY("%u of %u still made sense", taken, rounds);
}

int main(void)
{
	TAP_RUN(what_is_written_is_read);
	TAP_RUN(older_versions);
	TAP_RUN(files_of_mounts);
	TAP_RUN(bytes_of_paths);
	TAP_RUN(what_is_wrong_is_refused);
	TAP_RUN(truncated_anywhere);
	TAP_RUN(damaged_anywhere);
	return tap_done();
}
