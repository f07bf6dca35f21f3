/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Each call of the library's fails in turn (faults.h): either what was asked for is done,
 * and right, or it is said what failed; and nothing is left of it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef EACH_CALL_H
#define EACH_CALL_H

#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "faults.h"
#include "listing.h"
#include "mntcr.h"
#include "tap.h"

/* --- what fails, in each program: FAULTY in exec.mk ---------------------------- */

long __real_syscall(long nr, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	long ret = fails("syscall") ? -1 : __real_syscall(nr, a, b, c, d, e, f);

	return syscall_makes(nr) ? made("syscall", ret) : ret;
}

WRAP_OPEN
WRAP_FD(int, ioctl, (int fd, unsigned long nr, long arg), (fd, nr, arg), ioctl_makes(nr))
WRAP(int, setns, (int fd, int type), (fd, type))
WRAP(int, unshare, (int flags), (flags))
WRAP(int, fstat, (int fd, struct stat *st), (fd, st))
WRAP(int, stat, (const char *path, struct stat *st), (path, st))
WRAP(int, fstatat, (int fd, const char *path, struct stat *st, int flags),
     (fd, path, st, flags))
WRAP(int, statx, (int fd, const char *path, int flags, unsigned int mask,
		  struct statx *st), (fd, path, flags, mask, st))
WRAP(int, fstatfs, (int fd, struct statfs *fs), (fd, fs))
WRAP(ssize_t, read, (int fd, void *p, size_t n), (fd, p, n))
WRAP(ssize_t, pread, (int fd, void *p, size_t n, off_t at), (fd, p, n, at))
WRAP(off_t, lseek, (int fd, off_t at, int from), (fd, at, from))
WRAP(ssize_t, readlinkat, (int fd, const char *path, char *to, size_t n),
     (fd, path, to, n))
WRAP(int, socketpair, (int domain, int type, int protocol, int *fds),
     (domain, type, protocol, fds))
WRAP(int, pipe2, (int *fds, int flags), (fds, flags))
WRAP(void *, mmap, (void *at, size_t n, int prot, int flags, int fd, off_t from),
     (at, n, prot, flags, fd, from))
WRAP(int, fchdir, (int fd), (fd))
WRAP(int, mount, (const char *from, const char *to, const char *type,
		  unsigned long flags, const void *data), (from, to, type, flags, data))

WRAP_PTHREAD_CREATE

WRAP_ALLOCS
ALLOC(fopen, (const char *path, const char *mode), (path, mode))
ALLOC(fdopen, (int fd, const char *mode), (fd, mode))

/* --- what must be as it was ---------------------------------------------------- */

static int proc_fd;

/* Below /proc, what has to stay as it was besides. */
static char watched[2][32];

static char *state(void)
{
	struct mc_buf b = { 0 };
	int i;

	for (i = 0; i < 2 && *watched[i]; i++)
		list_file(&b, proc_fd, watched[i]);
	list_file(&b, proc_fd, "self/mountinfo");
	list_file(&b, proc_fd, "self/limits");
	list_dir(&b, "/proc/self/fd", true);
	list_dir(&b, "/tmp", false);
	REQUIRE(!b.nomem);
	return b.data;
}

/* Lines of one that are not in the other. */
static void lacking(const char *what, char *in, const char *other)
{
	char *line, *save;

	for (line = strtok_r(in, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (!strstr(other, line))
			TAP_SAY("%s: %s", what, line);
}

static void difference(const char *before, const char *after)
{
	char *a = strdup(before), *b = strdup(after);

	REQUIRE(a && b);
	lacking("gone", a, after);
	lacking("left", b, before);
	free(a);
	free(b);
}

/* --- each call in turn ---------------------------------------------------------- */

struct job {
	const char *name;
	int (*run)(struct mntcr_error *e);
	void (*check)(void);	/* it worked: is it right?  And undo it. */
};

static void wrong(const struct job *j, long n, const struct mntcr_error *e, const char *what)
{
	TAP_SAY("%s, call %ld, %s: %s: \"%s\" [%s]", j->name, n, faults->name, what,
		e->text, e->rule);
	tap.bad = 1;
}

static long each_call_step;	/* unless 0 */

static long step_of_calls(void)
{
	if (each_call_step)
		return each_call_step;
#ifdef EACH_CALL_FORKS
	return tap_fork_step();
#else
	return 1;
#endif
}

/*
 * There have to be so many of them at least.  Without an errno none fails, but makes
 * descriptor 0, with which all has to be done.  With an errno that nobody expects, which
 * ENOTUNIQ is, the message names it; others have a meaning.
 */
static void each_call_by(const struct job *j, int with, long least)
{
	char *before, *after;
	long n, done = 0, bad = 0, step = step_of_calls();
	int ret, was = tap.bad;
	struct mntcr_error e;

	faults->err = with;
	hold_zero();
	before = state();
	for (n = tap_first(step); n < 100000 && bad < 10; n += step) {
		memset(&e, 0, sizeof(e));
		faults->failed = 0;
		tap.bad = 0;
		faults->left = n;
		ret = j->run(&e);
		faults->left = -1;
		if (!ret) {
			done++;
			j->check();
		}
		if (tap.bad)
			wrong(j, n, &e, "not what it is without");
		if (ret && !faults->failed) {
			wrong(j, n, &e, "without a fault");
		} else if (ret && !with) {
			wrong(j, n, &e, "does not do with descriptor 0");
		} else if (ret && (e.code == MNTCR_OK || !*e.text)) {
			wrong(j, n, &e, "no word of it");
		} else if (ret && with == ENOTUNIQ && !strstr(e.text, strerror(ENOTUNIQ)) &&
			   !strstr(e.text, strerror(ENOMEM)) && e.code != MNTCR_REFUSED) {
			wrong(j, n, &e, "lacks the error");
		}
		if (getenv("VERBOSE") && ret)
			TAP_SAY("%ld %s: %s [%s]", n, faults->name, e.text, e.rule);
		if (!zero_is_held())
			wrong(j, n, &e, "0 is left open");
		hold_zero();
		after = state();
		if (strcmp(before, after)) {
			wrong(j, n, &e, "something is left");
			difference(before, after);
		}
		free(after);
		if (waitpid(-1, NULL, WNOHANG | __WALL | __WNOTHREAD) > 0)
			wrong(j, n, &e, "a child is left");
		bad += tap.bad;
		if (!faults->failed)
			break;
	}
	free(before);
	tap.bad = was;
	CHECK_EQ(bad, 0);
	TAP_SAY("%s: %ld calls, of which 1 in %ld %s: %ld done all the same", j->name, n,
		step, with ? "fails" : "makes descriptor 0", done - 1);
	CHECK(n >= least && n < 100000);
}

static inline void each_call(const struct job *j, long least)
{
	each_call_by(j, ENOTUNIQ, least);
	each_call_by(j, 0, least / 100);
}

/* In a pid namespace of its own: what others start and end would shift the calls. */
static inline void apart(void)
{
	int status;
	pid_t child;

	if (unshare(CLONE_NEWPID | CLONE_NEWNS))
		err(1, "unshare");
	child = fork();
	if (child < 0)
		err(1, "fork");
	if (child) {
		if (waitpid(child, &status, 0) != child)
			err(1, "waitpid");
		/* (no search for leaks: its helper would be in the other pid namespace) */
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "/proc", "proc", 0, NULL))
		err(1, "a pid namespace of the test's own");
}

/* Once, before anything else; where the test is. */
static inline void each_call_here(void)
{
	faults = mmap(NULL, sizeof(*faults), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (faults == MAP_FAILED)
		err(1, "mmap");
	faults->left = -1;
	proc_fd = open("/proc", O_PATH | O_CLOEXEC);
	if (proc_fd < 0)
		err(1, "/proc");
}

static inline void each_call_start(void)
{
	apart();
	each_call_here();
}

#endif /* EACH_CALL_H */
