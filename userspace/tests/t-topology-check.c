// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What no topology says, whoever made it: an image is looked through by its reader first,
 * a capture by nobody.  One thing at a time is made wrong, and named.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sys/mount.h>

#include "base/base.h"
#include "image/image.h"
#include "topology/topology.h"
#include "tap.h"

static char *text;
static size_t size;
static char long_text[MC_MAX_PATH + 2];

static void read_text(void)
{
	FILE *f = fopen(TESTDATA "/seeds/sharing.json", "re");

	text = malloc(65536);
	if (!f || !text) {
		puts("Bail out! no image");
		exit(1);
	}
	size = fread(text, 1, 65536, f);
	fclose(f);
	memset(long_text, 'x', sizeof(long_text) - 1);
	*long_text = '/';
}

static struct mntcr_topology *fresh(void)
{
	struct mntcr_topology *t = NULL;
	struct mntcr_error e;
	uint32_t i;

	REQUIRE(!mc_image_parse(text, size, "img", &t, &e));
	/* known since the first time, and then there is another of that id */
	for (i = 0; i < t->nr_ns; i++)
		t->ns[i].id = 0;
	REQUIRE(t->nr_groups >= 2 && t->nr_mounts >= 3 && t->nr_sbs >= 3);
	REQUIRE(!mc_topology_check(t, &e));
	return t;
}

/* With that change in it, the check fails, and says so. */
#define WRONG(change, says) do {					\
	struct mntcr_topology *t = fresh(), as_it_was = *t;		\
	struct mntcr_error e = { 0 };					\
									\
	change;								\
	CHECK_EQ(mc_topology_check(t, &e), -1);				\
	CHECK_EQ(e.code, MNTCR_BAD_IMAGE);				\
	if (!strstr(e.text, says))					\
		CHECK_STR(e.text, says);				\
	*t = as_it_was;							\
	mntcr_topology_free(t);						\
} while (0)

static void numbers_of_nothing(void)
{
	WRONG(t->ns[0].userns = 7, "namespace 0: no user namespace 7");
	WRONG(t->sbs[1].userns = 7, "superblock 1: no user namespace 7");
	WRONG(t->sbs[1].shown_owner = 8, "superblock 1: no user namespace 8");
	WRONG(t->userns[0].parent = 9, "user namespace 0: no parent 9");
	WRONG(t->groups[0].master = t->nr_groups, "group 1: no master");
	WRONG(t->mounts[1].ns = t->nr_ns, ": no namespace");
	WRONG(t->mounts[1].parent = t->nr_mounts, ": no parent");
	WRONG(t->mounts[1].sb = t->nr_sbs, ": no superblock");
	WRONG(t->mounts[1].idmap = t->nr_idmaps, ": no idmap");
	WRONG(t->mounts[1].group = t->nr_groups, ": no group");
	WRONG(t->mounts[1].master = t->nr_groups, ": no master");
	WRONG(t->mounts[1].nsfs_owner = 5, ": no user namespace 5");
}

static void the_same_twice(void)
{
	WRONG(t->groups[1].id = t->groups[0].id, "groups 0 and 1 both have id 1");
	WRONG((t->sbs[1].major = t->sbs[0].major, t->sbs[1].minor = t->sbs[0].minor),
	      "superblocks 0 and 1 are both device 254:0");
	WRONG(t->groups[0].master = 1, "is its own master's master");
}

static void out_of_range(void)
{
	WRONG(t->mounts[1].id = 0, "a mount has id 0");
	WRONG(t->groups[1].id = 1ULL << 31, "group 1: id 2147483648 is out of range");
	WRONG(t->ns[0].base_propagation = MS_BIND, "namespace 0: unknown propagation type");
	WRONG(t->sbs[1].flags = MS_NOSUID, "superblock 1: unknown flags");
	WRONG(t->mounts[1].locks = 1U << 31, ": unknown locks");
	WRONG((t->mounts[1].locks = 1, t->mounts[1].locks_known = false),
	      ": locks of a mount whose locks are unknown");
	WRONG(t->mounts[1].attr = MOUNT_ATTR__ATIME, ": contradictory atime attributes");
	WRONG(t->mounts[1].attr = 1ULL << 40, ": unknown attributes");
	WRONG((t->userns[0].mapped = true, t->userns[0].owner = MC_NO_ID),
	      "user namespace 0: its owner is no id");
	WRONG((t->userns[0].mapped = true, t->userns[0].owner = 0,
	       t->userns[0].map.nr_uid = MC_MAX_IDMAP_EXTENTS + 1),
	      "user namespace 0: its uid_map has too many extents");
}

static void too_many_and_too_long(void)
{
	const uint32_t most = MC_MAX_NAMESPACES + 1;

	WRONG(t->nr_userns = most, "user namespaces are too many");
	WRONG(t->nr_ns = most, "namespaces are too many");
	WRONG(t->nr_mounts = MC_MAX_MOUNTS + 1, "more than ");
	WRONG(t->sbs[1].options = long_text, "its source or options are longer");
	WRONG(t->mounts[1].options = long_text, "its source or options are longer");
	WRONG(t->mounts[1].mountpoint = long_text, ": its mountpoint is too long");
	WRONG(t->mounts[1].root = long_text + 1, ": its root is too long");
	WRONG(t->mounts[1].root = "", ": its root is empty");
}

static void files_that_no_kernel_has(void)
{
	WRONG(t->mounts[0].root_file.mode = 3, ": its root has an unknown type or mode");
	WRONG((t->mounts[0].root_file.mode = S_IFDIR | 0755,
	       t->mounts[0].root_file.minor = 1),
	      ": its root has a device number and is no device");
	WRONG((t->mounts[0].root_file.mode = S_IFDIR | 0755,
	       t->mounts[0].root_file.target = "x"),
	      ": its root has a target and is no symlink");
	WRONG(t->mounts[0].root_file.target = "x", ": its root has a target and no type");
}

/* A cgroup may lie above that from which it was seen, and be said in one way. */
static void roots_of_cgroups(void)
{
	static const struct {
		const char *root;
		bool good;
	} roots[] = {
		{ "/", true }, { "/..", true }, { "/../..", true }, { "/../../a/b", true },
		{ "/..a/...", true }, { "/a/..", false }, { "/../a/..", false },
		{ "/cc/../../../../etc", false }, { "/.", false }, { "/../.", false },
		{ "/a/./b", false }, { "/..//a", false },
	};
	static const char *const types[] = { "cgroup", "cgroup2" };
	struct mntcr_topology *t = fresh();
	struct mntcr_error e;
	size_t i, k;
	int ret;

	for (k = 0; k < MC_ARRAY_SIZE(types); k++) {
		t->sbs[t->mounts[1].sb].type = types[k];
		for (i = 0; i < MC_ARRAY_SIZE(roots); i++) {
			t->mounts[1].root = roots[i].root;
			ret = mc_topology_check(t, &e);
			if ((ret == 0) != roots[i].good)
				TAP_SAY("%s", roots[i].root);
			CHECK_EQ(ret, roots[i].good ? 0 : -1);
			if (!ret)
				continue;
			CHECK_EQ(e.code, MNTCR_BAD_IMAGE);
			CHECK(strstr(e.text, ": its root has a"));
		}
	}
	mntcr_topology_free(t);
}

int main(void)
{
	read_text();
	TAP_RUN(numbers_of_nothing);
	TAP_RUN(the_same_twice);
	TAP_RUN(out_of_range);
	TAP_RUN(too_many_and_too_long);
	TAP_RUN(files_that_no_kernel_has);
	TAP_RUN(roots_of_cgroups);
	free(text);
	return tap_done();
}
