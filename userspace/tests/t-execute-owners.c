// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * User namespaces made anew, one in the other, when nothing of them is left.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sys/fsuid.h>
#include <sys/xattr.h>

#include "mntcr-stages.h"
#include "base/base.h"
#include "topology/topology.h"
#include "extended.h"
#include "idmap-userns.h"
#include "inner.h"
#include "tap.h"

/* Its maps are those that anybody may write for an own id. */
static int do_inner(void *data)
{
	if (inner_unshare(data, 0) ||
	    write_text("/proc/self/uid_map", "0 4 1") ||
	    write_text("/proc/self/setgroups", "deny") ||
	    write_text("/proc/self/gid_map", "0 5 1") ||
	    unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("inner", "/tmp", "tmpfs", 0, "size=64k") || chdir("/tmp") ||
	    mkdir("old", 0700) || mkdir("on", 0750) ||
	    mount("inner2", "on", "tmpfs", 0, "mode=711") ||
	    syscall(SYS_pivot_root, ".", "old") || umount2("/old", MNT_DETACH))
		return errno;
	return 0;
}

/* Network and ipc namespaces that are of the inner one, and what shows them. */
static int do_showing(void *data)
{
	if (inner_unshare(data, CLONE_NEWNET | CLONE_NEWIPC) ||
	    write_text("/proc/self/uid_map", "0 4 1") ||
	    write_text("/proc/self/setgroups", "deny") ||
	    write_text("/proc/self/gid_map", "0 5 1") ||
	    unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("inner", "/tmp", "tmpfs", 0, "size=64k") || chdir("/tmp") ||
	    mkdir("old", 0700) || mkdir("sys", 0755) || mkdir("queues", 0755) ||
	    mkdir("again", 0755) || mknod("net", S_IFREG, 0) || mknod("ipc", S_IFREG, 0) ||
	    mount("/proc/self/ns/net", "net", NULL, MS_BIND, NULL) ||
	    mount("/proc/self/ns/ipc", "ipc", NULL, MS_BIND, NULL) || mount("one", "sys", "sysfs", MS_NOSUID, NULL) ||
	    mount("queues", "queues", "mqueue", 0, NULL) ||
	    mount("another", "again", "sysfs", 0, NULL) ||
	    syscall(SYS_pivot_root, ".", "old") || umount2("/old", MNT_DETACH))
		return errno;
	return 0;
}

static void say(void *data, const char *line)
{
	TAP_SAY("verify: %s", line);
}

static struct mntcr_topology *captured(int fd)
{
	const struct mntcr_source src = { .type = MNTCR_SOURCE_FD, .fd = fd };
	struct mntcr_topology *t = NULL;
	struct mntcr_error e = { 0 };

	if (mntcr_capture(&src, 1, NULL, &t, &e))
		TAP_SAY("capture: %s", e.text);
	REQUIRE(t);
	return t;
}

static void compare(const struct mntcr_topology *a, const struct mntcr_topology *b)
{
	const struct mntcr_verify_options o = { .size = sizeof(o), .report = say };
	struct mntcr_error e;
	size_t nr;

	REQUIRE(!mntcr_verify(a, b, &o, &nr, &e));
	CHECK_EQ(nr, 0);
}

/* The owner of a mount namespace, or what that is in. */
static uid_t owner_uid(int ns, unsigned int up)
{
	int fd = ioctl(ns, MC_NS_GET_USERNS), next;
	uid_t uid = 0;

	for (; fd >= 0 && up; up--, fd = next) {
		next = ioctl(fd, MC_NS_GET_PARENT);
		close(fd);
	}
	REQUIRE(fd >= 0);
	REQUIRE(!ioctl(fd, MC_NS_GET_OWNER_UID, &uid));
	close(fd);
	return uid;
}

/* A namespace that fn has made, in a user namespace in another. */
struct nested {
	struct holder outer, inner;
};

/* false: without mount_setgroup(2) there is nothing to be seen. */
static bool hold_nested(struct nested *n, int (*fn)(void *data))
{
	if (!has_extended())
		return false;
	n->outer = scene_hold(CLONE_NEWUSER, NULL, NULL);
	write_of(n->outer.pid, "uid_map", "0 1000 10");
	write_of(n->outer.pid, "gid_map", "0 2000 10");
	n->inner = scene_hold(0, fn, &n->outer);
	return true;
}

static void release_nested(struct nested *n)
{
	scene_release(&n->inner);
	scene_release(&n->outer);
}

static struct mntcr_topology *image_of_what_is_gone(int (*fn)(void *data))
{
	struct mntcr_topology *t;
	struct nested n;

	if (!hold_nested(&n, fn))
		return NULL;
	t = captured(n.inner.ns);
	release_nested(&n);
	return t;
}

static void one_in_the_other(void)
{
	struct mntcr_restore_options o = { .size = sizeof(o), .api = MNTCR_API_EXTENDED };
	struct mntcr_restored *r = NULL;
	struct mntcr_topology *t, *back;
	struct mntcr_error e = { 0 };
	uint32_t fds = mc_fd_count();
	uid_t uid = setfsuid((uid_t)-1);

	t = image_of_what_is_gone(do_inner);
	if (!t)
		SKIP("this kernel has no mount_setgroup(2)");
	CHECK_EQ(t->nr_userns, 3);
	if (mntcr_restore(t, &o, &r, &e))
		TAP_SAY("restore: %s [%s]", e.text, e.rule);
	REQUIRE(r);
	back = captured(mntcr_restored_ns_fd(r, 0));
	compare(t, back);
	/* in ids of out here */
	CHECK_EQ(owner_uid(mntcr_restored_ns_fd(r, 0), 0), 1004);
	CHECK_EQ(owner_uid(mntcr_restored_ns_fd(r, 0), 1), geteuid());
	REQUIRE(back->nr_mounts == 2);
	CHECK(back->sbs[0].userns != MC_NONE && !back->userns[back->sbs[0].userns].dumper);
	mntcr_topology_free(back);
	mntcr_restored_free(r);
	/* nobody is left, and the caller is who it was */
	errno = 0;
	CHECK(waitpid(-1, NULL, WNOHANG | __WALL) == -1 && errno == ECHILD);
	CHECK_EQ(setfsuid((uid_t)-1), uid);
	CHECK_EQ(mc_fd_count(), fds);
	/* a map that the kernel does not take: nothing is left of that either */
	t->userns[t->userns[t->ns[0].userns].parent].map.nr_uid = 0;
	CHECK_EQ(mntcr_restore(t, &o, &r, &e), -1);
	CHECK_STR(e.rule, "owner-maps");
	mntcr_topology_free(t);
}

/* What only the kernel knows is an error that says where. */
static void who_may_not_make_one(void)
{
	struct mntcr_restore_options o = { .size = sizeof(o), .api = MNTCR_API_EXTENDED };
	static const char limit[] = "/proc/sys/user/max_user_namespaces";
	struct mntcr_restored *r = NULL;
	struct mntcr_topology *t;
	struct mntcr_error e = { 0 };
	uint32_t fds = mc_fd_count();
	char was[32] = "";
	int fd;

	t = image_of_what_is_gone(do_inner);
	if (!t)
		SKIP("this kernel has no mount_setgroup(2)");
	fd = open(limit, O_RDONLY | O_CLOEXEC);
	REQUIRE(fd >= 0 && read(fd, was, sizeof(was) - 1) > 0);
	close(fd);
	REQUIRE(!write_text(limit, "0"));
	CHECK_EQ(mntcr_restore(t, &o, &r, &e), -1);
	REQUIRE(!write_text(limit, was));
	CHECK_EQ(e.code, MNTCR_SYS);
	CHECK_EQ(e.err, ENOSPC);
	CHECK(strstr(e.text, "making it: unshare"));
	errno = 0;
	CHECK(waitpid(-1, NULL, WNOHANG | __WALL) == -1 && errno == ECHILD);
	CHECK_EQ(mc_fd_count(), fds);
	mntcr_topology_free(t);
}

/* On a tmpfs of its own user namespace, a file and a directory that have been unlinked. */
static int do_unlinked(void *data)
{
	if (inner_unshare(data, 0) ||
	    write_text("/proc/self/uid_map", "0 4 1") ||
	    write_text("/proc/self/setgroups", "deny") ||
	    write_text("/proc/self/gid_map", "0 5 1") ||
	    unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("inner", "/tmp", "tmpfs", 0, "size=64k") || chdir("/tmp") ||
	    mkdir("old", 0700) || mkdir("ondir", 0750) || mkdir("d", 0700) ||
	    mkdir("gone", 0710) || mknod("on", S_IFREG | 0600, 0) ||
	    mknod("d/f", S_IFREG | 0640, 0) || write_text("d/f", "theirs") ||
	    mount("d/f", "on", NULL, MS_BIND, NULL) ||
	    mount("gone", "ondir", NULL, MS_BIND, NULL) ||
	    unlink("d/f") || rmdir("d") || rmdir("gone") ||
	    mknod("gone", S_IFREG | 0600, 0) ||
	    syscall(SYS_pivot_root, ".", "old") || umount2("/old", MNT_DETACH))
		return errno;
	return 0;
}

static struct mntcr_contents *saved(int ns, struct mntcr_topology **t)
{
	const struct mntcr_source src = { .type = MNTCR_SOURCE_FD, .fd = ns };
	const struct mntcr_contents_options o = {
		.size = sizeof(o), .sources = &src, .nr_sources = 1,
	};
	struct mntcr_contents *c = NULL;
	struct mntcr_error e = { 0 };

	*t = captured(ns);
	if (mntcr_image_write_contents(*t, &o, "/tmp/mntcr-owned", &e))
		TAP_SAY("dump: %s", e.text);
	mntcr_topology_free(*t);
	*t = NULL;
	if (!*e.text && mntcr_image_read_contents("/tmp/mntcr-owned", t, &c, &e))
		TAP_SAY("read: %s", e.text);
	unlink("/tmp/mntcr-owned");
	REQUIRE(c);
	return c;
}

/* The stages in a row; late: the owner's parent is given when the rest is placed. */
static void by_stages(const struct mntcr_topology *t, const struct mntcr_restore_options *o,
		      bool late, struct mntcr_restored **r)
{
	const uint32_t outer = t->userns[t->ns[0].userns].parent;
	const struct mntcr_given what = { MNTCR_GIVEN_USER, t->userns[outer].ino };
	const struct mntcr_stages_options so = {
		.size = sizeof(so), .give = &what, .nr_give = late,
	};
	struct mntcr_stages *s = NULL;
	struct mntcr_error e = { 0 };
	struct holder h = { 0 };
	char path[64];
	int fd = -1;

	if (mntcr_stages_begin(t, o, &so, &s, &e) || mntcr_stages_place(s, &e))
		TAP_SAY("stages: %s [%s]", e.text, e.rule);
	REQUIRE(s && mntcr_stages_nr_ns(s));
	CHECK_EQ(mntcr_stages_ns_fd(s, 0) < 0, late);
	if (late) {
		h = scene_hold(CLONE_NEWUSER, NULL, NULL);
		write_of(h.pid, "uid_map", "0 1000 10");
		write_of(h.pid, "gid_map", "0 2000 10");
		snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)h.pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (mntcr_stages_give(s, &what, fd, &e) || mntcr_stages_delayed(s, &e))
			TAP_SAY("stages: %s [%s]", e.text, e.rule);
		mc_close(fd);
	}
	if (mntcr_stages_share(s, &e) || mntcr_stages_end(s, r, &e))
		TAP_SAY("stages: %s [%s]", e.text, e.rule);
	mntcr_stages_free(s);
	if (late)
		scene_release(&h);
}

enum how { AT_ONCE, IN_STAGES, LATE };

/* What fn has made comes back, contents and all: in the first namespace of r. */
static struct mntcr_restored *moved(int (*fn)(void *data), enum how how,
				     struct mntcr_topology **t)
{
	struct mntcr_restore_options o = { .size = sizeof(o), .api = MNTCR_API_EXTENDED };
	struct mntcr_verify_options v = { .size = sizeof(v), .report = say };
	struct mntcr_restored *r = NULL;
	struct mntcr_contents *a, *b;
	struct mntcr_topology *back;
	struct mntcr_error e = { 0 };
	struct nested n;
	size_t nr = 1;

	if (!hold_nested(&n, fn))
		return NULL;
	a = saved(n.inner.ns, t);
	release_nested(&n);
	o.contents = a;
	if (how != AT_ONCE)
		by_stages(*t, &o, how == LATE, &r);
	else if (mntcr_restore(*t, &o, &r, &e))
		TAP_SAY("restore: %s [%s]", e.text, e.rule);
	REQUIRE(r);
	b = saved(mntcr_restored_ns_fd(r, 0), &back);
	v.contents_a = a;
	v.contents_b = b;
	REQUIRE(!mntcr_verify(*t, back, &v, &nr, &e));
	CHECK_EQ(nr, 0);
	mntcr_contents_free(a);
	mntcr_contents_free(b);
	mntcr_topology_free(back);
	return r;
}

static void unlinked_roots_of_another_owner(void)
{
	struct mntcr_topology *t;
	struct mntcr_restored *r;
	int how;

	for (how = AT_ONCE; how <= LATE; how++) {
		r = moved(do_unlinked, (enum how)how, &t);
		if (!r)
			SKIP("this kernel has no mount_setgroup(2)");
		CHECK_EQ(t->nr_mounts, 3);
		CHECK_EQ(t->mounts[1].unlinked + t->mounts[2].unlinked, 3);
		mntcr_topology_free(t);
		mntcr_restored_free(r);
	}
}

/* /tmp becomes the root of one that has users of its own: what is on it is locked. */
static int lock(void *data)
{
	return inner_unshare(data, 0) || write_text("/proc/self/uid_map", "0 4 1") ||
	       write_text("/proc/self/setgroups", "deny") ||
	       write_text("/proc/self/gid_map", "0 5 1") || unshare(CLONE_NEWNS) ||
	       mount("/tmp", "/tmp", NULL, MS_BIND | MS_REC, NULL) || chdir("/tmp") ||
	       syscall(SYS_pivot_root, ".", "old") || umount2("/old", MNT_DETACH);
}

/* Mounts that are locked here cover a directory, one that is mounted, and what is in that. */
static int do_locked(void *data)
{
	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("under", "/tmp", "tmpfs", 0, "size=64k") || chdir("/tmp") ||
	    mkdir("old", 0700) || mkdir("cover", 0700) || mkdir("seen", 0751) ||
	    mkdir("seen/deep", 0700) || mknod("seen/file", S_IFREG | 0640, 0) ||
	    write_text("seen/file", "seen") || mknod("plain", S_IFREG | 0604, 0) ||
	    write_text("plain", "plain") || mkfifo("z", 0620) ||
	    mknod("file", S_IFREG | 0600, 0) ||
	    mount("top", "cover", "tmpfs", 0, "size=64k") ||
	    mount("plain", "file", NULL, MS_BIND, NULL) ||
	    mount("seen", "seen", NULL, MS_BIND, NULL) ||
	    mount("top", "seen/deep", "tmpfs", 0, "size=64k") ||
	    lock(data))
		return errno;
	return 0;
}

/* What covers it can be unmounted by whoever is in there. */
static int do_uncovered(void *data)
{
	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("under", "/tmp", "tmpfs", 0, "size=64k") || chdir("/tmp") ||
	    mkdir("old", 0700) || mkdir("cover", 0700) || mkdir("open", 0700) ||
	    mknod("open/file", S_IFREG | 0600, 0) ||
	    mount("top", "cover", "tmpfs", 0, "size=64k") || lock(data) ||
	    mount("top", "/open", "tmpfs", 0, "size=64k"))
		return errno;
	return 0;
}

/* What is mounted is below what is covered. */
static int do_hidden(void *data)
{
	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("under", "/tmp", "tmpfs", 0, "size=64k") || chdir("/tmp") ||
	    mkdir("old", 0700) || mkdir("cover", 0700) || mkdir("cover/sub", 0700) ||
	    mkdir("other", 0700) || mount("cover/sub", "other", NULL, MS_BIND, NULL) ||
	    mount("top", "cover", "tmpfs", 0, "size=64k") || lock(data))
		return errno;
	return 0;
}

static int do_look(void *data)
{
	struct stat st;

	return stat("/seen", &st) || (st.st_mode & 07777) != 0751 ||
	       stat("/seen/file", &st) || st.st_size != 4 ||
	       stat("/plain", &st) || (st.st_mode & 07777) != 0604 ||
	       stat("/z", &st) || !S_ISFIFO(st.st_mode);
}

static void what_locked_mounts_cover(void)
{
	struct mntcr_topology *t;
	struct mntcr_restored *r = moved(do_locked, AT_ONCE, &t);

	if (!r)
		SKIP("this kernel has no mount_setgroup(2)");
	CHECK_EQ(t->nr_mounts, 5);
	CHECK(mc_has_locked_child(t, 0));
	CHECK_EQ(scene_in(mntcr_restored_ns_fd(r, 0), do_look, NULL), 0);
	mntcr_topology_free(t);
	mntcr_restored_free(r);
}

static void what_is_mounted_below_a_cover(void)
{
	struct mntcr_source src = { .type = MNTCR_SOURCE_FD };
	const struct mntcr_contents_options o = {
		.size = sizeof(o), .sources = &src, .nr_sources = 1,
	};
	struct mntcr_error e = { 0 };
	struct mntcr_topology *t;
	struct nested n;

	if (!hold_nested(&n, do_hidden))
		SKIP("this kernel has no mount_setgroup(2)");
	src.fd = n.inner.ns;
	t = captured(src.fd);
	CHECK_EQ(mntcr_image_write_contents(t, &o, "/tmp/mntcr-owned", &e), -1);
	CHECK_EQ(e.code, MNTCR_REFUSED);
	CHECK_STR(e.rule, "contents-out-of-reach");
	CHECK(strstr(e.text, ": /cover is covered by locked mounts wherever it would be, but what is below it is mounted: /cover/sub"));
	CHECK(access("/tmp/mntcr-owned", F_OK) && errno == ENOENT);
	mntcr_topology_free(t);
	release_nested(&n);
}

static void note_open(void *data, const char *line)
{
	if (strstr(line, ": /open: what covers it is not locked, but others of its mount are: without its contents"))
		++*(int *)data;
}

/* It cannot be had, and is said. */
static void what_is_covered_and_not_locked(void)
{
	struct mntcr_source src = { .type = MNTCR_SOURCE_FD };
	int told = 0;
	const struct mntcr_contents_options o = {
		.size = sizeof(o), .sources = &src, .nr_sources = 1,
		.left_out = note_open, .data = &told,
	};
	struct mntcr_error e = { 0 };
	struct mntcr_topology *t;
	struct nested n;

	if (!hold_nested(&n, do_uncovered))
		SKIP("this kernel has no mount_setgroup(2)");
	src.fd = n.inner.ns;
	t = captured(src.fd);
	CHECK_EQ(mntcr_image_write_contents(t, &o, "/tmp/mntcr-owned", &e), 0);
	CHECK_EQ(told, 1);
	REQUIRE(!unlink("/tmp/mntcr-owned"));
	mntcr_topology_free(t);
	release_nested(&n);
}

/* How many files are of the network that the sysfs shows? */
static uint32_t file_of(const struct mntcr_topology *t)
{
	uint32_t i, k, nr = 0;

	for (i = 0; i < t->nr_sbs; i++)
		for (k = 0; !strcmp(t->sbs[i].type, "sysfs") && k < t->nr_mounts; k++)
			nr += t->mounts[k].nsfs_id &&
			      t->mounts[k].nsfs_id == t->sbs[i].shown_id &&
			      t->mounts[k].nsfs_owner == t->sbs[i].shown_owner;
	return nr;
}

/*
 * Namespaces that only superblocks show, and files, are made, of the owner that they
 * had.
 */
static void what_shows_a_namespace(void)
{
	struct mntcr_restore_options o = { .size = sizeof(o), .api = MNTCR_API_EXTENDED };
	struct mntcr_restored *r = NULL;
	struct mntcr_topology *t, *back;
	struct mntcr_error e = { 0 };
	uint32_t fds = mc_fd_count(), i, nr = 0;

	t = image_of_what_is_gone(do_showing);
	if (!t)
		SKIP("this kernel has no mount_setgroup(2)");
	for (i = 0; i < t->nr_sbs; i++) {
		if (!strcmp(t->sbs[i].type, "sysfs"))
			CHECK_EQ(t->sbs[i].shown_owner, t->ns[0].userns);
		nr += !strcmp(t->sbs[i].type, "sysfs") ||
		      !strcmp(t->sbs[i].type, "mqueue");
	}
	CHECK_EQ(nr, 2);
	CHECK_EQ(file_of(t), 1);
	if (mntcr_restore(t, &o, &r, &e))
		TAP_SAY("restore: %s [%s]", e.text, e.rule);
	REQUIRE(r);
	back = captured(mntcr_restored_ns_fd(r, 0));
	compare(t, back);
	CHECK_EQ(file_of(back), 1);
	for (i = 0; i < back->nr_sbs; i++)
		CHECK(!back->sbs[i].shown_type ||
		      (back->sbs[i].shown_id && !back->sbs[i].shown_own));
	mntcr_topology_free(back);
	mntcr_restored_free(r);
	errno = 0;
	CHECK(waitpid(-1, NULL, WNOHANG | __WALL) == -1 && errno == ECHILD);
	CHECK_EQ(mc_fd_count(), fds);
	mntcr_topology_free(t);
}

/* --- with ids that are moved ------------------------------------------------------ */

#define OLD	100000
#define NEW	300000

/* Who wakes it maps the child's ids. */
static int mapped(const char *ids)
{
	char path[64], c = 0;
	int ready[2], status;
	pid_t parent = getpid(), pid;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid) {
		if (read(ready[0], &c, 1) != 1)
			_exit(1);
		snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)parent);
		if (write_text(path, ids))
			_exit(1);
		snprintf(path, sizeof(path), "/proc/%d/gid_map", (int)parent);
		_exit(write_text(path, ids) ? 1 : 0);
	}
	if (pid < 0 || unshare(CLONE_NEWUSER) || write(ready[1], "", 1) != 1 ||
	    waitpid(pid, &status, 0) != pid || status)
		return -1;
	close(ready[0]);
	close(ready[1]);
	/* whoever has no id there makes no file */
	return setresgid(0, 0, 0) || setresuid(0, 0, 0) ||
	       prctl(PR_SET_PDEATHSIG, SIGKILL) || prctl(PR_SET_DUMPABLE, 1);
}

/* user::rw-, user:OLD+9:r--, group::r--, mask::r--, other::--- */
static int set_acl(const char *file, const char *name, uint32_t uid)
{
	struct {
		uint32_t version;
		struct { uint16_t tag, perm; uint32_t id; } x[5];
	} acl = { 2, {
		{ 0x01, 6, MC_NO_ID }, { 0x02, 4, uid }, { 0x04, 4, MC_NO_ID },
		{ 0x10, 4, MC_NO_ID }, { 0x20, 0, MC_NO_ID },
	} };

	return setxattr(file, name, &acl, sizeof(acl), 0);
}

/* A tmpfs of the initial user namespace, with files of both kinds, on one of its own. */
static int do_moved(void *data)
{
	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("theirs", "/mnt", "tmpfs", 0, "size=64k,uid=100004,gid=5") ||
	    mknod("/mnt/in", S_IFREG | 0640, 0) || chown("/mnt/in", OLD + 7, OLD + 8) ||
	    mknod("/mnt/out", S_IFREG | 0600, 0) || chown("/mnt/out", 7, 8) ||
	    mapped("0 100000 65536") || unshare(CLONE_NEWNS) ||
	    mount("own", "/tmp", "tmpfs", 0, "size=64k,mode=750") || chdir("/tmp") ||
	    mkdir("old", 0700) || mkdir("on", 0755) ||
	    mknod("f", S_IFREG | 0644, 0) || chown("f", 11, 12) ||
	    set_acl("f", "system.posix_acl_access", 9) ||
	    mkdir("d", 0755) || set_acl("d", "system.posix_acl_default", 10) ||
	    mount("/mnt", "on", NULL, MS_BIND, NULL) ||
	    syscall(SYS_pivot_root, ".", "old") || umount2("/old", MNT_DETACH))
		return errno;
	return 0;
}

static ino_t fd_ino(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

static void check_file(int dir, const char *name, uid_t uid, gid_t gid)
{
	struct stat st;

	REQUIRE(!fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW));
	CHECK_EQ(st.st_uid, uid);
	CHECK_EQ(st.st_gid, gid);
}

static struct holder hold_new(void)
{
	struct holder to = scene_hold(CLONE_NEWUSER, NULL, NULL);

	write_of(to.pid, "uid_map", "0 300000 65536");
	write_of(to.pid, "gid_map", "0 300000 65536");
	return to;
}

/* For the user namespace that owns what is in the image; its descriptor. */
static int give(const struct holder *to, struct mntcr_topology *t)
{
	struct mntcr_owner given = { .inode = t->userns[t->ns[0].userns].ino };
	struct mntcr_error e = { 0 };
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)to->pid);
	given.fd = open(path, O_RDONLY | O_CLOEXEC);
	REQUIRE(given.fd >= 0 && given.inode);
	if (mntcr_topology_owners(t, &given, 1, &e))
		TAP_SAY("owners: %s [%s]", e.text, e.rule);
	CHECK_STR(e.text, "");
	return given.fd;
}

static struct mntcr_restored *restored(const struct mntcr_topology *t, struct mntcr_contents *a)
{
	const struct mntcr_restore_options o = {
		.size = sizeof(o), .api = MNTCR_API_EXTENDED, .keep_fds = true,
		.contents = a,
	};
	struct mntcr_restored *r = NULL;
	struct mntcr_error e = { 0 };

	if (mntcr_restore(t, &o, &r, &e))
		TAP_SAY("restore: %s [%s]", e.text, e.rule);
	REQUIRE(r);
	return r;
}

/* Captured again; a: the contents, or NULL. */
static void is_what_was_dumped(const struct mntcr_restored *r, const struct mntcr_topology *t,
			       struct mntcr_contents *a)
{
	struct mntcr_verify_options v = { .size = sizeof(v), .report = say, .contents_a = a };
	struct mntcr_topology *back;
	struct mntcr_contents *b = saved(mntcr_restored_ns_fd(r, 0), &back);
	struct mntcr_error e;
	size_t nr = 1;

	v.contents_b = a ? b : NULL;
	REQUIRE(!mntcr_verify(t, back, &v, &nr, &e));
	CHECK_EQ(nr, 0);
	mntcr_contents_free(b);
	mntcr_topology_free(back);
}

static void into_one_that_is_given(void)
{
	struct mntcr_topology *t;
	struct mntcr_restored *r;
	struct mntcr_contents *a;
	uint32_t fds, acl[11];
	int top, on, is, given;
	struct holder h, to;

	if (!has_extended())
		SKIP("this kernel has no mount_setgroup(2)");
	h = scene_hold(0, do_moved, NULL);
	to = hold_new();
	fds = mc_fd_count();
	a = saved(h.ns, &t);
	given = give(&to, t);
	r = restored(t, a);
	is = ioctl(mntcr_restored_ns_fd(r, 0), MC_NS_GET_USERNS);
	CHECK_EQ(fd_ino(is), fd_ino(given));
	close(is);
	REQUIRE(t->nr_mounts == 2);
	top = mntcr_restored_mount_fd(r, 0, t->mounts[0].id);
	on = mntcr_restored_mount_fd(r, 0, t->mounts[1].id);
	check_file(top, ".", NEW, NEW);
	check_file(top, "f", NEW + 11, NEW + 12);
	check_file(on, ".", NEW + 4, 5);
	check_file(on, "in", NEW + 7, NEW + 8);
	check_file(on, "out", 7, 8);
	is = openat(top, "f", O_RDONLY | O_CLOEXEC);
	CHECK_EQ(fgetxattr(is, "system.posix_acl_access", acl, sizeof(acl)), 44);
	CHECK_EQ(acl[4], NEW + 9);
	close(is);
	is = openat(top, "d", O_RDONLY | O_CLOEXEC);
	CHECK_EQ(fgetxattr(is, "system.posix_acl_default", acl, sizeof(acl)), 44);
	CHECK_EQ(acl[4], NEW + 10);
	close(is);
	is_what_was_dumped(r, t, a);
	mntcr_contents_free(a);
	mntcr_topology_free(t);
	mntcr_restored_free(r);
	close(given);
	CHECK_EQ(mc_fd_count(), fds);
	scene_release(&to);
	scene_release(&h);
}

/*
 * Overlays whose roots are the container's: by what the layer is, or as that is on an
 * idmapped mount, behind which it is 7's.
 */
static int do_overlays(void *data)
{
	int users = idmap_userns("0 100000 65536\n");
	int root;

	if (unshare(CLONE_NEWNS) ||
	    (root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("base", "/mnt", "tmpfs", 0, "size=64k") || chdir("/mnt") ||
	    mkdir("old", 0755) || mkdir("l", 0755) || mkdir("lo", 0755) ||
	    mkdir("own", 0755) || mkdir("mapped", 0755) ||
	    mount("layers", "l", "tmpfs", 0, "size=64k") || mkdir("l/k", 0755) ||
	    mkdir("l/own", 0700) || chown("l/own", OLD + 7, OLD + 8) ||
	    mkdir("l/own/d", 0710) || chown("l/own/d", OLD + 9, 9) ||
	    mkdir("l/raw", 0700) || chown("l/raw", 7, 8) ||
	    idmap_onto(users, "l", "lo") || chroot(".") ||
	    mount("ov", "/own", "overlay", 0, "lowerdir=/l/own:/l/k") ||
	    (data && mount("on", "/own/d", "tmpfs", 0, "size=64k")) ||
	    mount("ov", "/mapped", "overlay", 0, "lowerdir=/lo/raw:/l/k") ||
	    fchdir(root) || chroot(".") || mapped("0 100000 65536") ||
	    unshare(CLONE_NEWNS) || mount("/mnt", "/mnt", NULL, MS_BIND | MS_REC, NULL) ||
	    chdir("/mnt") || syscall(SYS_pivot_root, ".", "old") ||
	    umount2("/old", MNT_DETACH))
		return errno;
	close(root);
	close(users);
	return 0;
}

static int mount_fd(const struct mntcr_restored *r, const struct mntcr_topology *t,
		    const char *path)
{
	uint32_t m = mc_mount_at(t, 0, path);

	REQUIRE(m != MC_NONE);
	return mntcr_restored_mount_fd(r, 0, t->mounts[m].id);
}

static void overlays_into(const struct mntcr_topology *t, struct mntcr_contents *a)
{
	struct mntcr_restored *r = restored(t, a);

	check_file(mount_fd(r, t, "/own"), ".", NEW + 7, NEW + 8);
	check_file(mount_fd(r, t, "/mapped"), ".", NEW + 7, NEW + 8);
	check_file(mount_fd(r, t, "/l"), "own", NEW + 7, NEW + 8);
	check_file(mount_fd(r, t, "/l"), "raw", 7, 8);
	is_what_was_dumped(r, t, a);
	mntcr_restored_free(r);
}

/* Without contents, only what the image itself tells of them. */
static void given_for_overlays(bool contents)
{
	struct mntcr_topology *t;
	struct mntcr_contents *a;
	struct holder h, to;
	int given;

	h = scene_hold(0, do_overlays, contents ? "what is on them" : NULL);
	to = hold_new();
	a = saved(h.ns, &t);
	given = give(&to, t);
	overlays_into(t, contents ? a : NULL);
	mntcr_contents_free(a);
	mntcr_topology_free(t);
	close(given);
	scene_release(&to);
	scene_release(&h);
}

static void overlays_into_one_that_is_given(void)
{
	int fs;

	if (!has_extended())
		SKIP("this kernel has no mount_setgroup(2)");
	fs = mc_fsopen("overlay", 1);
	if (fs < 0)
		SKIP("this kernel has no overlay");
	close(fs);
	given_for_overlays(true);
	given_for_overlays(false);
}

/*
 * A tmpfs, and again with an idmap of the ids that the container's own have in it; and the
 * same of the container's own, in which these are as they are within.
 */
static int do_mapped_within(void *data)
{
	int users = idmap_userns("100000 101000 100\n"), within;

	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("base", "/mnt", "tmpfs", 0, "size=64k") || chdir("/mnt") ||
	    mkdir("old", 0755) || mkdir("p", 0755) || mkdir("i", 0755) ||
	    mount("files", "p", "tmpfs", 0, "size=64k") || chown("p", OLD + 5, OLD + 6) ||
	    mkdir("p/d", 0710) || chown("p/d", OLD + 7, OLD + 8) ||
	    idmap_onto(users, "p", "i") ||
	    mkdir("m", 0755) || mount("i/d", "m", NULL, MS_BIND, NULL) ||
	    mkdir("own", 0755) || mkdir("own-i", 0755) || mkdir("n", 0755) ||
	    mapped("0 100000 65536") ||
	    unshare(CLONE_NEWNS) || mount("/mnt", "/mnt", NULL, MS_BIND | MS_REC, NULL) ||
	    chdir("/mnt") || mount("own", "own", "tmpfs", 0, "size=64k") ||
	    mkdir("own/d", 0750) || chown("own/d", 7, 8) ||
	    (within = idmap_userns("0 1000 100\n")) < 0 ||
	    idmap_onto(within, "own", "own-i") ||
	    mount("own-i/d", "n", NULL, MS_BIND, NULL) ||
	    syscall(SYS_pivot_root, ".", "old") || umount2("/old", MNT_DETACH))
		return errno;
	close(within);
	close(users);
	return 0;
}

static bool is_owned(const char *path, uid_t uid, gid_t gid)
{
	struct stat st;

	return !stat(path, &st) && st.st_uid == uid && st.st_gid == gid;
}

/* As whoever is in there sees them. */
static int do_look_within(void *data)
{
	const int *userns = data;

	/* a descriptor: the namespace is entered already */
	if (setns(*userns, CLONE_NEWUSER))
		return 1;
	return (is_owned("/p", 5, 6) ? 0 : 2) | (is_owned("/p/d", 7, 8) ? 0 : 4) |
	       (is_owned("/i", 1005, 1006) ? 0 : 8) | (is_owned("/m", 1007, 1008) ? 0 : 16) |
	       (is_owned("/own/d", 7, 8) ? 0 : 32) | (is_owned("/n", 1007, 1008) ? 0 : 64);
}

static void looks_the_same_within(int ns)
{
	int userns = ioctl(ns, MC_NS_GET_USERNS);

	REQUIRE(userns >= 0);
	CHECK_EQ(scene_in(ns, do_look_within, &userns), 0);
	close(userns);
}

static void mapped_into(bool contents)
{
	struct mntcr_topology *t;
	struct mntcr_restored *r;
	struct mntcr_contents *a;
	struct holder h, to;
	int given;

	h = scene_hold(0, do_mapped_within, NULL);
	to = hold_new();
	looks_the_same_within(h.ns);
	a = saved(h.ns, &t);
	given = give(&to, t);
	r = restored(t, contents ? a : NULL);
	looks_the_same_within(mntcr_restored_ns_fd(r, 0));
	check_file(mount_fd(r, t, "/p"), "d", NEW + 7, NEW + 8);
	is_what_was_dumped(r, t, contents ? a : NULL);
	mntcr_contents_free(a);
	mntcr_topology_free(t);
	mntcr_restored_free(r);
	close(given);
	scene_release(&to);
	scene_release(&h);
}

static void what_an_idmap_maps_is_moved(void)
{
	if (!has_extended())
		SKIP("this kernel has no mount_setgroup(2)");
	mapped_into(true);
	mapped_into(false);
}

/* Beside the namespace of one owner: the files of that one and of the dumper's own. */
static int do_files(void *data)
{
	const struct holder *h = data;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)h->pid);
	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("files", "/tmp", "tmpfs", 0, "size=64k") || chdir("/tmp") ||
	    mkdir("old", 0700) || mknod("of", S_IFREG, 0) || mknod("own", S_IFREG, 0) ||
	    mount(path, "of", NULL, MS_BIND, NULL) ||
	    mount("/proc/self/ns/user", "own", NULL, MS_BIND, NULL) ||
	    syscall(SYS_pivot_root, ".", "old") || umount2("/old", MNT_DETACH))
		return errno;
	return 0;
}

/* What waits is mounted last. */
static struct mc_mount *at(const struct mntcr_topology *t, const char *mountpoint)
{
	uint32_t i = 0;

	while (i < t->nr_mounts && strcmp(t->mounts[i].mountpoint, mountpoint))
		i++;
	REQUIRE(i < t->nr_mounts);
	return &t->mounts[i];
}

static struct mntcr_topology *captured_both(int owned, int files)
{
	const struct mntcr_source src[] = {
		{ .type = MNTCR_SOURCE_FD, .fd = owned },
		{ .type = MNTCR_SOURCE_FD, .fd = files },
	};
	struct mntcr_topology *t = NULL;
	struct mntcr_error e = { 0 };

	if (mntcr_capture(src, 2, NULL, &t, &e))
		TAP_SAY("capture: %s", e.text);
	REQUIRE(t && t->nr_ns == 2 && t->nr_mounts == 5);
	REQUIRE(at(t, "/of")->nsfs_userns == t->ns[0].userns);
	REQUIRE(t->userns[at(t, "/own")->nsfs_userns].dumper);
	return t;
}

static ino_t ino_of(int fd)
{
	struct stat st;

	return fd < 0 || fstat(fd, &st) ? 0 : st.st_ino;
}

static struct mntcr_topology *image_of_files(void)
{
	struct mntcr_topology *t;
	struct holder files;
	struct nested n;

	if (!hold_nested(&n, do_inner))
		return NULL;
	files = scene_hold(0, do_files, &n.inner);
	t = captured_both(n.inner.ns, files.ns);
	scene_release(&files);
	release_nested(&n);
	return t;
}

/* The file is of what owns the first namespace. */
static void files_restored(const struct mntcr_topology *t, enum mntcr_api api, enum how how)
{
	const struct mntcr_restore_options o = {
		.size = sizeof(o), .api = api, .keep_fds = true,
		.ignore_locks = api == MNTCR_API_UPSTREAM,
	};
	struct mntcr_verify_options v = {
		.size = sizeof(v), .report = say,
		.flags = o.ignore_locks ? MNTCR_VERIFY_IGNORE_LOCKS : 0,
	};
	struct mntcr_restored *r = NULL;
	struct mntcr_topology *back;
	struct mntcr_error e = { 0 };
	struct stat own;
	size_t nr = 1;
	int fd;

	if (how != AT_ONCE)
		by_stages(t, &o, how == LATE, &r);
	else if (mntcr_restore(t, &o, &r, &e))
		TAP_SAY("restore: %s [%s]", e.text, e.rule);
	REQUIRE(r);
	fd = ioctl(mntcr_restored_ns_fd(r, 0), MC_NS_GET_USERNS);
	REQUIRE(ino_of(fd));
	CHECK_EQ(ino_of(mntcr_restored_mount_fd(r, 1, at(t, "/of")->id)), ino_of(fd));
	close(fd);
	REQUIRE(!stat("/proc/self/ns/user", &own));
	CHECK_EQ(ino_of(mntcr_restored_mount_fd(r, 1, at(t, "/own")->id)), own.st_ino);
	back = captured_both(mntcr_restored_ns_fd(r, 0), mntcr_restored_ns_fd(r, 1));
	REQUIRE(!mntcr_verify(t, back, &v, &nr, &e));
	CHECK_EQ(nr, 0);
	/* and another one is not its counterpart */
	v.report = NULL;
	at(back, "/of")->nsfs_userns = back->userns[back->ns[0].userns].parent;
	REQUIRE(!mntcr_verify(t, back, &v, &nr, &e));
	CHECK_EQ(nr, 1);
	mntcr_topology_free(back);
	mntcr_restored_free(r);
}

static void files_of_owners(void)
{
	struct mntcr_external x = { .path = "/proc/self/ns/user" };
	struct mntcr_restore_options o = {
		.size = sizeof(o), .externals = &x, .nr_externals = 1,
	};
	struct mntcr_topology *t = image_of_files();
	struct mntcr_restored *r = NULL;
	uint32_t fds = mc_fd_count();
	struct mntcr_error e = { 0 };
	struct mntcr_owner owner[2];
	struct nested n;
	uint32_t u;
	int how, i;

	if (!t)
		SKIP("this kernel has no mount_setgroup(2)");
	for (how = AT_ONCE; how <= LATE; how++)
		files_restored(t, MNTCR_API_EXTENDED, (enum how)how);
	files_restored(t, MNTCR_API_UPSTREAM, AT_ONCE);
	x.key = at(t, "/of")->root;
	CHECK_EQ(mntcr_restore(t, &o, &r, &e), -1);
	CHECK_EQ(e.code, MNTCR_USAGE);
	CHECK_EQ(mc_fd_count(), fds);
	/* in one that is given */
	REQUIRE(hold_nested(&n, do_inner));
	u = t->ns[0].userns;
	for (i = 1; i >= 0; i--, u = t->userns[u].parent)
		owner[i] = (struct mntcr_owner){
			.inode = t->userns[u].ino, .fd = userns_of(i ? &n.inner : &n.outer),
		};
	if (mntcr_topology_owners(t, owner, 2, &e))
		TAP_SAY("owners: %s", e.text);
	REQUIRE(t->userns[t->ns[0].userns].given);
	files_restored(t, MNTCR_API_EXTENDED, AT_ONCE);
	files_restored(t, MNTCR_API_UPSTREAM, AT_ONCE);
	CHECK_EQ(mntcr_restore(t, &o, &r, &e), -1);
	CHECK_EQ(e.code, MNTCR_USAGE);
	close(owner[0].fd);
	close(owner[1].fd);
	mntcr_topology_free(t);
	release_nested(&n);
}

int main(void)
{
	TAP_RUN(what_an_idmap_maps_is_moved);
	TAP_RUN(into_one_that_is_given);
	TAP_RUN(overlays_into_one_that_is_given);
	TAP_RUN(unlinked_roots_of_another_owner);
	TAP_RUN(what_locked_mounts_cover);
	TAP_RUN(what_is_mounted_below_a_cover);
	TAP_RUN(what_is_covered_and_not_locked);
	TAP_RUN(one_in_the_other);
	TAP_RUN(files_of_owners);
	TAP_RUN(what_shows_a_namespace);
	TAP_RUN(who_may_not_make_one);
	return tap_done();
}
