/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * KTAP for tests: each program is one plan, each test function one line.
 *
 *	static void some_test(void) { CHECK(1 + 1 == 2); }
 *	int main(void)
 *	{
 *		TAP_RUN(some_test);
 *		return tap_done();
 *	}
 *
 * The plan is printed last; a program that dies in the middle has none.  Exit
 * codes: 0 passed, 1 failed, 4 all skipped.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TAP_H
#define TAP_H

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Forks are slow there. */
#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN	1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN	1
#endif
#endif
#ifndef UNDER_ASAN
#define UNDER_ASAN	0
#endif

/*
 * For what takes minutes on some machines: of many, one in so many is tried, other ones
 * each day; all of them where TEST_ALL is set.
 */
static inline long tap_step(long one_in)
{
	return getenv("TEST_ALL") ? 1 : one_in;
}

static inline long tap_first(long step)
{
	return (long)(time(NULL) / (24 * 60 * 60)) % step;
}

/* In the VM of scripts/run-vm, where each is tried. */
static inline int tap_in_vm(void)
{
	return !access("/vm/tests.d", F_OK);
}

/* Of many that fork, which takes minutes natively. */
static inline long tap_fork_step(void)
{
	return tap_in_vm() ? 1 : tap_step(UNDER_ASAN ? 7 : 3);
}

static struct {
	int nr, failed, skipped;
	long asked;
	int bad;			/* of the running test */
	const char *skip;
	jmp_buf out;
} tap;

#define TAP_SAY(...)	do {						\
	printf("# %s:%d: ", __FILE__, __LINE__);			\
	printf(__VA_ARGS__);						\
	printf("\n");							\
} while (0)

/* Leave the test on failure. */
#define REQUIRE(cond)	do {						\
	if (!(cond)) {							\
		int tap_errno_ = errno;					\
		TAP_SAY("failed: %s (errno %d, %s)", #cond,		\
			tap_errno_, strerror(tap_errno_));		\
		tap.bad = 1;						\
		longjmp(tap.out, 1);					\
	}								\
} while (0)

/* Of what says in e, a struct mntcr_error, why it failed. */
#define REQUIRE_DONE(call, e)	do {					\
	int ret_ = (call);						\
	if (ret_)							\
		TAP_SAY("%s [%s]", (e).text, (e).rule);			\
	REQUIRE(!ret_);							\
} while (0)

/* Note the failure and go on. */
#define CHECK(cond)	do {						\
	if (!(cond)) {							\
		int tap_errno_ = errno;					\
		TAP_SAY("failed: %s (errno %d, %s)", #cond,		\
			tap_errno_, strerror(tap_errno_));		\
		tap.bad = 1;						\
	}								\
} while (0)

#define CHECK_EQ(a, b)	do {						\
	long long tap_a_ = (long long)(a), tap_b_ = (long long)(b);	\
	if (tap_a_ != tap_b_) {						\
		TAP_SAY("%s is %lld, not %lld", #a, tap_a_, tap_b_);	\
		tap.bad = 1;						\
	}								\
} while (0)

#define CHECK_STR(a, b)	do {						\
	const char *tap_a_ = (a), *tap_b_ = (b);			\
	if (!tap_a_ || strcmp(tap_a_, tap_b_)) {			\
		TAP_SAY("%s is \"%s\", not \"%s\"", #a,			\
			tap_a_ ? tap_a_ : "(null)", tap_b_);		\
		tap.bad = 1;						\
	}								\
} while (0)

/* expr fails with this errno. */
#define CHECK_ERRNO(expr, want)	do {					\
	long tap_r_ = (long)(expr);					\
	if (tap_r_ != -1 || errno != (want)) {				\
		TAP_SAY("%s: returned %ld, errno %d, not -1, %d (%s)",	\
			#expr, tap_r_, errno, (want), strerror(want));	\
		tap.bad = 1;						\
	}								\
} while (0)

/* Only for what the machine cannot do, never for a failed set-up. */
#define SKIP(why)	do {						\
	tap.skip = (why);						\
	longjmp(tap.out, 1);						\
} while (0)

static inline void tap_run(const char *name, void (*fn)(void))
{
	if (!tap.nr)
		printf("KTAP version 1\n");
	tap.bad = 0;
	tap.skip = NULL;
	if (!setjmp(tap.out))
		fn();
	tap.nr++;
	if (tap.bad)
		tap.failed++;
	else if (tap.skip)
		tap.skipped++;
	printf("%sok %d %s%s%s\n", tap.bad ? "not " : "", tap.nr, name,
	       !tap.bad && tap.skip ? " # SKIP " : "",
	       !tap.bad && tap.skip ? tap.skip : "");
	fflush(stdout);
}

#define TAP_RUN(fn)	tap_run(#fn, fn)

/* With sanitizers each second one. */
#define TAP_RUN_SOME(fn)	do {					\
	long tap_step_ = tap_step(UNDER_ASAN ? 2 : 1);			\
	if (tap.asked++ % tap_step_ == tap_first(tap_step_))		\
		TAP_RUN(fn);						\
} while (0)

static inline int tap_done(void)
{
	printf("1..%d\n", tap.nr);
	fflush(stdout);
	if (tap.failed)
		return 1;
	return tap.skipped == tap.nr ? 4 : 0;
}

#endif /* TAP_H */
