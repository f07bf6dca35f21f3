/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Helper processes that the caller of the library does not notice: the end of
 * one raises no SIGCHLD, and neither wait() nor waitpid(-1, ...) finds it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_CHILD_H
#define MC_CHILD_H

#include <sys/types.h>

/*
 * As fork(2), flags (CLONE_*) in addition.  In the child all signals are
 * blocked, since handlers are the caller's; and as the caller may have threads
 * whose locks it got copies of, it makes system calls and nothing else, and
 * ends by _exit(2).
 */
pid_t mc_child(unsigned long flags);
/* What it gave to _exit(2); -1 and errno if it did not end like that. */
int mc_child_wait(pid_t pid);

#endif /* MC_CHILD_H */
