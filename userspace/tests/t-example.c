// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The examples do what they say.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "in-child.h"

static int two_namespaces(void);
#define main two_namespaces
#include "../examples/two-namespaces.c"
#undef main

static void run_two_namespaces(void)
{
	world_new_root();
	w_mkdir("/mnt");
	CHECK_EQ(two_namespaces(), 0);
}

static void two_namespaces_by_hand(void)
{
	if (mc_mount_setgroup(NULL, 0, 0) < 0 && errno == ENOSYS)
		SKIP("this kernel has no mount_setgroup(2)");
	in_child(run_two_namespaces);
}

int main(void)
{
	TAP_RUN(two_namespaces_by_hand);
	return tap_done();
}
