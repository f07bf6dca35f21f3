/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One call of the library's fails, the nth; or the descriptor is 0 that the nth of those
 * makes that make one, as it may be where stdin was closed.  The linker sends calls here
 * (LIBS-... in core.mk and exec.mk); each program wraps those that matter to it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/base.h"

/* Shared with children: they make calls of their own. (None yet: before main().) */
static struct faults {
	long left;		/* calls until the one that fails; -1: none does */
	long failed;
	int err;		/* 0: it makes descriptor 0 instead */
	char name[32];
} *faults;

static bool fails(const char *name)
{
	if (!faults || !faults->err || faults->left < 0 || faults->left--)
		return false;
	faults->failed++;
	strcpy(faults->name, name);
	errno = faults->err;
	return true;
}

/* What a call returned that makes a descriptor. */
static long made(const char *name, long fd)
{
	if (fd < 0 || !faults || faults->err || faults->left < 0 || faults->left--)
		return fd;
	faults->failed++;
	strcpy(faults->name, name);
	if (!fd || dup3((int)fd, 0, O_CLOEXEC) < 0)
		return fd;
	close((int)fd);
	return 0;
}

/* Between calls something else has that number. */
static inline void hold_zero(void)
{
	int fd = faults->err ? -1 : open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd > 0) {
		dup3(fd, 0, O_CLOEXEC);
		close(fd);
	}
}

/* Is that number free, or what it was between calls? */
static inline bool zero_is_held(void)
{
	struct stat st;

	return faults->err || fcntl(0, F_GETFD) < 0 ||
	       (!fstat(0, &st) && st.st_rdev == makedev(1, 3));
}

static bool syscall_makes(long nr)
{
	return nr == __NR_openat2 || nr == __NR_open_tree || nr == __NR_open_tree_attr ||
	       nr == __NR_fsopen || nr == __NR_fspick || nr == __NR_fsmount ||
	       nr == SYS_pidfd_open || nr == SYS_pidfd_getfd;
}

#define WRAP(type, name, params, args)					\
	type __real_##name params;					\
	type __wrap_##name params;					\
	type __wrap_##name params					\
	{								\
		return fails(#name) ? (type)-1 : __real_##name args;	\
	}

/* Of a call that makes a descriptor if MAKES. */
#define WRAP_FD(type, name, params, args, makes)			\
	type __real_##name params;					\
	type __wrap_##name params;					\
	type __wrap_##name params					\
	{								\
		type ret = fails(#name) ? (type)-1 : __real_##name args; \
									\
		return (makes) ? (type)made(#name, ret) : ret;		\
	}

#define WRAP_OPEN							\
	WRAP_FD(int, open, (const char *path, int flags, mode_t mode),	\
		(path, flags, mode), true)				\
	WRAP_FD(int, openat, (int fd, const char *path, int flags, mode_t mode), \
		(fd, path, flags, mode), true)				\
	WRAP_FD(int, fcntl, (int fd, int nr, long arg), (fd, nr, arg),	\
		nr == F_DUPFD_CLOEXEC)

#define ioctl_makes(nr)							\
	((nr) == MC_NS_GET_USERNS || (nr) == MC_NS_GET_PARENT || (nr) == MC_NS_MNT_OPEN)

#define ALLOC(name, params, args)					\
	void *__real_##name params;					\
	void *__wrap_##name params;					\
	void *__wrap_##name params					\
	{								\
		return fails(#name) ? NULL : __real_##name args;	\
	}

/* It returns its errno. */
#define WRAP_PTHREAD_CREATE						\
	int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, \
				  void *(*fn)(void *), void *arg);	\
	int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, \
				  void *(*fn)(void *), void *arg);	\
	int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, \
				  void *(*fn)(void *), void *arg)	\
	{								\
		return fails("pthread_create") ? faults->err :		\
		       __real_pthread_create(thread, attr, fn, arg);		\
	}

/* Those that every program wraps. */
#define WRAP_ALLOCS							\
	ALLOC(malloc, (size_t n), (n))					\
	ALLOC(calloc, (size_t n, size_t size), (n, size))		\
	ALLOC(realloc, (void *p, size_t n), (p, n))			\
	ALLOC(strdup, (const char *s), (s))				\
	ALLOC(strndup, (const char *s, size_t n), (s, n))		\
	ALLOC(opendir, (const char *path), (path))			\
	ALLOC(fdopendir, (int fd), (fd))

#endif /* FAULTS_H */
