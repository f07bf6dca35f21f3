// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Few descriptors, few namespaces: what a restore takes, and how it fails.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sys/resource.h>

#include "shot.h"

static void too_few_descriptors(void)
{
	struct shot s = shoot(peers);
	struct mntcr_restored *r;
	uint32_t least = 0;

	s.o.fd_limit = 200;
	/* made in pieces: found again by their ids, or paths */
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_DEVICES | MNTCR_VERIFY_ORDER);
	mntcr_restored_free(r);
	s.o.keep_fds = true;
	failed(&s, EMFILE, "too few descriptors");
	s.o.keep_fds = false;
	s.o.fd_limit = 20;
	failed(&s, EMFILE, "too few descriptors");
	/* as many as it says are enough */
	REQUIRE(sscanf(s.e.text, "%*[^0-9]%u at once", &least) == 1);
	CHECK(least > 20 && least < 200);
	s.o.fd_limit = least;
	mntcr_restored_free(restored(&s));
	end(&s, NULL);
}

/* Peers below peers, and slaves of them, in two namespaces. */
static void groups(void)
{
	char path[64], slave[64];
	int i;

	world_new_root();
	w_tmpfs("src", "/src");
	w_mkdir("/src/d");
	w_type("/src", MS_SHARED);
	for (i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "/m%d", i);
		snprintf(slave, sizeof(slave), "/s/%d/e", i);
		w_mkdir(path);
		w_mkdir(slave);
		w_bind("/src", path);
		w_bind(path, slave);
		w_type(slave, MS_SLAVE);
	}
	w_tmpfs("in-all", "/src/d");
}

static void copied(void)
{
}

static void few_descriptors_for_groups(void)
{
	struct mntcr_restored *r;
	struct shot s = { .o = { .size = sizeof(s.o) } };

	need_api();
	world_add(&s.w, -1, groups);
	world_add(&s.w, 0, copied);
	capture_fds(&s.w, s.src, &s.t);
	s.o.api = api;
	s.mounts = world_own_mounts();
	s.fds = world_own_fds();
	s.o.fd_limit = 160;
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_DEVICES | MNTCR_VERIFY_ORDER);
	end(&s, r);
}

static void deep_peers(void)
{
	fill("/d/e/m%d", MS_SHARED);
}

/* One for each that is kept, and not for each step on the way to it. */
static void one_for_each_peer(void)
{
	struct shot s = shoot(deep_peers);

	s.o.batch = 64;
	s.o.fd_limit = (uint32_t)s.fds + MANY + 200;
	s.o.keep_fds = true;
	end(&s, restored(&s));
}

/* The real limit, which the library raises for as long as it needs to. */
static void the_limit_is_raised_and_put_back(void)
{
	struct rlimit old, low = { 64, 64 }, after;
	struct shot s;
	struct mntcr_restored *r;

	s = shoot(peers);
	REQUIRE(!getrlimit(RLIMIT_NOFILE, &old));
	low.rlim_max = old.rlim_max;
	REQUIRE(!setrlimit(RLIMIT_NOFILE, &low));
	r = restored(&s);
	REQUIRE(!getrlimit(RLIMIT_NOFILE, &after));
	CHECK_EQ(after.rlim_cur, 64);
	REQUIRE(!setrlimit(RLIMIT_NOFILE, &old));
	same(&s, r, MNTCR_VERIFY_DEVICES);
	end(&s, r);
}

/* As much is asked for as will be used: by every kind of operation. */
static void within(void (*fn)(void), bool fresh, rlim_t soft, rlim_t hard)
{
	struct rlimit old, low;
	struct shot s = shoot(fn);
	struct mntcr_restored *r;

	s.o.prefer_fresh = s.o.caller_namespaces = fresh;
	/* What is copied into another user namespace is locked. */
	s.o.ignore_locks = hard;
	REQUIRE(!getrlimit(RLIMIT_NOFILE, &old));
	low = (struct rlimit){ soft, hard ? hard : old.rlim_max };
	REQUIRE(!setrlimit(RLIMIT_NOFILE, &low));
	r = restored(&s);
	CHECK(hard || !setrlimit(RLIMIT_NOFILE, &old));
	same(&s, r, (fresh ? MNTCR_VERIFY_IGNORE_SOURCE : MNTCR_VERIFY_DEVICES) |
	     (hard ? MNTCR_VERIFY_IGNORE_LOCKS : 0));
	end(&s, r);
}

static void fresh_deep(void)
{
	char path[64];
	int i;

	world_new_root();
	for (i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "/d%d/e/m", i % 50);
		w_mkdir(path);
		snprintf(path, sizeof(path), "/d%d/e/m/%d", i % 50, i);
		w_tmpfs("leaf", path);
	}
}

static void covers(void)
{
	int i;

	world_new_root();
	w_tmpfs("lowest", "/a");
	for (i = 0; i < MANY; i++)
		w_tmpfs("cover", "/a");
}

static void the_limit_is_raised_far_enough(void)
{
	TAP_SAY("superblocks");
	within(superblocks, false, 64, 0);
	TAP_SAY("fresh superblocks");
	within(superblocks, true, 64, 0);
	TAP_SAY("deep mountpoints on fresh superblocks");
	within(fresh_deep, true, 64, 0);
	TAP_SAY("roots");
	within(roots, false, 64, 0);
	TAP_SAY("deep mountpoints");
	within(deep_binds, false, 64, 0);
	TAP_SAY("covers");
	within(covers, false, 64, 0);
}

/* Not raised at all, where that will do; nor for whom it cannot be. */
static void little(void)
{
	in_child_own_user_ns();
	world_own_ns();
	within(small, false, 48, 48);
}

static void little_takes_little(void)
{
	shot_in_child(little);
}

/* The caller has many of its own. */
static void descriptors_of_the_caller(void)
{
	int first = open("/", O_PATH | O_CLOEXEC), last = first, i;

	REQUIRE(first >= 0);
	for (i = 0; i < 200; i++)
		REQUIRE((last = fcntl(first, F_DUPFD_CLOEXEC, first)) >= 0);
	within(small, false, (rlim_t)last + 3, 0);
	mc_close_range(first, last, 0);
}

/*
 * What is shot in a user namespace of its own comes out right, under this limit of
 * mount namespaces.
 */
static struct shot in_own_user_ns(void (*scene)(void), const char *limit)
{
	struct mntcr_restored *r;
	struct shot s;

	in_child_own_user_ns();
	world_own_ns();
	s = shoot(scene);
	/* Its root is locked, as are all that were copied, which nobody in there can do. */
	if (api == MNTCR_API_EXTENDED) {
		CHECK(!restore(&s));
		CHECK(!strcmp(s.e.rule, "locks-owner"));
	}
	s.o.ignore_locks = true;
	w_write("sys/user/max_mnt_namespaces", limit);
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_DEVICES | MNTCR_VERIFY_ORDER |
	     MNTCR_VERIFY_IGNORE_LOCKS);
	mntcr_restored_free(r);
	/* they are in what is returned, which will be elsewhere */
	s.o.sources = NULL;
	return s;
}

/* First it works there, then it may not. */
static void limited(void)
{
	struct shot s = in_own_user_ns(small, "10000");

	w_write("sys/user/max_mnt_namespaces", "1");
	failed(&s, ENOSPC, "");
	end(&s, NULL);
}

static void many_trees(void)
{
	char path[32];
	int i;

	world_new_root();
	for (i = 0; i < 60; i++) {
		snprintf(path, sizeof(path), "/%d", i);
		w_tmpfs("t", path);
		snprintf(path, sizeof(path), "/at%d", i);
		w_mkdir(path);
		w_bind("/", path);
	}
}

/* Detached trees count as namespaces, and there may be few of those. */
static void few_trees(void)
{
	struct shot s = in_own_user_ns(many_trees, "12");

	end(&s, NULL);
}

static void too_many_namespaces(void)
{
	shot_in_child(limited);
}

static void few_trees_at_a_time(void)
{
	shot_in_child(few_trees);
}

/* One more directory than a call takes of a path, and a mount there. */
static void far_below(void)
{
	char name[251];
	int i;

	memset(name, 'd', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	world_new_root();
	w_tmpfs("near", "/near");
	if (chdir("/near"))
		err(1, "chdir");
	for (i = 0; i < 20; i++)
		if (mkdir(name, 0755) || chdir(name))
			err(1, "a long way down");
	if (mkdir("far", 0755) || mount("far", "far", "tmpfs", 0, NULL) || chdir("/"))
		err(1, "far");
}

static void a_path_of_more_than_a_call_takes(void)
{
	struct shot s = shoot(far_below);
	struct mntcr_restored *r = restored(&s);

	CHECK(strlen(s.t->mounts[2].mountpoint) > 4096);
	same(&s, r, MNTCR_VERIFY_DEVICES | MNTCR_VERIFY_ORDER);
	end(&s, r);
}

static const struct shot_test tests[] = {
	{ "too-few-descriptors", too_few_descriptors },
	{ "few-descriptors-for-groups", few_descriptors_for_groups },
	{ "one-for-each-peer", one_for_each_peer },
	{ "limit-raised-and-put-back", the_limit_is_raised_and_put_back },
	{ "limit-raised-far-enough", the_limit_is_raised_far_enough },
	{ "little-takes-little", little_takes_little },
	{ "descriptors-of-the-caller", descriptors_of_the_caller },
	{ "too-many-namespaces", too_many_namespaces },
	{ "few-trees-at-a-time", few_trees_at_a_time },
	{ "a-path-of-more-than-a-call-takes", a_path_of_more_than_a_call_takes },
};

int main(int argc, char **argv)
{
	return shot_run(tests, sizeof(tests) / sizeof(tests[0]), argv);
}
