// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mounts stacked in one place: no walk leads through the stack to what is covered,
 * and yet of all is known whether they are directories.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "mntcr.h"
#include "topology/topology.h"
#include "scene.h"

long __real_syscall(long nr, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f);
static unsigned int nr_walks;

long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	long ret = __real_syscall(nr, a, b, c, d, e, f);

	/* what is disturbed is done again, and not counted */
	if (nr == __NR_openat2 && ret >= 0)
		nr_walks += !strcmp((const char *)b, SCENE_DIR "/s") ||
			    !strcmp((const char *)b, SCENE_DIR "/g");
	return ret;
}

/* How many walks to the two places that took. */
static unsigned int walks(enum mntcr_method method, uint32_t files, uint32_t dirs)
{
	struct mntcr_capture_options opts = {
		.size = sizeof(opts), .method = method,
	};
	struct mntcr_source self = { .type = MNTCR_SOURCE_PID, .pid = getpid() };
	struct mntcr_topology *t;
	struct mntcr_error e;
	uint32_t m;

	nr_walks = 0;
	if (mntcr_capture(&self, 1, &opts, &t, &e)) {
		TAP_SAY("%s", e.text);
		REQUIRE(!"captured");
	}
	for (m = 0; m < t->nr_mounts; m++) {
		const struct mc_mount *x = &t->mounts[m];

		if (!strcmp(x->root, "/f")) {
			CHECK_EQ(x->mp_type, MC_MP_OTHER);
			files--;
		} else if (!strcmp(x->root, "/d")) {
			CHECK_EQ(x->mp_type, MC_MP_DIR);
			dirs--;
		}
	}
	CHECK_EQ(files, 0);
	CHECK_EQ(dirs, 0);
	mntcr_topology_free(t);
	return nr_walks;
}

static void each_stack_once(enum mntcr_method method)
{
	unsigned int one, many;
	uint32_t i;

	scene_enter();
	scene_mkdir("d");
	scene_mkdir("s");
	scene_touch("f");
	scene_touch("g");
	scene_bind("d", "s");
	scene_bind("f", "g");
	one = walks(method, 1, 1);
	CHECK(one <= 2);
	for (i = 1; i < 50; i++) {
		scene_bind("d", "s");
		scene_bind("f", "g");
	}
	many = walks(method, i, i);
	CHECK_EQ(many, one);
}

static void by_statmount(void)
{
	each_stack_once(MNTCR_METHOD_AUTO);
}

static void by_mountinfo(void)
{
	each_stack_once(MNTCR_METHOD_MOUNTINFO);
}

int main(void)
{
	TAP_RUN(by_statmount);
	TAP_RUN(by_mountinfo);
	return tap_done();
}
