// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the kernel would answer with an errno, refused by name beforehand: on
 * mounts that are there, and with the way out that is advised.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sys/ioctl.h>

#include "shot.h"

struct told {
	unsigned int refusals;
	size_t mounts;
	uint64_t id;
	char rule[48];
};

static void tell(void *data, const struct mntcr_refusal *refusal)
{
	struct told *told = data;

	told->refusals++;
	told->mounts = refusal->nr_mounts;
	told->id = refusal->nr_mounts ? refusal->mounts[0].id : 0;
	snprintf(told->rule, sizeof(told->rule), "%s", refusal->rule);
}

/* By this rule and no other, for the mount at this path alone; nothing is made. */
static void refused(struct shot *s, const char *rule, const char *path)
{
	uint32_t m = mc_mount_at(s->t, 0, path);
	struct told told = { 0 };

	s->o.refused = tell;
	s->o.data = &told;
	failed(s, 0, path);
	CHECK_EQ(s->e.code, MNTCR_REFUSED);
	CHECK_STR(s->e.rule, rule);
	CHECK_EQ(told.refusals, 1);
	CHECK_STR(told.rule, rule);
	CHECK_EQ(told.mounts, 1);
	REQUIRE(m != MC_NONE);
	CHECK_EQ(told.id, s->t->mounts[m].id);
	s->o.refused = NULL;
}

static void restored_now(struct shot *s)
{
	struct mntcr_restored *r = restored(s);

	same(s, r, MNTCR_VERIFY_DEVICES);
	end(s, r);
}

/* --- a source that fsconfig(2) does not take ---------------------------------- */

static void long_source(void)
{
	char source[257];

	memset(source, 'x', 256);
	source[256] = '\0';
	world_new_root();
	w_tmpfs(source, "/long");
	w_tmpfs(source + 1, "/short");
}

static void a_long_source(void)
{
	struct shot s = shoot(long_source);

	s.o.prefer_fresh = true;
	refused(&s, "long-option", "/long");
	/* a clone has it */
	s.o.prefer_fresh = false;
	restored_now(&s);
}

/* --- a terminal of a new devpts --------------------------------------------- */

/* The terminal is there for as long as the descriptor, which is shared. */
static void console(void)
{
	int one = 0;

	world_new_root();
	w_mkdir("/pts");
	w_touch("/console");
	if (mount("devpts", "/pts", "devpts", 0, "newinstance,ptmxmode=666"))
		err(1, "devpts");
	if (ioctl(open("/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), TIOCSPTLCK, &one))
		err(1, "ptmx");
	w_bind("/pts/0", "/console");
}

static void a_terminal(void)
{
	struct shot s = shoot(console);

	s.o.prefer_fresh = true;
	refused(&s, "no-such-terminal", "/console");
	s.o.prefer_fresh = false;
	restored_now(&s);
}

/* --- files of mount namespaces ------------------------------------------------ */

static int younger_ns;

/* Nothing that the first one has is to be had from it. */
static void only_a_root(void)
{
	world_new_root();
}

static void covered(void)
{
	world_new_root();
	w_tmpfs("low", "/low");
	w_tmpfs("cover", "/low");
}

static int do_bind_file(void *arg)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", younger_ns);
	w_touch("/file");
	w_mkdir("/proc");
	w_mount("proc", "/proc", "proc", 0);
	w_bind(path, "/file");
	w_umount("/proc");
	return 0;
}

/* Of the two namespaces, the first has the file of the second. */
static struct shot shoot_file(void (*fn)(void), size_t nr)
{
	struct shot s = { .o = { .size = sizeof(s.o) } };

	need_api();
	world_add(&s.w, -1, fn);
	world_add(&s.w, 0, only_a_root);
	younger_ns = s.w.ns[1];
	REQUIRE(!world_in(s.w.ns[0], do_bind_file, NULL));
	s.w.nr = nr;
	capture_fds(&s.w, s.src, &s.t);
	s.o.api = api;
	s.mounts = world_own_mounts();
	s.fds = world_own_fds();
	return s;
}

static void a_foreign_namespace(void)
{
	struct shot s = shoot_file(small, 1), both;

	refused(&s, "foreign-namespace-file", "/file");
	end(&s, NULL);
	close(younger_ns);
	/* dumped too, it is restored */
	both = shoot_file(small, 2);
	restored_now(&both);
}

/* With the new calls a covered mount is opened by its id. */
static void covered_beside_a_file(void)
{
	struct shot s = shoot_file(covered, 2);
	struct told told = { 0 };
	uint32_t low = mc_mount_at(s.t, 0, "/low");

	REQUIRE(low != MC_NONE);
	low = s.t->mounts[low].parent;
	CHECK_STR(mc_mount_source(s.t, &s.t->mounts[low]), "low");
	if (api == MNTCR_API_EXTENDED) {
		restored_now(&s);
		return;
	}
	s.o.refused = tell;
	s.o.data = &told;
	failed(&s, 0, "the file of a mount namespace");
	CHECK_STR(s.e.rule, "covered-beside-file");
	CHECK_EQ(told.refusals, 1);
	CHECK_EQ(told.mounts, 1);
	CHECK_EQ(told.id, s.t->mounts[low].id);
	end(&s, NULL);
}

static const struct shot_test tests[] = {
	{ "long-source", a_long_source },
	{ "terminal", a_terminal },
	{ "foreign-namespace", a_foreign_namespace },
	{ "covered-beside-a-file", covered_beside_a_file },
};

int main(int argc, char **argv)
{
	return shot_run(tests, sizeof(tests) / sizeof(tests[0]), argv);
}
