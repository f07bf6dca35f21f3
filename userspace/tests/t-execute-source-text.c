// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a mount says it is of: the text that mountinfo shows as its source.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "shot.h"

static void nameless(void)
{
	world_new_root();
	w_mkdir("/a");
	w_mount("", "/a", "tmpfs", 0);
}

/* An empty text is one, and not that there is none. */
static void an_empty_source(void)
{
	struct shot s = shoot(nameless);
	struct mntcr_restored *r;

	CHECK_STR(mc_mount_source(s.t, &s.t->mounts[1]), "");
	s.o.prefer_fresh = true;
	r = restored(&s);
	same(&s, r, 0);
	end(&s, r);
}

/* --- one superblock, two sources ------------------------------------------- */

static const char *type;
static int flags;

static void two_texts(void)
{
	if (flags && unshare(flags))
		err(1, "unshare");
	world_new_root();
	w_mkdir("/a");
	w_mkdir("/b");
	w_mount("one", "/a", type, 0);
	w_mount("two", "/b", type, MS_NOSUID);
}

static void not_a(void)
{
	w_umount("/a");
}

static int do_not_b(void *arg)
{
	w_umount("/b");
	return 0;
}

/* The first namespace has the one, the second the other; the first is live. */
static struct shot shoot_apart(const char *fstype, int unshared)
{
	struct shot s = { .o = { .size = sizeof(s.o) } };

	need_api();
	type = fstype;
	flags = unshared;
	world_add(&s.w, -1, two_texts);
	world_add(&s.w, 0, not_a);
	REQUIRE(!world_in(s.w.ns[0], do_not_b, NULL));
	capture_fds(&s.w, s.src, &s.t);
	CHECK_EQ(s.t->mounts[1].sb, s.t->mounts[3].sb);
	s.o.api = api;
	s.o.sources = s.src;
	s.o.nr_sources = 1;
	s.mounts = world_own_mounts();
	s.fds = world_own_fds();
	return s;
}

static size_t told;

static void tell(void *data, const char *line)
{
	told++;
	TAP_SAY("%s", line);
	CHECK(strstr(line, ":/b: source 'one' instead of 'two'"));
}

/* Each from the mount that shows the same. */
static void two_live_ones(void)
{
	struct mntcr_restored *r;
	struct shot s;

	type = "sysfs";
	flags = 0;
	s = shoot(two_texts);
	told = 0;
	s.o.difference = tell;
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_ORDER | MNTCR_VERIFY_DEVICES);
	CHECK_EQ(told, 0);
	end(&s, r);
}

static void opened_once_more(void)
{
	struct shot s = shoot_apart("sysfs", 0);
	struct mntcr_restored *r;

	told = 0;
	s.o.difference = tell;
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_DEVICES);
	CHECK_EQ(told, 0);
	end(&s, r);
}

static void a_fresh_one_by_two_names(void)
{
	struct mntcr_restored *r;
	struct shot s;

	type = "mqueue";
	flags = 0;
	s = shoot(two_texts);
	s.o.prefer_fresh = s.o.caller_namespaces = true;
	r = restored(&s);
	same(&s, r, 0);
	end(&s, r);
}

/* What would be opened is the caller's, and this is another's. */
static void cannot_be_opened(void)
{
	struct shot s = shoot_apart("sysfs", CLONE_NEWNET);
	struct mntcr_verify_options vo = {
		.size = sizeof(vo), .flags = MNTCR_VERIFY_DEVICES,
	};
	struct mntcr_source src[2];
	struct world made = { .nr = 2 };
	struct mntcr_restored *r;
	struct mntcr_topology *got;
	size_t nr = 0;

	told = 0;
	s.o.difference = tell;
	r = restored(&s);
	CHECK_EQ(told, 1);
	made.ns[0] = mntcr_restored_ns_fd(r, 0);
	made.ns[1] = mntcr_restored_ns_fd(r, 1);
	memset(src, 0, sizeof(src));
	capture_fds(&made, src, &got);
	REQUIRE(!mntcr_verify(s.t, got, &vo, &nr, &s.e));
	CHECK_EQ(nr, 1);
	mntcr_topology_free(got);
	end(&s, r);
}

/* --- cgroup2 ---------------------------------------------------------------- */

static char *cgroup_line(void)
{
	static char line[1024];
	FILE *f = fopen("/proc/self/mountinfo", "r");
	char *at = NULL;

	REQUIRE(f);
	while (!at && fgets(line, sizeof(line), f)) {
		at = strstr(line, " - cgroup2 ");
	}
	fclose(f);
	return at ? strdup(at) : NULL;
}

/* The machine's options stay: nothing is opened in the initial namespace. */
static void mount_cgroups(void)
{
	char *line = cgroup_line();
	pid_t pid;

	w_mkdir("/tmp/cg");
	if (!line) {
		if (mount("cgroup2", "/tmp/cg", "cgroup2", 0, "nsdelegate"))
			SKIP("no cgroup2");
		return;
	}
	free(line);
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(unshare(CLONE_NEWCGROUP) ||
		      mount("cgroup2", "/tmp/cg", "cgroup2", 0, NULL));
	REQUIRE(!wd_wait_for(pid));
}

static void cgroups_keep_their_options(void)
{
	struct mntcr_restored *r;
	char *before, *after;
	struct shot s;
	struct stat st;

	need_api();
	mount_cgroups();
	REQUIRE(!stat("/tmp/cg", &st));
	if (st.st_ino != 1)
		SKIP("not in the root cgroup");
	s = shoot_apart("cgroup2", CLONE_NEWCGROUP);
	before = cgroup_line();
	told = 0;
	s.o.difference = tell;
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_DEVICES);
	CHECK_EQ(told, 0);
	after = cgroup_line();
	CHECK_STR(after, before);
	free(before);
	free(after);
	end(&s, r);
	w_umount("/tmp/cg");
}

/* --- what an --external stands for ------------------------------------------- */

/* two_texts() of that type, with what is at ext.path for the superblock. */
static struct shot shoot_external(const char *of, struct mntcr_external *ext, char key[64])
{
	struct shot s;

	type = of;
	flags = 0;
	s = shoot(two_texts);
	snprintf(key, 64, "%u:%u", s.t->sbs[s.t->mounts[1].sb].major,
		 s.t->sbs[s.t->mounts[1].sb].minor);
	ext->key = key;
	s.o.prefer_fresh = true;
	s.o.externals = ext;
	s.o.nr_externals = 1;
	told = 0;
	return s;
}

static void by_external(const char *of, const char *where)
{
	struct mntcr_external ext = { .path = where };
	struct mntcr_restored *r;
	struct shot s;
	char key[64];

	s = shoot_external(of, &ext, key);
	s.o.difference = tell;
	r = restored(&s);
	same(&s, r, 0);
	CHECK_EQ(told, 0);
	end(&s, r);
}

/* The kernel has one of these, whoever mounts it. */
static const char *mount_one_for_all(void)
{
	static const char *const types[] = { "configfs", "securityfs", "fusectl" };
	size_t i;

	need_api();
	w_mkdir("/tmp/all");
	for (i = 0; i < 3; i++)
		if (!mount("here", "/tmp/all", types[i], 0, NULL))
			return types[i];
	SKIP("there is none of these");
	return NULL;
}

static void an_external_once_more(void)
{
	by_external(mount_one_for_all(), "/tmp/all");
	w_umount("/tmp/all");
}

static void count_told(void *data, const char *line)
{
	told++;
}

/* What the image says it is would be another one, or one with options taken over. */
static void an_external_of_another_type(void)
{
	struct mntcr_external ext = { .path = "/tmp/all" };
	struct mntcr_restored *r;
	struct shot s;
	char key[64];

	mount_one_for_all();
	s = shoot_external("tmpfs", &ext, key);
	/* a tmpfs would be refused */
	s.t->sbs[s.t->mounts[1].sb].type = "ext4";
	s.o.difference = count_told;
	r = restored(&s);
	/* a source that was another's is what the external has, and that is said */
	CHECK(told);
	end(&s, r);
	w_umount("/tmp/all");
}

static void external_cgroups(void)
{
	char *before, *after;
	struct stat st;

	need_api();
	mount_cgroups();
	REQUIRE(!stat("/tmp/cg", &st));
	if (st.st_ino != 1)
		SKIP("not in the root cgroup");
	before = cgroup_line();
	by_external("cgroup2", "/tmp/cg");
	after = cgroup_line();
	CHECK_STR(after, before);
	free(before);
	free(after);
	w_umount("/tmp/cg");
}

static const struct shot_test tests[] = {
	{ "empty", an_empty_source },
	{ "two-live-ones", two_live_ones },
	{ "opened-once-more", opened_once_more },
	{ "fresh-by-two-names", a_fresh_one_by_two_names },
	{ "cannot-be-opened", cannot_be_opened },
	{ "cgroups-keep-their-options", cgroups_keep_their_options },
	{ "an-external-once-more", an_external_once_more },
	{ "an-external-of-another-type", an_external_of_another_type },
	{ "external-cgroups", external_cgroups },
};

int main(int argc, char **argv)
{
	return shot_run(tests, sizeof(tests) / sizeof(tests[0]), argv);
}
