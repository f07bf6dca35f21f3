// SPDX-License-Identifier: GPL-2.0
/*
 * An interactive shell on the console instead of tests.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "init.h"

static void child(const char *tty)
{
	int fd;

	setsid();
	fd = open(tty, O_RDWR);
	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0))
		_exit(1);
	if (dup2(fd, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(1);
	setenv("PATH", "/vm/tests.d:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin", 1);
	setenv("HOME", "/root", 1);
	setenv("TERM", "linux", 0);
	setenv("PS1", "vm# ", 1);
	if (chdir("/root"))
		_exit(1);
	execl("/bin/sh", "sh", "-i", (char *)NULL);
	_exit(1);
}

static void asked_to_end(int sig)
{
	(void)sig;
}

/* Until the shell ends, or somebody says poweroff, halt or reboot in it. */
void shell(const char *tty)
{
	static const int asks[] = { SIGUSR1, SIGUSR2, SIGTERM };
	struct sigaction sa = { .sa_handler = asked_to_end };
	pid_t pid, got;
	size_t i;
	int status;

	pid = fork();
	if (!pid)
		child(tty);
	if (pid < 0)
		klog("vm: fork: %s", strerror(errno));
	/* not SA_RESTART: wait() fails then */
	for (i = 0; i < sizeof(asks) / sizeof(asks[0]); i++)
		sigaction(asks[i], &sa, NULL);
	do {
		got = wait(&status);
	} while (got >= 0 && got != pid);
	verdict_exit(VERDICT_PASS);
}
