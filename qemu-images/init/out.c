// SPDX-License-Identifier: GPL-2.0
/*
 * KTAP on a serial port, line by line as it comes; notes to the kernel log.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "init.h"

#define INDENT		"    "
#define LINE_SIZE	8192

static int out_fd = -1;
static char line[LINE_SIZE];
static size_t line_len;

int out_open(const char *tty)
{
	struct termios tio;

	out_fd = open(tty, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	if (out_fd < 0)
		return -1;
	if (tcgetattr(out_fd, &tio))
		return -1;
	cfmakeraw(&tio);
	cfsetspeed(&tio, B115200);
	return tcsetattr(out_fd, TCSANOW, &tio);
}

static void write_all(const char *p, size_t n)
{
	while (n) {
		ssize_t done = write(out_fd, p, n);

		if (done < 0)
			verdict_exit(VERDICT_BROKEN);
		p += done;
		n -= done;
	}
}

void out_printf(const char *fmt, ...)
{
	char buf[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (n > 0)
		write_all(buf, (size_t)n < sizeof(buf) ? (size_t)n :
			  sizeof(buf) - 1);
}

static void flush_line(void)
{
	write_all(INDENT, strlen(INDENT));
	write_all(line, line_len);
	write_all("\n", 1);
	line_len = 0;
}

/* What a test prints is a subtest: the same KTAP, one level deeper. */
void out_child(const char *data, size_t len)
{
	while (len--) {
		char c = *data++;

		if (c == '\n') {
			flush_line();
			continue;
		}
		line[line_len++] = c;
		if (line_len == LINE_SIZE)
			flush_line();
	}
}

void out_child_end(void)
{
	if (line_len)
		flush_line();
}

void out_drain(void)
{
	if (out_fd >= 0)
		tcdrain(out_fd);
}

void klog(const char *fmt, ...)
{
	char buf[512];
	va_list ap;
	int fd, n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf) - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof(buf) - 1)
		n = sizeof(buf) - 2;
	buf[n++] = '\n';
	fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, buf, n) < 0)
		out_printf("# kernel log: %m\n");
	close(fd);
}
