// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a restore hands back, and what its caller does not notice of it: whatever
 * happens, nothing is left behind.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <signal.h>
#include <sys/vfs.h>

#include "shot.h"

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
	CHECK_EQ(mntcr_restored_mount_fd(r, 0, UINT64_MAX), -1);
	CHECK_EQ(mntcr_restored_mount_fd(r, 7, s.t->mounts[0].id), -1);
	same(&s, r, MNTCR_VERIFY_DEVICES);
	end(&s, r);
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
	struct shot s = { .o = { .size = sizeof(s.o) } };

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

	REQUIRE(!mntcr_features(before, MNTCR_NR_FEATURES, &e));
	for (i = 0; i < 2; i++) {
		children = 0;
		REQUIRE(!sigaction(SIGCHLD, i ? &note : &ignore, &old));
		mntcr_features(f, MNTCR_NR_FEATURES, &e);
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
	bool extended = has_extended();
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

static const struct shot_test tests[] = {
	{ "a-descriptor-of-each-mount", a_descriptor_of_each_mount },
	{ "namespaces-are-pinned", namespaces_are_pinned },
	{ "the-caller-ends-it", the_caller_ends_it },
	{ "pins-that-are-never-made", pins_that_are_never_made },
	{ "root-and-cwd-stay", root_and_cwd_stay },
	{ "children-are-ours", children_are_ours },
	{ "handlers-run-at-home", handlers_run_at_home },
	{ "api-that-is-there", the_api_that_is_there },
};

int main(int argc, char **argv)
{
	return shot_run(tests, sizeof(tests) / sizeof(tests[0]), argv);
}
