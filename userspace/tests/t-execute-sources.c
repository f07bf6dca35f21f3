// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where superblocks come from: paths that stand for them, live ones that have
 * changed or are gone.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <signal.h>

#include "shot.h"

static void a_path_stands_for_a_superblock(void)
{
	struct mntcr_external ext = { .path = "/tmp/outside" };
	struct shot s;
	struct mntcr_restored *r;
	char key[32], want[64];

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
	snprintf(want, sizeof(want), "--external %s=/tmp/nothing", key);
	failed(&s, ENOENT, want);
	end(&s, NULL);
	w_umount("/tmp/outside");
}

struct told {
	const char *rule;
	unsigned int refusals, differences;
	char text[512], line[512];
};

static void told_refusal(void *data, const struct mntcr_refusal *refusal)
{
	struct told *told = data;

	if (strcmp(refusal->rule, told->rule))
		return;
	CHECK_EQ(refusal->nr_mounts, 1);
	if (!told->refusals++)
		snprintf(told->text, sizeof(told->text), "%s", refusal->text);
}

static void told_difference(void *data, const char *line)
{
	struct told *told = data;

	told->differences++;
	snprintf(told->line, sizeof(told->line), "%s", line);
}

static char *planned(struct shot *s, int *ret)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	REQUIRE(out);
	memset(&s->e, 0, sizeof(s->e));
	*ret = mntcr_plan_print(s->t, &s->o, false, out, &s->e);
	REQUIRE(!fclose(out));
	return text;
}

/* By a restore and by a plan, and nothing is made. */
static void does_not_fit(struct shot *s, const char *rule, const char *why,
			 unsigned int nr)
{
	struct told told = { .rule = rule };
	int ret;

	s->o.data = &told;
	failed(s, 0, why);
	CHECK_EQ(s->e.code, MNTCR_REFUSED);
	CHECK_STR(s->e.rule, rule);
	CHECK_EQ(told.refusals, nr);
	CHECK(strstr(told.text, why));
	told.refusals = 0;
	free(planned(s, &ret));
	CHECK_EQ(ret, -1);
	CHECK_STR(s->e.rule, rule);
	CHECK_EQ(told.refusals, nr);
}

static void a_path_that_does_not_fit(void)
{
	struct mntcr_external ext = { .key = "path:/a/b", .path = "/tmp/outside" };
	struct told told = { 0 };
	struct shot s;
	char *text;
	int ret;

	need_api();
	s = shoot(fresh_tree);
	w_tmpfs("outside", "/tmp/outside");
	s.mounts++;
	s.o.prefer_fresh = s.o.caller_namespaces = true;
	s.o.externals = &ext;
	s.o.nr_externals = 1;
	s.o.refused = told_refusal;
	s.o.difference = told_difference;
	w_touch("/tmp/outside/none");
	ext.path = "/tmp/outside/none";
	does_not_fit(&s, "external-root", "its root is a directory, but --external path:/a/b=/tmp/outside/none leads to what is no directory", 3);
	ext.path = "/tmp/outside";
	does_not_fit(&s, "external-root", "/a/b/file: its root is below that of its superblock (a file, mode 0644), but --external path:/a/b=/tmp/outside leads to what has nothing at file", 2);
	w_mkdir("/tmp/outside/file");
	w_touch("/tmp/outside/x");
	does_not_fit(&s, "external-root", "/a/b/file: its root is no directory, but --external path:/a/b=/tmp/outside leads to a directory at file", 2);
	REQUIRE(!rmdir("/tmp/outside/file"));
	w_touch("/tmp/outside/file");
	does_not_fit(&s, "external-root", "/a/b/x/y: its root is a directory, but --external path:/a/b=/tmp/outside leads to what is no directory at x", 1);
	REQUIRE(!unlink("/tmp/outside/x"));
	w_mkdir("/tmp/outside/x");
	does_not_fit(&s, "external-mountpoint", "/a/b/x/y: --external path:/a/b=/tmp/outside has nothing at x/y to mount it on", 1);
	w_touch("/tmp/outside/x/y");
	does_not_fit(&s, "external-mountpoint", "/a/b/x/y: --external path:/a/b=/tmp/outside has no directory at x/y to mount it on", 1);
	REQUIRE(!unlink("/tmp/outside/x/y"));
	w_mkdir("/tmp/outside/x/y");
	/* now it does, and only shows another source */
	s.o.data = &told;
	mntcr_restored_free(restored(&s));
	CHECK_EQ(told.differences, 3);
	CHECK(strstr(told.line, ": source 'outside' instead of 't'"));
	text = planned(&s, &ret);
	CHECK_EQ(ret, 0);
	CHECK(strstr(text, ": source outside instead of t\n"));
	free(text);
	/* nor that, of a mount that shows the same */
	w_umount("/tmp/outside");
	w_tmpfs("t", "/tmp/outside");
	w_mkdir("/tmp/outside/x/y");
	w_touch("/tmp/outside/file");
	told.differences = 0;
	end(&s, restored(&s));
	CHECK_EQ(told.differences, 0);
	w_umount("/tmp/outside");
}

static void bound_twice(void)
{
	world_new_root();
	w_tmpfs("t", "/a");
	w_mkdir("/a/d");
	w_mkdir("/b");
	w_mkdir("/c");
	w_bind("/a/d", "/b");
	w_bind("/a/d", "/c");
}

/* Both show what is not there: one refusal, which counts them. */
static void a_path_that_fits_neither_of_two(void)
{
	struct mntcr_external ext = { .key = "path:/a", .path = "/tmp/outside" };
	struct shot s;

	need_api();
	s = shoot(bound_twice);
	w_tmpfs("outside", "/tmp/outside");
	s.mounts++;
	s.o.prefer_fresh = true;
	s.o.externals = &ext;
	s.o.nr_externals = 1;
	failed(&s, 0, "/b and 1 more: its root is below that of its superblock");
	CHECK_STR(s.e.rule, "external-root");
	end(&s, NULL);
	w_umount("/tmp/outside");
}

static struct world outer;

static void slave(void)
{
	w_type("/", MS_REC | MS_SLAVE);
	w_umount("/c");
}

static void no_master(struct shot *s, struct mntcr_external *ext, const char *path,
		      const char *why)
{
	char name[64];

	ext->path = path;
	snprintf(name, sizeof(name), "=%s: ", path);
	CHECK(!restore(s));
	CHECK_EQ(s->e.code, MNTCR_REFUSED);
	CHECK_STR(s->e.rule, "external-master");
	if (!strstr(s->e.text, name) || !strstr(s->e.text, why))
		CHECK_STR(s->e.text, why);
}

/* The master's namespace is not restored: a path leads to it. */
static void a_path_stands_for_a_master(void)
{
	struct mntcr_external ext;
	struct shot s = { .o = { .size = sizeof(s.o) } };
	struct mntcr_restored *r;
	struct mntcr_error e;
	struct mntcr_place src, dst = {
		.size = sizeof(dst), .own_ns = true, .path = "/tmp/master",
	};
	struct mntcr_bind_options bo = {
		.size = sizeof(bo),
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
		.size = sizeof(src),
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
	/* what cannot be received from is named, before anything is made */
	mntcr_restored_free(r);
	r = NULL;
	no_master(&s, &ext, "/tmp/master/ev", "is not where a mount is");
	CHECK(!mount("other", "/tmp/master/ev", "tmpfs", 0, NULL));
	CHECK(!mount(NULL, "/tmp/master/ev", NULL, MS_SHARED, NULL));
	no_master(&s, &ext, "/tmp/master/ev", "a peer group is of one superblock");
	CHECK(!umount2("/tmp/master/ev", 0));
	CHECK(!mount(NULL, "/tmp/master", NULL, MS_SLAVE, NULL));
	no_master(&s, &ext, "/tmp/master", "is a slave and not shared");
	CHECK(!mount(NULL, "/tmp/master", NULL, MS_PRIVATE, NULL));
	no_master(&s, &ext, "/tmp/master", "the mount there is not shared");
	end(&s, r);
	world_close(&outer);
	w_umount("/tmp/master");
}

/* In it, the master of /m is a group that receives from outside. */
static void slave_of_outside(void)
{
	w_tmpfs("root", "/tmp/root");
	w_mkdir("/tmp/root/m");
	w_bind("/tmp/m", "/tmp/root/m");
	w_type("/tmp/root/m", MS_SLAVE);
	if (chdir("/tmp/root") || syscall(SYS_pivot_root, ".", ".") ||
	    umount2(".", MNT_DETACH) || chdir("/"))
		err(1, "pivot_root");
}

static void narrow(void)
{
	struct mntcr_external master = { .path = "/tmp/n" };
	struct shot s;
	uint32_t m;
	char key[32];

	w_tmpfs("m", "/tmp/m");
	w_type("/tmp/m", MS_SHARED);
	w_mkdir("/tmp/m/d");
	in_child_own_user_ns();
	/* the copy of /tmp/m is a slave of the one there */
	REQUIRE(!unshare(CLONE_NEWNS));
	w_type("/tmp", MS_PRIVATE);
	w_type("/tmp/m", MS_SHARED);
	w_mkdir("/tmp/n");
	w_bind("/tmp/m/d", "/tmp/n");
	s = shoot(slave_of_outside);
	s.o.ignore_locks = true;
	for (m = 0; m < s.t->nr_mounts && s.t->mounts[m].master == MC_NONE; m++)
		;
	REQUIRE(m < s.t->nr_mounts);
	snprintf(key, sizeof(key), "%llu",
		 (unsigned long long)s.t->groups[s.t->mounts[m].master].id);
	master.key = key;
	s.o.masters = &master;
	s.o.nr_masters = 1;
	if (api == MNTCR_API_UPSTREAM) {
		failed(&s, 0, "=/tmp/n: the root of the mount there, /d, does not contain /, that of ");
		CHECK_EQ(s.e.code, MNTCR_REFUSED);
		CHECK_STR(s.e.rule, "external-master");
	} else {
		failed(&s, ERANGE, "receiving from --external-master ");
		CHECK(strstr(s.e.text, "/m (id "));
		CHECK(strstr(s.e.text, "=/tmp/n: mount_setgroup (a member rooted outside of the mount that it joins"));
	}
	/* one that is wide enough */
	master.path = "/tmp/m";
	end(&s, restored(&s));
}

static void a_master_that_is_too_narrow(void)
{
	shot_in_child(narrow);
}

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

static const struct shot_test tests[] = {
	{ "external-superblock", a_path_stands_for_a_superblock },
	{ "external-that-does-not-fit", a_path_that_does_not_fit },
	{ "external-that-fits-neither-of-two", a_path_that_fits_neither_of_two },
	{ "external-master", a_path_stands_for_a_master },
	{ "external-master-too-narrow", a_master_that_is_too_narrow },
	{ "source-gone", a_source_that_is_gone },
	{ "source-changed", a_live_source_that_has_changed },
	{ "mountpoint-missing", a_mountpoint_that_is_missing },
	{ "mountpoint-is-a-symlink", a_mountpoint_that_is_a_symlink },
	{ "symlink-on-the-way", a_symlink_on_the_way },
	{ "without-privilege", without_privilege },
};

int main(int argc, char **argv)
{
	return shot_run(tests, sizeof(tests) / sizeof(tests[0]), argv);
}
