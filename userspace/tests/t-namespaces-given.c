// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Files of namespaces that nobody makes for a restore, uts, time and cgroup: they are
 * given by their name, or refused with it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "mntcr-restore.h"
#include "plan/plan.h"
#include "topology/topology.h"
#include "scene.h"
#include "tap.h"

static struct mntcr_error e;

static ino_t ino_of(int fd)
{
	struct stat st;

	return fd < 0 || fstat(fd, &st) ? 0 : st.st_ino;
}

/* A tmpfs with the file of that namespace, twice, and nothing else. */
static int do_bind(void *data)
{
	const char *file = data;

	if (unshare(CLONE_NEWNS) || mount("files", SCENE_DIR, "tmpfs", 0, NULL) ||
	    chdir(SCENE_DIR) || mkdir("old", 0700) ||
	    mknod("a", S_IFREG, 0) || mknod("b", S_IFREG, 0) ||
	    mount(file, "a", NULL, MS_BIND, NULL) || mount(file, "b", NULL, MS_BIND, NULL) ||
	    syscall(SYS_pivot_root, ".", "old") || umount2("/old", MNT_DETACH))
		return errno;
	return 0;
}

static struct mntcr_topology *captured(int ns)
{
	const struct mntcr_source src = { .type = MNTCR_SOURCE_FD, .fd = ns };
	struct mntcr_topology *t = NULL;

	if (mntcr_capture(&src, 1, NULL, &t, &e))
		TAP_SAY("capture: %s", e.text);
	REQUIRE(t && t->nr_mounts == 3);
	return t;
}

/* It is another one: who knows that it was given takes it for the same, in all mounts. */
static void stands_for_it(const struct mntcr_topology *t, const struct mntcr_restored *r)
{
	struct mntcr_verify_options v = { .size = sizeof(v) };
	struct mntcr_topology *got = captured(mntcr_restored_ns_fd(r, 0));
	size_t nr;

	CHECK(!mntcr_verify(t, got, &v, &nr, &e));
	CHECK_EQ(nr, 2);
	v.flags = MNTCR_VERIFY_GIVEN_NAMESPACES;
	CHECK(!mntcr_verify(t, got, &v, &nr, &e));
	CHECK_EQ(nr, 0);
	got->mounts[2].nsfs_ino++;
	CHECK(!mntcr_verify(t, got, &v, &nr, &e));
	CHECK_EQ(nr, 1);
	mntcr_topology_free(got);
}

/* file: in /proc/PID/ns, where it is not called as its type is. */
static void restored(const char *type, const char *file, unsigned long flag,
		     enum mntcr_api api)
{
	struct mntcr_external given[2];
	struct mntcr_restore_options o = {
		.size = sizeof(o), .api = api, .keep_fds = true, .externals = given,
	};
	struct holder was, is, other, scene;
	struct mntcr_restored *r = NULL;
	struct mntcr_topology *t;
	char key[64], path[64], wrong[64];
	int fd, i;

	was = scene_hold(flag, NULL, NULL);
	is = scene_hold(flag, NULL, NULL);
	other = scene_hold(CLONE_NEWIPC, NULL, NULL);
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)was.pid, file);
	scene = scene_hold(0, do_bind, path);
	t = captured(scene.ns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(key, sizeof(key), "%s:[%llu]", type, (unsigned long long)ino_of(fd));
	close(fd);
	scene_release(&scene);
	/* not given */
	CHECK_EQ(mntcr_restore(t, &o, &r, &e), -1);
	CHECK_EQ(e.code, MNTCR_REFUSED);
	CHECK_STR(e.rule, "namespace-not-given");
	CHECK(strstr(e.text, key));
	/* of another kind, and no namespace's */
	given[0] = (struct mntcr_external){ .key = key, .path = wrong };
	o.nr_externals = 1;
	for (i = 0; i < 2; i++) {
		if (i)
			strcpy(wrong, "/dev/null");
		else
			snprintf(wrong, sizeof(wrong), "/proc/%d/ns/ipc", (int)other.pid);
		CHECK_EQ(mntcr_restore(t, &o, &r, &e), -1);
		CHECK_STR(e.rule, "external-namespace");
	}
	given[0].path = path;
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)is.pid, file);
	if (mntcr_restore(t, &o, &r, &e))
		TAP_SAY("restore: %s [%s]", e.text, e.rule);
	REQUIRE(r);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	for (i = 1; i < 3; i++)
		CHECK_EQ(ino_of(mntcr_restored_mount_fd(r, 0, t->mounts[i].id)), ino_of(fd));
	close(fd);
	stands_for_it(t, r);
	mntcr_restored_free(r);
	/* twice, and one that nothing is of */
	given[1] = given[0];
	o.nr_externals = 2;
	CHECK_EQ(mntcr_restore(t, &o, &r, &e), -1);
	CHECK_EQ(e.code, MNTCR_USAGE);
	CHECK(strstr(e.text, "given twice"));
	given[1].key = "uts:[7]";
	CHECK_EQ(mntcr_restore(t, &o, &r, &e), -1);
	CHECK_EQ(e.code, MNTCR_USAGE);
	CHECK(strstr(e.text, "no mount of the image is of this namespace's file"));
	given[1].key = "mnt:[7]";
	CHECK_EQ(mntcr_restore(t, &o, &r, &e), -1);
	CHECK(strstr(e.text, "no file of a mount namespace"));
	mntcr_topology_free(t);
	scene_release(&other);
	scene_release(&is);
	scene_release(&was);
}

static void each_type(void)
{
	uint32_t fds;

	scene_enter();
	fds = mc_fd_count();
	restored("uts", "uts", CLONE_NEWUTS, MNTCR_API_AUTO);
	restored("cgroup", "cgroup", CLONE_NEWCGROUP, MNTCR_API_AUTO);
	restored("uts", "uts", CLONE_NEWUTS, MNTCR_API_UPSTREAM);
	/* whoever has made one stays where it was */
	if (!access("/proc/self/ns/time_for_children", F_OK)) {
		restored("time", "time_for_children", CLONE_NEWTIME, MNTCR_API_AUTO);
		restored("time", "time_for_children", CLONE_NEWTIME, MNTCR_API_UPSTREAM);
	}
	CHECK_EQ(mc_fd_count(), fds);
}

/* In stages each mount is waited for, unless the namespace is to be given. */
static void in_stages(void)
{
	static const struct mntcr_given give[] = {
		{ MNTCR_GIVEN_UTS, 7 }, { MNTCR_GIVEN_TIME, 7 }, { MNTCR_GIVEN_CGROUP, 7 },
	};
	static const uint32_t type[] = { CLONE_NEWUTS, CLONE_NEWTIME, CLONE_NEWCGROUP };
	struct mc_plan_options o = { .api = MNTCR_API_EXTENDED, .staged = true };
	struct mntcr_topology *t;
	struct mc_plan *p = NULL;
	struct holder was;
	char path[64];
	struct holder scene;
	size_t i;

	scene_enter();
	was = scene_hold(CLONE_NEWUTS, NULL, NULL);
	snprintf(path, sizeof(path), "/proc/%d/ns/uts", (int)was.pid);
	scene = scene_hold(0, do_bind, path);
	t = captured(scene.ns);
	for (i = 0; i < 3; i++) {
		t->mounts[1].nsfs_type = t->mounts[2].nsfs_type = type[i];
		t->mounts[1].nsfs_ino = t->mounts[2].nsfs_ino = 7;
		o.nr_give = 0;
		REQUIRE(!mc_plan_make(t, &o, &p, &e));
		CHECK_EQ(p->nr_needs, 2);
		CHECK_EQ(p->needs[0].kind, MNTCR_GIVEN_MOUNT);
		mc_plan_free(p);
		o.give = &give[i];
		o.nr_give = 1;
		REQUIRE(!mc_plan_make(t, &o, &p, &e));
		REQUIRE(p->nr_needs == 1);
		CHECK_EQ(p->needs[0].kind, give[i].kind);
		CHECK_EQ(p->needs[0].nr_mounts, 2);
		mc_plan_free(p);
		p = NULL;
		o.give = &give[(i + 1) % 3];
		CHECK_EQ(mc_plan_make(t, &o, &p, &e), -1);
		CHECK_EQ(e.code, MNTCR_USAGE);
		mc_plan_free(p);
	}
	mntcr_topology_free(t);
	scene_release(&scene);
	scene_release(&was);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	TAP_RUN(each_type);
	TAP_RUN(in_stages);
	return tap_done();
}
