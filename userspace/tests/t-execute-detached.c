// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Trees that are mounted nowhere and held by descriptor: dumped, made anew, handed out by
 * descriptor; and what is none, or cannot be copied, is refused by name.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <linux/capability.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#include "mntcr-stages.h"
#include "base/base.h"
#include "capture/capture.h"
#include "topology/topology.h"
#include "extended.h"
#include "in-child.h"
#include "staged.h"
#include "tap.h"
#include "world.h"

#define IMAGE	"/tmp/image"
#define MOST	4
#define NO_FD	1000

static struct mntcr_error e;
static uint32_t fds;
static size_t namespaces;

static void need_calls(void)
{
	int err;

	if (mc_detached_lacks(&err))
		SKIP("this kernel does not list detached trees");
	if (!namespaces)
		namespaces = staged_namespaces();
	fds = mc_fd_count();
}

static void nothing_left(void)
{
	CHECK_EQ(mc_fd_count(), fds);
	CHECK_EQ(staged_namespaces_end(namespaces), namespaces);
}

static int fine(int ret)
{
	if (ret)
		TAP_SAY("%s [%s]", e.text, e.rule);
	return !ret;
}

/* --- trees ---------------------------------------------------------------------- */

static int new_tmpfs(const char *source)
{
	int fs = mc_fsopen("tmpfs", 1), fd;

	REQUIRE(fs >= 0);
	/* FSCONFIG_SET_STRING, FSCONFIG_CMD_CREATE */
	REQUIRE(!mc_fsconfig(fs, 1, "source", source, 0));
	REQUIRE(!mc_fsconfig(fs, 1, "size", "1m", 0));
	REQUIRE(!mc_fsconfig(fs, 6, NULL, NULL, 0));
	fd = mc_fsmount(fs, 1, 0);
	REQUIRE(fd >= 0);
	close(fs);
	return fd;
}

static void file(int dir, const char *path, const char *text)
{
	int fd = openat(dir, path, O_CREAT | O_WRONLY | O_CLOEXEC, 0640);

	REQUIRE(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* The mount of fd goes to path of a tree, or onto its root ("."). */
static void put(int fd, int tree, const char *path)
{
	REQUIRE(!mc_move_mount(fd, "", tree, path, MOVE_MOUNT_F_EMPTY_PATH));
	close(fd);
}

static bool reads(int dir, const char *path, const char *text)
{
	char buf[64] = "";
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && read(fd, buf, sizeof(buf) - 1) >= 0 && !strcmp(buf, text);

	mc_close(fd);
	return ok;
}

/* Three superblocks; one is mounted twice, once of them on the root of the other. */
static int new_tree(void)
{
	int root = new_tmpfs("first"), second = new_tmpfs("second"), over, d;

	REQUIRE(!mkdirat(root, "d", 0711) && !mkdirat(root, "f", 0755));
	REQUIRE(!mkdirat(second, "e", 0700));
	file(root, "file", "of the first");
	file(second, "e/file", "of the second");
	over = mc_open_tree(second, "e", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	REQUIRE(over >= 0);
	put(second, root, "d");
	put(over, root, "f");
	d = openat(root, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
	REQUIRE(d >= 0);
	put(new_tmpfs("third"), d, "e");
	close(d);
	return root;
}

/* --- there and back ------------------------------------------------------------- */

struct trip {
	struct mntcr_detached *tree[MOST];
	struct mntcr_source src[MOST], back[MOST];
	struct mntcr_detached *back_tree[MOST];
	size_t nr;
	struct mntcr_topology *t;	/* as the image has it */
	struct mntcr_contents *contents;
	struct mntcr_restore_options o;
	struct mntcr_restored *r;
};

static void add_tree(struct trip *x, int fd)
{
	REQUIRE(fine(mntcr_detached_open(getpid(), fd, &x->tree[x->nr], &e)));
	x->src[x->nr] = *mntcr_detached_source(x->tree[x->nr]);
	x->nr++;
}

static void add_ns(struct trip *x, int fd)
{
	x->src[x->nr++] = (struct mntcr_source){ .type = MNTCR_SOURCE_FD, .fd = fd };
}

/* From here on nothing of what was dumped is looked at. */
static void dump(struct trip *x)
{
	struct mntcr_contents_options files = {
		.size = sizeof(files), .sources = x->src, .nr_sources = x->nr,
	};
	struct mntcr_topology *live = NULL;

	REQUIRE(fine(mntcr_capture(x->src, x->nr, NULL, &live, &e)));
	REQUIRE(fine(mntcr_image_write_contents(live, &files, IMAGE, &e)));
	mntcr_topology_free(live);
	REQUIRE(fine(mntcr_image_read_contents(IMAGE, &x->t, &x->contents, &e)));
	x->o = (struct mntcr_restore_options){
		.size = sizeof(x->o), .contents = x->contents, .prefer_fresh = true,
	};
}

static void restore(struct trip *x)
{
	REQUIRE(fine(mntcr_restore(x->t, &x->o, &x->r, &e)));
}

/* Beside MNTCR_VERIFY_*. */
#define BY_MOUNTINFO	(1U << 31)

/* What came back is captured in the same way, as a rule. */
static size_t differences(struct trip *x, unsigned int flags)
{
	struct mntcr_capture_options co = { .size = sizeof(co) };
	struct mntcr_verify_options o = {
		.size = sizeof(o), .report = staged_say, .flags = flags,
	};
	struct mntcr_topology *got = NULL;
	size_t i, nr = 0;

	for (i = 0; i < x->nr; i++) {
		x->back[i] = (struct mntcr_source){
			.type = MNTCR_SOURCE_FD, .fd = mntcr_restored_ns_fd(x->r, i),
		};
		CHECK_EQ(x->back[i].fd < 0, x->tree[i] != NULL);
		CHECK_EQ(mntcr_restored_detached_fd(x->r, i) < 0, x->tree[i] == NULL);
		if (!x->tree[i])
			continue;
		REQUIRE(fine(mntcr_detached_open(0, mntcr_restored_detached_fd(x->r, i),
						 &x->back_tree[i], &e)));
		x->back[i] = *mntcr_detached_source(x->back_tree[i]);
	}
	if (flags & BY_MOUNTINFO)
		co.method = MNTCR_METHOD_MOUNTINFO;
	o.flags &= ~BY_MOUNTINFO;
	REQUIRE(fine(mntcr_capture(x->back, x->nr, &co, &got, &e)));
	REQUIRE(fine(mntcr_verify(x->t, got, &o, &nr, &e)));
	mntcr_topology_free(got);
	return nr;
}

static void over(struct trip *x)
{
	size_t i;

	for (i = 0; i < x->nr; i++) {
		mntcr_detached_free(x->tree[i]);
		mntcr_detached_free(x->back_tree[i]);
	}
	mntcr_restored_free(x->r);
	mntcr_contents_free(x->contents);
	mntcr_topology_free(x->t);
}

/* --- tests ---------------------------------------------------------------------- */

static void dump_new_tree(struct trip *x)
{
	int fd;

	need_calls();
	fd = new_tree();
	add_tree(x, fd);
	dump(x);
	close(fd);
}

/* Named, before anything else is looked at. */
static void what_it_takes(void)
{
	struct mntcr_detached *d = NULL;
	int err;
	const char *lacks = mc_detached_lacks(&err);

	CHECK_EQ(mntcr_detached_open(0, NO_FD, &d, &e), -1);
	CHECK_EQ(e.code, lacks ? MNTCR_UNSUPPORTED : MNTCR_REFUSED);
	CHECK(!lacks || strstr(e.text, "a detached tree needs "));
	CHECK(!lacks || strstr(e.text, lacks));
	CHECK(!d);
}

static void a_tree_of_its_own(void)
{
	struct trip x = { 0 };
	int fd;

	dump_new_tree(&x);
	CHECK_EQ(x.t->nr_ns, 1);
	CHECK(x.t->ns[0].detached && !x.t->ns[0].id && !x.t->ns[0].ino);
	CHECK_EQ(x.t->nr_mounts, 4);
	x.o.keep_fds = true;
	restore(&x);
	CHECK_EQ(differences(&x, MNTCR_VERIFY_ORDER), 0);
	CHECK_EQ(mntcr_restored_mount_fd(x.r, 0, x.t->mounts[0].id), -1);
	fd = mntcr_restored_detached_fd(x.r, 0);
	CHECK(reads(fd, "file", "of the first"));
	CHECK(reads(fd, "f/file", "of the second"));
	CHECK(!faccessat(fd, "d/e", F_OK, 0) && faccessat(fd, "d/e/file", F_OK, 0));
	over(&x);
	nothing_left();
}

/* By a path through the descriptor; as a live source it has no mounts that can be found. */
static void from_who_has_it(void)
{
	static const char *const below[] = { "", "/d", "/d/e" };
	static const char *const sources[] = { "first", "second", "third" };
	struct mntcr_external ext[3];
	char key[3][32], path[3][64];
	struct trip x = { 0 };
	int fd, got;
	size_t i;

	need_calls();
	fd = new_tree();
	add_tree(&x, fd);
	dump(&x);
	x.o.sources = x.src;
	x.o.nr_sources = 1;
	CHECK_EQ(mntcr_restore(x.t, &x.o, &x.r, &e), -1);
	CHECK_EQ(e.code, MNTCR_REFUSED);
	CHECK_STR(e.rule, "detached-source");
	x.o.sources = NULL;
	x.o.nr_sources = 0;
	for (i = 0; i < 3; i++) {
		snprintf(key[i], sizeof(key[i]), "source:%s", sources[i]);
		snprintf(path[i], sizeof(path[i]), "/proc/self/fd/%d%s", fd, below[i]);
		ext[i] = (struct mntcr_external){ .key = key[i], .path = path[i] };
	}
	x.o.externals = ext;
	x.o.nr_externals = 3;
	restore(&x);
	CHECK_EQ(differences(&x, MNTCR_VERIFY_ORDER), 0);
	got = mntcr_restored_detached_fd(x.r, 0);
	CHECK(reads(got, "f/file", "of the second"));
	file(fd, "d/new", "in both");
	CHECK(reads(got, "d/new", "in both"));
	close(fd);
	over(&x);
	nothing_left();
}

/* Of what cannot be made anew, that is what would help. */
static void what_would_help(void)
{
	struct trip x = { 0 };

	dump_new_tree(&x);
	x.t->sbs[x.t->mounts[0].sb].type = "fuse";
	CHECK_EQ(mntcr_restore(x.t, &x.o, &x.r, &e), -1);
	CHECK_STR(e.rule, "no-source");
	CHECK(strstr(e.text, "=/proc/PID/fd/FD, a path through a descriptor of the tree"));
	over(&x);
	nothing_left();
}

/* What is mounted in a copy of a tree is not in that. */
static void no_events_in_it(void)
{
	size_t events, differences;
	struct trip x = { 0 };
	int fd;

	need_calls();
	fd = new_tree();
	add_tree(&x, fd);
	CHECK_EQ(mntcr_verify_events(x.src, 1, x.src, 1, NULL, &events, &differences,
				     &e), -1);
	CHECK_EQ(e.code, MNTCR_USAGE);
	CHECK(strstr(e.text, "not in a detached tree"));
	close(fd);
	over(&x);
	nothing_left();
}

/* The copy can be read in whatever way there is. */
static void by_mountinfo(void)
{
	struct mntcr_capture_options co = {
		.size = sizeof(co), .method = MNTCR_METHOD_MOUNTINFO,
	};
	struct mntcr_verify_options o = { .size = sizeof(o), .report = staged_say };
	struct mntcr_topology *a = NULL, *b = NULL;
	struct trip x = { 0 };
	size_t nr = 1;
	int fd;

	need_calls();
	fd = new_tree();
	add_tree(&x, fd);
	close(fd);
	REQUIRE(fine(mntcr_capture(x.src, x.nr, NULL, &a, &e)));
	REQUIRE(fine(mntcr_capture(x.src, x.nr, &co, &b, &e)));
	REQUIRE(fine(mntcr_verify(a, b, &o, &nr, &e)));
	CHECK_EQ(nr, 0);
	CHECK(b->ns[0].detached && !b->ns[0].hidden);
	mntcr_topology_free(a);
	mntcr_topology_free(b);
	over(&x);
	nothing_left();
}

/* No directory: nothing can be on it but what covers it. */
static int new_file_tree(void)
{
	int holder = new_tree(), tree, cover;

	tree = mc_open_tree(holder, "file", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	cover = mc_open_tree(holder, "f/file", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	REQUIRE(tree >= 0 && cover >= 0);
	REQUIRE(!mc_move_mount(cover, "", tree, "", MOVE_MOUNT_F_EMPTY_PATH |
			       MOVE_MOUNT_T_EMPTY_PATH));
	close(cover);
	close(holder);
	return tree;
}

static void is_file_tree(const struct mc_topology *t)
{
	CHECK_EQ(t->nr_ns, 1);
	CHECK(t->ns[0].detached && !t->ns[0].hidden);
	REQUIRE(t->nr_mounts == 2);
	CHECK_EQ(t->ns[0].root, 0);
	CHECK_EQ(t->mounts[0].mp_type, MC_MP_OTHER);
	CHECK_STR(t->mounts[0].root, "/file");
	CHECK_EQ(t->mounts[1].parent, 0);
	CHECK_STR(t->mounts[1].mountpoint, "/");
}

static void whose_root_is_a_file(unsigned int limit)
{
	char link[32], buf[64] = "";
	struct trip x = { 0 };
	int fd;

	need_calls();
	fd = new_file_tree();
	add_tree(&x, fd);
	dump(&x);
	close(fd);
	is_file_tree(x.t);
	x.o.fd_limit = limit;
	restore(&x);
	x.o.fd_limit = 0;
	CHECK_EQ(differences(&x, MNTCR_VERIFY_ORDER), 0);
	mntcr_detached_free(x.back_tree[0]);
	CHECK_EQ(differences(&x, BY_MOUNTINFO), 0);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", mntcr_restored_detached_fd(x.r, 0));
	fd = open(link, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && read(fd, buf, sizeof(buf) - 1) > 0);
	/* below the cover, as that of the directory that it was in */
	CHECK_STR(buf, "of the first");
	mc_close(fd);
	over(&x);
	nothing_left();
}

static void a_file(void)
{
	whose_root_is_a_file(0);
}

static void a_file_with_few_descriptors(void)
{
	whose_root_is_a_file(mc_fd_count() + 120);
}

/* Of an image that says so: the kernel shows none. */
static void unbindable_in_it(unsigned int limit)
{
	struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER1, .param = MC_STATMOUNT_MNT_BASIC,
	};
	struct mntcr_detached *d = NULL;
	struct mc_statmount sm;
	struct trip x = { 0 };
	uint32_t m, marked = MC_NONE;
	int fd;

	dump_new_tree(&x);
	for (m = 0; m < x.t->nr_mounts; m++)
		if (x.t->mounts[m].parent != MC_NONE && !strcmp(x.t->mounts[m].mountpoint, "/f"))
			marked = m;
	REQUIRE(marked != MC_NONE);
	x.t->mounts[marked].unbindable = true;
	x.o.fd_limit = limit;
	restore(&x);
	fd = openat(mntcr_restored_detached_fd(x.r, 0), "f", O_PATH | O_CLOEXEC);
	REQUIRE(fd >= 0);
	req.mnt_ns_fd = (uint32_t)fd;
	CHECK(!mc_statmount(&req, &sm, sizeof(sm), MC_STATMOUNT_BY_FD));
	CHECK_EQ(sm.mnt_propagation, MS_UNBINDABLE);
	CHECK(reads(fd, "file", "of the second"));
	close(fd);
	CHECK_EQ(mntcr_detached_open(0, mntcr_restored_detached_fd(x.r, 0), &d, &e), -1);
	CHECK_STR(e.rule, "detached-unbindable");
	over(&x);
	nothing_left();
}

static void unbindable(void)
{
	unbindable_in_it(0);
}

static void unbindable_with_few_descriptors(void)
{
	unbindable_in_it(mc_fd_count() + 120);
}

/* By one descriptor twice, and by another one: one tree, and its label says by which. */
static void two_descriptors(void)
{
	struct mntcr_topology *t = NULL;
	struct trip x = { 0 };
	int fd, again, other;
	char label[64];

	need_calls();
	fd = new_tree();
	again = dup(fd);
	other = new_tmpfs("other");
	REQUIRE(again >= 0);
	add_tree(&x, fd);
	add_tree(&x, fd);
	add_tree(&x, other);
	add_tree(&x, again);
	REQUIRE(fine(mntcr_capture(x.src, x.nr, NULL, &t, &e)));
	CHECK_EQ(t->nr_ns, 2);
	CHECK_EQ(t->nr_mounts, 5);
	snprintf(label, sizeof(label), "%d:%d %d:%d", getpid(), fd, getpid(), again);
	CHECK_STR(t->ns[0].label, label);
	snprintf(label, sizeof(label), "%d:%d", getpid(), other);
	CHECK_STR(t->ns[1].label, label);
	mntcr_topology_free(t);
	close(fd);
	close(again);
	close(other);
	over(&x);
	nothing_left();
}

static void too_many_descriptors(void)
{
	struct mntcr_topology *t = NULL;
	struct mntcr_source src[200];
	struct mntcr_detached *tree[200];
	int fd, dups[200], i;

	need_calls();
	fd = new_tree();
	for (i = 0; i < 200; i++) {
		dups[i] = dup(fd);
		REQUIRE(dups[i] >= 0 && fine(mntcr_detached_open(getpid(), dups[i], &tree[i],
								 &e)));
		src[i] = *mntcr_detached_source(tree[i]);
	}
	CHECK_EQ(mntcr_capture(src, 200, NULL, &t, &e), -1);
	CHECK_EQ(e.code, MNTCR_REFUSED);
	CHECK_STR(e.rule, "detached-descriptors");
	for (i = 0; i < 200; i++) {
		mntcr_detached_free(tree[i]);
		close(dups[i]);
	}
	close(fd);
	nothing_left();
}

/* As many mounts are not the same ones. */
static void what_is_no_copy(void)
{
	const struct mc_mount_attr attr = { .propagation = MS_SHARED };
	struct trip x = { 0 };
	uint64_t *was;
	int fd, other, d;
	size_t nr;

	need_calls();
	memset(&e, 0, sizeof(e));
	fd = new_tree();
	add_tree(&x, fd);
	REQUIRE(!cap_list_tree(fd, &was, &nr) && nr == 3);
	x.tree[0]->e = &e;
	other = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	d = mc_ns_mnt_open(x.src[0].fd, x.tree[0]->ids[0]);
	REQUIRE(d >= 0 && other >= 0);
	CHECK_EQ(cap_is_copy_of(x.tree[0], fd, d, x.src[0].fd, was, nr), 0);
	close(other);
	/* one of its mounts was not there before it was copied */
	was[2]++;
	CHECK_EQ(cap_is_copy_of(x.tree[0], fd, d, x.src[0].fd, was, nr), -1);
	CHECK_EQ(e.code, MNTCR_CHANGED);
	was[2]--;
	/* at the same place is another one */
	other = new_tree();
	CHECK_EQ(cap_is_copy_of(x.tree[0], other, d, x.src[0].fd, was, nr), -1);
	CHECK_EQ(e.code, MNTCR_CHANGED);
	close(other);
	/* or none */
	other = mc_open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	REQUIRE(other >= 0);
	CHECK_EQ(cap_is_copy_of(x.tree[0], other, d, x.src[0].fd, was, nr), -1);
	CHECK_EQ(e.code, MNTCR_CHANGED);
	close(other);
	/* or what is not the same any more */
	other = openat(fd, "f", O_PATH | O_CLOEXEC);
	REQUIRE(other >= 0 && !mc_mount_setattr(other, "", AT_EMPTY_PATH, &attr,
						MC_MOUNT_ATTR_SIZE_VER0));
	close(other);
	CHECK_EQ(cap_is_copy_of(x.tree[0], fd, d, x.src[0].fd, was, nr), -1);
	CHECK_EQ(e.code, MNTCR_CHANGED);
	free(was);
	close(d);
	close(fd);
	over(&x);
	nothing_left();
}

/* As its holder would: attached somewhere, and it stays. */
static void it_can_be_attached(void)
{
	struct trip x = { 0 };

	dump_new_tree(&x);
	restore(&x);
	w_mkdir("/tmp/here");
	CHECK(!mc_move_mount(mntcr_restored_detached_fd(x.r, 0), "", AT_FDCWD, "/tmp/here",
			     MOVE_MOUNT_F_EMPTY_PATH));
	over(&x);
	CHECK(reads(AT_FDCWD, "/tmp/here/f/file", "of the second"));
	CHECK(!umount2("/tmp/here", MNT_DETACH));
	nothing_left();
}

static void shared_ns(void)
{
	world_new_root();
	w_tmpfs("both", "/both");
	w_type("/both", MS_SHARED);
	w_mkdir("/both/on");
	w_tmpfs("master", "/master");
	w_type("/master", MS_SHARED);
	w_mkdir("/master/on");
}

/* Its mount at path, cloned; a slave if that is asked for. */
static int clone_of(int ns, const char *path, uint64_t propagation)
{
	struct mc_mount_attr attr = { .propagation = propagation };
	int root = mc_ns_mnt_open(ns, MC_NS_MNT_OPEN_ROOT), fd;

	REQUIRE(root >= 0);
	fd = mc_open_tree_attr(root, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
			       OPEN_TREE_FOREIGN, &attr, MC_MOUNT_ATTR_SIZE_VER0);
	REQUIRE(fd >= 0);
	close(root);
	return fd;
}

static int mount_at(void *path)
{
	return mount("event", path, "tmpfs", 0, NULL) ? errno : 0;
}

static bool is_mounted(int tree, const char *path)
{
	struct statx st;

	REQUIRE(!statx(tree, path, AT_NO_AUTOMOUNT, 0, &st));
	return st.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

/* A peer of one mount of a namespace, and on it a slave of another. */
static void shared_with_a_namespace(void)
{
	struct world w = { .nr = 0 };
	struct trip x = { 0 };
	int tree, made;

	need_calls();
	world_add(&w, -1, shared_ns);
	tree = clone_of(w.ns[0], "both", MS_SHARED);
	REQUIRE(!mkdirat(tree, "slave", 0755));
	/* below a private mount: what is mounted on a shared one would be shared */
	made = new_tmpfs("root");
	REQUIRE(!mkdirat(made, "peer", 0755) && !mkdirat(made, "slave", 0755));
	put(tree, made, "peer");
	put(clone_of(w.ns[0], "master", MS_SLAVE), made, "slave");
	add_ns(&x, w.ns[0]);
	add_tree(&x, made);
	dump(&x);
	close(made);
	CHECK_EQ(x.t->nr_groups, 2);
	restore(&x);
	CHECK_EQ(differences(&x, MNTCR_VERIFY_ORDER), 0);
	tree = mntcr_restored_detached_fd(x.r, 1);
	/* as long as it is detached, nothing propagates into it */
	w_mkdir("/tmp/here");
	REQUIRE(!mc_move_mount(tree, "", AT_FDCWD, "/tmp/here", MOVE_MOUNT_F_EMPTY_PATH));
	CHECK(!is_mounted(tree, "peer/on") && !is_mounted(tree, "slave/on"));
	CHECK_EQ(world_in(mntcr_restored_ns_fd(x.r, 0), mount_at, "/both/on"), 0);
	CHECK(is_mounted(tree, "peer/on") && !is_mounted(tree, "slave/on"));
	CHECK_EQ(world_in(mntcr_restored_ns_fd(x.r, 0), mount_at, "/master/on"), 0);
	CHECK(is_mounted(tree, "slave/on"));
	CHECK(!umount2("/tmp/here", MNT_DETACH));
	over(&x);
	world_close(&w);
	nothing_left();
}

/* What comes to the copy that is read was not in the tree. */
static void mounted_meanwhile(void)
{
	struct world w = { .nr = 0 };
	struct mntcr_topology *t = NULL;
	struct trip x = { 0 };
	int tree;

	need_calls();
	world_add(&w, -1, shared_ns);
	tree = clone_of(w.ns[0], "both", MS_SHARED);
	add_tree(&x, tree);
	CHECK_EQ(world_in(w.ns[0], mount_at, "/both/on"), 0);
	CHECK_EQ(mntcr_capture(x.src, x.nr, NULL, &t, &e), -1);
	CHECK_EQ(e.code, MNTCR_CHANGED);
	CHECK(!t);
	close(tree);
	over(&x);
	world_close(&w);
	nothing_left();
}

static int unmount_at(void *path)
{
	return umount2(path, MNT_DETACH) ? errno : 0;
}

static void shared_and_mounted_ns(void)
{
	shared_ns();
	w_mkdir("/both/other");
	w_tmpfs("other", "/both/other");
}

/* As many as there were, but others. */
static void mounted_for_another(void)
{
	const struct mc_mount_attr shared = { .propagation = MS_SHARED };
	struct mntcr_capture_options co = { .size = sizeof(co) };
	struct mntcr_topology *t = NULL;
	struct world w = { .nr = 0 };
	struct trip x = { 0 };
	int tree, root;

	need_calls();
	world_add(&w, -1, shared_and_mounted_ns);
	root = mc_ns_mnt_open(w.ns[0], MC_NS_MNT_OPEN_ROOT);
	REQUIRE(root >= 0);
	tree = mc_open_tree_attr(root, "both", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
				 OPEN_TREE_FOREIGN | AT_RECURSIVE, &shared,
				 MC_MOUNT_ATTR_SIZE_VER0);
	close(root);
	REQUIRE(tree >= 0);
	add_tree(&x, tree);
	CHECK_EQ(world_in(w.ns[0], mount_at, "/both/on"), 0);
	CHECK_EQ(world_in(w.ns[0], unmount_at, "/both/other"), 0);
	CHECK_EQ(mntcr_capture(x.src, x.nr, NULL, &t, &e), -1);
	CHECK_EQ(e.code, MNTCR_CHANGED);
	co.method = MNTCR_METHOD_MOUNTINFO;
	CHECK_EQ(mntcr_capture(x.src, x.nr, &co, &t, &e), -1);
	CHECK_EQ(e.code, MNTCR_CHANGED);
	CHECK(!t);
	close(tree);
	over(&x);
	world_close(&w);
	nothing_left();
}

/* Nothing propagates into it, whenever it is grouped. */
static void mounted_while_built(void)
{
	struct mntcr_stages *s = NULL;
	struct world w = { .nr = 0 };
	struct trip x = { 0 };
	int tree;

	need_calls();
	world_add(&w, -1, shared_ns);
	tree = clone_of(w.ns[0], "both", MS_SHARED);
	add_ns(&x, w.ns[0]);
	add_tree(&x, tree);
	dump(&x);
	close(tree);
	REQUIRE(fine(mntcr_stages_begin(x.t, &x.o, NULL, &s, &e)));
	REQUIRE(fine(mntcr_stages_place(s, &e)));
	REQUIRE(fine(mntcr_stages_share(s, &e)));
	CHECK_EQ(world_in(mntcr_stages_ns_fd(s, 0), mount_at, "/both/on"), 0);
	REQUIRE(fine(mntcr_stages_end(s, &x.r, &e)));
	mntcr_stages_free(s);
	CHECK(!is_mounted(mntcr_restored_detached_fd(x.r, 1), "on"));
	over(&x);
	world_close(&w);
	nothing_left();
}

/* Two trees, and what one has on its root and locked. */
static void locked_and_covered(void)
{
	struct mc_mount_attr lock = { .lock_set = MOUNT_LOCK_MOUNT };
	struct trip x = { 0 };
	int first, second, over_it;

	need_calls();
	first = new_tree();
	over_it = new_tmpfs("cover");
	file(over_it, "file", "of the cover");
	REQUIRE(!mc_move_mount(over_it, "", first, "", MOVE_MOUNT_F_EMPTY_PATH |
			       MOVE_MOUNT_T_EMPTY_PATH));
	REQUIRE(!mc_mount_setattr(over_it, "", AT_EMPTY_PATH, &lock,
				  MC_MOUNT_ATTR_SIZE_VER1));
	close(over_it);
	second = new_tmpfs("second");
	add_tree(&x, first);
	add_tree(&x, second);
	dump(&x);
	close(first);
	close(second);
	CHECK_EQ(x.t->ns[0].nr_mounts, 5);
	CHECK_EQ(x.t->ns[1].nr_mounts, 1);
	restore(&x);
	CHECK_EQ(differences(&x, MNTCR_VERIFY_ORDER), 0);
	/* below the cover: what the descriptor is of */
	CHECK(reads(mntcr_restored_detached_fd(x.r, 0), "file", "of the first"));
	over(&x);
	nothing_left();
}

static void with_few_descriptors(void)
{
	struct trip x = { 0 };
	char name[16];
	int fd, i;

	need_calls();
	fd = new_tmpfs("root");
	for (i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "%d", i);
		REQUIRE(!mkdirat(fd, name, 0755));
		put(new_tmpfs(name), fd, name);
	}
	add_tree(&x, fd);
	dump(&x);
	close(fd);
	x.o.fd_limit = mc_fd_count() + 120;
	restore(&x);
	x.o.fd_limit = 0;
	CHECK_EQ(differences(&x, MNTCR_VERIFY_ORDER), 0);
	over(&x);
	nothing_left();
}

static void in_stages(void)
{
	struct mntcr_stages *s = NULL;
	struct trip x = { 0 };
	int fd;

	dump_new_tree(&x);
	REQUIRE(fine(mntcr_stages_begin(x.t, &x.o, NULL, &s, &e)));
	REQUIRE(fine(mntcr_stages_place(s, &e)));
	CHECK_EQ(mntcr_stages_ns_fd(s, 0), -1);
	REQUIRE(fine(mntcr_stages_share(s, &e)));
	REQUIRE(fine(mntcr_stages_end(s, &x.r, &e)));
	mntcr_stages_free(s);
	CHECK_EQ(differences(&x, MNTCR_VERIFY_ORDER), 0);
	over(&x);
	nothing_left();
	/* given up: nothing is left of it */
	x = (struct trip){ 0 };
	fd = new_tree();
	add_tree(&x, fd);
	dump(&x);
	close(fd);
	REQUIRE(fine(mntcr_stages_begin(x.t, &x.o, NULL, &s, &e)));
	REQUIRE(fine(mntcr_stages_place(s, &e)));
	REQUIRE(fine(mntcr_stages_share(s, &e)));
	mntcr_stages_free(s);
	over(&x);
	nothing_left();
}

static void is_refused(int64_t pid, int fd, enum mntcr_code code, const char *rule)
{
	struct mntcr_detached *d = (struct mntcr_detached *)&e;

	CHECK_EQ(mntcr_detached_open(pid, fd, &d, &e), -1);
	CHECK_EQ(e.code, code);
	CHECK_STR(e.rule, rule);
	CHECK(!d);
}

static void *a_thread(void *data)
{
	(void)data;
	is_refused(syscall(SYS_gettid), 0, MNTCR_REFUSED, "not-detached");
	CHECK(strstr(e.text, "is a thread"));
	return NULL;
}

static void what_is_no_tree(void)
{
	int pipefd[2], fd, holder, below;

	need_calls();
	fd = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	is_refused(0, fd, MNTCR_REFUSED, "not-detached");
	close(fd);
	REQUIRE(!pipe2(pipefd, O_CLOEXEC));
	is_refused(0, pipefd[0], MNTCR_REFUSED, "not-detached");
	close(pipefd[0]);
	close(pipefd[1]);
	is_refused(0, NO_FD, MNTCR_REFUSED, "not-detached");
	is_refused(getpid(), NO_FD, MNTCR_REFUSED, "not-detached");
	CHECK(strstr(e.text, "no such descriptor"));
	is_refused(INT32_MAX, 0, MNTCR_REFUSED, "not-detached");
	CHECK(strstr(e.text, "no such process"));
	REQUIRE(!mc_in_thread(a_thread, NULL));
	is_refused(-1, 0, MNTCR_USAGE, "");
	/* not its root, and not that of its mount */
	holder = new_tree();
	below = openat(holder, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
	is_refused(0, below, MNTCR_REFUSED, "not-detached");
	CHECK(strstr(e.text, "is on another one"));
	close(below);
	below = openat(holder, "file", O_PATH | O_CLOEXEC);
	is_refused(0, below, MNTCR_REFUSED, "not-detached");
	CHECK(strstr(e.text, "not the root of its mount"));
	/* it is dissolved with the descriptor that has made it */
	close(holder);
	is_refused(0, below, MNTCR_REFUSED, "not-detached");
	close(below);
	nothing_left();
}

static int trees_fd;

/* Whoever has less power than a process may not take what it has open. */
static void without_tracing(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2];

	REQUIRE(!syscall(SYS_capget, &h, caps));
	caps[0].effective &= ~(1U << CAP_SYS_PTRACE);
	caps[0].permitted &= ~(1U << CAP_SYS_PTRACE);
	REQUIRE(!syscall(SYS_capset, &h, caps));
	is_refused(getppid(), trees_fd, MNTCR_REFUSED, "detached-out-of-reach");
	CHECK(strstr(e.text, "would help: CAP_SYS_PTRACE"));
}

/* And whoever has none where it was made may not copy it. */
static void in_a_user_namespace(void)
{
	in_child_own_user_ns();
	is_refused(0, trees_fd, MNTCR_REFUSED, "detached-out-of-reach");
	CHECK(strstr(e.text, "would help: CAP_SYS_ADMIN"));
}

static void what_is_out_of_reach(void)
{
	need_calls();
	trees_fd = new_tree();
	in_child(without_tracing);
	in_child(in_a_user_namespace);
	close(trees_fd);
	nothing_left();
}

static void what_cannot_be_copied(void)
{
	struct mc_mount_attr attr = { .propagation = MS_UNBINDABLE };
	int tree, child, top;

	need_calls();
	tree = new_tree();
	child = openat(tree, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
	REQUIRE(!mc_mount_setattr(child, "", AT_EMPTY_PATH, &attr, MC_MOUNT_ATTR_SIZE_VER0));
	close(child);
	is_refused(0, tree, MNTCR_REFUSED, "detached-unbindable");
	CHECK(strstr(e.text, "a mount of it"));
	REQUIRE(!mc_mount_setattr(tree, "", AT_EMPTY_PATH, &attr, MC_MOUNT_ATTR_SIZE_VER0));
	is_refused(0, tree, MNTCR_REFUSED, "detached-unbindable");
	CHECK(strstr(e.text, "its root"));
	close(tree);
	tree = new_tree();
	/* the file of a namespace that is older than any that could hold it */
	w_touch("/tmp/ns");
	child = wd_own_ns_fd();
	top = mc_open_tree(child, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	REQUIRE(top >= 0);
	close(child);
	child = mc_move_mount(top, "", tree, "file", MOVE_MOUNT_F_EMPTY_PATH);
	close(top);
	CHECK_ERRNO(child, ELOOP);
	close(tree);
	nothing_left();
}

/* With stock calls it is refused before anything is made. */
static void with_stock_calls(void)
{
	struct trip x = { 0 };

	dump_new_tree(&x);
	x.o.api = MNTCR_API_UPSTREAM;
	CHECK_EQ(mntcr_restore(x.t, &x.o, &x.r, &e), -1);
	CHECK_EQ(e.code, MNTCR_REFUSED);
	CHECK_STR(e.rule, "detached-tree");
	over(&x);
	nothing_left();
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	world_start();
	TAP_RUN(what_it_takes);
	TAP_RUN(a_tree_of_its_own);
	TAP_RUN(from_who_has_it);
	TAP_RUN(what_would_help);
	TAP_RUN(no_events_in_it);
	TAP_RUN(by_mountinfo);
	TAP_RUN(a_file);
	TAP_RUN(a_file_with_few_descriptors);
	TAP_RUN(unbindable);
	TAP_RUN(unbindable_with_few_descriptors);
	TAP_RUN(two_descriptors);
	TAP_RUN(too_many_descriptors);
	TAP_RUN(what_is_no_copy);
	TAP_RUN(it_can_be_attached);
	TAP_RUN(shared_with_a_namespace);
	TAP_RUN(mounted_meanwhile);
	TAP_RUN(mounted_for_another);
	TAP_RUN(mounted_while_built);
	TAP_RUN(locked_and_covered);
	TAP_RUN(with_few_descriptors);
	TAP_RUN(in_stages);
	TAP_RUN(what_is_no_tree);
	TAP_RUN(what_is_out_of_reach);
	TAP_RUN(what_cannot_be_copied);
	TAP_RUN(with_stock_calls);
	return tap_done();
}
