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
	struct mntcr_topology *t, *u;
	struct mntcr_error e;
	char *a, *b;

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
	a = printed(t);
	REQUIRE(!mc_image_parse(a, strlen(a), "again", &u, &e));
	b = printed(u);
	CHECK_STR(b, a);
	free(a);
	free(b);
	mntcr_topology_free(t);
	mntcr_topology_free(u);
}

/* As images were before it was said which boot they are of. */
static void the_first_version(void)
{
	char *old = replaced(good, BOOT, ""), *text, *out;
	struct mntcr_topology *t;
	struct mntcr_error e;

	text = replaced(old, "\"version\":2", "\"version\":1");
	if (mc_image_parse(text, strlen(text), "old", &t, &e))
		TAP_SAY("%s", e.text);
	REQUIRE(t);
	CHECK(!t->boot_id);
	out = printed(t);
	CHECK(!strstr(out, "boot_id"));
	free(out);
	free(text);
	free(old);
	mntcr_topology_free(t);
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
static const struct {
	const char *from, *to, *says;
} wrong[] = {

	{ "mntcr-image", "other", "img: format: not an image" },
	{ "\"format\":\"mntcr-image\",", "", "format" },
	{ "\"version\":2", "\"version\":3", "version: 3 is not supported" },
	{ "\"version\":2", "\"version\":0", "version: 0 is not supported" },
	{ "\"version\":2", "\"version\":1", "boot_id: unknown field" },
	{ "0b1f6c43-", "0b1f6c4-3", "boot_id: must be a UUID" },
	{ "0b1f6c43-", "0b1f6c43", "boot_id: must be a UUID" },
	{ "0b1f6c43-", "0B1F6C43-", "boot_id: must be a UUID" },
	{ "7f11\"", "7f110\"", "boot_id: must be a UUID" },
	{ "7f11\"", "7f1\"", "boot_id: must be a UUID" },
	{ "\"boot_id\":\"", "\"boot_id\":1,\"label\":\"", "boot_id: must be a string" },
	{ "\"version\":2", "\"version\":-1", "version: -1 is out of range" },
	{ "\"version\":2", "\"version\":\"2\"", "version: must be a whole" },
	{ "\"version\":2", "\"version\":2,\"extra\":1", "extra: unknown field" },
	{ "\"version\":2", "\"version\":2,\"version\":1", "duplicate" },
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
	{ "{\"type\":\"mnt\",\"inode\":60}", "7", "mounts[6].nsfs (mount 107): must have" },
	{ "{\"type\":\"mnt\",\"inode\":60}", "{\"type\":\"mnt\",\"inode\":50}", "mount 107: names the namespace that it is in" },
	{ "\"id\":6,", "\"id\":4,", "mount 107: names the namespace that it is in, or an older" },
	{ "\"superblock\":2,\"root\":\"mnt:[60]\"", "\"superblock\":0,\"root\":\"/\"", "mount 107: is of a namespace file, but not of nsfs" },
	{ "\"unbindable\":true", "\"unbindable\":true,\"colour\":1", "mounts[4].colour (mount 105): unknown field" },
	/* the text itself */
	{ HEAD, "{\"format\" \"mntcr-image\",", "img:1:11: \"name\": value is missing" },
	{ HEAD, "{,", "img:1:2: \"name\": value is missing" },
	{ HEAD, "{7:7,", "value is missing" },
	{ HEAD, HEAD "\n\"version\":2,", "version: duplicate field" },
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
	struct mntcr_topology *t;
	struct mntcr_error e;
	size_t i;
	char *text;

	for (i = 0; i < MC_ARRAY_SIZE(wrong); i++) {
		text = replaced(good, wrong[i].from, wrong[i].to);
		if (!mc_image_parse(text, strlen(text), "img", &t, &e)) {
			TAP_SAY("%s for %s was taken", wrong[i].to, wrong[i].from);
			tap.bad = 1;
			mntcr_topology_free(t);
		} else if (e.code != MNTCR_BAD_IMAGE ||
			   !strstr(e.text, wrong[i].says) ||
			   strncmp(e.text, "img:", 4)) {
			TAP_SAY("%s for %s: \"%s\" lacks \"%s\"", wrong[i].to,
				wrong[i].from, e.text, wrong[i].says);
			tap.bad = 1;
		}
		free(text);
	}
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
	TAP_RUN(the_first_version);
	TAP_RUN(bytes_of_paths);
	TAP_RUN(what_is_wrong_is_refused);
	TAP_RUN(truncated_anywhere);
	TAP_RUN(damaged_anywhere);
	return tap_done();
}
