// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A look from within: a child enters the namespace and is waited for, the
 * caller's own root and directory stay what they are.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/base.h"
#include "capture/capture.h"

int cap_open_proc(const struct cap_ns *ns, pid_t pid, const char *name,
		  int flags)
{
	struct stat st = { 0 };
	char path[32];
	int dir, fd = -1;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -1;
	if (!fstatat(dir, "ns/mnt", &st, 0) && st.st_ino == ns->ino)
		fd = openat(dir, name, flags | O_CLOEXEC);
	else if (st.st_ino)
		errno = ESRCH;
	mc_close(dir);
	return fd;
}

union fd_message {
	char space[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

/* In the child: send err, and with it the descriptor if err is 0. */
static void send_opened(int sock, int fd, int err)
{
	struct iovec data = { &err, sizeof(err) };
	union fd_message u = { 0 };
	struct msghdr msg = { .msg_iov = &data, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (!err) {
		msg.msg_control = &u;
		msg.msg_controllen = sizeof(u);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	sendmsg(sock, &msg, 0);
}

/* What the child sent before it ended; -1 and errno. */
static int take_opened(int sock)
{
	union fd_message u = { 0 };
	int err = EIO, fd = -1;
	struct iovec data = { &err, sizeof(err) };
	struct msghdr msg = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = &u, .msg_controllen = sizeof(u),
	};
	struct cmsghdr *c;

	if (recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
		return -1;
	c = CMSG_FIRSTHDR(&msg);
	if (!err && c)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	else if (!err)
		err = EMFILE;	/* there was no room for it */
	errno = err;
	return fd;
}

static void enter(int proc_fd, int sock, const struct cap_ns *ns,
		  const char *name, int flags)
{
	int dir = -1, fd = -1;

	if (!setns(ns->fd, CLONE_NEWNS)) {
		/*
		 * By "self": numbers may mean other tasks in the /proc that is
		 * mounted there.
		 */
		dir = openat(proc_fd, "self", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (dir >= 0)
			fd = openat(dir, name, flags | O_CLOEXEC);
	}
	send_opened(sock, fd, fd < 0 ? errno : 0);
}

/*
 * The child sends one datagram and is waited for.  An end of file would not do:
 * child processes of the caller's other threads may hold copies of the socket.
 */
int cap_open_entered(const struct cap_ns *ns, const char *name, int flags)
{
	int sock[2] = { -1, -1 }, fd = -1, err, proc_fd;
	pid_t pid;

	proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc_fd < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sock))
		goto out;
	pid = mc_child(0);
	if (!pid) {
		enter(proc_fd, sock[1], ns, name, flags);
		_exit(0);
	}
	if (pid > 0 && mc_child_wait(pid) >= 0)
		fd = take_opened(sock[0]);
out:
	err = errno;
	mc_close(sock[0]);
	mc_close(sock[1]);
	mc_close(proc_fd);
	errno = err;
	return fd;
}
