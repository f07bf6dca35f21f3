// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A kernel that lists a mount twice contradicts itself: that is said, and not taken for
 * an image.  The linker sends system calls here (LIBS-t-capture-twice in core.mk).
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "mntcr.h"
#include "scene.h"

long __real_syscall(long nr, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f);

static bool again;		/* the last one is listed once more */

long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	long ret = __real_syscall(nr, a, b, c, d, e, f);
	uint64_t *ids = (uint64_t *)b;

	if (nr == __NR_listmount && again && ret > 1 && ret < c) {
		ids[ret] = ids[ret - 1];
		ret++;
	}
	return ret;
}

static void a_mount_is_listed_twice(void)
{
	struct mntcr_capture_options o = {
		.size = sizeof(o), .method = MNTCR_METHOD_STATMOUNT,
	};
	struct mntcr_source self = { .type = MNTCR_SOURCE_PID, .pid = getpid() };
	struct mntcr_topology *t = NULL;
	struct mntcr_error e = { 0 };

	scene_enter();
	scene_mkdir("a");
	scene_tmpfs("a", "a");
	if (mntcr_capture(&self, 1, &o, &t, &e)) {
		CHECK_EQ(e.code, MNTCR_UNSUPPORTED);
		SKIP("this kernel does not say enough");
	}
	mntcr_topology_free(t);
	again = true;
	CHECK_EQ(mntcr_capture(&self, 1, &o, &t, &e), -1);
	again = false;
	TAP_SAY("%s [%s]", e.text, e.rule);
	CHECK(strstr(e.text, "is listed twice"));
}

int main(void)
{
	TAP_RUN(a_mount_is_listed_twice);
	return tap_done();
}
