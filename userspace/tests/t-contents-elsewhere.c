// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What locked mounts cover is read where another mount shows it, whichever of those can be
 * reached.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "base/base.h"
#include "checked.h"
#include "topology/topology.h"

/*
 * All of it has a mount on x, which is taken for a locked one here.  Three others show x:
 * the first two are covered themselves.
 */
static void build(void)
{
	static const char *const at[] = { "b", "c", "d" };
	size_t i;

	TRY(mkdir("a", 0755));
	TRY(mount("t", "a", "tmpfs", 0, "size=1m"));
	TRY(mkdir("a/x", 0751));
	put("a/x/f", "below");
	for (i = 0; i < MC_ARRAY_SIZE(at); i++) {
		TRY(mkdir(at[i], 0755));
		TRY(mount("a/x", at[i], NULL, MS_BIND, NULL));
		if (i < 2)
			TRY(mount("cover", at[i], "tmpfs", 0, "size=64k"));
	}
	TRY(mount("over x", "a/x", "tmpfs", 0, "size=64k"));
}

/* The same of a file, and of one that is neither file nor directory: another shows it. */
static void build_file(void)
{
	TRY(mkdir("a", 0755));
	TRY(mount("t", "a", "tmpfs", 0, "size=1m"));
	put("a/f", "below");
	put("b", "");
	TRY(mount("a/f", "b", NULL, MS_BIND, NULL));
	put("over", "above");
	TRY(mount("over", "a/f", NULL, MS_BIND, NULL));
}

static void build_fifo(void)
{
	TRY(mkdir("a", 0755));
	TRY(mount("t", "a", "tmpfs", 0, "size=1m"));
	TRY(mkfifo("a/f", 0600));
	put("b", "");
	TRY(mount("a/f", "b", NULL, MS_BIND, NULL));
	put("over", "above");
	TRY(mount("over", "a/f", NULL, MS_BIND, NULL));
}

/* What every scene has in the file that is covered. */
static bool has_below(const char *image)
{
	static char buf[1 << 20];
	FILE *f = fopen(image, "re");
	size_t n;

	REQUIRE(f);
	n = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	return memmem(buf, n, "below", 5);
}

/* The mount there is taken for a locked one; no rule: the image has what it covers. */
static void read_below(void (*in)(void), const char *locked, const char *rule)
{
	const struct mntcr_source src = {
		.type = MNTCR_SOURCE_PID, .pid = (uint32_t)make_container(in),
	};
	const struct mntcr_contents_options o = {
		.size = sizeof(o), .sources = &src, .nr_sources = 1,
	};
	struct mntcr_topology *t = NULL;
	struct mntcr_contents *c = NULL;
	struct mntcr_error e = { 0 };
	uint32_t m;
	int ret;

	REQUIRE(!mntcr_capture(&src, 1, NULL, &t, &e));
	m = mc_mount_at(t, 0, locked);
	REQUIRE(m != MC_NONE);
	t->mounts[m].locks_known = true;
	t->mounts[m].locks = MOUNT_LOCK_MOUNT;
	ret = mntcr_image_write_contents(t, &o, "/tmp/image", &e);
	if (ret)
		TAP_SAY("%s [%s]", e.text, e.rule);
	CHECK_EQ(ret, rule ? -1 : 0);
	if (ret)
		CHECK_STR(e.rule, rule ? rule : "none");
	mntcr_topology_free(t);
	if (!ret) {
		CHECK(has_below("/tmp/image"));
		REQUIRE(!mntcr_image_read_contents("/tmp/image", &t, &c, &e));
		mntcr_topology_free(t);
		mntcr_contents_free(c);
	}
	end((pid_t)src.pid);
}

static void by_the_one_that_can_be_reached(void)
{
	read_below(build, "/a/x", NULL);
}

static void a_file_by_another_of_its_mounts(void)
{
	read_below(build_file, "/a/f", NULL);
}

static void no_fifo(void)
{
	read_below(build_fifo, "/a/f", "root-of-no-file");
}

int main(void)
{
	make_host();
	TAP_RUN(by_the_one_that_can_be_reached);
	TAP_RUN(a_file_by_another_of_its_mounts);
	TAP_RUN(no_fifo);
	return tap_done();
}
