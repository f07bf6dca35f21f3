// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mounts that change while they are captured.  The linker sends the library's
 * syscall(), ioctl(), lseek() and read() here (LIBS-t-capture-change in core.mk), so
 * that one change happens just before the n-th of them, for every n that a capture makes.
 *
 * Whatever comes out is the state before or the state after, never a mixture.
 *
 * And what goes wrong each time is no change: it is reported as what it is.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "base/base.h"
#include "image/image.h"
#include "scene.h"

long __real_syscall(long nr, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f);
int __real_ioctl(int fd, unsigned long nr, void *arg);
int __wrap_ioctl(int fd, unsigned long nr, void *arg);
off_t __real_lseek(int fd, off_t at, int whence);
off_t __wrap_lseek(int fd, off_t at, int whence);
ssize_t __real_read(int fd, void *buf, size_t n);
ssize_t __wrap_read(int fd, void *buf, size_t n);

static long left = -1;			/* calls until the change */
static void (*change)(void);

static void tick(void)
{
	if (left < 0 || left--)
		return;
	left = -1;
	change();
}

/* What is wrong, and with which mount. */
static struct {
	int statmount, listmount, lseek, read;	/* each an errno */
	bool unsupported;		/* what this kernel says that it reports */
	uint32_t fewer;			/* mounts that are counted */
	uint64_t mount, parent, attr;
	bool endless;
	bool flickers;			/* fails only in every other attempt */
	unsigned int again;		/* walks succeed only at this attempt */
	const char *from, *to;		/* in mountinfo; of one length */
} fault;

long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	const struct mc_mnt_id_req *req = (const void *)a;
	struct mc_statmount *sm = (void *)b;
	uint64_t *ids = (void *)b;
	static unsigned int calls, looks;
	long ret, i;

	if (nr == __NR_statmount || nr == __NR_listmount)
		tick();
	if (nr == __NR_statmount && req->mnt_id == fault.mount)
		looks++;
	if (nr == __NR_statmount && fault.statmount &&
	    req->mnt_id == fault.mount && (!fault.flickers || looks % 3 == 1)) {
		errno = fault.statmount;
		return -1;
	}
	if (nr == __NR_listmount && fault.listmount) {
		errno = fault.listmount;
		return -1;
	}
	if (nr == __NR_openat2 && fault.again &&
	    ((const struct mc_open_how *)c)->resolve & MC_RESOLVE_CACHED &&
	    ++calls % fault.again) {
		errno = EAGAIN;
		return -1;
	}
	ret = __real_syscall(nr, a, b, c, d, e, f);
	if (nr == __NR_statmount && !ret && sm->mnt_id == fault.mount) {
		if (fault.parent)
			sm->mnt_parent_id = fault.parent;
		sm->mnt_attr |= fault.attr;
		if (fault.unsupported)
			sm->supported_mask = 0;
		/* between the two looks of the others, something changes */
		if (fault.flickers && looks % 3 == 0)
			sm->mnt_attr ^= MOUNT_ATTR_RDONLY;
	}
	if (nr == __NR_listmount && fault.endless && req->mnt_id != MC_LSMT_ROOT)
		for (i = 0, ret = c; i < c; i++)
			ids[i] = req->param + 1 + (uint64_t)i;
	return ret;
}

int __wrap_ioctl(int fd, unsigned long nr, void *arg)
{
	struct mc_mnt_ns_info *info = arg;
	int ret = __real_ioctl(fd, nr, arg);

	if (!ret && nr == MC_NS_MNT_GET_INFO && info->nr_mounts > fault.fewer)
		info->nr_mounts -= fault.fewer;
	return ret;
}

off_t __wrap_lseek(int fd, off_t at, int whence)
{
	tick();
	if (fault.lseek) {
		errno = fault.lseek;
		return -1;
	}
	return __real_lseek(fd, at, whence);
}

ssize_t __wrap_read(int fd, void *buf, size_t n)
{
	ssize_t got;
	char *at;

	/* not the pipe that tells when a child is ready */
	if (fault.read && n > 4096) {
		errno = fault.read;
		return -1;
	}
	got = __real_read(fd, buf, n);
	if (fault.from && got > 0) {
		at = memmem(buf, (size_t)got, fault.from, strlen(fault.from));
		if (at)
			memcpy(at, fault.to, strlen(fault.to));
	}
	return got;
}

static int undo_needed;

static void do_mount(void)
{
	scene_tmpfs("m1", "new");
	undo_needed = 1;
}

static void undo_mount(void)
{
	REQUIRE(!umount("m1"));
}

static void do_umount(void)
{
	REQUIRE(!umount("m2"));
	undo_needed = 1;
}

static void undo_umount(void)
{
	scene_bind("t", "m2");
}

static void do_cover(void)
{
	scene_tmpfs("m2", "cover");
	undo_needed = 1;
}

static void undo_cover(void)
{
	REQUIRE(!umount("m2"));
}

static void do_slave(void)
{
	scene_type("m2", MS_SLAVE);
	undo_needed = 1;
}

static void undo_slave(void)
{
	REQUIRE(!umount("m2"));
	scene_bind("t", "m2");
}

static void do_attr(void)
{
	REQUIRE(!mount("none", "m2", "none", MS_BIND | MS_REMOUNT | MS_RDONLY,
		       NULL));
	undo_needed = 1;
}

static void undo_attr(void)
{
	REQUIRE(!mount("none", "m2", "none", MS_BIND | MS_REMOUNT, NULL));
}

static void do_move(void)
{
	REQUIRE(!mount("m2", "m1", NULL, MS_MOVE, NULL));
	undo_needed = 1;
}

static void undo_move(void)
{
	REQUIRE(!mount("m1", "m2", NULL, MS_MOVE, NULL));
}

/* A mixture of these two would have a mount at x1 and one at x4. */
static void do_move_two(void)
{
	REQUIRE(!mount("x1", "x3", NULL, MS_MOVE, NULL));
	REQUIRE(!mount("x2", "x4", NULL, MS_MOVE, NULL));
	undo_needed = 1;
}

static void undo_move_two(void)
{
	REQUIRE(!mount("x3", "x1", NULL, MS_MOVE, NULL));
	REQUIRE(!mount("x4", "x2", NULL, MS_MOVE, NULL));
}

/* What is no event for pollers: a directory on the way is renamed. */
static void do_rename(void)
{
	REQUIRE(!rename("d1", "d2"));
	undo_needed = 1;
}

static void undo_rename(void)
{
	REQUIRE(!rename("d2", "d1"));
}

static const struct {
	const char *name;
	void (*change)(void), (*undo)(void);
} changes[] = {
	{ "mount", do_mount, undo_mount },
	{ "umount", do_umount, undo_umount },
	{ "cover", do_cover, undo_cover },
	{ "slave", do_slave, undo_slave },
	{ "attributes", do_attr, undo_attr },
	{ "move", do_move, undo_move },
	{ "two moves", do_move_two, undo_move_two },
	{ "rename", do_rename, undo_rename },
};

static bool same(const struct mntcr_topology *a, const struct mntcr_topology *b)
{
	struct mntcr_error e;
	size_t nr = 1;

	REQUIRE(!mntcr_verify(a, b, NULL, &nr, &e));
	return !nr;
}

static struct mntcr_topology *capture(enum mntcr_method method)
{
	struct mntcr_source self = { .type = MNTCR_SOURCE_PID, .pid = getpid() };
	struct mntcr_capture_options opts = {
		.size = sizeof(opts), .method = method,
	};
	struct mntcr_topology *t;
	struct mntcr_error e;

	if (mntcr_capture(&self, 1, &opts, &t, &e)) {
		TAP_SAY("%s", e.text);
		if (e.code == MNTCR_UNSUPPORTED)
			SKIP("this kernel lacks the method");
	}
	REQUIRE(t);
	return t;
}

static void with_each_change(enum mntcr_method method)
{
	struct mntcr_source self = { .type = MNTCR_SOURCE_PID, .pid = getpid() };
	struct mntcr_capture_options once = {
		.size = sizeof(once), .method = method, .retries = 1,
	};
	struct mntcr_topology *before, *after, *t;
	unsigned int i, changed, was, is;
	long n, step = tap_step(UNDER_ASAN ? 2 : 1);
	struct mntcr_error e;

	scene_enter();
	scene_mkdir("t");
	scene_mkdir("m1");
	scene_mkdir("m2");
	scene_tmpfs("t", "t");
	scene_type("t", MS_SHARED);
	scene_bind("t", "m2");
	scene_mkdir("x1");
	scene_mkdir("x2");
	scene_mkdir("x3");
	scene_mkdir("x4");
	scene_tmpfs("x1", "x1");
	scene_tmpfs("x2", "x2");
	scene_mkdir("d1");
	scene_mkdir("d1/a");
	scene_mkdir("d1/b");
	scene_tmpfs("d1/a", "a");
	scene_tmpfs("d1/b", "b");
	for (i = (size_t)tap_first(step); i < MC_ARRAY_SIZE(changes); i += (size_t)step) {
		change = changes[i].change;
		before = capture(method);
		change();
		after = capture(method);
		changes[i].undo();
		REQUIRE(!same(before, after));
		changed = was = is = 0;
		for (n = 0; n < 10000; n++) {
			/* one attempt: whole, or said to have changed */
			undo_needed = 0;
			left = n;
			if (!mntcr_capture(&self, 1, &once, &t, &e)) {
				if (same(t, before))
					was++;
				else if (same(t, after))
					is++;
				else
					CHECK(!"before or after");
				mntcr_topology_free(t);
			} else {
				CHECK_EQ(e.code, MNTCR_CHANGED);
				changed++;
			}
			left = -1;
			if (!undo_needed)
				break;
			changes[i].undo();
			/* more attempts: always one of the two */
			left = n;
			t = capture(method);
			CHECK(same(t, before) || same(t, after));
			mntcr_topology_free(t);
			changes[i].undo();
		}
		TAP_SAY("%s at each of %ld calls: %u before, %u after, %u changed meanwhile",
			changes[i].name, n, was, is, changed);
		CHECK(n < 10000 && changed && is);
		mntcr_topology_free(before);
		mntcr_topology_free(after);
	}
}

static void by_statmount(void)
{
	with_each_change(MNTCR_METHOD_STATMOUNT);
}

static void by_mountinfo(void)
{
	with_each_change(MNTCR_METHOD_MOUNTINFO);
}

static uint64_t id_of(const char *path)
{
	struct statx stx;

	REQUIRE(!statx(AT_FDCWD, path, 0, STATX_MNT_ID_UNIQUE, &stx));
	REQUIRE(stx.stx_mask & STATX_MNT_ID_UNIQUE);
	return stx.stx_mnt_id;
}

/* The capture fails with just this; says: what the message names. */
static void fails(enum mntcr_method method, enum mntcr_code code, int err,
		  const char *rule, const char *says)
{
	struct mntcr_source self = { .type = MNTCR_SOURCE_PID, .pid = getpid() };
	struct mntcr_capture_options opts = {
		.size = sizeof(opts), .method = method,
	};
	struct mntcr_topology *t;
	struct mntcr_error e;

	CHECK(mntcr_capture(&self, 1, &opts, &t, &e) == -1);
	CHECK_EQ(e.code, code);
	CHECK_EQ(e.err, err);
	CHECK_STR(e.rule, rule);
	if (!strstr(e.text, says)) {
		TAP_SAY("\"%s\" lacks \"%s\"", e.text, says);
		tap.bad = 1;
	}
	memset(&fault, 0, sizeof(fault));
	/* and without the fault it works */
	mntcr_topology_free(capture(method));
}

static void faults_of_statmount(void)
{
	static const int errnos[] = { EPERM, EACCES, EOVERFLOW, EIO, EINTR };
	uint64_t id;
	char name[32];
	size_t i;

	scene_enter();
	mntcr_topology_free(capture(MNTCR_METHOD_STATMOUNT));
	scene_mkdir("a");
	scene_tmpfs("a", "a");
	scene_mkdir("a/b");
	scene_tmpfs("a/b", "b");
	id = id_of("a/b");
	snprintf(name, sizeof(name), "mount %llu", (unsigned long long)id);
	for (i = 0; i < MC_ARRAY_SIZE(errnos); i++) {
		fault.mount = id;
		fault.statmount = errnos[i];
		fails(MNTCR_METHOD_STATMOUNT, MNTCR_SYS, errnos[i], "", name);
	}
	/* listed, and yet not there: once it may have gone, not twice */
	fault.mount = id;
	fault.statmount = ENOENT;
	fails(MNTCR_METHOD_STATMOUNT, MNTCR_SYS, ENOENT, "", name);
	fault.mount = id;
	fault.statmount = ENOENT;
	fault.flickers = true;
	fails(MNTCR_METHOD_STATMOUNT, MNTCR_SYS, ENOENT, "", name);
	/* answers that contradict one another */
	fault.mount = id;
	fault.parent = id + 1000000;
	fails(MNTCR_METHOD_STATMOUNT, MNTCR_REFUSED, 0, "contradictory-mounts",
	      name);
	fault.mount = id_of("a");
	fault.parent = id;
	snprintf(name, sizeof(name), "mount %llu",
		 (unsigned long long)fault.mount);
	fails(MNTCR_METHOD_STATMOUNT, MNTCR_REFUSED, 0, "contradictory-mounts",
	      name);
	/* an attribute that no image has a word for */
	fault.mount = id;
	fault.attr = 1ULL << 40;
	fails(MNTCR_METHOD_STATMOUNT, MNTCR_REFUSED, 0, "contradictory-mounts",
	      "unknown attributes 0x10000000000");
	fault.endless = true;
	fails(MNTCR_METHOD_STATMOUNT, MNTCR_REFUSED, 0, "too-many-mounts",
	      "more than 262144 mounts");
	/* a kernel that has less of it than it takes */
	fault.mount = id;
	fault.unsupported = true;
	fails(MNTCR_METHOD_STATMOUNT, MNTCR_UNSUPPORTED, 0, "", "lacks options or source");
	fault.mount = id;
	fault.statmount = ENOSYS;
	fails(MNTCR_METHOD_STATMOUNT, MNTCR_UNSUPPORTED, ENOSYS, "", "statmount");
	fault.listmount = ENOSYS;
	fails(MNTCR_METHOD_STATMOUNT, MNTCR_UNSUPPORTED, ENOSYS, "", "listmount");
	fault.listmount = ENOMEM;
	fails(MNTCR_METHOD_STATMOUNT, MNTCR_SYS, ENOMEM, "", "out of memory");
	fault.listmount = EPERM;
	fails(MNTCR_METHOD_STATMOUNT, MNTCR_SYS, EPERM, "", "needs CAP_SYS_ADMIN");
	/* what is counted and what is read contradict one another */
	fault.fewer = 5;
	fails(MNTCR_METHOD_MOUNTINFO, MNTCR_REFUSED, 0, "contradictory-mounts",
	      "mounts more than the namespace");
}

static int old_id_of(const char *path)
{
	struct statx stx;

	REQUIRE(!statx(AT_FDCWD, path, 0, STATX_MNT_ID, &stx));
	return (int)stx.stx_mnt_id;
}

/* "ID PARENT " of "a/b" in mountinfo; the other one is as long. */
static void instead_of_ids(const char *as, const char *with)
{
	static char from[40], to[40];
	char number[16];

	snprintf(number, sizeof(number), "%d", old_id_of("a"));
	snprintf(from, sizeof(from), "\n%d %s ", old_id_of("a/b"), number);
	memset(number, *with, *with ? strlen(number) : 0);
	if (*as)
		snprintf(to, sizeof(to), "\n%d %s ", old_id_of("a"), number);
	else
		snprintf(to, sizeof(to), "\n%d %s ", old_id_of("a/b"), number);
	fault.from = from;
	fault.to = strlen(to) == strlen(from) ? to : from;
}

static void faults_of_mountinfo(void)
{
	scene_enter();
	scene_mkdir("a");
	scene_tmpfs("a", "a");
	scene_mkdir("a/b");
	scene_tmpfs("a/b", "b");
	fault.lseek = EIO;
	fails(MNTCR_METHOD_MOUNTINFO, MNTCR_SYS, EIO, "", "mountinfo: ");
	fault.read = EACCES;
	fails(MNTCR_METHOD_MOUNTINFO, MNTCR_SYS, EACCES, "", "mountinfo: ");
	/* a child that is not below its parent */
	fault.from = SCENE_DIR "/a/b ";
	fault.to = SCENE_DIR "/x/b ";
	fails(MNTCR_METHOD_MOUNTINFO, MNTCR_REFUSED, 0, "contradictory-mounts",
	      "its mountpoint is not below its parent's");
	/* a line without its end, which libmount takes for none */
	fault.from = SCENE_DIR "/a/b rw,relatime - ";
	fault.to = SCENE_DIR "/a/b rw,relatime + ";
	fails(MNTCR_METHOD_MOUNTINFO, MNTCR_SYS, EPROTO, "", "mountinfo");
	/* its parent is not there: two roots */
	instead_of_ids("", "9");
	fails(MNTCR_METHOD_MOUNTINFO, MNTCR_REFUSED, 0, "hidden-mounts",
	      "mountinfo shows only part of it");
	/* the same id, twice */
	instead_of_ids("a", "");
	if (fault.from != fault.to)
		fails(MNTCR_METHOD_MOUNTINFO, MNTCR_REFUSED, 0, "contradictory-mounts",
		      "is listed twice");
}

/* A walk in the cache fails when something is mounted anywhere: try again. */
static void disturbed_walks(void)
{
	struct mntcr_source x = { .type = MNTCR_SOURCE_FD }, y = x;
	struct mntcr_topology *t;
	size_t nr_events, disturbed_events, nr = 1;
	struct mntcr_error e;
	struct holder a, b;
	uint32_t m;

	scene_enter();
	scene_touch("f");
	scene_touch("g");
	scene_bind("f", "g");
	fault.again = 3;
	t = capture(MNTCR_METHOD_MOUNTINFO);
	fault.again = 0;
	m = mc_mount_at(t, 0, SCENE_DIR "/g");
	REQUIRE(m != MC_NONE);
	CHECK_EQ(t->mounts[m].mp_type, MC_MP_OTHER);
	mntcr_topology_free(t);
	a = scene_hold(CLONE_NEWNS, NULL, NULL);
	b = scene_hold(CLONE_NEWNS, NULL, NULL);
	x.fd = a.ns;
	y.fd = b.ns;
	REQUIRE(!mntcr_verify_events(&x, 1, &y, 1, NULL, &nr_events, &nr, &e));
	CHECK_EQ(nr, 0);
	fault.again = 3;
	REQUIRE(!mntcr_verify_events(&x, 1, &y, 1, NULL, &disturbed_events,
				     &nr, &e));
	fault.again = 0;
	CHECK_EQ(nr, 0);
	CHECK(nr_events > 1);
	CHECK_EQ(disturbed_events, nr_events);
	scene_release(&a);
	scene_release(&b);
}

int main(void)
{
	TAP_RUN(by_statmount);
	TAP_RUN(by_mountinfo);
	TAP_RUN(faults_of_statmount);
	TAP_RUN(faults_of_mountinfo);
	TAP_RUN(disturbed_walks);
	return tap_done();
}
