// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The command driven over a socket: what is said, what is wrong, and a driver that dies
 * between any two lines.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "command.h"
#include "late-owner.h"
#include "send-line.h"
#include "staged.h"
#include "time-ns.h"

#define IMAGE	"/tmp/image"
#define PINS	"/tmp/pins"

/* --- the other end -------------------------------------------------------------- */

struct drive {
	pid_t pid;
	int fd;
	FILE *in;
	int fds[8];		/* that came, in their order */
	size_t nr_fds;
	char line[4096];	/* the last one */
	size_t lines;		/* of the last answer, without its last */
};

static struct staged x;

static int socket_type = SOCK_STREAM;

static struct drive start(const char *const *more)
{
	char *argv[16] = { "mntcr", "restore", "--stages", "100" };
	struct drive d = { 0 };
	int pair[2], null, i = 4;

	while (more && *more)
		argv[i++] = (char *)*more++;
	argv[i] = IMAGE;
	REQUIRE(!socketpair(AF_UNIX, socket_type | SOCK_CLOEXEC, 0, pair));
	d.pid = fork();
	REQUIRE(d.pid >= 0);
	if (!d.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		if (dup2(pair[1], 100) < 0 || dup2(null, 2) < 0)
			_exit(126);
		fexecve(mntcr, argv, environ);
		_exit(127);
	}
	close(pair[1]);
	d.fd = pair[0];
	return d;
}

static void say(struct drive *d, const char *line, int fd)
{
	REQUIRE(send_line(d->fd, line, fd));
}

/* One line, byte by byte, with what comes with it. */
static bool hear(struct drive *d)
{
	union {
		struct cmsghdr h;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	size_t n = 0;

	for (;;) {
		struct iovec io = { d->line + n, 1 };
		struct msghdr m = {
			.msg_iov = &io, .msg_iovlen = 1, .msg_control = &control,
			.msg_controllen = sizeof(control),
		};
		struct cmsghdr *c;

		if (n == sizeof(d->line) - 1 ||
		    recvmsg(d->fd, &m, MSG_CMSG_CLOEXEC) != 1)
			break;
		c = CMSG_FIRSTHDR(&m);
		if (c && d->nr_fds < 8)
			memcpy(&d->fds[d->nr_fds++], CMSG_DATA(c), sizeof(int));
		if (d->line[n++] != '\n')
			continue;
		d->line[n - 1] = '\0';
		return true;
	}
	d->line[n] = '\0';
	return false;
}

/* Up to the last line of the answer; is it ok? */
static bool ok(struct drive *d)
{
	for (d->lines = 0; hear(d); d->lines++) {
		if (!strcmp(d->line, "ok"))
			return true;
		if (!strncmp(d->line, "error ", 6))
			return false;
	}
	return false;
}

static void ask(struct drive *d, const char *line, int fd)
{
	say(d, line, fd);
	if (ok(d))
		return;
	TAP_SAY("%s answered by: %s", line, d->line);
	REQUIRE(!"ok");
}

/* What it ended with, and nothing of it is left. */
static int over(struct drive *d)
{
	int ret = 0;

	close(d->fd);
	if (d->pid > 0)
		ret = wd_wait_for(d->pid);
	while (d->nr_fds)
		close(d->fds[--d->nr_fds]);
	return ret;
}

static void prepare(struct mntcr_topology *t)
{
	need_stages();
	x = staged_new(t);
	REQUIRE(!staged_fails(&x, mntcr_image_write(t, IMAGE, &x.e)));
}

static void nothing_left(void)
{
	CHECK_ERRNO(access(PINS, F_OK), ENOENT);
	staged_over(&x);
}

static const char *const give[3] = {
	"give pid 5000\n", "give pid 5001\n", "give pid 5002\n",
};

/* --- tests ------------------------------------------------------------------------ */

static size_t mounts_of(int ns)
{
	struct wd_text text = { 0 };
	size_t n = 0;
	char *p;

	REQUIRE(!wd_mountinfo(ns, &text));
	for (p = text.s; p && (p = strchr(p, '\n')); p++)
		n++;
	free(text.s);
	return n;
}

static void the_whole_way(void)
{
	struct drive d;
	char line[64];
	int fd;

	prepare(nested());
	d = start(NULL);
	ask(&d, "begin\n", -1);
	/* three, each on another that is waited for */
	CHECK_EQ(d.lines, 6);
	ask(&d, "place\n", -1);
	/* a namespace, three that are waited for */
	CHECK_EQ(d.lines, 4);
	REQUIRE(d.nr_fds == 1);
	CHECK_EQ(mounts_of(d.fds[0]), PLACED_MOUNTS);
	ask(&d, give[1], x.pid[1].fd);
	ask(&d, "delayed\n", -1);
	/* it is there, but what it is on is not */
	CHECK_EQ(d.lines, 2);
	CHECK_EQ(mounts_of(d.fds[0]), PLACED_MOUNTS);
	snprintf(line, sizeof(line), "give pid 5000 /proc/%d/fd/%d\n", (int)getpid(),
		 x.pid[0].fd);
	ask(&d, line, -1);
	ask(&d, give[2], x.pid[2].fd);
	ask(&d, "delayed\n", -1);
	CHECK_EQ(d.lines, 0);
	CHECK_EQ(mounts_of(d.fds[0]), PLACED_MOUNTS + 4);
	ask(&d, "share\n", -1);
	ask(&d, "end\n", -1);
	/* held by the descriptor alone from here on */
	fd = d.fds[0];
	d.nr_fds = 0;
	CHECK_EQ(over(&d), 0);
	CHECK_EQ(mounts_of(fd), PLACED_MOUNTS + 4);
	close(fd);
	nothing_left();
}

/* What is its waits with it, and its namespace is handed out then. */
static void an_owner_that_is_given(void)
{
	static const char *const give_user[] = { "--give", "user:6000", NULL };
	struct holder h;
	struct drive d;
	int user, owner;

	prepare(owned());
	user = userns_with("0 1000 10", &h);
	x.fds += 2;	/* h's, user */
	d = start(give_user);
	ask(&d, "begin\n", -1);
	ask(&d, "place\n", -1);
	/* the other one is the caller's */
	REQUIRE(d.nr_fds == 1);
	CHECK_EQ(mounts_of(d.fds[0]), 1);
	ask(&d, give[0], x.pid[0].fd);
	ask(&d, "delayed\n", -1);
	CHECK_EQ(d.nr_fds, 1);
	ask(&d, "give user 6000\n", user);
	ask(&d, "delayed\n", -1);
	REQUIRE(d.nr_fds == 2);
	owner = ioctl(d.fds[1], MC_NS_GET_USERNS);
	CHECK_EQ(staged_ino(owner), staged_ino(user));
	close(owner);
	CHECK_EQ(mounts_of(d.fds[0]), 2);
	CHECK_EQ(mounts_of(d.fds[1]), 4);
	ask(&d, "share\n", -1);
	ask(&d, "end\n", -1);
	CHECK_EQ(over(&d), 0);
	/* one whose maps are others is no such one */
	scene_release(&h);
	close(user);
	user = userns_with("0 1000 11", &h);
	d = start(give_user);
	ask(&d, "place\n", -1);
	say(&d, "give user 6000\n", user);
	CHECK(!ok(&d));
	CHECK(strstr(d.line, "given-owner-maps"));
	CHECK_EQ(over(&d), MNTCR_REFUSED);
	/* the dumper's own is nobody's to give: said before anything is made */
	x.t->userns[0].ino = 6001;
	REQUIRE(!staged_fails(&x, mntcr_image_write(x.t, IMAGE, &x.e)));
	d = start((const char *const []){ "--give", "user:6001", NULL });
	say(&d, "begin\n", -1);
	CHECK(!ok(&d));
	CHECK(strstr(d.line, "the dumper's own"));
	CHECK_EQ(over(&d), MNTCR_USAGE);
	scene_release(&h);
	close(user);
	x.fds -= 2;
	nothing_left();
}

static int is_ahead_at_time(void *data)
{
	int fd = open("/time", O_RDONLY | O_CLOEXEC);

	return fd < 0 || !time_ns_is_ahead(fd, *(int *)data);
}

/* Mounted as a file, and given as a namespace: by its number, as the file's name has it. */
static void a_time_namespace_that_is_given(void)
{
	struct mntcr_topology *t;
	struct mc_mount *m;
	struct drive d;
	int time, ahead = 5000;

	need_stages();
	time = time_ns_new(world_proc_fd, ahead);
	if (time < 0)
		SKIP("this kernel has no time namespaces");
	t = staged_topology();
	staged_sb(t, "nsfs", 0x6e736673, 0);
	m = staged_mount(t, 101, 0, 1, "/time");
	m->root = mc_topology_str(t, "time:[4026540000]");
	m->mp_type = MC_MP_OTHER;
	m->nsfs_type = CLONE_NEWTIME;
	m->nsfs_ino = 4026540000;
	prepare(staged_finish(t));
	d = start((const char *const []){ "--give", "time:4026540000", NULL });
	ask(&d, "begin\n", -1);
	CHECK_EQ(d.lines, 2);
	ask(&d, "place\n", -1);
	REQUIRE(d.nr_fds == 1);
	CHECK_EQ(mounts_of(d.fds[0]), 1);
	ask(&d, "give time 4026540000\n", time);
	ask(&d, "delayed\n", -1);
	CHECK_EQ(mounts_of(d.fds[0]), 2);
	ask(&d, "share\n", -1);
	ask(&d, "end\n", -1);
	CHECK_EQ(world_in(d.fds[0], is_ahead_at_time, &ahead), 0);
	CHECK_EQ(over(&d), 0);
	nothing_left();
	close(time);
}

/* A pid namespace that is made: its init comes into it afterwards, as 1. */
static void made_and_handed_out(void)
{
	struct mntcr_topology *t = nested();
	struct drive d;
	char path[64];
	int status;
	pid_t pid;

	t->sbs[1].pidns_depth = 1;
	prepare(t);
	d = start(NULL);
	ask(&d, "begin\n", -1);
	CHECK_EQ(d.lines, 4);
	ask(&d, "place\n", -1);
	REQUIRE(d.nr_fds == 2);
	/* below another tmpfs, which is not in this one's way */
	CHECK_EQ(mounts_of(d.fds[0]), PLACED_MOUNTS + 1);
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		/* the tests' own, whose /proc shows this pid namespace */
		if (setns(d.fds[1], CLONE_NEWPID))
			_exit(1);
		pid = fork();
		if (pid)
			_exit(wd_wait_for(pid));
		if (getpid() != 1 || setns(d.fds[0], CLONE_NEWNS) ||
		    umount2("/d", MNT_DETACH) ||
		    readlink("/d/p/self", path, sizeof(path)) != 1 || *path != '1')
			_exit(2);
		_exit(0);
	}
	status = wd_wait_for(pid);
	CHECK_EQ(status, 0);
	ask(&d, "abort\n", -1);
	CHECK_EQ(over(&d), 0);
	nothing_left();
}

static int run(const char *const *argv)
{
	int null;
	pid_t pid = fork();

	REQUIRE(pid >= 0);
	if (!pid) {
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		if (dup2(null, 2) < 0)
			_exit(126);
		fexecve(mntcr, (char **)argv, environ);
		_exit(127);
	}
	return wd_wait_for(pid);
}

/* What a task held: dumped with a namespace, and nobody but a driver can take it. */
static void a_detached_tree(void)
{
	static const char *const verify[] = { "--verify", NULL };
	char ns[40], of[32];
	const char *const dump[] = {
		"mntcr", "dump", "-o", IMAGE, "--contents", "--detached", of, ns, NULL
	};
	const char *const pin[] = { "mntcr", "restore", "--pin", PINS, IMAGE, NULL };
	const char *const compare[] = { "mntcr", "verify", IMAGE, ns, of, NULL };
	const char *const discard[] = { "mntcr", "restore", "--discard", IMAGE, NULL };
	const char *const check[] = { "mntcr", "restore", "--check", IMAGE, NULL };
	const char *const live[] = { "mntcr", "restore", "--discard", "--source", of, IMAGE, NULL };
	const char *const number[] = { "mntcr", "dump", "--detached", "3", NULL };
	struct world w = { .nr = 0 };
	struct drive d;
	int fs, tree;

	prepare(nested());
	world_add(&w, -1, world_new_root);
	fs = mc_fsopen("tmpfs", 1);
	REQUIRE(fs >= 0 && !mc_fsconfig(fs, 6, NULL, NULL, 0));
	tree = mc_fsmount(fs, 1, 0);
	close(fs);
	REQUIRE(tree >= 0 && !mkdirat(tree, "its own", 0755));
	snprintf(ns, sizeof(ns), "/proc/%d/fd/%d", (int)getpid(), w.ns[0]);
	snprintf(of, sizeof(of), "%d:%d", (int)getpid(), tree);
	CHECK_EQ(run(dump), 0);
	CHECK_EQ(run(compare), 0);
	CHECK_EQ(run(pin), MNTCR_REFUSED);
	CHECK_EQ(run(discard), MNTCR_REFUSED);
	CHECK_EQ(run(check), MNTCR_REFUSED);
	CHECK_EQ(run(live), MNTCR_REFUSED);
	CHECK_EQ(run(number), MNTCR_USAGE);
	close(tree);
	CHECK_EQ(run(compare), MNTCR_REFUSED);
	world_close(&w);
	d = start(verify);
	ask(&d, "begin\n", -1);
	ask(&d, "place\n", -1);
	CHECK_EQ(d.nr_fds, 1);
	ask(&d, "share\n", -1);
	say(&d, "end\n", -1);
	REQUIRE(hear(&d));
	CHECK_STR(d.line, "detached 1");
	REQUIRE(ok(&d) && d.nr_fds == 2);
	CHECK(!faccessat(d.fds[1], "its own", F_OK, 0));
	CHECK_EQ(over(&d), 0);
	nothing_left();
}

/* The tree of IMAGE, in place: the kernel dumps no such one. */
static void mark_unbindable(void)
{
	struct mntcr_contents *contents;
	struct mntcr_topology *t;
	struct mntcr_error e = { 0 };

	REQUIRE(!mntcr_image_read_contents(IMAGE, &t, &contents, &e));
	REQUIRE(t->nr_mounts == 1 && t->ns[0].detached && !contents);
	t->mounts[0].unbindable = true;
	REQUIRE(!mntcr_image_write(t, IMAGE, &e));
	mntcr_topology_free(t);
}

/* It can be made, but not looked at: said before there is anything to be looked at. */
static void a_detached_tree_that_cannot_be_verified(void)
{
	static const char *const verify[] = { "--verify", NULL };
	char of[32];
	const char *const dump[] = { "mntcr", "dump", "-o", IMAGE, "--detached", of, NULL };
	struct drive d;
	int fs, tree;

	prepare(nested());
	fs = mc_fsopen("tmpfs", 1);
	REQUIRE(fs >= 0 && !mc_fsconfig(fs, 6, NULL, NULL, 0));
	tree = mc_fsmount(fs, 1, 0);
	close(fs);
	REQUIRE(tree >= 0);
	snprintf(of, sizeof(of), "%d:%d", (int)getpid(), tree);
	CHECK_EQ(run(dump), 0);
	close(tree);
	mark_unbindable();
	d = start(verify);
	REQUIRE(hear(&d));
	CHECK(strstr(d.line, "error ") == d.line);
	CHECK(strstr(d.line, "unbindable, in a detached tree"));
	CHECK(strstr(d.line, "[detached-unbindable]"));
	CHECK_EQ(d.nr_fds, 0);
	CHECK_EQ(over(&d), MNTCR_REFUSED);
	d = start(NULL);
	ask(&d, "begin\n", -1);
	ask(&d, "place\n", -1);
	ask(&d, "share\n", -1);
	say(&d, "end\n", -1);
	REQUIRE(hear(&d));
	CHECK_STR(d.line, "detached 0");
	REQUIRE(ok(&d));
	CHECK_EQ(over(&d), 0);
	nothing_left();
}

/* All that there is to say, and after which of it the driver dies. */
static void driver_dies_between_any_two_lines(void)
{
	static const char *const pins[] = { "--pin", PINS, NULL };
	static const char *const lines[] = {
		"begin\n", "place\n", NULL, "delayed\n", NULL, NULL, "delayed\n",
		"share\n",
	};
	struct drive d;
	size_t i, k, n;

	for (k = 0; k <= sizeof(lines) / sizeof(lines[0]); k++) {
		prepare(nested());
		d = start(pins);
		for (i = n = 0; i < k; i++) {
			ask(&d, lines[i] ? lines[i] : give[n],
			    lines[i] ? -1 : x.pid[n].fd);
			n += !lines[i];
		}
		/* or with half a line */
		say(&d, k & 1 ? "sha" : "", -1);
		CHECK_EQ(over(&d), MNTCR_SYS);
		nothing_left();
	}
}

/* All of it, with a second try's pins, which take away what the first left of its. */
static void once_more(const char *const *pins)
{
	struct drive d = start(pins);
	int i;

	for (i = 0; i < 3; i++)
		ask(&d, give[i], x.pid[i].fd);
	ask(&d, "place\n", -1);
	ask(&d, "share\n", -1);
	ask(&d, "end\n", -1);
	CHECK_EQ(over(&d), 0);
	if (!pins)
		return;
	CHECK(!access(PINS "/0", F_OK));
	CHECK(!umount2(PINS, MNT_DETACH) && !rmdir(PINS));
}

/* Nobody is there to undo anything: it goes with the descriptors. */
static void killed_between_any_two_lines(void)
{
	static const char *const pinned[] = { "--pin", PINS, NULL };
	static const char *const lines[] = {
		"begin\n", "place\n", NULL, "delayed\n", NULL, NULL, "delayed\n",
		"share\n",
	};
	const char *const *pins;
	struct drive d;
	size_t i, k, n;
	int status;

	for (k = 0; k <= 2 * (sizeof(lines) / sizeof(lines[0])) + 1; k++) {
		pins = k & 1 ? pinned : NULL;
		prepare(nested());
		d = start(pins);
		for (i = n = 0; i < k / 2; i++) {
			ask(&d, lines[i] ? lines[i] : give[n],
			    lines[i] ? -1 : x.pid[n].fd);
			n += !lines[i];
		}
		/* or while it does what it has just been asked for */
		if (k / 2 < sizeof(lines) / sizeof(lines[0]) && lines[k / 2])
			say(&d, lines[k / 2], -1);
		REQUIRE(!kill(d.pid, SIGKILL));
		REQUIRE(waitpid(d.pid, &status, 0) == d.pid);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		d.pid = 0;
		over(&d);
		/* what is pinned there at most is the place for pins */
		CHECK_ERRNO(access(PINS "/0", F_OK), ENOENT);
		CHECK(world_own_mounts() - x.mounts <= (k & 1));
		CHECK_EQ(staged_namespaces_end(x.namespaces), x.namespaces);
		once_more(pins);
		nothing_left();
	}
}

static void a_signal_ends_it(void)
{
	static const char *const pins[] = { "--pin", PINS, NULL };
	struct drive d;
	int status;

	prepare(nested());
	d = start(pins);
	ask(&d, "begin\n", -1);
	ask(&d, "place\n", -1);
	CHECK(!access(PINS, F_OK));
	REQUIRE(!kill(d.pid, SIGTERM));
	REQUIRE(waitpid(d.pid, &status, 0) == d.pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	d.pid = 0;
	over(&d);
	nothing_left();
}

static void pinned_at_the_end(void)
{
	static const char *const pins[] = { "--pin", PINS, "--verify", NULL };
	struct drive d;
	int i;

	prepare(nested());
	d = start(pins);
	for (i = 0; i < 3; i++)
		ask(&d, give[i], x.pid[i].fd);
	ask(&d, "place\n", -1);
	CHECK_EQ(d.lines, 1);
	CHECK_ERRNO(access(PINS "/0", F_OK), ENOENT);
	ask(&d, "share\n", -1);
	ask(&d, "end\n", -1);
	CHECK_EQ(over(&d), 0);
	CHECK(!access(PINS "/0", F_OK));
	CHECK(!umount2(PINS, MNT_DETACH) && !rmdir(PINS));
	nothing_left();
}

/* After begin and place, if that is not wrong as well. */
struct fault {
	const char *line;
	bool fd;
	const char *error;
};

static void faults(void)
{
	static const struct fault all[] = {
		{ "hello\n", false, "not a request" },
		{ "\n", false, "not a request" },
		{ "place now\n", false, "not a request" },
		{ " place\n", false, "not a request" },
		{ "place\n", false, "place: not at this stage" },
		{ "end\n", false, "end: not at this stage" },
		{ "share\n", false, "waits for pid 5000" },
		{ "give\n", true, "KIND ID" },
		{ "give pid\n", true, "KIND ID" },
		{ "give pid 5000x\n", true, "KIND ID" },
		{ "give pid -1\n", true, "KIND ID" },
		{ "give pid 99999999999999999999\n", true, "KIND ID" },
		{ "give pig 5000\n", true, "KIND ID" },
		{ "give superblock 5\n", true, "KIND ID" },
		{ "give pid 5000\n", false, "no descriptor has come" },
		{ "give pid 4999\n", true, "nothing waits for it" },
		{ "give net 5000\n", true, "nothing waits for it" },
		{ "give superblock 0:200\n", true, "nothing waits for it" },
		{ "give mount 102\n", true, "nothing waits for it" },
		{ "give pid 5000 /proc/self/fd/0\n", false, "/proc/PID/fd/N" },
		{ "give pid 5000 /proc/1/fd/../ns/pid\n", false, "/proc/PID/fd/N" },
		{ "give pid 5000 /proc/1/fd/99999\n", false, "No such file" },
		{ "give pid 5000 /proc/1/fd/0 x\n", false, "not a request" },
		{ "delayed\n", true, "a descriptor with no give" },
	};
	struct drive d;
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		prepare(nested());
		d = start(NULL);
		ask(&d, "begin\n", -1);
		ask(&d, "place\n", -1);
		say(&d, all[i].line, all[i].fd ? x.pid[0].fd : -1);
		CHECK(!ok(&d));
		if (!strstr(d.line, all[i].error)) {
			TAP_SAY("%s answered by: %s", all[i].line, d.line);
			tap.bad = 1;
		}
		/* that was the last of it */
		CHECK(!hear(&d));
		CHECK(over(&d) != 0);
		nothing_left();
	}
}

static void faults_of_length(void)
{
	char longest[5000];
	struct drive d;

	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	prepare(nested());
	d = start(NULL);
	say(&d, longest, -1);
	CHECK(!ok(&d));
	CHECK(strstr(d.line, "a line of more than 4095 bytes"));
	CHECK_EQ(over(&d), MNTCR_USAGE);
	nothing_left();
}

/* More than a socket holds: who writes it is not to fail before it reads what is wrong. */
static pid_t write_line(int to)
{
	const size_t size = 1 << 20;
	char *line = malloc(size + 1);
	pid_t pid = fork();

	REQUIRE(line && pid >= 0);
	memset(line, 'x', size);
	memcpy(line + size - 1, "\n", 2);
	if (!pid)
		_exit(!send_line(to, line, -1));
	free(line);
	return pid;
}

static void a_line_is_heard_to_its_end(void)
{
	struct drive d;
	pid_t writer;

	prepare(nested());
	d = start(NULL);
	writer = write_line(d.fd);
	CHECK(!ok(&d));
	CHECK(strstr(d.line, "a line of more than 4095 bytes"));
	CHECK_EQ(wd_wait_for(writer), 0);
	CHECK(!hear(&d));
	CHECK_EQ(over(&d), MNTCR_USAGE);
	nothing_left();
}

/* It comes to its end before it asks for anything. */
static void so_is_one_that_came_early(void)
{
	struct pollfd p = { .events = POLLOUT };
	struct drive d;
	pid_t writer;
	int image;

	prepare(nested());
	REQUIRE(!unlink(IMAGE) && !mkfifo(IMAGE, 0600));
	d = start(NULL);
	writer = write_line(d.fd);
	p.fd = d.fd;
	while (poll(&p, 1, 0))
		REQUIRE(!waitpid(writer, NULL, WNOHANG));
	image = open(IMAGE, O_WRONLY | O_CLOEXEC);
	REQUIRE(image >= 0);
	close(image);
	CHECK(!ok(&d));
	CHECK(strstr(d.line, IMAGE));
	CHECK_EQ(wd_wait_for(writer), 0);
	CHECK(over(&d) != 0);
	REQUIRE(!unlink(IMAGE));
	nothing_left();
}

static void given_twice_and_of_another_kind(void)
{
	struct drive d;
	int net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	prepare(nested());
	d = start(NULL);
	ask(&d, give[0], x.pid[0].fd);
	say(&d, give[0], x.pid[0].fd);
	CHECK(!ok(&d));
	CHECK_STR(d.line, "error give pid 5000: it has been given already");
	CHECK_EQ(over(&d), MNTCR_USAGE);
	nothing_left();
	prepare(nested());
	d = start(NULL);
	say(&d, give[0], net);
	CHECK(!ok(&d));
	CHECK_STR(d.line, "error give pid 5000: the descriptor is a namespace's of another kind");
	CHECK_EQ(over(&d), MNTCR_USAGE);
	nothing_left();
	close(net);
}

/* Of datagrams nobody is told that the driver has gone. */
static void sockets_of_other_kinds(void)
{
	struct drive d;

	prepare(nested());
	socket_type = SOCK_DGRAM;
	d = start(NULL);
	CHECK_EQ(over(&d), MNTCR_USAGE);
	socket_type = SOCK_SEQPACKET;
	d = start(NULL);
	say(&d, "abort\n", -1);
	CHECK(over(&d) != MNTCR_USAGE);
	socket_type = SOCK_STREAM;
	nothing_left();
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	find_mntcr();
	world_start();
	/* who waits for an answer is to die of it */
	alarm(200);
	TAP_RUN(the_whole_way);
	TAP_RUN(an_owner_that_is_given);
	TAP_RUN(a_time_namespace_that_is_given);
	TAP_RUN(made_and_handed_out);
	TAP_RUN(a_detached_tree);
	TAP_RUN(a_detached_tree_that_cannot_be_verified);
	TAP_RUN(pinned_at_the_end);
	TAP_RUN(driver_dies_between_any_two_lines);
	TAP_RUN(killed_between_any_two_lines);
	TAP_RUN(a_signal_ends_it);
	TAP_RUN(faults);
	TAP_RUN(faults_of_length);
	TAP_RUN(a_line_is_heard_to_its_end);
	TAP_RUN(so_is_one_that_came_early);
	TAP_RUN(given_twice_and_of_another_kind);
	TAP_RUN(sockets_of_other_kinds);
	return tap_done();
}
