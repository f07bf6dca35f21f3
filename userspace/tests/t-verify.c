// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * verify: blind to ids, and to nothing else.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sys/stat.h>
#include <time.h>

#include "base/base.h"
#include "image/image.h"
#include "tap.h"

/* Two namespaces; every number that is only a name comes from here. */
struct ids {
	int mount, group, dev, ns, sb;	/* sb: order of the superblocks */
};

static const struct ids plain = { 100, 10, 30, 5, 0 };
static const struct ids renamed = { 900, 70, 55, 8, 1 };

static char *image(const struct ids *i)
{
	const char *a = "{\"device\":\"0:%d\",\"type\":\"tmpfs\",\"source\":\"s\",\"options\":\"o\"}";
	const char *b = "{\"device\":\"0:%d\",\"type\":\"ext4\",\"source\":\"d\",\"options\":\"\"}";
	int m = i->mount, g = i->group, s = i->sb, r = !i->sb;
	struct mc_buf t = { 0 };

	mc_buf_printf(&t, "{\"format\":\"mntcr-image\",\"version\":1,"
		"\"user_namespaces\":[{\"inode\":1,\"dumper\":true},{\"inode\":%d,\"parent\":0}],"
		"\"namespaces\":[{\"id\":%d,\"inode\":%d,\"label\":\"one\",\"owner\":0},"
		"{\"id\":%d,\"inode\":%d,\"label\":\"two\",\"owner\":1}],\"superblocks\":[",
		i->ns + 40, i->ns, i->ns + 20, i->ns + 1, i->ns + 21);
	mc_buf_printf(&t, s ? b : a, i->dev);
	mc_buf_puts(&t, ",");
	mc_buf_printf(&t, s ? a : b, i->dev + 1);
	mc_buf_printf(&t, ",{\"device\":\"0:4\",\"type\":\"nsfs\",\"options\":\"\"}],"
		"\"idmaps\":[{\"uid\":[[0,5,6]],\"gid\":[]}],"
		"\"groups\":[{\"id\":%d},{\"id\":%d,\"master\":%d},{\"id\":%d},{\"id\":%d}],"
		"\"mounts\":[", g, g + 1, g, g + 2, g + 3);
	mc_buf_printf(&t, "{\"id\":%d,\"namespace\":0,\"superblock\":%d,\"root\":\"/\",\"mountpoint\":\"/\"},", m, r);
	mc_buf_printf(&t, "{\"id\":%d,\"namespace\":0,\"parent\":%d,\"superblock\":%d,\"root\":\"/a\",\"mountpoint\":\"/p\",\"group\":%d,\"attributes\":[\"nodev\"],\"locks\":[]},", m + 1, m, s, g);
	mc_buf_printf(&t, "{\"id\":%d,\"namespace\":0,\"parent\":%d,\"superblock\":%d,\"root\":\"/b\",\"mountpoint\":\"/q\",\"group\":%d},", m + 2, m, s, g);
	mc_buf_printf(&t, "{\"id\":%d,\"namespace\":0,\"parent\":%d,\"superblock\":%d,\"root\":\"/\",\"mountpoint\":\"/s\",\"group\":%d,\"master\":%d},", m + 3, m, s, g + 1, g);
	mc_buf_printf(&t, "{\"id\":%d,\"namespace\":0,\"parent\":%d,\"superblock\":%d,\"root\":\"/\",\"mountpoint\":\"/\"},", m + 4, m + 3, s);
	mc_buf_printf(&t, "{\"id\":%d,\"namespace\":0,\"parent\":%d,\"superblock\":%d,\"root\":\"/x\",\"mountpoint\":\"/u\",\"unbindable\":true},", m + 5, m, s);
	mc_buf_printf(&t, "{\"id\":%d,\"namespace\":0,\"parent\":%d,\"superblock\":2,\"root\":\"mnt:[%d]\",\"mountpoint\":\"/n\",\"nsfs\":{\"type\":\"mnt\",\"inode\":%d}},", m + 6, m, i->ns + 21, i->ns + 21);
	mc_buf_printf(&t, "{\"id\":%d,\"namespace\":0,\"parent\":%d,\"superblock\":2,\"root\":\"uts:[77]\",\"mountpoint\":\"/nu\",\"nsfs\":{\"type\":\"uts\",\"inode\":77}},", m + 7, m);
	mc_buf_printf(&t, "{\"id\":%d,\"namespace\":0,\"parent\":%d,\"superblock\":%d,\"root\":\"/\",\"mountpoint\":\"/i\",\"attributes\":[\"idmapped\"],\"idmap\":0},", m + 8, m, s);
	mc_buf_printf(&t, "{\"id\":%d,\"namespace\":1,\"superblock\":%d,\"root\":\"/\",\"mountpoint\":\"/\",\"group\":%d},", m + 9, r, g + 3);
	mc_buf_printf(&t, "{\"id\":%d,\"namespace\":1,\"parent\":%d,\"superblock\":%d,\"root\":\"/a\",\"mountpoint\":\"/p\",\"group\":%d},", m + 10, m + 9, s, g);
	mc_buf_printf(&t, "{\"id\":%d,\"namespace\":1,\"parent\":%d,\"superblock\":%d,\"root\":\"/\",\"mountpoint\":\"/e\",\"master\":%d}]}", m + 11, m + 9, s, g + 2);
	REQUIRE(!t.nomem);
	return t.data;
}

static struct mntcr_topology *parse(char *text)
{
	struct mntcr_topology *t;
	struct mntcr_error e;

	if (mc_image_parse(text, strlen(text), "img", &t, &e))
		TAP_SAY("%s", e.text);
	REQUIRE(t);
	return t;
}

static char lines[4096];

static void collect(void *data, const char *line)
{
	size_t n = strlen(lines);

	snprintf(lines + n, sizeof(lines) - n, "%s\n", line);
}

static uint64_t delayed[1];	/* 0: none */

static size_t compare(const struct mntcr_topology *a,
		      const struct mntcr_topology *b, unsigned int flags)
{
	struct mntcr_verify_options opts = {
		.size = sizeof(opts), .flags = flags, .report = collect,
		.delayed = delayed, .nr_delayed = delayed[0] ? 1 : 0,
	};
	struct mntcr_error e;
	size_t nr = 0;

	lines[0] = '\0';
	REQUIRE(!mntcr_verify(a, b, &opts, &nr, &e));
	return nr;
}

static void ids_do_not_matter(void)
{
	char *x = image(&plain), *y = image(&renamed);
	struct mntcr_topology *a = parse(x), *b = parse(y);

	CHECK_EQ(compare(a, a, MNTCR_VERIFY_DEVICES | MNTCR_VERIFY_ORDER), 0);
	CHECK_EQ(compare(a, b, MNTCR_VERIFY_ORDER), 0);
	CHECK_STR(lines, "");
	/*
	 * unless asked for: two superblocks of the three are others, and so is
	 * the group outside that something receives from
	 */
	CHECK_EQ(compare(a, b, MNTCR_VERIFY_DEVICES), 3);
	CHECK(strstr(lines, "external group"));
	mntcr_topology_free(a);
	mntcr_topology_free(b);
	free(x);
	free(y);
}

/* One change each; says: what the report has to name. */
static const struct {
	const char *from, *to, *says;
	unsigned int hidden_by;	/* the flag that leaves it out */
} changes[] = {
	{ "\"attributes\":[\"nodev\"]", "\"attributes\":[\"nodev\",\"ro\"]", "namespace 0 (one) /p: attributes: 'nodev' against 'ro,nodev'", 0 },
	{ "\"attributes\":[\"nodev\"]", "\"attributes\":[\"nodev\",\"noatime\"]", "/p: attributes", 0 },
	{ "\"locks\":[]", "\"locks\":[\"mount\"]", "/p: locks: '' against 'mount'", MNTCR_VERIFY_IGNORE_LOCKS },
	{ "\"root\":\"/b\"", "\"root\":\"/c\"", "/q: root: '/b' against '/c'", 0 },
	{ "\"root\":\"/b\"", "\"root\":\"/b\",\"root_deleted\":true", "/q: root: 'there' against 'deleted'", 0 },
	{ "\"mountpoint\":\"/q\"", "\"mountpoint\":\"/r\"", "/q: only in the first\nnamespace 0 (one) /r: only in the second", 0 },
	{ "\"unbindable\":true", "\"unbindable\":false", "/u: unbindable: 'yes' against 'no'", 0 },
	{ "\"options\":\"o\"", "\"options\":\"O\"", "options: 'o' against 'O'", MNTCR_VERIFY_IGNORE_OPTIONS },
	{ "\"source\":\"s\"", "\"source\":\"S\"", "source: 's' against 'S'", MNTCR_VERIFY_IGNORE_SOURCE },
	{ "\"type\":\"ext4\"", "\"type\":\"ext3\"", "filesystem type: 'ext4' against 'ext3'", 0 },
	{ "\"type\":\"ext4\"", "\"type\":\"ext4\",\"subtype\":\"x\"", "filesystem subtype: '(none)' against 'x'", 0 },
	{ "\"type\":\"ext4\"", "\"type\":\"ext4\",\"flags\":[\"ro\"]", "superblock flags: '' against 'ro'", MNTCR_VERIFY_IGNORE_OPTIONS },
	{ "[[0,5,6]]", "[[0,5,7]]", "/i: idmap: 'one' against 'another'", 0 },
	{ "\"attributes\":[\"idmapped\"],\"idmap\":0", "\"attributes\":[]", "/i: idmap: 'one' against 'none'", 0 },
	{ "\"group\":10,\"attributes\"", "\"attributes\"", "/p: peer group: '10' against 'none'", 0 },
	{ "\"group\":11,\"master\":10", "\"group\":11", "/s: master: '10' against 'none'", 0 },
	{ "\"group\":11,\"master\":10", "\"master\":10", "/s: peer group: '11' against 'none'", 0 },
	{ "\"master\":12", "\"master\":10", "namespace 1 (two) /e: master: '12' against '10'", 0 },
	{ "\"mountpoint\":\"/q\",\"group\":10", "\"mountpoint\":\"/q\",\"group\":15", "/q: peer group: '10' against '15', which is '10' elsewhere", 0 },
	{ "\"root\":\"uts:[77]\"", "\"root\":\"uts:[78]\"", "/nu: root", 0 },
	{ "\"root\":\"/x\"", "\"root\":\"/x\",\"options\":\"other\"", "/u: options: 'o' against 'other'", MNTCR_VERIFY_IGNORE_OPTIONS },
	{ "\"inode\":45,\"parent\":0}],", "\"inode\":45,\"parent\":0}],", "", 0 },
	{ "\"label\":\"two\",\"owner\":1", "\"label\":\"two\",\"owner\":0", "namespace 1 (two): owned by another user namespace", MNTCR_VERIFY_IGNORE_OWNER },
};

static void everything_else_does(void)
{
	char *x = image(&plain), *y, *at;
	struct mntcr_topology *a = parse(x), *b;
	struct mc_buf buf;
	size_t i, nr;

	for (i = 0; i < MC_ARRAY_SIZE(changes); i++) {
		y = image(&plain);
		at = strstr(y, changes[i].from);
		if (!at)
			TAP_SAY("%s is not there", changes[i].from);
		REQUIRE(at);
		memset(&buf, 0, sizeof(buf));
		mc_buf_add(&buf, y, (size_t)(at - y));
		mc_buf_puts(&buf, changes[i].to);
		mc_buf_puts(&buf, at + strlen(changes[i].from));
		free(y);
		/* a group that only the change needs, or no longer has */
		if (strstr(changes[i].to, "\"group\":15")) {
			y = buf.data;
			at = strstr(y, "{\"id\":13}");
			REQUIRE(at);
			memset(&buf, 0, sizeof(buf));
			mc_buf_add(&buf, y, (size_t)(at - y));
			mc_buf_puts(&buf, "{\"id\":15},");
			mc_buf_puts(&buf, at);
			free(y);
		} else if (strstr(changes[i].from, "\"group\":11")) {
			y = buf.data;
			at = strstr(y, "{\"id\":11,\"master\":10},");
			REQUIRE(at);
			if (!strstr(changes[i].to, "11"))
				memset(at, ' ', 22);
			else
				memset(at + 8, ' ', 12);
		} else if (strstr(changes[i].from, "\"master\":12")) {
			at = strstr(buf.data, "{\"id\":12},");
			REQUIRE(at);
			memset(at, ' ', 10);
		}
		b = parse(buf.data);
		nr = compare(a, b, 0);
		if (!*changes[i].says ? nr != 0 :
		    !nr || !strstr(lines, changes[i].says)) {
			TAP_SAY("%s -> %s: %zu: %s", changes[i].from,
				changes[i].to, nr, lines);
			tap.bad = 1;
		}
		/* as bad the other way round */
		CHECK(!!compare(b, a, 0) == !!nr);
		if (changes[i].hidden_by)
			CHECK_EQ(compare(a, b, changes[i].hidden_by), 0);
		mntcr_topology_free(b);
		mc_buf_free(&buf);
	}
	mntcr_topology_free(a);
	free(x);
}

/* What is not known of one side is no difference, nor is another's number. */
static void files(void)
{
	static const struct {
		struct mc_file a, b;
		const char *says;
	} table[] = {
#define F(type, mode, uid, gid) { type | mode, uid, gid, 0, 0, NULL }
#define DEV(type, maj, min) { type, 0, 0, maj, min, NULL }
#define LINK(to) { S_IFLNK | 0777, 0, 0, 0, 0, to }
		{ F(S_IFDIR, 0755, 1, 2), F(0, 0, 0, 0), NULL },
		{ F(S_IFDIR, 0755, 1, 2), F(S_IFDIR, 0755, 1, 2), NULL },
		{ F(S_IFDIR, 0755, MC_NO_ID, 2), F(S_IFDIR, 0755, 1, MC_NO_ID), NULL },
		{ F(S_IFDIR, 0755, 1, 2), F(S_IFDIR, 0555, 1, 2), "'directory 0755 1:2' against 'directory 0555 1:2'" },
		{ F(S_IFDIR, 01777, 1, 2), F(S_IFDIR, 0777, 1, 2), "'directory 1777 1:2' against 'directory 0777 1:2'" },
		{ F(S_IFDIR, 0755, 1, 2), F(S_IFDIR, 0755, 0, 2), "'directory 0755 1:2' against 'directory 0755 0:2'" },
		{ F(S_IFDIR, 0755, 1, 2), F(S_IFDIR, 0755, 1, 3), "1:2' against 'directory 0755 1:3'" },
		{ F(S_IFIFO, 0600, MC_NO_ID, 2), F(S_IFIFO, 0600, 1, 3), "'fifo 0600 ?:2' against 'fifo 0600 1:3'" },
		{ F(S_IFREG, 0644, 0, 0), F(S_IFSOCK, 0644, 0, 0), "'file 0644 0:0' against 'socket 0644 0:0'" },
		{ DEV(S_IFCHR, 1, 3), DEV(S_IFBLK, 1, 3), "'char-device 0000 0:0 1:3' against 'block-device 0000 0:0 1:3'" },
		{ DEV(S_IFCHR, 1, 3), DEV(S_IFCHR, 1, 5), "1:3' against 'char-device 0000 0:0 1:5'" },
		{ DEV(S_IFCHR, 1, 3), DEV(S_IFCHR, 2, 3), "1:3' against 'char-device 0000 0:0 2:3'" },
		{ LINK("x"), LINK(NULL), NULL },
		{ LINK("x"), LINK("y\n"), "0:0 -> x' against 'symlink 0777 0:0 -> y\\012'" },
#undef F
#undef DEV
#undef LINK
	};
	static const char * const what[] = {
		"/p: file of its root: ", "/p: file that it is on: ",
	};
	char *x = image(&plain), want[200];
	struct mntcr_topology *a = parse(x), *b = parse(x);
	struct mc_mount *m = &a->mounts[1], *n = &b->mounts[1];
	bool says, ids;
	size_t i, at;

	for (i = 0; i < 2 * MC_ARRAY_SIZE(table); i++) {
		at = i % 2;
		*(at ? &m->mp_file : &m->root_file) = table[i / 2].a;
		*(at ? &n->mp_file : &n->root_file) = table[i / 2].b;
		says = table[i / 2].says;
		ids = table[i / 2].a.mode == table[i / 2].b.mode &&
		      table[i / 2].a.major == table[i / 2].b.major &&
		      table[i / 2].a.minor == table[i / 2].b.minor &&
		      !table[i / 2].a.target;
		CHECK_EQ(compare(a, b, 0), says);
		snprintf(want, sizeof(want), "%s%s", what[at],
			 says ? table[i / 2].says : "");
		if (says && (!strstr(lines, what[at]) ||
			     !strstr(lines, table[i / 2].says))) {
			TAP_SAY("\"%s\" lacks \"%s\"", lines, want);
			tap.bad = 1;
		}
		CHECK_EQ(compare(b, a, 0), says);
		CHECK_EQ(compare(a, b, MNTCR_VERIFY_IGNORE_FILES), 0);
		/* numbers of another user namespace mean others */
		b->userns[0].ino++;
		CHECK_EQ(compare(a, b, 0), says && !ids);
		b->userns[0].ino = 0;
		CHECK_EQ(compare(a, b, 0), says);
		b->userns[0].ino = a->userns[0].ino;
		m->mp_file.mode = m->root_file.mode = 0;
	}
	mntcr_topology_free(a);
	mntcr_topology_free(b);
	free(x);
}

/*
 * Of what a namespace's root is mounted on, only whether it is shared: what it
 * receives from is not restored.  Not known, with one of them: no difference.
 */
static void what_the_root_is_mounted_on(void)
{
	static const char * const base[] = {
		NULL, "private", "slave", "unbindable", "shared",
		"shared\",\"slave",
	};
	/* what is left of each without a master */
	static const char left[] = " ppuss";
	char says[128];
	struct mntcr_topology *t[MC_ARRAY_SIZE(base)];
	size_t i, j, nr;
	char *text, *at;

	for (i = 0; i < MC_ARRAY_SIZE(base); i++) {
		struct mc_buf buf = { 0 };

		text = image(&plain);
		at = strstr(text, "\"label\":\"two\"");
		REQUIRE(at);
		mc_buf_add(&buf, text, (size_t)(at - text));
		if (base[i])
			mc_buf_printf(&buf, "\"base_propagation\":[\"%s\"],",
				      base[i]);
		mc_buf_puts(&buf, at);
		t[i] = parse(buf.data);
		mc_buf_free(&buf);
		free(text);
	}
	for (i = 0; i < MC_ARRAY_SIZE(base); i++)
		for (j = 0; j < MC_ARRAY_SIZE(base); j++) {
			nr = compare(t[i], t[j], 0);
			CHECK_EQ(nr, i && j && left[i] != left[j] ? 1 : 0);
			snprintf(says, sizeof(says),
				 "namespace 1 (two): what its root is mounted on: '%.6s",
				 base[i] ? base[i] : "");
			if (nr)
				CHECK(!strncmp(lines, says, strlen(says)));
		}
	for (i = 0; i < MC_ARRAY_SIZE(base); i++)
		mntcr_topology_free(t[i]);
}

static void order_only_when_asked(void)
{
	struct mntcr_verify_options opts = {
		.size = sizeof(opts), .flags = MNTCR_VERIFY_ORDER,
		.delayed = (const uint64_t[]){ 4711 }, .nr_delayed = 1,
	};
	char *x = image(&plain), *y = image(&plain), *at;
	struct mntcr_topology *a = parse(x), *b;
	struct mntcr_error e;
	size_t nr;

	/* 106, /n, changes ids with 107, /nu */
	at = strstr(y, "{\"id\":106");
	REQUIRE(at);
	at[8] = '7';
	at = strstr(at + 9, "{\"id\":107");
	REQUIRE(at);
	at[8] = '6';
	b = parse(y);
	CHECK_EQ(compare(a, b, 0), 0);
	CHECK_EQ(compare(a, b, MNTCR_VERIFY_ORDER), 1);
	CHECK(strstr(lines, "/nu: order"));
	/* what waits may come later, and so may what is on it, but not earlier */
	delayed[0] = 106;
	CHECK_EQ(compare(a, b, MNTCR_VERIFY_ORDER), 0);
	CHECK_EQ(compare(b, a, MNTCR_VERIFY_ORDER), 0);
	delayed[0] = 100;
	CHECK_EQ(compare(a, b, MNTCR_VERIFY_ORDER), 0);
	delayed[0] = 107;
	CHECK_EQ(compare(a, b, MNTCR_VERIFY_ORDER), 1);
	delayed[0] = 0;
	CHECK_EQ(mntcr_verify(a, b, &opts, &nr, &e), -1);
	CHECK_EQ(e.code, MNTCR_USAGE);
	CHECK_STR(e.text, "delayed: no mount has the id 4711");
	mntcr_topology_free(a);
	mntcr_topology_free(b);
	free(x);
	free(y);
}

static struct mntcr_topology *large(unsigned int n, int base)
{
	struct mntcr_topology *t;
	struct mc_buf b = { 0 };
	unsigned int i;

	mc_buf_printf(&b, "{\"format\":\"mntcr-image\",\"version\":1,"
		"\"user_namespaces\":[],\"namespaces\":[{\"label\":\"x\"}],"
		"\"superblocks\":[{\"device\":\"0:1\",\"type\":\"t\",\"options\":\"\"}],"
		"\"idmaps\":[],\"groups\":[{\"id\":1}],\"mounts\":["
		"{\"id\":%d,\"namespace\":0,\"superblock\":0,\"root\":\"/\",\"mountpoint\":\"/\"}",
		base);
	for (i = 1; i < n; i++)
		mc_buf_printf(&b, ",{\"id\":%u,\"namespace\":0,\"superblock\":0,"
			"\"parent\":%d,\"root\":\"/\",\"mountpoint\":\"/d%u\",\"group\":1}",
			base + i, base, i * 7919 % n);
	mc_buf_puts(&b, "]}");
	REQUIRE(!b.nomem);
	t = parse(b.data);
	mc_buf_free(&b);
	return t;
}

/* 7919 is prime, and so the mountpoints are distinct for these sizes. */
static void a_large_directory_is_no_trouble(void)
{
	unsigned int n = getenv("UNDER_VALGRIND") ? 2000 : 100000;
	struct mntcr_topology *a = large(n, 1), *b = large(n, 500000);
	struct timespec x, y;

	clock_gettime(CLOCK_MONOTONIC, &x);
	CHECK_EQ(compare(a, b, MNTCR_VERIFY_ORDER), 0);
	clock_gettime(CLOCK_MONOTONIC, &y);
	TAP_SAY("%u mounts in one directory: %ld ms", n,
		(y.tv_sec - x.tv_sec) * 1000 + (y.tv_nsec - x.tv_nsec) / 1000000);
	mntcr_topology_free(a);
	mntcr_topology_free(b);
}

/* One tmpfs as one kernel names it, and as another, or the same later. */
static void a_width_that_only_one_names(void)
{
	static const struct {
		const char *type, *a, *b;
		size_t differ;
	} rows[] = {
		{ "tmpfs", "", "inode64", 0 },
		{ "tmpfs", "", "inode32", 0 },
		{ "tmpfs", "size=4k,mode=755", "size=4k,mode=755,inode64", 0 },
		{ "tmpfs", "size=4k,mode=755", "size=4k,inode64,mode=755", 0 },
		{ "tmpfs", "size=4k", "inode64,size=4k", 0 },
		{ "tmpfs", "inode32", "inode64", 1 },
		{ "tmpfs", "size=4k,inode32", "size=4k,inode64", 1 },
		{ "tmpfs", "size=4k", "size=8k,inode64", 1 },
		{ "tmpfs", "size=4k", "inode64", 1 },
		{ "tmpfs", "size=4k", "size=4k,inode64,uid=1", 1 },
		{ "tmpfs", "", "inode640", 1 },
		{ "xfs", "", "inode64", 1 },
		/* a devtmpfs has the machine's size */
		{ "autofs", "fd=9,pgrp=1,direct,pipe_ino=7", "fd=9,pgrp=2,direct", 0 },
		{ "autofs", "fd=9,pgrp=1,direct", "fd=8,pgrp=1,direct", 1 },
		{ "autofs", "fd=9,pgrp=1,direct", "fd=9,pgrp=1,indirect", 1 },
		{ "devtmpfs", "size=4k,nr_inodes=9,mode=755", "size=8k,nr_inodes=7,mode=755", 0 },
		{ "devtmpfs", "size=4k,mode=755", "mode=755", 0 },
		{ "devtmpfs", "size=4k,mode=755", "size=4k,mode=700", 1 },
	};
	struct mntcr_topology *t[2];
	struct mc_buf text;
	size_t i, k;

	for (i = 0; i < MC_ARRAY_SIZE(rows); i++) {
		for (k = 0; k < 2; k++) {
			text = (struct mc_buf){ 0 };
			mc_buf_printf(&text, "{\"format\":\"mntcr-image\",\"version\":1,"
				"\"user_namespaces\":[{\"inode\":1,\"dumper\":true}],"
				"\"namespaces\":[{\"inode\":5,\"label\":\"n\",\"owner\":0}],"
				"\"idmaps\":[],\"groups\":[],\"superblocks\":[{\"device\":\"0:7\",\"type\":\"%s\",\"options\":\"%s\"}],"
				"\"mounts\":[{\"id\":9,\"namespace\":0,\"superblock\":0,\"root\":\"/\",\"mountpoint\":\"/\"}]}",
				rows[i].type, k ? rows[i].b : rows[i].a);
			REQUIRE(!text.nomem);
			t[k] = parse(text.data);
			mc_buf_free(&text);
		}
		if (compare(t[0], t[1], 0) != rows[i].differ ||
		    compare(t[1], t[0], 0) != rows[i].differ) {
			TAP_SAY("%s: '%s' against '%s': %s", rows[i].type,
				rows[i].a, rows[i].b, lines);
			tap.bad = 1;
		}
		mntcr_topology_free(t[0]);
		mntcr_topology_free(t[1]);
	}
}

/* Options say a size only where it is not the machine's default. */
static void a_size_counts_however_it_is_said(void)
{
	static const struct {
		const char *options;
		unsigned int size, inodes;
		size_t differences;
	} second[] = {
		{ "mode=755", 8192, 10, 0 },
		{ "size=8k,mode=755", 8192, 10, 0 },
		{ "size=8k,nr_inodes=10,mode=755", 8192, 10, 0 },
		{ "mode=755", 4096, 10, 1 },
		{ "mode=755", 8192, 11, 1 },
		{ "size=8k,mode=700", 8192, 10, 1 },
	};
	static const char image[] =
		"{\"format\":\"mntcr-image\",\"version\":4,\"user_namespaces\":[],"
		"\"namespaces\":[{\"label\":\"x\"}],\"superblocks\":[{\"device\":\"0:5\","
		"\"type\":\"tmpfs\",\"options\":\"%s\",\"size\":%u,\"inodes\":%u}],"
		"\"groups\":[],\"idmaps\":[],\"mounts\":[{\"id\":1,\"namespace\":0,"
		"\"superblock\":0,\"root\":\"/\",\"mountpoint\":\"/\"}]}";
	struct mntcr_topology *a, *b;
	char text[1000];
	size_t i;

	snprintf(text, sizeof(text), image, "mode=755", 8192u, 10u);
	a = parse(text);
	for (i = 0; i < sizeof(second) / sizeof(second[0]); i++) {
		snprintf(text, sizeof(text), image, second[i].options,
			 second[i].size, second[i].inodes);
		b = parse(text);
		CHECK_EQ(compare(a, b, 0), second[i].differences);
		mntcr_topology_free(b);
	}
	mntcr_topology_free(a);
}

/* A proc and a sysfs, and what else shows a namespace; each as JSON. */
static struct mntcr_topology *showing(const char *one, const char *two)
{
	static const char image[] =
		"{\"format\":\"mntcr-image\",\"version\":6,\"user_namespaces\":["
		"{\"inode\":7,\"dumper\":true},{\"inode\":8}],\"namespaces\":["
		"{\"label\":\"x\",\"owner\":0}],\"superblocks\":["
		"{\"device\":\"0:5\",\"type\":\"proc\",\"options\":\"\"%s},"
		"{\"device\":\"0:6\",\"type\":\"proc\",\"options\":\"\"%s}],"
		"\"groups\":[],\"idmaps\":[],\"mounts\":[{\"id\":1,\"namespace\":0,"
		"\"superblock\":0,\"root\":\"/\",\"mountpoint\":\"/\"},{\"id\":2,"
		"\"namespace\":0,\"parent\":1,\"superblock\":1,\"root\":\"/\","
		"\"mountpoint\":\"/p\"}]}";
	char text[1200];

	snprintf(text, sizeof(text), image, one, two);
	return parse(text);
}

#define SHOWS(id) ",\"shows\":{\"type\":\"pid\",\"id\":" #id "}"
#define SHOWS_OWN(id) ",\"shows\":{\"type\":\"pid\",\"id\":" #id ",\"dumper\":true}"
#define SHOWS_GONE ",\"shows\":{\"type\":\"pid\"}"
#define SHOWS_NET(id) ",\"shows\":{\"type\":\"net\",\"id\":" #id "}"
#define SHOWS_NET_OF(id, owner) \
	",\"shows\":{\"type\":\"net\",\"id\":" #id ",\"owner\":" #owner "}"
#define INIT(ino, depth) ",\"pid_namespace\":" #ino ",\"pid_depth\":" #depth
#define NO_INIT ",\"pid_init\":false"
#define BELOW(ino, up) INIT(ino, 2) ",\"pid_above\":[" #up "]"
#define WHOSE(who) ",\"whose\":\"" who "\""
#define OF(userns) ",\"user_namespace\":" #userns

/* Which namespace they show, and which they belong to: one to one, if known. */
static void the_namespaces_of_superblocks(void)
{
	static const struct {
		const char *one, *two;
		const char *at_one, *at_two; /* the same on the other side */
		size_t differences;
		unsigned int hidden_by;
	} pairs[] = {
		{ SHOWS(1), SHOWS(2), SHOWS(8), SHOWS(9), 0, 0 },
		{ SHOWS(1), SHOWS(1), SHOWS(8), SHOWS(8), 0, 0 },
		{ SHOWS(1), SHOWS(1), SHOWS(8), SHOWS(9), 1, MNTCR_VERIFY_IGNORE_SHOWN },
		{ SHOWS(1), SHOWS(2), SHOWS(8), SHOWS(8), 1, MNTCR_VERIFY_IGNORE_SHOWN },
		{ SHOWS(1), SHOWS_OWN(2), SHOWS(8), SHOWS_OWN(9), 0, 0 },
		{ SHOWS(1), "", SHOWS_OWN(8), "", 1, MNTCR_VERIFY_IGNORE_SHOWN },
		{ SHOWS(1), "", SHOWS_GONE, "", 1, MNTCR_VERIFY_IGNORE_SHOWN },
		{ SHOWS_GONE, SHOWS_GONE, SHOWS_GONE, SHOWS_GONE, 0, 0 },
		{ SHOWS(1), "", SHOWS_NET(1), "", 1, MNTCR_VERIFY_IGNORE_SHOWN },
		{ SHOWS(1), "", "", "", 0, 0 },
		{ SHOWS_NET_OF(1, 1), OF(1), SHOWS_NET_OF(2, 1), OF(1), 0, 0 },
		{ SHOWS_NET_OF(1, 1), "", SHOWS_NET(2), "", 0, 0 },
		{ SHOWS_NET_OF(1, 1), OF(1), SHOWS_NET_OF(2, 0), OF(1), 1, MNTCR_VERIFY_IGNORE_OWNER },
		{ INIT(1, 1), INIT(2, 0), INIT(8, 1), INIT(9, 0), 0, 0 },
		{ INIT(1, 1), "", INIT(8, 2), "", 1, MNTCR_VERIFY_IGNORE_SHOWN },
		{ SHOWS(1) INIT(1, 1), "", SHOWS(8) INIT(8, 2), "", 1, MNTCR_VERIFY_IGNORE_SHOWN },
		{ SHOWS(1) INIT(3, 1), INIT(3, 1), SHOWS(8) INIT(4, 1), INIT(5, 1), 1, MNTCR_VERIFY_IGNORE_SHOWN },
		{ INIT(1, 1), "", INIT(8, 0), "", 1, MNTCR_VERIFY_IGNORE_SHOWN },
		{ INIT(1, 1), INIT(1, 1), INIT(8, 1), INIT(9, 1), 1, MNTCR_VERIFY_IGNORE_SHOWN },
		/* it had ended, and does not live again; one that is made has nobody in it */
		{ NO_INIT, "", INIT(8, 1), "", 1, MNTCR_VERIFY_IGNORE_SHOWN },
		{ INIT(1, 1), "", NO_INIT, "", 0, 0 },
		{ NO_INIT, "", NO_INIT, "", 0, 0 },
		/* it could not be looked for */
		{ SHOWS(1), "", SHOWS(8) INIT(8, 1), "", 0, 0 },
		/* in the first, in another, in one that nothing shows */
		{ INIT(1, 1), BELOW(2, 1), INIT(8, 1), BELOW(9, 8), 0, 0 },
		{ INIT(1, 1), BELOW(2, 1), INIT(8, 1), BELOW(9, 7), 1, MNTCR_VERIFY_IGNORE_SHOWN },
		{ BELOW(1, 3), BELOW(2, 3), BELOW(8, 6), BELOW(9, 6), 0, 0 },
		{ BELOW(1, 3), BELOW(2, 3), BELOW(8, 6), BELOW(9, 7), 1, MNTCR_VERIFY_IGNORE_SHOWN },
		{ INIT(1, 1), BELOW(2, 1), INIT(8, 1), INIT(9, 2), 0, 0 },
		{ WHOSE("host"), WHOSE("container"), WHOSE("host"), WHOSE("container"), 0, 0 },
		{ WHOSE("host"), "", WHOSE("container"), "", 1, MNTCR_VERIFY_IGNORE_WHOSE },
		{ WHOSE("container"), "", WHOSE("host"), "", 1, MNTCR_VERIFY_IGNORE_WHOSE },
		{ WHOSE("container"), WHOSE("host"), WHOSE("host"), WHOSE("container"), 2, MNTCR_VERIFY_IGNORE_WHOSE },
		{ WHOSE("container"), WHOSE("host"), "", WHOSE("host"), 0, 0 },
		{ WHOSE("namespace"), "", WHOSE("host"), "", 1, MNTCR_VERIFY_IGNORE_WHOSE },
		{ WHOSE("namespace") SHOWS(1), "", WHOSE("host") SHOWS_OWN(8), "", 1, MNTCR_VERIFY_IGNORE_SHOWN | MNTCR_VERIFY_IGNORE_WHOSE },
		{ OF(0), OF(1), OF(0), OF(1), 0, 0 },
		{ OF(0), "", OF(1), "", 1, MNTCR_VERIFY_IGNORE_OWNER },
		{ OF(1), OF(1), OF(1), OF(0), 1, MNTCR_VERIFY_IGNORE_OWNER },
	};
	struct mntcr_topology *a, *b;
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(pairs); i++) {
		a = showing(pairs[i].one, pairs[i].two);
		b = showing(pairs[i].at_one, pairs[i].at_two);
		CHECK_EQ(compare(a, b, 0), pairs[i].differences);
		if (pairs[i].hidden_by)
			CHECK_EQ(compare(a, b, pairs[i].hidden_by), 0);
		mntcr_topology_free(a);
		mntcr_topology_free(b);
	}
}

#define MADE(owner, uids, gids, setgroups) ",\"parent\":0,\"owner\":" #owner \
	",\"uid_map\":[" uids "],\"gid_map\":[" gids "],\"setgroups\":" #setgroups

static bool of_ns;

/* A superblock, or a namespace, of a user namespace that is mapped as said. */
static struct mntcr_topology *mapped(const char *how)
{
	static const char image[] =
		"{\"format\":\"mntcr-image\",\"version\":4,\"user_namespaces\":["
		"{\"inode\":7,\"dumper\":true},{\"inode\":8%s}],"
		"\"namespaces\":[{\"id\":5,\"inode\":50,\"label\":\"a\"%s}],"
		"\"superblocks\":[{\"device\":\"0:30\",\"type\":\"tmpfs\",\"options\":\"\"%s}],"
		"\"groups\":[],\"idmaps\":[],\"mounts\":[{\"id\":101,\"namespace\":0,"
		"\"superblock\":0,\"root\":\"/\",\"mountpoint\":\"/\"}]}";
	char text[1200];

	snprintf(text, sizeof(text), image, how, of_ns ? ",\"owner\":1" : "",
		 of_ns ? "" : OF(1));
	return parse(text);
}

/* Of namespaces and of superblocks. */
static void the_maps_of_owners(void)
{
	static const struct {
		const char *a, *b;
		size_t differences;
	} pairs[] = {
		{ MADE(5, "[0,9,2]", "[0,9,2]", true), MADE(5, "[0,9,2]", "[0,9,2]", true), 0 },
		{ MADE(5, "[0,9,2]", "[0,9,2]", true), MADE(6, "[0,9,2]", "[0,9,2]", true), 1 },
		{ MADE(5, "[0,9,2]", "[0,9,2]", true), MADE(5, "[0,9,3]", "[0,9,2]", true), 1 },
		{ MADE(5, "[0,9,2]", "[0,9,2]", true), MADE(5, "[0,9,2]", "[0,8,2]", true), 1 },
		{ MADE(5, "[0,9,2]", "[0,9,2]", true), MADE(5, "[0,9,2]", "", true), 1 },
		{ MADE(5, "[0,9,2]", "[0,9,2]", true), MADE(5, "[0,9,2]", "[0,9,2]", false), 1 },
		{ MADE(5, "[0,9,2]", "[0,9,2]", true), "", 0 },
	};
	struct mntcr_topology *a, *b;
	size_t i;

	for (i = 0; i < 2 * MC_ARRAY_SIZE(pairs); i++) {
		of_ns = i & 1;
		a = mapped(pairs[i / 2].a);
		b = mapped(pairs[i / 2].b);
		CHECK_EQ(compare(a, b, 0), pairs[i / 2].differences);
		CHECK_EQ(compare(a, b, MNTCR_VERIFY_IGNORE_OWNER), 0);
		mntcr_topology_free(a);
		mntcr_topology_free(b);
	}
}

/* Twice the same, one thing changed in one of them: that is said. */
#define DIFFERS(change, says) do {					\
	char *text = image(&plain);					\
	struct mntcr_topology *a = parse(text), *b = parse(text);	\
	struct mntcr_topology as_it_was = *b;				\
									\
	change;								\
	CHECK(compare(a, b, 0));					\
	if (!strstr(lines, says))					\
		CHECK_STR(lines, says);					\
	*b = as_it_was;							\
	mntcr_topology_free(a);						\
	mntcr_topology_free(b);						\
	free(text);							\
} while (0)

static void nsfs(struct mntcr_topology *t, uint32_t m, uint64_t id, uint32_t owner)
{
	t->mounts[m].nsfs_type = CLONE_NEWNET;
	t->mounts[m].nsfs_ns = MC_NONE;
	t->mounts[m].nsfs_id = id;
	t->mounts[m].nsfs_owner = owner;
}

static void user_file(struct mntcr_topology *t, uint32_t m, uint64_t ino, uint32_t u)
{
	t->mounts[m].nsfs_type = CLONE_NEWUSER;
	t->mounts[m].nsfs_ns = MC_NONE;
	t->mounts[m].nsfs_ino = ino;
	t->mounts[m].nsfs_userns = u;
}

/* A proc of one pid namespace, and a file of that one or of another. */
static void proc_and_file(struct mntcr_topology *t, uint64_t proc, uint64_t file)
{
	t->sbs[t->mounts[5].sb].pidns_ino = proc;
	t->sbs[t->mounts[5].sb].pidns_depth = 1;
	t->mounts[7].nsfs_type = CLONE_NEWPID;
	t->mounts[7].nsfs_ns = MC_NONE;
	t->mounts[7].nsfs_ino = file;
}

static void a_proc_and_the_file_of_its_namespace(void)
{
	static const struct {
		uint64_t proc, file;
		size_t differences;
	} there[] = { { 60, 60, 0 }, { 60, 61, 1 }, { 50, 60, 1 } };
	char *text = image(&plain);
	struct mntcr_topology *a = parse(text), *b = parse(text);
	size_t i;
	bool id;

	for (i = 0; i < 2 * MC_ARRAY_SIZE(there); i++) {
		proc_and_file(a, 50, 50);
		proc_and_file(b, there[i / 2].proc, there[i / 2].file);
		/* with the ids of files, where kernels have them */
		id = i % 2;
		a->mounts[7].nsfs_id = id ? 7 : 0;
		b->mounts[7].nsfs_id = id ? 8 : 0;
		/* its name is of its inode; one that no proc shows has to be that very one */
		a->mounts[7].root = "pid:[50]";
		b->mounts[7].root = there[i / 2].file == 60 ? "pid:[60]" : "pid:[61]";
		CHECK_EQ(compare(a, b, 0), there[i / 2].differences);
		CHECK_EQ(compare(a, b, MNTCR_VERIFY_GIVEN_NAMESPACES), there[i / 2].differences);
		if (there[i / 2].differences && !strstr(lines, "namespace file: ") &&
		    !strstr(lines, "shows: "))
			CHECK_STR(lines, "namespace file: ");
	}
	mntcr_topology_free(a);
	mntcr_topology_free(b);
	free(text);
}

static void what_that_image_lacks(void)
{
	DIFFERS(b->mounts[1].sb = 1, "superblock is not the counterpart");
	DIFFERS((a->sbs[0].uuid = "1", b->sbs[0].uuid = "2"), "filesystem: '1' against '2'");
	DIFFERS((a->mounts[5].root_deleted = b->mounts[5].root_deleted = true,
		 a->mounts[5].unlinked = 1, b->mounts[5].unlinked = 2),
		"which unlinked file: '1' against '2'");
	DIFFERS(b->mounts[6].nsfs_ns = 0, "namespace file: ");
	DIFFERS((nsfs(a, 7, 5, 0), nsfs(b, 7, 6, 1)), "its namespace belongs to: ");
	/* one namespace here, two there */
	DIFFERS((nsfs(a, 6, 5, 0), nsfs(a, 7, 5, 0), nsfs(b, 6, 5, 0), nsfs(b, 7, 6, 0)),
		"namespace file: ");
	/* of the owner here, and of another there, known or not */
	DIFFERS((user_file(a, 7, 5, a->ns[0].userns), user_file(b, 7, 6, 1)),
		"namespace file: ");
	DIFFERS((user_file(a, 7, 5, a->ns[0].userns), user_file(b, 7, 6, MC_NONE)),
		"namespace file: ");
	DIFFERS(b->ns[1].root = MC_NONE, "namespace 1 (two): empty in the second only");
	DIFFERS(b->nr_ns = 1, "2 namespaces against 1");
}

static void overlay(struct mntcr_topology *t, uint32_t sb, struct mc_layer *layers,
		    uint32_t nr)
{
	t->sbs[sb].type = "overlay";
	t->sbs[sb].layers = layers;
	t->sbs[sb].nr_layers = nr;
}

/* With that for the layer i of one side; 3: without the second. */
static size_t with_layers(uint32_t i, struct mc_layer l, unsigned int flags)
{
	struct mc_layer as[] = {
		{ MC_LAYER_LOWER, "/l", 1, "/a", 0 },
		{ MC_LAYER_LOWER, "/k", 1, "/b", MC_NONE },
	};
	struct mc_layer bs[] = { as[0], as[1] };
	char *text = image(&plain);
	struct mntcr_topology *a = parse(text), *b = parse(text);
	size_t nr;

	overlay(a, 0, as, 2);
	overlay(b, 0, bs, i > 2 ? 1 : 2);
	CHECK_EQ(compare(a, b, 0), i > 2);
	if (i < 2)
		bs[i] = l;
	nr = compare(a, b, flags);
	mntcr_topology_free(a);
	mntcr_topology_free(b);
	free(text);
	return nr;
}

#define NEXT(i, says, ...) do {						\
	CHECK_EQ(with_layers(i, (struct mc_layer){ __VA_ARGS__ }, 0), 1);	\
	if (!strstr(lines, says))					\
		CHECK_STR(lines, says);					\
} while (0)

static void layers_of_overlays(void)
{
	static const struct mc_layer other = { MC_LAYER_LOWER, "/l", 1, "/b", 0 };
	static const struct mc_layer unknown = { MC_LAYER_LOWER, "/l", MC_NONE, NULL, MC_NONE };

	/* of its mounts only one says so */
	NEXT(0, "namespace 0 (one) /i: layer: 'lowerdir /a of 0:31 by idmap 0' against 'lowerdir /b of 0:31 by idmap 0'",
	     MC_LAYER_LOWER, "/l", 1, "/b", 0);
	NEXT(0, "' against 'lowerdir /a of 0:31'", MC_LAYER_LOWER, "/l", 1, "/a", MC_NONE);
	NEXT(1, "' against 'lowerdir /b of 0:31 by idmap 0'", MC_LAYER_LOWER, "/k", 1, "/b", 0);
	NEXT(1, "'lowerdir /b of 0:31' against 'lowerdir /b of 0:4'", MC_LAYER_LOWER, "/k", 2,
	     "/b", MC_NONE);
	NEXT(1, "kind of layer: 'lowerdir' against 'datadir'", MC_LAYER_DATA, "/k", 1, "/b",
	     MC_NONE);
	CHECK_EQ(with_layers(3, other, 0), 1);
	CHECK(strstr(lines, "number of layers: '2' against '1'"));
	/* what is not known, or not asked for */
	CHECK_EQ(with_layers(0, unknown, 0), 0);
	CHECK_EQ(with_layers(0, other, MNTCR_VERIFY_IGNORE_OPTIONS), 0);
	CHECK_EQ(with_layers(0, other, MNTCR_VERIFY_IGNORE_LAYERS), 0);
}

int main(void)
{
	TAP_RUN(ids_do_not_matter);
	TAP_RUN(a_width_that_only_one_names);
	TAP_RUN(a_size_counts_however_it_is_said);
	TAP_RUN(the_namespaces_of_superblocks);
	TAP_RUN(the_maps_of_owners);
	TAP_RUN(everything_else_does);
	TAP_RUN(files);
	TAP_RUN(a_proc_and_the_file_of_its_namespace);
	TAP_RUN(what_that_image_lacks);
	TAP_RUN(layers_of_overlays);
	TAP_RUN(what_the_root_is_mounted_on);
	TAP_RUN(order_only_when_asked);
	TAP_RUN(a_large_directory_is_no_trouble);
	return tap_done();
}
