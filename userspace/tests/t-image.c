// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Images: what is written is what is read, and what is wrong is refused with
 * the place of the fault.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image.h"
#include "tap.h"
#include "topology.h"
#include "util.h"

#define HEAD "{\"format\":\"mntcr-image\",\"version\":1,\"unique_ids\":true,"
#define USERNS "\"user_namespaces\":[{\"inode\":7,\"dumper\":true}],"
#define NS "\"namespaces\":[{\"id\":5,\"inode\":50,\"label\":\"a\",\"owner\":0,\"hidden\":1}," \
	   "{\"id\":6,\"inode\":60,\"label\":\"b\"}],"
#define SBS "\"superblocks\":[" \
	"{\"device\":\"0:30\",\"type\":\"tmpfs\",\"source\":\"s\",\"options\":\"size=4k\",\"magic\":1}," \
	"{\"device\":\"0:31\",\"type\":\"ext4\",\"options\":\"\"}," \
	"{\"device\":\"0:4\",\"type\":\"nsfs\",\"options\":\"\"}],"
#define GROUPS "\"groups\":[{\"id\":1},{\"id\":2,\"master\":1},{\"id\":9}],"
#define IDMAPS "\"idmaps\":[{\"uid\":[[0,1000,10]],\"gid\":[]}],"
#define M1 "{\"id\":101,\"namespace\":0,\"superblock\":1,\"root\":\"/\",\"mountpoint\":\"/\"}"
#define M2 "{\"id\":102,\"namespace\":0,\"parent\":101,\"superblock\":0,\"root\":\"/\",\"mountpoint\":\"/t\",\"group\":1,\"attributes\":[\"ro\",\"noatime\"]}"
#define M3 "{\"id\":103,\"namespace\":0,\"parent\":101,\"superblock\":0,\"root\":\"/a\",\"mountpoint\":\"/s\",\"group\":2,\"master\":1,\"locks\":[\"mount\"]}"
#define M4 "{\"id\":104,\"namespace\":0,\"parent\":103,\"superblock\":0,\"root\":\"/b\",\"mountpoint\":\"/\",\"master\":9}"
#define M5 "{\"id\":105,\"namespace\":0,\"parent\":101,\"superblock\":0,\"root\":\"/\",\"mountpoint\":\"/u\",\"unbindable\":true,\"attributes\":[\"idmapped\"],\"idmap\":0}"
#define M6 "{\"id\":106,\"namespace\":1,\"superblock\":1,\"root\":\"/r\",\"mountpoint\":\"/\"}"
#define M7 "{\"id\":107,\"namespace\":0,\"parent\":101,\"superblock\":2,\"root\":\"mnt:[60]\",\"mountpoint\":\"/n\",\"nsfs\":{\"type\":\"mnt\",\"inode\":60}}"
#define MOUNTS "\"mounts\":[" M1 "," M2 "," M3 "," M4 "," M5 "," M6 "," M7 "]}"

static const char good[] = HEAD USERNS NS SBS GROUPS IDMAPS MOUNTS;

/* A malloc()ed copy of s with the first from replaced. */
static char *replaced(const char *s, const char *from, const char *to)
{
	const char *at = strstr(s, from);
	struct mc_buf b = { 0 };

	if (!at)
		TAP_SAY("%s is not in the text", from);
	REQUIRE(at);
	mc_buf_add(&b, s, (size_t)(at - s));
	mc_buf_puts(&b, to);
	mc_buf_puts(&b, at + strlen(from));
	REQUIRE(!b.nomem);
	return b.data;
}

static char *printed(const struct mntcr_topology *t)
{
	struct mntcr_error e;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	REQUIRE(out && !mc_image_print(t, out, &e) && !fclose(out));
	return text;
}

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
	a = printed(t);
	REQUIRE(!mc_image_parse(a, strlen(a), "again", &u, &e));
	b = printed(u);
	CHECK_STR(b, a);
	free(a);
	free(b);
	mntcr_topology_free(t);
	mntcr_topology_free(u);
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
	{ "\"version\":1", "\"version\":2", "version: 2 is not supported" },
	{ "\"version\":1", "\"version\":-1", "version: -1 is out of range" },
	{ "\"version\":1", "\"version\":\"1\"", "version: must be a whole" },
	{ "\"version\":1", "\"version\":1,\"extra\":1", "extra: unknown field" },
	{ "\"version\":1", "\"version\":1,\"version\":1", "duplicate" },
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
	{ "\"type\":\"tmpfs\"", "\"type\":\"\"", "no usable filesystem type" },
	{ "\"type\":\"tmpfs\"", "\"type\":\"a/b\"", "no usable filesystem type" },
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
	{ "\"unbindable\":true", "\"unbindable\":true,\"colour\":1", "mounts[4].colour (mount 105): unknown field" },
	/* the text itself */
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

static void nesting_is_bounded(void)
{
	static const char open[] = "[{";
	struct mntcr_topology *t;
	struct mntcr_error e;
	size_t n = 1 << 20, i;
	char *text = malloc(n);

	for (i = 0; i < 2; i++) {
		memset(text, open[i], n);
		CHECK(mc_image_parse(text, n, "img", &t, &e) == -1);
		CHECK_EQ(e.code, MNTCR_BAD_IMAGE);
	}
	memset(text, '[', n);
	memcpy(text, HEAD "\"mounts\":", strlen(HEAD "\"mounts\":"));
	CHECK(mc_image_parse(text, n, "img", &t, &e) == -1);
	CHECK_EQ(e.code, MNTCR_BAD_IMAGE);
	CHECK(strstr(e.text, "depth"));
	free(text);
}

/* Chains as deep as there are mounts: no recursion, nothing quadratic. */
static void long_chains(void)
{
	const unsigned int n = getenv("UNDER_VALGRIND") ? 2000 : 100000;
	size_t nr = 1;
	FILE *out;
	char ring[80];
	struct mc_buf b = { 0 };
	struct mntcr_topology *t;
	struct mntcr_error e;
	unsigned int i;
	char *text;

	mc_buf_puts(&b, HEAD "\"user_namespaces\":[],"
		    "\"namespaces\":[{\"label\":\"x\"}],"
		    "\"superblocks\":[{\"device\":\"0:1\",\"type\":\"t\",\"options\":\"\"}],"
		    "\"idmaps\":[],\"groups\":[");
	/* masters of masters, named backwards */
	for (i = n; i; i--) {
		mc_buf_printf(&b, "%s{\"id\":%u", i < n ? "," : "", i);
		if (i > 1)
			mc_buf_printf(&b, ",\"master\":%u", i - 1);
		mc_buf_puts(&b, "}");
	}
	mc_buf_puts(&b, "],\"mounts\":[");
	for (i = n; i; i--) {
		mc_buf_printf(&b, "%s{\"id\":%u,\"namespace\":0,\"superblock\":0,"
			      "\"root\":\"/\",\"mountpoint\":\"/\",\"group\":%u",
			      i < n ? "," : "", i, i);
		if (i > 1)
			mc_buf_printf(&b, ",\"parent\":%u,\"master\":%u", i - 1,
				      i - 1);
		mc_buf_puts(&b, "}");
	}
	mc_buf_puts(&b, "]}");
	REQUIRE(!b.nomem);
	if (mc_image_parse(b.data, b.len, "img", &t, &e))
		TAP_SAY("%s", e.text);
	REQUIRE(t);
	CHECK_EQ(t->groups[mc_find_group(t, n)].depth, n - 1);
	CHECK_EQ(mc_find_mount(t, n), n - 1);
	out = fopen("/dev/null", "we");
	REQUIRE(out);
	CHECK(!mntcr_render(t, MNTCR_FORMAT_TREE, out, &e));
	CHECK(!mntcr_verify(t, t, NULL, &nr, &e) && !nr);
	fclose(out);
	mntcr_topology_free(t);
	/* and once more as one ring of parents */
	snprintf(ring, sizeof(ring), "{\"id\":1,\"parent\":%u,\"namespace\":0,",
		 n);
	text = replaced(b.data, "{\"id\":1,\"namespace\":0,", ring);
	CHECK(mc_image_parse(text, strlen(text), "img", &t, &e) == -1);
	CHECK(strstr(e.text, "is its own ancestor"));
	free(text);
	mc_buf_free(&b);
}

static void paths_that_are_too_long(void)
{
	struct mntcr_topology *t;
	struct mntcr_error e;
	char *path, *text;
	size_t i;

	path = malloc(MC_MAX_PATH + 64);
	strcpy(path, "\"/");
	memset(path + 2, 'x', 256);
	strcpy(path + 258, "\"");
	text = replaced(good, "\"/t\"", path);
	CHECK(mc_image_parse(text, strlen(text), "img", &t, &e) == -1);
	CHECK(strstr(e.text, "longer than 255 bytes"));
	free(text);
	path[0] = '"';
	for (i = 1; i < MC_MAX_PATH + 8; i += 2)
		memcpy(path + i, "/x", 2);
	strcpy(path + i, "\"");
	text = replaced(good, "\"/t\"", path);
	CHECK(mc_image_parse(text, strlen(text), "img", &t, &e) == -1);
	CHECK(strstr(e.text, "is longer than 65536 bytes"));
	free(text);
	free(path);
}

static void writing_is_atomic(void)
{
	char dir[] = "/tmp/mntcr-image-XXXXXX", path[64], link[64];
	struct mntcr_topology *t, *u;
	struct mntcr_error e;
	struct stat st;
	FILE *f;

	REQUIRE(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/img", dir);
	snprintf(link, sizeof(link), "%s/old", dir);
	REQUIRE(!mc_image_parse(good, strlen(good), "good", &t, &e));
	f = fopen(path, "w");
	REQUIRE(f && fputs("what was there", f) >= 0 && !fclose(f));
	REQUIRE(!linkat(AT_FDCWD, path, AT_FDCWD, link, 0));
	REQUIRE(!mntcr_image_write(t, path, &e));
	/* a new file took the name; who held the old one keeps it */
	REQUIRE(!stat(link, &st));
	CHECK_EQ(st.st_size, 14);
	REQUIRE(!stat(path, &st));
	CHECK_EQ(st.st_mode & 0777, 0600);
	REQUIRE(!mntcr_image_read(path, &u, &e));
	CHECK_EQ(u->nr_mounts, t->nr_mounts);
	mntcr_topology_free(u);
	REQUIRE(!unlink(path) && !unlink(link));

	snprintf(path, sizeof(path), "%s/no/img", dir);
	CHECK(mntcr_image_write(t, path, &e) == -1);
	CHECK_EQ(e.err, ENOENT);
	CHECK(mntcr_image_write(t, "/dev/full", &e) == -1);
	CHECK_EQ(e.err, ENOSPC);
	CHECK(strstr(e.text, "/dev/full: "));
	/* nothing but what was asked for */
	CHECK(!rmdir(dir));
	CHECK(mntcr_image_read(dir, &u, &e) == -1);
	CHECK_EQ(e.err, ENOENT);
	CHECK(mntcr_image_read("/", &u, &e) == -1);
	CHECK_EQ(e.err, EISDIR);
	mntcr_topology_free(t);
}

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
	TAP_RUN(what_is_written_is_read);
	TAP_RUN(bytes_of_paths);
	TAP_RUN(what_is_wrong_is_refused);
	TAP_RUN(truncated_anywhere);
	TAP_RUN(damaged_anywhere);
	TAP_RUN(nesting_is_bounded);
	TAP_RUN(long_chains);
	TAP_RUN(paths_that_are_too_long);
	TAP_RUN(writing_is_atomic);
	TAP_RUN(rendered_in_each_format);
	return tap_done();
}
