/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A part of a test in a child: what it changes of the process is gone with it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TESTS_IN_CHILD_H
#define TESTS_IN_CHILD_H

#include "tap.h"
#include "world.h"

/* There: become root of a new user namespace. */
static inline void in_child_own_user_ns(void)
{
	if (unshare(CLONE_NEWUSER))
		_exit(4);
	w_map_root();
}

static inline void in_child(void (*fn)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (setjmp(tap.out))
			_exit(1);
		fn();
		fflush(stdout);
		_exit(tap.bad);
	}
	status = wd_wait_for(pid);
	if (status == 4)
		SKIP("no user namespaces here");
	CHECK_EQ(status, 0);
}

#endif /* TESTS_IN_CHILD_H */
