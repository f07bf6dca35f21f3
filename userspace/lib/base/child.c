// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Helper processes that the caller of the library does not notice.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/base.h"

/*
 * No exit signal.  Where the caller ignores SIGCHLD, the kernel reaps by itself
 * only children that send it: this one stays for waitpid(2).
 */
static pid_t clone_quietly(unsigned long flags, int cgroup_fd)
{
	struct mc_clone_args args = { .flags = flags };
	long pid;

	if (cgroup_fd >= 0) {
		args.flags |= MC_CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup_fd;
	}
	pid = syscall(__NR_clone3, &args, sizeof(args));
	if (pid >= 0 || errno != ENOSYS || cgroup_fd >= 0)
		return (pid_t)pid;
	/*
	 * Seccomp filters deny clone3(2) with ENOSYS, since they cannot look at
	 * its flags.
	 */
#ifdef __s390__
	return (pid_t)syscall(__NR_clone, NULL, flags, NULL, NULL, NULL);
#else
	return (pid_t)syscall(__NR_clone, flags, NULL, NULL, NULL, NULL);
#endif
}

pid_t mc_child_in(unsigned long flags, int cgroup_fd)
{
	sigset_t all, old;
	pid_t pid;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid = clone_quietly(flags, cgroup_fd);
	if (!pid)
		return 0;
	err = errno;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = err;
	return pid;
}

pid_t mc_child(unsigned long flags)
{
	return mc_child_in(flags, -1);
}

int mc_child_wait(pid_t pid)
{
	int status;
	pid_t got;

	while ((got = waitpid(pid, &status, __WALL)) < 0 && errno == EINTR)
		;
	if (got == pid && WIFEXITED(status))
		return WEXITSTATUS(status);
	if (got == pid)
		errno = EIO;
	return -1;
}

int mc_child_task(int (*task)(void *data), void *data, size_t size, int cgroup_fd)
{
	struct {
		volatile int err;
		char data[] __attribute__((aligned(16)));
	} *w;
	pid_t pid;
	int err;

	w = mmap(NULL, sizeof(*w) + size, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (w == MAP_FAILED)
		return -1;
	memcpy(w->data, data, size);
	pid = mc_child_in(CLONE_FILES, cgroup_fd);
	if (!pid) {
		w->err = task(w->data);
		_exit(0);
	}
	err = pid < 0 || mc_child_wait(pid) ? errno : w->err;
	memcpy(data, w->data, size);
	munmap(w, sizeof(*w) + size);
	errno = err;
	return err ? -1 : 0;
}
