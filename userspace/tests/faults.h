/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One call of the library's fails, the nth.  The linker sends calls here (LIBS-... in
 * core.mk and exec.mk); each program wraps those that matter to it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Shared with children: they make calls of their own. (None yet: before main().) */
static struct faults {
	long left;		/* calls until the one that fails; -1: none does */
	long failed;
	int err;
	char name[32];
} *faults;

static bool fails(const char *name)
{
	if (!faults || faults->left < 0 || faults->left--)
		return false;
	faults->failed++;
	strcpy(faults->name, name);
	errno = faults->err;
	return true;
}

#define WRAP(type, name, params, args)					\
	type __real_##name params;					\
	type __wrap_##name params;					\
	type __wrap_##name params					\
	{								\
		return fails(#name) ? (type)-1 : __real_##name args;	\
	}

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

#endif /* FAULTS_H */
