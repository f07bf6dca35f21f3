// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Capture from live namespaces: both methods see the same, an image keeps it,
 * and what cannot be captured is refused by name.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "mntcr.h"
#include "base/base.h"
#include "topology/topology.h"
#include "image/image.h"
#include "method.h"
#include "inner.h"

static void say(void *data, const char *line)
{
	TAP_SAY("%s", line);
}

static struct mntcr_source by_pid(pid_t pid)
{
	return (struct mntcr_source){ .type = MNTCR_SOURCE_PID, .pid = pid };
}

static struct mntcr_topology *capture(const struct mntcr_source *src, size_t nr,
				      enum mntcr_method method)
{
	struct mntcr_capture_options opts = {
		.size = sizeof(opts), .method = method,
	};
	struct mntcr_topology *t = NULL;
	struct mntcr_error e;

	if (mntcr_capture(src, nr, &opts, &t, &e)) {
		TAP_SAY("capture: %s [%s]", e.text, e.rule);
		if (e.code == MNTCR_UNSUPPORTED)
			SKIP("this kernel lacks the method");
		REQUIRE(!"captured");
	}
	return t;
}

static void same(const struct mntcr_topology *a, const struct mntcr_topology *b,
		 unsigned int flags)
{
	struct mntcr_verify_options opts = {
		.size = sizeof(opts),
		.flags = flags, .report = say, .max_reports = 10,
	};
	struct mntcr_error e;
	size_t nr = 1;

	REQUIRE(!mntcr_verify(a, b, &opts, &nr, &e));
	CHECK_EQ(nr, 0);
}

static struct mntcr_topology *through_image(const struct mntcr_topology *t)
{
	struct mntcr_topology *back = NULL;
	struct mntcr_error e;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	REQUIRE(out);
	REQUIRE(!mc_image_print(t, out, &e));
	REQUIRE(!fclose(out));
	if (mc_image_parse(text, len, "memory", &back, &e)) {
		TAP_SAY("%s", e.text);
		REQUIRE(!"parsed");
	}
	free(text);
	return back;
}

/* Both methods, or the one there is, with an image of each in between. */
static struct mntcr_topology *agree(const struct mntcr_source *src, size_t nr)
{
	struct mntcr_topology *a, *b, *c;
	uint32_t i;

	a = capture(src, nr, has_statmount() ? MNTCR_METHOD_STATMOUNT :
					       MNTCR_METHOD_MOUNTINFO);
	b = capture(src, nr, MNTCR_METHOD_MOUNTINFO);
	CHECK_EQ(a->nr_mounts, b->nr_mounts);
	CHECK_EQ(a->nr_sbs, b->nr_sbs);
	CHECK_EQ(a->nr_groups, b->nr_groups);
	for (i = 0; i < a->nr_ns && i < b->nr_ns; i++)
		CHECK_EQ(a->ns[i].hidden, b->ns[i].hidden);
	same(a, b, MNTCR_VERIFY_DEVICES | MNTCR_VERIFY_ORDER);
	c = through_image(a);
	same(a, c, MNTCR_VERIFY_DEVICES | MNTCR_VERIFY_ORDER);
	mntcr_topology_free(c);
	c = through_image(b);
	same(b, c, MNTCR_VERIFY_DEVICES | MNTCR_VERIFY_ORDER);
	mntcr_topology_free(c);
	mntcr_topology_free(b);
	return a;
}

static uint32_t find_path(const struct mntcr_topology *t, uint32_t ns,
			  const char *path)
{
	uint32_t i, found = MC_NONE;
	char *p;

	for (i = t->ns[ns].first_mount;
	     i < t->ns[ns].first_mount + t->ns[ns].nr_mounts; i++) {
		p = mc_mount_path(t, i);
		if (!strcmp(p, path))
			found = i;
		free(p);
	}
	if (found == MC_NONE)
		TAP_SAY("no mount at %s", path);
	REQUIRE(found != MC_NONE);
	return found;
}

#define AT(t, path) (&(t)->mounts[find_path(t, 0, SCENE_DIR path)])

static void the_own_namespace(void)
{
	struct mntcr_source self = by_pid(getpid());
	struct mntcr_topology *t;

	scene_enter();
	t = agree(&self, 1);
	CHECK(!strcmp(AT(t, "")->root, "/"));
	CHECK_STR(mc_mount_source(t, AT(t, "")), "scene");
	mntcr_topology_free(t);
}

static void every_sharing(void)
{
	struct mntcr_topology *t;
	struct mntcr_source self = by_pid(getpid());
	uint32_t g;

	scene_enter();
	scene_mkdir("t");
	scene_tmpfs("t", "t");
	scene_mkdir("t/a");
	scene_mkdir("t/b");
	scene_mkdir("p1");
	scene_mkdir("p2");
	scene_mkdir("s");
	scene_mkdir("ss");
	scene_mkdir("u");
	scene_mkdir("d");
	scene_type("t", MS_SHARED);
	/* disjoint peers: the wide mount will be gone */
	scene_bind("t/a", "p1");
	scene_bind("t/b", "p2");
	scene_bind("t", "s");
	scene_type("s", MS_SLAVE);
	scene_bind("s", "ss");
	scene_type("ss", MS_SHARED);
	scene_bind("t", "u");
	scene_type("u", MS_UNBINDABLE);
	scene_bind("t", "d");
	scene_type("d", MS_PRIVATE);
	REQUIRE(!umount("t"));
	t = agree(&self, 1);
	g = AT(t, "/p1")->group;
	REQUIRE(g != MC_NONE);
	CHECK_EQ(AT(t, "/p2")->group, g);
	CHECK_STR(AT(t, "/p1")->root, "/a");
	CHECK_STR(AT(t, "/p2")->root, "/b");
	CHECK_EQ(AT(t, "/s")->master, g);
	CHECK_EQ(AT(t, "/s")->group, MC_NONE);
	CHECK_EQ(AT(t, "/ss")->master, g);
	CHECK(AT(t, "/ss")->group != MC_NONE);
	CHECK(AT(t, "/u")->unbindable);
	CHECK_EQ(AT(t, "/d")->group, MC_NONE);
	CHECK_EQ(t->groups[g].depth, 0);
	CHECK_EQ(t->groups[AT(t, "/ss")->group].depth, 1);
	CHECK_EQ(t->groups[g].nr_members, 2);
	mntcr_topology_free(t);
}

static void a_master_that_is_elsewhere(void)
{
	struct mntcr_topology *t;
	struct mntcr_source src[2];
	struct holder h;

	scene_enter();
	scene_mkdir("t");
	scene_tmpfs("t", "t");
	scene_type("t", MS_SHARED);
	h = scene_hold(CLONE_NEWNS, NULL, NULL);
	/* slave in the copy of a mount that only the original has */
	REQUIRE(!unshare(CLONE_NEWNS));
	scene_type("t", MS_SLAVE);
	src[0] = by_pid(getpid());
	src[1] = by_pid(h.pid);
	t = agree(src, 1);
	REQUIRE(AT(t, "/t")->master != MC_NONE);
	CHECK_EQ(t->groups[AT(t, "/t")->master].nr_members, 0);
	mntcr_topology_free(t);
	/* with the other namespace beside it, the master is a member there */
	t = agree(src, 2);
	CHECK_EQ(t->nr_ns, 2);
	CHECK_EQ(t->groups[AT(t, "/t")->master].nr_members, 1);
	CHECK_EQ(t->mounts[find_path(t, 1, SCENE_DIR "/t")].group,
		 AT(t, "/t")->master);
	mntcr_topology_free(t);
	scene_release(&h);
}

static void attributes_and_flags(void)
{
	static const struct {
		const char *name;
		unsigned long flags;
		uint64_t attr;
	} table[] = {
		{ "ro", MS_RDONLY, MOUNT_ATTR_RDONLY },
		{ "nosuid", MS_NOSUID, MOUNT_ATTR_NOSUID },
		{ "nodev", MS_NODEV, MOUNT_ATTR_NODEV },
		{ "noexec", MS_NOEXEC, MOUNT_ATTR_NOEXEC },
		{ "noatime", MS_NOATIME, MOUNT_ATTR_NOATIME },
		{ "nodiratime", MS_NODIRATIME, MOUNT_ATTR_NODIRATIME },
		{ "strictatime", MS_STRICTATIME, MOUNT_ATTR_STRICTATIME },
		{ "relatime", MS_RELATIME, 0 },
		{ "nosymfollow", 256, MOUNT_ATTR_NOSYMFOLLOW },
		{ "all", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC |
		  MS_NOATIME | MS_NODIRATIME | 256,
		  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
		  MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOATIME |
		  MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW },
	};
	struct mntcr_source self = by_pid(getpid());
	struct mntcr_topology *t;
	char path[64];
	uint32_t m;
	size_t i;

	scene_enter();
	for (i = 0; i < MC_ARRAY_SIZE(table); i++) {
		scene_mkdir(table[i].name);
		scene_bind(".", table[i].name);
		REQUIRE(!mount(NULL, table[i].name, NULL, MS_BIND | MS_REMOUNT |
			       table[i].flags, NULL));
	}
	/* the same flags on the superblock are another matter */
	scene_mkdir("sb");
	REQUIRE(!mount("x", "sb", "tmpfs", MS_RDONLY | MS_SYNCHRONOUS |
		       MS_DIRSYNC, NULL));
	REQUIRE(!mount(NULL, "sb", NULL, MS_BIND | MS_REMOUNT, NULL));
	t = agree(&self, 1);
	for (i = 0; i < MC_ARRAY_SIZE(table); i++) {
		snprintf(path, sizeof(path), SCENE_DIR "/%s", table[i].name);
		m = find_path(t, 0, path);
		CHECK_EQ(t->mounts[m].attr, table[i].attr);
	}
	CHECK_EQ(AT(t, "/sb")->attr & MOUNT_ATTR_RDONLY, 0);
	CHECK_EQ(t->sbs[AT(t, "/sb")->sb].flags,
		 MS_RDONLY | MS_SYNCHRONOUS | MS_DIRSYNC);
	mntcr_topology_free(t);
}

static void awkward_names(void)
{
	static const char * const names[] = {
		"with space", "tab\tnewline\n", "back\\slash", "\\040literal",
		"hash#", "#", "comma,equals=", "quote\"'", "not \xff\xfe utf8",
		"cut \xe2\x82", "bell\a\033[31m", "x (deleted)",
		"dash - dash", "\xc2\x80", "trailing ", " ", "..x", "...",
		"deleted", "a:b", "\x7f",
	};
	struct mntcr_source self = by_pid(getpid());
	struct mntcr_topology *t;
	char path[128];
	uint32_t m;
	size_t i;

	scene_enter();
	for (i = 0; i < MC_ARRAY_SIZE(names); i++) {
		scene_mkdir(names[i]);
		scene_tmpfs(names[i], names[i]);
		snprintf(path, sizeof(path), "%s/in %zu", names[i], i);
		scene_mkdir(path);
		scene_bind(names[i], path);
	}
	t = agree(&self, 1);
	for (i = 0; i < MC_ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), SCENE_DIR "/%s", names[i]);
		m = find_path(t, 0, path);
		CHECK_STR(mc_mount_source(t, &t->mounts[m]), names[i]);
	}
	mntcr_topology_free(t);
}

static void roots_that_are_gone(void)
{
	struct mntcr_source self = by_pid(getpid());
	struct mntcr_topology *t;

	scene_enter();
	scene_mkdir("d");
	scene_mkdir("dir");
	scene_mkdir("gone");
	scene_mkdir("gone (deleted)");
	scene_touch("f");
	scene_touch("file");
	scene_mkdir("deep");
	scene_mkdir("deep/er");
	scene_mkdir("e");
	scene_bind("gone", "d");
	scene_bind("gone (deleted)", "dir");
	scene_bind("file", "f");
	scene_touch("f2");
	scene_touch("f3");
	scene_bind("file", "f3");
	scene_bind("deep/er", "e");
	REQUIRE(!rmdir("gone"));
	REQUIRE(!unlink("file"));
	/* once more, and it is another one */
	scene_touch("file");
	scene_bind("file", "f2");
	REQUIRE(!unlink("file"));
	REQUIRE(!rmdir("deep/er"));
	t = agree(&self, 1);
	CHECK_STR(AT(t, "/d")->root, "/gone");
	CHECK(AT(t, "/d")->root_deleted);
	CHECK_STR(AT(t, "/f")->root, "/file");
	CHECK(AT(t, "/f")->root_deleted);
	/* in the order of where they are seen: /d, /e, /f, /f2 */
	CHECK_EQ(AT(t, "/d")->unlinked, 1);
	CHECK_EQ(AT(t, "/e")->unlinked, 2);
	CHECK_EQ(AT(t, "/f")->unlinked, 3);
	CHECK_EQ(AT(t, "/f2")->unlinked, 4);
	CHECK_EQ(AT(t, "/f3")->unlinked, 3);
	CHECK_EQ(AT(t, "/dir")->unlinked, 0);
	CHECK_STR(AT(t, "/dir")->root, "/gone (deleted)");
	CHECK(!AT(t, "/dir")->root_deleted);
	CHECK_STR(AT(t, "/e")->root, "/deep/er");
	mntcr_topology_free(t);
}

static void stacks_and_depth(void)
{
	struct mntcr_source self = by_pid(getpid());
	struct mntcr_topology *t;
	const struct mc_mount *m;
	uint32_t i;

	scene_enter();
	scene_mkdir("a");
	scene_bind(".", "a");
	scene_mkdir("b");
	/* three over one another, and one below what the first covers */
	scene_tmpfs("b", "one");
	scene_mkdir("b/x");
	scene_tmpfs("b/x", "below");
	scene_tmpfs("b", "two");
	scene_tmpfs("b", "three");
	/* a chain */
	REQUIRE(!chdir("a"));
	for (i = 0; i < 200; i++) {
		scene_mkdir("d");
		scene_tmpfs("d", "chain");
		REQUIRE(!chdir("d"));
	}
	t = agree(&self, 1);
	m = AT(t, "/b");
	CHECK_STR(mc_mount_source(t, m), "three");
	CHECK_STR(m->mountpoint, "/");
	m = &t->mounts[m->parent];
	CHECK_STR(mc_mount_source(t, m), "two");
	CHECK_STR(m->mountpoint, "/");
	m = &t->mounts[m->parent];
	CHECK_STR(mc_mount_source(t, m), "one");
	CHECK_STR(m->mountpoint, "/b");
	CHECK_EQ(m->nr_children, 2);
	CHECK_STR(mc_mount_source(t, AT(t, "/b/x")), "below");
	mntcr_topology_free(t);
	REQUIRE(!chdir("/"));
}

static void directories_and_files(void)
{
	static const enum mntcr_method methods[] = {
		MNTCR_METHOD_STATMOUNT, MNTCR_METHOD_MOUNTINFO,
	};
	struct mntcr_source self = by_pid(getpid());
	struct mntcr_topology *t;
	struct mc_mount *m;
	uint32_t c;
	size_t i;

	scene_enter();
	scene_mkdir("sub");
	scene_mkdir("dir");
	scene_mkdir("covered");
	scene_touch("one");
	scene_touch("two");
	scene_touch("file");
	scene_touch("stack");
	scene_bind("sub", "dir");
	scene_bind("one", "file");
	scene_bind("one", "stack");
	scene_bind("two", "stack");
	scene_bind("sub", "covered");
	scene_tmpfs("covered", "cover");
	REQUIRE(!chmod("one", 0240));
	scene_mkdir("hidden");
	scene_tmpfs("hidden", "hidden");
	scene_touch("hidden/file");
	scene_bind("one", "hidden/file");
	scene_tmpfs("hidden", "cover");
	for (i = !has_statmount(); i < MC_ARRAY_SIZE(methods); i++) {
		t = capture(&self, 1, methods[i]);
		CHECK_EQ(AT(t, "/dir")->mp_type, MC_MP_DIR);
		CHECK_EQ(AT(t, "/file")->mp_type, MC_MP_OTHER);
		m = AT(t, "/stack");
		CHECK_EQ(m->mp_type, MC_MP_OTHER);
		CHECK_STR(m->root, "/two");
		m = &t->mounts[m->parent];
		CHECK_EQ(m->mp_type, MC_MP_OTHER);
		CHECK_STR(m->root, "/one");
		m = &t->mounts[AT(t, "/covered")->parent];
		CHECK_EQ(m->mp_type, MC_MP_DIR);
		CHECK_STR(m->root, "/sub");
		/* no path leads there, but one to what it shows */
		mc_for_each_child(t, c, AT(t, "/hidden")->parent)
			if (!strcmp(t->mounts[c].mountpoint, "/file"))
				break;
		CHECK(c != MC_NONE);
		m = &t->mounts[c];
		CHECK_STR(m->root, "/one");
		CHECK_EQ(m->mp_type, MC_MP_OTHER);
		CHECK_EQ(m->root_file.mode, S_IFREG | 0240);
		mntcr_topology_free(t);
	}
}

static void files_of_namespaces(void)
{
	struct mntcr_source src[2];
	struct mntcr_topology *t;
	struct holder h;
	char path[64];

	scene_enter();
	h = scene_hold(CLONE_NEWNS, NULL, NULL);
	scene_touch("mnt");
	scene_touch("uts");
	scene_type(".", MS_PRIVATE);
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)h.pid);
	scene_bind(path, "mnt");
	scene_bind("/proc/self/ns/uts", "uts");
	src[0] = by_pid(getpid());
	src[1] = (struct mntcr_source){ .type = MNTCR_SOURCE_PATH,
					.path = "mnt" };
	t = agree(src, 2);
	CHECK_EQ(AT(t, "/mnt")->nsfs_type, CLONE_NEWNS);
	CHECK_EQ(AT(t, "/mnt")->nsfs_ns, 1);
	CHECK_EQ(AT(t, "/uts")->nsfs_type, CLONE_NEWUTS);
	CHECK_EQ(AT(t, "/uts")->nsfs_ns, MC_NONE);
	CHECK(AT(t, "/uts")->nsfs_ino != 0);
	CHECK_STR(t->ns[1].label, "mnt");
	mntcr_topology_free(t);
	scene_release(&h);
}

static void named_twice_counts_once(void)
{
	struct mntcr_source src[3];
	struct mntcr_topology *t;
	struct holder h;

	scene_enter();
	h = scene_hold(CLONE_NEWNS, NULL, NULL);
	src[0] = by_pid(getpid());
	src[1] = by_pid(h.pid);
	src[2] = (struct mntcr_source){ .type = MNTCR_SOURCE_FD, .fd = h.ns };
	t = agree(src, 3);
	CHECK_EQ(t->nr_ns, 2);
	mntcr_topology_free(t);
	scene_release(&h);
}

/* Its own root is a tmpfs that was pivoted to. */
static int pivot(void *data)
{
	if (mount("new", "/tmp", "tmpfs", 0, NULL) || chdir("/tmp") ||
	    mkdir("old", 0755) || mkdir("in", 0755) ||
	    syscall(SYS_pivot_root, ".", "old") || chdir("/") ||
	    umount2("/old", MNT_DETACH) || mount("in", "/in", "tmpfs", 0, NULL))
		return errno;
	return 0;
}

static void a_pivoted_root(void)
{
	struct mntcr_source src;
	struct mntcr_topology *t;
	struct holder h;

	scene_enter();
	h = scene_hold(CLONE_NEWNS, pivot, NULL);
	src = by_pid(h.pid);
	t = agree(&src, 1);
	CHECK_EQ(t->nr_mounts, 2);
	CHECK_STR(mc_mount_source(t, &t->mounts[t->ns[0].root]), "new");
	mntcr_topology_free(t);
	scene_release(&h);
}

static int cover_root(void *data)
{
	return mount("cover", "/", "tmpfs", 0, NULL) ? errno : 0;
}

static void a_covered_root(void)
{
	struct mntcr_source src;
	struct mntcr_topology *t;
	struct mc_mount *root;
	struct holder h;

	scene_enter();
	h = scene_hold(CLONE_NEWNS, cover_root, NULL);
	/* the task stands below, whoever enters stands above */
	src = by_pid(h.pid);
	t = agree(&src, 1);
	root = &t->mounts[t->ns[0].root];
	CHECK(root->nr_children > 1);
	CHECK_STR(mc_mount_source(t, &t->mounts[find_path(t, 0, "/")]), "cover");
	mntcr_topology_free(t);
	scene_release(&h);
}

static int go_chroot(void *data)
{
	return chroot(SCENE_DIR) || chdir("/") ? errno : 0;
}

static void a_task_that_changed_root(void)
{
	struct mntcr_source src, self = by_pid(getpid());
	struct mntcr_topology *t, *u;
	struct holder h;

	scene_enter();
	u = agree(&self, 1);
	h = scene_hold(CLONE_NEWNS, go_chroot, NULL);
	src = by_pid(h.pid);
	t = agree(&src, 1);
	CHECK_EQ(t->nr_mounts, u->nr_mounts);
	mntcr_topology_free(t);
	mntcr_topology_free(u);
	scene_release(&h);
}

/* Captures from inside its chroot, its own namespace among others. */
static void a_dumper_that_changed_root(void)
{
	struct mntcr_capture_options opts = {
		.size = sizeof(opts), .method = MNTCR_METHOD_STATMOUNT,
	};
	struct mntcr_topology *t = NULL;
	struct mntcr_source src;
	struct mntcr_error e;
	int status;
	pid_t pid;

	scene_enter();
	src = by_pid(getpid());
	mntcr_topology_free(capture(&src, 1, MNTCR_METHOD_STATMOUNT));
	scene_mkdir("proc");
	scene_bind("/proc", "proc");
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		src = by_pid(getpid());
		if (chroot(SCENE_DIR) || chdir("/"))
			_exit(99);
		if (!mntcr_capture(&src, 1, &opts, &t, &e))
			_exit(98);
		_exit(e.code == MNTCR_REFUSED &&
		      !strcmp(e.rule, "escaped-mountpoint") ? 0 : e.code);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
}

/* Of a pid namespace whose init is gone; whether one is hidden is not known. */
static void a_proc_without_init(void)
{
	static const char *const options[] = { NULL, "hidepid=invisible" };
	struct mntcr_topology *t;
	struct mntcr_source src;
	const struct mc_sb *sb;
	int status;
	size_t i;
	pid_t pid;

	for (i = 0; i < MC_ARRAY_SIZE(options); i++) {
		scene_enter();
		scene_mkdir("proc");
		fflush(stdout);
		pid = fork();
		REQUIRE(pid >= 0);
		if (!pid) {
			if (unshare(CLONE_NEWPID))
				_exit(errno);
			pid = fork();
			if (!pid)
				_exit(mount("proc", SCENE_DIR "/proc", "proc", 0, options[i]) ?
				      errno : 0);
			if (pid < 0 || waitpid(pid, &status, 0) != pid)
				_exit(99);
			_exit(WEXITSTATUS(status));
		}
		REQUIRE(waitpid(pid, &status, 0) == pid);
		REQUIRE(!status);
		src = by_pid(getpid());
		t = capture(&src, 1, MNTCR_METHOD_AUTO);
		REQUIRE(mc_mount_at(t, 0, SCENE_DIR "/proc") != MC_NONE);
		sb = &t->sbs[t->mounts[mc_mount_at(t, 0, SCENE_DIR "/proc")].sb];
		CHECK_EQ(sb->pidns_ino, 0);
		CHECK_EQ(sb->pidns_no_init, !options[i]);
		mntcr_topology_free(t);
	}
}

/* Its root is in another namespace than it is itself. */
static void a_dumper_whose_root_is_elsewhere(void)
{
	struct mntcr_capture_options opts = {
		.size = sizeof(opts), .method = MNTCR_METHOD_STATMOUNT,
	};
	struct mntcr_topology *t = NULL;
	struct mntcr_source src;
	struct mntcr_error e;
	struct holder h;
	char path[64];
	int status;
	pid_t pid;

	scene_enter();
	h = scene_hold(CLONE_NEWNS, NULL, NULL);
	scene_mkdir("only-here");
	scene_tmpfs("only-here", "only-here");
	snprintf(path, sizeof(path), "/proc/%d/root", (int)h.pid);
	fflush(stdout);
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		src = by_pid(getpid());
		if (chroot(path) || chdir("/"))
			_exit(99);
		if (!mntcr_capture(&src, 1, &opts, &t, &e))
			_exit(98);
		if (e.code != MNTCR_UNSUPPORTED)
			_exit(97);
		/* a child that enters sees it as it is */
		opts.method = MNTCR_METHOD_AUTO;
		if (mntcr_capture(&src, 1, &opts, &t, &e))
			_exit(96);
		_exit(mc_mount_at(t, 0, SCENE_DIR "/only-here") == MC_NONE);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(WEXITSTATUS(status), 0);
	CHECK(WIFEXITED(status));
	scene_release(&h);
}

static int mount_it_here(void *data)
{
	return mount("only-here", data, "tmpfs", 0, NULL) ? errno : 0;
}

/*
 * /proc is of another pid namespace: the number of a child names some other
 * task there, which is not to be taken for it.
 */
static void a_dumper_with_a_foreign_proc(void)
{
	struct mntcr_capture_options opts = {
		.size = sizeof(opts), .method = MNTCR_METHOD_MOUNTINFO,
	};
	struct mntcr_topology *t = NULL;
	struct mntcr_source src;
	struct mntcr_error e;
	struct holder h;
	uint32_t m;
	int status;
	pid_t pid;

	scene_enter();
	h = scene_hold(CLONE_NEWNS, mount_it_here, (void *)SCENE_DIR);
	src = (struct mntcr_source){ .type = MNTCR_SOURCE_FD, .fd = h.ns };
	fflush(stdout);
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		if (unshare(CLONE_NEWPID))
			_exit(99);
		/* number 1, and so 2 is the child that enters */
		pid = fork();
		if (pid < 0 || (pid && (waitpid(pid, &status, 0) != pid ||
					!WIFEXITED(status))))
			_exit(98);
		if (pid)
			_exit(WEXITSTATUS(status));
		if (access("/proc/2", F_OK))
			_exit(96);
		if (mntcr_capture(&src, 1, &opts, &t, &e))
			_exit(97);
		m = mc_mount_at(t, 0, SCENE_DIR);
		_exit(m == MC_NONE ||
		      strcmp(mc_mount_source(t, &t->mounts[m]), "only-here"));
	}
	REQUIRE(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status));
	if (WEXITSTATUS(status) == 96)
		SKIP("there is no process 2 to be mistaken for another");
	CHECK_EQ(WEXITSTATUS(status), 0);
	scene_release(&h);
}

static int rename_away(void *data)
{
	return rename(SCENE_DIR "/top/a/m", SCENE_DIR "/top/m") ? errno : 0;
}

static void a_mountpoint_that_escaped(void)
{
	struct mntcr_source self = by_pid(getpid());
	struct mntcr_capture_options opts = {
		.size = sizeof(opts), .method = MNTCR_METHOD_STATMOUNT,
	};
	struct mntcr_topology *t = NULL;
	struct mntcr_error e;
	struct holder h;

	scene_enter();
	mntcr_topology_free(capture(&self, 1, MNTCR_METHOD_STATMOUNT));
	scene_mkdir("top");
	scene_mkdir("top/a");
	scene_mkdir("top/a/m");
	scene_mkdir("b");
	/* the holder mounts nothing, so that it may rename */
	h = scene_hold(CLONE_NEWNS, NULL, NULL);
	scene_bind("top/a", "b");
	scene_tmpfs("b/m", "escapes");
	CHECK_EQ(scene_in(h.ns, rename_away, NULL), 0);
	CHECK(mntcr_capture(&self, 1, &opts, &t, &e) == -1);
	CHECK_EQ(e.code, MNTCR_REFUSED);
	CHECK_STR(e.rule, "escaped-mountpoint");
	/* which one, where, and what to do */
	if (!strstr(e.text, "(tmpfs, source escapes, root /) on " SCENE_DIR "/b:"))
		CHECK_STR(e.text, "on " SCENE_DIR "/b");
	CHECK(strstr(e.text, "unmount it"));
	scene_release(&h);
}

static int map_ids(void *data)
{
	return 0;
}

/* A clone of the tmpfs on AT; user ids 0-9 become 1000-1009.  False: no kernel for that. */
static bool mount_idmapped(const char *at, const char *gids)
{
	const char *const maps[] = { "0 1000 10", gids };
	struct mc_mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
	struct holder h = scene_hold(CLONE_NEWUSER | CLONE_NEWNS, map_ids, NULL);
	char path[64];
	int fd, user, i;

	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/proc/%d/%cid_map", (int)h.pid,
			 "ug"[i]);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		REQUIRE(fd >= 0);
		REQUIRE(write(fd, maps[i], strlen(maps[i])) == (ssize_t)strlen(maps[i]));
		close(fd);
	}
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)h.pid);
	user = open(path, O_RDONLY | O_CLOEXEC);
	REQUIRE(user >= 0);
	fd = mc_open_tree(AT_FDCWD, ".", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	REQUIRE(fd >= 0);
	attr.userns_fd = (uint64_t)user;
	if (mc_mount_setattr(fd, "", AT_EMPTY_PATH, &attr,
			     MC_MOUNT_ATTR_SIZE_VER0)) {
		REQUIRE(errno == EINVAL);
		return false;
	}
	REQUIRE(!mc_move_mount(fd, "", AT_FDCWD, at, MOVE_MOUNT_F_EMPTY_PATH));
	close(fd);
	close(user);
	scene_release(&h);
	return true;
}

/* Group ids in two pieces; two mounts have the same map but for the second. */
static void idmapped_mounts(void)
{
	struct mntcr_capture_options opts = {
		.size = sizeof(opts), .method = MNTCR_METHOD_MOUNTINFO,
	};
	struct mntcr_source self = by_pid(getpid());
	struct mntcr_topology *t, *back;
	const struct mc_idmap *map;
	struct mntcr_error e;

	scene_enter();
	scene_mkdir("m");
	scene_mkdir("n");
	if (!mount_idmapped("m", "0 2000 4\n5 3000 5"))
		SKIP("no idmapped mounts of this kernel's tmpfs");
	REQUIRE(mount_idmapped("n", "0 2000 4\n5 4000 5"));
	t = capture(&self, 1, MNTCR_METHOD_STATMOUNT);
	REQUIRE(AT(t, "/m")->idmap != MC_NONE);
	map = &t->idmaps[AT(t, "/m")->idmap];
	CHECK_EQ(map->nr_uid, 1);
	CHECK_EQ(map->uid[0].id, 0);
	CHECK_EQ(map->uid[0].parent_id, 1000);
	CHECK_EQ(map->uid[0].count, 10);
	REQUIRE(map->nr_gid == 2);
	CHECK_EQ(map->gid[0].parent_id, 2000);
	CHECK_EQ(map->gid[1].id, 5);
	CHECK_EQ(map->gid[1].parent_id, 3000);
	CHECK_EQ(map->gid[1].count, 5);
	REQUIRE(AT(t, "/n")->idmap != MC_NONE);
	CHECK(AT(t, "/n")->idmap != AT(t, "/m")->idmap);
	CHECK_EQ(t->idmaps[AT(t, "/n")->idmap].gid[1].parent_id, 4000);
	back = through_image(t);
	same(t, back, 0);
	mntcr_topology_free(back);
	mntcr_topology_free(t);
	CHECK(mntcr_capture(&self, 1, &opts, &t, &e) == -1);
	CHECK_STR(e.rule, "idmap-unknown");
}

static void a_user_namespaces_mounts(void)
{
	struct mntcr_source src;
	struct mntcr_topology *t;
	struct holder h;
	uint32_t u;

	scene_enter();
	scene_mkdir("s");
	scene_tmpfs("s", "s");
	scene_type("s", MS_SHARED);
	h = scene_hold(CLONE_NEWUSER | CLONE_NEWNS, NULL, NULL);
	src = by_pid(h.pid);
	t = agree(&src, 1);
	u = t->ns[0].userns;
	REQUIRE(u != MC_NONE);
	CHECK(!t->userns[u].dumper);
	REQUIRE(t->userns[u].parent != MC_NONE);
	CHECK(t->userns[t->userns[u].parent].dumper);
	/* a copy for another owner receives and does not send */
	CHECK(AT(t, "/s")->master != MC_NONE);
	mntcr_topology_free(t);
	scene_release(&h);
}

/* One in the other: what it takes to make each, in ids of what it is in. */
static int do_inner(void *data)
{
	/* what anybody may do with an own id */
	return inner_unshare(data, CLONE_NEWNS) ||
	       write_text("/proc/self/uid_map", "6 4 1") ? errno : 0;
}

static void what_makes_user_namespaces_anew(void)
{
	struct mntcr_source src;
	struct mntcr_topology *t;
	const struct mc_userns *in, *out;
	struct holder outer, inner;

	scene_enter();
	outer = scene_hold(CLONE_NEWUSER, NULL, NULL);
	write_of(outer.pid, "uid_map", "0 1000 10\n10 5000 3\n");
	write_of(outer.pid, "gid_map", "0 2000 20");
	inner = scene_hold(0, do_inner, &outer);
	write_of(inner.pid, "setgroups", "deny");
	src = by_pid(inner.pid);
	t = agree(&src, 1);
	REQUIRE(t->ns[0].userns != MC_NONE);
	in = &t->userns[t->ns[0].userns];
	REQUIRE(in->parent != MC_NONE);
	out = &t->userns[in->parent];
	REQUIRE(in->mapped && out->mapped && out->parent != MC_NONE);
	CHECK(t->userns[out->parent].dumper);
	CHECK(!t->userns[out->parent].mapped);
	CHECK_EQ(out->owner, geteuid());
	CHECK(out->setgroups);
	CHECK_EQ(out->map.nr_uid, 2);
	CHECK_EQ(out->map.uid[1].id, 10);
	CHECK_EQ(out->map.uid[1].parent_id, 5000);
	CHECK_EQ(out->map.uid[1].count, 3);
	CHECK_EQ(out->map.nr_gid, 1);
	CHECK_EQ(out->map.gid[0].parent_id, 2000);
	/* not 1004, which is what it is out here */
	CHECK_EQ(in->owner, 4);
	CHECK(!in->setgroups);
	CHECK_EQ(in->map.nr_uid, 1);
	CHECK_EQ(in->map.uid[0].id, 6);
	CHECK_EQ(in->map.uid[0].parent_id, 4);
	CHECK_EQ(in->map.nr_gid, 0);
	mntcr_topology_free(t);
	scene_release(&inner);
	scene_release(&outer);
}

static bool has(enum mntcr_feature_id id)
{
	struct mntcr_feature f[MNTCR_NR_FEATURES];
	struct mntcr_error e;

	REQUIRE(!mntcr_features(f, MNTCR_NR_FEATURES, &e));
	return f[id].state == MNTCR_FEATURE_YES;
}

/* What a namespace of another owner inherits, it may not take off. */
static void locks_of_a_user_namespace(void)
{
	struct mntcr_topology *t, *back;
	struct mntcr_source src[2];
	struct holder h;

	if (!has(MNTCR_FEAT_STATMOUNT_LOCKS))
		SKIP("this kernel does not report locks");
	scene_enter();
	scene_mkdir("s");
	scene_tmpfs("s", "s");
	REQUIRE(!mount("none", "s", "none", MS_BIND | MS_REMOUNT | MS_RDONLY |
		       MS_NODEV, NULL));
	h = scene_hold(CLONE_NEWUSER | CLONE_NEWNS, NULL, NULL);
	src[0] = by_pid(h.pid);
	src[1] = by_pid(getpid());
	t = agree(src, 2);
	CHECK(AT(t, "/s")->locks_known);
	/* of the attributes, those that are set, and atime in any case */
	CHECK_EQ(AT(t, "/s")->locks, MOUNT_LOCK_MOUNT | MOUNT_LOCK_RDONLY |
		 MOUNT_LOCK_NODEV | MOUNT_LOCK_ATIME);
	CHECK(t->mounts[find_path(t, 1, SCENE_DIR "/s")].locks_known);
	CHECK_EQ(t->mounts[find_path(t, 1, SCENE_DIR "/s")].locks, 0);
	back = through_image(t);
	same(t, back, 0);
	mntcr_topology_free(back);
	mntcr_topology_free(t);
	scene_release(&h);
}

static uint64_t own_ns_id(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t id = 0;

	REQUIRE(fd >= 0);
	REQUIRE(!ioctl(fd, MC_NS_GET_ID, &id));
	close(fd);
	return id;
}

/* Which user namespace it is of, and which namespace proc and the like show. */
static void namespaces_of_superblocks(void)
{
	static const struct {
		const char *type, *dir, *ns;
		uint32_t nstype;
	} shown[] = {
		{ "proc", "p", "/proc/self/ns/pid", CLONE_NEWPID },
		{ "sysfs", "s", "/proc/self/ns/net", CLONE_NEWNET },
		{ "mqueue", "q", "/proc/self/ns/ipc", CLONE_NEWIPC },
	};
	struct mntcr_topology *t;
	struct mntcr_source src = by_pid(getpid());
	size_t i;

	if (!has(MNTCR_FEAT_STATMOUNT_SB_NS))
		SKIP("this kernel does not report the namespaces of superblocks");
	scene_enter();
	scene_mkdir("t");
	scene_tmpfs("t", "t");
	for (i = 0; i < MC_ARRAY_SIZE(shown); i++) {
		scene_mkdir(shown[i].dir);
		REQUIRE(!mount("none", shown[i].dir, shown[i].type, 0, NULL));
	}
	t = agree(&src, 1);
	for (i = 0; i < MC_ARRAY_SIZE(shown); i++) {
		const struct mc_sb *sb;
		char path[64];

		snprintf(path, sizeof(path), SCENE_DIR "/%s", shown[i].dir);
		sb = &t->sbs[t->mounts[find_path(t, 0, path)].sb];
		CHECK_EQ(sb->shown_type, shown[i].nstype);
		CHECK_EQ(sb->shown_id, own_ns_id(shown[i].ns));
		CHECK(sb->shown_own);
		REQUIRE(sb->userns != MC_NONE);
		CHECK_EQ(t->userns[sb->userns].id, own_ns_id("/proc/self/ns/user"));
		CHECK(t->userns[sb->userns].dumper);
	}
	CHECK_EQ(t->sbs[AT(t, "/t")->sb].shown_type, 0);
	CHECK_EQ(t->sbs[AT(t, "/t")->sb].shown_id, 0);
	CHECK(t->userns[t->sbs[AT(t, "/t")->sb].userns].dumper);
	mntcr_topology_free(t);
}

static int cover_with_itself(void *data)
{
	int fd = mc_open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (fd < 0 || mc_move_mount(fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) ||
	    fchdir(fd) || chroot("."))
		return errno;
	close(fd);
	return 0;
}

/* Nor are the layers that the kernel has below a root mounts of it. */
static void an_empty_namespace(void)
{
	static int (*const on_it[])(void *data) = { NULL, cover_with_itself };
	struct mntcr_source src;
	struct mntcr_topology *t;
	struct holder h;
	size_t i;

	if (!has(MNTCR_FEAT_EMPTY_MNTNS))
		SKIP("this kernel makes no empty namespaces");
	for (i = 0; i < MC_ARRAY_SIZE(on_it); i++) {
		scene_enter();
		h = scene_hold(UNSHARE_EMPTY_MNTNS, on_it[i], NULL);
		src = by_pid(h.pid);
		t = agree(&src, 1);
		CHECK_EQ(t->nr_ns, 1);
		CHECK_EQ(t->nr_mounts, 0);
		CHECK_EQ(t->ns[0].root, MC_NONE);
		mntcr_topology_free(t);
		scene_release(&h);
	}
}

int main(void)
{
	TAP_RUN(the_own_namespace);
	TAP_RUN(every_sharing);
	TAP_RUN(a_master_that_is_elsewhere);
	TAP_RUN(attributes_and_flags);
	TAP_RUN(awkward_names);
	TAP_RUN(roots_that_are_gone);
	TAP_RUN(stacks_and_depth);
	TAP_RUN(directories_and_files);
	TAP_RUN(files_of_namespaces);
	TAP_RUN(named_twice_counts_once);
	TAP_RUN(a_pivoted_root);
	TAP_RUN(a_covered_root);
	TAP_RUN(a_task_that_changed_root);
	TAP_RUN(a_dumper_that_changed_root);
	TAP_RUN(a_proc_without_init);
	TAP_RUN(a_dumper_whose_root_is_elsewhere);
	TAP_RUN(a_dumper_with_a_foreign_proc);
	TAP_RUN(a_mountpoint_that_escaped);
	TAP_RUN(idmapped_mounts);
	TAP_RUN(a_user_namespaces_mounts);
	TAP_RUN(what_makes_user_namespaces_anew);
	TAP_RUN(locks_of_a_user_namespace);
	TAP_RUN(namespaces_of_superblocks);
	TAP_RUN(an_empty_namespace);
	return tap_done();
}
