// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a restore costs, what it hands back, how it fails: whatever happens,
 * nothing is left behind.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/vfs.h>

#include "mntcr-restore.h"
#include "base/sys.h"
#include "topology/topology.h"
#include "tap.h"
#include "world.h"

static enum mntcr_api api;

static void need_api(void)
{
	if (api == MNTCR_API_EXTENDED && mc_mount_setgroup(NULL, 0, 0) &&
	    errno == ENOSYS)
		SKIP("this kernel has no mount_setgroup(2)");
}

static void say(void *data, const char *line)
{
	TAP_SAY("verify: %s", line);
}

/* --- a namespace, captured ------------------------------------------------------- */

struct shot {
	struct world w;
	struct mntcr_source src[WORLD_MAX_NS];
	struct mntcr_topology *t;
	struct mntcr_restore_options o;
	struct mntcr_error e;
	size_t mounts, fds;
};

static void capture_fds(const struct world *w, struct mntcr_source *src,
			struct mntcr_topology **t)
{
	struct mntcr_error e = { 0 };
	size_t i;

	for (i = 0; i < w->nr; i++) {
		src[i].type = MNTCR_SOURCE_FD;
		src[i].fd = w->ns[i];
	}
	if (mntcr_capture(src, w->nr, NULL, t, &e)) {
		TAP_SAY("capture: %s [%s]", e.text, e.rule);
		REQUIRE(!"captured");
	}
}

static struct shot shoot(void (*fn)(void))
{
	struct shot s = { .w = { .nr = 0 } };

	need_api();
	world_add(&s.w, -1, fn);
	capture_fds(&s.w, s.src, &s.t);
	s.o.api = api;
	s.mounts = world_own_mounts();
	s.fds = world_own_fds();
	return s;
}

static struct mntcr_restored *restore(struct shot *s)
{
	struct mntcr_restored *r = NULL;

	if (!s->o.sources && !s->o.prefer_fresh) {
		s->o.sources = s->src;
		s->o.nr_sources = s->w.nr;
	}
	memset(&s->e, 0, sizeof(s->e));
	if (mntcr_restore(s->t, &s->o, &r, &s->e))
		r = NULL;
	return r;
}

static struct mntcr_restored *restored(struct shot *s)
{
	struct mntcr_restored *r = restore(s);

	if (!r)
		TAP_SAY("restore: %s [%s]", s->e.text, s->e.rule);
	REQUIRE(r);
	return r;
}

/* Failed with this errno, these words, and nothing left. */
static void failed(struct shot *s, int err, const char *words)
{
	struct mntcr_restored *r = restore(s);

	CHECK(!r);
	if (!r) {
		CHECK_EQ(s->e.err, err);
		if (!strstr(s->e.text, words)) {
			TAP_SAY("\"%s\" lacks \"%s\"", s->e.text, words);
			tap.bad = 1;
		}
	}
	mntcr_restored_free(r);
	CHECK_EQ(world_own_fds(), s->fds);
	CHECK_EQ(world_own_mounts(), s->mounts);
}

static void same(struct shot *s, const struct mntcr_restored *r,
		 unsigned int flags)
{
	struct mntcr_verify_options vo = {
		.flags = flags, .report = say, .max_reports = 10,
	};
	struct mntcr_source src[WORLD_MAX_NS] = { 0 };
	struct world made = { .nr = mntcr_restored_nr_ns(r) };
	struct mntcr_topology *got;
	size_t i, nr = 1;

	for (i = 0; i < made.nr; i++)
		made.ns[i] = mntcr_restored_ns_fd(r, i);
	capture_fds(&made, src, &got);
	REQUIRE(!mntcr_verify(s->t, got, &vo, &nr, &s->e));
	CHECK_EQ(nr, 0);
	mntcr_topology_free(got);
}

static void end(struct shot *s, struct mntcr_restored *r)
{
	mntcr_restored_free(r);
	CHECK_EQ(world_own_fds(), s->fds);
	CHECK_EQ(world_own_mounts(), s->mounts);
	mntcr_topology_free(s->t);
	world_close(&s->w);
}

/* --- costs ------------------------------------------------------------------------- */

#define MANY 500

static void fill(const char *fmt, unsigned long type)
{
	char path[64];
	int i;

	world_new_root();
	w_tmpfs("src", "/src");
	if (type)
		w_type("/src", type);
	for (i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), fmt, i);
		w_mkdir(path);
		w_bind("/src", path);
	}
}

static void binds(void)
{
	fill("/m%d", 0);
}

static void deep_binds(void)
{
	fill("/d/e/m%d", 0);
}

static void peers(void)
{
	fill("/m%d", MS_SHARED);
}

static void chain(void)
{
	char path[64], from[64] = "/src";
	int i;

	world_new_root();
	w_tmpfs("src", "/src");
	w_type("/src", MS_SHARED);
	for (i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "/m%d", i);
		w_mkdir(path);
		w_bind(from, path);
		w_type(path, MS_SLAVE);
		w_type(path, MS_SHARED);
		strcpy(from, path);
	}
}

static void superblocks(void)
{
	char path[64];
	int i;

	world_new_root();
	for (i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "/d/m%d", i);
		w_tmpfs("one", path);
	}
}

static void roots(void)
{
	char path[64], from[64];
	int i;

	world_new_root();
	w_tmpfs("src", "/src");
	for (i = 0; i < MANY; i++) {
		snprintf(from, sizeof(from), "/src/a/b%d", i);
		snprintf(path, sizeof(path), "/m%d", i);
		w_mkdir(from);
		w_mkdir(path);
		w_bind(from, path);
	}
}

static void cost(void (*fn)(void), double extended, double upstream)
{
	double most = api == MNTCR_API_EXTENDED ? extended : upstream, got;
	struct shot s = shoot(fn);
	struct mntcr_restored *r = restored(&s);
	const struct mntcr_stats *st = mntcr_restored_stats(r);
	uint32_t i;

	got = (double)st->nr_calls / st->nr_mounts;
	if (got > most) {
		TAP_SAY("%.3f calls a mount, not %.3f at most", got, most);
		for (i = 0; i < st->nr_call_names; i++)
			TAP_SAY("%s %llu", st->calls[i].name,
				(unsigned long long)st->calls[i].nr);
		tap.bad = 1;
	}
	same(&s, r, MNTCR_VERIFY_DEVICES | MNTCR_VERIFY_ORDER);
	end(&s, r);
}

static void calls_for_binds(void)
{
	cost(binds, 2.1, 2.15);
}

static void calls_for_deep_binds(void)
{
	cost(deep_binds, 3.1, 3.15);
}

static void calls_for_peers(void)
{
	cost(peers, 2.1, 3.15);
}

static void calls_for_a_chain(void)
{
	cost(chain, 3.1, 5.15);
}

static void calls_for_superblocks(void)
{
	cost(superblocks, 4.1, 5.15);
}

static void calls_for_roots(void)
{
	cost(roots, 3.2, 3.2);
}

/* --- wake-ups ----------------------------------------------------------------------- */

/*
 * Pollers of mountinfo, one in each new namespace.  They are real-time tasks on
 * the one processor, so none of what wakes them is taken together with the next.
 */
struct watch {
	uint64_t nr[WORLD_MAX_NS];
	pid_t pid[WORLD_MAX_NS];
	size_t nr_ns;
	bool exact;
};

static void watch_ns(volatile uint64_t *nr, int ns_fd, int ready)
{
	struct pollfd p = { .events = POLLPRI };

	if (setns(ns_fd, CLONE_NEWNS))
		_exit(1);
	p.fd = openat(world_proc_fd, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (p.fd < 0 || poll(&p, 1, 0) < 0 || write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		if (poll(&p, 1, -1) == 1)
			++*nr;
}

static void watch(void *data, const int *ns_fds, size_t nr)
{
	struct sched_param prio = { .sched_priority = 1 };
	struct watch *w = data;
	int ready[2];
	pid_t pid;
	size_t i;
	char c;

	w->exact = true;
	if (nr > WORLD_MAX_NS || pipe2(ready, O_CLOEXEC))
		return;
	for (i = 0; i < nr; i++) {
		pid = fork();
		if (!pid)
			watch_ns(&w->nr[i], ns_fds[i], ready[1]);
		if (pid < 0)
			break;
		w->pid[i] = pid;
		if (read(ready[0], &c, 1) != 1)
			break;
		w->exact &= !sched_setscheduler(pid, SCHED_FIFO, &prio);
		w->nr_ns++;
	}
	close(ready[0]);
	close(ready[1]);
}

/* The most that any namespace's poller was woken by a restore of s. */
static uint64_t wake_ups(struct shot *s)
{
	struct watch *w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct mntcr_restored *r;
	uint64_t most = 0;
	bool exact;
	size_t i;

	REQUIRE(w != MAP_FAILED);
	s->o.namespaces_made = watch;
	s->o.data = w;
	r = restored(s);
	REQUIRE(w->nr_ns == s->w.nr);
	exact = w->exact;
	for (i = 0; i < w->nr_ns; i++) {
		kill(w->pid[i], SIGKILL);
		CHECK_EQ(wd_wait_for(w->pid[i]), -1);
		/* what fills it is seen, or the poller saw nothing at all */
		CHECK(w->nr[i] || !exact);
		if (w->nr[i] > most)
			most = w->nr[i];
	}
	mntcr_restored_free(r);
	munmap(w, sizeof(*w));
	TAP_SAY("%s: %llu wake-ups%s", s->o.api == MNTCR_API_EXTENDED ?
		"extended" : "upstream", (unsigned long long)most,
		exact ? "" : " at least");
	return most;
}

/*
 * A namespace is filled before tasks may look into it: they are woken once, by
 * its root.  Where none is made empty it is filled while they look.
 */
static void woken(struct shot *s)
{
	struct mntcr_feature f[MNTCR_NR_FEATURES];
	uint64_t nr = wake_ups(s), most = 1;

	REQUIRE(!mntcr_features(f, &s->e));
	if (f[MNTCR_FEAT_EMPTY_MNTNS].state != MNTCR_FEATURE_YES)
		most = 4 * (uint64_t)s->t->nr_mounts + 8;
	if (nr > most) {
		TAP_SAY("%llu at most", (unsigned long long)most);
		tap.bad = 1;
	}
	if (api == MNTCR_API_EXTENDED) {
		s->o.api = MNTCR_API_UPSTREAM;
		CHECK(nr <= wake_ups(s));
		s->o.api = api;
	}
	end(s, NULL);
}

static void all_slave(void)
{
	w_type("/", MS_REC | MS_SLAVE);
}

static void wakes_few(void)
{
	static void (*const shapes[])(void) = { binds, peers, chain };
	struct shot s;
	size_t i;

	for (i = 0; i < 3; i++) {
		s = shoot(shapes[i]);
		woken(&s);
	}
}

static void wakes_few_of_each(void)
{
	struct shot s = { .w = { .nr = 0 } };

	need_api();
	world_add(&s.w, -1, peers);
	world_add(&s.w, 0, all_slave);
	world_add(&s.w, 1, all_slave);
	capture_fds(&s.w, s.src, &s.t);
	s.o.api = api;
	s.mounts = world_own_mounts();
	s.fds = world_own_fds();
	woken(&s);
}

/* --- what is handed back ------------------------------------------------------------- */

static void covered(void)
{
	world_new_root();
	w_tmpfs("under", "/a");
	w_mkdir("/a/in");
	w_bind("/a/in", "/a/in");
	w_bind("/a", "/a");
	w_type("/a", MS_SHARED);
	w_mkdir("/b");
	w_bind("/a", "/b");
}

static void a_descriptor_of_each_mount(void)
{
	struct shot s = shoot(covered);
	struct mntcr_restored *r;
	uint32_t m, k;
	uint64_t ids[16];

	s.o.keep_fds = true;
	r = restored(&s);
	REQUIRE(s.t->nr_mounts < 16);
	for (m = 0; m < s.t->nr_mounts; m++) {
		struct statx st;
		int fd = mntcr_restored_mount_fd(r, 0, s.t->mounts[m].id);

		REQUIRE(fd >= 0);
		CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		REQUIRE(!statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st));
		CHECK(st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
		ids[m] = st.stx_mnt_id;
		for (k = 0; k < m; k++)
			CHECK(ids[k] != ids[m]);
	}
	CHECK_EQ(mntcr_restored_mount_fd(r, 0, 1), -1);
	CHECK_EQ(mntcr_restored_mount_fd(r, 7, s.t->mounts[0].id), -1);
	same(&s, r, MNTCR_VERIFY_DEVICES);
	end(&s, r);
}

static void small(void)
{
	world_new_root();
	w_mkdir("/a/b");
	w_mkdir("/c");
	w_tmpfs("one", "/a/b");
	w_type("/a/b", MS_SHARED);
	w_bind("/a/b", "/c");
}

static int do_look(void *arg)
{
	return access("/a/b", F_OK) ? errno : 0;
}

static void namespaces_are_pinned(void)
{
	struct shot s = shoot(small);
	struct mntcr_restored *r;
	struct statfs fs;
	int fd, i;

	s.o.pin_dir = "/tmp/pins";
	r = restored(&s);
	REQUIRE(!statfs("/tmp/pins/0", &fs));
	CHECK_EQ(fs.f_type, 0x6e736673);
	CHECK_EQ(world_own_mounts(), s.mounts + 2);
	/* By the file, after everything else is gone. */
	mntcr_restored_free(r);
	fd = open("/tmp/pins/0", O_RDONLY | O_CLOEXEC);
	REQUIRE(fd >= 0);
	CHECK_EQ(world_in(fd, do_look, NULL), 0);
	close(fd);
	CHECK(!umount2("/tmp/pins", MNT_DETACH));
	CHECK_ERRNO(access("/tmp/pins/0", F_OK), ENOENT);
	REQUIRE(!rmdir("/tmp/pins"));
	/* A second time, and undone. */
	for (i = 0; i < 2; i++) {
		r = restored(&s);
		mntcr_restored_unpin(r);
		CHECK_EQ(world_own_mounts(), s.mounts);
		CHECK_ERRNO(access("/tmp/pins/0", F_OK), ENOENT);
		mntcr_restored_free(r);
	}
	/* Below a shared mount as well. */
	w_tmpfs("shared", "/tmp/shared");
	w_type("/tmp/shared", MS_SHARED);
	s.o.pin_dir = "/tmp/shared/pins";
	r = restored(&s);
	CHECK_EQ(world_own_mounts(), s.mounts + 3);
	mntcr_restored_unpin(r);
	mntcr_restored_free(r);
	w_umount("/tmp/shared");
	s.o.pin_dir = "/tmp/pins";
	/* Once more where they were unmounted, but not over other pins. */
	REQUIRE(!mkdir("/tmp/pins", 0700));
	for (i = 0; i < 2; i++) {
		r = restored(&s);
		mntcr_restored_free(r);
		s.mounts += 2;
		failed(&s, ENOTEMPTY, "pin: /tmp/pins");
		s.mounts -= 2;
		CHECK(!access("/tmp/pins/0", F_OK));
		w_umount("/tmp/pins");
	}
	/* Nor where there is anything else. */
	w_touch("/tmp/pins/file");
	failed(&s, ENOTEMPTY, "pin: /tmp/pins");
	CHECK(!access("/tmp/pins/file", F_OK));
	unlink("/tmp/pins/file");
	s.o.pin_dir = "/tmp/none/pins";
	failed(&s, ENOENT, "pin: /tmp/none/pins");
	rmdir("/tmp/pins");
	end(&s, NULL);
}

static bool stop(void *data)
{
	return !--*(unsigned int *)data;
}

/* Asked now and then; nothing is left. */
static void the_caller_ends_it(void)
{
	struct shot s = shoot(small);
	struct mntcr_restored *r;
	unsigned int after;

	s.o.cancelled = stop;
	s.o.data = &after;
	s.o.pin_dir = "/tmp/pins";
	after = 1;
	failed(&s, EINTR, "stopped");
	CHECK_EQ(world_own_mounts(), s.mounts);
	CHECK_ERRNO(access("/tmp/pins", F_OK), ENOENT);
	after = 1000;
	r = restored(&s);
	CHECK(after < 1000);
	mntcr_restored_unpin(r);
	mntcr_restored_free(r);
	end(&s, NULL);
}

/* What was mounted for the pins goes with what they were for. */
static void pins_that_are_never_made(void)
{
	struct shot s = shoot(small);
	struct mntcr_restored *r;

	s.o.pin_dir = "/tmp/pins";
	s.o.pin_later = true;
	r = restored(&s);
	CHECK_EQ(world_own_mounts(), s.mounts + 1);
	CHECK_EQ(mntcr_restored_pin(r, "/tmp/others", &s.e), -1);
	CHECK_EQ(s.e.code, MNTCR_USAGE);
	mntcr_restored_free(r);
	CHECK_EQ(world_own_mounts(), s.mounts);
	CHECK_ERRNO(access("/tmp/pins", F_OK), ENOENT);
	end(&s, NULL);
}

/* --- other sources -------------------------------------------------------------------- */

static void fresh_tree(void)
{
	world_new_root();
	w_mkdir("/a/b");
	w_mkdir("/proc");
	if (mount("t", "/a/b", "tmpfs", 0, "size=1m,mode=711") ||
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV, NULL))
		err(1, "mount");
	w_mkdir("/a/b/x/y");
	w_touch("/a/b/file");
	w_bind("/a/b/x", "/a/b/x/y");
	w_bind("/a/b/file", "/a/b/file");
	w_remount("/a/b/file", MS_RDONLY);
	w_type("/a/b", MS_SHARED);
}

static void fresh_superblocks(void)
{
	struct shot s = shoot(fresh_tree);
	struct mntcr_restored *r;

	s.o.prefer_fresh = s.o.caller_namespaces = true;
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_ORDER);
	end(&s, r);
}

#define SYSFS_MAGIC	0x62656572
#define DEVPTS_MAGIC	0x1cd1
#define MQUEUE_MAGIC	0x19800202

static void special_tree(void)
{
	world_new_root();
	w_mkdir("/sys");
	w_mkdir("/dev/pts");
	w_mkdir("/dev/pts2");
	w_mkdir("/dev/mqueue");
	w_mount("sysfs", "/sys", "sysfs", MS_NOSUID);
	w_mount("mqueue", "/dev/mqueue", "mqueue", MS_NODEV);
	w_bind("/sys/kernel", "/sys/kernel");
	if (mount("pts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		  "newinstance,gid=5,mode=620,ptmxmode=666,max=7") ||
	    mount("pts", "/dev/pts2", "devpts", 0, "newinstance,uid=3,mode=600"))
		err(1, "devpts");
}

/* A terminal in the first one, which stays. */
static int do_open_ptmx(void *arg)
{
	int fd = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? errno : 0;
}

/* What they are by what they do: 0, or the number of what is wrong. */
static int do_special(void *arg)
{
	struct statfs fs;
	struct stat st;

	if (statfs("/sys", &fs) || fs.f_type != SYSFS_MAGIC ||
	    access("/sys/kernel/mm", F_OK) || access("/sys/class/net/lo", F_OK))
		return 1;
	if (statfs("/dev/mqueue", &fs) || fs.f_type != MQUEUE_MAGIC ||
	    stat("/dev/mqueue", &st) || (st.st_mode & 07777) != 01777)
		return 2;
	if (statfs("/dev/pts", &fs) || fs.f_type != DEVPTS_MAGIC ||
	    stat("/dev/pts/ptmx", &st) || (st.st_mode & 07777) != 0666)
		return 3;
	if (stat("/dev/pts2/ptmx", &st) || st.st_mode & 07777)
		return 4;
	/* A new one, empty, that counts from 0 and gives what is to be given. */
	if (!access("/dev/pts/0", F_OK))
		return 5;
	if (do_open_ptmx(NULL) || stat("/dev/pts/0", &st) ||
	    (st.st_mode & 07777) != 0620 || st.st_gid != 5)
		return 6;
	return access("/dev/pts2/0", F_OK) ? 0 : 7;
}

static void fresh_special_filesystems(void)
{
	struct shot s = shoot(special_tree);
	struct mntcr_restored *r;
	uint32_t m;

	s.o.prefer_fresh = s.o.caller_namespaces = true;
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_ORDER);
	CHECK_EQ(world_in(mntcr_restored_ns_fd(r, 0), do_special, NULL), 0);
	mntcr_restored_free(r);
	/* sysfs may not be had from whom it is not asked of */
	s.o.caller_namespaces = false;
	failed(&s, 0, "a fresh one would show the caller's");
	CHECK_STR(s.e.rule, "callers-namespace");
	/* devpts shows nobody's */
	s.o.sources = s.src;
	s.o.nr_sources = s.w.nr;
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_ORDER);
	CHECK_EQ(world_in(mntcr_restored_ns_fd(r, 0), do_special, NULL), 0);
	/* wrong words for one */
	for (m = 0; strcmp(s.t->sbs[m].type, "devpts"); m++)
		REQUIRE(m + 1 < s.t->nr_sbs);
	s.t->sbs[m].options = "ptmxmode=9";
	mntcr_restored_free(r);
	failed(&s, EINVAL, "devpts option ptmxmode");
	end(&s, NULL);
}

static void two_sysfs(void)
{
	world_new_root();
	w_mkdir("/one");
	w_mkdir("/two");
	w_mount("sysfs", "/one", "sysfs", 0);
	if (unshare(CLONE_NEWNET))
		err(1, "unshare");
	w_mount("sysfs", "/two", "sysfs", 0);
}

static void two_mqueue(void)
{
	world_new_root();
	w_mkdir("/one");
	w_mkdir("/two");
	w_mount("mqueue", "/one", "mqueue", 0);
	if (unshare(CLONE_NEWIPC))
		err(1, "unshare");
	w_mount("mqueue", "/two", "mqueue", 0);
}

/* The caller has one network namespace, and so there is one sysfs to be had. */
static void no_second(void (*fn)(void), const char *type)
{
	struct shot s = shoot(fn);
	struct mntcr_restored *r;
	char words[64];

	snprintf(words, sizeof(words), "%s cannot be made fresh twice", type);
	s.o.prefer_fresh = s.o.caller_namespaces = true;
	failed(&s, 0, words);
	CHECK_STR(s.e.rule, "no-source");
	CHECK_EQ(s.e.code, MNTCR_REFUSED);
	/* The second from where it is. */
	s.o.sources = s.src;
	s.o.nr_sources = s.w.nr;
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_ORDER);
	end(&s, r);
}

static void no_second_sysfs(void)
{
	no_second(two_sysfs, "sysfs");
}

static void no_second_mqueue(void)
{
	no_second(two_mqueue, "mqueue");
}

static void tmpfs_tree(void)
{
	world_new_root();
	w_mkdir("/a");
	if (mount("t", "/a", "tmpfs", 0, "size=1m,mode=711,uid=7"))
		err(1, "mount");
}

/* Printed in other words, all of them are the same. */
static void options_as_the_kernel_prints_them(void)
{
	static const char *const same_as[] = {
		"rw,size=\\061024k,mode=\\067\\061\\061,uid=7",
		"rw,size=\"1024k\",mode=\"711\",uid=\"7\"",
		",,size=1024k,,mode=711,uid=7,",
	};
	struct shot s = shoot(tmpfs_tree);
	struct mntcr_restored *r;
	const char *printed;
	uint32_t sb;
	size_t i;

	s.o.prefer_fresh = true;
	for (sb = 0; !strstr(s.t->sbs[sb].options, "uid=7"); )
		REQUIRE(++sb < s.t->nr_sbs);
	printed = s.t->sbs[sb].options;
	for (i = 0; i < sizeof(same_as) / sizeof(*same_as); i++) {
		s.t->sbs[sb].options = mc_topology_str(s.t, same_as[i]);
		r = restored(&s);
		s.t->sbs[sb].options = printed;
		same(&s, r, 0);
		mntcr_restored_free(r);
	}
	end(&s, NULL);
}

static int do_modes(void *arg)
{
	static const struct {
		const char *path;
		mode_t mode;
	} want[] = {
		{ "/a", 0755 }, { "/a/b/x", 0755 }, { "/a/b/x/y", 0755 },
		{ "/a/b/file", 0644 },
	};
	struct stat st;
	size_t i;

	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		if (stat(want[i].path, &st) || (st.st_mode & 07777) != want[i].mode)
			return 1 + (int)i;
	return 0;
}

static void whatever_the_umask(void)
{
	struct shot s = shoot(fresh_tree);
	struct mntcr_restored *r;

	s.o.prefer_fresh = s.o.caller_namespaces = true;
	umask(077);
	r = restore(&s);
	CHECK_EQ(umask(022), 077);
	REQUIRE(r);
	CHECK_EQ(world_in(mntcr_restored_ns_fd(r, 0), do_modes, NULL), 0);
	end(&s, r);
}

/* An image says what it likes; a terminal need not hear it. */
static void options_are_shown_escaped(void)
{
	struct shot s = shoot(small);
	const char *was = s.t->sbs[0].options;

	s.o.prefer_fresh = s.o.caller_namespaces = true;
	s.t->sbs[0].options = "no\033[2Jne=1";
	failed(&s, EINVAL, "option no\\033[2Jne: ");
	s.t->sbs[0].options = was;
	end(&s, NULL);
}

static void ro_superblock(void)
{
	world_new_root();
	w_mkdir("/a/b");
	w_tmpfs("one", "/a/b");
	w_mkdir("/a/b/in");
	w_tmpfs("two", "/a/b/in");
	if (mount(NULL, "/a/b", NULL, MS_REMOUNT | MS_RDONLY, NULL))
		err(1, "remount");
}

static void a_fresh_superblock_that_is_read_only(void)
{
	struct shot s = shoot(ro_superblock);
	struct mntcr_restored *r;

	s.o.prefer_fresh = s.o.caller_namespaces = true;
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_ORDER);
	end(&s, r);
}

static void a_path_stands_for_a_superblock(void)
{
	struct mntcr_external ext = { .path = "/tmp/outside" };
	struct shot s;
	struct mntcr_restored *r;
	char key[32];

	need_api();
	s = shoot(small);
	w_tmpfs("outside", "/tmp/outside");
	w_mkdir("/tmp/outside/a/b");
	w_mkdir("/tmp/outside/c");
	s.mounts++;
	snprintf(key, sizeof(key), "%u:%u", s.t->sbs[s.t->mounts[0].sb].major,
		 s.t->sbs[s.t->mounts[0].sb].minor);
	ext.key = key;
	s.o.prefer_fresh = s.o.caller_namespaces = true;
	s.o.externals = &ext;
	s.o.nr_externals = 1;
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_IGNORE_SOURCE);
	mntcr_restored_free(r);
	ext.path = "/tmp/nothing";
	failed(&s, ENOENT, "--external: /tmp/nothing");
	end(&s, NULL);
	w_umount("/tmp/outside");
}

static struct world outer;

static void slave(void)
{
	w_type("/", MS_REC | MS_SLAVE);
	w_umount("/c");
}

/* The master's namespace is not restored: a path leads to it. */
static void a_path_stands_for_a_master(void)
{
	struct mntcr_external ext;
	struct shot s = { .w = { .nr = 0 } };
	struct mntcr_restored *r;
	struct mntcr_error e;
	struct mntcr_place src, dst = { .own_ns = true, .path = "/tmp/master" };
	struct mntcr_bind_options bo = {
		.api = api, .propagation = MNTCR_PROPAGATION_KEEP,
	};
	char key[32];
	uint32_t g;

	need_api();
	world_add(&outer, -1, small);
	s.w.ns[s.w.nr++] = outer.ns[0];
	world_add(&s.w, 0, slave);
	s.w.ns[0] = s.w.ns[1];
	s.w.nr = 1;
	capture_fds(&s.w, s.src, &s.t);
	s.o.api = api;
	REQUIRE(!mkdir("/tmp/master", 0755) || errno == EEXIST);
	src = (struct mntcr_place){
		.ns = { .type = MNTCR_SOURCE_FD, .fd = outer.ns[0] },
		.path = "/a/b",
	};
	REQUIRE(!mntcr_bind(&src, &dst, &bo, &e));
	s.mounts = world_own_mounts();
	s.fds = world_own_fds();
	for (g = 0; g < s.t->nr_groups && s.t->groups[g].nr_members; g++)
		;
	REQUIRE(g < s.t->nr_groups);
	snprintf(key, sizeof(key), "%llu", (unsigned long long)s.t->groups[g].id);
	ext = (struct mntcr_external){ .key = key, .path = "/tmp/master" };
	s.o.masters = &ext;
	s.o.nr_masters = 1;
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_DEVICES);
	w_mkdir("/tmp/master/ev");
	CHECK(!mount("ev", "/tmp/master/ev", "tmpfs", 0, NULL));
	CHECK_EQ(world_event(mntcr_restored_ns_fd(r, 0), "/a/b", false), 0);
	CHECK(!umount2("/tmp/master/ev", 0));
	/* a path that nothing is shared with */
	ext.path = "/tmp";
	mntcr_restored_free(r);
	r = restore(&s);
	CHECK(!r);
	CHECK(strstr(s.e.text, "group: mount"));
	end(&s, r);
	world_close(&outer);
	w_umount("/tmp/master");
}

/* --- failures --------------------------------------------------------------------------- */

static void a_source_that_is_gone(void)
{
	struct shot s = shoot(small);
	struct mntcr_source gone = { .type = MNTCR_SOURCE_PID };
	struct mntcr_source other = { .type = MNTCR_SOURCE_PID, .pid = getpid() };
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	REQUIRE(waitpid(pid, NULL, 0) == pid);
	gone.pid = pid;
	s.o.sources = &gone;
	s.o.nr_sources = 1;
	failed(&s, ESRCH, "process");
	s.o.sources = &other;
	failed(&s, 0, "none of the image's namespaces");
	CHECK_EQ(s.e.code, MNTCR_USAGE);
	end(&s, NULL);
}

static int do_umount(void *arg)
{
	w_umount(arg);
	return 0;
}

static int do_rmdir(void *arg)
{
	w_umount("/c");
	if (rmdir("/c"))
		err(1, "rmdir");
	return 0;
}

static int do_symlink(void *arg)
{
	do_rmdir(NULL);
	if (symlink("/a", "/c"))
		err(1, "symlink");
	return 0;
}

static int do_deep_symlink(void *arg)
{
	w_umount("/a/b");
	if (rename("/a", "/elsewhere") || symlink("/elsewhere", "/a"))
		err(1, "symlink");
	return 0;
}

static void a_live_source_that_has_changed(void)
{
	struct shot s = shoot(small);
	struct mntcr_restored *r;

	REQUIRE(!world_in(s.w.ns[0], do_umount, (void *)"/a/b"));
	r = restore(&s);
	CHECK(!r);
	CHECK(s.e.err == ENOENT || s.e.err == ESTALE);
	CHECK(strstr(s.e.text, "changed since it was dumped"));
	end(&s, r);
}

static void a_mountpoint_that_is_missing(void)
{
	struct shot s = shoot(small);

	REQUIRE(!world_in(s.w.ns[0], do_rmdir, NULL));
	failed(&s, ENOENT, "/c (id ");
	CHECK(strstr(s.e.text, "attach"));
	CHECK(strstr(s.e.text, "mountpoint does not exist"));
	end(&s, NULL);
}

static void a_mountpoint_that_is_a_symlink(void)
{
	struct shot s = shoot(small);
	struct mntcr_restored *r;

	REQUIRE(!world_in(s.w.ns[0], do_symlink, NULL));
	r = restore(&s);
	CHECK(!r);
	CHECK(s.e.err == ENOTDIR || s.e.err == EINVAL);
	CHECK(strstr(s.e.text, "/c (id "));
	end(&s, r);
}

/* The source is found through a second mount that stays where it was. */
static void two_ways(void)
{
	small();
	w_mkdir("/z");
	w_bind("/c", "/z");
	w_umount("/c");
	w_mkdir("/elsewhere.b");
}

static void a_symlink_on_the_way(void)
{
	struct shot s = shoot(two_ways);
	struct mntcr_restored *r;

	REQUIRE(!world_in(s.w.ns[0], do_deep_symlink, NULL));
	r = restore(&s);
	CHECK(!r);
	/* by path it is the source that is not found, by id the mountpoint */
	CHECK(s.e.err == ELOOP || s.e.err == ENOENT);
	end(&s, r);
}

static void without_privilege(void)
{
	struct shot s = shoot(small);
	pid_t pid;
	int status;

	pid = fork();
	if (!pid) {
		struct mntcr_restored *r;

		if (setresgid(65534, 65534, 65534) ||
		    setresuid(65534, 65534, 65534))
			_exit(2);
		r = restore(&s);
		if (r || s.e.err != EPERM || !strstr(s.e.text, "CAP_SYS_ADMIN")) {
			TAP_SAY("%s", s.e.text);
			fflush(stdout);
			_exit(1);
		}
		_exit(0);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
	end(&s, NULL);
}

static void too_few_descriptors(void)
{
	struct shot s = shoot(peers);
	struct mntcr_restored *r;

	s.o.fd_limit = 200;
	if (api == MNTCR_API_UPSTREAM) {
		failed(&s, EMFILE, "too few descriptors");
	} else {
		/* made in pieces: found again by their ids */
		r = restored(&s);
		same(&s, r, MNTCR_VERIFY_DEVICES | MNTCR_VERIFY_ORDER);
		mntcr_restored_free(r);
		s.o.keep_fds = true;
		failed(&s, EMFILE, "too few descriptors");
		s.o.keep_fds = false;
		s.o.fd_limit = 20;
		failed(&s, EMFILE, "too few descriptors");
	}
	end(&s, NULL);
}

/* The real limit, which the library raises for as long as it needs to. */
static void the_limit_is_raised_and_put_back(void)
{
	struct rlimit old, low = { 64, 64 }, after;
	struct shot s;
	struct mntcr_restored *r;

	s = shoot(peers);
	REQUIRE(!getrlimit(RLIMIT_NOFILE, &old));
	low.rlim_max = old.rlim_max;
	REQUIRE(!setrlimit(RLIMIT_NOFILE, &low));
	r = restored(&s);
	REQUIRE(!getrlimit(RLIMIT_NOFILE, &after));
	CHECK_EQ(after.rlim_cur, 64);
	REQUIRE(!setrlimit(RLIMIT_NOFILE, &old));
	same(&s, r, MNTCR_VERIFY_DEVICES);
	end(&s, r);
}

/* As much is asked for as will be used: by every kind of operation. */
static void within(void (*fn)(void), bool fresh, rlim_t soft, rlim_t hard)
{
	struct rlimit old, low;
	struct shot s = shoot(fn);
	struct mntcr_restored *r;

	s.o.prefer_fresh = s.o.caller_namespaces = fresh;
	/* What is copied into another user namespace is locked. */
	s.o.ignore_locks = hard;
	REQUIRE(!getrlimit(RLIMIT_NOFILE, &old));
	low = (struct rlimit){ soft, hard ? hard : old.rlim_max };
	REQUIRE(!setrlimit(RLIMIT_NOFILE, &low));
	r = restored(&s);
	CHECK(hard || !setrlimit(RLIMIT_NOFILE, &old));
	same(&s, r, (fresh ? MNTCR_VERIFY_IGNORE_SOURCE : MNTCR_VERIFY_DEVICES) |
	     (hard ? MNTCR_VERIFY_IGNORE_LOCKS : 0));
	end(&s, r);
}

static void fresh_deep(void)
{
	char path[64];
	int i;

	world_new_root();
	for (i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "/d%d/e/m", i % 50);
		w_mkdir(path);
		snprintf(path, sizeof(path), "/d%d/e/m/%d", i % 50, i);
		w_tmpfs("leaf", path);
	}
}

static void covers(void)
{
	int i;

	world_new_root();
	w_tmpfs("lowest", "/a");
	for (i = 0; i < MANY; i++)
		w_tmpfs("cover", "/a");
}

static void the_limit_is_raised_far_enough(void)
{
	TAP_SAY("superblocks");
	within(superblocks, false, 64, 0);
	TAP_SAY("fresh superblocks");
	within(superblocks, true, 64, 0);
	TAP_SAY("deep mountpoints on fresh superblocks");
	within(fresh_deep, true, 64, 0);
	TAP_SAY("roots");
	within(roots, false, 64, 0);
	TAP_SAY("deep mountpoints");
	within(deep_binds, false, 64, 0);
	TAP_SAY("covers");
	within(covers, false, 64, 0);
}

/* Not raised at all, where that will do; nor for whom it cannot be. */
static void little_takes_little(void)
{
	pid_t pid;

	need_api();
	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (setjmp(tap.out))
			_exit(1);
		if (unshare(CLONE_NEWUSER))
			_exit(4);
		w_map_root();
		world_own_ns();
		within(small, false, 48, 48);
		fflush(stdout);
		_exit(tap.bad);
	}
	CHECK_EQ(wd_wait_for(pid), 0);
}

/* The caller has many of its own. */
static void descriptors_of_the_caller(void)
{
	int first = open("/", O_PATH | O_CLOEXEC), last = first, i;

	REQUIRE(first >= 0);
	for (i = 0; i < 200; i++)
		REQUIRE((last = fcntl(first, F_DUPFD_CLOEXEC, first)) >= 0);
	within(small, false, (rlim_t)last + 3, 0);
	mc_close_range(first, last, 0);
}

/*
 * What is shot in a user namespace of its own comes out right, under this limit of
 * mount namespaces.
 */
static struct shot in_own_user_ns(void (*scene)(void), const char *limit)
{
	struct mntcr_restored *r;
	struct shot s;

	if (unshare(CLONE_NEWUSER))
		_exit(4);
	w_map_root();
	world_own_ns();
	s = shoot(scene);
	/* Its root is locked, as are all that were copied. */
	s.o.ignore_locks = api == MNTCR_API_UPSTREAM;
	w_write("sys/user/max_mnt_namespaces", limit);
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_DEVICES | MNTCR_VERIFY_ORDER |
	     (s.o.ignore_locks ? MNTCR_VERIFY_IGNORE_LOCKS : 0));
	mntcr_restored_free(r);
	return s;
}

/* First it works there, then it may not. */
static void limited(void)
{
	struct shot s = in_own_user_ns(small, "10000");

	w_write("sys/user/max_mnt_namespaces", "1");
	failed(&s, ENOSPC, "");
	end(&s, NULL);
}

static void many_trees(void)
{
	char path[32];
	int i;

	world_new_root();
	for (i = 0; i < 60; i++) {
		snprintf(path, sizeof(path), "/%d", i);
		w_tmpfs("t", path);
		snprintf(path, sizeof(path), "/at%d", i);
		w_mkdir(path);
		w_bind("/", path);
	}
}

/* Detached trees count as namespaces, and there may be few of those. */
static void few_trees(void)
{
	struct shot s = in_own_user_ns(many_trees, "12");

	end(&s, NULL);
}

static void in_a_child(void (*fn)(void))
{
	int status;
	pid_t pid;

	need_api();
	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (setjmp(tap.out))
			_exit(1);
		fn();
		fflush(stdout);
		_exit(tap.bad);
	}
	status = wd_wait_for(pid);
	if (status == 4)
		SKIP("no user namespaces here");
	CHECK_EQ(status, 0);
}

static void too_many_namespaces(void)
{
	in_a_child(limited);
}

static void few_trees_at_a_time(void)
{
	in_a_child(few_trees);
}

static void root_with_proc(void)
{
	w_tmpfs("root", "/tmp/root");
	w_mkdir("/tmp/root/proc");
	if (mount("proc", "/tmp/root/proc", "proc", MS_NOSUID, NULL) ||
	    chdir("/tmp/root") || syscall(SYS_pivot_root, ".", ".") ||
	    umount2(".", MNT_DETACH) || chdir("/"))
		err(1, "a root with proc");
}

/* There proc can be made by whom sees one already, and by nobody else. */
static int fresh_proc(void)
{
	struct mntcr_restored *r;
	struct shot s;

	world_own_ns();
	if (mount("proc", "/proc", "proc", 0, NULL))
		return 4;
	close(world_proc_fd);
	world_proc_fd = open("/proc", O_PATH | O_CLOEXEC);
	s = shoot(root_with_proc);
	s.o.prefer_fresh = s.o.caller_namespaces = true;
	s.o.ignore_locks = true;
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_ORDER | MNTCR_VERIFY_IGNORE_LOCKS);
	end(&s, r);
	return tap.bad;
}

static void proc_in_a_user_namespace(void)
{
	int status;
	pid_t pid;

	need_api();
	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWUSER))
			_exit(4);
		w_map_root();
		if (unshare(CLONE_NEWPID))
			_exit(4);
		pid = fork();
		if (pid)
			_exit(wd_wait_for(pid));
		if (setjmp(tap.out))
			_exit(1);
		status = fresh_proc();
		fflush(stdout);
		_exit(status);
	}
	status = wd_wait_for(pid);
	if (status == 4)
		SKIP("no proc in user namespaces here");
	CHECK_EQ(status, 0);
}

/* Where the caller stands is left alone. */
static void root_and_cwd_stay(void)
{
	struct shot s = shoot(small);
	struct stat root[2], cwd[2];
	struct mntcr_restored *r;
	char ns[2][64] = { "", "" };

	REQUIRE(!stat("/", &root[0]) && !stat(".", &cwd[0]));
	REQUIRE(readlink("/proc/self/ns/mnt", ns[0], 63) > 0);
	r = restored(&s);
	REQUIRE(!stat("/", &root[1]) && !stat(".", &cwd[1]));
	REQUIRE(readlink("/proc/self/ns/mnt", ns[1], 63) > 0);
	CHECK(root[0].st_ino == root[1].st_ino && root[0].st_dev == root[1].st_dev);
	CHECK(cwd[0].st_ino == cwd[1].st_ino && cwd[0].st_dev == cwd[1].st_dev);
	CHECK_STR(ns[1], ns[0]);
	end(&s, r);
}

/* --- the caller's signals ------------------------------------------------- */

static volatile sig_atomic_t children;

static void note_child(int sig)
{
	children++;
}

static void nothing(void)
{
}

static struct shot shoot_owned(void)
{
	struct shot s = { .w = { .nr = 0 } };

	need_api();
	world_add(&s.w, -1, small);
	world_add_flags(&s.w, 0, nothing, CLONE_NEWUSER);
	capture_fds(&s.w, s.src, &s.t);
	s.o.api = api;
	s.o.ignore_locks = api == MNTCR_API_UPSTREAM;
	s.mounts = world_own_mounts();
	s.fds = world_own_fds();
	return s;
}

/* Children of ours are no business of the caller's, nor his handling of his. */
static void children_are_ours(void)
{
	struct mntcr_feature before[MNTCR_NR_FEATURES], f[MNTCR_NR_FEATURES];
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction note = { .sa_handler = note_child }, old;
	struct shot s = shoot_owned();
	struct mntcr_restored *r;
	struct mntcr_error e;
	int i;

	REQUIRE(!mntcr_features(before, &e));
	for (i = 0; i < 2; i++) {
		children = 0;
		REQUIRE(!sigaction(SIGCHLD, i ? &note : &ignore, &old));
		mntcr_features(f, &e);
		r = restore(&s);
		REQUIRE(!sigaction(SIGCHLD, &old, NULL));
		CHECK_EQ(children, 0);
		CHECK_EQ(f[MNTCR_FEAT_EMPTY_MNTNS].state,
			 before[MNTCR_FEAT_EMPTY_MNTNS].state);
		if (!r && strcmp(s.e.rule, "owner")) {
			TAP_SAY("%s", s.e.text);
			tap.bad = 1;
		}
		mntcr_restored_free(r);
	}
	end(&s, NULL);
}

static void see_mask(void *data, const int *ns_fds, size_t nr)
{
	if (pthread_sigmask(SIG_BLOCK, NULL, data))
		err(1, "sigmask");
}

/* A handler of the caller's never runs with another root and other mounts. */
static void handlers_run_at_home(void)
{
	struct shot s = shoot(small);
	struct mntcr_restored *r;
	sigset_t in, after;

	s.o.namespaces_made = see_mask;
	s.o.data = &in;
	r = restored(&s);
	CHECK_EQ(sigismember(&in, SIGUSR1), api == MNTCR_API_UPSTREAM);
	REQUIRE(!pthread_sigmask(SIG_BLOCK, NULL, &after));
	CHECK_EQ(sigismember(&after, SIGUSR1), 0);
	end(&s, r);
}

/* Asked for by name it must be there; by itself the best there is is taken. */
static void the_api_that_is_there(void)
{
	bool extended = !(mc_mount_setgroup(NULL, 0, 0) && errno == ENOSYS);
	struct mntcr_restored *r;
	struct shot s = shoot(small);

	if (!extended) {
		s.o.api = MNTCR_API_EXTENDED;
		failed(&s, 0, "mount_setgroup(2)");
		CHECK_EQ(s.e.code, MNTCR_UNSUPPORTED);
	}
	s.o.api = MNTCR_API_AUTO;
	r = restored(&s);
	CHECK_EQ(mntcr_restored_api(r), extended ? MNTCR_API_EXTENDED :
		 MNTCR_API_UPSTREAM);
	end(&s, r);
}

static const struct {
	const char *name;
	void (*fn)(void);
} tests[] = {
	{ "calls-for-binds", calls_for_binds },
	{ "calls-for-deep-binds", calls_for_deep_binds },
	{ "calls-for-peers", calls_for_peers },
	{ "calls-for-a-chain", calls_for_a_chain },
	{ "calls-for-superblocks", calls_for_superblocks },
	{ "calls-for-roots", calls_for_roots },
	{ "wakes-few", wakes_few },
	{ "wakes-few-of-each", wakes_few_of_each },
	{ "a-descriptor-of-each-mount", a_descriptor_of_each_mount },
	{ "namespaces-are-pinned", namespaces_are_pinned },
	{ "the-caller-ends-it", the_caller_ends_it },
	{ "pins-that-are-never-made", pins_that_are_never_made },
	{ "fresh-superblocks", fresh_superblocks },
	{ "fresh-special-filesystems", fresh_special_filesystems },
	{ "no-second-fresh-sysfs", no_second_sysfs },
	{ "no-second-fresh-mqueue", no_second_mqueue },
	{ "options-as-printed", options_as_the_kernel_prints_them },
	{ "whatever-the-umask", whatever_the_umask },
	{ "options-are-shown-escaped", options_are_shown_escaped },
	{ "fresh-and-read-only", a_fresh_superblock_that_is_read_only },
	{ "external-superblock", a_path_stands_for_a_superblock },
	{ "external-master", a_path_stands_for_a_master },
	{ "source-gone", a_source_that_is_gone },
	{ "source-changed", a_live_source_that_has_changed },
	{ "mountpoint-missing", a_mountpoint_that_is_missing },
	{ "mountpoint-is-a-symlink", a_mountpoint_that_is_a_symlink },
	{ "symlink-on-the-way", a_symlink_on_the_way },
	{ "without-privilege", without_privilege },
	{ "too-few-descriptors", too_few_descriptors },
	{ "limit-raised-and-put-back", the_limit_is_raised_and_put_back },
	{ "limit-raised-far-enough", the_limit_is_raised_far_enough },
	{ "descriptors-of-the-caller", descriptors_of_the_caller },
	{ "little-takes-little", little_takes_little },
	{ "too-many-namespaces", too_many_namespaces },
	{ "few-trees-at-a-time", few_trees_at_a_time },
	{ "proc-in-a-user-namespace", proc_in_a_user_namespace },
	{ "root-and-cwd-stay", root_and_cwd_stay },
	{ "children-are-ours", children_are_ours },
	{ "handlers-run-at-home", handlers_run_at_home },
	{ "api-that-is-there", the_api_that_is_there },
};

int main(int argc, char **argv)
{
	char name[128];
	size_t i, a;

	setvbuf(stdout, NULL, _IOLBF, 0);
	world_start();
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
	return tap_done();
}
