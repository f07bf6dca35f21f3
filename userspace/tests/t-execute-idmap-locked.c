// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * As systemd-nspawn leaves it: a container's root is an idmapped mount, and what is on
 * it is locked, since its user namespace got the mounts from above.  No live mount with
 * that idmap can be cloned alone.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "idmap-userns.h"
#include "mntcr-restore.h"
#include "topology/topology.h"
#include "extended.h"
#include "inner.h"
#include "tap.h"

#define OWNED	100000

static struct mntcr_error e;

static void say(void *data, const char *line)
{
	TAP_SAY("verify: %s", line);
}

/* In the mount namespace that is made for it first, by the host's power. */
static int do_container(void *data)
{
	int user = open(data, O_RDONLY | O_CLOEXEC);

	if (idmap_onto(user, SCENE_DIR "/disk", SCENE_DIR "/at") ||
	    chdir(SCENE_DIR "/at") ||
	    mount("run", "run", "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,uid=100000,gid=100000") ||
	    mount("/dev/null", "null", NULL, MS_BIND, NULL) ||
	    syscall(SYS_pivot_root, ".", "old") || umount2("/old", MNT_DETACH) ||
	    setns(user, CLONE_NEWUSER) || unshare(CLONE_NEWNS))
		return errno;
	return 0;
}

/* Another that has nothing but the disk, without the idmap. */
static int do_disk(void *data)
{
	if (chdir(SCENE_DIR "/disk") || syscall(SYS_pivot_root, ".", "old") ||
	    umount2("/old", MNT_DETACH))
		return errno;
	return 0;
}

static struct holder users, container;

static void set_up(void)
{
	static char path[64];

	if (!has_extended())
		SKIP("this kernel has no mount_setgroup(2)");
	scene_enter();
	scene_mkdir("disk");
	scene_mkdir("at");
	scene_tmpfs("disk", "disk");
	scene_mkdir("disk/run");
	scene_mkdir("disk/old");
	scene_touch("disk/null");
	scene_touch("disk/f");
	REQUIRE(!chown("disk/f", 7, 8));
	users = scene_hold(CLONE_NEWUSER, NULL, NULL);
	write_of(users.pid, "uid_map", "0 100000 65536");
	write_of(users.pid, "gid_map", "0 100000 65536");
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)users.pid);
	container = scene_hold(CLONE_NEWNS, do_container, path);
}

static void tear_down(void)
{
	scene_release(&container);
	scene_release(&users);
}

static struct mntcr_topology *captured(const struct mntcr_source *src, size_t nr)
{
	struct mntcr_topology *t = NULL;
	uint32_t root;

	if (mntcr_capture(src, nr, NULL, &t, &e))
		TAP_SAY("capture: %s", e.text);
	REQUIRE(t);
	root = t->ns[0].root;
	CHECK(t->mounts[root].idmap != MC_NONE);
	CHECK(mc_has_locked_child(t, root));
	return t;
}

static void restored(const struct mntcr_topology *t, const struct mntcr_restore_options *o)
{
	struct mntcr_verify_options v = { .size = sizeof(v), .report = say };
	struct mntcr_source src[2];
	struct mntcr_restored *r = NULL;
	struct mntcr_topology *back;
	struct stat st;
	size_t nr = 1, i;

	if (mntcr_restore(t, o, &r, &e))
		TAP_SAY("restore: %s [%s]", e.text, e.rule);
	REQUIRE(r);
	for (i = 0; i < t->nr_ns; i++)
		src[i] = (struct mntcr_source){
			.type = MNTCR_SOURCE_FD, .fd = mntcr_restored_ns_fd(r, i),
		};
	back = captured(src, t->nr_ns);
	REQUIRE(!mntcr_verify(t, back, &v, &nr, &e));
	CHECK_EQ(nr, 0);
	REQUIRE(!fstatat(mntcr_restored_mount_fd(r, 0, t->mounts[t->ns[0].root].id), "f",
			 &st, 0));
	CHECK_EQ(st.st_uid, OWNED + 7);
	CHECK_EQ(st.st_gid, OWNED + 8);
	mntcr_topology_free(back);
	mntcr_restored_free(r);
}

/* What it was cloned from is the host's, which has it at a path. */
static void with_its_disk(void)
{
	struct mntcr_source src = { .type = MNTCR_SOURCE_FD };
	struct mntcr_external disk = { .path = SCENE_DIR "/disk" };
	struct mntcr_restore_options o = {
		.size = sizeof(o), .api = MNTCR_API_EXTENDED, .keep_fds = true,
		.sources = &src, .nr_sources = 1,
	};
	struct mntcr_restored *r = NULL;
	struct mntcr_topology *t;
	const struct mc_sb *sb;
	char key[32];

	set_up();
	src.fd = container.ns;
	t = captured(&src, 1);
	CHECK_EQ(mntcr_restore(t, &o, &r, &e), -1);
	CHECK_EQ(e.code, MNTCR_REFUSED);
	CHECK_STR(e.rule, "idmapped-source");
	CHECK(strstr(e.text, "with locked mounts on it"));
	sb = &t->sbs[t->mounts[t->ns[0].root].sb];
	snprintf(key, sizeof(key), "%u:%u", sb->major, sb->minor);
	CHECK(strstr(e.text, "--external"));
	disk.key = key;
	o.externals = &disk;
	o.nr_externals = 1;
	restored(t, &o);
	mntcr_topology_free(t);
	tear_down();
}

/* A mount without the idmap is live, in another namespace of the image. */
static void with_a_mount_of_it(void)
{
	struct mntcr_source src[2] = {
		{ .type = MNTCR_SOURCE_FD }, { .type = MNTCR_SOURCE_FD },
	};
	struct mntcr_restore_options o = {
		.size = sizeof(o), .api = MNTCR_API_EXTENDED, .keep_fds = true,
		.sources = src, .nr_sources = 2,
	};
	struct mntcr_topology *t;
	struct holder plain;

	set_up();
	plain = scene_hold(CLONE_NEWNS, do_disk, NULL);
	src[0].fd = container.ns;
	src[1].fd = plain.ns;
	t = captured(src, 2);
	restored(t, &o);
	mntcr_topology_free(t);
	scene_release(&plain);
	tear_down();
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	TAP_RUN(with_its_disk);
	TAP_RUN(with_a_mount_of_it);
	return tap_done();
}
