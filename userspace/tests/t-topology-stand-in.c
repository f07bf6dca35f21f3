// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What stands in for a superblock of the host's, and for which it may; that it comes
 * back, with everything below and above it, in the place of the other.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mntcr-restore.h"
#include "base/base.h"
#include "image/image.h"
#include "tap.h"
#include "topology/topology.h"

#define MOUNT(id, parent, sb, at, more) ",{\"id\":" #id ",\"namespace\":0,\"parent\":" #parent ","	\
	"\"superblock\":" #sb ",\"root\":\"/\",\"mountpoint\":\"" at "\"" more "}"
#define LOCKED ",\"locks\":[\"mount\"]"
#define FREE ",\"locks\":[]"

/* The host's: at /h, and there at /dir; over the first, locked, the container's. */
static const char image[] =
	"{\"format\":\"mntcr-image\",\"version\":4,\"unique_ids\":true,\"user_namespaces\":[],"
	"\"namespaces\":[{\"id\":1,\"label\":\"x\"}],\"groups\":[{\"id\":5},{\"id\":6,\"master\":5},{\"id\":7}],"
	"\"idmaps\":[],\"superblocks\":["
	"{\"device\":\"8:1\",\"type\":\"ext4\",\"source\":\"/dev/sda1\",\"options\":\"rw\",\"whose\":\"host\",\"outside\":{\"path\":\"/\",\"root\":\"/\"}},"
	"{\"device\":\"0:2\",\"type\":\"tmpfs\",\"source\":\"own\",\"options\":\"mode=755\",\"whose\":\"container\"},"
	"{\"device\":\"8:3\",\"type\":\"ext4\",\"source\":\"/dev/sdb1\",\"options\":\"rw\",\"whose\":\"host\"}],"
	"\"mounts\":[{\"id\":10,\"namespace\":0,\"superblock\":1,\"root\":\"/\",\"mountpoint\":\"/\"" FREE "}"
	MOUNT(11, 10, 0, "/h", ",\"master\":5" FREE)
	MOUNT(12, 11, 1, "/", LOCKED)
	MOUNT(13, 12, 2, "/vol", ",\"master\":7" FREE)
	MOUNT(14, 12, 1, "/a", FREE)
	MOUNT(15, 11, 0, "/dir", ",\"group\":6,\"master\":5" LOCKED)
	"]}";

static struct mntcr_topology *t;
static struct mntcr_error e;

static void start(void)
{
	REQUIRE(!mc_image_parse(image, strlen(image), "image", &t, &e));
}

static void end(void)
{
	mntcr_topology_free(t);
}

static int stand_in(const char *key)
{
	return mntcr_topology_stand_in(t, &key, 1, &e);
}

static void what_locks_hide(void)
{
	const struct mc_mount *m;

	start();
	REQUIRE(!stand_in("8:1"));
	m = &t->mounts[mc_find_mount(t, 15)];
	CHECK_STR(t->sbs[m->sb].type, "tmpfs");
	CHECK_STR(t->sbs[m->sb].stands_in_for, "ext4");
	CHECK_STR(t->sbs[m->sb].source, "/dev/sda1");
	CHECK_EQ(t->sbs[m->sb].flags, MS_RDONLY);
	/* it stays shared, and receives nothing from outside */
	CHECK(m->group != MC_NONE);
	CHECK_EQ(m->master, MC_NONE);
	CHECK_EQ(t->groups[m->group].master, MC_NONE);
	CHECK_EQ(t->mounts[mc_find_mount(t, 11)].master, MC_NONE);
	/* of others nothing has changed */
	CHECK(t->mounts[mc_find_mount(t, 13)].master != MC_NONE);
	CHECK_STR(t->sbs[t->mounts[mc_find_mount(t, 13)].sb].type, "ext4");
	end();
}

static void refused(const char *key, const char *says)
{
	CHECK_EQ(stand_in(key), -1);
	CHECK_EQ(e.code, MNTCR_REFUSED);
	CHECK_STR(e.rule, "stand-in");
	if (!strstr(e.text, says))
		CHECK_STR(e.text, says);
	end();
}

static void what_can_be_seen(void)
{
	start();
	refused("8:3", "/h/vol: nothing stands in for its superblock, 8:3: no locked mount hides all of it");
	/* by the path of a mount */
	start();
	refused("/h/vol", "no locked mount hides all of it");
	/* a cover that its owner can take away */
	start();
	t->mounts[mc_find_mount(t, 12)].locks = 0;
	refused("8:1", ": nothing stands in for its superblock, 8:1: no locked mount hides all of it");
	start();
	t->mounts[mc_find_mount(t, 12)].locks_known = false;
	refused("8:1", "no locked mount hides all of it");
	/* what is mounted on what is over it is seen */
	start();
	t->mounts[mc_find_mount(t, 13)].sb = t->mounts[mc_find_mount(t, 11)].sb;
	refused("8:1", "/h/vol: nothing stands in for its superblock");
	start();
	t->mounts[mc_find_mount(t, 15)].root_deleted = true;
	refused("8:1", "/h/dir: nothing stands in for its superblock, 8:1: no path leads to its root");
	start();
	refused("0:2", "nothing stands in for 0:2: the image does not say that it was the host's");
	start();
	CHECK_EQ(stand_in("9:9"), -1);
	CHECK_EQ(e.code, MNTCR_USAGE);
	CHECK_STR(e.text, "to be stood in for: 9:9 names no superblock of a mount");
	end();
	start();
	REQUIRE(!stand_in("8:1"));
	CHECK_EQ(stand_in("8:1"), -1);
	CHECK_EQ(e.code, MNTCR_USAGE);
	CHECK_STR(e.text, "to be stood in for: 8:1: named twice");
	end();
}

static unsigned int nr_lines;

static void line(void *data, const char *text)
{
	nr_lines++;
	if (strcmp(text, "8:1: an empty read-only tmpfs stands in for the host's ext4, which locked mounts hide"))
		TAP_SAY("%s", text);
}

static void it_is_restored(void)
{
	struct mntcr_external ext = { .key = "8:3", .path = "/tmp" };
	struct mntcr_external master = { .key = "7", .path = "/tmp" };
	struct mntcr_restore_options o = {
		.size = sizeof(o), .externals = &ext, .nr_externals = 1,
		.masters = &master, .nr_masters = 1, .ignore_locks = true,
		.difference = line,
	};
	const struct mntcr_verify_options vo = {
		.size = sizeof(vo), .report = line, .flags = MNTCR_VERIFY_IGNORE_LOCKS |
		MNTCR_VERIFY_IGNORE_FILES | MNTCR_VERIFY_IGNORE_OWNER,
	};
	struct mntcr_source src = { .type = MNTCR_SOURCE_FD };
	struct mntcr_topology *got = NULL;
	struct mntcr_restored *r = NULL;
	size_t nr = 1;
	uint32_t m;
	int ret;

	start();
	REQUIRE(!stand_in("8:1"));
	t->sbs[t->mounts[mc_find_mount(t, 13)].sb].type = "tmpfs";
	t->sbs[t->mounts[mc_find_mount(t, 13)].sb].source = "tmp";
	t->sbs[t->mounts[mc_find_mount(t, 13)].sb].options = "";
	ret = mntcr_restore(t, &o, &r, &e);
	if (ret)
		TAP_SAY("%s", e.text);
	REQUIRE(!ret);
	CHECK_EQ(nr_lines, 1);
	src.fd = mntcr_restored_ns_fd(r, 0);
	REQUIRE(!mntcr_capture(&src, 1, NULL, &got, &e));
	REQUIRE(!mntcr_verify(t, got, &vo, &nr, &e));
	CHECK_EQ(nr, 0);
	for (m = 0; m < got->nr_mounts; m++)
		if (!strcmp(mc_mount_source(got, &got->mounts[m]), "/dev/sda1"))
			CHECK_EQ(got->sbs[got->mounts[m].sb].flags, MS_RDONLY);
	mntcr_topology_free(got);
	mntcr_restored_free(r);
	end();
}

int main(void)
{
	REQUIRE(!unshare(CLONE_NEWNS));
	REQUIRE(!mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	REQUIRE(!mount("tmp", "/tmp", "tmpfs", 0, NULL));
	REQUIRE(!mount("none", "/tmp", NULL, MS_SHARED, NULL));
	TAP_RUN(what_locks_hide);
	TAP_RUN(what_can_be_seen);
	TAP_RUN(it_is_restored);
	return tap_done();
}
