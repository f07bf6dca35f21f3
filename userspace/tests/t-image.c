// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Images: what is written is what is read, and what is wrong is refused with
 * the place of the fault.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "topology/topology.h"
#include "image/image.h"
#include "tap.h"

#define BOOT "\"boot_id\":\"0b1f6c43-3c1e-4a52-9d53-5a5e1c0d7f11\","
#define HEAD "{\"format\":\"mntcr-image\",\"version\":2,\"unique_ids\":true," BOOT
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
	memset(text, '[', n / 2);
	memset(text + n / 2, ']', n / 2);
	memcpy(text, HEAD USERNS, strlen(HEAD USERNS));
	memcpy(text + strlen(HEAD USERNS), "\"x\":[", 5);
	for (i = 0; i < strlen(HEAD USERNS) + 4; i++)
		text[n - 1 - i] = ' ';
	text[n - 1] = '}';
	CHECK(mc_image_parse(text, n, "img", &t, &e) == -1);
	CHECK_EQ(e.code, MNTCR_BAD_IMAGE);
	CHECK(strstr(e.text, "x: is nested too deeply"));
	free(text);
}

/* What jansson holds, and the most that it held. */
static size_t held, most_held;

static void *counting_malloc(size_t n)
{
	void *p = malloc(n);

	held += malloc_usable_size(p);
	if (held > most_held)
		most_held = held;
	return p;
}

static void counting_free(void *p)
{
	held -= malloc_usable_size(p);
	free(p);
}

static long most_resident(void)
{
	struct rusage u;

	REQUIRE(!getrusage(RUSAGE_SELF, &u));
	return u.ru_maxrss;	/* KiB */
}

/* Shadow memory and freed memory that is kept: there only jansson is counted. */
static bool instrumented(void)
{
#if defined(__SANITIZE_ADDRESS__)
	return true;
#elif defined(__has_feature)
	if (__has_feature(address_sanitizer))
		return true;
#endif
	return getenv("UNDER_VALGRIND");
}

/*
 * In a child, for the sake of what it has used at most.  says: NULL when the
 * image is one; kib: what reading it may take besides its own text.
 */
static void read_within(const char *text, size_t len, const char *says, long kib)
{
	struct mntcr_topology *t;
	struct mntcr_error e;
	int status;
	pid_t pid;
	long took;

	fflush(stdout);
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		tap.bad = 0;
		json_set_alloc_funcs(counting_malloc, counting_free);
		took = most_resident();
		if (mc_image_parse(text, len, "img", &t, &e) ? !says :
		    says != NULL) {
			TAP_SAY("%s", e.text);
			_exit(1);
		}
		if (says && (e.code != MNTCR_BAD_IMAGE || !strstr(e.text, says))) {
			TAP_SAY("\"%s\" lacks \"%s\"", e.text, says);
			tap.bad = 1;
		}
		took = most_resident() - took;
		if (!says || took >= kib)
			TAP_SAY("%zu KiB of text: jansson %zu KiB, in all %ld KiB more",
				len >> 10, most_held >> 10, took);
		CHECK(most_held > 0 && most_held < 4 << 20);
		CHECK(took < kib || instrumented());
		fflush(stdout);
		_exit(tap.bad);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
}

/* head, n times item with a comma between, tail. */
static char *repeated(const char *head, const char *item, size_t n,
		      const char *tail)
{
	struct mc_buf b = { 0 };

	mc_buf_puts(&b, head);
	while (n--) {
		mc_buf_puts(&b, item);
		if (n)
			mc_buf_puts(&b, ",");
	}
	mc_buf_puts(&b, tail);
	REQUIRE(!b.nomem);
	return b.data;
}

/* Small texts of which a parser makes much. */
static void memory_is_bounded(void)
{
	static const char * const items[] = {
		"{}", "[]", "\"\"", "0", "{\"a\":0}", "[[[[[]]]]]",
		"{\"hex\":\"\"}", "\"\\u0001\\\"]}[{\"",
	};
	static const struct {
		const char *head, *tail, *says;
	} places[] = {
		{ HEAD "\"x\":[", "]}", "x: has more than" },
		{ HEAD USERNS NS SBS GROUPS IDMAPS "\"mounts\":[{\"id\":1,\"x\":[",
		  "]}]}", "mounts[0]: has more than" },
		{ HEAD USERNS NS SBS "\"mounts\":[]," IDMAPS "\"groups\":[[", "]]}",
		  "groups[0]: has more than" },
	};
	size_t n = getenv("UNDER_VALGRIND") ? 20000 : 300000, i, j;
	char *text;

	for (i = 0; i < MC_ARRAY_SIZE(places); i++)
		for (j = 0; j < MC_ARRAY_SIZE(items); j++) {
			text = repeated(places[i].head, items[j], n,
					places[i].tail);
			read_within(text, strlen(text), places[i].says, 8 << 10);
			free(text);
		}
	/* fields instead of elements */
	text = repeated(HEAD "\"x\":{", "\"\":{}", n, "}}");
	read_within(text, strlen(text), "x: has more than", 8 << 10);
	free(text);
	text = repeated(HEAD, "\"x\":{}", n, "}");
	read_within(text, strlen(text), "x: duplicate field", 8 << 10);
	free(text);
	/* one string */
	text = malloc(24 << 20);
	memset(text, 'a', 24 << 20);
	memcpy(text, HEAD "\"x\":\"", strlen(HEAD "\"x\":\""));
	memcpy(text + (24 << 20) - 2, "\"}", 2);
	read_within(text, 24 << 20, "x: has more than", 8 << 10);
	free(text);
	/* records, all of them good but for their number */
	n = MC_MAX_MOUNTS + 1;
	if (!getenv("UNDER_VALGRIND")) {
		text = repeated(HEAD USERNS NS SBS "\"groups\":[],\"idmaps\":[",
				"{\"uid\":[[0,0,1]],\"gid\":[]}", n,
				"],\"mounts\":[]}");
		read_within(text, strlen(text), "idmaps[262144]: more than 262144",
			    64 << 10);
		free(text);
	}
}

/* 21 MB of what takes a parser most, in little more than they are. */
static void in_little_memory(void)
{
	static const char * const heads[] = {
		HEAD "\"x\":[", HEAD "\"mounts\":[[", HEAD "\"mounts\":[",
	};
	struct rlimit less;
	struct mntcr_topology *t;
	struct mntcr_error e;
	char *text, line[64] = "";
	size_t i, kib = 0;
	int status;
	FILE *f;
	pid_t pid;

	if (instrumented())
		SKIP("shadow memory has no bounds");
	for (i = 0; i < MC_ARRAY_SIZE(heads); i++) {
		text = repeated(heads[i], "{}", 7 << 20, "]}");
		fflush(stdout);
		pid = fork();
		REQUIRE(pid >= 0);
		if (!pid) {
			f = fopen("/proc/self/status", "r");
			while (f && fgets(line, sizeof(line), f))
				if (sscanf(line, "VmSize: %zu kB", &kib) == 1)
					break;
			less.rlim_cur = less.rlim_max = (kib + 8192) << 10;
			if (!kib || setrlimit(RLIMIT_AS, &less))
				_exit(99);
			if (!mc_image_parse(text, strlen(text), "img", &t, &e))
				_exit(98);
			_exit(e.code == MNTCR_BAD_IMAGE ? 0 : 97);
		}
		REQUIRE(waitpid(pid, &status, 0) == pid);
		CHECK_EQ(status, 0);
		free(text);
	}
}

/* No record that has to be taken is refused for its size. */
static void records_at_their_limits(void)
{
	char *extents = repeated("{\"uid\":[", "[1,1,4294967294]",
				 MC_MAX_IDMAP_EXTENTS, "],\"gid\":[");
	char *gid = repeated("", "[0,0,4294967295]", MC_MAX_IDMAP_EXTENTS, "]}");
	char *bytes = malloc(6 * MC_MAX_PATH + 1), *path, *idmaps, *text;
	struct mc_buf b = { 0 };
	size_t i;

	for (i = 0; i < MC_MAX_PATH; i++)
		memcpy(bytes + 6 * i, "\\u0001", 6);
	bytes[6 * i] = '\0';
	path = strdup(bytes);
	for (i = 0; i < MC_MAX_PATH; i += 128)
		memcpy(path + 6 * i, "\\u002f", 6);
	path[6 * (MC_MAX_PATH - 1)] = '\0';
	mc_buf_printf(&b, "\"idmaps\":[%s%s],", extents, gid);
	idmaps = replaced(good, IDMAPS, b.data);
	mc_buf_reset(&b);
	mc_buf_printf(&b, "\"%s\",\"source\":\"%s\",\"options\":\"%s\"",
		      path, bytes, bytes);
	text = replaced(idmaps, "\"/u\"", b.data);
	free(idmaps);
	mc_buf_reset(&b);
	mc_buf_printf(&b, "\"root\":\"%s\",\"mountpoint\":\"\\u0", path);
	idmaps = replaced(text, "\"root\":\"/\",\"mountpoint\":\"\\u0", b.data);
	read_within(idmaps, strlen(idmaps), NULL, 16 << 10);
	free(idmaps);
	free(text);
	free(path);
	free(bytes);
	free(gid);
	free(extents);
	mc_buf_free(&b);
}

/* As many mounts as there may be, with every field that a mount can have. */
static void as_large_as_can_be(void)
{
	unsigned int n = getenv("UNDER_VALGRIND") ? 2000 : MC_MAX_MOUNTS, i;
	struct mc_buf b = { 0 };

	mc_buf_puts(&b, HEAD USERNS
		    "\"namespaces\":[{\"label\":\"x\",\"owner\":0}],\"idmaps\":[],"
		    "\"superblocks\":[{\"device\":\"0:1\",\"type\":\"t\",\"options\":\"\"}],"
		    "\"groups\":[{\"id\":1}");
	for (i = 2; i <= n; i++)
		mc_buf_printf(&b, ",{\"id\":%u,\"master\":%u}", i, i - 1);
	mc_buf_puts(&b, "],\"mounts\":[");
	for (i = 1; i <= n; i++) {
		mc_buf_printf(&b, "%s{\"id\":%u,\"id_old\":%u,\"namespace\":0,"
			"\"superblock\":0,\"root\":\"/dir-%u\",\"directory\":true,"
			"\"mountpoint\":\"/%s%.0u\",\"source\":\"source of %u\","
			"\"options\":\"lowerdir=/lower/%u,upperdir=/upper/%u\","
			"\"attributes\":[\"ro\",\"nosuid\",\"nodev\",\"noexec\",\"noatime\"],"
			"\"locks\":[\"mount\",\"ro\",\"nodev\"],\"group\":%u",
			i > 1 ? "," : "", i, i, i, i > 1 ? "in-the-root/" : "",
			i > 1 ? i : 0, i, i, i, i);
		if (i > 1)
			mc_buf_printf(&b, ",\"parent\":1,\"master\":%u", i - 1);
		mc_buf_puts(&b, "}");
	}
	mc_buf_puts(&b, "]}");
	REQUIRE(!b.nomem);
	CHECK(b.len < MC_IMAGE_MAX_SIZE);
	/* one KiB a mount */
	read_within(b.data, b.len, NULL, MC_MAX_MOUNTS);
	mc_buf_free(&b);
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

/* n mounts, each with the same options of len bytes; finish()'s verdict. */
static int with_options(uint32_t n, size_t len, struct mntcr_topology **t,
			struct mntcr_error *e)
{
	char *options = calloc(1, len + 1), path[16];
	uint32_t i, m;

	memset(options, 'o', len);
	*t = mc_topology_new();
	REQUIRE(*t && mc_topology_add_ns(*t) == 0 &&
		mc_topology_add_sb(*t) == 0);
	(*t)->sbs[0].type = mc_topology_str(*t, "t");
	for (i = 0; i < n; i++) {
		m = mc_topology_add_mount(*t);
		REQUIRE(m == i);
		(*t)->mounts[m].id = i + 1;
		(*t)->mounts[m].ns = (*t)->mounts[m].sb = 0;
		(*t)->mounts[m].options = mc_topology_str(*t, options);
		if (!i)
			continue;
		snprintf(path, sizeof(path), "/%u", i);
		(*t)->mounts[m].parent = 0;
		(*t)->mounts[m].mountpoint = mc_topology_str(*t, path);
	}
	free(options);
	return mc_topology_finish(*t, e);
}

/* What is written can be read; what could not be is not written. */
static void nothing_that_cannot_be_read(void)
{
	struct mntcr_topology *t, *u;
	struct mntcr_error e;
	FILE *out;
	char *text;

	REQUIRE(!with_options(2, MC_MAX_PATH, &t, &e));
	text = printed(t);
	CHECK(!mc_image_parse(text, strlen(text), "img", &u, &e));
	mntcr_topology_free(t);
	mntcr_topology_free(u);
	free(text);
	CHECK(with_options(2, MC_MAX_PATH + 1, &t, &e) == -1);
	CHECK(strstr(e.text, "longer than 65536 bytes"));
	mntcr_topology_free(t);
	if (getenv("UNDER_VALGRIND"))
		return;
	REQUIRE(!with_options(MC_IMAGE_MAX_SIZE / MC_MAX_PATH, MC_MAX_PATH, &t,
			      &e));
	out = fopen("/dev/null", "we");
	REQUIRE(out);
	CHECK(mc_image_print(t, out, &e) == -1);
	CHECK_STR(e.rule, "too-large");
	CHECK_EQ(e.code, MNTCR_REFUSED);
	fclose(out);
	mntcr_topology_free(t);
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

static void put_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	REQUIRE(f && fputs(text, f) >= 0 && !fclose(f));
}

static bool is_image(const char *path)
{
	struct mntcr_topology *t;
	struct mntcr_error e;

	if (mntcr_image_read(path, &t, &e))
		return false;
	mntcr_topology_free(t);
	return true;
}

static ino_t ino_of(const char *path)
{
	struct stat st;

	REQUIRE(!lstat(path, &st));
	return st.st_ino;
}

static void through_links(void)
{
	char dir[] = "/tmp/mntcr-image-XXXXXX", path[64];
	char name[NAME_MAX + 1];
	struct rlimit was, less;
	struct mntcr_topology *t;
	struct mntcr_error e;
	struct stat st;
	FILE *f;
	ino_t ino;
	int fd;

	REQUIRE(mkdtemp(dir) && !chdir(dir) && !mkdir("to", 0700) &&
		!mkdir("a", 0700));
	REQUIRE(!mc_image_parse(good, strlen(good), "good", &t, &e));
	put_file("to/img", "what was there");
	/* links to a link to the file, all in different directories */
	REQUIRE(!symlink("../to/img", "a/link") && !symlink("a/link", "link"));
	REQUIRE(!link("to/img", "old"));
	/* out of room half way: what was there stays, and nothing else does */
	signal(SIGXFSZ, SIG_IGN);
	REQUIRE(!getrlimit(RLIMIT_FSIZE, &was));
	less = was;
	less.rlim_cur = 100;
	REQUIRE(!setrlimit(RLIMIT_FSIZE, &less));
	CHECK(mntcr_image_write(t, "link", &e) == -1);
	CHECK_EQ(e.err, EFBIG);
	CHECK(mntcr_image_write(t, "to/img", &e) == -1);
	CHECK_EQ(e.err, EFBIG);
	/* nor is anything made where a link leads to nothing */
	REQUIRE(!symlink("to/new", "dangling"));
	CHECK(mntcr_image_write(t, "dangling", &e) == -1);
	CHECK_EQ(e.err, EFBIG);
	CHECK(access("to/new", F_OK) && errno == ENOENT);
	REQUIRE(!setrlimit(RLIMIT_FSIZE, &was));
	REQUIRE(!stat("link", &st));
	CHECK_EQ(st.st_size, 14);
	CHECK_EQ(ino_of("to/img"), ino_of("old"));
	/* the file is replaced, the links are not */
	if (mntcr_image_write(t, "link", &e))
		TAP_SAY("%s", e.text);
	REQUIRE(!lstat("link", &st) && S_ISLNK(st.st_mode));
	REQUIRE(!lstat("a/link", &st) && S_ISLNK(st.st_mode));
	REQUIRE(!lstat("to/img", &st) && S_ISREG(st.st_mode));
	CHECK_EQ(st.st_mode & 0777, 0600);
	CHECK(is_image("to/img"));
	REQUIRE(!stat("old", &st));
	CHECK_EQ(st.st_size, 14);
	/* nothing to replace yet */
	CHECK(!mntcr_image_write(t, "dangling", &e));
	CHECK(is_image("to/new"));
	REQUIRE(!lstat("dangling", &st) && S_ISLNK(st.st_mode));
	REQUIRE(!lstat("to/new", &st));
	CHECK_EQ(st.st_mode & 0777, 0600);
	REQUIRE(!symlink("loop", "loop"));
	CHECK(mntcr_image_write(t, "loop", &e) == -1);
	CHECK_EQ(e.err, ELOOP);
	/* an open file is not pulled away from who holds it */
	fd = open("held", O_CREAT | O_RDWR | O_CLOEXEC, 0644);
	REQUIRE(fd >= 0);
	ino = ino_of("held");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK(!mntcr_image_write(t, path, &e));
	CHECK_EQ(ino_of("held"), ino);
	CHECK(is_image("held"));
	close(fd);
	/* names as long as they may be, and none at all */
	memset(name, 'n', NAME_MAX);
	name[NAME_MAX] = '\0';
	CHECK(!mntcr_image_write(t, name, &e));
	CHECK(is_image(name));
	CHECK(mntcr_image_write(t, "", &e) == -1);
	CHECK_EQ(e.err, ENOENT);
	CHECK(mntcr_image_write(t, "none/", &e) == -1);
	CHECK_EQ(e.err, EISDIR);
	CHECK(mntcr_image_write(t, "to", &e) == -1);
	CHECK_EQ(e.err, EISDIR);
	/* no temporary file is left anywhere */
	f = popen("find . -name '.mntcr*' | wc -l; rm -rf to a old link loop dangling held nnn*", "re");
	REQUIRE(f && fscanf(f, "%d", &fd) == 1 && !pclose(f));
	CHECK_EQ(fd, 0);
	CHECK(!chdir("/") && !rmdir(dir));
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
	TAP_RUN(the_first_version);
	TAP_RUN(bytes_of_paths);
	TAP_RUN(what_is_wrong_is_refused);
	TAP_RUN(truncated_anywhere);
	TAP_RUN(damaged_anywhere);
	TAP_RUN(nesting_is_bounded);
	TAP_RUN(memory_is_bounded);
	TAP_RUN(in_little_memory);
	TAP_RUN(records_at_their_limits);
	TAP_RUN(as_large_as_can_be);
	TAP_RUN(long_chains);
	TAP_RUN(paths_that_are_too_long);
	TAP_RUN(nothing_that_cannot_be_read);
	TAP_RUN(writing_is_atomic);
	/* valgrind does not know openat2(2), without which it is in place */
	if (!getenv("UNDER_VALGRIND"))
		TAP_RUN(through_links);
	TAP_RUN(rendered_in_each_format);
	return tap_done();
}
