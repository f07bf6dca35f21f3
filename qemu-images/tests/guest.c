// SPDX-License-Identifier: GPL-2.0
/*
 * Guests that go wrong, each in one way. As PID 1 (no arguments reach it
 * there): "pid1-exit" is chosen by the name it is called by.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

#define DEBUG_EXIT_PORT	0xf4
#define VERDICT_PASS	0x10

static int plan(int planned, int ran)
{
	int i;

	printf("TAP version 13\n1..%d\n", planned);
	for (i = 1; i <= ran; i++)
		printf("ok %d step%d\n", i, i);
	fflush(stdout);
	return 0;
}

static int kmsg(const char *text)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return 1;
	close(fd);
	return plan(1, 1);
}

/* The verdict byte alone, before anything was reported. */
static int forge(void)
{
	unsigned char byte = VERDICT_PASS;
	int fd = open("/dev/port", O_WRONLY | O_CLOEXEC);

	plan(2, 1);
	if (fd < 0 || pwrite(fd, &byte, 1, DEBUG_EXIT_PORT) != 1)
		return 1;
	return 0;
}

/* Nothing that the kernel says reaches the console from here on. */
static int silence(void)
{
	int fd = open("/proc/sys/kernel/printk", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1", 1) != 1)
		return 1;
	close(fd);
	return plan(1, 1);
}

static int die_by_signal(void)
{
	plan(1, 1);
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
	return 0;
}

static int some_skip(void)
{
	printf("TAP version 13\n1..2\nok 1 works\nok 2 rare # SKIP no such thing\n");
	return 0;
}

static int one_fails(void)
{
	printf("TAP version 13\n1..2\nok 1 works\nnot ok 2 broken\n");
	return 1;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strstr(argv[0], "pid1-exit"))
		return 3;
	if (strstr(argv[0], "pid1-hang"))
		for (;;)
			pause();
	if (!strcmp(what, "pass"))
		return plan(2, 2);
	if (!strcmp(what, "blank"))
		return plan(2, argc == 4 && !strcmp(argv[2], "a  b") && !*argv[3] ? 2 : 0);
	if (!strcmp(what, "mid-plan"))
		return plan(3, 1);
	if (!strcmp(what, "status"))
		return plan(2, 2) + 7;
	if (!strcmp(what, "hang")) {
		plan(2, 1);
		for (;;)
			pause();
	}
	if (!strcmp(what, "skip-all")) {
		printf("TAP version 13\n1..0 # SKIP nothing to test here\n");
		return 4;
	}
	if (!strcmp(what, "some-skip"))
		return some_skip();
	if (!strcmp(what, "one-fails"))
		return one_fails();
	if (!strcmp(what, "signal"))
		return die_by_signal();
	if (!strcmp(what, "forge"))
		return forge();
	if (!strcmp(what, "reboot")) {
		plan(2, 1);
		return reboot(RB_AUTOBOOT);
	}
	if (!strcmp(what, "silence"))
		return silence();
	if (!strcmp(what, "warning"))
		return kmsg("<4>WARNING: fs/namespace.c:1 at guest+0x1/0x2, CPU#0: guest/1\n");
	if (!strcmp(what, "lockdep"))
		return kmsg("<4>WARNING: possible circular locking dependency detected\n");
	if (!strcmp(what, "hung-task"))
		return kmsg("<3>INFO: task guest:7 blocked for more than 120 seconds.\n");
	fprintf(stderr, "guest: what is \"%s\"?\n", what);
	return 2;
}
