// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Stands in for a checkpoint/restore program in the migration test: it drives a restore
 * over a socket, stage by stage, and makes the processes that mounts wait for. It
 * shares no code with the restorer.
 *
 *	driver DONE SOURCE OPTIONS COMMAND...
 *
 * COMMAND restores in stages over descriptor 100. An init is forked into each pid
 * namespace that it makes; what is to be given is a pid namespace below the last of
 * these, which has an init of its own, or an autofs of that SOURCE with these OPTIONS.
 * The exit status goes into the file DONE; after 0 all stays as it is until the driver
 * is killed.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "send-line.h"

#define STAGES	100
#define MOST	64

#define TRY(x)	do {							\
	if ((x) == -1) {						\
		fprintf(stderr, "driver: line %d: %s: %s\n", __LINE__, #x, \
			strerror(errno));				\
		exit(1);						\
	}								\
} while (0)

static const char *done_file;
static pid_t command;
static int restorer;			/* the socket */
static struct {
	char kind[64], id[64], type[64];
} needs[MOST];
static int nr_needs;
static int last_pid_ns = -1;		/* that was made */

/* --- lines ------------------------------------------------------------------------ */

static void say(const char *line, int fd)
{
	TRY(send_line(restorer, line, fd) ? 0 : -1);
}

/* Byte by byte: a descriptor comes beside its line. */
static bool hear(char *line, size_t size, int *fd)
{
	union {
		struct cmsghdr h;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	size_t n;

	*fd = -1;
	for (n = 0; n < size - 1; n++) {
		struct iovec io = { line + n, 1 };
		struct msghdr m = {
			.msg_iov = &io, .msg_iovlen = 1, .msg_control = &control,
			.msg_controllen = sizeof(control),
		};

		if (recvmsg(restorer, &m, MSG_CMSG_CLOEXEC) != 1)
			break;
		if (CMSG_FIRSTHDR(&m))
			memcpy(fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(*fd));
		if (line[n] == '\n') {
			line[n] = '\0';
			return true;
		}
	}
	return false;
}

/* Whichever way it has ended. */
static void finish(void)
{
	char name[4096];
	int status;
	FILE *out;

	close(restorer);
	TRY(waitpid(command, &status, 0));
	status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
	snprintf(name, sizeof(name), "%s.new", done_file);
	out = fopen(name, "w");
	if (!out || fprintf(out, "%d\n", status) < 0 || fclose(out))
		TRY(-1);
	TRY(rename(name, done_file));
	if (status)
		exit(status);
	for (;;)
		pause();
}

static void ask(const char *request, int given)
{
	char line[4096];
	int fd;

	say(request, given);
	while (hear(line, sizeof(line), &fd)) {
		if (!strcmp(line, "ok"))
			return;
		if (!strncmp(line, "error", 5)) {
			fprintf(stderr, "driver: %.*s: %s\n",
				(int)strcspn(request, "\n"), request, line);
			break;
		}
		if (nr_needs < MOST &&
		    sscanf(line, "need %63s %63s %63s", needs[nr_needs].kind,
			   needs[nr_needs].id, needs[nr_needs].type) == 3)
			nr_needs++;
		else if (!strncmp(line, "made pid ", 9))
			last_pid_ns = fd;
		else if (fd >= 0)
			close(fd);
	}
	finish();
}

/* --- what mounts wait for ---------------------------------------------------------- */

/* A process in an empty pid namespace, by the owner of that. */
static void enter(int ns)
{
	int owner = ioctl(ns, NS_GET_USERNS), own = open("/proc/self/ns/user", O_RDONLY);
	struct stat a, b;

	TRY(owner);
	TRY(own);
	TRY(fstat(owner, &a));
	TRY(fstat(own, &b));
	if (a.st_ino != b.st_ino)
		TRY(setns(owner, CLONE_NEWUSER));
	TRY(setns(ns, CLONE_NEWPID));
}

static void stay(int to)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	TRY(write(to, "", 1));
	for (;;)
		pause();
}

/*
 * The init of the pid namespace, and of one below it, which is what its next child
 * would be in; the latter.
 */
static int nested(int ns)
{
	char path[64], c;
	int number[2], ready[2], fd;
	pid_t init = 0;

	TRY(ns);
	TRY(pipe2(number, O_CLOEXEC));
	TRY(pipe2(ready, O_CLOEXEC));
	switch (fork()) {
	case -1:
		TRY(-1);
	case 0:
		enter(ns);
		init = fork();
		TRY(init);
		if (init) {
			TRY(write(number[1], &init, sizeof(init)));
			close(number[1]);
			close(ready[1]);
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		TRY(unshare(CLONE_NEWPID));
		init = fork();
		TRY(init);
		if (!init)
			stay(ready[1]);
		for (;;)
			pause();
	}
	close(number[1]);
	close(ready[1]);
	if (read(number[0], &init, sizeof(init)) != sizeof(init) ||
	    read(ready[0], &c, 1) != 1)
		TRY(-1);
	close(number[0]);
	close(ready[0]);
	snprintf(path, sizeof(path), "/proc/%d/ns/pid_for_children", (int)init);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	TRY(fd);
	return fd;
}

/*
 * The automounter is this one, which never answers; its pipe has the number that it
 * had. How old is what may expire is nothing that a mount is told.
 */
static int automount(const char *source, const char *options)
{
	char *copy = strdup(options), *rest = copy, *word, *value, group[16];
	int fs = fsopen("autofs", FSOPEN_CLOEXEC), ask[2], fd;

	TRY(fs);
	TRY(pipe(ask));
	snprintf(group, sizeof(group), "%d", (int)getpgrp());
	TRY(fsconfig(fs, FSCONFIG_SET_STRING, "source", source, 0));
	while ((word = strsep(&rest, ","))) {
		value = strchr(word, '=');
		if (value)
			*value++ = '\0';
		if (!strcmp(word, "rw") || !strcmp(word, "timeout") ||
		    !strcmp(word, "pipe_ino"))
			continue;
		if (!strcmp(word, "pgrp"))
			value = group;
		if (!strcmp(word, "fd"))
			TRY(dup2(ask[1], atoi(value)));
		TRY(fsconfig(fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, word,
			     value, 0));
	}
	TRY(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	fd = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	TRY(fd);
	close(fs);
	free(copy);
	return fd;
}

int main(int argc, char **argv)
{
	char request[256];
	int pair[2], i, fd;

	if (argc < 5) {
		fprintf(stderr, "usage: driver DONE SOURCE OPTIONS COMMAND...\n");
		return 2;
	}
	done_file = argv[1];
	TRY(setpgid(0, 0));
	TRY(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	command = fork();
	TRY(command);
	if (!command) {
		TRY(dup2(pair[1], STAGES));
		execvp(argv[4], argv + 4);
		TRY(-1);
	}
	close(pair[1]);
	restorer = pair[0];
	ask("begin\n", -1);
	ask("place\n", -1);
	for (i = 0; i < nr_needs; i++) {
		if (!strcmp(needs[i].kind, "pid"))
			fd = nested(last_pid_ns);
		else if (!strcmp(needs[i].type, "autofs"))
			fd = automount(argv[2], argv[3]);
		else
			fd = -1;
		snprintf(request, sizeof(request), "give %.63s %.63s\n", needs[i].kind,
			 needs[i].id);
		ask(request, fd);
		close(fd);
	}
	ask("delayed\n", -1);
	ask("share\n", -1);
	ask("end\n", -1);
	finish();
}
