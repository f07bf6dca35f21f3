// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The examples do what they say.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <signal.h>

#include "extended.h"
#include "in-child.h"

static int two_namespaces(void);
#define main two_namespaces
#include "../examples/two-namespaces.c"
#undef main

static int stages(int argc, char **argv);
#define main stages
#include "../examples/stages.c"
#undef main

#define IMAGE	"/tmp/t-example.image"

static void need_series(void)
{
	if (!has_extended())
		SKIP("this kernel has no mount_setgroup(2)");
}

static void unshare_or_die(int what)
{
	if (unshare(what))
		err(1, "unshare");
}

static void run_two_namespaces(void)
{
	unshare_or_die(CLONE_NEWNS);
	world_new_root();
	w_mkdir("/mnt");
	CHECK_EQ(two_namespaces(), 0);
}

static void two_namespaces_by_hand(void)
{
	need_series();
	in_child(run_two_namespaces);
}

static void stay(void)
{
	for (;;)
		pause();
}

/* A proc on the one that it has from where it was made. */
static void new_below(int ready)
{
	unshare_or_die(CLONE_NEWNS);
	w_mount("proc", "/proc", "proc", 0);
	if (write(ready, "", 1) == 1)
		stay();
	_exit(1);
}

static void new_init(int ready)
{
	unshare_or_die(CLONE_NEWNS);
	world_new_root();
	w_mkdir("/proc");
	w_mount("proc", "/proc", "proc", 0);
	unshare_or_die(CLONE_NEWPID);
	if (!fork())
		new_below(ready);
	close(ready);
	stay();
}

/* Its first process. */
static pid_t new_container(void)
{
	int ready[2], first[2];
	pid_t maker, init;
	char c;

	REQUIRE(!pipe2(ready, O_CLOEXEC) && !pipe2(first, O_CLOEXEC));
	maker = fork();
	REQUIRE(maker >= 0);
	if (!maker) {
		unshare_or_die(CLONE_NEWPID);
		init = fork();
		if (!init)
			new_init(ready[1]);
		_exit(write(first[1], &init, sizeof(init)) != sizeof(init));
	}
	close(ready[1]);
	close(first[1]);
	CHECK_EQ(wd_wait_for(maker), 0);
	REQUIRE(read(first[0], &init, sizeof(init)) == sizeof(init));
	REQUIRE(read(ready[0], &c, 1) == 1);
	close(ready[0]);
	close(first[0]);
	return init;
}

static void run_stages(void)
{
	char name[] = "stages", image[] = IMAGE;
	char *argv[] = { name, image, NULL };

	CHECK_EQ(stages(2, argv), 0);
}

static int mntcr(const char *verb, const char *what, const char *option,
		 const char *file)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		execlp("mntcr", "mntcr", verb, what, option, file, NULL);
		_exit(127);
	}
	return wd_wait_for(pid);
}

static void processes_between_the_stages(void)
{
	char pid[32];
	pid_t init;
	int status;

	need_series();
	init = new_container();
	snprintf(pid, sizeof(pid), "--container=%d", (int)init);
	status = mntcr("dump", pid, "-o", IMAGE);
	/* its processes are gone, and what only they kept */
	kill(init, SIGKILL);
	CHECK_EQ(status, 0);
	/* without stages, what takes a process is refused */
	CHECK_EQ(mntcr("restore", "--discard", IMAGE, NULL), 4);
	in_child(run_stages);
	unlink(IMAGE);
}

int main(void)
{
	TAP_RUN(two_namespaces_by_hand);
	TAP_RUN(processes_between_the_stages);
	return tap_done();
}
