// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What kind of file roots of mounts are, and what mounts are on: both methods
 * see it, an image keeps it, verify compares it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <limits.h>
#include <sys/sysmacros.h>

#include "base/base.h"
#include "image/image.h"
#include "image-text.h"
#include "method.h"
#include "scene.h"

static const enum mntcr_method methods[] = {
	MNTCR_METHOD_STATMOUNT, MNTCR_METHOD_MOUNTINFO,
};

static struct mntcr_topology *capture(enum mntcr_method method)
{
	struct mntcr_source self = { .type = MNTCR_SOURCE_PID, .pid = getpid() };
	struct mntcr_capture_options opts = {
		.size = sizeof(opts), .method = method,
	};
	struct mntcr_topology *t = NULL;
	struct mntcr_error e;

	if (mntcr_capture(&self, 1, &opts, &t, &e)) {
		TAP_SAY("capture: %s [%s]", e.text, e.rule);
		/* the other one is there on every kernel */
		REQUIRE(method == MNTCR_METHOD_STATMOUNT &&
			e.code == MNTCR_UNSUPPORTED);
	}
	return t;
}

static const struct mc_mount *at(const struct mntcr_topology *t, const char *name)
{
	char path[64];
	uint32_t m;

	snprintf(path, sizeof(path), SCENE_DIR "/%s", name);
	m = mc_mount_at(t, 0, path);
	if (m == MC_NONE)
		TAP_SAY("no mount at %s", path);
	REQUIRE(m != MC_NONE);
	return &t->mounts[m];
}

static void is(const struct mc_file *f, mode_t mode, uid_t uid, gid_t gid,
	       unsigned int maj, unsigned int min)
{
	CHECK_EQ(f->mode, mode);
	CHECK_EQ(f->uid, uid);
	CHECK_EQ(f->gid, gid);
	CHECK_EQ(f->major, maj);
	CHECK_EQ(f->minor, min);
}

static void node(const char *name, mode_t mode, dev_t dev, uid_t uid, gid_t gid)
{
	if (S_ISDIR(mode))
		REQUIRE(!mkdir(name, 0700));
	else
		REQUIRE(!mknod(name, mode & S_IFMT, dev));
	REQUIRE(!chown(name, uid, gid) && !chmod(name, mode & 07777));
}

/* By descriptor: mount(2) would follow it. */
static void bind_itself(const char *from, const char *to)
{
	int fd = mc_open_tree(AT_FDCWD, from, OPEN_TREE_CLONE |
			      OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);

	REQUIRE(fd >= 0);
	REQUIRE(!mc_move_mount(fd, "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH));
	close(fd);
}

/* Through more bytes than openat2(2) takes at once. */
static void a_long_way(void)
{
	const struct mc_mount *m;
	struct mntcr_topology *t;
	char name[251];
	size_t i;
	uint32_t k;

	memset(name, 'x', 250);
	name[250] = '\0';
	scene_enter();
	for (i = 0; i < 20; i++) {
		node(name, S_IFDIR | 0755, 0, 0, 0);
		REQUIRE(!chdir(name));
	}
	node("file", S_IFREG | 0640, 0, 1, 2);
	node("on", S_IFREG | 0604, 0, 3, 4);
	bind_itself("file", "on");
	for (i = !has_statmount(); i < MC_ARRAY_SIZE(methods); i++) {
		t = capture(methods[i]);
		if (!t)
			continue;
		for (k = 0; k < t->nr_mounts && strlen(t->mounts[k].mountpoint) < PATH_MAX; k++)
			;
		REQUIRE(k < t->nr_mounts);
		m = &t->mounts[k];
		CHECK_EQ(m->mp_type, MC_MP_OTHER);
		is(&m->root_file, S_IFREG | 0640, 1, 2, 0, 0);
		is(&m->mp_file, S_IFREG | 0604, 3, 4, 0, 0);
		mntcr_topology_free(t);
	}
}

/* One of each type as a root, and below another one. */
static void all_types(void)
{
	const struct mc_mount *m;
	struct mntcr_topology *t, *u;
	struct mntcr_error e;
	size_t i, nr = 1;
	char *text;

	scene_enter();
	node("null", S_IFCHR | 0666, makedev(1, 3), 3, 4);
	node("loop", S_IFBLK | 0640, makedev(7, 300), 0, 6);
	node("fifo", S_IFIFO | 0600, 0, 0, 0);
	node("sock", S_IFSOCK | 0755, 0, 5, 5);
	node("file", S_IFREG | 06711, 0, 1, 2);
	node("closed", S_IFDIR | 0, 0, 70000, 80000);
	node("tmp", S_IFDIR | 01777, 0, 0, 0);
	REQUIRE(!symlink("/some/where\n", "link") && !symlink("x", "link2"));
	bind_itself("null", "file");
	bind_itself("loop", "fifo");
	bind_itself("link", "sock");
	bind_itself("sock", "null");
	bind_itself("fifo", "loop");
	bind_itself("file", "link2");
	bind_itself("tmp", "closed");
	for (i = !has_statmount(); i < MC_ARRAY_SIZE(methods); i++) {
		t = capture(methods[i]);
		if (!t)
			continue;
		m = at(t, "file");
		is(&m->root_file, S_IFCHR | 0666, 3, 4, 1, 3);
		is(&m->mp_file, S_IFREG | 06711, 1, 2, 0, 0);
		CHECK_EQ(m->mp_type, MC_MP_OTHER);
		m = at(t, "fifo");
		is(&m->root_file, S_IFBLK | 0640, 0, 6, 7, 300);
		is(&m->mp_file, S_IFIFO | 0600, 0, 0, 0, 0);
		m = at(t, "sock");
		is(&m->root_file, S_IFLNK | 0777, 0, 0, 0, 0);
		CHECK_STR(m->root_file.target, "/some/where\n");
		is(&m->mp_file, S_IFSOCK | 0755, 5, 5, 0, 0);
		is(&at(t, "null")->mp_file, S_IFCHR | 0666, 3, 4, 1, 3);
		is(&at(t, "loop")->mp_file, S_IFBLK | 0640, 0, 6, 7, 300);
		m = at(t, "link2");
		is(&m->mp_file, S_IFLNK | 0777, 0, 0, 0, 0);
		CHECK_STR(m->mp_file.target, "x");
		m = at(t, "closed");
		is(&m->mp_file, S_IFDIR, 70000, 80000, 0, 0);
		is(&m->root_file, S_IFDIR | 01777, 0, 0, 0, 0);
		CHECK_EQ(m->mp_type, MC_MP_DIR);
		/* All of it is in an image. */
		text = printed(t);
		REQUIRE(!mc_image_parse(text, strlen(text), "x", &u, &e));
		free(text);
		CHECK(!mntcr_verify(t, u, NULL, &nr, &e) && !nr);
		m = at(u, "sock");
		is(&m->root_file, S_IFLNK | 0777, 0, 0, 0, 0);
		CHECK_STR(m->root_file.target, "/some/where\n");
		is(&at(u, "loop")->mp_file, S_IFBLK | 0640, 0, 6, 7, 300);
		mntcr_topology_free(u);
		mntcr_topology_free(t);
	}
}

/* There is room for a megabyte of where they lead; those before are not lost for it. */
static void more_links_than_there_is_room_for(void)
{
	char target[4001] = { 0 }, name[16];
	struct mntcr_topology *t;
	uint32_t i, nr, known;
	size_t k;

	scene_enter();
	node("file", S_IFREG | 0644, 0, 0, 0);
	memset(target, 't', sizeof(target) - 1);
	for (i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "l%u", i);
		REQUIRE(!symlink(target, name));
		bind_itself("file", name);
	}
	for (k = !has_statmount(); k < MC_ARRAY_SIZE(methods); k++) {
		t = capture(methods[k]);
		if (!t)
			continue;
		for (i = nr = known = 0; i < t->nr_mounts; i++) {
			nr += t->mounts[i].mountpoint[1] == 'l' ||
			      strstr(t->mounts[i].mountpoint, "/l");
			if (!t->mounts[i].mp_file.target)
				continue;
			known++;
			CHECK_STR(t->mounts[i].mp_file.target, target);
		}
		CHECK(nr >= 300);
		TAP_SAY("%u of %u known", known, nr);
		CHECK(known >= 250 && known < 300);
		mntcr_topology_free(t);
	}
}

/* Neither is looked at: the one below shows what it is on, on some kernels. */
static void over_one_another(void)
{
	const struct mc_mount *m, *below;
	struct mntcr_topology *t;
	bool by_id;

	scene_enter();
	by_id = mc_opens_by_id();
	node("d", S_IFDIR | 0500, 0, 9, 9);
	scene_tmpfs("d", "below");
	REQUIRE(!chmod("d", 0111));
	node("d/hidden", S_IFDIR | 0123, 0, 0, 0);
	scene_tmpfs("d/hidden", "hidden");
	scene_tmpfs("d", "above");
	REQUIRE(!chmod("d", 0222));
	t = capture(MNTCR_METHOD_AUTO);
	m = at(t, "d");
	CHECK_STR(mc_mount_source(t, m), "above");
	is(&m->root_file, S_IFDIR | 0222, 0, 0, 0, 0);
	CHECK_EQ(m->mp_file.mode, 0);
	below = &t->mounts[m->parent];
	CHECK_STR(mc_mount_source(t, below), "below");
	is(&below->mp_file, S_IFDIR | 0500, 9, 9, 0, 0);
	CHECK_EQ(below->root_file.mode, by_id ? S_IFDIR | 0111 : 0);
	for (m = t->mounts; strcmp(mc_mount_source(t, m), "hidden"); m++)
		REQUIRE(m + 1 < t->mounts + t->nr_mounts);
	CHECK_EQ(m->mp_file.mode, by_id ? S_IFDIR | 0123 : 0);
	mntcr_topology_free(t);
}

/* Nothing is known where no clone can be had, and that is no failure. */
static void what_cannot_be_read(void)
{
	struct mntcr_topology *t;
	const struct mc_mount *m;
	size_t i;

	scene_enter();
	scene_mkdir("u");
	scene_tmpfs("u", "u");
	node("u/d", S_IFDIR | 0711, 0, 0, 0);
	scene_tmpfs("u/d", "d");
	scene_type("u", MS_UNBINDABLE);
	for (i = !has_statmount(); i < MC_ARRAY_SIZE(methods); i++) {
		t = capture(methods[i]);
		if (!t)
			continue;
		m = at(t, "u/d");
		CHECK_EQ(m->mp_file.mode, 0);
		is(&m->root_file, S_IFDIR | 0755, 0, 0, 0, 0);
		CHECK_EQ(at(t, "u")->mp_file.mode, S_IFDIR | 0755);
		mntcr_topology_free(t);
	}
}

/* An id that is not mapped is none; the others are as seen from there. */
static int in_user_namespace(void *data)
{
	struct mntcr_topology *t;
	const struct mc_mount *m;
	int fd;

	if (setjmp(tap.out))
		return 1;
	fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	REQUIRE(fd >= 0 && write(fd, "0 0 1", 5) == 5);
	close(fd);
	fd = open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);
	REQUIRE(fd >= 0 && write(fd, "deny", 4) == 4);
	close(fd);
	fd = open("/proc/self/gid_map", O_WRONLY | O_CLOEXEC);
	REQUIRE(fd >= 0 && write(fd, "0 0 1", 5) == 5);
	close(fd);
	t = capture(MNTCR_METHOD_AUTO);
	m = at(t, "d");
	is(&m->root_file, S_IFDIR | 0755, MC_NO_ID, 0, 0, 0);
	m = at(t, "e");
	is(&m->root_file, S_IFDIR | 0750, 0, MC_NO_ID, 0, 0);
	mntcr_topology_free(t);
	return tap.bad;
}

static void ids_are_the_dumpers(void)
{
	struct holder h;

	scene_enter();
	scene_mkdir("d");
	scene_mkdir("e");
	scene_tmpfs("d", "d");
	scene_tmpfs("e", "e");
	REQUIRE(!chown("d", 5, 0) && !chown("e", 0, 12) && !chmod("e", 0750));
	h = scene_hold(CLONE_NEWUSER | CLONE_NEWNS, in_user_namespace, NULL);
	scene_release(&h);
}

/* A look leaves nothing, and nobody else sees it. */
static void nothing_is_left(void)
{
	struct mntcr_topology *a, *b;
	struct mntcr_error e;
	size_t nr = 1;
	uint32_t i;

	scene_enter();
	scene_type(".", MS_SHARED);
	scene_mkdir("d");
	scene_tmpfs("d", "d");
	a = capture(MNTCR_METHOD_AUTO);
	for (i = 0; i < 20; i++) {
		b = capture(MNTCR_METHOD_AUTO);
		CHECK_EQ(b->nr_mounts, a->nr_mounts);
		REQUIRE(!mntcr_verify(a, b, NULL, &nr, &e));
		CHECK_EQ(nr, 0);
		mntcr_topology_free(b);
	}
	mntcr_topology_free(a);
	/* no clone keeps it busy */
	REQUIRE(!umount("d") && !rmdir("d"));
}

/* Names in proc are revalidated, so the dentry cache alone does not lead there. */
static void what_is_below_proc(void)
{
	struct mntcr_topology *t;
	size_t i;

	scene_enter();
	node("closed", S_IFDIR | 0, 0, 0, 0);
	node("chr", S_IFCHR | 0, makedev(1, 3), 7, 8);
	scene_mkdir("proc");
	REQUIRE(!mount("proc", "proc", "proc", 0, NULL));
	scene_bind("closed", "proc/sys");
	scene_bind("chr", "proc/version");
	/* shown nowhere else */
	scene_tmpfs("proc/fs", "fs");
	node("proc/fs/sub", S_IFDIR | 0311, 0, 9, 0);
	scene_tmpfs("proc/fs/sub", "sub");
	REQUIRE(!chmod("proc/fs", 0500) && !chmod("proc/fs/sub", 0));
	for (i = !has_statmount(); i < MC_ARRAY_SIZE(methods); i++) {
		t = capture(methods[i]);
		if (!t)
			continue;
		is(&at(t, "proc/sys")->root_file, S_IFDIR, 0, 0, 0, 0);
		CHECK_EQ(at(t, "proc/sys")->mp_type, MC_MP_DIR);
		is(&at(t, "proc/version")->root_file, S_IFCHR, 7, 8, 1, 3);
		CHECK_EQ(at(t, "proc/version")->mp_type, MC_MP_OTHER);
		CHECK(S_ISREG(at(t, "proc/version")->mp_file.mode));
		is(&at(t, "proc/fs")->root_file, S_IFDIR | 0500, 0, 0, 0, 0);
		is(&at(t, "proc/fs/sub")->root_file, S_IFDIR, 0, 0, 0, 0);
		is(&at(t, "proc/fs/sub")->mp_file, S_IFDIR | 0311, 9, 0, 0, 0);
		mntcr_topology_free(t);
	}
}

int main(void)
{
	TAP_RUN(all_types);
	TAP_RUN(a_long_way);
	TAP_RUN(more_links_than_there_is_room_for);
	TAP_RUN(over_one_another);
	TAP_RUN(what_is_below_proc);
	TAP_RUN(what_cannot_be_read);
	TAP_RUN(ids_are_the_dumpers);
	TAP_RUN(nothing_is_left);
	return tap_done();
}
