// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * FUSE: what the VFS knows is not asked of a server, which may hang, be dead, or
 * answer its owner alone.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "helper.h"
#include "fuse-server.h"

#define OWNER	1
#define LONG	100000

enum state { WELL, HUNG, DEAD, PRIVATE };

static struct fuse_server server;
static enum state state;
static enum scene {
	OUTSIDE,	/* mounts of all of it */
	INSIDE,		/* and of what is in it, and one in it */
	APART,		/* the same, but nothing is shared with copies of the namespace */
	COVERED,	/* only one, which is */
} scene;

static void nothing(void)
{
}

/* As its owner, who alone gets in, but with what it takes to mount. */
static void become(unsigned int id)
{
	if (prctl(PR_SET_SECUREBITS, 1 << 2 /* no_setuid_fixup */) ||
	    setresgid(id, id, id) || setresuid(id, id, id))
		err(1, "becoming %u", id);
}

static void build(void)
{
	world_new_root();
	w_mkdir("/fuse");
	if (scene == COVERED) {
		fuse_mount(&server, "/fuse", state == PRIVATE ? OWNER : 0,
			   state != PRIVATE);
		w_tmpfs("cover", "/fuse");
		return;
	}
	w_mkdir("/again");
	w_mkdir("/covered");
	w_mkdir("/shared");
	w_touch("/file");
	w_touch("/file2");
	fuse_mount(&server, "/fuse", state == PRIVATE ? OWNER : 0,
		   state != PRIVATE);
	w_bind("/fuse", "/again");
	w_bind("/fuse", "/covered");
	w_tmpfs("cover", "/covered");
	w_bind("/fuse", "/shared");
	if (scene != APART)
		w_type("/shared", MS_SHARED);
	if (scene == OUTSIDE)
		return;
	/* by who may look inside */
	w_mkdir("/dir");
	if (state == PRIVATE)
		become(OWNER);
	w_bind("/fuse/f", "/file");
	w_bind("/file", "/file2");
	w_bind("/fuse/d", "/dir");
	w_mount("in", "/fuse/d", "tmpfs", 0);
}

struct fuses {
	struct world w;
	struct mntcr_source src[1];
	struct mntcr_topology *t;
	struct mntcr_restore_options o;
	struct mntcr_error e;
	unsigned int asked;
};

static void check_silent(const struct fuses *a, const char *after)
{
	unsigned int asked = *server.asked;

	if (asked != a->asked) {
		TAP_SAY("%s: the server was asked %u times", after,
			asked - a->asked);
		tap.bad = 1;
	}
}

/* Names are valid for so many seconds. */
static void begin(struct fuses *a, enum state s, enum scene what, uint64_t valid)
{
	memset(a, 0, sizeof(*a));
	a->o.size = sizeof(a->o);
	need_api();
	state = s;
	scene = what;
	if (fuse_start(&server, valid))
		SKIP("there is no FUSE here");
	world_add(&a->w, -1, build);
	fuse_leave(&server);
	if (s == HUNG)
		fuse_hang(&server);
	else if (s == DEAD)
		fuse_die(&server);
	a->src[0] = (struct mntcr_source){ .type = MNTCR_SOURCE_FD,
					   .fd = a->w.ns[0] };
	a->asked = *server.asked;
	a->t = helper_capture(a->src);
	check_silent(a, "dump");
	a->o.api = api;
	a->o.sources = a->src;
	a->o.nr_sources = 1;
}

static void finish(struct fuses *a)
{
	mntcr_topology_free(a->t);
	world_close(&a->w);
	fuse_end(&server);
}

static enum mc_mp_type type_at(const struct mntcr_topology *t, const char *path)
{
	uint32_t m = mc_mount_at(t, 0, path);

	REQUIRE(m != MC_NONE);
	return t->mounts[m].mp_type;
}

/* --- tests ---------------------------------------------------------------------- */

static int do_stat(void *path)
{
	struct stat st;

	return stat(path, &st) ? errno : 0;
}

/* Else it would prove nothing that nobody waits, or is refused. */
static void what_a_server_does(void)
{
	struct fuses a;
	pid_t pid;

	begin(&a, WELL, INSIDE, LONG);
	CHECK_EQ(world_in(a.w.ns[0], do_stat, (void *)"/again"), 0);
	CHECK(*server.asked > a.asked);
	finish(&a);
	begin(&a, DEAD, INSIDE, LONG);
	CHECK_EQ(world_in(a.w.ns[0], do_stat, (void *)"/again"), ENOTCONN);
	finish(&a);
	begin(&a, PRIVATE, INSIDE, LONG);
	CHECK_EQ(world_in(a.w.ns[0], do_stat, (void *)"/again"), EACCES);
	finish(&a);
	begin(&a, HUNG, INSIDE, LONG);
	pid = fork();
	if (!pid) {
		alarm(1);
		if (setns(a.w.ns[0], CLONE_NEWNS))
			_exit(1);
		_exit(do_stat((void *)"/again"));
	}
	/* ended by the alarm */
	CHECK_EQ(wd_wait_for(pid), -1);
	finish(&a);
}

struct left {
	size_t nr;
	char last[512];
};

static void note_left(void *data, const char *line)
{
	struct left *l = data;

	say(NULL, line);
	l->nr++;
	snprintf(l->last, sizeof(l->last), "%s", line);
}

static size_t events(struct fuses *a, const struct mntcr_source *made,
		     struct left *l)
{
	struct mntcr_capture_options co = {
		.size = sizeof(co), .method = method,
	};
	struct mntcr_verify_options vo = {
		.size = sizeof(vo),
		.report = say, .max_reports = 10, .capture = &co,
		.left_out = note_left, .data = l, .flags = MNTCR_VERIFY_DEVICES,
	};
	struct mntcr_topology *after;
	size_t nr = 1, done = 0;

	memset(l, 0, sizeof(*l));
	if (mntcr_verify_events(a->src, 1, made, 1, &vo, &done, &nr, &a->e)) {
		TAP_SAY("events: %s [%s]", a->e.text, a->e.rule);
		REQUIRE(!"compared");
	}
	CHECK_EQ(nr, 0);
	after = helper_capture(a->src);
	REQUIRE(!mntcr_verify(a->t, after, &vo, &nr, &a->e));
	CHECK_EQ(nr, 0);
	mntcr_topology_free(after);
	return done;
}

/* Which is the same as what was dumped; false: it is refused. */
static bool restored(struct fuses *a, struct mntcr_restored **r,
		     struct mntcr_source *made)
{
	struct mntcr_verify_options vo = {
		.size = sizeof(vo),
		.report = say, .max_reports = 10,
					   .flags = MNTCR_VERIFY_DEVICES };
	struct mntcr_topology *got;
	size_t nr = 1;
	int ret;

	ret = mntcr_restore(a->t, &a->o, r, &a->e);
	check_silent(a, "restore");
	if (api == MNTCR_API_EXTENDED && method == MNTCR_METHOD_MOUNTINFO) {
		CHECK_EQ(ret, -1);
		CHECK_STR(a->e.rule, "no-unique-ids");
		return false;
	}
	if (ret)
		TAP_SAY("restore: %s [%s]", a->e.text, a->e.rule);
	REQUIRE(!ret);
	*made = (struct mntcr_source){ .type = MNTCR_SOURCE_FD,
				       .fd = mntcr_restored_ns_fd(*r, 0) };
	got = helper_capture(made);
	REQUIRE(!mntcr_verify(a->t, got, &vo, &nr, &a->e));
	CHECK_EQ(nr, 0);
	mntcr_topology_free(got);
	return true;
}

static void all_of_it(enum state s, enum scene what)
{
	struct mntcr_restored *r = NULL;
	struct mntcr_source made;
	struct fuses a;
	struct left l;
	size_t done;

	begin(&a, s, what, LONG);
	CHECK_EQ(type_at(a.t, "/again"), MC_MP_DIR);
	if (what == INSIDE) {
		CHECK_EQ(type_at(a.t, "/dir"), MC_MP_DIR);
		CHECK_EQ(type_at(a.t, "/file"), MC_MP_OTHER);
	}
	if (!restored(&a, &r, &made)) {
		finish(&a);
		return;
	}
	done = events(&a, &made, &l);
	check_silent(&a, "verify --events");
	/* the root, /fuse, /again, /covered, /shared; the files, /dir, /fuse/d */
	if (method == MNTCR_METHOD_STATMOUNT) {
		CHECK_EQ(l.nr, 0);
		CHECK_EQ(done, what == INSIDE ? 9 : 5);
	} else {
		CHECK_EQ(l.nr, 1);
		CHECK_EQ(done, what == INSIDE ? 8 : 4);
	}
	mntcr_restored_free(r);
	check_silent(&a, "undo");
	finish(&a);
}

static void well(void)
{
	all_of_it(WELL, INSIDE);
}

static void hung(void)
{
	all_of_it(HUNG, INSIDE);
}

static void dead(void)
{
	all_of_it(DEAD, INSIDE);
}

static void private(void)
{
	all_of_it(PRIVATE, OUTSIDE);
}

/* By stock calls out of a copy of the tree that it is in. */
static void covered_alone(void)
{
	static const enum state states[] = { WELL, HUNG, DEAD, PRIVATE };
	struct mntcr_restored *r;
	struct mntcr_source made;
	struct fuses a;
	size_t i;

	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		begin(&a, states[i], COVERED, LONG);
		r = NULL;
		if (restored(&a, &r, &made))
			mntcr_restored_free(r);
		check_silent(&a, "undo");
		finish(&a);
	}
}

/* What only the filesystem can lead to is left out, and the others are not. */
static void out_of_reach(enum state s, uint64_t valid)
{
	size_t here = method == MNTCR_METHOD_STATMOUNT ? 8 : 7;
	struct fuses a;
	struct left l;

	begin(&a, s, APART, valid);
	world_add(&a.w, 0, nothing);
	CHECK_EQ(events(&a, &(struct mntcr_source){ .type = MNTCR_SOURCE_FD,
						    .fd = a.w.ns[1] }, &l), here);
	CHECK_EQ(l.nr, 9 - here);
	/* who may not look inside is told so in one way or the other */
	CHECK(strstr(l.last, s == PRIVATE ? "event on /fuse/d: left out: " :
		     "event on /fuse/d: left out: a filesystem would have to be asked"));
	check_silent(&a, "verify --events");
	finish(&a);
}

static void names_that_expired(void)
{
	out_of_reach(HUNG, 0);
}

static void names_of_others(void)
{
	out_of_reach(PRIVATE, LONG);
}

static const struct helper_test tests[] = {
	{ "what-a-server-does", what_a_server_does },
	{ "well", well },
	{ "hung", hung },
	{ "dead", dead },
	{ "private", private },
	{ "covered-alone", covered_alone },
	{ "names-that-expired", names_that_expired },
	{ "names-of-others", names_of_others },
};

int main(int argc, char **argv)
{
	return helper_run(tests, sizeof(tests) / sizeof(tests[0]), argv);
}
