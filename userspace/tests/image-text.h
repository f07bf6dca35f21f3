/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A good image as text, and what is made of it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TESTS_IMAGE_TEXT_H
#define TESTS_IMAGE_TEXT_H

#include <sys/stat.h>

#include "base/base.h"
#include "topology/topology.h"
#include "image/image.h"
#include "tap.h"

#define BOOT "\"boot_id\":\"0b1f6c43-3c1e-4a52-9d53-5a5e1c0d7f11\","
#define HEAD "{\"format\":\"mntcr-image\",\"version\":3,\"unique_ids\":true," BOOT
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
#define ROOT2 "\"root_file\":{\"type\":\"directory\",\"mode\":\"1777\",\"uid\":0},"
#define NULL3 "{\"type\":\"char-device\",\"mode\":\"0666\",\"uid\":3,\"gid\":4,\"device\":\"1:3\"}"
#define ROOT3 "\"root_file\":" NULL3 ","
#define ON3 "\"mountpoint_file\":{\"type\":\"file\",\"mode\":\"0000\",\"uid\":0,\"gid\":0},"
#define M2 "{\"id\":102," ROOT2 "\"namespace\":0,\"parent\":101,\"superblock\":0,\"root\":\"/\",\"mountpoint\":\"/t\",\"group\":1,\"attributes\":[\"ro\",\"noatime\"]}"
#define M3 "{\"id\":103," ROOT3 ON3 "\"namespace\":0,\"parent\":101,\"superblock\":0,\"root\":\"/a\",\"mountpoint\":\"/s\",\"group\":2,\"master\":1,\"locks\":[\"mount\"]}"
#define M4 "{\"id\":104,\"namespace\":0,\"parent\":103,\"superblock\":0,\"root\":\"/b\",\"mountpoint\":\"/\",\"master\":9}"
#define M5 "{\"id\":105,\"namespace\":0,\"parent\":101,\"superblock\":0,\"root\":\"/\",\"mountpoint\":\"/u\",\"unbindable\":true,\"attributes\":[\"idmapped\"],\"idmap\":0}"
#define M6 "{\"id\":106,\"namespace\":1,\"superblock\":1,\"root\":\"/r\",\"mountpoint\":\"/\"}"
#define M7 "{\"id\":107,\"namespace\":0,\"parent\":101,\"superblock\":2,\"root\":\"mnt:[60]\",\"mountpoint\":\"/n\",\"nsfs\":{\"type\":\"mnt\",\"inode\":60}}"
#define MOUNTS "\"mounts\":[" M1 "," M2 "," M3 "," M4 "," M5 "," M6 "," M7 "]}"

static const char good[] __attribute__((unused)) = HEAD USERNS NS SBS GROUPS IDMAPS MOUNTS;

/* A malloc()ed copy of s with the first from replaced. */
static inline char *replaced(const char *s, const char *from, const char *to)
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

static inline char *printed(const struct mntcr_topology *t)
{
	struct mntcr_error e;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	REQUIRE(out && !mc_image_print(t, out, &e) && !fclose(out));
	return text;
}

/* What is written is read, and written the same.  The text is the caller's. */
static inline char *written_twice(const struct mntcr_topology *t)
{
	struct mntcr_topology *again;
	char *a = printed(t), *b;
	struct mntcr_error e;

	REQUIRE(!mc_image_parse(a, strlen(a), "again", &again, &e));
	b = printed(again);
	CHECK_STR(b, a);
	free(b);
	mntcr_topology_free(again);
	return a;
}

/* A change to a good image, and what the message has to contain. */
struct wrong {
	const char *from, *to, *says;
};

static inline void is_wrong(const char *image, const struct wrong *w)
{
	char *text = replaced(image, w->from, w->to);
	struct mntcr_topology *t = NULL;
	struct mntcr_error e;

	if (!mc_image_parse(text, strlen(text), "img", &t, &e)) {
		TAP_SAY("%s for %s was taken", w->to, w->from);
		mntcr_topology_free(t);
		tap.bad = 1;
	} else if (e.code != MNTCR_BAD_IMAGE || !strstr(e.text, w->says) ||
		   strncmp(e.text, "img:", 4)) {
		TAP_SAY("%s for %s: \"%s\" lacks \"%s\"", w->to, w->from, e.text,
			w->says);
		tap.bad = 1;
	}
	free(text);
}

#endif /* TESTS_IMAGE_TEXT_H */
