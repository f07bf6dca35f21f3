// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which mount namespaces are a container's.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "topology/topology.h"
#include "tap.h"

static int ready[2];

static pid_t child(unsigned long flags)
{
	pid_t pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, 0);

	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static void wait_for_end(void)
{
	for (;;)
		pause();
}

#define TRY(x)	do { if ((x) == -1) { perror(#x); _exit(1); } } while (0)

/* The init of a pid namespace, one of a pid namespace below it, and a file. */
static void container(bool file)
{
	int go[2], made[2];
	char x;

	TRY(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	TRY(mount("t", "/tmp", "tmpfs", 0, NULL));
	TRY(mkdir("/tmp/proc", 0755));
	TRY(mount("proc", "/tmp/proc", "proc", 0, NULL));
	TRY(pipe(go));
	TRY(pipe(made));
	if (!child(CLONE_NEWPID)) {
		TRY(unshare(CLONE_NEWNS));
		TRY(write(made[1], "x", 1));
		wait_for_end();
	}
	TRY(read(made[0], &x, 1));
	if (file) {
		if (!child(0)) {
			TRY(unshare(CLONE_NEWNS));
			TRY(write(made[1], "x", 1));
			TRY(read(go[0], &x, 1));
			_exit(0);
		}
		TRY(read(made[0], &x, 1));
		close(open("/tmp/file", O_CREAT | O_RDWR | O_CLOEXEC, 0600));
		TRY(mount("/tmp/proc/3/ns/mnt", "/tmp/file", NULL, MS_BIND, NULL));
		TRY(write(go[1], "x", 1));
		TRY(waitpid(3, NULL, 0));
	}
	TRY(write(ready[1], "x", 1));
	wait_for_end();
}

static pid_t start(bool file)
{
	cpu_set_t one;
	pid_t pid;
	char x;

	/* 6.18 lets each CPU give out ids of its own: later is not always larger */
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	REQUIRE(!sched_setaffinity(0, sizeof(one), &one));
	REQUIRE(!pipe2(ready, O_CLOEXEC));
	pid = child(CLONE_NEWPID | CLONE_NEWNS);
	REQUIRE(pid >= 0);
	if (!pid) {
		container(file);
		_exit(1);
	}
	close(ready[1]);
	REQUIRE(read(ready[0], &x, 1) == 1);
	close(ready[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int nr_open(void)
{
	int fd, nr = 0;

	for (fd = 0; fd < 256; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

static void namespaces_of_all_tasks_are_found(void)
{
	struct mntcr_container c;
	struct mntcr_topology *t;
	struct mntcr_error e;
	pid_t pid = start(false);
	int nr = nr_open(), ret;

	ret = mntcr_capture_container(pid, NULL, &c, &t, &e);
	if (ret)
		TAP_SAY("%s", e.text);
	REQUIRE(!ret);
	CHECK_EQ(c.nr, 2);
	CHECK_EQ(c.sources[0].type, MNTCR_SOURCE_PID);
	CHECK_EQ(c.sources[0].pid, pid);
	CHECK_EQ(c.sources[1].type, MNTCR_SOURCE_PID);
	mntcr_topology_free(t);
	mntcr_container_free(&c);
	/* no descriptor is left, of the pid namespaces that were gone through least of all */
	CHECK_EQ(nr_open(), nr);
	end(pid);
}

static void what_only_a_file_keeps_is_found(void)
{
	struct mntcr_container c;
	struct mntcr_topology *t;
	struct mntcr_error e;
	struct stat file, st;
	pid_t pid = start(true);
	char path[64];
	int ret = mntcr_capture_container(pid, NULL, &c, &t, &e);

	if (ret)
		TAP_SAY("%s", e.text);
	REQUIRE(!ret);
	CHECK_EQ(c.nr, 3);
	CHECK_EQ(c.sources[2].type, MNTCR_SOURCE_FD);
	snprintf(path, sizeof(path), "/proc/%d/root/tmp/file", (int)pid);
	REQUIRE(!stat(path, &file) && !fstat(c.sources[2].fd, &st));
	CHECK(st.st_dev == file.st_dev && st.st_ino == file.st_ino);
	/* and is called by where that is */
	REQUIRE(t->nr_ns == 3);
	CHECK_STR(t->ns[2].label, "/tmp/file");
	mntcr_topology_free(t);
	mntcr_container_free(&c);
	end(pid);
}

/* A task of the caller's pid namespace enters the mount namespace of that file. */
static void refused_with_a_task_in(pid_t pid, const char *file, const char *says)
{
	struct mntcr_container c;
	struct mntcr_topology *t;
	struct mntcr_error e;
	char text[128], x;
	int fd = open(file, O_RDONLY | O_CLOEXEC), in[2];
	pid_t other;

	REQUIRE(fd >= 0 && !pipe2(in, O_CLOEXEC));
	other = child(0);
	if (!other) {
		TRY(setns(fd, CLONE_NEWNS));
		TRY(write(in[1], "x", 1));
		wait_for_end();
	}
	REQUIRE(read(in[0], &x, 1) == 1);
	CHECK_EQ(mntcr_capture_container(pid, NULL, &c, &t, &e), -1);
	CHECK_EQ(e.code, MNTCR_REFUSED);
	CHECK_STR(e.rule, "namespace-of-others");
	snprintf(text, sizeof(text), says, (int)other);
	if (!strstr(e.text, text))
		TAP_SAY("\"%s\" lacks \"%s\"", e.text, text);
	CHECK(strstr(e.text, text));
	end(other);
	close(in[0]);
	close(in[1]);
	close(fd);
}

static void a_task_from_outside_is_named(void)
{
	pid_t pid = start(false);
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	refused_with_a_task_in(pid, path, "that of task %d, which is not in it");
	end(pid);
}

/* Not dumped as the container's because its file is mounted there. */
static void a_task_in_what_a_file_names_too(void)
{
	pid_t pid = start(true);
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/root/tmp/file", (int)pid);
	refused_with_a_task_in(pid, path,
			       "/tmp/file is the file of the mount namespace of task %d, which is not in the container");
	end(pid);
}

static void the_caller_is_in_none(void)
{
	struct mntcr_container c;
	struct mntcr_topology *t;
	struct mntcr_error e;

	CHECK_EQ(mntcr_capture_container(getpid(), NULL, &c, &t, &e), -1);
	CHECK_STR(e.rule, "namespace-of-others");
	CHECK(strstr(e.text, "the caller's own"));
	CHECK_EQ(mntcr_capture_container(0x7fffffff, NULL, &c, &t, &e), -1);
	CHECK_EQ(e.err, ENOENT);
}

int main(void)
{
	if (geteuid()) {
		printf("1..0 # SKIP needs root\n");
		return 4;
	}
	TAP_RUN(namespaces_of_all_tasks_are_found);
	TAP_RUN(what_only_a_file_keeps_is_found);
	TAP_RUN(a_task_from_outside_is_named);
	TAP_RUN(a_task_in_what_a_file_names_too);
	TAP_RUN(the_caller_is_in_none);
	return tap_done();
}
