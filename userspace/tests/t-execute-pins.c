// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The command with pins: whatever it ends with other than success, its pins
 * are gone when it has ended.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>

#include "mntcr.h"
#include "base/base.h"
#include "execute/execute.h"
#include "command.h"
#include "tap.h"
#include "world.h"

static char source[64];
static struct world w;
static const char *image = "/tmp/image";

static void tree(void)
{
	world_new_root();
	w_tmpfs("one", "/a");
	w_type("/a", MS_SHARED);
	w_mkdir("/b");
	w_bind("/a", "/b");
}

static void prepare(void)
{
	struct mntcr_source src = { .type = MNTCR_SOURCE_FD };
	struct mntcr_topology *t;
	struct mntcr_error e;

	if (w.nr)
		return;
	world_add(&w, -1, tree);
	src.fd = w.ns[0];
	snprintf(source, sizeof(source), "/proc/%d/fd/%d", getpid(), w.ns[0]);
	REQUIRE(!mntcr_capture(&src, 1, NULL, &t, &e));
	REQUIRE(!mntcr_image_write(t, "/tmp/image", &e));
	mntcr_topology_free(t);
}

/* What it writes goes to out, or nowhere; what it complains of, nowhere. */
static pid_t start(int out, const char *pins)
{
	pid_t pid = fork();
	int fd;

	REQUIRE(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (fd < 0 || dup2(fd, 2) < 0 || dup2(out < 0 ? fd : out, 1) < 0)
		_exit(126);
	fexecve(mntcr, (char *[]) { "mntcr", "restore", "--source", source,
		"--json", "--pin", (char *)pins, (char *)image, NULL }, environ);
	_exit(127);
}

static int wait_for(pid_t pid)
{
	int status;

	REQUIRE(waitpid(pid, &status, 0) == pid);
	return status;
}

static void nothing_pinned(size_t mounts)
{
	CHECK_EQ(world_own_mounts(), mounts);
	CHECK_ERRNO(access("/tmp/pins", F_OK), ENOENT);
}

static void pinned(const char *dir, size_t mounts)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/0", dir);
	CHECK(!access(path, F_OK));
	CHECK_EQ(world_own_mounts(), mounts + 2);
	CHECK(!umount2(dir, MNT_DETACH));
	CHECK_ERRNO(access(path, F_OK), ENOENT);
}

static void success(void)
{
	size_t mounts;
	int out;

	prepare();
	mounts = world_own_mounts();
	out = open("/tmp/out", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	REQUIRE(out >= 0);
	CHECK_EQ(wait_for(start(out, "/tmp/pins")), 0);
	close(out);
	pinned("/tmp/pins", mounts);
	CHECK(!rmdir("/tmp/pins"));
}

/* A link to a directory, with and without a slash behind it. */
static void a_link_leads_to_the_directory(void)
{
	size_t mounts;

	prepare();
	mounts = world_own_mounts();
	REQUIRE(!mkdir("/tmp/real", 0755) && !symlink("real", "/tmp/link"));
	CHECK_EQ(wait_for(start(-1, "/tmp/link")), 0);
	pinned("/tmp/real", mounts);
	CHECK_EQ(wait_for(start(-1, "link/")), 0);
	pinned("/tmp/real", mounts);
	REQUIRE(!unlink("/tmp/link") && !rmdir("/tmp/real"));
}

/* As it is in the middle of pinning. */
static pid_t start_and_stay(const char *pins, int *said)
{
	struct mntcr_error e = { 0 };
	struct mc_pins *p;
	int to[2], ns;
	pid_t pid;

	REQUIRE(!pipe2(to, O_CLOEXEC));
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ns = openat(world_proc_fd, "self/ns/net", O_RDONLY | O_CLOEXEC);
		if (ns < 0 || mc_pins_open(pins, &p, &e) || mc_pins_add(p, &ns, 1, &e) ||
		    write(to[1], "x", 1) != 1)
			errx(1, "%s", e.text);
		for (;;)
			pause();
	}
	close(to[1]);
	*said = to[0];
	return pid;
}

static void what_was_killed_is_taken_away_by_the_next(void)
{
	size_t mounts;
	pid_t pid;
	int said, status;
	char x;

	prepare();
	mounts = world_own_mounts();
	pid = start_and_stay("/tmp/pins", &said);
	REQUIRE(read(said, &x, 1) == 1);
	CHECK_EQ(world_own_mounts(), mounts + 2);
	/* not while it lives */
	status = wait_for(start(-1, "/tmp/pins"));
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == MNTCR_SYS);
	CHECK_EQ(world_own_mounts(), mounts + 2);
	REQUIRE(!kill(pid, SIGKILL));
	wait_for(pid);
	close(said);
	CHECK_EQ(world_own_mounts(), mounts + 2);
	CHECK(!access("/tmp/pins/.unfinished", F_OK));
	CHECK_EQ(wait_for(start(-1, "/tmp/pins")), 0);
	CHECK_ERRNO(access("/tmp/pins/.unfinished", F_OK), ENOENT);
	/* what is whole stays */
	status = wait_for(start(-1, "/tmp/pins"));
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == MNTCR_SYS);
	pinned("/tmp/pins", mounts);
	CHECK(!rmdir("/tmp/pins"));
}

/* What only has the name of it is somebody's. */
static void a_directory_with_that_file_is_not_empty(void)
{
	int status, fd;

	prepare();
	REQUIRE(!mkdir("/tmp/pins", 0700));
	fd = open("/tmp/pins/.unfinished", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	REQUIRE(fd >= 0);
	close(fd);
	status = wait_for(start(-1, "/tmp/pins"));
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == MNTCR_SYS);
	CHECK(!unlink("/tmp/pins/.unfinished") && !rmdir("/tmp/pins"));
}

/* /run, in which the pins will be, propagates to this one's. */
static void slave_tree(void)
{
	w_type("/", MS_REC | MS_SLAVE);
	w_tmpfs("root", "/tmp/root");
	w_mkdir("/tmp/root/run");
	w_bind("/tmp/run", "/tmp/root/run");
	if (chdir("/tmp/root") || syscall(SYS_pivot_root, ".", ".") ||
	    umount2(".", MNT_DETACH) || chdir("/"))
		err(1, "pivot_root");
}

/* As many differences as a program sees that looks at the pinned ones. */
static size_t differences(const struct mntcr_topology *t, const char *pin)
{
	struct mntcr_source src = { .type = MNTCR_SOURCE_PATH, .path = pin };
	struct mntcr_topology *got;
	struct mntcr_error e;
	size_t nr = 0;

	if (mntcr_capture(&src, 1, NULL, &got, &e))
		TAP_SAY("%s", e.text);
	REQUIRE(got);
	REQUIRE(!mntcr_verify(t, got, NULL, &nr, &e));
	mntcr_topology_free(got);
	return nr;
}

static void pins_are_not_seen_inside(void)
{
	char own_source[sizeof(source)];
	struct mntcr_source src = { .type = MNTCR_SOURCE_FD };
	struct world slave = { .nr = 0 };
	struct mntcr_topology *t;
	struct mntcr_error e;

	prepare();
	w_tmpfs("run", "/tmp/run");
	w_type("/tmp/run", MS_SHARED);
	world_add(&slave, -1, slave_tree);
	src.fd = slave.ns[0];
	strcpy(own_source, source);
	snprintf(source, sizeof(source), "/proc/%d/fd/%d", getpid(), src.fd);
	REQUIRE(!mntcr_capture(&src, 1, NULL, &t, &e));
	REQUIRE(!mntcr_image_write(t, "/tmp/image-slave", &e));
	image = "/tmp/image-slave";
	CHECK_EQ(wait_for(start(-1, "/tmp/run/pins")), 0);
	CHECK_EQ(differences(t, "/tmp/run/pins/0"), 0);
	CHECK(!umount2("/tmp/run/pins", MNT_DETACH));
	w_umount("/tmp/run");
	strcpy(source, own_source);
	image = "/tmp/image";
	mntcr_topology_free(t);
	world_close(&slave);
}

static void output_has_no_room(void)
{
	int out = open("/dev/full", O_WRONLY | O_CLOEXEC), status;
	size_t mounts;

	prepare();
	REQUIRE(out >= 0);
	mounts = world_own_mounts();
	status = wait_for(start(out, "/tmp/pins"));
	close(out);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == MNTCR_SYS);
	nothing_pinned(mounts);
}

static void nobody_reads_the_output(void)
{
	size_t mounts;
	int p[2], status;

	prepare();
	mounts = world_own_mounts();
	REQUIRE(!pipe2(p, O_CLOEXEC));
	close(p[0]);
	status = wait_for(start(p[1], "/tmp/pins"));
	close(p[1]);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
	nothing_pinned(mounts);
}

static void fill(int fd)
{
	char page[4096] = "";

	REQUIRE(!fcntl(fd, F_SETFL, O_NONBLOCK));
	while (write(fd, page, sizeof(page)) > 0)
		;
	REQUIRE(errno == EAGAIN);
	REQUIRE(!fcntl(fd, F_SETFL, 0));
}

/*
 * Started, and there are so many more mounts than *mounts were before.  It cannot
 * end before what it says is read from *out.
 */
static pid_t start_until(size_t more, size_t *mounts, int *out)
{
	struct pollfd change = { .events = POLLPRI };
	int p[2];
	pid_t pid;

	prepare();
	*mounts = world_own_mounts();
	REQUIRE(!pipe2(p, O_CLOEXEC));
	fill(p[1]);
	change.fd = openat(world_proc_fd, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	REQUIRE(change.fd >= 0);
	pid = start(p[1], "/tmp/pins");
	close(p[1]);
	while (world_own_mounts() < *mounts + more)
		REQUIRE(poll(&change, 1, 20000) == 1);
	close(change.fd);
	*out = p[0];
	return pid;
}

/* Wherever it is by then, once there is something to be taken away again. */
static void interrupt_at_the_start(void)
{
	size_t mounts;
	int out, status;
	pid_t pid = start_until(1, &mounts, &out);

	REQUIRE(!kill(pid, SIGINT));
	close(out);
	status = wait_for(pid);
	CHECK(WIFSIGNALED(status) && (WTERMSIG(status) == SIGINT ||
				      WTERMSIG(status) == SIGPIPE));
	nothing_pinned(mounts);
}

static void interrupted(int sig)
{
	char page[4096];
	size_t mounts;
	int out, status;
	pid_t pid = start_until(2, &mounts, &out);

	REQUIRE(!kill(pid, sig));
	while (read(out, page, sizeof(page)) > 0)
		;
	close(out);
	status = wait_for(pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == sig);
	nothing_pinned(mounts);
}

static void interrupt_at_the_end(void)
{
	interrupted(SIGINT);
}

static void termination_at_the_end(void)
{
	interrupted(SIGTERM);
}

/* nohup: what is ignored ends nothing. */
static void ignored_at_the_end(void)
{
	size_t mounts;

	prepare();
	mounts = world_own_mounts();
	REQUIRE(signal(SIGHUP, SIG_IGN) != SIG_ERR);
	CHECK_EQ(wait_for(start(-1, "/tmp/pins")), 0);
	signal(SIGHUP, SIG_DFL);
	pinned("/tmp/pins", mounts);
	CHECK(!rmdir("/tmp/pins"));
}

int main(void)
{
	find_mntcr();
	world_start();
	TAP_RUN(success);
	TAP_RUN(a_link_leads_to_the_directory);
	TAP_RUN(what_was_killed_is_taken_away_by_the_next);
	TAP_RUN(a_directory_with_that_file_is_not_empty);
	TAP_RUN(pins_are_not_seen_inside);
	TAP_RUN(output_has_no_room);
	TAP_RUN(nobody_reads_the_output);
	TAP_RUN(interrupt_at_the_start);
	TAP_RUN(interrupt_at_the_end);
	TAP_RUN(termination_at_the_end);
	TAP_RUN(ignored_at_the_end);
	return tap_done();
}
