/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A world captured, restored, compared: with either API, and nothing left behind.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TESTS_SHOT_H
#define TESTS_SHOT_H

#include "mntcr-restore.h"
#include "base/base.h"
#include "topology/topology.h"
#include "extended.h"
#include "in-child.h"
#include "tap.h"
#include "world.h"

static enum mntcr_api api;

static inline void need_api(void)
{
	if (api == MNTCR_API_EXTENDED && !has_extended())
		SKIP("this kernel has no mount_setgroup(2)");
}

static inline void say(void *data, const char *line)
{
	TAP_SAY("verify: %s", line);
}

struct shot {
	struct world w;
	struct mntcr_source src[WORLD_MAX_NS];
	struct mntcr_topology *t;
	struct mntcr_restore_options o;
	struct mntcr_error e;
	size_t mounts, fds;
};

static inline void capture_fds(const struct world *w, struct mntcr_source *src,
			struct mntcr_topology **t)
{
	struct mntcr_error e = { 0 };
	size_t i;

	for (i = 0; i < w->nr; i++) {
		src[i].type = MNTCR_SOURCE_FD;
		src[i].fd = w->ns[i];
	}
	if (mntcr_capture(src, w->nr, NULL, t, &e)) {
		TAP_SAY("capture: %s [%s]", e.text, e.rule);
		REQUIRE(!"captured");
	}
}

static inline struct shot shoot(void (*fn)(void))
{
	struct shot s = { .o = { .size = sizeof(s.o) } };

	need_api();
	world_add(&s.w, -1, fn);
	capture_fds(&s.w, s.src, &s.t);
	s.o.api = api;
	s.mounts = world_own_mounts();
	s.fds = world_own_fds();
	return s;
}

static inline struct mntcr_restored *restore(struct shot *s)
{
	struct mntcr_restored *r = NULL;

	if (!s->o.sources && !s->o.prefer_fresh) {
		s->o.sources = s->src;
		s->o.nr_sources = s->w.nr;
	}
	memset(&s->e, 0, sizeof(s->e));
	if (mntcr_restore(s->t, &s->o, &r, &s->e))
		r = NULL;
	return r;
}

static inline struct mntcr_restored *restored(struct shot *s)
{
	struct mntcr_restored *r = restore(s);

	if (!r)
		TAP_SAY("restore: %s [%s]", s->e.text, s->e.rule);
	REQUIRE(r);
	return r;
}

/* Failed with this errno, these words, and nothing left. */
static inline void failed(struct shot *s, int err, const char *words)
{
	struct mntcr_restored *r = restore(s);

	CHECK(!r);
	if (!r) {
		CHECK_EQ(s->e.err, err);
		if (!strstr(s->e.text, words)) {
			TAP_SAY("\"%s\" lacks \"%s\"", s->e.text, words);
			tap.bad = 1;
		}
	}
	mntcr_restored_free(r);
	CHECK_EQ(world_own_fds(), s->fds);
	CHECK_EQ(world_own_mounts(), s->mounts);
}

static inline void same(struct shot *s, const struct mntcr_restored *r,
		 unsigned int flags)
{
	struct mntcr_verify_options vo = {
		.size = sizeof(vo),
		.flags = flags, .report = say, .max_reports = 10,
	};
	struct mntcr_source src[WORLD_MAX_NS] = { 0 };
	struct world made = { .nr = mntcr_restored_nr_ns(r) };
	struct mntcr_topology *got;
	size_t i, nr = 1;

	for (i = 0; i < made.nr; i++)
		made.ns[i] = mntcr_restored_ns_fd(r, i);
	capture_fds(&made, src, &got);
	REQUIRE(!mntcr_verify(s->t, got, &vo, &nr, &s->e));
	CHECK_EQ(nr, 0);
	mntcr_topology_free(got);
}

static inline void end(struct shot *s, struct mntcr_restored *r)
{
	mntcr_restored_free(r);
	CHECK_EQ(world_own_fds(), s->fds);
	CHECK_EQ(world_own_mounts(), s->mounts);
	mntcr_topology_free(s->t);
	world_close(&s->w);
}

static inline void shot_in_child(void (*fn)(void))
{
	need_api();
	in_child(fn);
}

/* --- what is in it ---------------------------------------------------------- */

static inline void small(void)
{
	world_new_root();
	w_mkdir("/a/b");
	w_mkdir("/c");
	w_tmpfs("one", "/a/b");
	w_type("/a/b", MS_SHARED);
	w_bind("/a/b", "/c");
}

#define MANY 500

static inline void fill(const char *fmt, unsigned long type)
{
	char path[64];
	int i;

	world_new_root();
	w_tmpfs("src", "/src");
	if (type)
		w_type("/src", type);
	for (i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), fmt, i);
		w_mkdir(path);
		w_bind("/src", path);
	}
}

static inline void binds(void)
{
	fill("/m%d", 0);
}

static inline void deep_binds(void)
{
	fill("/d/e/m%d", 0);
}

static inline void peers(void)
{
	fill("/m%d", MS_SHARED);
}

static inline void chain(void)
{
	char path[64], from[64] = "/src";
	int i;

	world_new_root();
	w_tmpfs("src", "/src");
	w_type("/src", MS_SHARED);
	for (i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "/m%d", i);
		w_mkdir(path);
		w_bind(from, path);
		w_type(path, MS_SLAVE);
		w_type(path, MS_SHARED);
		strcpy(from, path);
	}
}

static inline void superblocks(void)
{
	char path[64];
	int i;

	world_new_root();
	for (i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "/d/m%d", i);
		w_tmpfs("one", path);
	}
}

static inline void roots(void)
{
	char path[64], from[64];
	int i;

	world_new_root();
	w_tmpfs("src", "/src");
	for (i = 0; i < MANY; i++) {
		snprintf(from, sizeof(from), "/src/a/b%d", i);
		snprintf(path, sizeof(path), "/m%d", i);
		w_mkdir(from);
		w_mkdir(path);
		w_bind(from, path);
	}
}

static inline void fresh_tree(void)
{
	world_new_root();
	w_mkdir("/a/b");
	w_mkdir("/proc");
	if (mount("t", "/a/b", "tmpfs", 0, "size=1m,mode=711") ||
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV, NULL))
		err(1, "mount");
	w_mkdir("/a/b/x/y");
	w_touch("/a/b/file");
	w_bind("/a/b/x", "/a/b/x/y");
	w_bind("/a/b/file", "/a/b/file");
	w_remount("/a/b/file", MS_RDONLY);
	w_type("/a/b", MS_SHARED);
}

struct shot_test {
	const char *name;
	void (*fn)(void);
};

/* With that API.  @only: a name, or NULL. */
static inline void shot_each(const struct shot_test *tests, size_t nr, enum mntcr_api with,
			     const char *only)
{
	char name[128];
	size_t i;

	api = with;
	for (i = 0; i < nr; i++) {
		if (only && strcmp(only, tests[i].name))
			continue;
		snprintf(name, sizeof(name), "%s.%s",
			 with == MNTCR_API_EXTENDED ? "extended" : "upstream", tests[i].name);
		tap_run(name, tests[i].fn);
	}
}

/*
 * Each with both APIs; @extended: those with nothing to try without the series' calls.
 * argv[1]: that one alone.
 */
static inline int shot_run_with(const struct shot_test *tests, size_t nr,
				const struct shot_test *extended, size_t nr_extended,
				char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	world_start();
	shot_each(tests, nr, MNTCR_API_UPSTREAM, argv[1]);
	shot_each(tests, nr, MNTCR_API_EXTENDED, argv[1]);
	shot_each(extended, nr_extended, MNTCR_API_EXTENDED, argv[1]);
	return tap_done();
}

static inline int shot_run(const struct shot_test *tests, size_t nr, char **argv)
{
	return shot_run_with(tests, nr, NULL, 0, argv);
}

#endif /* TESTS_SHOT_H */
