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
#include <sys/mman.h>
#include <sys/statfs.h>

#include "mntcr-restore.h"
#include "base/base.h"
#include "topology/topology.h"
#include "extended.h"
#include "faults.h"
#include "in-child.h"
#include "staged.h"
#include "tap.h"
#include "world.h"

/* --- faults --------------------------------------------------------------- */

/* Apart from that: one system call is denied so many times. */
static struct {
	long nr, times;
	int err;
} deny;

static bool denied(long nr)
{
	if (nr != deny.nr || !deny.times)
		return false;
	deny.times--;
	errno = deny.err;
	return true;
}

long __real_syscall(long nr, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	return denied(nr) || fails("syscall") ? -1 :
	       __real_syscall(nr, a, b, c, d, e, f);
}

WRAP(int, open, (const char *path, int flags, mode_t mode), (path, flags, mode))
WRAP(int, openat, (int fd, const char *path, int flags, mode_t mode),
     (fd, path, flags, mode))
/* As a kernel before 6.11. */
static bool no_ns_ids;

int __real_ioctl(int fd, unsigned long nr, long arg);
int __wrap_ioctl(int fd, unsigned long nr, long arg);
int __wrap_ioctl(int fd, unsigned long nr, long arg)
{
	if (no_ns_ids && nr == MC_NS_GET_MNTNS_ID) {
		errno = ENOTTY;
		return -1;
	}
	return fails("ioctl") ? -1 : __real_ioctl(fd, nr, arg);
}

WRAP(int, fcntl, (int fd, int nr, long arg), (fd, nr, arg))
WRAP(int, setns, (int fd, int type), (fd, type))
WRAP(int, unshare, (int flags), (flags))
WRAP(int, fchdir, (int fd), (fd))
WRAP(int, mount, (const char *from, const char *to, const char *type,
		  unsigned long flags, const void *data),
     (from, to, type, flags, data))
WRAP(int, umount2, (const char *path, int flags), (path, flags))
WRAP(int, statx, (int fd, const char *path, int flags, unsigned int mask,
		  struct statx *st), (fd, path, flags, mask, st))
WRAP(int, fstat, (int fd, struct stat *st), (fd, st))
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP(int, mkdirat, (int fd, const char *path, mode_t mode), (fd, path, mode))
WRAP(int, mknodat, (int fd, const char *path, mode_t mode, dev_t dev),
     (fd, path, mode, dev))
WRAP(int, fchmodat, (int fd, const char *path, mode_t mode, int flags),
     (fd, path, mode, flags))
WRAP(int, symlinkat, (const char *to, int fd, const char *path), (to, fd, path))
WRAP(int, fchownat, (int fd, const char *path, uid_t uid, gid_t gid, int flags),
     (fd, path, uid, gid, flags))
WRAP(int, sched_getaffinity, (pid_t pid, size_t size, cpu_set_t *set),
     (pid, size, set))
WRAP(int, sched_setaffinity, (pid_t pid, size_t size, const cpu_set_t *set),
     (pid, size, set))

WRAP_PTHREAD_CREATE

ALLOC(malloc, (size_t n), (n))
ALLOC(calloc, (size_t n, size_t size), (n, size))
ALLOC(realloc, (void *p, size_t n), (p, n))

/* --- what must be as it was ------------------------------------------------- */

static enum mntcr_api api;
static struct world w;
static long namespaces;		/* of the user namespace; -1: not counted */

static void add_file(struct wd_text *t, const char *path)
{
	int fd = openat(world_proc_fd, path, O_RDONLY | O_CLOEXEC);

	REQUIRE(fd >= 0 && !wd_read_all(fd, t));
	close(fd);
}

static void add_link(struct wd_text *t, const char *path)
{
	char to[256];
	ssize_t n = readlinkat(world_proc_fd, path, to, sizeof(to) - 1);

	REQUIRE(n > 0);
	to[n] = '\n';
	REQUIRE(!wd_add(t, to, (size_t)n + 1));
}

static void add_dir(struct wd_text *t, const char *path, bool links)
{
	struct dirent **list;
	int n = scandir(path, &list, NULL, alphasort), i;
	char to[256], from[512];
	ssize_t len;

	REQUIRE(n >= 0);
	for (i = 0; i < n; i++) {
		snprintf(from, sizeof(from), "%s/%s", path, list[i]->d_name);
		len = links ? readlink(from, to, sizeof(to)) : 0;
		/* the directory's own descriptor is gone by now */
		if (!links || len > 0) {
			REQUIRE(!wd_add(t, from, strlen(from)));
			REQUIRE(!wd_add(t, " ", 1));
			if (len > 0)
				REQUIRE(!wd_add(t, to, (size_t)len));
			REQUIRE(!wd_add(t, "\n", 1));
		}
		free(list[i]);
	}
	free(list);
}

static bool line_is(const char *line, const char *key)
{
	return !strncmp(line, key, strlen(key));
}

static char *state(void)
{
	struct wd_text t = { 0 }, status = { 0 };
	struct stat root, cwd;
	char *line, *save, *live, buf[128];

	add_file(&t, "self/mountinfo");
	add_link(&t, "self/ns/mnt");
	add_link(&t, "self/cwd");
	add_link(&t, "self/root");
	REQUIRE(!stat("/", &root) && !stat(".", &cwd));
	snprintf(buf, sizeof(buf), "%lx:%lu %lx:%lu\n", (long)root.st_dev,
		 (long)root.st_ino, (long)cwd.st_dev, (long)cwd.st_ino);
	REQUIRE(!wd_add(&t, buf, strlen(buf)));
	add_dir(&t, "/proc/self/fd", true);
	add_dir(&t, "/tmp", false);
	add_dir(&t, "/tmp/shared", false);
	add_file(&t, "self/limits");
	add_file(&status, "self/status");
	for (line = strtok_r(status.s, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		if (line_is(line, "Umask:") || line_is(line, "SigBlk:") ||
		    line_is(line, "Cpus_allowed:"))
			REQUIRE(!wd_add(&t, line, strlen(line)));
	free(status.s);
	/* The originals are read, never changed. */
	live = world_text(w.ns, w.nr);
	REQUIRE(live && !wd_add(&t, live, strlen(live)));
	free(live);
	return t.s;
}

/* Namespaces and detached trees of the user namespace are under one limit. */
static bool room_for(long n)
{
	char text[32];
	pid_t pid;

	snprintf(text, sizeof(text), "%ld", n);
	w_write("sys/user/max_mnt_namespaces", text);
	pid = fork();
	if (!pid)
		_exit(unshare(CLONE_NEWNS) ? 1 : 0);
	n = wd_wait_for(pid);
	w_write("sys/user/max_mnt_namespaces", "10000");
	return !n;
}

static void nothing_left(const char *before, const char *after)
{
	if (strcmp(before, after)) {
		TAP_SAY("before:\n%s\nafter:\n%s", before, after);
		tap.bad = 1;
	}
	CHECK_ERRNO(waitpid(-1, NULL, WNOHANG | __WALL), ECHILD);
	if (namespaces >= 0)
		CHECK(room_for(namespaces + 1));
}

/* --- each call in turn -------------------------------------------------------- */

struct job {
	int (*run)(struct mntcr_error *e);
	void (*check)(void);	/* it worked: is it right? */
	void (*undo)(void);
};

static void say(void *data, const char *line)
{
	TAP_SAY("verify: %s", line);
}

/*
 * With an errno that nobody expects the message must name it.  Others have a
 * meaning: the library may take another way, and must arrive.
 */
static void each_call(const struct job *j, int err, long *nr)
{
	char *before = state(), *after;
	struct mntcr_error e;
	bool odd = err == ENOTUNIQ;
	long n, done = 0;
	int ret;

	for (n = 0; n < 100000 && !tap.bad; n++) {
		memset(&e, 0, sizeof(e));
		faults->failed = 0;
		faults->err = err;
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
	TAP_SAY("each of %ld calls with errno %d: %ld done all the same", n, err,
		done - 1);
	*nr = n;
}

static void each_way(const struct job *j, long least)
{
	static const int errs[] = { ENOTUNIQ, EINVAL, ENOSYS };
	size_t i;
	long n;

	for (i = 0; i < sizeof(errs) / sizeof(errs[0]) && !tap.bad; i++) {
		each_call(j, errs[i], &n);
		CHECK(n >= least);
	}
}

static void each_once(const struct job *j)
{
	long n;

	each_call(j, ENOTUNIQ, &n);
	CHECK(n >= 50);
}

/* --- restores -------------------------------------------------------------------- */

static struct mntcr_source src[WORLD_MAX_NS];
static struct mntcr_topology *t;
static struct mntcr_restore_options o;
static struct mntcr_restored *r;
static unsigned int verify_flags;

static struct mntcr_topology *captured(const int *ns, size_t nr)
{
	struct mntcr_source s[WORLD_MAX_NS] = { 0 };
	struct mntcr_topology *got = NULL;
	struct mntcr_error e = { 0 };
	size_t i;

	for (i = 0; i < nr; i++) {
		s[i].type = MNTCR_SOURCE_FD;
		s[i].fd = ns[i];
	}
	if (mntcr_capture(s, nr, NULL, &got, &e))
		TAP_SAY("capture: %s [%s]", e.text, e.rule);
	REQUIRE(got);
	return got;
}

static int run_restore(struct mntcr_error *e)
{
	return mntcr_restore(t, &o, &r, e);
}

static void check_restore(void)
{
	struct mntcr_verify_options vo = {
		.size = sizeof(vo),
		.flags = verify_flags, .report = say, .max_reports = 10,
	};
	struct mntcr_topology *got;
	struct mntcr_error e;
	struct statfs fs;
	int ns[WORLD_MAX_NS];
	size_t i, nr = 1;

	for (i = 0; i < mntcr_restored_nr_ns(r); i++)
		ns[i] = mntcr_restored_ns_fd(r, i);
	got = captured(ns, i);
	REQUIRE(!mntcr_verify(t, got, &vo, &nr, &e));
	CHECK_EQ(nr, 0);
	mntcr_topology_free(got);
	if (o.pin_dir)
		CHECK(!statfs("/tmp/shared/pins/0", &fs) && fs.f_type == 0x6e736673);
}

static void undo_restore(void)
{
	mntcr_restored_unpin(r);
	mntcr_restored_free(r);
	r = NULL;
}

static const struct job restore_job = { run_restore, check_restore, undo_restore };

static void prepare(void)
{
	size_t i;

	if (api == MNTCR_API_EXTENDED && !has_extended())
		SKIP("this kernel has no mount_setgroup(2)");
	world_close(&w);
	o = (struct mntcr_restore_options){ .size = sizeof(o), .api = api };
	verify_flags = MNTCR_VERIFY_DEVICES | MNTCR_VERIFY_ORDER;
	memset(src, 0, sizeof(src));
	for (i = 0; i < WORLD_MAX_NS; i++)
		src[i].type = MNTCR_SOURCE_FD;
}

static void shoot(void)
{
	size_t i;

	t = captured(w.ns, w.nr);
	for (i = 0; i < w.nr; i++)
		src[i].fd = w.ns[i];
	o.sources = src;
	o.nr_sources = w.nr;
}

static void finish(void)
{
	mntcr_topology_free(t);
	t = NULL;
	world_close(&w);
}

/* Something of everything: peers, slaves, covers, files, roots below. */
static void rich(void)
{
	world_new_root();
	w_mkdir("/x");
	w_mkdir("/y");
	w_mkdir("/z");
	w_mkdir("/deep/er");
	w_mkdir("/in");
	w_touch("/file");
	w_touch("/other");
	w_tmpfs("one", "/a");
	w_mkdir("/a/b/c");
	w_mkdir("/a/1");
	w_mkdir("/a/2/3");
	w_type("/a", MS_SHARED);
	w_bind("/a", "/x");
	w_bind("/a/1", "/y");
	w_type("/y", MS_SLAVE);
	w_bind("/a/2/3", "/deep/er");
	w_tmpfs("deep", "/a/b/c");
	w_tmpfs("over", "/a/b");
	w_bind("/file", "/other");
	w_remount("/other", MS_RDONLY | MS_NOSUID);
	w_tmpfs("un", "/in");
	w_bind("/in", "/z");
	w_type("/in", MS_UNBINDABLE);
}

static void slave(void)
{
	w_type("/", MS_REC | MS_SLAVE);
	w_type("/a", MS_SHARED);
}

static void live_sources(void)
{
	prepare();
	world_add(&w, -1, rich);
	world_add(&w, 0, slave);
	shoot();
	o.pin_dir = "/tmp/shared/pins";
	each_way(&restore_job, 100);
	finish();
}

static void plain(void)
{
	world_new_root();
	w_mkdir("/a/b");
	w_mkdir("/proc");
	w_mkdir("/out");
	if (mount("t", "/a/b", "tmpfs", MS_NODEV, "size=1m,mode=711") ||
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV, NULL))
		err(1, "mount");
	w_mkdir("/a/b/x/y");
	w_touch("/a/b/file");
	w_bind("/a/b/x", "/a/b/x/y");
	w_bind("/a/b/file", "/a/b/file");
	w_tmpfs("outside", "/out");
	w_mkdir("/out/1/2");
	w_bind("/out/1", "/out/1/2");
	if (mount(NULL, "/a/b", NULL, MS_REMOUNT | MS_RDONLY, NULL))
		err(1, "remount");
}

static void fresh_and_external(void)
{
	struct mntcr_external ext = { .key = "outside", .path = "/tmp/external" };

	prepare();
	world_add(&w, -1, plain);
	shoot();
	w_tmpfs("external", "/tmp/external");
	w_mkdir("/tmp/external/1/2");
	o.prefer_fresh = true;
	o.externals = &ext;
	o.nr_externals = 1;
	o.keep_fds = true;
	verify_flags = MNTCR_VERIFY_ORDER | MNTCR_VERIFY_IGNORE_SOURCE;
	each_once(&restore_job);
	w_umount("/tmp/external");
	finish();
}

static void over(void)
{
	world_new_root();
	w_mkdir("/m");
	w_mkdir("/up");
	w_mkdir("/work");
	w_tmpfs("low", "/low");
	w_mkdir("/low/a");
	if (mount("ov", "/m", "overlay", 0, "lowerdir=/low/a,upperdir=/up,workdir=/work"))
		err(1, "overlay");
}

/* Made by a child, in a namespace of its own. */
static void overlay(void)
{
	prepare();
	world_add(&w, -1, over);
	shoot();
	o.prefer_fresh = true;
	o.sources = NULL;
	o.nr_sources = 0;
	verify_flags = MNTCR_VERIFY_ORDER;
	each_once(&restore_job);
	finish();
}

/* What only copies of a namespace, made by a child, have. */
static void unbindable_and_unlinked(void)
{
	world_new_root();
	w_tmpfs("u", "/u");
	w_tmpfs("below", "/u/b");
	w_type("/u", MS_UNBINDABLE);
	w_tmpfs("files", "/f");
	w_touch("/f/1");
	w_touch("/1");
	w_tmpfs("inner", "/s/t");
	w_touch("/s/t/1");
	w_bind("/f/1", "/1");
	w_bind("/f/1", "/s/t/1");
	w_tmpfs("beside", "/s/t/b");
	if (unlink("/f/1"))
		err(1, "unlink");
}

static void copies_of_a_namespace(void)
{
	prepare();
	world_add(&w, -1, unbindable_and_unlinked);
	shoot();
	/* what was unlinked comes before its siblings */
	verify_flags = MNTCR_VERIFY_DEVICES;
	each_once(&restore_job);
	finish();
}

/* --- a singleton, opened again ------------------------------------------------ */

static const char *single;

static void two_texts(void)
{
	world_new_root();
	w_mkdir("/a");
	w_mkdir("/b");
	w_mount("one", "/a", single, 0);
	w_mount("two", "/b", single, MS_NOSUID);
}

static int do_not_b(void *arg)
{
	w_umount("/b");
	return 0;
}

static void not_a(void)
{
	w_umount("/a");
}

static unsigned int told;

static void tell(void *data, const char *line)
{
	told++;
	CHECK(strstr(line, ":/b: source 'one' instead of 'two'"));
}

static int run_again(struct mntcr_error *e)
{
	told = 0;
	return run_restore(e);
}

/* Where it could not be tried, the difference was told. */
static void check_again(void)
{
	verify_flags = MNTCR_VERIFY_DEVICES |
		       (told ? MNTCR_VERIFY_IGNORE_SOURCE : 0);
	check_restore();
	CHECK(!told || faults->failed);
}

static const struct job again_job = { run_again, check_again, undo_restore };

static void opened_again(const char *type)
{
	prepare();
	single = type;
	world_add(&w, -1, two_texts);
	world_add(&w, 0, not_a);
	REQUIRE(!world_in(w.ns[0], do_not_b, NULL));
	shoot();
	o.nr_sources = 1;
	o.difference = tell;
	each_once(&again_job);
	finish();
}

static void singleton_opened_again(void)
{
	opened_again("sysfs");
}

static void cgroups_opened_again(void)
{
	struct stat st;
	pid_t pid;

	prepare();
	w_mkdir("/tmp/cg");
	fflush(stdout);
	pid = fork();
	/* from a cgroup namespace of its own no options are set */
	if (!pid)
		_exit(unshare(CLONE_NEWCGROUP) ||
		      mount("cgroup2", "/tmp/cg", "cgroup2", 0, NULL));
	if (wd_wait_for(pid))
		SKIP("no cgroup2");
	REQUIRE(!stat("/tmp/cg", &st));
	if (st.st_ino == 1)
		opened_again("cgroup2");
	w_umount("/tmp/cg");
	if (st.st_ino != 1)
		SKIP("not in the root cgroup");
}

static void shared(void)
{
	world_new_root();
	w_tmpfs("one", "/a");
	w_type("/a", MS_SHARED);
	w_tmpfs("two", "/b");
	w_type("/b", MS_SHARED);
}

static void all_slave(void)
{
	w_type("/", MS_REC | MS_SLAVE);
}

/* Masters outside: one found through a live slave, one by a path. */

static void masters_outside(void)
{
	struct mntcr_external ext = { .path = "/tmp/master" };
	struct mntcr_place to = {
		.size = sizeof(to), .own_ns = true, .path = "/tmp/master",
	};
	struct mntcr_bind_options bo = {
		.size = sizeof(bo),
		.api = api, .propagation = MNTCR_PROPAGATION_KEEP,
	};
	struct mntcr_place from = { .size = sizeof(from), .path = "/b" };
	struct mntcr_error e;
	char key[32];

	prepare();
	world_add(&w, -1, shared);
	world_add(&w, 0, all_slave);
	t = captured(w.ns + 1, 1);
	src[0].fd = w.ns[1];
	o.sources = src;
	o.nr_sources = 1;
	w_mkdir("/tmp/master");
	from.ns = (struct mntcr_source){ .type = MNTCR_SOURCE_FD, .fd = w.ns[0] };
	REQUIRE(!mntcr_bind(&from, &to, &bo, &e));
	REQUIRE(t->nr_mounts == 3 && t->mounts[2].master != MC_NONE);
	snprintf(key, sizeof(key), "%llu", (unsigned long long)
		 t->groups[t->mounts[2].master].id);
	ext.key = key;
	o.masters = &ext;
	o.nr_masters = 1;
	each_once(&restore_job);
	w_umount("/tmp/master");
	finish();
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

static void nothing(void)
{
}

/* Another owner: made by a process in its user namespace. */
static void other_owner(void)
{
	prepare();
	world_add(&w, -1, rich);
	world_add_flags(&w, 0, nothing, CLONE_NEWUSER);
	shoot();
	if (api == MNTCR_API_UPSTREAM) {
		struct mntcr_error e;

		o.ignore_locks = true;
		verify_flags |= MNTCR_VERIFY_IGNORE_LOCKS;
		if (run_restore(&e)) {
			CHECK_STR(e.rule, "owner");
			finish();
			if (tap.bad)
				return;
			SKIP("this kernel makes no empty namespaces");
		}
		undo_restore();
	}
	each_once(&restore_job);
	finish();
}

/* --- a bind ------------------------------------------------------------------------ */

static int run_bind(struct mntcr_error *e)
{
	struct mntcr_place from = {
		.size = sizeof(from),
		.ns = { .type = MNTCR_SOURCE_FD, .fd = w.ns[0] }, .path = "/a",
	};
	struct mntcr_place to = {
		.size = sizeof(to),
		.ns = { .type = MNTCR_SOURCE_FD, .fd = w.ns[1] }, .path = "/z",
	};
	struct mntcr_bind_options bo = {
		.size = sizeof(bo),
		.api = api, .recursive = true, .attr_set = MOUNT_ATTR_RDONLY,
	};

	return mntcr_bind(&from, &to, &bo, e);
}

static void check_bind(void)
{
	char *text = world_text(w.ns + 1, 1);

	REQUIRE(text);
	CHECK(strstr(text, " / /z ro,relatime - tmpfs one"));
	free(text);
}

static int do_umount(void *arg)
{
	w_umount(arg);
	return 0;
}

static void undo_bind(void)
{
	REQUIRE(!world_in(w.ns[1], do_umount, (void *)"/z"));
}

static void bind_between_two(void)
{
	static const struct job j = { run_bind, check_bind, undo_bind };

	prepare();
	world_add(&w, -1, rich);
	world_add(&w, -1, rich);
	each_way(&j, 10);
	world_close(&w);
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

/* --- where namespaces can be counted -------------------------------------------------- */

static void counted(void)
{
	prepare();
	world_add(&w, -1, rich);
	shoot();
	/* the upstream calls set none, nor can who owns the namespace */
	o.ignore_locks = true;
	verify_flags |= MNTCR_VERIFY_IGNORE_LOCKS;
	for (namespaces = 1; !room_for(namespaces + 1); namespaces++)
		REQUIRE(namespaces < 100);
	each_once(&restore_job);
	finish();
}

static void counted_in_own_user_ns(void)
{
	in_child_own_user_ns();
	world_own_ns();
	w_tmpfs("shared", "/tmp/shared");
	counted();
}

static void in_a_user_namespace(void)
{
	prepare();
	in_child(counted_in_own_user_ns);
}

static const struct {
	const char *name;
	void (*fn)(void);
} tests[] = {
	{ "live-sources", live_sources },
	{ "fresh-and-external", fresh_and_external },
	{ "overlay", overlay },
	{ "copies-of-a-namespace", copies_of_a_namespace },
	{ "singleton-opened-again", singleton_opened_again },
	{ "cgroups-opened-again", cgroups_opened_again },
	{ "masters-outside", masters_outside },
	{ "without-unique-ids", without_unique_ids },
	{ "other-owner", other_owner },
	{ "in-a-user-namespace", in_a_user_namespace },
	{ "bind", bind_between_two },
	{ "walk-disturbed", a_walk_that_is_disturbed },
	{ "call-filtered", a_call_that_is_filtered },
};

/* --- in stages ----------------------------------------------------------------------- */

static int pids[3];

/* Nobody is in it: a child of this test would be seen as left over. */
static int empty_pidns(void)
{
	int last, fd = -1;
	pid_t pid;

	last = open("/dev/null", O_RDONLY | O_CLOEXEC);
	REQUIRE(last >= 0);
	pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (!pid) {
		if (!unshare(CLONE_NEWPID))
			fd = openat(world_proc_fd, "self/ns/pid_for_children",
				    O_RDONLY | O_CLOEXEC);
		/* shared with the parent, under a number that it knows */
		_exit(fd < 0 || dup3(fd, last, O_CLOEXEC) < 0 || close(fd));
	}
	REQUIRE(pid > 0 && !wd_wait_for(pid));
	return last;
}

static int run_stages(struct mntcr_error *e)
{
	const struct mntcr_stages_options so = { .size = sizeof(so) };
	struct mntcr_stages *s = NULL;
	struct mntcr_given what = { .kind = MNTCR_GIVEN_PID };
	int i, ret;

	ret = mntcr_stages_begin(t, &o, &so, &s, e) || mntcr_stages_place(s, e);
	/* from the innermost, so that all but the last have to wait */
	for (i = 3; !ret && i--; ) {
		what.id = PID_INO(i);
		ret = mntcr_stages_give(s, &what, pids[i], e) ||
		      mntcr_stages_delayed(s, e);
	}
	ret = ret || mntcr_stages_share(s, e) || mntcr_stages_end(s, &r, e);
	/* what failed left nothing, before that */
	if (ret && s)
		CHECK_EQ(mntcr_stages_nr_ns(s), 0);
	mntcr_stages_free(s);
	return ret ? -1 : 0;
}

static const struct job stages_job = { run_stages, check_restore, undo_restore };

static void in_stages(void)
{
	size_t i;

	prepare();
	verify_flags = 0;
	world_add(&w, -1, rich);
	t = nested();
	for (i = 0; i < 3; i++)
		pids[i] = empty_pidns();
	each_way(&stages_job, 100);
	for (i = 0; i < 3; i++)
		close(pids[i]);
	finish();
}

int main(int argc, char **argv)
{
	char name[128];
	size_t i, a;

	setvbuf(stdout, NULL, _IOLBF, 0);
	faults = mmap(NULL, sizeof(*faults), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (faults == MAP_FAILED)
		err(1, "mmap");
	faults->left = -1;
	namespaces = -1;
	world_start();
	w_tmpfs("shared", "/tmp/shared");
	w_type("/tmp/shared", MS_SHARED);
	w_mkdir("/tmp/peer");
	w_bind("/tmp/shared", "/tmp/peer");
	for (a = 0; a < 2; a++) {
		api = a ? MNTCR_API_EXTENDED : MNTCR_API_UPSTREAM;
		for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
			if (argc > 1 && strcmp(argv[1], tests[i].name))
				continue;
			snprintf(name, sizeof(name), "%s.%s",
				 a ? "extended" : "upstream", tests[i].name);
			tap_run(name, tests[i].fn);
		}
	}
	if (argc < 2 || !strcmp(argv[1], "in-stages"))
		tap_run("extended.in-stages", in_stages);
	return tap_done();
}
