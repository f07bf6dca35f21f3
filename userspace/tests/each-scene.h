/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Restores and binds of every kind, for tests in which one does not come to its end:
 * each program says in each_way() and each_once() how.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TESTS_EACH_SCENE_H
#define TESTS_EACH_SCENE_H

#include <sys/statfs.h>

#include "mntcr-restore.h"
#include "base/base.h"
#include "topology/topology.h"
#include "extended.h"
#include "in-child.h"
#include "leftover.h"
#include "staged.h"
#include "tap.h"
#include "world.h"

struct job {
	int (*run)(struct mntcr_error *e);
	void (*check)(void);	/* it worked: is it right? */
	void (*undo)(void);
};

/* In every way that the program knows, with so many steps at least; or in one. */
static void each_way(const struct job *j, long least);
static void each_once(const struct job *j);
/* Did the last run not go as it does by itself? */
static bool disturbed(void);

static enum mntcr_api api;

static void say(void *data, const char *line)
{
	TAP_SAY("verify: %s", line);
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

/* These namespaces are as those that were dumped. */
static void check_namespaces(const int *ns, size_t nr_ns)
{
	struct mntcr_verify_options vo = {
		.size = sizeof(vo),
		.flags = verify_flags, .report = say, .max_reports = 10,
	};
	struct mntcr_topology *got = captured(ns, nr_ns);
	struct mntcr_error e;
	size_t nr = 1;

	REQUIRE(!mntcr_verify(t, got, &vo, &nr, &e));
	CHECK_EQ(nr, 0);
	mntcr_topology_free(got);
}

static void check_restore(void)
{
	struct statfs fs;
	int ns[WORLD_MAX_NS];
	size_t i;

	for (i = 0; i < mntcr_restored_nr_ns(r); i++)
		ns[i] = mntcr_restored_ns_fd(r, i);
	check_namespaces(ns, i);
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
	CHECK(!told || disturbed());
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

/* --- where namespaces can be counted -------------------------------------------------- */

static void counted(void)
{
	prepare();
	world_add(&w, -1, rich);
	shoot();
	/* the upstream calls set none, nor can who owns the namespace */
	o.ignore_locks = true;
	verify_flags |= MNTCR_VERIFY_IGNORE_LOCKS;
	for (counted_ns = 1; !room_for(counted_ns + 1); counted_ns++)
		REQUIRE(counted_ns < 100);
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

/* NAME and function of each, with both backends. */
#define EACH_SCENE							\
	{ "live-sources", live_sources },				\
	{ "fresh-and-external", fresh_and_external },			\
	{ "overlay", overlay },						\
	{ "copies-of-a-namespace", copies_of_a_namespace },		\
	{ "singleton-opened-again", singleton_opened_again },		\
	{ "cgroups-opened-again", cgroups_opened_again },		\
	{ "masters-outside", masters_outside },				\
	{ "other-owner", other_owner },					\
	{ "in-a-user-namespace", in_a_user_namespace },			\
	{ "bind", bind_between_two }

struct scene_test {
	const char *name;
	void (*fn)(void);
};

/* @only: a name, or NULL. */
static inline void run_scenes(const struct scene_test *tests, size_t nr, const char *only)
{
	char name[128];
	size_t i, a;

	setvbuf(stdout, NULL, _IOLBF, 0);
	counted_ns = -1;
	world_start();
	/* a descriptor like any other: some daemon has it closed */
	close(0);
	w_tmpfs("shared", "/tmp/shared");
	w_type("/tmp/shared", MS_SHARED);
	w_mkdir("/tmp/peer");
	w_bind("/tmp/shared", "/tmp/peer");
	for (a = 0; a < 2; a++) {
		api = a ? MNTCR_API_EXTENDED : MNTCR_API_UPSTREAM;
		for (i = 0; i < nr; i++) {
			if (only && strcmp(only, tests[i].name))
				continue;
			snprintf(name, sizeof(name), "%s.%s",
				 a ? "extended" : "upstream", tests[i].name);
			tap_run(name, tests[i].fn);
		}
	}
}

/* After run_scenes(): what there is nothing of to try without the series' calls. */
static inline void run_extended(const char *name, void (*fn)(void), const char *only)
{
	char full[128];

	if (only && strcmp(only, name))
		return;
	snprintf(full, sizeof(full), "extended.%s", name);
	tap_run(full, fn);
}

/* The same. */
static inline void run_in_stages(const char *only)
{
	run_extended("in-stages", in_stages, only);
}

#endif /* TESTS_EACH_SCENE_H */
