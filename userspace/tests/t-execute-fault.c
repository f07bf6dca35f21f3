// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Every call that a restore or a bind makes fails in turn.  The linker sends
 * the library's calls here (LIBS-t-execute-fault in exec.mk).  Whatever fails: either
 * the restore is done and right all the same, or it says what failed, and
 * nothing is left of it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <pthread.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

#include "each-scene.h"
#include "faults.h"

/* --- faults --------------------------------------------------------------- */

/* Apart from that: one system call is denied so many times. */
static struct {
	long nr, times;
	int err;
	bool but_probes;	/* which have no arguments to look at */
} deny;

static bool denied(long nr, long first)
{
	if (nr != deny.nr || !deny.times || (deny.but_probes && !first))
		return false;
	deny.times--;
	errno = deny.err;
	return true;
}

long __real_syscall(long nr, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	long ret = denied(nr, a) || fails("syscall") ? -1 :
		   __real_syscall(nr, a, b, c, d, e, f);

	return syscall_makes(nr) ? made("syscall", ret) : ret;
}

WRAP_OPEN
/* As a kernel before 6.11. */
static bool no_ns_ids;

int __real_ioctl(int fd, unsigned long nr, long arg);
int __wrap_ioctl(int fd, unsigned long nr, long arg);
int __wrap_ioctl(int fd, unsigned long nr, long arg)
{
	int ret;

	if (no_ns_ids && nr == MC_NS_GET_MNTNS_ID) {
		errno = ENOTTY;
		return -1;
	}
	ret = fails("ioctl") ? -1 : __real_ioctl(fd, nr, arg);
	return ioctl_makes(nr) ? (int)made("ioctl", ret) : ret;
}

WRAP(int, setns, (int fd, int type), (fd, type))
WRAP(int, unshare, (int flags), (flags))
WRAP(int, fchdir, (int fd), (fd))
WRAP(int, chdir, (const char *path), (path))
WRAP(int, chroot, (const char *path), (path))
WRAP(int, mount, (const char *from, const char *to, const char *type,
		  unsigned long flags, const void *data),
     (from, to, type, flags, data))
WRAP(int, umount2, (const char *path, int flags), (path, flags))
WRAP(int, statx, (int fd, const char *path, int flags, unsigned int mask,
		  struct statx *st), (fd, path, flags, mask, st))
WRAP(int, fstat, (int fd, struct stat *st), (fd, st))
WRAP(int, stat, (const char *path, struct stat *st), (path, st))
WRAP(int, fstatat, (int fd, const char *path, struct stat *st, int flags),
     (fd, path, st, flags))
WRAP(int, fstatfs, (int fd, struct statfs *fs), (fd, fs))
WRAP(int, fstatvfs, (int fd, struct statvfs *fs), (fd, fs))
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP(int, mkdirat, (int fd, const char *path, mode_t mode), (fd, path, mode))
WRAP(int, mknodat, (int fd, const char *path, mode_t mode, dev_t dev),
     (fd, path, mode, dev))
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(int, futimens, (int fd, const struct timespec *ts), (fd, ts))
WRAP(ssize_t, fgetxattr, (int fd, const char *name, void *to, size_t n),
     (fd, name, to, n))
WRAP(int, fsetxattr, (int fd, const char *name, const void *v, size_t n, int flags),
     (fd, name, v, n, flags))
WRAP(int, flock, (int fd, int how), (fd, how))
WRAP_FD(int, eventfd, (unsigned int n, int flags), (n, flags), true)
WRAP(int, pipe2, (int *fds, int flags), (fds, flags))
WRAP(void *, mmap, (void *at, size_t n, int prot, int flags, int fd, off_t from),
     (at, n, prot, flags, fd, from))
WRAP(int, fchmodat, (int fd, const char *path, mode_t mode, int flags),
     (fd, path, mode, flags))
WRAP(int, symlink, (const char *to, const char *path), (to, path))
WRAP(int, symlinkat, (const char *to, int fd, const char *path), (to, fd, path))
WRAP(int, fchownat, (int fd, const char *path, uid_t uid, gid_t gid, int flags),
     (fd, path, uid, gid, flags))
WRAP(int, sched_getaffinity, (pid_t pid, size_t size, cpu_set_t *set),
     (pid, size, set))
WRAP(int, sched_setaffinity, (pid_t pid, size_t size, const cpu_set_t *set),
     (pid, size, set))

WRAP_PTHREAD_CREATE

WRAP_ALLOCS

/* --- each call in turn -------------------------------------------------------- */

static bool disturbed(void)
{
	return faults->failed;
}

static void nothing_left(const char *before, const char *after)
{
	if (strcmp(before, after)) {
		TAP_SAY("before:\n%s\nafter:\n%s", before, after);
		tap.bad = 1;
	}
	CHECK_ERRNO(waitpid(-1, NULL, WNOHANG | __WALL), ECHILD);
	if (counted_ns >= 0)
		CHECK(room_for(counted_ns + 1));
}

/*
 * With an errno that nobody expects the message must name it.  Others have a
 * meaning: the library may take another way, and must arrive.  Without one no call fails,
 * but one makes descriptor 0, with which all has to be done.
 */
static void each_call(const struct job *j, int err, long *nr)
{
	char *before, *after;
	struct mntcr_error e;
	bool odd = err == ENOTUNIQ;
	long n, done = 0, step = tap_fork_step();
	int ret;

	faults->err = err;
	hold_zero();
	before = state();
	for (n = tap_first(step); n < 100000 && !tap.bad; n += step) {
		memset(&e, 0, sizeof(e));
		faults->failed = 0;
		faults->left = n;
		ret = j->run(&e);
		faults->left = -1;
		if (!ret) {
			done++;
			j->check();
			j->undo();
		} else if (!faults->failed) {
			TAP_SAY("without a fault: %s [%s]", e.text, e.rule);
			tap.bad = 1;
		} else if (!err) {
			TAP_SAY("%s makes descriptor 0: %s [%s]", faults->name, e.text, e.rule);
			tap.bad = 1;
		} else if (e.code == MNTCR_OK || !*e.text) {
			TAP_SAY("%s: no word of it", faults->name);
			tap.bad = 1;
		} else if (odd && !strstr(e.text, strerror(err)) &&
			   !strstr(e.text, strerror(ENOMEM))) {
			TAP_SAY("%s: \"%s\" lacks the error", faults->name, e.text);
			tap.bad = 1;
		}
		if (getenv("VERBOSE") && ret)
			TAP_SAY("%ld %s: %s [%s]", n, faults->name, e.text, e.rule);
		CHECK(zero_is_held());
		hold_zero();
		after = state();
		nothing_left(before, after);
		if (tap.bad)
			TAP_SAY("call %ld, %s: %s", n, faults->name,
				ret ? e.text : "done");
		free(after);
		if (!faults->failed)
			break;
	}
	free(before);
	CHECK(n < 100000);
	TAP_SAY("1 in %ld of %ld calls with errno %d: %ld done all the same", step, n, err,
		done - 1);
	*nr = n;
}

static void each_way(const struct job *j, long least)
{
	static const int errs[] = { ENOTUNIQ, EINVAL, ENOSYS, 0 };
	size_t i;
	long n;

	for (i = 0; i < sizeof(errs) / sizeof(errs[0]) && !tap.bad; i++) {
		each_call(j, errs[i], &n);
		CHECK(n >= (errs[i] ? least : 5));
	}
}

static void each_once(const struct job *j)
{
	long n;

	each_call(j, ENOTUNIQ, &n);
	CHECK(n >= 50);
	each_call(j, 0, &n);
	CHECK(n >= 5);
}

/* --- without ids -------------------------------------------------------------- */

static void captured_by_mountinfo(bool ids)
{
	struct mntcr_capture_options co = {
		.size = sizeof(co), .method = MNTCR_METHOD_MOUNTINFO,
	};
	struct mntcr_error e = { 0 };
	uint64_t id;

	no_ns_ids = !ids;
	src[0] = (struct mntcr_source){ .type = MNTCR_SOURCE_FD, .fd = w.ns[0] };
	if (mntcr_capture(src, 1, ids ? &co : NULL, &t, &e))
		TAP_SAY("capture: %s [%s]", e.text, e.rule);
	REQUIRE(t);
	CHECK(!t->unique_ids);
	/* the kernel's own no, before Linux 6.11, is as good as ours */
	CHECK_EQ(!t->ns[0].id, !ids || __real_ioctl(w.ns[0],
						    MC_NS_GET_MNTNS_ID,
						    (long)&id) < 0);
	o.sources = src;
	o.nr_sources = 1;
}

static void restored_by_mountinfo(void)
{
	struct mntcr_verify_options vo = {
		.size = sizeof(vo), .flags = MNTCR_VERIFY_DEVICES,
	};
	struct mntcr_topology *got;
	struct mntcr_error e = { 0 };
	size_t nr = 1;
	int fd;

	if (api == MNTCR_API_EXTENDED) {
		CHECK_EQ(run_restore(&e), -1);
		CHECK_EQ(e.code, MNTCR_REFUSED);
		CHECK_STR(e.rule, "no-unique-ids");
		return;
	}
	if (run_restore(&e))
		TAP_SAY("restore: %s [%s]", e.text, e.rule);
	REQUIRE(r);
	fd = mntcr_restored_ns_fd(r, 0);
	got = captured(&fd, 1);
	REQUIRE(!mntcr_verify(t, got, &vo, &nr, &e));
	CHECK_EQ(nr, 0);
	mntcr_topology_free(got);
	mntcr_restored_free(r);
	r = NULL;
}

/* Images of mountinfo, where namespaces have ids and where they have none. */
static void without_unique_ids(void)
{
	struct mntcr_error e = { 0 };
	int i;

	for (i = 0; i < 2; i++) {
		prepare();
		world_add(&w, -1, plain);
		captured_by_mountinfo(i);
		restored_by_mountinfo();
		no_ns_ids = false;
		finish();
	}
	if (api == MNTCR_API_EXTENDED)
		return;
	/* another namespace, and a mount that is another by now */
	prepare();
	world_add(&w, -1, plain);
	world_add(&w, -1, plain);
	captured_by_mountinfo(false);
	src[0].fd = w.ns[1];
	CHECK_EQ(run_restore(&e), -1);
	CHECK_EQ(e.code, MNTCR_USAGE);
	src[0].fd = w.ns[0];
	t->mounts[1].id_old++;
	CHECK_EQ(run_restore(&e), -1);
	CHECK_EQ(e.err, ESTALE);
	no_ns_ids = false;
	finish();
}

/* Something was mounted or renamed meanwhile, anywhere. */
static void a_walk_that_is_disturbed(void)
{
	struct mntcr_error e;

	prepare();
	world_add(&w, -1, rich);
	world_add(&w, -1, rich);
	deny.nr = __NR_openat2;
	deny.err = EAGAIN;
	deny.times = 5;
	if (run_bind(&e))
		TAP_SAY("%s", e.text);
	CHECK_EQ(deny.times, 0);
	deny.times = 0;
	check_bind();
	/* Not for ever. */
	undo_bind();
	deny.times = 1000000;
	CHECK_EQ(run_bind(&e), -1);
	CHECK_EQ(e.err, EAGAIN);
	deny.times = 0;
	world_close(&w);
}

/* A filter that knows no better: the new calls are not there then. */
static void a_call_that_is_filtered(void)
{
	struct mntcr_error e;

	prepare();
	world_add(&w, -1, shared);
	shoot();
	o.api = MNTCR_API_AUTO;
	deny.nr = __NR_mount_setgroup;
	deny.err = EPERM;
	deny.times = 1000000;
	if (run_restore(&e)) {
		TAP_SAY("%s", e.text);
		tap.bad = 1;
	} else {
		CHECK_EQ(mntcr_restored_api(r), MNTCR_API_UPSTREAM);
		check_restore();
		undo_restore();
	}
	deny.times = 0;
	finish();
}

/* An errno of the kernel's, and the rule behind it in words. */
static void denied_by(long nr, int with, const char *rule)
{
	struct mntcr_error e = { 0 };
	char *before = state(), *after;

	deny.nr = nr;
	deny.err = with;
	deny.times = 1000000;
	deny.but_probes = true;
	REQUIRE(run_restore(&e) == -1);
	deny.times = 0;
	deny.but_probes = false;
	CHECK_EQ(e.err, with);
	if (!strstr(e.text, rule))
		CHECK_STR(e.text, rule);
	after = state();
	nothing_left(before, after);
	free(before);
	free(after);
}

/* Mounts and groups of stock calls are made of more calls than one. */
static void an_errno_is_explained(void)
{
	prepare();
	world_add(&w, -1, shared);
	shoot();
	denied_by(__NR_move_mount, ENOTDIR, "a directory is mounted on a directory");
	denied_by(__NR_move_mount, ELOOP, "a symlink in the mountpoint");
	denied_by(__NR_move_mount, EXDEV, "something else is mounted on the way");
	denied_by(__NR_move_mount, ENOSPC, "fs.mount-max mounts in one namespace");
	denied_by(__NR_mount_setgroup, EXDEV, "members of a group share one superblock");
	denied_by(__NR_mount_setgroup, EBUSY, "that joins a group must be private");
	denied_by(__NR_mount_setgroup, EPERM, "over the owner of every namespace involved");
	denied_by(__NR_mount_setgroup, EACCES, "what a lock or another owner protects");
	denied_by(__NR_mount_setgroup, EMFILE, "fs.mount-max members in one call");
	denied_by(__NR_mount_setgroup, ERANGE, "or below a lock there");
	finish();
}

static const struct scene_test tests[] = {
	EACH_SCENE,
	{ "without-unique-ids", without_unique_ids },
	{ "walk-disturbed", a_walk_that_is_disturbed },
	{ "call-filtered", a_call_that_is_filtered },
};

int main(int argc, char **argv)
{
	faults = mmap(NULL, sizeof(*faults), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (faults == MAP_FAILED)
		err(1, "mmap");
	faults->left = -1;
	run_scenes(tests, MC_ARRAY_SIZE(tests), argc > 1 ? argv[1] : NULL);
	run_extended("errno-explained", an_errno_is_explained, argc > 1 ? argv[1] : NULL);
	run_in_stages(argc > 1 ? argv[1] : NULL);
	return tap_done();
}
