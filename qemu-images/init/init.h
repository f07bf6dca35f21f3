/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PID 1 of the test VM.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef INIT_H
#define INIT_H

#include <stddef.h>

#define TEST_LIST	"/vm/tests"
#define MAX_ARGS	64

/*
 * The byte written to isa-debug-exit; QEMU exits with (byte << 1) | 1.
 * 0 is left out: QEMU's own failures end with 1.
 */
enum verdict {
	VERDICT_PASS	= 0x10,
	VERDICT_FAIL	= 0x11,
	VERDICT_TIMEOUT	= 0x12,
	VERDICT_SKIP	= 0x13,		/* nothing but skips */
	VERDICT_BROKEN	= 0x14,		/* the guest could not be set up */
};

enum outcome {
	OUTCOME_OK,
	OUTCOME_SKIP,
	OUTCOME_FAIL,
	OUTCOME_TIMEOUT,
};

/* One line of the test list: NAME SECONDS PROGRAM ARG... */
struct test {
	struct test *next;
	char *name;
	unsigned int timeout;
	char *argv[MAX_ARGS];
};

/* newroot.c */
int new_root(void);

/* modules.c */
int modules_load(void);

/* setup.c */
int setup_mounts(void);
int setup_limits(void);
void setup_processors(void);

/* list.c */
int list_read(const char *path, struct test **head, unsigned int *nr);

/* out.c */
int out_open(const char *tty);
void out_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void out_child(const char *data, size_t len);
void out_child_end(void);
void out_drain(void);
void klog(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* run.c */
enum outcome run_test(const struct test *t, char *why, size_t size);

/* debug.c */
void debug_ask(void);

/* verdict.c */
void verdict_exit(enum verdict v) __attribute__((noreturn));

/* shell.c */
void shell(const char *tty) __attribute__((noreturn));

#endif
