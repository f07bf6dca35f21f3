// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The namespaces of a cgroup's tasks; and the tasks hold still meanwhile.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mntcr.h"
#include "tap.h"

#define ALL	"/tmp/all"	/* the cgroups there are */
#define CG	"/tmp/cg"	/* those of this test */
#define TRY(x)	do { if ((x) == -1) { perror(#x); _exit(1); } } while (0)

static volatile unsigned int *counter;
static int outside;	/* cgroup.procs of the cgroup that the test was in */

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	TRY(fd);
	TRY(write(fd, text, strlen(text)));
	close(fd);
}

/* What cgroup.freeze and cgroup.events say, or the command. */
static bool has(const char *path, const char *text)
{
	char buf[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);

	REQUIRE(n >= 0);
	close(fd);
	buf[n] = '\0';
	return strstr(buf, text);
}

static void until(const char *cgroup, const char *text)
{
	char buf[256];
	struct pollfd p = { .events = POLLPRI };
	ssize_t n;

	snprintf(buf, sizeof(buf), "%s/cgroup.events", cgroup);
	p.fd = open(buf, O_RDONLY | O_CLOEXEC);
	REQUIRE(p.fd >= 0);
	while ((n = pread(p.fd, buf, sizeof(buf) - 1, 0)) >= 0) {
		buf[n] = '\0';
		if (strstr(buf, text))
			break;
		REQUIRE(poll(&p, 1, 30000) == 1);
	}
	REQUIRE(n >= 0);
	close(p.fd);
}

static void count(void)
{
	for (;;) {
		++*counter;
		sched_yield();
	}
}

/* With a file of more than a pipe holds. */
static void mount_full(void)
{
	static const char data[2048] = { 1 };
	int fd, i;

	TRY(mount("t", "/mnt", "tmpfs", 0, NULL));
	fd = open("/mnt/f", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	TRY(fd);
	for (i = 0; i < 512; i++)
		TRY(write(fd, data, sizeof(data)));
	close(fd);
}

/* In that cgroup, with a mount namespace and a file of its own. */
static pid_t task(const char *cgroup, void (*then)(void))
{
	char path[64], x;
	int ready[2];
	pid_t pid;

	REQUIRE(!pipe2(ready, O_CLOEXEC));
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
		put(path, "0");
		TRY(unshare(CLONE_NEWNS));
		mount_full();
		TRY(write(ready[1], "x", 1));
		then();
		_exit(0);
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

static void goes_on(void)
{
	unsigned int n = *counter;
	time_t end = time(NULL) + 30;

	while (*counter == n && time(NULL) < end)
		sched_yield();
	CHECK(*counter != n);
}

static struct mntcr_freeze *freeze(const char *cgroup)
{
	struct mntcr_freeze *f;
	struct mntcr_error e;

	if (mntcr_freeze(cgroup, NULL, &f, &e))
		TAP_SAY("%s", e.text);
	REQUIRE(f);
	return f;
}

static void thaw(struct mntcr_freeze *f)
{
	struct mntcr_error e;

	if (mntcr_thaw(f, &e)) {
		TAP_SAY("%s", e.text);
		tap.bad = 1;
	}
}

static void refused(int ret, const struct mntcr_error *e, const char *rule,
		    const char *says)
{
	CHECK_EQ(ret, -1);
	CHECK_EQ(e->code, MNTCR_REFUSED);
	CHECK_STR(e->rule, rule);
	if (!strstr(e->text, says)) {
		TAP_SAY("\"%s\" lacks \"%s\"", e->text, says);
		tap.bad = 1;
	}
}

/* --- which namespaces -------------------------------------------------------- */

static void its_tasks_and_those_below(void)
{
	pid_t a = task(CG "/a", count), b = task(CG "/a/b", count);
	pid_t other = task(CG "/other", count);
	struct mntcr_container c;
	struct mntcr_topology *t;
	struct mntcr_error e;
	int ret = mntcr_capture_cgroup(CG "/a", NULL, &c, &t, &e);

	if (ret)
		TAP_SAY("%s", e.text);
	REQUIRE(!ret);
	REQUIRE(c.nr == 2);
	CHECK_EQ(c.sources[0].pid, a);
	CHECK_EQ(c.sources[1].pid, b);
	mntcr_topology_free(t);
	mntcr_container_free(&c);
	REQUIRE(!mntcr_capture_cgroup(CG "/a/b", NULL, &c, &t, &e));
	REQUIRE(c.nr == 1);
	CHECK_EQ(c.sources[0].pid, b);
	mntcr_topology_free(t);
	mntcr_container_free(&c);
	end(other);
	end(b);
	end(a);
}

static void another_task_in_one_is_named(void)
{
	pid_t a = task(CG "/a", count), b;
	struct mntcr_container c;
	struct mntcr_topology *t;
	struct mntcr_error e;
	char says[64], path[64];
	int go[2], fd;
	char x;

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)a);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	REQUIRE(fd >= 0 && !pipe2(go, O_CLOEXEC));
	b = fork();
	if (!b) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		TRY(setns(fd, CLONE_NEWNS));
		TRY(write(go[1], "x", 1));
		count();
	}
	REQUIRE(read(go[0], &x, 1) == 1);
	snprintf(says, sizeof(says), "that of task %d, which is not in it", (int)b);
	refused(mntcr_capture_cgroup(CG "/a", NULL, &c, &t, &e), &e,
		"namespace-of-others", says);
	close(fd);
	close(go[0]);
	close(go[1]);
	end(b);
	end(a);
}

static void what_is_none(void)
{
	struct mntcr_container c;
	struct mntcr_topology *t;
	struct mntcr_freeze *f;
	struct mntcr_error e;

	CHECK_EQ(mntcr_capture_cgroup("/tmp", NULL, &c, &t, &e), -1);
	CHECK_EQ(e.code, MNTCR_USAGE);
	CHECK_STR(e.text, "/tmp: not a directory of cgroup v2");
	CHECK_EQ(mntcr_freeze("/tmp", NULL, &f, &e), -1);
	CHECK_EQ(e.code, MNTCR_USAGE);
	CHECK(!f);
	CHECK_EQ(mntcr_capture_cgroup(CG "/none", NULL, &c, &t, &e), -1);
	CHECK_EQ(e.err, ENOENT);
	CHECK_EQ(mntcr_capture_cgroup(CG "/other", NULL, &c, &t, &e), -1);
	CHECK_EQ(e.err, ESRCH);
}

/* --- hold still ---------------------------------------------------------------- */

static void frozen_until_it_is_thawed(void)
{
	pid_t a = task(CG "/a/b", count);
	struct mntcr_freeze *f = freeze(CG "/a");
	unsigned int n = *counter;
	struct mntcr_container c;
	struct mntcr_topology *t;
	struct mntcr_error e;

	CHECK(has(CG "/a/cgroup.events", "frozen 1"));
	REQUIRE(!mntcr_capture_cgroup(CG "/a", NULL, &c, &t, &e));
	CHECK_EQ(c.nr, 1);
	CHECK_EQ(*counter, n);
	mntcr_topology_free(t);
	mntcr_container_free(&c);
	CHECK(has(CG "/a/cgroup.events", "frozen 1"));
	thaw(f);
	CHECK(has(CG "/a/cgroup.freeze", "0"));
	CHECK(has(CG "/a/cgroup.events", "frozen 0"));
	goes_on();
	end(a);
}

static void what_was_frozen_stays(void)
{
	pid_t a = task(CG "/a/b", count);

	put(CG "/a/cgroup.freeze", "1");
	thaw(freeze(CG "/a"));
	CHECK(has(CG "/a/cgroup.freeze", "1"));
	CHECK(has(CG "/a/cgroup.events", "frozen 1"));
	/* by one above it */
	thaw(freeze(CG "/a/b"));
	CHECK(has(CG "/a/cgroup.freeze", "1"));
	CHECK(has(CG "/a/b/cgroup.freeze", "0"));
	put(CG "/a/cgroup.freeze", "0");
	goes_on();
	/* one below it */
	put(CG "/a/b/cgroup.freeze", "1");
	thaw(freeze(CG "/a"));
	CHECK(has(CG "/a/cgroup.freeze", "0"));
	CHECK(has(CG "/a/b/cgroup.freeze", "1"));
	put(CG "/a/b/cgroup.freeze", "0");
	goes_on();
	end(a);
}

/* A dumper and its process group, killed while it writes to a pipe that is full. */
static void dump_is_killed(void)
{
	int out[2];
	pid_t pid;
	char x;

	REQUIRE(!pipe2(out, O_CLOEXEC));
	fflush(stdout);
	pid = fork();
	if (!pid) {
		TRY(setsid());
		TRY(dup2(out[1], 1));
		execlp("mntcr", "mntcr", "dump", "--cgroup", CG "/a", "--freeze", NULL);
		perror("mntcr");
		_exit(1);
	}
	close(out[1]);
	REQUIRE(read(out[0], &x, 1) == 1);
	CHECK(has(CG "/a/cgroup.events", "frozen 1"));
	CHECK(!waitpid(pid, NULL, WNOHANG));
	CHECK(!kill(-pid, SIGKILL));
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	close(out[0]);
}

/* By the command, to a pipe, of which one byte is taken before something happens. */
static void dump_meanwhile(const char *const *args, void (*happens)(pid_t), pid_t a, int code,
			   const char *says)
{
	static char image[1 << 16];
	int out[2], file, rc;
	pid_t pid;
	ssize_t n;

	REQUIRE(!pipe2(out, O_CLOEXEC));
	fflush(stdout);
	pid = fork();
	if (!pid) {
		TRY(dup2(out[1], 1));
		TRY(dup2(open("/tmp/text", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600), 2));
		execvp("mntcr", (char *const *)args);
		_exit(1);
	}
	close(out[1]);
	file = open("/tmp/image", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	REQUIRE(file >= 0 && read(out[0], image, 1) == 1 && write(file, image, 1) == 1);
	happens(a);
	while ((n = read(out[0], image, sizeof(image))) > 0)
		REQUIRE(write(file, image, (size_t)n) == n);
	close(file);
	close(out[0]);
	CHECK_EQ(waitpid(pid, &rc, 0), pid);
	CHECK(WIFEXITED(rc) && WEXITSTATUS(rc) == code);
	CHECK(has("/tmp/text", says));
	rc = system("mntcr show /tmp/image >/tmp/tree 2>&1");
	CHECK(WIFEXITED(rc) && WEXITSTATUS(rc) == (code ? 5 : 0));
	unlink("/tmp/image");
}

static void sleep_on(void)
{
	for (;;)
		pause();
}

static void nothing_happens(pid_t a)
{
}

static void it_is_thawed(pid_t a)
{
	put(CG "/a/cgroup.freeze", "0");
	until(CG "/a", "frozen 0");
	goes_on();
}

static void it_is_thawed_and_frozen_again(pid_t a)
{
	it_is_thawed(a);
	put(CG "/a/cgroup.freeze", "1");
	until(CG "/a", "frozen 1");
}

/* To the root, which is not frozen. */
static void it_is_moved(pid_t a)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)a);
	put(CG "/cgroup.procs", pid);
	goes_on();
}

static void it_ends(pid_t a)
{
	end(a);
	until(CG "/a", "populated 0");
}

static void frozen_until_all_is_read(void)
{
	static const char *const dump[] = { "mntcr", "dump", "--cgroup", CG "/a", "--freeze", NULL };
	pid_t a = task(CG "/a", count), b;
	char pid[16];
	int i;

	/* by the command, and by somebody else before it */
	for (i = 0; i < 2; i++) {
		put(CG "/a/cgroup.freeze", i ? "1" : "0");
		dump_meanwhile(dump, nothing_happens, a, 0, "");
		CHECK(has(CG "/a/cgroup.freeze", i ? "1" : "0"));
		dump_meanwhile(dump, it_is_thawed, a, 7, "/tmp/cg/a: it has been thawed, or has ended");
		put(CG "/a/cgroup.freeze", i ? "1" : "0");
		dump_meanwhile(dump, it_is_thawed_and_frozen_again, a, 7,
			       "/tmp/cg/a: it has been thawed, or a task has come or gone");
	}
	put(CG "/a/cgroup.freeze", "0");
	b = task(CG "/a", sleep_on);
	dump_meanwhile(dump, it_is_moved, a, 7, "/tmp/cg/a: a task has been moved out of it");
	end(b);
	snprintf(pid, sizeof(pid), "%d", (int)a);
	put(CG "/a/cgroup.procs", pid);
	dump_meanwhile(dump, it_ends, a, 7, "cgroup /tmp/cg/a: the container has ended meanwhile");
	CHECK(has(CG "/a/cgroup.freeze", "0"));
	a = task(CG "/a", count);
	dump_meanwhile((const char *const[]){ "mntcr", "dump", "--cgroup", CG "/a", NULL },
		       it_ends, a, 7, "cgroup /tmp/cg/a: the container has ended meanwhile");
}

static void thawed_when_the_dumper_is_killed(void)
{
	pid_t a = task(CG "/a", count);

	dump_is_killed();
	until(CG "/a", "frozen 0");
	CHECK(has(CG "/a/cgroup.freeze", "0"));
	goes_on();
	put(CG "/a/cgroup.freeze", "1");
	dump_is_killed();
	CHECK(has(CG "/a/cgroup.freeze", "1"));
	put(CG "/a/cgroup.freeze", "0");
	end(a);
}

/* The one child of the caller with that name. */
static pid_t guard(void)
{
	char path[300], buf[512], want[64];
	DIR *dir = opendir("/proc");
	struct dirent *d;
	pid_t found = 0;
	ssize_t n;
	int fd;

	REQUIRE(dir);
	snprintf(want, sizeof(want), "(mntcr-thaw) S %d ", (int)getpid());
	while ((d = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%s/stat", d->d_name);
		fd = atoi(d->d_name) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
		n = fd < 0 ? 0 : read(fd, buf, sizeof(buf) - 1);
		if (fd >= 0)
			close(fd);
		buf[n < 0 ? 0 : n] = '\0';
		if (strstr(buf, want))
			found = atoi(d->d_name);
	}
	closedir(dir);
	return found;
}

static void thawed_without_the_guard(void)
{
	pid_t a = task(CG "/a", count), pid;
	struct mntcr_freeze *f = freeze(CG "/a");

	while (!(pid = guard()))
		sched_yield();
	REQUIRE(!kill(pid, SIGKILL));
	thaw(f);
	CHECK(has(CG "/a/cgroup.freeze", "0"));
	CHECK(!guard());
	goes_on();
	end(a);
}

/* Right after a thaw, the kernel tells that it is frozen when that time is over. */
static void frozen_in_a_short_time(void)
{
	const struct mntcr_freeze_options o = {
		.size = sizeof(o), .timeout_ms = 5,
	};
	pid_t a = task(CG "/a/b", sleep_on);
	struct mntcr_freeze *f;
	struct mntcr_error e;
	int i, frozen = 0;

	for (i = 0; i < 20; i++) {
		thaw(freeze(CG "/a"));
		if (mntcr_freeze(CG "/a", &o, &f, &e))
			continue;
		frozen++;
		thaw(f);
	}
	/* on a machine that is busy freezing may take longer, but not each time */
	CHECK(frozen);
	TAP_SAY("frozen within 5 ms: %d of %d times", frozen, i);
	end(a);
}

static void not_with_the_caller_in_it(void)
{
	struct mntcr_freeze *f;
	struct mntcr_error e;

	put(CG "/a/b/cgroup.procs", "0");
	refused(mntcr_freeze(CG "/a", NULL, &f, &e), &e, "caller-in-cgroup",
		"/tmp/cg/a: the caller is in it");
	put(CG "/cgroup.procs", "0");
	CHECK(!f);
	CHECK(has(CG "/a/cgroup.freeze", "0"));
}

/* By the command, no file is left. */
static void dump_gives_up(void)
{
	int rc = system("mntcr dump --cgroup " CG "/a --freeze --freeze-timeout 1"
			" -o /tmp/image 2>/tmp/text");

	CHECK(WIFEXITED(rc) && WEXITSTATUS(rc) == 4);
	CHECK(has("/tmp/text", "not frozen after 1000 ms"));
	CHECK_ERRNO(access("/tmp/image", F_OK), ENOENT);
	CHECK(has(CG "/a/cgroup.freeze", "0"));
}

/* --- a container's ------------------------------------------------------------------ */

/* The init of a pid namespace, in a cgroup below the root of a namespace of its own. */
static pid_t container(bool own)
{
	int ready[2];
	pid_t pid;
	char x;

	REQUIRE(!pipe2(ready, O_CLOEXEC));
	pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, NULL, NULL,
			     NULL, 0);
	REQUIRE(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		put(CG "/a/cgroup.procs", "0");
		if (own)
			TRY(unshare(CLONE_NEWCGROUP));
		put(CG "/a/b/cgroup.procs", "0");
		/* nothing is covered, which not every kernel could read contents of */
		TRY(umount2("/tmp", MNT_DETACH));
		mount_full();
		TRY(write(ready[1], "x", 1));
		count();
	}
	close(ready[1]);
	REQUIRE(read(ready[0], &x, 1) == 1);
	close(ready[0]);
	return pid;
}

static void a_containers_is_found(void)
{
	pid_t a = container(true);
	struct mntcr_container c;
	struct mntcr_topology *t;
	struct mntcr_error e;
	struct stat found, st;
	char *path = NULL, says[100];
	int ret = mntcr_container_cgroup(a, &path, &e);

	if (ret)
		TAP_SAY("%s", e.text);
	REQUIRE(!ret);
	/* whichever mount it was found by */
	REQUIRE(!stat(path, &found) && !stat(CG "/a", &st));
	CHECK(found.st_dev == st.st_dev && found.st_ino == st.st_ino);
	free(path);
	end(a);

	a = container(false);
	snprintf(says, sizeof(says), "task %d, is in the caller's cgroup namespace",
		 (int)a);
	refused(mntcr_container_cgroup(a, &path, &e), &e, "no-own-cgroup", says);
	CHECK(!path);
	end(a);
	CHECK_EQ(mntcr_container_cgroup(INT32_MAX, &path, &e), -1);
	CHECK_EQ(e.err, ESRCH);
	/* a task of it that would not be held */
	a = container(true);
	snprintf(says, sizeof(says), "%d", (int)a);
	put(CG "/other/cgroup.procs", says);
	snprintf(says, sizeof(says), "task %d of the container is not in the cgroup",
		 (int)a);
	refused(mntcr_capture_container(a, &(struct mntcr_capture_options){
			.size = sizeof(struct mntcr_capture_options), .within = CG "/a" },
			&c, &t, &e), &e, "task-outside-cgroup", says);
	CHECK(!t && !c.nr);
	end(a);
}

static void dump_ends_with_a_container(void)
{
	static const char *const freeze[] = { NULL, "--freeze" };
	const char *dump[] = { "mntcr", "dump", "--container", NULL, NULL, NULL };
	char nr[16], says[80];
	size_t i;
	pid_t a;

	for (i = 0; i < 2; i++) {
		a = container(true);
		snprintf(nr, sizeof(nr), "%d", (int)a);
		dump[3] = nr;
		dump[4] = freeze[i];
		dump_meanwhile(dump, nothing_happens, a, 0, "");
		snprintf(says, sizeof(says), "process %d: the container has ended meanwhile", (int)a);
		dump_meanwhile(dump, it_ends, a, 7, says);
	}
}

/* By the command: its own, and one that is named. */
static void dump_freezes_a_container(void)
{
	static const char *const options[] = { "", "--cgroup " CG "/a" };
	char line[300];
	pid_t a;
	size_t i;
	int rc;

	for (i = 0; i < 2; i++) {
		a = container(!i);
		snprintf(line, sizeof(line), "mntcr dump --container %d --freeze %s -o /tmp/image 2>/tmp/text",
			 (int)a, options[i]);
		rc = system(line);
		if (rc && !system("sed 's/^/# /' /tmp/text"))
			tap.bad = 1;
		CHECK(WIFEXITED(rc) && WEXITSTATUS(rc) == 0);
		CHECK(!access("/tmp/image", F_OK));
		unlink("/tmp/image");
		CHECK(has(CG "/a/cgroup.freeze", "0"));
		goes_on();
		/* it was held: frozen before, it stays so */
		put(CG "/a/cgroup.freeze", "1");
		rc = system(line);
		CHECK(WIFEXITED(rc) && WEXITSTATUS(rc) == 0);
		unlink("/tmp/image");
		CHECK(has(CG "/a/cgroup.freeze", "1"));
		put(CG "/a/cgroup.freeze", "0");
		snprintf(line, sizeof(line), "mntcr dump --container %d --freeze 2>/tmp/text",
			 (int)a);
		if (i) {
			rc = system(line);
			CHECK(WIFEXITED(rc) && WEXITSTATUS(rc) == 4);
			CHECK(has("/tmp/text", "[no-own-cgroup]"));
		}
		end(a);
	}
}

/* Its server says nothing, not even hello. */
static void ask(void)
{
	struct stat st;

	stat("/tmp/fuse/f", &st);
}

static bool is_waiting(pid_t pid)
{
	char path[40], want[40];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	snprintf(want, sizeof(want), ") D %d ", (int)getpid());
	return has(path, want);
}

static void what_does_not_freeze_is_named(void)
{
	struct mntcr_freeze_options o = { .size = sizeof(o), .timeout_ms = 200 };
	int dev = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	pid_t stuck, a = task(CG "/a", count);
	struct mntcr_freeze *f;
	struct mntcr_error e;
	char opts[100], says[100];

	REQUIRE(dev >= 0);
	snprintf(opts, sizeof(opts), "fd=%d,rootmode=40000,user_id=0,group_id=0", dev);
	REQUIRE(!mkdir("/tmp/fuse", 0755));
	REQUIRE(!mount("server", "/tmp/fuse", "fuse", 0, opts));
	stuck = task(CG "/a", ask);
	while (!is_waiting(stuck))
		sched_yield();
	snprintf(says, sizeof(says), "/tmp/cg/a: not frozen after 200 ms; tasks that do not sleep: 1: %d (t-capture-cgrou, state D)",
		 (int)stuck);
	refused(mntcr_freeze(CG "/a", &o, &f, &e), &e, "not-frozen", says);
	CHECK(!f);
	CHECK(has(CG "/a/cgroup.freeze", "0"));
	CHECK(!guard());
	dump_gives_up();
	goes_on();
	end(stuck);
	end(a);
	umount2("/tmp/fuse", MNT_DETACH);
	close(dev);
}

static void a_time_that_is_none(void)
{
	struct mntcr_freeze_options o = { .size = sizeof(o), .timeout_ms = 1ULL << 31 };
	struct mntcr_freeze *f;
	struct mntcr_error e;

	CHECK_EQ(mntcr_freeze(CG "/a", &o, &f, &e), -1);
	CHECK_EQ(e.code, MNTCR_USAGE);
	CHECK(!mntcr_thaw(NULL, &e));
}

/*
 * Beside whatever else there is: in a cgroup with a name that nobody else has, which is
 * the root for what runs here.
 */
static bool own_cgroups(char *name)
{
	char path[80];

	TRY(mkdir(ALL, 0755));
	TRY(mkdir(CG, 0755));
	/* from a cgroup namespace of its own no options of the machine's are set */
	TRY(unshare(CLONE_NEWCGROUP));
	if (mount("cg", ALL, "cgroup2", 0, NULL) || !mkdtemp(name))
		return false;
	snprintf(path, sizeof(path), "%s/cgroup.procs", name);
	/* who may move a task out again is who opened it out there */
	TRY(outside = open(ALL "/cgroup.procs", O_WRONLY | O_CLOEXEC));
	put(path, "0");
	TRY(unshare(CLONE_NEWCGROUP));
	TRY(write(outside, "0", 1));
	TRY(mount("cg", CG, "cgroup2", 0, NULL));
	return true;
}

int main(void)
{
	char name[] = ALL "/mntcr-XXXXXX";

	if (geteuid()) {
		printf("1..0 # SKIP needs root\n");
		return 4;
	}
	counter = mmap(NULL, sizeof(*counter), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	TRY(counter == MAP_FAILED ? -1 : 0);
	TRY(unshare(CLONE_NEWNS));
	TRY(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	TRY(mount("tmp", "/tmp", "tmpfs", 0, NULL));
	if (!own_cgroups(name)) {
		printf("1..0 # SKIP no cgroup2\n");
		return 4;
	}
	TRY(mkdir(CG "/a", 0755));
	TRY(mkdir(CG "/a/b", 0755));
	TRY(mkdir(CG "/other", 0755));
	TAP_RUN(its_tasks_and_those_below);
	TAP_RUN(another_task_in_one_is_named);
	TAP_RUN(what_is_none);
	TAP_RUN(frozen_until_it_is_thawed);
	TAP_RUN(what_was_frozen_stays);
	TAP_RUN(frozen_until_all_is_read);
	TAP_RUN(thawed_when_the_dumper_is_killed);
	TAP_RUN(thawed_without_the_guard);
	TAP_RUN(frozen_in_a_short_time);
	TAP_RUN(not_with_the_caller_in_it);
	TAP_RUN(a_containers_is_found);
	TAP_RUN(dump_freezes_a_container);
	TAP_RUN(dump_ends_with_a_container);
	TAP_RUN(what_does_not_freeze_is_named);
	TAP_RUN(a_time_that_is_none);
	TRY(rmdir(CG "/a/b"));
	TRY(rmdir(CG "/a"));
	TRY(rmdir(CG "/other"));
	TRY(write(outside, "0", 1));
	TRY(rmdir(name));
	return tap_done();
}
