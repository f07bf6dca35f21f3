// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Restoring real namespaces, scene by scene, with both backends: the result
 * is the same by structure (verify, and mountinfo text compared by code that
 * shares nothing with the library) and by events: a mount on each mount in
 * turn appears, and goes, where it did in the original.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sys/resource.h>

#include "mntcr-restore.h"
#include "base/base.h"
#include "topology/topology.h"
#include "extended.h"
#include "tap.h"
#include "world.h"

static enum mntcr_api api_now;

struct scene {
	const char *name;
	void (*build)(struct world *w);
	const char *upstream_rule;	/* stock calls refuse it by this rule */
	unsigned int min_events;
	bool always;		/* so do the extended ones */
};

/* --- scenes ----------------------------------------------------------------- */

static void plain_root(void)
{
	world_new_root();
	w_mkdir("/a/b/c");
	w_mkdir("/x");
	w_mkdir("/y");
	w_mkdir("/z");
	w_mkdir("/ev");
	w_touch("/file");
	w_touch("/other");
}

static void private_tree(void)
{
	plain_root();
	w_tmpfs("one", "/a");
	w_mkdir("/a/b/c");
	w_tmpfs("two", "/a/b/c");
	w_bind("/x", "/y");
	w_bind("/a/b", "/z");
}

static void build_private(struct world *w)
{
	world_add(w, -1, private_tree);
}

static void shared_tree(void)
{
	plain_root();
	w_tmpfs("one", "/a");
	w_type("/a", MS_SHARED);
	w_bind("/a", "/x");
	w_tmpfs("two", "/y");
	w_type("/y", MS_SHARED);
}

static void nothing(void)
{
}

static void build_peers(struct world *w)
{
	world_add(w, -1, shared_tree);
	world_add(w, 0, nothing);
	world_add(w, 1, nothing);
}

static void all_slave(void)
{
	w_type("/", MS_REC | MS_SLAVE);
}

static void build_slaves(struct world *w)
{
	world_add(w, -1, shared_tree);
	world_add(w, 0, all_slave);
	world_add(w, 0, all_slave);
}

static void slave_shared(void)
{
	w_type("/", MS_REC | MS_SLAVE);
	w_type("/a", MS_SHARED);
	w_type("/x", MS_SHARED);
	w_bind("/x", "/z");
}

static void build_slave_shared(struct world *w)
{
	world_add(w, -1, shared_tree);
	world_add(w, 0, slave_shared);
	world_add(w, 1, nothing);
}

static void chain(void)
{
	static const char *const to[] = { "/x", "/y", "/z", "/c0", "/c1", "/c2" };
	const char *from = "/a";
	size_t i;

	plain_root();
	w_tmpfs("one", "/a");
	w_type("/a", MS_SHARED);
	for (i = 0; i < 6; i++) {
		w_mkdir(to[i]);
		w_bind(from, to[i]);
		w_type(to[i], MS_SLAVE);
		w_type(to[i], MS_SHARED);
		from = to[i];
	}
}

static void build_chain(struct world *w)
{
	world_add(w, -1, chain);
	world_add(w, 0, all_slave);
}

/* Two subdirectories of one shared mount that is gone. */
static void disjoint(void)
{
	plain_root();
	w_tmpfs("wide", "/a");
	w_type("/a", MS_SHARED);
	w_mkdir("/a/1/ev");
	w_mkdir("/a/2/ev");
	w_bind("/a/1", "/x");
	w_bind("/a/2", "/y");
	w_bind("/a/1", "/z");
	w_umount("/a");
}

static void build_disjoint(struct world *w)
{
	world_add(w, -1, disjoint);
	world_add(w, 0, all_slave);
}

/* The same, but the root of the filesystem is mounted somewhere, private. */
static void disjoint_reachable(void)
{
	plain_root();
	w_tmpfs("wide", "/a");
	w_type("/a", MS_SHARED);
	w_mkdir("/a/1/ev");
	w_mkdir("/a/2/ev");
	w_bind("/a/1", "/x");
	w_bind("/a/2", "/y");
	w_type("/a", MS_PRIVATE);
}

static void build_disjoint_reachable(struct world *w)
{
	world_add(w, -1, disjoint_reachable);
	world_add(w, 0, all_slave);
}

/* The master is only a subdirectory by now, the slave is all of it. */
static void wide_slave(void)
{
	plain_root();
	w_tmpfs("wide", "/a");
	w_type("/a", MS_SHARED);
	w_mkdir("/a/1/ev");
	w_mkdir("/a/ev");
	w_bind("/a/1", "/x");
	w_bind("/a", "/y");
	w_type("/y", MS_SLAVE);
	w_umount("/a");
}

static void build_wide_slave(struct world *w)
{
	world_add(w, -1, wide_slave);
}

static void wide_slave_shared(void)
{
	wide_slave();
	w_type("/y", MS_SHARED);
	w_bind("/y/1", "/z");
	w_umount("/y");
	w_bind("/z", "/y");
}

static void build_wide_slave_shared(struct world *w)
{
	world_add(w, -1, wide_slave_shared);
	world_add(w, 0, all_slave);
}

/* Their master is in a namespace that is not restored. */
static struct world outside;

static void build_orphans(struct world *w)
{
	world_close(&outside);
	world_add(&outside, -1, shared_tree);
	w->ns[w->nr++] = fcntl(outside.ns[0], F_DUPFD_CLOEXEC, 3);
	world_add(w, 0, all_slave);
	world_add(w, 1, nothing);
	close(w->ns[0]);
	memmove(w->ns, w->ns + 1, 2 * sizeof(w->ns[0]));
	w->nr = 2;
}

static void orphan_shared(void)
{
	w_type("/", MS_REC | MS_SLAVE);
	w_type("/a", MS_SHARED);
	w_type("/x", MS_SHARED);
	w_umount("/y");
}

static void build_orphan_shared(struct world *w)
{
	world_close(&outside);
	world_add(&outside, -1, shared_tree);
	w->ns[w->nr++] = fcntl(outside.ns[0], F_DUPFD_CLOEXEC, 3);
	world_add(w, 0, orphan_shared);
	close(w->ns[0]);
	w->ns[0] = w->ns[1];
	w->nr = 1;
	world_add(w, 0, nothing);
}

static void overmounts(void)
{
	plain_root();
	w_tmpfs("one", "/a");
	w_mkdir("/a/b/c");
	w_mkdir("/a/ev");
	w_bind("/a", "/x");
	w_tmpfs("deep", "/a/b/c");
	w_tmpfs("over", "/a/b");
	w_bind("/x", "/a");
	w_type("/a", MS_SHARED);
	w_bind("/a", "/y");
}

static void build_overmounts(struct world *w)
{
	world_add(w, -1, overmounts);
	world_add(w, 0, nothing);
}

/* The root itself is covered. */
static void covered_root(void)
{
	plain_root();
	w_tmpfs("under", "/a");
	if (chdir("/") || mount("cover", "/", "tmpfs", 0, NULL))
		err(1, "cover");
}

/* Stacks, nests, siblings below covers, and one of everything unbindable. */
static void hidden(void)
{
	plain_root();
	w_tmpfs("one", "/a");
	w_mkdir("/a/b/c/d");
	w_type("/a", MS_SHARED);
	w_tmpfs("deep", "/a/b/c/d");
	w_tmpfs("mid", "/a/b/c");
	w_mkdir("/a/b/c/d/e");
	w_tmpfs("leaf", "/a/b/c/d/e");
	w_tmpfs("top", "/a/b");
	w_tmpfs("stack1", "/x");
	w_tmpfs("stack2", "/x");
	w_mkdir("/x/in");
	w_tmpfs("in2", "/x/in");
	w_tmpfs("stack3", "/x");
	w_mkdir("/x/in");
	w_tmpfs("in3", "/x/in");
	w_type("/x/in", MS_SHARED);
	w_tmpfs("stack4", "/x");
	w_tmpfs("under", "/y");
	w_tmpfs("over", "/y");
	w_bind("/y", "/z");
	w_type("/y", MS_UNBINDABLE);
}

static void build_hidden(struct world *w)
{
	world_add(w, -1, hidden);
	world_add(w, 0, nothing);
}

static void build_covered_root(struct world *w)
{
	world_add(w, -1, covered_root);
}

static void tucked(void)
{
	plain_root();
	w_tmpfs("one", "/a");
	w_type("/a", MS_SHARED);
	w_mkdir("/a/s");
	w_bind("/a", "/x");
	w_type("/x", MS_SLAVE);
	w_tmpfs("top", "/x/s");
	/* comes in below what is there already */
	w_tmpfs("below", "/a/s");
}

static void build_tucked(struct world *w)
{
	world_add(w, -1, tucked);
}

static void files(void)
{
	plain_root();
	w_bind("/file", "/other");
	w_bind("/file", "/file");
	w_remount("/file", MS_RDONLY | MS_NOSUID);
	w_type("/file", MS_SHARED);
}

static void build_files(struct world *w)
{
	world_add(w, -1, files);
	world_add(w, 0, all_slave);
}

static void attributes(void)
{
	plain_root();
	w_tmpfs("one", "/a");
	w_bind("/a", "/x");
	w_bind("/a", "/y");
	w_bind("/a", "/z");
	w_remount("/x", MS_RDONLY);
	w_remount("/y", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME);
	w_remount("/z", MS_NODIRATIME | MS_STRICTATIME | MS_NOSYMFOLLOW);
}

static void build_attributes(struct world *w)
{
	world_add(w, -1, attributes);
}

static void unbindable(void)
{
	plain_root();
	w_tmpfs("one", "/a");
	w_bind("/a", "/x");
	w_type("/a", MS_UNBINDABLE);
}

static void build_unbindable(struct world *w)
{
	world_add(w, -1, unbindable);
}



static void below(void)
{
	w_type("/", MS_REC | MS_SLAVE);
	w_rbind("/", "/z");
	w_type("/z", MS_REC | MS_PRIVATE);
	if (chdir("/z") || syscall(SYS_pivot_root, ".", ".") ||
	    umount2(".", MNT_DETACH) || chdir("/"))
		err(1, "pivot_root");
}

static void build_nested(struct world *w)
{
	world_add(w, -1, shared_tree);
	world_add(w, 0, below);
	world_add(w, 1, all_slave);
	world_add(w, 2, below);
}

/* A namespace's file, bound in an older one. */
static struct world *nsfs_world;

static void bind_ns_file(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", nsfs_world->ns[1]);
	w_mkdir("/proc");
	if (mount("proc", "/proc", "proc", 0, NULL))
		err(1, "proc");
	w_bind(path, "/file");
	w_umount("/proc");
}

static int do_bind_ns_file(void *arg)
{
	bind_ns_file();
	return 0;
}

static void build_nsfs(struct world *w)
{
	world_add(w, -1, private_tree);
	world_add(w, 0, nothing);
	nsfs_world = w;
	if (world_in(w->ns[0], do_bind_ns_file, NULL))
		errx(1, "binding the file of a namespace");
}

/* Everything in it is a slave, and locked. */
static void build_user(struct world *w)
{
	world_add(w, -1, shared_tree);
	world_add_flags(w, 0, nothing, CLONE_NEWUSER);
}

static void user_shared(void)
{
	w_type("/a", MS_SHARED);
	w_bind("/a", "/z");
	w_tmpfs("own", "/a/own");
}

static void build_user_shared(struct world *w)
{
	world_add(w, -1, shared_tree);
	world_add_flags(w, 0, user_shared, CLONE_NEWUSER);
	world_add(w, 1, nothing);
}

/* nullfs, which the kernel puts below the root, has a type of its own. */
static void shared_nullfs(void)
{
	int fs, fd;

	if (mc_unshare(UNSHARE_EMPTY_MNTNS))
		err(1, "unshare");
	w_type("/", MS_SHARED);
	fs = mc_fsopen("tmpfs", MC_FSOPEN_CLOEXEC);
	if (fs < 0 || mc_fsconfig(fs, MC_FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		err(1, "tmpfs");
	fd = mc_fsmount(fs, MC_FSMOUNT_CLOEXEC, 0);
	if (fd < 0 || mc_move_mount(fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH))
		err(1, "fsmount");
	if (fchdir(fd) || chroot("."))
		err(1, "chroot");
	close(fs);
	close(fd);
	w_type("/", MS_PRIVATE);
	w_tmpfs("one", "/a");
}

static void build_nullfs(struct world *w)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(mc_unshare(UNSHARE_EMPTY_MNTNS) ? 4 : 0);
	REQUIRE(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	if (WEXITSTATUS(status))
		SKIP("this kernel makes no empty namespaces");
	world_add(w, -1, shared_nullfs);
}

static void deleted_root(void)
{
	plain_root();
	w_tmpfs("one", "/a");
	w_mkdir("/a/gone");
	w_bind("/a/gone", "/x");
	w_bind("/a/gone", "/y");
	if (rmdir("/a/gone"))
		err(1, "rmdir");
	/* what comes along with its parent comes before the others */
	w_umount("/a");
}

static void build_deleted(struct world *w)
{
	world_add(w, -1, deleted_root);
}

static void odd_names(void)
{
	plain_root();
	w_tmpfs("odd \\ name", "/new\nline");
	w_tmpfs("space", "/sp ace/t\tab/b\\ack");
	w_mkdir("/deep");
	w_tmpfs("deep", "/sp ace/t\tab/b\\ack/1/2/3/4/5");
}

static void build_odd(struct world *w)
{
	world_add(w, -1, odd_names);
}

static void many_superblocks(void)
{
	char path[64];
	int i;

	plain_root();
	for (i = 0; i < 40; i++) {
		snprintf(path, sizeof(path), "/m%d/ev", i);
		w_mkdir(path);
		snprintf(path, sizeof(path), "/m%d", i);
		w_tmpfs(path, path);
		if (i % 3)
			w_type(path, i % 3 == 1 ? MS_SHARED : MS_UNBINDABLE);
	}
	/* unbindable ones have no other mount to be cloned from */
	for (i = 2; i < 40; i += 3) {
		snprintf(path, sizeof(path), "/m%d", i);
		w_umount(path);
	}
}

static void build_many(struct world *w)
{
	world_add(w, -1, many_superblocks);
	world_add(w, 0, nothing);
}

/* --- one scene ---------------------------------------------------------------- */

static void say(void *data, const char *line)
{
	TAP_SAY("verify: %s", line);
}

static void sources(const struct world *w, struct mntcr_source *src)
{
	size_t i;

	memset(src, 0, WORLD_MAX_NS * sizeof(*src));
	for (i = 0; i < w->nr; i++) {
		src[i].type = MNTCR_SOURCE_FD;
		src[i].fd = w->ns[i];
	}
}

static struct mntcr_topology *capture(const struct world *w)
{
	struct mntcr_source src[WORLD_MAX_NS];
	struct mntcr_topology *t = NULL;
	struct mntcr_error e = { 0 };

	sources(w, src);
	if (mntcr_capture(src, w->nr, NULL, &t, &e)) {
		TAP_SAY("capture: %s [%s]", e.text, e.rule);
		REQUIRE(!"captured");
	}
	return t;
}

/* Something to mount on in every root directory that can be written. */
struct make_ev {
	const char *path;
};

static int do_make_ev(void *arg)
{
	const struct make_ev *m = arg;
	char path[4096];

	snprintf(path, sizeof(path), "%s/ev", strcmp(m->path, "/") ? m->path : "");
	return mkdir(path, 0755) && errno != EEXIST ? 1 : 0;
}

static void same_text(const char *what, const char *path, const struct world *a,
		      const struct world *b)
{
	char *x = world_text(a->ns, a->nr), *y = world_text(b->ns, b->nr);

	REQUIRE(x && y);
	if (strcmp(x, y)) {
		TAP_SAY("%s %s: not the same\noriginal:\n%s\nrestored:\n%s",
			what, path, x, y);
		tap.bad = 1;
	}
	free(x);
	free(y);
}

static unsigned int shake(const struct mntcr_topology *t, const struct world *a,
			  const struct world *b)
{
	unsigned int n = 0;
	struct make_ev ev;
	uint32_t m;
	char *path;
	int err_a, err_b;

	for (m = 0; m < t->nr_mounts && !tap.bad; m++) {
		uint32_t ns = t->mounts[m].ns;

		path = mc_mount_path(t, m);
		REQUIRE(path);
		ev.path = path;
		world_in(a->ns[ns], do_make_ev, &ev);
		world_in(b->ns[ns], do_make_ev, &ev);
		err_a = world_event(a->ns[ns], path, true);
		err_b = world_event(b->ns[ns], path, true);
		CHECK_EQ(err_b, err_a);
		same_text("after a mount on", path, a, b);
		if (!err_a) {
			n++;
			CHECK_EQ(world_event(a->ns[ns], path, false), 0);
			CHECK_EQ(world_event(b->ns[ns], path, false), 0);
			same_text("after an umount on", path, a, b);
		}
		free(path);
	}
	return n;
}

static void restored_world(const struct mntcr_restored *r, struct world *w)
{
	size_t i;

	memset(w, 0, sizeof(*w));
	w->nr = mntcr_restored_nr_ns(r);
	for (i = 0; i < w->nr; i++)
		w->ns[i] = mntcr_restored_ns_fd(r, i);
}

/*
 * Before Linux 6.8 mountinfo has mounts as they were attached, not made.  What
 * was tucked below another is attached first, and so listed first.
 */
static bool lists_as_attached(void)
{
	struct statx st;

	return statx(AT_FDCWD, "/", 0, STATX_MNT_ID_UNIQUE, &st) ||
	       !(st.stx_mask & STATX_MNT_ID_UNIQUE);
}

static void compare(const struct scene *s, const struct mntcr_topology *t,
		    const struct world *w, const struct mntcr_restored *r)
{
	struct mntcr_verify_options vo = {
		.size = sizeof(vo),
		.flags = MNTCR_VERIFY_DEVICES | MNTCR_VERIFY_ORDER,
		.report = say, .max_reports = 10,
	};
	struct mntcr_error e = { 0 };
	struct mntcr_topology *got;
	struct world made;
	size_t nr = 1;
	uint32_t i;

	restored_world(r, &made);
	got = capture(&made);
	if (s->build == build_tucked && lists_as_attached())
		vo.flags &= ~MNTCR_VERIFY_ORDER;
	REQUIRE(!mntcr_verify(t, got, &vo, &nr, &e));
	CHECK_EQ(nr, 0);
	for (i = 0; i < t->nr_ns; i++)
		CHECK_EQ(got->ns[i].base_propagation, t->ns[i].base_propagation);
	mntcr_topology_free(got);
	if (w == nsfs_world)
		return;		/* the file's own number is in the text */
	if (!(vo.flags & MNTCR_VERIFY_ORDER))
		return;		/* and so is the order */
	same_text("", "at first", w, &made);
	if (!tap.bad)
		CHECK(shake(t, w, &made) >= s->min_events);
}

/*
 * Nothing of what the root covers is in mountinfo: a dump by that alone is
 * refused where the kernel says how many there are.
 */
static bool shown_all(const struct scene *s, const struct mntcr_source *src,
		      size_t nr)
{
	struct mntcr_capture_options co = {
		.size = sizeof(co), .method = MNTCR_METHOD_STATMOUNT,
	};
	struct mntcr_topology *t = NULL;
	struct mntcr_error e;

	if (s->build != build_covered_root ||
	    !mntcr_capture(src, nr, &co, &t, &e)) {
		mntcr_topology_free(t);
		return true;
	}
	CHECK_EQ(e.code, MNTCR_UNSUPPORTED);
	if (!mntcr_capture(src, nr, NULL, &t, &e)) {
		mntcr_topology_free(t);
		CHECK(lists_as_attached());
		tap.skip = "this kernel does not count mounts";
		return false;
	}
	CHECK_EQ(e.code, MNTCR_REFUSED);
	CHECK_STR(e.rule, "hidden-mounts");
	return false;
}

static void run_scene(const struct scene *s, enum mntcr_api api)
{
	struct mntcr_restore_options o = { .size = sizeof(o), .api = api };
	struct mntcr_source src[WORLD_MAX_NS];
	struct mntcr_restored *r = NULL;
	struct mntcr_error e = { 0 };
	struct mntcr_topology *t;
	struct world w = { .nr = 0 };
	size_t mounts, fds;
	int ret;

	if (api == MNTCR_API_EXTENDED && !has_extended())
		SKIP("this kernel has no mount_setgroup(2)");
	s->build(&w);
	sources(&w, src);
	if (!shown_all(s, src, w.nr)) {
		world_close(&w);
		return;
	}
	t = capture(&w);
	o.sources = src;
	o.nr_sources = w.nr;
	mounts = world_own_mounts();
	fds = world_own_fds();
	ret = mntcr_restore(t, &o, &r, &e);
	CHECK_EQ(world_own_mounts(), mounts);
	if ((api == MNTCR_API_UPSTREAM && s->upstream_rule) || s->always) {
		CHECK_EQ(ret, -1);
		CHECK_EQ(e.code, MNTCR_REFUSED);
		CHECK_STR(e.rule, s->upstream_rule);
		CHECK_EQ(world_own_fds(), fds);
	} else if (ret) {
		TAP_SAY("restore: %s [%s]", e.text, e.rule);
		tap.bad = 1;
	} else {
		CHECK_EQ(world_own_fds(), fds + w.nr);
		CHECK_EQ(mntcr_restored_api(r), api);
		compare(s, t, &w, r);
	}
	mntcr_restored_free(r);
	mntcr_topology_free(t);
	world_close(&w);
	world_close(&outside);
	nsfs_world = NULL;
}

static const struct scene scenes[] = {
	{ "private", build_private, NULL, 3, false },
	{ "peers", build_peers, NULL, 9, false },
	{ "slaves", build_slaves, NULL, 9, false },
	{ "slave-shared", build_slave_shared, NULL, 9, false },
	{ "slave-chain", build_chain, NULL, 14, false },
	{ "disjoint-peers", build_disjoint, "no-wide-mount", 6, false },
	{ "disjoint-peers-root-reachable", build_disjoint_reachable, NULL, 6, false },
	{ "slave-wider-than-master", build_wide_slave, NULL, 3, false },
	{ "disjoint-slave-group", build_wide_slave_shared, NULL, 6, false },
	{ "orphan-slaves", build_orphans, NULL, 6, false },
	{ "orphan-slave-shared", build_orphan_shared, "orphan-slave", 4, false },
	{ "overmounts", build_overmounts, NULL, 6, false },
	{ "hidden", build_hidden, NULL, 4, false },
	{ "covered-root", build_covered_root, "overmounted-source", 1, false },
	{ "tucked", build_tucked, NULL, 3, false },
	{ "file-binds", build_files, NULL, 1, false },
	{ "attributes", build_attributes, NULL, 4, false },
	{ "unbindable", build_unbindable, NULL, 3, false },
	{ "nested", build_nested, NULL, 6, false },
	{ "namespace-file", build_nsfs, NULL, 0, false },
	{ "nullfs-shared", build_nullfs, NULL, 2, false },
	{ "user-namespace", build_user, "locks", 6, false },
	{ "user-namespace-shared", build_user_shared, "locks", 8, false },
	{ "deleted-root", build_deleted, NULL, 1, false },
	{ "odd-names", build_odd, NULL, 3, false },
	{ "many-superblocks", build_many, NULL, 20, false },
};

/* What an image says, changed, and what the restore then fails with. */
static void other_system(struct mntcr_topology *t, const struct world *w,
			 enum mntcr_code code, int err_no, const char *says)
{
	struct mntcr_restore_options o = { .size = sizeof(o), .api = api_now };
	struct mntcr_source src[WORLD_MAX_NS];
	struct mntcr_restored *r = NULL;
	struct mntcr_error e = { 0 };
	size_t fds = world_own_fds();

	sources(w, src);
	o.sources = src;
	o.nr_sources = w->nr;
	CHECK_EQ(mntcr_restore(t, &o, &r, &e), -1);
	CHECK_EQ(e.code, code);
	CHECK_EQ(e.err, err_no);
	if (!strstr(e.text, says)) {
		TAP_SAY("\"%s\", not \"%s\"", e.text, says);
		tap.bad = 1;
	}
	mntcr_restored_free(r);
	CHECK_EQ(world_own_fds(), fds);
}

/* Ids start anew with each boot: the same numbers are something else. */
static void image_of_another_boot(void)
{
	struct mntcr_topology *t;
	struct world w = { .nr = 0 };
	char other[64];

	if (api_now == MNTCR_API_EXTENDED && !has_extended())
		SKIP("this kernel has no mount_setgroup(2)");
	build_private(&w);
	t = capture(&w);
	REQUIRE(t->boot_id);
	strcpy(other, t->boot_id);
	other[0] = other[0] == '0' ? '1' : '0';
	t->boot_id = mc_topology_str(t, other);
	other_system(t, &w, MNTCR_USAGE, 0, "of another boot");
	mntcr_topology_free(t);
	world_close(&w);
}

/* As above, with an image that does not say: the device does. */
static void device_of_another_boot(void)
{
	struct mntcr_topology *t;
	struct world w = { .nr = 0 };

	if (api_now == MNTCR_API_EXTENDED && !has_extended())
		SKIP("this kernel has no mount_setgroup(2)");
	build_private(&w);
	t = capture(&w);
	t->boot_id = NULL;
	t->sbs[t->nr_sbs - 1].minor += 1000;
	other_system(t, &w, MNTCR_SYS, ESTALE,
		     api_now == MNTCR_API_EXTENDED ? "another filesystem" :
		     "another mount");
	mntcr_topology_free(t);
	world_close(&w);
}

static const struct scene *scene_now;

static void one_scene(void)
{
	run_scene(scene_now, api_now);
}


int main(int argc, char **argv)
{
	char name[128];
	size_t i, a;

	setvbuf(stdout, NULL, _IOLBF, 0);
	world_start();
	for (a = 0; a < 2; a++) {
		api_now = a ? MNTCR_API_EXTENDED : MNTCR_API_UPSTREAM;
		if (argc == 1) {
			tap_run(a ? "extended.image-of-another-boot" :
				"upstream.image-of-another-boot",
				image_of_another_boot);
			tap_run(a ? "extended.device-of-another-boot" :
				"upstream.device-of-another-boot",
				device_of_another_boot);
		}
		for (i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
			if (argc > 1 && strcmp(argv[1], scenes[i].name))
				continue;
			scene_now = &scenes[i];
			snprintf(name, sizeof(name), "%s.%s",
				 a ? "extended" : "upstream", scenes[i].name);
			tap_run(name, one_scene);
		}
	}
	return tap_done();
}
