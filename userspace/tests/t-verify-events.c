// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * verify --events: the same where it is the same, and where only an event can
 * tell, told.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <poll.h>

#include "mntcr.h"
#include "base/base.h"
#include "topology/topology.h"
#include "scene.h"

long __real_syscall(long nr, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f);

static unsigned int nr_statmounts;
static const char *cannot_walk;		/* to where */
static ino_t cannot_mount;		/* in which namespace */
static ino_t cannot_walk_again;		/* in which: after the first time */

static bool is_in(ino_t ns)
{
	struct stat st;

	return ns && !stat("/proc/self/ns/mnt", &st) && st.st_ino == ns;
}

long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	if (nr == __NR_statmount)
		nr_statmounts++;
	if (nr == __NR_openat2 && cannot_walk &&
	    !strcmp((const char *)b, cannot_walk)) {
		errno = EIO;
		return -1;
	}
	if (nr == __NR_openat2 && is_in(cannot_walk_again)) {
		static pid_t been;
		long fd;

		if (been == getpid()) {
			errno = EIO;
			return -1;
		}
		fd = __real_syscall(nr, a, b, c, d, e, f);
		if (fd >= 0)
			been = getpid();
		return fd;
	}
	if (nr == __NR_move_mount && is_in(cannot_mount)) {
		errno = EIO;
		return -1;
	}
	return __real_syscall(nr, a, b, c, d, e, f);
}

/* The end of the one who answers is seen, and not yet what was sent before that. */
static bool seen_in_between, has_to_end;

ssize_t __real_send(int fd, const void *p, size_t n, int flags);
ssize_t __wrap_send(int fd, const void *p, size_t n, int flags);
ssize_t __wrap_send(int fd, const void *p, size_t n, int flags)
{
	has_to_end = seen_in_between && n == 1 && *(const char *)p == 'e';
	return __real_send(fd, p, n, flags);
}

ssize_t __real_recv(int fd, void *p, size_t n, int flags);
ssize_t __wrap_recv(int fd, void *p, size_t n, int flags);
ssize_t __wrap_recv(int fd, void *p, size_t n, int flags)
{
	struct pollfd other = { .fd = fd, .events = POLLRDHUP };

	if (!has_to_end)
		return __real_recv(fd, p, n, flags);
	has_to_end = false;
	CHECK_EQ(poll(&other, 1, -1), 1);
	return 0;
}

static void say(void *data, const char *line)
{
	TAP_SAY("%s", line);
}

static size_t events_by(const struct holder *a, const struct holder *b,
			unsigned int flags, size_t *nr_events)
{
	struct mntcr_source x = { .type = MNTCR_SOURCE_FD, .fd = a->ns };
	struct mntcr_source y = { .type = MNTCR_SOURCE_FD, .fd = b->ns };
	struct mntcr_verify_options opts = {
		.size = sizeof(opts),
		.flags = flags, .report = say, .max_reports = 5,
	};
	struct mntcr_error e;
	size_t nr = 1;

	if (mntcr_verify_events(&x, 1, &y, 1, &opts, nr_events, &nr, &e)) {
		TAP_SAY("%s", e.text);
		REQUIRE(!"compared");
	}
	return nr;
}

static size_t events(const struct holder *a, const struct holder *b,
		     size_t *nr_events)
{
	return events_by(a, b, 0, nr_events);
}

static int bind(const char *from, const char *to)
{
	return mount(from, to, "none", MS_BIND, NULL);
}

static int type(const char *path, unsigned long flags)
{
	return mount("none", path, "none", flags, NULL);
}

/* Sharing of most kinds, a stack, a file. */
static int many_kinds(void *data)
{
	static const char * const dirs[] = {
		"t", "p", "q", "s", "ss", "u", "st", "st2", "d"
	};
	size_t i;
	int fd;

	DO(chdir(SCENE_DIR));
	DO(mount("own", ".", "tmpfs", 0, NULL));
	DO(chdir(SCENE_DIR));
	for (i = 0; i < MC_ARRAY_SIZE(dirs); i++)
		DO(mkdir(dirs[i], 0755));
	DO(mount("t", "t", "tmpfs", 0, NULL));
	DO(mkdir("t/a", 0755));
	DO(mkdir("t/b", 0755));
	fd = open("t/f", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	DO(fd < 0);
	close(fd);
	fd = open("f", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	DO(fd < 0);
	close(fd);
	DO(type("t", MS_SHARED));
	DO(bind("t/a", "p"));
	DO(bind("t/b", "q"));
	DO(bind("t", "s"));
	DO(type("s", MS_SLAVE));
	DO(bind("s", "ss"));
	DO(type("ss", MS_SHARED));
	DO(bind("t", "u"));
	DO(type("u", MS_UNBINDABLE));
	DO(bind("t", "st"));
	DO(bind("st", "st"));
	DO(bind("t/f", "f"));
	DO(umount("t"));
	return 0;
}

static void the_same_is_the_same(void)
{
	struct holder a, b;
	size_t nr;

	scene_enter();
	a = scene_hold(CLONE_NEWNS, many_kinds, NULL);
	b = scene_hold(CLONE_NEWNS, many_kinds, NULL);
	CHECK_EQ(events(&a, &b, &nr), 0);
	TAP_SAY("%zu events", nr);
	CHECK(nr > 10);
	/* and nothing stays: a second time gives the same */
	CHECK_EQ(events(&a, &b, &nr), 0);
	scene_release(&a);
	scene_release(&b);
}

/* As where the helper sends its last word between two looks of recv(2), and ends. */
static void a_last_word_that_is_seen_late(void)
{
	struct holder a, b;
	size_t nr;

	scene_enter();
	a = scene_hold(CLONE_NEWNS, many_kinds, NULL);
	b = scene_hold(CLONE_NEWNS, many_kinds, NULL);
	seen_in_between = true;
	CHECK_EQ(events(&a, &b, &nr), 0);
	seen_in_between = false;
	CHECK(nr > 10);
	scene_release(&a);
	scene_release(&b);
}

/* Each event would be one on both sides. */
static void one_namespace_is_not_two(void)
{
	const struct mntcr_verify_options opts = { .size = sizeof(opts), .report = say };
	struct mntcr_source x, y[2] = { 0 };
	struct mntcr_error e;
	struct holder a, b;
	size_t nr = 1, nr_events = 1;

	scene_enter();
	a = scene_hold(CLONE_NEWNS, many_kinds, NULL);
	b = scene_hold(CLONE_NEWNS, many_kinds, NULL);
	x = (struct mntcr_source){ .type = MNTCR_SOURCE_FD, .fd = a.ns };
	y[0] = (struct mntcr_source){ .type = MNTCR_SOURCE_FD, .fd = b.ns };
	y[1] = (struct mntcr_source){ .type = MNTCR_SOURCE_PID, .pid = a.pid };
	CHECK_EQ(mntcr_verify_events(&x, 1, &x, 1, &opts, &nr_events, &nr, &e), -1);
	CHECK_EQ(e.code, MNTCR_USAGE);
	CHECK(strstr(e.text, "are one namespace"));
	CHECK_EQ(mntcr_verify_events(&x, 1, y, 2, &opts, &nr_events, &nr, &e), -1);
	CHECK_EQ(e.code, MNTCR_USAGE);
	CHECK_EQ(nr_events, 0);
	scene_release(&a);
	scene_release(&b);
}

/* What is mounted for an event is not, of course. */
static void the_very_same_superblocks(void)
{
	struct holder a, b;
	size_t nr;

	scene_enter();
	scene_mkdir("t");
	scene_tmpfs("t", "t");
	a = scene_hold(CLONE_NEWNS, NULL, NULL);
	b = scene_hold(CLONE_NEWNS, NULL, NULL);
	CHECK_EQ(events_by(&a, &b, MNTCR_VERIFY_DEVICES, &nr), 0);
	CHECK(nr > 0);
	scene_release(&a);
	scene_release(&b);
}

static void another_structure_needs_no_event(void)
{
	struct holder a, b;
	size_t nr;

	scene_enter();
	a = scene_hold(CLONE_NEWNS, many_kinds, NULL);
	b = scene_hold(CLONE_NEWNS, NULL, NULL);
	CHECK(events(&a, &b, &nr) > 0);
	CHECK_EQ(nr, 0);
	scene_release(&a);
	scene_release(&b);
}

/* t a peer of base/t, x a slave of base/e; what e receives from is outside. */
static int slave_of_outside(void *data)
{
	char from[64];

	DO(chdir(SCENE_DIR));
	snprintf(from, sizeof(from), "%s/t", (const char *)data);
	DO(bind(from, "t"));
	snprintf(from, sizeof(from), "%s/e", (const char *)data);
	DO(bind(from, "x"));
	DO(type("x", MS_SLAVE));
	DO(umount("one/t"));
	DO(umount("one/e"));
	DO(umount("two/t"));
	DO(umount("two/e"));
	return 0;
}

/* In one, e receives from t; in two, it does not. */
static void outside_scene(void)
{
	scene_enter();
	scene_mkdir("t");
	scene_mkdir("x");
	scene_mkdir("one");
	scene_mkdir("one/t");
	scene_mkdir("one/e");
	scene_mkdir("two");
	scene_mkdir("two/t");
	scene_mkdir("two/e");
	scene_tmpfs("one/t", "t");
	scene_tmpfs("two/t", "t");
	scene_type("one/t", MS_SHARED);
	scene_bind("one/t", "one/e");
	scene_type("one/e", MS_SLAVE);
	scene_type("one/e", MS_SHARED);
	scene_bind("two/t", "two/e");
	scene_type("two/e", MS_SHARED);
	scene_type("two/t", MS_SHARED);
}

/* Two events that differ. */
static int sends_twice(void *data)
{
	DO(slave_of_outside(data));
	return bind("t", "y") ? errno : 0;
}

/* Nothing is left of what was done to the sources. */
static void same_as(const struct mntcr_topology *before,
		    const struct mntcr_source *x, size_t nr_x)
{
	struct mntcr_topology *after;
	struct mntcr_error e;
	size_t nr;

	REQUIRE(!mntcr_capture(x, nr_x, NULL, &after, &e));
	REQUIRE(!mntcr_verify(before, after, NULL, &nr, &e));
	CHECK_EQ(nr, 0);
	mntcr_topology_free(after);
}

static void what_lies_outside_shows(void)
{
	struct mntcr_source self = { .type = MNTCR_SOURCE_PID, .pid = getpid() };
	struct mntcr_topology *before;
	struct mntcr_error e;
	struct holder a, b;
	size_t nr;

	outside_scene();
	a = scene_hold(CLONE_NEWNS, slave_of_outside, (void *)"one");
	b = scene_hold(CLONE_NEWNS, slave_of_outside, (void *)"two");
	REQUIRE(!mntcr_capture(&self, 1, NULL, &before, &e));
	CHECK(events(&a, &b, &nr) > 0);
	CHECK(nr > 0);
	/* what the events reached outside is as before, too */
	same_as(before, &self, 1);
	mntcr_topology_free(before);
	scene_release(&a);
	scene_release(&b);
}

static void count(void *data, const char *line)
{
	say(NULL, line);
	++*(size_t *)data;
}

/* So many reports in all, not of each event. */
static void no_more_reports_than_asked_for(void)
{
	struct mntcr_verify_options opts = {
		.size = sizeof(opts), .report = count,
	};
	struct mntcr_source x, y;
	struct mntcr_error e;
	struct holder a, b;
	size_t nr, nr_events, all = 0, few = 0;

	outside_scene();
	scene_mkdir("y");
	a = scene_hold(CLONE_NEWNS, sends_twice, (void *)"one");
	b = scene_hold(CLONE_NEWNS, sends_twice, (void *)"two");
	x = (struct mntcr_source){ .type = MNTCR_SOURCE_FD, .fd = a.ns };
	y = (struct mntcr_source){ .type = MNTCR_SOURCE_FD, .fd = b.ns };
	opts.data = &all;
	REQUIRE(!mntcr_verify_events(&x, 1, &y, 1, &opts, &nr_events, &nr, &e));
	CHECK(all > 1);
	CHECK_EQ(nr, all);
	opts.data = &few;
	opts.max_reports = all - 1;
	REQUIRE(!mntcr_verify_events(&x, 1, &y, 1, &opts, &nr_events, &nr, &e));
	CHECK_EQ(few, all - 1);
	CHECK_EQ(nr, all);
	scene_release(&a);
	scene_release(&b);
}

static void by_the_method_that_is_asked_for(void)
{
	static const struct mntcr_capture_options mountinfo = {
		.size = sizeof(mountinfo),
		.method = MNTCR_METHOD_MOUNTINFO,
	};
	struct mntcr_verify_options opts = {
		.size = sizeof(opts), .report = say, .capture = &mountinfo,
	};
	struct mntcr_source x, y;
	struct mntcr_error e;
	struct holder a, b;
	size_t nr, nr_events;

	scene_enter();
	a = scene_hold(CLONE_NEWNS, many_kinds, NULL);
	b = scene_hold(CLONE_NEWNS, many_kinds, NULL);
	x = (struct mntcr_source){ .type = MNTCR_SOURCE_FD, .fd = a.ns };
	y = (struct mntcr_source){ .type = MNTCR_SOURCE_FD, .fd = b.ns };
	nr_statmounts = 0;
	if (mntcr_verify_events(&x, 1, &y, 1, &opts, &nr_events, &nr, &e)) {
		TAP_SAY("%s", e.text);
		REQUIRE(!"compared");
	}
	CHECK_EQ(nr, 0);
	CHECK(nr_events > 10);
	CHECK_EQ(nr_statmounts, 0);
	scene_release(&a);
	scene_release(&b);
}

/* What was left out, and of that, what for want of a walk to p, or to anything. */
struct left {
	size_t nr, of_walk, asked;
};

static void note_left(void *data, const char *line)
{
	struct left *l = data;

	say(NULL, line);
	l->nr++;
	l->of_walk += !!strstr(line, "/p: left out: Input/output error");
	l->asked += !!strstr(line, "a filesystem would have to be asked");
}

/* What cannot be reached is left out, which is said, and ends no other. */
static void what_is_out_of_reach_is_left_out(void)
{
	struct left all = { 0 }, some = { 0 };
	struct mntcr_verify_options opts = {
		.size = sizeof(opts), .report = say, .left_out = note_left,
	};
	struct mntcr_topology *before;
	struct mntcr_source x, y;
	struct mntcr_error e;
	struct holder a, b;
	size_t nr, with, without;
	int ret;

	scene_enter();
	a = scene_hold(CLONE_NEWNS, many_kinds, NULL);
	b = scene_hold(CLONE_NEWNS, many_kinds, NULL);
	x = (struct mntcr_source){ .type = MNTCR_SOURCE_FD, .fd = a.ns };
	y = (struct mntcr_source){ .type = MNTCR_SOURCE_FD, .fd = b.ns };
	REQUIRE(!mntcr_capture(&x, 1, NULL, &before, &e));
	opts.data = &some;
	REQUIRE(!mntcr_verify_events(&x, 1, &y, 1, &opts, &with, &nr, &e));
	CHECK_EQ(nr, 0);
	CHECK_EQ(some.of_walk, 0);
	opts.data = &all;
	cannot_walk = SCENE_DIR "/p";
	ret = mntcr_verify_events(&x, 1, &y, 1, &opts, &without, &nr, &e);
	cannot_walk = NULL;
	CHECK_EQ(ret, 0);
	CHECK_EQ(nr, 0);
	CHECK_EQ(without, with - 1);
	CHECK_EQ(all.nr, some.nr + 1);
	CHECK_EQ(all.of_walk, 1);
	same_as(before, &x, 1);
	mntcr_topology_free(before);
	scene_release(&a);
	scene_release(&b);
}

static int below_proc_and_sysfs(void *data)
{
	int fd;

	DO(chdir(SCENE_DIR));
	DO(mount("own", ".", "tmpfs", 0, NULL));
	DO(chdir(SCENE_DIR));
	DO(mkdir("p", 0755) || mkdir("s", 0755));
	fd = open("f", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	DO(fd < 0);
	close(fd);
	DO(mount("proc", "p", "proc", 0, NULL));
	DO(bind("f", "p/version"));
	DO(mount("sysfs", "s", "sysfs", 0, NULL));
	DO(mount("t", "s/kernel", "tmpfs", 0, NULL));
	DO(mkdir("s/kernel/d", 0755));
	DO(bind("s/kernel/d", "s/kernel/d"));
	return 0;
}

/* No walk there stays in the dentry cache, but there is no server either. */
static void where_the_kernel_can_be_asked(void)
{
	struct left left = { 0 };
	struct mntcr_verify_options opts = {
		.size = sizeof(opts), .report = say, .left_out = note_left,
		.data = &left,
	};
	struct mntcr_source x, y;
	struct mntcr_error e;
	size_t nr, nr_events;
	struct holder a, b;

	scene_enter();
	a = scene_hold(CLONE_NEWNS, below_proc_and_sysfs, NULL);
	b = scene_hold(CLONE_NEWNS, below_proc_and_sysfs, NULL);
	x = (struct mntcr_source){ .type = MNTCR_SOURCE_FD, .fd = a.ns };
	y = (struct mntcr_source){ .type = MNTCR_SOURCE_FD, .fd = b.ns };
	REQUIRE(!mntcr_verify_events(&x, 1, &y, 1, &opts, &nr_events, &nr, &e));
	CHECK_EQ(nr, 0);
	CHECK_EQ(left.asked, 0);
	/* on each mount, the one of the scene aside, which is covered */
	CHECK(nr_events >= 6);
	scene_release(&a);
	scene_release(&b);
}

/* It cannot be mounted in one of the two: nor does it stay in the other. */
static void a_failure_ends_it(void)
{
	struct mntcr_verify_options opts = {
		.size = sizeof(opts), .report = say,
	};
	struct mntcr_topology *before;
	struct mntcr_source x[2];
	struct holder h[2];
	struct mntcr_error e;
	size_t nr, nr_events;
	struct stat st;
	int i, ret;

	scene_enter();
	for (i = 0; i < 2; i++) {
		h[i] = scene_hold(CLONE_NEWNS, many_kinds, NULL);
		x[i] = (struct mntcr_source){ .type = MNTCR_SOURCE_FD,
					      .fd = h[i].ns };
	}
	REQUIRE(!mntcr_capture(x, 2, NULL, &before, &e));
	/* to mount it, and to walk there for that, which is no difference either */
	for (i = 0; i < 4; i++) {
		REQUIRE(!fstat(h[i % 2].ns, &st));
		*(i < 2 ? &cannot_mount : &cannot_walk_again) = st.st_ino;
		ret = mntcr_verify_events(&x[0], 1, &x[1], 1, &opts, &nr_events,
					  &nr, &e);
		cannot_mount = cannot_walk_again = 0;
		CHECK_EQ(ret, -1);
		CHECK_EQ(e.code, MNTCR_SYS);
		CHECK_EQ(e.err, EIO);
		CHECK_EQ(nr_events, 0);
		same_as(before, x, 2);
	}
	mntcr_topology_free(before);
	scene_release(&h[0]);
	scene_release(&h[1]);
}

static char covered[128];

static int cover(void *data)
{
	return mount("precious", data, "tmpfs", 0, NULL) ? errno : 0;
}

/* Called between an event and its end: it gets covered in the namespace. */
static void cover_it(void *data, const char *line)
{
	const struct holder *h = data;

	say(NULL, line);
	if (*covered || sscanf(line, "event on %127[^:]: ", covered) != 1)
		return;
	if (scene_in(h->ns, cover, covered))
		covered[0] = '\0';
}

static void what_is_mounted_meanwhile_stays(void)
{
	struct mntcr_verify_options opts = {
		.size = sizeof(opts), .report = cover_it,
	};
	struct mntcr_source x, y;
	struct mntcr_topology *t;
	struct mntcr_error e;
	struct holder a, b;
	size_t nr, events_nr;
	uint32_t m;

	outside_scene();
	a = scene_hold(CLONE_NEWNS, slave_of_outside, (void *)"one");
	b = scene_hold(CLONE_NEWNS, slave_of_outside, (void *)"two");
	x = (struct mntcr_source){ .type = MNTCR_SOURCE_FD, .fd = a.ns };
	y = (struct mntcr_source){ .type = MNTCR_SOURCE_FD, .fd = b.ns };
	opts.data = &a;
	covered[0] = '\0';
	CHECK(mntcr_verify_events(&x, 1, &y, 1, &opts, &events_nr, &nr, &e) == -1);
	CHECK_EQ(e.code, MNTCR_CHANGED);
	TAP_SAY("%s", e.text);
	REQUIRE(*covered);
	REQUIRE(!mntcr_capture(&x, 1, NULL, &t, &e));
	m = mc_mount_at(t, 0, covered);
	REQUIRE(m != MC_NONE);
	CHECK_STR(mc_mount_source(t, &t->mounts[m]), "precious");
	mntcr_topology_free(t);
	scene_release(&a);
	scene_release(&b);
}

static void namespaces_that_share(void)
{
	struct holder a, b;
	size_t nr;

	scene_enter();
	scene_mkdir("t");
	scene_tmpfs("t", "t");
	scene_type("t", MS_SHARED);
	a = scene_hold(CLONE_NEWNS, NULL, NULL);
	b = scene_hold(CLONE_NEWNS, NULL, NULL);
	/* the same by structure; an event on the one is one on the other */
	CHECK_EQ(events(&a, &b, &nr), 1);
	scene_release(&a);
	scene_release(&b);
}

/* A file's mount that cannot be cloned. */
static int unbindable_file(void *data)
{
	int fd;

	DO(chdir(SCENE_DIR));
	fd = open("f", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	DO(fd < 0);
	close(fd);
	DO(bind("f", "f"));
	DO(type("f", MS_UNBINDABLE));
	return 0;
}

static void an_unbindable_file(void)
{
	struct holder a, b;
	size_t nr, without;

	scene_enter();
	a = scene_hold(CLONE_NEWNS, NULL, NULL);
	b = scene_hold(CLONE_NEWNS, NULL, NULL);
	CHECK_EQ(events(&a, &b, &without), 0);
	scene_release(&a);
	scene_release(&b);
	a = scene_hold(CLONE_NEWNS, unbindable_file, NULL);
	b = scene_hold(CLONE_NEWNS, unbindable_file, NULL);
	CHECK_EQ(events(&a, &b, &nr), 0);
	TAP_SAY("%zu events, %zu without it", nr, without);
	CHECK(nr >= without);
	scene_release(&a);
	scene_release(&b);
}

static void end_it(void *data, const char *line)
{
	/* the event is there, and its end is to come */
	kill(getpid(), *(const int *)data);
}

/* Ended in the middle of an event: by that signal, and nothing is left. */
static void a_signal_waits_for_the_end_of_an_event(void)
{
	static const int sigs[] = { SIGTERM, SIGINT, SIGHUP };
	struct mntcr_verify_options opts = {
		.size = sizeof(opts), .report = end_it,
	};
	struct mntcr_topology *before;
	struct mntcr_source x[2];
	struct mntcr_error e;
	struct holder a, b;
	size_t nr, i;
	int status;
	pid_t pid;

	outside_scene();
	a = scene_hold(CLONE_NEWNS, slave_of_outside, (void *)"one");
	b = scene_hold(CLONE_NEWNS, slave_of_outside, (void *)"two");
	x[0] = (struct mntcr_source){ .type = MNTCR_SOURCE_FD, .fd = a.ns };
	x[1] = (struct mntcr_source){ .type = MNTCR_SOURCE_FD, .fd = b.ns };
	REQUIRE(!mntcr_capture(x, 2, NULL, &before, &e));
	for (i = 0; i < MC_ARRAY_SIZE(sigs); i++) {
		fflush(stdout);
		pid = fork();
		REQUIRE(pid >= 0);
		if (!pid) {
			opts.data = (void *)&sigs[i];
			mntcr_verify_events(&x[0], 1, &x[1], 1, &opts, &nr, &nr,
					    &e);
			_exit(99);
		}
		REQUIRE(waitpid(pid, &status, 0) == pid);
		CHECK(WIFSIGNALED(status));
		CHECK_EQ(WTERMSIG(status), sigs[i]);
		same_as(before, x, 2);
	}
	mntcr_topology_free(before);
	scene_release(&a);
	scene_release(&b);
}

int main(void)
{
	TAP_RUN_SOME(the_same_is_the_same);
	TAP_RUN_SOME(a_last_word_that_is_seen_late);
	TAP_RUN_SOME(one_namespace_is_not_two);
	TAP_RUN_SOME(the_very_same_superblocks);
	TAP_RUN_SOME(another_structure_needs_no_event);
	TAP_RUN_SOME(what_lies_outside_shows);
	TAP_RUN_SOME(no_more_reports_than_asked_for);
	TAP_RUN_SOME(by_the_method_that_is_asked_for);
	TAP_RUN_SOME(what_is_out_of_reach_is_left_out);
	TAP_RUN_SOME(where_the_kernel_can_be_asked);
	TAP_RUN_SOME(a_failure_ends_it);
	TAP_RUN_SOME(what_is_mounted_meanwhile_stays);
	TAP_RUN_SOME(namespaces_that_share);
	TAP_RUN_SOME(an_unbindable_file);
	TAP_RUN_SOME(a_signal_waits_for_the_end_of_an_event);
	return tap_done();
}
