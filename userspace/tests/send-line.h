/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A line with a descriptor beside it, as mntcr restore --stages is told.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TESTS_SEND_LINE_H
#define TESTS_SEND_LINE_H

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

/* fd -1: without one. */
static inline bool send_line(int to, const char *line, int fd)
{
	union {
		struct cmsghdr h;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec io = { (char *)line, strlen(line) };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };

	if (fd >= 0) {
		control.h.cmsg_len = CMSG_LEN(sizeof(int));
		control.h.cmsg_level = SOL_SOCKET;
		control.h.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&control.h), &fd, sizeof(fd));
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
	}
	return sendmsg(to, &m, MSG_NOSIGNAL) == (ssize_t)io.iov_len;
}

#endif /* TESTS_SEND_LINE_H */
